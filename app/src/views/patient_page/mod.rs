//! One patient: who it is, what may harm it, its weight through the years, its visits and its people.

mod alerts;
mod appointments;
mod chart;
mod death;
mod edit;
mod facts;
mod head;
mod owners;
mod print;
mod two_values;
mod visits;
mod weight;

use crate::components::{EmptyState, icon, icon_lg, icon_xl, use_clinic, use_is_staff, use_title_of};
use crate::host::use_query;
use crate::route::Route;
use crate::text;
use dioxus::prelude::*;
use dioxus_free_icons::icons::ld_icons::{LdFileQuestion, LdLeaf};
use local_core::query::PatientView;
use local_core::{Query, View};
use shared_model::documents::Kind;
use shared_model::ids::PatientId;
use shared_model::permissions::may_write;

pub(super) use alerts::Alerts;
pub(super) use appointments::Appointments;
pub(super) use chart::WeightChart;
pub(super) use edit::sex_options;
pub(super) use facts::{change_words, chip_remark, facts_line};
pub(super) use two_values::{Two, TwoValues};
pub(super) use visits::VisitRow;

use head::Head;
use owners::Owners;
use print::PatientSheet;
use two_values::contested;
use visits::Visits;
use weight::WeightCard;

/// What who is signed in may do with a patient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct May {
    /// Weights and alerts.
    clinical: bool,
    identity: bool,
    death: bool,
    visit: bool,
}

fn use_may() -> May {
    let clinic = use_clinic();
    let clinic = clinic.read();
    let Some(me) = clinic.as_ref().and_then(|clinic| clinic.me.as_ref()) else {
        return May::default();
    };
    let field = |field: &str| may_write(me, Kind::Patient, &[], field).is_ok();
    May {
        clinical: field("weights/x/kg"),
        identity: field("name"),
        death: field("death/on"),
        visit: shared_model::permissions::may_create(me, Kind::Visit).is_ok(),
    }
}

#[component]
pub(crate) fn PatientPage(id: PatientId) -> Element {
    let answer = use_query(Query::Patient(id));
    match &*answer.read() {
        // The former patient is shown until the next one is there.
        Some(View::Patient(view)) if view.id == id => rsx! {
            for view in [view.as_ref().clone()] {
                Sheet { key: "{view.id}", view }
            }
        },
        Some(View::Missing) => rsx! {
            EmptyState {
                icon: icon_xl(LdFileQuestion),
                title: text::patient_missing(),
                text: text::patient_missing_text(),
                page: true,
                actions: rsx! {
                    Link { class: "btn btn--primary", to: Route::Patients {}, {text::to_the_patients()} }
                },
            }
        },
        _ => rsx! {
            div { class: "page", "aria-busy": "true",
                p { class: "sub", {text::patient_opening()} }
            }
        },
    }
}

#[component]
fn Sheet(view: PatientView) -> Element {
    let may = use_may();
    let died = view.patient.death.is_some();
    // Owners do not receive the visits' records, and a booking is made at the clinic.
    let staff = use_is_staff();
    let values = contested(&view.patient);
    use_title_of(text::page_of_patient(), &view.patient.name);
    rsx! {
        div { class: "page", "data-died": died.then_some(""),
            Head { view: view.clone(), may }
            if let Some(death) = view.patient.death.clone() {
                div { class: "died",
                    {icon_lg(LdLeaf)}
                    div {
                        b { {text::died_on(text::date_plain(death.on), &view.patient.name)} }
                        {text::died_text()}
                    }
                }
            }
            div { class: "patient-alerts",
                Alerts { id: view.id, patient: view.patient.clone(), may_edit: may.clinical }
            }
            for two in values {
                TwoValues { key: "{two.field}", kind: Kind::Patient, document: view.id.into(), two }
            }
            div { class: "patient-columns",
                div {
                    WeightCard { view: view.clone(), may }
                    if staff {
                        Visits { visits: view.visits.clone() }
                    }
                }
                div {
                    Appointments {
                        upcoming: view.upcoming.clone(),
                        past: view.past.clone(),
                        with_names: false,
                        book: (staff && !died).then_some(view.id),
                    }
                    Owners { view: view.clone() }
                    facts::Identity { view: view.clone(), may }
                }
            }
            if !view.problems.is_empty() {
                p { class: "faint", {icon(LdFileQuestion)} {text::odd_fields(i64::try_from(view.problems.len()).unwrap_or(0))} }
            }
        }
        PatientSheet { view }
    }
}
