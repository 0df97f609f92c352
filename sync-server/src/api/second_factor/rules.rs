//! What a clinic asks of its staff, and what its administrators do for somebody who has lost every second factor.

use crate::api::prove::has_proven;
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
use shared_model::second_factor::{AskProven, ChangeSignInRules, SignInRules};
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
    Body(request): Body<ChangeSignInRules>,
) -> Result<Json<SignInRules>, ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    has_proven(&state, &asker, &request.proven).await?;
    let (clinic, rules) = (asker.principal.clinic, request.rules);
    let detail = Detail {
        second_factor: Some(rules.second_factor),
        ..Detail::default()
    };
    let happened = asker.event(Happening::SignInRulesChanged, state.settings.clock.now(), &detail);
    let people = state.storage.people();
    people.set_sign_in_rules(clinic, rules, happened).await?;
    tracing::info!(%clinic, by = %asker.principal.account, second_factor = rules.second_factor, "the rules of signing in changed");
    Ok(Json(rules))
}

/// For staff of this clinic alone, and by who may make them what they are: how owners sign in is no business of it, and
/// whoever belongs elsewhere too is not for its administrators to let in with less.
pub(crate) async fn forget_members_factors(
    State(state): State<AppState>,
    asker: Asker,
    At(account): At<AccountId>,
    Body(request): Body<AskProven>,
) -> Result<StatusCode, ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    has_proven(&state, &asker, &request.proven).await?;
    let people = state.storage.people();
    let clinic = asker.principal.clinic;
    let memberships = people.memberships(account).await?;
    let here = memberships.iter().find(|one| one.clinic == clinic);
    let roles = here.into_iter().flat_map(|here| here.roles.iter().copied());
    let roles: Vec<Role> = roles.filter(|role| *role != Role::Owner).collect();
    if roles.is_empty() {
        return Err(ApiError::NotFound);
    }
    asker.may_give(&roles)?;
    let is_of_others = memberships.iter().any(|one| one.clinic != clinic);
    // One's own is taken away by who shows it.
    if is_of_others || account == asker.principal.account {
        return Err(ApiError::NotPermitted);
    }
    let known = people.account(account).await?.ok_or(ApiError::NotFound)?;
    let mail = state.letter_to(&known, Letter::SecondFactorRemoved);
    let now = state.settings.clock.now();
    let happened = asker.event(Happening::SecondFactorRemoved, now, &Detail::of(account));
    let happened = vec![(clinic, happened)];
    match people
        .take_away(account, Unneeded::Everything, mail, happened)
        .await?
    {
        TakenAway::Done => {}
        TakenAway::NoSuch | TakenAway::Last => return Err(ApiError::NotFound),
    }
    state.mails.written();
    tracing::warn!(%account, by = %asker.principal.account, "somebody's second factors were taken away");
    Ok(StatusCode::NO_CONTENT)
}
