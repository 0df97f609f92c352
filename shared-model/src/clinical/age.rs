//! Age as clinics write it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Completed years, months of the started year, and days of the started month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Age {
    pub years: i16,
    pub months: i8,
    pub days: i8,
}

/// `None` if the birth date lies in the future.
pub fn age_on(born: Date, today: Date) -> Option<Age> {
    if born > today {
        return None;
    }
    let span = born.until((jiff::Unit::Year, today)).ok()?;
    Some(Age {
        years: span.get_years(),
        months: i8::try_from(span.get_months()).ok()?,
        days: i8::try_from(span.get_days()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn ages() {
        let check = |born, expected: Option<(i16, i8, i8)>| {
            assert_eq!(
                age_on(born, date(2026, 11, 23)),
                expected.map(|(years, months, days)| Age { years, months, days })
            );
        };
        check(date(2020, 9, 20), Some((6, 2, 3)));
        check(date(2026, 11, 23), Some((0, 0, 0)));
        check(date(2026, 11, 24), None);
        check(date(2024, 2, 29), Some((2, 8, 25)));
    }
}
