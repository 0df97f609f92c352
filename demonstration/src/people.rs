//! Clients and their animals: a few that every demonstration has, then as many as are wanted.

use crate::breeds::{self, Breed};
use crate::days::Days;
use crate::dice::Dice;
use crate::log::Log;
use crate::names;
use crate::team::Team;
use shared_model::commands::{EditClient, RecordAlert, RecordWeight, RegisterClient, RegisterPatient};
use shared_model::documents::Species::{self, *};
use shared_model::documents::{AlertKind, Channel, Sex};
use shared_model::ids::{AlertId, ClientId, EmailId, PatientId, PhoneId, WeightId};
use shared_model::time::Timestamp;
use shared_model::values::Weight;
use std::collections::{HashMap, HashSet};

pub(crate) struct Owner {
    pub(crate) client: ClientId,
    pub(crate) full_name: String,
    pub(crate) email: String,
    pub(crate) registered: Timestamp,
}

pub(crate) struct Animal {
    pub(crate) patient: PatientId,
    pub(crate) client: ClientId,
    pub(crate) name: String,
    pub(crate) breed: &'static Breed,
    pub(crate) sex: Sex,
    /// In days of the story; negative before its first day.
    born: i64,
    pub(crate) registered: Timestamp,
    pub(crate) registered_on: i64,
    /// The day of its death, always before today.
    pub(crate) died: Option<i64>,
    /// Whether it came as a youngster who will be neutered here.
    pub(crate) neutering_planned: bool,
    adult_kg: f64,
    /// What midlife makes of the adult weight: 1.1 is a tenth too much.
    condition: f64,
    /// The veterinarian whom the owner asks for.
    pub(crate) usual_vet: usize,
}

