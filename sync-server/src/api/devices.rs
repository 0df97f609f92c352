//! Devices: a person's own, and those of a clinic's members for its administrators.
//!
//! A device that several people are signed in on is the clinic's: that it was lost is said by an administrator. Neither
//! has a say over a device on which people of another clinic are signed in.
//!
//! Invariant: what a report ends, it ends at once, on every node.

use super::request::{Asker, At, Body, name};
use crate::error::ApiError;
use crate::identity::refresh_hash;
use crate::server::AppState;
use crate::storage::Whom;
use crate::storage::people::{LostJudge, LostReport};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use shared_model::accounts::{Device, NameDevice, Refresh};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::permissions::Role;
use shared_model::trail::{Detail, Happening};

pub(crate) async fn own_devices(
    State(state): State<AppState>,
    asker: Asker,
) -> Result<Json<Vec<Device>>, ApiError> {
    Ok(Json(list(&state, &asker, asker.principal.account).await?))
}

pub(crate) async fn name_device(
    State(state): State<AppState>,
    asker: Asker,
    At(device): At<DeviceId>,
    Body(request): Body<NameDevice>,
) -> Result<StatusCode, ApiError> {
    let name = name(&request.name)?;
    let people = state.storage.people();
    let known = people.name_device(asker.principal.account, device, &name).await?;
    done_if(known)
}

pub(crate) async fn sign_out_own(
    State(state): State<AppState>,
    asker: Asker,
    At(device): At<DeviceId>,
) -> Result<StatusCode, ApiError> {
    let me = asker.principal.account;
    let done = sign_out(&state, me, device, None).await?;
    note(&state, &asker, Happening::DeviceSignedOut, me, device).await?;
    Ok(done)
}

pub(crate) async fn own_lost(
    State(state): State<AppState>,
    asker: Asker,
    At(device): At<DeviceId>,
) -> Result<StatusCode, ApiError> {
    let me = asker.principal.account;
    let done = lost(&state, &asker, me, device, own(&asker)).await?;
    note(&state, &asker, Happening::DeviceLost, me, device).await?;
    Ok(done)
}

pub(crate) async fn own_found(
    State(state): State<AppState>,
    asker: Asker,
    At(device): At<DeviceId>,
) -> Result<StatusCode, ApiError> {
    let me = asker.principal.account;
    let done = found(&state, me, device, own(&asker)).await?;
    note(&state, &asker, Happening::DeviceFound, me, device).await?;
    Ok(done)
}

pub(crate) async fn members_devices(
    State(state): State<AppState>,
    asker: Asker,
    At(account): At<AccountId>,
) -> Result<Json<Vec<Device>>, ApiError> {
    looks_after(&state, &asker, account).await?;
    Ok(Json(list(&state, &asker, account).await?))
}

pub(crate) async fn sign_out_members(
    State(state): State<AppState>,
    asker: Asker,
    At((account, device)): At<(AccountId, DeviceId)>,
) -> Result<StatusCode, ApiError> {
    looks_after(&state, &asker, account).await?;
    let done = sign_out(&state, account, device, Some(asker.principal.clinic)).await?;
    note(&state, &asker, Happening::DeviceSignedOut, account, device).await?;
    Ok(done)
}

pub(crate) async fn members_lost(
    State(state): State<AppState>,
    asker: Asker,
    At((account, device)): At<(AccountId, DeviceId)>,
) -> Result<StatusCode, ApiError> {
    looks_after(&state, &asker, account).await?;
    let done = lost(&state, &asker, account, device, of_clinic(&asker, account)).await?;
    note(&state, &asker, Happening::DeviceLost, account, device).await?;
    Ok(done)
}

pub(crate) async fn members_found(
    State(state): State<AppState>,
    asker: Asker,
    At((account, device)): At<(AccountId, DeviceId)>,
) -> Result<StatusCode, ApiError> {
    looks_after(&state, &asker, account).await?;
    let done = found(&state, account, device, of_clinic(&asker, account)).await?;
    note(&state, &asker, Happening::DeviceFound, account, device).await?;
    Ok(done)
}

