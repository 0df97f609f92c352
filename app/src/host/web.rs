//! The web host: the page has the views, a dedicated Worker has the core with SQLite on the origin-private file
//! system. Both run the same bundle.

use super::runner::{Input, Io, Purpose, Response, Runner};
use super::{AddressTrouble, Device, FromCore, HostTrouble, KeyPress, PageEvent, ToCore};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::StreamExt;
use js_sys::{ArrayBuffer, Uint8Array};
use shared_model::time::Timestamp;
use sqlite_wasm_vfs::sahpool::{OpfsSAHPoolCfgBuilder, install};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    BinaryType, DedicatedWorkerGlobalScope, Document, Element, HtmlElement, HtmlInputElement,
    HtmlTextAreaElement, KeyboardEvent, MessageEvent, RequestInit, ScrollIntoViewOptions,
    ScrollLogicalPosition, WebSocket, Worker, WorkerOptions, WorkerType,
};

// The page's side

pub(super) struct Link {
    worker: Worker,
    /// What is sent before the Worker listens would be lost.
    early: Rc<RefCell<Option<Vec<ToCore>>>>,
}

impl Link {
    pub(super) fn send(&self, message: ToCore) {
        if let Some(early) = self.early.borrow_mut().as_mut() {
            early.push(message);
        } else {
            post(&self.worker, &message);
        }
    }

    /// The Worker that could not open the records has ended: the page begins anew.
    pub(super) fn open_again(&self) {
        reload();
    }
}

fn post(worker: &Worker, message: &ToCore) {
    let bytes = postcard::to_stdvec(message).expect("messages between page and Worker hold plain values");
    worker
        .post_message(&Uint8Array::from(&bytes[..]))
        .expect("bytes can always be posted");
}

pub(super) fn start() -> (Link, UnboundedReceiver<FromCore>) {
    let (to_views, from_core) = unbounded();
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    options.set_name("local-core");
    let address = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("start"))
        .and_then(|script| script.get_attribute("src"))
        .expect("the page names the script that started it");
    let worker =
        Worker::new_with_options(&address, &options).expect("boot.js has checked that Workers exist");
    let early = Rc::new(RefCell::new(Some(Vec::new())));
    let on_message = {
        let (worker, early, to_views) = (worker.clone(), early.clone(), to_views.clone());
        Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let data = event.data();
            if let Some(word) = data.as_string() {
                match word.as_str() {
                    "ready" => {
                        for message in early.borrow_mut().take().unwrap_or_default() {
                            post(&worker, &message);
                        }
                    }
                    "open-in-another-tab" => {
                        drop(to_views.unbounded_send(FromCore::NoStore(HostTrouble::OpenElsewhere)));
                    }
                    other => {
                        web_sys::console::warn_1(&format!("unknown word from the Worker: {other}").into())
                    }
                }
            } else {
                let bytes = Uint8Array::new(&data).to_vec();
                let messages: Vec<FromCore> =
                    postcard::from_bytes(&bytes).expect("the Worker runs the same build");
                for message in messages {
                    drop(to_views.unbounded_send(message));
                }
            }
        })
    };
    worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    let on_error = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
        let what = js_sys::Reflect::get(&event, &"message".into())
            .ok()
            .and_then(|m| m.as_string());
        let trouble = HostTrouble::Other(what.unwrap_or_default());
        drop(to_views.unbounded_send(FromCore::NoStore(trouble)));
    });
    worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    on_error.forget();
    // The compiled module goes along, so that the Worker neither downloads nor compiles it again.
    worker
        .post_message(&wasm_bindgen::module())
        .expect("a module can be posted");
    (Link { worker, early }, from_core)
}

