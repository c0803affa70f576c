//! Is money earned when others who publish examples say that it is, to the cent, and is nothing of it left over?

use std::collections::BTreeMap;

use chrono::{Datelike, TimeDelta};
use domain::{
    amount::Money,
    credits::{GrantTerms, PRIORITY_DEFAULT, Source},
    event::{Event, InvoiceEvent, PaymentEvent},
    ids::{GrantId, PlanId},
    invoice::{LineEffect, PaidInvoice, PaidLine},
    revenue::{CreditLot, EarningSpan, LotColumn, RevenueKind, SubscriptionRevenue, subscription_revenue},
    time::{Period, Timestamp},
};

use crate::builders::{
    catalog::{credits, usd},
    words::provider,
};

fn time(text: &str) -> Timestamp {
    let day = format!("{text}T00:00:00Z");
    Timestamp::parse(if text.contains('T') { text } else { &day }).unwrap()
}

fn period(start: &str, end: &str) -> Period {
    Period { start: time(start), end: time(end) }
}

fn line(minor: i64, period: Period) -> PaidLine {
    PaidLine {
        line: provider("il_1"),
        plan: PlanId::parse("pro").unwrap(),
        quantity: 1,
        period,
        effect: if minor < 0 { LineEffect::Credit } else { LineEffect::Charge },
        gives_back: None,
        months: 1,
        full: true,
        free: false,
        unit: credits(500),
        rollover: None,
        cost: usd(minor),
    }
}

/// An invoice of these lines, of which credit notes took something off before it was paid.
fn paid(invoice: &str, lines: Vec<PaidLine>, credited: i64, at: &str) -> Event {
    let total = lines.iter().map(|line| line.cost.minor).sum();
    let invoice = PaidInvoice {
        invoice: provider(invoice),
        subscription: provider("sub_1"),
        total,
        credited,
        from_balance: 0,
        gives_back: BTreeMap::new(),
        lines,
        created_at: time(at),
        finalized_at: None,
    };
    Event::Invoice(InvoiceEvent::InvoicePaid { invoice, effective_at: time(at) })
}

fn refunded(invoice: &str, refund: &str, minor: i64, at: &str) -> Event {
    Event::Payment(PaymentEvent::RefundIssued {
        refund: provider(refund),
        payment: provider(invoice),
        money: usd(minor),
        effective_at: time(at),
    })
}

fn refund_failed(invoice: &str, refund: &str, minor: i64, refunded_at: &str, at: &str) -> Event {
    Event::Payment(PaymentEvent::RefundFailed {
        refund: provider(refund),
        payment: provider(invoice),
        money: usd(minor),
        refunded_at: time(refunded_at),
        effective_at: time(at),
    })
}

fn revenue(facts: &[Event]) -> SubscriptionRevenue {
    subscription_revenue(facts.iter())
}

/// What happened in each month, from January 1 of some year on.
fn by_month(facts: &[Event], kind: RevenueKind) -> Vec<(u32, i64)> {
    let revenue = revenue(facts);
    let mut months: BTreeMap<(i32, u32), i64> = BTreeMap::new();
    for ((day, _, of), minor) in &revenue.at_once {
        if *of == kind {
            *months.entry((day.year(), day.month())).or_default() += minor;
        }
    }
    if kind == RevenueKind::Recognised {
        for (day, minor) in revenue.spans.iter().flat_map(EarningSpan::days) {
            *months.entry((day.year(), day.month())).or_default() += minor;
        }
    }
    months.into_iter().map(|((_, month), minor)| (month, minor)).filter(|(_, minor)| *minor != 0).collect()
}

fn recognised(facts: &[Event]) -> Vec<(u32, i64)> {
    by_month(facts, RevenueKind::Recognised)
}

