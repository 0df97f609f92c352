//! Second factors, and which clinics ask for one.

use super::super::people::{
    Added, Factor, FactorStorage, NewFactor, NewMail, StoredFactors, StoredPasskey, StoredTotp, TakenAway,
    Unneeded, place_of_passkey, place_of_passkey_name, place_of_totp, small_count,
};
use super::super::trail::Event;
use super::super::{StorageError, Stored, roles_words};
use super::accounts::lock;
use super::at_rest::their_key;
use super::mail::insert_mail;
use super::trail::note;
use super::{PostgresStorage, id};
use crate::at_rest::PeopleKeys;
use async_trait::async_trait;
use shared_model::ids::{AccountId, ClinicId};
use shared_model::permissions::Role;
use shared_model::second_factor::SignInRules;
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgExecutor, PgRow};
use uuid::Uuid;
use zeroize::Zeroizing;

macro_rules! select_passkey {
    ($which:literal) => {
        concat!(
            "select p.account, p.passkey, p.credential, p.name, p.created_at, p.last_used, p.public_key, k.wrapped
             from passkeys p left join person_keys k on k.account = p.account where ",
            $which
        )
    };
}

#[async_trait]
impl FactorStorage for PostgresStorage {
    async fn factors(&self, account: AccountId) -> Stored<StoredFactors> {
        let keys = self.people_keys().await?;
        let row = sqlx::query(
            "select (select count(*) from recovery_codes where account = $1), t.secret, t.since
             from (select 1) one left join totp t on t.account = $1",
        )
        .bind(account.0)
        .fetch_one(&self.pool)
        .await?;
        let totp = match row.try_get::<Option<Vec<u8>>, _>(1)? {
            Some(sealed) => {
                let secret = Zeroizing::new(keys.server.open_value(&place_of_totp(account), &sealed)?);
                let secret = secret.as_slice().try_into();
                Some(StoredTotp {
                    secret: Zeroizing::new(
                        secret.map_err(|_| StorageError::Failed("a secret of another length".to_owned()))?,
                    ),
                    since: Timestamp(row.try_get(2)?),
                })
            }
            None => None,
        };
        let passkeys = sqlx::query(select_passkey!("p.account = $1 order by p.created_at, p.passkey"))
            .bind(account.0)
            .fetch_all(&self.pool)
            .await?;
        Ok(StoredFactors {
            totp,
            recovery_codes: small_count(row.try_get(0)?)?,
            passkeys: passkeys
                .iter()
                .map(|row| Ok(passkey(row, &keys)?.1))
                .collect::<Stored<_>>()?,
        })
    }

