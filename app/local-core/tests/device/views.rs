//! What the screens see.

use crate::clinic::{Device, VET, view_of};
use crate::server::{connect, page, says};
use local_core::query::{Connection, RecordName, Stage};
use local_core::{Event, Failure, Query, View};
use shared_model::commands::*;
use shared_model::documents::{Kind, Section, Slot};
use shared_model::ids::*;
use shared_model::permissions::Role;
use shared_model::values::Weight;

fn day(device: &mut Device) -> local_core::query::DayView {
    match device.look(Query::Day(None)) {
        View::Day(day) => day,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_morning_at_the_desk_and_in_the_exam_room() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "+420 601 555 014");
    let rex = device.pet(petra, "Rex", "203164000123456");
    let appointment = device.book(petra, rex, 9 * 60 + 30);

    let today = day(&mut device);
    assert_eq!((today.items.len(), today.booked, today.done), (1, 1, 0));
    assert_eq!(today.items[0].patient_name, "Rex");
    assert_eq!(today.items[0].client_name, "Petra Novak");
    assert_eq!(today.items[0].start_minute, 570);
    assert_eq!(today.items[0].stage, Stage::Expected);

    device.now = device.now.plus_minutes(25);
    device.must(CheckIn { appointment });
    assert_eq!(day(&mut device).items[0].stage, Stage::Waiting);

    let visit = VisitId::of_appointment(appointment);
    device.must(StartVisit {
        visit,
        appointment: Some(appointment),
        patient: rex,
        vet: VET,
        reason: "Vomiting since last night".to_owned(),
    });
    assert_eq!(day(&mut device).items[0].stage, Stage::InRoom);

    let (watch, first) = device.watch(Query::Visit(visit));
    let View::Visit(first) = first else {
        panic!("{first:?}")
    };
    assert_eq!(first.patient.as_ref().unwrap().name, "Rex");
    let effects = device.core.handle(
        device.now,
        Event::Command {
            ticket: 77,
            command: WriteInSection {
                visit,
                section: Section::History,
                seen: first.heads.clone(),
                at: 0,
                delete: 0,
                insert: "Ate grass.".to_owned(),
            }
            .into(),
        },
    );
    let Some(View::Visit(second)) = view_of(&effects, watch) else {
        panic!("the screen follows")
    };
    assert_eq!(second.sections[0].text, "Ate grass.");
    assert!(second.receipt.waiting > 0, "nothing has reached the clinic");

    device.must(RecordWeight {
        patient: rex,
        entry: visit.weight(),
        weight: Weight::parse("19.4").unwrap(),
        at: device.now,
        visit: Some(visit),
    });
    let View::Visit(third) = device.look(Query::Visit(visit)) else {
        panic!("no visit")
    };
    assert_eq!(third.weight.unwrap().weight.value.to_string(), "19.4");

    device.must(FinishVisit {
        visit,
        appointment: Some(appointment),
    });
    assert_eq!(day(&mut device).items[0].stage, Stage::Ready);
    device.must(CheckOut { appointment });
    assert_eq!(day(&mut device).items[0].stage, Stage::Departed);
    let typing = WriteInSection {
        visit,
        section: Section::Plan,
        seen: second.heads.clone(),
        at: 0,
        delete: 0,
        insert: "x".to_owned(),
    };
    assert_eq!(
        device.run(typing),
        Err(Failure::Command(CommandError::VisitFinished))
    );
}

#[test]
fn two_bookings_in_one_slot_are_both_there_with_a_way_out() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    let mimi = device.pet(petra, "Mimi", "");
    let first = device.book(petra, rex, 620);
    let second = device.book(petra, mimi, 620);
    let today = day(&mut device);
    assert_eq!(today.clashes.len(), 1);
    let clash = &today.clashes[0];
    assert_eq!((clash.first, clash.second), (first, second));
    let (moved, slot, minute) = clash.proposal.unwrap();
    assert_eq!((moved, minute), (second, 640));
    let lanes: Vec<_> = today
        .items
        .iter()
        .map(|item| (item.lane, item.lanes, item.clash))
        .collect();
    assert_eq!(lanes, [(0, 2, true), (1, 2, true)]);

    device.must(MoveAppointment {
        appointment: moved,
        slot,
    });
    let today = day(&mut device);
    assert!(today.clashes.is_empty());
    assert!(today.items.iter().all(|item| item.lanes == 1 && !item.clash));
}

#[test]
fn a_cancelled_appointment_takes_no_room_and_comes_back() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    let appointment = device.book(petra, rex, 620);
    let free = |device: &mut Device| match device.look(Query::FreeSlots {
        date: jiff::civil::date(2026, 11, 23),
        vet: VET,
        minutes: 20,
        moving: None,
    }) {
        View::FreeSlots(view) => view
            .slots
            .iter()
            .map(|slot| slot.start_minute)
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert!(!free(&mut device).contains(&620));
    device.must(CancelAppointment {
        appointment,
        reason: "Better again".to_owned(),
    });
    assert!(free(&mut device).contains(&620));
    assert_eq!(day(&mut device).booked, 0);
    device.must(ReinstateAppointment { appointment });
    assert!(!free(&mut device).contains(&620));
    assert!(!free(&mut device).contains(&740), "lunch begins at 12:30");
    assert!(
        !free(&mut device).contains(&500),
        "what has passed cannot be booked"
    );
}

