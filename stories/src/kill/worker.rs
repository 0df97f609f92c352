//! One device at work: it edits at its pace, in bursts when told to, and notes what was acknowledged.

use super::{Acknowledged, moment, register};
use crate::Device;
use automerge::ChangeHash;
use shared_model::commands::{Command, EditClient};
use shared_model::ids::{ClientId, DocumentId};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a device waits for a frame before it looks at its orders.
const ATTENTION: Duration = Duration::from_millis(25);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Write,
    /// Nothing new; what waits is sent.
    Drain,
    /// Nothing more is written by anybody: wait for everything up to this number, and come home.
    CatchUp(u64),
}

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) task: Task,
    /// Counts up: at each, everybody writes at once.
    pub(super) bursts: usize,
    /// The nodes that are there to be used.
    pub(super) nodes: Vec<SocketAddr>,
}

/// What all devices have seen.
pub(super) struct Diary {
    devices: Vec<Seen>,
    pub(super) acknowledged: Vec<Acknowledged>,
}

#[derive(Clone, Default)]
struct Seen {
    written: usize,
    acknowledged: usize,
    /// When a change was made and when it was acknowledged, newest last.
    answers: Vec<(Instant, Instant)>,
    drained: bool,
}

impl Diary {
    pub(super) fn of(devices: usize) -> Self {
        Self {
            devices: vec![Seen::default(); devices],
            acknowledged: Vec::new(),
        }
    }

    /// For the words with which a story fails.
    pub(super) fn told(&self) -> String {
        let waiting = |seen: &&Seen| seen.written > seen.acknowledged;
        let behind = self.devices.iter().filter(waiting).count();
        format!(
            "{} edits, {} changes acknowledged, {behind} devices wait for an answer",
            self.written(),
            self.acknowledged.len()
        )
    }

    pub(super) fn written(&self) -> usize {
        self.devices.iter().map(|seen| seen.written).sum()
    }

    pub(super) fn everybody_wrote(&self) -> bool {
        self.devices.iter().all(|seen| seen.acknowledged > 0)
    }

    pub(super) fn everybody_drained(&self) -> bool {
        self.devices.iter().all(|seen| seen.drained)
    }

    /// Per device: when the first change that it made after a moment was acknowledged.
    pub(super) fn back_since(&self, moment: Instant) -> impl Iterator<Item = Option<Instant>> {
        self.devices.iter().map(move |seen| {
            let answer = seen.answers.iter().find(|(made, _)| *made > moment);
            answer.map(|(_, acknowledged)| *acknowledged)
        })
    }
}

pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) device: Device,
    pub(super) clients: Arc<Vec<ClientId>>,
    pub(super) orders: watch::Receiver<Order>,
    pub(super) diary: watch::Sender<Diary>,
    pub(super) pace: Duration,
}

/// A change that the server has not answered.
struct Waiting {
    made: Instant,
    change: Acknowledged,
}

impl Worker {
    pub(super) async fn work(mut self) -> Device {
        while !self.has_the_shared_clients() {
            self.device.step(ATTENTION).await;
        }
        let mut waiting: Vec<Waiting> = Vec::new();
        let mut bursts = 0;
        // Not all at the same moment.
        let devices = u32::try_from(self.number).unwrap_or(0);
        let mut next_edit = Instant::now() + self.pace / 100 * (devices % 100);
        loop {
            let order = self.orders.borrow_and_update().clone();
            self.device.go_to(order.nodes[self.number % order.nodes.len()]);
            match order.task {
                Task::Write if order.bursts > bursts => {
                    bursts = order.bursts;
                    self.write(&mut waiting).await;
                }
                Task::Write if Instant::now() >= next_edit => {
                    next_edit = Instant::now() + self.pace;
                    self.write(&mut waiting).await;
                }
                Task::Write => {}
                Task::Drain => {
                    if waiting.is_empty() && !self.diary.borrow().devices[self.number].drained {
                        self.note(|seen| seen.drained = true);
                    }
                }
                Task::CatchUp(head) => {
                    if self.device.is_settled(head) {
                        return self.device;
                    }
                }
            }
            self.device.step(ATTENTION).await;
            self.device.overheard.clear();
            self.look_for_answers(&mut waiting);
        }
    }

    fn has_the_shared_clients(&self) -> bool {
        let store = self.device.core.store();
        self.clients
            .iter()
            .all(|client| store.has_document((*client).into()).expect("the store is sound"))
    }

    /// Every other edit is of a client that all share, the rest are new clients.
    async fn write(&mut self, waiting: &mut Vec<Waiting>) {
        let made = Instant::now();
        let turn = self.diary.borrow().devices[self.number].written + self.number;
        let (client, command): (ClientId, Command) = if turn.is_multiple_of(2) {
            let client = self.clients[turn % self.clients.len()];
            let edit = EditClient {
                address: Some(moment()),
                ..EditClient::of(client)
            };
            (client, edit.into())
        } else {
            let client = ClientId(self.device.fresh_id());
            (client, register(client, &moment()).into())
        };
        self.device.must(command).await;
        let document = DocumentId::from(client);
        let outbox = self.device.core.store().outbox_of(document);
        for entry in outbox.expect("the store is sound") {
            let hash: [u8; 32] = entry.hash.try_into().expect("a hash");
            let change = (document, ChangeHash(hash));
            if waiting.iter().all(|waiting| waiting.change != change) {
                waiting.push(Waiting { made, change });
            }
        }
        self.note(|seen| seen.written += 1);
    }

    /// What is no longer in the outbox was acknowledged; it is sent in order.
    fn look_for_answers(&self, waiting: &mut Vec<Waiting>) {
        let left = usize::try_from(self.device.standing().1).unwrap_or(usize::MAX);
        if waiting.len() <= left {
            return;
        }
        let now = Instant::now();
        let answered: Vec<Waiting> = waiting.drain(..waiting.len() - left).collect();
        self.diary.send_modify(|diary| {
            let seen = &mut diary.devices[self.number];
            seen.acknowledged += answered.len();
            seen.answers
                .extend(answered.iter().map(|waiting| (waiting.made, now)));
            diary
                .acknowledged
                .extend(answered.iter().map(|waiting| waiting.change));
        });
    }

    fn note(&self, write: impl FnOnce(&mut Seen)) {
        self.diary
            .send_modify(|diary| write(&mut diary.devices[self.number]));
    }
}
