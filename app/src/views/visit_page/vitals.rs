//! The vital signs of the visit, the weight among them, each judged softly against what is usual.

use crate::components::{use_leaving, use_toasts};
use crate::host::{self, use_host};
use crate::text;
use crate::views::doubtful_weight::DoubtfulWeight;
use crate::views::patient_page::{Two, TwoValues, change_words};
use dioxus::prelude::*;
use local_core::Failure;
use local_core::query::{Tile as Measured, VisitView};
use rust_decimal::Decimal;
use shared_model::clinical::{Judgement, VitalSign, weight_change};
use shared_model::commands::{CommandError, RecordVitals, RecordWeight, RetractWeight};
use shared_model::documents::{Kind, WeightEntry};
use shared_model::ids::{DocumentId, PatientId};
use shared_model::values::{Invalid, Weight};

use super::tile::{Note, Tile, Typed};

#[component]
pub(super) fn Vitals(view: VisitView, may_write: bool) -> Element {
    let [temperature, heart, breathing, condition, refill] = signs(&view);
    rsx! {
        div { class: "vitals",
            for sign in [temperature, heart, breathing] {
                Sign { visit: view.clone(), measured: sign, may_write }
            }
            if let Some(patient) = view.patient_id {
                WeightTile { view: view.clone(), patient, may_write }
            }
            for sign in [condition, refill] {
                Sign { visit: view.clone(), measured: sign, may_write }
            }
        }
        for (kind , document , two) in contested(&view) {
            if let Some(document) = document {
                TwoValues { key: "{two.field}", kind, document, two }
            }
        }
    }
}

fn signs(view: &VisitView) -> [Measured; 5] {
    [
        VitalSign::Temperature,
        VitalSign::HeartRate,
        VitalSign::RespiratoryRate,
        VitalSign::BodyCondition,
        VitalSign::CapillaryRefill,
    ]
    .map(|sign| {
        view.tiles
            .iter()
            .find(|tile| tile.sign == sign)
            .cloned()
            .unwrap_or(Measured {
                sign,
                reading: None,
                judgement: None,
            })
    })
}

fn unit(sign: VitalSign) -> &'static str {
    match sign {
        VitalSign::Temperature => text::unit_celsius(),
        VitalSign::HeartRate | VitalSign::RespiratoryRate => text::unit_per_minute(),
        VitalSign::BodyCondition => text::unit_of_nine(),
        VitalSign::CapillaryRefill => text::unit_seconds(),
    }
}

fn judged(judgement: Option<Judgement>) -> Note {
    let words = match judgement {
        None => String::new(),
        Some(Judgement::InRange) => text::in_range().to_owned(),
        Some(Judgement::Below(limit)) => text::below_range(limit.normalize()),
        Some(Judgement::Above(limit)) => text::above_range(limit.normalize()),
    };
    Note {
        words,
        warns: matches!(judgement, Some(Judgement::Below(_) | Judgement::Above(_))),
    }
}

#[component]
fn Sign(visit: VisitView, measured: Measured, may_write: bool) -> Element {
    let host = use_host();
    let sign = measured.sign;
    let id = visit.id;
    let value = measured
        .reading
        .as_ref()
        .map(|reading| reading.value.to_string())
        .unwrap_or_default();
    let below = if sign == VitalSign::CapillaryRefill {
        rsx! {
            Membranes { view: visit, may_write }
        }
    } else {
        VNode::empty()
    };
    rsx! {
        Tile {
            id: "vital-{sign.word()}",
            label: text::vital_sign(sign),
            unit: unit(sign),
            value,
            note: judged(measured.judgement),
            may_write,
            below,
            on_typed: move |typed: Typed| {
                dioxus::core::spawn_forever(async move {
                    let command = RecordVitals {
                        visit: id,
                        set: id.vitals(),
                        readings: vec![(sign, typed.value)],
                        mucous_membranes: None,
                    };
                    typed.answer.call(host.run(command).await.map(|_| ()));
                });
            },
        }
    }
}

/// The colour of the gums, in words, below their refill time.
#[component]
fn Membranes(view: VisitView, may_write: bool) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let mut typed = use_signal(|| None::<String>);
    let id = view.id;
    let recorded = view.mucous_membranes.clone();
    if !may_write {
        return rsx! {
            span { class: "vital__note", {recorded} }
        };
    }
    let shown = typed().unwrap_or_else(|| recorded.clone());
    let record = use_callback(move |()| {
        let Some(words) = typed.peek().clone().filter(|words| words.trim() != recorded) else {
            return typed.set(None);
        };
        let command = RecordVitals {
            visit: id,
            set: id.vitals(),
            readings: Vec::new(),
            mucous_membranes: Some(words),
        };
        spawn(async move {
            match host.run(command).await {
                Ok(_) => {
                    host::sleep(80).await;
                    typed.set(None);
                }
                Err(failure) => toasts.failed(&failure),
            }
        });
    });
    use_leaving(move || typed.peek().is_some(), record);
    rsx! {
        input {
            class: "vital__input vital__words",
            autocomplete: "off",
            "aria-label": text::vital_membranes(),
            placeholder: text::vital_membranes(),
            value: shown,
            oninput: move |event| typed.set(Some(event.value())),
            onblur: move |_| record.call(()),
            onkeydown: move |event| {
                if event.key() == Key::Enter && event.modifiers().is_empty() {
                    event.prevent_default();
                    record.call(());
                }
            },
        }
    }
}

