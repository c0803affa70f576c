//! Spending, holds and refunds of work beside changes and money that goes back; catalogs that change in between; and
//! plans that cost nothing.

use counterfoil::domain::time::Timestamp;
use serde_json::json;

use crate::{
    functions::truth::{
        books::Books,
        life::{
            Life,
            Move::{
                Change, GiveBack, HoldAll, RefundWork, Release, SpendAll, Subscribe, WaitDays, WaitForRenewal,
            },
        },
        paper::{Invoice, Line, Priced, Subscription, event},
        story::{
            BEGIN,
            Back::{CreditNote, DisputeLost, Refund},
            Plan::{Basic, Creator, Team},
            monthly,
        },
    },
    support::catalogs,
};

const SIGN_UP: i64 = 50;

fn lived(moves: &[crate::functions::truth::life::Move]) -> Life {
    let mut life = Life::begin(&catalogs::without_rollover(), SIGN_UP);
    moves.iter().for_each(|one| life.play(*one));
    life
}

/// Available, held, owed.
fn balance(life: &Life) -> (i64, i64, i64) {
    let balance = life.books.balance("eve", life.at());
    (balance.available.get(), balance.held.get(), balance.debt.get())
}

/// 5,050 are spent, and what Team gave for the rest of the month comes back as money: it is owed.
#[test]
fn what_was_spent_of_credits_that_money_came_back_for_is_owed() {
    let life = lived(&[Subscribe(monthly(Team)), WaitDays(11), SpendAll, Change(monthly(Basic))]);
    // 20 of 31 days, but for a second, of 4,500 more: what the law has taken.
    assert_eq!(balance(&life), (0, 0, 5_050 - life.story.right_credits()));
    assert_eq!(life.story.right_credits(), 5_050 - 4_500 * 20 / 31);
}

/// Up, spend, down at once: each month, and it gives no more than what was paid for.
#[test]
fn a_loop_of_upgrades_that_are_taken_back_gains_nothing() {
    let mut life = lived(&[Subscribe(monthly(Basic))]);
    for _ in 0..6 {
        for one in [WaitDays(3), Change(monthly(Team)), SpendAll, Change(monthly(Basic)), WaitForRenewal] {
            life.play(one);
        }
        let (had, ever) = (life.had(), life.story.law.ever(life.story.now));
        assert!(had <= ever + life.story.law.roundings(), "{had} of {ever}");
    }
}

#[test]
fn credits_that_return_from_a_hold_pay_for_the_money_that_went_back_first() {
    for back in [Refund, DisputeLost, CreditNote] {
        let life = lived(&[Subscribe(monthly(Creator)), HoldAll, GiveBack(back, true), Release]);
        assert_eq!(balance(&life), (50, 0, 0), "{back:?}");
        let life = lived(&[Subscribe(monthly(Creator)), HoldAll, GiveBack(back, false), Release]);
        // 1,999 ÷ 2 is a cent less than half.
        assert_eq!(balance(&life), (50 + 1_500 - 1_500 * 999 / 1_999, 0, 0), "{back:?}");
    }
}

#[test]
fn credits_that_return_from_a_generation_pay_for_the_money_that_went_back_first() {
    for back in [Refund, DisputeLost, CreditNote] {
        let life = lived(&[Subscribe(monthly(Creator)), SpendAll, GiveBack(back, true), RefundWork]);
        assert_eq!(balance(&life), (50, 0, 0), "{back:?}");
    }
}

#[test]
fn a_hold_over_a_downgrade_returns_no_more_than_the_smaller_plan_gives() {
    let life = lived(&[Subscribe(monthly(Creator)), WaitDays(11), HoldAll, Change(monthly(Basic)), Release]);
    assert_eq!(balance(&life), (life.story.right_credits(), 0, 0));
    assert_eq!(life.story.right_credits(), 1_550 - 1_000 * 20 / 31);
}

/// Nobody is asked for what was spent, and nobody has it again: the refund of the payment, and then of the work.
#[test]
fn what_was_forgiven_does_not_come_back_with_the_work() {
    let text = catalogs::unrolled(catalogs::MUSIC).replace("debt = \"owe\"", "debt = \"forgive\"");
    for back in [Refund, DisputeLost, CreditNote] {
        let mut life = Life::begin(&catalogs::parse(&text), SIGN_UP);
        for one in [Subscribe(monthly(Creator)), SpendAll, GiveBack(back, true), RefundWork] {
            life.play(one);
        }
        assert_eq!(balance(&life), (50, 0, 0), "{back:?}");
    }
}

/// Basic gave 500, and would give 801 by now: the upgrade is to 1,500 all the same.
#[test]
fn an_upgrade_counts_from_what_was_granted_and_not_from_today_s_catalog() {
    let mut life = Life::begin(&catalogs::without_rollover(), SIGN_UP);
    life.play(Subscribe(monthly(Basic)));
    let text = catalogs::unrolled(catalogs::MUSIC).replace("monthly = 500 ", "monthly = 801 ");
    life.books.sell(catalogs::parse(&text));
    life.play(Change(monthly(Creator)));
    // The upgrade is a second after the month's begin.
    assert_eq!(balance(&life), (50 + 1_500 - 1, 0, 0));
}

/// Five subscriptions to the plan that costs nothing give its 100 credits once.
#[test]
fn a_plan_with_a_price_of_nothing_gives_its_credits_once_a_month() {
    let catalog = catalogs::localboxs();
    let price = "price_of_stripe_price_id_free";
    let item = Priced { price, minor: 0, interval: "month", seats: 1 };
    let span = (BEGIN, crate::functions::truth::law::months_after(BEGIN, 1));
    let at = Timestamp::from_seconds(BEGIN).expect("a time");
    let mut books = Books::new(catalog);
    for number in 0..5 {
        let id = format!("sub_{number}");
        let subscription = Subscription {
            account: "ada",
            id: &id,
            status: "active",
            item,
            span,
            trial_end: None,
            cancel_at: None,
            ended_at: None,
            coupon: None,
            metadata: json!({ "account_id": "ada" }),
        };
        let told = event(
            &format!("evt_s{number}"),
            BEGIN,
            "customer.subscription.created",
            subscription.document(),
            None,
        );
        books.deliver(&told, at);
        let line = Line {
            id: format!("il_{number}"),
            item,
            amount: 0,
            span,
            is_proration: false,
            credits: None,
            discount: 0,
        };
        let id_of_invoice = format!("in_{number}");
        let invoice = Invoice {
            account: "ada",
            subscription: &id,
            id: &id_of_invoice,
            reason: "subscription_create",
            lines: &[line],
            paid: 0,
            starting_balance: 0,
            ending_balance: 0,
            paid_at: BEGIN,
        };
        books.deliver(&event(&format!("evt_i{number}"), BEGIN, "invoice.paid", invoice.document(), None), at);
    }
    books.assert_all_counted();
    assert_eq!(books.balance("ada", at).available.get(), 100, "{}", books.standing("ada", at));
}
