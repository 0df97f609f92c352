//! The documents that a clinic's accept task has open, kept from group to group while nobody else writes.

use super::super::authorize::ReadItem;
use crate::storage::{ActorRow, LoadedRows, StoredDocument};
use automerge::{ActorId, Change, ChangeHash};
use shared_model::documents::{Document, Kind, LoadError, Numbering, Numbers, inflated_size};
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::permissions::{Feed, Principal, audience, people_of};
use shared_model::protocol::MAX_DOCUMENT;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Who pushes, from which device.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) principal: Principal,
    pub(crate) account: AccountId,
    pub(crate) device: DeviceId,
}

/// Documents that stay open; the rest is loaded again when it is written next.
const KEEP_DOCUMENTS: usize = 400;
const KEEP_ACTORS: usize = 10_000;

/// What planning works on: a part of the clinic as it stands at `head`.
#[derive(Debug)]
pub(crate) struct WorkingSet {
    pub(super) clinic: ClinicId,
    head: u64,
    pub(super) documents: HashMap<DocumentId, Working>,
    /// Documents whose stored bytes cannot be read: they take nothing, and keep nobody else from working.
    pub(super) damaged: HashSet<DocumentId>,
    pub(super) actors: HashMap<ActorId, (AccountId, DeviceId)>,
    clock: u64,
}

/// One open document.
#[derive(Clone, Debug)]
pub(crate) struct Working {
    pub(crate) document: Document,
    /// Taken, and not in `document` yet; `bytes`, `max_op`, `span` and `writers` have them.
    unapplied: Vec<Change>,
    /// Their hashes and highest operation numbers.
    unapplied_max_ops: HashMap<ChangeHash, u64>,
    pub(super) bytes: Vec<u8>,
    pub(super) base: usize,
    pub(in crate::sync) max_op: u64,
    /// What `bytes` are after inflation.
    pub(in crate::sync) inflated: usize,
    /// See [`Numbering::span`].
    pub(in crate::sync) span: u64,
    pub(super) schema_version: u16,
    pub(super) writers: HashMap<ActorId, Numbers>,
    /// Whether the database (or an earlier push of this group) has it.
    exists: bool,
    /// Who could read it before this group; `None` if nobody yet.
    pub(super) readers_before: Option<Vec<Feed>>,
    pub(super) appended: usize,
    used: u64,
}

impl WorkingSet {
    pub(crate) fn new(clinic: ClinicId) -> Self {
        Self {
            clinic,
            head: 0,
            documents: HashMap::new(),
            damaged: HashSet::new(),
            actors: HashMap::new(),
            clock: 0,
        }
    }

    pub(crate) fn clinic(&self) -> ClinicId {
        self.clinic
    }

    /// Forgets everything if somebody else has written since.
    pub(crate) fn expect_head(&mut self, head: u64) {
        if self.head != head {
            *self = Self::new(self.clinic);
            self.head = head;
        }
        self.clock += 1;
    }

    pub(super) fn stands_at(&mut self, head: u64) {
        self.head = head;
    }