fn lot(cost: i64, amount: i64) -> CreditLot {
    CreditLot::of(&GrantTerms {
        grant_id: GrantId::parse("pack").unwrap(),
        source: Source::TopUp,
        amount: credits(amount),
        starts_at: time("2026-01-01"),
        expires_at: None,
        priority: PRIORITY_DEFAULT,
        cost: Some(usd(cost)),
        payment: None,
        slot: None,
        reason: None,
    })
    .unwrap()
}

/// A published example: its number in our list, where it is from, and what it says, as ours computes it.
struct Example {
    number: &'static str,
    source: &'static str,
    /// How ours differs from what the source says, and why.
    differs: Option<&'static str>,
    ours: Vec<(u32, i64)>,
    expected: &'static [(u32, i64)],
}

fn examples_of_time() -> Vec<Example> {
    let april = period("2026-04-01", "2026-05-01");
    let rest_of_april = period("2026-04-21", "2026-05-01");
    let upgraded = vec![line(-3_000, rest_of_april), line(4_000, rest_of_april)];
    let january = period("2026-01-15", "2026-02-15");
    vec![
        Example {
            number: "W14",
            source: "docs.stripe.com/revenue-recognition/revenue-settings/examples, by the second",
            differs: None,
            ours: recognised(&[paid(
                "in_1",
                vec![line(12_000, period("2026-06-15T12:00:00Z", "2026-10-13T12:00:00Z"))],
                0,
                "2026-06-15T12:00:00Z",
            )]),
            expected: &[(6, 1_550), (7, 3_100), (8, 3_100), (9, 3_000), (10, 1_250)],
        },
        Example {
            number: "W15",
            source: "docs.stripe.com/revenue-recognition/methodology/subscriptions-and-invoicing",
            differs: None,
            ours: recognised(&[paid("in_1", vec![line(3_100, january)], 0, "2026-01-15")]),
            expected: &[(1, 1_700), (2, 1_400)],
        },
        Example {
            number: "W16",
            source: "docs.stripe.com/revenue-recognition/methodology/subscriptions-and-invoicing",
            differs: None,
            ours: recognised(&[
                paid("in_1", vec![line(9_000, april)], 0, "2026-04-01"),
                paid("in_2", upgraded, 0, "2026-04-21"),
            ]),
            expected: &[(4, 10_000)],
        },
        Example {
            number: "W17",
            source: "docs.stripe.com/revenue-recognition/examples/credit-notes",
            differs: Some(
                "the source pays in February, and earns before that: ours earns from the payment on",
            ),
            ours: recognised(&[paid(
                "in_1",
                vec![line(12_000, period("2026-01-01", "2026-04-01"))],
                3_000,
                "2026-01-01",
            )]),
            expected: &[(1, 3_100), (2, 2_800), (3, 3_100)],
        },
        Example {
            number: "W18",
            source: "docs.stripe.com/revenue-recognition/examples/contra",
            differs: Some("the source earns 17.00 in January, before the payment on 9 February"),
            ours: recognised(&[paid("in_1", vec![line(3_100, january)], 0, "2026-02-09")]),
            expected: &[(2, 3_100)],
        },
        Example {
            number: "W26",
            source: "saasoptics.com/saaspedia/deferred-revenue",
            differs: Some("526.03 there, rounded: ours is rounded down, and the last day takes the rest"),
            ours: recognised(&[paid(
                "in_1",
                vec![line(1_200_000, period("2013-04-15", "2014-04-15"))],
                0,
                "2013-04-15",
            )])
            .into_iter()
            .take(1)
            .collect(),
            expected: &[(4, 52_602)],
        },
        Example {
            number: "W29",
            source: "beancount.io, May 2026",
            differs: Some("100,000 from March to December there, by even months: ours goes by the second"),
            ours: vec![(
                12,
                recognised(&[paid(
                    "in_1",
                    vec![line(12_000_000, period("2026-03-01", "2027-03-01"))],
                    0,
                    "2026-03-01",
                )])
                .into_iter()
                .filter(|(month, _)| *month >= 3)
                .map(|(_, minor)| minor)
                .sum(),
            )],
            expected: &[(12, 10_060_273)],
        },
    ]
}

