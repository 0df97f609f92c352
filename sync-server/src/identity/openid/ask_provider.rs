//! Asks a provider over HTTPS: no redirects, little patience, and answers of a bounded size.

use openidconnect::http::Response;
use openidconnect::{HttpRequest, HttpResponse};
use std::sync::LazyLock;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(10);
/// Key sets and tokens are a few KiB.
const MAX_ANSWER: usize = 512 << 10;

#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("the answer is longer than any of ours")]
    TooLong,
    #[error("no request: {0}")]
    Request(#[from] openidconnect::http::Error),
}

static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    reqwest::Client::builder()
        // An address that a provider names is asked, and none that it is sent on to (RFC 9700, 4.12).
        .redirect(reqwest::redirect::Policy::none())
        .timeout(WITHIN)
        .build()
        .expect("its roots are compiled in")
});

pub(super) async fn ask_provider(request: HttpRequest) -> Result<HttpResponse, AskError> {
    let mut answer = CLIENT
        .execute(request.try_into()?)
        .await
        // An address can have something in it that is nobody's business.
        .map_err(reqwest::Error::without_url)?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + piece.len() > MAX_ANSWER {
            return Err(AskError::TooLong);
        }
        body.extend_from_slice(&piece);
    }
    Ok(response.body(body)?)
}
