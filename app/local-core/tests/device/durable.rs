//! What is called saved is on the disk; what cannot be saved is said and stops further writing.

use crate::clinic::{Device, as_an_older_build_left_it, view_of};
use local_core::{Effect, Event, Failure, Query, StorageTrouble, Store, StoreError, View};
use rusqlite::Connection;
use shared_model::commands::{CheckIn, ReportDeath};
use shared_model::permissions::Role;

#[test]
fn everything_called_saved_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = Device::on(Connection::open(&file).unwrap());
    device.sign_in(&[Role::Veterinarian, Role::ClinicAdministrator]);
    device.set_up_clinic();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    let before = device.look(Query::Day(None));
    let projections = device.core.store().dump_projections().unwrap();
    drop(device);

    let mut again = Device::on(Connection::open(&file).unwrap());
    let effects = again.core.handle(again.now, Event::Started);
    assert!(
        effects.contains(&Effect::SignedIn(true)),
        "who was signed in still is"
    );
    assert!(effects.contains(&Effect::OpenSocket));
    assert_eq!(again.look(Query::Day(None)), before);
    assert_eq!(again.core.store().dump_projections().unwrap(), projections);
    let View::Outbox(outbox) = again.look(Query::Outbox) else {
        panic!("no outbox")
    };
    assert_eq!(outbox.waiting_total, 5, "nothing that waited was lost");
    again.must(ReportDeath {
        patient: rex,
        on: jiff::civil::date(2026, 11, 22),
    });
}

#[test]
fn rebuilding_gives_the_same_rows() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "+420 601 555 014");
    let rex = device.pet(petra, "Rex", "203164000123456");
    let appointment = device.book(petra, rex, 600);
    device.must(CheckIn { appointment });
    device.must(ReportDeath {
        patient: rex,
        on: jiff::civil::date(2026, 11, 22),
    });
    let before = device.core.store().dump_projections().unwrap();
    assert!(before.len() > 4);
    assert_eq!(device.core.rebuild().unwrap(), 5);
    assert_eq!(device.core.store().dump_projections().unwrap(), before);
    let View::Search(found) = device.look(Query::Search("rex nov".to_owned())) else {
        panic!("no search")
    };
    assert_eq!(found.hits.len(), 1);
}

#[test]
fn a_full_disk_is_said_and_nothing_half_written_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = Device::on(Connection::open(&file).unwrap());
    device.sign_in(&[Role::Veterinarian, Role::ClinicAdministrator]);
    device.set_up_clinic();
    let (status, _) = device.watch(Query::Status);
    // SQLite itself says "disk full" beyond so many pages, on the same path as when the file system does.
    let pages = device.core.store().pages().unwrap();
    device.core.store().limit_pages(pages).unwrap();
    let petra = shared_model::ids::ClientId(device.id());
    let long = |n: usize| "Street ".repeat(n);
    let mut failure = None;
    for number in 0..200 {
        let command = shared_model::commands::RegisterClient {
            client: shared_model::ids::ClientId(uuid::Uuid::from_u128(9_000 + number)),
            given_name: String::new(),
            family_name: format!("Novak {number}"),
            phone: None,
            email: None,
            address: long(40),
            preferred_channel: None,
        };
        device.core.handle(device.now, Event::Tick);
        if let Err(trouble) = device.run(command) {
            failure = Some(trouble);
            break;
        }
    }
    assert_eq!(failure, Some(Failure::Storage(StorageTrouble::Full)));
    let View::Status(shown) = device.look(Query::Status) else {
        panic!("no status")
    };
    assert_eq!(shown.storage, Some(StorageTrouble::Full));
    let saved = device.look(Query::Outbox);

    // Writing has stopped, also for what would still fit.
    let small = shared_model::commands::RegisterClient {
        client: petra,
        given_name: String::new(),
        family_name: "X".to_owned(),
        phone: None,
        email: None,
        address: String::new(),
        preferred_channel: None,
    };
    assert_eq!(
        device.run(small.clone()),
        Err(Failure::Storage(StorageTrouble::Full))
    );
    assert_eq!(device.look(Query::Outbox), saved);
    assert_eq!(device.look(Query::Client(petra)), View::Missing);

    // Room was made.
    device.core.store().limit_pages(pages * 100).unwrap();
    let effects = device.core.handle(device.now, Event::RetryStorage);
    let Some(View::Status(shown)) = view_of(&effects, status) else {
        panic!("the screen is told")
    };
    assert_eq!(shown.storage, None);
    device.must(small);
}

