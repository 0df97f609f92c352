//! Whom providers vouch for, and the steps of sign-ins.

use super::super::people::{
    NewIdentity, NewMail, ProviderMessage, ProviderNews, StoredIdentity, TakenIn, Unlinked, Vouched,
    WaysInStorage, new_name, place_of_step,
};
use super::super::{Stored, Whom};
use super::accounts::set_name;
use super::at_rest::their_key;
use super::mail::insert_mail;
use super::{PostgresStorage, id, listen};
use crate::at_rest::{NO_CLINIC, PeopleKeys};
use async_trait::async_trait;
use shared_model::ids::AccountId;
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

macro_rules! select_identity {
    ($which:literal) => {
        concat!(
            "select i.account, i.identity, i.linked_at, i.vouched, i.updated_at, k.wrapped
             from identities i join person_keys k on k.account = i.account where ",
            $which
        )
    };
}

#[async_trait]
impl WaysInStorage for PostgresStorage {
    async fn keep_step(&self, hash: [u8; 32], step: Vec<u8>, expires_at: Timestamp) -> Stored<()> {
        let sealed = self
            .keys(NO_CLINIC)
            .await?
            .seal_value(&place_of_step(&hash), &step)?;
        sqlx::query(
            "insert into sign_in_steps (hash, step, expires_at) values ($1, $2, $3)
             on conflict (hash) do update set step = excluded.step, expires_at = excluded.expires_at",
        )
        .bind(hash.as_slice())
        .bind(sealed)
        .bind(expires_at.0)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn keep_new_step(&self, hash: [u8; 32], step: Vec<u8>, expires_at: Timestamp) -> Stored<bool> {
        let sealed = self
            .keys(NO_CLINIC)
            .await?
            .seal_value(&place_of_step(&hash), &step)?;
        let kept = sqlx::query(
            "insert into sign_in_steps (hash, step, expires_at) values ($1, $2, $3) on conflict do nothing",
        )
        .bind(hash.as_slice())
        .bind(sealed)
        .bind(expires_at.0)
        .execute(&self.pool)
        .await?;
        Ok(kept.rows_affected() > 0)
    }

    async fn step(&self, hash: [u8; 32], now: Timestamp) -> Stored<Option<Vec<u8>>> {
        let row = sqlx::query("select step from sign_in_steps where hash = $1 and expires_at > $2")
            .bind(hash.as_slice())
            .bind(now.0)
            .fetch_optional(&self.pool)
            .await?;
        self.open_step(&hash, row).await
    }

    async fn take_step(&self, hash: [u8; 32], now: Timestamp) -> Stored<Option<Vec<u8>>> {
        let row = sqlx::query("delete from sign_in_steps where hash = $1 and expires_at > $2 returning step")
            .bind(hash.as_slice())
            .bind(now.0)
            .fetch_optional(&self.pool)
            .await?;
        self.open_step(&hash, row).await
    }

    async fn identity(&self, issuer: &str, subject: &str) -> Stored<Option<StoredIdentity>> {
        let keys = self.people_keys().await?;
        let row = sqlx::query(select_identity!("i.hash = $1"))
            .bind(keys.look_up.identity(issuer, subject))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(read(&row, &keys)?.0)).transpose()
    }

    async fn identities(&self, account: AccountId) -> Stored<Vec<NewIdentity>> {
        let keys = self.people_keys().await?;
        let rows = sqlx::query(select_identity!(
            "i.account = $1 order by i.linked_at, i.identity"
        ))
        .bind(account.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(read(row, &keys)?.0.identity)).collect()
    }

    async fn link_identity(
        &self,
        account: AccountId,
        identity: NewIdentity,
        mail: Option<NewMail>,
    ) -> Stored<Option<NewIdentity>> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let linked = link(&mut tx, &keys, account, &identity).await?;
        if linked.as_ref() == Some(&identity)
            && let Some(mail) = &mail
        {
            insert_mail(&mut tx, &keys, mail).await?;
        }
        tx.commit().await?;
        Ok(linked)
    }

    async fn unlink_identity(
        &self,
        account: AccountId,
        identity: Uuid,
        mail: Option<NewMail>,
    ) -> Stored<Unlinked> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        // Of two who take away the last two at the same moment, one does.
        let has_password =
            sqlx::query("select password_hash <> '' from accounts where account = $1 for update")
                .bind(account.0)
                .fetch_optional(&mut *tx)
                .await?;
        let has_password = has_password.map(|row| row.try_get(0)).transpose()?;
        let rows = sqlx::query("select identity from identities where account = $1")
            .bind(account.0)
            .fetch_all(&mut *tx)
            .await?;
        let all = rows
            .iter()
            .map(|row| row.try_get::<Uuid, _>(0))
            .collect::<Result<Vec<_>, _>>()?;
        if !all.contains(&identity) {
            return Ok(Unlinked::NoSuch);
        }
        if all.len() == 1 && has_password != Some(true) {
            return Ok(Unlinked::LastWayIn);
        }
        sqlx::query("delete from identities where account = $1 and identity = $2")
            .bind(account.0)
            .bind(identity)
            .execute(&mut *tx)
            .await?;
        if let Some(mail) = &mail {
            insert_mail(&mut tx, &keys, mail).await?;
        }
        tx.commit().await?;
        Ok(Unlinked::Done)
    }

    async fn take_in(&self, message: ProviderMessage) -> Stored<TakenIn> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let noted = sqlx::query(
            "insert into webhooks (issuer, message, received_at) values ($1, $2, $3) on conflict do nothing",
        )
        .bind(&message.issuer)
        .bind(&message.message)
        .bind(message.received_at.0)
        .execute(&mut *tx)
        .await?;
        if noted.rows_affected() == 0 {
            return Ok(TakenIn::Repeated);
        }
        let taken = self.apply(&mut tx, &keys, &message).await?;
        tx.commit().await?;
        Ok(taken)
    }
}

