//! Which subscriptions are recurring revenue, and since when?

use std::collections::BTreeMap;

use counterfoil::{
    domain::{
        event::{Event, InvoiceEvent, SubscriptionEvent},
        ids::ProviderId,
        invoice::{InvoiceState, PaidInvoice, UnpaidInvoice},
        subscription::{SubscriptionStatus, TermsChange},
        time::Timestamp,
    },
    projections::{
        self, FigureInterval,
        mrr::{
            self, MovementSelection, Proportion,
            churn::RevenueStanding,
            reports::{ReportPlace, TimelineReport},
            timeline::{self, RevenueFacts},
        },
    },
};

use super::mrr::{day, moment};
use super::{Following, append, open, opened, reported, time};
use crate::support::database::TestDatabase;

#[tokio::test]
async fn a_late_report_changes_its_day_and_is_listed() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let active = SubscriptionStatus::Active;
    let days: Vec<Timestamp> = (1..=9).map(|day| time(&format!("2025-06-0{day}T12:00:00Z"))).collect();
    append(&pool, "a", &opened(days[0]), days[0], 0).await;
    append(&pool, "a", &reported(1_000, active, days[0]), days[0], 0).await;
    append(&pool, "a", &reported(3_000, active, days[4]), days[4], 0).await;
    // What happened on the third day is learned on the seventh.
    append(&pool, "a", &reported(2_000, active, days[2]), days[6], 0).await;
    append(&pool, "a", &reported(3_000, SubscriptionStatus::Cancelled, days[7]), days[7], 0).await;
    let following = Following::start(pool.clone(), projections::all()).await;
    following.caught_up(&pool).await;

    let (from, until) = (day(0), day(30));
    let movements =
        mrr::movements(&pool, MovementSelection::days(from, until), None, 100).await.expect("an answer");
    let seen: Vec<_> =
        movements.iter().map(|row| (row.day, row.kind.as_str(), row.before, row.after)).collect();
    assert_eq!(
        seen,
        [
            (day(0), "new", 0, 1_000),
            (day(2), "expansion", 1_000, 2_000),
            (day(4), "expansion", 2_000, 3_000),
            (day(7), "churn", 3_000, 0),
        ]
    );
    let restated = mrr::restatements(&pool, from, until, None, 100).await.expect("an answer");
    let seen: Vec<_> = restated.iter().map(|row| (row.day, row.change_before, row.change_after)).collect();
    assert_eq!(seen, [(day(2), 0, 1_000), (day(4), 2_000, 1_000)]);

    let before = mrr::changes_before(&pool, day(1), None).await.expect("an answer");
    let changes = mrr::day_changes(&pool, day(1), day(9), None).await.expect("an answer");
    let series = mrr::series(&before, &changes, (day(1), day(9)), FigureInterval::Day);
    let figures: Vec<_> = series.iter().map(|figures| figures.mrr).collect();
    assert_eq!(figures, [1_000, 2_000, 2_000, 3_000, 3_000, 3_000, 0, 0]);
    let week = mrr::series(&before, &changes, (day(1), day(9)), FigureInterval::Week);
    assert_eq!((week[0].mrr_at_start, week[0].mrr, week[0].arr()), (1_000, 0, Some(0)));
    assert_eq!((week[0].expansion.amount, week[0].churn.amount, week[0].paying_accounts), (2_000, -3_000, 0));
    let moves =
        mrr::interval_moves(&pool, &[(day(1), day(8)), (day(8), day(9))], None).await.expect("an answer");
    let retention = mrr::retention(&week, &moves);
    assert_eq!(retention[0].logo_churn().decimal(2).as_deref(), Some("1.00"));
    assert_eq!(retention[0].net_revenue(), Proportion { part: 0, whole: 1_000 });
    following.assert_rebuild_finds_the_same().await;
}

/// Positions of different shards say nothing about which came first.
#[tokio::test]
async fn restatements_of_several_shards_are_in_the_order_in_which_they_were_recorded() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    open(pool.clone(), projections::all()).await;
    for (shard, position, second) in [(8, 9, 1), (0, 7, 2), (0, 8, 3), (8, 2, 3), (8, 1, 4)] {
        let insert =
            "insert into read.mrr_restatements_v1 (shard, position, account_id, currency, day, recorded_at,
            change_before, change_after) values ($1, $2, 'a', 'usd', $3, to_timestamp($4), 0, 1)";
        let row =
            sqlx::query(insert).bind(shard).bind(i64::from(position)).bind(day(1)).bind(f64::from(second));
        row.execute(&pool).await.expect("a row");
    }
    let restated = mrr::restatements(&pool, day(0), day(2), None, 100).await.expect("an answer");
    let seen: Vec<_> = restated.iter().map(|row| (row.shard, row.position)).collect();
    assert_eq!(seen, [(8, 9), (0, 7), (0, 8), (8, 2), (8, 1)]);
}

