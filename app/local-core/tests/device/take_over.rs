//! A store of a former build goes over into an encrypted one, with everything that waits in it.

use crate::clinic::{CLINIC, Device, NORA, VET};
use crate::recovery::rename;
use local_core::{Core, Effect, Event, HalfTyped, LeftOff, Query, Store, StoreError, View};
use rusqlite::Connection;
use shared_model::permissions::{Principal, Role};

/// All tables of a store as text, but for what is told apart by nothing.
fn contents(store: &Connection) -> Vec<String> {
    let mut tables = store
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name")
        .unwrap();
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut lines = Vec::new();
    for name in names {
        let mut rows = store.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..columns).map(|column| row.get_ref(column).unwrap()).collect();
            lines.push(format!("{name} {values:?}"));
        }
    }
    lines.sort();
    lines
}

#[test]
fn nothing_is_lost_and_everything_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let [former, new] = ["clinic.db", "records.db"].map(|name| folder.path().join(name));
    let mut device = Device::on(Connection::open(&former).unwrap());
    device.vet_signs_in();
    device.set_up_clinic();
    let owner = device.client("Petra", "Novak", "601 234 567");
    let rex = device.pet(owner, "Rex", "");
    device.sign_out();
    device.nora_signs_in();
    device.must(rename(rex, "Rexik"));
    let waiting = device.core.store().outbox_counts().unwrap();
    assert_eq!(waiting.len(), 2, "two people's work waits");
    for account in [VET, NORA] {
        // Such a build signed nothing.
        device
            .core
            .store()
            .clear_meta(&format!("signing key {account}"))
            .unwrap();
    }
    drop(device);

    {
        let (from, to) = (
            Store::new(Connection::open(&former).unwrap()).unwrap(),
            Store::new(Connection::open(&new).unwrap()).unwrap(),
        );
        to.take_over(&from).unwrap();
    }
    let [before, after] = [&former, &new].map(|path| contents(&Connection::open(path).unwrap()));
    assert!(
        before.iter().any(|line| line.starts_with("sqlite_sequence")),
        "{before:#?}"
    );
    assert_eq!(before, after);

    let mut device = Device::on(Connection::open(&new).unwrap());
    device.handle(Event::Started);
    assert_eq!(device.core.store().outbox_counts().unwrap(), waiting);
    assert_eq!(device.core.principal().unwrap().account, NORA);
    match device.look(Query::Search("nov".to_owned())) {
        View::Search(found) => assert!(!found.hits.is_empty(), "the index came along"),
        other => panic!("{other:?}"),
    }
    // New rows of the outbox are numbered after the old ones.
    device.must(rename(rex, "Rexinek"));
    let counts = device.core.store().outbox_counts().unwrap();
    assert!(
        counts
            .iter()
            .any(|(account, counts)| *account == NORA && counts.waiting == 2),
        "{counts:?}"
    );
}

#[test]
fn a_store_that_knows_more_is_not_taken_over_in_part() {
    let from = Connection::open_in_memory().unwrap();
    let to = Store::new(Connection::open_in_memory().unwrap()).unwrap();
    from.execute_batch("CREATE TABLE unheard_of (id INTEGER)")
        .unwrap();
    let from = Store::new(from).unwrap();
    let refused = to.take_over(&from).unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
}

fn ana() -> Principal {
    Principal {
        account: VET,
        clinic: CLINIC,
        roles: vec![Role::Veterinarian],
        client: None,
        name: "Ana Moreno".to_owned(),
    }
}

#[test]
fn tokens_that_a_former_build_kept_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = Device::on(Connection::open(&file).unwrap());
    device.vet_signs_in();
    {
        // As they lay there: one person's, under names without a number.
        let store = device.core.store();
        store.set_meta("principal", &ana()).unwrap();
        store.set_meta("refresh_token", &"former".to_owned()).unwrap();
        store.clear_meta("current").unwrap();
        store.clear_meta(&format!("refresh_token {VET}")).unwrap();
        store.clear_meta(&format!("signing key {VET}")).unwrap();
    }
    drop(device);
    let core = Core::new(Store::new(Connection::open(&file).unwrap()).unwrap()).unwrap();
    assert_eq!(core.principal().map(|principal| principal.account), Some(VET));
    assert_eq!(core.refresh_token(), Some("former"));
    assert_eq!(core.store().meta::<String>("refresh_token").unwrap(), None);
}

#[test]
fn colleagues_take_turns_without_a_network_and_each_finds_their_place() {
    let mut device = Device::new();
    let left_off = LeftOff {
        place: "/patients".to_owned(),
        typed: vec![HalfTyped {
            place: "/patients".to_owned(),
            field: "client-family".to_owned(),
            text: "Wolfes".to_owned(),
        }],
    };
    device.core.note_left_off(&left_off).unwrap();
    device.nora_signs_in();
    assert_eq!(device.core.left_off(), LeftOff::default());
    let effects = device.handle(Event::Entered(VET));
    assert!(effects.contains(&Effect::SignedIn(true)), "{effects:?}");
    assert_eq!(device.core.principal().unwrap().name, "Ana Moreno");
    assert_eq!(device.core.left_off(), left_off);

    // What the server renewed for Ana arrives when Nora is at work already: it is Ana's.
    device.handle(Event::Entered(NORA));
    let renewed = local_core::Credentials {
        principal: ana(),
        access_token: "later".to_owned(),
        access_expires: device.now.plus_minutes(10),
        refresh_token: "later".to_owned(),
    };
    device.handle(Event::SessionRenewed(Some(renewed)));
    assert_eq!(device.core.principal().unwrap().account, NORA);
    assert_eq!(device.core.refresh_token(), Some("refresh"));
    device.handle(Event::Entered(VET));
    assert_eq!(device.core.refresh_token(), Some("later"));

    // Whoever signed out has to sign in: nothing but their tokens is gone.
    device.sign_out();
    let effects = device.handle(Event::Entered(VET));
    assert!(effects.contains(&Effect::SignedIn(false)), "{effects:?}");
    let effects = device.handle(Event::Entered(NORA));
    assert!(effects.contains(&Effect::SignedIn(true)), "{effects:?}");
}
