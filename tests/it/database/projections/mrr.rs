//! The movements between two days are the difference of their figures, in whatever order reports come.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use counterfoil::{
    domain::{
        discounts::{DiscountReport, DiscountStep, TakenOff, Undiscounted},
        event::{Event, InvoiceEvent, SubscriptionEvent},
        fraction::Fraction,
        ids::ProviderId,
        invoice::{InvoiceState, PaidInvoice, UnpaidInvoice},
        subscription::{SubscriptionStatus, TermsChange},
        time::{CalendarUnit, Timestamp},
    },
    projections::{
        self,
        mrr::{
            self, Proportion,
            movements::{AccountMovements, MovementKind},
            reports::{Discounted, PaidReport, PaymentState, ReportPlace, TimelineReport},
            timeline,
        },
    },
};
use proptest::prelude::*;

use crate::support::database::TestDatabase;

use super::{Following, append, opened, reported, time};

fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 6, 1).expect("a day").checked_add_days(Days::new(number)).expect("a day")
}

fn moment(hours: i64) -> Timestamp {
    time("2025-06-01T00:00:00Z").plus(chrono::TimeDelta::hours(hours))
}

fn a_report() -> impl Strategy<Value = TimelineReport> {
    let subscription = prop_oneof![Just("sub_1"), Just("sub_2")];
    let currency = prop_oneof![4 => Just("usd"), 1 => Just("eur")];
    let monthly = prop_oneof![Just(0_i64), Just(1_000), Just(2_900), 0..5_000_i64];
    let hours = 0..240_i64;
    let own = prop::bool::weighted(0.3);
    (subscription, currency, monthly, hours.clone(), hours, 0..3_u8, prop::bool::weighted(0.1), own).prop_map(
        |(subscription, currency, monthly, effective, reported, rank, ended, own)| TimelineReport {
            subscription: subscription.to_owned(),
            sequence: 0,
            currency: currency.to_owned(),
            monthly: if ended { 0 } else { monthly },
            undiscounted: (!ended && !own).then(|| undiscounted(monthly)),
            effective_at: moment(effective),
            evidence: ReportPlace {
                ended,
                reported_at: moment(reported),
                rank,
                id: String::new(),
                step: None,
            },
            stripe_event: None,
        },
    )
}

fn reports() -> impl Strategy<Value = Vec<TimelineReport>> {
    prop::collection::vec(a_report(), 0..12).prop_map(|mut reports| {
        for (number, report) in reports.iter_mut().enumerate() {
            report.sequence = i64::try_from(number).expect("few") + 1;
            // No two reports of Stripe's have the same id.
            report.evidence.id = format!("evt_{number}");
            report.stripe_event = Some(format!("evt_{number}"));
        }
        reports
    })
}

/// Of the one customer that both subscriptions have, charged each year.
fn undiscounted(monthly: i64) -> Undiscounted {
    let charges = Fraction::new(1, 12).expect("a fraction");
    Undiscounted { customer: id("cus_1"), monthly: Fraction::whole(monthly), charges }
}

fn id(text: &str) -> ProviderId {
    ProviderId::parse(text).expect("an id")
}

/// What the customer has taken off, one discount after the other or beside it; some are told to end, some only to end.
fn discounts() -> impl Strategy<Value = Vec<Discounted>> {
    let off = prop_oneof![
        2 => (1..101_i64).prop_map(|percent| Some(TakenOff::Percent(Fraction::whole(percent)))),
        2 => (1..20_000_i64).prop_map(|minor| Some(TakenOff::Amount(crate::builders::catalog::usd(minor)))),
        1 => Just(None),
    ];
    let discount = (prop::option::weighted(0.9, (0..240_i64, off)), prop::option::of(0..240_i64));
    prop::collection::vec(discount, 0..4).prop_map(|discounts| {
        let steps = discounts.into_iter().enumerate().flat_map(|(number, (begun, ended))| {
            let begun = begun.map(|(hours, off)| (DiscountStep::Begun(off), hours));
            let ended = ended.map(|hours| (DiscountStep::Ended, hours));
            begun.into_iter().chain(ended).map(move |(what, hours)| (format!("di_{number}"), what, hours))
        });
        let told = steps.enumerate().map(|(number, (discount, what, hours))| Discounted {
            told: DiscountReport { customer: id("cus_1"), discount: id(&discount), what, at: moment(hours) },
            sequence: 200 + i64::try_from(number).expect("few"),
            stripe_event: None,
        });
        told.collect()
    })
}