    /// What has to be loaded before these items can be judged.
    pub(crate) fn missing<'a>(
        &self,
        items: impl Iterator<Item = &'a ReadItem>,
    ) -> (Vec<DocumentId>, Vec<Vec<u8>>) {
        let (mut documents, mut actors) = (BTreeSet::new(), BTreeSet::new());
        for item in items {
            if !self.documents.contains_key(&item.document) {
                documents.insert(item.document);
            }
            for change in item.changes.iter().filter_map(|read| read.change.as_ref().ok()) {
                if !self.actors.contains_key(change.actor_id()) {
                    actors.insert(change.actor_id().to_bytes().to_vec());
                }
            }
        }
        (documents.into_iter().collect(), actors.into_iter().collect())
    }

    /// Takes in what was loaded.
    pub(crate) fn fill(&mut self, rows: LoadedRows) {
        for stored in rows.documents {
            let id = stored.id;
            match Working::load(self.clinic, stored) {
                Ok(working) => {
                    self.documents.insert(id, working);
                }
                Err(error) => {
                    tracing::error!(clinic = %self.clinic, document = %id, %error, "a stored document is damaged");
                    self.damaged.insert(id);
                }
            }
        }
        for ActorRow {
            actor,
            account,
            device,
        } in rows.actors
        {
            self.actors.insert(ActorId::from(actor), (account, device));
        }
    }

    /// The open document, or the one that begins with its genesis.
    pub(super) fn open(&mut self, kind: Kind, id: DocumentId) -> &mut Working {
        let (clinic, clock) = (self.clinic, self.clock);
        let working = self
            .documents
            .entry(id)
            .or_insert_with(|| Working::begin(kind, clinic, id));
        if working.is_new() && working.document.kind != kind {
            *working = Working::begin(kind, clinic, id);
        }
        working.used = clock;
        working
    }

    /// Closes what was opened for nothing and what was not used for longest.
    pub(crate) fn trim(&mut self) {
        self.documents.retain(|_, working| working.exists);
        self.damaged.clear();
        if self.documents.len() > KEEP_DOCUMENTS {
            let mut used: Vec<u64> = self.documents.values().map(|working| working.used).collect();
            used.sort_unstable();
            let oldest = used[used.len() - KEEP_DOCUMENTS];
            self.documents.retain(|_, working| working.used >= oldest);
            // A group can be larger than what is kept.
            while self.documents.len() > KEEP_DOCUMENTS * 2 {
                let Some(id) = self.documents.keys().next().copied() else {
                    break;
                };
                self.documents.remove(&id);
            }
        }
        if self.actors.len() > KEEP_ACTORS {
            self.actors.clear();
        }
    }
}

impl Working {
    fn begin(kind: Kind, clinic: ClinicId, id: DocumentId) -> Self {
        let document = Document::genesis(kind, clinic, id);
        let bytes = document.save();
        let numbering = document.numbering();
        Self {
            base: bytes.len(),
            max_op: document.max_op_of(&document.heads()),
            span: numbering.span,
            inflated: bytes.len(),
            schema_version: 1,
            bytes,
            document,
            unapplied: Vec::new(),
            unapplied_max_ops: HashMap::new(),
            writers: HashMap::new(),
            exists: false,
            readers_before: None,
            appended: 0,
            used: 0,
        }
    }

    fn load(clinic: ClinicId, stored: StoredDocument) -> Result<Self, LoadError> {
        let document = Document::load(stored.kind, clinic, stored.id, &stored.bytes)?;
        let readers = audience(document.kind, &people_of(&document));
        let Numbering { writers, span } = document.numbering();
        Ok(Self {
            writers,
            span,
            inflated: inflated_size(&stored.bytes).unwrap_or(usize::MAX),
            document,
            unapplied: Vec::new(),
            unapplied_max_ops: HashMap::new(),
            bytes: stored.bytes,
            base: stored.base,
            max_op: stored.max_op,
            schema_version: stored.schema_version,
            exists: true,
            readers_before: Some(readers),
            appended: 0,
            used: 0,
        })
    }

    pub(in crate::sync) fn is_new(&self) -> bool {
        !self.exists
    }

    pub(in crate::sync) fn numbers_of(&self, actor: &ActorId) -> Numbers {
        self.writers.get(actor).copied().unwrap_or_default()
    }

    pub(in crate::sync) fn is_genesis_actor(&self, actor: &ActorId) -> bool {
        // A SHA-256 digest's first half; nobody's random actor is that by chance, and nobody's may be.
        self.document.genesis_actor() == *actor
    }

    pub(super) fn readers(&self) -> Vec<Feed> {
        audience(self.document.kind, &people_of(&self.document))
    }

