//! What does a command of a batch have besides the fields of its own route? The account, the command and the key.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, IntoDeserializer, MapAccess, value::MapAccessDeserializer},
};

use crate::domain::ids::{AccountId, HoldId};

/// What every item has besides the command's own fields.
#[derive(Debug, Default)]
pub struct ItemHead {
    pub account: Option<AccountId>,
    pub idempotency_key: Option<String>,
    /// Only if the command is about a hold.
    pub hold_id: Option<HoldId>,
}

/// An item whose own fields are those of `T`. Unknown fields are refused.
#[derive(Debug)]
pub struct CommandItem<T> {
    pub head: ItemHead,
    pub fields: T,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for CommandItem<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> de::Visitor<'de> for Visitor<T> {
            type Value = CommandItem<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a command")
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<CommandItem<T>, A::Error> {
                let mut head = ItemHead::default();
                let rest = ItemFields { entries, head: &mut head };
                let fields = T::deserialize(MapAccessDeserializer::new(rest))?;
                Ok(CommandItem { head, fields })
            }
        }
        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

/// The entries of an item without those of its head, which are stored while they are read.
struct ItemFields<'a, A> {
    entries: A,
    head: &'a mut ItemHead,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for ItemFields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.entries.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "account" => set(&mut self.head.account, "account", self.entries.next_value()?)?,
                "idempotency_key" => {
                    set(&mut self.head.idempotency_key, "idempotency_key", self.entries.next_value()?)?;
                }
                "hold_id" => set(&mut self.head.hold_id, "hold_id", self.entries.next_value()?)?,
                "command" => {
                    self.entries.next_value::<de::IgnoredAny>()?;
                }
                _ => return seed.deserialize(key.into_deserializer()).map(Some),
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.entries.next_value_seed(seed)
    }
}

fn set<T, E: de::Error>(place: &mut Option<T>, name: &'static str, value: T) -> Result<(), E> {
    if place.replace(value).is_some() { Err(E::duplicate_field(name)) } else { Ok(()) }
}
