//! Where a clinic's server is, as people write addresses.

use shared_model::values::Invalid;
use ureq::http::Uri;

/// Checked to be an address; whether anybody answers there is another matter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClinicAddress {
    shown: String,
    origin: String,
}

impl ClinicAddress {
    /// An address without a scheme is meant encrypted, but for this very machine, where nobody listens in. What follows
    /// the host is left out: addresses get copied from a browser with the page that was open.
    pub(super) fn parse(typed: &str) -> Result<Self, Invalid> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(Invalid::Empty);
        }
        let (scheme, rest) = match typed.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_lowercase()), rest),
            None => (None, typed),
        };
        if !matches!(scheme.as_deref(), None | Some("http" | "https")) {
            return Err(Invalid::BadCharacters);
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let uri: Uri = authority.parse().map_err(|_| Invalid::BadCharacters)?;
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or(Invalid::BadCharacters)?;
        // What is left is the port. A user name before the host is how people are led to a wrong one.
        let port = authority.strip_prefix(host).ok_or(Invalid::BadCharacters)?;
        let is_port = |port: &str| {
            port.strip_prefix(':')
                .is_some_and(|port| port.parse::<u16>().is_ok())
        };
        let of_a_host = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
        if !(port.is_empty() || is_port(port)) || !host.bytes().all(of_a_host) {
            return Err(Invalid::BadCharacters);
        }
        let here = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
        let scheme = scheme.unwrap_or_else(|| if here { "http" } else { "https" }.to_owned());
        Ok(Self {
            origin: format!("{scheme}://{}", authority.to_lowercase()),
            shown: typed.to_owned(),
        })
    }

    /// As it was typed.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// With its scheme, without a slash at the end.
    pub(super) fn origin(&self) -> String {
        self.origin.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_addresses_in_many_ways() {
        let check = |typed: &str, expected: Result<&str, Invalid>| {
            let parsed = ClinicAddress::parse(typed).map(|address| address.origin());
            assert_eq!(parsed.as_deref().map_err(|why| *why), expected, "{typed:?}");
        };
        check("clinic.example.com", Ok("https://clinic.example.com"));
        check("  Clinic.Example.com/ ", Ok("https://clinic.example.com"));
        check(
            "https://clinic.example.com/day/2026-11-23?x#y",
            Ok("https://clinic.example.com"),
        );
        check("HTTP://192.168.1.20:8080", Ok("http://192.168.1.20:8080"));
        check("192.168.1.20:8080", Ok("https://192.168.1.20:8080"));
        check("localhost:8080", Ok("http://localhost:8080"));
        check("127.0.0.1:8080", Ok("http://127.0.0.1:8080"));
        check("[::1]:8080", Ok("http://[::1]:8080"));
        check("https://localhost", Ok("https://localhost"));
        check("", Err(Invalid::Empty));
        check("   ", Err(Invalid::Empty));
        check("ftp://clinic.example.com", Err(Invalid::BadCharacters));
        check("my clinic", Err(Invalid::BadCharacters));
        check("https://", Err(Invalid::BadCharacters));
        check("/day", Err(Invalid::BadCharacters));
        check("clinic.example.com@evil.example", Err(Invalid::BadCharacters));
        check("clinic.example.com:port", Err(Invalid::BadCharacters));
    }
}
