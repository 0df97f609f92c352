//! Late work: what somebody did before their rights ended comes to the clinic's administrators, and to nobody else.

use crate::at_rest::{everything, meddle};
use crate::authorship::joined;
use crate::database::Engine;
use crate::device::Device;
use crate::http::{self, Response};
use crate::morning::on_both;
use crate::person::Person;
use crate::practice::{MIA, PASSWORD, Practice, REX, found_clinic, fresh_id};
use automerge::{Change, ChangeHash};
use axum::http::Method;
use serde_json::{Value, json};
use shared_model::accounts::codes;
use shared_model::authorship::{SigningKey, key_id};
use shared_model::commands::{Command, EditPatient};
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId, PatientId};
use shared_model::late_work::{
    HAND_IN_BUDGET, HAND_IN_WITHIN_MS, HandIn, HandedIn, Kept, LateWork, LateWorkCount, LateWorkPage,
    MAX_AUTHORS, MAX_COMMAND, MAX_ITEMS, SignedBy,
};
use shared_model::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use sync_server::identity::{AccessClaims, AccessTokens, RequestLimits};
use sync_server::storage::late_work::{Giver, LateChange, MAX_WAITING, MAX_WAITING_BYTES};
use uuid::Uuid;

on_both! {
    who_has_left_hands_in_what_waits
    handing_in_twice_keeps_it_once
    who_has_not_left_is_told_so
    only_administrators_of_the_clinic_see_it_and_decide
    what_is_not_what_it_says_it_is_is_not_kept
    what_a_lost_device_brings_is_not_taken
    what_was_accepted_is_no_late_work
    it_is_decided_once_and_with_a_reason
    it_lies_sealed
    what_is_damaged_hides_none_of_the_others
    pages_hold_all_of_it_once
    nobody_fills_the_inbox
    both_are_in_the_trail
    a_colleague_brings_what_its_author_signed
    nobody_brings_what_is_not_its_authors
    who_has_left_is_told_to_whoever_waits_for_them
}

fn rename(patient: PatientId, name: &str) -> Command {
    EditPatient {
        name: Some(name.to_owned()),
        ..EditPatient::of(patient)
    }
    .into()
}

/// What a device's outbox has of one change.
fn item(kind: Kind, document: PatientId, change: &Change, command: &Command) -> HandedIn {
    HandedIn {
        kind,
        document: document.into(),
        hash: change.hash().to_string(),
        change: change.raw_bytes().to_vec(),
        command: command.to_bytes(),
        made_at: Timestamp(1_700_000_000_000),
        signed: None,
    }
}

async fn post(practice: &Practice, token: &str, path: &str, body: &Value) -> Response {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let path = format!("/api/v1{path}");
    http::request(practice.address, Method::POST, &path, &headers, body.to_string()).await
}

async fn hand_in(practice: &Practice, device: &Device, items: Vec<HandedIn>) -> Response {
    let request = HandIn {
        device: device.device,
        left: true,
        items,
        authors: Vec::new(),
    };
    post(practice, &device.token, "/late-work", &json!(request)).await
}

/// A vet whose device has records, with changes in its outbox, and who belongs to the clinic no more.
async fn gone(practice: &Practice, names: &[&str]) -> (Device, Vec<HandedIn>) {
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    vet.offline();
    let mut items = Vec::new();
    for name in names {
        let command = rename(REX, name);
        vet.run(command.clone());
        let (kind, _, change) = vet.outbox.last().expect("it waits");
        items.push(item(*kind, REX, change, &command));
    }
    let admin = Person::of(practice, "admin", PASSWORD).await;
    let ended = admin.delete(&format!("/staff/{}", vet.principal.account)).await;
    assert_eq!(ended.status, 204);
    (vet, items)
}

async fn inbox(practice: &Practice) -> Vec<LateWork> {
    let admin = Person::of(practice, "admin", PASSWORD).await;
    let page: LateWorkPage = admin.get("/late-work").await;
    assert_eq!(page.next, None);
    let count: LateWorkCount = admin.get("/late-work/count").await;
    assert_eq!(count.waiting, page.works.len() as u64);
    page.works
}

fn hashes(items: &[HandedIn]) -> Vec<String> {
    items.iter().map(|item| item.hash.clone()).collect()
}

