//! The native host: the core on its own thread, SQLite in the user's data folder, WebSocket over tokio.

use super::runner::{Input, Io, Purpose, Response, Runner};
use super::{Device, FromCore, HostTrouble, KeyPress, PageEvent, ToCore};
use dioxus::prelude::*;
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::{SinkExt, StreamExt};
use local_core::StorageTrouble;
use shared_model::time::Timestamp;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_tungstenite::tungstenite::Message;

pub(super) struct Link {
    to_core: Sender<Input>,
}

impl Link {
    pub(super) fn send(&self, message: ToCore) {
        // The core's thread ends only with the program.
        drop(self.to_core.send(Input::FromViews(message)));
    }
}

/// The clinic's server, as the environment or the user's settings file names it.
fn server() -> String {
    std::env::var("VET_CLINIC_SERVER").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned())
}

/// Where this user's records are kept.
pub(crate) fn data_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("VET_CLINIC_DATA") {
        return Some(folder.into());
    }
    directories::ProjectDirs::from("", "", "Vet Clinic").map(|folders| folders.data_dir().to_owned())
}

pub(super) fn start() -> (Link, UnboundedReceiver<FromCore>) {
    let (to_core, inputs) = channel();
    let (to_views, from_core) = unbounded();
    let io_inputs = to_core.clone();
    std::thread::Builder::new()
        .name("local-core".to_owned())
        .spawn(move || run(inputs, io_inputs, to_views))
        .expect("a program that has just started can start a thread");
    (Link { to_core }, from_core)
}

fn run(inputs: Receiver<Input>, to_core: Sender<Input>, to_views: UnboundedSender<FromCore>) {
    let no_store = |trouble| drop(to_views.unbounded_send(FromCore::NoStore(trouble)));
    let Some(folder) = data_folder() else {
        return no_store(HostTrouble::Storage(StorageTrouble::ReadOnly));
    };
    if std::fs::create_dir_all(&folder).is_err() {
        return no_store(HostTrouble::Storage(StorageTrouble::ReadOnly));
    }
    let sql = match rusqlite::Connection::open(folder.join("clinic.db")) {
        Ok(sql) => sql,
        Err(error) => {
            let trouble = StorageTrouble::from(&local_core::StoreError::from(error));
            return no_store(HostTrouble::Storage(trouble));
        }
    };
    let network = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
    {
        Ok(network) => network,
        Err(error) => return no_store(HostTrouble::Other(error.to_string())),
    };
    let io = NativeIo {
        to_core,
        to_views,
        network,
        socket: None,
        generation: 0,
        wake: None,
    };
    let Some(mut runner) = Runner::start(sql, io) else {
        return;
    };
    while let Ok(input) = inputs.recv() {
        runner.input(input);
    }
}

struct NativeIo {
    to_core: Sender<Input>,
    to_views: UnboundedSender<FromCore>,
    network: tokio::runtime::Runtime,
    socket: Option<UnboundedSender<Message>>,
    generation: u64,
    wake: Option<tokio::task::JoinHandle<()>>,
}

impl Io for NativeIo {
    fn now(&self) -> Timestamp {
        super::now()
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("every platform we run on has a random source");
    }

    fn to_views(&self, message: FromCore) {
        // The window is closing if nobody listens.
        drop(self.to_views.unbounded_send(message));
    }

    fn open_socket(&mut self) {
        let (frames, mut outgoing) = unbounded::<Message>();
        self.socket = Some(frames);
        self.generation += 1;
        let to_core = self.to_core.clone();
        let address = format!("{}/api/v1/sync", server().replacen("http", "ws", 1));
        self.network.spawn(async move {
            let config = tokio_tungstenite::tungstenite::protocol::WebSocketConfig::default()
                .max_message_size(Some(2 * shared_model::protocol::MAX_FRAME));
            let connected = tokio_tungstenite::connect_async_with_config(&address, Some(config), true).await;
            if let Ok((mut socket, _)) = connected {
                drop(to_core.send(Input::SocketOpened));
                loop {
                    tokio::select! {
                        frame = outgoing.next() => match frame {
                            Some(frame) => if socket.send(frame).await.is_err() { break },
                            None => break,
                        },
                        frame = socket.next() => match frame {
                            Some(Ok(Message::Binary(frame))) => drop(to_core.send(Input::Frame(frame.to_vec()))),
                            Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                            Some(Ok(_)) => {}
                        },
                    }
                }
                // The other side may be gone already.
                drop(socket.close(None).await);
            }
            drop(to_core.send(Input::SocketClosed));
        });
    }

