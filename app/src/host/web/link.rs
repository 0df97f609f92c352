//! A page's end of the core: its own Worker, or the Worker of another tab that has the store.
//!
//! Invariant: whatever this page asked for and has no answer to is asked again of every new owner of the store, so that
//! nothing depends on the one that was asked first.

use super::kept;
use super::page::sleep;
use super::reload;
use super::tabs::{self, ToAll, ToOwner};
use crate::host::unfinished::Unfinished;
use crate::host::{FromCore, Handover, HostTrouble, Keeping, ToCore};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use local_core::PAGE_BITS;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{BroadcastChannel, MessageEvent, Worker, WorkerOptions, WorkerType};

/// Milliseconds that no answer takes: after that the screen says what it waits for.
const PATIENCE: u32 = 5_000;
/// Milliseconds after which a Worker that says nothing is taken to hang, and another one gets the store.
const HUNG: u32 = 20_000;
/// Milliseconds that the service worker has to say what it keeps.
const ASKING: u32 = 500;
/// Milliseconds between two looks at the room that is left.
const LOOK: u32 = 60_000;

pub(in crate::host) struct Link(Rc<Tab>);

/// Who has the store.
#[derive(Clone, Copy, PartialEq)]
enum Owner {
    Unknown,
    /// Somebody, who opens it at the moment.
    Opening,
    Own,
    Other,
}

struct Tab {
    page: u64,
    build: String,
    to_views: UnboundedSender<FromCore>,
    to_owner: BroadcastChannel,
    to_all: BroadcastChannel,
    worker: RefCell<Option<Worker>>,
    /// Counts the Workers that were started or stopped: what a former one still says is not heard.
    turn: Cell<u64>,
    owner: Cell<Owner>,
    unfinished: RefCell<Unfinished>,
    keeping: RefCell<Keeping>,
    /// While the device is unlocked: what its records open with, should this page's Worker have to take them over.
    handover: RefCell<Option<Handover>>,
    /// The lock screen, held back while the page asks what the one before it left.
    held_back: RefCell<Option<FromCore>>,
    /// It is asked once, by a page that has just been loaded.
    has_asked: Cell<bool>,
    /// The owner is new and has not said yet how the device stands.
    is_arriving: Cell<bool>,
    /// Counts what must be answered at once; and up to which of them anything was heard.
    asked: Cell<u64>,
    heard: Cell<u64>,
    is_patient: Cell<bool>,
    is_looking_after: Cell<bool>,
    /// Its Worker broke off. What it was asked to do may be the reason, so nobody else is asked for it.
    is_broken: Cell<bool>,
}

impl Link {
    pub(in crate::host) fn send(&self, message: ToCore) {
        let tab = &self.0;
        tab.unfinished.borrow_mut().asked(&message);
        if matches!(message, ToCore::Lock(_)) && matches!(tab.owner.get(), Owner::Unknown | Owner::Opening) {
            // Nobody is there to hear it: whoever takes the records over has to be unlocked.
            tab.handover.replace(None);
        }
        let at_once = matches!(
            message,
            ToCore::Command { .. } | ToCore::Decide { .. } | ToCore::Watch { .. }
        );
        tab.post(message);
        if at_once {
            tab.asked.set(tab.asked.get() + 1);
            tab.wait();
        }
    }

    /// What this page asks for is numbered upwards from here; no other page's numbers come near.
    pub(in crate::host) fn first_number(&self) -> u64 {
        self.0.page << PAGE_BITS
    }

    /// The Worker that could not open the records has ended: the page begins anew.
    pub(in crate::host) fn open_again(&self) {
        super::reload();
    }
}

