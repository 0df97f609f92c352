//! What somebody had before their eyes who typed something that was refused.
//!
//! Typing names the state that it saw. That state may be made of work that was refused too, or was done again as another
//! change; here it is followed down to what it is now. Invariant: the text that is typed in is the same in the state that
//! was seen and in the one that is found, or none is found.

use crate::store::{OutboxEntry, Store, StoreError};
use automerge::Change;
use shared_model::commands::Command;
use shared_model::documents::read_change;
use shared_model::ids::DocumentId;
use std::collections::{BTreeSet, HashMap};

type Hash = [u8; 32];

/// A change of the document that does not stand in it any more.
struct Gone {
    /// The text that it edits.
    section: Option<String>,
    deps: Vec<Hash>,
    /// What it is now, if it was done again.
    now: Option<Vec<Hash>>,
}

#[derive(Default)]
pub(crate) struct Seen {
    gone: HashMap<Hash, Gone>,
}

impl Seen {
    pub(crate) fn of(store: &Store, document: DocumentId) -> Result<Self, StoreError> {
        let mut seen = Self {
            gone: store.redone(document)?,
        };
        for row in store.outbox_of(document)? {
            if row.refused.is_some() {
                seen.add(&row)?;
            }
        }
        Ok(seen)
    }

    /// With rows that were refused elsewhere, of any document. What is known of them already stays.
    pub(crate) fn with(mut self, document: DocumentId, rows: &[OutboxEntry]) -> Result<Self, StoreError> {
        for row in rows.iter().filter(|row| row.document == document) {
            let known = hash(&row.hash).is_some_and(|hash| self.gone.contains_key(&hash));
            if !known {
                self.add(row)?;
            }
        }
        Ok(self)
    }

    fn add(&mut self, row: &OutboxEntry) -> Result<(), StoreError> {
        let change = read_change(&row.change)
            .map_err(|error| StoreError::Corrupt(format!("outbox change: {error}")))?;
        let gone = Gone {
            section: section_of(row),
            deps: change.deps().iter().map(|dep| dep.0).collect(),
            now: None,
        };
        self.gone.insert(change.hash().0, gone);
        Ok(())
    }

    /// In a replay, a refused change stands for this one.
    pub(crate) fn now_is(&mut self, entry: &OutboxEntry, change: &Change) {
        if let Some(gone) = hash(&entry.hash).and_then(|hash| self.gone.get_mut(&hash)) {
            gone.now = Some(vec![change.hash().0]);
        }
    }

    /// The state that shows this text as the one that was seen does; refused typing in the same text stays in it.
    pub(crate) fn state(&self, seen: &[Hash], section: &str) -> Vec<Hash> {
        let mut todo = seen.to_vec();
        let mut state = BTreeSet::new();
        while let Some(hash) = todo.pop() {
            match self.gone.get(&hash) {
                None => drop(state.insert(hash)),
                Some(gone) if gone.section.as_deref() != Some(section) => todo.extend(&gone.deps),
                // What was void left the text as it was.
                Some(Gone {
                    now: Some(now), deps, ..
                }) => todo.extend(if now.is_empty() { deps } else { now }),
                Some(_) => drop(state.insert(hash)),
            }
        }
        state.into_iter().collect()
    }
}

/// The text that a row's command types in.
pub(super) fn section_of(row: &OutboxEntry) -> Option<String> {
    match &row.command {
        Some(Command::WriteInSection(edit)) => Some(edit.section.word().to_owned()),
        _ => None,
    }
}

fn hash(bytes: &[u8]) -> Option<Hash> {
    bytes.try_into().ok()
}

fn hashes(bytes: &[u8]) -> Vec<Hash> {
    bytes.chunks_exact(32).filter_map(hash).collect()
}

impl Store {
    /// Notes that a change was done again, as `now`.
    pub(super) fn note_redone(
        &self,
        entry: &OutboxEntry,
        change: &Change,
        now: &[Hash],
    ) -> Result<(), StoreError> {
        let deps: Vec<u8> = change.deps().iter().flat_map(|dep| dep.0).collect();
        self.sql
            .prepare_cached("INSERT OR REPLACE INTO redone VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute((
                &entry.hash,
                &entry.document.bytes()[..],
                section_of(entry),
                deps,
                now.concat(),
            ))?;
        Ok(())
    }

    fn redone(&self, document: DocumentId) -> Result<HashMap<Hash, Gone>, StoreError> {
        let mut statement = self
            .sql
            .prepare_cached("SELECT hash, section, deps, now FROM redone WHERE document = ?1")?;
        let mut rows = statement.query([&document.bytes()[..]])?;
        let mut gone = HashMap::new();
        while let Some(row) = rows.next()? {
            let Some(hash) = hash(row.get_ref(0)?.as_blob()?) else {
                continue;
            };
            let row = Gone {
                section: row.get(1)?,
                deps: hashes(row.get_ref(2)?.as_blob()?),
                now: Some(hashes(row.get_ref(3)?.as_blob()?)),
            };
            gone.insert(hash, row);
        }
        Ok(gone)
    }

    /// Forgets what was done again of documents of which nothing is refused any more.
    pub(super) fn forget_redone(&self) -> Result<(), StoreError> {
        self.sql
            .prepare_cached(
                "DELETE FROM redone WHERE document NOT IN (SELECT document FROM outbox WHERE refused IS NOT NULL) \
                 AND hash NOT IN (SELECT hash FROM taken_over)",
            )?
            .execute([])?;
        Ok(())
    }
}
