//! How does a big journal come into a database within minutes? Threads decide its cohorts, and one connection copies.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use counterfoil::{
    domain::{catalog::Catalog, ids::AccountId, recorded::Shard},
    journal::{load::LoadedAccount, snapshot},
    postgres::{migrations, pool},
};
use sqlx::{Connection, Executor, PgConnection, PgPool, postgres::PgConnectOptions};
use tokio::sync::mpsc;

use super::{
    history::{CohortWriter, Customer, Plan},
    rows::{Chunk, Head, Indexes},
};
use crate::database::{self, Fallible};

const THREADS: usize = 2;
/// Cohorts that are decided and not copied yet, each of some dozen megabytes.
const AHEAD: usize = 2;
const POOL_CONNECTIONS: u32 = 10;
const TELL_EVERY: Duration = Duration::from_secs(5);

type Written = (usize, Fallible<(Chunk, Vec<LoadedAccount>)>);

/// The account that is always busy, from one of its cohorts to the next.
struct Hot {
    turn: Mutex<(usize, Customer)>,
    moved: Condvar,
}

/// Makes a database with this history, and says on the way how far it is.
pub async fn load(
    server: &PgConnectOptions,
    name: &str,
    plan: Plan,
    catalog: Arc<Catalog>,
) -> Fallible<PgPool> {
    let options = database::create(server, name).await?;
    migrations::run(&options, None).await?;
    let pool = pool::connect(options.clone(), POOL_CONNECTIONS).await?;
    let mut connection = PgConnection::connect_with(&options).await?;
    // The database is made again if it is lost.
    connection.execute("set synchronous_commit = off").await?;
    connection.execute("set maintenance_work_mem = '512MB'").await?;
    connection.execute("alter table ledger.events set (autovacuum_enabled = off)").await?;
    let begun = Instant::now();
    let indexes = Indexes::drop("ledger.events", &mut connection).await?;
    copy(plan.clone(), catalog, &mut connection, &pool).await?;
    tell(&plan, begun, "copied");
    eprintln!("making the indexes…");
    indexes.make(&mut connection).await?;
    tell(&plan, begun, "copied and indexed");
    connection.execute("alter table ledger.events reset (autovacuum_enabled)").await?;
    eprintln!("collecting statistics…");
    connection.execute("vacuum (analyze) ledger.events").await?;
    connection.execute("checkpoint").await?;
    tell(&plan, begun, "loaded");
    connection.close().await?;
    Ok(pool)
}

fn tell(plan: &Plan, begun: Instant, what: &str) {
    let seconds = begun.elapsed().as_secs_f64();
    let each = plan.events() as f64 / seconds;
    eprintln!("{} events {what} in {seconds:.1} s: {each:.0} a second", plan.events());
}

async fn copy(
    plan: Plan,
    catalog: Arc<Catalog>,
    connection: &mut PgConnection,
    pool: &PgPool,
) -> Fallible<()> {
    let plan = Arc::new(plan);
    let mut written = start_threads(&plan, &catalog)?;
    let (mut waiting, mut next, mut head) = (BTreeMap::new(), 0, Head::begin(connection).await?);
    let (mut told, mut events) = (Instant::now(), 0);
    while let Some((number, cohort)) = written.recv().await {
        waiting.insert(number, cohort?);
        while let Some((chunk, known)) = waiting.remove(&next) {
            let (written, kept) =
                tokio::join!(head.write(chunk, connection), snapshot::keep(pool, Shard(0), &known));
            written?;
            kept?;
            events += plan.cohorts[next].events;
            next += 1;
        }
        if told.elapsed() >= TELL_EVERY {
            eprintln!("  {events} of {} events", plan.events());
            told = Instant::now();
        }
    }
    if next != plan.cohorts.len() {
        return Err("a thread has stopped".into());
    }
    head.set(connection).await
}

fn start_threads(plan: &Arc<Plan>, catalog: &Arc<Catalog>) -> Fallible<mpsc::Receiver<Written>> {
    let (sender, written) = mpsc::channel(AHEAD);
    let first = Customer::new(AccountId::parse(&plan.accounts.name(0))?);
    let hot = Arc::new(Hot { turn: Mutex::new((0, first)), moved: Condvar::new() });
    let taken = Arc::new(AtomicUsize::new(0));
    for _ in 0..THREADS {
        let (plan, catalog, hot) = (Arc::clone(plan), Arc::clone(catalog), Arc::clone(&hot));
        let (taken, sender) = (Arc::clone(&taken), sender.clone());
        std::thread::spawn(move || {
            loop {
                let number = taken.fetch_add(1, Ordering::Relaxed);
                if number >= plan.cohorts.len() {
                    return;
                }
                let cohort = write(&plan, number, &catalog, &hot);
                // Nobody reads any more after an error.
                if sender.blocking_send((number, cohort)).is_err() {
                    return;
                }
            }
        });
    }
    Ok(written)
}

fn write(plan: &Plan, number: usize, catalog: &Catalog, hot: &Hot) -> Fallible<(Chunk, Vec<LoadedAccount>)> {
    let cohort = plan.cohorts[number];
    let (chunk, customers) = match cohort.hot_turn() {
        None => CohortWriter::new(plan, cohort, catalog, None)?.write()?,
        Some(turn) => {
            let poisoned = "the thread with the busy account has stopped";
            let mut place = hot.turn.lock().map_err(|_| poisoned)?;
            while place.0 != turn {
                place = hot.moved.wait(place).map_err(|_| poisoned)?;
            }
            // The first of its commands opens it.
            let customer = (turn > 0).then(|| place.1.clone());
            let (chunk, customers) = CohortWriter::new(plan, cohort, catalog, customer)?.write()?;
            *place = (turn + 1, customers.first().cloned().ok_or("no account")?);
            hot.moved.notify_all();
            (chunk, customers)
        }
    };
    Ok((chunk, customers.into_iter().filter_map(|customer| customer.snapshot).collect()))
}
