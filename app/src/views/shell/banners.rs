//! What stands across the page until it is put right.

use super::NewBuild;
use super::keeping::{KeepingBanners, RoomBanner, SilentBanner};
use super::sign_in_again::SignInAgainDialog;
use crate::components::{Tint, Toasts, icon, use_status, use_toasts};
use crate::host::{self, Host, use_host};
use crate::text;
use crate::views::first_sync::FirstSyncLine;
use crate::views::lock::PinBanner;
use crate::views::{others_have_unsaved_notes, settle_all_notes};
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdCircleAlert, LdClock, LdFileWarning, LdHardDrive, LdKeyRound, LdPackage, LdRefreshCw, LdTriangleAlert,
};
use local_core::StorageTrouble;
use local_core::query::{Connection, FirstSync};
use shared_model::protocol::Goodbye;

#[component]
pub(super) fn Banners() -> Element {
    let status = use_status();
    let NewBuild(new_build) = use_context::<NewBuild>();
    let status = status.read();
    let Some(status) = status.as_ref() else {
        return rsx! {};
    };
    let stopped = match status.connection {
        Connection::Stopped(why) => Some(why),
        _ => None,
    };
    rsx! {
        KeepingBanners {}
        PinBanner {}
        if let Some(trouble) = status.storage {
            StorageBanner { trouble }
        }
        if let Some(why) = stopped {
            StoppedBanner { why }
        }
        if new_build() && stopped != Some(Goodbye::UpdateClient) {
            NewBuildBanner {}
        } else if status.deferred > 0 {
            NewerBanner {}
        }
        if status.damaged > 0 {
            DamagedBanner { count: status.damaged }
        }
        if status.unreadable {
            UnreadableBanner {}
        }
        if let Some(seconds) = status.clock_off_by {
            ClockBanner { seconds }
        }
        if let Some(progress) = status.first_sync.filter(|first| first.usable) {
            FirstSyncLine { progress }
        }
    }
}

/// Each of them, as the gallery shows them.
#[component]
pub(crate) fn AllBanners() -> Element {
    rsx! {
        SilentBanner {}
        RoomBanner { megabytes: 40 }
        for trouble in [StorageTrouble::Full, StorageTrouble::ReadOnly] {
            StorageBanner { key: "{trouble:?}", trouble }
        }
        for why in [Goodbye::SignIn, Goodbye::UpdateClient, Goodbye::UpdateServer, Goodbye::NotPermitted] {
            StoppedBanner { key: "{why:?}", why }
        }
        NewBuildBanner {}
        NewerBanner {}
        DamagedBanner { count: 2 }
        UnreadableBanner {}
        ClockBanner { seconds: 320 }
        ClockBanner { seconds: -7_300 }
        FirstSyncLine { progress: FirstSync { received: 4_210, total: 10_000, usable: true } }
    }
}

/// `urgent` reads it out at once.
#[component]
pub(crate) fn Banner(
    tone: Tint,
    icon: Element,
    #[props(into)] title: String,
    #[props(into)] words: String,
    #[props(default)] urgent: bool,
    children: Element,
) -> Element {
    rsx! {
        div { class: "banner", "data-tone": tone.word(), role: if urgent { "alert" } else { "status" },
            {icon}
            p { class: "banner__text",
                b { {title} }
                " "
                {words}
            }
            {children}
        }
    }
}

#[component]
fn StorageBanner(trouble: StorageTrouble) -> Element {
    let host = use_host();
    rsx! {
        Banner {
            tone: Tint::Danger,
            icon: icon(LdHardDrive),
            title: text::storage(trouble),
            words: text::last_typed_not_saved(),
            urgent: true,
            button { class: "btn btn--sm btn--primary", r#type: "button", onclick: move |_| host.retry_storage(),
                {text::try_saving_again()}
            }
        }
    }
}

