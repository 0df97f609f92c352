//! Devices: seen, named, signed out from afar, lost and found.

use crate::database::Engine;
use crate::guest::Guest;
use crate::morning::on_both;
use crate::person::{Person, post};
use crate::practice::{PASSWORD, Practice, fresh_id};
use serde_json::json;
use shared_model::accounts::{Device, codes};
use shared_model::ids::DeviceId;
use shared_model::protocol::{ClientMessage, Goodbye};
use shared_model::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use sync_server::Clock;

on_both! {
    a_person_sees_names_and_signs_out_their_devices
    a_lost_device_is_told_and_reports
    a_lost_device_is_told_however_old_its_token_is
    an_administrator_looks_after_members_devices
    a_shared_tablet_is_reported_by_an_administrator
}

async fn a_person_sees_names_and_signs_out_their_devices(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let phone = Person::of(&practice, "vet", PASSWORD).await;
    let mut laptop = practice.device("vet").await;
    laptop.connect().await;
    let devices: Vec<Device> = phone.get("/me/devices").await;
    assert_eq!(devices.len(), 2);
    let find = |devices: &[Device], device| {
        devices
            .iter()
            .find(|one| one.device == device)
            .cloned()
            .expect("listed")
    };
    assert!(find(&devices, phone.device).current && !find(&devices, laptop.device).current);
    let path = format!("/me/devices/{}", laptop.device);
    assert_eq!(
        phone
            .patch(&path, json!({ "name": " Laptop at home " }))
            .await
            .status,
        204
    );
    assert_eq!(phone.patch(&path, json!({ "name": " " })).await.status, 422);
    assert_eq!(phone.tell(&format!("{path}/sign-out")).await.status, 204);
    assert_eq!(laptop.goodbye().await, Goodbye::SignIn);
    let devices: Vec<Device> = phone.get("/me/devices").await;
    let about = find(&devices, laptop.device);
    assert_eq!((about.name.as_str(), about.signed_in), ("Laptop at home", false));
    assert!(
        find(&devices, phone.device).signed_in,
        "the other one is not concerned"
    );
    let body = json!({ "refresh_token": laptop.refresh_token, "device": laptop.device });
    assert_eq!(
        post(practice.address, "/refresh", body).await.code(),
        codes::SIGN_IN_AGAIN
    );

    let stranger = Person::of(&practice, "desk", PASSWORD).await;
    for end in ["sign-out", "lost"] {
        assert_eq!(
            stranger.tell(&format!("{path}/{end}")).await.status,
            404,
            "not a device of theirs"
        );
    }
    assert_eq!(stranger.patch(&path, json!({ "name": "mine" })).await.status, 404);
}

async fn a_lost_device_is_told_and_reports(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let phone = Person::of(&practice, "vet", PASSWORD).await;
    let mut laptop = practice.device("vet").await;
    laptop.connect().await;
    let mut guest = Guest::of(&practice, "vet").await;
    let path = format!("/me/devices/{}/lost", laptop.device);
    for _ in 0..2 {
        assert_eq!(phone.tell(&path).await.status, 204);
    }
    assert_eq!(laptop.goodbye().await, Goodbye::Purge, "while it runs");
    laptop.dial().await;
    laptop.send(&ClientMessage::Hello(laptop.hello())).await;
    assert_eq!(laptop.goodbye().await, Goodbye::Purge, "and when it comes back");
    let proof = json!({ "refresh_token": laptop.refresh_token, "device": laptop.device });
    // Signing out, as whoever found it may, does not make it forget.
    assert_eq!(post(practice.address, "/sign-out", &proof).await.status, 204);
    let refreshed = post(practice.address, "/refresh", &proof).await;
    assert_eq!(
        (refreshed.status.as_u16(), refreshed.code().as_str()),
        (403, codes::DEVICE_LOST)
    );

    // Nothing is told to whoever proves nothing.
    let guess = practice.sign_in("vet", "guess", laptop.device).await;
    assert_eq!(guess.code(), codes::WRONG_CREDENTIALS);
    let unknown = json!({ "refresh_token": "something", "device": laptop.device });
    assert_eq!(
        post(practice.address, "/refresh", &unknown).await.code(),
        codes::SIGN_IN_AGAIN
    );
    let right = practice.sign_in("vet", PASSWORD, laptop.device).await;
    assert_eq!(
        (right.status.as_u16(), right.code().as_str()),
        (403, codes::DEVICE_LOST)
    );
    let other = practice.sign_in("desk", PASSWORD, laptop.device).await;
    assert_eq!(other.code(), codes::DEVICE_LOST, "its key is given to nobody");

    assert_eq!(
        post(practice.address, "/devices/purged", &unknown).await.status,
        204
    );
    let about = async || {
        let devices: Vec<Device> = phone.get("/me/devices").await;
        devices
            .into_iter()
            .find(|one| one.device == laptop.device)
            .expect("listed")
    };
    let lost = about().await;
    assert!(lost.lost_at.is_some() && lost.purged_at.is_none() && !lost.signed_in);
    assert_eq!(
        post(practice.address, "/devices/purged", &proof).await.status,
        204
    );
    assert!(about().await.purged_at.is_some());

    assert_eq!(phone.delete(&path).await.status, 204);
    assert_eq!(about().await.lost_at, None);
    assert_eq!(
        post(practice.address, "/refresh", &proof).await.code(),
        codes::SIGN_IN_AGAIN
    );
    Person::on(&practice, "vet", PASSWORD, laptop.device).await;
    guest.open(crate::practice::REX).await;
}

