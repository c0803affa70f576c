//! What should exist at Stripe? What the catalog says, under names by which it can be found.

use std::collections::BTreeMap;

use crate::{
    catalog::{self, Mode},
    domain::{
        amount::{Currency, Money},
        catalog::{Catalog, Downgrade, Interval, Pack, Plan, StripePrice},
    },
    stripe::{
        client::setup::{API_VERSION, ExistingRecurrence, LookupPriceResponse},
        translate::kinds,
    },
};

/// The metadata with the catalog that an object was made for.
pub(super) const OWNER: &str = "counterfoil_catalog";
/// The metadata of a price that says what it is the price of, even after another price has its lookup key.
pub(super) const PRICE: &str = "counterfoil_price";

/// All that should exist.
#[derive(Clone, Debug)]
pub struct DesiredState {
    /// The catalog's name as a part of ids: several catalogs may share one Stripe account.
    pub owner: String,
    pub mode: Mode,
    pub offers: Vec<DesiredOffer>,
    /// What was sold before. Those who have it keep it, and nobody else gets it.
    pub retired: Vec<DesiredOffer>,
    /// How the portal settles a change: `always_invoice` or `none`.
    pub proration: String,
    /// `at_period_end` or `immediately`.
    pub cancellation: String,
    /// Whether the portal makes downgrades wait for the end of the period.
    pub less_at_period_end: bool,
    /// The configured portal configuration, if there is one.
    pub portal: Option<String>,
    /// The URL for webhooks.
    pub url: Option<String>,
    /// The version of Stripe's API for webhooks.
    pub api_version: String,
}

/// A plan, a pack, or chosen numbers of credits.
#[derive(Clone, Debug)]
pub struct DesiredOffer {
    /// Its place in the catalog.
    pub path: String,
    pub name: String,
    /// The product that the catalog names.
    pub product_given: Option<String>,
    /// The id of the product that is made if there is none.
    pub product_own: String,
    pub is_plan: bool,
    /// The setting with the product's id, if there is one.
    pub product_setting: Option<String>,
    /// Empty if a price is made for each sale.
    pub prices: Vec<DesiredPrice>,
}

#[derive(Clone, Debug)]
pub struct DesiredPrice {
    pub path: String,
    pub lookup_key: String,
    pub amount: Money,
    /// `None`: paid once.
    pub interval: Option<Interval>,
    /// The configured ids; the first one is for new sales.
    pub configured: Vec<String>,
    /// The setting that has them. `None`: they are in the catalog's file.
    pub setting: Option<String>,
    /// Earlier amounts.
    pub earlier: Vec<EarlierPrice>,
}

/// An amount that some customers may still pay.
#[derive(Clone, Debug)]
pub struct EarlierPrice {
    pub amount: Money,
    pub configured: Vec<String>,
    /// The setting that has its ids, if there is one.
    pub setting: Option<String>,
}

impl DesiredState {
    #[must_use]
    pub fn of(catalog: &Catalog, mode: Mode, portal: Option<&str>, url: Option<&str>) -> Self {
        let owner = slug(&catalog.name);
        let plans = catalog.plans.iter().filter(|plan| !plan.prices.is_empty());
        let plans = plans.map(|plan| (plan.is_sold(), of_plan(&owner, plan)));
        let packs = catalog.packs.iter().map(|pack| (pack.is_sold(), of_pack(&owner, pack)));
        let (sold, retired): (Vec<_>, Vec<_>) = plans.chain(packs).partition(|(is_sold, _)| *is_sold);
        Self {
            mode,
            offers: sold.into_iter().map(|(_, offer)| offer).chain(of_top_up(&owner, catalog)).collect(),
            retired: retired.into_iter().map(|(_, offer)| offer).collect(),
            proration: portal_proration(&catalog.payments.proration).to_owned(),
            cancellation: catalog.payments.cancellation.clone(),
            less_at_period_end: catalog.payments.downgrade == Downgrade::PeriodEnd,
            portal: portal.map(str::to_owned),
            url: url.map(str::to_owned),
            api_version: API_VERSION.to_owned(),
            owner,
        }
    }

