//! Signing in with a provider of OpenID Connect: linked accounts, invitations, and those who are not known.

use crate::browser::{
    Browser, Place, VERIFIER, beginning, cookie_of, finish, finish_on, link, query, to_link,
};
use crate::database::Engine;
use crate::device::Device;
use crate::http;
use crate::issuer::{Issuer, Signing};
use crate::morning::on_both;
use crate::person::{Person, post};
use crate::practice::{OTHER_OWNER, PASSWORD, Practice, fresh_id};
use crate::second_factor::{code_at, set_up_with};
use axum::http::Method;
use serde_json::{Value, json};
use shared_model::accounts::{self, Me, SignedIn};
use shared_model::ids::DeviceId;
use shared_model::permissions::Role;
use shared_model::second_factor::{self, SecondStep};
use shared_model::ways_in::{LinkedIdentity, Provider, ReturnTo, codes};
use sync_server::identity::{RequestLimit, RequestLimits};

on_both! {
    whoever_has_linked_it_signs_in_with_it
    nobody_learns_whether_there_is_an_account
    an_invitation_is_taken_up_with_a_provider
    somebody_who_has_an_account_is_asked_for_its_password
    a_program_opens_another_browser
    keys_change_and_are_looked_for_once
    linking_takes_the_password_once_more
    whoever_has_no_password_proves_themselves_with_their_provider
    whoever_has_no_password_changes_their_address_and_chooses_one
    a_link_waits_for_the_second_factor
    a_providers_word_is_one_factor
    a_proof_says_that_somebody_signed_in_for_it
    whoever_has_a_password_proves_themselves_with_it
    browsers_read_in_words_what_is_in_the_way
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
    let (id, of_desk) = (linked.identity, desk.proven(PASSWORD).await);
    assert_eq!(desk.unlink(id, &of_desk).await.status, 404, "it is not theirs");
    let gone = expected(410, accounts::codes::LINK_NO_LONGER_VALID);
    for word in ["", "guess", &of_desk] {
        assert_eq!(said(&vet.unlink(id, word).await), gone, "{word}");
    }
    let word = vet.proven(PASSWORD).await;
    assert_eq!(vet.unlink(id, &word).await.status, 204);
    assert_eq!(vet.unlink(id, &word).await.status, 404);
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
    assert!(!browser.asked.contains_key("prompt"));
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
    let (id, word) = (all[0].identity, proven_there(&place, &nora, "sub-nora").await);
    assert_eq!(
        said(&nora.unlink(id, &word).await),
        expected(409, codes::LAST_WAY_IN)
    );
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
    let word = nora.proven("quince-fathom-41-sled").await;
    assert_eq!(nora.unlink(id, &word).await.status, 204);
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
    place.letters.letter("owner@example.org", "Acme now").await;

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

async fn linking_takes_the_password_once_more(engine: Engine) {
    let place = Place::open(engine).await;
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    let begin = async |body: Value| vet.post("/me/openid/begin", body).await;
    let bare = begin(beginning(ReturnTo::Page, None)).await;
    assert_eq!(bare.status, 422, "a session alone");
    let desk = Person::of(&place.practice, "desk", PASSWORD).await;
    for word in ["", "guess", &desk.proven(PASSWORD).await] {
        let refused = begin(to_link(word)).await;
        let gone = expected(410, accounts::codes::LINK_NO_LONGER_VALID);
        assert_eq!(said(&refused), gone, "{word}");
    }
    let linked: LinkedIdentity = link(&place, &vet, "sub-1", "no address").await.read();
    assert_eq!(linked.email, None, "what is no address is not shown as one");

    // Another sign-in of theirs does not finish what this one began.
    let browser = Browser::to_link(&place, &vet).await;
    let code = browser.vouched("sub-2", "vet@example.org").await;
    let elsewhere = Person::of(&place.practice, "vet", PASSWORD).await;
    let body = json!({ "code": code, "verifier": VERIFIER });
    assert_eq!(
        said(&elsewhere.post("/me/openid/finish", body).await),
        expected(410, accounts::codes::LINK_NO_LONGER_VALID)
    );
}

/// Somebody who has taken up an invitation with the provider, and has no password.
async fn joined(place: &Place, name: &str) -> Person {
    let admin = Person::of(&place.practice, "admin", PASSWORD).await;
    let email = format!("{name}@example.org");
    admin.invite(&email, &[Role::Technician], None).await;
    let letter = place.letters.letter(&email, "invites you").await;
    let browser = Browser::sent(place, Some(&letter.invitation())).await;
    let code = browser.vouched(&format!("sub-{name}"), &email).await;
    let device = fresh_id(DeviceId);
    let joined = finish_on(place, &code, device, json!({ "full_name": name })).await;
    Person {
        server: place.practice.address,
        device,
        signed_in: joined.read(),
    }
}

async fn sent_to_prove<'a>(place: &'a Place, person: &Person) -> Browser<'a> {
    let begun = person
        .post("/me/openid/prove", beginning(ReturnTo::Page, None))
        .await;
    Browser::after(place, &begun)
}

