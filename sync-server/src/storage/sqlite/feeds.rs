//! Reading documents and feeds.

use super::super::people::PeopleStorage;
use super::super::{
    AcceptTransaction, FeedChange, FeedStep, OtherNodes, STRETCH_STEPS, StepContent, Storage, StorageError,
    Stored, StoredDocument, Stretch, feed_key, kind, signed, unsigned, within_budget,
};
use super::{SqliteStorage, accept, id, listen};
use crate::at_rest::ClinicKeys;
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::permissions::Feed;
use shared_model::time::Timestamp;

/// The columns that [`read_document`] reads, of the table under the alias `d`.
macro_rules! document_columns {
    () => {
        "d.id, d.kind, d.schema_version, d.bytes, d.base, d.max_op, d.projection_version, d.projection,
             (select k.wrapped from document_keys k where k.clinic = d.clinic and k.document = d.id)"
    };
}

fn read_document(row: &Row<'_>, keys: &ClinicKeys) -> Stored<StoredDocument> {
    let stored = StoredDocument {
        id: id(row, 0, DocumentId)?,
        kind: kind(row.get(1)?)?,
        schema_version: row.get(2)?,
        bytes: row.get(3)?,
        base: row.get(4)?,
        max_op: unsigned(row.get(5)?),
        projection_version: row.get(6)?,
        projection: row.get(7)?,
    };
    Ok(keys.open_document(stored, row.get(8)?))
}

pub(super) fn document(
    connection: &Connection,
    clinic: ClinicId,
    document: DocumentId,
    keys: &ClinicKeys,
) -> Stored<Option<StoredDocument>> {
    connection
        .prepare_cached(concat!(
            "select ",
            document_columns!(),
            " from documents d where d.clinic = ?1 and d.id = ?2"
        ))?
        .query_row([clinic.bytes(), document.bytes()], |row| {
            Ok(read_document(row, keys))
        })
        .optional()?
        .transpose()
}

/// In ascending order of id, from behind one on.
pub(super) fn all_documents(
    connection: &Connection,
    clinic: ClinicId,
    after: Option<DocumentId>,
    limit: usize,
    keys: &ClinicKeys,
) -> Stored<Vec<StoredDocument>> {
    let mut select = connection.prepare_cached(concat!(
        "select ",
        document_columns!(),
        " from documents d where d.clinic = ?1 and d.id > ?2 order by d.id limit ?3"
    ))?;
    let after = after.as_ref().map_or(&[][..], |after| after.bytes().as_slice());
    let mut rows = select.query(params![clinic.bytes(), after, limit])?;
    let mut documents = Vec::new();
    while let Some(row) = rows.next()? {
        documents.push(read_document(row, keys)?);
    }
    Ok(documents)
}

#[async_trait]
impl Storage for SqliteStorage {
    fn people(&self) -> &dyn PeopleStorage {
        self
    }

    async fn health(&self) -> Stored<()> {
        self.read(|connection| {
            connection.query_row("select count(*) from clinics", [], |row| row.get::<_, i64>(0))?;
            Ok(())
        })
        .await
    }

    async fn begin_accept(&self, clinic: ClinicId) -> Stored<Box<dyn AcceptTransaction>> {
        accept::begin(self, clinic).await
    }

    async fn head(&self, clinic: ClinicId) -> Stored<u64> {
        self.read(move |connection| {
            connection
                .prepare_cached("select head from clinics where clinic = ?1")?
                .query_row([clinic.bytes()], |row| row.get(0))
                .optional()?
                .map(unsigned)
                .ok_or(StorageError::NoSuchClinic)
        })
        .await
    }

    async fn heads(&self, clinics: &[ClinicId]) -> Stored<Vec<(ClinicId, u64)>> {
        let clinics = clinics.to_vec();
        self.read(move |connection| {
            let mut select = connection.prepare_cached("select head from clinics where clinic = ?1")?;
            let mut heads = Vec::with_capacity(clinics.len());
            for clinic in clinics {
                let head = select.query_row([clinic.bytes()], |row| row.get(0)).optional()?;
                heads.extend(head.map(|head| (clinic, unsigned(head))));
            }
            Ok(heads)
        })
        .await
    }

