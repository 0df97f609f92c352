//! Storing what the feed brings: one transaction a page, documents, projections and the cursor together.
//!
//! Invariants: a page is stored whole with its cursor, or not at all; no byte whose checksum is wrong is stored; what
//! this build is too old to read is kept and said.

use crate::core::{Core, open};
use crate::effect::Effect;
use crate::query::Touched;
use crate::store::{Store, StoreError};
use automerge::Change;
use shared_model::SCHEMA_VERSION;
use shared_model::documents::{Document, LoadError, PROJECTION_VERSION, check_chunks, project, read_change};
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::protocol::{self, ClientMessage, Content, Entry, Page};
use shared_model::time::Timestamp;
use std::sync::Arc;

/// What storing an entry came to.
enum Stored {
    Changed,
    Nothing,
    /// It builds on changes that are not here: the whole document has to be asked for.
    Incomplete,
    /// Another store has written in our name, in the place of work that waits here: it fits once that has another name.
    Reused,
    /// Another store has written in our name.
    OursFromElsewhere,
}

impl Core {
    pub(crate) fn apply_page(
        &mut self,
        now: Timestamp,
        page: Page,
        effects: &mut Vec<Effect>,
    ) -> Result<Touched, StoreError> {
        let mut touched = Touched {
            status: true,
            ..Touched::default()
        };
        let entries = protocol::unpack(&page.body).ok();
        let Some(entries) = entries.filter(|entries| entries.iter().all(is_whole)) else {
            self.unreadable(now, effects);
            return Ok(touched);
        };
        let Some(clinic) = self.signed_in.as_ref().map(|signed_in| signed_in.clinic()) else {
            return Ok(touched);
        };
        let bulk = entries.len() > 50;
        let cursor = page.cursor.clone();
        let arrived = self.sync.has_arrived(&cursor);
        self.store_entries(clinic, &entries, &mut touched, |store| {
            store.set_cursor(&cursor)?;
            if arrived {
                store.set_meta("as_of", &now)?;
            }
            Ok(())
        })?;
        touched.all = bulk;
        self.sync.cursors.insert(page.cursor.feed, page.cursor);
        if page.number > 0 {
            effects.push(Effect::Send(protocol::encode(&ClientMessage::PageStored(
                page.number,
            ))));
        }
        if bulk {
            self.load_clinic()?;
        }
        Ok(touched)
    }

    /// One document that was asked for.
    pub(crate) fn apply_entry(
        &mut self,
        now: Timestamp,
        entry: Entry,
        effects: &mut Vec<Effect>,
    ) -> Result<Touched, StoreError> {
        let mut touched = Touched {
            status: true,
            ..Touched::default()
        };
        if !is_whole(&entry) {
            self.unreadable(now, effects);
            return Ok(touched);
        }
        if let Some(clinic) = self.signed_in.as_ref().map(|signed_in| signed_in.clinic()) {
            self.store_entries(clinic, &[entry], &mut touched, |_| Ok(()))?;
        }
        Ok(touched)
    }

    /// Entries, what is still missing of them, and whatever else belongs to them: all in one transaction.
    pub(super) fn store_entries(
        &mut self,
        clinic: ClinicId,
        entries: &[Entry],
        touched: &mut Touched,
        also: impl FnOnce(&Store) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut wanted = self.sync.wanted.clone();
        let mut reused = self.sync.reused.clone();
        let done = self.store.replayable_transaction(|| {
            for entry in entries {
                let stored = self.store_entry(clinic, entry)?;
                if let Stored::Changed | Stored::OursFromElsewhere = stored {
                    touched.documents.insert((entry.kind, entry.document));
                }
                match stored {
                    Stored::Reused => {
                        reused.get_or_insert_default().insert(entry.document);
                    }
                    Stored::OursFromElsewhere => {
                        reused.get_or_insert_default();
                    }
                    Stored::Changed | Stored::Nothing | Stored::Incomplete => {}
                }
                match (&stored, &entry.content) {
                    (Stored::Incomplete | Stored::Reused, _) => {
                        wanted.insert(entry.document);
                    }
                    (_, Content::Snapshot { .. } | Content::Revoked) => {
                        wanted.remove(&entry.document);
                    }
                    (_, Content::Changes(_)) => {}
                }
            }
            self.store.set_wanted(&self.sync.wanted, &wanted)?;
            if let Some(reused) = reused.as_ref().filter(|_| reused != self.sync.reused) {
                self.store.note_reused(reused)?;
            }
            also(&self.store)
        });
        if let Err(error) = done {
            // Documents in memory may already hold what was rolled back.
            self.cache.clear();
            return Err(error);
        }
        self.sync.wanted = wanted;
        self.sync.reused = reused;
        self.sync.unreadable = 0;
        self.sync.not_stored = 0;
        Ok(())
    }

