//! Who belongs where, sign-ins, writers and secrets.

use super::super::{
    ActorRow, DemonstrationAccount, IdentityStorage, NewClinic, RefreshJudge, StorageError, Stored, Whom,
    roles, roles_words,
};
use super::accounts::{Beginning, begin_account, optional_client};
use super::at_rest::clinic_keys;
use super::seal_trails::begin_trail;
use super::{PostgresStorage, id, listen};
use crate::at_rest::{ClinicKeys, FULL_NAME, NO_CLINIC};
use crate::identity::{NewRefreshToken, REMEMBER_ROTATED_MS, RefreshVerdict, SignInLife, StoredRefreshToken};
use async_trait::async_trait;
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::permissions::Principal;
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

#[async_trait]
impl IdentityStorage for PostgresStorage {
    async fn create_clinic(&self, clinic: NewClinic) -> Stored<()> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        sqlx::query("insert into clinics (clinic, name, created_at) values ($1, $2, $3)")
            .bind(clinic.clinic.0)
            .bind(&clinic.name)
            .bind(clinic.created_at.0)
            .execute(&mut *tx)
            .await?;
        for account in &clinic.accounts {
            let new = Beginning {
                account: account.account,
                email: &account.email,
                full_name: &account.full_name,
                password_hash: &account.password_hash,
                email_verified: false,
            };
            if !begin_account(&mut tx, &keys, &new).await? {
                let is_there = sqlx::query("select 1 from accounts where account = $1")
                    .bind(account.account.0)
                    .fetch_optional(&mut *tx)
                    .await?;
                is_there
                    .ok_or_else(|| StorageError::Failed("an address has an account already".to_owned()))?;
            }
            sqlx::query("insert into memberships (clinic, account, roles, client) values ($1, $2, $3, $4)")
                .bind(clinic.clinic.0)
                .bind(account.account.0)
                .bind(roles_words(&account.roles))
                .bind(account.client.map(|client| client.0))
                .execute(&mut *tx)
                .await?;
        }
        for (position, account) in (0_i32..).zip(&clinic.demonstration) {
            sqlx::query(
                "insert into demonstration_accounts (clinic, position, email, full_name, roles, password)
                 values ($1, $2, $3, $4, $5, $6)",
            )
            .bind(clinic.clinic.0)
            .bind(position)
            .bind(&account.email)
            .bind(&account.full_name)
            .bind(roles_words(&account.roles))
            .bind(&account.password)
            .execute(&mut *tx)
            .await?;
        }
        let of_clinic = clinic_keys(&mut tx, &self.at_rest, clinic.clinic).await?;
        let of_clinic = self.at_rest.open_once(clinic.clinic, &of_clinic)?;
        begin_trail(&mut tx, clinic.clinic, &of_clinic, &keys.server).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn principals(&self, account: AccountId) -> Stored<Vec<Principal>> {
        let keys = self.people_keys().await?;
        let rows = sqlx::query(
            "select m.clinic, m.roles, m.client, k.wrapped, a.full_name
             from memberships m join accounts a on a.account = m.account
             join person_keys k on k.account = m.account
             where m.account = $1 order by m.clinic",
        )
        .bind(account.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Principal {
                    account,
                    clinic: id(row, 0, ClinicId)?,
                    roles: roles(row.try_get(1)?),
                    client: optional_client(row, 2)?,
                    name: keys.shown(account, row.try_get(3)?, FULL_NAME, row.try_get(4)?),
                })
            })
            .collect()
    }

    async fn rotate_refresh_token(
        &self,
        hash: [u8; 32],
        fresh: [u8; 32],
        life: SignInLife,
        now: Timestamp,
        judge: RefreshJudge,
    ) -> Stored<(RefreshVerdict, Option<StoredRefreshToken>)> {
        let mut tx = self.pool.begin().await?;
        let row = sqlx::query(
            "select family, account, clinic, device, expires_at, rotated_at, successor,
                 exists (select 1 from lost_devices l where l.device = refresh_tokens.device), begun_at
             from refresh_tokens where hash = $1 for update",
        )
        .bind(hash.as_slice())
        .fetch_optional(&mut *tx)
        .await?;
        let mut stored = row.as_ref().map(read_token).transpose()?;
        let successor: Option<Vec<u8>> = row.map(|row| row.try_get(6)).transpose()?.flatten();
        if let (Some(stored), Some(successor)) = (&mut stored, &successor) {
            // Under lock too: it may be in use at this moment.
            let unused =
                sqlx::query("select rotated_at is null from refresh_tokens where hash = $1 for update")
                    .bind(successor)
                    .fetch_optional(&mut *tx)
                    .await?;
            stored.successor_is_unused = unused.map(|row| row.try_get(0)).transpose()?.unwrap_or(false);
        }
        let verdict = judge(stored.as_ref());
        match (&verdict, &stored) {
            (RefreshVerdict::Rotate, Some(stored)) => {
                if let Some(former) = &successor {
                    sqlx::query("update refresh_tokens set rotated_at = $2 where hash = $1")
                        .bind(former)
                        .bind(now.0)
                        .execute(&mut *tx)
                        .await?;
                }
                sqlx::query(
                    "update refresh_tokens set rotated_at = coalesce(rotated_at, $2), successor = $3 where hash = $1",
                )
                .bind(hash.as_slice())
                .bind(now.0)
                .bind(fresh.as_slice())
                .execute(&mut *tx)
                .await?;
                sqlx::query("delete from refresh_tokens where family = $1 and rotated_at < $2")
                    .bind(Uuid::from_bytes(stored.family))
                    .bind(now.0 - REMEMBER_ROTATED_MS)
                    .execute(&mut *tx)
                    .await?;
                sqlx::query("update devices set last_seen = $3 where account = $1 and device = $2")
                    .bind(stored.account.0)
                    .bind(stored.device.0)
                    .bind(now.0)
                    .execute(&mut *tx)
                    .await?;
                let token = NewRefreshToken {
                    hash: fresh,
                    family: stored.family,
                    account: stored.account,
                    clinic: stored.clinic,
                    device: stored.device,
                    begun_at: stored.begun_at,
                    expires_at: life.expires_at(stored.begun_at, now),
                };
                insert_token(&mut tx, &token).await?;
            }
            (RefreshVerdict::EndFamily, Some(stored)) => {
                end_family(&mut tx, stored.family).await?;
                listen::tell_of(&mut tx, Whom::Account(stored.account), self.node).await?;
            }
            _ => {}
        }
        tx.commit().await?;
        Ok((verdict, stored))
    }

    async fn forget_stale_tokens(&self, now: Timestamp) -> Stored<u64> {
        let forgotten = sqlx::query(
            "delete from refresh_tokens where (expires_at <= $1 or rotated_at < $2)
             and not exists (select 1 from lost_devices l where l.device = refresh_tokens.device)",
        )
        .bind(now.0)
        .bind(now.0 - REMEMBER_ROTATED_MS)
        .execute(&self.pool)
        .await?;
        Ok(forgotten.rows_affected())
    }

    async fn end_family(&self, family: [u8; 16]) -> Stored<()> {
        let mut connection = self.pool.acquire().await?;
        end_family(&mut connection, family).await
    }

    async fn family_ends(&self, family: [u8; 16], now: Timestamp) -> Stored<Option<Timestamp>> {
        let row = sqlx::query(
            "select max(expires_at) from refresh_tokens where family = $1 and expires_at > $2
             and not exists (select 1 from lost_devices l where l.device = refresh_tokens.device)",
        )
        .bind(Uuid::from_bytes(family))
        .bind(now.0)
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp))
    }

    async fn bind_actor(&self, clinic: ClinicId, row: ActorRow) -> Stored<bool> {
        sqlx::query(
            "insert into actors (clinic, actor, account, device) values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind(clinic.0)
        .bind(&row.actor)
        .bind(row.account.0)
        .bind(row.device.0)
        .execute(&self.pool)
        .await?;
        let found = sqlx::query(
            "select exists (select 1 from actors where clinic = $1 and actor = $2 and account = $3 and device = $4)",
        )
        .bind(clinic.0)
        .bind(&row.actor)
        .bind(row.account.0)
        .bind(row.device.0)
        .fetch_one(&self.pool)
        .await?;
        Ok(found.try_get(0)?)
    }

    async fn secret(&self, name: &str, fresh: [u8; 32]) -> Stored<Vec<u8>> {
        let keys = self.keys(NO_CLINIC).await?;
        let mut connection = self.pool.acquire().await?;
        secret(&mut connection, &keys, name, fresh).await
    }

    async fn demonstration_accounts(&self) -> Stored<Vec<DemonstrationAccount>> {
        let rows = sqlx::query(
            "select email, full_name, roles, password from demonstration_accounts order by clinic, position",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(DemonstrationAccount {
                    email: row.try_get(0)?,
                    full_name: row.try_get(1)?,
                    roles: roles(row.try_get(2)?),
                    password: row.try_get(3)?,
                })
            })
            .collect()
    }
}

