//! Whoever is signed in shows anew who they are, before anything changes of what decides about signing in.
//!
//! Place in the flow: before `me`, `openid` and `second_factor`, whose changes ask for the word that is given here.
//! Invariants: the word takes as much as signing in does, the first factor and the second one where there is one; it is
//! good for minutes, in the sign-in that it was given in, and in no other.

use super::me::account_of;
use super::openid::show_provider;
use super::request::{Asker, Body, CameFrom};
use super::sealed_step::{self, use_up};
use super::second_factor::{SetUp, Showing, passkey_options, second_step, show};
use super::sign_in::prove;
use crate::error::ApiError;
use crate::identity::{Asked, link_hash};
use crate::server::AppState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared_model::ids::AccountId;
use shared_model::second_factor::{FinishSignIn, Prove, Proven};
use shared_model::ways_in::Proof;

/// So long a person has shown anew who they are.
pub(super) const PROVEN_MS: i64 = 5 * 60_000;

/// A sign-in of a person: what is proven in one is not in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SignInOf {
    account: AccountId,
    family: [u8; 16],
}

impl SignInOf {
    pub(super) fn of(asker: &Asker) -> Self {
        Self {
            account: asker.principal.account,
            family: asker.claims.family,
        }
    }
}

#[derive(Serialize, Deserialize)]
enum Shown {
    /// The first factor was right; there is a second one to show.
    First {
        of: SignInOf,
        passkey: Option<Asked>,
    },
    Everything {
        of: SignInOf,
        second: bool,
    },
}

pub(crate) async fn prove_by_first(
    State(state): State<AppState>,
    asker: Asker,
    CameFrom(address): CameFrom,
    Body(request): Body<Prove>,
) -> Result<Json<Proven>, ApiError> {
    match request.proof {
        Proof::Password(password) => {
            let account = account_of(&state, &asker).await?;
            let (device, email) = (asker.claims.device, account.email.clone());
            prove(&state, address, device, &email, password, Some(account)).await?;
        }
        Proof::Provider { code, verifier } => show_provider(&state, &asker, &code, &verifier).await?,
    }
    let of = SignInOf::of(&asker);
    let factors = state.storage.people().factors(of.account).await?;
    if factors.has_any() {
        let (options, passkey) = passkey_options(&state, &factors)?;
        let step = sealed_step::keep(&state, &Shown::First { of, passkey }, PROVEN_MS).await?;
        return Err(ApiError::SecondFactor(second_step(&factors, step, options)));
    }
    proven(&state, of, false).await
}

pub(crate) async fn prove_by_second(
    State(state): State<AppState>,
    asker: Asker,
    CameFrom(address): CameFrom,
    Body(request): Body<FinishSignIn>,
) -> Result<Json<Proven>, ApiError> {
    let hash = link_hash(&request.step);
    let (of, passkey) = match sealed_step::find(&state, hash).await? {
        Some(Shown::First { of, passkey }) if of == SignInOf::of(&asker) => (of, passkey),
        _ => return Err(ApiError::LinkNoLongerValid),
    };
    let showing = Showing {
        account: of.account,
        device: asker.claims.device,
        address,
        passkey: passkey.as_ref(),
        set_up: SetUp::NotAsked,
    };
    show(&state, showing, &request.proof).await?;
    use_up(&state, hash).await?;
    proven(&state, of, true).await
}

async fn proven(state: &AppState, of: SignInOf, second: bool) -> Result<Json<Proven>, ApiError> {
    let proven = sealed_step::keep(state, &Shown::Everything { of, second }, PROVEN_MS).await?;
    Ok(Json(Proven { proven }))
}

/// Refuses who has not shown a moment ago, in this sign-in, who they are; `word` is what they were given for it. Tells
/// whether a second factor was shown; where none was, there was none to show.
pub(super) async fn has_proven(state: &AppState, asker: &Asker, word: &str) -> Result<bool, ApiError> {
    let second = match sealed_step::find(state, link_hash(word)).await? {
        Some(Shown::Everything { of, second }) if of == SignInOf::of(asker) => second,
        _ => return Err(ApiError::LinkNoLongerValid),
    };
    // One that was given before there was a second factor is good for nothing once there is.
    if second
        || !state
            .storage
            .people()
            .factors(asker.principal.account)
            .await?
            .has_any()
    {
        Ok(second)
    } else {
        Err(ApiError::LinkNoLongerValid)
    }
}
