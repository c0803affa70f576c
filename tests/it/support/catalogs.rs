//! What is sold in the tests: the four businesses, as they are and changed.

use std::sync::Arc;

use counterfoil::{
    catalog::{self, Mode},
    domain::catalog::Catalog,
};

/// The prices that the inputs name, as settings. The monthly ones are in the catalog itself, as those of recorded
/// webhooks.
pub const SETTINGS: [(&str, &str); 5] = [
    ("STRIPE_PRICE_PACK_500", "price_t_pack_500"),
    ("STRIPE_PRICE_PACK_2000", "price_t_pack_2000"),
    ("STRIPE_PRICE_BASIC_ANNUAL", "price_t_basic_year"),
    ("STRIPE_PRICE_CREATOR_ANNUAL", "price_t_creator_year"),
    ("STRIPE_PRICE_TEAM_ANNUAL", "price_t_team_year"),
];

pub const MUSIC: &str = include_str!("../../../catalogs/music.toml");
pub const TRIAL: &str = include_str!("../server/cases/inputs/trial.toml");

/// With the prices that the inputs name.
pub fn parse(text: &str) -> Arc<Catalog> {
    set(text, |name| {
        let known = SETTINGS.iter().find(|(known, _)| *known == name);
        known.map_or_else(|| price_of(name), |(_, price)| Some((*price).to_owned()))
    })
}

/// With a price at Stripe for everything in it, called after its setting.
pub fn for_sale(text: &str) -> Arc<Catalog> {
    set(text, price_of)
}

/// With no price but those that are in the text.
pub fn unset(text: &str) -> Arc<Catalog> {
    set(text, |_| None)
}

fn set(text: &str, settings: impl Fn(&str) -> Option<String>) -> Arc<Catalog> {
    Arc::new(catalog::parse(text, &settings, Mode::Test).expect("the catalog is right"))
}

/// What is no price is left to its default.
fn price_of(setting: &str) -> Option<String> {
    (setting != "STRIPE_BILLING_ENABLED").then(|| format!("price_of_{}", setting.to_lowercase()))
}

pub fn music() -> Arc<Catalog> {
    parse(MUSIC)
}

pub fn trial() -> Arc<Catalog> {
    parse(TRIAL)
}

/// The music platform, where nothing rolls over: what an account has is what its months give.
pub fn without_rollover() -> Arc<Catalog> {
    parse(&unrolled(MUSIC))
}

pub fn unrolled(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("rollover")).collect::<Vec<_>>().join("\n")
}

/// The catalog without the tables that begin with one of these headers.
pub fn without(catalog: &str, headers: &[&str]) -> String {
    let mut out = String::new();
    let mut leaves_out = false;
    for line in catalog.lines() {
        if line.starts_with('[') {
            leaves_out = headers.iter().any(|header| line.starts_with(header));
        }
        if !leaves_out {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

pub fn promptforge() -> Arc<Catalog> {
    for_sale(include_str!("../../../catalogs/promptforge.toml"))
}

pub fn guide() -> Arc<Catalog> {
    for_sale(include_str!("../../../catalogs/guide.toml"))
}

pub fn localboxs() -> Arc<Catalog> {
    for_sale(include_str!("../../../catalogs/localboxs.toml"))
}
