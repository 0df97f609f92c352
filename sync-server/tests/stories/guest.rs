//! A client made with automerge-repo, as the server meets it: its messages, written by hand.

use crate::http;
use crate::practice::{PASSWORD, Practice, fresh_id};
use automerge::sync::{Message as SyncMessage, State, SyncDoc};
use automerge::transaction::Transactable;
use automerge::{Automerge, ObjType, ROOT, ReadDoc};
use axum::http::Method;
use futures_util::{SinkExt, StreamExt};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use shared_model::ids::{DeviceId, DocumentId};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
pub type Written = Result<(), minicbor::encode::Error<Infallible>>;

const PATIENCE: Duration = Duration::from_secs(30);

pub struct Guest {
    pub path: String,
    server: SocketAddr,
    socket: Socket,
    server_peer: Option<Peer>,
    pub documents: BTreeMap<DocumentId, Copy>,
    pub unavailable: Vec<String>,
    pub notices: Vec<Notice>,
    /// What other clients told it: who, about which document, what.
    pub told: Vec<(String, String, Vec<u8>)>,
}

/// A document as the client has it.
pub struct Copy {
    pub document: Automerge,
    sync: State,
}

/// How a server introduces itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub version: String,
    pub sender: String,
    pub storage: String,
}

/// Something a server said.
#[derive(Debug)]
pub enum Said {
    Peer(Peer),
    Sync,
    Unavailable,
    Notice,
    Told,
    Error(String),
    Closed,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Notice {
    pub document: String,
    pub session: String,
    pub count: u64,
    /// Code and reason of each refused change.
    pub refused: Vec<(String, String)>,
}

pub fn name(id: impl Into<DocumentId>) -> String {
    bs58::encode(id.into().bytes()).with_check().into_string()
}

pub fn cbor(write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder).expect("written");
    encoder.into_writer()
}

/// Asks for a ticket with an access token.
pub async fn ticket(server: SocketAddr, token: &str) -> http::Response {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    http::request(
        server,
        Method::POST,
        "/api/v1/automerge-repo/ticket",
        &headers,
        String::new(),
    )
    .await
}

/// Opens the socket and says nothing.
pub async fn dial(server: SocketAddr, path: &str) -> Socket {
    let (socket, _) = tokio_tungstenite::connect_async(format!("ws://{server}{path}"))
        .await
        .expect("connects");
    socket
}

impl Guest {
    /// Signs a person in on a device of its own and joins.
    pub async fn of(practice: &Practice, person: &str) -> Self {
        let signed_in = practice
            .sign_in(person, PASSWORD, fresh_id(DeviceId))
            .await
            .json();
        let token = signed_in["access_token"].as_str().expect("a token");
        let answer = ticket(practice.address, token).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let path = answer.json()["path"].as_str().expect("a path").to_owned();
        Self::at(practice.address, path).await
    }

    pub async fn at(server: SocketAddr, path: String) -> Self {
        let mut guest = Self::silent(server, path).await;
        guest.join(&["1"]).await;
        match guest.hear().await {
            Said::Peer(peer) => {
                assert_eq!(peer.version, "1");
                guest.server_peer = Some(peer);
            }
            other => panic!("not taken in but {other:?}"),
        }
        guest
    }

