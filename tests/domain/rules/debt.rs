//! What was clawed back after it was spent is owed: the next grant pays it first, or someone forgives it.

use domain::{
    amount::Credits,
    command::{Command, CreditsCommand},
    event::{CreditsEvent, Event},
    refusal::Refusal,
};

use crate::builders::{
    catalog::{credits, free_nothing, plan_id},
    scenario::{Scenario, opened_under},
    words::{buy, day, deduct, grant, grant_id, hold, hours, month, pay, refund_payment, release, year},
};

/// 300 of a pack of 500 were spent before all of its payment went back.
fn indebted() -> Scenario {
    opened_under(free_nothing())
        .when(buy("pi_1", "pack_500", 1, day(0)))
        .when(deduct(300))
        .when(refund_payment("pi_1", 600, 600, day(0)))
        .then_balance(0, 0, 300)
}

fn forgive(amount: Option<i64>) -> Command {
    Command::Credits(CreditsCommand::ForgiveDebt {
        amount: amount.map(credits),
        reason: "goodwill".to_owned(),
    })
}

#[test]
fn the_next_grant_pays_what_is_owed_as_a_line_of_its_own() {
    let scenario = indebted().at(day(1)).when(grant("a", 200, None)).then_balance(0, 0, 100);
    let scenario = scenario.when(grant("b", 200, None)).then_named(["CreditsGranted", "DebtPaid"]);
    let paid = Event::Credits(CreditsEvent::DebtPaid {
        grant_id: grant_id("b"),
        amount: credits(100),
        effective_at: day(1),
    });
    assert_eq!(scenario.history.last(), Some(&paid));
    scenario.then_balance(100, 0, 0).when(grant("c", 200, None)).then_named(["CreditsGranted"]);
}

#[test]
fn an_allocation_pays_what_is_owed() {
    indebted().at(month(0).start).when(pay("in_1", "basic", month(0))).then_balance(200, 0, 0);
}

#[test]
fn a_month_that_is_noticed_late_pays_as_if_it_had_been_noticed_at_once() {
    let spent = || {
        let scenario = opened_under(free_nothing()).at(month(0).start).when(pay("in_1", "basic", year()));
        let scenario = scenario.when(deduct(500)).when(buy("pi_1", "pack_2000", 1, month(0).start));
        scenario.when(deduct(2000)).when(refund_payment("pi_1", 2000, 2000, month(0).start))
    };
    let looked = spent().at(month(1).start).settle().at(month(2).start).settle().at(month(3).start).settle();
    let idle = spent().at(month(3).start).settle();
    assert_eq!(looked.account, idle.account);
    idle.then_balance(0, 0, 500);
}

#[test]
fn a_grant_that_begins_later_does_not_pay_before_it_begins() {
    let mut later = grant("later", 400, None);
    if let Command::Credits(CreditsCommand::GrantCredits(grant)) = &mut later {
        grant.starts_at = Some(day(5));
    }
    indebted().at(day(1)).when(later).then_balance(0, 0, 300).at(day(5)).then_available(400);
}

#[test]
fn the_plan_that_is_recommended_gives_enough_for_what_is_owed_too() {
    for (requested, enough) in [(200, "basic"), (201, "creator"), (1200, "creator"), (1201, "team")] {
        let refused = Refusal::InsufficientCredits {
            requested: credits(requested),
            available: Credits::ZERO,
            held: Credits::ZERO,
            debt: credits(300),
            next_credits_at: None,
            upgrade: Some(plan_id(enough)),
        };
        indebted().when(deduct(requested)).then_refused(refused);
    }
}

#[test]
fn what_is_owed_lowers_what_is_settled() {
    let scenario = indebted();
    assert_eq!(scenario.balance().settled, -300);
}

#[test]
fn debt_is_forgiven_whole_or_in_part() {
    indebted()
        .when(forgive(Some(100)))
        .then_named(["DebtForgiven"])
        .then_balance(0, 0, 200)
        .when(forgive(Some(201)))
        .then_refused(Refusal::DebtSmaller { debt: credits(200) })
        .when(forgive(None))
        .then_balance(0, 0, 0)
        .when(forgive(None))
        .then_refused(Refusal::NothingOwed);
}

#[test]
fn credits_that_come_back_to_a_grant_pay_what_is_owed() {
    indebted().after(hours(1)).refund("ded_4", None).then_balance(0, 0, 0);
}

/// The second pack paid the debt of the first, whose payment then came back.
/// When the second pack is refunded, too, the returned credits are what is left to pay with.
#[test]
fn what_came_back_when_nothing_was_owed_any_more_pays_what_is_owed_later() {
    let scenario = opened_under(free_nothing())
        .when(buy("pi_1", "pack_500", 1, day(0)))
        .when(hold(500))
        .when(refund_payment("pi_1", 600, 600, day(0)))
        .then_balance(0, 500, 500)
        .when(buy("pi_2", "pack_500", 1, day(0)))
        .then_balance(0, 500, 0);
    scenario
        .when(release("hold_4"))
        .then_balance(500, 0, 0)
        .when(refund_payment("pi_2", 600, 600, day(0)))
        .then_balance(0, 0, 0);
}
