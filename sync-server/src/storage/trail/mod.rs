//! The trail as it is stored: what was written (a part of accept's and compaction's transactions), and what else happened.
//!
//! Invariant: rows and events of a clinic are linked in the order of their numbers, and the link of the last one is kept
//! apart from them and sealed, so that an end that was cut off or made anew shows. Whoever moves an end looks at its seal
//! first, and seals no end that goes on from one that does not fit its own.

mod names;
mod page;

pub use names::{Mentions, Names};
pub(crate) use names::{SealedLine, SealedWho, open_names};
pub(crate) use page::Dialect;
#[cfg(test)]
pub(crate) use page::tests::bounded_questions;
pub use page::{Place, Told, ToldPage, TrailQuery};

use super::{ChangeRow, Signed, Stored, StoredDocument};
use async_trait::async_trait;
use automerge::ChangeHash;
use serde_json::json;
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::time::Timestamp;
use shared_model::trail::{Detail, Happening};

/// SHA-256 over the link before it and the whole of a row.
pub type Link = [u8; 32];

/// A row of what was written: one verb of a push or, once compacted, a run of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub number: u64,
    pub position: u32,
    pub account: AccountId,
    pub device: DeviceId,
    pub document: DocumentId,
    pub verb: String,
    pub at: Timestamp,
    /// Of a run: until when, how many changes, and the hash of the last.
    pub last_at: Option<Timestamp>,
    pub changes: Option<u32>,
    pub hash: Option<[u8; 32]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedRun {
    pub run: Run,
    /// How many events there were when it was written, and the link of the last of them as it is there now. `None` for rows
    /// of a build that did not note it, and for the link if there was no event yet.
    pub events: Option<u64>,
    pub happened: Option<Link>,
    /// `None` for rows that are older than the chain.
    pub link: Option<Link>,
}

/// A row with its changes: their hashes, oldest first. There are none where compaction has taken them; the row's hash is that
/// of the last one then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRow {
    pub run: Run,
    pub changes: Vec<ChangeHash>,
}

/// Rows that come once for each of their changes, put together again.
pub(crate) fn gathered(rows: impl Iterator<Item = (Run, Option<ChangeHash>)>) -> Vec<WrittenRow> {
    let mut gathered: Vec<WrittenRow> = Vec::new();
    for (run, change) in rows {
        match gathered.last_mut() {
            Some(last) if last.run == run => last.changes.extend(change),
            _ => gathered.push(WrittenRow {
                run,
                changes: change.into_iter().collect(),
            }),
        }
    }
    gathered
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: Timestamp,
    pub account: Option<AccountId>,
    pub device: Option<DeviceId>,
    pub document: Option<DocumentId>,
    /// The word of a [`Happening`], or of one that this build does not know.
    pub what: String,
    /// A [`Detail`] as JSON, or what another build says there; without personal data.
    pub detail: String,
}

impl Event {
    /// Of nobody and nothing yet.
    pub(crate) fn new(what: Happening, at: Timestamp, detail: &Detail) -> Self {
        Self {
            at,
            account: None,
            device: None,
            document: None,
            what: what.word().to_owned(),
            detail: json!(detail).to_string(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedEvent {
    pub number: u64,
    pub event: Event,
    pub link: Link,
}

/// A change as it was entered, beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptChange {
    pub number: u64,
    pub position: u32,
    pub document: DocumentId,
    pub hash: ChangeHash,
    pub actor: Vec<u8>,
    pub seq: u64,
    pub account: AccountId,
    pub device: DeviceId,
    pub accepted_at: Timestamp,
    /// A [`Signed`], as it lies there; `None` where one above it in the same push speaks for it.
    pub signed: Option<Vec<u8>>,
}

impl KeptChange {
    pub(crate) fn of(row: &ChangeRow, at: Timestamp) -> Self {
        Self {
            number: row.number,
            position: row.position,
            document: row.document,
            hash: row.hash,
            actor: row.actor.clone(),
            seq: row.seq,
            account: row.account,
            device: row.device,
            accepted_at: at,
            signed: row.signed.as_ref().map(Signed::bytes),
        }
    }

    pub(crate) fn place(&self) -> (u64, u32) {
        (self.number, self.position)
    }
}

/// Where the chain of what was written stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenEnd {
    /// The number up to which rows are older than the chain, and up to which they are older than its seal.
    pub chained_after: u64,
    pub sealed_after: u64,
    /// The clinic's head, and the last link.
    pub head: u64,
    pub written: Option<Link>,
}

/// Up to the horizon rows are runs, with a chain of their own that ends so; single rows go on from the joint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunsEnd {
    pub horizon: u64,
    pub runs: Option<Link>,
    pub joint: Option<Link>,
}

/// Where the chain of events stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventsEnd {
    /// How many are older than the seal, how many there are, and the last link.
    pub sealed_after: u64,
    pub events: u64,
    pub happened: Option<Link>,
}

/// One of a clinic's chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Written,
    Runs,
    Events,
}

/// Where a clinic's chains begin and end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors {
    pub written: WrittenEnd,
    pub runs: RunsEnd,
    pub events: EventsEnd,
    /// The first whose end is not as it was sealed.
    pub unsealed: Option<Part>,
}

#[async_trait]
pub trait TrailStorage: Send + Sync {
    /// Adds events behind the last ones of the clinic, linked by `link`, in one short transaction.
    async fn note(&self, clinic: ClinicId, events: Vec<Event>) -> Stored<()>;
    async fn trail_anchors(&self, clinic: ClinicId) -> Stored<Anchors>;
    /// In their order, from behind a number and position on.
    async fn trail_runs(
        &self,
        clinic: ClinicId,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Stored<Vec<LinkedRun>>;
    /// Changes that are kept as such, with their bytes, in their order, from behind a number and position on. Bytes that do
    /// not open are `None`.
    async fn kept_changes(
        &self,
        clinic: ClinicId,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Stored<Vec<(KeptChange, Option<Vec<u8>>)>>;
    /// All documents, in ascending order of id.
    async fn all_documents(
        &self,
        clinic: ClinicId,
        after: Option<DocumentId>,
        limit: usize,
    ) -> Stored<Vec<StoredDocument>>;
    /// All clinics that were ever opened here; `None` if that is not as it was sealed.
    async fn clinic_roll(&self) -> Stored<Option<Vec<ClinicId>>>;
    async fn trail_events(&self, clinic: ClinicId, after: u64, limit: usize) -> Stored<Vec<LinkedEvent>>;
    async fn trail(&self, clinic: ClinicId, query: TrailQuery, limit: usize) -> Stored<ToldPage>;
    /// Those of what was written that have these numbers and positions, the oldest first, each with its changes.
    async fn trail_rows(&self, clinic: ClinicId, rows: Vec<(u64, u32)>) -> Stored<Vec<WrittenRow>>;
    /// The names of a page of lines, in their order, with one question.
    async fn trail_names(&self, clinic: ClinicId, lines: Vec<Mentions>) -> Stored<Vec<Names>>;
}
