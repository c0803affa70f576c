//! What a customer has taken off, told late: the days that were over are restated.

use chrono::NaiveDate;
use counterfoil::{
    domain::{
        amount::Money,
        discounts::{TakenOff, Undiscounted},
        event::{AccountEvent, Event, SubscriptionEvent},
        fraction::Fraction,
        ids::ProviderId,
        subscription::SubscriptionStatus,
        time::Timestamp,
    },
    projections::{
        self,
        mrr::{self, MovementSelection},
    },
};

use crate::support::database::TestDatabase;

use super::{Following, append, opened, reported, time};

fn id(text: &str) -> ProviderId {
    ProviderId::parse(text).expect("an id")
}

/// A subscription of 10.00 whose customer's discount is taken off.
fn subscribed(at: Timestamp) -> Event {
    let Event::Subscription(SubscriptionEvent::PlanChanged { from, mut terms, effective_at }) =
        reported(1_000, SubscriptionStatus::Active, at)
    else {
        panic!("it runs")
    };
    let Money { minor, .. } = terms.monthly;
    let (monthly, charges) = (Fraction::whole(minor), Fraction::whole(1));
    terms.undiscounted = Some(Undiscounted { customer: id("cus_1"), monthly, charges });
    Event::Subscription(SubscriptionEvent::PlanChanged { from, terms, effective_at })
}

#[tokio::test]
async fn a_discount_that_is_told_late_changes_its_days_and_is_listed() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let noon = |day: u32| time(&format!("2025-06-{day:02}T12:00:00Z"));
    let (customer, discount) = (id("cus_1"), id("di_1"));
    let begun = Event::Account(AccountEvent::CustomerDiscounted {
        customer: customer.clone(),
        discount: discount.clone(),
        off: Some(TakenOff::Percent(Fraction::whole(50))),
        effective_at: noon(3),
    });
    let ended =
        Event::Account(AccountEvent::CustomerDiscountEnded { customer, discount, effective_at: noon(5) });
    let following = Following::start(pool.clone(), projections::all()).await;
    append(&pool, "a", &opened(noon(1)), noon(1), 0).await;
    // Each is written down before the next one is learned.
    for (event, recorded_at) in [(subscribed(noon(1)), noon(1)), (begun, noon(7)), (ended, noon(8))] {
        append(&pool, "a", &event, recorded_at, 0).await;
        following.caught_up(&pool).await;
    }

    let day = |day: u32| NaiveDate::from_ymd_opt(2025, 6, day).expect("a day");
    let movements =
        mrr::movements(&pool, MovementSelection::days(day(1), day(30)), None, 100).await.expect("an answer");
    let seen: Vec<_> =
        movements.iter().map(|row| (row.day, row.kind.as_str(), row.before, row.after)).collect();
    assert_eq!(
        seen,
        [(day(1), "new", 0, 1_000), (day(3), "contraction", 1_000, 500), (day(5), "expansion", 500, 1_000),]
    );
    let restated = mrr::restatements(&pool, day(1), day(30), None, 100).await.expect("an answer");
    let seen: Vec<_> = restated.iter().map(|row| (row.day, row.change_before, row.change_after)).collect();
    assert_eq!(seen, [(day(3), 0, -500), (day(5), 0, 500)]);
    following.assert_rebuild_finds_the_same().await;
}
