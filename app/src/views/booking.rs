//! Booking an appointment, and registering a client.

use dioxus::prelude::*;
use shared_model::ids::{AccountId, PatientId};
use shared_model::time::Timestamp;

#[component]
pub(crate) fn BookDialog(
    patient: Option<PatientId>,
    vet: Option<AccountId>,
    start: Option<Timestamp>,
    on_close: EventHandler<()>,
) -> Element {
    let _ = (patient, vet, start, on_close);
    rsx! {}
}
