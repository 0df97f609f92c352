//! ClinicProfile: what everybody of a clinic may know, owners too.

use super::{Document, Problem};
use crate::time::zone;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Minutes after midnight; `closed` is a pause inside the day, as lunch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningHours {
    pub opens: i16,
    pub closes: i16,
    pub pause: Option<(i16, i16)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClinicProfile {
    pub name: String,
    pub phone: String,
    pub email: String,
    pub address: String,
    /// IANA name.
    pub time_zone: String,
    /// Monday first; `None` is a closed day.
    pub hours: [Option<OpeningHours>; 7],
}

impl ClinicProfile {
    pub fn read(doc: &Document) -> (Self, Vec<Problem>) {
        let fields = doc.fields();
        let mut problems = Vec::new();
        let text = |key: &str| fields.text(key).unwrap_or_default().to_owned();
        let mut hours = [None; 7];
        for (day, slot) in hours.iter_mut().enumerate() {
            *slot = fields
                .parsed(&format!("hours/{}", day + 1), &mut problems, parse_hours)
                .flatten();
        }
        let profile = Self {
            name: text("name"),
            phone: text("phone"),
            email: text("email"),
            address: text("address"),
            time_zone: fields.text("time_zone").unwrap_or("UTC").to_owned(),
            hours,
        };
        (profile, problems)
    }

    pub fn zone(&self) -> TimeZone {
        zone(&self.time_zone)
    }
}

/// "08:00-18:00", with a pause "08:00-12:30,13:30-18:00", or "closed".
fn parse_hours(text: &str) -> Option<Option<OpeningHours>> {
    if text == "closed" {
        return Some(None);
    }
    let span = |text: &str| {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minutes(from)?, minutes(to)?);
        (from < to).then_some((from, to))
    };
    match text.split_once(',') {
        None => span(text).map(|(opens, closes)| {
            Some(OpeningHours {
                opens,
                closes,
                pause: None,
            })
        }),
        Some((morning, afternoon)) => {
            let ((opens, pause_from), (pause_to, closes)) = (span(morning)?, span(afternoon)?);
            (pause_from < pause_to).then_some(Some(OpeningHours {
                opens,
                closes,
                pause: Some((pause_from, pause_to)),
            }))
        }
    }
}

/// The stored form of one day's hours.
pub(crate) fn write_hours(hours: Option<OpeningHours>) -> String {
    let clock = |minutes: i16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    match hours {
        None => "closed".to_owned(),
        Some(OpeningHours {
            opens,
            closes,
            pause: None,
        }) => format!("{}-{}", clock(opens), clock(closes)),
        Some(OpeningHours {
            opens,
            closes,
            pause: Some((from, to)),
        }) => {
            format!("{}-{},{}-{}", clock(opens), clock(from), clock(to), clock(closes))
        }
    }
}

fn minutes(clock: &str) -> Option<i16> {
    let (hours, minutes) = clock.trim().split_once(':')?;
    let (hours, minutes) = (hours.parse::<i16>().ok()?, minutes.parse::<i16>().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_survive_writing_and_reading() {
        for hours in [
            None,
            Some(OpeningHours {
                opens: 480,
                closes: 1080,
                pause: None,
            }),
            Some(OpeningHours {
                opens: 480,
                closes: 1080,
                pause: Some((750, 810)),
            }),
        ] {
            assert_eq!(parse_hours(&write_hours(hours)), Some(hours));
        }
        for odd in [
            "",
            "8-18",
            "18:00-08:00",
            "08:00-25:00",
            "08:00-12:00,11:00-18:00",
        ] {
            assert_eq!(parse_hours(odd), None, "{odd}");
        }
    }
}
