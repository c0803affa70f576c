//! How many credits can a thousand workers spend from one account, if each has a budget and settles in parts?
//!
//! A worker holds some credits, spends them one by one in its own memory, and settles what it has spent: one request
//! spends that part of its hold and tops the hold up by as much.
//! What counts is the credits that were settled.

use std::time::{Duration, Instant};

use counterfoil::{
    domain::ids::AccountId,
    load::{Choice, Histogram},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    OurBench, accounts,
    served::{ReadModels, Served},
};
use crate::{
    database::Fallible,
    report::{Figure, name},
};

const WORKERS: usize = 1_000;
/// What a worker takes at first, and has again after it has settled.
const BUDGET: u64 = 1_000;
/// After how many credits a worker settles.
const PART: u64 = 500;
/// How many minutes a worker may be silent before its budget returns.
const LIFE_S: u64 = 300;
/// How often it is looked how far the read models are behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Sends batches of commands for one account.
#[derive(Clone)]
struct Sender {
    client: reqwest::Client,
    url: String,
    key: String,
    account: String,
}

impl Sender {
    /// The bodies of the answers, all of them with success.
    async fn send(&self, items: &[Value]) -> Fallible<Vec<Value>> {
        let call = self.client.post(&self.url).bearer_auth(&self.key).json(items);
        let answers: Vec<Value> = call.send().await?.error_for_status()?.json().await?;
        let body = |mut answer: Value| match answer["status"].as_u64() {
            Some(200 | 201) => Ok(answer["body"].take()),
            _ => Err(format!("a command was refused: {answer}").into()),
        };
        answers.into_iter().map(body).collect()
    }

    fn item(&self, command: &str, amount: u64, key: &str) -> Value {
        json!({ "account": self.account, "command": command, "amount": amount, "idempotency_key": key })
    }

    /// Budgets for all workers, in one request.
    async fn hold_all(&self) -> Fallible<Vec<Worker>> {
        let hold = |number: usize| {
            let mut item = self.item("hold", BUDGET, &format!("hold-{number}"));
            item["expires_in_s"] = json!(LIFE_S);
            item
        };
        let held = self.send(&(0..WORKERS).map(hold).collect::<Vec<_>>()).await?;
        let worker = |held: Value| {
            let hold = held["hold_id"].as_str().ok_or("a hold has an id")?.to_owned();
            Ok(Worker { sender: self.clone(), hold, left: BUDGET, settled: 0 })
        };
        held.into_iter().map(worker).collect()
    }
}

/// A worker with a budget.
struct Worker {
    sender: Sender,
    hold: String,
    /// What it may still spend, by its own count.
    left: u64,
    settled: u64,
}

impl Worker {
    async fn work_until(mut self, until: Instant) -> Fallible<(u64, Histogram)> {
        let mut latencies = Histogram::default();
        while Instant::now() < until {
            let mut spent = 0;
            while spent < PART && self.left > 0 {
                // The work itself would be here.
                self.left -= 1;
                spent += 1;
            }
            let begun = Instant::now();
            self.settle(spent).await?;
            latencies.record(begun.elapsed());
        }
        Ok((self.settled, latencies))
    }

    async fn settle(&mut self, spent: u64) -> Fallible<()> {
        let part = |command: &str, expires_in_s: Option<u64>| {
            let key = format!("{command}-{}-{}", self.hold, self.settled);
            let mut item = self.sender.item(command, spent, &key);
            item["hold_id"] = json!(self.hold);
            if let Some(seconds) = expires_in_s {
                item["expires_in_s"] = json!(seconds);
            }
            item
        };
        self.sender.send(&[part("spend", None), part("top_up", Some(LIFE_S))]).await?;
        self.left += spent;
        self.settled += spent;
        Ok(())
    }
}

pub async fn settled(bench: &OurBench, duration: Duration) -> Fallible<Figure> {
    let served = Served::start(&bench.pool, ReadModels::Follow).await?;
    let account = accounts(Choice::Hot).name(0);
    let sender = Sender {
        client: reqwest::Client::new(),
        url: format!("http://{}/v1/commands", served.address),
        key: bench.key().await?,
        account: account.clone(),
    };
    let workers = sender.hold_all().await?;
    let (started, mut running) = (Instant::now(), JoinSet::new());
    for worker in workers {
        running.spawn(worker.work_until(started + duration));
    }
    let (mut credits, mut latencies, mut lag_ms) = (0, Histogram::default(), 0);
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            finished = running.join_next() => {
                let Some(finished) = finished else { break };
                let (settled, waited) = finished??;
                credits += settled;
                latencies.add(&waited);
            }
            _ = look.tick() => lag_ms = lag_ms.max(served.lag_ms().await?),
        }
    }
    let took = started.elapsed();
    check(bench, &AccountId::parse(&account)?, credits).await?;
    served.until_caught_up().await?;
    let lag = Duration::from_millis(u64::try_from(lag_ms)?);
    Ok(Figure::new(name::BUDGETS, credits, took, &latencies).behind(Some(lag)))
}

/// What was settled is spent, and each worker has its whole budget again.
async fn check(bench: &OurBench, account: &AccountId, settled: u64) -> Fallible<()> {
    let view = bench.ledger.view(account).await?;
    let wallet = &view.account.opened().ok_or("the account is open")?.wallet;
    let spent: i64 = wallet.grants().map(|grant| grant.consumed.get()).sum();
    let held = wallet.holds.held().get();
    if u64::try_from(spent)? == settled && u64::try_from(held)? == BUDGET * u64::try_from(WORKERS)? {
        Ok(())
    } else {
        Err(format!("{settled} were settled, and {spent} are spent and {held} held").into())
    }
}
