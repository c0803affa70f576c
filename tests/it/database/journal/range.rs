//! Are the events since a time found without those before?

use chrono::TimeDelta;
use counterfoil::domain::recorded::{Position, RecordedEvent};

use crate::support::ledger::{TestLedger, deduct, grant, noon, open};

const ACCOUNT: &str = "acme";

#[tokio::test]
async fn events_are_found_from_the_first_of_a_time_on() {
    let test = TestLedger::start().await;
    let ledger = &test.ledger;
    let begin = Position(0);
    assert_eq!(ledger.position_before(noon()).await.unwrap(), begin, "there are none");
    // Each at another minute, but the first ones.
    open(ledger, ACCOUNT).await.unwrap();
    grant(ledger, ACCOUNT, 1_000, "grant").await.unwrap();
    let first = ledger.head().await.unwrap().position;
    for minute in 1..=20 {
        test.clock.set(noon().plus(TimeDelta::minutes(minute)));
        ledger.execute(deduct(ACCOUNT, 1, &format!("deduct {minute}"))).await.unwrap();
    }
    let head = ledger.head().await.unwrap().position;
    assert_eq!(head, Position(first.0 + 20));
    for minute in 1..=20 {
        let at = noon().plus(TimeDelta::minutes(minute));
        let before = Position(first.0 + minute - 1);
        assert_eq!(ledger.position_before(at).await.unwrap(), before, "{minute}");
        assert_eq!(
            ledger.position_before(at.minus(TimeDelta::seconds(1))).await.unwrap(),
            before,
            "{minute}"
        );
    }
    assert_eq!(ledger.position_before(noon()).await.unwrap(), begin);
    assert_eq!(ledger.position_before(noon().plus(TimeDelta::days(1))).await.unwrap(), head);

    let found = async |types: &[&str], after, until| -> Vec<Position> {
        let events = ledger.events_of(types, after, until).await.unwrap();
        let events: Vec<RecordedEvent> = events.into_iter().map(Result::unwrap).collect();
        events.into_iter().map(|event| event.position).collect()
    };
    let fifth = Position(first.0 + 5);
    assert_eq!(found(&["CreditsDeducted"], begin, head).await.len(), 20);
    assert_eq!(found(&["CreditsDeducted"], fifth, Position(fifth.0 + 1)).await, [Position(fifth.0 + 1)]);
    assert_eq!(found(&["RefundIssued"], begin, head).await, []);
}
