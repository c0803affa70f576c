//! Which catalog do the settings name? It is kept with the text that it was read from.

use std::{cell::RefCell, collections::BTreeSet, path::Path};

use crate::{
    catalog::{self, Mode},
    domain::catalog::Catalog,
};

use super::{CatalogChoice, Environment, SettingMistake, settings};

/// The default catalog, for an installed program without the file.
const BUILT_IN: &str = include_str!("../../catalogs/music.toml");

/// A catalog without mistakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedCatalog {
    pub catalog: Catalog,
    /// The file's text, from which the hash is computed.
    pub source: String,
    /// Where it was read from, for people.
    pub origin: String,
    /// The settings that it names, set or not.
    pub settings: BTreeSet<String>,
}

/// How a catalog's text is read.
pub(super) type Parse =
    for<'a> fn(&str, catalog::SettingLookup<'a>, Mode) -> Result<Catalog, Vec<catalog::CatalogMistake>>;

/// Loads a catalog, and reports everything that is wrong with it.
pub(super) fn load(
    choice: &CatalogChoice,
    environment: &Environment,
    mode: Mode,
    parse: Parse,
    mistakes: &mut Vec<SettingMistake>,
) -> Option<LoadedCatalog> {
    let (origin, text) = match choice {
        CatalogChoice::File(path) => (path.display().to_string(), catalog::read(path)),
        CatalogChoice::BuiltIn => ("the built-in music catalog".to_owned(), Ok(BUILT_IN.to_owned())),
    };
    let asked = RefCell::new(BTreeSet::new());
    let settings = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        environment.get(name).cloned()
    };
    let parsed = text
        .map_err(|mistake| vec![mistake])
        .and_then(|source| Ok((parse(&source, &settings, mode)?, source)));
    match parsed {
        Ok((catalog, source)) => {
            Some(LoadedCatalog { catalog, source, origin, settings: asked.into_inner() })
        }
        Err(found) => {
            mistakes.extend(found.iter().map(|mistake| SettingMistake::new(&origin, mistake.to_string())));
            None
        }
    }
}

/// The file that the settings name, or the default one if it is there.
pub(super) fn choose(asked: Option<&str>) -> CatalogChoice {
    let default = settings::CATALOG.default.map(Path::new).filter(|path| path.is_file());
    match asked.map(Path::new).or(default) {
        Some(path) => CatalogChoice::File(path.to_owned()),
        None => CatalogChoice::BuiltIn,
    }
}
