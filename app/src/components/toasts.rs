//! What can be missed: a sentence that goes away by itself, with its undo. What must be seen is an alert, never this.

use super::icon;
use crate::host::{self, Deed, use_host};
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdX;
use local_core::{Decision, Failure};
use shared_model::commands::Command;

/// How long one stays, in milliseconds, unless somebody points at it or its button has the focus.
const STAYS: u32 = 8_000;
const STEP: u32 = 250;

#[derive(Clone, PartialEq)]
struct Said {
    number: u64,
    text: String,
    undo: Option<Undo>,
}

/// What takes back what was said.
#[derive(Clone, PartialEq)]
enum Undo {
    Command(Command),
    Decision(Decision),
    /// What the clinic's server was asked to do, and what was written along with it.
    Deed(Deed, Option<Command>),
}

#[derive(Clone, Copy)]
pub(crate) struct Toasts {
    said: Signal<Vec<Said>>,
    count: CopyValue<u64>,
}

impl Toasts {
    /// Once, at the root.
    pub(crate) fn new() -> Self {
        Self {
            said: Signal::new(Vec::new()),
            count: CopyValue::new(0),
        }
    }

    pub(crate) fn say(self, text: impl Into<String>) {
        self.show(text.into(), None);
    }

    /// `command` takes it back.
    pub(crate) fn undo(self, text: impl Into<String>, command: impl Into<Command>) {
        self.show(text.into(), Some(Undo::Command(command.into())));
    }

    /// The same for what was decided about refused work.
    pub(crate) fn undo_decision(self, text: impl Into<String>, decision: Decision) {
        self.show(text.into(), Some(Undo::Decision(decision)));
    }

    /// The same for what the clinic's server was asked to do, and for what was written along with it.
    pub(crate) fn undo_deed(self, text: impl Into<String>, deed: Deed, command: Option<Command>) {
        self.show(text.into(), Some(Undo::Deed(deed, command)));
    }

    pub(crate) fn failed(self, failure: &Failure) {
        self.show(text::failure(failure), None);
    }

    /// What was said is for whoever was here.
    pub(crate) fn clear(mut self) {
        self.said.set(Vec::new());
    }

    fn show(mut self, text: String, undo: Option<Undo>) {
        let number = *self.count.peek() + 1;
        self.count.set(number);
        let mut said = self.said.write();
        // Three at most: the oldest makes room.
        if said.len() >= 3 {
            said.remove(0);
        }
        said.push(Said { number, text, undo });
    }

    fn remove(mut self, number: u64) {
        self.said.write().retain(|said| said.number != number);
    }
}

pub(crate) fn use_toasts() -> Toasts {
    use_context::<Toasts>()
}

/// Where they appear; one for the whole program.
#[component]
pub(crate) fn ToastRegion() -> Element {
    let toasts = use_toasts();
    rsx! {
        div { class: "toasts", role: "status", "aria-live": "polite",
            for said in toasts.said.read().iter() {
                Toast { key: "{said.number}", said: said.clone() }
            }
        }
    }
}

#[component]
fn Toast(said: Said) -> Element {
    let toasts = use_toasts();
    let host = use_host();
    let mut held = use_signal(|| false);
    let mut undoing = use_signal(|| false);
    let number = said.number;
    use_future(move || async move {
        let mut left = STAYS;
        while left > 0 {
            host::sleep(STEP).await;
            if !*held.peek() {
                left -= STEP;
            }
        }
        toasts.remove(number);
    });
    rsx! {
        div {
            class: "toast",
            onmouseenter: move |_| held.set(true),
            onmouseleave: move |_| held.set(false),
            onfocusin: move |_| held.set(true),
            onfocusout: move |_| held.set(false),
            {said.text}
            if let Some(undo) = said.undo {
                button {
                    class: "btn btn--sm",
                    r#type: "button",
                    disabled: undoing(),
                    onclick: move |_| {
                        let undo = undo.clone();
                        undoing.set(true);
                        // The task belongs to the root: this toast may be gone before it ends.
                        dioxus::core::spawn_forever(async move {
                            let failed = match undo {
                                Undo::Command(command) => {
                                    let undone = host.run(command).await;
                                    undone.err().map(|failure| text::failure(&failure))
                                }
                                Undo::Decision(decision) => {
                                    let undone = host.decide(decision).await;
                                    undone.err().map(|failure| text::failure(&failure))
                                }
                                Undo::Deed(deed, command) => {
                                    let undone = host.exchange(deed.request).await;
                                    match (undone, command) {
                                        (Err(trouble), _) => Some(text::call_trouble_line(&trouble)),
                                        (Ok(_), Some(command)) => {
                                            let undone = host.run(command).await;
                                            undone.err().map(|failure| text::failure(&failure))
                                        }
                                        (Ok(_), None) => None,
                                    }
                                }
                            };
                            toasts.remove(number);
                            toasts.say(failed.unwrap_or_else(|| text::undone().to_owned()));
                        });
                    },
                    {text::undo()}
                }
            } else {
                button {
                    class: "btn btn--sm btn--icon",
                    r#type: "button",
                    "aria-label": text::close(),
                    onclick: move |_| toasts.remove(number),
                    {icon(LdX)}
                }
            }
        }
    }
}
