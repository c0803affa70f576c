//! How fast is the journal read, by all read models together, and for one account's state?

use std::time::{Duration, Instant};

use counterfoil::{
    domain::{
        account::Account,
        amount::Credits,
        command::{Command, CreditsCommand},
        decide::{Context, decide},
        ids::AccountId,
        recorded::Shard,
        time::Timestamp,
    },
    journal::load::{self, LoadedAccount},
    load::Choice,
    postgres::{migrations, pool},
    projections,
};
use sqlx::{PgPool, postgres::PgConnectOptions};

use super::{OurBench, accounts, music};
use crate::{
    catch_up,
    database::{self, Fallible},
    report::{Figure, name},
};

/// How many events the read models catch up with, and of how many accounts.
const CATCH_UP_EVENTS: usize = 1_000_000;
const CATCH_UP_ACCOUNTS: usize = 10_000;
/// How many events the replayed account has.
const REPLAY_EVENTS: usize = 200_000;
const POOL_CONNECTIONS: u32 = 20;

/// Databases with a history each. They are filled once, and read in every round.
pub struct Histories {
    server: PgConnectOptions,
    replay: PgPool,
}

impl Histories {
    pub async fn prepare(server: &PgConnectOptions) -> Fallible<Self> {
        let replay = fresh(server, "bench_replay").await?;
        catch_up::fill(&replay, REPLAY_EVENTS, 1).await?;
        Ok(Self { server: server.clone(), replay })
    }

    /// From the beginning each time: emptied tables are not like new ones.
    pub async fn catch_up(&self) -> Fallible<Figure> {
        let pool = fresh(&self.server, "bench_catch_up").await?;
        catch_up::fill(&pool, CATCH_UP_EVENTS, CATCH_UP_ACCOUNTS).await?;
        sqlx::query("checkpoint").execute(&pool).await?;
        let took = catch_up::catch_up(&pool, projections::all()).await.map_err(|error| error.to_string())?;
        pool.close().await;
        Ok(events(name::CATCH_UP, CATCH_UP_EVENTS, took))
    }

    pub async fn replay(&self) -> Fallible<Figure> {
        let id: String = sqlx::query_scalar("select aggregate_id from ledger.events limit 1")
            .fetch_one(&self.replay)
            .await?;
        let mut connection = self.replay.acquire().await?;
        let started = Instant::now();
        let known = vec![LoadedAccount::nothing(AccountId::parse(&id)?)];
        let current = load::advance(&mut connection, Shard(0), known).await?;
        let took = started.elapsed();
        let replayed = current.first().map_or(0, |known| known.state.version());
        if replayed == u64::try_from(REPLAY_EVENTS)? {
            Ok(events(name::REPLAY, REPLAY_EVENTS, took))
        } else {
            Err(format!("{replayed} of {REPLAY_EVENTS} events were replayed").into())
        }
    }
}

async fn fresh(server: &PgConnectOptions, name: &str) -> Fallible<PgPool> {
    let options = database::create(server, name).await?;
    migrations::run(&options, None).await?;
    Ok(pool::connect(options, POOL_CONNECTIONS).await?)
}

fn events(name: &'static str, count: usize, took: Duration) -> Figure {
    let commands_per_s = count as f64 / took.as_secs_f64();
    Figure { name, commands_per_s, p50_ms: None, p99_ms: None, lag_ms: None }
}

/// Only the rules: a deduction is decided and applied, again and again.
pub async fn decide_alone(bench: &OurBench, duration: Duration) -> Fallible<Figure> {
    let id = AccountId::parse(&accounts(Choice::Hot).name(0))?;
    let mut account: Account = bench.ledger.view(&id).await?.account;
    let catalog = music()?;
    let command =
        Command::Credits(CreditsCommand::DeductCredits { amount: Credits::ONE, id: None, description: None });
    let at = bench.ledger.clock().now();
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < duration {
        for step in 0..1_000 {
            let at = Timestamp::from_micros(at.micros() + step).ok_or("no such time")?;
            let context = Context { at, catalog: &catalog };
            let events = decide(&account, &command, context).map_err(|refusal| format!("{refusal:?}"))?;
            for event in &events {
                account.apply(event)?;
            }
            count += 1;
        }
    }
    Ok(events(name::DECIDE, count, started.elapsed()))
}
