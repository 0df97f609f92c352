//! Performs the core's effects, on whichever thread or Worker the core lives.
//!
//! Invariant: inputs are handled one after the other, so the core never sees two events at once.

use super::{FromCore, HostTrouble, SignInTrouble, ToCore};
use local_core::{Core, Credentials, Effect, Event, StorageTrouble, Store};
use serde::{Deserialize, Serialize};
use shared_model::accounts::codes;
use shared_model::ids::DeviceId;
use shared_model::permissions::Principal;
use shared_model::time::Timestamp;

/// What a platform does for the core.
pub(super) trait Io {
    fn now(&self) -> Timestamp;
    fn random(&self, bytes: &mut [u8]);
    /// They arrive together, so that the screen changes once.
    fn to_views(&self, messages: Vec<FromCore>);
    /// Opens the one socket; a former one is dropped silently. Comes back as `Input::Socket…`.
    fn open_socket(&mut self);
    /// Closes it; comes back as `Input::SocketClosed`.
    fn close_socket(&mut self);
    fn send(&mut self, frame: Vec<u8>);
    /// POSTs JSON to the server; comes back as `Input::Response`.
    fn post(&mut self, purpose: Purpose, path: &'static str, body: String);
    /// Comes back as `Input::Tick` then. A later call replaces an earlier one.
    fn wake_at(&mut self, at: Timestamp);
}

/// What an HTTP request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    SignIn,
    Renew,
    SignOut,
    /// A lost device says that its records are gone.
    Purged,
}

#[derive(Debug)]
pub(super) struct Response {
    pub status: u16,
    pub retry_after: Option<u64>,
    pub body: String,
}

/// Everything that reaches the core's thread.
#[derive(Debug)]
pub(super) enum Input {
    FromViews(ToCore),
    SocketOpened,
    Frame(Vec<u8>),
    SocketClosed,
    /// `None` if the server could not be reached.
    Response(Purpose, Option<Response>),
    Tick,
}

pub(super) struct Runner<I> {
    core: Core,
    io: I,
    /// The device's id while it has not been stored with a first sign-in.
    device: DeviceId,
}

#[derive(Serialize)]
struct SignInRequest<'a> {
    email: &'a str,
    password: &'a str,
    device: DeviceId,
    device_name: &'a str,
}

#[derive(Serialize)]
struct RefreshRequest<'a> {
    refresh_token: &'a str,
    device: DeviceId,
}

/// The server's answer to signing in and to renewing.
#[derive(Deserialize)]
struct Session {
    access_token: String,
    expires_at: Timestamp,
    refresh_token: String,
    principal: Principal,
}

impl Session {
    fn read(body: &str) -> Option<Credentials> {
        let session: Self = serde_json::from_str(body).ok()?;
        Some(Credentials {
            principal: session.principal,
            access_token: session.access_token,
            access_expires: session.expires_at,
            refresh_token: session.refresh_token,
        })
    }
}

impl<I: Io> Runner<I> {
    /// Starts on an opened connection; tells the views why if the store cannot be used.
    pub(super) fn start(sql: rusqlite::Connection, io: I) -> Option<Self> {
        let core = match Store::new(sql).and_then(Core::new) {
            Ok(core) => core,
            Err(error) => {
                let trouble = match StorageTrouble::from(&error) {
                    StorageTrouble::InUse => HostTrouble::OpenElsewhere,
                    trouble => HostTrouble::Storage(trouble),
                };
                io.to_views(vec![FromCore::NoStore(trouble)]);
                return None;
            }
        };
        let mut device = [0; 16];
        io.random(&mut device);
        let device = DeviceId(uuid::Builder::from_random_bytes(device).into_uuid());
        let device = core.device().unwrap_or(device);
        let mut runner = Self { core, io, device };
        let fresh = runner.core.device().is_none();
        runner.io.to_views(vec![FromCore::Ready { fresh }]);
        runner.event(Event::Started);
        Some(runner)
    }

    pub(super) fn input(&mut self, input: Input) {
        match input {
            Input::FromViews(message) => self.asked(message),
            Input::SocketOpened => self.event(Event::SocketOpened),
            Input::Frame(frame) => self.event(Event::Frame(frame)),
            Input::SocketClosed => {
                let dice = self.dice();
                self.event(Event::SocketClosed { dice });
            }
            Input::Response(Purpose::SignIn, response) => self.sign_in_answered(response),
            Input::Response(Purpose::Renew, response) => self.renewal_answered(response),
            Input::Response(Purpose::SignOut | Purpose::Purged, _) => {}
            Input::Tick => self.event(Event::Tick),
        }
    }

    fn dice(&self) -> u32 {
        let mut dice = [0; 4];
        self.io.random(&mut dice);
        u32::from_le_bytes(dice)
    }

