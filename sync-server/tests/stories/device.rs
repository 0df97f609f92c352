//! A device as the server sees one: documents, an outbox, cursors, and a socket that comes and goes.

use automerge::{ActorId, Change};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use shared_model::SCHEMA_VERSION;
use shared_model::authorship::SigningKey;
use shared_model::commands::Command;
use shared_model::documents::{Document, Kind, Stamp};
use shared_model::ids::{DeviceId, DocumentId};
use shared_model::permissions::{Feed, Principal};
use shared_model::protocol::{
    self, Accepted, ClientMessage, Content, Cursor, Entry, Goodbye, Hello, PROTOCOL_VERSION, Page, Push,
    PushItem, Refusal, ServerMessage, Welcome,
};
use shared_model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;
use sync_server::identity::random;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A story that waits for longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Device {
    pub server: SocketAddr,
    pub device: DeviceId,
    pub actor: ActorId,
    pub token: String,
    pub refresh_token: String,
    pub principal: Principal,
    pub documents: BTreeMap<DocumentId, Document>,
    pub cursors: Vec<Cursor>,
    /// Changes that the server has not answered.
    pub outbox: Vec<(Kind, DocumentId, Change)>,
    pub refused: Vec<Refusal>,
    pub revoked: BTreeSet<DocumentId>,
    pub pages: Vec<Page>,
    /// The order in which documents arrived in whole.
    pub arrivals: Vec<DocumentId>,
    pub acknowledges: bool,
    now: i64,
    pushes: u64,
    in_flight: Vec<(u64, usize)>,
    socket: Option<Socket>,
}

/// Anything a server says, or its leaving.
#[derive(Debug)]
pub enum Heard {
    Welcome(Welcome),
    Page,
    Accepted,
    Pong,
    Snapshot,
    Goodbye(Goodbye),
    Gone,
}

impl Device {
    pub fn new(server: SocketAddr, device: DeviceId, signed_in: &Value) -> Self {
        let text = |name: &str| signed_in[name].as_str().expect("a text").to_owned();
        Self {
            server,
            device,
            actor: ActorId::from(random::<16>()),
            token: text("access_token"),
            refresh_token: text("refresh_token"),
            principal: serde_json::from_value(signed_in["principal"].clone()).expect("a principal"),
            documents: BTreeMap::new(),
            cursors: Vec::new(),
            outbox: Vec::new(),
            refused: Vec::new(),
            revoked: BTreeSet::new(),
            pages: Vec::new(),
            arrivals: Vec::new(),
            acknowledges: true,
            now: 1_700_000_000_000,
            pushes: 0,
            in_flight: Vec::new(),
            socket: None,
        }
    }

    pub fn hello(&self) -> Hello {
        Hello {
            protocol: PROTOCOL_VERSION,
            schema_version: SCHEMA_VERSION,
            token: self.token.clone(),
            device: self.device,
            actor: self.actor.to_bytes().to_vec().into(),
            cursors: self.cursors.clone(),
            signing_key: self.key().public().into(),
        }
    }

    /// This person's signing key on this device.
    pub fn key(&self) -> SigningKey {
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(&self.device.bytes()[..]);
        seed[16..].copy_from_slice(&self.principal.account.bytes()[..]);
        SigningKey::from_seed(&seed)
    }

    /// The items with each of their changes signed.
    pub fn signed(&self, mut items: Vec<PushItem>) -> Vec<PushItem> {
        for item in &mut items {
            let all = 0..item.changes.len();
            self.key().sign_in_item(self.principal.clinic, item, all);
        }
        items
    }

    /// Opens the socket and says nothing.
    pub async fn dial(&mut self) {
        assert!(self.try_dial().await, "the server can be reached");
    }

    async fn try_dial(&mut self) -> bool {
        let url = format!("ws://{}/api/v1/sync", self.server);
        let Ok((socket, _)) = tokio_tungstenite::connect_async(url).await else {
            return false;
        };
        self.socket = Some(socket);
        self.pushes = 0;
        self.in_flight.clear();
        true
    }

    /// Connects up to the Welcome, if there is a server that takes the device now.
    pub async fn try_connect(&mut self) -> bool {
        if !self.try_dial().await {
            return false;
        }
        self.send(&ClientMessage::Hello(self.hello())).await;
        let welcome = matches!(self.hear().await, Heard::Welcome(_));
        if !welcome {
            self.offline();
        }
        welcome
    }

    pub fn is_online(&self) -> bool {
        self.socket.is_some()
    }

