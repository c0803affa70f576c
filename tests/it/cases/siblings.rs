//! The relatives of the inputs: every change of plan, seats and interval, coupons, trials, and every way in which money goes
//! back, told as it happened and then all at once: in order, reversed, doubled, twice, and shuffled. What is right is worked
//! out by [`law`](crate::truth::law), which knows nothing of the program.
//!
//! Nothing rolls over here, so that what an account has is what its months give.

use std::sync::Arc;

use chrono::TimeDelta;
use counterfoil::domain::{catalog::Catalog, time::Timestamp};
use serde_json::Value;

use super::catalogs;
use crate::{
    crash::dice::Dice,
    truth::{
        books::{Books, Standing},
        story::{
            Back::{CreditNote, DisputeLost, DisputePrevented, DisputeWon, Refund},
            DAY,
            Plan::{Basic, Creator, Team},
            Story, monthly, yearly,
        },
    },
};

/// How many random orders, everything twice.
const SHUFFLES: u64 = 12;
const ACCOUNT: &str = "ada";

/// What the music platform gives for signing up.
const SIGN_UP: i64 = 50;

/// A move, with what happened before it.
type Step = fn(Story) -> Story;

/// The same, with a trial of Creator that gives 300 credits.
fn music_with_trial() -> Arc<Catalog> {
    let trial = "[plans.creator]\ntrial = { days = 14, credits = 300 }";
    catalogs::parse(&catalogs::unrolled(catalogs::MUSIC).replace("[plans.creator]", trial))
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("a time")
}

fn created(event: &Value) -> Timestamp {
    time(event["created"].as_i64().expect("seconds"))
}

/// Fails unless every telling ends as is right, and all of them the same.
#[track_caller]
fn ends_right(catalog: &Arc<Catalog>, steps: &[Step]) {
    let mut story = Story::of(ACCOUNT, SIGN_UP);
    let (mut books, mut told) = (Books::new(Arc::clone(catalog)), 0);
    for (number, step) in steps.iter().enumerate() {
        story = step(story);
        for event in &story.events[told..] {
            books.deliver(event, created(event));
        }
        told = story.events.len();
        let at = time(story.now);
        books.settle(at);
        assert_right(&format!("as it happened, after move {}", number + 1), &books, &story, at);
    }
    let at = time(story.now).plus(TimeDelta::seconds(1));
    books.settle(at);
    let mut standings = vec![("as it happened".to_owned(), books.standing(ACCOUNT, at))];
    for (name, order) in tellings(story.events.len()) {
        let mut books = Books::new(Arc::clone(catalog));
        order.iter().for_each(|index| books.deliver(&story.events[*index], at));
        books.settle(at);
        assert_right(&name, &books, &story, at);
        standings.push((name, books.standing(ACCOUNT, at)));
    }
    assert_all_the_same(&standings);
}

#[track_caller]
fn assert_right(telling: &str, books: &Books, story: &Story, at: Timestamp) {
    books.assert_all_counted();
    let balance = books.balance(ACCOUNT, at);
    let monthly = books.monthly(ACCOUNT).get("usd").copied().unwrap_or(0);
    let got = (balance.available.get(), balance.debt.get(), books.plan(ACCOUNT, at), monthly);
    let right_monthly = story.right_monthly().unwrap_or(monthly);
    let right = (story.right_credits(), 0, story.right_plan().to_owned(), right_monthly);
    assert_eq!(
        got,
        right,
        "{telling}: credits, debt, plan and MRR (got, then right) at {at}\n{:#?}",
        books.standing(ACCOUNT, at)
    );
}

#[track_caller]
fn assert_all_the_same(standings: &[(String, Standing)]) {
    for (name, standing) in standings {
        assert_eq!(standing, &standings[1].1, "{name}, and {}", standings[1].0);
    }
}

