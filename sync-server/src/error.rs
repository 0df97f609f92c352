//! What goes wrong in a request, as `application/problem+json` (RFC 9457). The code is for programs, the title for
//! people; causes inside the server are logged and not told.

use crate::identity::{PasswordRefused, RolesRefused};
use crate::invite::InviteError;
use crate::storage::StorageError;
use crate::sync::NotPushed;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use shared_model::accounts::{Membership, codes};
use shared_model::protocol::Goodbye;
use shared_model::second_factor::{self, SecondStep};
use shared_model::ways_in::{self, NotLinked};
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// For a wrong password and an unknown name alike.
    #[error("the e-mail address and the password do not belong together")]
    WrongCredentials,
    #[error("that was too much at once: try again later")]
    SlowDown { seconds: u64 },
    #[error("the refresh token is not valid (any more): sign in")]
    SignInAgain,
    #[error("the access token is not valid (any more)")]
    NotSignedIn,
    #[error("this account may not do that here")]
    NotPermitted,
    #[error("this page may not ask this server")]
    ForeignOrigin,
    #[error("this account is not a member of a clinic here")]
    NoMembership,
    #[error("this account still belongs to the clinic: sign in, and push")]
    StillMember,
    #[error("this account belongs to several clinics: say which")]
    ChooseClinic(Vec<Membership>),
    #[error("this device was reported lost")]
    DeviceLost,
    #[error("a second factor is asked for")]
    SecondFactor(SecondStep),
    #[error("this clinic asks its staff for a second factor: set one up")]
    SecondFactorToSetUp(SecondStep),
    #[error("this code is wrong, was used, or is over")]
    WrongCode,
    #[error("this passkey is not known here, or does not fit")]
    PasskeyRefused,
    #[error("passkeys need an address with a name, and TLS")]
    NoPasskeys,
    #[error("a clinic of this account asks for a second factor: the last one stays")]
    LastSecondFactor,
    #[error("this password is guessed soon: choose a longer one, or more uncommon words")]
    WeakPassword,
    #[error("this link is not valid (any more)")]
    LinkNoLongerValid,
    #[error("a clinic keeps at least one administrator")]
    LastAdministrator,
    #[error("no account here is linked with this one of the provider's")]
    NotLinked(NotLinked),
    #[error("this account of the provider's is linked with another account here")]
    LinkedElsewhere,
    #[error("without this nobody could sign in with the account any more: choose a password first")]
    LastWayIn,
    #[error("the provider did not let you in")]
    ProviderRefused,
    #[error(
        "the provider does not show that you signed in there just now: choose a password by mail instead"
    )]
    NotAnew,
    #[error("this account of the provider's is not the one that is linked")]
    NotTheLinked,
    #[error("this account has a password: it is needed here")]
    PasswordNeeded,
    #[error("the provider cannot be reached: try again")]
    ProviderAway,
    #[error("this server has no way to send mail: whoever runs it has to name a mail server")]
    NoMail,
    #[error("there is nothing at this address")]
    NotFound,
    #[error("this address does not take this method")]
    MethodNotAllowed,
    #[error("the request is not of the form that is expected here")]
    BadRequest { status: StatusCode, detail: String },
    #[error("{0}")]
    NotTaken(Goodbye),
    #[error("the server cannot reach its database: try again")]
    Unavailable(StorageError),
}

