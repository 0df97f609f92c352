//! `cargo xtask run`: from a fresh clone to a clinic on the screen.

use std::path::PathBuf;

use anyhow::Result;

use crate::command::{cargo, program, root, run as run_command, target_dir};
use crate::set_up::{self, Purpose};
use crate::web;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the clinic listens
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the clinic's database and files are kept
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// How many patients the demo clinic gets when the folder is new
    #[arg(long, default_value_t = 200)]
    patients: u32,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    set_up::ensure(&[Purpose::Build, Purpose::Web])?;
    let web = web::build(&web::Options::default())?;
    run_command(cargo().args(["build", "--release", "--package", "sync-server"]))?;

    let data = root().join(&options.data);
    std::fs::create_dir_all(&data)?;
    let server = |words: &[&str]| {
        let mut command = program(target_dir().join("release/sync-server"));
        command
            // A demo never touches a database that the shell happens to name.
            .env_remove("DATABASE_URL")
            .env("DATA_DIR", &data)
            .env("WEB_DIR", &web)
            .env("LISTEN", format!("127.0.0.1:{}", options.port))
            .args(words);
        command
    };
    // Seeds an empty folder only, and prints the demo's accounts every time.
    run_command(&mut server(&[
        "admin",
        "demo",
        "--patients",
        &options.patients.to_string(),
    ]))?;
    println!(
        "\nThe clinic opens at http://localhost:{}. Ctrl-C stops it.\n",
        options.port
    );
    run_command(&mut server(&["serve"]))
}
