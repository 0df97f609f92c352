//! A page that has signed somebody in with the provider's own program comes in with the session token that it holds.
//!
//! Invariant: a token lets one in.

use super::trouble_of;
use crate::api::request::Body;
use crate::api::sealed_step;
use crate::api::sign_in::{Arrival, begin_sign_in, choose};
use crate::error::ApiError;
use crate::server::AppState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shared_model::accounts::SignedIn;
use shared_model::trail::CameBy;
use shared_model::ways_in::{EnterWithSession, NotLinked};

/// A session token has let somebody in.
#[derive(Serialize)]
struct Entered;

pub(crate) async fn enter_with_session(
    State(state): State<AppState>,
    Body(request): Body<EnterWithSession>,
) -> Result<Json<SignedIn>, ApiError> {
    let provider = state
        .providers
        .named(&request.provider)
        .filter(|provider| !provider.setting().authorized_parties.is_empty())
        .ok_or(ApiError::NotFound)?;
    let session = provider
        .vouch_for_session(&request.session_token, state.settings.clock.now())
        .await
        .map_err(|trouble| trouble_of(provider, trouble))?;
    let (people, vouched) = (state.storage.people(), &session.vouched);
    let known = people.identity(&vouched.issuer, &vouched.subject).await?;
    let Some(known) = known else {
        return Err(ApiError::NotLinked(NotLinked {
            provider: provider.setting().label.clone(),
            email: None,
        }));
    };
    if people.is_lost(request.device).await? {
        return Err(ApiError::DeviceLost);
    }
    let clinic = choose(&people.memberships(known.account).await?, request.clinic)?;
    // What asked for more has left it good; from here on it lets nobody else in.
    if !sealed_step::keep_new(&state, session.token, &Entered, session.until).await? {
        tracing::warn!(provider = %provider.setting().name, "a session token came a second time");
        return Err(ApiError::ProviderRefused);
    }
    let arrival = Arrival {
        account: known.account,
        clinic,
        device: request.device,
        device_name: request.device_name,
        came_by: CameBy::SessionToken,
        to_link: None,
    };
    begin_sign_in(&state, arrival).await
}
