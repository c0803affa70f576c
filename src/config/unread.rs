//! Which common names does this program not read? A variable with such a name was set for a purpose, and has no effect.

use std::collections::BTreeSet;

use crate::catalog::suggestion;

use super::{
    SettingSources,
    usual::{
        Instead::{Catalog, Setting as Ours},
        USUAL,
    },
};

/// A variable that is set and not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadVariable {
    pub name: String,
    /// The name that is read instead, without a value.
    pub advice: String,
}

/// The usual prefix of settings with price ids.
const PRICES: &str = "STRIPE_PRICE";

impl SettingSources {
    /// Variables with common names that nothing here reads, unless ours is set as well, and ids of prices that the
    /// catalog does not ask for; `catalog` has the names that it does ask for.
    #[must_use]
    pub fn unread(&self, catalog: &BTreeSet<String>) -> Vec<UnreadVariable> {
        let is_set = |name: &str| self.environment().get(name).is_some_and(|value| !value.trim().is_empty());
        let usual = USUAL.into_iter().filter(|(name, _)| is_set(name)).filter_map(|(name, instead)| {
            let advice = match instead {
                Ours(setting) if self.is_set(setting) => return None,
                Ours(setting) => format!("set {}", setting.name),
                Catalog(place) => format!("the catalog says it, as `{place}`"),
            };
            Some(UnreadVariable { name: name.to_owned(), advice })
        });
        let prices = self.environment().keys().filter(|name| name.starts_with(PRICES) && is_set(name));
        let asked: Vec<&str> =
            catalog.iter().map(String::as_str).filter(|name| name.starts_with(PRICES)).collect();
        let prices = prices.filter(|name| !catalog.contains(*name)).map(|name| UnreadVariable {
            name: name.clone(),
            advice: format!(
                "the catalog asks for no price by this name: {}",
                suggestion::unknown("setting", name, &asked)
            ),
        });
        usual.chain(prices).collect()
    }
}
