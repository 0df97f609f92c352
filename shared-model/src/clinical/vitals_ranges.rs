//! Reference ranges of vital signs for adults at rest.
//!
//! Source of the default rows: the clinic handbook ranges gathered in the project's domain notes; published sources
//! disagree by a few units, so a reading outside is marked, never refused. What is physically impossible is refused.

use crate::documents::{Species, word_enum};
use crate::values::{self, Invalid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

word_enum! {
    /// A measured sign, by the key it is stored under.
    VitalSign {
        /// °C
        Temperature = "temperature_c",
        /// /min
        HeartRate = "heart_rate",
        /// /min
        RespiratoryRate = "respiratory_rate",
        /// 1 to 9
        BodyCondition = "body_condition",
        /// seconds
        CapillaryRefill = "capillary_refill_s",
    }
}

/// What a reading is in its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Judgement {
    InRange,
    Below(Decimal),
    Above(Decimal),
}

/// Lowest and highest usual value, in tenths of the sign's unit.
const RANGES: &[(Species, VitalSign, i64, i64)] = &[
    (Species::Dog, VitalSign::Temperature, 375, 392),
    (Species::Dog, VitalSign::HeartRate, 600, 1400),
    (Species::Dog, VitalSign::RespiratoryRate, 100, 340),
    (Species::Cat, VitalSign::Temperature, 378, 392),
    (Species::Cat, VitalSign::HeartRate, 1200, 2200),
    (Species::Cat, VitalSign::RespiratoryRate, 200, 400),
    (Species::Rabbit, VitalSign::Temperature, 385, 400),
    (Species::Rabbit, VitalSign::HeartRate, 1200, 2200),
    (Species::Rabbit, VitalSign::RespiratoryRate, 300, 600),
    (Species::Ferret, VitalSign::Temperature, 378, 400),
    (Species::Ferret, VitalSign::HeartRate, 2000, 4000),
    (Species::Ferret, VitalSign::RespiratoryRate, 330, 360),
    (Species::GuineaPig, VitalSign::Temperature, 372, 395),
    (Species::GuineaPig, VitalSign::HeartRate, 2400, 3100),
    (Species::GuineaPig, VitalSign::RespiratoryRate, 420, 1050),
    (Species::Horse, VitalSign::HeartRate, 280, 400),
    (Species::Horse, VitalSign::RespiratoryRate, 100, 140),
];

/// The usual range for a species; `None` where the table has no row.
pub fn range_of(species: Species, sign: VitalSign) -> Option<(Decimal, Decimal)> {
    match sign {
        // The ideal is 4 to 5 of 9; a refill of 2 s and more is delayed in every mammal.
        VitalSign::BodyCondition => Some((Decimal::from(4), Decimal::from(5))),
        VitalSign::CapillaryRefill => Some((Decimal::ZERO, Decimal::from(2))),
        _ => RANGES
            .iter()
            .find(|row| row.0 == species && row.1 == sign)
            .map(|row| (Decimal::new(row.2, 1), Decimal::new(row.3, 1))),
    }
}

pub fn judge_reading(species: Species, sign: VitalSign, reading: Decimal) -> Option<Judgement> {
    let (low, high) = range_of(species, sign)?;
    Some(if reading < low {
        Judgement::Below(low)
    } else if reading > high {
        Judgement::Above(high)
    } else {
        Judgement::InRange
    })
}

impl VitalSign {
    /// Reads what was typed and refuses what no living animal shows.
    pub fn parse(self, text: &str) -> Result<Decimal, Invalid> {
        let reading = values::decimal(text)?;
        let (low, high) = match self {
            Self::Temperature => (Decimal::from(15), Decimal::from(46)),
            Self::HeartRate => (Decimal::ZERO, Decimal::from(800)),
            Self::RespiratoryRate => (Decimal::ZERO, Decimal::from(400)),
            Self::BodyCondition => (Decimal::ONE, Decimal::from(9)),
            Self::CapillaryRefill => (Decimal::ZERO, Decimal::from(15)),
        };
        if reading < low {
            Err(Invalid::TooSmall)
        } else if reading > high {
            Err(Invalid::TooLarge)
        } else {
            Ok(reading)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_marked() {
        let check = |species, sign: VitalSign, typed: &str, expected: Option<Judgement>| {
            let reading = sign.parse(typed).expect("possible");
            assert_eq!(judge_reading(species, sign, reading), expected, "{typed}");
        };
        check(
            Species::Dog,
            VitalSign::Temperature,
            "39.2",
            Some(Judgement::InRange),
        );
        check(
            Species::Dog,
            VitalSign::Temperature,
            "39,6",
            Some(Judgement::Above(Decimal::new(392, 1))),
        );
        check(
            Species::Cat,
            VitalSign::HeartRate,
            "110",
            Some(Judgement::Below(Decimal::from(120))),
        );
        check(Species::Reptile, VitalSign::HeartRate, "30", None);
    }

    #[test]
    fn the_impossible_is_refused() {
        assert_eq!(VitalSign::Temperature.parse("396"), Err(Invalid::TooLarge));
        assert_eq!(VitalSign::BodyCondition.parse("0"), Err(Invalid::TooSmall));
    }
}
