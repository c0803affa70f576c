//! Do the four businesses run from their files, and is every mistake in a file found, with its line?

mod businesses;
mod mistakes;
mod mutations;
mod terms;

use std::path::{Path, PathBuf};

use counterfoil::{
    catalog::{CatalogMistake, Mode, parse},
    domain::catalog::Catalog,
};

const FILES: [&str; 4] = ["music", "promptforge", "localboxs", "guide"];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogs").join(format!("{name}.toml"))
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn nothing_is_set(_: &str) -> Option<String> {
    None
}

/// Answers every setting with an id made of its name, and switches with `true`.
fn everything_is_set(name: &str) -> Option<String> {
    if name == "STRIPE_BILLING_ENABLED" { Some("true".to_owned()) } else { Some(format!("price_of_{name}")) }
}

fn only<'a>(setting: &'a str, value: &'a str) -> impl Fn(&str) -> Option<String> + 'a {
    move |name| (name == setting).then(|| value.to_owned())
}

fn right(text: &str, settings: &dyn Fn(&str) -> Option<String>) -> Catalog {
    parse(text, settings, Mode::Test).unwrap_or_else(|mistakes| panic!("{}", show(&mistakes)))
}

fn show(mistakes: &[CatalogMistake]) -> String {
    mistakes.iter().map(|mistake| format!("{mistake}\n")).collect()
}
