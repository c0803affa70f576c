//! What has happened to an account? Events are facts, in the past tense, and are never edited.
//!
//! **Their names and fields are the storage format.** Adding an event, or a field that has a default, is safe. Anything
//! else needs an upcaster (`crate::journal::upcast`), and `tests/it/functions/contracts/` fails until there is one. No
//! event carries personal data.
//!
//! Each event belongs to one family. Code that reads events can skip a whole family that it does not use.
//! Families are not stored, so an event may change its family.

mod account;
mod checkout;
mod credits;
mod hold;
mod invoice;
mod notice;
mod payment;
mod subscription;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{EnumAccess, Error, IntoDeserializer, VariantAccess, Visitor, value::EnumAccessDeserializer},
};

use super::{subscription::SubscriptionState, time::Timestamp};

pub use self::{
    account::AccountEvent, checkout::CheckoutEvent, credits::CreditsEvent, hold::HoldEvent,
    invoice::InvoiceEvent, notice::NoticeEvent, payment::PaymentEvent, subscription::SubscriptionEvent,
};
pub use super::purpose::{Draw, PaymentPurpose, Purpose};

/// The name of the spending order that a deduction followed: see `crate::credits::burn_order`.
pub const BURN_ORDER: &str = "burn/v1";

/// Defines the events of one family, and what all of them have.
macro_rules! family {
    ($family:ident { $($(#[$about:meta])* $event:ident { $($(#[$field_about:meta])* $field:ident: $type:ty),* $(,)? }),* $(,)? }) => {
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $family {
            $($(#[$about])* $event { $($(#[$field_about])* $field: $type),* }),*
        }

        impl $family {
            /// The stored names of the family's events.
            pub const NAMES: &[&str] = &[$(stringify!($event)),*];

            /// The event's name, as it is stored.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$event { .. } => stringify!($event)),*
                }
            }

            /// When it took effect, which may be before it was recorded.
            #[must_use]
            pub const fn effective_at(&self) -> Timestamp {
                match self {
                    $(Self::$event { effective_at, .. })|* => *effective_at,
                }
            }
        }
    };
}
use family;

/// Defines the type of all families. Only the event itself is stored: `{"CreditsDeducted": {…}}`.
macro_rules! families {
    ($($family:ident($events:ident)),* $(,)?) => {
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Event {
            $($family($events)),*
        }

        impl Event {
            /// The event's name, as it is stored.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$family(event) => event.name()),*
                }
            }

            /// When it took effect, which may be before it was recorded.
            #[must_use]
            pub const fn effective_at(&self) -> Timestamp {
                match self {
                    $(Self::$family(event) => event.effective_at()),*
                }
            }
        }

        impl<'de> Deserialize<'de> for Event {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_enum("Event", &[], AnyEvent)
            }
        }

        impl<'de> Visitor<'de> for AnyEvent {
            type Value = Event;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an event by its name")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Event, A::Error> {
                let (name, fields) = access.variant::<Cow<'de, str>>()?;
                $(if $events::NAMES.contains(&&*name) {
                    let named = EnumAccessDeserializer::new(NamedEvent { name, fields });
                    return $events::deserialize(named).map(Event::$family);
                })*
                Err(A::Error::custom(format_args!("there is no event {name}")))
            }
        }

        impl JsonSchema for Event {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed("Event")
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let families = [$($events::json_schema(generator)),*];
                let events = families.iter().filter_map(|family| family.get("oneOf")?.as_array()).flatten();
                json_schema!({ "oneOf": events.cloned().collect::<Vec<_>>() })
            }
        }
    };
}

families! {
    Account(AccountEvent),
    Credits(CreditsEvent),
    Hold(HoldEvent),
    Invoice(InvoiceEvent),
    Subscription(SubscriptionEvent),
    Notice(NoticeEvent),
    Payment(PaymentEvent),
    Checkout(CheckoutEvent),
}

impl Event {
    /// The state of the subscription, if the event reports one.
    #[must_use]
    pub const fn reported(&self) -> Option<&SubscriptionState> {
        if let Self::Subscription(event) = self { Some(event.terms()) } else { None }
    }
}

/// Reads an event of any family.
struct AnyEvent;

/// An event whose name has been read, and whose fields have not.
struct NamedEvent<'de, V> {
    name: Cow<'de, str>,
    fields: V,
}

impl<'de, V: VariantAccess<'de>> EnumAccess<'de> for NamedEvent<'de, V> {
    type Error = V::Error;
    type Variant = V;

    fn variant_seed<S: serde::de::DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, V), V::Error> {
        let name: serde::de::value::CowStrDeserializer<'_, V::Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self.fields))
    }
}
