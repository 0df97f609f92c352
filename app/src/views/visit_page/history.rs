//! Right of the notes: what was before, and the end of the visit.

use super::super::TrailOfRecord;
use super::super::patient_page::VisitRow;
use super::{EndButton, Ending};
use crate::components::{Drawer, DrawerClose, Pill, icon, use_zone};
use crate::host::use_query;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdCheck, LdPenLine};
use local_core::query::{VisitLine, VisitView};
use local_core::{Query, View};
use shared_model::ids::{PatientId, VisitId};

/// So many former visits stand beside the notes; the patient's page has all.
const SHOWN: usize = 6;

#[component]
pub(super) fn Beside(view: VisitView, ending: Ending) -> Element {
    let zone = use_zone();
    let started = view.visit.started_at.map(|at| text::time_of(at, &zone));
    let finished = view.visit.finished_at.map(|at| text::time_of(at, &zone));
    rsx! {
        aside { id: Drawer::Side.id(), class: "work__side", "aria-label": text::beside_visit(),
            DrawerClose {}
            section { class: "card", "aria-labelledby": "this-visit",
                div { class: "card__head",
                    h2 { class: "card__title", id: "this-visit", {text::this_visit()} }
                    if finished.is_some() {
                        Pill { icon: icon(LdCheck), small: true, {text::stage_finished()} }
                    } else {
                        Pill { icon: icon(LdPenLine), small: true, {text::stage_being_written()} }
                    }
                }
                div { class: "card__body",
                    dl { class: "facts",
                        dt { {text::vet_label()} }
                        dd { {view.vet_name.clone()} }
                        if !view.room_name.is_empty() {
                            dt { {text::room_label()} }
                            dd { {view.room_name.clone()} }
                        }
                        if let Some(started) = started {
                            dt { {text::started_label()} }
                            dd { {started} }
                        }
                        if let Some(finished) = finished {
                            dt { {text::finished_label()} }
                            dd { {finished} }
                        }
                    }
                    TrailOfRecord { document: view.id.into() }
                }
            }
            if let Some(patient) = view.patient_id {
                Former { patient, visit: view.id }
            }
            div { class: "work__finish",
                EndButton { view: view.clone(), ending }
            }
        }
    }
}

#[component]
fn Former(patient: PatientId, visit: VisitId) -> Element {
    let answer = use_query(Query::Patient(patient));
    let visits: Vec<VisitLine> = match &*answer.read() {
        Some(View::Patient(view)) => view
            .visits
            .iter()
            .filter(|line| line.id != visit)
            .cloned()
            .collect(),
        _ => return VNode::empty(),
    };
    rsx! {
        section { class: "card", "aria-labelledby": "former-visits",
            div { class: "card__head",
                h2 { class: "card__title", id: "former-visits", {text::former_visits()} }
                span { class: "card__count", "{visits.len()}" }
            }
            if visits.is_empty() {
                div { class: "card__body",
                    p { class: "sub", {text::first_visit()} }
                }
            } else {
                ul { class: "list",
                    for line in visits.into_iter().take(SHOWN) {
                        VisitRow { key: "{line.id}", line }
                    }
                }
            }
        }
    }
}
