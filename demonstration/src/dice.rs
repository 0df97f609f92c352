//! The only source of chance. Invariant: what a seed gives does not depend on the platform, so nothing here or in its
//! callers uses logarithms or powers, whose last bit differs between machines.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared_model::time::Timestamp;
use uuid::{Builder, Uuid};

/// Each concern throws its own dice, so that more history does not give the animals other names.
#[derive(Clone, Copy)]
pub(crate) enum Concern {
    Team = 1,
    People = 2,
    History = 3,
    Today = 4,
    Ahead = 5,
    Bench = 6,
}

pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64, concern: Concern) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(concern as u64);
        Self(rng)
    }

    /// 0 to `count - 1`; 0 if there is nothing to choose from.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count.max(1))
    }

    /// Both ends included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high.max(low))
    }

    /// From 0 up to, without, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random()
    }

    pub(crate) fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Happens `n` times in a thousand.
    pub(crate) fn permille(&mut self, n: u32) -> bool {
        self.0.random_range(0..1000) < n
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// One of `from`, each as often as its share says; `None` if no share is above zero.
    pub(crate) fn by_share<'a, T>(
        &mut self,
        from: impl Iterator<Item = &'a T> + Clone,
        share: impl Fn(&T) -> u32,
    ) -> Option<&'a T> {
        let total: u32 = from.clone().map(&share).sum();
        let mut left = self.0.random_range(0..total.max(1));
        from.into_iter().find(|one| {
            let share = share(one);
            let found = left < share;
            left = left.saturating_sub(share);
            found
        })
    }

    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, self.below(last + 1));
        }
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.0.random()
    }

    /// A UUIDv7 of that moment: ids sort by the time they were made, as on a device.
    pub(crate) fn mint(&mut self, at: Timestamp) -> Uuid {
        let millis = u64::try_from(at.0).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }
}
