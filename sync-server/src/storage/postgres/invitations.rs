//! Invitations.

use super::super::people::{
    InvitationStorage, InvitationWords, NewInvitation, NewMail, OpenedClinic, StoredInvitation, TakeUp,
    TakenUp, Taker,
};
use super::super::{Stored, Whom, people, roles, roles_words};
use super::accounts::{Beginning, account_with, begin_account, optional_client};
use super::at_rest::clinic_keys;
use super::mail::insert_mail;
use super::seal_trails::begin_trail;
use super::ways_in::link;
use super::{PostgresStorage, id, listen};
use crate::at_rest::{ClinicKeys, PeopleKeys};
use crate::identity::joined;
use async_trait::async_trait;
use shared_model::accounts::Invitation;
use shared_model::ids::{AccountId, ClinicId, InvitationId};
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgExecutor, PgRow};

macro_rules! select_invitation {
    ($which:literal) => {
        concat!(
            "select i.clinic, c.name, i.id, coalesce(a.account, i.account), i.words, i.roles, i.client, i.invited_at,
                 i.expires_at, a.account is not null, i.closed_at is null,
                 m.mail is not null, m.settled_at is not null, coalesce(m.sent, false)
             from invitations i join clinics c on c.clinic = i.clinic
             left join accounts a on a.email_hash = i.email_hash
             left join mails m on m.mail = i.mail
             where i.clinic = $1 ",
            $which
        )
    };
}

/// `None` for one that does not open.
fn read_invitation(row: &PgRow, keys: &ClinicKeys) -> Stored<Option<StoredInvitation>> {
    let invitation = id(row, 2, InvitationId)?;
    let Some(words) = InvitationWords::open(keys, invitation, row.try_get(4)?) else {
        return Ok(None);
    };
    Ok(Some(StoredInvitation {
        clinic: id(row, 0, ClinicId)?,
        clinic_name: row.try_get(1)?,
        invitation: Invitation {
            id: invitation,
            account: id(row, 3, AccountId)?,
            email: words.email,
            full_name: words.full_name,
            roles: roles(row.try_get(5)?),
            client: optional_client(row, 6)?,
            invited_by: words.invited_by,
            invited_at: Timestamp(row.try_get(7)?),
            expires_at: Timestamp(row.try_get(8)?),
            sent: people::sent(row.try_get(11)?, row.try_get(12)?, row.try_get(13)?),
        },
        has_account: row.try_get(9)?,
        open: row.try_get(10)?,
    }))
}

fn the_one(row: Option<PgRow>, keys: &ClinicKeys) -> Stored<Option<StoredInvitation>> {
    match row {
        Some(row) => read_invitation(&row, keys),
        None => Ok(None),
    }
}

#[async_trait]
impl InvitationStorage for PostgresStorage {
    async fn invite(&self, invitation: NewInvitation) -> Stored<Option<StoredInvitation>> {
        let Some(keys) = self.keys_of(invitation.clinic).await? else {
            return Ok(None);
        };
        let people = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let invited = invite(&mut tx, &people, &keys, &invitation).await?;
        tx.commit().await?;
        Ok(invited)
    }

    async fn open_clinic(
        &self,
        clinic: OpenedClinic,
        invitation: NewInvitation,
    ) -> Stored<Option<StoredInvitation>> {
        let people = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        let opened = sqlx::query(
            "insert into clinics (clinic, name, created_at) values ($1, $2, $3) on conflict do nothing",
        )
        .bind(clinic.clinic.0)
        .bind(&clinic.name)
        .bind(clinic.created_at.0)
        .execute(&mut *tx)
        .await?;
        let rows = clinic_keys(&mut tx, &self.at_rest, clinic.clinic).await?;
        let keys = self.at_rest.open_once(clinic.clinic, &rows)?;
        if opened.rows_affected() == 0 {
            let known = find(&mut *tx, &keys, invitation.clinic, invitation.id).await?;
            tx.commit().await?;
            return Ok(known);
        }
        let invited = invite(&mut tx, &people, &keys, &invitation).await?;
        if invited.is_some() {
            begin_trail(&mut tx, clinic.clinic, &keys, &people.server).await?;
            tx.commit().await?;
        }
        Ok(invited)
    }

