//! Late work: what the clinic does not take from its author any more is handed in to the clinic's administrators.
//!
//! When the server refuses a session, the person may have left the clinic; the answer to an empty hand-in tells. Then
//! everything of theirs that waits or was refused goes to the administrators, and the clinic's records leave this device. A
//! member hands in what they choose among what was refused. Invariants: what is not safe at the clinic stays in the outbox; and no
//! record goes while anybody's work is here alone.

use crate::core::{Cache, Core, SignedIn};
use crate::effect::Effect;
use crate::event::HandInAnswer;
use crate::query::LeftView;
use crate::store::{Store, StoreError};
use automerge::ChangeHash;
use shared_model::ids::AccountId;
use shared_model::late_work::{HAND_IN_BUDGET, HandIn, HandedIn, Kept, MAX_ITEMS};
use shared_model::time::Timestamp;

/// First wait after an attempt that led to nothing; it doubles up to `MAX_WAIT_MS`, each time spread by the dice.
const FIRST_WAIT_MS: i64 = 5_000;
const MAX_WAIT_MS: i64 = 2 * 60_000;
/// When the server has answered that it does not take it: somebody may decide otherwise meanwhile.
const REFUSED_WAIT_MS: i64 = 4 * 60_000;
/// An answer that has not come by then does not come.
const ANSWER_WITHIN_MS: i64 = 60_000;

/// Whether the person who is signed in has left the clinic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Left {
    #[default]
    No,
    /// The server has refused the session.
    Perhaps,
    Yes,
}

#[derive(Debug, Default)]
pub(super) struct HandingIn {
    left: Left,
    /// Since when an answer is waited for.
    asked_at: Option<Timestamp>,
    /// When it is tried again.
    due: Option<Timestamp>,
    /// Attempts in a row that led to nothing.
    attempts: u32,
}

impl Core {
    /// The session was refused: asks whether its person has left.
    pub(super) fn may_have_left(
        &mut self,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if self.sync.handing_in.left == Left::No {
            self.sync.handing_in.left = Left::Perhaps;
        }
        self.hand_in(now, effects)
    }

    /// Hands in the next of what is to be handed in, unless an answer is waited for.
    pub(crate) fn hand_in(&mut self, now: Timestamp, effects: &mut Vec<Effect>) -> Result<(), StoreError> {
        let left = self.sync.handing_in.left;
        let Some(signed_in) = &self.signed_in else {
            return Ok(());
        };
        if self.sync.handing_in.asked_at.is_some() {
            return Ok(());
        }
        let account = signed_in.credentials.principal.account;
        // If the store cannot be read now.
        self.sync.handing_in.due = Some(Timestamp(now.0 + FIRST_WAIT_MS));
        let items = match left {
            Left::Perhaps => Vec::new(),
            Left::No | Left::Yes => self.store.to_hand_in(account, left == Left::Yes)?,
        };
        if items.is_empty() && left == Left::No {
            self.sync.handing_in.due = None;
            return Ok(());
        }
        effects.push(Effect::HandIn {
            access_token: signed_in.credentials.access_token.clone(),
            work: HandIn {
                device: signed_in.device,
                left: left != Left::No,
                items,
            },
        });
        self.sync.handing_in.asked_at = Some(now);
        self.sync.handing_in.due = None;
        Ok(())
    }

    /// Tries again what was not answered, or is due.
    pub(super) fn hand_in_when_due(
        &mut self,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let handing_in = &mut self.sync.handing_in;
        let waited = |asked: Timestamp| !(0..ANSWER_WITHIN_MS).contains(&(now.0 - asked.0));
        let unanswered = handing_in.asked_at.is_some_and(waited);
        // A wait that is longer than any means that the clock has gone back since.
        let is_due = |at: Timestamp| now >= at || at.0 - now.0 > REFUSED_WAIT_MS;
        if unanswered {
            handing_in.asked_at = None;
        }
        if unanswered || handing_in.due.is_some_and(is_due) {
            self.hand_in(now, effects)?;
        }
        Ok(())
    }

    /// The network is believed to be back.
    pub(crate) fn hand_in_now(
        &mut self,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if self.sync.handing_in.due.is_some() {
            self.hand_in(now, effects)?;
        }
        Ok(())
    }

    /// The clinic's answer; whether the person has left, and nothing of the clinic is here any more.
    pub(crate) fn handed_in(
        &mut self,
        now: Timestamp,
        answer: &HandInAnswer,
        dice: u32,
        effects: &mut Vec<Effect>,
    ) -> Result<bool, StoreError> {
        self.sync.handing_in.asked_at = None;
        match answer {
            HandInAnswer::Kept(kept) => {
                // If what follows cannot be stored, it is done at the next answer.
                self.sync.handing_in.due = Some(Timestamp(now.0 + FIRST_WAIT_MS));
                self.store.transaction(|| {
                    kept.hashes
                        .iter()
                        .try_for_each(|hash| self.store.mark_handed_in(hash, now))
                })?;
                self.sync.handing_in.attempts = 0;
                self.after_handing_in(now, kept, effects)
            }
            HandInAnswer::StillMember => {
                self.sync.handing_in.due = Some(Timestamp(now.0 + REFUSED_WAIT_MS));
                Ok(false)
            }
            HandInAnswer::TooLate => {
                // A member's token is fresh again with the next session.
                let is_member = self.sync.handing_in.left == Left::No;
                self.sync.handing_in.due = is_member.then_some(Timestamp(now.0 + REFUSED_WAIT_MS));
                Ok(false)
            }
            HandInAnswer::Unreachable => {
                let ceiling = MAX_WAIT_MS.min(FIRST_WAIT_MS << self.sync.handing_in.attempts.min(10));
                let wait = ceiling / 2 + i64::from(dice) % (ceiling / 2 + 1);
                self.sync.handing_in.attempts = self.sync.handing_in.attempts.saturating_add(1);
                self.sync.handing_in.due = Some(Timestamp(now.0 + wait));
                Ok(false)
            }
        }
    }

