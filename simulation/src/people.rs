//! The people of a clinic, its few records, and what somebody asks for next.
//!
//! Invariant: records are few and people many, so that they get into each other's way.

use crate::dice::Dice;
use local_core::Core;
use rust_decimal::Decimal;
use shared_model::commands::*;
use shared_model::documents::{AlertKind, Document, Kind, OpeningHours, Section, Sex, Slot, Species, Tone};
use shared_model::ids::*;
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use shared_model::values::Weight;

/// Somebody who signs in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) client: Option<ClientId>,
    pub(crate) devices: usize,
}

impl Person {
    pub(crate) fn is_owner(&self) -> bool {
        self.client.is_some()
    }

    /// Their membership has ended.
    pub(crate) fn has_left(&self) -> bool {
        self.roles.is_empty()
    }

    /// The first is veterinarian and administrator; owners have a client's record.
    pub(crate) fn draw(dice: &mut Dice, devices: usize) -> Vec<Self> {
        let mut people = vec![Self::new(
            dice,
            "ana",
            vec![Role::Veterinarian, Role::ClinicAdministrator],
        )];
        let names = ["ben", "cleo", "dan", "eva", "finn", "gus"];
        for name in names.iter().take(devices.saturating_sub(1)) {
            match dice.below(7) {
                0 => people[0].devices += 1,
                1 => people.push(Self::new(dice, name, vec![Role::Veterinarian])),
                2 => people.push(Self::new(dice, name, vec![Role::Technician])),
                3 => people.push(Self::new(dice, name, vec![Role::FrontDesk])),
                4 => people.push(Self::new(dice, name, vec![Role::Viewer])),
                _ => {
                    let mut owner = Self::new(dice, name, vec![Role::Owner]);
                    owner.client = Some(ClientId(dice.id(crate::world::BEGIN)));
                    people.push(owner);
                }
            }
        }
        people
    }

    fn new(dice: &mut Dice, name: &str, roles: Vec<Role>) -> Self {
        Self {
            account: AccountId(dice.id(crate::world::BEGIN)),
            name: name.to_owned(),
            roles,
            client: None,
            devices: 1,
        }
    }
}

/// The records that exist, or may.
pub(crate) struct Books {
    pub(crate) clients: Vec<ClientId>,
    pub(crate) patients: Vec<PatientId>,
    pub(crate) appointments: Vec<AppointmentId>,
    pub(crate) visits: Vec<VisitId>,
    weights: Vec<(PatientId, WeightId)>,
    alerts: Vec<(PatientId, AlertId)>,
    vets: Vec<AccountId>,
    kind_of_appointment: AppointmentTypeId,
    room: RoomId,
}

const TEXTS: [&str; 6] = [
    "Bright.",
    "Ate rope. ",
    "Limps on the left",
    "é",
    " and vomits",
    "No change since Monday.\n",
];
const NAMES: [&str; 5] = ["Rex", "Luna", "Simba", "Bella", "Žofka"];
const MOST: usize = 6;

impl Books {
    pub(crate) fn new(people: &[Person], dice: &mut Dice) -> Self {
        let mut clients: Vec<ClientId> = people.iter().filter_map(|person| person.client).collect();
        clients.push(ClientId(dice.id(crate::world::BEGIN)));
        let patients = (0..3).map(|_| PatientId(dice.id(crate::world::BEGIN))).collect();
        let appointments: Vec<AppointmentId> = (0..2)
            .map(|_| AppointmentId(dice.id(crate::world::BEGIN)))
            .collect();
        let staff = people.iter().filter(|person| !person.is_owner());
        Self {
            clients,
            patients,
            visits: appointments
                .iter()
                .map(|id| VisitId::of_appointment(*id))
                .collect(),
            appointments,
            weights: Vec::new(),
            alerts: Vec::new(),
            vets: staff.map(|person| person.account).collect(),
            kind_of_appointment: AppointmentTypeId(dice.id(crate::world::BEGIN)),
            room: RoomId(dice.id(crate::world::BEGIN)),
        }
    }

    /// How the clinic begins, by its administrator.
    pub(crate) fn founding(&self, dice: &mut Dice, now: Timestamp) -> Vec<Command> {
        let hours = Some(OpeningHours {
            opens: 480,
            closes: 1_080,
            pause: None,
        });
        let mut commands: Vec<Command> = vec![
            SetClinicProfile {
                name: "Simulated Vets".to_owned(),
                phone: String::new(),
                email: String::new(),
                address: String::new(),
                time_zone: "Europe/Prague".to_owned(),
                hours: [hours; 7],
            }
            .into(),
            SetAppointmentType {
                appointment_type: self.kind_of_appointment,
                name: "Check-up".to_owned(),
                minutes: 20,
                tone: Tone::Teal,
                order: 1,
                active: true,
            }
            .into(),
        ];
        for client in &self.clients {
            commands.push(self.register_client(*client, dice));
        }
        for patient in &self.patients {
            commands.push(self.register_patient(*patient, dice));
        }
        for appointment in &self.appointments {
            commands.push(self.book(*appointment, dice, now));
        }
        commands
    }

