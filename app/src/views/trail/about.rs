//! What lines call the records that they are about. Invariant: two animals of one name are told apart by whose they are,
//! wherever that is known.

use crate::host::use_query;
use crate::text;
use dioxus::prelude::*;
use local_core::query::RecordName;
use local_core::{Query, View};
use shared_model::documents::Kind;
use shared_model::ids::{DocumentId, PatientId};
use shared_model::trail::TrailEntry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Whom the records are about, as far as they are on this device.
#[derive(Clone, Default)]
pub(super) struct About(Rc<BTreeMap<DocumentId, String>>);

impl About {
    pub(super) fn name(&self, record: Option<DocumentId>) -> Option<String> {
        self.0.get(&record?).cloned()
    }
}

impl PartialEq for About {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

/// Each record of the lines once.
pub(super) fn records(entries: &[TrailEntry]) -> Vec<(Kind, DocumentId)> {
    let records = entries
        .iter()
        .filter_map(|entry| Some((entry.kind?, entry.document?)));
    let records: BTreeSet<(Kind, DocumentId)> = records.collect();
    records.into_iter().collect()
}

pub(super) fn use_names(entries: &[TrailEntry]) -> About {
    let view = use_query(Query::Records(records(entries)));
    let view = view.read();
    match &*view {
        Some(View::Records(names)) => About(Rc::new(told_apart(names))),
        _ => About::default(),
    }
}

pub(super) fn told_apart(names: &[RecordName]) -> BTreeMap<DocumentId, String> {
    let mut animals: BTreeMap<&str, BTreeSet<PatientId>> = BTreeMap::new();
    for record in names {
        animals.entry(&record.name).or_default().extend(record.animal);
    }
    let name = |record: &RecordName| {
        let is_one_of_several = record.animal.is_some() && animals[record.name.as_str()].len() > 1;
        if is_one_of_several && !record.owner.is_empty() {
            text::trail_animal_of(&record.name, &record.owner)
        } else {
            record.name.clone()
        }
    };
    names.iter().map(|record| (record.id, name(record))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn animals_of_one_name_are_told_apart_by_their_owners() {
        let record = |id: u128, name: &str, animal: u128, owner: &str| RecordName {
            id: DocumentId(Uuid::from_u128(id)),
            name: name.to_owned(),
            animal: (animal > 0).then(|| PatientId(Uuid::from_u128(animal))),
            owner: owner.to_owned(),
        };
        let names = told_apart(&[
            record(1, "Ferda", 1, "Petra Novak"),
            // Her visit.
            record(2, "Ferda", 1, "Petra Novak"),
            record(3, "Ferda", 3, "Jan Dvorak"),
            record(4, "Ferda", 4, ""),
            record(5, "Rex", 5, "Jan Dvorak"),
            record(6, "Rex", 5, "Jan Dvorak"),
            record(7, "Northgate", 0, ""),
        ]);
        let names: Vec<&str> = names.values().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "Ferda (Petra Novak)",
                "Ferda (Petra Novak)",
                "Ferda (Jan Dvorak)",
                "Ferda",
                "Rex",
                "Rex",
                "Northgate"
            ]
        );
    }
}
