//! The day in progress around `now`, whatever `now` is: done visits, animals in the rooms, animals that wait, others
//! expected, one cancelled and one clash.

use crate::days::{DayPlan, Days, REGULAR_HOURS, weekday};
use crate::history::departure;
use crate::people::{Animal, REX};
use crate::reasons::{REASONS, Reason, Type, any};
use crate::team::profile;
use crate::visit::{Booked, Cause, Pen, Stage, everyday_cause};
use shared_model::documents::OpeningHours;
use shared_model::time::Timestamp;

/// Appointments of a veterinarian on a full day, and of a technician.
const PER_VET: usize = 14;
const PER_TECHNICIAN: usize = 9;

/// The part of all living animals that may come on one day, so that a small clinic does not see everybody at once.
const COMING: (usize, usize) = (7, 10);

const DAY: i16 = 24 * 60;

/// The hours of today. Where the regular ones would leave no day in progress around `now` (night, Sunday, first and
/// last hour, lunch), they are moved.
pub(crate) fn hours(days: &Days) -> OpeningHours {
    let clock = days.now.in_zone(&days.zone);
    let now = i16::from(clock.hour()) * 60 + i16::from(clock.minute());
    // Saturday and Sunday become a working day like Monday.
    let regular = REGULAR_HOURS[weekday(days.date(days.today))].filter(|hours| hours.pause.is_some());
    let base = regular.or(REGULAR_HOURS[0]).expect("the clinic works on Mondays");
    let length = base.closes - base.opens;
    let (earliest, latest) = (base.opens + 60, base.closes - 90);
    let opens = if now < earliest && now >= earliest - 120 {
        base.opens - (earliest - now + 59) / 60 * 60
    } else if now > latest && now <= latest + 120 {
        base.opens + (now - latest + 59) / 60 * 60
    } else if (earliest..=latest).contains(&now) {
        base.opens
    } else {
        // Far from any working day: four hours of it are behind, as far as there were any since midnight.
        (now - 4 * 60).div_euclid(60) * 60
    };
    let opens = opens.clamp(0, DAY - length - 60);
    // A late day ends at midnight: later than its last minute cannot be written down.
    let closes = if now > opens + length - 90 {
        DAY - 1
    } else {
        opens + length
    };
    let pause = base.pause.and_then(|(from, to)| {
        let free = |start: i16| start + (to - from) + 30 <= now || start >= now + 60;
        let starts = (opens + 60..=closes - 120)
            .step_by(30)
            .filter(|start| free(*start));
        starts
            .min_by_key(|start| (start - from).abs())
            .map(|start| (start, start + to - from))
    });
    OpeningHours { opens, closes, pause }
}

struct Floor<'a, 'b, 'p> {
    pen: &'a mut Pen<'p>,
    plan: DayPlan,
    /// Living animals in the order in which they come, last first.
    coming: Vec<&'b Animal>,
    day: i64,
}

/// Tells the day and returns the animals that have no part in it.
pub(crate) fn tell<'b>(pen: &mut Pen<'_>, animals: &'b [Animal]) -> Vec<&'b Animal> {
    let days = pen.days;
    let (day, now) = (days.today, days.now);
    let hours = hours(days);
    if REGULAR_HOURS[weekday(days.date(day))] != Some(hours) {
        let mut week = REGULAR_HOURS;
        week[weekday(days.date(day))] = Some(hours);
        let yesterday = days.open_by(day - 1);
        let at = days.desk_time(&mut pen.dice, yesterday);
        pen.log.add(at, &pen.team.administrator, profile(week));
    }
    let mut coming: Vec<&Animal> = animals
        .iter()
        .skip(2)
        .filter(|animal| animal.died.is_none())
        .collect();
    pen.dice.shuffle(&mut coming);
    let most = (coming.len() * COMING.0).div_ceil(COMING.1);
    let others = coming.split_off(most);

    let plan = DayPlan::new(days, day, hours, pen.team);
    // The cell before now: what begins there is a little late.
    let here = plan.cell_of(now) - 1;
    let mut floor = Floor {
        pen,
        plan,
        coming,
        day,
    };
    let ago = |minutes: i64| now.plus_minutes(-minutes);

    // Dr Moreno: one in her room since a while, Rex next.
    floor.in_room(0, here - 3, ago(21));
    if let Some(rex) = animals.get(REX) {
        floor.rex(rex, here, ago(12), ago(96));
    }
    // Dr Lind is late: somebody waits for longer than a quarter of an hour.
    floor.in_room(2, here - 3, ago(17));
    floor.waiting(2, here - 1, ago(23));
    // Dr Okafor is in time.
    floor.in_room(1, here - 1, ago(8));
    floor.waiting(1, here + 2, ago(4));
    floor.clash(2, here + 8);
    let team = floor.pen.team;
    for who in 3..team.vets.len() {
        floor.in_room(who, here - 1, ago(9));
    }
    // Nurses write up their notes just now.
    for who in team.vets.len()..team.bookable() {
        floor.plan.block(who, 30, here - 1);
    }
    floor.fill(here + 1);
    let mut without = others;
    without.extend(floor.coming);
    without
}