    /// Connects and waits until everything that the server has is here.
    pub async fn connect(&mut self) {
        let welcome = self.greet().await;
        let heads = welcome.heads;
        self.until("the feeds are here", |device| {
            heads.iter().all(|(feed, head)| device.number(*feed) >= *head)
        })
        .await;
    }

    /// Connects up to the Welcome.
    pub async fn greet(&mut self) -> Welcome {
        self.dial().await;
        self.send(&ClientMessage::Hello(self.hello())).await;
        match self.hear().await {
            Heard::Welcome(welcome) => welcome,
            other => panic!("no welcome but {other:?}"),
        }
    }

    pub fn offline(&mut self) {
        self.socket = None;
    }

    pub fn number(&self, feed: Feed) -> u64 {
        let cursor = self.cursors.iter().find(|cursor| cursor.feed == feed);
        cursor.map_or(0, |cursor| cursor.number)
    }

    /// Carries out a command here; its changes wait in the outbox.
    pub fn run(&mut self, command: impl Into<Command>) {
        let command = command.into();
        self.now += 1_000;
        let stamp = Stamp {
            now: Timestamp(self.now),
            actor: self.actor.clone(),
            account: self.principal.account,
        };
        for (kind, id) in command.touches(self.principal.clinic) {
            let document = self.open(kind, id);
            let change = command.write(document, &stamp).expect("a valid command");
            self.outbox.extend(change.map(|change| (kind, id, change)));
        }
    }

    /// Writes one field without a command, as a hostile device might.
    pub fn write(&mut self, kind: Kind, id: DocumentId, field: &str, value: &str) -> Change {
        self.write_as("test", kind, id, field, value)
    }

    /// The same, as what the change calls itself.
    pub fn write_as(&mut self, verb: &str, kind: Kind, id: DocumentId, field: &str, value: &str) -> Change {
        self.now += 1_000;
        let stamp = Stamp {
            now: Timestamp(self.now),
            actor: self.actor.clone(),
            account: self.principal.account,
        };
        let change = self.open(kind, id).change(&stamp, verb, |w| {
            w.put(field, value);
            Ok::<_, ()>(())
        });
        change.expect("written").expect("a change")
    }

    /// Writes one moment, as commands that do not exist yet will.
    pub fn write_time(&mut self, kind: Kind, id: DocumentId, field: &str) {
        self.now += 1_000;
        let now = Timestamp(self.now);
        let stamp = Stamp {
            now,
            actor: self.actor.clone(),
            account: self.principal.account,
        };
        let change = self.open(kind, id).change(&stamp, "test", |w| {
            w.put_time(field, now);
            Ok::<_, ()>(())
        });
        let change = change.expect("written").expect("a change");
        self.outbox.push((kind, id, change));
    }

    fn open(&mut self, kind: Kind, id: DocumentId) -> &mut Document {
        let clinic = self.principal.clinic;
        self.documents
            .entry(id)
            .or_insert_with(|| Document::genesis(kind, clinic, id))
    }

    pub fn document(&self, id: impl Into<DocumentId>) -> &Document {
        self.documents.get(&id.into()).expect("the document is here")
    }

    /// Sends the outbox without waiting for the answer.
    pub async fn push(&mut self) {
        let items = self
            .outbox
            .iter()
            .map(|(kind, document, change)| item(*kind, *document, [change.raw_bytes().to_vec()]))
            .collect();
        self.push_items(items).await;
        let count = self.outbox.len();
        self.in_flight.push((self.pushes, count));
    }

    /// Signs items as this person and pushes them.
    pub async fn push_items(&mut self, items: Vec<PushItem>) {
        let items = self.signed(items);
        self.push_as_it_is(items).await;
    }

    pub async fn push_as_it_is(&mut self, items: Vec<PushItem>) {
        self.pushes += 1;
        let push = Push {
            number: self.pushes,
            items,
        };
        self.send(&ClientMessage::Push(push)).await;
    }

    /// Sends the outbox and waits until everything was answered and nothing refused.
    pub async fn settled(&mut self) {
        self.push().await;
        self.until("the outbox is empty", |device| device.outbox.is_empty())
            .await;
        assert!(self.refused.is_empty(), "{:?}", self.refused);
    }

    /// Pushes items and gives back what was refused of them.
    pub async fn refusals(&mut self, items: Vec<PushItem>) -> Vec<Refusal> {
        let items = self.signed(items);
        self.refusals_as_it_is(items).await
    }

    /// The same with the signatures that the items have.
    pub async fn refusals_as_it_is(&mut self, items: Vec<PushItem>) -> Vec<Refusal> {
        self.push_as_it_is(items).await;
        self.in_flight.push((self.pushes, 0));
        self.until("the push is answered", |device| device.in_flight.is_empty())
            .await;
        std::mem::take(&mut self.refused)
    }

