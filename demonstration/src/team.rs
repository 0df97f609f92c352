//! Who works at Northgate Vets, in which rooms, and what can be booked.

use crate::days::{REGULAR_HOURS, TIME_ZONE};
use crate::dice::Dice;
use crate::log::{Log, Person};
use crate::names;
use crate::reasons::Type;
use crate::{DEMO_PASSWORD, DemoAccount};
use shared_model::commands::{SetAppointmentType, SetClinicProfile, SetRoom, SetStaffMember};
use shared_model::documents::OpeningHours;
use shared_model::ids::{AccountId, AppointmentTypeId, ClientId, RoomId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;

pub(crate) struct Team {
    /// Dr Moreno, Dr Okafor, Dr Lind; more of them in a larger clinic.
    pub(crate) vets: Vec<Person>,
    pub(crate) technicians: Vec<Person>,
    pub(crate) desk: Person,
    pub(crate) administrator: Person,
    /// One for each veterinarian, in their order.
    pub(crate) consulting: Vec<RoomId>,
    pub(crate) surgeries: Vec<RoomId>,
    types: Vec<AppointmentTypeId>,
}

/// Patients that three veterinarians look after without haste, and that each further one adds.
const PATIENTS_PER_VET: usize = 2_400;

impl Team {
    /// How many people appointments are booked with: veterinarians first, then technicians.
    pub(crate) fn bookable(&self) -> usize {
        self.vets.len() + self.technicians.len()
    }

    pub(crate) fn is_vet(&self, who: usize) -> bool {
        who < self.vets.len()
    }

    pub(crate) fn person(&self, who: usize) -> &Person {
        self.vets
            .get(who)
            .unwrap_or_else(|| &self.technicians[who - self.vets.len()])
    }

    pub(crate) fn type_of(&self, kind: Type) -> AppointmentTypeId {
        self.types[kind as usize]
    }
}

struct Opening {
    name: String,
    full_name: String,
    email: String,
    role: Role,
    bookable: bool,
    in_directory: bool,
}

fn opening(name: &str, full_name: &str, role: Role, bookable: bool) -> Opening {
    let (given, family) = full_name
        .trim_start_matches("Dr ")
        .split_once(' ')
        .unwrap_or((full_name, ""));
    Opening {
        name: name.to_owned(),
        full_name: full_name.to_owned(),
        email: format!("{}@northgate.example", names::mailbox(given, family)),
        role,
        bookable,
        in_directory: role != Role::SystemAdministrator,
    }
}

/// The team of a clinic of this size, in the order of the day view's columns.
fn openings(dice: &mut Dice, patients: usize) -> Vec<Opening> {
    let mut all = vec![
        opening("Dr Moreno", "Dr Ana Moreno", Role::Veterinarian, true),
        opening("Dr Okafor", "Dr Chidi Okafor", Role::Veterinarian, true),
        opening("Dr Lind", "Dr Signe Lind", Role::Veterinarian, true),
    ];
    let more_vets = patients.div_ceil(PATIENTS_PER_VET).saturating_sub(3);
    let more_technicians = more_vets / 4;
    while all.len() < 3 + more_vets + more_technicians {
        let (given, family) = names::person(dice);
        let (title, role) = match all.len() {
            already if already < 3 + more_vets => ("Dr", Role::Veterinarian),
            _ => ("Nurse", Role::Technician),
        };
        let name = format!("{title} {family}");
        let doctor = if role == Role::Veterinarian { "Dr " } else { "" };
        let one = opening(&name, &format!("{doctor}{given} {family}"), role, true);
        // Two columns of the same name would not be told apart; the table has names for sixty.
        let told_apart = |other: &Opening| other.email != one.email && (other.name != name || all.len() > 60);
        if all.iter().all(told_apart) {
            all.push(one);
        }
    }
    all.extend([
        opening("Nurse clinic", "Tomas Kral", Role::Technician, true),
        opening("Jana", "Jana Dvorak", Role::FrontDesk, false),
        opening("Eva", "Eva Northgate", Role::ClinicAdministrator, false),
        opening("Lucie", "Lucie Horak", Role::Viewer, false),
        opening("Kofi", "Kofi Mensah", Role::SystemAdministrator, false),
    ]);
    all
}

/// The clinic's first day: accounts, profile, rooms, directory, appointment types.
pub(crate) fn set_up(
    dice: &mut Dice,
    log: &mut Log,
    founded: Timestamp,
    patients: usize,
) -> (Team, Vec<DemoAccount>) {
    let mut at = founded;
    let mut next = || {
        at = at.plus_minutes(2);
        at
    };
    let openings = openings(dice, patients);
    let mut people = Vec::new();
    let mut accounts = Vec::new();
    for opening in &openings {
        let account = AccountId(dice.mint(next()));
        people.push(Person::new(dice, account));
        accounts.push(DemoAccount {
            account,
            email: opening.email.clone(),
            full_name: opening.full_name.clone(),
            roles: vec![opening.role],
            client: None,
            password: DEMO_PASSWORD,
        });
    }
    let with_role = |role: Role| {
        let both = openings.iter().zip(&people);
        both.filter(move |(opening, _)| opening.role == role)
            .map(|(_, person)| person.clone())
    };
    let vets: Vec<Person> = with_role(Role::Veterinarian).collect();
    let technicians: Vec<Person> = with_role(Role::Technician).collect();
    let desk = with_role(Role::FrontDesk)
        .next()
        .expect("every team has a front desk");
    let administrator = with_role(Role::ClinicAdministrator)
        .next()
        .expect("every team has an administrator");

    log.add(next(), &administrator, profile(REGULAR_HOURS));
    let rooms: Vec<String> = (1..=vets.len())
        .map(|number| format!("Room {number}"))
        .chain((0..1 + vets.len() / 8).map(|number| match number {
            0 => "Surgery".to_owned(),
            _ => format!("Surgery {}", number + 1),
        }))
        .collect();
    let mut room_ids = Vec::new();
    for (order, name) in (1..).zip(rooms) {
        let at = next();
        let room = RoomId(dice.mint(at));
        room_ids.push(room);
        log.add(
            at,
            &administrator,
            SetRoom {
                room,
                name,
                order,
                active: true,
            },
        );
    }
    let surgeries = room_ids.split_off(vets.len());
    let in_directory = openings
        .iter()
        .zip(&people)
        .filter(|(opening, _)| opening.in_directory);
    for (order, (opening, person)) in (1..).zip(in_directory) {
        let member = SetStaffMember {
            account: person.account,
            name: opening.name.clone(),
            full_name: opening.full_name.clone(),
            role: opening.role,
            bookable: opening.bookable,
            order,
            active: true,
        };
        log.add(next(), &administrator, member);
    }
    let mut types = Vec::new();
    for (order, kind) in (1..).zip(Type::ALL) {
        let at = next();
        let appointment_type = AppointmentTypeId(dice.mint(at));
        let (name, minutes, tone) = kind.row();
        types.push(appointment_type);
        let name = name.to_owned();
        let command = SetAppointmentType {
            appointment_type,
            name,
            minutes,
            tone,
            order,
            active: true,
        };
        log.add(at, &administrator, command);
    }
    let team = Team {
        vets,
        technicians,
        desk,
        administrator,
        consulting: room_ids,
        surgeries,
        types,
    };
    (team, accounts)
}

/// The clinic's profile with these hours, Monday first.
pub(crate) fn profile(hours: [Option<OpeningHours>; 7]) -> SetClinicProfile {
    SetClinicProfile {
        name: crate::NAME.to_owned(),
        phone: "+420 601 555 000".to_owned(),
        email: "hello@northgate.example".to_owned(),
        address: "Severní brána 1, 160 00 Praha 6".to_owned(),
        time_zone: TIME_ZONE.to_owned(),
        hours,
    }
}

/// An owner's sign-in.
pub(crate) fn owner_account(
    dice: &mut Dice,
    at: Timestamp,
    client: ClientId,
    full_name: String,
    email: String,
) -> DemoAccount {
    DemoAccount {
        account: AccountId(dice.mint(at)),
        email,
        full_name,
        roles: vec![Role::Owner],
        client: Some(client),
        password: DEMO_PASSWORD,
    }
}
