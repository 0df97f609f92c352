//! Work that a device has called saved, and what became of it.
//!
//! Invariant: saved work waits in the outbox, is at the clinic, is listed as refused, or lies with the clinic's
//! administrators; nothing else can become of it.

use crate::invariant::{Holds, Invariant, broken};
use crate::ledger::{Ledger, history};
use automerge::ChangeHash;
use local_core::{Event, OutboxEntry, Store};
use shared_model::commands::Command;
use shared_model::ids::{AccountId, ClinicId, DocumentId};
use shared_model::protocol::{self, ServerMessage};
use shared_model::time::Timestamp;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Waits,
    AtTheClinic,
    Listed,
    /// Its author has left, and it waits for the administrators.
    HandedIn,
    /// Everything that it said stood there already once earlier work was refused.
    Void,
}

/// One change of one command that was answered with Ok.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    pub(crate) account: AccountId,
    pub(crate) document: DocumentId,
    pub(crate) hash: ChangeHash,
    pub(crate) made_at: Timestamp,
    pub(crate) command: Command,
    pub(crate) standing: Standing,
}

impl Promise {
    pub(crate) fn is_open(&self) -> bool {
        self.standing == Standing::Waits
    }
}

/// What an event takes out of records. Later work on it is done again, and may say nothing then that does not stand there.
pub(crate) enum TakenBack {
    Nothing,
    /// Whatever waits is done again in a new name.
    All,
    /// The server refuses something of these documents.
    Refused(BTreeSet<DocumentId>),
    /// Somebody has left, or may have: what waited until then.
    Left(Vec<OutboxEntry>),
}

impl TakenBack {
    pub(crate) fn by(event: &Event, store: &Store, promises: &[Promise]) -> Self {
        match event {
            Event::FreshActor(_) => Self::All,
            Event::HandedIn { .. } => {
                let open = promises.iter().filter(|promise| promise.is_open());
                let documents: BTreeSet<DocumentId> = open.map(|promise| promise.document).collect();
                let rows = documents
                    .into_iter()
                    .flat_map(|document| store.outbox_of(document).unwrap_or_default());
                Self::Left(rows.filter(|row| row.refused.is_none()).collect())
            }
            Event::Frame(frame) => match protocol::decode::<ServerMessage>(frame) {
                Ok(ServerMessage::Accepted(accepted)) => {
                    Self::Refused(accepted.refused.iter().map(|refusal| refusal.document).collect())
                }
                _ => Self::Nothing,
            },
            _ => Self::Nothing,
        }
    }

    /// Of how many documents the server refused something.
    pub(crate) fn refused(&self) -> u64 {
        match self {
            Self::Refused(documents) => documents.len() as u64,
            Self::Nothing | Self::All | Self::Left(_) => 0,
        }
    }

    /// Whether work that is nowhere any more may have come to say nothing. `rows` is what its document's outbox has now.
    fn voids(&self, promise: &Promise, rows: &[OutboxEntry], inbox: impl Fn(&ChangeHash) -> bool) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::Refused(documents) => documents.contains(&promise.document),
            Self::Left(before) => before
                .iter()
                .filter(|row| row.document == promise.document && row.hash[..] != promise.hash.0)
                .any(|row| match rows.iter().find(|now| now.seq == row.seq) {
                    Some(now) => now.refused.is_some(),
                    None => {
                        row.account != promise.account && hash(&row.hash).is_some_and(|hash| inbox(&hash))
                    }
                }),
        }
    }
}

fn hash(bytes: &[u8]) -> Option<ChangeHash> {
    bytes.try_into().ok().map(ChangeHash)
}

/// The promises that a command makes which was answered with Ok just now.
pub(crate) fn made(
    store: &Store,
    known: &[Promise],
    account: AccountId,
    command: &Command,
    documents: impl IntoIterator<Item = DocumentId>,
) -> Vec<Promise> {
    let known: BTreeSet<ChangeHash> = known.iter().map(|promise| promise.hash).collect();
    let mut promises = Vec::new();
    for document in documents {
        let rows = store.outbox_of(document).unwrap_or_default();
        for row in rows {
            let Some(hash) = hash(&row.hash) else { continue };
            if row.refused.is_none() && !known.contains(&hash) && row.command.as_ref() == Some(command) {
                promises.push(Promise {
                    account,
                    document,
                    hash,
                    made_at: row.made_at,
                    command: command.clone(),
                    standing: Standing::Waits,
                });
            }
        }
    }
    promises
}

/// Whether the device's record has the change: then it says something still, and is to be sent.
fn is_in_record(store: &Store, clinic: ClinicId, promise: &Promise) -> bool {
    let Ok(Some(record)) = store.document(promise.document) else {
        return false;
    };
    history(record.kind, clinic, record.id, &record.bytes).contains(&promise.hash)
}

/// Looks what became of the open promises after an event.
pub(crate) fn settle(
    store: &Store,
    clinic: ClinicId,
    promises: &mut [Promise],
    ledger: &Ledger,
    inbox: impl Fn(&ChangeHash) -> bool,
    taken_back: &TakenBack,
) -> Holds {
    let mut claimed: BTreeSet<ChangeHash> = promises.iter().map(|promise| promise.hash).collect();
    for promise in promises.iter_mut().filter(|promise| promise.is_open()) {
        let rows = store.outbox_of(promise.document).map_err(|error| {
            broken(
                Invariant::NothingBreaks,
                format!("the outbox cannot be read: {error}"),
            )
        })?;
        if let Some(row) = rows.iter().find(|row| hash(&row.hash) == Some(promise.hash)) {
            if row.refused.is_some() {
                promise.standing = Standing::Listed;
            }
            continue;
        }
        if ledger.has(&promise.hash) {
            promise.standing = Standing::AtTheClinic;
            continue;
        }
        if inbox(&promise.hash) {
            promise.standing = Standing::HandedIn;
            continue;
        }
        let again = rows.iter().find(|row| {
            row.made_at == promise.made_at
                && row.command.as_ref().map(Command::verb) == Some(promise.command.verb())
                && hash(&row.hash).is_some_and(|hash| !claimed.contains(&hash))
        });
        if let Some(row) = again {
            if let Some(hash) = hash(&row.hash) {
                promise.hash = hash;
                claimed.insert(hash);
            }
            if row.refused.is_some() {
                promise.standing = Standing::Listed;
            }
            continue;
        }
        let stands = || is_in_record(store, clinic, promise);
        if taken_back.voids(promise, &rows, &inbox) && !stands() {
            promise.standing = Standing::Void;
            continue;
        }
        return Err(broken(
            Invariant::AcknowledgedSurvives,
            format!(
                "{} of {}, called saved, is neither in the outbox nor at the clinic or with its administrators",
                promise.command.verb(),
                promise.document
            ),
        ));
    }
    Ok(())
}
