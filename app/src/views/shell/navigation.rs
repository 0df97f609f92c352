//! Where one can go: beside the page, or below it on a phone.

use crate::components::{
    Avatar, Badge, Drawer, PageLink, Tint, icon, icon_sm, logo, use_clinic, use_is_staff, use_may, use_me,
    use_status,
};
use crate::host::use_host;
use crate::route::Route;
use crate::text;
use crate::views::Wanted;
use crate::views::late_work::LateWorkBadge;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdArchiveRestore, LdCalendarDays, LdCircleUser, LdHistory, LdHospital, LdInbox, LdLock, LdPawPrint,
    LdUserCog, LdUsers,
};
use shared_model::permissions::Role;

/// The part of the program that an address belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Day,
    Patients,
    Clients,
    NeedsAttention,
    LateWork,
    Staff,
    Trail,
    Clinics,
    Me,
    Elsewhere,
}

fn place(route: &Route) -> Place {
    match route {
        // A visit is opened from the day and goes back to it.
        Route::Day {} | Route::DayOn { .. } | Route::Visit { .. } => Place::Day,
        Route::Patients {} | Route::Patient { .. } => Place::Patients,
        Route::Clients {} | Route::Client { .. } => Place::Clients,
        Route::NeedsAttention {} => Place::NeedsAttention,
        Route::LateWork {} => Place::LateWork,
        Route::Staff {} | Route::Member { .. } => Place::Staff,
        Route::Trail { .. } => Place::Trail,
        Route::Clinics {} => Place::Clinics,
        Route::Me {} => Place::Me,
        Route::Waiting {} | Route::Gallery {} | Route::NotFound { .. } => Place::Elsewhere,
    }
}

fn icon_of(place: Place) -> Element {
    match place {
        Place::Day => icon(LdCalendarDays),
        Place::Patients => icon(LdPawPrint),
        Place::Clients => icon(LdUsers),
        Place::NeedsAttention => icon(LdInbox),
        Place::LateWork => icon(LdArchiveRestore),
        Place::Staff => icon(LdUserCog),
        Place::Trail => icon(LdHistory),
        Place::Clinics => icon(LdHospital),
        Place::Me | Place::Elsewhere => icon(LdCircleUser),
    }
}

/// For whoever looks after clinics and works at none, those are the first page.
fn place_here() -> Place {
    let staff = use_is_staff();
    match place(&use_route::<Route>()) {
        Place::Day if !staff => Place::Clinics,
        place => place,
    }
}

#[component]
pub(super) fn Side() -> Element {
    let here = place_here();
    let (staff, status, clinic, me) = (use_is_staff(), use_status(), use_clinic(), use_me());
    let (administers, looks_after) = (
        use_may(Role::ClinicAdministrator),
        use_may(Role::SystemAdministrator),
    );
    let attention = status.read().as_ref().map_or(0, |status| status.needs_attention);
    let clinic = clinic.read();
    let clinic_name = clinic.as_ref().map(|clinic| clinic.profile.name.clone());
    let places = [
        (staff, Route::Day {}, Place::Day, text::nav_day()),
        (staff, Route::Patients {}, Place::Patients, text::nav_patients()),
        (staff, Route::Clients {}, Place::Clients, text::nav_clients()),
        (
            staff,
            Route::NeedsAttention {},
            Place::NeedsAttention,
            text::needs_attention(),
        ),
        (
            administers,
            Route::LateWork {},
            Place::LateWork,
            text::late_work(),
        ),
        (administers, Route::Staff {}, Place::Staff, text::nav_staff()),
        (
            administers,
            Route::Trail {
                wanted: Wanted::default(),
            },
            Place::Trail,
            text::trail(),
        ),
        (looks_after, Route::Clinics {}, Place::Clinics, text::clinics()),
    ];
    let places = places.into_iter().filter(|(shown, ..)| *shown);
    rsx! {
        nav { class: "side", id: Drawer::Nav.id(), "aria-label": text::nav_main(),
            PageLink { to: Route::Day {}, class: "side__clinic",
                {logo()}
                {clinic_name.filter(|name| !name.is_empty()).unwrap_or_else(|| text::app_name().to_owned())}
            }
            ul { class: "side__list",
                for (_ , to , place , words) in places {
                    li { key: "{words}",
                        PageLink { to, class: "side__link", current: place == here,
                            {icon_of(place)}
                            {words}
                            if place == Place::NeedsAttention && attention > 0 {
                                Badge { count: attention, tone: Tint::Danger, said: text::to_decide() }
                            }
                            if place == Place::LateWork {
                                LateWorkBadge {}
                            }
                        }
                    }
                }
            }
            if let Some(me) = me {
                div { class: "side__me",
                    Avatar { initials: text::initials(&me.name), tone: Tint::Violet }
                    div {
                        PageLink { to: Route::Me {}, class: "side__me-name", current: here == Place::Me, {me.name.clone()} }
                        div { class: "faint", {text::roles(&me.roles)} }
                    }
                    LockButton {}
                }
            }
        }
    }
}

/// Locks the device, where its records are encrypted.
#[component]
fn LockButton() -> Element {
    let host = use_host();
    let can_lock = host
        .protection
        .read()
        .as_ref()
        .is_some_and(|protection| !protection.is_former);
    rsx! {
        if can_lock {
            button {
                class: "btn btn--sm",
                r#type: "button",
                "aria-label": text::lock(),
                "aria-keyshortcuts": "L",
                onclick: move |_| host.lock(),
                {icon_sm(LdLock)}
                kbd { "L" }
            }
        }
    }
}

/// The phone's bottom bar.
#[component]
pub(super) fn TabBar() -> Element {
    let here = place_here();
    let administers = use_may(Role::ClinicAdministrator);
    let places = if use_is_staff() {
        vec![
            (Route::Day {}, Place::Day, text::nav_day()),
            (Route::Patients {}, Place::Patients, text::nav_patients()),
            (Route::Clients {}, Place::Clients, text::nav_clients()),
            (Route::Me {}, Place::Me, text::nav_me()),
        ]
    } else {
        vec![
            (Route::Clinics {}, Place::Clinics, text::clinics()),
            (Route::Me {}, Place::Me, text::nav_me()),
        ]
    };
    rsx! {
        nav { class: "tabbar", "aria-label": text::nav_places(),
            for (to , place , words) in places {
                PageLink { key: "{words}", to, class: "tabbar__link", current: place == here,
                    {icon_of(place)}
                    {words}
                    // The way to what was handed in leads over there.
                    if place == Place::Me && administers {
                        LateWorkBadge {}
                    }
                }
            }
        }
    }
}
