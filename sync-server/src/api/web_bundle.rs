//! The web client's files: compressed when they were built, cached by the hash in their name. Every address that is no
//! file is a screen of the client, so it gets the page.

use crate::error::ApiError;
use crate::server::AppState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use tower::ServiceExt;
use tower_http::services::{ServeDir, ServeFile};

const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_FIRST: HeaderValue = HeaderValue::from_static("no-cache");

pub(crate) async fn web_bundle(State(state): State<AppState>, request: Request<Body>) -> Response<Body> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return ApiError::MethodNotAllowed.into_response();
    }
    let folder = &state.settings.web;
    let path = request.uri().path().to_owned();
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let Ok(response) = if is_file {
        let files = ServeDir::new(folder)
            .precompressed_br()
            .precompressed_gzip()
            .append_index_html_on_directories(false);
        files.oneshot(request).await
    } else {
        let page = ServeFile::new(folder.join("index.html"));
        page.precompressed_br()
            .precompressed_gzip()
            .oneshot(request)
            .await
    };
    if response.status() == StatusCode::NOT_FOUND {
        return ApiError::NotFound.into_response();
    }
    let mut response = response.map(Body::new);
    set_caching(response.headers_mut(), is_file && is_named_by_hash(&path));
    response
}

fn set_caching(headers: &mut HeaderMap, forever: bool) {
    let caching = if forever { FOREVER } else { ASK_FIRST };
    headers.insert(header::CACHE_CONTROL, caching);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
}

/// `/assets/app-0123456789abcdef.js`: the build puts a hash of the content into the name.
fn is_named_by_hash(path: &str) -> bool {
    let Some(name) = path.strip_prefix("/assets/") else {
        return false;
    };
    name.split(['/', '.', '-', '_'])
        .any(|part| part.len() >= 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_forever() {
        let check = |path, expected| assert_eq!(is_named_by_hash(path), expected, "{path}");
        check("/assets/app-0123456789abcdef.js", true);
        check("/assets/fonts/inter.deadbeef01.woff2", true);
        check("/assets/app.js", false);
        check("/index.html", false);
        check("/service-worker.js", false);
        check("/0123456789abcdef.js", false);
    }
}
