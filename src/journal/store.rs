//! How does the framework write to the journal? By an `EventStore`, so that the unmodified `CqrsFramework` runs on it.
//!
//! It appends one command at a time, under the lock on the head.
//! The ledger, which groups commands, does not use it; it is for programs that are built on the framework, and for
//! comparing the two.

use std::collections::HashMap;

use cqrs_es::{AggregateContext, AggregateError, EventEnvelope, EventStore};
use sqlx::{Connection, PgConnection, PgPool};

use crate::{
    clock::Clock,
    domain::{
        event::Event,
        ids::{AccountId, Actor},
        recorded::{EventMetadata, Origin, Position, RecordedEvent, RequestHash, Shard},
    },
};

use super::{
    aggregate::{AccountAggregate, AggregateEvent, RefusedCommand},
    append::{self, AppendError, NewBlock},
    find,
    load::{self, LoadError, LoadedAccount},
    row::NewRows,
};

/// The most events that are read of one account.
const EVENTS_MAX: i64 = i64::MAX;

/// The journal, as the framework sees it.
#[derive(Clone, Debug)]
pub struct JournalStore {
    pool: PgPool,
    shard: Shard,
    /// How many shardings the journal has.
    shardings: i16,
    clock: Clock,
}

/// An account that the framework decides on, with its state when it was loaded.
#[derive(Debug)]
pub struct JournalContext {
    aggregate: AccountAggregate,
    known: LoadedAccount,
}

impl AggregateContext<AccountAggregate> for JournalContext {
    fn aggregate(&mut self) -> &mut AccountAggregate {
        &mut self.aggregate
    }
}

type StoreError = AggregateError<RefusedCommand>;

impl JournalStore {
    /// `shardings`: how many the journal has, see [`Shards::shardings`](super::shards::Shards::shardings).
    #[must_use]
    pub const fn new(pool: PgPool, shard: Shard, shardings: i16, clock: Clock) -> Self {
        Self { pool, shard, shardings, clock }
    }

    async fn append(
        &self,
        events: Vec<Event>,
        known: LoadedAccount,
        metadata: &HashMap<String, String>,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(unreachable)?;
        let mut transaction = connection.begin().await.map_err(unreachable)?;
        let head = append::lock_head(&mut transaction, self.shard).await.map_err(unreachable)?;
        let mut current = self.current(&mut transaction, &known).await?;
        let mut recorded = Vec::with_capacity(events.len());
        let mut rows = NewRows::default();
        for event in events {
            let next = self.record(event, &mut current, Position(head.0 + 1 + length(&rows)), metadata)?;
            rows.push(&next, None).map_err(unexpected)?;
            recorded.push(next);
        }
        if !rows.is_empty() {
            let recorded_at = recorded.first().map_or_else(|| self.clock.now(), |first| first.recorded_at);
            let Self { shard, shardings, .. } = *self;
            let block = NewBlock { shard, shardings, expected: head, recorded_at, rows: &rows };
            append::append(&mut transaction, block).await.map_err(|error| match error {
                AppendError::Stale | AppendError::Taken => AggregateError::AggregateConflict,
                AppendError::Grown | AppendError::Refused(_) | AppendError::Unknown(_) => unexpected(error),
            })?;
        }
        transaction.commit().await.map_err(unreachable)?;
        Ok(recorded)
    }

    /// The account under the lock, if it has not changed since it was loaded.
    async fn current(
        &self,
        connection: &mut PgConnection,
        known: &LoadedAccount,
    ) -> Result<LoadedAccount, StoreError> {
        let current = load::advance(connection, self.shard, vec![known.clone()]).await.map_err(unexpected)?;
        let same = current.into_iter().find(|current| current.tail == known.tail);
        same.ok_or(AggregateError::AggregateConflict)
    }

    fn record(
        &self,
        event: Event,
        known: &mut LoadedAccount,
        position: Position,
        metadata: &HashMap<String, String>,
    ) -> Result<RecordedEvent, StoreError> {
        known.state.apply(&event).map_err(unexpected)?;
        let at = self.clock.now();
        let text = |name: &str| metadata.get(name).cloned();
        let actor = Actor::parse(metadata.get("actor").map_or("framework", String::as_str));
        Ok(RecordedEvent {
            shard: self.shard,
            position,
            account: known.id.clone(),
            sequence: known.sequence(),
            recorded_at: at,
            metadata: EventMetadata {
                command: None,
                events: 1,
                request_hash: text("request").and_then(|text| RequestHash::parse(&text)).unwrap_or_default(),
                actor: actor.map_err(unexpected)?,
                origin: Origin::Operator,
                catalog: text("catalog").unwrap_or_default().into(),
                balance: known.state.balance(at),
                balance_then: None,
                correlation_id: text("correlation_id"),
                causation_id: text("causation_id"),
                stripe_event: None,
            },
            event,
        })
    }
}

impl EventStore<AccountAggregate> for JournalStore {
    type AC = JournalContext;

    async fn load_events(&self, id: &str) -> Result<Vec<EventEnvelope<AccountAggregate>>, StoreError> {
        let account = AccountId::parse(id).map_err(unexpected)?;
        let events =
            find::stream(&self.pool, self.shard, &account, 0, EVENTS_MAX).await.map_err(unexpected)?;
        events.into_iter().map(envelope).collect()
    }

    async fn load_aggregate(&self, id: &str) -> Result<JournalContext, StoreError> {
        let account = AccountId::parse(id).map_err(unexpected)?;
        let mut connection = self.pool.acquire().await.map_err(unreachable)?;
        let known = load::load(&mut connection, self.shard, std::slice::from_ref(&account)).await;
        let known = known.map_err(|error| match error {
            LoadError::Database(error) => unreachable(error),
            LoadError::Row(_) | LoadError::Corrupt { .. } => unexpected(error),
        })?;
        let known = known.into_iter().next().unwrap_or_else(|| LoadedAccount::nothing(account));
        Ok(JournalContext { aggregate: AccountAggregate(known.state.clone()), known })
    }

    async fn commit(
        &self,
        events: Vec<AggregateEvent>,
        context: JournalContext,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<AccountAggregate>>, StoreError> {
        let recorded =
            self.append(events.into_iter().map(|event| event.0).collect(), context.known, &metadata).await?;
        recorded.into_iter().map(envelope).collect()
    }
}

fn envelope(recorded: RecordedEvent) -> Result<EventEnvelope<AccountAggregate>, StoreError> {
    let metadata = serde_json::to_value(&recorded.metadata).map_err(unexpected)?;
    Ok(EventEnvelope {
        aggregate_id: recorded.account.to_string(),
        sequence: usize::try_from(recorded.sequence).map_err(unexpected)?,
        payload: AggregateEvent(recorded.event),
        metadata: serde_json::from_value(metadata).map_err(unexpected)?,
    })
}

fn length(rows: &NewRows) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}

fn unreachable(error: sqlx::Error) -> StoreError {
    AggregateError::DatabaseConnectionError(Box::new(error))
}

fn unexpected(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    AggregateError::UnexpectedError(Box::new(error))
}
