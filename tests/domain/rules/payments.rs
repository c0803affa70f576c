//! Does returned money take back what it bought? Its share, once, in whatever order it is reported.

use domain::{
    event::{CreditsEvent, Event},
    refusal::Refusal,
};

use crate::builders::{
    catalog::{forgiving, free_nothing},
    scenario::{Scenario, opened_under},
    words::{
        buy, close_dispute, day, deduct, hold, month, open_dispute, pay, provider, refund_payment, release,
        year,
    },
};

fn empty() -> Scenario {
    opened_under(free_nothing())
}

/// A pack of 2,000 credits for 20.00.
fn bought() -> Scenario {
    empty().when(buy("pi_1", "pack_2000", 1, day(0)))
}

#[test]
fn a_pack_is_granted_once_by_its_payment() {
    bought()
        .then_named(["PaymentSucceeded", "CreditsGranted"])
        .when(buy("pi_1", "pack_2000", 1, day(0)))
        .then_nothing()
        .then_available(2000)
        .when(buy("pi_2", "pack_500", 3, day(0)))
        .then_available(3500);
}

#[test]
fn a_pack_never_expires_unless_the_catalog_says_so() {
    bought().at(day(4000)).then_available(2000);
    let short = empty().when(buy("pi_1", "pack_short", 1, day(0))).at(day(29));
    short.then_available(100).at(day(30)).then_available(0);
}

#[test]
fn a_pack_that_is_not_in_the_catalog_is_refused() {
    empty().when(buy("pi_1", "pack_9", 1, day(0))).then_refused(Refusal::UnknownPack);
    empty().when(buy("pi_1", "pack_2000", u32::MAX, day(0))).then_accepted();
}

#[test]
fn a_refund_takes_back_the_share_floored_and_only_what_is_new() {
    bought()
        .when(refund_payment("pi_1", 333, 1000, day(0)))
        .then_available(2000 - 666)
        .when(refund_payment("pi_1", 333, 1000, day(0)))
        .then_nothing()
        .when(refund_payment("pi_1", 100, 1000, day(0)))
        .then_nothing()
        .when(refund_payment("pi_1", 1000, 1000, day(0)))
        .then_available(0)
        .then_balance(0, 0, 0);
}

#[test]
fn what_was_spent_already_is_owed() {
    let scenario = bought().when(deduct(1500)).when(refund_payment("pi_1", 500, 1000, day(0)));
    scenario
        .then_balance(0, 0, 500)
        .when(refund_payment("pi_1", 1000, 1000, day(0)))
        .then_balance(0, 0, 1500);
}

#[test]
fn what_was_spent_already_can_be_forgiven_by_the_catalog() {
    let scenario = bought().under(forgiving()).when(deduct(1500));
    let scenario = scenario.when(refund_payment("pi_1", 1000, 1000, day(0)));
    match scenario.history.last() {
        Some(Event::Credits(CreditsEvent::CreditsClawedBack { voided, owed, forgiven, .. })) => {
            assert_eq!((voided.get(), owed.get(), forgiven.get()), (500, 0, 1500));
        }
        other => panic!("{other:?}"),
    }
    scenario.then_balance(0, 0, 0);
}

#[test]
fn a_refund_before_the_grant_takes_back_when_that_comes() {
    empty()
        .when(refund_payment("pi_1", 500, 1000, day(0)))
        .then_named(["PaymentRefunded"])
        .when(buy("pi_1", "pack_2000", 1, day(0)))
        .then_named(["PaymentSucceeded", "CreditsGranted", "CreditsClawedBack"])
        .then_available(1000);
}

#[test]
fn what_expired_is_not_owed_however_the_refund_is_split() {
    let spent = || empty().when(buy("pi_1", "pack_short", 1, day(0))).when(deduct(30)).at(day(40));
    let whole = spent().when(refund_payment("pi_1", 100, 100, day(40))).then_balance(0, 0, 30);
    let half = spent().when(refund_payment("pi_1", 50, 100, day(40)));
    half.then_balance(0, 0, 0);
    let split = spent()
        .when(refund_payment("pi_1", 50, 100, day(40)))
        .when(refund_payment("pi_1", 100, 100, day(40)))
        .then_balance(0, 0, 30);
    assert_eq!(whole.balance(), split.balance());
}

#[test]
fn credits_on_hold_are_owed_and_settle_that_when_they_are_released() {
    bought()
        .when(hold(300))
        .when(refund_payment("pi_1", 1000, 1000, day(0)))
        .then_balance(0, 300, 300)
        .when(release("hold_4"))
        .then_balance(0, 0, 0);
}

#[test]
fn a_refunded_invoice_takes_back_its_allocation() {
    empty()
        .at(month(0).start)
        .when(pay("in_1", "basic", month(0)))
        .when(deduct(100))
        .when(refund_payment("in_1", 999, 999, month(0).start))
        .then_balance(0, 0, 100);
}

#[test]
fn a_refunded_year_gives_nothing_in_its_later_months() {
    empty()
        .at(month(0).start)
        .when(pay("in_1", "basic", year()))
        .when(refund_payment("in_1", 999, 999, month(0).start))
        .then_available(0)
        .at(month(1).start)
        .settle()
        .then_available(0);
}

