//! What is known about a provider: its addresses and its keys, asked for when they are needed and kept for a while.
//!
//! Invariant: a key that is not known makes us look again, but never more often than once a minute: who sends tokens
//! that nobody signed cannot make us ask for each of them.

use super::ProviderTrouble;
use super::ask_provider::ask_provider;
use openidconnect::core::{CoreJsonWebKeySet, CoreProviderMetadata};
use openidconnect::{IssuerUrl, JsonWebKeySet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Providers announce new addresses and keys well before they use them.
const KEEP: Duration = Duration::from_secs(24 * 3_600);
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// A provider that cannot be reached is not asked by everybody who waits.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Keys {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Arc<CoreProviderMetadata>, Instant)>,
    /// The last time that an unknown key made us ask.
    looked_again: Option<Instant>,
    failed: Option<(ProviderTrouble, Instant)>,
}

impl Keys {
    /// Addresses and keys, discovered if need be.
    pub(super) async fn metadata(
        &self,
        issuer: &IssuerUrl,
    ) -> Result<Arc<CoreProviderMetadata>, ProviderTrouble> {
        let mut known = self.known.lock().await;
        let now = Instant::now();
        if let Some((metadata, since)) = &known.metadata
            && now.duration_since(*since) < KEEP
        {
            return Ok(Arc::clone(metadata));
        }
        if let Some((trouble, at)) = &known.failed
            && now.duration_since(*at) < TRY_AGAIN_AFTER
        {
            return match &known.metadata {
                Some((metadata, _)) => Ok(Arc::clone(metadata)),
                None => Err(trouble.clone()),
            };
        }
        match CoreProviderMetadata::discover_async(issuer.clone(), &ask_provider).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                known.metadata = Some((Arc::clone(&metadata), now));
                known.failed = None;
                Ok(metadata)
            }
            Err(error) => {
                let trouble = ProviderTrouble::Away(error.to_string());
                known.failed = Some((trouble.clone(), now));
                match &known.metadata {
                    // What was true yesterday is better than nothing.
                    Some((metadata, _)) => Ok(Arc::clone(metadata)),
                    None => Err(trouble),
                }
            }
        }
    }

    /// The keys as the provider publishes them now; `None` if that was asked shortly before.
    pub(super) async fn look_again(&self) -> Result<Option<CoreJsonWebKeySet>, ProviderTrouble> {
        let mut known = self.known.lock().await;
        let now = Instant::now();
        if known
            .looked_again
            .is_some_and(|at| now.duration_since(at) < LOOK_AGAIN_AFTER)
        {
            return Ok(None);
        }
        let Some((metadata, since)) = known.metadata.clone() else {
            return Ok(None);
        };
        known.looked_again = Some(now);
        let keys: CoreJsonWebKeySet = JsonWebKeySet::fetch_async(metadata.jwks_uri(), &ask_provider)
            .await
            .map_err(|error| ProviderTrouble::Away(error.to_string()))?;
        let metadata = CoreProviderMetadata::clone(&metadata).set_jwks(keys.clone());
        known.metadata = Some((Arc::new(metadata), since));
        tracing::info!("a sign-in provider's keys were fetched anew");
        Ok(Some(keys))
    }
}
