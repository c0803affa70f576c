//! What can be wrong with a request before the ledger is asked?

use super::explain;

/// The part of a request that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestPart {
    Body,
    Address,
    Query,
    Header,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    IdempotencyKeyMissing,
    /// The same, where the id of the work can stand for the key.
    KeyOrOwnIdMissing,
    InvalidJson(String),
    Invalid {
        part: RequestPart,
        /// In a body the JSON path, such as `$.options.quality`, else the name.
        path: String,
        expected: String,
    },
    BodyTooLarge {
        bytes_max: usize,
    },
    BodyTimeout,
    UnsupportedMediaType,
    RouteNotFound,
    MethodNotAllowed,
}

impl RequestPart {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Address => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

impl RequestError {
    pub fn query(name: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Invalid { part: RequestPart::Query, path: name.into(), expected: expected.into() }
    }
}

explain! {
    RequestError, also {
        Self::KeyOrOwnIdMissing => Self::IdempotencyKeyMissing.explain().advising(
            "Send `generation_id`, your own id of the work, which is then charged once; or `Idempotency-Key` with a value \
             that is new for each new request, such as a UUID, and the same when you repeat it.",
        ),
    };

    Self::IdempotencyKeyMissing => IdempotencyKeyMissing = BAD_REQUEST,
        "idempotency_key_missing", "An Idempotency-Key is needed",
        "Send `Idempotency-Key` with a value that is new for each new request, such as a UUID, and the same when \
         you repeat it.",
        with {
            path: String = "Idempotency-Key",
            /// `header`
            r#in: String = RequestPart::Header.as_str(),
        };
    Self::InvalidJson(message) => InvalidJson = BAD_REQUEST, "invalid_json", "The body is not JSON",
        "Send one JSON document in UTF-8.",
        says message,
        with {
            path: String = "$",
            /// `body`
            r#in: String = RequestPart::Body.as_str(),
        };
    Self::Invalid { part: part @ (RequestPart::Address | RequestPart::Query | RequestPart::Header), path, expected } =>
        InvalidParameter = BAD_REQUEST, "invalid_parameter", "A part of the path or query, or a header, is not valid",
        "`path` names it, `detail` says what is expected.",
        says format!("{path}: {expected}"),
        with {
            /// Its name.
            path: String = path,
            /// `path`, `query` or `header`
            r#in: String = part.as_str(),
        };
    Self::Invalid { part: part @ RequestPart::Body, path, expected } =>
        InvalidRequest = UNPROCESSABLE_ENTITY, "invalid_request", "A field of the body is not valid",
        "`path` names it, `detail` says what is expected.",
        says format!("{path}: {expected}"),
        with {
            /// A JSON path, such as `$.amount`.
            path: String = path,
            /// `body`
            r#in: String = part.as_str(),
        };
    Self::BodyTooLarge { bytes_max } =>
        BodyTooLarge = PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large",
        "Send at most `bytes_max` bytes.",
        says format!("A body has at most {bytes_max} bytes here."),
        with { bytes_max: u64 = bytes_max, };
    Self::BodyTimeout => BodyTimeout = REQUEST_TIMEOUT, "body_timeout", "The body did not arrive in time",
        "Repeat the request with the same key.";
    Self::UnsupportedMediaType =>
        UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body must be JSON",
        "Send `Content-Type: application/json`.";
    Self::RouteNotFound => RouteNotFound = NOT_FOUND, "route_not_found", "This path does not exist",
        "/docs lists all routes.";
    Self::MethodNotAllowed =>
        MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not have this method",
        "/docs lists all routes.";
}