/// Reports of one second count in the order that they say, whatever their ids are.
#[test]
fn of_two_reports_of_one_second_the_later_one_counts() {
    let of = |id: &str, from: &str, to: &str, monthly: i64| TimelineReport {
        subscription: "sub_1".to_owned(),
        sequence: monthly,
        currency: "usd".to_owned(),
        monthly,
        undiscounted: None,
        effective_at: moment(5),
        evidence: ReportPlace {
            ended: false,
            reported_at: moment(5),
            rank: 1,
            id: id.to_owned(),
            step: Some(TermsChange { from: Some(from.to_owned()), to: to.to_owned() }),
        },
        standing: RevenueStanding::Active,
        cancel_at: None,
        stripe_event: None,
    };
    let (first, second) = (of("evt_z", "1", "2", 1_999), of("evt_a", "2", "3", 2_999));
    for reports in [[first.clone(), second.clone()], [second, first]] {
        let known = RevenueFacts { reports: &reports, ..RevenueFacts::default() };
        let movements = timeline::revenue(known).expect("it fits").movements;
        let worth: Vec<i64> = movements.values().map(|movement| movement.after).collect();
        assert_eq!(worth, [2_999]);
    }
}

/// The status stays active while collection is paused, and yet nothing is charged.
#[tokio::test]
async fn a_subscription_whose_collection_is_paused_is_no_revenue() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    append(&pool, "a", &opened(moment(0)), moment(0), 0).await;
    for (days, collection_paused) in [(0, false), (2, true), (3, false)] {
        let at = moment(24 * days);
        let mut event = reported(1_000, SubscriptionStatus::Active, at);
        let Event::Subscription(SubscriptionEvent::PlanChanged { terms, .. }) = &mut event else {
            panic!("{event:?}")
        };
        terms.collection_paused = collection_paused;
        append(&pool, "a", &event, at, 0).await;
    }
    let following = Following::start(pool.clone(), projections::all()).await;
    following.caught_up(&pool).await;
    let movements =
        mrr::movements(&pool, MovementSelection::days(day(0), day(9)), None, 100).await.expect("an answer");
    let seen: Vec<_> =
        movements.iter().map(|row| (row.day, row.kind.as_str(), row.before, row.after)).collect();
    assert_eq!(
        seen,
        [(day(0), "new", 0, 1_000), (day(2), "churn", 1_000, 0), (day(3), "reactivation", 0, 1_000)]
    );
}

/// The status says active all the while, in whatever order it becomes known that nobody pays.
#[tokio::test]
async fn what_nobody_pays_for_is_no_revenue_until_the_next_payment_in_any_order() {
    let invoice = |id: &str| ProviderId::parse(id).expect("an id");
    let unpaid_for = |is_change: bool, id: &str, state: InvoiceState, at: Timestamp| {
        Event::Invoice(InvoiceEvent::InvoiceUnpaid {
            invoice: UnpaidInvoice {
                invoice: invoice(id),
                subscription: invoice("sub_1"),
                state,
                is_change,
                charges: Vec::new(),
                from_balance: 0,
                finalized_at: None,
            },
            effective_at: at,
        })
    };
    let unpaid = |id: &str, state: InvoiceState, at: Timestamp| unpaid_for(false, id, state, at);
    let paid = |id: &str, total: i64, at: Timestamp| {
        Event::Invoice(InvoiceEvent::InvoicePaid {
            invoice: PaidInvoice {
                invoice: invoice(id),
                subscription: invoice("sub_1"),
                total,
                credited: 0,
                from_balance: 0,
                finalized_at: None,
                gives_back: BTreeMap::new(),
                lines: Vec::new(),
                created_at: at,
            },
            effective_at: at,
        })
    };
    let day_of = |number: i64| moment(24 * number);
    let told = [
        reported(1_000, SubscriptionStatus::Active, day_of(0)),
        // The first debit takes its time.
        unpaid("in_1", InvoiceState::Open, day_of(0)),
        paid("in_1", 1_000, day_of(2)),
        // A failed payment has its days of grace.
        unpaid("in_2", InvoiceState::Failed, day_of(3)),
        unpaid("in_2", InvoiceState::Void, day_of(4)),
        // What only gives money back pays for nothing.
        paid("in_3", -500, day_of(5)),
        paid("in_4", 1_000, day_of(6)),
        // What nobody pays of a change leaves the period paid that was changed.
        unpaid_for(true, "in_6", InvoiceState::Void, day_of(7)),
        // Who has paid before may wait.
        unpaid("in_5", InvoiceState::Open, day_of(7)),
        unpaid("in_5", InvoiceState::Uncollectible, day_of(8)),
    ];
    let recorded_at = day_of(9);
    for order in
        [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], [3, 9, 7, 0, 8, 4, 6, 2, 5, 1]]
    {
        let database = TestDatabase::create().await;
        let pool = database.pool();
        append(&pool, "a", &opened(day_of(0)), recorded_at, 0).await;
        for index in order {
            append(&pool, "a", &told[index], recorded_at, 0).await;
        }
        let following = Following::start(pool.clone(), projections::all()).await;
        following.caught_up(&pool).await;
        let movements = mrr::movements(&pool, MovementSelection::days(day(0), day(9)), None, 100)
            .await
            .expect("an answer");
        let seen: Vec<_> =
            movements.iter().map(|row| (row.day, row.kind.as_str(), row.before, row.after)).collect();
        assert_eq!(
            seen,
            [
                (day(2), "new", 0, 1_000),
                (day(4), "churn", 1_000, 0),
                (day(6), "reactivation", 0, 1_000),
                (day(8), "churn", 1_000, 0),
            ],
            "{order:?}"
        );
        following.assert_rebuild_finds_the_same().await;
    }
}
