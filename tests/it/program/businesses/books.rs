//! Do the ledger, the revenue series and the sandbox agree? Asked after every step of a story.

use std::time::{Duration, Instant};

use chrono::DateTime;
use serde_json::{Value, json};

use super::shop::{Shop, text};

const PATIENCE: Duration = Duration::from_secs(15);

/// What everybody should say. Money is in minor units.
#[derive(Clone, Copy, Debug)]
pub struct Books {
    pub available: i64,
    pub debt: i64,
    pub plan: &'static str,
    /// Stripe's word for the subscription's status; empty: there is none.
    pub status: &'static str,
    /// What comes in each month.
    pub mrr: i64,
    /// What was asked for by the invoices that are paid, the first one first.
    pub paid: &'static [i64],
}

impl Shop {
    /// Everything agrees with `books`.
    pub async fn agrees(&self, step: &str, books: &Books) {
        self.ledger_agrees(step, books).await;
        self.revenue_agrees(step, books).await;
        self.sandbox_agrees(step, books).await;
    }

    async fn ledger_agrees(&self, step: &str, books: &Books) {
        let begin = Instant::now();
        let expected = json!([books.available, books.debt, books.plan]);
        loop {
            let balance = self.account("/balance").await;
            let plan = self.account("/subscription").await["plan"].clone();
            let said = json!([balance["available"], balance["debt"], plan]);
            if said == expected {
                break;
            }
            let grants = self.account("/grants").await;
            assert!(begin.elapsed() < PATIENCE, "{step}: {said}, not {expected}: {grants:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let grants = self.account("/grants").await;
        let mut left = 0;
        for grant in grants["grants"].as_array().expect("a list") {
            let count = |name: &str| grant[name].as_i64().expect("a count");
            let parts = ["consumed", "held", "expired", "voided", "remaining"].map(count).iter().sum::<i64>();
            assert_eq!(count("granted"), parts, "{step}: {grant:#}");
            if grant["status"] == "live" {
                left += count("remaining");
            }
        }
        assert_eq!(left, books.available, "{step}: the grants make up the balance: {grants:#}");
    }

    async fn revenue_agrees(&self, step: &str, books: &Books) {
        let today = DateTime::from_timestamp(self.now().await, 0).expect("a date").date_naive();
        let path = format!("/v1/analytics/mrr?from={today}&to={today}&interval=day");
        let begin = Instant::now();
        loop {
            let series = self.ledger(&path).await;
            // Of one that nobody has ever paid, there is no figure.
            let figures = series["series"].as_array().expect("a list");
            let mrr: i64 = figures.iter().map(|figure| figure["mrr"].as_i64().expect("minor units")).sum();
            if mrr == books.mrr {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{step}: {} a month, not {}: {series:#}", mrr, books.mrr);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn sandbox_agrees(&self, step: &str, books: &Books) {
        let known = self.account("/subscription").await["subscription"].clone();
        match self.subscription().await {
            None => assert_eq!((books.status, &known), ("", &Value::Null), "{step}"),
            Some(row) => {
                assert_eq!(row["status"], books.status, "{step}");
                let status = if books.status == "canceled" { "cancelled" } else { books.status };
                assert_eq!(known["status"], status, "{step}: {known:#}");
                assert_eq!(known["id"], row["id"], "{step}");
                let item = &row["items"]["data"][0];
                for (bound, of_item) in [("start", "current_period_start"), ("end", "current_period_end")] {
                    assert_eq!(Some(seconds(&known["period"][bound])), item[of_item].as_i64(), "{step}");
                }
                let counts = ["active", "past_due"].contains(&books.status);
                assert_eq!(if counts { monthly(item) } else { 0 }, books.mrr, "{step}: {item:#}");
            }
        }
        let invoices = self.stripe("/v1/invoices?status=paid&limit=100").await;
        let totals = invoices["data"].as_array().expect("a list").iter().rev();
        let totals: Vec<i64> = totals.map(|row| row["total"].as_i64().expect("minor units")).collect();
        assert_eq!(totals, books.paid, "{step}");
    }

    /// Nothing was set aside, and every hash, account and read model is as the events say.
    pub async fn audit(&self) {
        for state in ["dead", "quarantined", "waiting", "received"] {
            let listed = self.ledger(&format!("/v1/inbox?state={state}")).await;
            assert_eq!(listed["events"], json!([]), "{state}");
        }
        let verified = self.ledger("/v1/audit/verify").await;
        assert_eq!((&verified["clean"], &verified["findings"]), (&json!(true), &json!([])), "{verified:#}");
        let replayed = self.ledger("/v1/audit/accounts/acme/replay").await;
        assert_eq!(replayed["matches"], true, "{replayed:#}");
    }
}

/// What an item of the sandbox's brings in each month: a year is twelve of them, rounded half to even.
fn monthly(item: &Value) -> i64 {
    let price = &item["price"];
    let charged = price["unit_amount"].as_i64().unwrap() * item["quantity"].as_i64().unwrap();
    match text(&price["recurring"]["interval"]).as_str() {
        "month" => charged,
        "year" => {
            let (whole, rest) = (charged / 12, charged % 12);
            whole + i64::from(rest > 6 || (rest == 6 && whole % 2 == 1))
        }
        other => panic!("nothing is sold every {other}"),
    }
}

fn seconds(time: &Value) -> i64 {
    DateTime::parse_from_rfc3339(&text(time)).expect("a time").timestamp()
}
