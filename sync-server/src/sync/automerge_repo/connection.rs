//! A connection: one WebSocket of a client made with automerge-repo, from its ticket to its end.
//!
//! Invariants: one message is dealt with at a time, changes in it included, so that a client that floods waits for
//! itself; and a document is read for this principal's feeds whenever something is said about it.

use super::super::accept::{Author, QueuedPush, ReadItem, Writer};
use super::super::authorize::ReadChange;
use super::super::fan_out::{Attendance, ForSession, LivePage};
use super::super::look_again::Ear;
use super::super::quota::{Cost, LONGEST_WAIT};
use super::ephemera::{Exchange, MAX_EPHEMERAL, Told};
use super::guests::Admitted;
use super::message::{self, Envelope, Ephemeral, FromClient};
use super::open_document::{OpenDocument, Received, Trouble};
use super::{document_id, refusals};
use crate::heavy_work::Interrupted;
use crate::identity::{AccessClaims, random};
use crate::server::AppState;
use crate::storage::{StorageError, Stored, StoredDocument};
use automerge::Change;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::StreamExt;
use shared_model::ids::DocumentId;
use shared_model::permissions::Principal;
use shared_model::protocol::{self, MAX_PUSH_CHANGES, PAGE_TARGET, Refusal, ServerMessage};
use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior, timeout};

/// One message, in bytes. A client sends all that it wrote without a network in one: at some hundred bytes a stroke,
/// this is a long day's typing in one document.
pub(crate) const MAX_MESSAGE: usize = 4 << 20;
/// Documents that one connection has open at a time.
const MAX_DOCUMENTS: usize = 500;
/// A client that has not joined by then is none.
const JOIN_WITHIN: Duration = Duration::from_secs(10);
/// An actor of ours has 16 bytes, as has one of JavaScript's.
const MAX_ACTOR: usize = 64;