/// One that every demonstration has, because stories and tests are told about it.
struct Known {
    owner: usize,
    name: &'static str,
    breed: &'static str,
    colour: &'static str,
    sex: Sex,
    neutered: bool,
    months: i64,
    kg: f64,
    chip: &'static str,
    alert: Option<(AlertKind, &'static str)>,
    usual_vet: usize,
}

/// The two whose owner is Petra Novak.
pub(crate) const REX: usize = 0;
pub(crate) const MIMI: usize = 1;

/// What the scale showed last for Rex and for Mimi.
const LAST_WEIGHTS: [(usize, &str); 2] = [(REX, "19.4"), (MIMI, "4.15")];

const KNOWN_OWNERS: [(&str, &str); 5] = [
    ("Petra", "Novak"),
    ("Šárka", "Nováková"),
    ("Björn", "Lindqvist"),
    ("Łukasz", "Zieliński"),
    ("Ngọc", "Nguyễn"),
];

/// Those of the known owners who can sign in.
pub(crate) const OWNERS_WITH_SIGN_IN: usize = 2;

const KNOWN: [Known; 7] = [
    Known {
        owner: 0,
        name: "Rex",
        breed: "Border Collie",
        colour: "Black and white",
        sex: Sex::Male,
        neutered: true,
        months: 74,
        kg: 19.2,
        chip: "203164000123456",
        alert: Some((AlertKind::Allergy, "Penicillin: facial swelling within an hour")),
        usual_vet: 0,
    },
    Known {
        owner: 0,
        name: "Mimi",
        breed: "Domestic Shorthair",
        colour: "Brown tabby",
        sex: Sex::Female,
        neutered: true,
        months: 136,
        kg: 4.2,
        chip: "203164000123471",
        alert: None,
        usual_vet: 0,
    },
    Known {
        owner: 1,
        name: "Žofka",
        breed: "Domestic Shorthair",
        colour: "Tortoiseshell",
        sex: Sex::Female,
        neutered: true,
        months: 47,
        kg: 3.9,
        chip: "203164000200817",
        alert: Some((
            AlertKind::Handling,
            "Frightened of dogs: straight into a quiet room",
        )),
        usual_vet: 2,
    },
    Known {
        owner: 2,
        name: "Rex",
        breed: "German Shepherd Dog",
        colour: "Black and tan",
        sex: Sex::Male,
        neutered: false,
        months: 51,
        kg: 36.0,
        chip: "985112345678903",
        alert: None,
        usual_vet: 1,
    },
    Known {
        owner: 1,
        name: "Čert",
        breed: "Bohemian Terrier",
        colour: "Grey-blue",
        sex: Sex::Male,
        neutered: true,
        months: 93,
        kg: 8.6,
        chip: "203164000200818",
        alert: None,
        usual_vet: 2,
    },
    Known {
        owner: 3,
        name: "Łatka",
        breed: "Beagle",
        colour: "Tricolour",
        sex: Sex::Female,
        neutered: true,
        months: 63,
        kg: 13.1,
        chip: "616093900112233",
        alert: None,
        usual_vet: 1,
    },
    Known {
        owner: 4,
        name: "Měsíček",
        breed: "Dwarf Lop",
        colour: "White",
        sex: Sex::Male,
        neutered: true,
        months: 30,
        kg: 2.1,
        chip: "",
        alert: None,
        usual_vet: 2,
    },
];

/// What an alert says, whom it suits (empty for any), how often.
type AlertRow = (AlertKind, &'static str, &'static [Species], u32);

const ALERTS: &[AlertRow] = &[
    (AlertKind::Allergy, "Penicillin: hives", &[], 4),
    (
        AlertKind::Allergy,
        "Cephalosporins: vomiting and swelling",
        &[Dog, Cat],
        2,
    ),
    (
        AlertKind::Allergy,
        "Meloxicam: stomach bleeding, no NSAIDs",
        &[Dog, Cat],
        3,
    ),
    (
        AlertKind::Allergy,
        "Facial swelling after vaccination: keep for 30 minutes",
        &[Dog],
        2,
    ),
    (AlertKind::Allergy, "Chicken protein", &[Dog, Cat], 3),
    (
        AlertKind::Handling,
        "Handle with care: bites when the tail is touched",
        &[Dog, Cat],
        6,
    ),
    (AlertKind::Handling, "Muzzle before examination", &[Dog], 5),
    (
        AlertKind::Handling,
        "Nervous of other dogs: wait in the car",
        &[Dog],
        5,
    ),
    (
        AlertKind::Handling,
        "Two people to hold; towel works best",
        &[Cat],
        5,
    ),
    (
        AlertKind::Handling,
        "Stress-sensitive: shortest possible handling",
        &[Rabbit, GuineaPig, Rodent, Bird],
        8,
    ),
    (
        AlertKind::Medical,
        "Diabetic: insulin twice a day with food",
        &[Dog, Cat],
        4,
    ),
    (
        AlertKind::Medical,
        "Heart murmur grade 3: care with fluids",
        &[Dog, Cat],
        4,
    ),
    (AlertKind::Medical, "Epilepsy, on phenobarbital", &[Dog], 3),
    (
        AlertKind::Medical,
        "Chronic kidney disease: check doses",
        &[Cat],
        4,
    ),
    (
        AlertKind::Medical,
        "Deaf: approach from the front",
        &[Dog, Cat],
        2,
    ),
];

/// Animals with an alert, in a thousand.
const WITH_ALERT: u32 = 120;
/// Animals that have died, in a thousand.
const DECEASED: usize = 60;

impl Animal {
    /// Age in years on a day.
    pub(crate) fn age(&self, day: i64) -> f64 {
        (day - self.born).max(0) as f64 / 365.25
    }

    /// What the scale shows on a day, with what a full stomach and a restless animal do to it.
    pub(crate) fn weight(&self, dice: &mut Dice, day: i64) -> Weight {
        let age = self.age(day);
        let midlife = (age / (0.5 * self.breed.years)).clamp(0.0, 1.0);
        let drift = 1.0 + (self.condition - 1.0) * midlife;
        let kg = self.adult_kg * self.breed.grown_part(age) * drift * dice.within(0.988, 1.012);
        let shown = match kg {
            10.0.. => format!("{kg:.1}"),
            1.0..10.0 => format!("{kg:.2}"),
            _ => format!("{:.3}", kg.max(0.005)),
        };
        Weight::parse(&shown).expect("a positive number of kilograms is a weight")
    }
}

/// Hands out what no two clients share.
struct Unique {
    mailboxes: HashMap<String, u32>,
    phones: u64,
    chips: HashSet<String>,
}

impl Unique {
    fn email(&mut self, dice: &mut Dice, given: &str, family: &str, domain: Option<&str>) -> String {
        let mailbox = names::mailbox(given, family);
        let domain = domain.unwrap_or_else(|| dice.pick(&["example.org", "example.com", "example.net"]));
        let times = self.mailboxes.entry(mailbox.clone()).or_default();
        *times += 1;
        match *times {
            1 => format!("{mailbox}@{domain}"),
            again => format!("{mailbox}{again}@{domain}"),
        }
    }

