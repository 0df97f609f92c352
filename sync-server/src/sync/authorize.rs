//! Judges one change before it is taken: its size, whose it is, what it builds on, and what it does.
//!
//! Invariant: pure. What it needs to know of the database is in its arguments, and it alters nothing.

use super::accept::{Author, Working};
use super::authorship::Authors;
use crate::storage::Signed;
use automerge::{Change, ChangeHash};
use minicbor::bytes::ByteVec;
use sha2::{Digest, Sha256};
use shared_model::SCHEMA_VERSION;
use shared_model::documents::measure::{
    MAX_DOCUMENT_INFLATED, MAX_DOCUMENT_OPERATIONS, MAX_INFLATED, MAX_PUSH_INFLATED, MAX_SPAN, Measure,
    measure,
};
use shared_model::documents::{Kind, Numbers, read_change};
use shared_model::ids::{AccountId, DeviceId, DocumentId};
use shared_model::permissions::{Ground, Judge};
use shared_model::protocol::{MAX_CHANGE, PushItem, RefusalCode};
use shared_model::time::Timestamp;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// What a document's bytes may inflate to with one more change. Half of what devices open: a document saved anew has
/// other columns than its changes.
const TAKE_INFLATED: usize = MAX_DOCUMENT_INFLATED / 2;

/// What is wrong with a change: the code for the device, the sentence for the log.
#[derive(Clone, Debug)]
pub(super) struct Objection {
    pub(super) code: RefusalCode,
    pub(super) reason: String,
}

pub(super) fn objection<T>(code: RefusalCode, reason: impl Into<String>) -> Result<T, Objection> {
    Err(Objection {
        code,
        reason: reason.into(),
    })
}

/// A pushed document with its changes read: what can be done before the clinic's turn comes.
#[derive(Debug)]
pub(crate) struct ReadItem {
    pub(super) kind: Kind,
    pub(super) document: DocumentId,
    pub(super) schema_version: u16,
    pub(super) changes: Vec<ReadChange>,
}

#[derive(Debug)]
pub(super) struct ReadChange {
    pub(super) hash: ChangeHash,
    pub(super) chunk: Vec<u8>,
    pub(super) change: Result<Change, Objection>,
    /// Who signed for it; whoever pushes, where nothing is signed.
    pub(super) author: Option<Arc<Author>>,
    /// The signature, if it is this change that bears one.
    pub(super) signed: Option<Signed>,
}

/// How many bytes changes may still inflate to that are held together.
#[derive(Debug)]
pub(super) struct Room {
    left: usize,
    pub(super) exceeded: bool,
}

impl Room {
    pub(super) fn new(left: usize) -> Self {
        Self {
            left,
            exceeded: false,
        }
    }

    fn take(&mut self, inflated: usize) -> Result<(), Objection> {
        match self.left.checked_sub(inflated) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.exceeded = true;
                objection(
                    RefusalCode::TooLarge,
                    "with what came along it inflates to too much",
                )
            }
        }
    }
}

impl ReadItem {
    /// Reads the items of a push. What inflates to more than a push may, beyond what precedes it, is not decoded. Without
    /// `authors` everything is the work of whoever pushes.
    pub(crate) fn read_push(items: Vec<PushItem>, authors: Option<&Authors>) -> Vec<Self> {
        let mut room = Room::new(MAX_PUSH_INFLATED);
        items
            .into_iter()
            .map(|mut item| {
                let signatures = std::mem::take(&mut item.signatures);
                let mut read = Self::read(item, &mut room);
                if let Some(authors) = authors {
                    authors.vouch(&mut read, signatures);
                }
                read
            })
            .collect()
    }

    /// Reads an item's chunks; one that makes the decoder panic is undecodable and nothing worse.
    pub(super) fn read(item: PushItem, room: &mut Room) -> Self {
        let read = |chunk: ByteVec| {
            let chunk = Vec::from(chunk);
            let change = std::panic::catch_unwind(AssertUnwindSafe(|| decode(&chunk, room)))
                .unwrap_or_else(|_| objection(RefusalCode::Undecodable, "the decoder gave up"));
            ReadChange {
                hash: change
                    .as_ref()
                    .map_or_else(|_| hash_of_unreadable(&chunk), Change::hash),
                chunk,
                change,
                author: None,
                signed: None,
            }
        };
        Self {
            kind: item.kind,
            document: item.document,
            schema_version: item.schema_version,
            changes: item.changes.into_iter().map(read).collect(),
        }
    }

