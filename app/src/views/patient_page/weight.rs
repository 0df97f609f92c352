//! The weights: the latest with its change, the line through the years, a place to type the next, and all of them.

use super::May;
use super::chart::{WeightChart, pounds};
use super::facts::change_words;
use crate::components::FieldKind;
use crate::components::{
    Dialog, EmptyState, TextField, icon_xl, use_clinic, use_toasts, use_today, use_zone,
};
use crate::host::{self, fresh_id, use_host};
use crate::text;
use crate::views::doubtful_weight::DoubtfulWeight;
use crate::views::refused_fields::use_refused_fields;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdScale;
use local_core::query::PatientView;
use shared_model::clinical::weight_change;
use shared_model::commands::{RecordWeight, RetractWeight};
use shared_model::documents::WeightEntry;
use shared_model::ids::{PatientId, WeightId};
use shared_model::values::Weight;

#[component]
pub(super) fn WeightCard(view: PatientView, may: May) -> Element {
    let zone = use_zone();
    let mut listed = use_signal(|| false);
    let latest = view.patient.latest_weight().cloned();
    let count = view
        .patient
        .weights
        .iter()
        .filter(|entry| entry.retracted.is_none())
        .count();
    let change = view.weight_change.map(|change| change_words(&change));
    rsx! {
        section { class: "card", "aria-labelledby": "weight-title",
            div { class: "card__head card__head--bare",
                h2 { class: "card__title", id: "weight-title", {text::vital_weight()} }
                if let Some(latest) = &latest {
                    span { class: "weight__now",
                        {text::weight(latest.weight.value)}
                        " "
                        span { class: "faint", {pounds(latest.weight.value)} }
                        if let Some((words , warns)) = change {
                            " "
                            span { class: if warns { "weight__change" } else { "sub" }, {words} }
                        }
                    }
                }
            }
            div { class: "card__body",
                if latest.is_some() {
                    WeightChart { weights: view.patient.weights.clone() }
                } else {
                    EmptyState { icon: icon_xl(LdScale), title: text::never_weighed(), text: text::never_weighed_text() }
                }
                if may.clinical && view.patient.death.is_none() {
                    Record { id: view.id, before: latest.clone() }
                }
            }
            if let Some(latest) = latest {
                div { class: "card__foot row row--between",
                    span {
                        {text::weight_entries(
                            i64::try_from(count).unwrap_or(0),
                            text::date_plain(latest.at.date_in(&zone)),
                        )}
                    }
                    button {
                        class: "btn btn--quiet btn--sm",
                        r#type: "button",
                        "aria-expanded": "{listed}",
                        onclick: move |_| listed.toggle(),
                        {if listed() { text::hide_table() } else { text::show_table() }}
                    }
                }
                if listed() {
                    Table { id: view.id, weights: view.patient.weights.clone(), may }
                }
            }
        }
    }
}

const FIELD_ID: &str = "record-weight";

#[component]
fn Record(id: PatientId, before: Option<WeightEntry>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let mut typed = use_signal(String::new);
    let mut wrong = use_signal(|| None::<String>);
    let mut doubtful = use_signal(|| None::<(Weight, Weight)>);
    let record = use_callback(move |weight: Weight| {
        doubtful.set(None);
        let entry = WeightId(fresh_id());
        let command = RecordWeight {
            patient: id,
            entry,
            weight,
            at: host::now(),
            visit: None,
        };
        spawn(async move {
            match host.run(command).await {
                Ok(_) => {
                    typed.set(String::new());
                    let undo = RetractWeight {
                        patient: id,
                        entry,
                        reason: text::taken_back_at_once().to_owned(),
                    };
                    toasts.undo(text::weight_recorded(text::weight(weight)), undo);
                }
                Err(failure) => refused.set(failure),
            }
        });
    });
    let label = text::record_weight();
    rsx! {
        form {
            class: "form",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                match Weight::parse(&typed()) {
                    Err(why) => wrong.set(Some(text::invalid(text::vital_weight(), why))),
                    Ok(weight) => {
                        let change = before
                            .as_ref()
                            .map(|before| weight_change((before.weight.value, before.at), (weight, host::now())));
                        match (&before, change) {
                            (Some(before), Some(change)) if change.looks_like_other_unit => {
                                doubtful.set(Some((weight, before.weight.value)));
                            }
                            _ => record.call(weight),
                        }
                    }
                }
            },
            TextField {
                id: FIELD_ID,
                label,
                value: typed,
                kind: FieldKind::Decimal,
                hint: text::weight_hint().to_owned(),
                unit: text::unit_kilograms().to_owned(),
                error: wrong().or_else(|| refused.besides(&[])),
                on_input: move |_| {
                    wrong.set(None);
                    refused.clear();
                },
                button { class: "btn", r#type: "submit", disabled: typed.read().trim().is_empty(), {text::record()} }
            }
        }
        if let Some((weight , before)) = doubtful() {
            DoubtfulWeight {
                weight,
                before,
                // Its buttons go, and the focus goes back to what they asked about.
                on_record: move |weight| {
                    record.call(weight);
                    host::focus(FIELD_ID);
                },
                on_leave: move |()| {
                    doubtful.set(None);
                    host::focus(FIELD_ID);
                },
            }
        }
    }
}

