//! Which plans can be subscribed to, and what do they give?

use std::collections::BTreeSet;

use super::{
    credits::read_credits,
    identifiers::{FeatureNames, identify, read_feature_list},
    payments::{PriceTerms, TRIAL_DAYS_MAX, days},
    prices::read_plan_prices,
    reading::{Node, TableEntry, TomlTable},
};
use domain::{
    amount::Credits,
    catalog::{Allocation, Availability, Limit, Measure, Plan, Ratio, RolloverCap, Trial, WindowKind},
    ids::PlanId,
    time::CalendarUnit,
};

const KEYS: [&str; 11] = [
    "name",
    "retired",
    "popular",
    "marketing",
    "credits",
    "rollover",
    "features",
    "limits",
    "discount_percent",
    "prices",
    "trial",
];

const MEASURES: [(&str, Measure); 2] = [("generations", Measure::Generations), ("credits", Measure::Credits)];
const UNITS: [(&str, CalendarUnit); 3] =
    [("day", CalendarUnit::Day), ("week", CalendarUnit::Week), ("month", CalendarUnit::Month)];
const WINDOWS: [(&str, WindowKind); 2] =
    [("calendar", WindowKind::Calendar), ("rolling", WindowKind::Rolling)];

/// The plans in the order of the file.
pub(super) fn read(root: &TomlTable<'_>, features: &FeatureNames, terms: &PriceTerms) -> Vec<Plan> {
    let Some(table) = root.required("plans").and_then(|node| node.open_table("a table of plans")) else {
        return Vec::new();
    };
    let entries = table.entries();
    let plans: Vec<_> = entries.iter().filter_map(|entry| read_plan(entry, features, terms)).collect();
    check_popular(&entries, &plans);
    plans
}

fn read_plan(entry: &TableEntry<'_>, features: &FeatureNames, terms: &PriceTerms) -> Option<Plan> {
    let id = identify(entry, PlanId::parse);
    let table = entry.node.table(&KEYS)?;
    // All keys are read before a missing one ends this, so that each mistake is reported.
    let name = table.required("name").and_then(|node| node.text());
    let standing = table.or("retired", Availability::Sold, read_standing);
    let popular = table.or("popular", false, Node::boolean);
    let marketing = table.or("marketing", Vec::new(), Node::strings);
    let allocation = table.or("credits", Allocation::None, read_allocation);
    let rollover = table.or("rollover", None, |node| read_rollover(node, allocation).map(Some));
    let features = table.or("features", BTreeSet::new(), |node| read_feature_list(node, features));
    let limits = table.or("limits", Vec::new(), read_limits);
    let discount = table.or("discount_percent", 0, |node| node.integer(0..=100));
    let prices = table.or("prices", (Vec::new(), Vec::new()), |node| read_plan_prices(node, terms));
    let trial = table.or("trial", None, |node| read_trial(node, &table, terms).map(Some));
    let (standing, (prices, earlier)) = (standing?, prices?);
    let plan = Plan {
        id: id?,
        name: name?.to_owned(),
        standing,
        popular: popular?,
        marketing: marketing?.into_iter().map(str::to_owned).collect(),
        allocation: allocation?,
        rollover: rollover?,
        features: features?,
        limits: limits?,
        discount_percent: u8::try_from(discount?).ok()?,
        prices,
        earlier,
        trial: trial?,
    };
    Some(if plan.is_sold() { plan } else { plan.withdrawn(standing) })
}

/// `retired = true`
pub(super) fn read_standing(node: &Node<'_>) -> Option<Availability> {
    Some(if node.boolean()? { Availability::Retired } else { Availability::Sold })
}

/// `{ monthly = 500 }` or `{ once = 50 }`
fn read_allocation(node: &Node<'_>) -> Option<Allocation> {
    if node.value.is_integer() {
        return node.refuse("say how often: { monthly = … } or { once = … }");
    }
    let table = node.table(&["monthly", "once"])?;
    let (monthly, once) = (table.find("monthly"), table.find("once"));
    match (monthly, once) {
        (Some(monthly), None) => read_credits(&monthly, 1).map(Allocation::Monthly),
        (None, Some(once)) => read_credits(&once, 1).map(Allocation::Once),
        (Some(_), Some(_)) => table.refuse("give `monthly` or `once`, not both"),
        (None, None) => table.refuse("give `monthly` or `once`"),
    }
}

