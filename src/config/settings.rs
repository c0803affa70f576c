//! Which settings are there? One table: the flags, the environment and `.env.example` all follow it.

/// Our own settings begin with this. Others, such as `DATABASE_URL`, have their common name.
pub const PREFIX: &str = "COUNTERFOIL_";

/// Something that can be set, by a flag or by an environment variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// The placeholder for the value in the help text.
    pub value: &'static str,
    /// The default value; `None` if leaving it out has a meaning of its own.
    pub default: Option<&'static str>,
    pub scope: SettingScope,
    /// A secret's value is never shown.
    pub secret: bool,
    pub help: &'static str,
}

/// Which commands take a setting as a flag. As an environment variable, every command reads all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingScope {
    /// Every command that works with the database.
    Database,
    /// `serve`.
    Serve,
}

pub const LISTEN: Setting = Setting {
    name: "COUNTERFOIL_LISTEN",
    flag: "listen",
    value: "ADDRESS",
    default: Some("127.0.0.1:8080"),
    scope: SettingScope::Serve,
    secret: false,
    help: "The IP address and port for HTTP requests; port 0 takes a free one",
};

pub const METRICS_LISTEN: Setting = Setting {
    name: "COUNTERFOIL_METRICS_LISTEN",
    flag: "metrics-listen",
    value: "ADDRESS",
    default: None,
    scope: SettingScope::Serve,
    secret: false,
    help: "An IP address and port that answer `/metrics` without a key, and nothing else; strangers must \
           not reach it. Without it, `/metrics` needs a key with `read` or `operate`",
};

pub const TRUSTED_PROXIES: Setting = Setting {
    name: "COUNTERFOIL_TRUSTED_PROXIES",
    flag: "trusted-proxies",
    value: "NETWORKS",
    default: None,
    scope: SettingScope::Serve,
    secret: false,
    help: "The proxies whose `Forwarded` and `X-Forwarded-For` are believed: addresses and networks, such \
           as 10.0.0.0/8,fd00::/8. Without it, no proxy is believed",
};

pub const DATA_DIRECTORY: Setting = Setting {
    name: "COUNTERFOIL_DATA_DIR",
    flag: "data-dir",
    value: "DIRECTORY",
    default: None,
    scope: SettingScope::Database,
    secret: false,
    help: "Where the embedded PostgreSQL keeps its data: /var/lib/counterfoil for root, else counterfoil in \
           the user's data directory (~/.local/share)",
};

pub const DATABASE_URL: Setting = Setting {
    name: "DATABASE_URL",
    flag: "database-url",
    value: "URL",
    default: None,
    scope: SettingScope::Database,
    secret: true,
    help: "A PostgreSQL to use instead of the embedded one, such as postgres://user:password@host/database",
};

pub const POSTGRES_BINARIES: Setting = Setting {
    name: crate::postgres::BINARIES_SETTING,
    flag: "postgres-binaries",
    value: "DIRECTORY",
    default: None,
    scope: SettingScope::Database,
    secret: false,
    help: "The directory of `postgres` and `initdb`, if the program does not find them itself",
};

pub const SHARDS: Setting = Setting {
    name: "COUNTERFOIL_SHARDS",
    flag: "shards",
    value: "NUMBER",
    default: None,
    scope: SettingScope::Database,
    secret: false,
    help: "How many shards the journal gets when the database is made: 1, 2, 4, 8 and so on, at most 1024. \
           A ledger that is there is grown with `counterfoil shards grow`. Without it, 1",
};

pub const CACHE_MB: Setting = Setting {
    name: "COUNTERFOIL_CACHE_MB",
    flag: "cache-mb",
    value: "MEGABYTES",
    default: Some("128"),
    scope: SettingScope::Serve,
    secret: false,
    help: "How much memory accounts may take that are kept for their next command or read, half of it for each, in \
           megabytes (16 to 1048576). \
           A command about another account has to read it from the database first",
};

pub const PEER_URL: Setting = Setting {
    name: "COUNTERFOIL_PEER_URL",
    flag: "peer-url",
    value: "URL",
    default: None,
    scope: SettingScope::Serve,
    secret: false,
    help: "Where other instances of the same ledger reach this one, such as http://10.0.0.5:8080; with it, they \
           send each other the commands of the accounts that the other one writes. Without it, each instance \
           writes what it is sent",
};

