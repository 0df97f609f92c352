//! A clinic whose history was played in many small edits, for benchmarks that count documents and changes.

use crate::breeds;
use crate::dice::{Concern, Dice};
use crate::names;
use automerge::ActorId;
use shared_model::clinical::VitalSign;
use shared_model::commands::{
    BookAppointment, Command, EditClient, MoveAppointment, RecordVitals, RecordWeight, RegisterClient,
    RegisterPatient, StartVisit, WriteInSection,
};
use shared_model::documents::{Document, Kind, Section, Sex, Slot, Stamp};
use shared_model::ids::{
    AccountId, AppointmentId, AppointmentTypeId, ClientId, ClinicId, DocumentId, PatientId, PhoneId, VisitId,
    WeightId,
};
use shared_model::time::Timestamp;
use shared_model::values::Weight;

/// The mix, and how the changes beyond a document's first are shared: a visit is written in many more edits than an
/// appointment is moved.
const MIX: [(Kind, usize); 10] = [
    (Kind::Client, 4),
    (Kind::Patient, 10),
    (Kind::Appointment, 4),
    (Kind::Visit, 20),
    (Kind::Appointment, 4),
    (Kind::Visit, 20),
    (Kind::Patient, 10),
    (Kind::Appointment, 4),
    (Kind::Visit, 20),
    (Kind::Client, 4),
];

/// Exactly so many clients, patients, appointments and visits with exactly so many changes in total, genesis changes
/// not counted; each document has at least one, so fewer changes than documents are as many.
///
/// They refer to each other, they are written over the 400 days before `now`, and come in the order in which they
/// began.
pub fn bench_documents(seed: u64, documents: usize, changes: usize, now: Timestamp) -> Vec<Document> {
    let mut dice = Dice::new(seed, Concern::Bench);
    let begin = now.plus_minutes(-400 * 24 * 60);
    let mut bench = Bench {
        clinic: ClinicId(dice.mint(begin)),
        vet: AccountId(dice.mint(begin)),
        kind: AppointmentTypeId(dice.mint(begin)),
        actor: ActorId::from(dice.bytes::<16>()),
        client: ClientId(dice.mint(begin)),
        patient: PatientId(dice.mint(begin)),
        appointment: AppointmentId(dice.mint(begin)),
        visits_of_appointment: 0,
        dice,
    };
    let mut spare = changes.saturating_sub(documents);
    let mut weight_left: usize = (0..documents).map(|index| MIX[index % MIX.len()].1).sum();
    let minutes = 400 * 24 * 60 / i64::try_from(documents.max(1)).unwrap_or(i64::MAX);
    (0..documents)
        .map(|index| {
            let (kind, weight) = MIX[index % MIX.len()];
            // Its part of what is left, so that nothing remains after the last.
            let extra = spare * weight / weight_left;
            spare -= extra;
            weight_left -= weight;
            let at = begin.plus_minutes(minutes * i64::try_from(index).unwrap_or(0));
            bench.document(kind, 1 + extra, at)
        })
        .collect()
}

struct Bench {
    dice: Dice,
    clinic: ClinicId,
    vet: AccountId,
    kind: AppointmentTypeId,
    actor: ActorId,
    client: ClientId,
    patient: PatientId,
    appointment: AppointmentId,
    visits_of_appointment: usize,
}

impl Bench {
    fn document(&mut self, kind: Kind, changes: usize, at: Timestamp) -> Document {
        let id: DocumentId = match kind {
            Kind::Client => {
                self.client = ClientId(self.dice.mint(at));
                self.client.into()
            }
            Kind::Patient => {
                self.patient = PatientId(self.dice.mint(at));
                self.patient.into()
            }
            Kind::Appointment => {
                self.appointment = AppointmentId(self.dice.mint(at));
                self.visits_of_appointment = 0;
                self.appointment.into()
            }
            _ => {
                // The first visit of an appointment has its id; a walk-in has one of its own.
                self.visits_of_appointment += 1;
                match self.visits_of_appointment {
                    1 => VisitId::of_appointment(self.appointment).into(),
                    _ => VisitId(self.dice.mint(at)).into(),
                }
            }
        };
        let mut document = Document::genesis(kind, self.clinic, id);
        for number in 0..changes {
            let now = Timestamp(at.0 + i64::try_from(number).unwrap_or(0) * 1_000);
            let command = self.edit(&document, number, now);
            let stamp = Stamp {
                now,
                actor: self.actor.clone(),
                account: self.vet,
            };
            let change = command
                .write(&mut document, &stamp)
                .expect("a generated edit is a valid one");
            debug_assert!(change.is_some(), "every edit writes something new");
        }
        document
    }

