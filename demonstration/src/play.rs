//! Plays deeds into documents, each kept in memory.

use crate::DemoClinic;
use shared_model::documents::{Document, Kind};
use shared_model::ids::DocumentId;
use std::collections::BTreeMap;

/// Every document of the clinic after its last deed.
///
/// A document takes some 25 kB of memory, so that 50,000 patients want few years.
pub fn documents(clinic: &DemoClinic) -> BTreeMap<(Kind, DocumentId), Document> {
    let mut documents = BTreeMap::new();
    for deed in &clinic.deeds {
        for (kind, id) in deed.command.touches(clinic.clinic) {
            let document = documents
                .entry((kind, id))
                .or_insert_with(|| Document::genesis(kind, clinic.clinic, id));
            deed.command
                .write(document, &deed.stamp)
                .expect("a generated deed is a valid one");
        }
    }
    documents
}
