//! Moments and calendar days. Invariant: a moment is UTC milliseconds; a calendar day only exists in a time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    minicbor::Encode,
    minicbor::Decode,
)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] pub i64);

impl Timestamp {
    /// Whole seconds, as Automerge keeps a change's time.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub fn plus_minutes(self, minutes: i64) -> Self {
        Self(self.0.saturating_add(minutes.saturating_mul(60_000)))
    }

    /// Whole minutes from `earlier` to this moment; negative if it is later.
    pub fn minutes_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).div_euclid(60_000)
    }

    /// Wall-clock date and time in a zone. Moments outside the calendar (a clock that lies) clamp to its ends.
    pub fn in_zone(self, zone: &TimeZone) -> jiff::Zoned {
        jiff::Timestamp::from_millisecond(self.0)
            .unwrap_or(if self.0 < 0 {
                jiff::Timestamp::MIN
            } else {
                jiff::Timestamp::MAX
            })
            .to_zoned(zone.clone())
    }

    /// As "2026-11-23T09:51:12.345Z".
    pub fn rfc3339(self) -> String {
        self.in_zone(&TimeZone::UTC).timestamp().to_string()
    }

    pub fn date_in(self, zone: &TimeZone) -> Date {
        self.in_zone(zone).date()
    }

    /// The moment at which `minutes` after midnight is shown by a clock on the wall in `zone`. A time that a
    /// daylight-saving change skips moves forward by the gap; one that occurs twice means the first.
    pub fn at_wall_clock(date: Date, minutes: i16, zone: &TimeZone) -> Self {
        let time = jiff::civil::Time::midnight().saturating_add(jiff::SignedDuration::from_mins(i64::from(
            minutes.clamp(0, 24 * 60 - 1),
        )));
        let zoned = zone.to_ambiguous_zoned(date.to_datetime(time)).compatible();
        Self(zoned.map_or(0, |z| z.timestamp().as_millisecond()))
    }

    /// First and one-past-last moment of a calendar day in a zone.
    pub fn day_bounds(date: Date, zone: &TimeZone) -> (Self, Self) {
        let next = date.tomorrow().unwrap_or(date);
        (
            Self::at_wall_clock(date, 0, zone),
            Self::at_wall_clock(next, 0, zone),
        )
    }
}

/// The clinic's zone by its IANA name; UTC where the name is unknown, so that a screen still opens.
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_day_has_23_24_or_25_hours() {
        let prague = zone("Europe/Prague");
        let hours = |d| {
            let (from, to) = Timestamp::day_bounds(d, &prague);
            to.minutes_since(from) / 60
        };
        assert_eq!(hours(date(2026, 11, 23)), 24);
        assert_eq!(hours(date(2026, 3, 29)), 23);
        assert_eq!(hours(date(2026, 10, 25)), 25);
    }

    #[test]
    fn a_lying_clock_still_has_a_date() {
        assert_eq!(Timestamp(i64::MAX).date_in(&TimeZone::UTC).year(), 9999);
    }
}
