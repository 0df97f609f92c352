//! `simulate`: runs seeds until one finds something, and runs a found one again.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal: what it prints is its result"
)]

use clap::Parser;
use simulation::{Class, Counts, Outcome, Replay, keep_panics_quiet, run};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

#[derive(Parser)]
struct Arguments {
    /// How many seeds to run, one after the other
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads that run seeds; as many as the machine has if nothing is said
    #[arg(long)]
    workers: Option<usize>,
    /// Runs the seed of this file again and compares what happens
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Without this class of faults; may be given several times
    #[arg(long, value_name = "CLASS", value_parser = class)]
    without: Vec<Class>,
    /// Goes on after a seed that found something
    #[arg(long)]
    keep_going: bool,
    /// Where replay files go
    #[arg(long, value_name = "FOLDER", default_value = "target/simulation")]
    folder: PathBuf,
    /// Prints everything that happened
    #[arg(long)]
    verbose: bool,
}

fn class(word: &str) -> Result<Class, String> {
    Class::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = Class::ALL.iter().map(|class| class.word()).collect();
        format!("one of {}", words.join(", "))
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    keep_panics_quiet();
    match &arguments.replay {
        Some(file) => replay(file),
        None => run_seeds(&arguments),
    }
}

fn replay(file: &std::path::Path) -> ExitCode {
    let kept = match Replay::read(file) {
        Ok(kept) => kept,
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            return ExitCode::FAILURE;
        }
    };
    let outcome = run(kept.seed, &kept.without());
    for line in &outcome.lines {
        println!("{line}");
    }
    if outcome.digest != kept.digest {
        let first = outcome
            .lines
            .iter()
            .zip(&kept.lines)
            .position(|(now, then)| now != then)
            .unwrap_or(outcome.lines.len().min(kept.lines.len()));
        println!(
            "another run than the kept one, from line {} on: the code has changed",
            first + 1
        );
    }
    match outcome.violation {
        Some(violation) => {
            println!("seed {}: {violation}", kept.seed);
            ExitCode::FAILURE
        }
        None => {
            println!("seed {}: everything holds", kept.seed);
            ExitCode::SUCCESS
        }
    }
}

#[derive(Default)]
struct Sum {
    runs: u64,
    counts: Counts,
    simulated: i64,
    found: Vec<u64>,
}

fn run_seeds(arguments: &Arguments) -> ExitCode {
    let began = Instant::now();
    let next = AtomicU64::new(arguments.seed);
    let end = arguments.seed.saturating_add(arguments.seeds);
    let stop = AtomicBool::new(false);
    let sum = Mutex::new(Sum::default());
    let workers = arguments
        .workers
        .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
        .unwrap_or(1);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let outcome = run(seed, &arguments.without);
                    let found = outcome.violation.is_some();
                    tell(arguments, &outcome);
                    if found && !arguments.keep_going {
                        stop.store(true, Ordering::Relaxed);
                    }
                    if let Ok(mut sum) = sum.lock() {
                        sum.add(&outcome);
                    }
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap_or_default();
    let took = began.elapsed().as_secs_f64();
    println!(
        "{} seeds in {took:.1} s ({:.0} ms each on {workers} threads): {} commands, {} frames, {} faults, {} deaths, \
         {} documents with refusals, {} people who left, {:.0} hours simulated; {} found something",
        sum.runs,
        took * 1_000.0 * workers as f64 / sum.runs.max(1) as f64,
        sum.counts.commands,
        sum.counts.frames,
        sum.counts.faults,
        sum.counts.deaths,
        sum.counts.refused,
        sum.counts.left,
        sum.simulated as f64 / 3_600_000.0,
        sum.found.len(),
    );
    if sum.found.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.simulated += outcome.time;
        self.counts.commands += outcome.counts.commands;
        self.counts.denied += outcome.counts.denied;
        self.counts.frames += outcome.counts.frames;
        self.counts.deaths += outcome.counts.deaths;
        self.counts.faults += outcome.counts.faults;
        self.counts.refused += outcome.counts.refused;
        self.counts.left += outcome.counts.left;
        if outcome.violation.is_some() {
            self.found.push(outcome.seed);
        }
    }
}

fn tell(arguments: &Arguments, outcome: &Outcome) {
    if arguments.verbose {
        for line in &outcome.lines {
            println!("{line}");
        }
    }
    let Some(violation) = &outcome.violation else {
        return;
    };
    match Replay::of(outcome, &arguments.without).write(&arguments.folder) {
        Ok(file) => println!(
            "seed {}: {violation}\n  again: cargo xtask simulate --replay {}",
            outcome.seed,
            file.display()
        ),
        Err(error) => println!(
            "seed {}: {violation} (its file could not be written: {error})",
            outcome.seed
        ),
    }
}
