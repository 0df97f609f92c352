//! Looking again: somebody's rights have changed, so whoever serves them looks up who they are now.
//!
//! Invariant: what is said here carries no decision. Each session asks the database, so a word too many costs a look, and
//! a word that was missed costs one too.

use crate::storage::Whom;
use shared_model::ids::{AccountId, DeviceId};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Words that wait for a busy session; one that missed some looks again anyway.
const QUEUE: usize = 64;

/// Tells every session and connection of this node.
#[derive(Clone)]
pub(crate) struct LookAgain {
    /// `None` concerns everybody.
    words: broadcast::Sender<Option<Whom>>,
}

/// One session's ear.
pub(super) struct Ear {
    words: broadcast::Receiver<Option<Whom>>,
    account: AccountId,
    device: DeviceId,
}

impl Default for LookAgain {
    fn default() -> Self {
        Self {
            words: broadcast::Sender::new(QUEUE),
        }
    }
}

impl LookAgain {
    pub(crate) fn at(&self, whom: Whom) {
        // It fails if nobody is here.
        let _ = self.words.send(Some(whom));
    }

    /// Some words of other nodes were missed.
    pub(crate) fn at_everybody(&self) {
        let _ = self.words.send(None);
    }

    /// To be taken before the person is looked up for the first time, so that no change falls in between.
    pub(super) fn ear(&self, account: AccountId, device: DeviceId) -> Ear {
        Ear {
            words: self.words.subscribe(),
            account,
            device,
        }
    }
}

impl Ear {
    /// Returns when it is time to look again. Can be dropped while it waits.
    pub(super) async fn called(&mut self) {
        loop {
            match self.words.recv().await {
                Ok(Some(Whom::Account(account))) if account != self.account => {}
                Ok(Some(Whom::Device(device))) if device != self.device => {}
                Ok(_) | Err(RecvError::Lagged(_)) => return,
                // Nobody is left who could say anything.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use uuid::Uuid;

    #[test]
    fn only_whom_it_concerns_or_who_missed_something() {
        let (look_again, mine, other) = (LookAgain::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        let mut ear = look_again.ear(AccountId(mine), DeviceId(mine));
        let called = |ear: &mut Ear| ear.called().now_or_never().is_some();
        look_again.at(Whom::Account(AccountId(other)));
        look_again.at(Whom::Device(DeviceId(other)));
        assert!(!called(&mut ear));
        for whom in [Whom::Account(AccountId(mine)), Whom::Device(DeviceId(mine))] {
            look_again.at(whom);
            assert!(called(&mut ear));
        }
        look_again.at_everybody();
        assert!(called(&mut ear));
        for _ in 0..2 * QUEUE {
            look_again.at(Whom::Account(AccountId(other)));
        }
        assert!(called(&mut ear), "it cannot know what it missed");
    }
}
