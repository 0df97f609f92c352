//! The server as a process of its own, so that its memory and its connections are its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Server {
    /// With a demonstration clinic of so many patients on the embedded database.
    pub(crate) fn start(binary: &Path, patients: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let command = |arguments: &[&str]| {
            let mut command = Command::new(binary);
            command
                .args(arguments)
                .arg("--data")
                .arg(folder.path().join("data"))
                .env_remove("DATABASE_URL")
                .env("RUST_LOG", "warn")
                // All of its devices are on this machine.
                .env("REQUESTS_AT_ONCE", "100000");
            command
        };
        let made = command(&["admin", "demo", "--patients", &patients.to_string()])
            .stdout(Stdio::null())
            .status();
        assert!(made.expect("it runs").success(), "a demonstration is made");
        let mut child = command(&["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it serves");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("it says where it listens");
        let address = line.trim().rsplit('/').next().expect("an address");
        Self {
            child,
            address: address.parse().expect("an address"),
            _folder: folder,
        }
    }

    /// Resident memory in megabytes.
    pub(crate) fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("Linux tells");
        let kilobytes: f64 = line
            .split_whitespace()
            .nth(1)
            .expect("a number")
            .parse()
            .expect("a number");
        kilobytes / 1_000.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the measurement has said already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
