//! Fan-out: what was committed goes to every session that reads the feed, encoded once.
//!
//! Invariant: a session gets a live page only if it has everything before it. What another node wrote is read once per
//! feed and handed out like an own commit; where that cannot be done, sessions are told how far the clinic is and read
//! the rest from their feed by number.

use super::page;
use super::room::{Commit, Missing, Room};
use crate::heavy_work::HeavyWork;
use crate::storage::{Storage, StorageError, Stored};
use bytes::Bytes;
use shared_model::ids::ClinicId;
use shared_model::permissions::Feed;
use shared_model::protocol::{Accepted, PAGE_TARGET};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// What waits for a slow session before it is sent away.
const QUEUE: usize = 256;
/// Frames of one stretch that are held for all sessions, in bytes; more is left to each session's own pace.
const MAX_HELD: usize = 8 << 20;

/// One session of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SessionId(u64);

impl SessionId {
    /// Changes that come from no session, as an import's.
    pub(crate) const NONE: Self = Self(0);

    #[cfg(test)]
    pub(super) fn numbered(number: u64) -> Self {
        Self(number)
    }
}

/// One feed's part of a commit.
#[derive(Debug)]
pub(crate) struct LivePage {
    pub(super) feed: Feed,
    /// The clinic's head after the commit.
    pub(super) number: u64,
    /// Usually one.
    pub(super) frames: Vec<Bytes>,
    /// The session that wrote all of it, with the page that only moves its cursor.
    pub(super) only_of: Option<(SessionId, Bytes)>,
}

/// What a session is told from outside.
#[derive(Clone, Debug)]
pub(crate) enum ForSession {
    Accepted(Accepted),
    /// A push could not be taken now; nothing of it was.
    NotNow,
    Live {
        page: Arc<LivePage>,
        /// Every commit after this number came through here.
        gapless_from: u64,
    },
    /// The clinic is at least this far, without a page to show for it.
    Behind {
        head: u64,
    },
}

#[derive(Clone)]
pub(crate) struct FanOut {
    storage: Arc<dyn Storage>,
    heavy_work: HeavyWork,
    rooms: Arc<Mutex<HashMap<ClinicId, Room>>>,
    sessions: Arc<AtomicU64>,
}

/// A session's place; it is given up when this is dropped.
pub(super) struct Attendance {
    pub(super) session: SessionId,
    pub(super) inbox: mpsc::Receiver<ForSession>,
    /// Weak, so that a session that was sent away notices: its inbox ends.
    pub(super) queue: mpsc::WeakSender<ForSession>,
    clinic: ClinicId,
    fan_out: FanOut,
}

impl FanOut {
    pub(crate) fn new(storage: Arc<dyn Storage>, heavy_work: HeavyWork) -> Self {
        Self {
            storage,
            heavy_work,
            rooms: Arc::default(),
            sessions: Arc::default(),
        }
    }

    /// From here on the session hears of every commit that touches its feeds.
    pub(super) fn attend(&self, clinic: ClinicId, feeds: Vec<Feed>) -> Attendance {
        let session = SessionId(self.sessions.fetch_add(1, Ordering::Relaxed) + 1);
        let (queue, inbox) = mpsc::channel(QUEUE);
        let weak = queue.downgrade();
        self.lock().entry(clinic).or_default().sit(session, feeds, queue);
        Attendance {
            session,
            inbox,
            queue: weak,
            clinic,
            fan_out: self.clone(),
        }
    }

    /// Hands out what this process's commit that moved the clinic from `before` to `after` consists of.
    pub(super) fn deliver(&self, clinic: ClinicId, before: u64, after: u64, pages: Vec<LivePage>) {
        self.in_room(clinic, |room| room.committed(Commit { before, after, pages }));
    }

    /// Another process has committed up to `head`; whether that was news to anybody here.
    pub(super) fn heard_of(&self, clinic: ClinicId, head: u64) -> bool {
        let mut news = false;
        self.in_room(clinic, |room| {
            news = !room.knows(head);
            room.heard_of(head)
        });
        news
    }

    /// The clinics that have sessions here.
    pub(super) fn clinics(&self) -> Vec<ClinicId> {
        self.lock().keys().copied().collect()
    }

    /// Nobody sits in a room that is not there: whoever comes reads the clinic's head first.
    fn in_room(&self, clinic: ClinicId, happens: impl FnOnce(&mut Room) -> Option<Missing>) {
        let missing = self.lock().get_mut(&clinic).and_then(happens);
        if let Some(missing) = missing {
            tokio::spawn(self.clone().read(clinic, missing));
        }
    }

    /// Reads what the room misses until it misses nothing.
    async fn read(self, clinic: ClinicId, missing: Missing) {
        let mut next = Some(missing);
        while let Some(missing) = next {
            let pages = self.pages(clinic, &missing).await.unwrap_or_else(|error| {
                tracing::warn!(%clinic, %error, "a stretch could not be read for all");
                None
            });
            next = self
                .lock()
                .get_mut(&clinic)
                .and_then(|room| room.was_read(&missing, pages));
        }
    }

    /// A stretch in pages, one feed after the other; `None` if it is too much to be held.
    async fn pages(&self, clinic: ClinicId, missing: &Missing) -> Stored<Option<Vec<LivePage>>> {
        let Missing { from, to, ref feeds } = *missing;
        let mut pages = Vec::new();
        let mut held = 0;
        for feed in self.storage.touched_feeds(clinic, feeds, from, to).await? {
            let mut frames = Vec::new();
            let mut after = from;
            while after < to {
                let stretch = self
                    .storage
                    .feed_after(clinic, feed, after, to, PAGE_TARGET)
                    .await?;
                let reached = stretch.reached;
                let encode = move || page::live_frames(feed, &stretch.steps, reached, after);
                let encoded: Vec<Bytes> = self
                    .heavy_work
                    .run(encode)
                    .await
                    .map_err(|error| StorageError::Failed(error.to_string()))?;
                held += encoded.iter().map(Bytes::len).sum::<usize>();
                if held > MAX_HELD {
                    return Ok(None);
                }
                frames.extend(encoded);
                after = reached;
            }
            pages.push(LivePage {
                feed,
                number: to,
                frames,
                only_of: None,
            });
        }
        Ok(Some(pages))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ClinicId, Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attendance {
    /// The clinic's head as it was read after the seat was taken: from there on, the room misses nothing.
    pub(super) fn stands_at(&self, head: u64) {
        if let Some(room) = self.fan_out.lock().get_mut(&self.clinic) {
            room.stands_at(head);
        }
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let mut rooms = self.fan_out.lock();
        if let Some(room) = rooms.get_mut(&self.clinic)
            && !room.leave(self.session)
        {
            rooms.remove(&self.clinic);
        }
    }
}
