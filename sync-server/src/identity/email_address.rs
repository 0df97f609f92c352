//! E-mail addresses, in the one form that accounts are found by.

use std::fmt;

/// RFC 5321, 4.5.3.1.3: a path has at most 256 bytes, its brackets included.
const MAX: usize = 254;

/// An address that mail can be sent to, as far as its form tells; capital letters make no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        if text.len() > MAX || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return None;
        }
        let (_, domain) = text.rsplit_once('@')?;
        text.parse::<lettre::Address>().ok()?;
        domain.contains('.').then_some(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_address() {
        let check = |text: &str, expected: Option<&str>| {
            let parsed = EmailAddress::parse(text);
            assert_eq!(parsed.as_ref().map(EmailAddress::as_str), expected, "{text:?}");
        };
        check(" Lena.Vogel@Example.ORG ", Some("lena.vogel@example.org"));
        check(
            "o'neill+pets@sub.example.org",
            Some("o'neill+pets@sub.example.org"),
        );
        for none in [
            "",
            "lena",
            "lena@",
            "@example.org",
            "lena@localhost",
            "lena vogel@example.org",
            "lena@example.org\r\nBcc: all@example.org",
            "a@b.org, c@d.org",
            &format!("{}@example.org", "a".repeat(260)),
        ] {
            check(none, None);
        }
    }
}
