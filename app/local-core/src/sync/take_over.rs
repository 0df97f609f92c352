//! An administrator does late work of somebody else again, in their own name and with the time at which it was meant.
//!
//! Place in the flow: as a command. Invariant: a piece is done once on this device, however often it is asked for, and not if
//! it has come into its record since; what it became is noted in the transaction that does it, so that typing on top of it
//! finds its place later.

use crate::core::{Core, SignedIn, Written, open};
use crate::store::{OutboxEntry, Store, StoreError};
use automerge::{Change, ChangeHash};
use shared_model::commands::{Command, CommandError};
use shared_model::documents::read_change;
use shared_model::late_work::LateWork;
use shared_model::protocol::RefusalCode;
use shared_model::time::Timestamp;

/// A piece as a row that was refused, numbered below all rows of the outbox, with its change.
pub(crate) fn as_row(number: usize, work: &LateWork) -> Option<(OutboxEntry, Change)> {
    let hash: ChangeHash = work.hash.parse().ok()?;
    let change = read_change(&work.change).ok()?;
    if change.hash() != hash {
        return None;
    }
    let entry = OutboxEntry {
        seq: -1 - i64::try_from(number).ok()?,
        account: work.author,
        kind: work.kind,
        document: work.document,
        hash: hash.0.to_vec(),
        change: work.change.clone(),
        command: Command::from_bytes(&work.command),
        made_at: work.made_at,
        refused: Some((RefusalCode::NotPermitted, String::new())),
        signed: None,
        discarded: None,
        handed: None,
    };
    Some((entry, change))
}

impl Core {
    pub(super) fn take_over(
        &self,
        now: Timestamp,
        ticket: u64,
        signed_in: &SignedIn,
        works: &[LateWork],
        hashes: &[String],
    ) -> Result<Result<Vec<Written>, CommandError>, StoreError> {
        let mut beside = Vec::with_capacity(works.len());
        let (mut entries, mut changes) = (Vec::new(), Vec::new());
        for (number, work) in works.iter().enumerate() {
            let Some((entry, change)) = as_row(number, work) else {
                continue;
            };
            if hashes.contains(&work.hash) {
                let record = open(&self.store, &self.cache, signed_in.clinic(), work.document)?;
                let is_there = record.is_some_and(|record| record.has(&change.hash()));
                if !is_there && !self.store.is_taken_over(&entry.hash)? {
                    entries.push(entry.clone());
                    changes.push(change);
                }
            }
            beside.push(entry);
        }
        let parts = match self.again(now, signed_in, &entries, &beside)? {
            Ok(parts) => parts,
            Err(error) => return Ok(Err(error)),
        };
        let becomes: Vec<Vec<[u8; 32]>> = parts
            .iter()
            .map(|part| part.iter().map(|part| part.change.hash().0).collect())
            .collect();
        let written: Vec<Written> = parts.into_iter().flatten().collect();
        self.store.transaction(|| {
            for ((entry, change), became) in entries.iter().zip(&changes).zip(&becomes) {
                self.store.note_redone(entry, change, became)?;
                self.store.note_taken_over(&entry.hash)?;
            }
            self.keep(signed_in, now, &written)?;
            self.store.note_answered(ticket, now)
        })?;
        Ok(Ok(written))
    }
}

impl Store {
    fn note_taken_over(&self, hash: &[u8]) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("INSERT OR IGNORE INTO taken_over VALUES (?1)")?
            .execute([hash])?;
        Ok(())
    }

    pub(crate) fn is_taken_over(&self, hash: &[u8]) -> Result<bool, StoreError> {
        Ok(self
            .sql
            .prepare_cached("SELECT 1 FROM taken_over WHERE hash = ?1")?
            .exists([hash])?)
    }
}
