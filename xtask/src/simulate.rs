//! `cargo xtask simulate`: many devices and the real server under one seeded clock, network and disk.

use std::path::PathBuf;

use anyhow::Result;

use crate::command::{self, cargo, program, run};
use crate::set_up::{self, Purpose};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many seeds to run, one after the other
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs the seed of this file again, event by event
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Without this class of faults; may be given several times
    #[arg(long, value_name = "CLASS")]
    without: Vec<String>,
    /// Goes on after a seed that found something
    #[arg(long)]
    keep_going: bool,
    /// Breaks the code on purpose, in a copy, and shows that each break is found
    #[arg(long)]
    mutations: bool,
}

pub(crate) fn simulate(options: &Options) -> Result<()> {
    set_up::ensure(&[Purpose::Build])?;
    if options.mutations {
        return crate::mutations::try_all();
    }
    run(cargo().args(["build", "--profile", "simulation", "--package", "simulation"]))?;
    let mut simulation = program(command::target_dir().join("simulation/simulation"));
    if let Some(file) = &options.replay {
        return run(simulation.arg("--replay").arg(std::path::absolute(file)?));
    }
    simulation.args([
        "--seeds",
        &options.seeds.to_string(),
        "--seed",
        &options.seed.to_string(),
    ]);
    for class in &options.without {
        simulation.args(["--without", class]);
    }
    if options.keep_going {
        simulation.arg("--keep-going");
    }
    run(&mut simulation)
}
