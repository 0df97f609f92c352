//! A patient.

use dioxus::prelude::*;
use shared_model::ids::PatientId;

#[component]
pub(crate) fn PatientPage(id: PatientId) -> Element {
    let _ = id;
    rsx! {}
}
