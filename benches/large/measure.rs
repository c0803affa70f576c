//! How does the program do on a journal? The same is measured on a big one and on an empty one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use counterfoil::{
    auth::keys::{self, KeyScope, NewKey},
    catalog::Mode,
    clock::Clock,
    load::{self, Choice, LoadAccounts, LoadPlan, LoadReport, LoadTarget, Pace, RequestForm, Until},
};
use sqlx::PgPool;

use crate::{
    database::Fallible,
    ours::served::{ReadModels, Served},
    report::Figure,
};

const CONNECTIONS: usize = 256;
const READERS: usize = 16;
/// Each of an account that was not asked for since the start, but for a few.
const COLD_COMMANDS: u64 = 2_000;
const BATCH_ITEMS: usize = 100;
/// The read models follow 88,000 events a second.
const EVENTS_A_SECOND_MIN: u64 = 10_000;

/// The figures' names on one of the journals.
pub struct Names {
    pub cold: &'static str,
    pub first: &'static str,
    pub uniform: &'static str,
    pub hot: &'static str,
    pub statement: &'static str,
    pub balance: &'static str,
    pub usage: &'static str,
    pub list: &'static str,
}

/// What was found, and cannot be said in commands a second.
pub struct Found {
    pub figures: Vec<Figure>,
    pub ready_s: f64,
    pub caught_up_s: f64,
    pub resident_bytes: f64,
    pub bytes_an_event: f64,
}

struct Target<'a> {
    served: Served,
    key: String,
    accounts: &'a LoadAccounts,
    /// Of how many of them requests are, of those that are not of all: as many as on the empty journal.
    active: u64,
}

pub async fn measure(
    pool: &PgPool,
    accounts: &LoadAccounts,
    events: u64,
    names: &Names,
    duration: Duration,
) -> Fallible<Found> {
    let bytes_an_event = bytes(pool).await? as f64 / events as f64;
    let key = key(pool).await?;
    let begun = Instant::now();
    let served = Served::start(pool, ReadModels::Catch).await?;
    let ready_s = begun.elapsed().as_secs_f64();
    eprintln!("  ready after {ready_s:.2} s");
    let patience = Duration::from_secs(60 + events / EVENTS_A_SECOND_MIN);
    let caught_up_s = served.until_caught_up_within(patience).await?.as_secs_f64();
    eprintln!("  read models have caught up after {caught_up_s:.1} s");
    drop(served);
    // Started anew, so that nothing of what is asked for is in its memory.
    let served = Served::start(pool, ReadModels::Follow).await?;
    let active = accounts.count.min(super::EMPTY_ACCOUNTS);
    let target = Target { served, key, accounts, active };
    let mut figures = vec![target.cold(names.cold).await?, target.first(names.first).await?];
    for (name, form, choice, connections) in [
        (names.uniform, RequestForm::deduction(), Choice::Uniform, CONNECTIONS),
        (names.hot, RequestForm::deduction(), Choice::Hot, CONNECTIONS),
        (names.statement, get("/v1/accounts/{account}/statement?limit=50"), Choice::Uniform, READERS),
        (names.balance, get("/v1/accounts/{account}/balance"), Choice::Uniform, READERS),
        (names.usage, get(&usage()), Choice::Uniform, READERS),
        (names.list, get("/v1/accounts?limit=100"), Choice::Uniform, READERS),
    ] {
        let until = Until::Elapsed(duration);
        figures.push(Figure::of_load(name, &target.run(form, choice, connections, until).await?));
        target.served.until_caught_up_within(patience).await?;
        tell(&figures);
    }
    let resident_bytes = target.touch_all().await? as f64;
    Ok(Found { figures, ready_s, caught_up_s, resident_bytes, bytes_an_event })
}

fn tell(figures: &[Figure]) {
    if let Some(Figure { name, commands_per_s, p50_ms, p99_ms, .. }) = figures.last() {
        let millis = |value: &Option<f64>| value.unwrap_or(0.0);
        eprintln!(
            "  {name}: {commands_per_s:.0} a second, p50 {:.2} ms, p99 {:.2} ms",
            millis(p50_ms),
            millis(p99_ms)
        );
    }
}

fn get(path: &str) -> RequestForm {
    RequestForm::one("GET", path, "")
}

/// The last thirty days, which are all of the history.
fn usage() -> String {
    let today = Clock::system().now().to_utc().date_naive();
    let from = today - chrono::Days::new(30);
    format!("/v1/accounts/{{account}}/usage?from={from}&to={today}")
}

