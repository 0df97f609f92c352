//! Patience with wrong guesses: after a few of them within a window, the next one has to wait, longer each time.
//!
//! In memory: a restart forgives. Bounded: a guess is counted by a hash of what it is at, and each kind has room for so many
//! of these. What finds no room is counted together with all others of its kind that found none: a flood of names buys
//! nobody a guess. What somebody guesses at on a device of their own is a kind apart, which no stranger can fill, and which
//! goes by its own patience alone where there is no room for the address.

use sha2::{Digest, Sha256};
use shared_model::time::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

const WINDOW_MS: i64 = 15 * 60_000;
/// Wrong guesses about one account before it slows down.
const FREE_PER_ACCOUNT: usize = 5;
/// A clinic's people share one address, so it gets more; and so does what found no room.
const FREE_PER_ADDRESS: usize = 20;
const MAX_WAIT_MS: i64 = 15 * 60_000;
/// Whoever is counted together with strangers waits no longer for what those do.
const MAX_WAIT_TOGETHER_MS: i64 = 30_000;
/// Of one kind.
const MAX_ENTRIES: usize = 20_000;
/// Guesses kept of one entry; the pause is at its longest long before.
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

/// What is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Secret {
    Password,
    SecondFactor,
    Passkey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Of { secret: Secret, on_own_device: bool },
    Address,
}

/// Whose secret it is, as long as whatever they are called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guessed {
    kind: Kind,
    hash: [u8; 32],
}

impl Guessed {
    /// By anybody, anywhere.
    pub fn at(secret: Secret, of: &str) -> Self {
        Self::new(secret, false, of.as_bytes())
    }

    /// On a device that they have signed in on before.
    pub fn on_own_device(secret: Secret, of: &str, device: &[u8; 16]) -> Self {
        Self::new(secret, true, &[device, of.as_bytes()].concat())
    }

    fn new(secret: Secret, on_own_device: bool, of: &[u8]) -> Self {
        Self {
            kind: Kind::Of {
                secret,
                on_own_device,
            },
            hash: Sha256::digest(of).into(),
        }
    }

    fn from(address: Address) -> Self {
        Self {
            kind: Kind::Address,
            hash: Sha256::digest(address.0.to_string()).into(),
        }
    }

    fn is_on_own_device(&self) -> bool {
        matches!(
            self.kind,
            Kind::Of {
                on_own_device: true,
                ..
            }
        )
    }
}

/// A guess that may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// If it is wrong, patience ends with it, for the first time within a quarter of an hour.
    pub is_last: bool,
    counted: [Option<Counted>; 2],
}

/// Where a guess was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    as_: Guessed,
    /// With all that found no room.
    together: bool,
}

/// Guesses that were wrong, or are not known to be right yet.
#[derive(Debug, Default)]
struct Failures {
    times: VecDeque<i64>,
    /// When patience last ended.
    ended_at: Option<i64>,
}

#[derive(Debug, Default)]
struct OfKind {
    single: HashMap<[u8; 32], Failures>,
    /// Of what found no room.
    together: Failures,
}

#[derive(Debug, Default)]
pub struct SlowDown {
    failures: Mutex<HashMap<Kind, OfKind>>,
}

impl SlowDown {
    /// Lets one guess pass and counts it as wrong until [`Self::succeeded`] says otherwise, so that guesses made at the
    /// same time count too. `Err` with the milliseconds to wait.
    pub fn guess(&self, guessed: Guessed, address: Address, now: Timestamp) -> Result<Passed, i64> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let from = Guessed::from(address);
        for counted in [guessed, from] {
            failures.entry(counted.kind).or_default().make_room(&counted, now);
        }
        let is_counted_by_address = !guessed.is_on_own_device()
            || failures
                .get(&from.kind)
                .is_some_and(|of_kind| of_kind.has_room(&from));
        let wait = [Some(guessed), is_counted_by_address.then_some(from)]
            .into_iter()
            .flatten()
            .filter_map(|counted| failures.get(&counted.kind)?.wait(&counted, now))
            .max();
        if let Some(wait) = wait {
            return Err(wait);
        }
        let counted = [guessed, from].map(|as_| {
            let is_counted = as_ == guessed || is_counted_by_address;
            is_counted.then(|| {
                let together = failures.entry(as_.kind).or_default().count(&as_, now);
                Counted { as_, together }
            })
        });
        let is_last = failures
            .get_mut(&guessed.kind)
            .and_then(|of_kind| of_kind.single.get_mut(&guessed.hash))
            .is_some_and(|failures| failures.end(now));
        Ok(Passed { is_last, counted })
    }

    /// The person proved to be who they say; what went wrong before was a slip. What a guess was counted as together with
    /// strangers' is given back alone.
    pub fn succeeded(&self, passed: Passed) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for Counted { as_, together } in passed.counted.into_iter().flatten() {
            let Some(of_kind) = failures.get_mut(&as_.kind) else {
                continue;
            };
            match (together, as_.kind) {
                (true, _) => drop(of_kind.together.times.pop_back()),
                (false, Kind::Of { .. }) => drop(of_kind.single.remove(&as_.hash)),
                (false, Kind::Address) => {
                    if let Some(single) = of_kind.single.get_mut(&as_.hash) {
                        single.times.pop_back();
                    }
                }
            }
        }
    }
}

