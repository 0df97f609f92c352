//! The outbox: what the server has not acknowledged.

use super::{Store, StoreError};
use automerge::ChangeHash;
use serde::{Deserialize, Serialize};
use shared_model::authorship::{KeyId, SIGNATURE};
use shared_model::commands::Command;
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, DocumentId};
use shared_model::protocol::RefusalCode;
use shared_model::time::Timestamp;
use std::collections::BTreeSet;

/// Nobody but its author can send it: their signature, or that the server knows their key, is missing.
const UNVOUCHED: &str = "(signed_by IS NULL OR signed_by NOT IN (SELECT id FROM known_key))";

#[derive(Clone, Debug)]
pub struct OutboxEntry {
    pub seq: i64,
    pub account: AccountId,
    pub kind: Kind,
    pub document: DocumentId,
    pub hash: Vec<u8>,
    pub change: Vec<u8>,
    pub command: Option<Command>,
    pub made_at: Timestamp,
    /// The server's code and reason if it refused this change.
    pub refused: Option<(RefusalCode, String)>,
    /// Its author's; nothing if their key was not here when it was done again.
    pub signed: Option<Signed>,
    /// Refused work that somebody has let go.
    pub discarded: Option<Discarded>,
    /// Work that goes to the clinic's administrators.
    pub handed: Option<Handed>,
}

/// Since when work is to be handed in, and since when it is safe at the clinic, if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    pub offered_at: Timestamp,
    pub arrived_at: Option<Timestamp>,
}

/// A change's signature by its author, see [`shared_model::authorship`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    pub key: KeyId,
    pub signature: [u8; SIGNATURE],
}

/// Who let refused work go, when, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discarded {
    pub at: Timestamp,
    pub by: AccountId,
    pub reason: String,
}

/// One person's work that is on this device alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    pub waiting: u64,
    /// When the oldest change that waits was made.
    pub since: Option<Timestamp>,
    /// Refused, and nobody has decided yet.
    pub refused: u64,
    /// On their way to the clinic's administrators.
    pub offered: u64,
}

impl OutboxCounts {
    pub fn all(&self) -> u64 {
        self.waiting + self.refused + self.offered
    }
}

