//! How fast do the read models follow the journal?
//! A history is written into the journal's table, and a projector reads it.
//!
//! The history is written to `ledger.events` directly, without blocks, since only reading is measured.

use std::{sync::Arc, time::Duration};

use counterfoil::{
    clock::Clock,
    domain::{
        amount::{Credits, Currency, Money},
        credits::{Balance, GrantTerms, PRIORITY_DEFAULT, Source},
        event::{AccountEvent, BURN_ORDER, CreditsEvent, Draw, Event, HoldEvent, Purpose, SubscriptionEvent},
        ids::{
            AccountId, Actor, DeductionId, GenerationId, GenerationType, GrantId, HoldId, PlanId, ProviderId,
        },
        recorded::{EventMetadata, Origin, RequestHash, Shard},
        subscription::{ReportOrder, SubscriptionState, SubscriptionStatus},
        time::{Period, Timestamp},
    },
    journal::{feed::Feed, unique::key_digest},
    projections::Projection,
    projector::Projector,
};
use sqlx::PgPool;
use uuid::Uuid;

/// How many events one statement writes.
const ROWS_MAX: usize = 10_000;
/// 2025-06-01.
const START_SECONDS: i64 = 1_748_736_000;
/// How long the history is, in microseconds.
const SPAN_MICROS: i64 = 7 * 86_400 * 1_000_000;

/// Writes `events` events of `accounts` accounts, mostly deductions, after those in the journal's first shard.
///
/// # Errors
/// If the database refuses them.
pub async fn fill(pool: &PgPool, events: usize, accounts: usize) -> Result<(), sqlx::Error> {
    let mut history = History::new(events, accounts);
    let mut left = events;
    while left > 0 {
        let mut rows = Rows::default();
        while rows.sequences.len() < left.min(ROWS_MAX) {
            history.next(&mut rows);
        }
        left = left.saturating_sub(rows.sequences.len());
        rows.write(pool).await?;
    }
    Ok(())
}

/// Lets `projections` follow the first shard from their positions to its head. Returns how long it took.
///
/// # Errors
/// If the database does not answer.
pub async fn catch_up(
    pool: &PgPool,
    projections: Vec<Arc<dyn Projection>>,
) -> Result<Duration, Box<dyn std::error::Error>> {
    let feed = Feed::new(pool.clone());
    let head = feed.head(Shard(0)).await?;
    let names: Vec<_> = projections.iter().map(|projection| projection.name()).collect();
    let projector = Projector::open(pool.clone(), feed, projections, Clock::system()).await?;
    let (tasks, stop) = (tokio_util::task::TaskTracker::new(), tokio_util::sync::CancellationToken::new());
    let started = std::time::Instant::now();
    projector.start(&tasks, &stop, Vec::new());
    for name in names {
        let reached = projector.wait_for(name, Shard(0), None, head, Duration::from_secs(600)).await?;
        if !reached.reached {
            return Err(format!("{name} came to {} of {}", reached.position.0, head.0).into());
        }
    }
    let took = started.elapsed();
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(took)
}

struct History {
    events: usize,
    written: usize,
    accounts: Vec<Account>,
    random: u64,
}

#[derive(Default)]
struct Account {
    sequence: i64,
    available: i64,
    held: i64,
    /// An open hold, and the last deduction that can be refunded.
    hold: Option<(HoldId, i64)>,
    deduction: Option<(DeductionId, i64)>,
}

#[derive(Default)]
struct Rows {
    accounts: Vec<String>,
    sequences: Vec<i64>,
    types: Vec<&'static str>,
    payloads: Vec<String>,
    metadata: Vec<String>,
    recorded_at: Vec<chrono::DateTime<chrono::Utc>>,
    keys: Vec<Option<Uuid>>,
}

fn name<T>(text: &str, parse: impl Fn(&str) -> Result<T, counterfoil::domain::ids::InvalidIdentifier>) -> T {
    parse(text).expect("the generator's names are identifiers")
}

fn credits(amount: i64) -> Credits {
    Credits::new(amount).expect("the generator's amounts are not negative")
}

