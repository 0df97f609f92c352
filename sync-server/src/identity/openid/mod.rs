//! Providers of OpenID Connect that vouch for people: who they are, what they say, and whether it holds.
//!
//! Place in the flow: below `api/openid/`, which sends browsers there and back. Invariants: nothing that a provider says is
//! believed unless it is signed with a key of that provider, meant for this server, and fresh; only what is asymmetric
//! signs (`none` and shared secrets never do). What is refused leaves a line in the log without anything personal.
//!
//! Formats: OpenID Connect Core 1.0 (ID tokens: 3.1.3.7), OpenID Connect Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (`iss` of
//! the answer).

mod ask_provider;
mod id_token;
mod keys;
mod provider;
mod session_token;
mod setting;

pub(crate) use provider::Provider;
pub use setting::{ProviderSetting, ProviderSettingError, read_providers};

use crate::storage::people::Profile;
use serde::{Deserialize, Serialize};
use shared_model::time::Timestamp;
use std::sync::Arc;

/// How far the provider's clock and ours may be apart.
const SKEW_MS: i64 = 60_000;

/// Somebody for whom a provider vouches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Vouched {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) profile: Profile,
}

/// Why a provider vouches for nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProviderTrouble {
    #[error("it cannot be reached: {0}")]
    Away(String),
    /// They may have signed in there before they were sent, or it does not say when.
    #[error("it does not show that they signed in just now")]
    NotAnew,
    /// What it says does not hold, or it says no.
    #[error("it is not believed: {0}")]
    NotBelieved(String),
}

/// The providers of this server, in the order in which they are offered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Providers(Arc<[Provider]>);

impl Providers {
    pub(crate) fn new(settings: &[ProviderSetting]) -> Self {
        Self(settings.iter().cloned().map(Provider::new).collect())
    }

    pub(crate) fn all(&self) -> &[Provider] {
        &self.0
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.setting().name == name)
    }

    pub(crate) fn of_issuer(&self, issuer: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.setting().issuer == issuer)
    }
}

/// A moment of a token: not before the provider's clock can have been there.
fn is_past(at: Timestamp, now: Timestamp) -> bool {
    at.0 <= now.0.saturating_add(SKEW_MS)
}
