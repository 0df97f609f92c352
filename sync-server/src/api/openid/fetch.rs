//! What came of a way to a provider, for the client that began it and shows so.
//!
//! Invariant: whoever has a code without what belongs to it has stolen it, and it is void.

use super::step::{Outcome, Purpose, Returned, Step};
use crate::api::sealed_step::use_up;
use crate::error::ApiError;
use crate::identity::{Vouched, link_hash};
use crate::server::AppState;
use shared_model::ways_in::{NotLinked, challenge_of};

/// What a client has come for.
pub(super) struct Fetched {
    pub(super) hash: [u8; 32],
    /// The provider, for people.
    pub(super) label: String,
    pub(super) purpose: Purpose,
    pub(super) vouched: Vouched,
}

impl Fetched {
    /// The same whether there is an account with this address: nobody has looked.
    pub(super) fn not_linked(&self) -> ApiError {
        ApiError::NotLinked(NotLinked {
            provider: self.label.clone(),
            email: self.vouched.profile.email.clone(),
        })
    }
}

/// Leaves the step where it is if somebody was vouched for: `use_up` takes it.
pub(super) async fn fetch(state: &AppState, code: &str, verifier: &str) -> Result<Fetched, ApiError> {
    let hash = link_hash(code);
    let returned = Step::look_at_returned(state, hash).await?;
    let returned = returned.ok_or(ApiError::LinkNoLongerValid)?;
    if challenge_of(verifier) != returned.challenge {
        use_up(state, hash).await?;
        return Err(ApiError::LinkNoLongerValid);
    }
    let Returned {
        provider,
        purpose,
        outcome,
        ..
    } = returned;
    let vouched = match outcome {
        Outcome::Vouched(vouched) => vouched,
        Outcome::Refused | Outcome::NotAnew | Outcome::Away => {
            use_up(state, hash).await?;
            return Err(match outcome {
                Outcome::Away => ApiError::ProviderAway,
                Outcome::NotAnew => ApiError::NotAnew,
                _ => ApiError::ProviderRefused,
            });
        }
    };
    let label = state
        .providers
        .named(&provider)
        .map(|one| one.setting().label.clone());
    Ok(Fetched {
        hash,
        label: label.unwrap_or_default(),
        purpose,
        vouched,
    })
}