/// The law of discounts, written down once more: the one that began last, if it has not ended.
fn taken_off(discounts: &[Discounted], at_end_of: NaiveDate) -> Option<&TakenOff> {
    let by_then = |told: &DiscountReport| told.at.to_utc().date_naive() <= at_end_of;
    let ended = |discount: &ProviderId| {
        let ends = discounts
            .iter()
            .map(|known| &known.told)
            .filter(|told| told.discount == *discount && told.what == DiscountStep::Ended);
        ends.map(|told| told.at).min()
    };
    let begun = discounts.iter().map(|known| &known.told).filter_map(|told| match &told.what {
        DiscountStep::Begun(off) => Some((told, off)),
        DiscountStep::Ended => None,
    });
    let begun =
        begun.filter(|(told, _)| by_then(told) && ended(&told.discount).is_none_or(|end| told.at < end));
    let (last, off) = begun.max_by_key(|(told, _)| (told.at, &told.discount))?;
    let over = ended(&last.discount).is_some_and(|end| end.to_utc().date_naive() <= at_end_of);
    off.as_ref().filter(|_| !over)
}

/// In whole numbers: a twelfth of an amount off falls on each month.
fn less(report: &TimelineReport, off: Option<&TakenOff>) -> i64 {
    let half_even = |twelfths: i64| {
        let (whole, rest) = (twelfths.div_euclid(1_200), twelfths.rem_euclid(1_200));
        whole + i64::from(rest > 600 || (rest == 600 && whole % 2 == 1))
    };
    match off.filter(|_| report.undiscounted.is_some()) {
        Some(TakenOff::Percent(percent)) => {
            let percent: i64 = percent.to_string().parse().expect("whole");
            half_even(report.monthly * (100 - percent) * 12)
        }
        Some(TakenOff::Amount(off)) if off.currency.as_str() == report.currency => {
            half_even((report.monthly * 1_200 - off.minor * 100).max(0))
        }
        Some(TakenOff::Amount(_)) | None => report.monthly,
    }
}

fn payments() -> impl Strategy<Value = Vec<PaidReport>> {
    let payment = (
        prop_oneof![Just("sub_1"), Just("sub_2")],
        0..240_i64,
        prop_oneof![Just(PaymentState::Awaited), Just(PaymentState::No), Just(PaymentState::Yes)],
    );
    prop::collection::vec(payment, 0..6).prop_map(|payments| {
        let of = |(number, (subscription, hours, state)): (usize, (&str, i64, PaymentState))| PaidReport {
            subscription: subscription.to_owned(),
            sequence: 100 + i64::try_from(number).expect("few"),
            state,
            effective_at: moment(hours),
            stripe_event: Some(format!("evt_paid_{number}")),
        };
        payments.into_iter().enumerate().map(of).collect()
    })
}

/// Whether the last that was said of a subscription by then is that it is not paid. Who has paid before may wait.
fn is_unpaid(payments: &[PaidReport], subscription: &str, at_end_of: NaiveDate) -> bool {
    let own = || payments.iter().filter(|payment| payment.subscription == subscription);
    let first =
        own().filter(|payment| payment.state == PaymentState::Yes).map(|payment| payment.effective_at).min();
    let said = own().filter(|payment| payment.effective_at.to_utc().date_naive() <= at_end_of);
    let said = said.filter(|payment| {
        payment.state != PaymentState::Awaited || first.is_none_or(|first| payment.effective_at <= first)
    });
    let last = said.max_by_key(|payment| (payment.effective_at, payment.state == PaymentState::Yes));
    last.is_some_and(|last| last.state != PaymentState::Yes)
}

/// The law, written down once more: of each subscription the greatest report that was effective by then.
fn figure(
    (reports, payments, discounts): (&[TimelineReport], &[PaidReport], &[Discounted]),
    currency: &str,
    at_end_of: NaiveDate,
) -> i64 {
    let off = taken_off(discounts, at_end_of);
    let effective = |report: &&TimelineReport| report.effective_at.to_utc().date_naive() <= at_end_of;
    ["sub_1", "sub_2"]
        .into_iter()
        .filter_map(|name| {
            let own = reports.iter().filter(|report| report.subscription == name).filter(effective);
            own.max_by_key(|report| report.evidence.clone())
        })
        .filter(|report| report.currency == currency)
        .filter(|report| !is_unpaid(payments, &report.subscription, at_end_of))
        .map(|report| less(report, off))
        .sum()
}

