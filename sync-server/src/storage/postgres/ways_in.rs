//! Whom providers vouch for, and the steps of sign-ins.

use super::super::people::{
    NewIdentity, NewMail, Profile, ProviderMessage, ProviderNews, StoredIdentity, TakenIn, Unlinked,
    WaysInStorage, new_name, place_of_profile, place_of_step,
};
use super::super::{Stored, Whom};
use super::mail::insert_mail;
use super::{PostgresStorage, id, listen};
use crate::at_rest::{ClinicKeys, NO_CLINIC};
use async_trait::async_trait;
use shared_model::ids::AccountId;
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

macro_rules! select_identity {
    ($which:literal) => {
        concat!(
            "select account, identity, issuer, subject, linked_at, profile, updated_at from identities where ",
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
        let keys = self.keys(NO_CLINIC).await?;
        let row = sqlx::query(select_identity!("issuer = $1 and subject = $2"))
            .bind(issuer)
            .bind(subject)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(read(&row, &keys)?.0)).transpose()
    }

    async fn identities(&self, account: AccountId) -> Stored<Vec<NewIdentity>> {
        let keys = self.keys(NO_CLINIC).await?;
        let rows = sqlx::query(select_identity!("account = $1 order by linked_at, identity"))
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
        let keys = self.keys(NO_CLINIC).await?;
        let mut tx = self.pool.begin().await?;
        let linked = link(&mut tx, &keys, account, &identity).await?;
        if linked.as_ref() == Some(&identity)
            && let Some(mail) = &mail
        {
            insert_mail(&mut tx, mail).await?;
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
            insert_mail(&mut tx, mail).await?;
        }
        tx.commit().await?;
        Ok(Unlinked::Done)
    }

    async fn take_in(&self, message: ProviderMessage) -> Stored<TakenIn> {
        let keys = self.keys(NO_CLINIC).await?;
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
        keys: &ClinicKeys,
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
        let row = sqlx::query(select_identity!("issuer = $1 and subject = $2 for update"))
            .bind(&message.issuer)
            .bind(subject)
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else {
            return Ok(TakenIn::Nothing);
        };
        let (stored, known_at) = read(&row, keys)?;
        let account = stored.account;
        let Some((profile, updated_at)) = news else {
            sqlx::query("delete from identities where issuer = $1 and subject = $2")
                .bind(&message.issuer)
                .bind(subject)
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
        sqlx::query("update identities set profile = $3, updated_at = $4 where issuer = $1 and subject = $2")
            .bind(&message.issuer)
            .bind(subject)
            .bind(seal(keys, &message.issuer, subject, profile)?)
            .bind(updated_at.0)
            .execute(&mut *connection)
            .await?;
        if let Some(name) = new_name(&stored.identity.profile, profile) {
            sqlx::query("update accounts set full_name = $2 where account = $1")
                .bind(account.0)
                .bind(name)
                .execute(connection)
                .await?;
        }
        Ok(TakenIn::Updated(account))
    }
}

fn seal(keys: &ClinicKeys, issuer: &str, subject: &str, profile: &Profile) -> Stored<Vec<u8>> {
    Ok(keys.seal_value(&place_of_profile(issuer, subject), &profile.to_bytes())?)
}

/// An identity, and when the provider last changed it.
fn read(row: &PgRow, keys: &ClinicKeys) -> Stored<(StoredIdentity, Timestamp)> {
    let (issuer, subject): (String, String) = (row.try_get(2)?, row.try_get(3)?);
    let profile = keys.open_value(&place_of_profile(&issuer, &subject), row.try_get(5)?)?;
    let stored = StoredIdentity {
        account: id(row, 0, AccountId)?,
        identity: NewIdentity {
            identity: row.try_get(1)?,
            issuer,
            subject,
            linked_at: Timestamp(row.try_get(4)?),
            profile: Profile::from_bytes(&profile),
        },
    };
    Ok((stored, Timestamp(row.try_get(6)?)))
}

/// Links it unless it is linked already; how it is linked with this account, `None` if it is somebody else's.
pub(super) async fn link(
    connection: &mut PgConnection,
    keys: &ClinicKeys,
    account: AccountId,
    identity: &NewIdentity,
) -> Stored<Option<NewIdentity>> {
    sqlx::query(
        "insert into identities (issuer, subject, identity, account, linked_at, profile)
         values ($1, $2, $3, $4, $5, $6) on conflict (issuer, subject) do nothing",
    )
    .bind(&identity.issuer)
    .bind(&identity.subject)
    .bind(identity.identity)
    .bind(account.0)
    .bind(identity.linked_at.0)
    .bind(seal(
        keys,
        &identity.issuer,
        &identity.subject,
        &identity.profile,
    )?)
    .execute(&mut *connection)
    .await?;
    let row = sqlx::query(select_identity!("issuer = $1 and subject = $2"))
        .bind(&identity.issuer)
        .bind(&identity.subject)
        .fetch_optional(connection)
        .await?;
    let linked = row.map(|row| read(&row, keys)).transpose()?;
    Ok(linked
        .map(|(linked, _)| linked)
        .filter(|linked| linked.account == account)
        .map(|linked| linked.identity))
}
