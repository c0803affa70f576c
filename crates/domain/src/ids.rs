//! Which identifiers are there? Each has its own type, so that none can be used for another.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest identifier, in bytes. All of them are ASCII.
pub const IDENTIFIER_BYTES_MAX: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identifier has 1 to 128 characters of A-Z a-z 0-9 _ . : -, and is not `.` or `..`")]
pub struct InvalidIdentifier;

/// The longest id of a grant, in bytes. It may consist of another identifier, a time and two prefixes.
pub const GRANT_ID_BYTES_MAX: usize = IDENTIFIER_BYTES_MAX + 64;

/// `.` and `..` are excluded because they have a meaning in URLs.
fn is_identifier(text: &str, bytes_max: usize) -> bool {
    !matches!(text, "" | "." | "..")
        && text.len() <= bytes_max
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-'))
}

/// Parses a borrowed text, without copying it first.
struct BorrowedText<T>(fn(&str) -> Result<T, InvalidIdentifier>);

impl<T> de::Visitor<'_> for BorrowedText<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

macro_rules! identifiers {
    ($($(#[$documentation:meta])* $name:ident $(, at most $bytes_max:ident)?;)+) => {$(
        $(#[$documentation])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, schemars::JsonSchema)]
        #[schemars(with = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// # Errors
            /// If the text is empty, too long, `.` or `..`, or has characters other than `A-Za-z0-9_.:-`.
            pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
                let [bytes_max, ..] = [$($bytes_max,)? IDENTIFIER_BYTES_MAX];
                if is_identifier(text, bytes_max) { Ok(Self(text.into())) } else { Err(InvalidIdentifier) }
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(BorrowedText(Self::parse))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )+};
}

identifiers! {
    /// The caller's own id of the owner of credits. Never an e-mail address.
    AccountId;
    /// A grant, unique within its account.
    GrantId, at most GRANT_ID_BYTES_MAX;
    /// A deduction, unique within its account: `ded_` and the number of its event in the account's stream.
    DeductionId;
    /// A hold, unique within its account: `hold_` and the number of its event in the account's stream.
    HoldId;
    /// The caller's own id of one piece of paid work.
    GenerationId;
    /// A kind of generation, as the catalog names it.
    GenerationType;
    PlanId;
    PackId;
    FeatureId;
    /// An option of a generation, such as `quality`, or one of its values, such as `high`.
    OptionName;
    /// An object at the payment provider: a customer, subscription, invoice, payment or dispute.
    ProviderId;
    /// Who or what asked for a command: an API key's prefix, `stripe` or `clock`.
    Actor;
}
