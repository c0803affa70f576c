//! Does what follows the journal handle each event once, whatever fails, also if it is no read model?

#[path = "consumer/shards.rs"]
mod shards;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use counterfoil::{
    consumer::{Consumer, ConsumerError, Consumers, FailureRule, HandleError, Pass, SharedNames},
    domain::recorded::{Position, RecordedEvent, Shard},
    journal::feed::Feed,
};
use futures::{FutureExt, future::BoxFuture};
use sqlx::{PgConnection, PgPool};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    database::projections::eventually,
    support::ledger::{TestLedger, account, deduct, grant, open},
};

/// Long enough for a busy machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes a line for each event into a table that takes any of them twice.
struct Notes {
    on_failure: FailureRule,
    /// Whether the third event of the account `bad`, and those after it, cannot be handled.
    broken: AtomicBool,
    /// So many steps are cut off when their lines are written, every other one.
    to_cut_off: AtomicUsize,
    steps: AtomicUsize,
}

impl Notes {
    async fn new(pool: &PgPool, on_failure: FailureRule) -> Arc<Self> {
        let table = "create table notes \
            (number bigint generated always as identity, position bigint, account text, sequence bigint)";
        sqlx::query(table).execute(pool).await.expect("the table is made");
        let (broken, to_cut_off, steps) = Default::default();
        Arc::new(Self { on_failure, broken, to_cut_off, steps })
    }

    fn is_cut_off(&self) -> bool {
        let is_other = self.steps.fetch_add(1, Ordering::SeqCst) % 2 == 1;
        let one_less = |left: usize| left.checked_sub(1);
        is_other && self.to_cut_off.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
    }
}

impl Consumer for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn on_failure(&self) -> FailureRule {
        self.on_failure
    }

    fn handle<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        _pass: Pass,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), HandleError>> {
        async move {
            for event in events {
                let note = sqlx::query("insert into notes (position, account, sequence) values ($1, $2, $3)");
                let note = note.bind(event.position.0).bind(event.account.as_str()).bind(event.sequence);
                note.execute(&mut *connection).await?;
                let is_bad = event.account.as_str() == "bad" && event.sequence >= 3;
                if is_bad && self.broken.load(Ordering::SeqCst) {
                    return Err(HandleError::Unfit { position: event.position.0, reason: "a bug".into() });
                }
            }
            if self.is_cut_off() { Err(sqlx::Error::WorkerCrashed.into()) } else { Ok(()) }
        }
        .boxed()
    }
}

async fn head(of: &TestLedger) -> Position {
    of.ledger.heads().await.expect("the database answers").of(Shard(0)).expect("the only one")
}

/// One instance of a program that runs the consumer, until it is dropped.
struct Instance {
    consumers: Consumers,
    _stop: DropGuard,
}

impl Instance {
    async fn start(of: &TestLedger, pool: PgPool, notes: &Arc<Notes>) -> Self {
        Self::named(of, pool, notes, SharedNames::default()).await
    }

    async fn named(of: &TestLedger, pool: PgPool, notes: &Arc<Notes>, names: SharedNames) -> Self {
        let (feed, notes) = (Feed::new(pool.clone()), Arc::clone(notes));
        let opened = Consumers::open(pool, feed, vec![notes], of.clock.clone(), names).await;
        let (consumers, stop) = (opened.expect("it opens"), CancellationToken::new());
        consumers.start(&TaskTracker::new(), &stop, of.ledger.positions());
        Self { consumers, _stop: stop.drop_guard() }
    }

    async fn has_all(&self, of: &TestLedger) -> Position {
        let head = head(of).await;
        let as_of = self.consumers.wait_for("notes", Shard(0), None, head, PATIENCE).await.expect("known");
        assert!(as_of.reached, "{as_of:?} of {head:?}");
        head
    }
}

/// Takes the leases from whoever leads, who does not notice at once.
pub async fn depose(pool: &PgPool) {
    sqlx::query("delete from read.leases").execute(pool).await.expect("the database answers");
}

