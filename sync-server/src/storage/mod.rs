//! The storage boundary: two implementations, one set of promises, one conformance suite that holds both to them.
//!
//! Invariants: numbers of a clinic become visible in their order, and nothing is visible before the transaction that
//! wrote it has committed.

pub mod compaction;
pub mod late_work;
pub mod people;
pub mod postgres;
pub mod sqlite;
pub mod trail;

use self::compaction::CompactionStorage;
use self::late_work::LateWorkStorage;
use self::people::PeopleStorage;
use self::trail::TrailStorage;
use crate::identity::{RefreshVerdict, SignInLife, StoredRefreshToken};
use async_trait::async_trait;
use automerge::ChangeHash;
use shared_model::authorship::{KeyId, SIGNATURE};
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, ClientId, ClinicId, DeviceId, DocumentId};
use shared_model::permissions::{Feed, Principal, Role};
use shared_model::time::Timestamp;
use std::sync::Arc;

#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// Comes back by itself: the same request may succeed later.
    #[error("the database cannot be reached: {0}")]
    Away(String),
    #[error("there is no such clinic")]
    NoSuchClinic,
    #[error("there is no such person any more")]
    NoSuchPerson,
    #[error("the database could not do it: {0}")]
    Failed(String),
}

pub type Stored<T> = Result<T, StorageError>;

/// A document as it lies in the database; `bytes` is a saved document of `base` bytes, then change chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    pub id: DocumentId,
    pub kind: Kind,
    pub schema_version: u16,
    pub bytes: Vec<u8>,
    pub base: usize,
    pub max_op: u64,
    pub projection_version: u16,
    /// CBOR, as pages carry it.
    pub projection: Vec<u8>,
}

impl StoredDocument {
    /// About what the document takes in a page.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.projection.len() + 40
    }

    /// The document, unless what lay in the database did not open: then there is nothing to show.
    pub(crate) fn readable(self) -> Option<Self> {
        (!self.bytes.is_empty()).then_some(self)
    }
}

/// What planning needs to know beside the pushes.
#[derive(Debug, Default)]
pub struct LoadedRows {
    pub documents: Vec<StoredDocument>,
    pub actors: Vec<ActorRow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorRow {
    pub actor: Vec<u8>,
    pub account: AccountId,
    pub device: DeviceId,
}

#[derive(Clone, Debug)]
pub struct ChangeRow {
    pub number: u64,
    pub position: u32,
    pub document: DocumentId,
    pub hash: ChangeHash,
    pub actor: Vec<u8>,
    pub seq: u64,
    pub account: AccountId,
    pub device: DeviceId,
    /// Its author's, if it was signed itself and not one above it.
    pub signed: Option<Signed>,
    pub bytes: Vec<u8>,
}

/// A change's signature, and the key that it was found to be by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    pub key: KeyId,
    pub signature: [u8; SIGNATURE],
}

impl Signed {
    /// As it lies in a column.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [&self.key[..], &self.signature[..]].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (key, signature) = bytes.split_first_chunk()?;
        Some(Self {
            key: *key,
            signature: signature.try_into().ok()?,
        })
    }
}

#[derive(Clone, Debug)]
pub struct DocumentRow {
    pub stored: StoredDocument,
    pub heads: Vec<ChangeHash>,
    pub needed_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedChange {
    Changes,
    Snapshot,
    Revoked,
}

impl FeedChange {
    pub(crate) fn number(self) -> i16 {
        match self {
            Self::Changes => 0,
            Self::Snapshot => 1,
            Self::Revoked => 2,
        }
    }

