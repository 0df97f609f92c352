//! Databases for stories: a file in a folder of its own, or a database of a Postgres cluster.
//!
//! The cluster is the one at `TEST_DATABASE_URL` or a private one that lives as long as this process.

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use sync_server::storage::Storage;
use sync_server::storage::postgres::PostgresStorage;
use sync_server::storage::sqlite::SqliteStorage;
use tempfile::TempDir;
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
                Arc::new(SqliteStorage::open(&folder.path().join("clinic.db")).expect("opens"))
            }
            Self::Postgres(url) => Arc::new(PostgresStorage::connect(url).await.expect("connects")),
        }
    }
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

/// A private Postgres cluster in a temporary folder, reached by a socket in it.
pub struct Cluster {
    folder: PathBuf,
    /// Ends the cluster and removes its folder when its standard input closes, so also when this process dies.
    keeper: Child,
    /// Where it listens, if not at the socket in its folder.
    port: Option<u16>,
}

impl Cluster {
    pub fn start() -> Self {
        Self::start_as("")
    }

    /// One that is reached over TLS alone, at a port of its own, with a certificate that only its folder knows.
    pub fn start_with_tls() -> Self {
        // Free a moment ago; another process that takes it in between makes the story fail loudly.
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let mut cluster = Self::start_as(&format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
                 -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost \
                 -keyout $data/server.key -out $data/server.crt 2>/dev/null; \
             echo 'hostssl all all 127.0.0.1/32 trust' >$data/pg_hba.conf; \
             echo \"listen_addresses = '127.0.0.1'\nport = {port}\nssl = on\" >>$data/postgresql.conf;",
        ));
        cluster.port = Some(port);
        cluster
    }

    /// The certificate that its clients may trust.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("data/server.crt")
    }

    /// `prepare` is done once there is a data folder, `$data`.
    fn start_as(prepare: &str) -> Self {
        let folder = std::env::temp_dir().join(format!(
            "story-postgres-{}",
            Uuid::from_bytes(sync_server::identity::random()).simple()
        ));
        let binaries = binaries();
        let script = format!(
            "set -e; PATH={binaries}:$PATH; mkdir -m 700 {folder}; \
             trap 'pg_ctl -D {folder}/data -m immediate -w stop >/dev/null 2>&1; rm -rf {folder}' EXIT; \
             initdb -D {folder}/data -U postgres -A trust -E UTF8 --no-locale >/dev/null; \
             echo \"listen_addresses = ''\" >>{folder}/data/postgresql.conf; \
             data={folder}/data; {prepare} {start}; echo ready; cat >/dev/null",
            binaries = binaries.display(),
            folder = folder.display(),
            start = start_words(&folder),
        );
        let mut keeper = as_postgres(&script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut said = String::new();
        let out = keeper.stdout.take().expect("piped");
        std::io::BufReader::new(out)
            .read_line(&mut said)
            .expect("readable");
        assert_eq!(said.trim(), "ready", "the private Postgres cluster did not start");
        Self {
            folder,
            keeper,
            port: None,
        }
    }

    pub fn url(&self) -> String {
        if let Some(port) = self.port {
            return format!("postgres://postgres@localhost:{port}/postgres?sslmode=require");
        }
        format!(
            "postgres://postgres@localhost/postgres?host={}",
            self.folder.display()
        )
    }

    /// Ends its processes at once, as `kill -9` does: what was not committed is gone.
    pub fn kill(&self) {
        self.control(&format!(
            "pg_ctl -D {}/data -m immediate -w stop",
            self.folder.display()
        ));
    }

    pub fn restart(&self) {
        self.control(&start_words(&self.folder));
    }

    fn control(&self, words: &str) {
        let script = format!("PATH={}:$PATH; {words} >/dev/null", binaries().display());
        let status = as_postgres(&script)
            .stdin(Stdio::null())
            .status()
            .expect("a shell");
        assert!(status.success(), "{words}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Processes die in these stories, machines do not, so nothing has to wait for the disk.
fn start_words(folder: &Path) -> String {
    let folder = folder.display();
    format!("pg_ctl -D {folder}/data -l {folder}/log -w -o \"-k {folder} -c fsync=off\" start >/dev/null")
}

/// Postgres refuses to run as root; then its own user does.
fn as_postgres(script: &str) -> Command {
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    let mut command = if is_root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh", "-c", script]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    };
    command.current_dir("/");
    command
}

/// The newest installed Postgres.
fn binaries() -> PathBuf {
    let versions =
        std::fs::read_dir("/usr/lib/postgresql").expect("Postgres is installed, or TEST_DATABASE_URL is set");
    let mut found: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().expect("a Postgres with initdb").1
}
