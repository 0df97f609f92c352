//! Bytes that went bad: on the way here they are refused and asked for again, on this disk they are found, said and
//! fetched anew. Nothing of them is shown or stored, and no work that waits is lost.

use crate::clinic::{CLINIC, Device};
use crate::server::{connect, entry, page, pushes, reconnect, says, sent, snapshot, wants};
use local_core::query::StatusView;
use local_core::{Core, Effect, Event, Failure, Query, Store, View};
use rusqlite::Connection;
use shared_model::commands::{CommandError, EditClient, EditPatient};
use shared_model::documents::{Document, Kind};
use shared_model::ids::{ClientId, DocumentId, PatientId};
use shared_model::permissions::Role;
use shared_model::protocol::{Accepted, ClientMessage, Content, ServerMessage};
use std::path::Path;

const STAFF: [Role; 2] = [Role::Veterinarian, Role::ClinicAdministrator];

fn status(device: &mut Device) -> StatusView {
    match device.look(Query::Status) {
        View::Status(status) => status,
        other => panic!("no status: {other:?}"),
    }
}

/// The document as another device's store has it.
fn stored(device: &Device, kind: Kind, id: DocumentId) -> (Document, Vec<u8>) {
    let bytes = device.core.store().document(id).unwrap().unwrap().bytes;
    (Document::load(kind, CLINIC, id, &bytes).unwrap(), bytes)
}

#[test]
fn a_page_that_went_bad_is_refused_whole_and_asked_for_again() {
    let mut elsewhere = Device::new();
    let petra = elsewhere.client("Petra", "Novak", "601555014");
    let ana = elsewhere.client("Ana", "Moreno", "601555015");
    let (good, good_bytes) = stored(&elsewhere, Kind::Client, petra.into());
    let (other, other_bytes) = stored(&elsewhere, Kind::Client, ana.into());
    let chunk = good.changes_since(&[])[1].raw_bytes().to_vec();
    let change = |bytes: Vec<u8>| entry(Kind::Client, petra.into(), Content::Changes(vec![bytes.into()]));

    for at in (0..good_bytes.len()).step_by(29) {
        let mut device = Device::new();
        let (hello, _) = connect(&mut device);
        assert!(hello.cursors.is_empty());
        let mut damaged = good_bytes.clone();
        damaged[at] ^= 0x10;
        let mut damaged_chunk = chunk.clone();
        damaged_chunk[at % chunk.len()] ^= 0x10;
        let bad = if at % 2 == 0 {
            snapshot(&good, damaged)
        } else {
            change(damaged_chunk)
        };
        let effects = says(
            &mut device,
            page(1, &[snapshot(&other, other_bytes.clone()), bad]),
        );
        assert_eq!(effects.iter().filter(|e| **e == Effect::CloseSocket).count(), 1);
        assert_eq!(sent(&effects), [], "nothing is acknowledged");
        assert_eq!(
            device.look(Query::Client(ana)),
            View::Missing,
            "nothing of it is stored"
        );
        assert!(status(&mut device).unreadable, "and the screen is told");

        // What was on its way behind it is not taken either: the cursor would jump over the gap.
        let effects = says(&mut device, page(2, &[snapshot(&other, other_bytes.clone())]));
        assert_eq!(sent(&effects), []);
        assert_eq!(device.look(Query::Client(ana)), View::Missing);

        let (hello, _) = reconnect(&mut device);
        assert!(hello.cursors.is_empty(), "it asks from where it stood");
        let whole = [snapshot(&other, other_bytes.clone()), change(chunk.clone())];
        let effects = says(&mut device, page(1, &whole));
        assert_eq!(sent(&effects), [ClientMessage::PageStored(1)]);
        assert!(!status(&mut device).unreadable);
        for client in [petra, ana] {
            assert!(matches!(device.look(Query::Client(client)), View::Client(_)));
        }
    }
}

