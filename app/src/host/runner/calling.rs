//! Calls to the clinic's server beside the records, and the tokens that they and the socket need.
//!
//! Invariant: tokens are renewed once for everybody who waits for them, and a call is repeated once on their account.

use super::entering::read;
use super::{Io, Purpose, Runner};
use crate::host::calls::{self, CallTrouble, Method, Request, Response};
use crate::host::vault::Files;
use crate::host::{FromCore, Secret};
use local_core::{Core, Event, HandInAnswer};
use shared_model::accounts::codes;
use shared_model::ids::AccountId;
use shared_model::late_work::{HandIn, Kept};

/// A call without an answer.
pub(super) struct Calling {
    ticket: u64,
    request: Request,
    /// It waits for fresh tokens.
    waits: bool,
    /// They were asked for on its account: they are not asked for twice.
    renewed: bool,
}

impl<F: Files, I: Io> Runner<F, I> {
    pub(super) fn begin_call(&mut self, ticket: u64, request: Request) {
        self.calls.push(Calling {
            ticket,
            request,
            waits: false,
            renewed: false,
        });
        self.call(ticket);
    }

    fn refresh_token(&self) -> Option<String> {
        let token = self.core.as_ref().and_then(Core::refresh_token);
        token.map(str::to_owned)
    }

    pub(super) fn renew(&mut self, refresh_token: String) {
        if let Some(account) = self.account()
            && self.renewing.insert(account)
        {
            self.unanswered += 1;
            let purpose = Purpose::Renew(account, self.session_of(account));
            self.post_token(purpose, "/refresh", refresh_token);
        }
    }

    fn is_renewing(&self) -> bool {
        self.account()
            .is_some_and(|account| self.renewing.contains(&account))
    }

    /// The number of somebody's latest sign-in here.
    fn session_of(&self, account: AccountId) -> u64 {
        self.sessions.get(&account).copied().unwrap_or_default()
    }

    /// Somebody has signed in: what was asked with their former tokens counts no more, and whoever waits for it has these.
    pub(super) fn session_begins(&mut self, account: AccountId) {
        *self.sessions.entry(account).or_default() += 1;
        self.renewing.remove(&account);
    }

