//! The only wire types. Binary WebSocket frames hold one CBOR message each, with small integer keys.
//!
//! Invariant: a frame is at most [`MAX_FRAME`] bytes; whatever is larger is paged. Sizes and counts are checked
//! before anything is allocated for them.

use crate::documents::{Kind, Projection};
use crate::ids::{DeviceId, DocumentId};
use crate::permissions::{Feed, Principal};
use crate::time::Timestamp;
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};

/// Raised when a frame of the former form would be misread. Builds of version 1 cannot name the kinds of document that
/// came with version 2, those of version 2 do not sign what they push: they are told to update, go on working with what
/// they have, and their outbox waits.
pub const PROTOCOL_VERSION: u16 = 3;
/// The largest frame either side sends or takes, in bytes.
pub const MAX_FRAME: usize = 1 << 20;
/// A page's entries before compression, in bytes; a page that unpacks to more is hostile.
pub const MAX_PAGE: usize = 4 << 20;
/// Pages aim at this many bytes before compression, so that a first screen does not wait for a megabyte.
pub const PAGE_TARGET: usize = 512 << 10;
/// Changes in one push.
pub const MAX_PUSH_CHANGES: usize = 1_000;
/// One change, in bytes.
pub const MAX_CHANGE: usize = 256 << 10;
/// Operations in one change: a pasted referral letter and the deletion of one fit.
pub const MAX_OPERATIONS: usize = 200_000;
/// Stored bytes of one document: it has to fit into a frame together with its projection.
pub const MAX_DOCUMENT: usize = 512 << 10;
/// Pushes a device has in flight before it waits for an answer.
pub const PUSH_WINDOW: usize = 4;
/// Pages a server sends before it waits for an acknowledgement.
pub const PAGE_WINDOW: u64 = 4;
/// Silence after which either side asks whether the other is there, in milliseconds.
pub const HEARTBEAT_MS: i64 = 15_000;