impl Target<'_> {
    async fn run(
        &self,
        form: RequestForm,
        choice: Choice,
        connections: usize,
        until: Until,
    ) -> Fallible<LoadReport> {
        self.run_of(self.active, form, choice, connections, until).await
    }

    /// The same, of the first `count` accounts.
    async fn run_of(
        &self,
        count: u64,
        form: RequestForm,
        choice: Choice,
        connections: usize,
        until: Until,
    ) -> Fallible<LoadReport> {
        let plan = LoadPlan {
            target: LoadTarget::parse(&format!("http://{}", self.served.address), &self.key)?,
            form,
            accounts: LoadAccounts { choice, count, ..self.accounts.clone() },
            connections,
            threads: 1,
            pace: Pace::AsAnswered,
            until,
        };
        let report = load::run(plan).await?;
        if report.items_accepted != report.items || report.unanswered != 0 {
            return Err(format!("requests were refused or lost:\n{report}").into());
        }
        Ok(report)
    }

    /// One caller, and accounts that the program does not have in its memory.
    async fn cold(&self, name: &'static str) -> Fallible<Figure> {
        let until = Until::Requests(COLD_COMMANDS);
        let form = RequestForm::deduction();
        let report = self.run_of(self.accounts.count, form, Choice::Uniform, 1, until).await?;
        let figure = Figure::of_load(name, &report);
        tell(std::slice::from_ref(&figure));
        Ok(figure)
    }

    /// The first deduction of each account that the next figures are of, many at once: each is loaded, and changes
    /// pages of the indexes that nothing has changed since the last checkpoint.
    /// On the empty journal some were used before, since it has no others for [`Self::cold`].
    async fn first(&self, name: &'static str) -> Fallible<Figure> {
        let until = Until::Requests(self.active);
        let report = self.run(RequestForm::deduction(), Choice::InTurn, CONNECTIONS, until).await?;
        let figure = Figure::of_load(name, &report);
        tell(std::slice::from_ref(&figure));
        Ok(figure)
    }

    /// How much memory the program has once it was asked to change every account.
    async fn touch_all(&self) -> Fallible<u64> {
        eprintln!("  one deduction of each of {} accounts…", self.accounts.count);
        let requests = self.accounts.count.div_ceil(BATCH_ITEMS as u64);
        let form = RequestForm::deductions(BATCH_ITEMS);
        let until = Until::Requests(requests);
        self.run_of(self.accounts.count, form, Choice::InTurn, READERS, until).await?;
        self.served.resident_bytes()
    }
}

/// What the journal takes on disk, with its indexes and blocks.
async fn bytes(pool: &PgPool) -> Fallible<i64> {
    let sizes = "select pg_total_relation_size('ledger.events') + pg_total_relation_size('ledger.blocks')";
    Ok(sqlx::query_scalar(sizes).fetch_one(pool).await?)
}

async fn key(pool: &PgPool) -> Fallible<String> {
    let new = NewKey {
        name: "bench".to_owned(),
        mode: Mode::Test,
        scopes: BTreeSet::from([KeyScope::Deduct, KeyScope::Read]),
        accounts: None,
        expires_at: None,
        requests_per_minute: Some(0),
    };
    Ok(keys::create(pool, &Clock::system(), new).await?.secret.reveal().to_owned())
}

/// How the big journal compares with the empty one: 1 is as good.
pub fn ratios(big: &Found, empty: &Found) -> BTreeMap<&'static str, Option<f64>> {
    let figure = |found: &Found, index: usize| found.figures.get(index).cloned();
    let speed = |index| Some(figure(big, index)?.commands_per_s / figure(empty, index)?.commands_per_s);
    let p99 = |index| Some(figure(big, index)?.p99_ms? / figure(empty, index)?.p99_ms?);
    BTreeMap::from([
        ("cold_p99_to_empty", p99(0)),
        ("cold_p50_ms", figure(big, 0).and_then(|figure| figure.p50_ms)),
        ("cold_p99_ms", figure(big, 0).and_then(|figure| figure.p99_ms)),
        ("first_to_empty", speed(1)),
        ("uniform_to_empty", speed(2)),
        ("hot_to_empty", speed(3)),
        ("statement_p99_to_empty", p99(4)),
        ("balance_p99_to_empty", p99(5)),
        ("usage_p99_to_empty", p99(6)),
        ("list_p99_to_empty", p99(7)),
        ("ready_s", Some(big.ready_s)),
        ("ready_s_empty", Some(empty.ready_s)),
        ("caught_up_s", Some(big.caught_up_s)),
        ("resident_megabytes", Some(big.resident_bytes / 1e6)),
        ("resident_megabytes_empty", Some(empty.resident_bytes / 1e6)),
        ("bytes_an_event", Some(big.bytes_an_event)),
    ])
}
