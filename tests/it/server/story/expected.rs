//! How the story ends, worked out by hand from the documents, the catalog of the music platform and the rules.

use chrono::{Days, NaiveDate};
use counterfoil::domain::time::Timestamp;
use serde_json::{Value, json};

use super::{
    ending::{FROM, TO},
    lines::{LINES, Line},
};
use crate::support::documents::{ADA, BOB, event};

/// All grants of an account, sorted by id.
///
/// Ada's first June: 500 of Basic, and on 06-11 at the same second of the day, with 20 of 30 days left, the difference
/// to Creator: ⌊(1,500 − 500) × 20 ÷ 30⌋ = 666, which cost what was charged less what was credited. July is Creator's
/// 1,500, into which at most 2 × 1,500 − 1,500 may be carried: all of the 500 and the 666. August is Basic's 500 again,
/// into which 2 × 500 − 500 = 500 of the 1,500 are carried, and nothing of what had been carried before. Everything of
/// August ends with the subscription. Packs stay, but the first one was refunded, in two halves, and the second one was
/// disputed and lost: both are void.
pub fn grants(account: &str, opened_at: Timestamp) -> Vec<String> {
    let opened_at = json!(opened_at);
    let signup = format!(
        "signup signup live: 50 granted, 0 expired, 50 left, {}..never, free by nobody",
        opened_at.as_str().expect("text")
    );
    let others: &[&str] = match account {
        ADA => &[
            "carry:month:sub_1QLedgerAda00000000000001:1748772300 rollover ended: 500 granted, 500 expired, 0 left, \
             2025-07-01T10:05:00Z..2025-08-01T10:05:00Z, free by in_1QLedgerAda00000000000A1",
            "carry:month:sub_1QLedgerAda00000000000001:1751364300 rollover ended: 500 granted, 500 expired, 0 left, \
             2025-08-01T10:05:00Z..2025-09-01T10:05:00Z, free by in_1QLedgerAda00000000000A3",
            "carry:up:il_11QLedgerAda00000000000A202 rollover ended: 666 granted, 666 expired, 0 left, \
             2025-07-01T10:05:00Z..2025-08-01T10:05:00Z, free by in_1QLedgerAda00000000000A2",
            "month:sub_1QLedgerAda00000000000001:1748772300 allocation ended: 500 granted, 500 expired, 0 left, \
             2025-06-01T10:05:00Z..2025-07-01T10:05:00Z, 999 usd by in_1QLedgerAda00000000000A1",
            "month:sub_1QLedgerAda00000000000001:1751364300 allocation ended: 1500 granted, 1500 expired, 0 left, \
             2025-07-01T10:05:00Z..2025-08-01T10:05:00Z, 1999 usd by in_1QLedgerAda00000000000A3",
            "month:sub_1QLedgerAda00000000000001:1754042700 allocation ended: 500 granted, 500 expired, 0 left, \
             2025-08-01T10:05:00Z..2025-09-01T10:05:00Z, 999 usd by in_1QLedgerAda00000000000A4",
            "pack:pi_3QLedgerAda00000000000T1 top_up used: 2000 granted, 0 expired, 2000 void, 0 left, \
             2025-06-15T12:00:04Z..never, 2000 usd by pi_3QLedgerAda00000000000T1",
            "pack:pi_3QLedgerAda00000000000T2 top_up used: 5500 granted, 0 expired, 5500 void, 0 left, \
             2025-06-16T12:00:04Z..never, 5000 usd by pi_3QLedgerAda00000000000T2",
            "pack:pi_3QLedgerAda00000000000T3 top_up live: 2000 granted, 0 expired, 2000 left, \
             2025-06-22T09:00:00Z..never, 2000 usd by pi_3QLedgerAda00000000000T3",
            "up:il_11QLedgerAda00000000000A202 allocation ended: 666 granted, 666 expired, 0 left, \
             2025-06-11T10:05:00Z..2025-07-01T10:05:00Z, 667 usd by in_1QLedgerAda00000000000A2",
        ],
        // The trial gives nothing in this catalog; what is left of the one month that was paid ends with it.
        _ => &[
            "month:sub_1QLedgerBob00000000000002:1750320000 allocation ended: 5000 granted, 5000 expired, 0 left, \
             2025-06-19T08:00:00Z..2025-07-19T08:00:00Z, 2999 usd by in_1QLedgerBob00000000000B2",
        ],
    };
    let mut grants: Vec<String> = others.iter().map(|line| (*line).to_owned()).collect();
    grants.push(signup);
    grants.sort();
    grants
}