async fn who_has_left_hands_in_what_waits(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (vet, items) = gone(&practice, &["Rexie", "Rexo"]).await;
    let answer = hand_in(&practice, &vet, items.clone()).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let mut kept = answer.read::<Kept>().hashes;
    kept.sort();
    let mut expected = hashes(&items);
    expected.sort();
    assert_eq!(kept, expected);
    let works = inbox(&practice).await;
    assert_eq!(
        works.iter().map(|work| work.hash.clone()).collect::<Vec<_>>(),
        hashes(&items),
        "in the order in which they were made"
    );
    let first = &works[0];
    assert_eq!((first.author, first.device), (vet.principal.account, vet.device));
    assert_eq!(
        (first.author_name.as_str(), first.kind, first.document),
        ("vet", Kind::Patient, REX.into())
    );
    assert_eq!(
        (&first.change, &first.command, first.made_at),
        (&items[0].change, &items[0].command, items[0].made_at)
    );
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    let rex = &desk.documents[&REX.into()];
    assert_eq!(
        rex.value("name")
            .and_then(|name| name.as_str().map(str::to_owned))
            .as_deref(),
        Some("Rex"),
        "nothing reaches a record by itself"
    );
}

async fn handing_in_twice_keeps_it_once(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (vet, items) = gone(&practice, &["Rexie"]).await;
    for _ in 0..2 {
        let answer = hand_in(&practice, &vet, items.clone()).await;
        assert_eq!(answer.read::<Kept>().hashes, hashes(&items));
    }
    let (one, other) = tokio::join!(
        hand_in(&practice, &vet, items.clone()),
        hand_in(&practice, &vet, items.clone())
    );
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (200, 200));
    assert_eq!(inbox(&practice).await.len(), 1);
    // Once it was decided about, it is still safe, and waits for nobody.
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let verdict = json!({ "hashes": hashes(&items), "verdict": "taken" });
    assert_eq!(admin.post("/late-work/decide", verdict).await.status, 204);
    let answer = hand_in(&practice, &vet, items.clone()).await;
    assert_eq!(answer.read::<Kept>().hashes, hashes(&items));
    assert_eq!(inbox(&practice).await, []);
}

