//! One appointment from booking to departure, as far as it got, and what is written in between.

use crate::days::Days;
use crate::dice::Dice;
use crate::log::{Log, Person};
use crate::people::Animal;
use crate::reasons::{About, NEUTERING, Reason, Type, VOMITING_SINCE_LAST_NIGHT};
use crate::team::Team;
use shared_model::clinical::{VitalSign, range_of};
use shared_model::commands::{
    BookAppointment, CancelAppointment, CheckIn, CheckOut, EditPatient, FinishVisit, RecordVitals,
    RecordWeight, StartVisit, WriteInSection,
};
use shared_model::documents::{Document, Kind, Section, Slot, Species};
use shared_model::ids::{AppointmentId, ClinicId, VisitId};
use shared_model::time::Timestamp;

/// What brings an animal: a reason and, for a recheck, what of.
#[derive(Clone, Copy)]
pub(crate) struct Cause {
    pub(crate) reason: &'static Reason,
    pub(crate) problem: &'static str,
}

impl Cause {
    pub(crate) fn of(reason: &'static Reason) -> Self {
        Self {
            reason,
            problem: reason.problem,
        }
    }

    pub(crate) fn minutes(self) -> u16 {
        self.reason.kind.minutes()
    }

    pub(crate) fn in_surgery(self) -> bool {
        self.reason.kind.in_surgery()
    }
}

/// A booking that was made.
pub(crate) struct Booked<'a> {
    pub(crate) appointment: AppointmentId,
    pub(crate) animal: &'a Animal,
    pub(crate) cause: Cause,
    pub(crate) slot: Slot,
    /// With whom, by their place in the team.
    pub(crate) who: usize,
    asked: String,
}

/// How far a visit has got, with the moment of each step.
#[derive(Clone, Copy)]
pub(crate) enum Stage {
    Waiting {
        arrived: Timestamp,
    },
    /// Half of the notes are written.
    InRoom {
        arrived: Timestamp,
        started: Timestamp,
    },
    Finished {
        arrived: Timestamp,
        started: Timestamp,
        finished: Timestamp,
    },
    Departed {
        arrived: Timestamp,
        started: Timestamp,
        finished: Timestamp,
        departed: Timestamp,
    },
}

/// The story's pen: everything that is written of a visit needs these together.
pub(crate) struct Pen<'a> {
    pub(crate) dice: Dice,
    pub(crate) log: &'a mut Log,
    pub(crate) clinic: ClinicId,
    pub(crate) days: &'a Days,
    pub(crate) team: &'a Team,
}