/// What proves with this code that it is they.
fn by_provider(code: &str) -> Value {
    json!({ "provider": { "code": code, "verifier": VERIFIER } })
}

/// The word of somebody who has signed in at the provider for it.
async fn proven_there(place: &Place, person: &Person, subject: &str) -> String {
    let browser = sent_to_prove(place, person).await;
    let code = browser.vouched(subject, "somebody@gmail.example").await;
    person.proven_by(by_provider(&code)).await
}

async fn whoever_has_no_password_proves_themselves_with_their_provider(engine: Engine) {
    let place = Place::open(engine).await;
    let (nora, otto) = (joined(&place, "nora").await, joined(&place, "otto").await);
    let prove = async |person: &Person, proof: Value| {
        let answer = person.post("/me/prove", json!({ "proof": proof })).await;
        said(&answer)
    };
    assert_eq!(
        prove(&nora, json!({ "password": "" })).await,
        expected(401, accounts::codes::WRONG_CREDENTIALS)
    );
    let vouched = async |person: &Person, subject: &str| {
        let browser = sent_to_prove(&place, person).await;
        by_provider(&browser.vouched(subject, "nora@gmail.example").await)
    };
    assert_eq!(
        prove(&nora, vouched(&nora, "sub-else").await).await,
        expected(403, codes::NOT_THE_LINKED)
    );
    let gone = expected(410, accounts::codes::LINK_NO_LONGER_VALID);
    assert_eq!(prove(&nora, vouched(&otto, "sub-nora").await).await, gone);
    let browser = Browser::sent(&place, None).await;
    assert!(!browser.asked.contains_key("prompt"), "an open session is enough");
    assert!(!browser.asked.contains_key("max_age"));
    let signed_in = by_provider(&browser.vouched("sub-nora", "nora@gmail.example").await);
    assert_eq!(prove(&nora, signed_in).await, gone, "begun to sign in");

    // Begun in another sign-in of theirs.
    let browser = Browser::sent(&place, None).await;
    let code = browser.vouched("sub-nora", "nora@gmail.example").await;
    let elsewhere = Person {
        server: place.practice.address,
        device: fresh_id(DeviceId),
        signed_in: finish(&place, &code, json!({})).await.read(),
    };
    assert_eq!(prove(&nora, vouched(&elsewhere, "sub-nora").await).await, gone);

    let proof = vouched(&nora, "sub-nora").await;
    let word = nora.proven_by(proof.clone()).await;
    assert_eq!(prove(&nora, proof).await, gone, "once is all");
    let begun = nora.post("/me/openid/begin", to_link(&word)).await;
    let browser = Browser::after(&place, &begun);
    assert!(!browser.asked.contains_key("prompt"));
    let code = browser.vouched("sub-work", "nora@work.example").await;
    let body = json!({ "code": code, "verifier": VERIFIER });
    let linked: LinkedIdentity = nora.post("/me/openid/finish", body).await.read();
    assert_eq!(linked.email.as_deref(), Some("nora@work.example"));
}

