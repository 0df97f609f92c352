//! Reads an Automerge sync message, having looked at what it amounts to. A few bytes can ask for one change a million
//! times, or describe a Bloom filter whose every question takes gigabytes.
//!
//! Layout: the sync message of automerge's `sync` module, version 1: hashes (32 bytes each), lists with their count
//! before them, numbers in LEB128.

use automerge::sync::Message;
use shared_model::documents::measure::Input;

/// The first byte of a message with single changes in it. The other form holds a whole document, and no client sends it
/// to a peer that does not announce that it takes it; ours never does.
const SINGLE_CHANGES: u8 = 0x42;

const MAX_HEADS: u64 = 1_000;
const MAX_NEEDS: u64 = 10_000;
/// Clients send one at most.
const MAX_HAVES: u64 = 4;
const MAX_CHANGES: u64 = 50_000;
/// Automerge's filters have 10 bits an entry and 7 probes.
const MAX_FILTER_BITS: u64 = 64;
const MAX_FILTER_PROBES: u64 = 32;

/// `None` if it is none, or none that a client of good will sends.
pub(super) fn read(bytes: &[u8]) -> Option<Message> {
    look_at(&mut Input(bytes))?;
    let mut message = Message::decode(bytes).ok()?;
    // What is named twice would be sent twice, and what is not sorted cannot be written again.
    for hashes in [&mut message.heads, &mut message.need]
        .into_iter()
        .chain(message.have.iter_mut().map(|have| &mut have.last_sync))
    {
        hashes.sort_unstable();
        hashes.dedup();
    }
    Some(message)
}

fn look_at(input: &mut Input<'_>) -> Option<()> {
    (input.byte()? == SINGLE_CHANGES).then_some(())?;
    hashes(input, MAX_HEADS)?;
    hashes(input, MAX_NEEDS)?;
    for _ in 0..up_to(input, MAX_HAVES)? {
        hashes(input, MAX_HEADS)?;
        filter(input.counted()?)?;
    }
    for _ in 0..up_to(input, MAX_CHANGES)? {
        input.counted()?;
    }
    Some(())
}

fn up_to(input: &mut Input<'_>, limit: u64) -> Option<u64> {
    input.unsigned().filter(|count| *count <= limit)
}

fn hashes(input: &mut Input<'_>, limit: u64) -> Option<()> {
    let count = usize::try_from(up_to(input, limit)?).ok()?;
    input.take(count * 32).map(drop)
}

fn filter(bytes: &[u8]) -> Option<()> {
    if bytes.is_empty() {
        return Some(());
    }
    let mut input = Input(bytes);
    let entries = input.unsigned().filter(|entries| *entries > 0)?;
    let bits = up_to(&mut input, MAX_FILTER_BITS)?;
    let probes = up_to(&mut input, MAX_FILTER_PROBES)?;
    let size = entries.checked_mul(bits)?.div_ceil(8);
    // Without a bit to look at, Automerge divides by zero.
    (size > 0 && probes > 0 && size <= input.0.len() as u64).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use automerge::sync::{State, SyncDoc};
    use automerge::transaction::Transactable;
    use automerge::{ActorId, Automerge, ROOT};

    fn document(edits: u64) -> Automerge {
        let mut doc = Automerge::new().with_actor(ActorId::from([7; 16]));
        for edit in 0..edits {
            let mut tx = doc.transaction();
            tx.put(ROOT, "count", edit).expect("put");
            tx.commit();
        }
        doc
    }

    /// `heads`, `need`, and then what is given.
    fn message(rest: &[u8]) -> Vec<u8> {
        [&[SINGLE_CHANGES, 0, 0], rest].concat()
    }

    #[test]
    fn what_automerge_sends_is_read() {
        let (ours, theirs) = (document(5), document(300));
        let (mut here, mut there) = (State::new(), State::new());
        for _ in 0..5 {
            let Some(mut said) = theirs.generate_sync_message(&mut there) else {
                break;
            };
            let bytes = said.clone().encode();
            assert_eq!(read(&bytes).as_ref(), Some(&said));
            said.changes = Vec::<Vec<u8>>::new().into();
            ours.clone()
                .receive_sync_message(&mut here, said)
                .expect("received");
            let mut answer = ours.generate_sync_message(&mut here).expect("an answer");
            // This is what keeps whole documents away.
            answer.flags = None;
            theirs
                .clone()
                .receive_sync_message(&mut there, answer)
                .expect("received");
        }
        assert!(there.sent_hashes.len() > 290, "it sent its changes");
    }

    #[test]
    fn what_would_cost_too_much_is_not_decoded() {
        let check = |what: &str, bytes: Vec<u8>, expected: bool| {
            assert_eq!(read(&bytes).is_some(), expected, "{what}");
        };
        check("nothing in it", message(&[0, 0]), true);
        check("empty", Vec::new(), false);
        check("cut off", vec![SINGLE_CHANGES, 1, 9], false);
        check("a whole document", vec![0x43, 0, 0, 0, 0], false);
        check("another thing", vec![0x44, 0, 0, 0, 0], false);
        check(
            "many heads",
            vec![SINGLE_CHANGES, 0xff, 0xff, 0xff, 0xff, 0x0f],
            false,
        );
        // have: one, no last_sync, a filter of so many bytes; no changes.
        let have = |filter: &[u8]| message(&[&[1, 0, filter.len() as u8], filter, &[0]].concat());
        check("a filter", have(&[1, 10, 7, 0xff, 0xff]), true);
        check("a filter without bits", have(&[1, 0, 7]), false);
        check("a filter without questions", have(&[1, 10, 0, 0xff, 0xff]), false);
        check(
            "a filter that asks for ever",
            have(&[1, 10, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff]),
            false,
        );
        check(
            "a filter that is not there",
            have(&[0xff, 0xff, 0xff, 0xff, 0x0f, 10, 7]),
            false,
        );
        let haves = [vec![5], [0, 0].repeat(5), vec![0]].concat();
        check("many filters", message(&haves), false);
        let empty_changes = [vec![0, 0xd1, 0x86, 0x03], vec![0; 50_001]].concat();
        check("many changes", message(&empty_changes), false);
    }

    #[test]
    fn what_is_named_twice_counts_once() {
        let hash = [9; 32];
        let twice = [&[2], &hash[..], &hash[..]].concat();
        let bytes = [&[SINGLE_CHANGES][..], &twice, &twice, &[0, 0]].concat();
        let read = read(&bytes).expect("a message");
        assert_eq!((read.heads.len(), read.need.len()), (1, 1));
    }
}
