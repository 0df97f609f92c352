//! A device in a clinic, set up by the commands that a person would give.

use local_core::{Core, Credentials, Decision, Effect, Event, Failure, KeySeed, Query, Store, View};
use rusqlite::Connection;
use shared_model::authorship::SigningKey;
use shared_model::commands::*;
use shared_model::documents::{Sex, Slot, Species, Tone};
use shared_model::ids::*;
use shared_model::permissions::{Principal, Role};
use shared_model::time::{Timestamp, zone};
use uuid::Uuid;

pub(crate) const CLINIC: ClinicId = ClinicId(Uuid::from_u128(1));
pub(crate) const VET: AccountId = AccountId(Uuid::from_u128(2));
/// Works at the desk.
pub(crate) const NORA: AccountId = AccountId(Uuid::from_u128(7));
pub(crate) const CHECKUP: AppointmentTypeId = AppointmentTypeId(Uuid::from_u128(3));

/// 23 November 2026, 09:00 in Prague.
pub(crate) fn nine() -> Timestamp {
    Timestamp::at_wall_clock(jiff::civil::date(2026, 11, 23), 9 * 60, &zone("Europe/Prague"))
}

pub(crate) struct Device {
    pub core: Core,
    pub now: Timestamp,
    /// Tells this device's random numbers from those of its copy.
    pub salt: u64,
    actors: u64,
    ids: u128,
    ticket: u64,
    watch: u64,
}

fn seed(account: AccountId) -> KeySeed {
    KeySeed([account.bytes()[15] + 3; 32])
}

/// Somebody's key on the device.
pub(crate) fn signing_key(account: AccountId) -> SigningKey {
    SigningKey::from_seed(&seed(account).0)
}

impl Device {
    /// A vet's device with a store in memory and a clinic that is open from eight to six.
    pub(crate) fn new() -> Self {
        let mut device = Self::on(Connection::open_in_memory().unwrap());
        device.sign_in(&[Role::Veterinarian, Role::ClinicAdministrator]);
        device.set_up_clinic();
        device
    }

    pub(crate) fn on(sql: Connection) -> Self {
        Self::of(Core::new(Store::new(sql).unwrap()).unwrap())
    }

    pub(crate) fn of(core: Core) -> Self {
        Self {
            core,
            now: nine(),
            salt: 1_000,
            actors: 0,
            ids: 1_000,
            ticket: 0,
            watch: 0,
        }
    }

    pub(crate) fn sign_in(&mut self, roles: &[Role]) -> Vec<Effect> {
        self.sign_in_as(VET, "Ana Moreno", roles)
    }

    pub(crate) fn sign_in_as(&mut self, account: AccountId, name: &str, roles: &[Role]) -> Vec<Effect> {
        let principal = Principal {
            account,
            clinic: CLINIC,
            roles: roles.to_vec(),
            client: None,
            name: name.to_owned(),
        };
        let credentials = Credentials {
            principal,
            access_token: "access".to_owned(),
            access_expires: self.now.plus_minutes(10),
            refresh_token: "refresh".to_owned(),
        };
        self.handle(Event::SignedIn {
            credentials,
            device: DeviceId(Uuid::from_u128(5)),
            fresh_actor: [account.bytes()[15] + 3; 16],
            fresh_key: seed(account),
        })
    }

    /// The vet, with every right at the clinic.
    pub(crate) fn vet_signs_in(&mut self) {
        self.sign_in(&[Role::Veterinarian, Role::ClinicAdministrator]);
    }

    pub(crate) fn nora_signs_in(&mut self) {
        self.sign_in_as(NORA, "Nora Lindqvist", &[Role::FrontDesk]);
    }

    pub(crate) fn sign_out(&mut self) {
        self.handle(Event::SignedOut);
    }

    /// The core handles an event; a fresh actor is given when it asks for one.
    pub(crate) fn handle(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = self.core.handle(self.now, event);
        if effects.contains(&Effect::FreshActor) {
            self.actors += 1;
            let mut random = [0x55; 16];
            random[..8].copy_from_slice(&(self.salt + self.actors).to_be_bytes());
            effects.extend(self.core.handle(self.now, Event::FreshActor(random)));
        }
        effects
    }

    pub(crate) fn decide(&mut self, decision: Decision) -> Result<Timestamp, Failure> {
        self.ticket += 1;
        let ticket = self.ticket;
        let effects = self.handle(Event::Decide { ticket, decision });
        answer_to(ticket, effects)
    }

