//! Seals what a build of before left readable of people, when the first node of this one connects.
//!
//! Invariant: readable tables and sealed ones change places in one transaction, under locks that keep other nodes from
//! both. Whoever is killed over it has the former ones, and no node ever finds neither. The readable ones are dropped as
//! whole files.

use super::super::Stored;
use super::super::people::{
    InvitationWords, NewMail, Profile, Vouched, place_of_device, place_of_link, place_of_passkey_name,
};
use super::at_rest::clinic_keys;
use super::{id, identity};
use crate::at_rest::{
    AtRest, ClinicKeys, EMAIL, FULL_NAME, LookUp, NEW_EMAIL, NO_CLINIC, PeopleKeys, PersonKey,
};
use crate::identity::random;
use shared_model::ids::{AccountId, ClinicId, DeviceId, InvitationId};
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgPool};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use uuid::Uuid;

const IN_PLACE: &str = include_str!("../../../../migrations/server/postgres/0014_sealed_people_in_place.sql");
/// However many people there are, and however long another node is at it.
const PATIENCE: &str = "set local statement_timeout = 0; set local lock_timeout = 0;
                        set local idle_in_transaction_session_timeout = 0;";
/// One node at a time: a number of ours.
const TURN: i64 = 0x7065_6f70_6c65;
const READABLE: &str = "accounts, devices, links, invitations, mails, identities, passkeys";

type People = HashMap<AccountId, PersonKey>;

