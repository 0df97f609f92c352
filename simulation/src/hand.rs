//! Work by hand, without a core: what the screens cannot do yet, and what nobody may do.
//!
//! Invariant: hand-made changes go through a session like everybody's, and what must not be taken is banned in the
//! ledger before it is sent.

use crate::invariant::{Holds, Invariant, broken};
use crate::link::Link;
use crate::storage::lock;
use crate::world::{BEGIN, World};
use automerge::{ActorId, Change};
use minicbor::bytes::ByteVec;
use shared_model::SCHEMA_VERSION;
use shared_model::authorship::SigningKey;
use shared_model::documents::{Document, Kind, Stamp};
use shared_model::ids::{ClinicId, DeviceId, DocumentId};
use shared_model::permissions::Feed;
use shared_model::protocol::{
    self, ClientMessage, Hello, MAX_PUSH_CHANGES, PROTOCOL_VERSION, Push, PushItem, ServerMessage,
};
use shared_model::time::Timestamp;
use std::time::Duration;

impl World {
    /// A document as the database has it.
    fn stored(&self, id: DocumentId) -> Option<Document> {
        let asking =
            self.shared
                .database
                .documents_named(self.clinic, Feed::Staff, std::slice::from_ref(&id));
        let found = self
            .desk
            .block_on(async { tokio::time::timeout(Duration::from_millis(5), asking).await });
        let stored = found.ok()?.ok()?.pop()?;
        Document::load(stored.kind, self.clinic, id, &stored.bytes).ok()
    }

    /// Says these things in a session of this person on a device of its own; what the server says to it.
    fn say_as(
        &mut self,
        person: usize,
        actor: &ActorId,
        key: &SigningKey,
        frames: Vec<Vec<u8>>,
    ) -> Result<Vec<ServerMessage>, crate::invariant::Violation> {
        let device = DeviceId(self.luck.id(BEGIN + self.time));
        let account = self.people[person].account;
        let running: Vec<usize> = (0..self.servers.len())
            .filter(|node| self.servers[*node].is_running())
            .collect();
        let node = self.schedule.pick(&running);
        let (Some(node), Some(credentials)) = (node, self.credentials(account, device)) else {
            return Ok(Vec::new());
        };
        let Some(wire) = self.servers[node].connect() else {
            return Ok(Vec::new());
        };
        // The link's number names no tablet: it is never put among the links.
        let mut link = Link::new(usize::MAX, person, node, wire);
        let hello = ClientMessage::Hello(Hello {
            protocol: PROTOCOL_VERSION,
            schema_version: SCHEMA_VERSION,
            token: credentials.access_token,
            device,
            actor: ByteVec::from(actor.to_bytes().to_vec()),
            cursors: Vec::new(),
            signing_key: key.public().into(),
        });
        link.up.push_back(protocol::encode(&hello));
        link.up.extend(frames);
        let mut heard = Vec::new();
        while link.carry_up().is_some() {
            self.settle()?;
            let sent = link.collect();
            for frame in &sent {
                self.look_at_frame(&mut link, person, frame)?;
                heard.extend(protocol::decode(frame));
            }
            link.down.clear();
        }
        link.tell_server();
        self.settle()?;
        for frame in link.collect() {
            self.look_at_frame(&mut link, person, &frame)?;
        }
        Ok(heard)
    }

