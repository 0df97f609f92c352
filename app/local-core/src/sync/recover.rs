//! What a refusal does to a document here: the refused change is taken back, and the work that was built on it is done
//! again without it.
//!
//! Place in the flow: inside the transaction that notes the server's answer. Invariants: what the server accepted is
//! never touched; a refused change stays in the outbox with its command and its reason; and work is done again as it
//! was meant, on the state that its author saw, or not at all and then listed as refused too.

use crate::core::{Core, open};
use crate::store::{OutboxEntry, StoreError};
use automerge::{ActorId, Change, ChangeHash};
use shared_model::commands::{Command, CommandError};
use shared_model::documents::{Document, Kind, LoadError, Section, Stamp, project, read_change};
use shared_model::ids::{AccountId, DocumentId};
use shared_model::permissions::{self, Principal};
use shared_model::protocol::RefusalCode;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// An outbox row of the document, its change read.
struct Row {
    entry: OutboxEntry,
    change: Change,
}

/// What becomes of a row.
#[derive(Debug)]
enum Fate {
    /// It stands on nothing that was refused.
    Stays,
    /// It was done again and is this change now, with the command as it means the same there.
    Redone(Box<Change>, Box<Command>),
    /// Without the refused work it changes nothing: everything that it says stands there already.
    Void,
    Refused(RefusalCode, String),
}

struct Recovered {
    /// The document without the refused work; only a genesis if nothing else was in it.
    document: Document,
    /// In the order of the rows.
    fates: Vec<Fate>,
}

/// Why rows of one document have just been refused, by their number in the outbox.
pub(super) type Refused = HashMap<i64, (RefusalCode, String)>;

impl Core {
    /// Takes refused work back out of a document; its outbox rows are marked already. With fresh `actors` everything
    /// that waits of it is done again in their names. Gives the document's kind if it is here.
    pub(super) fn take_back(
        &self,
        id: DocumentId,
        refused: &Refused,
        actors: Option<&BTreeMap<AccountId, ActorId>>,
    ) -> Result<Option<Kind>, StoreError> {
        let Some(signed_in) = &self.signed_in else {
            return Ok(None);
        };
        // One whose bytes are damaged comes back from the server without it.
        let Some(document) = open(&self.store, &self.cache, signed_in.clinic(), id)? else {
            return Ok(None);
        };
        let kind = Some(document.kind);
        let mut rows = Vec::new();
        for entry in self.store.outbox_of(id)? {
            let change = read_change(&entry.change)
                .map_err(|error| StoreError::Corrupt(format!("outbox change: {error}")))?;
            // What was refused earlier has been taken back already.
            if document.has(&change.hash()) {
                rows.push(Row { entry, change });
            }
        }
        let principal = &signed_in.credentials.principal;
        let recovered = recover(&document, &rows, refused, principal, actors)?;
        for (row, fate) in rows.iter().zip(&recovered.fates) {
            self.settle(row, fate, refused.contains_key(&row.entry.seq))?;
        }
        self.store.forget_redone()?;
        if recovered.document.change_count() <= 1 {
            self.store.purge_document(id)?;
            self.cache.forget(id);
            return Ok(kind);
        }
        let stored = self
            .store
            .document(id)?
            .ok_or_else(|| StoreError::Corrupt(format!("{id} has gone")))?;
        self.store.replace_document(stored.row, &recovered.document)?;
        self.store
            .write_projection(stored.row, id, &project(&recovered.document), false)?;
        self.cache.put(Arc::new(recovered.document));
        Ok(kind)
    }

