//! Which common names does this program not read? A variable with such a name was set for a purpose, and has no effect.

use std::collections::BTreeSet;

use crate::catalog::suggestion;

use super::{
    SettingSources,
    settings::{self, Setting},
};

/// What to use instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instead {
    Setting(Setting),
    /// Something in the catalog's file.
    Catalog(&'static str),
}

use Instead::{Catalog, Setting as Ours};

/// The common names, and what replaces them here.
const USUAL: [(&str, Instead); 35] = [
    ("PORT", Ours(settings::LISTEN)),
    ("LISTEN_ADDR", Ours(settings::LISTEN)),
    ("BIND_ADDRESS", Ours(settings::LISTEN)),
    ("METRICS_PORT", Ours(settings::METRICS_LISTEN)),
    ("METRICS_LISTEN", Ours(settings::METRICS_LISTEN)),
    ("TRUSTED_PROXIES", Ours(settings::TRUSTED_PROXIES)),
    ("FORWARDED_ALLOW_IPS", Ours(settings::TRUSTED_PROXIES)),
    ("DATA_DIR", Ours(settings::DATA_DIRECTORY)),
    ("DATABASE_URI", Ours(settings::DATABASE_URL)),
    ("DB_URL", Ours(settings::DATABASE_URL)),
    ("POSTGRES_URL", Ours(settings::DATABASE_URL)),
    ("POSTGRES_URI", Ours(settings::DATABASE_URL)),
    ("POSTGRESQL_URL", Ours(settings::DATABASE_URL)),
    ("PG_URL", Ours(settings::DATABASE_URL)),
    ("CATALOG", Ours(settings::CATALOG)),
    ("CATALOG_FILE", Ours(settings::CATALOG)),
    ("CATALOG_PATH", Ours(settings::CATALOG)),
    ("BOOTSTRAP_KEY", Ours(settings::BOOTSTRAP_KEY)),
    ("ADMIN_API_KEY", Ours(settings::BOOTSTRAP_KEY)),
    ("STRIPE_API_KEY", Ours(settings::STRIPE_SECRET_KEY)),
    ("STRIPE_KEY", Ours(settings::STRIPE_SECRET_KEY)),
    ("STRIPE_SECRET", Ours(settings::STRIPE_SECRET_KEY)),
    ("STRIPE_SIGNING_SECRET", Ours(settings::WEBHOOK_SECRETS)),
    ("STRIPE_ENDPOINT_SECRET", Ours(settings::WEBHOOK_SECRETS)),
    ("STRIPE_WEBHOOK_KEY", Ours(settings::WEBHOOK_SECRETS)),
    ("STRIPE_WEBHOOK_SIGNING_SECRET", Ours(settings::WEBHOOK_SECRETS)),
    ("STRIPE_API_BASE", Ours(settings::STRIPE_API_URL)),
    ("STRIPE_BASE_URL", Ours(settings::STRIPE_API_URL)),
    ("STRIPE_MODE", Ours(settings::MODE)),
    ("LOG_LEVEL", Ours(settings::LOG)),
    ("LOG_FORMAT", Ours(settings::LOG_FORMAT)),
    ("GRACE_DAYS", Catalog("payments.grace_days")),
    ("GRACE_PERIOD_DAYS", Catalog("payments.grace_days")),
    ("TRIAL_DAYS", Catalog("payments.trial_days")),
    ("TRIAL_PERIOD_DAYS", Catalog("payments.trial_days")),
];

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
