//! The truth about connection and saving, for every screen.

use super::outbox_page::{OthersWork, standing};
use crate::core::Reading;
use crate::store::{StorageTrouble, StoreError};
use serde::{Deserialize, Serialize};
use shared_model::protocol::Goodbye;
use shared_model::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Connection {
    /// Nobody is signed in.
    SignedOut,
    /// Whoever is signed in has no records: there is nothing to connect for.
    NoFeeds,
    /// A session is open.
    Online,
    /// Being established; `since` is when the last one ended, if there was one in this run.
    Connecting {
        since: Option<Timestamp>,
    },
    Offline {
        since: Option<Timestamp>,
    },
    /// The server said that it will not talk to this build or session.
    Stopped(Goodbye),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSync {
    pub received: u64,
    pub total: u64,
    /// Today's records have arrived.
    pub usable: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusView {
    pub connection: Connection,
    /// When anything last came from the server.
    pub last_heard: Option<Timestamp>,
    /// Up to when everything that the server had has arrived here; later than that, others may have written.
    pub as_of: Option<Timestamp>,
    /// Connected, but what others wrote meanwhile is still arriving.
    pub catching_up: bool,
    /// Changes that the person signed in saved here and the server has not acknowledged.
    pub waiting: u64,
    pub waiting_since: Option<Timestamp>,
    /// Of those that wait, how many lie in records with work of a colleague that only their sign-in here can send.
    pub held: u64,
    /// Changes of theirs that the server refused and a person has to look at.
    pub needs_attention: u64,
    /// What other people's work waits on this device.
    pub others: Vec<OthersWork>,
    pub first_sync: Option<FirstSync>,
    pub storage: Option<StorageTrouble>,
    /// Server clock minus this device's, in seconds, if it is worth telling (more than two minutes).
    pub clock_off_by: Option<i64>,
    /// Records from a newer build that wait for this one's update.
    pub deferred: u64,
    /// Records whose stored bytes cannot be read here any more; they are fetched from the server again.
    pub damaged: u64,
    /// What the server sent last could not be read and is asked for again.
    pub unreadable: bool,
}

pub(super) fn view(reading: &Reading<'_>) -> Result<StatusView, StoreError> {
    let (own, others) = standing(reading)?;
    let deferred = reading
        .store
        .sql
        .prepare_cached("SELECT count(*) FROM deferred")?
        .query_row([], |row| row.get(0))?;
    Ok(StatusView {
        connection: reading.sync.connection(),
        last_heard: reading.sync.last_heard(),
        as_of: reading.sync.as_of(),
        catching_up: reading.sync.is_catching_up(),
        waiting: own.waiting,
        waiting_since: own.since,
        held: match reading.principal {
            Some(principal) => reading.store.held(principal.account)?,
            None => 0,
        },
        needs_attention: own.refused,
        others,
        first_sync: reading.sync.first_sync(),
        storage: reading.trouble,
        clock_off_by: reading.sync.clock_off_by(),
        deferred,
        damaged: reading.damaged(),
        unreadable: reading.sync.unreadable(),
    })
}
