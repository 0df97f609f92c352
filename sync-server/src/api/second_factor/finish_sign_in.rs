//! Between the first factor and the sign-in.

use super::kept::{Kept, SetUp, SignInStep, fingerprint};
use super::passkey_refused;
use super::show::{Showing, show};
use crate::api::request::{Body, CameFrom};
use crate::api::sealed_step::use_up;
use crate::api::sign_in::{Arrival, sign_in_now};
use crate::error::ApiError;
use crate::identity::Asked;
use crate::server::AppState;
use crate::storage::people::StoredFactors;
use axum::Json;
use axum::extract::State;
use shared_model::accounts::SignedIn;
use shared_model::permissions::Principal;
use shared_model::second_factor::{FinishSignIn, SecondProof, SecondStep};
use shared_model::trail::CameSecondBy;

/// What somebody has to show next who has shown one factor; `None` if that is enough.
pub(crate) async fn next_step(
    state: &AppState,
    principal: &Principal,
    arrival: &Arrival,
) -> Result<Option<ApiError>, ApiError> {
    let (account, clinic) = (principal.account, principal.clinic);
    let people = state.storage.people();
    let factors = people.factors(account).await?;
    let is_asked = people.sign_in_rules(clinic).await?.asks(&principal.roles);
    if !factors.has_any() && !is_asked {
        return Ok(None);
    }
    let known = people.account(account).await?.ok_or(ApiError::NotSignedIn)?;
    let (options, passkey) = passkey_options(state, &factors)?;
    let set_up = if factors.has_any() {
        SetUp::NotAsked
    } else {
        SetUp::Asked
    };
    let kept = Kept::SignIn(SignInStep {
        arrival: arrival.clone(),
        passkey,
        set_up,
        password: fingerprint(&known),
    });
    let step = second_step(&factors, kept.keep(state).await?, options);
    Ok(Some(match set_up {
        SetUp::Asked => ApiError::SecondFactorToSetUp(step),
        SetUp::NotAsked | SetUp::Done => ApiError::SecondFactor(step),
    }))
}

pub(crate) fn second_step(factors: &StoredFactors, step: String, passkey: Option<String>) -> SecondStep {
    SecondStep {
        step,
        totp: factors.totp.is_some(),
        recovery_codes: factors.has_any() && factors.recovery_codes > 0,
        passkey,
    }
}

/// What a browser is asked for if there are passkeys, and what to remember of that.
pub(crate) fn passkey_options(
    state: &AppState,
    factors: &StoredFactors,
) -> Result<(Option<String>, Option<Asked>), ApiError> {
    let (Some(passkeys), false) = (&state.passkeys, factors.passkeys.is_empty()) else {
        return Ok((None, None));
    };
    let kept: Vec<Vec<u8>> = factors
        .passkeys
        .iter()
        .map(|one| one.public_key.clone())
        .collect();
    let (options, asked) = passkeys.ask_to_show(&kept).map_err(passkey_refused)?;
    Ok((Some(options), Some(asked)))
}

pub(crate) async fn finish_sign_in(
    State(state): State<AppState>,
    CameFrom(address): CameFrom,
    Body(request): Body<FinishSignIn>,
) -> Result<Json<SignedIn>, ApiError> {
    let (step, hash) = Kept::sign_in_step(&state, &request.step).await?;
    let showing = Showing {
        account: step.arrival.account,
        device: step.arrival.device,
        address,
        passkey: step.passkey.as_ref(),
        set_up: step.set_up,
    };
    show(&state, showing, &request.proof).await?;
    if state.storage.people().is_lost(step.arrival.device).await? {
        return Err(ApiError::DeviceLost);
    }
    use_up(&state, hash).await?;
    let second = match request.proof {
        SecondProof::Totp(_) | SecondProof::SetUp => CameSecondBy::Totp,
        SecondProof::RecoveryCode(_) => CameSecondBy::RecoveryCode,
        SecondProof::Passkey(_) => CameSecondBy::Passkey,
    };
    sign_in_now(&state, step.arrival, Some(second)).await
}

/// The step of somebody who has to set a factor up, and has not.
pub(super) async fn step_to_set_up(
    state: &AppState,
    token: &str,
) -> Result<(SignInStep, [u8; 32]), ApiError> {
    let (step, hash) = Kept::sign_in_step(state, token).await?;
    if step.set_up == SetUp::Asked {
        Ok((step, hash))
    } else {
        Err(ApiError::LinkNoLongerValid)
    }
}
