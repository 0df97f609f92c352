//! Hears of what the command line does beside the server: one file has one server, but somebody may be erased past it.
//!
//! Invariant: nothing but ids is passed on; who somebody is now is looked up.

use super::super::{News, OtherNodes, Stored, Whom};
use super::{SqliteStorage, id};
use crate::heavy_work::HeavyWork;
use async_trait::async_trait;
use shared_model::ids::AccountId;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// A look costs a few microseconds.
const LOOK_EVERY: Duration = Duration::from_secs(1);

struct Listener {
    readers: Arc<super::Readers>,
    heavy_work: HeavyWork,
    known: HashSet<AccountId>,
    news: VecDeque<AccountId>,
}

/// `None` where nothing but this process can reach the file.
pub(super) async fn begin(storage: &SqliteStorage) -> Stored<Option<Box<dyn OtherNodes>>> {
    if matches!(storage.heavy_work, HeavyWork::InPlace) {
        return Ok(None);
    }
    let mut listener = Listener {
        readers: Arc::clone(&storage.readers),
        heavy_work: storage.heavy_work,
        known: HashSet::new(),
        news: VecDeque::new(),
    };
    listener.look().await?;
    listener.news.clear();
    Ok(Some(Box::new(listener)))
}

impl Listener {
    async fn look(&mut self) -> Stored<()> {
        let known = self.known.len();
        let erased = super::read_with(&self.readers, self.heavy_work, move |connection| {
            let count: usize = connection
                .prepare_cached("select count(*) from accounts where erased_at is not null")?
                .query_row([], |row| row.get(0))?;
            if count == known {
                return Ok(Vec::new());
            }
            let mut select =
                connection.prepare_cached("select account from accounts where erased_at is not null")?;
            let rows = select.query_map([], |row| id(row, 0, AccountId))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        });
        for account in erased.await? {
            if self.known.insert(account) {
                self.news.push_back(account);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl OtherNodes for Listener {
    async fn next(&mut self) -> Stored<News> {
        loop {
            if let Some(account) = self.news.pop_front() {
                return Ok(News::Concerns(Whom::Account(account)));
            }
            sleep(LOOK_EVERY).await;
            self.look().await?;
        }
    }
}
