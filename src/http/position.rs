//! How does a caller name a position? By an opaque token.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

use crate::domain::recorded::{JournalPosition, Position, Shard};

/// A position as callers see it. It is opaque, so that its form may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Token(JournalPosition);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a `position` of an earlier answer")]
pub struct InvalidToken;

impl Token {
    #[must_use]
    pub const fn of(position: JournalPosition) -> Self {
        Self(position)
    }

    #[must_use]
    pub const fn position(self) -> JournalPosition {
        self.0
    }
}

impl TryFrom<String> for Token {
    type Error = InvalidToken;

    fn try_from(text: String) -> Result<Self, InvalidToken> {
        text.parse()
    }
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "p{}-{}", self.0.shard.0, self.0.position.0)
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let (shard, position) =
            text.strip_prefix('p').and_then(|rest| rest.split_once('-')).ok_or(InvalidToken)?;
        let (shard, position): (i16, i64) =
            (shard.parse().map_err(|_| InvalidToken)?, position.parse().map_err(|_| InvalidToken)?);
        // Each position has only one text, so that equal positions have equal tokens.
        let token = Self(JournalPosition::new(Shard(shard), Position(position)));
        if shard >= 0 && position >= 0 && token.to_string() == text { Ok(token) } else { Err(InvalidToken) }
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
