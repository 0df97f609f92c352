//! Late work: what the clinic does not take from its author any more is handed in to the clinic's administrators.
//!
//! When the server refuses a session, the person may have left the clinic; the answer to an empty hand-in tells. Then
//! everything of theirs that waits or was refused goes to the administrators, and they from this device: with the clinic's
//! records, unless colleagues go on with those. A member hands in what they choose among what was refused to them, and
//! brings what was refused to others, which the clinic takes of those who have left. Invariants: what is not safe at the
//! clinic stays in the outbox; and no record goes while anybody's work is here alone.

use super::recover::Refused;
use crate::core::{Cache, Core, SignedIn};
use crate::effect::{Effect, HasLeft};
use crate::event::HandInAnswer;
use crate::store::{OutboxEntry, Store, StoreError};
use automerge::ChangeHash;
use shared_model::ids::{AccountId, DocumentId};
use shared_model::late_work::{
    HAND_IN_BUDGET, HandIn, HandedIn, Kept, MAX_AUTHORS, MAX_COMMAND, MAX_ITEMS, SignedBy,
};
use shared_model::protocol::{MAX_CHANGE, RefusalCode};
use shared_model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// First wait after an attempt that led to nothing; it doubles up to `MAX_WAIT_MS`, each time spread by the dice.
const FIRST_WAIT_MS: i64 = 5_000;
const MAX_WAIT_MS: i64 = 2 * 60_000;
/// When the server has answered that it does not take it: somebody may decide otherwise meanwhile.
const REFUSED_WAIT_MS: i64 = 4 * 60_000;
/// An answer that has not come by then does not come.
const ANSWER_WITHIN_MS: i64 = 60_000;

/// Why what somebody who has left did not sign with a known key is taken by nobody else.
const WHY_UNVOUCHED: &str = "its author has left the clinic, and it lacks a signature that is known there";

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
    /// Rows that an answer is waited for about.
    asked: BTreeSet<i64>,
    /// Rows of others that were brought in this session and are not late work, or not yet.
    declined: BTreeSet<i64>,
    /// Rows of one's own that the clinic has not kept since it was last waited: they hold up none of the others.
    not_kept: BTreeSet<i64>,
    /// It was answered in this session who has left of the others who are signed in here, or whose work is.
    asked_about: bool,
    /// Up to whom of them that is so, and up to whom the question under way goes if more are behind: it has room for so many.
    asked_up_to: Option<AccountId>,
    asking_up_to: Option<AccountId>,
    /// Of the others whose work is here, who has left.
    authors_left: BTreeSet<AccountId>,
}

impl HandingIn {
    /// With fresh tokens, which only a member gets. What waits for another attempt, or for an answer, is tried again.
    pub(super) fn begin_anew(&mut self) {
        self.left = Left::No;
        self.attempts = 0;
        self.due = self.due.or(self.asked_at.take());
        self.asked.clear();
        self.not_kept.clear();
    }

    /// In a new session somebody may have left who had not in the last.
    pub(super) fn bring_again(&mut self) {
        self.declined.clear();
        self.ask_again();
    }

