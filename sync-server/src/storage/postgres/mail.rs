//! The outbox of mails.

use super::super::people::{LeasedMail, MailOutcome, MailStorage, NewMail, SETTLED_KEPT_MS};
use super::super::{Stored, signed};
use super::PostgresStorage;
use crate::at_rest::PeopleKeys;
use async_trait::async_trait;
use shared_model::time::Timestamp;
use sqlx::Row;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

#[async_trait]
impl MailStorage for PostgresStorage {
    async fn write_mail(&self, mail: NewMail) -> Stored<()> {
        let keys = self.people_keys().await?;
        let mut connection = self.pool.acquire().await?;
        insert_mail(&mut connection, &keys, &mail).await
    }

    async fn lease_mails(&self, now: Timestamp, until: Timestamp, at_most: usize) -> Stored<Vec<LeasedMail>> {
        let keys = self.people_keys().await?;
        let rows = sqlx::query(
            "update mails set leased_until = $2, attempts = attempts + 1 where mail in (
                 select mail from mails where settled_at is null and due_at <= $1 and leased_until <= $1
                 order by due_at limit $3 for update skip locked)
             returning mail, coalesce(letter, ''), due_at, attempts",
        )
        .bind(now.0)
        .bind(until.0)
        .bind(signed(at_most as u64))
        .fetch_all(&self.pool)
        .await?;
        let mut leased = Vec::with_capacity(rows.len());
        for row in &rows {
            let (mail, due_at) = (row.try_get(0)?, Timestamp(row.try_get(2)?));
            let attempts: i32 = row.try_get(3)?;
            match keys.open_mail(mail, row.try_get(1)?, due_at) {
                Some(mail) => leased.push(LeasedMail {
                    mail,
                    attempts: attempts.unsigned_abs(),
                }),
                None => self.settle_mail(mail, MailOutcome::Refused { at: now }).await?,
            }
        }
        Ok(leased)
    }

    async fn settle_mail(&self, mail: Uuid, outcome: MailOutcome) -> Stored<()> {
        let settled = "update mails set settled_at = $2, sent = $3, letter = null where mail = $1";
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

pub(super) async fn insert_mail(
    connection: &mut PgConnection,
    keys: &PeopleKeys,
    mail: &NewMail,
) -> Stored<()> {
    sqlx::query("insert into mails (mail, letter, due_at) values ($1, $2, $3)")
        .bind(mail.mail)
        .bind(keys.seal_mail(mail)?)
        .bind(mail.due_at.0)
        .execute(connection)
        .await?;
    Ok(())
}
