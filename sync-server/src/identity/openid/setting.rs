//! What has to be known about a provider before it can be asked: a JSON list, in a file or in the environment.

use serde::Deserialize;
use std::collections::HashSet;
use std::fmt;

/// One provider of OpenID Connect.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSetting {
    /// What addresses have of it: letters, digits and hyphens.
    pub name: String,
    /// What people read, as in "Google".
    pub label: String,
    /// As in "https://accounts.google.com". For Clerk it is the frontend API's address.
    pub issuer: String,
    pub client_id: String,
    /// None for a public client, which PKCE alone protects.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Beside `openid`.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// Signing secrets (`whsec_…`) of the provider's webhooks; several while one takes the place of another.
    #[serde(default)]
    pub webhook_secrets: Vec<String>,
    /// Pages (origins) whose session tokens are taken; none by default. Clerk calls them authorized parties.
    #[serde(default)]
    pub authorized_parties: Vec<String>,
}

fn usual_scopes() -> Vec<String> {
    vec!["email".to_owned(), "profile".to_owned()]
}

/// Without its secrets.
impl fmt::Debug for ProviderSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProviderSetting({} at {})", self.name, self.issuer)
    }
}

/// Why the list of providers cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum ProviderSettingError {
    #[error("the list of sign-in providers {file}: {error}")]
    File { file: String, error: std::io::Error },
    /// Not the text, which has secrets in it.
    #[error(
        "the list of sign-in providers is not of the form that is expected, at line {line}, column {column}"
    )]
    Form { line: usize, column: usize },
    #[error("a sign-in provider's name has letters, digits and hyphens, and is nobody else's: {0:?}")]
    Name(String),
    #[error("{name}: an issuer is an https address without query: {issuer}")]
    Issuer { name: String, issuer: String },
    #[error("{0}: a webhook's signing secret begins with whsec_ and goes on in base64")]
    WebhookSecret(String),
}

/// Reads a list of providers.
///
/// # Errors
/// If it is not of the right form, or two have one name.
pub fn read_providers(json: &str) -> Result<Vec<ProviderSetting>, ProviderSettingError> {
    let providers: Vec<ProviderSetting> =
        serde_json::from_str(json).map_err(|error| ProviderSettingError::Form {
            line: error.line(),
            column: error.column(),
        })?;
    let mut names = HashSet::new();
    for provider in &providers {
        let is_name = !provider.name.is_empty()
            && provider
                .name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_name || !names.insert(&provider.name) {
            return Err(ProviderSettingError::Name(provider.name.clone()));
        }
        if !is_issuer(&provider.issuer) {
            return Err(ProviderSettingError::Issuer {
                name: provider.name.clone(),
                issuer: provider.issuer.clone(),
            });
        }
        let is_secret = |secret: &String| super::super::webhook::key_of(secret).is_some();
        if !provider.webhook_secrets.iter().all(is_secret) {
            return Err(ProviderSettingError::WebhookSecret(provider.name.clone()));
        }
    }
    Ok(providers)
}

/// OpenID Connect Discovery 1.0, 3: https, no query, no fragment. Without TLS only on this machine.
fn is_issuer(issuer: &str) -> bool {
    let Ok(address) = openidconnect::url::Url::parse(issuer) else {
        return false;
    };
    let is_here = matches!(address.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let is_safe = address.scheme() == "https" || (address.scheme() == "http" && is_here);
    is_safe && address.host().is_some() && address.query().is_none() && address.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_lists_are_taken() {
        let one = |name: &str, issuer: &str, more: &str| {
            format!(r#"{{"name":"{name}","label":"X","issuer":"{issuer}","client_id":"id"{more}}}"#)
        };
        let check = |providers: &[String], expected: Result<usize, &str>| {
            let read = read_providers(&format!("[{}]", providers.join(",")));
            match (&read, expected) {
                (Ok(read), Ok(count)) => assert_eq!(read.len(), count),
                (Err(error), Err(word)) => assert!(error.to_string().contains(word), "{error}"),
                _ => panic!("{read:?} for {providers:?}"),
            }
        };
        let google = one("google", "https://accounts.google.com", "");
        check(&[], Ok(0));
        check(std::slice::from_ref(&google), Ok(1));
        check(
            &[google.clone(), one("here", "http://127.0.0.1:9000/realm", "")],
            Ok(2),
        );
        check(&[google.clone(), google.clone()], Err("nobody else's"));
        check(&[one("a b", "https://a.example", "")], Err("letters"));
        for issuer in [
            "http://accounts.google.com",
            "https://a.example?x=1",
            "https://a.example#x",
            "nothing",
            "file:///etc/passwd",
        ] {
            check(&[one("a", issuer, "")], Err("https address"));
        }
        check(
            &[one("a", "https://a.example", r#","client_secert":"x""#)],
            Err("form"),
        );
        check(
            &[one("a", "https://a.example", r#","webhook_secrets":["hidden"]"#)],
            Err("whsec_"),
        );
        let read = read_providers(&format!("[{google}]")).expect("it is one");
        assert_eq!(read[0].scopes, ["email", "profile"]);
    }

    #[test]
    fn no_secret_is_shown() {
        let error = read_providers(r#"[{"client_secret": "hidden" oops"#).expect_err("no JSON");
        assert!(!format!("{error} {error:?}").contains("hidden"));
        let provider = r#"[{"name":"a","label":"X","issuer":"https://a.example","client_id":"i","client_secret":"hidden"}]"#;
        let read = read_providers(provider).expect("it is one");
        assert!(!format!("{read:?}").contains("hidden"));
    }
}
