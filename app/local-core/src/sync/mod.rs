//! The device's half of synchronisation: when to connect, what to push, how to store what comes.
//!
//! Place in the flow: between the outbox and the socket. Invariant: the status that it reports never claims more
//! than what the server has acknowledged.

mod apply_page;
mod decide;
mod deferred;
mod fresh_actor;
mod hand_in;
mod lose_audience;
mod purge;
mod push;
mod recover;
mod retype;
mod seen;
mod session;
mod take_over;

use crate::query::{Connection, FirstSync, StatusView};
use crate::store::{StorageTrouble, Store, StoreError};
use shared_model::ids::DocumentId;
use shared_model::permissions::Feed;
use shared_model::protocol::{Cursor, Goodbye};
use shared_model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(crate) use seen::Seen;
pub(crate) use take_over::as_row;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Off,
    /// Whoever is signed in reads no feed.
    NoFeeds,
    /// Until the moment of the next attempt.
    Waiting(Timestamp),
    Opening,
    /// Fresh tokens were asked for before saying hello.
    Renewing,
    Greeting,
    Live,
    /// The host was asked to close the socket; what still comes through it is not looked at.
    Closing,
    Stopped(Goodbye),
}

/// A push that the server has not answered.
#[derive(Debug)]
struct InFlight {
    number: u64,
    /// Outbox rows with what identifies each.
    rows: Vec<push::Sent>,
}

#[derive(Debug, Default)]
pub(crate) struct Sync {
    phase: Phase,
    /// Failed attempts in a row.
    attempts: u32,
    lost_at: Option<Timestamp>,
    last_heard: Option<Timestamp>,
    /// The last moment at which everything had arrived.
    as_of: Option<Timestamp>,
    /// Where the server's feeds stood at the welcome.
    heads: Vec<(Feed, u64)>,
    asked_at: Option<Timestamp>,
    renewing_in_session: bool,
    cursors: BTreeMap<Feed, Cursor>,
    next_push: u64,
    in_flight: VecDeque<InFlight>,
    /// The outbox has been looked through up to this row, and sent as far as nothing holds it.
    sent: i64,
    clock_off_by: i64,
    /// Documents of which a part is missing here; kept in the store until they have come whole.
    wanted: BTreeSet<DocumentId>,
    /// Documents asked for in this session.
    asked: BTreeSet<DocumentId>,
    /// Set once another store writes in this one's name, until a fresh actor has come: the documents in which both have
    /// written. Nothing is sent meanwhile.
    reused: Option<BTreeSet<DocumentId>>,
    /// The host was asked for the fresh actor.
    actor_asked: bool,
    /// Frames in a row that could not be read.
    unreadable: u32,
    /// Frames in a row whose contents could not be stored.
    not_stored: u32,
    handing_in: hand_in::HandingIn,
    /// When views that show the time are due again.
    clock_views_at: Option<Timestamp>,
}

