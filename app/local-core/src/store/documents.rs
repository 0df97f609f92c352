//! Documents on the device.

use super::{Store, StoreError};
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};
use shared_model::SCHEMA_VERSION;
use shared_model::documents::{Document, Kind};
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::time::Timestamp;

/// Change chunks that a document carries behind its saved form before it is saved anew.
const MAX_TAIL: u32 = 64;

/// Where a record's latest work is. Both are `None` for what nobody here has touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Changes that wait for the server.
    pub waiting: u64,
    /// When this device last wrote.
    pub saved_at: Option<Timestamp>,
    /// When the server last confirmed everything that this device wrote.
    pub confirmed_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct StoredDocument {
    pub row: i64,
    pub kind: Kind,
    pub id: DocumentId,
    pub bytes: Vec<u8>,
    pub tail: u32,
}

impl Store {
    pub fn document(&self, id: DocumentId) -> Result<Option<StoredDocument>, StoreError> {
        let mut statement = self
            .sql
            .prepare_cached("SELECT row, kind, bytes, tail FROM document WHERE id = ?1")?;
        let found = statement
            .query_row([&id.bytes()[..]], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, u8>(1)?,
                    row.get::<_, Vec<u8>>(2)?,
                    row.get::<_, u32>(3)?,
                ))
            })
            .optional()?;
        found
            .map(|(row, kind, bytes, tail)| {
                let kind =
                    Kind::from_number(kind).ok_or_else(|| StoreError::Corrupt(format!("kind {kind}")))?;
                Ok(StoredDocument {
                    row,
                    kind,
                    id,
                    bytes,
                    tail,
                })
            })
            .transpose()
    }

    /// How many bytes of it are stored; 0 if it is not there.
    pub fn document_size(&self, id: DocumentId) -> Result<usize, StoreError> {
        let size = self
            .sql
            .prepare_cached("SELECT octet_length(bytes) FROM document WHERE id = ?1")?
            .query_row([&id.bytes()[..]], |row| row.get(0))
            .optional()?;
        Ok(size.unwrap_or(0))
    }

    pub fn has_document(&self, id: DocumentId) -> Result<bool, StoreError> {
        Ok(self
            .sql
            .prepare_cached("SELECT 1 FROM document WHERE id = ?1")?
            .exists([&id.bytes()[..]])?)
    }

    /// Inserts a document that is not there yet; gives its row.
    pub fn insert_document(&self, kind: Kind, id: DocumentId, bytes: &[u8]) -> Result<i64, StoreError> {
        self.sql
            .prepare_cached("INSERT INTO document (id, kind, schema_version, bytes) VALUES (?1, ?2, ?3, ?4)")?
            .execute((&id.bytes()[..], kind.number(), SCHEMA_VERSION, bytes))?;
        Ok(self.sql.last_insert_rowid())
    }

    /// Writes what was added to a document: as a tail of change chunks, or saved anew when the tail grows long.
    pub fn append_to_document(
        &self,
        stored: &StoredDocument,
        document: &Document,
        chunks: &[u8],
        count: u32,
    ) -> Result<(), StoreError> {
        if stored.tail + count > MAX_TAIL {
            self.sql
                .prepare_cached("UPDATE document SET bytes = ?2, tail = 0 WHERE row = ?1")?
                .execute((stored.row, document.save()))?;
        } else {
            self.sql
                .prepare_cached(
                    "UPDATE document SET bytes = CAST(bytes || ?2 AS BLOB), tail = tail + ?3 WHERE row = ?1",
                )?
                .execute((stored.row, chunks, count))?;
        }
        Ok(())
    }

    pub fn replace_document(&self, row: i64, document: &Document) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("UPDATE document SET bytes = ?2, tail = 0 WHERE row = ?1")?
            .execute((row, document.save()))?;
        Ok(())
    }

    pub fn mark_saved(&self, id: DocumentId, at: Timestamp) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("UPDATE document SET saved_at = ?2 WHERE id = ?1")?
            .execute((&id.bytes()[..], at.0))?;
        Ok(())
    }

    pub fn mark_confirmed(&self, id: DocumentId, at: Timestamp) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("UPDATE document SET confirmed_at = ?2 WHERE id = ?1")?
            .execute((&id.bytes()[..], at.0))?;
        Ok(())
    }

    pub fn receipt(&self, id: DocumentId) -> Result<Receipt, StoreError> {
        let waiting = self
            .sql
            .prepare_cached("SELECT count(*) FROM outbox WHERE document = ?1 AND refused IS NULL")?
            .query_row([&id.bytes()[..]], |row| row.get(0))?;
        let times = self
            .sql
            .prepare_cached("SELECT saved_at, confirmed_at FROM document WHERE id = ?1")?
            .query_row([&id.bytes()[..]], |row| {
                Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
            })
            .optional()?
            .unwrap_or_default();
        Ok(Receipt {
            waiting,
            saved_at: times.0.map(Timestamp),
            confirmed_at: times.1.map(Timestamp),
        })
    }

    /// Removes a document that this device may no longer read, from the search index too.
    pub fn purge_document(&self, id: DocumentId) -> Result<(), StoreError> {
        let Some(stored) = self.document(id)? else {
            return Ok(());
        };
        self.clear_projection(stored.row, stored.kind, id)?;
        self.sql
            .prepare_cached("DELETE FROM document WHERE row = ?1")?
            .execute([stored.row])?;
        Ok(())
    }

    /// Derives every row anew from the documents alone; gives how many there were, and those that cannot be read.
    pub fn rebuild(&self, clinic: ClinicId) -> Result<(u64, Vec<DocumentId>), StoreError> {
        self.clear_projections()?;
        let mut statement = self
            .sql
            .prepare("SELECT row, id, kind, bytes FROM document ORDER BY row")?;
        let mut rows = statement.query([])?;
        let (mut count, mut damaged) = (0, Vec::new());
        while let Some(row) = rows.next()? {
            let stored_row: i64 = row.get(0)?;
            let id = DocumentId::from_slice(row.get_ref(1)?.as_blob()?)
                .ok_or_else(|| StoreError::Corrupt("a document id".to_owned()))?;
            let kind = row.get::<_, u8>(2)?;
            let kind = Kind::from_number(kind).ok_or_else(|| StoreError::Corrupt(format!("kind {kind}")))?;
            let Ok(document) = Document::load(kind, clinic, id, row.get_ref(3)?.as_blob()?) else {
                damaged.push(id);
                continue;
            };
            self.write_projection(stored_row, id, &shared_model::documents::project(&document), true)?;
            count += 1;
        }
        Ok((count, damaged))
    }
}
