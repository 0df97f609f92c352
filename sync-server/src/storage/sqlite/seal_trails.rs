//! The first seals of a clinic's trail, and the roll of clinics: for those that a build of before has left, when the database is
//! opened, and for each new one.
//!
//! Invariant: what is there without a seal is sealed once, when the server's key still lies as such a build has left it.

use super::super::Stored;
use super::at_rest::{clinic_keys, stored_keys};
use super::{id, trail};
use crate::at_rest::{AtRest, ClinicKeyRow, ClinicKeys, NO_CLINIC};
use crate::trail::{End, Roll, Seals, seal_on};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use shared_model::ids::ClinicId;

pub(super) fn seal_trails(connection: &mut Connection, at_rest: &AtRest) -> Stored<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if tx.prepare_cached("select 1 from clinic_roll")?.exists([])? {
        return Ok(());
    }
    let Some(server) = key_of_seals(&tx, at_rest)? else {
        tracing::error!("the seals of the trails are gone, and are not made anew: see `admin audit verify`");
        return Ok(());
    };
    tx.execute_batch("update clinics set sealed_after = head; update event_ends set sealed_after = events;")?;
    let mut select = tx.prepare("select clinic from clinics order by clinic")?;
    let clinics = select.query_map([], |row| id(row, 0, ClinicId))?;
    let roll = Roll(clinics.collect::<rusqlite::Result<_>>()?);
    drop(select);
    for clinic in &roll.0 {
        let rows = clinic_keys(&tx, *clinic, &at_rest.first_key(*clinic))?;
        seal_ends(&tx, *clinic, &at_rest.open_once(*clinic, &rows)?)?;
    }
    tx.execute(
        "insert into clinic_roll (one, clinics, seal) values (1, ?1, ?2)",
        params![roll.bytes(), server.seal_end(&roll.text())?],
    )?;
    Ok(tx.commit()?)
}

/// The server's key, from now on as one that has sealed; `None` if it has before.
fn key_of_seals(connection: &Connection, at_rest: &AtRest) -> Stored<Option<ClinicKeys>> {
    let before = stored_keys(connection, NO_CLINIC)?;
    let rows: Option<Vec<ClinicKeyRow>> = if before.is_empty() {
        // Where there are people there was a key.
        let is_used = connection.prepare("select 1 from person_keys")?.exists([])?;
        let first = || clinic_keys(connection, NO_CLINIC, &at_rest.first_key(NO_CLINIC));
        (!is_used).then(first).transpose()?
    } else {
        at_rest.of_sealed_trails(&before)?
    };
    let Some(rows) = rows else { return Ok(None) };
    let mut update =
        connection.prepare("update clinic_keys set wrapped = ?3 where clinic = ?1 and version = ?2")?;
    for row in &rows {
        update.execute(params![NO_CLINIC.bytes(), row.version, row.wrapped])?;
    }
    at_rest.open_once(NO_CLINIC, &rows).map(Some)
}

fn seal_ends(connection: &Connection, clinic: ClinicId, keys: &ClinicKeys) -> Stored<()> {
    for begin in [
        "insert into compaction (clinic, horizon) values (?1, 0) on conflict do nothing",
        "insert into event_ends (clinic, events) values (?1, 0) on conflict do nothing",
    ] {
        connection.execute(begin, [clinic.bytes()])?;
    }
    let (anchors, _) = trail::ends(connection, clinic)?;
    let seals = Seals::first(keys, &anchors)?;
    for (table, seal) in [
        ("clinics", seals.written),
        ("compaction", seals.runs),
        ("event_ends", seals.events),
    ] {
        connection.execute(
            &format!("update {table} set seal = ?2 where clinic = ?1"),
            params![clinic.bytes(), seal],
        )?;
    }
    Ok(())
}

/// A clinic that was opened in this transaction.
pub(super) fn begin_trail(
    connection: &Connection,
    clinic: ClinicId,
    keys: &ClinicKeys,
    server: &ClinicKeys,
) -> Stored<()> {
    seal_ends(connection, clinic, keys)?;
    let Some((roll, seal)) = roll(connection)? else {
        tracing::error!(%clinic, "the roll of clinics is gone: see `admin audit verify`");
        return Ok(());
    };
    let now = roll.with(clinic);
    connection.execute(
        "update clinic_roll set clinics = ?1, seal = ?2",
        params![now.bytes(), seal_on(server, &roll, seal.as_deref(), &now)?],
    )?;
    Ok(())
}

/// With its seal.
pub(super) fn roll(connection: &Connection) -> Stored<Option<(Roll, Option<Vec<u8>>)>> {
    let row = connection
        .prepare_cached("select clinics, seal from clinic_roll")?
        .query_row([], |row| {
            Ok((Roll::read(row.get_ref(0)?.as_blob()?), row.get(1)?))
        })
        .optional()?;
    Ok(row)
}
