//! Documents read and changes pushed over HTTP, beside devices that have a session.

use crate::database::Engine;
use crate::device::{Device, item, raw};
use crate::http::{self, Response};
use crate::morning::on_both;
use crate::practice::{MIA, OWNER, Practice, REX, fresh_id};
use axum::http::Method;
use serde_json::json;
use shared_model::SCHEMA_VERSION;
use shared_model::commands::EditPatient;
use shared_model::documents::{Kind, Patient};
use shared_model::ids::DocumentId;
use shared_model::protocol::{
    self, Accepted, MAX_FRAME, PROTOCOL_VERSION, Push, PushItem, RefusalCode, SinglePush,
};
use sync_server::server::Limit;

on_both! {
    a_document_is_read_and_known_again
    what_may_not_be_read_and_what_is_not_there_are_the_same
    a_push_without_a_session_reaches_everybody_else
    what_a_session_would_not_take_is_not_taken
    who_asks_for_too_much_is_slowed_down
}

async fn read(device: &Device, id: impl Into<DocumentId>, headers: &[(&str, &str)]) -> Response {
    let bearer = format!("Bearer {}", device.token);
    let mut all = vec![("authorization", bearer.as_str())];
    all.extend(headers);
    http::get(device.server, &format!("/api/v1/documents/{}", id.into()), &all).await
}

fn single(device: &Device, items: Vec<PushItem>) -> SinglePush {
    SinglePush {
        protocol: PROTOCOL_VERSION,
        schema_version: SCHEMA_VERSION,
        actor: device.actor.to_bytes().to_vec().into(),
        push: Push {
            number: 7,
            items: device.signed(items),
        },
        signing_key: device.key().public().into(),
    }
}

async fn push_bytes(device: &Device, body: Vec<u8>) -> Response {
    let bearer = format!("Bearer {}", device.token);
    let headers = [("authorization", bearer.as_str())];
    http::request(device.server, Method::POST, "/api/v1/push", &headers, body).await
}

async fn push(device: &Device, push: &SinglePush) -> Response {
    push_bytes(device, protocol::encode(push)).await
}

fn accepted(answer: &Response) -> Accepted {
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.header("content-type"), "application/cbor");
    protocol::decode(&answer.body).expect("an answer of the protocol")
}

fn problem(answer: &Response) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let code = answer.json()["code"].as_str().expect("a code").to_owned();
    (answer.status.as_u16(), code)
}

async fn a_document_is_read_and_known_again(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    let first = read(&desk, REX, &[]).await;
    assert_eq!(first.status, 200);
    assert_eq!(
        first.header("cache-control"),
        "no-store",
        "a browser keeps no record"
    );
    let json = first.json();
    assert_eq!(json["kind"], "patient");
    assert_eq!(json["id"], json!(DocumentId::from(REX)));
    assert_eq!(json["fields"]["name"], "Rex");
    assert_eq!(json["fields"]["species"], "dog");
    assert_eq!(json["fields"].get("clinic"), None);
    assert_eq!(json["contested"], json!({}));
    let since = &json["fields"][format!("owners/{OWNER}/since")];
    assert!(since.is_i64(), "moments are milliseconds: {since}");
    let tag = first.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", json["heads"][0].as_str().expect("a head")));

    let again = read(&desk, REX, &[("if-none-match", &tag)]).await;
    assert_eq!(
        (again.status.as_u16(), again.header("cache-control")),
        (304, "no-store")
    );
    assert!(again.body.is_empty());
    let weak = format!("\"x\", W/{tag}");
    assert_eq!(read(&desk, REX, &[("if-none-match", &weak)]).await.status, 304);

    desk.run(EditPatient {
        name: Some("Rexie".to_owned()),
        ..EditPatient::of(REX)
    });
    desk.settled().await;
    let changed = read(&desk, REX, &[("if-none-match", &tag)]).await;
    assert_eq!(changed.json()["fields"]["name"], "Rexie");
    assert_ne!(changed.header("etag"), tag);

    // Written at the same time, by hands that do not know of each other: both are told.
    let (mut tech, mut vet) = (practice.device("tech").await, practice.device("vet").await);
    tech.connect().await;
    vet.connect().await;
    let rivals = [
        tech.write(Kind::Patient, REX.into(), "sex", "male"),
        vet.write(Kind::Patient, REX.into(), "sex", "unknown"),
    ];
    for (device, change) in [(&tech, &rivals[0]), (&vet, &rivals[1])] {
        let items = vec![item(Kind::Patient, REX.into(), [raw(change)])];
        let answer = accepted(&push(device, &single(device, items)).await);
        assert_eq!((answer.push, answer.refused), (7, Vec::new()));
    }
    let contested = read(&desk, REX, &[]).await.json();
    let mut values: Vec<&str> = contested["contested"]["sex"]
        .as_array()
        .expect("two values")
        .iter()
        .map(|value| value.as_str().expect("a word"))
        .collect();
    values.sort_unstable();
    assert_eq!(values, ["male", "unknown"]);
    assert_eq!(contested["heads"].as_array().expect("heads").len(), 2);
}

