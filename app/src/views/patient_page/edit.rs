//! Changes of who an animal is: what was touched is written, and nothing else.

use super::facts::chip_remark;
use crate::components::{Dialog, FieldKind, Segmented, SelectField, TextField, use_toasts};
use crate::host::use_host;
use crate::text;
use crate::views::refused_fields::use_refused_fields;
use dioxus::prelude::*;
use jiff::civil::Date;
use local_core::query::PatientView;
use shared_model::commands::EditPatient;
use shared_model::documents::{Sex, Species};
use shared_model::values::{Invalid, Microchip};

const FIELDS: &[&str] = &["name", "breed", "colour", "born", "microchip"];

/// What was typed, if it is something else than before.
fn touched(typed: &str, before: &str) -> Option<String> {
    (typed.trim() != before).then(|| typed.trim().to_owned())
}

#[component]
pub(super) fn EditDialog(view: PatientView, on_close: EventHandler<()>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let before = use_hook(|| view.patient.clone());
    let name = use_signal(|| before.name.clone());
    let species = use_signal(|| before.species.value.word().to_owned());
    let breed = use_signal(|| before.breed.clone());
    let colour = use_signal(|| before.colour.clone());
    let mut sex = use_signal(|| before.sex.value);
    let mut neutered = use_signal(|| before.neutered.unwrap_or(false));
    let born_before = before
        .born
        .as_ref()
        .map(|born| born.value.to_string())
        .unwrap_or_default();
    let chip_before = before
        .microchip
        .as_ref()
        .map(|chip| chip.value.as_str().to_owned())
        .unwrap_or_default();
    let born = use_signal(|| born_before.clone());
    let chip = use_signal(|| chip_before.clone());
    let mut wrong_date = use_signal(|| false);
    let id = view.id;
    let mut save = {
        let before = before.clone();
        move || {
            let born = match touched(&born(), &born_before) {
                None => None,
                Some(text) if text.is_empty() => Some(None),
                Some(text) => match text.parse::<Date>() {
                    Ok(date) => Some(Some(date)),
                    Err(_) => return wrong_date.set(true),
                },
            };
            let command = EditPatient {
                name: touched(&name(), &before.name),
                species: Species::from_word(&species()).filter(|species| *species != before.species.value),
                breed: touched(&breed(), &before.breed),
                colour: touched(&colour(), &before.colour),
                sex: Some(sex()).filter(|sex| *sex != before.sex.value),
                neutered: Some(neutered()).filter(|neutered| {
                    Some(*neutered) != before.neutered && (*neutered || before.neutered.is_some())
                }),
                born,
                microchip: touched(&chip(), &chip_before),
                ..EditPatient::of(id)
            };
            if command == EditPatient::of(id) {
                return on_close.call(());
            }
            spawn(async move {
                match host.run(command).await {
                    Ok(_) => {
                        toasts.say(text::patient_saved(name()));
                        on_close.call(());
                    }
                    Err(failure) => refused.set(failure),
                }
            });
        }
    };
    let kinds = Species::ALL
        .iter()
        .map(|s| (s.word().to_owned(), text::species(*s).to_owned()))
        .collect();
    let sexes = sex_options();
    let remark = Microchip::parse(&chip()).ok().and_then(|chip| chip_remark(&chip));
    let date_error = wrong_date().then(|| text::invalid(text::born_label(), Invalid::NotADate));
    let error = move |field: &str, label: &str| refused.of(field, label);
    rsx! {
        Dialog {
            title: text::edit_of(&before.name),
            on_close,
            wide: true,
            keep_open: true,
            foot: rsx! {
                if let Some(why) = refused.besides(FIELDS) {
                    span { class: "field__error", {why} }
                }
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button { class: "btn btn--primary", r#type: "submit", form: "edit-patient", {text::save()} }
            },
            form {
                id: "edit-patient",
                class: "form",
                novalidate: true,
                oninput: move |_| refused.clear(),
                onsubmit: move |event| {
                    event.prevent_default();
                    save();
                },
                div { class: "form__columns",
                    TextField {
                        id: "patient-name",
                        label: text::name_label(),
                        value: name,
                        error: error("name", text::name_label()),
                        autofocus: true,
                    }
                    SelectField { id: "patient-species", label: text::species_label(), value: species, options: kinds }
                }
                div { class: "form__columns",
                    TextField {
                        id: "patient-breed",
                        label: text::breed_label(),
                        value: breed,
                        optional: true,
                        error: error("breed", text::breed_label()),
                    }
                    TextField {
                        id: "patient-colour",
                        label: text::colour_label(),
                        value: colour,
                        optional: true,
                        error: error("colour", text::colour_label()),
                    }
                }
                div { class: "form__columns",
                    div { class: "field",
                        span { class: "field__label", {text::sex_label()} }
                        Segmented {
                            label: text::sex_label(),
                            options: sexes,
                            value: sex().word(),
                            block: true,
                            on_pick: move |word: String| {
                                if let Some(picked) = Sex::from_word(&word) {
                                    sex.set(picked);
                                }
                            },
                        }
                        label { class: "check",
                            input {
                                r#type: "checkbox",
                                checked: neutered(),
                                onchange: move |event| neutered.set(event.checked()),
                            }
                            {text::neutered_label()}
                        }
                    }
                    TextField {
                        id: "patient-born",
                        label: text::born_label(),
                        value: born,
                        kind: FieldKind::Date,
                        optional: true,
                        error: date_error,
                        on_input: move |_| wrong_date.set(false),
                    }
                }
                TextField {
                    id: "patient-chip",
                    label: text::chip_label(),
                    value: chip,
                    optional: true,
                    hint: remark.map(str::to_owned),
                    error: error("microchip", text::chip_label()),
                }
            }
        }
    }
}

/// The choices of a sex, as words.
pub(in crate::views) fn sex_options() -> Vec<(String, String)> {
    [
        (Sex::Female, text::choose_female()),
        (Sex::Male, text::choose_male()),
        (Sex::Unknown, text::choose_unknown()),
    ]
    .map(|(sex, words)| (sex.word().to_owned(), words.to_owned()))
    .to_vec()
}
