//! Who belongs where, sign-ins, writers and secrets.

use super::super::{
    ActorRow, DemonstrationAccount, IdentityStorage, NewClinic, RefreshJudge, Stored, roles, roles_words,
};
use super::accounts::{Beginning, begin_account, optional_client};
use super::at_rest::clinic_keys;
use super::seal_trails::begin_trail;
use super::{SqliteStorage, id};
use crate::at_rest::{ClinicKeys, FULL_NAME, NO_CLINIC};
use crate::identity::{NewRefreshToken, REMEMBER_ROTATED_MS, RefreshVerdict, SignInLife, StoredRefreshToken};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::permissions::Principal;
use shared_model::time::Timestamp;

#[async_trait]
impl IdentityStorage for SqliteStorage {
    async fn create_clinic(&self, clinic: NewClinic) -> Stored<()> {
        let keys = self.people_keys().await?;
        let first = self.at_rest.first_key(clinic.clinic);
        self.write(move |connection| {
            let key = clinic.clinic.bytes();
            connection.execute(
                "insert into clinics (clinic, name, created_at) values (?1, ?2, ?3)",
                params![key, clinic.name, clinic.created_at.0],
            )?;
            for account in &clinic.accounts {
                let new = Beginning {
                    account: account.account,
                    email: &account.email,
                    full_name: &account.full_name,
                    password_hash: &account.password_hash,
                    email_verified: false,
                };
                begin_account(connection, &keys, &new)?;
                connection.execute(
                    "insert into memberships (clinic, account, roles, client) values (?1, ?2, ?3, ?4)",
                    params![
                        key,
                        account.account.bytes(),
                        roles_words(&account.roles),
                        account.client.map(|client| *client.bytes()),
                    ],
                )?;
            }
            for (position, account) in clinic.demonstration.iter().enumerate() {
                connection.execute(
                    "insert into demonstration_accounts (clinic, position, email, full_name, roles, password)
                     values (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        key,
                        position,
                        account.email,
                        account.full_name,
                        roles_words(&account.roles),
                        account.password
                    ],
                )?;
            }
            let of_clinic = clinic_keys(connection, clinic.clinic, &first)?;
            let of_clinic = keys.at_rest.open_once(clinic.clinic, &of_clinic)?;
            begin_trail(connection, clinic.clinic, &of_clinic, &keys.server)
        })
        .await
    }

    async fn principals(&self, account: AccountId) -> Stored<Vec<Principal>> {
        let keys = self.people_keys().await?;
        self.read(move |connection| {
            let mut select = connection.prepare_cached(
                "select m.clinic, m.roles, m.client, k.wrapped, a.full_name
                 from memberships m join accounts a on a.account = m.account
                 join person_keys k on k.account = m.account
                 where m.account = ?1 order by m.clinic",
            )?;
            let mut rows = select.query([account.bytes()])?;
            let mut principals = Vec::new();
            while let Some(row) = rows.next()? {
                let (wrapped, name): (Vec<u8>, Option<Vec<u8>>) = (row.get(3)?, row.get(4)?);
                principals.push(Principal {
                    account,
                    clinic: id(row, 0, ClinicId)?,
                    roles: roles(&row.get::<_, String>(1)?),
                    client: optional_client(row, 2)?,
                    name: keys.shown(account, Some(&wrapped), FULL_NAME, name.as_deref()),
                });
            }
            Ok(principals)
        })
        .await
    }

    async fn rotate_refresh_token(
        &self,
        hash: [u8; 32],
        fresh: [u8; 32],
        life: SignInLife,
        now: Timestamp,
        judge: RefreshJudge,
    ) -> Stored<(RefreshVerdict, Option<StoredRefreshToken>)> {
        self.write(move |connection| {
            let stored = connection
                .prepare_cached(
                    "select t.family, t.account, t.clinic, t.device, t.expires_at, t.rotated_at,
                         exists (select 1 from refresh_tokens s where s.hash = t.successor and s.rotated_at is null),
                         exists (select 1 from lost_devices l where l.device = t.device), t.begun_at
                     from refresh_tokens t where t.hash = ?1",
                )?
                .query_row([hash], |row| {
                    Ok(StoredRefreshToken {
                        family: row.get(0)?,
                        account: id(row, 1, AccountId)?,
                        clinic: id(row, 2, ClinicId)?,
                        device: id(row, 3, DeviceId)?,
                        expires_at: Timestamp(row.get(4)?),
                        rotated_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
                        successor_is_unused: row.get(6)?,
                        device_lost: row.get(7)?,
                        begun_at: Timestamp(row.get(8)?),
                    })
                })
                .optional()?;
            let verdict = judge(stored.as_ref());
            match (&verdict, &stored) {
                (RefreshVerdict::Rotate, Some(stored)) => {
                    connection.execute(
                        "update refresh_tokens set rotated_at = ?2
                         where hash = (select successor from refresh_tokens where hash = ?1)",
                        params![hash, now.0],
                    )?;
                    connection.execute(
                        "update refresh_tokens set rotated_at = coalesce(rotated_at, ?2), successor = ?3 where hash = ?1",
                        params![hash, now.0, fresh],
                    )?;
                    connection.execute(
                        "delete from refresh_tokens where family = ?1 and rotated_at < ?2",
                        params![stored.family, now.0 - REMEMBER_ROTATED_MS],
                    )?;
                    connection.execute(
                        "update devices set last_seen = ?3 where account = ?1 and device = ?2",
                        params![stored.account.bytes(), stored.device.bytes(), now.0],
                    )?;
                    insert_token(
                        connection,
                        &NewRefreshToken {
                            hash: fresh,
                            family: stored.family,
                            account: stored.account,
                            clinic: stored.clinic,
                            device: stored.device,
                            begun_at: stored.begun_at,
                            expires_at: life.expires_at(stored.begun_at, now),
                        },
                    )?;
                }
                (RefreshVerdict::EndFamily, Some(stored)) => end_family(connection, stored.family)?,
                _ => {}
            }
            Ok((verdict, stored))
        })
        .await
    }

