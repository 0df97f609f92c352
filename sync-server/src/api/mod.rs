//! HTTP beside the sync socket: signing in and out, the way in for other clients, documents, health, and the web client's files.

mod automerge_repo;
mod bearer;
mod documents;
mod health;
mod sign_in;
mod sync;
mod web_bundle;

pub(crate) use automerge_repo::{automerge_repo, automerge_repo_ticket};
pub(crate) use documents::{document, push};
pub(crate) use health::health;
pub(crate) use sign_in::{refresh, sign_in, sign_out};
pub(crate) use sync::sync;
pub(crate) use web_bundle::web_bundle;

use crate::error::ApiError;

pub(crate) async fn no_such_address() -> ApiError {
    ApiError::NotFound
}

pub(crate) async fn no_such_method() -> ApiError {
    ApiError::MethodNotAllowed
}
