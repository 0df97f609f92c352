//! Clinical rules as pure functions over tables. Invariant: every number carries its source, and warns without
//! blocking: sources disagree, and the person in the room decides.

mod age;
mod vitals_ranges;
mod weight_change;

pub use age::{Age, age_on};
pub use vitals_ranges::{Judgement, VitalSign, judge_reading, range_of};
pub use weight_change::{WeightChange, weight_change};