    fn after_handing_in(
        &mut self,
        now: Timestamp,
        kept: &Kept,
        effects: &mut Vec<Effect>,
    ) -> Result<bool, StoreError> {
        let is_of = |signed_in: &SignedIn| {
            signed_in.credentials.principal.account == kept.account && signed_in.clinic() == kept.clinic
        };
        if !self.signed_in.as_ref().is_some_and(is_of) {
            // Somebody else is signed in by now.
            return Ok(false);
        }
        let is_news = kept.has_left && self.sync.handing_in.left != Left::Yes;
        if kept.has_left {
            self.sync.handing_in.left = Left::Yes;
        }
        let is_all = self.store.to_hand_in(kept.account, kept.has_left)?.is_empty();
        if is_all && kept.has_left {
            self.leave(effects)?;
            return Ok(true);
        }
        if is_all || is_news || !kept.hashes.is_empty() {
            self.hand_in(now, effects)?;
        } else {
            // The clinic keeps no more of it: it stays here, listed.
            self.sync.handing_in.due = Some(Timestamp(now.0 + REFUSED_WAIT_MS));
        }
        Ok(false)
    }

    /// Whoever is signed in belongs to the clinic no more, and all of their work is safe there: they are signed out, and the
    /// records go, unless a colleague's work is here alone.
    fn leave(&mut self, effects: &mut Vec<Effect>) -> Result<(), StoreError> {
        let Some(signed_in) = &self.signed_in else {
            return Ok(());
        };
        let account = signed_in.credentials.principal.account;
        let (entries, at) = self.store.handed_in(account)?;
        let told = LeftView {
            clinic: self.clinic_name().to_owned(),
            entries,
            at,
            records_gone: self.store.outbox_counts()?.is_empty(),
        };
        // What was noted already knew the records, which may be gone since: their room alone could not be given back.
        let left = self.store.left()?.unwrap_or(told);
        if left.records_gone {
            self.store
                .purge(signed_in.device, || self.store.set_left(&left))?;
            self.cache = Cache::default();
            self.forget_clinic();
        } else {
            self.store.transaction(|| {
                self.store.forget_handed_in(account)?;
                self.store.set_left(&left)?;
                self.store.forget_credentials()
            })?;
            self.cache.clear();
        }
        self.signed_in = None;
        self.sync.reset();
        effects.push(Effect::CloseSocket);
        effects.push(Effect::SignedIn(false));
        Ok(())
    }
}

const LEFT: &str = "left";

impl Store {
    /// What is to be handed in of one person's work next, oldest first: of somebody who has left, all that nobody has let
    /// go; of a member, what they chose.
    fn to_hand_in(&self, account: AccountId, left: bool) -> Result<Vec<HandedIn>, StoreError> {
        let mut items = Vec::new();
        let mut size = 0;
        for (entry, command) in self.not_handed_in(account, left, MAX_ITEMS)? {
            size += entry.change.len() + command.len();
            if size > HAND_IN_BUDGET && !items.is_empty() {
                break;
            }
            let hash = ChangeHash::try_from(entry.hash.as_slice())
                .map_err(|_| StoreError::Corrupt("outbox hash".to_owned()))?;
            items.push(HandedIn {
                kind: entry.kind,
                document: entry.document,
                hash: hash.to_string(),
                change: entry.change,
                command,
                made_at: entry.made_at,
            });
        }
        Ok(items)
    }

    /// Notes for whoever sees this device next what became of the work of somebody who has left.
    fn set_left(&self, left: &LeftView) -> Result<(), StoreError> {
        let at = left.at.map(|at| at.0);
        let noted = (left.clinic.as_str(), left.entries, at, left.records_gone);
        self.set_meta(LEFT, &noted)
    }

    pub(crate) fn left(&self) -> Result<Option<LeftView>, StoreError> {
        let left: Option<(String, u64, Option<i64>, bool)> = self.meta(LEFT)?;
        Ok(left.map(|(clinic, entries, at, records_gone)| LeftView {
            clinic,
            entries,
            at: at.map(Timestamp),
            records_gone,
        }))
    }

    /// Somebody signs in: they have read it, or it is not theirs.
    pub(crate) fn forget_left(&self) -> Result<(), StoreError> {
        self.clear_meta(LEFT)
    }
}
