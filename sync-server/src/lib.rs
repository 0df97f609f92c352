//! The server: devices sync with it, it keeps what they wrote, and it serves them the client.
//!
//! Place in the flow: session, authorize, accept, fan-out. Invariants: only accept appends changes; it acknowledges and
//! fans out only after the database committed.

pub mod administer;
mod api;
pub mod at_rest;
mod clock;
mod compact_history;
pub mod config;
pub mod erase_person;
mod error;
mod forget_stale_sign_ins;
mod heavy_work;
pub mod identity;
mod import_demonstration;
pub mod in_process;
mod invite;
pub mod mail;
mod open_clinic;
mod router;
pub mod server;
pub mod storage;
pub mod sync;
pub mod telemetry;
pub mod tls;
pub mod trail;

pub use clock::Clock;
pub use compact_history::{Compacted, KeepChanges, compact_history};
pub use heavy_work::HeavyWork;
pub use import_demonstration::{ImportError, Imported, import_demonstration};
