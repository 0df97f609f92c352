//! Second factors, and which clinics ask for one.

use super::super::people::{
    Added, Factor, FactorStorage, NewFactor, NewMail, StoredFactors, StoredPasskey, StoredTotp, TakenAway,
    Unneeded, place_of_passkey, place_of_passkey_name, place_of_totp, small_count,
};
use super::super::trail::Event;
use super::super::{StorageError, Stored, roles_words};
use super::at_rest::their_key;
use super::mail::insert_mail;
use super::trail::note;
use super::{SqliteStorage, id};
use crate::at_rest::PeopleKeys;
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use shared_model::ids::{AccountId, ClinicId};
use shared_model::permissions::Role;
use shared_model::second_factor::SignInRules;
use shared_model::time::Timestamp;
use zeroize::Zeroizing;

const PASSKEYS: &str =
    "select p.account, p.passkey, p.credential, p.name, p.created_at, p.last_used, p.public_key, k.wrapped
     from passkeys p left join person_keys k on k.account = p.account";

#[async_trait]
impl FactorStorage for SqliteStorage {
    async fn factors(&self, account: AccountId) -> Stored<StoredFactors> {
        let keys = self.people_keys().await?;
        self.read(move |connection| factors(connection, &keys, account))
            .await
    }

    async fn add_factor(&self, new: NewFactor) -> Stored<Added> {
        let keys = self.people_keys().await?;
        self.write(move |connection| {
            let is_first = count(connection, new.account)? == 0;
            if new.only_first && !is_first {
                return Ok(Added::NotFirst);
            }
            let added = match &new.factor {
                Factor::Totp { totp, step } => {
                    let sealed = keys.server.seal_value(&place_of_totp(new.account), totp.secret.as_slice())?;
                    connection.execute(
                        "insert into totp (account, secret, since, last_step) values (?1, ?2, ?3, ?4)
                         on conflict (account) do update set secret = excluded.secret, since = excluded.since,
                             last_step = excluded.last_step",
                        params![new.account.bytes(), sealed, totp.since.0, step],
                    )?
                }
                Factor::Passkey(passkey) => {
                    let credential = &passkey.credential;
                    let sealed = keys
                        .server
                        .seal_value(&place_of_passkey(credential), &passkey.public_key)?;
                    let key = their_key(connection, &keys, new.account)?;
                    connection.execute(
                        "insert into passkeys (credential, account, passkey, name, created_at, last_used, public_key)
                         values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict do nothing",
                        params![
                            passkey.credential,
                            new.account.bytes(),
                            passkey.passkey.as_bytes(),
                            key.seal(&place_of_passkey_name(credential), &passkey.name),
                            passkey.created_at.0,
                            passkey.last_used.map(|at| at.0),
                            sealed
                        ],
                    )?
                }
            };
            if added == 0 {
                return Ok(Added::Taken);
            }
            new.mail.iter().try_for_each(|mail| insert_mail(connection, &keys, mail))?;
            if !new.factor.brings_codes(is_first) {
                return Ok(Added::BesideOthers);
            }
            set_recovery_codes(connection, new.account, &new.recovery_codes)?;
            Ok(Added::WithCodes)
        })
        .await
    }

    async fn use_totp(&self, account: AccountId, step: i64) -> Stored<bool> {
        self.write(move |connection| {
            let used = connection.execute(
                "update totp set last_step = ?2 where account = ?1 and last_step < ?2",
                params![account.bytes(), step],
            )?;
            Ok(used > 0)
        })
        .await
    }

    async fn use_recovery_code(
        &self,
        account: AccountId,
        hash: [u8; 32],
        mail: Option<NewMail>,
    ) -> Stored<bool> {
        let keys = self.people_keys().await?;
        self.write(move |connection| {
            let used = connection.execute(
                "delete from recovery_codes where account = ?1 and hash = ?2",
                params![account.bytes(), hash],
            )?;
            if used > 0 {
                mail.iter()
                    .try_for_each(|mail| insert_mail(connection, &keys, mail))?;
            }
            Ok(used > 0)
        })
        .await
    }