/// The positions of what was noted, in the order in which it was.
async fn noted(pool: &PgPool) -> Vec<i64> {
    let noted = sqlx::query_scalar("select position from notes order by number");
    noted.fetch_all(pool).await.expect("an answer")
}

/// The sequences of what was noted of an account.
async fn noted_of(pool: &PgPool, id: &str) -> Vec<i64> {
    let noted = sqlx::query_scalar("select sequence from notes where account = $1 order by number").bind(id);
    noted.fetch_all(pool).await.expect("an answer")
}

/// Opens accounts, and changes each so often.
async fn work(of: &TestLedger, accounts: &[&str], times: i64) {
    for id in accounts {
        open(&of.ledger, id).await.expect("opened");
        grant(&of.ledger, id, 100, "start").await.expect("granted");
    }
    for time in 1..=times {
        for id in accounts {
            of.ledger.execute(deduct(id, 1, &format!("k{time}"))).await.expect("the ledger goes on");
        }
    }
}

#[tokio::test]
async fn two_instances_whose_steps_are_cut_off_handle_each_event_once_and_in_order() {
    let of = TestLedger::of_one_shard().await;
    let pool = of.database.pool();
    let notes = Notes::new(&pool, FailureRule::Park).await;
    notes.to_cut_off.store(4, Ordering::SeqCst);
    let one = Instance::start(&of, pool.clone(), &notes).await;
    let other_pool = counterfoil::postgres::pool::open(of.database.connect_options(), 8);
    let other = Instance::start(&of, other_pool, &notes).await;
    let deposing = async {
        loop {
            depose(&pool).await;
            tokio::task::yield_now().await;
        }
    };
    let everything = async {
        work(&of, &["a", "b", "c"], 20).await;
        // How many steps that were depends on how many events each found.
        for time in 0.. {
            let head = one.has_all(&of).await;
            if notes.to_cut_off.load(Ordering::SeqCst) == 0 {
                return head;
            }
            of.ledger.execute(deduct("a", 1, &format!("more{time}"))).await.expect("deducted");
        }
        unreachable!("each of them is a step")
    };
    let head = tokio::select! {
        head = everything => head,
        () = deposing => unreachable!("it goes on for ever"),
    };
    other.has_all(&of).await;
    assert_eq!(noted(&pool).await, (1..=head.0).collect::<Vec<_>>());
    let checkpoints = "select version, position from read.checkpoints where projection = 'notes'";
    let checkpoints: Vec<(i32, i64)> = sqlx::query_as(checkpoints).fetch_all(&pool).await.expect("an answer");
    assert_eq!(checkpoints, [(1, head.0)]);
    let models = "select count(*) from read.projections where projection = 'notes'";
    let models: i64 = sqlx::query_scalar(models).fetch_one(&pool).await.expect("an answer");
    assert_eq!(models, 0, "it is no read model");
}

#[tokio::test]
async fn an_account_whose_event_cannot_be_handled_waits_and_catches_up_while_others_go_on() {
    let of = TestLedger::of_one_shard().await;
    let pool = of.database.pool();
    let notes = Notes::new(&pool, FailureRule::Park).await;
    notes.broken.store(true, Ordering::SeqCst);
    let Instance { consumers, .. } = &Instance::start(&of, pool.clone(), &notes).await;
    work(&of, &["bad", "good"], 3).await;
    let good = account("good");
    let head = head(&of).await;
    let as_of = consumers.wait_for("notes", Shard(0), Some(&good), head, PATIENCE).await.expect("known");
    assert!(as_of.reached && !as_of.parked);
    let all = noted_of(&pool, "good").await;
    assert_eq!(all, (1..=i64::try_from(all.len()).expect("few")).collect::<Vec<_>>());
    assert_eq!(noted_of(&pool, "bad").await, [1, 2]);
    let bad = account("bad");
    let as_of = consumers.wait_for("notes", Shard(0), Some(&bad), head, PATIENCE).await.expect("known");
    assert!(as_of.parked && !as_of.reached, "whoever waits is told");
    let parked = consumers.parked("notes", Pass::FIRST, Shard(0)).await.expect("an answer");
    assert_eq!((parked.len(), parked[0].account_id.as_str()), (1, "bad"));
    assert_eq!(parked[0].position, as_of.position.0 + 1);
    assert!(parked[0].reason.ends_with("cannot be applied: a bug"), "{}", parked[0].reason);

    let in_vain = consumers.unpark("notes", &bad).await;
    assert!(matches!(in_vain, Err(ConsumerError::Handle(HandleError::Unfit { .. }))), "{in_vain:?}");
    assert_eq!(noted_of(&pool, "bad").await, [1, 2]);
    notes.broken.store(false, Ordering::SeqCst);
    consumers.unpark("notes", &bad).await.expect("the bug is gone");
    assert_eq!(noted_of(&pool, "bad").await, all, "the same commands");
    let again = consumers.unpark("notes", &bad).await;
    assert!(matches!(again, Err(ConsumerError::NotParked { .. })), "{again:?}");
    of.ledger.execute(deduct("bad", 1, "after")).await.expect("deducted");
    eventually("it goes on", async || noted_of(&pool, "bad").await.len() == all.len() + 1).await;
}

