//! Who is the visitor behind a proxy? The address from which the last trusted proxy got the request.
//!
//! `Forwarded` and `X-Forwarded-For` are read from the right, as far as trusted proxies have written them.
//! Most proxies write one of the two headers and pass on the other as the visitor wrote it, and it is not known which.
//! So if both are present they must agree: if they name different visitors, or one cannot be parsed, the visitor is the
//! proxy itself.

use std::net::IpAddr;

use axum::http::Request;
use ipnet::{IpNet, Ipv4Net};

use super::forwarded::{self, ForwardedVisitor};

/// The proxies whose headers are trusted. By default there are none.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

/// The text is not a list of networks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has to be a list of addresses and networks, such as 10.0.0.0/8,192.168.1.7,fd00::/8")]
pub struct InvalidProxies;

impl Proxies {
    /// Parses addresses and networks, separated by commas.
    ///
    /// # Errors
    /// If one of them is neither.
    pub fn parse(text: &str) -> Result<Self, InvalidProxies> {
        let networks = text.split(',').map(str::trim).filter(|network| !network.is_empty());
        networks.map(network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this is a trusted proxy.
    #[must_use]
    pub fn include(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }

    /// The address of the visitor whose request came from `peer`.
    #[must_use]
    pub fn visitor<T>(&self, peer: IpAddr, request: &Request<T>) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.include(peer) {
            return peer;
        }
        let is_proxy = |hop| self.include(hop);
        let headers = request.headers();
        match (forwarded::forwarded(headers, is_proxy), forwarded::x_forwarded_for(headers, is_proxy)) {
            (ForwardedVisitor::Visitor(visitor), ForwardedVisitor::Nothing)
            | (ForwardedVisitor::Nothing, ForwardedVisitor::Visitor(visitor)) => visitor,
            (ForwardedVisitor::Visitor(visitor), ForwardedVisitor::Visitor(other)) if visitor == other => {
                visitor
            }
            (ForwardedVisitor::Visitor(_) | ForwardedVisitor::Nobody | ForwardedVisitor::Nothing, _) => peer,
        }
    }
}

fn network(text: &str) -> Result<IpNet, InvalidProxies> {
    let address = || text.parse().map(|address: IpAddr| IpNet::from(address.to_canonical()));
    text.parse().map(canonical).or_else(|_| address()).map_err(|_| InvalidProxies)
}

/// The prefix length of IPv4 addresses that are mapped to IPv6.
const MAPPED_BITS: u8 = 96;

/// Converts networks of IPv4-mapped addresses to IPv4, since peers are compared as IPv4.
fn canonical(network: IpNet) -> IpNet {
    let within = network.prefix_len().checked_sub(MAPPED_BITS);
    let IpAddr::V4(address) = network.addr().to_canonical() else { return network };
    let mapped = within.and_then(|length| Ipv4Net::new(address, length).ok());
    mapped.filter(|_| network.addr().is_ipv6()).map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn visitor(peer: &str, headers: &[(&str, &str)]) -> String {
        let proxies = Proxies::parse("10.0.0.0/8, fd00::/8").unwrap();
        let request =
            headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        proxies.visitor(peer.parse().unwrap(), &request.body(()).unwrap()).to_string()
    }

    #[test]
    fn a_network_of_ipv4_addresses_is_the_same_however_it_is_written() {
        let peer = "127.0.0.9".parse().unwrap();
        for written in ["127.0.0.0/8", "::ffff:127.0.0.0/104", "::ffff:127.0.0.9", "::ffff:127.0.0.9/128"] {
            assert!(Proxies::parse(written).unwrap().include(peer), "{written}");
        }
        assert!(!Proxies::parse("fd00::/8, ::ffff:10.0.0.0/104").unwrap().include(peer));
    }

    #[test]
    fn the_last_address_that_is_no_proxys_is_the_visitors() {
        for (headers, expected) in [
            (&[("forwarded", "for=203.0.113.9")][..], "203.0.113.9"),
            (
                &[("forwarded", "for=1.1.1.1, For=\"203.0.113.9:4711\";proto=https, for=10.2.3.4")],
                "203.0.113.9",
            ),
            (&[("forwarded", "for=1.1.1.1"), ("forwarded", "for=\"[2001:db8::1]:80\"")], "2001:db8::1"),
            (&[("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.2.3.4")], "203.0.113.9"),
            (&[("x-forwarded-for", "::ffff:203.0.113.9, ::ffff:10.2.3.4")], "203.0.113.9"),
            (&[("x-forwarded-for", "1.1.1.1, 2001:db8::1, fd00::7")], "2001:db8::1"),
            (&[("x-forwarded-for", "[2001:db8::1]:4711")], "2001:db8::1"),
            (&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9:4711")], "203.0.113.9"),
            (&[("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9")], "203.0.113.9"),
            (&[("forwarded", "for=203.0.113.9, for=\"[::ffff:10.2.3.4]\"")], "203.0.113.9"),
            (
                &[(
                    "forwarded",
                    "for=1.1.1.1, by=\"_a,b;for=2.2.2.2\";for=203.0.113.9:_port;host=\"a\\\",b\"",
                )],
                "203.0.113.9",
            ),
            (&[("forwarded", "for=\"1.1.1.1, for=203.0.113.9")], "203.0.113.9"),
            (&[("forwarded", "host=\"\\\", for=\"203.0.113.9\"")], "203.0.113.9"),
        ] {
            assert_eq!(visitor(PROXY, headers), expected, "{headers:?}");
        }
        assert_eq!(visitor("::ffff:10.0.0.1", &[("x-forwarded-for", "203.0.113.9")]), "203.0.113.9");
    }

    #[test]
    fn where_nobody_is_named_it_is_the_proxy() {
        for headers in [
            &[][..],
            &[("forwarded", "for=unknown")],
            &[("forwarded", "for=_hidden, for=10.2.3.4")],
            &[("forwarded", "nonsense")],
            &[("x-forwarded-for", "10.2.3.4")],
            &[("x-forwarded-for", "1.1.1.1, somebody")],
            &[("x-forwarded-for", "1.1.1.1, ")],
            // A proxy that writes one of them passes on what a visitor wrote into the other.
            &[("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=1.1.1.1")],
            // What the proxy wrote names nobody, and the other header may be the visitor's.
            &[("forwarded", "for=_hidden"), ("x-forwarded-for", "1.1.1.1")],
            &[("forwarded", "for=unknown"), ("x-forwarded-for", "1.1.1.1")],
            &[("forwarded", "for=2001:db8::1"), ("x-forwarded-for", "1.1.1.1")],
            &[("forwarded", "proto=https"), ("x-forwarded-for", "1.1.1.1")],
            &[("forwarded", "for=203.0.113.9;for=1.1.1.1"), ("x-forwarded-for", "1.1.1.1")],
            &[("forwarded", "for=\"1.1.1.1"), ("x-forwarded-for", "1.1.1.1")],
            &[("x-forwarded-for", ""), ("forwarded", "for=1.1.1.1")],
            &[("x-forwarded-for", "203.0.113.9,"), ("forwarded", "for=1.1.1.1")],
            &[("x-forwarded-for", "203.0.113.9:99999"), ("forwarded", "for=1.1.1.1")],
            &[("x-forwarded-for", "203.0.113.9:+80"), ("forwarded", "for=1.1.1.1")],
            &[("x-forwarded-for", "203.0.113.007"), ("forwarded", "for=1.1.1.1")],
            &[("x-forwarded-for", "fe80::1%eth0"), ("forwarded", "for=1.1.1.1")],
            &[("x-forwarded-for", "[203.0.113.9]"), ("forwarded", "for=1.1.1.1")],
            &[("x-forwarded-for", "10.2.3.4"), ("forwarded", "for=1.1.1.1")],
        ] {
            assert_eq!(visitor(PROXY, headers), PROXY, "{headers:?}");
        }
    }

    #[test]
    fn whoever_is_no_proxy_is_not_believed() {
        let said = [("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "1.1.1.1")];
        assert_eq!(visitor("203.0.113.9", &said), "203.0.113.9");
        let request = Request::builder().header("x-forwarded-for", "1.1.1.1").body(()).unwrap();
        let proxy: IpAddr = PROXY.parse().unwrap();
        assert_eq!(Proxies::default().visitor(proxy, &request), proxy);
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in ["10.0.0.0/33", "proxy.example", "10.0.0.0/8;fd00::/8", "10.0.0"] {
            assert_eq!(Proxies::parse(wrong).unwrap_err(), InvalidProxies, "{wrong}");
        }
        assert!(Proxies::parse("::ffff:10.0.0.1").unwrap().include("10.0.0.1".parse().unwrap()));
        assert!(!Proxies::parse(" , ").unwrap().include("10.0.0.1".parse().unwrap()));
    }
}
