//! Leaving: signing out here, and being taken off the device.

use super::Setting;
use crate::components::{Dialog, icon, use_status};
use crate::host::use_host;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdLogOut, LdUserX};

#[component]
pub(super) fn RemoveMe() -> Element {
    let host = use_host();
    let status = use_status();
    let mut asking = use_signal(|| false);
    let waits = status
        .read()
        .as_ref()
        .is_none_or(|status| status.waiting + status.needs_attention > 0);
    let is_locked_here = host
        .protection
        .read()
        .as_ref()
        .is_some_and(|protection| !protection.is_former);
    if !is_locked_here {
        return rsx! {};
    }
    rsx! {
        Setting {
            title: text::remove_me(),
            words: if waits { text::remove_me_waits() } else { text::remove_me_why() },
            button {
                class: "btn btn--danger",
                r#type: "button",
                disabled: waits,
                onclick: move |_| asking.set(true),
                {icon(LdUserX)}
                {text::remove_me_do()}
            }
        }
        if asking() {
            Dialog {
                title: text::remove_me_question(),
                on_close: move |()| asking.set(false),
                foot: rsx! {
                    button { class: "btn", r#type: "button", "data-autofocus": "", onclick: move |_| asking.set(false),
                        {text::not_now()}
                    }
                    button {
                        class: "btn btn--danger btn--primary",
                        r#type: "button",
                        onclick: move |_| {
                            asking.set(false);
                            host.remove_me();
                        },
                        {text::remove_me_do()}
                    }
                },
                p { {text::remove_me_why()} }
            }
        }
    }
}

#[component]
pub(super) fn Leaving() -> Element {
    let host = use_host();
    let status = use_status();
    let mut asking = use_signal(|| false);
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let (waiting, refused) = status
        .read()
        .as_ref()
        .map_or((0, 0), |status| (status.waiting, status.needs_attention));
    let words = match (waiting, refused) {
        (0, 0) => text::sign_out_all_sent().to_owned(),
        (0, refused) => text::sign_out_refused(count(refused)),
        (waiting, _) => text::sign_out_work_waits(count(waiting)),
    };
    rsx! {
        Setting { title: text::sign_out(), words: words.clone(),
            button {
                class: "btn btn--danger",
                r#type: "button",
                onclick: move |_| {
                    if waiting == 0 {
                        host.sign_out();
                    } else {
                        asking.set(true);
                    }
                },
                {icon(LdLogOut)}
                {text::sign_out()}
            }
        }
        if asking() {
            Dialog {
                title: text::sign_out_question(),
                on_close: move |()| asking.set(false),
                foot: rsx! {
                    button { class: "btn", r#type: "button", "data-autofocus": "", onclick: move |_| asking.set(false),
                        {text::stay_signed_in()}
                    }
                    button {
                        class: "btn btn--danger btn--primary",
                        r#type: "button",
                        onclick: move |_| {
                            asking.set(false);
                            host.sign_out();
                        },
                        {text::sign_out_anyway()}
                    }
                },
                p { {words} }
            }
        }
    }
}