    /// Whether it has a change, applied or only taken.
    pub(in crate::sync) fn has(&self, hash: &ChangeHash) -> bool {
        self.unapplied_max_ops.contains_key(hash) || self.document.has(hash)
    }

    /// Whether one more change of so many bytes has room.
    pub(super) fn make_room(&mut self, chunk: usize) -> Result<bool, LoadError> {
        if self.bytes.len() + chunk <= MAX_DOCUMENT {
            return Ok(true);
        }
        self.apply_taken()?;
        let has_room = self.document.has_room_for(self.bytes.len(), chunk);
        if has_room {
            self.compact();
        }
        Ok(has_room)
    }

    /// The operation numbers from a change's predecessors to its own last one.
    pub(in crate::sync) fn span_of(&self, change: &Change) -> u64 {
        let unapplied = change
            .deps()
            .iter()
            .filter_map(|dep| self.unapplied_max_ops.get(dep));
        let before = unapplied.copied().max().unwrap_or(0);
        change
            .max_op()
            .saturating_sub(before.max(self.document.max_op_of(change.deps())))
    }

    /// Takes a change that was judged and found good, and has room. [`Self::apply_taken`] applies it.
    pub(super) fn take(&mut self, change: &Change, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
        self.appended += 1;
        self.span += self.span_of(change);
        self.inflated = self.inflated.saturating_add(change.raw_bytes().len());
        let numbers = self.writers.entry(change.actor_id().clone()).or_default();
        numbers.seq = change.seq();
        if !change.is_empty() {
            self.max_op = self.max_op.max(change.max_op());
            numbers.max_op = numbers.max_op.max(change.max_op());
        }
        self.exists = true;
        self.unapplied_max_ops.insert(change.hash(), change.max_op());
        self.unapplied.push(change.clone());
    }

    /// Automerge applies a run of changes in about the time that it takes for one.
    pub(super) fn apply_taken(&mut self) -> Result<(), LoadError> {
        if self.unapplied.is_empty() {
            return Ok(());
        }
        self.unapplied_max_ops.clear();
        self.document.apply(&std::mem::take(&mut self.unapplied))
    }

    /// Appending costs nothing but makes loading slower; saving anew costs the history. So the appended part may grow
    /// to the size of the saved one.
    pub(super) fn compact_if_grown(&mut self) {
        if self.bytes.len() - self.base > self.base.max(1_024) || self.appended > 8 {
            self.compact();
        }
        self.appended = 0;
    }

    /// Back to a former state of its bytes, after something went wrong in the middle.
    pub(super) fn restore(&mut self, before: Before) {
        if let Ok(document) = Document::load(
            self.document.kind,
            self.document.clinic,
            self.document.id,
            &before.bytes,
        ) {
            self.document = document;
        }
        self.unapplied.clear();
        self.unapplied_max_ops.clear();
        self.appended = before.appended;
        self.schema_version = before.schema_version;
        self.bytes = before.bytes;
        self.base = before.base;
        self.max_op = before.max_op;
        self.span = before.span;
        self.inflated = before.inflated;
        self.writers = before.writers;
        self.exists = before.exists;
    }

    pub(super) fn before(&self) -> Before {
        Before {
            bytes: self.bytes.clone(),
            base: self.base,
            max_op: self.max_op,
            span: self.span,
            inflated: self.inflated,
            writers: self.writers.clone(),
            exists: self.exists,
            appended: self.appended,
            schema_version: self.schema_version,
        }
    }

    fn compact(&mut self) {
        self.bytes = self.document.save();
        self.base = self.bytes.len();
        self.inflated = inflated_size(&self.bytes).unwrap_or(usize::MAX);
    }
}

/// What a document was before an item of a push.
pub(super) struct Before {
    bytes: Vec<u8>,
    base: usize,
    max_op: u64,
    span: u64,
    inflated: usize,
    writers: HashMap<ActorId, Numbers>,
    exists: bool,
    appended: usize,
    schema_version: u16,
}
