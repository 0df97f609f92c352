//! What a database takes against the documents in it, before and after compaction: visits typed in small pieces, each
//! piece sent on its own.

use crate::line::{self, Line, changes_of};
use crate::{Row, row};
use automerge::ActorId;
use shared_model::commands::{Command, StartVisit, WriteInSection};
use shared_model::documents::{Document, Kind, Section, Stamp};
use shared_model::ids::{AccountId, ClinicId, DocumentId, PatientId, VisitId};
use shared_model::permissions::Role;
use shared_model::protocol::{ClientMessage, MAX_PUSH_CHANGES, Push, PushItem, ServerMessage};
use shared_model::time::Timestamp;
use sqlx::{Connection as _, PgConnection};
use std::path::Path;
use std::time::Duration;
use stories::{Clinic, SignedIn};
use sync_server::{HeavyWork, compact_history};
use uuid::Uuid;

const VISITS: usize = 500;
const PIECES: usize = 100;
const ACTOR: [u8; 16] = [7; 16];
const CLINIC: ClinicId = ClinicId(Uuid::from_u128(0xC1));

pub(crate) async fn rows(database: Option<&str>) -> Vec<Row> {
    let people: [(&str, &[Role]); 1] = [("Bench", &[Role::Veterinarian])];
    let clinic = Clinic::empty_in(CLINIC, &people, database).await;
    let size = async || match database {
        None => size_of_file(&clinic.database_file()),
        Some(url) => size_of_tables(url).await,
    };
    // The tables themselves are there before anybody writes.
    let empty = size().await;
    let account = clinic.accounts[0].account;
    let visits: Vec<Document> = (0..VISITS).map(|number| visit(number, account)).collect();
    push_piece_by_piece(&clinic, &visits).await;
    let before = size().await - empty;
    let until = Timestamp(stories::now().0 + 1_000);
    let done = compact_history(&clinic.storage, until, HeavyWork::OnThreads)
        .await
        .expect("compacted");
    let after = size().await - empty;
    let largest = match database {
        None => largest_in_file(&clinic.database_file()),
        Some(url) => largest_tables(url).await,
    };
    eprintln!("the largest: {}", largest.join(", "));
    let merged = visits.iter().map(|visit| visit.save().len()).sum::<usize>() as f64;
    eprintln!(
        "{} changes in {} documents of {:.2} MB: {:.2} MB before, {:.2} MB after {} steps",
        done.changes,
        VISITS,
        merged / 1e6,
        before / 1e6,
        after / 1e6,
        done.steps
    );
    let on = if database.is_some() { "postgres" } else { "sqlite" };
    let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
    vec![
        row(
            format!("compaction_{on}_size_ratio_before"),
            before / merged,
            "",
            None,
        ),
        row(
            format!("compaction_{on}_size_ratio"),
            after / merged,
            "",
            Some("≤ 2"),
        ),
        row(
            format!("compaction_{on}_longest_step_ms"),
            milliseconds(done.longest),
            "ms",
            Some("≤ 100"),
        ),
    ]
}

/// Half a page of text, as a vet types it.
fn visit(number: usize, account: AccountId) -> Document {
    let visit = VisitId(Uuid::from_u128(0x5000_0000 + number as u128));
    let mut document = Document::genesis(Kind::Visit, CLINIC, DocumentId::from(visit));
    let mut write = |command: Command, at: usize| {
        let stamp = Stamp {
            now: Timestamp(1_700_000_000_000 + at as i64 * 1_000 + (scrambled(at as u64) % 900) as i64),
            actor: ActorId::from(ACTOR),
            account,
        };
        let change = command.write(&mut document, &stamp);
        assert!(change.expect("a valid command").is_some(), "it changes something");
        document.heads().iter().map(|head| head.0).collect::<Vec<_>>()
    };
    let start = StartVisit {
        visit,
        appointment: None,
        patient: PatientId(Uuid::from_u128(number as u128 + 1)),
        vet: account,
        reason: "limping".to_owned(),
    };
    let mut seen = write(start.into(), number);
    let mut length = 0;
    for piece in 0..PIECES {
        let word = word((number * PIECES + piece) as u64);
        let write_more = WriteInSection {
            visit,
            section: Section::History,
            seen,
            at: length,
            delete: 0,
            insert: word.clone(),
        };
        length += word.len();
        seen = write(write_more.into(), number + piece);
    }
    document
}

