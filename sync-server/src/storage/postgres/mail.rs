//! The outbox of mails.

use super::super::people::{LeasedMail, MailOutcome, MailStorage, NewMail, SETTLED_KEPT_MS};
use super::super::{Stored, signed};
use super::PostgresStorage;
use async_trait::async_trait;
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

#[async_trait]
impl MailStorage for PostgresStorage {
    async fn lease_mails(&self, now: Timestamp, until: Timestamp, at_most: usize) -> Stored<Vec<LeasedMail>> {
        let rows = sqlx::query(
            "update mails set leased_until = $2, attempts = attempts + 1 where mail in (
                 select mail from mails where settled_at is null and due_at <= $1 and leased_until <= $1
                 order by due_at limit $3 for update skip locked)
             returning mail, recipient, recipient_name, subject, plain, html, due_at, attempts",
        )
        .bind(now.0)
        .bind(until.0)
        .bind(signed(at_most as u64))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(read_mail).collect()
    }

    async fn settle_mail(&self, mail: Uuid, outcome: MailOutcome) -> Stored<()> {
        let settled = "update mails set settled_at = $2, sent = $3, subject = '', plain = '', html = ''
                       where mail = $1";
        let query = match outcome {
            MailOutcome::Again { due_at } => sqlx::query(
                "update mails set due_at = $2, leased_until = 0 where mail = $1 and settled_at is null",
            )
            .bind(mail)
            .bind(due_at.0),
            MailOutcome::Sent { at } => sqlx::query(settled).bind(mail).bind(at.0).bind(true),
            MailOutcome::Refused { at } => sqlx::query(settled).bind(mail).bind(at.0).bind(false),
        };
        query.execute(&self.pool).await?;
        Ok(())
    }

    async fn forget_settled(&self, now: Timestamp) -> Stored<u64> {
        let before = now.0 - SETTLED_KEPT_MS;
        let mut forgotten = 0;
        for (statement, until) in [
            ("delete from mails where settled_at < $1", before),
            ("delete from links where expires_at <= $1", now.0),
            ("delete from invitations where closed_at < $1", before),
            ("delete from sign_in_steps where expires_at <= $1", now.0),
            ("delete from webhooks where received_at < $1", before),
        ] {
            let gone = sqlx::query(statement).bind(until).execute(&self.pool).await?;
            forgotten += gone.rows_affected();
        }
        Ok(forgotten)
    }
}

fn read_mail(row: &PgRow) -> Stored<LeasedMail> {
    let attempts: i32 = row.try_get(7)?;
    Ok(LeasedMail {
        mail: NewMail {
            mail: row.try_get(0)?,
            recipient: row.try_get(1)?,
            recipient_name: row.try_get(2)?,
            subject: row.try_get(3)?,
            plain: row.try_get(4)?,
            html: row.try_get(5)?,
            due_at: Timestamp(row.try_get(6)?),
        },
        attempts: attempts.unsigned_abs(),
    })
}

pub(super) async fn insert_mail(connection: &mut PgConnection, mail: &NewMail) -> Stored<()> {
    sqlx::query(
        "insert into mails (mail, recipient, recipient_name, subject, plain, html, due_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(mail.mail)
    .bind(&mail.recipient)
    .bind(&mail.recipient_name)
    .bind(&mail.subject)
    .bind(&mail.plain)
    .bind(&mail.html)
    .bind(mail.due_at.0)
    .execute(connection)
    .await?;
    Ok(())
}
