//! What may be done to a subscription, when is the difference paid, and which credits does it give?

use chrono::TimeDelta;
use domain::{
    catalog::{Catalog, Downgrade, Interval},
    command::SubscriptionChange,
    decide::Context,
    preview::preview,
    refusal::Refusal,
    subscription::{SubscriptionState, SubscriptionStatus},
    subscription_change::{
        self, AllowedChange, CancelAt, ChangeRequest, PlanSelection, ProrationBilling, SubscriptionAction,
    },
    time::Timestamp,
    unsold::Unsold,
};

use crate::builders::{
    catalog::{credits, plan_id},
    scenario::given,
    words::{change_plan, day, ended, month, opened, pay, provider, report, terms},
};

use super::sales::for_sale;

fn of(status: SubscriptionStatus) -> SubscriptionState {
    SubscriptionState { status, ..terms("creator", month(0)) }
}

fn ending(terms: SubscriptionState) -> SubscriptionState {
    SubscriptionState { cancel_at: Some(terms.period.end), ..terms }
}

fn uncollected(terms: SubscriptionState) -> SubscriptionState {
    SubscriptionState { collection_paused: true, ..terms }
}

#[test]
fn each_state_allows_what_can_be_done_in_it() {
    use SubscriptionAction::{Cancel, Change, Pause, Resume, WithdrawCancellation};
    use SubscriptionStatus::{Active, Cancelled, Incomplete, PastDue, Paused, Trialing, Unpaid};
    let table: [(SubscriptionState, &[SubscriptionAction]); 14] = [
        (of(Incomplete), &[Cancel]),
        (of(Unpaid), &[Cancel]),
        (of(PastDue), &[Cancel]),
        (ending(of(PastDue)), &[WithdrawCancellation, Cancel]),
        (of(Trialing), &[Change, Cancel]),
        (ending(of(Trialing)), &[WithdrawCancellation, Cancel]),
        (of(Active), &[Change, Cancel, Pause]),
        (ending(of(Active)), &[WithdrawCancellation, Cancel]),
        (uncollected(of(Active)), &[Resume, Cancel]),
        (ending(uncollected(of(Active))), &[Resume, WithdrawCancellation, Cancel]),
        (of(Paused), &[Resume, Cancel]),
        (ending(of(Paused)), &[Resume, WithdrawCancellation, Cancel]),
        (of(Cancelled), &[]),
        (ending(of(Cancelled)), &[]),
    ];
    for (terms, allowed) in table {
        assert_eq!(subscription_change::allowed(&terms), allowed, "{:?} {:?}", terms.status, terms.cancel_at);
        for step in [Change, Cancel, WithdrawCancellation, Pause, Resume] {
            let refused = Refusal::SubscriptionState {
                step,
                terms: Box::new(terms.clone()),
                allowed: allowed.to_vec(),
            };
            let expected = if allowed.contains(&step) { Ok(()) } else { Err(refused) };
            assert_eq!(subscription_change::check(&terms, step), expected);
        }
    }
}

#[test]
fn what_ends_with_its_period_already_can_still_end_now() {
    let terms = ending(of(SubscriptionStatus::Active));
    assert_eq!(
        subscription_change::cancel(&terms, CancelAt::PeriodEnd),
        Err(Refusal::NothingToChange { held: None })
    );
    assert_eq!(subscription_change::cancel(&terms, CancelAt::Now), Ok(()));
}

#[test]
fn the_subscription_that_is_meant_is_the_one_that_goes_on_or_the_one_that_is_named() {
    let other = |id: &str| SubscriptionState { subscription: provider(id), ..terms("basic", month(0)) };
    let gone = SubscriptionState { subscription: provider("sub_0"), ..ended("basic", month(0), day(3)) };
    let started = |terms| report(SubscriptionChange::Started, terms);
    let scenario = given([opened()]).at(day(4));
    assert_eq!(subscription_change::find(&scenario.account, None, day(4)), Err(Refusal::NoSubscription));
    let scenario = scenario.when(report(SubscriptionChange::Ended, gone)).when(started(other("sub_2")));
    let found = subscription_change::find(&scenario.account, None, day(4)).unwrap();
    assert_eq!(found.subscription, provider("sub_2"));
    let scenario = scenario.when(started(other("sub_3")));
    let subscriptions = vec![provider("sub_2"), provider("sub_3")];
    let (ended, unknown) = (provider("sub_0"), provider("sub_9"));
    let find = |named| subscription_change::find(&scenario.account, named, day(4));
    assert_eq!(find(None), Err(Refusal::SeveralSubscriptions { subscriptions }));
    assert_eq!(find(Some(&ended)).unwrap().status, SubscriptionStatus::Cancelled);
    assert_eq!(find(Some(&unknown)), Err(Refusal::SubscriptionNotFound));
}

