//! Performs the core's effects, on whichever thread or Worker the core lives, and holds the key of its records.
//!
//! Invariants: inputs are handled one after the other, so the core never sees two events at once; while the device is
//! locked there is no core, no connection to its records and no key; and what a socket says that an earlier core opened
//! reaches no later one.

mod calling;
mod entering;
mod leaving;

use super::auto_lock::AutoLock;
use super::calls::{Method, Request, Response};
use super::vault::{Files, Found, Vault};
use super::{FromCore, HostTrouble, Locked, NotDone, PinRefused, Protection, Secret, SignInTrouble, ToCore};
use calling::Calling;
use leaving::Ends;
use local_core::unlock::{DataKey, Fresh};
use local_core::{Core, Effect, Event, Failure, LeftOff, Query, StorageTrouble, StoreError};
use serde::Serialize;
use shared_model::accounts::Refresh;
use shared_model::ids::{AccountId, DeviceId};
use shared_model::permissions::Principal;
use shared_model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroize;

/// What a platform does for the core.
pub(super) trait Io {
    fn now(&self) -> Timestamp;
    fn random(&self, bytes: &mut [u8]);
    /// They arrive together, so that the screen changes once.
    fn to_views(&self, messages: Vec<FromCore>);
    /// How many windows show the records: each of them saves what is typed in it before the device locks.
    fn windows(&self) -> usize;
    /// Whether another window can have to take the records over, and needs their key for that.
    fn hands_over(&self) -> bool;
    /// Opens the one socket; a former one is dropped silently. Comes back as `Input::Socket…` with this number.
    fn open_socket(&mut self, number: u64);
    /// Closes it; comes back as `Input::SocketClosed`.
    fn close_socket(&mut self);
    fn send(&mut self, frame: Vec<u8>);
    /// Asks the server over HTTP; comes back as `Input::Response`.
    fn ask(&mut self, purpose: Purpose, request: Request, token: Option<Secret>);
    /// Comes back as `Input::Tick` then. A later call replaces an earlier one.
    fn wake_at(&mut self, at: Timestamp);
    /// As it appears in the list of devices.
    fn device_name(&self) -> String;
}

/// What an HTTP request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The sign-in with this number.
    SignIn(u64),
    /// Fresh tokens for somebody who may have gone when they come.
    /// With the number of the sign-in whose tokens they are to replace.
    Renew(AccountId, u64),
    SignOut,
    /// A lost device says that its records are gone.
    Purged,
    /// Work is handed in to the clinic's administrators, by somebody who may have gone when the answer comes.
    HandIn(AccountId),
    /// The call with this ticket.
    Call(u64),
}

/// Everything that reaches the core's thread.
#[derive(Debug)]
pub(super) enum Input {
    FromViews(ToCore),
    /// Of the socket with this number, as the following two.
    SocketOpened(u64),
    Frame(u64, Vec<u8>),
    SocketClosed(u64),
    /// `None` if the server could not be reached.
    Response(Purpose, Option<Response>),
    Tick,
}

pub(super) struct Runner<F, I> {
    io: I,
    vault: Vault<F>,
    device: DeviceId,
    /// `None` while the device is locked, or nobody has ever signed in on it.
    core: Option<Core>,
    /// Of the records that are open; `None` if a former build left them, which did not encrypt.
    key: Option<DataKey>,
    /// What is watched, whoever works here: asked of every core anew.
    watches: BTreeMap<u64, Query>,
    /// The number of the socket that this core opened last; what any other says is not heard.
    socket: u64,
    /// How often somebody has tried to sign in.
    sign_ins: u64,
    /// The first of those that may still let somebody in: not one from before the device was locked or unlocked last.
    signs_in_from: u64,
    /// What the latest sign-in was made with, as long as it is under way.
    password: Option<Secret>,
    /// When somebody last showed who they are.
    proven_at: Option<Timestamp>,
    auto_lock: AutoLock,
    /// What the windows left behind that have saved so far.
    left_off: LeftOff,
    /// Whose fresh tokens are on their way, whether or not they still work here. Two renewals at once would look to the
    /// server like a stolen token.
    renewing: BTreeSet<AccountId>,
    /// How often each person has come in by signing in.
    sessions: BTreeMap<AccountId, u64>,
    /// A handful at most.
    calls: Vec<Calling>,
    /// What was asked of the server about tokens and has no answer yet.
    unanswered: u32,
    /// What becomes of whoever works here when the device locks.
    ends: Ends,
}

