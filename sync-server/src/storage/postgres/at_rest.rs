//! The keys of what lies sealed in the database.

use super::super::{KeyStorage, Stored};
use super::{PostgresStorage, id};
use crate::at_rest::{ClinicKeyRow, ClinicKeys, NO_CLINIC, wrap_anew};
use async_trait::async_trait;
use shared_model::ids::{ClinicId, DocumentId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::sync::Arc;

impl PostgresStorage {
    /// A clinic's keys; the first is made when it is first asked for, by whichever node is first.
    pub(super) async fn keys(&self, clinic: ClinicId) -> Stored<Arc<ClinicKeys>> {
        if let Some(keys) = self.at_rest.known(clinic) {
            return Ok(keys);
        }
        let first = self.at_rest.first_key(clinic);
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
        .execute(&self.pool)
        .await?;
        let rows = sqlx::query("select version, wrapped from clinic_keys where clinic = $1")
            .bind(clinic.0)
            .fetch_all(&self.pool)
            .await?;
        let rows: Vec<ClinicKeyRow> = rows.iter().map(clinic_key).collect::<Stored<_>>()?;
        self.at_rest.open(clinic, &rows)
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
        let anew = wrap_anew(&self.at_rest, &rows)?;
        for (clinic, row) in &anew {
            sqlx::query("update clinic_keys set wrapped = $3 where clinic = $1 and version = $2")
                .bind(clinic.0)
                .bind(row.version.cast_signed())
                .bind(&row.wrapped)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(anew.len() as u64)
    }
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