#[test]
fn a_server_that_stays_unreadable_is_asked_more_and_more_rarely() {
    let mut device = Device::new();
    connect(&mut device);
    let mut waits = Vec::new();
    for _ in 0..4 {
        let effects = device
            .core
            .handle(device.now, Event::Frame(b"this is no frame".to_vec()));
        assert!(effects.contains(&Effect::CloseSocket));
        let before = device.now;
        reconnect(&mut device);
        waits.push(device.now.0 - before.0);
    }
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
}

/// A device on a file, with a client whose record the server has and a name that waits to be sent.
fn with_waiting_edit(file: &Path) -> (PatientId, ClientId, (Document, Vec<u8>)) {
    let mut device = Device::on(Connection::open(file).unwrap());
    device.sign_in(&STAFF);
    device.set_up_clinic();
    let petra = device.client("Petra", "Novak", "601555014");
    let rex = device.pet(petra, "Rex", "");
    let (_, effects) = connect(&mut device);
    for push in pushes(&effects) {
        let accepted = Accepted {
            push: push.number,
            refused: Vec::new(),
            server_time: device.now,
        };
        says(&mut device, ServerMessage::Accepted(accepted));
    }
    assert_eq!(status(&mut device).waiting, 0);
    let at_the_clinic = stored(&device, Kind::Patient, rex.into());
    device.core.handle(device.now, Event::SocketClosed { dice: 0 });
    device.must(EditPatient {
        name: Some("Rexie".to_owned()),
        ..EditPatient::of(rex)
    });
    (rex, petra, at_the_clinic)
}

/// Writes over a document's stored bytes, as a bad block does.
fn damage(file: &Path, id: DocumentId) {
    let sql = Connection::open(file).unwrap();
    let bytes: Vec<u8> = sql
        .query_row(
            "SELECT bytes FROM document WHERE id = ?1",
            [&id.bytes()[..]],
            |row| row.get(0),
        )
        .unwrap();
    let mut bad = bytes.clone();
    let middle = bad.len() / 2;
    bad[middle..middle + 4].fill(0xaa);
    assert_ne!(bad, bytes);
    sql.execute(
        "UPDATE document SET bytes = ?2 WHERE id = ?1",
        (&id.bytes()[..], bad),
    )
    .unwrap();
}

fn reopened(file: &Path) -> Device {
    let core = Core::new(Store::new(Connection::open(file).unwrap()).unwrap()).unwrap();
    let mut device = Device::of(core);
    let effects = device.core.handle(device.now, Event::Started);
    assert!(effects.contains(&Effect::SignedIn(true)));
    device
}

fn name_of(view: View) -> String {
    match view {
        View::Patient(shown) => shown.patient.name,
        other => panic!("no patient: {other:?}"),
    }
}

#[test]
fn a_record_that_went_bad_on_the_disk_is_said_and_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let (rex, petra, (at_the_clinic, bytes)) = with_waiting_edit(&file);
    damage(&file, rex.into());

    let mut device = reopened(&file);
    assert_eq!(status(&mut device).damaged, 0, "nobody has looked yet");
    assert_eq!(
        device.look(Query::Patient(rex)),
        View::Missing,
        "no half of it is shown"
    );
    assert_eq!(status(&mut device).damaged, 1);
    assert_eq!(
        status(&mut device).storage,
        None,
        "everything else can be written"
    );
    let rename = EditPatient {
        name: Some("Max".to_owned()),
        ..EditPatient::of(rex)
    };
    let refused = Failure::Command(CommandError::NotHere {
        kind: "patient".to_owned(),
    });
    assert_eq!(device.run(rename), Err(refused));
    device.must(EditClient {
        address: Some("Long Street 5".to_owned()),
        ..EditClient::of(petra)
    });

    let (_, effects) = connect(&mut device);
    assert_eq!(wants(&effects), [rex.into()], "the clinic is asked for it");
    assert_eq!(pushes(&effects)[0].items.len(), 2, "what waits of it is sent");
    says(
        &mut device,
        ServerMessage::Snapshot(snapshot(&at_the_clinic, bytes)),
    );
    assert_eq!(status(&mut device).damaged, 0);
    assert_eq!(
        name_of(device.look(Query::Patient(rex))),
        "Rexie",
        "with what the clinic has not seen yet"
    );
    let before = device.core.store().dump_projections().unwrap();
    device.core.rebuild().unwrap();
    assert_eq!(device.core.store().dump_projections().unwrap(), before);
    device.must(EditPatient {
        breed: Some("Poodle".to_owned()),
        ..EditPatient::of(rex)
    });
    drop(device);
    assert_eq!(name_of(reopened(&file).look(Query::Patient(rex))), "Rexie");
}

