//! Somebody who can write into the database, and has not its master key, at the trail: whatever they do is found, by the command
//! that is there for it, and neither the server's work nor its housekeeping makes it valid.

use crate::at_rest::open;
use crate::database::{Database, Engine, MASTER_KEY, connect_to};
use crate::device::Device;
use crate::morning::on_both;
use crate::person::Person;
use crate::practice::{PASSWORD, Practice, REX, found_clinic, fresh_id};
use crate::trail::{A_ROW, busy_practice, verify_by_command, verify_with};
use automerge::transaction::Transactable;
use automerge::{Automerge, ROOT};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use shared_model::commands::EditPatient;
use shared_model::ids::{ClinicId, DeviceId, DocumentId};
use sqlx::Row;
use sync_server::at_rest::{MasterKey, MasterKeys};
use sync_server::storage::trail::{Event, Run};
use sync_server::trail::{Verdict, verify_roll, verify_trail};
use sync_server::{Compacted, HeavyWork, compact_history};
use uuid::Uuid;

on_both! {
    what_somebody_altered_is_not_made_valid_by_compaction
    a_trail_that_was_begun_anew_is_found
    a_clinic_that_is_gone_is_missed
    what_was_written_is_held_against_the_trail
    a_record_that_was_put_back_to_what_it_was_is_found
    events_that_were_put_back_to_what_they_were_are_found
    another_master_key_keeps_it_whole
    who_has_the_master_key_too_does_not_get_past_what_was_noted
    a_database_of_before_says_what_of_it_is_older
    a_server_of_before_that_still_runs_writes_nothing_without_seals
}

const TABLES: [&str; 10] = [
    "audit",
    "changes",
    "events",
    "event_ends",
    "clinics",
    "compaction",
    "documents",
    "feed",
    "clinic_roll",
    "clinic_keys",
];

/// A copy of all that they could get at.
async fn keep(practice: &Practice) {
    let copies = TABLES.map(|table| {
        format!("drop table if exists kept_{table}; create table kept_{table} as select * from {table};")
    });
    practice.database.run(&copies.concat()).await;
}

async fn put_back(practice: &Practice, tables: &[&str]) {
    let statements: Vec<String> = tables
        .iter()
        .map(|table| format!("delete from {table}; insert into {table} select * from kept_{table};"))
        .collect();
    practice
        .database
        .run(&format!("begin; {} commit;", statements.concat()))
        .await;
}

fn is_whole(practice: &Practice) {
    let (is_good, said) = verify_by_command(practice);
    assert!(is_good && said.contains("are whole"), "{said}");
}

/// What it says of it.
fn is_broken(practice: &Practice, what: &str) -> String {
    let (is_good, said) = verify_by_command(practice);
    assert!(!is_good && said.contains("BROKEN"), "{what}: {said}");
    said
}

async fn compact(practice: &Practice) -> Compacted {
    let until = practice.settings.clock.now();
    compact_history(&practice.storage, until, HeavyWork::OnThreads)
        .await
        .expect("compacted")
}

async fn rename(device: &mut Device, names: &[&str]) {
    for name in names {
        device.run(EditPatient {
            name: Some((*name).to_owned()),
            ..EditPatient::of(REX)
        });
        device.settled().await;
    }
}

/// Somebody signs in, and writes.
async fn work_goes_on(practice: &Practice) {
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    rename(&mut vet, &["Rexus", "Rex"]).await;
}

/// The changes of that row.
const ITS_CHANGES: &str = "number = (select min(number) + 2 from audit)";

