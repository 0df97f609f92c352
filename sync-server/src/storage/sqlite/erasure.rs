//! Erasing a person.

use super::super::Stored;
use super::super::people::{
    Erasure, ErasureStorage, InvitationWords, Traces, erased, place_of_link, small_count,
};
use super::accounts::{memberships_of, roles_at};
use super::at_rest::{clinic_keys, person_key};
use super::seal_people::truncate_log;
use super::trail::note;
use super::{SqliteStorage, id};
use crate::at_rest::{EMAIL, NEW_EMAIL, PeopleKeys, PersonKey};
use crate::identity::is_last_administrator;
use async_trait::async_trait;
use rusqlite::{Connection, params};
use shared_model::ids::{AccountId, ClinicId, InvitationId};
use shared_model::time::Timestamp;
use std::collections::BTreeSet;
use uuid::Uuid;

#[async_trait]
impl ErasureStorage for SqliteStorage {
    async fn traces(&self, account: AccountId) -> Stored<Option<Traces>> {
        let keys = self.people_keys().await?;
        self.read(move |connection| match person_key(connection, &keys, account)? {
            Some(key) => traces(connection, &keys, account, &key).map(Some),
            None => Ok(None),
        })
        .await
    }

    async fn erase(&self, account: AccountId, now: Timestamp) -> Stored<Erasure> {
        let keys = self.people_keys().await?;
        let erasure = self
            .write(move |connection| erase(connection, &keys, account, now))
            .await?;
        if !matches!(erasure, Erasure::Erased { .. }) {
            return Ok(erasure);
        }
        let _turn = self.writer.turn().await;
        let swept = self.writer.run(|connection| truncate_log(connection)).await;
        Ok(Erasure::Erased {
            swept: swept
                .inspect_err(|error| tracing::warn!(%error, "the log of the database was not cut off"))
                .is_ok(),
        })
    }
}

fn traces(connection: &Connection, keys: &PeopleKeys, account: AccountId, key: &PersonKey) -> Stored<Traces> {
    let addresses = Addresses::of(connection, keys, account, key)?;
    let count = |sql: &str| -> Stored<u32> {
        small_count(connection.query_row(sql, [account.bytes()], |row| row.get(0))?)
    };
    Ok(Traces {
        memberships: memberships_of(connection, account)?,
        devices: count("select count(*) from devices where account = ?1")?,
        identities: count("select count(*) from identities where account = ?1")?,
        second_factors: count(
            "select (select count(*) from totp where account = ?1)
                 + (select count(*) from passkeys where account = ?1)",
        )?,
        links: count("select count(*) from links where account = ?1")?,
        invitations: small_count(connection.query_row(
            "select count(*) from invitations where email_hash = ?1 or account = ?2",
            params![addresses.hash, account.bytes()],
            |row| row.get(0),
        )?)?,
        mails: u32::try_from(addresses.mails(connection, keys)?.len()).unwrap_or(u32::MAX),
    })
}

