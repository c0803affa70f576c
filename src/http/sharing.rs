//! Which answers may pages of other sites read? Those that everybody may have, and nothing else.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

/// Where the description of the interface is.
pub const OPENAPI_PATH: &str = "/openapi.json";

/// What is for sale, and the description of the interface.
pub const SHARED: [&str; 5] =
    ["/v1/catalog", "/v1/products", "/v1/products/{product}", "/v1/prices", OPENAPI_PATH];

/// For how long a browser need not ask again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");
/// No cookies and no keys come with it: with `*` a browser sends none.
const ANYBODY: HeaderValue = HeaderValue::from_static("*");
const READ: HeaderValue = HeaderValue::from_static("GET, HEAD");
const TOLD: [(HeaderName, HeaderValue); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-request-id, retry-after")),
];

/// Whether a request on this route is one that any page may make, or the question whether it may.
#[must_use]
pub fn is_shared(method: &Method, route: &str) -> bool {
    SHARED.contains(&route) && [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

/// Lets any page read the answer.
pub fn share(headers: &mut HeaderMap) {
    headers.extend(TOLD);
}

/// The answer to a browser that asks before it asks.
pub fn allow(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, READ);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ANYBODY);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
}
