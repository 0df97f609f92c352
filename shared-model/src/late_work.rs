//! Late work: what somebody did on a device, perhaps without a network, before their rights ended, and what the clinic
//! therefore does not take from them any more. It is handed in to the clinic's administrators, who have it done again in
//! their own name or let it go. Requests and answers below `/api/v1`, in JSON.
//!
//! Invariant: nothing that is handed in reaches a record by itself.

use crate::documents::Kind;
use crate::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Items of one request.
pub const MAX_ITEMS: usize = 200;
/// Others whom one request is about.
pub const MAX_AUTHORS: usize = 32;
/// Characters of a reason; it is a sentence.
pub const MAX_REASON: usize = 200;
/// Changes that one decision is about.
pub const MAX_DECIDED: usize = 500;
/// Bytes of one command: what it writes, and a change is packed while a command is not.
pub const MAX_COMMAND: usize = 1 << 20;
/// A request's body, in bytes. The largest change and the largest command fit.
pub const MAX_HAND_IN: usize = 2 << 20;
/// So many bytes of changes and commands go into one request; as text they are a third longer.
pub const HAND_IN_BUDGET: usize = 512 << 10;
/// So long after its end an access token still proves who hands work in, in milliseconds: a tablet that lay in a drawer
/// over the summer.
pub const HAND_IN_WITHIN_MS: i64 = 180 * 24 * 3_600_000;

/// `POST /late-work`, with the access token that the device had last (a member's has to be fresh), answered by [`Kept`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandIn {
    pub device: DeviceId,
    /// The session was refused: everything that waits is handed in, unless the person still belongs to the clinic, and the
    /// answer is [`crate::accounts::codes::STILL_MEMBER`]. Otherwise it is what a member wants to be handed in.
    pub left: bool,
    /// In the order in which they were made.
    pub items: Vec<HandedIn>,
    /// A member asks which of these others have left: who is signed in on the device too, and whose work waits there for them
    /// alone or has been handed in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<AccountId>,
}

/// One change of the outbox with its command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedIn {
    pub kind: Kind,
    pub document: DocumentId,
    /// The change's hash, 32 bytes in lower-case hexadecimal.
    pub hash: String,
    /// The change chunk.
    #[serde(with = "as_text")]
    pub change: Vec<u8>,
    /// The command as the outbox has it; a build that does not know it shows it as unreadable.
    #[serde(with = "as_text")]
    pub command: Vec<u8>,
    pub made_at: Timestamp,
    /// Of somebody else than who hands in: how its author signed it on this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<SignedBy>,
}

/// A change's signature, see [`crate::authorship`], with the id of its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedBy {
    /// 8 bytes.
    #[serde(with = "as_text")]
    pub key: Vec<u8>,
    /// 64 bytes.
    #[serde(with = "as_text")]
    pub signature: Vec<u8>,
}

/// Who handed in, whether they belong to the clinic no more, and what is safe there now. It names them, because answers may
/// come when somebody else is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub account: AccountId,
    pub clinic: ClinicId,
    pub has_left: bool,
    /// Hashes, as handed in: the device need not keep these. What is missing here was not taken: it is not what it says it
    /// is, too large, more than the clinic keeps of one person, or the work of somebody else who has not left.
    pub hashes: Vec<String>,
    /// Of the others whose work was handed in or who were asked about, who belong to the clinic no more.
    #[serde(default)]
    pub authors_left: Vec<AccountId>,
}

/// `GET /late-work`: what nobody has decided about, in the order in which it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateWorkPage {
    pub works: Vec<LateWork>,
    /// What to ask for as `after` to get the next page; `None` if there is none.
    pub next: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LateWork {
    pub hash: String,
    pub author: AccountId,
    pub author_name: String,
    /// Who handed it in, if it was not its author. Never left out: devices pass this on in a form without names.
    #[serde(default)]
    pub brought_by: Option<String>,
    pub device: DeviceId,
    pub kind: Kind,
    pub document: DocumentId,
    #[serde(with = "as_text")]
    pub change: Vec<u8>,
    #[serde(with = "as_text")]
    pub command: Vec<u8>,
    pub made_at: Timestamp,
    pub received_at: Timestamp,
}

/// `GET /late-work/count`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateWorkCount {
    pub waiting: u64,
}

/// `POST /late-work/decide`: about several at once, because one paragraph is many changes. All of them or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decide {
    pub hashes: Vec<String>,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The administrator has done it again in their own name.
    Taken,
    LetGo {
        reason: String,
    },
}

/// Bytes as base64url without padding.
mod as_text {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        URL_SAFE_NO_PAD.decode(text).map_err(serde::de::Error::custom)
    }
}
