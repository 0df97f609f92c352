//! Invitations.

use super::super::people::{
    InvitationStorage, InvitationWords, NewInvitation, NewMail, OpenedClinic, StoredInvitation, TakeUp,
    TakenUp, Taker,
};
use super::super::{Stored, people, roles, roles_words};
use super::accounts::{Beginning, account_with, begin_account, optional_client};
use super::at_rest::clinic_keys;
use super::mail::insert_mail;
use super::seal_trails::begin_trail;
use super::ways_in::{holder_of, link};
use super::{SqliteStorage, id};
use crate::at_rest::{ClinicKeys, PeopleKeys};
use crate::identity::joined;
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use shared_model::accounts::Invitation;
use shared_model::ids::{AccountId, ClinicId, InvitationId};
use shared_model::time::Timestamp;

macro_rules! select_invitation {
    ($which:literal) => {
        concat!(
            "select i.clinic, c.name, i.id, coalesce(a.account, i.account), i.words, i.roles, i.client, i.invited_at,
                 i.expires_at, a.account is not null, i.closed_at is null,
                 m.mail is not null, m.settled_at is not null, coalesce(m.sent, 0)
             from invitations i join clinics c on c.clinic = i.clinic
             left join accounts a on a.email_hash = i.email_hash
             left join mails m on m.mail = i.mail
             where i.clinic = ?1 ",
            $which
        )
    };
}

/// `None` for one that does not open.
fn read_invitation(row: &Row<'_>, keys: &ClinicKeys) -> Stored<Option<StoredInvitation>> {
    let invitation = id(row, 2, InvitationId)?;
    let words: Vec<u8> = row.get(4)?;
    let Some(words) = InvitationWords::open(keys, invitation, &words) else {
        return Ok(None);
    };
    Ok(Some(StoredInvitation {
        clinic: id(row, 0, ClinicId)?,
        clinic_name: row.get(1)?,
        invitation: Invitation {
            id: invitation,
            account: id(row, 3, AccountId)?,
            email: words.email,
            full_name: words.full_name,
            roles: roles(&row.get::<_, String>(5)?),
            client: optional_client(row, 6)?,
            invited_by: words.invited_by,
            invited_at: Timestamp(row.get(7)?),
            expires_at: Timestamp(row.get(8)?),
            sent: people::sent(row.get(11)?, row.get(12)?, row.get(13)?),
        },
        has_account: row.get(9)?,
        open: row.get(10)?,
    }))
}

#[async_trait]
impl InvitationStorage for SqliteStorage {
    async fn invite(&self, invitation: NewInvitation) -> Stored<Option<StoredInvitation>> {
        let Some(keys) = self.keys_of(invitation.clinic).await? else {
            return Ok(None);
        };
        let people = self.people_keys().await?;
        self.write(move |connection| invite(connection, &people, &keys, &invitation))
            .await
    }

    async fn open_clinic(
        &self,
        clinic: OpenedClinic,
        invitation: NewInvitation,
    ) -> Stored<Option<StoredInvitation>> {
        let people = self.people_keys().await?;
        let first = self.at_rest.first_key(clinic.clinic);
        self.write(move |connection| {
            let opened = connection.execute(
                "insert into clinics (clinic, name, created_at) values (?1, ?2, ?3) on conflict (clinic) do nothing",
                params![clinic.clinic.bytes(), clinic.name, clinic.created_at.0],
            )?;
            let rows = clinic_keys(connection, clinic.clinic, &first)?;
            let keys = people.at_rest.open_once(clinic.clinic, &rows)?;
            if opened == 0 {
                return find(connection, &keys, invitation.clinic, invitation.id);
            }
            let invited = invite(connection, &people, &keys, &invitation)?;
            if invited.is_some() {
                begin_trail(connection, clinic.clinic, &keys, &people.server)?;
            } else {
                for statement in [
                    "delete from clinic_keys where clinic = ?1",
                    "delete from clinics where clinic = ?1",
                ] {
                    connection.execute(statement, [clinic.clinic.bytes()])?;
                }
            }
            Ok(invited)
        })
        .await
    }

    async fn invitations(&self, clinic: ClinicId) -> Stored<Vec<StoredInvitation>> {
        let Some(keys) = self.keys_of(clinic).await? else {
            return Ok(Vec::new());
        };
        self.read(move |connection| {
            let mut select = connection.prepare_cached(select_invitation!(
                "and i.closed_at is null order by i.invited_at desc, i.id desc"
            ))?;
            let mut rows = select.query([clinic.bytes()])?;
            let mut invitations = Vec::new();
            while let Some(row) = rows.next()? {
                invitations.extend(read_invitation(row, &keys)?);
            }
            Ok(invitations)
        })
        .await
    }

