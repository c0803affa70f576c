//! Which of some words is it? By itself, a word is also read from `{"word": null}`, which nobody means.

use std::{borrow::Cow, collections::BTreeSet};

use serde::{Deserialize, Deserializer, de::IntoDeserializer};

struct Word<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        T::deserialize(text.into_deserializer()).map(Self)
    }
}

/// # Errors
/// When it is no text, or none of the words.
pub fn word<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Word::deserialize(deserializer).map(|Word(word)| word)
}

/// # Errors
/// When it is neither nothing nor one of the words.
pub fn word_or_nothing<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer).map(|word| word.map(|Word(word)| word))
}

/// # Errors
/// When it is no list of the words.
pub fn words<'de, T: Deserialize<'de> + Ord, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeSet<T>, D::Error> {
    Vec::deserialize(deserializer).map(|words| words.into_iter().map(|Word(word)| word).collect())
}
