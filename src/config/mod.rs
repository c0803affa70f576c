//! How is this program to run? All settings are read and checked before anything is started.
//!
//! A setting comes from a flag or from the environment; the flag goes first. All mistakes are reported at once.
//! The program reads no file of settings: `.env.example` says how to keep them in one.

mod catalog;
mod mistake;
mod parse;
mod rollout;
pub mod settings;
pub mod shown;
mod sources;
mod unread;
mod usual;

use std::{fmt, net::SocketAddr, path::PathBuf};

use sqlx::postgres::PgConnectOptions;

pub use catalog::LoadedCatalog;
pub use mistake::{SettingMistake, SettingMistakes};
pub use sources::{Environment, SettingSources};
pub use unread::UnreadVariable;

use crate::{
    auth::keys::KeySecret,
    catalog::Mode,
    domain::rollout::Rollout,
    http::Proxies,
    ledger::CacheMemory,
    queue::Retries,
    stripe::{
        client::{ApiUrl, SecretKey},
        inbound::signature::Secrets,
        outbound,
    },
};

/// Every setting, read and checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// The address that answers metrics without a key; `None`: there is none.
    pub metrics_listen: Option<SocketAddr>,
    /// The proxies that are believed about who sent a request.
    pub proxies: Proxies,
    /// Where other instances reach this one; `None`: they do not.
    pub peer_url: Option<String>,
    pub database: DatabaseConfig,
    /// How many shards the journal has, or gets; `None`: as many as it has, or one.
    pub shards: Option<u16>,
    /// How much memory accounts may take that are kept for later.
    pub cache: CacheMemory,
    pub catalog: CatalogChoice,
    /// A key that may do everything from the first start on.
    pub bootstrap_key: Option<KeySecret>,
    /// The file for the first key if there is no terminal; `None`: there is no such file.
    pub first_key_file: Option<PathBuf>,
    pub webhook_secrets: Secrets,
    pub billing: BillingConfig,
    /// How often a waiting webhook is tried, and how long it waits between.
    pub inbox: Retries,
    /// How many days a document is kept after its event is over; `None`: for ever.
    pub inbox_days: Option<u32>,
    /// Whether real money is involved.
    pub mode: Mode,
    /// Whether Stripe is a stand-in that was started beside this program.
    pub sandboxed: bool,
    pub log: LogConfig,
}

/// How Stripe is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingConfig {
    /// `false`: no call to Stripe is made.
    pub on: bool,
    /// For which accounts it is on.
    pub rollout: Rollout,
    pub key: Option<SecretKey>,
    pub url: ApiUrl,
    /// The configuration of the portal; `None`: the default of the Stripe account.
    pub portal: Option<String>,
    /// The version of Stripe's API that webhooks are sent in.
    pub api_version: String,
    /// When the ledger is compared with Stripe, in UTC; `None`: never by itself.
    pub reconcile_hour: Option<u8>,
}

impl BillingConfig {
    /// The access to Stripe that callers of its API need.
    #[must_use]
    pub fn settings(&self) -> outbound::Settings {
        outbound::Settings { rollout: self.rollout.clone(), portal: self.portal.clone() }
    }
}

/// Which database is used.
#[derive(Clone)]
pub enum DatabaseConfig {
    /// A PostgreSQL of our own.
    Embedded { data_directory: PathBuf, binaries: Option<PathBuf> },
    /// A PostgreSQL that somebody else runs.
    External(Box<PgConnectOptions>),
}

/// A URL may have a password in it, so it is not shown.
impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded { data_directory, .. } => formatter
                .debug_struct("Embedded")
                .field("data_directory", data_directory)
                .finish_non_exhaustive(),
            Self::External(_) => formatter.write_str("External(…)"),
        }
    }
}

/// Which catalog is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogChoice {
    File(PathBuf),
    /// Nothing was set, and the default file is not in the working directory: the copy in the program is used.
    BuiltIn,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// What is logged, in the language of `tracing_subscriber::EnvFilter`.
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON everywhere else.
    Auto,
    Text,
    Json,
}

impl Config {
    /// Reads all settings.
    ///
    /// # Errors
    /// All mistakes in them.
    pub fn read(given: &SettingSources) -> Result<Self, SettingMistakes> {
        let mut mistakes = given.unknown();
        let config = parse::read(given, &mut mistakes);
        config.filter(|_| mistakes.is_empty()).ok_or(SettingMistakes(mistakes))
    }

    /// Reads all settings and the catalog that they name.
    ///
    /// # Errors
    /// All mistakes in either of them.
    pub fn read_with_catalog(given: &SettingSources) -> Result<(Self, LoadedCatalog), SettingMistakes> {
        Self::read_and(given, crate::catalog::parse)
    }

    /// Reads all settings and the catalog that they name, whose prices need no id yet.
    ///
    /// # Errors
    /// All other mistakes in either of them.
    pub fn read_before_setup(given: &SettingSources) -> Result<(Self, LoadedCatalog), SettingMistakes> {
        Self::read_and(given, crate::catalog::parse_before_setup)
    }

    fn read_and(
        given: &SettingSources,
        parse: catalog::Parse,
    ) -> Result<(Self, LoadedCatalog), SettingMistakes> {
        let mut mistakes = given.unknown();
        let config = parse::read(given, &mut mistakes);
        let mode = config.as_ref().map_or(Mode::Test, |config| config.mode);
        let choice = parse::catalog_choice(given);
        let catalog = catalog::load(&choice, given.environment(), mode, parse, &mut mistakes);
        match (config, catalog) {
            (Some(config), Some(catalog)) if mistakes.is_empty() => Ok((config, catalog)),
            _ => Err(SettingMistakes(mistakes)),
        }
    }
}
