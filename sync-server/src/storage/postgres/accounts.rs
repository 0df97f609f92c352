//! Accounts, memberships and the links of mails.

use super::super::people::{Account, AccountStorage, LinkPurpose, NewLink, NewMail, RolesJudge, StoredLink};
use super::super::{Stored, Whom, people, roles, roles_words};
use super::mail::insert_mail;
use super::{PostgresStorage, id, listen};
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
            "select account, email, full_name, password_hash, verified, new_email from accounts where ",
            $which
        )
    };
}

fn read_account(row: &PgRow) -> Stored<Account> {
    Ok(Account {
        account: id(row, 0, AccountId)?,
        email: row.try_get(1)?,
        full_name: row.try_get(2)?,
        password_hash: row.try_get(3)?,
        email_verified: row.try_get(4)?,
        new_email: row.try_get(5)?,
    })
}

pub(super) fn optional_client(row: &PgRow, column: usize) -> Stored<Option<ClientId>> {
    Ok(row.try_get::<Option<Uuid>, _>(column)?.map(ClientId))
}

#[async_trait]
impl AccountStorage for PostgresStorage {
    async fn account(&self, account: AccountId) -> Stored<Option<Account>> {
        let row = sqlx::query(select_account!("account = $1"))
            .bind(account.0)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(read_account).transpose()
    }

    async fn account_by_email(&self, email: &str) -> Stored<Option<Account>> {
        account_by_email(&self.pool, email).await
    }

