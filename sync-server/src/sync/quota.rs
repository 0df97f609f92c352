//! Quotas per principal: who asks for more than people and their devices do is slowed down, whatever number of sessions
//! it comes from.
//!
//! Invariant: a quota loses nothing. What was pushed is taken and then paid for by waiting; whoever would wait too long
//! is told to come back later, and its outbox keeps the rest. Pure but for its table: the time is an argument.

use shared_model::ids::AccountId;
use shared_model::permissions::Principal;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A session that would have to wait for longer ends instead; its device comes back after its own backoff. Much less
/// than the silence after which either side gives the other up.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Accounts remembered before those are forgotten that owe nothing.
const MANY: usize = 10_000;

/// So much at once, and so much a minute from then on.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    pub at_once: u32,
    pub per_minute: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub pushes: Limit,
    pub changes: Limit,
    /// Of changes, in kilobytes.
    pub kilobytes: Limit,
    /// Documents that did not exist before.
    pub documents: Limit,
    /// Documents asked for in whole.
    pub wants: Limit,
}

/// What the people of a clinic may do, and what its owners may.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    pub staff: Limits,
    pub owners: Limits,
}

const fn limit(at_once: u32, per_minute: u32) -> Limit {
    Limit { at_once, per_minute }
}

impl Default for Quotas {
    /// A practice's records, imported by one person, and a long day without a network pass unnoticed; a person who types
    /// makes some hundred changes a minute.
    fn default() -> Self {
        Self {
            staff: Limits {
                pushes: limit(20_000, 6_000),
                changes: limit(500_000, 60_000),
                kilobytes: limit(512 << 10, 60 << 10),
                documents: limit(100_000, 6_000),
                wants: limit(5_000, 600),
            },
            owners: Limits {
                pushes: limit(2_000, 600),
                changes: limit(10_000, 1_200),
                kilobytes: limit(32 << 10, 2 << 10),
                documents: limit(500, 30),
                wants: limit(500, 60),
            },
        }
    }
}

/// What somebody has asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) pushes: usize,
    pub(super) changes: usize,
    pub(super) bytes: usize,
    pub(super) documents: usize,
    pub(super) wants: usize,
}

/// What every account of this node owes.
#[derive(Debug)]
pub(crate) struct Accounts {
    quotas: Quotas,
    owed: Mutex<HashMap<AccountId, Owed>>,
}

/// Per kind of cost: the moment at which all of it is paid for.
type Owed = [Option<Instant>; 5];

impl Accounts {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self {
            quotas,
            owed: Mutex::default(),
        }
    }

    /// Puts something on the principal's account; how long they wait before they ask again.
    pub(super) fn charge(&self, principal: &Principal, cost: Cost, now: Instant) -> Duration {
        let limits = if principal.is_staff() {
            &self.quotas.staff
        } else {
            &self.quotas.owners
        };
        let costs = [
            (limits.pushes, cost.pushes),
            (limits.changes, cost.changes),
            (limits.kilobytes, cost.bytes.div_ceil(1 << 10)),
            (limits.documents, cost.documents),
            (limits.wants, cost.wants),
        ];
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        if owed.len() >= MANY {
            owed.retain(|_, owed| owed.iter().flatten().any(|paid| *paid > now));
        }
        let owed = owed.entry(principal.account).or_default();
        let waits = owed.iter_mut().zip(costs).map(|(paid, (limit, cost))| {
            // In time: a debt is paid off as it passes, and so much of it is granted at once.
            let takes =
                |count: f64| Duration::from_secs_f64(count * 60.0 / f64::from(limit.per_minute.max(1)));
            if cost > 0 {
                *paid = Some(paid.map_or(now, |paid| paid.max(now)) + takes(cost as f64));
            }
            let owes = paid.map_or(Duration::ZERO, |paid| paid.saturating_duration_since(now));
            owes.saturating_sub(takes(f64::from(limit.at_once)))
        });
        waits.max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::ids::{ClientId, ClinicId};
    use shared_model::permissions::Role;
    use uuid::Uuid;

    fn principal(account: u128, role: Role) -> Principal {
        Principal {
            account: AccountId(Uuid::from_u128(account)),
            clinic: ClinicId(Uuid::nil()),
            roles: vec![role],
            client: Some(ClientId(Uuid::nil())),
            name: String::new(),
        }
    }

    #[test]
    fn an_import_and_a_day_without_a_network_pass_at_once() {
        let accounts = Accounts::new(Quotas::default());
        let (now, vet) = (Instant::now(), principal(1, Role::Veterinarian));
        let import = Cost {
            pushes: 1_000,
            changes: 450_000,
            bytes: 200 << 20,
            documents: 50_000,
            wants: 0,
        };
        assert_eq!(accounts.charge(&vet, import, now), Duration::ZERO);
        let day = Cost {
            pushes: 40,
            changes: 20_000,
            bytes: 10 << 20,
            documents: 300,
            wants: 50,
        };
        assert_eq!(accounts.charge(&vet, day, now), Duration::ZERO);
        let owner = principal(2, Role::Owner);
        let letter = Cost {
            pushes: 5,
            changes: 3_000,
            bytes: 1 << 20,
            documents: 5,
            wants: 10,
        };
        assert_eq!(accounts.charge(&owner, letter, now), Duration::ZERO);
    }

    #[test]
    fn what_is_over_the_limit_is_waited_for_and_time_pays_it_off() {
        let few = Limit {
            at_once: 100,
            per_minute: 60,
        };
        let limits = Limits {
            changes: few,
            ..Quotas::default().staff
        };
        let accounts = Accounts::new(Quotas {
            staff: limits,
            owners: limits,
        });
        let (now, vet) = (Instant::now(), principal(1, Role::Veterinarian));
        let changes = |changes| Cost {
            changes,
            ..Cost::default()
        };
        assert_eq!(accounts.charge(&vet, changes(100), now), Duration::ZERO);
        assert_eq!(accounts.charge(&vet, changes(3), now), Duration::from_secs(3));
        let desk = principal(2, Role::FrontDesk);
        assert_eq!(accounts.charge(&desk, changes(100), now), Duration::ZERO);
        let later = now + Duration::from_secs(2);
        assert_eq!(accounts.charge(&vet, changes(0), later), Duration::from_secs(1));
        let much_later = now + Duration::from_secs(3_600);
        assert_eq!(accounts.charge(&vet, changes(100), much_later), Duration::ZERO);
        assert_eq!(
            accounts.charge(&vet, changes(1), much_later),
            Duration::from_secs(1)
        );
    }
}
