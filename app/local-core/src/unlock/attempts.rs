//! How often somebody may try.
//!
//! Invariant: what is decided depends on what the disk says alone, so that no restart and no clock that is set back
//! gives anybody further attempts.

use super::keyring::Way;
use shared_model::time::Timestamp;

/// After so many wrong PINs the PIN is no longer a way to unlock.
pub const PIN_TRIES: u32 = 5;

/// Passwords may be mistyped so often before the waits begin.
const FREE: u32 = 3;
/// The first wait; each further wrong password doubles it.
const FIRST_WAIT_MS: i64 = 5_000;
/// Whoever has forgotten for how long they already tried is not kept out for the day.
pub const LONGEST_WAIT_MS: i64 = 15 * 60_000;

/// What the disk says about one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempts {
    /// Since the last one that was right.
    pub failed: u32,
    /// When the latest began.
    pub tried_at: Timestamp,
}

/// Whether an attempt may be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Try,
    /// Not before this moment.
    Wait(Timestamp),
    /// Never again: this way is spent.
    Spent,
}

impl Attempts {
    /// Whether an attempt may begin now, and what the disk has to say before it does.
    pub(super) fn begin(self, way: Way, now: Timestamp) -> (Self, Verdict) {
        if way == Way::Pin && self.failed >= PIN_TRIES {
            return (self, Verdict::Spent);
        }
        // From the future: the clock was set back since, and the wait begins anew.
        let tried_at = self.tried_at.min(now);
        let until = Timestamp(tried_at.0 + self.wait(way));
        if now < until {
            return (Self { tried_at, ..self }, Verdict::Wait(until));
        }
        let begun = Self {
            failed: self.failed.saturating_add(1),
            tried_at: now,
        };
        (begun, Verdict::Try)
    }

    /// After the attempts so far, in milliseconds.
    fn wait(self, way: Way) -> i64 {
        match (way, self.failed.checked_sub(FREE)) {
            (Way::Pin, _) | (_, None) => 0,
            (Way::Password, Some(waits)) => LONGEST_WAIT_MS.min(FIRST_WAIT_MS << waits.min(20)),
        }
    }

    /// When the next attempt may begin, if one has to wait for that. As in `begin`, what was tried in the future was tried
    /// now: a clock that was wrong once keeps nobody out until then.
    pub(super) fn waits_until(self, way: Way, now: Timestamp) -> Option<Timestamp> {
        let wait = self.wait(way);
        (wait > 0).then_some(Timestamp(self.tried_at.min(now).0 + wait))
    }

    /// Wrong PINs that are left.
    pub(super) fn left(self, way: Way) -> Option<u32> {
        (way == Way::Pin).then(|| PIN_TRIES.saturating_sub(self.failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries wrong ones, each as early as it may be; gives the waits in seconds.
    fn waits(way: Way, times: usize) -> Vec<i64> {
        let none = Attempts {
            failed: 0,
            tried_at: Timestamp(0),
        };
        let (mut attempts, mut now) = (none, Timestamp(1_000_000));
        let mut waits = Vec::new();
        for _ in 0..times {
            let (begun, verdict) = attempts.begin(way, now);
            match verdict {
                Verdict::Try => {
                    waits.push(0);
                    attempts = begun;
                }
                Verdict::Wait(until) => {
                    waits.push((until.0 - now.0) / 1000);
                    now = until;
                    let (begun, verdict) = begun.begin(way, now);
                    assert_eq!(verdict, Verdict::Try);
                    attempts = begun;
                }
                Verdict::Spent => break,
            }
        }
        waits
    }

    #[test]
    fn passwords_slow_down_and_pins_end() {
        assert_eq!(
            waits(Way::Password, 13),
            [0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
        );
        assert_eq!(waits(Way::Pin, 13), [0; 5]);
    }

    #[test]
    fn a_clock_that_is_set_back_begins_the_wait_anew() {
        let noon = Timestamp(12 * 3_600_000);
        let attempts = Attempts {
            failed: 4,
            tried_at: noon,
        };
        let yesterday = Timestamp(noon.0 - 24 * 3_600_000);
        let (noted, verdict) = attempts.begin(Way::Password, yesterday);
        assert_eq!(verdict, Verdict::Wait(Timestamp(yesterday.0 + 10_000)));
        assert_eq!((noted.failed, noted.tried_at), (4, yesterday));
        let (_, later) = noted.begin(Way::Password, Timestamp(yesterday.0 + 10_000));
        assert_eq!(later, Verdict::Try);
    }

    #[test]
    fn a_clock_that_was_a_year_ahead_keeps_nobody_out_for_a_year() {
        let now = Timestamp(12 * 3_600_000);
        let attempts = Attempts {
            failed: 4,
            tried_at: Timestamp(now.0 + 365 * 24 * 3_600_000),
        };
        let until = attempts.waits_until(Way::Password, now);
        assert_eq!(until, Some(Timestamp(now.0 + 10_000)));
        assert_eq!(
            attempts.begin(Way::Password, now).1,
            Verdict::Wait(until.unwrap())
        );
    }

    #[test]
    fn counting_has_no_end_that_begins_anew() {
        let attempts = Attempts {
            failed: u32::MAX,
            tried_at: Timestamp(0),
        };
        let (begun, verdict) = attempts.begin(Way::Password, Timestamp(i64::from(u32::MAX)));
        assert_eq!((begun.failed, verdict), (u32::MAX, Verdict::Try));
    }
}
