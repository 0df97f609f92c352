//! How much a change chunk amounts to, found out before anything is decoded: a hundred hostile bytes can unpack to
//! gigabytes, or say "the same operation a billion times".
//!
//! Layout: Automerge binary format, <https://automerge.org/automerge-binary-format-spec/>.

use shared_model::protocol::{MAX_CHANGE, MAX_FRAME, MAX_OPERATIONS};
use std::io::Read;

/// A change after inflation, in bytes. Text compresses well; more than this is not text.
pub(super) const MAX_INFLATED: usize = 4 * MAX_CHANGE;
/// All changes of a push after inflation, in bytes: a frame full of text is a third of this.
pub(super) const MAX_PUSH_INFLATED: usize = 32 * MAX_FRAME;

const HEADER: usize = 8;
const CHANGE: u8 = 1;
const COMPRESSED_CHANGE: u8 = 2;
/// The action column: id 4, type 2 (run-length encoded unsigned integers). It has one entry per operation.
const ACTION_COLUMN: u64 = 4 << 4 | 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// So many bytes after inflation.
    Fits(usize),
    TooLarge,
    /// Not the form of a change.
    Malformed,
}

pub(super) fn measure(chunk: &[u8]) -> Measure {
    if chunk.len() > MAX_CHANGE {
        return Measure::TooLarge;
    }
    let Some(&kind) = chunk.get(HEADER) else {
        return Measure::Malformed;
    };
    let mut input = Input(&chunk[HEADER + 1..]);
    let Some(body) = input.counted() else {
        return Measure::Malformed;
    };
    let inflated;
    let body = match kind {
        CHANGE => body,
        COMPRESSED_CHANGE => {
            let mut plain = Vec::new();
            let mut inflate = flate2::read::DeflateDecoder::new(body).take(MAX_INFLATED as u64 + 1);
            if inflate.read_to_end(&mut plain).is_err() {
                return Measure::Malformed;
            }
            if plain.len() > MAX_INFLATED {
                return Measure::TooLarge;
            }
            inflated = plain;
            &inflated
        }
        _ => return Measure::Malformed,
    };
    match operations(body) {
        None => Measure::Malformed,
        Some(count) if count > MAX_OPERATIONS as u64 => Measure::TooLarge,
        Some(_) => Measure::Fits(body.len()),
    }
}

/// The number of operations of a change's body; stops counting beyond the limit.
fn operations(body: &[u8]) -> Option<u64> {
    let mut input = Input(body);
    let dependencies = usize::try_from(input.unsigned()?).ok()?;
    input.take(dependencies.checked_mul(32)?)?;
    input.counted()?; // actor
    input.unsigned()?; // sequence number
    input.unsigned()?; // first operation
    input.signed()?; // time
    input.counted()?; // message
    for _ in 0..input.unsigned()? {
        input.counted()?; // another actor
    }
    let columns = input.unsigned()?;
    let (mut before, mut action) = (0_usize, None);
    for _ in 0..columns {
        let (column, length) = (input.unsigned()?, usize::try_from(input.unsigned()?).ok()?);
        if column == ACTION_COLUMN {
            action = Some((before, length));
        }
        before = before.checked_add(length)?;
    }
    let Some((start, length)) = action else {
        return Some(0);
    };
    input.take(start)?;
    let mut column = Input(input.take(length)?);
    let mut count = 0_u64;
    while !column.0.is_empty() && count <= MAX_OPERATIONS as u64 {
        let run = column.signed()?;
        match run {
            1.. => {
                column.unsigned()?;
            }
            0 => {
                count = count.saturating_add(column.unsigned()?);
            }
            ..0 => {
                for _ in 0..run.unsigned_abs() {
                    column.unsigned()?;
                }
            }
        }
        count = count.saturating_add(run.unsigned_abs());
    }
    Some(count)
}

pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Bytes with their length before them.
    pub(super) fn counted(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.unsigned()?).ok()?;
        self.take(length)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    /// Unsigned LEB128.
    pub(super) fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Signed LEB128.
    fn signed(&mut self) -> Option<i64> {
        let mut value = 0_i64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if shift + 7 < 64 && byte & 0x40 != 0 {
                    value |= -1 << (shift + 7);
                }
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use automerge::transaction::Transactable;
    use automerge::{ActorId, Automerge, Change, ROOT};

    fn change(write: impl FnOnce(&mut automerge::transaction::Transaction<'_>)) -> Change {
        let mut doc = Automerge::new().with_actor(ActorId::from([7; 16]));
        let mut tx = doc.transaction();
        write(&mut tx);
        tx.commit();
        doc.get_last_local_change().expect("made")
    }

    fn letter(length: usize) -> Change {
        change(|tx| {
            let text = tx
                .put_object(ROOT, "history", automerge::ObjType::Text)
                .expect("put");
            tx.splice_text(&text, 0, 0, &"x".repeat(length)).expect("written");
        })
    }

    #[test]
    fn operations_are_counted_without_decoding() {
        for length in [0, 1, 500, 20_000] {
            let mut change = letter(length);
            let expected = change.len() as u64;
            let plain = change.raw_bytes().to_vec();
            let body = Input(&plain[HEADER + 1..]).counted().expect("a body");
            assert_eq!(operations(body), Some(expected));
            let inflated = body.len();
            assert_eq!(measure(&change.bytes()), Measure::Fits(inflated));
            assert_eq!(measure(change.raw_bytes()), Measure::Fits(inflated));
        }
        let mixed = change(|tx| {
            for key in 0..40_i64 {
                tx.put(ROOT, key.to_string(), key).expect("put");
            }
            tx.delete(ROOT, "7").expect("deleted");
        });
        let mut input = Input(&mixed.raw_bytes()[HEADER + 1..]);
        assert_eq!(
            operations(input.counted().expect("a body")),
            Some(mixed.len() as u64)
        );
    }

    #[test]
    fn a_few_bytes_that_mean_too_much() {
        let mut long = letter(MAX_OPERATIONS + 1);
        assert!(long.bytes().len() < MAX_CHANGE, "it must be small to be a bomb");
        assert_eq!(measure(&long.bytes()), Measure::TooLarge);

        let mut zeros = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut zeros, &vec![0; 64 << 20]).expect("in memory");
        let packed = zeros.finish().expect("in memory");
        let mut chunk = vec![0; HEADER];
        chunk.push(COMPRESSED_CHANGE);
        let mut length = packed.len();
        while length >= 0x80 {
            chunk.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        chunk.push(length as u8);
        chunk.extend(packed);
        assert!(chunk.len() < MAX_CHANGE);
        assert_eq!(measure(&chunk), Measure::TooLarge);
    }

    #[test]
    fn nonsense() {
        for bytes in [
            &[][..],
            &[0; 8],
            &[0; 40],
            b"not a change at all, but long enough",
        ] {
            assert_eq!(measure(bytes), Measure::Malformed, "{bytes:?}");
        }
    }
}
