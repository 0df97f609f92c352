//! The keys of what lies sealed in the file.

use super::super::{IdentityStorage, KeyStorage, Storage, StorageError, Stored};
use super::{SqliteStorage, id};
use crate::at_rest::{ClinicKeyRow, ClinicKeys, LookUp, NO_CLINIC, PeopleKeys, PersonKey};
use crate::identity::random;
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use shared_model::ids::{AccountId, ClinicId, DocumentId};
use std::sync::Arc;

impl SqliteStorage {
    /// A clinic's keys; the first is made when it is first asked for.
    pub(super) async fn keys(&self, clinic: ClinicId) -> Stored<Arc<ClinicKeys>> {
        if let Some(keys) = self.at_rest.known(clinic) {
            return Ok(keys);
        }
        let first = self.at_rest.first_key(clinic);
        let rows = self
            .write(move |connection| clinic_keys(connection, clinic, &first))
            .await?;
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
impl KeyStorage for SqliteStorage {
    async fn wrap_keys_anew(&self) -> Stored<u64> {
        let at_rest = Arc::clone(&self.at_rest);
        self.write(move |connection| {
            let clinics = at_rest.wrap_clinic_keys_anew(&all_clinic_keys(connection)?)?;
            let mut update = connection
                .prepare_cached("update clinic_keys set wrapped = ?3 where clinic = ?1 and version = ?2")?;
            for (clinic, row) in &clinics {
                update.execute(params![clinic.bytes(), row.version, row.wrapped])?;
            }
            let people = at_rest.wrap_person_keys_anew(&all_person_keys(connection)?)?;
            let mut update =
                connection.prepare_cached("update person_keys set wrapped = ?2 where account = ?1")?;
            for (account, wrapped) in &people {
                update.execute(params![account.bytes(), wrapped])?;
            }
            Ok((clinics.len() + people.len()) as u64)
        })
        .await
    }
}

fn all_clinic_keys(connection: &Connection) -> Stored<Vec<(ClinicId, ClinicKeyRow)>> {
    let mut select = connection.prepare_cached("select clinic, version, wrapped from clinic_keys")?;
    let rows = select.query_map([], |row| {
        let key = ClinicKeyRow {
            version: row.get(1)?,
            wrapped: row.get(2)?,
        };
        Ok((id(row, 0, ClinicId)?, key))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn all_person_keys(connection: &Connection) -> Stored<Vec<(AccountId, Vec<u8>)>> {
    let mut select = connection.prepare_cached("select account, wrapped from person_keys")?;
    let rows = select.query_map([], |row| Ok((id(row, 0, AccountId)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// `None` of somebody who was erased, or who never was.
pub(super) fn person_key(
    connection: &Connection,
    keys: &PeopleKeys,
    account: AccountId,
) -> Stored<Option<PersonKey>> {
    let wrapped: Option<Vec<u8>> = connection
        .prepare_cached("select wrapped from person_keys where account = ?1")?
        .query_row([account.bytes()], |row| row.get(0))
        .optional()?;
    wrapped.map(|wrapped| keys.of(account, &wrapped)).transpose()
}

/// The same where there has to be one.
pub(super) fn their_key(connection: &Connection, keys: &PeopleKeys, account: AccountId) -> Stored<PersonKey> {
    person_key(connection, keys, account)?.ok_or(StorageError::NoSuchPerson)
}

/// A key for somebody who has none.
pub(super) fn add_person_key(
    connection: &Connection,
    keys: &PeopleKeys,
    account: AccountId,
) -> Stored<PersonKey> {
    let (key, wrapped) = keys.at_rest.fresh_person_key(account);
    connection
        .prepare_cached("insert into person_keys (account, wrapped) values (?1, ?2)")?
        .execute(params![account.bytes(), wrapped])?;
    Ok(key)
}

/// None for a clinic that does not exist.
pub(super) fn clinic_keys(
    connection: &Connection,
    clinic: ClinicId,
    first: &ClinicKeyRow,
) -> Stored<Vec<ClinicKeyRow>> {
    connection
        .prepare_cached(
            "insert into clinic_keys (clinic, version, wrapped) select ?1, ?2, ?3
             where not exists (select 1 from clinic_keys where clinic = ?1)
               and (?1 = ?4 or exists (select 1 from clinics where clinic = ?1))",
        )?
        .execute(params![
            clinic.bytes(),
            first.version,
            first.wrapped,
            NO_CLINIC.bytes()
        ])?;
    stored_keys(connection, clinic)
}

pub(super) fn stored_keys(connection: &Connection, clinic: ClinicId) -> Stored<Vec<ClinicKeyRow>> {
    let mut select =
        connection.prepare_cached("select version, wrapped from clinic_keys where clinic = ?1")?;
    let rows = select.query_map([clinic.bytes()], |row| {
        Ok(ClinicKeyRow {
            version: row.get(0)?,
            wrapped: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The wrapped keys of those of these documents that have one.
pub(super) fn document_keys(
    connection: &Connection,
    clinic: ClinicId,
    documents: &[DocumentId],
) -> Stored<Vec<(DocumentId, Vec<u8>)>> {
    let mut select =
        connection.prepare_cached("select wrapped from document_keys where clinic = ?1 and document = ?2")?;
    let mut found = Vec::with_capacity(documents.len());
    for document in documents {
        let wrapped = select
            .query_row([clinic.bytes(), document.bytes()], |row| row.get(0))
            .optional()?;
        found.extend(wrapped.map(|wrapped| (*document, wrapped)));
    }
    Ok(found)
}

pub(super) fn add_document_keys(
    connection: &Connection,
    clinic: ClinicId,
    wrapped: &[(DocumentId, Vec<u8>)],
) -> Stored<()> {
    let mut insert = connection
        .prepare_cached("insert into document_keys (clinic, document, wrapped) values (?1, ?2, ?3)")?;
    for (document, wrapped) in wrapped {
        insert.execute(params![clinic.bytes(), document.bytes(), wrapped])?;
    }
    Ok(())
}
