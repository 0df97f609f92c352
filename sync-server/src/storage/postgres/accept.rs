//! The write path's transaction. Rows go over in arrays, one statement per table.

use super::super::{
    AcceptTransaction, AcceptWrites, ActorRow, LoadedRows, StorageError, Stored, feed_key, heads_bytes,
    signed,
};
use super::{PostgresStorage, count, feeds, id, length, small};
use async_trait::async_trait;
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::permissions::Feed;
use sqlx::{Postgres, Row, Transaction};
use std::sync::Arc;
use uuid::Uuid;

struct PostgresAccept {
    /// Rolls back when it is dropped.
    tx: Transaction<'static, Postgres>,
    clinic: ClinicId,
    head: u64,
}

pub(super) async fn begin(storage: &PostgresStorage, clinic: ClinicId) -> Stored<Box<dyn AcceptTransaction>> {
    let mut tx = storage.pool.begin().await?;
    let row = sqlx::query("select head from clinics where clinic = $1 for update")
        .bind(clinic.0)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(StorageError::NoSuchClinic)?;
    let head = count(&row, 0)?;
    Ok(Box::new(PostgresAccept { tx, clinic, head }))
}

#[async_trait]
impl AcceptTransaction for PostgresAccept {
    fn head(&self) -> u64 {
        self.head
    }

    async fn load(&mut self, documents: &[DocumentId], actors: &[Vec<u8>]) -> Stored<LoadedRows> {
        let mut loaded = LoadedRows::default();
        let ids: Vec<Uuid> = documents.iter().map(|id| id.0).collect();
        let rows = sqlx::query(concat!(
            "select ",
            feeds::document_columns!(),
            " from documents d where d.clinic = $1 and d.id = any($2)"
        ))
        .bind(self.clinic.0)
        .bind(&ids)
        .fetch_all(&mut *self.tx)
        .await?;
        for row in rows {
            loaded.documents.push(feeds::read_document(&row)?);
        }
        if !loaded.documents.is_empty() {
            let rows = sqlx::query(
                "select document, actor, max(seq) from changes where clinic = $1 and document = any($2)
                 group by document, actor",
            )
            .bind(self.clinic.0)
            .bind(&ids)
            .fetch_all(&mut *self.tx)
            .await?;
            for row in rows {
                loaded
                    .sequences
                    .push((id(&row, 0, DocumentId)?, row.try_get(1)?, count(&row, 2)?));
            }
        }
        if !actors.is_empty() {
            let rows = sqlx::query(
                "select actor, account, device from actors where clinic = $1 and actor = any($2)",
            )
            .bind(self.clinic.0)
            .bind(actors)
            .fetch_all(&mut *self.tx)
            .await?;
            for row in rows {
                loaded.actors.push(ActorRow {
                    actor: row.try_get(0)?,
                    account: id(&row, 1, AccountId)?,
                    device: id(&row, 2, DeviceId)?,
                });
            }
        }
        Ok(loaded)
    }

    async fn commit(mut self: Box<Self>, writes: Arc<AcceptWrites>) -> Stored<()> {
        self.write(&writes).await?;
        self.tx.commit().await?;
        Ok(())
    }
}

impl PostgresAccept {
    async fn write(&mut self, writes: &AcceptWrites) -> Stored<()> {
        sqlx::query("update clinics set head = $2 where clinic = $1")
            .bind(self.clinic.0)
            .bind(signed(writes.head))
            .execute(&mut *self.tx)
            .await?;
        self.write_actors(&writes.actors).await?;
        self.write_changes(writes).await?;
        self.write_documents(writes).await?;
        self.write_audience(&writes.granted, &writes.lost).await?;
        self.write_feed(writes).await?;
        self.write_audit(writes).await
    }

