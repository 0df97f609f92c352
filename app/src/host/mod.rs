//! Hosts: what carries commands and queries from the views to the core and its answers back.
//!
//! Place in the flow: between views and local-core. Invariant: no view knows which host it runs on; everything that
//! a view may ask for is in this module, and the hosts differ only below it.

mod calls;
mod journey;
mod mail_link;
#[cfg(feature = "desktop")]
mod native;
mod runner;
#[cfg(any(feature = "web", test))]
mod unfinished;
mod ways_in;
#[cfg(feature = "web")]
pub(crate) mod web;

#[cfg(feature = "desktop")]
use native as platform;
#[cfg(feature = "web")]
use web as platform;

pub(crate) use calls::{Call, CallTrouble, Deed, Request, Secret, Whose, read};
pub(crate) use journey::{Errand, Returned};
pub(crate) use mail_link::{LinkPurpose, LinkTrouble, MailLink};
#[cfg(feature = "desktop")]
pub(crate) use native::{data_folder, keep_window_size, leave_field, window_size};
pub(crate) use platform::{
    FormerFocus, activate_new_build, arrive_at, asks_for_address, copy_address, copy_to_clipboard, device,
    focus, focus_first_in, focus_into, focus_last_in, followed_link, has_apple_keys, has_focus_within,
    keep_address, listen_hidden, listen_keys, page_events, print_page, reload, remembered_address,
    remembered_theme, returned, scroll_into_view, select_text, set_theme, set_title, sleep, system_zone,
    take_link, text_selection,
};
#[cfg(feature = "web")]
pub(crate) use web::listen_leaving;

use dioxus::prelude::*;
use dioxus::signals::warnings::copy_value_hoisted;
use dioxus::warnings::Warning;
use futures_channel::oneshot;
use futures_util::StreamExt;
use local_core::{Decision, Failure, Query, StorageTrouble, View};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared_model::accounts::Membership;
use shared_model::commands::Command;
use shared_model::ids::ClinicId;
use shared_model::time::Timestamp;
use shared_model::values::Invalid;
use shared_model::ways_in::NotLinked;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use uuid::Uuid;

/// What the views' side sends to the core's side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ToCore {
    SignIn(Entrance),
    SignOut,
    Call { ticket: u64, request: Request },
    Command { ticket: u64, command: Command },
    Decide { ticket: u64, decision: Decision },
    Watch { watch: u64, query: Query },
    Unwatch { watch: u64 },
    NetworkHint,
    RetryStorage,
}

/// How somebody comes in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Entrance {
    Password {
        email: String,
        password: Secret,
        /// Which of their clinics, if they have said.
        clinic: Option<ClinicId>,
    },
    Invitation {
        token: Secret,
        full_name: String,
        password: Secret,
    },
    /// Somebody for whom a provider vouches, with what came back from there.
    Provider {
        code: Secret,
        verifier: Secret,
        clinic: Option<ClinicId>,
        /// What whoever takes up an invitation is called.
        full_name: String,
        /// Whose account it is to be linked with, and its password; for an invitation the address stands fast.
        email: Option<String>,
        password: Option<Secret>,
    },
}

/// What comes back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum FromCore {
    /// The store is open; `fresh` if nobody has ever signed in with it.
    Ready {
        fresh: bool,
    },
    /// There is no store: why, so that the screen can say what to do.
    NoStore(HostTrouble),
    SignedIn(bool),
    SignIn(Result<(), SignInTrouble>),
    Answer {
        ticket: u64,
        outcome: Result<Timestamp, Failure>,
    },
    View {
        watch: u64,
        view: View,
    },
    /// The body of the answer to a call.
    Called {
        ticket: u64,
        outcome: Result<String, CallTrouble>,
    },
    /// Not from the core but from the page's end of it.
    #[serde(skip)]
    #[cfg_attr(
        feature = "desktop",
        expect(
            dead_code,
            reason = "only a browser deletes records or shares them between windows"
        )
    )]
    Keeping(Keeping),
}

/// How well the browser keeps the records of this device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// The window that has them does not answer at the moment.
    pub(crate) silent: bool,
    /// It may delete them when it wants room.
    pub(crate) may_evict: bool,
    /// Megabytes that are left for them, if they are few.
    pub(crate) room_left: Option<u32>,
    /// It has deleted them, and so many changes had not reached the clinic.
    pub(crate) lost: Option<u64>,
}

/// Why the device has no store to work with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HostTrouble {
    /// No origin-private file system: a private window, or a browser that is too old.
    NoPrivateFiles,
    /// Another tab or window of this browser holds the store.
    OpenElsewhere,
    Storage(StorageTrouble),
    Other(String),
}

/// Why signing in did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SignInTrouble {
    /// The server did not let them in, or could not be asked.
    Refused(CallTrouble),
    /// They belong to several clinics and have to say which.
    ChooseClinic(Vec<Membership>),
    /// The provider vouches for them, and no account here is linked with that.
    NotLinked(NotLinked),
    /// So many changes of somebody else wait on this device.
    WorkWaits { waiting: u64, name: String },
}

