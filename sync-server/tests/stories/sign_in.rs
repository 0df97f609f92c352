//! Signing in, staying signed in, and guessing.

use crate::browser::{Place, START};
use crate::database::Engine;
use crate::device::Device;
use crate::guest::ticket;
use crate::http::{Response, post, request};
use crate::letter_box::LetterBox;
use crate::morning::on_both;
use crate::person::Person;
use crate::practice::{PASSWORD, Practice, come_in, fresh_id, refresh_token};
use axum::http::Method;
use serde_json::json;
use shared_model::accounts::{Device as KnownDevice, SignedIn, codes};
use shared_model::ids::DeviceId;
use shared_model::permissions::Role;
use shared_model::protocol::{ClientMessage, Goodbye};
use shared_model::time::Timestamp;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use sync_server::Clock;

on_both! {
    refresh_tokens_are_used_once
    a_lost_answer_is_given_again
    a_copied_refresh_token_ends_the_sign_in
    signing_out_ends_the_sign_in
    signing_in_anew_ends_the_former_sign_in_there
    a_sign_in_that_fails_ends_none
    a_sign_in_ends_some_time_even_if_it_is_used
    what_a_sign_in_gave_ends_with_it
}

async fn refresh(practice: &Practice, token: &str, device: DeviceId) -> Response {
    let body = json!({ "refresh_token": token, "device": device });
    post(practice.address, "/api/v1/refresh", &body).await
}

fn text(response: &Response, name: &str) -> String {
    response.json()[name].as_str().expect("a text").to_owned()
}

async fn refresh_tokens_are_used_once(engine: Engine) {
    let practice = Practice::open(engine).await;
    let mut device = practice.device("desk").await;
    let first = refresh(&practice, &device.refresh_token, device.device).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("cache-control"), "no-store");
    let second = refresh(&practice, &text(&first, "refresh_token"), device.device).await;
    assert_eq!(second.status, 200);
    device.token = text(&second, "access_token");
    device.connect().await;
}

async fn a_lost_answer_is_given_again(engine: Engine) {
    let practice = Practice::open(engine).await;
    let mut device = practice.device("desk").await;
    let lost = refresh(&practice, &device.refresh_token, device.device).await;
    assert_eq!(lost.status, 200);
    let again = refresh(&practice, &device.refresh_token, device.device).await;
    assert_eq!(again.status, 200, "the device never saw the first answer");
    assert_ne!(text(&again, "refresh_token"), text(&lost, "refresh_token"));
    device.token = text(&again, "access_token");
    device.connect().await;
    let next = refresh(&practice, &text(&again, "refresh_token"), device.device).await;
    assert_eq!(next.status, 200);
    // Somebody did read the first answer.
    let thief = refresh(&practice, &text(&lost, "refresh_token"), device.device).await;
    assert_eq!(thief.status, 401);
    let after = refresh(&practice, &text(&next, "refresh_token"), device.device).await;
    assert_eq!(after.status, 401, "the whole family has ended");
}

async fn a_copied_refresh_token_ends_the_sign_in(engine: Engine) {
    let practice = Practice::open(engine).await;
    let mut device = practice.device("desk").await;
    let first = refresh(&practice, &device.refresh_token, device.device).await;
    let first = refresh(&practice, &text(&first, "refresh_token"), device.device).await;
    let again = refresh(&practice, &device.refresh_token, device.device).await;
    assert_eq!(
        (again.status.as_u16(), again.header("content-type")),
        (401, "application/problem+json")
    );
    let newest = refresh(&practice, &text(&first, "refresh_token"), device.device).await;
    assert_eq!(newest.status, 401, "the whole family has ended");
    device.dial().await;
    device.send(&ClientMessage::Hello(device.hello())).await;
    assert_eq!(
        device.goodbye().await,
        Goodbye::SignIn,
        "and its access tokens begin nothing"
    );

    let stolen = practice.device("desk").await;
    let thief = refresh(&practice, &stolen.refresh_token, fresh_id(DeviceId)).await;
    assert_eq!(thief.status, 401, "another device has it");
    let unknown = refresh(&practice, "something", stolen.device).await;
    assert_eq!(unknown.status, 401);
    assert_eq!(unknown.body, thief.body);
}

