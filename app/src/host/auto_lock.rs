//! When the device locks by itself, and what it waits for before it does.
//!
//! Invariant: a clock that is set back puts the lock off by no more than its minutes.

use shared_model::time::Timestamp;

/// Windows have so long to save what is typed in them, in milliseconds.
const GRACE_MS: i64 = 2_000;

#[derive(Debug)]
pub(super) struct AutoLock {
    /// Minutes without any input; 0 is never.
    after: u16,
    touched_at: Timestamp,
    locking: Option<Locking>,
}

#[derive(Clone, Copy, Debug)]
struct Locking {
    until: Timestamp,
    /// Windows that have saved.
    heard: usize,
}

impl AutoLock {
    pub(super) fn new(after: u16, now: Timestamp) -> Self {
        Self {
            after,
            touched_at: now,
            locking: None,
        }
    }

    pub(super) fn after(&self) -> u16 {
        self.after
    }

    /// Somebody pressed a key, a button or the screen.
    pub(super) fn touched(&mut self, now: Timestamp) {
        self.touched_at = now;
    }

    /// When something has to happen at the latest.
    pub(super) fn due(&self) -> Option<Timestamp> {
        match (self.locking, self.after) {
            (Some(locking), _) => Some(locking.until),
            (None, 0) => None,
            (None, after) => Some(self.touched_at.plus_minutes(i64::from(after))),
        }
    }

    pub(super) fn is_overdue(&mut self, now: Timestamp) -> bool {
        self.touched_at = self.touched_at.min(now);
        self.locking.is_none() && self.due().is_some_and(|due| now >= due)
    }

    /// Until when the windows may save; `None` if they have been asked already.
    pub(super) fn begin(&mut self, now: Timestamp) -> Option<Timestamp> {
        if self.locking.is_some() {
            return None;
        }
        let until = Timestamp(now.0 + GRACE_MS);
        self.locking = Some(Locking { until, heard: 0 });
        Some(until)
    }

    /// One window has saved everything.
    pub(super) fn heard(&mut self) {
        if let Some(locking) = &mut self.locking {
            locking.heard += 1;
        }
    }

    pub(super) fn is_locking(&self) -> bool {
        self.locking.is_some()
    }

    /// Whether every window has saved what is typed in it.
    pub(super) fn has_heard(&self, windows: usize) -> bool {
        self.locking.is_some_and(|locking| locking.heard >= windows)
    }

    /// Whether it is time to lock: every window has saved and what was asked of the server is `settled`, or they take too
    /// long.
    pub(super) fn is_done(&self, now: Timestamp, windows: usize, settled: bool) -> bool {
        self.locking.is_some_and(|locking| {
            let left = locking.until.0 - now.0;
            (locking.heard >= windows && settled) || !(1..=GRACE_MS).contains(&left)
        })
    }

    pub(super) fn ended(&mut self) {
        self.locking = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000_000);

    fn minutes(minutes: i64) -> Timestamp {
        START.plus_minutes(minutes)
    }

    #[test]
    fn it_locks_after_minutes_without_input() {
        let mut lock = AutoLock::new(5, START);
        assert!(!lock.is_overdue(minutes(4)));
        lock.touched(minutes(4));
        assert!(!lock.is_overdue(minutes(8)));
        assert_eq!(lock.due(), Some(minutes(9)));
        assert!(lock.is_overdue(minutes(9)));
        let mut never = AutoLock::new(0, START);
        assert!(!never.is_overdue(minutes(100_000)));
        assert_eq!(never.due(), None);
    }

    #[test]
    fn a_clock_set_back_does_not_keep_it_open() {
        let mut lock = AutoLock::new(5, START);
        assert!(!lock.is_overdue(minutes(-600)));
        assert!(lock.is_overdue(minutes(-595)));
    }

    #[test]
    fn every_window_saves_first_but_none_keeps_it_open() {
        let mut lock = AutoLock::new(5, START);
        let until = lock.begin(START).expect("nobody was asked yet");
        assert_eq!(lock.begin(START), None, "they are asked once");
        assert!(!lock.is_overdue(minutes(9)));
        lock.heard();
        assert!(!lock.is_done(START, 2, true));
        lock.heard();
        assert!(lock.is_done(START, 2, true));
        assert!(!lock.is_done(START, 2, false), "fresh tokens are on their way");
        assert!(lock.is_done(until, 2, false));
        assert!(lock.is_done(minutes(-1), 2, false), "the clock was set back");
        lock.ended();
        assert!(!lock.is_done(minutes(9), 0, true));
    }
}