fn element<T: JsCast>(id: &str) -> Option<T> {
    web_sys::window()?
        .document()?
        .get_element_by_id(id)?
        .dyn_into()
        .ok()
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

pub(crate) fn focus(id: &str) {
    if let Some(element) = element::<HtmlElement>(id) {
        // An element that cannot take the focus simply does not.
        drop(element.focus());
    }
}

/// What Tab stops at.
const FOCUSABLE: &str = "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), \
     textarea:not(:disabled), [tabindex]:not([tabindex='-1'])";

fn focusables(id: &str) -> Vec<HtmlElement> {
    let Some(found) = element::<Element>(id).and_then(|within| within.query_selector_all(FOCUSABLE).ok())
    else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|index| found.item(index)?.dyn_into::<HtmlElement>().ok())
        .filter(|element| element.tab_index() >= 0 && element.offset_parent().is_some())
        .collect()
}

fn focus_or_itself(element: Option<HtmlElement>, id: &str) {
    match element {
        Some(element) => drop(element.focus()),
        None => focus(id),
    }
}

/// The field that asks for the focus, else the first field, else the element itself.
pub(crate) fn focus_into(id: &str) {
    let asked = element::<Element>(id)
        .and_then(|within| within.query_selector("[data-autofocus]").ok().flatten())
        .and_then(|element| element.dyn_into::<HtmlElement>().ok());
    let first_field = || {
        focusables(id)
            .into_iter()
            .find(|element| matches!(element.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA"))
    };
    focus_or_itself(asked.or_else(first_field), id);
}

pub(crate) fn focus_first_in(id: &str) {
    focus_or_itself(focusables(id).into_iter().next(), id);
}

pub(crate) fn focus_last_in(id: &str) {
    focus_or_itself(focusables(id).pop(), id);
}

/// Whether the element or something in it has the focus.
pub(crate) async fn has_focus_within(id: &str) -> bool {
    // The browser moves the focus after the event that tells that it left.
    sleep(0).await;
    let active = document().and_then(|document| document.active_element());
    element::<Element>(id).is_some_and(|within| within.contains(active.as_deref()))
}

/// Where the focus was before a dialog took it.
pub(crate) struct FormerFocus(Option<HtmlElement>);

impl FormerFocus {
    pub(crate) fn remember() -> Self {
        Self(document().and_then(|document| document.active_element()?.dyn_into().ok()))
    }

    /// Back to where it was; to the page if that is gone.
    pub(crate) fn give_back(self) {
        match self.0.filter(|element| element.is_connected()) {
            Some(element) => drop(element.focus()),
            None => focus("content"),
        }
    }
}

/// Begins a page at its top and with the focus on it, as after a click on a link.
pub(crate) fn arrive_at(id: &str) {
    if let Some(element) = element::<HtmlElement>(id) {
        element.set_scroll_top(0);
        drop(element.focus());
    }
}

/// What the browser's tab says.
pub(crate) fn set_title(title: &str) {
    if let Some(document) = document() {
        document.set_title(title);
    }
}

pub(crate) fn scroll_into_view(id: &str) {
    if let Some(element) = element::<Element>(id) {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Listens to something on the window until it is dropped.
pub(crate) struct Listening<E: ?Sized + 'static> {
    name: &'static str,
    closure: Closure<dyn FnMut(E)>,
}

impl<E: wasm_bindgen::convert::FromWasmAbi + 'static> Listening<E> {
    fn start(name: &'static str, react: impl FnMut(E) + 'static) -> Self {
        let closure = Closure::<dyn FnMut(E)>::new(react);
        if let Some(window) = web_sys::window() {
            drop(window.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref()));
        }
        Self { name, closure }
    }
}

impl<E: ?Sized> Drop for Listening<E> {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            drop(
                window.remove_event_listener_with_callback(self.name, self.closure.as_ref().unchecked_ref()),
            );
        }
    }
}

/// Tells `takes` of every key until what it returns is dropped; a key that is taken does nothing else.
pub(crate) fn listen_keys(takes: impl Fn(&KeyPress) -> bool + 'static) -> Listening<KeyboardEvent> {
    Listening::start("keydown", move |event: KeyboardEvent| {
        if event.default_prevented() || event.is_composing() {
            return;
        }
        let in_field = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlElement>().ok())
            .is_some_and(|element| {
                matches!(element.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA")
                    || element.is_content_editable()
                    || matches!(
                        element.get_attribute("role").as_deref(),
                        Some("menuitem" | "menuitemcheckbox")
                    )
            });
        let press = KeyPress {
            key: event.key(),
            command: event.ctrl_key() || event.meta_key(),
            alt: event.alt_key(),
            in_field,
        };
        if takes(&press) {
            event.prevent_default();
        }
    })
}

