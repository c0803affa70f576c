//! Which idempotency key does a call have at Stripe?

/// The prefix of the program's own keys.
const OURS: &str = "counterfoil_";

/// The idempotency key of a call at Stripe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeKey(String);

impl StripeKey {
    #[must_use]
    pub const fn new(key: String) -> Self {
        Self(key)
    }

    /// The key for a call's hash.
    #[must_use]
    pub fn of(hash: &[u8]) -> Self {
        Self(format!("{OURS}{}", hex::encode(hash)))
    }

    /// Whether the program has made this key.
    #[must_use]
    pub fn is_ours(key: &str) -> bool {
        key.starts_with(OURS)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 128 bits of the hash, in hex.
    #[must_use]
    pub fn short(&self) -> &str {
        let hash = self.0.strip_prefix(OURS).unwrap_or(&self.0);
        hash.get(..32).unwrap_or(hash)
    }
}
