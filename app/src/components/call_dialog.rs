//! Dialogs that ask the clinic's server to do something: they stay until it is done, and say why if it is not.

use super::{Alert, Dialog, Tint, icon, use_element_id, use_toasts};
use crate::host::{Call, CallTrouble, Deed, Host, Request, read};
use crate::text;
use dioxus::core::Task;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCircleAlert, LdClock, LdCloudOff};
use serde::de::DeserializeOwned;

/// One request after the other, and why the last was not carried out.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Sending {
    under_way: Signal<Option<Task>>,
    trouble: Signal<Option<CallTrouble>>,
}

pub(crate) fn use_sending() -> Sending {
    Sending {
        under_way: use_signal(|| None),
        trouble: use_signal(|| None),
    }
}

impl Sending {
    pub(crate) fn is_busy(self) -> bool {
        self.under_way.read().is_some()
    }

    pub(crate) fn trouble(self) -> Option<CallTrouble> {
        self.trouble.read().clone()
    }

    /// Whether this is why.
    pub(crate) fn is(self, why: &CallTrouble) -> bool {
        self.trouble.read().as_ref() == Some(why)
    }

    /// Asks unless an answer is waited for already; `then` is called with the answer.
    pub(crate) fn send<A: DeserializeOwned>(self, call: Call<A>, then: impl FnOnce(A) + 'static) {
        let then = |body: String| read(&body).map(then).ok_or(CallTrouble::Odd);
        self.exchange(call.request, Box::new(then));
    }

    fn exchange(self, request: Request, then: Box<dyn FnOnce(String) -> Result<(), CallTrouble>>) {
        let host: Host = consume_context();
        self.begin(host.exchange(request), then);
    }

    /// The same with whatever else takes its time and can fail.
    pub(crate) fn wait_for<A: 'static>(
        self,
        answer: impl Future<Output = Result<A, CallTrouble>> + 'static,
        then: impl FnOnce(A) + 'static,
    ) {
        self.begin(answer, |answer| {
            then(answer);
            Ok(())
        });
    }

    fn begin<A: 'static>(
        self,
        answer: impl Future<Output = Result<A, CallTrouble>> + 'static,
        then: impl FnOnce(A) -> Result<(), CallTrouble> + 'static,
    ) {
        let Self {
            mut under_way,
            mut trouble,
        } = self;
        if under_way.peek().is_some() {
            return;
        }
        let task = spawn(async move {
            let outcome = answer.await;
            under_way.set(None);
            trouble.set(outcome.and_then(then).err());
        });
        under_way.set(Some(task));
    }

    /// Waits no more: whatever was to come is dropped where it is.
    pub(crate) fn break_off(mut self) {
        if let Some(task) = self.under_way.take() {
            task.cancel();
        }
    }
}

/// Why something was not carried out, as a line above the form that asked for it.
#[component]
pub(crate) fn TroubleLine(trouble: CallTrouble) -> Element {
    let (title, words) = text::call_trouble(&trouble);
    let (tone, icon) = match trouble {
        CallTrouble::Unreachable => (Tint::Warn, icon(LdCloudOff)),
        CallTrouble::SlowDown(_) => (Tint::Warn, icon(LdClock)),
        _ => (Tint::Danger, icon(LdCircleAlert)),
    };
    rsx! {
        Alert { tone, icon, title, text: words, line: true, urgent: true }
    }
}

/// A form in a dialog. `action` is what its button says; `known` are troubles that the fields say themselves.
#[component]
pub(crate) fn CallDialog(
    #[props(into)] title: String,
    #[props(into)] action: String,
    sending: Sending,
    on_submit: Callback<()>,
    on_close: EventHandler<()>,
    #[props(default)] danger: bool,
    #[props(default)] wide: bool,
    #[props(default)] keep_open: bool,
    #[props(default)] known: Vec<CallTrouble>,
    children: Element,
) -> Element {
    let id = use_element_id("call");
    let trouble = sending.trouble().filter(|trouble| !known.contains(trouble));
    let class = if danger {
        "btn btn--danger btn--primary"
    } else {
        "btn btn--primary"
    };
    rsx! {
        Dialog {
            title,
            on_close,
            wide,
            keep_open,
            foot: rsx! {
                button {
                    class: "btn",
                    r#type: "button",
                    "data-autofocus": danger.then_some(""),
                    onclick: move |_| on_close.call(()),
                    {text::not_now()}
                }
                button { class, r#type: "submit", form: id.clone(), "aria-disabled": "{sending.is_busy()}",
                    if sending.is_busy() {
                        {text::asking_clinic()}
                    } else {
                        {action}
                    }
                }
            },
            form {
                id,
                class: "form",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    on_submit.call(());
                },
                if let Some(trouble) = trouble {
                    TroubleLine { trouble }
                }
                {children}
            }
        }
    }
}

/// What is to be confirmed before it is asked for.
#[derive(Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) title: String,
    /// What follows from it, each in a sentence or two.
    pub(crate) consequences: Vec<String>,
    pub(crate) action: &'static str,
    pub(crate) deed: Deed,
    /// What is said once it is done.
    pub(crate) done: String,
}

/// Asks before what cannot be taken back, and then does it. `on_done` is called instead of `on_close` if it was done.
#[component]
pub(crate) fn ConfirmDialog(
    question: Question,
    on_close: EventHandler<()>,
    #[props(default)] on_done: Option<EventHandler<()>>,
) -> Element {
    let toasts = use_toasts();
    let sending = use_sending();
    let Question {
        title,
        consequences,
        action,
        deed,
        done,
    } = question;
    rsx! {
        CallDialog {
            title,
            action,
            danger: true,
            sending,
            on_close,
            on_submit: move |()| {
                let done = done.clone();
                sending.send(deed.clone(), move |_| {
                    toasts.say(done);
                    on_done.unwrap_or(on_close).call(());
                });
            },
            for words in consequences {
                p { {words} }
            }
        }
    }
}
