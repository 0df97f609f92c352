//! The trail as it is stored: what was written (a part of accept's and compaction's transactions), and what else happened.
//!
//! Invariant: rows and events of a clinic are linked in the order of their numbers, and the link of the last one is kept
//! apart from them, so that an end that was cut off shows.

use super::{Signed, Stored};
use async_trait::async_trait;
use automerge::ChangeHash;
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::time::Timestamp;

/// SHA-256 over the link before it and the whole of a row.
pub type Link = [u8; 32];

/// A row of what was written: one verb of a push or, once compacted, a run of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub number: u64,
    pub position: u32,
    pub account: AccountId,
    pub device: DeviceId,
    pub document: DocumentId,
    pub verb: String,
    pub at: Timestamp,
    /// Of a run: until when, how many changes, and the hash of the last.
    pub last_at: Option<Timestamp>,
    pub changes: Option<u32>,
    pub hash: Option<[u8; 32]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedRun {
    pub run: Run,
    /// `None` for rows that are older than the chain.
    pub link: Option<Link>,
}

/// What can happen at a clinic beside writing, in the word that its events have.
pub mod happening {
    pub const SIGNED_IN: &str = "signed_in";
    pub const SIGN_IN_REFUSED: &str = "sign_in_refused";
    /// By two who hold tokens of one sign-in, or from another device: the sign-in has ended.
    pub const REFRESH_TOKEN_REUSED: &str = "refresh_token_reused";
    pub const SIGNED_OUT: &str = "signed_out";
    pub const PASSWORD_CHANGED: &str = "password_changed";
    /// A mail to it was answered; it is the account's from now on, if it was not before.
    pub const ADDRESS_CONFIRMED: &str = "address_confirmed";
    pub const ROLES_CHANGED: &str = "roles_changed";
    pub const DEVICE_SIGNED_OUT: &str = "device_signed_out";
    pub const DEVICE_FOUND: &str = "device_found";
    pub const DEVICE_LOST: &str = "device_lost";
    pub const SIGNING_KEY_REGISTERED: &str = "signing_key_registered";
    pub const WORK_REFUSED: &str = "work_refused";
    /// A provider's account is a way into this person's from now on, or no more.
    pub const PROVIDER_LINKED: &str = "provider_linked";
    pub const PROVIDER_UNLINKED: &str = "provider_unlinked";
    /// An authenticator app or a passkey is asked for from now on, or no more.
    pub const SECOND_FACTOR_ADDED: &str = "second_factor_added";
    pub const SECOND_FACTOR_REMOVED: &str = "second_factor_removed";
    pub const SECOND_FACTOR_REFUSED: &str = "second_factor_refused";
    pub const RECOVERY_CODE_USED: &str = "recovery_code_used";
    pub const RECOVERY_CODES_RENEWED: &str = "recovery_codes_renewed";
    /// What the clinic asks of its staff at sign-in.
    pub const SIGN_IN_RULES_CHANGED: &str = "sign_in_rules_changed";
    /// What was told of them, and the key that opens it, are gone.
    pub const PERSON_ERASED: &str = "person_erased";
    pub const RECORD_READ: &str = "record_read";
    pub const LATE_WORK_HANDED_IN: &str = "late_work_handed_in";
    pub const LATE_WORK_TAKEN: &str = "late_work_taken";
    pub const LATE_WORK_LET_GO: &str = "late_work_let_go";
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: Timestamp,
    pub account: Option<AccountId>,
    pub device: Option<DeviceId>,
    pub document: Option<DocumentId>,
    /// See [`happening`].
    pub what: String,
    /// A small JSON object, without personal data.
    pub detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedEvent {
    pub number: u64,
    pub event: Event,
    pub link: Link,
}

/// A change with its author's signature, as it was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedChange {
    pub number: u64,
    pub position: u32,
    pub document: DocumentId,
    pub hash: ChangeHash,
    pub account: AccountId,
    pub device: DeviceId,
    /// `None` if what lies there is no signature.
    pub signed: Option<Signed>,
}

/// Where a clinic's chains begin and end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors {
    /// The clinic's head, and the number up to which rows are older than the chain.
    pub head: u64,
    pub chained_after: u64,
    /// The last link of what was written.
    pub written: Option<Link>,
    /// Up to here rows are runs, with a chain of their own that ends so; single rows go on from the joint.
    pub horizon: u64,
    pub runs: Option<Link>,
    pub joint: Option<Link>,
    /// How many events there are, and the last link of them.
    pub events: u64,
    pub happened: Option<Link>,
}

/// What an administrator looks for. Everything that is `None` is any.
#[derive(Clone, Debug, Default)]
pub struct TrailQuery {
    pub account: Option<AccountId>,
    pub device: Option<DeviceId>,
    pub document: Option<DocumentId>,
    /// The word of a verb, or of what happened.
    pub verb: Option<String>,
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// The last one of the page before.
    pub below: Option<Place>,
}

/// Where something stands in the whole trail, the latest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub at: Timestamp,
    pub is_event: bool,
    pub number: u64,
    pub position: u32,
}

/// One line of the trail as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Written(Run),
    Happened(u64, Event),
}

impl Told {
    pub fn place(&self) -> Place {
        match self {
            Self::Written(run) => Place {
                at: run.at,
                is_event: false,
                number: run.number,
                position: run.position,
            },
            Self::Happened(number, event) => Place {
                at: event.at,
                is_event: true,
                number: *number,
                position: 0,
            },
        }
    }
}

#[async_trait]
pub trait TrailStorage: Send + Sync {
    /// Adds events behind the last ones of the clinic, linked by `link`, in one short transaction.
    async fn note(&self, clinic: ClinicId, events: Vec<Event>) -> Stored<()>;
    async fn trail_anchors(&self, clinic: ClinicId) -> Stored<Anchors>;
    /// In their order, from behind a number and position on.
    async fn trail_runs(
        &self,
        clinic: ClinicId,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Stored<Vec<LinkedRun>>;
    /// Signed changes that are kept as such, in their order, from behind a number and position on.
    async fn signed_changes(
        &self,
        clinic: ClinicId,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Stored<Vec<SignedChange>>;
    async fn trail_events(&self, clinic: ClinicId, after: u64, limit: usize) -> Stored<Vec<LinkedEvent>>;
    /// The latest first.
    async fn trail(&self, clinic: ClinicId, query: TrailQuery, limit: usize) -> Stored<Vec<Told>>;
}