pub(in crate::host) fn start() -> (Link, UnboundedReceiver<FromCore>) {
    let (to_views, from_core) = unbounded();
    let mut random = [0; 8];
    getrandom::fill(&mut random).expect("every browser has a random source");
    // Above zero, which is a host that never asks twice; and a page's numbers fit the store's signed ones.
    let page = (u64::from_le_bytes(random) >> (PAGE_BITS + 1)).max(1);
    let build = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("start"))
        .and_then(|script| script.get_attribute("src"))
        .expect("the page names the script that started it");
    let tab = Rc::new(Tab {
        page,
        to_views,
        to_owner: tabs::to_owner(&build),
        to_all: tabs::to_all(&build),
        worker: RefCell::default(),
        turn: Cell::default(),
        owner: Cell::new(Owner::Unknown),
        unfinished: RefCell::default(),
        keeping: RefCell::default(),
        handover: RefCell::default(),
        held_back: RefCell::default(),
        has_asked: Cell::default(),
        is_arriving: Cell::default(),
        asked: Cell::default(),
        heard: Cell::default(),
        is_patient: Cell::default(),
        is_looking_after: Cell::default(),
        is_broken: Cell::default(),
        build,
    });
    let other = Rc::clone(&tab);
    tabs::listen(&tabs::to_page(&tab.build, page), move |messages| {
        other.receive(Owner::Other, messages);
    });
    let all = Rc::clone(&tab);
    tabs::listen(&tab.to_all, move |message| all.said(message));
    let hello = Rc::clone(&tab);
    tabs::live(page, move || hello.greet());
    tab.start_worker();
    tab.mind_the_freezer();
    tab.mind_reloads();
    let looking = Rc::clone(&tab);
    spawn_local(async move {
        loop {
            let left = kept::room_left().await;
            looking.keep(|keeping| keeping.room_left = left);
            sleep(LOOK).await;
        }
    });
    (Link(tab), from_core)
}

impl Tab {
    /// A page has one Worker at most: a second one could get the store and would answer to nobody.
    fn start_worker(self: &Rc<Self>) {
        if self.worker.borrow().is_some() || self.is_broken.get() {
            return;
        }
        let turn = self.next_turn();
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(&self.page.to_string());
        let worker =
            Worker::new_with_options(&self.build, &options).expect("boot.js has checked that Workers exist");
        let tab = Rc::clone(self);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if tab.turn.get() != turn {
                return;
            }
            match event.data().as_string().as_deref() {
                None => tab.receive(Owner::Own, tabs::decode(&event)),
                Some("opening") => tab.owner.set(Owner::Opening),
                // Another tab has the store.
                Some(_) => tab.has_to_wait(),
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        on_message.forget();
        let tab = Rc::clone(self);
        let on_error = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
            if tab.turn.get() != turn {
                return;
            }
            let what = js_sys::Reflect::get(&event, &"message".into())
                .ok()
                .and_then(|m| m.as_string());
            // It would keep the store from everybody.
            tab.stop_worker();
            tab.is_broken.set(true);
            tab.tell(FromCore::NoStore(HostTrouble::Other(what.unwrap_or_default())));
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        on_error.forget();
        // The compiled module goes along, so that the Worker neither downloads nor compiles it again.
        worker
            .post_message(&wasm_bindgen::module())
            .expect("a module can be posted");
        self.worker.replace(Some(worker));
    }

    fn next_turn(&self) -> u64 {
        self.turn.set(self.turn.get() + 1);
        self.turn.get()
    }

    /// What it has committed is safe; its files and its lock are free.
    fn stop_worker(&self) {
        if let Some(worker) = self.worker.take() {
            worker.terminate();
        }
        self.next_turn();
        self.owner.set(Owner::Unknown);
    }

    /// A page that is frozen could not answer the others, so it lets go of everything until it goes on.
    fn mind_the_freezer(self: &Rc<Self>) {
        let Some(document) = web_sys::window().and_then(|window| window.document()) else {
            return;
        };
        let (freezing, resuming) = (Rc::clone(self), Rc::clone(self));
        let freeze = Closure::<dyn FnMut()>::new(move || {
            freezing.stop_worker();
            freezing.handover.replace(None);
            freezing.tell(FromCore::Frozen);
            tabs::post(&freezing.to_owner, &ToOwner::Away(freezing.page));
        });
        let resume = Closure::<dyn FnMut()>::new(move || {
            resuming.start_worker();
            resuming.greet();
        });
        for (name, closure) in [("freeze", freeze), ("resume", resume)] {
            drop(document.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref()));
            closure.forget();
        }
    }