#[tokio::test]
async fn a_consumer_that_may_leave_no_event_out_stops_and_goes_on_where_it_was() {
    let of = TestLedger::of_one_shard().await;
    let pool = of.database.pool();
    let notes = Notes::new(&pool, FailureRule::Stop).await;
    notes.broken.store(true, Ordering::SeqCst);
    let instance = Instance::start(&of, pool.clone(), &notes).await;
    work(&of, &["good", "bad"], 3).await;
    let checkpoint = async || instance.consumers.checkpoint("notes", Shard(0)).await.expect("it is known");
    eventually("it stops", async || checkpoint().await.stopped.is_some()).await;
    let stopped = checkpoint().await;
    assert!(stopped.stopped.is_some_and(|reason| reason.ends_with("a bug")) && stopped.parked.is_empty());
    assert_eq!(noted(&pool).await, (1..=stopped.position).collect::<Vec<_>>());
    notes.broken.store(false, Ordering::SeqCst);
    instance.consumers.resume("notes").await.expect("it is known");
    let head = instance.has_all(&of).await;
    assert_eq!(noted(&pool).await, (1..=head.0).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_asks_for_a_consumer_that_is_not_there_is_told() {
    let of = TestLedger::of_one_shard().await;
    let pool = of.database.pool();
    let notes = Notes::new(&pool, FailureRule::Park).await;
    let instance = Instance::start(&of, pool, &notes).await;
    let unknown = instance.consumers.resume("other").await;
    assert!(matches!(unknown, Err(ConsumerError::Unknown { .. })), "{unknown:?}");
}

/// A process that is frozen keeps its connections, but not its leases.
#[tokio::test]
async fn who_no_longer_renews_a_lease_leads_no_longer() {
    let test = TestLedger::of_one_shard().await;
    let pool = test.database.pool();
    let notes = Notes::new(&pool, FailureRule::Park).await;
    open(&test.ledger, "acme").await.expect("opened");
    let lease =
        "insert into read.leases values ('counterfoil/0', gen_random_uuid(), now() + interval '3 seconds')";
    sqlx::query(lease).execute(&pool).await.expect("somebody leads");
    let instance = Instance::start(&test, pool.clone(), &notes).await;
    let at_first: i64 =
        sqlx::query_scalar("select count(*) from notes").fetch_one(&pool).await.expect("an answer");
    assert_eq!(at_first, 0, "it waits for who leads");
    instance.has_all(&test).await;
    let still = "select count(*) from read.leases where until > now() + interval '2 seconds'";
    let led: i64 = sqlx::query_scalar(still).fetch_one(&pool).await.expect("an answer");
    assert_eq!(led, 1, "it leads now, and renews its lease");
    drop(instance);
    eventually("who ends gives its leases back", || async {
        let left: i64 =
            sqlx::query_scalar("select count(*) from read.leases").fetch_one(&pool).await.expect("an answer");
        left == 0
    })
    .await;
}
