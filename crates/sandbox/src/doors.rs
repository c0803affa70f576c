//! Who may use the sandbox?
//! Without a key, all programs on this machine may, except for pages of other sites in its browsers.
//! With a key, every program that sends it may, from other machines as well.
//!
//! A page of another site can send forms to this machine.
//! If it makes its own name point to this machine (DNS rebinding), it can also read the answers.
//! So without a key, the name in a request has to be this machine's.
//! In both cases, a request that changes something has to come from a page of the sandbox, or from no page.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::failure::SandboxFailure;

const KEY_BYTES_MIN: usize = 32;
const KEY_BEGINS: &str = "sk_test_";
const SITE: &str = "sec-fetch-site";

/// The key for access from other machines, which is also the sandbox's API key.
#[derive(Clone, PartialEq, Eq)]
pub struct SandboxKey(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    #[error(
        "beyond this machine a sandbox needs a key, which begins with {KEY_BEGINS} and has at least {KEY_BYTES_MIN} characters: \
         set STRIPE_SANDBOX_KEY"
    )]
    Missing,
    #[error(
        "the key of a sandbox begins with {KEY_BEGINS}, and has at least {KEY_BYTES_MIN} visible ASCII characters"
    )]
    Invalid,
}

impl SandboxKey {
    /// The key of a sandbox that listens on `listen`, if it has one.
    ///
    /// # Errors
    /// If the text is not a key, or if there is none and other machines could use the sandbox.
    pub fn of(text: Option<&str>, listen: SocketAddr) -> Result<Option<Self>, NoKey> {
        match text {
            None if listen.ip().to_canonical().is_loopback() => Ok(None),
            None => Err(NoKey::Missing),
            Some(text) => {
                let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
                let is_key = text.starts_with(KEY_BEGINS) && text.len() >= KEY_BYTES_MIN && is_visible;
                if is_key { Ok(Some(Self(text.to_owned()))) } else { Err(NoKey::Invalid) }
            }
        }
    }

    /// The key itself, for clients of this sandbox.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares hashes, so that the time of a comparison says nothing about the key.
    fn is(&self, text: &str) -> bool {
        Sha256::digest(text.as_bytes()) == Sha256::digest(self.0.as_bytes())
    }
}

impl std::fmt::Debug for SandboxKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(…)")
    }
}

/// Passes a request on, or refuses it.
pub(super) async fn guard(
    State(key): State<Arc<Option<SandboxKey>>>,
    request: Request,
    next: Next,
) -> Response {
    let host = host(request.uri(), request.headers());
    let refused = match key.as_ref() {
        // A browser sends no key to a name that was made to point here.
        None if !host.as_ref().is_ok_and(|host| host.as_ref().is_none_or(is_this_machine)) => {
            Some("The sandbox answers to localhost and 127.0.0.1, and to other names only with a key.")
        }
        _ if changes(request.method())
            && is_of_another_page(request.headers(), host.ok().flatten().as_ref()) =>
        {
            Some("This was sent by a page that is not the sandbox's.")
        }
        _ => None,
    };
    if let Some(why) = refused {
        tracing::warn!(why, "a request was turned away");
        return refusal(StatusCode::FORBIDDEN, why);
    }
    match key.as_ref() {
        Some(key) if !shows(request.headers(), key) => {
            let mut response = refusal(
                StatusCode::UNAUTHORIZED,
                "The sandbox's key is needed, as the password or as the API key.",
            );
            let basic = HeaderValue::from_static("Basic realm=\"sandbox\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
            response
        }
        Some(_) | None => next.run(request).await,
    }
}

fn refusal(status: StatusCode, why: &str) -> Response {
    SandboxFailure::invalid(why).status(status.as_u16()).into_response()
}

/// A text that is not the name of a host with an optional port.
struct Unreadable;

/// The host that a request names. `None`: it names none, as in HTTP/1.0.
fn host(uri: &Uri, headers: &HeaderMap) -> Result<Option<Authority>, Unreadable> {
    if let Some(authority) = uri.authority() {
        return readable(authority.as_str()).map(Some);
    }
    let mut said = headers.get_all(header::HOST).iter();
    match (said.next(), said.next()) {
        (None, _) => Ok(None),
        (Some(host), None) => readable(host.to_str().map_err(|_| Unreadable)?).map(Some),
        (Some(_), Some(_)) => Err(Unreadable),
    }
}

/// Parses a host strictly. The parser of URLs alone would accept more, such as a user name before an `@`.
fn readable(host: &str) -> Result<Authority, Unreadable> {
    let parsed: Authority = host.parse().map_err(|_| Unreadable)?;
    let name = parsed.host();
    let rest = host.strip_prefix(name).ok_or(Unreadable)?;
    let has_port = rest.strip_prefix(':').is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok());
    let is_name =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let is_host = match name.strip_prefix('[') {
        Some(bracketed) => bracketed.strip_suffix(']').is_some_and(|name| name.parse::<Ipv6Addr>().is_ok()),
        None => !name.is_empty() && is_name(name),
    };
    if is_host && (rest.is_empty() || has_port) { Ok(parsed) } else { Err(Unreadable) }
}

fn is_this_machine(host: &Authority) -> bool {
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = name.parse::<IpAddr>() {
        return address.to_canonical().is_loopback();
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Whether a request comes from a page of another site. Browsers send the origin, and other programs do not.
fn is_of_another_page(headers: &HeaderMap, host: Option<&Authority>) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return headers.get(SITE).is_some_and(|site| site != "same-origin" && site != "none");
    };
    let origin =
        origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    let (Some(origin), Some(host)) = (origin, host) else { return true };
    !origin.eq_ignore_ascii_case(host.as_str())
}

fn shows(headers: &HeaderMap, key: &SandboxKey) -> bool {
    let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, said)) = said.and_then(|said| said.split_once(' ')) else { return false };
    if scheme.eq_ignore_ascii_case("bearer") {
        return key.is(said.trim());
    }
    let decoded = STANDARD.decode(said.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    // Stripe's clients send the key as the user name, and people enter it as the password.
    let pair = decoded.filter(|_| scheme.eq_ignore_ascii_case("basic"));
    pair.as_deref()
        .and_then(|pair| pair.split_once(':'))
        .is_some_and(|(user, password)| key.is(user) || key.is(password))
}
