//! What can die: server processes, and the database below them.

use super::Victim;
use crate::{MASTER_KEY, master_keys};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use sync_server::storage::Storage;
use sync_server::storage::postgres::PostgresStorage;
use sync_server::storage::sqlite::SqliteStorage;
use tempfile::TempDir;
use throw_away_postgres::Cluster;

/// Where the clinic's data lie.
pub(super) enum Data {
    Embedded(TempDir),
    Postgres(Cluster),
}

impl Data {
    pub(super) fn new(victim: Victim) -> Self {
        match victim {
            Victim::Server => Self::Embedded(tempfile::tempdir().expect("a temporary folder")),
            Victim::Node | Victim::Database => Self::Postgres(Cluster::start_durable()),
        }
    }

    pub(super) async fn open(&self) -> Arc<dyn Storage> {
        match self {
            Self::Embedded(folder) => Arc::new(
                SqliteStorage::open(&folder.path().join("clinic.db"), master_keys())
                    .expect("the database opens"),
            ),
            Self::Postgres(cluster) => Arc::new(
                PostgresStorage::connect(&cluster.url(), master_keys())
                    .await
                    .expect("the database answers"),
            ),
        }
    }

    pub(super) fn kill_database(&self) {
        if let Self::Postgres(cluster) = self {
            cluster.kill();
        }
    }

    pub(super) fn restart_database(&self) {
        if let Self::Postgres(cluster) = self {
            cluster.restart();
        }
    }
}

/// A server process.
pub(super) struct Node {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Node {
    pub(super) fn start(server: &Path, data: &Data) -> Self {
        Self::start_at(server, data, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    fn start_at(server: &Path, data: &Data, address: SocketAddr) -> Self {
        let mut command = Command::new(server);
        command.args(["--log", "error", "serve", "--listen", &address.to_string()]);
        match data {
            Data::Embedded(folder) => command
                .arg("--data")
                .arg(folder.path())
                .env_remove("DATABASE_URL"),
            Data::Postgres(cluster) => command.args(["--database-url", &cluster.url()]),
        };
        let mut child = command
            .env("MASTER_KEY", MASTER_KEY)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("it says where it listens");
        let address = line.trim().rsplit('/').next().expect("an address");
        Self {
            address: address.parse().expect("an address"),
            child,
        }
    }

    /// As `kill -9` does.
    pub(super) fn kill(&mut self) {
        self.child.kill().expect("it was running");
        self.child.wait().expect("it ended");
    }

    /// Starts it again, at the same address.
    pub(super) fn revive(&mut self, server: &Path, data: &Data) {
        *self = Self::start_at(server, data, self.address);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may be dead already, which is what it is for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
