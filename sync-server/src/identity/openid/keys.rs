//! What is known about a provider: its addresses and its keys, asked for when they are needed and kept for a while.
//!
//! Invariants: a key that is not known makes us look again, but never more often than once a minute: who sends tokens
//! that nobody signed cannot make us ask for each of them. A provider that is away is asked by one of those who wait, and
//! by the next a moment after that one has given up.

use super::ProviderTrouble;
use super::ask_provider::{ask_provider, why};
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
    /// The last time that an unknown key made us ask, and were answered.
    looked_again: Option<Instant>,
    /// Why it could not be asked the last time, and when that was known.
    failed: Option<(ProviderTrouble, Instant)>,
}

impl Known {
    /// The last trouble, if it is too fresh to try once more.
    fn still_away(&self) -> Option<ProviderTrouble> {
        let (trouble, at) = self.failed.as_ref()?;
        (at.elapsed() < TRY_AGAIN_AFTER).then(|| trouble.clone())
    }

    fn is_away(&mut self, why: String) -> ProviderTrouble {
        let trouble = ProviderTrouble::Away(why);
        // As of now: a provider that answers nothing was away for all the time that we waited.
        self.failed = Some((trouble.clone(), Instant::now()));
        trouble
    }
}

impl Keys {
    /// Addresses and keys, discovered if need be.
    pub(super) async fn metadata(
        &self,
        issuer: &IssuerUrl,
    ) -> Result<Arc<CoreProviderMetadata>, ProviderTrouble> {
        let mut known = self.known.lock().await;
        if let Some((metadata, since)) = &known.metadata
            && since.elapsed() < KEEP
        {
            return Ok(Arc::clone(metadata));
        }
        let discovered = match known.still_away() {
            Some(trouble) => Err(trouble),
            None => CoreProviderMetadata::discover_async(issuer.clone(), &ask_provider)
                .await
                .map_err(|error| known.is_away(why(&error))),
        };
        match (discovered, &known.metadata) {
            (Ok(metadata), _) => {
                let metadata = Arc::new(metadata);
                known.metadata = Some((Arc::clone(&metadata), Instant::now()));
                known.failed = None;
                Ok(metadata)
            }
            // What was true yesterday is better than nothing.
            (Err(_), Some((metadata, _))) => Ok(Arc::clone(metadata)),
            (Err(trouble), None) => Err(trouble),
        }
    }

    /// The same with the keys that the provider publishes now, or published a moment ago. `seen` lacks one.
    pub(super) async fn look_again(
        &self,
        seen: &Arc<CoreProviderMetadata>,
    ) -> Result<Arc<CoreProviderMetadata>, ProviderTrouble> {
        let mut known = self.known.lock().await;
        let (metadata, since) = match &known.metadata {
            Some((metadata, since)) => (Arc::clone(metadata), *since),
            None => (Arc::clone(seen), Instant::now()),
        };
        // Somebody else has looked, perhaps while this one waited to.
        if known
            .looked_again
            .is_some_and(|at| at.elapsed() < LOOK_AGAIN_AFTER)
        {
            return Ok(metadata);
        }
        if let Some(trouble) = known.still_away() {
            return Err(trouble);
        }
        let keys: CoreJsonWebKeySet = JsonWebKeySet::fetch_async(metadata.jwks_uri(), &ask_provider)
            .await
            .map_err(|error| known.is_away(why(&error)))?;
        let metadata = Arc::new(CoreProviderMetadata::clone(&metadata).set_jwks(keys));
        known.metadata = Some((Arc::clone(&metadata), since));
        known.looked_again = Some(Instant::now());
        known.failed = None;
        tracing::info!("a sign-in provider's keys were fetched anew");
        Ok(metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::json;
    use std::io::ErrorKind;
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn away(trouble: Result<Arc<CoreProviderMetadata>, ProviderTrouble>) -> String {
        match trouble {
            Err(ProviderTrouble::Away(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    /// Those who have come meanwhile.
    fn callers(provider: &TcpListener) -> usize {
        let mut count = 0;
        loop {
            match provider.accept() {
                Ok(_) => count += 1,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return count,
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[tokio::test]
    async fn whoever_lacks_a_key_gets_what_was_published_a_moment_ago() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let asked = Arc::new(AtomicUsize::new(0));
        let (about, counted) = (
            json!({
                "issuer": address,
                "authorization_endpoint": format!("{address}/authorize"),
                "jwks_uri": format!("{address}/keys"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }),
            Arc::clone(&asked),
        );
        let keys = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            async { Json(json!({ "keys": [] })) }
        };
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async move || Json(about.clone())),
            )
            .route("/keys", get(keys));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let (keys, issuer) = (Keys::default(), IssuerUrl::new(address).expect("an address"));
        let seen = keys.metadata(&issuer).await.expect("it answers");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        // Two at once who lack a key: one of them asks, and the other one has the answer too.
        let (one, other) = tokio::join!(keys.look_again(&seen), keys.look_again(&seen));
        let (one, other) = (one.expect("asked"), other.expect("told"));
        assert!(Arc::ptr_eq(&one, &other) && !Arc::ptr_eq(&one, &seen));
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    // The clock goes on by itself to whatever is waited for.
    #[tokio::test(start_paused = true)]
    async fn a_provider_that_answers_nothing_is_asked_by_one_of_those_who_wait() {
        let provider = TcpListener::bind("127.0.0.1:0").expect("a free port");
        provider.set_nonblocking(true).expect("it need not wait");
        let address = provider.local_addr().expect("bound");
        let issuer = IssuerUrl::new(format!("http://{address}")).expect("an address");
        let keys = Keys::default();
        let waiting = (0..4).map(|_| keys.metadata(&issuer));
        for outcome in futures_util::future::join_all(waiting).await {
            away(outcome);
        }
        assert_eq!(callers(&provider), 1);
        tokio::time::advance(TRY_AGAIN_AFTER).await;
        away(keys.metadata(&issuer).await);
        assert_eq!(callers(&provider), 1, "it may be back by now");
    }

    #[tokio::test]
    async fn the_log_says_what_was_in_the_way() {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = address.expect("a free port, which nobody listens at any more");
        let issuer = IssuerUrl::new(format!("http://{address}")).expect("an address");
        let why = away(Keys::default().metadata(&issuer).await);
        assert!(why.contains("Connection refused"), "{why}");
        assert!(!why.contains(&address.to_string()), "{why}");
    }
}
