//! Between the first factor and the sign-in.

use super::kept::{Kept, SetUp, SignInStep, use_up};
use super::passkey_refused;
use super::prove::{Showing, show};
use crate::api::request::{Body, CameFrom};
use crate::api::sign_in::sign_in_now;
use crate::error::ApiError;
use crate::identity::Asked;
use crate::server::AppState;
use crate::storage::people::StoredFactors;
use axum::Json;
use axum::extract::State;
use shared_model::accounts::SignedIn;
use shared_model::ids::{AccountId, DeviceId};
use shared_model::permissions::Principal;
use shared_model::second_factor::{FinishSignIn, SecondProof, SecondStep};
use shared_model::trail::{CameBy, CameSecondBy};

/// What somebody has to show next who has shown one factor; `None` if that is enough.
pub(crate) async fn next_step(
    state: &AppState,
    principal: &Principal,
    device: DeviceId,
    device_name: &str,
    came_by: CameBy,
) -> Result<Option<ApiError>, ApiError> {
    let (account, clinic) = (principal.account, principal.clinic);
    let people = state.storage.people();
    let factors = people.factors(account).await?;
    let is_asked = principal.is_staff() && people.sign_in_rules(clinic).await?.second_factor;
    if !factors.has_any() && !is_asked {
        return Ok(None);
    }
    let (options, passkey) = passkey_options(state, &factors)?;
    let set_up = if factors.has_any() {
        SetUp::NotAsked
    } else {
        SetUp::Asked
    };
    let kept = Kept::SignIn(SignInStep {
        account,
        clinic,
        device,
        device_name: device_name.to_owned(),
        came_by,
        passkey,
        set_up,
    });
    let step = second_step(&factors, kept.keep(state).await?, options);
    Ok(Some(match set_up {
        SetUp::Asked => ApiError::SecondFactorToSetUp(step),
        SetUp::NotAsked | SetUp::Done => ApiError::SecondFactor(step),
    }))
}

pub(super) fn second_step(factors: &StoredFactors, step: String, passkey: Option<String>) -> SecondStep {
    SecondStep {
        step,
        totp: factors.totp.is_some(),
        recovery_codes: factors.has_any() && factors.recovery_codes > 0,
        passkey,
    }
}

/// What a browser is asked for if there are passkeys, and what to remember of that.
pub(super) fn passkey_options(
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
        account: step.account,
        device: step.device,
        address,
        passkey: step.passkey.as_ref(),
        set_up: step.set_up,
    };
    show(&state, showing, &request.proof).await?;
    if state.storage.people().is_lost(step.device).await? {
        return Err(ApiError::DeviceLost);
    }
    use_up(&state, hash).await?;
    let second = match request.proof {
        SecondProof::Totp(_) | SecondProof::SetUp => CameSecondBy::Totp,
        SecondProof::RecoveryCode(_) => CameSecondBy::RecoveryCode,
        SecondProof::Passkey(_) => CameSecondBy::Passkey,
    };
    let SignInStep {
        account,
        clinic,
        device,
        device_name,
        came_by,
        ..
    } = step;
    sign_in_now(
        &state,
        account,
        clinic,
        device,
        &device_name,
        came_by,
        Some(second),
    )
    .await
}

/// The step of somebody who has to set a factor up, and has not.
pub(super) async fn step_to_set_up(
    state: &AppState,
    token: &str,
) -> Result<(SignInStep, [u8; 32], AccountId), ApiError> {
    let (step, hash) = Kept::sign_in_step(state, token).await?;
    if step.set_up != SetUp::Asked {
        return Err(ApiError::LinkNoLongerValid);
    }
    let account = step.account;
    Ok((step, hash, account))
}
