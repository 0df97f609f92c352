//! One provider: where a browser is sent, and what comes of the code that it brings back.

use super::ask_provider::ask_provider;
use super::id_token::{self, Expected};
use super::keys::Keys;
use super::session_token;
use super::{ProviderSetting, ProviderTrouble, Vouched};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreProviderMetadata};
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, TokenResponse,
};
use shared_model::time::Timestamp;

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

    /// Where a browser goes, with `state` as what it brings back. `callback` is our own address.
    pub(crate) async fn send_there(
        &self,
        callback: &str,
        state: &str,
    ) -> Result<ToProvider, ProviderTrouble> {
        let metadata = self.keys.metadata(&self.issuer()?).await?;
        let client = self.client(&metadata, callback)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = state.to_owned();
        let scopes = self.setting.scopes.iter().cloned().map(Scope::new);
        let (address, _, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                Nonce::new_random,
            )
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        Ok(ToProvider {
            address: address.to_string(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        })
    }

    /// Exchanges a code for an ID token and judges it.
    pub(crate) async fn vouch(
        &self,
        callback: &str,
        code: String,
        verifier: String,
        nonce: String,
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
                RequestTokenError::Request(error) => ProviderTrouble::Away(error.to_string()),
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
            now,
        };
        if let id_token::Judged::Vouched(vouched) = id_token::judge(token, metadata.jwks(), &expected)? {
            return Ok(vouched);
        }
        if let Some(keys) = self.keys.look_again().await?
            && let id_token::Judged::Vouched(vouched) = id_token::judge(token, &keys, &expected)?
        {
            return Ok(vouched);
        }
        Err(unknown_key())
    }

    /// Judges a session token that a page has.
    pub(crate) async fn vouch_for_session(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Vouched, ProviderTrouble> {
        let metadata = self.keys.metadata(&self.issuer()?).await?;
        let (issuer, parties) = (&self.setting.issuer, &self.setting.authorized_parties);
        if let session_token::Judged::Vouched(vouched) =
            session_token::judge(token, metadata.jwks(), issuer, parties, now)?
        {
            return Ok(vouched);
        }
        if let Some(keys) = self.keys.look_again().await?
            && let session_token::Judged::Vouched(vouched) =
                session_token::judge(token, &keys, issuer, parties, now)?
        {
            return Ok(vouched);
        }
        Err(unknown_key())
    }
}

fn unknown_key() -> ProviderTrouble {
    ProviderTrouble::NotBelieved("signed with a key that the provider does not publish".to_owned())
}
