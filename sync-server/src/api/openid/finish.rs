//! The client fetches what came of it: a sign-in, an invitation taken up, or a link.

use super::fetch::{Fetched, fetch};
use super::new_identity;
use super::step::Purpose;
use crate::api::prove::SignInOf;
use crate::api::request::{Asker, Body, CameFrom, name};
use crate::api::sealed_step::use_up;
use crate::api::sign_in::{Arrival, begin_sign_in, choose, note_everywhere, prove};
use crate::api::take_up_invitation::{Joining, find, join};
use crate::error::ApiError;
use crate::identity::{Address, Vouched};
use crate::mail::Letter;
use crate::server::AppState;
use crate::storage::people::{NewIdentity, Taker};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
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
    let (account, is_new) = match (known, request.link_with) {
        (Some(known), _) => (known.account, false),
        (None, None) => return Err(fetched.not_linked()),
        (None, Some(LinkWith { email, password })) => {
            let email = email.trim().to_lowercase();
            let account = people.account_by_email(&email).await?;
            let account = prove(state, address, request.device, &email, password, account).await?;
            (account.account, true)
        }
    };
    if people.is_lost(request.device).await? {
        return Err(ApiError::DeviceLost);
    }
    let clinic = choose(&people.memberships(account).await?, request.clinic)?;
    use_up(state, fetched.hash).await?;
    let arrival = Arrival {
        account,
        clinic,
        device: request.device,
        device_name: request.device_name,
        came_by: CameBy::Provider,
        to_link: is_new.then(|| fetched.to_link()),
    };
    begin_sign_in(state, arrival).await
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
    let (who, identity, to_link) = match (known, holder) {
        (Some(known), Some(holder)) if known.account == holder.account => {
            (Taker::Existing(holder.account), None, None)
        }
        (Some(_), _) => return Err(ApiError::LinkedElsewhere),
        (None, Some(holder)) => {
            let Some(LinkWith { password, .. }) = request.link_with else {
                return Err(fetched.not_linked());
            };
            let email = holder.email.clone();
            let holder = prove(state, address, request.device, &email, password, Some(holder)).await?;
            (Taker::Existing(holder.account), None, Some(fetched.to_link()))
        }
        (None, None) => {
            let new = Taker::New {
                full_name: name(&request.full_name)?,
                password_hash: String::new(),
            };
            (new, Some(new_identity(state, vouched.clone())), None)
        }
    };
    if people.is_lost(request.device).await? {
        return Err(ApiError::DeviceLost);
    }
    use_up(state, fetched.hash).await?;
    let is_new = identity.is_some();
    let joining = Joining {
        who,
        identity,
        to_link,
        device: request.device,
        device_name: request.device_name,
        came_by: CameBy::InvitationWithProvider,
    };
    let joined = join(state, &stored, hash, joining).await;
    // Whoever is asked for more has taken it up all the same.
    let has_joined = matches!(joined, Ok(_) | Err(ApiError::SecondFactorToSetUp(_)));
    if is_new && has_joined {
        linked_now(state, stored.invitation.account, Some(request.device));
    }
    joined
}

pub(crate) async fn finish_linking(
    State(state): State<AppState>,
    asker: Asker,
    Body(request): Body<FinishLinking>,
) -> Result<Json<LinkedIdentity>, ApiError> {
    let fetched = fetch(&state, &request.code, &request.verifier).await?;
    use_up(&state, fetched.hash).await?;
    let of = SignInOf::of(&asker);
    if !matches!(fetched.purpose, Purpose::Link(begun_by) if begun_by == of) {
        return Err(ApiError::LinkNoLongerValid);
    }
    let (account, device) = (asker.principal.account, Some(asker.claims.device));
    let linked = link(&state, account, fetched.to_link(), device).await?;
    Ok(Json(LinkedIdentity {
        identity: linked.identity,
        provider: fetched.label,
        email: linked.profile.email,
        linked_at: linked.linked_at,
    }))
}

/// Whom a provider vouches for, and what it is called for people: to be linked with an account.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ToLink {
    vouched: Vouched,
    label: String,
}

impl Fetched {
    fn to_link(&self) -> ToLink {
        ToLink {
            vouched: self.vouched.clone(),
            label: self.label.clone(),
        }
    }
}

/// Links, and tells the person and the trail unless it was linked already.
pub(crate) async fn link(
    state: &AppState,
    account: AccountId,
    to_link: ToLink,
    device: Option<DeviceId>,
) -> Result<NewIdentity, ApiError> {
    let people = state.storage.people();
    let known = people.account(account).await?.ok_or(ApiError::NotSignedIn)?;
    let letter = Letter::ProviderLinked {
        provider: &to_link.label,
    };
    let mail = state.letter_to(&known, letter);
    let identity = new_identity(state, to_link.vouched);
    let id = identity.identity;
    let linked = people
        .link_identity(account, identity, mail)
        .await?
        .ok_or(ApiError::LinkedElsewhere)?;
    if linked.identity == id {
        state.mails.written();
        linked_now(state, account, device);
    }
    Ok(linked)
}

fn linked_now(state: &AppState, account: AccountId, device: Option<DeviceId>) {
    tracing::info!(%account, "linked an account of a sign-in provider");
    note_everywhere(state, account, device, Happening::ProviderLinked);
}
