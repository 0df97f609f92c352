//! A provider of OpenID Connect that runs here: real keys, real signatures, and whatever it is told to say.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use openidconnect::url::form_urlencoded;
use rsa::pkcs1v15::SigningKey;
use rsa::rand_core::OsRng;
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use sync_server::identity::ProviderSetting;
use tokio::net::TcpListener;

pub const CLIENT_ID: &str = "clinic";
pub const CLIENT_SECRET: &str = "between us two";
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The page whose session tokens are taken.
pub const PAGE: &str = "https://records.example.org";

/// How a token is signed, or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// With the key of this number.
    Rs256(usize),
    None,
    /// With the client's own secret, which a shared secret would be.
    Hs256,
    /// With the public key as if it were a secret.
    Hs256OfPublicKey,
    /// The right key, and one bit of the signature is another.
    Broken,
}

struct Told {
    /// What `/token` answers.
    answer: Option<Value>,
    /// S256 of the verifier that has to come with the code.
    challenge: String,
    published: Vec<usize>,
    key_requests: usize,
    away: bool,
}

#[derive(Clone)]
pub struct Issuer {
    pub address: String,
    told: Arc<Mutex<Told>>,
}

/// Made once, when a story needs it.
fn key(number: usize) -> &'static RsaPrivateKey {
    static KEYS: [OnceLock<RsaPrivateKey>; 3] = [const { OnceLock::new() }; 3];
    KEYS[number].get_or_init(|| RsaPrivateKey::new(&mut OsRng, 2_048).expect("a key"))
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A JWT of these claims.
pub fn sign(signing: Signing, claims: &Value) -> String {
    let (alg, number) = match signing {
        Signing::Rs256(number) => ("RS256", number),
        Signing::Broken => ("RS256", 0),
        Signing::None => ("none", 0),
        Signing::Hs256 | Signing::Hs256OfPublicKey => ("HS256", 0),
    };
    let header = json!({ "alg": alg, "typ": "JWT", "kid": format!("key-{number}") });
    let signed = format!("{}.{}", text(header.to_string()), text(claims.to_string()));
    let hmac = |secret: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
        mac.update(signed.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let rsa = |number| {
        let key = SigningKey::<Sha256>::new(key(number).clone());
        key.sign(signed.as_bytes()).to_vec()
    };
    let signature = match signing {
        Signing::Rs256(number) => rsa(number),
        Signing::Broken => {
            let mut signature = rsa(0);
            signature[100] ^= 1;
            signature
        }
        Signing::None => Vec::new(),
        Signing::Hs256 => hmac(CLIENT_SECRET.as_bytes()),
        Signing::Hs256OfPublicKey => hmac(&RsaPublicKey::from(key(0)).n().to_bytes_be()),
    };
    format!("{signed}.{}", text(signature))
}

impl Issuer {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free address");
        let address: SocketAddr = listener.local_addr().expect("bound");
        let issuer = Self {
            address: format!("http://{address}"),
            told: Arc::new(Mutex::new(Told {
                answer: None,
                challenge: String::new(),
                published: vec![0],
                key_requests: 0,
                away: false,
            })),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/.well-known/jwks.json", get(keys))
            .route("/token", post(token))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    /// What a server is told about it.
    pub fn setting(&self) -> ProviderSetting {
        let setting = json!({
            "name": "acme", "label": "Acme", "issuer": self.address, "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET, "webhook_secrets": [WEBHOOK_SECRET], "authorized_parties": [PAGE],
        });
        serde_json::from_value(setting).expect("a setting")
    }

    /// What it says to whoever brings the next code. `challenge` is what the browser came with.
    pub fn says(&self, answer: Option<Value>, challenge: &str) {
        let mut told = self.told.lock().unwrap();
        told.answer = answer;
        challenge.clone_into(&mut told.challenge);
    }

    pub fn publishes(&self, keys: &[usize]) {
        self.told.lock().unwrap().published = keys.to_vec();
    }

    /// How often its keys were asked for.
    pub fn key_requests(&self) -> usize {
        self.told.lock().unwrap().key_requests
    }

    pub fn is_away(&self, away: bool) {
        self.told.lock().unwrap().away = away;
    }
}

async fn configuration(State(issuer): State<Issuer>) -> Response {
    if issuer.told.lock().unwrap().away {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let address = &issuer.address;
    Json(json!({
        "issuer": address,
        "authorization_endpoint": format!("{address}/authorize"),
        "token_endpoint": format!("{address}/token"),
        "jwks_uri": format!("{address}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
    }))
    .into_response()
}

async fn keys(State(issuer): State<Issuer>) -> Json<Value> {
    let mut told = issuer.told.lock().unwrap();
    told.key_requests += 1;
    let keys = told.published.iter().map(|number| {
        let key = key(*number);
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": format!("key-{number}"),
            "n": text(key.n().to_bytes_be()), "e": text(key.e().to_bytes_be()),
        })
    });
    Json(json!({ "keys": keys.collect::<Vec<_>>() }))
}

/// Takes a code from the right client with the right verifier, once.
async fn token(State(issuer): State<Issuer>, headers: HeaderMap, form: String) -> Response {
    let form: HashMap<String, String> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let basic = STANDARD.encode(format!("{CLIENT_ID}:{}", CLIENT_SECRET.replace(' ', "+")));
    let is_client = headers
        .get("authorization")
        .is_some_and(|value| *value == format!("Basic {basic}"));
    let challenge = form
        .get("code_verifier")
        .map(|verifier| text(Sha256::digest(verifier.as_bytes())));
    let mut told = issuer.told.lock().unwrap();
    let answer = told
        .answer
        .take()
        .filter(|_| is_client && challenge.as_ref() == Some(&told.challenge));
    match answer {
        Some(answer) => Json(answer).into_response(),
        None => (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response(),
    }
}
