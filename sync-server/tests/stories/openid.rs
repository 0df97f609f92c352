//! Signing in with a provider of OpenID Connect: linked accounts, invitations, and those who are not known.

use crate::browser::{Browser, Place, VERIFIER, beginning, cookie_of, finish, finish_on, query};
use crate::database::Engine;
use crate::device::Device;
use crate::http;
use crate::issuer::Signing;
use crate::morning::on_both;
use crate::person::{Person, post};
use crate::practice::{OTHER_OWNER, PASSWORD, fresh_id};
use axum::http::Method;
use serde_json::{Value, json};
use shared_model::accounts::{self, Me, SignedIn};
use shared_model::ids::DeviceId;
use shared_model::permissions::Role;
use shared_model::ways_in::{LinkedIdentity, Provider, ReturnTo, codes};

on_both! {
    whoever_has_linked_it_signs_in_with_it
    nobody_learns_whether_there_is_an_account
    an_invitation_is_taken_up_with_a_provider
    somebody_who_has_an_account_is_asked_for_its_password
    a_program_opens_another_browser
    keys_change_and_are_looked_for_once
}

/// Links the account of somebody who is signed in.
async fn link(place: &Place, person: &Person, subject: &str, email: &str) -> http::Response {
    let begun = person
        .post("/me/openid/begin", beginning(ReturnTo::Page, None))
        .await;
    let browser = Browser::after(place, &begun);
    let code = browser.vouched(subject, email).await;
    let body = json!({ "code": code, "verifier": VERIFIER });
    person.post("/me/openid/finish", body).await
}

fn said(answer: &http::Response) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

