//! What somebody sees and changes about their own account: name, password, address.
//!
//! Invariant: a new address is the account's only once a mail to it was answered, and the former one is told before.

use super::prove::has_proven;
use super::request::{Asker, Body, name};
use super::sign_in::note_everywhere;
use crate::error::ApiError;
use crate::identity::{EmailAddress, link_hash, mint_link};
use crate::mail::Letter;
use crate::server::AppState;
use crate::storage::Whom;
use crate::storage::people::{Account, LinkPurpose, NewLink};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use shared_model::accounts::{ChangeEmail, ChangeMe, ChangePassword, FollowLink, Me};
use shared_model::time::Timestamp;
use shared_model::trail::Happening;
use tokio::time::Instant;

const CONFIRM_WITHIN_MS: i64 = 3 * 24 * 3_600_000;

pub(crate) async fn me(State(state): State<AppState>, asker: Asker) -> Result<Json<Me>, ApiError> {
    let account = account_of(&state, &asker).await?;
    let has_password = account.has_password();
    Ok(Json(Me {
        account: account.account,
        full_name: account.full_name,
        has_password,
        email: account.email,
        email_verified: account.email_verified,
        new_email: account.new_email,
        memberships: state.storage.people().memberships(account.account).await?,
    }))
}

pub(super) async fn account_of(state: &AppState, asker: &Asker) -> Result<Account, ApiError> {
    let account = state.storage.people().account(asker.principal.account).await?;
    account.ok_or(ApiError::NotSignedIn)
}

pub(crate) async fn change_me(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<ChangeMe>,
) -> Result<Json<Me>, ApiError> {
    let full_name = name(&request.full_name)?;
    state
        .storage
        .people()
        .rename_account(asker.principal.account, &full_name)
        .await?;
    me(State(state), asker).await
}

/// For whoever has none yet, too.
pub(crate) async fn change_password(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    has_proven(&state, &asker, &request.proven).await?;
    let account = account_of(&state, &asker).await?;
    let hash = new_password(&state, &account, request.new, &[]).await?;
    let mail = state.letter_to(&account, Letter::PasswordChanged);
    state
        .storage
        .people()
        .change_password(account.account, &hash, asker.claims.family, mail)
        .await?;
    state.mails.written();
    state.look_again.at(Whom::Account(account.account));
    tracing::info!(account = %account.account, "changed their password");
    let device = Some(asker.claims.device);
    note_everywhere(&state, account.account, device, Happening::PasswordChanged);
    Ok(StatusCode::NO_CONTENT)
}

/// Judges a new password of somebody, knowing what is known about them, and hashes it.
pub(super) async fn new_password(
    state: &AppState,
    account: &Account,
    password: String,
    clinics: &[String],
) -> Result<String, ApiError> {
    let mut about = vec![account.full_name.clone(), account.email.clone()];
    let memberships = state.storage.people().memberships(account.account).await?;
    about.extend(memberships.into_iter().map(|one| one.clinic_name));
    about.extend(clinics.iter().cloned());
    Ok(state.passwords.judge_and_hash(password, about).await?)
}

/// The answer is the same whether the address is somebody else's: its owner is told, and nobody else is.
pub(crate) async fn change_email(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<ChangeEmail>,
) -> Result<StatusCode, ApiError> {
    state.needs_mail()?;
    let new = EmailAddress::parse(&request.email).ok_or_else(|| ApiError::cannot_be("no e-mail address"))?;
    has_proven(&state, &asker, &request.proven).await?;
    let account = account_of(&state, &asker).await?;
    limit_mails(&state, &asker)?;
    // Nobody's letter box is filled up by somebody who calls it their own, and nobody is told how full it is.
    if state.requests.mail_to(new.as_str(), Instant::now()).is_err() {
        return Ok(StatusCode::ACCEPTED);
    }
    let holder = state.storage.people().account_by_email(new.as_str()).await?;
    let taken = holder.is_some_and(|holder| holder.account != account.account);
    let (token, link) = confirm_link(&account, new.as_str(), state.settings.clock.now());
    let (to_new, name) = if taken {
        (Letter::EmailTaken, "")
    } else {
        (Letter::NewEmail { token: &token }, account.full_name.as_str())
    };
    let to_old = Letter::EmailChange {
        address: new.as_str(),
    };
    let mails = vec![
        state.writing().write(to_new, new.as_str(), name),
        state.writing().write(to_old, &account.email, &account.full_name),
    ];
    state.storage.people().add_link(link, mails).await?;
    state.mails.written();
    let device = Some(asker.claims.device);
    note_everywhere(&state, account.account, device, Happening::NewAddressAsked);
    Ok(StatusCode::ACCEPTED)
}

/// Whoever waits for nothing is told the same.
pub(crate) async fn take_back_new_email(
    State(state): State<AppState>,
    asker: Asker,
) -> Result<StatusCode, ApiError> {
    let account = asker.principal.account;
    if state.storage.people().take_back_new_email(account).await? {
        tracing::info!(%account, "took a new address back");
        let device = Some(asker.claims.device);
        note_everywhere(&state, account, device, Happening::NewAddressTakenBack);
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn verify_again(
    State(state): State<AppState>,
    asker: Asker,
) -> Result<StatusCode, ApiError> {
    state.needs_mail()?;
    let account = account_of(&state, &asker).await?;
    if account.email_verified {
        return Ok(StatusCode::ACCEPTED);
    }
    limit_mails(&state, &asker)?;
    let (token, link) = confirm_link(&account, &account.email, state.settings.clock.now());
    let letter = Letter::VerifyEmail { token: &token };
    let mail = state.writing().write(letter, &account.email, &account.full_name);
    state.storage.people().add_link(link, vec![mail]).await?;
    state.mails.written();
    Ok(StatusCode::ACCEPTED)
}

fn limit_mails(state: &AppState, asker: &Asker) -> Result<(), ApiError> {
    state
        .requests
        .mail_by(asker.principal.account, Instant::now())
        .map_err(ApiError::slow_down)
}

fn confirm_link(account: &Account, email: &str, now: Timestamp) -> (String, NewLink) {
    let (token, hash) = mint_link();
    let link = NewLink {
        hash,
        account: account.account,
        purpose: LinkPurpose::ConfirmEmail,
        email: email.to_owned(),
        expires_at: Timestamp(now.0 + CONFIRM_WITHIN_MS),
    };
    (token, link)
}

/// Whoever reads the mails of an address may say that it is theirs, wherever they are.
pub(crate) async fn verify_email(
    State(state): State<AppState>,
    Body(request): Body<FollowLink>,
) -> Result<StatusCode, ApiError> {
    let confirmed = state
        .storage
        .people()
        .confirm_email(link_hash(&request.token), state.settings.clock.now())
        .await?;
    let account = confirmed.ok_or(ApiError::LinkNoLongerValid)?;
    tracing::info!(%account, "confirmed an address");
    note_everywhere(&state, account, None, Happening::AddressConfirmed);
    Ok(StatusCode::NO_CONTENT)
}
