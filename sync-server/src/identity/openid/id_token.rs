//! Judges an ID token (OpenID Connect Core 1.0, 3.1.3.7).

use super::{ProviderTrouble, SKEW_MS, Vouched, is_past};
use crate::identity::EmailAddress;
use crate::invite::person_name;
use crate::storage::people::Profile;
use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IssuerUrl, Nonce,
    SignatureVerificationError,
};
use shared_model::time::Timestamp;

/// With a public key each. Nothing else signs: not `none`, and not the client's own secret.
pub(super) const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// A token that was made for this sign-in is no older than the sign-in can take.
const ISSUED_WITHIN_MS: i64 = 10 * 60_000;

/// What a token is held against.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a IssuerUrl,
    pub(super) client_id: &'a ClientId,
    pub(super) nonce: &'a Nonce,
    /// What came with it.
    pub(super) access_token: &'a AccessToken,
    /// For a token that shows that somebody has signed in since then.
    pub(super) signed_in_since: Option<Timestamp>,
    pub(super) now: Timestamp,
}

pub(super) enum Judged {
    Vouched(Vouched),
    /// Its key is not among these: it may be newer than they are.
    UnknownKey,
}

pub(super) fn judge(
    token: &CoreIdToken,
    keys: &CoreJsonWebKeySet,
    expected: &Expected<'_>,
) -> Result<Judged, ProviderTrouble> {
    let (now, since) = (expected.now, expected.signed_in_since);
    let verifier = CoreIdTokenVerifier::new_public_client(
        expected.client_id.clone(),
        expected.issuer.clone(),
        keys.clone(),
    )
    .set_allowed_algs(ALGORITHMS)
    .set_time_fn(move || moment(Timestamp(now.0.saturating_sub(SKEW_MS))))
    .set_issue_time_verifier_fn(move |issued| {
        let issued = Timestamp(issued.timestamp_millis());
        if is_past(issued, now) && issued.0 >= now.0.saturating_sub(ISSUED_WITHIN_MS + SKEW_MS) {
            Ok(())
        } else {
            Err("it was not issued just now".to_owned())
        }
    })
    .set_auth_time_verifier_fn(move |signed_in| {
        let signed_in = signed_in.map(|at| Timestamp(at.timestamp_millis()));
        let is_since = |since: Timestamp| {
            signed_in.is_some_and(|at| is_past(at, now) && at.0 >= since.0.saturating_sub(SKEW_MS))
        };
        if since.is_none_or(is_since) {
            Ok(())
        } else {
            Err("nobody signed in for it".to_owned())
        }
    });
    let claims = match token.claims(&verifier, expected.nonce) {
        Ok(claims) => claims,
        Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
            return Ok(Judged::UnknownKey);
        }
        Err(ClaimsVerificationError::InvalidAuthTime(_)) => return Err(ProviderTrouble::NotAnew),
        Err(ClaimsVerificationError::SignatureVerification(error)) => {
            return Err(ProviderTrouble::NotBelieved(error.to_string()));
        }
        Err(error) => return Err(ProviderTrouble::NotBelieved(error.to_string())),
    };
    // Step 5: a token that was made for another client is not ours, whoever else may read it.
    if claims
        .authorized_party()
        .is_some_and(|party| party != expected.client_id)
    {
        return Err(ProviderTrouble::NotBelieved(
            "another client is its authorized party".to_owned(),
        ));
    }
    check_access_token(token, claims, &verifier, expected.access_token)?;
    Ok(Judged::Vouched(Vouched {
        issuer: expected.issuer.to_string(),
        subject: claims.subject().to_string(),
        profile: Profile {
            email: claims
                .email()
                .and_then(|email| EmailAddress::parse(email))
                .map(|email| email.to_string()),
            name: claims
                .name()
                .and_then(|name| name.get(None))
                .and_then(|name| person_name(name)),
        },
    }))
}

/// If the token says which access token came with it, it is that one (3.1.3.8).
fn check_access_token(
    token: &CoreIdToken,
    claims: &CoreIdTokenClaims,
    verifier: &CoreIdTokenVerifier<'_>,
    access_token: &AccessToken,
) -> Result<(), ProviderTrouble> {
    let Some(expected) = claims.access_token_hash() else {
        return Ok(());
    };
    let not_believed = |error: &dyn std::fmt::Display| ProviderTrouble::NotBelieved(error.to_string());
    let algorithm = token.signing_alg().map_err(|error| not_believed(&error))?;
    let key = token
        .signing_key(verifier)
        .map_err(|error| not_believed(&error))?;
    let actual =
        AccessTokenHash::from_token(access_token, algorithm, key).map_err(|error| not_believed(&error))?;
    if actual == *expected {
        Ok(())
    } else {
        Err(ProviderTrouble::NotBelieved(
            "it belongs to another access token".to_owned(),
        ))
    }
}

fn moment(at: Timestamp) -> DateTime<Utc> {
    // A moment that no calendar has: everything has expired by then.
    DateTime::from_timestamp_millis(at.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
