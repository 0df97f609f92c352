//! Erasing a person.

use super::super::people::{
    Erasure, ErasureStorage, InvitationWords, Traces, erased, place_of_link, small_count,
};
use super::super::{Stored, Whom};
use super::accounts::{lock, memberships_of, roles_at};
use super::at_rest::clinic_keys;
use super::trail::note;
use super::{PostgresStorage, id, listen};
use crate::at_rest::{EMAIL, NEW_EMAIL, PeopleKeys, PersonKey};
use crate::identity::is_last_administrator;
use async_trait::async_trait;
use shared_model::ids::{AccountId, ClinicId, InvitationId};
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::PgConnection;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Whose files are written anew afterwards, without the rows that went. They are small.
const SWEPT: [&str; 9] = [
    "person_keys",
    "accounts",
    "devices",
    "links",
    "invitations",
    "mails",
    "identities",
    "totp",
    "passkeys",
];

#[async_trait]
impl ErasureStorage for PostgresStorage {
    async fn traces(&self, account: AccountId) -> Stored<Option<Traces>> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let Some(key) = locked_key(&mut tx, &keys, account).await? else {
            return Ok(None);
        };
        let addresses = Addresses::of(&mut tx, &keys, account, &key).await?;
        let row = sqlx::query(
            "select (select count(*) from devices where account = $1),
                 (select count(*) from identities where account = $1),
                 (select count(*) from totp where account = $1) + (select count(*) from passkeys where account = $1),
                 (select count(*) from links where account = $1),
                 (select count(*) from invitations where email_hash = $2 or account = $1)",
        )
        .bind(account.0)
        .bind(addresses.hash)
        .fetch_one(&mut *tx)
        .await?;
        Ok(Some(Traces {
            memberships: memberships_of(&mut *tx, account).await?,
            devices: small_count(row.try_get(0)?)?,
            identities: small_count(row.try_get(1)?)?,
            second_factors: small_count(row.try_get(2)?)?,
            links: small_count(row.try_get(3)?)?,
            invitations: small_count(row.try_get(4)?)?,
            mails: u32::try_from(addresses.mails(&mut tx, &keys).await?.len()).unwrap_or(u32::MAX),
        }))
    }

    async fn erase(&self, account: AccountId, now: Timestamp) -> Stored<Erasure> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let erasure = erase(&mut tx, &keys, account, now).await?;
        if !matches!(erasure, Erasure::Erased { .. }) {
            return Ok(erasure);
        }
        listen::tell_of(&mut tx, Whom::Account(account), self.node).await?;
        tx.commit().await?;
        let mut connection = self.pool.acquire().await?;
        let mut swept = true;
        for table in SWEPT {
            let vacuum = sqlx::AssertSqlSafe(format!("vacuum full {table}"));
            if let Err(error) = sqlx::raw_sql(vacuum).execute(&mut *connection).await {
                tracing::warn!(%error, table, "a table was not written anew");
                swept = false;
            }
        }
        Ok(Erasure::Erased { swept })
    }
}

/// Whoever writes something of theirs waits, and then finds no key.
async fn locked_key(
    tx: &mut PgConnection,
    keys: &PeopleKeys,
    account: AccountId,
) -> Stored<Option<PersonKey>> {
    let row = sqlx::query("select wrapped from person_keys where account = $1 for update")
        .bind(account.0)
        .fetch_optional(tx)
        .await?;
    row.map(|row| keys.of(account, row.try_get(0)?)).transpose()
}

async fn erase(
    tx: &mut PgConnection,
    keys: &PeopleKeys,
    account: AccountId,
    now: Timestamp,
) -> Stored<Erasure> {
    // First, as everything does that changes somebody's ways in: the clinics' trails come after it.
    lock(&mut *tx, account).await?;
    let Some(key) = locked_key(&mut *tx, keys, account).await? else {
        return Ok(Erasure::NoSuch);
    };
    let mut memberships = memberships_of(&mut *tx, account).await?;
    memberships.sort_by_key(|membership| membership.clinic);
    let mut without = Vec::new();
    for membership in memberships {
        if is_last_administrator(&roles_at(&mut *tx, membership.clinic).await?, account) {
            without.push(membership);
        }
    }
    if !without.is_empty() {
        return Ok(Erasure::LastAdministrator(without));
    }
    let addresses = Addresses::of(&mut *tx, keys, account, &key).await?;
    let mails = addresses.mails(&mut *tx, keys).await?;
    sqlx::query("delete from mails where mail = any($1)")
        .bind(mails)
        .execute(&mut *tx)
        .await?;
    sqlx::query("delete from invitations where email_hash = $1 or account = $2")
        .bind(addresses.hash)
        .bind(account.0)
        .execute(&mut *tx)
        .await?;
    forget_as_inviter(&mut *tx, keys, account).await?;
    sqlx::query("delete from demonstration_accounts where lower(email) = $1")
        .bind(addresses.email.to_lowercase())
        .execute(&mut *tx)
        .await?;
    for clinic in clinics_of(&mut *tx, account).await? {
        let of_clinic = clinic_keys(&mut *tx, &keys.at_rest, clinic).await?;
        let of_clinic = keys.at_rest.open_once(clinic, &of_clinic)?;
        note(&mut *tx, clinic, &of_clinic, &[erased(account, now)]).await?;
    }
    for statement in [
        "delete from memberships where account = $1",
        "delete from refresh_tokens where account = $1",
        "delete from identities where account = $1",
        "delete from totp where account = $1",
        "delete from recovery_codes where account = $1",
        "delete from passkeys where account = $1",
        "delete from links where account = $1",
        "update devices set name = null, named = false where account = $1",
        "delete from person_keys where account = $1",
    ] {
        sqlx::query(statement).bind(account.0).execute(&mut *tx).await?;
    }
    sqlx::query(
        "update accounts set email_hash = null, email = null, full_name = null, new_email = null,
             password_hash = '', verified = false, erased_at = $2 where account = $1",
    )
    .bind(account.0)
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(Erasure::Erased { swept: false })
}

