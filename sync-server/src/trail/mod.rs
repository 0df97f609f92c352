//! The trail: who did what, when, on which device, in a form that shows when anybody has altered it.

mod chain;
mod verify;

pub(crate) use chain::{beginning, link_event, link_rows, link_runs};
pub use verify::{Break, Ends, Verdict, verify_trail};