    fn asked(&mut self, message: ToCore) {
        match message {
            ToCore::SignIn { email, password } => {
                let body = serde_json::to_string(&SignInRequest {
                    email: &email,
                    password: &password,
                    device: self.device,
                    device_name: device_name(),
                })
                .expect("strings and ids are always JSON");
                self.io.post(Purpose::SignIn, "/api/v1/sign-in", body);
            }
            ToCore::SignOut => {
                if let Some(refresh_token) = self.core.refresh_token() {
                    let body = serde_json::to_string(&RefreshRequest {
                        refresh_token,
                        device: self.device,
                    })
                    .expect("strings and ids are always JSON");
                    self.io.post(Purpose::SignOut, "/api/v1/sign-out", body);
                }
                self.event(Event::SignedOut);
            }
            ToCore::Command { ticket, command } => self.event(Event::Command { ticket, command }),
            ToCore::Decide { ticket, decision } => self.event(Event::Decide { ticket, decision }),
            ToCore::Watch { watch, query } => self.event(Event::Watch { watch, query }),
            ToCore::Unwatch { watch } => self.event(Event::Unwatch { watch }),
            ToCore::NetworkHint => self.event(Event::NetworkHint),
            ToCore::RetryStorage => self.event(Event::RetryStorage),
        }
    }

    fn sign_in_answered(&mut self, response: Option<Response>) {
        let outcome = match response {
            None => Err(SignInTrouble::Unreachable),
            Some(Response {
                status: 200, body, ..
            }) => match Session::read(&body) {
                Some(credentials) => {
                    let mut fresh_actor = [0; 16];
                    self.io.random(&mut fresh_actor);
                    // The core answers with `SignedIn`, or with the reason why not; both become the outcome there.
                    self.event(Event::SignedIn {
                        credentials,
                        device: self.device,
                        fresh_actor,
                    });
                    return;
                }
                None => Err(SignInTrouble::Odd),
            },
            Some(Response { status: 401, .. }) => Err(SignInTrouble::Wrong),
            Some(Response {
                status: 429,
                retry_after,
                ..
            }) => Err(SignInTrouble::Slowed(retry_after.unwrap_or(30))),
            Some(Response {
                status: 502..=504, ..
            }) => Err(SignInTrouble::Unreachable),
            Some(_) => Err(SignInTrouble::Odd),
        };
        self.io.to_views(vec![FromCore::SignIn(outcome)]);
    }

    fn renewal_answered(&mut self, response: Option<Response>) {
        match response {
            Some(Response {
                status: 200, body, ..
            }) => self.event(Event::SessionRenewed(Session::read(&body))),
            Some(Response {
                status: 403, body, ..
            }) if is_problem(&body, codes::DEVICE_LOST) => {
                self.event(Event::DeviceLost);
            }
            Some(Response {
                status: 401 | 403, ..
            }) => self.event(Event::SessionRefused),
            _ => self.event(Event::SessionRenewed(None)),
        }
    }

    fn event(&mut self, event: Event) {
        let mut to_views = Vec::new();
        let mut wants_actor = false;
        for effect in self.core.handle(self.io.now(), event) {
            match effect {
                Effect::OpenSocket => self.io.open_socket(),
                Effect::CloseSocket => self.io.close_socket(),
                Effect::Send(frame) => self.io.send(frame),
                Effect::RenewSession {
                    refresh_token,
                    device,
                } => {
                    let body = serde_json::to_string(&RefreshRequest {
                        refresh_token: &refresh_token,
                        device,
                    })
                    .expect("strings and ids are always JSON");
                    self.io.post(Purpose::Renew, "/api/v1/refresh", body);
                }
                Effect::Answer { ticket, outcome } => to_views.push(FromCore::Answer { ticket, outcome }),
                Effect::View { watch, view } => to_views.push(FromCore::View { watch, view }),
                Effect::WakeAt(at) => self.io.wake_at(at),
                Effect::FreshActor => wants_actor = true,
                Effect::Purged {
                    refresh_token,
                    device,
                } => {
                    let body = serde_json::to_string(&RefreshRequest {
                        refresh_token: &refresh_token,
                        device,
                    })
                    .expect("strings and ids are always JSON");
                    self.io.post(Purpose::Purged, "/api/v1/devices/purged", body);
                }
                Effect::SignedIn(signed_in) => {
                    if signed_in {
                        to_views.push(FromCore::SignIn(Ok(())));
                    }
                    to_views.push(FromCore::SignedIn(signed_in));
                }
                Effect::SignInRefused { waiting, name } => {
                    to_views.push(FromCore::SignIn(Err(SignInTrouble::WorkWaits { waiting, name })));
                }
            }
        }
        if !to_views.is_empty() {
            self.io.to_views(to_views);
        }
        if wants_actor {
            let mut actor = [0; 16];
            self.io.random(&mut actor);
            self.event(Event::FreshActor(actor));
        }
    }
}

/// Whether an answer is the problem with this code.
fn is_problem(body: &str, code: &str) -> bool {
    #[derive(Deserialize)]
    struct Problem {
        code: String,
    }
    serde_json::from_str::<Problem>(body).is_ok_and(|problem| problem.code == code)
}

/// As it appears in the list of devices.
fn device_name() -> &'static str {
    if cfg!(target_family = "wasm") {
        "Web browser"
    } else {
        "Desktop"
    }
}
