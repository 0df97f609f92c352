//! Whether the server can do its work: it can if its database can.

use crate::server::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

const WITHIN: Duration = Duration::from_secs(2);

pub(crate) async fn health(State(state): State<AppState>) -> Response {
    let reached = timeout(WITHIN, state.storage.health()).await;
    let (status, word) = match reached {
        Ok(Ok(())) => (StatusCode::OK, "ok"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database is not well");
            (StatusCode::SERVICE_UNAVAILABLE, "unreachable")
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "slow"),
    };
    let body = json!({
        "status": if status == StatusCode::OK { "ok" } else { "unavailable" },
        "database": word,
        "version": env!("CARGO_PKG_VERSION"),
    });
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
