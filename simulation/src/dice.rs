//! The only source of chance. Invariant: everything that a run decides comes from here, in one order.

use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::{Builder, Uuid};

/// Each concern throws its own dice, so that another fault does not give the people other names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Concern {
    Plan = 1,
    People = 2,
    Schedule = 3,
    Work = 4,
    Devices = 5,
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

    /// Happens `n` times in a thousand.
    pub(crate) fn permille(&mut self, n: u32) -> bool {
        self.0.random_range(0..1_000) < n
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.below(from.len())])
    }

    /// The position of one of these weights, each as often as it says; `None` if all are 0.
    pub(crate) fn weighted(&mut self, weights: &[u32]) -> Option<usize> {
        let total: u32 = weights.iter().sum();
        if total == 0 {
            return None;
        }
        let mut at = self.0.random_range(0..total);
        weights.iter().position(|weight| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        })
    }

    /// Milliseconds from 1 to `most`, short ones as often as long ones.
    pub(crate) fn moment(&mut self, most: i64) -> i64 {
        let mut ceiling = most.max(1);
        while ceiling > 10 && self.permille(500) {
            ceiling /= 4;
        }
        self.between(1, ceiling)
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub(crate) fn number(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A UUIDv7 of this moment.
    pub(crate) fn id(&mut self, now: i64) -> Uuid {
        Builder::from_unix_timestamp_millis(now.unsigned_abs(), &self.bytes()).into_uuid()
    }
}