impl<F: Files, I: Io> Runner<F, I> {
    /// Starts on the device's files; tells the views why if they cannot be used.
    pub(super) fn start(files: F, io: I) -> Option<Self> {
        let mut device = [0; 16];
        io.random(&mut device);
        let fresh = DeviceId(uuid::Builder::from_random_bytes(device).into_uuid());
        let opened = Vault::open(files, fresh).and_then(|(vault, device)| {
            let found = vault.found()?;
            let core = match found {
                Found::Former => Some(vault.former()?),
                Found::Nothing | Found::Sealed => None,
            };
            // A former build's records know under which id they were made.
            let known = core.as_ref().map(Core::device).transpose()?.flatten();
            let after = vault.keyring.lock_after()?;
            Ok((vault, known.unwrap_or(device), found, core, after))
        });
        let (vault, device, found, core, after) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let trouble = match StorageTrouble::from(&error) {
                    StorageTrouble::InUse => HostTrouble::OpenElsewhere,
                    trouble => HostTrouble::Storage(trouble),
                };
                io.to_views(vec![FromCore::NoStore(trouble)]);
                return None;
            }
        };
        let mut runner = Self {
            auto_lock: AutoLock::new(after, io.now()),
            io,
            vault,
            device,
            core,
            key: None,
            watches: BTreeMap::new(),
            socket: 0,
            sign_ins: 0,
            signs_in_from: 0,
            password: None,
            proven_at: None,
            left_off: LeftOff::default(),
            renewing: BTreeSet::new(),
            sessions: BTreeMap::new(),
            calls: Vec::new(),
            unanswered: 0,
            ends: Ends::Locked,
        };
        let fresh = found == Found::Nothing;
        // With how the device stands: a window unlocks it first that has something to ask.
        let mut said = vec![FromCore::Ready { fresh }];
        said.extend(runner.who_has_left());
        said.extend(runner.how_it_stands());
        runner.io.to_views(said);
        runner.event(Event::Started);
        Some(runner)
    }

    /// Nobody has come in: what the screen shows is what is on the disk.
    fn show_how_it_stands(&mut self) {
        let said = self.how_it_stands();
        self.io.to_views(said.into_iter().collect());
        self.event(Event::Started);
        self.watch_again();
    }

    /// `None` if records of a former build are here, which are open to anybody and say themselves how they stand.
    fn how_it_stands(&mut self) -> Option<FromCore> {
        let found = self.vault.found().and_then(|found| {
            if found == Found::Former && self.core.is_none() {
                self.core = Some(self.vault.former()?);
            }
            Ok(found)
        });
        match found {
            Ok(Found::Former) => None,
            Ok(Found::Sealed) => Some(self.lock_screen(false)),
            Ok(Found::Nothing) => Some(FromCore::SignedIn(false)),
            Err(error) => Some(FromCore::NoStore(HostTrouble::Storage((&error).into()))),
        }
    }

    pub(super) fn input(&mut self, input: Input) {
        let now = self.io.now();
        // Before anything else: a machine that has slept goes on with whatever comes first.
        if self.key.is_some() && self.auto_lock.is_overdue(now) {
            self.begin_locking(now);
        }
        match input {
            Input::FromViews(message) => self.asked(message),
            Input::SocketOpened(number) if number == self.socket => self.event(Event::SocketOpened),
            Input::Frame(number, frame) if number == self.socket => self.event(Event::Frame(frame)),
            Input::SocketClosed(number) if number == self.socket => {
                let dice = u32::from_le_bytes(self.random());
                self.event(Event::SocketClosed { dice });
            }
            Input::SocketOpened(_) | Input::Frame(..) | Input::SocketClosed(_) => {}
            Input::Response(Purpose::SignIn(number), response) => self.sign_in_answered(number, response),
            Input::Response(Purpose::Renew(account, session), response) => {
                self.renewal_answered(account, session, response);
            }
            Input::Response(Purpose::SignOut, _) => self.unanswered = self.unanswered.saturating_sub(1),
            Input::Response(Purpose::Purged, _) => {}
            Input::Response(Purpose::HandIn(account), response) => self.hand_in_answered(account, response),
            Input::Response(Purpose::Call(ticket), response) => self.call_answered(ticket, response),
            Input::Tick => self.event(Event::Tick),
        }
        let settled = self.unanswered == 0;
        if self.auto_lock.is_done(self.io.now(), self.io.windows(), settled) {
            self.lock();
        }
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut random = [0; N];
        self.io.random(&mut random);
        random
    }

    fn fresh(&self) -> Fresh {
        Fresh {
            salt: self.random(),
            nonce: self.random(),
        }
    }

    fn asked(&mut self, message: ToCore) {
        match message {
            ToCore::SignIn(entrance) => self.sign_in(entrance),
            ToCore::SignOut => self.sign_out(),
            ToCore::Call { ticket, request } => self.begin_call(ticket, request),
            ToCore::Command { ticket, command } => self.question(ticket, Event::Command { ticket, command }),
            ToCore::Decide { ticket, decision } => self.question(ticket, Event::Decide { ticket, decision }),
            ToCore::Watch { watch, query } => {
                self.watches.insert(watch, query.clone());
                self.event(Event::Watch { watch, query });
            }
            ToCore::Unwatch { watch } => {
                self.watches.remove(&watch);
                self.event(Event::Unwatch { watch });
            }
            ToCore::NetworkHint => self.event(Event::NetworkHint),
            ToCore::RetryStorage if self.core.is_none() => self.show_how_it_stands(),
            ToCore::RetryStorage => self.event(Event::RetryStorage),
            ToCore::Unlock { account, way, secret } => self.unlock(account, way, &secret),
            ToCore::Resume(handover) => self.resume(handover),
            ToCore::Lock(left_off) => self.window_has_saved(left_off),
            ToCore::Returned => self.returned(),
            ToCore::Active => self.auto_lock.touched(self.io.now()),
            ToCore::SetPin { pin, password } => {
                let outcome = self.set_pin(&pin, &password);
                self.io.to_views(vec![FromCore::Pin(outcome)]);
                self.tell_protection();
            }
            ToCore::ForgetPin => {
                let outcome = match self.account() {
                    Some(account) => self.vault.keyring.forget_pin(account).map_err(Into::into),
                    None => Err(PinRefused::NotProven),
                };
                self.io.to_views(vec![FromCore::Pin(outcome)]);
                self.tell_protection();
            }
            ToCore::LockAfter { minutes } => self.lock_after(minutes),
            ToCore::RemoveMe => self.remove_me(),
            ToCore::BeginAnew => self.begin_anew_when_nothing_waits(),
        }
    }

    /// A command or decision: each has its answer, also when nobody works here any more.
    fn question(&mut self, ticket: u64, event: Event) {
        if self.core.is_some() {
            self.event(event);
        } else {
            let outcome = Err(Failure::SignedOut);
            self.io.to_views(vec![FromCore::Answer { ticket, outcome }]);
        }
    }

    fn account(&self) -> Option<AccountId> {
        let principal = self.core.as_ref().and_then(Core::principal);
        principal.map(|principal| principal.account)
    }

    fn lock_after(&mut self, minutes: u16) {
        let is_staff = self
            .core
            .as_ref()
            .and_then(Core::principal)
            .is_some_and(Principal::is_staff);
        // What several people of the clinic share never stays open.
        if minutes > 0 || !is_staff {
            match self.vault.keyring.set_lock_after(minutes) {
                Ok(()) => {
                    self.auto_lock = AutoLock::new(minutes, self.io.now());
                    self.wake_at(self.io.now().plus_minutes(1));
                }
                Err(error) => self.not_done(&error),
            }
        }
        self.tell_protection();
    }

    fn not_done(&self, error: &StoreError) {
        self.io
            .to_views(vec![FromCore::NotDone(NotDone::Storage(error.into()))]);
    }

    /// POSTs what is secret in the body and needs no session.
    fn post(&mut self, purpose: Purpose, path: &str, body: &impl Serialize) {
        self.post_body(purpose, path, Secret::json(body));
    }

    fn post_body(&mut self, purpose: Purpose, path: &str, body: Secret) {
        let request = Request {
            method: Method::Post,
            path: path.to_owned(),
            body,
            in_session: false,
            once: true,
        };
        self.io.ask(purpose, request, None);
    }

    fn post_token(&mut self, purpose: Purpose, path: &str, refresh_token: String) {
        let device = self.device;
        let mut body = Refresh {
            refresh_token,
            device,
        };
        self.post(purpose, path, &body);
        body.refresh_token.zeroize();
    }

    fn show_lock(&self, signs_in: bool) {
        let left = self.who_has_left();
        self.io
            .to_views(left.into_iter().chain([self.lock_screen(signs_in)]).collect());
    }

    fn lock_screen(&self, signs_in: bool) -> FromCore {
        let keyring = &self.vault.keyring;
        let shown = keyring.people(self.io.now()).and_then(|people| {
            Ok(Locked {
                people,
                waiting: keyring.waiting()?,
                signs_in,
            })
        });
        match shown {
            Ok(locked) => FromCore::Locked(locked),
            Err(error) => FromCore::NoStore(HostTrouble::Storage((&error).into())),
        }
    }

    fn protection(&self) -> Option<Protection> {
        let core = self.core.as_ref()?;
        let account = self.account()?;
        Some(Protection {
            account,
            has_pin: self.vault.keyring.has_pin(account).unwrap_or(false),
            has_password: self.vault.keyring.has_password(account).unwrap_or(false),
            is_former: self.key.is_none(),
            lock_after: self.auto_lock.after(),
            left_off: core.left_off(),
        })
    }

    fn tell_protection(&self) {
        if let Some(protection) = self.protection() {
            self.io.to_views(vec![FromCore::Protection(protection)]);
        }
    }

    /// For whoever comes next. What cannot be read now is told at the next start.
    fn who_has_left(&self) -> Option<FromCore> {
        let left = self.vault.keyring.has_left().ok()??;
        Some(FromCore::Left(Some(left)))
    }

    /// What the core wants is done no later than the lock is due.
    fn wake_at(&mut self, at: Timestamp) {
        let due = self.key.as_ref().and_then(|_| self.auto_lock.due());
        self.io.wake_at(due.map_or(at, |due| due.min(at)));
    }

    /// Whoever works here is done with these records: their core goes, and its socket with it.
    fn close(&mut self) -> Option<Core> {
        self.io.close_socket();
        // Whatever it has to say yet comes to nobody.
        self.socket += 1;
        self.core.take()
    }

    fn event(&mut self, event: Event) {
        let whose = match &event {
            Event::Entered(account) => Some(*account),
            _ => self.account(),
        };
        let Some(core) = &mut self.core else { return };
        let mut to_views = Vec::new();
        let (mut wants_actor, mut is_purged) = (false, false);
        let mut have_left = Vec::new();
        for effect in core.handle(self.io.now(), event) {
            match effect {
                Effect::OpenSocket => {
                    self.socket += 1;
                    self.io.open_socket(self.socket);
                }
                Effect::CloseSocket => self.io.close_socket(),
                Effect::Send(frame) => self.io.send(frame),
                Effect::RenewSession { refresh_token, .. } => self.renew(refresh_token),
                Effect::Answer { ticket, outcome } => to_views.push(FromCore::Answer { ticket, outcome }),
                Effect::View { watch, view } => to_views.push(FromCore::View { watch, view }),
                Effect::WakeAt(at) => self.wake_at(at),
                Effect::FreshActor => wants_actor = true,
                Effect::Purged {
                    refresh_token,
                    device,
                } => {
                    is_purged = true;
                    let refresh = Refresh {
                        refresh_token,
                        device,
                    };
                    self.post(Purpose::Purged, "/devices/purged", &refresh);
                }
                Effect::HandIn { access_token, work } => {
                    if let Some(account) = self.account() {
                        self.hand_in(account, access_token, &work);
                    }
                }
                Effect::HasLeft(left) => have_left.push(left),
                Effect::SignedIn(signed_in) => {
                    if signed_in {
                        // First, so that whoever comes in finds their place.
                        to_views.extend(self.protection().map(FromCore::Protection));
                        to_views.push(FromCore::SignIn(Ok(())));
                    }
                    // Where it locks at the same time, the lock screen is what comes next.
                    if signed_in || !self.auto_lock.is_locking() {
                        to_views.push(FromCore::SignedIn(signed_in));
                    }
                }
                Effect::SignInRefused { waiting, name } => {
                    to_views.push(FromCore::SignIn(Err(SignInTrouble::WorkWaits { waiting, name })));
                }
                Effect::SignInFailed(trouble) => {
                    to_views.push(FromCore::SignIn(Err(SignInTrouble::Storage(trouble))));
                }
            }
        }
        if !to_views.is_empty() {
            self.io.to_views(to_views);
        }
        if is_purged {
            return self.forget_all();
        }
        for left in have_left {
            self.has_left(&left, whose == Some(left.account));
        }
        if wants_actor {
            let actor = self.random();
            self.event(Event::FreshActor(actor));
        }
    }
}
