//! Typing that was refused, typed again: where it belongs in the text as it is now.
//!
//! Each edit was made on the state that its author saw, which was made of earlier edits and knew nothing of what others
//! wrote since. So the edits are replayed on that state beside the document, as the concurrent changes that they are, and
//! what each does to the whole text is read off. Invariant: the replayed text and the one that is written are the same, or
//! nothing is written.

use super::seen::Seen;
use crate::store::{OutboxEntry, Store, StoreError};
use automerge::{ActorId, Change, ChangeHash};
use shared_model::commands::{CommandError, WriteInSection};
use shared_model::documents::{Document, Stamp};
use std::collections::{BTreeSet, HashMap};

pub(super) struct Retyping {
    seen: Seen,
    /// The document with what has been replayed.
    replay: Document,
}

impl Retyping {
    /// `beside` are rows that may be no rows of this store.
    pub(super) fn of(store: &Store, document: &Document, beside: &[OutboxEntry]) -> Result<Self, StoreError> {
        Ok(Self {
            seen: Seen::of(store, document.id)?.with(document.id, beside)?,
            replay: document.clone(),
        })
    }

    /// The edit as one of `now`, the document as it is.
    pub(super) fn edit(
        &mut self,
        entry: &OutboxEntry,
        edit: &WriteInSection,
        now: &Document,
    ) -> Result<WriteInSection, CommandError> {
        let section = edit.section.word();
        let state = self.seen.state(&edit.seen, section);
        let heads: Vec<ChangeHash> = state.into_iter().map(ChangeHash).collect();
        let (at, doomed) = self
            .replay
            .translate_edit(section, &heads, edit.at, edit.delete)
            .ok_or(CommandError::UnknownBase)?;
        let stretch: Vec<usize> = (at..at + doomed.len()).collect();
        if doomed != stretch || self.replay.text(section) != now.text(section) {
            return Err(CommandError::UnknownBase);
        }
        let change = self
            .replayed(entry, edit, &heads)
            .ok_or(CommandError::UnknownBase)?;
        self.seen.now_is(entry, &change);
        Ok(WriteInSection {
            seen: now.heads().iter().map(|head| head.0).collect(),
            at,
            delete: doomed.len(),
            ..edit.clone()
        })
    }

    /// Makes the edit on the state that its author saw, and adds it to the replay.
    fn replayed(
        &mut self,
        entry: &OutboxEntry,
        edit: &WriteInSection,
        heads: &[ChangeHash],
    ) -> Option<Change> {
        let mut then = up_to(&self.replay, heads)?;
        // A writer of its own for each, that nobody else ever is: the replay is thrown away.
        let mut actor = [0xfe; 16];
        actor[8..].copy_from_slice(&entry.seq.to_be_bytes());
        let stamp = Stamp {
            now: entry.made_at,
            actor: ActorId::from(actor),
            account: entry.account,
        };
        let doomed: Vec<usize> = (edit.at..edit.at + edit.delete).collect();
        let written = then.change(&stamp, "replay", |w| {
            w.edit_text(edit.section.word(), edit.at, &doomed, &edit.insert);
            Ok::<_, CommandError>(())
        });
        let change = written.ok()??;
        self.replay.apply(std::slice::from_ref(&change)).ok()?;
        Some(change)
    }
}

/// The document as it was at these heads.
fn up_to(document: &Document, heads: &[ChangeHash]) -> Option<Document> {
    let all = document.changes_since(&[]);
    let by_hash: HashMap<ChangeHash, &Change> = all.iter().map(|change| (change.hash(), change)).collect();
    let mut below = BTreeSet::new();
    let mut todo = heads.to_vec();
    while let Some(hash) = todo.pop() {
        if below.insert(hash) {
            todo.extend(by_hash.get(&hash)?.deps());
        }
    }
    let mut then = Document::genesis(document.kind, document.clinic, document.id);
    let changes: Vec<Change> = all
        .iter()
        .filter(|change| below.contains(&change.hash()) && !then.has(&change.hash()))
        .cloned()
        .collect();
    then.apply(&changes).ok()?;
    Some(then)
}
