//! The messages of automerge-repo's WebSocket protocol, version 1: CBOR maps with words for keys.
//!
//! Invariant: reading looks at each byte of a frame once and copies no more than the frame has.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use std::convert::Infallible;

pub(super) const VERSION: &str = "1";

/// Keys that a message has at most; the protocol knows of eight.
const MAX_KEYS: u64 = 32;
const MAX_VERSIONS: u64 = 16;
/// A peer's or session's name, in bytes.
const MAX_NAME: usize = 256;

/// What a client says.
#[derive(Debug, PartialEq)]
pub(super) enum FromClient {
    Join {
        peer: String,
        /// Whether it speaks the version that we do.
        understood: bool,
    },
    Leave,
    /// Of a document, by the name that the client gave it: `request` and `sync` alike.
    Sync {
        document: String,
        data: Vec<u8>,
    },
    Ephemeral(Ephemeral),
    /// Nothing that concerns this server: gossip about other peers, or a message of a later protocol.
    Other,
}

/// What others who have the document open are told and nobody keeps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ephemeral {
    pub(super) document: String,
    pub(super) session: String,
    pub(super) count: u64,
    pub(super) data: Vec<u8>,
}

/// `None` if it is no message.
pub(super) fn read(frame: &[u8]) -> Option<FromClient> {
    let fields = Fields::read(&mut Decoder::new(frame)).ok().flatten()?;
    let name = |text: Option<&str>| text.filter(|text| text.len() <= MAX_NAME).map(str::to_owned);
    Some(match fields.kind? {
        "join" => FromClient::Join {
            peer: name(fields.sender)?,
            // The first clients did not say, and there was one version.
            understood: fields.versions.is_none_or(|versions| versions.contains(&VERSION)),
        },
        "leave" => FromClient::Leave,
        "request" | "sync" => FromClient::Sync {
            document: name(fields.document)?,
            data: fields.data?.to_vec(),
        },
        "ephemeral" => FromClient::Ephemeral(Ephemeral {
            document: name(fields.document)?,
            session: name(fields.session)?,
            count: fields.count?,
            data: fields.data?.to_vec(),
        }),
        _ => FromClient::Other,
    })
}

#[derive(Default)]
struct Fields<'a> {
    kind: Option<&'a str>,
    sender: Option<&'a str>,
    document: Option<&'a str>,
    session: Option<&'a str>,
    versions: Option<Vec<&'a str>>,
    count: Option<u64>,
    data: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// `None` for a map that is longer than any message.
    fn read(d: &mut Decoder<'a>) -> Result<Option<Self>, minicbor::decode::Error> {
        let mut fields = Self::default();
        let Some(keys @ 0..=MAX_KEYS) = d.map()? else {
            return Ok(None);
        };
        for _ in 0..keys {
            let key = d.str()?;
            if matches!(d.datatype()?, Type::Null | Type::Undefined) {
                d.skip()?;
                continue;
            }
            match key {
                "type" => fields.kind = Some(d.str()?),
                "senderId" => fields.sender = Some(d.str()?),
                "documentId" => fields.document = Some(d.str()?),
                "sessionId" => fields.session = Some(d.str()?),
                "count" => fields.count = Some(d.u64()?),
                "data" => {
                    // Some encoders say that it is an array of bytes, which it is anyhow.
                    if d.datatype()? == Type::Tag {
                        d.tag()?;
                    }
                    fields.data = Some(d.bytes()?);
                }
                "supportedProtocolVersions" => {
                    let Some(versions @ 0..=MAX_VERSIONS) = d.array()? else {
                        return Ok(None);
                    };
                    let versions = (0..versions).map(|_| d.str());
                    fields.versions = Some(versions.collect::<Result<_, _>>()?);
                }
                _ => d.skip()?,
            }
        }
        Ok(Some(fields))
    }
}

/// Writes to one client.
#[derive(Debug)]
pub(super) struct Envelope {
    /// Who we are: the same for every connection to a clinic, so that a client that comes back knows us again.
    pub(super) us: String,
    /// What we keep things under. With it a client can tell what of its work has arrived here.
    pub(super) storage: String,
    pub(super) peer: String,
}

type Written = Result<(), minicbor::encode::Error<Infallible>>;

impl Envelope {
    pub(super) fn peer(&self) -> Vec<u8> {
        self.write("peer", 2, |e| {
            e.str("selectedProtocolVersion")?.str(VERSION)?;
            e.str("peerMetadata")?.map(2)?;
            e.str("storageId")?.str(&self.storage)?;
            e.str("isEphemeral")?.bool(false)?.ok()
        })
    }

    pub(super) fn sync(&self, document: &str, data: &[u8]) -> Vec<u8> {
        self.write("sync", 2, |e| {
            e.str("documentId")?.str(document)?;
            e.str("data")?.bytes(data)?.ok()
        })
    }