async fn signing_out_ends_the_sign_in(engine: Engine) {
    let practice = Practice::open(engine).await;
    let mut device = practice.device("desk").await;
    device.connect().await;
    let body = json!({ "refresh_token": device.refresh_token, "device": device.device });
    for _ in 0..2 {
        let answer = post(practice.address, "/api/v1/sign-out", &body).await;
        assert_eq!(answer.status, 204);
    }
    assert_eq!(device.goodbye().await, Goodbye::SignIn, "its session too");
    assert_eq!(
        refresh(&practice, &device.refresh_token, device.device)
            .await
            .status,
        401
    );
}

async fn signing_in_anew_ends_the_former_sign_in_there(engine: Engine) {
    let practice = Practice::open(engine).await;
    let tablet = fresh_id(DeviceId);
    let former = Person::on(&practice, "desk", PASSWORD, tablet).await;
    let elsewhere = Person::of(&practice, "desk", PASSWORD).await;
    let colleague = Person::on(&practice, "vet", PASSWORD, tablet).await;
    let mut open = Device::new(practice.address, tablet, &json!(former.signed_in));
    open.connect().await;
    let anew = Person::on(&practice, "desk", PASSWORD, tablet).await;
    assert_eq!(former.try_get("/me").await.status, 401);
    assert_eq!(open.goodbye().await, Goodbye::SignIn, "its session too");
    let former = refresh(&practice, &former.signed_in.refresh_token, tablet).await;
    assert_eq!(former.status, 401);
    for person in [anew, elsewhere, colleague] {
        assert_eq!(person.try_get("/me").await.status, 200);
    }
}

/// Not a token that nobody holds, nor a device that nobody signed in on.
async fn a_sign_in_that_fails_ends_none(engine: Engine) {
    let practice = Practice::open(engine).await;
    let (tablet, phone) = (fresh_id(DeviceId), fresh_id(DeviceId));
    let former = Person::on(&practice, "desk", PASSWORD, tablet).await;
    practice.database.run("alter table events rename to away").await;
    for device in [tablet, phone] {
        let failed = practice.sign_in("desk", PASSWORD, device).await;
        assert_eq!(failed.code(), codes::UNAVAILABLE);
    }
    practice.database.run("alter table away rename to events").await;
    assert_eq!(former.try_get("/me").await.status, 200);
    let devices: Vec<KnownDevice> = former.get("/me/devices").await;
    let devices: Vec<DeviceId> = devices.into_iter().map(|one| one.device).collect();
    assert_eq!(devices, [tablet]);
    let renewed = refresh(&practice, &former.signed_in.refresh_token, tablet).await;
    assert_eq!(renewed.status, 200);
    let anew = Person::on(&practice, "desk", PASSWORD, tablet).await;
    assert_eq!(anew.try_get("/me").await.status, 200);
}

const DAY: i64 = 24 * 3_600_000;

async fn a_sign_in_ends_some_time_even_if_it_is_used(engine: Engine) {
    let place = Place::open(engine).await;
    let tablet = Person::of(&place.practice, "vet", PASSWORD).await;
    let phone = Person::of(&place.practice, "vet", PASSWORD).await;
    let mut used = tablet.signed_in;
    let renewed =
        async |signed_in: &SignedIn| refresh(&place.practice, &signed_in.refresh_token, tablet.device).await;
    // Every ten days, and at the last moment.
    for pause in [[10 * DAY; 8].as_slice(), &[10 * DAY - 1]].concat() {
        place.pass(pause);
        used = renewed(&used).await.read();
        if place.now.load(Ordering::Relaxed) - START == 60 * DAY {
            let unused = refresh(&place.practice, &phone.signed_in.refresh_token, phone.device).await;
            assert_eq!(unused.status, 401, "nobody has used that one");
        }
    }
    place.pass(1);
    let ended = renewed(&used).await;
    assert_eq!(
        (ended.status.as_u16(), ended.code().as_str()),
        (401, codes::SIGN_IN_AGAIN)
    );
    let again = Person::on(&place.practice, "vet", PASSWORD, tablet.device).await;
    place.pass(10 * DAY);
    assert_eq!(renewed(&again.signed_in).await.status, 200, "and it begins anew");
}

