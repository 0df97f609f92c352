//! The browser is back from the provider with a code for us. It takes our own code on to the client.

use super::step::{Begun, Outcome, Returned, Step};
use super::{callback_address, trouble_of};
use crate::api::request::At;
use crate::error::ApiError;
use crate::identity::link_hash;
use crate::server::AppState;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shared_model::ways_in::{ReturnTo, SIGNED_IN_LINK};

/// Where alone the cookie is sent.
const COOKIE_PATH: &str = "/api/v1/openid/callback";
/// What stands for a code that leads nowhere.
const NO_CODE: &str = "none";

/// RFC 6749, 4.1.2, and RFC 9207.
#[derive(Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

pub(crate) async fn callback(
    State(state): State<AppState>,
    At(provider): At<String>,
    headers: HeaderMap,
    answer: Result<Query<Answer>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Ok(Query(answer)) = answer else {
        return Ok(to_page(&state, NO_CODE, HeaderMap::new()));
    };
    let name = cookie_name(link_hash(&answer.state));
    let begun = Step::take_begun(&state, &answer.state).await?;
    // Somebody who was sent a link by another does not sign in as that other.
    let is_own = |begun: &Begun| {
        let cookie = cookie_of(&headers, &name);
        begun.provider == provider && cookie.is_some() && begun.browser == cookie.map(link_hash)
    };
    let Some(begun) = begun.filter(is_own) else {
        tracing::warn!(
            "a browser came back from a sign-in provider with what was not begun in it, or too late"
        );
        return Ok(to_page(&state, NO_CODE, HeaderMap::new()));
    };
    let outcome = outcome(&state, &begun, answer).await;
    let returned = Returned {
        provider: begun.provider,
        challenge: begun.challenge,
        purpose: begun.purpose,
        outcome,
    };
    let code = Step::Returned(returned).keep(&state).await?;
    let mut headers = HeaderMap::new();
    headers.insert(SET_COOKIE, cookie(&state, &name, "", 0));
    Ok(match begun.return_to {
        ReturnTo::Page => to_page(&state, &code, headers),
        ReturnTo::Loopback(port) => redirect(&format!("http://127.0.0.1:{port}/?code={code}"), headers),
    })
}

async fn outcome(state: &AppState, begun: &Begun, answer: Answer) -> Outcome {
    let Some(provider) = state.providers.named(&begun.provider) else {
        return Outcome::Refused;
    };
    let is_of_provider = answer
        .iss
        .is_none_or(|issuer| issuer == provider.setting().issuer);
    let code = answer.code.filter(|_| answer.error.is_none() && is_of_provider);
    let Some(code) = code else {
        tracing::info!(provider = %begun.provider, "a sign-in provider sent a browser back without a code");
        return Outcome::Refused;
    };
    let (verifier, nonce) = (begun.verifier.clone(), begun.nonce.clone());
    let now = state.settings.clock.now();
    match provider
        .vouch(
            &callback_address(state, &begun.provider),
            code,
            verifier,
            nonce,
            begun.purpose.is_anew().then_some(begun.begun_at),
            now,
        )
        .await
    {
        Ok(vouched) => Outcome::Vouched(vouched),
        Err(trouble) => match trouble_of(provider, trouble) {
            ApiError::ProviderAway => Outcome::Away,
            ApiError::NotAnew => Outcome::NotAnew,
            _ => Outcome::Refused,
        },
    }
}

/// Back to the client's page, with a code that it alone can use.
pub(super) fn to_page(state: &AppState, code: &str, headers: HeaderMap) -> Response {
    let code = if code.is_empty() { NO_CODE } else { code };
    redirect(
        &format!("{}{SIGNED_IN_LINK}{code}", state.settings.public_address),
        headers,
    )
}

fn redirect(address: &str, mut headers: HeaderMap) -> Response {
    match HeaderValue::from_str(address) {
        Ok(address) => {
            headers.insert(LOCATION, address);
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Err(_) => ApiError::NotFound.into_response(),
    }
}

/// One of its own for each that was begun: two windows do not disturb each other.
fn cookie_name(hash: [u8; 32]) -> String {
    format!("openid-{}", hex::encode(&hash[..8]))
}

/// What binds a browser to what was begun in it.
pub(super) fn browser_cookie(state: &AppState, hash: [u8; 32], secret: &str) -> HeaderValue {
    cookie(state, &cookie_name(hash), secret, 600)
}

/// Sent when a provider sends the browser here (`Lax`), and read by no script.
fn cookie(state: &AppState, name: &str, value: &str, seconds: u32) -> HeaderValue {
    let secure = if state.settings.public_address.starts_with("https://") {
        "; Secure"
    } else {
        ""
    };
    HeaderValue::from_str(&format!(
        "{name}={value}; Path={COOKIE_PATH}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
    ))
    .expect("hexadecimal and base64 are header values")
}

fn cookie_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}
