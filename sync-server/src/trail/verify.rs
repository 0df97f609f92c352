//! Walks a clinic's trail from its first row to its last and finds the first that is not what it was, the first change that
//! was not signed by whom it was entered for, and the first record that has not what the trail says was written into it, or more.

use super::chain::{Chain, beginning, link_event};
use super::{Astray, Break, Noted};
use crate::storage::trail::{Anchors, KeptChange, Link, LinkedEvent, LinkedRun, Part};
use crate::storage::{Signed, Storage, Stored};
use automerge::ChangeHash;
use shared_model::authorship::{KeyId, PublicKey};
use shared_model::documents::{Document, read_change};
use shared_model::ids::{AccountId, ClinicId, DeviceId, DocumentId};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;

/// Rows read at a time, and documents.
const STRETCH: usize = 2_000;
/// Changes, which come with their bytes, and documents.
const CONTENTS: usize = 100;

/// What walking a clinic's trail came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Whole(Whole),
    Broken(Break),
}

/// What there is, how much of it is older than what guards it, and how far it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    pub rows: u64,
    pub events: u64,
    /// Rows from before they were chained, and rows and events from before the ends were sealed. That those were not altered
    /// before that, nothing here says.
    pub unchained: u64,
    pub unsealed: u64,
    pub unsealed_events: u64,
    /// Noted ends of rows that have become runs since: of these ends, only what was noted of runs and events was checked.
    pub compacted_since: usize,
    /// To be noted outside of the database.
    pub ends: Noted,
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows and {} events are whole", self.rows, self.events)?;
        if self.unsealed + self.unsealed_events > 0 {
            write!(
                f,
                "; {} of the rows and {} of the events are older than the seals",
                self.unsealed, self.unsealed_events
            )?;
        }
        if self.unchained > 0 {
            write!(f, "; {} of the rows are older than the chain", self.unchained)?;
        }
        if self.compacted_since > 0 {
            write!(
                f,
                "; in {} noted ends the rows have become runs since, and only runs and events were compared",
                self.compacted_since
            )?;
        }
        write!(f, "; {}", self.ends)
    }
}

/// Whether the clinics that there are are those that were opened here.
pub async fn verify_roll(storage: &dyn Storage) -> Stored<Vec<Astray>> {
    // A clinic that is opened meanwhile is in both, or in the second alone.
    let there: BTreeSet<ClinicId> = storage.clinics().await?.into_iter().collect();
    let Some(roll) = storage.clinic_roll().await? else {
        return Ok(vec![Astray::Roll]);
    };
    let now: BTreeSet<ClinicId> = storage.clinics().await?.into_iter().collect();
    let roll: BTreeSet<ClinicId> = roll.into_iter().collect();
    let gone = roll.difference(&now).copied().map(Astray::Gone);
    let added = there.difference(&roll).copied().map(Astray::Added);
    Ok(gone.chain(added).collect())
}

/// Walks the whole trail of a clinic; `noted` are ends that it has to come by. What is written meanwhile is behind the end
/// that was read first, and left alone.
pub async fn verify_trail(storage: &dyn Storage, clinic: ClinicId, noted: &[Noted]) -> Stored<Verdict> {
    loop {
        let anchors = storage.trail_anchors(clinic).await?;
        if let Some(part) = anchors.unsealed {
            return Ok(Verdict::Broken(Break::Seal(part)));
        }
        let mut walk = Walk::new(storage, clinic, &anchors, noted);
        let walked = walk.whole().await;
        // Compaction moves rows from one chain to the other: what was read across it says nothing.
        let now = storage.trail_anchors(clinic).await?;
        if now.runs != anchors.runs {
            continue;
        }
        return Ok(match walked? {
            Err(broken) => Verdict::Broken(broken),
            Ok(beyond) => match beyond.nobodys(&now) {
                Some(broken) => Verdict::Broken(broken),
                None => Verdict::Whole(walk.told()),
            },
        });
    }
}

/// The last that there is behind the ends, which somebody may have written meanwhile.
#[derive(Default)]
struct Beyond {
    row: Option<(u64, u32)>,
    change: Option<(u64, u32)>,
    event: u64,
}

impl Beyond {
    /// What has a number that nobody has given out.
    fn nobodys(&self, now: &Anchors) -> Option<Break> {
        let head = now.written.head;
        if let Some((number, position)) = self.row.filter(|(number, _)| *number > head) {
            return Some(Break::Row { number, position });
        }
        if let Some((number, position)) = self.change.filter(|(number, _)| *number > head) {
            return Some(Break::Change { number, position });
        }
        (self.event > now.events.events).then_some(Break::Event { number: self.event })
    }
}

