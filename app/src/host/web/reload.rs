//! What a page that is loaded anew finds again: the service worker keeps it meanwhile, in its memory.
//!
//! Invariant: nothing of it is ever on the disk, and a lock makes it void whoever still has it (`Handover::pass`).

use super::tabs;
use crate::host::Handover;
use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, ServiceWorker, ServiceWorkerContainer};

fn container() -> Option<ServiceWorkerContainer> {
    let navigator = web_sys::window()?.navigator();
    // An address that is not secure has none.
    let container = Reflect::get(&navigator, &"serviceWorker".into()).ok()?;
    container.dyn_into().ok()
}

fn controller() -> Option<ServiceWorker> {
    container()?.controller()
}

fn message(kind: &str, what: Option<&JsValue>) -> Object {
    let message = Object::new();
    // A fresh object takes every property.
    drop(Reflect::set(&message, &"type".into(), &kind.into()));
    if let Some(what) = what {
        drop(Reflect::set(&message, &"what".into(), what));
    }
    message
}

/// This page goes: the next one that is loaded in the same moment goes on in its place.
pub(super) fn keep(handover: &Handover) {
    if let Some(worker) = controller() {
        drop(worker.post_message(&message("keep", Some(&tabs::encode(handover)))));
    }
}

/// Asks for what the page before this one left; false if nobody can be asked.
pub(super) fn ask() -> bool {
    controller().is_some_and(|worker| worker.post_message(&message("what-is-kept", None)).is_ok())
}

/// Calls `answered` with every answer, for as long as the page lives.
pub(super) fn listen(answered: impl Fn(Option<Handover>) + 'static) {
    let Some(container) = container() else { return };
    let closure = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let of = |name: &str| Reflect::get(&event.data(), &name.into()).unwrap_or_default();
        if of("type").as_string().as_deref() == Some("kept") {
            answered(tabs::decode_if_known(&of("what")));
        }
    });
    drop(container.add_event_listener_with_callback("message", closure.as_ref().unchecked_ref()));
    closure.forget();
}
