//! Decides about a group of pushes: what is taken, what is refused and why, and every row that follows from it.
//!
//! Invariant: pure. The same working set, pushes, head and time give the same plan; nothing here reads a clock or a
//! database.

use super::super::authorize::{Objection, ReadChange, ReadItem, authorize, objection};
use super::super::fan_out::{LivePage, SessionId};
use super::super::page;
use super::working::{Working, WorkingSet};
use super::{Author, Writer};
use crate::storage::{
    AcceptWrites, ActorRow, AuditRow, ChangeRow, DocumentRow, FeedChange, FeedRow, FeedStep, StepContent,
    StoredDocument,
};
use automerge::ChangeHash;
use shared_model::SCHEMA_VERSION;
use shared_model::documents::{LoadError, PROJECTION_VERSION, Projection, project};
use shared_model::ids::{AccountId, DocumentId};
use shared_model::permissions::{Feed, Ground, Judge};
use shared_model::protocol::{self, MAX_DOCUMENT, Refusal, RefusalCode};
use shared_model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

/// The rows of a list line, encoded, at most. A document that says more than this about itself is sent without them.
const MAX_PROJECTION: usize = 256 << 10;

/// What comes of a group of pushes.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) writes: Arc<AcceptWrites>,
    /// Per push, in their order.
    pub(crate) refusals: Vec<Vec<Refusal>>,
    /// How many documents each session brought into being.
    pub(crate) created: HashMap<SessionId, usize>,
    /// Which session each number stems from.
    origins: BTreeMap<u64, SessionId>,
}

struct Planning<'a> {
    working: &'a mut WorkingSet,
    writes: AcceptWrites,
    created: HashMap<SessionId, usize>,
    origins: BTreeMap<u64, SessionId>,
    /// The numbers that each touched document got, in the order of first touch.
    touched: Vec<(DocumentId, Vec<u64>)>,
    touched_at: HashMap<DocumentId, usize>,
}

/// Decides about pushes of one clinic, in their order, on a working set that stands at `head` and has everything that
/// `WorkingSet::missing` named. The working set is then at the plan's head; if the plan is not carried out, it has to
/// be thrown away.
pub(crate) fn plan_accept<'p>(
    working: &mut WorkingSet,
    pushes: impl Iterator<Item = (&'p Writer, &'p [ReadItem])>,
    head: u64,
    now: Timestamp,
) -> Plan {
    let mut planning = Planning {
        working,
        writes: AcceptWrites::new(head, now),
        created: HashMap::new(),
        origins: BTreeMap::new(),
        touched: Vec::new(),
        touched_at: HashMap::new(),
    };
    let mut refused: HashMap<SessionId, HashSet<ChangeHash>> = HashMap::new();
    let mut refusals = Vec::new();
    for (writer, items) in pushes {
        let refused = refused.entry(writer.session).or_insert_with(|| {
            let known = writer.refused.lock().unwrap_or_else(PoisonError::into_inner);
            known.clone()
        });
        refusals.push(
            items
                .iter()
                .flat_map(|item| planning.item(writer, item, refused))
                .collect(),
        );
    }
    planning.settle();
    planning.working.stands_at(planning.writes.head);
    Plan {
        writes: Arc::new(planning.writes),
        refusals,
        created: planning.created,
        origins: planning.origins,
    }
}

