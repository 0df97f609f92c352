//! Accounts, memberships and the links of mails.

use super::super::people::{
    Account, AccountStorage, LinkPurpose, NewLink, NewMail, RolesJudge, SealedAccount, StoredLink, by_name,
    place_of_link,
};
use super::super::{Stored, Whom, people, roles, roles_words};
use super::at_rest::{add_person_key, person_key, their_key};
use super::mail::insert_mail;
use super::{PostgresStorage, id, listen};
use crate::at_rest::{EMAIL, FULL_NAME, NEW_EMAIL, PeopleKeys};
use crate::identity::{MemberRoles, RolesRefused, joined};
use async_trait::async_trait;
use shared_model::accounts::{Clinic, Member, Membership};
use shared_model::ids::{AccountId, ClientId, ClinicId};
use shared_model::permissions::Role;
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgExecutor, PgRow};
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

fn read_account(row: &PgRow, keys: &PeopleKeys) -> Stored<Account> {
    let sealed = SealedAccount {
        account: id(row, 0, AccountId)?,
        wrapped: row.try_get(1)?,
        email: row.try_get(2)?,
        full_name: row.try_get(3)?,
        new_email: row.try_get(4)?,
        password_hash: row.try_get(5)?,
        email_verified: row.try_get(6)?,
    };
    sealed.open(keys)
}

pub(super) fn optional_client(row: &PgRow, column: usize) -> Stored<Option<ClientId>> {
    Ok(row.try_get::<Option<Uuid>, _>(column)?.map(ClientId))
}

