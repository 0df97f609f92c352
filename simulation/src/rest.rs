//! The end of a run: troubles end, everything comes to rest in bounded time, and then everything is compared.

use crate::invariant::{Holds, Invariant, Violation, broken};
use crate::ledger::history;
use crate::promise::{Standing, TakenBack};
use crate::storage::lock;
use crate::world::{World, is_with_administrators};
use automerge::ChangeHash;
use futures_util::future::BoxFuture;
use local_core::query::Connection as Online;
use shared_model::documents::{Document, Kind, project, read_change};
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::permissions::{Feed, Principal};
use shared_model::protocol;
use std::collections::{BTreeMap, BTreeSet};
use sync_server::storage::{StepContent, Storage, Stored};

/// So long everything may take to come to rest, in milliseconds: a half-open connection is noticed after 45 seconds of
/// silence, and attempts are up to 30 seconds apart.
const PATIENCE: i64 = 5 * 60_000;
/// Quiet for so long is rest.
const QUIET: i64 = 4_000;

/// After so long a server has noticed that nobody is there.
const AWAY: i64 = 60_000;

/// A document as the server has it: kind, heads, and what the screens show of it.
type Truth = BTreeMap<DocumentId, (Kind, Vec<ChangeHash>)>;

fn sql(error: &rusqlite::Error) -> Violation {
    broken(
        Invariant::NothingBreaks,
        format!("a database cannot be read: {error}"),
    )
}

impl World {
    pub(crate) fn rest(&mut self) -> Holds {
        self.mend_everything()?;
        let mut deadline = self.time + PATIENCE;
        let (mut quiet_since, mut handed_over) = (None, 0);
        loop {
            self.wake_tablets()?;
            self.work_off()?;
            match self.unrest() {
                None => {
                    let since = *quiet_since.get_or_insert(self.time);
                    if self.time - since >= QUIET {
                        let Some((tablet, person)) = self.somebody_elses_work() else {
                            return Ok(());
                        };
                        handed_over += 1;
                        if handed_over > self.tablets.len() * self.people.len() {
                            return Err(broken(
                                Invariant::NothingStalls,
                                format!(
                                    "{} has signed in, and work waits for them",
                                    self.people[person].name
                                ),
                            ));
                        }
                        self.hand_over(tablet, person)?;
                        deadline += PATIENCE;
                        quiet_since = None;
                    }
                }
                Some(unrest) if self.time > deadline => {
                    return Err(broken(
                        Invariant::NothingStalls,
                        format!("after {} s: {unrest}", PATIENCE / 1_000),
                    ));
                }
                Some(_) => quiet_since = None,
            }
            self.pass(500)?;
        }
    }

    /// A device with work that only somebody else can send, and who. Whoever has signed in for it once has sent it. Where the
    /// last one has left, any colleague takes over what others did, and the records that were here before them.
    fn somebody_elses_work(&self) -> Option<(usize, usize)> {
        self.statuses.iter().enumerate().find_map(|(tablet, status)| {
            let status = status.as_ref()?;
            if self.people[self.tablets[tablet].person].has_left() {
                let colleague = self
                    .people
                    .iter()
                    .position(|person| !person.is_owner() && !person.has_left())?;
                let is_there =
                    self.tablets[tablet].is_new_to_it || status.waiting + status.needs_attention > 0;
                return is_there.then_some((tablet, colleague));
            }
            let waits = status.others.iter().filter(|others| others.waiting > 0);
            let here = self.tablets[tablet].person;
            let come = waits.filter_map(|waits| {
                self.people
                    .iter()
                    .position(|person| person.account == waits.account && !person.has_left())
            });
            // In turn, as one may wait for another.
            let next = come.min_by_key(|person| (*person <= here, *person))?;
            Some((tablet, next))
        })
    }

    /// Everything that can be done now is done, in turn.
    pub(crate) fn work_off(&mut self) -> Holds {
        for _ in 0..2_000 {
            let mut idle = true;
            for tablet in 0..self.tablets.len() {
                while !self.tablets[tablet].events.is_empty() {
                    self.next_event(tablet)?;
                    idle = false;
                }
                while !self.tablets[tablet].requests.is_empty() {
                    self.renew(tablet)?;
                    idle = false;
                }
                if self.tablets[tablet].wants_sign_in {
                    self.sign_in(tablet)?;
                    idle = false;
                }
            }
            let (up, down) = self.busy_links();
            for link in up {
                self.carry_up(link);
                idle = false;
            }
            for link in down {
                self.carry_down(link)?;
                idle = false;
            }
            self.settle()?;
            let left: Vec<u64> = self
                .links
                .iter()
                .filter(|(_, link)| link.left)
                .map(|(id, _)| *id)
                .collect();
            for id in left {
                if let Some(link) = self.links.get_mut(&id) {
                    link.tell_server();
                }
            }
            if idle {
                return Ok(());
            }
        }
        Err(broken(
            Invariant::NothingStalls,
            "devices and nodes talk without end",
        ))
    }

