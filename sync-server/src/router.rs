//! Every address that the server answers.

use crate::api;
use crate::server::AppState;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue};
use axum::routing::{any, get, post};
use shared_model::protocol::MAX_FRAME;
use tower_http::set_header::SetResponseHeaderLayer;

/// Nothing from elsewhere runs, frames us or is asked; WebAssembly is the one thing that needs a word of its own.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; connect-src 'self' ws: wss:; worker-src 'self'; object-src 'none'; base-uri 'none'; \
    frame-ancestors 'none'; form-action 'self'";

const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
];

/// A request of the API is a form; files will have their own way in.
const MAX_BODY: usize = 64 << 10;

pub(crate) fn router(state: AppState) -> Router {
    let api = Router::new()
        .route("/sync", get(api::sync))
        .route("/automerge-repo", get(api::automerge_repo))
        .route("/automerge-repo/ticket", post(api::automerge_repo_ticket))
        .route("/documents/{id}", get(api::document))
        .route("/push", post(api::push).layer(DefaultBodyLimit::max(MAX_FRAME)))
        .route("/sign-in", post(api::sign_in))
        .route("/refresh", post(api::refresh))
        .route("/sign-out", post(api::sign_out))
        .fallback(any(api::no_such_address))
        .method_not_allowed_fallback(api::no_such_method)
        .layer(DefaultBodyLimit::max(MAX_BODY));
    let mut router = Router::new()
        .nest("/api/v1", api)
        .route("/api/{*rest}", any(api::no_such_address))
        .route("/health", get(api::health))
        .fallback(api::web_bundle)
        .with_state(state);
    for (name, value) in HEADERS {
        router = router.layer(SetResponseHeaderLayer::overriding(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        ));
    }
    router
}
