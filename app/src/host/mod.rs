//! Hosts: what carries commands and queries from the views to the core and its answers back.
//!
//! Place in the flow: between views and local-core. Invariant: no view knows which host it runs on; everything that
//! a view may ask for is in this module, and the hosts differ only below it.

mod auto_lock;
mod calls;
mod change_way_in;
mod journey;
#[cfg(all(test, feature = "desktop"))]
mod lock_tests;
mod mail_link;
mod messages;
#[cfg(feature = "desktop")]
mod native;
mod runner;
mod second_factor;
mod secret;
#[cfg(any(feature = "web", test))]
mod unfinished;
mod unkept_codes;
mod vault;
mod ways_in;
#[cfg(feature = "web")]
pub(crate) mod web;

#[cfg(feature = "desktop")]
use native as platform;
#[cfg(feature = "web")]
use web as platform;

pub(crate) use calls::{Call, CallTrouble, Deed, Request, Whose, read};
pub(crate) use change_way_in::Change;
pub(crate) use journey::{Errand, Returned};
pub(crate) use mail_link::{LinkPurpose, LinkTrouble, MailLink};
pub(crate) use messages::{
    AddressTrouble, Entrance, FromCore, Handover, HostTrouble, Keeping, Locked, NotDone, PinRefused,
    Protection, SignInTrouble, ToCore, UnlockTrouble,
};
#[cfg(feature = "desktop")]
pub(crate) use native::{data_folder, keep_window_size, session_locks, window_size};
pub(crate) use platform::{
    FormerFocus, KEEPS_TITLES, TextFile, activate_new_build, arrive_at, asks_for_address, copy_address,
    copy_to_clipboard, device, focus, focus_first_in, focus_into, focus_last_in, followed_link,
    has_apple_keys, has_focus_within, has_passkeys, keep_address, leave_field, listen_active, listen_hidden,
    listen_keys, make_passkey, page_events, print_page, reload, remembered_address, remembered_theme,
    returned, scroll_into_view, select_text, set_theme, set_title, show_passkey, sleep, system_zone,
    take_link, text_selection,
};
pub(crate) use second_factor::{PasskeyTrouble, Shown, Step};
pub(crate) use secret::Secret;
pub(crate) use unkept_codes::UnkeptCodes;
#[cfg(feature = "web")]
pub(crate) use web::{PlaceInHistory, listen_history, listen_leaving};

use crate::components::{HalfTypedFields, Toasts};
use crate::text;
use crate::views::settle_all_notes;
use dioxus::prelude::*;
use dioxus::signals::warnings::copy_value_hoisted;
use dioxus::warnings::Warning;
use futures_channel::oneshot;
use futures_util::StreamExt;
use local_core::unlock::Way;
use local_core::{Decision, Failure, HalfTyped, HasLeft, LeftOff, Query, StorageTrouble, View};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared_model::commands::Command;
use shared_model::ids::AccountId;
use shared_model::time::Timestamp;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use uuid::Uuid;

/// A key that was pressed anywhere in the window.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct KeyPress {
    /// As the browser names it: "k", "?", "ArrowLeft".
    pub(crate) key: String,
    /// Ctrl, or Cmd on a Mac.
    pub(crate) command: bool,
    pub(crate) alt: bool,
    /// Somebody types in a field, a list or an editor.
    pub(crate) in_field: bool,
}

/// What happens to the page from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "desktop",
    expect(dead_code, reason = "only a browser tells of them")
)]
pub(crate) enum PageEvent {
    /// The system says that the network is back.
    Online,
    /// A newer build has been fetched and waits for a reload.
    NewBuild,
}

/// What the person holds or sits at, for the words on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "desktop",
    expect(dead_code, reason = "the desktop program runs on computers")
)]
pub(crate) enum Device {
    Computer,
    Tablet,
    Phone,
}

/// Where the program stands before there is a clinic to show.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    Opening,
    NoStore(HostTrouble),
    SignedOut,
    SignedIn,
    Locked(Locked),
}