    async fn forget_stale_tokens(&self, now: Timestamp) -> Stored<u64> {
        self.write(move |connection| {
            let forgotten = connection.execute(
                "delete from refresh_tokens where (expires_at <= ?1 or rotated_at < ?2)
                 and device not in (select device from lost_devices)",
                params![now.0, now.0 - REMEMBER_ROTATED_MS],
            )?;
            Ok(forgotten as u64)
        })
        .await
    }

    async fn end_family(&self, family: [u8; 16]) -> Stored<()> {
        self.write(move |connection| end_family(connection, family)).await
    }

    async fn family_ends(&self, family: [u8; 16], now: Timestamp) -> Stored<Option<Timestamp>> {
        self.read(move |connection| {
            let ends: Option<i64> = connection
                .prepare_cached(
                    "select max(expires_at) from refresh_tokens where family = ?1 and expires_at > ?2
                     and not exists (select 1 from lost_devices l where l.device = refresh_tokens.device)",
                )?
                .query_row(params![family, now.0], |row| row.get(0))?;
            Ok(ends.map(Timestamp))
        })
        .await
    }

    async fn bind_actor(&self, clinic: ClinicId, row: ActorRow) -> Stored<bool> {
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "insert into actors (clinic, actor, account, device) values (?1, ?2, ?3, ?4)
                     on conflict (clinic, actor) do nothing",
                )?
                .execute(params![
                    clinic.bytes(),
                    row.actor,
                    row.account.bytes(),
                    row.device.bytes()
                ])?;
            Ok(connection
                .prepare_cached(
                    "select 1 from actors where clinic = ?1 and actor = ?2 and account = ?3 and device = ?4",
                )?
                .exists(params![
                    clinic.bytes(),
                    row.actor,
                    row.account.bytes(),
                    row.device.bytes()
                ])?)
        })
        .await
    }

    async fn secret(&self, name: &str, fresh: [u8; 32]) -> Stored<Vec<u8>> {
        let (name, keys) = (name.to_owned(), self.keys(NO_CLINIC).await?);
        self.write(move |connection| secret(connection, &keys, &name, fresh))
            .await
    }

    async fn demonstration_accounts(&self) -> Stored<Vec<DemonstrationAccount>> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "select email, full_name, roles, password from demonstration_accounts order by clinic, position",
            )?;
            let rows = select.query_map([], |row| {
                Ok(DemonstrationAccount {
                    email: row.get(0)?,
                    full_name: row.get(1)?,
                    roles: roles(&row.get::<_, String>(2)?),
                    password: row.get(3)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

pub(super) fn secret(
    connection: &Connection,
    server: &ClinicKeys,
    name: &str,
    fresh: [u8; 32],
) -> Stored<Vec<u8>> {
    connection.execute(
        "insert into secrets (name, value) values (?1, ?2) on conflict (name) do nothing",
        params![name, server.seal_value(name, &fresh)?],
    )?;
    let value = connection.query_row("select value from secrets where name = ?1", [name], |row| {
        row.get(0)
    })?;
    let (secret, sealed) = server.open_secret(name, value)?;
    if let Some(sealed) = sealed {
        connection.execute(
            "update secrets set value = ?2 where name = ?1",
            params![name, sealed],
        )?;
    }
    Ok(secret)
}

pub(super) fn insert_token(connection: &Connection, token: &NewRefreshToken) -> Stored<()> {
    connection
        .prepare_cached(
            "insert into refresh_tokens (hash, family, account, clinic, device, expires_at, begun_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            token.hash,
            token.family,
            token.account.bytes(),
            token.clinic.bytes(),
            token.device.bytes(),
            token.expires_at.0,
            token.begun_at.0
        ])?;
    Ok(())
}

fn end_family(connection: &Connection, family: [u8; 16]) -> Stored<()> {
    connection
        .prepare_cached("delete from refresh_tokens where family = ?1")?
        .execute([family])?;
    Ok(())
}