pub const CATALOG: Setting = Setting {
    name: "COUNTERFOIL_CATALOG",
    flag: "catalog",
    value: "FILE",
    default: Some("catalogs/music.toml"),
    scope: SettingScope::Serve,
    secret: false,
    help: "What is sold: plans, packs, and what work costs. If nothing is set and the default file is \
           missing, the copy in the program is used",
};

pub const BOOTSTRAP_KEY: Setting = Setting {
    name: "COUNTERFOIL_BOOTSTRAP_KEY",
    flag: "bootstrap-key",
    value: "KEY",
    default: None,
    scope: SettingScope::Serve,
    secret: true,
    help: "An API key that may do everything, at least 32 characters long. If no key exists and none is \
           set, the first start makes one and shows it once",
};

pub const FIRST_KEY_FILE: Setting = Setting {
    name: "COUNTERFOIL_FIRST_KEY_FILE",
    flag: "first-key-file",
    value: "FILE",
    default: None,
    scope: SettingScope::Serve,
    secret: false,
    help: "Where the first start writes the key that it makes when there is no terminal to show it on; only \
           its user can read the file. The default is first-admin-key in the data directory",
};

pub const WEBHOOK_SECRETS: Setting = Setting {
    name: "STRIPE_WEBHOOK_SECRET",
    flag: "stripe-webhook-secret",
    value: "SECRETS",
    default: None,
    scope: SettingScope::Serve,
    secret: true,
    help: "The secret that Stripe signs its webhooks with (whsec_…), or several with commas between while \
           one is replaced. Without it, every webhook is refused",
};

pub const STRIPE_SECRET_KEY: Setting = Setting {
    name: "STRIPE_SECRET_KEY",
    flag: "stripe-secret-key",
    value: "KEY",
    default: None,
    scope: SettingScope::Serve,
    secret: true,
    help: "Stripe's secret or restricted key (sk_test_…, rk_live_…), for every call to Stripe. Without it, \
           nothing can be bought, changed or compared",
};

pub const STRIPE_API_URL: Setting = Setting {
    name: "STRIPE_API_URL",
    flag: "stripe-api-url",
    value: "URL",
    default: Some(crate::stripe::client::API_URL_DEFAULT),
    scope: SettingScope::Serve,
    secret: false,
    help: "The address of Stripe's API, or of a sandbox; a live key is only sent to an https address",
};

pub const STRIPE_PORTAL_CONFIGURATION: Setting = Setting {
    name: "STRIPE_PORTAL_CONFIGURATION",
    flag: "stripe-portal-configuration",
    value: "ID",
    default: None,
    scope: SettingScope::Serve,
    secret: false,
    help: "The configuration of Stripe's portal (bpc_…), as `stripe setup` made it from the catalog. \
           Without it, the default of the Stripe account is used",
};

pub const STRIPE_API_VERSION: Setting = Setting {
    name: "STRIPE_API_VERSION",
    flag: "stripe-api-version",
    value: "VERSION",
    default: Some(crate::stripe::client::setup::API_VERSION),
    scope: SettingScope::Serve,
    secret: false,
    help: "The API version in which Stripe sends webhooks, from 2023-10-16 on: `stripe setup` pins the \
           endpoint to it, and `stripe doctor` checks it. Requests are always made in the newest version \
           that this release knows",
};

pub const BILLING: Setting = Setting {
    name: "COUNTERFOIL_BILLING",
    flag: "billing",
    value: "SWITCH",
    default: Some("on"),
    scope: SettingScope::Serve,
    secret: false,
    help: "The accounts that billing is on for: `on` for all, a share such as 25%, or `off`, with which no \
           call to Stripe is made. Webhooks are taken and credits are spent in any case",
};

pub const BILLING_ACCOUNTS: Setting = Setting {
    name: "COUNTERFOIL_BILLING_ACCOUNTS",
    flag: "billing-accounts",
    value: "ACCOUNTS",
    default: None,
    scope: SettingScope::Serve,
    secret: false,
    help: "More accounts that billing is on for, beside the share, with commas between; or `@` and the path \
           of a file with one account a line",
};

