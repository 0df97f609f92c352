//! The server's storage under faults: the real SQLite behind it, calls that fail, and commits after which nobody is
//! there to hear of them.
//!
//! Invariant: what the ledger notes is committed, and everything that is committed is noted before anybody can be told.

use crate::ledger::Ledger;
use async_trait::async_trait;
use automerge::ChangeHash;
use shared_model::ids::{AccountId, ClinicId, DocumentId};
use shared_model::permissions::{Feed, Principal};
use shared_model::time::Timestamp;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use sync_server::identity::{RefreshVerdict, SignInLife, StoredRefreshToken};
use sync_server::storage::compaction::{Compactable, Compaction, CompactionStorage};
use sync_server::storage::late_work::{
    Decided, Giver, KeptLateWork, LateChange, LateDecision, LateWorkStorage, WaitingLateWork,
};
use sync_server::storage::people::PeopleStorage;
use sync_server::storage::trail::{
    Anchors, Event, KeptChange, LinkedEvent, LinkedRun, Mentions, Names, ToldPage, TrailQuery, TrailStorage,
    WrittenRow,
};
use sync_server::storage::{
    AcceptTransaction, AcceptWrites, ActorRow, DemonstrationAccount, IdentityStorage, KeyStorage, LoadedRows,
    NewClinic, News, OtherNodes, RefreshJudge, Storage, StorageError, Stored, StoredDocument, Stretch,
};
use tokio::sync::mpsc;

/// A moment in an accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Begin,
    Load,
    BeforeCommit,
    AfterCommit,
}

pub(crate) const MOMENTS: [Moment; 4] = [
    Moment::Begin,
    Moment::Load,
    Moment::BeforeCommit,
    Moment::AfterCommit,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The call never returns: whoever waits for it dies with the node.
    Hangs,
    /// The database is away, for all that the caller can tell.
    Away,
    /// The database could not do it.
    Fails,
}

/// What one node meets at its database.
#[derive(Default)]
pub(crate) struct Switch {
    away: AtomicBool,
    hung: AtomicBool,
    next: Mutex<Option<(Moment, Trouble)>>,
}

impl Switch {
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// The next accept meets this.
    pub(crate) fn arm(&self, trouble: Option<(Moment, Trouble)>) {
        *lock(&self.next) = trouble;
    }

    pub(crate) fn has_hung(&self) -> bool {
        self.hung.load(Ordering::Relaxed)
    }

    fn reachable(&self) -> Stored<()> {
        if self.is_away() {
            return Err(StorageError::Away("simulated".to_owned()));
        }
        Ok(())
    }

    async fn at(&self, moment: Moment) -> Stored<()> {
        self.reachable()?;
        let trouble = {
            let mut next = lock(&self.next);
            match *next {
                Some((at, trouble)) if at == moment => {
                    *next = None;
                    Some(trouble)
                }
                _ => None,
            }
        };
        match trouble {
            None => Ok(()),
            Some(Trouble::Away) => Err(StorageError::Away("simulated".to_owned())),
            Some(Trouble::Fails) => Err(StorageError::Failed("simulated".to_owned())),
            Some(Trouble::Hangs) => {
                self.hung.store(true, Ordering::Relaxed);
                std::future::pending().await
            }
        }
    }
}

/// Hears of a clinic's new head.
type Listener = mpsc::UnboundedSender<(ClinicId, u64)>;

/// What all nodes share.
pub(crate) struct Shared {
    pub(crate) database: Arc<dyn Storage>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    /// The nodes that want to hear of each other's commits, by their numbers.
    listeners: Mutex<Vec<(usize, Listener)>>,
}

impl Shared {
    pub(crate) fn new(database: Arc<dyn Storage>, ledger: Arc<Mutex<Ledger>>) -> Self {
        Self {
            database,
            ledger,
            listeners: Mutex::default(),
        }
    }

    fn tell(&self, by: usize, clinic: ClinicId, head: u64) {
        lock(&self.listeners).retain(|(node, listener)| *node == by || listener.send((clinic, head)).is_ok());
    }

