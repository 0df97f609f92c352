//! The years behind: wishes of every animal by age and chance, then one after the other into the clinic's days.

use crate::days::{DayPlan, REGULAR_HOURS, weekday};
use crate::people::Animal;
use crate::reasons::{
    FAREWELL, FIRST_VACCINATION, NEUTERING, RECHECK, SECOND_VACCINATION, Type, any, booster,
};
use crate::visit::{Cause, Pen, Stage};
use shared_model::commands::ReportDeath;
use shared_model::documents::{Slot, Species};
use shared_model::time::Timestamp;

/// Somebody wants to come on or after a day.
struct Wish {
    day: i64,
    animal: usize,
    cause: Cause,
}

/// Days between two visits of an animal, at least.
const APART: i64 = 4;

/// Unplanned visits of an animal, in a year.
const UNPLANNED: f64 = 0.43;
/// Owners who come for the booster in a year, of a thousand.
const BOOSTER: u32 = 790;
/// Visits with a problem that lead to a recheck, of a thousand.
const RECHECKED: u32 = 270;
/// Of a thousand bookings.
const CANCELLED: u32 = 60;
const NOT_ARRIVED: u32 = 45;
/// Deaths in the practice, of a thousand; the others the desk hears of by telephone.
const FAREWELLS: u32 = 650;

/// Every visit of the last `years`, and every death.
pub(crate) fn tell(pen: &mut Pen<'_>, animals: &[Animal], years: u16) {
    let from = pen.days.today - i64::from(years) * 365;
    let mut farewells = vec![false; animals.len()];
    let mut wishes = Vec::new();
    for (index, animal) in animals.iter().enumerate() {
        wish(pen, &mut wishes, index, animal, from);
        if let Some(day) = animal.died
            && day >= from
            && years > 0
            && pen.dice.permille(FAREWELLS)
        {
            wishes.push(Wish {
                day,
                animal: index,
                cause: Cause::of(&FAREWELL),
            });
        }
    }
    wishes.sort_by_key(|wish| (wish.day, wish.animal));

    let mut plans: Vec<Option<DayPlan>> = Vec::new();
    let mut last_visit = vec![i64::MIN / 2; animals.len()];
    for wish in wishes {
        let animal = &animals[wish.animal];
        let earliest = wish.day.max(last_visit[wish.animal] + APART);
        let is_farewell = wish.cause.reason.kind == Type::Farewell;
        let latest = match animal.died {
            Some(day) if !is_farewell => day - 1,
            _ => pen.days.today - 1,
        };
        let Some((day, who, slot)) = place(pen, &mut plans, from, animal, wish.cause, earliest, latest)
        else {
            continue;
        };
        last_visit[wish.animal] = day;
        let at = pen.call_time(animal, day, wish.cause.reason.lead, slot);
        let by = pen.desk();
        let booked = pen.book(at, &by, animal, wish.cause, slot, who);
        if !is_farewell && pen.dice.permille(CANCELLED) {
            let notice = pen.dice.between(30, 2_000);
            pen.cancel(slot.start.plus_minutes(-notice).max(at.plus_minutes(1)), &booked);
        } else if is_farewell || !pen.dice.permille(NOT_ARRIVED) {
            let finished = departure(pen, slot, at);
            pen.attend(&booked, day, finished);
            if is_farewell {
                farewells[wish.animal] = true;
                let on = pen.days.date(day);
                let vet = &pen.team.vets[animal.usual_vet];
                pen.log.add(
                    slot.end(),
                    vet,
                    ReportDeath {
                        patient: animal.patient,
                        on,
                    },
                );
            }
        }
    }
    for (animal, farewell) in animals.iter().zip(farewells) {
        if let Some(day) = animal.died
            && !farewell
        {
            let heard = pen
                .days
                .open_by(pen.days.today - 1)
                .min(pen.days.open_by(day + 3))
                .max(day);
            let at = pen.days.desk_time(&mut pen.dice, heard);
            let on = pen.days.date(day);
            pen.log.add(
                at,
                &pen.team.desk,
                ReportDeath {
                    patient: animal.patient,
                    on,
                },
            );
        }
    }
}

