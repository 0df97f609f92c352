//! Clients made with automerge-repo among our own devices: the same documents, the same rules, both directions live.

use crate::database::{Database, Engine};
use crate::device::Device;
use crate::guest::{Guest, Said, Written, cbor, name, ticket};
use crate::morning::on_both;
use crate::practice::{MIA, OTHER_OWNER, OWNER, PASSWORD, Practice, REX, fresh_id};
use automerge::transaction::Transactable;
use automerge::{ObjType, ROOT};
use minicbor::Encoder;
use serde_json::json;
use shared_model::commands::{EditPatient, StartVisit, WriteInSection};
use shared_model::documents::{Client, Kind, Patient, Section};
use shared_model::ids::{DeviceId, DocumentId, VisitId};
use shared_model::protocol::{ClientMessage, Goodbye};
use shared_model::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use sync_server::Clock;
use sync_server::server::Limit;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

on_both! {
    both_directions_are_live
    both_write_without_a_network_and_converge
    what_may_not_be_read_looks_like_what_does_not_exist
    a_document_comes_within_reach_and_goes
    a_refused_change_goes_nowhere_and_its_author_is_told
    a_restarted_server_is_found_again
}

const VISIT: VisitId = VisitId(Uuid::from_u128(0x300));

async fn connected(practice: &Practice, person: &str) -> Device {
    let mut device = practice.device(person).await;
    device.connect().await;
    device
}

/// A device of the vet, with a visit begun.
async fn vet_with_a_visit(practice: &Practice) -> Device {
    let mut vet = connected(practice, "vet").await;
    vet.run(StartVisit {
        visit: VISIT,
        appointment: None,
        patient: REX,
        vet: vet.principal.account,
        reason: "limping".to_owned(),
    });
    vet.settled().await;
    vet
}

fn write(device: &mut Device, section: Section, words: &str) {
    let document = device.document(VISIT);
    let seen = document.heads().iter().map(|head| head.0).collect();
    let at = document.text(section.word()).chars().count();
    device.run(WriteInSection {
        visit: VISIT,
        section,
        seen,
        at,
        delete: 0,
        insert: words.to_owned(),
    });
}

async fn both_directions_are_live(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = vet_with_a_visit(&practice).await;
    let mut guest = Guest::of(&practice, "vet").await;
    guest.open(VISIT).await;
    assert_eq!(guest.field(VISIT, "reason").as_deref(), Some("limping"));

    write(&mut vet, Section::History, "Since Monday. ");
    vet.settled().await;
    guest
        .until("the history is here", |guest| {
            guest.text(VISIT, "history") == "Since Monday. "
        })
        .await;
    guest.type_in(VISIT, "history", "Worse today. ");
    guest.settled(VISIT).await;
    vet.until("the guest's words are here", |vet| {
        vet.document(VISIT).text("history") == "Since Monday. Worse today. "
    })
    .await;
    assert_eq!(vet.document(VISIT).heads(), guest.document(VISIT).get_heads());

    // From one such client to another, and to nobody who has not opened it.
    let mut other = Guest::of(&practice, "tech").await;
    let mut elsewhere = Guest::of(&practice, "tech").await;
    other.open(VISIT).await;
    elsewhere.open(MIA).await;
    guest.type_in(VISIT, "plan", "Rest.");
    guest.settled(VISIT).await;
    other
        .until("the plan is here", |other| other.text(VISIT, "plan") == "Rest.")
        .await;
    elsewhere.open(REX).await;
    assert_eq!(
        elsewhere.documents.len(),
        2,
        "`take` fails at what was not asked for"
    );
}

async fn both_write_without_a_network_and_converge(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = vet_with_a_visit(&practice).await;
    let mut guest = Guest::of(&practice, "vet").await;
    guest.open(VISIT).await;
    guest.settled(VISIT).await;
    guest.send_raw(Message::Close(None)).await;
    vet.offline();
    // More changes than a push takes.
    for number in 0..1_100 {
        guest.type_in(VISIT, "history", &format!("g{number} "));
    }
    for number in 0..20 {
        write(&mut vet, Section::History, &format!("d{number} "));
    }
    guest.reconnect().await;
    guest.settled(VISIT).await;
    vet.connect().await;
    vet.settled().await;
    let heads = |vet: &Device| vet.document(VISIT).heads();
    vet.until("the guest's words are here", |vet| {
        vet.document(VISIT).text("history").contains("g1099 ")
    })
    .await;
    guest
        .until("the device's words are here", |guest| {
            guest.document(VISIT).get_heads() == heads(&vet)
        })
        .await;
    let history = guest.text(VISIT, "history");
    assert_eq!(history, vet.document(VISIT).text("history"));
    for words in ["g0 g1 g2 ", "d0 d1 d2 ", "d18 d19 "] {
        assert!(history.contains(words), "{words}");
    }
}