/// The latest weight that stands, apart from this visit's own.
fn weight_before(view: &VisitView) -> Option<WeightEntry> {
    let own = view.id.weight();
    let mut weights = view.patient.as_ref()?.weights.iter().rev();
    weights
        .find(|entry| entry.id != own && entry.retracted.is_none())
        .cloned()
}

const WEIGHT_ID: &str = "vital-weight";

#[component]
fn WeightTile(view: VisitView, patient: PatientId, may_write: bool) -> Element {
    let host = use_host();
    let toasts = use_toasts();
    let mut doubtful = use_signal(|| None::<(Weight, Weight)>);
    let visit = view.id;
    let before = weight_before(&view);
    let has_own = view.weight.is_some();
    let value = view
        .weight
        .as_ref()
        .map(|entry| entry.weight.value.to_string())
        .unwrap_or_default();
    let note = match (&view.weight, view.weight_change, &before) {
        (Some(_), Some(change), _) => change_words(&change),
        (None, _, Some(before)) => (text::weight_was(text::weight(before.weight.value)), false),
        _ => (String::new(), false),
    };
    let record = move |weight: Weight| RecordWeight {
        patient,
        entry: visit.weight(),
        weight,
        at: host::now(),
        visit: Some(visit),
    };
    let run = use_callback(move |weight: Weight| {
        doubtful.set(None);
        dioxus::core::spawn_forever(async move {
            if let Err(failure) = host.run(record(weight)).await {
                toasts.failed(&failure);
            }
        });
    });
    rsx! {
        Tile {
            id: WEIGHT_ID,
            label: text::vital_weight(),
            unit: text::unit_kilograms(),
            value,
            note: Note { words: note.0, warns: note.1 },
            may_write,
            on_typed: move |typed: Typed| {
                let wrong = |why: Invalid| {
                    Err(Failure::Command(CommandError::Invalid { field: "weight".to_owned(), why }))
                };
                if typed.value.is_empty() {
                    if has_own {
                        let command = RetractWeight {
                            patient,
                            entry: visit.weight(),
                            reason: text::weight_cleared().to_owned(),
                        };
                        dioxus::core::spawn_forever(async move {
                            typed.answer.call(host.run(command).await.map(|_| ()));
                        });
                    } else {
                        typed.answer.call(Ok(()));
                    }
                    return;
                }
                match Weight::parse(&typed.value) {
                    Err(why) => typed.answer.call(wrong(why)),
                    Ok(weight) => {
                        let change = before
                            .as_ref()
                            .map(|before| weight_change((before.weight.value, before.at), (weight, host::now())));
                        if let (Some(before), Some(true)) = (&before, change.map(|change| change.looks_like_other_unit)) {
                            doubtful.set(Some((weight, before.weight.value)));
                            typed.answer.call(Ok(()));
                        } else {
                            dioxus::core::spawn_forever(async move {
                                typed.answer.call(host.run(record(weight)).await.map(|_| ()));
                            });
                        }
                    }
                }
            },
        }
        if let Some((weight , before)) = doubtful() {
            DoubtfulWeight {
                weight,
                before,
                // Its buttons go, and the focus goes back to what they asked about.
                on_record: move |weight| {
                    run.call(weight);
                    host::focus(WEIGHT_ID);
                },
                on_leave: move |()| {
                    doubtful.set(None);
                    host::focus(WEIGHT_ID);
                },
            }
        }
    }
}

/// What of the visit waits for a choice: readings of the set, and the weight, which the patient's record holds.
fn contested(view: &VisitView) -> Vec<(Kind, Option<DocumentId>, Two)> {
    let set = view.id.vitals();
    let mut found = Vec::new();
    for tile in &view.tiles {
        let field = format!("vitals/{set}/{}", tile.sign.word());
        let two = tile.reading.as_ref().and_then(|reading| {
            Two::of(field, text::vital_sign(tile.sign), reading, |value: &Decimal| {
                (value.to_string(), format!("{value} {}", unit(tile.sign)))
            })
        });
        found.extend(two.map(|two| (Kind::Visit, Some(view.id.into()), two)));
    }
    let weight = view.weight.as_ref().and_then(|entry| {
        Two::of(
            format!("weights/{}/kg", entry.id),
            text::vital_weight(),
            &entry.weight,
            |weight: &Weight| (weight.to_string(), text::weight(weight)),
        )
    });
    found.extend(weight.map(|two| (Kind::Patient, view.patient_id.map(Into::into), two)));
    found
}
