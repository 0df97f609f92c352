//! What can go wrong with a device's store, and what a person can do about it.

use serde::{Deserialize, Serialize};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the disk is full")]
    Full,
    #[error("the store cannot be written")]
    ReadOnly,
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    #[error("another window or program has the store open")]
    InUse,
    #[error("the store was written by a newer build")]
    NewerStore,
    #[error("the store failed: {0}")]
    Other(rusqlite::Error),
}

/// The same for screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StorageTrouble {
    Full,
    ReadOnly,
    Corrupt,
    InUse,
    NewerStore,
    Other,
}

impl From<&StoreError> for StorageTrouble {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::ReadOnly => Self::ReadOnly,
            StoreError::Corrupt(_) => Self::Corrupt,
            StoreError::InUse => Self::InUse,
            StoreError::NewerStore => Self::NewerStore,
            StoreError::Other(_) => Self::Other,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            // A quota that runs out inside the browser's file system arrives as a failed write.
            Some(ErrorCode::SystemIoFailure) if is_failed_write(&error) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => Self::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error.to_string()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            _ => Self::Other(error),
        }
    }
}

fn is_failed_write(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE};
    error.sqlite_error().is_some_and(|e| {
        [SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE].contains(&e.extended_code)
            // The browser's file system says no more than this; files that are open are read there without failure.
            || (cfg!(target_family = "wasm") && e.extended_code == SQLITE_IOERR)
    })
}

impl From<rusqlite::types::FromSqlError> for StoreError {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        Self::Corrupt(error.to_string())
    }
}
