//! Walks a clinic's trail from its first row to its last and finds the first that is not what it was, and the first change
//! that was not signed by whom it was entered for.

use super::chain::{beginning, link_event, link_run};
use crate::storage::trail::{Anchors, Link, LinkedEvent, LinkedRun, SignedChange};
use crate::storage::{Storage, Stored};
use shared_model::authorship::{KeyId, PublicKey};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

/// Rows read at a time.
const STRETCH: usize = 2_000;

/// What walking a clinic's trail came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Whole(Ends),
    Broken(Break),
}

/// How far the chains go, to be noted outside of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Rows that are chained, and rows from before that was so.
    pub rows: u64,
    pub older: u64,
    pub events: u64,
    pub written: Link,
    pub happened: Link,
}

/// The first row that does not go on from the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Break {
    /// Of what was written: altered, added, moved, or the first behind one that was taken out.
    Row {
        number: u64,
        position: u32,
    },
    /// Behind the last row that is there, rows are missing.
    RowsMissing {
        after: u64,
    },
    /// A change's signature is not by whom it was entered for.
    Signature {
        number: u64,
        position: u32,
    },
    Event {
        number: u64,
    },
    EventsMissing {
        after: u64,
    },
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row { number, position } => {
                write!(
                    f,
                    "row {number}.{position} of what was written is not what it was, or one before it is gone"
                )
            }
            Self::RowsMissing { after } => {
                write!(f, "rows of what was written are missing after number {after}")
            }
            Self::Signature { number, position } => write!(
                f,
                "change {number}.{position} was not signed by whom it is said to be by"
            ),
            Self::Event { number } => {
                write!(f, "event {number} is not what it was, or one before it is gone")
            }
            Self::EventsMissing { after } => write!(f, "events are missing after number {after}"),
        }
    }
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rows and {} events are whole ({} rows are older than the chain); ends {} {}",
            self.rows,
            self.events,
            self.older,
            hex::encode(self.written),
            hex::encode(self.happened)
        )
    }
}

/// Walks the whole trail of a clinic. What is written meanwhile is behind the end that was read first, and left alone.
pub async fn verify_trail(storage: &dyn Storage, clinic: ClinicId) -> Stored<Verdict> {
    loop {
        let anchors = storage.trail_anchors(clinic).await?;
        let mut walk = Walk::new(clinic, &anchors);
        let mut after = None;
        loop {
            let rows = storage.trail_runs(clinic, after, STRETCH).await?;
            let Some(last) = rows.last() else { break };
            after = Some((last.run.number, last.run.position));
            rows.iter().for_each(|row| walk.row(row));
        }
        let mut authors = Authors::default();
        let mut after_change = None;
        loop {
            let changes = storage.signed_changes(clinic, after_change, STRETCH).await?;
            let Some(last) = changes.last() else { break };
            after_change = Some((last.number, last.position));
            for change in &changes {
                let key = authors.key_of(storage, change).await?;
                walk.signature(change, key);
            }
        }
        let mut after_event = 0;
        loop {
            let events = storage.trail_events(clinic, after_event, STRETCH).await?;
            let Some(last) = events.last() else { break };
            after_event = last.number;
            events.iter().for_each(|event| walk.event(event));
        }
        // Compaction moves rows from one chain to the other: what was read across it says nothing.
        let now = storage.trail_anchors(clinic).await?;
        if (now.horizon, now.joint, now.runs) == (anchors.horizon, anchors.joint, anchors.runs) {
            return Ok(walk.end(&now, after, after_event));
        }
    }
}

/// Keys that were looked up already.
#[derive(Default)]
struct Authors(HashMap<(DeviceId, KeyId), Option<(AccountId, PublicKey)>>);

