//! Whatever dies in the middle of work, nothing acknowledged is lost. `cargo xtask bench kill` does it with 100 devices.

use std::path::Path;
use std::time::Duration;
use stories::kill::{Load, Victim, kill_under_load};

async fn nothing_is_lost(victim: Victim) {
    let load = Load {
        devices: 8,
        rounds: 2,
        pace: Duration::from_secs(1),
    };
    let outcome = kill_under_load(Path::new(env!("CARGO_BIN_EXE_node")), victim, load).await;
    assert_eq!(
        (outcome.lost, outcome.different, outcome.refused),
        (0, 0, 0),
        "{outcome:?}"
    );
    assert!(outcome.acknowledged >= 8 * (1 + 2), "there was load: {outcome:?}");
    assert_eq!(outcome.all_back.len(), 2, "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server() {
    nothing_is_lost(Victim::Server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_nodes() {
    nothing_is_lost(Victim::Node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database() {
    nothing_is_lost(Victim::Database).await;
}