    async fn set_recovery_codes(
        &self,
        account: AccountId,
        hashes: Vec<[u8; 32]>,
        mail: Option<NewMail>,
    ) -> Stored<bool> {
        let keys = self.people_keys().await?;
        self.write(move |connection| {
            if count(connection, account)? == 0 {
                return Ok(false);
            }
            set_recovery_codes(connection, account, &hashes)?;
            mail.iter()
                .try_for_each(|mail| insert_mail(connection, &keys, mail))?;
            Ok(true)
        })
        .await
    }

    async fn take_away(
        &self,
        account: AccountId,
        what: Unneeded,
        mail: Option<NewMail>,
        happened: Vec<(ClinicId, Event)>,
    ) -> Stored<TakenAway> {
        let mut noted = Vec::with_capacity(happened.len());
        for (clinic, event) in happened {
            noted.push((clinic, self.keys(clinic).await?, event));
        }
        let keys = self.people_keys().await?;
        self.write(move |connection| {
            let (before, of_these): (i64, i64) = {
                let all = count(connection, account)?;
                let these = match what {
                    Unneeded::Everything => all,
                    Unneeded::Totp => connection.query_row(
                        "select count(*) from totp where account = ?1",
                        [account.bytes()],
                        |row| row.get(0),
                    )?,
                    Unneeded::Passkey(passkey) => connection.query_row(
                        "select count(*) from passkeys where account = ?1 and passkey = ?2",
                        params![account.bytes(), passkey.as_bytes()],
                        |row| row.get(0),
                    )?,
                };
                (all, these)
            };
            if of_these == 0 {
                return Ok(TakenAway::NoSuch);
            }
            let is_last = of_these == before;
            if is_last && what != Unneeded::Everything && needs_second_factor(connection, account)? {
                return Ok(TakenAway::Last);
            }
            let everything = what == Unneeded::Everything;
            if everything || what == Unneeded::Totp {
                connection.execute("delete from totp where account = ?1", [account.bytes()])?;
            }
            let one = match what {
                Unneeded::Passkey(passkey) => Some(passkey.into_bytes()),
                Unneeded::Totp | Unneeded::Everything => None,
            };
            if everything || one.is_some() {
                connection.execute(
                    "delete from passkeys where account = ?1 and (?2 is null or passkey = ?2)",
                    params![account.bytes(), one],
                )?;
            }
            if is_last {
                connection.execute("delete from recovery_codes where account = ?1", [account.bytes()])?;
            }
            mail.iter()
                .try_for_each(|mail| insert_mail(connection, &keys, mail))?;
            for (clinic, keys, event) in noted {
                note(connection, clinic, &keys, &[event])?;
            }
            Ok(TakenAway::Done)
        })
        .await
    }

    async fn passkey(&self, credential: &[u8]) -> Stored<Option<(AccountId, StoredPasskey)>> {
        let keys = self.people_keys().await?;
        let credential = credential.to_vec();
        self.read(move |connection| {
            let mut select = connection.prepare_cached(&format!("{PASSKEYS} where p.credential = ?1"))?;
            let mut rows = select.query([credential])?;
            rows.next()?.map(|row| passkey(row, &keys)).transpose()
        })
        .await
    }

    async fn used_passkey(&self, credential: &[u8], public_key: Vec<u8>, now: Timestamp) -> Stored<()> {
        let keys = self.people_keys().await?;
        let sealed = keys
            .server
            .seal_value(&place_of_passkey(credential), &public_key)?;
        let credential = credential.to_vec();
        self.write(move |connection| {
            connection.execute(
                "update passkeys set public_key = ?2, last_used = ?3 where credential = ?1",
                params![credential, sealed, now.0],
            )?;
            Ok(())
        })
        .await
    }

    async fn sign_in_rules(&self, clinic: ClinicId) -> Stored<SignInRules> {
        self.read(move |connection| {
            let second_factor: Option<bool> = connection
                .prepare_cached("select second_factor from sign_in_rules where clinic = ?1")?
                .query_row([clinic.bytes()], |row| row.get(0))
                .optional()?;
            Ok(SignInRules {
                second_factor: second_factor.unwrap_or(false),
            })
        })
        .await
    }

