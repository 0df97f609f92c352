//! One provider: where a browser is sent, and what comes of the code that it brings back.

use super::ask_provider::{ask_provider, why};
use super::id_token::{self, Expected};
use super::keys::Keys;
use super::session_token::{self, Session};
use super::{ProviderSetting, ProviderTrouble, Vouched};
use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreProviderMetadata,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, TokenResponse,
};
use shared_model::time::Timestamp;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Provider {
    setting: ProviderSetting,
    keys: Keys,
}

/// A browser's way to a provider.
pub(crate) struct ToProvider {
    pub(crate) address: String,
    /// What the ID token has to say again.
    pub(crate) nonce: String,
    /// What the code is exchanged with.
    pub(crate) verifier: String,
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Provider {
    pub(super) fn new(setting: ProviderSetting) -> Self {
        Self {
            setting,
            keys: Keys::default(),
        }
    }

    pub(crate) fn setting(&self) -> &ProviderSetting {
        &self.setting
    }

    fn issuer(&self) -> Result<IssuerUrl, ProviderTrouble> {
        IssuerUrl::new(self.setting.issuer.clone()).map_err(|error| ProviderTrouble::Away(error.to_string()))
    }

    fn client(&self, metadata: &CoreProviderMetadata, callback: &str) -> Result<Client, ProviderTrouble> {
        let callback = RedirectUrl::new(callback.to_owned())
            .map_err(|error| ProviderTrouble::Away(error.to_string()))?;
        let secret = self.setting.client_secret.clone().map(ClientSecret::new);
        let client_id = ClientId::new(self.setting.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), client_id, secret);
        let by_form = metadata
            .token_endpoint_auth_methods_supported()
            .is_some_and(|methods| {
                !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                    && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
            });
        let way = if by_form {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        };
        Ok(client.set_redirect_uri(callback).set_auth_type(way))
    }

    /// Where a browser goes, with `state` as what it brings back. `callback` is our own address. `anew` asks the provider to
    /// have the person sign in whether they are signed in there or not, and to say when they did (OpenID Connect Core 1.0,
    /// 3.1.2.1). Whoever has the browser can take that out of the address: what [`Provider::vouch`] is told judges it.
    pub(crate) async fn send_there(
        &self,
        callback: &str,
        state: &str,
        anew: bool,
    ) -> Result<ToProvider, ProviderTrouble> {
        let metadata = self.keys.metadata(&self.issuer()?).await?;
        let client = self.client(&metadata, callback)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = state.to_owned();
        let scopes = self.setting.scopes.iter().cloned().map(Scope::new);
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                Nonce::new_random,
            )
            .add_scopes(scopes)
            .set_pkce_challenge(challenge);
        if anew {
            request = request
                .add_prompt(CoreAuthPrompt::Login)
                .set_max_age(Duration::ZERO);
        }
        let (address, _, nonce) = request.url();
        Ok(ToProvider {
            address: address.to_string(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        })
    }

    /// Exchanges a code for an ID token and judges it. `signed_in_since` takes nothing but a token which says that the person
    /// signed in there since.
    pub(crate) async fn vouch(
        &self,
        callback: &str,
        code: String,
        verifier: String,
        nonce: String,
        signed_in_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Vouched, ProviderTrouble> {
        let issuer = self.issuer()?;
        let metadata = self.keys.metadata(&issuer).await?;
        let client = self.client(&metadata, callback)?;
        let request = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| ProviderTrouble::Away(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let response = request
            .request_async(&ask_provider)
            .await
            .map_err(|error| match error {
                RequestTokenError::Request(error) => ProviderTrouble::Away(why(&error)),
                // What it says about it may have the code in it.
                RequestTokenError::ServerResponse(said) => {
                    ProviderTrouble::NotBelieved(format!("the code was not taken: {}", said.error()))
                }
                RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                    ProviderTrouble::NotBelieved("its answer to a code cannot be read".to_owned())
                }
            })?;
        let token = response
            .id_token()
            .ok_or_else(|| ProviderTrouble::NotBelieved("it gave no ID token".to_owned()))?;
        let expected = Expected {
            issuer: &issuer,
            client_id: &ClientId::new(self.setting.client_id.clone()),
            nonce: &Nonce::new(nonce),
            access_token: response.access_token(),
            signed_in_since,
            now,
        };
        if let id_token::Judged::Vouched(vouched) = id_token::judge(token, metadata.jwks(), &expected)? {
            return Ok(vouched);
        }
        let metadata = self.keys.look_again(&metadata).await?;
        match id_token::judge(token, metadata.jwks(), &expected)? {
            id_token::Judged::Vouched(vouched) => Ok(vouched),
            id_token::Judged::UnknownKey => Err(unknown_key()),
        }
    }

    /// Judges a session token that a page has.
    pub(crate) async fn vouch_for_session(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Session, ProviderTrouble> {
        let metadata = self.keys.metadata(&self.issuer()?).await?;
        let expected = session_token::Expected {
            issuer: &self.setting.issuer,
            authorized_parties: &self.setting.authorized_parties,
            audiences: &self.setting.session_audiences,
            now,
        };
        if let session_token::Judged::Vouched(session) =
            session_token::judge(token, metadata.jwks(), &expected)?
        {
            return Ok(session);
        }
        let metadata = self.keys.look_again(&metadata).await?;
        match session_token::judge(token, metadata.jwks(), &expected)? {
            session_token::Judged::Vouched(session) => Ok(session),
            session_token::Judged::UnknownKey => Err(unknown_key()),
        }
    }
}

fn unknown_key() -> ProviderTrouble {
    ProviderTrouble::NotBelieved("signed with a key that the provider does not publish".to_owned())
}