fn examples_of_credits() -> Vec<Example> {
    let mut refunded = lot(9_000, 90);
    let january = refunded.change(LotColumn::Spent, 90).1;
    let (kind, february) = refunded.change(LotColumn::UsedAndRefunded, 90);
    assert_eq!((kind, refunded.deferred()), (RevenueKind::Contra, 0));
    let mut prepaid = lot(10_000, 100);
    let used = prepaid.change(LotColumn::Spent, 30).1;
    let mut expiring = lot(120_000, 1_200);
    expiring.change(LotColumn::Spent, 800);
    let (kind, expired) = expiring.change(LotColumn::Expired, 400);
    assert_eq!((kind, expiring.deferred()), (RevenueKind::Breakage, 0));
    let (mut first, mut second) = (lot(10, 10), lot(15, 15));
    first.change(LotColumn::Spent, 10);
    second.change(LotColumn::Spent, 5);
    second.change(LotColumn::Spent, -5);
    first.change(LotColumn::Spent, -2);
    let (mut before, mut sold) = (lot(250_000, 250), lot(400_000, 400));
    before.change(LotColumn::Spent, 250);
    sold.change(LotColumn::Spent, 100);
    vec![
        Example {
            number: "W19",
            source: "docs.stripe.com/revenue-recognition/methodology/refunds-and-disputes",
            differs: None,
            ours: vec![(1, january), (2, february)],
            expected: &[(1, 9_000), (2, 9_000)],
        },
        Example {
            number: "W20",
            source: "getlago.com/docs, wallets and prepaid credits",
            differs: None,
            ours: vec![(1, used), (2, prepaid.deferred())],
            expected: &[(1, 3_000), (2, 7_000)],
        },
        Example {
            number: "W21",
            source: "docs.zuora.com, commitments, expiration",
            differs: None,
            ours: vec![(1, expired)],
            expected: &[(1, 40_000)],
        },
        Example {
            number: "W25",
            source: "OpenMeter, ledger/breakage/README.md",
            differs: None,
            ours: vec![
                (10, first.change(LotColumn::Expired, 2).1),
                (15, second.change(LotColumn::Expired, 15).1),
            ],
            expected: &[(10, 2), (15, 15)],
        },
        Example {
            number: "W27",
            source: "metrickittools, deferred-revenue roll-forward",
            differs: None,
            ours: vec![(1, before.deferred() + sold.deferred())],
            expected: &[(1, 300_000)],
        },
    ]
}

#[test]
fn published_examples_are_computed_as_they_say_or_differ_for_a_reason() {
    for Example { number, source, differs, ours, expected } in
        examples_of_time().into_iter().chain(examples_of_credits())
    {
        assert_eq!(ours, expected, "{number}, {source}, {differs:?}");
    }
}

/// Half of the time has passed: half of what is returned was earned, and the rest is no longer deferred.
#[test]
fn a_refund_takes_what_was_earned_and_what_was_not_by_the_time_that_has_passed() {
    let thirty_days = period("2026-04-01", "2026-05-01");
    let facts = [
        paid("in_1", vec![line(3_000, thirty_days)], 0, "2026-04-01"),
        refunded("in_1", "re_1", 1_000, "2026-04-16"),
    ];
    assert_eq!(by_month(&facts, RevenueKind::Sold), [(4, 3_000)]);
    assert_eq!(by_month(&facts, RevenueKind::Refunded), [(4, 500)]);
    assert_eq!(by_month(&facts, RevenueKind::Contra), [(4, 500)]);
    // 1,500 until the refund, and a half of the 2,000 that are left after it.
    assert_eq!(recognised(&facts), [(4, 2_500)]);
    let [sold, undone] = [facts[0].clone(), refund_failed("in_1", "re_1", 1_000, "2026-04-16", "2026-04-16")];
    let failed = [sold.clone(), facts[1].clone(), undone];
    assert_eq!(revenue(&failed), revenue(&[sold]), "a refund that failed at once is none");
}

