//! One of every event, with every field filled in.

mod credits;
mod money;

use counterfoil::domain::{
    catalog::{Measure, WindowKind},
    credits::{AllocationMonth, GrantTerms, Source},
    event::{Draw, Event, Purpose},
    ids::{DeductionId, GenerationId, GenerationType, OptionName},
    limits::{UsageWindow, WindowKey},
    metadata::Metadata,
    time::{CalendarUnit, Timestamp},
};

use crate::builders::{
    catalog::{credits, plan_id, usd},
    words::{draw, grant_id, month, provider, time},
};
use credits::{accounts, clawbacks, grants, holds};
use money::{cancellations, checkouts, payments, subscriptions};

pub(super) fn at() -> Timestamp {
    time("2025-06-11T10:05:00.250Z")
}

pub(super) fn deduction_id() -> DeductionId {
    DeductionId::parse("ded_7").expect("it is an identifier")
}

pub(super) fn draws() -> Vec<Draw> {
    vec![draw("carry:month:sub_1:1748772000", 3), draw("signup", 2)]
}

pub(super) fn windows() -> Vec<UsageWindow> {
    let key = |measure, unit, kind| WindowKey { measure, unit, kind };
    vec![
        UsageWindow {
            key: key(Measure::Generations, CalendarUnit::Day, WindowKind::Calendar),
            start: time("2025-06-10T22:00:00Z"),
            count: 1,
        },
        UsageWindow {
            key: key(Measure::Credits, CalendarUnit::Week, WindowKind::Rolling),
            start: time("2025-06-11T09:30:00Z"),
            count: 5,
        },
    ]
}

pub(super) fn work() -> Purpose {
    let option = |name: &str| OptionName::parse(name).expect("it is an identifier");
    Purpose::Generation {
        id: GenerationId::parse("gen_1").ok(),
        kind: GenerationType::parse("standard_generation").expect("it is an identifier"),
        options: [(option("quality"), option("high"))].into(),
    }
}

pub(super) fn named() -> Purpose {
    Purpose::Named { id: GenerationId::parse("job-9").ok(), description: Some("an export".to_owned()) }
}

pub(super) fn grant() -> GrantTerms {
    GrantTerms {
        grant_id: grant_id("carry:month:sub_1:1748772000"),
        source: Source::Rollover,
        amount: credits(300),
        starts_at: month(1).start,
        expires_at: Some(month(1).end),
        priority: 50,
        cost: Some(usd(999)),
        payment: Some(provider("in_1")),
        slot: Some(AllocationMonth {
            subscription: provider("sub_1"),
            plan: plan_id("basic"),
            period: month(1),
            allocation: credits(500),
            carry_max: Some(credits(500)),
            carried_from: Some(grant_id("month:sub_1:1748772000")),
            paid_month_end: None,
        }),
        reason: Some("goodwill".to_owned()),
    }
}

pub fn events() -> Vec<Event> {
    [accounts(), grants(), clawbacks(), holds(), subscriptions(), cancellations(), payments(), checkouts()]
        .concat()
}

pub(super) fn metadata() -> Metadata {
    let pairs = [("source", "spring_mail"), ("ref-1", "ünïcode")];
    let pairs = pairs.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    Metadata::given(pairs).expect("a test's metadata is possible")
}
