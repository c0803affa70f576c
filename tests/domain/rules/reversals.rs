//! What happens when money comes back: a refund fails, a dispute is won after all, a refund is reported twice?

use domain::{
    command::{Command, PaymentCommand},
    event::{CreditsEvent, Event},
};

use crate::builders::{
    catalog::{forgiving, free_nothing, usd},
    scenario::{Scenario, opened_under},
    words::{
        buy, close_dispute, day, deduct, fail_refund, grant, link_payment, month, open_dispute, pay,
        provider, refund_once, refund_payment,
    },
};

fn empty() -> Scenario {
    opened_under(free_nothing())
}

/// A pack of 2,000 credits for 20.00.
fn bought() -> Scenario {
    empty().when(buy("pi_1", "pack_2000", 1, day(0)))
}

/// Checks how the account ends, in any order of these commands.
fn in_any_order(commands: &[Command], available: i64, debt: i64) {
    let mut orders = vec![Vec::new()];
    for index in 0..commands.len() {
        let longer = |order: &Vec<usize>| {
            (0..=order.len()).map(|place| [&order[..place], &[index], &order[place..]].concat()).collect()
        };
        orders = orders.iter().flat_map(|order| -> Vec<Vec<usize>> { longer(order) }).collect();
    }
    for order in orders {
        let all = order.iter().chain(&order);
        let scenario =
            all.fold(empty(), |scenario, index| scenario.when(commands[*index].clone()).then_accepted());
        scenario.then_balance(available, 0, debt);
    }
}

#[test]
fn one_refund_that_is_told_as_itself_and_in_a_total_counts_once() {
    in_any_order(
        &[
            buy("pi_1", "pack_2000", 1, day(0)),
            refund_once("re_1", "pi_1", 500, day(1)),
            refund_payment("pi_1", 500, 2000, day(1)),
        ],
        1500,
        0,
    );
}

#[test]
fn single_refunds_add_up_and_round_once() {
    let refunds = |ids: &[&str]| {
        ids.iter().fold(bought(), |scenario, id| scenario.when(refund_once(id, "pi_1", 333, day(1))))
    };
    // 2,000 credits for 20.00: each cent is one credit.
    refunds(&["re_1", "re_2", "re_1"]).then_available(2000 - 666);
    let odd = empty().when(buy("pi_1", "pack_500", 1, day(0)));
    let odd = odd.when(refund_once("re_1", "pi_1", 3, day(1))).then_available(500);
    odd.when(refund_once("re_2", "pi_1", 3, day(1))).then_available(500 - 1);
}

#[test]
fn a_refund_that_fails_gives_back_in_any_order() {
    in_any_order(
        &[
            buy("pi_1", "pack_2000", 1, day(0)),
            refund_once("re_1", "pi_1", 500, day(1)),
            refund_payment("pi_1", 500, 2000, day(1)),
            fail_refund("re_1", "pi_1", 500, day(1)),
        ],
        2000,
        0,
    );
}

#[test]
fn of_two_refunds_the_one_that_fails_gives_its_own_part_back() {
    in_any_order(
        &[
            buy("pi_1", "pack_2000", 1, day(0)),
            refund_payment("pi_1", 500, 2000, day(1)),
            refund_payment("pi_1", 1500, 2000, day(2)),
            fail_refund("re_1", "pi_1", 500, day(1)),
        ],
        1000,
        0,
    );
}

#[test]
fn a_total_after_a_failed_refund_does_not_count_it() {
    in_any_order(
        &[
            buy("pi_1", "pack_2000", 1, day(0)),
            refund_payment("pi_1", 1000, 2000, day(1)),
            fail_refund("re_1", "pi_1", 1000, day(1)),
            refund_payment("pi_1", 1000, 2000, day(9)),
        ],
        1000,
        0,
    );
}

#[test]
fn what_was_owed_for_a_refund_that_failed_is_owed_no_more() {
    bought()
        .when(deduct(1500))
        .when(refund_once("re_1", "pi_1", 2000, day(1)))
        .then_balance(0, 0, 1500)
        .when(fail_refund("re_1", "pi_1", 2000, day(1)))
        .then_named(["RefundFailed", "CreditsRestored"])
        .then_balance(500, 0, 0);
}

