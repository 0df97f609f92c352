//! How this device locks, for whoever works on it.

use super::Setting;
use crate::components::{Segmented, icon, use_toasts};
use crate::host::{self, use_host};
use crate::text;
use crate::views::lock::PinDialog;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdLock;

/// The PIN, and when the device locks. Records that are not encrypted have no lock.
#[component]
pub(super) fn Locking(staff: bool) -> Element {
    let host = use_host();
    let toasts = use_toasts();
    let mut setting = use_signal(|| false);
    let forget_pin = move |_| {
        spawn(async move {
            match host.forget_pin().await {
                Ok(()) => toasts.say(text::pin_is_removed()),
                Err(why) => toasts.say(text::pin_refused(why, host::now())),
            }
        });
    };
    let protection = host.protection.read();
    let Some(protection) = protection.as_ref().filter(|protection| !protection.is_former) else {
        return rsx! {};
    };
    let minutes = |minutes: u16| match minutes {
        0 => text::lock_never().to_owned(),
        60 => text::lock_hour().to_owned(),
        minutes => text::lock_minutes(minutes),
    };
    // A device that several people of the clinic share never stays open.
    let offered: &[u16] = if staff {
        &[1, 5, 15, 60]
    } else {
        &[1, 5, 15, 60, 0]
    };
    rsx! {
        h2 { class: "settings__title", {text::how_it_locks()} }
        div { class: "card",
            Setting {
                title: text::pin(),
                words: match (protection.has_pin, protection.has_password) {
                    (true, _) => text::pin_has(),
                    (false, true) => text::pin_has_none(),
                    (false, false) => text::pin_has_neither(),
                },
                if protection.has_pin {
                    button { class: "btn btn--sm", r#type: "button", onclick: forget_pin, {text::pin_remove()} }
                }
                button { class: "btn btn--sm", r#type: "button", onclick: move |_| setting.set(true),
                    if protection.has_pin {
                        {text::pin_change()}
                    } else {
                        {text::set_pin()}
                    }
                }
            }
            Setting { title: text::locks_after(), words: text::locks_after_why(),
                Segmented {
                    label: text::locks_after(),
                    options: offered.iter().map(|after| (after.to_string(), minutes(*after))).collect::<Vec<_>>(),
                    value: protection.lock_after.to_string(),
                    on_pick: move |picked: String| {
                        if let Ok(minutes) = picked.parse() {
                            host.lock_after(minutes);
                        }
                    },
                }
            }
            Setting { title: text::lock_now(), words: text::lock_now_why(),
                button { class: "btn btn--sm", r#type: "button", onclick: move |_| host.lock(),
                    {icon(LdLock)}
                    {text::lock()}
                }
            }
        }
        if setting() {
            PinDialog { on_close: move |()| setting.set(false) }
        }
    }
}
