//! How the pages of one browser find each other: the names of their channels and locks, and what they say there.
//!
//! Invariants: pages of one build alone hear each other, because what they say has no other version; and a page is known
//! to be gone by its lock, which the browser takes back however the page ended.

use crate::host::ToCore;
use js_sys::{Promise, Uint8Array};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};
use zeroize::Zeroizing;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = request)]
    fn request_lock(name: &str, granted: &JsValue) -> Promise;
}

/// From a page to the Worker that has the store.
#[derive(Serialize, Deserialize)]
pub(super) enum ToOwner {
    /// This page would like to work through the owner.
    Hello(u64),
    /// This page looks at nothing for now.
    Away(u64),
    /// What this page wants. Not heard from a page that has not been greeted by this owner: it takes a former one for the
    /// owner yet, and asks for everything again when it is greeted.
    Asked(u64, ToCore),
    /// Any answer will do.
    Ping,
}

/// To every page.
#[derive(Serialize, Deserialize)]
pub(super) enum ToAll {
    /// This page's Worker is opening the store.
    Opening(u64),
    /// This page's Worker has the store and listens.
    Owner(u64),
    /// Somebody waits for an answer: does the Worker that should give it still work?
    Silent,
}

/// `build` is the path of the script that started the page and its Worker alike.
pub(super) fn to_owner(build: &str) -> BroadcastChannel {
    open(&format!("{build} owner"))
}

pub(super) fn to_all(build: &str) -> BroadcastChannel {
    open(&format!("{build} all"))
}

pub(super) fn to_page(build: &str, page: u64) -> BroadcastChannel {
    open(&format!("{build} {page}"))
}

fn open(name: &str) -> BroadcastChannel {
    BroadcastChannel::new(name).expect("whatever has locks has channels")
}

/// Keys, passwords and PINs are among it: no copy stays behind here. What the browser makes of it is the browser's.
pub(super) fn encode(message: &impl Serialize) -> JsValue {
    let bytes = postcard::to_stdvec(message).expect("messages between page and Worker hold plain values");
    let bytes = Zeroizing::new(bytes);
    Uint8Array::from(&bytes[..]).into()
}

/// What another build may have said: nothing if it speaks otherwise.
pub(super) fn decode_if_known<M: DeserializeOwned>(bytes: &JsValue) -> Option<M> {
    let bytes: &Uint8Array = bytes.dyn_ref()?;
    postcard::from_bytes(&Zeroizing::new(bytes.to_vec())).ok()
}

pub(super) fn decode<M: DeserializeOwned>(event: &MessageEvent) -> M {
    let bytes = Zeroizing::new(Uint8Array::new(&event.data()).to_vec());
    postcard::from_bytes(&bytes).expect("page and Worker run the same build")
}

pub(super) fn post(channel: &BroadcastChannel, message: &impl Serialize) {
    channel
        .post_message(&encode(message))
        .expect("bytes can always be posted");
}

/// Reacts to what arrives for as long as this page or Worker lives.
pub(super) fn listen<M: DeserializeOwned>(channel: &BroadcastChannel, mut react: impl FnMut(M) + 'static) {
    let closure = Closure::<dyn FnMut(MessageEvent)>::new(move |event| react(decode(&event)));
    channel.set_onmessage(Some(closure.as_ref().unchecked_ref()));
    closure.forget();
}

/// Holds the page's own lock for as long as it lives; `held` is called once others can wait for it.
pub(super) fn live(page: u64, held: impl FnOnce() + 'static) {
    let granted = Closure::once_into_js(move |_: JsValue| {
        held();
        // Held until the page is gone.
        JsValue::from(Promise::new(&mut |_, _| {}))
    });
    drop(request_lock(&lock(page), &granted));
}

/// Calls `gone` when the page has closed, crashed or gone elsewhere.
pub(super) fn when_gone(page: u64, gone: impl FnOnce() + 'static) {
    let granted = Closure::once_into_js(move |_: JsValue| gone());
    drop(request_lock(&lock(page), &granted));
}

fn lock(page: u64) -> String {
    format!("page {page}")
}
