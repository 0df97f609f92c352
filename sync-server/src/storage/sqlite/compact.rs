//! Compaction, one short transaction a step. Freed pages are given back to the file system a few at a time where the
//! file was created for it (`auto_vacuum = incremental`); an older file reuses them.

use super::super::compaction::{Compactable, Compaction, CompactionStorage, STEP_LOOKS_AT, whole_and_old};
use super::super::{Stored, heads_bytes, signed};
use super::{SqliteStorage, feeds, id, trail};
use crate::at_rest::ClinicKeys;
use crate::trail::seal_on;
use async_trait::async_trait;
use rusqlite::{Connection, params};
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

#[async_trait]
impl CompactionStorage for SqliteStorage {
    async fn clinics(&self) -> Stored<Vec<ClinicId>> {
        self.read(|connection| {
            let mut select = connection.prepare_cached("select clinic from clinics")?;
            let clinics = select.query_map([], |row| id(row, 0, ClinicId))?;
            Ok(clinics.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn compactable(&self, clinic: ClinicId, until: Timestamp) -> Stored<Option<Compactable>> {
        let keys = self.keys(clinic).await?;
        self.read(move |connection| compactable(connection, clinic, until, &keys))
            .await
    }

    async fn compact(&self, clinic: ClinicId, step: Compaction) -> Stored<bool> {
        let keys = self.keys(clinic).await?;
        let done = self
            .write(move |connection| compact(connection, clinic, &step, &keys))
            .await?;
        let _turn = self.writer.turn().await;
        self.writer.run(|connection| give_back(connection)).await?;
        Ok(done)
    }
}

fn compactable(
    connection: &Connection,
    clinic: ClinicId,
    until: Timestamp,
    keys: &ClinicKeys,
) -> Stored<Option<Compactable>> {
    let anchors = trail::anchors(connection, clinic, keys)?;
    let after = anchors.runs.horizon;
    let rows = trail::kept_changes(connection, clinic, Some((after, u32::MAX)), STEP_LOOKS_AT)?;
    let changes = whole_and_old(rows, until);
    let Some(through) = changes.last().map(|change| change.number) else {
        return Ok(None);
    };
    let audit = trail::linked_runs(
        connection,
        clinic,
        (signed(after), u32::MAX),
        signed(through),
        usize::MAX,
    )?;
    let documents: BTreeSet<DocumentId> = changes.iter().map(|change| change.document).collect();
    let mut appended = Vec::new();
    for document in documents {
        let stored = feeds::document(connection, clinic, document, keys)?;
        appended.extend(stored.filter(|stored| stored.bytes.len() > stored.base));
    }
    Ok(Some(Compactable {
        after,
        through,
        changes,
        audit,
        anchors,
        appended,
    }))
}

fn compact(connection: &Connection, clinic: ClinicId, step: &Compaction, keys: &ClinicKeys) -> Stored<bool> {
    let (ends, seals) = trail::ends(connection, clinic)?;
    if ends.runs.horizon != step.after {
        return Ok(false);
    }
    let mut save = connection.prepare_cached(
        "update documents set bytes = ?4, base = ?5 where clinic = ?1 and id = ?2 and heads = ?3",
    )?;
    for saved in &step.saved {
        let Some(bytes) = keys.seal_saved(saved.document, &saved.bytes) else {
            continue;
        };
        save.execute(params![
            clinic.bytes(),
            saved.document.bytes(),
            heads_bytes(&saved.heads),
            bytes,
            bytes.len()
        ])?;
    }
    for document in &step.documents {
        keep_last_steps(connection, clinic, *document, step.through)?;
    }
    for table in ["changes", "audit"] {
        connection
            .prepare_cached(&format!(
                "delete from {table} where clinic = ?1 and number > ?2 and number <= ?3"
            ))?
            .execute(params![clinic.bytes(), signed(step.after), signed(step.through)])?;
    }
    write_audit(connection, clinic, step)?;
    let (end, seal) = (
        &step.end,
        seal_on(keys, &ends.runs, seals.runs.as_deref(), &step.end)?,
    );
    connection
        .prepare_cached(
            "update compaction set horizon = ?2, runs = ?3, rows_joint = ?4, seal = ?5 where clinic = ?1",
        )?
        .execute(params![
            clinic.bytes(),
            signed(end.horizon),
            end.runs,
            end.joint,
            seal
        ])?;
    Ok(true)
}

/// Of a document's steps up to `through`, each feed keeps the last; one of changes becomes one of the whole document.
fn keep_last_steps(
    connection: &Connection,
    clinic: ClinicId,
    document: DocumentId,
    through: u64,
) -> Stored<()> {
    let mut select = connection.prepare_cached(
        "select feed, number, what from feed where clinic = ?1 and document = ?2 and number <= ?3 order by number",
    )?;
    let mut rows = select.query(params![clinic.bytes(), document.bytes(), signed(through)])?;
    let mut last: BTreeMap<Vec<u8>, (i64, i64)> = BTreeMap::new();
    let mut former = Vec::new();
    while let Some(row) = rows.next()? {
        let (feed, step): (Vec<u8>, (i64, i64)) = (row.get(0)?, (row.get(1)?, row.get(2)?));
        if let Some((number, _)) = last.insert(feed.clone(), step) {
            former.push((feed, number));
        }
    }
    let mut delete =
        connection.prepare_cached("delete from feed where clinic = ?1 and feed = ?2 and number = ?3")?;
    for (feed, number) in former {
        delete.execute(params![clinic.bytes(), feed, number])?;
    }
    let mut update = connection.prepare_cached(
        "update feed set what = 1,
             size = (select length(d.bytes) + length(d.projection) + 40 from documents d
                     where d.clinic = ?1 and d.id = ?4)
         where clinic = ?1 and feed = ?2 and number = ?3",
    )?;
    for (feed, (number, what)) in last {
        if what == 0 {
            update.execute(params![clinic.bytes(), feed, number, document.bytes()])?;
        }
    }
    Ok(())
}

fn write_audit(connection: &Connection, clinic: ClinicId, step: &Compaction) -> Stored<()> {
    let mut insert = connection.prepare_cached(
        "insert into audit (clinic, number, position, account, device, document, verb, at, last_at, changes, hash, link,
             events)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    for (run, link) in step.audit.iter().zip(&step.links) {
        insert.execute(params![
            clinic.bytes(),
            signed(run.first.number),
            run.first.position,
            run.first.account.bytes(),
            run.first.device.bytes(),
            run.first.document.bytes(),
            run.first.verb,
            run.at.0,
            run.last_at.0,
            run.changes,
            run.hash.0,
            link,
            run.events.map(signed),
        ])?;
    }
    Ok(())
}

fn give_back(connection: &Connection) -> Stored<()> {
    // Up to half a megabyte; each row that it gives is a page.
    let mut vacuum = connection.prepare_cached("pragma incremental_vacuum(128)")?;
    let mut pages = vacuum.query([])?;
    while pages.next()?.is_some() {}
    Ok(())
}