/// Why the clinic's address was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "web",
    expect(dead_code, reason = "a page comes from its clinic and asks for no address")
)]
pub(crate) enum AddressTrouble {
    Invalid(Invalid),
    NotKept(StorageTrouble),
}

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
}

/// The views' end of the host. Copy it into closures freely.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    link: CopyValue<Rc<Link>>,
    pub(crate) stage: Signal<Stage>,
    pub(crate) keeping: Signal<Keeping>,
    /// Counts what calls have changed at the clinic: whoever shows an answer asks again.
    pub(crate) changed: Signal<u64>,
}

/// A question, its answer, and when that came.
type Heard = (String, String, Timestamp);

/// A call that has no answer yet.
struct Calling {
    ticket: u64,
    answer: oneshot::Sender<Result<String, CallTrouble>>,
    /// What it asks for, if it only asks.
    asks: Option<String>,
}

struct Link {
    platform: platform::Link,
    next: RefCell<u64>,
    answers: RefCell<HashMap<u64, oneshot::Sender<Result<Timestamp, Failure>>>>,
    /// The command that was answered last could not be written down.
    #[cfg(feature = "desktop")]
    not_saved: std::cell::Cell<bool>,
    sign_in: RefCell<Option<oneshot::Sender<Result<(), SignInTrouble>>>>,
    views: RefCell<HashMap<u64, Signal<Option<View>>>>,
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

impl Host {
    /// Starts the core's side. Once, at the root of the views.
    pub(crate) fn start() -> Self {
        let stage = Signal::new(Stage::Opening);
        let (platform, mut incoming) = platform::start();
        let link = Rc::new(Link {
            next: RefCell::new(platform.first_number()),
            platform,
            answers: RefCell::default(),
            #[cfg(feature = "desktop")]
            not_saved: std::cell::Cell::default(),
            sign_in: RefCell::default(),
            views: RefCell::default(),
            calls: RefCell::default(),
            heard: RefCell::default(),
        });
        let host = Self {
            // Work that outlives its page goes on at the root.
            link: CopyValue::new_in_scope(link, ScopeId::ROOT),
            stage,
            keeping: Signal::new(Keeping::default()),
            changed: Signal::new(0),
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
        if matches!(message, FromCore::SignedIn(_) | FromCore::SignIn(Ok(()))) {
            link.heard.borrow_mut().clear();
            self.changed += 1;
        }
        match message {
            FromCore::Ready { .. } => {}
            FromCore::NoStore(trouble) => self.stage.set(Stage::NoStore(trouble)),
            // Said again by every window that takes the records over.
            FromCore::SignedIn(true) if *self.stage.peek() == Stage::SignedIn => {}
            FromCore::SignedIn(true) => self.stage.set(Stage::SignedIn),
            FromCore::SignedIn(false) if *self.stage.peek() == Stage::SignedOut => {}
            FromCore::SignedIn(false) => self.stage.set(Stage::SignedOut),
            FromCore::Keeping(keeping) => self.keeping.set(keeping),
            FromCore::SignIn(outcome) => {
                if let Some(waiting) = link.sign_in.borrow_mut().take() {
                    // Nobody waits any more if the screen was left.
                    drop(waiting.send(outcome));
                }
            }
            FromCore::Answer { ticket, outcome } => {
                #[cfg(feature = "desktop")]
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
                    (Ok(body), Some(asks)) => {
                        let mut heard = link.heard.borrow_mut();
                        heard.retain(|(asked, ..)| *asked != asks);
                        heard.push((asks, body.clone(), now()));
                    }
                    (Ok(_), None) => self.changed += 1,
                    (Err(_), _) => {}
                }
                drop(calling.answer.send(outcome));
            }
            FromCore::View { watch, view } => {
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
        let command = command.into();
        self.ask(|ticket| ToCore::Command { ticket, command }).await
    }

    /// Carries out what a person decided about refused work.
    pub(crate) async fn decide(self, decision: Decision) -> Result<Timestamp, Failure> {
        self.ask(|ticket| ToCore::Decide { ticket, decision }).await
    }

    async fn ask(self, message: impl FnOnce(u64) -> ToCore) -> Result<Timestamp, Failure> {
        let (answer, waiting) = oneshot::channel();
        let ticket = {
            let link = self.link.read();
            let ticket = link.number();
            link.answers.borrow_mut().insert(ticket, answer);
            ticket
        };
        self.send(message(ticket));
        waiting
            .await
            .unwrap_or(Err(Failure::Storage(StorageTrouble::Other)))
    }

    /// Watches a query until `unwatch`, whatever components come and go meanwhile.
    pub(crate) fn watch(self, query: Query) -> Watched {
        let link = self.link.read().clone();
        let watched = Watched {
            number: link.number(),
            view: Signal::new_in_scope(None, ScopeId::ROOT),
        };
        link.views.borrow_mut().insert(watched.number, watched.view);
        link.platform.send(ToCore::Watch {
            watch: watched.number,
            query,
        });
        watched
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
            let asks = request.only_asks().then(|| request.path().to_owned());
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

    /// Waits until every command has its answer; false if one could not be saved, or takes longer than any disk does.
    #[cfg(feature = "desktop")]
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