impl History {
    fn new(events: usize, accounts: usize) -> Self {
        let accounts = (0..accounts.max(1)).map(|_| Account::default()).collect();
        Self { events, written: 0, accounts, random: 0x9E37_79B9_7F4A_7C15 }
    }

    /// A number below `bound`; the same numbers in every run.
    fn pick(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % bound as u64).unwrap_or(0)
    }

    fn next(&mut self, rows: &mut Rows) {
        let index = self.pick(self.accounts.len());
        let choice = self.pick(1_000);
        let offset = SPAN_MICROS / self.events as i64 * self.written as i64;
        let at = Timestamp::from_micros(START_SECONDS * 1_000_000 + offset).expect("a time of the year 2025");
        self.written += 1;
        let account = &mut self.accounts[index];
        account.sequence += 1;
        let event = account.next(index, choice, at);
        rows.push(index, account, &event, at);
    }
}

impl Account {
    fn next(&mut self, index: usize, choice: usize, at: Timestamp) -> Event {
        let grant_id = name("signup", GrantId::parse);
        if self.sequence == 1 {
            let plan = name("free", PlanId::parse);
            return Event::Account(AccountEvent::AccountOpened { plan, moved_in: None, effective_at: at });
        }
        if self.sequence == 2 {
            self.available = 1_000_000;
            let grant = GrantTerms {
                grant_id,
                source: Source::Signup,
                amount: credits(self.available),
                starts_at: at,
                expires_at: Some(at.plus_months(12)),
                priority: PRIORITY_DEFAULT,
                cost: None,
                payment: None,
                slot: None,
                reason: None,
            };
            return Event::Credits(CreditsEvent::CreditsGranted { grant, purpose: None, effective_at: at });
        }
        match (choice, self.hold.take(), self.deduction.take()) {
            (0..=3, hold, _) => {
                self.hold = hold;
                Event::Subscription(SubscriptionEvent::PlanChanged {
                    from: None,
                    terms: self.terms(index, choice, at),
                    effective_at: at,
                })
            }
            (4..=40, hold, Some((deduction_id, amount))) => {
                self.hold = hold;
                self.available += amount;
                Event::Credits(CreditsEvent::CreditsRefunded {
                    deduction_id,
                    amount: credits(amount),
                    returns: vec![Draw { grant_id, amount: credits(amount) }],
                    reissued: Vec::new(),
                    reason: "the generation failed".into(),
                    purpose: self.purpose(choice),
                    windows: Vec::new(),
                    effective_at: at,
                })
            }
            (_, Some((hold_id, amount)), _) => {
                self.held -= amount;
                Event::Hold(HoldEvent::HoldCommitted {
                    hold_id,
                    amount: credits(amount),
                    draws: vec![Draw { grant_id, amount: credits(amount) }],
                    returns: Vec::new(),
                    shortfall: Credits::ZERO,
                    purpose: self.purpose(choice),
                    windows: None,
                    effective_at: at,
                })
            }
            (41..=60, None, _) => self.held(choice, grant_id, at),
            (_, None, _) => self.deducted(choice, grant_id, at),
        }
    }

    fn held(&mut self, choice: usize, grant_id: GrantId, at: Timestamp) -> Event {
        let hold_id = name(&format!("hold_{}", self.sequence), HoldId::parse);
        self.hold = Some((hold_id.clone(), 10));
        self.available -= 10;
        self.held += 10;
        Event::Hold(HoldEvent::CreditsHeld {
            hold_id,
            amount: credits(10),
            draws: vec![Draw { grant_id, amount: credits(10) }],
            order: BURN_ORDER.into(),
            purpose: self.purpose(choice),
            windows: Vec::new(),
            expires_at: at.plus(chrono::TimeDelta::minutes(15)),
            effective_at: at,
        })
    }