impl<'b> Floor<'_, 'b, '_> {
    /// Books the next animal nearest to a cell; `None` if nobody or no place is left.
    fn book(&mut self, who: usize, cell: i64) -> Option<Booked<'b>> {
        let animal = *self.coming.last()?;
        let cause = loop {
            let cause = everyday_cause(&mut self.pen.dice, animal, self.day, !self.pen.team.is_vet(who))?;
            if !cause.in_surgery() {
                break cause;
            }
        };
        let cell = self.plan.nearest(who, cause.minutes(), cell)?;
        self.coming.pop();
        Some(self.booked(animal, cause, who, cell))
    }

    fn booked(&mut self, animal: &'b Animal, cause: Cause, who: usize, cell: i64) -> Booked<'b> {
        let slot = self
            .plan
            .take(self.pen.team, who, cause.minutes(), cause.in_surgery(), cell);
        let lead = cause.reason.lead.max(1);
        let called = self.day - self.pen.dice.between(1, lead);
        let at = self.before_today(animal, called);
        let by = self.pen.desk();
        self.pen.book(at, &by, animal, cause, slot, who)
    }

    /// A moment at the desk on or before a day of the past.
    fn before_today(&mut self, animal: &Animal, day: i64) -> Timestamp {
        let day = self
            .pen
            .days
            .open_by(day.min(self.day - 1))
            .max(animal.registered_on);
        self.pen
            .days
            .desk_time(&mut self.pen.dice, day)
            .max(animal.registered.plus_minutes(3))
    }

    fn in_room(&mut self, who: usize, cell: i64, started: Timestamp) {
        if let Some(booked) = self.book(who, cell) {
            let arrived = started.plus_minutes(-self.pen.dice.between(6, 14));
            self.pen
                .attend(&booked, self.day, Stage::InRoom { arrived, started });
        }
    }

    fn waiting(&mut self, who: usize, cell: i64, arrived: Timestamp) {
        if let Some(booked) = self.book(who, cell) {
            self.pen.attend(&booked, self.day, Stage::Waiting { arrived });
        }
    }

    /// Rex, who vomits since last night, waits for Dr Moreno; booked this morning.
    fn rex(&mut self, rex: &'b Animal, cell: i64, arrived: Timestamp, called: Timestamp) {
        let reason = REASONS
            .iter()
            .find(|reason| reason.problem == "gastritis")
            .expect("dogs vomit");
        let cause = Cause::of(reason);
        if let Some(cell) = self.plan.nearest(0, cause.minutes(), cell) {
            let slot = self.plan.take(self.pen.team, 0, cause.minutes(), false, cell);
            let at = called.max(rex.registered.plus_minutes(3));
            let booked = self.pen.book_rex(at, rex, cause, slot);
            self.pen.attend(&booked, self.day, Stage::Waiting { arrived });
        }
    }

    /// Two desks that did not hear of each other booked the same place within a minute.
    fn clash(&mut self, who: usize, cell: i64) {
        let [.., second, first] = *self.coming.as_slice() else {
            return;
        };
        let age = |animal: &Animal| animal.age(self.day);
        let [one, other] = [first, second].map(|animal| {
            let consultation = |reason: &Reason| reason.kind == Type::Consultation;
            any(
                &mut self.pen.dice,
                animal.breed.species,
                age(animal),
                consultation,
            )
            .map(Cause::of)
        });
        let (Some(one), Some(other), Some(cell)) = (
            one,
            other,
            self.plan.nearest(who, Type::Consultation.minutes(), cell),
        ) else {
            return;
        };
        self.coming.truncate(self.coming.len() - 2);
        let team = self.pen.team;
        let slot = self.plan.take(team, who, one.minutes(), false, cell);
        let called = self.day - 1;
        let at = self
            .before_today(first, called)
            .max(second.registered.plus_minutes(3));
        let first = self.pen.book(at, &team.desk, first, one, slot, who);
        let at = at.plus_minutes(1);
        let second = self.pen.book(at, &team.administrator, second, other, slot, who);
        for booked in [&first, &second] {
            if booked.slot.end() <= self.pen.days.now {
                let done = self.done(booked);
                self.pen.attend(booked, self.day, done);
            }
        }
    }

    /// The rest of everybody's day, in turns, so that a short list of animals is spread over all of them.
    fn fill(&mut self, next: i64) {
        let team = self.pen.team;
        let mut filled: Vec<Booked<'b>> = Vec::new();
        for _ in 0..PER_VET {
            for who in 0..team.bookable() {
                let most = if team.is_vet(who) { PER_VET } else { PER_TECHNICIAN };
                let placed = [3, 2, 4]
                    .get(who)
                    .copied()
                    .unwrap_or(usize::from(team.is_vet(who)));
                let so_far = filled.iter().filter(|booked| booked.who == who).count();
                if placed + so_far < most {
                    filled.extend(self.book_somewhere(who));
                }
            }
        }
        // One of those still to come has cancelled: Dr Okafor's, if he has any.
        let to_come = |booked: &&Booked<'b>| booked.slot.start >= self.plan.start_of(next);
        let cancelled = filled
            .iter()
            .filter(to_come)
            .min_by_key(|booked| (booked.who != 1, booked.slot.start))
            .or(filled.last())
            .map(|booked| booked.appointment);
        let now = self.pen.days.now;
        // The last one of Dr Moreno and of Dr Okafor is at the desk, to be checked out.
        let at_desk: Vec<_> = [0, 1]
            .iter()
            .filter_map(|who| {
                let done = filled
                    .iter()
                    .filter(|booked| booked.who == *who && booked.slot.end() <= now);
                done.filter(|booked| Some(booked.appointment) != cancelled)
                    .max_by_key(|booked| booked.slot.start)
            })
            .map(|booked| booked.appointment)
            .collect();
        for booked in &filled {
            if Some(booked.appointment) == cancelled {
                self.pen.cancel(now.plus_minutes(-55), booked);
            } else if booked.slot.end() <= now {
                let stage = match self.done(booked) {
                    Stage::Departed {
                        arrived,
                        started,
                        finished,
                        ..
                    } if at_desk.contains(&booked.appointment) => Stage::Finished {
                        arrived,
                        started,
                        finished,
                    },
                    stage => stage,
                };
                self.pen.attend(booked, self.day, stage);
            }
        }
    }

    /// The next animal at a place of its own choice.
    fn book_somewhere(&mut self, who: usize) -> Option<Booked<'b>> {
        let animal = *self.coming.last()?;
        let cause = everyday_cause(&mut self.pen.dice, animal, self.day, !self.pen.team.is_vet(who));
        let cause =
            cause.filter(|cause| cause.reason.kind != Type::Surgery || self.pen.dice.permille(300))?;
        let cell = self
            .plan
            .somewhere(&mut self.pen.dice, who, cause.minutes(), cause.in_surgery())?;
        self.coming.pop();
        Some(self.booked(animal, cause, who, cell))
    }

    /// The steps of a visit whose time is over, none of them after now.
    fn done(&mut self, booked: &Booked<'_>) -> Stage {
        let now = self.pen.days.now;
        match departure(self.pen, booked.slot, Timestamp(i64::MIN / 2)) {
            Stage::Departed {
                arrived,
                started,
                finished,
                departed,
            } => {
                let finished = finished.min(now.plus_minutes(-2));
                Stage::Departed {
                    arrived,
                    started,
                    finished,
                    departed: departed.min(now.plus_minutes(-1)),
                }
            }
            stage => stage,
        }
    }
}
