//! The write path's transaction, step by step on the writer thread.

use super::super::trail::WrittenEnd;
use super::super::{
    AcceptTransaction, AcceptWrites, ActorRow, LoadedRows, StorageError, Stored, feed_key, heads_bytes,
    signed, unsigned,
};
use super::{SqliteStorage, Writer, at_rest, feeds, id, trail};
use crate::at_rest::{ClinicKeys, SealedWrites};
use crate::trail::{link_rows, seal_on};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;

struct SqliteAccept {
    writer: Writer,
    clinic: ClinicId,
    keys: Arc<ClinicKeys>,
    head: u64,
    open: bool,
    /// Released when the transaction is over, whatever way it went.
    _turn: OwnedMutexGuard<()>,
}

pub(super) async fn begin(storage: &SqliteStorage, clinic: ClinicId) -> Stored<Box<dyn AcceptTransaction>> {
    let keys = storage.keys(clinic).await?;
    let turn = storage.writer.turn().await;
    let head = storage
        .writer
        .run(move |connection| {
            connection.execute_batch("begin immediate")?;
            let head: rusqlite::Result<Option<i64>> = connection
                .prepare_cached("select head from clinics where clinic = ?1")
                .and_then(|mut select| select.query_row([clinic.bytes()], |row| row.get(0)).optional());
            match head {
                Ok(Some(head)) => Ok(unsigned(head)),
                missing => {
                    connection.execute_batch("rollback")?;
                    missing?;
                    Err(StorageError::NoSuchClinic)
                }
            }
        })
        .await?;
    Ok(Box::new(SqliteAccept {
        writer: storage.writer.clone(),
        clinic,
        keys,
        head,
        open: true,
        _turn: turn,
    }))
}

#[async_trait]
impl AcceptTransaction for SqliteAccept {
    fn head(&self) -> u64 {
        self.head
    }

    async fn load(&mut self, documents: &[DocumentId], actors: &[Vec<u8>]) -> Stored<LoadedRows> {
        let (clinic, documents, actors) = (self.clinic, documents.to_vec(), actors.to_vec());
        let keys = Arc::clone(&self.keys);
        self.writer
            .run(move |connection| load(connection, clinic, &documents, &actors, &keys))
            .await
    }

    async fn commit(mut self: Box<Self>, writes: Arc<AcceptWrites>) -> Stored<()> {
        let (clinic, keys) = (self.clinic, Arc::clone(&self.keys));
        self.open = false;
        self.writer
            .run(move |connection| {
                let done = seal(connection, clinic, &keys, &writes).and_then(|sealed| {
                    write(connection, clinic, &writes, &sealed, &keys)?;
                    connection.execute_batch("commit")?;
                    Ok(sealed)
                });
                if done.is_err() && !connection.is_autocommit() {
                    connection.execute_batch("rollback")?;
                }
                keys.committed(done?);
                Ok(())
            })
            .await
    }
}

impl Drop for SqliteAccept {
    fn drop(&mut self) {
        if self.open {
            // If the writer thread has ended, its connection has rolled back by itself.
            let _ = self.writer.send(|connection| {
                if !connection.is_autocommit()
                    && let Err(error) = connection.execute_batch("rollback")
                {
                    tracing::error!(%error, "could not roll back");
                }
            });
        }
    }
}

fn load(
    connection: &Connection,
    clinic: ClinicId,
    documents: &[DocumentId],
    actors: &[Vec<u8>],
    keys: &ClinicKeys,
) -> Stored<LoadedRows> {
    let mut loaded = LoadedRows::default();
    for document in documents {
        loaded
            .documents
            .extend(feeds::document(connection, clinic, *document, keys)?);
    }
    let mut owner =
        connection.prepare_cached("select account, device from actors where clinic = ?1 and actor = ?2")?;
    for actor in actors {
        let row = owner
            .query_row(params![clinic.bytes(), actor], |row| {
                Ok(ActorRow {
                    actor: actor.clone(),
                    account: id(row, 0, AccountId)?,
                    device: id(row, 1, DeviceId)?,
                })
            })
            .optional()?;
        loaded.actors.extend(row);
    }
    Ok(loaded)
}

