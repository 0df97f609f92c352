//! Any device on any node: what other nodes do on the same database reaches this node's sessions, commits and changed
//! rights alike.
//!
//! Invariant: a notification that was missed costs a delay and nothing else. Heads are compared whenever listening
//! begins (anew) and every so often, so that it does not matter how one got lost; and everybody is looked up again when
//! listening begins anew.

use super::fan_out::FanOut;
use super::look_again::LookAgain;
use crate::storage::{News, OtherNodes, Storage, Stored};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, sleep};
use tokio_util::sync::CancellationToken;

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Until the server stops, or at once where there are no other nodes.
pub(crate) async fn follow_other_nodes(
    storage: Arc<dyn Storage>,
    fan_out: FanOut,
    look_again: LookAgain,
    compare_every: Duration,
    stopping: CancellationToken,
) {
    let following = Following {
        storage,
        fan_out,
        look_again,
        compare_every,
    };
    tokio::select! {
        () = following.run() => {}
        () = stopping.cancelled() => {}
    }
}

struct Following {
    storage: Arc<dyn Storage>,
    fan_out: FanOut,
    look_again: LookAgain,
    compare_every: Duration,
}

impl Following {
    async fn run(&self) {
        let mut pause = SHORTEST_PAUSE;
        let mut deaf = false;
        loop {
            let began = Instant::now();
            match self.storage.listen().await {
                Ok(None) => return,
                Ok(Some(others)) => {
                    if std::mem::replace(&mut deaf, true) {
                        self.look_again.at_everybody();
                    }
                    self.hear(others).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "not listening to other nodes");
                    // Where nobody can listen, as behind some poolers, this is how their commits get here.
                    self.compare_and_report().await;
                }
            }
            if began.elapsed() > LONGEST_PAUSE {
                pause = SHORTEST_PAUSE;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Passes on what is heard until the connection breaks or turns out to be deaf.
    async fn hear(&self, mut others: Box<dyn OtherNodes>) {
        let mut due = tokio::time::interval(self.compare_every);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_something = true;
        loop {
            let mut next = pin!(others.next());
            let news = loop {
                tokio::select! {
                    news = &mut next => break news,
                    // The first time at once: what was committed before this connection listened is not heard of.
                    _ = due.tick() => {
                        let missed = self.compare_and_report().await;
                        if missed && !heard_something {
                            tracing::warn!("other nodes' commits are not heard of: listening anew");
                            return;
                        }
                        heard_something = false;
                    }
                }
            };
            match news {
                Ok(News::Committed { clinic, head }) => {
                    heard_something = true;
                    self.fan_out.heard_of(clinic, head);
                }
                Ok(News::Concerns(whom)) => self.look_again.at(whom),
                Err(error) => {
                    tracing::warn!(%error, "listening to other nodes ended");
                    return;
                }
            }
        }
    }

    async fn compare_and_report(&self) -> bool {
        self.compare().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the clinics' heads could not be compared");
            false
        })
    }

    /// Asks how far the clinics with sessions here are; whether anything was news.
    async fn compare(&self) -> Stored<bool> {
        let clinics = self.fan_out.clinics();
        if clinics.is_empty() {
            return Ok(false);
        }
        let mut news = false;
        for (clinic, head) in self.storage.heads(&clinics).await? {
            news |= self.fan_out.heard_of(clinic, head);
        }
        Ok(news)
    }
}
