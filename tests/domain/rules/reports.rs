//! Does a report count by its state, and is its place among the others the same in any order of arrival?

use domain::{
    command::SubscriptionChange as Change,
    event::{Event, SubscriptionEvent},
    ids::AccountId,
    reported_details::ReportedDetails,
    subscription::{ReportOrder, SubscriptionState, SubscriptionStatus as Status, TermsChange, in_order},
};
use proptest::prelude::*;

use crate::builders::{
    catalog::usd,
    scenario::{Scenario, given},
    words::{self, day, evidence, hours, month, opened, provider, report, terms},
};

/// A report on day `number`, of this plan.
fn told(number: i64, plan: &str) -> SubscriptionState {
    SubscriptionState { evidence: evidence(day(number), 1), ..terms(plan, month(0)) }
}

fn worth(number: i64, minor: i64) -> SubscriptionState {
    SubscriptionState { monthly: usd(minor), ..told(number, "basic") }
}

fn started() -> Scenario {
    given([opened()]).at(day(20)).when(report(Change::Started, told(0, "basic")))
}

fn known(scenario: &Scenario) -> &SubscriptionState {
    &scenario.open().subscriptions.known()[&provider("sub_1")]
}

#[test]
fn a_report_that_names_nothing_and_says_what_is_known_adds_nothing() {
    started().when(report(Change::Unnamed, told(5, "basic"))).then_nothing();
}

#[test]
fn a_report_that_names_nothing_counts_by_its_terms() {
    started()
        .when(report(Change::Unnamed, told(5, "creator")))
        .then_named(["PlanChanged"])
        .then_on_plan("creator")
        .when(report(Change::Unnamed, told(6, "creator")))
        .then_nothing()
        .when(report(Change::Unnamed, SubscriptionState { monthly: usd(5), ..told(7, "creator") }))
        .then_named(["RevenueChanged"]);
}

#[test]
fn each_kind_of_change_has_its_name() {
    let of = |after: SubscriptionState, before: &SubscriptionState| after.change_since(before);
    let basic = told(0, "basic");
    let later = |change: fn(&mut SubscriptionState)| {
        let mut after = told(1, "basic");
        change(&mut after);
        after
    };
    let from = Some(words::terms("basic", month(0)).plan);
    assert_eq!(of(told(1, "basic"), &basic), None);
    assert_eq!(of(told(1, "creator"), &basic), Some(Change::PlanChanged { from }));
    assert_eq!(of(later(|after| after.monthly = usd(1)), &basic), Some(Change::RevenueChanged));
    assert_eq!(of(later(|after| after.period = month(1)), &basic), Some(Change::Renewed));
    assert_eq!(
        of(later(|after| after.cancel_at = Some(day(30))), &basic),
        Some(Change::CancellationScheduled)
    );
    assert_eq!(of(later(|after| after.collection_paused = true), &basic), Some(Change::Paused));
    assert_eq!(of(later(|after| after.status = Status::PastDue), &basic), Some(Change::PastDue));
    let overdue = later(|after| after.status = Status::PastDue);
    assert_eq!(of(basic, &overdue), Some(Change::Recovered));
}

/// The history of revenue needs a report if the one before it is not known.
#[test]
fn a_late_report_that_names_nothing_is_recorded_where_the_one_before_it_is_not_known() {
    let late = report(Change::Unnamed, worth(3, 1_499));
    given([opened()])
        .at(day(20))
        .when(report(Change::PastDue, told(9, "basic")))
        .when(late)
        .then_named(["SubscriptionStarted"]);
    // It repeats what held just before.
    let early = report(Change::Started, worth(2, 1_499));
    started().when(early).when(report(Change::Unnamed, worth(3, 1_499))).then_nothing();
}

#[test]
fn what_moved_to_another_account_gives_nothing_here_until_it_comes_back() {
    let away = SubscriptionState {
        status: Status::Cancelled,
        moved_to: Some(AccountId::parse("other").unwrap()),
        ..told(5, "basic")
    };
    let paid = words::pay("in_1", "basic", month(0));
    let scenario = started().when(paid).then_on_plan("basic").when(report(Change::Moved, away));
    scenario
        .then_named(["SubscriptionMoved"])
        .then_on_plan("free")
        // What was granted is not changed.
        .then_available(500)
        .when(report(Change::Unnamed, told(6, "basic")))
        .then_accepted()
        .then_on_plan("basic");
}

/// Reports of one second whose ids are in the wrong order, as a chain of these names.
fn second(chain: &[(&str, &str, &str)]) -> Vec<SubscriptionState> {
    let of = |(id, from, to): &(&str, &str, &str)| {
        let mut told = told(5, "basic");
        told.evidence.id = provider(id);
        told.evidence.step = Some(TermsChange { from: Some((*from).to_owned()), to: (*to).to_owned() });
        told
    };
    chain.iter().map(of).collect()
}

fn ids(reports: &[SubscriptionState]) -> Vec<&str> {
    reports.iter().map(|report| report.evidence.id.as_str()).collect()
}

#[test]
fn of_two_reports_of_one_second_the_one_that_begins_where_the_other_ends_is_the_later_one() {
    let reports = second(&[("evt_a", "2", "3"), ("evt_z", "1", "2")]);
    assert_eq!(ids(&in_order(reports)), ["evt_z", "evt_a"]);
    // The reports do not say which comes first, so their ids decide.
    let reports = second(&[("evt_b", "1", "2"), ("evt_a", "3", "4")]);
    assert_eq!(ids(&in_order(reports)), ["evt_a", "evt_b"]);
}

