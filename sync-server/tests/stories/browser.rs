//! A browser on its way to a provider and back, and the client that sent it.

use crate::http::{self, Response};
use crate::issuer::{CLIENT_ID, Issuer, Signing, sign};
use crate::letter_box::LetterBox;
use crate::person::{Person, post};
use crate::practice::{PASSWORD, Practice, fresh_id};
use axum::http::Method;
use serde_json::{Value, json};
use shared_model::ids::DeviceId;
use shared_model::time::Timestamp;
use shared_model::ways_in::{ReturnTo, challenge_of};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use sync_server::Clock;

use crate::database::Engine;

pub const START: i64 = 1_800_000_000_000;

/// A practice whose people may sign in with a provider, with a clock and a letter box.
pub struct Place {
    pub practice: Practice,
    pub letters: LetterBox,
    pub issuer: Issuer,
    pub now: Arc<AtomicI64>,
}

impl Place {
    pub async fn open(engine: Engine) -> Self {
        let (issuer, letters) = (Issuer::open().await, LetterBox::open());
        let now = Arc::new(AtomicI64::new(START));
        let (mail, clock, provider) = (letters.post(), Arc::clone(&now), issuer.setting());
        let practice = Practice::open_with(engine, |settings| {
            settings.post = mail;
            settings.providers = vec![provider];
            settings.clock = Clock::of(move || Timestamp(clock.load(Ordering::Relaxed)));
        })
        .await;
        Self {
            practice,
            letters,
            issuer,
            now,
        }
    }

    /// Seconds since 1970.
    pub fn seconds(&self) -> i64 {
        self.now.load(Ordering::Relaxed) / 1_000
    }

    pub fn pass(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

pub const VERIFIER: &str = "what the client alone has";

/// What a client asks to begin with.
pub fn beginning(return_to: ReturnTo, invitation: Option<&str>) -> Value {
    json!({
        "provider": "acme", "return_to": return_to, "challenge": challenge_of(VERIFIER), "invitation": invitation,
    })
}

/// The same to link, with the word of who has proven who they are.
pub fn to_link(word: &str) -> Value {
    json!({ "begin": beginning(ReturnTo::Page, None), "proven": word })
}

/// A browser that is at the provider.
pub struct Browser<'a> {
    pub place: &'a Place,
    pub cookie: String,
    /// What stood in the address that it was sent to.
    pub asked: HashMap<String, String>,
}

/// The values behind the question mark.
pub fn query(address: &str) -> HashMap<String, String> {
    let (_, query) = address.split_once('?').expect("a query");
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The cookie of an answer, as it is sent back.
pub fn cookie_of(answer: &Response) -> String {
    let (cookie, _) = answer.header("set-cookie").split_once(';').expect("a cookie");
    cookie.to_owned()
}

impl<'a> Browser<'a> {
    pub async fn sent(place: &'a Place, invitation: Option<&str>) -> Self {
        let body = beginning(ReturnTo::Page, invitation);
        let answer = post(place.practice.address, "/openid/begin", body).await;
        Self::after(place, &answer)
    }

    /// Of somebody who is signed in with a password, and links.
    pub async fn to_link(place: &'a Place, person: &Person) -> Self {
        let word = person.proven(PASSWORD).await;
        let begun = person.post("/me/openid/begin", to_link(&word)).await;
        Self::after(place, &begun)
    }

    pub fn after(place: &'a Place, answer: &Response) -> Self {
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let address = answer.json()["address"].as_str().expect("an address").to_owned();
        assert!(address.starts_with(&place.issuer.address), "{address}");
        Self {
            place,
            cookie: cookie_of(answer),
            asked: query(&address),
        }
    }

    /// Claims that hold. Whom we send with `max_age` signs in, and the token says when.
    pub fn claims(&self, subject: &str, email: &str) -> Value {
        let now = self.place.seconds();
        let mut claims = json!({
            "iss": self.place.issuer.address, "aud": CLIENT_ID, "sub": subject, "nonce": self.asked["nonce"],
            "iat": now, "exp": now + 300, "email": email, "email_verified": true, "name": "Somebody There",
        });
        if self.asked.contains_key("max_age") {
            claims["auth_time"] = json!(now);
        }
        claims
    }

    /// What the provider will say to the server.
    pub fn provider_says(&self, signing: Signing, claims: &Value) {
        let answer = json!({
            "access_token": "an access token", "token_type": "Bearer", "id_token": sign(signing, claims),
        });
        self.provider_answers(Some(answer));
    }

    pub fn provider_answers(&self, answer: Option<Value>) {
        self.place.issuer.says(answer, &self.asked["code_challenge"]);
    }

    pub async fn callback(&self, query: &str, cookie: &str) -> Response {
        self.callback_of("acme", query, cookie).await
    }

    pub async fn callback_of(&self, provider: &str, query: &str, cookie: &str) -> Response {
        let path = format!("/api/v1/openid/callback/{provider}?{query}");
        let headers = [("cookie", cookie)];
        http::request(
            self.place.practice.address,
            Method::GET,
            &path,
            &headers,
            String::new(),
        )
        .await
    }

    /// Back to the server, and on to the client with this code.
    pub async fn returns(&self) -> String {
        self.returns_with("code=something").await
    }

    pub async fn returns_with(&self, query: &str) -> String {
        let query = format!("state={}&{query}", self.asked["state"]);
        code_of(&self.callback(&query, &self.cookie).await)
    }

    /// The whole way of somebody whom the provider knows by this name.
    pub async fn vouched(&self, subject: &str, email: &str) -> String {
        self.provider_says(Signing::Rs256(0), &self.claims(subject, email));
        self.returns().await
    }
}

/// Links the account of somebody who is signed in.
pub async fn link(place: &Place, person: &Person, subject: &str, email: &str) -> Response {
    let browser = Browser::to_link(place, person).await;
    let code = browser.vouched(subject, email).await;
    let body = json!({ "code": code, "verifier": VERIFIER });
    person.post("/me/openid/finish", body).await
}

/// The code that a browser takes to the client's page.
pub fn code_of(answer: &Response) -> String {
    assert_eq!(answer.status, 303, "{:?}", answer.body);
    let (page, code) = answer.header("location").split_once('#').expect("a code");
    assert_eq!(page, "http://localhost:8080/signed-in");
    code.to_owned()
}

/// The client comes for what came of it.
pub async fn finish(place: &Place, code: &str, more: Value) -> Response {
    finish_on(place, code, fresh_id(DeviceId), more).await
}

pub async fn finish_on(place: &Place, code: &str, device: DeviceId, more: Value) -> Response {
    let mut body = json!({
        "code": code, "verifier": VERIFIER, "device": device, "device_name": "a device",
    });
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    post(place.practice.address, "/openid/finish", body).await
}
