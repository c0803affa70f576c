//! The movements between two days are the difference of their figures, in whatever order reports come.

use chrono::{Days, NaiveDate};
use counterfoil::{
    domain::{
        discounts::{DiscountReport, DiscountStep, TakenOff, Undiscounted},
        fraction::Fraction,
        ids::ProviderId,
        time::Timestamp,
    },
    projections::mrr::{
        churn::RevenueStanding,
        movements::{AccountMovements, MovementKind},
        reports::{Discounted, PaidReport, PaymentState, ReportPlace, TimelineReport},
        timeline::{self, RevenueFacts},
    },
};
use proptest::prelude::*;

use super::time;

pub(super) fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 6, 1).expect("a day").checked_add_days(Days::new(number)).expect("a day")
}

pub(super) fn moment(hours: i64) -> Timestamp {
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
            standing: if ended { RevenueStanding::Ended } else { RevenueStanding::Active },
            cancel_at: None,
            stripe_event: None,
        },
    )
}

pub(super) fn reports() -> impl Strategy<Value = Vec<TimelineReport>> {
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
pub(super) fn undiscounted(monthly: i64) -> Undiscounted {
    let charges = Fraction::new(1, 12).expect("a fraction");
    Undiscounted { customer: id("cus_1"), monthly: Fraction::whole(monthly), charges }
}

pub(super) fn id(text: &str) -> ProviderId {
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

fn movements(
    reports: &[TimelineReport],
    payments: &[PaidReport],
    discounted: &[Discounted],
) -> AccountMovements {
    let known = RevenueFacts { reports, payments, discounted, requests: &[] };
    timeline::revenue(known).expect("it fits").movements
}

proptest! {
    #[test]
    fn movements_are_the_difference_of_any_two_days(
        reports in reports(), payments in payments(), discounts in discounts(), one in 0..11_u64, other in 0..11_u64,
    ) {
        let movements = movements(&reports, &payments, &discounts);
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
            let movements = movements(reports, payments, discounts).into_iter();
            let amounts = movements.map(|(key, movement)| (key, (movement.kind, movement.before, movement.after)));
            amounts.collect::<Vec<_>>()
        };
        prop_assert_eq!(amounts(&reports, &payments, &discounts), amounts(&shuffled, &later, &told));
    }

    #[test]
    fn each_movement_goes_on_where_the_one_before_ended(reports in reports()) {
        let movements = movements(&reports, &[], &[]);
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
