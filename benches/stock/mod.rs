//! How fast is the stock framework?
//!
//! `CqrsFramework` over `postgres-es`, used as its documentation says: `postgres_cqrs`, the default table, and no
//! snapshots (with those, 0.5.0 applies an event twice).
//! It is measured with the crate's default pool of 10 connections, and with the size with which it is fastest; ratios
//! are to the former, and the table has both.
//! Its commands have no idempotency key and write no metadata, and a conflict, on which `execute` fails, is retried at
//! once; all of this is in its favour.
//!
//! Over HTTP it is measured twice: answering that the command was done, and answering what is left, as the ledger does.
//! For the latter it keeps a view of each account, a `GenericQuery` with the crate's repository.

mod account;
mod route;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use counterfoil::load::{
    self, Choice, Histogram, LoadAccounts, LoadPlan, LoadTarget, Pace, Random, RequestForm, Until,
};
use cqrs_es::persist::GenericQuery;
use cqrs_es::{AggregateError, Query};
use postgres_es::{PostgresCqrs, PostgresViewRepository};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use self::account::{StockAccount, StockBalance, StockCommand, StockRefusal};
use crate::database::{self, Fallible};
use crate::measure::run_clients;
use crate::report::{Figure, name};

const ACCOUNTS: u64 = 10_000;
const CLIENTS: u64 = 64;
const HTTP_CONNECTIONS: usize = 256;
/// As in the crate's own `default_postgress_pool`.
pub const POOL_DEFAULT: u32 = 10;
/// The fastest of 10, 20, 32 and 64.
pub const POOL_TUNED: u32 = 64;

/// The table of the crate's `db/init.sql`, unchanged except for its case.
const EVENTS_TABLE: &str = "
create table events
(
    aggregate_type text                         not null,
    aggregate_id   text                         not null,
    sequence       bigint check (sequence >= 0) not null,
    event_type     text                         not null,
    event_version  text                         not null,
    payload        json                         not null,
    metadata       json                         not null,
    primary key (aggregate_type, aggregate_id, sequence)
)";

/// The table of a view, from the same file.
const BALANCES_TABLE: &str = "
create table balances
(
    view_id text                        not null,
    version bigint check (version >= 0) not null,
    payload json                        not null,
    primary key (view_id)
)";

/// The event that the framework writes for a first grant.
const GRANT_EACH: &str = r#"
insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
select 'stock_account', 'stock-' || lpad(n::text, 7, '0'), 1, 'Granted', '1.0', '{"Granted":{"amount":1000000000}}', '{}'
from generate_series(0, $1 - 1) n"#;

const BALANCE_EACH: &str = r#"
insert into balances (view_id, version, payload)
select 'stock-' || lpad(n::text, 7, '0'), 1, '{"available":1000000000}' from generate_series(0, $1 - 1) n"#;

type BalanceRepository = PostgresViewRepository<StockBalance, StockAccount>;
type BalanceQuery = GenericQuery<BalanceRepository, StockBalance, StockAccount>;

/// The framework on a database of its own.
pub struct StockBench {
    pool: PgPool,
    /// With events only.
    framework: Arc<PostgresCqrs<StockAccount>>,
    /// With a view of each account's balance.
    with_balances: WithBalances,
}

#[derive(Clone)]
struct WithBalances {
    framework: Arc<PostgresCqrs<StockAccount>>,
    balances: Arc<BalanceQuery>,
}

impl WithBalances {
    fn new(pool: &PgPool) -> Self {
        let repository = Arc::new(BalanceRepository::new("balances", pool.clone()));
        let queries: Vec<Box<dyn Query<StockAccount>>> =
            vec![Box::new(BalanceQuery::new(Arc::clone(&repository)))];
        let framework = Arc::new(postgres_es::postgres_cqrs(pool.clone(), queries, ()));
        Self { framework, balances: Arc::new(BalanceQuery::new(repository)) }
    }
}

impl StockBench {
    pub async fn prepare(server: &PgConnectOptions, connections: u32) -> Fallible<Self> {
        let options = database::create(server, &format!("bench_stock_{connections}")).await?;
        let pool = PgPoolOptions::new()
            .min_connections(connections)
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(options)
            .await?;
        sqlx::query(EVENTS_TABLE).execute(&pool).await?;
        sqlx::query(BALANCES_TABLE).execute(&pool).await?;
        let framework = Arc::new(postgres_es::postgres_cqrs(pool.clone(), Vec::new(), ()));
        let with_balances = WithBalances::new(&pool);
        Ok(Self { pool, framework, with_balances })
    }

