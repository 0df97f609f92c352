//! Makes mutated chunks carry the checksum of their contents again. Without it every mutation would end at the first
//! comparison, which somebody hostile passes as easily as we do here.

use sha2::{Digest, Sha256};
use std::io::Read;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// Magic, checksum and type.
const HEADER: usize = 9;
const CHANGE: u8 = 1;
const COMPRESSED_CHANGE: u8 = 2;
/// Nothing that is worth trying unpacks to more.
const INFLATED: u64 = 4 << 20;

/// Puts the right checksum into every chunk whose length can be read, and the right magic number before each.
pub fn mend(bytes: &mut [u8]) {
    let mut rest = bytes;
    while rest.len() > HEADER {
        rest[..4].copy_from_slice(&MAGIC);
        let Some((length, body)) = length(&rest[HEADER..]) else {
            return;
        };
        let end = HEADER.saturating_add(length).saturating_add(body);
        if end > rest.len() {
            return;
        }
        let sum = match rest[HEADER - 1] {
            COMPRESSED_CHANGE => of_unpacked(&rest[HEADER + length..end]),
            _ => Sha256::digest(&rest[HEADER - 1..end])[..4].try_into().ok(),
        };
        if let Some(sum) = sum {
            let sum: [u8; 4] = sum;
            rest[4..8].copy_from_slice(&sum);
        }
        rest = &mut rest[end..];
    }
}

fn of_unpacked(packed: &[u8]) -> Option<[u8; 4]> {
    let mut plain = Vec::new();
    flate2::read::DeflateDecoder::new(packed)
        .take(INFLATED)
        .read_to_end(&mut plain)
        .ok()?;
    let mut hashed = vec![CHANGE];
    let mut length = plain.len();
    while length >= 0x80 {
        hashed.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    hashed.push(length as u8);
    hashed.extend(plain);
    Sha256::digest(&hashed)[..4].try_into().ok()
}

/// How many bytes a LEB128 number takes, and the number.
fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_usize;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((place + 1, value));
        }
    }
    None
}
