//! What views ask of the clinic's server beside the records: accounts, devices, invitations, clinics, late work.
//!
//! Place in the flow: beside it. A call travels to the core's side, which adds the token, and comes back as an answer or as
//! the reason why there is none. Invariants: nothing is asked for that `shared_model` does not describe; no
//! address and no log has a secret in it.

use super::{Secret, Step};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use shared_model::accounts::{
    ChangeMe, ChangeRoles, Clinic, Device, FollowLink, ForgotPassword, Invitation, Invite, Invited, Me,
    Member, NameDevice, OpenClinic, ResetPassword, codes,
};
use shared_model::ids::{AccountId, DeviceId, InvitationId};
use shared_model::late_work::{Decide, LateWorkCount, LateWorkPage};
use shared_model::second_factor;
use shared_model::trail::{TrailChanges, TrailPage};
use shared_model::ways_in;
use std::marker::PhantomData;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A call as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(super) method: Method,
    /// Below `/api/v1`.
    pub(super) path: String,
    /// JSON, or nothing.
    pub(super) body: Secret,
    /// Made in the name of whoever is signed in; the others rest on what a mail brought.
    pub(super) in_session: bool,
    /// Nobody asks the same again: the answer is not kept for who comes back to a screen.
    pub(super) once: bool,
}

impl Request {
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// It changes nothing at the clinic.
    pub(super) fn only_asks(&self) -> bool {
        self.method == Method::Get
    }
}

/// A request whose answer is an `A`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call<A> {
    pub(crate) request: Request,
    answer: PhantomData<A>,
}

/// A call that does something; what is answered says no more than that it is done.
pub(crate) type Deed = Call<IgnoredAny>;

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CallTrouble {
    Unreachable,
    /// Seconds until the next try.
    SlowDown(u64),
    /// The session has ended.
    SignInAgain,
    /// Which of the two is wrong is not told.
    WrongCredentials,
    WeakPassword,
    NoMembership,
    DeviceLost,
    LinkNoLongerValid,
    LastAdministrator,
    /// The provider's account is linked with another account here.
    LinkedElsewhere,
    /// Nobody could sign in with the account any more.
    LastWayIn,
    /// The sign-in provider said no, or was not believed.
    ProviderRefused,
    ProviderAway,
    /// Right so far: what is to be shown or set up next.
    SecondStep(Step),
    WrongCode,
    /// A clinic asks for a second factor: the last one stays.
    LastSecondFactor,
    PasskeyRefused,
    /// The server cannot have any.
    NoPasskeys,
    /// The provider does not show that somebody signed in there just now.
    NotAnew,
    /// Somebody signed in there with another account than the one that is linked.
    NotTheLinked,
    /// Whoever has a password shows who they are with it alone.
    PasswordNeeded,
    /// The server has no way to send mail.
    NoMail,
    NotPermitted,
    NotFound,
    BadRequest,
    /// The server answered in a way that this build does not understand.
    Odd,
}

impl CallTrouble {
    /// It may be done all the same: the answer was lost on its way, or cannot be read.
    pub(crate) fn leaves_open_whether_done(&self) -> bool {
        matches!(self, Self::Unreachable | Self::Odd)
    }

    /// It says of whoever asks that they may not, or no more: what they were told before is not for them either.
    pub(crate) fn is_of_who_asks(&self) -> bool {
        matches!(
            self,
            Self::SignInAgain | Self::NoMembership | Self::DeviceLost | Self::NotPermitted | Self::NotFound
        )
    }
}

/// What the server said.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) retry_after: Option<u64>,
    pub(super) body: String,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
}

impl Response {
    /// The code of the problem, if it is one.
    pub(super) fn code(&self) -> Option<String> {
        let problem: Problem = serde_json::from_str(&self.body).ok()?;
        Some(problem.code)
    }
}

