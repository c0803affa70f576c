//! Which server is measured, and with which key?

use axum::http::Uri;

use super::LoadRunError;

/// A running server, and the API key for it.
#[derive(Clone, Debug)]
pub struct LoadTarget {
    /// Host and port, for connecting and for the `Host` header.
    pub(super) authority: String,
    /// The path before `/v1`; empty unless the server has one.
    pub(super) path_prefix: String,
    pub(super) api_key: String,
}

impl LoadTarget {
    /// Parses a base URL such as `http://127.0.0.1:8080`.
    ///
    /// Only plain HTTP is possible, since encrypting would measure the client.
    /// If there is TLS, measure the server and its proxy separately.
    pub fn parse(base_url: &str, api_key: &str) -> Result<Self, LoadRunError> {
        // There may be a password before the `@`.
        let shown =
            base_url.rsplit_once('@').map_or_else(|| base_url.to_owned(), |(_, host)| format!("…@{host}"));
        let wrong = || LoadRunError::BaseUrl(shown.clone());
        let uri: Uri = base_url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        let plain = uri.scheme_str() == Some("http") && uri.query().is_none();
        if !plain || authority.as_str().contains('@') || api_key.contains(['\r', '\n']) {
            return Err(wrong());
        }
        let authority = match authority.port_u16() {
            Some(_) => authority.to_string(),
            None => format!("{authority}:80"),
        };
        let path_prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { authority, path_prefix, api_key: api_key.to_owned() })
    }
}