    /// For what does not exist, what this account may not read, and what cannot be read any more, in the same words.
    pub(super) fn unavailable(&self, document: &str) -> Vec<u8> {
        self.write("doc-unavailable", 1, |e| e.str("documentId")?.str(document)?.ok())
    }

    /// After it the connection ends.
    pub(super) fn error(&self, message: &str) -> Vec<u8> {
        self.write("error", 1, |e| e.str("message")?.str(message)?.ok())
    }

    pub(super) fn ephemeral(&self, message: &Ephemeral, sender: &str) -> Vec<u8> {
        self.write_from(sender, "ephemeral", 4, |e| {
            e.str("documentId")?.str(&message.document)?;
            e.str("sessionId")?.str(&message.session)?;
            e.str("count")?.u64(message.count)?;
            e.str("data")?.bytes(&message.data)?.ok()
        })
    }

    fn write(&self, kind: &str, more: u64, fields: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written) -> Vec<u8> {
        self.write_from(&self.us, kind, more, fields)
    }

    fn write_from(
        &self,
        sender: &str,
        kind: &str,
        more: u64,
        fields: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written,
    ) -> Vec<u8> {
        let mut e = Encoder::new(Vec::new());
        let write = || -> Written {
            e.map(3 + more)?;
            e.str("type")?.str(kind)?;
            e.str("senderId")?.str(sender)?;
            e.str("targetId")?.str(&self.peer)?;
            fields(&mut e)
        };
        write().expect("writing to memory cannot fail");
        e.into_writer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written) -> Vec<u8> {
        let mut e = Encoder::new(Vec::new());
        write(&mut e).expect("written");
        e.into_writer()
    }

    #[test]
    fn a_join_as_clients_send_it() {
        let join = |versions: &[&str]| {
            map(|e| {
                e.map(4)?;
                e.str("type")?.str("join")?.str("senderId")?.str("peer-1")?;
                e.str("peerMetadata")?.map(2)?;
                e.str("storageId")?.undefined()?;
                e.str("isEphemeral")?.bool(true)?;
                e.str("supportedProtocolVersions")?.array(versions.len() as u64)?;
                versions.iter().try_for_each(|version| e.str(version)?.ok())
            })
        };
        let joined = |understood| {
            Some(FromClient::Join {
                peer: "peer-1".to_owned(),
                understood,
            })
        };
        assert_eq!(read(&join(&["1"])), joined(true));
        assert_eq!(read(&join(&["2", "1"])), joined(true));
        assert_eq!(read(&join(&["2"])), joined(false));
        assert_eq!(read(&join(&[])), joined(false));
        assert_eq!(read(&join(&["1"; 17])), None);
        let bare = map(|e| {
            e.map(2)?
                .str("type")?
                .str("join")?
                .str("senderId")?
                .str("peer-1")?
                .ok()
        });
        assert_eq!(read(&bare), joined(true));
    }

    #[test]
    fn what_we_write_can_be_read() {
        let us = Envelope {
            us: "here".to_owned(),
            storage: "kept".to_owned(),
            peer: "there".to_owned(),
        };
        let sync = FromClient::Sync {
            document: "doc".to_owned(),
            data: vec![1, 2, 3],
        };
        assert_eq!(read(&us.sync("doc", &[1, 2, 3])), Some(sync));
        let ephemeral = Ephemeral {
            document: "doc".to_owned(),
            session: "s".to_owned(),
            count: 300,
            data: vec![0xf6],
        };
        let written = us.ephemeral(&ephemeral, "somebody");
        assert_eq!(read(&written), Some(FromClient::Ephemeral(ephemeral)));
        for other in [us.peer(), us.unavailable("doc"), us.error("no")] {
            assert_eq!(read(&other), Some(FromClient::Other));
        }
    }

    #[test]
    fn nonsense_is_no_message() {
        let nested = [vec![0x81; 100_000], vec![0]].concat();
        let long_name = map(|e| {
            e.map(2)?.str("type")?.str("join")?;
            e.str("senderId")?.str(&"x".repeat(MAX_NAME + 1))?.ok()
        });
        let wrong_type = map(|e| e.map(1)?.str("type")?.u8(1)?.ok());
        let no_data = map(|e| {
            e.map(2)?
                .str("type")?
                .str("sync")?
                .str("documentId")?
                .str("d")?
                .ok()
        });
        for frame in [
            &[][..],
            &[0xa0],
            &[0xbf, 0xff],
            &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0xff; 40],
            b"{\"type\":\"join\"}",
            &nested,
            &long_name,
            &wrong_type,
            &no_data,
        ] {
            assert_eq!(read(frame), None, "{:?}", &frame[..frame.len().min(20)]);
        }
        // A key that nobody knows may hold anything.
        let deep = map(|e| {
            e.map(2)?.str("type")?.str("leave")?.str("x")?;
            (0..10_000).try_for_each(|_| e.array(1)?.ok())?;
            e.null()?.ok()
        });
        assert_eq!(read(&deep), Some(FromClient::Leave));
    }
}
