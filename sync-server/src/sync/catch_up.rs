//! Brings a session's feed from its cursor to the clinic's head: a first sync ordered by need, then the feed.
//!
//! Invariant: a page's cursor never claims more than what was sent up to it.

use super::page::{self, Piece};
use crate::heavy_work::HeavyWork;
use crate::storage::{Storage, StorageError, Stored, StoredDocument};
use shared_model::documents::Projection;
use shared_model::ids::{ClinicId, DocumentId};
use shared_model::permissions::Feed;
use shared_model::protocol::{Bootstrap, Cursor, PAGE_TARGET};
use shared_model::time::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Pages made before the session asks for them.
pub(super) const PREFETCH: usize = 2;
/// What somebody looks at first: the day around now.
const URGENT_BEFORE_MIN: i64 = -12 * 60;
const URGENT_AFTER_MIN: i64 = 36 * 60;
/// Appointments and visits of a day at most; the rest comes in its turn.
const URGENT_LIMIT: usize = 1_000;

/// A step of catching up.
#[derive(Debug)]
pub(super) enum CatchUp {
    Page {
        cursor: Cursor,
        body: Vec<u8>,
    },
    /// The feed was sent up to this number.
    Done {
        feed: Feed,
        number: u64,
    },
    Failed(StorageError),
}

/// Makes the pages for one feed from `cursor` on and hands them over until the receiver goes.
pub(super) async fn run(
    storage: Arc<dyn Storage>,
    clinic: ClinicId,
    cursor: Cursor,
    now: Timestamp,
    heavy_work: HeavyWork,
    pages: mpsc::Sender<CatchUp>,
) {
    let feed = cursor.feed;
    let task = Task {
        storage,
        clinic,
        feed,
        heavy_work,
        pages,
    };
    let last = match task.run(cursor, now).await {
        Ok(number) => CatchUp::Done { feed, number },
        Err(Stop::Storage(error)) => CatchUp::Failed(error),
        Err(Stop::SessionGone) => return,
    };
    // If the session has gone meanwhile, nobody misses the end.
    let _ = task.pages.send(last).await;
}

enum Stop {
    Storage(StorageError),
    SessionGone,
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

struct Task {
    storage: Arc<dyn Storage>,
    clinic: ClinicId,
    feed: Feed,
    heavy_work: HeavyWork,
    pages: mpsc::Sender<CatchUp>,
}

impl Task {
    async fn run(&self, cursor: Cursor, now: Timestamp) -> Result<u64, Stop> {
        let head = self.storage.head(self.clinic).await?;
        let resumed = cursor.bootstrap.filter(|bootstrap| bootstrap.head <= head);
        let number = match (cursor.number, resumed) {
            (0, Some(bootstrap)) if bootstrap.below.is_some() => self.bootstrap(bootstrap, None).await?,
            (number, _) if number == 0 || number > head => {
                let start = Bootstrap {
                    head,
                    below: None,
                    received: 0,
                    total: self.storage.feed_size(self.clinic, self.feed).await?,
                };
                self.bootstrap(start, Some(now)).await?
            }
            (number, _) => number,
        };
        self.feed(number).await
    }

    /// The whole feed as merged documents: what is urgent, then everything in descending order of id.
    async fn bootstrap(&self, mut at: Bootstrap, urgent: Option<Timestamp>) -> Result<u64, Stop> {
        let mut sent = HashSet::new();
        if let Some(now) = urgent {
            let documents = self.urgent(now).await?;
            sent.extend(documents.iter().map(|document| document.id));
            for documents in pages_of(documents) {
                at.received += documents.len() as u64;
                self.snapshots(documents, self.cursor(0, Some(at))).await?;
            }
        }
        loop {
            let mut documents = self
                .storage
                .documents_below(self.clinic, self.feed, at.below, PAGE_TARGET)
                .await?;
            at.below = match documents.last() {
                Some(document) => Some(document.id),
                None => break,
            };
            documents.retain(|document| !sent.contains(&document.id));
            at.received = (at.received + documents.len() as u64).min(at.total);
            self.snapshots(documents, self.cursor(0, Some(at))).await?;
        }
        // Documents that came into being meanwhile are in the feed after `head`.
        self.send(self.cursor(at.head, None), page::body(&[])).await?;
        Ok(at.head)
    }