    /// What has not come to rest, if anything.
    fn unrest(&self) -> Option<String> {
        let head = lock(&self.ledger).head;
        for (number, tablet) in self.tablets.iter().enumerate() {
            let Some(core) = &tablet.core else {
                return Some(format!("device {number} is dead"));
            };
            if self.people[tablet.person].has_left() {
                if core.principal().is_some() {
                    return Some(format!("device {number} is still of somebody who has left"));
                }
                continue;
            }
            let link = tablet.link.and_then(|id| self.links.get(&id));
            if link.is_none_or(|link| link.up_silent || link.down_silent) {
                return Some(format!(
                    "device {number} has not noticed that its connection is dead"
                ));
            }
            let (connection, waiting, feeds) = core.standing();
            // What waits for a colleague goes once they sign in.
            let held = self.statuses[number].as_ref().map_or(0, |status| status.held);
            if connection != Online::Online || waiting > held {
                return Some(format!("device {number} is {connection:?} and {waiting} wait"));
            }
            let behind = feeds
                .iter()
                .find(|(feed, number)| *number == 0 || (*feed == Feed::Staff && *number < head));
            if let Some((feed, at)) = behind {
                return Some(format!(
                    "device {number} is at {at} of {feed:?}, the clinic at {head}"
                ));
            }
        }
        None
    }

    /// Everything that must hold at rest.
    pub(crate) fn compare(&mut self) -> Holds {
        let truth = self.compare_server()?;
        for tablet in 0..self.tablets.len() {
            self.compare_status(tablet)?;
            self.compare_promises(tablet)?;
            self.compare_projections(tablet)?;
            self.compare_documents(tablet, &truth)?;
        }
        self.everybody_leaves()
    }

    /// Changes, merged documents and their projections say the same, and the same as the ledger.
    fn compare_server(&mut self) -> Result<Truth, Violation> {
        let mut documents: BTreeMap<DocumentId, (Kind, Vec<u8>, Vec<u8>)> = BTreeMap::new();
        for stored in
            self.look(|database, clinic| database.documents_below(clinic, Feed::Staff, None, usize::MAX))?
        {
            documents.insert(stored.id, (stored.kind, stored.bytes, stored.projection));
        }
        let head = self.look(|database, clinic| database.head(clinic))?;
        let mut changes: BTreeMap<DocumentId, Vec<automerge::Change>> = BTreeMap::new();
        let mut reached = 0;
        while reached < head {
            let stretch = self.look(|database, clinic| {
                database.feed_after(clinic, Feed::Staff, reached, head, usize::MAX)
            })?;
            reached = stretch.reached;
            for step in stretch.steps {
                let StepContent::Changes(rows) = step.content else {
                    continue;
                };
                for bytes in rows {
                    let change = read_change(&bytes).map_err(|error| {
                        broken(Invariant::NothingBreaks, format!("a stored change: {error}"))
                    })?;
                    changes.entry(step.document).or_default().push(change);
                }
            }
        }
        let ledger = lock(&self.ledger);
        for (hash, document) in ledger.changes() {
            let there = changes
                .get(&document)
                .is_some_and(|changes| changes.iter().any(|change| change.hash() == *hash));
            if !there {
                return Err(broken(
                    Invariant::AcknowledgedSurvives,
                    format!("change {hash} of {document} was committed and is not there"),
                ));
            }
        }
        let mut truth = Truth::new();
        for (id, (kind, bytes, projection)) in documents {
            let unequal = |what: &str| {
                Err(broken(
                    Invariant::ReplicasAreEqual,
                    format!("{} {id}: {what}", kind.word()),
                ))
            };
            let Ok(document) = Document::load(kind, self.clinic, id, &bytes) else {
                return unequal("the server cannot read it");
            };
            let rows = changes.remove(&id).unwrap_or_default();
            let hashes: BTreeSet<ChangeHash> = rows.iter().map(automerge::Change::hash).collect();
            if hashes.len() != rows.len() {
                return Err(broken(
                    Invariant::NothingIsAppliedTwice,
                    format!("{id} has the same change twice"),
                ));
            }
            if hashes != ledger.changes_of(id) {
                return unequal("its changes are not those that were committed");
            }
            let mut again = Document::genesis(kind, self.clinic, id);
            if again.apply(&rows).is_err() || again.heads() != document.heads() {
                return unequal("its changes do not make it up");
            }
            if protocol::encode(&project(&document)) != projection {
                return Err(broken(
                    Invariant::ProjectionsAreEqual,
                    format!("{id} has another projection on the server"),
                ));
            }
            truth.insert(id, (kind, document.heads()));
        }
        Ok(truth)
    }

