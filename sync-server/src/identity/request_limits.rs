//! Limits on requests, by address and by account: who asks for more than people and their devices do waits.
//!
//! In memory and bounded: a restart forgives, and a flood of addresses cannot fill the memory. Pure but for its table and
//! the log: the time is an argument. The log has a line whenever somebody meets a limit, and none for what they go on
//! asking meanwhile: a flood of requests is no flood of lines.

use super::Address;
use shared_model::ids::AccountId;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// So many at once, and so many a minute from then on.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimit {
    pub at_once: u32,
    pub per_minute: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// Any request, from one address: a clinic's devices share it, and all of them come back when a network does.
    pub address: RequestLimit,
    /// Any request of one account beside its sessions.
    pub account: RequestLimit,
    /// What hashes a password or follows a link, from one address.
    pub secrets: RequestLimit,
    /// What writes a mail, from one address or by one account.
    pub mails: RequestLimit,
    /// Mails that people can have sent to one address that they call theirs.
    pub mails_to: RequestLimit,
}

const fn limit(at_once: u32, per_minute: u32) -> RequestLimit {
    RequestLimit { at_once, per_minute }
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            address: limit(3_000, 1_200),
            account: limit(3_000, 600),
            secrets: limit(600, 240),
            mails: limit(60, 10),
            mails_to: limit(5, 1),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(Address),
    Account(AccountId),
    SecretsFrom(Address),
    MailsFrom(Address),
    MailsBy(AccountId),
    MailsTo(String),
}

impl Key {
    /// What was asked for too often, in the log's words: whose address it was is nobody's business there.
    fn word(&self) -> &'static str {
        match self {
            Self::Address(_) => "requests of an address",
            Self::Account(_) => "requests of an account",
            Self::SecretsFrom(_) => "secrets from an address",
            Self::MailsFrom(_) => "mails from an address",
            Self::MailsBy(_) => "mails by an account",
            Self::MailsTo(_) => "mails to an address",
        }
    }
}

/// What somebody owes.
#[derive(Clone, Copy, Debug)]
struct Debt {
    /// The moment at which all of it is paid for.
    paid: Instant,
    /// They have been told to wait, and nothing was granted since.
    refused: bool,
}

/// Keys remembered before those are forgotten that owe nothing.
const MANY: usize = 50_000;

/// Who has asked for how much, on this node.
#[derive(Debug)]
pub struct Requests {
    limits: RequestLimits,
    debts: Mutex<HashMap<Key, Debt>>,
}

impl Requests {
    pub fn new(limits: RequestLimits) -> Self {
        Self {
            limits,
            debts: Mutex::default(),
        }
    }

    /// `Err` with the time to wait, here and below; what is refused is not counted.
    pub fn request_from(&self, address: Address, now: Instant) -> Result<(), Duration> {
        self.take(Key::Address(address), self.limits.address, now)
    }

    pub fn request_by(&self, account: AccountId, now: Instant) -> Result<(), Duration> {
        self.take(Key::Account(account), self.limits.account, now)
    }

    pub fn secret_from(&self, address: Address, now: Instant) -> Result<(), Duration> {
        self.take(Key::SecretsFrom(address), self.limits.secrets, now)
    }

    pub fn mail_from(&self, address: Address, now: Instant) -> Result<(), Duration> {
        self.take(Key::MailsFrom(address), self.limits.mails, now)
    }

    pub fn mail_by(&self, account: AccountId, now: Instant) -> Result<(), Duration> {
        self.take(Key::MailsBy(account), self.limits.mails, now)
    }

    pub fn mail_to(&self, email: &str, now: Instant) -> Result<(), Duration> {
        self.take(Key::MailsTo(email.to_owned()), self.limits.mails_to, now)
    }

    fn take(&self, key: Key, limit: RequestLimit, now: Instant) -> Result<(), Duration> {
        let one = Duration::from_secs_f64(60.0 / f64::from(limit.per_minute.max(1)));
        let granted = one * limit.at_once.saturating_sub(1);
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        if debts.len() >= MANY {
            debts.retain(|_, debt| debt.paid > now);
        }
        // A table full of debtors: a flood of addresses is somebody else's to stop, and memory stays bounded.
        if debts.len() >= MANY && !debts.contains_key(&key) {
            return Ok(());
        }
        let owed = debts.get(&key).map_or(now, |debt| debt.paid.max(now));
        let wait = owed.saturating_duration_since(now).saturating_sub(granted);
        if !wait.is_zero() {
            let first = |debt: &mut Debt| !std::mem::replace(&mut debt.refused, true);
            let is_first = debts.get_mut(&key).is_some_and(first);
            drop(debts);
            if is_first {
                tracing::warn!(of = key.word(), "more was asked for than is granted");
            }
            return Err(wait);
        }
        let paid = owed + one;
        debts.insert(key, Debt { paid, refused: false });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    #[test]
    fn so_many_at_once_and_then_so_many_a_minute() {
        let requests = Requests::new(RequestLimits {
            address: limit(3, 60),
            ..RequestLimits::default()
        });
        let address = |last| Address::from(IpAddr::from(Ipv4Addr::new(10, 0, 0, last)));
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(requests.request_from(address(1), now), Ok(()));
        }
        let second = Duration::from_secs(1);
        assert_eq!(requests.request_from(address(1), now), Err(second));
        assert_eq!(
            requests.request_from(address(1), now),
            Err(second),
            "asking again costs nothing"
        );
        assert_eq!(
            requests.request_from(address(2), now),
            Ok(()),
            "somebody else is not concerned"
        );
        assert_eq!(
            requests.secret_from(address(1), now),
            Ok(()),
            "nor is something else"
        );
        assert_eq!(requests.request_from(address(1), now + second), Ok(()));
        assert_eq!(requests.request_from(address(1), now + second), Err(second));
        for _ in 0..3 {
            assert_eq!(requests.request_from(address(1), now + 60 * second), Ok(()));
        }
    }
}
