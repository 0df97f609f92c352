//! How much may be asked for, from where, and what browsers are told.

use crate::database::Engine;
use crate::http;
use crate::letter_box::LetterBox;
use crate::openid::page;
use crate::person::{Person, invite, post};
use crate::practice::{PASSWORD, Practice, fresh_id};
use axum::http::Method;
use serde_json::json;
use shared_model::accounts::codes;
use shared_model::ids::DeviceId;
use shared_model::permissions::Role;
use sync_server::identity::{RequestLimit, RequestLimits};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

const FEW: RequestLimit = RequestLimit {
    at_once: 5,
    per_minute: 1,
};

#[tokio::test]
async fn an_address_that_asks_too_much_waits() {
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        settings.request_limits.address = FEW;
    })
    .await;
    let ask =
        async |path: &str, from: &str| http::get(practice.address, path, &[("x-forwarded-for", from)]).await;
    for path in [
        "/health",
        "/api/v1/me",
        "/api/v1/openid/go/nonsense",
        "/",
        "/api/v1/sync",
    ] {
        assert_ne!(ask(path, "203.0.113.7").await.status, 429, "{path}");
    }
    for path in [
        "/health",
        "/api/v1/me",
        "/",
        "/api/v1/sync",
        "/api/v1/automerge-repo",
        "/api/v1/nothing",
        "/api/nothing",
        "/api/v1/sign-in",
    ] {
        let slowed = ask(path, "203.0.113.7").await;
        assert_eq!(
            (slowed.status.as_u16(), slowed.code().as_str()),
            (429, codes::SLOW_DOWN),
            "{path}"
        );
        let seconds: u64 = slowed.header("retry-after").parse().expect("seconds");
        assert!((50..=60).contains(&seconds), "{seconds}");
    }
    for path in [
        "/api/v1/openid/go/nonsense",
        "/api/v1/openid/callback/acme?state=x",
    ] {
        let slowed = ask(path, "203.0.113.7").await;
        assert_eq!(slowed.status, 429);
        assert_ne!(slowed.header("retry-after"), "");
        let page = page(&slowed);
        assert!(page.contains("That was too much at once"), "{page}");
    }
    assert_eq!(ask("/health", "203.0.113.8").await.status, 200, "somebody else");
}

#[tokio::test]
async fn an_account_that_asks_too_much_waits() {
    let practice =
        Practice::open_with(Engine::Sqlite, |settings| settings.request_limits.account = FEW).await;
    let (vet, desk) = (
        Person::of(&practice, "vet", PASSWORD).await,
        Person::of(&practice, "desk", PASSWORD).await,
    );
    for path in ["/me", "/me/devices", "/staff", "/invitations", "/owners"] {
        assert_ne!(vet.try_get(path).await.status, 429, "{path}");
    }
    let slowed = vet.try_get("/me").await;
    assert_eq!(slowed.status, 429);
    assert!(!slowed.header("retry-after").is_empty());
    assert_eq!(desk.try_get("/me").await.status, 200);
}

#[tokio::test]
async fn what_costs_more_is_granted_less_often() {
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.request_limits = RequestLimits {
            secrets: FEW,
            ..RequestLimits::default()
        };
    })
    .await;
    for path in [
        "/password/reset",
        "/email/verify",
        "/invitations/look",
        "/password/reset",
        "/email/verify",
    ] {
        let gone = post(
            practice.address,
            path,
            json!({ "token": "nonsense", "password": "" }),
        )
        .await;
        assert_eq!(gone.code(), codes::LINK_NO_LONGER_VALID, "{path}");
    }
    let slowed = post(
        practice.address,
        "/invitations/look",
        json!({ "token": "nonsense" }),
    )
    .await;
    assert_eq!(slowed.code(), codes::SLOW_DOWN);
    let signing_in = practice.sign_in("vet", PASSWORD, fresh_id(DeviceId)).await;
    assert_eq!(signing_in.status, 429, "a password is a secret too");
    assert_eq!(http::get(practice.address, "/health", &[]).await.status, 200);
}

