//! How far a reading of the trail has come, page by page, and how lines and pages are named.
//!
//! Invariant: no change is told on two pages, and none is left out. Between two pages compaction may make one run of rows some
//! of which have been told: it stands where the first of them stood, below the others, and what is told of it ends where
//! the pages before it ended. That needs to be known of each page: to which moment it went down, and up to which number rows
//! were runs when it was read.

use crate::storage::trail::{Place, Run, Told};
use shared_model::time::Timestamp;

/// Compaction has moved on so often in one reading that the first of these is forgotten; a change may be told twice then.
const MOST_STRETCHES: usize = 16;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The last one of the page before.
    pub(super) below: Option<Place>,
    /// The oldest first.
    stretches: Vec<Stretch>,
}

/// Pages that were read while compaction stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    /// The number up to which rows were runs.
    horizon: u64,
    /// The moment of the last line.
    down_to: Timestamp,
}

impl Cursor {
    /// Of the runs that were rows when pages before this one were read: what is told of them ends where those ended. How many
    /// changes that are, and which is the last, is not known any more.
    pub(super) fn shorten(&self, told: &mut [Told]) {
        let runs = told.iter_mut().filter_map(|told| match told {
            Told::Written(run) => Some(run),
            Told::Happened(..) => None,
        });
        for run in runs {
            if let Some(down_to) = self.told_down_to(run) {
                run.last_at = Some(down_to);
                run.changes = None;
                run.hash = None;
            }
        }
    }

    /// Where the part of a run begins that was told as rows.
    fn told_down_to(&self, run: &Run) -> Option<Timestamp> {
        let last_at = run.last_at?;
        let as_rows = self
            .stretches
            .iter()
            .rev()
            .find(|stretch| stretch.horizon < run.number)?;
        (last_at >= as_rows.down_to).then_some(as_rows.down_to)
    }

    /// Behind a page that was read while rows up to a number were runs.
    pub(super) fn move_behind(&mut self, told: &[Told], horizon: u64) {
        let Some(last) = told.last().map(Told::place) else {
            return;
        };
        self.below = Some(last);
        self.stretches.retain(|stretch| stretch.horizon != horizon);
        self.stretches.push(Stretch {
            horizon,
            down_to: last.at,
        });
        if self.stretches.len() > MOST_STRETCHES {
            self.stretches.remove(0);
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = self.below.map(line_id).unwrap_or_default();
        for stretch in &self.stretches {
            text += &format!(".{}.{}", stretch.horizon, stretch.down_to.0);
        }
        text
    }

    /// The id of a line is one too: of a reading of which nothing else is known.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let below = Some(place(&mut parts)?);
        let mut stretches = Vec::new();
        while let Some(horizon) = parts.next() {
            stretches.push(Stretch {
                horizon: horizon.parse().ok()?,
                down_to: Timestamp(parts.next()?.parse().ok()?),
            });
        }
        (stretches.len() <= MOST_STRETCHES).then_some(Self { below, stretches })
    }
}

pub(super) fn line_id(place: Place) -> String {
    let kind = if place.is_event { "event" } else { "row" };
    format!("{}.{kind}.{}.{}", place.at.0, place.number, place.position)
}

/// Where the line with this id stands.
pub(super) fn line_with(id: &str) -> Option<Place> {
    let mut parts = id.split('.');
    let place = place(&mut parts)?;
    parts.next().is_none().then_some(place)
}

fn place<'t>(parts: &mut impl Iterator<Item = &'t str>) -> Option<Place> {
    Some(Place {
        at: Timestamp(parts.next()?.parse().ok()?),
        is_event: match parts.next()? {
            "event" => true,
            "row" => false,
            _ => return None,
        },
        number: parts.next()?.parse().ok()?,
        position: parts.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::trail::Event;
    use shared_model::ids::{AccountId, DeviceId, DocumentId};
    use shared_model::trail::{Detail, Happening};
    use uuid::Uuid;

    fn event(number: u64, at: i64) -> Told {
        Told::Happened(
            number,
            Event::new(Happening::RecordRead, Timestamp(at), &Detail::default()),
        )
    }

    fn run(number: u64, at: i64, last_at: Option<i64>) -> Told {
        Told::Written(Run {
            number,
            position: 0,
            account: AccountId(Uuid::nil()),
            device: DeviceId(Uuid::nil()),
            document: DocumentId(Uuid::nil()),
            verb: "edit_patient".to_owned(),
            at: Timestamp(at),
            last_at: last_at.map(Timestamp),
            changes: last_at.map(|_| 3),
            hash: last_at.map(|_| [1; 32]),
        })
    }

    #[test]
    fn cursors_and_ids_come_back_as_they_were() {
        for is_event in [false, true] {
            let there = Place {
                at: Timestamp(-5),
                is_event,
                number: 7,
                position: 3,
            };
            assert_eq!(line_with(&line_id(there)), Some(there));
            let of_a_line = Cursor::parse(&line_id(there)).expect("one");
            assert_eq!(
                (of_a_line.below, of_a_line.stretches.as_slice()),
                (Some(there), [].as_slice())
            );
        }
        let mut cursor = Cursor::default();
        for (at, horizon) in [(-1, 2), (-2, 2), (-3, 5)] {
            cursor.move_behind(&[event(7, at)], horizon);
        }
        assert_eq!(cursor.text(), "-3.event.7.0.2.-2.5.-3");
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor.clone()));
        assert_eq!(line_with(&cursor.text()), None);
        for horizon in 0..1_000 {
            cursor.move_behind(&[event(1, 0)], horizon);
        }
        assert!(
            Cursor::parse(&cursor.text()).is_some(),
            "however long it was read"
        );
        let too_many = cursor.text() + ".1000.0";
        for odd in [
            "",
            "1.row.2",
            "1.row.2.3.4",
            "1.row.2.3.4.x",
            "1.other.2.3",
            "x.row.1.1",
            "1.row.-1.0",
            too_many.as_str(),
        ] {
            assert_eq!(Cursor::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn what_is_told_of_a_run_ends_where_its_rows_were_told() {
        let mut cursor = Cursor::default();
        // Rows up to the second were runs, then up to the twentieth.
        cursor.move_behind(&[event(1, 100)], 2);
        cursor.move_behind(&[event(1, 50)], 20);
        let ends = |run: Told| {
            let mut told = [run];
            cursor.shorten(&mut told);
            match &told[0] {
                Told::Written(run) => (run.last_at.map(|at| at.0), run.changes, run.hash.is_some()),
                Told::Happened(..) => panic!("it is written"),
            }
        };
        let whole = |end| (Some(end), Some(3), true);
        let shortened = |end| (Some(end), None, false);
        assert_eq!(ends(run(1, 10, Some(200))), whole(200), "a run on every page");
        assert_eq!(
            ends(run(3, 10, Some(200))),
            shortened(100),
            "rows on the first page"
        );
        assert_eq!(
            ends(run(3, 10, Some(99))),
            whole(99),
            "of which none was told there"
        );
        assert_eq!(ends(run(21, 10, Some(200))), shortened(50), "rows on both");
        assert_eq!(ends(run(21, 10, Some(49))), whole(49));
        assert_eq!(ends(run(30, 10, None)), (None, None, false), "a row still");
    }
}