/// What is read went well, and what was read is good.
type Walked<T> = Stored<Result<T, Break>>;

/// `?` for what was read.
macro_rules! good {
    ($walked:expr) => {
        match $walked {
            Ok(good) => good,
            Err(broken) => return Ok(Err(broken)),
        }
    };
}

/// A walk along a clinic's chains.
struct Walk<'a> {
    storage: &'a dyn Storage,
    clinic: ClinicId,
    anchors: &'a Anchors,
    noted: &'a [Noted],
    runs: Chain,
    single: Chain,
    happened: Link,
    rows: u64,
    unchained: u64,
    unsealed: u64,
    last_row: u64,
    last_event: u64,
    authors: Authors,
    written: BTreeMap<DocumentId, Written>,
}

/// What the trail says was written into a document.
#[derive(Default)]
struct Written {
    hashes: Vec<ChangeHash>,
    changes: u64,
    /// Of some of its rows nobody noted how many changes they were.
    uncounted: bool,
}

impl<'a> Walk<'a> {
    fn new(storage: &'a dyn Storage, clinic: ClinicId, anchors: &'a Anchors, noted: &'a [Noted]) -> Self {
        let chained_after = anchors.written.chained_after;
        Self {
            storage,
            clinic,
            anchors,
            noted,
            runs: Chain::behind(clinic, chained_after, None),
            single: Chain::behind(clinic, chained_after, anchors.runs.joint),
            happened: beginning(clinic, chained_after),
            rows: 0,
            unchained: 0,
            unsealed: 0,
            last_row: 0,
            last_event: 0,
            authors: Authors::default(),
            written: BTreeMap::new(),
        }
    }

    async fn whole(&mut self) -> Walked<Beyond> {
        good!(self.reaches_what_was_noted());
        let event = good!(self.events().await?);
        let mut changes = Changes::new(self.storage, self.clinic);
        let row = good!(self.all_rows(&mut changes).await?);
        let surplus = good!(self.documents().await?);
        let (change, since) = changes.rest().await?;
        for (document, more) in surplus {
            if more > since.get(&document).copied().unwrap_or(0) {
                return Ok(Err(Break::Surplus { document }));
            }
        }
        Ok(Ok(Beyond { row, change, event }))
    }

    fn told(self) -> Whole {
        let Anchors {
            written,
            runs,
            events,
            ..
        } = self.anchors;
        let compacted_since = self
            .noted
            .iter()
            .filter(|noted| noted.written.0 < runs.horizon)
            .count();
        Whole {
            rows: self.rows,
            events: events.events,
            unchained: self.unchained,
            unsealed: self.unsealed,
            unsealed_events: events.sealed_after,
            compacted_since,
            ends: Noted {
                written: (written.head, self.single.link),
                runs: (runs.horizon, self.runs.link),
                events: (events.events, self.happened),
            },
        }
    }

    /// A chain that is shorter than it was has lost what was noted.
    fn reaches_what_was_noted(&self) -> Result<(), Break> {
        let Anchors {
            written,
            runs,
            events,
            ..
        } = self.anchors;
        for noted in self.noted {
            for (part, (number, _), now) in [
                (Part::Written, noted.written, written.head),
                (Part::Runs, noted.runs, runs.horizon),
                (Part::Events, noted.events, events.events),
            ] {
                if number > now {
                    return Err(Break::Noted { part, number });
                }
            }
        }
        Ok(())
    }

    /// Before the walk goes on from one number of a chain to another: the ends that were noted on the way.
    fn comes_by(&self, part: Part, from: u64, to: u64, link: Link) -> Result<(), Break> {
        for noted in self.noted {
            let (number, was) = match part {
                Part::Written => noted.written,
                Part::Runs => noted.runs,
                Part::Events => noted.events,
            };
            if (from..to).contains(&number) && was != link {
                return Err(Break::Noted { part, number });
            }
        }
        Ok(())
    }

    /// The number of the last one that is there.
    async fn events(&mut self) -> Walked<u64> {
        let mut after = 0;
        loop {
            let events = self.storage.trail_events(self.clinic, after, STRETCH).await?;
            let Some(last) = events.last() else { break };
            after = last.number;
            for event in events {
                good!(self.event(&event));
            }
        }
        let end = &self.anchors.events;
        if self.happened != end.link(self.clinic, self.anchors.written.chained_after) {
            return Ok(Err(Break::EventsMissing {
                after: self.last_event,
            }));
        }
        good!(self.comes_by(Part::Events, self.last_event, u64::MAX, self.happened));
        Ok(Ok(after))
    }

