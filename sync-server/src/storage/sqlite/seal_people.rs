//! Seals what a build of before left readable of people, when the database is opened.
//!
//! Invariant: readable tables and sealed ones change places in one transaction, so whoever is killed over it has the
//! former ones; and pages that were readable are gone before anything else is done with the file.

use super::super::people::{
    InvitationWords, NewMail, Profile, Vouched, place_of_device, place_of_link, place_of_passkey_name,
};
use super::super::{StorageError, Stored};
use super::at_rest::{add_person_key, clinic_keys, person_key, their_key};
use super::{id, identity};
use crate::at_rest::{AtRest, EMAIL, FULL_NAME, LookUp, NEW_EMAIL, NO_CLINIC, PeopleKeys};
use crate::identity::random;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use shared_model::ids::{AccountId, ClinicId, DeviceId, InvitationId};
use shared_model::time::Timestamp;
use std::sync::Arc;

const IN_PLACE: &str = include_str!("../../../../migrations/server/sqlite/0014_sealed_people_in_place.sql");

pub(super) fn seal_people(connection: &mut Connection, at_rest: &Arc<AtRest>) -> Stored<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if is_there(&tx, "sealed_accounts")? {
        let keys = people_keys(&tx, at_rest)?;
        seal_accounts(&tx, &keys)?;
        seal_devices(&tx, &keys)?;
        seal_links(&tx, &keys)?;
        seal_invitations(&tx, &keys)?;
        seal_mails(&tx, &keys)?;
        seal_identities(&tx, &keys)?;
        seal_passkeys(&tx, &keys)?;
        tx.execute_batch(IN_PLACE)?;
        tx.commit()?;
    } else {
        tx.finish()?;
    }
    if is_there(connection, "unswept")? {
        sweep(connection)?;
        connection.execute_batch("drop table if exists unswept")?;
    }
    Ok(())
}

/// Writes the file anew, without free pages, and cuts off its log: what was deleted is in neither.
pub(super) fn sweep(connection: &Connection) -> Stored<()> {
    connection.execute_batch("vacuum")?;
    truncate_log(connection)
}

/// # Errors
/// If somebody reads what the log still has to keep for them.
pub(super) fn truncate_log(connection: &Connection) -> Stored<()> {
    let is_busy: bool = connection.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))?;
    if is_busy {
        return Err(StorageError::Away(
            "somebody reads what has to be swept".to_owned(),
        ));
    }
    Ok(())
}

fn is_there(connection: &Connection, table: &str) -> Stored<bool> {
    Ok(connection
        .prepare_cached("select 1 from sqlite_master where type = 'table' and name = ?1")?
        .exists([table])?)
}

fn people_keys(tx: &Transaction<'_>, at_rest: &Arc<AtRest>) -> Stored<PeopleKeys> {
    let rows = clinic_keys(tx, NO_CLINIC, &at_rest.first_key(NO_CLINIC))?;
    let server = at_rest.open(NO_CLINIC, &rows)?;
    let secret = identity::secret(tx, &server, LookUp::SECRET, random())?;
    Ok(at_rest.open_people(server, secret))
}

fn seal_accounts(tx: &Transaction<'_>, keys: &PeopleKeys) -> Stored<()> {
    let mut select =
        tx.prepare("select account, email, full_name, password_hash, verified, new_email from accounts")?;
    let mut insert = tx.prepare(
        "insert into sealed_accounts (account, email_hash, email, full_name, password_hash, verified, new_email)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let account = id(row, 0, AccountId)?;
        let (email, full_name, password_hash): (String, String, String) =
            (row.get(1)?, row.get(2)?, row.get(3)?);
        let (verified, new_email): (bool, Option<String>) = (row.get(4)?, row.get(5)?);
        let key = add_person_key(tx, keys, account)?;
        insert.execute(params![
            account.bytes(),
            keys.look_up.address(&email),
            key.seal(EMAIL, &email),
            key.seal(FULL_NAME, &full_name),
            password_hash,
            verified,
            new_email.map(|email| key.seal(NEW_EMAIL, email))
        ])?;
    }
    Ok(())
}

/// Rows of accounts that are not there are left behind, here and below: nobody's key could seal them.
fn seal_devices(tx: &Transaction<'_>, keys: &PeopleKeys) -> Stored<()> {
    let mut select = tx.prepare("select account, device, name, first_seen, last_seen, named from devices")?;
    let mut insert = tx.prepare(
        "insert into sealed_devices (account, device, name, first_seen, last_seen, named)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (account, device) = (id(row, 0, AccountId)?, id(row, 1, DeviceId)?);
        let Some(key) = person_key(tx, keys, account)? else {
            continue;
        };
        insert.execute(params![
            account.bytes(),
            device.bytes(),
            key.seal(&place_of_device(device), row.get::<_, String>(2)?),
            row.get::<_, i64>(3)?,
            row.get::<_, i64>(4)?,
            row.get::<_, bool>(5)?
        ])?;
    }
    Ok(())
}

fn seal_links(tx: &Transaction<'_>, keys: &PeopleKeys) -> Stored<()> {
    let mut select = tx.prepare("select hash, account, purpose, email, expires_at from links")?;
    let mut insert = tx.prepare(
        "insert into sealed_links (hash, account, purpose, email, expires_at) values (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (hash, account): ([u8; 32], _) = (row.get(0)?, id(row, 1, AccountId)?);
        let Some(key) = person_key(tx, keys, account)? else {
            continue;
        };
        insert.execute(params![
            hash,
            account.bytes(),
            row.get::<_, i64>(2)?,
            key.seal(&place_of_link(&hash), row.get::<_, String>(3)?),
            row.get::<_, i64>(4)?
        ])?;
    }
    Ok(())
}

