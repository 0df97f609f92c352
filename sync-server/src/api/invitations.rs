//! Inviting somebody, withdrawing it, and sending its mail again.
//!
//! Invariant: nobody gives what they could not make a member into (`may_give`).

use super::request::{Asker, At, Body};
use crate::error::ApiError;
use crate::identity::mint_invitation_link;
use crate::invite::{Inviter, invitation_expiry};
use crate::server::AppState;
use crate::storage::people::StoredInvitation;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use shared_model::accounts::{Invitation, Invite, may_give};
use shared_model::ids::{ClinicId, InvitationId};
use tokio::time::Instant;

pub(crate) async fn invite(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<Invite>,
) -> Result<Json<Invitation>, ApiError> {
    asker.may_give(&request.roles)?;
    state.needs_mail()?;
    limit_mails(&state, &asker)?;
    let clinic = asker.principal.clinic;
    let clinic_name = clinic_name(&state, clinic).await?;
    let inviter = Inviter {
        clinic,
        clinic_name: &clinic_name,
        account: Some(asker.principal.account),
        name: &asker.principal.name,
    };
    let (invitation, _) = inviter.write(state.writing(), &request)?;
    let invited = state.storage.people().invite(invitation).await?;
    let invited = invited.ok_or_else(|| ApiError::cannot_be("this account is somebody else's"))?;
    state.mails.written();
    tracing::info!(invitation = %invited.invitation.id, "invited somebody");
    Ok(Json(invited.invitation))
}

fn limit_mails(state: &AppState, asker: &Asker) -> Result<(), ApiError> {
    state
        .requests
        .mail_by(asker.principal.account, Instant::now())
        .map_err(ApiError::slow_down)
}

async fn clinic_name(state: &AppState, clinic: ClinicId) -> Result<String, ApiError> {
    let name = state.storage.people().clinic_name(clinic).await?;
    name.ok_or(ApiError::NotFound)
}

/// Those that the asker could have written.
pub(crate) async fn invitations(
    State(state): State<AppState>,
    asker: Asker,
) -> Result<Json<Vec<Invitation>>, ApiError> {
    let open = state.storage.people().invitations(asker.principal.clinic).await?;
    let own = open
        .into_iter()
        .map(|stored| stored.invitation)
        .filter(|invitation| may_give(&asker.principal.roles, &invitation.roles));
    Ok(Json(own.collect()))
}

async fn find(state: &AppState, asker: &Asker, id: InvitationId) -> Result<StoredInvitation, ApiError> {
    let clinic = asker.principal.clinic;
    let stored = state.storage.people().invitation(clinic, id).await?;
    let stored = stored.ok_or(ApiError::NotFound)?;
    asker.may_give(&stored.invitation.roles)?;
    Ok(stored)
}

/// Saying it twice does no harm.
pub(crate) async fn withdraw(
    State(state): State<AppState>,
    asker: Asker,
    At(id): At<InvitationId>,
) -> Result<StatusCode, ApiError> {
    find(&state, &asker, id).await?;
    let now = state.settings.clock.now();
    state
        .storage
        .people()
        .withdraw_invitation(asker.principal.clinic, id, now)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The former link is void: it may have gone to somebody else's letter box.
pub(crate) async fn send_again(
    State(state): State<AppState>,
    asker: Asker,
    At(id): At<InvitationId>,
) -> Result<Json<Invitation>, ApiError> {
    let stored = find(&state, &asker, id).await?;
    state.needs_mail()?;
    limit_mails(&state, &asker)?;
    let clinic = asker.principal.clinic;
    let inviter = Inviter {
        clinic,
        clinic_name: &stored.clinic_name,
        account: Some(asker.principal.account),
        name: &asker.principal.name,
    };
    let (token, hash) = mint_invitation_link(clinic);
    let Invitation {
        roles,
        email,
        full_name,
        ..
    } = &stored.invitation;
    let mail = inviter.mail(state.writing(), roles, email, full_name, &token);
    let expires_at = invitation_expiry(state.settings.clock.now());
    let renewed = state
        .storage
        .people()
        .renew_invitation(clinic, id, hash, expires_at, Some(mail))
        .await?;
    state.mails.written();
    renewed
        .map(|stored| Json(stored.invitation))
        .ok_or(ApiError::NotFound)
}
