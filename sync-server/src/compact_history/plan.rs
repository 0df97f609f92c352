//! What a step of compaction writes, decided from what it read.
//!
//! Invariant: pure, and nothing that the trail needs is dropped: who, from which device, what, from when to when, how
//! many changes, and the hash of the last. The document's history has each of them.

use crate::storage::compaction::{AuditRun, Compactable, Compaction, OldChange, SavedAnew};
use crate::storage::{AuditRow, StoredDocument};
use automerge::ChangeHash;
use shared_model::documents::Document;
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::time::Timestamp;
use shared_model::trail::RUN_GAP_MS;
use std::collections::{BTreeSet, HashMap};

/// Bytes of documents that one step saves anew; the others keep their appended part until they are written again.
const SAVE_BYTES: usize = 4 << 20;

pub(super) fn plan(clinic: ClinicId, found: Compactable) -> Compaction {
    let documents: BTreeSet<DocumentId> = found.changes.iter().map(|change| change.document).collect();
    Compaction {
        after: found.after,
        through: found.through,
        documents: documents.into_iter().collect(),
        saved: save_anew(clinic, found.appended),
        audit: runs(&found.audit, &found.changes),
    }
}

fn save_anew(clinic: ClinicId, appended: Vec<StoredDocument>) -> Vec<SavedAnew> {
    let mut read = 0;
    let affordable = appended.into_iter().take_while(|stored| {
        read += stored.bytes.len();
        read <= SAVE_BYTES
    });
    let mut saved = Vec::new();
    for stored in affordable {
        match Document::load(stored.kind, clinic, stored.id, &stored.bytes) {
            Ok(document) => {
                let bytes = document.save();
                if bytes.len() < stored.bytes.len() {
                    saved.push(SavedAnew {
                        document: stored.id,
                        heads: document.heads(),
                        bytes,
                    });
                }
            }
            Err(error) => {
                tracing::error!(%clinic, document = %stored.id, %error, "a stored document is damaged");
            }
        }
    }
    saved
}

/// The trail with each row's changes counted, and rows of one kind that follow each other made one.
fn runs(audit: &[(AuditRow, Timestamp)], changes: &[OldChange]) -> Vec<AuditRun> {
    let mut runs: Vec<AuditRun> = Vec::new();
    let mut last_of: HashMap<DocumentId, usize> = HashMap::new();
    for (at, (row, moment)) in audit.iter().enumerate() {
        let next = audit.get(at + 1).map(|(next, _)| next);
        let end = next
            .filter(|next| next.number == row.number)
            .map_or(u32::MAX, |next| next.position);
        let (count, hash) = counted(changes, row.number, row.position, end);
        let last = last_of.get(&row.document).and_then(|at| runs.get_mut(*at));
        match last {
            Some(run) if goes_on(run, row, *moment) => {
                run.last_at = *moment;
                run.changes += count;
                run.hash = hash;
            }
            _ => {
                last_of.insert(row.document, runs.len());
                runs.push(AuditRun {
                    first: row.clone(),
                    at: *moment,
                    last_at: *moment,
                    changes: count,
                    hash,
                });
            }
        }
    }
    runs
}

fn goes_on(run: &AuditRun, row: &AuditRow, at: Timestamp) -> bool {
    let first = &run.first;
    (first.account, first.device, first.verb.as_str()) == (row.account, row.device, row.verb.as_str())
        && at.0 - run.last_at.0 < RUN_GAP_MS
}

/// The changes of a number between two positions, and the hash of the last.
fn counted(changes: &[OldChange], number: u64, from: u32, end: u32) -> (u32, ChangeHash) {
    let begin = changes.partition_point(|change| (change.number, change.position) < (number, from));
    let after = changes.partition_point(|change| (change.number, change.position) < (number, end));
    let run = &changes[begin..after.max(begin)];
    let hash = run.last().map_or(ChangeHash([0; 32]), |change| change.hash);
    (u32::try_from(run.len()).unwrap_or(u32::MAX), hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::ids::{AccountId, DeviceId};
    use uuid::Uuid;

    fn row(number: u64, position: u32, document: u128, person: u128, verb: &str) -> AuditRow {
        AuditRow {
            number,
            position,
            account: AccountId(Uuid::from_u128(person)),
            device: DeviceId(Uuid::from_u128(person)),
            document: DocumentId(Uuid::from_u128(document)),
            verb: verb.to_owned(),
        }
    }

    fn change(number: u64, position: u32, document: u128) -> OldChange {
        OldChange {
            number,
            position,
            document: DocumentId(Uuid::from_u128(document)),
            hash: ChangeHash([number as u8 * 16 + position as u8; 32]),
            accepted_at: Timestamp(0),
        }
    }

    fn told(runs: &[AuditRun]) -> Vec<(u64, u32, &str, u32, i64, u8)> {
        runs.iter()
            .map(|run| {
                let first = &run.first;
                let verb = first.verb.as_str();
                (
                    first.number,
                    first.position,
                    verb,
                    run.changes,
                    run.last_at.0,
                    run.hash.0[0],
                )
            })
            .collect()
    }

    #[test]
    fn typing_is_one_run_and_whatever_comes_between_ends_it() {
        let audit = [
            (row(2, 0, 1, 7, "write"), Timestamp(0)),
            (row(3, 0, 1, 7, "write"), Timestamp(10)),
            // Another document in between is none of its business.
            (row(4, 0, 9, 7, "write"), Timestamp(20)),
            (row(5, 0, 1, 7, "write"), Timestamp(30)),
            (row(5, 2, 1, 7, "sign"), Timestamp(30)),
            (row(6, 0, 1, 7, "write"), Timestamp(40)),
            (row(7, 0, 1, 8, "write"), Timestamp(50)),
            (row(8, 0, 1, 8, "write"), Timestamp(50 + RUN_GAP_MS)),
        ];
        let changes = [
            change(2, 0, 1),
            change(3, 0, 1),
            change(3, 1, 1),
            change(4, 0, 9),
            change(5, 0, 1),
            change(5, 1, 1),
            change(5, 2, 1),
            change(6, 0, 1),
            change(7, 0, 1),
            change(8, 0, 1),
        ];
        let runs = runs(&audit, &changes);
        assert_eq!(
            told(&runs),
            [
                (2, 0, "write", 5, 30, 0x51),
                (4, 0, "write", 1, 20, 0x40),
                (5, 2, "sign", 1, 30, 0x52),
                (6, 0, "write", 1, 40, 0x60),
                (7, 0, "write", 1, 50, 0x70),
                (8, 0, "write", 1, 50 + RUN_GAP_MS, 0x80),
            ]
        );
        assert_eq!(
            runs.iter().map(|run| run.changes).sum::<u32>(),
            10,
            "none is forgotten"
        );
    }
}
