//! The clients of this kind on this node: what they may take of it at most, account by account, and how they tell each
//! other what nobody keeps.

use super::ephemera::{Ephemera, Exchange};
use automerge::ActorId;
use shared_model::ids::{AccountId, ClinicId};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Connections at a time. A page needs one.
const MAX_CONNECTIONS: usize = 16;
/// Automerge in JavaScript makes a new writer for every document that it opens, and each stays in the database for good.
const MAX_WRITERS: usize = 1_000;
const WRITERS_WITHIN: Duration = Duration::from_secs(3_600);

#[derive(Clone, Default)]
pub(crate) struct Guests {
    accounts: Arc<Mutex<HashMap<AccountId, Guest>>>,
    ephemera: Ephemera,
}

struct Guest {
    connections: usize,
    writers: HashSet<ActorId>,
    since: Instant,
}

/// A connection that is counted until this is dropped.
pub(super) struct Admitted {
    account: AccountId,
    guests: Guests,
}

impl Guests {
    /// `None` if the account has enough connections.
    pub(super) fn admit(&self, account: AccountId, now: Instant) -> Option<Admitted> {
        let mut guests = self.lock();
        guests.retain(|_, guest| guest.connections > 0 || now - guest.since < WRITERS_WITHIN);
        let guest = guests.entry(account).or_insert_with(|| Guest {
            connections: 0,
            writers: HashSet::new(),
            since: now,
        });
        if guest.connections >= MAX_CONNECTIONS {
            return None;
        }
        guest.connections += 1;
        Some(Admitted {
            account,
            guests: self.clone(),
        })
    }

    pub(super) fn exchange(&self, clinic: ClinicId) -> Exchange {
        self.ephemera.join(clinic)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, Guest>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted {
    /// Whether the account may write as these too.
    pub(super) fn may_write_as<'a>(&self, writers: impl Iterator<Item = &'a ActorId>, now: Instant) -> bool {
        let mut guests = self.guests.lock();
        let Some(guest) = guests.get_mut(&self.account) else {
            return false;
        };
        if now - guest.since >= WRITERS_WITHIN {
            guest.writers.clear();
            guest.since = now;
        }
        for writer in writers {
            if !guest.writers.contains(writer) {
                if guest.writers.len() >= MAX_WRITERS {
                    return false;
                }
                guest.writers.insert(writer.clone());
            }
        }
        true
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(guest) = self.guests.lock().get_mut(&self.account) {
            guest.connections -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn connections_are_counted_by_account_and_given_back() {
        let (guests, now) = (Guests::default(), Instant::now());
        let [one, other] = [1, 2].map(|number| AccountId(Uuid::from_u128(number)));
        let mut held: Vec<_> = std::iter::from_fn(|| guests.admit(one, now)).collect();
        assert_eq!(held.len(), MAX_CONNECTIONS);
        assert!(guests.admit(other, now).is_some());
        held.pop();
        assert!(guests.admit(one, now).is_some());
    }

    #[test]
    fn writers_are_counted_by_the_hour() {
        let (guests, now) = (Guests::default(), Instant::now());
        let admitted = guests
            .admit(AccountId(Uuid::from_u128(1)), now)
            .expect("admitted");
        let writer = |number: usize| ActorId::from(number.to_be_bytes());
        for number in 0..MAX_WRITERS {
            assert!(admitted.may_write_as([writer(number)].iter(), now));
        }
        assert!(
            admitted.may_write_as([writer(0), writer(7)].iter(), now),
            "known ones"
        );
        assert!(!admitted.may_write_as([writer(MAX_WRITERS)].iter(), now));
        assert!(admitted.may_write_as([writer(MAX_WRITERS)].iter(), now + WRITERS_WITHIN));
    }
}
