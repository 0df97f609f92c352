//! Accept: the server's only write path for changes. One task per clinic takes the pushes that wait, decides, commits
//! them in one transaction, and only then answers and fans out.
//!
//! Invariant: nothing is acknowledged or sent on before the database committed it. A transaction whose end is unknown
//! (the connection broke at commit) is decided again from what the database then says; hashes make that harmless.

mod plan;
mod rehearse;
mod working;

pub(crate) use plan::{Plan, plan_accept};
pub use rehearse::{Rehearsed, rehearse};
pub(crate) use working::{Author, Working, WorkingSet};

pub(crate) use super::authorize::ReadItem;
use super::fan_out::{FanOut, ForSession, SessionId};
use super::quota::{Accounts, Cost};
use crate::clock::Clock;
use crate::heavy_work::HeavyWork;
use crate::storage::trail::Event;
use crate::storage::{AcceptTransaction, Storage, StorageError, Stored};
use automerge::ChangeHash;
use shared_model::documents::Document;
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::protocol::{Accepted, Refusal, RefusalCode};
use shared_model::time::Timestamp;
use shared_model::trail::{Detail, Happening};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// Pushes that one transaction takes at most.
const GROUP_PUSHES: usize = 64;
/// And about how many bytes of them.
const GROUP_BYTES: usize = 8 << 20;
const QUEUE: usize = 256;
/// A clinic where nobody writes for so long keeps no documents open.
const IDLE: Duration = Duration::from_secs(300);
/// How long pushes wait for a database that is away before their sessions are told to come back later.
const PATIENCE: Duration = Duration::from_secs(8);

/// The author of pushes, shared by all pushes of one session.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) session: SessionId,
    pub(crate) author: Author,
    /// What was refused in this session: pushes that were under way already may build on it.
    pub(crate) refused: Mutex<HashSet<ChangeHash>>,
}

/// A push that waits for its clinic's turn.
#[derive(Debug)]
pub(crate) struct QueuedPush {
    pub(crate) writer: Arc<Writer>,
    pub(crate) number: u64,
    pub(crate) items: Vec<ReadItem>,
    pub(crate) answer: mpsc::WeakSender<ForSession>,
}

impl QueuedPush {
    fn bytes(&self) -> usize {
        self.items.iter().map(ReadItem::bytes).sum()
    }
}

/// Hands pushes to the task of their clinic.
#[derive(Clone)]
pub(crate) struct Accept {
    shared: Arc<Shared>,
}

struct Shared {
    storage: Arc<dyn Storage>,
    fan_out: FanOut,
    accounts: Arc<Accounts>,
    clock: Clock,
    heavy_work: HeavyWork,
    tasks: TaskTracker,
    clinics: Mutex<HashMap<ClinicId, mpsc::Sender<QueuedPush>>>,
}

