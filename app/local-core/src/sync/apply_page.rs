//! Storing what the feed brings: one transaction a page, documents, projections and the cursor together.
//!
//! Invariant: a page is stored whole with its cursor, or not at all; what this build cannot read is kept and said.

use crate::core::{Core, open};
use crate::effect::Effect;
use crate::query::Touched;
use crate::store::StoreError;
use automerge::Change;
use shared_model::SCHEMA_VERSION;
use shared_model::documents::{Document, LoadError, PROJECTION_VERSION, project};
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::protocol::{self, ClientMessage, Content, Entry, Page};
use std::sync::Arc;

/// What storing an entry came to.
enum Stored {
    Changed,
    Nothing,
    /// It builds on changes that are not here: the whole document has to be asked for.
    Incomplete,
}

impl Core {
    pub(crate) fn apply_page(
        &mut self,
        page: Page,
        effects: &mut Vec<Effect>,
    ) -> Result<Touched, StoreError> {
        let mut touched = Touched {
            status: true,
            ..Touched::default()
        };
        let Ok(entries) = protocol::unpack(&page.body) else {
            effects.push(Effect::CloseSocket);
            return Ok(touched);
        };
        let Some(clinic) = self.signed_in.as_ref().map(|signed_in| signed_in.clinic()) else {
            return Ok(touched);
        };
        let mut wanted = Vec::new();
        let bulk = entries.len() > 50;
        let done = self.store.replayable_transaction(|| {
            for entry in &entries {
                match self.store_entry(clinic, entry)? {
                    Stored::Changed => {
                        touched.documents.insert((entry.kind, entry.document));
                    }
                    Stored::Nothing => {}
                    Stored::Incomplete => wanted.push(entry.document),
                }
            }
            self.store.set_cursor(&page.cursor)
        });
        if let Err(error) = done {
            // Documents in memory may already hold what was rolled back.
            self.cache.clear();
            return Err(error);
        }
        touched.all = bulk;
        self.sync.cursors.insert(page.cursor.feed, page.cursor);
        if page.number > 0 {
            effects.push(Effect::Send(protocol::encode(&ClientMessage::PageStored(
                page.number,
            ))));
        }
        for document in wanted {
            effects.push(Effect::Send(protocol::encode(&ClientMessage::Want(document))));
        }
        if bulk {
            self.load_clinic()?;
        }
        Ok(touched)
    }

    /// One document that was asked for.
    pub(crate) fn apply_entry(&mut self, entry: Entry, _: &mut Vec<Effect>) -> Result<Touched, StoreError> {
        let mut touched = Touched {
            status: true,
            ..Touched::default()
        };
        let Some(clinic) = self.signed_in.as_ref().map(|signed_in| signed_in.clinic()) else {
            return Ok(touched);
        };
        if let Stored::Changed = self
            .store
            .replayable_transaction(|| self.store_entry(clinic, &entry))?
        {
            touched.documents.insert((entry.kind, entry.document));
        }
        Ok(touched)
    }

    fn store_entry(&self, clinic: ClinicId, entry: &Entry) -> Result<Stored, StoreError> {
        if entry.schema_version > SCHEMA_VERSION {
            self.store
                .sql
                .prepare_cached("INSERT INTO deferred (entry) VALUES (?1)")?
                .execute([protocol::encode(entry)])?;
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
                let row = self.store.insert_document(entry.kind, entry.document, bytes)?;
                if *projection_version == PROJECTION_VERSION {
                    self.store
                        .write_projection(row, entry.document, projection, true)?;
                } else {
                    let document = load(clinic, entry, bytes)?;
                    self.store
                        .write_projection(row, entry.document, &project(&document), true)?;
                }
                Ok(Stored::Changed)
            }
            Content::Changes(changes) => {
                let Ok(changes) = changes
                    .iter()
                    .map(|bytes| Change::from_bytes(bytes.to_vec()))
                    .collect::<Result<Vec<_>, _>>()
                else {
                    return Ok(Stored::Incomplete);
                };
                self.merge(clinic, entry, changes)
            }
            Content::Revoked => {
                self.store.purge_document(entry.document)?;
                self.cache.forget(entry.document);
                Ok(Stored::Changed)
            }
        }
    }

    fn merge_snapshot(&self, clinic: ClinicId, entry: &Entry, bytes: &[u8]) -> Result<Stored, StoreError> {
        let arrived = load(clinic, entry, bytes)?;
        self.merge(clinic, entry, arrived.changes_since(&[]))
    }

    /// Adds changes to a document here; one that is not here begins with its genesis.
    fn merge(&self, clinic: ClinicId, entry: &Entry, changes: Vec<Change>) -> Result<Stored, StoreError> {
        let id: DocumentId = entry.document;
        let here = open(&self.store, &self.cache, clinic, id)?;
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
        let row = if is_new {
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
        Ok(Stored::Changed)
    }
}

fn load(clinic: ClinicId, entry: &Entry, bytes: &[u8]) -> Result<Document, StoreError> {
    Document::load(entry.kind, clinic, entry.document, bytes)
        .map_err(|error| StoreError::Corrupt(format!("{} {}: {error}", entry.kind.word(), entry.document)))
}
