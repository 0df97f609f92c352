//! What a step of compaction writes, decided from what it read.
//!
//! Invariants: pure, and nothing that the trail needs is dropped: who, from which device, what, from when to when, how
//! many changes, and the hash of the last. The document's history has each of them. What is not as it was linked is not
//! compacted: a run would hide for good that somebody has altered it.

use crate::storage::compaction::{AuditRun, Compactable, Compaction, SavedAnew};
use crate::storage::trail::{Anchors, KeptChange, Link, LinkedRun, RunsEnd};
use crate::storage::{AuditRow, StoredDocument};
use crate::trail::{Break, Chain, changes_of, link_runs};
use automerge::ChangeHash;
use shared_model::documents::Document;
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::trail::RUN_GAP_MS;
use std::collections::{BTreeSet, HashMap};

/// Bytes of documents that one step saves anew; the others keep their appended part until they are written again.
const SAVE_BYTES: usize = 4 << 20;

/// # Errors
/// With the first row or change that is not what it was.
pub(super) fn plan(clinic: ClinicId, found: Compactable) -> Result<Compaction, Break> {
    let joint = joint(clinic, &found.anchors, &found.audit, &found.changes)?;
    let documents: BTreeSet<DocumentId> = found.changes.iter().map(|change| change.document).collect();
    let runs = runs(&found.audit, &found.changes);
    let Anchors {
        written, runs: end, ..
    } = &found.anchors;
    let before = Chain::behind(clinic, written.chained_after, end.runs);
    let links = link_runs(clinic, &before, &runs);
    Ok(Compaction {
        after: found.after,
        through: found.through,
        documents: documents.into_iter().collect(),
        saved: save_anew(clinic, found.appended),
        end: RunsEnd {
            horizon: found.through,
            runs: Some(links.last().copied().unwrap_or(before.link)),
            joint,
        },
        audit: runs,
        links,
    })
}

/// The last link of the rows that a step takes, if all of them go on from each other with the changes that they were linked
/// with.
fn joint(
    clinic: ClinicId,
    anchors: &Anchors,
    rows: &[LinkedRun],
    changes: &[KeptChange],
) -> Result<Option<Link>, Break> {
    if let Some(part) = anchors.unsealed {
        return Err(Break::Seal(part));
    }
    let mut chain = Chain::behind(clinic, anchors.written.chained_after, anchors.runs.joint);
    let mut joint = anchors.runs.joint;
    for (at, row) in rows.iter().enumerate() {
        let place = place(row);
        let of_row = changes_of(changes, place, rows.get(at + 1).map(self::place));
        if !chain.single(row, of_row) {
            let (number, position) = place;
            return Err(Break::Row { number, position });
        }
        joint = row.link.or(joint);
    }
    let places: BTreeSet<(u64, u32)> = rows.iter().map(place).collect();
    let untold = changes.iter().find(|change| {
        let before = places.range(..=change.place()).next_back();
        before.is_none_or(|(number, _)| *number != change.number)
    });
    match untold {
        Some(change) => Err(Break::Change {
            number: change.number,
            position: change.position,
        }),
        None => Ok(joint),
    }
}

fn place(row: &LinkedRun) -> (u64, u32) {
    (row.run.number, row.run.position)
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
fn runs(rows: &[LinkedRun], changes: &[KeptChange]) -> Vec<AuditRun> {
    let mut runs: Vec<AuditRun> = Vec::new();
    let mut last_of: HashMap<DocumentId, usize> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        let of_row = changes_of(changes, place(row), rows.get(at + 1).map(place));
        let run = one(row, of_row);
        let last = last_of.get(&row.run.document).and_then(|at| runs.get_mut(*at));
        match last {
            Some(last) if goes_on(last, &run) => {
                *last = AuditRun {
                    first: last.first.clone(),
                    at: last.at,
                    changes: last.changes + run.changes,
                    ..run
                };
            }
            _ => {
                last_of.insert(row.run.document, runs.len());
                runs.push(run);
            }
        }
    }
    runs
}

/// A run of one row.
fn one(row: &LinkedRun, changes: &[KeptChange]) -> AuditRun {
    let run = &row.run;
    AuditRun {
        first: AuditRow {
            number: run.number,
            position: run.position,
            account: run.account,
            device: run.device,
            document: run.document,
            verb: run.verb.clone(),
        },
        at: run.at,
        last_at: run.at,
        changes: u32::try_from(changes.len()).unwrap_or(u32::MAX),
        hash: changes.last().map_or(ChangeHash([0; 32]), |change| change.hash),
        events: row.events,
        happened: row.happened,
    }
}

