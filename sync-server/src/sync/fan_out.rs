//! Fan-out: what was committed goes to every session that reads the feed, encoded once.
//!
//! Invariant: a session gets a live page only if it has everything before it. Where this process did not see every
//! commit (another node wrote), sessions are told how far the clinic is and read the rest from their feed by number.

use bytes::Bytes;
use shared_model::ids::ClinicId;
use shared_model::permissions::Feed;
use shared_model::protocol::Accepted;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// What waits for a slow session before it is sent away.
const QUEUE: usize = 256;

/// One session of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SessionId(u64);

impl SessionId {
    /// Changes that come from no session, as an import's.
    pub(crate) const NONE: Self = Self(0);
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

#[derive(Clone, Default)]
pub(crate) struct FanOut {
    rooms: Arc<Mutex<HashMap<ClinicId, Room>>>,
    sessions: Arc<AtomicU64>,
}

/// The sessions of one clinic.
#[derive(Default)]
struct Room {
    /// The clinic's head as far as this process knows, and since when it has seen every commit.
    head: u64,
    gapless_from: u64,
    seats: HashMap<SessionId, Seat>,
}

struct Seat {
    feeds: Vec<Feed>,
    queue: mpsc::Sender<ForSession>,
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
    /// From here on the session hears of every commit that touches its feeds.
    pub(super) fn attend(&self, clinic: ClinicId, feeds: Vec<Feed>) -> Attendance {
        let session = SessionId(self.sessions.fetch_add(1, Ordering::Relaxed) + 1);
        let (queue, inbox) = mpsc::channel(QUEUE);
        let weak = queue.downgrade();
        self.lock()
            .entry(clinic)
            .or_default()
            .seats
            .insert(session, Seat { feeds, queue });
        Attendance {
            session,
            inbox,
            queue: weak,
            clinic,
            fan_out: self.clone(),
        }
    }

    /// Hands out what the commit that moved the clinic from `before` to `after` consists of.
    pub(super) fn deliver(&self, clinic: ClinicId, before: u64, after: u64, pages: Vec<LivePage>) {
        let mut rooms = self.lock();
        let room = rooms.entry(clinic).or_default();
        if room.head != before {
            room.gapless_from = before;
            room.tell(|_, _| Some(ForSession::Behind { head: before }));
        }
        room.head = after;
        let gapless_from = room.gapless_from;
        for page in pages {
            let page = Arc::new(page);
            room.tell(|_, seat| {
                seat.feeds.contains(&page.feed).then(|| ForSession::Live {
                    page: Arc::clone(&page),
                    gapless_from,
                })
            });
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ClinicId, Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Whoever cannot take it any more loses its seat and, with its queue's end, its session.
    fn tell(&mut self, what: impl Fn(SessionId, &Seat) -> Option<ForSession>) {
        self.seats.retain(|session, seat| match what(*session, seat) {
            Some(item) => seat.queue.try_send(item).is_ok(),
            None => true,
        });
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let mut rooms = self.fan_out.lock();
        if let Some(room) = rooms.get_mut(&self.clinic) {
            room.seats.remove(&self.session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const CLINIC: ClinicId = ClinicId(Uuid::from_u128(1));

    fn page(feed: Feed, number: u64) -> LivePage {
        LivePage {
            feed,
            number,
            frames: vec![Bytes::from_static(b"page")],
            only_of: None,
        }
    }

    fn heard(attendance: &mut Attendance) -> Vec<String> {
        std::iter::from_fn(|| attendance.inbox.try_recv().ok())
            .map(|item| match item {
                ForSession::Live { page, gapless_from } => format!("{} from {gapless_from}", page.number),
                ForSession::Behind { head } => format!("behind {head}"),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn commits_of_another_node_are_told_as_a_gap() {
        let fan_out = FanOut::default();
        let mut staff = fan_out.attend(CLINIC, vec![Feed::Staff]);
        let mut owner = fan_out.attend(CLINIC, vec![Feed::Everyone]);
        fan_out.deliver(CLINIC, 5, 6, vec![page(Feed::Staff, 6)]);
        fan_out.deliver(CLINIC, 6, 7, vec![page(Feed::Staff, 7)]);
        // 8 was written elsewhere.
        fan_out.deliver(CLINIC, 8, 9, vec![page(Feed::Everyone, 9)]);
        assert_eq!(
            heard(&mut staff),
            ["behind 5", "6 from 5", "7 from 5", "behind 8"]
        );
        assert_eq!(heard(&mut owner), ["behind 5", "behind 8", "9 from 8"]);
    }

    #[test]
    fn who_does_not_keep_up_loses_the_seat_and_nobody_else_waits() {
        let fan_out = FanOut::default();
        let mut slow = fan_out.attend(CLINIC, vec![Feed::Staff]);
        let mut quick = fan_out.attend(CLINIC, vec![Feed::Staff]);
        for number in 1..=2 * QUEUE as u64 {
            fan_out.deliver(CLINIC, number - 1, number, vec![page(Feed::Staff, number)]);
            assert!(!heard(&mut quick).is_empty());
        }
        assert!(
            slow.queue.upgrade().is_none(),
            "no answers come this way any more"
        );
        assert_eq!(
            heard(&mut slow).len(),
            QUEUE,
            "what had been handed over is still there"
        );
        assert!(matches!(
            slow.inbox.try_recv(),
            Err(mpsc::error::TryRecvError::Disconnected)
        ));
    }
}