fn erase(connection: &Connection, keys: &PeopleKeys, account: AccountId, now: Timestamp) -> Stored<Erasure> {
    let Some(key) = person_key(connection, keys, account)? else {
        return Ok(Erasure::NoSuch);
    };
    let mut without = Vec::new();
    for membership in memberships_of(connection, account)? {
        if is_last_administrator(&roles_at(connection, membership.clinic)?, account) {
            without.push(membership);
        }
    }
    if !without.is_empty() {
        return Ok(Erasure::LastAdministrator(without));
    }
    let addresses = Addresses::of(connection, keys, account, &key)?;
    for mail in addresses.mails(connection, keys)? {
        connection.execute("delete from mails where mail = ?1", [mail.as_bytes()])?;
    }
    connection.execute(
        "delete from invitations where email_hash = ?1 or account = ?2",
        params![addresses.hash, account.bytes()],
    )?;
    forget_as_inviter(connection, keys, account)?;
    connection.execute(
        "delete from demonstration_accounts where lower(email) = ?1",
        [addresses.email.to_lowercase()],
    )?;
    for clinic in clinics_of(connection, account)? {
        let of_clinic = clinic_keys(connection, clinic, &keys.at_rest.first_key(clinic))?;
        let of_clinic = keys.at_rest.open_once(clinic, &of_clinic)?;
        note(connection, clinic, &of_clinic, &[erased(account, now)])?;
    }
    for statement in [
        "delete from memberships where account = ?1",
        "delete from refresh_tokens where account = ?1",
        "delete from identities where account = ?1",
        "delete from totp where account = ?1",
        "delete from recovery_codes where account = ?1",
        "delete from passkeys where account = ?1",
        "delete from links where account = ?1",
        "update devices set name = null, named = 0 where account = ?1",
        "delete from person_keys where account = ?1",
    ] {
        connection.execute(statement, [account.bytes()])?;
    }
    connection.execute(
        "update accounts set email_hash = null, email = null, full_name = null, new_email = null,
             password_hash = '', verified = 0, erased_at = ?2 where account = ?1",
        params![account.bytes(), now.0],
    )?;
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
    fn of(connection: &Connection, keys: &PeopleKeys, account: AccountId, key: &PersonKey) -> Stored<Self> {
        let (email, new_email): (Vec<u8>, Option<Vec<u8>>) = connection.query_row(
            "select email, new_email from accounts where account = ?1",
            [account.bytes()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let email = key.open_text(EMAIL, &email)?;
        let mut all = BTreeSet::from([email.to_lowercase()]);
        if let Some(sealed) = new_email {
            all.insert(key.open_text(NEW_EMAIL, &sealed)?.to_lowercase());
        }
        let mut links = connection.prepare_cached("select hash, email from links where account = ?1")?;
        let mut rows = links.query([account.bytes()])?;
        while let Some(row) = rows.next()? {
            let (hash, sealed): ([u8; 32], Vec<u8>) = (row.get(0)?, row.get(1)?);
            all.insert(key.open_text(&place_of_link(&hash), &sealed)?.to_lowercase());
        }
        Ok(Self {
            hash: keys.look_up.address(&email),
            email,
            all,
        })
    }

    /// Mails to them that wait. They are few, so each is opened.
    fn mails(&self, connection: &Connection, keys: &PeopleKeys) -> Stored<Vec<Uuid>> {
        let mut select = connection.prepare_cached(
            "select mail, letter, due_at from mails where settled_at is null and letter is not null",
        )?;
        let mut rows = select.query([])?;
        let mut mails = Vec::new();
        while let Some(row) = rows.next()? {
            let mail = id(row, 0, |mail| mail)?;
            let opened = keys.open_mail(mail, &row.get::<_, Vec<u8>>(1)?, Timestamp(row.get(2)?));
            if opened.is_some_and(|opened| self.all.contains(&opened.recipient.to_lowercase())) {
                mails.push(mail);
            }
        }
        Ok(mails)
    }
}

/// Invitations that they wrote are nobody's.
fn forget_as_inviter(connection: &Connection, keys: &PeopleKeys, account: AccountId) -> Stored<()> {
    let mut select =
        connection.prepare_cached("select clinic, id, words from invitations where invited_by = ?1")?;
    let rows = select.query_map([account.bytes()], |row| {
        Ok((id(row, 0, ClinicId)?, id(row, 1, InvitationId)?, row.get(2)?))
    })?;
    let rows: Vec<(ClinicId, InvitationId, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>()?;
    for (clinic, invitation, words) in rows {
        let of_clinic = clinic_keys(connection, clinic, &keys.at_rest.first_key(clinic))?;
        let of_clinic = keys.at_rest.open_once(clinic, &of_clinic)?;
        let Some(mut words) = InvitationWords::open(&of_clinic, invitation, &words) else {
            continue;
        };
        words.invited_by = String::new();
        connection.execute(
            "update invitations set words = ?3 where clinic = ?1 and id = ?2",
            params![
                clinic.bytes(),
                invitation.bytes(),
                words.seal(&of_clinic, invitation)?
            ],
        )?;
    }
    Ok(())
}

/// Where they are a member or have ever written.
fn clinics_of(connection: &Connection, account: AccountId) -> Stored<Vec<ClinicId>> {
    let mut select = connection.prepare_cached(
        "select clinic from memberships where account = ?1 union select clinic from actors where account = ?1
         order by 1",
    )?;
    let rows = select.query_map([account.bytes()], |row| id(row, 0, ClinicId))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
