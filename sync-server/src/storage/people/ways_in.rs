//! Other ways in than a password: whom providers vouch for, and sign-ins of several steps.
//!
//! Invariant: what a step or a provider says lies sealed; a step is taken once.

use super::NewMail;
use crate::at_rest::{ClinicKeys, PersonKey};
use crate::storage::{StorageError, Stored};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use shared_model::ids::AccountId;
use shared_model::time::Timestamp;
use uuid::Uuid;

/// How a provider knows a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub email: Option<String>,
    pub name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIdentity {
    pub identity: Uuid,
    /// The provider's address and its lasting name for the person: together they are nobody else's (OpenID Connect Core
    /// 1.0, 5.7).
    pub issuer: String,
    pub subject: String,
    pub linked_at: Timestamp,
    pub profile: Profile,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIdentity {
    pub account: AccountId,
    pub identity: NewIdentity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlinked {
    Done,
    NoSuch,
    /// The account has no password and nothing else that it is signed in with.
    LastWayIn,
}

/// What a provider says about one of its people, unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderNews {
    Profile {
        subject: String,
        profile: Profile,
        /// When it became so at the provider: what is older than what is known changes nothing.
        updated_at: Timestamp,
    },
    /// The provider knows them no more.
    Gone { subject: String },
    /// Nothing that concerns anybody here.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderMessage {
    pub issuer: String,
    /// Its own name, the same each time that it is sent.
    pub message: String,
    pub received_at: Timestamp,
    pub news: ProviderNews,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenIn {
    Updated(AccountId),
    /// The link is gone, and every sign-in of the account has ended.
    Unlinked(AccountId),
    /// It concerns nobody here, or is older than what is known.
    Nothing,
    /// It has been taken in before.
    Repeated,
}

#[async_trait]
pub trait WaysInStorage: Send + Sync {
    /// Takes the place of a former step with this hash.
    async fn keep_step(&self, hash: [u8; 32], step: Vec<u8>, expires_at: Timestamp) -> Stored<()>;
    /// False, and nothing is kept, if there is one with this hash.
    async fn keep_new_step(&self, hash: [u8; 32], step: Vec<u8>, expires_at: Timestamp) -> Stored<bool>;
    async fn step(&self, hash: [u8; 32], now: Timestamp) -> Stored<Option<Vec<u8>>>;
    /// The same, for one caller alone: it is gone then.
    async fn take_step(&self, hash: [u8; 32], now: Timestamp) -> Stored<Option<Vec<u8>>>;
    async fn identity(&self, issuer: &str, subject: &str) -> Stored<Option<StoredIdentity>>;
    /// An account's, in the order in which they were linked.
    async fn identities(&self, account: AccountId) -> Stored<Vec<NewIdentity>>;
    /// Linking again changes nothing, and no mail leaves; `None` if it is linked with another account. Otherwise how it is
    /// linked.
    async fn link_identity(
        &self,
        account: AccountId,
        identity: NewIdentity,
        mail: Option<NewMail>,
    ) -> Stored<Option<NewIdentity>>;
    async fn unlink_identity(
        &self,
        account: AccountId,
        identity: Uuid,
        mail: Option<NewMail>,
    ) -> Stored<Unlinked>;
    /// Notes the message and does what it says, both or neither. A person is called as the provider calls them from the
    /// moment at which that changes there.
    async fn take_in(&self, message: ProviderMessage) -> Stored<TakenIn>;
}

/// Where a step is sealed for.
pub(crate) fn place_of_step(hash: &[u8; 32]) -> String {
    format!("sign-in step {}", hex::encode(hash))
}

/// Whether somebody is called otherwise now, and how.
pub(crate) fn new_name(before: &Profile, now: &Profile) -> Option<String> {
    let known = before.name.as_ref()?;
    now.name.clone().filter(|name| name != known)
}

/// What of an identity lies sealed with its person's key.
#[derive(Serialize, Deserialize)]
pub(crate) struct Vouched {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) profile: Profile,
}

impl Vouched {
    pub(crate) fn of(identity: &NewIdentity) -> Self {
        Self {
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            profile: identity.profile.clone(),
        }
    }

    pub(crate) fn seal(&self, key: &PersonKey, identity: Uuid) -> Vec<u8> {
        let vouched = serde_json::to_vec(self).expect("texts are always JSON");
        key.seal(&place_of_identity(identity), vouched)
    }

    pub(crate) fn open(key: &PersonKey, identity: Uuid, sealed: &[u8]) -> Stored<Self> {
        let vouched = key.open(&place_of_identity(identity), sealed)?;
        serde_json::from_slice(&vouched)
            .map_err(|error| StorageError::Failed(format!("an identity: {error}")))
    }
}

impl Profile {
    /// As builds of before sealed one, with the server's key.
    pub(crate) fn of_before(server: &ClinicKeys, issuer: &str, subject: &str, sealed: &[u8]) -> Stored<Self> {
        let profile = server.open_value(&format!("profile {issuer} {subject}"), sealed)?;
        Ok(serde_json::from_slice(&profile).unwrap_or_default())
    }
}

fn place_of_identity(identity: Uuid) -> String {
    format!("identity {identity}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_called_otherwise_at_the_provider_is_here_too() {
        let named = |name: Option<&str>| Profile {
            email: None,
            name: name.map(str::to_owned),
        };
        let check = |before, now, expected: Option<&str>| {
            assert_eq!(new_name(&named(before), &named(now)).as_deref(), expected);
        };
        check(Some("Ana"), Some("Ana Moreno"), Some("Ana Moreno"));
        check(Some("Ana"), Some("Ana"), None);
        check(Some("Ana"), None, None);
        // Nobody is renamed for the mere fact of being linked.
        check(None, Some("Ana"), None);
    }
}
