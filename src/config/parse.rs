//! What does the text of each setting mean?
//! One function per setting; each reports its own mistake, and reading goes on.

use std::{fmt::Display, net::SocketAddr, ops::RangeInclusive, path::PathBuf, str::FromStr};

use chrono::NaiveDate;
use sqlx::postgres::PgConnectOptions;
use tracing_subscriber::EnvFilter;

use crate::{
    auth::keys::KeySecret,
    catalog::Mode,
    http::Proxies,
    ledger::CacheMemory,
    postgres::{self, default_data_directory},
    queue::{Backoff, Retries},
    stripe::{
        client::{ApiUrl, SecretKey, setup::API_VERSION},
        inbound::signature::Secrets,
    },
};

use super::{
    BillingConfig, CatalogChoice, Config, DatabaseConfig, LogConfig, LogFormat, SettingMistake,
    SettingSources, catalog, rollout,
    settings::{self, Setting},
    shown,
};

/// The oldest version of Stripe's API whose webhooks are read.
const OLDEST_API_VERSION: &str = "2023-10-16";
/// The default name of the file for the first key.
const FIRST_KEY_FILE_NAME: &str = "first-admin-key";
/// The longest delay between two attempts at a webhook, in seconds: a day.
const DELAY_S_MAX: i64 = 86_400;
/// The most shards that a journal may have.
const SHARDS_MAX: u16 = 1_024;
/// A hundred years, in days.
const INBOX_DAYS_MAX: u32 = 36_500;
const CACHE_MB: RangeInclusive<u32> = 16..=1_048_576;

/// Reads all settings, and reports all mistakes.
pub(super) fn read(given: &SettingSources, mistakes: &mut Vec<SettingMistake>) -> Option<Config> {
    let mut reading = SettingsReader { given, mistakes };
    // All of them are read before the first missing one ends this.
    let listen = reading.listen();
    let metrics_listen = reading.metrics_listen();
    let proxies = reading.proxies();
    let peer_url = reading.peer_url();
    let database = reading.database();
    let shards = reading.shards();
    let cache = reading.number(settings::CACHE_MB, CACHE_MB).map(CacheMemory::megabytes);
    let bootstrap_key = reading.bootstrap_key();
    let first_key_file = reading.first_key_file();
    let webhook_secrets = reading.webhook_secrets();
    let billing = reading.billing();
    let inbox = reading.inbox();
    let inbox_days = reading.inbox_days();
    let mode = reading.mode();
    let log = reading.log();
    Some(Config {
        listen: listen?,
        metrics_listen: metrics_listen?,
        proxies: proxies?,
        peer_url: peer_url?,
        database: database?,
        shards: shards?,
        cache: cache?,
        catalog: catalog_choice(given),
        bootstrap_key: bootstrap_key?,
        first_key_file,
        webhook_secrets: webhook_secrets?,
        billing: billing?,
        inbox: inbox?,
        inbox_days: inbox_days?,
        mode: mode?,
        sandboxed: false,
        log: log?,
    })
}

pub(super) fn catalog_choice(given: &SettingSources) -> CatalogChoice {
    catalog::choose(given.find(settings::CATALOG))
}

struct SettingsReader<'a> {
    given: &'a SettingSources,
    mistakes: &'a mut Vec<SettingMistake>,
}

