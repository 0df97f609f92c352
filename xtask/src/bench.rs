//! `cargo xtask bench`: what the project promises, goal beside figure.
//!
//! A bench is a function that returns rows; one that needs another binary calls [`rows_of`].

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::command;
use crate::postgres::{Flushing, ThrowAwayPostgres};
use crate::set_up::{self, Purpose};
use crate::web;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which ones; all without a name
    names: Vec<String>,
    /// Also write the rows as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

struct Bench {
    name: &'static str,
    what: &'static str,
    rows: fn() -> Result<Vec<Row>>,
}

/// Every bench that there is.
const BENCHES: &[Bench] = &[
    Bench {
        name: "web-size",
        what: "what a browser downloads on the first visit",
        rows: web_size,
    },
    Bench {
        name: "sync",
        what: "the first sync of a device with up to 50,000 documents",
        rows: || native("sync"),
    },
    Bench {
        name: "live",
        what: "from an edit on one device to the screen of another, on either database",
        rows: || native_on_both("live"),
    },
    Bench {
        name: "accept",
        what: "how many changes the server makes durable, against raw inserts of the same bytes, on either database",
        rows: || native_on_both("accept"),
    },
    Bench {
        name: "wire",
        what: "bytes on the wire against the size of the changes, and of a reconnect",
        rows: || native("wire"),
    },
    Bench {
        name: "fan-out",
        what: "one edit to 500 devices",
        rows: || native("fan-out"),
    },
    Bench {
        name: "idle",
        what: "10,000 connections that have nothing to do",
        rows: || native("idle"),
    },
    Bench {
        name: "nodes",
        what: "from an edit at one node to the screen of a device at another",
        rows: || native_on_postgres("nodes"),
    },
    Bench {
        name: "kill",
        what: "kill -9 of server, node and database while 100 devices write",
        rows: || {
            set_up::ensure(&[Purpose::Postgres])?;
            native("kill")
        },
    },
    Bench {
        name: "compaction",
        what: "what a database takes against the documents in it, before and after compaction, on either database",
        rows: || native_on_both("compaction"),
    },
    Bench {
        name: "search",
        what: "search on a device with 50,000 patients",
        rows: || native("search"),
    },
    Bench {
        name: "unlock",
        what: "from a PIN to the records' key, and in a browser to a colleague's day with 20,000 documents",
        rows: || {
            let mut rows = native("unlock")?;
            rows.extend(browser("unlock")?);
            Ok(rows)
        },
    },
    Bench {
        name: "sign-in",
        what: "an edit on its way to another screen beside people who sign in without a pause, on either database",
        rows: || native_on_both("sign-in"),
    },
    Bench {
        name: "memory",
        what: "the server with 100 devices attached",
        rows: || native("memory"),
    },
    Bench {
        name: "browser-command",
        what: "from a key to the screen in a browser with 20,000 documents, durable in between",
        rows: || browser("command"),
    },
    Bench {
        name: "browser-search",
        what: "search in a browser with 50,000 patients",
        rows: || browser("search"),
    },
    Bench {
        name: "browser-cold-start",
        what: "from opening the app without a server to a usable day, with 20,000 documents",
        rows: || browser("cold-start"),
    },
];

#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    value: f64,
    unit: String,
    /// As people read it, "≤ 5" or "≥ 200"; a figure without a promise has none.
    goal: Option<String>,
}

