//! Accounts, memberships and the links of mails.

use super::super::people::{
    Account, AccountStorage, LinkPurpose, NewLink, NewMail, RolesJudge, SealedAccount, StoredLink, by_name,
    place_of_link,
};
use super::super::{Stored, people, roles, roles_words};
use super::at_rest::{add_person_key, person_key, their_key};
use super::mail::insert_mail;
use super::{SqliteStorage, id};
use crate::at_rest::{EMAIL, FULL_NAME, NEW_EMAIL, PeopleKeys};
use crate::identity::{MemberRoles, RolesRefused};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use shared_model::accounts::{Clinic, Member, Membership};
use shared_model::ids::{AccountId, ClientId, ClinicId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use uuid::Uuid;

macro_rules! select_account {
    ($which:literal) => {
        concat!(
            "select a.account, k.wrapped, a.email, a.full_name, a.new_email, a.password_hash, a.verified
             from accounts a join person_keys k on k.account = a.account where ",
            $which
        )
    };
}

fn read_account(row: &Row<'_>) -> rusqlite::Result<SealedAccount> {
    Ok(SealedAccount {
        account: id(row, 0, AccountId)?,
        wrapped: row.get(1)?,
        email: row.get(2)?,
        full_name: row.get(3)?,
        new_email: row.get(4)?,
        password_hash: row.get(5)?,
        email_verified: row.get(6)?,
    })
}

pub(super) fn optional_client(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ClientId>> {
    let client: Option<[u8; 16]> = row.get(column)?;
    Ok(client.map(|bytes| ClientId(Uuid::from_bytes(bytes))))
}

#[async_trait]
impl AccountStorage for SqliteStorage {
    async fn account(&self, account: AccountId) -> Stored<Option<Account>> {
        let keys = self.people_keys().await?;
        self.read(move |connection| {
            let found = connection
                .prepare_cached(select_account!("a.account = ?1"))?
                .query_row([account.bytes()], read_account)
                .optional()?;
            found.map(|found| found.open(&keys)).transpose()
        })
        .await
    }

    async fn account_by_email(&self, email: &str) -> Stored<Option<Account>> {
        let (email, keys) = (email.to_owned(), self.people_keys().await?);
        self.read(move |connection| {
            let found = connection
                .prepare_cached(select_account!("a.email_hash = ?1"))?
                .query_row([keys.look_up.address(&email)], read_account)
                .optional()?;
            found.map(|found| found.open(&keys)).transpose()
        })
        .await
    }

    async fn memberships(&self, account: AccountId) -> Stored<Vec<Membership>> {
        self.read(move |connection| memberships_of(connection, account))
            .await
    }

    async fn members(&self, clinic: ClinicId) -> Stored<Vec<Member>> {
        let keys = self.people_keys().await?;
        self.read(move |connection| {
            let mut select = connection.prepare_cached(
                "select a.account, k.wrapped, a.full_name, a.email, m.roles, m.client, max(d.last_seen),
                    count(d.device), exists (select 1 from totp t where t.account = a.account)
                    or exists (select 1 from passkeys p where p.account = a.account)
                 from memberships m join accounts a on a.account = m.account
                 left join person_keys k on k.account = m.account
                 left join devices d on d.account = m.account
                 where m.clinic = ?1 group by a.account",
            )?;
            let mut rows = select.query([clinic.bytes()])?;
            let mut members = Vec::new();
            while let Some(row) = rows.next()? {
                let account = id(row, 0, AccountId)?;
                let (wrapped, name, email): (Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>) =
                    (row.get(1)?, row.get(2)?, row.get(3)?);
                let wrapped = wrapped.as_deref();
                members.push(Member {
                    account,
                    full_name: keys.shown(account, wrapped, FULL_NAME, name.as_deref()),
                    email: keys.shown(account, wrapped, EMAIL, email.as_deref()),
                    roles: roles(&row.get::<_, String>(4)?),
                    client: optional_client(row, 5)?,
                    last_seen: row.get::<_, Option<i64>>(6)?.map(Timestamp),
                    devices: people::small_count(row.get(7)?)?,
                    has_second_factor: Some(row.get(8)?),
                });
            }
            Ok(by_name(members))
        })
        .await
    }

    async fn clinic_name(&self, clinic: ClinicId) -> Stored<Option<String>> {
        self.read(move |connection| {
            Ok(connection
                .prepare_cached("select name from clinics where clinic = ?1")?
                .query_row([clinic.bytes()], |row| row.get(0))
                .optional()?)
        })
        .await
    }

    async fn clinics_with_members(&self) -> Stored<Vec<Clinic>> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "select c.clinic, c.name, c.created_at, count(m.account) from clinics c
                 left join memberships m on m.clinic = c.clinic
                 group by c.clinic order by c.name, c.clinic",
            )?;
            let mut rows = select.query([])?;
            let mut clinics = Vec::new();
            while let Some(row) = rows.next()? {
                clinics.push(Clinic {
                    clinic: id(row, 0, ClinicId)?,
                    name: row.get(1)?,
                    created_at: Timestamp(row.get(2)?),
                    members: people::small_count(row.get(3)?)?,
                });
            }
            Ok(clinics)
        })
        .await
    }

    async fn rename_account(&self, account: AccountId, full_name: &str) -> Stored<()> {
        let (full_name, keys) = (full_name.to_owned(), self.people_keys().await?);
        self.write(move |connection| set_name(connection, &keys, account, &full_name))
            .await
    }

    async fn change_password(
        &self,
        account: AccountId,
        password_hash: &str,
        keep: [u8; 16],
        mail: Option<NewMail>,
    ) -> Stored<()> {
        let (password_hash, keys) = (password_hash.to_owned(), self.people_keys().await?);
        self.write(move |connection| {
            set_password(connection, account, &password_hash)?;
            connection.execute(
                "delete from refresh_tokens where account = ?1 and family <> ?2",
                params![account.bytes(), keep],
            )?;
            mail.iter()
                .try_for_each(|mail| insert_mail(connection, &keys, mail))
        })
        .await
    }

    async fn add_link(&self, link: NewLink, mails: Vec<NewMail>) -> Stored<()> {
        let keys = self.people_keys().await?;
        self.write(move |connection| {
            let key = their_key(connection, &keys, link.account)?;
            connection.execute(
                "delete from links where account = ?1 and purpose = ?2",
                params![link.account.bytes(), link.purpose.number()],
            )?;
            connection.execute(
                "insert into links (hash, account, purpose, email, expires_at) values (?1, ?2, ?3, ?4, ?5)",
                params![
                    link.hash,
                    link.account.bytes(),
                    link.purpose.number(),
                    key.seal(&place_of_link(&link.hash), &link.email),
                    link.expires_at.0
                ],
            )?;
            if link.purpose == LinkPurpose::ConfirmEmail {
                connection.execute(
                    "update accounts set new_email = case when email_hash = ?2 then null else ?3 end
                     where account = ?1",
                    params![
                        link.account.bytes(),
                        keys.look_up.address(&link.email),
                        key.seal(NEW_EMAIL, &link.email)
                    ],
                )?;
            }
            mails
                .iter()
                .try_for_each(|mail| insert_mail(connection, &keys, mail))
        })
        .await
    }

    async fn take_back_new_email(&self, account: AccountId) -> Stored<bool> {
        self.write(move |connection| {
            let waited = connection.execute(
                "update accounts set new_email = null where account = ?1 and new_email is not null",
                [account.bytes()],
            )?;
            if waited > 0 {
                connection.execute(
                    "delete from links where account = ?1 and purpose = ?2",
                    params![account.bytes(), LinkPurpose::ConfirmEmail.number()],
                )?;
            }
            Ok(waited > 0)
        })
        .await
    }

    async fn link(&self, hash: [u8; 32], purpose: LinkPurpose, now: Timestamp) -> Stored<Option<StoredLink>> {
        let keys = self.people_keys().await?;
        self.read(move |connection| find_link(connection, &keys, hash, purpose, now))
            .await
    }

    async fn reset_password(
        &self,
        hash: [u8; 32],
        now: Timestamp,
        password_hash: &str,
        mail: Option<NewMail>,
    ) -> Stored<Option<AccountId>> {
        let (password_hash, keys) = (password_hash.to_owned(), self.people_keys().await?);
        self.write(move |connection| {
            let Some(link) = find_link(connection, &keys, hash, LinkPurpose::ResetPassword, now)? else {
                return Ok(None);
            };
            set_password(connection, link.account, &password_hash)?;
            connection.execute(
                "update accounts set verified = 1 where account = ?1 and email_hash = ?2",
                params![link.account.bytes(), keys.look_up.address(&link.email)],
            )?;
            connection.execute(
                "delete from refresh_tokens where account = ?1",
                [link.account.bytes()],
            )?;
            mail.iter()
                .try_for_each(|mail| insert_mail(connection, &keys, mail))?;
            Ok(Some(link.account))
        })
        .await
    }

    async fn confirm_email(&self, hash: [u8; 32], now: Timestamp) -> Stored<Option<AccountId>> {
        let keys = self.people_keys().await?;
        self.write(move |connection| {
            let Some(link) = find_link(connection, &keys, hash, LinkPurpose::ConfirmEmail, now)? else {
                return Ok(None);
            };
            connection.execute("delete from links where hash = ?1", [hash])?;
            let email_hash = keys.look_up.address(&link.email);
            let holder = account_with(connection, &email_hash)?;
            if holder.is_some_and(|holder| holder != link.account) {
                // It waits for nothing any more.
                connection.execute(
                    "update accounts set new_email = null where account = ?1",
                    [link.account.bytes()],
                )?;
                return Ok(None);
            }
            let key = their_key(connection, &keys, link.account)?;
            connection.execute(
                "update accounts set email_hash = ?2, email = ?3, verified = 1, new_email = null where account = ?1",
                params![link.account.bytes(), email_hash, key.seal(EMAIL, &link.email)],
            )?;
            end_links(connection, link.account)?;
            Ok(Some(link.account))
        })
        .await
    }

    async fn change_roles(
        &self,
        clinic: ClinicId,
        account: AccountId,
        new: Vec<Role>,
        judge: RolesJudge,
    ) -> Stored<Result<(), RolesRefused>> {
        self.write(move |connection| {
            let members = roles_at(connection, clinic)?;
            if let Err(refused) = judge(&members) {
                return Ok(Err(refused));
            }
            let key = params![clinic.bytes(), account.bytes()];
            if new.is_empty() {
                connection.execute("delete from memberships where clinic = ?1 and account = ?2", key)?;
                connection.execute(
                    "delete from refresh_tokens where clinic = ?1 and account = ?2",
                    key,
                )?;
            } else {
                connection.execute(
                    "update memberships set roles = ?3, client = case when ?4 then client end
                     where clinic = ?1 and account = ?2",
                    params![
                        clinic.bytes(),
                        account.bytes(),
                        roles_words(&new),
                        new.contains(&Role::Owner)
                    ],
                )?;
            }
            Ok(Ok(()))
        })
        .await
    }

    async fn add_role_everywhere(&self, account: AccountId, role: Role) -> Stored<usize> {
        self.write(move |connection| {
            let of_clinics = {
                let mut select =
                    connection.prepare_cached("select clinic, roles from memberships where account = ?1")?;
                let rows = select.query_map([account.bytes()], |row| {
                    Ok((row.get::<_, [u8; 16]>(0)?, roles(&row.get::<_, String>(1)?)))
                })?;
                rows.collect::<rusqlite::Result<Vec<_>>>()?
            };
            for (clinic, roles) in &of_clinics {
                connection.execute(
                    "update memberships set roles = ?3 where clinic = ?1 and account = ?2",
                    params![
                        clinic,
                        account.bytes(),
                        roles_words(&crate::identity::joined(roles, &[role]))
                    ],
                )?;
            }
            Ok(of_clinics.len())
        })
        .await
    }
}