async fn what_may_not_be_read_looks_like_what_does_not_exist(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    vet_with_a_visit(&practice).await;
    let mut owner = Guest::of(&practice, "owner").await;
    owner.open(REX).await;
    let settings = practice.clinic.settings();
    let (foreign, missing) = (DocumentId::from(MIA), DocumentId(Uuid::from_u128(0xdead)));
    for id in [foreign, missing, VISIT.into(), settings] {
        owner.request(id).await;
        assert!(matches!(owner.hear().await, Said::Unavailable));
        assert_eq!(owner.unavailable.pop(), Some(name(id)));
        assert!(!owner.has(id));
    }
    // Nor does writing into it tell them apart.
    let mut vet = Guest::of(&practice, "vet").await;
    vet.open(MIA).await;
    let stolen = vet.document(MIA).clone();
    for id in [foreign, missing] {
        let mut sync = automerge::sync::State::new();
        let first = automerge::sync::SyncDoc::generate_sync_message(&stolen, &mut sync).expect("a message");
        owner.send_sync("sync", &name(id), &first.encode()).await;
        assert!(matches!(owner.hear().await, Said::Unavailable));
        assert_eq!(owner.unavailable.pop(), Some(name(id)));
    }
    for nonsense in ["", "0", "not-an-id", "01970000-0000-7000-8000-000000000000"] {
        owner.send_sync("request", nonsense, b"anything").await;
        assert!(matches!(owner.hear().await, Said::Unavailable));
        assert_eq!(owner.unavailable.pop().as_deref(), Some(nonsense));
    }
    // They may still open what is theirs, and write in it what they may.
    owner.open(OWNER).await;
    owner.change(OWNER, |tx| tx.put(ROOT, "address", "At home").expect("put"));
    owner.settled(OWNER).await;
    let desk = connected(&practice, "desk").await;
    assert_eq!(Client::read(desk.document(OWNER)).0.address, "At home");
}

async fn a_document_comes_within_reach_and_goes(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = connected(&practice, "desk").await;
    let mut owner = Guest::of(&practice, "owner").await;
    owner.open(REX).await;
    owner.request(MIA).await;
    owner
        .until("Mia is not theirs", |owner| owner.unavailable == [name(MIA)])
        .await;

    desk.write_time(Kind::Patient, MIA.into(), &format!("owners/{OWNER}/since"));
    desk.settled().await;
    owner.until("Mia is theirs", |owner| owner.has(MIA)).await;
    assert_eq!(owner.document(MIA).get_heads(), desk.document(MIA).heads());

    desk.write_time(Kind::Patient, REX.into(), &format!("owners/{OWNER}/until"));
    desk.write_time(Kind::Patient, REX.into(), &format!("owners/{OTHER_OWNER}/since"));
    desk.settled().await;
    owner
        .until("Rex is not", |owner| owner.unavailable.contains(&name(REX)))
        .await;
    let known = owner.document(REX).get_heads();
    desk.run(EditPatient {
        name: Some("Rex elsewhere".to_owned()),
        ..EditPatient::of(REX)
    });
    desk.run(EditPatient {
        name: Some("Mia here".to_owned()),
        ..EditPatient::of(MIA)
    });
    desk.settled().await;
    owner
        .until("Mia's name is here", |owner| {
            owner.field(MIA, "name").as_deref() == Some("Mia here")
        })
        .await;
    assert_eq!(
        owner.document(REX).get_heads(),
        known,
        "not one change of Rex came"
    );
}

