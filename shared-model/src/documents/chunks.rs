//! Automerge's chunks as they come from a disk or a wire, looked at before anything trusts them.
//!
//! Place in the flow: in front of every place where bytes from elsewhere become, or are appended to, a document.
//! Invariant: what passes `check_chunks` carries the checksum of its own contents and takes no more room, once opened,
//! than a document may have. Automerge compares the checksum when it loads a document, but not when it reads a single
//! change, and stored bytes are often passed on without being loaded.

use super::LoadError;
use super::measure::{Measure, measure, measure_document};
use automerge::Change;
use sha2::{Digest, Sha256};
use std::panic::catch_unwind;

/// The first bytes of every chunk.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// Magic, checksum and type.
const HEADER: usize = 9;
const DOCUMENT: u8 = 0;
const CHANGE: u8 = 1;
const COMPRESSED_CHANGE: u8 = 2;

/// Reads one change chunk, checksum included. One that makes the decoder panic is not a change.
pub fn read_change(chunk: &[u8]) -> Result<Change, LoadError> {
    let (whole, rest) = split(chunk)?;
    if !rest.is_empty() {
        return Err(LoadError::Damaged("bytes behind the change"));
    }
    let change = catch_unwind(|| Change::try_from(whole))
        .map_err(|_| LoadError::NotADocument("the decoder gave up".to_owned()))?
        .map_err(|error| LoadError::NotADocument(error.to_string()))?;
    // The hash of a compressed chunk is that of what it unpacks to, so it is taken from the change that was read.
    if whole[4..8] != change.hash().0[..4] {
        return Err(LoadError::Damaged("the checksum of a change does not fit"));
    }
    Ok(change)
}

fn size(chunk: &[u8]) -> Measure {
    match chunk[HEADER - 1] {
        DOCUMENT => measure_document(chunk),
        _ => measure(chunk),
    }
}

/// What a stored document amounts to after inflation, in bytes; `None` if devices would not open it.
pub fn inflated_size(bytes: &[u8]) -> Option<usize> {
    let (mut rest, mut sum) = (bytes, 0_usize);
    while !rest.is_empty() {
        let (chunk, behind) = split(rest).ok()?;
        let Measure::Fits(inflated) = size(chunk) else {
            return None;
        };
        sum = sum.saturating_add(inflated);
        rest = behind;
    }
    Some(sum)
}

/// Measures a stored document (a document chunk, then any number of change chunks) and compares its checksums without
/// opening it, which costs a tenth of what opening costs.
pub fn check_chunks(bytes: &[u8]) -> Result<(), LoadError> {
    let mut rest = bytes;
    loop {
        let (chunk, behind) = split(rest)?;
        match size(chunk) {
            Measure::Fits(_) => {}
            Measure::TooLarge => return Err(LoadError::Damaged("it unpacks to too much")),
            Measure::Malformed => return Err(LoadError::Damaged("not the form of a chunk")),
        }
        match chunk[HEADER - 1] {
            DOCUMENT | CHANGE => {
                // The hash is of type, length and contents: everything behind the checksum.
                if chunk[4..8] != Sha256::digest(&chunk[HEADER - 1..])[..4] {
                    return Err(LoadError::Damaged("a checksum does not fit"));
                }
            }
            COMPRESSED_CHANGE => {
                read_change(chunk)?;
            }
            _ => return Err(LoadError::Damaged("a chunk of an unknown type")),
        }
        if behind.is_empty() {
            return Ok(());
        }
        rest = behind;
    }
}

/// The first chunk, and what stands behind it.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), LoadError> {
    const CUT_OFF: LoadError = LoadError::Damaged("a chunk is cut off");
    if bytes.get(..MAGIC.len()) != Some(&MAGIC) {
        return Err(LoadError::Damaged("no chunk begins here"));
    }
    let mut length = 0_usize;
    // Unsigned LEB128, as short as it can be: nothing in a chunk is longer than four of its bytes say.
    for (place, at) in (HEADER..HEADER + 4).enumerate() {
        let byte = *bytes.get(at).ok_or(CUT_OFF)?;
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return bytes.split_at_checked(at + 1 + length).ok_or(CUT_OFF);
        }
    }
    Err(LoadError::Damaged("a chunk of an impossible length"))
}

#[cfg(test)]
mod tests {
    use super::super::{Document, Kind, Stamp};
    use super::*;
    use crate::ids::{AccountId, ClinicId, DocumentId};
    use crate::time::Timestamp;
    use automerge::ActorId;
    use uuid::Uuid;

    /// A document with a change behind its saved form, plain and compressed.
    fn stored() -> (Vec<u8>, Vec<Vec<u8>>) {
        let id = DocumentId(Uuid::from_u128(2));
        let mut document = Document::genesis(Kind::Visit, ClinicId(Uuid::from_u128(1)), id);
        let stamp = Stamp {
            now: Timestamp(1_000),
            actor: ActorId::from([7; 16]),
            account: AccountId(Uuid::from_u128(9)),
        };
        let saved = document.save();
        let mut change = document
            .change(&stamp, "write", |w| {
                w.edit_text("history", 0, &[], &"Ate grass and rope. ".repeat(40));
                Ok::<_, ()>(())
            })
            .expect("written")
            .expect("a change");
        let (plain, packed) = (change.raw_bytes().to_vec(), change.bytes().to_vec());
        assert!(packed.len() < plain.len(), "it is worth compressing");
        (saved, vec![plain, packed])
    }

    #[test]
    fn what_automerge_wrote_passes() {
        let (saved, changes) = stored();
        assert!(check_chunks(&saved).is_ok());
        for change in changes {
            let hash = read_change(&change).expect("whole").hash();
            assert_eq!(hash, read_change(&change).expect("whole").hash());
            assert!(check_chunks(&[saved.clone(), change].concat()).is_ok());
        }
    }

    #[test]
    fn one_wrong_bit_anywhere_is_seen() {
        let (saved, changes) = stored();
        for whole in [vec![saved.clone()], changes.clone()].concat() {
            for at in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << (at % 8);
                assert!(check_chunks(&damaged).is_err(), "byte {at} of {}", whole.len());
                if whole != saved {
                    assert!(read_change(&damaged).is_err(), "byte {at} of {}", whole.len());
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_cut_off_or_too_many() {
        let (saved, changes) = stored();
        let whole = [saved.clone(), changes[0].clone()].concat();
        for length in (0..whole.len()).filter(|length| *length != saved.len()) {
            assert!(check_chunks(&whole[..length]).is_err(), "{length} bytes");
        }
        assert!(check_chunks(&[whole.clone(), vec![0]].concat()).is_err());
        assert!(read_change(&[changes[0].clone(), vec![0]].concat()).is_err());
        assert!(read_change(&saved).is_err(), "a document is no change");
    }
}
