//! `kill -9` of server, node and database while 100 devices write: what was lost, and how long until all were back.

use crate::{Row, row};
use std::path::Path;
use std::time::Duration;
use stories::kill::{Load, Victim, kill_under_load};

const DEVICES: usize = 100;

pub(crate) async fn rows(server: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for (victim, name) in [
        (Victim::Server, "server"),
        (Victim::Node, "node"),
        (Victim::Database, "database"),
    ] {
        let load = Load {
            devices: DEVICES,
            rounds: 3,
            // An edit goes to all devices, which live on this machine too: about 10 edits a second between bursts.
            pace: Duration::from_secs(DEVICES as u64 / 10),
        };
        let outcome = kill_under_load(server, victim, load).await;
        eprintln!("{name}: {outcome:?}");
        let longest = |times: &[Duration]| times.iter().max().map_or(0.0, Duration::as_secs_f64);
        let none = Some("≤ 0");
        rows.extend([
            row(
                format!("kill_{name}_acknowledged"),
                outcome.acknowledged as f64,
                "changes",
                None,
            ),
            row(format!("kill_{name}_lost"), outcome.lost as f64, "changes", none),
            row(
                format!("kill_{name}_different"),
                outcome.different as f64,
                "documents",
                none,
            ),
            row(
                format!("kill_{name}_refused"),
                outcome.refused as f64,
                "changes",
                none,
            ),
            row(
                format!("kill_{name}_first_back_s"),
                longest(&outcome.first_back),
                "s",
                None,
            ),
            row(
                format!("kill_{name}_all_back_s"),
                longest(&outcome.all_back),
                "s",
                None,
            ),
            row(
                format!("kill_{name}_converged_s"),
                outcome.converged_in.as_secs_f64(),
                "s",
                None,
            ),
        ]);
    }
    rows
}
