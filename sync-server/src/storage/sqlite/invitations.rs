//! Invitations.

use super::super::people::{
    InvitationStorage, NewInvitation, NewMail, OpenedClinic, StoredInvitation, TakeUp, TakenUp, Taker,
};
use super::super::{Stored, people, roles, roles_words};
use super::accounts::{account_by_email, optional_client};
use super::mail::insert_mail;
use super::ways_in::{holder_of, link};
use super::{SqliteStorage, id};
use crate::at_rest::NO_CLINIC;
use crate::identity::joined;
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use shared_model::accounts::Invitation;
use shared_model::ids::{AccountId, ClinicId, InvitationId};
use shared_model::time::Timestamp;

macro_rules! select_invitation {
    ($which:literal) => {
        concat!(
            "select i.clinic, c.name, i.id, coalesce(a.account, i.account), i.email, i.full_name, i.roles, i.client,
                 i.invited_by_name, i.invited_at, i.expires_at, a.account is not null, i.closed_at is null,
                 m.mail is not null, m.settled_at is not null, coalesce(m.sent, 0)
             from invitations i join clinics c on c.clinic = i.clinic
             left join accounts a on lower(a.email) = lower(i.email)
             left join mails m on m.mail = i.mail
             where i.clinic = ?1 ",
            $which
        )
    };
}

fn read_invitation(row: &Row<'_>) -> rusqlite::Result<StoredInvitation> {
    Ok(StoredInvitation {
        clinic: id(row, 0, ClinicId)?,
        clinic_name: row.get(1)?,
        invitation: Invitation {
            id: id(row, 2, InvitationId)?,
            account: id(row, 3, AccountId)?,
            email: row.get(4)?,
            full_name: row.get(5)?,
            roles: roles(&row.get::<_, String>(6)?),
            client: optional_client(row, 7)?,
            invited_by: row.get(8)?,
            invited_at: Timestamp(row.get(9)?),
            expires_at: Timestamp(row.get(10)?),
            sent: people::sent(row.get(13)?, row.get(14)?, row.get(15)?),
        },
        has_account: row.get(11)?,
        open: row.get(12)?,
    })
}

#[async_trait]
impl InvitationStorage for SqliteStorage {
    async fn invite(&self, invitation: NewInvitation) -> Stored<Option<StoredInvitation>> {
        self.write(move |connection| invite(connection, &invitation))
            .await
    }

    async fn open_clinic(
        &self,
        clinic: OpenedClinic,
        invitation: NewInvitation,
    ) -> Stored<Option<StoredInvitation>> {
        self.write(move |connection| {
            let known = find(connection, invitation.clinic, invitation.id)?;
            if known.is_some() {
                return Ok(known);
            }
            let opened = connection.execute(
                "insert into clinics (clinic, name, created_at) values (?1, ?2, ?3) on conflict (clinic) do nothing",
                params![clinic.clinic.bytes(), clinic.name, clinic.created_at.0],
            )?;
            if opened == 0 {
                return Ok(None);
            }
            let invited = invite(connection, &invitation)?;
            if invited.is_none() {
                connection.execute("delete from clinics where clinic = ?1", [clinic.clinic.bytes()])?;
            }
            Ok(invited)
        })
        .await
    }