/// Nobody has to have had a password to change their address, or to choose one.
async fn whoever_has_no_password_changes_their_address_and_chooses_one(engine: Engine) {
    let place = Place::open(engine).await;
    let nora = joined(&place, "nora").await;
    let word = proven_there(&place, &nora, "sub-nora").await;
    let change = json!({ "proven": word, "email": "novak@example.org" });
    assert_eq!(nora.post("/me/email", change).await.status, 202);
    let letter = place.letters.letter("novak@example.org", "Confirm").await;
    let follow = json!({ "token": letter.token(accounts::links::VERIFY_EMAIL) });
    let confirmed = post(place.practice.address, "/email/verify", follow).await;
    assert_eq!(confirmed.status, 204);

    let choose = json!({ "proven": word, "new": "quince-fathom-41-sled" });
    assert_eq!(nora.post("/me/password", choose).await.status, 204);
    place
        .letters
        .letter("novak@example.org", "password was changed")
        .await;
    let me: Me = nora.get("/me").await;
    assert_eq!((me.email.as_str(), me.has_password), ("novak@example.org", true));
    Person::of(&place.practice, "novak", "quince-fathom-41-sled").await;
}

/// A password alone makes nobody's provider a way into an account that asks for more.
async fn a_link_waits_for_the_second_factor(engine: Engine) {
    let place = Place::open(engine).await;
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    let (secret, _) = set_up_with(&vet, json!({ "password": PASSWORD }), &place.now).await;
    let linked = async || vet.get::<Vec<LinkedIdentity>>("/me/identities").await.len();
    let second = async |answer: http::Response| -> SignedIn {
        assert_eq!(said(&answer), expected(401, second_factor::codes::SECOND_FACTOR));
        let step: SecondStep = answer.read();
        assert_eq!(linked().await, 0, "so far it is the password alone");
        let body = json!({ "step": step.step, "proof": { "totp": code_at(&secret, &place.now) } });
        place.pass(30_000);
        let finished = post(place.practice.address, "/sign-in/second", body).await;
        assert_eq!(finished.status, 200, "{:?}", finished.body);
        finished.read()
    };
    let browser = Browser::sent(&place, None).await;
    let code = browser.vouched("sub-1", "vet@gmail.example").await;
    let with = json!({ "link_with": { "email": "vet@example.org", "password": PASSWORD } });
    second(finish(&place, &code, with).await).await;
    assert_eq!(linked().await, 1);
    place.letters.letter("vet@example.org", "Acme now").await;
    let all: Vec<LinkedIdentity> = vet.get("/me/identities").await;

    // Nor does it where an invitation is taken up.
    let asked = vet
        .post("/me/prove", json!({ "proof": { "password": PASSWORD } }))
        .await;
    let step: SecondStep = asked.read();
    let shown = json!({ "step": step.step, "proof": { "totp": code_at(&secret, &place.now) } });
    place.pass(30_000);
    let word: second_factor::Proven = vet.post("/me/prove/second", shown).await.read();
    assert_eq!(vet.unlink(all[0].identity, &word.proven).await.status, 204);
    let admin = Person::of(&place.practice, "admin", PASSWORD).await;
    admin.invite("vet@example.org", &[Role::Technician], None).await;
    let letter = place.letters.letter("vet@example.org", "invites you").await;
    let browser = Browser::sent(&place, Some(&letter.invitation())).await;
    let code = browser.vouched("sub-1", "vet@gmail.example").await;
    let with = json!({ "link_with": { "password": PASSWORD } });
    let signed_in = second(finish(&place, &code, with).await).await;
    assert!(signed_in.principal.roles.contains(&Role::Technician));
    assert_eq!(linked().await, 1);
}

