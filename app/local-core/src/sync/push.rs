//! Pushing the outbox, and what the server's answer does to it.

use super::recover::Refused;
use super::{InFlight, Phase};
use crate::core::Core;
use crate::effect::Effect;
use crate::query::Touched;
use crate::store::{OutboxEntry, Signed, StoreError};
use minicbor::bytes::ByteVec;
use shared_model::SCHEMA_VERSION;
use shared_model::authorship::{KeyId, key_id};
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, DocumentId};
use shared_model::protocol::{
    self, Accepted, ClientMessage, MAX_FRAME, MAX_PUSH_CHANGES, PUSH_WINDOW, Push, PushItem, Refusal,
    RefusalCode, Signature,
};
use shared_model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// An outbox row that is on its way.
#[derive(Debug)]
pub(super) struct Sent {
    pub seq: i64,
    pub kind: Kind,
    pub document: DocumentId,
    pub hash: Vec<u8>,
}

/// One document's part of a push.
struct Item {
    kind: Kind,
    document: DocumentId,
    changes: Vec<ByteVec>,
    /// Of each author the last change's position and signature: it speaks for those before it.
    signed: BTreeMap<AccountId, (usize, Signed)>,
}

impl Item {
    fn of(kind: Kind, document: DocumentId) -> Self {
        Self {
            kind,
            document,
            changes: Vec::new(),
            signed: BTreeMap::new(),
        }
    }

    fn add(&mut self, entry: &OutboxEntry) {
        if let Some(signed) = entry.signed {
            self.signed.insert(entry.account, (self.changes.len(), signed));
        }
        self.changes.push(entry.change.clone().into());
    }

    /// `own` is the key that the session began with.
    fn ready(self, own: Option<KeyId>) -> PushItem {
        let signatures = self.signed.into_values().map(|(change, signed)| Signature {
            change: u16::try_from(change).unwrap_or(u16::MAX),
            bytes: signed.signature.into(),
            key: (Some(signed.key) != own).then(|| signed.key.into()),
        });
        PushItem {
            kind: self.kind,
            document: self.document,
            schema_version: SCHEMA_VERSION,
            changes: self.changes,
            signatures: signatures.collect(),
        }
    }
}

impl Core {
    /// Sends what waits, as far as the window allows.
    pub(crate) fn push(&mut self, effects: &mut Vec<Effect>) -> Result<(), StoreError> {
        while self.sync.phase == Phase::Live
            && self.sync.reused.is_none()
            && self.sync.in_flight.len() < PUSH_WINDOW
        {
            let Some(signed_in) = &self.signed_in else {
                return Ok(());
            };
            let waiting = self.store.sendable(
                signed_in.credentials.principal.account,
                self.sync.sent,
                MAX_PUSH_CHANGES,
            )?;
            let mut items: Vec<Item> = Vec::new();
            let mut rows = Vec::new();
            let mut size = 0;
            for entry in waiting {
                if self.sync.is_in_flight(entry.seq) {
                    self.sync.sent = entry.seq;
                    continue;
                }
                // Half of a frame leaves room for what surrounds the changes.
                if !rows.is_empty() && size + entry.change.len() > MAX_FRAME / 2 {
                    break;
                }
                size += entry.change.len() + 128;
                let item = match items.iter().position(|item| item.document == entry.document) {
                    Some(position) => &mut items[position],
                    None => {
                        items.push(Item::of(entry.kind, entry.document));
                        items.last_mut().expect("one was just pushed")
                    }
                };
                item.add(&entry);
                self.sync.sent = entry.seq;
                rows.push(Sent {
                    seq: entry.seq,
                    kind: entry.kind,
                    document: entry.document,
                    hash: entry.hash,
                });
            }
            if rows.is_empty() {
                return Ok(());
            }
            let number = self.sync.next_push;
            self.sync.next_push += 1;
            self.sync.in_flight.push_back(InFlight { number, rows });
            let own = signed_in.key.as_ref().map(|key| key_id(&key.public()));
            let items = items.into_iter().map(|item| item.ready(own)).collect();
            effects.push(Effect::Send(protocol::encode(&ClientMessage::Push(Push {
                number,
                items,
            }))));
        }
        Ok(())
    }

