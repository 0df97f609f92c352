//! The second factors that somebody has: the list, new recovery codes, and taking one away.

use crate::api::me::account_of;
use crate::api::prove::has_proven;
use crate::api::request::{Asker, At, Body};
use crate::api::sign_in::note_everywhere;
use crate::error::ApiError;
use crate::identity::mint_recovery_codes;
use crate::mail::Letter;
use crate::server::AppState;
use crate::storage::people::{StoredPasskey, TakenAway, Unneeded};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use shared_model::second_factor::{AskProven, Factors, Passkey, RecoveryCodes};
use shared_model::trail::Happening;
use uuid::Uuid;

pub(crate) async fn factors(State(state): State<AppState>, asker: Asker) -> Result<Json<Factors>, ApiError> {
    let people = state.storage.people();
    let account = asker.principal.account;
    let stored = people.factors(account).await?;
    Ok(Json(Factors {
        totp_since: stored.totp.map(|totp| totp.since),
        recovery_codes: stored.recovery_codes,
        passkeys: stored.passkeys.into_iter().map(listed).collect(),
        demanded: people.needs_second_factor(account).await?,
        offers_passkeys: state.passkeys.is_some(),
    }))
}

pub(super) fn listed(stored: StoredPasskey) -> Passkey {
    Passkey {
        passkey: stored.passkey,
        name: stored.name,
        created_at: stored.created_at,
        last_used: stored.last_used,
    }
}

pub(crate) async fn new_recovery_codes(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<AskProven>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    has_proven(&state, &asker, &request.proven).await?;
    let account = account_of(&state, &asker).await?;
    let people = state.storage.people();
    let (codes, hashes) = mint_recovery_codes();
    let mail = state.letter_to(&account, Letter::RecoveryCodesRenewed);
    if !people.set_recovery_codes(account.account, hashes, mail).await? {
        return Err(ApiError::NotFound);
    }
    state.mails.written();
    let device = Some(asker.claims.device);
    note_everywhere(&state, account.account, device, Happening::RecoveryCodesRenewed);
    Ok(Json(RecoveryCodes { codes }))
}

pub(crate) async fn remove_totp(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<AskProven>,
) -> Result<StatusCode, ApiError> {
    has_proven(&state, &asker, &request.proven).await?;
    take_away(&state, &asker, Unneeded::Totp).await
}

pub(crate) async fn remove_passkey(
    State(state): State<AppState>,
    asker: Asker,
    At(passkey): At<Uuid>,
    Body(request): Body<AskProven>,
) -> Result<StatusCode, ApiError> {
    has_proven(&state, &asker, &request.proven).await?;
    take_away(&state, &asker, Unneeded::Passkey(passkey)).await
}

async fn take_away(state: &AppState, asker: &Asker, what: Unneeded) -> Result<StatusCode, ApiError> {
    let account = account_of(state, asker).await?;
    let mail = state.letter_to(&account, Letter::SecondFactorRemoved);
    match state
        .storage
        .people()
        .take_away(account.account, what, mail, Vec::new())
        .await?
    {
        TakenAway::Done => {}
        TakenAway::NoSuch => return Err(ApiError::NotFound),
        TakenAway::Last => return Err(ApiError::LastSecondFactor),
    }
    state.mails.written();
    tracing::info!(account = %account.account, ?what, "took a second factor away");
    let device = Some(asker.claims.device);
    note_everywhere(state, account.account, device, Happening::SecondFactorRemoved);
    Ok(StatusCode::NO_CONTENT)
}