    /// Every listener's connection breaks.
    pub(crate) fn deafen(&self) {
        lock(&self.listeners).clear();
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One node's way to the database.
#[derive(Clone)]
pub(crate) struct Disturbed {
    pub(crate) shared: Arc<Shared>,
    pub(crate) switch: Arc<Switch>,
    pub(crate) node: usize,
    /// Whether there are other nodes to listen to.
    pub(crate) listens: bool,
}

impl Disturbed {
    fn inner(&self) -> Stored<&dyn Storage> {
        self.switch.reachable()?;
        Ok(&*self.shared.database)
    }
}

struct DisturbedAccept {
    inner: Box<dyn AcceptTransaction>,
    way: Disturbed,
    clinic: ClinicId,
}

#[async_trait]
impl AcceptTransaction for DisturbedAccept {
    fn head(&self) -> u64 {
        self.inner.head()
    }

    async fn load(&mut self, documents: &[DocumentId], actors: &[Vec<u8>]) -> Stored<LoadedRows> {
        self.way.switch.at(Moment::Load).await?;
        self.inner.load(documents, actors).await
    }

    async fn commit(self: Box<Self>, writes: Arc<AcceptWrites>) -> Stored<()> {
        let Self { inner, way, clinic } = *self;
        way.switch.at(Moment::BeforeCommit).await?;
        inner.commit(Arc::clone(&writes)).await?;
        lock(&way.shared.ledger).committed(&writes);
        way.shared.tell(way.node, clinic, writes.head);
        way.switch.at(Moment::AfterCommit).await
    }
}

struct Heard(mpsc::UnboundedReceiver<(ClinicId, u64)>);

#[async_trait]
impl OtherNodes for Heard {
    async fn next(&mut self) -> Stored<News> {
        self.0
            .recv()
            .await
            .map(|(clinic, head)| News::Committed { clinic, head })
            .ok_or_else(|| StorageError::Away("the listening connection broke".to_owned()))
    }
}

#[async_trait]
impl KeyStorage for Disturbed {
    async fn wrap_keys_anew(&self) -> Stored<u64> {
        self.inner()?.wrap_keys_anew().await
    }
}

#[async_trait]
impl Storage for Disturbed {
    /// Undisturbed: what happens here to people happens behind the nodes' backs.
    fn people(&self) -> &dyn PeopleStorage {
        self.shared.database.people()
    }

    async fn health(&self) -> Stored<()> {
        self.inner()?.health().await
    }

    async fn begin_accept(&self, clinic: ClinicId) -> Stored<Box<dyn AcceptTransaction>> {
        self.switch.at(Moment::Begin).await?;
        Ok(Box::new(DisturbedAccept {
            inner: self.inner()?.begin_accept(clinic).await?,
            way: self.clone(),
            clinic,
        }))
    }

    async fn head(&self, clinic: ClinicId) -> Stored<u64> {
        self.inner()?.head(clinic).await
    }

    async fn heads(&self, clinics: &[ClinicId]) -> Stored<Vec<(ClinicId, u64)>> {
        self.inner()?.heads(clinics).await
    }

    async fn listen(&self) -> Stored<Option<Box<dyn OtherNodes>>> {
        self.switch.reachable()?;
        if !self.listens {
            return Ok(None);
        }
        let (commits, heard) = mpsc::unbounded_channel();
        lock(&self.shared.listeners).push((self.node, commits));
        Ok(Some(Box::new(Heard(heard))))
    }

    async fn feed_size(&self, clinic: ClinicId, feed: Feed) -> Stored<u64> {
        self.inner()?.feed_size(clinic, feed).await
    }

    async fn documents_below(
        &self,
        clinic: ClinicId,
        feed: Feed,
        below: Option<DocumentId>,
        budget: usize,
    ) -> Stored<Vec<StoredDocument>> {
        self.inner()?.documents_below(clinic, feed, below, budget).await
    }

    async fn documents_needed(
        &self,
        clinic: ClinicId,
        feed: Feed,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Stored<Vec<StoredDocument>> {
        self.inner()?
            .documents_needed(clinic, feed, from, to, limit)
            .await
    }

    async fn documents_named(
        &self,
        clinic: ClinicId,
        feed: Feed,
        documents: &[DocumentId],
    ) -> Stored<Vec<StoredDocument>> {
        self.inner()?.documents_named(clinic, feed, documents).await
    }

    async fn feed_after(
        &self,
        clinic: ClinicId,
        feed: Feed,
        after: u64,
        head: u64,
        budget: usize,
    ) -> Stored<Stretch> {
        self.inner()?.feed_after(clinic, feed, after, head, budget).await
    }

    async fn touched_feeds(
        &self,
        clinic: ClinicId,
        feeds: &[Feed],
        after: u64,
        head: u64,
    ) -> Stored<Vec<Feed>> {
        self.inner()?.touched_feeds(clinic, feeds, after, head).await
    }

    async fn clinics_of(&self, documents: &[DocumentId]) -> Stored<Vec<(DocumentId, ClinicId)>> {
        self.inner()?.clinics_of(documents).await
    }
}

#[async_trait]
impl CompactionStorage for Disturbed {
    async fn clinics(&self) -> Stored<Vec<ClinicId>> {
        self.inner()?.clinics().await
    }

    async fn compactable(&self, clinic: ClinicId, until: Timestamp) -> Stored<Option<Compactable>> {
        self.inner()?.compactable(clinic, until).await
    }

    async fn compact(&self, clinic: ClinicId, step: Compaction) -> Stored<bool> {
        self.inner()?.compact(clinic, step).await
    }
}

#[async_trait]
impl LateWorkStorage for Disturbed {
    async fn keep_late_work(
        &self,
        giver: Giver,
        changes: Vec<LateChange>,
        now: Timestamp,
    ) -> Stored<KeptLateWork> {
        self.inner()?.keep_late_work(giver, changes, now).await
    }

    async fn late_work(&self, clinic: ClinicId, after: i64, budget: u64) -> Stored<WaitingLateWork> {
        self.inner()?.late_work(clinic, after, budget).await
    }

    async fn late_work_waiting(&self, clinic: ClinicId) -> Stored<u64> {
        self.inner()?.late_work_waiting(clinic).await
    }

    async fn decide_late_work(
        &self,
        clinic: ClinicId,
        hashes: Vec<ChangeHash>,
        decision: LateDecision,
    ) -> Stored<Option<Vec<Decided>>> {
        self.inner()?.decide_late_work(clinic, hashes, decision).await
    }
}

#[async_trait]
impl TrailStorage for Disturbed {
    async fn note(&self, clinic: ClinicId, events: Vec<Event>) -> Stored<()> {
        self.inner()?.note(clinic, events).await
    }

    async fn trail_anchors(&self, clinic: ClinicId) -> Stored<Anchors> {
        self.inner()?.trail_anchors(clinic).await
    }

    async fn trail_runs(
        &self,
        clinic: ClinicId,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Stored<Vec<LinkedRun>> {
        self.inner()?.trail_runs(clinic, after, limit).await
    }

    async fn kept_changes(
        &self,
        clinic: ClinicId,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Stored<Vec<(KeptChange, Option<Vec<u8>>)>> {
        self.inner()?.kept_changes(clinic, after, limit).await
    }

    async fn all_documents(
        &self,
        clinic: ClinicId,
        after: Option<DocumentId>,
        limit: usize,
    ) -> Stored<Vec<StoredDocument>> {
        self.inner()?.all_documents(clinic, after, limit).await
    }

    async fn clinic_roll(&self) -> Stored<Option<Vec<ClinicId>>> {
        self.inner()?.clinic_roll().await
    }

    async fn trail_events(&self, clinic: ClinicId, after: u64, limit: usize) -> Stored<Vec<LinkedEvent>> {
        self.inner()?.trail_events(clinic, after, limit).await
    }

    async fn trail(&self, clinic: ClinicId, query: TrailQuery, limit: usize) -> Stored<ToldPage> {
        self.inner()?.trail(clinic, query, limit).await
    }

    async fn trail_rows(&self, clinic: ClinicId, rows: Vec<(u64, u32)>) -> Stored<Vec<WrittenRow>> {
        self.inner()?.trail_rows(clinic, rows).await
    }

    async fn trail_names(&self, clinic: ClinicId, lines: Vec<Mentions>) -> Stored<Vec<Names>> {
        self.inner()?.trail_names(clinic, lines).await
    }
}

#[async_trait]
impl IdentityStorage for Disturbed {
    async fn create_clinic(&self, clinic: NewClinic) -> Stored<()> {
        self.inner()?.create_clinic(clinic).await
    }

    async fn principals(&self, account: AccountId) -> Stored<Vec<Principal>> {
        self.inner()?.principals(account).await
    }

    async fn rotate_refresh_token(
        &self,
        hash: [u8; 32],
        fresh: [u8; 32],
        life: SignInLife,
        now: Timestamp,
        judge: RefreshJudge,
    ) -> Stored<(RefreshVerdict, Option<StoredRefreshToken>)> {
        self.inner()?
            .rotate_refresh_token(hash, fresh, life, now, judge)
            .await
    }

    async fn forget_stale_tokens(&self, now: Timestamp) -> Stored<u64> {
        self.inner()?.forget_stale_tokens(now).await
    }

    async fn end_family(&self, family: [u8; 16]) -> Stored<()> {
        self.inner()?.end_family(family).await
    }

    async fn family_ends(&self, family: [u8; 16], now: Timestamp) -> Stored<Option<Timestamp>> {
        self.inner()?.family_ends(family, now).await
    }

    async fn bind_actor(&self, clinic: ClinicId, row: ActorRow) -> Stored<bool> {
        self.inner()?.bind_actor(clinic, row).await
    }

    async fn secret(&self, name: &str, fresh: [u8; 32]) -> Stored<Vec<u8>> {
        self.inner()?.secret(name, fresh).await
    }

    async fn demonstration_accounts(&self) -> Stored<Vec<DemonstrationAccount>> {
        self.inner()?.demonstration_accounts().await
    }
}
