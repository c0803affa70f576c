//! How fast are a balance update and an inserted entry, in a transaction for each command?
//!
//! It is measured in two ways.
//! The usual way: begin, update, insert, commit, which are four round trips while the row is locked.
//! And as one statement that commits by itself, in one round trip, which was the fastest plain SQL that was found.
//! The ledger is compared with both.
//!
//! `pgbench -M prepared -c 64` with these four statements does the same round trips from a client in C that decodes
//! nothing.
//! It is a little faster than the first, and not faster than the second.

use std::time::{Duration, Instant};

use counterfoil::load::{Histogram, Random};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};

use crate::database::{self, Fallible};
use crate::measure::run_clients;
use crate::report::{Figure, name};

const ACCOUNTS: u64 = 10_000;
const CONNECTIONS: u64 = 64;

const TABLES: &str = "
create table balance (account text primary key, available bigint not null check (available >= 0));
create table entry (
    entry bigint generated always as identity primary key,
    account text not null,
    amount bigint not null,
    at timestamptz not null default now()
)";

const FILL: &str = "
insert into balance
select 'account-' || lpad(n::text, 7, '0'), 1000000000 from generate_series(0, $1 - 1) n";

const UPDATE: &str = "update balance set available = available - 1 where account = $1 and available >= 1";
const INSERT: &str = "insert into entry (account, amount) values ($1, -1)";
const BOTH: &str = "
with paid as (
    update balance set available = available - 1 where account = $1 and available >= 1 returning account
)
insert into entry (account, amount) select account, -1 from paid";

pub struct UpdateInsertBench {
    options: PgConnectOptions,
}

impl UpdateInsertBench {
    pub async fn prepare(server: &PgConnectOptions) -> Fallible<Self> {
        let options = database::create(server, "bench_update_insert").await?;
        let mut connection = PgConnection::connect_with(&options).await?;
        connection.execute(TABLES).await?;
        connection.close().await?;
        Ok(Self { options })
    }

    /// Fills the accounts, empties the entries, and opens a connection for each client.
    async fn connect(&self) -> Fallible<Vec<Client>> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        connection.execute("truncate balance, entry").await?;
        sqlx::query(FILL).bind(i64::try_from(ACCOUNTS)?).execute(&mut connection).await?;
        connection.execute("vacuum analyze balance").await?;
        let mut clients = Vec::new();
        for seed in 0..CONNECTIONS {
            let connection = PgConnection::connect_with(&self.options).await?;
            clients.push(Client { connection, random: Random::from_seed(seed) });
        }
        Ok(clients)
    }
}

pub async fn in_one_statement(bench: &UpdateInsertBench, duration: Duration) -> Fallible<Figure> {
    run_clients(name::UPDATE_INSERT, bench.connect().await?, duration, Client::run_statements).await
}

pub async fn in_four_round_trips(bench: &UpdateInsertBench, duration: Duration) -> Fallible<Figure> {
    let clients = bench.connect().await?;
    run_clients(name::UPDATE_INSERT_TRANSACTION, clients, duration, Client::run_transactions).await
}

struct Client {
    connection: PgConnection,
    random: Random,
}

impl Client {
    async fn run_statements(mut self, until: Instant) -> Fallible<Histogram> {
        let mut latencies = Histogram::default();
        let mut now = Instant::now();
        while now < until {
            let done = sqlx::query(BOTH).bind(self.account()).execute(&mut self.connection).await?;
            require_one(done.rows_affected())?;
            now = record_since(&mut latencies, now);
        }
        Ok(latencies)
    }

    async fn run_transactions(mut self, until: Instant) -> Fallible<Histogram> {
        let mut latencies = Histogram::default();
        let mut now = Instant::now();
        while now < until {
            let account = self.account();
            let mut transaction = self.connection.begin().await?;
            let updated = sqlx::query(UPDATE).bind(&account).execute(&mut *transaction).await?;
            require_one(updated.rows_affected())?;
            sqlx::query(INSERT).bind(&account).execute(&mut *transaction).await?;
            transaction.commit().await?;
            now = record_since(&mut latencies, now);
        }
        Ok(latencies)
    }

    fn account(&mut self) -> String {
        format!("account-{:07}", self.random.below(ACCOUNTS))
    }
}

fn require_one(rows: u64) -> Fallible<()> {
    if rows == 1 { Ok(()) } else { Err(format!("{rows} rows were written instead of one").into()) }
}

fn record_since(latencies: &mut Histogram, start: Instant) -> Instant {
    let now = Instant::now();
    latencies.record(now - start);
    now
}
