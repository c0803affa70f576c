//! How does a caller name a position? By an opaque token.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

use crate::domain::recorded::{JournalPosition, JournalPositions, Position, Shard};

/// How many shards a token may name: as many as a journal may have.
const PLACES_MAX: usize = 1_024;

/// A position as callers see it: a place in one shard, or in several. It is opaque, so that its form may change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Token(JournalPositions);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a `position` of an earlier answer")]
pub struct InvalidToken;

impl Token {
    pub fn of(position: impl Into<JournalPositions>) -> Self {
        Self(position.into())
    }

    #[must_use]
    pub fn positions(self) -> JournalPositions {
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
        for (number, JournalPosition { shard, position }) in self.0.iter().enumerate() {
            let begin = if number == 0 { "p" } else { "." };
            write!(formatter, "{begin}{}-{}", shard.0, position.0)?;
        }
        Ok(())
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let places = text.strip_prefix('p').ok_or(InvalidToken)?.split('.');
        let places: JournalPositions = places.take(PLACES_MAX).map(place).collect::<Result<_, _>>()?;
        // Each position has only one text, so that equal positions have equal tokens.
        let token = Self(places);
        if token.to_string() == text { Ok(token) } else { Err(InvalidToken) }
    }
}

fn place(text: &str) -> Result<JournalPosition, InvalidToken> {
    let (shard, position) = text.split_once('-').ok_or(InvalidToken)?;
    let (shard, position): (i16, i64) =
        (shard.parse().map_err(|_| InvalidToken)?, position.parse().map_err(|_| InvalidToken)?);
    let place = JournalPosition::new(Shard(shard), Position(position));
    if shard >= 0 && position >= 0 { Ok(place) } else { Err(InvalidToken) }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