async fn what_may_not_be_read_and_what_is_not_there_are_the_same(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let owner = practice.device("owner").await;
    assert_eq!(read(&owner, REX, &[]).await.status, 200);
    assert_eq!(read(&owner, practice.clinic.profile(), &[]).await.status, 200);
    let hidden = read(&owner, MIA, &[]).await;
    let absent = read(&owner, fresh_id(DocumentId), &[]).await;
    assert_eq!(problem(&hidden), (404, "not_found".to_owned()));
    assert_eq!((hidden.status, &hidden.body), (absent.status, &absent.body));
    let known = read(&owner, MIA, &[("if-none-match", "*")]).await;
    assert_eq!((known.status, &known.body), (absent.status, &absent.body));
    let bearer = format!("Bearer {}", owner.token);
    let headers = [("authorization", bearer.as_str())];
    let no_id = http::get(practice.address, "/api/v1/documents/rex", &headers).await;
    assert_eq!((no_id.status, &no_id.body), (absent.status, &absent.body));
    // Who reads no records at all is told no more.
    let system = practice.device("system").await;
    assert_eq!(
        problem(&read(&system, REX, &[]).await),
        (404, "not_found".to_owned())
    );
    let nobody = http::get(practice.address, &format!("/api/v1/documents/{REX}"), &[]).await;
    assert_eq!(problem(&nobody), (401, "not_signed_in".to_owned()));
}

async fn a_push_without_a_session_reaches_everybody_else(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (mut owner, mut desk) = (practice.device("owner").await, practice.device("desk").await);
    desk.connect().await;
    owner.connect().await;
    let before = owner.pages.len();
    let allowed = desk.write(Kind::Patient, REX.into(), "name", "Rexie");
    let denied = desk.write(Kind::Patient, REX.into(), "weights/1/kg", "20");
    let items = vec![item(Kind::Patient, REX.into(), [raw(&allowed), raw(&denied)])];
    let answer = accepted(&push(&desk, &single(&desk, items.clone())).await);
    assert_eq!(answer.refused.len(), 1);
    assert_eq!(answer.refused[0].code, RefusalCode::NotPermitted);
    assert_eq!(answer.refused[0].change.to_vec(), denied.hash().0);
    owner
        .until("the new name is here", |owner| {
            Patient::read(owner.document(REX)).0.name == "Rexie"
        })
        .await;
    assert_eq!(owner.pages.len(), before + 1);
    // The answer got lost: the same push changes nothing.
    let head = practice.storage.head(practice.clinic).await.expect("reads");
    let again = accepted(&push(&desk, &single(&desk, items)).await);
    assert_eq!(again.refused.len(), 1);
    assert_eq!(practice.storage.head(practice.clinic).await.expect("reads"), head);
}

async fn what_a_session_would_not_take_is_not_taken(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (mut desk, mut vet) = (practice.device("desk").await, practice.device("vet").await);
    desk.connect().await;
    vet.connect().await;
    let check = |answer: Response, status: u16, code: &str| {
        assert_eq!(problem(&answer), (status, code.to_owned()));
    };
    let empty = single(&vet, Vec::new());
    accepted(&push(&vet, &empty).await);
    let forged = SinglePush {
        actor: desk.actor.to_bytes().to_vec().into(),
        ..empty.clone()
    };
    check(push(&vet, &forged).await, 409, "foreign_actor");
    let anonymous = SinglePush {
        actor: Vec::new().into(),
        ..empty.clone()
    };
    check(push(&vet, &anonymous).await, 400, "bad_request");
    let older = SinglePush {
        protocol: PROTOCOL_VERSION - 1,
        ..empty.clone()
    };
    check(push(&vet, &older).await, 409, "update_client");
    let newer = SinglePush {
        schema_version: SCHEMA_VERSION + 1,
        ..empty.clone()
    };
    check(push(&vet, &newer).await, 409, "update_server");
    check(
        push_bytes(&vet, b"{\"push\": 1}".to_vec()).await,
        400,
        "bad_request",
    );
    check(push_bytes(&vet, vec![0; MAX_FRAME + 1]).await, 413, "too_large");
    let system = practice.device("system").await;
    check(
        push(&system, &single(&system, Vec::new())).await,
        403,
        "not_permitted",
    );
    vet.token.push('x');
    check(push(&vet, &empty).await, 401, "not_signed_in");
}

async fn who_asks_for_too_much_is_slowed_down(engine: Engine) {
    let practice = Practice::open_with(engine, |settings| {
        settings.quotas.staff.wants = Limit {
            at_once: 1,
            per_minute: 1,
        };
    })
    .await;
    let desk = practice.device("desk").await;
    let mut last = read(&desk, fresh_id(DocumentId), &[]).await;
    for _ in 0..3 {
        if last.status == 429 {
            break;
        }
        last = read(&desk, fresh_id(DocumentId), &[]).await;
    }
    assert_eq!(problem(&last), (429, "slow_down".to_owned()));
    let seconds: u64 = last.header("retry-after").parse().expect("seconds");
    assert!((1..=180).contains(&seconds), "{seconds}");
}