    /// What a first screen needs: the clinic's own documents, then the day's appointments and visits with their
    /// animals and people.
    async fn urgent(&self, now: Timestamp) -> Stored<Vec<StoredDocument>> {
        let named = |ids: Vec<DocumentId>| async move {
            self.storage.documents_named(self.clinic, self.feed, &ids).await
        };
        let mut urgent = named(vec![self.clinic.profile(), self.clinic.settings()]).await?;
        let day = self
            .storage
            .documents_needed(
                self.clinic,
                self.feed,
                now.plus_minutes(URGENT_BEFORE_MIN),
                now.plus_minutes(URGENT_AFTER_MIN),
                URGENT_LIMIT,
            )
            .await?;
        let mut wanted = Wanted::default();
        day.iter().for_each(|document| wanted.of(document));
        urgent.extend(day);
        let patients = named(std::mem::take(&mut wanted.ids)).await?;
        patients.iter().for_each(|document| wanted.of(document));
        urgent.extend(patients);
        let owners = named(std::mem::take(&mut wanted.ids)).await?;
        urgent.extend(owners);
        let mut seen = HashSet::new();
        urgent.retain(|document| seen.insert(document.id));
        Ok(urgent)
    }

    /// The feed from `number` to the head, which moves on while we read.
    async fn feed(&self, mut number: u64) -> Result<u64, Stop> {
        loop {
            let head = self.storage.head(self.clinic).await?;
            if number >= head {
                return Ok(number);
            }
            let stretch = self
                .storage
                .feed_after(self.clinic, self.feed, number, head, PAGE_TARGET)
                .await?;
            let reached = stretch.reached;
            let pages = self
                .blocking(move || {
                    page::feed_pages(&stretch.steps, stretch.reached, number)
                        .iter()
                        .map(|page| (page.number, page::body(&page.pieces)))
                        .collect::<Vec<_>>()
                })
                .await?;
            for (number, body) in pages {
                self.send(self.cursor(number, None), body).await?;
            }
            number = reached;
        }
    }

    async fn snapshots(&self, documents: Vec<StoredDocument>, cursor: Cursor) -> Result<(), Stop> {
        let body = self
            .blocking(move || page::body(&documents.iter().map(Piece::snapshot).collect::<Vec<_>>()))
            .await?;
        self.send(cursor, body).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Stop> {
        self.heavy_work
            .run(work)
            .await
            .map_err(|error| Stop::Storage(StorageError::Failed(error.to_string())))
    }

    async fn send(&self, cursor: Cursor, body: Vec<u8>) -> Result<(), Stop> {
        self.pages
            .send(CatchUp::Page { cursor, body })
            .await
            .map_err(|_| Stop::SessionGone)
    }

    fn cursor(&self, number: u64, bootstrap: Option<Bootstrap>) -> Cursor {
        Cursor {
            feed: self.feed,
            number,
            bootstrap,
        }
    }
}

/// The documents that others point at.
#[derive(Default)]
struct Wanted {
    ids: Vec<DocumentId>,
    seen: HashSet<DocumentId>,
}

impl Wanted {
    fn of(&mut self, document: &StoredDocument) {
        let Ok(projection) = minicbor::decode::<Projection>(&document.projection) else {
            return;
        };
        let ids: Vec<DocumentId> = match projection {
            Projection::Appointment(row) => row
                .patient
                .map(DocumentId::from)
                .into_iter()
                .chain(row.client.map(DocumentId::from))
                .chain(row.visit.map(DocumentId::from))
                .collect(),
            Projection::Visit(row) => row.patient.map(DocumentId::from).into_iter().collect(),
            Projection::Patient(row) => row.owners.into_iter().map(DocumentId::from).collect(),
            Projection::Single | Projection::Client(_) => Vec::new(),
        };
        self.ids
            .extend(ids.into_iter().filter(|id| self.seen.insert(*id)));
    }
}

/// Cuts documents into pages of about [`PAGE_TARGET`] bytes.
fn pages_of(documents: Vec<StoredDocument>) -> Vec<Vec<StoredDocument>> {
    let mut pages: Vec<Vec<StoredDocument>> = Vec::new();
    let mut size = 0;
    for document in documents {
        match pages.last_mut() {
            Some(page) if size + document.size() <= PAGE_TARGET => {
                size += document.size();
                page.push(document);
            }
            _ => {
                size = document.size();
                pages.push(vec![document]);
            }
        }
    }
    pages
}
