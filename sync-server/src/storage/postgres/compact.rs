//! Compaction, one short transaction a step, which locks the clinic's row of `compaction` and not the one that accept
//! waits for. What it frees is used again after autovacuum; the files do not shrink by themselves.

use super::super::compaction::{
    Compactable, Compaction, CompactionStorage, STEP_LOOKS_AT, SavedAnew, whole_and_old,
};
use super::super::trail::RunsEnd;
use super::super::{Stored, heads_bytes, signed};
use super::trail::{self, link_at};
use super::{PostgresStorage, count, feeds, id, length};
use crate::trail::seal_on;
use async_trait::async_trait;
use shared_model::ids::ClinicId;
use shared_model::time::Timestamp;
use sqlx::Row;
use std::collections::BTreeSet;
use uuid::Uuid;

#[async_trait]
impl CompactionStorage for PostgresStorage {
    async fn clinics(&self) -> Stored<Vec<ClinicId>> {
        let rows = sqlx::query("select clinic from clinics")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| id(row, 0, ClinicId)).collect()
    }

    async fn compactable(&self, clinic: ClinicId, until: Timestamp) -> Stored<Option<Compactable>> {
        let keys = self.keys(clinic).await?;
        let mut tx = self.pool.begin().await?;
        // What another node compacts meanwhile would look like an altered trail.
        sqlx::raw_sql("set transaction isolation level repeatable read, read only")
            .execute(&mut *tx)
            .await?;
        let anchors = trail::anchors(&mut tx, clinic, &keys).await?;
        let after = anchors.runs.horizon;
        let behind = Some((after, u32::MAX));
        let rows = trail::kept_changes(&mut tx, clinic, behind, STEP_LOOKS_AT).await?;
        let changes = whole_and_old(rows, until);
        let Some(through) = changes.last().map(|change| change.number) else {
            return Ok(None);
        };
        let audit = trail::linked_runs(&mut tx, clinic, behind, Some(through), None).await?;
        let documents: BTreeSet<Uuid> = changes.iter().map(|change| change.document.0).collect();
        let rows = sqlx::query(concat!(
            "select ",
            feeds::document_columns!(),
            " from documents d where d.clinic = $1 and d.id = any($2) and octet_length(d.bytes) > d.base"
        ))
        .bind(clinic.0)
        .bind(documents.into_iter().collect::<Vec<_>>())
        .fetch_all(&mut *tx)
        .await?;
        let appended = rows
            .iter()
            .map(|row| feeds::read_document(row, &keys))
            .collect::<Stored<_>>()?;
        Ok(Some(Compactable {
            after,
            through,
            changes,
            audit,
            anchors,
            appended,
        }))
    }

    async fn compact(&self, clinic: ClinicId, step: Compaction) -> Stored<bool> {
        let keys = self.keys(clinic).await?;
        let sealed: Vec<(&SavedAnew, Vec<u8>)> = step
            .saved
            .iter()
            .filter_map(|saved| Some((saved, keys.seal_saved(saved.document, &saved.bytes)?)))
            .collect();
        let mut tx = self.pool.begin().await?;
        sqlx::query("insert into compaction (clinic, horizon) values ($1, 0) on conflict do nothing")
            .bind(clinic.0)
            .execute(&mut *tx)
            .await?;
        let row = sqlx::query(
            "select horizon, runs, rows_joint, seal from compaction where clinic = $1 for update",
        )
        .bind(clinic.0)
        .fetch_one(&mut *tx)
        .await?;
        let before = RunsEnd {
            horizon: count(&row, 0)?,
            runs: link_at(&row, 1)?,
            joint: link_at(&row, 2)?,
        };
        if before.horizon != step.after {
            return Ok(false);
        }
        let end = &step.end;
        let seal = seal_on(&keys, &before, row.try_get(3)?, end)?;
        // In the order in which accept updates them, and without waiting for it.
        sqlx::query(
            "update documents d set bytes = saved.bytes, base = octet_length(saved.bytes)
             from unnest($2::uuid[], $3::bytea[], $4::bytea[]) as saved (id, heads, bytes)
             where d.clinic = $1 and d.id = saved.id and d.heads = saved.heads
               and d.id in (select id from documents where clinic = $1 and id = any($2) for update skip locked)",
        )
        .bind(clinic.0)
        .bind(sealed.iter().map(|(saved, _)| saved.document.0).collect::<Vec<_>>())
        .bind(sealed.iter().map(|(saved, _)| heads_bytes(&saved.heads)).collect::<Vec<_>>())
        .bind(sealed.iter().map(|(_, bytes)| bytes.as_slice()).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await?;
        // Of a document's steps, each feed keeps the last; one of changes becomes one of the whole document.
        sqlx::query(
            "with steps as (
                 select feed, number, document, what, max(number) over (partition by feed, document) as last
                 from feed where clinic = $1 and document = any($2) and number <= $3
             ), gone as (
                 delete from feed f using steps
                 where f.clinic = $1 and f.feed = steps.feed and f.number = steps.number and steps.number < steps.last
             )
             update feed f set what = 1, size = octet_length(d.bytes) + octet_length(d.projection) + 40
             from steps join documents d on d.clinic = $1 and d.id = steps.document
             where f.clinic = $1 and f.feed = steps.feed and f.number = steps.number
               and steps.number = steps.last and steps.what = 0",
        )
        .bind(clinic.0)
        .bind(step.documents.iter().map(|document| document.0).collect::<Vec<_>>())
        .bind(signed(step.through))
        .execute(&mut *tx)
        .await?;
        for delete in [
            "delete from changes where clinic = $1 and number > $2 and number <= $3",
            "delete from audit where clinic = $1 and number > $2 and number <= $3",
        ] {
            sqlx::query(delete)
                .bind(clinic.0)
                .bind(signed(step.after))
                .bind(signed(step.through))
                .execute(&mut *tx)
                .await?;
        }
        let runs = &step.audit;
        sqlx::query(
            "insert into audit (clinic, number, position, account, device, document, verb, at, last_at, changes, hash,
                 link, events)
             select $1, * from unnest($2::bigint[], $3::integer[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
                 $8::bigint[], $9::bigint[], $10::integer[], $11::bytea[], $12::bytea[], $13::bigint[])",
        )
        .bind(clinic.0)
        .bind(runs.iter().map(|run| signed(run.first.number)).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.first.position.cast_signed()).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.first.account.0).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.first.device.0).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.first.document.0).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.first.verb.clone()).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.at.0).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.last_at.0).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| length(run.changes as usize)).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.hash.0.to_vec()).collect::<Vec<_>>())
        .bind(step.links.iter().map(|link| link.to_vec()).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.events.map(signed)).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "update compaction set horizon = $2, runs = $3, rows_joint = $4, seal = $5 where clinic = $1",
        )
        .bind(clinic.0)
        .bind(signed(end.horizon))
        .bind(end.runs.map(|link| link.to_vec()))
        .bind(end.joint.map(|link| link.to_vec()))
        .bind(seal)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }
}
