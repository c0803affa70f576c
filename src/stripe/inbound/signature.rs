//! Did Stripe sign these bytes, and just now?
//!
//! Stripe signs `<time>.<body>` with HMAC-SHA256 and sends `Stripe-Signature: t=<time>,v1=<hex>`.
//! While a secret is being replaced there are several `v1`, and several secrets may be configured: any pair may match.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::domain::time::Timestamp;

/// The header that carries the signature.
pub const HEADER: &str = "stripe-signature";

/// How many seconds the signature's time may be from now, in either direction.
pub const TOLERANCE_S: i64 = 300;

/// The most signatures of one delivery. Stripe sends one for each active secret, of which there are at most two.
pub const SIGNATURES_MAX: usize = 16;

/// The prefix of the secrets of endpoints.
const SECRET_PREFIX: &str = "whsec_";

/// The secret of a webhook endpoint, with a name that can be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret {
    name: String,
    value: String,
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}

impl WebhookSecret {
    #[must_use]
    pub fn new(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_owned() }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// All accepted secrets. The first one signs what `stripe send` posts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(Vec<WebhookSecret>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a webhook secret is empty; write one, or several with commas between, each as `whsec_…` or `name=whsec_…`"
)]
pub struct InvalidSecrets;

impl Secrets {
    #[must_use]
    pub const fn new(secrets: Vec<WebhookSecret>) -> Self {
        Self(secrets)
    }

    /// Parses a setting such as `whsec_a,next=whsec_b`. A secret without a name gets its place as name: `1`, `2`.
    ///
    /// # Errors
    /// If one of the secrets is empty.
    pub fn parse(setting: &str) -> Result<Self, InvalidSecrets> {
        let secrets = setting.split(',').zip(1_u32..).map(|(part, place)| {
            let part = part.trim();
            let named = part.split_once('=').filter(|(_, value)| value.starts_with(SECRET_PREFIX));
            let (name, value) =
                named.map_or_else(|| (place.to_string(), part), |(name, value)| (name.to_owned(), value));
            if value.is_empty() {
                Err(InvalidSecrets)
            } else {
                Ok(WebhookSecret { name, value: value.to_owned() })
            }
        });
        secrets.collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is no secret, so that no delivery is accepted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a secret after the others.
    pub fn add(&mut self, secret: WebhookSecret) {
        self.0.push(secret);
    }

    #[must_use]
    pub fn first(&self) -> Option<&WebhookSecret> {
        self.0.first()
    }
}

/// Why a delivery is not accepted. Nothing of it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the Stripe-Signature header is missing")]
    Missing,
    #[error("the Stripe-Signature header is not of the form t=…,v1=…")]
    Malformed,
    #[error("no signature matches the body under any configured secret")]
    NoMatch,
    /// Signed with a configured secret, but too long ago: it is a replay, or a clock is wrong.
    #[error("the signature is {age_s} s old; at most {TOLERANCE_S} s are accepted")]
    TooOld { age_s: i64 },
    #[error("the signature is from {ahead_s} s in the future; at most {TOLERANCE_S} s are accepted")]
    FromTheFuture { ahead_s: i64 },
}

/// Checks `header` for the raw `body`, and returns the secret that matched.
///
/// # Errors
/// If the header is malformed, nothing matches, or its time is too far from `at`.
/// The time is checked last, so that an error about it is always about a genuine signature.
pub fn verify<'a>(
    secrets: &'a Secrets,
    header: Option<&str>,
    body: &[u8],
    at: Timestamp,
) -> Result<&'a WebhookSecret, SignatureError> {
    let header = Header::parse(header.ok_or(SignatureError::Missing)?)?;
    let matched = secrets.0.iter().find(|secret| header.is_signed_by(secret, body));
    let secret = matched.ok_or(SignatureError::NoMatch)?;
    header.is_timely(at).map(|()| secret)
}

/// Checks only the header, before the body is read: senders without a recent signature need not send one.
///
/// # Errors
/// Like [`verify`], except that it is not known yet whether the signature is genuine.
pub fn may_be_signed(header: Option<&str>, at: Timestamp) -> Result<(), SignatureError> {
    let header = Header::parse(header.ok_or(SignatureError::Missing)?)?;
    if header.signatures.is_empty() {
        return Err(SignatureError::NoMatch);
    }
    header.is_timely(at)
}

/// The header that Stripe would send with `body` at `at`.
#[must_use]
pub fn sign(secret: &WebhookSecret, body: &[u8], at: Timestamp) -> String {
    let signed_at = at.seconds().to_string();
    let signature = hex::encode(keyed(secret, &signed_at, body).finalize().into_bytes());
    format!("t={signed_at},v1={signature}")
}

struct Header<'a> {
    /// As it was sent, since the signature covers the text.
    signed_at: &'a str,
    signed_at_s: i64,
    signatures: Vec<[u8; 32]>,
}

impl<'a> Header<'a> {
    fn parse(header: &'a str) -> Result<Self, SignatureError> {
        let mut signed_at = None;
        let mut signatures = Vec::new();
        for part in header.split(',') {
            let (scheme, value) = part.trim().split_once('=').ok_or(SignatureError::Malformed)?;
            match scheme {
                "t" if signed_at.is_none() => signed_at = Some(value),
                "t" => return Err(SignatureError::Malformed),
                "v1" => signatures.extend(decode(value)),
                // Other schemes, such as `v0` of test events, prove nothing.
                _ => {}
            }
        }
        let signed_at = signed_at.ok_or(SignatureError::Malformed)?;
        let signed_at_s = signed_at.parse().map_err(|_| SignatureError::Malformed)?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(SignatureError::Malformed);
        }
        Ok(Self { signed_at, signed_at_s, signatures })
    }

    fn is_timely(&self, at: Timestamp) -> Result<(), SignatureError> {
        let age_s = at.seconds().saturating_sub(self.signed_at_s);
        if age_s > TOLERANCE_S {
            return Err(SignatureError::TooOld { age_s });
        }
        if age_s < -TOLERANCE_S {
            return Err(SignatureError::FromTheFuture { ahead_s: age_s.saturating_neg() });
        }
        Ok(())
    }

    fn is_signed_by(&self, secret: &WebhookSecret, body: &[u8]) -> bool {
        let expected = keyed(secret, self.signed_at, body);
        // `verify_slice` compares in constant time.
        self.signatures.iter().any(|signature| expected.clone().verify_slice(signature).is_ok())
    }
}

fn decode(signature: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(signature, &mut bytes).ok().map(|()| bytes)
}

fn keyed(secret: &WebhookSecret, signed_at: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.value.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(signed_at.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}
