//! Hears of what other nodes do: who writes notifies in the transaction, so Postgres tells of it after the commit, in the
//! order of the commits.
//!
//! Invariant: nothing but ids, a clinic's head and the node that wrote goes over the channels. What was written is read
//! from the feed, with the permissions that are kept there; what somebody is now, from their membership.

use super::super::{News, OtherNodes, StorageError, Stored, Whom};
use super::{ACQUIRE_WITHIN, PostgresStorage};
use async_trait::async_trait;
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use sqlx::postgres::{PgConnection, PgListener, PgPoolOptions};
use uuid::Uuid;

pub(super) const CHANNEL: &str = "commits";
/// Whose rights have changed.
const PEOPLE: &str = "people";
/// What its connection is called in `pg_stat_activity`.
const NAME: &str = "sync-server listener";

/// What accept says on the channel.
pub(super) fn word(clinic: ClinicId, head: u64, node: Uuid) -> String {
    format!("{} {head} {}", clinic.0, node.simple())
}

fn read_commit(word: &str) -> Option<(News, Uuid)> {
    let mut parts = word.split(' ');
    let clinic = ClinicId(parts.next()?.parse().ok()?);
    let (head, node) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let news = News::Committed { clinic, head };
    parts.next().is_none().then_some((news, node))
}

fn word_about(whom: Whom, node: Uuid) -> String {
    let node = node.simple();
    match whom {
        Whom::Account(account) => format!("account {account} {node}"),
        Whom::Device(device) => format!("device {device} {node}"),
    }
}

fn read_people(word: &str) -> Option<(News, Uuid)> {
    let mut parts = word.split(' ');
    let (what, id) = (parts.next()?, parts.next()?);
    let whom = match what {
        "account" => Whom::Account(AccountId::parse(id)?),
        "device" => Whom::Device(DeviceId::parse(id)?),
        _ => return None,
    };
    let node = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some((News::Concerns(whom), node))
}

/// In the transaction that changes what somebody may: once it has committed, every node looks them up again.
pub(super) async fn tell_of(connection: &mut PgConnection, whom: Whom, node: Uuid) -> Stored<()> {
    sqlx::query("select pg_notify($1, $2)")
        .bind(PEOPLE)
        .bind(word_about(whom, node))
        .execute(connection)
        .await?;
    Ok(())
}

struct Listener {
    connection: PgListener,
    node: Uuid,
}

/// On a connection of its own, which is not made anew behind our back: what was missed meanwhile has to be asked for.
pub(super) async fn begin(storage: &PostgresStorage) -> Stored<Box<dyn OtherNodes>> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_WITHIN)
        .connect_with(storage.options.clone().application_name(NAME))
        .await?;
    let mut connection = PgListener::connect_with(&pool).await?;
    connection.eager_reconnect(false);
    connection.listen_all([CHANNEL, PEOPLE]).await?;
    Ok(Box::new(Listener {
        connection,
        node: storage.node,
    }))
}

#[async_trait]
impl OtherNodes for Listener {
    async fn next(&mut self) -> Stored<News> {
        while let Some(heard) = self.connection.try_recv().await? {
            let read = match heard.channel() {
                PEOPLE => read_people(heard.payload()),
                _ => read_commit(heard.payload()),
            };
            match read {
                Some((_, node)) if node == self.node => {}
                Some((news, _)) => return Ok(news),
                None => tracing::debug!(channel = heard.channel(), "an unknown word"),
            }
        }
        Err(StorageError::Away("the listening connection broke".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_were_said() {
        let (clinic, node) = (ClinicId(Uuid::from_u128(7)), Uuid::from_u128(8));
        let commit = News::Committed { clinic, head: 12 };
        assert_eq!(read_commit(&word(clinic, 12, node)), Some((commit, node)));
        for whom in [
            Whom::Account(AccountId(Uuid::from_u128(9))),
            Whom::Device(DeviceId(Uuid::from_u128(9))),
        ] {
            let news = News::Concerns(whom);
            assert_eq!(read_people(&word_about(whom, node)), Some((news, node)));
        }
        for word in [
            "",
            "7 8 9",
            "hello",
            &format!("{} -1 {}", clinic.0, node.simple()),
        ] {
            assert_eq!(read_commit(word), None, "{word}");
            assert_eq!(read_people(word), None, "{word}");
        }
    }
}
