//! A password was forgotten: a link goes to the address, and whoever follows it chooses another one.
//!
//! Invariant: the answer to asking is there before anybody has looked whether there is such an account, so it tells
//! nothing, and neither does the time it takes.

use super::me::new_password;
use super::request::{Body, CameFrom};
use super::sign_in::note_everywhere;
use crate::error::ApiError;
use crate::identity::{EmailAddress, link_hash, mint_link};
use crate::mail::Letter;
use crate::server::AppState;
use crate::storage::people::{LinkPurpose, NewLink};
use crate::storage::{Stored, Whom};
use axum::extract::State;
use axum::http::StatusCode;
use shared_model::accounts::{ForgotPassword, ResetPassword};
use shared_model::time::Timestamp;
use shared_model::trail::Happening;
use tokio::time::Instant;

const RESET_WITHIN_MS: i64 = 3_600_000;

pub(crate) async fn forgot_password(
    State(state): State<AppState>,
    CameFrom(address): CameFrom,
    Body(request): Body<ForgotPassword>,
) -> Result<StatusCode, ApiError> {
    state.needs_mail()?;
    state
        .requests
        .mail_from(address, Instant::now())
        .map_err(ApiError::slow_down)?;
    if let Some(email) = EmailAddress::parse(&request.email) {
        let sending = state.clone();
        state.afterwards.spawn(async move {
            if let Err(error) = send_link(&sending, &email).await {
                tracing::error!(%error, "a link for a new password was not written");
            }
        });
    }
    Ok(StatusCode::ACCEPTED)
}

async fn send_link(state: &AppState, email: &EmailAddress) -> Stored<()> {
    // Nobody's letter box is filled up by somebody who knows their address.
    if state.requests.mail_to(email.as_str(), Instant::now()).is_err() {
        return Ok(());
    }
    let Some(account) = state.storage.people().account_by_email(email.as_str()).await? else {
        return Ok(());
    };
    let (token, hash) = mint_link();
    let link = NewLink {
        hash,
        account: account.account,
        purpose: LinkPurpose::ResetPassword,
        email: account.email.clone(),
        expires_at: Timestamp(state.settings.clock.now().0 + RESET_WITHIN_MS),
    };
    let letter = Letter::ResetPassword { token: &token };
    let mail = state.writing().write(letter, &account.email, &account.full_name);
    state.storage.people().add_link(link, vec![mail]).await?;
    state.mails.written();
    Ok(())
}

pub(crate) async fn reset_password(
    State(state): State<AppState>,
    Body(request): Body<ResetPassword>,
) -> Result<StatusCode, ApiError> {
    let now = state.settings.clock.now();
    let (people, hash) = (state.storage.people(), link_hash(&request.token));
    let link = people.link(hash, LinkPurpose::ResetPassword, now).await?;
    let link = link.ok_or(ApiError::LinkNoLongerValid)?;
    let account = people.account(link.account).await?;
    let account = account.ok_or(ApiError::LinkNoLongerValid)?;
    // A password that is too weak does not use the link up.
    let password = new_password(&state, &account, request.password, &[]).await?;
    let mail = state.letter_to(&account, Letter::PasswordChanged);
    let reset = people.reset_password(hash, now, &password, mail).await?;
    let account = reset.ok_or(ApiError::LinkNoLongerValid)?;
    state.mails.written();
    state.look_again.at(Whom::Account(account));
    tracing::info!(%account, "chose a new password by mail");
    note_everywhere(&state, account, None, Happening::PasswordChanged);
    Ok(StatusCode::NO_CONTENT)
}