/// `{ max_balance = "2x" }` or `{ carry = 500 }`
fn read_rollover(node: &Node<'_>, allocation: Option<Allocation>) -> Option<RolloverCap> {
    let table = node.table(&["max_balance", "carry"])?;
    if matches!(allocation, Some(Allocation::None | Allocation::Once(_))) {
        node.refuse::<()>("only monthly credits roll over, and this plan has none");
    }
    match (table.find("max_balance"), table.find("carry")) {
        (Some(multiple), None) => read_multiple(&multiple).map(RolloverCap::MaxBalance),
        (None, Some(carry)) => read_credits(&carry, 1).map(RolloverCap::Carry),
        (Some(_), Some(_)) => table.refuse("give `max_balance` or `carry`, not both"),
        (None, None) => table.refuse("give `max_balance` or `carry`"),
    }
}

/// `"2x"` or `"1.5x"`: from 1 to 100 times the monthly credits, with at most three decimals.
fn read_multiple(node: &Node<'_>) -> Option<Ratio> {
    let text = node.text()?;
    match parse_multiple(text) {
        Some(thousandths @ 1_000..=100_000) => Ratio::new(thousandths, 1_000),
        Some(_) => node.refuse(format!("`{text}` is not from 1x to 100x")),
        None => node.refuse(format!("`{text}` is not a multiple; write \"2x\" or \"1.5x\"")),
    }
}

/// The multiple in thousandths.
fn parse_multiple(text: &str) -> Option<u64> {
    let number = text.strip_suffix('x')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.len() > 3 {
        return None;
    }
    format!("{whole}{fraction:0<3}").parse().ok()
}

fn read_limits(node: &Node<'_>) -> Option<Vec<Limit>> {
    let mut limits: Vec<Limit> = Vec::new();
    for item in node.items()? {
        let Some(limit) = read_limit(&item) else { continue };
        let same = |other: &Limit| {
            (other.measure, other.unit, other.window) == (limit.measure, limit.unit, limit.window)
        };
        if limits.iter().any(same) {
            item.refuse::<()>("this plan already has a limit of this measure over this window");
        }
        limits.push(limit);
    }
    Some(limits)
}

/// `{ measure = "generations", per = "day", window = "calendar", max = 50, per_seat = true }`
fn read_limit(node: &Node<'_>) -> Option<Limit> {
    let table = node.table(&["measure", "per", "window", "max", "per_seat"])?;
    let measure = table.required("measure").and_then(|node| node.one_of("measure", &MEASURES));
    let unit = table.required("per").and_then(|node| node.one_of("unit", &UNITS));
    let window = table.or("window", WindowKind::Calendar, |node| node.one_of("window", &WINDOWS));
    let max = table.required("max").and_then(|node| node.integer(1..=super::CREDITS_MAX));
    let per_seat = table.or("per_seat", false, Node::boolean);
    let max = u64::try_from(max?).ok()?;
    Some(Limit { measure: measure?, unit: unit?, window: window?, max, per_seat: per_seat? })
}

/// `{ days = 14, credits = 100 }`
fn read_trial(node: &Node<'_>, plan: &TomlTable<'_>, terms: &PriceTerms) -> Option<Trial> {
    let table = node.table(&["days", "credits"])?;
    if plan.find("prices").is_none() {
        node.refuse::<()>("a plan without prices is not subscribed to, so it cannot be tried");
    }
    let length = table.or("days", terms.payments.trial_days, |node| days(node, 1, TRIAL_DAYS_MAX));
    let credits = table.or("credits", Credits::ZERO, |node| read_credits(node, 0));
    if length == Some(0) {
        node.refuse::<()>("a trial has a day at least: say `days` here, or more in `payments.trial_days`");
    }
    Some(Trial { days: length?, credits: credits? })
}

/// At most one plan can be popular, and it has to be for sale.
fn check_popular(entries: &[TableEntry<'_>], plans: &[Plan]) {
    for entry in entries.iter().filter(|entry| is_retired_and_popular(entry)) {
        entry.refuse_key::<()>("a retired plan is not shown, so it cannot be popular");
    }
    let popular: Vec<_> = plans.iter().filter(|plan| plan.popular).map(|plan| plan.id.as_str()).collect();
    for entry in entries.iter().filter(|entry| popular.iter().skip(1).any(|id| *id == entry.name)) {
        let first = popular.first().copied().unwrap_or_default();
        entry.refuse_key::<()>(format!("`{first}` is popular already; only one plan can be"));
    }
}

fn is_retired_and_popular(entry: &TableEntry<'_>) -> bool {
    let is_true = |key: &str| {
        let value = entry.node.as_table().and_then(|table| table.find(key)?.value.as_bool());
        value == Some(true)
    };
    is_true("retired") && is_true("popular")
}