async fn who_has_not_left_is_told_so(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    vet.offline();
    vet.run(rename(REX, "Rexie"));
    let (kind, _, change) = vet.outbox.last().expect("it waits");
    let item = item(*kind, REX, change, &rename(REX, "Rexie"));
    let answer = hand_in(&practice, &vet, vec![item.clone()]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (409, codes::STILL_MEMBER)
    );
    assert_eq!(inbox(&practice).await, []);
    // What a member wants to be handed in is taken.
    let request = HandIn {
        device: vet.device,
        left: false,
        items: vec![item],
        authors: Vec::new(),
    };
    let answer = post(&practice, &vet.token, "/late-work", &json!(request)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(inbox(&practice).await.len(), 1);
    // Not without a session.
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let ended = format!("/staff/{}/devices/{}/sign-out", vet.principal.account, vet.device);
    assert_eq!(admin.tell(&ended).await.status, 204);
    let answer = post(&practice, &vet.token, "/late-work", &json!(request)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (401, codes::NOT_SIGNED_IN)
    );
}

async fn only_administrators_of_the_clinic_see_it_and_decide(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (vet, items) = gone(&practice, &["Rexie"]).await;
    hand_in(&practice, &vet, items.clone()).await;
    let verdict = json!({ "hashes": hashes(&items), "verdict": { "let_go": { "reason": "Not needed" } } });
    for name in ["desk", "tech", "owner", "system"] {
        let person = Person::of(&practice, name, PASSWORD).await;
        for path in ["/late-work", "/late-work/count"] {
            assert_eq!(
                person.try_get(path).await.code(),
                codes::NOT_PERMITTED,
                "{name} {path}"
            );
        }
        let decided = person.post("/late-work/decide", &verdict).await;
        assert_eq!(decided.code(), codes::NOT_PERMITTED, "{name}");
    }
    // The administrator of another clinic sees theirs.
    let elsewhere = fresh_id(ClinicId);
    found_clinic(&practice.storage, elsewhere, "other-").await;
    let other = Person::of(&practice, "other-admin", PASSWORD).await;
    let page: LateWorkPage = other.get("/late-work").await;
    assert_eq!(page.works, []);
    assert_eq!(
        other.post("/late-work/decide", &verdict).await.code(),
        codes::NOT_FOUND
    );
    assert_eq!(inbox(&practice).await.len(), 1);
    // And who has left reads nothing with the token that hands in.
    let bearer = format!("Bearer {}", vet.token);
    let answer = http::get(
        practice.address,
        "/api/v1/late-work",
        &[("authorization", &bearer)],
    )
    .await;
    assert_eq!(answer.status, 401);
}

async fn what_is_not_what_it_says_it_is_is_not_kept(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (vet, items) = gone(&practice, &["Rexie", "Rexo"]).await;
    let mut forged = items[0].clone();
    forged.hash = items[1].hash.clone();
    let mut flipped = items[1].clone();
    *flipped.change.last_mut().expect("bytes") ^= 1;
    let noise = HandedIn {
        change: vec![7; 300],
        ..items[1].clone()
    };
    let answer = hand_in(&practice, &vet, vec![forged, flipped, noise, items[0].clone()]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.read::<Kept>().hashes,
        hashes(&items[..1]),
        "the good one is not lost for it"
    );
    assert_eq!(inbox(&practice).await.len(), 1);

    // Somebody else's token, device, or no token at all.
    let request = json!(HandIn {
        device: fresh_id(DeviceId),
        left: true,
        items: items.clone(),
        authors: Vec::new(),
    });
    for token in [&vet.token, "", "x.y", &vet.refresh_token] {
        let answer = post(&practice, token, "/late-work", &request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (401, codes::NOT_SIGNED_IN)
        );
    }
    let many = vec![items[0].clone(); MAX_ITEMS + 1];
    assert_eq!(hand_in(&practice, &vet, many).await.status, 422);
    let large = HandedIn {
        change: vec![0; 2 << 20],
        ..items[0].clone()
    };
    assert_eq!(hand_in(&practice, &vet, vec![large]).await.status, 413);
    let with_command = |size: usize| HandedIn {
        command: vec![0; size],
        ..items[1].clone()
    };
    let answer = hand_in(&practice, &vet, vec![with_command(MAX_COMMAND + 1)]).await;
    assert_eq!(answer.read::<Kept>().hashes, Vec::<String>::new());
    // A change is packed, so that what was asked for can be far larger.
    let answer = hand_in(&practice, &vet, vec![with_command(MAX_COMMAND)]).await;
    assert_eq!(answer.read::<Kept>().hashes, hashes(&items[1..]));
}

async fn what_a_lost_device_brings_is_not_taken(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    vet.offline();
    vet.run(rename(REX, "Rexie"));
    let (kind, _, change) = vet.outbox.last().expect("it waits");
    let items = vec![item(*kind, REX, change, &rename(REX, "Rexie"))];
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let account = vet.principal.account;
    let lost = admin
        .tell(&format!("/staff/{account}/devices/{}/lost", vet.device))
        .await;
    assert_eq!(lost.status, 204);
    assert_eq!(admin.delete(&format!("/staff/{account}")).await.status, 204);
    let answer = hand_in(&practice, &vet, items).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (403, codes::DEVICE_LOST)
    );
    assert_eq!(inbox(&practice).await, []);
}

async fn what_was_accepted_is_no_late_work(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    vet.run(rename(REX, "Rexie"));
    let (kind, _, change) = vet.outbox.last().cloned().expect("it waits");
    vet.settled().await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let ended = admin.delete(&format!("/staff/{}", vet.principal.account)).await;
    assert_eq!(ended.status, 204);
    // The answer to the push was lost.
    let items = vec![item(kind, REX, &change, &rename(REX, "Rexie"))];
    let answer = hand_in(&practice, &vet, items.clone()).await;
    assert_eq!(answer.read::<Kept>().hashes, hashes(&items));
    assert_eq!(inbox(&practice).await, []);
}