    pub(crate) fn from_number(number: i64) -> Stored<Self> {
        match number {
            0 => Ok(Self::Changes),
            1 => Ok(Self::Snapshot),
            2 => Ok(Self::Revoked),
            other => Err(StorageError::Failed(format!("a feed entry of form {other}"))),
        }
    }
}

#[derive(Clone, Debug)]
pub struct FeedRow {
    pub feed: Feed,
    pub number: u64,
    pub document: DocumentId,
    pub what: FeedChange,
    pub size: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    pub number: u64,
    pub position: u32,
    pub account: AccountId,
    pub device: DeviceId,
    pub document: DocumentId,
    pub verb: String,
}

/// Everything that one accept transaction writes.
#[derive(Clone, Debug)]
pub struct AcceptWrites {
    /// The clinic's head after it.
    pub head: u64,
    pub at: Timestamp,
    pub actors: Vec<ActorRow>,
    pub changes: Vec<ChangeRow>,
    pub documents: Vec<DocumentRow>,
    pub granted: Vec<(Feed, DocumentId)>,
    pub lost: Vec<(Feed, DocumentId)>,
    pub feed: Vec<FeedRow>,
    pub audit: Vec<AuditRow>,
}

impl AcceptWrites {
    /// Nothing yet, at a clinic that stands at `head`.
    pub fn new(head: u64, at: Timestamp) -> Self {
        Self {
            head,
            at,
            actors: Vec::new(),
            changes: Vec::new(),
            documents: Vec::new(),
            granted: Vec::new(),
            lost: Vec::new(),
            feed: Vec::new(),
            audit: Vec::new(),
        }
    }
}

/// One step of a feed as a device gets it.
#[derive(Clone, Debug)]
pub struct FeedStep {
    pub number: u64,
    pub document: DocumentId,
    pub kind: Kind,
    pub schema_version: u16,
    pub content: StepContent,
}

#[derive(Clone, Debug)]
pub enum StepContent {
    Changes(Vec<Vec<u8>>),
    Snapshot(StoredDocument),
    Revoked,
}

/// A stretch of a feed, beginning after the number that was asked for.
#[derive(Debug)]
pub struct Stretch {
    pub steps: Vec<FeedStep>,
    /// Everything up to here is in `steps` or before them.
    pub reached: u64,
}

/// A clinic with its people, as an administrator creates it.
#[derive(Clone, Debug)]
pub struct NewClinic {
    pub clinic: ClinicId,
    pub name: String,
    pub created_at: Timestamp,
    pub accounts: Vec<NewAccount>,
    pub demonstration: Vec<DemonstrationAccount>,
}

#[derive(Clone, Debug)]
pub struct NewAccount {
    pub account: AccountId,
    pub email: String,
    pub full_name: String,
    pub password_hash: String,
    pub roles: Vec<Role>,
    pub client: Option<ClientId>,
}

/// A sign-in of a demonstration clinic; its password is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemonstrationAccount {
    pub email: String,
    pub full_name: String,
    pub roles: Vec<Role>,
    pub password: String,
}

/// The exclusive turn of one writer at a clinic. Dropped without `commit`, it leaves no trace.
#[async_trait]
pub trait AcceptTransaction: Send {
    /// The clinic's head; nobody else moves it while this transaction lives.
    fn head(&self) -> u64;
    async fn load(&mut self, documents: &[DocumentId], actors: &[Vec<u8>]) -> Stored<LoadedRows>;
    async fn commit(self: Box<Self>, writes: Arc<AcceptWrites>) -> Stored<()>;
}

/// What other processes do on the same database, as it happens.
#[async_trait]
pub trait OtherNodes: Send {
    /// The next news. After an error some may have been missed: listen anew, compare heads, look everybody up again.
    async fn next(&mut self) -> Stored<News>;
}

/// What one process tells the others: ids and numbers, and nothing that may not be read by all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A clinic's head after a commit.
    Committed { clinic: ClinicId, head: u64 },
    /// Somebody's rights are others now.
    Concerns(Whom),
}

/// Whose sessions have to be looked up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    Account(AccountId),
    Device(DeviceId),
}

/// The keys of what lies sealed.
#[async_trait]
pub trait KeyStorage: Send + Sync {
    /// Has every key that a former master key wraps wrapped by the one in force. Gives how many there were.
    async fn wrap_keys_anew(&self) -> Stored<u64>;
}

