//! The links of the trail: each row is hashed with the link before it, so that altering, leaving out, adding or moving any
//! row breaks every link from there on.
//!
//! A clinic has three chains. That of what was written (`audit`) grows inside accept's transaction; each of its rows is linked
//! with its changes and their signatures too, and with the last event that there was. Compaction makes runs of its oldest
//! rows, which cannot keep their links: the runs get a chain of their own, and the *joint* keeps the link that the remaining
//! rows go on from. What is no writing of documents (sign-ins, refusals, reads) is in the third (`events`).
//! Invariant: pure, and the hash is over every column of a row. Anybody can compute links: what keeps somebody who can write
//! into the database from making a chain of his own is the seal of its end (`ends.rs`).

use crate::storage::compaction::AuditRun;
use crate::storage::trail::{Event, EventsEnd, KeptChange, Link, LinkedRun, Run, WrittenEnd};
use crate::storage::{AcceptWrites, AuditRow};
use sha2::{Digest, Sha256};
use shared_model::ids::ClinicId;

/// What the first row of a clinic's chains is hashed with. Rows up to the number are older than the chain.
pub(crate) fn beginning(clinic: ClinicId, chained_after: u64) -> Link {
    Sha256::new()
        .chain_update("trail begins v1")
        .chain_update(clinic.bytes())
        .chain_update(chained_after.to_be_bytes())
        .finalize()
        .into()
}

/// What a row is linked with beside what it says and the row before it.
#[derive(Clone, Copy, Debug)]
struct Bound {
    /// How many events there were, and the link of the last.
    events: u64,
    happened: Link,
    /// A single row's changes.
    changes: Option<[u8; 32]>,
}

/// The link of one row of what was written, a single one or a run. A build of before has linked its rows with nothing else.
fn link_run(clinic: ClinicId, before: Link, run: &Run, bound: Option<&Bound>) -> Link {
    let hash = Sha256::new()
        .chain_update(if bound.is_none() {
            "trail row v1"
        } else {
            "trail row v2"
        })
        .chain_update(before)
        .chain_update(clinic.bytes())
        .chain_update(run.number.to_be_bytes())
        .chain_update(run.position.to_be_bytes())
        .chain_update(run.account.bytes())
        .chain_update(run.device.bytes())
        .chain_update(run.document.bytes())
        .chain_update(text(&run.verb))
        .chain_update(run.at.0.to_be_bytes())
        .chain_update(optional(run.last_at.map(|at| at.0.to_be_bytes())))
        .chain_update(optional(run.changes.map(u32::to_be_bytes)))
        .chain_update(optional(run.hash));
    let hash = match bound {
        None => hash,
        Some(bound) => hash
            .chain_update(bound.events.to_be_bytes())
            .chain_update(bound.happened)
            .chain_update(optional(bound.changes)),
    };
    hash.finalize().into()
}

/// Changes with all that is entered about them beside their bytes, which their hashes stand for.
fn digest(changes: &[KeptChange]) -> [u8; 32] {
    let mut hash = Sha256::new().chain_update("trail changes v1");
    for change in changes {
        hash.update(change.number.to_be_bytes());
        hash.update(change.position.to_be_bytes());
        hash.update(change.document.bytes());
        hash.update(change.hash.0);
        hash.update(bytes(&change.actor));
        hash.update(change.seq.to_be_bytes());
        hash.update(change.account.bytes());
        hash.update(change.device.bytes());
        hash.update(change.accepted_at.0.to_be_bytes());
        hash.update(bytes(change.signed.as_deref().unwrap_or_default()));
    }
    hash.finalize().into()
}

/// Those of a number's changes that a row stands for: from its own position to that of the next row. They lie in their order.
pub(crate) fn changes_of(
    changes: &[KeptChange],
    (number, position): (u64, u32),
    next: Option<(u64, u32)>,
) -> &[KeptChange] {
    let end = match next {
        Some((next, position)) if next == number => position,
        _ => u32::MAX,
    };
    let at = |position| changes.partition_point(|change| change.place() < (number, position));
    let (begin, end) = (at(position), at(end));
    &changes[begin..end.max(begin)]
}

/// A walk along a chain of what was written: the runs, or the single rows.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    clinic: ClinicId,
    chained_after: u64,
    /// Of the last row that it has come to.
    pub(crate) link: Link,
}

impl Chain {
    /// Before the first row, or behind the one that has this link.
    pub(crate) fn behind(clinic: ClinicId, chained_after: u64, link: Option<Link>) -> Self {
        Self {
            clinic,
            chained_after,
            link: link.unwrap_or_else(|| beginning(clinic, chained_after)),
        }
    }