    fn close_socket(&mut self) {
        // Dropping the sender ends the task, which reports that the socket closed.
        self.socket = None;
    }

    fn send(&mut self, frame: Vec<u8>) {
        if let Some(socket) = &self.socket {
            // A socket that has just died reports itself; the outbox keeps what was sent.
            drop(socket.unbounded_send(Message::Binary(frame.into())));
        }
    }

    fn post(&mut self, purpose: Purpose, path: &'static str, body: String) {
        let to_core = self.to_core.clone();
        self.network.spawn_blocking(move || {
            let agent: ureq::Agent = ureq::Agent::config_builder()
                .timeout_global(Some(Duration::from_secs(20)))
                .http_status_as_error(false)
                .build()
                .into();
            let answer = agent
                .post(format!("{}{path}", server()))
                .header("content-type", "application/json")
                .send(body)
                .ok()
                .and_then(|mut answer| {
                    let retry_after = answer
                        .headers()
                        .get("retry-after")
                        .and_then(|v| v.to_str().ok()?.parse().ok());
                    let status = answer.status().as_u16();
                    let body = answer.body_mut().read_to_string().ok()?;
                    Some(Response {
                        status,
                        retry_after,
                        body,
                    })
                });
            drop(to_core.send(Input::Response(purpose, answer)));
        });
    }

    fn wake_at(&mut self, at: Timestamp) {
        if let Some(wake) = self.wake.take() {
            wake.abort();
        }
        let wait = u64::try_from(at.0 - super::now().0).unwrap_or(0);
        let to_core = self.to_core.clone();
        self.wake = Some(self.network.spawn(async move {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            drop(to_core.send(Input::Tick));
        }));
    }
}

pub(super) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    Timestamp(i64::try_from(since).unwrap_or(i64::MAX))
}

/// Runs a line of script in the window, for what Dioxus has no call for.
fn script(code: &str) {
    // What it returns is of no interest, and the window may be closing.
    let _ = document::eval(code);
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is always JSON")
}

pub(crate) fn focus(id: &str) {
    script(&format!("document.getElementById({})?.focus()", quoted(id)));
}

/// What Tab stops at inside an element, as an expression of the window's script.
fn focusables(id: &str) -> String {
    format!(
        "[...(document.getElementById({})?.querySelectorAll(\"a[href], button:not(:disabled), input:not(:disabled), \
         select:not(:disabled), textarea:not(:disabled), [tabindex]:not([tabindex='-1'])\") ?? [])]\
         .filter(e => e.tabIndex >= 0 && e.offsetParent)",
        quoted(id)
    )
}

/// The field that asks for the focus, else the first field, else the element itself.
pub(crate) fn focus_into(id: &str) {
    script(&format!(
        "const within = document.getElementById({}); (within?.querySelector('[data-autofocus]') \
         ?? {}.find(e => e.matches('input, select, textarea')) ?? within)?.focus()",
        quoted(id),
        focusables(id)
    ));
}

pub(crate) fn focus_first_in(id: &str) {
    script(&format!("{}.at(0)?.focus()", focusables(id)));
}

pub(crate) fn focus_last_in(id: &str) {
    script(&format!("{}.at(-1)?.focus()", focusables(id)));
}

/// Whether the element or something in it has the focus.
pub(crate) async fn has_focus_within(id: &str) -> bool {
    let code = format!(
        "await new Promise(done => setTimeout(done)); \
         return document.getElementById({})?.contains(document.activeElement) ?? false",
        quoted(id)
    );
    document::eval(&code).join::<bool>().await.unwrap_or(false)
}

/// Where the focus was before a dialog took it. The window keeps them in a pile, as dialogs are piled.
pub(crate) struct FormerFocus;

impl FormerFocus {
    pub(crate) fn remember() -> Self {
        script("(window.formerFocus ??= []).push(document.activeElement)");
        Self
    }

    /// Back to where it was; to the page if that is gone.
    pub(crate) fn give_back(self) {
        script(
            "const former = window.formerFocus?.pop(); \
             (former?.isConnected ? former : document.getElementById('content'))?.focus()",
        );
    }
}