/// Whoever sits at an open session here and at the provider can take out of the address what has them sign in anew.
async fn a_proof_says_that_somebody_signed_in_for_it(engine: Engine) {
    let place = Place::open(engine).await;
    let nora = joined(&place, "nora").await;
    let check = async |what: &str, auth_time: Option<i64>, wanted: (u16, String)| {
        let browser = sent_to_prove(&place, &nora).await;
        assert_eq!(browser.asked["prompt"], "login", "a session there proves nothing");
        assert_eq!(browser.asked["max_age"], "0", "and it is to be told");
        let begun = place.seconds();
        // Which is how long it takes to sign in.
        place.pass(120_000);
        let mut claims = browser.claims("sub-nora", "nora@gmail.example");
        match auth_time {
            Some(since) => claims["auth_time"] = json!(begun + since),
            None => drop(claims.as_object_mut().unwrap().remove("auth_time")),
        }
        browser.provider_says(Signing::Rs256(0), &claims);
        let proof = by_provider(&browser.returns().await);
        let answer = nora.post("/me/prove", json!({ "proof": proof })).await;
        let became = if answer.status == 200 {
            (200, String::new())
        } else {
            said(&answer)
        };
        assert_eq!(became, wanted, "{what}");
    };
    let (good, old) = ((200, String::new()), expected(403, codes::NOT_ANEW));
    check("for it", Some(30), good.clone()).await;
    check("by a clock that is behind", Some(-50), good).await;
    check("before", Some(-70), old.clone()).await;
    check("the day before", Some(-86_400), old.clone()).await;
    check("not yet", Some(200), old.clone()).await;
    check("never, as far as it says", None, old).await;
}

async fn whoever_has_a_password_proves_themselves_with_it(engine: Engine) {
    let place = Place::open(engine).await;
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    assert_eq!(link(&place, &vet, "sub-vet", "vet@example.org").await.status, 200);
    let needed = expected(409, codes::PASSWORD_NEEDED);
    let begun = vet
        .post("/me/openid/prove", beginning(ReturnTo::Page, None))
        .await;
    assert_eq!(said(&begun), needed);

    // One who chose a password on the way.
    let nora = joined(&place, "nora").await;
    let browser = sent_to_prove(&place, &nora).await;
    let proof = by_provider(&browser.vouched("sub-nora", "nora@gmail.example").await);
    let forgot = json!({ "email": "nora@example.org" });
    let asked = post(place.practice.address, "/password/forgot", forgot).await;
    assert_eq!(asked.status, 202);
    let letter = place.letters.letter("nora@example.org", "new password").await;
    let reset = json!({ "token": letter.token("/reset-password#"), "password": "quince-fathom-41-sled" });
    let reset = post(place.practice.address, "/password/reset", reset).await;
    assert_eq!(reset.status, 204);
    let nora = Person::of(&place.practice, "nora", "quince-fathom-41-sled").await;
    let by_provider = nora.post("/me/prove", json!({ "proof": proof })).await;
    assert_eq!(said(&by_provider), needed);
    nora.proven("quince-fathom-41-sled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_cannot_be_fetched_are_no_forged_token() {
    let place = Place::open(Engine::Sqlite).await;
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    assert_eq!(link(&place, &vet, "sub-1", "vet@example.org").await.status, 200);
    place.issuer.publishes(&[1]);
    place.issuer.is_away(true);
    let asked = place.issuer.key_requests();
    for _ in 0..3 {
        let browser = Browser::sent(&place, None).await;
        browser.provider_says(Signing::Rs256(1), &browser.claims("sub-1", "vet@example.org"));
        let code = browser.returns().await;
        let away = finish(&place, &code, json!({})).await;
        assert_eq!(said(&away), expected(503, codes::PROVIDER_AWAY));
    }
    assert_eq!(
        place.issuer.key_requests() - asked,
        1,
        "nobody asks for them at each sign-in"
    );
}

/// Whoever follows an address of ours in a browser reads words, whatever is in the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_on_its_way_gets_a_page_to_read() {
    let (issuer, limits) = (Issuer::open().await, RequestLimits::default());
    let provider = issuer.setting();
    let practice = Practice::open_with(Engine::Sqlite, |settings| {
        settings.providers = vec![provider];
        settings.request_limits.secrets = RequestLimit {
            at_once: 2,
            ..limits.secrets
        };
    })
    .await;
    for path in [
        "/api/v1/openid/go/nonsense",
        "/api/v1/openid/callback/acme?state=x",
    ] {
        assert_eq!(http::get(practice.address, path, &[]).await.status, 303);
    }
    for path in [
        "/api/v1/openid/go/nonsense",
        "/api/v1/openid/callback/acme?state=x",
    ] {
        let slowed = http::get(practice.address, path, &[]).await;
        assert_eq!(slowed.status, 429);
        assert_ne!(slowed.header("retry-after"), "");
        let page = page(&slowed);
        assert!(page.contains("That was too much at once"), "{page}");
    }
    let program = post(practice.address, "/openid/finish", json!({})).await;
    assert_eq!(said(&program), expected(429, accounts::codes::SLOW_DOWN));
}

