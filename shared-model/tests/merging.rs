//! Merging any two commands in either order gives the same documents: every pair of commands, generated contents.

use automerge::ActorId;
use jiff::civil::date;
use proptest::prelude::*;
use shared_model::clinical::VitalSign;
use shared_model::commands::*;
use shared_model::documents::{
    AlertKind, Channel, Document, Kind, Section, Sex, Slot, Species, Stamp, Tone, project,
};
use shared_model::ids::*;
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use shared_model::values::Weight;
use std::collections::BTreeMap;
use uuid::Uuid;

const CLINIC: ClinicId = ClinicId(Uuid::from_u128(1));

fn id<T>(make: impl Fn(Uuid) -> T, number: u128) -> T {
    make(Uuid::from_u128(number))
}

fn stamp(actor: u8, now: i64) -> Stamp {
    Stamp {
        now: Timestamp(1_795_435_200_000 + now),
        actor: ActorId::from([actor; 16]),
        account: id(AccountId, u128::from(actor)),
    }
}

/// One command of each kind, all about the same client, patient, appointment and visit, so that every pair meets.
/// `n` varies contents and picks one of two entry ids, so that pairs meet in the same entry or in neighbours.
fn commands(n: u32, seen: &[[u8; 32]]) -> Vec<Command> {
    let word = format!("word {n}");
    let entry = u128::from(n % 2) + 50;
    let (client, patient) = (id(ClientId, 10), id(PatientId, 11));
    let appointment = id(AppointmentId, 12);
    let visit = VisitId::of_appointment(appointment);
    let slot = Slot {
        start: Timestamp(i64::from(n) * 600_000),
        minutes: 20,
        vet: id(AccountId, 3 + u128::from(n % 2)),
        room: None,
    };
    vec![
        RegisterClient {
            client,
            given_name: word.clone(),
            family_name: word.clone(),
            phone: Some((id(PhoneId, entry), format!("60155{n:05}"))),
            email: Some((id(EmailId, entry), format!("a{n}@example.org"))),
            address: word.clone(),
            preferred_channel: Some(Channel::Sms),
        }
        .into(),
        EditClient {
            family_name: Some(word.clone()),
            phones: vec![(
                id(PhoneId, entry),
                if n.is_multiple_of(3) {
                    String::new()
                } else {
                    format!("60266{n:05}")
                },
            )],
            ..EditClient::of(client)
        }
        .into(),
        RegisterPatient {
            patient,
            owner: client,
            name: word.clone(),
            species: Species::ALL[n as usize % Species::ALL.len()],
            breed: word.clone(),
            colour: String::new(),
            sex: Sex::Female,
            neutered: Some(n.is_multiple_of(2)),
            born: Some(date(2020, 1, 1 + (n % 28) as i8)),
            microchip: format!("20316400{n:07}"),
        }
        .into(),
        EditPatient {
            name: Some(word.clone()),
            microchip: Some(String::new()),
            ..EditPatient::of(patient)
        }
        .into(),
        RecordWeight {
            patient,
            entry: id(WeightId, entry),
            weight: Weight::kg((n + 1).into()).expect("a weight"),
            at: Timestamp(i64::from(n)),
            visit: Some(visit),
        }
        .into(),
        RetractWeight {
            patient,
            entry: id(WeightId, entry),
            reason: word.clone(),
        }
        .into(),
        RecordAlert {
            patient,
            alert: id(AlertId, entry),
            kind: AlertKind::Allergy,
            text: word.clone(),
        }
        .into(),
        RetractAlert {
            patient,
            alert: id(AlertId, entry),
            reason: word.clone(),
        }
        .into(),
        ReportDeath {
            patient,
            on: date(2026, 1, 1 + (n % 28) as i8),
        }
        .into(),
        RetractDeath {
            patient,
            reason: word.clone(),
        }
        .into(),
        BookAppointment {
            appointment,
            client,
            patient,
            appointment_type: id(AppointmentTypeId, entry),
            slot,
            reason: word.clone(),
        }
        .into(),
        MoveAppointment { appointment, slot }.into(),
        CancelAppointment {
            appointment,
            reason: word.clone(),
        }
        .into(),
        ReinstateAppointment { appointment }.into(),
        CheckIn { appointment }.into(),
        UndoCheckIn { appointment }.into(),
        CheckOut { appointment }.into(),
        UndoCheckOut { appointment }.into(),
        StartVisit {
            visit,
            appointment: Some(appointment),
            patient,
            vet: id(AccountId, entry),
            reason: word.clone(),
        }
        .into(),
        RecordVitals {
            visit,
            set: visit.vitals(),
            readings: vec![
                (VitalSign::HeartRate, (60 + n % 100).to_string()),
                (VitalSign::Temperature, String::new()),
            ],
            mucous_membranes: Some(word.clone()),
        }
        .into(),
        WriteInSection {
            visit,
            section: Section::ALL[n as usize % 4],
            seen: seen.to_vec(),
            at: n as usize % 7,
            delete: n as usize % 4,
            insert: word.clone(),
        }
        .into(),
        FinishVisit {
            visit,
            appointment: Some(appointment),
        }
        .into(),
        ReopenVisit {
            visit,
            appointment: Some(appointment),
        }
        .into(),
        SetClinicProfile {
            name: word.clone(),
            phone: String::new(),
            email: String::new(),
            address: word.clone(),
            time_zone: "Europe/Prague".to_owned(),
            hours: [None; 7],
        }
        .into(),
        SetRoom {
            room: id(RoomId, entry),
            name: word.clone(),
            order: u64::from(n),
            active: n.is_multiple_of(2),
        }
        .into(),
        SetStaffMember {
            account: id(AccountId, entry),
            name: word.clone(),
            full_name: word.clone(),
            role: Role::Veterinarian,
            bookable: n.is_multiple_of(2),
            order: u64::from(n),
            active: true,
        }
        .into(),
        SetAppointmentType {
            appointment_type: id(AppointmentTypeId, entry),
            name: word.clone(),
            minutes: 20,
            tone: Tone::Blue,
            order: u64::from(n),
            active: true,
        }
        .into(),
        // Decides a contest that the clinic's start below leaves open.
        ChooseValue {
            kind: Kind::Patient,
            document: patient.into(),
            field: "species".to_owned(),
            value: if n.is_multiple_of(2) { "dog" } else { "rabbit" }.to_owned(),
        }
        .into(),
    ]
}