fn seal(
    connection: &Connection,
    clinic: ClinicId,
    keys: &ClinicKeys,
    writes: &AcceptWrites,
) -> Stored<SealedWrites> {
    let found = at_rest::document_keys(connection, clinic, &keys.unknown(writes))?;
    Ok(keys.seal(writes, &found)?)
}

fn write(
    connection: &Connection,
    clinic: ClinicId,
    writes: &AcceptWrites,
    sealed: &SealedWrites,
    keys: &ClinicKeys,
) -> Stored<()> {
    at_rest::add_document_keys(connection, clinic, &sealed.wrapped)?;
    let (ends, seals) = trail::ends(connection, clinic)?;
    let before = ends.written;
    let links = link_rows(clinic, &before, writes, &ends.events);
    let end = WrittenEnd {
        head: writes.head,
        written: links.last().copied().or(before.written),
        ..before
    };
    let seal = seal_on(keys, &before, seals.written.as_deref(), &end)?;
    let clinic = clinic.bytes();
    connection
        .prepare_cached("update clinics set head = ?2, rows_end = ?3, seal = ?4 where clinic = ?1")?
        .execute(params![clinic, signed(end.head), end.written, seal])?;
    let mut insert = connection
        .prepare_cached("insert into actors (clinic, actor, account, device) values (?1, ?2, ?3, ?4)")?;
    for row in &writes.actors {
        insert.execute(params![
            clinic,
            row.actor,
            row.account.bytes(),
            row.device.bytes()
        ])?;
    }
    let mut insert = connection.prepare_cached(
        "insert into changes (clinic, number, position, document, hash, actor, seq, account, device, accepted_at, bytes,
             signed)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for (row, bytes) in writes.changes.iter().zip(&sealed.changes) {
        insert.execute(params![
            clinic,
            signed(row.number),
            row.position,
            row.document.bytes(),
            row.hash.0,
            row.actor,
            signed(row.seq),
            row.account.bytes(),
            row.device.bytes(),
            writes.at.0,
            bytes,
            row.signed.map(|signed| signed.bytes()),
        ])?;
    }
    let mut upsert = connection.prepare_cached(
        "insert into documents (clinic, id, kind, schema_version, bytes, base, heads, max_op, projection,
             projection_version, needed_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         on conflict (clinic, id) do update set schema_version = excluded.schema_version, bytes = excluded.bytes,
             base = excluded.base, heads = excluded.heads, max_op = excluded.max_op,
             projection = excluded.projection, projection_version = excluded.projection_version,
             needed_at = excluded.needed_at",
    )?;
    for (row, sealed) in writes.documents.iter().zip(&sealed.documents) {
        upsert.execute(params![
            clinic,
            row.stored.id.bytes(),
            row.stored.kind.number(),
            row.stored.schema_version,
            sealed.bytes,
            sealed.base,
            heads_bytes(&row.heads),
            signed(row.stored.max_op),
            sealed.projection,
            row.stored.projection_version,
            row.needed_at.map(|at| at.0),
        ])?;
    }
    let mut grant =
        connection.prepare_cached("insert into audience (clinic, feed, document) values (?1, ?2, ?3)")?;
    for (feed, document) in &writes.granted {
        grant.execute(params![clinic, feed_key(*feed), document.bytes()])?;
    }
    let mut lose = connection
        .prepare_cached("delete from audience where clinic = ?1 and feed = ?2 and document = ?3")?;
    for (feed, document) in &writes.lost {
        lose.execute(params![clinic, feed_key(*feed), document.bytes()])?;
    }
    let mut insert = connection.prepare_cached(
        "insert into feed (clinic, feed, number, document, what, size) values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for row in &writes.feed {
        insert.execute(params![
            clinic,
            feed_key(row.feed),
            signed(row.number),
            row.document.bytes(),
            row.what.number(),
            row.size,
        ])?;
    }
    let mut insert = connection.prepare_cached(
        "insert into audit (clinic, number, position, account, device, document, verb, at, link, events)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for (row, link) in writes.audit.iter().zip(&links) {
        insert.execute(params![
            clinic,
            signed(row.number),
            row.position,
            row.account.bytes(),
            row.device.bytes(),
            row.document.bytes(),
            row.verb,
            writes.at.0,
            link,
            signed(ends.events.events),
        ])?;
    }
    Ok(())
}