    async fn memberships(&self, account: AccountId) -> Stored<Vec<Membership>> {
        let rows = sqlx::query(
            "select m.clinic, c.name, m.roles, m.client from memberships m join clinics c on c.clinic = m.clinic
             where m.account = $1 order by c.name, m.clinic",
        )
        .bind(account.0)
        .fetch_all(&self.pool)
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

    async fn members(&self, clinic: ClinicId) -> Stored<Vec<Member>> {
        let rows = sqlx::query(
            "select a.account, a.full_name, a.email, m.roles, m.client, max(d.last_seen), count(d.device),
                exists (select 1 from totp t where t.account = a.account)
                or exists (select 1 from passkeys p where p.account = a.account)
             from memberships m join accounts a on a.account = m.account
             left join devices d on d.account = m.account
             where m.clinic = $1 group by a.account, m.roles, m.client order by a.full_name, a.account",
        )
        .bind(clinic.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Member {
                    account: id(row, 0, AccountId)?,
                    full_name: row.try_get(1)?,
                    email: row.try_get(2)?,
                    roles: roles(row.try_get(3)?),
                    client: optional_client(row, 4)?,
                    last_seen: row.try_get::<Option<i64>, _>(5)?.map(Timestamp),
                    devices: people::small_count(row.try_get(6)?)?,
                    has_second_factor: Some(row.try_get(7)?),
                })
            })
            .collect()
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
        sqlx::query("update accounts set full_name = $2 where account = $1")
            .bind(account.0)
            .bind(full_name)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn change_password(
        &self,
        account: AccountId,
        password_hash: &str,
        keep: [u8; 16],
        mail: Option<NewMail>,
    ) -> Stored<()> {
        let mut tx = self.pool.begin().await?;
        set_password(&mut tx, account, password_hash).await?;
        sqlx::query("delete from refresh_tokens where account = $1 and family <> $2")
            .bind(account.0)
            .bind(Uuid::from_bytes(keep))
            .execute(&mut *tx)
            .await?;
        if let Some(mail) = &mail {
            insert_mail(&mut tx, mail).await?;
        }
        listen::tell_of(&mut tx, Whom::Account(account), self.node).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn add_link(&self, link: NewLink, mails: Vec<NewMail>) -> Stored<()> {
        let mut tx = self.pool.begin().await?;
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
        .bind(&link.email)
        .bind(link.expires_at.0)
        .execute(&mut *tx)
        .await?;
        if link.purpose == LinkPurpose::ConfirmEmail {
            sqlx::query(
                "update accounts set new_email = case when lower(email) = lower($2) then null else $2 end
                 where account = $1",
            )
            .bind(link.account.0)
            .bind(&link.email)
            .execute(&mut *tx)
            .await?;
        }
        for mail in &mails {
            insert_mail(&mut tx, mail).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn link(&self, hash: [u8; 32], purpose: LinkPurpose, now: Timestamp) -> Stored<Option<StoredLink>> {
        let row = sqlx::query(
            "select account, email from links where hash = $1 and purpose = $2 and expires_at > $3",
        )
        .bind(hash.as_slice())
        .bind(purpose.number())
        .bind(now.0)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(read_link).transpose()
    }

    async fn reset_password(
        &self,
        hash: [u8; 32],
        now: Timestamp,
        password_hash: &str,
        mail: Option<NewMail>,
    ) -> Stored<Option<AccountId>> {
        let mut tx = self.pool.begin().await?;
        let Some(link) = take_link(&mut tx, hash, LinkPurpose::ResetPassword, now).await? else {
            return Ok(None);
        };
        set_password(&mut tx, link.account, password_hash).await?;
        sqlx::query("update accounts set verified = true where account = $1 and lower(email) = lower($2)")
            .bind(link.account.0)
            .bind(&link.email)
            .execute(&mut *tx)
            .await?;
        sqlx::query("delete from refresh_tokens where account = $1")
            .bind(link.account.0)
            .execute(&mut *tx)
            .await?;
        if let Some(mail) = &mail {
            insert_mail(&mut tx, mail).await?;
        }
        listen::tell_of(&mut tx, Whom::Account(link.account), self.node).await?;
        tx.commit().await?;
        Ok(Some(link.account))
    }

    async fn confirm_email(&self, hash: [u8; 32], now: Timestamp) -> Stored<Option<AccountId>> {
        let mut tx = self.pool.begin().await?;
        let Some(link) = take_link(&mut tx, hash, LinkPurpose::ConfirmEmail, now).await? else {
            return Ok(None);
        };
        let holder = account_by_email(&mut *tx, &link.email).await?;
        let confirmed = if holder.is_some_and(|holder| holder.account != link.account) {
            None
        } else {
            sqlx::query(
                "update accounts set email = $2, verified = true, new_email = null where account = $1",
            )
            .bind(link.account.0)
            .bind(&link.email)
            .execute(&mut *tx)
            .await?;
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
        // In an order, so that two who change each other wait for one another instead of both giving up.
        let rows = sqlx::query(
            "select account, roles, client from memberships where clinic = $1 order by account for update",
        )
        .bind(clinic.0)
        .fetch_all(&mut *tx)
        .await?;
        let members = rows
            .iter()
            .map(|row| {
                Ok(MemberRoles {
                    account: id(row, 0, AccountId)?,
                    roles: roles(row.try_get(1)?),
                    client: optional_client(row, 2)?,
                })
            })
            .collect::<Stored<Vec<_>>>()?;
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

pub(super) async fn account_by_email(database: impl PgExecutor<'_>, email: &str) -> Stored<Option<Account>> {
    let row = sqlx::query(select_account!("lower(email) = lower($1)"))
        .bind(email)
        .fetch_optional(database)
        .await?;
    row.as_ref().map(read_account).transpose()
}

/// The new password is set, and links that would set another are void.
async fn set_password(connection: &mut PgConnection, account: AccountId, password_hash: &str) -> Stored<()> {
    sqlx::query("update accounts set password_hash = $2 where account = $1")
        .bind(account.0)
        .bind(password_hash)
        .execute(&mut *connection)
        .await?;
    sqlx::query("delete from links where account = $1 and purpose = $2")
        .bind(account.0)
        .bind(LinkPurpose::ResetPassword.number())
        .execute(connection)
        .await?;
    Ok(())
}

fn read_link(row: &PgRow) -> Stored<StoredLink> {
    Ok(StoredLink {
        account: id(row, 0, AccountId)?,
        email: row.try_get(1)?,
    })
}

/// Of two who follow one link at the same moment, one gets it.
async fn take_link(
    connection: &mut PgConnection,
    hash: [u8; 32],
    purpose: LinkPurpose,
    now: Timestamp,
) -> Stored<Option<StoredLink>> {
    let row = sqlx::query(
        "delete from links where hash = $1 and purpose = $2 and expires_at > $3 returning account, email",
    )
    .bind(hash.as_slice())
    .bind(purpose.number())
    .bind(now.0)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_link).transpose()
}
