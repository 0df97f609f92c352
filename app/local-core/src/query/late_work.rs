//! Late work of others as an administrator decides about it.

use super::outbox_page::{Matter, about, matters};
use crate::core::Reading;
use crate::store::{OutboxEntry, StoreError};
use crate::sync::as_row;
use automerge::ChangeHash;
use serde::{Deserialize, Serialize};
use shared_model::commands::Command;
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, DocumentId};
use shared_model::late_work::LateWork;
use shared_model::time::Timestamp;

/// One thing to decide about: a change, or all that somebody typed into one text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LateMatter {
    /// Its `rows` are none of this device's.
    pub matter: Matter,
    pub author: AccountId,
    /// Who handed it in, if it was not its author.
    pub brought_by: Option<String>,
    /// What names it to the server, in the order in which it was made.
    pub hashes: Vec<String>,
    pub received_at: Timestamp,
    /// It was done again on this device or is in its record, because its author is of the clinic again, and the server's list
    /// does not know.
    pub taken: bool,
}

/// In the order in which it was made.
pub(super) fn view(reading: &Reading<'_>, works: &[LateWork]) -> Result<Vec<LateMatter>, StoreError> {
    let mut rows: Vec<OutboxEntry> = works
        .iter()
        .enumerate()
        .filter_map(|(number, work)| as_row(number, work))
        .map(|(row, _)| row)
        .collect();
    rows.reverse();
    let mut late = Vec::new();
    for mut matter in matters(reading, &rows)? {
        let of_it: Vec<&LateWork> = matter
            .rows
            .iter()
            .filter_map(|row| works.get(usize::try_from(-1 - row).ok()?))
            .collect();
        let Some(last) = of_it.last() else { continue };
        let (mut taken, mut is_there) = (false, true);
        for row in rows.iter().filter(|row| matter.rows.contains(&row.seq)) {
            taken |= reading.store.is_taken_over(&row.hash)?;
            is_there &= is_in_its_record(reading, row)?;
        }
        matter.author.clone_from(&last.author_name);
        if matter.about.is_empty() {
            matter.about = about_in(reading, &rows, matter.kind, matter.document)?;
        }
        late.push(LateMatter {
            author: last.author,
            brought_by: last.brought_by.clone(),
            hashes: of_it.iter().map(|work| work.hash.clone()).collect(),
            received_at: last.received_at,
            taken: taken || is_there,
            matter,
        });
    }
    late.reverse();
    Ok(late)
}

fn is_in_its_record(reading: &Reading<'_>, row: &OutboxEntry) -> Result<bool, StoreError> {
    let hash = ChangeHash::try_from(row.hash.as_slice());
    let hash = hash.map_err(|_| StoreError::Corrupt("a hash of late work".to_owned()))?;
    let record = reading.document(row.document)?;
    Ok(record.is_some_and(|record| record.has(&hash)))
}

/// Whom a record is about that is not here, because it was to begin with work that was handed in.
fn about_in(
    reading: &Reading<'_>,
    rows: &[OutboxEntry],
    kind: Kind,
    id: DocumentId,
) -> Result<String, StoreError> {
    for row in rows.iter().rev() {
        let patient = match &row.command {
            Some(Command::StartVisit(asked)) if DocumentId::from(asked.visit) == id => asked.patient,
            Some(Command::BookAppointment(asked)) if DocumentId::from(asked.appointment) == id => {
                asked.patient
            }
            Some(Command::RegisterPatient(asked)) if DocumentId::from(asked.patient) == id => {
                return Ok(asked.name.clone());
            }
            Some(Command::RegisterClient(asked)) if DocumentId::from(asked.client) == id => {
                return Ok(super::lines::name(&asked.given_name, &asked.family_name));
            }
            _ => continue,
        };
        let known = about(reading, Kind::Patient, patient.into())?;
        return if known.is_empty() && kind != Kind::Patient {
            about_in(reading, rows, Kind::Patient, patient.into())
        } else {
            Ok(known)
        };
    }
    Ok(String::new())
}
