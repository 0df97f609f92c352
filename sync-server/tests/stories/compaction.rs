//! Databases grow with content, not with chatter; and whoever was away while they were made smaller has everything.

use crate::database::{Database, Engine};
use crate::load::{Load, keep_writing};
use crate::morning::on_both;
use crate::practice::{MIA, OTHER_OWNER, OWNER, Practice, REX};
use shared_model::commands::{EditClient, EditPatient, RecordWeight, StartVisit, WriteInSection};
use shared_model::documents::{Kind, Patient, Section};
use shared_model::ids::{DocumentId, VisitId, WeightId};
use shared_model::time::Timestamp;
use shared_model::values::Weight;
use sqlx::Connection;
use std::sync::Arc;
use sync_server::{Compacted, HeavyWork, compact_history};
use uuid::Uuid;

on_both! {
    who_was_away_gets_whole_documents_and_has_everything
    what_was_accepted_is_known_after_it_and_its_writers_go_on
    an_owner_who_was_away_gets_no_more_than_may_be_read
    readers_and_writers_in_the_middle_of_it_notice_nothing
    the_trail_says_as_much_as_before_in_fewer_rows
}

const VISIT: VisitId = VisitId(Uuid::from_u128(0x300));

/// Compacts all that there is now.
async fn compact(practice: &Practice) -> Compacted {
    let until = practice.settings.clock.now();
    compact_history(&practice.storage, until, HeavyWork::OnThreads)
        .await
        .expect("compacted")
}

async fn count(practice: &Practice, sql: &'static str) -> i64 {
    match &practice.database {
        Database::Sqlite(folder) => rusqlite::Connection::open(folder.path().join("clinic.db"))
            .and_then(|connection| connection.query_row(sql, [], |row| row.get(0)))
            .expect("counted"),
        Database::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url)
                .await
                .expect("the database answers");
            sqlx::query_scalar(sql)
                .fetch_one(&mut connection)
                .await
                .expect("counted")
        }
    }
}

async fn rename(device: &mut crate::device::Device, name: &str) {
    device.run(EditPatient {
        name: Some(name.to_owned()),
        ..EditPatient::of(REX)
    });
    device.settled().await;
}

/// A visit typed in so many small pieces, each sent at once.
async fn type_a_visit(vet: &mut crate::device::Device, pieces: usize) {
    vet.run(StartVisit {
        visit: VISIT,
        appointment: None,
        patient: REX,
        vet: vet.principal.account,
        reason: "limping".to_owned(),
    });
    vet.settled().await;
    for piece in 0..pieces {
        let seen = vet.document(VISIT).heads().iter().map(|head| head.0).collect();
        vet.run(WriteInSection {
            visit: VISIT,
            section: Section::History,
            seen,
            at: piece * 5,
            delete: 0,
            insert: "word ".to_owned(),
        });
        vet.settled().await;
    }
}

async fn who_was_away_gets_whole_documents_and_has_everything(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (mut desk, mut vet) = (practice.device("desk").await, practice.device("vet").await);
    desk.connect().await;
    vet.connect().await;
    vet.offline();
    // Work without a network, on what the server will not keep change by change.
    vet.run(RecordWeight {
        patient: REX,
        entry: WeightId(Uuid::from_u128(1)),
        weight: Weight::parse("19.4").expect("a weight"),
        at: Timestamp(0),
        visit: None,
    });
    for round in 0..30 {
        rename(&mut desk, &format!("Rex {round}")).await;
    }
    let changes = count(&practice, "select count(*) from changes").await;
    let compacted = compact(&practice).await;
    assert_eq!(i64::try_from(compacted.changes), Ok(changes));
    assert_eq!(count(&practice, "select count(*) from changes").await, 0);
    let steps = count(&practice, "select count(*) from feed").await;
    let readable = count(&practice, "select count(*) from audience").await;
    assert_eq!(steps, readable, "one step of each document in each feed");
    assert_eq!(compact(&practice).await, Compacted::default(), "nothing is left");

    vet.pages.clear();
    vet.arrivals.clear();
    vet.connect().await;
    assert_eq!(
        vet.arrivals,
        [DocumentId::from(REX)],
        "what changed, and nothing else"
    );
    assert!(vet.pages.iter().all(|page| page.cursor.bootstrap.is_none()));
    vet.settled().await;
    desk.until("the weight is here", |desk| {
        Patient::read(desk.document(REX)).0.weights.len() == 1
    })
    .await;
    assert_eq!(desk.document(REX).heads(), vet.document(REX).heads());

    // What came after it is still sent change by change.
    desk.offline();
    rename(&mut vet, "Rexie").await;
    desk.arrivals.clear();
    desk.connect().await;
    assert_eq!(desk.arrivals, []);
    assert_eq!(desk.document(REX).heads(), vet.document(REX).heads());
    let mut fresh = practice.device("tech").await;
    fresh.connect().await;
    assert_eq!(fresh.document(REX).heads(), vet.document(REX).heads());
}

