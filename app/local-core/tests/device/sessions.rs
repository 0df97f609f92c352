//! Tokens and who they are for: nobody is signed in by an answer that came too late, and nobody connects for nothing.

use crate::clinic::{Device, NORA, VET};
use crate::server::connect;
use local_core::query::Connection;
use local_core::{Credentials, Effect, Event, Query, View};
use shared_model::permissions::Role;

fn connection(device: &mut Device) -> Connection {
    match device.look(Query::Status) {
        View::Status(status) => status.connection,
        other => panic!("no status: {other:?}"),
    }
}

/// What renewing gives to whoever is signed in.
fn renewed(device: &Device) -> Credentials {
    Credentials {
        principal: device.core.principal().unwrap().clone(),
        access_token: "a later token".to_owned(),
        access_expires: device.now.plus_minutes(25),
        refresh_token: "a later refresh token".to_owned(),
    }
}

#[test]
fn renewed_tokens_that_come_after_signing_out_sign_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Device::on(rusqlite::Connection::open(folder.path().join("clinic.db")).unwrap());
    let mut device = open();
    device.vet_signs_in();
    let late = renewed(&device);
    device.sign_out();
    let effects = device.handle(Event::SessionRenewed(Some(late.clone())));
    assert!(!effects.contains(&Effect::SignedIn(true)));
    drop(device);
    let mut device = open();
    assert_eq!(device.core.principal(), None, "after a restart too");

    device.nora_signs_in();
    device.handle(Event::SessionRenewed(Some(late)));
    assert_eq!(device.core.refresh_token(), Some("refresh"));
    drop(device);
    assert_eq!(open().core.principal().unwrap().account, NORA);
}

#[test]
fn a_token_that_is_about_to_end_is_none() {
    let mut device = Device::new();
    assert_eq!(device.core.access_token(device.now), Some("access"));
    device.now = device.now.plus_minutes(9).plus_minutes(1);
    assert_eq!(device.core.access_token(device.now), None);
    let fresh = renewed(&device);
    device.handle(Event::SessionRenewed(Some(fresh)));
    assert_eq!(device.core.access_token(device.now), Some("a later token"));
    device.sign_out();
    assert_eq!(device.core.access_token(device.now), None);
}

#[test]
fn whoever_reads_no_feed_does_not_connect_until_they_read_one() {
    let mut device = Device::on(rusqlite::Connection::open_in_memory().unwrap());
    let effects = device.sign_in(&[Role::SystemAdministrator]);
    assert!(!effects.contains(&Effect::OpenSocket), "{effects:?}");
    assert_eq!(connection(&mut device), Connection::NoFeeds);
    let View::Status(status) = device.look(Query::Status) else {
        panic!("no status")
    };
    assert_eq!(status.first_sync, None, "nothing is on its way");
    for event in [Event::NetworkHint, Event::Tick, Event::SocketClosed { dice: 0 }] {
        let effects = device.handle(event);
        assert!(!effects.contains(&Effect::OpenSocket), "{effects:?}");
    }

    // The clinic makes a vet of them, which they learn when their tokens are renewed.
    let mut vet = renewed(&device);
    vet.principal.roles.push(Role::Veterinarian);
    let effects = device.handle(Event::SessionRenewed(Some(vet)));
    assert!(effects.contains(&Effect::OpenSocket), "{effects:?}");
    let (hello, _) = connect(&mut device);
    assert_eq!(hello.token, "a later token");
    assert_eq!(device.core.principal().unwrap().account, VET);
}