    fn change(
        &mut self,
        document: &mut Document,
        actor: &ActorId,
        person: usize,
        write: impl FnOnce(&mut shared_model::documents::Writer<'_>),
    ) -> Option<Change> {
        let stamp = Stamp {
            now: Timestamp(BEGIN + self.time),
            actor: actor.clone(),
            account: self.people[person].account,
        };
        let written = document.change(&stamp, "by hand", |w| {
            write(w);
            Ok::<_, ()>(())
        });
        written.ok().flatten()
    }

    /// A patient gets another owner; the former one reads of it no more.
    pub(crate) fn move_a_patient(&mut self) -> Holds {
        let patient = self.books.patient(&mut self.work);
        let (from, to) = (
            self.books.client(&mut self.work),
            self.books.client(&mut self.work),
        );
        let Some(mut document) = self.stored(patient.into()) else {
            return Ok(());
        };
        let actor = ActorId::from(self.luck.bytes::<16>());
        let now = Timestamp(BEGIN + self.time);
        let change = self.change(&mut document, &actor, 0, |w| {
            w.put_time(&format!("owners/{to}/since"), now);
            w.put_optional(&format!("owners/{to}/until"), None::<String>);
            if from != to {
                w.put_time(&format!("owners/{from}/since"), now);
                w.put_time(&format!("owners/{from}/until"), now);
            }
        });
        let Some(change) = change else { return Ok(()) };
        self.note(format!("{patient} moves from {from} to {to}"));
        let key = SigningKey::from_seed(&self.luck.bytes());
        let changes = [change.raw_bytes().to_vec()];
        let frame = push(self.clinic, &key, Kind::Patient, patient.into(), &changes);
        self.say_as(0, &actor, &key, vec![frame]).map(drop)
    }

    /// Somebody with an account and bad intent.
    pub(crate) fn attack(&mut self) -> Holds {
        let person = self.schedule.below(self.people.len());
        let actor = ActorId::from(self.luck.bytes::<16>());
        let patient = DocumentId::from(self.books.patient(&mut self.work));
        let Some(document) = self.stored(patient) else {
            return Ok(());
        };
        let kind = self.schedule.below(9);
        let (key, other) = (self.luck.bytes(), self.luck.bytes());
        let (key, other) = (SigningKey::from_seed(&key), SigningKey::from_seed(&other));
        self.note(format!("{} attacks in way {kind}", self.people[person].name));
        let mut copy = document.clone();
        let frames = match kind {
            0 => {
                // A field that nobody writes.
                let change = self.change(&mut copy, &actor, person, |w| w.put("credit", "unlimited"));
                self.banned_push(&key, patient, change, "a field that nobody writes")
            }
            1 => {
                // Somebody else's writer identity.
                let Some(theirs) = self.somebodys_actor(&document) else {
                    return Ok(());
                };
                let change = self.change(&mut copy, &theirs, person, |w| w.put("name", "Stolen"));
                self.banned_push(&key, patient, change, "a change in somebody else's name")
            }
            2 => {
                // Built on what the server does not have.
                let first = self.change(&mut copy, &actor, person, |w| w.put("name", "First"));
                let second = self.change(&mut copy, &actor, person, |w| w.put("name", "Second"));
                drop(first);
                self.banned_push(&key, patient, second, "a change without what it builds on")
            }
            3 => {
                // Another clinic's document under this id.
                let elsewhere = ClinicId(self.luck.id(BEGIN));
                let mut other = Document::genesis(Kind::Patient, elsewhere, patient);
                let change = self.change(&mut other, &actor, person, |w| w.put("name", "Elsewhere"));
                self.banned_push(&key, patient, change, "a change of another clinic's document")
            }
            4 => {
                let noise: [u8; 64] = self.luck.bytes();
                vec![push(self.clinic, &key, Kind::Patient, patient, &[noise.to_vec()])]
            }
            5 => {
                let change = self.change(&mut copy, &actor, person, |w| w.put("name", "Flipped"));
                let mut bytes = change
                    .map(|change| change.raw_bytes().to_vec())
                    .unwrap_or_default();
                let at = self.schedule.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.schedule.below(8);
                }
                vec![push(self.clinic, &key, Kind::Patient, patient, &[bytes])]
            }
            6 => vec![push(
                self.clinic,
                &key,
                Kind::Patient,
                patient,
                &vec![Vec::new(); MAX_PUSH_CHANGES + 1],
            )],
            7 => {
                // Signed with another key than the one that it is said to be signed with.
                let change = self.change(&mut copy, &actor, person, |w| w.put("name", "Forged"));
                self.banned_push(&other, patient, change, "a change that its author did not sign")
            }
            _ => {
                let noise: [u8; 40] = self.luck.bytes();
                vec![noise.to_vec()]
            }
        };
        let pushed = kind != 6 && kind <= 7 && !frames.is_empty();
        let heard = self.say_as(person, &actor, &key, frames)?;
        for message in &heard {
            if let ServerMessage::Accepted(accepted) = message
                && pushed
                && accepted.refused.is_empty()
            {
                return Err(broken(
                    Invariant::OnlyThePermitted,
                    format!("the attack in way {kind} was accepted"),
                ));
            }
        }
        Ok(())
    }

    fn banned_push(
        &mut self,
        key: &SigningKey,
        document: DocumentId,
        change: Option<Change>,
        why: &str,
    ) -> Vec<Vec<u8>> {
        let Some(change) = change else { return Vec::new() };
        lock(&self.ledger).ban(change.hash(), why);
        vec![push(
            self.clinic,
            key,
            Kind::Patient,
            document,
            &[change.raw_bytes().to_vec()],
        )]
    }

    /// An actor that has written in a document and is no genesis.
    fn somebodys_actor(&self, document: &Document) -> Option<ActorId> {
        let genesis = Document::genesis(document.kind, document.clinic, document.id);
        let changes = document.changes_since(&genesis.heads());
        changes.last().map(|change| change.actor_id().clone())
    }
}

/// A push with each change signed, as far as it can be read.
fn push(
    clinic: ClinicId,
    key: &SigningKey,
    kind: Kind,
    document: DocumentId,
    changes: &[Vec<u8>],
) -> Vec<u8> {
    let mut item = PushItem {
        kind,
        document,
        schema_version: SCHEMA_VERSION,
        changes: changes.iter().cloned().map(ByteVec::from).collect(),
        signatures: Vec::new(),
    };
    key.sign_in_item(clinic, &mut item, 0..changes.len());
    protocol::encode(&ClientMessage::Push(Push {
        number: 0,
        items: vec![item],
    }))
}
