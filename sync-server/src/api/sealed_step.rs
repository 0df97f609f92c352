//! What waits between two requests of a way that takes more than one.
//!
//! Place in the flow: below `prove`, `second_factor` and `openid`, each of which keeps steps of its own. Invariants: a step
//! lies sealed, is found by a random token alone, and is gone when its time is over; one that another build kept, or that
//! belongs to another way, is none.

use crate::error::ApiError;
use crate::identity::mint_link;
use crate::server::AppState;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared_model::time::Timestamp;

/// Keeps it under a fresh token for so many milliseconds.
pub(super) async fn keep(state: &AppState, step: &impl Serialize, life: i64) -> Result<String, ApiError> {
    let (token, hash) = mint_link();
    keep_as(state, hash, step, life).await?;
    Ok(token)
}

/// Keeps it anew, for so many milliseconds from now on.
pub(super) async fn keep_as(
    state: &AppState,
    hash: [u8; 32],
    step: &impl Serialize,
    life: i64,
) -> Result<(), ApiError> {
    let expires_at = Timestamp(state.settings.clock.now().0 + life);
    let people = state.storage.people();
    Ok(people.keep_step(hash, bytes_of(step), expires_at).await?)
}

/// Keeps what came with a token of somebody else's until then; false if it has come before.
pub(super) async fn keep_new(
    state: &AppState,
    hash: [u8; 32],
    step: &impl Serialize,
    until: Timestamp,
) -> Result<bool, ApiError> {
    Ok(state
        .storage
        .people()
        .keep_new_step(hash, bytes_of(step), until)
        .await?)
}

fn bytes_of(step: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(step).expect("texts, ids and numbers are always JSON")
}

/// Leaves it where it is.
pub(super) async fn find<S: DeserializeOwned>(
    state: &AppState,
    hash: [u8; 32],
) -> Result<Option<S>, ApiError> {
    let now = state.settings.clock.now();
    Ok(read(state.storage.people().step(hash, now).await?))
}

/// Nobody else gets it.
pub(super) async fn take<S: DeserializeOwned>(
    state: &AppState,
    hash: [u8; 32],
) -> Result<Option<S>, ApiError> {
    let now = state.settings.clock.now();
    Ok(read(state.storage.people().take_step(hash, now).await?))
}

fn read<S: DeserializeOwned>(bytes: Option<Vec<u8>>) -> Option<S> {
    serde_json::from_slice(&bytes?).ok()
}

/// Uses it up; of two who do, one may go on.
pub(super) async fn use_up(state: &AppState, hash: [u8; 32]) -> Result<(), ApiError> {
    let now = state.settings.clock.now();
    let taken = state.storage.people().take_step(hash, now).await?;
    taken.map(drop).ok_or(ApiError::LinkNoLongerValid)
}
