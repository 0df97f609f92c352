//! A device that is only a socket: for measuring the server without a device's work beside it.

use futures_util::{SinkExt, StreamExt};
use minicbor::bytes::ByteVec;
use shared_model::authorship::SigningKey;
use shared_model::documents::Document;
use shared_model::ids::{ClinicId, DeviceId};
use shared_model::protocol::{
    self, ClientMessage, Cursor, Hello, PROTOCOL_VERSION, PUSH_WINDOW, Push, PushItem, ServerMessage,
};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use stories::{Clinic, SignedIn};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub(crate) struct Line {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// The signing key of whoever works on a device of the bench.
pub(crate) fn key_of(device: DeviceId) -> SigningKey {
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(&device.bytes()[..]);
    SigningKey::from_seed(&seed)
}

/// Signs each item's last change, which speaks for those before it: as a device does.
pub(crate) fn sign(device: DeviceId, clinic: ClinicId, items: &mut [PushItem]) {
    let key = key_of(device);
    for item in items {
        let last = item.changes.len().checked_sub(1);
        key.sign_in_item(clinic, item, last);
    }
}

impl Line {
    /// Connected and welcomed.
    pub(crate) async fn open(
        server: SocketAddr,
        token: &str,
        device: DeviceId,
        actor: &[u8],
        cursors: Vec<Cursor>,
    ) -> Self {
        let (socket, _) = tokio_tungstenite::connect_async(format!("ws://{server}/api/v1/sync"))
            .await
            .expect("connects");
        let mut line = Self { socket };
        line.say(&ClientMessage::Hello(Hello {
            protocol: PROTOCOL_VERSION,
            schema_version: shared_model::SCHEMA_VERSION,
            token: token.to_owned(),
            device,
            actor: ByteVec::from(actor.to_vec()),
            cursors,
            signing_key: key_of(device).public().into(),
        }))
        .await;
        match line.hear().await {
            ServerMessage::Welcome(_) => line,
            other => panic!("no welcome: {other:?}"),
        }
    }

    pub(crate) async fn say(&mut self, message: &ClientMessage) {
        self.socket
            .send(Message::Binary(protocol::encode(message).into()))
            .await
            .expect("the session goes on");
    }

    pub(crate) async fn hear(&mut self) -> ServerMessage {
        loop {
            let frame = self.socket.next().await;
            if let Message::Binary(frame) = frame.expect("the session goes on").expect("a frame") {
                return protocol::decode(&frame).expect("a message");
            }
        }
    }

    /// Takes pages, storing nothing, until none has come for a while; gives the last cursor of each feed.
    pub(crate) async fn drain(&mut self) -> Vec<Cursor> {
        let mut cursors: Vec<Cursor> = Vec::new();
        while let Ok(message) = tokio::time::timeout(Duration::from_millis(500), self.hear()).await {
            if let ServerMessage::Page(page) = message {
                cursors.retain(|cursor| cursor.feed != page.cursor.feed);
                cursors.push(page.cursor);
                if page.number > 0 {
                    self.say(&ClientMessage::PageStored(page.number)).await;
                }
            }
        }
        cursors
    }
}

/// One writer's changes, as its device would push them; how long the server took until it had acknowledged all.
pub(crate) async fn push(clinic: &Clinic, email: &str, documents: &[Document]) -> Duration {
    let actor = documents[0].changes_since(&genesis(&documents[0]).heads())[0]
        .actor_id()
        .to_bytes()
        .to_vec();
    let SignedIn { credentials, device } =
        stories::sign_in(clinic.address, email, demonstration::DEMO_PASSWORD).await;
    let mut line = Line::open(
        clinic.address,
        &credentials.access_token,
        device,
        &actor,
        Vec::new(),
    )
    .await;
    let mut pushes = in_pushes(documents);
    pushes.iter_mut().for_each(|items| sign(device, clinic.id, items));
    let started = Instant::now();
    let (mut sent, mut answered) = (0, 0);
    let total = pushes.len();
    let mut pushes = pushes.into_iter().enumerate();
    while answered < total {
        while sent - answered < PUSH_WINDOW
            && let Some((number, items)) = pushes.next()
        {
            let number = number as u64;
            line.say(&ClientMessage::Push(Push { number, items })).await;
            sent += 1;
        }
        match line.hear().await {
            ServerMessage::Page(page) if page.number > 0 => {
                line.say(&ClientMessage::PageStored(page.number)).await;
            }
            ServerMessage::Accepted(accepted) => {
                assert!(accepted.refused.is_empty(), "{:?}", accepted.refused[0]);
                answered += 1;
            }
            ServerMessage::Goodbye(why) => panic!("{why}"),
            _ => {}
        }
    }
    started.elapsed()
}

fn genesis(document: &Document) -> Document {
    Document::genesis(document.kind, document.clinic, document.id)
}

/// The bytes of every change but the genesis.
pub(crate) fn changes_of(document: &Document) -> Vec<Vec<u8>> {
    document
        .changes_since(&genesis(document).heads())
        .iter()
        .map(|change| change.raw_bytes().to_vec())
        .collect()
}

/// Documents in as few pushes as the protocol allows.
fn in_pushes(documents: &[Document]) -> Vec<Vec<PushItem>> {
    let mut pushes: Vec<Vec<PushItem>> = vec![Vec::new()];
    let (mut count, mut bytes) = (0, 0);
    for document in documents {
        let changes: Vec<ByteVec> = changes_of(document).into_iter().map(ByteVec::from).collect();
        let size: usize = changes.iter().map(|change| change.len() + 8).sum();
        if count + changes.len() > protocol::MAX_PUSH_CHANGES || bytes + size > protocol::MAX_FRAME / 2 {
            pushes.push(Vec::new());
            (count, bytes) = (0, 0);
        }
        count += changes.len();
        bytes += size;
        let item = PushItem {
            kind: document.kind,
            document: document.id,
            schema_version: shared_model::SCHEMA_VERSION,
            changes,
            signatures: Vec::new(),
        };
        pushes.last_mut().expect("one at least").push(item);
    }
    pushes
}
