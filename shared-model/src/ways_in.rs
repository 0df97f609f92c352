//! Other ways in than a password, as client and server say it over HTTP: providers of OpenID Connect.
//!
//! Place in the flow: beside it, like [`crate::accounts`], whose `SignedIn` every way in ends with. Invariants: no token
//! stands in an address; what comes back through the browser is a code that is worth nothing without what the client alone
//! has.

use crate::ids::{ClinicId, DeviceId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The codes of problem details of these ways, beside [`crate::accounts::codes`].
pub mod codes {
    /// The provider vouches for somebody whom no account here is linked with; [`super::NotLinked`] says how it calls them.
    pub const NOT_LINKED: &str = "not_linked";
    /// The provider's account is linked with another account here.
    pub const LINKED_ELSEWHERE: &str = "linked_elsewhere";
    /// Without it nobody could sign in with this account any more.
    pub const LAST_WAY_IN: &str = "last_way_in";
    /// The provider did not let them in, or what it said about them does not hold.
    pub const PROVIDER_REFUSED: &str = "provider_refused";
    /// The provider does not show that somebody signed in there since they were sent: that is no [`super::Proof`].
    pub const NOT_ANEW: &str = "not_signed_in_anew";
    /// Whoever signed in at the provider for a [`super::Proof`] is not whom the account here is linked with.
    pub const NOT_THE_LINKED: &str = "not_the_linked_account";
    /// The account has a password: that alone is its [`super::Proof`].
    pub const PASSWORD_NEEDED: &str = "password_needed";
    /// The provider could not be reached.
    pub const PROVIDER_AWAY: &str = "provider_away";
}

/// Where a browser comes back to from a provider: a screen of the client, as in [`crate::accounts::links`]. The code
/// follows the mark.
pub const SIGNED_IN_LINK: &str = "/signed-in#";

/// `GET /openid/providers`: a list of these, in the order in which they are offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// What it is asked for by.
    pub name: String,
    /// For people, as in "Google".
    pub label: String,
}

/// Where the browser is sent once the provider is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnTo {
    /// The page that began: [`SIGNED_IN_LINK`] below the server's public address.
    Page,
    /// A program on the same machine that listens at this port of the loopback interface (RFC 8252, 7.3).
    Loopback(u16),
}

/// `POST /openid/begin` (anybody), and `POST /me/openid/prove` (signed in, for a [`Proof`]), answered by [`OpenIdBegun`].
#[derive(Clone, Serialize, Deserialize)]
pub struct BeginOpenId {
    pub provider: String,
    pub return_to: ReturnTo,
    /// [`challenge_of`] what the client keeps to itself until it finishes.
    pub challenge: String,
    /// The token of an invitation that is to be taken up this way.
    #[serde(default)]
    pub invitation: Option<String>,
}

/// `POST /me/openid/begin` (signed in, to link), answered by [`OpenIdBegun`]. It is finished in the same sign-in.
#[derive(Clone, Serialize, Deserialize)]
pub struct BeginLinking {
    pub begin: BeginOpenId,
    /// Of [`crate::second_factor::Proven`].
    pub proven: String,
}

/// The first thing that somebody who is signed in shows anew who they are with ([`crate::second_factor::Prove`]).
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    Password(String),
    /// For whoever has none, and from nobody else: what came back from a provider that is linked already, where they have
    /// signed in for it, in this sign-in here. The code is used up.
    Provider {
        code: String,
        verifier: String,
    },
}

#[derive(Clone, Serialize, Deserialize)]
pub struct OpenIdBegun {
    /// Where the browser goes.
    pub address: String,
}

/// `POST /openid/finish`, answered by [`crate::accounts::SignedIn`]. The code is used up by whoever is let in, by a provider
/// that vouches for nobody, and by a wrong verifier. What only asks for more leaves it good for the rest of its minutes:
/// [`NotLinked`], which clinic, another password, a pause.
#[derive(Clone, Serialize, Deserialize)]
pub struct FinishOpenId {
    /// What came back through the browser.
    pub code: String,
    pub verifier: String,
    pub device: DeviceId,
    #[serde(default)]
    pub device_name: String,
    #[serde(default)]
    pub clinic: Option<ClinicId>,
    /// Whoever takes up an invitation with a new account says what they are called.
    #[serde(default)]
    pub full_name: String,
    /// Links the provider's account with this one here, and signs in. Where a second factor is asked for it is linked once
    /// that was shown.
    #[serde(default)]
    pub link_with: Option<LinkWith>,
}

/// Somebody's account, proved by its password. The address of an invitation stands fast.
#[derive(Clone, Serialize, Deserialize)]
pub struct LinkWith {
    #[serde(default)]
    pub email: String,
    pub password: String,
}

/// What a 409 with [`codes::NOT_LINKED`] has beside the problem's own fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotLinked {
    /// The provider, for people.
    pub provider: String,
    /// How the provider knows them.
    pub email: Option<String>,
}

/// `POST /openid/session`, answered by [`crate::accounts::SignedIn`]: a page that has signed somebody in with the provider's own program
/// (Clerk's) hands over the short-lived token that it holds.
#[derive(Clone, Serialize, Deserialize)]
pub struct EnterWithSession {
    pub provider: String,
    pub session_token: String,
    pub device: DeviceId,
    #[serde(default)]
    pub device_name: String,
    #[serde(default)]
    pub clinic: Option<ClinicId>,
}

/// `POST /me/openid/finish`, answered by [`LinkedIdentity`]. The code is used up whatever comes of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct FinishLinking {
    pub code: String,
    pub verifier: String,
}

/// `GET /me/identities`: a list of these. `POST /me/identities/{identity}/remove`, with
/// [`crate::second_factor::AskProven`], takes one away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedIdentity {
    pub identity: Uuid,
    /// The provider for people; empty if the server knows it no more.
    pub provider: String,
    /// How the provider knows them.
    pub email: Option<String>,
    pub linked_at: Timestamp,
}

/// SHA-256 in lower-case hexadecimal: what a client tells when it begins, so that it alone can finish.
pub fn challenge_of(verifier: &str) -> String {
    hex::encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_the_hash_of_its_verifier() {
        // FIPS 180-4, the message "abc".
        assert_eq!(
            challenge_of("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
