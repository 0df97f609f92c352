//! A device is lost while it has no network: at its next contact it deletes everything, and says so.

use local_core::query::{Connection, Listed};
use local_core::{Query, View};
use serde_json::Value;
use shared_model::commands::EditClient;
use shared_model::documents::Kind;
use std::net::SocketAddr;
use std::time::Duration;
use stories::{Clinic, sign_in};

/// A request of somebody who is signed in, without a body: status and body of the answer.
pub(crate) async fn ask(
    server: SocketAddr,
    method: &'static str,
    path: String,
    token: String,
) -> (u16, String) {
    let answer = tokio::task::spawn_blocking(move || {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{server}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .body(())
            .expect("a request");
        let mut answer = ureq::run(request).expect("an answer");
        let body = answer.body_mut().read_to_string().expect("a body");
        (answer.status().as_u16(), body)
    });
    answer.await.expect("the request ran")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_device_deletes_its_records_at_the_next_contact() {
    let clinic = Clinic::with_patients(12).await;
    let name = "Ana Moreno";
    let mut tablet = clinic.device(name).await;
    let device = tablet
        .core
        .device()
        .expect("its store can be read")
        .expect("signed in");
    let browse = Query::Browse {
        kind: Kind::Client,
        text: String::new(),
        limit: 1,
    };
    let View::Browse(clients) = tablet.look(browse).await else {
        panic!("no clients")
    };
    let Listed::Client { id, .. } = &clients.rows[0] else {
        panic!("no client: {:?}", clients.rows)
    };
    tablet.offline().await;
    let edit = EditClient {
        address: Some("Written where nobody heard of it".to_owned()),
        ..EditClient::of(*id)
    };
    tablet.must(edit).await;
    assert!(!tablet.core.store().dump_projections().unwrap().is_empty());

    let phone = sign_in(
        clinic.address,
        clinic.email_of(name),
        demonstration::DEMO_PASSWORD,
    )
    .await;
    let token = phone.credentials.access_token;
    let lost = format!("/api/v1/me/devices/{device}/lost");
    assert_eq!(ask(clinic.address, "POST", lost, token.clone()).await.0, 204);

    tablet.online().await;
    while tablet.core.principal().is_some() {
        tablet.step(Duration::from_millis(20)).await;
    }
    assert_eq!(tablet.core.standing(), (Connection::SignedOut, 0, Vec::new()));
    assert_eq!(
        tablet.core.store().dump_projections().unwrap(),
        ["search Some(0)"]
    );
    let (_, devices) = ask(clinic.address, "GET", "/api/v1/me/devices".to_owned(), token).await;
    let devices: Vec<Value> = serde_json::from_str(&devices).expect("a list");
    let about = devices.iter().find(|one| one["device"] == device.to_string());
    assert!(about.expect("listed")["purged_at"].is_i64(), "{devices:?}");
}
