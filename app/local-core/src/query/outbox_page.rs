//! What is saved here and waits for the clinic, and what the clinic's server refused.

use super::lines::name;
use crate::core::Reading;
use crate::store::{OutboxEntry, StoreError};
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};
use shared_model::documents::Kind;
use shared_model::ids::DocumentId;
use shared_model::protocol::RefusalCode;
use shared_model::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxLine {
    pub seq: i64,
    /// The command's verb; a newer or damaged command reads as an empty word.
    pub verb: String,
    pub kind: Kind,
    pub document: DocumentId,
    /// "Rex", "Petra Novak": whom the record is about.
    pub about: String,
    pub made_at: Timestamp,
    pub refused: Option<(RefusalCode, String)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxView {
    /// Oldest first, the first hundred of them.
    pub waiting: Vec<OutboxLine>,
    pub waiting_total: u64,
    /// Newest first.
    pub refused: Vec<OutboxLine>,
}

pub(super) fn view(reading: &Reading<'_>) -> Result<OutboxView, StoreError> {
    let waiting = match reading.principal {
        Some(principal) => reading.store.waiting(principal.account, 0, 100)?,
        None => Vec::new(),
    };
    let (waiting_total, _, _) = reading.store.outbox_counts()?;
    let lines = |entries: Vec<OutboxEntry>| entries.into_iter().map(|entry| line(reading, entry)).collect();
    let waiting: Result<Vec<_>, StoreError> = lines(waiting);
    let refused: Result<Vec<_>, StoreError> = lines(reading.store.refused()?);
    Ok(OutboxView {
        waiting: waiting?,
        waiting_total,
        refused: refused?,
    })
}

fn line(reading: &Reading<'_>, entry: OutboxEntry) -> Result<OutboxLine, StoreError> {
    Ok(OutboxLine {
        seq: entry.seq,
        verb: entry
            .command
            .as_ref()
            .map(|command| command.verb().to_owned())
            .unwrap_or_default(),
        kind: entry.kind,
        document: entry.document,
        about: about(reading, entry.kind, entry.document)?,
        made_at: entry.made_at,
        refused: entry.refused,
    })
}

fn about(reading: &Reading<'_>, kind: Kind, id: DocumentId) -> Result<String, StoreError> {
    let sql = match kind {
        Kind::ClinicProfile | Kind::ClinicSettings => return Ok(reading.profile.name.clone()),
        Kind::Client => "SELECT given_name, family_name FROM client WHERE id = ?1",
        Kind::Patient => "SELECT name, '' FROM patient WHERE id = ?1",
        Kind::Appointment => {
            "SELECT p.name, '' FROM appointment a JOIN patient p ON p.id = a.patient WHERE a.id = ?1"
        }
        Kind::Visit => "SELECT p.name, '' FROM visit v JOIN patient p ON p.id = v.patient WHERE v.id = ?1",
    };
    let found = reading
        .store
        .sql
        .prepare_cached(sql)?
        .query_row([&id.bytes()[..]], |row| {
            Ok(name(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?))
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}
