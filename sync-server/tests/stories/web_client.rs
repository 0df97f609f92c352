//! The web client's files as a browser gets them.

use crate::database::Engine;
use crate::http::get;
use crate::practice::Practice;
use tempfile::TempDir;

const APP: &str = "/assets/app-0123456789abcdef.js";

async fn practice_with_bundle() -> (Practice, TempDir) {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("assets")).expect("created");
    for (name, content) in [
        ("index.html", "<!doctype html>"),
        ("index.html.br", "page br"),
        ("service-worker.js", "self"),
        ("assets/app-0123456789abcdef.js", "plain"),
        ("assets/app-0123456789abcdef.js.br", "br"),
        ("assets/app-0123456789abcdef.js.gz", "gz"),
        ("assets/app-0123456789abcdef.wasm", "wasm"),
        ("manifest.webmanifest", "{}"),
    ] {
        std::fs::write(folder.path().join(name), content).expect("written");
    }
    let web = folder.path().to_owned();
    let practice = Practice::open_with(Engine::Sqlite, |settings| settings.web = web).await;
    (practice, folder)
}

#[tokio::test]
async fn files_are_compressed_as_the_browser_likes_and_kept_by_their_hash() {
    let (practice, _folder) = practice_with_bundle().await;
    let check = async |accepts: &str, encoding: &str, body: &str| {
        let headers = [("accept-encoding", accepts)];
        let response = get(practice.address, APP, &headers).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-encoding"), encoding, "{accepts}");
        assert_eq!(response.body, body);
        assert_eq!(
            response.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(response.header("content-type"), "text/javascript");
        assert_eq!(response.header("vary"), "accept-encoding");
    };
    check("gzip, deflate, br, zstd", "br", "br").await;
    check("gzip", "gzip", "gz").await;
    check("identity", "", "plain").await;
    let wasm = get(practice.address, "/assets/app-0123456789abcdef.wasm", &[]).await;
    assert_eq!(
        wasm.header("content-type"),
        "application/wasm",
        "or browsers do not stream it"
    );
    for name in ["/service-worker.js", "/index.html", "/manifest.webmanifest", "/"] {
        let response = get(practice.address, name, &[]).await;
        assert_eq!(
            (response.status.as_u16(), response.header("cache-control")),
            (200, "no-cache"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_deep_link_gets_the_page_and_a_missing_file_does_not() {
    let (practice, _folder) = practice_with_bundle().await;
    for path in [
        "/",
        "/patients/0198c0de",
        "/day/2026-11-23/",
        "/gallery?theme=dark",
    ] {
        let response = get(practice.address, path, &[]).await;
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.body, "<!doctype html>");
        assert_eq!(response.header("content-type"), "text/html");
    }
    let compressed = get(
        practice.address,
        "/patients/0198c0de",
        &[("accept-encoding", "br")],
    )
    .await;
    assert_eq!(compressed.body, "page br");
    for path in [
        "/assets/app-ffffffffffffffff.js",
        "/../Cargo.toml",
        "/%2e%2e/%2e%2e/etc/hosts.x",
        "/api/v2/x",
        "/api/v1/x",
    ] {
        let response = get(practice.address, path, &[]).await;
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn every_answer_says_what_the_page_may_do() {
    let (practice, _folder) = practice_with_bundle().await;
    for path in ["/", APP, "/health", "/api/v1/nothing"] {
        let response = get(practice.address, path, &[]).await;
        let policy = response.header("content-security-policy");
        for words in [
            "default-src 'self';",
            "script-src 'self' 'wasm-unsafe-eval';",
            "connect-src 'self' ws: wss:;",
            "object-src 'none';",
            "frame-ancestors 'none';",
        ] {
            assert!(policy.contains(words), "{path}: {words}");
        }
        assert!(!policy.contains("unsafe-inline"));
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        assert_eq!(response.header("referrer-policy"), "no-referrer");
        assert_eq!(response.header("cross-origin-opener-policy"), "same-origin");
        assert!(!response.header("permissions-policy").is_empty());
    }
}

#[tokio::test]
async fn health_says_whether_work_can_be_done() {
    let practice = Practice::open(Engine::Sqlite).await;
    let response = get(practice.address, "/health", &[]).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.json()["database"], "ok");
}
