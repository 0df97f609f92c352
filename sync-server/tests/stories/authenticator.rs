//! An authenticator that keeps passkeys, and the browser before it: what they send is made here byte by byte as WebAuthn
//! Level 3 says (6.5.4 and 7), so that stories can also send what no browser would.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::Encoder;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sync_server::identity::random;

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const HAS_KEY: u8 = 0x40;

pub struct Authenticator {
    pub origin: String,
    key: SigningKey,
    credential: [u8; 16],
    user: String,
    pub counter: u32,
    /// It has seen a finger, a face or a PIN.
    pub verifies: bool,
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn options(text: &str) -> Value {
    let options: Value = serde_json::from_str(text).expect("JSON");
    options["publicKey"].clone()
}

impl Authenticator {
    pub fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            key: SigningKey::from_slice(&random::<32>()).expect("a number below the order"),
            credential: random(),
            user: String::new(),
            counter: 0,
            verifies: true,
        }
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        json!({
            "type": format!("webauthn.{kind}"), "challenge": options["challenge"],
            "origin": self.origin, "crossOrigin": false,
        })
        .to_string()
    }

    fn data(&self, rp: &str, flags: u8) -> Vec<u8> {
        let verified = if self.verifies { VERIFIED } else { 0 };
        let mut data = Sha256::digest(rp.as_bytes()).to_vec();
        data.push(PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// `navigator.credentials.create()`
    pub fn create(&mut self, text: &str) -> String {
        let options = options(text);
        self.user = options["user"]["id"].as_str().expect("whose it is").to_owned();
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        let mut data = self.data(options["rp"]["id"].as_str().expect("a host"), HAS_KEY);
        data.extend([0; 16]);
        data.extend(16_u16.to_be_bytes());
        data.extend(self.credential);
        let point = self.key.verifying_key().to_sec1_point(false);
        let mut cose = Encoder::new(data);
        // RFC 9053, 7.1: EC2, ES256, P-256.
        cose.map(5)
            .and_then(|map| map.i8(1)?.i8(2)?.i8(3)?.i8(-7)?.i8(-1)?.i8(1))
            .expect("CBOR");
        cose.i8(-2)
            .and_then(|map| map.bytes(&point.as_bytes()[1..33]))
            .expect("CBOR");
        cose.i8(-3)
            .and_then(|map| map.bytes(&point.as_bytes()[33..]))
            .expect("CBOR");
        let data = cose.into_writer();
        let mut attestation = Encoder::new(Vec::new());
        attestation
            .map(3)
            .and_then(|map| {
                map.str("fmt")?
                    .str("none")?
                    .str("attStmt")?
                    .map(0)?
                    .str("authData")?
                    .bytes(&data)
            })
            .expect("CBOR");
        let client_data = self.client_data("create", &options);
        json!({
            "id": encode(self.credential), "rawId": encode(self.credential), "type": "public-key",
            "response": {
                "attestationObject": encode(attestation.into_writer()), "clientDataJSON": encode(client_data),
                "transports": ["internal"],
            },
            "extensions": {},
        })
        .to_string()
    }

    /// `navigator.credentials.get()`
    pub fn get(&mut self, text: &str) -> String {
        let options = options(text);
        self.counter += 1;
        let data = self.data(options["rpId"].as_str().expect("a host"), 0);
        let client_data = self.client_data("get", &options);
        let signed = [data.as_slice(), &Sha256::digest(client_data.as_bytes())].concat();
        let signature: Signature = self.key.sign(&signed);
        json!({
            "id": encode(self.credential), "rawId": encode(self.credential), "type": "public-key",
            "response": {
                "authenticatorData": encode(&data), "clientDataJSON": encode(client_data),
                "signature": encode(signature.to_der()), "userHandle": self.user,
            },
            "extensions": {},
        })
        .to_string()
    }
}