/// A number that looks like chance.
fn scrambled(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^= mixed >> 29;
    mixed = mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^ (mixed >> 32)
}

/// A word as varied as those of a language, and the blank behind it.
fn word(number: u64) -> String {
    const SYLLABLES: [&str; 16] = [
        "la", "me", "ri", "to", "sen", "pul", "ver", "no", "dis", "ca", "ter", "mu", "hin", "gra", "ex", "os",
    ];
    let mut rest = scrambled(number);
    let mut word = String::new();
    for _ in 0..1 + rest % 3 {
        word.push_str(SYLLABLES[(rest >> 8) as usize % SYLLABLES.len()]);
        rest = scrambled(rest);
    }
    word.push(' ');
    word
}

/// Each change an item of its own, as typing online sends them: each gets a number and a step in the feed.
async fn push_piece_by_piece(clinic: &Clinic, visits: &[Document]) {
    let email = clinic.email_of("Bench");
    let SignedIn { credentials, device } =
        stories::sign_in(clinic.address, email, demonstration::DEMO_PASSWORD).await;
    let token = &credentials.access_token;
    let mut line = Line::open(clinic.address, token, device, &ACTOR, Vec::new()).await;
    let mut items: Vec<PushItem> = visits
        .iter()
        .flat_map(|visit| {
            changes_of(visit).into_iter().map(|change| PushItem {
                kind: visit.kind,
                document: visit.id,
                schema_version: shared_model::SCHEMA_VERSION,
                changes: vec![change.into()],
                signatures: Vec::new(),
            })
        })
        .collect();
    line::sign(device, clinic.id, &mut items);
    for (number, items) in items.chunks(MAX_PUSH_CHANGES / 2).enumerate() {
        let push = Push {
            number: number as u64,
            items: items.to_vec(),
        };
        line.say(&ClientMessage::Push(push)).await;
        loop {
            match line.hear().await {
                ServerMessage::Page(page) if page.number > 0 => {
                    line.say(&ClientMessage::PageStored(page.number)).await;
                }
                ServerMessage::Accepted(accepted) => {
                    assert!(accepted.refused.is_empty(), "{:?}", accepted.refused[0]);
                    break;
                }
                ServerMessage::Goodbye(why) => panic!("{why}"),
                _ => {}
            }
        }
    }
}

/// The file once its journal is folded in.
fn size_of_file(file: &Path) -> f64 {
    let sql = rusqlite::Connection::open(file).expect("the file opens");
    let pragma = |name: &str| -> f64 {
        sql.query_row(&format!("select * from pragma_{name}"), [], |row| row.get(0))
            .expect("SQLite tells")
    };
    pragma("page_count") * pragma("page_size")
}

/// What a fresh copy of the tables and their indexes takes: what is freed stays in Postgres' files until it is reused.
async fn size_of_tables(url: &str) -> f64 {
    let mut connection = PgConnection::connect(url).await.expect("the database answers");
    sqlx::query("vacuum full")
        .execute(&mut connection)
        .await
        .expect("vacuumed");
    let bytes: i64 = sqlx::query_scalar(
        "select sum(pg_total_relation_size(oid))::bigint from pg_class
         where relkind = 'r' and relnamespace = 'public'::regnamespace",
    )
    .fetch_one(&mut connection)
    .await
    .expect("Postgres tells");
    bytes as f64
}

/// Tables and indexes by what they take.
fn largest_in_file(file: &Path) -> Vec<String> {
    let sql = rusqlite::Connection::open(file).expect("the file opens");
    let mut select = sql
        .prepare("select name, sum(pgsize) from dbstat group by name order by 2 desc limit 8")
        .expect("prepared");
    let rows = select
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
        .expect("asked");
    rows.map(|row| {
        let (name, bytes) = row.expect("SQLite tells");
        format!("{name} {} kB", bytes / 1_000)
    })
    .collect()
}

async fn largest_tables(url: &str) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.expect("the database answers");
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select relname::text, pg_relation_size(oid) from pg_class
         where relkind in ('r', 'i', 't') order by 2 desc limit 12",
    )
    .fetch_all(&mut connection)
    .await
    .expect("Postgres tells");
    rows.into_iter()
        .map(|(name, bytes)| format!("{name} {} kB", bytes / 1_000))
        .collect()
}