async fn a_refused_change_goes_nowhere_and_its_author_is_told(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = vet_with_a_visit(&practice).await;
    let mut tech = Guest::of(&practice, "tech").await;
    tech.open(VISIT).await;
    tech.open(REX).await;
    let check = async |tech: &mut Guest, id: DocumentId, code: &str| {
        let told = tech.notices.len();
        tech.say(id).await;
        tech.until("it is told so", |tech| tech.notices.len() > told)
            .await;
        let notice = tech.notices.last().expect("just told");
        assert_eq!(notice.document, name(id));
        assert_eq!(notice.refused[0].0, code, "{notice:?}");
        assert!(!notice.refused[0].1.is_empty());
    };
    // A technician writes no assessment.
    let before = vet.document(VISIT).heads();
    tech.type_in(VISIT, "assessment", "It is broken.");
    tech.type_in(VISIT, "history", "Written after it.");
    check(&mut tech, VISIT.into(), "not_permitted").await;
    let codes: Vec<_> = tech.notices[0]
        .refused
        .iter()
        .map(|(code, _)| code.as_str())
        .collect();
    assert_eq!(codes, ["not_permitted", "builds_on_refused"]);
    // What JavaScript makes of `doc.colour = "black"`: a text in place of a value; and of `delete doc.name`.
    tech.change(REX, |tx| {
        drop(tx.put_object(ROOT, "colour", ObjType::Text).expect("put"))
    });
    check(&mut tech, REX.into(), "not_permitted").await;

    // Other documents go on, and others' words still come.
    tech.open(MIA).await;
    tech.change(MIA, |tx| tx.put(ROOT, "breed", "poodle").expect("put"));
    tech.settled(MIA).await;
    write(&mut vet, Section::Plan, "X-ray.");
    vet.settled().await;
    tech.until("the plan is here", |tech| tech.text(VISIT, "plan") == "X-ray.")
        .await;
    vet.until("the breed is here", |vet| {
        Patient::read(vet.document(MIA)).0.breed == "poodle"
    })
    .await;
    assert_eq!(vet.document(VISIT).text("assessment"), "");
    assert_eq!(vet.document(VISIT).text("history"), "");
    let plan = vet.document(VISIT).changes_since(&before);
    assert_eq!(plan.len(), 1, "the plan alone");

    // Coming back with it, it is refused again, and the other documents still work.
    tech.notices.clear();
    tech.reconnect().await;
    tech.until("both are refused again", |tech| tech.notices.len() == 2)
        .await;
    assert_ne!(tech.notices[0].session, "", "it counts anew");
    tech.change(MIA, |tx| tx.put(ROOT, "colour", "brown").expect("put"));
    tech.settled(MIA).await;
    // The way on: throw the copy away and open it anew.
    tech.open(VISIT).await;
    assert_eq!(tech.text(VISIT, "assessment"), "");
    tech.type_in(VISIT, "history", "What I may write.");
    tech.settled(VISIT).await;
    vet.until("the history is here", |vet| {
        vet.document(VISIT).text("history") == "What I may write."
    })
    .await;
}

async fn a_restarted_server_is_found_again(engine: Engine) {
    let mut practice = Practice::with_records(engine).await;
    let vet = vet_with_a_visit(&practice).await;
    let mut guest = Guest::of(&practice, "vet").await;
    guest.open(VISIT).await;
    guest.settled(VISIT).await;
    drop(vet);
    practice.restart().await;
    assert!(matches!(guest.hear().await, Said::Closed), "without an error");
    guest.type_in(VISIT, "history", "While it was away.");
    guest.reconnect().await;
    guest.settled(VISIT).await;
    let vet = connected(&practice, "vet").await;
    assert_eq!(vet.document(VISIT).text("history"), "While it was away.");
}

