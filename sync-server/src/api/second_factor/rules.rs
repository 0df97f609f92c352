//! What a clinic asks of its staff, and what its administrators do for somebody who has lost every second factor.

use crate::api::request::{Asker, At, Body};
use crate::error::ApiError;
use crate::mail::Letter;
use crate::server::AppState;
use crate::storage::people::{TakenAway, Unneeded};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use shared_model::ids::AccountId;
use shared_model::permissions::Role;
use shared_model::second_factor::SignInRules;
use shared_model::trail::{Detail, Happening};

pub(crate) async fn sign_in_rules(
    State(state): State<AppState>,
    asker: Asker,
) -> Result<Json<SignInRules>, ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    Ok(Json(
        state
            .storage
            .people()
            .sign_in_rules(asker.principal.clinic)
            .await?,
    ))
}

/// Nobody is shut out by it: whoever has no second factor sets one up at the next sign-in.
pub(crate) async fn set_sign_in_rules(
    State(state): State<AppState>,
    asker: Asker,
    Body(rules): Body<SignInRules>,
) -> Result<Json<SignInRules>, ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    let clinic = asker.principal.clinic;
    state.storage.people().set_sign_in_rules(clinic, rules).await?;
    let detail = Detail {
        second_factor: Some(rules.second_factor),
        ..Detail::default()
    };
    let happened = asker.event(Happening::SignInRulesChanged, state.settings.clock.now(), &detail);
    state.storage.note(clinic, vec![happened]).await?;
    tracing::info!(%clinic, by = %asker.principal.account, second_factor = rules.second_factor, "the rules of signing in changed");
    Ok(Json(rules))
}

/// For staff of this clinic alone: how owners sign in is no business of it, and whoever belongs elsewhere too is not for its
/// administrators to let in with less.
pub(crate) async fn forget_members_factors(
    State(state): State<AppState>,
    asker: Asker,
    At(account): At<AccountId>,
) -> Result<StatusCode, ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    let people = state.storage.people();
    let clinic = asker.principal.clinic;
    let memberships = people.memberships(account).await?;
    let here = memberships.iter().find(|one| one.clinic == clinic);
    if !here.is_some_and(|here| here.roles.iter().any(|role| *role != Role::Owner)) {
        return Err(ApiError::NotFound);
    }
    let is_of_others = memberships.iter().any(|one| one.clinic != clinic);
    // One's own is taken away by who shows it.
    if is_of_others || account == asker.principal.account {
        return Err(ApiError::NotPermitted);
    }
    let known = people.account(account).await?.ok_or(ApiError::NotFound)?;
    let mail = state.letter_to(&known, Letter::SecondFactorRemoved);
    match people.take_away(account, Unneeded::Everything, mail).await? {
        TakenAway::Done => {}
        TakenAway::NoSuch | TakenAway::Last => return Err(ApiError::NotFound),
    }
    state.mails.written();
    let detail = Detail {
        of: Some(account),
        ..Detail::default()
    };
    let now = state.settings.clock.now();
    let happened = asker.event(Happening::SecondFactorRemoved, now, &detail);
    state.storage.note(clinic, vec![happened]).await?;
    tracing::warn!(%account, by = %asker.principal.account, "somebody's second factors were taken away");
    Ok(StatusCode::NO_CONTENT)
}
