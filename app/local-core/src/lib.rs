//! The device's half of the clinic: commands in, durable documents, live views out.
//!
//! Place in the flow: between the views and the server. Invariants: plain synchronous Rust that reads no clock, no
//! random source and no socket (they arrive as events, and the hosts perform the effects); one intent is one SQLite
//! transaction, and memory and screen follow only after its commit.

mod core;
mod effect;
mod event;
mod left_off;
pub mod query;
mod store;
mod sync;
pub mod unlock;

pub use core::Core;
pub use effect::{Effect, Failure, HasLeft};
pub use event::{Credentials, Decision, Event, HandInAnswer, KeySeed, PAGE_BITS};
pub use left_off::{HalfTyped, LeftOff};
pub use query::{Query, View};
pub use store::{
    Discarded, Handed, OutboxCounts, OutboxEntry, Receipt, Signed, StorageTrouble, Store, StoreError,
};
