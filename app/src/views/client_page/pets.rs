//! A client's animals, the living first, and a place to add one.

use crate::components::{Dialog, EmptyState, Pill, SpeciesMark, Tint, icon, icon_xl, use_toasts, use_today};
use crate::host::{fresh_id, use_host};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCalendarDays, LdPawPrint, LdPlus, LdTriangleAlert};
use local_core::query::PetLine;
use shared_model::documents::AlertKind;
use shared_model::ids::{ClientId, PatientId};

use crate::views::pet_fields::{PET_FIELDS, PetFields, use_pet_form};
use crate::views::refused_fields::use_refused_fields;

#[component]
pub(super) fn Pets(client: ClientId, pets: Vec<PetLine>, may_add: bool) -> Element {
    let mut adding = use_signal(|| false);
    rsx! {
        section { class: "card", "aria-labelledby": "pets-title",
            div { class: "card__head",
                h2 { class: "card__title", id: "pets-title", {text::pets_title()} }
                span { class: "card__count", "{pets.len()}" }
            }
            if pets.is_empty() {
                EmptyState { icon: icon_xl(LdPawPrint), title: text::no_pets(), text: text::no_pets_text() }
            } else {
                ul { class: "list",
                    for pet in pets {
                        Row { key: "{pet.id}", pet }
                    }
                }
            }
            if may_add {
                div { class: "card__foot",
                    button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: move |_| adding.set(true),
                        {icon(LdPlus)}
                        {text::add_pet()}
                    }
                }
            }
        }
        if adding() {
            AddPet { client, on_close: move |()| adding.set(false) }
        }
    }
}

#[component]
fn Row(pet: PetLine) -> Element {
    let today = use_today();
    let kind = if pet.breed.is_empty() {
        text::species(pet.species).to_owned()
    } else {
        pet.breed.clone()
    };
    let facts = [Some(kind), pet.age.filter(|_| !pet.deceased).map(text::age)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    let next = pet
        .next_appointment
        .as_ref()
        .map(|line| text::when(line.date, line.start_minute, today));
    let sub = [
        pet.deceased.then(|| text::has_died().to_owned()),
        pet.weight_kg.as_ref().map(text::weight),
        Some(text::sex(pet.sex, pet.neutered).to_owned()).filter(|sex| !sex.is_empty()),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ");
    rsx! {
        li { "data-died": pet.deceased.then_some(""),
            Link { class: "list__row", to: Route::Patient { id: pet.id },
                SpeciesMark { species: pet.species }
                div { class: "list__main",
                    div { class: "list__title",
                        {pet.name.clone()}
                        " "
                        span { {facts} }
                    }
                    div { class: "list__sub", {sub} }
                    if !pet.deceased {
                        div { class: "row row--wrap",
                            for (kind , words) in pet.alerts.clone() {
                                Pill {
                                    tone: if kind == AlertKind::Allergy { Tint::Danger } else { Tint::Warn },
                                    icon: icon(LdTriangleAlert),
                                    small: true,
                                    {text::alert_line(text::alert_kind(kind), words)}
                                }
                            }
                        }
                    }
                }
                if let Some(next) = next {
                    div { class: "list__end",
                        Pill { icon: icon(LdCalendarDays), {next} }
                    }
                }
            }
        }
    }
}

#[component]
fn AddPet(client: ClientId, on_close: EventHandler<()>) -> Element {
    let (host, toasts, navigator) = (use_host(), use_toasts(), use_navigator());
    let today = use_today();
    let refused = use_refused_fields();
    let form = use_pet_form();
    let id = use_hook(|| PatientId(fresh_id()));
    rsx! {
        Dialog {
            title: text::add_pet(),
            on_close,
            wide: true,
            keep_open: true,
            foot: rsx! {
                if let Some(why) = refused.besides(PET_FIELDS) {
                    span { class: "field__error", {why} }
                }
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button { class: "btn btn--primary", r#type: "submit", form: "add-pet", {text::save()} }
            },
            form {
                id: "add-pet",
                class: "form",
                novalidate: true,
                oninput: move |_| refused.clear(),
                onsubmit: move |event| {
                    event.prevent_default();
                    let Some(command) = form.command(id, client, today) else { return };
                    spawn(async move {
                        match host.run(command).await {
                            Ok(_) => {
                                toasts.say(text::pet_registered(form.name()));
                                on_close.call(());
                                navigator.push(Route::Patient { id });
                            }
                            Err(failure) => refused.set(failure),
                        }
                    });
                },
                PetFields { form, refused, autofocus: true }
            }
        }
    }
}
