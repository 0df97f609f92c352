//! What the log tells of those who try what is not theirs, and what it tells nobody.

use crate::http;
use crate::practice::fresh_id;
use crate::process::{Process, with_demonstration};
use demonstration::DEMO_PASSWORD;
use serde_json::{Value, json};
use shared_model::accounts::{SignedIn, codes};
use shared_model::ids::{DeviceId, DocumentId};
use std::io::Read;
use std::process::Stdio;

const DESK: &str = "jana.dvorak@northgate.example";
const GUESS: &str = "quite-another-password-5";

#[tokio::test]
async fn a_refusal_is_a_line_that_says_who_and_tells_no_secret() {
    let data = with_demonstration();
    let mut server = Process::start_logging_json(data.path(), Stdio::piped());
    let mut log = server.child.stderr.take().expect("piped");
    let (address, device) = (server.address, fresh_id(DeviceId));

    let sign_in = async |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password, "device": device, "device_name": "Tablet" });
        http::post(address, "/api/v1/sign-in", &body).await
    };
    for email in [DESK, "nobody@northgate.example"] {
        assert_eq!(sign_in(email, GUESS).await.code(), codes::WRONG_CREDENTIALS);
    }
    let signed_in: SignedIn = sign_in(DESK, DEMO_PASSWORD).await.read();
    let bearer = format!("Bearer {}", signed_in.access_token);
    let staff = http::get(address, "/api/v1/staff", &[("authorization", bearer.as_str())]).await;
    assert_eq!(staff.code(), codes::NOT_PERMITTED);
    let look = json!({ "token": "no-such-link" });
    let gone = http::post(address, "/api/v1/invitations/look", &look).await;
    assert_eq!(gone.code(), codes::LINK_NO_LONGER_VALID);
    let odd = http::post(
        address,
        "/api/v1/refresh",
        &json!({ "refresh_token": ["odd-form"] }),
    )
    .await;
    assert_eq!(odd.code(), codes::BAD_REQUEST);
    let strange = fresh_id(DocumentId);
    let path = format!("/api/v1/documents/{strange}");
    let none = http::get(address, &path, &[("authorization", bearer.as_str())]).await;
    assert_eq!(none.code(), codes::NOT_FOUND);
    server.kill();

    let mut told = String::new();
    log.read_to_string(&mut told).expect("text");
    let lines: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        let at = line["timestamp"].as_str().expect("a moment");
        assert!(at.ends_with('Z'), "in UTC: {at}");
    }
    let refused: Vec<&Value> = lines
        .iter()
        .filter(|line| line["message"] == "a request was refused")
        .collect();
    let why: Vec<&str> = refused.iter().filter_map(|line| line["code"].as_str()).collect();
    assert_eq!(
        why,
        [
            codes::WRONG_CREDENTIALS,
            codes::WRONG_CREDENTIALS,
            codes::NOT_PERMITTED,
            codes::LINK_NO_LONGER_VALID,
            codes::BAD_REQUEST,
        ]
    );
    let asked = lines.iter().find(|line| line["document"] == json!(strange));
    let asked = asked.expect("what was not there for them is named");
    for line in [refused[2], asked] {
        let who = &line["span"];
        assert_eq!(who["account"], json!(signed_in.principal.account));
        assert_eq!(who["clinic"], json!(signed_in.principal.clinic));
        assert_eq!(who["device"], json!(device));
    }
    for secret in [
        "northgate.example",
        GUESS,
        DEMO_PASSWORD,
        &signed_in.access_token,
        &signed_in.refresh_token,
        &signed_in.device_key,
        "no-such-link",
        "odd-form",
        "Tablet",
    ] {
        assert!(!told.contains(secret), "{secret} is in the log");
    }
}
