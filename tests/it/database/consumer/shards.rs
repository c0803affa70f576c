//! Are the consumers of many shards followed with few queries, and does none hold up another?

use std::{
    collections::BTreeSet,
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{
    clock::Clock,
    consumer::{Consumer, Consumers, FailureRule, HandleError, Pass, SharedNames},
    domain::recorded::{Position, RecordedEvent, Shard},
    journal::feed::Feed,
    projections,
    projector::Projector,
};
use futures::{FutureExt, future::BoxFuture};
use sqlx::{Connection, PgConnection, PgPool, postgres::PgListener};
use tokio::sync::watch;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{Instance, Notes, PATIENCE, noted};
use crate::{
    database::projections::{catch_up, eventually},
    support::{
        database::TestDatabase,
        ledger::{TestLedger, grant, noon, open},
        shards,
    },
};

/// The end of the first shard.
async fn head(pool: &PgPool) -> Position {
    shards::heads(pool).await.of(Shard(0)).expect("it is there")
}

/// Copies the first shard's events to the others.
async fn spread(pool: &PgPool) {
    let columns = "position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, \
        metadata, recorded_at, generation, leaf_hash";
    let events = format!(
        "insert into ledger.events (shard, {columns}) select others.shard, {columns} \
         from ledger.events, (select shard from ledger.heads where shard <> 0) as others"
    );
    sqlx::query(&events).execute(pool).await.expect("they are copied");
    let heads = "update ledger.heads set position = (select position from ledger.heads where shard = 0)";
    sqlx::query(heads).execute(pool).await.expect("they are moved");
}

async fn count(pool: &PgPool, what: &str) -> i64 {
    sqlx::query_scalar(what).fetch_one(pool).await.expect("an answer")
}

fn names(channel: &str) -> SharedNames {
    SharedNames { channel: channel.to_owned(), ..SharedNames::default() }
}

/// Runs consumers until this is dropped.
async fn run(
    pool: &PgPool,
    consumers: Vec<Arc<dyn Consumer>>,
    names: SharedNames,
    appended: Vec<(Shard, watch::Receiver<Position>)>,
) -> (Consumers, DropGuard) {
    let feed = Feed::new(pool.clone());
    let opened = Consumers::open(pool.clone(), feed, consumers, Clock::fixed(noon()), names).await;
    let (consumers, stop) = (opened.expect("it opens"), CancellationToken::new());
    consumers.start(&TaskTracker::new(), &stop, appended);
    (consumers, stop.drop_guard())
}

#[tokio::test]
async fn an_idle_ledger_of_64_shards_is_asked_less_than_ten_times_a_second() {
    let database = TestDatabase::of_shards(64).await;
    let pool = database.pool();
    catch_up::fill(&pool, 40, 4).await.expect("the journal takes it");
    let head = head(&pool).await;
    let feed = Feed::new(pool.clone());
    let projector = Projector::open(pool.clone(), feed, projections::all(), Clock::fixed(noon())).await;
    let projector = projector.expect("it opens");
    let stop = CancellationToken::new();
    projector.start(&TaskTracker::new(), &stop, Vec::new());
    let _stop = stop.drop_guard();
    for name in projector.names() {
        let as_of = projector.wait_for(name, Shard(0), None, head, PATIENCE).await.expect("known");
        assert!(as_of.reached, "{name}");
    }
    // Asked of another database, so that the question does not count.
    let name: String =
        sqlx::query_scalar("select current_database()::text").fetch_one(&pool).await.expect("an answer");
    let elsewhere = database.connect_options().database("postgres");
    let mut connection = PgConnection::connect_with(&elsewhere).await.expect("it connects");
    let mut commits = async || {
        let commits = sqlx::query_scalar("select xact_commit from pg_stat_database where datname = $1");
        let commits: i64 = commits.bind(&name).fetch_one(&mut connection).await.expect("an answer");
        commits
    };
    // The start and this test have asked for more, and sessions tell once a second what they did.
    let started = Instant::now();
    loop {
        let (before, begun) = (commits().await, Instant::now());
        while commits().await < before + 60 {
            assert!(begun.elapsed() < PATIENCE, "it still looks");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if begun.elapsed() >= Duration::from_secs(6) {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "60 queries in {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn events_that_nobody_told_of_are_found_at_once() {
    let of = TestLedger::of_one_shard().await;
    let pool = of.database.pool();
    let notes = Notes::new(&pool, FailureRule::Park).await;
    let (consumers, _stop) = run(&pool, vec![notes], names("nobody_tells"), Vec::new()).await;
    open(&of.ledger, "acme").await.expect("opened");
    let mut quickest = PATIENCE;
    for number in 0..5 {
        grant(&of.ledger, "acme", 1, &format!("k{number}")).await.expect("granted");
        let (head, begun) = (head(&pool).await, Instant::now());
        // Whoever waits for it would have it looked for.
        eventually("it is found", async || {
            consumers.checkpoint("notes", Shard(0)).await.expect("it is known").position == head.0
        })
        .await;
        quickest = quickest.min(begun.elapsed());
    }
    assert!(quickest < Duration::from_millis(400), "{quickest:?}");
}

#[tokio::test]
async fn of_two_nodes_that_do_not_hear_each_other_one_leads_and_the_other_goes_on_when_it_ends() {
    let of = TestLedger::of_one_shard().await;
    let pool = of.database.pool();
    let notes = Notes::new(&pool, FailureRule::Park).await;
    open(&of.ledger, "acme").await.expect("opened");
    let one = Instance::named(&of, pool.clone(), &notes, names("one_node")).await;
    one.has_all(&of).await;
    let (other, _stop) = run(&pool, vec![Arc::<Notes>::clone(&notes)], names("other_node"), Vec::new()).await;
    let holders = "select count(distinct holder) from read.leases where until > now()";
    assert_eq!(count(&pool, holders).await, 1);
    let holder = async || -> uuid::Uuid {
        let holder = sqlx::query_scalar("select holder from read.leases");
        holder.fetch_optional(&pool).await.expect("an answer").unwrap_or_default()
    };
    let first = holder().await;
    for number in 0..10 {
        grant(&of.ledger, "acme", 1, &format!("k{number}")).await.expect("granted");
        let head = one.has_all(&of).await;
        let as_of = other.wait_for("notes", Shard(0), None, head, PATIENCE).await.expect("known");
        assert!(as_of.reached && as_of.position == head, "{as_of:?}");
    }
    assert_eq!(holder().await, first, "it still leads");
    drop(one);
    eventually("the other leads", async || ![first, uuid::Uuid::nil()].contains(&holder().await)).await;
    grant(&of.ledger, "acme", 1, "last").await.expect("granted");
    let head = head(&pool).await;
    let as_of = other.wait_for("notes", Shard(0), None, head, PATIENCE).await.expect("known");
    assert!(as_of.reached);
    assert_eq!(noted(&pool).await, (1..=head.0).collect::<Vec<_>>());
}

#[tokio::test]
async fn others_are_told_of_the_shards_that_they_may_lead_and_of_no_others() {
    let database = TestDatabase::of_shards(4).await;
    let pool = database.pool();
    let lead = "insert into read.leases \
        select 'counterfoil/' || shard, gen_random_uuid(), now() + interval '1 day' \
        from ledger.heads where shard <> 0";
    sqlx::query(lead).execute(&pool).await.expect("somebody leads");
    let mut listener = PgListener::connect_with(&pool).await.expect("it connects");
    listener.listen("told").await.expect("it listens");
    let numbers: Vec<Shard> = shards::shards(&pool).await.iter().collect();
    let positions: Vec<_> = numbers.iter().map(|_| watch::Sender::new(Position(0))).collect();
    let appended = numbers.iter().copied().zip(positions.iter().map(watch::Sender::subscribe)).collect();
    let notes = Notes::new(&pool, FailureRule::Park).await;
    let _running = run(&pool, vec![notes], names("told"), appended).await;
    eventually("it leads the first", async || count(&pool, "select count(*) from read.leases").await == 4)
        .await;
    // The lease is there before this process knows.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    let mut told = Vec::new();
    let append = async |position| {
        positions.iter().for_each(|shard| _ = shard.send_replace(Position(position)));
        tokio::task::yield_now().await;
    };
    for position in 1..=1_000 {
        append(position).await;
    }
    let mut told_of = BTreeSet::new();
    while told_of.len() < 3 {
        let heard =
            tokio::time::timeout(PATIENCE, listener.recv()).await.expect("in time").expect("it hears");
        told_of.extend(heard.payload().split(' ').map(str::to_owned));
        told.push(heard.payload().to_owned());
    }
    let others = numbers.iter().filter(|shard| shard.0 != 0).map(|shard| shard.0.to_string());
    assert_eq!(told_of, others.collect(), "never of its own");
    let most = 3 + begun.elapsed().as_millis().div_euclid(20);
    assert!(told.len() as u128 <= most, "{told:?}");
}

/// What a consumer does with each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Handles,
    Fails,
    Stops,
    Parks,
    Hangs,
}

struct Fated(&'static str, Fate);

impl Consumer for Fated {
    fn name(&self) -> &'static str {
        self.0
    }

    fn on_failure(&self) -> FailureRule {
        if self.1 == Fate::Stops { FailureRule::Stop } else { FailureRule::Park }
    }

    fn handle<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        _pass: Pass,
        _connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), HandleError>> {
        async move {
            let position = events.first().map_or(0, |event| event.position.0);
            match self.1 {
                Fate::Handles => Ok(()),
                Fate::Fails => Err(sqlx::Error::WorkerCrashed.into()),
                Fate::Stops | Fate::Parks => Err(HandleError::Unfit { position, reason: "a bug".to_owned() }),
                Fate::Hangs => pending().await,
            }
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_consumer_that_fails_stops_parks_or_hangs_holds_up_no_other_one() {
    let database = TestDatabase::of_shards(4).await;
    let pool = database.pool();
    catch_up::fill(&pool, 200, 10).await.expect("the journal takes it");
    spread(&pool).await;
    let head = head(&pool).await;
    let fates = [
        Fated("fails", Fate::Fails),
        Fated("stops", Fate::Stops),
        Fated("parks", Fate::Parks),
        Fated("good", Fate::Handles),
    ];
    let consumers = fates.into_iter().map(|fated| Arc::new(fated) as Arc<dyn Consumer>);
    let hangs: Arc<dyn Consumer> = Arc::new(Fated("hangs", Fate::Hangs));
    let (consumers, _stop) =
        run(&pool, consumers.chain([hangs]).collect(), SharedNames::default(), Vec::new()).await;
    for shard in consumers.shards() {
        for name in ["good", "parks"] {
            let as_of = consumers.wait_for(name, *shard, None, head, PATIENCE).await.expect("it is known");
            assert_eq!(as_of.position, head, "{name} on {shard:?}");
        }
    }
    for shard in consumers.shards() {
        let checkpoint = async |name| consumers.checkpoint(name, *shard).await.expect("it is known");
        eventually("it stops", async || checkpoint("stops").await.stopped.is_some()).await;
        assert_eq!((checkpoint("fails").await.position, checkpoint("hangs").await.position), (0, 0));
        assert_eq!(checkpoint("parks").await.parked.len(), 10, "each account by itself");
    }
    assert_eq!(count(&pool, "select count(*) from read.leases").await, 4, "one a shard");
}
