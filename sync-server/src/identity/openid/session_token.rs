//! Judges a session token of Clerk: a JWT that lives for a minute and that Clerk's own program in a page holds, while
//! somebody is signed in there.
//!
//! Source: Clerk's documents "Session tokens" and "Manual JWT verification"
//! (<https://clerk.com/docs/guides/sessions/manual-jwt-verification>): RS256, keys at `/.well-known/jwks.json` of the
//! frontend API, which is the issuer; `exp` and `nbf`; `azp` is the origin of the page that it was made for and must be a
//! known one; `sub` is the user. It has no audience and no nonce, so `azp` is what binds it to us, and pages are to be
//! named before any is taken. A session whose `sts` is `pending` is not signed in yet.

use super::id_token::ALGORITHMS;
use super::{ProviderTrouble, SKEW_MS, Vouched, is_past};
use crate::storage::people::Profile;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::JsonWebKey;
use openidconnect::core::{CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared_model::time::Timestamp;

/// Longer than any of Clerk's; what is longer is not looked at.
const MAX: usize = 8_192;

#[derive(Deserialize)]
struct Header {
    alg: CoreJwsSigningAlgorithm,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    #[serde(default)]
    azp: Option<String>,
    /// Seconds since 1970, here and below.
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    iat: i64,
    #[serde(default)]
    sts: Option<String>,
}

pub(super) enum Judged {
    Vouched(Vouched),
    UnknownKey,
}

pub(super) fn judge(
    token: &str,
    keys: &CoreJsonWebKeySet,
    issuer: &str,
    authorized_parties: &[String],
    now: Timestamp,
) -> Result<Judged, ProviderTrouble> {
    let no = |why: &str| Err(ProviderTrouble::NotBelieved(format!("a session token: {why}")));
    let Some((signed, signature)) = token.rsplit_once('.').filter(|_| token.len() <= MAX) else {
        return no("not of its form");
    };
    let Some((header, claims)) = signed.split_once('.') else {
        return no("not of its form");
    };
    let (Some(header), Some(claims), Ok(signature)) = (
        part::<Header>(header),
        part::<Claims>(claims),
        URL_SAFE_NO_PAD.decode(signature),
    ) else {
        return no("not of its form");
    };
    if header.crit.is_some() || !ALGORITHMS.contains(&header.alg) {
        return no("an algorithm that is not taken");
    }
    let named = |key: &&openidconnect::core::CoreJsonWebKey| {
        header.kid.is_some() && key.key_id().map(|id| id.as_str()) == header.kid.as_deref()
    };
    let Some(key) = keys.keys().iter().find(named) else {
        return Ok(Judged::UnknownKey);
    };
    if key
        .verify_signature(&header.alg, signed.as_bytes(), &signature)
        .is_err()
    {
        return no("a signature that is not the provider's");
    }
    let at = |seconds: i64| Timestamp(seconds.saturating_mul(1_000));
    if claims.iss != issuer {
        return no("another issuer");
    }
    if at(claims.exp).0 <= now.0.saturating_sub(SKEW_MS) {
        return no("it has expired");
    }
    if !is_past(at(claims.iat), now) || claims.nbf.is_some_and(|from| !is_past(at(from), now)) {
        return no("it is not valid yet");
    }
    let party = claims.azp.unwrap_or_default();
    if !authorized_parties.contains(&party) {
        return no("made for a page that is not ours");
    }
    if claims.sts.as_deref() == Some("pending") || claims.sub.is_empty() {
        return no("nobody is signed in with it");
    }
    Ok(Judged::Vouched(Vouched {
        issuer: claims.iss,
        subject: claims.sub,
        profile: Profile::default(),
    }))
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
