//! The session has ended while work went on: sign in here, and everything goes on where it was.

use crate::components::{Dialog, use_me, use_toasts};
use crate::text;
use crate::views::sign_in::SignInForm;
use dioxus::prelude::*;

#[component]
pub(crate) fn SignInAgainDialog(on_close: EventHandler<()>) -> Element {
    let toasts = use_toasts();
    let clinic = use_me().map(|me| me.clinic);
    rsx! {
        Dialog { title: text::sign_in_again(), on_close,
            SignInForm {
                in_dialog: true,
                clinic,
                on_done: move |()| {
                    toasts.say(text::signed_in_again());
                    on_close.call(());
                },
            }
        }
    }
}
