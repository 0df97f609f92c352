//! Work of people whose rights had ended when it arrived.

use super::super::late_work::{
    Decided, Giver, KeptLateWork, LateChange, LateDecision, LateWorkStorage, MAX_WAITING, MAX_WAITING_BYTES,
    PAGE_ROWS, WaitingLateChange, WaitingLateWork, opened, place,
};
use super::super::{StorageError, Stored, kind, unsigned};
use super::{PostgresStorage, id};
use crate::at_rest::FULL_NAME;
use async_trait::async_trait;
use automerge::ChangeHash;
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::time::Timestamp;
use sqlx::Row;
use uuid::Uuid;

#[async_trait]
impl LateWorkStorage for PostgresStorage {
    async fn keep_late_work(
        &self,
        giver: Giver,
        changes: Vec<LateChange>,
        now: Timestamp,
    ) -> Stored<KeptLateWork> {
        let keys = self.keys(giver.clinic).await?;
        let mut tx = self.pool.begin().await?;
        // One hand-in of a person after the other: what there is room for is counted.
        sqlx::query("select pg_advisory_xact_lock(hashtextextended($1::text, 0))")
            .bind(giver.account.0.to_string())
            .execute(&mut *tx)
            .await?;
        let row = sqlx::query(
            "select count(*), coalesce(sum(length(change) + length(command)), 0)::bigint from late_work
             where clinic = $1 and account = $2 and decided_at is null",
        )
        .bind(giver.clinic.0)
        .bind(giver.account.0)
        .fetch_one(&mut *tx)
        .await?;
        let (mut waiting, mut bytes) = (unsigned(row.try_get(0)?), unsigned(row.try_get(1)?));
        let mut kept = KeptLateWork::default();
        for late in &changes {
            if waiting < MAX_WAITING && bytes + late.size() <= MAX_WAITING_BYTES {
                let inserted = sqlx::query(
                    "insert into late_work (clinic, hash, account, device, kind, document, change, command, made_at,
                         received_at, brought_by)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
                )
                .bind(giver.clinic.0)
                .bind(late.hash.0.as_slice())
                .bind(giver.account.0)
                .bind(giver.device.0)
                .bind(i16::from(late.kind.number()))
                .bind(late.document.0)
                .bind(keys.seal_value(&place("change", &late.hash), &late.change)?)
                .bind(keys.seal_value(&place("command", &late.hash), &late.command)?)
                .bind(late.made_at.0)
                .bind(now.0)
                .bind(giver.brought_by.map(|account| account.0))
                .execute(&mut *tx)
                .await?;
                if inserted.rows_affected() > 0 {
                    waiting += 1;
                    bytes += late.size();
                    kept.new.push(late.hash);
                }
            }
        }
        let hashes: Vec<&[u8]> = changes.iter().map(|late| late.hash.0.as_slice()).collect();
        let rows =
            sqlx::query("select hash from late_work where clinic = $1 and account = $2 and hash = any($3)")
                .bind(giver.clinic.0)
                .bind(giver.account.0)
                .bind(hashes)
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        for row in &rows {
            kept.there.push(hash(row.try_get(0)?)?);
        }
        Ok(kept)
    }

    async fn late_work(&self, clinic: ClinicId, after: i64, budget: u64) -> Stored<WaitingLateWork> {
        let (keys, people) = (self.keys(clinic).await?, self.people_keys().await?);
        let rows = sqlx::query(
            "select w.number, w.hash, w.kind, w.document, w.change, w.command, w.made_at, w.account,
                 w.device, w.received_at, a.full_name, ak.wrapped, w.brought_by, b.full_name, bk.wrapped,
                 exists (select 1 from late_work l
                         where l.clinic = $1 and l.decided_at is null and l.number > w.number)
             from (select *, sum(length(change) + length(command)) over (order by number) as bytes,
                       row_number() over (order by number) as place
                   from late_work where clinic = $1 and decided_at is null and number > $2
                   order by number limit $3) w
             left join accounts a on a.account = w.account
             left join person_keys ak on ak.account = w.account
             left join accounts b on b.account = w.brought_by
             left join person_keys bk on bk.account = w.brought_by
             where w.place = 1 or w.bytes <= $4 order by w.number",
        )
        .bind(clinic.0)
        .bind(after)
        .bind(i64::from(PAGE_ROWS))
        .bind(super::super::signed(budget))
        .fetch_all(&self.pool)
        .await?;
        let mut waiting = Vec::with_capacity(rows.len());
        let mut next = None;
        for row in &rows {
            let number = row.try_get(0)?;
            let goes_on: bool = row.try_get(15)?;
            next = goes_on.then_some(number);
            let hash = hash(row.try_get(1)?)?;
            let Some((change, command)) = opened(&keys, &hash, row.try_get(4)?, row.try_get(5)?) else {
                continue;
            };
            let author = id(row, 7, AccountId)?;
            let name_of = |account, first: usize| -> Stored<String> {
                Ok(people.shown(account, row.try_get(first + 1)?, FULL_NAME, row.try_get(first)?))
            };
            let brought_by: Option<Uuid> = row.try_get(12)?;
            waiting.push(WaitingLateChange {
                number,
                late: LateChange {
                    kind: kind(i64::from(row.try_get::<i16, _>(2)?))?,
                    document: id(row, 3, DocumentId)?,
                    change,
                    command,
                    made_at: Timestamp(row.try_get(6)?),
                    hash,
                },
                author,
                author_name: name_of(author, 10)?,
                device: id(row, 8, DeviceId)?,
                received_at: Timestamp(row.try_get(9)?),
                brought_by: brought_by
                    .map(|account| name_of(AccountId(account), 13))
                    .transpose()?,
            });
        }
        Ok(WaitingLateWork { waiting, next })
    }

    async fn late_work_waiting(&self, clinic: ClinicId) -> Stored<u64> {
        let waiting =
            sqlx::query_scalar("select count(*) from late_work where clinic = $1 and decided_at is null")
                .bind(clinic.0)
                .fetch_one(&self.pool)
                .await?;
        Ok(unsigned(waiting))
    }

    async fn decide_late_work(
        &self,
        clinic: ClinicId,
        hashes: Vec<ChangeHash>,
        decision: LateDecision,
    ) -> Stored<Option<Vec<Decided>>> {
        let keys = self.keys(clinic).await?;
        let mut tx = self.pool.begin().await?;
        let mut decided = Vec::with_capacity(hashes.len());
        for hash in &hashes {
            let reason = decision.let_go.as_ref();
            let reason = reason.map(|reason| keys.seal_value(&place("reason", hash), reason.as_bytes()));
            let row = sqlx::query(
                "update late_work set decided_at = $3, decided_by = $4, taken = $5, reason = $6
                 where clinic = $1 and hash = $2 and decided_at is null returning account, document",
            )
            .bind(clinic.0)
            .bind(hash.0.as_slice())
            .bind(decision.at.0)
            .bind(decision.by.0)
            .bind(decision.let_go.is_none())
            .bind(reason.transpose()?)
            .fetch_optional(&mut *tx)
            .await?;
            match row {
                Some(row) => decided.push(Decided {
                    author: id(&row, 0, AccountId)?,
                    document: id(&row, 1, DocumentId)?,
                }),
                // What was decided about in this transaction waits again.
                None => return Ok(None),
            }
        }
        tx.commit().await?;
        Ok(Some(decided))
    }
}

fn hash(bytes: Vec<u8>) -> Stored<ChangeHash> {
    let bytes = bytes.try_into();
    bytes
        .map(ChangeHash)
        .map_err(|_| StorageError::Failed("a hash of another length".to_owned()))
}
