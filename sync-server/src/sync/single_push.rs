//! A push without a session, as over HTTP: the same greeting, limits, quotas and accept, and the answer after the commit.
//!
//! Invariant: nothing is taken here that a session would not take.

use super::accept::{Author, QueuedPush, ReadItem, Writer};
use super::authorship::{Authors, NotKnown};
use super::fan_out::ForSession;
use super::quota::{Cost, LONGEST_WAIT};
use super::session::{cost_of, may_speak};
use crate::server::AppState;
use crate::storage::{ActorRow, StorageError};
use shared_model::ids::DeviceId;
use shared_model::permissions::Principal;
use shared_model::protocol::{Accepted, Goodbye, SinglePush};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Accept answers, or gives up after its own patience, long before.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

impl From<NotKnown> for NotPushed {
    fn from(error: NotKnown) -> Self {
        match error {
            NotKnown::Goodbye(goodbye) => goodbye.into(),
            NotKnown::Storage(error) => error.into(),
        }
    }
}

/// Why nothing was taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotPushed {
    #[error(transparent)]
    Goodbye(#[from] Goodbye),
    #[error("over the quota")]
    SlowDown { wait: Duration },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

pub(crate) async fn push_once(
    state: &AppState,
    principal: Principal,
    device: DeviceId,
    single: SinglePush,
) -> Result<Accepted, NotPushed> {
    may_speak(single.protocol, single.schema_version, &single.actor)?;
    if principal.feeds().is_empty() {
        return Err(Goodbye::NotPermitted.into());
    }
    let push = single.push;
    let cost = cost_of(&push)?;
    let actor = ActorRow {
        actor: single.actor.to_vec(),
        account: principal.account,
        device,
    };
    if !state.storage.bind_actor(principal.clinic, actor).await? {
        return Err(Goodbye::ForeignActor.into());
    }
    let now = Instant::now();
    let owed = state.accounts.charge(&principal, Cost::default(), now);
    if owed > LONGEST_WAIT {
        return Err(NotPushed::SlowDown { wait: owed });
    }
    let authors = Authors::begin(state, &principal, device, &single.signing_key).await?;
    let authors = authors.of(state, &push.items).await?;
    let wait = state.accounts.charge(&principal, cost, now).min(LONGEST_WAIT);
    let read = move || ReadItem::read_push(push.items, Some(&authors));
    let items = state
        .settings
        .heavy_work
        .run(read)
        .await
        .map_err(|_| Goodbye::Later)?;
    // A seat without a feed: what accept says comes here, what others write does not.
    let mut attendance = state.fan_out.attend(principal.clinic, Vec::new());
    attendance.stands_at(state.storage.head(principal.clinic).await?);
    let clinic = principal.clinic;
    let queued = QueuedPush {
        writer: Arc::new(Writer {
            session: attendance.session,
            author: Author {
                account: principal.account,
                device,
                principal,
            },
            refused: Mutex::default(),
        }),
        number: push.number,
        items,
        answer: attendance.queue.clone(),
    };
    state.accept.push(clinic, queued).await;
    let answer = async {
        loop {
            match attendance.inbox.recv().await {
                Some(ForSession::Accepted(accepted)) => return Ok(accepted),
                Some(ForSession::NotNow) | None => return Err(Goodbye::Later),
                Some(ForSession::Live { .. } | ForSession::Behind { .. }) => {}
            }
        }
    };
    let accepted = timeout(ANSWER_WITHIN, answer)
        .await
        .map_err(|_| Goodbye::Later)??;
    // As in a session: what was asked for is done, and whoever asks for much waits for it.
    tokio::time::sleep(wait).await;
    Ok(accepted)
}

/// A document is asked for outside of a session.
pub(crate) fn charge_want(state: &AppState, principal: &Principal) -> Result<(), NotPushed> {
    let now = Instant::now();
    let owed = state.accounts.charge(principal, Cost::default(), now);
    if owed > LONGEST_WAIT {
        return Err(NotPushed::SlowDown { wait: owed });
    }
    let want = Cost {
        wants: 1,
        ..Cost::default()
    };
    state.accounts.charge(principal, want, now);
    Ok(())
}
