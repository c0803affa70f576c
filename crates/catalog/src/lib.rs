//! What does this business sell?
//! Reads a catalog file, and returns the domain's [`Catalog`] or all mistakes in the file.
//!
//! Everything is checked when the program starts, and all mistakes are reported at once with their lines, so that
//! nobody has to correct a file one mistake at a time.
//! `docs/CATALOG.md` describes the format.

mod check;
mod credits;
mod currency;
mod document;
mod generations;
mod identifiers;
mod mistake;
mod mode;
mod packs;
mod payments;
mod plans;
mod prices;
mod reading;
mod stripe_ids;
pub mod suggestion;
mod syntax;
mod top_up;

use std::{fs, path::Path};

pub use check::{CatalogReport, check, not_for_sale};
pub use currency::{check_currency, show};
pub use mistake::{CatalogMistake, MistakeCause};
pub use mode::Mode;

use domain::catalog::Catalog;
use reading::PriceIdRule;

/// The longest catalog file that is read.
pub const FILE_BYTES_MAX: usize = 1_000_000;

/// The most credits in one place of a catalog, so that sums of a few of them always fit.
pub const CREDITS_MAX: i64 = 1_000_000_000_000;

/// Finds the value of a setting, such as an environment variable.
pub type SettingLookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a catalog from the text of its file. `mode` says which of the two sets of price ids is used.
///
/// # Errors
/// All mistakes in the text, and all required settings that are missing, in the order of the file.
pub fn parse(text: &str, settings: SettingLookup<'_>, mode: Mode) -> Result<Catalog, Vec<CatalogMistake>> {
    let (catalog, mistakes) = document::read(text, settings, mode, PriceIdRule::Needed);
    catalog.filter(|_| mistakes.is_empty()).ok_or(mistakes)
}

/// Like [`parse`], but prices need no ids yet: before Stripe is set up, there are none.
///
/// # Errors
/// Every mistake in the text.
pub fn parse_before_setup(
    text: &str,
    settings: SettingLookup<'_>,
    mode: Mode,
) -> Result<Catalog, Vec<CatalogMistake>> {
    let (catalog, mistakes) = document::read(text, settings, mode, PriceIdRule::Optional);
    catalog.filter(|_| mistakes.is_empty()).ok_or(mistakes)
}

/// Reads a former catalog as far as possible: it was right by the rules of its time, and its settings may no longer
/// exist.
#[must_use]
pub fn parse_former(text: &str, mode: Mode) -> Option<Catalog> {
    document::read(text, &|_| None, mode, PriceIdRule::Optional).0
}

/// Reads a catalog from a file.
///
/// # Errors
/// Like [`parse`]; also if the file cannot be read, is too long, or is not UTF-8.
pub fn load(path: &Path, settings: SettingLookup<'_>, mode: Mode) -> Result<Catalog, Vec<CatalogMistake>> {
    let text = read(path).map_err(|mistake| vec![mistake])?;
    parse(&text, settings, mode)
}

/// The text of a catalog file, unchecked.
///
/// # Errors
/// When the file cannot be read, is too long, or is not UTF-8.
pub fn read(path: &Path) -> Result<String, CatalogMistake> {
    let unreadable =
        |reason: String| CatalogMistake::of_file(format!("cannot read {}: {reason}", path.display()));
    let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(unreadable(format!("a catalog has at most {FILE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))
}
