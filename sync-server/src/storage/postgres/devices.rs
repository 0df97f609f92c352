//! Devices, and those that were lost.

use super::super::people::{
    BegunSignIn, DeviceStorage, LostJudge, LostReport, NewSigningKey, Registered, place_of_device,
};
use super::super::{Stored, Whom};
use super::at_rest::{person_key, their_key};
use super::identity::insert_token;
use super::trail::note;
use super::{PostgresStorage, id, listen};
use crate::at_rest::PeopleKeys;
use async_trait::async_trait;
use shared_model::accounts::Device;
use shared_model::authorship::{KeyId, key_id};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgExecutor};

#[async_trait]
impl DeviceStorage for PostgresStorage {
    async fn begin_sign_in(&self, begun: BegunSignIn) -> Stored<()> {
        let clinic_keys = self.keys(begun.token.clinic).await?;
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let token = &begun.token;
        let device = (token.account, token.device);
        remember_device(&mut tx, &keys, device, &begun.device_name, token.begun_at).await?;
        sqlx::query("delete from refresh_tokens where account = $1 and device = $2 and clinic = $3")
            .bind(token.account.0)
            .bind(token.device.0)
            .bind(token.clinic.0)
            .execute(&mut *tx)
            .await?;
        insert_token(&mut tx, token).await?;
        note(&mut tx, token.clinic, &clinic_keys, &[begun.happened]).await?;
        listen::tell_of(&mut tx, Whom::Account(token.account), self.node).await?;
        Ok(tx.commit().await?)
    }

    async fn devices(&self, account: AccountId, now: Timestamp) -> Stored<Vec<Device>> {
        let keys = self.people_keys().await?;
        let rows = sqlx::query(
            "select d.device, d.name, d.first_seen, d.last_seen, l.lost_at, l.purged_at,
                 l.lost_at is null and exists (
                     select 1 from refresh_tokens t where t.device = d.device and t.account = d.account
                     and t.rotated_at is null and t.expires_at > $2), k.wrapped
             from devices d left join person_keys k on k.account = d.account left join lost_devices l on l.device = d.device
             where d.account = $1 order by d.last_seen desc, d.device",
        )
        .bind(account.0)
        .bind(now.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let device = id(row, 0, DeviceId)?;
                let place = place_of_device(device);
                Ok(Device {
                    device,
                    name: keys.shown(account, row.try_get(7)?, &place, row.try_get(1)?),
                    first_seen: Timestamp(row.try_get(2)?),
                    last_seen: Timestamp(row.try_get(3)?),
                    current: false,
                    lost_at: row.try_get::<Option<i64>, _>(4)?.map(Timestamp),
                    purged_at: row.try_get::<Option<i64>, _>(5)?.map(Timestamp),
                    signed_in: row.try_get(6)?,
                })
            })
            .collect()
    }

    async fn name_device(&self, account: AccountId, device: DeviceId, name: &str) -> Stored<bool> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let Some(key) = person_key(&mut tx, &keys, account).await? else {
            return Ok(false);
        };
        let named =
            sqlx::query("update devices set name = $3, named = true where account = $1 and device = $2")
                .bind(account.0)
                .bind(device.0)
                .bind(key.seal(&place_of_device(device), name))
                .execute(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(named.rows_affected() > 0)
    }

    async fn sign_out_device(
        &self,
        account: AccountId,
        device: DeviceId,
        clinic: Option<ClinicId>,
    ) -> Stored<bool> {
        let mut tx = self.pool.begin().await?;
        sqlx::query(
            "delete from refresh_tokens where account = $1 and device = $2 and ($3::uuid is null or clinic = $3)",
        )
        .bind(account.0)
        .bind(device.0)
        .bind(clinic.map(|clinic| clinic.0))
        .execute(&mut *tx)
        .await?;
        let known = is_device_of(&mut *tx, account, device).await?;
        listen::tell_of(&mut tx, Whom::Account(account), self.node).await?;
        tx.commit().await?;
        Ok(known)
    }

    async fn is_lost(&self, device: DeviceId) -> Stored<bool> {
        let row = sqlx::query("select exists (select 1 from lost_devices where device = $1)")
            .bind(device.0)
            .fetch_one(&self.pool)
            .await?;
        Ok(row.try_get(0)?)
    }

    async fn report_lost(
        &self,
        account: AccountId,
        device: DeviceId,
        by: AccountId,
        now: Timestamp,
        judge: LostJudge,
    ) -> Stored<LostReport> {
        let mut tx = self.pool.begin().await?;
        let report = judged(&mut tx, account, device, now, judge).await?;
        if report == LostReport::Noted {
            sqlx::query(
                "insert into lost_devices (device, lost_at, reported_by) values ($1, $2, $3) on conflict do nothing",
            )
            .bind(device.0)
            .bind(now.0)
            .bind(by.0)
            .execute(&mut *tx)
            .await?;
            listen::tell_of(&mut tx, Whom::Device(device), self.node).await?;
        }
        tx.commit().await?;
        Ok(report)
    }

    async fn report_found(
        &self,
        account: AccountId,
        device: DeviceId,
        now: Timestamp,
        judge: LostJudge,
    ) -> Stored<LostReport> {
        let mut tx = self.pool.begin().await?;
        let report = judged(&mut tx, account, device, now, judge).await?;
        if report == LostReport::Noted {
            let found = sqlx::query("delete from lost_devices where device = $1")
                .bind(device.0)
                .execute(&mut *tx)
                .await?;
            if found.rows_affected() > 0 {
                sqlx::query("delete from refresh_tokens where device = $1")
                    .bind(device.0)
                    .execute(&mut *tx)
                    .await?;
            }
        }
        tx.commit().await?;
        Ok(report)
    }

    async fn register_signing_key(&self, new: NewSigningKey) -> Stored<Registered> {
        let known = self.signing_key(new.device, key_id(&new.key)).await?;
        if known.is_some() {
            return Ok(Registered::of(known, &new));
        }
        let inserted = sqlx::query(
            "insert into signing_keys (device, id, key, account, registered_at) values ($1, $2, $3, $4, $5)
             on conflict do nothing",
        )
        .bind(new.device.0)
        .bind(key_id(&new.key))
        .bind(new.key)
        .bind(new.account.0)
        .bind(new.at.0)
        .execute(&self.pool)
        .await?;
        match inserted.rows_affected() {
            0 => {
                let other = self.signing_key(new.device, key_id(&new.key)).await?;
                Ok(Registered::of(other, &new))
            }
            _ => Ok(Registered::New),
        }
    }

    async fn signing_key(&self, device: DeviceId, key: KeyId) -> Stored<Option<(AccountId, [u8; 32])>> {
        let row = sqlx::query("select account, key from signing_keys where device = $1 and id = $2")
            .bind(device.0)
            .bind(key)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok((id(&row, 0, AccountId)?, row.try_get(1)?)))
            .transpose()
    }

    async fn note_purged(&self, device: DeviceId, token: [u8; 32], now: Timestamp) -> Stored<bool> {
        let noted = sqlx::query(
            "update lost_devices set purged_at = coalesce(purged_at, $3) where device = $1
             and exists (select 1 from refresh_tokens where hash = $2 and device = $1)",
        )
        .bind(device.0)
        .bind(token.as_slice())
        .bind(now.0)
        .execute(&self.pool)
        .await?;
        Ok(noted.rows_affected() > 0)
    }
}

