//! Locking the device, and leaving it: signing out, being taken off it, beginning anew, losing it.
//!
//! Invariant: once it is locked, nothing in memory opens the records.

use super::{Io, Purpose, Runner};
use crate::host::auto_lock::AutoLock;
use crate::host::vault::{Files, Found};
use crate::host::{FromCore, HostTrouble, NotDone};
use local_core::{Core, Event, HasLeft, LeftOff, StoreError};
use shared_model::ids::AccountId;
use shared_model::time::Timestamp;

/// What becomes of whoever works here when the device locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// They come back.
    Locked,
    SignedOut,
    /// The device forgets them.
    Removed(AccountId),
    /// They were let in by the server and not by the records; whose these are stays who they were.
    Refused,
}

impl Ends {
    fn forgets_tokens(self) -> bool {
        matches!(self, Self::SignedOut | Self::Removed(_))
    }
}

impl<F: Files, I: Io> Runner<F, I> {
    pub(super) fn sign_out(&mut self) {
        // Where the server keeps a key, whoever comes next comes in through it. Without one the records stay open for a
        // colleague who is new here, until they lock by themselves.
        let locks = self.key.is_some() && self.vault.keyring.has_device_key().unwrap_or(false);
        if locks {
            self.ends = Ends::SignedOut;
            self.begin_locking(self.io.now());
        } else {
            self.forget_tokens();
        }
    }

    /// After every window has saved, which needs somebody who is signed in; and before the records close.
    fn forget_tokens(&mut self) {
        if self.account().is_none() {
            return;
        }
        let token = self.core.as_ref().and_then(Core::refresh_token);
        if let Some(refresh_token) = token.map(str::to_owned) {
            self.unanswered += 1;
            self.post_token(Purpose::SignOut, "/sign-out", refresh_token);
        }
        if matches!(self.ends, Ends::Removed(_))
            && let Some(core) = &self.core
        {
            // They are not coming back for it. Where it cannot be deleted it stays encrypted.
            drop(core.forget_left_off());
        }
        self.event(Event::SignedOut);
        self.end_calls();
    }

    /// Asks the windows to save what is typed; the device locks when they have, or when they take too long.
    pub(super) fn begin_locking(&mut self, now: Timestamp) {
        if self.key.is_some()
            && let Some(until) = self.auto_lock.begin(now)
        {
            self.io.to_views(vec![FromCore::Locking]);
            self.io.wake_at(until);
        }
    }

    /// `left_off` is where the window's person was; what is half typed in any window counts.
    pub(super) fn window_has_saved(&mut self, left_off: LeftOff) {
        if let (Some(core), Some(_)) = (&self.core, &self.key) {
            self.left_off.place = left_off.place;
            self.left_off.typed.extend(left_off.typed);
            // Where somebody was is no reason to leave the device open.
            drop(core.note_left_off(&self.left_off));
            self.begin_locking(self.io.now());
            self.auto_lock.heard();
            if self.auto_lock.has_heard(self.io.windows()) {
                self.leave_with_everything_saved();
            }
        } else {
            // The window that had the records is gone: no other goes on without unlocking.
            drop(self.vault.keyring.end_pass());
        }
    }

    pub(super) fn lock(&mut self) {
        // A window that did not answer in time keeps nobody signed in.
        self.leave_with_everything_saved();
        let Some(core) = self.close() else { return };
        let waiting = core.store().outbox_counts().map(|counts| {
            let of_one = counts.iter().map(|(_, one)| one.all());
            of_one.sum::<u64>()
        });
        drop(core);
        self.forget_secrets();
        let keyring = &self.vault.keyring;
        drop(match waiting {
            Ok(waiting) => keyring.note_locked(waiting),
            // Not known is as good as some: nobody throws records away then.
            Err(_) => keyring.end_pass(),
        });
        match std::mem::replace(&mut self.ends, Ends::Locked) {
            Ends::Locked => self.show_lock(false),
            Ends::SignedOut | Ends::Refused => self.show_lock(true),
            Ends::Removed(account) => self.forget(account),
        }
    }

    /// Whoever signs out or leaves the device does it with the records as they are once the windows have saved: what they
    /// saved last may be work that is nowhere else.
    fn leave_with_everything_saved(&mut self) {
        if let Ends::Removed(account) = self.ends
            && self.has_work_left(account).unwrap_or(true)
        {
            self.ends = Ends::Locked;
        }
        if self.ends.forgets_tokens() {
            self.forget_tokens();
        }
    }

