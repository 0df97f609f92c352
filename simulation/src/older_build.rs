//! A device with an older build than the server: some documents come in a form that it does not know yet.
//!
//! There is one schema so far. So the link raises the number for a device that counts as old, and the update brings the
//! number in what it has put aside down to what every build knows, as a build that knows it would read it.

use minicbor::bytes::ByteVec;
use rusqlite::Connection;
use shared_model::SCHEMA_VERSION;
use shared_model::ids::DocumentId;
use shared_model::protocol::{self, Content, Entry, Page, ServerMessage};

const NEWER: u16 = SCHEMA_VERSION + 1;

/// Whether somebody with a newer build has written in this document.
fn is_newer(document: DocumentId) -> bool {
    document.bytes()[15].is_multiple_of(3)
}

fn raised(entry: Entry) -> Entry {
    let newer = is_newer(entry.document) && entry.content != Content::Revoked;
    Entry {
        schema_version: if newer { NEWER } else { entry.schema_version },
        ..entry
    }
}

/// The frame as a server of a newer schema would have sent it.
pub(crate) fn as_it_sees(frame: &[u8]) -> Vec<u8> {
    let message = match protocol::decode::<ServerMessage>(frame) {
        Ok(ServerMessage::Page(page)) => {
            let Ok(entries) = protocol::unpack(&page.body) else {
                return frame.to_vec();
            };
            let entries: Vec<Entry> = entries.into_iter().map(raised).collect();
            ServerMessage::Page(Page {
                body: ByteVec::from(protocol::pack(&entries)),
                ..page
            })
        }
        Ok(ServerMessage::Snapshot(entry)) => ServerMessage::Snapshot(raised(entry)),
        _ => return frame.to_vec(),
    };
    protocol::encode(&message)
}

/// The device, which is not running, is updated to a build that knows the newer schema.
pub(crate) fn update(store: &Connection) -> rusqlite::Result<usize> {
    let rows: Vec<(i64, Vec<u8>)> = {
        let mut select = store.prepare("select seq, entry from deferred")?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for (seq, bytes) in &rows {
        if let Ok(entry) = minicbor::decode::<Entry>(bytes) {
            let entry = Entry {
                schema_version: SCHEMA_VERSION,
                ..entry
            };
            store.execute(
                "update deferred set entry = ?2 where seq = ?1",
                (seq, protocol::encode(&entry)),
            )?;
        }
    }
    Ok(rows.len())
}
