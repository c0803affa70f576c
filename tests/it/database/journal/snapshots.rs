//! When is a snapshot taken, and is it what the account was?

use std::collections::BTreeMap;

use counterfoil::{
    domain::recorded::Shard,
    journal::{load, snapshot},
};

use crate::support::ledger::{TestLedger, account, deduct, grant, open};

#[test]
fn few_events_have_to_be_read_after_a_snapshot() {
    for step in [1, 3, 40, 700] {
        let (mut taken_at, mut events) = (0, 0);
        while events < 20_000 {
            let before = events;
            events += step;
            if snapshot::is_due(before, events, 1_000) {
                taken_at = events;
            }
            let since = events - taken_at;
            assert!(since < 32 || (since <= events / 2 && since < 500 + step), "{since} of {events}");
        }
    }
}

#[test]
fn a_large_state_is_not_stored_for_few_events() {
    const STATE: usize = 8_000_000;
    let taken: Vec<i64> = (1..100_000).filter(|now| snapshot::is_due(now - 1, *now, STATE)).collect();
    assert!(taken.contains(&15_625) && taken.contains(&93_750), "{taken:?}");
    let (doubled, stepped) = taken.iter().partition::<Vec<i64>, _>(|now| now.count_ones() == 1);
    assert!(doubled.len() == 12 && stepped.len() == 6, "{taken:?}");
}

#[tokio::test]
async fn accounts_are_loaded_from_their_snapshots_as_from_their_events() {
    let test = TestLedger::start().await;
    let names = ["a0", "a1", "a2", "few"];
    for name in names {
        open(&test.ledger, name).await.expect("opened");
        grant(&test.ledger, name, 1_000, "g").await.expect("granted");
        let count = if name == "few" { 3 } else { 70 };
        for number in 0..count {
            test.ledger.execute(deduct(name, 1, &format!("k{number}"))).await.expect("deducted");
        }
    }
    let ids: Vec<_> = names.iter().map(|name| account(name)).collect();
    test.until_snapshots_are_taken().await;
    let pool = test.database.pool();
    let mut connection = pool.acquire().await.expect("a connection");
    let mut found = BTreeMap::new();
    for shard in test.ledger.shards().iter() {
        found.extend(snapshot::find(&mut connection, shard, &ids).await.expect("found"));
    }
    assert!(found.len() == 3 && found.values().all(|known| known.sequence() >= 64), "{found:?}");
    assert!(!found.contains_key(&account("few")));
    for id in &ids {
        let shard: Shard = test.ledger.shard_of(id);
        let loaded = load::load(&mut connection, shard, std::slice::from_ref(id)).await.expect("loaded");
        let nothing = load::LoadedAccount::nothing(id.clone());
        let replayed = load::advance(&mut connection, shard, vec![nothing]).await.expect("replayed");
        assert_eq!(loaded, replayed);
    }
}