/// A quarter of an hour of an access token is not added to it, nor a working day of a ticket.
async fn what_a_sign_in_gave_ends_with_it(engine: Engine) {
    let place = Place::open(engine).await;
    let mut vet = Person::of(&place.practice, "vet", PASSWORD).await;
    for pause in [45 * DAY, 45 * DAY - 500] {
        place.pass(pause);
        let renewed = refresh(&place.practice, &vet.signed_in.refresh_token, vet.device).await;
        vet.signed_in = renewed.read();
    }
    assert_eq!(vet.try_get("/me").await.status, 200);
    let given = ticket(place.practice.address, &vet.signed_in.access_token).await;
    assert_eq!(given.json()["expires_at"], json!(START + 90 * DAY));
    let mut open = Device::new(place.practice.address, vet.device, &json!(vet.signed_in));
    open.connect().await;
    assert_eq!(open.goodbye().await, Goodbye::SignIn, "its session too");

    place.pass(500);
    assert!(vet.signed_in.expires_at.0 > START + 90 * DAY);
    assert_eq!(vet.try_get("/me").await.status, 401);
    let late = ticket(place.practice.address, &vet.signed_in.access_token).await;
    assert_eq!(late.status, 401);
    open.dial().await;
    open.send(&ClientMessage::Hello(open.hello())).await;
    assert_eq!(open.goodbye().await, Goodbye::SignIn);
}

/// The fastest answers to a wrong password and to an unknown name, in seconds.
async fn fastest_refusals() -> (f64, f64) {
    let practice = Practice::open(Engine::Sqlite).await;
    let device = fresh_id(DeviceId);
    let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
    let mut bodies = Vec::new();
    // Under the limit of either name; the two take turns, so that a busy machine is busy for both.
    for round in 0..4 {
        for (person, times) in [("desk", &mut wrong), ("nobody", &mut unknown)] {
            let begin = Instant::now();
            let answer = practice.sign_in(person, &format!("guess {round}"), device).await;
            times.push(begin.elapsed());
            assert_eq!(answer.status, 401);
            bodies.push(answer.body);
        }
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the same words");
    let fastest = |times: &[Duration]| times.iter().min().expect("some").as_secs_f64();
    (fastest(&wrong), fastest(&unknown))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_an_unknown_name_look_alike() {
    let mut seen = Vec::new();
    // A machine with much to do makes one of them late now and then; a difference that is one shows every time.
    for _ in 0..6 {
        let (wrong, unknown) = fastest_refusals().await;
        assert!(wrong > 0.005, "a password is really hashed: {wrong}");
        if (0.6..1.67).contains(&(wrong / unknown)) {
            return;
        }
        seen.push((wrong, unknown));
    }
    panic!("not the same time: {seen:?}");
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let practice = Practice::open(Engine::Sqlite).await;
    let device = fresh_id(DeviceId);
    for person in ["desk", "nobody"] {
        for _ in 0..5 {
            assert_eq!(practice.sign_in(person, "guess", device).await.status, 401);
        }
        let slowed = practice.sign_in(person, PASSWORD, device).await;
        assert_eq!(slowed.status, 429, "even with the right one");
        let seconds: u64 = slowed.header("retry-after").parse().expect("seconds");
        assert!((1..=2).contains(&seconds));
        assert_eq!(slowed.header("content-type"), "application/problem+json");
    }
    assert_eq!(
        practice.sign_in("vet", PASSWORD, device).await.status,
        200,
        "others are not concerned"
    );
}

#[tokio::test]
async fn a_strangers_guesses_keep_nobody_out_on_their_own_device() {
    // On a machine with much to do the pauses would otherwise be over before they are noticed.
    let standing_still = Clock::of(|| Timestamp(1_700_000_000_000));
    let practice = Practice::open_with(Engine::Sqlite, |settings| settings.clock = standing_still).await;
    let own = practice.device("desk").await.device;
    let strange = fresh_id(DeviceId);
    for device in [strange, own] {
        for _ in 0..5 {
            assert_eq!(practice.sign_in("desk", "guess", device).await.status, 401);
        }
        assert_eq!(practice.sign_in("desk", PASSWORD, device).await.status, 429);
        if device == strange {
            let signed_in = practice.sign_in("desk", PASSWORD, own).await;
            assert_eq!(signed_in.status, 200, "they are not concerned");
        }
    }
}

#[tokio::test]
async fn a_strangers_guesses_keep_nobody_from_showing_who_they_are() {
    let (letters, standing_still) = (LetterBox::open(), Clock::of(|| Timestamp(1_700_000_000_000)));
    let post_box = letters.post();
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.clock = standing_still;
        settings.post = post_box;
    })
    .await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    admin.invite("desk@example.org", &[Role::Technician], None).await;
    let invitation = letters
        .letter("desk@example.org", "invites you")
        .await
        .invitation();
    let desk = Person::of(&practice, "desk", PASSWORD).await;
    let stranger = fresh_id(DeviceId);
    for _ in 0..5 {
        assert_eq!(practice.sign_in("desk", "guess", stranger).await.status, 401);
    }
    assert_eq!(practice.sign_in("desk", PASSWORD, stranger).await.status, 429);

    let accept = async |device: DeviceId| {
        let body = json!({
            "token": invitation, "full_name": "", "password": "lantern beagle orchard", "device": device,
        });
        post(practice.address, "/api/v1/invitations/accept", &body).await
    };
    assert_eq!(accept(stranger).await.status, 429);
    for (present, new) in [
        (PASSWORD, "quince-fathom-41-sled"),
        ("quince-fathom-41-sled", "lantern beagle orchard"),
    ] {
        let change = json!({ "proven": desk.proven(present).await, "new": new });
        assert_eq!(desk.post("/me/password", &change).await.status, 204);
    }
    for guess in ["guess", "guess"] {
        let wrong = json!({ "proof": { "password": guess } });
        assert_eq!(
            desk.post("/me/prove", &wrong).await.status,
            401,
            "they count on their own"
        );
    }
    assert_eq!(accept(desk.device).await.status, 200);
}