#[component]
fn StoppedBanner(why: Goodbye) -> Element {
    let mut signing_in = use_signal(|| false);
    let (host, toasts) = (use_host(), use_toasts());
    match why {
        Goodbye::SignIn => rsx! {
            Banner {
                tone: Tint::Warn,
                icon: icon(LdKeyRound),
                title: text::session_ended(),
                words: text::session_ended_why(),
                button { class: "btn btn--sm btn--primary", r#type: "button", onclick: move |_| signing_in.set(true),
                    {text::sign_in_again()}
                }
            }
            if signing_in() {
                SignInAgainDialog { on_close: move |()| signing_in.set(false) }
            }
        },
        Goodbye::UpdateClient => rsx! {
            Banner {
                tone: Tint::Warn,
                icon: icon(LdPackage),
                title: text::update_needed(),
                words: text::update_needed_why(),
                button { class: "btn btn--sm btn--primary", r#type: "button", onclick: move |_| once_saved(host, toasts, update),
                    {icon(LdRefreshCw)}
                    {text::update_now()}
                }
            }
        },
        Goodbye::UpdateServer => rsx! {
            Banner {
                tone: Tint::Info,
                icon: icon(LdPackage),
                title: text::server_older(),
                words: text::server_older_why(),
            }
        },
        Goodbye::Later
        | Goodbye::TooSlow
        | Goodbye::Malformed
        | Goodbye::TooLarge
        | Goodbye::OutOfOrder
        | Goodbye::NotPermitted
        | Goodbye::ForeignActor
        | Goodbye::Purge => rsx! {
            Banner {
                tone: Tint::Danger,
                icon: icon(LdCircleAlert),
                title: text::not_accepted(),
                words: text::not_accepted_why(),
                urgent: true,
            }
        },
    }
}

/// Another build begins with a page that is loaded anew: what is typed is saved before.
fn once_saved(host: Host, toasts: Toasts, load: fn()) {
    dioxus::core::spawn_forever(async move {
        if settle_all_notes(host).await && !others_have_unsaved_notes(host) {
            load();
        } else {
            toasts.say(text::update_waits());
        }
    });
}

/// The waiting build takes over; without one, loading the page again fetches it.
fn update() {
    host::activate_new_build();
    host::reload();
}

#[component]
fn NewBuildBanner() -> Element {
    let NewBuild(mut waiting) = use_context::<NewBuild>();
    let (host, toasts) = (use_host(), use_toasts());
    rsx! {
        Banner {
            tone: Tint::Info,
            icon: icon(LdPackage),
            title: text::new_build(),
            words: text::new_build_why(),
            button { class: "btn btn--sm", r#type: "button", onclick: move |_| waiting.set(false), {text::later()} }
            button {
                class: "btn btn--sm btn--primary",
                r#type: "button",
                onclick: move |_| once_saved(host, toasts, host::activate_new_build),
                {icon(LdRefreshCw)}
                {text::update_now()}
            }
        }
    }
}

/// Records of a newer build wait for this one's update.
#[component]
fn NewerBanner() -> Element {
    rsx! {
        Banner { tone: Tint::Info, icon: icon(LdPackage), title: text::newer_records(), words: text::newer_records_why() }
    }
}

#[component]
fn DamagedBanner(count: u64) -> Element {
    rsx! {
        Banner {
            tone: Tint::Warn,
            icon: icon(LdFileWarning),
            title: text::damaged_records(i64::try_from(count).unwrap_or(i64::MAX)),
            words: text::damaged_records_why(),
        }
    }
}

#[component]
fn UnreadableBanner() -> Element {
    rsx! {
        Banner {
            tone: Tint::Info,
            icon: icon(LdRefreshCw),
            title: text::unreadable_from_clinic(),
            words: text::unreadable_from_clinic_why(),
        }
    }
}

#[component]
fn ClockBanner(seconds: i64) -> Element {
    let off = text::minutes((seconds.abs() + 30) / 60);
    // The server's clock minus this one: above zero means that this one is behind.
    let words = if seconds > 0 {
        text::clock_behind(off)
    } else {
        text::clock_ahead(off)
    };
    rsx! {
        Banner {
            tone: Tint::Warn,
            icon: if seconds.abs() > 3600 { icon(LdTriangleAlert) } else { icon(LdClock) },
            title: text::clock_off(),
            words,
        }
    }
}