fn between(movements: &AccountMovements, currency: &str, after: NaiveDate, to: NaiveDate) -> i64 {
    let counted =
        movements.iter().filter(|((known, day), _)| known == currency && *day > after && *day <= to);
    counted.map(|(_, movement)| movement.change()).sum()
}

proptest! {
    #[test]
    fn movements_are_the_difference_of_any_two_days(
        reports in reports(), payments in payments(), discounts in discounts(), one in 0..11_u64, other in 0..11_u64,
    ) {
        let movements = timeline::movements(&reports, &payments, &discounts).expect("it fits");
        let known = (&reports[..], &payments[..], &discounts[..]);
        let (from, to) = (day(one.min(other)), day(one.max(other)));
        for currency in ["usd", "eur"] {
            let difference = figure(known, currency, to) - figure(known, currency, from);
            prop_assert_eq!(between(&movements, currency, from, to), difference);
        }
    }

    #[test]
    fn movements_do_not_depend_on_the_order_of_arrival(
        (reports, shuffled) in reports().prop_flat_map(|reports| (Just(reports.clone()), Just(reports).prop_shuffle())),
        (payments, later) in payments().prop_flat_map(|said| (Just(said.clone()), Just(said).prop_shuffle())),
        (discounts, told) in discounts().prop_flat_map(|said| (Just(said.clone()), Just(said).prop_shuffle())),
    ) {
        let amounts = |reports: &[TimelineReport], payments: &[PaidReport], discounts: &[Discounted]| {
            let movements = timeline::movements(reports, payments, discounts).expect("it fits").into_iter();
            let amounts = movements.map(|(key, movement)| (key, (movement.kind, movement.before, movement.after)));
            amounts.collect::<Vec<_>>()
        };
        prop_assert_eq!(amounts(&reports, &payments, &discounts), amounts(&shuffled, &later, &told));
    }

    #[test]
    fn each_movement_goes_on_where_the_one_before_ended(reports in reports()) {
        let movements = timeline::movements(&reports, &[], &[]).expect("it fits");
        for currency in ["usd", "eur"] {
            let mut figure = 0;
            let mut paid = false;
            for movement in movements.iter().filter(|((known, _), _)| known == currency).map(|(_, movement)| movement) {
                prop_assert_eq!(movement.before, figure);
                prop_assert_ne!(movement.before, movement.after);
                prop_assert_eq!(movement.kind == MovementKind::New, !paid && movement.before == 0);
                prop_assert_eq!(movement.kind == MovementKind::Churn, movement.after == 0);
                figure = movement.after;
                paid = true;
            }
        }
    }
}

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
    let movements = mrr::movements(&pool, from, until, None, None, None, 100).await.expect("an answer");
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
    let restated = mrr::restatements(&pool, from, until, 100).await.expect("an answer");
    let seen: Vec<_> = restated.iter().map(|row| (row.day, row.change_before, row.change_after)).collect();
    assert_eq!(seen, [(day(2), 0, 1_000), (day(4), 2_000, 1_000)]);

    let changes = mrr::day_changes(&pool, day(9)).await.expect("an answer");
    let series = mrr::series(&changes, day(1), day(9), CalendarUnit::Day);
    let figures: Vec<_> = series.iter().map(|figures| figures.mrr).collect();
    assert_eq!(figures, [1_000, 2_000, 2_000, 3_000, 3_000, 3_000, 0, 0]);
    let week = mrr::series(&changes, day(1), day(9), CalendarUnit::Week);
    assert_eq!((week[0].mrr_at_start, week[0].mrr, week[0].arr()), (1_000, 0, Some(0)));
    assert_eq!((week[0].expansion.amount, week[0].churn.amount, week[0].paying_accounts), (2_000, -3_000, 0));
    let retention = mrr::retention(&pool, day(1), day(9)).await.expect("an answer");
    assert_eq!(retention[0].logo_churn().decimal(2).as_deref(), Some("1.00"));
    assert_eq!(retention[0].net_revenue(), Proportion { part: 0, whole: 1_000 });
    following.assert_rebuild_finds_the_same().await;
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
        stripe_event: None,
    };
    let (first, second) = (of("evt_z", "1", "2", 1_999), of("evt_a", "2", "3", 2_999));
    for reports in [[first.clone(), second.clone()], [second, first]] {
        let movements = timeline::movements(&reports, &[], &[]).expect("it fits");
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
    let movements = mrr::movements(&pool, day(0), day(9), None, None, None, 100).await.expect("an answer");
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
        let movements =
            mrr::movements(&pool, day(0), day(9), None, None, None, 100).await.expect("an answer");
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
