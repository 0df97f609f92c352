//! Who asks: the person behind the access token of a request.

use crate::error::ApiError;
use crate::identity::AccessClaims;
use crate::server::AppState;
use crate::sync::person_behind;
use axum::http::{HeaderMap, header};
use shared_model::permissions::Principal;

/// The bearer's claims, and what they are at the clinic now.
pub(super) async fn bearer(
    state: &AppState,
    headers: &HeaderMap,
) -> Result<(Principal, AccessClaims), ApiError> {
    let claims = token(headers)
        .and_then(|token| state.tokens.open(token, state.settings.clock.now()))
        .ok_or(ApiError::NotSignedIn)?;
    let principal = person_behind(state.storage.as_ref(), &claims)
        .await?
        .ok_or(ApiError::NotSignedIn)?;
    Ok((principal, claims))
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
