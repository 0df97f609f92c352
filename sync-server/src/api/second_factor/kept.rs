//! What waits between two requests.

use crate::error::ApiError;
use crate::identity::{Asked, TOTP_SECRET, link_hash, mint_link};
use crate::server::AppState;
use serde::{Deserialize, Serialize};
use shared_model::ids::{AccountId, ClinicId, DeviceId};
use shared_model::time::Timestamp;
use shared_model::trail::CameBy;

/// For a person to fetch the telephone, scan, and type six digits.
const STEP_MS: i64 = 10 * 60_000;
/// So long a person has shown anew who they are.
const PROVEN_MS: i64 = 5 * 60_000;

#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Kept {
    /// The first factor was right.
    SignIn(SignInStep),
    /// Somebody who is signed in has given the password anew, and has a second factor to show.
    Prove { of: SignInOf, passkey: Option<Asked> },
    /// They have shown everything.
    Proven(SignInOf),
    /// A secret that was offered, and that no code has come back of yet.
    Totp {
        account: AccountId,
        secret: [u8; TOTP_SECRET],
    },
    /// A passkey is being made.
    PasskeyToMake { account: AccountId, asked: Asked },
    /// Somebody signs in with a passkey alone.
    PasskeyToShow(Asked),
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SignInStep {
    pub(super) account: AccountId,
    pub(super) clinic: ClinicId,
    pub(super) device: DeviceId,
    pub(super) device_name: String,
    pub(super) came_by: CameBy,
    pub(super) passkey: Option<Asked>,
    pub(super) set_up: SetUp,
}

/// Whether a factor is set up on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum SetUp {
    NotAsked,
    Asked,
    Done,
}

/// A sign-in of a person: what is proven in one is not in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SignInOf {
    pub(super) account: AccountId,
    pub(super) family: [u8; 16],
}

impl Kept {
    /// Keeps it under a fresh token.
    pub(super) async fn keep(&self, state: &AppState) -> Result<String, ApiError> {
        let (token, hash) = mint_link();
        self.keep_as(state, hash).await?;
        Ok(token)
    }

    /// Keeps it anew, for its minutes from now on.
    pub(super) async fn keep_as(&self, state: &AppState, hash: [u8; 32]) -> Result<(), ApiError> {
        let minutes = match self {
            Self::Proven(_) => PROVEN_MS,
            _ => STEP_MS,
        };
        let bytes = serde_json::to_vec(self).expect("texts, ids and numbers are always JSON");
        let expires_at = Timestamp(state.settings.clock.now().0 + minutes);
        Ok(state.storage.people().keep_step(hash, bytes, expires_at).await?)
    }

    /// What a token leads to, as long as it is good.
    pub(super) async fn find(state: &AppState, token: &str) -> Result<(Self, [u8; 32]), ApiError> {
        let (hash, now) = (link_hash(token), state.settings.clock.now());
        let found = state.storage.people().step(hash, now).await?;
        // What another build kept is as good as expired.
        let kept = found.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok((kept.ok_or(ApiError::LinkNoLongerValid)?, hash))
    }

    pub(super) async fn sign_in_step(
        state: &AppState,
        token: &str,
    ) -> Result<(SignInStep, [u8; 32]), ApiError> {
        match Self::find(state, token).await? {
            (Self::SignIn(step), hash) => Ok((step, hash)),
            _ => Err(ApiError::LinkNoLongerValid),
        }
    }
}

/// Uses it up; of two who do, one may go on.
pub(super) async fn use_up(state: &AppState, hash: [u8; 32]) -> Result<(), ApiError> {
    let now = state.settings.clock.now();
    let taken = state.storage.people().take_step(hash, now).await?;
    taken.map(drop).ok_or(ApiError::LinkNoLongerValid)
}
