//! Whoever comes back to a device that took recovery codes off the screen is told that they are not kept, and makes new ones
//! right there.

use crate::components::{Dialog, use_asked};
use crate::host::{Call, Change, UnkeptCodes, use_host};
use crate::text;
use crate::views::change_way_in::ChangeDialog;
use dioxus::prelude::*;

#[component]
pub(in crate::views) fn OfferNewCodes() -> Element {
    let codes = use_host().codes_to_make_anew();
    rsx! {
        for codes in codes {
            Offer { key: "{codes.since.0}", codes }
        }
    }
}

/// Nothing until the clinic has said that there is something that they are for.
#[component]
fn Offer(codes: UnkeptCodes) -> Element {
    let host = use_host();
    let (factors, _) = use_asked(Call::factors());
    let mut making = use_signal(|| false);
    let later = move |()| host.told_of_unkept_codes();
    if making() {
        return rsx! {
            ChangeDialog {
                change: Change::RenewRecoveryCodes,
                on_close: move |()| {
                    making.set(false);
                    later(());
                },
            }
        };
    }
    if codes.is_told || !factors.is_some_and(|factors| codes.are_of(&factors)) {
        return rsx! {};
    }
    let (title, words) = text::codes_to_make_anew(codes.were_seen);
    rsx! {
        Dialog {
            title,
            on_close: later,
            keep_open: true,
            foot: rsx! {
                button { class: "btn", r#type: "button", onclick: move |_| later(()), {text::not_now()} }
                button {
                    class: "btn btn--primary",
                    r#type: "button",
                    "data-autofocus": "",
                    onclick: move |_| making.set(true),
                    {text::make_new_codes()}
                }
            },
            p { {words} }
            p { {text::codes_to_make_anew_do()} }
        }
    }
}