    fn deducted(&mut self, choice: usize, grant_id: GrantId, at: Timestamp) -> Event {
        let deduction_id = name(&format!("ded_{}", self.sequence), DeductionId::parse);
        let amount = 1 + i64::try_from(choice % 9).unwrap_or(0);
        self.available -= amount;
        self.deduction = Some((deduction_id.clone(), amount));
        Event::Credits(CreditsEvent::CreditsDeducted {
            deduction_id,
            amount: credits(amount),
            draws: vec![Draw { grant_id, amount: credits(amount) }],
            order: BURN_ORDER.into(),
            purpose: self.purpose(choice),
            windows: Vec::new(),
            effective_at: at,
        })
    }

    fn purpose(&self, choice: usize) -> Purpose {
        let kind = if choice.is_multiple_of(10) { "stem_separation" } else { "standard_generation" };
        Purpose::Generation {
            id: Some(name(&format!("gen_{}_{choice}", self.sequence), GenerationId::parse)),
            kind: name(kind, GenerationType::parse),
            options: std::collections::BTreeMap::new(),
        }
    }

    fn terms(&self, index: usize, choice: usize, at: Timestamp) -> SubscriptionState {
        let status = if choice == 0 { SubscriptionStatus::Paused } else { SubscriptionStatus::Active };
        SubscriptionState {
            subscription: name(&format!("sub_{index}"), ProviderId::parse),
            status,
            plan: name("pro", PlanId::parse),
            quantity: 1,
            monthly: Money {
                minor: 1_000 * i64::try_from(choice).unwrap_or(0),
                currency: Currency::parse("usd").expect("a currency"),
            },
            undiscounted: None,
            period: Period { start: at, end: at.plus_months(1) },
            cancel_at: None,
            trial_end: None,
            ended_at: None,
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
                id: name(&format!("evt_{index}_{}", self.sequence), ProviderId::parse),
                step: None,
            },
        }
    }
}

impl Rows {
    fn push(&mut self, index: usize, account: &Account, event: &Event, at: Timestamp) {
        let balance = Balance {
            available: credits(account.available),
            held: credits(account.held),
            settled: account.available + account.held,
            debt: Credits::ZERO,
        };
        let metadata = EventMetadata {
            command: None,
            request_hash: RequestHash(account.sequence.unsigned_abs()),
            actor: name("cf_live_12345678", Actor::parse),
            origin: Origin::Api,
            catalog: "0123456789abcdef".repeat(2).into(),
            events: 1,
            balance_then: None,
            balance,
            correlation_id: None,
            causation_id: None,
            stripe_event: None,
        };
        let id = AccountId::parse(&format!("account-{index:06}")).expect("an identifier");
        self.keys.push(Some(key_digest(&id, &format!("key-{}", account.sequence))));
        self.accounts.push(id.to_string());
        self.sequences.push(account.sequence);
        self.types.push(event.name());
        self.payloads.push(serde_json::to_string(event).expect("events are written as JSON"));
        self.metadata.push(serde_json::to_string(&metadata).expect("metadata is written as JSON"));
        self.recorded_at.push(at.to_utc());
    }

    async fn write(self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let count = i64::try_from(self.sequences.len()).unwrap_or(i64::MAX);
        let mut transaction = pool.begin().await?;
        let last: i64 = sqlx::query_scalar(
            "update ledger.heads set position = position + $1 where shard = 0 returning position",
        )
        .bind(count)
        .fetch_one(&mut *transaction)
        .await?;
        sqlx::query(
            "insert into ledger.events (shard, position, aggregate_type, aggregate_id, sequence, event_type, \
             event_version, payload, metadata, recorded_at, key_digest, leaf_hash) \
             select 0, $1 + number, 'account', account, sequence, type, '1', payload::json, metadata::json, \
             at, key, sha256(payload::bytea) from unnest($2::text[], $3::bigint[], $4::text[], $5::text[], \
             $6::text[], $7::timestamptz[], $8::uuid[]) with ordinality \
             as row (account, sequence, type, payload, metadata, at, key, number)",
        )
        .bind(last - count)
        .bind(self.accounts)
        .bind(self.sequences)
        .bind(self.types)
        .bind(self.payloads)
        .bind(self.metadata)
        .bind(self.recorded_at)
        .bind(self.keys)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }
}
