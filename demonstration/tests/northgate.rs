//! What every demonstration promises, whatever its size and the hour at which it is made.

use demonstration::{DemoClinic, Options, bench_documents, clinic, clinic_with, documents};
use jiff::civil::{DateTime, date};
use shared_model::commands::Command;
use shared_model::documents::{
    Appointment, Booking, Client, ClinicProfile, ClinicSettings, Document, Kind, OpeningHours, Patient,
    Species, Visit, Whereabouts,
};
use shared_model::ids::{AccountId, AppointmentId, ClientId, DocumentId, PatientId, VisitId};
use shared_model::permissions::{Principal, Role, judge};
use shared_model::time::{Timestamp, zone};
use std::collections::{BTreeMap, HashMap, HashSet};

fn in_prague(at: DateTime) -> Timestamp {
    let at = at.to_zoned(zone("Europe/Prague")).expect("a moment");
    Timestamp(at.timestamp().as_millisecond())
}

/// A Monday morning.
fn monday() -> Timestamp {
    in_prague(date(2026, 11, 23).at(10, 25, 0, 0))
}

fn little(patients: usize, years: u16, now: Timestamp) -> DemoClinic {
    clinic_with(Options {
        seed: 7,
        patients,
        years,
        now,
    })
}

/// A clinic as its screens read it.
struct Read {
    now: Timestamp,
    profile: ClinicProfile,
    settings: ClinicSettings,
    clients: BTreeMap<ClientId, Client>,
    patients: BTreeMap<PatientId, Patient>,
    appointments: BTreeMap<AppointmentId, Appointment>,
    visits: BTreeMap<VisitId, Visit>,
    documents: BTreeMap<(Kind, DocumentId), Document>,
}

impl Read {
    fn of(clinic: &DemoClinic, now: Timestamp) -> Self {
        let documents = documents(clinic);
        let mut problems = Vec::new();
        let mut keep = |found: Vec<shared_model::documents::Problem>| problems.extend(found);
        let (profile, found) =
            ClinicProfile::read(&documents[&(Kind::ClinicProfile, clinic.clinic.profile())]);
        keep(found);
        let (settings, found) =
            ClinicSettings::read(&documents[&(Kind::ClinicSettings, clinic.clinic.settings())]);
        keep(found);
        let mut read = Self {
            now,
            profile,
            settings,
            clients: BTreeMap::new(),
            patients: BTreeMap::new(),
            appointments: BTreeMap::new(),
            visits: BTreeMap::new(),
            documents: BTreeMap::new(),
        };
        for ((kind, id), document) in &documents {
            match kind {
                Kind::Client => {
                    let (client, found) = Client::read(document);
                    keep(found);
                    read.clients.insert((*id).into(), client);
                }
                Kind::Patient => {
                    let (patient, found) = Patient::read(document);
                    keep(found);
                    read.patients.insert((*id).into(), patient);
                }
                Kind::Appointment => {
                    let (appointment, found) = Appointment::read(document);
                    keep(found);
                    read.appointments.insert((*id).into(), appointment);
                }
                Kind::Visit => {
                    let (visit, found) = Visit::read(document);
                    keep(found);
                    read.visits.insert((*id).into(), visit);
                }
                Kind::ClinicProfile | Kind::ClinicSettings => {}
                other => panic!(
                    "the demonstration has a {}, and nobody reads it here",
                    other.word()
                ),
            }
        }
        assert_eq!(problems, []);
        read.documents = documents;
        read
    }

    fn staff(&self, name: &str) -> AccountId {
        self.settings
            .staff
            .iter()
            .find(|member| member.name == name)
            .expect("on the team")
            .id
    }

    fn slot(appointment: &Appointment) -> shared_model::documents::Slot {
        appointment.slot.as_ref().expect("a slot").value
    }

    fn today(&self) -> Vec<&Appointment> {
        let zone = self.profile.zone();
        let today = self.now.date_in(&zone);
        self.appointments
            .values()
            .filter(|a| Self::slot(a).start.date_in(&zone) == today)
            .collect()
    }

    /// Pairs of standing appointments that want the same person at the same time.
    fn clashes(&self) -> Vec<(&Appointment, &Appointment)> {
        self.overlaps(|slot| Some(slot.vet.0))
    }