type Documents = BTreeMap<(Kind, DocumentId), Document>;

/// A clinic in which everything that the commands speak of exists, with a contested species.
fn start() -> Documents {
    let mut documents = Documents::new();
    let mut seed = commands(1, &[]);
    seed.retain(|command| !matches!(command, Command::WriteInSection(_) | Command::ChooseValue(_)));
    for command in &seed {
        run(&mut documents, command, &stamp(9, 1));
    }
    let visit = documents.get_mut(&(Kind::Visit, VisitId::of_appointment(id(AppointmentId, 12)).into()));
    let visit = visit.expect("started");
    visit
        .change(&stamp(9, 2), "test", |w| {
            for section in Section::ALL {
                w.edit_text(section.word(), 0, &[], "Ate grass.");
            }
            w.put_optional("finished_at", None::<String>);
            Ok::<_, ()>(())
        })
        .expect("written");
    let patient = documents
        .get_mut(&(Kind::Patient, id(PatientId, 11).into()))
        .expect("registered");
    let mut other = patient.clone();
    for (doc, actor, species) in [(&mut *patient, 7, "dog"), (&mut other, 8, "rabbit")] {
        doc.change(&stamp(actor, 3), "test", |w| {
            w.put("species", species);
            Ok::<_, ()>(())
        })
        .expect("written");
    }
    merge(patient, &other);
    documents
}

