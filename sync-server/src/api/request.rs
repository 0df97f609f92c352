//! What handlers take from a request: who asks, from where, and with what.

use crate::error::ApiError;
use crate::identity::{AccessClaims, Address, client_address};
use crate::invite::{InviteError, person_name};
use crate::server::AppState;
use crate::storage::trail::Event;
use crate::sync::person_behind;
use axum::Json;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_json::json;
use shared_model::accounts::may_give;
use shared_model::permissions::{Principal, Role};
use shared_model::time::Timestamp;
use shared_model::trail::{Detail, Happening};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::time::Instant;

/// Somebody signed in, as the database knows them now.
pub(crate) struct Asker {
    pub(crate) claims: AccessClaims,
    pub(crate) principal: Principal,
}

impl Asker {
    /// Whoever holds a token, as the database knows them now.
    pub(crate) async fn behind(state: &AppState, claims: AccessClaims) -> Result<Self, ApiError> {
        let principal = person_behind(state, &claims)
            .await?
            .ok_or(ApiError::NotSignedIn)?;
        Ok(Self { claims, principal })
    }

    pub(crate) fn is(&self, role: Role) -> Result<(), ApiError> {
        if self.principal.roles.contains(&role) {
            Ok(())
        } else {
            Err(ApiError::NotPermitted)
        }
    }

    /// Something that this person did, for the trail.
    pub(crate) fn event(&self, what: Happening, at: Timestamp, detail: &Detail) -> Event {
        Event {
            at,
            account: Some(self.principal.account),
            device: Some(self.claims.device),
            document: None,
            what: what.word().to_owned(),
            detail: json!(detail).to_string(),
        }
    }

    pub(crate) fn may_give(&self, roles: &[Role]) -> Result<(), ApiError> {
        if may_give(&self.principal.roles, roles) {
            Ok(())
        } else {
            Err(ApiError::NotPermitted)
        }
    }
}

impl FromRequestParts<AppState> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let claims = bearer(&parts.headers)
            .and_then(|token| state.tokens.open(token, state.settings.clock.now()))
            .ok_or(ApiError::NotSignedIn)?;
        tracing::Span::current()
            .record("account", tracing::field::display(claims.account))
            .record("device", tracing::field::display(claims.device))
            .record("clinic", tracing::field::display(claims.clinic));
        state
            .requests
            .request_by(claims.account, Instant::now())
            .map_err(ApiError::slow_down)?;
        Self::behind(state, claims).await
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Where a request comes from. One that came over no connection, but from inside this process, comes from nowhere.
pub(crate) fn address_of(state: &AppState, extensions: &Extensions, headers: &HeaderMap) -> Address {
    let peer = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    client_address(peer, headers, &state.settings.trusted_proxies).into()
}

/// The address that a request comes from.
pub(crate) struct CameFrom(pub(crate) Address);

impl FromRequestParts<AppState> for CameFrom {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Ok(Self(address_of(state, &parts.extensions, &parts.headers)))
    }
}

/// A body of JSON. What cannot be read is a problem in the form of all others.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

/// What stands in the address.
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Path(at) = Path::from_request_parts(parts, state).await?;
        Ok(Self(at))
    }
}

/// A name as a person wrote it.
pub(crate) fn name(text: &str) -> Result<String, ApiError> {
    Ok(person_name(text).ok_or(InviteError::Name)?)
}
