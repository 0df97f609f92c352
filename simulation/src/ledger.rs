//! What the database has committed, kept beside it: what was acknowledged can be held against it, and every byte that
//! leaves the server against who could read it.

use crate::invariant::{Holds, Invariant, broken};
use automerge::ChangeHash;
use shared_model::documents::{Document, Kind, read_change};
use shared_model::ids::{AccountId, ClinicId, DocumentId};
use shared_model::permissions::Feed;
use shared_model::protocol::{Content, Entry};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use sync_server::storage::AcceptWrites;

/// When a feed's readers could read a document: from one head of the clinic, and up to another if they lost it.
#[derive(Clone, Copy, Debug)]
struct Span {
    lost_at: Option<u64>,
}

#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) head: u64,
    changes: HashMap<ChangeHash, (DocumentId, u64)>,
    authors: HashMap<ChangeHash, AccountId>,
    of_document: BTreeMap<DocumentId, Vec<ChangeHash>>,
    audience: HashMap<(Feed, DocumentId), Span>,
    /// Changes that must never be taken, and why.
    banned: HashMap<ChangeHash, String>,
    twice: Vec<ChangeHash>,
    taken_though_banned: Vec<String>,
    /// Pages' entries that were looked at already.
    passed: HashSet<(Feed, Vec<u8>)>,
}

impl Ledger {
    pub(crate) fn committed(&mut self, writes: &AcceptWrites) {
        let before = self.head;
        self.head = writes.head;
        for row in &writes.changes {
            if self
                .changes
                .insert(row.hash, (row.document, row.number))
                .is_some()
            {
                self.twice.push(row.hash);
            }
            self.authors.insert(row.hash, row.account);
            if let Some(why) = self.banned.get(&row.hash) {
                self.taken_though_banned.push(why.clone());
            }
            self.of_document.entry(row.document).or_default().push(row.hash);
        }
        for (feed, document) in &writes.granted {
            self.audience.insert((*feed, *document), Span { lost_at: None });
        }
        for (feed, document) in &writes.lost {
            let lost_at = Some(before);
            self.audience.insert((*feed, *document), Span { lost_at });
        }
    }

    pub(crate) fn has(&self, change: &ChangeHash) -> bool {
        self.changes.contains_key(change)
    }

    /// Whose it was entered as.
    pub(crate) fn author(&self, change: &ChangeHash) -> Option<AccountId> {
        self.authors.get(change).copied()
    }

    /// The feed number under which it was committed.
    pub(crate) fn number(&self, change: &ChangeHash) -> Option<u64> {
        self.changes.get(change).map(|(_, number)| *number)
    }

    pub(crate) fn ban(&mut self, change: ChangeHash, why: impl Into<String>) {
        if !self.has(&change) {
            self.banned.insert(change, why.into());
        }
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = (&ChangeHash, DocumentId)> {
        self.changes.iter().map(|(hash, (document, _))| (hash, *document))
    }

    pub(crate) fn changes_of(&self, document: DocumentId) -> BTreeSet<ChangeHash> {
        self.of_document
            .get(&document)
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    pub(crate) fn holds(&self) -> Holds {
        if let Some(hash) = self.twice.first() {
            return Err(broken(
                Invariant::NothingIsAppliedTwice,
                format!("change {hash} was committed twice"),
            ));
        }
        if let Some(why) = self.taken_though_banned.first() {
            return Err(broken(Invariant::OnlyThePermitted, why.clone()));
        }
        Ok(())
    }

    /// Whether every byte of an entry is one that the feed's readers may have: written before they lost the document,
    /// if they did.
    pub(crate) fn may_be_sent(&mut self, clinic: ClinicId, feed: Feed, entry: &Entry) -> Holds {
        if entry.content == Content::Revoked {
            return Ok(());
        }
        let denied = |what: String| Err(broken(Invariant::NoDeniedByte, what));
        let about = format!("{} {} in {feed:?}", entry.kind.word(), entry.document);
        let Some(span) = self.audience.get(&(feed, entry.document)) else {
            return denied(format!("{about} was never in that feed"));
        };
        let Some(lost_at) = span.lost_at else {
            return Ok(());
        };
        let key = (feed, shared_model::protocol::encode(entry));
        if self.passed.contains(&key) {
            return Ok(());
        }
        for hash in hashes(clinic, entry) {
            match self.changes.get(&hash) {
                Some((_, number)) if *number <= lost_at => {}
                Some((_, number)) => {
                    return denied(format!(
                        "{about}: change {number}, though it left the feed after {lost_at}"
                    ));
                }
                None => return denied(format!("{about}: a change that is not committed")),
            }
        }
        self.passed.insert(key);
        Ok(())
    }
}

/// The changes in an entry; the genesis is nobody's secret.
fn hashes(clinic: ClinicId, entry: &Entry) -> Vec<ChangeHash> {
    match &entry.content {
        Content::Changes(chunks) => chunks
            .iter()
            .filter_map(|chunk| read_change(chunk).ok())
            .map(|change| change.hash())
            .collect(),
        Content::Snapshot { bytes, .. } => history(entry.kind, clinic, entry.document, bytes),
        Content::Revoked => Vec::new(),
    }
}

/// The hashes of everything that was written in a stored document.
pub(crate) fn history(kind: Kind, clinic: ClinicId, id: DocumentId, bytes: &[u8]) -> Vec<ChangeHash> {
    let genesis = Document::genesis(kind, clinic, id);
    Document::load(kind, clinic, id, bytes).map_or_else(
        |_| Vec::new(),
        |document| {
            document
                .changes_since(&genesis.heads())
                .iter()
                .map(automerge::Change::hash)
                .collect()
        },
    )
}
