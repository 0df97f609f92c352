//! The commands that a newcomer types: `cargo xtask run | test | web | bench | fuzz | docs | simulate`.
//!
//! Each command sets up what is missing before it starts, so that a bare machine needs to know only one line.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal: what it prints is its result"
)]

mod bench;
mod command;
mod docs;
mod fuzz;
mod mutations;
mod postgres;
mod run;
mod set_up;
mod simulate;
mod test;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Run, test and measure the clinic platform")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Build everything and start the clinic with a demo, ready to sign in
    Run(run::Options),
    /// Run every check that CI runs
    Test(test::Options),
    /// Build the browser app into dist/web
    Web(web::Options),
    /// Measure what the project promises, goal beside figure
    Bench(bench::Options),
    /// Try hostile bytes on everything that reads bytes from elsewhere
    Fuzz(fuzz::Options),
    /// Write the pages in docs/ that are made from code
    Docs,
    /// Run devices and server under one seeded clock, network and disk, and compare everything
    Simulate(simulate::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().what {
        What::Run(options) => run::run(&options),
        What::Test(options) => test::test(&options),
        What::Web(options) => web::build(&options).map(|_| ()),
        What::Bench(options) => bench::bench(&options),
        What::Fuzz(options) => fuzz::fuzz(&options),
        What::Docs => docs::docs(),
        What::Simulate(options) => simulate::simulate(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
