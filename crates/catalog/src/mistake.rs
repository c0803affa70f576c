//! What is wrong, and in which line? A mistake in a catalog, with its place.

use std::{fmt, ops::Range};

use serde::Serialize;

/// One thing that must be corrected before the catalog can be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CatalogMistake {
    /// From 1; 0 if the file could not be read.
    pub line: usize,
    /// In characters, from 1; 0 if the file could not be read.
    pub column: usize,
    /// The place in the catalog, such as `plans.basic.prices.month.amount`; empty for the file as a whole.
    pub path: String,
    pub message: String,
    pub cause: MistakeCause,
}

/// What has to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MistakeCause {
    File,
    /// The file is right, but a setting that it names is missing or wrong.
    Setting,
}

impl CatalogMistake {
    pub(super) const fn of_file(message: String) -> Self {
        Self { line: 0, column: 0, path: String::new(), message, cause: MistakeCause::File }
    }
}

impl fmt::Display for CatalogMistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(formatter, "line {}: ", self.line)?;
        }
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.message)
    }
}

/// A place in the file, and the keys that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CatalogPlace {
    pub path: String,
    /// In bytes.
    pub span: Range<usize>,
}

impl CatalogPlace {
    /// The place of `key` in the table at this place.
    pub fn join(&self, key: &str, span: Range<usize>) -> Self {
        let key = if is_bare(key) { key.to_owned() } else { format!("{key:?}") };
        let path = if self.path.is_empty() { key } else { format!("{}.{key}", self.path) };
        Self { path, span }
    }

    pub fn item(&self, index: usize, span: Range<usize>) -> Self {
        Self { path: format!("{}[{index}]", self.path), span }
    }
}

/// Whether TOML allows the key without quotes.
fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The line and the column, both from 1, of the byte at `offset`.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
