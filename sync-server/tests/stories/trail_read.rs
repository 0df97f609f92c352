//! Reading the trail: page by page, by what is looked for, as a table, and what stood before and after.

use crate::database::Engine;
use crate::morning::on_both;
use crate::person::Person;
use crate::practice::{PASSWORD, Practice, REX, fresh_id};
use crate::trail::{busy_practice, is_whole, read, until_noted};
use serde_json::{Value, json};
use shared_model::commands::EditPatient;
use shared_model::documents::Kind;
use shared_model::ids::{ClinicId, DeviceId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use shared_model::trail::{FieldChange, FieldValue, Happening, TrailChanges, TrailEntry, TrailPage};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use sync_server::storage::trail::{Told, TrailQuery};
use sync_server::{Clock, HeavyWork, compact_history};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

on_both! {
    administrators_read_it_with_filters_and_nobody_else
    who_takes_the_trail_along_stands_in_it
    an_edit_does_not_pass_for_something_that_happened
    its_lines_name_people_devices_and_records_as_they_are_called_now
    what_goes_on_after_midnight_is_found_from_then_on
    compaction_between_two_pages_tells_nothing_twice
    an_export_breaks_off_when_its_reader_may_no_longer_read
    what_stood_before_and_after_is_told_compacted_or_not
    a_long_trail_is_told_page_by_page
}

async fn administrators_read_it_with_filters_and_nobody_else(engine: Engine) {
    let practice = busy_practice(engine).await;
    let admin = practice.device("admin").await;
    for person in ["desk", "vet", "tech", "owner", "system"] {
        let other = practice.device(person).await;
        for path in ["/api/v1/audit", "/api/v1/audit.csv"] {
            let answer = read(&practice, &other.token, path).await;
            assert_eq!(answer.status, 403, "{person}");
            assert_eq!(answer.json()["code"], "not_permitted");
        }
    }
    let asked = async |query: &str| -> Value {
        let answer = read(&practice, &admin.token, &format!("/api/v1/audit?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {:?}", answer.body);
        answer.json()
    };
    let entries = |page: &Value| page["entries"].as_array().expect("a list").clone();
    let all = entries(&asked("limit=100").await);
    assert!(all.len() > 10, "{}", all.len());

    // Page by page it is the same list.
    let (mut paged, mut query) = (Vec::new(), "limit=3".to_owned());
    loop {
        let page = asked(&query).await;
        paged.extend(entries(&page));
        match page["next"].as_str() {
            Some(next) => query = format!("limit=3&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);

    let check = async |query: String, wanted: &dyn Fn(&Value) -> bool| {
        let expected: Vec<Value> = all.iter().filter(|entry| wanted(entry)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{query}");
        assert_eq!(
            entries(&asked(&format!("limit=100&{query}")).await),
            expected,
            "{query}"
        );
    };
    let edit = all
        .iter()
        .find(|entry| entry["verb"] == "edit_patient")
        .expect("an edit");
    for field in ["person", "device", "document", "verb"] {
        let value = edit[field].as_str().expect("a text");
        check(format!("{field}={value}"), &|entry| entry[field] == edit[field]).await;
    }
    let several = ["work_refused", "record_read"];
    check(format!("happening={}", several.join(",")), &|entry| {
        several.iter().any(|word| entry["verb"] == *word)
    })
    .await;
    check("verb=edit_patient&happening=work_refused".to_owned(), &|entry| {
        entry["verb"] == "edit_patient" || entry["verb"] == "work_refused"
    })
    .await;
    let middle = all[all.len() / 2]["at"].as_i64().expect("a moment");
    check(format!("from={middle}"), &|entry| {
        entry["at"].as_i64() >= Some(middle)
    })
    .await;
    check(format!("to={middle}"), &|entry| {
        entry["at"].as_i64() < Some(middle)
    })
    .await;
    for odd in ["cursor=x", "person=me", "from=yesterday"] {
        let answer = read(&practice, &admin.token, &format!("/api/v1/audit?{odd}")).await;
        assert_eq!(answer.status, 400, "{odd}");
        assert_eq!(answer.json()["code"], "bad_request");
    }

    let csv = read(&practice, &admin.token, "/api/v1/audit.csv?verb=edit_patient").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = std::str::from_utf8(&csv.body).expect("text").lines().collect();
    assert!(lines[0].starts_with("at,last_at,changes,person"));
    assert_eq!(lines.len(), 1 + 3, "three edits");
    assert!(lines[1].contains("\"edit_patient\""), "{}", lines[1]);

    // Another clinic's administrator finds nothing of it.
    crate::practice::found_clinic(&practice.storage, fresh_id(ClinicId), "other-").await;
    let other = practice.device("other-admin").await;
    let theirs = read(&practice, &other.token, "/api/v1/audit").await.json();
    assert_eq!(entries(&theirs).len(), 1, "their own sign-in: {theirs}");
}

async fn who_takes_the_trail_along_stands_in_it(engine: Engine) {
    let practice = busy_practice(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let exported = async || {
        let query = TrailQuery {
            happenings: vec!["trail_exported".to_owned()],
            account: Some(admin.account()),
            ..TrailQuery::default()
        };
        let told = practice.storage.trail(practice.clinic, query, 100).await;
        told.expect("read").told.len()
    };
    // The page on the screen asks every minute.
    let page: TrailPage = admin.get("/audit").await;
    assert!(!page.entries.is_empty());
    let _: TrailPage = admin.get("/audit?limit=100").await;
    assert_eq!(exported().await, 0);
    assert_eq!(admin.try_get("/audit.csv?verb=edit_patient").await.status, 200);
    assert_eq!(exported().await, 1);
    let _: TrailPage = admin.get("/audit?limit=101").await;
    assert_eq!(exported().await, 2);
    let last = &page.entries[page.entries.len() - 1].id;
    let _: TrailPage = admin.get(&format!("/audit?limit=1000&cursor={last}")).await;
    assert_eq!(exported().await, 3, "whoever begins with a short page too");
    let desk = Person::of(&practice, "desk", PASSWORD).await;
    assert_eq!(desk.try_get("/audit.csv").await.status, 403);
    assert_eq!(exported().await, 3);
    is_whole(&practice).await;
}

async fn an_edit_does_not_pass_for_something_that_happened(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    let change = vet.write_as("record_read", Kind::Patient, REX.into(), "name", "Rexie");
    vet.outbox.push((Kind::Patient, REX.into(), change));
    vet.settled().await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let asked = async |query: &str| -> Vec<TrailEntry> {
        let page: TrailPage = admin.get(&format!("/audit?{query}")).await;
        page.entries
    };
    let edits = asked("verb=record_read").await;
    let [edit] = edits.as_slice() else {
        panic!("one edit: {edits:?}")
    };
    assert!(!edit.is_happening && edit.happening().is_none() && edit.change_verb().is_none());
    assert_eq!(asked("happening=record_read").await, []);
    let answer = read(
        &practice,
        &admin.signed_in.access_token,
        &format!("/api/v1/documents/{REX}"),
    )
    .await;
    assert_eq!(answer.status, 200);
    let read = asked("happening=record_read").await;
    assert!(
        read.len() == 1 && read[0].is_happening && read[0].happening().is_some(),
        "{read:?}"
    );
    assert_eq!(asked("verb=record_read").await.len(), 1);
    let csv = admin
        .try_get("/audit.csv?verb=record_read&happening=record_read")
        .await;
    let table = std::str::from_utf8(&csv.body).expect("text");
    assert!(
        table.contains("\"false\",\"record_read\"") && table.contains("\"true\",\"record_read\""),
        "{table}"
    );
}

async fn its_lines_name_people_devices_and_records_as_they_are_called_now(engine: Engine) {
    let practice = busy_practice(engine).await;
    let desk = Person::of(&practice, "desk", PASSWORD).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let account = desk.account();
    assert_eq!(admin.change_roles(account, &[Role::Viewer]).await.status, 204);
    let path = format!("/staff/{account}/devices/{}/lost", desk.device);
    assert_eq!(admin.tell(&path).await.status, 204);
    let stranger = fresh_id(DeviceId);
    assert_eq!(practice.sign_in("vet", "wrong horse", stranger).await.status, 401);
    until_noted(&practice, "sign_in_refused", 1).await;
    let lines = async |query: &str| -> Vec<TrailEntry> {
        let page: TrailPage = admin.get(&format!("/audit?{query}")).await;
        page.entries
    };
    let latest = async |word: &str| {
        let found = lines(&format!("verb={word}&happening={word}")).await;
        found.into_iter().next().unwrap_or_else(|| panic!("no {word}"))
    };

    let edit = latest("edit_patient").await;
    assert_eq!(edit.kind, Some(Kind::Patient));
    let name = edit.person_name.expect("somebody of the clinic");
    assert!(!name.is_empty() && edit.device_name.is_some(), "{name}");
    assert_eq!(edit.detail, None, "a change of a record says no more");

    let changed = latest("roles_changed").await;
    let detail = changed.detail.expect("whose they are");
    assert_eq!(detail.of, Some(account));
    assert_eq!(detail.roles, Some(vec!["viewer".to_owned()]));
    assert_eq!(changed.of_name.as_deref(), Some(name.as_str()));
    let lost = latest("device_lost").await;
    assert_eq!(lost.of_name.as_deref(), Some(name.as_str()));
    assert!(lost.of_device_name.is_some());

    // Nobody has signed in there: it has no name, and is told apart from one that somebody gave none.
    let refused = latest("sign_in_refused").await;
    assert_eq!(refused.device, Some(stranger));
    assert_eq!(refused.device_name, None);
    assert!(refused.person_name.is_some_and(|name| !name.is_empty()));

    let renamed = admin.patch("/me", json!({ "full_name": "Eva of the Northgate" }));
    assert_eq!(renamed.await.status, 200);
    let now = latest("roles_changed").await.person_name;
    assert_eq!(now.as_deref(), Some("Eva of the Northgate"));

    // Every word of a detail is told, of each line as it is stored.
    let mut told: BTreeMap<String, Value> = BTreeMap::new();
    for entry in lines("limit=100").await {
        if let Some(detail) = &entry.detail {
            told.insert(entry.id, json!(detail));
        }
    }
    let stored = practice.storage.trail_events(practice.clinic, 0, 1_000).await;
    let stored = stored.expect("read").into_iter().map(|stored| {
        let id = format!("{}.event.{}.0", stored.event.at.0, stored.number);
        let detail: Value = serde_json::from_str(&stored.event.detail).expect("JSON");
        (id, detail)
    });
    assert_eq!(told, stored.collect());

    let csv = admin.try_get("/audit.csv?verb=edit_patient").await;
    let table = std::str::from_utf8(&csv.body).expect("text");
    assert!(
        table.contains(&format!("\"{name}\"")) && table.contains("\"patient\""),
        "{table}"
    );
}

const MIDNIGHT: i64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;

/// Somebody edits a record ten minutes before midnight, at midnight, and ten minutes after it, which it is now.
async fn edits_around_midnight(engine: Engine) -> Practice {
    let now = Arc::new(AtomicI64::new(MIDNIGHT - 60 * MINUTE));
    let clock = Arc::clone(&now);
    let practice = Practice::open_with(engine, |settings| {
        settings.clock = Clock::of(move || Timestamp(clock.load(Ordering::Relaxed)));
    })
    .await;
    practice.enter_records().await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    for (minute, name) in [(-10, "Rexie"), (0, "Rexo"), (10, "Rex")] {
        now.store(MIDNIGHT + minute * MINUTE, Ordering::Relaxed);
        desk.run(EditPatient {
            name: Some(name.to_owned()),
            ..EditPatient::of(REX)
        });
        desk.settled().await;
    }
    practice
}

async fn compact(practice: &Practice) {
    let until = practice.settings.clock.now();
    let compacted = compact_history(&practice.storage, until, HeavyWork::OnThreads).await;
    assert!(compacted.expect("compacted").changes > 0);
}

/// A run that compaction made begins on one day and ends on the next.
async fn what_goes_on_after_midnight_is_found_from_then_on(engine: Engine) {
    let practice = edits_around_midnight(engine).await;
    compact(&practice).await;
    let found = async |from: Option<i64>, to: Option<i64>| {
        let query = TrailQuery {
            verbs: vec!["edit_patient".to_owned()],
            from: from.map(|minute| Timestamp(MIDNIGHT + minute * MINUTE)),
            to: to.map(|minute| Timestamp(MIDNIGHT + minute * MINUTE)),
            ..TrailQuery::default()
        };
        let told = practice.storage.trail(practice.clinic, query, 100).await;
        let minutes = |at: Timestamp| (at.0 - MIDNIGHT) / MINUTE;
        let run = |told: Told| match told {
            Told::Written(run) => (minutes(run.at), run.last_at.map(minutes), run.changes),
            Told::Happened(..) => panic!("an edit is written"),
        };
        told.expect("read").told.into_iter().map(run).collect::<Vec<_>>()
    };
    let run = [(-10, Some(10), Some(3))];
    assert_eq!(found(None, None).await, run);
    assert_eq!(found(Some(0), None).await, run, "two of them are of this day");
    assert_eq!(found(Some(10), None).await, run);
    assert_eq!(found(Some(11), None).await, []);
    assert_eq!(found(None, Some(0)).await, run, "one is of the day before");
    assert_eq!(found(Some(-20), Some(-10)).await, []);

    // The longest that there can be: two hundred changes, each less than an hour after the one before.
    let minutes = 199 * 60;
    practice
        .database
        .run(&format!(
            "insert into audit (clinic, number, position, account, device, document, verb, at, last_at, changes)
             select clinic, 999999, 0, account, device, document, verb, {MIDNIGHT} + {} * {MINUTE},
                 {MIDNIGHT} + {} * {MINUTE}, 200
             from audit where verb = 'edit_patient'",
            20,
            20 + minutes
        ))
        .await;
    let long = [(20, Some(20 + minutes), Some(200))];
    assert_eq!(
        found(Some(20 + minutes), None).await,
        long,
        "until its last moment"
    );
    assert_eq!(found(Some(21 + minutes), None).await, []);
}

/// Of three edits two have been told when compaction makes one run of them.
async fn compaction_between_two_pages_tells_nothing_twice(engine: Engine) {
    let practice = edits_around_midnight(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let page = async |query: &str| -> TrailPage { admin.get(&format!("/audit?{query}")).await };
    let told = |page: &TrailPage| -> Vec<(i64, Option<i64>, Option<u32>)> {
        let minute = |at: Timestamp| (at.0 - MIDNIGHT) / MINUTE;
        let entries = page.entries.iter();
        entries
            .map(|entry| (minute(entry.at), entry.last_at.map(minute), entry.changes))
            .collect()
    };
    let edits = "verb=edit_patient&limit=2";
    let first = page(edits).await;
    assert_eq!(told(&first), [(10, None, None), (0, None, None)]);
    compact(&practice).await;
    let second = page(&format!("{edits}&cursor={}", first.next.expect("one more"))).await;
    assert_eq!(told(&second), [(-10, Some(0), None)], "the rest of it");
    assert_eq!((second.entries[0].change.as_ref(), second.next), (None, None));

    // A run that was one from the first page on is told in whole, wherever pages end.
    let all = "verb=edit_patient&happening=signed_in&limit=1";
    let first = page(all).await;
    assert_eq!(told(&first), [(10, None, None)], "who reads came in");
    let second = page(&format!("{all}&cursor={}", first.next.expect("more"))).await;
    assert_eq!(told(&second), [(-10, Some(10), Some(3))]);
    assert!(second.entries[0].change.is_some());
}

/// Somebody who takes their time over a long one is no administrator any more.
/// So many events of a kind, all of them at one moment: the worst for whoever goes on behind a page.
async fn many_at_once(practice: &Practice, count: usize, what: &str) {
    practice
        .database
        .run(&format!(
            "insert into events (clinic, number, at, what, detail, link)
             with recursive ones (one) as (select 1 union all select one + 1 from ones where one < {count})
             select clinic, number + one + 1000, at, '{what}', detail, link from ones, events where number = 1"
        ))
        .await;
}

async fn an_export_breaks_off_when_its_reader_may_no_longer_read(engine: Engine) {
    const LINES: usize = 20_000;
    let practice = Practice::open(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    let both = [Role::Veterinarian, Role::ClinicAdministrator];
    assert_eq!(admin.change_roles(vet.account(), &both).await.status, 204);
    // More than lies on the way between two ends of a connection.
    let word = "x".repeat(1_000);
    many_at_once(&practice, LINES, &word).await;
    let lines = |text: &[u8]| {
        text.split(|byte| *byte == b'\n')
            .filter(|line| line.len() > word.len())
            .count()
    };
    let is_whole = |text: &[u8]| text.ends_with(b"\r\n0\r\n\r\n");

    let mut slow = Download::begin(&admin, &format!("/audit.csv?happening={word}")).await;
    slow.read_on(10_000).await;
    assert_eq!(
        vet.change_roles(admin.account(), &[Role::Viewer]).await.status,
        204
    );
    slow.read_on(usize::MAX).await;
    let seen = lines(&slow.read);
    assert!(
        (1..LINES).contains(&seen) && !is_whole(&slow.read),
        "{seen} lines"
    );

    let mut slow = Download::begin(&vet, &format!("/audit.csv?happening={word}")).await;
    slow.read_on(10_000).await;
    slow.read_on(usize::MAX).await;
    assert_eq!(lines(&slow.read), LINES);
    assert!(is_whole(&slow.read), "who still may gets all of it");
}

/// An answer as it comes over the wire, no faster than it is read.
struct Download {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Download {
    async fn begin(person: &Person, path: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(64 << 10).expect("set");
        let mut stream = socket.connect(person.server).await.expect("connected");
        let request = format!(
            "GET /api/v1{path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            person.server, person.signed_in.access_token
        );
        stream.write_all(request.as_bytes()).await.expect("asked");
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Until so much has come in all, or the connection ends.
    async fn read_on(&mut self, until: usize) {
        while self.read.len() < until {
            match self.stream.read_buf(&mut self.read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}

async fn what_stood_before_and_after_is_told_compacted_or_not(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    for name in ["Rexie", "Rexo"] {
        desk.run(EditPatient {
            name: Some(name.to_owned()),
            ..EditPatient::of(REX)
        });
        desk.settled().await;
    }
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let lines = async |verb: &str| -> Vec<String> {
        let page: TrailPage = admin.get(&format!("/audit?verb={verb}&happening={verb}")).await;
        page.entries.into_iter().map(|entry| entry.id).collect()
    };
    let path = |lines: &[String]| format!("/audit/changes?lines={}", lines.join(","));
    let told = async |lines: &[String]| -> TrailChanges { admin.get(&path(lines)).await };
    let name = |before: &str, after: &str| {
        [FieldChange {
            field: "name".to_owned(),
            before: Some(FieldValue::Text(before.to_owned())),
            after: Some(FieldValue::Text(after.to_owned())),
        }]
    };

    let edits = lines("edit_patient").await;
    assert_eq!(edits.len(), 2);
    assert_eq!(told(&edits[..1]).await.fields, name("Rexie", "Rexo"));
    assert_eq!(told(&edits[1..]).await.fields, name("Rex", "Rexie"));
    let twice = told(&[edits[0].clone(), edits[0].clone()]).await;
    assert_eq!(
        (twice.changes, twice.fields.as_slice()),
        (1, name("Rexie", "Rexo").as_slice())
    );
    let both = told(&edits).await;
    assert_eq!(
        (both.changes, both.fields.as_slice()),
        (2, name("Rex", "Rexo").as_slice())
    );
    let registered = lines("register_patient").await;
    assert_eq!(registered.len(), 2);
    let fields = told(&registered[..1]).await.fields;
    assert!(fields.iter().all(|field| field.before.is_none()), "{fields:?}");
    assert!(fields.iter().any(|field| field.field == "species"), "{fields:?}");

    compact_history(
        &practice.storage,
        practice.settings.clock.now(),
        HeavyWork::OnThreads,
    )
    .await
    .expect("compacted");
    let run = lines("edit_patient").await;
    assert_eq!(run.len(), 1);
    assert_eq!(told(&run).await, both, "it says the same as before");

    // That somebody looked is in the trail, and nobody else looks.
    let looked = lines("change_read").await;
    assert_eq!(looked.len(), 6);
    for (odd, status) in [
        (registered.clone(), 400),
        (looked[..1].to_vec(), 400),
        (vec!["5.row.17".to_owned()], 400),
        (vec!["5.row.99999.0".to_owned()], 404),
    ] {
        let answer = admin.try_get(&path(&odd)).await;
        assert_eq!(answer.status, status, "{odd:?}: {:?}", answer.body);
    }
    for person in ["desk", "vet", "owner", "system"] {
        let other = Person::of(&practice, person, PASSWORD).await;
        assert_eq!(other.try_get(&path(&run)).await.status, 403, "{person}");
    }
    crate::practice::found_clinic(&practice.storage, fresh_id(ClinicId), "other-").await;
    let other = Person::of(&practice, "other-admin", PASSWORD).await;
    assert_eq!(other.try_get(&path(&run)).await.status, 404);
    is_whole(&practice).await;
}

/// As many lines as a busy clinic has in a month.
async fn a_long_trail_is_told_page_by_page(engine: Engine) {
    const LINES: usize = 20_000;
    let practice = Practice::open(engine).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    many_at_once(&practice, LINES, Happening::RecordRead.word()).await;
    let (mut seen, mut query) = (BTreeSet::new(), "happening=record_read&limit=1000".to_owned());
    loop {
        let page: TrailPage = admin.get(&format!("/audit?{query}")).await;
        assert!(page.entries.len() <= 1_000);
        seen.extend(page.entries.into_iter().map(|entry| entry.id));
        match page.next {
            Some(next) => query = format!("happening=record_read&limit=1000&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), LINES, "each once");
    let csv = admin.try_get("/audit.csv?happening=record_read").await;
    assert_eq!(csv.body.split(|byte| *byte == b'\n').count(), LINES + 2);
}
