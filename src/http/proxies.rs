//! Who stands behind a proxy? Whoever the last proxy of ours says it got the request from.
//!
//! What `Forwarded` and `X-Forwarded-For` say is read from the right, and believed as far as proxies of ours have written it. Most
//! proxies write one of the two and pass on the other as it came, so where they name different visitors nobody is believed.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Request};
use trusted_proxies::{Config, Trusted};

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies whose word counts. By default there are none.
#[derive(Clone, Debug)]
pub struct Proxies {
    /// Reads `Forwarded`, and knows the networks. Of `X-Forwarded-For` it does not know IPv6 addresses as proxies write them there.
    forwarded: Config,
    are_none: bool,
}

/// A text that is no list of networks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is a list of addresses and networks, such as 10.0.0.0/8,192.168.1.7,fd00::/8")]
pub struct InvalidProxies;

impl Default for Proxies {
    fn default() -> Self {
        let mut forwarded = Config::new();
        forwarded.trust_forwarded();
        Self { forwarded, are_none: true }
    }
}

impl Proxies {
    /// Addresses and networks, with commas between them.
    ///
    /// # Errors
    /// When one of them is neither.
    pub fn parse(text: &str) -> Result<Self, InvalidProxies> {
        let mut proxies = Self::default();
        for network in text.split(',').map(str::trim).filter(|network| !network.is_empty()) {
            proxies.forwarded.add_trusted_ip(network).map_err(|_| InvalidProxies)?;
            proxies.are_none = false;
        }
        Ok(proxies)
    }

    /// Whether this is a proxy of ours.
    #[must_use]
    pub fn include(&self, peer: IpAddr) -> bool {
        !self.are_none && self.forwarded.is_ip_trusted(&peer.to_canonical())
    }

    /// Who sent the request that came from `peer`.
    #[must_use]
    pub fn visitor<T>(&self, peer: IpAddr, request: &Request<T>) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.include(peer) {
            return peer;
        }
        let forwarded = Trusted::from(peer, request, &self.forwarded).ip().to_canonical();
        match (forwarded, self.forwarded_for(request.headers()).unwrap_or(peer)) {
            (visitor, other) if visitor == other || other == peer => visitor,
            (other, visitor) if other == peer => visitor,
            (_, _) => peer,
        }
    }

    /// The last address of `X-Forwarded-For` that is no proxy's. `None`: there is none, or what is there is no address.
    fn forwarded_for(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let said = headers.get_all(X_FORWARDED_FOR).iter().rev();
        for hop in said.flat_map(|value| value.to_str().unwrap_or_default().rsplit(',')) {
            let hop = address(hop.trim())?;
            if !self.include(hop) {
                return Some(hop);
            }
        }
        None
    }
}

/// With a port or without one, and in brackets or not.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()));
    address.as_ref().map(IpAddr::to_canonical)
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
        assert!(!Proxies::parse(" , ").unwrap().include("10.0.0.1".parse().unwrap()));
    }
}
