//! Housekeeping: tokens of sign-ins that have run out are forgotten, so that the table holds the living; links, invitations
//! and mails likewise.
//!
//! Invariant: it changes nothing that anybody can see. A forgotten token is refused in the words of an expired one, and
//! every node of a server may do it at any time.

use crate::clock::Clock;
use crate::storage::Storage;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// At once and then `every` so often, until the server stops.
pub(crate) async fn forget_stale_sign_ins(
    storage: Arc<dyn Storage>,
    every: Duration,
    clock: Clock,
    stopping: CancellationToken,
) {
    let mut due = tokio::time::interval(every);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = due.tick() => {}
            () = stopping.cancelled() => return,
        }
        match storage.forget_stale_tokens(clock.now()).await {
            Ok(0) => {}
            Ok(tokens) => tracing::info!(tokens, "forgot stale sign-ins"),
            // The next round does what this one could not.
            Err(error) => tracing::warn!(%error, "stale sign-ins were not forgotten"),
        }
        match storage.people().forget_settled(clock.now()).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "forgot links, invitations and mails of long ago"),
            Err(error) => {
                tracing::warn!(%error, "links, invitations and mails of long ago were not forgotten")
            }
        }
    }
}
