//! The outbox of mails.

use super::super::Stored;
use super::super::people::{LeasedMail, MailOutcome, MailStorage, NewMail, SETTLED_KEPT_MS};
use super::{SqliteStorage, id};
use async_trait::async_trait;
use rusqlite::{Connection, params};
use shared_model::time::Timestamp;
use uuid::Uuid;

#[async_trait]
impl MailStorage for SqliteStorage {
    async fn lease_mails(&self, now: Timestamp, until: Timestamp, at_most: usize) -> Stored<Vec<LeasedMail>> {
        self.write(move |connection| {
            let mut lease = connection.prepare_cached(
                "update mails set leased_until = ?2, attempts = attempts + 1 where mail in (
                     select mail from mails where settled_at is null and due_at <= ?1 and leased_until <= ?1
                     order by due_at limit ?3)
                 returning mail, recipient, recipient_name, subject, plain, html, due_at, attempts",
            )?;
            let rows = lease.query_map(params![now.0, until.0, at_most], |row| {
                Ok(LeasedMail {
                    mail: NewMail {
                        mail: id(row, 0, |mail| mail)?,
                        recipient: row.get(1)?,
                        recipient_name: row.get(2)?,
                        subject: row.get(3)?,
                        plain: row.get(4)?,
                        html: row.get(5)?,
                        due_at: Timestamp(row.get(6)?),
                    },
                    attempts: row.get(7)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
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
        "update mails set settled_at = ?2, sent = ?3, subject = '', plain = '', html = '' where mail = ?1",
        params![mail, at.0, sent],
    )
}

pub(super) fn insert_mail(connection: &Connection, mail: &NewMail) -> Stored<()> {
    connection
        .prepare_cached(
            "insert into mails (mail, recipient, recipient_name, subject, plain, html, due_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            mail.mail.as_bytes(),
            mail.recipient,
            mail.recipient_name,
            mail.subject,
            mail.plain,
            mail.html,
            mail.due_at.0
        ])?;
    Ok(())
}
