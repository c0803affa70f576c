//! Does a program that does not know of a growth do any harm? It stores nothing more, and says nothing that is wrong.

use counterfoil::{
    audit::{self, ReplayError},
    clock::Clock,
    domain::recorded::JournalPositions,
    journal::store::JournalStore,
    ledger::ExecuteError,
};
use cqrs_es::EventStore;
use std::collections::HashMap;

use super::{assert_clean, grow, started, use_some};
use crate::support::{
    database::TestDatabase,
    ledger::{TestLedger, account, deduct, grant, music, noon, open},
    shards::{events, heads},
};

#[tokio::test]
async fn a_program_that_does_not_know_of_a_growth_stores_nothing_until_it_starts_again() {
    let test = TestLedger::on(TestDatabase::of_shards(1).await, music()).await;
    let pool = test.database.pool();
    use_some(&test.ledger, 'a', 3).await;
    grow(&pool, 4).await.expect("grown");
    let stored = events(&pool).await;
    assert!(!test.ledger.grown().is_cancelled(), "nobody has asked");
    for refused in [
        test.ledger.execute(deduct("a0", 1, "old")).await,
        open(&test.ledger, "new").await,
        grant(&test.ledger, "a1", 5, "old").await,
    ] {
        assert_eq!(refused.expect_err("it may not"), ExecuteError::Unavailable);
    }
    assert!(test.ledger.grown().is_cancelled());
    assert_eq!(events(&pool).await, stored);

    let (ledger, _running) = started(&pool).await;
    assert!(!ledger.is_grown().await.expect("an answer"));
    assert!(!ledger.execute(deduct("a0", 1, "old")).await.expect("deducted").replayed);
    open(&ledger, "new").await.expect("opened");
    assert_eq!(events(&pool).await, stored + 3);
    assert_clean(&pool).await;
}

/// What stores nothing is not refused by the database: it has to be asked.
#[tokio::test]
async fn a_program_that_does_not_know_of_a_growth_does_not_say_that_an_account_is_not_there() {
    for asks in 0..4 {
        let test = TestLedger::on(TestDatabase::of_shards(1).await, music()).await;
        let pool = test.database.pool();
        use_some(&test.ledger, 'a', 3).await;
        let nobody = test.ledger.view(&account("nobody")).await.expect("readable");
        assert_eq!(nobody.sequence, 0);
        grow(&pool, 4).await.expect("grown");
        let (ledger, _running) = started(&pool).await;
        use_some(&ledger, 'b', 1).await;
        assert_ne!(ledger.shard_of(&account("b0")), test.ledger.shard_of(&account("b0")));
        let old = test.ledger.view(&account("a0")).await.expect("it is where it was");
        assert_eq!(old.sequence, 3);
        match asks {
            0 => {
                let refused = test.ledger.execute(deduct("b0", 1, "old")).await;
                assert_eq!(refused.expect_err("it may not"), ExecuteError::Unavailable);
            }
            1 => assert!(test.ledger.view(&account("b0")).await.is_err()),
            2 => {
                let replayed = audit::replay(&test.ledger, &account("b0"), None).await;
                assert!(matches!(replayed, Err(ReplayError::Row(_))), "{replayed:?}");
            }
            _ => {
                let new: JournalPositions = heads(&pool).await;
                assert!(test.ledger.has(&new).await.is_err());
                assert!(ledger.has(&new).await.expect("an answer"));
            }
        }
        assert!(test.ledger.grown().is_cancelled(), "{asks}");
    }
}

#[tokio::test]
async fn a_store_of_the_framework_that_does_not_know_of_a_growth_stores_nothing() {
    let test = TestLedger::on(TestDatabase::of_shards(1).await, music()).await;
    let pool = test.database.pool();
    use_some(&test.ledger, 'a', 1).await;
    let source = test.ledger.shard_of(&account("a0"));
    let store = |shardings| JournalStore::new(pool.clone(), source, shardings, Clock::fixed(noon()));
    let context = store(1).load_aggregate("a0").await.expect("loaded");
    grow(&pool, 2).await.expect("grown");
    let stored = events(&pool).await;
    let event =
        test.ledger.find_event(&account("a0"), 3).await.expect("readable").expect("it is there").event;
    let event = counterfoil::journal::aggregate::AggregateEvent(event);
    let refused = store(1).commit(vec![event.clone()], context, HashMap::new()).await;
    assert!(refused.is_err(), "it may not");
    assert_eq!(events(&pool).await, stored);
    let context = store(2).load_aggregate("a0").await.expect("loaded");
    store(2).commit(vec![event], context, HashMap::new()).await.expect("it knows of the growth");
    assert_eq!(events(&pool).await, stored + 1);
}
