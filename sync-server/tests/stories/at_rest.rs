//! Whoever has the database has no record in it: what is sealed, what opens it, and what happens when it does not open.

use crate::database::{Database, Engine, MASTER_KEY, connect_to, master_keys};
use crate::device::Device;
use crate::morning::on_both;
use crate::practice::{MIA, OWNER, Practice, REX};
use crate::process::BINARY;
use rusqlite::Connection;
use shared_model::commands::EditPatient;
use shared_model::ids::DocumentId;
use shared_model::permissions::Feed;
use sqlx::Row;
use std::io::ErrorKind;
use std::process::Command;
use std::sync::Arc;
use sync_server::at_rest::{MasterKey, MasterKeys};
use sync_server::storage::postgres::PostgresStorage;
use sync_server::storage::sqlite::SqliteStorage;
use sync_server::storage::{Storage, StorageError};
use tempfile::TempDir;

/// Every byte that the database keeps.
pub async fn everything(database: &Database) -> Vec<u8> {
    match database {
        Database::Sqlite(folder) => loop {
            // Its log goes when whoever had it open has closed it: then all of it is in the file.
            let files = std::fs::read_dir(folder.path()).expect("the folder is there");
            let read: std::io::Result<Vec<Vec<u8>>> = files
                .map(|file| std::fs::read(file.expect("a file").path()))
                .collect();
            match read {
                Ok(read) => break read.concat(),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => panic!("{error}"),
            }
        },
        Database::Postgres(url) => {
            let mut connection = connect_to(url).await;
            let tables = sqlx::query(
                "select table_name::text from information_schema.tables where table_schema = 'public'",
            )
            .fetch_all(&mut connection)
            .await
            .expect("tables");
            let mut all = Vec::new();
            for table in tables {
                let table: String = table.get(0);
                // Bytes as they are, so that words in them are found.
                let rows = format!("copy (select * from {table}) to stdout (format binary)");
                let mut copy = connection.copy_out_raw(&rows).await.expect("copied");
                while let Some(part) = futures_util::TryStreamExt::try_next(&mut copy)
                    .await
                    .expect("copied")
                {
                    all.extend_from_slice(&part);
                }
            }
            all
        }
    }
}

/// Runs a statement on the database, past the server. `{id}` stands for the document's id.
pub async fn meddle(database: &Database, statement: &str, document: DocumentId) {
    let changed = match database {
        Database::Sqlite(folder) => {
            let id = format!("x'{}'", document.0.simple());
            Connection::open(folder.path().join("clinic.db"))
                .expect("opens")
                .execute(&statement.replace("{id}", &id), [])
                .expect("written")
        }
        Database::Postgres(url) => {
            let id = format!("'{}'", document.0);
            let statement = sqlx::AssertSqlSafe(statement.replace("{id}", &id));
            let done = sqlx::raw_sql(statement).execute(&mut connect_to(url).await).await;
            usize::try_from(done.expect("written").rows_affected()).expect("few")
        }
    };
    assert_eq!(changed, 1, "{statement}");
}

pub async fn open(database: &Database, masters: MasterKeys) -> Result<Arc<dyn Storage>, StorageError> {
    Ok(match database {
        Database::Sqlite(folder) => Arc::new(SqliteStorage::open(&folder.path().join("clinic.db"), masters)?),
        Database::Postgres(url) => Arc::new(PostgresStorage::connect(url, masters).await?),
    })
}

/// A device that has everything it may read.
async fn up_to_date(practice: &Practice, person: &str) -> Device {
    let mut device = practice.device(person).await;
    device.connect().await;
    device
        .until("the first sync is complete", |device| {
            device.number(Feed::Staff) > 0
        })
        .await;
    device
}

fn has(device: &Device, document: impl Into<DocumentId>) -> bool {
    device.documents.contains_key(&document.into())
}

async fn no_word_of_a_record(engine: Engine) {
    let mut practice = Practice::with_records(engine).await;
    let mut vet = up_to_date(&practice, "vet").await;
    vet.run(EditPatient {
        name: Some("Barnabas the Third".to_owned()),
        ..EditPatient::of(REX)
    });
    vet.settled().await;
    practice.stop().await;
    let all = everything(&practice.database).await;
    assert!(all.len() > 10_000, "it was looked at");
    for word in [
        "Barnabas",
        "Rex",
        "Owner of",
        "Petra",
        "Northgate",
        "Europe/Prague",
    ] {
        let there = all.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!there, "{word} can be read");
    }
}

async fn another_master_key_opens_nothing(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let stranger = open(&practice.database, MasterKey::from_bytes([9; 32]).into())
        .await
        .expect("the database itself opens");
    let error = stranger
        .documents_below(practice.clinic, Feed::Staff, None, usize::MAX)
        .await
        .expect_err("the keys are wrapped by another");
    assert!(error.to_string().contains("another master key"), "{error}");
    let secret = stranger.secret("access tokens", [0; 32]).await;
    assert!(secret.is_err(), "nor is a fresh secret put in its place");
}