async fn what_somebody_altered_is_not_made_valid_by_compaction(engine: Engine) {
    let practice = busy_practice(engine).await;
    keep(&practice).await;
    for tampering in [
        format!("update audit set account = device where {A_ROW}"),
        format!("update audit set verb = 'forged' where {A_ROW}"),
        format!("update audit set at = at - 60000 where {A_ROW}"),
        format!("delete from audit where {A_ROW}"),
        format!("delete from audit where {A_ROW}; delete from changes where {ITS_CHANGES}"),
        format!("delete from changes where {ITS_CHANGES}"),
        format!("update changes set accepted_at = 0 where {ITS_CHANGES}"),
        format!("update changes set account = device, signed = null where {ITS_CHANGES}"),
        format!(
            "update audit set account = device where {A_ROW};
             update changes set account = device, signed = null where {ITS_CHANGES}"
        ),
        "update audit set link = null; update clinics set rows_end = null, chained_after = head".to_owned(),
    ] {
        practice.database.run(&tampering).await;
        let compacted = compact(&practice).await;
        is_broken(&practice, &tampering);
        assert_eq!(
            compacted.changes, 0,
            "{tampering}: it is left for who looks into it"
        );
        put_back(&practice, &TABLES).await;
    }
    is_whole(&practice);
    assert!(compact(&practice).await.changes > 0);
    is_whole(&practice);
}

async fn a_trail_that_was_begun_anew_is_found(engine: Engine) {
    let practice = busy_practice(engine).await;
    for is_compacted in [false, true] {
        if is_compacted {
            assert!(compact(&practice).await.changes > 0);
        }
        work_goes_on(&practice).await;
        is_whole(&practice);
        keep(&practice).await;
        for tampering in [
            "delete from events; delete from event_ends",
            "delete from events; update event_ends set events = 0, events_end = null",
            "delete from audit; delete from changes; update clinics set rows_end = null",
            "delete from audit; delete from changes; delete from compaction; update clinics set rows_end = null",
            "update audit set link = null; update clinics set rows_end = null, chained_after = head",
            "update clinics set seal = null",
            "update compaction set seal = null",
            "update event_ends set seal = null",
            "update event_ends set seal = (select seal from clinics)",
        ] {
            practice.database.run(tampering).await;
            is_broken(&practice, tampering);
            work_goes_on(&practice).await;
            compact(&practice).await;
            is_broken(&practice, &format!("{tampering}, and work goes on"));
            put_back(&practice, &TABLES).await;
            is_whole(&practice);
        }
    }
    for tampering in [
        "delete from clinic_roll",
        "update clinic_roll set seal = null",
        "delete from compaction",
        "delete from clinic_keys",
        // As if there had never been seals: nobody makes them anew.
        "delete from clinic_roll; update clinics set seal = null; update compaction set seal = null;
         update event_ends set seal = null",
        "delete from clinic_roll; update clinics set seal = null; update compaction set seal = null;
         update event_ends set seal = null; delete from clinic_keys",
    ] {
        practice.database.run(tampering).await;
        is_broken(&practice, tampering);
        is_broken(&practice, tampering);
        put_back(&practice, &TABLES).await;
        is_whole(&practice);
    }
    practice.database.run(&without_seals(engine)).await;
    is_broken(&practice, "opened as one of before, without its key");
}

async fn a_clinic_that_is_gone_is_missed(engine: Engine) {
    let practice = busy_practice(engine).await;
    let other = fresh_id(ClinicId);
    found_clinic(&practice.storage, other, "other-").await;
    is_whole(&practice);
    keep(&practice).await;
    let of_it = |table: &str| match engine {
        Engine::Sqlite => format!("delete from {table} where clinic = x'{}';", other.0.simple()),
        Engine::Postgres => format!("delete from {table} where clinic = '{other}';"),
    };
    practice.database.run(&of_it("clinics")).await;
    let said = is_broken(&practice, "its row is gone");
    assert!(
        said.contains(&format!("{other}: BROKEN: the clinic is gone")),
        "{said}"
    );
    let everywhere = ["events", "event_ends", "compaction", "clinic_keys", "memberships"].map(of_it);
    practice.database.run(&everywhere.concat()).await;
    is_broken(&practice, "all of it is gone");
    // Who opens another meanwhile does not make up for it.
    found_clinic(&practice.storage, fresh_id(ClinicId), "third-").await;
    is_broken(&practice, "another was opened");
    put_back(&practice, &TABLES).await;
    practice
        .database
        .run("insert into clinics (clinic, name, created_at) select account, 'Elsewhere', 0 from accounts limit 1")
        .await;
    let said = is_broken(&practice, "nobody has opened it");
    assert!(said.contains("opened no such clinic"), "{said}");
}

