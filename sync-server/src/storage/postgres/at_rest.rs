//! The keys of what lies sealed in the database.

use super::super::{IdentityStorage, KeyStorage, Storage, StorageError, Stored};
use super::{PostgresStorage, id};
use crate::at_rest::{AtRest, ClinicKeyRow, ClinicKeys, LookUp, NO_CLINIC, PeopleKeys, PersonKey};
use crate::identity::random;
use async_trait::async_trait;
use shared_model::ids::{AccountId, ClinicId, DocumentId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::sync::Arc;

impl PostgresStorage {
    /// A clinic's keys; the first is made when it is first asked for, by whichever node is first.
    pub(super) async fn keys(&self, clinic: ClinicId) -> Stored<Arc<ClinicKeys>> {
        if let Some(keys) = self.at_rest.known(clinic) {
            return Ok(keys);
        }
        let mut connection = self.pool.acquire().await?;
        let rows = clinic_keys(&mut connection, &self.at_rest, clinic).await?;
        self.at_rest.open(clinic, &rows)
    }

    /// The same; `None` for a clinic that does not exist.
    pub(super) async fn keys_of(&self, clinic: ClinicId) -> Stored<Option<Arc<ClinicKeys>>> {
        if self.at_rest.known(clinic).is_none() && self.heads(&[clinic]).await?.is_empty() {
            return Ok(None);
        }
        self.keys(clinic).await.map(Some)
    }

    /// What people's rows are sealed, opened and found with.
    pub(super) async fn people_keys(&self) -> Stored<PeopleKeys> {
        if let Some(keys) = self.at_rest.people() {
            return Ok(keys);
        }
        let secret = self.secret(LookUp::SECRET, random()).await?;
        Ok(self.at_rest.open_people(self.keys(NO_CLINIC).await?, secret))
    }
}

#[async_trait]
impl KeyStorage for PostgresStorage {
    async fn wrap_keys_anew(&self) -> Stored<u64> {
        let mut tx = self.pool.begin().await?;
        let rows = sqlx::query("select version, wrapped, clinic from clinic_keys for update")
            .fetch_all(&mut *tx)
            .await?;
        let rows: Vec<(ClinicId, ClinicKeyRow)> = rows
            .iter()
            .map(|row| Ok((id(row, 2, ClinicId)?, clinic_key(row)?)))
            .collect::<Stored<_>>()?;
        let clinics = self.at_rest.wrap_clinic_keys_anew(&rows)?;
        for (clinic, row) in &clinics {
            sqlx::query("update clinic_keys set wrapped = $3 where clinic = $1 and version = $2")
                .bind(clinic.0)
                .bind(row.version.cast_signed())
                .bind(&row.wrapped)
                .execute(&mut *tx)
                .await?;
        }
        let rows = sqlx::query("select account, wrapped from person_keys for update")
            .fetch_all(&mut *tx)
            .await?;
        let rows: Vec<(AccountId, Vec<u8>)> = rows
            .iter()
            .map(|row| Ok((id(row, 0, AccountId)?, row.try_get(1)?)))
            .collect::<Stored<_>>()?;
        let people = self.at_rest.wrap_person_keys_anew(&rows)?;
        let (accounts, wrapped): (Vec<_>, Vec<_>) = people
            .iter()
            .map(|(account, wrapped)| (account.0, wrapped.as_slice()))
            .unzip();
        sqlx::query(
            "update person_keys p set wrapped = anew.wrapped
             from unnest($1::uuid[], $2::bytea[]) anew (account, wrapped) where p.account = anew.account",
        )
        .bind(accounts)
        .bind(wrapped)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok((clinics.len() + people.len()) as u64)
    }
}

/// A clinic's keys as they lie in the database, with a first one if there was none; none for a clinic that does not exist.
pub(super) async fn clinic_keys(
    connection: &mut PgConnection,
    at_rest: &AtRest,
    clinic: ClinicId,
) -> Stored<Vec<ClinicKeyRow>> {
    let first = at_rest.first_key(clinic);
    sqlx::query(
        "insert into clinic_keys (clinic, version, wrapped) select $1, $2, $3
         where not exists (select 1 from clinic_keys where clinic = $1)
           and ($1 = $4 or exists (select 1 from clinics where clinic = $1))
         on conflict do nothing",
    )
    .bind(clinic.0)
    .bind(first.version.cast_signed())
    .bind(&first.wrapped)
    .bind(NO_CLINIC.0)
    .execute(&mut *connection)
    .await?;
    stored_keys(connection, clinic).await
}

pub(super) async fn stored_keys(
    connection: &mut PgConnection,
    clinic: ClinicId,
) -> Stored<Vec<ClinicKeyRow>> {
    let rows = sqlx::query("select version, wrapped from clinic_keys where clinic = $1")
        .bind(clinic.0)
        .fetch_all(connection)
        .await?;
    rows.iter().map(clinic_key).collect()
}

/// `None` of somebody who was erased, or who never was. Nobody is erased before the transaction ends.
pub(super) async fn person_key(
    connection: &mut PgConnection,
    keys: &PeopleKeys,
    account: AccountId,
) -> Stored<Option<PersonKey>> {
    let row = sqlx::query("select wrapped from person_keys where account = $1 for share")
        .bind(account.0)
        .fetch_optional(connection)
        .await?;
    row.map(|row| keys.of(account, row.try_get(0)?)).transpose()
}

/// The same where there has to be one.
pub(super) async fn their_key(
    connection: &mut PgConnection,
    keys: &PeopleKeys,
    account: AccountId,
) -> Stored<PersonKey> {
    let key = person_key(connection, keys, account).await?;
    key.ok_or(StorageError::NoSuchPerson)
}

/// A key for somebody who has none.
pub(super) async fn add_person_key(
    connection: &mut PgConnection,
    keys: &PeopleKeys,
    account: AccountId,
) -> Stored<PersonKey> {
    let (key, wrapped) = keys.at_rest.fresh_person_key(account);
    sqlx::query("insert into person_keys (account, wrapped) values ($1, $2)")
        .bind(account.0)
        .bind(wrapped)
        .execute(connection)
        .await?;
    Ok(key)
}

fn clinic_key(row: &PgRow) -> Stored<ClinicKeyRow> {
    Ok(ClinicKeyRow {
        version: row.try_get::<i32, _>(0)?.cast_unsigned(),
        wrapped: row.try_get(1)?,
    })
}

/// The wrapped keys of those of these documents that have one.
pub(super) async fn document_keys(
    connection: &mut PgConnection,
    clinic: ClinicId,
    documents: &[DocumentId],
) -> Stored<Vec<(DocumentId, Vec<u8>)>> {
    if documents.is_empty() {
        return Ok(Vec::new());
    }
    let rows =
        sqlx::query("select document, wrapped from document_keys where clinic = $1 and document = any($2)")
            .bind(clinic.0)
            .bind(documents.iter().map(|id| id.0).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
    rows.iter()
        .map(|row| Ok((id(row, 0, DocumentId)?, row.try_get(1)?)))
        .collect()
}
