//! The task that sends mails: whatever is due, again and again until it has left or is refused for good.
//!
//! Invariant: a mail is leased before it is sent, so that of several nodes one sends it. Whoever dies between the mail
//! server's answer and writing it down leaves a mail that is sent twice; no other way does.

use super::post::{Post, PostError};
use crate::clock::Clock;
use crate::storage::people::{LeasedMail, MailOutcome};
use crate::storage::{Storage, Stored};
use futures_util::future::join_all;
use shared_model::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Mails sent at the same time.
const AT_ONCE: usize = 8;
/// Longer than sending one takes.
const LEASE_MS: i64 = 2 * 60_000;
const FIRST_WAIT_MS: i64 = 10_000;
const LONGEST_WAIT_MS: i64 = 30 * 60_000;
/// About two days of waiting; by then a link in it has been asked for again.
const MAX_ATTEMPTS: u32 = 100;

/// Tells the sending task of this node that something was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mails(Arc<Notify>);

impl Mails {
    pub(crate) fn written(&self) {
        self.0.notify_one();
    }
}

/// Sends until the server stops; looks `every` so often for what was to wait, or was written elsewhere.
pub(crate) async fn keep_sending(
    storage: Arc<dyn Storage>,
    post: Post,
    clock: Clock,
    mails: Mails,
    every: Duration,
    stopping: CancellationToken,
) {
    while !stopping.is_cancelled() {
        match send_due(storage.as_ref(), &post, &clock).await {
            Ok(0) => tokio::select! {
                () = mails.0.notified() => {}
                () = tokio::time::sleep(every) => {}
                () = stopping.cancelled() => {}
            },
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "mails wait");
                tokio::select! {
                    () = tokio::time::sleep(every) => {}
                    () = stopping.cancelled() => {}
                }
            }
        }
    }
}

/// One round; gives how many mails it tried to send.
async fn send_due(storage: &dyn Storage, post: &Post, clock: &Clock) -> Stored<usize> {
    let now = clock.now();
    let until = Timestamp(now.0 + LEASE_MS);
    let leased = storage.people().lease_mails(now, until, AT_ONCE).await?;
    let sending = leased.iter().map(|leased| async {
        let outcome = send_one(post, leased, clock).await;
        storage.people().settle_mail(leased.mail.mail, outcome).await
    });
    join_all(sending).await.into_iter().collect::<Stored<Vec<()>>>()?;
    Ok(leased.len())
}

async fn send_one(post: &Post, leased: &LeasedMail, clock: &Clock) -> MailOutcome {
    let mail = leased.mail.mail;
    let sent = post.send(&leased.mail).await;
    let at = clock.now();
    match sent {
        Ok(()) => {
            tracing::info!(%mail, attempts = leased.attempts, "a mail has left");
            MailOutcome::Sent { at }
        }
        Err(PostError::NotNow(why)) if leased.attempts < MAX_ATTEMPTS => {
            tracing::warn!(%mail, attempts = leased.attempts, why, "a mail waits");
            MailOutcome::Again {
                due_at: Timestamp(at.0 + wait_ms(leased.attempts)),
            }
        }
        Err(PostError::NotNow(why) | PostError::Refused(why)) => {
            tracing::warn!(%mail, attempts = leased.attempts, why, "a mail will not leave");
            MailOutcome::Refused { at }
        }
    }
}

/// Doubles with every attempt.
fn wait_ms(attempts: u32) -> i64 {
    (FIRST_WAIT_MS << attempts.saturating_sub(1).min(20)).min(LONGEST_WAIT_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let waits: Vec<i64> = (1..=10).map(|attempts| wait_ms(attempts) / 1_000).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1_280, 1_800, 1_800]);
        let days = (1..MAX_ATTEMPTS).map(wait_ms).sum::<i64>() / 86_400_000;
        assert_eq!(days, 1);
    }
}