async fn a_lost_device_is_told_however_old_its_token_is(engine: Engine) {
    let now = Arc::new(AtomicI64::new(1_700_000_000_000));
    let clock = Arc::clone(&now);
    let practice = Practice::open_with(engine, |settings| {
        settings.clock = Clock::of(move || Timestamp(clock.load(Ordering::Relaxed)));
    })
    .await;
    let mut laptop = practice.device("vet").await;
    let phone = Person::of(&practice, "vet", PASSWORD).await;
    let lost = phone.tell(&format!("/me/devices/{}/lost", laptop.device)).await;
    assert_eq!(lost.status, 204);
    let year = 365 * 24 * 3_600_000;
    now.fetch_add(year, Ordering::Relaxed);
    practice
        .storage
        .forget_stale_tokens(Timestamp(now.load(Ordering::Relaxed)))
        .await
        .unwrap();
    laptop.dial().await;
    laptop.send(&ClientMessage::Hello(laptop.hello())).await;
    assert_eq!(laptop.goodbye().await, Goodbye::Purge);
    let proof = json!({ "refresh_token": laptop.refresh_token, "device": laptop.device });
    assert_eq!(
        post(practice.address, "/refresh", &proof).await.code(),
        codes::DEVICE_LOST
    );
    // A token that this server never gave tells nothing, and neither does another device's.
    laptop.token.push('x');
    laptop.dial().await;
    laptop.send(&ClientMessage::Hello(laptop.hello())).await;
    assert_eq!(laptop.goodbye().await, Goodbye::SignIn);
}

async fn an_administrator_looks_after_members_devices(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    let path = format!("/staff/{}/devices", vet.principal.account);
    let devices: Vec<Device> = admin.get(&path).await;
    assert_eq!(devices.len(), 1);
    assert!(devices[0].signed_in && !devices[0].current);
    let device = format!("{path}/{}", vet.device);
    let desk = Person::of(&practice, "desk", PASSWORD).await;
    assert_eq!(desk.try_get(&path).await.code(), codes::NOT_PERMITTED);
    assert_eq!(
        desk.tell(&format!("{device}/lost")).await.code(),
        codes::NOT_PERMITTED
    );
    assert_eq!(admin.tell(&format!("{device}/sign-out")).await.status, 204);
    assert_eq!(vet.goodbye().await, Goodbye::SignIn);
    assert_eq!(admin.tell(&format!("{device}/lost")).await.status, 204);
    let devices: Vec<Device> = admin.get(&path).await;
    assert!(devices[0].lost_at.is_some());
    assert_eq!(admin.delete(&format!("{device}/lost")).await.status, 204);

    // Nobody of another clinic.
    let other = fresh_id(shared_model::ids::ClinicId);
    crate::practice::found_clinic(&practice.storage, other, "other-").await;
    let stranger = Person::of(&practice, "other-admin", PASSWORD).await;
    assert_eq!(stranger.try_get(&path).await.status, 404);
    assert_eq!(stranger.tell(&format!("{device}/lost")).await.status, 404);
}

async fn a_shared_tablet_is_reported_by_an_administrator(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let tablet = fresh_id(DeviceId);
    let vet = Person::on(&practice, "vet", PASSWORD, tablet).await;
    let desk = Person::on(&practice, "desk", PASSWORD, tablet).await;
    let own = vet.tell(&format!("/me/devices/{tablet}/lost")).await;
    assert_eq!(own.code(), codes::NOT_PERMITTED, "others work on it");
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let path = format!("/staff/{}/devices/{tablet}/lost", vet.account());
    assert_eq!(admin.tell(&path).await.status, 204);
    for person in [&vet, &desk] {
        assert_eq!(
            person.try_get("/me").await.status,
            401,
            "every sign-in on it has ended"
        );
        let proof = json!({ "refresh_token": person.signed_in.refresh_token, "device": tablet });
        assert_eq!(
            post(practice.address, "/refresh", proof).await.code(),
            codes::DEVICE_LOST
        );
    }
}
