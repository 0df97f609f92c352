//! How a weight compares with the one before: a real change, or kilograms mistaken for pounds.

use crate::time::Timestamp;
use crate::values::Weight;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightChange {
    pub kg: Decimal,
    pub percent: Decimal,
    pub days: i64,
    /// The ratio is about 2.2 or its inverse: pounds were probably typed as kilograms or the other way round.
    pub looks_like_other_unit: bool,
}

/// `earlier` and `later` with the moments they were taken.
pub fn weight_change(earlier: (Weight, Timestamp), later: (Weight, Timestamp)) -> WeightChange {
    let (from, to) = (earlier.0.in_kg(), later.0.in_kg());
    let ratio = if from > to { from / to } else { to / from };
    WeightChange {
        kg: to - from,
        percent: later.0.percent_since(earlier.0),
        days: later.1.minutes_since(earlier.1) / (24 * 60),
        looks_like_other_unit: ratio >= Decimal::new(205, 2) && ratio <= Decimal::new(236, 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pounds_for_kilograms() {
        let check = |from: &str, to: &str, expected: bool| {
            let parse = |text| Weight::parse(text).expect("a weight");
            let change = weight_change((parse(from), Timestamp(0)), (parse(to), Timestamp(0)));
            assert_eq!(change.looks_like_other_unit, expected, "{from} {to}");
        };
        check("20", "44", true);
        check("44", "20", true);
        check("20", "19", false);
        check("2", "5", false); // a puppy
    }
}
