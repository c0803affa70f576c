//! Where does a person return to? To the URL of a web page.

use serde::Deserialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

/// The longest URL, in bytes.
pub const WEB_URL_BYTES_MAX: usize = 2_000;

/// A URL as it was sent: Stripe replaces what is in braces.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct WebUrl(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an address begins with https:// or http://, names a host, and has at most {WEB_URL_BYTES_MAX} visible ASCII characters"
)]
pub struct InvalidWebUrl;

impl TryFrom<String> for WebUrl {
    type Error = InvalidWebUrl;

    fn try_from(text: String) -> Result<Self, InvalidWebUrl> {
        let short = text.len() <= WEB_URL_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        let url = reqwest::Url::parse(&text).ok();
        let known = url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if short && known { Ok(Self(text)) } else { Err(InvalidWebUrl) }
    }
}

impl From<WebUrl> for String {
    fn from(url: WebUrl) -> Self {
        url.0
    }
}

impl PartialSchema for WebUrl {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(WEB_URL_BYTES_MAX))
            .pattern(Some("^https?://[!-~]+$"))
            .description(Some("The URL of a page to which the person returns."))
            .examples([serde_json::json!("https://example.com/billing")])
            .into()
    }
}

impl ToSchema for WebUrl {}
