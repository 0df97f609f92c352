//! A device: the core, a store, and a host for it that speaks HTTP and WebSockets.

use crate::clinic::now;
use futures_util::{SinkExt, StreamExt};
use local_core::query::{Connection, StatusView};
use local_core::{
    Core, Credentials, Effect, Event, Failure, HandInAnswer, HasLeft, KeySeed, Query, Store, View,
};
use shared_model::accounts::{self, codes};
use shared_model::commands::Command;
use shared_model::ids::DeviceId;
use shared_model::late_work::Kept;
use shared_model::permissions::Feed;
use shared_model::time::Timestamp;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn credentials(signed_in: accounts::SignedIn) -> Credentials {
    Credentials {
        principal: signed_in.principal,
        access_token: signed_in.access_token,
        access_expires: signed_in.expires_at,
        refresh_token: signed_in.refresh_token,
    }
}

pub struct Device {
    pub core: Core,
    server: SocketAddr,
    folder: TempDir,
    device: DeviceId,
    socket: Option<Socket>,
    online: bool,
    wake: Option<Timestamp>,
    tickets: u64,
    /// Views of running watches, newest last.
    views: VecDeque<(u64, View)>,
    /// Frames and bytes that came in.
    pub received: (u64, u64),
    /// Frames and bytes that went out.
    pub sent: (u64, u64),
    /// When the last frame came, before the core looked at it.
    pub arrived: Option<Instant>,
    /// Everything that came in, for stories about what may not come in.
    pub overheard: Vec<Vec<u8>>,
    /// Of whom the host was told that they have left.
    pub left: Vec<HasLeft>,
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("this machine has a random source");
    bytes
}

fn open(folder: &Path) -> Core {
    let sql = rusqlite::Connection::open(folder.join("clinic.db")).expect("a file can be opened");
    Core::new(Store::new(sql).expect("the store is sound")).expect("the core starts")
}

/// What signing in gave.
pub struct SignedIn {
    pub credentials: Credentials,
    pub device: DeviceId,
}

/// Signs in from a device that is only a number.
pub async fn sign_in(server: SocketAddr, email: &str, password: &str) -> SignedIn {
    sign_in_from(
        server,
        DeviceId(uuid::Builder::from_random_bytes(random()).into_uuid()),
        email,
        password,
    )
    .await
}

async fn sign_in_from(server: SocketAddr, device: DeviceId, email: &str, password: &str) -> SignedIn {
    let body = serde_json::json!({
        "email": email, "password": password, "device": device, "device_name": "a story's device",
    });
    let (status, body) = post(server, "/api/v1/sign-in", body)
        .await
        .expect("the server answers");
    assert_eq!(status, 200, "{body}");
    let signed_in = serde_json::from_str(&body).expect("the answer of a sign-in");
    SignedIn {
        credentials: credentials(signed_in),
        device,
    }
}

async fn post(server: SocketAddr, path: &str, body: serde_json::Value) -> Option<(u16, String)> {
    post_with(server, None, path, body).await
}

/// What the clinic says to work that was handed in.
fn handed_in(answer: Option<(u16, String)>) -> Event {
    let answer = match answer {
        Some((200, body)) => {
            let kept: Kept = serde_json::from_str(&body).expect("what was kept");
            HandInAnswer::Kept(kept)
        }
        Some((_, body)) if body.contains(codes::DEVICE_LOST) => return Event::DeviceLost,
        Some((_, body)) if body.contains(codes::STILL_MEMBER) => HandInAnswer::StillMember,
        Some((_, body)) if body.contains(codes::NOT_SIGNED_IN) => HandInAnswer::TooLate,
        _ => HandInAnswer::Unreachable,
    };
    Event::HandedIn {
        answer,
        dice: u32::from_le_bytes(random()),
    }
}

async fn post_with(
    server: SocketAddr,
    token: Option<String>,
    path: &str,
    body: serde_json::Value,
) -> Option<(u16, String)> {
    let address = format!("http://{server}{path}");
    let answer = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut request = agent.post(&address).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut answer = request.send(body.to_string()).ok()?;
        Some((answer.status().as_u16(), answer.body_mut().read_to_string().ok()?))
    });
    answer.await.expect("the request ran")
}

impl Device {
    /// A device that nobody has signed in on.
    pub fn fresh(server: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self {
            core: open(folder.path()),
            server,
            folder,
            device: DeviceId(uuid::Builder::from_random_bytes(random()).into_uuid()),
            socket: None,
            online: true,
            wake: None,
            tickets: 0,
            views: VecDeque::new(),
            left: Vec::new(),
            received: (0, 0),
            sent: (0, 0),
            arrived: None,
            overheard: Vec::new(),
        }
    }

