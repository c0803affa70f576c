//! How does the process end? With an exit code that scripts can rely on, and the reason for people.

use std::{error::Error, process::ExitCode};

use crate::config::SettingMistakes;

/// How a command that did its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Success,
    /// The answer is no: something differs, was refused, is missing, or was left out.
    No,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(super) enum CliFailure {
    /// The answer is no, for a reason that has not been printed.
    No(String),
    /// The command or a setting is wrong.
    Usage(String),
    /// Something that is needed does not work.
    Broken(Box<dyn Error + Send + Sync>),
    /// A person stopped the command.
    Interrupted,
}

impl Exit {
    pub(super) fn code(self) -> ExitCode {
        match self {
            Self::Success => ExitCode::SUCCESS,
            Self::No => ExitCode::from(CODE_NO),
        }
    }
}

pub(super) type CliResult = Result<Exit, CliFailure>;

const CODE_NO: u8 = 1;
const CODE_USAGE: u8 = 2;
const CODE_BROKEN: u8 = 3;
/// 128 plus the number of SIGINT, as in shells.
const CODE_INTERRUPTED: u8 = 130;

impl CliFailure {
    pub(super) fn broken(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broken(error.into())
    }

    pub(super) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::No(_) => CODE_NO,
            Self::Usage(_) => CODE_USAGE,
            Self::Broken(_) => CODE_BROKEN,
            Self::Interrupted => CODE_INTERRUPTED,
        })
    }

    pub(super) fn reason(&self) -> String {
        match self {
            Self::No(reason) | Self::Usage(reason) => reason.clone(),
            Self::Broken(error) => with_causes(error.as_ref()),
            Self::Interrupted => "ended at once, as asked a second time".to_owned(),
        }
    }
}

impl From<SettingMistakes> for CliFailure {
    fn from(mistakes: SettingMistakes) -> Self {
        Self::Usage(mistakes.to_string())
    }
}

/// The error and why, as far as each cause says something new.
fn with_causes(error: &dyn Error) -> String {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        source = cause.source();
    }
    reason
}

/// Prints the message of clap: help and the version are not mistakes.
pub(super) fn of_arguments(error: &clap::Error) -> ExitCode {
    // If printing fails, nobody can read the message.
    drop(error.print());
    if error.use_stderr() { ExitCode::from(CODE_USAGE) } else { ExitCode::SUCCESS }
}
