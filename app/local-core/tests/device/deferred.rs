//! Records of a newer build: kept as they came, said, and there once this build can read them.

use crate::clinic::Device;
use crate::server::{connect, entry, page, says, snapshot};
use local_core::{Core, Event, Query, Store, View};
use rusqlite::Connection;
use shared_model::SCHEMA_VERSION;
use shared_model::commands::EditClient;
use shared_model::documents::{Document, Kind};
use shared_model::ids::ClientId;
use shared_model::permissions::Role;
use shared_model::protocol::{self, Content, Entry};
use std::path::Path;

/// A client as another device wrote her: the document's bytes, and one change more.
fn petra() -> (ClientId, Document, Vec<u8>, Vec<u8>) {
    let mut elsewhere = Device::new();
    let petra = elsewhere.client("Petra", "Novak", "601555014");
    let stored = |device: &Device| {
        let bytes = device.core.store().document(petra.into()).unwrap().unwrap().bytes;
        let document = Document::load(Kind::Client, crate::clinic::CLINIC, petra.into(), &bytes).unwrap();
        (document, bytes)
    };
    let (first, bytes) = stored(&elsewhere);
    elsewhere.must(EditClient {
        address: Some("Long Street 5".to_owned()),
        ..EditClient::of(petra)
    });
    let later = stored(&elsewhere).0.changes_since(&first.heads());
    (petra, first, bytes, later[0].raw_bytes().to_vec())
}

fn newer(mut entry: Entry) -> Entry {
    entry.schema_version = SCHEMA_VERSION + 1;
    entry
}

fn deferred(device: &mut Device) -> u64 {
    match device.look(Query::Status) {
        View::Status(status) => status.deferred,
        other => panic!("no status: {other:?}"),
    }
}

fn signed_in(file: &Path) -> Device {
    let mut device = Device::on(Connection::open(file).unwrap());
    device.sign_in(&[Role::Veterinarian, Role::ClinicAdministrator]);
    connect(&mut device);
    device
}

fn restarted(file: &Path) -> Device {
    let mut device = Device::of(Core::new(Store::new(Connection::open(file).unwrap()).unwrap()).unwrap());
    device.core.handle(device.now, Event::Started);
    device
}

/// The upgrade, seen from the table: the entries are of a schema that the build knows.
fn upgrade(file: &Path, entries: &[Entry]) {
    let sql = Connection::open(file).unwrap();
    for (seq, entry) in (1..).zip(entries) {
        let row = (seq, protocol::encode(entry));
        sql.execute("UPDATE deferred SET entry = ?2 WHERE seq = ?1", row)
            .unwrap();
    }
}

#[test]
fn what_an_older_build_had_to_leave_is_taken_in_after_the_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let (petra, document, bytes, change) = petra();
    let address = entry(Kind::Client, petra.into(), Content::Changes(vec![change.into()]));
    let entries = [snapshot(&document, bytes), address];

    let mut device = signed_in(&file);
    says(&mut device, page(1, &entries.clone().map(newer)));
    assert_eq!(device.look(Query::Client(petra)), View::Missing);
    assert_eq!(deferred(&mut device), 2, "and the screen can say so");
    drop(device);
    assert_eq!(deferred(&mut restarted(&file)), 2, "the same build leaves them");

    upgrade(&file, &entries);
    let mut device = restarted(&file);
    assert_eq!(deferred(&mut device), 0);
    let View::Client(shown) = device.look(Query::Client(petra)) else {
        panic!("she is there")
    };
    assert_eq!(shown.client.address, "Long Street 5");
    drop(device);
    assert!(matches!(
        restarted(&file).look(Query::Client(petra)),
        View::Client(_)
    ));
}

#[test]
fn whoever_signs_in_after_the_upgrade_finds_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let (petra, document, bytes, _) = petra();
    let entries = [snapshot(&document, bytes)];
    let mut device = signed_in(&file);
    says(&mut device, page(1, &entries.clone().map(newer)));
    device.sign_out();
    drop(device);
    upgrade(&file, &entries);
    let mut device = restarted(&file);
    assert!(device.core.principal().is_none());
    device.nora_signs_in();
    assert_eq!(deferred(&mut device), 0);
    assert!(matches!(device.look(Query::Client(petra)), View::Client(_)));
}

#[test]
fn a_revoked_record_goes_whatever_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let (petra, document, bytes, change) = petra();
    let mut device = signed_in(&folder.path().join("clinic.db"));
    says(&mut device, page(1, &[snapshot(&document, bytes)]));
    assert!(matches!(device.look(Query::Client(petra)), View::Client(_)));
    let address = entry(Kind::Client, petra.into(), Content::Changes(vec![change.into()]));
    says(&mut device, page(2, &[newer(address)]));
    assert_eq!(deferred(&mut device), 1);

    let revoked = entry(Kind::Client, petra.into(), Content::Revoked);
    says(&mut device, page(3, &[newer(revoked)]));
    assert_eq!(device.look(Query::Client(petra)), View::Missing);
    assert_eq!(deferred(&mut device), 0);
    let View::Search(found) = device.look(Query::Search("novak".to_owned())) else {
        panic!("no search")
    };
    assert!(found.hits.is_empty());
}