impl ApiError {
    /// Somebody has asked for too much.
    pub(crate) fn slow_down(wait: Duration) -> Self {
        Self::SlowDown {
            seconds: wait.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX),
        }
    }

    /// A request that is JSON of the right form, and still cannot be meant.
    pub(crate) fn cannot_be(detail: &str) -> Self {
        Self::BadRequest {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail: detail.to_owned(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::WrongCredentials
            | Self::SecondFactor(_)
            | Self::SecondFactorToSetUp(_)
            | Self::WrongCode
            | Self::PasskeyRefused
            | Self::SignInAgain
            | Self::NotSignedIn
            | Self::ProviderRefused => StatusCode::UNAUTHORIZED,
            Self::NoMembership
            | Self::NotPermitted
            | Self::ForeignOrigin
            | Self::DeviceLost
            | Self::NotAnew
            | Self::NotTheLinked => StatusCode::FORBIDDEN,
            Self::ChooseClinic(_)
            | Self::LastAdministrator
            | Self::NotLinked(_)
            | Self::LinkedElsewhere
            | Self::LastWayIn
            | Self::LastSecondFactor
            | Self::NoPasskeys
            | Self::PasswordNeeded
            | Self::StillMember => StatusCode::CONFLICT,
            Self::WeakPassword => StatusCode::UNPROCESSABLE_ENTITY,
            Self::LinkNoLongerValid => StatusCode::GONE,
            Self::SlowDown { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadRequest { status, .. } => *status,
            Self::NotTaken(goodbye) => match goodbye {
                Goodbye::SignIn => StatusCode::UNAUTHORIZED,
                Goodbye::UpdateClient | Goodbye::UpdateServer | Goodbye::ForeignActor => StatusCode::CONFLICT,
                Goodbye::Malformed | Goodbye::OutOfOrder => StatusCode::BAD_REQUEST,
                Goodbye::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Goodbye::NotPermitted | Goodbye::Purge => StatusCode::FORBIDDEN,
                Goodbye::Later | Goodbye::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            },
            Self::Unavailable(_) | Self::NoMail | Self::ProviderAway => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::WrongCredentials => codes::WRONG_CREDENTIALS,
            Self::SecondFactor(_) => second_factor::codes::SECOND_FACTOR,
            Self::SecondFactorToSetUp(_) => second_factor::codes::SECOND_FACTOR_TO_SET_UP,
            Self::WrongCode => second_factor::codes::WRONG_CODE,
            Self::PasskeyRefused => second_factor::codes::PASSKEY_REFUSED,
            Self::NoPasskeys => second_factor::codes::NO_PASSKEYS,
            Self::LastSecondFactor => second_factor::codes::LAST_SECOND_FACTOR,
            Self::SlowDown { .. } => codes::SLOW_DOWN,
            Self::SignInAgain => codes::SIGN_IN_AGAIN,
            Self::NotSignedIn => codes::NOT_SIGNED_IN,
            Self::NotPermitted | Self::ForeignOrigin => codes::NOT_PERMITTED,
            Self::NoMembership => codes::NO_MEMBERSHIP,
            Self::StillMember => codes::STILL_MEMBER,
            Self::ChooseClinic(_) => codes::CHOOSE_CLINIC,
            Self::DeviceLost => codes::DEVICE_LOST,
            Self::WeakPassword => codes::WEAK_PASSWORD,
            Self::LinkNoLongerValid => codes::LINK_NO_LONGER_VALID,
            Self::LastAdministrator => codes::LAST_ADMINISTRATOR,
            Self::NotLinked(_) => ways_in::codes::NOT_LINKED,
            Self::LinkedElsewhere => ways_in::codes::LINKED_ELSEWHERE,
            Self::LastWayIn => ways_in::codes::LAST_WAY_IN,
            Self::ProviderRefused => ways_in::codes::PROVIDER_REFUSED,
            Self::NotAnew => ways_in::codes::NOT_ANEW,
            Self::NotTheLinked => ways_in::codes::NOT_THE_LINKED,
            Self::PasswordNeeded => ways_in::codes::PASSWORD_NEEDED,
            Self::ProviderAway => ways_in::codes::PROVIDER_AWAY,
            Self::NoMail => codes::NO_MAIL,
            Self::NotFound => codes::NOT_FOUND,
            Self::MethodNotAllowed => "method_not_allowed",
            Self::BadRequest { .. } => codes::BAD_REQUEST,
            Self::NotTaken(goodbye) => match goodbye {
                Goodbye::SignIn => codes::NOT_SIGNED_IN,
                Goodbye::Purge => codes::DEVICE_LOST,
                Goodbye::UpdateClient => "update_client",
                Goodbye::UpdateServer => "update_server",
                Goodbye::ForeignActor => "foreign_actor",
                Goodbye::Malformed | Goodbye::OutOfOrder => codes::BAD_REQUEST,
                Goodbye::TooLarge => "too_large",
                Goodbye::NotPermitted => codes::NOT_PERMITTED,
                Goodbye::Later | Goodbye::TooSlow => codes::UNAVAILABLE,
            },
            Self::Unavailable(_) => codes::UNAVAILABLE,
        }
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        Self::Unavailable(error)
    }
}

impl From<Goodbye> for ApiError {
    fn from(goodbye: Goodbye) -> Self {
        Self::NotTaken(goodbye)
    }
}

impl From<NotPushed> for ApiError {
    fn from(not: NotPushed) -> Self {
        match not {
            NotPushed::Goodbye(goodbye) => Self::NotTaken(goodbye),
            NotPushed::SlowDown { wait } => Self::SlowDown {
                seconds: wait.as_secs().max(1),
            },
            NotPushed::Storage(error) => Self::Unavailable(error),
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::BadRequest {
            status: rejection.status(),
            detail: rejection.body_text(),
        }
    }
}

impl From<PathRejection> for ApiError {
    /// An address with something else in it than an id is none of ours.
    fn from(_: PathRejection) -> Self {
        Self::NotFound
    }
}

impl From<RolesRefused> for ApiError {
    fn from(refused: RolesRefused) -> Self {
        match refused {
            RolesRefused::NoMember => Self::NotFound,
            RolesRefused::NotPermitted => Self::NotPermitted,
            RolesRefused::LastAdministrator => Self::LastAdministrator,
            RolesRefused::NoClient => Self::cannot_be("an owner has a client record"),
        }
    }
}

impl From<InviteError> for ApiError {
    fn from(error: InviteError) -> Self {
        Self::cannot_be(&error.to_string())
    }
}

impl From<PasswordRefused> for ApiError {
    fn from(refused: PasswordRefused) -> Self {
        match refused {
            PasswordRefused::Weak => Self::WeakPassword,
            PasswordRefused::TooLong => Self::cannot_be("the password has more bytes than are taken"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = (self.status(), self.code());
        let mut problem = json!({
            "type": format!("urn:problem:{code}"),
            "code": code,
            "title": self.to_string(),
            "status": status.as_u16(),
        });
        match &self {
            Self::BadRequest { detail, .. } => {
                // The detail can have in it what was sent.
                tracing::info!(code, "a request was refused");
                problem["detail"] = json!(detail);
            }
            Self::ChooseClinic(memberships) => problem["memberships"] = json!(memberships),
            Self::NotLinked(NotLinked { provider, email }) => {
                problem["provider"] = json!(provider);
                problem["email"] = json!(email);
            }
            Self::SecondFactor(step) | Self::SecondFactorToSetUp(step) => {
                problem["step"] = json!(step.step);
                problem["totp"] = json!(step.totp);
                problem["recovery_codes"] = json!(step.recovery_codes);
                problem["passkey"] = json!(step.passkey);
            }
            Self::Unavailable(cause) => tracing::error!(%cause, "a request could not be served"),
            // Mistakes look like this, and so does somebody who tries what is not theirs.
            Self::WrongCredentials | Self::NotPermitted | Self::LinkNoLongerValid => {
                tracing::warn!(code, "a request was refused");
            }
            _ => {}
        }
        let mut response = (status, problem.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Self::SlowDown { seconds } = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use serde_json::Value;

    #[tokio::test]
    async fn a_cause_inside_the_server_is_not_told() {
        let cause = StorageError::Failed("password authentication failed for user \"clinic\"".to_owned());
        let answer = ApiError::from(cause).into_response();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let body = to_bytes(answer.into_body(), 4_096).await.expect("a body");
        let problem: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(
            problem,
            json!({
                "type": "urn:problem:unavailable",
                "code": codes::UNAVAILABLE,
                "title": "the server cannot reach its database: try again",
                "status": 503,
            })
        );
    }
}