    /// +420 601 555 000 to +420 700 555 999 in an order that looks like none; the practice itself has the first.
    fn phone(&mut self) -> String {
        self.phones += 1;
        let number = self.phones * 7_919 % 100_000;
        format!("+420 {} 555 {:03}", 601 + number / 1000, number % 1000)
    }

    /// Mostly ISO numbers of the country or of a maker, few from before the standard, few none.
    fn chip(&mut self, dice: &mut Dice, species: Species) -> String {
        let chipped = match species {
            Dog => 970,
            Cat => 820,
            Rabbit | Ferret => 350,
            Bird | Reptile => 150,
            _ => 0,
        };
        if !dice.permille(chipped) {
            return String::new();
        }
        loop {
            let digits = dice.between(0, 999_999_999_999);
            let chip = match dice.between(0, 99) {
                0..=69 => format!("203164{:09}", digits % 1_000_000_000),
                70..=81 => format!("941000{:09}", digits % 1_000_000_000),
                82..=96 => format!("985112{:09}", digits % 1_000_000_000),
                97..=98 => format!("{:09}", digits % 1_000_000_000),
                _ => format!("0A{:08X}", digits % 0x1_0000_0000),
            };
            if self.chips.insert(chip.clone()) {
                return chip;
            }
        }
    }
}

/// Everything that was registered.
pub(crate) struct People {
    pub(crate) owners: Vec<Owner>,
    pub(crate) animals: Vec<Animal>,
}

/// Registers owners with one to four animals each until there are `patients` of them.
pub(crate) fn register(
    dice: &mut Dice,
    days: &Days,
    team: &Team,
    log: &mut Log,
    patients: usize,
    history: bool,
) -> People {
    let mut unique = Unique {
        mailboxes: HashMap::new(),
        phones: 0,
        chips: HashSet::new(),
    };
    let mut people = People {
        owners: Vec::new(),
        animals: Vec::new(),
    };
    let mut reserved = HashSet::new();
    for known in KNOWN.iter().take(patients) {
        reserved.insert(known.chip.to_owned());
    }
    unique.chips.extend(reserved);
    let mut known_owners: [Option<usize>; KNOWN_OWNERS.len()] = Default::default();
    for known in KNOWN.iter().take(patients) {
        let owner = *known_owners[known.owner].get_or_insert_with(|| {
            let day = days.open_by(6);
            let name = KNOWN_OWNERS[known.owner];
            people.owners.push(register_owner(
                dice,
                days,
                team,
                log,
                &mut unique,
                name,
                day,
                Some("example.org"),
            ));
            people.owners.len() - 1
        });
        let animal = register_known(
            dice,
            days,
            team,
            log,
            &people.owners[owner],
            known,
            people.animals.len(),
        );
        people.animals.push(animal);
    }
    while people.animals.len() < patients {
        let name = names::person(dice);
        let day = registration_day(dice, days);
        let owner = register_owner(dice, days, team, log, &mut unique, name, day, None);
        let animals = match dice.between(0, 999) {
            0..=809 => 1,
            810..=949 => 2,
            950..=989 => 3,
            _ => 4,
        };
        let missing = patients - people.animals.len();
        for number in 0..animals.min(missing) {
            let order = i64::try_from(number).unwrap_or(0);
            people.animals.push(register_animal(
                dice,
                days,
                team,
                log,
                &mut unique,
                &owner,
                day,
                order,
                history,
            ));
        }
        people.owners.push(owner);
    }
    choose_deceased(dice, days, &mut people.animals);
    people
}

/// More than half came in the first weeks, with the practice's cards; the others since then.
fn registration_day(dice: &mut Dice, days: &Days) -> i64 {
    let last = days.today - 1;
    let day = if dice.permille(550) {
        dice.between(0, last.min(40))
    } else {
        dice.between(0, last)
    };
    days.open_by(day)
}

#[expect(clippy::too_many_arguments, reason = "what a desk needs to register somebody")]
fn register_owner(
    dice: &mut Dice,
    days: &Days,
    team: &Team,
    log: &mut Log,
    unique: &mut Unique,
    (given, family): (&str, &str),
    day: i64,
    domain: Option<&str>,
) -> Owner {
    let at = days.desk_time(dice, day);
    let by = if dice.permille(900) {
        &team.desk
    } else {
        &team.administrator
    };
    let client = ClientId(dice.mint(at));
    let email = unique.email(dice, given, family, domain);
    let phone = unique.phone();
    let known = domain.is_some();
    let has_email = known || dice.permille(930);
    let command = RegisterClient {
        client,
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        phone: (known || dice.permille(985)).then(|| (PhoneId(dice.mint(at)), phone)),
        email: has_email.then(|| (EmailId(dice.mint(at)), email.clone())),
        address: names::address(dice),
        preferred_channel: match dice.between(0, 9) {
            0..=3 => Some(Channel::Sms),
            4..=6 if has_email => Some(Channel::Email),
            7..=8 => Some(Channel::Phone),
            _ => None,
        },
    };
    log.add(at, by, command);
    if !known && day + 30 < days.today - 1 && dice.permille(80) {
        let moved = days.open_by(dice.between(day + 30, days.today - 1));
        let edit = EditClient {
            address: Some(names::address(dice)),
            ..EditClient::of(client)
        };
        log.add(days.desk_time(dice, moved), &team.desk, edit);
    }
    Owner {
        client,
        full_name: format!("{given} {family}"),
        email,
        registered: at,
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "what a desk needs to register an animal"
)]
fn register_animal(
    dice: &mut Dice,
    days: &Days,
    team: &Team,
    log: &mut Log,
    unique: &mut Unique,
    owner: &Owner,
    owner_since: i64,
    number: i64,
    history: bool,
) -> Animal {
    let breed = breeds::any(dice);
    let sex = if dice.permille(500) {
        Sex::Female
    } else {
        Sex::Male
    };
    // Young animals are many, old ones few, the youngest nine weeks.
    let part = dice.unit() * dice.within(0.45, 1.0);
    let age = ((part * 0.98 * breed.years) * 365.25) as i64 + 63;
    let born = days.today - age;
    let weaned = days.open_by(born + dice.between(56, 100));
    let registered_on = owner_since.max(weaned.min(days.open_by(days.today - 1)));
    let registered = if registered_on == owner_since {
        owner.registered.plus_minutes(3 + 4 * number)
    } else {
        days.desk_time(dice, registered_on)
    };
    let heavier = if sex == Sex::Male {
        dice.within(0.35, 1.0)
    } else {
        dice.within(0.0, 0.65)
    };
    let neutered = dice.permille(match breed.species {
        Dog => 620,
        Cat => 880,
        Rabbit | Ferret => 600,
        _ => 0,
    });
    let young = (registered_on - born) < 170;
    let neutering_planned = neutered && young && history;
    let sexed = !matches!(breed.species, Bird | Reptile) || dice.permille(500);
    let animal = Animal {
        patient: PatientId(dice.mint(registered)),
        client: owner.client,
        name: names::animal(dice, breed.species).to_owned(),
        breed,
        sex: if sexed { sex } else { Sex::Unknown },
        born,
        registered,
        registered_on,
        died: None,
        neutering_planned,
        adult_kg: breed.kg.0 + (breed.kg.1 - breed.kg.0) * heavier,
        condition: dice.within(0.92, 1.2),
        usual_vet: dice.below(team.vets.len()),
    };
    let colour = breed.colour(dice);
    let chip = unique.chip(dice, breed.species);
    let neutered =
        (breed.species == Dog || breed.species == Cat || neutered).then_some(neutered && !neutering_planned);
    log_registration(dice, days, team, log, &animal, colour, neutered, chip);
    if dice.permille(WITH_ALERT) {
        let suiting = ALERTS
            .iter()
            .filter(|row| row.2.is_empty() || row.2.contains(&breed.species));
        if let Some((kind, text, ..)) = dice.by_share(suiting, |row| row.3) {
            log_alert(dice, days, team, log, &animal, *kind, text);
        }
    }
    animal
}

fn register_known(
    dice: &mut Dice,
    days: &Days,
    team: &Team,
    log: &mut Log,
    owner: &Owner,
    known: &Known,
    number: usize,
) -> Animal {
    let born = days.today - known.months * 3_044 / 100;
    let first = days.open_by(6);
    let registered_on = first.max(days.open_by(born + 70));
    let registered = if registered_on == first {
        owner
            .registered
            .plus_minutes(4 + i64::try_from(number).unwrap_or(0))
    } else {
        days.desk_time(dice, registered_on)
    };
    let animal = Animal {
        patient: PatientId(dice.mint(registered)),
        client: owner.client,
        name: known.name.to_owned(),
        breed: breeds::named(known.breed),
        sex: known.sex,
        born,
        registered,
        registered_on,
        died: None,
        neutering_planned: false,
        adult_kg: known.kg,
        condition: 1.02,
        usual_vet: known.usual_vet,
    };
    log_registration(
        dice,
        days,
        team,
        log,
        &animal,
        known.colour,
        Some(known.neutered),
        known.chip.to_owned(),
    );
    if let Some((kind, text)) = known.alert {
        log_alert(dice, days, team, log, &animal, kind, text);
    }
    animal
}

/// The desk writes the card, a technician weighs.
#[expect(clippy::too_many_arguments, reason = "what the card of an animal has")]
fn log_registration(
    dice: &mut Dice,
    days: &Days,
    team: &Team,
    log: &mut Log,
    animal: &Animal,
    colour: &str,
    neutered: Option<bool>,
    microchip: String,
) {
    let command = RegisterPatient {
        patient: animal.patient,
        owner: animal.client,
        name: animal.name.clone(),
        species: animal.breed.species,
        breed: animal.breed.name.to_owned(),
        colour: colour.to_owned(),
        sex: animal.sex,
        neutered,
        born: Some(days.date(animal.born)),
        microchip,
    };
    log.add(animal.registered, &team.desk, command);
    let weighed = animal.registered.plus_minutes(2);
    let entry = WeightId(dice.mint(weighed));
    let weight = animal.weight(dice, animal.registered_on);
    let nurse = &team.technicians[dice.below(team.technicians.len())];
    log.add(
        weighed,
        nurse,
        RecordWeight {
            patient: animal.patient,
            entry,
            weight,
            at: weighed,
            visit: None,
        },
    );
}

fn log_alert(
    dice: &mut Dice,
    days: &Days,
    team: &Team,
    log: &mut Log,
    animal: &Animal,
    kind: AlertKind,
    text: &str,
) {
    // Soon after registration, so before any death.
    let day = dice.between(
        animal.registered_on,
        (animal.registered_on + 19).min(days.today - 1),
    );
    let at = days
        .desk_time(dice, days.open_by(day))
        .max(animal.registered.plus_minutes(4));
    let alert = AlertId(dice.mint(at));
    let command = RecordAlert {
        patient: animal.patient,
        alert,
        kind,
        text: text.to_owned(),
    };
    log.add(at, &team.vets[animal.usual_vet], command);
}

/// The oldest for their breed have died, with some chance in it; never one of the known.
fn choose_deceased(dice: &mut Dice, days: &Days, animals: &mut [Animal]) {
    let wanted = animals.len() * DECEASED / 1000;
    let mut oldest: Vec<(i64, usize)> = animals
        .iter()
        .enumerate()
        .skip(KNOWN.len())
        .filter(|(_, animal)| animal.registered_on + 40 < days.today)
        .map(|(index, animal)| {
            let worn = animal.age(days.today) / animal.breed.years + dice.within(0.0, 0.5);
            ((worn * 1e6) as i64, index)
        })
        .collect();
    oldest.sort_unstable();
    for (_, index) in oldest.into_iter().rev().take(wanted) {
        let animal = &mut animals[index];
        // Rather late than early in what is told of it.
        let earliest = animal.registered_on + 20;
        let day = dice
            .between(earliest, days.today - 1)
            .max(dice.between(earliest, days.today - 1));
        animal.died = Some(days.open_by(day).max(animal.registered_on + 1));
    }
}

/// Sets what the scale showed last for those of whom it is told.
pub(crate) fn settle_last_weights(log: &mut Log, animals: &[Animal]) {
    use shared_model::commands::Command;
    for (index, kg) in LAST_WEIGHTS {
        let Some(animal) = animals.get(index) else {
            continue;
        };
        let of_it =
            |command: &Command| matches!(command, Command::RecordWeight(w) if w.patient == animal.patient);
        if let Some(deed) = log.last_mut(of_it)
            && let Command::RecordWeight(record) = &mut deed.command
        {
            record.weight = Weight::parse(kg).expect("a weight of the table is a weight");
        }
    }
}