    fn overlaps(
        &self,
        what: impl Fn(&shared_model::documents::Slot) -> Option<uuid::Uuid>,
    ) -> Vec<(&Appointment, &Appointment)> {
        let mut standing: Vec<_> = self
            .appointments
            .values()
            .filter(|a| a.booking() == Booking::Booked)
            .filter_map(|a| Some((what(&Self::slot(a))?, Self::slot(a), a)))
            .collect();
        standing.sort_by_key(|(who, slot, _)| (*who, slot.start));
        let overlapping = standing
            .windows(2)
            .filter(|two| two[0].0 == two[1].0 && two[1].1.start < two[0].1.end());
        overlapping.map(|two| (two[0].2, two[1].2)).collect()
    }

    /// Rex of Petra Novak, with his id.
    fn rex(&self) -> (PatientId, &Patient) {
        let of_petra = |patient: &&Patient| {
            patient
                .present_owners()
                .any(|owner| self.clients[&owner].full_name() == "Petra Novak")
        };
        let (id, rex) = self
            .patients
            .iter()
            .find(|(_, patient)| patient.name == "Rex" && of_petra(patient))
            .expect("every clinic has Rex");
        (*id, rex)
    }
}

fn lies_within(hours: OpeningHours, slot: &shared_model::documents::Slot) -> bool {
    let prague = zone("Europe/Prague");
    let minutes = |at: Timestamp| {
        let at = at.in_zone(&prague);
        i16::from(at.hour()) * 60 + i16::from(at.minute())
    };
    let (from, to) = (minutes(slot.start), minutes(slot.end()));
    from % 10 == 0
        && from >= hours.opens
        && to <= hours.closes
        && hours
            .pause
            .is_none_or(|(lunch, again)| to <= lunch || from >= again)
}

/// Hours before any day was moved, Monday first.
fn regular_hours(clinic: &DemoClinic) -> [Option<OpeningHours>; 7] {
    let first = clinic.deeds.iter().find_map(|deed| match &deed.command {
        Command::SetClinicProfile(profile) => Some(profile.hours),
        _ => None,
    });
    first.expect("a profile")
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed| -> Vec<u8> {
        let made = clinic(seed, 60, monday());
        let deeds = made.deeds.iter().flat_map(|deed| {
            let mut bytes = deed.command.to_bytes();
            bytes.extend(deed.stamp.now.0.to_be_bytes());
            bytes.extend(deed.stamp.actor.to_bytes());
            bytes.extend(deed.stamp.account.bytes());
            bytes
        });
        deeds.chain(format!("{:?}", made.accounts).into_bytes()).collect()
    };
    let first = bytes(1);
    assert!(first == bytes(1));
    assert!(first != bytes(2));
}

#[test]
fn the_first_day_has_a_team_and_nothing_else() {
    let made = clinic(1, 0, monday());
    let read = Read::of(&made, monday());
    assert_eq!(read.documents.len(), 2);
    let rooms: Vec<&str> = read
        .settings
        .rooms
        .iter()
        .map(|room| room.name.as_str())
        .collect();
    assert_eq!(rooms, ["Room 1", "Room 2", "Room 3", "Surgery"]);
    let bookable = read.settings.staff.iter().filter(|member| member.bookable);
    let names: Vec<&str> = bookable.map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["Dr Moreno", "Dr Okafor", "Dr Lind", "Nurse clinic"]);
    let roles: HashSet<Role> = made
        .accounts
        .iter()
        .flat_map(|account| account.roles.clone())
        .collect();
    assert_eq!(roles.len(), Role::ALL.len() - 1, "everybody but owners");
    assert_eq!(made.accounts[0].email, "ana.moreno@northgate.example");
}

#[test]
fn a_clinic_of_one_is_rex_who_waits() {
    for patients in 1..12 {
        let read = Read::of(&little(patients, 1, monday()), monday());
        assert_eq!(read.patients.len(), patients);
        rex_waits(&read, &format!("{patients} patients"));
    }
}

