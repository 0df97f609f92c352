//! The client fetches what came of it: a sign-in, an invitation taken up, or a link.

use super::fetch::{Fetched, fetch};
use super::new_identity;
use super::step::{Purpose, use_up};
use crate::api::me::account_of;
use crate::api::request::{Asker, Body, CameFrom, name};
use crate::api::sign_in::{begin_sign_in, choose, counted_as, note_everywhere, prove};
use crate::api::take_up_invitation::{Joining, find, join};
use crate::error::ApiError;
use crate::identity::Address;
use crate::mail::Letter;
use crate::server::AppState;
use crate::storage::people::{Account, NewIdentity, NewMail, Taker};
use axum::Json;
use axum::extract::State;
use shared_model::accounts::SignedIn;
use shared_model::ids::{AccountId, DeviceId};
use shared_model::trail::{CameBy, Happening};
use shared_model::ways_in::{FinishLinking, FinishOpenId, LinkWith, LinkedIdentity};

pub(crate) async fn finish(
    State(state): State<AppState>,
    CameFrom(address): CameFrom,
    Body(request): Body<FinishOpenId>,
) -> Result<Json<SignedIn>, ApiError> {
    let fetched = fetch(&state, &request.code, &request.verifier).await?;
    match &fetched.purpose {
        Purpose::SignIn => sign_in(&state, address, &fetched, request).await,
        Purpose::TakeUp(token) => take_up(&state, address, &fetched, token, request).await,
        Purpose::Link(_) | Purpose::Prove(_) => Err(ApiError::LinkNoLongerValid),
    }
}

async fn sign_in(
    state: &AppState,
    address: Address,
    fetched: &Fetched,
    request: FinishOpenId,
) -> Result<Json<SignedIn>, ApiError> {
    let people = state.storage.people();
    let vouched = &fetched.vouched;
    let known = people.identity(&vouched.issuer, &vouched.subject).await?;
    let (account, link) = match (known, request.link_with) {
        (Some(known), _) => (known.account, None),
        (None, None) => return Err(fetched.not_linked()),
        (None, Some(LinkWith { email, password })) => {
            let email = email.trim().to_lowercase();
            let account = people.account_by_email(&email).await?;
            let account = prove_to_link(state, &email, address, password, account, request.device).await?;
            (account.account, Some(account))
        }
    };
    if people.is_lost(request.device).await? {
        return Err(ApiError::DeviceLost);
    }
    let clinic = choose(&people.memberships(account).await?, request.clinic)?;
    use_up(state, fetched.hash).await?;
    if let Some(account) = &link {
        let identity = new_identity(state, vouched.clone());
        self::link(state, account, identity, &fetched.label, Some(request.device)).await?;
    }
    let came_by = CameBy::Provider;
    begin_sign_in(
        state,
        account,
        clinic,
        request.device,
        &request.device_name,
        came_by,
    )
    .await
}

/// As signing in with the password does, the trail included.
async fn prove_to_link(
    state: &AppState,
    email: &str,
    address: Address,
    password: String,
    account: Option<Account>,
    device: DeviceId,
) -> Result<Account, ApiError> {
    let known = account.as_ref().map(|account| account.account);
    let counted = counted_as(state, email, known, device).await?;
    let proved = prove(state, &counted, address, password, account).await;
    if let (Err(ApiError::WrongCredentials), Some(known)) = (&proved, known) {
        note_everywhere(state, known, Some(device), Happening::SignInRefused);
    }
    proved
}

/// Whoever has the invitation's link reads the mails of its address; the provider says who they are from now on.
async fn take_up(
    state: &AppState,
    address: Address,
    fetched: &Fetched,
    token: &str,
    request: FinishOpenId,
) -> Result<Json<SignedIn>, ApiError> {
    let (stored, hash) = find(state, token).await?;
    let people = state.storage.people();
    let vouched = &fetched.vouched;
    let known = people.identity(&vouched.issuer, &vouched.subject).await?;
    let holder = people.account_by_email(&stored.invitation.email).await?;
    let told = |holder: &Account| {
        let linked = Letter::ProviderLinked {
            provider: &fetched.label,
        };
        letter(state, holder, linked)
    };
    let (who, is_new, mail) = match (known, holder) {
        (Some(known), Some(holder)) if known.account == holder.account => {
            (Taker::Existing(holder.account), false, None)
        }
        (Some(_), _) => return Err(ApiError::LinkedElsewhere),
        (None, Some(holder)) => {
            let Some(LinkWith { password, .. }) = request.link_with else {
                return Err(fetched.not_linked());
            };
            let email = holder.email.clone();
            let holder =
                prove_to_link(state, &email, address, password, Some(holder), request.device).await?;
            (Taker::Existing(holder.account), true, told(&holder))
        }
        (None, None) => {
            let new = Taker::New {
                full_name: name(&request.full_name)?,
                password_hash: String::new(),
            };
            (new, true, None)
        }
    };
    if people.is_lost(request.device).await? {
        return Err(ApiError::DeviceLost);
    }
    use_up(state, fetched.hash).await?;
    let joining = Joining {
        who,
        identity: is_new.then(|| new_identity(state, vouched.clone())),
        mail,
        device: request.device,
        device_name: &request.device_name,
        came_by: CameBy::InvitationWithProvider,
    };
    let joined = join(state, &stored, hash, joining).await?;
    if is_new {
        linked_now(state, joined.principal.account, Some(request.device));
    }
    Ok(joined)
}

pub(crate) async fn finish_linking(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<FinishLinking>,
) -> Result<Json<LinkedIdentity>, ApiError> {
    let fetched = fetch(&state, &request.code, &request.verifier).await?;
    use_up(&state, fetched.hash).await?;
    match fetched.purpose {
        Purpose::Link(account) if account == asker.principal.account => {}
        _ => return Err(ApiError::LinkNoLongerValid),
    }
    let account = account_of(&state, &asker).await?;
    let identity = new_identity(&state, fetched.vouched);
    let device = Some(asker.claims.device);
    let linked = link(&state, &account, identity, &fetched.label, device).await?;
    Ok(Json(LinkedIdentity {
        identity: linked.identity,
        provider: fetched.label,
        email: linked.profile.email,
        linked_at: linked.linked_at,
    }))
}

/// Links, and tells the person and the trail unless it was linked already.
async fn link(
    state: &AppState,
    account: &Account,
    identity: NewIdentity,
    label: &str,
    device: Option<DeviceId>,
) -> Result<NewIdentity, ApiError> {
    let mail = letter(state, account, Letter::ProviderLinked { provider: label });
    let id = identity.identity;
    let linked = state
        .storage
        .people()
        .link_identity(account.account, identity, mail)
        .await?
        .ok_or(ApiError::LinkedElsewhere)?;
    if linked.identity == id {
        state.mails.written();
        linked_now(state, account.account, device);
    }
    Ok(linked)
}

fn linked_now(state: &AppState, account: AccountId, device: Option<DeviceId>) {
    tracing::info!(%account, "linked an account of a sign-in provider");
    note_everywhere(state, account, device, Happening::ProviderLinked);
}

/// If there is a way to tell them.
pub(super) fn letter(state: &AppState, account: &Account, letter: Letter<'_>) -> Option<NewMail> {
    let written = || state.writing().write(letter, &account.email, &account.full_name);
    state.settings.post.leads_somewhere().then(written)
}