#[tokio::test]
async fn what_nobody_keeps_reaches_those_who_have_the_document_open() {
    let practice = Practice::with_records(Engine::Sqlite).await;
    let (mut vet, mut tech) = (
        Guest::of(&practice, "vet").await,
        Guest::of(&practice, "tech").await,
    );
    let (mut desk, mut owner) = (
        Guest::of(&practice, "desk").await,
        Guest::of(&practice, "owner").await,
    );
    vet.open(MIA).await;
    tech.open(MIA).await;
    // One has not opened it; one has asked for it and may not read it.
    desk.open(REX).await;
    owner.open(REX).await;
    owner.request(MIA).await;
    assert!(matches!(owner.hear().await, Said::Unavailable));

    owner.tell(&name(MIA), 1, b"from outside").await;
    vet.tell("nonsense", 1, b"about nothing").await;
    vet.tell(&name(MIA), 2, &[0; (16 << 10) + 1]).await;
    vet.tell(&name(MIA), 3, b"a cursor").await;
    tech.until("it is told", |tech| !tech.told.is_empty()).await;
    assert_eq!(tech.told, [("guest".to_owned(), name(MIA), b"a cursor".to_vec())]);
    tech.tell(&name(MIA), 1, b"another").await;
    vet.until("it is told", |vet| !vet.told.is_empty()).await;
    assert_eq!(vet.told[0].2, b"another");
    // Everything that was sent to these two came before this.
    for guest in [&mut desk, &mut owner] {
        vet.tell(&name(REX), 4, b"not open here").await;
        guest.open(practice.clinic.profile()).await;
        assert_eq!(guest.told, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_nodes_words_arrive() {
    let practice = Practice::with_records(Engine::Postgres).await;
    let second = Practice::second_node(&practice).await;
    let mut vet = vet_with_a_visit(&practice).await;
    let mut guest = Guest::of(&second, "vet").await;
    guest.open(VISIT).await;
    write(&mut vet, Section::History, "Written there.");
    vet.settled().await;
    guest
        .until("the words are here", |guest| {
            guest.text(VISIT, "history") == "Written there."
        })
        .await;
    guest.type_in(VISIT, "plan", "Written here.");
    guest.settled(VISIT).await;
    vet.until("the words are there", |vet| {
        vet.document(VISIT).text("plan") == "Written here."
    })
    .await;
}

#[tokio::test]
async fn somebody_elses_writer_is_refused() {
    let practice = Practice::with_records(Engine::Sqlite).await;
    let mut vet = vet_with_a_visit(&practice).await;
    write(&mut vet, Section::History, "Mine.");
    vet.settled().await;
    let mut guest = Guest::of(&practice, "vet").await;
    guest.open(VISIT).await;
    let actor = vet.actor.clone();
    guest
        .documents
        .get_mut(&VISIT.into())
        .expect("open")
        .document
        .set_actor(actor);
    guest.type_in(VISIT, "history", "Forged.");
    guest.say(VISIT).await;
    guest
        .until("it is told so", |guest| !guest.notices.is_empty())
        .await;
    assert_eq!(guest.notices[0].refused[0].0, "foreign_actor");
}

#[tokio::test]
async fn a_damaged_document_is_not_to_be_had() {
    let practice = Practice::with_records(Engine::Sqlite).await;
    let Database::Sqlite(folder) = &practice.database else {
        panic!("a file");
    };
    let mut guest = Guest::of(&practice, "desk").await;
    let damaged = rusqlite::Connection::open(folder.path().join("clinic.db"))
        .expect("opens")
        .execute(
            "update documents set bytes = zeroblob(length(bytes)) where id = ?",
            [REX.0.as_bytes().as_slice()],
        )
        .expect("written");
    assert_eq!(damaged, 1);
    guest.request(REX).await;
    guest
        .until("it is not to be had", |guest| guest.unavailable == [name(REX)])
        .await;
    guest.open(MIA).await;
}

#[tokio::test]
async fn tickets_that_open_nothing() {
    let practice = Practice::with_records(Engine::Sqlite).await;
    let elsewhere = Practice::open(Engine::Sqlite).await;
    let vet = practice.device("vet").await;
    let path = |answer: &crate::http::Response| answer.json()["path"].as_str().expect("a path").to_owned();
    let good = path(&ticket(practice.address, &vet.token).await);
    let foreign = path(&ticket(elsewhere.address, &elsewhere.device("vet").await.token).await);
    let mut forged = good.clone();
    let at = forged.len() - 60;
    forged.replace_range(at..=at, if &forged[at..=at] == "A" { "B" } else { "A" });
    let base = good.split_once('?').expect("a query").0;
    for (what, path) in [
        ("none", base.to_owned()),
        ("an empty one", format!("{base}?ticket=")),
        ("an access token", format!("{base}?ticket={}", vet.token)),
        ("another server's", foreign),
        ("a forged one", forged),
        ("a long one", format!("{base}?ticket={}", "A".repeat(4_000))),
    ] {
        let mut guest = Guest::silent(practice.address, path).await;
        let error = guest.error().await;
        assert!(error.contains("ticket"), "{what}: {error}");
    }
    // And a ticket is no access token.
    let sealed = good.split_once("ticket=").expect("a ticket").1;
    assert_eq!(ticket(practice.address, sealed).await.status, 401);
    assert_eq!(ticket(practice.address, "").await.status, 401);
    let mut device = practice.device("vet").await;
    device.token = sealed.to_owned();
    device.dial().await;
    device.send(&ClientMessage::Hello(device.hello())).await;
    assert_eq!(device.goodbye().await, Goodbye::SignIn);
    // Who reads no documents gets none.
    let system = practice.device("system").await;
    assert_eq!(ticket(practice.address, &system.token).await.status, 403);
    // Nothing that is answered is kept by anybody between.
    let answer = ticket(practice.address, &vet.token).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    Guest::at(practice.address, good.clone()).await;
    Guest::at(practice.address, good).await;
}

#[tokio::test]
async fn a_ticket_ends() {
    let now = Arc::new(AtomicI64::new(1_800_000_000_000));
    let clock = Arc::clone(&now);
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.clock = Clock::of(move || Timestamp(clock.load(Ordering::Relaxed)));
    })
    .await;
    let day = i64::try_from(practice.settings.ticket_life.as_millis()).expect("hours");
    let mut guest = Guest::of(&practice, "vet").await;
    // It came in the evening before: the connection lasts as long as the ticket, and no reconnection lasts longer.
    now.fetch_add(day - 50, Ordering::Relaxed);
    guest.reconnect().await;
    assert!(guest.error().await.contains("ticket"));
    now.fetch_add(50, Ordering::Relaxed);
    let mut again = Guest::silent(practice.address, guest.path.clone()).await;
    assert!(again.error().await.contains("ticket"));
}

#[tokio::test]
async fn signing_out_ends_it() {
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.ticket_checked_every = Duration::from_millis(50);
    })
    .await;
    let device = fresh_id(DeviceId);
    let signed_in = practice.sign_in("vet", PASSWORD, device).await.json();
    let answer = ticket(
        practice.address,
        signed_in["access_token"].as_str().expect("a token"),
    )
    .await;
    let path = answer.json()["path"].as_str().expect("a path").to_owned();
    let mut guest = Guest::at(practice.address, path.clone()).await;
    let body = json!({ "refresh_token": signed_in["refresh_token"], "device": device });
    let out = crate::http::post(practice.address, "/api/v1/sign-out", &body).await;
    assert_eq!(out.status, 204);
    assert!(guest.error().await.contains("ticket"));
    let mut again = Guest::silent(practice.address, path).await;
    assert!(again.error().await.contains("ticket"));
}

