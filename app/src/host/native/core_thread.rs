//! The core on its own thread, SQLite in the user's data folder, WebSocket over tokio.
//!
//! Place in the flow: below the views' `Host`, around the core. Invariant: one program at a time holds the records; the
//! file system's lock says so, and goes with the process however that ends.

use super::folder::Folder;
use super::kept;
use crate::host::calls::{Request, Response};
use crate::host::runner::{Input, Io, Purpose, Runner};
use crate::host::{FromCore, HostTrouble, Secret, ToCore};
use crate::text;
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::{SinkExt, StreamExt};
use local_core::StorageTrouble;
use shared_model::time::Timestamp;
use std::fs::{File, TryLockError};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_tungstenite::tungstenite::Message;

/// So long a clinic that does not answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

pub(in crate::host) struct Link {
    to_core: Sender<Input>,
}

impl Link {
    pub(in crate::host) fn send(&self, message: ToCore) {
        // The core's thread ends only with the program.
        drop(self.to_core.send(Input::FromViews(message)));
    }

    /// One window has the thread to itself: page 0 of the core.
    pub(in crate::host) fn first_number(&self) -> u64 {
        0
    }

    /// Tries once more to open the records.
    pub(in crate::host) fn open_again(&self) {
        self.send(ToCore::RetryStorage);
    }
}

pub(in crate::host) fn start() -> (Link, UnboundedReceiver<FromCore>) {
    let (to_core, inputs) = channel();
    let (to_views, from_core) = unbounded();
    let io_inputs = to_core.clone();
    std::thread::Builder::new()
        .name("local-core".to_owned())
        .spawn(move || run(&inputs, &io_inputs, &to_views))
        .expect("a program that has just started can start a thread");
    (Link { to_core }, from_core)
}

fn run(inputs: &Receiver<Input>, to_core: &Sender<Input>, to_views: &UnboundedSender<FromCore>) {
    let (mut runner, _held) = loop {
        let opened = open(to_views).and_then(|opened| Ok((opened, NativeIo::new(to_core, to_views)?)));
        match opened {
            Ok(((held, folder), io)) => {
                if let Some(runner) = Runner::start(folder, io) {
                    break (runner, held);
                }
            }
            Err(trouble) => tell(to_views, FromCore::NoStore(trouble)),
        }
        // The screen says why; somebody mends it and asks for another try.
        loop {
            match inputs.recv() {
                Ok(Input::FromViews(ToCore::RetryStorage)) => break,
                Ok(_) => {}
                Err(_) => return,
            }
        }
    };
    while let Ok(input) = inputs.recv() {
        runner.input(input);
    }
}

fn tell(to_views: &UnboundedSender<FromCore>, message: FromCore) {
    // The window is closing if nobody listens.
    drop(to_views.unbounded_send(message));
}

/// Waits while another window of the program has the records, and says so meanwhile.
fn open(to_views: &UnboundedSender<FromCore>) -> Result<(File, Folder), HostTrouble> {
    let folder = kept::data_folder().ok_or(HostTrouble::Storage(StorageTrouble::ReadOnly))?;
    std::fs::create_dir_all(&folder).map_err(|error| trouble(&error))?;
    let held = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("clinic.lock"))
        .map_err(|error| trouble(&error))?;
    match held.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            tell(to_views, FromCore::NoStore(HostTrouble::OpenElsewhere));
            held.lock().map_err(|error| trouble(&error))?;
        }
        Err(TryLockError::Error(error)) => return Err(trouble(&error)),
    }
    Ok((held, Folder::new(folder)))
}

fn trouble(error: &std::io::Error) -> HostTrouble {
    HostTrouble::Storage(kept::trouble(error))
}

struct NativeIo {
    to_core: Sender<Input>,
    to_views: UnboundedSender<FromCore>,
    network: tokio::runtime::Runtime,
    /// What goes into the socket's task; dropped, the task ends.
    frames: Option<UnboundedSender<Message>>,
    wake: Option<tokio::task::JoinHandle<()>>,
}

impl NativeIo {
    fn new(to_core: &Sender<Input>, to_views: &UnboundedSender<FromCore>) -> Result<Self, HostTrouble> {
        let network = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| HostTrouble::Other(error.to_string()))?;
        Ok(Self {
            to_core: to_core.clone(),
            to_views: to_views.clone(),
            network,
            frames: None,
            wake: None,
        })
    }
}