pub(super) fn memberships_of(connection: &Connection, account: AccountId) -> Stored<Vec<Membership>> {
    let mut select = connection.prepare_cached(
        "select m.clinic, c.name, m.roles, m.client from memberships m join clinics c on c.clinic = m.clinic
         where m.account = ?1 order by c.name, m.clinic",
    )?;
    let rows = select.query_map([account.bytes()], |row| {
        Ok(Membership {
            clinic: id(row, 0, ClinicId)?,
            clinic_name: row.get(1)?,
            roles: roles(&row.get::<_, String>(2)?),
            client: optional_client(row, 3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What everybody is at a clinic.
pub(super) fn roles_at(connection: &Connection, clinic: ClinicId) -> Stored<Vec<MemberRoles>> {
    let mut select =
        connection.prepare_cached("select account, roles, client from memberships where clinic = ?1")?;
    let rows = select.query_map([clinic.bytes()], |row| {
        Ok(MemberRoles {
            account: id(row, 0, AccountId)?,
            roles: roles(&row.get::<_, String>(1)?),
            client: optional_client(row, 2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whose address has this hash.
pub(super) fn account_with(connection: &Connection, email_hash: &[u8; 32]) -> Stored<Option<AccountId>> {
    Ok(connection
        .prepare_cached("select account from accounts where email_hash = ?1")?
        .query_row([email_hash], |row| id(row, 0, AccountId))
        .optional()?)
}

/// What an account begins with.
pub(super) struct Beginning<'a> {
    pub(super) account: AccountId,
    pub(super) email: &'a str,
    pub(super) full_name: &'a str,
    pub(super) password_hash: &'a str,
    pub(super) email_verified: bool,
}

/// False if there is such an account.
pub(super) fn begin_account(connection: &Connection, keys: &PeopleKeys, new: &Beginning<'_>) -> Stored<bool> {
    let is_there = connection
        .prepare_cached("select 1 from accounts where account = ?1")?
        .exists([new.account.bytes()])?;
    if is_there {
        return Ok(false);
    }
    let key = add_person_key(connection, keys, new.account)?;
    connection
        .prepare_cached(
            "insert into accounts (account, email_hash, email, full_name, password_hash, verified)
             values (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            new.account.bytes(),
            keys.look_up.address(new.email),
            key.seal(EMAIL, new.email),
            key.seal(FULL_NAME, new.full_name),
            new.password_hash,
            new.email_verified
        ])?;
    Ok(true)
}

/// Nothing of somebody who was erased.
pub(super) fn set_name(
    connection: &Connection,
    keys: &PeopleKeys,
    account: AccountId,
    full_name: &str,
) -> Stored<()> {
    if let Some(key) = person_key(connection, keys, account)? {
        connection.execute(
            "update accounts set full_name = ?2 where account = ?1",
            params![account.bytes(), key.seal(FULL_NAME, full_name)],
        )?;
    }
    Ok(())
}

/// The new password is set, and whoever knew the former one has nothing left that waits for a link to be followed.
fn set_password(connection: &Connection, account: AccountId, password_hash: &str) -> Stored<()> {
    connection.execute(
        "update accounts set password_hash = ?2, new_email = null where account = ?1",
        params![account.bytes(), password_hash],
    )?;
    end_links(connection, account)
}

fn end_links(connection: &Connection, account: AccountId) -> Stored<()> {
    connection.execute("delete from links where account = ?1", [account.bytes()])?;
    Ok(())
}

fn find_link(
    connection: &Connection,
    keys: &PeopleKeys,
    hash: [u8; 32],
    purpose: LinkPurpose,
    now: Timestamp,
) -> Stored<Option<StoredLink>> {
    let found: Option<(AccountId, Vec<u8>)> = connection
        .prepare_cached(
            "select account, email from links where hash = ?1 and purpose = ?2 and expires_at > ?3",
        )?
        .query_row(params![hash, purpose.number(), now.0], |row| {
            Ok((id(row, 0, AccountId)?, row.get(1)?))
        })
        .optional()?;
    let Some((account, sealed)) = found else {
        return Ok(None);
    };
    let Some(key) = person_key(connection, keys, account)? else {
        return Ok(None);
    };
    Ok(Some(StoredLink {
        account,
        email: key.open_text(&place_of_link(&hash), &sealed)?,
    }))
}