    /// Other work may be held than before.
    pub(super) fn ask_again(&mut self) {
        self.asked_about = false;
        self.asked_up_to = None;
    }
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
            Left::No | Left::Yes => self.next_to_hand_in(account, left == Left::Yes)?,
        };
        let (authors, more) = if left == Left::No && !self.sync.handing_in.asked_about {
            self.others_here(account)?
        } else {
            (Vec::new(), false)
        };
        self.sync.handing_in.asking_up_to = authors.last().copied().filter(|_| more);
        if items.is_empty() && authors.is_empty() && left == Left::No {
            self.sync.handing_in.due = None;
            return Ok(());
        }
        self.sync.handing_in.asked = items.iter().map(|(row, _)| *row).collect();
        effects.push(Effect::HandIn {
            access_token: signed_in.credentials.access_token.clone(),
            work: HandIn {
                device: signed_in.device,
                left: left != Left::No,
                items: items.into_iter().map(|(_, item)| item).collect(),
                authors,
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
            handing_in.not_kept.clear();
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
            self.sync.handing_in.not_kept.clear();
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
        if let HandInAnswer::Kept(kept) = answer
            && !self
                .signed_in
                .as_ref()
                .is_some_and(|signed_in| is_of(kept, signed_in))
        {
            // Somebody else works here by now.
            self.store.transaction(|| self.store.mark_kept(kept, now))?;
            return Ok(false);
        }
        self.sync.handing_in.asked_at = None;
        match answer {
            HandInAnswer::Kept(kept) => {
                // If what follows cannot be stored, it is done at the next answer.
                self.sync.handing_in.due = Some(Timestamp(now.0 + FIRST_WAIT_MS));
                self.store.transaction(|| self.store.mark_kept(kept, now))?;
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
        if kept.has_left {
            self.sync.handing_in.left = Left::Yes;
        }
        let asked = std::mem::take(&mut self.sync.handing_in.asked);
        for row in self.store.outbox_entries(&Vec::from_iter(asked))? {
            if row.handed.is_some_and(|handed| handed.arrived_at.is_some()) {
                continue;
            }
            if row.account == kept.account {
                self.sync.handing_in.not_kept.insert(row.seq);
            } else {
                self.sync.handing_in.declined.insert(row.seq);
            }
        }
        self.sync.handing_in.authors_left.extend(&kept.authors_left);
        let is_own_safe = self.store.not_handed_in(kept.account, kept.has_left)?.is_empty();
        let is_all = self.next_to_hand_in(kept.account, kept.has_left)?.is_empty();
        let mut changed = false;
        if is_all {
            while let Some(account) = self.sync.handing_in.authors_left.first().copied() {
                changed |= self.colleague_has_left(account, effects)?;
                self.sync.handing_in.authors_left.remove(&account);
            }
        }
        // Not before: if one of them could not be seen to, it is asked again.
        match self.sync.handing_in.asking_up_to.take() {
            Some(last) => self.sync.handing_in.asked_up_to = Some(last),
            None => self.sync.handing_in.asked_about = true,
        }
        if is_all && !is_own_safe {
            // The clinic keeps no more of it now: it stays here, listed.
            self.sync.handing_in.due = Some(Timestamp(now.0 + REFUSED_WAIT_MS));
            return Ok(changed);
        }
        if is_all && kept.has_left {
            self.leave(effects)?;
            return Ok(true);
        }
        self.hand_in(now, effects)?;
        Ok(changed)
    }

    /// What is handed in next: one's own work, and what was refused to others, of which the clinic has not yet said that it
    /// does not take it.
    fn next_to_hand_in(&self, account: AccountId, left: bool) -> Result<Vec<(i64, HandedIn)>, StoreError> {
        let HandingIn {
            declined, not_kept, ..
        } = &self.sync.handing_in;
        let own = self.store.not_handed_in(account, left)?;
        let others = self.store.refused_of_others(account)?;
        let all = own.into_iter().chain(others);
        let next = all
            .filter(|(row, _)| !declined.contains(&row.seq) && !not_kept.contains(&row.seq))
            .filter(|(row, command)| row.change.len() <= MAX_CHANGE && command.len() <= MAX_COMMAND);
        as_items(account, next)
    }

    /// The others of whom this session has to know whether they are of the clinic still, behind those that it has asked about, as
    /// many as one question has room for; and whether more follow. They are those who are signed in here, because nothing is to
    /// let them in any more otherwise, and those whose work here waits for somebody: for them alone, or to be seen to since it is
    /// safe at the clinic.
    fn others_here(&self, account: AccountId) -> Result<(Vec<AccountId>, bool), StoreError> {
        let mut others = BTreeSet::from_iter(self.store.signed_in_here()?);
        others.extend(self.store.others_with_held_work(account)?);
        let behind = self.sync.handing_in.asked_up_to;
        let mut others: Vec<AccountId> = others
            .into_iter()
            .filter(|other| *other != account && behind.is_none_or(|last| *other > last))
            .collect();
        let more = others.len() > MAX_AUTHORS;
        others.truncate(MAX_AUTHORS);
        Ok((others, more))
    }

    /// Whoever is signed in belongs to the clinic no more, and all of their work is safe there: they are signed out, and the
    /// records go, unless a colleague is signed in here too or has work that is here alone.
    fn leave(&mut self, effects: &mut Vec<Effect>) -> Result<(), StoreError> {
        let Some(signed_in) = &self.signed_in else {
            return Ok(());
        };
        let (account, device) = (signed_in.credentials.principal.account, signed_in.device);
        let is_last = self.store.signed_in_here()?.iter().all(|one| *one == account);
        let told = self.told_of(account, is_last && self.store.outbox_counts()?.is_empty())?;
        // What was noted already knew the records, which may be gone since: their room alone could not be given back.
        let left = self.store.left_of(account)?.unwrap_or(told);
        if left.records_gone {
            self.store.purge(device, || self.store.set_left(&left))?;
            self.cache = Cache::default();
            self.forget_clinic();
        } else {
            self.forget_colleague(&left, &[])?;
        }
        self.signed_in = None;
        self.sync.reset();
        effects.push(Effect::CloseSocket);
        effects.push(Effect::SignedIn(false));
        effects.push(Effect::HasLeft(left));
        Ok(())
    }

    /// The clinic says so of somebody who is signed in here too, or whose work is here. Whether records are others than before.
    fn colleague_has_left(
        &mut self,
        account: AccountId,
        effects: &mut Vec<Effect>,
    ) -> Result<bool, StoreError> {
        let held = self.store.only_they_can_send(account)?;
        let is_signed_in = self.store.signed_in_here()?.contains(&account);
        let counts = self.store.outbox_counts()?;
        if is_signed_in && counts.iter().any(|(whose, _)| *whose == account) {
            // They hand it in themselves, when their session is refused. Nothing waits for them until then.
            return self.list_held(&held, effects);
        }
        let told = self.told_of(account, false)?;
        self.forget_colleague(&told, &held)?;
        self.push(effects)?;
        effects.push(Effect::HasLeft(told));
        Ok(true)
    }

    /// What its author alone could send, and cannot any more. Whether there is any.
    fn list_held(&mut self, held: &[OutboxEntry], effects: &mut Vec<Effect>) -> Result<bool, StoreError> {
        if held.is_empty() {
            return Ok(false);
        }
        let done = self.store.transaction(|| self.take_back_all(held, WHY_UNVOUCHED));
        // Documents in memory may be ahead of the disk if it failed.
        self.cache.clear();
        done?;
        self.sync.look_at_all_again();
        self.push(effects)?;
        Ok(true)
    }

    /// Somebody goes, and the records stay: without what the clinic did not take from them as their work. `held` can neither
    /// be sent nor handed in by anybody else: nothing is to wait for it in vain, and it is listed.
    fn forget_colleague(&mut self, left: &HasLeft, held: &[OutboxEntry]) -> Result<(), StoreError> {
        let unsent = self.store.handed_in_and_waiting(left.account)?;
        let mut wanted = self.sync.wanted.clone();
        let done = self.store.transaction(|| {
            self.take_back_all(&unsent, "its author has left the clinic")?;
            self.take_back_all(held, WHY_UNVOUCHED)?;
            // Some of it may have been accepted, with an answer that never came.
            for document in unsent.iter().map(|row| row.document) {
                if self.store.document(document)?.is_some() {
                    wanted.insert(document);
                }
            }
            self.store.set_wanted(&self.sync.wanted, &wanted)?;
            self.store.forget_handed_in(left.account)?;
            self.store.set_left(left)?;
            self.store.forget_credentials(left.account)
        });
        // Documents in memory may be ahead of the disk if it failed.
        self.cache.clear();
        done?;
        self.sync.wanted = wanted;
        self.sync.look_at_all_again();
        Ok(())
    }

    fn take_back_all(&self, rows: &[OutboxEntry], why: &str) -> Result<(), StoreError> {
        let mut refused: BTreeMap<DocumentId, Refused> = BTreeMap::new();
        for row in rows {
            let reason = (RefusalCode::NotPermitted, why.to_owned());
            self.store.mark_refused(row.seq, reason.0, &reason.1)?;
            refused.entry(row.document).or_default().insert(row.seq, reason);
        }
        for (document, refused) in &refused {
            self.take_back(*document, refused, None)?;
        }
        Ok(())
    }

    fn told_of(&self, account: AccountId, records_gone: bool) -> Result<HasLeft, StoreError> {
        let (entries, at) = self.store.handed_in(account)?;
        Ok(HasLeft {
            account,
            name: self.person(account)?,
            clinic: self.clinic_name().to_owned(),
            entries,
            at,
            records_gone,
        })
    }

    /// For a host that had no time to see to it when they left.
    pub(crate) fn tell_who_has_left(&self, effects: &mut Vec<Effect>) -> Result<(), StoreError> {
        effects.extend(self.store.left()?.into_iter().map(Effect::HasLeft));
        Ok(())
    }
}

fn is_of(kept: &Kept, signed_in: &SignedIn) -> bool {
    signed_in.credentials.principal.account == kept.account && signed_in.clinic() == kept.clinic
}

/// As much as one request has, with the numbers of the rows. What is not of `account` goes with its author's signature.
fn as_items(
    account: AccountId,
    rows: impl Iterator<Item = (OutboxEntry, Vec<u8>)>,
) -> Result<Vec<(i64, HandedIn)>, StoreError> {
    let mut items = Vec::new();
    let mut size = 0;
    for (entry, command) in rows.take(MAX_ITEMS) {
        size += entry.change.len() + command.len();
        if size > HAND_IN_BUDGET && !items.is_empty() {
            break;
        }
        let hash = ChangeHash::try_from(entry.hash.as_slice())
            .map_err(|_| StoreError::Corrupt("outbox hash".to_owned()))?;
        let signed = entry.signed.filter(|_| entry.account != account);
        items.push((
            entry.seq,
            HandedIn {
                kind: entry.kind,
                document: entry.document,
                hash: hash.to_string(),
                change: entry.change,
                command,
                made_at: entry.made_at,
                signed: signed.map(|signed| SignedBy {
                    key: signed.key.to_vec(),
                    signature: signed.signature.to_vec(),
                }),
            },
        ));
    }
    Ok(items)
}

/// The `meta` entry that says that somebody has left.
fn left_name(account: AccountId) -> String {
    format!("left {account}")
}

type NotedLeft = (AccountId, String, String, u64, Option<i64>, bool);

impl Store {
    fn mark_kept(&self, kept: &Kept, now: Timestamp) -> Result<(), StoreError> {
        kept.hashes
            .iter()
            .try_for_each(|hash| self.mark_handed_in(hash, now))
    }

    fn set_left(&self, left: &HasLeft) -> Result<(), StoreError> {
        let at = left.at.map(|at| at.0);
        let noted = (
            left.account,
            left.name.as_str(),
            left.clinic.as_str(),
            left.entries,
            at,
            left.records_gone,
        );
        self.set_meta(&left_name(left.account), &noted)
    }

    fn left_of(&self, account: AccountId) -> Result<Option<HasLeft>, StoreError> {
        Ok(self.meta::<NotedLeft>(&left_name(account))?.map(has_left))
    }

    /// Everybody of whom it was heard here.
    fn left(&self) -> Result<Vec<HasLeft>, StoreError> {
        let mut statement = self
            .sql
            .prepare_cached("SELECT value FROM meta WHERE name LIKE 'left ________-%'")?;
        let mut rows = statement.query([])?;
        let mut left = Vec::new();
        while let Some(row) = rows.next()? {
            let noted: NotedLeft = minicbor::decode(row.get_ref(0)?.as_blob()?)
                .map_err(|_| StoreError::Corrupt("who has left".to_owned()))?;
            left.push(has_left(noted));
        }
        Ok(left)
    }

    /// Somebody has begun anew in the store that was emptied when another left.
    pub(crate) fn records_are_here_again(&self) -> Result<(), StoreError> {
        for left in self.left()?.into_iter().filter(|left| left.records_gone) {
            self.set_left(&HasLeft {
                records_gone: false,
                ..left
            })?;
        }
        Ok(())
    }

    /// They belong to the clinic again.
    pub(crate) fn forget_left(&self, account: AccountId) -> Result<(), StoreError> {
        self.clear_meta(&left_name(account))
    }
}

fn has_left((account, name, clinic, entries, at, records_gone): NotedLeft) -> HasLeft {
    HasLeft {
        account,
        name,
        clinic,
        entries,
        at: at.map(Timestamp),
        records_gone,
    }
}
