//! One document on one connection: how far the client is in it, and what of its changes still waits.
//!
//! Invariant: pure, and without the document itself. It is handed a copy that was just read from the database, and tells
//! what to push and what to say; a refused change is in no such copy, so nothing here can pass it on.

use super::super::authorize::{ReadChange, ReadItem, Room};
use super::sync_message;
use crate::storage::StoredDocument;
use automerge::sync::{ChunkList, Message, State, SyncDoc};
use automerge::{Automerge, AutomergeError, ChangeHash};
use shared_model::protocol::PushItem;
use std::collections::{HashMap, HashSet, VecDeque};

/// Changes of one message, inflated, in bytes. What somebody wrote in a week without a network fits.
const MAX_INFLATED: usize = 16 << 20;
/// Changes that wait for what they build on, in bytes. They do when Automerge's filter was mistaken, once in a hundred.
const MAX_WAITING: usize = 1 << 20;

#[derive(Default)]
pub(super) struct OpenDocument {
    sync: State,
    waiting: Vec<ReadChange>,
    /// A change of this client's was refused: what it writes from then on builds on it.
    diverged: bool,
    said: Option<Said>,
}

/// What the client was told last, beside changes.
#[derive(PartialEq)]
struct Said {
    heads: Vec<ChangeHash>,
    need: Vec<ChangeHash>,
}

/// What a message amounts to.
pub(super) enum Received {
    /// To be sent, if there is anything to say.
    Answer(Option<Vec<u8>>),
    /// To be accepted first; the rest of the message is for afterwards.
    Push { changes: Vec<ReadChange>, rest: Message },
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("not a sync message of version 1 with single changes, within its limits")]
    Malformed,
    #[error("more changes at once, or more without what they build on, than are taken")]
    TooMuch,
    #[error("a stored document is damaged: {0}")]
    Damaged(#[from] AutomergeError),
}

impl OpenDocument {
    pub(super) fn receive(&mut self, stored: &StoredDocument, bytes: &[u8]) -> Result<Received, Trouble> {
        let mut message = sync_message::read(bytes).ok_or(Trouble::Malformed)?;
        let document = Automerge::load(&stored.bytes)?;
        if message.heads.is_empty() {
            // It has nothing, or has thrown away what it had.
            *self = Self::default();
        }
        let chunks = std::mem::replace(&mut message.changes, ChunkList::empty());
        // What waited may have what it lacked by now, from this client or from somebody else.
        let changes = read_changes(stored, &chunks)?;
        let changes = self.in_order(&document, changes)?;
        if changes.is_empty() {
            let had_changes = !chunks.is_empty();
            return Ok(Received::Answer(
                self.answer(document, Some((message, had_changes)))?,
            ));
        }
        Ok(Received::Push {
            changes,
            rest: message,
        })
    }

    /// After its changes were pushed. `stored` is the document as it is then.
    pub(super) fn receive_rest(
        &mut self,
        stored: &StoredDocument,
        rest: Message,
        refused: bool,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        if refused {
            self.diverged = true;
            self.waiting.clear();
        }
        Ok(self.answer(Automerge::load(&stored.bytes)?, Some((rest, true)))?)
    }

