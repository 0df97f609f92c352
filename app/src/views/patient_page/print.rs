//! One patient on paper.

use super::facts::{chip_number, facts_line};
use crate::components::{use_clinic, use_today, use_zone};
use crate::host;
use crate::text;
use dioxus::prelude::*;
use local_core::query::PatientView;
use shared_model::documents::AlertKind;

#[component]
pub(super) fn PatientSheet(view: PatientView) -> Element {
    let clinic = use_clinic();
    let zone = use_zone();
    let today = use_today();
    let clinic = clinic.read();
    let Some(clinic) = clinic.as_ref() else {
        return VNode::empty();
    };
    let patient = &view.patient;
    let printed = text::printed_at(text::date_plain(today), text::time_of(host::now(), &zone));
    let weight = patient.latest_weight().map(|entry| {
        text::weight_then(
            text::date_plain(entry.at.date_in(&zone)),
            text::weight(entry.weight.value),
        )
    });
    let born = patient
        .born
        .as_ref()
        .map(|born| text::born_on(text::date_plain(born.value)));
    let line = [Some(facts_line(patient, view.age)), born, Some(printed.clone())]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ");
    rsx! {
        article { class: "print-sheet",
            header { class: "print-sheet__head",
                div {
                    h1 { {patient.name.clone()} }
                    p { {line} }
                }
                address { class: "print-sheet__clinic",
                    b { {clinic.profile.name.clone()} }
                    br {}
                    {clinic.profile.address.clone()}
                    br {}
                    {clinic.profile.phone.clone()}
                }
            }
            for alert in patient.standing_alerts() {
                p { key: "{alert.id}", class: "print-alert",
                    if alert.kind == AlertKind::Allergy {
                        {text::allergy_to(&alert.text.value)}
                    } else {
                        {text::alert_kind(alert.kind)}
                        " "
                        span { "· " {alert.text.value.clone()} }
                    }
                }
            }
            dl { class: "print-facts",
                for owner in view.owners.clone() {
                    dt { {text::owner_title()} }
                    dd { {owner.name} }
                    dt { {text::phone_label()} }
                    dd { {owner.phone} }
                }
                dt { {text::chip_label()} }
                dd {
                    if let Some(chip) = &patient.microchip {
                        {chip_number(&chip.value)}
                    } else {
                        {text::none_known()}
                    }
                }
                dt { {text::vital_weight()} }
                dd { {weight.unwrap_or_else(|| text::never_weighed().to_owned())} }
            }
            h2 { {text::visits_title()} }
            table { class: "print-table",
                thead {
                    tr {
                        th { {text::date()} }
                        th { {text::why_label()} }
                        th { {text::by_label()} }
                    }
                }
                tbody {
                    for line in view.visits.clone() {
                        tr { key: "{line.id}",
                            td { {line.date.map(text::date_plain).unwrap_or_default()} }
                            td {
                                if line.reason.is_empty() {
                                    {line.summary.clone()}
                                } else {
                                    {line.reason.clone()}
                                }
                            }
                            td { {line.vet_name} }
                        }
                    }
                }
            }
            footer { class: "print-sheet__foot", {clinic.profile.name.clone()} " · " {printed} }
        }
    }
}
