//! Whom providers vouch for, and the steps of sign-ins.

use super::super::Stored;
use super::super::people::{
    NewIdentity, NewMail, ProviderMessage, ProviderNews, StoredIdentity, TakenIn, Unlinked, Vouched,
    WaysInStorage, new_name, place_of_step,
};
use super::accounts::set_name;
use super::at_rest::their_key;
use super::mail::insert_mail;
use super::{SqliteStorage, id};
use crate::at_rest::{ClinicKeys, NO_CLINIC, PeopleKeys};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use shared_model::ids::AccountId;
use shared_model::time::Timestamp;
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

/// An identity as it lies in the file, and when the provider last changed it.
type Row = (StoredIdentity, Timestamp);

#[async_trait]
impl WaysInStorage for SqliteStorage {
    async fn keep_step(&self, hash: [u8; 32], step: Vec<u8>, expires_at: Timestamp) -> Stored<()> {
        let sealed = self
            .keys(NO_CLINIC)
            .await?
            .seal_value(&place_of_step(&hash), &step)?;
        self.write(move |connection| {
            connection.execute(
                "insert into sign_in_steps (hash, step, expires_at) values (?1, ?2, ?3)
                 on conflict (hash) do update set step = excluded.step, expires_at = excluded.expires_at",
                params![hash, sealed, expires_at.0],
            )?;
            Ok(())
        })
        .await
    }

    async fn keep_new_step(&self, hash: [u8; 32], step: Vec<u8>, expires_at: Timestamp) -> Stored<bool> {
        let sealed = self
            .keys(NO_CLINIC)
            .await?
            .seal_value(&place_of_step(&hash), &step)?;
        self.write(move |connection| {
            let kept = connection.execute(
                "insert into sign_in_steps (hash, step, expires_at) values (?1, ?2, ?3) on conflict do nothing",
                params![hash, sealed, expires_at.0],
            )?;
            Ok(kept > 0)
        })
        .await
    }

    async fn step(&self, hash: [u8; 32], now: Timestamp) -> Stored<Option<Vec<u8>>> {
        let keys = self.keys(NO_CLINIC).await?;
        self.read(move |connection| {
            let sealed: Option<Vec<u8>> = connection
                .prepare_cached("select step from sign_in_steps where hash = ?1 and expires_at > ?2")?
                .query_row(params![hash, now.0], |row| row.get(0))
                .optional()?;
            open_step(&keys, &hash, sealed)
        })
        .await
    }

    async fn take_step(&self, hash: [u8; 32], now: Timestamp) -> Stored<Option<Vec<u8>>> {
        let keys = self.keys(NO_CLINIC).await?;
        self.write(move |connection| {
            let sealed: Option<Vec<u8>> = connection
                .prepare_cached(
                    "delete from sign_in_steps where hash = ?1 and expires_at > ?2 returning step",
                )?
                .query_row(params![hash, now.0], |row| row.get(0))
                .optional()?;
            open_step(&keys, &hash, sealed)
        })
        .await
    }

    async fn identity(&self, issuer: &str, subject: &str) -> Stored<Option<StoredIdentity>> {
        let keys = self.people_keys().await?;
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.read(move |connection| {
            Ok(find(connection, &keys, &issuer, &subject)?.map(|(identity, _)| identity))
        })
        .await
    }

    async fn identities(&self, account: AccountId) -> Stored<Vec<NewIdentity>> {
        let keys = self.people_keys().await?;
        self.read(move |connection| {
            let mut select = connection.prepare_cached(select_identity!(
                "i.account = ?1 order by i.linked_at, i.identity"
            ))?;
            let mut rows = select.query([account.bytes()])?;
            let mut identities = Vec::new();
            while let Some(row) = rows.next()? {
                identities.push(read(row, &keys)?.0.identity);
            }
            Ok(identities)
        })
        .await
    }

    async fn link_identity(
        &self,
        account: AccountId,
        identity: NewIdentity,
        mail: Option<NewMail>,
    ) -> Stored<Option<NewIdentity>> {
        let keys = self.people_keys().await?;
        self.write(move |connection| {
            if link(connection, &keys, account, &identity)? {
                mail.iter()
                    .try_for_each(|mail| insert_mail(connection, &keys, mail))?;
            }
            let linked = find(connection, &keys, &identity.issuer, &identity.subject)?;
            Ok(linked
                .filter(|(linked, _)| linked.account == account)
                .map(|(linked, _)| linked.identity))
        })
        .await
    }

