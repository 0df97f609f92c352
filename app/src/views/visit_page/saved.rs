//! What is saved and where, in words: one line for the whole screen.

use crate::components::{icon, use_zone};
use crate::host::use_host;
use crate::text;
use crate::views::receipt::use_age;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCheckCheck, LdCloud, LdCloudOff, LdPenLine, LdTriangleAlert};
use local_core::Receipt;

use super::notes::Notes;

#[component]
pub(super) fn Saved(receipt: Receipt) -> Element {
    let notes = use_context::<Notes>();
    let host = use_host();
    let zone = use_zone();
    let age = use_age();
    let failure = notes.failure.read().clone();
    if let Some(failure) = failure.filter(|_| notes.is_writing()) {
        return rsx! {
            span { class: "saved", "data-state": "failed", role: "alert",
                {icon(LdTriangleAlert)}
                {text::failure(&failure)}
                button {
                    class: "btn btn--sm",
                    r#type: "button",
                    onclick: move |_| {
                        host.retry_storage();
                        notes.flush();
                    },
                    {text::try_again()}
                }
            }
        };
    }
    if notes.is_writing() {
        return rsx! {
            span { class: "saved", "data-state": "writing", {icon(LdPenLine)} {text::writing()} }
        };
    }
    if let Some(age) = age.filter(|_| receipt.waiting == 0) {
        return rsx! {
            span { class: "saved", "data-state": "old", role: "status", {icon(LdCloudOff)} {text::as_of_short(age)} }
        };
    }
    let (mark, words, time) = match (receipt.waiting, receipt.saved_at, receipt.confirmed_at) {
        (0, Some(_), Some(at)) => (
            icon(LdCloud),
            text::at_the_clinic(),
            Some(text::time_of(at, &zone)),
        ),
        (0, ..) => (icon(LdCloud), text::at_the_clinic(), None),
        (_, Some(at), _) => (
            icon(LdCheckCheck),
            text::saved_here(),
            Some(text::time_with_seconds(at, &zone)),
        ),
        _ => (icon(LdCheckCheck), text::saved_here(), None),
    };
    rsx! {
        span { class: "saved", role: "status",
            {mark}
            if let Some(time) = time {
                span { class: "saved__words", {words} }
                " "
                {time}
            } else {
                {words}
            }
        }
    }
}
