//! Patience with wrong guesses: after a few of them within a window, the next one has to wait, longer each time.
//! In memory and bounded: a restart forgives, and a flood of names cannot fill the memory.

use shared_model::time::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

const WINDOW_MS: i64 = 15 * 60_000;
/// Wrong guesses about one account before it slows down.
const FREE_PER_ACCOUNT: usize = 5;
/// A clinic's people share one address, so it gets more.
const FREE_PER_ADDRESS: usize = 20;
const MAX_WAIT_MS: i64 = 15 * 60_000;
const MAX_ENTRIES: usize = 20_000;
/// Guesses kept of one account or address; the pause is at its longest long before.
const MAX_REMEMBERED: usize = 64;

/// Where a request comes from; for IPv6 the network that one customer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address(IpAddr);

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let mut octets = v6.octets();
                octets[8..].fill(0);
                IpAddr::from(octets)
            }
            v4 => v4,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Account(String),
    Address(Address),
}

#[derive(Default)]
pub struct SlowDown {
    failures: Mutex<HashMap<Key, VecDeque<i64>>>,
}

impl SlowDown {
    /// Lets one guess pass and counts it as wrong until [`Self::succeeded`] says otherwise, so that guesses made at the
    /// same time count too. `Err` with the milliseconds to wait.
    pub fn guess(&self, account: &str, address: Address, now: Timestamp) -> Result<(), i64> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = [
            (Key::Account(account.to_owned()), FREE_PER_ACCOUNT),
            (Key::Address(address), FREE_PER_ADDRESS),
        ];
        let wait = keys
            .iter()
            .filter_map(|(key, free)| wait_of(failures.get(key)?, *free, now))
            .max();
        if let Some(wait) = wait {
            return Err(wait);
        }
        if failures.len() >= MAX_ENTRIES {
            failures.retain(|_, times| times.back().is_some_and(|last| now.0 - last < WINDOW_MS));
        }
        for (key, _) in keys {
            if failures.len() >= MAX_ENTRIES && !failures.contains_key(&key) {
                continue;
            }
            let times = failures.entry(key).or_default();
            times.push_back(now.0);
            if times.len() > MAX_REMEMBERED {
                times.pop_front();
            }
        }
        Ok(())
    }

    /// The person proved to be who they say; what went wrong before was a slip.
    pub fn succeeded(&self, account: &str, address: Address) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&Key::Account(account.to_owned()));
        if let Some(times) = failures.get_mut(&Key::Address(address)) {
            times.pop_back();
        }
    }
}

fn wait_of(times: &VecDeque<i64>, free: usize, now: Timestamp) -> Option<i64> {
    let recent = times.iter().filter(|at| now.0 - **at < WINDOW_MS).count();
    let over = recent.checked_sub(free)?;
    let pause = (1_000_i64 << over.min(20)).min(MAX_WAIT_MS);
    let wait = times.back()? + pause - now.0;
    (wait > 0).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn five_slips_are_free_then_each_costs_double() {
        let slow = SlowDown::default();
        let here = Address::from(IpAddr::from(Ipv4Addr::new(10, 0, 0, 1)));
        let guess = |name: &str, now| slow.guess(name, here, Timestamp(now));
        for _ in 0..5 {
            assert_eq!(guess("vet", 0), Ok(()));
        }
        assert_eq!(guess("vet", 0), Err(1_000));
        assert_eq!(guess("vet", 1_000), Ok(()));
        assert_eq!(guess("vet", 1_000), Err(2_000));
        assert_eq!(guess("desk", 1_000), Ok(()), "somebody else is not concerned");
        assert_eq!(guess("vet", 3_000), Ok(()));
        slow.succeeded("vet", here);
        assert_eq!(guess("vet", 3_000), Ok(()));
        assert_eq!(guess("vet", 3_000), Ok(()));
    }

    #[test]
    fn the_window_slides() {
        let slow = SlowDown::default();
        let here = Address::from(IpAddr::from(Ipv4Addr::new(10, 0, 0, 1)));
        for _ in 0..5 {
            assert_eq!(slow.guess("vet", here, Timestamp(0)), Ok(()));
        }
        assert_eq!(slow.guess("vet", here, Timestamp(WINDOW_MS)), Ok(()));
        assert_eq!(slow.guess("vet", here, Timestamp(WINDOW_MS)), Ok(()));
    }

    #[test]
    fn many_names_from_one_address_slow_down_too() {
        let slow = SlowDown::default();
        let here = Address::from(IpAddr::from(Ipv4Addr::new(10, 0, 0, 1)));
        for name in 0..FREE_PER_ADDRESS {
            assert_eq!(slow.guess(&name.to_string(), here, Timestamp(0)), Ok(()));
        }
        assert!(slow.guess("somebody else", here, Timestamp(0)).is_err());
        let there = Address::from(IpAddr::from(Ipv4Addr::new(10, 0, 0, 2)));
        assert_eq!(slow.guess("somebody else", there, Timestamp(0)), Ok(()));
    }
}
