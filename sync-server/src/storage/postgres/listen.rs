//! Hears of other nodes' commits: accept notifies in its transaction, so Postgres tells of it after the commit, in the
//! order of the commits.
//!
//! Invariant: nothing but the clinic's id, its head and the node that wrote goes over the channel. What was written is
//! read from the feed, with the permissions that are kept there.

use super::super::{Commits, StorageError, Stored};
use super::{ACQUIRE_WITHIN, PostgresStorage};
use async_trait::async_trait;
use shared_model::ids::ClinicId;
use sqlx::postgres::{PgListener, PgPoolOptions};
use uuid::Uuid;

pub(super) const CHANNEL: &str = "commits";
/// What its connection is called in `pg_stat_activity`.
const NAME: &str = "sync-server listener";

/// What accept says on the channel.
pub(super) fn word(clinic: ClinicId, head: u64, node: Uuid) -> String {
    format!("{} {head} {}", clinic.0, node.simple())
}

fn read(word: &str) -> Option<(ClinicId, u64, Uuid)> {
    let mut parts = word.split(' ');
    let clinic = ClinicId(parts.next()?.parse().ok()?);
    let (head, node) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some((clinic, head, node))
}

struct Listener {
    connection: PgListener,
    node: Uuid,
}

/// On a connection of its own, which is not made anew behind our back: what was missed meanwhile has to be asked for.
pub(super) async fn begin(storage: &PostgresStorage) -> Stored<Box<dyn Commits>> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_WITHIN)
        .connect_with(storage.options.clone().application_name(NAME))
        .await?;
    let mut connection = PgListener::connect_with(&pool).await?;
    connection.eager_reconnect(false);
    connection.listen(CHANNEL).await?;
    Ok(Box::new(Listener {
        connection,
        node: storage.node,
    }))
}

#[async_trait]
impl Commits for Listener {
    async fn next(&mut self) -> Stored<(ClinicId, u64)> {
        while let Some(heard) = self.connection.try_recv().await? {
            match read(heard.payload()) {
                Some((_, _, node)) if node == self.node => {}
                Some((clinic, head, _)) => return Ok((clinic, head)),
                None => tracing::debug!("an unknown word on the channel of commits"),
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
        assert_eq!(read(&word(clinic, 12, node)), Some((clinic, 12, node)));
        for word in [
            "",
            "7 8 9",
            "hello",
            &format!("{} -1 {}", clinic.0, node.simple()),
        ] {
            assert_eq!(read(word), None, "{word}");
        }
    }
}