    fn register_client(&self, client: ClientId, dice: &mut Dice) -> Command {
        RegisterClient {
            client,
            given_name: NAMES[dice.below(NAMES.len())].to_owned(),
            family_name: "Novak".to_owned(),
            phone: Some((PhoneId(client.0), format!("60155501{}", dice.below(10)))),
            email: None,
            address: String::new(),
            preferred_channel: None,
        }
        .into()
    }

    fn register_patient(&self, patient: PatientId, dice: &mut Dice) -> Command {
        RegisterPatient {
            patient,
            owner: self.client(dice),
            name: NAMES[dice.below(NAMES.len())].to_owned(),
            species: Species::ALL[dice.below(Species::ALL.len())],
            breed: String::new(),
            colour: String::new(),
            sex: Sex::ALL[dice.below(Sex::ALL.len())],
            neutered: None,
            born: None,
            microchip: String::new(),
        }
        .into()
    }

    fn book(&self, appointment: AppointmentId, dice: &mut Dice, now: Timestamp) -> Command {
        BookAppointment {
            appointment,
            client: self.client(dice),
            patient: self.patient(dice),
            appointment_type: self.kind_of_appointment,
            slot: self.slot(dice, now),
            reason: TEXTS[dice.below(TEXTS.len())].to_owned(),
        }
        .into()
    }

    fn slot(&self, dice: &mut Dice, now: Timestamp) -> Slot {
        Slot {
            start: Timestamp(now.0 / 600_000 * 600_000).plus_minutes(10 * dice.between(-6, 60)),
            minutes: 20,
            vet: self.vets[dice.below(self.vets.len())],
            room: dice.permille(500).then_some(self.room),
        }
    }

    pub(crate) fn client(&self, dice: &mut Dice) -> ClientId {
        self.clients[dice.below(self.clients.len())]
    }

    pub(crate) fn patient(&self, dice: &mut Dice) -> PatientId {
        self.patients[dice.below(self.patients.len())]
    }

    fn appointment(&self, dice: &mut Dice) -> AppointmentId {
        self.appointments[dice.below(self.appointments.len())]
    }

    fn visit(&self, dice: &mut Dice) -> VisitId {
        self.visits[dice.below(self.visits.len())]
    }

    /// What this person asks for next.
    pub(crate) fn next(
        &mut self,
        dice: &mut Dice,
        person: &Person,
        core: &Core,
        clinic: ClinicId,
        now: Timestamp,
    ) -> Command {
        // Sometimes somebody tries what others do.
        let anything = dice.permille(60);
        if anything || !person.is_owner() {
            self.next_of_staff(dice, core, clinic, now)
        } else {
            self.next_of_owner(dice, now)
        }
    }

    fn next_of_owner(&self, dice: &mut Dice, now: Timestamp) -> Command {
        match dice.below(4) {
            0 => CancelAppointment {
                appointment: self.appointment(dice),
                reason: "Ill".to_owned(),
            }
            .into(),
            1 => self.report_death(dice, now),
            _ => self.edit_client(dice),
        }
    }

    fn edit_client(&self, dice: &mut Dice) -> Command {
        let client = self.client(dice);
        let mut edit = EditClient::of(client);
        edit.address = Some(format!("Street {}", dice.below(100)));
        if dice.permille(300) {
            edit.phones = vec![(PhoneId(client.0), format!("60155502{}", dice.below(10)))];
        }
        edit.into()
    }

    fn report_death(&self, dice: &mut Dice, now: Timestamp) -> Command {
        ReportDeath {
            patient: self.patient(dice),
            // Of a device whose clock is ahead this may be a day that has not come.
            on: now.date_in(&jiff::tz::TimeZone::UTC),
        }
        .into()
    }

