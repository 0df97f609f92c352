//! Shows a second factor, to come in or to prove anew who somebody is.

use super::holds;
use super::kept::SetUp;
use crate::api::sign_in::{counted_as, guess, note_everywhere};
use crate::error::ApiError;
use crate::identity::{Address, Asked, Secret, credential_of, recovery_hash, totp_step};
use crate::mail::Letter;
use crate::server::AppState;
use shared_model::ids::{AccountId, DeviceId};
use shared_model::second_factor::SecondProof;
use shared_model::trail::Happening;

/// Who shows a second factor, and what was asked of them.
pub(crate) struct Showing<'a> {
    pub(crate) account: AccountId,
    pub(crate) device: DeviceId,
    pub(crate) address: Address,
    pub(crate) passkey: Option<&'a Asked>,
    pub(crate) set_up: SetUp,
}

/// Judges what was shown, as often as patience lasts, and uses it up.
pub(crate) async fn show(
    state: &AppState,
    showing: Showing<'_>,
    proof: &SecondProof,
) -> Result<(), ApiError> {
    let Showing { account, device, .. } = showing;
    let now = state.settings.clock.now();
    let of = account.to_string();
    let guessed = counted_as(state, Secret::SecondFactor, &of, Some(account), device).await?;
    let passed = guess(state, guessed, showing.address)?;
    let people = state.storage.people();
    let fits = match proof {
        SecondProof::Totp(code) => {
            let factors = people.factors(account).await?;
            match factors.totp.and_then(|totp| totp_step(&totp.secret, code, now)) {
                Some(step) => people.use_totp(account, step).await?,
                None => false,
            }
        }
        // Who has to set one up has none that a code could stand in for.
        SecondProof::RecoveryCode(code) => {
            showing.set_up == SetUp::NotAsked && use_recovery_code(state, account, code).await?
        }
        SecondProof::Passkey(credential) => show_passkey(state, account, credential, showing.passkey).await?,
        SecondProof::SetUp => showing.set_up == SetUp::Done,
    };
    if !fits {
        tracing::warn!(%account, "a second factor was refused");
        note_everywhere(state, account, Some(device), Happening::SecondFactorRefused);
        if passed.is_last {
            tell_of_guesses(state, account).await?;
        }
        return Err(match proof {
            SecondProof::Passkey(_) => ApiError::PasskeyRefused,
            _ => ApiError::WrongCode,
        });
    }
    state.slow_down.succeeded(passed);
    if matches!(proof, SecondProof::RecoveryCode(_)) {
        state.mails.written();
        note_everywhere(state, account, Some(device), Happening::RecoveryCodeUsed);
    }
    Ok(())
}

/// Whoever guesses here has shown the first factor: the person is told before they get any further.
async fn tell_of_guesses(state: &AppState, account: AccountId) -> Result<(), ApiError> {
    let people = state.storage.people();
    let known = people.account(account).await?;
    if let Some(mail) = known.and_then(|known| state.letter_to(&known, Letter::SecondFactorGuessed)) {
        people.write_mail(mail).await?;
        state.mails.written();
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
    let Some(shown) = holds(passkeys.shown(credential, asked, &kept.public_key))? else {
        return Ok(false);
    };
    let now = state.settings.clock.now();
    people.used_passkey(&name, shown.public_key, now).await?;
    Ok(true)
}

/// Whoever uses one has lost something, or has found somebody's list: the person is told.
async fn use_recovery_code(state: &AppState, account: AccountId, code: &str) -> Result<bool, ApiError> {
    let people = state.storage.people();
    let factors = people.factors(account).await?;
    if !factors.has_any() {
        return Ok(false);
    }
    let left = factors.recovery_codes.saturating_sub(1).to_string();
    let known = people.account(account).await?;
    let letter = Letter::RecoveryCodeUsed { left: &left };
    let mail = known.and_then(|known| state.letter_to(&known, letter));
    Ok(people
        .use_recovery_code(account, recovery_hash(code), mail)
        .await?)
}