    /// The edit with that number in the life of a document. Each writes something that did not stand there.
    fn edit(&mut self, document: &Document, number: usize, now: Timestamp) -> Command {
        let dice = &mut self.dice;
        let slot = |dice: &mut Dice, vet| Slot {
            start: Timestamp(now.0 - now.0 % 600_000).plus_minutes(10 * i64::try_from(number).unwrap_or(0)),
            minutes: [20, 30][dice.below(2)],
            vet,
            room: None,
        };
        match (document.kind, number) {
            (Kind::Client, 0) => {
                let (given, family) = names::person(dice);
                RegisterClient {
                    client: document.id.into(),
                    given_name: given.to_owned(),
                    family_name: family.to_owned(),
                    phone: Some((
                        PhoneId(dice.mint(now)),
                        format!("+420 601 555 {:03}", dice.below(1000)),
                    )),
                    email: None,
                    address: names::address(dice),
                    preferred_channel: None,
                }
                .into()
            }
            (Kind::Client, _) => {
                let phone = (
                    PhoneId(dice.mint(now)),
                    format!("+420 602 555 {:03}", dice.below(1000)),
                );
                EditClient {
                    phones: vec![phone],
                    ..EditClient::of(document.id.into())
                }
                .into()
            }
            (Kind::Patient, 0) => {
                let breed = breeds::any(dice);
                RegisterPatient {
                    patient: document.id.into(),
                    owner: self.client,
                    name: names::animal(dice, breed.species).to_owned(),
                    species: breed.species,
                    breed: breed.name.to_owned(),
                    colour: breed.colour(dice).to_owned(),
                    sex: [Sex::Female, Sex::Male][dice.below(2)],
                    neutered: Some(dice.permille(600)),
                    born: None,
                    microchip: format!("203164{:09}", dice.between(0, 999_999_999)),
                }
                .into()
            }
            (Kind::Patient, _) => RecordWeight {
                patient: document.id.into(),
                entry: WeightId(dice.mint(now)),
                weight: Weight::parse(&format!("{:.1}", dice.within(3.0, 40.0)))
                    .expect("between 3 and 40 kg"),
                at: now,
                visit: None,
            }
            .into(),
            (Kind::Appointment, 0) => BookAppointment {
                appointment: document.id.into(),
                client: self.client,
                patient: self.patient,
                appointment_type: self.kind,
                slot: slot(dice, self.vet),
                reason: "Annual vaccination".to_owned(),
            }
            .into(),
            (Kind::Appointment, _) => MoveAppointment {
                appointment: document.id.into(),
                slot: slot(dice, self.vet),
            }
            .into(),
            (_, 0) => StartVisit {
                visit: document.id.into(),
                appointment: (self.visits_of_appointment == 1).then_some(self.appointment),
                patient: self.patient,
                vet: self.vet,
                reason: "Limping".to_owned(),
            }
            .into(),
            (_, 1) => {
                let visit = VisitId::from(document.id);
                let readings = vec![(VitalSign::HeartRate, dice.between(70, 130).to_string())];
                RecordVitals {
                    visit,
                    set: visit.vitals(),
                    readings,
                    mucous_membranes: None,
                }
                .into()
            }
            _ => {
                // Some words at the end of what stands there, as somebody types who saw it.
                let section = Section::ALL[number / 6 % Section::ALL.len()];
                let words = [
                    "Bright and alert. ",
                    "Eats well. ",
                    "Abdomen soft, ",
                    "heart and lungs clear. ",
                    "Rest for two weeks, ",
                    "recheck on Friday. ",
                ];
                WriteInSection {
                    visit: document.id.into(),
                    section,
                    seen: document.heads().iter().map(|hash| hash.0).collect(),
                    at: document.text(section.word()).chars().count(),
                    delete: 0,
                    insert: words[dice.below(words.len())].to_owned(),
                }
                .into()
            }
        }
    }
}
