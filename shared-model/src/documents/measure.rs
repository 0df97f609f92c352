//! How much a chunk amounts to, found out before anything is decoded: a hundred hostile bytes can unpack to gigabytes,
//! or say "the same operation a billion times".
//!
//! Place in the flow: in front of the decoder, on the server for what is pushed, on a device for what pages bring.
//! Layout: Automerge binary format, <https://automerge.org/automerge-binary-format-spec/>.

use crate::protocol::{MAX_CHANGE, MAX_FRAME, MAX_OPERATIONS};
use std::borrow::Cow;
use std::io::Read;

/// A change after inflation, in bytes. Text compresses well; more than this is not text.
pub const MAX_INFLATED: usize = 4 * MAX_CHANGE;
/// All changes of a push after inflation, in bytes: a frame full of text is a third of this.
pub const MAX_PUSH_INFLATED: usize = 32 * MAX_FRAME;
/// A document chunk after inflation, in bytes.
pub const MAX_DOCUMENT_INFLATED: usize = 32 * MAX_FRAME;
/// The highest number that an operation of a document may have. A megabyte of text, typed letter by letter, fits.
pub const MAX_DOCUMENT_OPERATIONS: u64 = 1 << 20;
/// The operation numbers that a document's changes span in sum. Writers who did not know of each other use the same
/// numbers, so a document may have more operations than its highest number says; and who writes at earlier heads leaps.
pub const MAX_SPAN: u64 = 4 * MAX_DOCUMENT_OPERATIONS;
/// Rows of a column of a document chunk: no more than there are operations.
const MAX_ROWS: u64 = MAX_SPAN;

const HEADER: usize = 8;
const DOCUMENT: u8 = 0;
const CHANGE: u8 = 1;
const COMPRESSED_CHANGE: u8 = 2;
/// Of the changes of a document: the number of each one's last operation, and which changes it builds on.
const MAX_OP_COLUMN: u64 = 1 << 4 | 3;
const DEPENDENCY_COUNT_COLUMN: u64 = 4 << 4;
const DEPENDENCY_COLUMN: u64 = 4 << 4 | 3;
/// Of the operations of a change: what each does, and the number that stands there for marking text.
const ACTION_COLUMN: u64 = 4 << 4 | 2;
const MARK: u64 = 7;
/// Set in the specification of a column that is compressed by itself.
const DEFLATED: u64 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// So many bytes after inflation.
    Fits(usize),
    TooLarge,
    /// Not the form of such a chunk.
    Malformed,
}

/// What a change chunk amounts to.
pub fn measure(chunk: &[u8]) -> Measure {
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

/// What a document chunk amounts to. Beyond its compressed columns and repeated rows, Automerge makes room for every
/// operation number between a change and those that it builds on, so a single change that leaps far is too large.
pub(super) fn measure_document(chunk: &[u8]) -> Measure {
    if chunk.get(HEADER) != Some(&DOCUMENT) {
        return Measure::Malformed;
    }
    let body = Input(&chunk[HEADER + 1..]).counted();
    body.and_then(document).unwrap_or(Measure::Malformed)
}

fn document(body: &[u8]) -> Option<Measure> {
    let mut input = Input(body);
    for _ in 0..input.unsigned()? {
        input.counted()?; // actor
    }
    let heads = usize::try_from(input.unsigned()?).ok()?;
    input.take(heads.checked_mul(32)?)?;
    let (of_changes, of_operations) = (input.specifications()?, input.specifications()?);
    let mut room = MAX_DOCUMENT_INFLATED;
    let (mut max_ops, mut counts, mut dependencies) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (specification, length)) in of_changes.iter().chain(&of_operations).enumerate() {
        let stored = input.take(*length)?;
        let bytes = match specification & DEFLATED {
            0 => Cow::Borrowed(stored),
            _ => Cow::Owned(inflate(stored, room)?),
        };
        let Some(left) = room.checked_sub(bytes.len()) else {
            return Some(Measure::TooLarge);
        };
        room = left;
        let specification = specification & !DEFLATED;
        if rows(specification, &bytes, MAX_ROWS)? > MAX_ROWS {
            return Some(Measure::TooLarge);
        }
        if place < of_changes.len() {
            match specification {
                MAX_OP_COLUMN => max_ops = deltas(&bytes)?,
                DEPENDENCY_COUNT_COLUMN => counts = unsigneds(&bytes)?,
                DEPENDENCY_COLUMN => dependencies = deltas(&bytes)?,
                _ => {}
            }
        }
    }
    Some(match span(&max_ops, &counts, &dependencies)? > MAX_SPAN {
        true => Measure::TooLarge,
        false => Measure::Fits(MAX_DOCUMENT_INFLATED - room),
    })
}

