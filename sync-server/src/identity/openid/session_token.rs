//! Judges a session token of Clerk: a JWT that lives for a minute and that Clerk's own program in a page holds, while
//! somebody is signed in there.
//!
//! Source: Clerk's documents "Session tokens" and "Manual JWT verification"
//! (<https://clerk.com/docs/guides/sessions/manual-jwt-verification>): RS256, keys at `/.well-known/jwks.json` of the
//! frontend API, which is the issuer; `exp` and `nbf`; `azp` is the origin of the page that it was made for and must be a
//! known one; `sub` is the user. It has no audience and no nonce, so `azp` is what binds it to us, and pages are to be
//! named before any is taken. A session whose `sts` is `pending` is not signed in yet.
//!
//! Every session token has `sid`, the session; what Clerk makes of a template for somebody else's server has none, and mostly
//! an `aud`. So the first is asked for, and an audience is taken only if it was named in the setting. `act` says that somebody
//! else acts as this user (Clerk's impersonation): what would be written is not theirs, so that is refused.

use super::id_token::ALGORITHMS;
use super::{ProviderTrouble, SKEW_MS, Vouched, is_past};
use crate::storage::people::Profile;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::JsonWebKey;
use openidconnect::core::{CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use sha2::{Digest, Sha256};
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
    #[serde(default)]
    sid: String,
    #[serde(default)]
    aud: Option<Audience>,
    #[serde(default)]
    act: Option<IgnoredAny>,
}

/// RFC 7519, 4.1.3.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn has_one_of(&self, wanted: &[String]) -> bool {
        match self {
            Self::One(one) => wanted.contains(one),
            Self::Several(all) => all.iter().any(|one| wanted.contains(one)),
        }
    }
}

/// What a token is held against.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) authorized_parties: &'a [String],
    /// Of these one, if the token has an audience at all.
    pub(super) audiences: &'a [String],
    pub(super) now: Timestamp,
}

pub(super) enum Judged {
    Vouched(Session),
    UnknownKey,
}

/// Somebody who is signed in at the provider, as one token says.
pub(crate) struct Session {
    pub(crate) vouched: Vouched,
    /// What the token says, hashed: the same for each of its copies, however its signature is written.
    pub(crate) token: [u8; 32],
    /// From then on it is refused anyway.
    pub(crate) until: Timestamp,
}

pub(super) fn judge(
    token: &str,
    keys: &CoreJsonWebKeySet,
    expected: &Expected<'_>,
) -> Result<Judged, ProviderTrouble> {
    let now = expected.now;
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
    if claims.iss != expected.issuer {
        return no("another issuer");
    }
    if at(claims.exp).0 <= now.0.saturating_sub(SKEW_MS) {
        return no("it has expired");
    }
    if !is_past(at(claims.iat), now) || claims.nbf.is_some_and(|from| !is_past(at(from), now)) {
        return no("it is not valid yet");
    }
    let party = claims.azp.unwrap_or_default();
    if !expected.authorized_parties.contains(&party) {
        return no("made for a page that is not ours");
    }
    if claims
        .aud
        .is_some_and(|audience| !audience.has_one_of(expected.audiences))
    {
        return no("made for another server");
    }
    if claims.sts.as_deref() == Some("pending") || claims.sid.is_empty() || claims.sub.is_empty() {
        return no("nobody is signed in with it");
    }
    if claims.act.is_some() {
        return no("somebody else acts as the one who is signed in");
    }
    Ok(Judged::Vouched(Session {
        vouched: Vouched {
            issuer: claims.iss,
            subject: claims.sub,
            profile: Profile::default(),
        },
        token: Sha256::digest(signed).into(),
        until: Timestamp(at(claims.exp).0.saturating_add(SKEW_MS)),
    }))
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
