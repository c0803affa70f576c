//! With what is Stripe asked, and where? A key that is never shown, and an address.

use std::fmt;

use reqwest::header::HeaderValue;

use crate::catalog::Mode;

/// Stripe's own address, where another is not set.
pub const API_URL_DEFAULT: &str = "https://api.stripe.com";

/// A secret or restricted key.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(String);

/// The text is deliberately not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it begins with sk_test_, rk_test_, sk_live_ or rk_live_, and has only visible ASCII characters")]
pub struct InvalidSecretKey;

impl SecretKey {
    /// # Errors
    /// When the text is no secret or restricted key.
    pub fn parse(text: &str) -> Result<Self, InvalidSecretKey> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let known = Mode::of_secret_key(text).is_some();
        if known && visible { Ok(Self(text.to_owned())) } else { Err(InvalidSecretKey) }
    }

    /// Whether it moves real money.
    #[must_use]
    pub fn mode(&self) -> Mode {
        Mode::of_secret_key(&self.0).unwrap_or(Mode::Test)
    }

    /// What is sent with each request. It is hidden wherever headers are shown.
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

/// Where Stripe's API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrl(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is an address such as https://api.stripe.com, or http://127.0.0.1:12111 for a sandbox")]
pub struct InvalidApiUrl;

impl ApiUrl {
    /// # Errors
    /// When the text is no address of an HTTP server, or has a user, a query or a fragment in it.
    pub fn parse(text: &str) -> Result<Self, InvalidApiUrl> {
        let url = reqwest::Url::parse(text).map_err(|_| InvalidApiUrl)?;
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        let plain = is_anonymous && url.query().is_none() && url.fragment().is_none();
        let known = matches!(url.scheme(), "http" | "https") && url.has_host() && plain;
        if known { Ok(Self(url.as_str().trim_end_matches('/').to_owned())) } else { Err(InvalidApiUrl) }
    }

    /// Whether what is sent there can be read on the way.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// With the slash at the end that the client needs.
    pub(super) fn base(&self) -> String {
        format!("{}/", self.0)
    }
}

impl Default for ApiUrl {
    fn default() -> Self {
        Self(API_URL_DEFAULT.to_owned())
    }
}
