//! Every request is counted for the address that it comes from; and pages of other servers open no socket here.
//!
//! Invariant: who is told to wait is told for how long. Whatever a request leaves in the log says who asked, as soon as
//! that is known.

use super::request::address_of;
use crate::error::ApiError;
use crate::server::AppState;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::Instrument;
use tracing::field::Empty;

pub(crate) async fn limit_requests(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let address = address_of(&state, request.extensions(), request.headers());
    state
        .requests
        .request_from(address, Instant::now())
        .map_err(ApiError::slow_down)?;
    let span = tracing::info_span!("request", account = Empty, device = Empty, clinic = Empty);
    Ok(next.run(request).instrument(span).await)
}

/// For what hashes a password or follows a link.
pub(crate) async fn limit_secrets(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let address = address_of(&state, request.extensions(), request.headers());
    state
        .requests
        .secret_from(address, Instant::now())
        .map_err(ApiError::slow_down)?;
    Ok(next.run(request).await)
}

/// A browser says which page opens a socket, and lets any page do so; whoever is no browser says nothing.
pub(crate) async fn check_origin(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if is_own_page(
        request.headers(),
        &state.settings.public_address,
        &state.settings.allowed_origins,
    ) {
        Ok(next.run(request).await)
    } else {
        tracing::warn!("a page of another server was not let in");
        Err(ApiError::ForeignOrigin)
    }
}

/// The page is of the host that it asks, of the server's public address, or of one that was allowed by name.
fn is_own_page(headers: &HeaderMap, public_address: &str, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let of_page = origin.split_once("://").map(|(_, host)| host);
    let is_host = of_page.is_some() && of_page == host;
    let is = |known: &str| known.trim_end_matches('/').eq_ignore_ascii_case(origin);
    is_host || is(public_address) || allowed.iter().any(|known| is(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn whose_pages_come_in() {
        let check = |origin: Option<&'static str>, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("clinic.local:8080"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            let allowed = ["https://widgets.example.org".to_owned()];
            assert_eq!(
                is_own_page(&headers, "https://records.example.org", &allowed),
                expected,
                "{origin:?}"
            );
        };
        check(None, true);
        check(Some("http://clinic.local:8080"), true);
        check(Some("https://records.example.org"), true);
        check(Some("https://widgets.example.org"), true);
        check(Some("http://clinic.local:9090"), false);
        check(Some("https://clinic.local:8080.evil.example"), false);
        check(Some("https://records.example.org.evil.example"), false);
        check(Some("null"), false);
        check(Some(""), false);
    }
}
