//! The real server as a process of its own, to be killed.

use crate::database::MASTER_KEY;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub const BINARY: &str = env!("CARGO_BIN_EXE_sync-server");

pub struct Process {
    pub child: Child,
    pub address: SocketAddr,
}

/// A database with the demonstration clinic's people, and no patients.
pub fn with_demonstration() -> TempDir {
    let data = TempDir::new().expect("a temporary folder");
    let made = Command::new(BINARY)
        .args(["admin", "demo", "--patients", "0", "--data"])
        .arg(data.path())
        .env_remove("DATABASE_URL")
        .stdout(Stdio::null())
        .status()
        .expect("it runs");
    assert!(made.success());
    data
}

impl Process {
    pub fn start(data: &Path) -> Self {
        Self::start_logging(data, Stdio::null())
    }

    pub fn start_logging(data: &Path, log: Stdio) -> Self {
        Self::serve(Command::new(BINARY).arg("--data").arg(data), log)
    }

    /// One line of JSON for whatever it logs.
    pub fn start_logging_json(data: &Path, log: Stdio) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("--data").arg(data).args(["--log-format", "json"]);
        Self::serve(&mut command, log)
    }

    /// A node on a Postgres database.
    pub fn on_database(url: &str) -> Self {
        let mut command = Command::new(BINARY);
        command
            .args(["--database-url", url])
            .env("MASTER_KEY", MASTER_KEY);
        Self::serve(&mut command, Stdio::null())
    }

    fn serve(command: &mut Command, log: Stdio) -> Self {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_remove("DATABASE_URL")
            .stdout(Stdio::piped())
            .stderr(log)
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
    pub fn kill(mut self) {
        self.child.kill().expect("it was running");
        self.child.wait().expect("it ended");
    }
}
