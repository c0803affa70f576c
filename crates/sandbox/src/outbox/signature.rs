//! How does Stripe sign an event? With HMAC-SHA256 over `time.body`, and a `v1` for each valid secret.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The value of the `Stripe-Signature` header. `at` is in Unix seconds.
pub fn sign(secrets: &[String], body: &str, at: i64) -> String {
    let signatures = secrets.iter().filter_map(|secret| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
        mac.update(format!("{at}.{body}").as_bytes());
        Some(format!(",v1={}", hex::encode(mac.finalize().into_bytes())))
    });
    format!("t={at}{}", signatures.collect::<String>())
}
