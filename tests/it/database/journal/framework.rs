//! The framework's own store and ours are the same to the framework, and its repository reads our table.

use std::{collections::HashMap, sync::Arc};

use counterfoil::{
    clock::Clock,
    domain::{
        command::{AccountCommand, Command, CreditsCommand},
        recorded::Shard,
        time::Timestamp,
    },
    journal::{aggregate::AccountAggregate, store::JournalStore},
};
use cqrs_es::{
    AggregateError, CqrsFramework, EventStore,
    persist::{PersistedEventRepository, PersistedEventStore},
};
use postgres_es::PostgresEventRepository;

use crate::support::{
    database::TestDatabase,
    ledger::{TestLedger, credits, deduct, music, noon, open},
};

/// The framework's table, as its crate defines it.
const STOCK_TABLE: &str = "create table stock_events ( \
    aggregate_type text not null, aggregate_id text not null, sequence bigint not null, \
    event_type text not null, event_version text not null, payload json not null, metadata json not null, \
    primary key (aggregate_type, aggregate_id, sequence))";

fn commands() -> Vec<(Command, Timestamp)> {
    let deduct = |amount| {
        Command::Credits(CreditsCommand::DeductCredits {
            amount: credits(amount),
            id: None,
            description: None,
        })
    };
    let commands = [
        Command::Account(AccountCommand::OpenAccount),
        deduct(5),
        deduct(60),
        Command::Account(AccountCommand::OpenAccount),
        deduct(45),
        deduct(1),
    ];
    commands.into_iter().map(|command| (command, noon())).collect()
}

/// What each command answered, and all events in the end.
async fn run<S: EventStore<AccountAggregate>>(store: S) -> Vec<Result<(), String>> {
    let framework = CqrsFramework::new(store, Vec::new(), music());
    let mut answers = Vec::new();
    for command in commands() {
        let answer = framework.execute_with_metadata("acme", command, HashMap::new()).await;
        answers.push(answer.map_err(|error| match error {
            AggregateError::UserError(refused) => refused.to_string(),
            other => panic!("{other}"),
        }));
    }
    answers
}

#[tokio::test]
async fn the_same_commands_have_the_same_events_in_both_stores() {
    let database = TestDatabase::of_shards(1).await;
    sqlx::query(STOCK_TABLE).execute(&database.pool()).await.expect("made");
    let stock = || {
        let repository = PostgresEventRepository::new(database.pool()).with_tables("stock_events", "none");
        PersistedEventStore::<_, AccountAggregate>::new_event_store(repository)
    };
    let ours = || JournalStore::new(database.pool(), Shard(0), 1, Clock::fixed(noon()));
    assert_eq!(run(stock()).await, run(ours()).await);
    let of_stock = stock().load_events("acme").await.expect("readable");
    let of_ours = ours().load_events("acme").await.expect("readable");
    let told = |events: &[cqrs_es::EventEnvelope<AccountAggregate>]| -> Vec<_> {
        events.iter().map(|event| (event.sequence, event.payload.clone())).collect()
    };
    assert_eq!(told(&of_stock), told(&of_ours));
    assert_eq!(of_ours.len(), 4);
}

#[tokio::test]
async fn the_framework_s_repository_reads_what_the_ledger_wrote() {
    let test = TestLedger::of_one_shard().await;
    open(&test.ledger, "acme").await.expect("opened");
    test.ledger.execute(deduct("acme", 5, "k")).await.expect("deducted");
    let repository = PostgresEventRepository::new(test.database.pool()).with_tables("ledger.events", "none");
    let serialized = repository.get_events::<AccountAggregate>("acme").await.expect("readable");
    assert_eq!(serialized.len(), 3);
    let store = PersistedEventStore::<_, AccountAggregate>::new_event_store(repository);
    let mut context = store.load_aggregate("acme").await.expect("loaded");
    let aggregate = cqrs_es::AggregateContext::aggregate(&mut context);
    assert_eq!(aggregate.0.balance(test.clock.now()).available, credits(45));
    let events = store.load_events("acme").await.expect("readable");
    assert_eq!(events[2].metadata["balance"], "45");
}

#[tokio::test]
async fn a_stale_decision_of_the_framework_is_a_conflict() {
    let test = TestLedger::of_one_shard().await;
    open(&test.ledger, "acme").await.expect("opened");
    let store = Arc::new(JournalStore::new(test.database.pool(), Shard(0), 1, test.clock.clone()));
    let stale = store.load_aggregate("acme").await.expect("loaded");
    test.ledger.execute(deduct("acme", 5, "k")).await.expect("deducted");
    let event = store.load_events("acme").await.expect("readable").remove(2).payload;
    let conflict = store.commit(vec![event], stale, HashMap::new()).await;
    assert!(matches!(conflict, Err(AggregateError::AggregateConflict)));
}
