//! The outbox of mails. One is written with what it tells of, sent by whichever node leases it first, and without its
//! words once it is settled.

use crate::storage::Stored;
use async_trait::async_trait;
use shared_model::time::Timestamp;
use uuid::Uuid;

/// What became of a mail is known for so long.
pub const SETTLED_KEPT_MS: i64 = 30 * 24 * 3_600_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMail {
    pub mail: Uuid,
    pub recipient: String,
    pub recipient_name: String,
    pub subject: String,
    pub plain: String,
    pub html: String,
    /// Not before then.
    pub due_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeasedMail {
    pub mail: NewMail,
    /// This one included.
    pub attempts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailOutcome {
    Sent { at: Timestamp },
    Refused { at: Timestamp },
    Again { due_at: Timestamp },
}

#[async_trait]
pub trait MailStorage: Send + Sync {
    /// Mails that are due, for this caller alone until `until`. Who dies over one leaves it to be leased again.
    async fn lease_mails(&self, now: Timestamp, until: Timestamp, at_most: usize) -> Stored<Vec<LeasedMail>>;
    async fn settle_mail(&self, mail: Uuid, outcome: MailOutcome) -> Stored<()>;
    /// Forgets mails that were settled long ago, links and steps that have expired, invitations that were closed long ago,
    /// and messages of providers that no longer come a second time.
    async fn forget_settled(&self, now: Timestamp) -> Stored<u64>;
}
