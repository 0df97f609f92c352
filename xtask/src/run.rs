//! `cargo xtask run`: from a fresh clone to a clinic on the screen.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{cargo, program, root, run as run_command, target_dir};
use crate::set_up::{self, Purpose};
use crate::web;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the clinic listens
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the clinic's database is kept
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// How many patients the demonstration clinic gets when the folder is new
    #[arg(long, default_value_t = 2_000)]
    patients: u32,
    /// Begin with a new demonstration clinic whose working day is today; the former one is kept beside it
    #[arg(long)]
    fresh: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    set_up::ensure(&[Purpose::Build, Purpose::Web])?;
    let web = web::build(&web::Options::default())?;
    run_command(cargo().args(["build", "--release", "--package", "sync-server"]))?;

    let data = root().join(&options.data);
    if options.fresh && data.exists() {
        let aside = free_name(&data);
        fs::rename(&data, &aside).with_context(|| format!("moving {} aside", data.display()))?;
        println!("The former clinic is kept in {}.", aside.display());
    }
    if !data.join("clinic.db").exists() {
        // Made beside its place and moved there whole: a run that is interrupted leaves no half a clinic.
        let making = data.with_extension("new");
        if making.exists() {
            fs::remove_dir_all(&making)?;
        }
        println!(
            "Making a demonstration clinic with {} patients.",
            options.patients
        );
        run_command(server(&making).args(["admin", "demo", "--patients", &options.patients.to_string()]))?;
        if data.exists() {
            fs::remove_dir(&data).with_context(|| format!("{} holds something else", data.display()))?;
        }
        fs::rename(&making, &data)?;
    }
    println!(
        "\nThe clinic opens at http://localhost:{}. Ctrl-C stops it.\n",
        options.port
    );
    run_command(
        server(&data)
            .env("WEB", &web)
            .env("LISTEN", format!("127.0.0.1:{}", options.port))
            .arg("serve"),
    )
}

/// The server on the embedded database in a folder.
fn server(data: &Path) -> Command {
    let mut command = program(target_dir().join("release/sync-server"));
    // A demonstration never touches a database that the shell happens to name.
    command.env_remove("DATABASE_URL").env("DATA", data);
    command
}

fn free_name(data: &Path) -> PathBuf {
    (1..)
        .map(|number| data.with_extension(format!("before-{number}")))
        .find(|name| !name.exists())
        .expect("there are more numbers than folders")
}