#[async_trait]
impl AccountStorage for PostgresStorage {
    async fn account(&self, account: AccountId) -> Stored<Option<Account>> {
        let keys = self.people_keys().await?;
        let row = sqlx::query(select_account!("a.account = $1"))
            .bind(account.0)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| read_account(&row, &keys)).transpose()
    }

    async fn account_by_email(&self, email: &str) -> Stored<Option<Account>> {
        let keys = self.people_keys().await?;
        let row = sqlx::query(select_account!("a.email_hash = $1"))
            .bind(keys.look_up.address(email))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| read_account(&row, &keys)).transpose()
    }

    async fn memberships(&self, account: AccountId) -> Stored<Vec<Membership>> {
        memberships_of(&self.pool, account).await
    }

    async fn members(&self, clinic: ClinicId) -> Stored<Vec<Member>> {
        let keys = self.people_keys().await?;
        let rows = sqlx::query(
            "select m.account, k.wrapped, a.full_name, a.email, m.roles, m.client, d.last_seen, d.count,
                exists (select 1 from totp t where t.account = m.account)
                or exists (select 1 from passkeys p where p.account = m.account)
             from memberships m join accounts a on a.account = m.account
             left join person_keys k on k.account = m.account
             cross join lateral (select max(last_seen) as last_seen, count(*) as count
                                 from devices where account = m.account) d
             where m.clinic = $1",
        )
        .bind(clinic.0)
        .fetch_all(&self.pool)
        .await?;
        let members = rows.iter().map(|row| {
            let account = id(row, 0, AccountId)?;
            let wrapped = row.try_get(1)?;
            Ok(Member {
                account,
                full_name: keys.shown(account, wrapped, FULL_NAME, row.try_get(2)?),
                email: keys.shown(account, wrapped, EMAIL, row.try_get(3)?),
                roles: roles(row.try_get(4)?),
                client: optional_client(row, 5)?,
                last_seen: row.try_get::<Option<i64>, _>(6)?.map(Timestamp),
                devices: people::small_count(row.try_get(7)?)?,
                has_second_factor: Some(row.try_get(8)?),
            })
        });
        Ok(by_name(members.collect::<Stored<_>>()?))
    }

    async fn clinic_name(&self, clinic: ClinicId) -> Stored<Option<String>> {
        let row = sqlx::query("select name from clinics where clinic = $1")
            .bind(clinic.0)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    async fn clinics_with_members(&self) -> Stored<Vec<Clinic>> {
        let rows = sqlx::query(
            "select c.clinic, c.name, c.created_at, count(m.account) from clinics c
             left join memberships m on m.clinic = c.clinic
             group by c.clinic order by c.name, c.clinic",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Clinic {
                    clinic: id(row, 0, ClinicId)?,
                    name: row.try_get(1)?,
                    created_at: Timestamp(row.try_get(2)?),
                    members: people::small_count(row.try_get(3)?)?,
                })
            })
            .collect()
    }

    async fn rename_account(&self, account: AccountId, full_name: &str) -> Stored<()> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        set_name(&mut tx, &keys, account, full_name).await?;
        Ok(tx.commit().await?)
    }

    async fn change_password(
        &self,
        account: AccountId,
        password_hash: &str,
        keep: [u8; 16],
        mail: Option<NewMail>,
    ) -> Stored<()> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        set_password(&mut tx, account, password_hash).await?;
        sqlx::query("delete from refresh_tokens where account = $1 and family <> $2")
            .bind(account.0)
            .bind(Uuid::from_bytes(keep))
            .execute(&mut *tx)
            .await?;
        if let Some(mail) = &mail {
            insert_mail(&mut tx, &keys, mail).await?;
        }
        listen::tell_of(&mut tx, Whom::Account(account), self.node).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn add_link(&self, link: NewLink, mails: Vec<NewMail>) -> Stored<()> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let key = their_key(&mut tx, &keys, link.account).await?;
        lock(&mut tx, link.account).await?;
        sqlx::query("delete from links where account = $1 and purpose = $2")
            .bind(link.account.0)
            .bind(link.purpose.number())
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "insert into links (hash, account, purpose, email, expires_at) values ($1, $2, $3, $4, $5)",
        )
        .bind(link.hash.as_slice())
        .bind(link.account.0)
        .bind(link.purpose.number())
        .bind(key.seal(&place_of_link(&link.hash), &link.email))
        .bind(link.expires_at.0)
        .execute(&mut *tx)
        .await?;
        if link.purpose == LinkPurpose::ConfirmEmail {
            sqlx::query(
                "update accounts set new_email = case when email_hash = $2 then null else $3 end where account = $1",
            )
            .bind(link.account.0)
            .bind(keys.look_up.address(&link.email))
            .bind(key.seal(NEW_EMAIL, &link.email))
            .execute(&mut *tx)
            .await?;
        }
        for mail in &mails {
            insert_mail(&mut tx, &keys, mail).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn take_back_new_email(&self, account: AccountId) -> Stored<bool> {
        let mut tx = self.pool.begin().await?;
        let waited =
            sqlx::query("update accounts set new_email = null where account = $1 and new_email is not null")
                .bind(account.0)
                .execute(&mut *tx)
                .await?;
        if waited.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("delete from links where account = $1 and purpose = $2")
            .bind(account.0)
            .bind(LinkPurpose::ConfirmEmail.number())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn link(&self, hash: [u8; 32], purpose: LinkPurpose, now: Timestamp) -> Stored<Option<StoredLink>> {
        let keys = self.people_keys().await?;
        let row = sqlx::query(
            "select l.account, l.email, k.wrapped from links l join person_keys k on k.account = l.account
             where l.hash = $1 and l.purpose = $2 and l.expires_at > $3",
        )
        .bind(hash.as_slice())
        .bind(purpose.number())
        .bind(now.0)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let account = id(&row, 0, AccountId)?;
        let key = keys.of(account, row.try_get(2)?)?;
        Ok(Some(StoredLink {
            account,
            email: key.open_text(&place_of_link(&hash), row.try_get(1)?)?,
        }))
    }

    async fn reset_password(
        &self,
        hash: [u8; 32],
        now: Timestamp,
        password_hash: &str,
        mail: Option<NewMail>,
    ) -> Stored<Option<AccountId>> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let Some(link) = take_link(&mut tx, &keys, hash, LinkPurpose::ResetPassword, now).await? else {
            return Ok(None);
        };
        set_password(&mut tx, link.account, password_hash).await?;
        sqlx::query("update accounts set verified = true where account = $1 and email_hash = $2")
            .bind(link.account.0)
            .bind(keys.look_up.address(&link.email))
            .execute(&mut *tx)
            .await?;
        sqlx::query("delete from refresh_tokens where account = $1")
            .bind(link.account.0)
            .execute(&mut *tx)
            .await?;
        if let Some(mail) = &mail {
            insert_mail(&mut tx, &keys, mail).await?;
        }
        listen::tell_of(&mut tx, Whom::Account(link.account), self.node).await?;
        tx.commit().await?;
        Ok(Some(link.account))
    }

    async fn confirm_email(&self, hash: [u8; 32], now: Timestamp) -> Stored<Option<AccountId>> {
        let keys = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let Some(link) = take_link(&mut tx, &keys, hash, LinkPurpose::ConfirmEmail, now).await? else {
            return Ok(None);
        };
        let email_hash = keys.look_up.address(&link.email);
        let holder = account_with(&mut *tx, &email_hash).await?;
        let confirmed = if holder.is_some_and(|holder| holder != link.account) {
            // It waits for nothing any more.
            sqlx::query("update accounts set new_email = null where account = $1")
                .bind(link.account.0)
                .execute(&mut *tx)
                .await?;
            None
        } else {
            let key = their_key(&mut tx, &keys, link.account).await?;
            sqlx::query(
                "update accounts set email_hash = $2, email = $3, verified = true, new_email = null
                 where account = $1",
            )
            .bind(link.account.0)
            .bind(email_hash)
            .bind(key.seal(EMAIL, &link.email))
            .execute(&mut *tx)
            .await?;
            end_links(&mut tx, link.account).await?;
            Some(link.account)
        };
        tx.commit().await?;
        Ok(confirmed)
    }

    async fn change_roles(
        &self,
        clinic: ClinicId,
        account: AccountId,
        new: Vec<Role>,
        judge: RolesJudge,
    ) -> Stored<Result<(), RolesRefused>> {
        let mut tx = self.pool.begin().await?;
        let members = roles_at(&mut tx, clinic).await?;
        if let Err(refused) = judge(&members) {
            return Ok(Err(refused));
        }
        if new.is_empty() {
            for statement in [
                "delete from memberships where clinic = $1 and account = $2",
                "delete from refresh_tokens where clinic = $1 and account = $2",
            ] {
                sqlx::query(statement)
                    .bind(clinic.0)
                    .bind(account.0)
                    .execute(&mut *tx)
                    .await?;
            }
        } else {
            sqlx::query(
                "update memberships set roles = $3, client = case when $4 then client end
                 where clinic = $1 and account = $2",
            )
            .bind(clinic.0)
            .bind(account.0)
            .bind(roles_words(&new))
            .bind(new.contains(&Role::Owner))
            .execute(&mut *tx)
            .await?;
        }
        listen::tell_of(&mut tx, Whom::Account(account), self.node).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    async fn add_role_everywhere(&self, account: AccountId, role: Role) -> Stored<usize> {
        let mut tx = self.pool.begin().await?;
        let rows = sqlx::query("select clinic, roles from memberships where account = $1 for update")
            .bind(account.0)
            .fetch_all(&mut *tx)
            .await?;
        for row in &rows {
            let all = joined(&roles(row.try_get(1)?), &[role]);
            sqlx::query("update memberships set roles = $3 where clinic = $1 and account = $2")
                .bind(row.try_get::<Uuid, _>(0)?)
                .bind(account.0)
                .bind(roles_words(&all))
                .execute(&mut *tx)
                .await?;
        }
        listen::tell_of(&mut tx, Whom::Account(account), self.node).await?;
        tx.commit().await?;
        Ok(rows.len())
    }
}

pub(super) async fn memberships_of(
    database: impl PgExecutor<'_>,
    account: AccountId,
) -> Stored<Vec<Membership>> {
    let rows = sqlx::query(
        "select m.clinic, c.name, m.roles, m.client from memberships m join clinics c on c.clinic = m.clinic
         where m.account = $1 order by c.name, m.clinic",
    )
    .bind(account.0)
    .fetch_all(database)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Membership {
                clinic: id(row, 0, ClinicId)?,
                clinic_name: row.try_get(1)?,
                roles: roles(row.try_get(2)?),
                client: optional_client(row, 3)?,
            })
        })
        .collect()
}