impl SettingsReader<'_> {
    /// Reports what is allowed, and shows the value that was set, unless it is a secret.
    fn refuse<T>(&mut self, setting: Setting, allowed: &str) -> Option<T> {
        let value = self.given.value(setting);
        // A password may be in any address, even where none is expected.
        let shown = if setting.secret { "…".into() } else { shown::without_password(value) };
        self.mistakes.push(SettingMistake::new(setting.name, format!("`{shown}` is not valid; {allowed}")));
        None
    }

    fn listen(&mut self) -> Option<SocketAddr> {
        let address = self.given.value(settings::LISTEN).parse().ok();
        let allowed =
            "it has to be an IP address and a port, such as 127.0.0.1:8080, or 0.0.0.0:8080 for all networks";
        address.or_else(|| self.refuse(settings::LISTEN, allowed))
    }

    fn metrics_listen(&mut self) -> Option<Option<SocketAddr>> {
        let Some(text) = self.given.find(settings::METRICS_LISTEN) else { return Some(None) };
        match text.parse() {
            Ok(address) => Some(Some(address)),
            Err(_) => self.refuse(
                settings::METRICS_LISTEN,
                "it has to be an IP address and a port, such as 127.0.0.1:9464",
            ),
        }
    }

    fn proxies(&mut self) -> Option<Proxies> {
        let text = self.given.find(settings::TRUSTED_PROXIES).unwrap_or_default();
        match Proxies::parse(text) {
            Ok(proxies) => Some(proxies),
            Err(error) => self.refuse(settings::TRUSTED_PROXIES, &error.to_string()),
        }
    }

    fn peer_url(&mut self) -> Option<Option<String>> {
        let Some(text) = self.given.find(settings::PEER_URL) else { return Some(None) };
        let url = reqwest::Url::parse(text).ok().filter(|url| {
            let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            let is_anonymous = url.username().is_empty() && url.password().is_none();
            matches!(url.scheme(), "http" | "https") && url.has_host() && is_bare && is_anonymous
        });
        let allowed = "it has to be an address such as http://10.0.0.5:8080, without a path";
        url.map(|url| Some(url.to_string())).or_else(|| self.refuse(settings::PEER_URL, allowed))
    }

    /// With a URL, the settings of the embedded database are not read.
    fn database(&mut self) -> Option<DatabaseConfig> {
        if let Some(url) = self.given.find(settings::DATABASE_URL) {
            return self.external(url);
        }
        let data_directory = match self.given.find(settings::DATA_DIRECTORY) {
            Some(path) => PathBuf::from(path),
            None => match default_data_directory() {
                Ok(path) => path,
                Err(error) => {
                    self.mistakes.push(SettingMistake::new(settings::DATA_DIRECTORY.name, error.to_string()));
                    return None;
                }
            },
        };
        let binaries = self.given.find(settings::POSTGRES_BINARIES).map(PathBuf::from);
        Some(DatabaseConfig::Embedded { data_directory, binaries })
    }

    fn shards(&mut self) -> Option<Option<u16>> {
        let Some(text) = self.given.find(settings::SHARDS) else { return Some(None) };
        match text.parse() {
            Ok(shards @ 1..=SHARDS_MAX) if u16::is_power_of_two(shards) => Some(Some(shards)),
            Ok(_) | Err(_) => self.refuse(
                settings::SHARDS,
                &format!("it has to be 1, 2, 4, 8 and so on, at most {SHARDS_MAX}"),
            ),
        }
    }

    fn external(&mut self, url: &str) -> Option<DatabaseConfig> {
        let scheme = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let options = PgConnectOptions::from_str(url).ok().filter(|_| scheme);
        let allowed = "it has to be a URL such as postgres://user:password@host:5432/database; \
                       characters such as @ and / in a password are written as %40 and %2F";
        let options = options.or_else(|| self.refuse(settings::DATABASE_URL, allowed))?;
        Some(DatabaseConfig::External(Box::new(options)))
    }

    /// Beside the data, or where the data would be.
    fn first_key_file(&self) -> Option<PathBuf> {
        let beside = |directory: PathBuf| directory.join(FIRST_KEY_FILE_NAME);
        let set = self.given.find(settings::FIRST_KEY_FILE).map(PathBuf::from);
        set.or_else(|| self.given.find(settings::DATA_DIRECTORY).map(PathBuf::from).map(beside))
            .or_else(|| default_data_directory().ok().map(beside))
    }

    fn bootstrap_key(&mut self) -> Option<Option<KeySecret>> {
        let Some(text) = self.given.find(settings::BOOTSTRAP_KEY) else { return Some(None) };
        match KeySecret::parse(text) {
            Ok(secret) => Some(Some(secret)),
            Err(error) => self.refuse(settings::BOOTSTRAP_KEY, &error.to_string()),
        }
    }

    fn webhook_secrets(&mut self) -> Option<Secrets> {
        let Some(text) = self.given.find(settings::WEBHOOK_SECRETS) else { return Some(Secrets::default()) };
        match Secrets::parse(text) {
            Ok(secrets) => Some(secrets),
            Err(error) => self.refuse(settings::WEBHOOK_SECRETS, &error.to_string()),
        }
    }

    fn billing(&mut self) -> Option<BillingConfig> {
        let rollout = rollout::read(self.given, self.mistakes);
        // A text that is not a key is refused where the mode is read.
        let key = self.given.find(settings::STRIPE_SECRET_KEY).and_then(|key| SecretKey::parse(key).ok());
        let url = match ApiUrl::parse(self.given.value(settings::STRIPE_API_URL)) {
            Ok(url) if url.is_open() && key.as_ref().is_some_and(|key| key.mode() == Mode::Live) => {
                let allowed = "STRIPE_SECRET_KEY is a live key, which is only sent to an https address";
                self.refuse(settings::STRIPE_API_URL, allowed)
            }
            Ok(url) => Some(url),
            Err(error) => self.refuse(settings::STRIPE_API_URL, &error.to_string()),
        };
        let portal = self.portal();
        let api_version = self.api_version();
        let reconcile_hour = self.reconcile_hour();
        let (on, rollout) = rollout?;
        Some(BillingConfig {
            on,
            rollout,
            key,
            url: url?,
            portal: portal?,
            api_version: api_version?,
            reconcile_hour: reconcile_hour?,
        })
    }

    /// A day, and since 2024 also a name: `2024-04-10`, `2026-09-30.endive`.
    fn api_version(&mut self) -> Option<String> {
        let text = self.given.value(settings::STRIPE_API_VERSION);
        let (day, name) = text.split_once('.').unwrap_or((text, "unnamed"));
        let is_day = NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok() && day.len() == 10;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
        if is_day && is_name && day >= OLDEST_API_VERSION && day <= newest_day() {
            return Some(text.to_owned());
        }
        let allowed = format!(
            "it has to be a version of Stripe's API whose webhooks are read here, from {OLDEST_API_VERSION} to {API_VERSION}"
        );
        self.refuse(settings::STRIPE_API_VERSION, &allowed)
    }

    fn inbox(&mut self) -> Option<Retries> {
        let attempts_max = self.number(settings::INBOX_ATTEMPTS, 1..=1_000);
        let delay_s_min = self.number(settings::INBOX_DELAY_MIN, 1..=DELAY_S_MAX);
        let delay_s_max = self.number(settings::INBOX_DELAY_MAX, 1..=DELAY_S_MAX);
        let (delay_s_min, delay_s_max) = (delay_s_min?, delay_s_max?);
        if delay_s_min > delay_s_max {
            let allowed = format!("it has to be at least {}, {delay_s_min}", settings::INBOX_DELAY_MIN.name);
            return self.refuse(settings::INBOX_DELAY_MAX, &allowed);
        }
        Some(Retries { attempts_max: attempts_max?, backoff: Backoff { delay_s_min, delay_s_max } })
    }

    fn number<T: FromStr + PartialOrd + Display>(
        &mut self,
        setting: Setting,
        range: RangeInclusive<T>,
    ) -> Option<T> {
        let number = self.given.value(setting).parse().ok().filter(|number| range.contains(number));
        let allowed = || format!("it has to be a whole number from {} to {}", range.start(), range.end());
        number.or_else(|| self.refuse(setting, &allowed()))
    }

    fn portal(&mut self) -> Option<Option<String>> {
        let Some(id) = self.given.find(settings::STRIPE_PORTAL_CONFIGURATION) else { return Some(None) };
        let known = id.starts_with("bpc_") && id.bytes().all(|byte| byte.is_ascii_graphic());
        if known {
            return Some(Some(id.to_owned()));
        }
        let allowed =
            "it has to be the id of a portal configuration, such as bpc_1Abc, which `stripe setup` prints";
        self.refuse(settings::STRIPE_PORTAL_CONFIGURATION, allowed)
    }

    fn inbox_days(&mut self) -> Option<Option<u32>> {
        match self.given.value(settings::INBOX_DAYS) {
            "all" => Some(None),
            days => match days.parse() {
                Ok(days @ 0..=INBOX_DAYS_MAX) => Some(Some(days)),
                Ok(_) | Err(_) => {
                    let allowed = format!("it has to be a number from 0 to {INBOX_DAYS_MAX}, or `all`");
                    self.refuse(settings::INBOX_DAYS, &allowed)
                }
            },
        }
    }

    fn reconcile_hour(&mut self) -> Option<Option<u8>> {
        match self.given.value(settings::RECONCILE_HOUR) {
            "off" => Some(None),
            hour => match hour.parse() {
                Ok(hour @ 0..=23) => Some(Some(hour)),
                Ok(_) | Err(_) => {
                    self.refuse(settings::RECONCILE_HOUR, "it has to be an hour from 0 to 23, or `off`")
                }
            },
        }
    }

    /// The setting and the key must not contradict each other.
    fn mode(&mut self) -> Option<Mode> {
        let of_key = self.mode_of_key();
        let set = match self.given.find(settings::MODE) {
            None => Some(None),
            Some(text) => match parse_mode(text) {
                Some(mode) => Some(Some(mode)),
                None => self.refuse(settings::MODE, "it has to be `test` or `live`"),
            },
        };
        match (of_key?, set?) {
            (Some(of_key), Some(set)) if of_key != set => {
                let allowed =
                    "STRIPE_SECRET_KEY is of the other mode; set both to the same, or leave this one out";
                self.refuse(settings::MODE, allowed)
            }
            (of_key, set) => Some(set.or(of_key).unwrap_or(Mode::Test)),
        }
    }

    fn mode_of_key(&mut self) -> Option<Option<Mode>> {
        let Some(key) = self.given.find(settings::STRIPE_SECRET_KEY) else { return Some(None) };
        match SecretKey::parse(key) {
            Ok(key) => Some(Some(key.mode())),
            Err(error) => self.refuse(settings::STRIPE_SECRET_KEY, &error.to_string()),
        }
    }

    fn log(&mut self) -> Option<LogConfig> {
        let filter = self.given.value(settings::LOG).to_owned();
        let filter = match EnvFilter::try_new(&filter) {
            Ok(_) => Some(filter),
            Err(_) => self.refuse(
                settings::LOG,
                "it has to be a level (error, warn, info, debug, trace), or a list such as info,sqlx=warn",
            ),
        };
        let format = match self.given.value(settings::LOG_FORMAT) {
            "auto" => Some(LogFormat::Auto),
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => self.refuse(settings::LOG_FORMAT, "it has to be `auto`, `text` or `json`"),
        };
        Some(LogConfig { filter: filter?, format: format? })
    }
}

fn newest_day() -> &'static str {
    API_VERSION.split_once('.').map_or(API_VERSION, |(day, _)| day)
}

fn parse_mode(text: &str) -> Option<Mode> {
    [Mode::Test, Mode::Live].into_iter().find(|mode| mode.as_str() == text)
}

impl DatabaseConfig {
    /// How the embedded server is started; `None` for a server that somebody else runs.
    #[must_use]
    pub fn embedded(&self) -> Option<postgres::ServerOptions> {
        match self {
            Self::External(_) => None,
            Self::Embedded { data_directory, binaries } => Some(postgres::ServerOptions {
                data_directory: data_directory.clone(),
                binaries: binaries.clone(),
                durability: postgres::Durability::On,
                max_connections: postgres::MAX_CONNECTIONS_DEFAULT,
            }),
        }
    }
}
