//! The desktop program in a real window, told as a story: a real server, a second device at the desk, real keys and
//! clicks. `cargo xtask test --only desktop` runs it; by hand:
//!
//! ```text
//! cargo build --workspace --bins && target/debug/window --app target/debug/app --pictures /tmp/pictures
//! ```
//!
//! Place in the flow: around all of it. Invariant: what a person does goes through the X server's keyboard and mouse;
//! the debug build's inspector is asked what the window shows, and never to do anything.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

mod acts;
mod app;
mod login_manager;
mod page;
mod screen;
mod told;

use anyhow::{Result, bail};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
struct Options {
    /// The desktop program, a debug build
    #[arg(long)]
    app: PathBuf,
    /// Keep pictures of the window here
    #[arg(long, value_name = "FOLDER")]
    pictures: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if !options.app.is_file() {
        bail!("there is no program {}", options.app.display());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut told = told::Told::default();
    let end = runtime.block_on(acts::tell(&options.app, options.pictures.as_deref(), &mut told));
    // An error that belongs to no act: the story could not even begin.
    if let Err(error) = end {
        println!("{error:#}");
        told.broke();
    }
    println!("{}", told.summary());
    Ok(if told.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
