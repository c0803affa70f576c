//! `counterfoil catalog check FILE`: can the program start with this file?

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use crate::catalog::{self, Mode};

use super::{
    exit::{Answer, Exit},
    output::Output,
};

const HELP: &str = "\
Every mistake is listed at once, with its line. Exit code 1 says that the file has some.

Example:
  counterfoil catalog check catalogs/music.toml";

#[derive(Subcommand)]
pub(super) enum Command {
    /// List every mistake in a catalog file, or what it sells
    #[command(after_help = HELP)]
    Check {
        file: PathBuf,
        /// Which of two sets of price ids is looked at
        #[arg(long, value_enum, default_value_t = ModeName::Test)]
        mode: ModeName,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ModeName {
    Test,
    Live,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Test => Self::Test,
            ModeName::Live => Self::Live,
        }
    }
}

impl Command {
    pub(super) fn run(self, output: Output) -> Answer {
        let Self::Check { file, mode } = self;
        let report = catalog::check(&file, &|name| std::env::var(name).ok(), mode.into());
        output.answer(&report.to_json(), || report.to_string())?;
        Ok(if report.is_right() { Exit::Success } else { Exit::No })
    }
}