/// The orders, as places in the story.
fn tellings(count: usize) -> Vec<(String, Vec<usize>)> {
    let in_order: Vec<usize> = (0..count).collect();
    let reversed: Vec<usize> = in_order.iter().rev().copied().collect();
    let doubled = in_order.iter().flat_map(|index| [*index; 2]).collect();
    let twice: Vec<usize> = in_order.iter().chain(&in_order).copied().collect();
    let named = |name: &str, order| (name.to_owned(), order);
    let mut all = vec![
        named("in order", in_order),
        named("reversed", reversed),
        named("doubled", doubled),
        named("told twice", twice.clone()),
    ];
    for seed in 1..=SHUFFLES {
        let mut order = twice.clone();
        Dice::loaded(seed).shuffle(&mut order);
        all.push((format!("shuffled {seed}"), order));
    }
    all
}

/// A test for each, of the moves in it.
macro_rules! siblings {
    ($($name:ident: [$($step:expr),+ $(,)?])+) => {
        $(#[test]
        fn $name() {
            ends_right(&catalogs::without_rollover(), &[$($step),+]);
        })+
    };
}

/// The same, where Creator has a trial with credits.
macro_rules! trials {
    ($($name:ident: [$($step:expr),+ $(,)?])+) => {
        $(#[test]
        fn $name() {
            ends_right(&music_with_trial(), &[$($step),+]);
        })+
    };
}

// Not a whole number of days, so that shares have to be rounded.
const LATER: i64 = 9 * DAY + 12_345;

siblings! {
    up: [|it| it.subscribe(monthly(Basic)), |it| it.after(LATER).change(monthly(Creator)), Story::renew]
    up_twice: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        |it| it.after(LATER).change(monthly(Team)),
        Story::renew,
    ]
    down_at_once: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).change(monthly(Basic)), Story::renew]
    down_twice: [
        |it| it.subscribe(monthly(Team)),
        |it| it.after(LATER).change(monthly(Creator)),
        |it| it.after(LATER).change(monthly(Basic)),
        Story::renew,
    ]
    up_and_down_again: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Team)),
        |it| it.after(LATER).change(monthly(Basic)),
        Story::renew,
    ]
    down_and_up_again: [
        |it| it.subscribe(monthly(Team)),
        |it| it.after(LATER).change(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Team)),
        Story::renew,
    ]
    up_in_the_second_month: [
        |it| it.subscribe(monthly(Basic)),
        Story::renew,
        |it| it.after(LATER).change(monthly(Creator)),
        Story::renew,
    ]
    down_in_the_second_month: [
        |it| it.subscribe(monthly(Creator)),
        Story::renew,
        |it| it.after(LATER).change(monthly(Basic)),
        Story::renew,
    ]
    seats_up: [
        |it| it.subscribe(monthly(Basic).seats(3)),
        |it| it.after(LATER).change(monthly(Basic).seats(7)),
        Story::renew,
    ]
    seats_down: [
        |it| it.subscribe(monthly(Basic).seats(7)),
        |it| it.after(LATER).change(monthly(Basic).seats(3)),
        Story::renew,
    ]
    a_larger_plan_with_fewer_seats: [
        |it| it.subscribe(monthly(Basic).seats(8)),
        |it| it.after(LATER).change(monthly(Creator).seats(2)),
        Story::renew,
    ]
    a_smaller_plan_with_more_seats: [
        |it| it.subscribe(monthly(Creator).seats(2)),
        |it| it.after(LATER).change(monthly(Basic).seats(9)),
        Story::renew,
    ]
    a_month_becomes_a_year: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(yearly(Basic)),
        |it| it.after(35 * DAY),
        |it| it.after(200 * DAY),
    ]
    a_month_becomes_a_year_as_it_begins: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(0).change(yearly(Basic)),
        |it| it.after(35 * DAY),
    ]
    a_month_becomes_a_year_of_a_larger_plan: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(yearly(Creator)),
        |it| it.after(35 * DAY),
    ]
    a_year_becomes_a_month: [
        |it| it.subscribe(yearly(Creator)),
        |it| it.after(70 * DAY + 12_345),
        |it| it.change(monthly(Creator)),
        Story::renew,
    ]
    a_year_becomes_a_month_of_a_smaller_plan: [
        |it| it.subscribe(yearly(Team)),
        |it| it.after(70 * DAY + 12_345).change(monthly(Basic)),
        Story::renew,
    ]
    a_year_goes_up: [
        |it| it.subscribe(yearly(Basic)),
        |it| it.after(70 * DAY + 12_345).change(yearly(Creator)),
        |it| it.after(31 * DAY),
        |it| it.after(100 * DAY),
    ]
    a_year_goes_down: [
        |it| it.subscribe(yearly(Team)),
        |it| it.after(70 * DAY + 12_345).change(yearly(Basic)),
        |it| it.after(31 * DAY),
        |it| it.after(100 * DAY),
    ]
    seats_of_a_year_go_down: [
        |it| it.subscribe(yearly(Basic).seats(5)),
        |it| it.after(70 * DAY + 12_345).change(yearly(Basic).seats(2)),
        |it| it.after(31 * DAY),
    ]
    a_year_goes_down_and_nobody_bills_it: [
        |it| it.subscribe(yearly(Team)),
        |it| it.after(70 * DAY + 12_345).change_unbilled(yearly(Basic)),
        |it| it.after(31 * DAY),
    ]
    down_and_nobody_bills_it: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).change_unbilled(monthly(Basic)),
        Story::renew,
    ]
    seats_down_and_nobody_bills_it: [
        |it| it.subscribe(monthly(Basic).seats(5)),
        |it| it.after(LATER).change_unbilled(monthly(Basic).seats(2)),
        Story::renew,
    ]
    down_unbilled_and_back: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).change_unbilled(monthly(Basic)),
        |it| it.after(LATER).change_back(),
        Story::renew,
    ]
    up_and_the_renewal_bills_it: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change_billed_later(monthly(Creator)),
        Story::renew,
        |it| it.after(LATER),
        Story::renew,
    ]
    seats_up_and_the_renewal_bills_them: [
        |it| it.subscribe(monthly(Basic).seats(2)),
        |it| it.after(LATER).change_billed_later(monthly(Basic).seats(5)),
        Story::renew,
        Story::renew,
    ]
}

