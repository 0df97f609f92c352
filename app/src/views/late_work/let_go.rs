//! Letting late work go: for good, with a reason, which the clinic keeps.

use super::decided;
use crate::components::{CallDialog, TextField, use_sending, use_toasts};
use crate::text;
use crate::views::needs_attention::what;
use dioxus::prelude::*;
use local_core::query::LateMatter;
use shared_model::late_work::{MAX_DECIDED, MAX_REASON, Verdict};
use shared_model::values::{self, Invalid};

#[component]
pub(super) fn LetGoDialog(late: LateMatter, on_close: EventHandler<()>) -> Element {
    let (toasts, sending) = (use_toasts(), use_sending());
    let reason = use_signal(String::new);
    let mut refused = use_signal(|| None::<Invalid>);
    let title = what(&late.matter);
    let error = refused().map(|why| text::invalid(text::reason_label(), why));
    rsx! {
        CallDialog {
            title: text::let_go_late_title(),
            action: text::let_go_do(),
            danger: true,
            keep_open: true,
            sending,
            on_close,
            on_submit: move |()| {
                let reason = match values::line(&reason.peek(), MAX_REASON) {
                    Ok(reason) => reason,
                    Err(why) => return refused.set(Some(why)),
                };
                let hashes = late.hashes.iter().take(MAX_DECIDED).cloned().collect();
                sending.send(decided(hashes, Verdict::LetGo { reason }), move |_| {
                    toasts.say(text::let_go_done());
                    on_close.call(());
                });
            },
            p {
                b { {title} }
            }
            p { class: "sub", {text::let_go_late_what()} }
            TextField {
                id: "let-go-why",
                label: text::let_go_why(),
                value: reason,
                error,
                on_input: move |_| refused.set(None),
                autofocus: true,
            }
        }
    }
}
