//! Are the events since a time found without those before?

use chrono::TimeDelta;
use counterfoil::{
    domain::{
        recorded::{JournalPosition, Position, RecordedEvent},
        time::Timestamp,
    },
    ledger::Ledger,
};

use crate::support::ledger::{TestLedger, account, deduct, grant, noon, open};

const ACCOUNT: &str = "acme";

/// The end of the account's shard.
async fn head(ledger: &Ledger) -> Position {
    ledger.heads().await.unwrap().of(ledger.shard_of(&account(ACCOUNT))).unwrap()
}

async fn before(ledger: &Ledger, at: Timestamp) -> Position {
    let head = JournalPosition::new(ledger.shard_of(&account(ACCOUNT)), head(ledger).await);
    ledger.position_before(at, head).await.unwrap()
}

#[tokio::test]
async fn events_are_found_from_the_first_of_a_time_on() {
    let test = TestLedger::start().await;
    let ledger = &test.ledger;
    let begin = Position(0);
    assert_eq!(before(ledger, noon()).await, begin, "there are none");
    // Each at another minute, but the first ones.
    open(ledger, ACCOUNT).await.unwrap();
    grant(ledger, ACCOUNT, 1_000, "grant").await.unwrap();
    let first = head(ledger).await;
    for minute in 1..=20 {
        test.clock.set(noon().plus(TimeDelta::minutes(minute)));
        ledger.execute(deduct(ACCOUNT, 1, &format!("deduct {minute}"))).await.unwrap();
    }
    let last = head(ledger).await;
    assert_eq!(last, Position(first.0 + 20));
    for minute in 1..=20 {
        let at = noon().plus(TimeDelta::minutes(minute));
        let expected = Position(first.0 + minute - 1);
        assert_eq!(before(ledger, at).await, expected, "{minute}");
        assert_eq!(before(ledger, at.minus(TimeDelta::seconds(1))).await, expected, "{minute}");
    }
    assert_eq!(before(ledger, noon()).await, begin);
    assert_eq!(before(ledger, noon().plus(TimeDelta::days(1))).await, last);

    let found = async |types: &[&str], after, until| -> Vec<Position> {
        let after = JournalPosition::new(ledger.shard_of(&account(ACCOUNT)), after);
        let events = ledger.events_of(types, after, until).await.unwrap();
        let events: Vec<RecordedEvent> = events.into_iter().map(Result::unwrap).collect();
        events.into_iter().map(|event| event.position).collect()
    };
    let fifth = Position(first.0 + 5);
    assert_eq!(found(&["CreditsDeducted"], begin, last).await.len(), 20);
    assert_eq!(found(&["CreditsDeducted"], fifth, Position(fifth.0 + 1)).await, [Position(fifth.0 + 1)]);
    assert_eq!(found(&["RefundIssued"], begin, last).await, []);
}
