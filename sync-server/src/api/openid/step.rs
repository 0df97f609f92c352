//! What waits between two visits.

use crate::error::ApiError;
use crate::identity::{Vouched, link_hash, mint_link};
use crate::server::AppState;
use serde::{Deserialize, Serialize};
use shared_model::ids::AccountId;
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
    Link(AccountId),
    /// Whoever is signed in shows once more that it is they.
    Prove(AccountId),
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
    pub(super) async fn keep(&self, state: &AppState) -> Result<(String, [u8; 32]), ApiError> {
        let (token, hash) = mint_link();
        self.keep_as(state, hash).await?;
        Ok((token, hash))
    }

    pub(super) async fn keep_as(&self, state: &AppState, hash: [u8; 32]) -> Result<(), ApiError> {
        let bytes = serde_json::to_vec(self).expect("texts, ids and numbers are always JSON");
        let expires_at = Timestamp(state.settings.clock.now().0 + WITHIN_MS);
        Ok(state.storage.people().keep_step(hash, bytes, expires_at).await?)
    }

    fn read(bytes: Option<Vec<u8>>) -> Option<Self> {
        // What another build kept is as good as expired.
        serde_json::from_slice(&bytes?).ok()
    }

    /// Takes what was begun; nobody else gets it.
    pub(super) async fn take_begun(state: &AppState, token: &str) -> Result<Option<Begun>, ApiError> {
        let now = state.settings.clock.now();
        let taken = state.storage.people().take_step(link_hash(token), now).await?;
        Ok(match Self::read(taken) {
            Some(Self::Begun(begun)) => Some(begun),
            _ => None,
        })
    }

    pub(super) async fn look_at_returned(
        state: &AppState,
        hash: [u8; 32],
    ) -> Result<Option<Returned>, ApiError> {
        let now = state.settings.clock.now();
        let found = state.storage.people().step(hash, now).await?;
        Ok(match Self::read(found) {
            Some(Self::Returned(returned)) => Some(returned),
            _ => None,
        })
    }
}

/// Uses a step up; of two who do, one may go on.
pub(super) async fn use_up(state: &AppState, hash: [u8; 32]) -> Result<(), ApiError> {
    let now = state.settings.clock.now();
    let taken = state.storage.people().take_step(hash, now).await?;
    taken.map(drop).ok_or(ApiError::LinkNoLongerValid)
}