proptest! {
    #[test]
    fn a_chain_of_one_second_is_found_in_any_order_of_arrival(
        (chain, shuffled) in (1..6_usize).prop_flat_map(|length| {
            let names: Vec<String> = (0..=length).map(|name| name.to_string()).collect();
            let ids = Just((0..length).collect::<Vec<usize>>()).prop_shuffle();
            ids.prop_flat_map(move |ids| {
                let chain: Vec<(String, String, String)> = ids
                    .iter()
                    .zip(names.windows(2))
                    .map(|(id, names)| (format!("evt_{id}"), names[0].clone(), names[1].clone()))
                    .collect();
                (Just(chain.clone()), Just(chain).prop_shuffle())
            })
        }),
    ) {
        let of = |chain: &[(String, String, String)]| {
            let chain: Vec<_> =
                chain.iter().map(|(id, from, to)| (id.as_str(), from.as_str(), to.as_str())).collect();
            second(&chain)
        };
        let expected = of(&chain);
        let ordered = in_order(of(&shuffled));
        prop_assert_eq!(ids(&ordered), ids(&expected));
        let scenario = of(&shuffled)
            .into_iter()
            .fold(given([opened()]).at(day(9)), |scenario, told| scenario.when(report(Change::Renewed, told)));
        prop_assert_eq!(known(&scenario), expected.last().expect("there is one"));
    }
}

/// A payment that failed and one that succeeded in the same second.
#[test]
fn arrears_that_were_paid_in_the_second_they_began_are_none() {
    let mut reports = second(&[("evt_z", "1", "2"), ("evt_a", "2", "1")]);
    let failed = &mut reports[0];
    failed.status = Status::PastDue;
    failed.grace_days = Some(3);
    let [failed, paid] = reports.as_slice() else { panic!() };
    let mut before = told(4, "basic");
    before.evidence.step = Some(TermsChange { from: None, to: "1".to_owned() });
    let again = SubscriptionState {
        status: Status::PastDue,
        grace_days: Some(3),
        evidence: evidence(day(30), 1),
        ..told(30, "basic")
    };
    for order in
        [[&before, failed, paid, &again], [&again, paid, failed, &before], [paid, &again, &before, failed]]
    {
        let scenario = order.into_iter().fold(given([opened()]).at(day(31)), |scenario, told| {
            scenario.when(report(Change::Renewed, told.clone()))
        });
        scenario.at(day(33).minus(hours(1))).then_on_plan("basic").at(day(33)).then_on_plan("free");
    }
}

#[test]
fn a_history_says_what_was_reported() {
    let scenario = started().when(report(Change::RevenueChanged, worth(4, 500)));
    assert!(matches!(
        scenario.history.last(),
        Some(Event::Subscription(SubscriptionEvent::RevenueChanged { .. }))
    ));
}

/// Somebody who changes a subscription a thousand times, six times a second, does not slow others down: a report takes
/// about as long after many others as after few.
#[test]
fn a_report_costs_no_more_for_the_many_that_were_before_it() {
    let numbered = |number: i64| {
        let at = day(0).plus(chrono::TimeDelta::seconds(number / 6));
        let (quantity, other) = if number % 2 == 0 { (1, 2) } else { (2, 1) };
        let step = Some(TermsChange { from: Some(other.to_string()), to: quantity.to_string() });
        let evidence = ReportOrder { id: provider(&format!("evt_{number:05}")), step, ..evidence(at, 1) };
        report(Change::Unnamed, SubscriptionState { quantity, evidence, ..told(0, "basic") })
    };
    let mut scenario = given([opened()]);
    let mut since = std::time::Instant::now();
    for number in 0..1_200 {
        // The last hundred.
        if number == 1_100 {
            since = std::time::Instant::now();
        }
        scenario.clock = scenario.clock.max(day(0).plus(chrono::TimeDelta::seconds(number / 6)));
        scenario.send(&numbered(number)).as_ref().unwrap();
    }
    assert!(since.elapsed().as_secs() < 5, "{:?} for a hundred reports", since.elapsed());
}

/// The second month was thought to be this account's, and the unused part of the first rolled over into it.
#[test]
fn nothing_stays_carried_into_a_month_that_turned_out_to_be_another_accounts() {
    let away = SubscriptionState {
        status: Status::Cancelled,
        moved_to: Some(AccountId::parse("other").unwrap()),
        evidence: evidence(month(0).end.minus(chrono::TimeDelta::hours(1)), 1),
        ..terms("creator", month(0))
    };
    let start = SubscriptionState { evidence: evidence(month(0).start, 0), ..terms("creator", month(0)) };
    let scenario = given([opened()]).at(month(0).start).when(report(Change::Started, start));
    let scenario = scenario.when(words::pay("in_1", "creator", month(0)));
    let scenario = scenario.at(month(1).start).when(words::pay("in_2", "creator", month(1)));
    let scenario = scenario.then_available(3_000).when(report(Change::Moved, away));
    scenario.then_available(0).then_on_plan("free");
}

/// A release that stored fewer details reported the same, so this is not a change.
#[test]
fn what_people_are_shown_is_news_only_where_both_reports_say_it() {
    let told_with = |number: i64, price: Option<&str>| {
        let shown = price.map(|price| {
            Box::new(ReportedDetails { price: Some(provider(price)), ..ReportedDetails::default() })
        });
        SubscriptionState { shown, ..told(number, "basic") }
    };
    for (before, after, is_news) in [
        (None, Some("price_1"), false),
        (Some("price_1"), None, false),
        (Some("price_1"), Some("price_1"), false),
        (Some("price_1"), Some("price_2"), true),
    ] {
        let (before, after) = (told_with(0, before), told_with(1, after));
        assert_eq!(after.says_the_same_as(&before), !is_news, "{before:?} {after:?}");
        assert_eq!(after.change_since(&before).is_some(), is_news, "{before:?} {after:?}");
    }
}
