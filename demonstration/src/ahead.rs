//! Bookings of the next four weeks: many tomorrow, few at the end.

use crate::days::{DayPlan, REGULAR_HOURS, weekday};
use crate::people::{Animal, MIMI};
use crate::reasons::REASONS;
use crate::today;
use crate::visit::{Cause, Pen, everyday_cause};

const WEEKS_AHEAD: i64 = 28;

/// The part of all animals that have a booking ahead, at most.
const BOOKED: (usize, usize) = (2, 5);

/// `free` are the animals that do not come today.
pub(crate) fn tell(pen: &mut Pen<'_>, animals: &[Animal], mut free: Vec<&Animal>) {
    let (days, team) = (pen.days, pen.team);
    let today = weekday(days.date(days.today));
    // A weekday whose hours were moved for today's sake takes no bookings until somebody moves them back.
    let moved = REGULAR_HOURS[today] != Some(today::hours(days));
    let open_days: Vec<i64> = (1..=WEEKS_AHEAD)
        .map(|ahead| days.today + ahead)
        .filter(|day| days.is_open(*day) && !(moved && weekday(days.date(*day)) == today))
        .collect();
    let wanted: usize = open_days
        .iter()
        .map(|day| wanted_on(*day - days.today))
        .sum::<usize>()
        * team.bookable();
    let most = free.len() * BOOKED.0 / BOOKED.1;
    pen.dice.shuffle(&mut free);
    let mut owed = 0;
    let mut mimi = animals.get(MIMI);
    for day in open_days {
        let Some(hours) = REGULAR_HOURS[weekday(days.date(day))] else {
            continue;
        };
        let mut plan = DayPlan::new(days, day, hours, team);
        let senior = REASONS
            .iter()
            .find(|reason| reason.problem == "blood results")
            .map(Cause::of);
        if let Some(cause) = senior
            && let Some(cell) = plan.nearest(0, cause.minutes(), 6)
            && day >= days.today + 3
            && let Some(animal) = mimi.take()
        {
            book(pen, &mut plan, animal, cause, 0, cell, day);
        }
        for who in 0..team.bookable() {
            // A small clinic takes its part of what a full one would.
            owed += wanted_on(day - days.today) * most.min(wanted);
            while owed >= wanted {
                owed -= wanted;
                let Some(animal) = free.pop() else { return };
                let cause = everyday_cause(&mut pen.dice, animal, day, !team.is_vet(who));
                if let Some(cause) = cause
                    && let Some(cell) =
                        plan.somewhere(&mut pen.dice, who, cause.minutes(), cause.in_surgery())
                {
                    book(pen, &mut plan, animal, cause, who, cell, day);
                }
            }
        }
    }
}

/// Bookings of one person, some days ahead.
fn wanted_on(ahead: i64) -> usize {
    let left = usize::try_from(WEEKS_AHEAD + 1 - ahead).unwrap_or(0);
    1 + 8 * left * left / (29 * 29)
}

fn book(
    pen: &mut Pen<'_>,
    plan: &mut DayPlan,
    animal: &Animal,
    cause: Cause,
    who: usize,
    cell: i64,
    day: i64,
) {
    let slot = plan.take(pen.team, who, cause.minutes(), cause.in_surgery(), cell);
    let yesterday = pen.days.today - 1;
    let called = yesterday
        - pen
            .dice
            .between(0, (WEEKS_AHEAD - (day - pen.days.today)).min(20));
    let called = pen.days.open_by(called).max(animal.registered_on);
    let at = pen
        .days
        .desk_time(&mut pen.dice, called)
        .max(animal.registered.plus_minutes(3));
    let by = pen.desk();
    pen.book(at, &by, animal, cause, slot, who);
}
