//! What the clinic's server would refuse is refused here already, with a word the person can do something with.

use crate::clinic::{CLINIC, Device, VET};
use jiff::civil::date;
use local_core::{Failure, Query, View};
use shared_model::commands::*;
use shared_model::documents::{Document, Kind, Section};
use shared_model::ids::{VisitId, WeightId};
use shared_model::protocol::{MAX_CHANGE, MAX_DOCUMENT};
use shared_model::values::{Invalid, Weight};

fn invalid(field: &str, why: Invalid) -> Failure {
    Failure::Command(CommandError::Invalid {
        field: field.to_owned(),
        why,
    })
}

#[test]
fn a_note_that_grows_beyond_a_record_is_not_taken() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    let visit = VisitId(device.id());
    device.must(StartVisit {
        visit,
        appointment: None,
        patient: rex,
        vet: VET,
        reason: String::new(),
    });
    // Letters without any pattern, because what repeats takes no room.
    let mut state = 7_u32;
    let mut noise = |length: usize| -> String {
        let letter = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_u32(0x4e00 + (state >> 18)).unwrap()
        };
        (0..length).map(letter).collect()
    };
    let (mut at, mut failure) = (0, None);
    while failure.is_none() {
        let View::Visit(shown) = device.look(Query::Visit(visit)) else {
            panic!("no visit")
        };
        let written = device.run(WriteInSection {
            visit,
            section: Section::History,
            seen: shown.heads.clone(),
            at,
            delete: 0,
            insert: noise(20_000),
        });
        at += 20_000;
        failure = written.err();
        assert!(at < 1_000_000, "there is a limit");
    }
    let expected = CommandError::TooLarge {
        kind: "visit".to_owned(),
    };
    assert_eq!(failure, Some(Failure::Command(expected)));
    let stored = device.core.store().document(visit.into()).unwrap().unwrap();
    let document = Document::load(Kind::Visit, CLINIC, visit.into(), &stored.bytes).unwrap();
    assert!(document.save().len() <= MAX_DOCUMENT);
    assert_eq!(
        document.text("history").chars().count(),
        at - 20_000,
        "what was taken is whole"
    );
    // Shorter words still fit, and so does everything else.
    let another = VisitId(device.id());
    device.must(StartVisit {
        visit: another,
        appointment: None,
        patient: rex,
        vet: VET,
        reason: "again".to_owned(),
    });
    assert!(
        document
            .changes_since(&[])
            .iter()
            .all(|change| change.raw_bytes().len() <= MAX_CHANGE)
    );
}

#[test]
fn days_that_cannot_have_been_are_not_taken() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    let death = |on| ReportDeath { patient: rex, on };
    assert_eq!(
        device.run(death(date(2026, 11, 26))),
        Err(invalid("on", Invalid::InFuture))
    );
    assert_eq!(
        device.run(death(date(1899, 12, 31))),
        Err(invalid("on", Invalid::TooLongAgo))
    );
    let born = |day| EditPatient {
        born: Some(day),
        ..EditPatient::of(rex)
    };
    assert_eq!(
        device.run(born(Some(date(2036, 1, 1)))),
        Err(invalid("born", Invalid::InFuture))
    );
    assert_eq!(
        device.run(born(Some(date(1026, 1, 1)))),
        Err(invalid("born", Invalid::TooLongAgo))
    );
    let register = RegisterPatient {
        patient: shared_model::ids::PatientId(device.id()),
        owner: petra,
        name: "Mimi".to_owned(),
        species: shared_model::documents::Species::Cat,
        breed: String::new(),
        colour: String::new(),
        sex: shared_model::documents::Sex::Female,
        neutered: None,
        born: Some(date(2062, 6, 2)),
        microchip: String::new(),
    };
    assert_eq!(device.run(register), Err(invalid("born", Invalid::InFuture)));
    let weight = RecordWeight {
        patient: rex,
        entry: WeightId(device.id()),
        weight: Weight::parse("19.4").unwrap(),
        at: device.now.plus_minutes(3 * 24 * 60),
        visit: None,
    };
    assert_eq!(device.run(weight), Err(invalid("at", Invalid::InFuture)));
    // Nothing of that was written.
    let View::Patient(shown) = device.look(Query::Patient(rex)) else {
        panic!("no patient")
    };
    assert!(shown.patient.weights.is_empty());
    device.must(born(None));
    device.must(born(Some(date(2026, 11, 23))));
    device.must(death(date(2026, 11, 23)));
}
