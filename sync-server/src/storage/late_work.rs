//! Work of people whose rights had ended when it arrived.
//!
//! Invariant: a change is kept once at a clinic, and what was decided about it stays decided, however often it is handed in.

use super::Stored;
use crate::at_rest::ClinicKeys;
use async_trait::async_trait;
use automerge::ChangeHash;
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::time::Timestamp;

/// So much of one person's work waits for a decision at a clinic at most: changes, and bytes of theirs.
pub const MAX_WAITING: u64 = 5_000;
pub const MAX_WAITING_BYTES: u64 = 64 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateChange {
    pub hash: ChangeHash,
    pub kind: Kind,
    pub document: DocumentId,
    pub change: Vec<u8>,
    pub command: Vec<u8>,
    pub made_at: Timestamp,
}

impl LateChange {
    pub(crate) fn size(&self) -> u64 {
        (self.change.len() + self.command.len()) as u64
    }
}

/// Whose work is handed in, where, from which device, and by whom if not by its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Giver {
    pub clinic: ClinicId,
    pub account: AccountId,
    pub device: DeviceId,
    pub brought_by: Option<AccountId>,
}

/// What came of handing in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptLateWork {
    /// All that are there, decided about or not.
    pub there: Vec<ChangeHash>,
    /// Those of them that were not there before.
    pub new: Vec<ChangeHash>,
}

/// As it waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingLateChange {
    pub number: i64,
    pub late: LateChange,
    pub author: AccountId,
    pub author_name: String,
    /// Of whoever handed it in, if it was not its author.
    pub brought_by: Option<String>,
    pub device: DeviceId,
    pub received_at: Timestamp,
}

/// A part of what waits. Rows that do not open are left out of it, and hide nothing behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitingLateWork {
    pub waiting: Vec<WaitingLateChange>,
    /// The number behind which it goes on, if it does.
    pub next: Option<i64>,
}

/// What was decided about it, by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateDecision {
    pub at: Timestamp,
    pub by: AccountId,
    /// `None` if it was done again.
    pub let_go: Option<String>,
}

/// What a decision was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    pub author: AccountId,
    pub document: DocumentId,
}

#[async_trait]
pub trait LateWorkStorage: Send + Sync {
    /// Keeps what is not there yet, as far as there is room.
    async fn keep_late_work(
        &self,
        giver: Giver,
        changes: Vec<LateChange>,
        now: Timestamp,
    ) -> Stored<KeptLateWork>;
    /// What nobody has decided about, behind a number, in the order in which it came: about `budget` bytes, and one at least.
    async fn late_work(&self, clinic: ClinicId, after: i64, budget: u64) -> Stored<WaitingLateWork>;
    async fn late_work_waiting(&self, clinic: ClinicId) -> Stored<u64>;
    /// Decides about all of these; `None`, and nothing is decided, if one of them is not there or does not wait any more.
    async fn decide_late_work(
        &self,
        clinic: ClinicId,
        hashes: Vec<ChangeHash>,
        decision: LateDecision,
    ) -> Stored<Option<Vec<Decided>>>;
}

/// Change and command as they were handed in; `None` if they do not open any more: the others go on.
pub(crate) fn opened(
    keys: &ClinicKeys,
    hash: &ChangeHash,
    change: &[u8],
    command: &[u8],
) -> Option<(Vec<u8>, Vec<u8>)> {
    let change = keys.open_value(&place("change", hash), change);
    let command = keys.open_value(&place("command", hash), command);
    if let (Ok(change), Ok(command)) = (change, command) {
        Some((change, command))
    } else {
        tracing::error!(%hash, "late work that is damaged is listed no more");
        None
    }
}

/// What a sealed part of late work is, and of which change.
pub(crate) fn place(what: &str, hash: &ChangeHash) -> String {
    format!("late work {what} {hash}")
}

/// Rows that one page looks at.
pub(crate) const PAGE_ROWS: u32 = 500;