/// The views' end of the host. Copy it into closures freely.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    link: CopyValue<Rc<Link>>,
    pub(crate) stage: Signal<Stage>,
    pub(crate) keeping: Signal<Keeping>,
    /// Counts what calls have changed at the clinic: whoever shows an answer asks again.
    pub(crate) changed: Signal<u64>,
    pub(crate) protection: Signal<Option<Protection>>,
    /// Who has left the clinic since somebody last worked here.
    pub(crate) left: Signal<Option<HasLeft>>,
    /// The device is about to lock: nothing of the page is to be seen any more.
    pub(crate) covered: Signal<bool>,
    /// What is typed in this window is being saved, so that the device can lock.
    is_saving: CopyValue<bool>,
    /// Counts the locks and sign-outs: what was begun before one is not for whoever comes after it.
    farewells: CopyValue<u64>,
    /// Where the person at this window is, and who they are; empty before anybody was here.
    place: CopyValue<(Option<AccountId>, String)>,
    /// The word of whoever has just shown who they are, and until when it counts.
    proven: CopyValue<Option<(Secret, Timestamp)>>,
    unkept_codes: Signal<Option<UnkeptCodes>>,
}

/// A question, its answer, and when that came.
type Heard = (String, String, Timestamp);

/// What a call is for, and so what becomes of its answer.
enum Asks {
    /// It asks for this, which may be shown again.
    For(String),
    Once,
    /// It changes something at the clinic.
    ForAChange,
}

/// A call that has no answer yet.
struct Calling {
    ticket: u64,
    answer: oneshot::Sender<Result<String, CallTrouble>>,
    asks: Asks,
}

struct Link {
    platform: platform::Link,
    next: RefCell<u64>,
    answers: RefCell<HashMap<u64, oneshot::Sender<Result<Timestamp, Failure>>>>,
    /// The command that was answered last could not be written down.
    not_saved: std::cell::Cell<bool>,
    sign_in: RefCell<Option<oneshot::Sender<Result<(), SignInTrouble>>>>,
    unlock: RefCell<Option<oneshot::Sender<Result<(), UnlockTrouble>>>>,
    pin: RefCell<Option<oneshot::Sender<Result<(), PinRefused>>>>,
    views: RefCell<HashMap<u64, Signal<Option<View>>>>,
    /// Whoever wants a view once.
    looks: RefCell<HashMap<u64, oneshot::Sender<View>>>,
    calls: RefCell<Vec<Calling>>,
    /// What the server answered last, and when, as long as the same person is signed in.
    heard: RefCell<Vec<Heard>>,
}

impl Link {
    fn number(&self) -> u64 {
        let mut next = self.next.borrow_mut();
        *next += 1;
        *next
    }
}

/// Whether a change was made at the clinic, or may have been: an answer can be lost on its way, and asking twice then finds
/// that it is done.
fn may_have_changed(outcome: &Result<String, CallTrouble>) -> bool {
    matches!(
        outcome,
        Ok(_)
            | Err(CallTrouble::Unreachable
                | CallTrouble::Odd
                | CallTrouble::LinkNoLongerValid
                | CallTrouble::NotFound)
    )
}

/// For work that outlives its page: it goes on at the root, and looks at this there.
pub(crate) fn at_root<T: 'static>(value: T) -> Signal<T> {
    Signal::new_in_scope(value, ScopeId::ROOT)
}

impl Host {
    /// Starts the core's side. Once, at the root of the views.
    pub(crate) fn start() -> Self {
        let (platform, mut incoming) = platform::start();
        let link = Rc::new(Link {
            next: RefCell::new(platform.first_number()),
            platform,
            answers: RefCell::default(),
            not_saved: std::cell::Cell::default(),
            sign_in: RefCell::default(),
            unlock: RefCell::default(),
            pin: RefCell::default(),
            views: RefCell::default(),
            looks: RefCell::default(),
            calls: RefCell::default(),
            heard: RefCell::default(),
        });
        let host = Self {
            link: CopyValue::new_in_scope(link, ScopeId::ROOT),
            stage: at_root(Stage::Opening),
            keeping: at_root(Keeping::default()),
            changed: at_root(0),
            protection: at_root(None),
            left: at_root(None),
            covered: at_root(false),
            is_saving: CopyValue::new_in_scope(false, ScopeId::ROOT),
            farewells: CopyValue::new_in_scope(0, ScopeId::ROOT),
            place: CopyValue::new_in_scope((None, String::new()), ScopeId::ROOT),
            proven: CopyValue::new_in_scope(None, ScopeId::ROOT),
            unkept_codes: at_root(None),
        };
        spawn(async move {
            while let Some(message) = incoming.next().await {
                host.receive(message);
            }
        });
        host
    }