/// The operation numbers between each change and those that it builds on, added up.
fn span(max_ops: &[i64], counts: &[u64], dependencies: &[i64]) -> Option<u64> {
    let mut dependencies = dependencies.iter();
    let mut sum = 0_u64;
    for (at, max_op) in max_ops.iter().enumerate() {
        let mut before = 0;
        for _ in 0..counts.get(at).copied().unwrap_or(0) {
            let dependency = usize::try_from(*dependencies.next()?).ok()?;
            before = before.max(*max_ops.get(dependency)?);
        }
        sum = sum.saturating_add(u64::try_from(max_op.saturating_sub(before)).unwrap_or(0));
    }
    Some(sum)
}

/// All of it, or one byte more than there is room for, which the caller sees. `None`: not compressed data.
fn inflate(packed: &[u8], room: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut inflate = flate2::read::DeflateDecoder::new(packed).take(room as u64 + 1);
    inflate.read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// How many rows a column has, and what its groups amount to; stops counting beyond the limit.
fn rows(specification: u64, bytes: &[u8], limit: u64) -> Option<u64> {
    const GROUP: u64 = 0;
    const DELTA: u64 = 3;
    const BOOLEAN: u64 = 4;
    const STRING: u64 = 5;
    const VALUE: u64 = 7;
    let mut column = Input(bytes);
    let (mut count, mut grouped) = (0_u64, 0_u64);
    while !column.0.is_empty() && count <= limit && grouped <= limit {
        match specification & 7 {
            VALUE => return Some(0),
            BOOLEAN => count = count.saturating_add(column.unsigned()?),
            _ => {
                let run = column.signed()?;
                if run == 0 {
                    count = count.saturating_add(column.unsigned()?);
                    continue;
                }
                count = count.saturating_add(run.unsigned_abs());
                let (written, times) = match run {
                    1.. => (1, run.unsigned_abs()),
                    _ => (run.unsigned_abs(), 1),
                };
                for _ in 0..written {
                    match specification & 7 {
                        STRING => drop(column.counted()?),
                        DELTA => drop(column.signed()?),
                        GROUP => {
                            let members = column.unsigned()?.saturating_mul(times);
                            grouped = grouped.saturating_add(members);
                        }
                        _ => drop(column.unsigned()?),
                    }
                }
            }
        }
    }
    Some(count.max(grouped))
}

/// The values of a run-length encoded column whose rows have been counted; nothing counts as 0.
fn values(bytes: &[u8], mut read: impl FnMut(&mut Input<'_>) -> Option<i64>) -> Option<Vec<i64>> {
    let mut column = Input(bytes);
    let mut values = Vec::new();
    while !column.0.is_empty() {
        match column.signed()? {
            0 => {
                let nulls = usize::try_from(column.unsigned()?).ok()?;
                values.extend(std::iter::repeat_n(0, nulls));
            }
            run @ 1.. => {
                let value = read(&mut column)?;
                values.extend(std::iter::repeat_n(value, usize::try_from(run).ok()?));
            }
            run => {
                for _ in 0..run.unsigned_abs() {
                    values.push(read(&mut column)?);
                }
            }
        }
    }
    Some(values)
}

fn unsigneds(bytes: &[u8]) -> Option<Vec<u64>> {
    let values = values(bytes, |column| i64::try_from(column.unsigned()?).ok())?;
    Some(values.into_iter().map(i64::cast_unsigned).collect())
}

/// The values of a column that stores the difference of each row from the one before.
fn deltas(bytes: &[u8]) -> Option<Vec<i64>> {
    let mut value = 0_i64;
    let mut values = values(bytes, |column| column.signed())?;
    for at in &mut values {
        value = value.checked_add(*at)?;
        *at = value;
    }
    Some(values)
}

/// The number of operations of a change's body, or of what they overwrite if that is more; stops counting beyond the
/// limit.
fn operations(body: &[u8]) -> Option<u64> {
    let mut input = Input(body);
    let mut count = 0;
    for (column, length) in columns_of_change(&mut input)? {
        count = rows(column, input.take(length)?, MAX_OPERATIONS as u64)?.max(count);
    }
    Some(count)
}

/// Whether a change, not compressed, marks stretches of text. `None`: not the form of a change.
pub(super) fn marks_text(chunk: &[u8]) -> Option<bool> {
    let mut input = Input(Input(chunk.get(HEADER + 1..)?).counted()?);
    let mut marks = false;
    for (column, length) in columns_of_change(&mut input)? {
        let bytes = input.take(length)?;
        marks |= column == ACTION_COLUMN && has_value(bytes, MARK)?;
    }
    Some(marks)
}

/// Whether a run-length encoded column of unsigned numbers has one of this value.
fn has_value(bytes: &[u8], wanted: u64) -> Option<bool> {
    let mut column = Input(bytes);
    let mut found = false;
    while !column.0.is_empty() {
        match column.signed()? {
            0 => drop(column.unsigned()?),
            1.. => found |= column.unsigned()? == wanted,
            run => {
                for _ in 0..run.unsigned_abs() {
                    found |= column.unsigned()? == wanted;
                }
            }
        }
    }
    Some(found)
}

/// The columns of a change's body; `input` stands before their contents then.
fn columns_of_change(input: &mut Input<'_>) -> Option<Vec<(u64, usize)>> {
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
    input.specifications()
}

/// Bytes that are read from the front. `None`: there are not as many, or they are no such number.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Bytes with their length before them.
    pub fn counted(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.unsigned()?).ok()?;
        self.take(length)
    }

    /// The columns that follow: specification and length in bytes of each.
    fn specifications(&mut self) -> Option<Vec<(u64, usize)>> {
        let mut columns = Vec::new();
        for _ in 0..self.unsigned()? {
            columns.push((self.unsigned()?, usize::try_from(self.unsigned()?).ok()?));
        }
        Some(columns)
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    /// Unsigned LEB128.
    pub fn unsigned(&mut self) -> Option<u64> {
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

    /// Unsigned LEB128.
    fn number(mut value: usize) -> Vec<u8> {
        let mut written = Vec::new();
        while value >= 0x80 {
            written.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        written.push(value as u8);
        written
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
        chunk.extend(number(packed.len()));
        chunk.extend(packed);
        assert!(chunk.len() < MAX_CHANGE);
        assert_eq!(measure(&chunk), Measure::TooLarge);
    }

    /// What somebody hostile makes of a saved document: one column's bytes replaced, and the chunk's length with them.
    fn with_column(saved: &[u8], wanted: u64, bytes: &[u8]) -> Vec<u8> {
        let body = Input(&saved[HEADER + 1..]).counted().expect("a body");
        let mut input = Input(body);
        for _ in 0..input.unsigned().expect("actors") {
            input.counted().expect("an actor");
        }
        let heads = input.unsigned().expect("heads") as usize;
        input.take(32 * heads).expect("heads");
        let mut made = body[..body.len() - input.0.len()].to_vec();
        let tables = [input.specifications(), input.specifications()].map(|table| table.expect("columns"));
        let mut data = Vec::new();
        for (table, columns) in tables.iter().enumerate() {
            made.extend(number(columns.len()));
            for (column, length) in columns {
                let old = input.take(*length).expect("a column");
                let new = if table == 0 && column & !DEFLATED == wanted {
                    bytes
                } else {
                    old
                };
                made.extend([number(*column as usize), number(new.len())].concat());
                data.extend_from_slice(new);
            }
        }
        made.extend([&data[..], input.0].concat());
        [&saved[..HEADER + 1], &number(made.len()), &made].concat()
    }

    fn document_of_three_writers() -> Vec<u8> {
        let mut doc = Automerge::new().with_actor(ActorId::from([1; 16]));
        for writer in 2..5 {
            let mut other = doc.fork().with_actor(ActorId::from([writer; 16]));
            for round in 0..30_i64 {
                let mut tx = other.transaction();
                tx.put(
                    ROOT,
                    format!("{writer}/{round}"),
                    "Ate grass and rope. ".repeat(20),
                )
                .expect("put");
                tx.put(ROOT, "shared", round).expect("put");
                tx.commit();
            }
            doc.merge(&mut other).expect("merged");
        }
        let mut tx = doc.transaction();
        tx.delete(ROOT, "3/3").expect("deleted");
        tx.commit();
        doc.save()
    }

    #[test]
    fn documents_are_measured_without_decoding() {
        let saved = document_of_three_writers();
        assert!(matches!(measure_document(&saved), Measure::Fits(size) if size > 10_000));
        let same = with_column(&saved, u64::MAX, &[]);
        assert_eq!(same, saved, "the test's own writer is right");
    }

    #[test]
    fn a_document_whose_changes_leap_is_too_large() {
        let saved = document_of_three_writers();
        // 91 changes, all of them ending at an operation in the thousand millions.
        let column = [&[0x7f][..], &[0x80, 0x94, 0xeb, 0xdc, 0x03], &[0xda, 0x00, 0x00]].concat();
        assert_eq!(
            measure_document(&with_column(&saved, MAX_OP_COLUMN, &column)),
            Measure::TooLarge
        );
    }

    #[test]
    fn a_document_that_repeats_a_row_is_too_large() {
        let saved = document_of_three_writers();
        for (column, row) in [(MAX_OP_COLUMN, 0), (DEPENDENCY_COUNT_COLUMN, 1), (0x23, 0)] {
            let billions = [&[0x80, 0x80, 0x80, 0x80, 0x10][..], &[row]].concat();
            assert_eq!(
                measure_document(&with_column(&saved, column, &billions)),
                Measure::TooLarge,
                "column {column:#x}"
            );
        }
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
