//! `cargo bench -- large --events 50000000`: does a big journal slow the program down, beside an empty one?
//!
//! The journal is made within minutes by deciding its commands and copying their rows, not by requests.
//! `audit verify` passes on it, which `--verify` shows.

mod history;
mod loader;
mod measure;
mod rows;

use std::{path::Path, process::Stdio, time::Duration};

use counterfoil::{
    clock::Clock,
    domain::time::Timestamp,
    load::{Choice, LoadAccounts},
    postgres::pool,
};
use sqlx::{ConnectOptions, PgPool, postgres::PgConnectOptions};

use crate::{
    database::Fallible,
    ours::music,
    report::{Rounds, ratio_table},
};
use history::Plan;
use measure::{Found, Names, measure, ratios};

/// How many accounts the journal beside it has, each with four events.
const EMPTY_ACCOUNTS: u64 = 10_000;

const BIG: Names = Names {
    cold: "large_cold",
    first: "large_first_256",
    uniform: "large_single_256",
    hot: "large_hot_256",
    statement: "large_statement",
    balance: "large_balance",
    usage: "large_usage",
    list: "large_list",
};
const EMPTY: Names = Names {
    cold: "empty_cold",
    first: "empty_first_256",
    uniform: "empty_single_256",
    hot: "empty_hot_256",
    statement: "empty_statement",
    balance: "empty_balance",
    usage: "empty_usage",
    list: "empty_list",
};

/// Makes both journals, measures on both, and prints how they compare.
pub async fn run(server: &PgConnectOptions, events: u64, verify: bool, duration: Duration) -> Fallible<()> {
    let names = LoadAccounts { prefix: "account-".to_owned(), count: 0, choice: Choice::Uniform };
    // An hour ago, so that every hold is over that the history made.
    let until = Clock::system().now().micros() - 3_600 * 1_000_000;
    let until = Timestamp::from_micros(until).ok_or("no such time")?;
    let mut rounds = Rounds::default();
    let plan = Plan::empty(EMPTY_ACCOUNTS, names.clone(), until)?;
    let empty = one(server, "bench_empty", plan, &EMPTY, verify, duration).await?;
    let big = one(server, "bench_large", Plan::of(events, names, until)?, &BIG, verify, duration).await?;
    let ratios = ratios(&big, &empty);
    empty.figures.into_iter().chain(big.figures).for_each(|figure| rounds.add(figure));
    println!("{}\n\n{}", rounds.table(), ratio_table(&ratios));
    println!("\nwritten to {}", rounds.write_summary("large.json", ratios)?.display());
    Ok(())
}

async fn one(
    server: &PgConnectOptions,
    database: &str,
    plan: Plan,
    names: &Names,
    verify: bool,
    duration: Duration,
) -> Fallible<Found> {
    let (accounts, events) = (plan.accounts.clone(), plan.events());
    eprintln!("{database}: {events} events of {} accounts", accounts.count);
    let pool = loader::load(server, database, plan, music()?).await?;
    if verify {
        audit(&pool).await?;
    }
    let found = measure(&pool, &accounts, events, names, duration).await?;
    pool::close(&pool).await;
    Ok(found)
}

/// Every hash, the chain, and every account replayed.
async fn audit(pool: &PgPool) -> Fallible<()> {
    let program = Path::new(env!("CARGO_BIN_EXE_counterfoil"));
    let audited = tokio::process::Command::new(program)
        .args(["audit", "verify", "--journal-only"])
        .env("DATABASE_URL", pool.connect_options().to_url_lossy().as_str())
        .env("COUNTERFOIL_CATALOG", concat!(env!("CARGO_MANIFEST_DIR"), "/catalogs/music.toml"))
        .stdin(Stdio::null())
        .status()
        .await?;
    if audited.success() { Ok(()) } else { Err("the journal does not pass its audit".into()) }
}
