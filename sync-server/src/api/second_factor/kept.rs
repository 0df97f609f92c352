//! What waits between two requests.

use crate::api::prove::{PROVEN_MS, SignInOf};
use crate::api::sealed_step;
use crate::api::sign_in::Arrival;
use crate::error::ApiError;
use crate::identity::{Asked, TOTP_SECRET, link_hash};
use crate::server::AppState;
use crate::storage::people::Account;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// For a person to fetch the telephone, scan, and type six digits.
const STEP_MS: i64 = 10 * 60_000;

#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Kept {
    /// The first factor was right.
    SignIn(SignInStep),
    /// A secret that was offered, and that no code has come back of yet. `only_first` as in `NewFactor`: what was offered to
    /// who had no second factor to show comes too late once there is one.
    Totp {
        to: To,
        only_first: bool,
        secret: [u8; TOTP_SECRET],
    },
    /// A passkey is being made.
    PasskeyToMake {
        of: SignInOf,
        only_first: bool,
        asked: Asked,
    },
    /// Somebody signs in with a passkey alone.
    PasskeyToShow(Asked),
}

/// Whom an app is offered to.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum To {
    /// Who has proven in this sign-in that it is they.
    SignIn(SignInOf),
    /// Who has the step that is kept under this hash.
    Step([u8; 32]),
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SignInStep {
    pub(super) arrival: Arrival,
    pub(super) passkey: Option<Asked>,
    pub(super) set_up: SetUp,
    /// Of the password that the account had then: another one ends what had come half way, too.
    pub(super) password: [u8; 32],
}

/// What tells one password of an account from the next; of an account without one, too.
pub(super) fn fingerprint(account: &Account) -> [u8; 32] {
    Sha256::digest(account.password_hash.as_bytes()).into()
}

/// Whether a factor is set up on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SetUp {
    NotAsked,
    Asked,
    Done,
}

impl Kept {
    fn life(&self) -> i64 {
        match self {
            Self::Totp {
                to: To::SignIn(_), ..
            }
            | Self::PasskeyToMake { .. } => PROVEN_MS,
            Self::SignIn(_) | Self::Totp { .. } | Self::PasskeyToShow(_) => STEP_MS,
        }
    }

    /// Keeps it under a fresh token.
    pub(super) async fn keep(&self, state: &AppState) -> Result<String, ApiError> {
        sealed_step::keep(state, self, self.life()).await
    }

    /// Keeps it anew, for its minutes from now on.
    pub(super) async fn keep_as(&self, state: &AppState, hash: [u8; 32]) -> Result<(), ApiError> {
        sealed_step::keep_as(state, hash, self, self.life()).await
    }

    /// What a token leads to, as long as it is good.
    pub(super) async fn find(state: &AppState, token: &str) -> Result<(Self, [u8; 32]), ApiError> {
        let hash = link_hash(token);
        let kept = sealed_step::find(state, hash).await?;
        Ok((kept.ok_or(ApiError::LinkNoLongerValid)?, hash))
    }

    pub(super) async fn sign_in_step(
        state: &AppState,
        token: &str,
    ) -> Result<(SignInStep, [u8; 32]), ApiError> {
        let (Self::SignIn(step), hash) = Self::find(state, token).await? else {
            return Err(ApiError::LinkNoLongerValid);
        };
        let account = state.storage.people().account(step.arrival.account).await?;
        if account.is_some_and(|account| fingerprint(&account) == step.password) {
            Ok((step, hash))
        } else {
            Err(ApiError::LinkNoLongerValid)
        }
    }
}
