//! Where a record's latest work is, and how old what one looks at may be: small and quiet, on every record.

use crate::components::{use_status, use_today, use_zone};
use crate::host::use_query;
use crate::text;
use dioxus::prelude::*;
use local_core::query::Connection;
use local_core::{Query, Receipt, View};
use shared_model::ids::DocumentId;

/// "09:31": up to when everything has arrived, if the clinic cannot be reached now.
pub(super) fn use_age() -> Option<String> {
    let status = use_status();
    let zone = use_zone();
    let today = use_today();
    let status = status.read();
    let status = status
        .as_ref()
        .filter(|status| status.connection != Connection::Online)?;
    Some(text::moment(status.as_of?, today, &zone))
}

/// "As of 09:31, from the clinic".
pub(super) fn use_as_of() -> Option<String> {
    use_age().map(text::as_of)
}

/// "Saved here 09:51:12, waiting for the clinic", "At the clinic 09:51", "As of 09:31, from the clinic".
#[component]
pub(super) fn ReceiptLine(receipt: Receipt) -> Element {
    let zone = use_zone();
    let today = use_today();
    let as_of = use_as_of();
    let words = match (receipt.waiting, receipt.saved_at, receipt.confirmed_at) {
        (0, saved, confirmed) => as_of.unwrap_or_else(|| match saved.and(confirmed) {
            Some(at) => text::receipt_at_clinic(text::moment(at, today, &zone)),
            // This device has written nothing of it.
            None => text::receipt_unchanged().to_owned(),
        }),
        (_, Some(at), _) => text::receipt_waiting(text::time_with_seconds(at, &zone)),
        _ => text::receipt_waiting(""),
    };
    rsx! {
        p { class: "faint", role: "status", {words} }
    }
}

/// The same for a record of which the screen shows only a line.
#[component]
pub(super) fn ReceiptOf(document: DocumentId) -> Element {
    let receipt = use_query(Query::Receipt(document));
    match &*receipt.read() {
        Some(View::Receipt(receipt)) => rsx! { ReceiptLine { receipt: *receipt } },
        _ => rsx! {},
    }
}
