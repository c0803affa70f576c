//! What was set, and where? Flags go before environment variables.

use std::collections::BTreeMap;

use crate::catalog::suggestion;

use super::{
    mistake::SettingMistake,
    settings::{self, PREFIX, Setting},
    usual::{self, Instead},
};

/// The environment variables of a process, or those of a test.
pub type Environment = BTreeMap<String, String>;

/// The values that were set. Not `Debug`, since secrets are among them.
#[derive(Clone, Default)]
pub struct SettingSources {
    flags: BTreeMap<&'static str, String>,
    environment: Environment,
}

impl SettingSources {
    /// `flags` by the names of their settings.
    #[must_use]
    pub const fn new(flags: BTreeMap<&'static str, String>, environment: Environment) -> Self {
        Self { flags, environment }
    }

    /// With the environment of this process. A variable that is not UTF-8 cannot be one of ours.
    #[must_use]
    pub fn of_process(flags: BTreeMap<&'static str, String>) -> Self {
        let variables = std::env::vars_os();
        let environment =
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::new(flags, environment.collect())
    }

    #[must_use]
    pub const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Whether it was set at all.
    #[must_use]
    pub fn is_set(&self, setting: Setting) -> bool {
        self.find(setting).is_some()
    }

    /// The value that was set; an empty environment variable counts as unset, as in a `.env` file without values.
    pub(super) fn find(&self, setting: Setting) -> Option<&str> {
        let flag = self.flags.get(setting.name);
        let variable = self.environment.get(setting.name).filter(|value| !value.trim().is_empty());
        flag.or(variable).map(String::as_str)
    }

    /// The value that was set, or else the default.
    pub(super) fn value(&self, setting: Setting) -> &str {
        self.find(setting).or(setting.default).unwrap_or_default()
    }

    /// Environment variables that look like settings of ours but are not: most likely a typing mistake.
    pub(super) fn unknown(&self) -> Vec<SettingMistake> {
        let known: Vec<&str> = settings::ALL.iter().map(|setting| setting.name).collect();
        let ours: Vec<&str> = known.iter().copied().filter(|name| name.starts_with(PREFIX)).collect();
        let names = self.environment.keys().filter(|name| name.starts_with(PREFIX));
        names
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| SettingMistake::new(name, unknown_of(name, &ours)))
            .collect()
    }
}

fn unknown_of(name: &str, ours: &[&str]) -> String {
    match usual::meant(name) {
        Some(Instead::Setting(setting)) => {
            format!("unknown setting `{name}`; did you mean `{}`?", setting.name)
        }
        Some(Instead::Catalog(place)) => {
            format!("unknown setting `{name}`; the catalog says it, as `{place}`")
        }
        None => suggestion::unknown("setting", name, ours),
    }
}
