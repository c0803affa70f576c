//! Which texts may a caller send with a command? A line of text, stored as it is.

use serde::Deserialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

/// The longest text, in characters.
pub const TEXT_CHARACTERS_MAX: usize = 500;

/// A reason or a description. It is stored for ever, so it must not contain personal data.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Text(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a text has 1 to {TEXT_CHARACTERS_MAX} characters, none of them a control character")]
pub struct InvalidText;

impl TryFrom<String> for Text {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        let fits = (1..=TEXT_CHARACTERS_MAX).contains(&text.chars().count());
        if fits && !text.chars().any(char::is_control) { Ok(Self(text)) } else { Err(InvalidText) }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl PartialSchema for Text {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(TEXT_CHARACTERS_MAX))
            .pattern(Some(r"^[^\x00-\x1f\x7f-\x9f]+$"))
            .description(Some("A line of text without personal data, since it is stored for ever."))
            .into()
    }
}

impl ToSchema for Text {}
