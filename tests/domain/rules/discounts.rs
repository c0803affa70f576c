//! What is a subscription's monthly revenue, given its customer's discounts?

use domain::{
    amount::{Currency, Money},
    command::{Command, SubscriptionChange},
    discounts::TakenOff,
    subscription::SubscriptionState,
    time::Timestamp,
};

use crate::builders::{
    catalog::usd,
    scenario::{Scenario, given},
    words::{
        day, discount_ended, discounted, discounted_by, evidence, month, opened, provider, report, terms,
        undiscounted,
    },
};

/// A subscription of 9.99 without discounts of its own.
fn subscribed() -> Command {
    report(SubscriptionChange::Started, undiscounted("cus_1", terms("basic", month(0))))
}

/// The account's monthly revenue at `at`, in minor units.
fn brings(scenario: &Scenario, at: Timestamp) -> i64 {
    let account = scenario.open();
    let known = account.subscriptions.known().values().filter(|terms| terms.is_revenue());
    known.map(|terms| terms.monthly_at(at, &account.discounts).minor).sum()
}

fn after(told: &[Command]) -> Scenario {
    told.iter().fold(given([opened()]), |scenario, command| scenario.when(command.clone()).then_accepted())
}

/// The monthly revenue on these days. The reports arrive in this order and in reverse, once and twice.
#[track_caller]
fn brings_on<const COUNT: usize>(told: &[Command], days: [i64; COUNT]) -> [i64; COUNT] {
    let reversed: Vec<Command> = told.iter().rev().cloned().collect();
    let doubled: Vec<Command> = told.iter().chain(told).cloned().collect();
    let [right, others @ ..] =
        [told, &reversed, &doubled].map(|told| days.map(|number| brings(&after(told), day(number))));
    others.iter().for_each(|other| assert_eq!(*other, right));
    right
}

#[test]
fn what_a_customer_has_taken_off_for_ever_comes_off_from_its_start_until_its_end() {
    let told =
        [subscribed(), discounted("cus_1", "di_1", 50, day(3)), discount_ended("cus_1", "di_1", day(5))];
    assert_eq!(brings_on(&told, [2, 3, 4, 5]), [999, 500, 500, 999], "499.5 goes to the even neighbour");
}

#[test]
fn a_discount_that_passes_takes_nothing_off_and_replaces_another_one() {
    let told =
        [subscribed(), discounted("cus_1", "di_1", 50, day(3)), discounted_by("cus_1", "di_2", None, day(5))];
    assert_eq!(brings_on(&told, [4, 5]), [500, 999]);
}

#[test]
fn an_amount_comes_off_charges_in_its_own_currency_only() {
    let eur = Money { minor: 300, currency: Currency::parse("eur").expect("a currency") };
    let off = |money: Money| discounted_by("cus_1", "di_1", Some(TakenOff::Amount(money)), day(3));
    assert_eq!(brings_on(&[subscribed(), off(usd(300))], [2, 3]), [999, 699]);
    assert_eq!(brings_on(&[subscribed(), off(usd(3_000))], [3]), [0]);
    assert_eq!(brings_on(&[subscribed(), off(eur)], [3]), [999]);
}

#[test]
fn discounts_of_the_subscription_and_of_other_customers_are_others() {
    let own = report(SubscriptionChange::Started, terms("basic", month(0)));
    assert_eq!(brings_on(&[own, discounted("cus_1", "di_1", 50, day(3))], [3]), [999]);
    assert_eq!(brings_on(&[subscribed(), discounted("cus_2", "di_1", 50, day(3))], [3]), [999]);
}

#[test]
fn of_two_discounts_the_one_that_began_last_counts_until_it_ends() {
    let told = [
        subscribed(),
        discounted("cus_1", "di_2", 50, day(3)),
        discount_ended("cus_1", "di_2", day(5)),
        discounted("cus_1", "di_1", 100, day(5)),
        discount_ended("cus_1", "di_1", day(7)),
    ];
    assert_eq!(brings_on(&told, [3, 5, 6, 7]), [500, 0, 0, 999]);
}

#[test]
fn one_that_ended_in_the_second_in_which_it_began_never_was() {
    let told = [
        subscribed(),
        discounted("cus_1", "di_1", 50, day(3)),
        discounted("cus_1", "di_2", 100, day(5)),
        discount_ended("cus_1", "di_2", day(5)),
    ];
    assert_eq!(brings_on(&told, [3, 5, 6]), [500, 500, 500]);
}

#[test]
fn a_later_report_brings_less_as_well() {
    let larger = SubscriptionState {
        monthly: usd(1_999),
        evidence: evidence(day(9), 1),
        ..terms("creator", month(0))
    };
    let changed = report(SubscriptionChange::Unnamed, undiscounted("cus_1", larger));
    assert_eq!(brings_on(&[subscribed(), discounted("cus_1", "di_1", 50, day(3)), changed], [9]), [1_000]);
}

#[test]
fn what_is_known_of_a_discount_needs_no_second_event() {
    after(&[subscribed()])
        .when(discounted("cus_1", "di_1", 50, day(3)))
        .then_named(["CustomerDiscounted"])
        .when(discounted("cus_1", "di_1", 50, day(3)))
        .then_named([])
        .when(discount_ended("cus_1", "di_1", day(5)))
        .then_named(["CustomerDiscountEnded"])
        .when(discount_ended("cus_1", "di_1", day(5)))
        .then_named([]);
}

/// Earlier releases took the customer's discount off the report itself.
#[test]
fn a_report_that_was_stored_before_stays_as_it_was_counted() {
    let mut stored = serde_json::to_value(undiscounted("cus_1", terms("basic", month(0)))).expect("JSON");
    stored.as_object_mut().expect("an object").remove("undiscounted");
    let terms: SubscriptionState = serde_json::from_value(stored).expect("terms");
    assert_eq!((terms.undiscounted.is_none(), &terms.subscription), (true, &provider("sub_1")));
    let told = [report(SubscriptionChange::Started, terms), discounted("cus_1", "di_1", 50, day(3))];
    assert_eq!(brings_on(&told, [3]), [999]);
}