/// The answer's body, or why there is none; no response at all if the server could not be reached.
pub(super) fn outcome(response: Option<Response>) -> Result<String, CallTrouble> {
    let Some(response) = response else {
        return Err(CallTrouble::Unreachable);
    };
    Err(match response.status {
        200..=299 => return Ok(response.body),
        429 => CallTrouble::SlowDown(response.retry_after.unwrap_or(30)),
        status => match response.code().unwrap_or_default().as_str() {
            codes::NOT_SIGNED_IN | codes::SIGN_IN_AGAIN => CallTrouble::SignInAgain,
            codes::WRONG_CREDENTIALS => CallTrouble::WrongCredentials,
            codes::WEAK_PASSWORD => CallTrouble::WeakPassword,
            codes::NO_MEMBERSHIP => CallTrouble::NoMembership,
            codes::DEVICE_LOST => CallTrouble::DeviceLost,
            codes::LINK_NO_LONGER_VALID => CallTrouble::LinkNoLongerValid,
            codes::LAST_ADMINISTRATOR => CallTrouble::LastAdministrator,
            ways_in::codes::LINKED_ELSEWHERE => CallTrouble::LinkedElsewhere,
            ways_in::codes::LAST_WAY_IN => CallTrouble::LastWayIn,
            ways_in::codes::PROVIDER_REFUSED => CallTrouble::ProviderRefused,
            ways_in::codes::PROVIDER_AWAY => CallTrouble::ProviderAway,
            code @ (second_factor::codes::SECOND_FACTOR | second_factor::codes::SECOND_FACTOR_TO_SET_UP) => {
                match Step::read(code, &response.body) {
                    Some(step) => CallTrouble::SecondStep(step),
                    None => CallTrouble::Odd,
                }
            }
            second_factor::codes::WRONG_CODE => CallTrouble::WrongCode,
            second_factor::codes::LAST_SECOND_FACTOR => CallTrouble::LastSecondFactor,
            second_factor::codes::PASSKEY_REFUSED => CallTrouble::PasskeyRefused,
            second_factor::codes::NO_PASSKEYS => CallTrouble::NoPasskeys,
            ways_in::codes::NOT_ANEW => CallTrouble::NotAnew,
            ways_in::codes::NOT_THE_LINKED => CallTrouble::NotTheLinked,
            ways_in::codes::PASSWORD_NEEDED => CallTrouble::PasswordNeeded,
            codes::NO_MAIL => CallTrouble::NoMail,
            codes::NOT_PERMITTED => CallTrouble::NotPermitted,
            codes::NOT_FOUND => CallTrouble::NotFound,
            codes::BAD_REQUEST => CallTrouble::BadRequest,
            codes::UNAVAILABLE => CallTrouble::Unreachable,
            // Whatever stands before the server speaks for it.
            _ if (502..=504).contains(&status) => CallTrouble::Unreachable,
            _ => CallTrouble::Odd,
        },
    })
}

/// Reads an answer's body. A deed may have none.
pub(crate) fn read<A: DeserializeOwned>(body: &str) -> Option<A> {
    serde_json::from_str(if body.is_empty() { "null" } else { body }).ok()
}

impl<A> Call<A> {
    pub(super) fn new(method: Method, path: impl Into<String>, body: Secret) -> Self {
        Self {
            request: Request {
                method,
                path: path.into(),
                body,
                in_session: true,
                once: false,
            },
            answer: PhantomData,
        }
    }

    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path, Secret::default())
    }

    fn once(mut self) -> Self {
        self.request.once = true;
        self
    }

    /// Without a session: what a mail or a stranger brings is enough.
    pub(super) fn open(mut self) -> Self {
        self.request.in_session = false;
        self
    }
}

impl Call<Me> {
    pub(crate) fn me() -> Self {
        Self::get("/me")
    }
}

/// Whose devices are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Mine,
    Of(AccountId),
}

impl Whose {
    fn devices(self) -> String {
        match self {
            Self::Mine => "/me/devices".to_owned(),
            Self::Of(account) => format!("/staff/{account}/devices"),
        }
    }
}

impl Call<Vec<Device>> {
    pub(crate) fn devices(whose: Whose) -> Self {
        Self::get(whose.devices())
    }
}

impl Call<Vec<Member>> {
    pub(crate) fn staff() -> Self {
        Self::get("/staff")
    }

    pub(crate) fn owners() -> Self {
        Self::get("/owners")
    }
}

impl Call<Vec<Invitation>> {
    pub(crate) fn invitations() -> Self {
        Self::get("/invitations")
    }
}

impl Call<Invitation> {
    pub(crate) fn invite(invite: &Invite) -> Self {
        Self::new(Method::Post, "/invitations", Secret::json(invite))
    }
}

