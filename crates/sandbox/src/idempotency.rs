//! Was this request made before? A repeated key gets its first answer, for a day.

use std::collections::BTreeMap;

use serde_json::Value;

use super::failure::SandboxFailure;

/// How long a key is kept, in seconds of the sandbox's clock.
const KEPT_S: i64 = 86_400;

#[derive(Clone, Debug)]
pub struct IdempotentAnswer {
    /// The method, path and parameters of the request.
    asked: String,
    at: i64,
    pub status: u16,
    pub body: Value,
}

#[derive(Debug, Default)]
pub struct StoredAnswer(BTreeMap<String, IdempotentAnswer>);

impl StoredAnswer {
    /// The first answer to a request with this key.
    ///
    /// # Errors
    /// If the key was used for another request.
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
