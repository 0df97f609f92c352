//! Where on the day's grid something lies, and where it goes when it is moved. Pure.

use local_core::query::{DayItem, DayView, Stage};
use shared_model::documents::OpeningHours;
use shared_model::ids::AppointmentId;

use super::stage::{end_minute, length};

/// Appointments start on this grid, in minutes.
pub(super) const STEP: i16 = 10;

/// A start in a person's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub column: usize,
    pub minute: i16,
}

/// The stretch of the day that the grid shows, in minutes after midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub from: i16,
    pub to: i16,
}

impl Span {
    /// The opening hours with a margin, and whatever lies outside of them.
    pub(super) fn of(hours: Option<OpeningHours>, items: &[DayItem]) -> Self {
        let (mut from, mut to) = hours.map_or((8 * 60, 18 * 60), |hours| (hours.opens, hours.closes + 30));
        for item in items {
            from = from.min(item.start_minute);
            to = to.max(end_minute(item));
        }
        Self {
            from: from.div_euclid(60) * 60,
            to: to.min(24 * 60),
        }
    }

    pub(super) fn minutes(self) -> i16 {
        self.to - self.from
    }

    pub(super) fn hours(self) -> impl Iterator<Item = i16> {
        (self.from..self.to).step_by(60)
    }

    /// The place on the grid under a point, both measured from the grid's upper left corner in any unit.
    pub(super) fn at(self, (x, y): (f64, f64), (width, height): (f64, f64), columns: usize) -> Place {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "both are clamped before"
        )]
        let share = |value: f64, of: f64, parts: f64| {
            if of > 0.0 {
                (value / of * parts).floor().clamp(0.0, parts - 1.0) as u32
            } else {
                0
            }
        };
        let column = share(x, width, columns.max(1) as f64);
        let minute = share(y, height, f64::from(self.minutes().max(1)));
        let minute = self.from + i16::try_from(minute).unwrap_or(0);
        Place {
            column: usize::try_from(column).unwrap_or(0),
            minute: minute.div_euclid(STEP) * STEP,
        }
    }
}

/// An appointment on its way to another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moving {
    pub id: AppointmentId,
    pub from: Place,
    pub to: Place,
    pub minutes: u16,
    /// Under the pointer: how many minutes below its upper edge it was taken.
    pub held_at: Option<i16>,
}

impl Moving {
    pub(super) fn of(item: &DayItem) -> Self {
        let place = Place {
            column: item.column,
            minute: item.start_minute,
        };
        Self {
            id: item.id,
            from: place,
            to: place,
            minutes: item.minutes,
            held_at: None,
        }
    }

    /// To a place, kept inside the day.
    pub(super) fn put(&mut self, place: Place, span: Span, columns: usize) {
        let last = (span.to - length(self.minutes)).max(span.from);
        self.to = Place {
            column: place.column.min(columns.saturating_sub(1)),
            minute: place.minute.clamp(span.from, last),
        };
    }

    pub(super) fn step(&mut self, minutes: i16, columns: isize, span: Span, count: usize) {
        let place = Place {
            column: self.to.column.saturating_add_signed(columns),
            minute: self.to.minute + minutes,
        };
        self.put(place, span, count);
    }

    pub(super) fn end(&self) -> i16 {
        self.to.minute + length(self.minutes)
    }
}

/// Who has the place already.
pub(super) fn taken_by<'a>(view: &'a DayView, moving: &Moving) -> Option<&'a DayItem> {
    view.items.iter().find(|item| {
        item.id != moving.id
            && item.column == moving.to.column
            && !matches!(item.stage, Stage::Cancelled | Stage::Departed)
            && item.start_minute < moving.end()
            && moving.to.minute < end_minute(item)
    })
}

/// Outside of the opening hours, or in the pause.
pub(super) fn is_closed(hours: Option<OpeningHours>, from: i16, to: i16) -> bool {
    let Some(hours) = hours else { return true };
    from < hours.opens
        || to > hours.closes
        || hours.pause.is_some_and(|(start, end)| from < end && start < to)
}

/// Where the focus goes from a card with an arrow key: up and down in its column, sideways to the nearest in time.
pub(super) fn neighbour(
    items: &[DayItem],
    of: AppointmentId,
    down: i16,
    aside: isize,
) -> Option<AppointmentId> {
    let here = items.iter().find(|item| item.id == of)?;
    if down != 0 {
        let in_column: Vec<&DayItem> = items.iter().filter(|item| item.column == here.column).collect();
        let at = in_column.iter().position(|item| item.id == of)?;
        let next = if down > 0 { at + 1 } else { at.checked_sub(1)? };
        return in_column.get(next).map(|item| item.id);
    }
    let mut column = here.column;
    let last = items.iter().map(|item| item.column).max().unwrap_or(0);
    loop {
        column = column
            .checked_add_signed(aside)
            .filter(|column| *column <= last)?;
        let nearest = items
            .iter()
            .filter(|item| item.column == column)
            .min_by_key(|item| (item.start_minute - here.start_minute).abs());
        if let Some(nearest) = nearest {
            return Some(nearest.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span { from: 480, to: 1050 };

    #[test]
    fn a_point_on_the_grid_is_a_place() {
        let check = |point, column, minute| {
            assert_eq!(SPAN.at(point, (500.0, 570.0), 5), Place { column, minute });
        };
        check((0.0, 0.0), 0, 480);
        check((99.9, 9.9), 0, 480);
        check((100.0, 10.0), 1, 490);
        check((499.0, 569.0), 4, 1040);
        // Outside of the grid the edge counts.
        check((-20.0, 9_999.0), 0, 1040);
        assert_eq!(
            SPAN.at((5.0, 5.0), (0.0, 0.0), 0),
            Place {
                column: 0,
                minute: 480
            }
        );
    }

    #[test]
    fn moving_stays_inside_the_day() {
        let place = Place {
            column: 1,
            minute: 620,
        };
        let mut moving = Moving {
            id: AppointmentId(uuid::Uuid::nil()),
            from: place,
            to: place,
            minutes: 30,
            held_at: None,
        };
        moving.step(STEP, 0, SPAN, 3);
        assert_eq!(
            moving.to,
            Place {
                column: 1,
                minute: 630
            }
        );
        moving.step(0, -5, SPAN, 3);
        assert_eq!(moving.to.column, 0);
        moving.step(0, 9, SPAN, 3);
        assert_eq!(moving.to.column, 2);
        moving.step(9_999, 0, SPAN, 3);
        assert_eq!(moving.end(), SPAN.to);
        moving.step(-9_999, 0, SPAN, 3);
        assert_eq!(moving.to.minute, SPAN.from);
    }

    #[test]
    fn lunch_and_the_evening_are_closed() {
        let hours = Some(OpeningHours {
            opens: 480,
            closes: 1020,
            pause: Some((750, 810)),
        });
        let check = |from, to, expected| assert_eq!(is_closed(hours, from, to), expected, "{from}-{to}");
        check(480, 510, false);
        check(470, 490, true);
        check(740, 750, false);
        check(740, 760, true);
        check(810, 820, false);
        check(1010, 1030, true);
        assert!(is_closed(None, 600, 610));
    }
}
