//! The device's databases as files in a folder of this computer's user.
//!
//! Invariant: a database goes with everything that SQLite keeps beside it.

use crate::host::vault::Files;
use local_core::StoreError;
use rusqlite::Connection;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

pub(in crate::host) struct Folder(PathBuf);

impl Folder {
    pub(in crate::host) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    fn file(&self, name: &str, beside: &str) -> PathBuf {
        self.0.join(format!("{name}{beside}"))
    }
}

impl Files for Folder {
    fn exists(&self, name: &str) -> bool {
        self.file(name, "").exists()
    }

    fn open(&self, name: &str) -> Result<Connection, StoreError> {
        Ok(Connection::open(self.file(name, ""))?)
    }

    /// What is deleted may have been readable: it is written over first, as far as the disk lets anybody do that.
    fn delete(&self, name: &str) -> Result<(), StoreError> {
        // The log first: alone it says nothing, but a database must not find one that is another's.
        for beside in ["-wal", "-shm", "-journal", ""] {
            let path = self.file(name, beside);
            match std::fs::metadata(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(trouble(&error)),
                // Each goes at once: half of one is worse than all of it.
                Ok(_) => {
                    let kept_open = File::options().write(true).open(&path);
                    std::fs::remove_file(&path).map_err(|error| trouble(&error))?;
                    if let Ok(file) = kept_open {
                        // Best effort: a disk that copies on write keeps the former blocks anyway.
                        drop(write_over(file));
                    }
                }
            }
        }
        Ok(())
    }
}

fn write_over(mut file: File) -> std::io::Result<()> {
    static NOTHING: [u8; 64 * 1024] = [0; 64 * 1024];
    let mut left = file.metadata()?.len();
    while left > 0 {
        let part = left.min(NOTHING.len() as u64);
        file.write_all(&NOTHING[..usize::try_from(part).unwrap_or(NOTHING.len())])?;
        left -= part;
    }
    file.sync_data()
}

fn trouble(error: &std::io::Error) -> StoreError {
    match super::kept::trouble(error) {
        local_core::StorageTrouble::Full => StoreError::Full,
        _ => StoreError::ReadOnly,
    }
}
