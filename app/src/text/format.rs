//! Dates, times, weights and ages as the clinic writes them.

use super as text;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use shared_model::clinical::Age;
use shared_model::time::Timestamp;
use std::fmt::Display;

/// Minutes after midnight as a clock shows them: "09:42".
pub(crate) fn clock(minute: i16) -> String {
    let minute = minute.rem_euclid(24 * 60);
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// "09:42" in the clinic's time zone.
pub(crate) fn time_of(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.in_zone(zone);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

/// "09:51:12", for what was just saved.
pub(crate) fn time_with_seconds(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.in_zone(zone);
    format!("{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second())
}

/// "09:42" today, "Fri 20 Nov, 09:42" on any other day.
pub(crate) fn moment(at: Timestamp, today: Date, zone: &TimeZone) -> String {
    let date = at.date_in(zone);
    if date == today {
        time_of(at, zone)
    } else {
        text::date_and_time(date_short(date, today), time_of(at, zone))
    }
}

/// "Monday 23 November"; with the year if it is another one than today's.
pub(crate) fn date_long(date: Date, today: Date) -> String {
    let (weekday, day, month) = (weekday(date), date.day(), month(date.month()));
    if date.year() == today.year() {
        text::date_with_weekday(day, month, weekday)
    } else {
        text::date_with_weekday_and_year(day, month, weekday, date.year())
    }
}

/// "Today", "Tomorrow", "Yesterday", "Fri 4 Dec"; "4 Dec 2025" in another year.
pub(crate) fn date_short(date: Date, today: Date) -> String {
    if date == today {
        text::today().to_owned()
    } else if today.tomorrow().is_ok_and(|tomorrow| date == tomorrow) {
        text::tomorrow().to_owned()
    } else if today.yesterday().is_ok_and(|yesterday| date == yesterday) {
        text::yesterday().to_owned()
    } else if date.year() == today.year() {
        text::date_with_weekday(date.day(), month_short(date.month()), weekday_short(date))
    } else {
        date_plain(date)
    }
}

/// "4 Dec 2025".
pub(crate) fn date_plain(date: Date) -> String {
    text::date_with_year(date.day(), month_short(date.month()), date.year())
}

/// "Today 10:00", "Fri 4 Dec 15:00".
pub(crate) fn when(date: Date, minute: i16, today: Date) -> String {
    text::date_and_clock(clock(minute), date_short(date, today))
}

pub(crate) fn weekday(date: Date) -> &'static str {
    match date.weekday() {
        Weekday::Monday => text::monday(),
        Weekday::Tuesday => text::tuesday(),
        Weekday::Wednesday => text::wednesday(),
        Weekday::Thursday => text::thursday(),
        Weekday::Friday => text::friday(),
        Weekday::Saturday => text::saturday(),
        Weekday::Sunday => text::sunday(),
    }
}

pub(crate) fn weekday_short(date: Date) -> &'static str {
    match date.weekday() {
        Weekday::Monday => text::mon(),
        Weekday::Tuesday => text::tue(),
        Weekday::Wednesday => text::wed(),
        Weekday::Thursday => text::thu(),
        Weekday::Friday => text::fri(),
        Weekday::Saturday => text::sat(),
        Weekday::Sunday => text::sun(),
    }
}

/// A month by its number, 1 to 12.
pub(crate) fn month(number: i8) -> &'static str {
    match number {
        1 => text::january(),
        2 => text::february(),
        3 => text::march(),
        4 => text::april(),
        5 => text::may(),
        6 => text::june(),
        7 => text::july(),
        8 => text::august(),
        9 => text::september(),
        10 => text::october(),
        11 => text::november(),
        _ => text::december(),
    }
}

pub(crate) fn month_short(number: i8) -> &'static str {
    match number {
        1 => text::jan(),
        2 => text::feb(),
        3 => text::mar(),
        4 => text::apr(),
        5 => text::may_short(),
        6 => text::jun(),
        7 => text::jul(),
        8 => text::aug(),
        9 => text::sep(),
        10 => text::oct(),
        11 => text::nov(),
        _ => text::dec(),
    }
}

/// "6 y 2 m", "11 w" for the young, "3 d" for the newborn.
pub(crate) fn age(age: Age) -> String {
    match (age.years, age.months, age.days) {
        (0, 0, days) if days < 14 => text::age_days(days),
        // Vaccination of the young is counted in weeks.
        (0, months, days) if months < 4 => {
            text::age_weeks((i32::from(months) * 30 + i32::from(months) / 2 + i32::from(days)) / 7)
        }
        (0, months, _) => text::age_months(months),
        (years, 0, _) => text::age_years(years),
        (years, months, _) => text::age_years_and_months(months, years),
    }
}

/// "19.4 kg".
pub(crate) fn weight(kg: impl Display) -> String {
    text::kilograms(kg)
}

/// "18 min", "2 h 5 min", "3 h".
pub(crate) fn minutes(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => text::minutes_only(minutes),
        (hours, 0) => text::hours_only(hours),
        (hours, minutes) => text::hours_and_minutes(hours, minutes),
    }
}

/// "10,432".
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push_str(text::thousands_separator());
        }
        grouped.push(digit);
    }
    grouped
}

/// Two letters for an avatar: "PN" for Petra Novak, leaving out a title.
pub(crate) fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter(|word| !word.ends_with('.') && *word != "Dr")
        .filter_map(|word| word.chars().next());
    let first = words.next();
    first
        .into_iter()
        .chain(words.next_back())
        .flat_map(char::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn ages_as_they_are_said() {
        let check = |years, months, days, expected: &str| {
            assert_eq!(age(Age { years, months, days }), expected);
        };
        check(0, 0, 3, "3 d");
        check(0, 2, 16, "11 w");
        check(0, 5, 0, "5 m");
        check(6, 2, 3, "6 y 2 m");
        check(11, 0, 3, "11 y");
    }

    #[test]
    fn dates_near_and_far() {
        let today = date(2026, 11, 23);
        assert_eq!(date_short(today, today), "Today");
        assert_eq!(date_short(date(2026, 11, 24), today), "Tomorrow");
        assert_eq!(date_short(date(2026, 12, 4), today), "Fri 4 Dec");
        assert_eq!(date_short(date(2025, 11, 11), today), "11 Nov 2025");
        assert_eq!(date_long(today, today), "Monday 23 November");
        assert_eq!(date_long(date(2027, 1, 2), today), "Saturday 2 January 2027");
    }

    #[test]
    fn numbers_and_clocks() {
        assert_eq!(number(7), "7");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(clock(582), "09:42");
        assert_eq!(minutes(125), "2 h 5 min");
        assert_eq!(initials("Dr Ana Maria Moreno"), "AM");
        assert_eq!(initials("Petra"), "P");
    }
}
