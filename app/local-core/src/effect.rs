//! Everything a device's core asks its host to do, in one closed list.

use crate::query::View;
use crate::store::StorageTrouble;
use serde::{Deserialize, Serialize};
use shared_model::commands::CommandError;
use shared_model::ids::{AccountId, DeviceId};
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

/// Somebody who was signed in on this device belongs to the clinic no more, and nothing of theirs that they could hand in is
/// here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HasLeft {
    pub account: AccountId,
    pub name: String,
    /// Empty if nothing here knew it.
    pub clinic: String,
    /// What was handed in to the clinic's administrators, and when the last of it was safe there.
    pub entries: u64,
    pub at: Option<Timestamp>,
    /// Nothing of the clinic is on this device any more; otherwise colleagues go on with it.
    pub records_gone: bool,
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
    /// Whatever opens the records must not let this person in again; told at each coming in, in case the host had no time to
    /// see to it. With `records_gone` the store is empty, and goes itself.
    HasLeft(HasLeft),
    /// Somebody is signed in, or nobody is.
    SignedIn(bool),
    /// Signing in here is not possible as long as work of somebody else waits to be sent.
    SignInRefused {
        waiting: u64,
        name: String,
    },
    /// Signing in could not be written down: nobody else is here than before.
    SignInFailed(StorageTrouble),
}
