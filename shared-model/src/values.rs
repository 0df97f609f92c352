//! Values that cannot be invalid once they exist. Invariant: `parse` is the only way in for what a person typed.

use crate::time::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a typed value was not taken; the screens have a sentence for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Invalid {
    #[error("nothing was typed")]
    Empty,
    #[error("not a number")]
    NotANumber,
    #[error("below what is possible")]
    TooSmall,
    #[error("above what is possible")]
    TooLarge,
    #[error("too long")]
    TooLong,
    #[error("has characters that do not belong")]
    BadCharacters,
    #[error("not a date")]
    NotADate,
    #[error("in the future")]
    InFuture,
    #[error("before anybody could have noted it")]
    TooLongAgo,
}

/// Body weight. Kept in kilograms as typed, so that 19.40 stays 19.40.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weight(Decimal);

/// One avoirdupois pound in kilograms: exact by the international agreement of 1959.
const KG_PER_LB: Decimal = Decimal::from_parts(45_359_237, 0, 0, false, 8);

impl Weight {
    /// From kilograms: more than 0, at most 2,500 (a heavy draught horse is 1,200).
    pub fn kg(kg: Decimal) -> Result<Self, Invalid> {
        if kg <= Decimal::ZERO {
            Err(Invalid::TooSmall)
        } else if kg > Decimal::from(2_500) {
            Err(Invalid::TooLarge)
        } else {
            Ok(Self(kg))
        }
    }

    /// Reads "19.4", "19,4 kg", "35 g" or "42.8 lb".
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim().to_lowercase().replace(',', ".");
        let split = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let number = decimal(number)?;
        match unit.trim() {
            "" | "kg" | "kgs" => Self::kg(number),
            "g" => Self::kg(number / Decimal::from(1000)),
            "lb" | "lbs" => Self::kg((number * KG_PER_LB).round_dp(3)),
            _ => Err(Invalid::BadCharacters),
        }
    }

    pub fn in_kg(self) -> Decimal {
        self.0
    }

    pub fn in_lb(self) -> Decimal {
        (self.0 / KG_PER_LB).round_dp(2)
    }

    /// For charts only; everything that is computed uses the decimal.
    pub fn approximate_kg(self) -> f64 {
        self.0.to_f64().unwrap_or(0.0)
    }

    /// Change from `earlier` to this weight, in percent with one decimal.
    pub fn percent_since(self, earlier: Self) -> Decimal {
        ((self.0 - earlier.0) * Decimal::ONE_HUNDRED / earlier.0).round_dp(1)
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads a decimal with a point or a comma.
pub fn decimal(text: &str) -> Result<Decimal, Invalid> {
    let text = text.trim().replace(',', ".");
    if text.is_empty() {
        return Err(Invalid::Empty);
    }
    if text.len() > 20 {
        return Err(Invalid::TooLong);
    }
    Decimal::from_str_exact(&text).map_err(|_| Invalid::NotANumber)
}

/// An animal's transponder number. ISO 11784 numbers have 15 digits; nine digits and ten letters or digits exist
/// from before the standard and are taken with a remark, never rejected.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Microchip(String);

/// What the form of a microchip number tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MicrochipForm {
    /// 15 digits, first three below 900: a country.
    IsoCountry,
    /// 15 digits, first three from 900: a manufacturer.
    IsoManufacturer,
    /// 999…: a test transponder, not a registered animal.
    Test,
    /// Nine digits or ten letters and digits: older than the standard.
    Legacy,
    /// Anything else somebody read off a scanner.
    Unusual,
}

