//! Is the file TOML at all?

use std::collections::BTreeSet;

use toml::{
    Spanned,
    de::{DeTable, Error},
};

use super::mistake::{CatalogMistake, MistakeCause, position};

/// The table of a file as far as it can be read, and the mistakes in its syntax.
pub(super) struct Syntax<'a> {
    pub table: Spanned<DeTable<'a>>,
    pub mistakes: Vec<CatalogMistake>,
    /// Whether the rest can be checked in spite of the mistakes: a key that is defined twice hides nothing else, but an
    /// open bracket may.
    pub is_legible: bool,
}

pub(super) fn read(text: &str) -> Syntax<'_> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let is_legible = errors.iter().all(is_duplicate);
    // The parser may report one mistake several times in a line; the first report is the most useful one.
    let mut lines = BTreeSet::new();
    let mistakes = errors.iter().map(|error| describe(text, error));
    Syntax { table, mistakes: mistakes.filter(|mistake| lines.insert(mistake.line)).collect(), is_legible }
}

fn is_duplicate(error: &Error) -> bool {
    error.message().starts_with("duplicate key")
}

fn describe(text: &str, error: &Error) -> CatalogMistake {
    let span = error.span().unwrap_or_default();
    let (line, column) = position(text, span.start);
    let message = if is_duplicate(error) {
        format!("`{}` is defined twice", text.get(span).unwrap_or_default())
    } else {
        format!("this is not TOML: {}", error.message())
    };
    CatalogMistake { line, column, path: String::new(), message, cause: MistakeCause::File }
}
