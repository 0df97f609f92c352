//! The device's SQLite: documents and outbox hold truth, projections follow from it.
//!
//! Invariant: every function that writes runs inside the caller's transaction; nothing here commits on its own.

mod answered;
mod documents;
mod error;
mod outbox;
mod projections;
mod search;

pub use documents::Receipt;
pub use error::{StorageTrouble, StoreError};
pub use outbox::{Discarded, Handed, OutboxCounts, OutboxEntry, Signed};
pub(crate) use search::fold;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::ToSqlOutput;
use std::collections::BTreeSet;

/// The migrations of the device's store, oldest first. Invariant 7: none of them deletes an outbox row.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../../migrations/device/0001_store.sql"),
    include_str!("../../../../migrations/device/0002_search_by_owner.sql"),
    include_str!("../../../../migrations/device/0003_refused_work.sql"),
    include_str!("../../../../migrations/device/0004_answered.sql"),
    include_str!("../../../../migrations/device/0005_quicker_edits.sql"),
    include_str!("../../../../migrations/device/0006_authorship.sql"),
    include_str!("../../../../migrations/device/0007_late_work.sql"),
];

/// Runs `work` in one transaction of a database: all of it or nothing.
pub(crate) fn transaction<T>(
    sql: &Connection,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    sql.execute_batch("BEGIN IMMEDIATE")?;
    let done = work().and_then(|value| {
        sql.execute_batch("COMMIT")?;
        Ok(value)
    });
    if done.is_err() && !sql.is_autocommit() {
        sql.execute_batch("ROLLBACK")?;
    }
    done
}

/// Brings a database to this build's form, each step in a transaction of its own.
pub(crate) fn migrate(sql: &Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let version: usize = sql.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > migrations.len() {
        return Err(StoreError::NewerStore);
    }
    for (index, migration) in migrations.iter().enumerate().skip(version) {
        transaction(sql, || {
            sql.execute_batch(migration)?;
            sql.pragma_update(None, "user_version", index + 1)?;
            Ok(())
        })?;
    }
    Ok(())
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    pub(crate) sql: Connection,
}

impl Store {
    /// Prepares an opened connection: pragmas and migrations. The host opens it, because only the host knows files.
    pub fn new(sql: Connection) -> Result<Self, StoreError> {
        if sql.is_readonly("main")? {
            return Err(StoreError::ReadOnly);
        }
        // One process owns the store. Before the journal's mode: a browser's file system has no shared memory, which
        // a log that others may read would need.
        sql.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        // One flush a commit; a rollback journal needs four.
        sql.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        sql.pragma_update(None, "synchronous", "FULL")?;
        sql.pragma_update(None, "foreign_keys", "OFF")?;
        sql.pragma_update(None, "cache_size", -16_000)?;
        sql.pragma_update(None, "temp_store", "MEMORY")?;
        sql.set_prepared_statement_cache_capacity(128);
        // Otherwise a statement is prepared anew for every value that its plan might depend on.
        sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        migrate(&sql, MIGRATIONS)?;
        Ok(Self { sql })
    }

    /// Runs `work` in one durable transaction: all of it or nothing.
    pub fn transaction<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        transaction(&self.sql, work)
    }

    /// As `transaction`, for what the server will send again: a power cut may undo it together with its cursor.
    pub fn replayable_transaction<T>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.sql.pragma_update(None, "synchronous", "NORMAL")?;
        let done = self.transaction(work);
        self.sql.pragma_update(None, "synchronous", "FULL")?;
        done
    }

    pub fn meta<T: for<'b> minicbor::Decode<'b, ()>>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let mut statement = self
            .sql
            .prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
        let mut rows = statement.query([name])?;
        match rows.next()? {
            None => Ok(None),
            Some(row) => {
                let value = row.get_ref(0)?.as_blob()?;
                minicbor::decode(value)
                    .map(Some)
                    .map_err(|_| StoreError::Corrupt(format!("meta {name}")))
            }
        }
    }

    pub fn set_meta(&self, name: &str, value: &impl minicbor::Encode<()>) -> Result<(), StoreError> {
        let value = minicbor::to_vec(value).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        self.sql
            .prepare_cached("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2")?
            .execute((name, value))?;
        Ok(())
    }

    pub fn clear_meta(&self, name: &str) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("DELETE FROM meta WHERE name = ?1")?
            .execute([name])?;
        Ok(())
    }

    /// Makes SQLite refuse every write, for looking at a store that must not change.
    pub fn forbid_writing(&self, forbidden: bool) -> Result<(), StoreError> {
        Ok(self.sql.pragma_update(None, "query_only", forbidden)?)
    }

    /// The store's size in pages.
    pub fn pages(&self) -> Result<u32, StoreError> {
        Ok(self.sql.query_row("PRAGMA page_count", [], |row| row.get(0))?)
    }

    /// The largest size the store may grow to, in pages: a quota of our own before the device's disk is full.
    pub fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        self.sql
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| {
                row.get::<_, u32>(0)
            })?;
        Ok(())
    }

    /// Takes everything over from another store, row by row, into this one, which is new: how a store that is not encrypted
    /// becomes one that is, on whatever files. All of it or nothing.
    pub fn take_over(&self, from: &Self) -> Result<(), StoreError> {
        self.transaction(|| {
            // A search index is made of tables as any other, which hold all of it.
            let tables =
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'";
            let names = |store: &Self| -> Result<BTreeSet<String>, StoreError> {
                let mut statement = store.sql.prepare(tables)?;
                let names = statement.query_map([], |row| row.get(0))?;
                Ok(names.collect::<Result<_, _>>()?)
            };
            let (theirs, ours) = (names(from)?, names(self)?);
            if let Some(unknown) = theirs.iter().find(|name| !ours.contains(*name)) {
                return Err(StoreError::Corrupt(format!("no place for {unknown}")));
            }
            for table in theirs {
                self.sql.execute(&format!("DELETE FROM \"{table}\""), [])?;
                let mut read = from.sql.prepare(&format!("SELECT * FROM \"{table}\""))?;
                let columns = read.column_count();
                let places = vec!["?"; columns].join(", ");
                let mut write = self
                    .sql
                    .prepare(&format!("INSERT INTO \"{table}\" VALUES ({places})"))?;
                let mut rows = read.query([])?;
                while let Some(row) = rows.next()? {
                    for column in 0..columns {
                        write.raw_bind_parameter(column + 1, ToSqlOutput::Borrowed(row.get_ref(column)?))?;
                    }
                    write.raw_execute()?;
                }
            }
            Ok(())
        })
    }

    /// Forgets everything of the clinic. The caller has made sure that no work waits in the outbox, or the device was lost.
    pub fn wipe(&self) -> Result<(), StoreError> {
        self.clear_projections()?;
        self.sql.execute_batch(
            "DELETE FROM document; DELETE FROM outbox; DELETE FROM feed_cursor; DELETE FROM deferred; DELETE FROM redone; \
             DELETE FROM taken_over; DELETE FROM known_key; DELETE FROM meta;",
        )?;
        Ok(())
    }
}
