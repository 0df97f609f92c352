//! What the browser does not promise about the records on this device, in plain words.

use super::banners::Banner;
use crate::components::{Alert, Tint, icon};
use crate::host::use_host;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdAppWindow, LdHardDrive};

#[component]
pub(super) fn KeepingBanners() -> Element {
    let keeping = use_host().keeping.read().clone();
    rsx! {
        if keeping.silent {
            SilentBanner {}
        }
        if let Some(megabytes) = keeping.room_left {
            RoomBanner { megabytes }
        }
    }
}

#[component]
pub(super) fn SilentBanner() -> Element {
    rsx! {
        Banner {
            tone: Tint::Warn,
            icon: icon(LdAppWindow),
            title: text::window_silent(),
            words: text::window_silent_do(),
            urgent: true,
        }
    }
}

#[component]
pub(super) fn RoomBanner(megabytes: u32) -> Element {
    rsx! {
        Banner {
            tone: Tint::Warn,
            icon: icon(LdHardDrive),
            title: text::little_room(i64::from(megabytes)),
            words: text::little_room_do(),
        }
    }
}

/// The browser has deleted what somebody who was signed in here had on this device.
#[component]
pub(crate) fn LostAlert() -> Element {
    let lost = use_host().keeping.read().lost;
    let Some(count) = lost else { return rsx! {} };
    rsx! {
        Alert {
            tone: Tint::Warn,
            icon: icon(LdHardDrive),
            title: text::records_deleted(),
            text: text::records_deleted_do(i64::try_from(count).unwrap_or(i64::MAX)),
            urgent: true,
        }
    }
}