impl Planning<'_> {
    /// One document's changes of one push. Where they cannot be applied together, it is found out one by one which of
    /// them can. A panic takes back what the item did, and only that.
    fn item(&mut self, writer: &Writer, item: &ReadItem, refused: &mut HashSet<ChangeHash>) -> Vec<Refusal> {
        let head = self.writes.head;
        let tried = self.attempt(writer, item, refused, Pace::Together);
        let tried = match tried {
            Attempt::Inapplicable => self.attempt(writer, item, refused, Pace::OneByOne),
            decided => decided,
        };
        let objections = match tried {
            Attempt::Decided(objections) => objections,
            Attempt::Inapplicable | Attempt::Panicked => {
                tracing::error!(document = %item.document, "a pushed document made planning panic");
                let given_up = Objection {
                    code: RefusalCode::Undecodable,
                    reason: "the document cannot be worked on with these changes".to_owned(),
                };
                refused.extend(item.changes.iter().map(|read| read.hash));
                item.changes
                    .iter()
                    .map(|read| (read.hash, given_up.clone()))
                    .collect()
            }
        };
        if self.writes.head > head {
            self.origins.insert(self.writes.head, writer.session);
            let at = *self.touched_at.entry(item.document).or_insert_with(|| {
                self.touched.push((item.document, Vec::new()));
                self.touched.len() - 1
            });
            self.touched[at].1.push(self.writes.head);
        }
        objections
            .into_iter()
            .map(|(hash, objection)| Refusal {
                document: item.document,
                change: hash.0.to_vec().into(),
                code: objection.code,
                reason: objection.reason,
            })
            .collect()
    }

    /// Decides about an item's changes; whatever does not come to a decision leaves everything as it was.
    fn attempt(
        &mut self,
        writer: &Writer,
        item: &ReadItem,
        refused: &mut HashSet<ChangeHash>,
        pace: Pace,
    ) -> Attempt {
        let before = self.working.open(item.kind, item.document).before();
        let head = self.writes.head;
        let rows = (
            self.writes.changes.len(),
            self.writes.actors.len(),
            self.writes.audit.len(),
        );
        let refused_before: Vec<bool> = item
            .changes
            .iter()
            .map(|read| refused.contains(&read.hash))
            .collect();
        let judged = catch_unwind(AssertUnwindSafe(|| self.changes(writer, item, refused, pace)));
        let attempt = match judged {
            Ok(Ok(objections)) => return Attempt::Decided(objections),
            Ok(Err(_)) => Attempt::Inapplicable,
            Err(_) => Attempt::Panicked,
        };
        self.working.open(item.kind, item.document).restore(before);
        self.writes.head = head;
        self.writes.changes.truncate(rows.0);
        for actor in self.writes.actors.drain(rows.1..) {
            self.working.actors.remove(&actor.actor.into());
        }
        self.writes.audit.truncate(rows.2);
        for (read, was_refused) in item.changes.iter().zip(refused_before) {
            if was_refused {
                refused.insert(read.hash);
            } else {
                refused.remove(&read.hash);
            }
        }
        attempt
    }

    fn changes<'w>(
        &mut self,
        writer: &'w Writer,
        item: &'w ReadItem,
        refused: &mut HashSet<ChangeHash>,
        pace: Pace,
    ) -> Result<Vec<(ChangeHash, Objection)>, NotTaken> {
        let mut objections = Vec::new();
        let mut number = None;
        let mut judges = Judges::new();
        for (position, read) in item.changes.iter().enumerate() {
            let author = read.author.as_deref().unwrap_or(&writer.author);
            match self.change(author, &mut judges, item, refused, read, pace) {
                Ok(Verdict::Known) => {
                    refused.remove(&read.hash);
                }
                Ok(Verdict::Taken) => {
                    refused.remove(&read.hash);
                    let number = *number.get_or_insert_with(|| {
                        self.writes.head += 1;
                        self.writes.head
                    });
                    self.record(author, item, read, number, position);
                }
                Err(NotTaken::Refused(objection)) => {
                    refused.insert(read.hash);
                    objections.push((read.hash, objection));
                }
                Err(NotTaken::Inapplicable) => return Err(NotTaken::Inapplicable),
            }
        }
        if let Some(document) = self.working.documents.get_mut(&item.document) {
            document.apply_taken()?;
        }
        Ok(objections)
    }

    fn change<'w>(
        &mut self,
        author: &'w Author,
        judges: &mut Judges<'w>,
        item: &ReadItem,
        refused: &HashSet<ChangeHash>,
        read: &ReadChange,
        pace: Pace,
    ) -> Result<Verdict, NotTaken> {
        let now = self.writes.at;
        let document = may_be_worked_on(&mut self.working.documents, &self.working.damaged, item)?;
        let change = read.change.as_ref().map_err(Clone::clone)?;
        if document.has(&read.hash) {
            return Ok(Verdict::Known);
        }
        let knowing = judges
            .entry(author.account)
            .or_insert_with(|| Judge::new(&author.principal, &document.document));
        let owner = self.working.actors.get(change.actor_id()).copied();
        let ground = authorize(author, knowing, owner, document, refused, change, now)?;
        if !document.make_room(read.chunk.len())? {
            objection(
                RefusalCode::TooLarge,
                format!("the document would have more than {MAX_DOCUMENT} bytes"),
            )?;
        }
        let before = (pace == Pace::OneByOne).then(|| document.before());
        document.take(change, &read.chunk);
        document.schema_version = document.schema_version.max(item.schema_version);
        if ground == Ground::Moved || pace == Pace::OneByOne {
            judges.clear();
            if let Err(error) = document.apply_taken() {
                document.restore(before.ok_or(NotTaken::Inapplicable)?);
                objection(RefusalCode::Undecodable, error.to_string())?;
            }
        }
        Ok(Verdict::Taken)
    }

    fn record(&mut self, author: &Author, item: &ReadItem, read: &ReadChange, number: u64, position: usize) {
        let Ok(change) = &read.change else { return };
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        let actor = change.actor_id().to_bytes().to_vec();
        if !self.working.actors.contains_key(change.actor_id()) {
            let owner = (author.account, author.device);
            self.working.actors.insert(change.actor_id().clone(), owner);
            self.writes.actors.push(ActorRow {
                actor: actor.clone(),
                account: author.account,
                device: author.device,
            });
        }
        // Typing makes many changes of one verb; the trail needs the first of each run.
        let verb: String = change.message().unwrap_or("unnamed").chars().take(64).collect();
        let repeats =
            self.writes.audit.last().is_some_and(|last| {
                last.number == number && last.verb == verb && last.account == author.account
            });
        if !repeats {
            self.writes.audit.push(AuditRow {
                number,
                position,
                account: author.account,
                device: author.device,
                document: item.document,
                verb,
            });
        }
        self.writes.changes.push(ChangeRow {
            number,
            position,
            document: item.document,
            hash: read.hash,
            actor,
            seq: change.seq(),
            account: author.account,
            device: author.device,
            signed: read.signed,
            bytes: read.chunk.clone(),
        });
    }

    /// Once per touched document: its merged form, its projection, and who gained or lost it.
    fn settle(&mut self) {
        let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
        for change in &self.writes.changes {
            *sizes.entry(change.number).or_default() += change.bytes.len() + 8;
        }
        for (id, numbers) in &self.touched {
            let Some(document) = self.working.documents.get_mut(id) else {
                continue;
            };
            document.compact_if_grown();
            let row = document_row(document);
            let after = document.readers();
            let before = document.readers_before.replace(after.clone());
            if let (None, Some(session)) = (&before, self.origins.get(&numbers[0])) {
                *self.created.entry(*session).or_default() += 1;
            }
            let (last, size) = (numbers[numbers.len() - 1], row.stored.size());
            // Nobody has a new document yet, so its changes are all of it.
            let had = |feed: &Feed| before.as_ref().is_none_or(|before| before.contains(feed));
            for feed in &after {
                if had(feed) {
                    self.writes.feed.extend(numbers.iter().map(|number| FeedRow {
                        feed: *feed,
                        number: *number,
                        document: *id,
                        what: FeedChange::Changes,
                        size: sizes.get(number).copied().unwrap_or(0),
                    }));
                }
                let granted = before.as_ref().is_none_or(|before| !before.contains(feed));
                if granted {
                    self.writes.granted.push((*feed, *id));
                }
                if granted && !had(feed) {
                    self.writes.feed.push(FeedRow {
                        feed: *feed,
                        number: last,
                        document: *id,
                        what: FeedChange::Snapshot,
                        size,
                    });
                }
            }
            for feed in before.iter().flatten().filter(|feed| !after.contains(feed)) {
                self.writes.lost.push((*feed, *id));
                self.writes.feed.push(FeedRow {
                    feed: *feed,
                    number: last,
                    document: *id,
                    what: FeedChange::Revoked,
                    size: 0,
                });
            }
            self.writes.documents.push(row);
        }
        self.writes.feed.sort_by_key(|row| row.number);
    }
}

