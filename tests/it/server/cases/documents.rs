//! The inputs, and the same ones about another account: each telling of a case has ids of its own, so that all of them
//! fit into one program.

use std::path::PathBuf;

use chrono::TimeDelta;
use counterfoil::domain::time::Timestamp;
use serde_json::Value;

/// What ids at Stripe begin with, as far as they are of one story. Prices, products and coupons are everybody's.
const PREFIXES: [&str; 18] = [
    "evt_",
    "sub_",
    "cus_",
    "in_",
    "il_",
    "si_",
    "pi_",
    "ch_",
    "du_",
    "cn_",
    "cnli_",
    "cbtxn_",
    "txn_",
    "inpay_",
    "ip_",
    "cs_",
    "re_",
    "sub_sched_",
];

/// What the members that name an account of ours are called.
const ACCOUNTS: [&str; 2] = ["account_id", "client_reference_id"];

pub fn path(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/it/server/cases/inputs", file].iter().collect()
}

/// The events of an input, in the order of sending.
pub fn events(input: &str) -> Vec<Value> {
    let path = path(&format!("{input}.json"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("an array of events")
}

pub fn created(event: &Value) -> Timestamp {
    Timestamp::from_seconds(event["created"].as_i64().expect("seconds")).expect("a time")
}

/// A minute after the newest of them.
pub fn after(events: &[Value]) -> Timestamp {
    events.iter().map(created).max().expect("there are events").plus(TimeDelta::seconds(60))
}

/// The accounts that they name, in the order in which they are first named.
pub fn accounts(events: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    for event in events {
        find_accounts(event, &mut found);
    }
    found
}

fn find_accounts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let account = member.as_str().filter(|_| ACCOUNTS.contains(&name.as_str()));
                let new = account.filter(|account| !found.iter().any(|known| known == account));
                found.extend(new.map(str::to_owned));
                find_accounts(member, found);
            }
        }
        Value::Array(members) => members.iter().for_each(|member| find_accounts(member, found)),
        _ => {}
    }
}

/// The same about somebody else: `suffix` is appended to every id and account.
pub fn renamed(value: &Value, suffix: &str) -> Value {
    rename(value, "", suffix)
}

fn rename(value: &Value, name: &str, suffix: &str) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), rename(member, name, suffix))).collect()
        }
        Value::Array(members) => members.iter().map(|member| rename(member, name, suffix)).collect(),
        Value::String(text) if is_id(text) || ACCOUNTS.contains(&name) => {
            Value::String(format!("{text}{suffix}"))
        }
        other => other.clone(),
    }
}

fn is_id(text: &str) -> bool {
    PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Times are whole seconds in these years, and nothing else in an event is such a number.
const TIMES: std::ops::Range<i64> = 1_700_000_000..1_900_000_000;

/// The same at another time.
pub fn moved(value: &Value, by_s: i64) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), moved(member, by_s))).collect()
        }
        Value::Array(members) => members.iter().map(|member| moved(member, by_s)).collect(),
        Value::Number(number) => match number.as_i64().filter(|time| TIMES.contains(time)) {
            Some(time) => Value::from(time + by_s),
            None => value.clone(),
        },
        other => other.clone(),
    }
}