pub(crate) fn bench(options: &Options) -> Result<()> {
    let unknown: Vec<_> = options
        .names
        .iter()
        .filter(|name| !BENCHES.iter().any(|bench| bench.name == **name))
        .collect();
    if !unknown.is_empty() {
        let known: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
        bail!("no bench is called {unknown:?}; there are: {}", known.join(", "));
    }
    let mut all = Vec::new();
    for bench in BENCHES
        .iter()
        .filter(|bench| options.names.is_empty() || options.names.iter().any(|name| name == bench.name))
    {
        println!("{}: {}", bench.name, bench.what);
        all.extend((bench.rows)().with_context(|| format!("the bench {}", bench.name))?);
    }
    println!("\n{}", table(&all));
    if let Some(file) = &options.json {
        fs::write(file, serde_json::to_vec_pretty(&all)?)
            .with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

/// Rows from a program that prints them as a JSON array on standard output.
fn rows_of(program: &mut Command) -> Result<Vec<Row>> {
    println!("$ {}", command::line(program));
    let output = program.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("`{}` ended with {}", command::line(program), output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The figures that the crate `stories` measures.
fn native(which: &str) -> Result<Vec<Row>> {
    native_with(which, None)
}

/// The same on the embedded database and then on a Postgres that flushes as one that people trust does.
fn native_on_both(which: &str) -> Result<Vec<Row>> {
    let mut rows = native(which)?;
    rows.extend(native_on_postgres(which)?);
    Ok(rows)
}

fn native_on_postgres(which: &str) -> Result<Vec<Row>> {
    set_up::ensure(&[Purpose::Postgres])?;
    let postgres = ThrowAwayPostgres::start(Flushing::Durable)?;
    native_with(which, Some(&postgres.url()))
}

fn native_with(which: &str, database: Option<&str>) -> Result<Vec<Row>> {
    command::run(command::cargo().args([
        "build",
        "--release",
        "--package",
        "stories",
        "--package",
        "sync-server",
    ]))?;
    let release = command::target_dir().join("release");
    rows_of(
        command::program(release.join("bench"))
            .arg(which)
            .arg(release.join("sync-server"))
            .args(database),
    )
}

/// The figures that e2e/bench.mjs measures in a real browser.
fn browser(which: &str) -> Result<Vec<Row>> {
    set_up::ensure(&[Purpose::Build, Purpose::Web, Purpose::Browser])?;
    let web = web::build(&web::Options::default())?;
    command::run(command::cargo().args(["build", "--release", "--package", "sync-server"]))?;
    let e2e = command::root().join("e2e");
    command::run(
        command::program("npm")
            .args(["ci", "--no-audit", "--no-fund", "--silent"])
            .current_dir(&e2e),
    )?;
    rows_of(
        command::program("node")
            .args(["bench.mjs", which])
            .current_dir(&e2e)
            .env("CHROMIUM", set_up::chromium().context("the browser is gone")?)
            .env("SERVER", command::target_dir().join("release/sync-server"))
            .env("WEB", web),
    )
}

fn web_size() -> Result<Vec<Row>> {
    let dist = web::build(&web::Options::default())?;
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(dist.join("manifest.json"))?)?;
    let mut wasm = 0;
    let mut total = 0;
    for file in manifest["files"].as_array().context("files")? {
        let path = file["path"].as_str().context("a path")?;
        let compressed = dist.join(format!("{path}.br"));
        let size = fs::metadata(if compressed.exists() {
            compressed
        } else {
            dist.join(path)
        })?
        .len();
        total += size;
        if path.ends_with(".wasm") {
            wasm += size;
        }
    }
    let row = |name: &str, bytes: u64, goal: Option<&str>| Row {
        name: name.to_owned(),
        value: bytes as f64,
        unit: "bytes".to_owned(),
        goal: goal.map(str::to_owned),
    };
    Ok(vec![
        row("bundle_wasm_wire_bytes", wasm, None),
        row("bundle_wire_bytes", total, Some("≤ 1600000")),
    ])
}

fn table(rows: &[Row]) -> String {
    let mut lines = vec![format!("{:<44} {:>12} {:<8} {:>12}  ", "", "figure", "", "goal")];
    for row in rows {
        let goal = row.goal.as_deref().unwrap_or("");
        let verdict = match row.goal.as_deref().and_then(|goal| reached(row.value, goal)) {
            Some(true) => "reached",
            Some(false) => "MISSED",
            None => "",
        };
        lines.push(format!(
            "{:<44} {:>12} {:<8} {:>12}  {verdict}",
            row.name,
            figure(row.value),
            row.unit,
            goal
        ));
    }
    lines
        .iter()
        .map(|line| line.trim_end())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Three significant digits are what a measurement on one machine is worth.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// None where the goal is not a limit.
fn reached(value: f64, goal: &str) -> Option<bool> {
    let (sign, limit) = goal.split_once(' ')?;
    let limit: f64 = limit.parse().ok()?;
    match sign {
        "≤" => Some(value <= limit),
        "≥" => Some(value >= limit),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_reached_or_missed_in_its_direction() {
        let check = |value, goal, expected| assert_eq!(reached(value, goal), expected, "{value} {goal}");
        check(4.9, "≤ 5", Some(true));
        check(5.1, "≤ 5", Some(false));
        check(5.1, "≥ 5", Some(true));
        check(5.1, "as fast as typing", None);
    }

    #[test]
    fn the_table_shows_the_goal_beside_the_figure() {
        let row = Row {
            name: "commit".into(),
            value: 1.834,
            unit: "ms".into(),
            goal: Some("≤ 5".into()),
        };
        let table = table(&[row]);
        let line = table.lines().last().expect("a row");
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>(),
            ["commit", "1.83", "ms", "≤", "5", "reached"]
        );
    }
}
