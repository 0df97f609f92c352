//! Where a request comes from, if a proxy stands in front of the server.
//!
//! Invariant: a header is believed only as far as trusted proxies wrote it. Anybody can send `X-Forwarded-For`; each
//! proxy adds the address that it saw at the end, so the list is read from there, as far as proxies of ours go.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// An address ("10.0.0.2") or a network of them ("10.0.0.0/8").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    fn has(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let single = || {
            text.parse::<IpAddr>()
                .map(|address| address.to_canonical().into())
        };
        text.parse()
            .or_else(|_| single())
            .map(Self)
            .map_err(|_| format!("{text:?} is neither an address nor a network like 10.0.0.0/8"))
    }
}

/// The address of the client behind `trusted` proxies; `peer` is who holds the connection.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.has(address));
    let mut client = peer;
    let hops: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .flat_map(|line| line.to_str().unwrap_or("?").split(','))
        .collect();
    for hop in hops.into_iter().rev() {
        if !is_trusted(client) {
            break;
        }
        match address(hop.trim()) {
            Some(address) => client = address,
            // A trusted proxy does not write this: what stands before it was not written by one either.
            None => break,
        }
    }
    client
}

/// Some proxies add the port.
fn address(hop: &str) -> Option<IpAddr> {
    hop.parse()
        .or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_what_trusted_proxies_wrote_counts() {
        let check = |peer: &str, lines: &[&'static str], trusted: &[&str], expected: &str| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
            }
            let trusted: Vec<Network> = trusted
                .iter()
                .map(|network| network.parse().expect("a network"))
                .collect();
            let found = client_address(peer.parse().expect("an address"), &headers, &trusted);
            assert_eq!(found.to_string(), expected, "{peer} {lines:?}");
        };
        let proxies = ["10.0.0.0/8", "fd00::1"];
        check("10.0.0.2", &["203.0.113.7"], &[], "10.0.0.2");
        check("10.0.0.2", &["203.0.113.7"], &proxies, "203.0.113.7");
        check("::ffff:10.0.0.2", &["203.0.113.7"], &proxies, "203.0.113.7");
        check("fd00::1", &["2001:db8::5"], &proxies, "2001:db8::5");
        check("10.0.0.2", &["203.0.113.7:4711"], &proxies, "203.0.113.7");
        check("10.0.0.2", &[], &proxies, "10.0.0.2");
        // Nobody can lend another address: what the client wrote itself stands left of what the proxy saw.
        check(
            "10.0.0.2",
            &["198.51.100.1, 203.0.113.7"],
            &proxies,
            "203.0.113.7",
        );
        check(
            "10.0.0.2",
            &["198.51.100.1", "203.0.113.7, 10.0.0.3"],
            &proxies,
            "203.0.113.7",
        );
        check("203.0.113.9", &["198.51.100.1"], &proxies, "203.0.113.9");
        check("10.0.0.2", &["203.0.113.7, nonsense"], &proxies, "10.0.0.2");
        check("10.0.0.2", &["10.0.0.4"], &proxies, "10.0.0.4");
    }

    #[test]
    fn networks_as_people_write_them() {
        assert!(" 10.0.0.1 ".parse::<Network>().is_ok());
        assert!("2001:db8::/32".parse::<Network>().is_ok());
        for wrong in ["", "proxy.example.org", "10.0.0.0/33", "10.0.0"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