#[test]
fn everybody_may_do_what_they_did() {
    let made = little(120, 2, monday());
    let principals: HashMap<AccountId, Principal> = made
        .accounts
        .iter()
        .map(|account| {
            let principal = Principal {
                account: account.account,
                clinic: made.clinic,
                roles: account.roles.clone(),
                client: account.client,
                name: account.full_name.clone(),
            };
            (account.account, principal)
        })
        .collect();
    let mut documents: HashMap<(Kind, DocumentId), Document> = HashMap::new();
    let mut before = Timestamp(i64::MIN);
    for deed in &made.deeds {
        assert!(
            deed.stamp.now >= before && deed.stamp.now <= monday(),
            "in order, none of the future"
        );
        before = deed.stamp.now;
        for (kind, id) in deed.command.touches(made.clinic) {
            let is_new = !documents.contains_key(&(kind, id));
            assert!(
                !is_new || deed.command.creates(kind),
                "{} needs its document",
                deed.command.verb()
            );
            let document = documents
                .entry((kind, id))
                .or_insert_with(|| Document::genesis(kind, made.clinic, id));
            let standing = document.clone();
            let change = deed.command.write(document, &deed.stamp).expect("valid");
            let change = change.unwrap_or_else(|| panic!("{:?} does nothing", deed.command));
            let judged = judge(
                &principals[&deed.stamp.account],
                &standing,
                is_new,
                &change,
                deed.stamp.now,
            );
            assert_eq!(judged, Ok(()), "{:?}", deed.command);
        }
    }
}

fn rex_waits(read: &Read, when: &str) {
    let (id, rex) = read.rex();
    let alert = rex.standing_alerts().next().expect("an allergy");
    assert!(alert.text.value.starts_with("Penicillin"));
    assert_eq!(
        rex.latest_weight()
            .map(|entry| entry.weight.value.to_string())
            .as_deref(),
        Some("19.4")
    );
    let today = read.today();
    let visit = today
        .iter()
        .find(|a| a.patient == Some(id))
        .unwrap_or_else(|| panic!("no Rex at {when}"));
    assert_eq!(visit.whereabouts(), Whereabouts::Waiting, "{when}");
    assert_eq!(visit.reason, "Vomiting since last night");
    assert_eq!(Read::slot(visit).vet, read.staff("Dr Moreno"), "{when}");
}

fn a_day_in_progress(made: &DemoClinic, now: Timestamp, when: &str) {
    let read = Read::of(made, now);
    rex_waits(&read, when);
    let prague = read.profile.zone();
    let clock = now.in_zone(&prague);
    let minutes = i16::from(clock.hour()) * 60 + i16::from(clock.minute());
    let hours = read.profile.hours[clock.weekday().to_monday_zero_offset() as usize].expect("open today");
    assert!(
        hours.opens <= minutes && minutes <= hours.closes,
        "{when}: {hours:?}"
    );
    assert!(
        hours
            .pause
            .is_some_and(|(from, to)| minutes < from || minutes >= to),
        "{when}: {hours:?}"
    );

    let today = read.today();
    for appointment in &today {
        assert!(
            lies_within(hours, &Read::slot(appointment)),
            "{when}: {hours:?} {appointment:?}"
        );
    }
    let standing = |wanted: Whereabouts| {
        today
            .iter()
            .filter(move |a| a.booking() == Booking::Booked && a.whereabouts() == wanted)
    };
    assert_eq!(standing(Whereabouts::Waiting).count(), 3, "{when}");
    let long =
        standing(Whereabouts::Waiting).filter(|a| now.minutes_since(a.arrived_at.expect("arrived")) > 15);
    assert_eq!(long.count(), 1, "{when}");
    let in_rooms = standing(Whereabouts::InRoom).filter(|a| a.finished_at.is_none());
    assert!((2..=3).contains(&in_rooms.clone().count()), "{when}");
    for appointment in in_rooms {
        let visit = appointment.visit.expect("begun");
        let document = &read.documents[&(Kind::Visit, visit.into())];
        assert!(
            !document.text("history").is_empty() && document.text("plan").is_empty(),
            "half-written"
        );
    }
    assert_eq!(
        today.iter().filter(|a| a.booking() == Booking::Cancelled).count(),
        1,
        "{when}"
    );
    let clashes = read.clashes();
    assert_eq!(clashes.len(), 1, "{when}: {clashes:?}");
    assert_eq!(Read::slot(clashes[0].0), Read::slot(clashes[0].1));
    assert_eq!(Read::slot(clashes[0].0).vet, read.staff("Dr Lind"));
    assert_ne!(clashes[0].0.booked_by, clashes[0].1.booked_by, "two desks");
    for appointment in &today {
        for at in [
            appointment.arrived_at,
            appointment.in_room_at,
            appointment.finished_at,
            appointment.departed_at,
        ] {
            assert!(at.is_none_or(|at| at <= now), "{when}: {appointment:?}");
        }
        assert!(appointment.in_room_at <= appointment.finished_at || appointment.finished_at.is_none());
    }
}

