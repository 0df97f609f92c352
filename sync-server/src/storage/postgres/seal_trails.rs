//! The first seals of a clinic's trail, and the roll of clinics: for those that a build of before has left, when the first node of
//! this one connects, and for each new one.
//!
//! Invariant: what is there without a seal is sealed once, when the server's key still lies as such a build has left it.

use super::super::Stored;
use super::at_rest::{clinic_keys, stored_keys};
use super::{id, trail};
use crate::at_rest::{AtRest, ClinicKeyRow, ClinicKeys, NO_CLINIC};
use crate::trail::{End, Roll, Seals, seal_on};
use shared_model::ids::ClinicId;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgPool};

/// However many clinics there are, and however long another node is at it; and nobody writes into a trail meanwhile.
const PATIENCE: &str = "set local statement_timeout = 0; set local lock_timeout = 0;
                        set local idle_in_transaction_session_timeout = 0;
                        lock table clinic_roll in share row exclusive mode;";
const ALONE: &str = "lock table clinics, compaction, event_ends in share row exclusive mode;
                     update clinics set sealed_after = head; update event_ends set sealed_after = events;";

pub(super) async fn seal_trails(pool: &PgPool, at_rest: &AtRest) -> Stored<()> {
    if roll(&mut *pool.acquire().await?).await?.is_some() {
        return Ok(());
    }
    let mut tx = pool.begin().await?;
    sqlx::raw_sql(PATIENCE).execute(&mut *tx).await?;
    if roll(&mut tx).await?.is_some() {
        return Ok(());
    }
    let Some(server) = key_of_seals(&mut tx, at_rest).await? else {
        tracing::error!("the seals of the trails are gone, and are not made anew: see `admin audit verify`");
        return Ok(());
    };
    sqlx::raw_sql(ALONE).execute(&mut *tx).await?;
    let rows = sqlx::query("select clinic from clinics order by clinic")
        .fetch_all(&mut *tx)
        .await?;
    let clinics: Stored<Vec<ClinicId>> = rows.iter().map(|row| id(row, 0, ClinicId)).collect();
    let roll = Roll(clinics?);
    for clinic in &roll.0 {
        let rows = clinic_keys(&mut tx, at_rest, *clinic).await?;
        seal_ends(&mut tx, *clinic, &at_rest.open_once(*clinic, &rows)?).await?;
    }
    sqlx::query("insert into clinic_roll (one, clinics, seal) values (1, $1, $2)")
        .bind(roll.bytes())
        .bind(server.seal_end(&roll.text())?)
        .execute(&mut *tx)
        .await?;
    Ok(tx.commit().await?)
}

/// The server's key, from now on as one that has sealed; `None` if it has before.
async fn key_of_seals(connection: &mut PgConnection, at_rest: &AtRest) -> Stored<Option<ClinicKeys>> {
    let before = stored_keys(&mut *connection, NO_CLINIC).await?;
    let rows: Option<Vec<ClinicKeyRow>> = if before.is_empty() {
        // Where there are people there was a key.
        let people = sqlx::query("select 1 from person_keys limit 1")
            .fetch_optional(&mut *connection)
            .await?;
        match people {
            Some(_) => None,
            None => Some(clinic_keys(&mut *connection, at_rest, NO_CLINIC).await?),
        }
    } else {
        at_rest.of_sealed_trails(&before)?
    };
    let Some(rows) = rows else { return Ok(None) };
    for row in &rows {
        sqlx::query("update clinic_keys set wrapped = $3 where clinic = $1 and version = $2")
            .bind(NO_CLINIC.0)
            .bind(row.version.cast_signed())
            .bind(&row.wrapped)
            .execute(&mut *connection)
            .await?;
    }
    at_rest.open_once(NO_CLINIC, &rows).map(Some)
}

async fn seal_ends(connection: &mut PgConnection, clinic: ClinicId, keys: &ClinicKeys) -> Stored<()> {
    for begin in [
        "insert into compaction (clinic, horizon) values ($1, 0) on conflict do nothing",
        "insert into event_ends (clinic, events) values ($1, 0) on conflict do nothing",
    ] {
        sqlx::query(begin)
            .bind(clinic.0)
            .execute(&mut *connection)
            .await?;
    }
    let (anchors, _) = trail::ends(&mut *connection, clinic).await?;
    let seals = Seals::first(keys, &anchors)?;
    for (update, seal) in [
        ("update clinics set seal = $2 where clinic = $1", seals.written),
        ("update compaction set seal = $2 where clinic = $1", seals.runs),
        ("update event_ends set seal = $2 where clinic = $1", seals.events),
    ] {
        sqlx::query(update)
            .bind(clinic.0)
            .bind(seal)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// A clinic that was opened in this transaction.
pub(super) async fn begin_trail(
    connection: &mut PgConnection,
    clinic: ClinicId,
    keys: &ClinicKeys,
    server: &ClinicKeys,
) -> Stored<()> {
    seal_ends(&mut *connection, clinic, keys).await?;
    // Others who open a clinic wait here.
    sqlx::query("select 1 from clinic_roll for update")
        .execute(&mut *connection)
        .await?;
    let Some((roll, seal)) = roll(&mut *connection).await? else {
        tracing::error!(%clinic, "the roll of clinics is gone: see `admin audit verify`");
        return Ok(());
    };
    let now = roll.with(clinic);
    sqlx::query("update clinic_roll set clinics = $1, seal = $2")
        .bind(now.bytes())
        .bind(seal_on(server, &roll, seal.as_deref(), &now)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// With its seal.
pub(super) async fn roll(connection: &mut PgConnection) -> Stored<Option<(Roll, Option<Vec<u8>>)>> {
    let row = sqlx::query("select clinics, seal from clinic_roll")
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok((Roll::read(row.try_get(0)?), row.try_get(1)?)))
        .transpose()
}
