//! Me: my account, my devices and clinics; this device, how it looks and stands; and leaving.

mod clinics;
mod devices;
mod factors;
mod leaving;
mod linked;
mod locking;
mod you;

pub(crate) use devices::Devices;

use leaving::{Leaving, RemoveMe};
use locking::Locking;
use you::Account;

use crate::components::{
    Avatar, OpenDialog, PageLink, Segmented, Size, Tint, use_clinic, use_dialogs, use_is_staff, use_may,
    use_minute, use_status, use_title, use_zone,
};
use crate::host::{self, use_host};
use crate::route::Route;
use crate::text;
use crate::views::Wanted;
use crate::views::late_work::LateWorkBadge;
use crate::views::outbox::others_wait;
use crate::views::shell::standing_of;
use dioxus::prelude::*;
use shared_model::permissions::Role;

#[component]
pub(crate) fn MePage() -> Element {
    use_title(text::nav_me());
    let clinic = use_clinic();
    let dialogs = use_dialogs();
    let staff = use_is_staff();
    let (administers, looks_after) = (
        use_may(Role::ClinicAdministrator),
        use_may(Role::SystemAdministrator),
    );
    let mut theme = use_signal(host::remembered_theme);
    let clinic = clinic.read();
    let Some(clinic) = clinic.as_ref() else {
        return rsx! {};
    };
    let Some(me) = &clinic.me else { return rsx! {} };
    let roles = text::roles(&me.roles);
    // A system administrator has no records of a clinic to name it from.
    let what = if clinic.profile.name.is_empty() {
        roles
    } else {
        text::role_at(clinic.profile.name.clone(), roles)
    };
    let themes = [
        ("light", text::theme_light()),
        ("dark", text::theme_dark()),
        ("system", text::theme_system()),
    ];
    rsx! {
        div { class: "page page--narrow settings",
            div { class: "page__head",
                Avatar { initials: text::initials(&me.name), tone: Tint::Violet, size: Size::Large }
                div {
                    h1 { {me.name.clone()} }
                    p { class: "sub", {what} }
                }
            }
            if administers || looks_after {
                div { class: "card",
                    if administers {
                        Setting { title: text::staff_and_roles(), words: text::staff_and_roles_why(),
                            PageLink { to: Route::Staff {}, class: "btn btn--sm", {text::open()} }
                        }
                        Setting { title: text::late_work(), words: text::late_work_why(),
                            PageLink { to: Route::LateWork {}, class: "btn btn--sm",
                                {text::open()}
                                LateWorkBadge {}
                            }
                        }
                        Setting { title: text::trail(), words: text::trail_why(),
                            PageLink { to: Route::Trail { wanted: Wanted::default() }, class: "btn btn--sm", {text::open()} }
                        }
                    }
                    if looks_after {
                        Setting { title: text::clinics(), words: text::clinics_why(),
                            PageLink { to: Route::Clinics {}, class: "btn btn--sm", {text::open()} }
                        }
                    }
                }
            }
            Account {}
            h2 { class: "settings__title", {text::how_it_looks()} }
            div { class: "card",
                Setting { title: text::theme(),
                    Segmented {
                        label: text::theme(),
                        options: themes.map(|(key, words)| (key.to_owned(), words.to_owned())).to_vec(),
                        value: theme(),
                        on_pick: move |picked: String| {
                            host::set_theme(&picked);
                            theme.set(picked);
                        },
                    }
                }
                if staff {
                    Setting { title: text::list_of_keys(), words: text::list_of_keys_why(),
                        button {
                            class: "btn btn--sm",
                            r#type: "button",
                            "aria-keyshortcuts": "?",
                            onclick: move |_| dialogs.open(OpenDialog::Keys),
                            {text::show()}
                            " "
                            kbd { "?" }
                        }
                    }
                }
            }
            if !me.feeds().is_empty() {
                h2 { class: "settings__title", {text::this_device()} }
                div { class: "card", DeviceSettings {} }
            }
            Locking { staff }
            h2 { class: "settings__title", {text::leaving()} }
            div { class: "card",
                Leaving {}
                RemoveMe {}
            }
        }
    }
}

/// A line of a card: what it is about, how it stands, and what can be done.
#[component]
pub(crate) fn Setting(
    #[props(into)] title: String,
    #[props(into, default)] words: String,
    children: Element,
) -> Element {
    rsx! {
        div { class: "setting",
            div { class: "setting__main",
                div { class: "setting__title", {title} }
                if !words.is_empty() {
                    p { class: "sub", {words} }
                }
            }
            {children}
        }
    }
}

/// A button of such a line; what it is about is said to whoever does not see that.
#[component]
fn Act(
    #[props(into)] label: String,
    #[props(into)] about: String,
    cannot: bool,
    on_press: EventHandler<()>,
) -> Element {
    let name = text::what_of(about, &label);
    rsx! {
        button {
            class: "btn btn--sm",
            r#type: "button",
            disabled: cannot,
            "aria-label": name,
            onclick: move |_| on_press.call(()),
            {label}
        }
    }
}

#[component]
fn DeviceSettings() -> Element {
    let may_evict = use_host().keeping.read().may_evict;
    let status = use_status();
    let zone = use_zone();
    let today = use_minute().read().date_in(&zone);
    let status = status.read();
    let Some(status) = status.as_ref() else {
        return rsx! {};
    };
    let saved = standing_of(status);
    let heard = status.last_heard.map_or_else(
        || text::never_heard().to_owned(),
        |at| text::last_heard(text::moment(at, today, &zone)),
    );
    rsx! {
        Setting { title: saved, words: heard,
            PageLink { to: Route::Waiting {}, class: "btn btn--sm", {text::what_waits()} }
        }
        if may_evict {
            Setting { title: text::may_be_deleted(), words: text::may_be_deleted_do() }
        }
        for other in status.others.iter().filter(|other| other.waiting > 0) {
            Setting { key: "{other.account}", title: text::of_colleagues(), words: others_wait(other) }
        }
        if status.needs_attention > 0 {
            Setting { title: text::needs_attention_count(i64::try_from(status.needs_attention).unwrap_or(i64::MAX)), words: text::nothing_lost(),
                PageLink { to: Route::NeedsAttention {}, class: "btn btn--sm", {text::show()} }
            }
        }
    }
}
