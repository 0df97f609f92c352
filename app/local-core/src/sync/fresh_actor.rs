//! Another store writes in this one's name: this one was copied, or restored from an older copy of itself.
//!
//! Place in the flow: found out by the server (`ActorReused`) or by the feed (a change of ours that is not here). The
//! host gives a fresh actor, and what waits of the documents concerned is done again in its name, on the state that its
//! author saw. Invariant: what the clinic has of the old name stays, and nothing of either store is lost or done twice.

use super::recover::Refused;
use crate::core::Core;
use crate::effect::Effect;
use crate::query::Touched;
use crate::store::{Store, StoreError};
use automerge::ActorId;
use minicbor::bytes::ByteVec;
use shared_model::ids::{AccountId, DocumentId};
use std::collections::{BTreeMap, BTreeSet};

/// The `meta` entry that survives an end of the program before the fresh actor has come.
const REUSED: &str = "reused";

impl Store {
    /// Notes documents in which another store wrote in our name.
    pub(super) fn note_reused(&self, documents: &BTreeSet<DocumentId>) -> Result<(), StoreError> {
        self.set_meta(REUSED, &documents.iter().copied().collect::<Vec<_>>())
    }
}

impl Core {
    pub(crate) fn ask_for_actor(&mut self, effects: &mut Vec<Effect>) {
        if self.sync.reused.is_some() && self.signed_in.is_some() && !self.sync.actor_asked {
            self.sync.actor_asked = true;
            effects.push(Effect::FreshActor);
        }
    }

    /// The server says that our name is somebody else's: everything that waits in it is done again in another one.
    pub(super) fn disown_actor(&mut self) -> Result<(), StoreError> {
        let Some(signed_in) = &self.signed_in else {
            return Ok(());
        };
        let waiting = self
            .store
            .waiting(signed_in.credentials.principal.account, usize::MAX)?;
        let documents: BTreeSet<DocumentId> = waiting.iter().map(|entry| entry.document).collect();
        self.store.transaction(|| self.store.note_reused(&documents))?;
        self.sync.reused = Some(documents);
        Ok(())
    }

    pub(crate) fn fresh_actor(
        &mut self,
        random: [u8; 16],
        effects: &mut Vec<Effect>,
    ) -> Result<Touched, StoreError> {
        let mut touched = Touched {
            status: true,
            ..Touched::default()
        };
        self.sync.actor_asked = false;
        let (Some(signed_in), Some(documents)) = (&self.signed_in, self.sync.reused.clone()) else {
            return Ok(touched);
        };
        let me = signed_in.credentials.principal.account;
        let done = self.store.transaction(|| {
            // A colleague's work that waits beside it was copied too, and gets a name of its own.
            let mut accounts = BTreeSet::from([me]);
            for document in &documents {
                let rows = self.store.outbox_of(*document)?;
                accounts.extend(
                    rows.iter()
                        .filter(|row| row.refused.is_none())
                        .map(|row| row.account),
                );
            }
            let actors: BTreeMap<AccountId, ActorId> = accounts
                .into_iter()
                .map(|account| (account, actor_of(random, account)))
                .collect();
            for (account, actor) in &actors {
                self.store.set_meta(
                    &format!("actor {account}"),
                    &ByteVec::from(actor.to_bytes().to_vec()),
                )?;
            }
            for document in &documents {
                if let Some(kind) = self.take_back(*document, &Refused::new(), Some(&actors))? {
                    touched.documents.insert((kind, *document));
                }
            }
            self.store.clear_meta(REUSED)?;
            Ok(actors)
        });
        let actors = match done {
            Ok(actors) => actors,
            Err(error) => {
                // Documents in memory may be ahead of the disk.
                self.cache.clear();
                return Err(error);
            }
        };
        if let (Some(signed_in), Some(actor)) = (&mut self.signed_in, actors.get(&me)) {
            signed_in.actor = actor.clone();
        }
        self.sync.reused = None;
        // What the other store wrote in them fits now.
        self.sync.asked.retain(|document| !documents.contains(document));
        self.push(effects)?;
        Ok(touched)
    }
}

/// One for each person from the same random bytes.
fn actor_of(random: [u8; 16], account: AccountId) -> ActorId {
    let mut bytes = random;
    for (byte, other) in bytes.iter_mut().zip(account.bytes()) {
        *byte ^= other;
    }
    ActorId::from(bytes)
}
