//! The machine that proves sync: many real cores and the real server in one thread, under one seeded scheduler, clock,
//! network and disk.
//!
//! Place in the flow: around everything but the hosts. Invariant: a run is a pure function of its seed; the same seed
//! gives the same events in the same order, on every machine.

mod dice;
mod faults;
mod hand;
mod invariant;
mod ledger;
mod link;
mod log;
mod node;
mod older_build;
mod people;
mod promise;
mod replay;
mod rest;
mod run;
mod storage;
mod tablet;
mod trouble;
mod words;
mod world;

pub use faults::{Class, Plan};
pub use invariant::{Invariant, Violation};
pub use replay::Replay;
pub use run::{Outcome, keep_panics_quiet, run};
pub use world::Counts;
