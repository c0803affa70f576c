//! What is worth a look in the year, and why? One account for each thing that happens to customers, and the figures of
//! the business, each with its addresses.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    deeds::{Highlight, Person},
    people::People,
    year::Lived,
};

/// What is worth a look.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Look {
    pub(super) accounts: Vec<Notable>,
    pub(super) figures: Vec<FigureAddress>,
    /// How many things were asked for in the year.
    pub(super) requests: u64,
    /// What was refused, by reason.
    pub(super) refused: BTreeMap<String, u64>,
}

/// An account that is worth a look.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Notable {
    pub(super) account: String,
    pub(super) why: String,
    pub(super) addresses: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FigureAddress {
    pub(super) figure: String,
    pub(super) address: String,
}

const STATEMENT: &str = "/statement";
const HISTORY: &str = "/subscription/history";
const PAYMENTS: &str = "/payments";
const EVENTS: &str = "/events";
const LOTS: &str = "/lots";
const PERIODS: &str = "/paid-periods";
const USAGE: &str = "/overview";

/// All of them, in the order in which they are told.
const TOLD: [(Highlight, &str, [&str; 2]); 14] = [
    (
        Highlight::PaidInTheEnd,
        "a renewal was declined, and paid with another card days later",
        [HISTORY, PAYMENTS],
    ),
    (Highlight::NeverPaid, "a renewal was declined until the subscription ended", [HISTORY, STATEMENT]),
    (
        Highlight::DisputeLost,
        "a payment was disputed, and lost: its credits were taken back",
        [STATEMENT, EVENTS],
    ),
    (
        Highlight::DisputeWon,
        "a payment was disputed, and won: its credits were frozen meanwhile",
        [STATEMENT, EVENTS],
    ),
    (Highlight::PackGivenBack, "a pack was refunded, of which a part may have been spent", [STATEMENT, LOTS]),
    (Highlight::MoneyBack, "cancelled at once, and got the month's money back", [STATEMENT, PERIODS]),
    (Highlight::Upgraded, "changed to a larger plan within a month", [STATEMENT, PERIODS]),
    (Highlight::Downgraded, "changed to a smaller plan, from the next month on", [HISTORY, STATEMENT]),
    (Highlight::CameBack, "left, and came back: a reactivation", [HISTORY, STATEMENT]),
    (Highlight::ByYear, "pays by the year, and gets credits each month", [LOTS, PERIODS]),
    (Highlight::GrewQuiet, "made less and less, and then cancelled", [USAGE, HISTORY]),
    (Highlight::TrialWon, "tried it, and stayed", [HISTORY, STATEMENT]),
    (Highlight::TrialLost, "tried it, and left", [HISTORY, STATEMENT]),
    (Highlight::Heaviest, "used the most credits", [USAGE, STATEMENT]),
];

impl Look {
    pub(super) fn at(people: &People, lived: &Lived, (from, to): (NaiveDate, NaiveDate)) -> Self {
        Self {
            accounts: notable(people, lived),
            figures: figures(from, to),
            requests: lived.requests,
            refused: lived.refused.clone(),
        }
    }

    /// For people, with the address of the server.
    pub(super) fn text(&self, address: &str) -> String {
        let mut text = format!(
            "\nWorth a look, with the key, after {} requests of people and of the product's backend:\n",
            self.requests
        );
        for figure in &self.figures {
            text.push_str(&format!("\n  {:<26} http://{address}{}", figure.figure, figure.address));
        }
        text.push('\n');
        for notable in &self.accounts {
            text.push_str(&format!("\n  {:<14} {}", notable.account, notable.why));
            for path in &notable.addresses {
                text.push_str(&format!("\n{:17}http://{address}{path}", ""));
            }
        }
        text
    }
}

/// For each reason somebody else, if there is anybody, to whom nothing was refused that they wanted.
fn notable(people: &People, lived: &Lived) -> Vec<Notable> {
    let mut taken = BTreeSet::new();
    let mut found = Vec::new();
    for (highlight, why, paths) in TOLD {
        let has_it = |(place, person): &(usize, &Person)| {
            person.highlights.contains(&highlight) && !lived.in_vain.contains_key(place)
        };
        // Whoever has the fewest other stories tells this one best.
        let of = people.0.iter().enumerate().filter(has_it).filter(|(place, _)| !taken.contains(place));
        let Some((place, person)) = of.min_by_key(|(_, person)| person.highlights.len()) else { continue };
        taken.insert(place);
        let account = person.account.to_string();
        let addresses = paths.map(|path| format!("/v1/accounts/{account}{path}")).to_vec();
        found.push(Notable { account, why: why.to_owned(), addresses });
    }
    found
}

fn figures(from: NaiveDate, to: NaiveDate) -> Vec<FigureAddress> {
    let by_month = format!("?from={from}&to={to}&interval=month");
    let figures = [
        ("summary", format!("/v1/analytics/summary?from={from}&to={to}")),
        ("monthly revenue", format!("/v1/analytics/mrr{by_month}")),
        ("who came, grew and left", format!("/v1/analytics/movements?from={from}&to={to}")),
        ("who left, and why", format!("/v1/analytics/churn{by_month}")),
        ("what is left of each month", format!("/v1/analytics/cohorts?from={from}&to={to}")),
        ("credits", format!("/v1/analytics/credits{by_month}")),
        ("deferred revenue", format!("/v1/analytics/deferred-revenue{by_month}")),
        ("usage", format!("/v1/analytics/usage{by_month}")),
        ("subscriptions", "/v1/subscriptions".to_owned()),
        ("accounts", "/v1/accounts".to_owned()),
    ];
    figures.map(|(figure, address)| FigureAddress { figure: figure.to_owned(), address }).to_vec()
}
