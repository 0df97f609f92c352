//! The owner's home: what is next, my pets, and how to reach the clinic.

use crate::components::EmptyState;
use crate::components::{
    PageLink, Pill, Size, SpeciesMark, icon, icon_xl, use_clinic, use_minute, use_title, use_zone,
};
use crate::host::use_query;
use crate::route::Route;
use crate::text;
use crate::views::shell::Status;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{
    LdCalendarDays, LdClock, LdLeaf, LdMail, LdMapPin, LdPawPrint, LdPhone,
};
use jiff::civil::Date;
use local_core::query::{AppointmentLine, PetLine};
use local_core::{Query, View};
use shared_model::documents::{ClinicProfile, OpeningHours};

#[component]
pub(crate) fn MyPetsPage() -> Element {
    use_title(text::my_pets());
    let clinic = use_clinic();
    let zone = use_zone();
    let now = use_minute().read().in_zone(&zone);
    let view = use_query(Query::MyPets);
    let clinic = clinic.read();
    let Some(clinic) = clinic.as_ref() else {
        return rsx! {};
    };
    let name = clinic.me.as_ref().map(|me| me.name.clone()).unwrap_or_default();
    let first_name = name.split_whitespace().next().unwrap_or_default().to_owned();
    let greeting = match now.hour() {
        5..=11 => text::good_morning(first_name),
        12..=17 => text::good_afternoon(first_name),
        _ => text::good_evening(first_name),
    };
    let view = view.read();
    let Some(View::MyPets(pets)) = &*view else {
        return rsx! {};
    };
    let today = now.date();
    let next = pets
        .iter()
        .filter_map(|pet| pet.next_appointment.as_ref())
        .min_by_key(|appointment| appointment.start);
    rsx! {
        div { class: "owner__column",
            header { class: "owner__head",
                div {
                    p { class: "sub", {clinic.profile.name.clone()} }
                    h1 { {greeting} }
                }
                Status {}
            }
            if let Some(next) = next {
                Next { next: next.clone(), today, phone: clinic.profile.phone.clone() }
            }
            div { class: "owner__title",
                h2 { {text::my_pets()} }
            }
            if pets.is_empty() {
                EmptyState { icon: icon_xl(LdPawPrint), title: text::no_pets_yet(), text: text::no_pets_yet_why() }
            }
            for pet in pets.iter() {
                Pet { key: "{pet.id}", pet: pet.clone(), today }
            }
            Reach { profile: clinic.profile.clone(), today }
        }
    }
}

#[component]
fn Next(next: AppointmentLine, today: Date, phone: String) -> Element {
    let when = text::when(next.date, next.start_minute, today);
    // Owners do not receive the staff's names with the records.
    let when = if next.vet_name.is_empty() {
        when
    } else {
        text::joined(when, next.vet_name.clone())
    };
    let what = if next.reason.is_empty() {
        next.type_name.clone()
    } else {
        next.reason.clone()
    };
    rsx! {
        section { class: "next", "aria-labelledby": "next-what",
            p { class: "next__when", {when} }
            h2 { class: "next__what", id: "next-what", {text::change_of(next.patient_name.clone(), what)} }
            if !phone.is_empty() {
                div { class: "next__actions",
                    a { class: "btn", href: "tel:{phone}",
                        {icon(LdPhone)}
                        {text::call_clinic()}
                    }
                }
            }
        }
    }
}

#[component]
fn Pet(pet: PetLine, today: Date) -> Element {
    let mut facts = Vec::new();
    if let Some(age) = pet.age.filter(|_| !pet.deceased) {
        facts.push(text::age(age));
    }
    facts.push(if pet.breed.is_empty() {
        text::species(pet.species).to_owned()
    } else {
        pet.breed.clone()
    });
    if let Some(kg) = pet.weight_kg.as_ref().filter(|_| !pet.deceased) {
        facts.push(text::weight(kg));
    }
    rsx! {
        PageLink { to: Route::Patient { id: pet.id }, class: "pet",
            SpeciesMark { species: pet.species, size: Size::Large }
            div { class: "pet__main",
                div { class: "pet__name", {pet.name.clone()} }
                div { class: "sub", {facts.join(text::middle_dot())} }
            }
            if pet.deceased {
                Pill { icon: icon(LdLeaf), {text::died()} }
            } else if let Some(next) = &pet.next_appointment {
                Pill { icon: icon(LdCalendarDays), {text::date_short(next.date, today)} }
            }
        }
    }
}

/// How to reach the clinic, and until when today.
#[component]
fn Reach(profile: ClinicProfile, today: Date) -> Element {
    let weekday = usize::try_from(today.weekday().to_monday_zero_offset()).unwrap_or(0);
    let hours = profile.hours.get(weekday).copied().flatten();
    rsx! {
        section { class: "card",
            div { class: "card__head",
                h2 { class: "card__title", {profile.name.clone()} }
            }
            div { class: "list",
                div { class: "contact",
                    {icon(LdClock)}
                    span { {opening(hours)} }
                }
                if !profile.phone.is_empty() {
                    div { class: "contact",
                        {icon(LdPhone)}
                        a { href: "tel:{profile.phone}", {profile.phone.clone()} }
                    }
                }
                if !profile.email.is_empty() {
                    div { class: "contact",
                        {icon(LdMail)}
                        a { href: "mailto:{profile.email}", {profile.email.clone()} }
                    }
                }
                if !profile.address.is_empty() {
                    div { class: "contact",
                        {icon(LdMapPin)}
                        span { {profile.address.clone()} }
                    }
                }
            }
        }
    }
}

fn opening(hours: Option<OpeningHours>) -> String {
    match hours {
        None => text::closed_today().to_owned(),
        Some(OpeningHours {
            opens,
            closes,
            pause: None,
        }) => text::open_today(text::clock(closes), text::clock(opens)),
        Some(OpeningHours {
            opens,
            closes,
            pause: Some((from, to)),
        }) => text::open_today_with_pause(
            text::clock(closes),
            text::clock(from),
            text::clock(opens),
            text::clock(to),
        ),
    }
}
