//! Signing in with a password, staying signed in, signing out.
//!
//! Invariant: a wrong password and an unknown name are told apart neither by words nor by time. Which clinics somebody
//! belongs to, and that a device was lost, is told to nobody who has not proved who they are.

use super::openid::{ToLink, link};
use super::request::{Body, CameFrom};
use super::second_factor::next_step;
use crate::error::ApiError;
use crate::identity::{
    AccessClaims, Address, Guessed, NewRefreshToken, Passed, RefreshVerdict, Secret, judge_refresh,
    mint_refresh_token, random, refresh_hash,
};
use crate::server::AppState;
use crate::storage::Whom;
use crate::storage::people::{Account, BegunSignIn};
use crate::storage::trail::Event;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use shared_model::accounts::{Membership, Refresh, SignIn, SignedIn};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::permissions::Principal;
use shared_model::time::Timestamp;
use shared_model::trail::{CameBy, CameSecondBy, Detail, Happening};

const MAX_DEVICE_NAME: usize = 120;

pub(crate) async fn sign_in(
    State(state): State<AppState>,
    CameFrom(address): CameFrom,
    Body(request): Body<SignIn>,
) -> Result<Json<SignedIn>, ApiError> {
    let email = request.email.trim().to_lowercase();
    let account = state.storage.people().account_by_email(&email).await?;
    let account = prove(&state, address, request.device, &email, request.password, account).await?;
    if state.storage.people().is_lost(request.device).await? {
        return Err(ApiError::DeviceLost);
    }
    let memberships = state.storage.people().memberships(account.account).await?;
    let clinic = choose(&memberships, request.clinic)?;
    let arrival = Arrival {
        account: account.account,
        clinic,
        device: request.device,
        device_name: request.device_name,
        came_by: CameBy::Password,
        to_link: None,
    };
    begin_sign_in(&state, arrival).await
}

/// Somebody on the way in: who, where to, and how they came.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Arrival {
    pub(super) account: AccountId,
    pub(super) clinic: ClinicId,
    pub(super) device: DeviceId,
    pub(super) device_name: String,
    pub(super) came_by: CameBy,
    /// Becomes another way in once everything that is asked for has been shown.
    pub(super) to_link: Option<ToLink>,
}

/// What guesses are counted by. A device that somebody has signed in on before has patience of its own, so that the guesses
/// of a stranger keep nobody out of their account. Nobody's devices are looked for too, in the same time.
pub(super) async fn counted_as(
    state: &AppState,
    secret: Secret,
    of: &str,
    known: Option<AccountId>,
    device: DeviceId,
) -> Result<Guessed, ApiError> {
    let account = known.unwrap_or(AccountId(uuid::Uuid::nil()));
    let now = state.settings.clock.now();
    let devices = state.storage.people().devices(account, now).await?;
    let is_own = devices.iter().any(|one| one.device == device);
    Ok(if is_own {
        Guessed::on_own_device(secret, of, device.bytes())
    } else {
        Guessed::at(secret, of)
    })
}

/// Lets one guess pass, or says how long to wait.
pub(super) fn guess(state: &AppState, guessed: Guessed, address: Address) -> Result<Passed, ApiError> {
    let now = state.settings.clock.now();
    state.slow_down.guess(guessed, address, now).map_err(|wait| {
        tracing::warn!("somebody who guesses was slowed down");
        ApiError::SlowDown {
            seconds: wait.unsigned_abs().div_ceil(1_000),
        }
    })
}

/// Compares a password with an account's, or with nothing in the same time, as often as patience lasts. A wrong one stands in
/// the trails of whose it is. `email` is what it was given with, in lower case.
pub(super) async fn prove(
    state: &AppState,
    address: Address,
    device: DeviceId,
    email: &str,
    password: String,
    account: Option<Account>,
) -> Result<Account, ApiError> {
    let known = account.as_ref().map(|account| account.account);
    let guessed = counted_as(state, Secret::Password, email, known, device).await?;
    let passed = guess(state, guessed, address)?;
    let hash = |account: &Account| Some(account.password_hash.clone()).filter(|hash| !hash.is_empty());
    let stored = account.as_ref().and_then(hash);
    let fits = state.passwords.verify(password, stored).await;
    let Some(account) = account.filter(|_| fits) else {
        if let Some(known) = known {
            note_everywhere(state, known, Some(device), Happening::SignInRefused);
        }
        return Err(ApiError::WrongCredentials);
    };
    state.slow_down.succeeded(passed);
    Ok(account)
}

