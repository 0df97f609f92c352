//! A private Postgres cluster in a temporary folder, for stories in which the database dies too.
//!
//! Invariant: it is gone when its owner is, even if its owner was killed.

#![allow(
    clippy::expect_used,
    reason = "a story that cannot be set up has failed, and says why"
)]

use std::io::BufRead;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A running cluster, reached by a socket in its folder unless it has a port.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    /// Ends the cluster and removes its folder when its standard input closes, so also when this process dies.
    keeper: Child,
    /// Where it listens, if not at the socket in its folder.
    port: Option<u16>,
    flushes: bool,
}

impl Cluster {
    /// Processes die in stories, machines do not, so nothing has to wait for the disk.
    pub fn start() -> Self {
        Self::start_as("", false)
    }

    /// One that flushes as one that people trust does: what a figure is measured on.
    pub fn start_durable() -> Self {
        Self::start_as("", true)
    }

    /// One that is reached over TLS alone, at a port of its own, with a certificate that only its folder knows.
    pub fn start_with_tls() -> Self {
        // Free a moment ago; another process that takes it in between makes the story fail loudly.
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let prepare = format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
                 -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost \
                 -keyout $data/server.key -out $data/server.crt 2>/dev/null; \
             echo 'hostssl all all 127.0.0.1/32 trust' >$data/pg_hba.conf; \
             echo \"listen_addresses = '127.0.0.1'\nport = {port}\nssl = on\" >>$data/postgresql.conf;",
        );
        let mut cluster = Self::start_as(&prepare, false);
        cluster.port = Some(port);
        cluster
    }

    /// The certificate that its clients may trust.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("data/server.crt")
    }

    /// `prepare` is done once there is a data folder, `$data`.
    fn start_as(prepare: &str, flushes: bool) -> Self {
        let folder = std::env::temp_dir().join(format!("story-postgres-{}", unique()));
        let binaries = binaries();
        let script = format!(
            "set -e; PATH={binaries}:$PATH; mkdir -m 700 {folder}; \
             trap 'pg_ctl -D {folder}/data -m immediate -w stop >/dev/null 2>&1; rm -rf {folder}' EXIT; \
             initdb -D {folder}/data -U postgres -A trust -E UTF8 --no-locale >/dev/null; \
             echo \"listen_addresses = ''\nmax_connections = 200\" >>{folder}/data/postgresql.conf; \
             data={folder}/data; {prepare} {start}; echo ready; cat >/dev/null",
            binaries = binaries.display(),
            folder = folder.display(),
            start = start_words(&folder, flushes),
        );
        let mut keeper = as_postgres(&script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Whoever kills the story with all its processes must not kill the one that clears up after it.
            .process_group(0)
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
            flushes,
        }
    }

    /// Its first database, as a superuser.
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
        self.control(&start_words(&self.folder, self.flushes));
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

/// A name that no other cluster of this machine has.
fn unique() -> String {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    format!("{}-{number}-{}", std::process::id(), since_1970.as_nanos())
}

fn start_words(folder: &Path, flushes: bool) -> String {
    let folder = folder.display();
    let fsync = if flushes { "on" } else { "off" };
    format!("pg_ctl -D {folder}/data -l {folder}/log -w -o \"-k {folder} -c fsync={fsync}\" start >/dev/null")
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