    fn event(&mut self, linked: &LinkedEvent) -> Result<(), Break> {
        if linked.number > self.anchors.events.events {
            return Ok(());
        }
        self.comes_by(Part::Events, self.last_event, linked.number, self.happened)?;
        let link = link_event(self.clinic, self.happened, linked.number, &linked.event);
        if linked.link != link || linked.number != self.last_event + 1 {
            return Err(Break::Event {
                number: linked.number,
            });
        }
        self.happened = link;
        self.last_event = linked.number;
        Ok(())
    }

    /// Number and position of the last row that is there.
    async fn all_rows(&mut self, changes: &mut Changes<'_>) -> Walked<Option<(u64, u32)>> {
        let (horizon, head) = (self.anchors.runs.horizon, self.anchors.written.head);
        self.last_row = horizon;
        let mut waiting: Option<LinkedRun> = None;
        let (mut after, mut last_run) = (None, 0);
        loop {
            let rows = self.storage.trail_runs(self.clinic, after, STRETCH).await?;
            let Some(last) = rows.last() else { break };
            after = Some((last.run.number, last.run.position));
            for row in rows {
                let (number, position) = (row.run.number, row.run.position);
                if number > head {
                    continue;
                }
                self.count(&row);
                if number <= horizon {
                    good!(self.comes_by(Part::Runs, last_run, number, self.runs.link));
                    last_run = number;
                    good!(self.run(&row));
                    continue;
                }
                let before = changes.before((number, position)).await?;
                good!(self.single(waiting.take(), before).await?);
                waiting = Some(row);
            }
        }
        let before = changes.before((head.saturating_add(1), 0)).await?;
        good!(self.single(waiting, before).await?);
        let Anchors { written, runs, .. } = self.anchors;
        let end_of_runs = Chain::behind(self.clinic, written.chained_after, runs.runs);
        let end_of_rows = Chain::behind(self.clinic, written.chained_after, written.written.or(runs.joint));
        if self.runs.link != end_of_runs.link || self.single.link != end_of_rows.link {
            return Ok(Err(Break::RowsMissing { after: self.last_row }));
        }
        good!(self.comes_by(Part::Runs, last_run, u64::MAX, self.runs.link));
        good!(self.comes_by(Part::Written, self.last_row, u64::MAX, self.single.link));
        Ok(Ok(after))
    }

    fn count(&mut self, row: &LinkedRun) {
        let older = |than| u64::from(row.run.number <= than);
        self.rows += 1;
        self.unchained += older(self.anchors.written.chained_after);
        self.unsealed += older(self.anchors.written.sealed_after);
    }

    fn run(&mut self, row: &LinkedRun) -> Result<(), Break> {
        let run = &row.run;
        if !self.runs.run(row) {
            return Err(Break::Row {
                number: run.number,
                position: run.position,
            });
        }
        let written = self.written.entry(run.document).or_default();
        written.hashes.extend(run.hash.map(ChangeHash));
        written.uncounted |= run.changes.is_none();
        written.changes += u64::from(run.changes.unwrap_or(0));
        Ok(())
    }

    /// A row with all changes that lie between it and the next. There is none before the first.
    async fn single(&mut self, row: Option<LinkedRun>, changes: Vec<Kept>) -> Walked<()> {
        let Some(row) = row else {
            return Ok(match changes.first() {
                None => Ok(()),
                Some(kept) => Err(nobody_tells_of(&kept.change)),
            });
        };
        let run = &row.run;
        if let Some(kept) = changes.iter().find(|kept| kept.change.number != run.number) {
            return Ok(Err(nobody_tells_of(&kept.change)));
        }
        for kept in &changes {
            good!(self.signature(&kept.change).await?);
            good!(kept.is_what_it_was());
            let written = self.written.entry(kept.change.document).or_default();
            written.hashes.push(kept.change.hash);
            written.changes += 1;
        }
        let changes: Vec<KeptChange> = changes.into_iter().map(|kept| kept.change).collect();
        good!(self.comes_by(Part::Written, self.last_row, run.number, self.single.link));
        if !self.single.single(&row, &changes) {
            return Ok(Err(Break::Row {
                number: run.number,
                position: run.position,
            }));
        }
        self.last_row = run.number;
        Ok(Ok(()))
    }

