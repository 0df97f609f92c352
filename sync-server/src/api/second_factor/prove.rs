//! Shows a second factor, and who somebody is who is signed in already.

use super::finish_sign_in::{passkey_options, second_step};
use super::kept::{Kept, SetUp, SignInOf, use_up};
use super::passkey_refused;
use crate::api::openid::prove_with;
use crate::api::request::{Asker, Body, CameFrom};
use crate::api::sign_in::{counted_as, note_everywhere};
use crate::error::ApiError;
use crate::identity::{Address, Asked, credential_of, recovery_hash, totp_step};
use crate::mail::Letter;
use crate::server::AppState;
use crate::storage::people::{Account, NewMail};
use axum::Json;
use axum::extract::State;
use shared_model::ids::{AccountId, DeviceId};
use shared_model::second_factor::{AskProven, FinishSignIn, Prove, Proven, SecondProof};
use shared_model::trail::Happening;

/// Who shows a second factor, and what was asked of them.
pub(super) struct Showing<'a> {
    pub(super) account: AccountId,
    pub(super) device: DeviceId,
    pub(super) address: Address,
    pub(super) passkey: Option<&'a Asked>,
    pub(super) set_up: SetUp,
}

/// Judges what was shown, as often as patience lasts, and uses it up.
pub(super) async fn show(
    state: &AppState,
    showing: Showing<'_>,
    proof: &SecondProof,
) -> Result<(), ApiError> {
    let Showing { account, device, .. } = showing;
    let now = state.settings.clock.now();
    // No address has a capital letter: nobody's password is counted by this.
    let name = counted_as(
        state,
        &format!("SECOND FACTOR OF {account}"),
        Some(account),
        device,
    )
    .await?;
    state
        .slow_down
        .guess(&name, showing.address, now)
        .map_err(|wait| ApiError::SlowDown {
            seconds: wait.unsigned_abs().div_ceil(1_000),
        })?;
    let people = state.storage.people();
    let fits = match proof {
        SecondProof::Totp(code) => {
            let factors = people.factors(account).await?;
            match factors.totp.and_then(|totp| totp_step(&totp.secret, code, now)) {
                Some(step) => people.use_totp(account, step).await?,
                None => false,
            }
        }
        SecondProof::RecoveryCode(code) => use_recovery_code(state, account, code).await?,
        SecondProof::Passkey(credential) => show_passkey(state, account, credential, showing.passkey).await?,
        SecondProof::SetUp => showing.set_up == SetUp::Done,
    };
    if !fits {
        tracing::warn!(%account, "a second factor was refused");
        note_everywhere(state, account, Some(device), Happening::SecondFactorRefused);
        return Err(match proof {
            SecondProof::Passkey(_) => ApiError::PasskeyRefused,
            _ => ApiError::WrongCode,
        });
    }
    state.slow_down.succeeded(&name, showing.address);
    if matches!(proof, SecondProof::RecoveryCode(_)) {
        state.mails.written();
        note_everywhere(state, account, Some(device), Happening::RecoveryCodeUsed);
    }
    Ok(())
}

async fn show_passkey(
    state: &AppState,
    account: AccountId,
    credential: &str,
    asked: Option<&Asked>,
) -> Result<bool, ApiError> {
    let (Some(passkeys), Some(asked)) = (&state.passkeys, asked) else {
        return Ok(false);
    };
    let people = state.storage.people();
    let Ok(name) = credential_of(credential) else {
        return Ok(false);
    };
    let Some((of, kept)) = people.passkey(&name).await? else {
        return Ok(false);
    };
    if of != account {
        return Ok(false);
    }
    let shown = passkeys
        .shown(credential, asked, &kept.public_key)
        .map_err(passkey_refused)?;
    let now = state.settings.clock.now();
    people.used_passkey(&name, shown.public_key, now).await?;
    Ok(true)
}

/// Whoever uses one has lost something, or has found somebody's list: the person is told.
async fn use_recovery_code(state: &AppState, account: AccountId, code: &str) -> Result<bool, ApiError> {
    let people = state.storage.people();
    let left = people
        .factors(account)
        .await?
        .recovery_codes
        .saturating_sub(1)
        .to_string();
    let known = people.account(account).await?;
    let mail = known.and_then(|known| letter(state, &known, Letter::RecoveryCodeUsed { left: &left }));
    Ok(people
        .use_recovery_code(account, recovery_hash(code), mail)
        .await?)
}

/// If there is a way to tell them.
pub(super) fn letter(state: &AppState, account: &Account, letter: Letter<'_>) -> Option<NewMail> {
    let written = || state.writing().write(letter, &account.email, &account.full_name);
    state.settings.post.leads_somewhere().then(written)
}

fn sign_in_of(asker: &Asker) -> SignInOf {
    SignInOf {
        account: asker.principal.account,
        family: asker.claims.family,
    }
}

pub(crate) async fn prove_by_first(
    State(state): State<AppState>,
    asker: Asker,
    CameFrom(address): CameFrom,
    Body(request): Body<Prove>,
) -> Result<Json<Proven>, ApiError> {
    prove_with(&state, &asker, address, request.proof).await?;
    let of = sign_in_of(&asker);
    let factors = state.storage.people().factors(of.account).await?;
    if factors.has_any() {
        let (options, passkey) = passkey_options(&state, &factors)?;
        let step = Kept::Prove { of, passkey }.keep(&state).await?;
        return Err(ApiError::SecondFactor(second_step(&factors, step, options)));
    }
    proven(&state, of).await
}

pub(crate) async fn prove_by_second(
    State(state): State<AppState>,
    asker: Asker,
    CameFrom(address): CameFrom,
    Body(request): Body<FinishSignIn>,
) -> Result<Json<Proven>, ApiError> {
    let (Kept::Prove { of, passkey }, hash) = Kept::find(&state, &request.step).await? else {
        return Err(ApiError::LinkNoLongerValid);
    };
    if of != sign_in_of(&asker) {
        return Err(ApiError::LinkNoLongerValid);
    }
    let showing = Showing {
        account: of.account,
        device: asker.claims.device,
        address,
        passkey: passkey.as_ref(),
        set_up: SetUp::NotAsked,
    };
    show(&state, showing, &request.proof).await?;
    use_up(&state, hash).await?;
    proven(&state, of).await
}

async fn proven(state: &AppState, of: SignInOf) -> Result<Json<Proven>, ApiError> {
    let proven = Kept::Proven(of).keep(state).await?;
    Ok(Json(Proven { proven }))
}

/// Refuses who has not shown a moment ago, in this sign-in, who they are.
pub(super) async fn has_proven(state: &AppState, asker: &Asker, request: &AskProven) -> Result<(), ApiError> {
    match Kept::find(state, &request.proven).await? {
        (Kept::Proven(of), _) if of == sign_in_of(asker) => Ok(()),
        _ => Err(ApiError::LinkNoLongerValid),
    }
}