impl Microchip {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let chip: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '*'))
            .collect();
        if chip.is_empty() {
            Err(Invalid::Empty)
        } else if chip.len() > 23 {
            Err(Invalid::TooLong)
        } else if !chip.chars().all(|c| c.is_ascii_alphanumeric()) {
            Err(Invalid::BadCharacters)
        } else {
            Ok(Self(chip.to_ascii_uppercase()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn form(&self) -> MicrochipForm {
        let digits = self.0.bytes().all(|b| b.is_ascii_digit());
        match (digits, self.0.len()) {
            (true, 15) if self.0.starts_with("999") => MicrochipForm::Test,
            (true, 15) if self.0.as_bytes()[0] == b'9' => MicrochipForm::IsoManufacturer,
            (true, 15) => MicrochipForm::IsoCountry,
            (true, 9) | (_, 10) => MicrochipForm::Legacy,
            _ => MicrochipForm::Unusual,
        }
    }
}

/// A telephone number as a person writes it, with at least four digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            return Err(Invalid::Empty);
        }
        if text.len() > 40 {
            return Err(Invalid::TooLong);
        }
        if !text.chars().all(|c| c.is_ascii_digit() || " +-()./".contains(c)) {
            return Err(Invalid::BadCharacters);
        }
        if text.bytes().filter(u8::is_ascii_digit).count() < 4 {
            return Err(Invalid::TooSmall);
        }
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Only the digits of a number, as search compares them.
pub fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// An address that mail can be sent to. Deliberately loose: the proof is a message that arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::Empty);
        }
        if text.len() > 254 {
            return Err(Invalid::TooLong);
        }
        let well_formed = text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && !domain.contains('@')
        });
        if !well_formed || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Invalid::BadCharacters);
        }
        Ok(Self(text.to_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// No animal in anybody's care was born before, and no clinic's record is older.
const FIRST_DAY: Date = date(1900, 1, 1);
/// How far a clock may be ahead, and how much later a day begins somewhere else.
const CLOCK_TOLERANCE_MS: i64 = 24 * 3_600_000;

/// A day on which something has happened: from 1900 on, and not in the future as `now` tells it.
pub fn past_day(day: Date, now: Timestamp) -> Result<Date, Invalid> {
    let latest = Timestamp(now.0.saturating_add(CLOCK_TOLERANCE_MS)).date_in(&TimeZone::UTC);
    if day > latest {
        Err(Invalid::InFuture)
    } else if day < FIRST_DAY {
        Err(Invalid::TooLongAgo)
    } else {
        Ok(day)
    }
}

/// A moment at which something has happened, by the same measure.
pub fn past_moment(at: Timestamp, now: Timestamp) -> Result<Timestamp, Invalid> {
    if at.0 > now.0.saturating_add(CLOCK_TOLERANCE_MS) {
        Err(Invalid::InFuture)
    } else if at.date_in(&TimeZone::UTC) < FIRST_DAY {
        Err(Invalid::TooLongAgo)
    } else {
        Ok(at)
    }
}

/// One line that a person typed: trimmed, inner blanks single, at most `max` characters, no control characters.
pub fn line(text: &str, max: usize) -> Result<String, Invalid> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        Err(Invalid::Empty)
    } else if text.chars().count() > max {
        Err(Invalid::TooLong)
    } else if text.chars().any(char::is_control) {
        Err(Invalid::BadCharacters)
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_as_people_type_them() {
        let check = |typed: &str, kg: &str| {
            assert_eq!(
                Weight::parse(typed).map(|w| w.to_string()),
                Ok(kg.to_owned()),
                "{typed}"
            );
        };
        check("19.4", "19.4");
        check(" 19,40 kg", "19.40");
        check("35 g", "0.035");
        check("42.8 lb", "19.414");
        check("2500", "2500");
        for (typed, why) in [
            ("", Invalid::Empty),
            ("0", Invalid::TooSmall),
            ("-3", Invalid::TooSmall),
            ("2501", Invalid::TooLarge),
            ("12 stone", Invalid::BadCharacters),
            ("1.2.3", Invalid::NotANumber),
        ] {
            assert_eq!(Weight::parse(typed), Err(why), "{typed}");
        }
    }

    #[test]
    fn microchips_are_flagged_not_rejected() {
        let form = |chip: &str| Microchip::parse(chip).expect("taken").form();
        assert_eq!(form("203 164 000 123 456"), MicrochipForm::IsoCountry);
        assert_eq!(form("985112345678903"), MicrochipForm::IsoManufacturer);
        assert_eq!(form("999000000000001"), MicrochipForm::Test);
        assert_eq!(form("123456789"), MicrochipForm::Legacy);
        assert_eq!(form("0a1b2c3d4e"), MicrochipForm::Legacy);
        assert_eq!(form("12345"), MicrochipForm::Unusual);
        assert_eq!(Microchip::parse("98511234567890é"), Err(Invalid::BadCharacters));
    }

    #[test]
    fn days_and_moments_that_can_have_been() {
        let noon = Timestamp::at_wall_clock(date(2026, 11, 23), 12 * 60, &TimeZone::UTC);
        let check = |day, expected: Option<Invalid>| assert_eq!(past_day(day, noon).err(), expected, "{day}");
        check(date(2026, 11, 23), None);
        check(date(2026, 11, 24), None);
        check(date(2026, 11, 25), Some(Invalid::InFuture));
        check(date(9999, 12, 31), Some(Invalid::InFuture));
        check(date(1900, 1, 1), None);
        check(date(1899, 12, 31), Some(Invalid::TooLongAgo));
        let check = |at, expected: Option<Invalid>| {
            assert_eq!(past_moment(Timestamp(at), noon).err(), expected, "{at}");
        };
        check(noon.0 + CLOCK_TOLERANCE_MS, None);
        check(noon.0 + CLOCK_TOLERANCE_MS + 1, Some(Invalid::InFuture));
        check(0, None);
        check(-2_208_988_800_000, None);
        check(-2_208_988_800_001, Some(Invalid::TooLongAgo));
        check(i64::MIN, Some(Invalid::TooLongAgo));
        check(i64::MAX, Some(Invalid::InFuture));
    }

    #[test]
    fn emails_and_phones() {
        assert!(
            Email::parse("Petra.Novak@example.org").is_ok_and(|e| e.as_str() == "petra.novak@example.org")
        );
        for bad in ["petra", "petra@", "@x.org", "a b@x.org", "a@b@c.org", "a@.org"] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
        assert!(Phone::parse("+420 601 555 014").is_ok());
        assert_eq!(Phone::parse("call me"), Err(Invalid::BadCharacters));
        assert_eq!(Phone::parse("+ 1"), Err(Invalid::TooSmall));
    }
}
