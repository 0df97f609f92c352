//! Passkeys: made by who is signed in, and shown by who signs in with nothing else.

use super::kept::{Kept, use_up};
use super::own::listed;
use super::passkey_refused;
use super::prove::{has_proven, letter};
use crate::api::me::account_of;
use crate::api::request::{Asker, Body, CameFrom, name};
use crate::api::sign_in::{choose, note_everywhere, sign_in_now};
use crate::error::ApiError;
use crate::identity::{Passkeys, credential_of, mint_recovery_codes, random};
use crate::mail::Letter;
use crate::server::AppState;
use crate::storage::people::{Factor, NewFactor, StoredPasskey};
use axum::Json;
use axum::extract::State;
use shared_model::accounts::SignedIn;
use shared_model::second_factor::{
    AskProven, EnterWithPasskey, FinishPasskey, NewPasskey, PasskeyOffer, PasskeysOffered,
};
use shared_model::trail::{CameBy, Happening};
use uuid::Uuid;

fn passkeys(state: &AppState) -> Result<&Passkeys, ApiError> {
    state.passkeys.as_ref().ok_or(ApiError::NoPasskeys)
}

pub(crate) async fn passkeys_offered(State(state): State<AppState>) -> Json<PasskeysOffered> {
    let offered = state.passkeys.is_some();
    Json(PasskeysOffered { offered })
}

pub(crate) async fn begin_passkey(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<AskProven>,
) -> Result<Json<PasskeyOffer>, ApiError> {
    has_proven(&state, &asker, &request).await?;
    let account = account_of(&state, &asker).await?;
    let known = state.storage.people().factors(account.account).await?.passkeys;
    let known = known.into_iter().map(|one| one.credential).collect();
    let (options, asked) = passkeys(&state)?
        .ask_to_make(account.account.0, &account.email, &account.full_name, known)
        .map_err(passkey_refused)?;
    let account = account.account;
    let offer = Kept::PasskeyToMake { account, asked }.keep(&state).await?;
    Ok(Json(PasskeyOffer { offer, options }))
}

pub(crate) async fn finish_passkey(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<FinishPasskey>,
) -> Result<Json<NewPasskey>, ApiError> {
    let name = name(&request.name)?;
    let (Kept::PasskeyToMake { account: of, asked }, hash) = Kept::find(&state, &request.offer).await? else {
        return Err(ApiError::LinkNoLongerValid);
    };
    if of != asker.principal.account {
        return Err(ApiError::LinkNoLongerValid);
    }
    use_up(&state, hash).await?;
    let account = account_of(&state, &asker).await?;
    let made = passkeys(&state)?
        .made(&request.credential, &asked)
        .map_err(passkey_refused)?;
    let people = state.storage.people();
    let is_first = !people.factors(of).await?.has_any();
    let (codes, recovery_codes) = if is_first {
        mint_recovery_codes()
    } else {
        Default::default()
    };
    let passkey = StoredPasskey {
        passkey: Uuid::from_bytes(random()),
        credential: made.credential,
        name,
        created_at: state.settings.clock.now(),
        last_used: None,
        public_key: made.public_key,
    };
    let new = NewFactor {
        account: of,
        factor: Factor::Passkey(passkey.clone()),
        recovery_codes,
        mail: letter(&state, &account, Letter::SecondFactorAdded),
    };
    if !people.add_factor(new).await? {
        return Err(ApiError::PasskeyRefused);
    }
    state.mails.written();
    tracing::info!(account = %of, "made a passkey");
    note_everywhere(
        &state,
        of,
        Some(asker.claims.device),
        Happening::SecondFactorAdded,
    );
    Ok(Json(NewPasskey {
        passkey: listed(passkey),
        recovery_codes: codes,
    }))
}

/// The same for everybody: nobody has said who they are.
pub(crate) async fn begin_passkey_sign_in(
    State(state): State<AppState>,
) -> Result<Json<PasskeyOffer>, ApiError> {
    let (options, asked) = passkeys(&state)?.ask_to_show_any().map_err(passkey_refused)?;
    let offer = Kept::PasskeyToShow(asked).keep(&state).await?;
    Ok(Json(PasskeyOffer { offer, options }))
}

pub(crate) async fn finish_passkey_sign_in(
    State(state): State<AppState>,
    CameFrom(address): CameFrom,
    Body(request): Body<EnterWithPasskey>,
) -> Result<Json<SignedIn>, ApiError> {
    let (Kept::PasskeyToShow(asked), hash) = Kept::find(&state, &request.offer).await? else {
        return Err(ApiError::LinkNoLongerValid);
    };
    let people = state.storage.people();
    let credential = credential_of(&request.credential).map_err(passkey_refused)?;
    let now = state.settings.clock.now();
    let name = format!("PASSKEY {}", hex::encode(&credential[..credential.len().min(32)]));
    state
        .slow_down
        .guess(&name, address, now)
        .map_err(|wait| ApiError::SlowDown {
            seconds: wait.unsigned_abs().div_ceil(1_000),
        })?;
    let found = people.passkey(&credential).await?;
    let (account, kept) = found.ok_or(ApiError::PasskeyRefused)?;
    let shown = passkeys(&state)?
        .shown(&request.credential, &asked, &kept.public_key)
        .map_err(passkey_refused)?;
    state.slow_down.succeeded(&name, address);
    if people.is_lost(request.device).await? {
        return Err(ApiError::DeviceLost);
    }
    let clinic = choose(&people.memberships(account).await?, request.clinic)?;
    use_up(&state, hash).await?;
    people.used_passkey(&credential, shown.public_key, now).await?;
    // It has seen a finger, a face or a PIN: two factors in one.
    let (device, name) = (request.device, &request.device_name);
    sign_in_now(&state, account, clinic, device, name, CameBy::Passkey, None).await
}
