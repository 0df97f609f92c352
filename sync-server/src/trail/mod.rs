//! The trail: who did what, when, on which device, in a form that shows when anybody has altered it.

mod broken;
mod chain;
mod ends;
mod noted;
mod verify;

pub use broken::{Astray, BROKEN, Break};
pub(crate) use chain::{Chain, changes_of, link_event, link_rows, link_runs};
pub(crate) use ends::{End, Roll, Seals, seal_on};
pub use noted::{NotNoted, Noted, read_noted};
pub use verify::{Verdict, Whole, verify_roll, verify_trail};