/// Connects, and carries frames both ways until either end has enough.
async fn talk(number: u64, server: String, mut outgoing: UnboundedReceiver<Message>, tell: impl Fn(Input)) {
    let address = format!("{}/api/v1/sync", server.replacen("http", "ws", 1));
    let config = tokio_tungstenite::tungstenite::protocol::WebSocketConfig::default()
        .max_message_size(Some(2 * shared_model::protocol::MAX_FRAME));
    let connecting = tokio_tungstenite::connect_async_with_config(&address, Some(config), true);
    let Ok(Ok((mut socket, _))) = tokio::time::timeout(PATIENCE, connecting).await else {
        return;
    };
    tell(Input::SocketOpened(number));
    loop {
        tokio::select! {
            frame = outgoing.next() => match frame {
                Some(frame) => if socket.send(frame).await.is_err() { break },
                None => break,
            },
            frame = socket.next() => match frame {
                Some(Ok(Message::Binary(frame))) => tell(Input::Frame(number, frame.to_vec())),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    // The other side may be gone already.
    drop(socket.close(None).await);
}

impl Io for NativeIo {
    fn now(&self) -> Timestamp {
        now()
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("every platform we run on has a random source");
    }

    fn to_views(&self, messages: Vec<FromCore>) {
        for message in messages {
            tell(&self.to_views, message);
        }
    }

    fn windows(&self) -> usize {
        1
    }

    fn hands_over(&self) -> bool {
        false
    }

    fn open_socket(&mut self, number: u64) {
        let (frames, outgoing) = unbounded::<Message>();
        self.frames = Some(frames);
        let to_core = self.to_core.clone();
        // The program is ending if the core is gone.
        let tell = move |input| drop(to_core.send(input));
        let server = kept::server();
        self.network.spawn(async move {
            if let Some(server) = server {
                talk(number, server, outgoing, &tell).await;
            }
            tell(Input::SocketClosed(number));
        });
    }

    fn close_socket(&mut self) {
        // The task ends without its sender, and reports that the socket closed.
        self.frames = None;
    }

    fn send(&mut self, frame: Vec<u8>) {
        if let Some(frames) = &self.frames {
            // A socket that has just died reports itself; the outbox keeps what was sent.
            drop(frames.unbounded_send(Message::Binary(frame.into())));
        }
    }

    fn ask(&mut self, purpose: Purpose, request: Request, token: Option<Secret>) {
        let to_core = self.to_core.clone();
        let server = kept::server();
        self.network.spawn_blocking(move || {
            let answer = server.and_then(|server| ask(&server, request, token));
            drop(to_core.send(Input::Response(purpose, answer)));
        });
    }

    fn device_name(&self) -> String {
        let system = match std::env::consts::OS {
            "windows" => "Windows",
            "macos" => "Mac",
            _ => "Linux",
        };
        text::desktop_program_on(system)
    }

    fn wake_at(&mut self, at: Timestamp) {
        if let Some(wake) = self.wake.take() {
            wake.abort();
        }
        let wait = u64::try_from(at.0 - now().0).unwrap_or(0);
        let to_core = self.to_core.clone();
        self.wake = Some(self.network.spawn(async move {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            drop(to_core.send(Input::Tick));
        }));
    }
}

/// `None` if the server could not be reached.
fn ask(server: &str, request: Request, token: Option<Secret>) -> Option<Response> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .build()
        .into();
    let mut head = ureq::http::Request::builder()
        .method(request.method.word())
        .uri(format!("{server}/api/v1{}", request.path));
    if let Some(token) = token {
        head = head.header("authorization", format!("Bearer {}", token.text()));
    }
    let mut answer = if request.body.is_empty() {
        agent.run(head.body(()).ok()?)
    } else {
        let head = head.header("content-type", "application/json");
        agent.run(head.body(request.body.text()).ok()?)
    }
    .ok()?;
    let retry_after = answer
        .headers()
        .get("retry-after")
        .and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    Some(Response {
        status: answer.status().as_u16(),
        retry_after,
        body: answer.body_mut().read_to_string().ok()?,
    })
}

pub(in crate::host) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    Timestamp(i64::try_from(since).unwrap_or(i64::MAX))
}