/// What everybody is at a clinic, locked in an order, so that two who change each other wait for one another instead of
/// both giving up.
pub(super) async fn roles_at(connection: &mut PgConnection, clinic: ClinicId) -> Stored<Vec<MemberRoles>> {
    let rows = sqlx::query(
        "select account, roles, client from memberships where clinic = $1 order by account for update",
    )
    .bind(clinic.0)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(MemberRoles {
                account: id(row, 0, AccountId)?,
                roles: roles(row.try_get(1)?),
                client: optional_client(row, 2)?,
            })
        })
        .collect()
}

/// Whose address has this hash.
pub(super) async fn account_with(
    database: impl PgExecutor<'_>,
    email_hash: &[u8; 32],
) -> Stored<Option<AccountId>> {
    let row = sqlx::query("select account from accounts where email_hash = $1")
        .bind(email_hash.as_slice())
        .fetch_optional(database)
        .await?;
    row.map(|row| id(&row, 0, AccountId)).transpose()
}

/// What an account begins with.
pub(super) struct Beginning<'a> {
    pub(super) account: AccountId,
    pub(super) email: &'a str,
    pub(super) full_name: &'a str,
    pub(super) password_hash: &'a str,
    pub(super) email_verified: bool,
}

/// False if there is such an account, or somebody else has the address.
pub(super) async fn begin_account(
    connection: &mut PgConnection,
    keys: &PeopleKeys,
    new: &Beginning<'_>,
) -> Stored<bool> {
    let begun = sqlx::query(
        "insert into accounts (account, email_hash, password_hash, verified) values ($1, $2, $3, $4)
         on conflict do nothing",
    )
    .bind(new.account.0)
    .bind(keys.look_up.address(new.email))
    .bind(new.password_hash)
    .bind(new.email_verified)
    .execute(&mut *connection)
    .await?;
    if begun.rows_affected() == 0 {
        return Ok(false);
    }
    let key = add_person_key(connection, keys, new.account).await?;
    sqlx::query("update accounts set email = $2, full_name = $3 where account = $1")
        .bind(new.account.0)
        .bind(key.seal(EMAIL, new.email))
        .bind(key.seal(FULL_NAME, new.full_name))
        .execute(connection)
        .await?;
    Ok(true)
}