/// The clinic that was asked for, or the only one.
pub(super) fn choose(memberships: &[Membership], wanted: Option<ClinicId>) -> Result<ClinicId, ApiError> {
    let found = match (wanted, memberships) {
        (Some(wanted), _) => memberships.iter().find(|one| one.clinic == wanted),
        (None, [] | [_]) => memberships.first(),
        (None, _) => return Err(ApiError::ChooseClinic(memberships.to_vec())),
    };
    found.map(|one| one.clinic).ok_or(ApiError::NoMembership)
}

/// Begins a sign-in of somebody who has shown one factor. Where a second one is asked for, the error says how it goes on.
pub(super) async fn begin_sign_in(state: &AppState, arrival: Arrival) -> Result<Json<SignedIn>, ApiError> {
    let principal = principal_at(state, arrival.account, arrival.clinic).await?;
    match next_step(state, &principal, &arrival).await? {
        Some(asked) => Err(asked),
        None => sign_in_now(state, arrival, None).await,
    }
}

/// Begins a sign-in of somebody who has shown everything that is asked for; `second` is the word of their second factor. What
/// is to be linked is linked before, so that it cannot fail any more for another's sake.
pub(super) async fn sign_in_now(
    state: &AppState,
    arrival: Arrival,
    second: Option<CameSecondBy>,
) -> Result<Json<SignedIn>, ApiError> {
    let Arrival {
        account,
        clinic,
        device,
        device_name,
        came_by,
        to_link,
    } = arrival;
    let now = state.settings.clock.now();
    let principal = principal_at(state, account, clinic).await?;
    if let Some(to_link) = to_link {
        link(state, account, to_link, Some(device)).await?;
    }
    let (refresh_token, hash) = mint_refresh_token();
    let family = random();
    let token = NewRefreshToken {
        hash,
        family,
        account,
        clinic,
        device,
        begun_at: now,
        expires_at: state.settings.sign_in_life.expires_at(now, now),
    };
    let device_name = device_name.chars().take(MAX_DEVICE_NAME).collect();
    let begun = BegunSignIn::new(token, device_name, &Detail::came(came_by, second));
    state.storage.people().begin_sign_in(begun).await?;
    state.look_again.at(Whom::Account(account));
    tracing::info!(%account, %device, "signed in");
    answer(state, principal, device, family, refresh_token, now).await
}

async fn principal_at(state: &AppState, account: AccountId, clinic: ClinicId) -> Result<Principal, ApiError> {
    let principals = state.storage.principals(account).await?;
    principals
        .into_iter()
        .find(|principal| principal.clinic == clinic)
        .ok_or(ApiError::NoMembership)
}

pub(crate) async fn refresh(
    State(state): State<AppState>,
    Body(request): Body<Refresh>,
) -> Result<Json<SignedIn>, ApiError> {
    let now = state.settings.clock.now();
    let (refresh_token, fresh) = mint_refresh_token();
    let device = request.device;
    let (verdict, stored) = state
        .storage
        .rotate_refresh_token(
            refresh_hash(&request.refresh_token),
            fresh,
            state.settings.sign_in_life,
            now,
            Box::new(move |stored| judge_refresh(stored, device, now)),
        )
        .await?;
    match (verdict, &stored) {
        (RefreshVerdict::EndFamily, Some(stored)) => {
            state.look_again.at(Whom::Account(stored.account));
            tracing::warn!(%device, "a refresh token came a second time or from another device: its family has ended");
            let happened = Event {
                device: Some(device),
                ..event(Happening::RefreshTokenReused, stored.account, now)
            };
            state.note_later(stored.clinic, happened);
        }
        (RefreshVerdict::DeviceLost, _) => {
            tracing::warn!(%device, "a lost device was told so");
            return Err(ApiError::DeviceLost);
        }
        (_, Some(stored)) if stored.rotated_at.is_some() => {
            tracing::info!(%device, "a refresh token was exchanged once more, as its successor has not been used");
        }
        _ => {}
    }
    let stored = stored
        .filter(|_| verdict == RefreshVerdict::Rotate)
        .ok_or(ApiError::SignInAgain)?;
    let principal = principal_at(&state, stored.account, stored.clinic).await?;
    answer(&state, principal, device, stored.family, refresh_token, now).await
}