    /// Somebody wrote in the document, or it has come within reach.
    pub(super) fn changed(&mut self, stored: &StoredDocument) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(self.answer(Automerge::load(&stored.bytes)?, None)?)
    }

    /// What there is to say. The message's flag: whether it had changes, which are in the document by now or never.
    fn answer(
        &mut self,
        mut document: Automerge,
        message: Option<(Message, bool)>,
    ) -> Result<Option<Vec<u8>>, AutomergeError> {
        // They only queue up in this copy, so that it knows what it lacks. If one of them lacks nothing any more it would
        // be taken in, unjudged: then they stay away, and are pushed with the client's next word, which an answer brings.
        let waiting = || self.waiting.iter().filter_map(|read| read.change.as_ref().ok());
        if !waiting().any(|change| has_all(&document, change.deps())) {
            document.apply_changes(waiting().cloned())?;
        }
        if let Some((message, had_changes)) = message {
            let told = self.sync.last_sent_heads.clone();
            document.receive_sync_message(&mut self.sync, message)?;
            if had_changes {
                // Without them it looks as if the client had known these heads from us, and they would not be confirmed.
                self.sync.last_sent_heads = told;
            }
        }
        let before = self.sync.clone();
        let Some(mut message) = document.generate_sync_message(&mut self.sync) else {
            return Ok(None);
        };
        // Without flags the client never sends a whole document in place of changes.
        message.flags = None;
        if self.diverged {
            message.need.clear();
        }
        let says = Said {
            heads: message.heads.clone(),
            need: message.need.clone(),
        };
        // A client that has what was refused never agrees with us: the two would tell each other so for ever.
        if message.changes.is_empty() && self.said.as_ref() == Some(&says) {
            self.sync = before;
            return Ok(None);
        }
        self.said = Some(says);
        Ok(Some(message.encode()))
    }

    /// Those that can be pushed, each after what it builds on. What cannot be read is among them: it is refused by name.
    fn in_order(&mut self, document: &Automerge, read: Vec<ReadChange>) -> Result<Vec<ReadChange>, Trouble> {
        let has = |hash: &ChangeHash| document.get_change_meta_by_hash(hash).is_some();
        let mut seen = HashSet::new();
        let mut changes: Vec<Option<ReadChange>> = std::mem::take(&mut self.waiting)
            .into_iter()
            .chain(read)
            .filter(|read| !has(&read.hash) && seen.insert(read.hash))
            .map(Some)
            .collect();
        let mut lacks = vec![0_usize; changes.len()];
        let mut builds_on: HashMap<ChangeHash, Vec<usize>> = HashMap::new();
        let mut next = VecDeque::new();
        for (at, read) in changes.iter().enumerate() {
            let change = read.as_ref().and_then(|read| read.change.as_ref().ok());
            for dependency in change.into_iter().flat_map(|change| change.deps()) {
                if !has(dependency) {
                    lacks[at] += 1;
                    builds_on.entry(*dependency).or_default().push(at);
                }
            }
            if lacks[at] == 0 {
                next.push_back(at);
            }
        }
        let mut ordered = Vec::with_capacity(changes.len());
        while let Some(at) = next.pop_front() {
            let Some(read) = changes[at].take() else {
                continue;
            };
            for later in builds_on.remove(&read.hash).unwrap_or_default() {
                lacks[later] -= 1;
                if lacks[later] == 0 {
                    next.push_back(later);
                }
            }
            ordered.push(read);
        }
        if !self.diverged {
            self.waiting = changes.into_iter().flatten().collect();
            if self.waiting.iter().map(|read| read.chunk.len()).sum::<usize>() > MAX_WAITING {
                return Err(Trouble::TooMuch);
            }
        }
        Ok(ordered)
    }
}

fn has_all(document: &Automerge, hashes: &[ChangeHash]) -> bool {
    hashes
        .iter()
        .all(|hash| document.get_change_meta_by_hash(hash).is_some())
}