    async fn invitations(&self, clinic: ClinicId) -> Stored<Vec<StoredInvitation>> {
        let Some(keys) = self.keys_of(clinic).await? else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query(select_invitation!(
            "and i.closed_at is null order by i.invited_at desc, i.id desc"
        ))
        .bind(clinic.0)
        .fetch_all(&self.pool)
        .await?;
        let invitations = rows.iter().map(|row| read_invitation(row, &keys));
        invitations.filter_map(Result::transpose).collect()
    }

    async fn invitation(&self, clinic: ClinicId, id: InvitationId) -> Stored<Option<StoredInvitation>> {
        let Some(keys) = self.keys_of(clinic).await? else {
            return Ok(None);
        };
        find(&self.pool, &keys, clinic, id).await
    }

    async fn invitation_of_link(
        &self,
        clinic: ClinicId,
        token: [u8; 32],
        now: Timestamp,
    ) -> Stored<Option<StoredInvitation>> {
        let Some(keys) = self.keys_of(clinic).await? else {
            return Ok(None);
        };
        let row = sqlx::query(select_invitation!(
            "and i.token = $2 and i.closed_at is null and i.expires_at > $3"
        ))
        .bind(clinic.0)
        .bind(token.as_slice())
        .bind(now.0)
        .fetch_optional(&self.pool)
        .await?;
        the_one(row, &keys)
    }

    async fn renew_invitation(
        &self,
        clinic: ClinicId,
        id: InvitationId,
        token: [u8; 32],
        expires_at: Timestamp,
        mail: Option<NewMail>,
    ) -> Stored<Option<StoredInvitation>> {
        let Some(keys) = self.keys_of(clinic).await? else {
            return Ok(None);
        };
        let people = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        drop_waiting_mail(&mut tx, clinic, id).await?;
        let renewed = sqlx::query(
            "update invitations set token = $3, expires_at = $4, mail = $5
             where clinic = $1 and id = $2 and closed_at is null",
        )
        .bind(clinic.0)
        .bind(id.0)
        .bind(token.as_slice())
        .bind(expires_at.0)
        .bind(mail.as_ref().map(|mail| mail.mail))
        .execute(&mut *tx)
        .await?;
        if renewed.rows_affected() == 0 {
            return Ok(None);
        }
        if let Some(mail) = &mail {
            insert_mail(&mut tx, &people, mail).await?;
        }
        let renewed = find(&mut *tx, &keys, clinic, id).await?;
        tx.commit().await?;
        Ok(renewed)
    }

    async fn withdraw_invitation(&self, clinic: ClinicId, id: InvitationId, now: Timestamp) -> Stored<bool> {
        let mut tx = self.pool.begin().await?;
        drop_waiting_mail(&mut tx, clinic, id).await?;
        let withdrawn = sqlx::query(
            "update invitations set closed_at = $3 where clinic = $1 and id = $2 and closed_at is null",
        )
        .bind(clinic.0)
        .bind(id.0)
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(withdrawn.rows_affected() > 0)
    }

