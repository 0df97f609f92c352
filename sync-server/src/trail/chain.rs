//! The links of the trail: each row is hashed with the link before it, so that altering, leaving out, adding or moving any
//! row breaks every link from there on.
//!
//! A clinic has three chains. That of what was written (`audit`) grows inside accept's transaction. Compaction makes runs of
//! its oldest rows, which cannot keep their links: the runs get a chain of their own, and the *joint* keeps the link that
//! the remaining rows go on from. What is no writing of documents (sign-ins, refusals, reads) is in the third (`events`).
//! Invariant: pure, and the hash is over every column of a row. Whoever can rewrite the whole database can rewrite its
//! chains: so `admin audit verify` tells the ends, to be noted where the database is not.

use crate::storage::compaction::AuditRun;
use crate::storage::trail::{Event, Link, Run};
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

/// The link of one row of what was written, a single one or a run.
pub(crate) fn link_run(clinic: ClinicId, before: Link, run: &Run) -> Link {
    Sha256::new()
        .chain_update("trail row v1")
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
        .chain_update(optional(run.hash))
        .finalize()
        .into()
}

/// The links of the rows that an accept writes, after the last one of the clinic.
pub(crate) fn link_rows(clinic: ClinicId, before: Link, writes: &AcceptWrites) -> Vec<Link> {
    let single = |row: &AuditRow| Run {
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
    link_all(clinic, before, writes.audit.iter().map(single))
}

/// The links of the runs that a step of compaction makes, after the last one of the clinic.
pub(crate) fn link_runs(clinic: ClinicId, before: Link, runs: &[AuditRun]) -> Vec<Link> {
    let run = |run: &AuditRun| Run {
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
    link_all(clinic, before, runs.iter().map(run))
}

fn link_all(clinic: ClinicId, before: Link, rows: impl Iterator<Item = Run>) -> Vec<Link> {
    let link = |before: &mut Link, row: Run| {
        *before = link_run(clinic, *before, &row);
        Some(*before)
    };
    rows.scan(before, link).collect()
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

/// With its length, so that no two rows are the same bytes.
fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_be_bytes()[..], text.as_bytes()].concat()
}

fn optional<const N: usize>(value: Option<[u8; N]>) -> Vec<u8> {
    match value {
        None => vec![0],
        Some(value) => [&[1][..], &value].concat(),
    }
}
