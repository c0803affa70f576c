//! What do callers see when the story is over?

use std::collections::BTreeMap;

use counterfoil::domain::time::Timestamp;
use serde_json::{Value, json};

use super::expected;
use crate::support::{
    documents::{ADA, BOB, event, story},
    in_process::Program,
};

/// All that callers can see of it, without what depends on the order in which it was learned.
#[derive(Debug, PartialEq)]
pub struct Ending {
    /// By account: itself, its grants and its subscription.
    pub accounts: BTreeMap<&'static str, Holdings>,
    /// Each day with all of its figures.
    pub mrr: Vec<Value>,
    pub movements: Vec<Value>,
    /// Each event's state and the account that it was found to be about.
    pub inbox: BTreeMap<String, (String, Value)>,
}

#[derive(Debug, PartialEq)]
pub struct Holdings {
    pub account: Value,
    pub grants: Vec<Value>,
    pub subscription: Value,
    pub limits: Value,
}

pub const FROM: &str = "2025-05-30";
pub const TO: &str = "2025-09-03";

impl Program {
    pub async fn ending(&self) -> Ending {
        let (mut accounts, mut positions) = (BTreeMap::new(), Vec::new());
        for id in [ADA, BOB] {
            let mut account = self.read(&format!("/v1/accounts/{id}")).await;
            positions.push(account["position"].as_str().expect("a position").to_owned());
            account.as_object_mut().expect("an object").remove("position");
            let mut grants = self.read(&format!("/v1/accounts/{id}/grants?limit=1000")).await;
            let grants = grants["grants"].as_array_mut().expect("grants");
            let subscription = self.read(&format!("/v1/accounts/{id}/subscription")).await;
            let limits = self.read(&format!("/v1/accounts/{id}/limits")).await;
            let grants = in_one_part(std::mem::take(grants));
            let holdings = Holdings { account, grants, subscription, limits };
            accounts.insert(id, holdings);
        }
        let position = latest(&positions);
        let span = format!("from={FROM}&to={TO}&min_position={position}");
        let mut mrr = self.read(&format!("/v1/analytics/mrr?{span}&interval=day")).await;
        let mut movements = self.read(&format!("/v1/analytics/movements?{span}")).await;
        assert_eq!(movements["next_cursor"], Value::Null);
        for movement in movements["movements"].as_array_mut().expect("movements") {
            movement.as_object_mut().expect("an object").remove("sequence");
        }
        Ending {
            accounts,
            mrr: mrr["series"].as_array_mut().map(std::mem::take).expect("a series"),
            movements: movements["movements"].as_array_mut().map(std::mem::take).expect("movements"),
            inbox: self.inbox().await,
        }
    }

    async fn inbox(&self) -> BTreeMap<String, (String, Value)> {
        let listed = self.read("/v1/inbox?limit=500").await;
        assert_eq!(listed["next_cursor"], Value::Null);
        let events = listed["events"].as_array().expect("events").iter();
        let text = |event: &Value, name: &str| event[name].as_str().expect("text").to_owned();
        events
            .map(|event| (text(event, "event_id"), (text(event, "state"), event["account"].clone())))
            .collect()
    }
}

/// What one invoice gave of a month, or was carried on of that, in however many parts it became known.
fn in_one_part(grants: Vec<Value>) -> Vec<Value> {
    let mut whole: Vec<Value> = Vec::new();
    for grant in grants {
        let id = grant["grant_id"].as_str().expect("an id").to_owned();
        let first = id.rsplit_once(':').map(|(first, _)| first);
        let is_other = |known: &Value| {
            ["source", "payment", "starts_at", "expires_at"].iter().any(|name| known[name] != grant[name])
        };
        let known = whole.iter_mut().find(|known| known["grant_id"].as_str() == first && !is_other(known));
        let Some(known) = known else {
            whole.push(grant);
            continue;
        };
        for name in ["granted", "consumed", "expired", "voided", "held", "remaining"] {
            let sum = known[name].as_i64().expect("whole") + grant[name].as_i64().expect("whole");
            known[name] = json!(sum);
        }
    }
    whole
}

/// The position of an account's last event is not behind that of the other one, if it is the greater number.
pub fn latest(positions: &[String]) -> &str {
    let number = |position: &&String| -> i64 {
        position.rsplit('-').next().and_then(|number| number.parse().ok()).expect("a position has a number")
    };
    positions.iter().max_by_key(number).expect("there are positions")
}

