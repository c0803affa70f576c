//! Can the program start with this catalog file? `counterfoil catalog check` shows the answer.

use std::{fmt, path::Path};

use comfy_table::{Table, presets::UTF8_BORDERS_ONLY};
use serde::Serialize;

use super::{
    CatalogMistake, MistakeCause, Mode, SettingLookup, currency::show, document, read, reading::PriceIdRule,
};
use domain::{
    amount::Credits,
    catalog::{Allocation, Catalog, Limit, Measure, Pack, Plan, StripePrice, TopUp, Trial, WindowKind},
    time::CalendarUnit,
};

/// The findings about a catalog file.
#[derive(Clone, Debug)]
pub struct CatalogReport {
    pub file: String,
    pub mode: Mode,
    /// What must be corrected in the file.
    pub mistakes: Vec<CatalogMistake>,
    /// Settings that must be set before the program starts with this file.
    pub settings: Vec<CatalogMistake>,
    /// The catalog. `None`: the file has mistakes.
    pub catalog: Option<Catalog>,
}

/// Checks a catalog file. Never fails: a file that cannot be read is one of the mistakes.
#[must_use]
pub fn check(path: &Path, settings: SettingLookup<'_>, mode: Mode) -> CatalogReport {
    let (catalog, found) = match read(path) {
        Ok(text) => document::read(&text, settings, mode, PriceIdRule::Needed),
        Err(mistake) => (None, vec![mistake]),
    };
    let (mistakes, settings): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|mistake| mistake.cause == MistakeCause::File);
    let catalog = catalog.filter(|_| mistakes.is_empty());
    CatalogReport { file: path.display().to_string(), mode, mistakes, settings, catalog }
}

/// A line for each price at which nothing can be bought, because it has no id at Stripe.
#[must_use]
pub fn not_for_sale(catalog: &Catalog) -> Vec<String> {
    let plans = catalog.plans.iter().filter(|plan| plan.is_sold()).flat_map(|plan| {
        plan.prices.iter().filter(|price| price.amount.minor > 0).map(move |price| {
            (format!("plan `{}` by the {}", plan.id, price.interval.as_str()), &price.stripe)
        })
    });
    let packs = catalog.packs.iter().filter(|pack| pack.is_sold());
    let packs = packs.map(|pack| (format!("pack `{}`", pack.id), &pack.stripe));
    plans
        .chain(packs)
        .filter(|(_, stripe)| stripe.sale_id().is_none())
        .map(|(what, stripe)| format!("{what} cannot be bought: {}", why_not(stripe)))
        .collect()
}

fn why_not(stripe: &StripePrice) -> String {
    stripe.setting.as_ref().map_or_else(
        || "the catalog gives it no `stripe` ids".to_owned(),
        |setting| format!("setting {setting} is missing"),
    )
}

impl CatalogReport {
    /// Whether the file itself is right, whatever the settings are.
    #[must_use]
    pub const fn is_right(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// Whether the program would start with this file and the settings that it was checked with.
    #[must_use]
    pub const fn can_start(&self) -> bool {
        self.is_right() && self.settings.is_empty()
    }

    /// The same as JSON, for programs.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "file": self.file,
            "mode": self.mode.as_str(),
            "is_right": self.is_right(),
            "can_start": self.can_start(),
            "mistakes": self.mistakes,
            "settings": self.settings,
            "catalog": self.catalog.as_ref().map(CatalogSummary::of),
        })
    }
}

/// What a catalog sells, in short descriptions.
#[derive(Serialize)]
struct CatalogSummary {
    name: String,
    hash: String,
    currency: String,
    time_zone: String,
    free_plan: String,
    plans: Vec<PlanLine>,
    packs: Vec<PackLine>,
    top_up: Option<String>,
    /// Plans and packs that are no longer sold.
    retired: Vec<String>,
    generations: Vec<GenerationLine>,
    not_for_sale: Vec<String>,
}

#[derive(Serialize)]
struct PlanLine {
    plan: String,
    credits: String,
    prices: Vec<String>,
    trial: Option<String>,
    limits: Vec<String>,
    discount_percent: u8,
    features: Vec<String>,
}

#[derive(Serialize)]
struct PackLine {
    pack: String,
    credits: Credits,
    price: String,
}

#[derive(Serialize)]
struct GenerationLine {
    generation: String,
    credits: Credits,
    needs: Vec<String>,
    options: Vec<String>,
}

impl CatalogSummary {
    fn of(catalog: &Catalog) -> Self {
        let generation = |(kind, price): (&_, &domain::catalog::GenerationPrice)| GenerationLine {
            generation: format!("{kind}"),
            credits: price.base,
            needs: price.needs.iter().map(ToString::to_string).collect(),
            options: price.options.keys().map(ToString::to_string).collect(),
        };
        Self {
            name: catalog.name.clone(),
            hash: catalog.hash.to_string(),
            currency: catalog.currency.to_string(),
            time_zone: catalog.time_zone.name().to_owned(),
            free_plan: catalog.free_plan.to_string(),
            plans: catalog.plans.iter().map(plan_line).collect(),
            packs: catalog.packs.iter().map(pack_line).collect(),
            top_up: catalog.top_up.as_ref().and_then(describe_top_up),
            retired: retired(catalog),
            generations: catalog.generations.iter().map(generation).collect(),
            not_for_sale: not_for_sale(catalog),
        }
    }
}

