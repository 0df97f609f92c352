//! Pushes at the server's accept: what it takes is sound, what it refuses it names.

use crate::{CLINIC, NOW, mend, vet};
use shared_model::documents::{Document, check_chunks};
use shared_model::ids::DeviceId;
use shared_model::protocol::{self, ClientMessage, MAX_DOCUMENT};
use std::collections::BTreeMap;
use sync_server::sync::rehearse;
use uuid::Uuid;

/// Frames one after the other, each with its length in two bytes before it; those that are pushes are pushed.
pub fn pushes(data: &[u8]) {
    let mut pushes = Vec::new();
    for frame in pieces(data) {
        let Ok(ClientMessage::Push(mut push)) = protocol::decode(frame) else {
            continue;
        };
        for item in &mut push.items {
            for change in &mut item.changes {
                mend(change);
            }
        }
        pushes.push(push);
    }
    let sizes: Vec<usize> = pushes
        .iter()
        .map(|push| push.items.iter().map(|item| item.changes.len()).sum())
        .collect();
    let rehearsed = rehearse(CLINIC, &vet(), DeviceId(Uuid::from_u128(5)), pushes, NOW);
    for (refused, size) in rehearsed.refusals.iter().zip(sizes) {
        assert!(refused.len() <= size, "more is refused than was pushed");
    }
    // Each document grew by exactly what was taken.
    let mut taken: BTreeMap<_, usize> = BTreeMap::new();
    for change in &rehearsed.writes.changes {
        *taken.entry(change.document).or_default() += 1;
    }
    for row in &rehearsed.writes.documents {
        let stored = &row.stored;
        assert!(stored.bytes.len() <= MAX_DOCUMENT + MAX_DOCUMENT / 4);
        check_chunks(&stored.bytes).expect("what is stored carries its checksums");
        let document =
            Document::load(stored.kind, CLINIC, stored.id, &stored.bytes).expect("what is stored loads");
        assert!(document.has_own_genesis());
        let changes = document.changes_since(&[]).len();
        assert_eq!(changes, 1 + taken.get(&stored.id).copied().unwrap_or(0));
    }
}

/// Stretches of bytes, each behind its length.
pub(crate) fn pieces(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        data = rest;
        Some(piece)
    })
}