/// Why a connection ends.
enum End {
    /// The client is told, and had better not come back as it is.
    Error(Error),
    /// It may come back, and will by itself.
    Later,
    /// The other side left or fell silent.
    Gone,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the ticket in this address is not valid (any more): sign in and get another one")]
    Ticket,
    #[error("the first message is a join")]
    NoJoin,
    #[error("this server speaks version 1 of the protocol")]
    Version,
    #[error("a message could not be understood: {0}")]
    Malformed(&'static str),
    #[error("a message has more than {MAX_MESSAGE} bytes")]
    TooLarge,
    #[error("more changes at once, or more without what they build on, than are taken")]
    TooMuch,
    #[error("more than {MAX_DOCUMENTS} documents are open on this connection")]
    Documents,
    #[error("this account has too many connections")]
    Connections,
    #[error("this account has written as too many writers within an hour")]
    Writers,
    #[error("what this account may do has changed: connect again")]
    Changed,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<StorageError> for End {
    fn from(error: StorageError) -> Self {
        tracing::warn!(%error, "a connection cannot go on");
        Self::Later
    }
}

impl From<Interrupted> for End {
    fn from(error: Interrupted) -> Self {
        tracing::warn!(%error, "a connection cannot go on");
        Self::Later
    }
}

/// Whose claims these are, as the database knows them now. `None` once the sign-in has ended or the membership was
/// withdrawn.
pub(crate) async fn person_behind(state: &AppState, claims: &AccessClaims) -> Stored<Option<Principal>> {
    let (storage, now) = (&state.storage, state.settings.clock.now());
    if !storage.family_lives(claims.family, now).await? {
        return Ok(None);
    }
    let principals = storage.principals(claims.account).await?;
    Ok(principals
        .into_iter()
        .find(|principal| principal.clinic == claims.clinic))
}

/// Serves one client until either side leaves. Without a valid ticket it is told so in the protocol's own words: the
/// library takes a refused WebSocket for a reason to end its whole process.
#[tracing::instrument(name = "automerge_repo", skip_all, fields(device, clinic))]
pub(crate) async fn run(state: AppState, socket: WebSocket, ticket: Option<AccessClaims>) {
    let mut line = Line {
        socket,
        patience: state.settings.silence,
        envelope: Envelope {
            us: String::new(),
            storage: String::new(),
            peer: String::new(),
        },
    };
    let end = match begin(&state, &mut line, ticket).await {
        Ok(mut connection) => loop {
            if let Err(end) = connection.step(&mut line).await {
                break end;
            }
        },
        Err(end) => end,
    };
    match end {
        End::Error(error) => {
            tracing::info!(%error, "connection ends");
            line.leave(close_code::POLICY, Some(&error.to_string())).await;
        }
        End::Later => {
            tracing::info!("connection ends: come back later");
            line.leave(close_code::AGAIN, None).await;
        }
        End::Gone => tracing::debug!("connection ends: the client has gone"),
    }
}

/// The socket, in messages.
struct Line {
    socket: WebSocket,
    patience: Duration,
    envelope: Envelope,
}

/// What comes over a socket.
enum Heard {
    Message(FromClient),
    /// It lives.
    Pong,
}

impl Line {
    /// Can be dropped while it waits without losing anything.
    async fn receive(&mut self) -> Result<Heard, End> {
        match self.socket.next().await {
            Some(Ok(Message::Binary(frame))) if frame.len() > MAX_MESSAGE => Err(Error::TooLarge.into()),
            Some(Ok(Message::Binary(frame))) => message::read(&frame)
                .map(Heard::Message)
                .ok_or_else(|| Error::Malformed("not a message of this protocol").into()),
            Some(Ok(Message::Text(_))) => Err(Error::Malformed("messages are binary").into()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(Heard::Pong),
            Some(Ok(Message::Close(_))) | None => Err(End::Gone),
            Some(Err(error)) if super::super::session::is_too_large(&error) => Err(Error::TooLarge.into()),
            Some(Err(_)) => Err(End::Gone),
        }
    }

    async fn send(&mut self, frame: Vec<u8>) -> Result<(), End> {
        self.send_message(Message::Binary(frame.into())).await
    }

    async fn send_message(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    /// Waits a moment for the other side to close, so that the words arrive before the connection ends.
    async fn leave(&mut self, code: u16, error: Option<&str>) {
        let close = Message::Close(Some(CloseFrame {
            code,
            reason: "".into(),
        }));
        let error = error.map(|error| self.envelope.error(error));
        let left = async {
            if let Some(error) = error
                && self.send(error).await.is_err()
            {
                return;
            }
            if self.socket.send(close).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // If it takes longer, the other side is not listening.
        let _ = timeout(Duration::from_secs(2), left).await;
    }
}

struct Connection {
    state: AppState,
    claims: AccessClaims,
    principal: Principal,
    attendance: Attendance,
    writer: Arc<Writer>,
    admitted: Admitted,
    documents: HashMap<DocumentId, OpenDocument>,
    /// Open documents that somebody has written in since the client was told of them last.
    touched: BTreeSet<DocumentId>,
    /// Everything in the clinic up to here has been looked at.
    reached: u64,
    pushes: u64,
    notices: Notices,
    exchange: Exchange,
    heard: Instant,
    /// Until then it waits for what it has asked for beyond its quota.
    resumes_at: Instant,
    ends: Instant,
    ask: tokio::time::Interval,
    look_up: tokio::time::Interval,
    ear: Ear,
}

/// What the server itself tells those who have a document open. The client takes a notice only if its count goes up.
struct Notices {
    session: String,
    count: u64,
}

/// Everything that makes a connection do something.
enum Event {
    Heard(Result<Heard, End>),
    Inside(Option<ForSession>),
    Told(Result<Arc<Told>, RecvError>),
    /// Time to ask whether the client is there.
    Ask,
    /// Time to look up whether it still may.
    LookUp,
    Silence,
    TicketExpired,
    Stopping,
}

async fn begin(state: &AppState, line: &mut Line, ticket: Option<AccessClaims>) -> Result<Connection, End> {
    let claims = ticket.ok_or(Error::Ticket)?;
    let ear = state.look_again.ear(claims.account, claims.device);
    let principal = person_behind(state, &claims)
        .await?
        .filter(|principal| !principal.feeds().is_empty())
        .ok_or(Error::Ticket)?;
    tracing::Span::current()
        .record("device", tracing::field::display(claims.device))
        .record("clinic", tracing::field::display(principal.clinic));
    let now = Instant::now();
    let admitted = state
        .automerge_repo
        .admit(principal.account, now)
        .ok_or(Error::Connections)?;
    let first = tokio::select! {
        () = state.stopping.cancelled() => return Err(End::Later),
        first = timeout(JOIN_WITHIN, line.receive()) => first.map_err(|_| End::Gone)??,
    };
    let Heard::Message(FromClient::Join { peer, understood }) = first else {
        return Err(Error::NoJoin.into());
    };
    line.envelope = Envelope {
        us: format!("clinic-{}", principal.clinic),
        storage: principal.clinic.to_string(),
        peer,
    };
    if !understood {
        return Err(Error::Version.into());
    }
    // What the server says of refusals must not be said by anybody else.
    if line.envelope.peer == line.envelope.us {
        return Err(Error::Malformed("the peer's name is this server's").into());
    }
    let attendance = state.fan_out.attend(principal.clinic, principal.feeds());
    let reached = state.storage.head(principal.clinic).await?;
    attendance.stands_at(reached);
    let exchange = state.automerge_repo.exchange(principal.clinic);
    line.send(line.envelope.peer()).await?;
    let left = u64::try_from(claims.expires_at.0 - state.settings.clock.now().0).unwrap_or(0);
    Ok(Connection {
        writer: Arc::new(Writer {
            session: attendance.session,
            author: Author {
                account: principal.account,
                device: claims.device,
                principal: principal.clone(),
            },
            refused: Mutex::default(),
        }),
        state: state.clone(),
        claims,
        principal,
        attendance,
        admitted,
        documents: HashMap::new(),
        touched: BTreeSet::new(),
        reached,
        pushes: 0,
        notices: Notices {
            session: hex::encode(random::<8>()),
            count: 0,
        },
        exchange,
        heard: now,
        resumes_at: now,
        ends: now + Duration::from_millis(left),
        ask: every(state.settings.silence / 3),
        look_up: every(state.settings.ticket_checked_every),
        ear,
    })
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

impl Connection {
    async fn step(&mut self, line: &mut Line) -> Result<(), End> {
        match self.next(line).await {
            Event::Heard(heard) => {
                self.heard = Instant::now();
                match heard? {
                    Heard::Message(message) => self.message(message, line).await?,
                    Heard::Pong => {}
                }
            }
            Event::Inside(item) => self.inside(item).await?,
            Event::Told(told) => self.told(told, line).await?,
            Event::Ask => line.send_message(Message::Ping(Vec::new().into())).await?,
            Event::LookUp => self.look_up().await?,
            Event::Silence => return Err(End::Gone),
            Event::TicketExpired => return Err(Error::Ticket.into()),
            Event::Stopping => return Err(End::Later),
        }
        // What came meanwhile is told together.
        while let Ok(item) = self.attendance.inbox.try_recv() {
            self.inside(Some(item)).await?;
        }
        while let Some(document) = self.touched.pop_first() {
            self.tell(document, line).await?;
        }
        Ok(())
    }

    async fn next(&mut self, line: &mut Line) -> Event {
        let resumes_at = self.resumes_at;
        let heard = async {
            tokio::time::sleep_until(resumes_at).await;
            line.receive().await
        };
        tokio::select! {
            biased;
            () = self.state.stopping.cancelled() => Event::Stopping,
            () = tokio::time::sleep_until(self.ends) => Event::TicketExpired,
            _ = self.look_up.tick() => Event::LookUp,
            () = self.ear.called() => Event::LookUp,
            item = self.attendance.inbox.recv() => Event::Inside(item),
            told = self.exchange.hear.recv() => Event::Told(told),
            _ = self.ask.tick() => Event::Ask,
            heard = heard => Event::Heard(heard),
            () = tokio::time::sleep_until(self.heard + self.state.settings.silence) => Event::Silence,
        }
    }

    /// A withdrawn membership, an ended sign-in or another role is noticed while the connection lasts.
    async fn look_up(&mut self) -> Result<(), End> {
        match person_behind(&self.state, &self.claims).await? {
            None => Err(Error::Ticket.into()),
            Some(principal) if principal != self.principal => Err(Error::Changed.into()),
            Some(_) => Ok(()),
        }
    }

    async fn message(&mut self, message: FromClient, line: &mut Line) -> Result<(), End> {
        match message {
            FromClient::Join { .. } => Err(Error::Malformed("a second join").into()),
            FromClient::Leave => Err(End::Gone),
            FromClient::Sync { document, data } => self.sync(&document, data, line).await,
            FromClient::Ephemeral(message) => self.pass_on(message, line).await,
            FromClient::Other => Ok(()),
        }
    }

    /// What goes to nobody is no reason to end: the next one will.
    async fn pass_on(&mut self, message: Ephemeral, line: &mut Line) -> Result<(), End> {
        let Some(document) = document_id::read(&message.document) else {
            return Ok(());
        };
        if message.data.len() > MAX_EPHEMERAL || !self.has_open(document).await? {
            return Ok(());
        }
        let told = Told {
            by: self.attendance.session,
            sender: line.envelope.peer.clone(),
            document,
            message,
        };
        // It fails if nobody listens, but this connection does.
        let _ = self.exchange.tell.send(Arc::new(told));
        Ok(())
    }

    async fn told(&mut self, told: Result<Arc<Told>, RecvError>, line: &mut Line) -> Result<(), End> {
        match told {
            Ok(told) if told.by != self.attendance.session && self.has_open(told.document).await? => {
                line.send(line.envelope.ephemeral(&told.message, &told.sender))
                    .await
            }
            Ok(_) | Err(RecvError::Lagged(_)) => Ok(()),
            Err(RecvError::Closed) => Err(End::Later),
        }
    }

    /// Whether the client has asked for the document, and this principal may read it now.
    async fn has_open(&self, id: DocumentId) -> Stored<bool> {
        Ok(self.documents.contains_key(&id) && self.read(id).await?.is_some())
    }

    async fn sync(&mut self, name: &str, data: Vec<u8>, line: &mut Line) -> Result<(), End> {
        let Some(id) = document_id::read(name) else {
            return line.send(line.envelope.unavailable(name)).await;
        };
        if !self.documents.contains_key(&id) && self.documents.len() >= MAX_DOCUMENTS {
            return Err(Error::Documents.into());
        }
        // The second byte of a sync message counts its heads: who has none is sent all of it.
        let whole = !self.documents.contains_key(&id) || data.get(1) == Some(&0);
        self.charge(Cost {
            wants: usize::from(whole),
            ..Cost::default()
        })?;
        let Some(stored) = self.read(id).await? else {
            return self.unavailable(id, line).await;
        };
        let mut open = self.documents.remove(&id).unwrap_or_default();
        let work = move || (open.receive(&stored, &data), open, stored);
        let Some((received, mut open, stored)) = self.contained(id, work).await? else {
            return self.unavailable(id, line).await;
        };
        let (answer, refused) = match received {
            Err(trouble) => return self.in_trouble(id, &trouble, line).await,
            Ok(Received::Answer(answer)) => (answer, Vec::new()),
            Ok(Received::Push { changes, rest }) => {
                let refused = self.push(&stored, changes).await?;
                let Some(stored) = self.read(id).await? else {
                    return self.unavailable(id, line).await;
                };
                let any = !refused.is_empty();
                let work = move || (open.receive_rest(&stored, rest, any), open);
                let Some((answered, after)) = self.contained(id, work).await? else {
                    return self.unavailable(id, line).await;
                };
                open = after;
                match answered {
                    Err(trouble) => return self.in_trouble(id, &trouble, line).await,
                    Ok(answer) => (answer, refused),
                }
            }
        };
        self.documents.insert(id, open);
        if let Some(answer) = answer {
            line.send(line.envelope.sync(name, &answer)).await?;
        }
        if !refused.is_empty() {
            self.notices.count += 1;
            let notice = Ephemeral {
                document: name.to_owned(),
                session: self.notices.session.clone(),
                count: self.notices.count,
                data: refusals::notice(&refused),
            };
            line.send(line.envelope.ephemeral(&notice, &line.envelope.us))
                .await?;
        }
        Ok(())
    }

    /// Says what is new about an open document.
    async fn tell(&mut self, id: DocumentId, line: &mut Line) -> Result<(), End> {
        let Some(mut open) = self.documents.remove(&id) else {
            return Ok(());
        };
        let Some(stored) = self.read(id).await? else {
            return self.unavailable(id, line).await;
        };
        let work = move || (open.changed(&stored), open);
        match self.contained(id, work).await? {
            None => self.unavailable(id, line).await,
            Some((Err(trouble), _)) => self.in_trouble(id, &trouble, line).await,
            Some((Ok(news), open)) => {
                self.documents.insert(id, open);
                match news {
                    Some(news) => {
                        line.send(line.envelope.sync(&document_id::write(id), &news))
                            .await
                    }
                    None => Ok(()),
                }
            }
        }
    }

    /// The document stays on the list: should it come within reach, the client gets it.
    async fn unavailable(&mut self, id: DocumentId, line: &mut Line) -> Result<(), End> {
        self.documents.insert(id, OpenDocument::default());
        line.send(line.envelope.unavailable(&document_id::write(id)))
            .await
    }

    async fn in_trouble(&mut self, id: DocumentId, trouble: &Trouble, line: &mut Line) -> Result<(), End> {
        match trouble {
            Trouble::Malformed => Err(Error::Malformed("the sync message").into()),
            Trouble::TooMuch => Err(Error::TooMuch.into()),
            Trouble::Damaged(_) => {
                tracing::error!(clinic = %self.principal.clinic, document = %id, %trouble, "a document cannot be read");
                self.unavailable(id, line).await
            }
        }
    }

    /// Does heavy work on a document. `None` if it panicked: that document is not to be had then, and nothing else.
    async fn contained<T: Send + 'static>(
        &self,
        id: DocumentId,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, End> {
        let work = move || catch_unwind(AssertUnwindSafe(work)).ok();
        let done = self.state.settings.heavy_work.run(work).await?;
        if done.is_none() {
            tracing::error!(clinic = %self.principal.clinic, document = %id, "a sync message made its document panic");
        }
        Ok(done)
    }

    /// A document that this principal may read, as it is now.
    async fn read(&self, id: DocumentId) -> Stored<Option<StoredDocument>> {
        for feed in self.principal.feeds() {
            let found = self
                .state
                .storage
                .documents_named(self.principal.clinic, feed, &[id])
                .await?;
            if let Some(stored) = found.into_iter().next() {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }

    /// As in a session: what is asked for is done now, the next message waits until it is paid for, and who owes too much
    /// comes back later.
    fn charge(&mut self, cost: Cost) -> Result<(), End> {
        let now = Instant::now();
        let accounts = &self.state.accounts;
        if accounts.charge(&self.principal, Cost::default(), now) > LONGEST_WAIT {
            tracing::info!("over the quota");
            return Err(End::Later);
        }
        self.resumes_at = now + accounts.charge(&self.principal, cost, now).min(LONGEST_WAIT);
        Ok(())
    }

    /// Has changes accepted and gives back what was refused of them.
    async fn push(
        &mut self,
        stored: &StoredDocument,
        mut changes: Vec<ReadChange>,
    ) -> Result<Vec<Refusal>, End> {
        let readable = || changes.iter().filter_map(|read| read.change.as_ref().ok());
        if readable().any(|change| change.actor_id().to_bytes().len() > MAX_ACTOR) {
            return Err(Error::Malformed("an actor's name").into());
        }
        if !self
            .admitted
            .may_write_as(readable().map(Change::actor_id), Instant::now())
        {
            return Err(Error::Writers.into());
        }
        self.charge(Cost {
            pushes: changes.len().div_ceil(MAX_PUSH_CHANGES),
            changes: changes.len(),
            bytes: changes.iter().map(|read| read.chunk.len()).sum(),
            ..Cost::default()
        })?;
        let mut refused = Vec::new();
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(MAX_PUSH_CHANGES));
            self.pushes += 1;
            let push = QueuedPush {
                writer: Arc::clone(&self.writer),
                number: self.pushes,
                items: vec![ReadItem {
                    kind: stored.kind,
                    document: stored.id,
                    schema_version: stored.schema_version,
                    changes,
                }],
                answer: self.attendance.queue.clone(),
            };
            self.state.accept.push(self.principal.clinic, push).await;
            refused.extend(self.answer_to(self.pushes).await?);
            changes = rest;
        }
        Ok(refused)
    }

    async fn answer_to(&mut self, push: u64) -> Result<Vec<Refusal>, End> {
        loop {
            match self.attendance.inbox.recv().await {
                Some(ForSession::Accepted(accepted)) if accepted.push == push => return Ok(accepted.refused),
                Some(ForSession::NotNow) => return Err(End::Later),
                item => self.inside(item).await?,
            }
        }
    }

    async fn inside(&mut self, item: Option<ForSession>) -> Result<(), End> {
        match item {
            // It fell too far behind; it comes back and catches up.
            None | Some(ForSession::NotNow) => Err(End::Later),
            Some(ForSession::Accepted(_)) => Ok(()),
            Some(ForSession::Live { page, gapless_from }) if self.reached >= gapless_from => {
                self.live(&page);
                Ok(())
            }
            Some(ForSession::Live { page, .. }) => self.catch_up(page.number).await,
            Some(ForSession::Behind { head }) => self.catch_up(head).await,
        }
    }

    /// Notes what a commit touched. An owner reads several feeds, whose pages have the same number.
    fn live(&mut self, page: &LivePage) {
        self.reached = self.reached.max(page.number);
        if matches!(page.only_of, Some((session, _)) if session == self.attendance.session) {
            return;
        }
        for frame in &page.frames {
            let entries = match protocol::decode(frame) {
                Ok(ServerMessage::Page(page)) => protocol::unpack(&page.body),
                Ok(_) => continue,
                Err(error) => Err(error),
            };
            match entries {
                Ok(entries) => self.touch(entries.iter().map(|entry| entry.document)),
                Err(error) => {
                    tracing::error!(%error, "a live page cannot be read: every open document is looked at");
                    self.touched.extend(self.documents.keys());
                }
            }
        }
    }

    fn touch(&mut self, documents: impl Iterator<Item = DocumentId>) {
        self.touched
            .extend(documents.filter(|document| self.documents.contains_key(document)));
    }

    /// Looks up what was touched in a stretch that did not come through the room.
    async fn catch_up(&mut self, head: u64) -> Result<(), End> {
        if head <= self.reached {
            return Ok(());
        }
        for feed in self.principal.feeds() {
            let mut after = self.reached;
            while after < head {
                let stretch = self
                    .state
                    .storage
                    .feed_after(self.principal.clinic, feed, after, head, PAGE_TARGET)
                    .await?;
                self.touch(stretch.steps.iter().map(|step| step.document));
                after = stretch.reached;
            }
        }
        self.reached = head;
        Ok(())
    }
}