/// Documents and feeds.
#[async_trait]
pub trait Storage: IdentityStorage + CompactionStorage + TrailStorage + LateWorkStorage + KeyStorage {
    /// Accounts, invitations, devices and mail.
    fn people(&self) -> &dyn PeopleStorage;
    async fn health(&self) -> Stored<()>;
    /// Waits for the clinic's turn.
    async fn begin_accept(&self, clinic: ClinicId) -> Stored<Box<dyn AcceptTransaction>>;
    async fn head(&self, clinic: ClinicId) -> Stored<u64>;
    /// The heads of those of these clinics that exist.
    async fn heads(&self, clinics: &[ClinicId]) -> Stored<Vec<(ClinicId, u64)>>;
    /// `None` where this process is the only one.
    async fn listen(&self) -> Stored<Option<Box<dyn OtherNodes>>>;
    /// The documents that a feed's readers may read, counted.
    async fn feed_size(&self, clinic: ClinicId, feed: Feed) -> Stored<u64>;
    /// In descending order of id, at most `budget` bytes of them but one if there is one.
    async fn documents_below(
        &self,
        clinic: ClinicId,
        feed: Feed,
        below: Option<DocumentId>,
        budget: usize,
    ) -> Stored<Vec<StoredDocument>>;
    /// Those that somebody will want between two moments, the earliest first, at most `limit`.
    async fn documents_needed(
        &self,
        clinic: ClinicId,
        feed: Feed,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Stored<Vec<StoredDocument>>;
    /// Those of the named documents that a feed's readers may read, in the order asked for.
    async fn documents_named(
        &self,
        clinic: ClinicId,
        feed: Feed,
        documents: &[DocumentId],
    ) -> Stored<Vec<StoredDocument>>;
    /// A feed's steps after `after` up to `head`, about `budget` bytes of them; the whole document in place of changes
    /// that are not kept any more. Contents of documents that the feed's
    /// readers may not read any more are left out; that they lost them is a later step.
    async fn feed_after(
        &self,
        clinic: ClinicId,
        feed: Feed,
        after: u64,
        head: u64,
        budget: usize,
    ) -> Stored<Stretch>;
    /// Those of these feeds that have steps after `after` up to `head`.
    async fn touched_feeds(
        &self,
        clinic: ClinicId,
        feeds: &[Feed],
        after: u64,
        head: u64,
    ) -> Stored<Vec<Feed>>;
    /// Where else documents with these ids exist.
    async fn clinics_of(&self, documents: &[DocumentId]) -> Stored<Vec<(DocumentId, ClinicId)>>;
}

/// Decides about a presented refresh token, seeing the stored one.
pub type RefreshJudge = Box<dyn FnOnce(Option<&StoredRefreshToken>) -> RefreshVerdict + Send>;

/// What every session and every request rests on: who belongs where, sign-ins, writers, secrets.
#[async_trait]
pub trait IdentityStorage: Send + Sync {
    async fn create_clinic(&self, clinic: NewClinic) -> Stored<()>;
    /// The clinics where the account is a member, with what it is there.
    async fn principals(&self, account: AccountId) -> Stored<Vec<Principal>>;
    /// Exchanges a refresh token as `judge` decides, which sees the stored one (if there is one) under lock. A token that
    /// is exchanged once more gets `fresh` in place of its former successor, which counts as used from then on. An
    /// exchange is when its device was seen last. `fresh` is good for as long as `life` says of the sign-in.
    async fn rotate_refresh_token(
        &self,
        hash: [u8; 32],
        fresh: [u8; 32],
        life: SignInLife,
        now: Timestamp,
        judge: RefreshJudge,
    ) -> Stored<(RefreshVerdict, Option<StoredRefreshToken>)>;
    /// Forgets tokens that would be refused as unknown or as expired; gives how many. A lost device's are kept: with
    /// them it proves that it is the one.
    async fn forget_stale_tokens(&self, now: Timestamp) -> Stored<u64>;
    async fn end_family(&self, family: [u8; 16]) -> Stored<()>;
    /// When a sign-in ends unless it is renewed before; `None` if it has ended by now or is on a lost device.
    async fn family_ends(&self, family: [u8; 16], now: Timestamp) -> Stored<Option<Timestamp>>;
    /// Whether the sign-in has neither ended by now nor is on a lost device.
    async fn family_lives(&self, family: [u8; 16], now: Timestamp) -> Stored<bool> {
        Ok(self.family_ends(family, now).await?.is_some())
    }
    /// Binds an actor at first sight; whether it is (now) this account's on this device.
    async fn bind_actor(&self, clinic: ClinicId, row: ActorRow) -> Stored<bool>;
    /// A secret of the server: `fresh` becomes it if there was none.
    async fn secret(&self, name: &str, fresh: [u8; 32]) -> Stored<Vec<u8>>;
    async fn demonstration_accounts(&self) -> Stored<Vec<DemonstrationAccount>>;
}

/// A feed's key in the database.
pub(crate) fn feed_key(feed: Feed) -> Vec<u8> {
    match feed {
        Feed::Staff => vec![0],
        Feed::Everyone => vec![1],
        Feed::Client(client) => [&[2], client.bytes().as_slice()].concat(),
    }
}

pub(crate) fn heads_bytes(heads: &[ChangeHash]) -> Vec<u8> {
    heads.iter().flat_map(|head| head.0).collect()
}

pub(crate) fn kind(number: i64) -> Stored<Kind> {
    u8::try_from(number)
        .ok()
        .and_then(Kind::from_number)
        .ok_or_else(|| StorageError::Failed(format!("a document of kind {number}")))
}

pub(crate) fn roles_words(roles: &[Role]) -> String {
    roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(" ")
}

/// Roles that this build does not know give nobody anything.
pub(crate) fn roles(words: &str) -> Vec<Role> {
    words.split(' ').filter_map(Role::from_word).collect()
}

/// Databases count with a sign. Numbers, sequences and sizes stay far below its reach.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// How many of the steps with these sizes go into one stretch: up to the budget, and at least one.
pub(crate) fn within_budget(sizes: impl Iterator<Item = usize>, budget: usize) -> usize {
    let mut total = 0;
    let mut count = 0;
    for size in sizes {
        total += size;
        if count > 0 && total > budget {
            break;
        }
        count += 1;
    }
    count
}

/// Steps that one stretch looks at.
pub(crate) const STRETCH_STEPS: usize = 2_000;
