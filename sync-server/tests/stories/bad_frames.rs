//! Frames that no device of ours sends, and devices that may not come in: each is told why, and harms nobody.

use crate::database::Engine;
use crate::device::{Device, Heard, item};
use crate::practice::{Practice, REX, fresh_id};
use automerge::ActorId;
use serde_json::json;
use shared_model::documents::Kind;
use shared_model::ids::DeviceId;
use shared_model::protocol::{
    ClientMessage, Goodbye, MAX_FRAME, MAX_PUSH_CHANGES, PROTOCOL_VERSION, Push, encode,
};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

async fn practice() -> Practice {
    Practice::with_records(Engine::Sqlite).await
}

async fn connected(practice: &Practice) -> Device {
    let mut device = practice.device("desk").await;
    device.connect().await;
    device
}

#[tokio::test]
async fn frames_that_are_no_message() {
    let practice = practice().await;
    let check = async |frame: Message, expected: Goodbye| {
        for greeted in [false, true] {
            let mut device = practice.device("desk").await;
            if greeted {
                device.connect().await;
            } else {
                device.dial().await;
            }
            device.send_raw(frame.clone()).await;
            assert_eq!(device.goodbye().await, expected, "greeted: {greeted}");
        }
    };
    check(Message::text("hello"), Goodbye::Malformed).await;
    check(Message::binary(vec![0xff, 0x00]), Goodbye::Malformed).await;
    check(Message::binary(Vec::new()), Goodbye::Malformed).await;
    check(Message::binary(vec![0; MAX_FRAME + 1]), Goodbye::TooLarge).await;
    let mut trailing = encode(&ClientMessage::Ping);
    trailing.push(0);
    check(Message::binary(trailing), Goodbye::Malformed).await;
}

#[tokio::test]
async fn messages_out_of_order() {
    let practice = practice().await;
    let mut early = practice.device("desk").await;
    early.dial().await;
    early.send(&ClientMessage::Ping).await;
    assert_eq!(early.goodbye().await, Goodbye::OutOfOrder);

    let mut twice = connected(&practice).await;
    twice.send(&ClientMessage::Hello(twice.hello())).await;
    assert_eq!(twice.goodbye().await, Goodbye::OutOfOrder);

    let mut skipping = connected(&practice).await;
    for number in [1, 3] {
        let push = Push {
            number,
            items: Vec::new(),
        };
        skipping.send(&ClientMessage::Push(push)).await;
    }
    let said = loop {
        match skipping_hears(&mut skipping).await {
            Some(goodbye) => break goodbye,
            None => continue,
        }
    };
    assert_eq!(said, Goodbye::OutOfOrder);

    let mut boasting = connected(&practice).await;
    boasting.send(&ClientMessage::PageStored(1_000_000)).await;
    assert_eq!(boasting.goodbye().await, Goodbye::OutOfOrder);
}

/// Its first push may or may not have been answered by then.
async fn skipping_hears(device: &mut Device) -> Option<Goodbye> {
    device.expect_answer();
    match device.hear().await {
        Heard::Goodbye(goodbye) => Some(goodbye),
        Heard::Gone => panic!("the server left without a word"),
        _ => None,
    }
}

#[tokio::test]
async fn a_push_with_too_much_in_it() {
    let practice = practice().await;
    let mut device = connected(&practice).await;
    let crowded = item(Kind::Patient, REX.into(), vec![vec![0]; MAX_PUSH_CHANGES + 1]);
    device.push_items(vec![crowded]).await;
    assert_eq!(device.goodbye().await, Goodbye::TooLarge);
}

#[tokio::test]
async fn versions_that_the_server_does_not_speak() {
    let practice = practice().await;
    let check = async |protocol, schema_version, expected| {
        let mut device = practice.device("desk").await;
        device.dial().await;
        let mut hello = device.hello();
        (hello.protocol, hello.schema_version) = (protocol, schema_version);
        device.send(&ClientMessage::Hello(hello)).await;
        assert_eq!(device.goodbye().await, expected, "{protocol} {schema_version}");
    };
    check(PROTOCOL_VERSION + 1, 1, Goodbye::UpdateServer).await;
    check(PROTOCOL_VERSION - 1, 1, Goodbye::UpdateClient).await;
    check(PROTOCOL_VERSION, 99, Goodbye::UpdateServer).await;
    check(PROTOCOL_VERSION, 0, Goodbye::Malformed).await;
}

#[tokio::test]
async fn tokens_that_open_nothing() {
    let practice = practice().await;
    let own = practice.device("desk").await;
    let other = practice.device("vet").await;
    let elsewhere = Practice::open(Engine::Sqlite).await.device("desk").await;
    let mut forged = own.token.clone();
    forged.replace_range(10..11, if &forged[10..11] == "A" { "B" } else { "A" });
    for (name, token) in [
        ("another device's", other.token),
        ("another server's", elsewhere.token),
        ("forged", forged),
        ("empty", String::new()),
    ] {
        let mut device = practice.device("desk").await;
        device.token = token;
        device.dial().await;
        device.send(&ClientMessage::Hello(device.hello())).await;
        assert_eq!(device.goodbye().await, Goodbye::SignIn, "{name}");
    }
}

#[tokio::test]
async fn an_expired_token_and_a_renewed_one() {
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.access_token_life = Duration::from_millis(700);
    })
    .await;
    let (mut idle, mut busy) = (practice.device("desk").await, practice.device("vet").await);
    idle.connect().await;
    busy.connect().await;
    let renewed = Instant::now();
    let refresh = json!({ "refresh_token": busy.refresh_token, "device": busy.device });
    let answer = crate::http::post(practice.address, "/api/v1/refresh", &refresh).await;
    let fresh = answer.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    busy.send(&ClientMessage::Renew(fresh)).await;
    assert_eq!(idle.goodbye().await, Goodbye::SignIn);
    assert_eq!(busy.goodbye().await, Goodbye::SignIn);
    // Moments are whole milliseconds.
    assert!(
        renewed.elapsed() >= Duration::from_millis(699),
        "the renewed session lasted as long as its new token"
    );

    idle.dial().await;
    idle.send(&ClientMessage::Hello(idle.hello())).await;
    assert_eq!(
        idle.goodbye().await,
        Goodbye::SignIn,
        "and it does not come in again"
    );
}

#[tokio::test]
async fn people_and_stores_that_may_not_sync() {
    let practice = practice().await;
    let mut system = practice.device("system").await;
    system.dial().await;
    system.send(&ClientMessage::Hello(system.hello())).await;
    assert_eq!(system.goodbye().await, Goodbye::NotPermitted);

    let desk = connected(&practice).await;
    let mut thief = practice.device("vet").await;
    thief.actor = desk.actor.clone();
    thief.dial().await;
    thief.send(&ClientMessage::Hello(thief.hello())).await;
    assert_eq!(thief.goodbye().await, Goodbye::ForeignActor);
    // The same person on another device is another writer as well.
    let mut second = practice.device("desk").await;
    second.device = fresh_id(DeviceId);
    second.actor = ActorId::from([1; 65]);
    second.dial().await;
    second.send(&ClientMessage::Hello(second.hello())).await;
    assert_eq!(second.goodbye().await, Goodbye::Malformed);
}

#[tokio::test]
async fn a_silent_device_is_let_go() {
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.silence = Duration::from_millis(300);
    })
    .await;
    let mut device = practice.device("desk").await;
    device.connect().await;
    device.send(&ClientMessage::Ping).await;
    assert!(matches!(device.hear().await, Heard::Pong));
    assert!(matches!(device.hear().await, Heard::Gone));
}
