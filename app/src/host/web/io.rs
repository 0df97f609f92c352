//! What the core asks of the browser: a socket, requests, the clock.
//!
//! Invariant: only the Worker that holds the store has one.

use super::pages::Pages;
use crate::host::calls::{Request, Response};
use crate::host::runner::{Input, Io, Purpose};
use crate::host::{FromCore, Secret};
use crate::text;
use futures_channel::mpsc::UnboundedSender;
use js_sys::{ArrayBuffer, Uint8Array};
use shared_model::time::Timestamp;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AbortSignal, BinaryType, DedicatedWorkerGlobalScope, MessageEvent, RequestCache, RequestInit, WebSocket,
};

/// So many milliseconds a clinic that does not answer is waited for.
const PATIENCE: u32 = 20_000;

pub(in crate::host) fn now() -> Timestamp {
    #[allow(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    Timestamp(js_sys::Date::now() as i64)
}

struct Socket {
    socket: WebSocket,
    number: u64,
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

pub(super) struct WebIo {
    scope: DedicatedWorkerGlobalScope,
    pages: Rc<Pages>,
    to_core: UnboundedSender<Input>,
    socket: Option<Socket>,
    /// Counts the calls of `wake_at`; only the latest one ticks.
    wake: Rc<Cell<u64>>,
}

impl WebIo {
    pub(super) fn new(
        scope: DedicatedWorkerGlobalScope,
        pages: Rc<Pages>,
        to_core: UnboundedSender<Input>,
    ) -> Self {
        Self {
            scope,
            pages,
            to_core,
            socket: None,
            wake: Rc::default(),
        }
    }
}

impl Io for WebIo {
    fn now(&self) -> Timestamp {
        now()
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("every browser has a random source");
    }

    fn to_views(&self, messages: Vec<FromCore>) {
        self.pages.send(&messages);
    }

    fn windows(&self) -> usize {
        self.pages.count()
    }

    fn hands_over(&self) -> bool {
        true
    }

    fn open_socket(&mut self, number: u64) {
        if let Some(former) = self.socket.take() {
            former.done.set(true);
            drop(former.socket.close());
        }
        let origin = self.scope.location().origin().replacen("http", "ws", 1);
        let Ok(socket) = WebSocket::new(&format!("{origin}/api/v1/sync")) else {
            drop(self.to_core.unbounded_send(Input::SocketClosed(number)));
            return;
        };
        socket.set_binary_type(BinaryType::Arraybuffer);
        let done = Rc::new(Cell::new(false));
        let listener = |make: fn(u64, &MessageEvent) -> Option<Input>, ends: bool| {
            let (to_core, done) = (self.to_core.clone(), done.clone());
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                if done.get() {
                    return;
                }
                done.set(ends);
                if let Some(input) = make(number, &event) {
                    drop(to_core.unbounded_send(input));
                }
            })
        };
        let opened = listener(|number, _| Some(Input::SocketOpened(number)), false);
        let closed = listener(|number, _| Some(Input::SocketClosed(number)), true);
        let message = listener(
            |number, event| {
                let bytes = event.data().dyn_into::<ArrayBuffer>().ok()?;
                Some(Input::Frame(number, Uint8Array::new(&bytes).to_vec()))
            },
            false,
        );
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        // An error is always followed by a close.
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        self.socket = Some(Socket {
            socket,
            number,
            done,
            _listeners: vec![opened, closed, message],
        });
    }

    fn close_socket(&mut self) {
        if let Some(socket) = self.socket.take() {
            // A browser may take long to notice that the other side is gone; the core need not wait for it.
            drop(socket.socket.close());
            if !socket.done.replace(true) {
                drop(self.to_core.unbounded_send(Input::SocketClosed(socket.number)));
            }
        }
    }

    fn send(&mut self, frame: Vec<u8>) {
        if let Some(socket) = &self.socket {
            // A socket that has just died reports itself; the outbox keeps what was sent.
            drop(socket.socket.send_with_u8_array(&frame));
        }
    }

    fn ask(&mut self, purpose: Purpose, request: Request, token: Option<Secret>) {
        let (scope, to_core) = (self.scope.clone(), self.to_core.clone());
        spawn_local(async move {
            let response = fetch(&scope, &request, token).await.ok();
            drop(to_core.unbounded_send(Input::Response(purpose, response)));
        });
    }

    fn device_name(&self) -> String {
        let agent = self.scope.navigator().user_agent().unwrap_or_default();
        let named = |words: &[(&str, &'static str)]| {
            let found = words.iter().find(|(word, _)| agent.contains(word));
            found.map(|(_, name)| *name)
        };
        match (named(&BROWSERS), named(&SYSTEMS)) {
            (Some(browser), Some(system)) => text::web_browser_on(browser, system),
            _ => text::web_browser().to_owned(),
        }
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

/// The words by which a browser or a system names itself, and its name. The first that fits counts: most browsers
/// name others too.
const BROWSERS: [(&str, &str); 4] = [
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
];
const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
];

async fn fetch(
    scope: &DedicatedWorkerGlobalScope,
    request: &Request,
    token: Option<Secret>,
) -> Result<Response, JsValue> {
    let init = RequestInit::new();
    init.set_method(request.method.word());
    init.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)));
    let headers = web_sys::Headers::new()?;
    if !request.body.is_empty() {
        init.set_body(&request.body.text().into());
        headers.set("content-type", "application/json")?;
    }
    if let Some(token) = token {
        headers.set("authorization", &format!("Bearer {}", token.text()))?;
    }
    init.set_headers(&headers);
    // What the browser keeps of an answer could be shown to the next person.
    init.set_cache(RequestCache::NoStore);
    let path = format!("/api/v1{}", request.path);
    let answer: web_sys::Response = JsFuture::from(scope.fetch_with_str_and_init(&path, &init))
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
