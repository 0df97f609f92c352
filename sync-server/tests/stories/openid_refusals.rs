//! What a provider or a browser brings that does not hold: each is refused, and the same with everything in order is not.

use crate::browser::{Browser, Place, VERIFIER, code_of, finish};
use crate::database::Engine;
use crate::http::Response;
use crate::issuer::{AUDIENCE, CLIENT_ID, PAGE, Signing, sign};
use crate::morning::on_both;
use crate::person::{Person, post};
use crate::practice::{PASSWORD, fresh_id};
use crate::second_factor::set_up;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_model::accounts::codes::{CHOOSE_CLINIC, LINK_NO_LONGER_VALID};
use shared_model::ids::{ClinicId, DeviceId};
use shared_model::permissions::Role;
use shared_model::second_factor;
use shared_model::time::Timestamp;
use shared_model::ways_in::codes;
use sync_server::storage::people::{NewIdentity, Profile};
use sync_server::storage::{NewAccount, NewClinic};
use uuid::Uuid;

/// A place where the vet has linked `sub-1`.
async fn place(engine: Engine) -> Place {
    let place = Place::open(engine).await;
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    let identity = NewIdentity {
        identity: fresh_id(|id: Uuid| id),
        issuer: place.issuer.address.clone(),
        subject: "sub-1".to_owned(),
        linked_at: Timestamp(0),
        profile: Profile::default(),
    };
    let people = place.practice.storage.people();
    let linked = people.link_identity(vet.account(), identity, None).await.unwrap();
    assert!(linked.is_some());
    place
}

fn said(answer: &Response) -> (u16, String) {
    let code = if answer.status == 200 {
        String::new()
    } else {
        answer.code()
    };
    (answer.status.as_u16(), code)
}

