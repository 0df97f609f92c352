//! `cargo xtask test`: every check that CI runs, stage by stage.
//!
//! A failing stage does not hide the ones behind it; the end says which failed and how to run just those again.

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command::{self, cargo, program, root, run};
use crate::postgres::{Flushing, ThrowAwayPostgres};
use crate::set_up::{self, Purpose};
use crate::web;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only what takes little time: formatting, lints, tests in Rust
    #[arg(long)]
    fast: bool,
    /// Only this stage; may be given several times
    #[arg(long, value_name = "STAGE", value_parser = clap::builder::PossibleValuesParser::new(STAGES.map(|stage| stage.name)))]
    only: Vec<String>,
}

struct Stage {
    name: &'static str,
    needs: &'static [Purpose],
    /// Part of `--fast`.
    fast: bool,
    run: fn() -> Result<Counted>,
}

/// How many tests a stage ran. Checks that are no tests, like formatting, count none.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    passed: u64,
    failed: u64,
    /// The runner ended badly, even if no single test did.
    broken: bool,
}

/// Whatever compiles the whole workspace needs the desktop's libraries, since the app's default is the desktop.
const STAGES: [Stage; 10] = [
    Stage {
        name: "format",
        needs: &[Purpose::Lint],
        fast: true,
        run: format,
    },
    Stage {
        name: "lint",
        needs: &[Purpose::Build, Purpose::Desktop, Purpose::Lint],
        fast: true,
        run: lint,
    },
    Stage {
        name: "lint-web",
        needs: &[Purpose::Web, Purpose::Lint],
        fast: false,
        run: lint_web,
    },
    Stage {
        name: "licences",
        needs: &[Purpose::Licences],
        fast: false,
        run: licences,
    },
    Stage {
        name: "tests",
        needs: &[
            Purpose::Build,
            Purpose::Desktop,
            Purpose::Tests,
            Purpose::Postgres,
        ],
        fast: true,
        run: tests,
    },
    Stage {
        name: "simulation",
        needs: &[Purpose::Build, Purpose::Desktop],
        fast: false,
        run: simulation,
    },
    Stage {
        name: "doc-tests",
        needs: &[Purpose::Build, Purpose::Desktop],
        fast: true,
        run: doc_tests,
    },
    Stage {
        name: "web",
        needs: &[Purpose::Web],
        fast: false,
        run: build_web,
    },
    Stage {
        name: "browser",
        needs: &[
            Purpose::Build,
            Purpose::Desktop,
            Purpose::Web,
            Purpose::Browser,
            Purpose::Postgres,
        ],
        fast: false,
        run: browser,
    },
    Stage {
        name: "desktop",
        needs: &[Purpose::Build, Purpose::Desktop],
        fast: false,
        run: desktop,
    },
];

pub(crate) fn test(options: &Options) -> Result<()> {
    let chosen: Vec<&Stage> = STAGES
        .iter()
        .filter(|stage| match (options.only.is_empty(), options.fast) {
            (false, _) => options.only.iter().any(|name| name == stage.name),
            (true, true) => stage.fast,
            (true, false) => true,
        })
        .collect();

    let mut ends = Vec::new();
    for stage in chosen {
        println!("\n── {} ──", stage.name);
        let started = Instant::now();
        let counted = set_up::ensure(stage.needs).and_then(|()| (stage.run)());
        let (counted, good) = match counted {
            Ok(counted) => (counted, !counted.broken && counted.failed == 0),
            Err(error) => {
                eprintln!("{error:#}");
                (Counted::default(), false)
            }
        };
        println!(
            "── {}: {} in {}",
            stage.name,
            if good { "passed" } else { "FAILED" },
            time(started.elapsed())
        );
        ends.push(End {
            name: stage.name,
            good,
            counted,
            took: started.elapsed(),
        });
    }
    println!("\n{}", summary(&ends));
    if ends.iter().any(|end| !end.good) {
        bail!("a stage failed");
    }
    Ok(())
}

fn format() -> Result<Counted> {
    check(cargo().args(["fmt", "--all", "--check"]))
}

