//! What waits between two visits.

use crate::api::prove::SignInOf;
use crate::api::sealed_step;
use crate::error::ApiError;
use crate::identity::{Vouched, link_hash};
use crate::server::AppState;
use serde::{Deserialize, Serialize};
use shared_model::time::Timestamp;
use shared_model::ways_in::ReturnTo;

/// For a person to sign in at the provider, and then to finish here.
const WITHIN_MS: i64 = 10 * 60_000;

#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Step {
    /// The browser is at the provider.
    Begun(Begun),
    /// It is back; the client has to fetch what came of it.
    Returned(Returned),
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Begun {
    pub(super) provider: String,
    /// Where the browser is sent.
    pub(super) address: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    /// Of the client.
    pub(super) challenge: String,
    pub(super) purpose: Purpose,
    pub(super) return_to: ReturnTo,
    /// The hash of its cookie; none yet for a browser that has not come by.
    pub(super) browser: Option<[u8; 32]>,
    pub(super) begun_at: Timestamp,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Returned {
    pub(super) provider: String,
    pub(super) challenge: String,
    pub(super) purpose: Purpose,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Purpose {
    SignIn,
    /// With the token of the invitation.
    TakeUp(String),
    /// With whoever is signed in.
    Link(SignInOf),
    /// Whoever is signed in shows once more that it is they.
    Prove(SignInOf),
}

impl Purpose {
    /// Whether somebody has to sign in at the provider for it: a session that stands open there as well proves nothing.
    pub(super) fn is_anew(&self) -> bool {
        matches!(self, Self::Prove(_))
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Outcome {
    Vouched(Vouched),
    Refused,
    /// The provider does not show that they signed in for this.
    NotAnew,
    Away,
}

impl Step {
    /// Keeps a step under a fresh token.
    pub(super) async fn keep(&self, state: &AppState) -> Result<String, ApiError> {
        sealed_step::keep(state, self, WITHIN_MS).await
    }

    pub(super) async fn keep_as(&self, state: &AppState, hash: [u8; 32]) -> Result<(), ApiError> {
        sealed_step::keep_as(state, hash, self, WITHIN_MS).await
    }

    /// Takes what was begun; nobody else gets it.
    pub(super) async fn take_begun(state: &AppState, token: &str) -> Result<Option<Begun>, ApiError> {
        Ok(match sealed_step::take(state, link_hash(token)).await? {
            Some(Self::Begun(begun)) => Some(begun),
            _ => None,
        })
    }

    pub(super) async fn look_at_returned(
        state: &AppState,
        hash: [u8; 32],
    ) -> Result<Option<Returned>, ApiError> {
        Ok(match sealed_step::find(state, hash).await? {
            Some(Self::Returned(returned)) => Some(returned),
            _ => None,
        })
    }
}
