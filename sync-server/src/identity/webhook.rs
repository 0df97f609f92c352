//! Signatures of webhooks as Svix makes them, who sends Clerk's.
//!
//! Source: <https://docs.svix.com/receiving/verifying-payloads/how-manual>. What is signed is `id.timestamp.body` with
//! HMAC-SHA256 under the secret behind `whsec_`; `svix-signature` lists signatures as `v1,BASE64`, several while a secret
//! is being replaced. The moment is signed too, so what is older than five minutes is a repetition by somebody else; what
//! the sender itself repeats has a fresh moment and the same id.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use shared_model::time::Timestamp;

const TOLERANCE_MS: i64 = 5 * 60_000;
/// Ids are short; what is longer is not looked at.
const MAX_ID: usize = 256;
const MAX_SIGNATURES: usize = 2_048;

/// A request's headers as they came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) id: &'a str,
    /// Seconds since 1970.
    pub(crate) timestamp: &'a str,
    pub(crate) signatures: &'a str,
}

/// The key of a signing secret; `None` for what is none.
pub(crate) fn key_of(secret: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    (!key.is_empty()).then_some(key)
}

/// Whether whoever has one of these secrets sent this body just now.
pub(crate) fn is_genuine(signed: Signed<'_>, body: &[u8], secrets: &[String], now: Timestamp) -> bool {
    if signed.id.is_empty() || signed.id.len() > MAX_ID || signed.signatures.len() > MAX_SIGNATURES {
        return false;
    }
    let Ok(seconds) = signed.timestamp.parse::<i64>() else {
        return false;
    };
    let apart = seconds.saturating_mul(1_000).saturating_sub(now.0);
    if apart.saturating_abs() > TOLERANCE_MS {
        return false;
    }
    let given: Vec<Vec<u8>> = signed
        .signatures
        .split(' ')
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .collect();
    secrets.iter().filter_map(|secret| key_of(secret)).any(|key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(format!("{}.{}.", signed.id, signed.timestamp).as_bytes());
        mac.update(body);
        given
            .iter()
            .any(|signature| mac.clone().verify_slice(signature).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Svix's own documents.
    const SECRET: &str = "whsec_plJ3nmyCDGBKInavdOK15jsl";
    const BODY: &[u8] = br#"{"event_type":"ping","data":{"success":true}}"#;
    const SIGNATURE: &str = "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=";
    const AT: i64 = 1_731_705_121_000;

    #[test]
    fn what_is_genuine() {
        let secrets = [SECRET.to_owned()];
        let check = |signed: Signed<'_>, body: &[u8], secrets: &[String], now: i64, expected: bool| {
            assert_eq!(
                is_genuine(signed, body, secrets, Timestamp(now)),
                expected,
                "{signed:?} at {now}"
            );
        };
        let signed = Signed {
            id: "msg_loFOjxBNrRLzqYUf",
            timestamp: "1731705121",
            signatures: SIGNATURE,
        };
        check(signed, BODY, &secrets, AT, true);
        check(signed, BODY, &secrets, AT + TOLERANCE_MS, true);
        check(signed, BODY, &secrets, AT - TOLERANCE_MS, true);
        check(signed, BODY, &secrets, AT + TOLERANCE_MS + 1, false);
        check(signed, BODY, &secrets, AT - TOLERANCE_MS - 1, false);
        check(signed, b"{}", &secrets, AT, false);
        check(signed, BODY, &[], AT, false);
        let former = [
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            SECRET.to_owned(),
        ];
        check(signed, BODY, &former, AT, true);
        check(signed, BODY, &former[..1], AT, false);
        let among_others = format!("v1a,AAAA v1,AAAA {SIGNATURE}");
        let with = |signatures| Signed { signatures, ..signed };
        check(with(&among_others), BODY, &secrets, AT, true);
        for none in [
            "",
            "v1,",
            "v2,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
            &SIGNATURE[3..],
        ] {
            check(with(none), BODY, &secrets, AT, false);
        }
        check(
            Signed {
                id: "msg_other",
                ..signed
            },
            BODY,
            &secrets,
            AT,
            false,
        );
        check(Signed { id: "", ..signed }, BODY, &secrets, AT, false);
        for timestamp in ["1731705122", "", "now", "-1731705121", "99999999999999999999"] {
            check(Signed { timestamp, ..signed }, BODY, &secrets, AT, false);
        }
    }

    #[test]
    fn what_is_a_secret() {
        for none in ["", "whsec_", "plJ3nmyCDGBKInavdOK15jsl", "whsec_%%%"] {
            assert_eq!(key_of(none), None);
        }
        assert_eq!(key_of(SECRET).map(|key| key.len()), Some(18));
    }
}