impl Store {
    #[allow(
        clippy::too_many_arguments,
        reason = "one column each; a struct would only name them twice"
    )]
    pub fn add_to_outbox(
        &self,
        account: AccountId,
        kind: Kind,
        document: DocumentId,
        hash: &[u8],
        change: &[u8],
        command: &[u8],
        made_at: Timestamp,
        signed: Option<&Signed>,
    ) -> Result<(), StoreError> {
        self.sql
            .prepare_cached(
                "INSERT INTO outbox (account, kind, document, hash, change, command, made_at, signed_by, signature) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute((
                &account.bytes()[..],
                kind.number(),
                &document.bytes()[..],
                hash,
                change,
                command,
                made_at.0,
                signed.map(|signed| signed.key),
                signed.map(|signed| signed.signature),
            ))?;
        Ok(())
    }

    /// From where on a document waits for others: the first row in it that only they can send. `?2` is who is signed in.
    fn first_held() -> String {
        format!(
            "SELECT document, min(seq) AS first FROM outbox \
             WHERE refused IS NULL AND account <> ?2 AND {UNVOUCHED} GROUP BY document"
        )
    }

    /// What can be sent after `seq` in one person's session, whoever wrote it, oldest first.
    pub fn sendable(
        &self,
        account: AccountId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows(
            &format!(
                "LEFT JOIN ({}) AS held USING (document) \
                 WHERE refused IS NULL AND seq > ?1 AND (first IS NULL OR seq < first) ORDER BY seq LIMIT ?3",
                Self::first_held()
            ),
            (
                after,
                &account.bytes()[..],
                i64::try_from(limit).unwrap_or(i64::MAX),
            ),
        )
    }

    /// What waits of one person's work, oldest first.
    pub fn waiting(&self, account: AccountId, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows(
            "WHERE refused IS NULL AND account = ?1 ORDER BY seq LIMIT ?2",
            (&account.bytes()[..], i64::try_from(limit).unwrap_or(i64::MAX)),
        )
    }

    /// How much of one person's work waits behind what only somebody else's session can send.
    pub fn held(&self, account: AccountId) -> Result<u64, StoreError> {
        Ok(self
            .sql
            .prepare_cached(&format!(
                "SELECT count(*) FROM outbox JOIN ({}) AS held USING (document) \
                 WHERE refused IS NULL AND account = ?2 AND seq > first",
                Self::first_held()
            ))?
            .query_row((0, &account.bytes()[..]), |row| row.get(0))?)
    }

    /// What one person wrote and nobody can send in their name: it has no signature, or one of a key that is gone and that
    /// the server has never heard of. `key` is the one that they have now.
    pub fn unvouched(&self, account: AccountId, key: &KeyId) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows(
            "WHERE account = ?1 AND (signed_by IS NULL \
             OR (signed_by <> ?2 AND signed_by NOT IN (SELECT id FROM known_key))) ORDER BY seq",
            (&account.bytes()[..], key),
        )
    }

    pub fn set_signature(&self, seq: i64, signed: &Signed) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("UPDATE outbox SET signed_by = ?2, signature = ?3 WHERE seq = ?1")?
            .execute((seq, signed.key, signed.signature))?;
        Ok(())
    }

    /// The server knows this key now.
    pub fn key_is_known(&self, key: &KeyId) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("INSERT INTO known_key (id) VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([key])?;
        Ok(())
    }

    /// The entries of these numbers that are still there, oldest first.
    pub fn outbox_entries(&self, seqs: &[i64]) -> Result<Vec<OutboxEntry>, StoreError> {
        let mut seqs = seqs.to_vec();
        seqs.sort_unstable();
        seqs.dedup();
        let mut entries = Vec::with_capacity(seqs.len());
        for seq in seqs {
            entries.extend(self.outbox_rows("WHERE seq = ?1", [seq])?);
        }
        Ok(entries)
    }

    /// What the server has not acknowledged of one document, refused or not, oldest first.
    pub fn outbox_of(&self, document: DocumentId) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows("WHERE document = ?1 ORDER BY seq", [&document.bytes()[..]])
    }

    /// Whether anything of a document is in the outbox.
    pub fn waits_of(&self, document: DocumentId) -> Result<bool, StoreError> {
        Ok(self
            .sql
            .prepare_cached("SELECT 1 FROM outbox WHERE document = ?1 AND refused IS NULL")?
            .exists([&document.bytes()[..]])?)
    }

    /// What the server refused and nobody has let go, newest first.
    pub fn refused(&self) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows(
            "WHERE refused IS NOT NULL AND discarded_at IS NULL AND offered_at IS NULL ORDER BY seq DESC",
            [],
        )
    }

    /// What goes to the clinic's administrators or is there, the latest first.
    pub fn offered(&self) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows(
            "WHERE offered_at IS NOT NULL ORDER BY offered_at DESC, seq DESC",
            [],
        )
    }

    /// One person's work that is to be handed in and is not, oldest first, each with its command's bytes: what they chose,
    /// or all that nobody has let go.
    pub(crate) fn not_handed_in(
        &self,
        account: AccountId,
        all: bool,
    ) -> Result<Vec<(OutboxEntry, Vec<u8>)>, StoreError> {
        let entries = self.outbox_rows(
            "WHERE account = ?1 AND discarded_at IS NULL AND handed_in_at IS NULL AND (?2 OR offered_at IS NOT NULL) \
             ORDER BY seq",
            (&account.bytes()[..], all),
        )?;
        self.with_commands(entries)
    }

    /// Signed work of others than `account` that the server has refused for what its author may do, oldest first, each with
    /// its command's bytes.
    pub(crate) fn refused_of_others(
        &self,
        account: AccountId,
    ) -> Result<Vec<(OutboxEntry, Vec<u8>)>, StoreError> {
        let entries = self.outbox_rows(
            "WHERE account <> ?1 AND refused IN (?2, ?3) AND signed_by IS NOT NULL AND discarded_at IS NULL \
             AND handed_in_at IS NULL ORDER BY seq",
            (
                &account.bytes()[..],
                refusal_number(RefusalCode::NotPermitted),
                refusal_number(RefusalCode::BuildsOnRefused),
            ),
        )?;
        self.with_commands(entries)
    }

    /// Others than `account` of whom something waits that only they can send, or is with the clinic's administrators.
    pub(crate) fn others_with_held_work(&self, account: AccountId) -> Result<Vec<AccountId>, StoreError> {
        let mut statement = self.sql.prepare_cached(&format!(
            "SELECT DISTINCT account FROM outbox WHERE account <> ?1 \
             AND (handed_in_at IS NOT NULL OR refused IS NULL AND {UNVOUCHED})"
        ))?;
        let mut rows = statement.query([&account.bytes()[..]])?;
        let mut others = Vec::new();
        while let Some(row) = rows.next()? {
            let account = AccountId::from_slice(row.get_ref(0)?.as_blob()?);
            others.push(account.ok_or_else(|| StoreError::Corrupt("outbox account".to_owned()))?);
        }
        Ok(others)
    }

    /// What waits of somebody's work and nobody else's session can send.
    pub(crate) fn only_they_can_send(&self, account: AccountId) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows(
            &format!("WHERE account = ?1 AND refused IS NULL AND {UNVOUCHED} ORDER BY seq"),
            [&account.bytes()[..]],
        )
    }

    /// What is safe with the clinic's administrators and still counts as waiting here, oldest first.
    pub(crate) fn handed_in_and_waiting(&self, account: AccountId) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows(
            "WHERE account = ?1 AND refused IS NULL AND handed_in_at IS NOT NULL ORDER BY seq",
            [&account.bytes()[..]],
        )
    }

    fn with_commands(&self, entries: Vec<OutboxEntry>) -> Result<Vec<(OutboxEntry, Vec<u8>)>, StoreError> {
        let mut command = self
            .sql
            .prepare_cached("SELECT command FROM outbox WHERE seq = ?1")?;
        entries
            .into_iter()
            .map(|entry| {
                let command = command.query_row([entry.seq], |row| row.get(0))?;
                Ok((entry, command))
            })
            .collect()
    }

    /// How much of one person's work is safe with the clinic's administrators, all typing in one text being one, and since
    /// when.
    pub(crate) fn handed_in(&self, account: AccountId) -> Result<(u64, Option<Timestamp>), StoreError> {
        let entries = self.outbox_rows(
            "WHERE account = ?1 AND handed_in_at IS NOT NULL",
            [&account.bytes()[..]],
        )?;
        let at = entries
            .iter()
            .filter_map(|entry| entry.handed.and_then(|handed| handed.arrived_at))
            .max();
        let texts: BTreeSet<_> = entries
            .iter()
            .filter_map(|entry| match &entry.command {
                Some(Command::WriteInSection(edit)) => Some((edit.visit, edit.section)),
                _ => None,
            })
            .collect();
        let is_typing = |entry: &&OutboxEntry| matches!(entry.command, Some(Command::WriteInSection(_)));
        let others = entries.len() - entries.iter().filter(is_typing).count();
        Ok(((others + texts.len()) as u64, at))
    }

    pub(crate) fn forget_handed_in(&self, account: AccountId) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("DELETE FROM outbox WHERE account = ?1 AND handed_in_at IS NOT NULL")?
            .execute([&account.bytes()[..]])?;
        Ok(())
    }

    /// What was let go, the latest first.
    pub fn discarded(&self) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows(
            "WHERE discarded_at IS NOT NULL ORDER BY discarded_at DESC, seq DESC",
            [],
        )
    }

    fn outbox_rows(
        &self,
        which: &str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let mut statement = self.sql.prepare_cached(&format!(
            "SELECT seq, kind, document, hash, change, command, made_at, refused, reason, account, discarded_at, \
             discarded_by, discard_reason, signed_by, signature, offered_at, handed_in_at FROM outbox {which}"
        ))?;
        let mut rows = statement.query(params)?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let corrupt = |what: &str| StoreError::Corrupt(format!("outbox {what}"));
            let refused: Option<u32> = row.get(7)?;
            entries.push(OutboxEntry {
                seq: row.get(0)?,
                account: AccountId::from_slice(row.get_ref(9)?.as_blob()?)
                    .ok_or_else(|| corrupt("account"))?,
                kind: Kind::from_number(row.get(1)?).ok_or_else(|| corrupt("kind"))?,
                document: DocumentId::from_slice(row.get_ref(2)?.as_blob()?)
                    .ok_or_else(|| corrupt("document"))?,
                hash: row.get(3)?,
                change: row.get(4)?,
                command: Command::from_bytes(row.get_ref(5)?.as_blob()?),
                made_at: Timestamp(row.get(6)?),
                refused: match refused {
                    None => None,
                    Some(code) => {
                        let code = refusal_code(code).ok_or_else(|| corrupt("refusal"))?;
                        Some((code, row.get::<_, Option<String>>(8)?.unwrap_or_default()))
                    }
                },
                signed: match (row.get(13)?, row.get(14)?) {
                    (Some(key), Some(signature)) => Some(Signed { key, signature }),
                    _ => None,
                },
                discarded: match row.get::<_, Option<i64>>(10)? {
                    None => None,
                    Some(at) => Some(Discarded {
                        at: Timestamp(at),
                        by: AccountId::from_slice(row.get_ref(11)?.as_blob()?)
                            .ok_or_else(|| corrupt("discarded by"))?,
                        reason: row.get::<_, Option<String>>(12)?.unwrap_or_default(),
                    }),
                },
                handed: match row.get::<_, Option<i64>>(15)? {
                    None => None,
                    Some(at) => Some(Handed {
                        offered_at: Timestamp(at),
                        arrived_at: row.get::<_, Option<i64>>(16)?.map(Timestamp),
                    }),
                },
            });
        }
        Ok(entries)
    }

    pub fn acknowledge(&self, seq: i64) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("DELETE FROM outbox WHERE seq = ?1")?
            .execute([seq])?;
        Ok(())
    }

    pub fn mark_refused(&self, seq: i64, code: RefusalCode, reason: &str) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("UPDATE outbox SET refused = ?2, reason = ?3 WHERE seq = ?1")?
            .execute((seq, refusal_number(code), reason))?;
        Ok(())
    }

    /// Refused work is let go, or taken up again.
    pub fn mark_discarded(&self, seq: i64, discarded: Option<&Discarded>) -> Result<(), StoreError> {
        self.sql
            .prepare_cached(
                "UPDATE outbox SET discarded_at = ?2, discarded_by = ?3, discard_reason = ?4 WHERE seq = ?1",
            )?
            .execute((
                seq,
                discarded.map(|discarded| discarded.at.0),
                discarded.map(|discarded| discarded.by.bytes().to_vec()),
                discarded.map(|discarded| &discarded.reason),
            ))?;
        Ok(())
    }

    /// Refused work is to go to the clinic's administrators.
    pub(crate) fn mark_offered(&self, seq: i64, at: Timestamp) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("UPDATE outbox SET offered_at = ?2 WHERE seq = ?1 AND offered_at IS NULL")?
            .execute((seq, at.0))?;
        Ok(())
    }

    /// It is safe there. `hash` is of the change, in hexadecimal.
    pub(crate) fn mark_handed_in(&self, hash: &str, at: Timestamp) -> Result<(), StoreError> {
        let Ok(hash) = hash.parse::<ChangeHash>() else {
            return Ok(());
        };
        self.sql
            .prepare_cached(
                "UPDATE outbox SET handed_in_at = coalesce(handed_in_at, ?2), offered_at = coalesce(offered_at, ?2) \
                 WHERE hash = ?1",
            )?
            .execute((&hash.0[..], at.0))?;
        Ok(())
    }

    /// Whose work is on this device alone, the oldest first.
    pub fn outbox_counts(&self) -> Result<Vec<(AccountId, OutboxCounts)>, StoreError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT account, count(*) FILTER (WHERE refused IS NULL), min(made_at) FILTER (WHERE refused IS NULL), \
             count(*) FILTER (WHERE refused IS NOT NULL AND offered_at IS NULL), \
             count(*) FILTER (WHERE refused IS NOT NULL AND offered_at IS NOT NULL) \
             FROM outbox WHERE discarded_at IS NULL AND handed_in_at IS NULL GROUP BY account ORDER BY min(made_at)",
        )?;
        let mut rows = statement.query([])?;
        let mut counts = Vec::new();
        while let Some(row) = rows.next()? {
            let account = AccountId::from_slice(row.get_ref(0)?.as_blob()?)
                .ok_or_else(|| StoreError::Corrupt("outbox account".to_owned()))?;
            let of_one = OutboxCounts {
                waiting: row.get(1)?,
                since: row.get::<_, Option<i64>>(2)?.map(Timestamp),
                refused: row.get(3)?,
                offered: row.get(4)?,
            };
            counts.push((account, of_one));
        }
        Ok(counts)
    }
}

const CODES: [RefusalCode; 10] = [
    RefusalCode::NotPermitted,
    RefusalCode::Undecodable,
    RefusalCode::MissingDependencies,
    RefusalCode::ForeignActor,
    RefusalCode::ActorReused,
    RefusalCode::OtherClinic,
    RefusalCode::TooLarge,
    RefusalCode::BuildsOnRefused,
    RefusalCode::NewerSchema,
    RefusalCode::NotSigned,
];

fn refusal_number(code: RefusalCode) -> u32 {
    code as u32
}

fn refusal_code(number: u32) -> Option<RefusalCode> {
    CODES.into_iter().find(|code| *code as u32 == number)
}
