//! Devices, and those that were lost.

use super::super::Stored;
use super::super::people::{
    BegunSignIn, DeviceStorage, LostJudge, LostReport, NewSigningKey, Registered, place_of_device,
};
use super::at_rest::{person_key, their_key};
use super::identity::insert_token;
use super::trail::note;
use super::{SqliteStorage, id};
use crate::at_rest::PeopleKeys;
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use shared_model::accounts::Device;
use shared_model::authorship::{KeyId, key_id};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::time::Timestamp;

#[async_trait]
impl DeviceStorage for SqliteStorage {
    async fn begin_sign_in(&self, begun: BegunSignIn) -> Stored<()> {
        let clinic_keys = self.keys(begun.token.clinic).await?;
        let keys = self.people_keys().await?;
        self.write(move |connection| {
            let token = &begun.token;
            let device = (token.account, token.device);
            remember_device(connection, &keys, device, &begun.device_name, token.begun_at)?;
            connection.execute(
                "delete from refresh_tokens where account = ?1 and device = ?2 and clinic = ?3",
                params![token.account.bytes(), token.device.bytes(), token.clinic.bytes()],
            )?;
            insert_token(connection, token)?;
            note(connection, token.clinic, &clinic_keys, &[begun.happened])
        })
        .await
    }

    async fn devices(&self, account: AccountId, now: Timestamp) -> Stored<Vec<Device>> {
        let keys = self.people_keys().await?;
        self.read(move |connection| {
            let wrapped: Option<Vec<u8>> = connection
                .prepare_cached("select wrapped from person_keys where account = ?1")?
                .query_row([account.bytes()], |row| row.get(0))
                .optional()?;
            let mut select = connection.prepare_cached(
                "select d.device, d.name, d.first_seen, d.last_seen, l.lost_at, l.purged_at,
                     l.lost_at is null and exists (
                         select 1 from refresh_tokens t where t.device = d.device and t.account = d.account
                         and t.rotated_at is null and t.expires_at > ?2)
                 from devices d left join lost_devices l on l.device = d.device
                 where d.account = ?1 order by d.last_seen desc, d.device",
            )?;
            let rows = select.query_map(params![account.bytes(), now.0], |row| {
                let device = id(row, 0, DeviceId)?;
                let name: Option<Vec<u8>> = row.get(1)?;
                Ok(Device {
                    device,
                    name: keys.shown(
                        account,
                        wrapped.as_deref(),
                        &place_of_device(device),
                        name.as_deref(),
                    ),
                    first_seen: Timestamp(row.get(2)?),
                    last_seen: Timestamp(row.get(3)?),
                    current: false,
                    lost_at: row.get::<_, Option<i64>>(4)?.map(Timestamp),
                    purged_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
                    signed_in: row.get(6)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn name_device(&self, account: AccountId, device: DeviceId, name: &str) -> Stored<bool> {
        let (name, keys) = (name.to_owned(), self.people_keys().await?);
        self.write(move |connection| {
            let Some(key) = person_key(connection, &keys, account)? else {
                return Ok(false);
            };
            let name = key.seal(&place_of_device(device), name);
            let named = connection.execute(
                "update devices set name = ?3, named = 1 where account = ?1 and device = ?2",
                params![account.bytes(), device.bytes(), name],
            )?;
            Ok(named > 0)
        })
        .await
    }

    async fn sign_out_device(
        &self,
        account: AccountId,
        device: DeviceId,
        clinic: Option<ClinicId>,
    ) -> Stored<bool> {
        self.write(move |connection| {
            connection.execute(
                "delete from refresh_tokens where account = ?1 and device = ?2 and (?3 is null or clinic = ?3)",
                params![
                    account.bytes(),
                    device.bytes(),
                    clinic.map(|clinic| *clinic.bytes())
                ],
            )?;
            is_device_of(connection, account, device)
        })
        .await
    }

    async fn is_lost(&self, device: DeviceId) -> Stored<bool> {
        self.read(move |connection| {
            Ok(connection
                .prepare_cached("select 1 from lost_devices where device = ?1")?
                .exists([device.bytes()])?)
        })
        .await
    }

    async fn report_lost(
        &self,
        account: AccountId,
        device: DeviceId,
        by: AccountId,
        now: Timestamp,
        judge: LostJudge,
    ) -> Stored<LostReport> {
        self.write(move |connection| {
            let report = judged(connection, account, device, now, judge)?;
            if report == LostReport::Noted {
                connection.execute(
                    "insert into lost_devices (device, lost_at, reported_by) values (?1, ?2, ?3)
                     on conflict (device) do nothing",
                    params![device.bytes(), now.0, by.bytes()],
                )?;
            }
            Ok(report)
        })
        .await
    }

    async fn report_found(
        &self,
        account: AccountId,
        device: DeviceId,
        now: Timestamp,
        judge: LostJudge,
    ) -> Stored<LostReport> {
        self.write(move |connection| {
            let report = judged(connection, account, device, now, judge)?;
            if report == LostReport::Noted
                && connection.execute("delete from lost_devices where device = ?1", [device.bytes()])? > 0
            {
                connection.execute("delete from refresh_tokens where device = ?1", [device.bytes()])?;
            }
            Ok(report)
        })
        .await
    }

    async fn register_signing_key(&self, new: NewSigningKey) -> Stored<Registered> {
        let known = self.signing_key(new.device, key_id(&new.key)).await?;
        if known.is_some() {
            return Ok(Registered::of(known, &new));
        }
        self.write(move |connection| {
            let inserted = connection
                .prepare_cached(
                    "insert into signing_keys (device, id, key, account, registered_at) values (?1, ?2, ?3, ?4, ?5)
                     on conflict do nothing",
                )?
                .execute(params![
                    new.device.bytes(),
                    key_id(&new.key),
                    new.key,
                    new.account.bytes(),
                    new.at.0
                ])?;
            match inserted {
                0 => Ok(Registered::of(key_of(connection, new.device, key_id(&new.key))?, &new)),
                _ => Ok(Registered::New),
            }
        })
        .await
    }

    async fn signing_key(&self, device: DeviceId, id: KeyId) -> Stored<Option<(AccountId, [u8; 32])>> {
        self.read(move |connection| key_of(connection, device, id)).await
    }

    async fn note_purged(&self, device: DeviceId, token: [u8; 32], now: Timestamp) -> Stored<bool> {
        self.write(move |connection| {
            let noted = connection.execute(
                "update lost_devices set purged_at = coalesce(purged_at, ?3) where device = ?1
                 and exists (select 1 from refresh_tokens where hash = ?2 and device = ?1)",
                params![device.bytes(), token, now.0],
            )?;
            Ok(noted > 0)
        })
        .await
    }
}

fn remember_device(
    connection: &Connection,
    keys: &PeopleKeys,
    (account, device): (AccountId, DeviceId),
    name: &str,
    now: Timestamp,
) -> Stored<()> {
    let key = their_key(connection, keys, account)?;
    let name = key.seal(&place_of_device(device), name);
    connection
        .prepare_cached(
            "insert into devices (account, device, name, first_seen, last_seen) values (?1, ?2, ?3, ?4, ?4)
             on conflict (account, device) do update set
                 name = case when named then name else excluded.name end, last_seen = excluded.last_seen",
        )?
        .execute(params![account.bytes(), device.bytes(), name, now.0])?;
    Ok(())
}

fn key_of(connection: &Connection, device: DeviceId, key: KeyId) -> Stored<Option<(AccountId, [u8; 32])>> {
    Ok(connection
        .prepare_cached("select account, key from signing_keys where device = ?1 and id = ?2")?
        .query_row(params![device.bytes(), key], |row| {
            Ok((id(row, 0, AccountId)?, row.get(1)?))
        })
        .optional()?)
}

fn is_device_of(connection: &Connection, account: AccountId, device: DeviceId) -> Stored<bool> {
    Ok(connection
        .prepare_cached("select 1 from devices where account = ?1 and device = ?2")?
        .exists([account.bytes(), device.bytes()])?)
}

fn judged(
    connection: &Connection,
    account: AccountId,
    device: DeviceId,
    now: Timestamp,
    judge: LostJudge,
) -> Stored<LostReport> {
    if !is_device_of(connection, account, device)? {
        return Ok(LostReport::NoSuchDevice);
    }
    let mut select = connection.prepare_cached(
        "select distinct account, clinic from refresh_tokens
         where device = ?1 and rotated_at is null and expires_at > ?2",
    )?;
    let rows = select.query_map(params![device.bytes(), now.0], |row| {
        Ok((id(row, 0, AccountId)?, id(row, 1, ClinicId)?))
    })?;
    let signed_in = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(if judge(&signed_in) {
        LostReport::Noted
    } else {
        LostReport::NotPermitted
    })
}