impl PostgresStorage {
    async fn open_step(&self, hash: &[u8; 32], row: Option<PgRow>) -> Stored<Option<Vec<u8>>> {
        let Some(row) = row else { return Ok(None) };
        let keys = self.keys(NO_CLINIC).await?;
        Ok(Some(keys.open_value(&place_of_step(hash), row.try_get(0)?)?))
    }

    async fn apply(
        &self,
        connection: &mut PgConnection,
        keys: &PeopleKeys,
        message: &ProviderMessage,
    ) -> Stored<TakenIn> {
        let (subject, news) = match &message.news {
            ProviderNews::Other => return Ok(TakenIn::Nothing),
            ProviderNews::Gone { subject } => (subject, None),
            ProviderNews::Profile {
                subject,
                profile,
                updated_at,
            } => (subject, Some((profile, *updated_at))),
        };
        let hash = keys.look_up.identity(&message.issuer, subject);
        let row = sqlx::query(select_identity!("i.hash = $1 for update of i"))
            .bind(hash)
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else {
            return Ok(TakenIn::Nothing);
        };
        let (stored, known_at) = read(&row, keys)?;
        let account = stored.account;
        let Some((profile, updated_at)) = news else {
            sqlx::query("delete from identities where hash = $1")
                .bind(hash)
                .execute(&mut *connection)
                .await?;
            sqlx::query("delete from refresh_tokens where account = $1")
                .bind(account.0)
                .execute(&mut *connection)
                .await?;
            listen::tell_of(connection, Whom::Account(account), self.node).await?;
            return Ok(TakenIn::Unlinked(account));
        };
        if updated_at <= known_at {
            return Ok(TakenIn::Nothing);
        }
        let key = their_key(&mut *connection, keys, account).await?;
        let vouched = Vouched {
            issuer: message.issuer.clone(),
            subject: subject.clone(),
            profile: profile.clone(),
        };
        sqlx::query("update identities set vouched = $2, updated_at = $3 where hash = $1")
            .bind(hash)
            .bind(vouched.seal(&key, stored.identity.identity))
            .bind(updated_at.0)
            .execute(&mut *connection)
            .await?;
        if let Some(name) = new_name(&stored.identity.profile, profile) {
            set_name(connection, keys, account, &name).await?;
        }
        Ok(TakenIn::Updated(account))
    }
}

/// An identity, and when the provider last changed it.
fn read(row: &PgRow, keys: &PeopleKeys) -> Stored<(StoredIdentity, Timestamp)> {
    let (account, identity) = (id(row, 0, AccountId)?, row.try_get(1)?);
    let key = keys.of(account, row.try_get(5)?)?;
    let vouched = Vouched::open(&key, identity, row.try_get(3)?)?;
    let stored = StoredIdentity {
        account,
        identity: NewIdentity {
            identity,
            issuer: vouched.issuer,
            subject: vouched.subject,
            linked_at: Timestamp(row.try_get(2)?),
            profile: vouched.profile,
        },
    };
    Ok((stored, Timestamp(row.try_get(4)?)))
}

/// Links it unless it is linked already; how it is linked with this account, `None` if it is somebody else's.
pub(super) async fn link(
    connection: &mut PgConnection,
    keys: &PeopleKeys,
    account: AccountId,
    identity: &NewIdentity,
) -> Stored<Option<NewIdentity>> {
    let key = their_key(&mut *connection, keys, account).await?;
    let hash = keys.look_up.identity(&identity.issuer, &identity.subject);
    sqlx::query(
        "insert into identities (hash, identity, account, linked_at, vouched) values ($1, $2, $3, $4, $5)
         on conflict (hash) do nothing",
    )
    .bind(hash)
    .bind(identity.identity)
    .bind(account.0)
    .bind(identity.linked_at.0)
    .bind(Vouched::of(identity).seal(&key, identity.identity))
    .execute(&mut *connection)
    .await?;
    let row = sqlx::query(select_identity!("i.hash = $1"))
        .bind(hash)
        .fetch_optional(connection)
        .await?;
    let linked = row.map(|row| read(&row, keys)).transpose()?;
    Ok(linked
        .map(|(linked, _)| linked)
        .filter(|linked| linked.account == account)
        .map(|linked| linked.identity))
}