#[tokio::test]
async fn mails_are_few() {
    let letters = LetterBox::open();
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.post = letters.post();
        settings.request_limits.mails = FEW;
    })
    .await;
    let forgot = async |number: usize| {
        let email = format!("nobody-{number}@example.org");
        post(practice.address, "/password/forgot", json!({ "email": email })).await
    };
    for number in 0..5 {
        assert_eq!(forgot(number).await.status, 202);
    }
    assert_eq!(forgot(5).await.code(), codes::SLOW_DOWN);
    let admin = Person::of(&practice, "admin", PASSWORD).await;
    for number in 0..5 {
        admin
            .invite(&format!("nora-{number}@example.org"), &[Role::Technician], None)
            .await;
    }
    let sixth = invite("nora@example.org", &[Role::Technician], None);
    assert_eq!(admin.post("/invitations", sixth).await.code(), codes::SLOW_DOWN);
}

#[tokio::test]
async fn large_and_odd_requests_are_refused() {
    let practice = Practice::open(Engine::Sqlite).await;
    let huge = json!({ "token": "x".repeat(200_000) });
    for path in [
        "/invitations/look",
        "/password/reset",
        "/email/verify",
        "/devices/purged",
    ] {
        let answer = post(practice.address, path, &huge).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (413, codes::BAD_REQUEST),
            "{path}"
        );
    }
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    assert_eq!(vet.post("/me/password", json!({ "proven": 5 })).await.status, 422);
    assert_eq!(vet.tell("/me").await.status, 405);
    assert_eq!(vet.tell("/me/devices/nonsense/lost").await.status, 404);
}

#[tokio::test]
async fn what_is_about_accounts_is_kept_by_no_browser() {
    let practice = Practice::open(Engine::Sqlite).await;
    let vet = Person::of(&practice, "vet", PASSWORD).await;
    for path in [
        "/me",
        "/me/devices",
        "/staff",
        "/owners",
        "/invitations",
        "/clinics",
        "/nothing",
    ] {
        assert_eq!(
            vet.try_get(path).await.header("cache-control"),
            "no-store",
            "{path}"
        );
    }
    assert_eq!(vet.try_get("/me").await.header("strict-transport-security"), "");
    let behind_tls = Practice::open_with(Engine::Sqlite, |settings| {
        settings.public_address = "https://records.example.org".to_owned();
    })
    .await;
    for path in ["/", "/health", "/api/v1/me"] {
        let answer = http::get(behind_tls.address, path, &[]).await;
        assert_eq!(
            answer.header("strict-transport-security"),
            "max-age=31536000",
            "{path}"
        );
    }
}

#[tokio::test]
async fn pages_of_other_servers_open_no_socket() {
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.public_address = "https://records.example.org".to_owned();
        settings.allowed_origins = vec!["https://widgets.example.org".to_owned()];
    })
    .await;
    let own = format!("http://{}", practice.address);
    for path in ["sync", "automerge-repo?ticket=none"] {
        let opens = async |origin: Option<&str>| {
            let mut request = format!("ws://{}/api/v1/{path}", practice.address)
                .into_client_request()
                .unwrap();
            if let Some(origin) = origin {
                let value = HeaderValue::from_str(origin).unwrap();
                request.headers_mut().insert("origin", value);
            }
            tokio_tungstenite::connect_async(request).await.is_ok()
        };
        assert!(opens(None).await, "no browser");
        for origin in [
            own.as_str(),
            "https://records.example.org",
            "https://widgets.example.org",
        ] {
            assert!(opens(Some(origin)).await, "{origin}");
        }
        for origin in [
            "https://evil.example",
            "null",
            "https://records.example.org.evil.example",
        ] {
            assert!(!opens(Some(origin)).await, "{origin}");
        }
    }
    let headers = [("origin", "https://evil.example")];
    let refused = http::request(
        practice.address,
        Method::GET,
        "/api/v1/sync",
        &headers,
        String::new(),
    )
    .await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, codes::NOT_PERMITTED)
    );
}
