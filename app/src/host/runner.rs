//! Performs the core's effects, on whichever thread or Worker the core lives.
//!
//! Invariant: inputs are handled one after the other, so the core never sees two events at once.

use super::calls::{self, Method, Request, Response, Secret};
use super::{CallTrouble, Entrance, FromCore, HostTrouble, SignInTrouble, ToCore};
use local_core::{Core, Credentials, Effect, Event, HandInAnswer, StorageTrouble, Store};
use serde::{Deserialize, Serialize};
use shared_model::accounts::{AcceptInvitation, ChooseClinic, Refresh, SignIn, codes};
use shared_model::ids::DeviceId;
use shared_model::late_work::Kept;
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
    SignIn,
    Renew,
    SignOut,
    /// A lost device says that its records are gone.
    Purged,
    /// Work is handed in to the clinic's administrators.
    HandIn,
    /// The call with this ticket.
    Call(u64),
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
    /// Fresh tokens are on their way. Two renewals at once would look to the server like a stolen token.
    renewing: bool,
    /// A handful at most.
    calls: Vec<Calling>,
}

/// A call without an answer.
struct Calling {
    ticket: u64,
    request: Request,
    /// It waits for fresh tokens.
    waits: bool,
    /// They were asked for on its account: they are not asked for twice.
    renewed: bool,
}

/// Of the server's answer to signing in and to renewing, what the core wants to know.
#[derive(Deserialize)]
struct Session {
    access_token: String,
    expires_at: Timestamp,
    refresh_token: String,
    principal: Principal,
}

