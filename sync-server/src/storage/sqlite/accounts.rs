//! Accounts, memberships and the links of mails.

use super::super::people::{Account, AccountStorage, LinkPurpose, NewLink, NewMail, RolesJudge, StoredLink};
use super::super::{StorageError, Stored, people, roles, roles_words};
use super::mail::insert_mail;
use super::{SqliteStorage, id};
use crate::identity::{MemberRoles, RolesRefused};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use shared_model::accounts::{Clinic, Member, Membership};
use shared_model::ids::{AccountId, ClientId, ClinicId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use uuid::Uuid;

macro_rules! account_columns {
    () => {
        "account, email, full_name, password_hash, verified, new_email"
    };
}

fn read_account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        account: id(row, 0, AccountId)?,
        email: row.get(1)?,
        full_name: row.get(2)?,
        password_hash: row.get(3)?,
        email_verified: row.get(4)?,
        new_email: row.get(5)?,
    })
}

pub(super) fn optional_client(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ClientId>> {
    let client: Option<[u8; 16]> = row.get(column)?;
    Ok(client.map(|bytes| ClientId(Uuid::from_bytes(bytes))))
}

#[async_trait]
impl AccountStorage for SqliteStorage {
    async fn account(&self, account: AccountId) -> Stored<Option<Account>> {
        self.read(move |connection| {
            Ok(connection
                .prepare_cached(concat!(
                    "select ",
                    account_columns!(),
                    " from accounts where account = ?1"
                ))?
                .query_row([account.bytes()], read_account)
                .optional()?)
        })
        .await
    }

    async fn account_by_email(&self, email: &str) -> Stored<Option<Account>> {
        let email = email.to_owned();
        self.read(move |connection| account_by_email(connection, &email))
            .await
    }

    async fn memberships(&self, account: AccountId) -> Stored<Vec<Membership>> {
        self.read(move |connection| {
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
        })
        .await
    }

    async fn members(&self, clinic: ClinicId) -> Stored<Vec<Member>> {
        self.read(move |connection| {
            let mut select = connection.prepare_cached(
                "select a.account, a.full_name, a.email, m.roles, m.client, max(d.last_seen), count(d.device),
                    exists (select 1 from totp t where t.account = a.account)
                    or exists (select 1 from passkeys p where p.account = a.account)
                 from memberships m join accounts a on a.account = m.account
                 left join devices d on d.account = m.account
                 where m.clinic = ?1 group by a.account order by a.full_name, a.account",
            )?;
            let mut rows = select.query([clinic.bytes()])?;
            let mut members = Vec::new();
            while let Some(row) = rows.next()? {
                members.push(Member {
                    account: id(row, 0, AccountId)?,
                    full_name: row.get(1)?,
                    email: row.get(2)?,
                    roles: roles(&row.get::<_, String>(3)?),
                    client: optional_client(row, 4)?,
                    last_seen: row.get::<_, Option<i64>>(5)?.map(Timestamp),
                    devices: people::small_count(row.get(6)?)?,
                    has_second_factor: Some(row.get(7)?),
                });
            }
            Ok(members)
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
        let full_name = full_name.to_owned();
        self.write(move |connection| {
            connection.execute(
                "update accounts set full_name = ?2 where account = ?1",
                params![account.bytes(), full_name],
            )?;
            Ok(())
        })
        .await
    }

    async fn change_password(
        &self,
        account: AccountId,
        password_hash: &str,
        keep: [u8; 16],
        mail: Option<NewMail>,
    ) -> Stored<()> {
        let password_hash = password_hash.to_owned();
        self.write(move |connection| {
            set_password(connection, account, &password_hash)?;
            connection.execute(
                "delete from refresh_tokens where account = ?1 and family <> ?2",
                params![account.bytes(), keep],
            )?;
            mail.iter().try_for_each(|mail| insert_mail(connection, mail))
        })
        .await
    }

    async fn add_link(&self, link: NewLink, mails: Vec<NewMail>) -> Stored<()> {
        self.write(move |connection| {
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
                    link.email,
                    link.expires_at.0
                ],
            )?;
            if link.purpose == LinkPurpose::ConfirmEmail {
                connection.execute(
                    "update accounts set new_email = case when lower(email) = lower(?2) then null else ?2 end
                     where account = ?1",
                    params![link.account.bytes(), link.email],
                )?;
            }
            mails.iter().try_for_each(|mail| insert_mail(connection, mail))
        })
        .await
    }

    async fn link(&self, hash: [u8; 32], purpose: LinkPurpose, now: Timestamp) -> Stored<Option<StoredLink>> {
        self.read(move |connection| find_link(connection, hash, purpose, now))
            .await
    }

    async fn reset_password(
        &self,
        hash: [u8; 32],
        now: Timestamp,
        password_hash: &str,
        mail: Option<NewMail>,
    ) -> Stored<Option<AccountId>> {
        let password_hash = password_hash.to_owned();
        self.write(move |connection| {
            let Some(link) = find_link(connection, hash, LinkPurpose::ResetPassword, now)? else {
                return Ok(None);
            };
            set_password(connection, link.account, &password_hash)?;
            connection.execute(
                "update accounts set verified = 1 where account = ?1 and lower(email) = lower(?2)",
                params![link.account.bytes(), link.email],
            )?;
            connection.execute(
                "delete from refresh_tokens where account = ?1",
                [link.account.bytes()],
            )?;
            mail.iter().try_for_each(|mail| insert_mail(connection, mail))?;
            Ok(Some(link.account))
        })
        .await
    }

    async fn confirm_email(&self, hash: [u8; 32], now: Timestamp) -> Stored<Option<AccountId>> {
        self.write(move |connection| {
            let Some(link) = find_link(connection, hash, LinkPurpose::ConfirmEmail, now)? else {
                return Ok(None);
            };
            connection.execute("delete from links where hash = ?1", [hash])?;
            let holder = account_by_email(connection, &link.email)?;
            if holder.is_some_and(|holder| holder.account != link.account) {
                return Ok(None);
            }
            connection.execute(
                "update accounts set email = ?2, verified = 1, new_email = null where account = ?1",
                params![link.account.bytes(), link.email],
            )?;
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
            let members = {
                let mut select = connection
                    .prepare_cached("select account, roles, client from memberships where clinic = ?1")?;
                let rows = select.query_map([clinic.bytes()], |row| {
                    Ok(MemberRoles {
                        account: id(row, 0, AccountId)?,
                        roles: roles(&row.get::<_, String>(1)?),
                        client: optional_client(row, 2)?,
                    })
                })?;
                rows.collect::<rusqlite::Result<Vec<_>>>()?
            };
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

pub(super) fn account_by_email(connection: &Connection, email: &str) -> Stored<Option<Account>> {
    Ok(connection
        .prepare_cached(concat!(
            "select ",
            account_columns!(),
            " from accounts where lower(email) = lower(?1)"
        ))?
        .query_row([email], read_account)
        .optional()?)
}

/// The new password is set, and links that would set another are void.
fn set_password(
    connection: &Connection,
    account: AccountId,
    password_hash: &str,
) -> Result<(), StorageError> {
    connection.execute(
        "update accounts set password_hash = ?2 where account = ?1",
        params![account.bytes(), password_hash],
    )?;
    connection.execute(
        "delete from links where account = ?1 and purpose = ?2",
        params![account.bytes(), LinkPurpose::ResetPassword.number()],
    )?;
    Ok(())
}

fn find_link(
    connection: &Connection,
    hash: [u8; 32],
    purpose: LinkPurpose,
    now: Timestamp,
) -> Stored<Option<StoredLink>> {
    Ok(connection
        .prepare_cached(
            "select account, email from links where hash = ?1 and purpose = ?2 and expires_at > ?3",
        )?
        .query_row(params![hash, purpose.number(), now.0], |row| {
            Ok(StoredLink {
                account: id(row, 0, AccountId)?,
                email: row.get(1)?,
            })
        })
        .optional()?)
}