    fn forget_secrets(&mut self) {
        self.key = None;
        self.overtake_sign_ins();
        self.proven_at = None;
        self.auto_lock.ended();
        self.left_off = LeftOff::default();
        self.end_calls();
    }

    /// Takes the person who works here off the device, unless work of theirs is nowhere else.
    pub(super) fn remove_me(&mut self) {
        let (Some(account), Some(_)) = (self.account(), &self.key) else {
            return;
        };
        match self.has_work_left(account) {
            Ok(false) => {
                self.ends = Ends::Removed(account);
                self.begin_locking(self.io.now());
            }
            Ok(true) => self.io.to_views(vec![FromCore::NotDone(NotDone::WorkWaits)]),
            Err(error) => self.not_done(&error),
        }
    }

    /// Whether something that this person wrote is on this device alone; what anybody wrote, if they are the last here.
    fn has_work_left(&self, account: AccountId) -> Result<bool, StoreError> {
        let Some(core) = &self.core else { return Ok(false) };
        let people = self.vault.keyring.people(self.io.now())?;
        let is_last = people.iter().all(|person| person.account == account);
        let counts = core.store().outbox_counts()?;
        Ok(counts
            .iter()
            .any(|(whose, counts)| (*whose == account || is_last) && counts.all() > 0))
    }

    fn forget(&mut self, account: AccountId) {
        let keyring = &self.vault.keyring;
        let forgotten = keyring
            .forget_person(account)
            .and_then(|()| Ok(keyring.people(self.io.now())?.is_empty()));
        match forgotten {
            Ok(true) => self.begin_anew(),
            // Where it failed they are still on the list.
            Ok(false) | Err(_) => self.show_lock(false),
        }
    }

    /// With nobody, and for whoever comes: no window goes on with what was.
    fn begin_anew(&mut self) {
        self.io.to_views(vec![FromCore::HandoverEnds]);
        let begun = self.vault.begin_anew();
        self.has_begun_anew(begun);
    }

    /// Nobody here can open the records, and the clinic has everything that is in them: the device begins anew.
    pub(super) fn begin_anew_when_nothing_waits(&mut self) {
        if self.core.is_none() && matches!(self.vault.keyring.waiting(), Ok(Some(0))) {
            self.begin_anew();
        }
    }

    /// The server says that the device was lost, to somebody who wants to sign in on it: there may be nobody whose core
    /// could be told.
    pub(super) fn is_lost(&mut self) {
        self.event(Event::DeviceLost);
        if !matches!(self.vault.found(), Ok(Found::Nothing)) {
            self.forget_all();
        }
    }

    /// The device was lost, and its core has deleted what was in the records: they go themselves now, with everybody who
    /// could open them.
    pub(super) fn forget_all(&mut self) {
        drop(self.close());
        self.forget_secrets();
        self.ends = Ends::Locked;
        self.io.to_views(vec![FromCore::HandoverEnds]);
        let gone = self.vault.forget_all();
        self.has_begun_anew(gone);
    }

    /// Somebody belongs to the clinic no more, and their work is there: nothing lets them in here again. With the last of a
    /// clinic its records go. `was_here`: it is about whoever worked here until now.
    pub(super) fn has_left(&mut self, left: &HasLeft, was_here: bool) {
        // Where it cannot be written down now, the core says it again when anybody comes in.
        drop(self.vault.keyring.note_left(left));
        if left.records_gone {
            self.forget_all();
            return self.io.to_views(self.who_has_left().into_iter().collect());
        }
        if !was_here || self.account().is_some() {
            // A colleague goes on.
            return;
        }
        self.end_calls();
        if self.key.is_some() {
            self.ends = Ends::SignedOut;
            return self.lock();
        }
        self.io.to_views(self.who_has_left().into_iter().collect());
    }

    fn has_begun_anew(&mut self, begun: Result<(), StoreError>) {
        let message = match begun.and_then(|()| self.vault.keyring.lock_after()) {
            Ok(after) => {
                self.auto_lock = AutoLock::new(after, self.io.now());
                FromCore::SignedIn(false)
            }
            Err(error) => FromCore::NoStore(HostTrouble::Storage((&error).into())),
        };
        self.io.to_views(vec![message]);
    }
}
