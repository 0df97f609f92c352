//! A connection between a device and a node: frames on their way in both directions, each in its order.
//!
//! Invariant: within a connection nothing is reordered or doubled; a direction that has gone silent stays silent.

use bytes::Bytes;
use shared_model::permissions::Feed;
use std::collections::VecDeque;
use sync_server::in_process::{Connection, FromServer};

/// Frames that a link holds towards the device before the server has to wait.
const ROOM: usize = 16;

pub(crate) struct Link {
    pub(crate) device: usize,
    /// Who works on the device.
    pub(crate) person: usize,
    pub(crate) node: usize,
    wire: Connection,
    pub(crate) up: VecDeque<Vec<u8>>,
    pub(crate) down: VecDeque<Bytes>,
    /// What the device sends is lost.
    pub(crate) up_silent: bool,
    /// What the server sends is lost.
    pub(crate) down_silent: bool,
    /// The device has left: nothing reaches it, and nobody has told the server yet.
    pub(crate) left: bool,
    /// The server's end has closed.
    pub(crate) server_closed: bool,
    /// The feeds that its session reads, as the welcome said.
    pub(crate) feeds: Vec<Feed>,
}

impl Link {
    pub(crate) fn new(device: usize, person: usize, node: usize, wire: Connection) -> Self {
        Self {
            device,
            person,
            node,
            wire,
            up: VecDeque::new(),
            down: VecDeque::new(),
            up_silent: false,
            down_silent: false,
            left: false,
            server_closed: false,
            feeds: Vec::new(),
        }
    }

    /// One frame of the device arrives at the server, or is lost.
    pub(crate) fn carry_up(&mut self) -> Option<Vec<u8>> {
        let frame = self.up.pop_front()?;
        if !self.up_silent {
            self.wire.send(frame.clone());
        }
        Some(frame)
    }

    /// One frame of the server arrives at the device; `None` if there is none, or it is lost.
    pub(crate) fn carry_down(&mut self) -> Option<Bytes> {
        let frame = self.down.pop_front()?;
        (!self.down_silent && !self.left).then_some(frame)
    }

    /// The server hears that the device has gone.
    pub(crate) fn tell_server(&mut self) {
        self.up.clear();
        self.wire.close();
    }

    /// What the server has sent since.
    pub(crate) fn collect(&mut self) -> Vec<Bytes> {
        let mut sent = Vec::new();
        while self.down.len() < ROOM && !self.server_closed {
            match self.wire.receive() {
                FromServer::Frame(frame) => {
                    sent.push(frame.clone());
                    self.down.push_back(frame);
                }
                FromServer::Nothing => break,
                FromServer::Closed => self.server_closed = true,
            }
        }
        if self.down_silent {
            self.down.clear();
        }
        sent
    }

    /// Nothing will happen on it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.server_closed && (self.left || self.down.is_empty())
    }
}
