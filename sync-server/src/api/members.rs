//! Who belongs to a clinic, and what they are there.
//!
//! Invariant: what somebody may do ends when the answer is given: their sessions are looked up again on every node.

use super::request::{Asker, At, Body};
use crate::error::ApiError;
use crate::identity::{joined, judge_roles};
use crate::server::AppState;
use crate::storage::Whom;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use shared_model::accounts::{ChangeRoles, Member};
use shared_model::ids::AccountId;
use shared_model::permissions::Role;
use shared_model::trail::{Detail, Happening};

/// Everybody who works here, for who decides about them.
pub(crate) async fn staff(
    State(state): State<AppState>,
    asker: Asker,
) -> Result<Json<Vec<Member>>, ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    let members = state.storage.people().members(asker.principal.clinic).await?;
    let is_more = |member: &Member| member.roles.iter().any(|role| *role != Role::Owner);
    Ok(Json(members.into_iter().filter(is_more).collect()))
}

/// Owners with an account, for whoever may invite them.
pub(crate) async fn owners(
    State(state): State<AppState>,
    asker: Asker,
) -> Result<Json<Vec<Member>>, ApiError> {
    asker.may_give(&[Role::Owner])?;
    let members = state.storage.people().members(asker.principal.clinic).await?;
    let is_owner = |member: &Member| member.roles.contains(&Role::Owner);
    // How owners sign in is no business of the desk.
    let without = |member| Member {
        has_second_factor: None,
        ..member
    };
    Ok(Json(members.into_iter().filter(is_owner).map(without).collect()))
}

pub(crate) async fn change_roles(
    State(state): State<AppState>,
    asker: Asker,
    At(account): At<AccountId>,
    Body(request): Body<ChangeRoles>,
) -> Result<StatusCode, ApiError> {
    change(&state, &asker, account, joined(&request.roles, &[])).await
}

pub(crate) async fn end_membership(
    State(state): State<AppState>,
    asker: Asker,
    At(account): At<AccountId>,
) -> Result<StatusCode, ApiError> {
    change(&state, &asker, account, Vec::new()).await
}

async fn change(
    state: &AppState,
    asker: &Asker,
    account: AccountId,
    roles: Vec<Role>,
) -> Result<StatusCode, ApiError> {
    let (giver, new) = (asker.principal.account, roles.clone());
    let detail = Detail::of(account).with_roles(&roles);
    let judge = Box::new(move |members: &[_]| judge_roles(members, giver, account, &new));
    state
        .storage
        .people()
        .change_roles(asker.principal.clinic, account, roles, judge)
        .await??;
    state.look_again.at(Whom::Account(account));
    tracing::info!(%account, by = %giver, "roles were changed");
    let happened = asker.event(Happening::RolesChanged, state.settings.clock.now(), &detail);
    state.storage.note(asker.principal.clinic, vec![happened]).await?;
    Ok(StatusCode::NO_CONTENT)
}
