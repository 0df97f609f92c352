//! Signing in with a password, staying signed in, signing out.
//!
//! Invariant: a wrong password and an unknown name are told apart neither by words nor by time.

use crate::error::ApiError;
use crate::identity::{
    AccessClaims, Address, NewRefreshToken, REFRESH_DAYS, RefreshVerdict, client_address, judge_refresh,
    mint_refresh_token, random, refresh_hash,
};
use crate::server::AppState;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use serde::{Deserialize, Serialize};
use shared_model::ids::DeviceId;
use shared_model::permissions::Principal;
use shared_model::time::Timestamp;
use std::net::SocketAddr;

const DAY_MS: i64 = 24 * 3_600_000;
const MAX_DEVICE_NAME: usize = 120;

#[derive(Deserialize)]
pub(crate) struct SignIn {
    email: String,
    password: String,
    device: DeviceId,
    #[serde(default)]
    device_name: String,
}

#[derive(Deserialize)]
pub(crate) struct Refresh {
    refresh_token: String,
    device: DeviceId,
}

#[derive(Deserialize)]
pub(crate) struct SignOut {
    refresh_token: String,
    device: DeviceId,
}

#[derive(Serialize)]
pub(crate) struct SignedIn {
    access_token: String,
    /// When the access token ends, in milliseconds since 1970.
    expires_at: Timestamp,
    refresh_token: String,
    principal: Principal,
}

type Answer = Result<([(HeaderName, &'static str); 1], Json<SignedIn>), ApiError>;

pub(crate) async fn sign_in(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    request: Result<Json<SignIn>, JsonRejection>,
) -> Answer {
    let Json(request) = request?;
    let client = client_address(peer.ip(), &headers, &state.settings.trusted_proxies);
    let (now, address) = (state.settings.clock.now(), Address::from(client));
    let email = request.email.trim().to_lowercase();
    if let Err(wait) = state.slow_down.guess(&email, address, now) {
        tracing::warn!("sign-in slowed down");
        return Err(ApiError::SlowDown {
            seconds: wait.unsigned_abs().div_ceil(1_000),
        });
    }
    let account = state.storage.account_by_email(&email).await?;
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    let fits = state.passwords.verify(request.password, stored).await;
    let account = account.filter(|_| fits).ok_or(ApiError::WrongCredentials)?;
    state.slow_down.succeeded(&email, address);

    let mut principals = state.storage.principals(account.account).await?.into_iter();
    let principal = principals.next().ok_or(ApiError::NoMembership)?;
    let name: String = request.device_name.chars().take(MAX_DEVICE_NAME).collect();
    state
        .storage
        .remember_device(account.account, request.device, &name, now)
        .await?;
    let (refresh_token, hash) = mint_refresh_token();
    let family = random();
    state
        .storage
        .add_refresh_token(NewRefreshToken {
            hash,
            family,
            account: account.account,
            clinic: principal.clinic,
            device: request.device,
            expires_at: refresh_expiry(now),
        })
        .await?;
    tracing::info!(account = %account.account, device = %request.device, "signed in");
    Ok(answer(
        &state,
        principal,
        request.device,
        family,
        refresh_token,
        now,
    ))
}

pub(crate) async fn refresh(
    State(state): State<AppState>,
    request: Result<Json<Refresh>, JsonRejection>,
) -> Answer {
    let Json(request) = request?;
    let now = state.settings.clock.now();
    let (refresh_token, fresh) = mint_refresh_token();
    let device = request.device;
    let (verdict, stored) = state
        .storage
        .rotate_refresh_token(
            refresh_hash(&request.refresh_token),
            fresh,
            refresh_expiry(now),
            now,
            Box::new(move |stored| judge_refresh(stored, device, now)),
        )
        .await?;
    if verdict == RefreshVerdict::EndFamily {
        tracing::warn!(%device, "a refresh token came a second time or from another device: its family has ended");
    } else if stored.as_ref().is_some_and(|stored| stored.rotated_at.is_some()) {
        tracing::info!(%device, "a refresh token was exchanged once more, as its successor has not been used");
    }
    let stored = stored
        .filter(|_| verdict == RefreshVerdict::Rotate)
        .ok_or(ApiError::SignInAgain)?;
    let principals = state.storage.principals(stored.account).await?;
    let principal = principals
        .into_iter()
        .find(|principal| principal.clinic == stored.clinic)
        .ok_or(ApiError::NoMembership)?;
    Ok(answer(
        &state,
        principal,
        device,
        stored.family,
        refresh_token,
        now,
    ))
}

/// Ends the sign-in that the token belongs to. Says the same about a token that is not known.
pub(crate) async fn sign_out(
    State(state): State<AppState>,
    request: Result<Json<SignOut>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let Json(request) = request?;
    let now = state.settings.clock.now();
    let device = request.device;
    state
        .storage
        .rotate_refresh_token(
            refresh_hash(&request.refresh_token),
            random(),
            now,
            now,
            Box::new(move |stored| match stored {
                Some(stored) if stored.device == device => RefreshVerdict::EndFamily,
                _ => RefreshVerdict::Refuse,
            }),
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn refresh_expiry(now: Timestamp) -> Timestamp {
    Timestamp(now.0 + REFRESH_DAYS * DAY_MS)
}

fn answer(
    state: &AppState,
    principal: Principal,
    device: DeviceId,
    family: [u8; 16],
    refresh_token: String,
    now: Timestamp,
) -> ([(HeaderName, &'static str); 1], Json<SignedIn>) {
    let life = i64::try_from(state.settings.access_token_life.as_millis()).unwrap_or(i64::MAX);
    let expires_at = Timestamp(now.0.saturating_add(life));
    let access_token = state.tokens.seal(&AccessClaims {
        account: principal.account,
        clinic: principal.clinic,
        device,
        family,
        expires_at,
    });
    (
        [(header::CACHE_CONTROL, "no-store")],
        Json(SignedIn {
            access_token,
            expires_at,
            refresh_token,
            principal,
        }),
    )
}
