//! Compaction, one short transaction a step. Freed pages are given back to the file system a few at a time where the
//! file was created for it (`auto_vacuum = incremental`); an older file reuses them.

use super::super::compaction::{
    AuditRun, Compactable, Compaction, CompactionStorage, OldChange, STEP_LOOKS_AT, whole_and_old,
};
use super::super::trail::Link;
use super::super::{AuditRow, Stored, heads_bytes, signed, unsigned};
use super::{SqliteStorage, feeds, id};
use crate::at_rest::ClinicKeys;
use crate::trail::{beginning, link_runs};
use async_trait::async_trait;
use automerge::ChangeHash;
use rusqlite::{Connection, OptionalExtension, params};
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
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

fn horizon(connection: &Connection, clinic: ClinicId) -> Stored<u64> {
    let horizon = connection
        .prepare_cached("select horizon from compaction where clinic = ?1")?
        .query_row([clinic.bytes()], |row| row.get(0))
        .optional()?;
    Ok(horizon.map_or(0, unsigned))
}

fn compactable(
    connection: &Connection,
    clinic: ClinicId,
    until: Timestamp,
    keys: &ClinicKeys,
) -> Stored<Option<Compactable>> {
    let after = horizon(connection, clinic)?;
    let mut select = connection.prepare_cached(
        "select number, position, document, hash, accepted_at from changes
         where clinic = ?1 and number > ?2 order by number, position limit ?3",
    )?;
    let rows = select.query_map(params![clinic.bytes(), signed(after), STEP_LOOKS_AT], |row| {
        Ok(OldChange {
            number: unsigned(row.get(0)?),
            position: row.get(1)?,
            document: id(row, 2, DocumentId)?,
            hash: ChangeHash(row.get(3)?),
            accepted_at: Timestamp(row.get(4)?),
        })
    })?;
    let changes = whole_and_old(rows.collect::<rusqlite::Result<_>>()?, until);
    let Some(through) = changes.last().map(|change| change.number) else {
        return Ok(None);
    };
    let mut select = connection.prepare_cached(
        "select number, position, account, device, document, verb, at from audit
         where clinic = ?1 and number > ?2 and number <= ?3 order by number, position",
    )?;
    let rows = select.query_map(params![clinic.bytes(), signed(after), signed(through)], |row| {
        let audit = AuditRow {
            number: unsigned(row.get(0)?),
            position: row.get(1)?,
            account: id(row, 2, AccountId)?,
            device: id(row, 3, DeviceId)?,
            document: id(row, 4, DocumentId)?,
            verb: row.get(5)?,
        };
        Ok((audit, Timestamp(row.get(6)?)))
    })?;
    let audit = rows.collect::<rusqlite::Result<_>>()?;
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
        appended,
    }))
}

fn compact(connection: &Connection, clinic: ClinicId, step: &Compaction, keys: &ClinicKeys) -> Stored<bool> {
    if horizon(connection, clinic)? != step.after {
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
    let ends = ends(connection, clinic, step)?;
    for table in ["changes", "audit"] {
        connection
            .prepare_cached(&format!(
                "delete from {table} where clinic = ?1 and number > ?2 and number <= ?3"
            ))?
            .execute(params![clinic.bytes(), signed(step.after), signed(step.through)])?;
    }
    let links = link_runs(clinic, ends.runs, &step.audit);
    write_audit(connection, clinic, &step.audit, &links)?;
    connection
        .prepare_cached(
            "insert into compaction (clinic, horizon, runs, joint) values (?1, ?2, ?3, ?4)
             on conflict (clinic) do update set horizon = excluded.horizon, runs = excluded.runs,
                 joint = excluded.joint",
        )?
        .execute(params![
            clinic.bytes(),
            signed(step.through),
            links.last().unwrap_or(&ends.runs),
            ends.joint
        ])?;
    Ok(true)
}

/// Where the trail's chains stand before a step and, of the single rows, after it.
struct Ends {
    runs: Link,
    joint: Option<Link>,
}

fn ends(connection: &Connection, clinic: ClinicId, step: &Compaction) -> Stored<Ends> {
    let taken: Option<Link> = connection
        .prepare_cached(
            "select link from audit where clinic = ?1 and number > ?2 and number <= ?3 and link is not null
             order by number desc, position desc limit 1",
        )?
        .query_row(
            params![clinic.bytes(), signed(step.after), signed(step.through)],
            |row| row.get(0),
        )
        .optional()?;
    Ok(connection
        .prepare_cached(
            "select chained_after, runs, joint from clinics left join compaction using (clinic) where clinic = ?1",
        )?
        .query_row([clinic.bytes()], |row| {
            let beginning = beginning(clinic, unsigned(row.get(0)?));
            Ok(Ends {
                runs: row.get::<_, Option<Link>>(1)?.unwrap_or(beginning),
                joint: taken.or(row.get(2)?),
            })
        })?)
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

fn write_audit(connection: &Connection, clinic: ClinicId, runs: &[AuditRun], links: &[Link]) -> Stored<()> {
    let mut insert = connection.prepare_cached(
        "insert into audit (clinic, number, position, account, device, document, verb, at, last_at, changes, hash, link)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for (run, link) in runs.iter().zip(links) {
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
