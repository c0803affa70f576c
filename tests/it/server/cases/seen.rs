//! What does a caller see of an account?

use std::collections::BTreeSet;

use counterfoil::domain::time::Timestamp;
use reqwest::Method;
use serde_json::Value;

use crate::support::in_process::Program;

/// What a caller sees of an account.
#[derive(Clone, Debug)]
pub struct Seen {
    pub available: i64,
    pub debt: i64,
    pub plan: String,
    pub features: BTreeSet<String>,
    pub limits: Vec<Value>,
    pub grants: Vec<Value>,
    pub movements: Vec<Value>,
}

impl Seen {
    pub fn totals(&self) -> (i64, i64, String, i64) {
        (self.available, self.debt, self.plan.clone(), self.mrr("usd"))
    }

    pub fn mrr(&self, currency: &str) -> i64 {
        let last = self.movements.iter().rfind(|movement| movement["currency"] == currency);
        last.map_or(0, |movement| movement["after"].as_i64().expect("whole"))
    }

    pub fn allocated(&self, at: Timestamp) -> i64 {
        let time =
            |grant: &Value, name: &str| grant[name].as_str().map(|at| Timestamp::parse(at).expect("a time"));
        let of = |grant: &Value, name: &str| grant[name].as_i64().expect("whole");
        let alive = self.grants.iter().filter(|grant| {
            grant["source"] == "allocation"
                && time(grant, "starts_at").is_some_and(|start| start <= at)
                && time(grant, "expires_at").is_none_or(|end| at < end)
        });
        alive.map(|grant| of(grant, "granted") - of(grant, "voided")).sum()
    }
}

pub fn lines(seen: &Seen) -> String {
    let line = |grant: &Value| {
        format!(
            "      {} {}: {} granted, {} left, {}..{}",
            grant["grant_id"],
            grant["source"],
            grant["granted"],
            grant["remaining"],
            grant["starts_at"],
            grant["expires_at"]
        )
    };
    let lines: Vec<String> = seen.grants.iter().map(line).collect();
    format!("    on {}, {} available, {} owed\n{}", seen.plan, seen.available, seen.debt, lines.join("\n"))
}

pub async fn see(program: &Program, account: &str) -> Option<Seen> {
    let answer = program.server.call(Method::GET, &format!("/v1/accounts/{account}")).send().await;
    if answer.status == 404 {
        return None;
    }
    let balance = &answer.body["balance"];
    let whole = |name: &str| balance[name].as_i64().expect("whole");
    let read = async |what: &str| program.read(&format!("/v1/accounts/{account}/{what}")).await;
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let entitlements = read("entitlements").await;
    let features = entitlements["features"].as_object().expect("features").iter();
    let span = "from=2025-01-01&to=2028-12-31&limit=1000";
    let movements = program.read(&format!("/v1/analytics/movements?account={account}&{span}")).await;
    Some(Seen {
        available: whole("available"),
        debt: whole("debt"),
        plan: answer.body["plan"].as_str().expect("a plan").to_owned(),
        features: features.filter(|(_, has)| **has == true).map(|(feature, _)| feature.clone()).collect(),
        limits: list(&read("limits").await["limits"]),
        grants: list(&read("grants?limit=1000").await["grants"]),
        movements: list(&movements["movements"]),
    })
}