fn credentials(body: &str) -> Option<Credentials> {
    let session: Session = calls::read(body)?;
    Some(Credentials {
        principal: session.principal,
        access_token: session.access_token,
        access_expires: session.expires_at,
        refresh_token: session.refresh_token,
    })
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
        let mut runner = Self {
            core,
            io,
            device,
            renewing: false,
            calls: Vec::new(),
        };
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
            Input::Response(Purpose::HandIn, response) => self.hand_in_answered(response),
            Input::Response(Purpose::Call(ticket), response) => self.call_answered(ticket, response),
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
            ToCore::SignIn(entrance) => self.sign_in(entrance),
            ToCore::SignOut => {
                if let Some(refresh_token) = self.core.refresh_token().map(str::to_owned) {
                    self.post_token(Purpose::SignOut, "/sign-out", refresh_token);
                }
                self.event(Event::SignedOut);
            }
            ToCore::Call { ticket, request } => {
                self.calls.push(Calling {
                    ticket,
                    request,
                    waits: false,
                    renewed: false,
                });
                self.call(ticket);
            }
            ToCore::Command { ticket, command } => self.event(Event::Command { ticket, command }),
            ToCore::Decide { ticket, decision } => self.event(Event::Decide { ticket, decision }),
            ToCore::Watch { watch, query } => self.event(Event::Watch { watch, query }),
            ToCore::Unwatch { watch } => self.event(Event::Unwatch { watch }),
            ToCore::NetworkHint => self.event(Event::NetworkHint),
            ToCore::RetryStorage => self.event(Event::RetryStorage),
        }
    }

    /// POSTs what is secret in the body and needs no session.
    fn post(&mut self, purpose: Purpose, path: &str, body: &impl Serialize) {
        let request = Request {
            method: Method::Post,
            path: path.to_owned(),
            body: Secret(serde_json::to_string(body).expect("strings and ids are always JSON")),
            in_session: false,
        };
        self.io.ask(purpose, request, None);
    }

    fn post_token(&mut self, purpose: Purpose, path: &str, refresh_token: String) {
        let device = self.device;
        self.post(
            purpose,
            path,
            &Refresh {
                refresh_token,
                device,
            },
        );
    }

    fn sign_in(&mut self, entrance: Entrance) {
        let (device, device_name) = (self.device, self.io.device_name());
        match entrance {
            Entrance::Password {
                email,
                password: Secret(password),
                clinic,
            } => {
                let body = SignIn {
                    email,
                    password,
                    device,
                    device_name,
                    clinic,
                };
                self.post(Purpose::SignIn, "/sign-in", &body);
            }
            Entrance::Invitation {
                token: Secret(token),
                full_name,
                password: Secret(password),
            } => {
                let body = AcceptInvitation {
                    token,
                    full_name,
                    password,
                    device,
                    device_name,
                };
                self.post(Purpose::SignIn, "/invitations/accept", &body);
            }
        }
    }

    fn sign_in_answered(&mut self, response: Option<Response>) {
        let choose = response
            .as_ref()
            .filter(|response| response.code().as_deref() == Some(codes::CHOOSE_CLINIC))
            .and_then(|response| calls::read::<ChooseClinic>(&response.body));
        let trouble = match (choose, calls::outcome(response)) {
            (Some(choose), _) => SignInTrouble::ChooseClinic(choose.memberships),
            (None, Err(why)) => SignInTrouble::Refused(why),
            (None, Ok(body)) => match credentials(&body) {
                Some(credentials) => {
                    let mut fresh_actor = [0; 16];
                    self.io.random(&mut fresh_actor);
                    // The core answers with `SignedIn`, or with the reason why not; both become the outcome there.
                    return self.event(Event::SignedIn {
                        credentials,
                        device: self.device,
                        fresh_actor,
                    });
                }
                None => SignInTrouble::Refused(CallTrouble::Odd),
            },
        };
        self.io.to_views(vec![FromCore::SignIn(Err(trouble))]);
    }

    fn renew(&mut self, refresh_token: String) {
        if !self.renewing {
            self.renewing = true;
            self.post_token(Purpose::Renew, "/refresh", refresh_token);
        }
    }

    fn renewal_answered(&mut self, response: Option<Response>) {
        self.renewing = false;
        let (event, trouble) = match response {
            Some(Response {
                status: 200, body, ..
            }) => (Event::SessionRenewed(credentials(&body)), None),
            Some(response)
                if response.status == 403 && response.code().as_deref() == Some(codes::DEVICE_LOST) =>
            {
                (Event::DeviceLost, Some(CallTrouble::DeviceLost))
            }
            Some(Response {
                status: 401 | 403, ..
            }) => (Event::SessionRefused, Some(CallTrouble::SignInAgain)),
            _ => (Event::SessionRenewed(None), Some(CallTrouble::Unreachable)),
        };
        self.event(event);
        let waiting = self.calls.iter().filter(|calling| calling.waits);
        let tickets: Vec<u64> = waiting.map(|calling| calling.ticket).collect();
        for ticket in tickets {
            match &trouble {
                None => self.call(ticket),
                Some(trouble) => self.called(ticket, Err(trouble.clone())),
            }
        }
    }

    fn hand_in_answered(&mut self, response: Option<Response>) {
        let answer = match response {
            Some(Response {
                status: 200, body, ..
            }) => match calls::read::<Kept>(&body) {
                Some(kept) => HandInAnswer::Kept(kept),
                None => HandInAnswer::Unreachable,
            },
            Some(response) => match response.code().as_deref() {
                Some(codes::DEVICE_LOST) => return self.event(Event::DeviceLost),
                Some(codes::STILL_MEMBER) => HandInAnswer::StillMember,
                Some(codes::NOT_SIGNED_IN) => HandInAnswer::TooLate,
                _ => HandInAnswer::Unreachable,
            },
            None => HandInAnswer::Unreachable,
        };
        let dice = self.dice();
        self.event(Event::HandedIn { answer, dice });
    }

    /// Sends a call on its way, or renews the tokens for it first.
    fn call(&mut self, ticket: u64) {
        let Some(calling) = self.calls.iter_mut().find(|calling| calling.ticket == ticket) else {
            return;
        };
        calling.waits = false;
        if !calling.request.in_session {
            return self.io.ask(Purpose::Call(ticket), calling.request.clone(), None);
        }
        let Some(refresh_token) = self.core.refresh_token() else {
            return self.called(ticket, Err(CallTrouble::SignInAgain));
        };
        match self.core.access_token(self.io.now()) {
            Some(token) if !self.renewing => {
                let token = Secret(token.to_owned());
                self.io
                    .ask(Purpose::Call(ticket), calling.request.clone(), Some(token));
            }
            None if calling.renewed => self.called(ticket, Err(CallTrouble::SignInAgain)),
            _ => {
                (calling.waits, calling.renewed) = (true, true);
                let refresh_token = refresh_token.to_owned();
                self.renew(refresh_token);
            }
        }
    }

    fn call_answered(&mut self, ticket: u64, response: Option<Response>) {
        let Some(calling) = self.calls.iter_mut().find(|calling| calling.ticket == ticket) else {
            return;
        };
        let outcome = calls::outcome(response);
        let has_ended = outcome == Err(CallTrouble::SignInAgain) && calling.request.in_session;
        match self.core.refresh_token() {
            Some(refresh_token) if has_ended && !calling.renewed => {
                (calling.waits, calling.renewed) = (true, true);
                let refresh_token = refresh_token.to_owned();
                self.renew(refresh_token);
            }
            _ => self.called(ticket, outcome),
        }
    }

    fn called(&mut self, ticket: u64, outcome: Result<String, CallTrouble>) {
        self.calls.retain(|calling| calling.ticket != ticket);
        self.io.to_views(vec![FromCore::Called { ticket, outcome }]);
    }

    fn event(&mut self, event: Event) {
        let mut to_views = Vec::new();
        let mut wants_actor = false;
        for effect in self.core.handle(self.io.now(), event) {
            match effect {
                Effect::OpenSocket => self.io.open_socket(),
                Effect::CloseSocket => self.io.close_socket(),
                Effect::Send(frame) => self.io.send(frame),
                Effect::RenewSession { refresh_token, .. } => self.renew(refresh_token),
                Effect::Answer { ticket, outcome } => to_views.push(FromCore::Answer { ticket, outcome }),
                Effect::View { watch, view } => to_views.push(FromCore::View { watch, view }),
                Effect::WakeAt(at) => self.io.wake_at(at),
                Effect::FreshActor => wants_actor = true,
                Effect::Purged {
                    refresh_token,
                    device,
                } => {
                    let refresh = Refresh {
                        refresh_token,
                        device,
                    };
                    self.post(Purpose::Purged, "/devices/purged", &refresh);
                }
                Effect::HandIn { access_token, work } => {
                    let request = Request {
                        method: Method::Post,
                        path: "/late-work".to_owned(),
                        body: Secret(
                            serde_json::to_string(&work).expect("ids, numbers and texts are always JSON"),
                        ),
                        in_session: true,
                    };
                    self.io.ask(Purpose::HandIn, request, Some(Secret(access_token)));
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]
mod tests {
    use super::*;
    use crate::host::{Call, Deed};
    use shared_model::accounts::SignedIn;
    use shared_model::ids::{AccountId, ClinicId};
    use shared_model::permissions::Role;
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;
    use uuid::Uuid;

    /// What the runner asked for, and what it told the views.
    #[derive(Default)]
    struct Seen {
        now: Cell<i64>,
        asked: RefCell<Vec<(Purpose, String, Option<Secret>)>>,
        called: RefCell<Vec<(u64, Result<String, CallTrouble>)>>,
        signed_in: RefCell<Vec<Result<(), SignInTrouble>>>,
    }

    impl Io for Rc<Seen> {
        fn now(&self) -> Timestamp {
            Timestamp(self.now.get())
        }

        fn random(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }

        fn to_views(&self, messages: Vec<FromCore>) {
            for message in messages {
                match message {
                    FromCore::Called { ticket, outcome } => self.called.borrow_mut().push((ticket, outcome)),
                    FromCore::SignIn(outcome) => self.signed_in.borrow_mut().push(outcome),
                    _ => {}
                }
            }
        }

        fn open_socket(&mut self) {}

        fn close_socket(&mut self) {}

        fn send(&mut self, _: Vec<u8>) {}

        fn ask(&mut self, purpose: Purpose, request: Request, token: Option<Secret>) {
            self.asked.borrow_mut().push((purpose, request.path, token));
        }

        fn wake_at(&mut self, _: Timestamp) {}

        fn device_name(&self) -> String {
            "A test".to_owned()
        }
    }

    const TEN_MINUTES: i64 = 600_000;

    /// A vet's device, whose tokens are good for ten minutes.
    fn device() -> (Runner<Rc<Seen>>, Rc<Seen>) {
        let seen = Rc::<Seen>::default();
        let sql = rusqlite::Connection::open_in_memory().unwrap();
        let mut runner = Runner::start(sql, Rc::clone(&seen)).unwrap();
        runner.asked(ToCore::SignIn(Entrance::Password {
            email: "ana@example.com".to_owned(),
            password: Secret("lantern".to_owned()),
            clinic: None,
        }));
        answer(&mut runner, Purpose::SignIn, 200, &session("first", TEN_MINUTES));
        assert_eq!(seen.signed_in.take(), [Ok(())]);
        seen.asked.borrow_mut().clear();
        (runner, seen)
    }

    fn session(token: &str, expires: i64) -> String {
        let session = SignedIn {
            access_token: token.to_owned(),
            expires_at: Timestamp(expires),
            refresh_token: format!("{token} refresh"),
            principal: Principal {
                account: AccountId(Uuid::from_u128(2)),
                clinic: ClinicId(Uuid::from_u128(1)),
                roles: vec![Role::Veterinarian],
                client: None,
                name: "Ana Moreno".to_owned(),
            },
            memberships: Vec::new(),
            device_key: String::new(),
        };
        serde_json::to_string(&session).unwrap()
    }

    fn answer(runner: &mut Runner<Rc<Seen>>, purpose: Purpose, status: u16, body: &str) {
        let response = Response {
            status,
            retry_after: None,
            body: body.to_owned(),
        };
        runner.input(Input::Response(purpose, Some(response)));
    }

    fn call(runner: &mut Runner<Rc<Seen>>, ticket: u64, request: Request) {
        runner.input(Input::FromViews(ToCore::Call { ticket, request }));
    }

    fn token(word: &str) -> Option<Secret> {
        Some(Secret(word.to_owned()))
    }

    #[test]
    fn a_call_has_the_token_and_comes_back_with_its_answer() {
        let (mut runner, seen) = device();
        call(&mut runner, 1, Call::me().request);
        call(&mut runner, 2, Deed::forgot_password(String::new()).request);
        let asked = seen.asked.take();
        assert_eq!(asked[0], (Purpose::Call(1), "/me".to_owned(), token("first")));
        assert_eq!(
            asked[1],
            (Purpose::Call(2), "/password/forgot".to_owned(), None),
            "nobody in particular"
        );
        answer(&mut runner, Purpose::Call(1), 200, "{}");
        runner.input(Input::Response(Purpose::Call(2), None));
        assert_eq!(
            seen.called.take(),
            [(1, Ok("{}".to_owned())), (2, Err(CallTrouble::Unreachable))]
        );
    }

    #[test]
    fn tokens_that_are_about_to_end_are_renewed_once_for_all_calls() {
        let (mut runner, seen) = device();
        seen.now.set(TEN_MINUTES - 1_000);
        call(&mut runner, 1, Call::me().request);
        call(&mut runner, 2, Call::staff().request);
        // The socket would like to have them too.
        runner.input(Input::SocketOpened);
        assert_eq!(seen.asked.take(), [(Purpose::Renew, "/refresh".to_owned(), None)]);
        answer(
            &mut runner,
            Purpose::Renew,
            200,
            &session("second", 3 * TEN_MINUTES),
        );
        let asked: Vec<_> = seen
            .asked
            .take()
            .into_iter()
            .map(|(purpose, _, token)| (purpose, token))
            .collect();
        assert_eq!(
            asked,
            [
                (Purpose::Call(1), token("second")),
                (Purpose::Call(2), token("second"))
            ]
        );
    }

    #[test]
    fn a_token_that_the_server_does_not_know_is_renewed_and_the_call_repeated_once() {
        let (mut runner, seen) = device();
        let unknown = r#"{"code":"not_signed_in"}"#;
        call(&mut runner, 1, Call::me().request);
        answer(&mut runner, Purpose::Call(1), 401, unknown);
        answer(
            &mut runner,
            Purpose::Renew,
            200,
            &session("second", 3 * TEN_MINUTES),
        );
        let asked = seen.asked.take();
        assert_eq!(
            asked.last(),
            Some(&(Purpose::Call(1), "/me".to_owned(), token("second")))
        );
        answer(&mut runner, Purpose::Call(1), 401, unknown);
        assert_eq!(seen.asked.take(), []);
        assert_eq!(seen.called.take(), [(1, Err(CallTrouble::SignInAgain))]);
    }

    #[test]
    fn a_wrong_password_ends_no_session() {
        let (mut runner, seen) = device();
        call(
            &mut runner,
            1,
            Deed::end_membership(AccountId(Uuid::from_u128(9))).request,
        );
        answer(
            &mut runner,
            Purpose::Call(1),
            401,
            r#"{"code":"wrong_credentials"}"#,
        );
        assert_eq!(seen.called.take(), [(1, Err(CallTrouble::WrongCredentials))]);
    }

    #[test]
    fn calls_say_why_when_the_session_cannot_be_renewed() {
        for (status, expected) in [(401, CallTrouble::SignInAgain), (503, CallTrouble::Unreachable)] {
            let (mut runner, seen) = device();
            seen.now.set(TEN_MINUTES);
            call(&mut runner, 1, Call::me().request);
            answer(&mut runner, Purpose::Renew, status, "");
            assert_eq!(seen.called.take(), [(1, Err(expected))]);
        }
        let (mut runner, seen) = device();
        runner.input(Input::FromViews(ToCore::SignOut));
        call(&mut runner, 1, Call::me().request);
        assert_eq!(seen.called.take(), [(1, Err(CallTrouble::SignInAgain))]);
    }

    #[test]
    fn whoever_has_left_hands_in_and_is_signed_out() {
        let (mut runner, seen) = device();
        seen.now.set(TEN_MINUTES);
        call(&mut runner, 1, Call::me().request);
        answer(&mut runner, Purpose::Renew, 401, r#"{"code":"sign_in_again"}"#);
        let asked = seen.asked.take();
        assert_eq!(
            asked.last(),
            Some(&(Purpose::HandIn, "/late-work".to_owned(), token("first"))),
            "with the last token, though it has expired"
        );
        answer(&mut runner, Purpose::HandIn, 409, r#"{"code":"still_member"}"#);
        assert!(runner.core.principal().is_some(), "only the session has ended");
        let kept = Kept {
            account: AccountId(Uuid::from_u128(2)),
            clinic: ClinicId(Uuid::from_u128(1)),
            has_left: true,
            hashes: Vec::new(),
        };
        answer(
            &mut runner,
            Purpose::HandIn,
            200,
            &serde_json::to_string(&kept).unwrap(),
        );
        assert!(runner.core.principal().is_none());
    }

    #[test]
    fn whoever_belongs_to_several_clinics_is_asked_which() {
        let (mut runner, seen) = device();
        let clinic = Uuid::from_u128(4);
        let body = format!(
            r#"{{"code":"choose_clinic","memberships":[{{"clinic":"{clinic}","clinic_name":"Southgate","roles":["viewer"],"client":null}}]}}"#
        );
        answer(&mut runner, Purpose::SignIn, 409, &body);
        let said = seen.signed_in.take();
        let [Err(SignInTrouble::ChooseClinic(clinics))] = &said[..] else {
            panic!("{said:?}")
        };
        assert_eq!(clinics[0].clinic_name, "Southgate");
    }
}
