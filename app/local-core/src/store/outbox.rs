//! The outbox: what the server has not acknowledged.

use super::{Store, StoreError};
use shared_model::commands::Command;
use shared_model::documents::Kind;
use shared_model::ids::{AccountId, DocumentId};
use shared_model::protocol::RefusalCode;
use shared_model::time::Timestamp;

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
    ) -> Result<i64, StoreError> {
        self.sql
            .prepare_cached(
                "INSERT INTO outbox (account, kind, document, hash, change, command, made_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                &account.bytes()[..],
                kind.number(),
                &document.bytes()[..],
                hash,
                change,
                command,
                made_at.0,
            ))?;
        Ok(self.sql.last_insert_rowid())
    }

    /// What waits for the server after `seq`, oldest first.
    pub fn waiting(
        &self,
        account: AccountId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows(
            "WHERE refused IS NULL AND seq > ?1 AND account = ?2 ORDER BY seq LIMIT ?3",
            (
                after,
                &account.bytes()[..],
                i64::try_from(limit).unwrap_or(i64::MAX),
            ),
        )
    }

    /// What the server has not acknowledged of one document, refused or not, oldest first.
    pub fn outbox_of(&self, document: DocumentId) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows("WHERE document = ?1 ORDER BY seq", [&document.bytes()[..]])
    }

    /// What the server refused, newest first.
    pub fn refused(&self) -> Result<Vec<OutboxEntry>, StoreError> {
        self.outbox_rows("WHERE refused IS NOT NULL ORDER BY seq DESC", [])
    }

    fn outbox_rows(
        &self,
        which: &str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let mut statement = self.sql.prepare_cached(&format!(
            "SELECT seq, kind, document, hash, change, command, made_at, refused, reason, account FROM outbox {which}"
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

    /// How many changes wait, since when, and how many were refused.
    pub fn outbox_counts(&self) -> Result<(u64, Option<Timestamp>, u64), StoreError> {
        Ok(self
            .sql
            .prepare_cached(
                "SELECT count(*) FILTER (WHERE refused IS NULL), min(made_at) FILTER (WHERE refused IS NULL), \
                 count(*) FILTER (WHERE refused IS NOT NULL) FROM outbox",
            )?
            .query_row([], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(Timestamp), row.get(2)?)))?)
    }
}

const CODES: [RefusalCode; 9] = [
    RefusalCode::NotPermitted,
    RefusalCode::Undecodable,
    RefusalCode::MissingDependencies,
    RefusalCode::ForeignActor,
    RefusalCode::ActorReused,
    RefusalCode::OtherClinic,
    RefusalCode::TooLarge,
    RefusalCode::BuildsOnRefused,
    RefusalCode::NewerSchema,
];

fn refusal_number(code: RefusalCode) -> u32 {
    code as u32
}

fn refusal_code(number: u32) -> Option<RefusalCode> {
    CODES.into_iter().find(|code| *code as u32 == number)
}
