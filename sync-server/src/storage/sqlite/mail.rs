//! The outbox of mails.

use super::super::Stored;
use super::super::people::{LeasedMail, MailOutcome, MailStorage, NewMail, SETTLED_KEPT_MS};
use super::{SqliteStorage, id};
use crate::at_rest::PeopleKeys;
use async_trait::async_trait;
use rusqlite::{Connection, params};
use shared_model::time::Timestamp;
use uuid::Uuid;

#[async_trait]
impl MailStorage for SqliteStorage {
    async fn write_mail(&self, mail: NewMail) -> Stored<()> {
        let keys = self.people_keys().await?;
        self.write(move |connection| insert_mail(connection, &keys, &mail))
            .await
    }

    async fn lease_mails(&self, now: Timestamp, until: Timestamp, at_most: usize) -> Stored<Vec<LeasedMail>> {
        let keys = self.people_keys().await?;
        self.write(move |connection| {
            let mut lease = connection.prepare_cached(
                "update mails set leased_until = ?2, attempts = attempts + 1 where mail in (
                     select mail from mails where settled_at is null and due_at <= ?1 and leased_until <= ?1
                     order by due_at limit ?3)
                 returning mail, coalesce(letter, x''), due_at, attempts",
            )?;
            let rows = lease.query_map(params![now.0, until.0, at_most], |row| {
                let letter: Vec<u8> = row.get(1)?;
                Ok((
                    id(row, 0, |mail| mail)?,
                    letter,
                    Timestamp(row.get(2)?),
                    row.get(3)?,
                ))
            })?;
            let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            let mut leased = Vec::with_capacity(rows.len());
            for (mail, letter, due_at, attempts) in rows {
                match keys.open_mail(mail, &letter, due_at) {
                    Some(mail) => leased.push(LeasedMail { mail, attempts }),
                    None => {
                        settle(connection, mail.as_bytes(), now, false)?;
                    }
                }
            }
            Ok(leased)
        })
        .await
    }

    async fn settle_mail(&self, mail: Uuid, outcome: MailOutcome) -> Stored<()> {
        self.write(move |connection| {
            let mail = mail.as_bytes();
            match outcome {
                MailOutcome::Again { due_at } => connection.execute(
                    "update mails set due_at = ?2, leased_until = 0 where mail = ?1 and settled_at is null",
                    params![mail, due_at.0],
                )?,
                MailOutcome::Sent { at } => settle(connection, mail, at, true)?,
                MailOutcome::Refused { at } => settle(connection, mail, at, false)?,
            };
            Ok(())
        })
        .await
    }

    async fn forget_settled(&self, now: Timestamp) -> Stored<u64> {
        self.write(move |connection| {
            let before = now.0 - SETTLED_KEPT_MS;
            let mails = connection.execute("delete from mails where settled_at < ?1", [before])?;
            let links = connection.execute("delete from links where expires_at <= ?1", [now.0])?;
            let invitations = connection.execute("delete from invitations where closed_at < ?1", [before])?;
            let steps = connection.execute("delete from sign_in_steps where expires_at <= ?1", [now.0])?;
            let webhooks = connection.execute("delete from webhooks where received_at < ?1", [before])?;
            Ok((mails + links + invitations + steps + webhooks) as u64)
        })
        .await
    }
}

fn settle(connection: &Connection, mail: &[u8; 16], at: Timestamp, sent: bool) -> rusqlite::Result<usize> {
    connection.execute(
        "update mails set settled_at = ?2, sent = ?3, letter = null where mail = ?1",
        params![mail, at.0, sent],
    )
}

pub(super) fn insert_mail(connection: &Connection, keys: &PeopleKeys, mail: &NewMail) -> Stored<()> {
    connection
        .prepare_cached("insert into mails (mail, letter, due_at) values (?1, ?2, ?3)")?
        .execute(params![
            mail.mail.as_bytes(),
            keys.seal_mail(mail)?,
            mail.due_at.0
        ])?;
    Ok(())
}