fn plan_line(plan: &Plan) -> PlanLine {
    let credits = match plan.allocation {
        Allocation::None => "none".to_owned(),
        Allocation::Once(credits) => format!("{credits} once"),
        Allocation::Monthly(credits) => format!("{credits} monthly"),
    };
    let price =
        |price: &domain::catalog::PlanPrice| format!("{} / {}", show(&price.amount), price.interval.as_str());
    PlanLine {
        plan: plan.id.to_string(),
        credits,
        prices: plan.prices.iter().map(price).collect(),
        trial: plan.trial.as_ref().map(describe_trial),
        limits: plan.limits.iter().map(describe_limit).collect(),
        discount_percent: plan.discount_percent,
        features: plan.features.iter().map(ToString::to_string).collect(),
    }
}

fn describe_trial(trial: &Trial) -> String {
    format!("{}, {} credits", count(trial.days.into(), "day"), trial.credits)
}

fn pack_line(pack: &Pack) -> PackLine {
    PackLine { pack: pack.id.to_string(), credits: pack.credits, price: show(&pack.price) }
}

fn describe_top_up(top_up: &TopUp) -> Option<String> {
    let cost = |credits| Some(format!("{credits} credits for {}", show(&top_up.price_of(credits)?)));
    Some(format!("{}, up to {}", cost(top_up.smallest)?, cost(top_up.largest)?))
}

fn retired(catalog: &Catalog) -> Vec<String> {
    let plans = catalog.plans.iter().filter(|plan| !plan.is_sold()).map(|plan| format!("plan `{}`", plan.id));
    let packs = catalog.packs.iter().filter(|pack| !pack.is_sold()).map(|pack| format!("pack `{}`", pack.id));
    plans.chain(packs).collect()
}

fn describe_limit(limit: &Limit) -> String {
    let measure = match limit.measure {
        Measure::Generations => "generations",
        Measure::Credits => "credits",
    };
    let window = match (limit.window, limit.unit) {
        (WindowKind::Calendar, CalendarUnit::Day) => "a day",
        (WindowKind::Calendar, CalendarUnit::Week) => "a week",
        (WindowKind::Calendar, CalendarUnit::Month) => "a month",
        (WindowKind::Rolling, CalendarUnit::Day) => "in any 24 hours",
        (WindowKind::Rolling, CalendarUnit::Week) => "in any 7 days",
        (WindowKind::Rolling, CalendarUnit::Month) => "in any 30 days",
    };
    format!("{} {measure} {window}", limit.max)
}

impl fmt::Display for CatalogReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in self.mistakes.iter().chain(&self.settings) {
            writeln!(formatter, "{}: {mistake}", self.file)?;
        }
        if !self.is_right() {
            return writeln!(
                formatter,
                "{}: {} to correct",
                self.file,
                count(self.mistakes.len(), "mistake")
            );
        }
        if let Some(catalog) = &self.catalog {
            CatalogSummary::of(catalog).fmt(formatter)?;
        }
        if self.can_start() {
            writeln!(formatter, "{}: right", self.file)
        } else {
            let missing = count(self.settings.len(), "setting");
            writeln!(formatter, "{}: the file is right; {missing} to set in {} mode", self.file, self.mode)
        }
    }
}

impl fmt::Display for CatalogSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} ({}, days in {})", self.name, self.currency, self.time_zone)?;
        writeln!(formatter, "without a subscription: {}; catalog hash {}", self.free_plan, self.hash)?;
        let mut plans = table(["plan", "credits", "prices", "trial", "limits", "discount", "features"]);
        for plan in &self.plans {
            let discount = format!("{} %", plan.discount_percent);
            let (prices, limits) = (plan.prices.join("\n"), plan.limits.join("\n"));
            plans.add_row([
                plan.plan.as_str(),
                &plan.credits,
                &prices,
                plan.trial.as_deref().unwrap_or_default(),
                &limits,
                &discount,
                &plan.features.join("\n"),
            ]);
        }
        let mut packs = table(["pack", "credits", "price"]);
        for pack in &self.packs {
            packs.add_row([&pack.pack, &pack.credits.to_string(), &pack.price]);
        }
        let mut generations = table(["generation", "credits", "needs", "options"]);
        for line in &self.generations {
            let (needs, options) = (line.needs.join("\n"), line.options.join(", "));
            generations.add_row([&line.generation, &line.credits.to_string(), &needs, &options]);
        }
        for table in [plans, packs, generations].iter().filter(|table| !table.is_empty()) {
            writeln!(formatter, "{table}")?;
        }
        if let Some(top_up) = &self.top_up {
            writeln!(formatter, "any number of credits: {top_up}")?;
        }
        if !self.retired.is_empty() {
            writeln!(formatter, "not sold any more: {}", self.retired.join(", "))?;
        }
        self.not_for_sale.iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY).set_header(header);
    table
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
