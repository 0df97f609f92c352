//! The way in for clients made with automerge-repo. They can be given nothing but an address, so a ticket stands in it.
//!
//! The library comes back to the same address whenever its connection ends, for as long as its page is open. A ticket
//! therefore holds for a working day and for every connection of it. What bounds it beside that: it opens this endpoint
//! only, and it ends with the sign-in that it stems from. Invariant: it is never logged; neither is the address.

use super::request::Asker;
use crate::error::ApiError;
use crate::identity::AccessClaims;
use crate::server::AppState;
use crate::sync::{MAX_AUTOMERGE_REPO_MESSAGE, run_automerge_repo};
use axum::Json;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use shared_model::time::Timestamp;

pub(crate) const PATH: &str = "/api/v1/automerge-repo";

/// Somewhat more than is taken, so that what is too large is answered instead of cut off.
const SOCKET_LIMIT: usize = MAX_AUTOMERGE_REPO_MESSAGE + (64 << 10);
const READ_BUFFER: usize = 8 << 10;

#[derive(Serialize)]
pub(crate) struct Ticket {
    /// Where to connect to, on this server.
    path: String,
    /// When the ticket ends, in milliseconds since 1970.
    expires_at: Timestamp,
}

/// Gives the bearer of an access token a ticket for the same account, clinic, device and sign-in.
pub(crate) async fn automerge_repo_ticket(
    State(state): State<AppState>,
    Asker { claims, principal }: Asker,
) -> Result<Json<Ticket>, ApiError> {
    let now = state.settings.clock.now();
    if principal.feeds().is_empty() {
        return Err(ApiError::NotPermitted);
    }
    let ends = state.storage.family_ends(claims.family, now).await?;
    let ends = ends.ok_or(ApiError::NotSignedIn)?;
    let life = i64::try_from(state.settings.ticket_life.as_millis()).unwrap_or(i64::MAX);
    let expires_at = ends.min(Timestamp(now.0.saturating_add(life)));
    let ticket = state.tokens.seal_ticket(&AccessClaims { expires_at, ..claims });
    Ok(Json(Ticket {
        path: format!("{PATH}?ticket={ticket}"),
        expires_at,
    }))
}

pub(crate) async fn automerge_repo(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    let ticket = query
        .iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("ticket="))
        .and_then(|ticket| state.tokens.open_ticket(ticket, state.settings.clock.now()));
    let tracker = state.sessions.clone();
    upgrade
        .read_buffer_size(READ_BUFFER)
        .max_message_size(SOCKET_LIMIT)
        .max_frame_size(SOCKET_LIMIT)
        .on_upgrade(move |socket| tracker.track_future(run_automerge_repo(state, socket, ticket)))
}
