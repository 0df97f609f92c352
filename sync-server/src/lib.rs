//! The server: devices sync with it, it keeps what they wrote, and it serves them the client.
//!
//! Place in the flow: session, authorize, accept, fan-out. Invariants: only accept appends changes; it acknowledges and
//! fans out only after the database committed.

mod api;
pub mod config;
mod error;
mod forget_stale_sign_ins;
pub mod identity;
mod import_demonstration;
mod router;
pub mod server;
pub mod storage;
mod sync;
pub mod telemetry;

pub use import_demonstration::{ImportError, Imported, import_demonstration};

use shared_model::time::Timestamp;

/// The time of day, read at the edges only.
pub(crate) fn now() -> Timestamp {
    let since_1970 = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}
