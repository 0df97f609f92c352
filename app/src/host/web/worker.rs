//! The Worker of a page that has the store: start.js runs it once the store's lock is its own.
//!
//! Invariant: a Worker that has no store to offer ends, and so gives its lock to the next.

use super::io::WebIo;
use super::pages::Pages;
use super::pool::Pool;
use super::tabs::{self, ToAll};
use crate::host::runner::Runner;
use crate::host::{FromCore, HostTrouble};
use futures_channel::mpsc::unbounded;
use futures_util::StreamExt;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

/// The Worker's global scope, if this is one.
pub(crate) fn worker_scope() -> Option<DedicatedWorkerGlobalScope> {
    js_sys::global().dyn_into().ok()
}

/// Runs the core in this Worker for as long as it lives.
pub(crate) fn run_worker(scope: DedicatedWorkerGlobalScope) {
    let page: u64 = scope
        .name()
        .parse()
        .expect("the page gives its Worker its number");
    let build = scope.location().pathname();
    let to_all = tabs::to_all(&build);
    tabs::post(&to_all, &ToAll::Opening(page));
    spawn_local(async move {
        let (to_core, mut inputs) = unbounded();
        let pages = Rc::new(Pages::new(scope.clone(), page, build.clone(), to_core.clone()));
        let runner = match Pool::install().await {
            Ok(pool) => Runner::start(pool, WebIo::new(scope.clone(), Rc::clone(&pages), to_core)),
            Err(error) => {
                web_sys::console::error_1(&format!("{error:?}").into());
                pages.send(&[FromCore::NoStore(HostTrouble::NoPrivateFiles)]);
                None
            }
        };
        let Some(mut runner) = runner else {
            return scope.close();
        };
        let own = Rc::clone(&pages);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event| own.said(tabs::decode(&event)));
        scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        on_message.forget();
        tabs::listen(&tabs::to_owner(&build), move |message| pages.heard(message));
        tabs::post(&to_all, &ToAll::Owner(page));
        while let Some(input) = inputs.next().await {
            runner.input(input);
        }
    });
}
