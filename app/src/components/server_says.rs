//! What the clinic's server says about accounts: asked when a screen opens, whenever something has changed, and every
//! minute.
//!
//! Invariant: what is shown while the server cannot be reached says that it is old.

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
    let asking = use_asking(call.request);
    let body = asking.body.read();
    let answer = body.as_ref().and_then(|(body, _)| read(body));
    (answer, asking)
}

fn use_asking(request: Request) -> Asking {
    let host = use_host();
    let (status, minute) = (use_status(), use_minute());
    let asking = Asking {
        body: use_signal(|| host.heard(&request)),
        trouble: use_signal(|| None),
        again: use_signal(|| 0),
    };
    // Whoever is back at the clinic asks again.
    let online = use_memo(move || {
        let status = status.read();
        status
            .as_ref()
            .is_some_and(|status| status.connection == Connection::Online)
    });
    let mut turn = use_hook(|| CopyValue::new(0_u64));
    use_effect(move || {
        // What others do at the clinic is told to nobody: it is seen a minute later.
        let _ = (minute(), online(), (host.changed)(), (asking.again)());
        turn += 1;
        let this = *turn.peek();
        let request = request.clone();
        spawn(async move {
            let outcome = host.exchange(request).await;
            // Only the latest question has an answer.
            if *turn.peek() == this {
                asking.answered(outcome);
            }
        });
    });
    asking
}

impl Asking {
    fn answered(mut self, outcome: Result<String, CallTrouble>) {
        match outcome {
            Ok(body) => {
                self.body.set(Some((body, host::now())));
                self.trouble.set(None);
            }
            Err(why) => {
                if why != CallTrouble::Unreachable {
                    // It may be somebody else's by now.
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
    let (title, words) = text::call_trouble(trouble);
    let words = match &*body {
        Some((_, at)) => text::known_at(text::time_of(*at, &zone)),
        None => words,
    };
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
