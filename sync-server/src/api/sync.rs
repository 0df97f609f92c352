//! The way into a session.

use crate::server::AppState;
use crate::sync::run_session;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use shared_model::protocol::MAX_FRAME;

/// The socket takes somewhat more than the protocol allows, so that a frame that is too large is answered by a goodbye
/// that says so instead of a broken connection.
const SOCKET_LIMIT: usize = 2 * MAX_FRAME;

/// Edits are small and sessions many; a large push is read in pieces.
const READ_BUFFER: usize = 8 << 10;

pub(crate) async fn sync(State(state): State<AppState>, upgrade: WebSocketUpgrade) -> Response {
    let tracker = state.sessions.clone();
    upgrade
        .read_buffer_size(READ_BUFFER)
        .max_message_size(SOCKET_LIMIT)
        .max_frame_size(SOCKET_LIMIT)
        .on_upgrade(move |socket| tracker.track_future(run_session(state, socket)))
}