async fn it_is_decided_once_and_with_a_reason(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (vet, items) = gone(&practice, &["Rexie", "Rexo"]).await;
    hand_in(&practice, &vet, items.clone()).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let decide = async |hashes: &[String], verdict: Value| {
        let body = json!({ "hashes": hashes, "verdict": verdict });
        admin.post("/late-work/decide", body).await.status.as_u16()
    };
    let all = hashes(&items);
    let long = "x".repeat(201);
    for reason in ["", "  ", long.as_str()] {
        assert_eq!(decide(&all, json!({ "let_go": { "reason": reason } })).await, 422);
    }
    assert_eq!(decide(&[], json!("taken")).await, 422);
    assert_eq!(decide(&vec![all[0].clone(); 501], json!("taken")).await, 422);
    assert_eq!(decide(&["nonsense".to_owned()], json!("taken")).await, 404);
    assert_eq!(inbox(&practice).await.len(), 2);
    assert_eq!(decide(&all[..1], json!("taken")).await, 204);
    assert_eq!(
        decide(&all, json!("taken")).await,
        404,
        "one of them waits no more"
    );
    assert_eq!(inbox(&practice).await.len(), 1, "so nothing was decided");
    let let_go = json!({ "let_go": { "reason": " It was another dog " } });
    assert_eq!(decide(&all[1..], let_go).await, 204);
    assert_eq!(inbox(&practice).await, []);
}

/// Neither the change, nor the command, nor the reason can be read by whoever has the database.
async fn it_lies_sealed(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (vet, items) = gone(&practice, &["Rexminster"]).await;
    hand_in(&practice, &vet, items.clone()).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let verdict =
        json!({ "hashes": hashes(&items), "verdict": { "let_go": { "reason": "Rexminster is a cat" } } });
    assert_eq!(admin.post("/late-work/decide", verdict).await.status, 204);
    let stored = everything(&practice.database).await;
    let late_work = stored.windows(9).filter(|window| *window == b"late_work").count();
    assert!(late_work > 0, "the trail names what happened");
    assert!(!stored.windows(10).any(|window| window == b"Rexminster"));
}

async fn what_is_damaged_hides_none_of_the_others(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (vet, mut items) = gone(&practice, &["Rexie", "Rexo"]).await;
    items[0].document = MIA.into();
    hand_in(&practice, &vet, items.clone()).await;
    let damage = "update late_work set change = command where document = {id}";
    meddle(&practice.database, damage, MIA.into()).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let page: LateWorkPage = admin.get("/late-work").await;
    let listed: Vec<String> = page.works.into_iter().map(|work| work.hash).collect();
    assert_eq!(listed, hashes(&items[1..]));
    assert_eq!(page.next, None);

    // Of three that fill a page each, the one in the middle.
    let large = |number: u8, document: DocumentId| LateChange {
        hash: ChangeHash([number; 32]),
        kind: Kind::Patient,
        document,
        change: vec![number; HAND_IN_BUDGET],
        command: vec![number],
        made_at: Timestamp(5),
    };
    let damaged = DocumentId(Uuid::from_u128(0x777));
    let giver = Giver {
        clinic: practice.clinic,
        account: vet.principal.account,
        device: vet.device,
        brought_by: None,
    };
    let more = vec![large(1, REX.into()), large(2, damaged), large(3, REX.into())];
    practice
        .storage
        .keep_late_work(giver, more, Timestamp(9))
        .await
        .expect("kept");
    let as_large = "update late_work set change = (select l.change from late_work l \
                    where length(l.change) > 9999 and l.document <> {id} limit 1) where document = {id}";
    meddle(&practice.database, as_large, damaged).await;
    let (mut seen, mut path) = (Vec::new(), "/late-work".to_owned());
    loop {
        let page: LateWorkPage = admin.get(&path).await;
        assert!(!page.works.is_empty(), "a page has something: {path}");
        seen.extend(page.works.into_iter().map(|work| work.hash));
        match page.next {
            Some(after) => path = format!("/late-work?after={after}"),
            None => break,
        }
    }
    let all = [1, 3].map(|number| ChangeHash([number; 32]).to_string());
    assert_eq!(seen, [&hashes(&items[1..])[..], &all].concat());
}