    /// Work that is to be sent (again) goes to the end of the outbox: what was sent in this session lies before it.
    fn settle(&self, row: &Row, fate: &Fate, was_refused: bool) -> Result<(), StoreError> {
        let entry = &row.entry;
        let (change, command) = match fate {
            Fate::Refused(code, reason) => return self.store.mark_refused(entry.seq, *code, reason),
            Fate::Void => {
                self.store.note_redone(entry, &row.change, &[])?;
                return self.store.acknowledge(entry.seq);
            }
            Fate::Stays if !was_refused => return Ok(()),
            Fate::Stays => (&row.change, entry.command.as_ref()),
            Fate::Redone(change, command) => {
                self.store.note_redone(entry, &row.change, &[change.hash().0])?;
                (&**change, Some(&**command))
            }
        };
        let signed = match fate {
            Fate::Redone(..) => self.sign_for(entry.account, entry.document, &change.hash())?,
            _ => entry.signed,
        };
        let command = command.map(Command::to_bytes).unwrap_or_default();
        self.store.acknowledge(entry.seq)?;
        self.store.add_to_outbox(
            entry.account,
            entry.kind,
            entry.document,
            &change.hash().0,
            change.raw_bytes(),
            &command,
            entry.made_at,
            signed.as_ref(),
        )
    }
}

/// Decides about a document of which some of the rows (oldest first) have just been refused, with what code each.
///
/// `principal` is who is signed in; the work of others on this device is done again without judging it here, the server
/// will. The work of somebody who has a fresh actor is done again in any case.
fn recover(
    document: &Document,
    rows: &[Row],
    refused: &Refused,
    principal: &Principal,
    actors: Option<&BTreeMap<AccountId, ActorId>>,
) -> Result<Recovered, StoreError> {
    let ours: BTreeSet<ChangeHash> = rows.iter().map(|row| row.change.hash()).collect();
    let accepted: Vec<Change> = document
        .changes_since(&[])
        .into_iter()
        .filter(|change| !ours.contains(&change.hash()))
        .collect();
    let mut redoing = Redoing {
        accepted: &accepted,
        by_hash: accepted.iter().map(|change| (change.hash(), change)).collect(),
        grown: Document::genesis(document.kind, document.clinic, document.id),
        replaced: HashMap::new(),
        dropped_texts: BTreeSet::new(),
        principal,
        actors,
    };
    let mut fates = Vec::with_capacity(rows.len());
    for row in rows {
        fates.push(redoing.row(row, refused.get(&row.entry.seq))?);
    }
    let mut result = Document::genesis(document.kind, document.clinic, document.id);
    for changes in [&accepted, &redoing.grown.changes_since(&[])] {
        let news: Vec<Change> = changes
            .iter()
            .filter(|change| !result.has(&change.hash()))
            .cloned()
            .collect();
        result.apply(&news).map_err(odd)?;
    }
    Ok(Recovered {
        document: result,
        fates,
    })
}

/// Changes that were in one document fit together again.
fn odd(error: LoadError) -> StoreError {
    StoreError::Corrupt(format!("a document cannot be put together again: {error}"))
}

struct Redoing<'a> {
    /// What is not ours, or ours and accepted; each behind what it builds on.
    accepted: &'a [Change],
    by_hash: HashMap<ChangeHash, &'a Change>,
    /// The document as each row's author saw it, less what was refused.
    grown: Document,
    /// What stands in the place of a change that was refused or done again.
    replaced: HashMap<ChangeHash, Vec<ChangeHash>>,
    /// Texts that lost an edit: positions in them mean nothing any more.
    dropped_texts: BTreeSet<Section>,
    principal: &'a Principal,
    actors: Option<&'a BTreeMap<AccountId, ActorId>>,
}

