//! Another address of one's account.

use super::use_late;
use crate::components::{FieldKind, TextField, TroubleLine, use_sending, use_toasts};
use crate::host::{self, Deed, Secret};
use crate::text;
use crate::views::door::GateForm;
use dioxus::prelude::*;
use shared_model::values::Invalid;

/// `on_late` is called if the word counts no more.
#[component]
pub(super) fn NewEmail(
    word: Secret,
    typed: Signal<String>,
    in_dialog: bool,
    on_done: EventHandler<()>,
    on_late: EventHandler<()>,
) -> Element {
    let (toasts, sending) = (use_toasts(), use_sending());
    let mut missing = use_signal(|| false);
    use_late(sending, on_late);
    rsx! {
        GateForm {
            id: "change-email",
            in_dialog,
            action: if sending.is_busy() { text::asking_clinic() } else { text::send_mail() },
            waits: sending.is_busy(),
            on_submit: move |()| {
                let email = typed.peek().trim().to_owned();
                missing.set(email.is_empty());
                if missing() {
                    return host::focus("new-email");
                }
                sending.send(Deed::change_email(&word, email.clone()), move |_| {
                    toasts.say(text::new_email_sent(email));
                    on_done.call(());
                });
            },
            if let Some(trouble) = sending.trouble() {
                TroubleLine { trouble }
            }
            p { class: "sub", {text::change_email_how()} }
            TextField {
                id: "new-email",
                label: text::new_email(),
                value: typed,
                kind: FieldKind::Email,
                autocomplete: "email",
                autofocus: true,
                error: missing().then(|| text::invalid(text::new_email(), Invalid::Empty)),
                on_input: move |_| missing.set(false),
            }
        }
    }
}
