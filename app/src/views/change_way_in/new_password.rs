//! Another password, or a first one.

use super::use_late;
use crate::components::{TroubleLine, WhosePassword, use_sending};
use crate::host::{Call, Deed, Secret, use_host};
use crate::text;
use crate::views::door::GateForm;
use crate::views::typed_password::{TypedPasswordField, Wanted, use_typed_password};
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
    let password = use_typed_password("password-new", Wanted::New, typed, move || sending.trouble());
    use_late(sending, on_late);
    rsx! {
        GateForm {
            id: "change-password",
            in_dialog,
            action: if sending.is_busy() { text::asking_clinic() } else { text::save_password() },
            waits: sending.is_busy(),
            on_submit: move |()| {
                if let Some(new) = password.take() {
                    sending.send(Deed::change_password(&word, new), move |_| on_done.call(()));
                }
            },
            if let Some(trouble) = sending.trouble().filter(|trouble| !password.says(trouble)) {
                TroubleLine { trouble }
            }
            if let Some(Ok(me)) = &*me.read() {
                WhosePassword { email: me.email.clone() }
            }
            TypedPasswordField { label: text::new_password(), password }
            p { class: "sub", {text::change_signs_out()} }
        }
    }
}
