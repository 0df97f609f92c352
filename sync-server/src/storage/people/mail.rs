//! The outbox of mails. One is written with what it tells of, sent by whichever node leases it first, and without its
//! words, and to whom, once it is settled. Until then they lie sealed.

use crate::storage::Stored;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use shared_model::time::Timestamp;
use std::borrow::Cow;
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

/// What of a mail lies sealed.
#[derive(Serialize, Deserialize)]
struct Letter<'a> {
    recipient: Cow<'a, str>,
    recipient_name: Cow<'a, str>,
    subject: Cow<'a, str>,
    plain: Cow<'a, str>,
    html: Cow<'a, str>,
}

impl NewMail {
    pub(crate) fn letter(&self) -> Vec<u8> {
        let letter = Letter {
            recipient: (&self.recipient).into(),
            recipient_name: (&self.recipient_name).into(),
            subject: (&self.subject).into(),
            plain: (&self.plain).into(),
            html: (&self.html).into(),
        };
        serde_json::to_vec(&letter).expect("texts are always JSON")
    }

    pub(crate) fn read(mail: Uuid, letter: &[u8], due_at: Timestamp) -> Option<Self> {
        let letter: Letter<'_> = serde_json::from_slice(letter).ok()?;
        Some(Self {
            mail,
            recipient: letter.recipient.into_owned(),
            recipient_name: letter.recipient_name.into_owned(),
            subject: letter.subject.into_owned(),
            plain: letter.plain.into_owned(),
            html: letter.html.into_owned(),
            due_at,
        })
    }
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
    /// One that tells of nothing that is in the database.
    async fn write_mail(&self, mail: NewMail) -> Stored<()>;
    /// Mails that are due, for this caller alone until `until`. Who dies over one leaves it to be leased again. One that does
    /// not open counts as refused.
    async fn lease_mails(&self, now: Timestamp, until: Timestamp, at_most: usize) -> Stored<Vec<LeasedMail>>;
    async fn settle_mail(&self, mail: Uuid, outcome: MailOutcome) -> Stored<()>;
    /// Forgets mails that were settled long ago, links and steps that have expired, invitations that were closed long ago,
    /// and messages of providers that no longer come a second time.
    async fn forget_settled(&self, now: Timestamp) -> Stored<u64>;
}