/// What they inflate to is bounded together.
fn read_changes(stored: &StoredDocument, chunks: &ChunkList) -> Result<Vec<ReadChange>, Trouble> {
    let mut room = Room::new(MAX_INFLATED);
    let item = PushItem {
        kind: stored.kind,
        document: stored.id,
        schema_version: stored.schema_version,
        changes: chunks.iter().map(|chunk| chunk.to_vec().into()).collect(),
        signatures: Vec::new(),
    };
    let item = ReadItem::read(item, &mut room);
    match room.exceeded {
        true => Err(Trouble::TooMuch),
        false => Ok(item.changes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use automerge::transaction::Transactable;
    use automerge::{ActorId, Change, ObjType, ROOT, ReadDoc};
    use shared_model::documents::{Document, Kind};
    use shared_model::ids::{ClinicId, DocumentId};
    use uuid::Uuid;

    /// The server's side. Its actor is chosen: a filter is mistaken about one hash in a hundred, and which hashes there
    /// are must not differ from run to run.
    fn genesis() -> Automerge {
        let (clinic, id) = (ClinicId(Uuid::from_u128(1)), DocumentId(Uuid::from_u128(2)));
        Automerge::load(&Document::genesis(Kind::Visit, clinic, id).save())
            .expect("loads")
            .with_actor(ActorId::from([9; 16]))
    }

    fn stored(document: &Automerge) -> StoredDocument {
        StoredDocument {
            id: DocumentId(Uuid::from_u128(2)),
            kind: Kind::Visit,
            schema_version: 1,
            bytes: document.save(),
            base: 0,
            max_op: 0,
            projection_version: 0,
            projection: Vec::new(),
        }
    }

    fn write(document: &mut Automerge, words: &str) {
        let Some((_, text)) = document.get(ROOT, "history").expect("reads") else {
            panic!("a visit has a history");
        };
        let end = document.length(&text);
        let mut tx = document.transaction();
        tx.splice_text(&text, end, 0, words).expect("written");
        tx.commit();
    }

    /// A client as the library makes one.
    struct Client {
        document: Automerge,
        sync: State,
    }

    impl Client {
        fn new() -> Self {
            Self {
                document: Automerge::new().with_actor(ActorId::from([7; 16])),
                sync: State::new(),
            }
        }

        fn says(&mut self) -> Option<Vec<u8>> {
            self.document
                .generate_sync_message(&mut self.sync)
                .map(Message::encode)
        }

        fn hears(&mut self, bytes: &[u8]) {
            let message = Message::decode(bytes).expect("a message");
            self.document
                .receive_sync_message(&mut self.sync, message)
                .expect("received");
        }
    }

    /// Lets them talk until both are silent. The server takes what `accept` says; gives how many messages it sent.
    fn talk(
        server: &mut Automerge,
        open: &mut OpenDocument,
        client: &mut Client,
        accept: impl Fn(&Change) -> bool,
    ) -> usize {
        let mut sent = 0;
        while let Some(said) = client.says() {
            let answer = match open.receive(&stored(server), &said).expect("received") {
                Received::Answer(answer) => answer,
                Received::Push { changes, rest } => {
                    let mut refused = false;
                    for read in changes {
                        let change = read.change.expect("readable");
                        let builds = change
                            .deps()
                            .iter()
                            .all(|dep| server.get_change_meta_by_hash(dep).is_some());
                        if builds && accept(&change) {
                            server.apply_changes([change]).expect("applied");
                        } else {
                            refused = true;
                        }
                    }
                    open.receive_rest(&stored(server), rest, refused)
                        .expect("answered")
                }
            };
            if let Some(answer) = answer {
                sent += 1;
                client.hears(&answer);
            }
            assert!(sent < 20, "they go on for ever");
        }
        sent
    }

    #[test]
    fn a_client_opens_writes_and_hears() {
        let (mut server, mut open, mut client) = (genesis(), OpenDocument::default(), Client::new());
        write(&mut server, "from here. ");
        talk(&mut server, &mut open, &mut client, |_| true);
        assert_eq!(client.document.get_heads(), server.get_heads());

        write(&mut client.document, "from there. ");
        talk(&mut server, &mut open, &mut client, |_| true);
        assert_eq!(client.document.get_heads(), server.get_heads());
        // It knows that its words have arrived.
        assert_eq!(client.sync.their_heads, Some(server.get_heads()));

        write(&mut server, "again. ");
        let news = open.changed(&stored(&server)).expect("read").expect("news");
        client.hears(&news);
        talk(&mut server, &mut open, &mut client, |_| true);
        assert_eq!(client.document.get_heads(), server.get_heads());
        assert!(open.changed(&stored(&server)).expect("read").is_none(), "no news");
    }

    #[test]
    fn a_refused_change_ends_the_talk_and_others_words_still_arrive() {
        let (mut server, mut open, mut client) = (genesis(), OpenDocument::default(), Client::new());
        talk(&mut server, &mut open, &mut client, |_| true);
        let mut tx = client.document.transaction();
        tx.put_object(ROOT, "reason", ObjType::Text).expect("put");
        tx.commit();
        let before = server.get_heads();
        talk(&mut server, &mut open, &mut client, |_| false);
        assert_eq!(server.get_heads(), before);
        // What builds on it goes nowhere, and quietly.
        for _ in 0..3 {
            write(&mut client.document, "lost. ");
            assert_eq!(talk(&mut server, &mut open, &mut client, |_| panic!("pushed")), 0);
        }
        // However much of it there is, it is not kept either.
        for length in 0..8 {
            let mut tx = client.document.transaction();
            tx.put(ROOT, "reason", "x".repeat(200_000 + length)).expect("put");
            tx.commit();
            assert_eq!(talk(&mut server, &mut open, &mut client, |_| panic!("pushed")), 0);
        }
        write(&mut server, "for all. ");
        client.hears(&open.changed(&stored(&server)).expect("read").expect("news"));
        assert_eq!(talk(&mut server, &mut open, &mut client, |_| panic!("pushed")), 0);
        let head = server.get_heads()[0];
        assert!(client.document.get_change_by_hash(&head).is_some());
        // The way back: it throws its copy away.
        let mut client = Client::new();
        talk(&mut server, &mut open, &mut client, |_| true);
        assert!(!open.diverged);
        write(&mut client.document, "found. ");
        talk(&mut server, &mut open, &mut client, |_| true);
        assert_eq!(client.document.get_heads(), server.get_heads());
    }

    #[test]
    fn a_filter_that_is_mistaken_costs_a_question() {
        let (mut server, mut open, mut client) = (genesis(), OpenDocument::default(), Client::new());
        talk(&mut server, &mut open, &mut client, |_| true);
        let before = client.document.get_heads();
        for word in ["one ", "two ", "three "] {
            write(&mut client.document, word);
        }
        let changes = client.document.get_changes(&before);
        // As if the filter had said that the first is here: the two others come without it.
        let mut said = Message::decode(&client.says().expect("news")).expect("a message");
        let chunk = |at: usize| changes[at].raw_bytes().to_vec();
        said.changes = vec![chunk(2), chunk(1)].into();
        let Ok(Received::Answer(Some(answer))) = open.receive(&stored(&server), &said.encode()) else {
            panic!("nothing can be pushed yet");
        };
        let asked = Message::decode(&answer).expect("a message").need;
        assert_eq!(asked, [changes[0].hash()]);
        let mut rest = Message::decode(&answer).expect("a message");
        (rest.heads, rest.need) = (vec![changes[2].hash()], Vec::new());
        rest.have.clear();
        rest.version = automerge::sync::MessageVersion::V1;
        rest.changes = vec![chunk(0)].into();
        let Ok(Received::Push { changes: pushed, .. }) = open.receive(&stored(&server), &rest.encode())
        else {
            panic!("now they can");
        };
        let pushed: Vec<ChangeHash> = pushed.iter().map(|read| read.hash).collect();
        assert_eq!(pushed, changes.iter().map(Change::hash).collect::<Vec<_>>());
    }

    #[test]
    fn what_waited_is_judged_even_if_somebody_else_brings_what_it_lacked() {
        let (mut server, mut open, mut client) = (genesis(), OpenDocument::default(), Client::new());
        talk(&mut server, &mut open, &mut client, |_| true);
        // The client has a colleague's words from elsewhere, before they are here, and writes after them.
        let mut colleague = server.clone().with_actor(ActorId::from([9; 16]));
        write(&mut colleague, "A colleague's. ");
        let theirs = colleague.get_last_local_change().expect("made");
        client.document.apply_changes([theirs.clone()]).expect("applied");
        let before = client.document.get_heads();
        write(&mut client.document, "And mine. ");
        let mine = client.document.get_changes(&before).remove(0);
        let mut said = Message::decode(&client.says().expect("news")).expect("a message");
        said.changes = vec![mine.raw_bytes().to_vec()].into();
        let answer = open.receive(&stored(&server), &said.encode()).expect("received");
        let Received::Answer(Some(answer)) = answer else {
            panic!("it waits");
        };
        assert_eq!(Message::decode(&answer).expect("a message").need, [theirs.hash()]);
        // The colleague's arrive by themselves.
        server.apply_changes([theirs]).expect("applied");
        let news = open.changed(&stored(&server)).expect("read").expect("news");
        let heads = Message::decode(&news).expect("a message").heads;
        assert_eq!(
            heads,
            server.get_heads(),
            "what was not judged is confirmed by nobody"
        );
        client.hears(&answer);
        client.hears(&news);
        talk(&mut server, &mut open, &mut client, |change| {
            assert_eq!(change.hash(), mine.hash());
            true
        });
        assert_eq!(client.document.get_heads(), server.get_heads());
    }

    #[test]
    fn what_waits_for_nothing_is_bounded() {
        let (mut server, mut open, mut client) = (genesis(), OpenDocument::default(), Client::new());
        talk(&mut server, &mut open, &mut client, |_| true);
        write(&mut client.document, "never sent ");
        let before = client.document.get_heads();
        for length in 0..8 {
            let mut tx = client.document.transaction();
            tx.put(ROOT, "reason", "x".repeat(200_000 + length)).expect("put");
            tx.commit();
        }
        let mut said = Message::decode(&client.says().expect("news")).expect("a message");
        let changes = client.document.get_changes(&before);
        said.changes = changes
            .iter()
            .map(|change| change.raw_bytes().to_vec())
            .collect::<Vec<_>>()
            .into();
        assert!(matches!(
            open.receive(&stored(&server), &said.encode()),
            Err(Trouble::TooMuch)
        ));
    }

    /// Panics are contained where this is called from; still there shall be none.
    #[test]
    fn messages_that_were_tampered_with_do_no_harm() {
        let (mut server, mut open, mut client) = (genesis(), OpenDocument::default(), Client::new());
        write(&mut server, "from here. ");
        talk(&mut server, &mut open, &mut client, |_| true);
        let mut sound = Vec::new();
        let mut fresh = Client::new();
        sound.extend(fresh.says());
        write(&mut client.document, "from there. ");
        sound.extend(client.says());
        // One with a filter that has bits.
        fresh.document = client.document.clone().with_actor(ActorId::from([8; 16]));
        fresh.sync = State::new();
        sound.extend(fresh.says());
        assert_eq!(sound.len(), 3);
        let stored = stored(&server);
        let mut state = 7_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as usize % below
        };
        let mut understood = 0;
        for round in 0..3_000 {
            let mut bytes = sound[round % sound.len()].clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes[at] = random(256) as u8,
                    1 => bytes.insert(at, random(256) as u8),
                    2 if bytes.len() > 1 => drop(bytes.remove(at)),
                    _ => bytes[at] = bytes[at].wrapping_add(1),
                }
            }
            understood += usize::from(OpenDocument::default().receive(&stored, &bytes).is_ok());
            understood += usize::from(open.receive(&stored, &bytes).is_ok());
        }
        assert!(understood > 500, "most were not even looked at: {understood}");
    }
}
