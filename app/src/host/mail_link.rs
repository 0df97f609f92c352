//! The links that mails bring: `https://clinic.example.com/invitation#TOKEN`.
//!
//! Invariant: what is secret stands behind the `#`, which no browser sends to a server, so that no log ever has it.

use super::Secret;
use shared_model::accounts::links;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkPurpose {
    Invitation,
    ResetPassword,
    VerifyEmail,
    /// Where a new password is asked for. It brings no token.
    ForgotPassword,
}

/// A link that somebody followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailLink {
    pub(crate) purpose: LinkPurpose,
    pub(crate) token: Secret,
}

/// Why a pasted link leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LinkTrouble {
    /// It is no link of a mail from a clinic, or not the whole of it.
    NotOne,
    /// It is of another clinic's server.
    Elsewhere(String),
}

impl MailLink {
    /// From the parts of an address.
    pub(super) fn of(path: &str, fragment: &str) -> Option<Self> {
        let token = fragment.trim_start_matches('#');
        if path == links::FORGOT_PASSWORD {
            return Some(Self {
                purpose: LinkPurpose::ForgotPassword,
                token: Secret::default(),
            });
        }
        let purpose = match format!("{path}#").as_str() {
            links::INVITATION => LinkPurpose::Invitation,
            links::RESET_PASSWORD => LinkPurpose::ResetPassword,
            links::VERIFY_EMAIL => LinkPurpose::VerifyEmail,
            _ => return None,
        };
        let is_token = !token.is_empty()
            && token
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
        is_token.then(|| Self {
            purpose,
            token: token.to_owned().into(),
        })
    }

    /// From a whole address, as it is copied from a mail; and whose it is, as "https://clinic.example.com".
    pub(super) fn parse(pasted: &str) -> Option<(String, Self)> {
        // A mail may break a long line, and put angle brackets around an address.
        let address: String = pasted.chars().filter(|c| !c.is_whitespace()).collect();
        let address = address.trim_start_matches('<').trim_end_matches('>');
        let (address, fragment) = address.split_once('#').unwrap_or((address, ""));
        let (scheme, rest) = address.split_once("://")?;
        let (host, path) = rest.split_once('/')?;
        let path = format!("/{}", path.trim_end_matches('/'));
        let origin = format!("{scheme}://{host}").to_lowercase();
        Some((origin, Self::of(&path, fragment)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_as_they_are_copied_from_mails() {
        let check = |pasted: &str, expected: Option<(&str, LinkPurpose, &str)>| {
            let parsed = MailLink::parse(pasted);
            let parsed = parsed
                .as_ref()
                .map(|(origin, link)| (origin.as_str(), link.purpose, link.token.text()));
            assert_eq!(parsed, expected, "{pasted:?}");
        };
        let clinic = "https://clinic.example.com";
        check(
            "https://clinic.example.com/invitation#aB3-_x",
            Some((clinic, LinkPurpose::Invitation, "aB3-_x")),
        );
        check(
            "  <https://Clinic.example.com/reset-password#abc\n def>\n",
            Some((clinic, LinkPurpose::ResetPassword, "abcdef")),
        );
        check(
            "http://127.0.0.1:8080/verify-email/#t",
            Some(("http://127.0.0.1:8080", LinkPurpose::VerifyEmail, "t")),
        );
        check(
            "https://clinic.example.com/forgot-password",
            Some((clinic, LinkPurpose::ForgotPassword, "")),
        );
        check("https://clinic.example.com/invitation", None);
        check("https://clinic.example.com/invitation#", None);
        check("https://clinic.example.com/patients#abc", None);
        check("https://clinic.example.com/invitation#a%22b", None);
        check("/invitation#abc", None);
        check("hello", None);
        check("", None);
    }
}