async fn pages_hold_all_of_it_once(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let vet = practice.device("vet").await;
    // Far more than a page, straight into the storage.
    let large = |number: u8| LateChange {
        hash: ChangeHash([number; 32]),
        kind: Kind::Patient,
        document: REX.into(),
        change: vec![number; 100 << 10],
        command: Vec::new(),
        made_at: Timestamp(5),
    };
    let giver = Giver {
        clinic: practice.clinic,
        account: vet.principal.account,
        device: vet.device,
        brought_by: None,
    };
    let all: Vec<LateChange> = (1..=17).map(large).collect();
    let kept = practice
        .storage
        .keep_late_work(giver, all.clone(), Timestamp(9))
        .await;
    assert_eq!(kept.expect("kept").new.len(), 17);
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let (mut seen, mut path, mut pages) = (Vec::new(), "/late-work".to_owned(), 0);
    loop {
        let page: LateWorkPage = admin.get(&path).await;
        assert!(
            !page.works.is_empty() && page.works.len() <= 5,
            "{}",
            page.works.len()
        );
        seen.extend(page.works.into_iter().map(|work| work.hash));
        pages += 1;
        match page.next {
            Some(after) => path = format!("/late-work?after={after}"),
            None => break,
        }
    }
    let expected: Vec<String> = all.iter().map(|late| late.hash.to_string()).collect();
    assert_eq!(seen, expected);
    assert!(pages >= 4, "{pages}");
    assert_eq!(admin.try_get("/late-work?after=x").await.status, 400);
}

async fn nobody_fills_the_inbox(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let vet = practice.device("vet").await;
    let giver = |account| Giver {
        clinic: practice.clinic,
        account,
        device: vet.device,
        brought_by: None,
    };
    let small = |number: u64| LateChange {
        hash: ChangeHash(std::array::from_fn(|at| number.to_be_bytes()[at % 8])),
        kind: Kind::Patient,
        document: MIA.into(),
        change: vec![1],
        command: vec![2],
        made_at: Timestamp(5),
    };
    let keep = async |account, changes: Vec<LateChange>| {
        let kept = practice
            .storage
            .keep_late_work(giver(account), changes, Timestamp(9))
            .await;
        kept.expect("asked")
    };
    let me = vet.principal.account;
    let many: Vec<LateChange> = (0..MAX_WAITING + 2).map(small).collect();
    let kept = keep(me, many.clone()).await;
    assert_eq!(kept.new.len() as u64, MAX_WAITING);
    assert_eq!(
        keep(me, many[..3].to_vec()).await.there.len(),
        3,
        "what is there is there"
    );
    // Somebody else has room, but not for another one's work.
    let other = practice.device("tech").await.principal.account;
    assert_eq!(keep(other, many[..3].to_vec()).await.there, []);
    let huge = LateChange {
        change: vec![0; usize::try_from(MAX_WAITING_BYTES).expect("it fits")],
        ..small(u64::MAX)
    };
    assert_eq!(keep(other, vec![huge]).await.there, []);
    assert_eq!(keep(other, vec![small(u64::MAX)]).await.new.len(), 1);
}

async fn both_are_in_the_trail(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (vet, items) = gone(&practice, &["Rexie", "Rexo"]).await;
    for _ in 0..2 {
        hand_in(&practice, &vet, items.clone()).await;
    }
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let all = hashes(&items);
    let taken = json!({ "hashes": &all[..1], "verdict": "taken" });
    assert_eq!(admin.post("/late-work/decide", taken).await.status, 204);
    let let_go = json!({ "hashes": &all[1..], "verdict": { "let_go": { "reason": "Secret" } } });
    assert_eq!(admin.post("/late-work/decide", let_go).await.status, 204);
    let author = vet.principal.account;
    for (verb, by, detail) in [
        ("late_work_handed_in", author, json!({ "changes": 2 })),
        (
            "late_work_taken",
            admin.account(),
            json!({ "of": author, "changes": 1 }),
        ),
        (
            "late_work_let_go",
            admin.account(),
            json!({ "of": author, "changes": 1 }),
        ),
    ] {
        let page: Value = admin.get(&format!("/audit?happening={verb}")).await;
        let entries = page["entries"].as_array().expect("a list");
        assert_eq!(entries.len(), 1, "{verb}: {entries:?}");
        assert_eq!(entries[0]["person"], json!(by));
        assert_eq!(entries[0]["document"], json!(REX));
        assert_eq!(entries[0]["detail"], detail);
    }
    let verdict = sync_server::trail::verify_trail(practice.storage.as_ref(), practice.clinic, &[]).await;
    assert!(matches!(verdict, Ok(sync_server::trail::Verdict::Whole(_))));
}

