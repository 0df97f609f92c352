//! The clinic's days: when it is open, and who is taken when. Invariant: whoever is taken is not taken twice, but for
//! the one clash that `today` makes on purpose.

use crate::dice::Dice;
use crate::team::Team;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared_model::documents::{OpeningHours, Slot};
use shared_model::time::{Timestamp, zone};

pub(crate) const TIME_ZONE: &str = "Europe/Prague";

/// Minutes of one cell of the day view's grid.
pub(crate) const CELL: i64 = 10;

const WORKING_DAY: OpeningHours = OpeningHours {
    opens: 8 * 60,
    closes: 18 * 60,
    pause: Some((12 * 60 + 30, 13 * 60 + 30)),
};
const SATURDAY: OpeningHours = OpeningHours {
    opens: 9 * 60,
    closes: 12 * 60,
    pause: None,
};

/// Monday first.
pub(crate) const REGULAR_HOURS: [Option<OpeningHours>; 7] = [
    Some(WORKING_DAY),
    Some(WORKING_DAY),
    Some(WORKING_DAY),
    Some(WORKING_DAY),
    Some(WORKING_DAY),
    Some(SATURDAY),
    None,
];

pub(crate) fn weekday(date: Date) -> usize {
    usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0)
}

/// Days are counted from the first day of the story.
pub(crate) struct Days {
    pub(crate) zone: TimeZone,
    pub(crate) now: Timestamp,
    begin: Date,
    /// Today's number.
    pub(crate) today: i64,
}

impl Days {
    /// `length` days of the past, then today.
    pub(crate) fn new(now: Timestamp, length: i64) -> Self {
        let zone = zone(TIME_ZONE);
        let begin = now.date_in(&zone).saturating_sub(jiff::Span::new().days(length));
        Self {
            zone,
            now,
            begin,
            today: length,
        }
    }

    pub(crate) fn date(&self, day: i64) -> Date {
        self.begin.saturating_add(jiff::Span::new().days(day))
    }

    pub(crate) fn is_open(&self, day: i64) -> bool {
        REGULAR_HOURS[weekday(self.date(day))].is_some()
    }

    /// The last open day up to and with `day`; the first one if there is none before.
    pub(crate) fn open_by(&self, day: i64) -> i64 {
        let found = (day - 6..=day).rev().find(|day| *day >= 0 && self.is_open(*day));
        found.unwrap_or_else(|| i64::from(!self.is_open(0)))
    }

    pub(crate) fn at(&self, day: i64, minutes: i16) -> Timestamp {
        Timestamp::at_wall_clock(self.date(day), minutes, &self.zone)
    }

    /// A moment of an open day at which somebody sits at the desk.
    pub(crate) fn desk_time(&self, dice: &mut Dice, day: i64) -> Timestamp {
        let hours = REGULAR_HOURS[weekday(self.date(day))].unwrap_or(SATURDAY);
        let morning = hours.pause.map_or(hours.closes, |pause| pause.0);
        let minutes = match hours.pause {
            Some((_, again)) if dice.permille(500) => {
                dice.between(i64::from(again) + 5, i64::from(hours.closes) - 20)
            }
            _ => dice.between(i64::from(hours.opens) + 5, i64::from(morning) - 10),
        };
        // Not all at the full minute, so that ids of one desk do not collide in order.
        Timestamp(self.at(day, i16::try_from(minutes).unwrap_or(hours.opens)).0 + dice.between(0, 59_999))
    }
}

/// One day's cells, from opening to closing, and who and which room is taken in each.
pub(crate) struct DayPlan {
    first: Timestamp,
    /// A bit for each cell in which the clinic is open.
    open: u128,
    staff: Vec<u128>,
    surgeries: Vec<u128>,
}

impl DayPlan {
    /// Cells are counted in elapsed time and judged by the clock on the wall, so that a day with a change of clocks
    /// has each of its hours once.
    pub(crate) fn new(days: &Days, day: i64, hours: OpeningHours, team: &Team) -> Self {
        let first = days.at(day, hours.opens);
        let date = days.date(day);
        let mut open = 0;
        for cell in 0..128_i64 {
            let at = first.plus_minutes(cell * CELL).in_zone(&days.zone);
            let minutes = i16::from(at.hour()) * 60 + i16::from(at.minute());
            let end = minutes + 10;
            if at.date() != date || end > hours.closes {
                break;
            }
            let paused = hours.pause.is_some_and(|(from, to)| minutes < to && end > from);
            if !paused && minutes >= hours.opens {
                open |= 1 << cell;
            }
        }
        Self {
            first,
            open,
            staff: vec![0; team.bookable()],
            surgeries: vec![0; team.surgeries.len()],
        }
    }

    /// The cell in which a moment lies; before the first cell it is negative.
    pub(crate) fn cell_of(&self, at: Timestamp) -> i64 {
        at.minutes_since(self.first).div_euclid(CELL)
    }

    pub(crate) fn start_of(&self, cell: i64) -> Timestamp {
        self.first.plus_minutes(cell * CELL)
    }

    /// A bit for each cell at which `length` cells in a row are open and not taken.
    fn starts(&self, taken: u128, length: i64) -> u128 {
        let free = self.open & !taken;
        (0..length).fold(free, |starts, cell| starts & (free >> cell))
    }

    /// Where somebody can be booked, and, for an operation, some surgery with them.
    fn choices(&self, who: usize, length: i64, in_surgery: bool) -> u128 {
        let starts = self.starts(self.staff[who], length);
        if in_surgery {
            starts
                & self
                    .surgeries
                    .iter()
                    .fold(0, |any, taken| any | self.starts(*taken, length))
        } else {
            starts
        }
    }

    /// Some free place of the day.
    pub(crate) fn somewhere(
        &self,
        dice: &mut Dice,
        who: usize,
        minutes: u16,
        in_surgery: bool,
    ) -> Option<i64> {
        let choices = self.choices(who, cells(minutes), in_surgery);
        let nth = dice.below(choices.count_ones() as usize);
        set_bits(choices).nth(nth)
    }

    /// The free place nearest to a cell.
    pub(crate) fn nearest(&self, who: usize, minutes: u16, cell: i64) -> Option<i64> {
        set_bits(self.choices(who, cells(minutes), false)).min_by_key(|start| (start - cell).abs())
    }

    /// Takes a place: the person's own room, or for an operation the first free surgery. Nurses have no room of
    /// their own and work where it suits.
    pub(crate) fn take(
        &mut self,
        team: &Team,
        who: usize,
        minutes: u16,
        in_surgery: bool,
        cell: i64,
    ) -> Slot {
        let wanted = mask(cell, cells(minutes));
        self.staff[who] |= wanted;
        let room = if in_surgery {
            let surgery = self.surgeries.iter().position(|taken| taken & wanted == 0);
            surgery.map(|surgery| {
                self.surgeries[surgery] |= wanted;
                team.surgeries[surgery]
            })
        } else {
            team.consulting.get(who).copied()
        };
        Slot {
            start: self.start_of(cell),
            minutes,
            vet: team.person(who).account,
            room,
        }
    }

    /// Keeps somebody free of bookings.
    pub(crate) fn block(&mut self, who: usize, minutes: u16, cell: i64) {
        self.staff[who] |= mask(cell.max(0), cells(minutes));
    }
}

fn cells(minutes: u16) -> i64 {
    i64::from(minutes.div_ceil(10))
}

fn mask(cell: i64, length: i64) -> u128 {
    ((1 << length) - 1) << cell
}

fn set_bits(bits: u128) -> impl Iterator<Item = i64> {
    (0..128).filter(move |cell| bits >> cell & 1 == 1)
}