    async fn unlink_identity(
        &self,
        account: AccountId,
        identity: Uuid,
        mail: Option<NewMail>,
    ) -> Stored<Unlinked> {
        let keys = self.people_keys().await?;
        self.write(move |connection| {
            let key = params![account.bytes(), identity.as_bytes()];
            let (is_there, is_last): (bool, bool) = connection.query_row(
                "select exists (select 1 from identities where account = ?1 and identity = ?2),
                     not exists (select 1 from accounts where account = ?1 and password_hash <> '')
                     and not exists (select 1 from identities where account = ?1 and identity <> ?2)",
                key,
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            match (is_there, is_last) {
                (false, _) => return Ok(Unlinked::NoSuch),
                (true, true) => return Ok(Unlinked::LastWayIn),
                (true, false) => {}
            }
            connection.execute("delete from identities where account = ?1 and identity = ?2", key)?;
            mail.iter()
                .try_for_each(|mail| insert_mail(connection, &keys, mail))?;
            Ok(Unlinked::Done)
        })
        .await
    }

    async fn take_in(&self, message: ProviderMessage) -> Stored<TakenIn> {
        let keys = self.people_keys().await?;
        self.write(move |connection| {
            let noted = connection.execute(
                "insert into webhooks (issuer, message, received_at) values (?1, ?2, ?3)
                 on conflict (issuer, message) do nothing",
                params![message.issuer, message.message, message.received_at.0],
            )?;
            if noted == 0 {
                return Ok(TakenIn::Repeated);
            }
            let subject = match &message.news {
                ProviderNews::Other => return Ok(TakenIn::Nothing),
                ProviderNews::Profile { subject, .. } | ProviderNews::Gone { subject } => subject,
            };
            let Some((stored, known_at)) = find(connection, &keys, &message.issuer, subject)? else {
                return Ok(TakenIn::Nothing);
            };
            let account = stored.account;
            let ProviderNews::Profile {
                subject,
                profile,
                updated_at,
            } = &message.news
            else {
                connection.execute(
                    "delete from identities where hash = ?1",
                    [keys.look_up.identity(&message.issuer, subject)],
                )?;
                connection.execute("delete from refresh_tokens where account = ?1", [account.bytes()])?;
                return Ok(TakenIn::Unlinked(account));
            };
            if *updated_at <= known_at {
                return Ok(TakenIn::Nothing);
            }
            let key = their_key(connection, &keys, account)?;
            let vouched = Vouched {
                issuer: message.issuer.clone(),
                subject: subject.clone(),
                profile: profile.clone(),
            };
            connection.execute(
                "update identities set vouched = ?2, updated_at = ?3 where hash = ?1",
                params![
                    keys.look_up.identity(&message.issuer, subject),
                    vouched.seal(&key, stored.identity.identity),
                    updated_at.0
                ],
            )?;
            if let Some(name) = new_name(&stored.identity.profile, profile) {
                set_name(connection, &keys, account, &name)?;
            }
            Ok(TakenIn::Updated(account))
        })
        .await
    }
}

fn open_step(keys: &ClinicKeys, hash: &[u8; 32], sealed: Option<Vec<u8>>) -> Stored<Option<Vec<u8>>> {
    let opened = sealed.map(|sealed| keys.open_value(&place_of_step(hash), &sealed));
    Ok(opened.transpose()?)
}

fn read(row: &rusqlite::Row<'_>, keys: &PeopleKeys) -> Stored<Row> {
    let (account, identity) = (id(row, 0, AccountId)?, id(row, 1, |identity| identity)?);
    let key = keys.of(account, &row.get::<_, Vec<u8>>(5)?)?;
    let vouched = Vouched::open(&key, identity, &row.get::<_, Vec<u8>>(3)?)?;
    let stored = StoredIdentity {
        account,
        identity: NewIdentity {
            identity,
            issuer: vouched.issuer,
            subject: vouched.subject,
            linked_at: Timestamp(row.get(2)?),
            profile: vouched.profile,
        },
    };
    Ok((stored, Timestamp(row.get(4)?)))
}

fn find(connection: &Connection, keys: &PeopleKeys, issuer: &str, subject: &str) -> Stored<Option<Row>> {
    let mut select = connection.prepare_cached(select_identity!("i.hash = ?1"))?;
    let mut rows = select.query([keys.look_up.identity(issuer, subject)])?;
    rows.next()?.map(|row| read(row, keys)).transpose()
}

/// Whose the identity is.
pub(super) fn holder_of(
    connection: &Connection,
    keys: &PeopleKeys,
    identity: &NewIdentity,
) -> Stored<Option<AccountId>> {
    Ok(connection
        .prepare_cached("select account from identities where hash = ?1")?
        .query_row(
            [keys.look_up.identity(&identity.issuer, &identity.subject)],
            |row| id(row, 0, AccountId),
        )
        .optional()?)
}

/// Whether it was not linked with anybody before.
pub(super) fn link(
    connection: &Connection,
    keys: &PeopleKeys,
    account: AccountId,
    identity: &NewIdentity,
) -> Stored<bool> {
    let key = their_key(connection, keys, account)?;
    let linked = connection
        .prepare_cached(
            "insert into identities (hash, identity, account, linked_at, vouched)
             values (?1, ?2, ?3, ?4, ?5) on conflict (hash) do nothing",
        )?
        .execute(params![
            keys.look_up.identity(&identity.issuer, &identity.subject),
            identity.identity.as_bytes(),
            account.bytes(),
            identity.linked_at.0,
            Vouched::of(identity).seal(&key, identity.identity)
        ])?;
    Ok(linked > 0)
}
