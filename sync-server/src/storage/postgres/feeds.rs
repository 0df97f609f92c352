//! Reading documents and feeds.

use super::super::people::PeopleStorage;
use super::super::{
    AcceptTransaction, FeedChange, FeedStep, OtherNodes, STRETCH_STEPS, StepContent, Storage, StorageError,
    Stored, StoredDocument, Stretch, feed_key, kind, signed, within_budget,
};
use super::{PostgresStorage, accept, count, from_small, id, listen};
use crate::at_rest::ClinicKeys;
use async_trait::async_trait;
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::permissions::Feed;
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::HashMap;
use uuid::Uuid;

/// The columns that [`read_document`] reads, of the table under the alias `d`.
macro_rules! document_columns {
    () => {
        "d.id, d.kind, d.schema_version, d.bytes, d.base, d.max_op, d.projection_version, d.projection,
             (select k.wrapped from document_keys k where k.clinic = d.clinic and k.document = d.id)"
    };
}
pub(super) use document_columns;

pub(super) fn read_document(row: &PgRow, keys: &ClinicKeys) -> Stored<StoredDocument> {
    let stored = StoredDocument {
        id: id(row, 0, DocumentId)?,
        kind: kind(i64::from(row.try_get::<i16, _>(1)?))?,
        schema_version: from_small(row.try_get(2)?)?,
        bytes: row.try_get(3)?,
        base: usize::try_from(row.try_get::<i32, _>(4)?).unwrap_or(0),
        max_op: count(row, 5)?,
        projection_version: from_small(row.try_get(6)?)?,
        projection: row.try_get(7)?,
    };
    Ok(keys.open_document(stored, row.try_get(8)?))
}

fn read_documents(rows: &[PgRow], keys: &ClinicKeys) -> Stored<Vec<StoredDocument>> {
    let stored = rows.iter().map(|row| read_document(row, keys));
    stored
        .filter_map(|stored| stored.map(StoredDocument::readable).transpose())
        .collect()
}

/// Documents looked at for one page; more hardly ever fit.
const PAGE_DOCUMENTS: i64 = 1_000;

#[async_trait]
impl Storage for PostgresStorage {
    fn people(&self) -> &dyn PeopleStorage {
        self
    }

    async fn health(&self) -> Stored<()> {
        sqlx::query("select count(*) from clinics")
            .fetch_one(&self.pool)
            .await?;
        Ok(())
    }

    async fn begin_accept(&self, clinic: ClinicId) -> Stored<Box<dyn AcceptTransaction>> {
        accept::begin(self, clinic).await
    }

    async fn head(&self, clinic: ClinicId) -> Stored<u64> {
        let row = sqlx::query("select head from clinics where clinic = $1")
            .bind(clinic.0)
            .fetch_optional(&self.pool)
            .await?
            .ok_or(StorageError::NoSuchClinic)?;
        count(&row, 0)
    }