/// 50 of the free plan, and the one pack of Ada's that is left.
pub fn balance(account: &str) -> Value {
    let available = if account == ADA { 50 + 2_000 } else { 50 };
    json!({ "available": available, "held": 0, "settled": available, "debt": 0 })
}

pub fn subscription(account: &str) -> Value {
    let (id, plan, minor, start, end, trial_end) = if account == ADA {
        let (start, end) = ("2025-08-01T10:05:00Z", "2025-09-01T10:05:00Z");
        ("sub_1QLedgerAda00000000000001", "basic", 999, start, end, Value::Null)
    } else {
        let (start, end, trial_end) =
            ("2025-06-19T08:00:00Z", "2025-07-19T08:00:00Z", "2025-06-17T08:00:00Z");
        ("sub_1QLedgerBob00000000000002", "team", 2_999, start, end, json!(trial_end))
    };
    let (price, product, trial_start) = if account == ADA {
        ("price_1QLedgerBasicMonthly00001", "prod_QLedgerBasic01", Value::Null)
    } else {
        ("price_1QLedgerTeamMonthly000003", "prod_QLedgerTeam003", json!("2025-06-03T08:00:00Z"))
    };
    json!({
        "account": account,
        "plan": "free",
        "subscription": {
            "id": id,
            "price": price,
            "product": product,
            "amount": { "minor": minor, "currency": "usd" },
            "interval": "month",
            "interval_count": 1,
            "trial_start": trial_start,
            "status": "cancelled",
            "plan": plan,
            "quantity": 1,
            "monthly": { "minor": minor, "currency": "usd" },
            "period": { "start": start, "end": end },
            "cancel_at": end,
            "trial_end": trial_end,
            "ended_at": end,
            "collection_paused": false,
            "metadata": {},
        },
        "paid_until": end,
    })
}

/// From which day on Ada and Bob bring in how much a month.
///
/// Bob's trial and the two days that he was paused do not count. Nor does the day on which the collection of Ada's
/// payments was paused: her subscription stays active, but what is paused is no recurring revenue.
const WORTH: [(&str, i64, i64); 9] = [
    ("2025-05-30", 0, 0),
    ("2025-06-01", 999, 0),
    ("2025-06-11", 1_999, 0),
    ("2025-06-19", 1_999, 2_999),
    ("2025-07-19", 1_999, 0),
    ("2025-08-01", 999, 0),
    ("2025-08-10", 0, 0),
    ("2025-08-11", 999, 0),
    ("2025-09-01", 0, 0),
];

pub fn mrr() -> Vec<(String, i64)> {
    let [from, to] = [FROM, TO].map(|day| day.parse::<NaiveDate>().expect("a day"));
    let days = (0..).map(|count| from + Days::new(count)).take_while(|day| *day <= to);
    days.map(|day| {
        let day = day.to_string();
        let (_, ada, bob) =
            WORTH.iter().rfind(|(since, _, _)| *since <= day.as_str()).expect("a day of the story");
        (day, ada + bob)
    })
    .collect()
}

/// What changed the figures, and the document that said so.
pub fn movements(shape: &str) -> Vec<String> {
    let started = if shape == "2025-basil" { "created" } else { "updated.activated" };
    [
        ("2025-06-01 Ada new 0 to 999", started),
        ("2025-06-11 Ada expansion 999 to 1999", "updated.plan_upgrade"),
        ("2025-06-19 Bob new 0 to 2999", "resumed"),
        ("2025-07-19 Bob churn 2999 to 0", "deleted.bob"),
        ("2025-08-01 Ada contraction 1999 to 999", "updated.plan_downgrade"),
        ("2025-08-10 Ada churn 999 to 0", "updated.pause_collection"),
        ("2025-08-11 Ada reactivation 0 to 999", "updated.pause_collection_cleared"),
        ("2025-09-01 Ada churn 999 to 0", "deleted"),
    ]
    .map(|(moved, file)| {
        format!("{moved}, {}", event(shape, &format!("customer.subscription.{file}.json")).id)
    })
    .to_vec()
}

/// What a document of the story is expected to do.
pub fn line(shape: &str, file: &str) -> &'static Line {
    let name = file.strip_suffix(".json").expect("a document");
    let lines = || LINES.iter().filter(move |line| line.file == name);
    let found = lines().find(|line| line.shape.is_none_or(|only| only == shape));
    found.unwrap_or_else(|| panic!("{shape}/{file} has no line"))
}

/// The accounts' names in the story.
pub const NAMES: [(&str, &str); 2] = [("Ada", ADA), ("Bob", BOB)];
