//! Tokens and who they are for: nobody is signed in by an answer that came too late, and nobody connects for nothing.

use crate::clinic::{Device, NORA, VET};
use crate::server::{connect, reconnect, says};
use local_core::query::Connection;
use local_core::{Credentials, Effect, Event, Query, View};
use shared_model::ids::{ClientId, ClinicId};
use shared_model::permissions::{Principal, Role};
use shared_model::protocol::{ServerMessage, Welcome};
use uuid::Uuid;

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
    let effects = device.handle(Event::Entered(VET));
    assert!(effects.contains(&Effect::SignedIn(false)), "she has signed out");
    device.handle(Event::Entered(NORA));
    drop(device);
    assert_eq!(open().core.principal().unwrap().account, NORA);
}

#[test]
fn renewed_tokens_of_another_clinic_are_not_taken_for_a_colleagues() {
    let mut device = Device::new();
    let mut late = renewed(&device);
    late.principal.clinic = ClinicId(Uuid::from_u128(99));
    device.nora_signs_in();
    device.handle(Event::SessionRenewed(Some(late)));
    device.handle(Event::Entered(VET));
    assert_eq!(device.core.refresh_token(), Some("refresh"));
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

/// A vet who becomes an owner, at the same clinic and on the same device.
fn as_an_owner(principal: &Principal) -> Principal {
    Principal {
        roles: vec![Role::Owner],
        client: Some(ClientId(Uuid::from_u128(77))),
        ..principal.clone()
    }
}

#[test]
fn what_they_may_not_read_any_more_goes_as_soon_as_the_device_hears_so() {
    let told_in_the_welcome = |device: &mut Device, owner: Principal| {
        let welcome = Welcome {
            heads: owner.feeds().into_iter().map(|feed| (feed, 1)).collect(),
            principal: owner,
            server_time: device.now,
        };
        device.handle(Event::SocketOpened);
        says(device, ServerMessage::Welcome(welcome));
    };
    let told_with_fresh_tokens = |device: &mut Device, owner: Principal| {
        let fresh = Credentials {
            principal: owner,
            ..renewed(device)
        };
        device.handle(Event::SessionRenewed(Some(fresh)));
    };
    type Told<'a> = &'a dyn Fn(&mut Device, Principal);
    for told in [&told_in_the_welcome as Told<'_>, &told_with_fresh_tokens] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clinic.db");
        let mut device = Device::on(rusqlite::Connection::open(&file).unwrap());
        device.vet_signs_in();
        device.set_up_clinic();
        let client = device.client("Petra", "Unmistakable", "601555014");
        device.pet(client, "Rex", "");
        let waiting = device.core.standing().1;
        let owner = as_an_owner(device.core.principal().unwrap());
        told(&mut device, owner.clone());

        assert_eq!(device.core.principal(), Some(&owner));
        assert!(device.core.store().document(client.into()).unwrap().is_none());
        let View::Search(found) = device.look(Query::Search("unmistakable".to_owned())) else {
            panic!("no search")
        };
        assert!(found.hits.is_empty());
        assert_eq!(
            device.core.standing().1,
            waiting,
            "what was made here is not forgotten"
        );
        let (hello, _) = reconnect(&mut device);
        assert_eq!(hello.cursors, [], "the new feeds come from their beginning");
    }
}

#[test]
fn whoever_gains_a_role_keeps_their_records() {
    let mut device = Device::new();
    let client = device.client("Petra", "Novak", "601555014");
    let mut fresh = renewed(&device);
    fresh.principal.roles = vec![Role::FrontDesk];
    device.handle(Event::SessionRenewed(Some(fresh)));
    assert!(device.core.store().document(client.into()).unwrap().is_some());
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
