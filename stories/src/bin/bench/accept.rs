//! How many changes a second the server makes durable, against a database that only has to insert the same bytes, and
//! against Automerge that only has to read and apply them.

use crate::first_sync::filled;
use crate::line::changes_of;
use crate::{Row, row};
use automerge::Change;
use rusqlite::Connection;
use shared_model::documents::Document;
use sqlx::{Connection as _, PgConnection};
use std::time::{Duration, Instant};

const DOCUMENTS: usize = 10_000;
/// As many as one push may have.
const BATCH: usize = 1_000;

/// A change as a row: what it is, and its bytes.
type Raw = (Vec<u8>, Vec<u8>);

pub(crate) async fn rows(database: Option<&str>) -> Vec<Row> {
    let made = demonstration::bench_documents(1, DOCUMENTS, DOCUMENTS * 10, stories::now());
    let raw: Vec<Raw> = made
        .iter()
        .flat_map(|document| {
            let id = document.id.bytes().to_vec();
            changes_of(document)
                .into_iter()
                .map(move |bytes| (id.clone(), bytes))
        })
        .collect();
    let count = raw.len() as f64;
    let inserted = match database {
        None => insert_into_sqlite(&raw),
        Some(url) => insert_into_postgres(url, &raw).await,
    };
    let applied = apply(&made);
    let (_clinic, accepted) = filled(&made, database).await;
    let per_second = |took: Duration| count / took.as_secs_f64();
    let on = if database.is_some() { "postgres" } else { "sqlite" };
    vec![
        row(
            format!("accepted_{on}_changes_per_s"),
            per_second(accepted),
            "1/s",
            None,
        ),
        row(
            format!("inserted_{on}_changes_per_s"),
            per_second(inserted),
            "1/s",
            None,
        ),
        row(
            format!("accepted_{on}_against_inserted"),
            inserted.as_secs_f64() / accepted.as_secs_f64(),
            "",
            Some("≥ 0.5"),
        ),
        row(
            format!("applied_{on}_changes_per_s"),
            per_second(applied),
            "1/s",
            None,
        ),
        row(
            format!("accepted_{on}_against_applied"),
            applied.as_secs_f64() / accepted.as_secs_f64(),
            "",
            None,
        ),
    ]
}

/// What Automerge takes by itself, in memory and on one thread: each change is read from its bytes, each document's are
/// applied at once, and the document is saved.
fn apply(documents: &[Document]) -> Duration {
    let pushed: Vec<_> = documents
        .iter()
        .map(|document| (document, changes_of(document)))
        .collect();
    let started = Instant::now();
    for (document, changes) in &pushed {
        let mut here = Document::genesis(document.kind, document.clinic, document.id);
        let read: Vec<_> = changes
            .iter()
            .map(|bytes| Change::try_from(bytes.as_slice()).expect("a change"))
            .collect();
        here.apply(&read).expect("they fit");
        assert_eq!(here.heads(), document.heads());
        std::hint::black_box(here.save());
    }
    started.elapsed()
}

/// With the journal and the flushes that the server's own file has.
fn insert_into_sqlite(raw: &[Raw]) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sql = Connection::open(folder.path().join("raw.db")).expect("a file can be opened");
    sql.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full; create table raw (document blob, bytes blob)",
    )
    .expect("a table can be made");
    let started = Instant::now();
    for batch in raw.chunks(BATCH) {
        let tx = sql.transaction().expect("begun");
        {
            let mut insert = tx
                .prepare_cached("insert into raw values (?1, ?2)")
                .expect("prepared");
            for row in batch {
                insert.execute((&row.0, &row.1)).expect("inserted");
            }
        }
        tx.commit().expect("committed");
    }
    started.elapsed()
}

async fn insert_into_postgres(url: &str, raw: &[Raw]) -> Duration {
    let mut connection = PgConnection::connect(url).await.expect("the database answers");
    sqlx::query("create table raw (document bytea, bytes bytea)")
        .execute(&mut connection)
        .await
        .expect("a table can be made");
    let started = Instant::now();
    for batch in raw.chunks(BATCH) {
        let documents: Vec<&[u8]> = batch.iter().map(|row| row.0.as_slice()).collect();
        let bytes: Vec<&[u8]> = batch.iter().map(|row| row.1.as_slice()).collect();
        sqlx::query("insert into raw select * from unnest($1::bytea[], $2::bytea[])")
            .bind(documents)
            .bind(bytes)
            .execute(&mut connection)
            .await
            .expect("inserted");
    }
    let took = started.elapsed();
    sqlx::query("drop table raw")
        .execute(&mut connection)
        .await
        .expect("dropped");
    took
}