    fn store_entry(&self, clinic: ClinicId, entry: &Entry) -> Result<Stored, StoreError> {
        // What may not be read any more goes, whatever its schema.
        if entry.schema_version > SCHEMA_VERSION && entry.content != Content::Revoked {
            self.store.defer(entry)?;
            return Ok(Stored::Nothing);
        }
        match &entry.content {
            Content::Snapshot {
                bytes,
                projection_version,
                projection,
            } => {
                if self.store.has_document(entry.document)? {
                    return self.merge_snapshot(clinic, entry, bytes);
                }
                if self.store.waits_of(entry.document)? {
                    return self.begin_again(clinic, entry, bytes);
                }
                let derived;
                let projection = if *projection_version == PROJECTION_VERSION {
                    projection
                } else {
                    let Ok(document) = Document::load(entry.kind, clinic, entry.document, bytes) else {
                        return Ok(Stored::Incomplete);
                    };
                    derived = project(&document);
                    &derived
                };
                let row = self.store.insert_document(entry.kind, entry.document, bytes)?;
                self.store
                    .write_projection(row, entry.document, projection, true)?;
                Ok(Stored::Changed)
            }
            Content::Changes(changes) => {
                let Ok(changes) = changes.iter().map(|bytes| read_change(bytes)).collect() else {
                    return Ok(Stored::Incomplete);
                };
                self.merge(clinic, entry, changes)
            }
            Content::Revoked => {
                self.store.purge_document(entry.document)?;
                self.store.forget_deferred_of(entry.document)?;
                self.cache.forget(entry.document);
                Ok(Stored::Changed)
            }
        }
    }

    fn merge_snapshot(&self, clinic: ClinicId, entry: &Entry, bytes: &[u8]) -> Result<Stored, StoreError> {
        let Ok(arrived) = Document::load(entry.kind, clinic, entry.document, bytes) else {
            return Ok(Stored::Incomplete);
        };
        let here = open(&self.store, &self.cache, clinic, entry.document)?;
        if here.is_none() && self.cache.is_damaged(entry.document) {
            return self.replace_damaged(arrived);
        }
        self.merge(clinic, entry, arrived.changes_since(&[]))
    }

    /// A document that came back while work on it waits here, as after it could not be read for a while: with that work
    /// on top, which the server will not send to the one who wrote it.
    fn begin_again(&self, clinic: ClinicId, entry: &Entry, bytes: &[u8]) -> Result<Stored, StoreError> {
        let id = entry.document;
        let Ok(mut document) = Document::load(entry.kind, clinic, id, bytes) else {
            return Ok(Stored::Incomplete);
        };
        if self.meet_own_work(id, &document.changes_since(&[]))? {
            return Ok(Stored::Reused);
        }
        self.put_on_top(&mut document)?;
        let row = self.store.insert_document(entry.kind, id, &document.save())?;
        self.store.write_projection(row, id, &project(&document), true)?;
        self.cache.put(Arc::new(document));
        Ok(Stored::Changed)
    }

    /// Adds the work that waits here for the server.
    fn put_on_top(&self, document: &mut Document) -> Result<(), StoreError> {
        let waiting = self.store.outbox_of(document.id)?;
        for entry in waiting.iter().filter(|entry| entry.refused.is_none()) {
            let change = read_change(&entry.change)
                .map_err(|error| StoreError::Corrupt(format!("outbox change: {error}")))?;
            if document.has(&change.hash()) {
                continue;
            }
            match document.apply(&[change]) {
                // What builds on a change that was lost stays in the outbox with its command, for a person to see.
                Ok(()) | Err(LoadError::MissingDependencies { .. }) => {}
                Err(error) => return Err(StoreError::Corrupt(error.to_string())),
            }
        }
        Ok(())
    }