    pub(super) fn renewal_answered(&mut self, account: AccountId, session: u64, response: Option<Response>) {
        self.unanswered = self.unanswered.saturating_sub(1);
        // The server has ended that sign-in for the one which took its place.
        if session != self.session_of(account) {
            return;
        }
        self.renewing.remove(&account);
        let is_here = self.account() == Some(account);
        let (event, trouble) = match response {
            Some(Response {
                status: 200, body, ..
            }) => {
                let credentials = read(&body).map(|(credentials, _)| credentials);
                (Event::SessionRenewed(credentials), None)
            }
            // They hear it themselves when they come back.
            _ if !is_here => return,
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
        if !is_here {
            return;
        }
        self.go_on_with_calls(trouble.as_ref());
    }

    /// Fresh tokens are there for every call that waits for some, or there will be none.
    pub(super) fn go_on_with_calls(&mut self, trouble: Option<&CallTrouble>) {
        let waiting = self.calls.iter().filter(|calling| calling.waits);
        let tickets: Vec<u64> = waiting.map(|calling| calling.ticket).collect();
        for ticket in tickets {
            match trouble {
                None => self.call(ticket),
                Some(trouble) => self.called(ticket, Err(trouble.clone())),
            }
        }
    }

    /// Sends a call on its way, or renews the tokens for it first.
    fn call(&mut self, ticket: u64) {
        let Some(calling) = self.calls.iter_mut().find(|calling| calling.ticket == ticket) else {
            return;
        };
        calling.waits = false;
        let (request, renewed) = (calling.request.clone(), calling.renewed);
        if !request.in_session {
            return self.io.ask(Purpose::Call(ticket), request, None);
        }
        let Some(core) = self.core.as_ref().filter(|core| core.principal().is_some()) else {
            return self.called(ticket, Err(CallTrouble::SignInAgain));
        };
        match core.access_token(self.io.now()) {
            Some(token) if !self.is_renewing() => {
                let token = Secret::from(token.to_owned());
                self.io.ask(Purpose::Call(ticket), request, Some(token));
            }
            None if renewed => self.called(ticket, Err(CallTrouble::SignInAgain)),
            _ => self.wait_for_tokens(ticket),
        }
    }

    fn wait_for_tokens(&mut self, ticket: u64) {
        if let Some(calling) = self.calls.iter_mut().find(|calling| calling.ticket == ticket) {
            (calling.waits, calling.renewed) = (true, true);
        }
        if let Some(refresh_token) = self.refresh_token() {
            self.renew(refresh_token);
        }
    }

    pub(super) fn call_answered(&mut self, ticket: u64, response: Option<Response>) {
        let Some(calling) = self.calls.iter().find(|calling| calling.ticket == ticket) else {
            return;
        };
        let outcome = calls::outcome(response);
        let has_ended = outcome == Err(CallTrouble::SignInAgain) && calling.request.in_session;
        if has_ended && !calling.renewed && self.account().is_some() {
            self.wait_for_tokens(ticket);
        } else {
            self.called(ticket, outcome);
        }
    }

    fn called(&mut self, ticket: u64, outcome: Result<String, CallTrouble>) {
        self.calls.retain(|calling| calling.ticket != ticket);
        self.io.to_views(vec![FromCore::Called { ticket, outcome }]);
    }

    /// With a token that may have expired: it still says whose work it is.
    pub(super) fn hand_in(&mut self, account: AccountId, access_token: String, work: &HandIn) {
        let request = Request {
            method: Method::Post,
            path: "/late-work".to_owned(),
            body: Secret::json(work),
            in_session: true,
            once: true,
        };
        let token = Secret::from(access_token);
        self.io.ask(Purpose::HandIn(account), request, Some(token));
    }

    pub(super) fn hand_in_answered(&mut self, account: AccountId, response: Option<Response>) {
        let kept = response
            .as_ref()
            .filter(|response| response.status == 200)
            .and_then(|response| calls::read::<Kept>(&response.body));
        let answer = match (kept, response) {
            // It says whose work it is about; whoever is here now need not hand it in again.
            (Some(kept), _) => HandInAnswer::Kept(kept),
            _ if self.account() != Some(account) => return,
            (None, response) => match response.and_then(|response| response.code()).as_deref() {
                Some(codes::DEVICE_LOST) => return self.event(Event::DeviceLost),
                Some(codes::STILL_MEMBER) => HandInAnswer::StillMember,
                Some(codes::NOT_SIGNED_IN) => HandInAnswer::TooLate,
                _ => HandInAnswer::Unreachable,
            },
        };
        let dice = u32::from_le_bytes(self.random());
        self.event(Event::HandedIn { answer, dice });
    }

    /// Whoever asked is gone: their answers are for nobody who comes after them.
    pub(super) fn end_calls(&mut self) {
        let of_session = self.calls.iter().filter(|calling| calling.request.in_session);
        let tickets: Vec<u64> = of_session.map(|calling| calling.ticket).collect();
        for ticket in tickets {
            self.called(ticket, Err(CallTrouble::SignInAgain));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]
mod tests {
    use super::*;
    use crate::host::runner::Input;
    use crate::host::{Call, Deed, Entrance, SignInTrouble, ToCore};
    use local_core::StoreError;
    use rusqlite::Connection;
    use shared_model::accounts::SignedIn;
    use shared_model::commands::RegisterClient;
    use shared_model::ids::{ClientId, ClinicId};
    use shared_model::permissions::{Principal, Role};
    use shared_model::time::Timestamp;
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;
    use uuid::Uuid;

    /// What the runner asked for, and what it told the views.
    #[derive(Default)]
    struct Seen {
        now: Cell<i64>,
        socket: Cell<u64>,
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

        fn windows(&self) -> usize {
            1
        }

        fn hands_over(&self) -> bool {
            false
        }

        fn open_socket(&mut self, number: u64) {
            self.socket.set(number);
        }

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

    /// A device of which nothing outlives the story.
    struct InMemory;

    impl Files for InMemory {
        fn exists(&self, _: &str) -> bool {
            false
        }

        fn open(&self, _: &str) -> Result<Connection, StoreError> {
            Ok(Connection::open_in_memory()?)
        }

        fn delete(&self, _: &str) -> Result<(), StoreError> {
            Ok(())
        }
    }

    type Device = Runner<InMemory, Rc<Seen>>;

    const ANA: AccountId = AccountId(Uuid::from_u128(2));
    const TEN_MINUTES: i64 = 600_000;

    /// A vet's device, whose tokens are good for ten minutes.
    fn device() -> (Device, Rc<Seen>) {
        let seen = Rc::<Seen>::default();
        let mut runner = Runner::start(InMemory, Rc::clone(&seen)).unwrap();
        runner.asked(ToCore::SignIn(Entrance::Password {
            email: "ana@example.com".to_owned(),
            password: "lantern".to_owned().into(),
            clinic: None,
        }));
        answer(
            &mut runner,
            Purpose::SignIn(1),
            200,
            &session("first", TEN_MINUTES),
        );
        assert_eq!(seen.signed_in.take(), [Ok(())]);
        seen.asked.borrow_mut().clear();
        (runner, seen)
    }

    fn session(token: &str, expires: i64) -> String {
        session_of(ANA, ClinicId(Uuid::from_u128(1)), token, expires)
    }

    fn session_of(account: AccountId, clinic: ClinicId, token: &str, expires: i64) -> String {
        let session = SignedIn {
            access_token: token.to_owned(),
            expires_at: Timestamp(expires),
            refresh_token: format!("{token} refresh"),
            principal: Principal {
                account,
                clinic,
                roles: vec![Role::Veterinarian],
                client: None,
                name: "Ana Moreno".to_owned(),
            },
            memberships: Vec::new(),
            device_key: String::new(),
        };
        serde_json::to_string(&session).unwrap()
    }

    fn answer(runner: &mut Device, purpose: Purpose, status: u16, body: &str) {
        let response = Response {
            status,
            retry_after: None,
            body: body.to_owned(),
        };
        runner.input(Input::Response(purpose, Some(response)));
    }

    fn call(runner: &mut Device, ticket: u64, request: Request) {
        runner.input(Input::FromViews(ToCore::Call { ticket, request }));
    }

    fn token(word: &str) -> Option<Secret> {
        Some(word.to_owned().into())
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
        runner.input(Input::SocketOpened(seen.socket.get()));
        assert_eq!(
            seen.asked.take(),
            [(Purpose::Renew(ANA, 1), "/refresh".to_owned(), None)]
        );
        answer(
            &mut runner,
            Purpose::Renew(ANA, 1),
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
    fn an_answer_to_a_former_sign_in_ends_nothing_of_the_new_one() {
        for (status, body) in [(401, String::new()), (200, session("former's", 2 * TEN_MINUTES))] {
            let (mut runner, seen) = device();
            let unknown = r#"{"code":"not_signed_in"}"#;
            call(&mut runner, 1, Call::me().request);
            answer(&mut runner, Purpose::Call(1), 401, unknown);
            let former = seen.asked.take()[1].0;
            assert_eq!(former, Purpose::Renew(ANA, 1));
            runner.asked(ToCore::SignIn(Entrance::Password {
                email: "ana@example.com".to_owned(),
                password: "lantern".to_owned().into(),
                clinic: None,
            }));
            seen.asked.borrow_mut().clear();
            let anew = session("anew", 3 * TEN_MINUTES);
            answer(&mut runner, Purpose::SignIn(2), 200, &anew);
            let asked = seen.asked.take();
            assert_eq!(
                asked,
                [(Purpose::Call(1), "/me".to_owned(), token("anew"))],
                "who waited has the new ones"
            );
            answer(&mut runner, former, status, &body);
            assert_eq!(seen.called.take(), []);
            call(&mut runner, 2, Call::staff().request);
            let asked = seen.asked.take();
            assert_eq!(asked[0].2, token("anew"), "{status}");
            // And tokens are renewed as before.
            answer(&mut runner, Purpose::Call(2), 401, unknown);
            assert_eq!(seen.asked.take()[0].0, Purpose::Renew(ANA, 2));
        }
    }

    #[test]
    fn a_sign_in_that_the_records_refuse_ends_nothing_of_the_session() {
        let ben = AccountId(Uuid::from_u128(3));
        for account in [ANA, ben] {
            let (mut runner, seen) = device();
            // Work that waits keeps another clinic's people out.
            let command = RegisterClient {
                client: ClientId(Uuid::from_u128(7)),
                given_name: "Petra".to_owned(),
                family_name: "Novak".to_owned(),
                phone: None,
                email: None,
                address: String::new(),
                preferred_channel: None,
            };
            let command = command.into();
            runner.input(Input::FromViews(ToCore::Command { ticket: 1, command }));
            call(&mut runner, 2, Call::me().request);
            answer(&mut runner, Purpose::Call(2), 401, r#"{"code":"not_signed_in"}"#);
            let renewal = Purpose::Renew(ANA, 1);
            assert_eq!(seen.asked.borrow().last().unwrap().0, renewal);

            runner.asked(ToCore::SignIn(Entrance::Password {
                email: "ana@example.com".to_owned(),
                password: "lantern".to_owned().into(),
                clinic: None,
            }));
            let elsewhere = ClinicId(Uuid::from_u128(9));
            let session_there = session_of(account, elsewhere, "elsewhere", 3 * TEN_MINUTES);
            answer(&mut runner, Purpose::SignIn(2), 200, &session_there);
            let said = seen.signed_in.take();
            assert!(
                matches!(said[..], [Err(SignInTrouble::WorkWaits { waiting: 1, .. })]),
                "{said:?}"
            );
            assert_eq!(seen.called.take(), [], "she still waits");
            answer(&mut runner, renewal, 200, &session("second", 3 * TEN_MINUTES));
            assert_eq!(
                seen.asked.take().last(),
                Some(&(Purpose::Call(2), "/me".to_owned(), token("second")))
            );
            answer(&mut runner, Purpose::Call(2), 200, "{}");
            assert_eq!(seen.called.take(), [(2, Ok("{}".to_owned()))]);
        }
    }

    #[test]
    fn a_token_that_the_server_does_not_know_is_renewed_and_the_call_repeated_once() {
        let (mut runner, seen) = device();
        let unknown = r#"{"code":"not_signed_in"}"#;
        call(&mut runner, 1, Call::me().request);
        answer(&mut runner, Purpose::Call(1), 401, unknown);
        answer(
            &mut runner,
            Purpose::Renew(ANA, 1),
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
            answer(&mut runner, Purpose::Renew(ANA, 1), status, "");
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
        answer(
            &mut runner,
            Purpose::Renew(ANA, 1),
            401,
            r#"{"code":"sign_in_again"}"#,
        );
        let asked = seen.asked.take();
        assert_eq!(
            asked.last(),
            Some(&(Purpose::HandIn(ANA), "/late-work".to_owned(), token("first"))),
            "with the last token, though it has expired"
        );
        answer(
            &mut runner,
            Purpose::HandIn(ANA),
            409,
            r#"{"code":"still_member"}"#,
        );
        assert!(runner.account().is_some(), "only the session has ended");
        let kept = Kept {
            account: ANA,
            clinic: ClinicId(Uuid::from_u128(1)),
            has_left: true,
            hashes: Vec::new(),
            authors_left: Vec::new(),
        };
        answer(
            &mut runner,
            Purpose::HandIn(ANA),
            200,
            &serde_json::to_string(&kept).unwrap(),
        );
        assert!(runner.core.is_none(), "the records are gone");
    }

    #[test]
    fn whoever_belongs_to_several_clinics_is_asked_which() {
        let (mut runner, seen) = device();
        let clinic = Uuid::from_u128(4);
        let body = format!(
            r#"{{"code":"choose_clinic","memberships":[{{"clinic":"{clinic}","clinic_name":"Southgate","roles":["viewer"],"client":null}}]}}"#
        );
        answer(&mut runner, Purpose::SignIn(2), 409, &body);
        let said = seen.signed_in.take();
        let [Err(SignInTrouble::ChooseClinic(clinics))] = &said[..] else {
            panic!("{said:?}")
        };
        assert_eq!(clinics[0].clinic_name, "Southgate");
    }

    #[test]
    fn whoever_comes_from_a_provider_that_is_not_linked_is_asked_for_their_account() {
        let (mut runner, seen) = device();
        runner.input(Input::FromViews(ToCore::SignIn(Entrance::Provider {
            code: Secret::from("code".to_owned()),
            verifier: Secret::from("verifier".to_owned()),
            clinic: None,
            full_name: String::new(),
            email: None,
            password: None,
        })));
        let asked = seen.asked.take();
        let [(purpose, path, None)] = &asked[..] else {
            panic!("{asked:?}")
        };
        assert_eq!(path, "/openid/finish");
        let body = r#"{"code":"not_linked","provider":"Acme","email":"ana@acme.example"}"#;
        answer(&mut runner, *purpose, 409, body);
        let said = seen.signed_in.take();
        let [Err(SignInTrouble::NotLinked(who))] = &said[..] else {
            panic!("{said:?}")
        };
        assert_eq!(
            (who.provider.as_str(), who.email.as_deref()),
            ("Acme", Some("ana@acme.example"))
        );
    }
}