async fn a_rotated_master_key_needs_the_former_one_once(engine: Engine) {
    let practice = Practice::with_records(engine).await;
    let secret = practice
        .storage
        .secret("access tokens", [0; 32])
        .await
        .expect("there");
    let (former, fresh) = (MASTER_KEY.parse().expect("a key"), MasterKey::from_bytes([9; 32]));
    let rotating = open(&practice.database, MasterKeys::new(fresh.clone(), vec![former]))
        .await
        .expect("opens");
    // The clinic's, that of what belongs to no clinic, and those of its six people.
    assert_eq!(rotating.wrap_keys_anew().await.expect("wrapped"), 8);
    assert_eq!(rotating.wrap_keys_anew().await.expect("wrapped"), 0);

    let now = open(&practice.database, fresh.into()).await.expect("opens");
    let documents = now
        .documents_below(practice.clinic, Feed::Staff, None, usize::MAX)
        .await
        .expect("readable");
    assert!(documents.iter().any(|stored| stored.id == REX.into()));
    assert_eq!(now.secret("access tokens", [0; 32]).await.expect("there"), secret);
    let vet = now.people().account_by_email("Vet@example.org").await;
    assert_eq!(vet.expect("readable").expect("found").full_name, "vet");
    let before = open(&practice.database, master_keys()).await.expect("opens");
    assert!(
        before
            .documents_below(practice.clinic, Feed::Staff, None, 1)
            .await
            .is_err()
    );
    let vet = before.people().account_by_email("vet@example.org").await;
    assert!(vet.is_err(), "nor does it find or open anybody");
}

async fn a_document_whose_key_is_destroyed_is_gone_and_the_others_are_not(engine: Engine) {
    let mut practice = Practice::with_records(engine).await;
    meddle(
        &practice.database,
        "delete from document_keys where document = {id}",
        REX.into(),
    )
    .await;
    practice.restart().await;
    let desk = up_to_date(&practice, "desk").await;
    assert!(has(&desk, MIA) && has(&desk, OWNER));
    assert!(!has(&desk, REX));
}

async fn what_was_moved_to_another_row_does_not_open(engine: Engine) {
    let mut practice = Practice::with_records(engine).await;
    let from = match engine {
        Engine::Sqlite => format!("x'{}'", MIA.0.simple()),
        Engine::Postgres => format!("'{}'", MIA.0),
    };
    let bytes = format!(
        "update documents set bytes = (select d.bytes from documents d where d.id = {from}) where id = {{id}}"
    );
    meddle(&practice.database, &bytes, REX.into()).await;
    practice.restart().await;
    let desk = up_to_date(&practice, "desk").await;
    assert!(has(&desk, MIA));
    assert!(!has(&desk, REX), "Mia's record is not shown as Rex's");
}

/// As a build that sealed nothing left it.
async fn plain_records_are_read_and_sealed_when_they_are_written(engine: Engine) {
    let mut practice = Practice::with_records(engine).await;
    let stored = practice
        .storage
        .documents_named(practice.clinic, Feed::Staff, &[REX.into()])
        .await
        .expect("readable")
        .remove(0);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let literal = |bytes: &[u8]| match engine {
        Engine::Sqlite => format!("x'{}'", hex(bytes)),
        Engine::Postgres => format!("'\\x{}'", hex(bytes)),
    };
    let plain = format!(
        "update documents set bytes = {}, projection = {}, base = {} where id = {{id}}",
        literal(&stored.bytes),
        literal(&stored.projection),
        stored.base,
    );
    meddle(&practice.database, &plain, REX.into()).await;
    meddle(
        &practice.database,
        "delete from document_keys where document = {id}",
        REX.into(),
    )
    .await;
    practice.restart().await;
    let mut vet = up_to_date(&practice, "vet").await;
    assert!(has(&vet, REX), "it is read as it is");
    vet.run(EditPatient {
        name: Some("Barnabas".to_owned()),
        ..EditPatient::of(REX)
    });
    vet.settled().await;
    let all = everything(&practice.database).await;
    assert!(!all.windows(8).any(|window| window == b"Barnabas"));
    practice.restart().await;
    let desk = up_to_date(&practice, "desk").await;
    assert!(has(&desk, REX));
}

on_both! {
    no_word_of_a_record
    another_master_key_opens_nothing
    a_rotated_master_key_needs_the_former_one_once
    a_document_whose_key_is_destroyed_is_gone_and_the_others_are_not
    what_was_moved_to_another_row_does_not_open
    plain_records_are_read_and_sealed_when_they_are_written
}

#[test]
fn postgres_without_a_master_key_is_refused_with_what_to_do() {
    let tried = Command::new(BINARY)
        .args([
            "--database-url",
            "postgres://nobody@127.0.0.1:1/nothing",
            "migrate",
        ])
        .env_remove("MASTER_KEY")
        .env_remove("MASTER_KEY_FILE")
        .output()
        .expect("it runs");
    assert!(!tried.status.success());
    let said = String::from_utf8_lossy(&tried.stderr).into_owned();
    assert!(
        said.contains("make-master-key") && said.contains("MASTER_KEY_FILE"),
        "{said}"
    );
}

#[test]
fn the_embedded_database_makes_its_own_and_keeps_it() {
    let data = TempDir::new().expect("a folder");
    let migrate = || {
        Command::new(BINARY)
            .arg("--data")
            .arg(data.path())
            .arg("migrate")
            .env_remove("DATABASE_URL")
            .env_remove("MASTER_KEY")
            .env_remove("MASTER_KEY_FILE")
            .output()
            .expect("it runs")
    };
    assert!(migrate().status.success());
    let key = std::fs::read(data.path().join("master.key")).expect("made");
    assert!(migrate().status.success());
    assert_eq!(std::fs::read(data.path().join("master.key")).expect("kept"), key);
}
