//! Do deductions follow the spending order `burn/v1`, key by key, and take all of the amount or nothing?

use domain::{
    amount::Credits,
    command::{Command, CreditsCommand},
    credits::GrantTerms,
    refusal::Refusal,
};

use crate::builders::{
    catalog::{credits, plan_id, usd},
    scenario::given,
    words::{
        bonus, day, deduct, deducted, draw, expired, granted, granted_as, granted_forever, hold, month,
        opened, pay, time,
    },
};

#[test]
fn a_deduction_spends_what_expires_first() {
    given([opened(), granted("a", 100, day(30)), granted("b", 100, day(10))])
        .when(deduct(150))
        .then([deducted(4, 150, [draw("b", 100), draw("a", 50)], day(0))])
        .then_available(50);
}

#[test]
fn priority_comes_before_expiry() {
    let first = granted_as(GrantTerms { priority: 10, ..bonus("first", 10) });
    given([opened(), granted("soon", 10, day(1)), first]).when(deduct(15)).then([deducted(
        4,
        15,
        [draw("first", 10), draw("soon", 5)],
        day(0),
    )]);
}

#[test]
fn what_never_expires_comes_last() {
    given([opened(), granted_forever("never", 10), granted("late", 10, day(9000))])
        .when(deduct(15))
        .then([deducted(4, 15, [draw("late", 10), draw("never", 5)], day(0))]);
}

#[test]
fn free_comes_before_paid() {
    let paid = granted_as(GrantTerms { cost: Some(usd(100)), ..bonus("a_paid", 10) });
    given([opened(), paid, granted_forever("b_free", 10)]).when(deduct(15)).then([deducted(
        4,
        15,
        [draw("b_free", 10), draw("a_paid", 5)],
        day(0),
    )]);
}

#[test]
fn granted_earlier_comes_first_and_then_the_id_decides() {
    given([opened(), granted_forever("b", 10)])
        .at(day(1))
        .when(crate::builders::words::grant("a", 10, None))
        .when(crate::builders::words::grant("c", 10, None))
        .when(crate::builders::words::grant("aa", 10, None))
        .when(deduct(35))
        .then([deducted(6, 35, [draw("b", 10), draw("a", 10), draw("aa", 10), draw("c", 5)], day(1))]);
}

#[test]
fn more_than_there_is_changes_nothing_and_says_what_there_is() {
    let scenario = given([opened(), granted("a", 100, day(30))]).when(hold(30)).when(deduct(71));
    let refused = Refusal::InsufficientCredits {
        requested: credits(71),
        available: credits(70),
        held: credits(30),
        debt: Credits::ZERO,
        next_credits_at: None,
        upgrade: Some(plan_id("basic")),
    };
    scenario.then_refused(refused).then_balance(70, 30, 0).when(deduct(70)).then_accepted().then_available(0);
}

#[test]
fn a_refusal_names_the_plan_that_gives_enough_and_the_next_credits() {
    let scenario = given([opened()]).at(month(0).start).when(pay("in_1", "basic", month(0)));
    let refusal = |requested: i64, upgrade: &str| Refusal::InsufficientCredits {
        requested: credits(requested),
        available: credits(500),
        held: Credits::ZERO,
        debt: Credits::ZERO,
        next_credits_at: None,
        upgrade: Some(plan_id(upgrade)),
    };
    scenario
        .when(deduct(1500))
        .then_refused(refusal(1500, "creator"))
        .when(deduct(1501))
        .then_refused(refusal(1501, "team"))
        .when(deduct(1_000_000))
        .then_refused(refusal(1_000_000, "team"));
}

#[test]
fn a_year_that_was_paid_says_when_the_next_month_begins() {
    let scenario = given([opened()])
        .at(time("2025-06-15T00:00:00Z"))
        .when(pay("in_1", "basic", crate::builders::words::year()))
        .when(deduct(501));
    match scenario.refusal() {
        Refusal::InsufficientCredits { next_credits_at, .. } => {
            assert_eq!(*next_credits_at, Some(month(1).start));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_has_expired_is_noted_before_what_is_decided_on_it() {
    given([opened(), granted("a", 100, day(1)), granted_forever("b", 100)])
        .at(day(1))
        .when(deduct(60))
        .then([expired("a", 100, day(1)), deducted(5, 60, [draw("b", 60)], day(1))]);
}

#[test]
fn an_adjustment_takes_in_the_spending_order_and_never_below_zero() {
    let take = |amount| {
        Command::Credits(CreditsCommand::AdjustCredits {
            amount: credits(amount),
            reason: "mistake".to_owned(),
        })
    };
    given([opened(), granted("a", 100, day(30)), granted("b", 100, day(10))])
        .when(take(150))
        .then_named(["CreditsAdjusted"])
        .then_grant("b", 100, 0)
        .then_grant("a", 100, 50)
        .when(take(51))
        .then_refused(Refusal::InsufficientCredits {
            requested: credits(51),
            available: credits(50),
            held: Credits::ZERO,
            debt: Credits::ZERO,
            next_credits_at: None,
            upgrade: Some(plan_id("basic")),
        });
}

#[test]
fn a_balance_that_would_not_fit_is_refused() {
    given([opened(), granted_forever("a", i64::MAX)])
        .when(crate::builders::words::grant("b", 1, None))
        .then_refused(Refusal::AmountTooLarge)
        .when(deduct(i64::MAX))
        .then_accepted()
        .then_available(0);
    // Held credits may be returned.
    given([opened(), granted_forever("a", i64::MAX)])
        .when(crate::builders::words::hold(i64::MAX))
        .when(crate::builders::words::grant("b", 1, None))
        .then_refused(Refusal::AmountTooLarge);
}