/// Ends the sign-in that the token belongs to. Says the same about a token that is not known.
pub(crate) async fn sign_out(
    State(state): State<AppState>,
    Body(request): Body<Refresh>,
) -> Result<StatusCode, ApiError> {
    let now = state.settings.clock.now();
    let device = request.device;
    let (verdict, stored) = state
        .storage
        .rotate_refresh_token(
            refresh_hash(&request.refresh_token),
            random(),
            state.settings.sign_in_life,
            now,
            Box::new(move |stored| match stored {
                // What a lost device proves itself with stays.
                Some(stored) if stored.device == device && !stored.device_lost => RefreshVerdict::EndFamily,
                _ => RefreshVerdict::Refuse,
            }),
        )
        .await?;
    if let (RefreshVerdict::EndFamily, Some(stored)) = (verdict, stored) {
        state.look_again.at(Whom::Account(stored.account));
        let happened = Event {
            device: Some(device),
            ..event(Happening::SignedOut, stored.account, now)
        };
        state.note_later(stored.clinic, happened);
    }
    Ok(StatusCode::NO_CONTENT)
}

fn event(what: Happening, account: AccountId, at: Timestamp) -> Event {
    Event {
        account: Some(account),
        ..Event::new(what, at, &Detail::default())
    }
}

/// Puts something that happened to somebody into the trails of their clinics, after the answer.
pub(super) fn note_everywhere(
    state: &AppState,
    account: AccountId,
    device: Option<DeviceId>,
    what: Happening,
) {
    let (noting, now) = (state.clone(), state.settings.clock.now());
    state.sessions.spawn(async move {
        match noting.storage.principals(account).await {
            Ok(principals) => {
                for principal in principals {
                    let happened = Event {
                        device,
                        ..event(what, account, now)
                    };
                    noting.note_later(principal.clinic, happened);
                }
            }
            Err(error) => {
                tracing::error!(%error, what = what.word(), "the trail lacks what happened to somebody")
            }
        }
    });
}

async fn answer(
    state: &AppState,
    principal: Principal,
    device: DeviceId,
    family: [u8; 16],
    refresh_token: String,
    now: Timestamp,
) -> Result<Json<SignedIn>, ApiError> {
    let life = i64::try_from(state.settings.access_token_life.as_millis()).unwrap_or(i64::MAX);
    let expires_at = Timestamp(now.0.saturating_add(life));
    let access_token = state.tokens.seal(&AccessClaims {
        account: principal.account,
        clinic: principal.clinic,
        device,
        family,
        expires_at,
    });
    Ok(Json(SignedIn {
        access_token,
        expires_at,
        refresh_token,
        memberships: state.storage.people().memberships(principal.account).await?,
        device_key: state.device_keys.device_key(&principal, device),
        principal,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn which_clinic() {
        let at = |number| Membership {
            clinic: ClinicId(Uuid::from_u128(number)),
            clinic_name: String::new(),
            roles: Vec::new(),
            client: None,
        };
        let wanted = |number| Some(ClinicId(Uuid::from_u128(number)));
        let check = |memberships: &[Membership], asked: Option<ClinicId>, expected: &str| {
            let chosen = match choose(memberships, asked) {
                Ok(clinic) => clinic.0.as_u128().to_string(),
                Err(ApiError::ChooseClinic(all)) => format!("one of {}", all.len()),
                Err(_) => "none".to_owned(),
            };
            assert_eq!(chosen, expected);
        };
        check(&[], None, "none");
        check(&[at(1)], None, "1");
        check(&[at(1)], wanted(1), "1");
        check(&[at(1)], wanted(2), "none");
        check(&[at(1), at(2)], None, "one of 2");
        check(&[at(1), at(2)], wanted(2), "2");
    }
}
