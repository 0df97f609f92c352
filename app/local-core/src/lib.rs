//! The device's half of the clinic: commands in, durable documents, live views out.
//!
//! Place in the flow: between the views and the server. Invariants: plain synchronous Rust that reads no clock, no
//! random source and no socket (they arrive as events, and the hosts perform the effects); one intent is one SQLite
//! transaction, and memory and screen follow only after its commit.

mod core;
mod effect;
mod event;
pub mod query;
mod store;
mod sync;

pub use core::Core;
pub use effect::{Effect, Failure};
pub use event::{Credentials, Decision, Event, HandInAnswer, PAGE_BITS};
pub use query::{Query, View};
pub use store::{Discarded, Handed, OutboxCounts, OutboxEntry, Receipt, StorageTrouble, Store, StoreError};
