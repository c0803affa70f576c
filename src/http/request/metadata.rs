//! What does a caller attach to an account or a purchase?

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{AdditionalProperties, ObjectBuilder, Type},
    },
};

use crate::domain::metadata::{Metadata, PAIRS_MAX, TEXT_CHARACTERS_MAX};

use super::names_once;

/// Pairs of a name and a text, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub Metadata);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Metadata::given(names_once(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

/// A pair to look for, as `name:text`, since no name has a colon. A text is the same in every client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pair {
    pub name: String,
    pub text: String,
}

impl TryFrom<String> for Pair {
    type Error = String;

    fn try_from(pair: String) -> Result<Self, String> {
        let (name, text) = pair.split_once(':').ok_or("a name, a colon and a text are expected")?;
        let (name, text) = (name.to_owned(), text.to_owned());
        let given = Metadata::given(BTreeMap::from([(name.clone(), text.clone())]));
        given.map(|_| Self { name, text }).map_err(|error| error.to_string())
    }
}

impl PartialSchema for Pairs {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(TEXT_CHARACTERS_MAX))
            .pattern(Some(r"^[^\x00-\x1f\x7f-\x9f]+$"))
            .build();
        let name =
            ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z0-9_-]{1,40}$")).build();
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(Schema::Object(name)))
            .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(Schema::Object(text)))))
            .max_properties(Some(PAIRS_MAX))
            .examples([serde_json::json!({ "source": "spring_mail" })])
            .description(Some(
                "What the caller attaches for itself: pairs of a name and a text, given back as they were given. They are \
                 kept for ever, so they must not hold personal data. Names that Counterfoil itself writes at Stripe, such \
                 as `account_id` and `kind`, are refused.",
            ))
            .into()
    }
}

impl ToSchema for Pairs {}
