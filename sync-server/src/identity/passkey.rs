//! Passkeys (WebAuthn Level 3): keys that a person's device keeps and uses once it has seen their finger, face or PIN, so
//! that one of them is two factors.
//!
//! Invariant: a passkey is for the host of the public address alone; a server that is reached by a number, or without TLS
//! anywhere but on the same machine, has none, because no browser makes any there.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Webauthn, WebauthnBuilder, WebauthnError,
};

/// What was asked of a browser, until it answers.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Asked {
    Make(PasskeyRegistration),
    /// One of those that an account has.
    Show(PasskeyAuthentication),
    /// Any that the browser has for this server.
    ShowAny(DiscoverableAuthentication),
}

/// It was not made or shown as it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasskeyTrouble {
    #[error("what the browser sent is not of the form that it has")]
    Form(#[source] serde_json::Error),
    #[error("a passkey that is kept cannot be read")]
    Kept(#[source] serde_json::Error),
    #[error("it does not belong to what was asked")]
    NotAsked,
    #[error("{0}")]
    NotBelieved(#[from] WebauthnError),
}

/// A passkey as it is kept: what the authenticator calls it, and its public key and counter (JSON).
#[derive(Debug)]
pub(crate) struct KeptPasskey {
    pub(crate) credential: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
}

#[derive(Clone)]
pub(crate) struct Passkeys(Arc<Webauthn>);

impl Passkeys {
    /// `None` if there can be none at this address.
    pub(crate) fn at(public_address: &str) -> Option<Self> {
        let origin = Url::parse(public_address).ok()?;
        let host = origin.domain()?;
        if origin.scheme() != "https" && host != "localhost" {
            return None;
        }
        let built = WebauthnBuilder::new(host, &origin).and_then(|builder| builder.rp_name(host).build());
        built.ok().map(|webauthn| Self(Arc::new(webauthn)))
    }

    /// The options for a new one, and what to remember. `known` are the account's own: what has one makes no other.
    pub(crate) fn ask_to_make(
        &self,
        account: Uuid,
        email: &str,
        full_name: &str,
        known: Vec<Vec<u8>>,
    ) -> Result<(String, Asked), PasskeyTrouble> {
        let (options, state) = self
            .0
            .start_passkey_registration(account, email, full_name, Some(known))?;
        let mut options = serde_json::to_value(options).map_err(PasskeyTrouble::Form)?;
        // It is found without a name then, and enough to sign in with.
        let selection = &mut options["publicKey"]["authenticatorSelection"];
        selection["residentKey"] = json!("required");
        selection["requireResidentKey"] = json!(true);
        Ok((options.to_string(), Asked::Make(state)))
    }

    pub(crate) fn made(&self, credential: &str, asked: &Asked) -> Result<KeptPasskey, PasskeyTrouble> {
        let Asked::Make(state) = asked else {
            return Err(PasskeyTrouble::NotAsked);
        };
        let credential: RegisterPublicKeyCredential = read(credential)?;
        keep(&self.0.finish_passkey_registration(&credential, state)?)
    }

    /// For one of these.
    pub(crate) fn ask_to_show(&self, kept: &[Vec<u8>]) -> Result<(String, Asked), PasskeyTrouble> {
        let passkeys: Vec<Passkey> = kept
            .iter()
            .map(|kept| kept_passkey(kept))
            .collect::<Result<_, _>>()?;
        let (options, state) = self.0.start_passkey_authentication(&passkeys)?;
        let options = serde_json::to_string(&options).map_err(PasskeyTrouble::Form)?;
        Ok((options, Asked::Show(state)))
    }

    /// For any that the person has for this server.
    pub(crate) fn ask_to_show_any(&self) -> Result<(String, Asked), PasskeyTrouble> {
        let (options, state) = self.0.start_discoverable_authentication()?;
        let mut options = serde_json::to_value(options).map_err(PasskeyTrouble::Form)?;
        // Whether it is offered while somebody types or asked for with a button is the page's to say.
        if let Value::Object(options) = &mut options {
            options.remove("mediation");
        }
        Ok((options.to_string(), Asked::ShowAny(state)))
    }

    /// Judges one that was shown, with it as it is kept; gives what it has become.
    pub(crate) fn shown(
        &self,
        credential: &str,
        asked: &Asked,
        kept: &[u8],
    ) -> Result<KeptPasskey, PasskeyTrouble> {
        let credential: PublicKeyCredential = read(credential)?;
        let mut passkey = kept_passkey(kept)?;
        let result = match asked {
            Asked::Make(_) => return Err(PasskeyTrouble::NotAsked),
            Asked::Show(state) => self.0.finish_passkey_authentication(&credential, state)?,
            Asked::ShowAny(state) => {
                self.0
                    .finish_discoverable_authentication_v2(&credential, state.clone(), &passkey)?
            }
        };
        // `None` is another passkey than the one that was judged.
        passkey
            .update_credential(&result)
            .ok_or(PasskeyTrouble::NotAsked)?;
        keep(&passkey)
    }
}

/// What the authenticator calls the passkey that was shown.
pub(crate) fn credential_of(credential: &str) -> Result<Vec<u8>, PasskeyTrouble> {
    let credential: PublicKeyCredential = read(credential)?;
    Ok(credential.get_credential_id().to_vec())
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, PasskeyTrouble> {
    serde_json::from_str(text).map_err(PasskeyTrouble::Form)
}

fn keep(passkey: &Passkey) -> Result<KeptPasskey, PasskeyTrouble> {
    Ok(KeptPasskey {
        credential: passkey.cred_id().to_vec(),
        public_key: serde_json::to_vec(passkey).map_err(PasskeyTrouble::Kept)?,
    })
}

fn kept_passkey(kept: &[u8]) -> Result<Passkey, PasskeyTrouble> {
    serde_json::from_slice(kept).map_err(PasskeyTrouble::Kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_names_over_tls() {
        for (address, has) in [
            ("https://records.example.org", true),
            ("https://records.example.org:8443", true),
            ("http://localhost:8080", true),
            ("http://records.example.org", false),
            ("https://192.0.2.7", false),
            ("http://127.0.0.1:8080", false),
            ("records", false),
        ] {
            assert_eq!(Passkeys::at(address).is_some(), has, "{address}");
        }
    }
}
