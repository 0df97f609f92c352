//! A visit.

use dioxus::prelude::*;
use shared_model::ids::VisitId;

#[component]
pub(crate) fn VisitPage(id: VisitId) -> Element {
    let _ = id;
    rsx! {}
}
