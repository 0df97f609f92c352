//! The keys of what lies sealed in the file.

use super::super::{KeyStorage, Stored};
use super::{SqliteStorage, id};
use crate::at_rest::{ClinicKeyRow, ClinicKeys, NO_CLINIC, wrap_anew};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use shared_model::ids::{ClinicId, DocumentId};
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
}

#[async_trait]
impl KeyStorage for SqliteStorage {
    async fn wrap_keys_anew(&self) -> Stored<u64> {
        let rows = self.read(all_clinic_keys).await?;
        let anew: Vec<(ClinicId, ClinicKeyRow)> = wrap_anew(&self.at_rest, &rows)?;
        let count = anew.len() as u64;
        self.write(move |connection| {
            let mut update = connection
                .prepare_cached("update clinic_keys set wrapped = ?3 where clinic = ?1 and version = ?2")?;
            for (clinic, row) in anew {
                update.execute(params![clinic.bytes(), row.version, row.wrapped])?;
            }
            Ok(())
        })
        .await?;
        Ok(count)
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

/// None for a clinic that does not exist.
fn clinic_keys(connection: &Connection, clinic: ClinicId, first: &ClinicKeyRow) -> Stored<Vec<ClinicKeyRow>> {
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
