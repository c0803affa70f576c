//! A small catalog, built in Rust, so that a rule's test says all that it depends on.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use domain::{
    amount::{Credits, Currency, Money},
    catalog::{
        Allocation, Availability, Catalog, DebtPolicy, Downgrade, GenerationPrice, Interval, Limit, Measure,
        Pack, PackRefunds, PaymentSettings, Plan, PlanPrice, Ratio, RolloverCap, SecondSubscription,
        StripePrice, Trial, WindowKind,
    },
    ids::{FeatureId, GenerationType, OptionName, PackId, PlanId},
    time::CalendarUnit,
};

pub fn credits(value: i64) -> Credits {
    Credits::new(value).expect("a test's amount is not negative")
}

pub fn usd(minor: i64) -> Money {
    Money { minor, currency: Currency::parse("usd").expect("usd is a currency") }
}

pub fn plan_id(id: &str) -> PlanId {
    PlanId::parse(id).expect("a test's plan is an identifier")
}

/// Plans `free` (50 once), `basic` (500), `creator` (1500) and `team` (5000); debt is owed.
pub fn catalog() -> Catalog {
    Catalog {
        name: "rules".to_owned(),
        hash: "0".repeat(64).into(),
        currency: Currency::parse("usd").expect("usd is a currency"),
        scale: 0,
        time_zone: chrono_tz::Europe::Berlin,
        free_plan: plan_id("free"),
        features: FEATURES.iter().map(|name| (feature(name), (*name).to_owned())).collect(),
        plans: vec![
            Plan { allocation: Allocation::Once(credits(50)), ..plan("free", 0, 5, 0, &[]) },
            plan("basic", 500, 50, 999, &FEATURES[..2]),
            Plan { discount_percent: 10, ..plan("creator", 1500, 150, 1999, &FEATURES[..3]) },
            Plan {
                rollover: Some(RolloverCap::Carry(credits(1000))),
                discount_percent: 20,
                trial: Some(Trial { days: 14, credits: credits(200) }),
                ..plan("team", 5000, 500, 2999, &FEATURES)
            },
        ],
        packs: vec![
            pack("pack_500", 500, 600, None),
            pack("pack_2000", 2000, 2000, None),
            pack("pack_short", 100, 100, Some(30)),
        ],
        top_up: None,
        generations: generations(),
        debt: DebtPolicy::Owe,
        payments: payments(),
    }
}

const FEATURES: [&str; 4] = ["advanced_editing", "commercial_license", "stem_separation", "collaboration"];

/// Clawed back credits that were spent are forgiven, and not owed.
pub fn forgiving() -> Catalog {
    Catalog { debt: DebtPolicy::Forgive, ..catalog() }
}

/// The free plan gives 100 credits each month, and lets them roll over up to twice that.
pub fn free_monthly() -> Catalog {
    let mut catalog = catalog();
    for plan in catalog.plans.iter_mut().filter(|plan| plan.id == plan_id("free")) {
        plan.allocation = Allocation::Monthly(credits(100));
        plan.rollover = twice();
    }
    catalog
}

/// Larger plans let at least as much roll over as smaller ones.
pub fn rolling_twice() -> Catalog {
    let mut catalog = catalog();
    for plan in &mut catalog.plans {
        plan.rollover = twice();
    }
    catalog
}

/// The free plan gives nothing.
pub fn free_nothing() -> Catalog {
    let mut catalog = catalog();
    for plan in catalog.plans.iter_mut().filter(|plan| plan.id == plan_id("free")) {
        plan.allocation = Allocation::None;
    }
    catalog
}

pub fn in_zone(zone: Tz) -> Catalog {
    Catalog { time_zone: zone, ..catalog() }
}

/// The catalog with one plan's limits replaced.
pub fn limited(plan: &str, limits: Vec<Limit>) -> Catalog {
    let mut catalog = catalog();
    for plan in catalog.plans.iter_mut().filter(|other| other.id == plan_id(plan)) {
        plan.limits.clone_from(&limits);
    }
    catalog
}

pub fn limit(measure: Measure, unit: CalendarUnit, window: WindowKind, max: u64) -> Limit {
    Limit { measure, unit, window, max, per_seat: false }
}

fn feature(name: &str) -> FeatureId {
    FeatureId::parse(name).expect("a test's feature is an identifier")
}

fn twice() -> Option<RolloverCap> {
    Ratio::new(2, 1).map(RolloverCap::MaxBalance)
}

fn plan(id: &str, monthly: i64, generations_a_day: u64, price: i64, features: &[&str]) -> Plan {
    let priced = |interval, amount| PlanPrice { interval, amount, stripe: StripePrice::default() };
    let prices = [priced(Interval::Month, usd(price)), priced(Interval::Year, usd(price * 10))];
    Plan {
        id: plan_id(id),
        name: id.to_owned(),
        standing: Availability::Sold,
        popular: false,
        marketing: Vec::new(),
        allocation: Allocation::Monthly(credits(monthly)),
        rollover: twice(),
        features: features.iter().map(|name| feature(name)).collect(),
        limits: vec![limit(Measure::Generations, CalendarUnit::Day, WindowKind::Calendar, generations_a_day)],
        discount_percent: 0,
        prices: if price == 0 { Vec::new() } else { prices.to_vec() },
        earlier: Vec::new(),
        trial: None,
    }
}

fn pack(id: &str, amount: i64, price: i64, days: Option<u16>) -> Pack {
    Pack {
        id: PackId::parse(id).expect("a test's pack is an identifier"),
        name: id.to_owned(),
        standing: Availability::Sold,
        credits: credits(amount),
        price: usd(price),
        earlier: Vec::new(),
        expires_after_days: days,
        stripe: StripePrice::default(),
    }
}

fn generations() -> BTreeMap<GenerationType, GenerationPrice> {
    let option = |name: &str| OptionName::parse(name).expect("a test's option is an identifier");
    let quality = [(option("standard"), credits(0)), (option("high"), credits(3))];
    let length = [(option("long"), credits(4))];
    let options = [(option("quality"), quality.into()), (option("length"), length.into())];
    let generation = |base: i64, needs: &[&str]| GenerationPrice {
        name: "work".to_owned(),
        base: credits(base),
        needs: needs.iter().map(|name| feature(name)).collect::<BTreeSet<_>>(),
        options: options.clone().into(),
    };
    let kind = |name: &str| GenerationType::parse(name).expect("a test's type is an identifier");
    [
        (kind("standard"), generation(5, &[])),
        (kind("stems"), generation(15, &["stem_separation"])),
        (kind("batch"), generation(25, &[])),
    ]
    .into()
}

fn payments() -> PaymentSettings {
    PaymentSettings {
        enabled: true,
        minor_min: 50,
        minor_max: 100_000,
        automatic_capture: true,
        trial_days: 14,
        several_subscriptions: false,
        second_subscription: SecondSubscription::Keep,
        proration: "create_prorations".to_owned(),
        cancellation: "at_period_end".to_owned(),
        grace_days: 3,
        pack_refunds: PackRefunds::Given,
        downgrade: Downgrade::AtOnce,
        trust_processing: false,
        bridge_days: 21,
    }
}