siblings! {
    a_year_goes_up_and_the_renewal_bills_it: [
        |it| it.subscribe(yearly(Basic)),
        |it| it.after(70 * DAY + 12_345).change_billed_later(yearly(Creator)),
        Story::renew,
        |it| it.after(LATER),
    ]
    // The grace is over by then, and only what is free is there; what is paid late lives for a month from the payment on.
    a_month_that_is_paid_when_it_is_over: [
        |it| it.subscribe(monthly(Creator)),
        Story::renew_unpaid,
        |it| it.renew_unpaid().after(3 * DAY),
        |it| it.pay_what_is_owed().after(DAY).pay_what_is_owed(),
    ]
    a_month_that_is_paid_when_the_grace_is_over: [
        |it| it.subscribe(monthly(Creator)),
        Story::renew_unpaid,
        |it| it.after(3 * DAY).pay_what_is_owed(),
        Story::renew,
    ]
    a_change_that_is_billed_after_the_end: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change_billed_later(monthly(Creator)),
        |it| it.after(DAY).cancel_now(false),
        Story::bill_what_waits,
        |it| it.after(20 * DAY),
    ]
}

siblings! {
    a_coupon_once_pays_the_first_month: [|it| it.coupon(100, "once").subscribe(monthly(Basic)), Story::renew]
    up_under_a_coupon_that_paid_it_all: [
        |it| it.coupon(100, "once").subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        Story::renew,
    ]
    up_under_half_off_for_ever: [
        |it| it.coupon(50, "forever").subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        Story::renew,
    ]
    down_under_a_coupon_that_pays_all_for_ever: [
        |it| it.coupon(100, "forever").subscribe(monthly(Creator)),
        |it| it.after(LATER).change(monthly(Basic)),
        Story::renew,
    ]
    down_under_half_off_once: [
        |it| it.coupon(50, "once").subscribe(monthly(Creator)),
        |it| it.after(LATER).change(monthly(Basic)),
        Story::renew,
    ]
    a_month_becomes_a_year_under_a_coupon_that_paid_it_all: [
        |it| it.coupon(100, "once").subscribe(monthly(Basic)),
        |it| it.after(LATER).change(yearly(Basic)),
        |it| it.after(35 * DAY),
    ]
}

