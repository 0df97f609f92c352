//! What a server says to a device, said by hand: frames go in, effects come out.

use crate::clinic::Device;
use local_core::{Effect, Event};
use shared_model::SCHEMA_VERSION;
use shared_model::documents::{Document, Kind, PROJECTION_VERSION, project};
use shared_model::ids::DocumentId;
use shared_model::permissions::Feed;
use shared_model::protocol::{
    self, ClientMessage, Content, Cursor, Entry, Hello, Page, Push, ServerMessage, Welcome,
};

/// What the device sends in these effects.
pub(crate) fn sent(effects: &[Effect]) -> Vec<ClientMessage> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(frame) => Some(protocol::decode(frame).unwrap()),
            _ => None,
        })
        .collect()
}

pub(crate) fn wants(effects: &[Effect]) -> Vec<DocumentId> {
    sent(effects)
        .into_iter()
        .filter_map(|message| match message {
            ClientMessage::Want(document) => Some(document),
            _ => None,
        })
        .collect()
}

pub(crate) fn pushes(effects: &[Effect]) -> Vec<Push> {
    sent(effects)
        .into_iter()
        .filter_map(|message| match message {
            ClientMessage::Push(push) => Some(push),
            _ => None,
        })
        .collect()
}

pub(crate) fn says(device: &mut Device, message: ServerMessage) -> Vec<Effect> {
    device.handle(Event::Frame(protocol::encode(&message)))
}

/// Opens the socket and is welcomed; gives the Hello and what followed the welcome.
pub(crate) fn connect(device: &mut Device) -> (Hello, Vec<Effect>) {
    let opened = device.core.handle(device.now, Event::SocketOpened);
    let [ClientMessage::Hello(hello)] = &sent(&opened)[..] else {
        panic!("no hello: {opened:?}")
    };
    let principal = device.core.principal().unwrap().clone();
    let welcome = ServerMessage::Welcome(Welcome {
        principal,
        heads: vec![(Feed::Staff, 9)],
        server_time: device.now,
    });
    (hello.clone(), says(device, welcome))
}

/// The socket closes, and the wait for the next attempt passes.
pub(crate) fn reconnect(device: &mut Device) -> (Hello, Vec<Effect>) {
    let closed = device.core.handle(device.now, Event::SocketClosed { dice: 0 });
    let wake = closed.iter().find_map(|effect| match effect {
        Effect::WakeAt(at) => Some(*at),
        _ => None,
    });
    device.now = wake.expect("another attempt is planned");
    let effects = device.core.handle(device.now, Event::Tick);
    assert!(effects.contains(&Effect::OpenSocket), "{effects:?}");
    connect(device)
}

pub(crate) fn entry(kind: Kind, document: DocumentId, content: Content) -> Entry {
    Entry {
        kind,
        document,
        schema_version: SCHEMA_VERSION,
        content,
    }
}

pub(crate) fn snapshot(document: &Document, bytes: Vec<u8>) -> Entry {
    let content = Content::Snapshot {
        bytes: bytes.into(),
        projection_version: PROJECTION_VERSION,
        projection: project(document),
    };
    entry(document.kind, document.id, content)
}

pub(crate) fn page(number: u64, entries: &[Entry]) -> ServerMessage {
    let cursor = Cursor {
        feed: Feed::Staff,
        number: number + 1,
        bootstrap: None,
    };
    ServerMessage::Page(Page {
        number,
        cursor,
        body: protocol::pack(entries).into(),
    })
}
