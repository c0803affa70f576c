//! What do `Forwarded` and `X-Forwarded-For` say?
//!
//! Both are read as bytes and from the right, hop by hop, because the entries of trusted proxies are there.
//! What a visitor wrote is to the left of those and is not read, even if it is not text or has an unclosed quote.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// What one of the headers says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedVisitor {
    /// The header is absent.
    Nothing,
    /// The last hop that is not a trusted proxy.
    Visitor(IpAddr),
    /// The header is present, but all of its hops are trusted proxies, or one cannot be parsed.
    Nobody,
}

/// What `Forwarded` says (RFC 7239).
pub fn forwarded(headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> ForwardedVisitor {
    last(headers, &FORWARDED, forwarded_for, is_proxy)
}

/// What `X-Forwarded-For` says.
pub fn x_forwarded_for(headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> ForwardedVisitor {
    last(headers, &X_FORWARDED_FOR, address, is_proxy)
}

/// A hop that cannot be parsed ends the search: a visitor may have written all hops to the left of it.
fn last(
    headers: &HeaderMap,
    name: &HeaderName,
    read: impl Fn(&[u8]) -> Option<IpAddr>,
    is_proxy: impl Fn(IpAddr) -> bool,
) -> ForwardedVisitor {
    let mut lines = headers.get_all(name).iter().rev().peekable();
    if lines.peek().is_none() {
        return ForwardedVisitor::Nothing;
    }
    let hops = lines.flat_map(|line| FromTheRight { rest: Some(line.as_bytes()), separator: b',' });
    for hop in hops {
        match read(hop) {
            Some(hop) if is_proxy(hop) => {}
            Some(visitor) => return ForwardedVisitor::Visitor(visitor),
            None => return ForwardedVisitor::Nobody,
        }
    }
    ForwardedVisitor::Nobody
}

/// The parts of a list, the last one first. Separators in quotes do not count.
struct FromTheRight<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Iterator for FromTheRight<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let mut is_quoted = false;
        let mut before = rest;
        while let Some((byte, left)) = before.split_last() {
            match byte {
                b'"' if is_quoted => is_quoted = is_escaped(left),
                b'"' => is_quoted = true,
                byte if *byte == self.separator && !is_quoted => {
                    self.rest = Some(left);
                    return rest.get(before.len()..);
                }
                _ => {}
            }
            before = left;
        }
        self.rest = None;
        Some(rest)
    }
}

/// Whether the next byte is escaped by a backslash.
fn is_escaped(left: &[u8]) -> bool {
    left.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The address of an element of `Forwarded`. `None`: it names two, or hides it.
fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    let pairs = FromTheRight { rest: Some(element), separator: b';' };
    let mut named = pairs.filter_map(|pair| {
        let (name, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
        name.trim_matches(BLANK).eq_ignore_ascii_case("for").then_some(value.trim_matches(BLANK))
    });
    let (value, None) = (named.next()?, named.next()) else { return None };
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    node(value)
}

/// An address in `X-Forwarded-For`: as in `Forwarded`, or an IPv6 address without brackets.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim_matches(BLANK);
    hop.parse().ok().map(|address: IpAddr| address.to_canonical()).or_else(|| node(hop))
}

const BLANK: [char; 2] = [' ', '\t'];

/// An IPv4 address, or an IPv6 address in brackets, with a port or without one.
fn node(text: &str) -> Option<IpAddr> {
    let (address, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (address, port) = bracketed.split_once(']')?;
            (address.parse::<Ipv6Addr>().ok()?.to_canonical(), port)
        }
        None => {
            let (address, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (address.parse::<Ipv4Addr>().ok()?.into(), port)
        }
    };
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(address)
}

/// A port number, or an obfuscated port.
fn is_port(text: &str) -> bool {
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match text.strip_prefix('_') {
        Some(word) => !word.is_empty() && word.bytes().all(is_of_word),
        None => text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok(),
    }
}
