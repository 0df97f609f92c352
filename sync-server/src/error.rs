//! What goes wrong in a request, as `application/problem+json` (RFC 9457). The code is for programs, the title for
//! people; causes inside the server are logged and not told.

use crate::storage::StorageError;
use crate::sync::NotPushed;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use shared_model::protocol::Goodbye;

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
    #[error("this account reads no clinic's documents")]
    NotPermitted,
    #[error("this account is not a member of a clinic here")]
    NoMembership,
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
    fn status(&self) -> StatusCode {
        match self {
            Self::WrongCredentials | Self::SignInAgain | Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::NoMembership | Self::NotPermitted => StatusCode::FORBIDDEN,
            Self::SlowDown { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadRequest { status, .. } => *status,
            Self::NotTaken(goodbye) => match goodbye {
                Goodbye::SignIn => StatusCode::UNAUTHORIZED,
                Goodbye::UpdateClient | Goodbye::UpdateServer | Goodbye::ForeignActor => StatusCode::CONFLICT,
                Goodbye::Malformed | Goodbye::OutOfOrder => StatusCode::BAD_REQUEST,
                Goodbye::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Goodbye::NotPermitted => StatusCode::FORBIDDEN,
                Goodbye::Later | Goodbye::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            },
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::WrongCredentials => "wrong_credentials",
            Self::SlowDown { .. } => "slow_down",
            Self::SignInAgain => "sign_in_again",
            Self::NotSignedIn => "not_signed_in",
            Self::NotPermitted => "not_permitted",
            Self::NoMembership => "no_membership",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::BadRequest { .. } => "bad_request",
            Self::NotTaken(goodbye) => match goodbye {
                Goodbye::SignIn => "not_signed_in",
                Goodbye::UpdateClient => "update_client",
                Goodbye::UpdateServer => "update_server",
                Goodbye::ForeignActor => "foreign_actor",
                Goodbye::Malformed | Goodbye::OutOfOrder => "bad_request",
                Goodbye::TooLarge => "too_large",
                Goodbye::NotPermitted => "not_permitted",
                Goodbye::Later | Goodbye::TooSlow => "unavailable",
            },
            Self::Unavailable(_) => "unavailable",
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
            Self::BadRequest { detail, .. } => problem["detail"] = json!(detail),
            Self::Unavailable(cause) => tracing::error!(%cause, "a request could not be served"),
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