/// Tells `hidden` when nobody sees the page any more: another tab, another program, or the end. After that there may
/// be no further chance to do anything.
pub(crate) fn listen_hidden(hidden: impl Fn() + 'static) -> Listening<web_sys::Event> {
    Listening::start("visibilitychange", move |_| {
        if document().is_some_and(|document| document.hidden()) {
            hidden();
        }
    })
}

/// Tells `leaving` before the page is left. If it says that something would be lost, the browser asks the person.
pub(crate) fn listen_leaving(leaving: impl Fn() -> bool + 'static) -> Listening<web_sys::Event> {
    Listening::start("beforeunload", move |event: web_sys::Event| {
        if leaving() {
            event.prevent_default();
        }
    })
}

/// What happens to the page from outside, for as long as it is open.
pub(crate) fn page_events() -> UnboundedReceiver<PageEvent> {
    let (happened, events) = unbounded();
    let root = document().and_then(|document| document.document_element());
    if root.is_some_and(|root| root.has_attribute("data-new-build")) {
        drop(happened.unbounded_send(PageEvent::NewBuild));
    }
    for (name, event) in [("online", PageEvent::Online), ("new-build", PageEvent::NewBuild)] {
        let happened = happened.clone();
        // Once for the whole program, which lives as long as the page.
        std::mem::forget(Listening::start(name, move |_: web_sys::Event| {
            drop(happened.unbounded_send(event));
        }));
    }
    events
}

/// Lets the newer build take over; the page reloads by itself.
pub(crate) fn activate_new_build() {
    if let (Some(window), Ok(event)) = (web_sys::window(), web_sys::Event::new("activate-new-build")) {
        drop(window.dispatch_event(&event));
    }
}

pub(crate) fn reload() {
    if let Some(window) = web_sys::window() {
        drop(window.location().reload());
    }
}

/// The page comes from its clinic's server.
pub(crate) fn asks_for_address() -> bool {
    false
}

pub(crate) fn remembered_address() -> String {
    String::new()
}

pub(crate) fn keep_address(_typed: &str) -> Result<(), AddressTrouble> {
    Ok(())
}

pub(crate) async fn sleep(milliseconds: u32) {
    gloo_timers::future::TimeoutFuture::new(milliseconds).await;
}

pub(crate) fn device() -> Device {
    let Some(window) = web_sys::window() else {
        return Device::Computer;
    };
    let matches = |query| {
        window
            .match_media(query)
            .ok()
            .flatten()
            .is_some_and(|media| media.matches())
    };
    if !matches("(pointer: coarse)") {
        Device::Computer
    } else if matches("(max-width: 699px)") {
        Device::Phone
    } else {
        Device::Tablet
    }
}

pub(crate) fn has_apple_keys() -> bool {
    web_sys::window()
        .and_then(|window| window.navigator().user_agent().ok())
        .is_some_and(|agent| agent.contains("Mac OS"))
}

/// Puts the caret or selection of a text field, in UTF-16 units.
pub(crate) fn select_text(id: &str, start: u32, end: u32) {
    if let Some(area) = element::<HtmlTextAreaElement>(id) {
        drop(area.set_selection_range(start, end));
    } else if let Some(input) = element::<HtmlInputElement>(id) {
        drop(input.set_selection_range(start, end));
    }
}

/// The selection of a text field in UTF-16 units.
pub(crate) async fn text_selection(id: &str) -> Option<(u32, u32)> {
    let area = element::<HtmlTextAreaElement>(id)?;
    Some((area.selection_start().ok()??, area.selection_end().ok()??))
}

pub(crate) fn print_page() {
    if let Some(window) = web_sys::window() {
        drop(window.print());
    }
}