pub fn held(plan: &str, interval: Interval, quantity: u32) -> PlanSelection {
    PlanSelection { plan: plan_id(plan), interval, quantity }
}

fn to(plan: &str) -> ChangeRequest {
    ChangeRequest { plan: Some(plan_id(plan)), ..ChangeRequest::default() }
}

fn change_under(catalog: &Catalog, wish: &ChangeRequest) -> Result<AllowedChange, Refusal> {
    let terms = of(SubscriptionStatus::Active);
    subscription_change::change(&terms, catalog, &held("creator", Interval::Month, 1), wish, day(10))
}

fn prorating(proration: &str) -> Catalog {
    let mut catalog = for_sale();
    proration.clone_into(&mut catalog.payments.proration);
    catalog.payments.downgrade = Downgrade::AtOnce;
    catalog
}

#[test]
fn more_is_paid_for_at_once_and_less_as_the_catalog_says() {
    let year = ChangeRequest { interval: Some(Interval::Year), ..ChangeRequest::default() };
    let seats = ChangeRequest { quantity: Some(2), ..ChangeRequest::default() };
    use ProrationBilling::{AtOnce, Never, NextInvoice};
    for (proration, less) in [("create_prorations", NextInvoice), ("always_invoice", AtOnce), ("none", Never)]
    {
        let catalog = prorating(proration);
        let settled = |wish: &ChangeRequest| change_under(&catalog, wish).unwrap().settlement;
        let more = if proration == "none" { Never } else { AtOnce };
        assert_eq!([settled(&to("team")), settled(&seats), settled(&year)], [more; 3], "{proration}");
        assert_eq!(settled(&to("basic")), less, "{proration}");
        let date = change_under(&catalog, &to("basic")).unwrap().proration_date;
        assert_eq!(date.is_none(), proration == "none");
    }
}

#[test]
fn a_new_period_is_paid_at_once_whatever_is_prorated() {
    for proration in ["create_prorations", "always_invoice", "none"] {
        let year = ChangeRequest {
            interval: Some(Interval::Year),
            plan: Some(plan_id("basic")),
            ..ChangeRequest::default()
        };
        assert!(change_under(&prorating(proration), &year).unwrap().is_paid_at_once(), "{proration}");
        let smaller = change_under(&prorating(proration), &to("basic")).unwrap();
        assert_eq!(smaller.is_paid_at_once(), proration == "always_invoice");
    }
}

#[test]
fn what_is_left_out_stays_as_it_is() {
    let change =
        change_under(&for_sale(), &ChangeRequest { quantity: Some(4), ..ChangeRequest::default() }).unwrap();
    assert_eq!(change.to, held("creator", Interval::Month, 4));
    assert_eq!((change.price_id.as_str(), change.proration_date), ("price_creator_month", Some(day(10))));
}

#[test]
fn a_change_to_the_same_or_to_what_is_not_sold_is_refused() {
    let held = Some(held("creator", Interval::Month, 1));
    assert_eq!(change_under(&for_sale(), &to("creator")), Err(Refusal::NothingToChange { held }));
    assert_eq!(change_under(&for_sale(), &to("free")), Err(Refusal::NotForSale(Unsold::NoPrice)));
    assert_eq!(change_under(&for_sale(), &to("gold")), Err(Refusal::UnknownPlan { plan: plan_id("gold") }));
}

