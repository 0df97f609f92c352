//! Databases for stories: a file in a folder of its own, or a database of a Postgres cluster.
//!
//! The cluster is the one at `TEST_DATABASE_URL` or a private one that lives as long as this process.

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use sync_server::at_rest::MasterKeys;
use sync_server::storage::Storage;
use sync_server::storage::postgres::PostgresStorage;
use sync_server::storage::sqlite::SqliteStorage;
use tempfile::TempDir;
use throw_away_postgres::Cluster;
use uuid::Uuid;

/// Which database a story is told on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// One database, empty at first, that can be opened again and again.
pub enum Database {
    Sqlite(TempDir),
    Postgres(String),
}

/// What the stories' databases are sealed with, as servers that they start are told it.
pub const MASTER_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

pub fn master_keys() -> MasterKeys {
    MasterKeys::new(MASTER_KEY.parse().expect("it is one"), Vec::new())
}

impl Database {
    pub async fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite(TempDir::new().expect("a temporary folder")),
            Engine::Postgres => Self::Postgres(fresh_database(&shared_cluster_url()).await),
        }
    }

    pub async fn open(&self) -> Arc<dyn Storage> {
        match self {
            Self::Sqlite(folder) => {
                Arc::new(SqliteStorage::open(&folder.path().join("clinic.db"), master_keys()).expect("opens"))
            }
            Self::Postgres(url) => Arc::new(
                PostgresStorage::connect(url, master_keys())
                    .await
                    .expect("connects"),
            ),
        }
    }

    /// Alters it behind the server's back.
    pub async fn run(&self, sql: &str) {
        self.try_to_run(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// What the database says to it, if it does not take it.
    pub async fn try_to_run(&self, sql: &str) -> Result<(), String> {
        match self {
            Self::Sqlite(folder) => rusqlite::Connection::open(folder.path().join("clinic.db"))
                .and_then(|connection| {
                    connection.busy_timeout(Duration::from_secs(10))?;
                    connection.execute_batch(sql)
                })
                .map_err(|error| error.to_string()),
            Self::Postgres(url) => sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
                .execute(&mut connect_to(url).await)
                .await
                .map(|_| ())
                .map_err(|error| error.to_string()),
        }
    }
}

/// Past the server.
pub async fn connect_to(url: &str) -> PgConnection {
    let options = PgConnectOptions::from_str(url).expect("an address");
    PgConnection::connect_with(&options)
        .await
        .expect("the database answers")
}

/// The address of a new database in the cluster at `url`.
pub async fn fresh_database(url: &str) -> String {
    let name = format!(
        "story_{}",
        Uuid::from_bytes(sync_server::identity::random()).simple()
    );
    let options = PgConnectOptions::from_str(url).expect("an address of a Postgres database");
    let mut connection = PgConnection::connect_with(&options)
        .await
        .expect("the cluster answers");
    let create = sqlx::AssertSqlSafe(format!("create database {name}"));
    sqlx::raw_sql(create)
        .execute(&mut connection)
        .await
        .expect("created");
    let (before, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = before.rsplit_once('/').expect("an address with a database");
    format!("{server}/{name}?{parameters}")
}

fn shared_cluster_url() -> String {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| CLUSTER.get_or_init(Cluster::start).url())
}
