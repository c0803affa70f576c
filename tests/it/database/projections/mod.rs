//! Do the read models say what the events say, each event once, whatever fails?

#[path = "../../../../benches/catch_up.rs"]
pub mod catch_up;
mod churn;
mod cohorts;
mod credits;
mod deferred;
mod definitions;
mod discounts;
mod movements;
mod mrr;
mod numbers;
mod once;
mod paid_story;
mod poison;
mod published;
mod rebuild;
mod revenue;
mod sums;
mod turns;
mod waiting;

use std::{sync::Arc, time::Duration};

use counterfoil::{
    clock::Clock,
    domain::{
        amount::{Currency, Money},
        credits::{Balance, GrantTerms, PRIORITY_DEFAULT, Source},
        event::{AccountEvent, BURN_ORDER, CreditsEvent, Draw, Event, Purpose, SubscriptionEvent},
        ids::{DeductionId, GrantId, PlanId, ProviderId},
        subscription::{ReportOrder, SubscriptionState, SubscriptionStatus},
        time::{Period, Timestamp},
    },
    journal::feed::Feed,
    projections::{self, Projection},
    projector::{ProjectionListing, Projector},
};
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::support::ledger::{credits, metadata, noon};
use crate::support::shards;

/// Long enough for a busy machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A projector that runs until it is dropped.
struct Following {
    projector: Projector,
    stop: CancellationToken,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Following {
    async fn start(pool: PgPool, projections: Vec<Arc<dyn Projection>>) -> Self {
        let projector = open(pool, projections).await;
        let stop = CancellationToken::new();
        projector.start(&TaskTracker::new(), &stop, Vec::new());
        Self { projector, stop }
    }

    /// Waits until every read model that runs has all events, or has stopped.
    async fn caught_up(&self, pool: &PgPool) {
        let heads = shards::heads(pool).await;
        for name in self.projector.names() {
            let reached = shards::wait_for(&self.projector, name, &heads, PATIENCE).await;
            assert!(reached.reached, "{name} came to {reached:?} of {heads:?}");
        }
    }

    async fn listing(&self, name: &str) -> ProjectionListing {
        let mut listings = self.projector.list().await.expect("the database answers");
        listings.retain(|listing| listing.projection == name);
        listings.pop().expect("it is listed")
    }

    /// Rebuilds everything and expects to find what is there.
    async fn assert_rebuild_finds_the_same(&self) {
        for name in self.projector.names() {
            let rebuilt = self.projector.rebuild(name, false, |_| {}).await.expect("it can be rebuilt");
            assert_eq!(rebuilt.totals_before, rebuilt.totals_after, "{name}");
            assert!(rebuilt.switched, "{name}");
        }
    }
}

async fn open(pool: PgPool, projections: Vec<Arc<dyn Projection>>) -> Projector {
    let feed = Feed::new(pool.clone());
    Projector::open(pool, feed, projections, Clock::fixed(noon())).await.expect("the database answers")
}

/// Tries until the condition holds, for as long as a test has patience.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let holds = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, holds).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

/// Puts an event into the journal's table, as if the ledger had decided it.
async fn append(pool: &PgPool, id: &str, event: &Event, recorded_at: Timestamp, available: i64) {
    let payload = serde_json::to_string(event).expect("an event is written as JSON");
    append_payload(pool, id, event.name(), &payload, recorded_at, available).await;
}

async fn append_payload(
    pool: &PgPool,
    id: &str,
    event_type: &str,
    payload: &str,
    recorded_at: Timestamp,
    available: i64,
) {
    let balance = Balance { available: credits(available), settled: available, ..Balance::default() };
    let metadata = metadata(balance, Some(format!("evt_{id}_{recorded_at}")));
    let shard = shards::shard_of(pool, id).await;
    let mut transaction = pool.begin().await.expect("the database answers");
    let position: i64 = sqlx::query_scalar(
        "update ledger.heads set position = position + 1 where shard = $1 returning position",
    )
    .bind(shard.0)
    .fetch_one(&mut *transaction)
    .await
    .expect("there is a shard");
    sqlx::query(
        "insert into ledger.events (shard, position, aggregate_type, aggregate_id, sequence, event_type, \
         event_version, payload, metadata, recorded_at, leaf_hash) \
         select $7, $1, 'account', $2, coalesce(max(sequence), 0) + 1, $3, '1', $4::json, $5::json, $6, '' \
         from ledger.events where aggregate_id = $2",
    )
    .bind(position)
    .bind(id)
    .bind(event_type)
    .bind(payload)
    .bind(serde_json::to_string(&metadata).expect("metadata is written as JSON"))
    .bind(recorded_at.to_utc())
    .bind(shard.0)
    .execute(&mut *transaction)
    .await
    .expect("the event fits");
    transaction.commit().await.expect("the database answers");
}

fn opened(at: Timestamp) -> Event {
    Event::Account(AccountEvent::AccountOpened {
        plan: PlanId::parse("free").expect("a plan"),
        moved_in: None,
        effective_at: at,
    })
}

fn granted(amount: i64, at: Timestamp) -> Event {
    let grant = GrantTerms {
        grant_id: GrantId::parse("bonus").expect("an id"),
        source: Source::Bonus,
        amount: credits(amount),
        starts_at: at,
        expires_at: None,
        priority: PRIORITY_DEFAULT,
        cost: None,
        payment: None,
        slot: None,
        reason: None,
    };
    Event::Credits(CreditsEvent::CreditsGranted { grant, purpose: None, effective_at: at })
}

fn deducted(number: i64, amount: i64, at: Timestamp) -> Event {
    Event::Credits(CreditsEvent::CreditsDeducted {
        deduction_id: DeductionId::parse(&format!("ded_{number}")).expect("an id"),
        amount: credits(amount),
        draws: vec![Draw { grant_id: GrantId::parse("bonus").expect("an id"), amount: credits(amount) }],
        order: BURN_ORDER.into(),
        purpose: Purpose::Named { id: None, description: Some(format!("work {number}")) },
        windows: Vec::new(),
        effective_at: at,
    })
}

/// One report on the subscription `sub_1`.
fn reported(monthly: i64, status: SubscriptionStatus, at: Timestamp) -> Event {
    let ended_at = (status == SubscriptionStatus::Cancelled).then_some(at);
    let terms = SubscriptionState {
        subscription: ProviderId::parse("sub_1").expect("an id"),
        status,
        plan: PlanId::parse("pro").expect("a plan"),
        quantity: 1,
        monthly: Money { minor: monthly, currency: Currency::parse("usd").expect("a currency") },
        undiscounted: None,
        period: Period { start: at, end: at.plus_months(1) },
        cancel_at: None,
        trial_end: None,
        ended_at,
        free: false,
        collection_paused: false,
        grace_days: None,
        unit: None,
        moved_to: None,
        metadata: counterfoil::domain::metadata::Metadata::default(),
        shown: None,
        evidence: ReportOrder {
            reported_at: at,
            rank: 1,
            id: ProviderId::parse("evt").expect("an id"),
            step: None,
        },
    };
    if ended_at.is_some() {
        Event::Subscription(SubscriptionEvent::SubscriptionEnded { terms, effective_at: at })
    } else {
        Event::Subscription(SubscriptionEvent::PlanChanged { from: None, terms, effective_at: at })
    }
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

#[tokio::test]
async fn a_whole_history_is_in_every_read_model() {
    let database = crate::support::database::TestDatabase::create().await;
    let pool = database.pool();
    catch_up::fill(&pool, 3_000, 50).await.expect("the journal takes it");
    catch_up::catch_up(&pool, projections::all()).await.expect("they catch up");
    let accounts: i64 =
        sqlx::query_scalar("select count(*) from read.accounts").fetch_one(&pool).await.expect("an answer");
    assert_eq!(accounts, 50);
}