    async fn write_actors(&mut self, rows: &[ActorRow]) -> Stored<()> {
        if rows.is_empty() {
            return Ok(());
        }
        // Somebody may say Hello as the same actor at this moment; whoever comes first has it.
        sqlx::query(
            "insert into actors (clinic, actor, account, device)
             select $1, * from unnest($2::bytea[], $3::uuid[], $4::uuid[]) on conflict do nothing",
        )
        .bind(self.clinic.0)
        .bind(rows.iter().map(|row| row.actor.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.account.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.device.0).collect::<Vec<_>>())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn write_changes(&mut self, writes: &AcceptWrites) -> Stored<()> {
        let rows = &writes.changes;
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into changes (clinic, accepted_at, number, position, document, hash, actor, seq, account, device,
                 bytes)
             select $1, $2, * from unnest($3::bigint[], $4::integer[], $5::uuid[], $6::bytea[], $7::bytea[],
                 $8::bigint[], $9::uuid[], $10::uuid[], $11::bytea[])",
        )
        .bind(self.clinic.0)
        .bind(writes.at.0)
        .bind(rows.iter().map(|row| signed(row.number)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.position.cast_signed()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.document.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.hash.0.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.actor.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| signed(row.seq)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.account.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.device.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.bytes.as_slice()).collect::<Vec<_>>())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn write_documents(&mut self, writes: &AcceptWrites) -> Stored<()> {
        let rows = &writes.documents;
        if rows.is_empty() {
            return Ok(());
        }
        let heads: Vec<Vec<u8>> = rows.iter().map(|row| heads_bytes(&row.heads)).collect();
        sqlx::query(
            "insert into documents (clinic, id, kind, schema_version, bytes, base, heads, max_op, projection,
                 projection_version, needed_at)
             select $1, * from unnest($2::uuid[], $3::smallint[], $4::integer[], $5::bytea[], $6::integer[],
                 $7::bytea[], $8::bigint[], $9::bytea[], $10::integer[], $11::bigint[])
             on conflict (clinic, id) do update set schema_version = excluded.schema_version, bytes = excluded.bytes,
                 base = excluded.base, heads = excluded.heads, max_op = excluded.max_op,
                 projection = excluded.projection, projection_version = excluded.projection_version,
                 needed_at = excluded.needed_at",
        )
        .bind(self.clinic.0)
        .bind(rows.iter().map(|row| row.stored.id.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| i16::from(row.stored.kind.number())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| small(row.stored.schema_version)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.stored.bytes.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| length(row.stored.base)).collect::<Vec<_>>())
        .bind(heads)
        .bind(rows.iter().map(|row| signed(row.stored.max_op)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.stored.projection.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| small(row.stored.projection_version)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.needed_at.map(|at| at.0)).collect::<Vec<_>>())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn write_audience(
        &mut self,
        granted: &[(Feed, DocumentId)],
        lost: &[(Feed, DocumentId)],
    ) -> Stored<()> {
        let columns = |pairs: &[(Feed, DocumentId)]| -> (Vec<Vec<u8>>, Vec<Uuid>) {
            pairs.iter().map(|(feed, id)| (feed_key(*feed), id.0)).unzip()
        };
        if !granted.is_empty() {
            let (feeds, documents) = columns(granted);
            sqlx::query(
                "insert into audience (clinic, feed, document) select $1, * from unnest($2::bytea[], $3::uuid[])",
            )
            .bind(self.clinic.0)
            .bind(feeds)
            .bind(documents)
            .execute(&mut *self.tx)
            .await?;
        }
        if !lost.is_empty() {
            let (feeds, documents) = columns(lost);
            sqlx::query(
                "delete from audience a using unnest($2::bytea[], $3::uuid[]) as lost (feed, document)
                 where a.clinic = $1 and a.feed = lost.feed and a.document = lost.document",
            )
            .bind(self.clinic.0)
            .bind(feeds)
            .bind(documents)
            .execute(&mut *self.tx)
            .await?;
        }
        Ok(())
    }

    async fn write_feed(&mut self, writes: &AcceptWrites) -> Stored<()> {
        let rows = &writes.feed;
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into feed (clinic, feed, number, document, what, size)
             select $1, * from unnest($2::bytea[], $3::bigint[], $4::uuid[], $5::smallint[], $6::integer[])",
        )
        .bind(self.clinic.0)
        .bind(rows.iter().map(|row| feed_key(row.feed)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| signed(row.number)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.document.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.what.number()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| length(row.size)).collect::<Vec<_>>())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn write_audit(&mut self, writes: &AcceptWrites) -> Stored<()> {
        let rows = &writes.audit;
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into audit (clinic, at, number, position, account, device, document, verb)
             select $1, $2, * from unnest($3::bigint[], $4::integer[], $5::uuid[], $6::uuid[], $7::uuid[],
                 $8::text[])",
        )
        .bind(self.clinic.0)
        .bind(writes.at.0)
        .bind(rows.iter().map(|row| signed(row.number)).collect::<Vec<_>>())
        .bind(
            rows.iter()
                .map(|row| row.position.cast_signed())
                .collect::<Vec<_>>(),
        )
        .bind(rows.iter().map(|row| row.account.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.device.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.document.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.verb.as_str()).collect::<Vec<_>>())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}