    fn receive(mut self, message: FromCore) {
        let link = self.link.read().clone();
        if matches!(
            message,
            FromCore::SignedIn(_) | FromCore::SignIn(Ok(())) | FromCore::Locked(_)
        ) {
            link.heard.borrow_mut().clear();
            self.forget_proven();
            self.changed += 1;
        }
        if matches!(message, FromCore::SignedIn(false) | FromCore::Locked(_)) {
            *self.farewells.write() += 1;
        }
        match message {
            FromCore::Ready { .. } => {}
            FromCore::NoStore(trouble) => self.stage.set(Stage::NoStore(trouble)),
            // Said again by every window that takes the records over.
            FromCore::SignedIn(true) => {
                self.uncover();
                if *self.stage.peek() != Stage::SignedIn {
                    self.stage.set(Stage::SignedIn);
                }
            }
            FromCore::SignedIn(false) => {
                self.uncover();
                self.protection.set(None);
                if *self.stage.peek() != Stage::SignedOut {
                    self.stage.set(Stage::SignedOut);
                }
            }
            FromCore::Locked(locked) => {
                self.stage.set(Stage::Locked(locked));
                self.uncover();
            }
            FromCore::Left(left) => self.left.set(left),
            FromCore::Locking => self.save_and_lock(),
            FromCore::Frozen => self.covered.set(true),
            FromCore::Unlock(outcome) => {
                if let Some(waiting) = link.unlock.borrow_mut().take() {
                    drop(waiting.send(outcome));
                }
            }
            FromCore::Protection(protection) => self.protection.set(Some(protection)),
            FromCore::Pin(outcome) => {
                if let Some(waiting) = link.pin.borrow_mut().take() {
                    let _ = waiting.send(outcome);
                }
            }
            FromCore::NotDone(why) => {
                if let Some(toasts) = try_consume_context::<Toasts>() {
                    toasts.say(text::not_done(why));
                }
            }
            // The page's end keeps them.
            FromCore::Handover(_) | FromCore::HandoverEnds => {}
            FromCore::Keeping(keeping) => self.keeping.set(keeping),
            FromCore::SignIn(outcome) => {
                if let Some(waiting) = link.sign_in.borrow_mut().take() {
                    // Nobody waits any more if the screen was left.
                    drop(waiting.send(outcome));
                }
            }
            FromCore::Answer { ticket, outcome } => {
                link.not_saved.set(matches!(outcome, Err(Failure::Storage(_))));
                if let Some(waiting) = link.answers.borrow_mut().remove(&ticket) {
                    drop(waiting.send(outcome));
                }
            }
            FromCore::Called { ticket, outcome } => {
                let mut calls = link.calls.borrow_mut();
                let Some(at) = calls.iter().position(|calling| calling.ticket == ticket) else {
                    return;
                };
                let calling = calls.swap_remove(at);
                drop(calls);
                match (&outcome, calling.asks) {
                    (Ok(body), Asks::For(asks)) => {
                        let mut heard = link.heard.borrow_mut();
                        heard.retain(|(asked, ..)| *asked != asks);
                        heard.push((asks, body.clone(), now()));
                    }
                    (outcome, Asks::ForAChange) if may_have_changed(outcome) => self.changed += 1,
                    (_, Asks::Once | Asks::ForAChange) | (Err(_), Asks::For(_)) => {}
                }
                drop(calling.answer.send(outcome));
            }
            FromCore::View { watch, view } => {
                if let Some(looking) = link.looks.borrow_mut().remove(&watch) {
                    link.platform.send(ToCore::Unwatch { watch });
                    // Nobody waits any more if the screen was left.
                    drop(looking.send(view));
                    return;
                }
                let signal = link.views.borrow().get(&watch).copied();
                if let Some(mut signal) = signal {
                    // It belongs to the component that watches, which takes it out of `views` when it goes.
                    copy_value_hoisted::allow(|| signal.set(Some(view)));
                }
            }
        }
    }

    fn send(&self, message: ToCore) {
        self.link.read().platform.send(message);
    }

    /// Runs a command; the answer comes once it is durable on this device.
    pub(crate) async fn run(self, command: impl Into<Command>) -> Result<Timestamp, Failure> {
        self.run_once(self.ticket(), command).await
    }

