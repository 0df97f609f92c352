//! Clerk tells what becomes of its people: signed, once, and in whatever order it comes.

use crate::browser::Place;
use crate::database::Engine;
use crate::http::{Response, request};
use crate::issuer::WEBHOOK_SECRET;
use crate::morning::on_both;
use crate::person::{Person, post};
use crate::practice::{PASSWORD, fresh_id};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use shared_model::accounts::Me;
use shared_model::protocol::Goodbye;
use shared_model::time::Timestamp;
use shared_model::ways_in::LinkedIdentity;
use sync_server::storage::people::{NewIdentity, Profile};
use uuid::Uuid;

on_both! {
    a_profile_follows_the_provider
    whoever_is_gone_at_the_provider_is_signed_out_and_keeps_the_account
}

const USER: &str = "user_29w83sxmDNGwOuEthce5gg56FcC";

async fn place(engine: Engine) -> Place {
    let place = Place::open(engine).await;
    let people = place.practice.storage.people();
    let vet = people
        .account_by_email("vet@example.org")
        .await
        .unwrap()
        .expect("known");
    let identity = NewIdentity {
        identity: fresh_id(|id: Uuid| id),
        issuer: place.issuer.address.clone(),
        subject: USER.to_owned(),
        linked_at: Timestamp(0),
        profile: Profile {
            email: Some("vet@example.org".to_owned()),
            name: Some("Ana".to_owned()),
        },
    };
    assert!(
        people
            .link_identity(vet.account, identity, None)
            .await
            .unwrap()
            .is_some()
    );
    place
}

/// Sends a body as Svix does, some seconds from the server's now.
async fn send(place: &Place, secret: &str, id: &str, after: i64, body: &Value) -> Response {
    let (body, timestamp) = (body.to_string(), (place.seconds() + after).to_string());
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let headers = [
        ("content-type", "application/json"),
        ("svix-id", id),
        ("svix-timestamp", &timestamp),
        ("svix-signature", &signature),
    ];
    let path = "/api/v1/webhooks/acme";
    request(place.practice.address, Method::POST, path, &headers, body).await
}

fn user(kind: &str, first: &str, email: &str, updated_at: i64) -> Value {
    json!({
        "type": kind, "object": "event", "instance_id": "ins_1", "timestamp": updated_at,
        "data": {
            "id": USER, "object": "user", "first_name": first, "last_name": "Moreno", "updated_at": updated_at,
            "created_at": 1_654_012_591_514_i64, "primary_email_address_id": "idn_1",
            "email_addresses": [{
                "id": "idn_1", "object": "email_address", "email_address": email,
                "linked_to": [], "verification": { "status": "verified", "strategy": "ticket" },
            }],
        },
    })
}

async fn a_profile_follows_the_provider(engine: Engine) {
    let place = place(engine).await;
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    let known = async || {
        let me: Me = vet.get("/me").await;
        let linked: Vec<LinkedIdentity> = vet.get("/me/identities").await;
        (
            me.full_name,
            linked[0].email.clone().unwrap_or_default(),
            me.email,
        )
    };
    let is = |name: &str, email: &str| (name.to_owned(), email.to_owned(), "vet@example.org".to_owned());
    let sent = async |id: &str, body: &Value| send(&place, WEBHOOK_SECRET, id, 0, body).await.status.as_u16();

    assert_eq!(
        sent("msg_1", &user("user.updated", "Anna", "anna@example.org", 2_000)).await,
        204
    );
    assert_eq!(known().await, is("Anna Moreno", "anna@example.org"));
    // Sent again: taken, and nothing is done, whatever it says.
    assert_eq!(
        sent("msg_1", &user("user.updated", "Eve", "eve@example.org", 9_000)).await,
        204
    );
    assert_eq!(known().await, is("Anna Moreno", "anna@example.org"));
    // Older news that was on its way for longer.
    assert_eq!(
        sent("msg_0", &user("user.created", "Ann", "ann@example.org", 1_000)).await,
        204
    );
    assert_eq!(
        sent("msg_00", &user("user.updated", "Ann", "ann@example.org", 2_000)).await,
        204
    );
    assert_eq!(known().await, is("Anna Moreno", "anna@example.org"));
    // What the person calls themselves here stays until it changes there.
    assert_eq!(
        vet.patch("/me", json!({ "full_name": "Dr. A. Moreno" }))
            .await
            .status,
        200
    );
    assert_eq!(
        sent("msg_2", &user("user.updated", "Anna", "a@example.org", 3_000)).await,
        204
    );
    assert_eq!(known().await, is("Dr. A. Moreno", "a@example.org"));
    assert_eq!(
        sent("msg_3", &user("user.updated", "Ana", "a@example.org", 4_000)).await,
        204
    );
    assert_eq!(known().await, is("Ana Moreno", "a@example.org"));

    // Nobody else's word.
    let body = user("user.updated", "Eve", "eve@example.org", 9_000);
    let foreign = "whsec_plJ3nmyCDGBKInavdOK15jsl";
    for (secret, id, after) in [
        (foreign, "msg_4", 0),
        (WEBHOOK_SECRET, "msg_4", -301),
        (WEBHOOK_SECRET, "msg_4", 301),
        (WEBHOOK_SECRET, "", 0),
    ] {
        let answer = send(&place, secret, id, after, &body).await;
        assert_eq!(answer.status, 422, "{id} {after}");
    }
    let bare = post(place.practice.address, "/webhooks/acme", &body).await;
    assert_eq!(bare.status, 422, "not signed at all");
    assert_eq!(
        post(place.practice.address, "/webhooks/other", &body)
            .await
            .status,
        404
    );
    assert_eq!(known().await, is("Ana Moreno", "a@example.org"));
    // Somebody whom nobody knows here, and news that is none.
    let mut stranger = body.clone();
    stranger["data"]["id"] = json!("user_other");
    assert_eq!(sent("msg_5", &stranger).await, 204);
    let other = json!({ "type": "session.created", "data": { "id": "sess_1" } });
    assert_eq!(sent("msg_6", &other).await, 204);
    assert_eq!(sent("msg_7", &json!({ "type": "user.updated" })).await, 422);
    assert_eq!(
        sent("msg_4", &user("user.updated", "Anna", "a@example.org", 5_000)).await,
        204,
        "what was refused was not taken"
    );
    assert_eq!(known().await, is("Anna Moreno", "a@example.org"));
}

async fn whoever_is_gone_at_the_provider_is_signed_out_and_keeps_the_account(engine: Engine) {
    let place = place(engine).await;
    place.practice.enter_records().await;
    let mut device = place.practice.device("vet").await;
    device.connect().await;
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    let deleted = json!({ "type": "user.deleted", "object": "event", "data": { "deleted": true, "id": USER, "object": "user" } });
    assert_eq!(
        send(&place, WEBHOOK_SECRET, "msg_9", 0, &deleted).await.status,
        204
    );
    assert_eq!(device.goodbye().await, Goodbye::SignIn);
    assert_eq!(vet.try_get("/me").await.status, 401);
    // Late news of before brings nothing back.
    let late = user("user.updated", "Ana", "vet@example.org", 9_000);
    assert_eq!(send(&place, WEBHOOK_SECRET, "msg_8", 0, &late).await.status, 204);

    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    let linked: Vec<LinkedIdentity> = vet.get("/me/identities").await;
    assert_eq!(linked, []);
    let mut device = place.practice.device("vet").await;
    device.connect().await;
    assert_eq!(device.documents.len(), 5, "the records are where they were");
}