    /// Takes out of the outbox what has come back from the server, and says whether what waits of the document has been
    /// written in the same name elsewhere.
    fn meet_own_work(&self, id: DocumentId, arrived: &[Change]) -> Result<bool, StoreError> {
        let mut reused = false;
        for row in self.store.outbox_of(id)? {
            if arrived.iter().any(|change| change.hash().0[..] == row.hash[..]) {
                self.store.acknowledge(row.seq)?;
            } else if row.refused.is_none() {
                let ours = read_change(&row.change)
                    .map_err(|error| StoreError::Corrupt(format!("outbox change: {error}")))?;
                reused |= arrived
                    .iter()
                    .any(|change| change.actor_id() == ours.actor_id() && change.seq() == ours.seq());
            }
        }
        if self.store.receipt(id)?.waiting == 0
            && let Some(now) = self.sync.last_heard
        {
            self.store.mark_confirmed(id, now)?;
        }
        Ok(reused)
    }

    /// A document whose bytes here cannot be read any more: what the server has of it, and on top of that what waits
    /// here for the server.
    fn replace_damaged(&self, mut document: Document) -> Result<Stored, StoreError> {
        let id = document.id;
        let stored = self
            .store
            .document(id)?
            .ok_or_else(|| StoreError::Corrupt(format!("{id} has gone")))?;
        self.put_on_top(&mut document)?;
        self.store.replace_document(stored.row, &document)?;
        self.store
            .write_projection(stored.row, id, &project(&document), false)?;
        self.cache.forget(id);
        self.cache.put(Arc::new(document));
        Ok(Stored::Changed)
    }

    /// Adds changes to a document here; one that is not here begins with its genesis.
    fn merge(&self, clinic: ClinicId, entry: &Entry, changes: Vec<Change>) -> Result<Stored, StoreError> {
        let id: DocumentId = entry.document;
        let here = open(&self.store, &self.cache, clinic, id)?;
        if self.cache.is_damaged(id) {
            return Ok(Stored::Incomplete);
        }
        if self.store.waits_of(id)? && self.meet_own_work(id, &changes)? {
            return Ok(Stored::Reused);
        }
        let is_new = here.is_none();
        let mut document = match here {
            Some(document) => (*document).clone(),
            None => Document::genesis(entry.kind, clinic, id),
        };
        let news: Vec<Change> = changes
            .into_iter()
            .filter(|change| !document.has(&change.hash()))
            .collect();
        if news.is_empty() {
            return Ok(Stored::Nothing);
        }
        match document.apply(&news) {
            Ok(()) => {}
            Err(LoadError::MissingDependencies { .. }) => return Ok(Stored::Incomplete),
            Err(error) => return Err(StoreError::Corrupt(error.to_string())),
        }
        let ours = self.signed_in.as_ref().map(|signed_in| &signed_in.actor);
        let from_elsewhere = !is_new && news.iter().any(|change| Some(change.actor_id()) == ours);
        let row = if is_new {
            self.put_on_top(&mut document)?;
            self.store.insert_document(entry.kind, id, &document.save())?
        } else {
            let stored = self
                .store
                .document(id)?
                .ok_or_else(|| StoreError::Corrupt(format!("{id} has gone")))?;
            let chunks: Vec<u8> = news
                .iter()
                .flat_map(|change| change.raw_bytes().iter().copied())
                .collect();
            let count = u32::try_from(news.len()).unwrap_or(u32::MAX / 2);
            self.store
                .append_to_document(&stored, &document, &chunks, count)?;
            stored.row
        };
        self.store
            .write_projection(row, id, &project(&document), is_new)?;
        self.cache.put(Arc::new(document));
        Ok(if from_elsewhere {
            Stored::OursFromElsewhere
        } else {
            Stored::Changed
        })
    }
}

/// Whether everything in an entry carries the checksum of its contents.
fn is_whole(entry: &Entry) -> bool {
    match &entry.content {
        Content::Snapshot { bytes, .. } => check_chunks(bytes).is_ok(),
        Content::Changes(changes) => changes.iter().all(|chunk| check_chunks(chunk).is_ok()),
        Content::Revoked => true,
    }
}
