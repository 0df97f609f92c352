//! The sessions of one clinic on this node, and how far they have been told.
//!
//! Invariant: what a room hands out leaves in the order of its numbers and without a gap. A stretch that this process
//! did not write is read once for all its sessions; one that is not to be had is told as a gap, and they read it
//! themselves. Pure: who reads, and when, is its caller's business.

use super::fan_out::{ForSession, LivePage, SessionId};
use shared_model::permissions::Feed;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Numbers read at once for all sessions.
const STRETCH: u64 = 500;
/// A room that is farther behind leaves it to its sessions, each of which reads as fast as its device takes it.
const FAR: u64 = 5_000;

#[derive(Default)]
pub(super) struct Room {
    /// Everything up to here was handed out or told; 0 until somebody said where the clinic stands.
    head: u64,
    /// Every commit after this number came through here.
    gapless_from: u64,
    /// The farthest commit that this process has heard of.
    heard_of: u64,
    /// Own commits that wait for what others wrote before them.
    parked: VecDeque<Commit>,
    reading: bool,
    seats: HashMap<SessionId, Seat>,
}

struct Seat {
    feeds: Vec<Feed>,
    queue: mpsc::Sender<ForSession>,
}

/// What moved the clinic from one head to another.
pub(super) struct Commit {
    pub(super) before: u64,
    pub(super) after: u64,
    pub(super) pages: Vec<LivePage>,
}

/// What has to be read before the room can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) from: u64,
    pub(super) to: u64,
    /// Of the feeds that somebody reads here.
    pub(super) feeds: Vec<Feed>,
}

impl Room {
    pub(super) fn sit(&mut self, session: SessionId, feeds: Vec<Feed>, queue: mpsc::Sender<ForSession>) {
        self.seats.insert(session, Seat { feeds, queue });
    }

    /// Whether anybody is left.
    pub(super) fn leave(&mut self, session: SessionId) -> bool {
        self.seats.remove(&session);
        !self.seats.is_empty()
    }

    /// A session has read the clinic's head after it took its seat.
    pub(super) fn stands_at(&mut self, head: u64) {
        if self.head == 0 {
            self.head = head;
            self.gapless_from = head;
        }
    }

    /// This process has committed.
    pub(super) fn committed(&mut self, commit: Commit) -> Option<Missing> {
        if self.head == 0 {
            self.jump(commit.before);
        }
        self.parked.push_back(commit);
        self.go_on()
    }

    /// Somebody has committed up to `head`. Own commits may be heard of this way too, early or late.
    pub(super) fn heard_of(&mut self, head: u64) -> Option<Missing> {
        if self.head == 0 {
            self.jump(head);
        }
        self.heard_of = self.heard_of.max(head);
        self.go_on()
    }

    /// Whether a commit up to `head` would be news.
    pub(super) fn knows(&self, head: u64) -> bool {
        let parked = self.parked.back().map_or(0, |commit| commit.after);
        head <= self.head.max(self.heard_of).max(parked)
    }

    /// What was missing has been read, or could not be.
    pub(super) fn was_read(&mut self, missing: &Missing, pages: Option<Vec<LivePage>>) -> Option<Missing> {
        self.reading = false;
        if self.head == missing.from {
            match pages {
                Some(pages) => self.hand_out(missing.to, pages),
                None => self.jump(missing.to),
            }
        }
        self.go_on()
    }

    fn go_on(&mut self) -> Option<Missing> {
        while let Some(commit) = self.parked.pop_front_if(|first| first.before <= self.head) {
            if commit.before == self.head {
                self.hand_out(commit.after, commit.pages);
            } else {
                // It is (partly) handed out already, read together with what others wrote.
                self.heard_of = self.heard_of.max(commit.after);
            }
        }
        let to = self.parked.front().map_or(self.heard_of, |first| first.before);
        if self.reading || to <= self.head {
            return None;
        }
        if to - self.head > FAR {
            self.jump(to);
            return self.go_on();
        }
        self.reading = true;
        let feeds: BTreeSet<Feed> = self
            .seats
            .values()
            .flat_map(|seat| &seat.feeds)
            .copied()
            .collect();
        Some(Missing {
            from: self.head,
            to: to.min(self.head + STRETCH),
            feeds: feeds.into_iter().collect(),
        })
    }

    fn hand_out(&mut self, head: u64, pages: Vec<LivePage>) {
        self.head = head;
        let gapless_from = self.gapless_from;
        for page in pages {
            let page = Arc::new(page);
            self.tell(|seat| {
                seat.feeds.contains(&page.feed).then(|| ForSession::Live {
                    page: Arc::clone(&page),
                    gapless_from,
                })
            });
        }
    }

    /// Leaves it to the sessions to read up to here.
    fn jump(&mut self, head: u64) {
        self.head = head;
        self.gapless_from = head;
        self.tell(|_| Some(ForSession::Behind { head }));
    }

