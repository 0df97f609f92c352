//! A node of the server on a runtime of its own, whose clock stands still until the simulation lets it go on.
//!
//! Invariant: dropping the runtime ends everything that the node was doing wherever it was, as death does.

use crate::storage::{Disturbed, Shared, Switch};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use sync_server::identity::Passwords;
use sync_server::in_process::{Connection, Node};
use sync_server::server::Settings;
use sync_server::{Clock, HeavyWork};
use tokio::runtime::{Builder, Runtime};

/// The server's wall clock, in milliseconds since 1970.
pub(crate) type Wall = Arc<AtomicI64>;

pub(crate) struct Server {
    pub(crate) number: usize,
    pub(crate) switch: Arc<Switch>,
    shared: Arc<Shared>,
    wall: Wall,
    token_life: Duration,
    listens: bool,
    running: Option<(Node, Runtime)>,
}

/// A runtime on this thread whose time passes only when nothing is left to do.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without threads and sockets needs nothing of the system")
}

/// Nobody signs in with a password here; made once, as it takes a while.
fn passwords() -> Passwords {
    static PASSWORDS: OnceLock<Passwords> = OnceLock::new();
    let make = || runtime().block_on(Passwords::new());
    PASSWORDS.get_or_init(make).clone()
}

impl Server {
    pub(crate) fn new(
        number: usize,
        shared: Arc<Shared>,
        wall: Wall,
        token_life: i64,
        listens: bool,
    ) -> Self {
        Self {
            number,
            switch: Arc::default(),
            shared,
            wall,
            token_life: Duration::from_millis(token_life.unsigned_abs()),
            listens,
            running: None,
        }
    }

    /// Starts the node; whether it did, for it needs its database.
    pub(crate) fn start(&mut self) -> bool {
        let runtime = runtime();
        let away = self.switch.is_away();
        self.switch = Arc::default();
        self.switch.set_away(away);
        let wall = Arc::clone(&self.wall);
        let mut settings = Settings::new(PathBuf::new());
        settings.access_token_life = self.token_life;
        settings.heavy_work = HeavyWork::InPlace;
        settings.clock = Clock::of(move || shared_model::time::Timestamp(wall.load(Ordering::Relaxed)));
        let storage = Disturbed {
            shared: Arc::clone(&self.shared),
            switch: Arc::clone(&self.switch),
            node: self.number,
            listens: self.listens,
        };
        // Another node may hang with the database in its hands.
        let patience = Duration::from_millis(2);
        let opening = Node::open(Arc::new(storage), settings, passwords());
        match runtime.block_on(async { tokio::time::timeout(patience, opening).await }) {
            Ok(Ok(node)) => {
                self.running = Some((node, runtime));
                true
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// So much time passes, and whatever can be done in it is done.
    pub(crate) fn run(&self, millis: i64) {
        if let Some((_, runtime)) = &self.running {
            let span = Duration::from_millis(millis.unsigned_abs());
            runtime.block_on(async { tokio::time::sleep(span).await });
        }
    }

    /// Everything that waits gets so many turns, not more.
    pub(crate) fn run_turns(&self, turns: usize) {
        if let Some((_, runtime)) = &self.running {
            runtime.block_on(async {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
            });
        }
    }

    pub(crate) fn connect(&self) -> Option<Connection> {
        let (node, runtime) = self.running.as_ref()?;
        let _inside = runtime.enter();
        Some(node.connect())
    }

    /// A request to the API; `None` if nobody answers within some seconds.
    pub(crate) fn post(&self, path: &str, token: Option<&str>, body: String) -> Option<(u16, String)> {
        let (node, runtime) = self.running.as_ref()?;
        let patience = Duration::from_millis(2);
        runtime
            .block_on(async { tokio::time::timeout(patience, node.post(path, token, body)).await })
            .ok()
    }

    pub(crate) fn kill(&mut self) {
        if let Some((node, runtime)) = self.running.take() {
            drop(node);
            drop(runtime);
        }
    }

    pub(crate) fn drain(&self) {
        if let Some((node, _)) = &self.running {
            node.drain();
        }
    }

    pub(crate) fn sessions(&self) -> usize {
        self.running.as_ref().map_or(0, |(node, _)| node.sessions())
    }
}
