//! Whom providers vouch for as this person: the list, and taking one away.

use crate::api::me::account_of;
use crate::api::prove::has_proven;
use crate::api::request::{Asker, At, Body};
use crate::api::sign_in::note_everywhere;
use crate::error::ApiError;
use crate::mail::Letter;
use crate::server::AppState;
use crate::storage::people::{NewIdentity, Unlinked};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use shared_model::second_factor::AskProven;
use shared_model::trail::Happening;
use shared_model::ways_in::LinkedIdentity;
use uuid::Uuid;

/// The provider's name for people; empty for one that is configured no more.
fn label(state: &AppState, identity: &NewIdentity) -> String {
    let provider = state.providers.of_issuer(&identity.issuer);
    provider
        .map(|one| one.setting().label.clone())
        .unwrap_or_default()
}

pub(crate) async fn identities(
    State(state): State<AppState>,
    asker: Asker,
) -> Result<Json<Vec<LinkedIdentity>>, ApiError> {
    let found = state.storage.people().identities(asker.principal.account).await?;
    let listed = found.into_iter().map(|identity| LinkedIdentity {
        identity: identity.identity,
        provider: label(&state, &identity),
        email: identity.profile.email,
        linked_at: identity.linked_at,
    });
    Ok(Json(listed.collect()))
}

pub(crate) async fn unlink(
    State(state): State<AppState>,
    asker: Asker,
    At(identity): At<Uuid>,
    Body(request): Body<AskProven>,
) -> Result<StatusCode, ApiError> {
    has_proven(&state, &asker, &request.proven).await?;
    let account = account_of(&state, &asker).await?;
    let people = state.storage.people();
    let all = people.identities(account.account).await?;
    let found = all.iter().find(|one| one.identity == identity);
    let provider = label(&state, found.ok_or(ApiError::NotFound)?);
    let mail = state.letter_to(&account, Letter::ProviderUnlinked { provider: &provider });
    match people.unlink_identity(account.account, identity, mail).await? {
        Unlinked::Done => {}
        Unlinked::NoSuch => return Err(ApiError::NotFound),
        Unlinked::LastWayIn => return Err(ApiError::LastWayIn),
    }
    state.mails.written();
    tracing::info!(account = %account.account, "took a sign-in provider's account away");
    let device = Some(asker.claims.device);
    note_everywhere(&state, account.account, device, Happening::ProviderUnlinked);
    Ok(StatusCode::NO_CONTENT)
}
