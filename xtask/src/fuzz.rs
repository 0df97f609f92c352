//! `cargo xtask fuzz`: hostile bytes for everything that reads bytes from elsewhere, with libFuzzer on the ordinary
//! compiler.
//!
//! What is found is kept under `fuzz/corpus/TARGET/found-…`, where the tests of the crate try it again forever.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command::{self, cargo, output, program, root, run};
use crate::set_up::{self, Purpose};

const TARGETS: [&str; 4] = ["frames", "documents", "pushes", "device"];

/// Coverage for libFuzzer, and the checks of a debug build.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions=on -Coverflow-checks=on";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which ones; all without a name, one after the other
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(TARGETS))]
    targets: Vec<String>,
    /// How long each
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
}

pub(crate) fn fuzz(options: &Options) -> Result<()> {
    set_up::ensure(&[Purpose::Build])?;
    let host = host()?;
    let target_dir = command::target_dir().join("fuzz");
    run(cargo()
        .args(["build", "--release", "--package", "fuzz", "--bins"])
        .args(["--features", "libfuzzer", "--config", "profile.release.lto=false"])
        // Named, so that build scripts and macros are compiled without the flags.
        .args(["--target", &host])
        .arg("--target-dir")
        .arg(&target_dir)
        .env("RUSTFLAGS", FLAGS))?;
    let mut failed = Vec::new();
    for target in TARGETS
        .iter()
        .filter(|target| options.targets.is_empty() || options.targets.iter().any(|name| name == *target))
    {
        let seeds = root().join("fuzz/corpus").join(target);
        // What libFuzzer finds interesting grows large and stays out of the repository.
        let grown = target_dir.join("corpus").join(target);
        fs::create_dir_all(&grown).with_context(|| format!("creating {}", grown.display()))?;
        let binary = target_dir
            .join(&host)
            .join("release")
            .join(format!("fuzz-{target}"));
        let ended = run(program(&binary)
            .arg(format!("-max_total_time={}", options.minutes * 60))
            .args([
                "-max_len=65536",
                "-rss_limit_mb=4096",
                "-timeout=20",
                "-print_final_stats=1",
            ])
            .arg(format!("-artifact_prefix={}/found-", seeds.display()))
            .arg(&grown)
            .arg(&seeds));
        if let Err(error) = ended {
            eprintln!("{error:#}");
            failed.push(*target);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!(
        "findings for {}: the inputs are in {}; `cargo test -p fuzz` shows them",
        failed.join(", "),
        Path::new("fuzz/corpus").display()
    )
}

fn host() -> Result<String> {
    let about = output(program(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV"))?;
    about
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("rustc does not say what it compiles for")
}