pub(crate) fn copy_to_clipboard(text: &str) {
    if let Some(window) = web_sys::window() {
        drop(window.navigator().clipboard().write_text(text));
    }
}

/// The address of this page, for another window.
pub(crate) fn copy_address() {
    if let Some(address) = web_sys::window().and_then(|window| window.location().href().ok()) {
        copy_to_clipboard(&address);
    }
}

/// "light", "dark" or "system".
pub(crate) fn remembered_theme() -> String {
    let storage = web_sys::window().and_then(|window| window.local_storage().ok().flatten());
    storage
        .and_then(|storage| storage.get_item("theme").ok().flatten())
        .unwrap_or_else(|| "system".to_owned())
}

pub(crate) fn set_theme(theme: &str) {
    let Some(window) = web_sys::window() else { return };
    if let Ok(Some(storage)) = window.local_storage() {
        // Forgetting a colour preference is no reason to bother anybody.
        drop(storage.set_item("theme", theme));
    }
    if let Some(root) = window.document().and_then(|document| document.document_element()) {
        drop(root.set_attribute("data-theme", theme));
    }
}

pub(super) fn now() -> Timestamp {
    #[allow(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    Timestamp(js_sys::Date::now() as i64)
}

// The Worker's side

/// The Worker's global scope, if this is one.
pub(crate) fn worker_scope() -> Option<DedicatedWorkerGlobalScope> {
    js_sys::global().dyn_into().ok()
}

/// Runs the core in this Worker for as long as it lives.
pub(crate) fn run_worker(scope: DedicatedWorkerGlobalScope) {
    let (to_core, mut inputs) = unbounded::<Input>();
    let listening = to_core.clone();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let bytes = Uint8Array::new(&event.data()).to_vec();
        let message = postcard::from_bytes(&bytes).expect("the page runs the same build");
        drop(listening.unbounded_send(Input::FromViews(message)));
    });
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    scope
        .post_message(&"ready".into())
        .expect("a string can be posted");
    spawn_local(async move {
        let views = Views(scope.clone());
        let sql = match open().await {
            Ok(sql) => sql,
            Err(trouble) => return views.send(&[FromCore::NoStore(trouble)]),
        };
        let io = WebIo {
            scope,
            views,
            to_core,
            socket: None,
            wake: Rc::default(),
        };
        let Some(mut runner) = Runner::start(sql, io) else {
            return;
        };
        while let Some(input) = inputs.next().await {
            runner.input(input);
        }
    });
}

const VFS: &str = "opfs-sahpool";

async fn open() -> Result<rusqlite::Connection, HostTrouble> {
    // Six files of an SQLite database at most are open at once: the store, its journals, and room for one more store.
    let pool = OpfsSAHPoolCfgBuilder::new()
        .vfs_name(VFS)
        .directory(".clinic")
        .initial_capacity(8)
        .build();
    if let Err(error) = install::<sqlite_wasm_rs::WasmOsCallback>(&pool, true).await {
        web_sys::console::error_1(&format!("{error:?}").into());
        return Err(HostTrouble::NoPrivateFiles);
    }
    rusqlite::Connection::open("clinic.db")
        .map_err(|error| HostTrouble::Storage((&local_core::StoreError::from(error)).into()))
}

struct Views(DedicatedWorkerGlobalScope);

impl Views {
    fn send(&self, messages: &[FromCore]) {
        let bytes =
            postcard::to_stdvec(messages).expect("messages between page and Worker hold plain values");
        self.0
            .post_message(&Uint8Array::from(&bytes[..]))
            .expect("bytes can always be posted");
    }
}

struct Socket {
    socket: WebSocket,
    /// Set once the core has been told, or wants to hear nothing of it any more.
    done: Rc<Cell<bool>>,
    _listeners: Vec<Closure<dyn FnMut(MessageEvent)>>,
}

impl Drop for Socket {
    /// The browser may still call a listener after the socket was let go, which would end the Worker.
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onclose(None);
        self.socket.set_onmessage(None);
    }
}