fn goes_on(run: &AuditRun, next: &AuditRun) -> bool {
    let who_and_what = |run: &AuditRun| (run.first.account, run.first.device, run.first.verb.clone());
    who_and_what(run) == who_and_what(next) && next.at.0 - run.last_at.0 < RUN_GAP_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::compaction::{LONGEST_RUN_MS, STEP_TAKES, whole_and_old};
    use crate::storage::trail::{EventsEnd, Run, WrittenEnd};
    use crate::storage::{AcceptWrites, ChangeRow};
    use crate::trail::link_rows;
    use shared_model::ids::{AccountId, DeviceId};
    use shared_model::time::Timestamp;
    use uuid::Uuid;

    const CLINIC: ClinicId = ClinicId(Uuid::from_u128(1));

    fn row(number: u64, position: u32, document: u128, person: u128, verb: &str, at: i64) -> LinkedRun {
        LinkedRun {
            run: Run {
                number,
                position,
                account: AccountId(Uuid::from_u128(person)),
                device: DeviceId(Uuid::from_u128(person)),
                document: DocumentId(Uuid::from_u128(document)),
                verb: verb.to_owned(),
                at: Timestamp(at),
                last_at: None,
                changes: None,
                hash: None,
            },
            events: Some(0),
            happened: None,
            link: None,
        }
    }

    fn change(number: u64, position: u32, document: u128) -> KeptChange {
        KeptChange {
            number,
            position,
            document: DocumentId(Uuid::from_u128(document)),
            hash: ChangeHash([(number as u8).wrapping_mul(16).wrapping_add(position as u8); 32]),
            actor: vec![7; 16],
            seq: number,
            account: AccountId(Uuid::from_u128(7)),
            device: DeviceId(Uuid::from_u128(7)),
            accepted_at: Timestamp(0),
            signed: None,
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
            row(2, 0, 1, 7, "write", 0),
            row(3, 0, 1, 7, "write", 10),
            // Another document in between is none of its business.
            row(4, 0, 9, 7, "write", 20),
            row(5, 0, 1, 7, "write", 30),
            row(5, 2, 1, 7, "sign", 30),
            row(6, 0, 1, 7, "write", 40),
            row(7, 0, 1, 8, "write", 50),
            row(8, 0, 1, 8, "write", 50 + RUN_GAP_MS),
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

    /// Whoever looks for what went on at a moment looks so far back for where it began.
    #[test]
    fn the_longest_run_that_a_step_makes_is_found_by_its_end() {
        let numbers = 2..2 + 2 * STEP_TAKES as u64;
        let changes = numbers.clone().map(|number| change(number, 0, 1)).collect();
        let taken = whole_and_old(changes, Timestamp(0));
        let through = taken.last().expect("some").number;
        let audit: Vec<LinkedRun> = numbers
            .take_while(|number| *number <= through)
            .zip(0..)
            .map(|(number, after)| row(number, 0, 1, 7, "write", after * (RUN_GAP_MS - 1)))
            .collect();
        let runs = runs(&audit, &taken);
        let [run] = runs.as_slice() else {
            panic!("one run: {}", runs.len());
        };
        assert_eq!(run.changes as usize, STEP_TAKES);
        let length = run.last_at.0 - run.at.0;
        assert!(length < LONGEST_RUN_MS, "{length}");
        assert!(
            length > LONGEST_RUN_MS - 2 * RUN_GAP_MS,
            "it is no shorter: {length}"
        );
    }

    /// Three numbers as accept has written them, the second with two rows.
    fn compactable() -> Compactable {
        let mut audit = vec![
            row(2, 0, 1, 7, "write", 0),
            row(3, 0, 1, 7, "write", 0),
            row(3, 2, 1, 7, "sign", 0),
            row(4, 0, 9, 7, "write", 0),
        ];
        let changes = vec![
            change(2, 0, 1),
            change(3, 0, 1),
            change(3, 1, 1),
            change(3, 2, 1),
            change(4, 0, 9),
        ];
        let mut writes = AcceptWrites::new(4, Timestamp(0));
        writes.audit = audit.iter().map(|row| one(row, &[]).first).collect();
        writes.changes = changes
            .iter()
            .map(|change| ChangeRow {
                number: change.number,
                position: change.position,
                document: change.document,
                hash: change.hash,
                actor: change.actor.clone(),
                seq: change.seq,
                account: change.account,
                device: change.device,
                signed: None,
                bytes: Vec::new(),
            })
            .collect();
        let links = link_rows(CLINIC, &WrittenEnd::default(), &writes, &EventsEnd::default());
        for (row, link) in audit.iter_mut().zip(&links) {
            row.link = Some(*link);
        }
        Compactable {
            after: 0,
            through: 4,
            changes,
            audit,
            anchors: Anchors {
                written: WrittenEnd {
                    head: 4,
                    written: links.last().copied(),
                    ..WrittenEnd::default()
                },
                ..Anchors::default()
            },
            appended: Vec::new(),
        }
    }

    #[test]
    fn what_is_as_it_was_linked_becomes_runs_behind_a_joint() {
        let found = compactable();
        let end = found.anchors.written.written;
        let step = plan(CLINIC, found).expect("nobody altered it");
        assert_eq!(step.end.joint, end);
        assert_eq!(step.end.runs, step.links.last().copied());
        assert_eq!(
            told(&step.audit),
            [
                (2, 0, "write", 3, 0, 0x31),
                (3, 2, "sign", 1, 0, 0x32),
                (4, 0, "write", 1, 0, 0x40)
            ]
        );
    }

    #[test]
    fn what_somebody_has_altered_is_not_compacted() {
        type Alter = fn(&mut Compactable);
        let alterations: [(&str, Alter); 13] = [
            ("account", |to| to.audit[1].run.account = AccountId(Uuid::nil())),
            ("verb", |to| "forged".clone_into(&mut to.audit[1].run.verb)),
            ("at", |to| to.audit[0].run.at = Timestamp(9)),
            ("link", |to| to.audit[1].link = None),
            ("events", |to| to.audit[1].events = None),
            ("a row is gone", |to| drop(to.audit.remove(1))),
            ("the first row is gone", |to| drop(to.audit.remove(0))),
            ("the last row is gone", |to| drop(to.audit.pop())),
            ("a change is gone", |to| drop(to.changes.remove(2))),
            ("all of a row's are", |to| drop(to.changes.remove(0))),
            ("taken at", |to| to.changes[3].accepted_at = Timestamp(-9)),
            ("signature", |to| to.changes[3].signed = Some(vec![1; 72])),
            ("an unsealed end", |to| {
                to.anchors.unsealed = Some(crate::storage::trail::Part::Written);
            }),
        ];
        for (what, alter) in alterations {
            let mut found = compactable();
            alter(&mut found);
            assert!(plan(CLINIC, found).is_err(), "{what}");
        }
    }
}
