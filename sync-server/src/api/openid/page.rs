//! What a browser shows that is on its way to a provider or back, when the server cannot send it on.
//!
//! Place in the flow: around the two addresses that people's browsers open. Invariant: what is in the way of a request is
//! told to programs as a problem and to people in words; nothing of what was asked for stands in the page.

use crate::mail::sentence;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

pub(crate) async fn in_words(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let words = match response.status() {
        StatusCode::TOO_MANY_REQUESTS => "page-slow-down",
        status if status.is_server_error() => "page-unavailable",
        status if status.is_client_error() => "page-leads-nowhere",
        _ => return response,
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
         <h1>{title}</h1><p>{words}</p></html>",
        title = sentence("page-title", &[]),
        words = sentence(words, &[]),
    );
    let (mut head, _) = response.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    head.headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Response::from_parts(head, page.into())
}