    async fn invitation(&self, clinic: ClinicId, id: InvitationId) -> Stored<Option<StoredInvitation>> {
        let Some(keys) = self.keys_of(clinic).await? else {
            return Ok(None);
        };
        self.read(move |connection| find(connection, &keys, clinic, id))
            .await
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
        self.read(move |connection| find_by_link(connection, &keys, clinic, token, now))
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
        let Some(keys) = self.keys_of(clinic).await? else {
            return Ok(None);
        };
        let people = self.people_keys().await?;
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
            mail.iter()
                .try_for_each(|mail| insert_mail(connection, &people, mail))?;
            find(connection, &keys, clinic, id)
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
        let Some(keys) = self.keys_of(take_up.clinic).await? else {
            return Ok(TakenUp::Gone);
        };
        let people = self.people_keys().await?;
        self.write(move |connection| {
            let TakeUp {
                clinic,
                token,
                now,
                who,
                identity,
            } = take_up;
            let Some(stored) = find_by_link(connection, &keys, clinic, token, now)? else {
                return Ok(TakenUp::Gone);
            };
            let invitation = stored.invitation;
            let holder = account_with(connection, &people.look_up.address(&invitation.email))?;
            let to_be = match &who {
                Taker::Existing(account) => *account,
                Taker::New { .. } => invitation.account,
            };
            if let Some(identity) = &identity
                && holder_of(connection, &people, identity)?.is_some_and(|holder| holder != to_be)
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
                    let new = Beginning {
                        account: invitation.account,
                        email: &invitation.email,
                        full_name: &full_name,
                        password_hash: &password_hash,
                        email_verified: true,
                    };
                    if !begin_account(connection, &people, &new)? {
                        return Ok(TakenUp::Gone);
                    }
                    invitation.account
                }
                _ => return Ok(TakenUp::Gone),
            };
            if let Some(identity) = &identity {
                link(connection, &people, account, identity)?;
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

fn find(
    connection: &Connection,
    keys: &ClinicKeys,
    clinic: ClinicId,
    id: InvitationId,
) -> Stored<Option<StoredInvitation>> {
    let mut select = connection.prepare_cached(select_invitation!("and i.id = ?2"))?;
    let mut rows = select.query([clinic.bytes(), id.bytes()])?;
    match rows.next()? {
        Some(row) => read_invitation(row, keys),
        None => Ok(None),
    }
}

fn find_by_link(
    connection: &Connection,
    keys: &ClinicKeys,
    clinic: ClinicId,
    token: [u8; 32],
    now: Timestamp,
) -> Stored<Option<StoredInvitation>> {
    let mut select = connection.prepare_cached(select_invitation!(
        "and i.token = ?2 and i.closed_at is null and i.expires_at > ?3"
    ))?;
    let mut rows = select.query(params![clinic.bytes(), token, now.0])?;
    match rows.next()? {
        Some(row) => read_invitation(row, keys),
        None => Ok(None),
    }
}

fn invite(
    connection: &Connection,
    people: &PeopleKeys,
    keys: &ClinicKeys,
    invitation: &NewInvitation,
) -> Stored<Option<StoredInvitation>> {
    let known = find(connection, keys, invitation.clinic, invitation.id)?;
    if known.is_some() {
        return Ok(known);
    }
    let email_hash = people.look_up.address(&invitation.email);
    // One that was erased is nobody's either.
    let is_somebody_elses = connection
        .prepare_cached("select 1 from accounts where account = ?1 and email_hash is not ?2")?
        .exists(params![invitation.account.bytes(), email_hash])?;
    if is_somebody_elses {
        return Ok(None);
    }
    connection.execute(
        "insert into invitations (clinic, id, account, email_hash, words, roles, client, invited_by, invited_at,
             expires_at, token, mail)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            invitation.clinic.bytes(),
            invitation.id.bytes(),
            invitation.account.bytes(),
            email_hash,
            InvitationWords::of(invitation).seal(keys, invitation.id)?,
            roles_words(&invitation.roles),
            invitation.client.map(|client| *client.bytes()),
            invitation.invited_by.map(|account| *account.bytes()),
            invitation.invited_at.0,
            invitation.expires_at.0,
            invitation.token,
            invitation.mail.as_ref().map(|mail| *mail.mail.as_bytes())
        ],
    )?;
    if let Some(mail) = &invitation.mail {
        insert_mail(connection, people, mail)?;
    }
    find(connection, keys, invitation.clinic, invitation.id)
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
