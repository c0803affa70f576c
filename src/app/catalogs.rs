//! Which catalogs were used before this one? Plans that only they had still hold for accounts that are on them.

use chrono_tz::Tz;
use sqlx::{FromRow, PgPool};

use crate::{
    catalog::{self, Mode},
    clock::Clock,
    config::LoadedCatalog,
    domain::{
        amount::{Currency, Money},
        catalog::{Availability, Catalog, Interval, KnownPrice, Priced},
        ids::{PackId, PlanId},
    },
};

/// How many catalogs are read, the newest first.
const CATALOGS_MAX: i64 = 500;

/// Accounts on a plan that can no longer be changed to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OnOldPlan {
    pub plan: String,
    pub accounts: i64,
    pub terms: CatalogTerms,
}

/// Which terms hold for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogTerms {
    /// The terms of the file, which says that the plan is retired.
    Retired,
    /// The terms of the last catalog that had the plan.
    LastCatalog,
    /// No terms are known, since no catalog here ever had the plan: the free plan's hold.
    FreePlan,
}

/// Stores the catalog under its hash, so that an auditor can read the catalog of each decision, since when it is used,
/// and what its price ids mean.
///
/// # Errors
/// If the database does not answer.
pub async fn remember(pool: &PgPool, loaded: &LoadedCatalog, clock: &Clock) -> Result<(), sqlx::Error> {
    let (hash, now) = (loaded.catalog.hash.as_ref(), clock.now().to_utc());
    sqlx::query(include_str!("keep_catalog.sql"))
        .bind(hash)
        .bind(&loaded.catalog.name)
        .bind(&loaded.source)
        .bind(now)
        .execute(pool)
        .await?;
    sqlx::query(include_str!("note_catalog.sql")).bind(hash).bind(now).execute(pool).await?;
    for price in loaded.catalog.known_prices() {
        let (plan, pack, interval) = match &price.of {
            Priced::Plan(plan, interval) => (Some(plan.as_str()), None, Some(interval.as_str())),
            Priced::Pack(pack) => (None, Some(pack.as_str()), None),
        };
        sqlx::query(include_str!("keep_price.sql"))
            .bind(&price.id)
            .bind(plan)
            .bind(pack)
            .bind(interval)
            .bind(price.amount.minor)
            .bind(price.amount.currency.as_str())
            .bind(now)
            .execute(pool)
            .await?;
    }
    Ok(())
}

/// Adds what earlier catalogs had, newest first, and what price ids meant.
///
/// # Errors
/// If the database does not answer.
pub async fn recall(pool: &PgPool, catalog: &mut Catalog, mode: Mode) -> Result<(), sqlx::Error> {
    let texts: Vec<(String, String)> = sqlx::query_as(include_str!("former_catalogs.sql"))
        .bind(catalog.hash.as_ref())
        .bind(CATALOGS_MAX)
        .fetch_all(pool)
        .await?;
    for (hash, text) in texts {
        match catalog::parse_former(&text, mode) {
            Some(former) => catalog.take_over(former),
            None => tracing::warn!(hash, "an earlier catalog cannot be read any more"),
        }
    }
    let rows: Vec<PriceRow> = sqlx::query_as(include_str!("known_prices.sql")).fetch_all(pool).await?;
    rows.into_iter().filter_map(PriceRow::read).for_each(|price| catalog.recall(price));
    Ok(())
}

/// The time zone of the catalog that was used last; UTC if none was used yet.
///
/// # Errors
/// If the database does not answer.
pub async fn time_zone(pool: &PgPool) -> Result<Tz, sqlx::Error> {
    let newest: Option<(String, String)> =
        sqlx::query_as(include_str!("former_catalogs.sql")).bind("").bind(1_i64).fetch_optional(pool).await?;
    let catalog = newest.and_then(|(_, text)| catalog::parse_former(&text, Mode::Test));
    Ok(catalog.map_or(Tz::UTC, |catalog| catalog.time_zone))
}

#[derive(FromRow)]
struct PriceRow {
    price_id: String,
    plan: Option<String>,
    pack: Option<String>,
    interval: Option<String>,
    minor: i64,
    currency: String,
}

impl PriceRow {
    fn read(self) -> Option<KnownPrice> {
        let interval = [Interval::Month, Interval::Year]
            .into_iter()
            .find(|interval| Some(interval.as_str()) == self.interval.as_deref());
        let of = match (self.plan, self.pack) {
            (Some(plan), None) => Priced::Plan(PlanId::parse(&plan).ok()?, interval?),
            (None, Some(pack)) => Priced::Pack(PackId::parse(&pack).ok()?),
            (Some(_), Some(_)) | (None, None) => return None,
        };
        let amount = Money { minor: self.minor, currency: Currency::parse(&self.currency).ok()? };
        Some(KnownPrice { id: self.price_id, of, amount })
    }
}

/// How many accounts are on plans that can no longer be changed to, by the read models.
///
/// # Errors
/// If the database does not answer.
pub async fn on_old_plans(pool: &PgPool, catalog: &Catalog) -> Result<Vec<OnOldPlan>, sqlx::Error> {
    let counted: Vec<(String, i64)> =
        sqlx::query_as(include_str!("accounts_by_plan.sql")).fetch_all(pool).await?;
    let old = counted.into_iter().filter_map(|(plan, accounts)| {
        let terms = terms_of(catalog, &plan)?;
        Some(OnOldPlan { plan, accounts, terms })
    });
    Ok(old.collect())
}

fn terms_of(catalog: &Catalog, plan: &str) -> Option<CatalogTerms> {
    let known = PlanId::parse(plan).ok().and_then(|id| catalog.terms_of(&id).map(|plan| plan.standing));
    match known {
        Some(Availability::Sold) => None,
        Some(Availability::Retired) => Some(CatalogTerms::Retired),
        Some(Availability::Former) => Some(CatalogTerms::LastCatalog),
        None => Some(CatalogTerms::FreePlan),
    }
}

/// Logs how many accounts are on plans that the file does not have.
pub(super) fn tell(old: &[OnOldPlan]) {
    for OnOldPlan { plan, accounts, terms } in old {
        match terms {
            CatalogTerms::Retired => tracing::info!(plan, accounts, "accounts are on a retired plan"),
            CatalogTerms::LastCatalog => tracing::warn!(
                plan,
                accounts,
                "accounts are on a plan that the catalog does not have: the terms of the last one that had it hold"
            ),
            CatalogTerms::FreePlan => tracing::error!(
                plan,
                accounts,
                "accounts are on a plan that no catalog here ever had: the free plan's features and limits hold"
            ),
        }
    }
}