    async fn heads(&self, clinics: &[ClinicId]) -> Stored<Vec<(ClinicId, u64)>> {
        let clinics: Vec<Uuid> = clinics.iter().map(|clinic| clinic.0).collect();
        let rows = sqlx::query("select clinic, head from clinics where clinic = any($1)")
            .bind(clinics)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| Ok((id(row, 0, ClinicId)?, count(row, 1)?)))
            .collect()
    }

    async fn listen(&self) -> Stored<Option<Box<dyn OtherNodes>>> {
        listen::begin(self).await.map(Some)
    }

    async fn feed_size(&self, clinic: ClinicId, feed: Feed) -> Stored<u64> {
        let row = sqlx::query("select count(*) from audience where clinic = $1 and feed = $2")
            .bind(clinic.0)
            .bind(feed_key(feed))
            .fetch_one(&self.pool)
            .await?;
        count(&row, 0)
    }

    async fn documents_below(
        &self,
        clinic: ClinicId,
        feed: Feed,
        below: Option<DocumentId>,
        budget: usize,
    ) -> Stored<Vec<StoredDocument>> {
        let keys = self.keys(clinic).await?;
        // Sizes are in the rows' headers: summing them reads no contents.
        let rows = sqlx::query(concat!(
            "with next as (
                 select a.document, row_number() over descending as place,
                     sum(octet_length(d.bytes) + octet_length(d.projection) + 40) over descending as total
                 from (select document from audience
                       where clinic = $1 and feed = $2 and document <= $3 and ($4 is null or document < $4)
                       order by document desc limit $6) a
                 join documents d on d.clinic = $1 and d.id = a.document
                 window descending as (order by a.document desc)
             )
             select ",
            document_columns!(),
            " from next join documents d on d.clinic = $1 and d.id = next.document
             where next.total <= $5 or next.place = 1
             order by d.id desc"
        ))
        .bind(clinic.0)
        .bind(feed_key(feed))
        .bind(below.map_or(Uuid::max(), |id| id.0))
        .bind(below.map(|id| id.0))
        .bind(signed(budget as u64))
        .bind(PAGE_DOCUMENTS)
        .fetch_all(&self.pool)
        .await?;
        read_documents(&rows, &keys)
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
        let rows = sqlx::query(concat!(
            "select ",
            document_columns!(),
            " from documents d
             where d.clinic = $1 and d.needed_at >= $3 and d.needed_at < $4
               and exists (select 1 from audience a where a.clinic = $1 and a.feed = $2 and a.document = d.id)
             order by d.needed_at limit $5"
        ))
        .bind(clinic.0)
        .bind(feed_key(feed))
        .bind(from.0)
        .bind(to.0)
        .bind(signed(limit as u64))
        .fetch_all(&self.pool)
        .await?;
        read_documents(&rows, &keys)
    }

    async fn documents_named(
        &self,
        clinic: ClinicId,
        feed: Feed,
        documents: &[DocumentId],
    ) -> Stored<Vec<StoredDocument>> {
        let keys = self.keys(clinic).await?;
        let rows = sqlx::query(concat!(
            "select ",
            document_columns!(),
            " from unnest($3::uuid[]) with ordinality as asked (id, place)
             join audience a on a.clinic = $1 and a.feed = $2 and a.document = asked.id
             join documents d on d.clinic = $1 and d.id = asked.id
             order by asked.place"
        ))
        .bind(clinic.0)
        .bind(feed_key(feed))
        .bind(documents.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        read_documents(&rows, &keys)
    }

    async fn feed_after(
        &self,
        clinic: ClinicId,
        feed: Feed,
        after: u64,
        head: u64,
        budget: usize,
    ) -> Stored<Stretch> {
        let rows = sqlx::query(
            "select f.number, f.document, f.what, f.size, d.kind, d.schema_version, a.document is not null
             from feed f join documents d on d.clinic = f.clinic and d.id = f.document
             left join audience a on a.clinic = f.clinic and a.feed = f.feed and a.document = f.document
             where f.clinic = $1 and f.feed = $2 and f.number > $3 and f.number <= $4
             order by f.number limit $5",
        )
        .bind(clinic.0)
        .bind(feed_key(feed))
        .bind(signed(after))
        .bind(signed(head))
        .bind(signed(STRETCH_STEPS as u64))
        .fetch_all(&self.pool)
        .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let step = FeedStep {
                number: count(row, 0)?,
                document: id(row, 1, DocumentId)?,
                kind: kind(i64::from(row.try_get::<i16, _>(4)?))?,
                schema_version: from_small(row.try_get(5)?)?,
                content: StepContent::Revoked,
            };
            let what = FeedChange::from_number(i64::from(row.try_get::<i16, _>(2)?))?;
            let size = usize::try_from(row.try_get::<i32, _>(3)?).unwrap_or(0);
            found.push((step, what, size, row.try_get::<bool, _>(6)?));
        }
        let taken = within_budget(found.iter().map(|(.., size, _)| *size), budget);
        let whole = taken == found.len() && found.len() < STRETCH_STEPS;
        found.truncate(taken);
        let reached = match found.last() {
            Some((step, ..)) if !whole => step.number,
            _ => head,
        };
        self.contents(clinic, feed, found, reached).await
    }

    async fn touched_feeds(
        &self,
        clinic: ClinicId,
        feeds: &[Feed],
        after: u64,
        head: u64,
    ) -> Stored<Vec<Feed>> {
        let rows = sqlx::query(
            "select asked.place from unnest($2::bytea[]) with ordinality as asked (feed, place)
             where exists (select 1 from feed f where f.clinic = $1 and f.feed = asked.feed
                               and f.number > $3 and f.number <= $4)",
        )
        .bind(clinic.0)
        .bind(feeds.iter().map(|feed| feed_key(*feed)).collect::<Vec<_>>())
        .bind(signed(after))
        .bind(signed(head))
        .fetch_all(&self.pool)
        .await?;
        let mut touched = Vec::with_capacity(rows.len());
        for row in &rows {
            // Counted from 1.
            let place = usize::try_from(count(row, 0)?).unwrap_or(0).wrapping_sub(1);
            touched.extend(feeds.get(place));
        }
        Ok(touched)
    }

    async fn clinics_of(&self, documents: &[DocumentId]) -> Stored<Vec<(DocumentId, ClinicId)>> {
        let rows = sqlx::query(
            "select d.id, d.clinic from clinics c join documents d on d.clinic = c.clinic and d.id = any($1)",
        )
        .bind(documents.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((id(row, 0, DocumentId)?, id(row, 1, ClinicId)?)))
            .collect()
    }
}