    /// A page that is loaded anew goes on without unlocking, as its reader does.
    fn mind_reloads(self: &Rc<Self>) {
        let Some(window) = web_sys::window() else { return };
        let going = Rc::clone(self);
        let goes = Closure::<dyn FnMut()>::new(move || {
            if let Some(handover) = &*going.handover.borrow() {
                reload::keep(handover);
            }
        });
        drop(window.add_event_listener_with_callback("pagehide", goes.as_ref().unchecked_ref()));
        goes.forget();
        let tab = Rc::clone(self);
        reload::listen(move |kept| tab.resume(kept));
    }

    /// Whether the lock screen has to wait for the answer.
    fn asks_what_is_kept(self: &Rc<Self>, locked: &FromCore) -> bool {
        if self.has_asked.replace(true) || !reload::ask() {
            return false;
        }
        self.held_back.replace(Some(locked.clone()));
        let tab = Rc::clone(self);
        spawn_local(async move {
            sleep(ASKING).await;
            tab.resume(None);
        });
        true
    }

    fn resume(&self, kept: Option<Handover>) {
        let Some(locked) = self.held_back.take() else {
            return;
        };
        match kept {
            Some(handover) => self.post(ToCore::Resume(handover)),
            None => self.tell(locked),
        }
    }

    fn greet(&self) {
        tabs::post(&self.to_owner, &ToOwner::Hello(self.page));
    }

    fn tell(&self, message: FromCore) {
        // The page is going if nobody listens.
        drop(self.to_views.unbounded_send(message));
    }

    fn keep(&self, change: impl FnOnce(&mut Keeping)) {
        let mut keeping = self.keeping.borrow_mut();
        let before = keeping.clone();
        change(&mut keeping);
        if *keeping != before {
            self.tell(FromCore::Keeping(keeping.clone()));
        }
    }

    /// Without an owner it waits in `unfinished`.
    fn post(&self, message: ToCore) {
        let message = ToOwner::Asked(self.page, message);
        match self.owner.get() {
            Owner::Own => self.post_own(&message),
            Owner::Other => tabs::post(&self.to_owner, &message),
            Owner::Unknown | Owner::Opening => {}
        }
    }

    fn post_own(&self, message: &ToOwner) {
        if let Some(worker) = &*self.worker.borrow() {
            worker
                .post_message(&tabs::encode(message))
                .expect("bytes can always be posted");
        }
    }