#[test]
fn a_refund_that_fails_later_is_deferred_again_for_the_time_that_is_left() {
    let facts = [
        paid("in_1", vec![line(3_000, period("2026-04-01", "2026-05-01"))], 0, "2026-04-01"),
        refunded("in_1", "re_1", 3_000, "2026-04-11"),
        refund_failed("in_1", "re_1", 3_000, "2026-04-11", "2026-04-21"),
    ];
    assert_eq!(by_month(&facts, RevenueKind::Refunded), [(4, 1_000)]);
    assert_eq!(by_month(&facts, RevenueKind::Contra), [(4, -1_000)]);
    assert_eq!(recognised(&facts), [(4, 2_000)]);
}

/// Whatever order facts arrive in, and whenever: each has its own time.
#[test]
fn subscriptions_earn_the_same_in_whatever_order_facts_arrive() {
    let facts = [
        paid("in_1", vec![line(9_000, period("2026-04-01", "2026-05-01"))], 0, "2026-04-01"),
        Event::Payment(PaymentEvent::PaymentLinked {
            payment: provider("pi_1"),
            invoice: provider("in_1"),
            effective_at: time("2026-04-20"),
        }),
        refunded("pi_1", "re_1", 4_000, "2026-04-11"),
        refunded("pi_1", "re_2", 1_000, "2026-04-21"),
        paid("in_2", vec![line(-700, period("2026-04-15", "2026-05-01"))], 0, "2026-04-15"),
    ];
    let expected = revenue(&facts);
    let sum = |revenue: &SubscriptionRevenue, kind| -> i64 {
        revenue.at_once.iter().filter(|((.., of), _)| *of == kind).map(|(_, minor)| minor).sum()
    };
    assert_eq!(sum(&expected, RevenueKind::Refunded) + sum(&expected, RevenueKind::Contra), 5_000);
    for turn in 0..facts.len() {
        let mut turned = facts.clone();
        turned.rotate_left(turn);
        let mut turned = revenue(&turned);
        turned.spans.sort_by_key(|span| (span.period.start, span.since));
        assert_eq!(turned, expected, "from {turn} on");
    }
}

/// However the credits of a lot are used, one by one or together, all of its cost comes out, once.
#[test]
fn nothing_of_a_lots_cost_is_left_over() {
    for (cost, amount) in [(1_000, 3), (1, 7), (999, 1_000), (7, 7), (i64::MAX / 2, 11)] {
        let mut lot = lot(cost, amount);
        let mut out = 0;
        for number in 0..amount {
            let column = [LotColumn::Spent, LotColumn::Expired, LotColumn::Taken, LotColumn::Refunded]
                [usize::try_from(number % 4).unwrap()];
            out += lot.change(column, 1).1;
            assert_eq!(out + lot.deferred(), cost);
        }
        assert!(lot.is_conserved());
        assert_eq!((lot.left(), lot.deferred(), out), (0, 0, cost));
        assert_eq!(lot.change(LotColumn::UsedAndRefunded, amount).1, cost);
    }
}

#[test]
fn free_credits_and_those_of_a_subscription_are_no_lots() {
    let terms = |cost: Option<Money>| GrantTerms {
        grant_id: GrantId::parse("pack").unwrap(),
        source: Source::Bonus,
        amount: credits(10),
        starts_at: time("2026-01-01"),
        expires_at: Some(time("2026-01-01").plus(TimeDelta::days(30))),
        priority: PRIORITY_DEFAULT,
        cost,
        payment: None,
        slot: None,
        reason: None,
    };
    assert_eq!(CreditLot::of(&terms(None)), None);
    assert_eq!(CreditLot::of(&terms(Some(usd(0)))), None);
    assert!(CreditLot::of(&terms(Some(usd(1)))).is_some());
}