    /// Each measurement begins with accounts that have one grant, so that earlier measurements do not slow it down.
    async fn reset(&self) -> Fallible<()> {
        sqlx::query("truncate events, balances").execute(&self.pool).await?;
        sqlx::query(GRANT_EACH).bind(i64::try_from(ACCOUNTS)?).execute(&self.pool).await?;
        sqlx::query(BALANCE_EACH).bind(i64::try_from(ACCOUNTS)?).execute(&self.pool).await?;
        sqlx::query("vacuum analyze events, balances").execute(&self.pool).await?;
        Ok(())
    }
}

pub async fn in_process_uniform(stock: &StockBench, duration: Duration) -> Fallible<Figure> {
    in_process(name::STOCK_IN_PROCESS_UNIFORM, ACCOUNTS, stock, duration).await
}

pub async fn in_process_uniform_tuned(stock: &StockBench, duration: Duration) -> Fallible<Figure> {
    in_process(name::STOCK_IN_PROCESS_UNIFORM_TUNED, ACCOUNTS, stock, duration).await
}

pub async fn http_uniform_tuned(stock: &StockBench, duration: Duration) -> Fallible<Figure> {
    let router = route::done(Arc::clone(&stock.framework));
    http(name::STOCK_HTTP_UNIFORM_TUNED, Choice::Uniform, stock, router, duration).await
}

pub async fn http_balance(stock: &StockBench, duration: Duration) -> Fallible<Figure> {
    let router = route::done_and_left(stock.with_balances.clone());
    http(name::STOCK_HTTP_BALANCE, Choice::Uniform, stock, router, duration).await
}

pub async fn in_process_hot(stock: &StockBench, duration: Duration) -> Fallible<Figure> {
    in_process(name::STOCK_IN_PROCESS_HOT, 1, stock, duration).await
}

pub async fn http_uniform(stock: &StockBench, duration: Duration) -> Fallible<Figure> {
    let router = route::done(Arc::clone(&stock.framework));
    http(name::STOCK_HTTP_UNIFORM, Choice::Uniform, stock, router, duration).await
}

pub async fn http_hot(stock: &StockBench, duration: Duration) -> Fallible<Figure> {
    let router = route::done(Arc::clone(&stock.framework));
    http(name::STOCK_HTTP_HOT, Choice::Hot, stock, router, duration).await
}

async fn in_process(
    name: &'static str,
    accounts: u64,
    stock: &StockBench,
    duration: Duration,
) -> Fallible<Figure> {
    stock.reset().await?;
    let clients = (0..CLIENTS)
        .map(|seed| Client {
            framework: Arc::clone(&stock.framework),
            accounts,
            random: Random::from_seed(seed),
        })
        .collect();
    run_clients(name, clients, duration, Client::deduct_until).await
}

struct Client {
    framework: Arc<PostgresCqrs<StockAccount>>,
    accounts: u64,
    random: Random,
}

impl Client {
    async fn deduct_until(mut self, until: Instant) -> Fallible<Histogram> {
        let mut latencies = Histogram::default();
        let mut now = Instant::now();
        while now < until {
            let account = format!("stock-{:07}", self.random.below(self.accounts));
            deduct(&self.framework, &account).await?;
            let done = Instant::now();
            latencies.record(done - now);
            now = done;
        }
        Ok(latencies)
    }
}

async fn http(
    name: &'static str,
    choice: Choice,
    stock: &StockBench,
    router: Router,
    duration: Duration,
) -> Fallible<Figure> {
    stock.reset().await?;
    let (address, server) = route::serve(router).await?;
    let report = load::run(LoadPlan {
        target: LoadTarget::parse(&format!("http://{address}"), "none")?,
        form: RequestForm::deduction(),
        accounts: LoadAccounts { prefix: "stock-".to_owned(), count: ACCOUNTS, choice },
        connections: HTTP_CONNECTIONS,
        threads: 1,
        pace: Pace::AsAnswered,
        until: Until::Elapsed(duration),
    })
    .await?;
    server.abort();
    if report.items_accepted == report.requests && report.unanswered == 0 {
        Ok(Figure::of_load(name, &report))
    } else {
        Err(format!("the stock framework refused or lost commands:\n{report}").into())
    }
}

/// Spends one credit, and retries after each conflict.
async fn deduct(
    framework: &PostgresCqrs<StockAccount>,
    account: &str,
) -> Result<(), AggregateError<StockRefusal>> {
    loop {
        match framework.execute(account, StockCommand::Deduct { amount: 1 }).await {
            Err(AggregateError::AggregateConflict) => {}
            outcome => return outcome,
        }
    }
}
