//! One Automerge document with what identifies it, and the only way to write one.

use super::{Fields, Kind};
use crate::SCHEMA_VERSION;
use crate::ids::{AccountId, ClinicId, DocumentId};
use crate::protocol::MAX_DOCUMENT;
use crate::time::Timestamp;
use automerge::legacy::{Key, ObjectId, OpId};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{
    ActorId, Automerge, Change, ChangeHash, LoadOptions, ObjId, ObjType, PatchLog, ROOT, ReadDoc,
    ScalarValue, TextEncoding, Value,
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Who writes, when, as which Automerge actor. Arrives from the host with every event.
#[derive(Clone, Debug)]
pub struct Stamp {
    pub now: Timestamp,
    pub actor: ActorId,
    pub account: AccountId,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the bytes are not an Automerge document: {0}")]
    NotADocument(String),
    #[error("the document does not begin with the first change of a {expected} with its id")]
    WrongGenesis { expected: &'static str },
    #[error("a change builds on changes that are not here")]
    MissingDependencies { missing: Vec<ChangeHash> },
    #[error("a change could not be applied: {0}")]
    NotApplied(String),
    #[error("the bytes are damaged: {0}")]
    Damaged(&'static str),
}

/// The highest that one writer has used in a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Of its changes, counted from 1.
    pub seq: u64,
    /// Of its operations.
    pub max_op: u64,
}

/// How far a document's numbers have gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbering {
    pub writers: HashMap<ActorId, Numbers>,
    /// The operation numbers from each change's predecessors to its own last one, added up: what Automerge makes room
    /// for when it opens the document. At most [`super::measure::MAX_SPAN`].
    pub span: u64,
}

/// A document in memory.
#[derive(Clone, Debug)]
pub struct Document {
    pub kind: Kind,
    pub clinic: ClinicId,
    pub id: DocumentId,
    pub(super) automerge: Automerge,
}

/// Positions in texts count Unicode code points on every platform.
const TEXT_ENCODING: TextEncoding = TextEncoding::UnicodeCodePoint;

/// Writes only in copies that are thrown away.
const TRIAL_ACTOR: [u8; 16] = [0; 16];

impl Document {
    /// The document before anybody wrote in it. Its one change is a pure function of kind, clinic and id: the same
    /// bytes on every replica, so it is neither sent nor stored on its own, and two devices that create the same
    /// document without a network have created one document.
    pub fn genesis(kind: Kind, clinic: ClinicId, id: DocumentId) -> Self {
        let mut automerge =
            Automerge::new_with_encoding(TEXT_ENCODING).with_actor(genesis_actor(kind, clinic, id));
        let mut tx = automerge.transaction();
        let written = (|| {
            tx.put(ROOT, "kind", kind.word())?;
            tx.put(ROOT, "clinic", clinic.to_string())?;
            tx.put(ROOT, "id", id.to_string())?;
            tx.put(ROOT, "schema_version", ScalarValue::Uint(1))?;
            for text in kind.texts() {
                tx.put_object(ROOT, *text, ObjType::Text)?;
            }
            Ok::<_, automerge::AutomergeError>(())
        })();
        written.expect("puts at the root of an empty document cannot fail");
        tx.commit_with(CommitOptions::default().with_time(0));
        Self {
            kind,
            clinic,
            id,
            automerge,
        }
    }

    /// From saved bytes (a document chunk, then any number of change chunks). Bytes that make the decoder panic, which
    /// there are, are not a document and nothing worse.
    pub fn load(kind: Kind, clinic: ClinicId, id: DocumentId, bytes: &[u8]) -> Result<Self, LoadError> {
        let options = LoadOptions::new().text_encoding(TEXT_ENCODING);
        let automerge = catch_unwind(AssertUnwindSafe(|| Automerge::load_with_options(bytes, options)))
            .map_err(|_| LoadError::NotADocument("the decoder gave up".to_owned()))?
            .map_err(|error| LoadError::NotADocument(error.to_string()))?;
        Ok(Self {
            kind,
            clinic,
            id,
            automerge,
        })
    }

    /// Whether the history begins with this document's own genesis change. Bytes from elsewhere are checked with it.
    pub fn has_own_genesis(&self) -> bool {
        let own = Self::genesis(self.kind, self.clinic, self.id).heads();
        own.iter()
            .all(|hash| self.automerge.get_change_meta_by_hash(hash).is_some())
    }

    /// The actor of the genesis change. Nobody writes as it.
    pub fn genesis_actor(&self) -> ActorId {
        genesis_actor(self.kind, self.clinic, self.id)
    }

    pub fn save(&self) -> Vec<u8> {
        self.automerge.save()
    }

    pub fn heads(&self) -> Vec<ChangeHash> {
        let mut heads = self.automerge.get_heads();
        heads.sort_unstable();
        heads
    }

    pub fn has(&self, hash: &ChangeHash) -> bool {
        self.automerge.get_change_meta_by_hash(hash).is_some()
    }

    /// How far the numbers of its changes and operations have gone, the genesis among them.
    pub fn numbering(&self) -> Numbering {
        let mut numbering = Numbering::default();
        let changes = self.automerge.get_changes_meta(&[]);
        let mut max_ops: HashMap<ChangeHash, u64> = HashMap::with_capacity(changes.len());
        for change in changes {
            let before = change.deps.iter().filter_map(|dep| max_ops.get(dep)).max();
            numbering.span += change.max_op.saturating_sub(before.copied().unwrap_or(0));
            max_ops.insert(change.hash, change.max_op);
            let writer = numbering.writers.entry(change.actor.into_owned()).or_default();
            writer.seq = change.seq.max(writer.seq);
            writer.max_op = change.max_op.max(writer.max_op);
        }
        numbering
    }

    /// The highest operation number among changes, as far as they are here.
    pub fn max_op_of(&self, hashes: &[ChangeHash]) -> u64 {
        let max_op = |hash| Some(self.automerge.get_change_meta_by_hash(hash)?.max_op);
        hashes.iter().filter_map(max_op).max().unwrap_or(0)
    }

    /// Changes that `heads` does not cover, oldest first.
    pub fn changes_since(&self, heads: &[ChangeHash]) -> Vec<Change> {
        self.automerge.get_changes(heads)
    }

    /// Applies changes made elsewhere. All or none: a change whose dependencies are missing is an error, not a
    /// change that waits inside the document where nobody sees it. After an error the document is not to be used.
    ///
    /// Automerge keeps operations, not the bytes that they came in. A change in a form that nobody's Automerge writes
    /// would be saved and handed on as another one; so each must read back as it was written.
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), LoadError> {
        let mut arriving: HashMap<ChangeHash, u64> = HashMap::with_capacity(changes.len());
        let mut missing = Vec::new();
        for change in changes {
            let mut before = 0;
            for dep in change.deps() {
                let known = || self.automerge.get_change_meta_by_hash(dep).map(|dep| dep.max_op);
                match arriving.get(dep).copied().or_else(known) {
                    Some(max_op) => before = max_op.max(before),
                    None => missing.push(*dep),
                }
            }
            // Operations are numbered upwards; others would take the numbers of what is there. A change without any
            // has no number to leap to: Automerge saves it, and cannot load what it saved.
            let start = change.start_op().get();
            if missing.is_empty() && (start <= before || (change.is_empty() && start != before + 1)) {
                return Err(LoadError::NotApplied(
                    "its operations have impossible numbers".to_owned(),
                ));
            }
            // No text here has marks, and Automerge takes some that it cannot load again.
            if super::measure::marks_text(change.raw_bytes()) != Some(false) {
                return Err(LoadError::NotApplied("it marks text".to_owned()));
            }
            arriving.insert(change.hash(), change.max_op());
        }
        if !missing.is_empty() {
            return Err(LoadError::MissingDependencies { missing });
        }
        arriving.retain(|hash, _| !self.has(hash));
        let before = self.automerge.get_heads();
        catch_unwind(AssertUnwindSafe(|| {
            self.automerge.apply_changes(changes.iter().cloned())
        }))
        .map_err(|_| LoadError::NotApplied("Automerge gave up".to_owned()))?
        .map_err(|error| LoadError::NotApplied(error.to_string()))?;
        // Automerge's debug builds panic where they notice it themselves.
        let read_back = catch_unwind(AssertUnwindSafe(|| self.automerge.get_changes(&before)));
        for change in read_back.unwrap_or_default() {
            arriving.remove(&change.hash());
        }
        match arriving.is_empty() {
            true => Ok(()),
            false => Err(LoadError::NotApplied(
                "it does not read back as it was written".to_owned(),
            )),
        }
    }

    /// The one change that `write` amounts to; `None` if it wrote nothing new.
    ///
    /// `verb` becomes the change's message, so that history tells what was intended.
    pub fn change<E>(
        &mut self,
        stamp: &Stamp,
        verb: &str,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
    ) -> Result<Option<Change>, E> {
        self.automerge.set_actor(stamp.actor.clone());
        let hash = {
            let mut writer = Writer {
                tx: self.automerge.transaction(),
            };
            let written = write(&mut writer);
            let tx = writer.tx;
            if let Err(error) = written {
                tx.rollback();
                return Err(error);
            }
            if tx.pending_ops() == 0 {
                tx.rollback();
                return Ok(None);
            }
            let options = CommitOptions::default()
                .with_time(stamp.now.seconds())
                .with_message(verb);
            tx.commit_with(options).0
        };
        Ok(hash.and_then(|hash| self.automerge.get_change_by_hash(&hash)))
    }

    /// Every visible field, in one pass.
    pub fn fields(&self) -> Fields {
        Fields::of(&self.automerge)
    }

    /// The visible value of one field.
    pub fn value(&self, key: &str) -> Option<ScalarValue> {
        self.values(key).pop()
    }

    /// All values of one field, that which shows last.
    pub fn values(&self, key: &str) -> Vec<ScalarValue> {
        let values = self.automerge.get_all(ROOT, key).unwrap_or_default();
        let scalar = |(value, _)| match value {
            Value::Scalar(scalar) => Some(scalar.into_owned()),
            Value::Object(_) => None,
        };
        values.into_iter().filter_map(scalar).collect()
    }

    /// Whether the document had a field at these heads. Heads that are not here say nothing.
    pub fn had(&self, heads: &[ChangeHash], key: &str) -> bool {
        let here: Vec<ChangeHash> = heads.iter().filter(|head| self.has(head)).copied().collect();
        matches!(self.automerge.get_at(ROOT, key, &here), Ok(Some(_)))
    }

    /// The fields that changes write which these heads do not cover: what came after a signature. `None` if the heads
    /// are not all here.
    pub fn written_since(&self, heads: &[ChangeHash]) -> Option<BTreeSet<String>> {
        if !heads.iter().all(|head| self.has(head)) {
            return None;
        }
        let (changes, texts) = (self.changes_since(heads), self.text_objects());
        Some(
            changes
                .iter()
                .flat_map(|change| fields_written(change, &texts))
                .collect(),
        )
    }

    /// The text under a key of `Kind::texts`; empty if it is not there.
    pub fn text(&self, key: &str) -> String {
        text_object(&self.automerge, key)
            .and_then(|text| self.automerge.text(&text).ok())
            .unwrap_or_default()
    }

    /// Translates an edit of the text as it was at `heads` into edits of the text as it is: `(at, doomed)`.
    /// What others wrote meanwhile inside the deleted range stays.
    ///
    /// The edit is tried out on a copy of the document, as the concurrent change that it is, and what it does there is
    /// read off. Automerge's cursors would tell the same, but resolving one of a character that is gone fails
    /// (`get_cursor_position` of 0.12 panics in debug builds when nothing visible follows it).
    pub fn translate_edit(
        &self,
        key: &str,
        heads: &[ChangeHash],
        at: usize,
        delete: usize,
    ) -> Option<(usize, Vec<usize>)> {
        let text = text_object(&self.automerge, key)?;
        if heads.is_empty() || heads.iter().any(|head| !self.has(head)) {
            return None;
        }
        let end = at.checked_add(delete)?;
        if end > self.automerge.length_at(&text, heads) {
            return None;
        }
        let seen: Vec<usize> = (at..end).collect();
        let mut sorted = heads.to_vec();
        sorted.sort_unstable();
        if sorted == self.heads() {
            return Some((at, seen));
        }
        let mut trial = self
            .automerge
            .clone()
            .with_actor(ActorId::from(TRIAL_ACTOR.as_slice()));
        {
            let tx = trial.transaction_at(PatchLog::inactive(), heads).ok()?;
            let mut writer = Writer { tx };
            writer.edit_text(key, at, &seen, "+");
            writer.tx.commit();
        }

        let (before, after) = (characters(&self.automerge, &text), characters(&trial, &text));
        let stood: HashMap<&ObjId, usize> = before.iter().zip(0..).collect();
        let stand: HashSet<&ObjId> = after.iter().collect();
        let mark = after
            .iter()
            .position(|character| !stood.contains_key(character))?;
        // Behind the character that is left of the mark: what stood between the two is doomed.
        let insert_at = match mark.checked_sub(1) {
            Some(left) => stood.get(&after[left])? + 1,
            None => 0,
        };
        let doomed = (0..before.len())
            .filter(|position| !stand.contains(&before[*position]))
            .collect();
        Some((insert_at, doomed))
    }

    /// The Automerge object id of each text, as operations name it, with its key.
    pub(crate) fn text_objects(&self) -> Vec<(ObjId, &'static str)> {
        self.kind
            .texts()
            .iter()
            .flat_map(|key| {
                let values = self.automerge.get_all(ROOT, *key).unwrap_or_default();
                values
                    .into_iter()
                    .filter(|(value, _)| value.is_object())
                    .map(|(_, id)| (id, *key))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    pub fn schema_version(&self) -> u16 {
        self.fields()
            .uint("schema_version")
            .and_then(|v| u16::try_from(v).ok())
            .unwrap_or(SCHEMA_VERSION)
    }

    /// Whether a change of `chunk` bytes still fits, the document taking `stored` bytes now. Both sides ask, so that a
    /// device says at once what its server would say later.
    pub fn has_room_for(&self, stored: usize, chunk: usize) -> bool {
        stored + chunk <= MAX_DOCUMENT || self.save().len() + chunk <= MAX_DOCUMENT
    }

    /// Number of changes in the history, genesis included.
    pub fn change_count(&self) -> u64 {
        self.automerge.stats().num_changes
    }
}

/// The fields that a change writes, in its order; the document's texts among them.
pub(super) fn fields_written(change: &Change, texts: &[(ObjId, &'static str)]) -> Vec<String> {
    let text_of = |object: &OpId| {
        let is_it = |(id, _): &&(ObjId, &'static str)| match id {
            ObjId::Id(counter, actor, _) => *counter == object.counter() && actor == object.actor(),
            ObjId::Root => false,
        };
        texts.iter().find(is_it).map(|(_, key)| (*key).to_owned())
    };
    let mut written: Vec<String> = Vec::new();
    for op in change.decode().operations {
        let field = match (op.obj, op.key) {
            (ObjectId::Root, Key::Map(key)) => Some(key.to_string()),
            (ObjectId::Id(object), _) => text_of(&object),
            (ObjectId::Root, Key::Seq(_)) => None,
        };
        written.extend(field.filter(|field| !written.contains(field)));
    }
    written
}

fn genesis_actor(kind: Kind, clinic: ClinicId, id: DocumentId) -> ActorId {
    let digest = Sha256::new()
        .chain_update("genesis")
        .chain_update([kind.number()])
        .chain_update(clinic.bytes())
        .chain_update(id.bytes())
        .finalize();
    ActorId::from(&digest[..16])
}

fn text_object(doc: &impl ReadDoc, key: &str) -> Option<ObjId> {
    match doc.get(ROOT, key) {
        Ok(Some((Value::Object(ObjType::Text), id))) => Some(id),
        _ => None,
    }
}

/// What identifies each visible character of a text, in order.
fn characters(doc: &Automerge, text: &ObjId) -> Vec<ObjId> {
    doc.list_range(text, ..).map(|character| character.id()).collect()
}

/// Writes single fields. Writing what already stands there alone is no operation.
pub struct Writer<'a> {
    tx: automerge::transaction::Transaction<'a>,
}

impl Writer<'_> {
    /// Sets a scalar. Where several values stand side by side, setting any of them decides for it.
    pub fn put(&mut self, key: &str, value: impl Into<ScalarValue>) {
        let value = value.into();
        let standing = self.tx.get_all(ROOT, key).unwrap_or_default();
        if let [(Value::Scalar(only), _)] = standing.as_slice()
            && **only == value
        {
            return;
        }
        if standing.is_empty() && value == ScalarValue::Null {
            return;
        }
        if standing.len() > 1 {
            // To repeat the value that shows, Automerge would delete its rivals instead of writing it, and nothing is
            // ever deleted here. So something that none of them is comes in between.
            let cleared = |(value, _): &(Value<'_>, _)| matches!(value, Value::Scalar(one) if one.is_null());
            let between = if standing.iter().any(cleared) {
                ScalarValue::from("")
            } else {
                ScalarValue::Null
            };
            self.put_at_root(key, between);
        }
        self.put_at_root(key, value);
    }

    fn put_at_root(&mut self, key: &str, value: ScalarValue) {
        self.tx
            .put(ROOT, key, value)
            .expect("a put at the root of a map cannot fail");
    }

    /// Sets a field, or clears it with `None` by writing null: nothing is ever deleted.
    pub fn put_optional(&mut self, key: &str, value: Option<impl Into<ScalarValue>>) {
        self.put(key, value.map_or(ScalarValue::Null, Into::into));
    }

    pub fn put_time(&mut self, key: &str, at: Timestamp) {
        self.put(key, ScalarValue::Timestamp(at.0));
    }

    /// Deletes single characters (positions ascending) and inserts at `at`, all counted before the edit.
    /// Does nothing if the document has no such text.
    pub fn edit_text(&mut self, key: &str, at: usize, delete: &[usize], insert: &str) {
        let Some(text) = text_object(&self.tx, key) else {
            return;
        };
        let length = self.tx.length(&text);
        let mut insert_at = at.min(length);
        // From the back, so that the earlier positions stay true; neighbours go in one operation.
        let mut rest = delete;
        while let [.., last] = *rest {
            let run = rest
                .iter()
                .rev()
                .enumerate()
                .take_while(|(back, p)| **p + back == last)
                .count();
            let start = last + 1 - run;
            if last < length {
                let count = isize::try_from(run).expect("a text is shorter than half of memory");
                self.tx
                    .splice_text(&text, start, count, "")
                    .expect("the range lies inside the text");
                insert_at -= insert_at.saturating_sub(start).min(run);
            }
            rest = &rest[..rest.len() - run];
        }
        if !insert.is_empty() {
            self.tx
                .splice_text(&text, insert_at, 0, insert)
                .expect("the position lies inside the text");
        }
    }

    /// The single visible value, for commands that must look before they write.
    pub fn fields(&self) -> Fields {
        Fields::of(&self.tx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn visit() -> Document {
        Document::genesis(
            Kind::Visit,
            ClinicId(Uuid::from_u128(1)),
            DocumentId(Uuid::from_u128(2)),
        )
    }

    fn stamp(actor: u8) -> Stamp {
        Stamp {
            now: Timestamp(1_000),
            actor: ActorId::from([actor; 16]),
            account: AccountId(Uuid::from_u128(9)),
        }
    }

    fn type_at(doc: &mut Document, actor: u8, at: usize, delete: &[usize], insert: &str) {
        doc.change(&stamp(actor), "write", |w| {
            w.edit_text("history", at, delete, insert);
            Ok::<_, ()>(())
        })
        .expect("written");
    }

    #[test]
    fn a_change_that_marks_text_is_not_taken() {
        let mut writer = Automerge::load(&visit().save())
            .expect("loads")
            .with_actor(ActorId::from([7; 16]));
        let before = writer.get_heads();
        let mut tx = writer.transaction();
        let Some((_, text)) = tx.get(ROOT, "history").expect("readable") else {
            panic!("a visit has a history")
        };
        tx.splice_text(&text, 0, 0, "bright and alert").expect("written");
        let bold = automerge::marks::Mark::new("bold".to_owned(), true, 0, 6);
        tx.mark(&text, bold, automerge::marks::ExpandMark::Both)
            .expect("marked");
        tx.commit();
        let change = writer.get_changes(&before).remove(0);
        assert!(matches!(visit().apply(&[change]), Err(LoadError::NotApplied(why)) if why.contains("marks")));
    }

    /// Golden: if this hash changes, every replica in the field disagrees with this build about how documents begin.
    #[test]
    fn a_change_without_operations_leaps_nowhere() {
        let genesis = Document::genesis(
            Kind::Client,
            ClinicId(Uuid::from_u128(1)),
            DocumentId(Uuid::from_u128(2)),
        );
        let empty = |start_op: u64| {
            let mut change = genesis.changes_since(&[])[0].decode();
            change.actor_id = ActorId::from([5; 16]);
            change.deps = genesis.heads();
            change.operations = Vec::new();
            change.start_op = std::num::NonZeroU64::new(start_op).expect("not 0");
            change.hash = None;
            Change::from(change)
        };
        let next = genesis.changes_since(&[])[0].max_op() + 1;
        for (start_op, is_taken) in [
            (1, false),
            (next - 1, false),
            (next, true),
            (next + 1, false),
            (1 << 40, false),
        ] {
            let mut document = genesis.clone();
            let applied = document.apply(&[empty(start_op)]);
            assert_eq!(applied.is_ok(), is_taken, "{start_op}: {applied:?}");
            if is_taken {
                Document::load(Kind::Client, genesis.clinic, genesis.id, &document.save())
                    .expect("what was saved loads");
            }
        }
    }

    #[test]
    fn genesis_never_changes() {
        assert_eq!(visit().heads(), visit().heads());
        assert_eq!(
            visit().heads()[0].to_string(),
            "79667a49474bf607de72c27860075f71d4535d8ab837a18c6d25db91da82fe64"
        );
    }

    #[test]
    fn bytes_of_another_document_are_told_apart() {
        let other = Document::genesis(
            Kind::Visit,
            ClinicId(Uuid::from_u128(77)),
            DocumentId(Uuid::from_u128(2)),
        );
        let loaded = Document::load(Kind::Visit, visit().clinic, visit().id, &other.save()).expect("loads");
        assert!(!loaded.has_own_genesis());
        assert!(visit().has_own_genesis());
    }

    #[test]
    fn an_edit_lands_where_it_was_meant_after_others_wrote() {
        let mut here = visit();
        type_at(&mut here, 1, 0, &[], "Ate grass. Vomited.");
        let seen = here.heads();
        type_at(&mut here, 2, 0, &[], "Yesterday: ");
        type_at(&mut here, 2, 20, &[], " and rope");
        assert_eq!(here.text("history"), "Yesterday: Ate grass and rope. Vomited.");

        // The person saw the first text and replaced "grass" in it.
        let (at, doomed) = here.translate_edit("history", &seen, 4, 5).expect("known heads");
        type_at(&mut here, 1, at, &doomed, "hay");
        assert_eq!(here.text("history"), "Yesterday: Ate hay and rope. Vomited.");
    }

    #[test]
    fn an_edit_of_a_text_that_never_was_is_not_taken() {
        let mut here = visit();
        type_at(&mut here, 1, 0, &[], "abc");
        let seen = here.heads();
        assert!(here.translate_edit("history", &seen, 3, 0).is_some());
        assert!(
            here.translate_edit("history", &seen, 2, 2).is_none(),
            "beyond the end"
        );
        assert!(here.translate_edit("history", &seen, usize::MAX, 1).is_none());
        assert!(
            here.translate_edit("history", &[], 0, 0).is_none(),
            "nothing was seen"
        );
        assert!(
            here.translate_edit("history", &[ChangeHash([9; 32])], 0, 0)
                .is_none(),
            "unknown heads"
        );
    }

    #[test]
    fn a_deletion_spares_what_somebody_wrote_inside_it() {
        let mut here = visit();
        type_at(&mut here, 1, 0, &[], "abcdef");
        let seen = here.heads();
        type_at(&mut here, 2, 3, &[], "XYZ");
        let (at, doomed) = here.translate_edit("history", &seen, 1, 4).expect("known heads");
        type_at(&mut here, 1, at, &doomed, "");
        assert_eq!(here.text("history"), "aXYZf");
    }

    #[test]
    fn a_change_without_its_dependency_is_refused_whole() {
        let mut there = visit();
        type_at(&mut there, 1, 0, &[], "one");
        let first = there.heads();
        type_at(&mut there, 1, 3, &[], " two");
        let second = there.changes_since(&first);
        let mut here = visit();
        let before = here.heads();
        assert!(matches!(
            here.apply(&second),
            Err(LoadError::MissingDependencies { .. })
        ));
        assert_eq!(here.heads(), before);
    }

    #[test]
    fn writing_what_stands_there_is_no_change() {
        let mut here = visit();
        let write = |doc: &mut Document, value: &str| {
            doc.change(&stamp(1), "write", |w| {
                w.put("reason", value);
                Ok::<_, ()>(())
            })
            .expect("written")
        };
        assert!(write(&mut here, "limping").is_some());
        assert!(write(&mut here, "limping").is_none());
    }
}