/// What becomes of a sign-in whose ID token has these claims.
async fn with_token(place: &Place, signing: Signing, change: impl FnOnce(&mut Value)) -> (u16, String) {
    let browser = Browser::sent(place, None).await;
    let mut claims = browser.claims("sub-1", "vet@example.org");
    change(&mut claims);
    browser.provider_says(signing, &claims);
    let code = browser.returns().await;
    said(&finish(place, &code, json!({})).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_do_not_hold() {
    let place = place(Engine::Sqlite).await;
    let now = place.seconds();
    let at_hash = |access_token: &str| URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16]);
    let (good, bad) = ((200, String::new()), (401, codes::PROVIDER_REFUSED.to_owned()));
    let key = Signing::Rs256(0);
    let check =
        async |what: &str, signing: Signing, change: &dyn Fn(&mut Value), expected: &(u16, String)| {
            let became = with_token(&place, signing, change).await;
            assert_eq!(became, *expected, "{what}");
        };
    let set = |name: &'static str, value: Value| move |claims: &mut Value| claims[name] = value.clone();
    let without = |name: &'static str| {
        move |claims: &mut Value| {
            claims.as_object_mut().unwrap().remove(name);
        }
    };
    check("as it should be", key, &|_| {}, &good).await;
    check(
        "the audience in a list",
        key,
        &set("aud", json!([CLIENT_ID])),
        &good,
    )
    .await;
    check("ours by name", key, &set("azp", json!(CLIENT_ID)), &good).await;
    check("a clock that is behind", key, &set("iat", json!(now + 50)), &good).await;
    check("just expired", key, &set("exp", json!(now - 50)), &good).await;
    check(
        "its access token",
        key,
        &set("at_hash", json!(at_hash("an access token"))),
        &good,
    )
    .await;

    check(
        "another issuer",
        key,
        &set("iss", json!("https://evil.example")),
        &bad,
    )
    .await;
    check("no issuer", key, &without("iss"), &bad).await;
    check(
        "another audience",
        key,
        &set("aud", json!("another client")),
        &bad,
    )
    .await;
    check(
        "one audience more",
        key,
        &set("aud", json!([CLIENT_ID, "another client"])),
        &bad,
    )
    .await;
    check("no audience", key, &without("aud"), &bad).await;
    check(
        "another's by name",
        key,
        &set("azp", json!("another client")),
        &bad,
    )
    .await;
    check("another nonce", key, &set("nonce", json!("another")), &bad).await;
    check("no nonce", key, &without("nonce"), &bad).await;
    check("expired", key, &set("exp", json!(now - 61)), &bad).await;
    check("without an end", key, &without("exp"), &bad).await;
    check("of the future", key, &set("iat", json!(now + 61)), &bad).await;
    check("of long ago", key, &set("iat", json!(now - 3_600)), &bad).await;
    check("nobody", key, &without("sub"), &bad).await;
    check(
        "another access token",
        key,
        &set("at_hash", json!(at_hash("another"))),
        &bad,
    )
    .await;

    check("not signed", Signing::None, &|_| {}, &bad).await;
    check("signed with our own secret", Signing::Hs256, &|_| {}, &bad).await;
    check(
        "signed with what is public",
        Signing::Hs256OfPublicKey,
        &|_| {},
        &bad,
    )
    .await;
    check("one bit is another", Signing::Broken, &|_| {}, &bad).await;
    check("somebody else's key", Signing::Rs256(1), &|_| {}, &bad).await;
    check("still as it should be", key, &|_| {}, &good).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_without_a_token_that_holds() {
    let place = place(Engine::Sqlite).await;
    let refused = (401, codes::PROVIDER_REFUSED.to_owned());
    for answer in [
        None,
        Some(json!({ "access_token": "a", "token_type": "Bearer" })),
        Some(json!({ "access_token": "a", "token_type": "Bearer", "id_token": "nonsense" })),
        Some(json!({})),
    ] {
        let browser = Browser::sent(&place, None).await;
        browser.provider_answers(answer.clone());
        let code = browser.returns().await;
        assert_eq!(
            said(&finish(&place, &code, json!({})).await),
            refused,
            "{answer:?}"
        );
    }
    for query in [
        "error=access_denied",
        "error=access_denied&code=c",
        "",
        "code=c&iss=https://evil.example",
    ] {
        let browser = Browser::sent(&place, None).await;
        browser.provider_says(Signing::Rs256(0), &browser.claims("sub-1", "vet@example.org"));
        let code = browser.returns_with(query).await;
        assert_eq!(said(&finish(&place, &code, json!({})).await), refused, "{query}");
    }
    let good = (200, String::new());
    let browser = Browser::sent(&place, None).await;
    browser.provider_says(Signing::Rs256(0), &browser.claims("sub-1", "vet@example.org"));
    let query = format!("code=c&iss={}", place.issuer.address);
    let code = browser.returns_with(&query).await;
    assert_eq!(
        said(&finish(&place, &code, json!({})).await),
        good,
        "the provider's own name"
    );
    // Another verifier than the one that the browser went there with: the provider does not take the code, and everything
    // else is as it should be.
    let (browser, other) = (
        Browser::sent(&place, None).await,
        Browser::sent(&place, None).await,
    );
    let claims = other.claims("sub-1", "vet@example.org");
    browser.provider_says(Signing::Rs256(0), &claims);
    let code = other.returns().await;
    assert_eq!(said(&finish(&place, &code, json!({})).await), refused);
    let other = Browser::sent(&place, None).await;
    other.provider_says(Signing::Rs256(0), &other.claims("sub-1", "vet@example.org"));
    let code = other.returns().await;
    assert_eq!(said(&finish(&place, &code, json!({})).await), good, "its own one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_belongs_to_the_browser_and_the_client_that_began_it() {
    let place = place(Engine::Sqlite).await;
    let begin = async || {
        let browser = Browser::sent(&place, None).await;
        browser.provider_says(Signing::Rs256(0), &browser.claims("sub-1", "vet@example.org"));
        browser
    };
    let with = |state: &str| format!("state={state}&code=c");

    let browser = begin().await;
    let state = with(&browser.asked["state"]);
    assert_eq!(code_of(&browser.callback(&state, "").await), "none", "no cookie");
    assert_eq!(
        code_of(&browser.callback(&state, &browser.cookie).await),
        "none",
        "once is all"
    );
    let browser = begin().await;
    let state = with(&browser.asked["state"]);
    let elsewhere = browser.callback_of("another", &state, &browser.cookie).await;
    assert_eq!(code_of(&elsewhere), "none", "another provider's address");
    let (browser, other) = (begin().await, begin().await);
    let state = with(&browser.asked["state"]);
    assert_eq!(
        code_of(&browser.callback(&state, &other.cookie).await),
        "none",
        "another browser's cookie"
    );
    let browser = begin().await;
    let (name, _) = browser.cookie.split_once('=').unwrap();
    let forged = format!("{name}={}", "A".repeat(43));
    let state = with(&browser.asked["state"]);
    assert_eq!(code_of(&browser.callback(&state, &forged).await), "none");
    for state in ["", "state=", "state=nonsense&code=c", "state=a&state=b"] {
        let browser = begin().await;
        let back = browser.callback(state, &browser.cookie).await;
        assert_eq!(code_of(&back), "none", "{state}");
    }

    let browser = begin().await;
    place.pass(10 * 60_000);
    assert_eq!(
        code_of(
            &browser
                .callback(&with(&browser.asked["state"]), &browser.cookie)
                .await
        ),
        "none",
        "too late"
    );

    let gone = (410, LINK_NO_LONGER_VALID.to_owned());
    let none = finish(&place, "none", json!({})).await;
    assert_eq!(said(&none), gone);
    let code = begin().await.returns().await;
    let stolen = finish(&place, &code, json!({ "verifier": "a guess" })).await;
    assert_eq!(said(&stolen), gone);
    assert_eq!(
        said(&finish(&place, &code, json!({})).await),
        gone,
        "a stolen code is void"
    );
    let code = begin().await.returns().await;
    place.pass(10 * 60_000);
    assert_eq!(said(&finish(&place, &code, json!({})).await), gone, "too late");
    let code = begin().await.returns().await;
    assert_eq!(finish(&place, &code, json!({})).await.status, 200);
    assert_eq!(said(&finish(&place, &code, json!({})).await), gone, "once is all");

    // What was begun to sign in links nothing, and the other way round.
    let desk = Person::of(&place.practice, "desk", PASSWORD).await;
    let code = begin().await.returns().await;
    let body = json!({ "code": code, "verifier": VERIFIER });
    assert_eq!(said(&desk.post("/me/openid/finish", body).await), gone);
    let browser = Browser::to_link(&place, &desk).await;
    let code = browser.vouched("sub-2", "desk@example.org").await;
    assert_eq!(said(&finish(&place, &code, json!({})).await), gone);
    let admin = Person::of(&place.practice, "admin", PASSWORD).await;
    let body = json!({ "code": code, "verifier": VERIFIER });
    assert_eq!(
        said(&admin.post("/me/openid/finish", body).await),
        gone,
        "begun by somebody else"
    );
}

on_both! {
    two_who_come_for_one_code_at_once
    a_session_token_is_good_once
}

async fn two_who_come_for_one_code_at_once(engine: Engine) {
    let place = place(engine).await;
    let browser = Browser::sent(&place, None).await;
    let code = browser.vouched("sub-1", "vet@example.org").await;
    let both = futures_util::future::join_all((0..4).map(|_| finish(&place, &code, json!({})))).await;
    let in_ = both.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(in_, 1);
}

/// Whoever has copied one out of a page comes too late; and of two at the same moment, one comes in.
async fn a_session_token_is_good_once(engine: Engine) {
    let place = place(engine).await;
    let (practice, now) = (&place.practice, place.seconds());
    let vet = practice
        .storage
        .people()
        .account_by_email("vet@example.org")
        .await;
    let vet = vet.unwrap().expect("known");
    let token = |number: i64| {
        let claims = json!({
            "azp": PAGE, "iss": place.issuer.address, "sub": "sub-1", "sid": "sess_1", "v": 2, "sts": "active",
            "iat": now, "nbf": now, "exp": now + 60, "jti": number,
        });
        sign(Signing::Rs256(0), &claims)
    };
    let enter = async |token: &str, clinic: Option<ClinicId>| {
        let body = json!({
            "provider": "acme", "session_token": token, "device": fresh_id(DeviceId), "clinic": clinic,
        });
        said(&post(practice.address, "/openid/session", body).await)
    };
    let refused = (401, codes::PROVIDER_REFUSED.to_owned());
    let (first, second) = (token(1), token(2));
    assert_eq!(enter(&first, None).await.0, 200);
    assert_eq!(enter(&first, None).await, refused);
    let (one, other) = tokio::join!(enter(&second, None), enter(&second, None));
    let mut answers = [one, other];
    answers.sort();
    assert_eq!(answers, [(200, String::new()), refused.clone()]);

    // What asks for more leaves it good.
    let elsewhere = NewClinic {
        clinic: fresh_id(ClinicId),
        name: "Elsewhere".to_owned(),
        created_at: Timestamp(0),
        accounts: vec![NewAccount {
            account: vet.account,
            email: vet.email,
            full_name: vet.full_name,
            password_hash: vet.password_hash,
            roles: vec![Role::Veterinarian],
            client: None,
        }],
        demonstration: Vec::new(),
    };
    practice.storage.create_clinic(elsewhere).await.unwrap();
    let third = token(3);
    assert_eq!(enter(&third, None).await.1, CHOOSE_CLINIC);
    assert_eq!(enter(&third, Some(practice.clinic)).await.0, 200);
    assert_eq!(enter(&third, Some(practice.clinic)).await, refused);

    // For as long as it would be taken at all, a clock that goes wrong included.
    place.pass(119_000);
    assert_eq!(enter(&first, Some(practice.clinic)).await, refused);
    practice
        .storage
        .people()
        .forget_settled(Timestamp((now + 119) * 1_000))
        .await
        .unwrap();
    assert_eq!(enter(&first, Some(practice.clinic)).await, refused);
}

/// Clerk's session tokens: the claims of its documents.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_tokens_of_a_page() {
    let place = place(Engine::Sqlite).await;
    let now = place.seconds();
    let enter = async |signing: Signing, change: &dyn Fn(&mut Value)| {
        let mut claims = json!({
            "azp": PAGE, "iss": place.issuer.address, "sub": "sub-1", "sid": "sess_2c2l", "v": 2, "sts": "active",
            "iat": now, "nbf": now - 10, "exp": now + 60, "fva": [0, -1],
            "jti": fresh_id(|id: Uuid| id),
        });
        change(&mut claims);
        let body = json!({
            "provider": "acme", "session_token": sign(signing, &claims), "device": fresh_id(DeviceId),
        });
        said(&post(place.practice.address, "/openid/session", body).await)
    };
    let set = |name: &'static str, value: Value| move |claims: &mut Value| claims[name] = value.clone();
    let without = |name: &'static str| {
        move |claims: &mut Value| {
            claims.as_object_mut().unwrap().remove(name);
        }
    };
    let key = Signing::Rs256(0);
    assert_eq!(enter(key, &|_| {}).await.0, 200);
    assert_eq!(enter(key, &without("sts")).await.0, 200, "an older form of it");
    for audience in [json!(AUDIENCE), json!(["another server", AUDIENCE])] {
        assert_eq!(
            enter(key, &set("aud", audience)).await.0,
            200,
            "named in the setting"
        );
    }
    let refused = (401, codes::PROVIDER_REFUSED.to_owned());
    let check = async |signing: Signing, change: &dyn Fn(&mut Value), what: &str| {
        assert_eq!(enter(signing, change).await, refused, "{what}");
    };
    check(key, &set("iss", json!("https://evil.example")), "another issuer").await;
    check(key, &set("azp", json!("https://evil.example")), "another page").await;
    check(key, &without("azp"), "no page").await;
    check(key, &set("exp", json!(now - 61)), "expired").await;
    check(key, &set("nbf", json!(now + 61)), "not yet").await;
    check(key, &set("iat", json!(now + 61)), "of the future").await;
    check(key, &set("sts", json!("pending")), "not signed in yet").await;
    check(key, &set("sub", json!("")), "nobody").await;
    check(key, &without("sid"), "of no session").await;
    check(key, &set("sid", json!("")), "of no session").await;
    check(key, &set("aud", json!("another server")), "for somebody else").await;
    check(key, &set("aud", json!(["another server"])), "for somebody else").await;
    check(key, &set("aud", json!(7)), "for nobody who can be named").await;
    let actor = json!({ "iss": "https://dashboard.clerk.com", "sid": "sess_1", "sub": "user_1" });
    check(key, &set("act", actor), "somebody else acts as them").await;
    check(Signing::None, &|_| {}, "not signed").await;
    check(Signing::Hs256, &|_| {}, "signed with a shared secret").await;
    check(Signing::Hs256OfPublicKey, &|_| {}, "signed with what is public").await;
    check(Signing::Broken, &|_| {}, "one bit is another").await;
    check(Signing::Rs256(1), &|_| {}, "somebody else's key").await;
    let stranger = enter(key, &set("sub", json!("sub-9"))).await;
    assert_eq!(stranger, (409, codes::NOT_LINKED.to_owned()));
    let vet = Person::of(&place.practice, "vet", PASSWORD).await;
    set_up(&vet, PASSWORD, &place.now).await;
    let one_factor = (401, second_factor::codes::SECOND_FACTOR.to_owned());
    assert_eq!(enter(key, &|_| {}).await, one_factor, "the other is asked for");
    for odd in ["", ".", "a.b", "a.b.c", &"a".repeat(10_000)] {
        let body = json!({ "provider": "acme", "session_token": odd, "device": fresh_id(DeviceId) });
        assert_eq!(
            said(&post(place.practice.address, "/openid/session", body).await),
            refused
        );
    }
}