/// What each author may write in the item's document.
type Judges<'w> = BTreeMap<AccountId, Judge<'w>>;

/// How an item's changes are applied.
#[derive(Clone, Copy, PartialEq)]
enum Pace {
    /// In runs: quick, and all that are ever needed where changes are sound.
    Together,
    /// Each alone, so that one that Automerge cannot apply is found.
    OneByOne,
}

enum NotTaken {
    Refused(Objection),
    /// Automerge could not apply changes that were judged and found good.
    Inapplicable,
}

impl From<Objection> for NotTaken {
    fn from(objection: Objection) -> Self {
        Self::Refused(objection)
    }
}

impl From<LoadError> for NotTaken {
    fn from(_: LoadError) -> Self {
        Self::Inapplicable
    }
}

/// The document, if it can take anything of this item at all.
fn may_be_worked_on<'d>(
    documents: &'d mut HashMap<DocumentId, Working>,
    damaged: &HashSet<DocumentId>,
    item: &ReadItem,
) -> Result<&'d mut Working, Objection> {
    if damaged.contains(&item.document) {
        return objection(
            RefusalCode::Undecodable,
            "the document cannot be read on the server: an administrator has to restore it",
        );
    }
    let document = documents.get_mut(&item.document);
    let Some(document) = document.filter(|document| document.document.kind == item.kind) else {
        return objection(
            RefusalCode::MissingDependencies,
            "the document is of another kind here",
        );
    };
    if item.schema_version > SCHEMA_VERSION {
        return objection(
            RefusalCode::NewerSchema,
            format!(
                "schema {}; this server knows {SCHEMA_VERSION}",
                item.schema_version
            ),
        );
    }
    Ok(document)
}