    async fn take_up(&self, take_up: TakeUp) -> Stored<TakenUp> {
        let TakeUp {
            clinic,
            token,
            now,
            who,
            identity,
        } = take_up;
        let Some(keys) = self.keys_of(clinic).await? else {
            return Ok(TakenUp::Gone);
        };
        let people = self.people_keys().await?;
        let mut tx = self.pool.begin().await?;
        // Closed first, which locks it: of two who take it up at the same moment, one does.
        let closed = sqlx::query(
            "update invitations set closed_at = $3
             where clinic = $1 and token = $2 and closed_at is null and expires_at > $3 returning id",
        )
        .bind(clinic.0)
        .bind(token.as_slice())
        .bind(now.0)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(closed) = closed else {
            return Ok(TakenUp::Gone);
        };
        let Some(stored) = find(&mut *tx, &keys, clinic, id(&closed, 0, InvitationId)?).await? else {
            return Ok(TakenUp::Gone);
        };
        let invitation = stored.invitation;
        let holder = account_with(&mut *tx, &people.look_up.address(&invitation.email)).await?;
        let account = match (who, holder) {
            (Taker::Existing(account), Some(holder)) if account == holder => {
                sqlx::query("update accounts set verified = true where account = $1")
                    .bind(account.0)
                    .execute(&mut *tx)
                    .await?;
                account
            }
            (
                Taker::New {
                    full_name,
                    password_hash,
                },
                None,
            ) => {
                let new = Beginning {
                    account: invitation.account,
                    email: &invitation.email,
                    full_name: &full_name,
                    password_hash: &password_hash,
                    email_verified: true,
                };
                if !begin_account(&mut tx, &people, &new).await? {
                    return Ok(TakenUp::Gone);
                }
                invitation.account
            }
            _ => return Ok(TakenUp::Gone),
        };
        if let Some(identity) = &identity
            && link(&mut tx, &people, account, identity).await?.is_none()
        {
            return Ok(TakenUp::Gone);
        }
        let before =
            sqlx::query("select roles from memberships where clinic = $1 and account = $2 for update")
                .bind(clinic.0)
                .bind(account.0)
                .fetch_optional(&mut *tx)
                .await?;
        let before = before
            .map(|row| row.try_get::<String, _>(0))
            .transpose()?
            .map(|words| roles(&words));
        sqlx::query(
            "insert into memberships (clinic, account, roles, client) values ($1, $2, $3, $4)
             on conflict (clinic, account) do update set
                 roles = excluded.roles, client = coalesce(excluded.client, memberships.client)",
        )
        .bind(clinic.0)
        .bind(account.0)
        .bind(roles_words(&joined(
            &before.unwrap_or_default(),
            &invitation.roles,
        )))
        .bind(invitation.client.map(|client| client.0))
        .execute(&mut *tx)
        .await?;
        listen::tell_of(&mut tx, Whom::Account(account), self.node).await?;
        tx.commit().await?;
        Ok(TakenUp::Member(account))
    }
}

async fn find(
    database: impl PgExecutor<'_>,
    keys: &ClinicKeys,
    clinic: ClinicId,
    id: InvitationId,
) -> Stored<Option<StoredInvitation>> {
    let row = sqlx::query(select_invitation!("and i.id = $2"))
        .bind(clinic.0)
        .bind(id.0)
        .fetch_optional(database)
        .await?;
    the_one(row, keys)
}

async fn invite(
    connection: &mut PgConnection,
    people: &PeopleKeys,
    keys: &ClinicKeys,
    invitation: &NewInvitation,
) -> Stored<Option<StoredInvitation>> {
    let known = find(&mut *connection, keys, invitation.clinic, invitation.id).await?;
    if known.is_some() {
        return Ok(known);
    }
    let email_hash = people.look_up.address(&invitation.email);
    // One that was erased is nobody's either.
    let is_somebody_elses = sqlx::query(
        "select exists (select 1 from accounts where account = $1 and email_hash is distinct from $2)",
    )
    .bind(invitation.account.0)
    .bind(email_hash)
    .fetch_one(&mut *connection)
    .await?;
    if is_somebody_elses.try_get(0)? {
        return Ok(None);
    }
    let invited = sqlx::query(
        "insert into invitations (clinic, id, account, email_hash, words, roles, client, invited_by, invited_at,
             expires_at, token, mail)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (clinic, id) do nothing",
    )
    .bind(invitation.clinic.0)
    .bind(invitation.id.0)
    .bind(invitation.account.0)
    .bind(email_hash)
    .bind(InvitationWords::of(invitation).seal(keys, invitation.id)?)
    .bind(roles_words(&invitation.roles))
    .bind(invitation.client.map(|client| client.0))
    .bind(invitation.invited_by.map(|account| account.0))
    .bind(invitation.invited_at.0)
    .bind(invitation.expires_at.0)
    .bind(invitation.token.as_slice())
    .bind(invitation.mail.as_ref().map(|mail| mail.mail))
    .execute(&mut *connection)
    .await?;
    if let Some(mail) = &invitation.mail
        && invited.rows_affected() > 0
    {
        insert_mail(connection, people, mail).await?;
    }
    find(connection, keys, invitation.clinic, invitation.id).await
}

/// A mail whose link is void does not leave any more.
async fn drop_waiting_mail(connection: &mut PgConnection, clinic: ClinicId, id: InvitationId) -> Stored<()> {
    sqlx::query(
        "delete from mails where settled_at is null and mail =
             (select mail from invitations where clinic = $1 and id = $2 and closed_at is null)",
    )
    .bind(clinic.0)
    .bind(id.0)
    .execute(connection)
    .await?;
    Ok(())
}