    async fn listen(&self) -> Stored<Option<Box<dyn OtherNodes>>> {
        listen::begin(self).await
    }

    async fn feed_size(&self, clinic: ClinicId, feed: Feed) -> Stored<u64> {
        self.read(move |connection| {
            let count = connection
                .prepare_cached("select count(*) from audience where clinic = ?1 and feed = ?2")?
                .query_row(params![clinic.bytes(), feed_key(feed)], |row| row.get(0))?;
            Ok(unsigned(count))
        })
        .await
    }

    async fn documents_below(
        &self,
        clinic: ClinicId,
        feed: Feed,
        below: Option<DocumentId>,
        budget: usize,
    ) -> Stored<Vec<StoredDocument>> {
        let keys = self.keys(clinic).await?;
        self.read(move |connection| {
            let mut select = connection.prepare_cached(concat!(
                "select ",
                document_columns!(),
                " from audience a cross join documents d on d.clinic = a.clinic and d.id = a.document
                 where a.clinic = ?1 and a.feed = ?2 and (?3 is null or a.document < ?3)
                   and a.document <= coalesce(?3, x'ffffffffffffffffffffffffffffffff')
                 order by a.document desc"
            ))?;
            let below = below.map(|id| *id.bytes());
            let mut rows = select.query(params![clinic.bytes(), feed_key(feed), below])?;
            let (mut documents, mut size) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let document = read_document(row, &keys)?;
                size += document.size();
                if size > budget && !documents.is_empty() {
                    break;
                }
                documents.extend(document.readable());
            }
            Ok(documents)
        })
        .await
    }

    async fn documents_needed(
        &self,
        clinic: ClinicId,
        feed: Feed,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Stored<Vec<StoredDocument>> {
        let keys = self.keys(clinic).await?;
        self.read(move |connection| {
            let mut select = connection.prepare_cached(concat!(
                "select ",
                document_columns!(),
                " from documents d
                 where d.clinic = ?1 and d.needed_at >= ?3 and d.needed_at < ?4
                   and exists (select 1 from audience a where a.clinic = ?1 and a.feed = ?2 and a.document = d.id)
                 order by d.needed_at limit ?5"
            ))?;
            let mut rows = select.query(params![clinic.bytes(), feed_key(feed), from.0, to.0, limit])?;
            let mut documents = Vec::new();
            while let Some(row) = rows.next()? {
                documents.extend(read_document(row, &keys)?.readable());
            }
            Ok(documents)
        })
        .await
    }

    async fn documents_named(
        &self,
        clinic: ClinicId,
        feed: Feed,
        documents: &[DocumentId],
    ) -> Stored<Vec<StoredDocument>> {
        let (documents, keys) = (documents.to_vec(), self.keys(clinic).await?);
        self.read(move |connection| {
            let mut found = Vec::with_capacity(documents.len());
            for id in documents {
                if in_audience(connection, clinic, feed, id)? {
                    let stored = document(connection, clinic, id, &keys)?;
                    found.extend(stored.and_then(StoredDocument::readable));
                }
            }
            Ok(found)
        })
        .await
    }

    async fn feed_after(
        &self,
        clinic: ClinicId,
        feed: Feed,
        after: u64,
        head: u64,
        budget: usize,
    ) -> Stored<Stretch> {
        let keys = self.keys(clinic).await?;
        self.read(move |connection| feed_after(connection, clinic, feed, after, head, budget, &keys))
            .await
    }

    async fn touched_feeds(
        &self,
        clinic: ClinicId,
        feeds: &[Feed],
        after: u64,
        head: u64,
    ) -> Stored<Vec<Feed>> {
        let feeds = feeds.to_vec();
        self.read(move |connection| {
            let mut select = connection.prepare_cached(
                "select 1 from feed where clinic = ?1 and feed = ?2 and number > ?3 and number <= ?4",
            )?;
            let mut touched = Vec::new();
            for feed in feeds {
                if select.exists(params![
                    clinic.bytes(),
                    feed_key(feed),
                    signed(after),
                    signed(head)
                ])? {
                    touched.push(feed);
                }
            }
            Ok(touched)
        })
        .await
    }

    async fn clinics_of(&self, documents: &[DocumentId]) -> Stored<Vec<(DocumentId, ClinicId)>> {
        let documents = documents.to_vec();
        self.read(move |connection| {
            let mut select = connection.prepare_cached(
                "select c.clinic from clinics c
                 where exists (select 1 from documents d where d.clinic = c.clinic and d.id = ?1)",
            )?;
            let mut found = Vec::new();
            for document in documents {
                let mut rows = select.query([document.bytes()])?;
                while let Some(row) = rows.next()? {
                    found.push((document, id(row, 0, ClinicId)?));
                }
            }
            Ok(found)
        })
        .await
    }
}