/// As its author's device signed it.
fn signed(practice: &Practice, key: &SigningKey, item: &HandedIn) -> HandedIn {
    let hash: ChangeHash = item.hash.parse().expect("a hash");
    HandedIn {
        signed: Some(SignedBy {
            key: key_id(&key.public()).to_vec(),
            signature: key.sign(practice.clinic, item.document, &hash).to_vec(),
        }),
        ..item.clone()
    }
}

async fn bring(
    practice: &Practice,
    colleague: &Device,
    items: Vec<HandedIn>,
    authors: Vec<AccountId>,
) -> Response {
    let request = HandIn {
        device: colleague.device,
        left: false,
        items,
        authors,
    };
    post(practice, &colleague.token, "/late-work", &json!(request)).await
}

/// The author had signed out before they left; whoever works on their device now has the work.
async fn a_colleague_brings_what_its_author_signed(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (vet, items) = gone(&practice, &["Rexie", "Rexo"]).await;
    let desk = joined(&practice, "desk", &vet).await;
    let brought: Vec<HandedIn> = items
        .iter()
        .map(|item| signed(&practice, &vet.key(), item))
        .collect();
    for _ in 0..2 {
        let answer = bring(&practice, &desk, brought.clone(), Vec::new()).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let kept: Kept = answer.read();
        assert_eq!((kept.account, kept.has_left), (desk.principal.account, false));
        assert_eq!(kept.hashes.len(), 2);
        assert_eq!(kept.authors_left, [vet.principal.account]);
    }
    let works = inbox(&practice).await;
    assert_eq!(works.len(), 2);
    for work in &works {
        assert_eq!(
            (work.author, work.author_name.as_str(), work.brought_by.as_deref()),
            (vet.principal.account, "vet", Some("desk"))
        );
    }
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let page: Value = admin.get("/audit?happening=late_work_handed_in").await;
    let entries = page["entries"].as_array().expect("a list");
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["person"], json!(desk.principal.account));
    assert_eq!(
        entries[0]["detail"],
        json!({ "of": vet.principal.account, "changes": 2 })
    );
}

async fn nobody_brings_what_is_not_its_authors(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    // Of a member: they send it themselves.
    let mut tech = practice.device("tech").await;
    tech.connect().await;
    tech.offline();
    tech.run(rename(REX, "Rexum"));
    let (kind, _, change) = tech.outbox.last().expect("it waits");
    let of_member = item(*kind, REX, change, &rename(REX, "Rexum"));
    let of_member = signed(&practice, &tech.key(), &of_member);
    let colleague = joined(&practice, "desk", &tech).await;
    let answer = bring(&practice, &colleague, vec![of_member], Vec::new()).await;
    let kept: Kept = answer.read();
    assert_eq!((kept.hashes.len(), kept.authors_left.len()), (0, 0));

    let (vet, items) = gone(&practice, &["Rexie", "Rexo"]).await;
    let desk = joined(&practice, "desk", &vet).await;
    let good = signed(&practice, &vet.key(), &items[0]);
    // A key that nobody knows, a signature of another change, and none of either's length.
    let unknown = signed(&practice, &SigningKey::from_seed(&[9; 32]), &items[0]);
    let other = HandedIn {
        signed: signed(&practice, &vet.key(), &items[1]).signed,
        ..items[0].clone()
    };
    let short = HandedIn {
        signed: Some(SignedBy {
            key: vec![1],
            signature: vec![2; 63],
        }),
        ..items[0].clone()
    };
    let answer = bring(&practice, &desk, vec![unknown, other, short], Vec::new()).await;
    let kept: Kept = answer.read();
    assert_eq!((kept.hashes.len(), kept.authors_left.len()), (0, 0));
    // From a device that they never worked on.
    let elsewhere = practice.device("tech").await;
    let answer = bring(&practice, &elsewhere, vec![good], Vec::new()).await;
    assert_eq!(answer.read::<Kept>().hashes, Vec::<String>::new());
    assert_eq!(inbox(&practice).await, []);
}

