//! The patient beside the notes: what may harm it first, then its weight and its people.

use super::super::patient_page::{Alerts, WeightChart, change_words, facts_line};
use crate::components::{Avatar, Drawer, DrawerClose, SpeciesMark, Tint, icon, use_zone};
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::LdPhone;
use local_core::query::VisitView;

#[component]
pub(super) fn Context(view: VisitView) -> Element {
    let Some(patient) = view.patient.clone() else {
        return rsx! {
            aside { id: Drawer::Context.id(), class: "work__context", "aria-label": text::patient_label(),
                p { class: "sub", {text::patient_missing_text()} }
            }
        };
    };
    rsx! {
        aside { id: Drawer::Context.id(), class: "work__context", "aria-label": patient.name.clone(),
            DrawerClose {}
            div { class: "identity",
                SpeciesMark { species: patient.species.value }
                div {
                    h2 { class: "identity__name",
                        if let Some(id) = view.patient_id {
                            Link { to: Route::Patient { id }, {patient.name.clone()} }
                        } else {
                            {patient.name.clone()}
                        }
                    }
                    p { class: "identity__facts", {facts_line(&patient, view.age)} }
                }
            }
            if let Some(id) = view.patient_id {
                Alerts { id, patient: patient.clone(), may_edit: view.may_write[0] }
            }
            Weight { view: view.clone() }
            for owner in view.owners.clone() {
                section { key: "{owner.id}", class: "card", "aria-label": text::owner_title(),
                    div { class: "list",
                        div { class: "list__row",
                            Avatar { initials: text::initials(&owner.name), tone: Tint::Info }
                            div { class: "list__main",
                                div { class: "list__title",
                                    Link { to: Route::Client { id: owner.id }, {owner.name.clone()} }
                                }
                                div { class: "list__sub", {text::owner_title()} }
                            }
                        }
                        if !owner.phone.is_empty() {
                            div { class: "contact",
                                {icon(LdPhone)}
                                a { href: "tel:{owner.phone}", {owner.phone.clone()} }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Weight(view: VisitView) -> Element {
    let zone = use_zone();
    let Some(patient) = view.patient else {
        return VNode::empty();
    };
    let latest = patient.latest_weight().cloned();
    let count = patient
        .weights
        .iter()
        .filter(|entry| entry.retracted.is_none())
        .count();
    let change = view.weight_change.map(|change| change_words(&change));
    rsx! {
        section { class: "card", "aria-label": text::vital_weight(),
            div { class: "card__head card__head--bare",
                h2 { class: "card__title", {text::vital_weight()} }
                if let Some(latest) = &latest {
                    span { class: "weight__now",
                        {text::weight(latest.weight.value)}
                        if let Some((words , _)) = change.filter(|(_, warns)| *warns) {
                            " "
                            span { class: "weight__change", {words} }
                        }
                    }
                }
            }
            div { class: "card__body",
                if let Some(latest) = latest {
                    WeightChart { weights: patient.weights.clone(), small: true }
                    p { class: "faint",
                        {text::weight_entries(i64::try_from(count).unwrap_or(0), text::date_plain(latest.at.date_in(&zone)))}
                    }
                } else {
                    p { class: "sub", {text::never_weighed()} }
                }
            }
        }
    }
}
