//! Passkeys: made by who is signed in, and shown by who signs in with nothing else.

use super::kept::Kept;
use super::own::listed;
use super::{holds, passkey_refused};
use crate::api::me::account_of;
use crate::api::prove::{SignInOf, has_proven};
use crate::api::request::{Asker, Body, CameFrom, name};
use crate::api::sealed_step::use_up;
use crate::api::sign_in::{Arrival, choose, guess, note_everywhere, sign_in_now};
use crate::error::ApiError;
use crate::identity::{Guessed, Passkeys, Secret, credential_of, mint_recovery_codes, random};
use crate::mail::Letter;
use crate::server::AppState;
use crate::storage::people::{Added, Factor, NewFactor, StoredPasskey};
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
    let second = has_proven(&state, &asker, &request.proven).await?;
    let account = account_of(&state, &asker).await?;
    let known = state.storage.people().factors(account.account).await?.passkeys;
    let known = known.into_iter().map(|one| one.credential).collect();
    let (options, asked) = passkeys(&state)?
        .ask_to_make(account.account.0, &account.email, &account.full_name, known)
        .map_err(passkey_refused)?;
    let of = SignInOf::of(&asker);
    let kept = Kept::PasskeyToMake {
        of,
        only_first: !second,
        asked,
    };
    let offer = kept.keep(&state).await?;
    Ok(Json(PasskeyOffer { offer, options }))
}

pub(crate) async fn finish_passkey(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<FinishPasskey>,
) -> Result<Json<NewPasskey>, ApiError> {
    let name = name(&request.name)?;
    let (kept, hash) = Kept::find(&state, &request.offer).await?;
    let (only_first, asked) = match kept {
        Kept::PasskeyToMake {
            of,
            only_first,
            asked,
        } if of == SignInOf::of(&asker) => (only_first, asked),
        _ => return Err(ApiError::LinkNoLongerValid),
    };
    use_up(&state, hash).await?;
    let account = account_of(&state, &asker).await?;
    let made = passkeys(&state)?
        .made(&request.credential, &asked)
        .map_err(passkey_refused)?;
    let (codes, recovery_codes) = mint_recovery_codes();
    let passkey = StoredPasskey {
        passkey: Uuid::from_bytes(random()),
        credential: made.credential,
        name,
        created_at: state.settings.clock.now(),
        last_used: None,
        public_key: made.public_key,
    };
    let new = NewFactor {
        account: account.account,
        factor: Factor::Passkey(passkey.clone()),
        only_first,
        recovery_codes,
        mail: state.letter_to(&account, Letter::SecondFactorAdded),
    };
    let recovery_codes = match state.storage.people().add_factor(new).await? {
        Added::NotFirst => return Err(ApiError::LinkNoLongerValid),
        Added::Taken => return Err(ApiError::PasskeyRefused),
        Added::WithCodes => codes,
        Added::BesideOthers => Vec::new(),
    };
    state.mails.written();
    tracing::info!(account = %account.account, "made a passkey");
    let device = Some(asker.claims.device);
    note_everywhere(&state, account.account, device, Happening::SecondFactorAdded);
    Ok(Json(NewPasskey {
        passkey: listed(passkey),
        recovery_codes,
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
    let guessed = Guessed::at(Secret::Passkey, &hex::encode(&credential));
    let passed = guess(&state, guessed, address)?;
    let found = people.passkey(&credential).await?;
    let (account, kept) = found.ok_or(ApiError::PasskeyRefused)?;
    let shown = passkeys(&state)?.shown(&request.credential, &asked, &kept.public_key);
    let Some(shown) = holds(shown)? else {
        note_everywhere(&state, account, Some(request.device), Happening::SignInRefused);
        return Err(ApiError::PasskeyRefused);
    };
    state.slow_down.succeeded(passed);
    if people.is_lost(request.device).await? {
        return Err(ApiError::DeviceLost);
    }
    let clinic = choose(&people.memberships(account).await?, request.clinic)?;
    use_up(&state, hash).await?;
    people.used_passkey(&credential, shown.public_key, now).await?;
    // It has seen a finger, a face or a PIN: two factors in one.
    let arrival = Arrival {
        account,
        clinic,
        device: request.device,
        device_name: request.device_name,
        came_by: CameBy::Passkey,
        to_link: None,
    };
    sign_in_now(&state, arrival, None).await
}
