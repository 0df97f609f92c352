//! The core on its own thread, SQLite in the user's data folder, WebSocket over tokio.
//!
//! Place in the flow: below the views' `Host`, around the core. Invariant: one program at a time holds the records; the
//! file system's lock says so, and goes with the process however that ends.

use super::kept;
use crate::host::calls::{Request, Response, Secret};
use crate::host::runner::{Input, Io, Purpose, Runner};
use crate::host::{FromCore, HostTrouble, ToCore};
use crate::text;
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::{SinkExt, StreamExt};
use local_core::StorageTrouble;
use shared_model::time::Timestamp;
use std::cell::Cell;
use std::fs::{File, TryLockError};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_tungstenite::tungstenite::Message;

/// So long a clinic that does not answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

pub(in crate::host) struct Link {
    to_core: Sender<Arriving>,
}

/// What reaches the core's thread, and of which socket it comes, if of one: a former socket has no say any more.
struct Arriving {
    input: Input,
    socket: Option<u64>,
}

impl From<Input> for Arriving {
    fn from(input: Input) -> Self {
        Self { input, socket: None }
    }
}

impl Link {
    pub(in crate::host) fn send(&self, message: ToCore) {
        // The core's thread ends only with the program.
        drop(self.to_core.send(Input::FromViews(message).into()));
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

fn run(inputs: &Receiver<Arriving>, to_core: &Sender<Arriving>, to_views: &UnboundedSender<FromCore>) {
    let socket = Rc::new(Cell::new(0));
    let (mut runner, _held) = loop {
        let opened =
            open(to_views).and_then(|opened| Ok((opened, NativeIo::new(to_core, to_views, &socket)?)));
        match opened {
            Ok(((held, sql), io)) => {
                if let Some(runner) = Runner::start(sql, io) {
                    break (runner, held);
                }
            }
            Err(trouble) => tell(to_views, FromCore::NoStore(trouble)),
        }
        // The screen says why; somebody mends it and asks for another try.
        loop {
            match inputs.recv().map(|arriving| arriving.input) {
                Ok(Input::FromViews(ToCore::RetryStorage)) => break,
                Ok(_) => {}
                Err(_) => return,
            }
        }
    };
    while let Ok(arriving) = inputs.recv() {
        if arriving.socket.is_none_or(|number| number == socket.get()) {
            runner.input(arriving.input);
        }
    }
}

fn tell(to_views: &UnboundedSender<FromCore>, message: FromCore) {
    // The window is closing if nobody listens.
    drop(to_views.unbounded_send(message));
}

/// Waits while another window of the program has the records, and says so meanwhile.
fn open(to_views: &UnboundedSender<FromCore>) -> Result<(File, rusqlite::Connection), HostTrouble> {
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
    let sql = rusqlite::Connection::open(folder.join("clinic.db"))
        .map_err(|error| HostTrouble::Storage(StorageTrouble::from(&local_core::StoreError::from(error))))?;
    Ok((held, sql))
}

fn trouble(error: &std::io::Error) -> HostTrouble {
    HostTrouble::Storage(kept::trouble(error))
}

struct NativeIo {
    to_core: Sender<Arriving>,
    to_views: UnboundedSender<FromCore>,
    network: tokio::runtime::Runtime,
    /// What goes into the socket's task; dropped, the task ends.
    frames: Option<UnboundedSender<Message>>,
    /// The number of the latest socket.
    socket: Rc<Cell<u64>>,
    wake: Option<tokio::task::JoinHandle<()>>,
}

impl NativeIo {
    fn new(
        to_core: &Sender<Arriving>,
        to_views: &UnboundedSender<FromCore>,
        socket: &Rc<Cell<u64>>,
    ) -> Result<Self, HostTrouble> {
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
            socket: Rc::clone(socket),
            wake: None,
        })
    }
}

/// Connects, and carries frames both ways until either end has enough.
async fn talk(server: String, mut outgoing: UnboundedReceiver<Message>, tell: impl Fn(Input)) {
    let address = format!("{}/api/v1/sync", server.replacen("http", "ws", 1));
    let config = tokio_tungstenite::tungstenite::protocol::WebSocketConfig::default()
        .max_message_size(Some(2 * shared_model::protocol::MAX_FRAME));
    let connecting = tokio_tungstenite::connect_async_with_config(&address, Some(config), true);
    let Ok(Ok((mut socket, _))) = tokio::time::timeout(PATIENCE, connecting).await else {
        return;
    };
    tell(Input::SocketOpened);
    loop {
        tokio::select! {
            frame = outgoing.next() => match frame {
                Some(frame) => if socket.send(frame).await.is_err() { break },
                None => break,
            },
            frame = socket.next() => match frame {
                Some(Ok(Message::Binary(frame))) => tell(Input::Frame(frame.to_vec())),
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

    fn open_socket(&mut self) {
        let (frames, outgoing) = unbounded::<Message>();
        self.frames = Some(frames);
        let number = self.socket.get() + 1;
        self.socket.set(number);
        let to_core = self.to_core.clone();
        let tell = move |input| {
            let socket = Some(number);
            // The program is ending if the core is gone.
            drop(to_core.send(Arriving { input, socket }));
        };
        let server = kept::server();
        self.network.spawn(async move {
            if let Some(server) = server {
                talk(server, outgoing, &tell).await;
            }
            tell(Input::SocketClosed);
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
            drop(to_core.send(Input::Response(purpose, answer).into()));
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
            drop(to_core.send(Input::Tick.into()));
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
    if let Some(Secret(token)) = token {
        head = head.header("authorization", format!("Bearer {token}"));
    }
    let Secret(body) = request.body;
    let mut answer = if body.is_empty() {
        agent.run(head.body(()).ok()?)
    } else {
        let head = head.header("content-type", "application/json");
        agent.run(head.body(body).ok()?)
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
