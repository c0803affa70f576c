//! Was this request made before? The same key gives the same answer, for a day.

use std::collections::BTreeMap;

use serde_json::Value;

use super::failure::SandboxFailure;

/// How long a key is kept, in seconds on the sandbox's clock.
const KEPT_S: i64 = 86_400;

#[derive(Clone, Debug)]
pub struct IdempotentAnswer {
    /// What was asked.
    asked: String,
    at: i64,
    pub status: u16,
    pub body: Value,
}

#[derive(Debug, Default)]
pub struct StoredAnswer(BTreeMap<String, IdempotentAnswer>);

impl StoredAnswer {
    /// The answer that was given under this key.
    ///
    /// # Errors
    /// When the key was used for something else.
    pub fn find(
        &self,
        key: &str,
        asked: &str,
        now: i64,
    ) -> Result<Option<&IdempotentAnswer>, SandboxFailure> {
        let known = self.0.get(key).filter(|known| now.saturating_sub(known.at) < KEPT_S);
        match known {
            Some(known) if known.asked == asked => Ok(Some(known)),
            Some(_) => Err(SandboxFailure::idempotency(key)),
            None => Ok(None),
        }
    }

    pub fn keep(&mut self, key: &str, asked: &str, at: i64, status: u16, body: &Value) {
        let answered = IdempotentAnswer { asked: asked.to_owned(), at, status, body: body.clone() };
        self.0.insert(key.to_owned(), answered);
    }
}
