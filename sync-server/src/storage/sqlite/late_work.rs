//! Work of people whose rights had ended when it arrived.

use super::super::late_work::{
    Decided, Giver, KeptLateWork, LateChange, LateDecision, LateWorkStorage, MAX_WAITING, MAX_WAITING_BYTES,
    PAGE_ROWS, WaitingLateChange, WaitingLateWork, opened, place,
};
use super::super::{Stored, kind};
use super::{SqliteStorage, id};
use crate::at_rest::FULL_NAME;
use async_trait::async_trait;
use automerge::ChangeHash;
use rusqlite::{OptionalExtension, params};
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use shared_model::time::Timestamp;
use uuid::Uuid;

#[async_trait]
impl LateWorkStorage for SqliteStorage {
    async fn keep_late_work(
        &self,
        giver: Giver,
        changes: Vec<LateChange>,
        now: Timestamp,
    ) -> Stored<KeptLateWork> {
        let keys = self.keys(giver.clinic).await?;
        self.write(move |connection| {
            let (clinic, account) = (giver.clinic.bytes(), giver.account.bytes());
            let (mut waiting, mut bytes): (u64, u64) = connection
                .prepare_cached(
                    "select count(*), coalesce(sum(length(change) + length(command)), 0) from late_work
                     where clinic = ?1 and account = ?2 and decided_at is null",
                )?
                .query_row(params![clinic, account], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut there = connection
                .prepare_cached("select account from late_work where clinic = ?1 and hash = ?2")?;
            let mut insert = connection.prepare_cached(
                "insert into late_work (clinic, hash, account, device, kind, document, change, command, made_at,
                     received_at, brought_by)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?;
            let mut kept = KeptLateWork::default();
            for late in changes {
                let author: Option<AccountId> = there
                    .query_row(params![clinic, late.hash.0], |row| id(row, 0, AccountId))
                    .optional()?;
                match author {
                    Some(author) if author == giver.account => kept.there.push(late.hash),
                    // Nobody else's work is one's own.
                    Some(_) => {}
                    None if waiting < MAX_WAITING && bytes + late.size() <= MAX_WAITING_BYTES => {
                        insert.execute(params![
                            clinic,
                            late.hash.0,
                            account,
                            giver.device.bytes(),
                            late.kind.number(),
                            late.document.bytes(),
                            keys.seal_value(&place("change", &late.hash), &late.change)?,
                            keys.seal_value(&place("command", &late.hash), &late.command)?,
                            late.made_at.0,
                            now.0,
                            giver.brought_by.as_ref().map(AccountId::bytes),
                        ])?;
                        waiting += 1;
                        bytes += late.size();
                        kept.there.push(late.hash);
                        kept.new.push(late.hash);
                    }
                    None => {}
                }
            }
            Ok(kept)
        })
        .await
    }

    async fn late_work(&self, clinic: ClinicId, after: i64, budget: u64) -> Stored<WaitingLateWork> {
        let (keys, people) = (self.keys(clinic).await?, self.people_keys().await?);
        self.read(move |connection| {
            let mut select = connection.prepare_cached(
                "select w.number, w.hash, w.kind, w.document, w.change, w.command, w.made_at, w.account,
                     w.device, w.received_at, a.full_name, ak.wrapped, w.brought_by, b.full_name, bk.wrapped
                 from late_work w left join accounts a on a.account = w.account
                     left join person_keys ak on ak.account = w.account
                     left join accounts b on b.account = w.brought_by
                     left join person_keys bk on bk.account = w.brought_by
                 where w.clinic = ?1 and w.decided_at is null and w.number > ?2 order by w.number limit ?3",
            )?;
            let mut rows = select.query(params![clinic.bytes(), after, PAGE_ROWS])?;
            let (mut waiting, mut bytes, mut looked_at) = (Vec::new(), 0, after);
            while let Some(row) = rows.next()? {
                let number = row.get(0)?;
                let hash = ChangeHash(row.get(1)?);
                let (change, command): (Vec<u8>, Vec<u8>) = (row.get(4)?, row.get(5)?);
                let Some((change, command)) = opened(&keys, &hash, &change, &command) else {
                    looked_at = number;
                    continue;
                };
                let late = LateChange {
                    kind: kind(row.get(2)?)?,
                    document: id(row, 3, DocumentId)?,
                    change,
                    command,
                    made_at: Timestamp(row.get(6)?),
                    hash,
                };
                bytes += late.size();
                if bytes > budget && !waiting.is_empty() {
                    break;
                }
                looked_at = number;
                let author = id(row, 7, AccountId)?;
                let name_of = |account, first: usize| -> Stored<String> {
                    let (name, wrapped): (Option<Vec<u8>>, Option<Vec<u8>>) =
                        (row.get(first)?, row.get(first + 1)?);
                    Ok(people.shown(account, wrapped.as_deref(), FULL_NAME, name.as_deref()))
                };
                let brought_by: Option<[u8; 16]> = row.get(12)?;
                let brought_by = brought_by.map(|id| AccountId(Uuid::from_bytes(id)));
                waiting.push(WaitingLateChange {
                    number,
                    late,
                    author,
                    author_name: name_of(author, 10)?,
                    device: id(row, 8, DeviceId)?,
                    received_at: Timestamp(row.get(9)?),
                    brought_by: brought_by.map(|account| name_of(account, 13)).transpose()?,
                });
            }
            let goes_on = connection
                .prepare_cached(
                    "select 1 from late_work where clinic = ?1 and decided_at is null and number > ?2",
                )?
                .exists(params![clinic.bytes(), looked_at])?;
            Ok(WaitingLateWork {
                waiting,
                next: goes_on.then_some(looked_at),
            })
        })
        .await
    }

    async fn late_work_waiting(&self, clinic: ClinicId) -> Stored<u64> {
        self.read(move |connection| {
            Ok(connection
                .prepare_cached("select count(*) from late_work where clinic = ?1 and decided_at is null")?
                .query_row([clinic.bytes()], |row| row.get(0))?)
        })
        .await
    }

    async fn decide_late_work(
        &self,
        clinic: ClinicId,
        hashes: Vec<ChangeHash>,
        decision: LateDecision,
    ) -> Stored<Option<Vec<Decided>>> {
        let keys = self.keys(clinic).await?;
        self.write(move |connection| {
            let mut select = connection.prepare_cached(
                "select account, document from late_work where clinic = ?1 and hash = ?2 and decided_at is null",
            )?;
            let mut decided = Vec::with_capacity(hashes.len());
            for hash in &hashes {
                let found = select
                    .query_row(params![clinic.bytes(), hash.0], |row| {
                        Ok(Decided {
                            author: id(row, 0, AccountId)?,
                            document: id(row, 1, DocumentId)?,
                        })
                    })
                    .optional()?;
                match found {
                    Some(found) => decided.push(found),
                    None => return Ok(None),
                }
            }
            let mut update = connection.prepare_cached(
                "update late_work set decided_at = ?3, decided_by = ?4, taken = ?5, reason = ?6
                 where clinic = ?1 and hash = ?2",
            )?;
            for hash in &hashes {
                let reason = decision.let_go.as_ref();
                let reason = reason.map(|reason| keys.seal_value(&place("reason", hash), reason.as_bytes()));
                update.execute(params![
                    clinic.bytes(),
                    hash.0,
                    decision.at.0,
                    decision.by.bytes(),
                    decision.let_go.is_none(),
                    reason.transpose()?,
                ])?;
            }
            Ok(Some(decided))
        })
        .await
    }
}
