//! Everything that can happen to a device, in one closed list.

use crate::query::Query;
use serde::{Deserialize, Serialize};
use shared_model::commands::Command;
use shared_model::ids::DeviceId;
use shared_model::permissions::Principal;
use shared_model::time::Timestamp;

/// What signing in gave: who this is, and the tokens to prove it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub principal: Principal,
    pub access_token: String,
    pub access_expires: Timestamp,
    pub refresh_token: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("account", &self.principal.account)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// The host is up: look whether somebody is signed in, and connect.
    Started,
    /// `fresh_actor` becomes the account's Automerge actor in this store if it has none yet; `device` likewise.
    SignedIn {
        credentials: Credentials,
        device: DeviceId,
        fresh_actor: [u8; 16],
    },
    SignedOut,
    /// The answer to `Effect::RenewSession`; `None` if the server could not be asked.
    SessionRenewed(Option<Credentials>),
    /// The server does not know this session any more.
    SessionRefused,
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
