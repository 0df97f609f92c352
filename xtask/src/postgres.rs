//! A private Postgres for one test run: in a temporary folder, on a port of its own, gone afterwards.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::command::{output, program, run, succeeds};
use crate::set_up;

/// Whether what is committed outlives the machine.
#[derive(Clone, Copy)]
pub(crate) enum Flushing {
    /// As in production: what a figure is measured on.
    Durable,
    /// Nothing in it outlives the run: the tests that kill a database kill one of their own.
    Never,
}

pub(crate) struct ThrowAwayPostgres {
    programs: PathBuf,
    folder: TempDir,
    server: Child,
    port: u16,
}

impl ThrowAwayPostgres {
    pub(crate) fn start(flushing: Flushing) -> Result<Self> {
        let programs = set_up::postgres_folder().context("Postgres' programs are gone")?;
        let folder = tempfile::Builder::new().prefix("clinic-postgres-").tempdir()?;
        if is_root() {
            run(program("chown").arg("postgres").arg(folder.path()))?;
        }
        let data = folder.path().join("data");
        output(
            unprivileged(&programs.join("initdb"))
                .args([
                    "--username=postgres",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                    "-D",
                ])
                .arg(&data),
        )?;
        // Asked of the system, so that two runs on one machine do not meet.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = std::fs::File::create(folder.path().join("log"))?;
        let server = unprivileged(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args([
                "-p",
                &port.to_string(),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "max_connections=200",
            ])
            .args(match flushing {
                Flushing::Durable => &[][..],
                Flushing::Never => &["-c", "fsync=off", "-c", "full_page_writes=off"],
            })
            .arg("-c")
            .arg(format!("unix_socket_directories={}", folder.path().display()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting postgres")?;
        let mut postgres = Self {
            programs,
            folder,
            server,
            port,
        };
        postgres.wait_until_ready()?;
        Ok(postgres)
    }

    /// For `TEST_DATABASE_URL`: a superuser, so that each test may make a database of its own.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        let port = self.port.to_string();
        while !succeeds(program(self.programs.join("pg_isready")).args([
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
        ])) {
            if self.server.try_wait()?.is_some() || Instant::now() > deadline {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                bail!("the throw-away Postgres did not start:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for ThrowAwayPostgres {
    fn drop(&mut self) {
        // By Postgres' own tool: the child may be the program that changed the user, not the server.
        let data = self.folder.path().join("data");
        let stop = output(
            unprivileged(&self.programs.join("pg_ctl"))
                .args(["stop", "-m", "immediate", "-D"])
                .arg(data),
        );
        if let Err(error) = stop {
            eprintln!(
                "the throw-away Postgres on port {} did not stop: {error:#}",
                self.port
            );
        }
        if let Err(error) = self.server.wait() {
            eprintln!(
                "the throw-away Postgres on port {} is not to be waited for: {error}",
                self.port
            );
        }
    }
}

/// Postgres refuses to run as root.
fn unprivileged(name: &Path) -> Command {
    let mut command = if is_root() {
        program("runuser")
    } else {
        program(name)
    };
    if is_root() {
        command.args(["-u", "postgres", "--"]).arg(name);
    }
    // The postgres user may not read the folder that the command was typed in.
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    output(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