    /// A push was sent by hand, and its answer is to come.
    pub fn expect_answer(&mut self) {
        if self.in_flight.is_empty() {
            self.in_flight.push((1, 0));
        }
    }

    pub async fn send(&mut self, message: &ClientMessage) {
        self.send_raw(Message::binary(protocol::encode(message))).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        let socket = self.socket.as_mut().expect("online");
        // A server that has left is noticed when it is listened to.
        let _ = socket.send(message).await;
    }

    pub async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let wait = async {
            while !done(self) {
                match self.hear().await {
                    Heard::Goodbye(goodbye) => panic!("waiting until {what}, the server said: {goodbye}"),
                    Heard::Gone => panic!("waiting until {what}, the server left"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("waited too long until {what}"));
    }

    /// Listens until the server ends the session.
    pub async fn goodbye(&mut self) -> Goodbye {
        let wait = async {
            loop {
                match self.hear().await {
                    Heard::Goodbye(goodbye) => return goodbye,
                    Heard::Gone => panic!("the server left without a word"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("a goodbye in time")
    }

    /// Takes in the next message.
    pub async fn hear(&mut self) -> Heard {
        let socket = self.socket.as_mut().expect("online");
        let frame = loop {
            match tokio::time::timeout(PATIENCE, socket.next())
                .await
                .expect("a word in time")
            {
                Some(Ok(Message::Binary(frame))) => break frame,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Heard::Gone,
                Some(Ok(_)) => {}
            }
        };
        match protocol::decode(&frame).expect("a message of the protocol") {
            ServerMessage::Welcome(welcome) => Heard::Welcome(welcome),
            ServerMessage::Goodbye(goodbye) => Heard::Goodbye(goodbye),
            ServerMessage::Pong(_) => Heard::Pong,
            ServerMessage::Snapshot(entry) => {
                self.take(entry);
                Heard::Snapshot
            }
            ServerMessage::Accepted(accepted) => {
                self.answered(accepted);
                Heard::Accepted
            }
            ServerMessage::Page(page) => {
                self.page(page).await;
                Heard::Page
            }
        }
    }

    fn answered(&mut self, accepted: Accepted) {
        let (push, count) = self.in_flight.remove(0);
        assert_eq!(push, accepted.push, "answers come in order");
        self.outbox.drain(..count);
        self.refused.extend(accepted.refused);
    }

    async fn page(&mut self, page: Page) {
        for entry in protocol::unpack(&page.body).expect("a page that unpacks") {
            self.take(entry);
        }
        let before = self.number(page.cursor.feed);
        assert!(page.cursor.number >= before, "cursors never go back");
        self.cursors.retain(|cursor| cursor.feed != page.cursor.feed);
        self.cursors.push(page.cursor.clone());
        if page.number > 0 && self.acknowledges {
            self.send(&ClientMessage::PageStored(page.number)).await;
        }
        self.pages.push(page);
    }

    fn take(&mut self, entry: Entry) {
        let id = entry.document;
        match entry.content {
            Content::Changes(chunks) => {
                let changes: Vec<Change> = chunks
                    .iter()
                    .map(|chunk| Change::try_from(chunk.as_slice()).expect("a change"))
                    .collect();
                let document = self.open(entry.kind, id);
                document.apply(&changes).expect("pages have no gaps");
            }
            Content::Snapshot { bytes, .. } => {
                let clinic = self.principal.clinic;
                let loaded = Document::load(entry.kind, clinic, id, &bytes).expect("a document");
                assert!(loaded.has_own_genesis());
                self.arrivals.push(id);
                match self.documents.get_mut(&id) {
                    Some(here) => {
                        let mut news = loaded.changes_since(&[]);
                        news.retain(|change| !here.has(&change.hash()));
                        here.apply(&news).expect("a snapshot has no gaps");
                    }
                    None => {
                        self.documents.insert(id, loaded);
                    }
                }
            }
            Content::Revoked => {
                self.documents.remove(&id);
                self.revoked.insert(id);
            }
        }
    }
}

pub fn item(kind: Kind, document: DocumentId, changes: impl IntoIterator<Item = Vec<u8>>) -> PushItem {
    PushItem {
        kind,
        document,
        schema_version: SCHEMA_VERSION,
        changes: changes.into_iter().map(Into::into).collect(),
        signatures: Vec::new(),
    }
}

pub fn raw(change: &Change) -> Vec<u8> {
    change.raw_bytes().to_vec()
}
