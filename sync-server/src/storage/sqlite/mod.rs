//! The embedded database: one file, one writer thread, a few readers. For one clinic on one machine, with no set-up.
//!
//! Invariant: an accept is on the disk (`synchronous = full`) before it is acknowledged.

mod accept;
mod accounts;
mod at_rest;
mod compact;
mod devices;
mod erasure;
mod factors;
mod feeds;
mod identity;
mod invitations;
mod late_work;
mod listen;
mod mail;
mod seal_people;
mod seal_trails;
mod trail;
mod ways_in;

use super::{Storage, StorageError, Stored};
use crate::at_rest::{AtRest, MasterKeys};
use crate::heavy_work::HeavyWork;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, Semaphore, oneshot};

const MIGRATIONS: &[&str] = &[
    include_str!("../../../../migrations/server/sqlite/0001_foundation.sql"),
    include_str!("../../../../migrations/server/sqlite/0002_refresh_repeats.sql"),
    include_str!("../../../../migrations/server/sqlite/0003_compaction.sql"),
    include_str!("../../../../migrations/server/sqlite/0004_people.sql"),
    include_str!("../../../../migrations/server/sqlite/0006_at_rest.sql"),
    include_str!("../../../../migrations/server/sqlite/0005_authorship_and_trail.sql"),
    include_str!("../../../../migrations/server/sqlite/0009_signed_changes.sql"),
    include_str!("../../../../migrations/server/sqlite/0010_ways_in.sql"),
    include_str!("../../../../migrations/server/sqlite/0011_late_work.sql"),
    include_str!("../../../../migrations/server/sqlite/0012_sign_ins_end.sql"),
    include_str!("../../../../migrations/server/sqlite/0013_second_factors.sql"),
    include_str!("../../../../migrations/server/sqlite/0014_sealed_people.sql"),
    include_str!("../../../../migrations/server/sqlite/0015_sealed_trail.sql"),
    include_str!("../../../../migrations/server/sqlite/0016_trail_filters.sql"),
];
const READERS: usize = 4;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

pub struct SqliteStorage {
    writer: Writer,
    readers: Arc<Readers>,
    at_rest: Arc<AtRest>,
    heavy_work: HeavyWork,
}

/// Hands work to the writing connection.
#[derive(Clone)]
struct Writer {
    jobs: Jobs,
    /// Whoever holds it has the connection to himself, across several jobs of one transaction.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone)]
enum Jobs {
    /// To the thread that owns the connection.
    Thread(mpsc::Sender<Job>),
    InPlace(Arc<Mutex<Connection>>),
}

struct Readers {
    idle: Mutex<Vec<Connection>>,
    free: Arc<Semaphore>,
}

impl SqliteStorage {
    /// Opens or creates the database and brings it to this build's form.
    pub fn open(path: &Path, masters: MasterKeys) -> Stored<Self> {
        Self::open_with(path, masters, HeavyWork::OnThreads)
    }

    pub fn open_with(path: &Path, masters: MasterKeys, heavy_work: HeavyWork) -> Stored<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| StorageError::Failed(format!("{}: {error}", folder.display())))?;
        }
        let mut connection = Connection::open(path)?;
        prepare(&connection)?;
        connection.execute_batch(
            "pragma auto_vacuum = incremental; pragma journal_mode = wal; pragma synchronous = full;
             pragma cache_size = -16000; pragma secure_delete = on;",
        )?;
        let at_rest = Arc::new(AtRest::new(masters));
        migrate(&mut connection)?;
        seal_trails::seal_trails(&mut connection, &at_rest)?;
        seal_people::seal_people(&mut connection, &at_rest)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let readers = match heavy_work {
            HeavyWork::OnThreads => READERS,
            HeavyWork::InPlace => 1,
        };
        let mut idle = Vec::with_capacity(readers);
        for _ in 0..readers {
            let reader = Connection::open_with_flags(path, flags)?;
            prepare(&reader)?;
            reader.execute_batch("pragma cache_size = -4000;")?;
            idle.push(reader);
        }
        let jobs = match heavy_work {
            HeavyWork::OnThreads => Jobs::Thread(writer_thread(connection)?),
            HeavyWork::InPlace => Jobs::InPlace(Arc::new(Mutex::new(connection))),
        };
        Ok(Self {
            writer: Writer {
                jobs,
                turn: Arc::default(),
            },
            readers: Arc::new(Readers {
                idle: Mutex::new(idle),
                free: Arc::new(Semaphore::new(readers)),
            }),
            at_rest,
            heavy_work,
        })
    }

    /// Reads off the async threads, all in one snapshot of the database.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        read_with(&self.readers, self.heavy_work, read).await
    }

    /// One short transaction of its own.
    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        let _turn = self.writer.turn().await;
        self.writer
            .run(move |connection| {
                let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                let result = write(&tx)?;
                tx.commit()?;
                Ok(result)
            })
            .await
    }
}

