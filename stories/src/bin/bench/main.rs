//! The figures that need no browser. Prints rows as JSON on standard output and what it does on standard error;
//! `cargo xtask bench` puts the goals beside them.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a measurement that cannot be made ends with its reason"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what it is for"
)]

mod accept;
mod compaction;
mod first_sync;
mod kill;
mod line;
mod live;
mod many;
mod nodes;
mod search;
mod server;
mod sign_in;
mod unlock;
mod wire;

use serde::Serialize;
use std::path::PathBuf;

#[derive(Serialize)]
pub(crate) struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    goal: Option<&'static str>,
}

pub(crate) fn row(
    name: impl Into<String>,
    value: f64,
    unit: &'static str,
    goal: Option<&'static str>,
) -> Row {
    Row {
        name: name.into(),
        value,
        unit,
        goal,
    }
}

/// The value below which so many percent of the measurements lie; sorts them.
pub(crate) fn percentile(times: &mut [f64], percent: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * percent / 100.0).round() as usize]
}

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `bench NAME SERVER [DATABASE]`: the server's binary, and the address of an empty Postgres database for the figures
/// that are also measured there.
fn main() {
    let mut arguments = std::env::args().skip(1);
    let which = arguments.next().unwrap_or_default();
    let server = PathBuf::from(arguments.next().unwrap_or_default());
    let database = arguments.next();
    let database = database.as_deref();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads");
    let rows = runtime.block_on(async {
        match which.as_str() {
            "sync" => first_sync::rows().await,
            "live" => live::rows(database).await,
            "search" => search::rows().await,
            "memory" => many::memory(&server).await,
            "idle" => many::idle(&server).await,
            "fan-out" => many::fan_out(&server).await,
            "accept" => accept::rows(database).await,
            "wire" => wire::rows().await,
            "nodes" => nodes::rows(database.expect("the address of a database")).await,
            "kill" => kill::rows(&server).await,
            "compaction" => compaction::rows(database).await,
            "unlock" => unlock::rows(),
            "sign-in" => sign_in::rows(database).await,
            other => panic!(
                "no figures are called {other:?}: sync, live, search, memory, idle, fan-out, accept, wire, nodes, \
                 kill, compaction, unlock, sign-in"
            ),
        }
    });
    println!("{}", serde_json::to_string(&rows).expect("rows are JSON"));
}
