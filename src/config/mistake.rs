//! What is wrong with the settings? Each message has all that is needed to correct the mistake.

use std::fmt;

use serde::Serialize;

/// One setting that has to be changed before the program can start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingMistake {
    /// The setting's name, or the file that it names.
    pub subject: String,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl SettingMistake {
    pub(super) fn new(subject: &str, message: impl Into<String>) -> Self {
        Self { subject: subject.to_owned(), message: message.into() }
    }
}

impl fmt::Display for SettingMistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.subject, self.message)
    }
}

/// Everything that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SettingMistakes(pub Vec<SettingMistake>);

impl fmt::Display for SettingMistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(formatter, "one setting is wrong, and nothing was started:")?,
            count => write!(formatter, "{count} settings are wrong, and nothing was started:")?,
        }
        self.0.iter().try_for_each(|mistake| write!(formatter, "\n  {mistake}"))
    }
}
