//! Under which common names would somebody look for a setting?

use super::settings::{self, PREFIX, Setting};

use Instead::{Catalog, Setting as Ours};

/// What to use instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instead {
    Setting(Setting),
    /// Something in the catalog's file.
    Catalog(&'static str),
}

/// The common names, and what replaces them here.
pub(super) const USUAL: [(&str, Instead); 35] = [
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

/// What the rest of a name of ours usually means: `COUNTERFOIL_PORT` is looked for as `PORT`.
pub(super) fn meant(name: &str) -> Option<Instead> {
    let rest = name.strip_prefix(PREFIX)?;
    USUAL.into_iter().find(|(usual, _)| *usual == rest).map(|(_, instead)| instead)
}
