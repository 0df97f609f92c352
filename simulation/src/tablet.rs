//! A device: a real core on a real store, what surrounds it, and the ways in which it dies.
//!
//! Invariant: what a death leaves is what lay in the store's files at that moment, no more and no less.

use local_core::{Core, Event, Store, StoreError};
use rusqlite::Connection;
use shared_model::ids::DeviceId;
use shared_model::late_work::HandIn;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::promise::Promise;

pub(crate) struct Tablet {
    pub(crate) device: DeviceId,
    /// Whose it is, by the number of the person.
    pub(crate) person: usize,
    pub(crate) core: Option<Core>,
    fuse: Arc<Fuse>,
    file: PathBuf,
    /// What its clock says less what it is, in milliseconds.
    pub(crate) clock: i64,
    /// When its core wants to be woken, in milliseconds of the run.
    pub(crate) wake: Option<i64>,
    pub(crate) link: Option<u64>,
    /// A socket is being opened: what will become of it is among the events.
    pub(crate) opening: bool,
    /// Without a network.
    pub(crate) offline: bool,
    /// What its host will tell the core.
    pub(crate) events: VecDeque<Event>,
    /// What is on its way to the server beside the socket.
    pub(crate) requests: Vec<Request>,
    pub(crate) wants_sign_in: bool,
    /// Its person has taken it over and not signed in yet.
    pub(crate) is_new_to_it: bool,
    pub(crate) full: bool,
    pub(crate) old_build: bool,
    pub(crate) tickets: u64,
    pub(crate) promises: Vec<Promise>,
    pub(crate) deaths: u32,
}

/// A request over HTTP.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Renew { refresh_token: String },
    HandIn { access_token: String, work: HandIn },
}

/// Burns down with the work of the database; at its end the device is dead, and what its files are then is kept aside.
#[derive(Default)]
pub(crate) struct Fuse {
    left: AtomicI64,
    burnt: AtomicBool,
    at_commit: AtomicBool,
}

const WATCH_STATUS: u64 = 1;

/// Instructions of SQLite between two looks at the fuse.
const LOOK_EVERY: i32 = 40;

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Copies what a crash would leave.
fn copy_files(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let (from, to) = (beside(from, suffix), beside(to, suffix));
        if from.exists() {
            std::fs::copy(&from, &to).expect("the simulation's folder can be written");
        } else if to.exists() {
            std::fs::remove_file(&to).expect("the simulation's folder can be written");
        }
    }
}

fn rename_files(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let (from, to) = (beside(from, suffix), beside(to, suffix));
        if to.exists() {
            std::fs::remove_file(&to).expect("the simulation's folder can be written");
        }
        if from.exists() {
            std::fs::rename(&from, &to).expect("the simulation's folder can be written");
        }
    }
}

/// An empty store as this build makes it, made once.
fn empty_store(folder: &Path) -> &'static [u8] {
    static STORE: OnceLock<Vec<u8>> = OnceLock::new();
    STORE.get_or_init(|| {
        let file = folder.join("empty.db");
        let sql = Connection::open(&file).expect("a file can be opened");
        drop(Store::new(sql).expect("a new store is sound"));
        std::fs::read(&file).expect("the store was written")
    })
}

impl Fuse {
    fn burns(&self, file: &Path) -> bool {
        if self.burnt.load(Ordering::Relaxed) {
            return true;
        }
        let left = self.left.load(Ordering::Relaxed);
        if left <= 0 {
            return false;
        }
        self.left.store(left - 1, Ordering::Relaxed);
        if left == 1 {
            self.burn(file);
        }
        left == 1
    }

    fn burn(&self, file: &Path) {
        copy_files(file, &beside(file, ".crash"));
        self.burnt.store(true, Ordering::Relaxed);
    }

    fn burns_at_commit(&self, file: &Path) -> bool {
        if !self.burnt.load(Ordering::Relaxed) && self.at_commit.swap(false, Ordering::Relaxed) {
            self.burn(file);
        }
        self.burnt.load(Ordering::Relaxed)
    }
}

impl Tablet {
    pub(crate) fn new(folder: &Path, number: usize, person: usize, device: DeviceId) -> Self {
        let file = folder.join(format!("device-{number}.db"));
        std::fs::write(&file, empty_store(folder)).expect("the simulation's folder can be written");
        Self {
            device,
            person,
            core: None,
            fuse: Arc::default(),
            file,
            clock: 0,
            wake: None,
            link: None,
            opening: false,
            offline: false,
            events: VecDeque::new(),
            requests: Vec::new(),
            wants_sign_in: false,
            is_new_to_it: false,
            full: false,
            old_build: false,
            tickets: 0,
            promises: Vec::new(),
            deaths: 0,
        }
    }

    /// Starts the program on its files.
    pub(crate) fn start(&mut self) -> Result<(), StoreError> {
        let sql = self.open_file()?;
        self.fuse = Arc::default();
        let (fuse, file) = (Arc::clone(&self.fuse), self.file.clone());
        sql.progress_handler(LOOK_EVERY, Some(move || fuse.burns(&file)))?;
        let (fuse, file) = (Arc::clone(&self.fuse), self.file.clone());
        sql.commit_hook(Some(move || fuse.burns_at_commit(&file)))?;
        self.core = Some(Core::new(Store::new(sql)?)?);
        Ok(())
    }

    fn open_file(&self) -> Result<Connection, StoreError> {
        let sql = Connection::open(&self.file)?;
        // Two windows on one store are told at once; nobody else ever locks it.
        sql.busy_timeout(std::time::Duration::ZERO)?;
        Ok(sql)
    }

    /// What a second window is told that wants the same store.
    pub(crate) fn open_second_window(&self) -> Result<(), StoreError> {
        Core::new(Store::new(self.open_file()?)?).map(drop)
    }

    pub(crate) fn watch() -> Event {
        Event::Watch {
            watch: WATCH_STATUS,
            query: local_core::Query::Status,
        }
    }

    /// From now on the device dies after so much work of its database.
    pub(crate) fn light_fuse(&self, work: i64) {
        self.fuse.left.store(work, Ordering::Relaxed);
    }

    /// The device dies when it commits next.
    pub(crate) fn light_fuse_at_commit(&self) {
        self.fuse.at_commit.store(true, Ordering::Relaxed);
    }

    pub(crate) fn put_out_fuse(&self) {
        self.fuse.left.store(0, Ordering::Relaxed);
        self.fuse.at_commit.store(false, Ordering::Relaxed);
    }

    pub(crate) fn has_burnt(&self) -> bool {
        self.fuse.burnt.load(Ordering::Relaxed)
    }

    /// The program dies. Everything that was not in its files is gone.
    pub(crate) fn die(&mut self) {
        let crash = beside(&self.file, ".crash");
        if !self.has_burnt() {
            copy_files(&self.file, &crash);
        }
        // Closing in order would tidy up the files; a dead program tidies up nothing.
        self.core = None;
        rename_files(&crash, &self.file);
        self.wake = None;
        self.link = None;
        self.opening = false;
        self.events.clear();
        self.requests.clear();
        self.wants_sign_in = false;
        self.full = false;
        self.deaths += 1;
    }

    /// The program ends in order.
    pub(crate) fn stop(&mut self) {
        self.core = None;
        self.link = None;
    }

    /// The files of a device whose program does not run.
    pub(crate) fn look_into(&self) -> rusqlite::Result<Connection> {
        debug_assert!(self.core.is_none(), "one process owns the store");
        Connection::open(&self.file)
    }
}