    /// The same, with another version of Stripe's API for webhooks.
    #[must_use]
    pub fn pinned_to(self, api_version: &str) -> Self {
        Self { api_version: api_version.to_owned(), ..self }
    }

    /// The prices that are sold.
    pub fn prices(&self) -> impl Iterator<Item = &DesiredPrice> {
        self.offers.iter().flat_map(|offer| &offer.prices)
    }

    /// The prices that are or were sold.
    pub fn known_prices(&self) -> impl Iterator<Item = &DesiredPrice> {
        self.offers.iter().chain(&self.retired).flat_map(|offer| &offer.prices)
    }

    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(OWNER.to_owned(), self.owner.clone())])
    }

    /// Whether this catalog's setup has made an object with this metadata.
    #[must_use]
    pub fn owns(&self, metadata: &BTreeMap<String, String>) -> bool {
        metadata.get(OWNER) == Some(&self.owner)
    }
}

/// The portal can only settle increases and decreases in the same way.
/// Increases are always paid at once, since with the next invoice their credits would come a month late.
fn portal_proration(of_catalog: &str) -> &'static str {
    if of_catalog == "none" { "none" } else { "always_invoice" }
}

/// A plan or pack, and the names for it.
struct Named<'a> {
    owner: &'a str,
    kind: &'static str,
    id: &'a str,
    name: &'a str,
    is_sold: bool,
}

type DesiredPricing<'a> = (Option<Interval>, &'a Money, &'a StripePrice, Vec<EarlierPrice>);

fn of_plan(owner: &str, plan: &Plan) -> DesiredOffer {
    let of = Named { owner, kind: "plan", id: plan.id.as_str(), name: &plan.name, is_sold: plan.is_sold() };
    let prices = plan.prices.iter().map(|price| {
        let earlier = plan.earlier.iter().filter(|earlier| earlier.interval == price.interval);
        let earlier = earlier.map(|earlier| earlier_price(&earlier.amount, &earlier.stripe));
        (Some(price.interval), &price.amount, &price.stripe, earlier.collect())
    });
    of.offer(prices.collect())
}

fn of_pack(owner: &str, pack: &Pack) -> DesiredOffer {
    let of = Named { owner, kind: "pack", id: pack.id.as_str(), name: &pack.name, is_sold: pack.is_sold() };
    let earlier = pack.earlier.iter().map(|earlier| earlier_price(&earlier.amount, &earlier.stripe));
    of.offer(vec![(None, &pack.price, &pack.stripe, earlier.collect())])
}

/// The product for chosen numbers of credits, if the catalog has a place for its id.
fn of_top_up(owner: &str, catalog: &Catalog) -> Option<DesiredOffer> {
    let top_up = catalog.top_up.as_ref()?;
    let has_product = top_up.product_id.is_some() || top_up.product_setting.is_some();
    has_product.then(|| DesiredOffer {
        path: "top_up".to_owned(),
        name: top_up.name.clone(),
        product_given: top_up.product_id.clone(),
        product_own: format!("prod_{owner}_top_up"),
        is_plan: false,
        product_setting: top_up.product_setting.clone(),
        prices: Vec::new(),
    })
}

fn earlier_price(amount: &Money, stripe: &StripePrice) -> EarlierPrice {
    EarlierPrice {
        amount: amount.clone(),
        configured: stripe.retired_price_ids.clone(),
        setting: stripe.setting.clone(),
    }
}