/// A lost device says that it has deleted its records. Whoever is not that device learns nothing.
pub(crate) async fn purged(
    State(state): State<AppState>,
    Body(request): Body<Refresh>,
) -> Result<StatusCode, ApiError> {
    let token = refresh_hash(&request.refresh_token);
    let now = state.settings.clock.now();
    let people = state.storage.people();
    if people.note_purged(request.device, token, now).await? {
        tracing::info!(device = %request.device, "a lost device has deleted its records");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Administrators look after those who belong to their clinic.
async fn looks_after(state: &AppState, asker: &Asker, account: AccountId) -> Result<(), ApiError> {
    asker.is(Role::ClinicAdministrator)?;
    let memberships = state.storage.people().memberships(account).await?;
    let is_member = memberships
        .iter()
        .any(|membership| membership.clinic == asker.principal.clinic);
    is_member.then_some(()).ok_or(ApiError::NotFound)
}

/// Puts what the asker did to somebody's device into the clinic's trail.
async fn note(
    state: &AppState,
    asker: &Asker,
    what: Happening,
    account: AccountId,
    device: DeviceId,
) -> Result<(), ApiError> {
    let detail = Detail {
        device: Some(device),
        ..Detail::of(account)
    };
    let happened = asker.event(what, state.settings.clock.now(), &detail);
    Ok(state.storage.note(asker.principal.clinic, vec![happened]).await?)
}

/// Nobody but the person is signed in there.
fn own(asker: &Asker) -> LostJudge {
    let me = asker.principal.account;
    Box::new(move |signed_in| signed_in.iter().all(|(account, _)| *account == me))
}

/// Nobody but the member, and others of the clinic, is signed in there.
fn of_clinic(asker: &Asker, member: AccountId) -> LostJudge {
    let own: ClinicId = asker.principal.clinic;
    Box::new(move |signed_in| {
        signed_in
            .iter()
            .all(|(account, clinic)| *account == member || *clinic == own)
    })
}

async fn list(state: &AppState, asker: &Asker, account: AccountId) -> Result<Vec<Device>, ApiError> {
    let now = state.settings.clock.now();
    let mut devices = state.storage.people().devices(account, now).await?;
    for device in &mut devices {
        device.current = device.device == asker.claims.device && account == asker.principal.account;
    }
    Ok(devices)
}

async fn sign_out(
    state: &AppState,
    account: AccountId,
    device: DeviceId,
    clinic: Option<ClinicId>,
) -> Result<StatusCode, ApiError> {
    let people = state.storage.people();
    let known = people.sign_out_device(account, device, clinic).await?;
    state.look_again.at(Whom::Account(account));
    done_if(known)
}

async fn lost(
    state: &AppState,
    asker: &Asker,
    account: AccountId,
    device: DeviceId,
    judge: LostJudge,
) -> Result<StatusCode, ApiError> {
    let (by, now) = (asker.principal.account, state.settings.clock.now());
    let people = state.storage.people();
    let report = people.report_lost(account, device, by, now, judge).await?;
    state.look_again.at(Whom::Device(device));
    tracing::warn!(%device, %by, ?report, "a device was reported lost");
    answer(report)
}

async fn found(
    state: &AppState,
    account: AccountId,
    device: DeviceId,
    judge: LostJudge,
) -> Result<StatusCode, ApiError> {
    let now = state.settings.clock.now();
    let people = state.storage.people();
    answer(people.report_found(account, device, now, judge).await?)
}

fn answer(report: LostReport) -> Result<StatusCode, ApiError> {
    match report {
        LostReport::Noted => Ok(StatusCode::NO_CONTENT),
        LostReport::NoSuchDevice => Err(ApiError::NotFound),
        LostReport::NotPermitted => Err(ApiError::NotPermitted),
    }
}

fn done_if(known: bool) -> Result<StatusCode, ApiError> {
    known.then_some(StatusCode::NO_CONTENT).ok_or(ApiError::NotFound)
}