impl Authors {
    /// What a change was signed with, and whose it is.
    async fn key_of(
        &mut self,
        storage: &dyn Storage,
        change: &SignedChange,
    ) -> Stored<Option<(AccountId, PublicKey)>> {
        let Some(signed) = change.signed else {
            return Ok(None);
        };
        match self.0.entry((change.device, signed.key)) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(unknown) => {
                let found = storage.people().signing_key(change.device, signed.key).await?;
                let key = found.and_then(|(account, key)| Some((account, PublicKey::from_bytes(&key)?)));
                Ok(*unknown.insert(key))
            }
        }
    }
}

/// A walk along a clinic's chains.
struct Walk<'a> {
    clinic: ClinicId,
    anchors: &'a Anchors,
    /// The last link of the runs, and of the rows that are still single.
    runs: Link,
    single: Link,
    happened: Link,
    rows: u64,
    older: u64,
    last_row: u64,
    last_event: u64,
    broken: Option<Break>,
}

impl<'a> Walk<'a> {
    fn new(clinic: ClinicId, anchors: &'a Anchors) -> Self {
        let beginning = beginning(clinic, anchors.chained_after);
        Self {
            clinic,
            anchors,
            runs: beginning,
            single: anchors.joint.unwrap_or(beginning),
            happened: beginning,
            rows: 0,
            older: 0,
            last_row: 0,
            last_event: 0,
            broken: None,
        }
    }

    fn row(&mut self, linked: &LinkedRun) {
        let run = &linked.run;
        if self.broken.is_some() || run.number > self.anchors.head {
            return;
        }
        if linked.link.is_none() && run.number <= self.anchors.chained_after {
            self.older += 1;
            return;
        }
        let chain = match run.number <= self.anchors.horizon {
            true => &mut self.runs,
            false => &mut self.single,
        };
        let link = link_run(self.clinic, *chain, run);
        if linked.link != Some(link) {
            self.broken = Some(Break::Row {
                number: run.number,
                position: run.position,
            });
            return;
        }
        *chain = link;
        self.rows += 1;
        self.last_row = run.number;
    }

    fn signature(&mut self, change: &SignedChange, key: Option<(AccountId, PublicKey)>) {
        if self.broken.is_some() {
            return;
        }
        let good = match (&change.signed, key) {
            (Some(signed), Some((account, key))) => {
                account == change.account
                    && key.has_signed(self.clinic, change.document, &change.hash, &signed.signature)
            }
            _ => false,
        };
        if !good {
            self.broken = Some(Break::Signature {
                number: change.number,
                position: change.position,
            });
        }
    }

    fn event(&mut self, linked: &LinkedEvent) {
        if self.broken.is_some() || linked.number > self.anchors.events {
            return;
        }
        let link = link_event(self.clinic, self.happened, linked.number, &linked.event);
        if linked.link != link || linked.number != self.last_event + 1 {
            self.broken = Some(Break::Event {
                number: linked.number,
            });
            return;
        }
        self.happened = link;
        self.last_event = linked.number;
    }

    /// `now` are the ends as they are when everything has been read, which reached so far.
    fn end(self, now: &Anchors, rows: Option<(u64, u32)>, event: u64) -> Verdict {
        let beginning = beginning(self.clinic, self.anchors.chained_after);
        let of_rows = self.anchors.joint.unwrap_or(beginning);
        let broken = if self.broken.is_some() {
            self.broken
        } else if self.runs != self.anchors.runs.unwrap_or(beginning)
            || self.single != self.anchors.written.unwrap_or(of_rows)
        {
            Some(Break::RowsMissing { after: self.last_row })
        } else if self.happened != self.anchors.happened.unwrap_or(beginning) {
            Some(Break::EventsMissing {
                after: self.last_event,
            })
        } else if let Some((number, position)) = rows.filter(|(number, _)| *number > now.head) {
            // Nobody has given out that number.
            Some(Break::Row { number, position })
        } else {
            (event > now.events).then_some(Break::Event { number: event })
        };
        match broken {
            Some(broken) => Verdict::Broken(broken),
            None => Verdict::Whole(Ends {
                rows: self.rows,
                older: self.older,
                events: self.last_event,
                written: self.single,
                happened: self.happened,
            }),
        }
    }
}