async fn remember_device(
    connection: &mut PgConnection,
    keys: &PeopleKeys,
    (account, device): (AccountId, DeviceId),
    name: &str,
    now: Timestamp,
) -> Stored<()> {
    let key = their_key(&mut *connection, keys, account).await?;
    sqlx::query(
        "insert into devices (account, device, name, first_seen, last_seen) values ($1, $2, $3, $4, $4)
         on conflict (account, device) do update set
             name = case when devices.named then devices.name else excluded.name end,
             last_seen = excluded.last_seen",
    )
    .bind(account.0)
    .bind(device.0)
    .bind(key.seal(&place_of_device(device), name))
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

async fn is_device_of(database: impl PgExecutor<'_>, account: AccountId, device: DeviceId) -> Stored<bool> {
    let row = sqlx::query("select exists (select 1 from devices where account = $1 and device = $2)")
        .bind(account.0)
        .bind(device.0)
        .fetch_one(database)
        .await?;
    Ok(row.try_get(0)?)
}

async fn judged(
    connection: &mut PgConnection,
    account: AccountId,
    device: DeviceId,
    now: Timestamp,
    judge: LostJudge,
) -> Stored<LostReport> {
    if !is_device_of(&mut *connection, account, device).await? {
        return Ok(LostReport::NoSuchDevice);
    }
    let rows = sqlx::query(
        "select distinct account, clinic from refresh_tokens
         where device = $1 and rotated_at is null and expires_at > $2",
    )
    .bind(device.0)
    .bind(now.0)
    .fetch_all(connection)
    .await?;
    let signed_in = rows
        .iter()
        .map(|row| Ok((id(row, 0, AccountId)?, id(row, 1, ClinicId)?)))
        .collect::<Stored<Vec<_>>>()?;
    Ok(if judge(&signed_in) {
        LostReport::Noted
    } else {
        LostReport::NotPermitted
    })
}