impl Redoing<'_> {
    fn row(&mut self, row: &Row, refused: Option<&(RefusalCode, String)>) -> Result<Fate, StoreError> {
        let before = self.mapped(row.change.deps());
        self.bring_in(&before)?;
        let refused_itself = refused.filter(|(code, _)| *code != RefusalCode::BuildsOnRefused);
        if let Some((code, reason)) = refused_itself {
            return Ok(self.drop_row(row, before, *code, reason.clone()));
        }
        let mut unchanged = row.change.deps().to_vec();
        unchanged.sort_unstable();
        if before == unchanged && self.fresh_actor(row).is_none() {
            self.grown.apply(std::slice::from_ref(&row.change)).map_err(odd)?;
            return Ok(Fate::Stays);
        }
        match self.redo(row) {
            Ok(Some((change, command))) => {
                self.replaced.insert(row.change.hash(), vec![change.hash()]);
                Ok(Fate::Redone(Box::new(change), Box::new(command)))
            }
            Ok(None) => {
                self.replaced.insert(row.change.hash(), before);
                Ok(Fate::Void)
            }
            Err((code, reason)) => Ok(self.drop_row(row, before, code, reason)),
        }
    }

    fn fresh_actor(&self, row: &Row) -> Option<&ActorId> {
        self.actors?.get(&row.entry.account)
    }

    fn drop_row(&mut self, row: &Row, before: Vec<ChangeHash>, code: RefusalCode, reason: String) -> Fate {
        if let Some(Command::WriteInSection(edit)) = &row.entry.command {
            self.dropped_texts.insert(edit.section);
        }
        self.replaced.insert(row.change.hash(), before);
        Fate::Refused(code, reason)
    }

    /// What these changes are now; sorted, each once.
    fn mapped(&self, hashes: &[ChangeHash]) -> Vec<ChangeHash> {
        let now: BTreeSet<ChangeHash> = hashes
            .iter()
            .flat_map(|hash| match self.replaced.get(hash) {
                Some(replacement) => replacement.clone(),
                None => vec![*hash],
            })
            .collect();
        now.into_iter().collect()
    }

    /// Adds accepted changes that are below these heads and not there yet.
    fn bring_in(&mut self, heads: &[ChangeHash]) -> Result<(), StoreError> {
        let mut todo: Vec<ChangeHash> = heads.to_vec();
        let mut missing = BTreeSet::new();
        while let Some(hash) = todo.pop() {
            if self.grown.has(&hash) || !missing.insert(hash) {
                continue;
            }
            let change = self.by_hash.get(&hash);
            let change = change.ok_or_else(|| StoreError::Corrupt(format!("change {hash} has gone")))?;
            todo.extend(change.deps());
        }
        let missing: Vec<Change> = self
            .accepted
            .iter()
            .filter(|change| missing.contains(&change.hash()))
            .cloned()
            .collect();
        self.grown.apply(&missing).map_err(odd)
    }

    /// The row's command again, on the state that its author saw less what was refused.
    fn redo(&mut self, row: &Row) -> Result<Option<(Change, Command)>, (RefusalCode, String)> {
        let builds_on = |why: &str| (RefusalCode::BuildsOnRefused, why.to_owned());
        let Some(mut command) = row.entry.command.clone() else {
            return Err(builds_on("this build cannot read what was asked for"));
        };
        if let Command::WriteInSection(edit) = &mut command {
            if self.dropped_texts.contains(&edit.section) {
                return Err(builds_on(
                    "it changes a text of which an earlier part was refused",
                ));
            }
            let seen: Vec<ChangeHash> = edit.seen.iter().map(|hash| ChangeHash(*hash)).collect();
            edit.seen = self.mapped(&seen).iter().map(|hash| hash.0).collect();
        }
        let is_new = self.grown.change_count() <= 1;
        if is_new && !command.creates(self.grown.kind) {
            return Err(builds_on("the record that it changes was refused"));
        }
        let stamp = Stamp {
            now: row.entry.made_at,
            actor: self.fresh_actor(row).unwrap_or(row.change.actor_id()).clone(),
            account: row.entry.account,
        };
        let mut document = self.grown.clone();
        let written = command.write(&mut document, &stamp);
        let change = match written {
            Ok(Some(change)) => change,
            Ok(None) => return Ok(None),
            Err(CommandError::Denied(denied)) => return Err((RefusalCode::NotPermitted, denied.to_string())),
            Err(error) => return Err(builds_on(&error.to_string())),
        };
        if row.entry.account == self.principal.account {
            permissions::judge(self.principal, &self.grown, is_new, &change, stamp.now)
                .map_err(|denied| (RefusalCode::NotPermitted, denied.to_string()))?;
        }
        self.grown = document;
        Ok(Some((change, command)))
    }
}