    async fn set_sign_in_rules(&self, clinic: ClinicId, rules: SignInRules, happened: Event) -> Stored<()> {
        let keys = self.keys(clinic).await?;
        self.write(move |connection| {
            connection.execute(
                "insert into sign_in_rules (clinic, second_factor) values (?1, ?2)
                 on conflict (clinic) do update set second_factor = excluded.second_factor",
                params![clinic.bytes(), rules.second_factor],
            )?;
            note(connection, clinic, &keys, &[happened])
        })
        .await
    }

    async fn needs_second_factor(&self, account: AccountId) -> Stored<bool> {
        self.read(move |connection| needs_second_factor(connection, account))
            .await
    }
}

fn factors(connection: &Connection, keys: &PeopleKeys, account: AccountId) -> Stored<StoredFactors> {
    let totp: Option<(Vec<u8>, i64)> = connection
        .prepare_cached("select secret, since from totp where account = ?1")?
        .query_row([account.bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let totp = match totp {
        Some((sealed, since)) => {
            let secret = Zeroizing::new(keys.server.open_value(&place_of_totp(account), &sealed)?);
            let secret = secret.as_slice().try_into();
            Some(StoredTotp {
                secret: Zeroizing::new(
                    secret.map_err(|_| StorageError::Failed("a secret of another length".to_owned()))?,
                ),
                since: Timestamp(since),
            })
        }
        None => None,
    };
    let mut select = connection.prepare_cached(&format!(
        "{PASSKEYS} where p.account = ?1 order by p.created_at, p.passkey"
    ))?;
    let mut rows = select.query([account.bytes()])?;
    let mut passkeys = Vec::new();
    while let Some(row) = rows.next()? {
        passkeys.push(passkey(row, keys)?.1);
    }
    let left: i64 = connection
        .prepare_cached("select count(*) from recovery_codes where account = ?1")?
        .query_row([account.bytes()], |row| row.get(0))?;
    Ok(StoredFactors {
        totp,
        recovery_codes: small_count(left)?,
        passkeys,
    })
}

fn passkey(row: &rusqlite::Row<'_>, keys: &PeopleKeys) -> Stored<(AccountId, StoredPasskey)> {
    let credential: Vec<u8> = row.get(2)?;
    let public_key = keys
        .server
        .open_value(&place_of_passkey(&credential), &row.get::<_, Vec<u8>>(6)?)?;
    let account = id(row, 0, AccountId)?;
    let (name, wrapped): (Vec<u8>, Option<Vec<u8>>) = (row.get(3)?, row.get(7)?);
    let stored = StoredPasskey {
        passkey: id(row, 1, |passkey| passkey)?,
        name: keys.shown(
            account,
            wrapped.as_deref(),
            &place_of_passkey_name(&credential),
            Some(&name),
        ),
        credential,
        created_at: Timestamp(row.get(4)?),
        last_used: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        public_key,
    };
    Ok((account, stored))
}

fn count(connection: &Connection, account: AccountId) -> Stored<i64> {
    Ok(connection.query_row(
        "select (select count(*) from totp where account = ?1) + (select count(*) from passkeys where account = ?1)",
        [account.bytes()],
        |row| row.get(0),
    )?)
}

fn set_recovery_codes(connection: &Connection, account: AccountId, hashes: &[[u8; 32]]) -> Stored<()> {
    connection.execute("delete from recovery_codes where account = ?1", [account.bytes()])?;
    let mut insert =
        connection.prepare_cached("insert into recovery_codes (account, hash) values (?1, ?2)")?;
    for hash in hashes {
        insert.execute(params![account.bytes(), hash])?;
    }
    Ok(())
}

fn needs_second_factor(connection: &Connection, account: AccountId) -> Stored<bool> {
    let owner = roles_words(&[Role::Owner]);
    Ok(connection.query_row(
        "select exists (select 1 from memberships m join sign_in_rules r on r.clinic = m.clinic
             where m.account = ?1 and r.second_factor and m.roles <> ?2)",
        params![account.bytes(), owner],
        |row| row.get(0),
    )?)
}