fn in_audience(connection: &Connection, clinic: ClinicId, feed: Feed, document: DocumentId) -> Stored<bool> {
    Ok(connection
        .prepare_cached("select 1 from audience where clinic = ?1 and feed = ?2 and document = ?3")?
        .exists(params![clinic.bytes(), feed_key(feed), document.bytes()])?)
}

fn feed_after(
    connection: &Connection,
    clinic: ClinicId,
    feed: Feed,
    after: u64,
    head: u64,
    budget: usize,
    keys: &ClinicKeys,
) -> Stored<Stretch> {
    let mut select = connection.prepare_cached(
        "select f.number, f.document, f.what, f.size, d.kind, d.schema_version,
             exists (select 1 from audience a where a.clinic = ?1 and a.feed = ?2 and a.document = f.document)
         from feed f join documents d on d.clinic = f.clinic and d.id = f.document
         where f.clinic = ?1 and f.feed = ?2 and f.number > ?3 and f.number <= ?4
         order by f.number limit ?5",
    )?;
    let mut rows = select.query(params![
        clinic.bytes(),
        feed_key(feed),
        signed(after),
        signed(head),
        STRETCH_STEPS
    ])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let step = FeedStep {
            number: unsigned(row.get(0)?),
            document: id(row, 1, DocumentId)?,
            kind: kind(row.get(4)?)?,
            schema_version: row.get(5)?,
            content: StepContent::Revoked,
        };
        let (what, size, readable): (i64, usize, bool) = (row.get(2)?, row.get(3)?, row.get(6)?);
        found.push((step, FeedChange::from_number(what)?, size, readable));
    }
    let count = within_budget(found.iter().map(|(.., size, _)| *size), budget);
    let whole = count == found.len() && found.len() < STRETCH_STEPS;
    found.truncate(count);
    let reached = match found.last() {
        Some((step, ..)) if !whole => step.number,
        _ => head,
    };
    let mut changes = connection
        .prepare_cached(
            "select c.bytes, (select k.wrapped from document_keys k where k.clinic = c.clinic and k.document = c.document)
             from changes c where c.clinic = ?1 and c.number = ?2 order by c.position",
        )?;
    let mut steps = Vec::with_capacity(count);
    for (step, what, _, readable) in found {
        let content = match what {
            FeedChange::Revoked => StepContent::Revoked,
            _ if !readable => continue,
            FeedChange::Changes => {
                let mut rows = changes.query(params![clinic.bytes(), signed(step.number)])?;
                let mut bytes = Vec::new();
                let mut gone = true;
                while let Some(row) = rows.next()? {
                    gone = false;
                    let wrapped: Option<Vec<u8>> = row.get(1)?;
                    bytes.extend(keys.open_change(step.document, wrapped.as_deref(), row.get(0)?));
                }
                if gone {
                    match document(connection, clinic, step.document, keys)?
                        .and_then(StoredDocument::readable)
                    {
                        Some(stored) => StepContent::Snapshot(stored),
                        None => continue,
                    }
                } else {
                    StepContent::Changes(bytes)
                }
            }
            FeedChange::Snapshot => {
                match document(connection, clinic, step.document, keys)?.and_then(StoredDocument::readable) {
                    Some(stored) => StepContent::Snapshot(stored),
                    None => continue,
                }
            }
        };
        steps.push(FeedStep { content, ..step });
    }
    Ok(Stretch { steps, reached })
}