fn read_token(row: &PgRow) -> Stored<StoredRefreshToken> {
    Ok(StoredRefreshToken {
        family: row.try_get::<Uuid, _>(0)?.into_bytes(),
        account: id(row, 1, AccountId)?,
        clinic: id(row, 2, ClinicId)?,
        device: id(row, 3, DeviceId)?,
        expires_at: Timestamp(row.try_get(4)?),
        rotated_at: row.try_get::<Option<i64>, _>(5)?.map(Timestamp),
        successor_is_unused: false,
        device_lost: row.try_get(7)?,
        begun_at: Timestamp(row.try_get(8)?),
    })
}

pub(super) async fn secret(
    connection: &mut PgConnection,
    server: &ClinicKeys,
    name: &str,
    fresh: [u8; 32],
) -> Stored<Vec<u8>> {
    sqlx::query("insert into secrets (name, value) values ($1, $2) on conflict do nothing")
        .bind(name)
        .bind(server.seal_value(name, &fresh)?)
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query("select value from secrets where name = $1")
        .bind(name)
        .fetch_one(&mut *connection)
        .await?;
    let (secret, sealed) = server.open_secret(name, row.try_get(0)?)?;
    if let Some(sealed) = sealed {
        sqlx::query("update secrets set value = $2 where name = $1")
            .bind(name)
            .bind(sealed)
            .execute(connection)
            .await?;
    }
    Ok(secret)
}

pub(super) async fn insert_token(
    connection: &mut PgConnection,
    token: &NewRefreshToken,
) -> Result<(), StorageError> {
    sqlx::query(
        "insert into refresh_tokens (hash, family, account, clinic, device, expires_at, begun_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(token.hash.as_slice())
    .bind(Uuid::from_bytes(token.family))
    .bind(token.account.0)
    .bind(token.clinic.0)
    .bind(token.device.0)
    .bind(token.expires_at.0)
    .bind(token.begun_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

async fn end_family(connection: &mut PgConnection, family: [u8; 16]) -> Result<(), StorageError> {
    sqlx::query("delete from refresh_tokens where family = $1")
        .bind(Uuid::from_bytes(family))
        .execute(connection)
        .await?;
    Ok(())
}