    /// A change made in this process, which needs no reading.
    pub(crate) fn of_change(kind: Kind, document: DocumentId, change: Change) -> Self {
        Self {
            kind,
            document,
            schema_version: SCHEMA_VERSION,
            changes: vec![ReadChange {
                hash: change.hash(),
                chunk: change.raw_bytes().to_vec(),
                change: Ok(change),
                author: None,
                signed: None,
            }],
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.changes.iter().map(|change| change.chunk.len()).sum()
    }
}

/// Reads a change chunk, having looked at what it amounts to.
fn decode(chunk: &[u8], room: &mut Room) -> Result<Change, Objection> {
    match measure(chunk) {
        Measure::Fits(inflated) => room.take(inflated)?,
        Measure::TooLarge => {
            return objection(
                RefusalCode::TooLarge,
                format!("more than {MAX_CHANGE} bytes, {MAX_INFLATED} inflated, or too many operations"),
            );
        }
        Measure::Malformed => return objection(RefusalCode::Undecodable, "not the form of a change"),
    }
    let change =
        read_change(chunk).or_else(|error| objection(RefusalCode::Undecodable, error.to_string()))?;
    if change.seq() == 0 {
        return objection(RefusalCode::Undecodable, "sequence numbers begin at 1");
    }
    Ok(change)
}

/// The hash by which a device knows a change that could not be read: of the chunk without its header's checksum, as
/// Automerge does it.
fn hash_of_unreadable(chunk: &[u8]) -> ChangeHash {
    ChangeHash(Sha256::digest(chunk.get(8..).unwrap_or(chunk)).into())
}

/// May this author add this change to the document as it is now? `judge` knows what the author may write in it.
pub(super) fn authorize(
    author: &Author,
    judge: &Judge<'_>,
    owner: Option<(AccountId, DeviceId)>,
    document: &Working,
    refused: &HashSet<ChangeHash>,
    change: &Change,
    now: Timestamp,
) -> Result<Ground, Objection> {
    if document.is_genesis_actor(change.actor_id()) {
        return objection(
            RefusalCode::ForeignActor,
            "nobody writes as the genesis of a document",
        );
    }
    if let Some(owner) = owner
        && owner != (author.account, author.device)
    {
        return objection(
            RefusalCode::ForeignActor,
            "the writer identity belongs to another account or device",
        );
    }
    // Before what it builds on is looked at: all of their work is refused for the one reason, and handed in as it is.
    if author.principal.roles.is_empty() {
        return objection(
            RefusalCode::NotPermitted,
            "its author belongs to the clinic no more",
        );
    }
    let Numbers { seq: last, max_op } = document.numbers_of(change.actor_id());
    if change.seq() <= last {
        return objection(
            RefusalCode::ActorReused,
            format!("change {} of this writer is another one", change.seq()),
        );
    }
    // What was refused once may have been taken since.
    let is_out = |dep: &ChangeHash| refused.contains(dep) && !document.has(dep);
    if change.deps().iter().any(is_out) {
        return objection(
            RefusalCode::BuildsOnRefused,
            "an earlier change that it builds on was refused",
        );
    }
    let missing = change.deps().iter().filter(|dep| !document.has(dep)).count();
    if missing > 0 {
        return objection(
            RefusalCode::MissingDependencies,
            format!("{missing} changes that it builds on are not here"),
        );
    }
    if change.seq() != last + 1 {
        return objection(
            RefusalCode::MissingDependencies,
            format!("the writer's change {} is not here", last + 1),
        );
    }
    // Everything builds on the genesis at least; operation counters go up by what is there, never back to numbers that
    // the writer has used, never by leaps that would use up their range.
    let start = change.start_op().get();
    if change.deps().is_empty() || start <= max_op || start > document.max_op + 1 {
        return objection(
            RefusalCode::Undecodable,
            "it does not continue the document that it belongs to",
        );
    }
    let span = document.span.saturating_add(document.span_of(change));
    if change.max_op() > MAX_DOCUMENT_OPERATIONS || span > MAX_SPAN {
        return objection(
            RefusalCode::TooLarge,
            format!(
                "a document's operations are numbered to {MAX_DOCUMENT_OPERATIONS}, its changes span {MAX_SPAN}"
            ),
        );
    }
    if document.inflated.saturating_add(change.raw_bytes().len()) > TAKE_INFLATED {
        return objection(
            RefusalCode::TooLarge,
            format!("the document's changes would inflate to more than {TAKE_INFLATED} bytes"),
        );
    }
    judge
        .judge(&document.document, document.is_new(), change, now)
        .or_else(|denied| objection(RefusalCode::NotPermitted, denied.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use automerge::transaction::Transactable;
    use automerge::{Automerge, ObjType, ROOT};
    use shared_model::protocol::{MAX_FRAME, MAX_PUSH_CHANGES};
    use uuid::Uuid;

    #[test]
    fn a_push_of_small_bombs_inflates_to_little() {
        let mut document = Automerge::new();
        let mut tx = document.transaction();
        let text = tx.put_object(ROOT, "history", ObjType::Text).expect("put");
        tx.splice_text(&text, 0, 0, &"ha ".repeat(60_000))
            .expect("written");
        tx.commit();
        let mut change = document.get_changes(&[]).pop().expect("a change");
        let chunk = change.bytes().to_vec();
        let inflated = change.raw_bytes().len();
        assert!(
            chunk.len() * MAX_PUSH_CHANGES < 2 * MAX_FRAME,
            "{} bytes",
            chunk.len()
        );

        let item = PushItem {
            kind: Kind::Visit,
            document: DocumentId(Uuid::from_u128(1)),
            schema_version: SCHEMA_VERSION,
            changes: vec![chunk.into(); MAX_PUSH_CHANGES],
            signatures: Vec::new(),
        };
        let read = ReadItem::read_push(vec![item], None);
        let held: usize = read[0].changes.iter().filter(|read| read.change.is_ok()).count() * inflated;
        assert!(
            held > MAX_PUSH_INFLATED / 2 && held <= MAX_PUSH_INFLATED + MAX_INFLATED,
            "{held}"
        );
        let last = read[0].changes.last().expect("all are there");
        let objection = last.change.as_ref().expect_err("no room is left");
        assert_eq!(objection.code, RefusalCode::TooLarge);
    }
}