impl Writer {
    async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        let (answer, answered) = oneshot::channel();
        self.send(move |connection| {
            // Nobody waits any more if the asking task was dropped.
            let _ = answer.send(job(connection));
        })?;
        answered
            .await
            .map_err(|_| StorageError::Failed("the writer thread ended".to_owned()))?
    }

    fn send(&self, job: impl FnOnce(&mut Connection) + Send + 'static) -> Stored<()> {
        match &self.jobs {
            Jobs::Thread(jobs) => jobs
                .send(Box::new(job))
                .map_err(|_| StorageError::Failed("the writer thread ended".to_owned())),
            Jobs::InPlace(connection) => {
                job(&mut lock(connection));
                Ok(())
            }
        }
    }
}

fn writer_thread(mut connection: Connection) -> Stored<mpsc::Sender<Job>> {
    let (jobs, waiting) = mpsc::channel::<Job>();
    std::thread::Builder::new()
        .name("sqlite-writer".to_owned())
        .spawn(move || {
            while let Ok(job) = waiting.recv() {
                job(&mut connection);
            }
        })
        .map_err(|error| StorageError::Failed(error.to_string()))?;
    Ok(jobs)
}

async fn read_with<T: Send + 'static>(
    readers: &Arc<Readers>,
    heavy_work: HeavyWork,
    read: impl FnOnce(&Connection) -> Stored<T> + Send + 'static,
) -> Stored<T> {
    let readers = Arc::clone(readers);
    let permit = Arc::clone(&readers.free)
        .acquire_owned()
        .await
        .map_err(|_| StorageError::Away("closing".to_owned()))?;
    let work = move || {
        let _permit = permit;
        let connection = lock(&readers.idle)
            .pop()
            .ok_or_else(|| StorageError::Failed("no reader is idle".to_owned()))?;
        let result = in_snapshot(&connection, read);
        lock(&readers.idle).push(connection);
        result
    };
    heavy_work
        .run(work)
        .await
        .map_err(|error| StorageError::Failed(error.to_string()))?
}

fn in_snapshot<T>(connection: &Connection, read: impl FnOnce(&Connection) -> Stored<T>) -> Stored<T> {
    let snapshot = connection.unchecked_transaction()?;
    let result = read(&snapshot);
    snapshot.finish()?;
    result
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn prepare(connection: &Connection) -> Stored<()> {
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Otherwise a statement is prepared anew for every value that its plan might depend on.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn migrate(connection: &mut Connection) -> Stored<()> {
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let done: usize = tx.query_row("pragma user_version", [], |row| row.get(0))?;
    if done > MIGRATIONS.len() {
        return Err(StorageError::Failed(
            "the database was written by a newer build".to_owned(),
        ));
    }
    for migration in &MIGRATIONS[done..] {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", MIGRATIONS.len())?;
    tx.commit()?;
    Ok(())
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure};
        match error.sqlite_error_code() {
            Some(CannotOpen | DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure) => {
                Self::Away(error.to_string())
            }
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// A 16-byte column.
fn id<T>(row: &rusqlite::Row<'_>, column: usize, make: impl Fn(uuid::Uuid) -> T) -> rusqlite::Result<T> {
    let bytes: [u8; 16] = row.get(column)?;
    Ok(make(uuid::Uuid::from_bytes(bytes)))
}

const _: fn() = || {
    fn is_storage<T: Storage>() {}
    is_storage::<SqliteStorage>();
};