pub(super) async fn seal_people(pool: &PgPool, at_rest: &Arc<AtRest>) -> Stored<()> {
    if !is_to_be_done(&mut *pool.acquire().await?).await? {
        return Ok(());
    }
    let mut tx = pool.begin().await?;
    sqlx::raw_sql(PATIENCE).execute(&mut *tx).await?;
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(TURN)
        .execute(&mut *tx)
        .await?;
    if !is_to_be_done(&mut tx).await? {
        return Ok(());
    }
    let lock = sqlx::AssertSqlSafe(format!("lock table {READABLE} in access exclusive mode"));
    sqlx::raw_sql(lock).execute(&mut *tx).await?;
    let keys = people_keys(&mut tx, at_rest).await?;
    let people = seal_accounts(&mut tx, &keys).await?;
    seal_devices(&mut tx, &people).await?;
    seal_links(&mut tx, &people).await?;
    seal_invitations(&mut tx, &keys).await?;
    seal_mails(&mut tx, &keys).await?;
    seal_identities(&mut tx, &keys, &people).await?;
    seal_passkeys(&mut tx, &people).await?;
    sqlx::raw_sql(IN_PLACE).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn is_to_be_done(connection: &mut PgConnection) -> Stored<bool> {
    let row = sqlx::query("select to_regclass('sealed_accounts') is not null")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}

async fn people_keys(tx: &mut PgConnection, at_rest: &Arc<AtRest>) -> Stored<PeopleKeys> {
    let rows = clinic_keys(&mut *tx, at_rest, NO_CLINIC).await?;
    // Nobody else works with these before the transaction has committed: without that there is no storage.
    let server = at_rest.open(NO_CLINIC, &rows)?;
    let secret = identity::secret(tx, &server, LookUp::SECRET, random()).await?;
    Ok(at_rest.open_people(server, secret))
}

async fn seal_accounts(tx: &mut PgConnection, keys: &PeopleKeys) -> Stored<People> {
    let rows =
        sqlx::query("select account, email, full_name, password_hash, verified, new_email from accounts")
            .fetch_all(&mut *tx)
            .await?;
    let mut people = People::with_capacity(rows.len());
    for row in &rows {
        let account = id(row, 0, AccountId)?;
        let (email, full_name): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
        let new_email: Option<&str> = row.try_get(5)?;
        let (key, wrapped) = keys.at_rest.fresh_person_key(account);
        sqlx::query(
            "with key as (insert into person_keys (account, wrapped) values ($1, $2))
             insert into sealed_accounts (account, email_hash, email, full_name, password_hash, verified, new_email)
             values ($1, $3, $4, $5, $6, $7, $8)",
        )
        .bind(account.0)
        .bind(wrapped)
        .bind(keys.look_up.address(email))
        .bind(key.seal(EMAIL, email))
        .bind(key.seal(FULL_NAME, full_name))
        .bind(row.try_get::<&str, _>(3)?)
        .bind(row.try_get::<bool, _>(4)?)
        .bind(new_email.map(|email| key.seal(NEW_EMAIL, email)))
        .execute(&mut *tx)
        .await?;
        people.insert(account, key);
    }
    Ok(people)
}

/// Rows of accounts that are not there are left behind, here and below: nobody's key could seal them.
async fn seal_devices(tx: &mut PgConnection, people: &People) -> Stored<()> {
    let rows = sqlx::query("select account, device, name, first_seen, last_seen, named from devices")
        .fetch_all(&mut *tx)
        .await?;
    for row in &rows {
        let (account, device) = (id(row, 0, AccountId)?, id(row, 1, DeviceId)?);
        let Some(key) = people.get(&account) else {
            continue;
        };
        sqlx::query(
            "insert into sealed_devices (account, device, name, first_seen, last_seen, named)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(account.0)
        .bind(device.0)
        .bind(key.seal(&place_of_device(device), row.try_get::<&str, _>(2)?))
        .bind(row.try_get::<i64, _>(3)?)
        .bind(row.try_get::<i64, _>(4)?)
        .bind(row.try_get::<bool, _>(5)?)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

async fn seal_links(tx: &mut PgConnection, people: &People) -> Stored<()> {
    let rows = sqlx::query("select hash, account, purpose, email, expires_at from links")
        .fetch_all(&mut *tx)
        .await?;
    for row in &rows {
        let hash: [u8; 32] = row.try_get(0)?;
        let account = id(row, 1, AccountId)?;
        let Some(key) = people.get(&account) else {
            continue;
        };
        sqlx::query(
            "insert into sealed_links (hash, account, purpose, email, expires_at) values ($1, $2, $3, $4, $5)",
        )
        .bind(hash)
        .bind(account.0)
        .bind(row.try_get::<i16, _>(2)?)
        .bind(key.seal(&place_of_link(&hash), row.try_get::<&str, _>(3)?))
        .bind(row.try_get::<i64, _>(4)?)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

async fn seal_invitations(tx: &mut PgConnection, keys: &PeopleKeys) -> Stored<()> {
    let rows = sqlx::query(
        "select clinic, id, email, full_name, invited_by_name from invitations
         where clinic in (select clinic from clinics)",
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut clinics: HashMap<ClinicId, ClinicKeys> = HashMap::new();
    for row in &rows {
        let (clinic, invitation) = (id(row, 0, ClinicId)?, id(row, 1, InvitationId)?);
        let of_clinic = match clinics.entry(clinic) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let rows = clinic_keys(&mut *tx, &keys.at_rest, clinic).await?;
                entry.insert(keys.at_rest.open_once(clinic, &rows)?)
            }
        };
        let words = InvitationWords {
            email: row.try_get(2)?,
            full_name: row.try_get(3)?,
            invited_by: row.try_get(4)?,
        };
        sqlx::query(
            "insert into sealed_invitations (clinic, id, account, email_hash, words, roles, client, invited_by,
                 invited_at, expires_at, token, mail, closed_at)
             select clinic, id, account, $3, $4, roles, client, invited_by, invited_at, expires_at, token, mail,
                 closed_at
             from invitations where clinic = $1 and id = $2",
        )
        .bind(clinic.0)
        .bind(invitation.0)
        .bind(keys.look_up.address(&words.email))
        .bind(words.seal(of_clinic, invitation)?)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

async fn seal_mails(tx: &mut PgConnection, keys: &PeopleKeys) -> Stored<()> {
    let rows = sqlx::query(
        "select mail, recipient, recipient_name, subject, plain, html, due_at from mails where settled_at is null",
    )
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query(
        "insert into sealed_mails (mail, due_at, attempts, leased_until, settled_at, sent)
         select mail, due_at, attempts, leased_until, settled_at, sent from mails",
    )
    .execute(&mut *tx)
    .await?;
    for row in &rows {
        let mail = NewMail {
            mail: row.try_get(0)?,
            recipient: row.try_get(1)?,
            recipient_name: row.try_get(2)?,
            subject: row.try_get(3)?,
            plain: row.try_get(4)?,
            html: row.try_get(5)?,
            due_at: Timestamp(row.try_get(6)?),
        };
        sqlx::query("update sealed_mails set letter = $2 where mail = $1")
            .bind(mail.mail)
            .bind(keys.seal_mail(&mail)?)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

async fn seal_identities(tx: &mut PgConnection, keys: &PeopleKeys, people: &People) -> Stored<()> {
    let rows = sqlx::query(
        "select account, identity, issuer, subject, linked_at, profile, updated_at from identities",
    )
    .fetch_all(&mut *tx)
    .await?;
    for row in &rows {
        let (account, identity) = (id(row, 0, AccountId)?, row.try_get::<Uuid, _>(1)?);
        let Some(key) = people.get(&account) else {
            continue;
        };
        let (issuer, subject): (String, String) = (row.try_get(2)?, row.try_get(3)?);
        let vouched = Vouched {
            profile: Profile::of_before(&keys.server, &issuer, &subject, row.try_get(5)?)?,
            issuer,
            subject,
        };
        sqlx::query(
            "insert into sealed_identities (hash, identity, account, linked_at, vouched, updated_at)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(keys.look_up.identity(&vouched.issuer, &vouched.subject))
        .bind(identity)
        .bind(account.0)
        .bind(row.try_get::<i64, _>(4)?)
        .bind(vouched.seal(key, identity))
        .bind(row.try_get::<i64, _>(6)?)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

async fn seal_passkeys(tx: &mut PgConnection, people: &People) -> Stored<()> {
    let rows = sqlx::query("select account, credential, name from passkeys")
        .fetch_all(&mut *tx)
        .await?;
    for row in &rows {
        let Some(key) = people.get(&id(row, 0, AccountId)?) else {
            continue;
        };
        let credential: &[u8] = row.try_get(1)?;
        sqlx::query(
            "insert into sealed_passkeys (credential, account, passkey, name, created_at, last_used, public_key)
             select credential, account, passkey, $2, created_at, last_used, public_key
             from passkeys where credential = $1",
        )
        .bind(credential)
        .bind(key.seal(&place_of_passkey_name(credential), row.try_get::<&str, _>(2)?))
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}
