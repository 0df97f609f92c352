//! The device's databases as files of the browser's origin-private file system, which a pool keeps open.
//!
//! Invariant: whatever is opened here goes through the layer that can encrypt; a database without a key is as it was.

use crate::host::vault::Files;
use local_core::StoreError;
use rusqlite::Connection;
use sqlite_wasm_vfs::sahpool::{OpfsSAHError, OpfsSAHPoolCfgBuilder, OpfsSAHPoolUtil, install};

const VFS: &str = "opfs-sahpool";

pub(super) struct Pool(OpfsSAHPoolUtil);

impl Pool {
    pub(super) async fn install() -> Result<Self, OpfsSAHError> {
        // Seven at most are open at once, while a former build's store is taken over: two databases with their logs,
        // the keyring with its journal, and a journal that a log takes the place of.
        let pool = OpfsSAHPoolCfgBuilder::new()
            .vfs_name(VFS)
            .directory(".clinic")
            .initial_capacity(8)
            .build();
        install::<sqlite_wasm_rs::WasmOsCallback>(&pool, true)
            .await
            .map(Self)
    }
}

impl Files for Pool {
    fn exists(&self, name: &str) -> bool {
        self.0.exists(name).unwrap_or(false)
    }

    fn open(&self, name: &str) -> Result<Connection, StoreError> {
        Ok(Connection::open(format!(
            "file:{name}?vfs=multipleciphers-{VFS}"
        ))?)
    }

    /// The pool gives the file back to itself, empty.
    fn delete(&self, name: &str) -> Result<(), StoreError> {
        for beside in ["-wal", "-journal", ""] {
            // Whether it was there does not matter; files that are open here are deleted without failure.
            drop(self.0.delete_db(&format!("{name}{beside}")));
        }
        if self.exists(name) {
            Err(StoreError::ReadOnly)
        } else {
            Ok(())
        }
    }
}
