//! A node without sockets, for a program that holds the devices too: the real sessions, accept and fan-out, on a
//! storage, a clock and channels that the program chose.
//!
//! Invariant: nothing here decides anything; what a device meets is what it would meet on the network.

use crate::identity::Passwords;
use crate::router;
use crate::server::{AppState, Settings};
use crate::storage::{Storage, Stored};
use crate::sync::{follow_other_nodes, run_session};
use axum::body::{Body, to_bytes};
use axum::extract::ws::Message;
use axum::http::{Request, StatusCode, header};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, PollSender};
use tower::ServiceExt;

/// What a connection holds of what was sent and not taken, as the buffers of a real one would.
const FRAMES: usize = 64;
/// Answers of the API are small.
const MAX_ANSWER: usize = 1 << 20;

/// A running node. All of it runs on the runtime that it was opened on, and ends with it.
pub struct Node {
    state: AppState,
}

impl Node {
    pub async fn open(storage: Arc<dyn Storage>, settings: Settings, passwords: Passwords) -> Stored<Self> {
        let state = AppState::open(storage, settings, passwords, CancellationToken::new()).await?;
        tokio::spawn(follow_other_nodes(
            Arc::clone(&state.storage),
            state.fan_out.clone(),
            state.look_again.clone(),
            state.settings.compare_heads_every,
            state.stopping.clone(),
        ));
        Ok(Self { state })
    }

    /// A device's connection, as if a WebSocket had just opened.
    pub fn connect(&self) -> Connection {
        let (to_server, from_device) = mpsc::unbounded_channel();
        let (to_device, from_server) = mpsc::channel(FRAMES);
        let socket = InMemory {
            incoming: from_device,
            outgoing: PollSender::new(to_device),
        };
        let session = run_session(self.state.clone(), socket);
        tokio::spawn(self.state.sessions.track_future(session));
        Connection {
            to_server: Some(to_server),
            from_server,
        }
    }

    /// A request to the API, with a JSON body and perhaps an access token: status and body of the answer.
    pub async fn post(&self, path: &str, token: Option<&str>, body: String) -> (u16, String) {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let Ok(request) = request.body(Body::from(body)) else {
            return (StatusCode::BAD_REQUEST.as_u16(), String::new());
        };
        let Ok(answer) = router::router(self.state.clone()).oneshot(request).await;
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), MAX_ANSWER).await.unwrap_or_default();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    /// Tells every session to go, as before a restart.
    pub fn drain(&self) {
        self.state.stopping.cancel();
    }

    /// Sessions that have not ended.
    pub fn sessions(&self) -> usize {
        self.state.sessions.len()
    }
}

/// The device's end of a connection. Dropped, it is closed.
pub struct Connection {
    to_server: Option<mpsc::UnboundedSender<Message>>,
    from_server: mpsc::Receiver<Message>,
}

/// What the server's end gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromServer {
    Frame(Bytes),
    /// Nothing now.
    Nothing,
    Closed,
}

impl Connection {
    /// A frame reaches the server; one that has closed does not hear it.
    pub fn send(&self, frame: Vec<u8>) {
        if let Some(to_server) = &self.to_server {
            // A server that is gone does not hear it; the device finds out when it reads.
            let _ = to_server.send(Message::Binary(frame.into()));
        }
    }

    /// The server hears that the device has closed; what it sends may still be received.
    pub fn close(&mut self) {
        self.to_server = None;
    }

    pub fn receive(&mut self) -> FromServer {
        loop {
            match self.from_server.try_recv() {
                Ok(Message::Binary(frame)) => return FromServer::Frame(frame),
                Ok(Message::Close(_)) | Err(mpsc::error::TryRecvError::Disconnected) => {
                    return FromServer::Closed;
                }
                Ok(_) => {}
                Err(mpsc::error::TryRecvError::Empty) => return FromServer::Nothing,
            }
        }
    }
}

/// The server's end.
struct InMemory {
    incoming: mpsc::UnboundedReceiver<Message>,
    outgoing: PollSender<Message>,
}

impl Stream for InMemory {
    type Item = Result<Message, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.incoming.poll_recv(context).map(|message| message.map(Ok))
    }
}

impl InMemory {
    fn outgoing(self: Pin<&mut Self>) -> Pin<&mut PollSender<Message>> {
        Pin::new(&mut self.get_mut().outgoing)
    }
}

impl Sink<Message> for InMemory {
    type Error = axum::Error;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        self.outgoing().poll_ready(context).map_err(axum::Error::new)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), axum::Error> {
        self.outgoing().start_send(message).map_err(axum::Error::new)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        self.outgoing().poll_flush(context).map_err(axum::Error::new)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        self.outgoing().poll_close(context).map_err(axum::Error::new)
    }
}
