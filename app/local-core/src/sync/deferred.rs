//! Entries of a newer schema than this build knows: kept as they came, and taken in by the build that can read them.
//!
//! Invariant: an entry leaves the table in the transaction that stores it, or because its document was revoked.

use crate::core::Core;
use crate::query::Touched;
use crate::store::{Store, StoreError};
use shared_model::SCHEMA_VERSION;
use shared_model::ids::DocumentId;
use shared_model::protocol::{self, Entry};

impl Store {
    pub(super) fn defer(&self, entry: &Entry) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("INSERT INTO deferred (entry) VALUES (?1)")?
            .execute([protocol::encode(entry)])?;
        Ok(())
    }

    /// In the order in which they came.
    fn deferred(&self) -> Result<Vec<(i64, Entry)>, StoreError> {
        let mut statement = self
            .sql
            .prepare_cached("SELECT seq, entry FROM deferred ORDER BY seq")?;
        let mut rows = statement.query([])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let entry = minicbor::decode(row.get_ref(1)?.as_blob()?)
                .map_err(|_| StoreError::Corrupt("a deferred entry".to_owned()))?;
            entries.push((row.get(0)?, entry));
        }
        Ok(entries)
    }

    fn forget_deferred(&self, seq: i64) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("DELETE FROM deferred WHERE seq = ?1")?
            .execute([seq])?;
        Ok(())
    }

    /// Whether all that is here of a document are entries that this build cannot read.
    pub(super) fn has_deferred_alone(&self, document: DocumentId) -> Result<bool, StoreError> {
        if self.has_document(document)? {
            return Ok(false);
        }
        Ok(self
            .deferred()?
            .iter()
            .any(|(_, entry)| entry.document == document))
    }

    /// Nothing stays of a document that this device may not read any more.
    pub(super) fn forget_deferred_of(&self, document: DocumentId) -> Result<(), StoreError> {
        for (seq, entry) in self.deferred()? {
            if entry.document == document {
                self.forget_deferred(seq)?;
            }
        }
        Ok(())
    }
}

impl Core {
    /// Takes in what an older build had to leave. Called whenever somebody comes in, before anything is shown or connected.
    pub(crate) fn replay_deferred(&mut self) -> Result<Touched, StoreError> {
        let mut touched = Touched::default();
        let Some(clinic) = self.signed_in.as_ref().map(|signed_in| signed_in.clinic()) else {
            return Ok(touched);
        };
        let (rows, entries): (Vec<i64>, Vec<Entry>) = self
            .store
            .deferred()?
            .into_iter()
            .filter(|(_, entry)| entry.schema_version <= SCHEMA_VERSION)
            .unzip();
        if !entries.is_empty() {
            self.store_entries(clinic, &entries, &mut touched, |store| {
                rows.iter().try_for_each(|seq| store.forget_deferred(*seq))
            })?;
        }
        Ok(touched)
    }
}