#[tokio::test]
async fn joins_that_are_none() {
    let practice = Practice::with_records(Engine::Sqlite).await;
    let path = Guest::of(&practice, "vet").await.path;
    let check = async |frame: Message, expected: &str| {
        let mut guest = Guest::silent(practice.address, path.clone()).await;
        guest.send_raw(frame.clone()).await;
        let error = guest.error().await;
        assert!(error.contains(expected), "{frame:?}: {error}");
    };
    let join = |versions: &'static [&'static str]| {
        let write = |e: &mut Encoder<Vec<u8>>| -> Written {
            e.map(3)?
                .str("type")?
                .str("join")?
                .str("senderId")?
                .str("guest")?;
            e.str("supportedProtocolVersions")?.array(versions.len() as u64)?;
            versions.iter().try_for_each(|version| e.str(version)?.ok())
        };
        Message::binary(cbor(write))
    };
    check(join(&["2"]), "version 1").await;
    check(join(&[]), "version 1").await;
    check(
        Message::binary(cbor(|e| e.map(1)?.str("type")?.str("leave")?.ok())),
        "join",
    )
    .await;
    check(Message::binary(vec![0xff, 0]), "understood").await;
    check(Message::text("{\"type\":\"join\"}"), "binary").await;
}

#[tokio::test]
async fn frames_that_are_no_message() {
    let practice = Practice::with_records(Engine::Sqlite).await;
    let path = Guest::of(&practice, "vet").await.path;
    let check = async |what: &str, frame: Message, expected: &str| {
        let mut guest = Guest::at(practice.address, path.clone()).await;
        guest.send_raw(frame).await;
        let error = guest.error().await;
        assert!(error.contains(expected), "{what}: {error}");
    };
    let sync = |data: &[u8]| {
        Message::binary(cbor(|e| {
            e.map(4)?
                .str("type")?
                .str("sync")?
                .str("senderId")?
                .str("guest")?;
            e.str("documentId")?.str(&name(REX))?;
            e.str("data")?.bytes(data)?.ok()
        }))
    };
    check("not CBOR", Message::binary(vec![0xff; 20]), "understood").await;
    check("text", Message::text("hello"), "binary").await;
    check("empty", Message::binary(Vec::new()), "understood").await;
    check("oversized", Message::binary(vec![0; (4 << 20) + 1]), "bytes").await;
    check("far oversized", Message::binary(vec![0; 5 << 20]), "bytes").await;
    check(
        "a second join",
        Message::binary(cbor(|e| {
            e.map(2)?
                .str("type")?
                .str("join")?
                .str("senderId")?
                .str("guest")?
                .ok()
        })),
        "join",
    )
    .await;
    check("no sync message", sync(b"nonsense"), "sync message").await;
    check("an empty sync message", sync(b""), "sync message").await;
    // A whole document in place of changes, a Bloom filter that divides by zero, one that asks four billion times.
    check("a document", sync(&[0x43, 0, 0, 0, 0]), "sync message").await;
    check(
        "a filter of nothing",
        sync(&[0x42, 0, 0, 1, 0, 3, 1, 0, 7, 0]),
        "sync message",
    )
    .await;
    let endless = [
        0x42, 0, 0, 1, 0, 9, 1, 10, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0,
    ];
    check("a filter for ever", sync(&endless), "sync message").await;
    // What concerns nobody here is passed over, and changes that cannot be read are refused by name.
    let mut guest = Guest::at(practice.address, path.clone()).await;
    guest
        .send(cbor(|e| {
            e.map(1)?.str("type")?.str("remote-subscription-change")?.ok()
        }))
        .await;
    guest.open(REX).await;
    for chunk in [
        &b""[..],
        b"no change",
        &[0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1, 200],
    ] {
        let told = guest.notices.len();
        let hash = guest.document(REX).get_heads()[0];
        let mut message = vec![0x42, 1];
        message.extend(hash.0);
        message.extend([0, 0, 1, chunk.len() as u8]);
        message.extend(chunk);
        guest.send_sync("sync", &name(REX), &message).await;
        guest
            .until("it is told so", |guest| guest.notices.len() > told)
            .await;
        assert_eq!(guest.notices[told].refused[0].0, "undecodable");
    }
    guest.open(MIA).await;
}