impl Named<'_> {
    fn offer(&self, prices: Vec<DesiredPricing<'_>>) -> DesiredOffer {
        let Self { owner, kind, id, name, is_sold } = self;
        let path = format!("{kind}s.{id}");
        let given = prices.iter().find_map(|(_, _, stripe, _)| stripe.product_id.clone());
        let price = |(interval, amount, stripe, earlier): &DesiredPricing<'_>| DesiredPrice {
            path: interval.map_or_else(|| path.clone(), |by| format!("{path}.prices.{}", by.as_str())),
            lookup_key: match interval {
                Some(interval) => format!("{owner}_{kind}_{id}_{}", interval.as_str()),
                None => format!("{owner}_{kind}_{id}"),
            },
            amount: (*amount).clone(),
            interval: *interval,
            // What is no longer sold only has ids that were for sale before.
            configured: if *is_sold { &stripe.price_ids } else { &stripe.retired_price_ids }.clone(),
            setting: stripe.setting.clone(),
            earlier: earlier.clone(),
        };
        DesiredOffer {
            name: (*name).to_owned(),
            product_given: given,
            product_own: format!("prod_{owner}_{kind}_{id}"),
            is_plan: *kind == "plan",
            product_setting: None,
            prices: prices.iter().map(price).collect(),
            path,
        }
    }
}

impl DesiredPrice {
    pub(super) fn metadata(&self, wanted: &DesiredState) -> BTreeMap<String, String> {
        let mut metadata = wanted.metadata();
        metadata.insert(PRICE.to_owned(), self.lookup_key.clone());
        metadata
    }

    /// The earlier amount of a price at Stripe, if it is one.
    #[must_use]
    pub fn earlier(&self, kept: &LookupPriceResponse) -> Option<&EarlierPrice> {
        let amount = amount(kept)?;
        self.earlier.iter().find(|earlier| {
            earlier.configured.contains(&kept.id) || (earlier.setting.is_some() && earlier.amount == amount)
        })
    }

    /// All configured ids, including those of earlier amounts.
    pub fn ids(&self) -> impl Iterator<Item = &String> + Clone {
        self.configured.iter().chain(self.earlier.iter().flat_map(|earlier| &earlier.configured))
    }

    /// The difference between the catalog and a price at Stripe. `None`: there is none.
    #[must_use]
    pub fn differs(&self, kept: &LookupPriceResponse) -> Option<String> {
        if amount(kept).as_ref() != Some(&self.amount) {
            return Some(format!("{}, in the catalog {}", terms(kept), self.terms()));
        }
        let same = match (self.interval, &kept.recurring) {
            (None, None) => true,
            (Some(wanted), Some(has)) => is_every(wanted, has),
            (None, Some(_)) | (Some(_), None) => false,
        };
        (!same).then(|| format!("{}, in the catalog {}", terms(kept), self.terms()))
    }

    #[must_use]
    pub fn terms(&self) -> String {
        let amount = catalog::show(&self.amount);
        self.interval.map_or_else(|| format!("{amount} once"), |by| format!("{amount} a {}", by.as_str()))
    }
}

fn is_every(wanted: Interval, has: &ExistingRecurrence) -> bool {
    has.interval == wanted.as_str() && has.interval_count == 1 && has.usage_type == "licensed"
}

fn amount(kept: &LookupPriceResponse) -> Option<Money> {
    Some(Money { minor: kept.unit_amount?, currency: Currency::parse(&kept.currency).ok()? })
}

/// The terms of a price at Stripe, for people.
fn terms(kept: &LookupPriceResponse) -> String {
    let amount = amount(kept)
        .map_or_else(|| format!("no fixed amount of {}", kept.currency), |amount| catalog::show(&amount));
    let every = match &kept.recurring {
        None => "once".to_owned(),
        Some(by) if by.usage_type != "licensed" => format!("{} by the {}", by.usage_type, by.interval),
        Some(by) if by.interval_count == 1 => format!("a {}", by.interval),
        Some(by) => format!("every {} {}s", by.interval_count, by.interval),
    };
    format!("{amount} {every}")
}

/// The types of events that an endpoint should have.
#[must_use]
pub fn types() -> Vec<&'static str> {
    kinds::KINDS.iter().filter(|kind| kind.is_subscribed).map(|kind| kind.name).collect()
}

/// A name as a part of an id.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    let slug = slug.trim_end_matches('_');
    if slug.is_empty() { "counterfoil".to_owned() } else { slug.to_owned() }
}