#[test]
fn a_bad_record_that_the_clinic_has_never_seen_comes_back_once_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = Device::on(Connection::open(&file).unwrap());
    device.sign_in(&STAFF);
    let petra = device.client("Petra", "Novak", "601555014");
    let (made_here, bytes) = stored(&device, Kind::Client, petra.into());
    drop(device);
    damage(&file, petra.into());

    let mut device = reopened(&file);
    assert_eq!(device.look(Query::Client(petra)), View::Missing);
    let again = shared_model::commands::RegisterClient {
        client: petra,
        given_name: String::new(),
        family_name: "Novak".to_owned(),
        phone: None,
        email: None,
        address: String::new(),
        preferred_channel: None,
    };
    assert!(device.run(again).is_err(), "it is there, only not to be read");
    let (_, effects) = connect(&mut device);
    assert_eq!(wants(&effects), [petra.into()]);
    let accepted = Accepted {
        push: pushes(&effects)[0].number,
        refused: Vec::new(),
        server_time: device.now,
    };
    let effects = says(&mut device, ServerMessage::Accepted(accepted));
    assert_eq!(wants(&effects), [petra.into()], "now the clinic knows it");
    says(&mut device, ServerMessage::Snapshot(snapshot(&made_here, bytes)));
    assert!(matches!(device.look(Query::Client(petra)), View::Client(_)));
    assert_eq!(status(&mut device).damaged, 0);
}

#[test]
fn rebuilding_passes_over_a_bad_record() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let (rex, petra, _) = with_waiting_edit(&file);
    damage(&file, rex.into());
    let mut device = reopened(&file);
    device.core.rebuild().unwrap();
    assert_eq!(status(&mut device).damaged, 1);
    assert!(matches!(device.look(Query::Client(petra)), View::Client(_)));
}

#[test]
fn a_record_of_which_a_part_is_missing_is_asked_for_until_it_is_whole() {
    let mut elsewhere = Device::new();
    let petra = elsewhere.client("Petra", "Novak", "601555014");
    elsewhere.must(EditClient {
        address: Some("Long Street 5".to_owned()),
        ..EditClient::of(petra)
    });
    let (whole, bytes) = stored(&elsewhere, Kind::Client, petra.into());
    let last = whole.changes_since(&[]).last().unwrap().raw_bytes().to_vec();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = Device::on(Connection::open(&file).unwrap());
    device.sign_in(&STAFF);
    connect(&mut device);
    let part = entry(Kind::Client, petra.into(), Content::Changes(vec![last.into()]));
    let effects = says(&mut device, page(1, &[part]));
    assert_eq!(wants(&effects), [petra.into()]);
    // The connection and the program end before the answer comes.
    drop(device);
    let mut device = reopened(&file);
    let (_, effects) = connect(&mut device);
    assert_eq!(wants(&effects), [petra.into()], "it has not been forgotten");
    says(&mut device, ServerMessage::Snapshot(snapshot(&whole, bytes)));
    assert!(matches!(device.look(Query::Client(petra)), View::Client(_)));
    let (_, effects) = reconnect(&mut device);
    assert_eq!(wants(&effects), []);
}