    async fn add_factor(&self, new: NewFactor) -> Stored<Added> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        // Of two that are added at the same moment, one is the first.
        lock(&mut tx, new.account).await?;
        let is_first = !has_any(&mut *tx, new.account).await?;
        if new.only_first && !is_first {
            return Ok(Added::NotFirst);
        }
        let added = match &new.factor {
            Factor::Totp { totp, step } => {
                sqlx::query(
                    "insert into totp (account, secret, since, last_step) values ($1, $2, $3, $4)
                     on conflict (account) do update set secret = excluded.secret, since = excluded.since,
                         last_step = excluded.last_step",
                )
                .bind(new.account.0)
                .bind(
                    keys.server
                        .seal_value(&place_of_totp(new.account), totp.secret.as_slice())?,
                )
                .bind(totp.since.0)
                .bind(step)
                .execute(&mut *tx)
                .await?
            }
            Factor::Passkey(passkey) => {
                let key = their_key(&mut tx, &keys, new.account).await?;
                sqlx::query(
                "insert into passkeys (credential, account, passkey, name, created_at, last_used, public_key)
                     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
            )
            .bind(&passkey.credential)
            .bind(new.account.0)
            .bind(passkey.passkey)
            .bind(key.seal(&place_of_passkey_name(&passkey.credential), &passkey.name))
            .bind(passkey.created_at.0)
            .bind(passkey.last_used.map(|at| at.0))
            .bind(keys.server.seal_value(&place_of_passkey(&passkey.credential), &passkey.public_key)?)
            .execute(&mut *tx)
            .await?
            }
        };
        if added.rows_affected() == 0 {
            return Ok(Added::Taken);
        }
        let brings_codes = new.factor.brings_codes(is_first);
        if brings_codes {
            set_recovery_codes(&mut tx, new.account, &new.recovery_codes).await?;
        }
        if let Some(mail) = &new.mail {
            insert_mail(&mut tx, &keys, mail).await?;
        }
        tx.commit().await?;
        Ok(if brings_codes {
            Added::WithCodes
        } else {
            Added::BesideOthers
        })
    }

    async fn use_totp(&self, account: AccountId, step: i64) -> Stored<bool> {
        let used = sqlx::query("update totp set last_step = $2 where account = $1 and last_step < $2")
            .bind(account.0)
            .bind(step)
            .execute(&self.pool)
            .await?;
        Ok(used.rows_affected() > 0)
    }

    async fn use_recovery_code(
        &self,
        account: AccountId,
        hash: [u8; 32],
        mail: Option<NewMail>,
    ) -> Stored<bool> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let used = sqlx::query("delete from recovery_codes where account = $1 and hash = $2")
            .bind(account.0)
            .bind(hash.as_slice())
            .execute(&mut *tx)
            .await?;
        let used = used.rows_affected() > 0;
        if let Some(mail) = mail.filter(|_| used) {
            insert_mail(&mut tx, &keys, &mail).await?;
        }
        tx.commit().await?;
        Ok(used)
    }

    async fn set_recovery_codes(
        &self,
        account: AccountId,
        hashes: Vec<[u8; 32]>,
        mail: Option<NewMail>,
    ) -> Stored<bool> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        // Nobody takes the last factor away meanwhile.
        lock(&mut tx, account).await?;
        if !has_any(&mut *tx, account).await? {
            return Ok(false);
        }
        set_recovery_codes(&mut tx, account, &hashes).await?;
        if let Some(mail) = &mail {
            insert_mail(&mut tx, &keys, mail).await?;
        }
        tx.commit().await?;
        Ok(true)
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
        let mut tx = self.pool.begin().await?;
        // Of two who take away the last two at the same moment, one does.
        lock(&mut tx, account).await?;
        let before = sqlx::query(
            "select (select count(*) from totp where account = $1), (select count(*) from passkeys where account = $1),
                 (select count(*) from passkeys where account = $1 and passkey = $2)",
        )
        .bind(account.0)
        .bind(match what {
            Unneeded::Passkey(passkey) => passkey,
            Unneeded::Totp | Unneeded::Everything => Uuid::nil(),
        })
        .fetch_one(&mut *tx)
        .await?;
        let (totp, passkeys, this): (i64, i64, i64) =
            (before.try_get(0)?, before.try_get(1)?, before.try_get(2)?);
        let these = match what {
            Unneeded::Totp => totp,
            Unneeded::Passkey(_) => this,
            Unneeded::Everything => totp + passkeys,
        };
        if these == 0 {
            return Ok(TakenAway::NoSuch);
        }
        let is_last = these == totp + passkeys;
        if is_last && what != Unneeded::Everything && needs_second_factor(&mut *tx, account).await? {
            return Ok(TakenAway::Last);
        }
        let everything = what == Unneeded::Everything;
        if everything || what == Unneeded::Totp {
            sqlx::query("delete from totp where account = $1")
                .bind(account.0)
                .execute(&mut *tx)
                .await?;
        }
        let one = match what {
            Unneeded::Passkey(passkey) => Some(passkey),
            Unneeded::Totp | Unneeded::Everything => None,
        };
        if everything || one.is_some() {
            sqlx::query("delete from passkeys where account = $1 and ($2::uuid is null or passkey = $2)")
                .bind(account.0)
                .bind(one)
                .execute(&mut *tx)
                .await?;
        }
        if is_last {
            sqlx::query("delete from recovery_codes where account = $1")
                .bind(account.0)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(mail) = &mail {
            insert_mail(&mut tx, &keys, mail).await?;
        }
        for (clinic, keys, event) in noted {
            note(&mut tx, clinic, &keys, &[event]).await?;
        }
        tx.commit().await?;
        Ok(TakenAway::Done)
    }

    async fn passkey(&self, credential: &[u8]) -> Stored<Option<(AccountId, StoredPasskey)>> {
        let keys = self.people_keys().await?;
        let row = sqlx::query(select_passkey!("p.credential = $1"))
            .bind(credential)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| passkey(&row, &keys)).transpose()
    }

    async fn used_passkey(&self, credential: &[u8], public_key: Vec<u8>, now: Timestamp) -> Stored<()> {
        let keys = self.people_keys().await?;
        sqlx::query("update passkeys set public_key = $2, last_used = $3 where credential = $1")
            .bind(credential)
            .bind(
                keys.server
                    .seal_value(&place_of_passkey(credential), &public_key)?,
            )
            .bind(now.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn sign_in_rules(&self, clinic: ClinicId) -> Stored<SignInRules> {
        let row = sqlx::query("select second_factor from sign_in_rules where clinic = $1")
            .bind(clinic.0)
            .fetch_optional(&self.pool)
            .await?;
        let second_factor = row.map(|row| row.try_get(0)).transpose()?;
        Ok(SignInRules {
            second_factor: second_factor.unwrap_or(false),
        })
    }

    async fn set_sign_in_rules(&self, clinic: ClinicId, rules: SignInRules, happened: Event) -> Stored<()> {
        let keys = self.keys(clinic).await?;
        let mut tx = self.pool.begin().await?;
        sqlx::query(
            "insert into sign_in_rules (clinic, second_factor) values ($1, $2)
             on conflict (clinic) do update set second_factor = excluded.second_factor",
        )
        .bind(clinic.0)
        .bind(rules.second_factor)
        .execute(&mut *tx)
        .await?;
        note(&mut tx, clinic, &keys, &[happened]).await?;
        Ok(tx.commit().await?)
    }

    async fn needs_second_factor(&self, account: AccountId) -> Stored<bool> {
        needs_second_factor(&self.pool, account).await
    }
}

fn passkey(row: &PgRow, keys: &PeopleKeys) -> Stored<(AccountId, StoredPasskey)> {
    let credential: Vec<u8> = row.try_get(2)?;
    let public_key = keys
        .server
        .open_value(&place_of_passkey(&credential), row.try_get(6)?)?;
    let account = id(row, 0, AccountId)?;
    let name = place_of_passkey_name(&credential);
    let stored = StoredPasskey {
        passkey: id(row, 1, |passkey| passkey)?,
        credential,
        name: keys.shown(account, row.try_get(7)?, &name, row.try_get(3)?),
        created_at: Timestamp(row.try_get(4)?),
        last_used: row.try_get::<Option<i64>, _>(5)?.map(Timestamp),
        public_key,
    };
    Ok((account, stored))
}

/// Whether there is something that is asked for at sign-in.
async fn has_any(connection: impl PgExecutor<'_>, account: AccountId) -> Stored<bool> {
    let row = sqlx::query(
        "select exists (select 1 from totp where account = $1) or exists (select 1 from passkeys where account = $1)",
    )
    .bind(account.0)
    .fetch_one(connection)
    .await?;
    Ok(row.try_get(0)?)
}

async fn set_recovery_codes(
    connection: &mut PgConnection,
    account: AccountId,
    hashes: &[[u8; 32]],
) -> Stored<()> {
    sqlx::query("delete from recovery_codes where account = $1")
        .bind(account.0)
        .execute(&mut *connection)
        .await?;
    let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    sqlx::query("insert into recovery_codes (account, hash) select $1, unnest($2::bytea[])")
        .bind(account.0)
        .bind(hashes)
        .execute(connection)
        .await?;
    Ok(())
}

async fn needs_second_factor(connection: impl PgExecutor<'_>, account: AccountId) -> Stored<bool> {
    let row = sqlx::query(
        "select exists (select 1 from memberships m join sign_in_rules r on r.clinic = m.clinic
             where m.account = $1 and r.second_factor and m.roles <> $2)",
    )
    .bind(account.0)
    .bind(roles_words(&[Role::Owner]))
    .fetch_one(connection)
    .await?;
    Ok(row.try_get(0)?)
}
