//! Which key does a call have at Stripe?

/// How each key of ours begins.
const OURS: &str = "counterfoil_";

/// The key of a call at Stripe, which does under one key only one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeKey(String);

impl StripeKey {
    #[must_use]
    pub const fn new(key: String) -> Self {
        Self(key)
    }

    /// Of a call's hash.
    #[must_use]
    pub fn of(hash: &[u8]) -> Self {
        Self(format!("{OURS}{}", hex::encode(hash)))
    }

    /// Whether a key at Stripe is one that this program has made.
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
