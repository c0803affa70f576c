//! Which answers may pages of other sites read? Only those that need no key.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

/// The path of the OpenAPI document.
pub const OPENAPI_PATH: &str = "/openapi.json";

/// The routes of what is for sale, and of the OpenAPI document.
pub const SHARED: [&str; 5] =
    ["/v1/catalog", "/v1/products", "/v1/products/{product}", "/v1/prices", OPENAPI_PATH];

/// How many seconds a browser may cache the answer to a preflight request.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");
/// With `*` a browser sends no cookies and no keys.
const ANYBODY: HeaderValue = HeaderValue::from_static("*");
const READ: HeaderValue = HeaderValue::from_static("GET, HEAD");
const TOLD: [(HeaderName, HeaderValue); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-request-id, retry-after")),
];

/// Whether any page may make this request, or the preflight request for it.
#[must_use]
pub fn is_shared(method: &Method, route: &str) -> bool {
    SHARED.contains(&route) && [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

/// Allows every page to read the answer.
pub fn share(headers: &mut HeaderMap) {
    headers.extend(TOLD);
}

/// The answer to a preflight request.
pub fn allow(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, READ);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ANYBODY);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
}