/// What a browser shows that cannot be sent on.
pub fn page(answer: &http::Response) -> String {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    String::from_utf8(answer.body.to_vec()).unwrap()
}

async fn browsers_read_in_words_what_is_in_the_way(engine: Engine) {
    let place = Place::open(engine).await;
    let server = place.practice.address;
    let check = async |method: Method, path: &str, status: u16, words: &str| {
        let path = format!("/api/v1/openid/{path}");
        let answer = http::request(server, method, &path, &[], String::new()).await;
        assert_eq!(answer.status, status, "{path}");
        let page = page(&answer);
        assert!(page.contains(words), "{path}: {page}");
        assert!(
            !page.contains("nonsense"),
            "nothing of what was asked for: {page}"
        );
    };
    let nowhere = "This page leads nowhere any more";
    check(Method::GET, "go/nonsense%ff", 404, nowhere).await;
    check(Method::GET, "callback/nonsense%ff", 404, nowhere).await;
    check(Method::POST, "go/nonsense", 405, nowhere).await;
    place.practice.database.run("drop table sign_in_steps").await;
    let away = "The clinic cannot be reached at the moment";
    check(Method::GET, "go/nonsense", 503, away).await;
    check(Method::GET, "callback/acme?state=nonsense", 503, away).await;
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

async fn a_providers_word_is_one_factor(engine: Engine) {
    let place = Place::open(engine).await;
    let nora = joined(&place, "nora").await;
    let shown = async || {
        let browser = sent_to_prove(&place, &nora).await;
        by_provider(&browser.vouched("sub-nora", "nora@example.org").await)
    };
    let (secret, _) = set_up_with(&nora, shown().await, &place.now).await;
    let second = expected(401, second_factor::codes::SECOND_FACTOR);
    let finish_second = |step: &SecondStep| {
        let code = code_at(&secret, &place.now);
        json!({ "step": step.step, "proof": { "totp": code } })
    };

    let browser = Browser::sent(&place, None).await;
    let code = browser.vouched("sub-nora", "nora@example.org").await;
    let asked = finish(&place, &code, json!({})).await;
    assert_eq!(said(&asked), second);
    let again = finish(&place, &code, json!({})).await;
    assert_eq!(
        said(&again),
        expected(410, accounts::codes::LINK_NO_LONGER_VALID),
        "the provider has had its say"
    );
    let body = finish_second(&asked.read());
    let signed_in = post(place.practice.address, "/sign-in/second", body).await;
    let signed_in: SignedIn = signed_in.read();
    assert_eq!(signed_in.principal.account, nora.account());
    place.pass(30_000);

    // Nor does it alone change what one signs in with.
    let proof = json!({ "proof": shown().await });
    let asked = nora.post("/me/prove", proof).await;
    assert_eq!(said(&asked), second);
    let proven = nora.post("/me/prove/second", finish_second(&asked.read())).await;
    assert_eq!(proven.status, 200, "{:?}", proven.body);
}