impl PostgresStorage {
    /// Fetches what the steps consist of, for those that may still be read.
    async fn contents(
        &self,
        clinic: ClinicId,
        feed: Feed,
        found: Vec<(FeedStep, FeedChange, usize, bool)>,
        reached: u64,
    ) -> Stored<Stretch> {
        let wanted = |what: FeedChange| {
            found
                .iter()
                .filter(move |(_, form, _, readable)| *form == what && *readable)
                .map(|(step, ..)| step)
        };
        let numbers: Vec<i64> = wanted(FeedChange::Changes)
            .map(|step| signed(step.number))
            .collect();
        let mut snapshots: Vec<DocumentId> = wanted(FeedChange::Snapshot).map(|step| step.document).collect();
        let mut changes: HashMap<u64, Vec<Vec<u8>>> = HashMap::new();
        if !numbers.is_empty() {
            let rows = sqlx::query(
                "select c.number, c.document, c.bytes,
                     (select k.wrapped from document_keys k where k.clinic = c.clinic and k.document = c.document)
                 from changes c where c.clinic = $1 and c.number = any($2) order by c.number, c.position",
            )
            .bind(clinic.0)
            .bind(numbers)
            .fetch_all(&self.pool)
            .await?;
            let keys = self.keys(clinic).await?;
            for row in &rows {
                let wrapped: Option<Vec<u8>> = row.try_get(3)?;
                let change = keys.open_change(id(row, 1, DocumentId)?, wrapped.as_deref(), row.try_get(2)?);
                changes.entry(count(row, 0)?).or_default().extend(change);
            }
        }
        // Compacted since the steps were read: the document has them.
        let compacted = wanted(FeedChange::Changes).filter(|step| !changes.contains_key(&step.number));
        snapshots.extend(compacted.map(|step| step.document));
        let mut documents: HashMap<DocumentId, StoredDocument> = HashMap::new();
        if !snapshots.is_empty() {
            let stored = self.documents_named(clinic, feed, &snapshots).await?;
            documents.extend(stored.into_iter().map(|stored| (stored.id, stored)));
        }
        let steps = found
            .into_iter()
            .filter_map(|(step, what, ..)| {
                let content = match what {
                    FeedChange::Revoked => StepContent::Revoked,
                    FeedChange::Changes | FeedChange::Snapshot => match changes.remove(&step.number) {
                        Some(changes) => StepContent::Changes(changes),
                        None => StepContent::Snapshot(documents.get(&step.document)?.clone()),
                    },
                };
                Some(FeedStep { content, ..step })
            })
            .collect();
        Ok(Stretch { steps, reached })
    }
}