fn wish(pen: &mut Pen<'_>, wishes: &mut Vec<Wish>, index: usize, animal: &Animal, from: i64) {
    let dice = &mut pen.dice;
    let begin = (animal.registered_on + 1).max(from);
    let end = animal.died.unwrap_or(pen.days.today) - 1;
    let mut push = |day: i64, cause: Cause| {
        if (begin..=end).contains(&day) {
            wishes.push(Wish {
                day,
                animal: index,
                cause,
            });
        }
    };
    let species = animal.breed.species;
    let first_age = animal.age(animal.registered_on);
    let yearly = booster(species);
    let mut next = animal.registered_on + dice.between(20, 385);
    if matches!(species, Species::Dog | Species::Cat | Species::Ferret) && first_age < 0.4 {
        let first = animal.registered_on + dice.between(1, 6);
        push(first, Cause::of(&FIRST_VACCINATION));
        push(first + 28, Cause::of(&SECOND_VACCINATION));
        next = first + 28 + 365;
    }
    while let Some(reason) = yearly.filter(|_| next <= end) {
        if dice.permille(BOOSTER) {
            push(next, Cause::of(reason));
        }
        next += 365 + dice.between(-15, 25);
    }
    if animal.neutering_planned {
        let day = animal.registered_on + ((0.6 - first_age) * 365.0) as i64 + dice.between(0, 90);
        push(day, Cause::of(&NEUTERING));
    }
    let expected =
        (end - begin + 1).max(0) as f64 / 365.25 * UNPLANNED * if yearly.is_some() { 1.0 } else { 2.0 };
    let count = (expected + dice.unit()) as i64;
    for _ in 0..count {
        let day = dice.between(begin, end);
        let Some(reason) = any(dice, species, animal.age(day), |_| true) else {
            continue;
        };
        push(day, Cause::of(reason));
        if !reason.problem.is_empty() && dice.permille(RECHECKED) {
            push(
                day + dice.between(6, 14),
                Cause {
                    reason: &RECHECK,
                    problem: reason.problem,
                },
            );
        }
    }
}

/// The first place from a day on: with the veterinarian whom the owner asks for, or with another that day.
fn place(
    pen: &mut Pen<'_>,
    plans: &mut Vec<Option<DayPlan>>,
    from: i64,
    animal: &Animal,
    cause: Cause,
    earliest: i64,
    latest: i64,
) -> Option<(i64, usize, Slot)> {
    let (days, team) = (pen.days, pen.team);
    let vets = team.vets.len();
    for day in earliest..=latest.min(earliest + 30) {
        let index = usize::try_from(day - from).ok()?;
        while plans.len() <= index {
            let day = from + i64::try_from(plans.len()).ok()?;
            plans.push(
                REGULAR_HOURS[weekday(days.date(day))].map(|hours| DayPlan::new(days, day, hours, team)),
            );
        }
        let Some(plan) = &mut plans[index] else { continue };
        let asked = if pen.dice.permille(650) {
            animal.usual_vet
        } else {
            pen.dice.below(vets)
        };
        let candidates = if cause.reason.kind == Type::NurseClinic {
            vets..team.bookable()
        } else {
            asked..asked + vets
        };
        for candidate in candidates {
            let who = if candidate >= vets && cause.reason.kind != Type::NurseClinic {
                candidate - vets
            } else {
                candidate
            };
            if let Some(cell) = plan.somewhere(&mut pen.dice, who, cause.minutes(), cause.in_surgery()) {
                return Some((
                    day,
                    who,
                    plan.take(team, who, cause.minutes(), cause.in_surgery(), cell),
                ));
            }
        }
    }
    None
}

/// The steps of a visit that went as booked.
pub(crate) fn departure(pen: &mut Pen<'_>, slot: Slot, booked: Timestamp) -> Stage {
    let dice = &mut pen.dice;
    let arrived = slot
        .start
        .plus_minutes(-dice.between(1, 9))
        .max(booked.plus_minutes(1));
    let started = slot.start.plus_minutes(dice.between(0, 5));
    let length = i64::from(slot.minutes);
    let finished = started.plus_minutes(dice.between(length * 6 / 10, length * 9 / 10));
    let departed = finished.plus_minutes(dice.between(3, 11));
    Stage::Departed {
        arrived,
        started,
        finished,
        departed,
    }
}