#[test]
fn a_refund_takes_back_what_was_carried_into_the_next_month() {
    let carried = || {
        let scenario = empty().at(month(0).start).when(pay("in_1", "basic", month(0))).when(deduct(200));
        let scenario = scenario.at(month(1).start).when(pay("in_2", "basic", month(1)));
        scenario.then_available(800)
    };
    carried().when(refund_payment("in_1", 999, 999, month(1).start)).then_balance(500, 0, 200);
    carried().when(refund_payment("in_1", 333, 999, month(1).start)).then_balance(800 - 166, 0, 0);
}

#[test]
fn a_refund_takes_the_same_before_the_end_of_a_month_and_after_it() {
    let month_of_team = || empty().at(month(0).start).when(pay("in_1", "team", month(0))).when(deduct(500));
    let refund = |at| refund_payment("in_1", 333, 999, at);
    let before = month_of_team().when(refund(month(0).start)).at(month(1).start);
    let before = before.when(pay("in_2", "team", month(1)));
    let after = month_of_team().at(month(1).start).when(pay("in_2", "team", month(1)));
    let after = after.when(refund(month(1).start));
    let between = month_of_team().at(month(1).start).when(refund(month(1).start));
    let between = between.when(pay("in_2", "team", month(1)));
    for scenario in [before, after, between] {
        scenario.then_balance(6000, 0, 0);
    }
}

#[test]
fn a_refund_of_a_month_that_ended_is_not_carried_on() {
    empty()
        .at(month(0).start)
        .when(pay("in_1", "basic", month(0)))
        .when(refund_payment("in_1", 999, 999, month(0).start))
        .at(month(1).start)
        .when(pay("in_2", "basic", month(1)))
        .then_available(500);
}

#[test]
fn a_dispute_freezes_what_is_left() {
    bought()
        .when(deduct(500))
        .when(open_dispute("dp_1", "pi_1", day(0)))
        .then_named(["DisputeOpened", "GrantFrozen"])
        .then_balance(0, 0, 0)
        .when(open_dispute("dp_1", "pi_1", day(0)))
        .then_nothing();
}

#[test]
fn a_dispute_that_is_won_gives_it_back() {
    bought()
        .when(open_dispute("dp_1", "pi_1", day(0)))
        .when(close_dispute("dp_1", "pi_1", true, day(0)))
        .then_named(["DisputeClosed", "GrantUnfrozen"])
        .then_available(2000);
}

#[test]
fn a_dispute_that_is_lost_claws_it_back() {
    bought()
        .when(deduct(500))
        .when(open_dispute("dp_1", "pi_1", day(0)))
        .when(close_dispute("dp_1", "pi_1", false, day(0)))
        .then_balance(0, 0, 500);
}

#[test]
fn disputes_end_the_same_in_any_order() {
    let commands = [
        buy("pi_1", "pack_2000", 1, day(0)),
        open_dispute("dp_1", "pi_1", day(0)),
        close_dispute("dp_1", "pi_1", false, day(0)),
        refund_payment("pi_1", 500, 1000, day(0)),
    ];
    for order in [[0, 1, 2, 3], [2, 1, 0, 3], [1, 3, 2, 0], [3, 0, 2, 1], [2, 3, 1, 0]] {
        let scenario = order
            .iter()
            .fold(empty(), |scenario, index| scenario.when(commands[*index].clone()).then_accepted());
        scenario.then_balance(0, 0, 0).then_grant("pack:pi_1", 2000, 0);
    }
}

#[test]
fn a_grant_stays_frozen_until_its_last_dispute_is_closed() {
    bought()
        .when(open_dispute("dp_1", "pi_1", day(0)))
        .when(open_dispute("dp_2", "pi_1", day(0)))
        .when(close_dispute("dp_1", "pi_1", true, day(0)))
        .then_available(0)
        .when(close_dispute("dp_2", "pi_1", true, day(0)))
        .then_available(2000);
}

#[test]
fn what_is_carried_of_a_disputed_payment_stays_frozen() {
    let disputed = empty()
        .at(month(0).start)
        .when(pay("in_1", "basic", month(0)))
        .when(open_dispute("dp_1", "in_1", month(0).start))
        .then_available(0)
        .at(month(1).start)
        .when(pay("in_2", "basic", month(1)))
        .then_available(500);
    disputed.when(close_dispute("dp_1", "in_1", true, month(1).start)).then_available(1000);
}

#[test]
fn a_payment_that_failed_is_history_only() {
    use domain::{
        command::{Command, PurchaseCommand},
        event::PaymentPurpose,
    };
    let failed = Command::Purchase(PurchaseCommand::RecordFailedPayment {
        payment: provider("in_1"),
        money: crate::builders::catalog::usd(999),
        purpose: PaymentPurpose::Other,
        attempt: 2,
        effective_at: day(0),
    });
    let action = Command::Purchase(PurchaseCommand::RecordActionRequired {
        payment: provider("in_1"),
        money: crate::builders::catalog::usd(999),
        effective_at: day(0),
    });
    bought()
        .when(failed)
        .then_named(["PaymentFailed"])
        .when(action)
        .then_named(["PaymentActionRequired"])
        .then_available(2000);
}
