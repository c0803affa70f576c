//! By which id can a request be found in logs, problems and events?

use std::sync::Arc;

use axum::http::HeaderValue;
use uuid::Uuid;

/// The longest id that is taken over from a caller, in bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// The caller's own id if it is well formed, else a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    #[must_use]
    pub fn of(header: Option<&HeaderValue>) -> Self {
        let given = header.and_then(|value| value.to_str().ok()).filter(|text| is_well_formed(text));
        match given {
            Some(text) => Self(text.into()),
            None => {
                let mut buffer = Uuid::encode_buffer();
                Self((&*Uuid::new_v4().simple().encode_lower(&mut buffer)).into())
            }
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_well_formed(text: &str) -> bool {
    (1..=REQUEST_ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-'))
}