    /// Not joined.
    pub async fn silent(server: SocketAddr, path: String) -> Self {
        Self {
            socket: dial(server, &path).await,
            path,
            server,
            server_peer: None,
            documents: BTreeMap::new(),
            unavailable: Vec::new(),
            notices: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Comes back to the same address with what it has.
    pub async fn reconnect(&mut self) {
        self.socket = dial(self.server, &self.path).await;
        for copy in self.documents.values_mut() {
            copy.sync = State::decode(&copy.sync.encode()).expect("its own");
        }
        self.join(&["1"]).await;
        let Said::Peer(peer) = self.hear().await else {
            panic!("not taken in");
        };
        assert_eq!(Some(peer), self.server_peer, "it knows whom it came back to");
        for id in self.documents.keys().copied().collect::<Vec<_>>() {
            self.say(id).await;
        }
    }

    pub async fn join(&mut self, versions: &[&str]) {
        let join = cbor(|e| {
            e.map(4)?;
            e.str("type")?.str("join")?.str("senderId")?.str("guest")?;
            e.str("peerMetadata")?.map(1)?.str("isEphemeral")?.bool(true)?;
            e.str("supportedProtocolVersions")?.array(versions.len() as u64)?;
            versions.iter().try_for_each(|version| e.str(version)?.ok())
        });
        self.send(join).await;
    }

    pub async fn send(&mut self, frame: Vec<u8>) {
        self.send_raw(Message::binary(frame)).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        // A server that has left is noticed when it is listened to.
        let _ = self.socket.send(message).await;
    }

    pub async fn send_sync(&mut self, kind: &str, document: &str, data: &[u8]) {
        let message = cbor(|e| {
            e.map(5)?;
            e.str("type")?.str(kind)?;
            e.str("senderId")?.str("guest")?.str("targetId")?.str("server")?;
            e.str("documentId")?.str(document)?;
            e.str("data")?.bytes(data)?.ok()
        });
        self.send(message).await;
    }

    pub async fn tell(&mut self, document: &str, count: u64, data: &[u8]) {
        let message = cbor(|e| {
            e.map(7)?;
            e.str("type")?.str("ephemeral")?;
            e.str("senderId")?.str("guest")?.str("targetId")?.str("server")?;
            e.str("documentId")?.str(document)?;
            e.str("sessionId")?.str("s")?.str("count")?.u64(count)?;
            e.str("data")?.bytes(data)?.ok()
        });
        self.send(message).await;
    }

    /// Asks for a document that it has nothing of, as often as it likes.
    pub async fn request(&mut self, id: impl Into<DocumentId>) {
        let id = id.into();
        let mut copy = Copy {
            document: Automerge::new(),
            sync: State::new(),
        };
        let first = copy
            .document
            .generate_sync_message(&mut copy.sync)
            .expect("a request");
        self.documents.insert(id, copy);
        self.send_sync("request", &name(id), &first.encode()).await;
    }

    /// Asks for a document and waits for it.
    pub async fn open(&mut self, id: impl Into<DocumentId>) {
        let id = id.into();
        self.request(id).await;
        self.until("the document is here", |guest| guest.has(id)).await;
    }

    pub fn has(&self, id: impl Into<DocumentId>) -> bool {
        let copy = self.documents.get(&id.into());
        copy.is_some_and(|copy| !copy.document.get_heads().is_empty())
    }

    pub fn document(&self, id: impl Into<DocumentId>) -> &Automerge {
        &self.documents[&id.into()].document
    }

    pub fn text(&self, id: impl Into<DocumentId>, key: &str) -> String {
        let document = self.document(id);
        match document.get(ROOT, key) {
            Ok(Some((value, text))) if value.is_object() => document.text(&text).expect("a text"),
            _ => String::new(),
        }
    }

    pub fn field(&self, id: impl Into<DocumentId>, key: &str) -> Option<String> {
        let value = self.document(id).get(ROOT, key).expect("reads")?.0;
        value.as_str().map(str::to_owned)
    }

    /// Makes one change and, if it is connected, says so.
    pub fn change(
        &mut self,
        id: impl Into<DocumentId>,
        write: impl FnOnce(&mut automerge::transaction::Transaction<'_>),
    ) {
        let copy = self.documents.get_mut(&id.into()).expect("it has it");
        let mut tx = copy.document.transaction();
        write(&mut tx);
        tx.commit();
    }

    /// Writes at the end of a section.
    pub fn type_in(&mut self, id: impl Into<DocumentId>, section: &str, words: &str) {
        self.change(id, |tx| {
            let Ok(Some((_, text))) = tx.get(ROOT, section) else {
                panic!("no section {section}");
            };
            assert_eq!(tx.object_type(&text).expect("an object"), ObjType::Text);
            let end = tx.length(&text);
            tx.splice_text(&text, end, 0, words).expect("typed");
        });
    }

    /// Tells the server what is new about a document.
    pub async fn say(&mut self, id: impl Into<DocumentId>) {
        let id = id.into();
        let copy = self.documents.get_mut(&id).expect("it has it");
        if let Some(message) = copy.document.generate_sync_message(&mut copy.sync) {
            self.send_sync("sync", &name(id), &message.encode()).await;
        }
    }

    /// Says it and waits until the server has it.
    pub async fn settled(&mut self, id: impl Into<DocumentId>) {
        let id = id.into();
        self.say(id).await;
        self.until("the server has it", |guest| {
            let copy = &guest.documents[&id];
            copy.sync.their_heads == Some(copy.document.get_heads())
        })
        .await;
    }

    /// Says it and waits for what the server makes of it.
    pub async fn is_taken(&mut self, id: impl Into<DocumentId>) -> bool {
        let (id, refused) = (id.into(), self.notices.len());
        let has = |guest: &Self| {
            let copy = &guest.documents[&id];
            copy.sync.their_heads == Some(copy.document.get_heads())
        };
        self.say(id).await;
        self.until("the server has it or refuses it", |guest| {
            has(guest) || guest.notices.len() > refused
        })
        .await;
        has(self)
    }

    pub async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let wait = async {
            while !done(self) {
                match self.hear().await {
                    Said::Error(error) => panic!("waiting until {what}, the server said: {error}"),
                    Said::Closed => panic!("waiting until {what}, the server left"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("waited too long until {what}"));
    }

    /// Listens until the server ends the connection; gives its last words.
    pub async fn error(&mut self) -> String {
        let wait = async {
            let mut words = None;
            loop {
                match self.hear().await {
                    Said::Error(error) => words = Some(error),
                    Said::Closed => return words.expect("a word before it left"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("the end in time")
    }

    /// Takes in the next message, and answers as the library does.
    pub async fn hear(&mut self) -> Said {
        let wait = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Binary(frame))) => return Some(frame),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    // Pings come for as long as the server lives; they are no word.
                    Some(Ok(_)) => {}
                }
            }
        };
        let Some(frame) = tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("a word in time")
        else {
            return Said::Closed;
        };
        let fields = Fields::read(&frame);
        assert!(
            ["guest", ""].contains(&fields.text("targetId").as_str()),
            "it is for this client"
        );
        match fields.text("type").as_str() {
            "peer" => Said::Peer(Peer {
                version: fields.text("selectedProtocolVersion"),
                sender: fields.text("senderId"),
                storage: fields.text("storageId"),
            }),
            "error" => Said::Error(fields.text("message")),
            "doc-unavailable" => {
                self.unavailable.push(fields.text("documentId"));
                Said::Unavailable
            }
            "sync" => {
                let document = fields.text("documentId");
                self.take(&document, &fields.data).await;
                Said::Sync
            }
            "ephemeral"
                if Some(fields.text("senderId")) != self.server_peer.as_ref().map(|p| p.sender.clone()) =>
            {
                self.told
                    .push((fields.text("senderId"), fields.text("documentId"), fields.data));
                Said::Told
            }
            "ephemeral" => {
                self.notices.push(Notice {
                    document: fields.text("documentId"),
                    session: fields.text("sessionId"),
                    count: fields.count,
                    refused: refused(&fields.data),
                });
                Said::Notice
            }
            other => panic!("no message of this protocol: {other}"),
        }
    }

    async fn take(&mut self, document: &str, data: &[u8]) {
        let bytes = bs58::decode(document).with_check(None).into_vec().expect("an id");
        let id = DocumentId::from_slice(&bytes).expect("an id");
        let copy = self.documents.get_mut(&id).expect("it asked for it");
        let message = SyncMessage::decode(data).expect("a sync message");
        copy.document
            .receive_sync_message(&mut copy.sync, message)
            .expect("received");
        self.say(id).await;
    }
}

/// The fields of a message, those of maps in it included.
struct Fields {
    texts: BTreeMap<String, String>,
    count: u64,
    data: Vec<u8>,
}

impl Fields {
    fn read(frame: &[u8]) -> Self {
        let mut fields = Self {
            texts: BTreeMap::new(),
            count: 0,
            data: Vec::new(),
        };
        fields.map(&mut Decoder::new(frame));
        fields
    }

    fn map(&mut self, d: &mut Decoder<'_>) {
        for _ in 0..d.map().expect("a map").expect("of known length") {
            let key = d.str().expect("a word").to_owned();
            match d.datatype().expect("a value") {
                Type::String => {
                    let value = d.str().expect("a text").to_owned();
                    self.texts.insert(key, value);
                }
                Type::Bytes => self.data = d.bytes().expect("bytes").to_vec(),
                Type::Map => self.map(d),
                Type::Bool => drop(d.bool().expect("a flag")),
                _ => self.count = d.u64().expect("a number"),
            }
        }
    }

    fn text(&self, key: &str) -> String {
        self.texts.get(key).cloned().unwrap_or_default()
    }
}

fn refused(data: &[u8]) -> Vec<(String, String)> {
    let mut d = Decoder::new(data);
    assert_eq!(d.map().expect("a map"), Some(3));
    let mut key = |expected: &str| assert_eq!(d.str().expect("a key"), expected);
    key("type");
    key("refused");
    key("count");
    d.u64().expect("a number");
    assert_eq!(d.str().expect("a key"), "changes");
    let changes = d.array().expect("a list").expect("of known length");
    (0..changes)
        .map(|_| {
            let mut fields = Fields {
                texts: BTreeMap::new(),
                count: 0,
                data: Vec::new(),
            };
            fields.map(&mut d);
            assert_eq!(fields.text("hash").len(), 64);
            (fields.text("code"), fields.text("reason"))
        })
        .collect()
}