    /// Asks the server's database, past all troubles.
    fn look<'a, T>(
        &'a self,
        ask: impl FnOnce(&'a dyn Storage, ClinicId) -> BoxFuture<'a, Stored<T>>,
    ) -> Result<T, Violation> {
        self.desk
            .block_on(ask(self.shared.database.as_ref(), self.clinic))
            .map_err(|error| broken(Invariant::NothingBreaks, format!("the database: {error}")))
    }

    fn compare_status(&self, tablet: usize) -> Holds {
        let lies = |what: String| {
            Err(broken(
                Invariant::StatusIsTrue,
                format!("device {tablet}: {what}"),
            ))
        };
        let Some(status) = &self.statuses[tablet] else {
            return lies("no status was ever shown".to_owned());
        };
        if self.people[self.tablets[tablet].person].has_left() {
            return match status.connection {
                Online::SignedOut if status.waiting + status.needs_attention == 0 => Ok(()),
                other => lies(format!("of somebody who has left it shows {other:?}")),
            };
        }
        if status.connection != Online::Online || status.waiting > 0 {
            return lies(format!(
                "at rest it shows {:?}, {} wait",
                status.connection, status.waiting
            ));
        }
        if status.storage.is_some() || status.unreadable || status.damaged > 0 || status.first_sync.is_some()
        {
            return lies(format!("at rest it shows {status:?}"));
        }
        if status.deferred > 0 {
            return lies(format!("{} entries are still put aside", status.deferred));
        }
        Ok(())
    }

    fn compare_promises(&mut self, tablet: usize) -> Holds {
        self.look_at_promises(tablet, &TakenBack::Nothing)?;
        let Some(core) = &self.tablets[tablet].core else {
            return Ok(());
        };
        for promise in &self.tablets[tablet].promises {
            let what = format!(
                "device {tablet}: {} of {}",
                promise.command.verb(),
                promise.document
            );
            match promise.standing {
                Standing::Waits => {
                    return Err(broken(Invariant::QueuesAreEmpty, format!("{what} still waits")));
                }
                Standing::AtTheClinic if !lock(&self.ledger).has(&promise.hash) => {
                    return Err(broken(Invariant::AcknowledgedSurvives, what));
                }
                Standing::AtTheClinic
                    if lock(&self.ledger).author(&promise.hash) != Some(promise.account) =>
                {
                    return Err(broken(Invariant::WorkIsItsAuthors, what));
                }
                Standing::Listed => {
                    let rows = core.store().outbox_of(promise.document).unwrap_or_default();
                    let listed = rows
                        .iter()
                        .any(|row| row.hash[..] == promise.hash.0[..] && row.refused.is_some());
                    // What was listed is listed no more once its author has left and it is handed in.
                    if !listed && !is_with_administrators(&self.folder, &promise.hash) {
                        return Err(broken(Invariant::EveryRefusalIsListed, what));
                    }
                }
                Standing::HandedIn if !is_with_administrators(&self.folder, &promise.hash) => {
                    return Err(broken(Invariant::EveryRefusalIsListed, what));
                }
                Standing::AtTheClinic | Standing::HandedIn | Standing::Void => {}
            }
        }
        Ok(())
    }

