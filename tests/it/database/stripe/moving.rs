//! Accounts that were kept elsewhere while Stripe was theirs: what Stripe tells of the time before gives nothing again.

use counterfoil::{
    domain::{command::Command, credits::Source, moving::ImportAccount, time::Timestamp},
    ledger::IdempotencyKey,
};

use super::planted::{object, shown};
use crate::{
    builders::words::{import, moved, moved_month, provider},
    support::{
        bureau::{Bureau, until},
        documents::{ADA, SHAPES},
        ledger::request,
    },
};

const SUBSCRIPTION: &str = "sub_1QLedgerAda00000000000001";
const CUSTOMER: &str = "cus_QLedgerAda0001";

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Ada with what is left of her July and of her pack, and with nothing else.
fn ada(at: Timestamp, july_ends: Timestamp) -> Command {
    let july = moved_month(SUBSCRIPTION, "creator", 300, july_ends);
    import(ImportAccount {
        as_of: Some(at),
        customer: Some(provider(CUSTOMER)),
        grants: vec![july, moved("pack", Source::TopUp, 700)],
        ..ImportAccount::default()
    })
}

/// How many months of the subscription were granted here.
async fn months(bureau: &Bureau) -> usize {
    let view = bureau.desk.test.ledger.view(&crate::support::ledger::account(ADA)).await.unwrap();
    let account = view.account.opened().unwrap();
    let of_month = |id: &str| id.starts_with("month:");
    account.wallet.grants().filter(|grant| of_month(grant.terms.grant_id.as_str())).count()
}

#[tokio::test]
async fn what_stripe_tells_of_the_time_before_gives_nothing_and_the_next_month_is_granted() {
    let at = time("2025-07-25T00:00:00Z");
    let bureau = Bureau::open(at).await;
    let happened = until(SHAPES[1], at);
    bureau.happened(&happened, &[]).await;
    let subscription = object(&happened, "subscription", |object| object["id"] == SUBSCRIPTION);
    let ends = subscription["items"]["data"][0]["current_period_end"].as_i64().unwrap();
    let ends = Timestamp::from_seconds(ends).unwrap();
    let importing = request(ADA, ada(at, ends), IdempotencyKey::importing());
    bureau.desk.test.ledger.execute(importing).await.unwrap();

    let repaired = bureau.run(true).await;
    assert_eq!(repaired.remaining(), 0, "{}", shown(&repaired.drifts));
    assert_eq!((bureau.desk.ada().await, months(&bureau).await), (1_000, 0));
    let again = bureau.run(true).await;
    assert!(again.found_nothing(), "{}", shown(&again.drifts));
    // The plan is known, and what is told twice, by its own events, changes nothing.
    let view = bureau.desk.test.ledger.view(&crate::support::ledger::account(ADA)).await.unwrap();
    let plan = view.account.opened().unwrap().plan(at, bureau.desk.test.ledger.catalog()).clone();
    assert_eq!(plan.as_str(), "creator");
    for event in &happened {
        bureau.desk.take(event).await;
    }
    bureau.desk.work().await;
    assert_eq!((bureau.desk.ada().await, months(&bureau).await), (1_000, 0));

    // The renewal of August 1st is paid on the 5th. Until then what is left of July can be spent, and then it rolls
    // over.
    let renewed = time("2025-08-06T00:00:00Z");
    bureau.desk.clock().set(renewed);
    for event in until(SHAPES[1], renewed) {
        bureau.desk.take(&event).await;
    }
    bureau.desk.work().await;
    assert_eq!((bureau.desk.ada().await, months(&bureau).await), (700 + 300 + 500, 1));
}