/// Begins a page at its top and with the focus on it, as after a click on a link.
pub(crate) fn arrive_at(id: &str) {
    script(&format!(
        "const page = document.getElementById({}); if (page) {{ page.scrollTop = 0; page.focus() }}",
        quoted(id)
    ));
}

/// What the window's frame says.
pub(crate) fn set_title(title: &str) {
    dioxus::desktop::window().set_title(title);
}

pub(crate) fn scroll_into_view(id: &str) {
    script(&format!(
        "document.getElementById({})?.scrollIntoView({{ block: 'nearest' }})",
        quoted(id)
    ));
}

/// Listens until it is dropped.
pub(crate) struct Listening(Option<dioxus::core::Task>);

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.cancel();
        }
    }
}

/// Tells `takes` of every key until what it returns is dropped. The window cannot ask before it acts on a key, so
/// only Ctrl-K is kept from it; letters outside of fields do nothing there anyway.
pub(crate) fn listen_keys(takes: impl Fn(&KeyPress) -> bool + 'static) -> Listening {
    let mut keys = document::eval(
        "window.tellKey && removeEventListener('keydown', window.tellKey); \
         window.tellKey = event => { \
             if (event.defaultPrevented || event.isComposing) return; \
             const command = event.ctrlKey || event.metaKey; \
             if (command && event.key.toLowerCase() === 'k') event.preventDefault(); \
             const in_field = event.target.matches?.('input, select, textarea, [contenteditable], [role^=menuitem]') ?? false; \
             dioxus.send({ key: event.key, command, alt: event.altKey, in_field }); \
         }; \
         addEventListener('keydown', window.tellKey); \
         await new Promise(() => {});",
    );
    Listening(Some(spawn(async move {
        while let Ok(press) = keys.recv::<KeyPress>().await {
            takes(&press);
        }
    })))
}

/// A window that is covered goes on working, and the core lives as long as the program.
pub(crate) fn listen_hidden(_hidden: impl Fn() + 'static) -> Listening {
    Listening(None)
}

/// The window hears of nothing that the core does not find out by itself.
pub(crate) fn page_events() -> UnboundedReceiver<PageEvent> {
    unbounded().1
}

/// An installed program is updated by its installer.
pub(crate) fn activate_new_build() {}

pub(crate) fn reload() {
    script("location.reload()");
}

pub(crate) async fn sleep(milliseconds: u32) {
    tokio::time::sleep(Duration::from_millis(u64::from(milliseconds))).await;
}

pub(crate) fn device() -> Device {
    Device::Computer
}

pub(crate) fn has_apple_keys() -> bool {
    cfg!(target_os = "macos")
}

/// Puts the caret or selection of a text field, in UTF-16 units.
pub(crate) fn select_text(id: &str, start: u32, end: u32) {
    script(&format!(
        "document.getElementById({})?.setSelectionRange({start}, {end})",
        quoted(id)
    ));
}

/// The selection of a text field in UTF-16 units.
pub(crate) async fn text_selection(id: &str) -> Option<(u32, u32)> {
    let code = format!(
        "const e = document.getElementById({}); return e ? [e.selectionStart, e.selectionEnd] : null",
        quoted(id)
    );
    document::eval(&code)
        .join::<Option<(u32, u32)>>()
        .await
        .ok()
        .flatten()
}

pub(crate) fn print_page() {
    script("window.print()");
}

pub(crate) fn copy_to_clipboard(text: &str) {
    script(&format!("navigator.clipboard?.writeText({})", quoted(text)));
}

/// A window has no address to open elsewhere.
pub(crate) fn copy_address() {}

fn theme_file() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("theme"))
}

/// "light", "dark" or "system".
pub(crate) fn remembered_theme() -> String {
    theme_file()
        .and_then(|file| std::fs::read_to_string(file).ok())
        .unwrap_or_else(|| "system".to_owned())
}

pub(crate) fn set_theme(theme: &str) {
    if let Some(file) = theme_file() {
        // Forgetting a colour preference is no reason to bother anybody.
        drop(std::fs::write(file, theme));
    }
    script(&format!(
        "document.documentElement.dataset.theme = {}",
        quoted(theme)
    ));
}
