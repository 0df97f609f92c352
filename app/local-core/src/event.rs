//! Everything that can happen to a device, in one closed list.

use crate::query::Query;
use serde::{Deserialize, Serialize};
use shared_model::commands::Command;
use shared_model::ids::{AccountId, DeviceId};
use shared_model::late_work::{Kept, LateWork};
use shared_model::permissions::Principal;
use shared_model::time::Timestamp;
use zeroize::Zeroize;

/// What a person decides about refused work, named by its rows in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Do it again as it is, in the name of whoever is signed in: its author, or a colleague who takes it over.
    Again { rows: Vec<i64> },
    /// Do this in its stead.
    Instead { rows: Vec<i64>, command: Command },
    /// Let it go. It is kept with the reason.
    LetGo { rows: Vec<i64>, reason: String },
    /// Take up what was let go.
    PutBack { rows: Vec<i64> },
    /// Hand it in to the clinic's administrators, who decide instead. For good.
    HandIn { rows: Vec<i64> },
    /// Do late work of others, which was handed in, again in the name of whoever is signed in: those of `works` that
    /// `hashes` names, in their order. The others tell what their author saw.
    TakeOver {
        works: Vec<LateWork>,
        hashes: Vec<String>,
    },
}

impl Decision {
    pub(crate) fn rows(&self) -> &[i64] {
        match self {
            Self::Again { rows }
            | Self::Instead { rows, .. }
            | Self::LetGo { rows, .. }
            | Self::PutBack { rows }
            | Self::HandIn { rows } => rows,
            Self::TakeOver { .. } => &[],
        }
    }
}

/// What the clinic says to work that was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HandInAnswer {
    /// What is safe there, and whether its author has left.
    Kept(Kept),
    /// The person belongs to the clinic: they sign in, and their work is sent.
    StillMember,
    /// What this device proves itself with is too old.
    TooLate,
    /// The clinic could not be asked, or not now.
    Unreachable,
}

/// What signing in gave: who this is, and the tokens to prove it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub principal: Principal,
    pub access_token: String,
    pub access_expires: Timestamp,
    pub refresh_token: String,
}

/// 32 random bytes that a signing key is made of.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySeed(pub [u8; 32]);

impl Drop for KeySeed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeySeed")
    }
}

/// Tokens are renewed so long before they expire.
const RENEW_EARLY_MS: i64 = 60_000;

impl Credentials {
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.access_expires.0 - now.0 >= RENEW_EARLY_MS
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("account", &self.principal.account)
            .finish_non_exhaustive()
    }
}

/// A ticket says above these bits which page asked, and below them which of its questions it was. Page 0 is a host that
/// lives as long as its core and never asks twice; any other page's tickets are remembered, so that what was carried out
/// is not carried out again.
pub const PAGE_BITS: u32 = 24;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// The host is up: look whether somebody is signed in, and connect.
    Started,
    /// `fresh_actor` becomes the account's Automerge actor in this store if it has none yet, `fresh_key` its signing key;
    /// `device` likewise.
    SignedIn {
        credentials: Credentials,
        device: DeviceId,
        fresh_actor: [u8; 16],
        fresh_key: KeySeed,
    },
    /// Somebody unlocked the device: they go on with the tokens that they signed in with before.
    Entered(AccountId),
    SignedOut,
    /// The answer to `Effect::RenewSession`; `None` if the server could not be asked.
    SessionRenewed(Option<Credentials>),
    /// The server does not know this session any more.
    SessionRefused,
    /// The server does not renew this session because the device was reported lost.
    DeviceLost,
    SocketOpened,
    Frame(Vec<u8>),
    /// `dice` spreads the reconnects of many devices.
    SocketClosed {
        dice: u32,
    },
    /// The system believes that the network is back: a hint to try now.
    NetworkHint,
    /// A person asked for something; `ticket` comes back with the answer.
    Command {
        ticket: u64,
        command: Command,
    },
    /// A person decided about refused work; `ticket` comes back with the answer.
    Decide {
        ticket: u64,
        decision: Decision,
    },
    /// The answer to `Effect::HandIn`; `dice` spreads the attempts of many devices.
    HandedIn {
        answer: HandInAnswer,
        dice: u32,
    },
    /// The answer to `Effect::FreshActor`: 16 random bytes.
    FreshActor([u8; 16]),
    Watch {
        watch: u64,
        query: Query,
    },
    Unwatch {
        watch: u64,
    },
    /// The moment of an earlier `Effect::WakeAt`.
    Tick,
    /// The person asked to try writing again after a storage failure.
    RetryStorage,
}