#[test]
fn a_read_only_store_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    drop(Device::on(Connection::open(&file).unwrap()));
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let sql = Connection::open_with_flags(&file, flags).unwrap();
    assert!(matches!(Store::new(sql), Err(StoreError::ReadOnly)));
}

#[test]
fn a_store_that_becomes_read_only_says_so_and_loses_nothing() {
    let mut device = Device::new();
    let petra = device.client("Petra", "Novak", "601555014");
    let (status, _) = device.watch(Query::Status);
    device.core.store().forbid_writing(true).unwrap();
    let death = |patient| ReportDeath {
        patient,
        on: jiff::civil::date(2026, 11, 22),
    };
    let rex = shared_model::ids::PatientId(device.id());
    let register = shared_model::commands::RegisterPatient {
        patient: rex,
        owner: petra,
        name: "Rex".to_owned(),
        species: shared_model::documents::Species::Dog,
        breed: String::new(),
        colour: String::new(),
        sex: shared_model::documents::Sex::Male,
        neutered: None,
        born: None,
        microchip: String::new(),
    };
    assert_eq!(
        device.run(register.clone()),
        Err(Failure::Storage(StorageTrouble::ReadOnly))
    );
    let View::Status(shown) = device.look(Query::Status) else {
        panic!("no status")
    };
    assert_eq!(shown.storage, Some(StorageTrouble::ReadOnly));
    assert_eq!(device.look(Query::Patient(rex)), View::Missing);

    device.core.store().forbid_writing(false).unwrap();
    let effects = device.core.handle(device.now, Event::RetryStorage);
    assert!(view_of(&effects, status).is_some());
    device.must(register);
    device.must(death(rex));
}

#[test]
fn a_store_of_the_first_build_is_brought_up_to_date_with_its_outbox() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = Device::on(Connection::open(&file).unwrap());
    device.sign_in(&[Role::Veterinarian, Role::ClinicAdministrator]);
    device.set_up_clinic();
    let petra = device.client("Petra", "Novak", "601555014");
    device.pet(petra, "Rex", "");
    drop(device);
    let first = include_str!("../../../../migrations/device/0001_store.sql");
    as_an_older_build_left_it(&file, &[first]);

    let mut again = Device::on(Connection::open(&file).unwrap());
    let View::Search(found) = again.look(Query::Search("rex nov".to_owned())) else {
        panic!("no search")
    };
    assert_eq!(found.hits.len(), 1);
    let View::Outbox(outbox) = again.look(Query::Outbox) else {
        panic!("no outbox")
    };
    assert_eq!(outbox.waiting_total, 5);
}

#[test]
fn a_store_of_a_newer_build_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    drop(Device::on(Connection::open(&file).unwrap()));
    let sql = Connection::open(&file).unwrap();
    sql.pragma_update(None, "user_version", 999).unwrap();
    drop(sql);
    let before = std::fs::read(&file).unwrap();
    assert!(matches!(
        Store::new(Connection::open(&file).unwrap()),
        Err(StoreError::NewerStore)
    ));
    let version: i64 = Connection::open(&file)
        .unwrap()
        .query_row("PRAGMA user_version", [], |r| r.get(0))
        .unwrap();
    assert_eq!(version, 999);
    assert!(!before.is_empty());
}

#[test]
fn a_second_program_is_told_that_the_store_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut first = Device::on(Connection::open(&file).unwrap());
    first.sign_in(&[Role::Veterinarian, Role::ClinicAdministrator]);
    assert!(matches!(
        Store::new(Connection::open(&file).unwrap()),
        Err(StoreError::InUse)
    ));
    first.set_up_clinic();
}

#[test]
fn bytes_that_are_no_database_are_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    std::fs::write(&file, b"This is not a database, it is a letter.".repeat(200)).unwrap();
    let opened = Store::new(Connection::open(&file).unwrap());
    assert!(matches!(opened, Err(StoreError::Corrupt(_))), "{opened:?}");
}

#[test]
fn another_clinic_is_not_signed_in_over_work_that_waits() {
    let mut device = Device::new();
    let mut credentials = None;
    for effect in device.sign_in(&[Role::Owner]) {
        if let Effect::SignInRefused { waiting, name } = effect {
            credentials = Some((waiting, name));
        }
    }
    assert_eq!(credentials, Some((3, "Ana Moreno".to_owned())));
    let View::Outbox(outbox) = device.look(Query::Outbox) else {
        panic!("no outbox")
    };
    assert_eq!(outbox.waiting_total, 3);
}
