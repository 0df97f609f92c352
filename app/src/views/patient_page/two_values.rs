//! A fact that two people wrote at the same time: both values side by side until somebody chooses.

use crate::components::{icon, use_toasts};
use crate::host::use_host;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdScale;
use shared_model::commands::ChooseValue;
use shared_model::documents::{Kind, Patient, Register, Sex, Species};
use shared_model::ids::DocumentId;
use shared_model::values::{Microchip, Weight};

/// A contested field: its stored key, what it is called, and the stored texts with their words, the standing first.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::views) struct Two {
    pub field: String,
    pub label: String,
    pub values: Vec<(String, String)>,
}

impl Two {
    pub(in crate::views) fn of<T>(
        field: impl Into<String>,
        label: impl Into<String>,
        register: &Register<T>,
        words: impl Fn(&T) -> (String, String),
    ) -> Option<Self> {
        register.is_contested().then(|| Self {
            field: field.into(),
            label: label.into(),
            values: std::iter::once(&register.value)
                .chain(&register.rivals)
                .map(words)
                .collect(),
        })
    }
}

/// Everything of a patient that waits for a choice.
pub(super) fn contested(patient: &Patient) -> Vec<Two> {
    let mut found = Vec::new();
    found.extend(Two::of(
        "species",
        text::species_label(),
        &patient.species,
        |species: &Species| (species.word().to_owned(), text::species(*species).to_owned()),
    ));
    found.extend(Two::of("sex", text::sex_label(), &patient.sex, |sex: &Sex| {
        (sex.word().to_owned(), text::sex(*sex, None).to_owned())
    }));
    if let Some(born) = &patient.born {
        found.extend(Two::of("born", text::born_label(), born, |born| {
            (born.to_string(), text::date_plain(*born))
        }));
    }
    if let Some(chip) = &patient.microchip {
        found.extend(Two::of(
            "microchip",
            text::chip_label(),
            chip,
            |chip: &Microchip| (chip.as_str().to_owned(), super::facts::chip_number(chip)),
        ));
    }
    for entry in patient.weights.iter().filter(|entry| entry.retracted.is_none()) {
        let field = format!("weights/{}/kg", entry.id);
        found.extend(Two::of(
            field,
            text::vital_weight(),
            &entry.weight,
            |weight: &Weight| (weight.to_string(), text::weight(weight)),
        ));
    }
    for alert in patient.standing_alerts() {
        let field = format!("alerts/{}/text", alert.id);
        found.extend(Two::of(
            field,
            text::alert_kind(alert.kind),
            &alert.text,
            |words: &String| (words.clone(), words.clone()),
        ));
    }
    found
}

#[component]
pub(in crate::views) fn TwoValues(kind: Kind, document: DocumentId, two: Two) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let label = two.label.clone();
    rsx! {
        div { class: "late", role: "group", "aria-label": label.clone(),
            p { class: "late__from", {icon(LdScale)} {text::two_values(&label)} }
            div { class: "two-values",
                for (stored , words) in two.values.clone() {
                    button {
                        key: "{stored}",
                        class: "two-values__choice",
                        r#type: "button",
                        onclick: {
                            let command = ChooseValue { kind, document, field: two.field.clone(), value: stored.clone() };
                            let done = text::value_chosen(&label, &words);
                            move |_| {
                                let (command, done) = (command.clone(), done.clone());
                                dioxus::core::spawn_forever(async move {
                                    match host.run(command).await {
                                        Ok(_) => toasts.say(done),
                                        Err(failure) => toasts.failed(&failure),
                                    }
                                });
                            }
                        },
                        b { {words.clone()} }
                    }
                }
            }
        }
    }
}
