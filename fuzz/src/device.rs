//! A server that has been taken over, talking to a device.

use crate::pushes::pieces;
use crate::{NOW, mend, vet};
use local_core::{Core, Credentials, Event, KeySeed, Store};
use rusqlite::Connection;
use shared_model::ids::DeviceId;
use shared_model::protocol::{self, Content, ServerMessage, Welcome};
use shared_model::time::Timestamp;
use uuid::Uuid;

/// Frames one after the other, each behind its length, to a device that has just been welcomed. Whatever they say, the
/// store works on, and its projections are what its documents say.
pub fn device(data: &[u8]) {
    let sql = Connection::open_in_memory().expect("there is memory");
    let mut core = Core::new(Store::new(sql).expect("an empty store")).expect("a core");
    let credentials = Credentials {
        principal: vet(),
        access_token: "access".to_owned(),
        access_expires: Timestamp(NOW.0 + 600_000),
        refresh_token: "refresh".to_owned(),
    };
    core.handle(
        NOW,
        Event::SignedIn {
            credentials,
            device: DeviceId(Uuid::from_u128(5)),
            fresh_actor: [5; 16],
            fresh_key: KeySeed([5; 32]),
        },
    );
    core.handle(NOW, Event::SocketOpened);
    let welcome = ServerMessage::Welcome(Welcome {
        principal: vet(),
        heads: Vec::new(),
        server_time: NOW,
    });
    core.handle(NOW, Event::Frame(protocol::encode(&welcome)));
    for frame in pieces(data) {
        core.handle(NOW, Event::Frame(mended(frame)));
    }
    let before = core.store().dump_projections().expect("it can be read");
    core.rebuild().expect("it can be written");
    let after = core.store().dump_projections().expect("it can be read");
    assert_eq!(before, after, "projections say what the documents say");
}

/// The frame, with checksums that fit wherever it carries chunks.
fn mended(frame: &[u8]) -> Vec<u8> {
    match protocol::decode::<ServerMessage>(frame) {
        Ok(ServerMessage::Page(mut page)) => {
            if let Ok(mut entries) = protocol::unpack(&page.body) {
                entries.iter_mut().for_each(mend_entry);
                page.body = protocol::pack(&entries).into();
            }
            protocol::encode(&ServerMessage::Page(page))
        }
        Ok(ServerMessage::Snapshot(mut entry)) => {
            mend_entry(&mut entry);
            protocol::encode(&ServerMessage::Snapshot(entry))
        }
        _ => frame.to_vec(),
    }
}

fn mend_entry(entry: &mut protocol::Entry) {
    match &mut entry.content {
        Content::Snapshot {
            bytes,
            projection_version,
            ..
        } => {
            mend(bytes);
            // Rows are the server's word, which the device takes as it takes the documents; here it derives its own.
            *projection_version = 0;
        }
        Content::Changes(changes) => changes.iter_mut().for_each(|chunk| mend(chunk)),
        Content::Revoked => {}
    }
}
