//! A client begins, and a browser is on its way to the provider.

use super::callback::{browser_cookie, to_page};
use super::step::{Begun, Purpose, Step};
use super::{callback_address, trouble_of};
use crate::api::prove::{SignInOf, has_proven};
use crate::api::request::{Asker, At, Body};
use crate::error::ApiError;
use crate::identity::{link_hash, mint_link, read_invitation_link};
use crate::server::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use shared_model::ways_in::{BeginLinking, BeginOpenId, OpenIdBegun, Provider, ReturnTo};

pub(crate) async fn providers(State(state): State<AppState>) -> Json<Vec<Provider>> {
    let offered = state.providers.all().iter().map(|provider| Provider {
        name: provider.setting().name.clone(),
        label: provider.setting().label.clone(),
    });
    Json(offered.collect())
}

pub(crate) async fn begin(
    State(state): State<AppState>,
    Body(request): Body<BeginOpenId>,
) -> Result<Response, ApiError> {
    let purpose = match &request.invitation {
        Some(token) if read_invitation_link(token).is_none() => return Err(ApiError::LinkNoLongerValid),
        Some(token) => Purpose::TakeUp(token.clone()),
        None => Purpose::SignIn,
    };
    begin_for(&state, request, purpose).await
}

/// Another way in is nothing that a device which lies open may give. What comes of it is for this sign-in alone.
pub(crate) async fn begin_linking(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<BeginLinking>,
) -> Result<Response, ApiError> {
    has_proven(&state, &asker, &request.proven).await?;
    begin_for(&state, request.begin, Purpose::Link(SignInOf::of(&asker))).await
}

pub(super) async fn begin_for(
    state: &AppState,
    request: BeginOpenId,
    purpose: Purpose,
) -> Result<Response, ApiError> {
    let provider = state
        .providers
        .named(&request.provider)
        .ok_or(ApiError::NotFound)?;
    let is_challenge = request.challenge.len() == 64
        && request
            .challenge
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if !is_challenge || request.return_to == ReturnTo::Loopback(0) {
        return Err(ApiError::cannot_be("no challenge, or no port"));
    }
    let (token, hash) = mint_link();
    let there = provider
        .send_there(
            &callback_address(state, &request.provider),
            &token,
            purpose.is_anew(),
        )
        .await
        .map_err(|trouble| trouble_of(provider, trouble))?;
    // The browser that begins is the page's own: it is bound at once. A program sends another one, which comes by first.
    let (browser, cookie, address) = match request.return_to {
        ReturnTo::Page => {
            let (secret, browser) = mint_link();
            let cookie = browser_cookie(state, hash, &secret);
            (Some(browser), Some(cookie), there.address.clone())
        }
        ReturnTo::Loopback(_) => {
            let address = format!("{}/api/v1/openid/go/{token}", state.settings.public_address);
            (None, None, address)
        }
    };
    let begun = Begun {
        provider: request.provider,
        address: there.address,
        nonce: there.nonce,
        verifier: there.verifier,
        challenge: request.challenge,
        purpose,
        return_to: request.return_to,
        browser,
        begun_at: state.settings.clock.now(),
    };
    Step::Begun(begun).keep_as(state, hash).await?;
    let mut headers = HeaderMap::new();
    if let Some(cookie) = cookie {
        headers.insert(SET_COOKIE, cookie);
    }
    Ok((headers, Json(OpenIdBegun { address })).into_response())
}

/// The browser that a program opened comes by: it gets its cookie and goes on to the provider.
pub(crate) async fn go(State(state): State<AppState>, At(token): At<String>) -> Result<Response, ApiError> {
    let begun = Step::take_begun(&state, &token).await?;
    let Some(begun) = begun.filter(|begun| begun.browser.is_none()) else {
        return Ok(to_page(&state, "", HeaderMap::new()));
    };
    let (secret, browser) = mint_link();
    let hash = link_hash(&token);
    let address = HeaderValue::from_str(&begun.address).map_err(|_| ApiError::ProviderAway)?;
    let begun = Begun {
        browser: Some(browser),
        ..begun
    };
    Step::Begun(begun).keep_as(&state, hash).await?;
    let cookie = browser_cookie(&state, hash, &secret);
    let headers = [(LOCATION, address), (SET_COOKIE, cookie)];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