    /// Carries out what a person decided about refused work.
    pub(crate) async fn decide(self, decision: Decision) -> Result<Timestamp, Failure> {
        let ticket = self.ticket();
        self.ask(ticket, ToCore::Decide { ticket, decision }).await
    }

    /// Whoever may have to ask again, because the answer to a command did not say whether it was carried out, does it with
    /// the same ticket: the records carry out each ticket once.
    pub(crate) fn ticket(self) -> u64 {
        self.link.read().number()
    }

    /// As `run`, with a ticket of one's own.
    pub(crate) async fn run_once(
        self,
        ticket: u64,
        command: impl Into<Command>,
    ) -> Result<Timestamp, Failure> {
        let command = command.into();
        self.ask(ticket, ToCore::Command { ticket, command }).await
    }

    async fn ask(self, ticket: u64, message: ToCore) -> Result<Timestamp, Failure> {
        let (answer, waiting) = oneshot::channel();
        self.link.read().answers.borrow_mut().insert(ticket, answer);
        self.send(message);
        waiting
            .await
            .unwrap_or(Err(Failure::Storage(StorageTrouble::Other)))
    }

    /// Watches a query until `unwatch`, whatever components come and go meanwhile.
    pub(crate) fn watch(self, query: Query) -> Watched {
        let link = self.link.read().clone();
        let watched = Watched {
            number: link.number(),
            view: at_root(None),
        };
        link.views.borrow_mut().insert(watched.number, watched.view);
        link.platform.send(ToCore::Watch {
            watch: watched.number,
            query,
        });
        watched
    }

    /// Looks once. `None` if the core's side ends before it has answered.
    pub(crate) async fn look(self, query: Query) -> Option<View> {
        let (answer, waiting) = oneshot::channel();
        let link = self.link.read().clone();
        let watch = link.number();
        link.looks.borrow_mut().insert(watch, answer);
        link.platform.send(ToCore::Watch { watch, query });
        drop(link);
        waiting.await.ok()
    }

    pub(crate) fn unwatch(self, watched: Watched) {
        let link = self.link.read().clone();
        link.views.borrow_mut().remove(&watched.number);
        link.platform.send(ToCore::Unwatch {
            watch: watched.number,
        });
    }

    /// Asks the server for something, or to do something.
    pub(crate) async fn call<A: DeserializeOwned>(self, call: Call<A>) -> Result<A, CallTrouble> {
        let body = self.exchange(call.request).await?;
        read(&body).ok_or(CallTrouble::Odd)
    }

    /// The same without a look at what the body says.
    pub(crate) async fn exchange(self, request: Request) -> Result<String, CallTrouble> {
        let (answer, waiting) = oneshot::channel();
        let ticket = {
            let link = self.link.read();
            let ticket = link.number();
            let asks = match request.only_asks() {
                true if request.once => Asks::Once,
                true => Asks::For(request.path().to_owned()),
                false => Asks::ForAChange,
            };
            link.calls.borrow_mut().push(Calling { ticket, answer, asks });
            ticket
        };
        self.send(ToCore::Call { ticket, request });
        waiting.await.unwrap_or(Err(CallTrouble::Odd))
    }

    /// What the server answered last to the same question.
    pub(crate) fn heard(self, request: &Request) -> Option<(String, Timestamp)> {
        let link = self.link.peek();
        let heard = link.heard.borrow();
        let (_, body, at) = heard.iter().find(|(asked, ..)| asked == request.path())?;
        Some((body.clone(), *at))
    }

    pub(crate) async fn sign_in(self, entrance: Entrance) -> Result<(), SignInTrouble> {
        let (answer, waiting) = oneshot::channel();
        *self.link.read().sign_in.borrow_mut() = Some(answer);
        self.send(ToCore::SignIn(entrance));
        waiting
            .await
            .unwrap_or(Err(SignInTrouble::Refused(CallTrouble::Odd)))
    }

    pub(crate) fn sign_out(self) {
        self.send(ToCore::SignOut);
    }

    pub(crate) fn retry_storage(self) {
        self.send(ToCore::RetryStorage);
    }

    /// After `Stage::NoStore`: tries once more to open the records.
    pub(crate) fn open_again(self) {
        self.link.read().platform.open_again();
    }

