//! Signing in with a provider of OpenID Connect: there with a browser, back with a code, and in with what the client alone
//! has.
//!
//! Three hands meet here: the client (which proves at the end that it is the one who began), the browser (bound by a cookie
//! of its own to what was begun in it), and the provider (which vouches). Between their visits everything waits in one
//! sealed step, which is found by a random token and taken once. Invariants: no token of ours stands in an address, but a
//! code that is worth nothing without the client's verifier; what a provider says about an e-mail address never opens an
//! account here: an account is linked by whoever is signed in to it or knows its password.

mod begin;
mod callback;
mod enter_with_session;
mod fetch;
mod finish;
mod identities;
mod page;
mod prove;
mod step;

pub(crate) use begin::{begin, begin_linking, go, providers};
pub(crate) use callback::callback;
pub(crate) use enter_with_session::enter_with_session;
pub(super) use finish::{ToLink, link};
pub(crate) use finish::{finish, finish_linking};
pub(crate) use identities::{identities, unlink};
pub(crate) use page::in_words;
pub(crate) use prove::{begin_proving, show_provider};

use crate::error::ApiError;
use crate::identity::{Provider, ProviderTrouble, Vouched, random};
use crate::server::AppState;
use crate::storage::people::NewIdentity;
use uuid::Uuid;

/// Our own address, as the provider knows it. Each provider has its own, so that none can pass off a code as another's
/// (RFC 9700, 4.4.2).
fn callback_address(state: &AppState, provider: &str) -> String {
    format!(
        "{}/api/v1/openid/callback/{provider}",
        state.settings.public_address
    )
}

fn new_identity(state: &AppState, vouched: Vouched) -> NewIdentity {
    NewIdentity {
        identity: Uuid::from_bytes(random()),
        issuer: vouched.issuer,
        subject: vouched.subject,
        linked_at: state.settings.clock.now(),
        profile: vouched.profile,
    }
}

/// Writes down why a provider vouches for nobody, and says it to whoever asked.
fn trouble_of(provider: &Provider, trouble: ProviderTrouble) -> ApiError {
    let name = &provider.setting().name;
    match trouble {
        ProviderTrouble::Away(why) => {
            tracing::warn!(provider = %name, %why, "a sign-in provider cannot be reached");
            ApiError::ProviderAway
        }
        ProviderTrouble::NotAnew => {
            tracing::warn!(provider = %name, "a sign-in provider does not show that somebody signed in just now");
            ApiError::NotAnew
        }
        ProviderTrouble::NotBelieved(why) => {
            tracing::warn!(provider = %name, %why, "a sign-in provider was not believed");
            ApiError::ProviderRefused
        }
    }
}
