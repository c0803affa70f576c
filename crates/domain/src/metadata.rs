//! What may a caller attach to an account or a purchase? Pairs of a name and a text, returned as they were sent.
//!
//! The metadata of a purchase is also stored at Stripe, together with Counterfoil's own.
//! A list of the caller's names is stored with it, so that what other tools write there is not read as the caller's.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};

/// The most pairs.
pub const PAIRS_MAX: usize = 10;
/// The longest name, in characters: Stripe's limit.
pub const NAME_CHARACTERS_MAX: usize = 40;
/// The longest text, in characters: Stripe's limit.
pub const TEXT_CHARACTERS_MAX: usize = 500;

/// The names that Counterfoil writes or reads at Stripe itself.
const RESERVED: [&str; 10] = [
    "account_id",
    "counterfoil_call",
    "kind",
    "metadata_names",
    "plan_code",
    "quantity",
    "reference",
    "topup_code",
    "topup_credits",
    "topup_expires_after_days",
];
/// The name under which Stripe has the list of the caller's names, separated by commas. The list fits into one text.
const NAMES: &str = "metadata_names";

/// Pairs of a name and a text, without personal data: they are kept for ever.
///
/// Metadata that is read from storage is not checked: the rules are for what callers send, and may become stricter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<String, String>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    #[error("it has at most {PAIRS_MAX} pairs")]
    TooMany,
    #[error("a name has 1 to {NAME_CHARACTERS_MAX} characters of A-Z a-z 0-9 _ -; `{0}` does not")]
    Name(String),
    #[error("the name `{0}` is used by Counterfoil itself")]
    Reserved(String),
    #[error("the text of `{0}` has 1 to {TEXT_CHARACTERS_MAX} characters, none of them a control character")]
    Text(String),
}

impl Metadata {
    /// Checks what a caller sent.
    ///
    /// # Errors
    /// If there are too many pairs, or a name or a text is not allowed.
    pub fn given(pairs: BTreeMap<String, String>) -> Result<Self, InvalidMetadata> {
        if pairs.len() > PAIRS_MAX {
            return Err(InvalidMetadata::TooMany);
        }
        for (name, text) in &pairs {
            if !is_name(name) {
                return Err(InvalidMetadata::Name(name.chars().take(NAME_CHARACTERS_MAX).collect()));
            }
            if RESERVED.contains(&name.as_str()) {
                return Err(InvalidMetadata::Reserved(name.clone()));
            }
            if !is_text(text) {
                return Err(InvalidMetadata::Text(name.clone()));
            }
        }
        Ok(Self(pairs))
    }

    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The pairs to write at Stripe: the caller's, and the list of their names.
    pub fn written(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        let list = (!names.is_empty()).then(|| (Cow::Borrowed(NAMES), Cow::Owned(names.join(","))));
        self.pairs().map(|(name, text)| (Cow::Borrowed(name), Cow::Borrowed(text))).chain(list)
    }

    /// Reads the caller's pairs from those at Stripe.
    /// A text that a person changed there is taken over if it is allowed.
    pub fn read<'a>(find: impl Fn(&str) -> Option<&'a str>) -> Self {
        let names = find(NAMES).unwrap_or_default().split(',').take(PAIRS_MAX);
        let pairs = names.filter_map(|name| Some((name.to_owned(), find(name)?.to_owned())));
        let possible =
            pairs.filter(|(name, text)| is_name(name) && !RESERVED.contains(&name.as_str()) && is_text(text));
        Self(possible.collect())
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_CHARACTERS_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn is_text(text: &str) -> bool {
    (1..=TEXT_CHARACTERS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}