    /// Whoever cannot take it any more loses its seat and, with its queue's end, its session.
    fn tell(&mut self, what: impl Fn(&Seat) -> Option<ForSession>) {
        self.seats.retain(|_, seat| match what(seat) {
            Some(item) => seat.queue.try_send(item).is_ok(),
            None => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn page(feed: Feed, number: u64) -> LivePage {
        LivePage {
            feed,
            number,
            frames: vec![Bytes::from_static(b"page")],
            only_of: None,
        }
    }

    fn commit(before: u64, after: u64) -> Commit {
        Commit {
            before,
            after,
            pages: vec![page(Feed::Staff, after)],
        }
    }

    fn missing(from: u64, to: u64) -> Missing {
        Missing {
            from,
            to,
            feeds: vec![Feed::Staff],
        }
    }

    /// A room at 5 with one reader of the staff's feed.
    fn room() -> (Room, mpsc::Receiver<ForSession>) {
        let (queue, inbox) = mpsc::channel(1_000);
        let mut room = Room::default();
        room.sit(SessionId::NONE, vec![Feed::Staff], queue);
        room.stands_at(5);
        (room, inbox)
    }

    fn heard(inbox: &mut mpsc::Receiver<ForSession>) -> Vec<String> {
        std::iter::from_fn(|| inbox.try_recv().ok())
            .map(|item| match item {
                ForSession::Live { page, gapless_from } => format!("{} from {gapless_from}", page.number),
                ForSession::Behind { head } => format!("behind {head}"),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn own_commits_pass_through() {
        let (mut room, mut inbox) = room();
        assert_eq!(room.committed(commit(5, 6)), None);
        assert_eq!(room.committed(commit(6, 8)), None);
        assert_eq!(heard(&mut inbox), ["6 from 5", "8 from 5"]);
        assert_eq!(room.heard_of(8), None, "it is known");
        assert!(room.knows(8) && !room.knows(9));
    }

    #[test]
    fn what_others_wrote_is_read_once_and_handed_out_like_own_commits() {
        let (mut room, mut inbox) = room();
        assert_eq!(room.heard_of(7), Some(missing(5, 7)));
        assert_eq!(room.heard_of(9), None, "somebody reads already");
        // An own commit waits for its turn.
        assert_eq!(room.committed(commit(9, 10)), None);
        assert_eq!(heard(&mut inbox), [""; 0]);
        let next = room.was_read(&missing(5, 7), Some(vec![page(Feed::Staff, 7)]));
        assert_eq!(next, Some(missing(7, 9)));
        assert_eq!(heard(&mut inbox), ["7 from 5"]);
        let next = room.was_read(&missing(7, 9), Some(vec![page(Feed::Staff, 9)]));
        assert_eq!(next, None);
        assert_eq!(heard(&mut inbox), ["9 from 5", "10 from 5"]);
    }

    #[test]
    fn an_own_commit_that_was_read_with_the_others_is_not_handed_out_twice() {
        let (mut room, mut inbox) = room();
        // Another node's 7 is heard of before this process has said that 6 is its own.
        assert_eq!(room.heard_of(7), Some(missing(5, 7)));
        assert_eq!(room.committed(commit(5, 6)), None);
        assert_eq!(heard(&mut inbox), ["6 from 5"]);
        // The stretch that was read began before it: it is read anew from where the room stands.
        let next = room.was_read(&missing(5, 7), Some(vec![page(Feed::Staff, 7)]));
        assert_eq!(next, Some(missing(6, 7)));
        room.was_read(&missing(6, 7), Some(vec![page(Feed::Staff, 7)]));
        assert_eq!(heard(&mut inbox), ["7 from 5"]);
        assert_eq!(room.committed(commit(5, 6)), None);
        assert_eq!(heard(&mut inbox), [""; 0]);
    }

    #[test]
    fn what_cannot_be_read_is_told_as_a_gap() {
        let (mut room, mut inbox) = room();
        assert_eq!(room.committed(commit(7, 8)), Some(missing(5, 7)));
        assert_eq!(room.was_read(&missing(5, 7), None), None);
        assert_eq!(heard(&mut inbox), ["behind 7", "8 from 7"]);
    }

    #[test]
    fn a_long_way_is_read_in_stretches_and_a_very_long_one_by_each_session() {
        let (mut room, mut inbox) = room();
        assert_eq!(room.heard_of(5 + FAR), Some(missing(5, 5 + STRETCH)));
        room.was_read(&missing(5, 5 + STRETCH), Some(Vec::new()));
        let mut room = self::room();
        assert_eq!(room.0.heard_of(6 + FAR), None);
        assert_eq!(heard(&mut room.1), [format!("behind {}", 6 + FAR)]);
        assert_eq!(heard(&mut inbox), [""; 0]);
    }

    #[test]
    fn a_room_that_was_told_nothing_begins_with_the_first_commit() {
        let (queue, mut inbox) = mpsc::channel(10);
        let mut room = Room::default();
        room.sit(SessionId::NONE, vec![Feed::Staff], queue);
        assert_eq!(room.committed(commit(8, 9)), None);
        room.stands_at(7);
        assert_eq!(room.committed(commit(9, 10)), None);
        assert_eq!(heard(&mut inbox), ["behind 8", "9 from 8", "10 from 8"]);
    }

    #[test]
    fn who_does_not_keep_up_loses_the_seat_and_nobody_else_waits() {
        let (mut room, mut quick) = room();
        let (queue, mut slow) = mpsc::channel(3);
        let weak = queue.downgrade();
        room.sit(SessionId::numbered(1), vec![Feed::Staff], queue);
        for number in 6..=12 {
            room.committed(commit(number - 1, number));
            assert_eq!(heard(&mut quick).len(), 1);
        }
        assert!(weak.upgrade().is_none(), "no answers come this way any more");
        assert_eq!(
            heard(&mut slow).len(),
            3,
            "what had been handed over is still there"
        );
        assert!(matches!(
            slow.try_recv(),
            Err(mpsc::error::TryRecvError::Disconnected)
        ));
    }
}
