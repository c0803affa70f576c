//! What is an event once it is in the journal?

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    credits::Balance,
    event::Event,
    ids::{AccountId, Actor},
    time::Timestamp,
};

/// The place of an event in the one order of its shard: from 1, without gaps. 0 is before all events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub i64);

/// A part of the journal that is written by one writer and has one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shard(pub i16);

/// A place in the whole journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JournalPosition {
    pub shard: Shard,
    pub position: Position,
}

impl JournalPosition {
    #[must_use]
    pub const fn new(shard: Shard, position: Position) -> Self {
        Self { shard, position }
    }
}

/// A place in each of some shards: in one of them for an account, in all of them for what is said of all accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalPositions(Vec<JournalPosition>);

impl JournalPositions {
    /// The place in one shard. `None`: no place in it is named.
    #[must_use]
    pub fn of(&self, shard: Shard) -> Option<Position> {
        self.iter().find(|place| place.shard == shard).map(|place| place.position)
    }

    /// Ordered by shard.
    pub fn iter(&self) -> impl Iterator<Item = JournalPosition> {
        self.0.iter().copied()
    }

    /// Of each shard, the earlier place of the two.
    #[must_use]
    pub fn earlier(&self, other: &Self) -> Self {
        let earlier = |place: JournalPosition| {
            let position = other.of(place.shard).map_or(place.position, |known| known.min(place.position));
            JournalPosition::new(place.shard, position)
        };
        self.iter().map(earlier).collect()
    }

    /// Whether a journal that ends at `heads` contains all of these places.
    #[must_use]
    pub fn are_reached_by(&self, heads: &Self) -> bool {
        self.iter().all(|place| heads.of(place.shard).is_some_and(|head| place.position <= head))
    }
}

impl From<JournalPosition> for JournalPositions {
    fn from(place: JournalPosition) -> Self {
        Self(vec![place])
    }
}

/// Of several places in one shard, the last counts.
impl FromIterator<JournalPosition> for JournalPositions {
    fn from_iter<I: IntoIterator<Item = JournalPosition>>(places: I) -> Self {
        let places: BTreeMap<Shard, Position> =
            places.into_iter().map(|place| (place.shard, place.position)).collect();
        Self(places.into_iter().map(|(shard, position)| JournalPosition::new(shard, position)).collect())
    }
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    pub shard: Shard,
    pub position: Position,
    pub account: AccountId,
    /// From 1, without gaps, within the account.
    pub sequence: i64,
    /// When it was stored.
    pub recorded_at: Timestamp,
    pub event: Event,
    pub metadata: EventMetadata,
}

impl RecordedEvent {
    #[must_use]
    pub const fn at(&self) -> JournalPosition {
        JournalPosition::new(self.shard, self.position)
    }

    /// The balance after it, at the latest effective time so far.
    #[must_use]
    pub fn balance_then(&self) -> Balance {
        self.metadata.balance_then.unwrap_or(self.metadata.balance)
    }

    /// The sequence of the first event of its command. It names the command within the account.
    #[must_use]
    pub fn command(&self) -> i64 {
        self.metadata.command.unwrap_or(self.sequence)
    }

    /// The id of the payment provider's event that it came from.
    #[must_use]
    pub fn stripe_event(&self) -> Option<&str> {
        self.metadata.stripe_event.as_deref()
    }
}

/// Where an event came from, and what the account held after it.
///
/// Every value is stored as text, because the framework's own store reads metadata as a map of texts.
/// What an event says by its place is not stored with it: its account and its sequence name it, and those of its first
/// event name a command. Earlier releases also stored ids for both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EventMetadata {
    /// The sequence of the command's first event, for all of its events except the first.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "some_as_text")]
    #[schemars(with = "Option<String>")]
    pub command: Option<i64>,
    /// How many events the command has. They follow each other in the account's stream.
    #[serde(default = "one", skip_serializing_if = "is_one", with = "as_text")]
    #[schemars(with = "String")]
    pub events: u32,
    /// Earlier releases wrote it under its longer name.
    #[serde(rename = "request", alias = "request_hash")]
    #[schemars(with = "String")]
    pub request_hash: RequestHash,
    pub actor: Actor,
    #[serde(default = "api", skip_serializing_if = "is_api")]
    pub origin: Origin,
    /// The first 128 bits of the hash of the catalog that the command was decided under, hex.
    /// Earlier releases stored all of it.
    #[schemars(with = "String")]
    pub catalog: Arc<str>,
    /// The balance after this event, at the time of the decision.
    #[serde(with = "balance_as_text")]
    #[schemars(with = "String")]
    pub balance: Balance,
    /// The balance at the latest effective time so far, if that is before the decision and the balance differs: after
    /// late reports, and while what is due is caught up with.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "balance_then_as_text")]
    #[schemars(with = "Option<String>")]
    pub balance_then: Option<Balance>,
    /// An id that the caller gave the request, to relate the command to something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The id of the event that caused the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_event: Option<String>,
}

/// What tells a repeated request from another one with the same key: the first 64 bits of the SHA-256 of the command.
///
/// It is written as hex. Earlier releases stored 128 bits, of which the first half is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RequestHash(pub u64);

impl RequestHash {
    /// Reads the text of any release.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let first = text.get(..16)?;
        first
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then(|| u64::from_str_radix(first, 16).ok().map(Self))?
    }
}

impl Serialize for RequestHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for RequestHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        // The framework's own commands may have none.
        if text.is_empty() {
            return Ok(Self::default());
        }
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom("a request's hash has at least 16 hexadecimal digits"))
    }
}

/// A number as text.
mod as_text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The same, for a number that may be absent.
mod some_as_text {
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::as_text::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        super::as_text::deserialize(deserializer).map(Some)
    }
}

/// A balance as text: available, held and debt, with a space between; only what is available, if that is all.
mod balance_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::{amount::Credits, credits::Balance};

    pub fn serialize<S: Serializer>(balance: &Balance, serializer: S) -> Result<S::Ok, S::Error> {
        let Balance { available, held, debt, settled: _ } = balance;
        if (*held, *debt) == (Credits::ZERO, Credits::ZERO) {
            return serializer.collect_str(available);
        }
        serializer.collect_str(&format_args!("{available} {held} {debt}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Balance, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let mut parts = text.split(' ').map(|part| part.parse().ok().and_then(Credits::new));
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(available)), None, None, None) => {
                Ok(Balance::new(available, Credits::ZERO, Credits::ZERO))
            }
            (Some(Some(available)), Some(Some(held)), Some(Some(debt)), None) => {
                Ok(Balance::new(available, held, debt))
            }
            _ => Err(D::Error::custom("a balance is one amount, or three")),
        }
    }
}

/// The same, for a balance that may be absent.
mod balance_then_as_text {
    use serde::{Deserializer, Serializer};

    use crate::credits::Balance;

    pub fn serialize<S: Serializer>(balance: &Option<Balance>, serializer: S) -> Result<S::Ok, S::Error> {
        match balance {
            Some(balance) => super::balance_as_text::serialize(balance, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Balance>, D::Error> {
        super::balance_as_text::deserialize(deserializer).map(Some)
    }
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(events: &u32) -> bool {
    *events == 1
}

const fn api() -> Origin {
    Origin::Api
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_api(origin: &Origin) -> bool {
    matches!(origin, Origin::Api)
}

/// Through which part of the program a command came.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Api,
    Stripe,
    Clock,
    Operator,
}
