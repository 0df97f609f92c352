//! The frame around every page, and what can be opened over it.

mod banners;
mod frame;
mod keeping;
mod keys;
mod navigation;
mod owner;
mod sign_in_again;
mod status;

pub(crate) use banners::{AllBanners, Banner};
pub(crate) use keeping::LostAlert;
pub(crate) use sign_in_again::SignInAgainDialog;
pub(crate) use status::{PillState, Status, StatusPill, saved_here, standing_of};

use super::booking::BookDialog;
use super::client_page::NewClientDialog;
use super::clinics::ClinicsPage;
use super::day::DayPage;
use super::my_pets::MyPetsPage;
use super::search_palette::{Recent, SearchPalette};
use super::second_factor::OfferNewCodes;
use crate::components::{
    Drawers, HalfTypedFields, OpenDialog, logo, provide_clinic, use_clinic, use_dialogs, use_drawers,
    use_is_staff, use_may, use_shortcuts, use_toasts,
};
use crate::host::{self, PageEvent, use_host};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use futures_util::StreamExt;
use jiff::civil::Date;
use shared_model::permissions::Role;
use std::str::FromStr;

/// Whether a newer build waits to take over.
#[derive(Clone, Copy)]
struct NewBuild(Signal<bool>);

#[component]
pub(crate) fn Shell() -> Element {
    provide_clinic();
    use_context_provider(Drawers::new);
    use_context_provider(Recent::new);
    let new_build = use_context_provider(|| NewBuild(Signal::new(false)));
    use_shortcuts();
    use_page_events(new_build);
    use_arrivals();
    use_return();
    let clinic = use_clinic();
    // Who works at the clinic, or looks after clinics; the others are owners.
    let (staff, looks_after) = (use_is_staff(), use_may(Role::SystemAdministrator));
    let works = staff || looks_after;
    if clinic.read().is_none() {
        return rsx! { OpeningPage {} };
    }
    rsx! {
        a { class: "skip-link", href: "#content", {text::skip_to_content()} }
        if works {
            frame::Frame {}
        } else {
            owner::OwnerFrame {}
        }
        OverThePage {}
        OfferNewCodes {}
    }
}

/// What the browser tells: a network that is back, a newer build.
fn use_page_events(new_build: NewBuild) {
    let host = use_host();
    use_future(move || async move {
        let mut events = host::page_events();
        let NewBuild(mut waiting) = new_build;
        while let Some(event) = events.next().await {
            match event {
                PageEvent::Online => host.network_hint(),
                PageEvent::NewBuild => waiting.set(true),
            }
        }
    });
}

/// Begins every page at its top with the focus on it. Another day of the same page is no arrival: the focus stays on
/// the button that was pressed.
fn use_arrivals() {
    let route = use_route::<Route>();
    let drawers = use_drawers();
    let recent = use_context::<Recent>();
    let place = match &route {
        Route::Day {} | Route::DayOn { .. } => "/".to_owned(),
        route => route.to_string(),
    };
    let mut first = use_signal(|| true);
    use_effect(use_reactive!(|place| {
        let _ = place;
        drawers.close();
        if first.replace(false) {
            return;
        }
        host::arrive_at("content");
    }));
    use_effect(use_reactive!(|route| recent.visited(&route)));
}

/// Whoever has unlocked goes on where they were, and the host knows where that is when the device locks again.
fn use_return() {
    let host = use_host();
    let route = use_route::<Route>();
    let navigator = use_navigator();
    let (dialogs, toasts, fields) = (use_dialogs(), use_toasts(), use_context::<HalfTypedFields>());
    let returns = use_hook(|| {
        let typed = host.half_typed();
        let begun = !typed.is_empty();
        fields.give_back(typed);
        if !dialogs.take_back(host.is_back()) && begun {
            toasts.say(text::half_typed_is_kept());
        }
        host.place_to_return_to()
            .and_then(|place| Route::from_str(&place).ok())
    });
    let mut returned = use_signal(|| false);
    use_effect(use_reactive!(|route| {
        let goes = (!returned.replace(true)).then(|| returns.clone()).flatten();
        match goes {
            Some(place) if place != route => {
                host.note_place(place.to_string());
                // Refused by nobody: it is an address of this program.
                drop(navigator.replace(place));
            }
            _ => host.note_place(route.to_string()),
        }
    }));
}

/// The one dialog that is open, if any.
#[component]
fn OverThePage() -> Element {
    let dialogs = use_dialogs();
    let close = move |()| dialogs.close();
    match dialogs.now() {
        OpenDialog::None => rsx! {},
        OpenDialog::Palette => rsx! { SearchPalette { on_close: close } },
        OpenDialog::NewClient => rsx! { NewClientDialog { on_close: close } },
        OpenDialog::Book { patient, vet, start } => {
            rsx! { BookDialog { patient, vet, start, on_close: close } }
        }
        OpenDialog::Keys => rsx! { keys::KeysDialog { on_close: close } },
    }
}

/// The first page: the day for those who work here, the clinics for those who look after them, the pets for those who
/// own them.
#[component]
pub(crate) fn HomePage() -> Element {
    let (staff, looks_after) = (use_is_staff(), use_may(Role::SystemAdministrator));
    if staff {
        rsx! { DayPage { date: None } }
    } else if looks_after {
        rsx! { ClinicsPage {} }
    } else {
        rsx! { MyPetsPage {} }
    }
}

#[component]
pub(crate) fn DayOnPage(date: Date) -> Element {
    rsx! { DayPage { date: Some(date) } }
}

/// While the records are opened, which is rarely long enough to be seen.
#[component]
pub(crate) fn OpeningPage() -> Element {
    let mut slow = use_signal(|| false);
    use_future(move || async move {
        host::sleep(400).await;
        slow.set(true);
    });
    rsx! {
        main { class: "sign-in",
            if slow() {
                div { class: "sign-in__card",
                    div { class: "sign-in__brand", role: "status",
                        {logo()}
                        p { class: "sub", {text::opening_records()} }
                    }
                }
            }
        }
    }
}