    /// Something came from whoever has the store.
    fn receive(self: &Rc<Self>, from: Owner, messages: Vec<FromCore>) {
        if self.is_broken.get() {
            return;
        }
        self.heard.set(self.asked.get());
        self.keep(|keeping| keeping.silent = false);
        let (mut is_new, mut has_locked) = (false, false);
        for message in messages {
            match &message {
                FromCore::Handover(handover) => {
                    self.handover.replace(Some(handover.clone()));
                    continue;
                }
                FromCore::HandoverEnds => {
                    self.handover.replace(None);
                    continue;
                }
                FromCore::Locked(_) if self.is_arriving.replace(false) => {
                    // The window that had the records is gone, and nobody has locked: this one goes on.
                    if let Some(handover) = self.handover.borrow().clone() {
                        self.post(ToCore::Resume(handover));
                        continue;
                    }
                    if self.asks_what_is_kept(&message) {
                        continue;
                    }
                }
                FromCore::Locked(_) if self.handover.take().is_some() => {
                    self.unfinished.borrow_mut().locked();
                    has_locked |= from == Owner::Own;
                }
                FromCore::SignedIn(_) => {
                    self.is_arriving.set(false);
                    self.held_back.replace(None);
                }
                _ => {}
            }
            if let FromCore::Ready { fresh } = message {
                self.owner.set(from);
                self.is_arriving.set(true);
                is_new = true;
                let lost = if fresh { kept::last_waiting() } else { None };
                self.keep(|keeping| keeping.lost = lost);
            } else if let (FromCore::NoStore(_), Owner::Own) = (&message, from) {
                // It has ended by itself.
                self.stop_worker();
            }
            self.note(&message);
            self.unfinished.borrow_mut().answered(&message);
            self.tell(message);
        }
        if is_new {
            if self.worker.borrow().is_none() {
                // It could not open the store, but somebody can: it will be needed when they close.
                self.start_worker();
            }
            for message in self.unfinished.borrow().all() {
                self.post(message.clone());
            }
        }
        if has_locked {
            // All that it had in memory goes with it. The next one finds the records locked.
            self.stop_worker();
            self.start_worker();
        }
    }

    /// What it says about keeping the records.
    fn note(self: &Rc<Self>, message: &FromCore) {
        let ask = match message {
            FromCore::SignedIn(true) => false,
            // Whoever has just signed in here wants to work here: that is the moment to ask for a promise.
            FromCore::SignIn(Ok(())) if self.unfinished.borrow().signs_in() => true,
            FromCore::View { view, .. } => return kept::note_waiting(view),
            _ => return,
        };
        let tab = Rc::clone(self);
        spawn_local(async move {
            let may_evict = kept::may_evict(ask).await;
            tab.keep(|keeping| {
                keeping.may_evict = may_evict;
                keeping.lost = None;
            });
        });
    }

    fn said(self: &Rc<Self>, message: ToAll) {
        match message {
            ToAll::Opening(page) if page != self.page => self.owner.set(Owner::Opening),
            ToAll::Owner(page) if page != self.page => self.greet(),
            ToAll::Silent => self.look_after(),
            ToAll::Opening(_) | ToAll::Owner(_) => {}
        }
    }

    /// Another tab has the store, and does not answer to this build, or not at all.
    fn has_to_wait(self: &Rc<Self>) {
        if self.owner.get() == Owner::Unknown {
            tabs::post(&self.to_all, &ToAll::Silent);
            self.tell(FromCore::NoStore(HostTrouble::OpenElsewhere));
        }
    }

    /// Until everything that must be answered at once is.
    fn wait(self: &Rc<Self>) {
        if self.is_patient.replace(true) {
            return;
        }
        let tab = Rc::clone(self);
        spawn_local(async move {
            while tab.heard.get() < tab.asked.get() {
                let asked = tab.asked.get();
                sleep(PATIENCE).await;
                let is_silent = matches!(tab.owner.get(), Owner::Own | Owner::Other);
                if tab.heard.get() < asked && is_silent {
                    tab.keep(|keeping| keeping.silent = true);
                    tabs::post(&tab.to_all, &ToAll::Silent);
                    tab.look_after();
                }
            }
            tab.is_patient.set(false);
        });
    }

    /// Whether the own Worker still works; if it does not, somebody else gets the store.
    fn look_after(self: &Rc<Self>) {
        if self.owner.get() != Owner::Own || self.is_looking_after.replace(true) {
            return;
        }
        let asked = self.asked.get() + 1;
        self.asked.set(asked);
        self.post_own(&ToOwner::Ping);
        let tab = Rc::clone(self);
        spawn_local(async move {
            sleep(HUNG).await;
            if tab.heard.get() < asked && tab.owner.get() == Owner::Own {
                tab.stop_worker();
                tab.start_worker();
            }
            tab.is_looking_after.set(false);
        });
    }
}