struct WebIo {
    scope: DedicatedWorkerGlobalScope,
    views: Views,
    to_core: UnboundedSender<Input>,
    socket: Option<Socket>,
    /// Counts the calls of `wake_at`; only the latest one ticks.
    wake: Rc<Cell<u64>>,
}

impl Io for WebIo {
    fn now(&self) -> Timestamp {
        now()
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("every browser has a random source");
    }

    fn to_views(&self, messages: Vec<FromCore>) {
        self.views.send(&messages);
    }

    fn open_socket(&mut self) {
        if let Some(former) = self.socket.take() {
            former.done.set(true);
            drop(former.socket.close());
        }
        let origin = self.scope.location().origin().replacen("http", "ws", 1);
        let Ok(socket) = WebSocket::new(&format!("{origin}/api/v1/sync")) else {
            drop(self.to_core.unbounded_send(Input::SocketClosed));
            return;
        };
        socket.set_binary_type(BinaryType::Arraybuffer);
        let done = Rc::new(Cell::new(false));
        let listener = |make: fn(&MessageEvent) -> Option<Input>, ends: bool| {
            let (to_core, done) = (self.to_core.clone(), done.clone());
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                if done.get() {
                    return;
                }
                done.set(ends);
                if let Some(input) = make(&event) {
                    drop(to_core.unbounded_send(input));
                }
            })
        };
        let opened = listener(|_| Some(Input::SocketOpened), false);
        let closed = listener(|_| Some(Input::SocketClosed), true);
        let message = listener(
            |event| {
                event
                    .data()
                    .dyn_into::<ArrayBuffer>()
                    .ok()
                    .map(|b| Input::Frame(Uint8Array::new(&b).to_vec()))
            },
            false,
        );
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        // An error is always followed by a close.
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        self.socket = Some(Socket {
            socket,
            done,
            _listeners: vec![opened, closed, message],
        });
    }

    fn close_socket(&mut self) {
        if let Some(socket) = self.socket.take() {
            // A browser may take long to notice that the other side is gone; the core need not wait for it.
            drop(socket.socket.close());
            if !socket.done.replace(true) {
                drop(self.to_core.unbounded_send(Input::SocketClosed));
            }
        }
    }

    fn send(&mut self, frame: Vec<u8>) {
        if let Some(socket) = &self.socket {
            // A socket that has just died reports itself; the outbox keeps what was sent.
            drop(socket.socket.send_with_u8_array(&frame));
        }
    }

    fn post(&mut self, purpose: Purpose, path: &'static str, body: String) {
        let (scope, to_core) = (self.scope.clone(), self.to_core.clone());
        spawn_local(async move {
            let response = fetch(&scope, path, &body).await.ok();
            drop(to_core.unbounded_send(Input::Response(purpose, response)));
        });
    }

    fn wake_at(&mut self, at: Timestamp) {
        let turn = self.wake.get() + 1;
        self.wake.set(turn);
        let (wake, to_core) = (self.wake.clone(), self.to_core.clone());
        let wait = u32::try_from((at.0 - now().0).max(0)).unwrap_or(u32::MAX);
        spawn_local(async move {
            gloo_timers::future::TimeoutFuture::new(wait).await;
            if wake.get() == turn {
                drop(to_core.unbounded_send(Input::Tick));
            }
        });
    }
}

async fn fetch(scope: &DedicatedWorkerGlobalScope, path: &str, body: &str) -> Result<Response, JsValue> {
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_body(&body.into());
    let headers = web_sys::Headers::new()?;
    headers.set("content-type", "application/json")?;
    request.set_headers(&headers);
    let answer: web_sys::Response = JsFuture::from(scope.fetch_with_str_and_init(path, &request))
        .await?
        .dyn_into()?;
    let retry_after = answer
        .headers()
        .get("retry-after")?
        .and_then(|seconds| seconds.parse().ok());
    let body = JsFuture::from(answer.text()?)
        .await?
        .as_string()
        .unwrap_or_default();
    Ok(Response {
        status: answer.status(),
        retry_after,
        body,
    })
}