impl Sync {
    /// Forgets the session and the feeds, as after signing out.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            last_heard: None,
            ..Self::default()
        };
    }

    /// What was held back can be sent from now on, and may stand in the outbox before what was sent.
    fn look_at_all_again(&mut self) {
        self.sent = 0;
    }

    fn is_in_flight(&self, row: i64) -> bool {
        let mut rows = self.in_flight.iter().flat_map(|push| &push.rows);
        rows.any(|sent| sent.seq == row)
    }

    /// Where this device stood in feeds that it reads no more.
    fn forget_feeds(&mut self) {
        self.cursors.clear();
        self.wanted.clear();
        self.as_of = None;
    }

    pub(crate) fn restore(&mut self, store: &Store) -> Result<(), StoreError> {
        self.cursors = store
            .cursors()?
            .into_iter()
            .map(|cursor| (cursor.feed, cursor))
            .collect();
        self.last_heard = store.meta("last_heard")?;
        self.as_of = store.meta("as_of")?;
        let reused: Option<Vec<DocumentId>> = store.meta("reused")?;
        self.reused = reused.map(|documents| documents.into_iter().collect());
        let wanted: Option<Vec<DocumentId>> = store.meta("wanted")?;
        self.wanted = wanted.into_iter().flatten().collect();
        Ok(())
    }

    pub(crate) fn connection(&self) -> Connection {
        match self.phase {
            Phase::Off => Connection::SignedOut,
            Phase::NoFeeds => Connection::NoFeeds,
            Phase::Live => Connection::Online,
            Phase::Waiting(_) => Connection::Offline { since: self.lost_at },
            Phase::Opening | Phase::Renewing | Phase::Greeting | Phase::Closing if self.attempts > 0 => {
                Connection::Offline { since: self.lost_at }
            }
            Phase::Opening | Phase::Renewing | Phase::Greeting | Phase::Closing => {
                Connection::Connecting { since: self.lost_at }
            }
            Phase::Stopped(why) => Connection::Stopped(why),
        }
    }

    /// The number reached in each feed; 0 while its first sync runs, and before its first page has come.
    pub(crate) fn feed_numbers(&self) -> Vec<(Feed, u64)> {
        let mut numbers: BTreeMap<Feed, u64> = self.heads.iter().map(|(feed, _)| (*feed, 0)).collect();
        numbers.extend(self.cursors.values().map(|cursor| (cursor.feed, cursor.number)));
        numbers.into_iter().collect()
    }

    /// Whether a cursor has everything that there was at the welcome. Only the staff's feed goes up to the clinic's head;
    /// the others end with what concerns them.
    fn has_arrived(&self, cursor: &Cursor) -> bool {
        let head = self.heads.iter().find(|(feed, _)| *feed == cursor.feed);
        let head = head.map_or(0, |(_, number)| *number);
        cursor.bootstrap.is_none()
            && cursor.number > 0
            && (cursor.feed != Feed::Staff || cursor.number >= head)
    }

    pub(crate) fn is_catching_up(&self) -> bool {
        self.phase == Phase::Live && !self.is_current()
    }

    fn is_current(&self) -> bool {
        self.phase == Phase::Live
            && self.heads.iter().all(|(feed, _)| {
                let cursor = self.cursors.get(feed);
                cursor.is_some_and(|cursor| self.has_arrived(cursor))
            })
    }

    pub(crate) fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    pub(crate) fn last_heard(&self) -> Option<Timestamp> {
        self.last_heard
    }

    pub(crate) fn unreadable(&self) -> bool {
        self.unreadable > 0
    }

    pub(crate) fn clock_off_by(&self) -> Option<i64> {
        Some(self.clock_off_by / 1000).filter(|seconds| seconds.abs() > 120)
    }

    /// Progress of the first sync, while there is one; it begins with the sign-in, before the first page has come.
    pub(crate) fn first_sync(&self) -> Option<FirstSync> {
        if self.cursors.is_empty() && !matches!(self.phase, Phase::Off | Phase::NoFeeds) {
            return Some(FirstSync {
                received: 0,
                total: 0,
                usable: false,
            });
        }
        let mut running = self
            .cursors
            .values()
            .filter_map(|cursor| cursor.bootstrap)
            .peekable();
        running.peek()?;
        let mut progress = FirstSync {
            received: 0,
            total: 0,
            usable: true,
        };
        for bootstrap in running {
            progress.received += bootstrap.received;
            progress.total += bootstrap.total;
            progress.usable &= bootstrap.received > 0;
        }
        Some(progress)
    }

    pub(crate) fn status_without_store(&self, storage: Option<StorageTrouble>) -> StatusView {
        StatusView {
            connection: self.connection(),
            last_heard: self.last_heard,
            as_of: self.as_of,
            catching_up: false,
            waiting: 0,
            waiting_since: None,
            held: 0,
            needs_attention: 0,
            others: Vec::new(),
            first_sync: None,
            storage,
            clock_off_by: None,
            deferred: 0,
            damaged: 0,
            unreadable: self.unreadable(),
        }
    }
}

impl Store {
    pub(crate) fn cursors(&self) -> Result<Vec<Cursor>, StoreError> {
        let mut statement = self.sql.prepare_cached("SELECT cursor FROM feed_cursor")?;
        let mut rows = statement.query([])?;
        let mut cursors = Vec::new();
        while let Some(row) = rows.next()? {
            let cursor = minicbor::decode(row.get_ref(0)?.as_blob()?);
            cursors.push(cursor.map_err(|_| StoreError::Corrupt("a feed cursor".to_owned()))?);
        }
        Ok(cursors)
    }

    /// Writes down which documents have to be asked for, if they are others than before.
    fn set_wanted(
        &self,
        before: &BTreeSet<DocumentId>,
        wanted: &BTreeSet<DocumentId>,
    ) -> Result<(), StoreError> {
        if wanted == before {
            return Ok(());
        }
        self.set_meta("wanted", &wanted.iter().copied().collect::<Vec<_>>())
    }

    pub(crate) fn set_cursor(&self, cursor: &Cursor) -> Result<(), StoreError> {
        self.sql
            .prepare_cached(
                "INSERT INTO feed_cursor VALUES (?1, ?2) ON CONFLICT (feed) DO UPDATE SET cursor = ?2",
            )?
            .execute((
                shared_model::protocol::encode(&cursor.feed),
                shared_model::protocol::encode(cursor),
            ))?;
        Ok(())
    }
}