#[test]
fn a_preview_holds_for_an_hour_and_never_before_the_period() {
    let at = |date: Timestamp, now: Timestamp| {
        let wish = ChangeRequest { proration_date: Some(date), ..to("team") };
        let (terms, order) = (of(SubscriptionStatus::Active), held("creator", Interval::Month, 1));
        subscription_change::change(&terms, &for_sale(), &order, &wish, now)
            .map(|change| change.proration_date)
    };
    let (now, hour, second) = (day(10), TimeDelta::hours(1), TimeDelta::seconds(1));
    assert_eq!(at(now.minus(hour), now), Ok(Some(now.minus(hour))));
    let expired = Err(Refusal::PreviewExpired { oldest: now.minus(hour) });
    assert_eq!(at(now.minus(hour).minus(second), now), expired);
    assert_eq!(at(now.plus(second), now), expired);
    let start = month(0).start;
    assert_eq!(at(start.minus(second), start.plus(second)), Err(Refusal::PreviewExpired { oldest: start }));
}

#[test]
fn what_is_foreseen_is_what_the_rules_then_do() {
    let scenario = given([opened()]).at(month(0).start).when(pay("in_1", "basic", month(0)));
    let half = month(0).start.plus(TimeDelta::days(15));
    let change = change_plan("in_2", "basic", "creator", half, month(0).end);
    let scenario = scenario.at(half);
    let context = Context { at: half, catalog: &scenario.catalog };
    let foreseen = preview(&scenario.account, std::slice::from_ref(&change), context).unwrap();
    assert_eq!((foreseen.before, foreseen.after), (credits(500), credits(1_000)));
    assert_eq!(foreseen.granted.len(), 1);
    assert_eq!(scenario.balance().available, credits(500), "nothing has happened");
    scenario.when(change).then_available(1_000);
}

#[test]
fn what_time_brought_is_not_counted_as_brought_by_a_change() {
    let scenario = given([opened()]).at(month(0).start).when(pay("in_1", "basic", month(0)));
    let after = month(0).end;
    let context = Context { at: after, catalog: &scenario.catalog };
    let foreseen = preview(&scenario.account, &[], context).unwrap();
    assert_eq!((foreseen.before, foreseen.after), (credits(0), credits(0)), "the month has ended before");
}

#[test]
fn a_change_to_less_waits_for_the_end_of_the_period_and_more_does_not() {
    let mut catalog = for_sale();
    catalog.payments.downgrade = Downgrade::PeriodEnd;
    let terms = of(SubscriptionStatus::Active);
    let from = held("creator", Interval::Year, 2);
    let when = |sold: &Catalog, from: &PlanSelection, wish: ChangeRequest| {
        subscription_change::change(&terms, sold, from, &wish, day(10)).unwrap()
    };
    let wish = |plan: &str, interval, quantity| ChangeRequest {
        plan: Some(plan_id(plan)),
        interval: Some(interval),
        quantity: Some(quantity),
        proration_date: None,
    };
    use Interval::{Month, Year};
    // Twelve months of the same plan cost more than a year, and give no more.
    let less = [
        wish("basic", Year, 2),
        wish("creator", Year, 1),
        wish("basic", Month, 2),
        wish("creator", Month, 2),
        wish("creator", Month, 1),
    ];
    for wish in less.clone() {
        let change = when(&catalog, &from, wish.clone());
        assert_eq!(
            (change.at, change.settlement),
            (Some(terms.period.end), ProrationBilling::PeriodEnd),
            "{wish:?}"
        );
        assert!(change.proration_date.is_none() && !change.is_paid_at_once());
        assert_eq!(when(&prorating("create_prorations"), &from, wish).at, None, "by the catalog");
    }
    for wish in
        [wish("team", Year, 2), wish("creator", Year, 3), wish("team", Month, 9), wish("creator", Month, 3)]
    {
        assert_eq!(when(&catalog, &from, wish.clone()).at, None, "{wish:?}");
    }
    // A year is paid at once, even if it costs less than twelve months.
    assert_eq!(when(&catalog, &held("creator", Month, 1), wish("creator", Year, 1)).at, None);
    let trying = of(SubscriptionStatus::Trialing);
    let [smaller, ..] = less;
    let in_trial = subscription_change::change(&trying, &catalog, &from, &smaller, day(10)).unwrap();
    assert_eq!(in_trial.at, None, "nothing was paid that could be kept");
}