impl Pen<'_> {
    /// When somebody rang for an appointment on `day`: some days before, never before the animal was registered.
    pub(crate) fn call_time(&mut self, animal: &Animal, day: i64, lead: i64, slot: Slot) -> Timestamp {
        let called = self
            .days
            .open_by(day - self.dice.between(0, lead))
            .max(animal.registered_on);
        let at = if called >= day {
            slot.start.plus_minutes(-self.dice.between(25, 150))
        } else {
            self.days.desk_time(&mut self.dice, called)
        };
        at.max(animal.registered.plus_minutes(3))
    }

    pub(crate) fn book<'a>(
        &mut self,
        at: Timestamp,
        by: &Person,
        animal: &'a Animal,
        cause: Cause,
        slot: Slot,
        who: usize,
    ) -> Booked<'a> {
        let asked = cause.reason.asked(&mut self.dice, about(animal, cause));
        self.book_saying(at, by, animal, cause, slot, who, asked)
    }

    #[expect(clippy::too_many_arguments, reason = "a booking, with the words for it")]
    fn book_saying<'a>(
        &mut self,
        at: Timestamp,
        by: &Person,
        animal: &'a Animal,
        cause: Cause,
        slot: Slot,
        who: usize,
        asked: String,
    ) -> Booked<'a> {
        let appointment = AppointmentId(self.dice.mint(at));
        let command = BookAppointment {
            appointment,
            client: animal.client,
            patient: animal.patient,
            appointment_type: self.team.type_of(cause.reason.kind),
            slot,
            reason: asked.clone(),
        };
        self.log.add(at, by, command);
        Booked {
            appointment,
            animal,
            cause,
            slot,
            who,
            asked,
        }
    }

    /// Rex's, in the words in which every story tells it.
    pub(crate) fn book_rex<'a>(
        &mut self,
        at: Timestamp,
        animal: &'a Animal,
        cause: Cause,
        slot: Slot,
    ) -> Booked<'a> {
        let asked = VOMITING_SINCE_LAST_NIGHT.to_owned();
        self.book_saying(at, &self.team.desk, animal, cause, slot, 0, asked)
    }

    /// Whoever sits at the desk: mostly Jana.
    pub(crate) fn desk(&mut self) -> Person {
        let desk = if self.dice.permille(850) {
            &self.team.desk
        } else {
            &self.team.administrator
        };
        desk.clone()
    }

    pub(crate) fn cancel(&mut self, at: Timestamp, booked: &Booked<'_>) {
        let reason = self.dice.pick(&[
            "Owner has a cold, will ring back",
            "Better again, no visit wanted",
            "Could not come, new appointment later",
            "No transport today",
        ]);
        let command = CancelAppointment {
            appointment: booked.appointment,
            reason: reason.to_owned(),
        };
        self.log.add(at, &self.team.desk, command);
    }

    /// What happened up to a stage, for an appointment on `day`.
    pub(crate) fn attend(&mut self, booked: &Booked<'_>, day: i64, stage: Stage) {
        let appointment = booked.appointment;
        let (arrived, started, finished, departed) = match stage {
            Stage::Waiting { arrived } => (arrived, None, None, None),
            Stage::InRoom { arrived, started } => (arrived, Some(started), None, None),
            Stage::Finished {
                arrived,
                started,
                finished,
            } => (arrived, Some(started), Some(finished), None),
            Stage::Departed {
                arrived,
                started,
                finished,
                departed,
            } => (arrived, Some(started), Some(finished), Some(departed)),
        };
        self.log.add(arrived, &self.team.desk, CheckIn { appointment });
        if let Some(started) = started {
            self.visit(booked, day, started, finished);
        }
        if let Some(departed) = departed {
            self.log.add(departed, &self.team.desk, CheckOut { appointment });
        }
    }

    fn visit(&mut self, booked: &Booked<'_>, day: i64, started: Timestamp, finished: Option<Timestamp>) {
        let Booked {
            appointment,
            animal,
            cause,
            ..
        } = *booked;
        let visit = VisitId::of_appointment(appointment);
        let team = self.team;
        let with = team.person(booked.who);
        // Only a veterinarian finishes a visit, a nurse's too.
        let vet = if team.is_vet(booked.who) {
            with
        } else {
            &team.vets[animal.usual_vet]
        };
        let nurse = if team.is_vet(booked.who) && self.dice.permille(700) {
            &team.technicians[booked.who % team.technicians.len()]
        } else {
            with
        };
        // Steps spread evenly until the end, so that a short visit has them in order too.
        let end = finished.unwrap_or(self.days.now);
        let step = |part: i64| Timestamp(started.0 + (end.0 - started.0) * part / 10);
        let command = StartVisit {
            visit,
            appointment: Some(appointment),
            patient: animal.patient,
            vet: with.account,
            reason: booked.asked.clone(),
        };
        self.log.add(started, with, command);
        let weight = RecordWeight {
            patient: animal.patient,
            entry: visit.weight(),
            weight: animal.weight(&mut self.dice, day),
            at: step(1),
            visit: Some(visit),
        };
        self.log.add(step(1), nurse, weight);
        let readings = readings(&mut self.dice, animal.breed.species, cause.reason.fever);
        let pink = self.dice.pick(&["pink", "pink, moist", "pale pink"]);
        let vitals = RecordVitals {
            visit,
            set: visit.vitals(),
            readings,
            mucous_membranes: Some(pink.to_owned()),
        };
        self.log.add(step(2), nurse, vitals);

        let note = cause.reason.note(&mut self.dice, about(animal, cause));
        // What the writer saw: the visit as it begins, its four texts empty.
        let seen: Vec<[u8; 32]> = Document::genesis(Kind::Visit, self.clinic, visit.into())
            .heads()
            .iter()
            .map(|hash| hash.0)
            .collect();
        let mut write = |part: i64, by: &Person, section: Section, insert: String| {
            if !insert.is_empty() {
                let seen = seen.clone();
                self.log.add(
                    step(part),
                    by,
                    WriteInSection {
                        visit,
                        section,
                        seen,
                        at: 0,
                        delete: 0,
                        insert,
                    },
                );
            }
        };
        write(4, with, Section::History, note.history);
        let Some(finished) = finished else {
            // Still writing.
            let half = note.examination.chars().count() * 3 / 5;
            write(
                8,
                vet,
                Section::Examination,
                note.examination.chars().take(half).collect(),
            );
            return;
        };
        write(6, vet, Section::Examination, note.examination);
        write(8, vet, Section::Assessment, note.assessment);
        write(9, vet, Section::Plan, note.plan);
        if std::ptr::eq(cause.reason, &NEUTERING) {
            let edit = EditPatient {
                neutered: Some(true),
                ..EditPatient::of(animal.patient)
            };
            self.log.add(finished, vet, edit);
        }
        self.log.add(
            finished,
            vet,
            FinishVisit {
                visit,
                appointment: Some(appointment),
            },
        );
    }
}