pub const BILLING_EXCEPT: Setting = Setting {
    name: "COUNTERFOIL_BILLING_EXCEPT",
    flag: "billing-except",
    value: "ACCOUNTS",
    default: None,
    scope: SettingScope::Serve,
    secret: false,
    help: "The accounts that billing is off for, whatever the share, in the same form",
};

pub const INBOX_ATTEMPTS: Setting = Setting {
    name: "COUNTERFOIL_INBOX_ATTEMPTS",
    flag: "inbox-attempts",
    value: "NUMBER",
    default: Some("20"),
    scope: SettingScope::Serve,
    secret: false,
    help: "How often a webhook that waits for something, such as its account, is tried before a person has \
           to look at it (1 to 1000)",
};

pub const INBOX_DELAY_MIN: Setting = Setting {
    name: "COUNTERFOIL_INBOX_DELAY_MIN_S",
    flag: "inbox-delay-min-s",
    value: "SECONDS",
    default: Some("1"),
    scope: SettingScope::Serve,
    secret: false,
    help: "The wait after the first attempt, in seconds; it doubles after each attempt",
};

pub const INBOX_DELAY_MAX: Setting = Setting {
    name: "COUNTERFOIL_INBOX_DELAY_MAX_S",
    flag: "inbox-delay-max-s",
    value: "SECONDS",
    default: Some("3600"),
    scope: SettingScope::Serve,
    secret: false,
    help: "The longest wait between two attempts, in seconds, at most 86400",
};

pub const INBOX_DAYS: Setting = Setting {
    name: "COUNTERFOIL_INBOX_DAYS",
    flag: "inbox-days",
    value: "DAYS",
    default: Some("90"),
    scope: SettingScope::Serve,
    secret: false,
    help: "How many days the document of a webhook is kept after it was processed, or `all` for ever; data \
           about people and cards is never kept",
};

pub const RECONCILE_HOUR: Setting = Setting {
    name: "COUNTERFOIL_RECONCILE_HOUR",
    flag: "reconcile-hour",
    value: "HOUR",
    default: Some("3"),
    scope: SettingScope::Serve,
    secret: false,
    help: "The hour (0 to 23, UTC) at which the ledger is compared with Stripe each day, or `off`; it needs \
           a STRIPE_SECRET_KEY, and billing that is on",
};

pub const MODE: Setting = Setting {
    name: "COUNTERFOIL_MODE",
    flag: "mode",
    value: "MODE",
    default: Some("test"),
    scope: SettingScope::Serve,
    secret: false,
    help: "Whether real money is involved: `test` or `live`. If nothing is set, STRIPE_SECRET_KEY decides. \
           Webhooks of the other mode are set aside, not handled",
};

pub const LOG: Setting = Setting {
    name: "RUST_LOG",
    flag: "log",
    value: "FILTER",
    default: Some("info"),
    scope: SettingScope::Serve,
    secret: false,
    help: "What is logged, such as `warn`, or `info,counterfoil::stripe=debug`",
};

pub const LOG_FORMAT: Setting = Setting {
    name: "COUNTERFOIL_LOG_FORMAT",
    flag: "log-format",
    value: "FORMAT",
    default: Some("auto"),
    scope: SettingScope::Serve,
    secret: false,
    help: "The format of the log: `text`, `json`, or `auto`, which is text on a terminal and JSON \
           everywhere else",
};

/// All settings, in the order in which they are shown.
pub const ALL: [Setting; 28] = [
    LISTEN,
    METRICS_LISTEN,
    TRUSTED_PROXIES,
    PEER_URL,
    DATA_DIRECTORY,
    DATABASE_URL,
    POSTGRES_BINARIES,
    SHARDS,
    CACHE_MB,
    CATALOG,
    BOOTSTRAP_KEY,
    FIRST_KEY_FILE,
    WEBHOOK_SECRETS,
    STRIPE_SECRET_KEY,
    STRIPE_API_URL,
    STRIPE_PORTAL_CONFIGURATION,
    STRIPE_API_VERSION,
    BILLING,
    BILLING_ACCOUNTS,
    BILLING_EXCEPT,
    INBOX_ATTEMPTS,
    INBOX_DELAY_MIN,
    INBOX_DELAY_MAX,
    INBOX_DAYS,
    RECONCILE_HOUR,
    MODE,
    LOG,
    LOG_FORMAT,
];