#[test]
fn the_day_is_in_progress_at_any_hour() {
    let starts = [
        date(2026, 11, 23),
        date(2026, 11, 28), // Saturday
        date(2026, 11, 29), // Sunday
        date(2026, 3, 29),  // 23 hours
        date(2026, 10, 25), // 25 hours
    ];
    for start in starts {
        let (midnight, next) = Timestamp::day_bounds(start, &zone("Europe/Prague"));
        let mut now = midnight;
        while now < next {
            a_day_in_progress(
                &little(40, 0, now),
                now,
                &format!("{start} {}", now.in_zone(&zone("Europe/Prague"))),
            );
            // Not a divisor of the hour, so that all minutes of the grid are met.
            now = now.plus_minutes(37);
        }
        let last = Timestamp(next.0 - 1);
        a_day_in_progress(&little(40, 0, last), last, "last moment of the day");
    }
}

#[test]
fn a_small_clinic_has_a_past_and_a_future() {
    let made = clinic(3, 50, monday());
    let read = Read::of(&made, monday());
    a_day_in_progress(&made, monday(), "50 patients");
    let later = read
        .appointments
        .values()
        .filter(|a| Read::slot(a).start > monday().plus_minutes(24 * 60));
    assert!((5..30).contains(&later.count()));
    assert!(read.visits.len() > 150);
}

#[test]
fn two_thousand_patients_are_what_the_documentation_says() {
    let now = monday();
    let made = clinic_with(Options {
        seed: 1,
        patients: 2_000,
        years: 2,
        now,
    });
    let read = Read::of(&made, now);
    a_day_in_progress(&made, now, "2,000 patients");
    let share = |count: usize| count as f64 / read.patients.len() as f64;
    let check = |what: &str, value: f64, low: f64, high: f64| {
        assert!(
            (low..=high).contains(&value),
            "{what}: {value:.3} is not between {low} and {high}"
        );
    };
    assert_eq!(read.patients.len(), 2_000);
    check(
        "animals of a client",
        2_000.0 / read.clients.len() as f64,
        1.2,
        1.3,
    );
    let of = |species| {
        read.patients
            .values()
            .filter(|p| p.species.value == species)
            .count()
    };
    check("dogs", share(of(Species::Dog)), 0.49, 0.55);
    check("cats", share(of(Species::Cat)), 0.33, 0.39);
    check(
        "with alerts",
        share(read.patients.values().filter(|p| !p.alerts.is_empty()).count()),
        0.10,
        0.14,
    );
    check(
        "deceased",
        share(read.patients.values().filter(|p| p.death.is_some()).count()),
        0.055,
        0.065,
    );

    let prague = read.profile.zone();
    let today = now.date_in(&prague);
    let past: Vec<&Appointment> = read
        .appointments
        .values()
        .filter(|a| Read::slot(a).start.date_in(&prague) < today)
        .collect();
    let patient_years: f64 = read
        .patients
        .values()
        .map(|patient| {
            let until = patient.death.as_ref().map_or(now, |death| death.reported_at);
            until.minutes_since(patient.owners[0].since) as f64 / (365.25 * 24.0 * 60.0)
        })
        .sum();
    check(
        "appointments of a patient and year",
        past.len() as f64 / patient_years,
        1.5,
        1.7,
    );
    let part = |count: usize| count as f64 / past.len() as f64;
    check(
        "cancelled",
        part(past.iter().filter(|a| a.booking() == Booking::Cancelled).count()),
        0.05,
        0.07,
    );
    let absent = past
        .iter()
        .filter(|a| a.booking() == Booking::Booked && a.arrived_at.is_none());
    check("not arrived", part(absent.count()), 0.03, 0.06);
    let open = past
        .iter()
        .filter(|a| a.arrived_at.is_some() && a.departed_at.is_none());
    assert_eq!(open.count(), 0, "nobody is left behind in a room");

    for vet in ["Dr Moreno", "Dr Okafor", "Dr Lind"] {
        let hers = read
            .today()
            .iter()
            .filter(|a| Read::slot(a).vet == read.staff(vet))
            .count();
        check(vet, hers as f64, 12.0, 15.0);
    }
    let regular = regular_hours(&made);
    for appointment in &past {
        let slot = Read::slot(appointment);
        let day = slot.start.in_zone(&prague).weekday().to_monday_zero_offset() as usize;
        assert!(
            regular[day].is_some_and(|hours| lies_within(hours, &slot)),
            "{appointment:?}"
        );
    }
    let shared_rooms = read.overlaps(|slot| slot.room.map(|room| room.0));
    assert_eq!(
        shared_rooms.len(),
        read.clashes().len(),
        "only the clash shares a room"
    );

    let ahead = |from: i64, to: i64| {
        let day = 24 * 60;
        let (from, to) = (now.plus_minutes(from * day), now.plus_minutes(to * day));
        read.appointments
            .values()
            .filter(|a| (from..to).contains(&Read::slot(a).start))
            .count()
    };
    assert!(ahead(1, 8) > 2 * ahead(8, 15).min(ahead(15, 22)) && ahead(15, 22) > ahead(22, 29));
    assert_eq!(ahead(29, 400), 0);

    // Search has something to tell apart and to fold.
    assert!(read.patients.values().filter(|p| p.name == "Rex").count() >= 2);
    let names: HashSet<String> = read.clients.values().map(Client::full_name).collect();
    for name in [
        "Petra Novak",
        "Šárka Nováková",
        "Björn Lindqvist",
        "Łukasz Zieliński",
    ] {
        assert!(names.contains(name), "{name}");
    }
    let emails: Vec<&String> = read
        .clients
        .values()
        .flat_map(|c| &c.emails)
        .map(|e| &e.address)
        .collect();
    assert_eq!(
        emails.iter().collect::<HashSet<_>>().len(),
        emails.len(),
        "no two clients share an address"
    );
    let signed_in: Vec<&str> = made
        .accounts
        .iter()
        .filter_map(|account| account.client.map(|client| (client, account)))
        .inspect(|(client, account)| assert_eq!(read.clients[client].emails[0].address, account.email))
        .map(|(_, account)| account.email.as_str())
        .collect();
    assert_eq!(
        signed_in,
        ["petra.novak@example.org", "sarka.novakova@example.org"]
    );
}

