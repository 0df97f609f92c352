//! Clinics, for system administrators: which there are, and a new one with its first administrator invited.

use super::request::{Asker, Body, name};
use crate::error::ApiError;
use crate::invite::Inviter;
use crate::open_clinic::{OpenClinicError, profile, write_profile};
use crate::server::AppState;
use crate::storage::people::OpenedClinic;
use axum::Json;
use axum::extract::State;
use shared_model::accounts::{Clinic, OpenClinic};
use shared_model::permissions::Role;

pub(crate) async fn clinics(
    State(state): State<AppState>,
    asker: Asker,
) -> Result<Json<Vec<Clinic>>, ApiError> {
    asker.is(Role::SystemAdministrator)?;
    Ok(Json(state.storage.people().clinics_with_members().await?))
}

/// The same again does no harm: what a request that broke off left undone is done then.
pub(crate) async fn open_clinic(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<OpenClinic>,
) -> Result<Json<Clinic>, ApiError> {
    asker.is(Role::SystemAdministrator)?;
    asker.may_give(&request.administrator.roles)?;
    if request.administrator.roles != [Role::ClinicAdministrator] {
        return Err(ApiError::cannot_be(
            "a clinic's first member is its administrator",
        ));
    }
    state.needs_mail()?;
    let clinic_name = name(&request.name)?;
    let inviter = Inviter {
        clinic: request.clinic,
        clinic_name: &clinic_name,
        account: None,
        name: &asker.principal.name,
    };
    let (invitation, _) = inviter.write(state.writing(), &request.administrator)?;
    let opened = OpenedClinic {
        clinic: request.clinic,
        name: clinic_name.clone(),
        created_at: invitation.invited_at,
    };
    let profile = profile(&clinic_name, &request.time_zone)?;
    let invited = state.storage.people().open_clinic(opened, invitation).await?;
    let invited = invited.ok_or_else(|| ApiError::cannot_be("there is such a clinic or account already"))?;
    state.mails.written();
    write_profile(
        &state.storage,
        request.clinic,
        invited.invitation.account,
        profile,
    )
    .await?;
    tracing::info!(clinic = %request.clinic, "a clinic was opened");
    let clinics = state.storage.people().clinics_with_members().await?;
    let opened = clinics.into_iter().find(|clinic| clinic.clinic == request.clinic);
    opened.map(Json).ok_or(ApiError::NotFound)
}

impl From<OpenClinicError> for ApiError {
    fn from(error: OpenClinicError) -> Self {
        match error {
            OpenClinicError::Storage(error) => error.into(),
            OpenClinicError::Profile(why) => Self::cannot_be(&why),
        }
    }
}