    /// Locks the device, where its records are encrypted.
    pub(crate) fn lock(self) {
        let encrypted = match &*self.protection.peek() {
            Some(protection) => !protection.is_former,
            None => false,
        };
        if encrypted && *self.stage.peek() == Stage::SignedIn {
            self.save_and_lock();
        }
    }

    fn uncover(mut self) {
        self.covered.set(false);
        self.is_saving.set(false);
    }

    /// This window was away for so many milliseconds: nothing of the page is to be seen before it is known whether the
    /// device has become due to lock.
    pub(crate) fn returned(mut self, away: i64) {
        let stays_open = match &*self.protection.peek() {
            Some(protection) if !protection.is_former => i64::from(protection.lock_after) * 60_000,
            _ => 0,
        };
        if *self.stage.peek() == Stage::SignedIn && stays_open > 0 && away >= stays_open {
            self.covered.set(true);
            self.send(ToCore::Returned);
        }
    }

    /// Saves what is typed in this window, then lets the device lock. Nothing of the page is seen meanwhile.
    fn save_and_lock(mut self) {
        if self.is_saving.replace(true) {
            return;
        }
        self.covered.set(true);
        let farewells = *self.farewells.peek();
        let fields = try_consume_context::<HalfTypedFields>();
        // Whatever page is shown goes with the lock; this does not.
        dioxus::core::spawn_forever(async move {
            leave_field().await;
            // What cannot be saved stays in this window, and is there when its person is back.
            let _ = settle_all_notes(self).await && self.has_saved().await;
            if *self.farewells.peek() != farewells {
                // It took longer than the device waited: it has locked by now, and whoever has unlocked it since stays.
                return;
            }
            let place = self.place();
            let typed = fields.map(|fields| fields.now(&place)).unwrap_or_default();
            self.send(ToCore::Lock(LeftOff { place, typed }));
        });
    }

    pub(crate) async fn unlock(
        self,
        account: AccountId,
        way: Way,
        secret: String,
    ) -> Result<(), UnlockTrouble> {
        let (answer, waiting) = oneshot::channel();
        *self.link.read().unlock.borrow_mut() = Some(answer);
        let secret = secret.into();
        self.send(ToCore::Unlock { account, way, secret });
        waiting
            .await
            .unwrap_or(Err(UnlockTrouble::Storage(StorageTrouble::Other)))
    }

    /// `password` may be empty for who has just signed in or unlocked.
    pub(crate) async fn set_pin(self, pin: String, password: String) -> Result<(), PinRefused> {
        self.ask_about_pin(ToCore::SetPin {
            pin: pin.into(),
            password: password.into(),
        })
        .await
    }

    pub(crate) async fn forget_pin(self) -> Result<(), PinRefused> {
        self.ask_about_pin(ToCore::ForgetPin).await
    }

    async fn ask_about_pin(self, message: ToCore) -> Result<(), PinRefused> {
        let (answer, waiting) = oneshot::channel();
        *self.link.read().pin.borrow_mut() = Some(answer);
        self.send(message);
        waiting
            .await
            .unwrap_or(Err(PinRefused::Storage(StorageTrouble::Other)))
    }

    /// Minutes without any input; 0 is never.
    pub(crate) fn lock_after(self, minutes: u16) {
        self.send(ToCore::LockAfter { minutes });
    }

    pub(crate) fn remove_me(self) {
        self.send(ToCore::RemoveMe);
    }

    pub(crate) fn begin_anew(self) {
        self.send(ToCore::BeginAnew);
    }

    /// Somebody pressed a key, a button or the screen.
    pub(crate) fn active(self) {
        if *self.stage.peek() == Stage::SignedIn {
            self.send(ToCore::Active);
        }
    }

    /// The person at this window is here now.
    pub(crate) fn note_place(mut self, place: String) {
        let account = self
            .protection
            .peek()
            .as_ref()
            .map(|protection| protection.account);
        self.place.set((account, place));
    }

    /// Where whoever has just unlocked was; `None` if this window shows that already.
    pub(crate) fn place_to_return_to(self) -> Option<String> {
        let protection = self.protection.peek();
        let protection = protection.as_ref()?;
        let (account, _) = *self.place.peek();
        match account {
            Some(account) if account == protection.account => {
                cfg!(feature = "desktop").then(|| self.place.peek().1.clone())
            }
            // The window was loaded anew, at the address that it had.
            None => None,
            Some(_) if protection.left_off.place.is_empty() => Some("/".to_owned()),
            Some(_) => Some(protection.left_off.place.clone()),
        }
    }