#[test]
fn a_large_clinic_has_a_larger_team() {
    let made = little(8_000, 1, monday());
    let mut slots = HashMap::new();
    for deed in &made.deeds {
        match &deed.command {
            Command::BookAppointment(booking) => {
                slots.insert(booking.appointment, booking.slot);
            }
            Command::CancelAppointment(cancelled) => {
                slots.remove(&cancelled.appointment);
            }
            _ => {}
        }
    }
    let mut slots: Vec<_> = slots.into_values().collect();
    slots.sort_by_key(|slot| (slot.vet, slot.start));
    let clashes = slots.windows(2).filter(|two| two[0].clashes_with(&two[1]));
    assert_eq!(clashes.count(), 1);
    let vets: HashSet<AccountId> = slots.iter().map(|slot| slot.vet).collect();
    assert_eq!(vets.len(), 5, "four veterinarians and the nurse");
    let names: HashSet<&str> = made.accounts.iter().map(|a| a.email.as_str()).collect();
    assert_eq!(
        names.len(),
        made.accounts.len(),
        "everybody has an address of their own"
    );
}

#[test]
fn weights_drift_and_do_not_jump() {
    let read = Read::of(&clinic(5, 300, monday()), monday());
    for patient in read.patients.values() {
        for two in patient.weights.windows(2) {
            let days = two[1].at.minutes_since(two[0].at) / (24 * 60);
            let percent = two[1].weight.value.percent_since(two[0].weight.value).to_string();
            let percent: f64 = percent.parse().expect("a number");
            let grown = patient.born.as_ref().is_some_and(|born| {
                let at = two[0].at.date_in(&read.profile.zone());
                born.value.saturating_add(jiff::Span::new().years(2)) < at
            });
            let tortoise = patient.species.value == Species::Reptile;
            assert!(
                !grown || tortoise || days > 60 || percent.abs() < 8.0,
                "{}: {percent} %",
                patient.name
            );
            assert!(
                percent > -20.0,
                "{} lost {percent} % in {days} days",
                patient.name
            );
        }
    }
}

#[test]
fn a_bench_has_exactly_what_was_asked_for() {
    for (documents, changes) in [(1, 1), (10, 100), (97, 1_013), (500, 5_000)] {
        let bench = bench_documents(9, documents, changes, monday());
        assert_eq!(bench.len(), documents);
        let counted: u64 = bench.iter().map(|document| document.change_count() - 1).sum();
        assert_eq!(counted, changes as u64);
    }
    let heads = |seed| -> Vec<_> {
        bench_documents(seed, 40, 400, monday())
            .iter()
            .map(Document::heads)
            .collect()
    };
    assert_eq!(heads(1), heads(1));
    assert_ne!(heads(1), heads(2));
}