/// Where a device stands in a feed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Cursor {
    #[n(0)]
    pub feed: Feed,
    /// The last feed number that the device has; 0 before the first sync is complete.
    #[n(1)]
    pub number: u64,
    /// A first sync that was cut off: the head it was started at and the last document that arrived.
    #[n(2)]
    pub bootstrap: Option<Bootstrap>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Bootstrap {
    #[n(0)]
    pub head: u64,
    /// The rest comes in descending order of document id; `None` if the urgent part has not been completed.
    #[n(1)]
    pub below: Option<DocumentId>,
    #[n(2)]
    pub received: u64,
    #[n(3)]
    pub total: u64,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum ClientMessage {
    #[n(0)]
    Hello(#[n(0)] Hello),
    #[n(1)]
    Push(#[n(0)] Push),
    /// Everything up to this page has been stored.
    #[n(2)]
    PageStored(#[n(0)] u64),
    #[n(3)]
    Ping,
    /// A fresh access token for the running session.
    #[n(4)]
    Renew(#[n(0)] String),
    /// A document of which the device has only a part; the server answers with a snapshot.
    #[n(5)]
    Want(#[n(0)] DocumentId),
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Hello {
    #[n(0)]
    pub protocol: u16,
    #[n(1)]
    pub schema_version: u16,
    #[n(2)]
    pub token: String,
    #[n(3)]
    pub device: DeviceId,
    /// The Automerge actor of this store; bound to account and device at first sight.
    #[n(4)]
    pub actor: ByteVec,
    #[n(5)]
    pub cursors: Vec<Cursor>,
    /// This person's Ed25519 public key on this device; registered at first sight.
    #[n(6)]
    pub signing_key: ByteArray<32>,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Push {
    /// Counts up within a session.
    #[n(0)]
    pub number: u64,
    #[n(1)]
    pub items: Vec<PushItem>,
}

/// A push without a session: the body of `POST /api/v1/push`. Who pushes says the access token.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct SinglePush {
    #[n(0)]
    pub protocol: u16,
    #[n(1)]
    pub schema_version: u16,
    /// As in [`Hello`].
    #[n(2)]
    pub actor: ByteVec,
    #[n(3)]
    pub push: Push,
    /// As in [`Hello`].
    #[n(4)]
    pub signing_key: ByteArray<32>,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct PushItem {
    #[n(0)]
    pub kind: Kind,
    #[n(1)]
    pub document: DocumentId,
    #[n(2)]
    pub schema_version: u16,
    /// Automerge change chunks, oldest first; the genesis change is never among them.
    #[n(3)]
    pub changes: Vec<ByteVec>,
    /// What their authors vouch for them with. Each change is one that is signed, or lies below one of the same actor
    /// that is.
    #[n(4)]
    #[cbor(default)]
    pub signatures: Vec<Signature>,
}

/// A change's signature by its author, see [`crate::authorship`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Signature {
    /// The change's position among the item's.
    #[n(0)]
    pub change: u16,
    #[n(1)]
    pub bytes: ByteArray<64>,
    /// The first bytes of the author's public key on this device; the session's own if it is left out.
    #[n(2)]
    pub key: Option<ByteArray<8>>,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum ServerMessage {
    #[n(0)]
    Welcome(#[n(0)] Welcome),
    /// The session does not begin, or ends here.
    #[n(1)]
    Goodbye(#[n(0)] Goodbye),
    #[n(2)]
    Page(#[n(0)] Page),
    #[n(3)]
    Accepted(#[n(0)] Accepted),
    #[n(4)]
    Pong(#[n(0)] Timestamp),
    #[n(5)]
    Snapshot(#[n(0)] Entry),
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Welcome {
    #[n(0)]
    pub principal: Principal,
    #[n(1)]
    pub heads: Vec<(Feed, u64)>,
    #[n(2)]
    pub server_time: Timestamp,
}

/// Why a session ends and what the device should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, thiserror::Error)]
pub enum Goodbye {
    #[n(0)]
    #[error("the session's token is not valid (any more): sign in")]
    SignIn,
    #[n(1)]
    #[error("this build speaks an older protocol: update it")]
    UpdateClient,
    #[n(2)]
    #[error("this build speaks a newer protocol than the server: wait for the server's update")]
    UpdateServer,
    #[n(3)]
    #[error("the frame could not be understood")]
    Malformed,
    #[n(4)]
    #[error("the frame or what it unpacks to is too large")]
    TooLarge,
    #[n(5)]
    #[error("a message came out of order")]
    OutOfOrder,
    #[n(6)]
    #[error("this account may not synchronise here")]
    NotPermitted,
    #[n(7)]
    #[error("this store's writer identity belongs to another account or device")]
    ForeignActor,
    #[n(8)]
    #[error("the server is going down or cannot reach its database: come back")]
    Later,
    #[n(9)]
    #[error("the device fell too far behind in this session: connect again")]
    TooSlow,
    #[n(10)]
    #[error("this device was reported lost: delete its records")]
    Purge,
}

/// A stretch of one feed. The body is encoded once and shared by every session that reads the feed.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Page {
    /// Counts up within a session; 0 for live pages, which need no acknowledgement.
    #[n(0)]
    pub number: u64,
    /// Where the device stands in the page's feed once the page is stored.
    #[n(1)]
    pub cursor: Cursor,
    /// A CBOR array of [`Entry`], deflated where that makes it smaller: see [`pack`].
    #[n(2)]
    pub body: ByteVec,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Entry {
    #[n(0)]
    pub kind: Kind,
    #[n(1)]
    pub document: DocumentId,
    #[n(2)]
    pub schema_version: u16,
    #[n(3)]
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Content {
    /// Change chunks, oldest first.
    #[n(0)]
    Changes(#[n(0)] Vec<ByteVec>),
    /// The merged document, with the rows that the server derived from it.
    #[n(1)]
    Snapshot {
        #[n(0)]
        bytes: ByteVec,
        #[n(1)]
        projection_version: u16,
        #[n(2)]
        projection: Projection,
    },
    /// The device may no longer read this document and purges it.
    #[n(2)]
    Revoked,
}

/// The answer to one push, after the commit.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Accepted {
    /// The push's number.
    #[n(0)]
    pub push: u64,
    /// Changes that could not be taken; all others of the push were.
    #[n(1)]
    pub refused: Vec<Refusal>,
    #[n(2)]
    pub server_time: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Refusal {
    #[n(0)]
    pub document: DocumentId,
    /// Hash of the change.
    #[n(1)]
    pub change: ByteVec,
    #[n(2)]
    pub code: RefusalCode,
    /// For the log and for support; screens speak from the code.
    #[n(3)]
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
pub enum RefusalCode {
    #[n(0)]
    NotPermitted,
    #[n(1)]
    Undecodable,
    #[n(2)]
    MissingDependencies,
    #[n(3)]
    ForeignActor,
    /// (actor, sequence number) exists with another hash: the store was copied or restored.
    #[n(4)]
    ActorReused,
    #[n(5)]
    OtherClinic,
    #[n(6)]
    TooLarge,
    /// An earlier change that this one builds on was refused.
    #[n(7)]
    BuildsOnRefused,
    #[n(8)]
    NewerSchema,
    /// Its author's signature is missing, or is none of a key that is known for this device.
    #[n(9)]
    NotSigned,
}

impl RefusalCode {
    pub const ALL: [Self; 10] = [
        Self::NotPermitted,
        Self::Undecodable,
        Self::MissingDependencies,
        Self::ForeignActor,
        Self::ActorReused,
        Self::OtherClinic,
        Self::TooLarge,
        Self::BuildsOnRefused,
        Self::NewerSchema,
        Self::NotSigned,
    ];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("the frame has more than {MAX_FRAME} bytes")]
    TooLarge,
    #[error("the frame is not a message of this protocol")]
    Malformed,
    #[error("the page unpacks to more than {MAX_PAGE} bytes")]
    PageTooLarge,
}

impl From<FrameError> for Goodbye {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLarge | FrameError::PageTooLarge => Self::TooLarge,
            FrameError::Malformed => Self::Malformed,
        }
    }
}

pub fn encode(message: &impl Encode<()>) -> Vec<u8> {
    minicbor::to_vec(message).expect("writing to memory cannot fail")
}

/// Decodes exactly one message; trailing bytes are malformed.
pub fn decode<'b, T: Decode<'b, ()>>(frame: &'b [u8]) -> Result<T, FrameError> {
    if frame.len() > MAX_FRAME {
        return Err(FrameError::TooLarge);
    }
    let mut decoder = minicbor::Decoder::new(frame);
    let message = decoder.decode().map_err(|_| FrameError::Malformed)?;
    if decoder.position() == frame.len() {
        Ok(message)
    } else {
        Err(FrameError::Malformed)
    }
}

/// How a page's body begins.
const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;

/// Packs entries into a page's body.
pub fn pack(entries: &[Entry]) -> Vec<u8> {
    pack_encoded(&encode(&entries))
}

/// Packs encoded entries into a page's body: one byte that says how, and the entries as they are or deflated. A change that
/// somebody types has nothing that would deflate.
pub fn pack_encoded(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(plain.len() / 2 + 16);
    packed.push(DEFLATED);
    let mut deflating = flate2::write::DeflateEncoder::new(packed, flate2::Compression::fast());
    let packed = deflating
        .write_all(plain)
        .and_then(|()| deflating.finish())
        .expect("writing to memory cannot fail");
    if packed.len() <= plain.len() {
        return packed;
    }
    [&[PLAIN], plain].concat()
}

/// Unpacks a page's body, never to more than [`MAX_PAGE`] bytes.
pub fn unpack(body: &[u8]) -> Result<Vec<Entry>, FrameError> {
    let entries = match body.split_first() {
        Some((&PLAIN, plain)) => minicbor::decode(plain),
        Some((&DEFLATED, packed)) => minicbor::decode(&inflate(packed)?),
        _ => return Err(FrameError::Malformed),
    };
    entries.map_err(|_| FrameError::Malformed)
}

fn inflate(packed: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut plain = Vec::new();
    let limit = MAX_PAGE as u64 + 1;
    flate2::read::DeflateDecoder::new(packed)
        .take(limit)
        .read_to_end(&mut plain)
        .map_err(|_| FrameError::Malformed)?;
    if plain.len() > MAX_PAGE {
        return Err(FrameError::PageTooLarge);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn entry(bytes: Vec<u8>) -> Entry {
        Entry {
            kind: Kind::Client,
            document: DocumentId(Uuid::from_u128(1)),
            schema_version: 1,
            content: Content::Changes(vec![bytes.into()]),
        }
    }

    #[test]
    fn pages_survive_packing() {
        let entries = vec![entry(vec![1, 2, 3]), entry(vec![0; 10_000])];
        assert_eq!(unpack(&pack(&entries)), Ok(entries));
        assert!(unpack(&[]).is_err());
        assert!(unpack(&[2, 0x80]).is_err());
    }

    #[test]
    fn what_does_not_deflate_is_sent_as_it_is() {
        let typed = vec![entry((0..=255).collect())];
        let packed = pack(&typed);
        assert_eq!(packed.len(), encode(&typed).len() + 1);
        assert_eq!(unpack(&packed), Ok(typed));
        let alike = vec![entry(vec![7; 256])];
        assert!(pack(&alike).len() < encode(&alike).len() / 2);
    }

    #[test]
    fn a_bomb_is_refused_before_it_fills_memory() {
        let bomb = pack(&[entry(vec![0; MAX_PAGE * 8])]);
        assert!(bomb.len() < MAX_FRAME, "it must fit into a frame to be a bomb");
        assert_eq!(unpack(&bomb), Err(FrameError::PageTooLarge));
    }

    #[test]
    fn frames_that_are_no_message() {
        for bytes in [&[][..], &[0xff], &[0x82, 0x00], b"GET / HTTP/1.1"] {
            assert!(decode::<ClientMessage>(bytes).is_err(), "{bytes:?}");
        }
        let mut twice = encode(&ClientMessage::Ping);
        twice.extend(encode(&ClientMessage::Ping));
        assert_eq!(decode::<ClientMessage>(&twice), Err(FrameError::Malformed));
        assert_eq!(
            decode::<ClientMessage>(&vec![0; MAX_FRAME + 1]),
            Err(FrameError::TooLarge)
        );
    }
}