    async fn invitations(&self, clinic: ClinicId) -> Stored<Vec<StoredInvitation>> {
        self.read(move |connection| {
            let mut select = connection.prepare_cached(select_invitation!(
                "and i.closed_at is null order by i.invited_at desc, i.id desc"
            ))?;
            let rows = select.query_map([clinic.bytes()], read_invitation)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn invitation(&self, clinic: ClinicId, id: InvitationId) -> Stored<Option<StoredInvitation>> {
        self.read(move |connection| find(connection, clinic, id)).await
    }

    async fn invitation_of_link(
        &self,
        clinic: ClinicId,
        token: [u8; 32],
        now: Timestamp,
    ) -> Stored<Option<StoredInvitation>> {
        self.read(move |connection| find_by_link(connection, clinic, token, now))
            .await
    }

    async fn renew_invitation(
        &self,
        clinic: ClinicId,
        id: InvitationId,
        token: [u8; 32],
        expires_at: Timestamp,
        mail: Option<NewMail>,
    ) -> Stored<Option<StoredInvitation>> {
        self.write(move |connection| {
            drop_waiting_mail(connection, clinic, id)?;
            let renewed = connection.execute(
                "update invitations set token = ?3, expires_at = ?4, mail = ?5
                 where clinic = ?1 and id = ?2 and closed_at is null",
                params![
                    clinic.bytes(),
                    id.bytes(),
                    token,
                    expires_at.0,
                    mail.as_ref().map(|mail| *mail.mail.as_bytes())
                ],
            )?;
            if renewed == 0 {
                return Ok(None);
            }
            mail.iter().try_for_each(|mail| insert_mail(connection, mail))?;
            find(connection, clinic, id)
        })
        .await
    }

    async fn withdraw_invitation(&self, clinic: ClinicId, id: InvitationId, now: Timestamp) -> Stored<bool> {
        self.write(move |connection| {
            drop_waiting_mail(connection, clinic, id)?;
            let withdrawn = connection.execute(
                "update invitations set closed_at = ?3 where clinic = ?1 and id = ?2 and closed_at is null",
                params![clinic.bytes(), id.bytes(), now.0],
            )?;
            Ok(withdrawn > 0)
        })
        .await
    }

    async fn take_up(&self, take_up: TakeUp) -> Stored<TakenUp> {
        let keys = self.keys(NO_CLINIC).await?;
        self.write(move |connection| {
            let TakeUp {
                clinic,
                token,
                now,
                who,
                identity,
            } = take_up;
            let Some(stored) = find_by_link(connection, clinic, token, now)? else {
                return Ok(TakenUp::Gone);
            };
            let invitation = stored.invitation;
            let holder = account_by_email(connection, &invitation.email)?.map(|account| account.account);
            let to_be = match &who {
                Taker::Existing(account) => *account,
                Taker::New { .. } => invitation.account,
            };
            if let Some(identity) = &identity
                && holder_of(connection, identity)?.is_some_and(|holder| holder != to_be)
            {
                return Ok(TakenUp::Gone);
            }
            let account = match (who, holder) {
                (Taker::Existing(account), Some(holder)) if account == holder => {
                    connection.execute(
                        "update accounts set verified = 1 where account = ?1",
                        [account.bytes()],
                    )?;
                    account
                }
                (
                    Taker::New {
                        full_name,
                        password_hash,
                    },
                    None,
                ) => {
                    let made = connection.execute(
                        "insert into accounts (account, email, full_name, password_hash, verified)
                         values (?1, ?2, ?3, ?4, 1) on conflict (account) do nothing",
                        params![
                            invitation.account.bytes(),
                            invitation.email,
                            full_name,
                            password_hash
                        ],
                    )?;
                    if made == 0 {
                        return Ok(TakenUp::Gone);
                    }
                    invitation.account
                }
                _ => return Ok(TakenUp::Gone),
            };
            if let Some(identity) = &identity {
                link(connection, &keys, account, identity)?;
            }
            let key = params![clinic.bytes(), account.bytes()];
            let before: Option<String> = connection
                .query_row(
                    "select roles from memberships where clinic = ?1 and account = ?2",
                    key,
                    |row| row.get(0),
                )
                .optional()?;
            let all = joined(
                &before.map(|words| roles(&words)).unwrap_or_default(),
                &invitation.roles,
            );
            connection.execute(
                "insert into memberships (clinic, account, roles, client) values (?1, ?2, ?3, ?4)
                 on conflict (clinic, account) do update set
                     roles = excluded.roles, client = coalesce(excluded.client, client)",
                params![
                    clinic.bytes(),
                    account.bytes(),
                    roles_words(&all),
                    invitation.client.map(|client| *client.bytes())
                ],
            )?;
            connection.execute(
                "update invitations set closed_at = ?3 where clinic = ?1 and id = ?2",
                params![clinic.bytes(), invitation.id.bytes(), now.0],
            )?;
            Ok(TakenUp::Member(account))
        })
        .await
    }
}

fn find(connection: &Connection, clinic: ClinicId, id: InvitationId) -> Stored<Option<StoredInvitation>> {
    Ok(connection
        .prepare_cached(select_invitation!("and i.id = ?2"))?
        .query_row([clinic.bytes(), id.bytes()], read_invitation)
        .optional()?)
}

fn find_by_link(
    connection: &Connection,
    clinic: ClinicId,
    token: [u8; 32],
    now: Timestamp,
) -> Stored<Option<StoredInvitation>> {
    Ok(connection
        .prepare_cached(select_invitation!(
            "and i.token = ?2 and i.closed_at is null and i.expires_at > ?3"
        ))?
        .query_row(params![clinic.bytes(), token, now.0], read_invitation)
        .optional()?)
}

fn invite(connection: &Connection, invitation: &NewInvitation) -> Stored<Option<StoredInvitation>> {
    let known = find(connection, invitation.clinic, invitation.id)?;
    if known.is_some() {
        return Ok(known);
    }
    let is_somebody_elses = connection
        .prepare_cached("select 1 from accounts where account = ?1 and lower(email) <> lower(?2)")?
        .exists(params![invitation.account.bytes(), invitation.email])?;
    if is_somebody_elses {
        return Ok(None);
    }
    connection.execute(
        "insert into invitations (clinic, id, account, email, full_name, roles, client, invited_by, invited_by_name,
             invited_at, expires_at, token, mail)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            invitation.clinic.bytes(),
            invitation.id.bytes(),
            invitation.account.bytes(),
            invitation.email,
            invitation.full_name,
            roles_words(&invitation.roles),
            invitation.client.map(|client| *client.bytes()),
            invitation.invited_by.map(|account| *account.bytes()),
            invitation.invited_by_name,
            invitation.invited_at.0,
            invitation.expires_at.0,
            invitation.token,
            invitation.mail.as_ref().map(|mail| *mail.mail.as_bytes())
        ],
    )?;
    if let Some(mail) = &invitation.mail {
        insert_mail(connection, mail)?;
    }
    find(connection, invitation.clinic, invitation.id)
}

/// A mail whose link is void does not leave any more.
fn drop_waiting_mail(connection: &Connection, clinic: ClinicId, id: InvitationId) -> Stored<()> {
    connection.execute(
        "delete from mails where settled_at is null and mail =
             (select mail from invitations where clinic = ?1 and id = ?2 and closed_at is null)",
        [clinic.bytes(), id.bytes()],
    )?;
    Ok(())
}
