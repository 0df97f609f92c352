//! What an animal is, in words: the line below its name, the remark on its microchip, the change of its weight.

use super::May;
use super::edit::EditDialog;
use crate::components::{icon, use_today};
use crate::text;
use crate::views::TrailOfRecord;
use crate::views::receipt::ReceiptLine;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdPencil;
use local_core::query::PatientView;
use rust_decimal::Decimal;
use shared_model::clinical::{Age, WeightChange};
use shared_model::documents::Patient;
use shared_model::values::{Microchip, MicrochipForm};

/// "Border Collie · male neutered · 6 y 2 m".
pub(in crate::views) fn facts_line(patient: &Patient, age: Option<Age>) -> String {
    let kind = if patient.breed.is_empty() {
        text::species(patient.species.value).to_owned()
    } else {
        patient.breed.clone()
    };
    let sex = text::sex(patient.sex.value, patient.neutered);
    [kind, sex.to_owned(), age.map(text::age).unwrap_or_default()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}

/// "985 112 003 456 789", as it is read aloud.
pub(super) fn chip_number(chip: &Microchip) -> String {
    let text = chip.as_str();
    if text.len() == 15 {
        let groups: Vec<&str> = (0..5)
            .filter_map(|group| text.get(group * 3..group * 3 + 3))
            .collect();
        groups.join(" ")
    } else {
        text.to_owned()
    }
}

/// What is odd about a number's form; nothing about an ordinary one.
pub(in crate::views) fn chip_remark(chip: &Microchip) -> Option<&'static str> {
    match chip.form() {
        MicrochipForm::IsoCountry | MicrochipForm::IsoManufacturer => None,
        MicrochipForm::Test => Some(text::chip_test()),
        MicrochipForm::Legacy => Some(text::chip_legacy()),
        MicrochipForm::Unusual => Some(text::chip_unusual()),
    }
}

/// A change of so many percent is marked; the person in the room judges it.
const MARKED_PERCENT: i64 = 4;

/// "−0.9 kg (−4.4 %) in 40 d", and whether to mark it.
pub(in crate::views) fn change_words(change: &WeightChange) -> (String, bool) {
    let signed = |value: Decimal| {
        let value = value.normalize();
        if value > Decimal::ZERO {
            format!("+{value}")
        } else {
            // The minus sign, not the hyphen.
            value.to_string().replace('-', "−")
        }
    };
    let words = if change.days > 0 {
        text::weight_changed(change.days, signed(change.percent))
    } else {
        text::weight_changed_today(signed(change.percent))
    };
    let marked = change.looks_like_other_unit || change.percent.abs() >= Decimal::from(MARKED_PERCENT);
    (words, marked)
}

/// The facts in full, with a way to change them.
#[component]
pub(super) fn Identity(view: PatientView, may: May) -> Element {
    let today = use_today();
    let mut editing = use_signal(|| false);
    let patient = view.patient.clone();
    let chip = patient.microchip.as_ref().map(|chip| chip.value.clone());
    rsx! {
        section { class: "card", "aria-labelledby": "identity-title",
            div { class: "card__head",
                h2 { class: "card__title", id: "identity-title", {text::identity_title()} }
            }
            div { class: "card__body",
                dl { class: "facts",
                    dt { {text::species_label()} }
                    dd { {text::species(patient.species.value)} }
                    if !patient.breed.is_empty() {
                        dt { {text::breed_label()} }
                        dd { {patient.breed.clone()} }
                    }
                    if !patient.colour.is_empty() {
                        dt { {text::colour_label()} }
                        dd { {patient.colour.clone()} }
                    }
                    if let Some(born) = &patient.born {
                        dt { {text::born_label()} }
                        dd { {text::date_plain(born.value)} }
                    }
                    dt { {text::chip_label()} }
                    dd {
                        if let Some(chip) = chip {
                            {chip_number(&chip)}
                            if let Some(remark) = chip_remark(&chip) {
                                div { class: "faint", {remark} }
                            }
                        } else {
                            {text::none_known()}
                        }
                    }
                    if let Some(death) = &patient.death {
                        dt { {text::died_label()} }
                        dd { {text::date_short(death.on, today)} }
                    }
                }
            }
            div { class: "card__foot",
                if may.identity {
                    button { class: "btn btn--quiet btn--sm", r#type: "button", onclick: move |_| editing.set(true),
                        {icon(LdPencil)}
                        {text::edit()}
                    }
                }
                ReceiptLine { receipt: view.receipt }
                TrailOfRecord { document: view.id.into() }
            }
        }
        if editing() {
            EditDialog { view, on_close: move |()| editing.set(false) }
        }
    }
}
