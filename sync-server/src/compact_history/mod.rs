//! Housekeeping: databases grow with content, not with chatter. What is old enough is kept once: in the merged
//! documents, which hold their whole history.
//!
//! Invariant: no change is lost by it, no reader notices, and accept never waits for longer than one small step. Every
//! node may do it at any time; a step that was cut off is done again. A trail that somebody has altered is left as it is.

mod plan;

use crate::clock::Clock;
use crate::heavy_work::HeavyWork;
use crate::storage::{Storage, StorageError, Stored};
use shared_model::ids::ClinicId;
use shared_model::time::Timestamp;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// How long single changes are kept for devices that were away, and how often it is looked for older ones.
#[derive(Clone, Copy, Debug)]
pub struct KeepChanges {
    /// A device that was away for longer gets the documents that changed, in whole.
    pub at_least: Duration,
    pub look_every: Duration,
}

impl Default for KeepChanges {
    fn default() -> Self {
        Self {
            at_least: Duration::from_secs(7 * 24 * 3_600),
            look_every: Duration::from_secs(3_600),
        }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    pub steps: usize,
    pub changes: usize,
    /// Of all steps, the one whose writing took longest.
    pub longest: Duration,
}

impl AddAssign for Compacted {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.changes += other.changes;
        self.longest = self.longest.max(other.longest);
    }
}

/// At once and then every so often, until the server stops.
pub(crate) async fn keep_compact(
    storage: Arc<dyn Storage>,
    keep: KeepChanges,
    clock: Clock,
    heavy_work: HeavyWork,
    stopping: CancellationToken,
) {
    let mut due = tokio::time::interval(keep.look_every);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            _ = due.tick() => {}
        }
        let kept = i64::try_from(keep.at_least.as_millis()).unwrap_or(i64::MAX);
        let until = Timestamp(clock.now().0.saturating_sub(kept));
        let compacted = tokio::select! {
            biased;
            // A step that is under way commits or leaves no trace.
            () = stopping.cancelled() => return,
            compacted = compact_history(&storage, until, heavy_work) => compacted,
        };
        match compacted {
            Ok(Compacted { changes: 0, .. }) => {}
            Ok(Compacted { steps, changes, .. }) => tracing::info!(steps, changes, "compacted history"),
            // The next round does what this one could not.
            Err(error) => tracing::warn!(%error, "history was not compacted"),
        }
    }
}

/// Compacts what was accepted until a moment, at every clinic.
pub async fn compact_history(
    storage: &Arc<dyn Storage>,
    until: Timestamp,
    heavy_work: HeavyWork,
) -> Stored<Compacted> {
    let mut done = Compacted::default();
    for clinic in storage.clinics().await? {
        while let Some(step) = compact_once(storage, clinic, until, heavy_work).await? {
            // Half of the time belongs to those who work.
            tokio::time::sleep(step.longest).await;
            done += step;
        }
    }
    Ok(done)
}

async fn compact_once(
    storage: &Arc<dyn Storage>,
    clinic: ClinicId,
    until: Timestamp,
    heavy_work: HeavyWork,
) -> Stored<Option<Compacted>> {
    let Some(found) = storage.compactable(clinic, until).await? else {
        return Ok(None);
    };
    let changes = found.changes.len();
    let step = heavy_work
        .run(move || plan::plan(clinic, found))
        .await
        .map_err(|error| StorageError::Failed(error.to_string()))?;
    let step = match step {
        Ok(step) => step,
        Err(broken) => {
            tracing::error!(%clinic, %broken, "history stays as it is: somebody has altered the trail, see `admin audit verify`");
            return Ok(None);
        }
    };
    let began = Instant::now();
    // If another node was quicker, what comes after its step is looked at next.
    let carried_out = storage.compact(clinic, step).await?;
    Ok(Some(Compacted {
        steps: 1,
        changes: if carried_out { changes } else { 0 },
        longest: began.elapsed(),
    }))
}