#[tokio::test]
async fn a_client_that_asks_for_too_much() {
    let practice = Practice::with_records(Engine::Sqlite).await;
    let mut greedy = Guest::of(&practice, "vet").await;
    for number in 0..501 {
        greedy.request(DocumentId(Uuid::from_u128(number))).await;
    }
    assert!(greedy.error().await.contains("500 documents"));
    let mut many = Vec::new();
    for _ in 0..16 {
        many.push(Guest::at(practice.address, greedy.path.clone()).await);
    }
    let mut one_more = Guest::silent(practice.address, greedy.path.clone()).await;
    assert!(one_more.error().await.contains("connections"));
    // Another person of the practice is not concerned.
    Guest::of(&practice, "desk").await.open(REX).await;
}

#[tokio::test]
async fn the_quota_of_a_person_is_one_for_all_their_devices() {
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.quotas.staff.changes = Limit {
            at_once: 40,
            per_minute: 60,
        };
    })
    .await;
    practice.enter_records().await;
    vet_with_a_visit(&practice).await;
    let mut guest = Guest::of(&practice, "vet").await;
    guest.open(VISIT).await;
    for _ in 0..60 {
        guest.type_in(VISIT, "history", "a ");
    }
    guest.settled(VISIT).await;
    // What was sent is taken; what comes next comes too early, over whatever connection.
    let mut again = Guest::of(&practice, "vet").await;
    again.request(VISIT).await;
    assert!(matches!(again.hear().await, Said::Closed));
    let mut tech = Guest::of(&practice, "tech").await;
    tech.open(VISIT).await;
    assert_eq!(tech.text(VISIT, "history"), "a ".repeat(60));
}

#[tokio::test]
async fn a_silent_client_is_let_go_and_one_that_answers_stays() {
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.silence = Duration::from_millis(400);
    })
    .await;
    practice.enter_records().await;
    let mut silent = Guest::of(&practice, "vet").await;
    let mut listening = Guest::of(&practice, "vet").await;
    // Who listens answers the server's pings without knowing; the other one's socket is not looked at meanwhile.
    let heard = tokio::time::timeout(Duration::from_millis(1_300), listening.hear()).await;
    assert!(heard.is_err(), "{heard:?}");
    listening.open(REX).await;
    assert!(matches!(silent.hear().await, Said::Closed));
}
