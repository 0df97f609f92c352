//! Writing in a record of which a colleague's work waits on this device: it can be sent only once the colleague signs in
//! here, so a change is written beside it wherever it can be, and waits for it where it builds on it.
//!
//! Invariant: a change that was sent never builds on one that only a colleague's session can send.

use crate::core::Core;
use crate::store::{OutboxEntry, Store, StoreError};
use automerge::legacy::{Key, ObjectId};
use automerge::{Change, ChangeHash};
use shared_model::commands::{Command, CommandError};
use shared_model::documents::{Document, Stamp, read_change};
use shared_model::ids::{AccountId, DocumentId};
use std::collections::{BTreeSet, HashMap};

/// A command's change of a document, and the document with it.
pub(crate) struct Beside {
    pub document: Document,
    pub change: Change,
    /// Whose waiting work it builds on.
    pub behind: Option<AccountId>,
}

impl Core {
    /// `whole` is the command's change on everything that is here; `before` the document without it.
    pub(crate) fn beside_others(
        &self,
        before: &Document,
        mut whole: Beside,
        command: &Command,
        stamp: &Stamp,
    ) -> Result<Beside, StoreError> {
        let others: Vec<OutboxEntry> = self.store.waiting_of_others(before.id, stamp.account)?;
        let Some(behind) = others.first().map(|entry| entry.account) else {
            return Ok(whole);
        };
        whole.behind = Some(behind);
        let theirs: BTreeSet<Vec<u8>> = others.into_iter().map(|entry| entry.hash).collect();
        let mut kept = Vec::new();
        let mut left_out: HashMap<ChangeHash, Change> = HashMap::new();
        for change in before.changes_since(&[]) {
            let builds_on = change.deps().iter().any(|dep| left_out.contains_key(dep));
            if builds_on || theirs.contains(&change.hash().0[..]) {
                left_out.insert(change.hash(), change);
            } else {
                kept.push(change);
            }
        }
        let own_waits = left_out.values().any(|change| *change.actor_id() == stamp.actor);
        let same_place = !places(&whole.change).is_disjoint(&left_out.values().flat_map(places).collect());
        if own_waits || same_place || kept.len() <= 1 {
            return Ok(whole);
        }
        let mut document = Document::genesis(before.kind, before.clinic, before.id);
        let odd = |error| StoreError::Corrupt(format!("a document cannot be put together again: {error}"));
        kept.retain(|change| !document.has(&change.hash()));
        document.apply(&kept).map_err(odd)?;
        let mut command = command.clone();
        if let Command::WriteInSection(edit) = &mut command {
            // Nothing that is left out changed this text, so positions are the same.
            edit.seen = standing(&edit.seen, &left_out);
        }
        let written: Result<Option<Change>, CommandError> = command.write(&mut document, stamp);
        let Ok(Some(change)) = written else {
            return Ok(whole);
        };
        let mut document = before.clone();
        document.apply(std::slice::from_ref(&change)).map_err(odd)?;
        Ok(Beside {
            document,
            change,
            behind: None,
        })
    }
}

/// Whose work each change of the outbox is that waits, and whose it waits for. Filled in the order of the rows.
#[derive(Default)]
pub(super) struct Standing(HashMap<ChangeHash, (AccountId, Option<AccountId>)>);

impl Standing {
    /// Whom a change of `account` waits for.
    pub(super) fn add(&mut self, account: AccountId, change: &Change) -> Option<AccountId> {
        let behind = change.deps().iter().find_map(|dep| match self.0.get(dep) {
            Some((other, _)) if *other != account => Some(*other),
            Some((_, behind)) => *behind,
            None => None,
        });
        self.0.insert(change.hash(), (account, behind));
        behind
    }
}

impl Store {
    /// Looks anew at what waits for somebody else's work: some of that has been sent, or taken back.
    pub(super) fn release(&self, document: DocumentId) -> Result<(), StoreError> {
        if !self.is_held(document)? {
            return Ok(());
        }
        let mut standing = Standing::default();
        for row in self.outbox_of(document)? {
            let behind = if row.refused.is_some() {
                None
            } else {
                let change = read_change(&row.change)
                    .map_err(|error| StoreError::Corrupt(format!("outbox change: {error}")))?;
                standing.add(row.account, &change)
            };
            if behind != row.behind {
                self.hold(row.seq, behind)?;
            }
        }
        Ok(())
    }
}

/// What a change writes: keys of the document, and the texts that it edits.
fn places(change: &Change) -> BTreeSet<String> {
    let operations = change.decode().operations;
    let places = operations.iter().map(|op| match (&op.obj, &op.key) {
        (ObjectId::Root, Key::Map(key)) => key.to_string(),
        (object, _) => format!("{object:?}"),
    });
    places.collect()
}

/// The nearest states below these heads that are not left out.
fn standing(heads: &[[u8; 32]], left_out: &HashMap<ChangeHash, Change>) -> Vec<[u8; 32]> {
    let mut todo: Vec<ChangeHash> = heads.iter().map(|hash| ChangeHash(*hash)).collect();
    let mut stand = BTreeSet::new();
    while let Some(hash) = todo.pop() {
        match left_out.get(&hash) {
            Some(change) => todo.extend(change.deps()),
            None => {
                stand.insert(hash);
            }
        }
    }
    stand.into_iter().map(|hash| hash.0).collect()
}
