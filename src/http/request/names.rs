//! What does an object say whose names the caller chooses? Each name once.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

/// By itself, of a name that is there twice the second value would count, which nobody may have meant.
///
/// # Errors
/// When it is no object, a name or a value is none that is possible, or a name is there twice.
pub fn names_once<'de, N, V, D>(deserializer: D) -> Result<BTreeMap<N, V>, D::Error>
where
    N: Deserialize<'de> + Ord + fmt::Display,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(NamesOnce(PhantomData))
}

struct NamesOnce<N, V>(PhantomData<(N, V)>);

impl<'de, N: Deserialize<'de> + Ord + fmt::Display, V: Deserialize<'de>> Visitor<'de> for NamesOnce<N, V> {
    type Value = BTreeMap<N, V>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<BTreeMap<N, V>, A::Error> {
        let mut named = BTreeMap::new();
        while let Some(name) = entries.next_key::<N>()? {
            if named.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            named.insert(name, entries.next_value()?);
        }
        Ok(named)
    }
}