#[test]
fn what_other_credits_had_paid_of_it_comes_back_as_a_grant() {
    let scenario = bought().when(deduct(1500)).when(refund_once("re_1", "pi_1", 2000, day(1)));
    let scenario = scenario.when(grant("gift", 600, None)).then_balance(0, 0, 900);
    let scenario = scenario.when(fail_refund("re_1", "pi_1", 2000, day(1)));
    let scenario = scenario.then_named(["RefundFailed", "CreditsRestored", "CreditsGranted"]);
    match &scenario.history[scenario.history.len() - 2] {
        Event::Credits(CreditsEvent::CreditsRestored { restored, unowed, repaid, .. }) => {
            assert_eq!((restored.get(), unowed.get(), repaid.get()), (500, 900, 600));
        }
        other => panic!("{other:?}"),
    }
    scenario.then_balance(500 + 600, 0, 0);
}

#[test]
fn what_had_been_forgiven_is_not_given_twice() {
    let scenario = bought().under(forgiving()).when(deduct(1500));
    let scenario = scenario.when(refund_once("re_1", "pi_1", 2000, day(1))).then_balance(0, 0, 0);
    scenario.when(fail_refund("re_1", "pi_1", 2000, day(1))).then_balance(500, 0, 0);
}

#[test]
fn what_comes_back_to_a_month_that_ended_is_carried_on() {
    let paid = || empty().at(month(0).start).when(pay("in_1", "team", month(0)));
    let refunded = paid().when(refund_once("re_1", "in_1", 999, month(0).start));
    let refunded = refunded.at(month(1).start).when(pay("in_2", "team", month(1))).then_available(5000);
    let failed = refunded.when(fail_refund("re_1", "in_1", 999, month(0).start));
    failed.then_available(6000);
    paid().at(month(1).start).when(pay("in_2", "team", month(1))).then_available(6000);
}

#[test]
fn an_invoice_is_taken_back_by_the_payment_that_paid_it() {
    let at = month(0).start;
    let commands = [
        pay("in_1", "basic", month(0)),
        link_payment("pi_9", "in_1", at),
        refund_once("re_1", "pi_9", 333, at),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
        let scenario = order.iter().fold(empty().at(at), |scenario, index: &usize| {
            scenario.when(commands[*index].clone()).then_accepted()
        });
        // 333 of 999 for 500 credits.
        scenario.then_balance(500 - 166, 0, 0);
    }
}

#[test]
fn an_invoice_of_two_payments_is_taken_back_by_the_share_of_each() {
    let at = month(0).start;
    empty()
        .at(at)
        .when(pay("in_1", "basic", month(0)))
        .when(link_payment("pi_8", "in_1", at))
        .when(link_payment("pi_9", "in_1", at))
        .when(refund_payment("pi_8", 333, 333, at))
        .then_available(500 - 166)
        .when(refund_payment("pi_9", 666, 666, at))
        .then_available(0);
}

#[test]
fn a_dispute_that_was_lost_and_is_won_after_all_gives_back_in_any_order() {
    in_any_order(
        &[
            buy("pi_1", "pack_2000", 1, day(0)),
            open_dispute("dp_1", "pi_1", day(1)),
            close_dispute("dp_1", "pi_1", false, day(2)),
            close_dispute("dp_1", "pi_1", true, day(3)),
        ],
        2000,
        0,
    );
}

#[test]
fn a_dispute_of_a_part_takes_back_that_part() {
    let close = |money| {
        Command::Payment(PaymentCommand::CloseDispute {
            dispute: provider("dp_1"),
            payment: provider("pi_1"),
            won: false,
            money,
            effective_at: day(2),
        })
    };
    bought().when(close(Some(usd(500)))).then_available(1500);
    bought().when(close(None)).then_available(0);
    let refunded = bought().when(refund_once("re_1", "pi_1", 500, day(1)));
    refunded.when(close(Some(usd(1000)))).then_available(500);
}
