//! With which key, and at which URL, is Stripe called? The key is never shown.

use std::fmt;

use reqwest::header::HeaderValue;

use crate::catalog::Mode;

/// Stripe's own URL, which is used unless another one is set.
pub const API_URL_DEFAULT: &str = "https://api.stripe.com";

/// A secret or restricted key.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(String);

/// The text is deliberately not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it has to begin with sk_test_, rk_test_, sk_live_ or rk_live_, and to have only visible ASCII characters"
)]
pub struct InvalidSecretKey;

impl SecretKey {
    /// # Errors
    /// If the text is not a secret or restricted key.
    pub fn parse(text: &str) -> Result<Self, InvalidSecretKey> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let known = Mode::of_secret_key(text).is_some();
        if known && visible { Ok(Self(text.to_owned())) } else { Err(InvalidSecretKey) }
    }

    /// The mode of the key: in live mode it moves real money.
    #[must_use]
    pub fn mode(&self) -> Mode {
        Mode::of_secret_key(&self.0).unwrap_or(Mode::Test)
    }

    /// The header that is sent with each request. It is hidden wherever headers are printed.
    pub(super) fn authorization(&self) -> HeaderValue {
        // Only visible ASCII characters are in it.
        let mut header =
            HeaderValue::try_from(format!("Bearer {}", self.0)).unwrap_or(HeaderValue::from_static(""));
        header.set_sensitive(true);
        header
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(…)")
    }
}

/// The URL of Stripe's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrl(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has to be an address such as https://api.stripe.com, or http://127.0.0.1:12111 for a sandbox")]
pub struct InvalidApiUrl;

impl ApiUrl {
    /// # Errors
    /// If the text is not the URL of an HTTP server, or contains a user, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, InvalidApiUrl> {
        let url = reqwest::Url::parse(text).map_err(|_| InvalidApiUrl)?;
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        let plain = is_anonymous && url.query().is_none() && url.fragment().is_none();
        let known = matches!(url.scheme(), "http" | "https") && url.has_host() && plain;
        if known { Ok(Self(url.as_str().trim_end_matches('/').to_owned())) } else { Err(InvalidApiUrl) }
    }

    /// Whether requests are sent unencrypted.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// With a slash at the end, which the client needs.
    pub(super) fn base(&self) -> String {
        format!("{}/", self.0)
    }
}

impl Default for ApiUrl {
    fn default() -> Self {
        Self(API_URL_DEFAULT.to_owned())
    }
}