    /// One without a signature is spoken for by another; that it had none is a part of its row's link.
    async fn signature(&mut self, change: &KeptChange) -> Walked<()> {
        let Some(bytes) = &change.signed else {
            return Ok(Ok(()));
        };
        let good = match Signed::from_bytes(bytes) {
            None => false,
            Some(signed) => {
                let known = self
                    .authors
                    .key_of(self.storage, change.device, signed.key)
                    .await?;
                known.is_some_and(|(account, key)| {
                    account == change.account
                        && key.has_signed(self.clinic, change.document, &change.hash, &signed.signature)
                })
            }
        };
        Ok(if good {
            Ok(())
        } else {
            Err(Break::Signature {
                number: change.number,
                position: change.position,
            })
        })
    }

    /// What was written is in the records, in which each change's hash stands for all that it builds on. How many changes
    /// some of them have besides: those that somebody has written meanwhile.
    async fn documents(&mut self) -> Walked<Vec<(DocumentId, u64)>> {
        let mut surplus = Vec::new();
        let mut after = None;
        loop {
            let page = self.storage.all_documents(self.clinic, after, CONTENTS).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for stored in page {
                let written = self.written.remove(&stored.id).unwrap_or_default();
                let document = Document::load(stored.kind, self.clinic, stored.id, &stored.bytes);
                let document = document.ok().filter(|document| {
                    document.has_own_genesis() && written.hashes.iter().all(|hash| document.has(hash))
                });
                let Some(document) = document else {
                    return Ok(Err(Break::Document { document: stored.id }));
                };
                let genesis = 1;
                let more = document.change_count().saturating_sub(genesis + written.changes);
                if more > 0 && !written.uncounted {
                    surplus.push((stored.id, more));
                }
            }
        }
        Ok(match self.written.first_key_value() {
            None => Ok(surplus),
            Some((document, _)) => Err(Break::Document { document: *document }),
        })
    }
}

fn nobody_tells_of(change: &KeptChange) -> Break {
    Break::Change {
        number: change.number,
        position: change.position,
    }
}

/// A change, and the hash of what is kept of it.
struct Kept {
    change: KeptChange,
    hash: Option<ChangeHash>,
}

impl Kept {
    fn of((change, bytes): (KeptChange, Option<Vec<u8>>)) -> Self {
        let hash = bytes.and_then(|bytes| Some(read_change(&bytes).ok()?.hash()));
        Self { change, hash }
    }

    fn is_what_it_was(&self) -> Result<(), Break> {
        if self.hash == Some(self.change.hash) {
            return Ok(());
        }
        let (number, position) = self.change.place();
        Err(Break::Bytes { number, position })
    }
}

/// A clinic's changes in their order, read as they are wanted.
struct Changes<'a> {
    storage: &'a dyn Storage,
    clinic: ClinicId,
    read: VecDeque<Kept>,
    after: Option<(u64, u32)>,
}

impl<'a> Changes<'a> {
    fn new(storage: &'a dyn Storage, clinic: ClinicId) -> Self {
        Self {
            storage,
            clinic,
            read: VecDeque::new(),
            after: None,
        }
    }

    /// Whether there were more.
    async fn read_on(&mut self) -> Stored<bool> {
        let more = self
            .storage
            .kept_changes(self.clinic, self.after, CONTENTS)
            .await?;
        let Some((last, _)) = more.last() else {
            return Ok(false);
        };
        self.after = Some(last.place());
        self.read.extend(more.into_iter().map(Kept::of));
        Ok(true)
    }

    /// Those that are left before a number and position.
    async fn before(&mut self, end: (u64, u32)) -> Stored<Vec<Kept>> {
        while self.read.back().is_none_or(|last| last.change.place() < end) && self.read_on().await? {}
        let count = self.read.partition_point(|kept| kept.change.place() < end);
        Ok(self.read.drain(..count).collect())
    }

    /// The last one that there is, and how many are left of each document.
    async fn rest(mut self) -> Stored<(Option<(u64, u32)>, HashMap<DocumentId, u64>)> {
        let mut left: HashMap<DocumentId, u64> = HashMap::new();
        loop {
            for kept in self.read.drain(..) {
                *left.entry(kept.change.document).or_default() += 1;
            }
            if !self.read_on().await? {
                return Ok((self.after, left));
            }
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
        device: DeviceId,
        key: KeyId,
    ) -> Stored<Option<(AccountId, PublicKey)>> {
        match self.0.entry((device, key)) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(unknown) => {
                let found = storage.people().signing_key(device, key).await?;
                let key = found.and_then(|(account, key)| Some((account, PublicKey::from_bytes(&key)?)));
                Ok(*unknown.insert(key))
            }
        }
    }
}
