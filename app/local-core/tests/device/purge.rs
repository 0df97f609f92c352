//! A device that was lost hears so, and nothing of the clinic can be read on it any more.

use crate::clinic::{Device, nine};
use crate::server::{connect, says, sent};
use local_core::query::Connection;
use local_core::{Effect, Event, Query, View};
use shared_model::ids::DeviceId;
use shared_model::protocol::{Goodbye, ServerMessage};
use std::path::Path;
use uuid::Uuid;

const DEVICE: DeviceId = DeviceId(Uuid::from_u128(5));

/// A vet's device on a file, with records and with work that nobody else has.
fn device_on(file: &Path) -> Device {
    let mut device = Device::on(rusqlite::Connection::open(file).unwrap());
    device.vet_signs_in();
    device.set_up_clinic();
    for number in 0..200 {
        let client = device.client("Petra", &format!("Unmistakable {number}"), "601555014");
        device.pet(client, &format!("Snowball {number}"), "");
    }
    device
}

/// Whether a word stands anywhere in the store's files.
fn is_readable(folder: &Path, word: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    })
}

fn is_purged(effects: &[Effect]) {
    let purged = Effect::Purged {
        refresh_token: "refresh".to_owned(),
        device: DEVICE,
    };
    for expected in [purged, Effect::CloseSocket, Effect::SignedIn(false)] {
        assert!(effects.contains(&expected), "{expected:?} of {effects:?}");
    }
}

/// What is left of it: nothing to see, nothing to read in the files, and the device's own number.
fn nothing_is_left(device: &mut Device, folder: &Path) {
    assert!(device.core.principal().is_none());
    assert_eq!(device.core.standing(), (Connection::SignedOut, 0, Vec::new()));
    assert_eq!(
        device.core.store().dump_projections().unwrap(),
        ["search Some(0)"]
    );
    for word in [
        "Unmistakable",
        "unmistakable",
        "Snowball",
        "snowball",
        "refresh",
        "Northgate",
        "Moreno",
    ] {
        assert!(!is_readable(folder, word), "{word} is still there");
    }
    assert_eq!(device.core.device().unwrap(), Some(DEVICE));
}

#[test]
fn a_lost_device_that_is_told_so_in_its_session_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clinic.db");
    let mut device = device_on(&file);
    connect(&mut device);
    let watched = device.handle(Event::Watch {
        watch: 900,
        query: Query::Search("unmistakable".to_owned()),
    });
    assert!(
        watched.iter().any(|effect| matches!(effect, Effect::View { view: View::Search(found), .. } if !found.hits.is_empty())),
        "{watched:?}"
    );
    assert!(is_readable(folder.path(), "Unmistakable") && is_readable(folder.path(), "refresh"));
    assert!(device.core.standing().1 > 0, "work waits");

    let effects = says(&mut device, ServerMessage::Goodbye(Goodbye::Purge));
    is_purged(&effects);
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::View { watch: 900, view: View::Search(found) } if found.hits.is_empty())),
        "the screen too: {effects:?}"
    );
    nothing_is_left(&mut device, folder.path());
    // It does not come back by itself, after a restart neither.
    assert!(
        !device
            .handle(Event::SocketClosed { dice: 0 })
            .contains(&Effect::OpenSocket)
    );
    drop(device);
    let mut device = Device::on(rusqlite::Connection::open(&file).unwrap());
    let effects = device.handle(Event::Started);
    assert!(
        effects.contains(&Effect::SignedIn(false)) && sent(&effects).is_empty(),
        "{effects:?}"
    );
    nothing_is_left(&mut device, folder.path());
}

#[test]
fn a_lost_device_that_asks_for_fresh_tokens_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut device = device_on(&folder.path().join("clinic.db"));
    device.now = nine().plus_minutes(60);
    let effects = device.handle(Event::SocketOpened);
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::RenewSession { .. }))
    );
    is_purged(&device.handle(Event::DeviceLost));
    nothing_is_left(&mut device, folder.path());
    assert_eq!(
        device.handle(Event::DeviceLost),
        [],
        "there is nothing more to delete"
    );
    // Found again, it begins as a new one.
    device.vet_signs_in();
    device.set_up_clinic();
    assert!(device.core.standing().1 > 0);
}

/// A search index tidies itself up as it grows; a small one never has.
#[test]
fn a_few_records_are_as_gone_as_many() {
    let folder = tempfile::tempdir().unwrap();
    let mut device = Device::on(rusqlite::Connection::open(folder.path().join("clinic.db")).unwrap());
    device.vet_signs_in();
    device.set_up_clinic();
    let client = device.client("Petra", "Unmistakable", "601555014");
    device.pet(client, "Snowball", "");
    assert!(is_readable(folder.path(), "unmistakable"));
    is_purged(&device.handle(Event::DeviceLost));
    nothing_is_left(&mut device, folder.path());
}

#[test]
fn what_cannot_be_deleted_now_is_at_the_next_contact() {
    let folder = tempfile::tempdir().unwrap();
    let mut device = device_on(&folder.path().join("clinic.db"));
    connect(&mut device);
    device.core.store().forbid_writing(true).unwrap();
    let effects = says(&mut device, ServerMessage::Goodbye(Goodbye::Purge));
    assert!(effects.contains(&Effect::CloseSocket), "{effects:?}");
    assert!(
        !effects.contains(&Effect::SignedIn(false)),
        "it is not done: {effects:?}"
    );
    device.core.store().forbid_writing(false).unwrap();
    device.handle(Event::SocketClosed { dice: 0 });
    connect(&mut device);
    is_purged(&says(&mut device, ServerMessage::Goodbye(Goodbye::Purge)));
    nothing_is_left(&mut device, folder.path());
}
