//! Do readers get everything once and in order, if some of it comes from memory?

use counterfoil::{
    domain::recorded::{Position, Shard},
    journal::feed::{Feed, FeedEntry, FeedReader},
};

use crate::support::ledger::{TestLedger, deduct, open, start_with_feed};

/// All events after a position, as (position, is from memory), until there are no more.
async fn read_on(reader: &mut FeedReader, after: i64) -> Vec<(i64, bool)> {
    let mut read = Vec::new();
    loop {
        let last = read.last().map_or(after, |(position, _)| *position);
        let batch = reader.after(Position(last)).await.expect("readable");
        if batch.entries().is_empty() {
            return read;
        }
        let told = |entry: &FeedEntry| (entry.position().0, matches!(entry, FeedEntry::Fresh(_)));
        read.extend(batch.entries().iter().map(told));
    }
}

#[tokio::test]
async fn what_this_process_appends_is_read_from_memory_and_the_rest_from_the_journal() {
    let test = TestLedger::of_one_shard().await;
    open(&test.ledger, "acme").await.expect("opened");
    let feed = Feed::new(test.database.pool());
    let mut reader = feed.reader(Shard(0));
    let (own, _running) = start_with_feed(test.database.pool(), test.clock.clone(), feed.clone()).await;

    own.execute(deduct("acme", 1, "own 1")).await.expect("deducted");
    own.execute(deduct("acme", 1, "own 2")).await.expect("deducted");
    assert_eq!(read_on(&mut reader, 0).await, [(1, false), (2, false), (3, false), (4, false)]);
    own.execute(deduct("acme", 1, "own 3")).await.expect("deducted");
    assert_eq!(read_on(&mut reader, 4).await, [(5, true)]);

    // Another process appends, and this one must decide again: neither is handed over.
    test.ledger.execute(deduct("acme", 1, "other")).await.expect("deducted");
    own.execute(deduct("acme", 1, "own 4")).await.expect("deducted");
    own.execute(deduct("acme", 1, "own 5")).await.expect("deducted");
    own.execute(deduct("acme", 1, "own 5")).await.expect("replayed");
    let read = read_on(&mut reader, 5).await;
    assert_eq!(read.iter().map(|(position, _)| *position).collect::<Vec<_>>(), [6, 7, 8]);
    own.execute(deduct("acme", 1, "own 6")).await.expect("deducted");
    assert_eq!(read_on(&mut reader, 8).await, [(9, true)]);
    // A reader that comes later finds the same.
    let all: Vec<i64> =
        read_on(&mut feed.reader(Shard(0)), 0).await.iter().map(|(position, _)| *position).collect();
    assert_eq!(all, (1..=9).collect::<Vec<_>>());
}

/// What is handed over is what is stored: every field of it.
#[tokio::test]
async fn events_from_memory_are_those_of_the_journal() {
    let test = TestLedger::of_one_shard().await;
    let feed = Feed::new(test.database.pool());
    let mut reader = feed.reader(Shard(0));
    let (own, _running) = start_with_feed(test.database.pool(), test.clock.clone(), feed).await;
    open(&own, "acme").await.expect("opened");
    own.execute(deduct("acme", 1, "k")).await.expect("deducted");
    let handed = reader.after(Position(0)).await.expect("readable");
    let stored = Feed::new(test.database.pool()).reader(Shard(0)).after(Position(0)).await.expect("readable");
    assert!(handed.entries().iter().all(|entry| matches!(entry, FeedEntry::Fresh(_))));
    let events = |entries: &[FeedEntry]| {
        entries.iter().map(|entry| entry.event().expect("readable").clone()).collect::<Vec<_>>()
    };
    assert_eq!(events(handed.entries()), events(stored.entries()));
}