fn about(animal: &Animal, cause: Cause) -> About<'_> {
    About {
        name: &animal.name,
        sex: animal.sex,
        problem: cause.problem,
    }
}

/// Signs in or near the usual range; those for which a species has no range are not taken.
fn readings(dice: &mut Dice, species: Species, fever: bool) -> Vec<(VitalSign, String)> {
    let mut readings = Vec::with_capacity(5);
    for sign in [
        VitalSign::Temperature,
        VitalSign::HeartRate,
        VitalSign::RespiratoryRate,
    ] {
        let Some((low, high)) = range_of(species, sign) else {
            continue;
        };
        let number = |bound: String| bound.parse::<f64>().unwrap_or(0.0);
        let (low, high) = (number(low.to_string()), number(high.to_string()));
        let reading = if fever && sign == VitalSign::Temperature {
            high + dice.within(0.3, 1.1)
        } else {
            dice.within(low, high)
        };
        readings.push(match sign {
            VitalSign::Temperature => (sign, format!("{reading:.1}")),
            _ => (sign, format!("{reading:.0}")),
        });
    }
    if !matches!(species, Species::Bird | Species::Reptile | Species::Other) {
        readings.push((
            VitalSign::BodyCondition,
            dice.pick(&["4", "5", "5", "5", "6", "7"]).to_owned(),
        ));
        readings.push((
            VitalSign::CapillaryRefill,
            dice.pick(&["1", "1", "1.5"]).to_owned(),
        ));
    }
    readings
}

/// Something an animal comes for on a day like any other, with a veterinarian or with a nurse.
pub(crate) fn everyday_cause(dice: &mut Dice, animal: &Animal, day: i64, nurse: bool) -> Option<Cause> {
    use crate::reasons::{RECHECK, any, booster};
    let (species, age) = (animal.breed.species, animal.age(day));
    if nurse {
        return any(dice, species, age, |reason| reason.kind == Type::NurseClinic).map(Cause::of);
    }
    let with_vet = |reason: &Reason| !matches!(reason.kind, Type::NurseClinic | Type::Emergency);
    match dice.between(0, 99) {
        0..=33
            if age > 0.8
                && let Some(reason) = booster(species) =>
        {
            Some(Cause::of(reason))
        }
        34..=55 => {
            let before = any(dice, species, age, |reason| {
                with_vet(reason) && !reason.problem.is_empty()
            })?;
            Some(Cause {
                reason: &RECHECK,
                problem: before.problem,
            })
        }
        _ => any(dice, species, age, with_vet).map(Cause::of),
    }
}
