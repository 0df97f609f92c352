//! Whoever has no password shows at a provider, whose account is linked already, that it is they.

use super::begin::begin_for;
use super::fetch::fetch;
use super::step::Purpose;
use crate::api::me::account_of;
use crate::api::prove::SignInOf;
use crate::api::request::{Asker, Body};
use crate::api::sealed_step::use_up;
use crate::error::ApiError;
use crate::server::AppState;
use axum::extract::State;
use axum::response::Response;
use shared_model::ways_in::BeginOpenId;

pub(crate) async fn begin_proving(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<BeginOpenId>,
) -> Result<Response, ApiError> {
    has_no_password(&state, &asker).await?;
    begin_for(&state, request, Purpose::Prove(SignInOf::of(&asker))).await
}

async fn has_no_password(state: &AppState, asker: &Asker) -> Result<(), ApiError> {
    if account_of(state, asker).await?.has_password() {
        return Err(ApiError::PasswordNeeded);
    }
    Ok(())
}

/// Judges what came back from there, and uses it up.
pub(crate) async fn show_provider(
    state: &AppState,
    asker: &Asker,
    code: &str,
    verifier: &str,
) -> Result<(), ApiError> {
    has_no_password(state, asker).await?;
    let fetched = fetch(state, code, verifier).await?;
    use_up(state, fetched.hash).await?;
    if !matches!(fetched.purpose, Purpose::Prove(of) if of == SignInOf::of(asker)) {
        return Err(ApiError::LinkNoLongerValid);
    }
    let vouched = &fetched.vouched;
    let known = state
        .storage
        .people()
        .identity(&vouched.issuer, &vouched.subject)
        .await?;
    if known.is_some_and(|known| known.account == asker.principal.account) {
        Ok(())
    } else {
        Err(ApiError::NotTheLinked)
    }
}