impl Ending {
    /// Fails unless this is the story's one ending, in a program where both accounts were opened at these times.
    pub fn assert_is_the_one(&self, shape: &str, opened: [Timestamp; 2]) {
        for (id, opened_at) in [ADA, BOB].into_iter().zip(opened) {
            let holdings = &self.accounts[id];
            holdings.assert_adds_up();
            assert_eq!(holdings.lines(), expected::grants(id, opened_at), "{shape} {id}");
            assert_eq!(holdings.subscription, expected::subscription(id), "{shape} {id}");
            assert_eq!(holdings.account["plan"], "free", "{shape} {id}");
            assert_eq!(holdings.account["status"], "open", "{shape} {id}");
            assert_eq!(holdings.account["opened_at"], json!(opened_at), "{shape} {id}");
            assert_eq!(holdings.account["balance"], expected::balance(id), "{shape} {id}");
        }
        assert_eq!(self.figures(), expected::mrr(), "{shape}");
        assert_eq!(self.moves(), expected::movements(shape), "{shape}");
        self.assert_movements_are_the_difference();
        for file in story(shape) {
            let (state, _) = &self.inbox[event(shape, &file).id.as_str()];
            assert_eq!(*state, expected::line(shape, &file).state, "{shape}/{file}");
        }
        assert_eq!(self.inbox.len(), story(shape).len(), "{shape}: each event is kept once");
    }

    /// The MRR of each day, to the cent.
    fn figures(&self) -> Vec<(String, i64)> {
        let day = |figures: &Value| figures["start"].as_str().expect("a day").to_owned();
        self.mrr.iter().map(|figures| (day(figures), figures["mrr"].as_i64().expect("whole"))).collect()
    }

    fn moves(&self) -> Vec<String> {
        let text = |movement: &Value, name: &str| movement[name].as_str().expect("text").to_owned();
        let line = |movement: &Value| {
            let [day, kind, event] = ["day", "type", "stripe_event"].map(|name| text(movement, name));
            let who = if movement["account"] == ADA { "Ada" } else { "Bob" };
            format!("{day} {who} {kind} {} to {}, {event}", movement["before"], movement["after"])
        };
        self.movements.iter().map(line).collect()
    }

    /// Of every two days.
    fn assert_movements_are_the_difference(&self) {
        let figures = self.figures();
        let sum = |after: &str, until: &str| -> i64 {
            let between = self.movements.iter().filter(|movement| {
                let day = movement["day"].as_str().expect("a day");
                after < day && day <= until
            });
            let whole = |value: &Value| value.as_i64().expect("whole");
            between.map(|movement| whole(&movement["after"]) - whole(&movement["before"])).sum()
        };
        for (number, (later, after)) in figures.iter().enumerate() {
            for (earlier, before) in &figures[..number] {
                assert_eq!(after - before, sum(earlier, later), "from {earlier} to {later}");
            }
        }
        for (day, figures) in self.mrr.iter().enumerate() {
            let of = |name: &str| figures[name]["amount"].as_i64().expect("whole");
            let changes: i64 =
                ["new", "reactivation", "expansion", "contraction", "churn"].into_iter().map(of).sum();
            let [start, end] = ["mrr_at_start", "mrr"].map(|name| figures[name].as_i64().expect("whole"));
            assert_eq!(end - start, changes, "day {day}");
        }
    }
}

impl Holdings {
    fn assert_adds_up(&self) {
        let mut remaining = 0;
        for grant in &self.grants {
            let of = |name: &str| grant[name].as_i64().expect("whole");
            let parts = of("consumed") + of("held") + of("expired") + of("voided") + of("remaining");
            assert_eq!(of("granted"), parts, "{grant}");
            remaining += of("remaining");
        }
        assert_eq!(self.account["balance"]["available"], remaining);
    }

    /// The grants with all of their terms, sorted by id.
    fn lines(&self) -> Vec<String> {
        let line = |grant: &Value| {
            let text = |name: &str| grant[name].as_str().unwrap_or("never").to_owned();
            let of = |name: &str| grant[name].as_i64().expect("whole");
            let paid = match &grant["cost"] {
                Value::Null => "free".to_owned(),
                cost => format!("{} {}", cost["minor"], cost["currency"].as_str().expect("a currency")),
            };
            assert_eq!((of("consumed"), of("held")), (0, 0), "nobody spent anything: {grant}");
            let void = match of("voided") {
                0 => String::new(),
                voided => format!("{voided} void, "),
            };
            format!(
                "{} {} {}: {} granted, {} expired, {void}{} left, {}..{}, {paid} by {}",
                text("grant_id"),
                text("source"),
                text("status"),
                of("granted"),
                of("expired"),
                of("remaining"),
                text("starts_at"),
                text("expires_at"),
                grant["payment"].as_str().unwrap_or("nobody"),
            )
        };
        let mut lines: Vec<_> = self.grants.iter().map(line).collect();
        lines.sort();
        lines
    }
}