impl Accept {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        fan_out: FanOut,
        accounts: Arc<Accounts>,
        clock: Clock,
        heavy_work: HeavyWork,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                storage,
                fan_out,
                accounts,
                clock,
                heavy_work,
                tasks: TaskTracker::new(),
                clinics: Mutex::default(),
            }),
        }
    }

    /// Queues a push; waits while the clinic's queue is full. The answer comes through the push's own channel.
    pub(crate) async fn push(&self, clinic: ClinicId, push: QueuedPush) {
        let queue = {
            let mut clinics = self.shared.clinics.lock().unwrap_or_else(PoisonError::into_inner);
            clinics
                .entry(clinic)
                .or_insert_with(|| {
                    let (queue, waiting) = mpsc::channel(QUEUE);
                    let task = ClinicTask {
                        clinic,
                        storage: Arc::clone(&self.shared.storage),
                        fan_out: self.shared.fan_out.clone(),
                        accounts: Arc::clone(&self.shared.accounts),
                        clock: self.shared.clock.clone(),
                        heavy_work: self.shared.heavy_work,
                        tasks: self.shared.tasks.clone(),
                        working: WorkingSet::new(clinic),
                    };
                    self.shared.tasks.spawn(task.run(waiting));
                    queue
                })
                .clone()
        };
        if queue.send(push).await.is_err() {
            tracing::error!(%clinic, "the clinic's accept task ended");
        }
    }

    /// Finishes what is queued and takes nothing more.
    pub(crate) async fn close(&self) {
        self.shared
            .clinics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

struct ClinicTask {
    clinic: ClinicId,
    storage: Arc<dyn Storage>,
    fan_out: FanOut,
    accounts: Arc<Accounts>,
    clock: Clock,
    heavy_work: HeavyWork,
    tasks: TaskTracker,
    working: WorkingSet,
}

impl ClinicTask {
    async fn run(mut self, mut waiting: mpsc::Receiver<QueuedPush>) {
        loop {
            let first = match timeout(IDLE, waiting.recv()).await {
                Ok(Some(first)) => first,
                Ok(None) => return,
                Err(_) => {
                    self.working = WorkingSet::new(self.clinic);
                    continue;
                }
            };
            let mut bytes = first.bytes();
            let mut group = vec![first];
            while group.len() < GROUP_PUSHES
                && bytes < GROUP_BYTES
                && let Ok(push) = waiting.try_recv()
            {
                bytes += push.bytes();
                group.push(push);
            }
            self.take(Arc::new(group)).await;
        }
    }

    /// Accepts a group, with patience for a database that is away.
    async fn take(&mut self, group: Arc<Vec<QueuedPush>>) {
        let give_up = tokio::time::Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(20);
        loop {
            match self.try_group(&group).await {
                Ok(()) => return,
                Err(error) => {
                    // What was planned may or may not have been committed: the database knows.
                    self.working = WorkingSet::new(self.clinic);
                    let away = matches!(error, StorageError::Away(_));
                    if !away || tokio::time::Instant::now() + pause > give_up {
                        tracing::error!(clinic = %self.clinic, pushes = group.len(), %error, "pushes were not accepted");
                        for push in group.iter() {
                            reply(push, ForSession::NotNow);
                        }
                        return;
                    }
                    tracing::warn!(clinic = %self.clinic, %error, "waiting for the database");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    async fn try_group(&mut self, group: &Arc<Vec<QueuedPush>>) -> Stored<()> {
        let mut tx = self.storage.begin_accept(self.clinic).await?;
        let head = tx.head();
        let mut working = std::mem::replace(&mut self.working, WorkingSet::new(self.clinic));
        working.expect_head(head);
        fill(&mut working, tx.as_mut(), group).await?;
        let now = self.clock.now();
        let (working, mut plan, pages) = {
            let group = Arc::clone(group);
            let work = move || {
                let pushes = group.iter().map(|push| (&*push.writer, push.items.as_slice()));
                let plan = plan_accept(&mut working, pushes, head, now);
                let pages = plan.live_pages(head);
                (working, plan, pages)
            };
            self.heavy_work
                .run(work)
                .await
                .map_err(|error| StorageError::Failed(format!("planning ended: {error}")))?
        };
        self.name_other_clinics(group, &mut plan).await?;
        if plan.writes.head > head || !plan.writes.actors.is_empty() {
            tx.commit(Arc::clone(&plan.writes)).await?;
        } else {
            drop(tx);
        }
        self.working = working;
        self.charge(group, &plan);
        self.answer(group, &plan, now);
        self.note_refusals(group, &plan, now);
        self.fan_out.deliver(self.clinic, head, plan.writes.head, pages);
        self.working.trim();
        Ok(())
    }

    /// New documents are counted here, where it is known which are; their authors wait with their next message.
    fn charge(&self, group: &[QueuedPush], plan: &Plan) {
        let mut created = plan.created.clone();
        for push in group {
            let author = &push.writer.author;
            if let Some(documents) = created.remove(&push.writer.session) {
                let cost = Cost {
                    documents,
                    ..Cost::default()
                };
                self.accounts
                    .charge(&author.principal, cost, tokio::time::Instant::now());
            }
        }
    }

    fn answer(&self, group: &[QueuedPush], plan: &Plan, now: Timestamp) {
        for (push, refused) in group.iter().zip(&plan.refusals) {
            if !refused.is_empty() {
                let mut known = push.writer.refused.lock().unwrap_or_else(PoisonError::into_inner);
                if known.len() > 10_000 {
                    known.clear();
                }
                known.extend(refused.iter().filter_map(|refusal| hash(&refusal.change)));
                for refusal in refused {
                    tracing::info!(
                        clinic = %self.clinic, document = %refusal.document, code = ?refusal.code,
                        reason = refusal.reason, "refused"
                    );
                }
            }
            let accepted = Accepted {
                push: push.number,
                refused: refused.clone(),
                server_time: now,
            };
            reply(push, ForSession::Accepted(accepted));
        }
    }

    /// What was refused is in the trail too: one event per document of a push, which says how often and why. Beside the
    /// answer, because nobody waits for it.
    fn note_refusals(&self, group: &[QueuedPush], plan: &Plan, now: Timestamp) {
        let mut events = Vec::new();
        for (push, refused) in group.iter().zip(&plan.refusals) {
            let mut counted: BTreeMap<(DocumentId, String), u64> = BTreeMap::new();
            for refusal in refused {
                *counted
                    .entry((refusal.document, format!("{:?}", refusal.code)))
                    .or_default() += 1;
            }
            let author = &push.writer.author;
            events.extend(counted.into_iter().map(|((document, code), changes)| {
                let detail = Detail {
                    code: Some(code),
                    changes: Some(changes),
                    ..Detail::default()
                };
                Event {
                    account: Some(author.account),
                    device: Some(author.device),
                    document: Some(document),
                    ..Event::new(Happening::WorkRefused, now, &detail)
                }
            }));
        }
        if events.is_empty() {
            return;
        }
        let (clinic, storage) = (self.clinic, Arc::clone(&self.storage));
        self.tasks.spawn(async move {
            if let Err(error) = storage.note(clinic, events).await {
                tracing::error!(%clinic, %error, "the trail lacks refused work");
            }
        });
    }

    /// Changes that build on nothing here may build on the genesis of another clinic's document: say so.
    async fn name_other_clinics(&self, group: &[QueuedPush], plan: &mut Plan) -> Stored<()> {
        let orphans: BTreeSet<DocumentId> = plan
            .refusals
            .iter()
            .flatten()
            .filter(|refusal| refusal.code == RefusalCode::MissingDependencies)
            .map(|refusal| refusal.document)
            .collect();
        if orphans.is_empty() {
            return Ok(());
        }
        let elsewhere = self
            .storage
            .clinics_of(&orphans.into_iter().collect::<Vec<_>>())
            .await?;
        for (push, refusals) in group.iter().zip(&mut plan.refusals) {
            for refusal in refusals {
                let item = push.items.iter().find(|item| item.document == refusal.document);
                let Some(item) = item.filter(|_| refusal.code == RefusalCode::MissingDependencies) else {
                    continue;
                };
                let foreign = elsewhere
                    .iter()
                    .filter(|(document, clinic)| *document == item.document && *clinic != self.clinic)
                    .any(|(_, clinic)| builds_on_genesis(item, *clinic, refusal));
                if foreign {
                    refusal.code = RefusalCode::OtherClinic;
                    refusal.reason = "the document belongs to another clinic".to_owned();
                }
            }
        }
        Ok(())
    }
}

fn builds_on_genesis(item: &ReadItem, clinic: ClinicId, refusal: &Refusal) -> bool {
    let genesis = Document::genesis(item.kind, clinic, item.document).heads();
    item.changes
        .iter()
        .filter(|read| read.hash.0[..] == refusal.change[..])
        .filter_map(|read| read.change.as_ref().ok())
        .any(|change| change.deps().iter().any(|dep| genesis.contains(dep)))
}

fn hash(bytes: &[u8]) -> Option<ChangeHash> {
    bytes.try_into().ok().map(ChangeHash)
}

/// A session that has gone or whose queue is full does not wait for its answer any more: it asks again with the same
/// push when it comes back.
fn reply(push: &QueuedPush, answer: ForSession) {
    if let Some(session) = push.answer.upgrade() {
        let _ = session.try_send(answer);
    }
}

/// Loads what the group needs and the working set does not have.
async fn fill(working: &mut WorkingSet, tx: &mut dyn AcceptTransaction, group: &[QueuedPush]) -> Stored<()> {
    let (documents, actors) = working.missing(group.iter().flat_map(|push| &push.items));
    if !documents.is_empty() || !actors.is_empty() {
        let rows = tx.load(&documents, &actors).await?;
        working.fill(rows);
    }
    Ok(())
}
