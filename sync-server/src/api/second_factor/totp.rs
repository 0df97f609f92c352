//! An authenticator app is offered a secret, and shows with its first code that it has it.

use super::finish_sign_in::step_to_set_up;
use super::kept::{Kept, SetUp, To};
use crate::api::me::account_of;
use crate::api::prove::{SignInOf, has_proven};
use crate::api::request::{Asker, Body};
use crate::api::sealed_step::use_up;
use crate::api::sign_in::note_everywhere;
use crate::error::ApiError;
use crate::identity::{TOTP_SECRET, mint_recovery_codes, random, totp_address, totp_step};
use crate::mail::{Letter, host};
use crate::server::AppState;
use crate::storage::StorageError;
use crate::storage::people::{Account, Added, Factor, NewFactor, StoredTotp};
use axum::Json;
use axum::extract::State;
use qrcode::{Color, EcLevel, QrCode};
use shared_model::ids::{AccountId, DeviceId};
use shared_model::second_factor::{AskProven, BeginTotpAtSignIn, ConfirmTotp, RecoveryCodes, TotpOffer};
use shared_model::trail::Happening;
use zeroize::Zeroizing;

pub(crate) async fn begin_totp(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<AskProven>,
) -> Result<Json<TotpOffer>, ApiError> {
    let second = has_proven(&state, &asker, &request.proven).await?;
    let account = account_of(&state, &asker).await?;
    offer(&state, &account, To::SignIn(SignInOf::of(&asker)), !second).await
}

pub(crate) async fn begin_totp_at_sign_in(
    State(state): State<AppState>,
    Body(request): Body<BeginTotpAtSignIn>,
) -> Result<Json<TotpOffer>, ApiError> {
    let (step, hash) = step_to_set_up(&state, &request.step).await?;
    let account = known(&state, step.arrival.account).await?;
    offer(&state, &account, To::Step(hash), true).await
}

async fn known(state: &AppState, account: AccountId) -> Result<Account, ApiError> {
    let account = state.storage.people().account(account).await?;
    account.ok_or(ApiError::LinkNoLongerValid)
}

async fn offer(
    state: &AppState,
    account: &Account,
    to: To,
    only_first: bool,
) -> Result<Json<TotpOffer>, ApiError> {
    let secret: [u8; TOTP_SECRET] = random();
    let (address, in_base32) = totp_address(&secret, host(&state.settings.public_address), &account.email);
    let code = QrCode::with_error_correction_level(&address, EcLevel::M)
        .map_err(|error| ApiError::Unavailable(StorageError::Failed(error.to_string())))?;
    let side = u16::try_from(code.width()).unwrap_or(u16::MAX);
    let modules = packed(&code.into_colors());
    Ok(Json(TotpOffer {
        offer: Kept::Totp {
            to,
            only_first,
            secret,
        }
        .keep(state)
        .await?,
        secret: in_base32,
        address,
        side,
        modules,
    }))
}

/// Eight to a byte, from the highest bit on.
fn packed(modules: &[Color]) -> Vec<u8> {
    let byte = |eight: &[Color]| {
        eight.iter().enumerate().fold(0_u8, |byte, (index, module)| {
            byte | (u8::from(*module == Color::Dark) << (7 - index))
        })
    };
    modules.chunks(8).map(byte).collect()
}

pub(crate) async fn confirm_totp(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<ConfirmTotp>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let account = account_of(&state, &asker).await?;
    let to = To::SignIn(SignInOf::of(&asker));
    confirm(&state, &account, &request, asker.claims.device, to).await
}

/// The sign-in goes on from its step once the codes are kept.
pub(crate) async fn confirm_totp_at_sign_in(
    State(state): State<AppState>,
    Body(request): Body<ConfirmTotp>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let token = request.step.clone().unwrap_or_default();
    let (mut step, hash) = step_to_set_up(&state, &token).await?;
    let account = known(&state, step.arrival.account).await?;
    let codes = confirm(&state, &account, &request, step.arrival.device, To::Step(hash)).await?;
    step.set_up = SetUp::Done;
    Kept::SignIn(step).keep_as(&state, hash).await?;
    Ok(codes)
}

async fn confirm(
    state: &AppState,
    account: &Account,
    request: &ConfirmTotp,
    device: DeviceId,
    to: To,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let (kept, hash) = Kept::find(state, &request.offer).await?;
    let (only_first, secret) = match kept {
        Kept::Totp {
            to: offered,
            only_first,
            secret,
        } if offered == to => (only_first, secret),
        _ => return Err(ApiError::LinkNoLongerValid),
    };
    let secret = Zeroizing::new(secret);
    let now = state.settings.clock.now();
    let step = totp_step(&secret, &request.code, now).ok_or(ApiError::WrongCode)?;
    use_up(state, hash).await?;
    let (codes, recovery_codes) = mint_recovery_codes();
    let factor = Factor::Totp {
        totp: StoredTotp { secret, since: now },
        step,
    };
    let new = NewFactor {
        account: account.account,
        factor,
        only_first,
        recovery_codes,
        mail: state.letter_to(account, Letter::SecondFactorAdded),
    };
    match state.storage.people().add_factor(new).await? {
        Added::WithCodes | Added::BesideOthers => {}
        Added::NotFirst | Added::Taken => return Err(ApiError::LinkNoLongerValid),
    }
    state.mails.written();
    tracing::info!(account = %account.account, "set up an authenticator app");
    note_everywhere(state, account.account, Some(device), Happening::SecondFactorAdded);
    Ok(Json(RecoveryCodes { codes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_packed_row_by_row() {
        let [dark, light] = [Color::Dark, Color::Light];
        let modules = [dark, light, light, light, light, light, light, dark, dark];
        assert_eq!(packed(&modules), [0b1000_0001, 0b1000_0000]);
    }
}