    /// Goes on to a run. Whether it is the one that was linked here.
    pub(crate) fn run(&mut self, row: &LinkedRun) -> bool {
        self.follow(row, None)
    }

    /// Goes on to a single row with its changes. Whether they are those that were linked here.
    pub(crate) fn single(&mut self, row: &LinkedRun, changes: &[KeptChange]) -> bool {
        !changes.is_empty() && self.follow(row, Some(digest(changes)))
    }

    fn follow(&mut self, row: &LinkedRun, changes: Option<[u8; 32]>) -> bool {
        let run = &row.run;
        let Some(link) = row.link else {
            return run.number <= self.chained_after;
        };
        let bound = match row.events {
            None => None,
            Some(events) => {
                let nothing_yet = (events == 0).then(|| beginning(self.clinic, self.chained_after));
                let Some(happened) = nothing_yet.or(row.happened) else {
                    return false;
                };
                Some(Bound {
                    events,
                    happened,
                    changes,
                })
            }
        };
        self.link = link_run(self.clinic, self.link, run, bound.as_ref());
        self.link == link
    }
}

/// The links of the rows that an accept writes, after the last one of the clinic, when events had come so far.
pub(crate) fn link_rows(
    clinic: ClinicId,
    end: &WrittenEnd,
    writes: &AcceptWrites,
    events: &EventsEnd,
) -> Vec<Link> {
    let kept = |row| KeptChange::of(row, writes.at);
    let changes: Vec<KeptChange> = writes.changes.iter().map(kept).collect();
    let happened = events.link(clinic, end.chained_after);
    let place = |row: &AuditRow| (row.number, row.position);
    let mut links = Vec::with_capacity(writes.audit.len());
    let mut before = end.link(clinic);
    for (at, row) in writes.audit.iter().enumerate() {
        let single = Run {
            number: row.number,
            position: row.position,
            account: row.account,
            device: row.device,
            document: row.document,
            verb: row.verb.clone(),
            at: writes.at,
            last_at: None,
            changes: None,
            hash: None,
        };
        let of_row = changes_of(&changes, place(row), writes.audit.get(at + 1).map(place));
        let bound = Bound {
            events: events.events,
            happened,
            changes: Some(digest(of_row)),
        };
        before = link_run(clinic, before, &single, Some(&bound));
        links.push(before);
    }
    links
}

/// The links of the runs that a step of compaction makes, after the last one of the clinic.
pub(crate) fn link_runs(clinic: ClinicId, before: &Chain, runs: &[AuditRun]) -> Vec<Link> {
    let nothing_yet = beginning(clinic, before.chained_after);
    let mut before = before.link;
    let link = |run: &AuditRun| {
        let row = Run {
            number: run.first.number,
            position: run.first.position,
            account: run.first.account,
            device: run.first.device,
            document: run.first.document,
            verb: run.first.verb.clone(),
            at: run.at,
            last_at: Some(run.last_at),
            changes: Some(run.changes),
            hash: Some(run.hash.0),
        };
        let bound = run.events.map(|events| Bound {
            events,
            happened: run.happened.unwrap_or(nothing_yet),
            changes: None,
        });
        before = link_run(clinic, before, &row, bound.as_ref());
        before
    };
    runs.iter().map(link).collect()
}

/// The link of one event.
pub(crate) fn link_event(clinic: ClinicId, before: Link, number: u64, event: &Event) -> Link {
    Sha256::new()
        .chain_update("trail event v1")
        .chain_update(before)
        .chain_update(clinic.bytes())
        .chain_update(number.to_be_bytes())
        .chain_update(event.at.0.to_be_bytes())
        .chain_update(optional(event.account.map(|id| *id.bytes())))
        .chain_update(optional(event.device.map(|id| *id.bytes())))
        .chain_update(optional(event.document.map(|id| *id.bytes())))
        .chain_update(text(&event.what))
        .chain_update(text(&event.detail))
        .finalize()
        .into()
}

fn text(text: &str) -> Vec<u8> {
    bytes(text.as_bytes())
}

/// With their length, so that no two rows are the same bytes.
fn bytes(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u64).to_be_bytes()[..], bytes].concat()
}

fn optional<const N: usize>(value: Option<[u8; N]>) -> Vec<u8> {
    match value {
        None => vec![0],
        Some(value) => [&[1][..], &value].concat(),
    }
}
