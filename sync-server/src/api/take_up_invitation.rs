//! Whoever was invited looks at the invitation and takes it up: with a new account, or with the one that they have.
//!
//! Invariant: an invitation is taken up once, and by whoever reads the mails of the address that it went to.

use super::me::new_password;
use super::openid::ToLink;
use super::request::{Body, CameFrom, name};
use super::sign_in::{Arrival, begin_sign_in, prove};
use crate::error::ApiError;
use crate::identity::read_invitation_link;
use crate::server::AppState;
use crate::storage::Whom;
use crate::storage::people::{Account, NewIdentity, StoredInvitation, TakeUp, TakenUp, Taker};
use axum::Json;
use axum::extract::State;
use shared_model::accounts::{AcceptInvitation, FollowLink, Invited, SignedIn};
use shared_model::ids::DeviceId;
use shared_model::trail::CameBy;

/// The invitation of a link, and what its token is kept as.
pub(super) async fn find(state: &AppState, token: &str) -> Result<(StoredInvitation, [u8; 32]), ApiError> {
    let (clinic, hash) = read_invitation_link(token).ok_or(ApiError::LinkNoLongerValid)?;
    let now = state.settings.clock.now();
    let stored = state
        .storage
        .people()
        .invitation_of_link(clinic, hash, now)
        .await?;
    Ok((stored.ok_or(ApiError::LinkNoLongerValid)?, hash))
}

pub(crate) async fn look(
    State(state): State<AppState>,
    Body(request): Body<FollowLink>,
) -> Result<Json<Invited>, ApiError> {
    let (stored, _) = find(&state, &request.token).await?;
    let invitation = stored.invitation;
    Ok(Json(Invited {
        clinic_name: stored.clinic_name,
        email: invitation.email,
        full_name: invitation.full_name,
        roles: invitation.roles,
        invited_by: invitation.invited_by,
        expires_at: invitation.expires_at,
        has_account: stored.has_account,
    }))
}

pub(crate) async fn accept(
    State(state): State<AppState>,
    CameFrom(address): CameFrom,
    Body(request): Body<AcceptInvitation>,
) -> Result<Json<SignedIn>, ApiError> {
    let (stored, token) = find(&state, &request.token).await?;
    let (people, invitation) = (state.storage.people(), &stored.invitation);
    let who = match people.account_by_email(&invitation.email).await? {
        Some(account) => {
            let (device, email) = (request.device, account.email.clone());
            let account = prove(&state, address, device, &email, request.password, Some(account)).await?;
            Taker::Existing(account.account)
        }
        None => {
            let full_name = name(&request.full_name)?;
            let to_be = Account {
                account: invitation.account,
                email: invitation.email.clone(),
                full_name: full_name.clone(),
                password_hash: String::new(),
                email_verified: true,
                new_email: None,
            };
            let clinics = [stored.clinic_name.clone()];
            let password_hash = new_password(&state, &to_be, request.password, &clinics).await?;
            Taker::New {
                full_name,
                password_hash,
            }
        }
    };
    // Before anything is taken up, so that the link still works on another device.
    if people.is_lost(request.device).await? {
        return Err(ApiError::DeviceLost);
    }
    let taker = Joining {
        who,
        identity: None,
        to_link: None,
        device: request.device,
        device_name: request.device_name,
        came_by: CameBy::Invitation,
    };
    join(&state, &stored, token, taker).await
}

/// Somebody who has shown that they may take an invitation up, and with what.
pub(super) struct Joining {
    pub(super) who: Taker,
    /// What a new account begins with instead of a password.
    pub(super) identity: Option<NewIdentity>,
    /// What an account that they had is linked with, once they are in.
    pub(super) to_link: Option<ToLink>,
    pub(super) device: DeviceId,
    pub(super) device_name: String,
    pub(super) came_by: CameBy,
}

pub(super) async fn join(
    state: &AppState,
    stored: &StoredInvitation,
    token: [u8; 32],
    joining: Joining,
) -> Result<Json<SignedIn>, ApiError> {
    let take_up = TakeUp {
        clinic: stored.clinic,
        token,
        now: state.settings.clock.now(),
        who: joining.who,
        identity: joining.identity,
    };
    let TakenUp::Member(account) = state.storage.people().take_up(take_up).await? else {
        return Err(ApiError::LinkNoLongerValid);
    };
    state.mails.written();
    state.look_again.at(Whom::Account(account));
    tracing::info!(%account, invitation = %stored.invitation.id, "took an invitation up");
    let arrival = Arrival {
        account,
        clinic: stored.clinic,
        device: joining.device,
        device_name: joining.device_name,
        came_by: joining.came_by,
        to_link: joining.to_link,
    };
    begin_sign_in(state, arrival).await
}