/// Nothing of somebody who was erased.
pub(super) async fn set_name(
    connection: &mut PgConnection,
    keys: &PeopleKeys,
    account: AccountId,
    full_name: &str,
) -> Stored<()> {
    if let Some(key) = person_key(&mut *connection, keys, account).await? {
        sqlx::query("update accounts set full_name = $2 where account = $1")
            .bind(account.0)
            .bind(key.seal(FULL_NAME, full_name))
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// What decides about signing in with an account changes in one transaction after the other, each of which begins with this.
pub(super) async fn lock(connection: &mut PgConnection, account: AccountId) -> Stored<()> {
    sqlx::query("select 1 from accounts where account = $1 for update")
        .bind(account.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// The new password is set, and whoever knew the former one has nothing left that waits for a link to be followed.
async fn set_password(connection: &mut PgConnection, account: AccountId, password_hash: &str) -> Stored<()> {
    sqlx::query("update accounts set password_hash = $2, new_email = null where account = $1")
        .bind(account.0)
        .bind(password_hash)
        .execute(&mut *connection)
        .await?;
    end_links(connection, account).await
}

async fn end_links(connection: &mut PgConnection, account: AccountId) -> Stored<()> {
    sqlx::query("delete from links where account = $1")
        .bind(account.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Of two who follow one link at the same moment, one gets it.
async fn take_link(
    connection: &mut PgConnection,
    keys: &PeopleKeys,
    hash: [u8; 32],
    purpose: LinkPurpose,
    now: Timestamp,
) -> Stored<Option<StoredLink>> {
    let row = sqlx::query("select account from links where hash = $1 and purpose = $2 and expires_at > $3")
        .bind(hash.as_slice())
        .bind(purpose.number())
        .bind(now.0)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let account = id(&row, 0, AccountId)?;
    let Some(key) = person_key(&mut *connection, keys, account).await? else {
        return Ok(None);
    };
    lock(&mut *connection, account).await?;
    let row = sqlx::query("delete from links where hash = $1 returning email")
        .bind(hash.as_slice())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredLink {
        account,
        email: key.open_text(&place_of_link(&hash), row.try_get(0)?)?,
    }))
}