async fn what_was_written_is_held_against_the_trail(engine: Engine) {
    let practice = busy_practice(engine).await;
    let last = "number = (select max(number) from changes)";
    let id = match engine {
        Engine::Sqlite => format!("x'{}'", REX.0.simple()),
        Engine::Postgres => format!("'{REX}'"),
    };
    keep(&practice).await;
    for tampering in [
        format!("update changes set signed = null, account = device where {last}"),
        format!("update changes set signed = null where {last}"),
        format!("update changes set seq = seq + 1 where {last}"),
        format!("update changes set actor = hash where {last}"),
        format!("update changes set accepted_at = accepted_at + 1 where {last}"),
        format!("delete from changes where {last}"),
        "delete from changes".to_owned(),
        format!(
            "insert into changes (clinic, number, position, document, hash, actor, seq, account, device, accepted_at, bytes)
             select clinic, number, position + 100, document, hash, actor, seq, account, device, accepted_at, bytes
             from changes where {last}"
        ),
        format!(
            "insert into changes (clinic, number, position, document, hash, actor, seq, account, device, accepted_at, bytes)
             select clinic, number + 100000, position, document, hash, actor, seq, account, device, accepted_at, bytes
             from changes where {last}"
        ),
        format!("delete from documents where id = {id}"),
        format!(
            "update changes set bytes = (select b.bytes from changes b where b.document = changes.document
             and b.number < changes.number order by b.number limit 1) where {last}"
        ),
        format!("update changes set bytes = hash where {last}"),
        // As it lay there before records were sealed, and such are read.
        format!(
            "update documents set bytes = {} where id = {id}",
            literal(engine, &with_one_more_change(&practice, REX.into()).await)
        ),
    ] {
        practice.database.run(&tampering).await;
        is_broken(&practice, &tampering);
        put_back(&practice, &TABLES).await;
        is_whole(&practice);
    }
}

/// A record with all that it should have, and somebody's change besides.
async fn with_one_more_change(practice: &Practice, id: DocumentId) -> Vec<u8> {
    let all = practice.storage.all_documents(practice.clinic, None, 1_000).await;
    let stored = all.expect("read").into_iter().find(|stored| stored.id == id);
    let bytes = stored.expect("it is there").bytes;
    let mut document = Automerge::load(&bytes).expect("a document");
    let mut tx = document.transaction();
    tx.put(ROOT, "name", "Forged").expect("it takes it");
    tx.commit();
    document.save()
}

async fn a_record_that_was_put_back_to_what_it_was_is_found(engine: Engine) {
    let practice = busy_practice(engine).await;
    keep(&practice).await;
    work_goes_on(&practice).await;
    practice
        .database
        .run("create table newer_documents as select * from documents")
        .await;
    put_back(&practice, &["documents"]).await;
    let said = is_broken(&practice, "single rows");
    assert!(said.contains(&format!("document {REX}")), "{said}");
    practice
        .database
        .run("delete from documents; insert into documents select * from newer_documents")
        .await;
    is_whole(&practice);
    assert!(compact(&practice).await.changes > 0);
    is_whole(&practice);
    put_back(&practice, &["documents"]).await;
    is_broken(&practice, "runs");
}

/// Whoever reads at night has a copy of how far the events had come, and its seal.
async fn events_that_were_put_back_to_what_they_were_are_found(engine: Engine) {
    let practice = busy_practice(engine).await;
    keep(&practice).await;
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    let path = format!("/documents/{REX}");
    assert_eq!(admin.try_get(&path).await.status, 200);
    work_goes_on(&practice).await;
    is_whole(&practice);
    put_back(&practice, &["events", "event_ends"]).await;
    is_broken(&practice, "the reads are gone");
    // Others come in, and there are as many as there were.
    for _ in 0..4 {
        assert_eq!(admin.try_get(&path).await.status, 200);
        work_goes_on(&practice).await;
    }
    is_broken(&practice, "and others in their place");
    compact(&practice).await;
    is_broken(&practice, "and compacted");
}