enum Attempt {
    Decided(Vec<(ChangeHash, Objection)>),
    Inapplicable,
    Panicked,
}

enum Verdict {
    /// It was accepted before: the answer got lost, or the device was restored.
    Known,
    Taken,
}

fn document_row(document: &Working) -> DocumentRow {
    let projection = project(&document.document);
    let needed_at = match &projection {
        Projection::Appointment(row) => Some(row.start).filter(|start| start.0 != 0),
        Projection::Visit(row) => row.started_at,
        _ => None,
    };
    let mut encoded = protocol::encode(&projection);
    let mut projection_version = PROJECTION_VERSION;
    if encoded.len() > MAX_PROJECTION {
        // Version 0 is nobody's: the device derives its rows from the document.
        encoded = protocol::encode(&Projection::Single);
        projection_version = 0;
    }
    DocumentRow {
        heads: document.document.heads(),
        needed_at,
        stored: StoredDocument {
            id: document.document.id,
            kind: document.document.kind,
            schema_version: document.schema_version,
            bytes: document.bytes.clone(),
            base: document.base,
            max_op: document.max_op,
            projection_version,
            projection: encoded,
        },
    }
}

impl Plan {
    /// One page (or several, if it is much) per feed that the plan touches, encoded once for all its readers.
    pub(in crate::sync) fn live_pages(&self, head: u64) -> Vec<LivePage> {
        let mut feeds: BTreeMap<Feed, Vec<FeedStep>> = BTreeMap::new();
        let mut changes: HashMap<u64, Vec<Vec<u8>>> = HashMap::new();
        for change in &self.writes.changes {
            changes
                .entry(change.number)
                .or_default()
                .push(change.bytes.clone());
        }
        let documents: HashMap<DocumentId, &StoredDocument> = self
            .writes
            .documents
            .iter()
            .map(|row| (row.stored.id, &row.stored))
            .collect();
        for row in &self.writes.feed {
            let Some(stored) = documents.get(&row.document) else {
                continue;
            };
            let content = match row.what {
                FeedChange::Changes => {
                    StepContent::Changes(changes.get(&row.number).cloned().unwrap_or_default())
                }
                FeedChange::Snapshot => StepContent::Snapshot((*stored).clone()),
                FeedChange::Revoked => StepContent::Revoked,
            };
            feeds.entry(row.feed).or_default().push(FeedStep {
                number: row.number,
                document: row.document,
                kind: stored.kind,
                schema_version: stored.schema_version,
                content,
            });
        }
        feeds
            .into_iter()
            .map(|(feed, steps)| self.live_page(feed, &steps, head))
            .collect()
    }

    fn live_page(&self, feed: Feed, steps: &[FeedStep], head: u64) -> LivePage {
        let number = self.writes.head;
        let sessions: BTreeSet<Option<SessionId>> = steps
            .iter()
            .map(|step| match step.content {
                StepContent::Changes(_) => self.origins.get(&step.number).copied(),
                StepContent::Snapshot(_) | StepContent::Revoked => None,
            })
            .collect();
        let only_of = match sessions.first() {
            Some(session) if sessions.len() == 1 => *session,
            _ => None,
        };
        LivePage {
            feed,
            number,
            frames: page::live_frames(feed, steps, number, head),
            only_of: only_of.map(|session| {
                let moved = page::frame(0, page::live_cursor(feed, number), page::body(&[]));
                (session, moved)
            }),
        }
    }
}
