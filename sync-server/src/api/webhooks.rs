//! What providers say about their people unasked: Clerk's webhooks, signed as Svix signs.
//!
//! Source: <https://clerk.com/docs/guides/development/webhooks/overview>: `{ "type": "user.updated", "data": … }`, where
//! `data` is Clerk's user (`id`, names, `email_addresses`, `primary_email_address_id`, `updated_at` in milliseconds), and of
//! `user.deleted` no more than its `id`. Svix sends what was not answered with a 2xx again for some days, not always in
//! order. Invariant: a message changes something once, and what is older than what is known changes nothing.
//!
//! No account is made here, and none deleted: somebody who is gone at the provider loses the link and every sign-in; the
//! account with its records stays, and is opened by its password as before.

use super::request::At;
use super::sign_in::note_everywhere;
use crate::error::ApiError;
use crate::identity::{EmailAddress, Signed, is_genuine};
use crate::invite::person_name;
use crate::server::AppState;
use crate::storage::Whom;
use crate::storage::people::{Profile, ProviderMessage, ProviderNews, TakenIn};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use shared_model::time::Timestamp;
use shared_model::trail::Happening;

#[derive(Deserialize)]
struct Message {
    r#type: String,
    data: serde_json::Value,
}

#[derive(Deserialize)]
struct User {
    id: String,
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
    #[serde(default)]
    email_addresses: Vec<UsersAddress>,
    #[serde(default)]
    primary_email_address_id: Option<String>,
    updated_at: i64,
}

#[derive(Deserialize)]
struct UsersAddress {
    id: String,
    email_address: String,
}

#[derive(Deserialize)]
struct Deleted {
    id: String,
}

impl User {
    fn profile(&self) -> Profile {
        let primary = self.email_addresses.iter().find(|address| {
            let wanted = self.primary_email_address_id.as_ref();
            wanted.is_some_and(|wanted| *wanted == address.id)
        });
        let names = [self.first_name.as_deref(), self.last_name.as_deref()];
        let names: Vec<&str> = names.into_iter().flatten().collect();
        Profile {
            email: primary
                .and_then(|address| EmailAddress::parse(&address.email_address))
                .map(|address| address.to_string()),
            name: person_name(&names.join(" ")),
        }
    }
}

/// What a body says; `None` if it is not of the form that is known.
fn read(body: &[u8]) -> Option<ProviderNews> {
    let Message { r#type, data } = serde_json::from_slice(body).ok()?;
    Some(match r#type.as_str() {
        "user.created" | "user.updated" => {
            let user: User = serde_json::from_value(data).ok()?;
            ProviderNews::Profile {
                profile: user.profile(),
                updated_at: Timestamp(user.updated_at),
                subject: user.id,
            }
        }
        "user.deleted" => {
            let Deleted { id } = serde_json::from_value(data).ok()?;
            ProviderNews::Gone { subject: id }
        }
        _ => ProviderNews::Other,
    })
}

/// 204 for whatever is genuine, whether it concerns anybody here.
pub(crate) async fn webhook(
    State(state): State<AppState>,
    At(name): At<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let provider = state
        .providers
        .named(&name)
        .filter(|provider| !provider.setting().webhook_secrets.is_empty())
        .ok_or(ApiError::NotFound)?;
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    let signed = Signed {
        id: header("svix-id"),
        timestamp: header("svix-timestamp"),
        signatures: header("svix-signature"),
    };
    let now = state.settings.clock.now();
    if !is_genuine(signed, &body, &provider.setting().webhook_secrets, now) {
        tracing::warn!(provider = %name, "a webhook was not signed by the provider just now");
        return Err(ApiError::cannot_be("not signed by the provider just now"));
    }
    let Some(news) = read(&body) else {
        tracing::error!(provider = %name, "a webhook is not of the form that is known");
        return Err(ApiError::cannot_be("not of the form that is known here"));
    };
    let message = ProviderMessage {
        issuer: provider.setting().issuer.clone(),
        message: signed.id.to_owned(),
        received_at: now,
        news,
    };
    match state.storage.people().take_in(message).await? {
        TakenIn::Updated(account) => {
            tracing::info!(%account, provider = %name, "is called as the provider calls them");
        }
        TakenIn::Unlinked(account) => {
            state.look_again.at(Whom::Account(account));
            tracing::info!(%account, provider = %name, "is gone at the provider: their sign-ins have ended");
            note_everywhere(&state, account, None, Happening::ProviderUnlinked);
        }
        TakenIn::Nothing => {}
        TakenIn::Repeated => tracing::info!(provider = %name, "a webhook came again"),
    }
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clerk_says_about_somebody() {
        let profile = |first: &str, last: &str, primary: &str| {
            let body = serde_json::json!({
                "type": "user.updated", "object": "event",
                "data": {
                    "id": "user_29w83sxmDNGwOuEthce5gg56FcC", "object": "user",
                    "first_name": first, "last_name": last, "updated_at": 1_654_012_824_306_i64,
                    "email_addresses": [
                        { "id": "idn_1", "email_address": "old@example.org", "verification": { "status": "verified" } },
                        { "id": "idn_2", "email_address": "Ana@Example.org", "verification": { "status": "verified" } },
                    ],
                    "primary_email_address_id": primary,
                },
            });
            match read(body.to_string().as_bytes()) {
                Some(ProviderNews::Profile {
                    subject,
                    profile,
                    updated_at: Timestamp(1_654_012_824_306),
                }) if subject == "user_29w83sxmDNGwOuEthce5gg56FcC" => (profile.name, profile.email),
                other => panic!("{other:?}"),
            }
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            profile("Ana", "Moreno", "idn_2"),
            (text("Ana Moreno"), text("ana@example.org"))
        );
        assert_eq!(profile("Ana", "", "idn_3"), (text("Ana"), None));
        assert_eq!(profile("", "", "idn_1"), (None, text("old@example.org")));
    }

    #[test]
    fn other_news() {
        let deleted = br#"{"type":"user.deleted","data":{"deleted":true,"id":"user_1","object":"user"}}"#;
        let gone = ProviderNews::Gone {
            subject: "user_1".to_owned(),
        };
        assert_eq!(read(deleted), Some(gone));
        let other = br#"{"type":"session.created","data":{"id":"sess_1"}}"#;
        assert_eq!(read(other), Some(ProviderNews::Other));
        for odd in [
            &b""[..],
            b"{}",
            br#"{"type":"user.deleted","data":{}}"#,
            br#"{"type":"user.updated","data":{"id":"user_1"}}"#,
        ] {
            assert_eq!(read(odd), None);
        }
    }
}