trials! {
    a_trial_gives_its_credits_while_it_lasts: [|it| it.trial(monthly(Creator), 14, 300), |it| it.after(5 * DAY)]
    a_trial_that_converts_ends_its_credits: [|it| it.trial(monthly(Creator), 14, 300), Story::convert, Story::renew]
    a_longer_trial: [
        |it| it.trial(monthly(Creator), 14, 300),
        |it| it.after(5 * DAY).extend_trial(10),
        |it| it.after(15 * DAY),
        Story::convert,
    ]
    up_inside_of_a_trial: [
        |it| it.trial(monthly(Creator), 14, 300),
        |it| it.after(5 * DAY).change_in_trial(monthly(Team)),
        Story::convert,
    ]
    seats_up_inside_of_a_trial: [
        |it| it.trial(monthly(Creator), 14, 300),
        |it| it.after(5 * DAY).change_in_trial(monthly(Creator).seats(4)),
        Story::convert,
        Story::renew,
    ]
    up_ends_a_trial: [
        |it| it.trial(monthly(Creator), 14, 300),
        |it| it.after(5 * DAY).convert_by_change(monthly(Team)),
        Story::renew,
    ]
    a_trial_that_is_cancelled_now: [|it| it.trial(monthly(Creator), 14, 300), |it| {
        let mut it = it.after(5 * DAY);
        it.law.end_trial(it.now);
        it.cancel_now(false)
    }]
}

siblings! {
    cancelled_at_the_end: [
        |it| it.subscribe(monthly(Creator)),
        |it| it.after(LATER).cancel_at_end(),
        |it| it.after(3 * DAY),
        Story::end,
    ]
    cancelled_now_without_money_back: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).cancel_now(false)]
    cancelled_now_with_money_back: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).cancel_now(true)]
    cancelled_now_with_money_back_after_an_upgrade: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        |it| it.after(LATER).cancel_now(true),
    ]
    a_year_cancelled_now_with_money_back: [
        |it| it.subscribe(yearly(Creator)),
        |it| it.after(70 * DAY + 12_345).cancel_now(true),
        |it| it.after(40 * DAY),
    ]
    paused_with_money_back: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).pause_with_credit()]
}

siblings! {
    refunded_whole: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(Refund, (1, 1))]
    refunded_in_part: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(Refund, (1, 3)), Story::renew]
    credited_whole: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(CreditNote, (1, 1))]
    credited_in_part: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(CreditNote, (1, 3))]
    a_dispute_lost: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(DisputeLost, (1, 1))]
    a_dispute_lost_in_part: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(DisputeLost, (1, 3))]
    a_dispute_prevented: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(DisputePrevented, (1, 1))]
    a_dispute_won: [|it| it.subscribe(monthly(Creator)), |it| it.after(LATER).give_back(DisputeWon, (1, 1)), Story::renew]
    an_upgrade_refunded_in_part: [
        |it| it.subscribe(monthly(Basic)),
        |it| it.after(LATER).change(monthly(Creator)),
        |it| it.after(DAY).give_back(Refund, (1, 2)),
    ]
    a_renewal_refunded_whole: [
        |it| it.subscribe(monthly(Creator)),
        Story::renew,
        |it| it.after(LATER).give_back(Refund, (1, 1)),
    ]
    a_year_refunded_whole: [
        |it| it.subscribe(yearly(Creator)),
        |it| it.after(70 * DAY).give_back(Refund, (1, 1)),
        |it| it.after(31 * DAY),
    ]
    a_year_refunded_in_part: [
        |it| it.subscribe(yearly(Creator)),
        |it| it.after(70 * DAY).give_back(Refund, (1, 2)),
        |it| it.after(31 * DAY),
    ]
    a_year_credited_in_part: [
        |it| it.subscribe(yearly(Creator)),
        |it| it.after(70 * DAY).give_back(CreditNote, (1, 2)),
        |it| it.after(31 * DAY),
    ]
}