    /// Whether records of a clinic are here, open or locked: whoever signs in on this device does it there, and the tokens
    /// of everybody who works here go nowhere else.
    pub(crate) fn has_a_clinic(self) -> bool {
        *self.stage.peek() != Stage::SignedOut
    }

    /// Who works at this window; `None` while the device is locked, too.
    pub(crate) fn person(self) -> Option<AccountId> {
        let works = *self.stage.peek() == Stage::SignedIn;
        let protection = self.protection.peek();
        protection
            .as_ref()
            .filter(|_| works)
            .map(|protection| protection.account)
    }

    /// Whether whoever has just unlocked is who was at this window before.
    pub(crate) fn is_back(self) -> bool {
        let protection = self.protection.peek();
        let (before, _) = *self.place.peek();
        protection
            .as_ref()
            .is_some_and(|protection| before == Some(protection.account))
    }

    /// What whoever has just unlocked had typed and not recorded.
    pub(crate) fn half_typed(self) -> Vec<HalfTyped> {
        let protection = self.protection.peek();
        protection
            .as_ref()
            .map(|protection| protection.left_off.typed.clone())
            .unwrap_or_default()
    }

    /// Where the person at this window is.
    pub(crate) fn place(self) -> String {
        self.place.peek().1.clone()
    }

    /// Waits until every command has its answer; false if one could not be saved, or takes longer than any disk does.
    pub(crate) async fn has_saved(self) -> bool {
        const LOOK: u32 = 20;
        for _ in 0..2_000 / LOOK {
            // What has just been asked for is on its way first.
            sleep(LOOK).await;
            let link = self.link.read();
            if link.answers.borrow().is_empty() {
                return !link.not_saved.get();
            }
        }
        false
    }

    /// From now on the browser asks before it leaves a page whose commands have no answer yet. Once, at the root.
    #[cfg(feature = "web")]
    pub(crate) fn heed_leaving(self) {
        let link = self.link.peek().clone();
        // Once for the whole program, which lives as long as the page.
        std::mem::forget(listen_leaving(move || !link.answers.borrow().is_empty()));
    }

    pub(crate) fn network_hint(self) {
        self.send(ToCore::NetworkHint);
    }
}

/// What `Host::watch` gives: the latest view, `None` until the first came.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Watched {
    number: u64,
    pub(crate) view: Signal<Option<View>>,
}

/// The host, from anywhere below the root.
pub(crate) fn use_host() -> Host {
    use_context::<Host>()
}

/// Watches a query as long as the component lives; `None` until the first view came. A query that becomes another
/// keeps the former view until the new one is there, so that nothing flickers.
pub(crate) fn use_query(query: Query) -> ReadSignal<Option<View>> {
    let host = use_host();
    let view = use_signal(|| None);
    let watched = use_hook(|| Rc::new(RefCell::new(None::<(u64, Query)>)));
    if watched.borrow().as_ref().map(|(_, query)| query) != Some(&query) {
        let link = host.link.read().clone();
        let watch = link.number();
        link.views.borrow_mut().insert(watch, view);
        link.platform.send(ToCore::Watch {
            watch,
            query: query.clone(),
        });
        if let Some((former, _)) = watched.replace(Some((watch, query))) {
            link.views.borrow_mut().remove(&former);
            link.platform.send(ToCore::Unwatch { watch: former });
        }
    }
    use_drop(move || {
        if let Some((watch, _)) = watched.take() {
            let link = host.link.read().clone();
            link.views.borrow_mut().remove(&watch);
            link.platform.send(ToCore::Unwatch { watch });
        }
    });
    view.into()
}

/// Saves a text where the person finds what was downloaded; false if that cannot be.
pub(crate) fn save_text(name: &str, text: &str) -> bool {
    let mut file = TextFile::begin(name);
    file.as_mut().is_some_and(|file| file.add(text)) && file.is_some_and(TextFile::save)
}

/// The device's clock.
pub(crate) fn now() -> Timestamp {
    platform::now()
}

/// A fresh UUIDv7 for something that begins to exist here.
pub(crate) fn fresh_id() -> Uuid {
    let mut random = [0; 10];
    getrandom::fill(&mut random).expect("every platform we run on has a random source");
    let millis = u64::try_from(now().0).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