async fn another_master_key_keeps_it_whole(engine: Engine) {
    let practice = busy_practice(engine).await;
    let (former, fresh) = (MASTER_KEY.parse().expect("a key"), MasterKey::from_bytes([9; 32]));
    let rotating = open(&practice.database, MasterKeys::new(fresh.clone(), vec![former]))
        .await
        .expect("opens");
    assert!(rotating.wrap_keys_anew().await.expect("wrapped") > 0);
    drop(rotating);
    for _ in 0..2 {
        let storage = open(&practice.database, fresh.clone().into())
            .await
            .expect("opens");
        found_clinic(&storage, fresh_id(ClinicId), &fresh_id(DeviceId).to_string()).await;
        assert_eq!(verify_roll(storage.as_ref()).await.expect("read"), []);
        for clinic in storage.clinics().await.expect("read") {
            let verdict = verify_trail(storage.as_ref(), clinic, &[]).await.expect("walked");
            assert!(matches!(verdict, Verdict::Whole(_)), "{verdict:?}");
        }
    }
    let storage = open(&practice.database, fresh.into()).await.expect("opens");
    let event = Event {
        at: practice.settings.clock.now(),
        account: None,
        device: None,
        document: None,
        what: "signed_out".to_owned(),
        detail: "{}".to_owned(),
    };
    storage.note(practice.clinic, vec![event]).await.expect("noted");
    let until = practice.settings.clock.now();
    let compacted = compact_history(&storage, until, HeavyWork::OnThreads).await;
    assert!(compacted.expect("compacted").changes > 0);
    let verdict = verify_trail(storage.as_ref(), practice.clinic, &[])
        .await
        .expect("walked");
    assert!(matches!(verdict, Verdict::Whole(_)), "{verdict:?}");
}

async fn who_has_the_master_key_too_does_not_get_past_what_was_noted(engine: Engine) {
    let practice = busy_practice(engine).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ends.txt");
    let path = file.to_str().expect("text").to_owned();
    let note = || {
        let (is_good, said) = verify_by_command(&practice);
        assert!(is_good, "{said}");
        let before = std::fs::read_to_string(&file).unwrap_or_default();
        std::fs::write(&file, before + &said).expect("noted");
    };
    let verify = || verify_with(&practice, &["--noted", &path]);
    keep(&practice).await;
    work_goes_on(&practice).await;
    note();
    work_goes_on(&practice).await;
    note();
    let (is_good, said) = verify();
    assert!(is_good && said.contains("are whole"), "{said}");
    // Where the runs end now is where the rows ended when they were noted last; of those before, there is no link any more.
    compact(&practice).await;
    let (is_good, said) = verify();
    assert!(
        is_good && said.contains("in 1 noted ends the rows have become runs since"),
        "{said}"
    );
    note();
    work_goes_on(&practice).await;
    compact(&practice).await;
    let (is_good, said) = verify();
    assert!(is_good, "{said}");

    // All of it, ends and seals too, as it was: nothing in the database says otherwise.
    put_back(&practice, &TABLES).await;
    is_whole(&practice);
    let (is_good, said) = verify();
    assert!(!is_good && said.contains("was noted"), "{said}");
    work_goes_on(&practice).await;
    work_goes_on(&practice).await;
    work_goes_on(&practice).await;
    is_whole(&practice);
    let (is_good, said) = verify();
    assert!(!is_good && said.contains("was noted"), "{said}");

    std::fs::write(&file, "nothing\n").expect("written");
    assert!(!verify().0, "there is nothing to compare");
    let gone = format!(
        "{}: ends 0:{zero},0:{zero},0:{zero}\n",
        fresh_id(ClinicId),
        zero = "0".repeat(64)
    );
    std::fs::write(&file, gone).expect("written");
    let (is_good, said) = verify();
    assert!(!is_good && said.contains("the clinic is gone"), "{said}");
}

/// The tables as a build left them that did not seal, all but the server's key.
fn without_seals(engine: Engine) -> String {
    let forget = match engine {
        Engine::Sqlite => "pragma user_version = 12;",
        Engine::Postgres => "delete from _sqlx_migrations where version >= 15;",
    };
    format!(
        "drop index audit_by_document; drop index audit_by_account;
         drop index events_by_document; drop index events_by_account;
         alter table clinics drop column seal; alter table clinics drop column sealed_after;
         alter table event_ends drop column seal; alter table event_ends drop column sealed_after;
         alter table compaction drop column seal; alter table audit drop column events;
         alter table clinics rename column rows_end to written;
         alter table event_ends rename column events_end to happened;
         alter table compaction rename column rows_joint to joint;
         drop table clinic_roll; {forget}"
    )
}