fn expected(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn whoever_has_linked_it_signs_in_with_it(engine: Engine) {
    let place = Place::open(engine).await;
    place.practice.enter_records().await;
    let offered: Vec<Provider> = http::get(place.practice.address, "/api/v1/openid/providers", &[])
        .await
        .read();
    assert_eq!((offered.len(), offered[0].label.as_str()), (1, "Acme"));

    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    let linked: LinkedIdentity = link(&place, &vet, "sub-1", "ana@gmail.example").await.read();
    assert_eq!(linked.email.as_deref(), Some("ana@gmail.example"));
    place.letters.letter("vet@example.org", "Acme now").await;
    let again: LinkedIdentity = link(&place, &vet, "sub-1", "ana@gmail.example").await.read();
    assert_eq!(again, linked, "once is enough");
    assert_eq!(place.letters.letters(), [], "and told once");
    let desk = Person::of(&place.practice, "desk", PASSWORD).await;
    let taken = link(&place, &desk, "sub-1", "ana@gmail.example").await;
    assert_eq!(said(&taken), expected(409, codes::LINKED_ELSEWHERE));

    let device = fresh_id(DeviceId);
    let browser = Browser::sent(&place, None).await;
    let code = browser.vouched("sub-1", "another@gmail.example").await;
    let answer = finish_on(&place, &code, device, json!({})).await;
    let signed_in: SignedIn = answer.read();
    assert_eq!(signed_in.principal.account, vet.account());
    let mut client = Device::new(place.practice.address, device, &json!(signed_in));
    client.connect().await;
    assert_eq!(client.documents.len(), 5);
    let second = finish_on(&place, &code, device, json!({})).await;
    assert_eq!(
        said(&second),
        expected(410, accounts::codes::LINK_NO_LONGER_VALID)
    );

    let all: Vec<LinkedIdentity> = vet.get("/me/identities").await;
    assert_eq!(all, std::slice::from_ref(&linked));
    let path = format!("/me/identities/{}", linked.identity);
    assert_eq!(desk.delete(&path).await.status, 404, "it is not theirs");
    assert_eq!(vet.delete(&path).await.status, 204);
    assert_eq!(vet.delete(&path).await.status, 404);
    place.letters.letter("vet@example.org", "taken away").await;
    let browser = Browser::sent(&place, None).await;
    let code = browser.vouched("sub-1", "ana@gmail.example").await;
    let unknown = finish(&place, &code, json!({})).await;
    assert_eq!(said(&unknown), expected(409, codes::NOT_LINKED));
}

async fn nobody_learns_whether_there_is_an_account(engine: Engine) {
    let place = Place::open(engine).await;
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    let mut answers = Vec::new();
    let mut code = String::new();
    for email in ["vet@example.org", "nobody@example.org"] {
        let browser = Browser::sent(&place, None).await;
        code = browser.vouched("sub-1", email).await;
        let answer = finish(&place, &code, json!({})).await;
        assert_eq!(said(&answer), expected(409, codes::NOT_LINKED));
        let mut body = answer.json();
        assert_eq!(body["email"], email, "what they said themselves");
        body["email"] = Value::Null;
        answers.push(body);
    }
    assert_eq!(answers[0], answers[1], "the same words");
    let nobody = place.practice.storage.people();
    let found = nobody.account_by_email("nobody@example.org").await.unwrap();
    assert!(found.is_none(), "no account was made");

    // Whoever has an account shows it with its password, whatever address the provider knows.
    let mut refused = Vec::new();
    for email in ["vet@example.org", "nobody@example.org"] {
        let with = json!({ "link_with": { "email": email, "password": "guess" } });
        let answer = finish(&place, &code, with).await;
        refused.push((said(&answer), answer.body));
    }
    assert_eq!(refused[0].0, expected(401, accounts::codes::WRONG_CREDENTIALS));
    assert_eq!(refused[0], refused[1]);
    let with = json!({ "link_with": { "email": " Vet@Example.org", "password": PASSWORD } });
    let signed_in: SignedIn = finish(&place, &code, with).await.read();
    assert_eq!(signed_in.principal.account, vet.account());
    place.letters.letter("vet@example.org", "Acme now").await;
    let browser = Browser::sent(&place, None).await;
    let code = browser.vouched("sub-1", "nobody@example.org").await;
    let directly: SignedIn = finish(&place, &code, json!({})).await.read();
    assert_eq!(directly.principal.account, vet.account());
}

async fn an_invitation_is_taken_up_with_a_provider(engine: Engine) {
    let place = Place::open(engine).await;
    let desk = Person::of(&place.practice, "desk", PASSWORD).await;
    desk.invite("nora@example.org", &[Role::Owner], Some(OTHER_OWNER))
        .await;
    let token = place
        .letters
        .letter("nora@example.org", "invites you")
        .await
        .invitation();
    let device = fresh_id(DeviceId);
    let browser = Browser::sent(&place, Some(&token)).await;
    let code = browser.vouched("sub-nora", "nora@gmail.example").await;
    let joined = finish_on(&place, &code, device, json!({ "full_name": " Nora Novak " })).await;
    assert_eq!(joined.status, 200, "{:?}", joined.body);
    let nora = Person {
        server: place.practice.address,
        device,
        signed_in: joined.read(),
    };
    assert_eq!(nora.signed_in.principal.name, "Nora Novak");
    assert_eq!(nora.signed_in.principal.client, Some(OTHER_OWNER));
    let me: Me = nora.get("/me").await;
    assert_eq!(
        (me.email.as_str(), me.email_verified, me.has_password),
        ("nora@example.org", true, false)
    );

    // A password that was never chosen fits nobody.
    for guess in ["", "guess"] {
        let answer = place.practice.sign_in("nora", guess, device).await;
        assert_eq!(said(&answer), expected(401, accounts::codes::WRONG_CREDENTIALS));
    }
    let browser = Browser::sent(&place, None).await;
    let code = browser.vouched("sub-nora", "nora@gmail.example").await;
    assert_eq!(finish(&place, &code, json!({})).await.status, 200);

    let all: Vec<LinkedIdentity> = nora.get("/me/identities").await;
    let path = format!("/me/identities/{}", all[0].identity);
    assert_eq!(said(&nora.delete(&path).await), expected(409, codes::LAST_WAY_IN));
    let forgot = json!({ "email": "nora@example.org" });
    assert_eq!(
        post(place.practice.address, "/password/forgot", forgot)
            .await
            .status,
        202
    );
    let token = place
        .letters
        .letter("nora@example.org", "new password")
        .await
        .token("/reset-password#");
    let reset = json!({ "token": token, "password": "quince-fathom-41-sled" });
    assert_eq!(
        post(place.practice.address, "/password/reset", reset)
            .await
            .status,
        204
    );
    let nora = Person::of(&place.practice, "nora", "quince-fathom-41-sled").await;
    assert_eq!(nora.delete(&path).await.status, 204);
}

async fn somebody_who_has_an_account_is_asked_for_its_password(engine: Engine) {
    let place = Place::open(engine).await;
    let admin = Person::of(&place.practice, "admin", PASSWORD).await;
    let owner = Person::of(&place.practice, "owner", PASSWORD).await;
    admin.invite("owner@example.org", &[Role::Technician], None).await;
    let token = place
        .letters
        .letter("owner@example.org", "invites you")
        .await
        .invitation();
    let browser = Browser::sent(&place, Some(&token)).await;
    let code = browser.vouched("sub-o", "owner@example.org").await;
    let asked = finish(&place, &code, json!({ "full_name": "Owner" })).await;
    assert_eq!(said(&asked), expected(409, codes::NOT_LINKED));
    let guess = json!({ "link_with": { "password": "guess" } });
    let wrong = finish(&place, &code, guess).await;
    assert_eq!(said(&wrong), expected(401, accounts::codes::WRONG_CREDENTIALS));
    let right = json!({ "link_with": { "password": PASSWORD } });
    let signed_in: SignedIn = finish(&place, &code, right).await.read();
    assert_eq!(signed_in.principal.account, owner.account());
    assert_eq!(signed_in.principal.roles, [Role::Owner, Role::Technician]);

    // The next invitation needs no password any more; somebody else's identity does not take it up.
    admin.invite("owner@example.org", &[Role::FrontDesk], None).await;
    let token = place
        .letters
        .letter("owner@example.org", "invites you")
        .await
        .invitation();
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    assert_eq!(link(&place, &vet, "sub-v", "vet@example.org").await.status, 200);
    let browser = Browser::sent(&place, Some(&token)).await;
    let code = browser.vouched("sub-v", "vet@example.org").await;
    let foreign = finish(&place, &code, json!({ "full_name": "Vet" })).await;
    assert_eq!(said(&foreign), expected(409, codes::LINKED_ELSEWHERE));
    let browser = Browser::sent(&place, Some(&token)).await;
    let code = browser.vouched("sub-o", "owner@example.org").await;
    let joined: SignedIn = finish(&place, &code, json!({})).await.read();
    assert_eq!(joined.principal.roles.len(), 3);
    let dead = post(
        place.practice.address,
        "/openid/begin",
        beginning(ReturnTo::Page, Some("nonsense")),
    )
    .await;
    assert_eq!(said(&dead), expected(410, accounts::codes::LINK_NO_LONGER_VALID));
}

async fn a_program_opens_another_browser(engine: Engine) {
    let place = Place::open(engine).await;
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    assert_eq!(link(&place, &vet, "sub-1", "vet@example.org").await.status, 200);
    let server = place.practice.address;
    let begun = post(
        server,
        "/openid/begin",
        beginning(ReturnTo::Loopback(4_711), None),
    )
    .await;
    assert_eq!(begun.header("set-cookie"), "", "the program is no browser");
    let address = begun.json()["address"].as_str().expect("an address").to_owned();
    let path = address.strip_prefix("http://localhost:8080").expect("ours");
    let visit = async || http::request(server, Method::GET, path, &[], String::new()).await;
    let sent_on = visit().await;
    assert_eq!(sent_on.status, 303);
    assert!(sent_on.header("location").starts_with(&place.issuer.address));
    let asked = query(sent_on.header("location"));
    let browser = Browser {
        place: &place,
        cookie: cookie_of(&sent_on),
        asked,
    };
    browser.provider_says(Signing::Rs256(0), &browser.claims("sub-1", "vet@example.org"));
    let state = format!("state={}&code=c", browser.asked["state"]);
    let back = browser.callback(&state, &browser.cookie).await;
    let code = back
        .header("location")
        .strip_prefix("http://127.0.0.1:4711/?code=")
        .expect("the program's own address")
        .to_owned();
    let signed_in: SignedIn = finish(&place, &code, json!({})).await.read();
    assert_eq!(signed_in.principal.account, vet.account());

    // A second browser that has the address gets nowhere, and ends it for the first one.
    let begun = post(
        server,
        "/openid/begin",
        beginning(ReturnTo::Loopback(4_711), None),
    )
    .await;
    let address = begun.json()["address"].as_str().expect("an address").to_owned();
    let path = address.strip_prefix("http://localhost:8080").expect("ours");
    let visit = async || http::request(server, Method::GET, path, &[], String::new()).await;
    let first = visit().await;
    assert_eq!(
        visit().await.header("location"),
        "http://localhost:8080/signed-in#none"
    );
    let asked = query(first.header("location"));
    let browser = Browser {
        place: &place,
        cookie: cookie_of(&first),
        asked,
    };
    let state = format!("state={}&code=c", browser.asked["state"]);
    let back = browser.callback(&state, &browser.cookie).await;
    assert_eq!(back.header("location"), "http://localhost:8080/signed-in#none");
}

async fn keys_change_and_are_looked_for_once(engine: Engine) {
    let place = Place::open(engine).await;
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    assert_eq!(link(&place, &vet, "sub-1", "vet@example.org").await.status, 200);
    assert_eq!(place.issuer.key_requests(), 1);
    let signed_with = async |key: usize| {
        let browser = Browser::sent(&place, None).await;
        browser.provider_says(Signing::Rs256(key), &browser.claims("sub-1", "vet@example.org"));
        let code = browser.returns().await;
        finish(&place, &code, json!({})).await.status.as_u16()
    };
    place.issuer.publishes(&[1]);
    assert_eq!(signed_with(1).await, 200, "a key that came meanwhile");
    assert_eq!(place.issuer.key_requests(), 2);
    assert_eq!(signed_with(0).await, 401, "one that is published no more");
    assert_eq!(signed_with(2).await, 401, "one that never was");
    assert_eq!(
        place.issuer.key_requests(),
        2,
        "nobody makes us ask again and again"
    );
    assert_eq!(signed_with(1).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_cannot_be_reached_is_no_wrong_password() {
    let place = Place::open(Engine::Sqlite).await;
    place.issuer.is_away(true);
    let begun = post(
        place.practice.address,
        "/openid/begin",
        beginning(ReturnTo::Page, None),
    )
    .await;
    assert_eq!(said(&begun), expected(503, codes::PROVIDER_AWAY));
    let unknown = json!({ "provider": "none", "return_to": "page", "challenge": "0".repeat(64) });
    assert_eq!(
        post(place.practice.address, "/openid/begin", unknown)
            .await
            .status,
        404
    );
}