fn lint() -> Result<Counted> {
    check(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn lint_web() -> Result<Counted> {
    check(
        cargo()
            .args(["clippy", "--package", "app", "--target", "wasm32-unknown-unknown"])
            .args([
                "--no-default-features",
                "--features",
                "web",
                "--",
                "-D",
                "warnings",
            ])
            .envs(set_up::wasm_compiler_env()),
    )
}

fn licences() -> Result<Counted> {
    check(cargo().args([
        "deny",
        "--workspace",
        "--all-features",
        "check",
        "licenses",
        "bans",
        "sources",
    ]))?;
    // The list of known holes comes from the network; a machine without one still checks everything else.
    if command::succeeds(cargo().args(["deny", "fetch", "db"])) {
        return check(cargo().args([
            "deny",
            "--workspace",
            "--all-features",
            "check",
            "--disable-fetch",
            "advisories",
        ]));
    }
    println!("The list of known security holes cannot be reached from here: that check is left out.");
    Ok(Counted::default())
}

fn tests() -> Result<Counted> {
    let postgres = ThrowAwayPostgres::start(Flushing::Never)?;
    counting(
        cargo()
            .args(["nextest", "run", "--workspace", "--no-fail-fast"])
            .env("TEST_DATABASE_URL", postgres.url())
            // A test that cannot reach its database fails here, where it must be reachable.
            .env("REQUIRE_POSTGRES", "1"),
    )
}

/// A few hundred seeds, of the build that the tests have made; `cargo xtask simulate` runs thousands.
fn simulation() -> Result<Counted> {
    build_binaries()?;
    let simulation = command::target_dir().join("debug/simulation");
    check(program(simulation).args(["--seeds", "300"]))
}

fn doc_tests() -> Result<Counted> {
    counting(cargo().args(["test", "--doc", "--workspace"]))
}

fn build_web() -> Result<Counted> {
    web::build(&web::Options::default())?;
    Ok(Counted::default())
}

fn browser() -> Result<Counted> {
    let web = web::build(&web::Options::default())?;
    build_binaries()?;
    let e2e = root().join("e2e");
    run(program("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(&e2e))?;
    let postgres = ThrowAwayPostgres::start(Flushing::Never)?;
    counting(
        program("npm")
            .args(["test", "--silent"])
            .current_dir(&e2e)
            .env("CHROMIUM", set_up::chromium().context("the browser is gone")?)
            .env("SERVER", command::target_dir().join("debug/sync-server"))
            .env("WEB", web)
            .env("TEST_DATABASE_URL", postgres.url()),
    )
}

fn desktop() -> Result<Counted> {
    if cfg!(not(target_os = "linux")) {
        println!(
            "The window's story is told on an X server, which this system does not have: it is left out."
        );
        return Ok(Counted::default());
    }
    build_binaries()?;
    let built = command::target_dir().join("debug");
    counting(program(built.join("window")).arg("--app").arg(built.join("app")))
}

/// Together with the tests, because then cargo takes the same features as nextest did and compiles nothing twice.
fn build_binaries() -> Result<()> {
    run(cargo().args(["build", "--workspace", "--bins", "--tests"]))
}

fn check(command: &mut Command) -> Result<Counted> {
    run(command)?;
    Ok(Counted::default())
}

/// Runs a test runner, shows what it prints as it comes, and reads its counts.
fn counting(command: &mut Command) -> Result<Counted> {
    println!("$ {}", command::line(command));
    // Nextest writes to standard error, the others to standard output.
    let (reader, writer) = std::io::pipe()?;
    command
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .stdin(Stdio::null());
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command
        .spawn()
        .with_context(|| format!("could not start {}", command::line(command)))?;
    // The pipe ends when its last writer is gone; `command` still holds two.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut counted = Counted::default();
    let mut out = std::io::stdout();
    for line in BufReader::new(reader).split(b'\n') {
        let line = line?;
        out.write_all(&line)?;
        out.write_all(b"\n")?;
        if let Some((passed, failed)) = counts(&plain(&String::from_utf8_lossy(&line))) {
            counted.passed += passed;
            counted.failed += failed;
        }
    }
    counted.broken = !child.wait()?.success();
    Ok(counted)
}

/// (passed, failed) where the line is a runner's summary.
fn counts(line: &str) -> Option<(u64, u64)> {
    // cargo test: "test result: ok. 3 passed; 0 failed; 1 ignored; …", which nextest repeats, indented, of each test that failed
    let is_result = line.starts_with("test result:");
    let line = line.trim();
    // nextest:    "Summary [   1.203s] 12 tests run: 11 passed (1 slow), 1 failed, 3 skipped"
    if is_result || (line.starts_with("Summary [") && line.contains("run:")) {
        let failed = before(line, "failed") + before(line, "timed out");
        return Some((before(line, "passed"), failed));
    }
    // node's test runner: "# pass 12" / "ℹ pass 12", and the same with "fail".
    let words: Vec<_> = line.split_whitespace().collect();
    match words[..] {
        ["#" | "ℹ", "pass", number] => Some((number.parse().ok()?, 0)),
        ["#" | "ℹ", "fail", number] => Some((0, number.parse().ok()?)),
        _ => None,
    }
}

/// The number before a word: 11 in "11 passed".
fn before(line: &str, word: &str) -> u64 {
    line.split_once(&format!(" {word}"))
        .and_then(|(number, _)| number.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// Without the colours of a terminal.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, text)| text));
    }
    plain
}

struct End {
    name: &'static str,
    good: bool,
    counted: Counted,
    took: Duration,
}

/// The last line is the whole run's count, in the form that programs read.
fn summary(ends: &[End]) -> String {
    let mut lines = Vec::new();
    for end in ends {
        let tests = match end.counted {
            Counted {
                passed: 0, failed: 0, ..
            } => String::new(),
            Counted { passed, failed, .. } => format!("{passed} passed, {failed} failed"),
        };
        let word = if end.good { "ok" } else { "FAILED" };
        lines.push(
            format!("{:<10} {word:<7} {:>9}  {tests}", end.name, time(end.took))
                .trim_end()
                .to_owned(),
        );
    }
    let took: Duration = ends.iter().map(|end| end.took).sum();
    lines.push(format!("{:<18} {:>9}", "together", time(took)));
    for end in ends.iter().filter(|end| !end.good) {
        lines.push(format!("run it again: cargo xtask test --only {}", end.name));
    }
    let passed: u64 = ends.iter().map(|end| end.counted.passed).sum();
    let failed: u64 = ends.iter().map(|end| end.counted.failed).sum();
    lines.push(format!("{passed} passed, {failed} failed"));
    lines.join("\n")
}

fn time(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{}:{:02} min", took.as_secs() / 60, took.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_every_runners_summary() {
        let check = |line: &str, expected| assert_eq!(counts(&plain(line)), expected, "{line}");
        check(
            "     Summary [   0.012s] 3 tests run: 3 passed, 0 skipped",
            Some((3, 0)),
        );
        check(
            "     Summary [   9.1s] 12/14 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 4 skipped",
            Some((9, 3)),
        );
        check(
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.4s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m passed",
            Some((1, 0)),
        );
        check(
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
            Some((3, 1)),
        );
        // Of one of those that the summary counts already.
        check(
            "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 486 filtered out",
            None,
        );
        check("# pass 12", Some((12, 0)));
        check("ℹ fail 2", Some((0, 2)));
        check("test records::weights ... ok", None);
    }

    #[test]
    fn the_summary_names_the_stage_to_run_again_and_ends_with_the_count() {
        let end = |name, good, passed, failed| End {
            name,
            good,
            counted: Counted {
                passed,
                failed,
                broken: !good,
            },
            took: Duration::from_secs(75),
        };
        let text = summary(&[end("format", true, 0, 0), end("tests", false, 40, 2)]);
        assert!(text.contains("cargo xtask test --only tests"), "{text}");
        assert!(!text.contains("--only format"), "{text}");
        assert_eq!(text.lines().last(), Some("40 passed, 2 failed"));
    }
}