    fn post(
        &self,
        path: &str,
        body: serde_json::Value,
    ) -> impl Future<Output = Option<(u16, String)>> + use<> {
        self.post_with(None, path, body)
    }

    /// Borrows nothing while it waits, so that a device can work on any thread.
    fn post_with(
        &self,
        token: Option<String>,
        path: &str,
        body: serde_json::Value,
    ) -> impl Future<Output = Option<(u16, String)>> + use<> {
        let (online, server, path) = (self.online, self.server, path.to_owned());
        async move {
            if online {
                post_with(server, token, &path, body).await
            } else {
                None
            }
        }
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) {
        let signed_in = sign_in_from(self.server, self.device, email, password).await;
        self.sign_in_with(&signed_in).await;
    }

    /// With tokens that were given to somebody already, as the device that they were given to.
    pub async fn sign_in_with(&mut self, signed_in: &SignedIn) {
        self.device = signed_in.device;
        let event = Event::SignedIn {
            credentials: signed_in.credentials.clone(),
            device: self.device,
            fresh_actor: random(),
            fresh_key: KeySeed(random()),
        };
        self.handle(event).await;
    }

    /// The core handles an event, and the host does what it asks for.
    pub async fn handle(&mut self, event: Event) -> Vec<Effect> {
        let mut told = Vec::new();
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in self.core.handle(now(), event) {
                match &effect {
                    Effect::OpenSocket => {
                        self.socket = None;
                        if self.online
                            && let Ok((socket, _)) =
                                tokio_tungstenite::connect_async(format!("ws://{}/api/v1/sync", self.server))
                                    .await
                        {
                            self.socket = Some(socket);
                            events.push_back(Event::SocketOpened);
                        } else {
                            events.push_back(self.closed());
                        }
                    }
                    Effect::CloseSocket => {
                        if self.socket.take().is_some() {
                            events.push_back(self.closed());
                        }
                    }
                    Effect::Send(frame) => {
                        self.sent.0 += 1;
                        self.sent.1 += frame.len() as u64;
                        if let Some(socket) = &mut self.socket
                            && socket.send(Message::Binary(frame.clone().into())).await.is_err()
                        {
                            self.socket = None;
                            events.push_back(self.closed());
                        }
                    }
                    Effect::RenewSession {
                        refresh_token,
                        device,
                    } => {
                        let body = serde_json::json!({ "refresh_token": refresh_token, "device": device });
                        events.push_back(match self.post("/api/v1/refresh", body).await {
                            Some((200, body)) => {
                                let renewed = serde_json::from_str(&body).expect("fresh tokens");
                                Event::SessionRenewed(Some(credentials(renewed)))
                            }
                            Some((403, body)) if body.contains(codes::DEVICE_LOST) => Event::DeviceLost,
                            Some((401 | 403, _)) => Event::SessionRefused,
                            _ => Event::SessionRenewed(None),
                        });
                    }
                    Effect::Purged {
                        refresh_token,
                        device,
                    } => {
                        let body = serde_json::json!({ "refresh_token": refresh_token, "device": device });
                        self.post("/api/v1/devices/purged", body).await;
                    }
                    Effect::HandIn { access_token, work } => {
                        let body = serde_json::json!(work);
                        let answer = self.post_with(Some(access_token.clone()), "/api/v1/late-work", body);
                        events.push_back(handed_in(answer.await));
                    }
                    Effect::FreshActor => events.push_back(Event::FreshActor(random())),
                    Effect::WakeAt(at) => self.wake = Some(*at),
                    Effect::View { watch, view } => self.views.push_back((*watch, view.clone())),
                    Effect::HasLeft(left) => self.left.push(left.clone()),
                    Effect::Answer { .. }
                    | Effect::SignedIn(_)
                    | Effect::SignInRefused { .. }
                    | Effect::SignInFailed(_) => {}
                }
                told.push(effect);
            }
        }
        told
    }

    fn closed(&self) -> Event {
        Event::SocketClosed {
            dice: u32::from_le_bytes(random()),
        }
    }

    /// Takes one frame or one tick if there is one within `patience`; whether there was.
    pub async fn step(&mut self, patience: Duration) -> bool {
        if let Some(socket) = &mut self.socket {
            match tokio::time::timeout(patience, socket.next()).await {
                Ok(Some(Ok(Message::Binary(frame)))) => {
                    self.arrived = Some(Instant::now());
                    self.received.0 += 1;
                    self.received.1 += frame.len() as u64;
                    self.overheard.push(frame.to_vec());
                    self.handle(Event::Frame(frame.to_vec())).await;
                    return true;
                }
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => {
                    self.socket = None;
                    let closed = self.closed();
                    self.handle(closed).await;
                    return true;
                }
                Ok(Some(Ok(_))) => return true,
                Err(_) => {}
            }
        } else if self.online {
            tokio::time::sleep(patience).await;
        }
        if self.wake.is_some_and(|at| at <= now()) {
            self.wake = None;
            self.handle(Event::Tick).await;
        }
        false
    }

    /// From the next connection on it goes to this server, as a balancer before two nodes would send it.
    pub(crate) fn go_to(&mut self, server: SocketAddr) {
        self.server = server;
    }

    /// The network is gone: the socket breaks, and new ones do not open.
    pub async fn offline(&mut self) {
        self.online = false;
        if self.socket.take().is_some() {
            let closed = self.closed();
            self.handle(closed).await;
        }
    }

    pub async fn online(&mut self) {
        self.online = true;
        self.handle(Event::NetworkHint).await;
    }

    /// Another device on a copy of this one's files, as a restored backup or a cloned disk makes it; offline.
    pub async fn copy(&self) -> Self {
        let mut copy = Self::fresh(self.server);
        copy.online = false;
        copy.core =
            Core::new(Store::new(rusqlite::Connection::open_in_memory().expect("memory")).expect("a store"))
                .expect("a core");
        for name in ["clinic.db", "clinic.db-wal"] {
            let from = self.folder.path().join(name);
            if from.exists() {
                std::fs::copy(from, copy.folder.path().join(name)).expect("a file can be copied");
            }
        }
        copy.core = open(copy.folder.path());
        copy.device = copy
            .core
            .device()
            .expect("a copy can be read")
            .unwrap_or(copy.device);
        copy.handle(Event::Started).await;
        copy
    }

    /// The program dies and starts again on the same files.
    pub async fn restart(&mut self) {
        self.socket = None;
        self.core =
            Core::new(Store::new(rusqlite::Connection::open_in_memory().expect("memory")).expect("a store"))
                .expect("a core");
        self.core = open(self.folder.path());
        self.handle(Event::Started).await;
    }

    /// The program ends, and its store goes into a file: as builds kept it that did not encrypt.
    pub fn leave_store(mut self, file: &Path) {
        self.socket = None;
        self.core =
            Core::new(Store::new(rusqlite::Connection::open_in_memory().expect("memory")).expect("a store"))
                .expect("a core");
        std::fs::copy(self.folder.path().join("clinic.db"), file).expect("a file can be copied");
    }

    pub async fn run(&mut self, command: impl Into<Command>) -> Result<Timestamp, Failure> {
        self.tickets += 1;
        let ticket = self.tickets;
        let effects = self
            .handle(Event::Command {
                ticket,
                command: command.into(),
            })
            .await;
        effects
            .into_iter()
            .find_map(|effect| match effect {
                Effect::Answer {
                    ticket: answered,
                    outcome,
                } if answered == ticket => Some(outcome),
                _ => None,
            })
            .expect("every command is answered")
    }

    pub async fn must(&mut self, command: impl Into<Command>) {
        self.run(command).await.expect("the command is carried out");
    }

    /// What a screen would show now.
    pub async fn look(&mut self, query: Query) -> View {
        const LOOK: u64 = u64::MAX;
        let effects = self.handle(Event::Watch { watch: LOOK, query }).await;
        self.handle(Event::Unwatch { watch: LOOK }).await;
        self.views.retain(|(watch, _)| *watch != LOOK);
        effects
            .into_iter()
            .find_map(|effect| match effect {
                Effect::View { watch: LOOK, view } => Some(view),
                _ => None,
            })
            .expect("a watched query has a view")
    }

    pub async fn status(&mut self) -> StatusView {
        match self.look(Query::Status).await {
            View::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// The newest view of a running watch; older ones are forgotten.
    pub fn shown(&mut self, watch: u64) -> Option<View> {
        let newest = self.views.iter().rposition(|(shown, _)| *shown == watch)?;
        let view = self.views[newest].1.clone();
        self.views.clear();
        Some(view)
    }

    pub fn fresh_id(&self) -> Uuid {
        let millis = u64::try_from(now().0).expect("after 1970");
        uuid::Builder::from_unix_timestamp_millis(millis, &random()).into_uuid()
    }

    pub fn now(&self) -> Timestamp {
        now()
    }

    /// Connected, nothing waits, and every feed is at the clinic's head or has no more to give.
    pub(crate) fn is_settled(&self, head: u64) -> bool {
        let (connection, waiting, feeds) = self.standing();
        connection == Connection::Online
            && waiting == 0
            && !feeds.is_empty()
            && feeds
                .iter()
                .all(|(feed, number)| *number > 0 && (*feed != Feed::Staff || *number >= head))
    }

    pub(crate) fn standing(&self) -> (Connection, u64, Vec<(Feed, u64)>) {
        self.core.standing()
    }
}
