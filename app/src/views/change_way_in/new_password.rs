//! Another password, or a first one.

use crate::components::{PasswordField, TroubleLine, WhosePassword, use_sending};
use crate::host::{self, Call, CallTrouble, Deed, Secret, use_host};
use crate::text;
use crate::views::door::{GateForm, too_short};
use dioxus::prelude::*;

/// `on_late` is called if the word counts no more.
#[component]
pub(super) fn NewPassword(
    word: Secret,
    typed: Signal<String>,
    in_dialog: bool,
    on_done: EventHandler<()>,
    on_late: EventHandler<()>,
) -> Element {
    let (host, sending) = (use_host(), use_sending());
    let me = use_resource(move || host.call(Call::me()));
    let mut short = use_signal(|| None);
    use_effect(move || {
        if sending.is(&CallTrouble::LinkNoLongerValid) {
            on_late.call(());
        }
    });
    let weak = sending
        .is(&CallTrouble::WeakPassword)
        .then(|| text::password_weak().to_owned());
    let other = sending
        .trouble()
        .filter(|trouble| *trouble != CallTrouble::WeakPassword);
    rsx! {
        GateForm {
            id: "change-password",
            in_dialog,
            action: if sending.is_busy() { text::asking_clinic() } else { text::save_password() },
            waits: sending.is_busy(),
            on_submit: move |()| {
                short.set(too_short(&typed.peek()));
                if short.peek().is_some() {
                    return host::focus("password-new");
                }
                let deed = Deed::change_password(&word, typed.peek().clone());
                sending.send(deed, move |_| on_done.call(()));
            },
            if let Some(trouble) = other {
                TroubleLine { trouble }
            }
            if let Some(Ok(me)) = &*me.read() {
                WhosePassword { email: me.email.clone() }
            }
            PasswordField {
                id: "password-new",
                label: text::new_password(),
                value: typed,
                new: true,
                autofocus: true,
                error: short().or(weak),
                on_input: move |_| short.set(None),
            }
            p { class: "sub", {text::change_signs_out()} }
        }
    }
}