impl Call<Vec<Clinic>> {
    pub(crate) fn clinics() -> Self {
        Self::get("/clinics")
    }
}

impl Call<LateWorkPage> {
    /// The oldest of it. What is behind comes when these are decided about.
    pub(crate) fn late_work() -> Self {
        Self::get("/late-work")
    }
}

impl Call<LateWorkCount> {
    pub(crate) fn late_work_count() -> Self {
        Self::get("/late-work/count")
    }
}

impl Call<TrailPage> {
    /// The latest lines of the trail that fit `wanted`, a query as `GET /audit` reads it.
    pub(crate) fn trail(wanted: &str) -> Self {
        Self::get(format!("/audit?{wanted}"))
    }

    /// What lies behind a page that ended with `cursor`, at most `limit` lines.
    pub(crate) fn earlier_trail(wanted: &str, cursor: Option<&str>, limit: usize) -> Self {
        let cursor = cursor
            .map(|cursor| format!("&cursor={cursor}"))
            .unwrap_or_default();
        Self::get(format!("/audit?limit={limit}{cursor}&{wanted}")).once()
    }
}

impl Call<TrailChanges> {
    /// What lines of the trail did to the one record that they are about.
    pub(crate) fn trail_changes(lines: &[String]) -> Self {
        Self::get(format!("/audit/changes?lines={}", lines.join(","))).once()
    }
}

impl Call<Invited> {
    pub(crate) fn look_at_invitation(token: Secret) -> Self {
        Self::new(
            Method::Post,
            "/invitations/look",
            Secret::json(&FollowLink {
                token: token.text().to_owned(),
            }),
        )
        .open()
    }
}

impl Deed {
    fn post(path: impl Into<String>, body: Secret) -> Self {
        Self::new(Method::Post, path, body)
    }

    pub(crate) fn change_me(full_name: String) -> Self {
        Self::new(Method::Patch, "/me", Secret::json(&ChangeMe { full_name }))
    }

    pub(crate) fn send_verification() -> Self {
        Self::post("/me/email/verification", Secret::default())
    }

    pub(crate) fn forgot_password(email: String) -> Self {
        Self::post("/password/forgot", Secret::json(&ForgotPassword { email })).open()
    }

    pub(crate) fn reset_password(token: Secret, password: String) -> Self {
        let body = ResetPassword {
            token: token.text().to_owned(),
            password,
        };
        Self::post("/password/reset", Secret::json(&body)).open()
    }

    pub(crate) fn verify_email(token: Secret) -> Self {
        Self::post(
            "/email/verify",
            Secret::json(&FollowLink {
                token: token.text().to_owned(),
            }),
        )
        .open()
    }

    /// One's own devices alone have names to give.
    pub(crate) fn name_device(device: DeviceId, name: String) -> Self {
        let path = format!("/me/devices/{device}");
        Self::new(Method::Patch, path, Secret::json(&NameDevice { name }))
    }

    pub(crate) fn sign_out_device(whose: Whose, device: DeviceId) -> Self {
        Self::post(
            format!("{}/{device}/sign-out", whose.devices()),
            Secret::default(),
        )
    }

    pub(crate) fn report_lost(whose: Whose, device: DeviceId) -> Self {
        Self::post(format!("{}/{device}/lost", whose.devices()), Secret::default())
    }

    pub(crate) fn found_again(whose: Whose, device: DeviceId) -> Self {
        let path = format!("{}/{device}/lost", whose.devices());
        Self::new(Method::Delete, path, Secret::default())
    }

    pub(crate) fn change_roles(account: AccountId, roles: &ChangeRoles) -> Self {
        Self::new(Method::Patch, format!("/staff/{account}"), Secret::json(roles))
    }

    pub(crate) fn end_membership(account: AccountId) -> Self {
        Self::new(Method::Delete, format!("/staff/{account}"), Secret::default())
    }

    pub(crate) fn withdraw(invitation: InvitationId) -> Self {
        Self::new(
            Method::Delete,
            format!("/invitations/{invitation}"),
            Secret::default(),
        )
    }

    pub(crate) fn send_again(invitation: InvitationId) -> Self {
        Self::post(format!("/invitations/{invitation}/again"), Secret::default())
    }