    fn next_of_staff(&mut self, dice: &mut Dice, core: &Core, clinic: ClinicId, now: Timestamp) -> Command {
        match dice.below(26) {
            0 if self.clients.len() < MOST => {
                let client = ClientId(dice.id(now.0));
                self.clients.push(client);
                self.register_client(client, dice)
            }
            1 if self.patients.len() < MOST => {
                let patient = PatientId(dice.id(now.0));
                self.patients.push(patient);
                self.register_patient(patient, dice)
            }
            2 if self.appointments.len() < MOST => {
                let appointment = AppointmentId(dice.id(now.0));
                self.appointments.push(appointment);
                self.visits.push(VisitId::of_appointment(appointment));
                self.book(appointment, dice, now)
            }
            3 => self.report_death(dice, now),
            4 => RetractDeath {
                patient: self.patient(dice),
                reason: "It was another Rex".to_owned(),
            }
            .into(),
            5 | 6 => self.edit_client(dice),
            7 | 8 => {
                let mut edit = EditPatient::of(self.patient(dice));
                edit.species = Some(Species::ALL[dice.below(Species::ALL.len())]);
                edit.name = dice
                    .permille(500)
                    .then(|| NAMES[dice.below(NAMES.len())].to_owned());
                edit.into()
            }
            9 | 10 => {
                let entry = (self.patient(dice), WeightId(dice.id(now.0)));
                self.weights.push(entry);
                RecordWeight {
                    patient: entry.0,
                    entry: entry.1,
                    weight: Weight::kg(Decimal::new(dice.between(1, 900), 1))
                        .expect("0.1 to 90 kg is a weight"),
                    at: now,
                    visit: None,
                }
                .into()
            }
            11 if !self.weights.is_empty() => {
                let (patient, entry) = self.weights[dice.below(self.weights.len())];
                RetractWeight {
                    patient,
                    entry,
                    reason: "Other dog".to_owned(),
                }
                .into()
            }
            12 => {
                let entry = (self.patient(dice), AlertId(dice.id(now.0)));
                self.alerts.push(entry);
                RecordAlert {
                    patient: entry.0,
                    alert: entry.1,
                    kind: AlertKind::ALL[dice.below(AlertKind::ALL.len())],
                    text: "Penicillin".to_owned(),
                }
                .into()
            }
            13 if !self.alerts.is_empty() => {
                let (patient, alert) = self.alerts[dice.below(self.alerts.len())];
                RetractAlert {
                    patient,
                    alert,
                    reason: "Tested".to_owned(),
                }
                .into()
            }
            14 => MoveAppointment {
                appointment: self.appointment(dice),
                slot: self.slot(dice, now),
            }
            .into(),
            15 => CheckIn {
                appointment: self.appointment(dice),
            }
            .into(),
            16 => CancelAppointment {
                appointment: self.appointment(dice),
                reason: String::new(),
            }
            .into(),
            17 => ReinstateAppointment {
                appointment: self.appointment(dice),
            }
            .into(),
            18 | 19 => {
                let appointment = self.appointment(dice);
                StartVisit {
                    visit: VisitId::of_appointment(appointment),
                    appointment: Some(appointment),
                    patient: self.patient(dice),
                    vet: self.vets[dice.below(self.vets.len())],
                    reason: String::new(),
                }
                .into()
            }
            20 => {
                let visit = self.visit(dice);
                RecordVitals {
                    visit,
                    set: visit.vitals(),
                    readings: vec![(
                        shared_model::clinical::VitalSign::HeartRate,
                        dice.between(60, 180).to_string(),
                    )],
                    mucous_membranes: None,
                }
                .into()
            }
            21 => FinishVisit {
                visit: self.visit(dice),
                appointment: None,
            }
            .into(),
            22 => ChooseValue {
                kind: Kind::Patient,
                document: self.patient(dice).into(),
                field: "species".to_owned(),
                value: Species::ALL[dice.below(Species::ALL.len())].word().to_owned(),
            }
            .into(),
            _ => self.write_in_section(dice, core, clinic),
        }
    }

    /// Typing on what the device shows now.
    fn write_in_section(&self, dice: &mut Dice, core: &Core, clinic: ClinicId) -> Command {
        let visit = self.visit(dice);
        let section = Section::ALL[dice.below(Section::ALL.len())];
        let here = core
            .store()
            .document(visit.into())
            .ok()
            .flatten()
            .and_then(|stored| Document::load(Kind::Visit, clinic, visit.into(), &stored.bytes).ok());
        let (seen, length) = here.map_or((Vec::new(), 0), |document| {
            let heads = document.heads().iter().map(|head| head.0).collect();
            (heads, document.text(section.word()).chars().count())
        });
        let at = dice.below(length + 1);
        WriteInSection {
            visit,
            section,
            seen,
            at,
            delete: if dice.permille(300) {
                dice.below(length - at + 1)
            } else {
                0
            },
            insert: TEXTS[dice.below(TEXTS.len())].to_owned(),
        }
        .into()
    }
}