impl OfKind {
    fn has_room(&self, counted: &Guessed) -> bool {
        self.single.len() < MAX_ENTRIES || self.single.contains_key(&counted.hash)
    }

    /// Forgets what counts no more, if that is needed.
    fn make_room(&mut self, counted: &Guessed, now: Timestamp) {
        if !self.has_room(counted) {
            self.single.retain(|_, failures| failures.count(now) > 0);
        }
    }

    fn wait(&self, counted: &Guessed, now: Timestamp) -> Option<i64> {
        if self.has_room(counted) {
            let free = match counted.kind {
                Kind::Of { .. } => FREE_PER_ACCOUNT,
                Kind::Address => FREE_PER_ADDRESS,
            };
            self.single.get(&counted.hash)?.wait(free, MAX_WAIT_MS, now)
        } else {
            self.together.wait(FREE_PER_ADDRESS, MAX_WAIT_TOGETHER_MS, now)
        }
    }

    /// Whether it found no room.
    fn count(&mut self, counted: &Guessed, now: Timestamp) -> bool {
        let together = !self.has_room(counted);
        let failures = if together {
            &mut self.together
        } else {
            self.single.entry(counted.hash).or_default()
        };
        if failures.times.len() >= MAX_REMEMBERED {
            failures.times.pop_front();
        }
        failures.times.push_back(now.0);
        together
    }
}

impl Failures {
    /// Within the window.
    fn count(&self, now: Timestamp) -> usize {
        self.times.iter().filter(|at| now.0 - **at < WINDOW_MS).count()
    }

    fn wait(&self, free: usize, at_most: i64, now: Timestamp) -> Option<i64> {
        let over = self.count(now).checked_sub(free)?;
        let pause = (1_000_i64 << over.min(20)).min(at_most);
        let wait = self.times.back()? + pause - now.0;
        (wait > 0).then_some(wait)
    }