async fn what_was_accepted_is_known_after_it_and_its_writers_go_on(engine: Engine) {
    let mut practice = Practice::with_records(engine).await;
    let mut desk = practice.device("desk").await;
    desk.connect().await;
    desk.run(EditPatient {
        name: Some("Rexie".to_owned()),
        ..EditPatient::of(REX)
    });
    let lost_answer = desk.outbox.clone();
    desk.settled().await;
    compact(&practice).await;
    let (restarted, _) = tokio::join!(practice.restart(), desk.goodbye());
    let () = restarted;
    let head = practice.storage.head(practice.clinic).await.expect("reads");
    desk.offline();
    desk.connect().await;
    desk.outbox = lost_answer;
    desk.settled().await;
    assert_eq!(practice.storage.head(practice.clinic).await.expect("reads"), head);
    // The writer's sequence goes on where it was, which the server knows from the document alone.
    rename(&mut desk, "Rex").await;
    // A copy of this store writes another change under the same number.
    let mut copy = practice.device("desk").await;
    copy.device = desk.device;
    copy.token.clone_from(&desk.token);
    copy.actor = desk.actor.clone();
    let genesis = shared_model::documents::Document::genesis(Kind::Patient, practice.clinic, MIA.into());
    copy.documents.insert(MIA.into(), genesis);
    desk.write_time(Kind::Patient, MIA.into(), &format!("owners/{OWNER}/since"));
    desk.settled().await;
    compact(&practice).await;
    let rival = copy.write(Kind::Patient, MIA.into(), "name", "Somebody else");
    let refused = desk
        .refusals(vec![crate::device::item(
            Kind::Patient,
            MIA.into(),
            [crate::device::raw(&rival)],
        )])
        .await;
    assert_eq!(
        refused[0].code,
        shared_model::protocol::RefusalCode::ActorReused,
        "{refused:?}"
    );
}

async fn an_owner_who_was_away_gets_no_more_than_may_be_read(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let (mut owner, mut desk) = (practice.device("owner").await, practice.device("desk").await);
    owner.connect().await;
    desk.connect().await;
    owner.offline();
    rename(&mut desk, "Rex, still theirs").await;
    desk.write_time(Kind::Patient, REX.into(), &format!("owners/{OWNER}/until"));
    desk.write_time(Kind::Patient, REX.into(), &format!("owners/{OTHER_OWNER}/since"));
    desk.write_time(Kind::Patient, MIA.into(), &format!("owners/{OWNER}/since"));
    desk.settled().await;
    rename(&mut desk, "Rex elsewhere").await;
    compact(&practice).await;
    owner.pages.clear();
    owner.arrivals.clear();
    owner.connect().await;
    assert!(owner.revoked.contains(&REX.into()));
    assert!(!owner.documents.contains_key(&REX.into()));
    assert_eq!(owner.arrivals, [DocumentId::from(MIA)]);
    assert_eq!(owner.document(MIA).heads(), desk.document(MIA).heads());
}

async fn readers_and_writers_in_the_middle_of_it_notice_nothing(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut early = practice.device("tech").await;
    early.connect().await;
    let load = Load::new();
    let mut writers = Vec::new();
    for person in ["desk", "vet", "admin"] {
        let mut device = practice.device(person).await;
        device.connect().await;
        writers.push(tokio::spawn(keep_writing(
            device,
            vec![practice.address],
            Arc::clone(&load),
        )));
    }
    let mut away = practice.device("vet").await;
    away.connect().await;
    let mut compacted = 0;
    for _ in 0..10 {
        away.offline();
        load.goes_on_for(20).await;
        // The feed is read while it is made smaller.
        let (step, ()) = tokio::join!(compact(&practice), away.connect());
        compacted += step.changes;
    }
    load.stop();
    let mut written = Vec::new();
    for writer in writers {
        let (device, done) = writer.await.expect("it wrote");
        assert!(device.refused.is_empty(), "{:?}", device.refused);
        written.extend(done);
    }
    assert!(compacted >= 200, "{compacted}");
    let mut fresh = practice.device("desk").await;
    fresh.connect().await;
    for device in [&mut early, &mut away, &mut fresh] {
        device
            .until("everything is here", |device| {
                written
                    .iter()
                    .all(|client| device.documents.contains_key(&DocumentId::from(*client)))
            })
            .await;
    }
    for client in written {
        assert_eq!(early.document(client).heads(), fresh.document(client).heads());
        assert_eq!(away.document(client).heads(), fresh.document(client).heads());
    }
}

async fn the_trail_says_as_much_as_before_in_fewer_rows(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    type_a_visit(&mut vet, 40).await;
    vet.run(EditClient {
        address: Some("Elsewhere".to_owned()),
        ..EditClient::of(OWNER)
    });
    // A vet may not; what is refused is in no trail.
    vet.push().await;
    vet.until("answered", |vet| vet.outbox.is_empty()).await;
    let changes = count(&practice, "select count(*) from changes").await;
    let before = count(&practice, "select count(*) from audit").await;
    assert!(before >= 41, "a row for each piece");
    compact(&practice).await;
    let after = count(&practice, "select count(*) from audit").await;
    assert!(
        after <= before - 39,
        "typing is one run: {after} rows of {before}"
    );
    assert_eq!(
        count(&practice, "select cast(sum(changes) as bigint) from audit").await,
        changes
    );
    let untold = "select count(*) from audit where hash is null or last_at is null or last_at < at";
    assert_eq!(count(&practice, untold).await, 0);
    assert_eq!(
        count(
            &practice,
            "select cast(max(changes) as bigint) from audit where verb = 'write_in_section'"
        )
        .await,
        40
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_of_the_embedded_database_shrinks() {
    let practice = Practice::with_records(Engine::Sqlite).await;
    let mut vet = practice.device("vet").await;
    vet.connect().await;
    type_a_visit(&mut vet, 300).await;
    let before = count(&practice, "select page_count from pragma_page_count").await;
    compact(&practice).await;
    let after = count(&practice, "select page_count from pragma_page_count").await;
    let free = count(&practice, "select freelist_count from pragma_freelist_count").await;
    assert!(after * 10 < before * 8, "{after} pages of {before}");
    assert_eq!(free, 0);
    let mut fresh = practice.device("desk").await;
    fresh.connect().await;
    assert_eq!(fresh.document(VISIT).heads(), vet.document(VISIT).heads());
}