    fn compare_projections(&mut self, tablet: usize) -> Holds {
        let Some(core) = &mut self.tablets[tablet].core else {
            return Ok(());
        };
        let failed = |error: local_core::StoreError| {
            broken(Invariant::NothingBreaks, format!("device {tablet}: {error}"))
        };
        let before = core.store().dump_projections().map_err(failed)?;
        core.rebuild().map_err(failed)?;
        let after = core.store().dump_projections().map_err(failed)?;
        if before != after {
            let other: Vec<&String> = before
                .iter()
                .filter(|line| !after.contains(line))
                .chain(after.iter().filter(|line| !before.contains(line)))
                .collect();
            return Err(broken(
                Invariant::ProjectionsAreEqual,
                format!("device {tablet}: {other:?}"),
            ));
        }
        Ok(())
    }

    /// The device has what its person may read, as the server has it, and nothing else.
    fn compare_documents(&mut self, tablet: usize, truth: &Truth) -> Holds {
        let person = &self.people[self.tablets[tablet].person];
        let principal = Principal {
            account: person.account,
            clinic: self.clinic,
            roles: person.roles.clone(),
            client: person.client,
            name: String::new(),
        };
        let mut readable = BTreeSet::new();
        for feed in principal.feeds() {
            let documents =
                self.look(|database, clinic| database.documents_below(clinic, feed, None, usize::MAX))?;
            readable.extend(documents.into_iter().map(|stored| stored.id));
        }
        // The program ends, and its files are looked into.
        if let Some(id) = self.tablets[tablet].link
            && let Some(link) = self.links.get_mut(&id)
        {
            link.left = true;
        }
        self.tablets[tablet].stop();
        let store = self.tablets[tablet].look_into().map_err(|error| sql(&error))?;
        let mut select = store
            .prepare("select id, kind, bytes from document order by id")
            .map_err(|error| sql(&error))?;
        let rows = select
            .query_map([], |row| {
                Ok((
                    row.get::<_, [u8; 16]>(0)?,
                    row.get::<_, u8>(1)?,
                    row.get::<_, Vec<u8>>(2)?,
                ))
            })
            .map_err(|error| sql(&error))?;
        let mut here = BTreeSet::new();
        for row in rows {
            let (id, kind, bytes) = row.map_err(|error| sql(&error))?;
            let id = DocumentId(uuid::Uuid::from_bytes(id));
            here.insert(id);
            let unequal = |what: String| {
                Err(broken(
                    Invariant::ReplicasAreEqual,
                    format!("device {tablet}, document {id}: {what}"),
                ))
            };
            if !readable.contains(&id) {
                return unequal("it is none of the readers' any more".to_owned());
            }
            let kind = Kind::from_number(kind)
                .ok_or_else(|| broken(Invariant::NothingBreaks, format!("a document of kind {kind}")))?;
            let Ok(document) = Document::load(kind, self.clinic, id, &bytes) else {
                return unequal("it cannot be read".to_owned());
            };
            let Some((_, heads)) = truth.get(&id) else {
                return unequal("the server has none".to_owned());
            };
            if document.heads() != *heads {
                let ledger = lock(&self.ledger);
                let theirs = ledger.changes_of(id);
                let ours: BTreeSet<ChangeHash> = history(kind, self.clinic, id, &bytes).into_iter().collect();
                let missing: Vec<u64> = theirs
                    .difference(&ours)
                    .filter_map(|change| ledger.number(change))
                    .collect();
                return unequal(format!(
                    "{} changes are missing here (numbers {missing:?}), {} are here alone",
                    missing.len(),
                    ours.difference(&theirs).count()
                ));
            }
        }
        if let Some(id) = readable.difference(&here).next() {
            return Err(broken(
                Invariant::ReplicasAreEqual,
                format!("device {tablet} has no document {id}"),
            ));
        }
        let left = person.has_left();
        let waiting: i64 = store
            .query_row(
                "select count(*) from outbox where refused is null or ?1",
                [left],
                |row| row.get(0),
            )
            .map_err(|error| sql(&error))?;
        if waiting > 0 {
            return Err(broken(
                Invariant::QueuesAreEmpty,
                format!("device {tablet}: {waiting} in the outbox"),
            ));
        }
        Ok(())
    }

    /// Half of them without a word.
    fn everybody_leaves(&mut self) -> Holds {
        for (id, link) in &mut self.links {
            link.left = true;
            if id % 2 == 0 {
                link.tell_server();
            }
        }
        self.pass(AWAY)?;
        self.settle()?;
        for server in &self.servers {
            if server.sessions() > 0 {
                return Err(broken(
                    Invariant::MemoryReturns,
                    format!(
                        "node {} has {} sessions and no device",
                        server.number,
                        server.sessions()
                    ),
                ));
            }
        }
        Ok(())
    }
}