fn run(documents: &mut Documents, command: &Command, stamp: &Stamp) {
    for (kind, id) in command.touches(CLINIC) {
        let doc = documents
            .entry((kind, id))
            .or_insert_with(|| Document::genesis(kind, CLINIC, id));
        command
            .write(doc, stamp)
            .unwrap_or_else(|error| panic!("{}: {error}", command.verb()));
    }
}

fn merge(into: &mut Document, from: &Document) {
    let changes = from.changes_since(
        &into
            .heads()
            .into_iter()
            .filter(|head| from.has(head))
            .collect::<Vec<_>>(),
    );
    into.apply(&changes).expect("merges");
}

/// Everything that can be seen of a document.
fn seen(doc: &Document) -> String {
    let texts: Vec<String> = doc.kind.texts().iter().map(|key| doc.text(key)).collect();
    format!(
        "{:?} {:?} {texts:?} {:?}",
        doc.heads(),
        doc.fields(),
        project(doc)
    )
}

fn check_pair(base: &Documents, first: &Command, second: &Command) {
    let (mut left, mut right) = (base.clone(), base.clone());
    run(&mut left, first, &stamp(2, 100));
    run(&mut right, second, &stamp(3, 200));
    // All other documents are as they were.
    let keys: Vec<_> = first
        .touches(CLINIC)
        .into_iter()
        .chain(second.touches(CLINIC))
        .collect();
    for key in keys {
        let genesis = || Document::genesis(key.0, CLINIC, key.1);
        let (one, two) = (
            left.get(&key).cloned().unwrap_or_else(genesis),
            right.get(&key).cloned().unwrap_or_else(genesis),
        );
        let (mut one_two, mut two_one) = (one.clone(), two.clone());
        merge(&mut one_two, &two);
        merge(&mut two_one, &one);
        assert_eq!(
            seen(&one_two),
            seen(&two_one),
            "{} and {}",
            first.verb(),
            second.verb()
        );
        // And once more from disk, as another device reads it.
        let loaded = Document::load(key.0, CLINIC, key.1, &one_two.save()).expect("loads");
        assert_eq!(seen(&loaded), seen(&one_two));
        assert!(
            one.heads()
                .iter()
                .chain(&two.heads())
                .all(|head| one_two.has(head)),
            "nothing is lost"
        );
    }
}

#[test]
fn the_list_names_every_command() {
    let verbs: std::collections::BTreeSet<_> = commands(1, &[]).iter().map(Command::verb).collect();
    assert_eq!(verbs.len(), commands(1, &[]).len());
    // The macro's list and this one are compared through the serialised variant names.
    let source = include_str!("../src/commands/mod.rs");
    let declared = source
        .split("commands! {")
        .nth(1)
        .and_then(|rest| rest.split('}').next())
        .expect("the list");
    assert_eq!(
        declared.split(',').filter(|name| !name.trim().is_empty()).count(),
        verbs.len()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, max_shrink_iters: 8, ..ProptestConfig::default() })]
    #[test]
    fn any_two_commands_in_either_order_give_the_same_documents(a in 0u32..50, b in 0u32..50) {
        let base = start();
        let visit_heads: Vec<[u8; 32]> = base
            .get(&(Kind::Visit, VisitId::of_appointment(id(AppointmentId, 12)).into()))
            .expect("started")
            .heads()
            .iter()
            .map(|head| head.0)
            .collect();
        for first in &commands(a, &visit_heads) {
            for second in &commands(b, &visit_heads) {
                check_pair(&base, first, second);
            }
        }
    }
}

#[test]
fn commands_survive_storage() {
    for command in commands(5, &[[7; 32]]) {
        assert_eq!(
            Command::from_bytes(&command.to_bytes()),
            Some(command.clone()),
            "{}",
            command.verb()
        );
    }
}