fn seal_invitations(tx: &Transaction<'_>, keys: &PeopleKeys) -> Stored<()> {
    let mut select = tx.prepare(
        "select clinic, id, account, email, full_name, invited_by_name, roles, client, invited_by, invited_at,
             expires_at, token, mail, closed_at
         from invitations where clinic in (select clinic from clinics)",
    )?;
    let mut insert = tx.prepare(
        "insert into sealed_invitations (clinic, id, account, email_hash, words, roles, client, invited_by,
             invited_at, expires_at, token, mail, closed_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (clinic, invitation) = (id(row, 0, ClinicId)?, id(row, 1, InvitationId)?);
        let of_clinic = clinic_keys(tx, clinic, &keys.at_rest.first_key(clinic))?;
        let of_clinic = keys.at_rest.open_once(clinic, &of_clinic)?;
        let words = InvitationWords {
            email: row.get(3)?,
            full_name: row.get(4)?,
            invited_by: row.get(5)?,
        };
        insert.execute(params![
            clinic.bytes(),
            invitation.bytes(),
            row.get::<_, [u8; 16]>(2)?,
            keys.look_up.address(&words.email),
            words.seal(&of_clinic, invitation)?,
            row.get::<_, String>(6)?,
            row.get::<_, Option<[u8; 16]>>(7)?,
            row.get::<_, Option<[u8; 16]>>(8)?,
            row.get::<_, i64>(9)?,
            row.get::<_, i64>(10)?,
            row.get::<_, [u8; 32]>(11)?,
            row.get::<_, Option<[u8; 16]>>(12)?,
            row.get::<_, Option<i64>>(13)?
        ])?;
    }
    Ok(())
}

fn seal_mails(tx: &Transaction<'_>, keys: &PeopleKeys) -> Stored<()> {
    tx.execute_batch(
        "insert into sealed_mails (mail, due_at, attempts, leased_until, settled_at, sent)
         select mail, due_at, attempts, leased_until, settled_at, sent from mails where settled_at is not null",
    )?;
    let mut select = tx.prepare(
        "select mail, recipient, recipient_name, subject, plain, html, due_at, attempts, leased_until from mails
         where settled_at is null",
    )?;
    let mut insert = tx.prepare(
        "insert into sealed_mails (mail, letter, due_at, attempts, leased_until) values (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let mail = NewMail {
            mail: id(row, 0, |mail| mail)?,
            recipient: row.get(1)?,
            recipient_name: row.get(2)?,
            subject: row.get(3)?,
            plain: row.get(4)?,
            html: row.get(5)?,
            due_at: Timestamp(row.get(6)?),
        };
        insert.execute(params![
            mail.mail.as_bytes(),
            keys.seal_mail(&mail)?,
            mail.due_at.0,
            row.get::<_, i64>(7)?,
            row.get::<_, i64>(8)?
        ])?;
    }
    Ok(())
}

fn seal_identities(tx: &Transaction<'_>, keys: &PeopleKeys) -> Stored<()> {
    let mut select = tx.prepare(
        "select issuer, subject, identity, account, linked_at, profile, updated_at from identities
         where account in (select account from person_keys)",
    )?;
    let mut insert = tx.prepare(
        "insert into sealed_identities (hash, identity, account, linked_at, vouched, updated_at)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (issuer, subject): (String, String) = (row.get(0)?, row.get(1)?);
        let (identity, account) = (id(row, 2, |identity| identity)?, id(row, 3, AccountId)?);
        let key = their_key(tx, keys, account)?;
        let profile = Profile::of_before(&keys.server, &issuer, &subject, &row.get::<_, Vec<u8>>(5)?)?;
        let hash = keys.look_up.identity(&issuer, &subject);
        let vouched = Vouched {
            issuer,
            subject,
            profile,
        };
        insert.execute(params![
            hash,
            identity.as_bytes(),
            account.bytes(),
            row.get::<_, i64>(4)?,
            vouched.seal(&key, identity),
            row.get::<_, i64>(6)?
        ])?;
    }
    Ok(())
}

fn seal_passkeys(tx: &Transaction<'_>, keys: &PeopleKeys) -> Stored<()> {
    let mut select = tx.prepare(
        "select credential, account, passkey, name, created_at, last_used, public_key from passkeys
         where account in (select account from person_keys)",
    )?;
    let mut insert = tx.prepare(
        "insert into sealed_passkeys (credential, account, passkey, name, created_at, last_used, public_key)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (credential, account): (Vec<u8>, _) = (row.get(0)?, id(row, 1, AccountId)?);
        let key = their_key(tx, keys, account)?;
        let name = key.seal(&place_of_passkey_name(&credential), row.get::<_, String>(3)?);
        insert.execute(params![
            credential,
            account.bytes(),
            row.get::<_, [u8; 16]>(2)?,
            name,
            row.get::<_, i64>(4)?,
            row.get::<_, Option<i64>>(5)?,
            row.get::<_, Vec<u8>>(6)?
        ])?;
    }
    Ok(())
}