/// All entries, the latest first; retracted ones struck through with their reason.
#[component]
fn Table(id: PatientId, weights: Vec<WeightEntry>, may: May) -> Element {
    let zone = use_zone();
    let today = use_today();
    let clinic = use_clinic();
    let mut retracting = use_signal(|| None::<WeightEntry>);
    let clinic = clinic.read();
    let by = |entry: &WeightEntry| {
        let settings = clinic.as_ref().map(|clinic| &clinic.settings);
        let member = entry
            .by
            .and_then(|by| settings.and_then(|settings| settings.staff_member(by)));
        member.map(|member| member.name.clone()).unwrap_or_default()
    };
    rsx! {
        div { class: "table-wrap",
            table { class: "table",
                thead {
                    tr {
                        th { scope: "col", {text::when_label()} }
                        th { scope: "col", class: "num", {text::unit_kilograms()} }
                        th { scope: "col", class: "num", {text::unit_pounds()} }
                        th { scope: "col", {text::by_label()} }
                        th { scope: "col", span { class: "visually-hidden", {text::actions_label()} } }
                    }
                }
                tbody {
                    for entry in weights.into_iter().rev() {
                        tr { key: "{entry.id}",
                            td { {text::moment(entry.at, today, &zone)} }
                            if let Some(retracted) = &entry.retracted {
                                td { class: "num", s { "{entry.weight.value}" } }
                                td { class: "num" }
                                td { colspan: 2, {text::retracted_because(&retracted.reason)} }
                            } else {
                                td { class: "num", "{entry.weight.value}" }
                                td { class: "num", {entry.weight.value.in_lb().round_dp(1).to_string()} }
                                td { {by(&entry)} }
                                td { class: "num",
                                    if may.clinical {
                                        button {
                                            class: "btn btn--quiet btn--sm",
                                            r#type: "button",
                                            "aria-label": text::retract_weight_of(text::weight(entry.weight.value)),
                                            onclick: {
                                                let entry = entry.clone();
                                                move |_| retracting.set(Some(entry.clone()))
                                            },
                                            {text::take_back()}
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        if let Some(entry) = retracting() {
            Retract { id, entry, on_close: move |()| retracting.set(None) }
        }
    }
}

#[component]
fn Retract(id: PatientId, entry: WeightEntry, on_close: EventHandler<()>) -> Element {
    let (host, toasts) = (use_host(), use_toasts());
    let refused = use_refused_fields();
    let reason = use_signal(String::new);
    let weight = entry.clone();
    rsx! {
        Dialog {
            title: text::retract_weight_of(text::weight(entry.weight.value)),
            on_close,
            foot: rsx! {
                button { class: "btn", r#type: "button", onclick: move |_| on_close.call(()), {text::not_now()} }
                button { class: "btn btn--danger btn--primary", r#type: "submit", form: "retract-weight", {text::take_back()} }
            },
            form {
                id: "retract-weight",
                class: "form",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    let command = RetractWeight { patient: id, entry: weight.id, reason: reason() };
                    // The way back is the same weight as a new entry: what was taken back stays taken back.
                    let again = RecordWeight {
                        patient: id,
                        entry: WeightId(fresh_id()),
                        weight: weight.weight.value,
                        at: weight.at,
                        visit: weight.visit,
                    };
                    spawn(async move {
                        match host.run(command).await {
                            Ok(_) => {
                                toasts.undo(text::weight_retracted(), again);
                                on_close.call(());
                            }
                            Err(failure) => refused.set(failure),
                        }
                    });
                },
                TextField {
                    id: "retract-weight-reason",
                    label: text::reason_label(),
                    value: reason,
                    hint: text::wrong_animal_hint().to_owned(),
                    error: refused.of("reason", text::reason_label()).or_else(|| refused.besides(&["reason"])),
                    autofocus: true,
                    on_input: move |_| refused.clear(),
                }
            }
        }
    }
}
