//! Whom records are about, for a screen that lists what was done to them.

use super::lines::owners_of;
use super::outbox_page::about;
use crate::core::Reading;
use crate::store::StoreError;
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};
use shared_model::documents::Kind;
use shared_model::ids::{DocumentId, PatientId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordName {
    pub id: DocumentId,
    /// Of the animal, the client or the clinic.
    pub name: String,
    /// The animal that it is about, if it is one.
    pub animal: Option<PatientId>,
    /// Whose the animal is, the first of several by name; empty where that is not known here.
    pub owner: String,
}

/// Of those that are here and that a list names.
pub(super) fn view(
    reading: &Reading<'_>,
    records: &[(Kind, DocumentId)],
) -> Result<Vec<RecordName>, StoreError> {
    let mut names = Vec::with_capacity(records.len());
    for (kind, id) in records {
        let name = about(reading, *kind, *id)?;
        if name.is_empty() {
            continue;
        }
        let animal = animal_of(reading, *kind, *id)?;
        let owner = match animal {
            Some(animal) => owners_of(reading, animal)?.into_iter().next(),
            None => None,
        };
        names.push(RecordName {
            id: *id,
            name,
            animal,
            owner: owner.map(|owner| owner.name).unwrap_or_default(),
        });
    }
    Ok(names)
}

fn animal_of(reading: &Reading<'_>, kind: Kind, id: DocumentId) -> Result<Option<PatientId>, StoreError> {
    let sql = match kind {
        Kind::Patient => return Ok(Some(id.into())),
        Kind::Appointment => "SELECT patient FROM appointment WHERE id = ?1",
        Kind::Visit => "SELECT patient FROM visit WHERE id = ?1",
        _ => return Ok(None),
    };
    let found = reading
        .store
        .sql
        .prepare_cached(sql)?
        .query_row([&id.bytes()[..]], |row| row.get::<_, Option<Vec<u8>>>(0))
        .optional()?
        .flatten();
    Ok(found
        .and_then(|bytes| DocumentId::from_slice(&bytes))
        .map(PatientId::from))
}
