//! What a person decides about work that the clinic refused: do it again, do something else in its stead, let it go.
//!
//! Invariants: refused work leaves the list only in the transaction that does it again or notes who let it go and why;
//! whoever does it again answers for it with their own permissions; and what happened keeps the time at which it did.

use super::retype::Retyping;
use crate::core::{Core, SignedIn, Written, open};
use crate::effect::{Effect, Failure};
use crate::event::Decision;
use crate::query::Touched;
use crate::store::{Discarded, OutboxEntry, StoreError};
use shared_model::commands::{Command, CommandError};
use shared_model::documents::{Document, Kind};
use shared_model::ids::DocumentId;
use shared_model::late_work::MAX_REASON;
use shared_model::permissions::{Denied, Role};
use shared_model::time::Timestamp;
use shared_model::values::{self, Invalid};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

impl Core {
    pub(crate) fn decide(
        &mut self,
        now: Timestamp,
        ticket: u64,
        decision: &Decision,
        effects: &mut Vec<Effect>,
    ) -> Result<Touched, StoreError> {
        let mut touched = Touched::default();
        let outcome = match (self.trouble(), self.signed_in.clone()) {
            (Some(trouble), _) => Err(Failure::Storage(trouble)),
            (None, None) => Err(Failure::SignedOut),
            (None, Some(signed_in)) => {
                touched.status = true;
                let mut entries = self.store.outbox_entries(decision.rows())?;
                // Another window may have decided already.
                entries.retain(|entry| entry.refused.is_some() && entry.handed.is_none());
                match self.carry_out(now, ticket, &signed_in, decision, &entries)? {
                    Err(error) => Err(Failure::Command(error)),
                    Ok(written) => {
                        for part in written {
                            touched.documents.insert((part.kind, part.id));
                            self.cache.put(Arc::new(part.document));
                        }
                        Ok(now)
                    }
                }
            }
        };
        effects.push(Effect::Answer { ticket, outcome });
        self.push(effects)?;
        if matches!(decision, Decision::HandIn { .. }) {
            self.hand_in(now, effects)?;
        }
        Ok(touched)
    }

    fn carry_out(
        &self,
        now: Timestamp,
        ticket: u64,
        signed_in: &SignedIn,
        decision: &Decision,
        entries: &[OutboxEntry],
    ) -> Result<Result<Vec<Written>, CommandError>, StoreError> {
        let written = match decision {
            Decision::Again { .. } => match self.again(now, signed_in, entries, entries)? {
                Ok(parts) => Ok(parts.into_iter().flatten().collect()),
                Err(error) => Err(error),
            },
            Decision::Instead { command, .. } => self.write(now, signed_in, command)?,
            Decision::LetGo { reason, .. } => {
                let discarded = match may_let_go(signed_in, entries).and_then(|()| reason_of(reason)) {
                    Ok(reason) => Discarded {
                        at: now,
                        by: signed_in.credentials.principal.account,
                        reason,
                    },
                    Err(error) => return Ok(Err(error)),
                };
                return self.mark(now, ticket, entries, Some(&discarded));
            }
            Decision::PutBack { .. } => return self.mark(now, ticket, entries, None),
            Decision::HandIn { .. } => {
                let me = signed_in.credentials.principal.account;
                if let Some(entry) = entries.iter().find(|entry| entry.account != me) {
                    return Ok(Err(CommandError::Denied(Denied::NotYours { kind: entry.kind })));
                }
                self.store.transaction(|| {
                    for entry in entries {
                        self.store.mark_offered(entry.seq, now)?;
                    }
                    self.store.note_answered(ticket, now)
                })?;
                return Ok(Ok(Vec::new()));
            }
            Decision::TakeOver { works, hashes } => {
                return self.take_over(now, ticket, signed_in, works, hashes);
            }
        };
        let written = match written {
            Ok(written) => written,
            Err(error) => return Ok(Err(error)),
        };
        self.store.transaction(|| {
            for entry in entries {
                self.store.acknowledge(entry.seq)?;
            }
            self.store.forget_redone()?;
            self.keep(signed_in, now, &written)?;
            self.store.note_answered(ticket, now)
        })?;
        Ok(Ok(written))
    }

    fn mark(
        &self,
        now: Timestamp,
        ticket: u64,
        entries: &[OutboxEntry],
        discarded: Option<&Discarded>,
    ) -> Result<Result<Vec<Written>, CommandError>, StoreError> {
        self.store.transaction(|| {
            for entry in entries {
                self.store.mark_discarded(entry.seq, discarded)?;
            }
            self.store.note_answered(ticket, now)
        })?;
        Ok(Ok(Vec::new()))
    }

    /// The refused rows once more, oldest first, each on what those before it left; in memory only. What each is now;
    /// `None` for one that says what stands there already. `beside` are rows that tell what their author saw.
    pub(super) fn again(
        &self,
        now: Timestamp,
        signed_in: &SignedIn,
        entries: &[OutboxEntry],
        beside: &[OutboxEntry],
    ) -> Result<Result<Vec<Option<Written>>, CommandError>, StoreError> {
        let mut working: HashMap<DocumentId, Arc<Document>> = HashMap::new();
        let mut retyping: HashMap<DocumentId, Retyping> = HashMap::new();
        let mut written: Vec<Option<Written>> = Vec::new();
        for entry in entries {
            let (kind, id) = (entry.kind, entry.document);
            let not_here = || CommandError::NotHere {
                kind: kind.word().to_owned(),
            };
            let Some(mut command) = entry.command.clone() else {
                return Ok(Err(not_here()));
            };
            let stored = match working.get(&id) {
                Some(document) => Some(document.clone()),
                None => open(&self.store, &self.cache, signed_in.clinic(), id)?,
            };
            if let Command::WriteInSection(edit) = &mut command {
                let Some(now) = &stored else {
                    return Ok(Err(not_here()));
                };
                let retyping = match retyping.entry(id) {
                    Entry::Occupied(begun) => begun.into_mut(),
                    Entry::Vacant(none) => none.insert(Retyping::of(&self.store, now, beside)?),
                };
                match retyping.edit(entry, edit, now) {
                    Ok(retyped) => *edit = retyped,
                    Err(error) => return Ok(Err(error)),
                }
            }
            let part = match self.part(now, entry.made_at, signed_in, &command, kind, id, stored)? {
                Ok(part) => part,
                Err(error) => return Ok(Err(error)),
            };
            if let Some(part) = &part {
                working.insert(id, Arc::new(part.document.clone()));
            }
            written.push(part);
        }
        Ok(Ok(written))
    }
}

/// One's own work, or anybody's for the clinic's administrator.
fn may_let_go(signed_in: &SignedIn, entries: &[OutboxEntry]) -> Result<(), CommandError> {
    let principal = &signed_in.credentials.principal;
    let stranger = entries.iter().find(|entry| entry.account != principal.account);
    match stranger {
        Some(entry) if !principal.roles.contains(&Role::ClinicAdministrator) => {
            let kind: Kind = entry.kind;
            Err(CommandError::Denied(Denied::NotYours { kind }))
        }
        _ => Ok(()),
    }
}

fn reason_of(reason: &str) -> Result<String, CommandError> {
    values::line(reason, MAX_REASON).map_err(|why: Invalid| CommandError::Invalid {
        field: "reason".to_owned(),
        why,
    })
}