/// Guesses by nobody in particular, until the address is slowed down; gives how many were free.
async fn guesses_from(practice: &Practice, forwarded: &str) -> usize {
    let device = fresh_id(DeviceId);
    for guess in 0..30 {
        // Another name each time, so that no account is slowed down before the address.
        let body =
            json!({ "email": format!("nobody-{guess}@{forwarded}"), "password": "guess", "device": device });
        let headers = [
            ("content-type", "application/json"),
            ("x-forwarded-for", forwarded),
        ];
        let path = "/api/v1/sign-in";
        let answer = request(practice.address, Method::POST, path, &headers, body.to_string()).await;
        if answer.status == 429 {
            return guess;
        }
        assert_eq!(answer.status, 401);
    }
    30
}

#[tokio::test]
async fn guesses_count_for_the_address_that_a_trusted_proxy_names() {
    // On a machine with much to do the pauses would otherwise be over before they are noticed.
    let standing_still = Clock::of(|| Timestamp(1_700_000_000_000));
    let behind_proxy = Practice::open_with(Engine::Sqlite, |settings| {
        settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        settings.clock = standing_still.clone();
    })
    .await;
    assert_eq!(guesses_from(&behind_proxy, "203.0.113.7").await, 20);
    assert_eq!(
        guesses_from(&behind_proxy, "203.0.113.8").await,
        20,
        "somebody else behind the same proxy is not concerned"
    );
    // What the guesser wrote before the proxy's own entry helps nothing.
    assert_eq!(guesses_from(&behind_proxy, "198.51.100.1, 203.0.113.7").await, 0);

    let without = Practice::open_with(Engine::Sqlite, |settings| settings.clock = standing_still).await;
    assert_eq!(guesses_from(&without, "203.0.113.7").await, 20);
    assert_eq!(
        guesses_from(&without, "203.0.113.8").await,
        0,
        "nobody is believed"
    );
}

#[tokio::test]
async fn a_server_forgets_stale_sign_ins_by_itself() {
    let mut practice = Practice::open(Engine::Sqlite).await;
    let vet = practice
        .storage
        .people()
        .account_by_email("vet@example.org")
        .await;
    let vet = vet.expect("read").expect("known").account;
    let stale = refresh_token((vet, practice.clinic, fresh_id(DeviceId)), (0, 1));
    let family = stale.family;
    come_in(practice.storage.as_ref(), stale, "Phone").await;
    assert!(practice.storage.family_lives(family, Timestamp(0)).await.unwrap());
    practice.restart().await;
    let forgotten = async {
        while practice.storage.family_lives(family, Timestamp(0)).await.unwrap() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), forgotten)
        .await
        .expect("forgotten at the start");
}

#[tokio::test]
async fn requests_of_another_form() {
    let practice = Practice::open(Engine::Sqlite).await;
    let odd = post(practice.address, "/api/v1/sign-in", &json!({ "email": 5 })).await;
    assert_eq!(odd.status, 422);
    assert_eq!(odd.header("content-type"), "application/problem+json");
    let huge = json!({ "email": "x".repeat(200_000) });
    assert_eq!(post(practice.address, "/api/v1/sign-in", &huge).await.status, 413);
    assert_eq!(
        post(practice.address, "/api/v1/nothing", &json!({})).await.status,
        404
    );
    let wrong_method = crate::http::get(practice.address, "/api/v1/sign-in", &[]).await;
    assert_eq!(wrong_method.status, 405);
}