async fn who_has_left_is_told_to_whoever_waits_for_them(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (vet, _) = gone(&practice, &["Rexie"]).await;
    let desk = joined(&practice, "desk", &vet).await;
    // Of whoever never worked on this device, nothing is told.
    let tech = practice.device("tech").await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let tech = tech.principal.account;
    assert_eq!(admin.delete(&format!("/staff/{tech}")).await.status, 204);
    let asked = vec![tech, vet.principal.account, desk.principal.account];
    let answer = bring(&practice, &desk, Vec::new(), asked).await;
    assert_eq!(answer.read::<Kept>().authors_left, [vet.principal.account]);
    // Whoever has left themselves is told of nobody.
    let owner = joined(&practice, "owner", &vet).await.principal.account;
    assert_eq!(admin.delete(&format!("/staff/{owner}")).await.status, 204);
    let of_vet = HandIn {
        device: vet.device,
        left: true,
        items: Vec::new(),
        authors: vec![owner, vet.principal.account],
    };
    let answer = post(&practice, &vet.token, "/late-work", &json!(of_vet)).await;
    let kept: Kept = answer.read();
    assert_eq!((kept.has_left, kept.authors_left), (true, Vec::new()));
    let many = vec![tech; MAX_AUTHORS + 1];
    assert_eq!(bring(&practice, &desk, Vec::new(), many).await.status, 422);
}

/// A tablet that lay in a drawer for half a year hands in; a day later it does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_token_proves_for_half_a_year() {
    let now = Arc::new(AtomicI64::new(1_800_000_000_000));
    let clock = Arc::clone(&now);
    let practice = Practice::open_with(Engine::Sqlite, move |settings| {
        settings.clock = sync_server::Clock::of(move || Timestamp(clock.load(Ordering::Relaxed)));
    })
    .await;
    practice.enter_records().await;
    // Of a member, an old token proves nothing.
    let tech = practice.device("tech").await;
    now.fetch_add(3_600_000, Ordering::Relaxed);
    for (left, status, code) in [
        (true, 409, codes::STILL_MEMBER),
        (false, 401, codes::NOT_SIGNED_IN),
    ] {
        let request = json!(HandIn {
            device: tech.device,
            left,
            items: Vec::new(),
            authors: Vec::new(),
        });
        let answer = post(&practice, &tech.token, "/late-work", &request).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code));
    }
    let (vet, items) = gone(&practice, &["Rexie"]).await;
    let secret = practice
        .storage
        .secret("access tokens", [0; 32])
        .await
        .expect("there");
    let sealed = |expires_at: i64| {
        AccessTokens::new(secret.clone()).seal(&AccessClaims {
            account: vet.principal.account,
            clinic: practice.clinic,
            device: vet.device,
            family: [0; 16],
            expires_at: Timestamp(expires_at),
        })
    };
    let begin = now.load(Ordering::Relaxed);
    let request = json!(HandIn {
        device: vet.device,
        left: true,
        items,
        authors: Vec::new(),
    });
    let too_old = sealed(begin - HAND_IN_WITHIN_MS - 1);
    let answer = post(&practice, &too_old, "/late-work", &request).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (401, codes::NOT_SIGNED_IN)
    );
    assert_eq!(inbox(&practice).await, []);
    let old = sealed(begin - HAND_IN_WITHIN_MS);
    assert_eq!(post(&practice, &old, "/late-work", &request).await.status, 200);
    assert_eq!(inbox(&practice).await.len(), 1);
}

/// Whoever hands in is limited as in any other request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handing_in_has_its_limit() {
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.request_limits = RequestLimits {
            account: sync_server::identity::RequestLimit {
                at_once: 8,
                per_minute: 1,
            },
            ..RequestLimits::default()
        };
    })
    .await;
    let vet = practice.device("vet").await;
    let mut statuses = Vec::new();
    for _ in 0..9 {
        statuses.push(hand_in(&practice, &vet, Vec::new()).await.status.as_u16());
    }
    assert_eq!(statuses[0], 409);
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
}
