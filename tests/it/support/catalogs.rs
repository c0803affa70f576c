//! What is sold in the cases: the music platform with every price set, and a platform with trials and without rollover.

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

pub fn parse(text: &str) -> Arc<Catalog> {
    let setting =
        |name: &str| {
            let known = SETTINGS.iter().find(|(known, _)| *known == name);
            Some(known.map_or_else(
                || format!("price_of_{}", name.to_lowercase()),
                |(_, price)| (*price).to_owned(),
            ))
        };
    Arc::new(catalog::parse(text, &setting, Mode::Test).expect("the catalog is right"))
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

/// Another business, each of whose prices is called after its setting.
fn named(text: &str) -> Arc<Catalog> {
    let setting = |name: &str| match name {
        "STRIPE_BILLING_ENABLED" => None,
        name => Some(format!("price_of_{}", name.to_lowercase())),
    };
    Arc::new(catalog::parse(text, &setting, Mode::Test).expect("the catalog is right"))
}

pub fn promptforge() -> Arc<Catalog> {
    named(include_str!("../../../catalogs/promptforge.toml"))
}

pub fn guide() -> Arc<Catalog> {
    named(include_str!("../../../catalogs/guide.toml"))
}

pub fn localboxs() -> Arc<Catalog> {
    named(include_str!("../../../catalogs/localboxs.toml"))
}