    /// The server has committed a push: what it took leaves the outbox, what it refused stays with the reason.
    pub(crate) fn accepted(
        &mut self,
        now: Timestamp,
        accepted: &Accepted,
        effects: &mut Vec<Effect>,
    ) -> Result<Touched, StoreError> {
        let mut touched = Touched {
            status: true,
            ..Touched::default()
        };
        let Some(position) = self
            .sync
            .in_flight
            .iter()
            .position(|sent| sent.number == accepted.push)
        else {
            return Ok(touched);
        };
        let rows = &self.sync.in_flight[position].rows;
        let reused = self.reused_with(accepted);
        let of_reused = |refusal: &Refusal| {
            let theirs = reused
                .as_ref()
                .is_some_and(|reused| reused.contains(&refusal.document));
            let of_its_name = matches!(
                refusal.code,
                RefusalCode::ActorReused
                    | RefusalCode::ForeignActor
                    | RefusalCode::BuildsOnRefused
                    | RefusalCode::MissingDependencies
            );
            theirs && of_its_name
        };
        let mut wanted = self.sync.wanted.clone();
        let done = self.store.transaction(|| {
            let mut documents = BTreeSet::new();
            let mut refused: BTreeMap<DocumentId, Refused> = BTreeMap::new();
            for sent in rows {
                let refusal = accepted
                    .refused
                    .iter()
                    .find(|refusal| refusal.document == sent.document && refusal.change[..] == sent.hash[..]);
                match refusal {
                    // It waits for the fresh actor.
                    Some(refusal) if of_reused(refusal) => {}
                    Some(refusal) => {
                        self.store.mark_refused(sent.seq, refusal.code, &refusal.reason)?;
                        let why = (refusal.code, refusal.reason.clone());
                        refused.entry(sent.document).or_default().insert(sent.seq, why);
                    }
                    None => self.store.acknowledge(sent.seq)?,
                }
                documents.insert((sent.kind, sent.document));
            }
            for (document, refused) in &refused {
                self.take_back(*document, refused, None)?;
            }
            if let Some(reused) = &reused {
                self.store.note_reused(reused)?;
            }
            for (_, document) in &documents {
                if self.store.receipt(*document)?.waiting == 0 {
                    self.store.mark_confirmed(*document, accepted.server_time)?;
                }
                // What lies deferred was sent before this was taken, and nobody sends a device its own changes.
                if self.store.has_deferred_alone(*document)? {
                    wanted.insert(*document);
                }
            }
            self.store.set_wanted(&self.sync.wanted, &wanted)?;
            self.store.set_meta("last_heard", &now)?;
            self.note_as_of(now)?;
            touched.documents = documents;
            Ok(!refused.is_empty())
        });
        if done.is_err() {
            // Documents in memory may already be without what was refused.
            self.cache.clear();
        }
        let any_refused = done?;
        self.sync.wanted = wanted;
        self.sync.in_flight.remove(position);
        self.sync.reused = reused;
        // A document that the server did not know before can be asked for now.
        self.sync
            .asked
            .retain(|document| !touched.documents.iter().any(|(_, id)| id == document));
        self.push(effects)?;
        if any_refused {
            // Of a colleague who has left, perhaps.
            self.sync.handing_in.ask_again();
            self.hand_in(now, effects)?;
        }
        Ok(touched)
    }

    /// The documents in which another store has written in our name, with those that this answer tells of.
    fn reused_with(&self, accepted: &Accepted) -> Option<BTreeSet<DocumentId>> {
        let codes = [RefusalCode::ActorReused, RefusalCode::ForeignActor];
        let told = accepted
            .refused
            .iter()
            .filter(|refusal| codes.contains(&refusal.code));
        let told: BTreeSet<DocumentId> = told.map(|refusal| refusal.document).collect();
        match &self.sync.reused {
            None if told.is_empty() => None,
            before => Some(before.iter().flatten().copied().chain(told).collect()),
        }
    }
}
