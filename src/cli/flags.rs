//! How do settings become flags? The table of settings gives each a flag, with the same help.

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::config::{
    SettingSources,
    settings::{self, Setting, SettingScope},
};

/// The flags of `serve`: all settings.
pub(super) type ServeFlags = Flags<true>;
/// The flags of commands that work with the database.
pub(super) type DatabaseFlags = Flags<false>;

/// The settings that were set by flags.
#[derive(Clone)]
pub(super) struct Flags<const SERVE: bool>(BTreeMap<&'static str, String>);

impl<const SERVE: bool> Flags<SERVE> {
    /// The same, with the environment of this process for what no flag sets.
    pub(super) fn given(&self) -> SettingSources {
        SettingSources::of_process(self.0.clone())
    }

    /// The same flags, and this value for a setting that no flag sets.
    #[cfg(feature = "sandbox")]
    pub(super) fn or(mut self, setting: Setting, value: String) -> Self {
        self.0.entry(setting.name).or_insert(value);
        self
    }

    fn settings() -> impl Iterator<Item = Setting> {
        settings::ALL.into_iter().filter(|setting| match setting.scope {
            SettingScope::Database => true,
            SettingScope::Serve => SERVE,
        })
    }
}

impl<const SERVE: bool> FromArgMatches for Flags<SERVE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let set = |setting: Setting| Some((setting.name, matches.get_one::<String>(setting.name)?.clone()));
        Ok(Self(Self::settings().filter_map(set).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

impl<const SERVE: bool> Args for Flags<SERVE> {
    fn augment_args(command: Command) -> Command {
        Self::settings().fold(command, |command, setting| command.arg(flag(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(setting: Setting) -> Arg {
    let default = setting.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
    let exposed = if setting.secret { "; a flag can be seen by other users, a variable cannot" } else { "" };
    Arg::new(setting.name)
        .long(setting.flag)
        .value_name(setting.value)
        .help_heading("Settings")
        .help(format!("{}{exposed} [env: {}]{default}", setting.help, setting.name))
}