#[test]
fn the_device_refuses_early_what_the_server_would_refuse() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    device.sign_in(&[Role::FrontDesk]);
    let weight = RecordWeight {
        patient: rex,
        entry: WeightId(device.id()),
        weight: Weight::parse("19.4").unwrap(),
        at: device.now,
        visit: None,
    };
    assert!(matches!(
        device.run(weight),
        Err(Failure::Command(CommandError::Denied(_)))
    ));
    let View::Patient(view) = device.look(Query::Patient(rex)) else {
        panic!("no patient")
    };
    assert!(
        view.patient.weights.is_empty(),
        "a refused command leaves nothing behind"
    );
}

#[test]
fn bad_input_names_its_field() {
    let mut device = Device::new();
    let client = ClientId(device.id());
    let phone = PhoneId(device.id());
    let refused = device.run(RegisterClient {
        client,
        given_name: String::new(),
        family_name: "  ".to_owned(),
        phone: Some((phone, "call me".to_owned())),
        email: None,
        address: String::new(),
        preferred_channel: None,
    });
    assert!(
        matches!(&refused, Err(Failure::Command(CommandError::Invalid { field, .. })) if field == "family_name"),
        "{refused:?}"
    );
    assert_eq!(device.look(Query::Client(client)), View::Missing);
    let unknown = MoveAppointment {
        appointment: AppointmentId(device.id()),
        slot: Slot {
            start: device.now,
            minutes: 20,
            vet: VET,
            room: None,
        },
    };
    assert!(matches!(
        device.run(unknown),
        Err(Failure::Command(CommandError::NotHere { .. }))
    ));
}

#[test]
fn only_views_that_became_others_are_sent() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "601555014");
    let (client, _) = device.watch(Query::Client(petra));
    let (clinic, _) = device.watch(Query::Clinic);
    let jana = ClientId(device.id());
    let effects = device.core.handle(
        device.now,
        Event::Command {
            ticket: 1,
            command: EditClient {
                family_name: Some("Nováková".to_owned()),
                ..EditClient::of(petra)
            }
            .into(),
        },
    );
    assert!(view_of(&effects, client).is_some());
    assert!(view_of(&effects, clinic).is_none());
    let effects = device.core.handle(
        device.now,
        Event::Command {
            ticket: 2,
            command: RegisterClient {
                client: jana,
                given_name: String::new(),
                family_name: "Dvořák".to_owned(),
                phone: None,
                email: None,
                address: String::new(),
                preferred_channel: None,
            }
            .into(),
        },
    );
    assert!(view_of(&effects, client).is_none());
}

#[test]
fn the_status_counts_what_waits() {
    let mut device = Device::new();
    device.client("Petra", "Novak", "601555014");
    let View::Status(status) = device.look(Query::Status) else {
        panic!("no status")
    };
    assert_eq!(status.waiting, 4, "profile, staff, type and client");
    assert!(matches!(status.connection, Connection::Connecting { .. }));
    device.core.handle(device.now, Event::SocketClosed { dice: 3 });
    let View::Status(status) = device.look(Query::Status) else {
        panic!("no status")
    };
    assert_eq!(
        status.connection,
        Connection::Offline {
            since: Some(device.now)
        }
    );
    let View::Outbox(outbox) = device.look(Query::Outbox) else {
        panic!("no outbox")
    };
    assert_eq!(outbox.waiting.last().unwrap().about, "Petra Novak");
}

#[test]
fn the_first_sync_begins_with_the_sign_in() {
    let mut device = Device::on(rusqlite::Connection::open_in_memory().unwrap());
    let first_sync = |device: &mut Device| match device.look(Query::Status) {
        View::Status(status) => status.first_sync,
        other => panic!("{other:?}"),
    };
    device.sign_in(&[Role::Veterinarian]);
    assert_eq!(first_sync(&mut device).map(|first| first.usable), Some(false));
    connect(&mut device);
    // Welcomed, but nothing has come: an empty day would be a lie.
    assert_eq!(first_sync(&mut device).map(|first| first.usable), Some(false));
    says(&mut device, page(1, &[]));
    assert_eq!(first_sync(&mut device), None);
}

#[test]
fn records_are_called_after_whom_they_are_about() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "+420 601 555 014");
    let rex = device.pet(petra, "Rex", "203164000123456");
    let appointment = device.book(petra, rex, 9 * 60 + 30);
    let elsewhere = PatientId(uuid::Uuid::from_u128(404));
    let records = vec![
        (Kind::Client, petra.into()),
        (Kind::Appointment, appointment.into()),
        (Kind::Patient, elsewhere.into()),
        (Kind::Invoice, rex.into()),
        (Kind::Patient, rex.into()),
    ];
    let (watch, first) = device.watch(Query::Records(records));
    let of_rex = |id: DocumentId, name: &str| RecordName {
        id,
        name: name.to_owned(),
        animal: Some(rex),
        owner: "Petra Novak".to_owned(),
    };
    let of_petra = RecordName {
        animal: None,
        owner: String::new(),
        ..of_rex(petra.into(), "Petra Novak")
    };
    assert_eq!(
        first,
        View::Records(vec![
            of_petra,
            of_rex(appointment.into(), "Rex"),
            of_rex(rex.into(), "Rex"),
        ]),
        "what is not here, and what no list names, is left out"
    );
    let effects = device.core.handle(
        device.now,
        Event::Command {
            ticket: 78,
            command: EditPatient {
                name: Some("Rexie".to_owned()),
                ..EditPatient::of(rex)
            }
            .into(),
        },
    );
    let Some(View::Records(names)) = view_of(&effects, watch) else {
        panic!("the screen follows")
    };
    assert_eq!(names[2], of_rex(rex.into(), "Rexie"));
}