    pub(crate) fn decide_late_work(decide: &Decide) -> Self {
        Self::post("/late-work/decide", Secret::json(decide))
    }

    pub(crate) fn open_clinic(open: &OpenClinic) -> Self {
        Self::post("/clinics", Secret::json(open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_servers_codes_become_what_screens_have_words_for() {
        let check = |status, body: &str, expected| {
            let response = Response {
                status,
                retry_after: None,
                body: body.to_owned(),
            };
            assert_eq!(outcome(Some(response)), Err(expected), "{status} {body}");
        };
        check(400, r#"{"code":"weak_password"}"#, CallTrouble::WeakPassword);
        check(
            401,
            r#"{"title":"…","code":"wrong_credentials"}"#,
            CallTrouble::WrongCredentials,
        );
        check(401, r#"{"code":"not_signed_in"}"#, CallTrouble::SignInAgain);
        check(
            410,
            r#"{"code":"link_no_longer_valid"}"#,
            CallTrouble::LinkNoLongerValid,
        );
        check(
            409,
            r#"{"code":"last_administrator"}"#,
            CallTrouble::LastAdministrator,
        );
        check(429, "", CallTrouble::SlowDown(30));
        check(503, r#"{"code":"unavailable"}"#, CallTrouble::Unreachable);
        check(503, r#"{"code":"no_mail"}"#, CallTrouble::NoMail);
        check(503, r#"{"code":"provider_away"}"#, CallTrouble::ProviderAway);
        check(
            401,
            r#"{"code":"provider_refused"}"#,
            CallTrouble::ProviderRefused,
        );
        check(409, r#"{"code":"last_way_in"}"#, CallTrouble::LastWayIn);
        check(401, r#"{"code":"wrong_code"}"#, CallTrouble::WrongCode);
        check(401, r#"{"code":"passkey_refused"}"#, CallTrouble::PasskeyRefused);
        check(
            409,
            r#"{"code":"last_second_factor"}"#,
            CallTrouble::LastSecondFactor,
        );
        check(409, r#"{"code":"no_passkeys"}"#, CallTrouble::NoPasskeys);
        check(401, r#"{"code":"second_factor"}"#, CallTrouble::Odd);
        check(403, r#"{"code":"not_signed_in_anew"}"#, CallTrouble::NotAnew);
        check(
            403,
            r#"{"code":"not_the_linked_account"}"#,
            CallTrouble::NotTheLinked,
        );
        check(409, r#"{"code":"password_needed"}"#, CallTrouble::PasswordNeeded);
        check(502, "<h1>Bad gateway</h1>", CallTrouble::Unreachable);
        check(418, "a teapot", CallTrouble::Odd);
        check(400, r#"{"code":"of_a_later_version"}"#, CallTrouble::Odd);
        assert_eq!(outcome(None), Err(CallTrouble::Unreachable));
    }

    #[test]
    fn only_what_somebody_may_not_see_takes_away_what_they_saw() {
        let kept = [
            CallTrouble::Unreachable,
            CallTrouble::SlowDown(30),
            CallTrouble::BadRequest,
            CallTrouble::Odd,
        ];
        assert!(kept.iter().all(|why| !why.is_of_who_asks()));
        let gone = [
            CallTrouble::SignInAgain,
            CallTrouble::NotPermitted,
            CallTrouble::NotFound,
            CallTrouble::DeviceLost,
        ];
        assert!(gone.iter().all(CallTrouble::is_of_who_asks));
    }

    #[test]
    fn a_deed_is_done_whatever_was_answered() {
        assert_eq!(read::<IgnoredAny>(""), Some(IgnoredAny));
        assert_eq!(read::<IgnoredAny>(r#"{"anything":1}"#), Some(IgnoredAny));
        assert_eq!(read::<Vec<Clinic>>(""), None);
    }

    #[test]
    fn no_secret_is_in_an_address_or_shown() {
        let device = DeviceId(Uuid::from_u128(5));
        let deeds = [
            Deed::reset_password("hidden".to_owned().into(), "hidden".to_owned()),
            Deed::verify_email("hidden".to_owned().into()),
            Deed::report_lost(Whose::Mine, device),
        ];
        for deed in deeds {
            assert!(!deed.request.path.contains("hidden"));
            assert!(!format!("{deed:?}").contains("hidden"));
        }
    }
}