/// Where somebody is reached.
struct Addresses {
    email: String,
    hash: [u8; 32],
    /// All of them, in lower case.
    all: BTreeSet<String>,
}

impl Addresses {
    async fn of(
        tx: &mut PgConnection,
        keys: &PeopleKeys,
        account: AccountId,
        key: &PersonKey,
    ) -> Stored<Self> {
        let row = sqlx::query("select email, new_email from accounts where account = $1")
            .bind(account.0)
            .fetch_one(&mut *tx)
            .await?;
        let email = key.open_text(EMAIL, row.try_get(0)?)?;
        let mut all = BTreeSet::from([email.to_lowercase()]);
        if let Some(sealed) = row.try_get::<Option<&[u8]>, _>(1)? {
            all.insert(key.open_text(NEW_EMAIL, sealed)?.to_lowercase());
        }
        let links = sqlx::query("select hash, email from links where account = $1")
            .bind(account.0)
            .fetch_all(tx)
            .await?;
        for row in &links {
            let place = place_of_link(&row.try_get(0)?);
            all.insert(key.open_text(&place, row.try_get(1)?)?.to_lowercase());
        }
        Ok(Self {
            hash: keys.look_up.address(&email),
            email,
            all,
        })
    }

    /// Mails to them that wait. They are few, so each is opened.
    async fn mails(&self, tx: &mut PgConnection, keys: &PeopleKeys) -> Stored<Vec<Uuid>> {
        let rows = sqlx::query(
            "select mail, letter, due_at from mails where settled_at is null and letter is not null",
        )
        .fetch_all(tx)
        .await?;
        let mut mails = Vec::new();
        for row in &rows {
            let mail = row.try_get(0)?;
            let opened = keys.open_mail(mail, row.try_get(1)?, Timestamp(row.try_get(2)?));
            if opened.is_some_and(|opened| self.all.contains(&opened.recipient.to_lowercase())) {
                mails.push(mail);
            }
        }
        Ok(mails)
    }
}

/// Invitations that they wrote are nobody's.
async fn forget_as_inviter(tx: &mut PgConnection, keys: &PeopleKeys, account: AccountId) -> Stored<()> {
    let rows = sqlx::query("select clinic, id, words from invitations where invited_by = $1 for update")
        .bind(account.0)
        .fetch_all(&mut *tx)
        .await?;
    for row in &rows {
        let (clinic, invitation) = (id(row, 0, ClinicId)?, id(row, 1, InvitationId)?);
        let of_clinic = clinic_keys(&mut *tx, &keys.at_rest, clinic).await?;
        let of_clinic = keys.at_rest.open_once(clinic, &of_clinic)?;
        let Some(mut words) = InvitationWords::open(&of_clinic, invitation, row.try_get(2)?) else {
            continue;
        };
        words.invited_by = String::new();
        sqlx::query("update invitations set words = $3 where clinic = $1 and id = $2")
            .bind(clinic.0)
            .bind(invitation.0)
            .bind(words.seal(&of_clinic, invitation)?)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Where they are a member or have ever written, in the order in which their trails are locked.
async fn clinics_of(tx: &mut PgConnection, account: AccountId) -> Stored<Vec<ClinicId>> {
    let rows = sqlx::query(
        "select clinic from memberships where account = $1 union select clinic from actors where account = $1
         order by 1",
    )
    .bind(account.0)
    .fetch_all(tx)
    .await?;
    rows.iter().map(|row| id(row, 0, ClinicId)).collect()
}