    pub(crate) fn set_up_clinic(&mut self) {
        let hours = Some(shared_model::documents::OpeningHours {
            opens: 480,
            closes: 1080,
            pause: Some((750, 810)),
        });
        self.must(SetClinicProfile {
            name: "Northgate Vets".to_owned(),
            phone: String::new(),
            email: String::new(),
            address: String::new(),
            time_zone: "Europe/Prague".to_owned(),
            hours: [hours; 7],
        });
        self.must(SetStaffMember {
            account: VET,
            name: "Dr Moreno".to_owned(),
            full_name: "Ana Moreno".to_owned(),
            role: Role::Veterinarian,
            bookable: true,
            order: 1,
            active: true,
        });
        self.must(SetAppointmentType {
            appointment_type: CHECKUP,
            name: "Check-up".to_owned(),
            minutes: 20,
            tone: Tone::Teal,
            order: 1,
            active: true,
        });
    }

    pub(crate) fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    pub(crate) fn run(&mut self, command: impl Into<Command>) -> Result<Timestamp, Failure> {
        self.ticket += 1;
        let ticket = self.ticket;
        let effects = self.handle(Event::Command {
            ticket,
            command: command.into(),
        });
        answer_to(ticket, effects)
    }

    pub(crate) fn must(&mut self, command: impl Into<Command>) {
        self.run(command).unwrap();
    }

    /// Starts watching; gives the watch and its first view.
    pub(crate) fn watch(&mut self, query: Query) -> (u64, View) {
        self.watch += 1;
        let watch = self.watch;
        let effects = self.core.handle(self.now, Event::Watch { watch, query });
        (
            watch,
            view_of(&effects, watch).expect("a first view comes at once"),
        )
    }

    pub(crate) fn look(&mut self, query: Query) -> View {
        let (watch, view) = self.watch(query);
        self.core.handle(self.now, Event::Unwatch { watch });
        view
    }

    pub(crate) fn client(&mut self, given: &str, family: &str, phone: &str) -> ClientId {
        let client = ClientId(self.id());
        let phone_id = PhoneId(self.id());
        self.must(RegisterClient {
            client,
            given_name: given.to_owned(),
            family_name: family.to_owned(),
            phone: Some((phone_id, phone.to_owned())),
            email: None,
            address: String::new(),
            preferred_channel: None,
        });
        client
    }

    pub(crate) fn pet(&mut self, owner: ClientId, name: &str, microchip: &str) -> PatientId {
        let patient = PatientId(self.id());
        self.must(RegisterPatient {
            patient,
            owner,
            name: name.to_owned(),
            species: Species::Dog,
            breed: "Border Collie".to_owned(),
            colour: String::new(),
            sex: Sex::Male,
            neutered: Some(true),
            born: Some(jiff::civil::date(2020, 9, 20)),
            microchip: microchip.to_owned(),
        });
        patient
    }

    /// Books for the vet, `minute` being minutes after midnight in Prague today.
    pub(crate) fn book(&mut self, client: ClientId, patient: PatientId, minute: i16) -> AppointmentId {
        let appointment = AppointmentId(self.id());
        let start = Timestamp::at_wall_clock(jiff::civil::date(2026, 11, 23), minute, &zone("Europe/Prague"));
        self.must(BookAppointment {
            appointment,
            client,
            patient,
            appointment_type: CHECKUP,
            slot: Slot {
                start,
                minutes: 20,
                vet: VET,
                room: None,
            },
            reason: "Vomiting since last night".to_owned(),
        });
        appointment
    }
}

/// Makes a closed store what an older build, which knew only these migrations, would have left.
pub(crate) fn as_an_older_build_left_it(file: &std::path::Path, migrations: &[&str]) {
    let older = file.with_extension("older");
    let sql = Connection::open(&older).unwrap();
    for migration in migrations {
        sql.execute_batch(migration).unwrap();
    }
    sql.pragma_update(None, "user_version", migrations.len()).unwrap();
    sql.execute("ATTACH ?1 AS now", [file.to_str().unwrap()]).unwrap();
    sql.execute_batch(
        "INSERT INTO meta SELECT * FROM now.meta WHERE name <> 'projection_version'; \
         INSERT INTO document SELECT * FROM now.document; INSERT INTO feed_cursor SELECT * FROM now.feed_cursor; \
         INSERT INTO outbox SELECT seq, account, kind, document, hash, change, command, made_at, refused, reason \
         FROM now.outbox;",
    )
    .unwrap();
    drop(sql);
    std::fs::rename(older, file).unwrap();
}

fn answer_to(ticket: u64, effects: Vec<Effect>) -> Result<Timestamp, Failure> {
    effects
        .into_iter()
        .find_map(|effect| match effect {
            Effect::Answer {
                ticket: answered,
                outcome,
            } if answered == ticket => Some(outcome),
            _ => None,
        })
        .expect("every command is answered")
}

pub(crate) fn view_of(effects: &[Effect], watch: u64) -> Option<View> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::View { watch: shown, view } if *shown == watch => Some(view.clone()),
        _ => None,
    })
}
