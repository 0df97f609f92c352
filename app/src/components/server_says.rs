//! What the clinic's server says about accounts: asked when a screen opens, whenever something has changed, and every
//! minute.
//!
//! Invariants: what is shown while the server has no newer answer says that it is old. What somebody may not see any more is
//! not shown.

use super::{Alert, Tint, icon, use_minute, use_status, use_zone};
use crate::host::{self, Call, CallTrouble, Request, read, use_host};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleAlert, LdCloudOff, LdRefreshCw};
use local_core::query::Connection;
use serde::de::DeserializeOwned;
use shared_model::time::Timestamp;

/// A question to the server for as long as its component lives.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Asking {
    /// The latest answer's body, and when it came.
    body: Signal<Option<(String, Timestamp)>>,
    trouble: Signal<Option<CallTrouble>>,
    again: Signal<u64>,
}

/// Asks; the answer is `None` until it has come. The call may not change while the component lives.
pub(crate) fn use_asked<A: DeserializeOwned>(call: Call<A>) -> (Option<A>, Asking) {
    let asking = use_asking(call.request, |body| read::<A>(body).is_some());
    let body = asking.body.read();
    let answer = body.as_ref().and_then(|(body, _)| read(body));
    (answer, asking)
}

/// Whether the clinic is there to be asked.
pub(crate) fn use_is_online() -> Memo<bool> {
    let status = use_status();
    use_memo(move || {
        let status = status.read();
        status
            .as_ref()
            .is_some_and(|status| status.connection == Connection::Online)
    })
}

fn use_asking(request: Request, is_readable: fn(&str) -> bool) -> Asking {
    let host = use_host();
    let minute = use_minute();
    let asking = Asking {
        body: use_signal(|| host.heard(&request).filter(|(body, _)| is_readable(body))),
        trouble: use_signal(|| None),
        again: use_signal(|| 0),
    };
    // Whoever is back at the clinic asks again.
    let online = use_is_online();
    let mut turn = use_hook(|| CopyValue::new(0_u64));
    use_effect(move || {
        // What others do at the clinic is told to nobody: it is seen a minute later.
        let _ = (minute(), online(), (host.changed)(), (asking.again)());
        turn += 1;
        let this = *turn.peek();
        let request = request.clone();
        spawn(async move {
            let outcome = understood(host.exchange(request).await, is_readable);
            // Only the latest question has an answer.
            if *turn.peek() == this {
                asking.answered(outcome);
            }
        });
    });
    asking
}

/// A server of another build may answer in words that are not here.
fn understood(
    outcome: Result<String, CallTrouble>,
    is_readable: fn(&str) -> bool,
) -> Result<String, CallTrouble> {
    outcome.and_then(|body| {
        if is_readable(&body) {
            Ok(body)
        } else {
            Err(CallTrouble::Odd)
        }
    })
}

impl Asking {
    fn answered(mut self, outcome: Result<String, CallTrouble>) {
        match outcome {
            Ok(body) => {
                self.body.set(Some((body, host::now())));
                self.trouble.set(None);
            }
            Err(why) => {
                if why.is_of_who_asks() {
                    self.body.set(None);
                }
                self.trouble.set(Some(why));
            }
        }
    }

    pub(crate) fn ask_again(self) {
        let mut again = self.again;
        again += 1;
    }

    /// When the latest answer came.
    pub(crate) fn heard_at(self) -> Option<Timestamp> {
        self.body.read().as_ref().map(|(_, at)| *at)
    }

    /// The latest question has no answer.
    pub(crate) fn has_trouble(self) -> bool {
        self.trouble.read().is_some()
    }

    pub(crate) fn is_unreachable(self) -> bool {
        *self.trouble.read() == Some(CallTrouble::Unreachable)
    }
}

/// How a question stands, above what is shown of its answer: nothing if the answer is there. `briefly` where the page says
/// already that the clinic cannot be reached.
#[component]
pub(crate) fn ServerSays(asking: Asking, #[props(default)] briefly: bool) -> Element {
    let zone = use_zone();
    let body = asking.body.read();
    let trouble = asking.trouble.read();
    let Some(trouble) = &*trouble else {
        return rsx! {
            if body.is_none() {
                p { class: "sub asking", role: "status", {text::asking_clinic()} }
            }
        };
    };
    if briefly && *trouble == CallTrouble::Unreachable {
        return rsx! {
            if body.is_none() {
                p { class: "sub asking", {text::needs_clinic()} }
            }
        };
    }
    let (title, mut words) = text::call_trouble(trouble);
    if let Some((_, at)) = &*body {
        let at = text::time_of(*at, &zone);
        words = match trouble {
            CallTrouble::Unreachable => text::known_at(at),
            _ => [words, text::shown_as_of(at)].join(" "),
        };
    }
    let (tone, icon_of) = if *trouble == CallTrouble::Unreachable {
        (Tint::Warn, icon(LdCloudOff))
    } else {
        (Tint::Danger, icon(LdCircleAlert))
    };
    rsx! {
        Alert { tone, icon: icon_of, title, text: words, line: true, urgent: true,
            button { class: "btn btn--sm", r#type: "button", onclick: move |_| asking.ask_again(),
                {icon(LdRefreshCw)}
                {text::try_again()}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_unknown_words_is_an_odd_one() {
        let is_list: fn(&str) -> bool = |body| read::<Vec<u32>>(body).is_some();
        let check = |outcome, expected| assert_eq!(understood(outcome, is_list), expected);
        check(Ok("[1]".to_owned()), Ok("[1]".to_owned()));
        check(Ok(r#"["one"]"#.to_owned()), Err(CallTrouble::Odd));
        check(Ok("<h1>Welcome</h1>".to_owned()), Err(CallTrouble::Odd));
        check(Err(CallTrouble::NotFound), Err(CallTrouble::NotFound));
    }
}
