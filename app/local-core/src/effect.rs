//! Everything a device's core asks its host to do, in one closed list.

use crate::query::View;
use crate::store::StorageTrouble;
use serde::{Deserialize, Serialize};
use shared_model::commands::CommandError;
use shared_model::ids::DeviceId;
use shared_model::late_work::HandIn;
use shared_model::time::Timestamp;

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The command itself, or the person's permissions.
    Command(CommandError),
    /// The device could not store it. Nothing was changed.
    Storage(StorageTrouble),
    /// Nobody is signed in.
    SignedOut,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    OpenSocket,
    CloseSocket,
    Send(Vec<u8>),
    /// Ask the server for fresh tokens over HTTP.
    RenewSession {
        refresh_token: String,
        device: DeviceId,
    },
    /// The command's answer. `Ok` holds the moment at which it became durable.
    Answer {
        ticket: u64,
        outcome: Result<Timestamp, Failure>,
    },
    View {
        watch: u64,
        view: View,
    },
    /// Send `Event::Tick` then; a later one replaces an earlier one.
    WakeAt(Timestamp),
    /// This store was copied or restored: answer with `Event::FreshActor`, so that it writes in a name of its own.
    FreshActor,
    /// The records of this device, which was lost, are gone: tell the server, with the token that the device had.
    Purged {
        refresh_token: String,
        device: DeviceId,
    },
    /// Hand in work with the token that this device had last, though it may have expired: answer with `Event::HandedIn`.
    HandIn {
        access_token: String,
        work: HandIn,
    },
    /// Somebody is signed in, or nobody is.
    SignedIn(bool),
    /// Signing in here is not possible as long as work of somebody else waits to be sent.
    SignInRefused {
        waiting: u64,
        name: String,
    },
}