fn literal(engine: Engine, bytes: &[u8]) -> String {
    match engine {
        Engine::Sqlite => format!("x'{}'", hex::encode(bytes)),
        Engine::Postgres => format!("'\\x{}'::bytea", hex::encode(bytes)),
    }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_be_bytes()[..], text.as_bytes()].concat()
}

fn optional(value: Option<&[u8]>) -> Vec<u8> {
    match value {
        None => vec![0],
        Some(value) => [&[1], value].concat(),
    }
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

/// The links that such a build made.
fn former_link(clinic: ClinicId, before: [u8; 32], run: &Run) -> [u8; 32] {
    hash(&[
        b"trail row v1",
        &before,
        clinic.bytes(),
        &run.number.to_be_bytes(),
        &run.position.to_be_bytes(),
        run.account.bytes(),
        run.device.bytes(),
        run.document.bytes(),
        &text(&run.verb),
        &run.at.0.to_be_bytes(),
        &optional(
            run.last_at
                .map(|at| at.0.to_be_bytes())
                .as_ref()
                .map(|at| &at[..]),
        ),
        &optional(run.changes.map(u32::to_be_bytes).as_ref().map(|count| &count[..])),
        &optional(run.hash.as_ref().map(|hash| &hash[..])),
    ])
}

fn former_event_link(clinic: ClinicId, before: [u8; 32], number: u64, event: &Event) -> [u8; 32] {
    hash(&[
        b"trail event v1",
        &before,
        clinic.bytes(),
        &number.to_be_bytes(),
        &event.at.0.to_be_bytes(),
        &optional(event.account.as_ref().map(|id| &id.bytes()[..])),
        &optional(event.device.as_ref().map(|id| &id.bytes()[..])),
        &optional(event.document.as_ref().map(|id| &id.bytes()[..])),
        &text(&event.what),
        &text(&event.detail),
    ])
}

/// Makes the practice's database one of a build that chained its trail and sealed nothing. Rows up to the number that is given
/// back are even older than that chain.
async fn as_before(practice: &Practice, engine: Engine) -> u64 {
    let (storage, clinic) = (&practice.storage, practice.clinic);
    let rows = storage.trail_runs(clinic, None, 10_000).await.expect("read");
    let chained_after = rows[1].run.number;
    let beginning = hash(&[b"trail begins v1", clinic.bytes(), &chained_after.to_be_bytes()]);
    let mut sql = String::new();
    let mut link = beginning;
    for row in &rows {
        let run = &row.run;
        let (number, position) = (run.number, run.position);
        let value = if number <= chained_after {
            "null".to_owned()
        } else {
            link = former_link(clinic, link, run);
            literal(engine, &link)
        };
        sql += &format!("update audit set link = {value} where number = {number} and position = {position};");
    }
    sql += &format!(
        "update clinics set rows_end = {}, chained_after = {chained_after};",
        literal(engine, &link)
    );
    let mut link = beginning;
    for event in storage.trail_events(clinic, 0, 10_000).await.expect("read") {
        link = former_event_link(clinic, link, event.number, &event.event);
        sql += &format!(
            "update events set link = {} where number = {};",
            literal(engine, &link),
            event.number
        );
    }
    sql += &format!(
        "update event_ends set events_end = {}; delete from compaction;",
        literal(engine, &link)
    );
    sql += &format!(
        "update clinic_keys set wrapped = {} where clinic = {};",
        literal(engine, &as_it_was_wrapped(practice).await),
        match engine {
            Engine::Sqlite => "zeroblob(16)".to_owned(),
            Engine::Postgres => format!("'{}'", Uuid::nil()),
        }
    );
    practice.database.run(&(sql + &without_seals(engine))).await;
    chained_after
}

/// The server's key in the place that it had before trails were sealed.
async fn as_it_was_wrapped(practice: &Practice) -> Vec<u8> {
    let wrapped: Vec<u8> = match &practice.database {
        Database::Sqlite(folder) => rusqlite::Connection::open(folder.path().join("clinic.db"))
            .and_then(|connection| {
                let sql = "select wrapped from clinic_keys where clinic = zeroblob(16)";
                connection.query_row(sql, [], |row| row.get(0))
            })
            .expect("a key"),
        Database::Postgres(url) => sqlx::query("select wrapped from clinic_keys where clinic = $1")
            .bind(Uuid::nil())
            .fetch_one(&mut connect_to(url).await)
            .await
            .expect("a key")
            .get(0),
    };
    let master = STANDARD.decode(MASTER_KEY).expect("base64");
    let cipher = XChaCha20Poly1305::new_from_slice(&master).expect("256 bits");
    let place = |words: &[u8]| [words, &[0; 16], &1_u32.to_be_bytes()].concat();
    // The master key's name, the form, the nonce, the key, and the tag.
    let (head, rest) = wrapped.split_at(9);
    let (nonce, rest) = rest.split_at(24);
    let (key, tag) = rest.split_at(32);
    let nonce = XNonce::try_from(nonce).expect("192 bits");
    let mut key = key.to_vec();
    cipher
        .decrypt_inout_detached(
            &nonce,
            &place(b"key of sealed trails "),
            key.as_mut_slice().into(),
            tag.try_into().expect("128 bits"),
        )
        .expect("it opens");
    let tag = cipher
        .encrypt_inout_detached(&nonce, &place(b"clinic key "), key.as_mut_slice().into())
        .expect("short");
    [head, nonce.as_slice(), &key, &tag].concat()
}

async fn a_database_of_before_says_what_of_it_is_older(engine: Engine) {
    let mut practice = busy_practice(engine).await;
    let chained_after = as_before(&practice, engine).await;
    practice.restart().await;
    let verdict = verify_trail(practice.storage.as_ref(), practice.clinic, &[]).await;
    let Ok(Verdict::Whole(before)) = verdict else {
        panic!("nobody altered it: {verdict:?}");
    };
    assert_eq!((before.unchained, before.unsealed), (2, before.rows));
    assert_eq!(before.unsealed_events, before.events);
    let (is_good, said) = verify_by_command(&practice);
    let older = format!(
        "{} of the rows and {} of the events are older than the seals; 2 of the rows are older than the chain",
        before.rows, before.events
    );
    assert!(is_good && said.contains(&older), "{said}");

    // From now on it is sealed, and what is older is chained as it was.
    keep(&practice).await;
    for tampering in [
        "update clinics set chained_after = head, rows_end = null; update audit set link = null".to_owned(),
        format!(
            "update audit set verb = 'forged' where number = {} and position = 0",
            chained_after + 1
        ),
        "update clinics set sealed_after = 0".to_owned(),
        "delete from events; delete from event_ends".to_owned(),
    ] {
        practice.database.run(&tampering).await;
        is_broken(&practice, &tampering);
        put_back(&practice, &TABLES).await;
        is_whole(&practice);
    }
    work_goes_on(&practice).await;
    is_whole(&practice);
    assert!(compact(&practice).await.changes > 0);
    let (is_good, said) = verify_by_command(&practice);
    assert!(
        is_good && said.contains("are older than the chain"),
        "runs of old rows are no younger: {said}"
    );
    work_goes_on(&practice).await;
    compact(&practice).await;
    is_whole(&practice);
}

/// Its words for the ends of rows, events and runs, each said in the transaction of what they end.
async fn a_server_of_before_that_still_runs_writes_nothing_without_seals(engine: Engine) {
    let practice = busy_practice(engine).await;
    for of_before in [
        "update clinics set head = head + 1, written = null",
        "insert into event_ends (clinic, events, happened) select clinic, 1, null from clinics where true
         on conflict (clinic) do update set events = excluded.events, happened = excluded.happened",
        "update event_ends set events = events + 1, happened = null",
        "update compaction set horizon = horizon + 1, runs = null, joint = null",
    ] {
        let taken = practice.database.try_to_run(of_before).await;
        let said = taken.expect_err(of_before);
        assert!(said.contains("column"), "{of_before}: {said}");
    }
    is_whole(&practice);
}
