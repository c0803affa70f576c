//! By which id can a request be found in logs, problems and events?

use std::sync::Arc;

use axum::http::HeaderValue;
use uuid::Uuid;

/// The longest id that is taken over from a caller, in bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// The caller's own id if it is well formed, else a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId {
    text: Arc<str>,
    is_callers: bool,
}

impl RequestId {
    /// `passed_on`: the id that another instance gave the request before it passed it on.
    #[must_use]
    pub fn of(header: Option<&HeaderValue>, passed_on: Option<&HeaderValue>) -> Self {
        let text = |header: Option<&HeaderValue>| {
            let text = header.and_then(|value| value.to_str().ok()).filter(|text| is_well_formed(text));
            text.map(Arc::from)
        };
        match (text(header), text(passed_on)) {
            (Some(text), _) => Self { text, is_callers: true },
            (None, Some(text)) => Self { text, is_callers: false },
            (None, None) => {
                let mut buffer = Uuid::encode_buffer();
                let text = &*Uuid::new_v4().simple().encode_lower(&mut buffer);
                Self { text: text.into(), is_callers: false }
            }
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The id, if the caller chose it. Events are stored with it: the caller knows it, and can find them by it.
    #[must_use]
    pub fn of_caller(&self) -> Option<&str> {
        self.is_callers.then_some(&*self.text)
    }
}

fn is_well_formed(text: &str) -> bool {
    (1..=REQUEST_ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-'))
}
