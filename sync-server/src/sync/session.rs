//! A session: one authenticated WebSocket. It brings the device's feeds to the head, takes its pushes, and passes on
//! what others write.
//!
//! Invariant: per feed, pages leave in the order of their numbers. A feed is live only while its last page reaches as
//! far as everything that fan-out has handed over; otherwise it is read from the database until it does.

use super::accept::{Author, QueuedPush, ReadItem, Writer};
use super::authorship::{Authors, NotKnown};
use super::catch_up::{self, CatchUp};
use super::fan_out::{Attendance, ForSession, LivePage};
use super::look_again::Ear;
use super::page;
use super::quota::{Cost, LONGEST_WAIT};
use crate::identity::AccessClaims;
use crate::server::AppState;
use crate::storage::{ActorRow, StorageError};
use axum::extract::ws::{CloseFrame, Message};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use shared_model::SCHEMA_VERSION;
use shared_model::ids::{DeviceId, DocumentId};
use shared_model::permissions::{Feed, Principal};
use shared_model::protocol::{
    self, ClientMessage, Content, Cursor, Entry, Goodbye, Hello, MAX_PUSH_CHANGES, PAGE_WINDOW,
    PROTOCOL_VERSION, PUSH_WINDOW, Push, PushItem, ServerMessage, Welcome,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// A device that has not said who it is by then is none.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// A push of more bytes is read off the async threads.
const READ_INLINE: usize = 16 << 10;
/// A device has one cursor per feed; more than this is no device of ours.
const MAX_CURSORS: usize = 64;

/// Why a session ends.
enum End {
    Goodbye(Goodbye),
    /// The other side left or fell silent.
    Gone,
}

impl From<Goodbye> for End {
    fn from(goodbye: Goodbye) -> Self {
        Self::Goodbye(goodbye)
    }
}

impl From<NotKnown> for End {
    fn from(error: NotKnown) -> Self {
        match error {
            NotKnown::Goodbye(goodbye) => goodbye.into(),
            NotKnown::Storage(error) => error.into(),
        }
    }
}

impl From<StorageError> for End {
    fn from(error: StorageError) -> Self {
        tracing::warn!(%error, "a session cannot go on");
        Self::Goodbye(Goodbye::Later)
    }
}

/// What a session runs on: axum's WebSocket, or whatever else carries messages both ways in order.
pub(crate) trait Socket:
    Stream<Item = Result<Message, axum::Error>> + Sink<Message, Error = axum::Error> + Send + Unpin + 'static
{
}

impl<S> Socket for S where
    S: Stream<Item = Result<Message, axum::Error>>
        + Sink<Message, Error = axum::Error>
        + Send
        + Unpin
        + 'static
{
}

/// Serves one device until either side leaves.
#[tracing::instrument(name = "session", skip_all, fields(device, clinic))]
pub(crate) async fn run(state: AppState, socket: impl Socket) {
    let mut line = Line {
        socket,
        patience: state.settings.silence,
    };
    let end = match begin(&state, &mut line).await {
        Ok(mut session) => loop {
            if let Err(end) = session.step(&mut line).await {
                break end;
            }
        },
        Err(end) => end,
    };
    match end {
        End::Goodbye(goodbye) => {
            tracing::info!(%goodbye, "session ends");
            line.say_goodbye(goodbye).await;
        }
        End::Gone => tracing::debug!("session ends: the device has gone"),
    }
}

/// The socket, in messages.
struct Line<S> {
    socket: S,
    patience: Duration,
}

impl<S: Socket> Line<S> {
    /// Can be dropped while it waits without losing anything.
    async fn receive(&mut self) -> Result<ClientMessage, End> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(frame))) => {
                    return protocol::decode(&frame).map_err(|error| Goodbye::from(error).into());
                }
                Some(Ok(Message::Text(_))) => return Err(Goodbye::Malformed.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
                Some(Err(error)) if is_too_large(&error) => return Err(Goodbye::TooLarge.into()),
                Some(Err(_)) => return Err(End::Gone),
            }
        }
    }

    async fn send(&mut self, frame: Bytes) -> Result<(), End> {
        match timeout(self.patience, self.socket.send(Message::Binary(frame))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    async fn say(&mut self, message: ServerMessage) -> Result<(), End> {
        self.send(protocol::encode(&message).into()).await
    }

    /// Waits a moment for the other side to close, so that the words arrive before the connection ends.
    async fn say_goodbye(&mut self, goodbye: Goodbye) {
        let close = Message::Close(Some(CloseFrame {
            code: axum::extract::ws::close_code::NORMAL,
            reason: "".into(),
        }));
        let said = async {
            if self.say(ServerMessage::Goodbye(goodbye)).await.is_ok()
                && self.socket.send(close).await.is_ok()
            {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // If it takes longer, the other side is not listening.
        let _ = timeout(Duration::from_secs(2), said).await;
    }
}

pub(super) fn is_too_large(error: &axum::Error) -> bool {
    std::error::Error::source(error)
        .and_then(|cause| cause.downcast_ref())
        .is_some_and(|cause| matches!(cause, tokio_tungstenite::tungstenite::Error::Capacity(_)))
}

struct Session {
    state: AppState,
    principal: Principal,
    device: DeviceId,
    attendance: Attendance,
    writer: Arc<Writer>,
    /// Whose signatures count.
    authors: Authors,
    feeds: Vec<FeedState>,
    /// Pages of the one feed that is being caught up.
    catching_up: Option<mpsc::Receiver<CatchUp>>,
    pages_sent: u64,
    pages_stored: u64,
    last_push: Option<u64>,
    pushes_open: usize,
    heard: Instant,
    /// Nothing more is taken from the device before then: this person has asked for more than the quota.
    resumes_at: Option<Instant>,
    /// The sign-in that it stems from.
    claims: AccessClaims,
    signed_in_until: Instant,
    ear: Ear,
}

/// How far the device is in a feed.
struct FeedState {
    cursor: Cursor,
    live: bool,
    /// Fan-out has handed over pages up to here, which were left out because the feed was not live.
    known: u64,
}

/// Everything that makes a session do something.
enum Event {
    Message(Result<ClientMessage, End>),
    Inside(Option<ForSession>),
    CatchUp(Option<CatchUp>),
    Silence,
    TokenExpired,
    /// This person's rights, or this device's, may be others now.
    LookAgain,
    Stopping,
}

async fn begin(state: &AppState, line: &mut Line<impl Socket>) -> Result<Session, End> {
    let first = tokio::select! {
        biased;
        () = state.stopping.cancelled() => return Err(Goodbye::Later.into()),
        first = timeout(HELLO_WITHIN, line.receive()) => first.map_err(|_| End::Gone)??,
    };
    let ClientMessage::Hello(hello) = first else {
        return Err(Goodbye::OutOfOrder.into());
    };
    let Greeted {
        principal,
        claims,
        until,
        ear,
        attendance,
    } = greet(state, &hello).await?;
    let authors = Authors::begin(state, &principal, hello.device, &hello.signing_key).await?;
    let head = state.storage.head(principal.clinic).await?;
    attendance.stands_at(head);
    let heads = principal.feeds().into_iter().map(|feed| (feed, head)).collect();
    line.say(ServerMessage::Welcome(Welcome {
        principal: principal.clone(),
        heads,
        server_time: state.settings.clock.now(),
    }))
    .await?;
    let feeds = principal.feeds().into_iter().map(|feed| FeedState {
        cursor: hello
            .cursors
            .iter()
            .find(|cursor| cursor.feed == feed)
            .cloned()
            .unwrap_or(Cursor {
                feed,
                number: 0,
                bootstrap: None,
            }),
        live: false,
        known: 0,
    });
    let mut session = Session {
        state: state.clone(),
        device: hello.device,
        writer: Arc::new(Writer {
            session: attendance.session,
            author: Author {
                account: principal.account,
                device: hello.device,
                principal: principal.clone(),
            },
            refused: Mutex::default(),
        }),
        authors,
        feeds: feeds.collect(),
        principal,
        attendance,
        catching_up: None,
        pages_sent: 0,
        pages_stored: 0,
        last_push: None,
        pushes_open: 0,
        heard: Instant::now(),
        resumes_at: None,
        claims,
        signed_in_until: until,
        ear,
    };
    session.catch_up();
    Ok(session)
}

/// Whether this is a form that can be talked in.
pub(super) fn may_speak(protocol: u16, schema_version: u16, actor: &[u8]) -> Result<(), Goodbye> {
    match protocol {
        PROTOCOL_VERSION => {}
        newer if newer > PROTOCOL_VERSION => return Err(Goodbye::UpdateServer),
        _ => return Err(Goodbye::UpdateClient),
    }
    // A newer device's work stays in its outbox until this server knows the form; refusing it change by change would
    // put it before a person who can do nothing about it. An older device defers what it does not know.
    if schema_version > SCHEMA_VERSION {
        return Err(Goodbye::UpdateServer);
    }
    match schema_version == 0 || actor.is_empty() || actor.len() > 64 {
        true => Err(Goodbye::Malformed),
        false => Ok(()),
    }
}

/// What a push costs, if it is none that nobody may send.
pub(super) fn cost_of(push: &Push) -> Result<Cost, Goodbye> {
    let changes = || push.items.iter().flat_map(|item| &item.changes);
    if changes().count().max(push.items.len()) > MAX_PUSH_CHANGES {
        return Err(Goodbye::TooLarge);
    }
    // Nobody signs a change twice.
    let signed_twice = |item: &PushItem| item.signatures.len() > item.changes.len();
    if push.items.iter().any(signed_twice) {
        return Err(Goodbye::Malformed);
    }
    Ok(Cost {
        pushes: 1,
        changes: changes().count(),
        bytes: changes().map(|change| change.len()).sum(),
        ..Cost::default()
    })
}

/// A device that may come in.
struct Greeted {
    principal: Principal,
    claims: AccessClaims,
    until: Instant,
    ear: Ear,
    attendance: Attendance,
}

/// Who is it, and may they? On yes, the session has its seat before anything is read, so that nothing is missed.
async fn greet(state: &AppState, hello: &Hello) -> Result<Greeted, End> {
    may_speak(hello.protocol, hello.schema_version, &hello.actor)?;
    if hello.cursors.len() > MAX_CURSORS {
        return Err(Goodbye::TooLarge.into());
    }
    let claims = claims(state, &hello.token, hello.device)?;
    let ear = state.look_again.ear(claims.account, claims.device);
    let (principal, until) = admitted(state, &claims).await?;
    tracing::Span::current()
        .record("device", tracing::field::display(hello.device))
        .record("clinic", tracing::field::display(principal.clinic));
    if principal.feeds().is_empty() {
        return Err(Goodbye::NotPermitted.into());
    }
    let actor = ActorRow {
        actor: hello.actor.to_vec(),
        account: principal.account,
        device: hello.device,
    };
    if !state.storage.bind_actor(principal.clinic, actor).await? {
        return Err(Goodbye::ForeignActor.into());
    }
    let attendance = state.fan_out.attend(principal.clinic, principal.feeds());
    Ok(Greeted {
        principal,
        claims,
        until,
        ear,
        attendance,
    })
}

/// What an access token of this device says, however old it is.
fn claims(state: &AppState, token: &str, device: DeviceId) -> Result<AccessClaims, End> {
    let claims = state.tokens.open_at_any_time(token);
    Ok(claims
        .filter(|claims| claims.device == device)
        .ok_or(Goodbye::SignIn)?)
}

/// The person behind a token, as the database knows them now, and until when token and sign-in let them in. A token that
/// has run out still proves which device it is: if that was lost, it hears so.
async fn admitted(state: &AppState, claims: &AccessClaims) -> Result<(Principal, Instant), End> {
    if state.storage.people().is_lost(claims.device).await? {
        return Err(Goodbye::Purge.into());
    }
    let now = state.settings.clock.now();
    let ends = state.storage.family_ends(claims.family, now).await?;
    let ends = ends.ok_or(Goodbye::SignIn)?.min(claims.expires_at);
    let until = match u64::try_from(ends.0 - now.0) {
        Ok(left) if left > 0 => Instant::now() + Duration::from_millis(left),
        _ => return Err(Goodbye::SignIn.into()),
    };
    let principals = state.storage.principals(claims.account).await?;
    let principal = principals
        .into_iter()
        .find(|principal| principal.clinic == claims.clinic)
        .ok_or(Goodbye::SignIn)?;
    Ok((principal, until))
}

impl Session {
    async fn step(&mut self, line: &mut Line<impl Socket>) -> Result<(), End> {
        match self.next(line).await {
            Event::Message(message) => {
                self.heard = Instant::now();
                self.message(message?, line).await
            }
            Event::LookAgain => self.look_again().await,
            Event::Inside(None) => Err(Goodbye::TooSlow.into()),
            Event::Inside(Some(item)) => self.inside(item, line).await,
            Event::CatchUp(step) => self.caught_up(step, line).await,
            Event::Silence => Err(End::Gone),
            Event::TokenExpired => Err(Goodbye::SignIn.into()),
            Event::Stopping => Err(Goodbye::Later.into()),
        }
    }

    async fn next(&mut self, line: &mut Line<impl Socket>) -> Event {
        let window_open = self.pages_sent < self.pages_stored + PAGE_WINDOW;
        let catching_up = async {
            match &mut self.catching_up {
                Some(pages) if window_open => pages.recv().await,
                _ => std::future::pending().await,
            }
        };
        let resumes_at = self.resumes_at;
        let message = async {
            if let Some(at) = resumes_at {
                tokio::time::sleep_until(at).await;
            }
            line.receive().await
        };
        // In an order, so that what happens does not hang on chance. What ends the session comes first, then what fills
        // up inside; a device that floods keeps only itself waiting, and one whose message is here is not silent.
        tokio::select! {
            biased;
            () = self.state.stopping.cancelled() => Event::Stopping,
            () = tokio::time::sleep_until(self.signed_in_until) => Event::TokenExpired,
            () = self.ear.called() => Event::LookAgain,
            item = self.attendance.inbox.recv() => Event::Inside(item),
            step = catching_up => Event::CatchUp(step),
            message = message => Event::Message(message),
            () = tokio::time::sleep_until(self.heard + self.state.settings.silence) => Event::Silence,
        }
    }

    async fn message(&mut self, message: ClientMessage, line: &mut Line<impl Socket>) -> Result<(), End> {
        match message {
            ClientMessage::Hello(_) => Err(Goodbye::OutOfOrder.into()),
            ClientMessage::Push(push) => self.push(push).await,
            ClientMessage::PageStored(number) if number > self.pages_sent || number < self.pages_stored => {
                Err(Goodbye::OutOfOrder.into())
            }
            ClientMessage::PageStored(number) => {
                self.pages_stored = number;
                Ok(())
            }
            ClientMessage::Ping => {
                line.say(ServerMessage::Pong(self.state.settings.clock.now()))
                    .await
            }
            ClientMessage::Renew(token) => self.renew(&token).await,
            ClientMessage::Want(document) => self.want(document, line).await,
        }
    }

    async fn push(&mut self, push: Push) -> Result<(), End> {
        let expected = self.last_push.is_none_or(|last| push.number == last + 1);
        if !expected || self.pushes_open >= PUSH_WINDOW {
            return Err(Goodbye::OutOfOrder.into());
        }
        let cost = cost_of(&push)?;
        let bytes = cost.bytes;
        self.charge(cost)?;
        self.last_push = Some(push.number);
        self.pushes_open += 1;
        let authors = self.authors.of(&self.state, &push.items).await?;
        let read = move || ReadItem::read_push(push.items, Some(&authors));
        let items = if bytes > READ_INLINE {
            let heavy_work = self.state.settings.heavy_work;
            heavy_work.run(read).await.map_err(|_| Goodbye::Later)?
        } else {
            read()
        };
        let push = QueuedPush {
            writer: Arc::clone(&self.writer),
            number: push.number,
            items,
            answer: self.attendance.queue.clone(),
        };
        self.state.accept.push(self.principal.clinic, push).await;
        Ok(())
    }

    /// What is asked for is done now, and the next message waits until it is paid for. Who owes too much already, from
    /// other sessions, comes back later: the device has kept what it was not told to be accepted.
    fn charge(&mut self, cost: Cost) -> Result<(), End> {
        let now = Instant::now();
        let (accounts, principal) = (&self.state.accounts, &self.principal);
        if accounts.charge(principal, Cost::default(), now) > LONGEST_WAIT {
            tracing::info!("over the quota");
            return Err(Goodbye::Later.into());
        }
        let wait = accounts.charge(principal, cost, now).min(LONGEST_WAIT);
        self.resumes_at = (!wait.is_zero()).then(|| now + wait);
        Ok(())
    }

    async fn renew(&mut self, token: &str) -> Result<(), End> {
        let claims = claims(&self.state, token, self.device)?;
        if (claims.account, claims.clinic) != (self.principal.account, self.principal.clinic) {
            return Err(Goodbye::SignIn.into());
        }
        self.claims = claims;
        self.look_again().await
    }

    /// With a fresh token, or because somebody said that this person's rights are others or that this device was lost. With
    /// other rights the device needs other feeds: it connects again and is told so in the Welcome.
    async fn look_again(&mut self) -> Result<(), End> {
        let (principal, until) = admitted(&self.state, &self.claims).await?;
        if principal != self.principal {
            return Err(Goodbye::Later.into());
        }
        self.signed_in_until = until;
        Ok(())
    }

    /// A whole document for a device that has a part of it. What this person may not read is answered by silence, as
    /// is what does not exist.
    async fn want(&mut self, document: DocumentId, line: &mut Line<impl Socket>) -> Result<(), End> {
        self.charge(Cost {
            wants: 1,
            ..Cost::default()
        })?;
        for feed in self.principal.feeds() {
            let found = self
                .state
                .storage
                .documents_named(self.principal.clinic, feed, &[document])
                .await?;
            for stored in found {
                let Ok(projection) = minicbor::decode(&stored.projection) else {
                    continue;
                };
                return line
                    .say(ServerMessage::Snapshot(Entry {
                        kind: stored.kind,
                        document: stored.id,
                        schema_version: stored.schema_version,
                        content: Content::Snapshot {
                            bytes: stored.bytes.into(),
                            projection_version: stored.projection_version,
                            projection,
                        },
                    }))
                    .await;
            }
        }
        let account = self.principal.account;
        tracing::info!(%account, %document, "asked for a record that is not there for them");
        Ok(())
    }

    async fn inside(&mut self, item: ForSession, line: &mut Line<impl Socket>) -> Result<(), End> {
        match item {
            ForSession::Accepted(accepted) => {
                self.pushes_open = self.pushes_open.saturating_sub(1);
                line.say(ServerMessage::Accepted(accepted)).await
            }
            ForSession::NotNow => Err(Goodbye::Later.into()),
            ForSession::Live { page, gapless_from } => self.live(&page, gapless_from, line).await,
            ForSession::Behind { head } => {
                for feed in &mut self.feeds {
                    if feed.cursor.number < head {
                        feed.known = feed.known.max(head);
                        feed.live = false;
                    }
                }
                self.catch_up();
                Ok(())
            }
        }
    }

    async fn live(
        &mut self,
        page: &LivePage,
        gapless_from: u64,
        line: &mut Line<impl Socket>,
    ) -> Result<(), End> {
        let Some(feed) = self.feeds.iter_mut().find(|state| state.cursor.feed == page.feed) else {
            return Ok(());
        };
        if !feed.live || feed.cursor.number < gapless_from {
            feed.known = feed.known.max(page.number);
            feed.live = false;
            self.catch_up();
            return Ok(());
        }
        if page.number <= feed.cursor.number {
            return Ok(());
        }
        feed.cursor.number = page.number;
        match &page.only_of {
            Some((session, cursor)) if *session == self.attendance.session => line.send(cursor.clone()).await,
            _ => {
                for frame in &page.frames {
                    line.send(frame.clone()).await?;
                }
                Ok(())
            }
        }
    }

    /// Starts on the first feed that is not live, unless one is under way.
    fn catch_up(&mut self) {
        if self.catching_up.is_some() {
            return;
        }
        if let Some(feed) = self.feeds.iter().find(|feed| !feed.live) {
            let (pages, ready) = mpsc::channel(catch_up::PREFETCH);
            tokio::spawn(catch_up::run(
                Arc::clone(&self.state.storage),
                self.principal.clinic,
                feed.cursor.clone(),
                self.state.settings.clock.now(),
                self.state.settings.heavy_work,
                pages,
            ));
            self.catching_up = Some(ready);
        }
    }

    async fn caught_up(&mut self, step: Option<CatchUp>, line: &mut Line<impl Socket>) -> Result<(), End> {
        match step {
            Some(CatchUp::Page { cursor, body }) => {
                if let Some(feed) = self.feed(cursor.feed) {
                    feed.cursor = cursor.clone();
                }
                self.pages_sent += 1;
                line.send(page::frame(self.pages_sent, cursor, body)).await
            }
            Some(CatchUp::Done { feed, number }) => {
                self.catching_up = None;
                if let Some(feed) = self.feed(feed) {
                    feed.cursor.number = number;
                    feed.live = feed.known <= number;
                }
                self.catch_up();
                Ok(())
            }
            Some(CatchUp::Failed(error)) => Err(error.into()),
            None => Err(Goodbye::Later.into()),
        }
    }

    fn feed(&mut self, feed: Feed) -> Option<&mut FeedState> {
        self.feeds.iter_mut().find(|state| state.cursor.feed == feed)
    }
}
