//! The relatives of the inputs: every change of plan, seats and interval, coupons, trials, and every way in which money
//! goes back, told as it happened and then all at once: in order, reversed, doubled, twice, and shuffled. What is right
//! is worked out by [`law`](crate::functions::truth::law), which knows nothing of the program.
//!
//! Nothing rolls over here, so that what an account has is what its months give.

use std::sync::Arc;

use chrono::TimeDelta;
use counterfoil::domain::{catalog::Catalog, time::Timestamp};
use serde_json::Value;

use crate::{
    functions::truth::{
        books::{Books, Standing},
        story::{DAY, Story},
    },
    support::{catalogs, dice::tellings},
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
    for (name, order) in tellings(story.events.len(), SHUFFLES) {
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
    let monthly = books.monthly(ACCOUNT, at).get("usd").copied().unwrap_or(0);
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

mod changes;
mod coupons;
mod given_back;
mod trials;