    /// Whether patience ends now, and has not within the window before.
    fn end(&mut self, now: Timestamp) -> bool {
        let ends =
            self.count(now) >= FREE_PER_ACCOUNT && self.ended_at.is_none_or(|at| now.0 - at >= WINDOW_MS);
        if ends {
            self.ended_at = Some(now.0);
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(number: u32) -> Address {
        IpAddr::from(Ipv4Addr::from_bits(number)).into()
    }

    fn password(of: &str) -> Guessed {
        Guessed::at(Secret::Password, of)
    }

    impl SlowDown {
        fn wait(&self, guessed: Guessed, from: u32, now: i64) -> Option<i64> {
            self.guess(guessed, address(from), Timestamp(now)).err()
        }
    }

    #[test]
    fn five_slips_are_free_then_each_costs_double() {
        let slow = SlowDown::default();
        let guess = |name: &str, now| slow.wait(password(name), 1, now);
        for _ in 0..5 {
            assert_eq!(guess("vet", 0), None);
        }
        assert_eq!(guess("vet", 0), Some(1_000));
        assert_eq!(guess("vet", 1_000), None);
        assert_eq!(guess("vet", 1_000), Some(2_000));
        assert_eq!(guess("desk", 1_000), None, "somebody else is not concerned");
        let second_factor = Guessed::at(Secret::SecondFactor, "vet");
        assert_eq!(slow.wait(second_factor, 1, 1_000), None, "nor is something else");
        let at_home = Guessed::on_own_device(Secret::Password, "vet", &[7; 16]);
        assert_eq!(
            slow.wait(at_home, 1, 1_000),
            None,
            "nor are they on their own device"
        );
        let right = slow.guess(password("vet"), address(1), Timestamp(3_000));
        slow.succeeded(right.expect("it was waited for"));
        assert_eq!(guess("vet", 3_000), None);
        assert_eq!(guess("vet", 3_000), None);
    }

    #[test]
    fn the_window_slides() {
        let slow = SlowDown::default();
        for _ in 0..5 {
            assert_eq!(slow.wait(password("vet"), 1, 0), None);
        }
        assert_eq!(slow.wait(password("vet"), 1, WINDOW_MS), None);
        assert_eq!(slow.wait(password("vet"), 1, WINDOW_MS), None);
    }

    #[test]
    fn many_names_from_one_address_slow_down_too() {
        let slow = SlowDown::default();
        for name in 0..FREE_PER_ADDRESS {
            assert_eq!(slow.wait(password(&name.to_string()), 1, 0), None);
        }
        assert!(slow.wait(password("somebody else"), 1, 0).is_some());
        assert_eq!(slow.wait(password("somebody else"), 2, 0), None);
    }

    #[test]
    fn patience_ends_once_within_the_window() {
        let slow = SlowDown::default();
        let ends = |now| {
            let passed = slow.guess(password("vet"), address(1), Timestamp(now));
            passed.expect("it was waited for").is_last
        };
        let ended: Vec<bool> = (0..5).map(|_| ends(0)).collect();
        assert_eq!(ended, [false, false, false, false, true]);
        assert!(!ends(60_000), "they wait, and go on");
        // The first five count no more, and then there are five again.
        let ended: Vec<bool> = (0..4).map(|_| ends(WINDOW_MS)).collect();
        assert_eq!(ended, [false, false, false, true]);
    }

    /// So many invented names, each from an address of its own.
    fn flood(slow: &SlowDown, names: usize) {
        for number in 0..u32::try_from(names).expect("not so many") {
            let invented = password(&format!("invented {number}"));
            assert_eq!(slow.wait(invented, number, 0), None);
        }
    }

    /// From where nobody has come so far.
    const ELSEWHERE: u32 = u32::MAX;

    #[test]
    fn a_flood_of_names_buys_no_guess() {
        let slow = SlowDown::default();
        for _ in 0..5 {
            assert_eq!(slow.wait(password("known before"), 0, 0), None);
        }
        flood(&slow, MAX_ENTRIES - 1);
        let known = slow.wait(password("known before"), ELSEWHERE, 0);
        assert_eq!(known, Some(1_000), "what was counted is");
        let guesses = (0..1_000).filter(|_| slow.wait(password("vet"), 5, 0).is_none());
        assert_eq!(
            guesses.count(),
            FREE_PER_ADDRESS - 1,
            "as many as the address has left"
        );
        let one_more = slow.wait(password("desk"), ELSEWHERE, 0);
        assert_eq!(one_more, None);
        let too_many = slow.wait(password("tech"), ELSEWHERE, 0);
        assert_eq!(too_many, Some(1_000), "all that found no room have one patience");
    }

    #[test]
    fn a_flood_of_names_ends_nobodys_patience_on_their_own_device() {
        let slow = SlowDown::default();
        flood(&slow, MAX_ENTRIES);
        let mut longest = 0;
        // Whoever floods takes each turn that there is.
        for second in 0..600 {
            for _ in 0..2 {
                let wait = slow.wait(password("invented"), ELSEWHERE, second * 1_000);
                longest = longest.max(wait.unwrap_or_default());
            }
        }
        assert_eq!(longest, MAX_WAIT_TOGETHER_MS);
        let now = 600_000;
        let at_home = |now| {
            let guessed = Guessed::on_own_device(Secret::Password, "vet", &[7; 16]);
            slow.wait(guessed, ELSEWHERE, now)
        };
        for _ in 0..FREE_PER_ACCOUNT {
            assert_eq!(at_home(now), None, "own devices have a patience of their own");
        }
        assert!(at_home(now).is_some(), "which ends");
        let second_factor = Guessed::at(Secret::SecondFactor, "vet");
        assert_eq!(slow.wait(second_factor, 3, now), None, "nor are codes concerned");

        let now = 600_000 + WINDOW_MS;
        for _ in 0..FREE_PER_ACCOUNT {
            assert_eq!(
                slow.wait(password("vet"), ELSEWHERE, now),
                None,
                "the flood is over"
            );
        }
        assert!(slow.wait(password("vet"), ELSEWHERE, now).is_some());
        assert_eq!(
            slow.wait(password("desk"), ELSEWHERE, now),
            None,
            "each is counted alone"
        );
    }

    #[test]
    fn what_was_right_gives_back_what_it_took() {
        let slow = SlowDown::default();
        flood(&slow, MAX_ENTRIES);
        for _ in 0..1_000 {
            let right = slow.guess(password("vet"), address(ELSEWHERE), Timestamp(0));
            slow.succeeded(right.expect("none was wrong"));
        }
    }

    #[test]
    fn what_was_right_twice_at_once_gives_back_nothing_of_strangers() {
        let slow = SlowDown::default();
        assert_eq!(slow.wait(password("vet"), 0, 0), None);
        flood(&slow, MAX_ENTRIES - 1);
        for number in 1..=20 {
            assert_eq!(
                slow.wait(password(&format!("stranger {number}")), number, 0),
                None
            );
        }
        let right = [0, 0].map(|_| slow.guess(password("vet"), address(0), Timestamp(0)));
        for right in right {
            slow.succeeded(right.expect("vets have a patience of their own"));
        }
        assert_eq!(slow.wait(password("has the vet's place"), 30, 0), None);
        assert_eq!(slow.wait(password("stranger"), 31, 0), Some(1_000));
    }

    #[test]
    fn names_of_any_length_are_told_apart() {
        let slow = SlowDown::default();
        let long = "a".repeat(1 << 16);
        for _ in 0..5 {
            assert_eq!(slow.wait(password(&long), 1, 0), None);
        }
        assert!(slow.wait(password(&long), 1, 0).is_some());
        assert_eq!(slow.wait(password(&long[1..]), 1, 0), None);
    }
}
