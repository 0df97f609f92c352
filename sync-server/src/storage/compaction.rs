//! What compaction reads and writes: the oldest part of a clinic's changes, step by step.
//!
//! Invariant: a step replaces what the merged documents hold anyway. Whoever reads at the same moment gets the changes
//! or the document with them, and nothing in between. Rows of the trail are replaced by what was read and found to be as it
//! was linked, and by nothing that lies there.

use super::trail::{Anchors, KeptChange, Link, LinkedRun, RunsEnd};
use super::{AuditRow, Stored, StoredDocument};
use async_trait::async_trait;
use automerge::ChangeHash;
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::time::Timestamp;
use shared_model::trail::RUN_GAP_MS;

/// Changes that one step looks at; more than one push may have, so that every number is whole in some step.
pub(crate) const STEP_LOOKS_AT: usize = shared_model::protocol::MAX_PUSH_CHANGES + 1;
/// Changes that one step takes if their numbers allow it, so that who writes meanwhile waits no longer than for a push.
pub(crate) const STEP_TAKES: usize = 200;
/// Longer than any run of changes, in milliseconds: it is made by one step, of at most so many numbers, each less than the gap
/// after the one before. Runs that were made with greater ones stay, so neither may become less without what is here.
pub(crate) const LONGEST_RUN_MS: i64 = STEP_TAKES as i64 * RUN_GAP_MS;

/// A row of the trail with all that it says about its run of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRun {
    pub first: AuditRow,
    pub at: Timestamp,
    pub last_at: Timestamp,
    pub changes: u32,
    pub hash: ChangeHash,
    /// How many events there were when its last row was written, and the link of the last of them.
    pub events: Option<u64>,
    pub happened: Option<Link>,
}

/// What the next step is about.
#[derive(Clone, Debug, Default)]
pub struct Compactable {
    /// The numbers after this one, up to that.
    pub after: u64,
    pub through: u64,
    pub changes: Vec<KeptChange>,
    pub audit: Vec<LinkedRun>,
    pub anchors: Anchors,
    /// Those of the documents that have changes appended to their saved form.
    pub appended: Vec<StoredDocument>,
}

/// A document's bytes, saved anew; dropped if it has other heads by now.
#[derive(Clone, Debug)]
pub struct SavedAnew {
    pub document: DocumentId,
    pub heads: Vec<ChangeHash>,
    pub bytes: Vec<u8>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Compaction {
    pub after: u64,
    pub through: u64,
    pub documents: Vec<DocumentId>,
    pub saved: Vec<SavedAnew>,
    pub audit: Vec<AuditRun>,
    /// The runs' links, in their order, and where the chains stand after it.
    pub links: Vec<Link>,
    pub end: RunsEnd,
}

#[async_trait]
pub trait CompactionStorage: Send + Sync {
    async fn clinics(&self) -> Stored<Vec<ClinicId>>;
    /// The oldest changes that are not compacted, of those accepted until a moment; `None` if there are none.
    async fn compactable(&self, clinic: ClinicId, until: Timestamp) -> Stored<Option<Compactable>>;
    /// Carries out a step in one short transaction; not if somebody else has meanwhile. Whether it was carried out.
    async fn compact(&self, clinic: ClinicId, step: Compaction) -> Stored<bool>;
}

/// The part of the oldest changes that a step may take: whole numbers, none accepted after `until`.
pub(crate) fn whole_and_old(mut changes: Vec<KeptChange>, until: Timestamp) -> Vec<KeptChange> {
    if changes.len() >= STEP_LOOKS_AT {
        // The last number may go on behind what was read.
        let last = changes.last().map(|change| change.number);
        changes.retain(|change| Some(change.number) != last);
    }
    let young = changes.iter().find(|change| change.accepted_at > until);
    if let Some(number) = young.map(|change| change.number) {
        changes.retain(|change| change.number < number);
    }
    let enough = changes.get(STEP_TAKES - 1).map(|change| change.number);
    if let Some(number) = enough {
        changes.retain(|change| change.number <= number);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::ids::{AccountId, DeviceId};
    use uuid::Uuid;

    fn change(number: u64, accepted_at: i64) -> KeptChange {
        KeptChange {
            number,
            position: 0,
            document: DocumentId(Uuid::nil()),
            hash: ChangeHash([0; 32]),
            actor: Vec::new(),
            seq: 1,
            account: AccountId(Uuid::nil()),
            device: DeviceId(Uuid::nil()),
            accepted_at: Timestamp(accepted_at),
            signed: None,
        }
    }

    #[test]
    fn a_step_ends_before_what_is_young_and_before_a_number_that_may_go_on() {
        let numbers = |changes, until| -> Vec<u64> {
            whole_and_old(changes, Timestamp(until))
                .iter()
                .map(|change| change.number)
                .collect()
        };
        let few = vec![
            change(2, 10),
            change(3, 20),
            change(3, 20),
            change(4, 15),
            change(5, 30),
        ];
        assert_eq!(numbers(few.clone(), 40), [2, 3, 3, 4, 5]);
        assert_eq!(numbers(few.clone(), 29), [2, 3, 3, 4]);
        assert_eq!(numbers(few, 15), [2], "the clock went back: order counts");
        let many: Vec<KeptChange> = (2..)
            .take(STEP_LOOKS_AT)
            .map(|number| change(number, 0))
            .collect();
        assert_eq!(numbers(many, 1).len(), STEP_TAKES);
        let mut large = vec![change(2, 0); STEP_LOOKS_AT - 1];
        large.push(change(3, 0));
        assert_eq!(
            numbers(large, 1),
            vec![2; STEP_LOOKS_AT - 1],
            "a number is taken whole"
        );
    }
}
