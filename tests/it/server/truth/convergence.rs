//! Does the end depend on the order in which facts arrive, or on how often? Stories are lived in the sandbox by chance,
//! and what Stripe tells of them is delivered late, twice and in any order.
//!
//! `STORIES` asks for another number of them, from the one on that `FIRST` names, `ORDERS` for another number of orders
//! a story, and `STORY` for one of them by its number.

use std::sync::Arc;

use counterfoil::domain::{
    catalog::{Allocation, Catalog},
    credits::Balance,
    time::Timestamp,
};
use serde_json::Value;

use crate::{
    functions::truth::{
        books::{Books, Standing, Told, read},
        house::{ACCOUNT, BEGIN, Lived, SHAPES, live},
    },
    server::cases::told::Case,
    support::{
        catalogs,
        dice::{Dice, setting},
    },
};

const STORIES: u64 = 50;
const ORDERS: u64 = 8;
/// How many stories are told to the real program.
const PROGRAMS: u64 = 2;
/// How late an event may be that is not late: Stripe tries for three days.
const LATE_S_MAX: i64 = 3 * 86_400;
/// By how much it comes before the period's end.
const EARLY_S: i64 = 7_200;

fn seeds() -> Vec<u64> {
    match setting("STORY") {
        Some(seed) => vec![seed],
        None => {
            let first = setting("FIRST").unwrap_or(1);
            (first..first + setting("STORIES").unwrap_or(STORIES)).collect()
        }
    }
}

/// The last ones of them, since the same moves are told of other businesses.
fn part(of: usize) -> Vec<u64> {
    let seeds = seeds();
    let count = seeds.len().div_ceil(of);
    seeds.into_iter().rev().take(count).collect()
}

fn orders() -> u64 {
    setting("ORDERS").unwrap_or(ORDERS)
}

/// An event, read once for all orders that it is told in.
struct Letter<'a> {
    event: &'a Value,
    created: i64,
    told: Told,
}

fn letters<'a>(events: &'a [Value], catalog: &Catalog) -> Vec<Letter<'a>> {
    let letter = |event: &'a Value| Letter {
        event,
        created: event["created"].as_i64().expect("seconds"),
        told: read(event, catalog),
    };
    events.iter().map(letter).collect()
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("a time")
}

/// Each event is delivered at its time, to an account that was there before.
fn told(catalog: &Arc<Catalog>, deliveries: &[(i64, &Letter<'_>)], ended: Timestamp) -> Books {
    let mut books = Books::new(Arc::clone(catalog));
    books.open(ACCOUNT, Timestamp::parse(BEGIN).expect("a time"));
    for (at, letter) in deliveries {
        books.hear(&letter.told, time(*at));
    }
    books.settle(ended);
    books
}

fn as_it_happened<'a>(letters: &'a [Letter<'a>]) -> Vec<(i64, &'a Letter<'a>)> {
    let mut deliveries: Vec<_> = letters.iter().map(|letter| (letter.created, letter)).collect();
    deliveries.sort_by_key(|(at, _)| *at);
    deliveries
}

/// When periods end that the events tell of.
fn boundaries(letters: &[Letter<'_>]) -> Vec<i64> {
    let items =
        |event: &Value| event["data"]["object"]["items"]["data"].as_array().cloned().unwrap_or_default();
    let mut ends: Vec<i64> = letters
        .iter()
        .map(|letter| letter.event)
        .flat_map(|event| {
            let whole = event["data"]["object"]["current_period_end"].as_i64();
            items(event).into_iter().filter_map(|item| item["current_period_end"].as_i64()).chain(whole)
        })
        .collect();
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// Each twice, and each late by chance, but inside of the period in which it was made.
fn delayed<'a>(
    letters: &'a [Letter<'a>],
    ends: &[i64],
    ended: Timestamp,
    dice: &mut Dice,
) -> Vec<(i64, &'a Letter<'a>)> {
    let mut deliveries = Vec::new();
    for letter in letters.iter().chain(letters) {
        let at = letter.created;
        let end = ends.iter().find(|end| **end > at).copied().unwrap_or(i64::MAX);
        // All of it is told before anybody looks.
        let room = (end - EARLY_S - at).min(ended.seconds() - at).clamp(0, LATE_S_MAX);
        deliveries.push((at + dice.below(room as usize + 1) as i64, dice.below(1 << 20), letter));
    }
    deliveries.sort_by_key(|(at, lot, _)| (*at, *lot));
    deliveries.into_iter().map(|(at, _, letter)| (at, letter)).collect()
}

/// Everything twice, in any order, when all is over.
fn afterwards<'a>(
    letters: &'a [Letter<'a>],
    ended: Timestamp,
    dice: &mut Dice,
) -> Vec<(i64, &'a Letter<'a>)> {
    let mut deliveries: Vec<_> =
        letters.iter().chain(letters).map(|letter| (ended.seconds(), letter)).collect();
    dice.shuffle(&mut deliveries);
    deliveries
}

/// What has to be equal when facts come inside of their period.
///
/// Where the free plan gives by the month, it gives whenever nobody knows of a subscription, be it for a second, and
/// what it gave then stays ([0022](../../../docs/decisions/0022-one-function-from-facts-to-credits.md)): there all is
/// compared but that.
fn all(catalog: &Catalog, standing: &Standing) -> Standing {
    let free = catalog.terms_of(&catalog.free_plan);
    let gives_months = free.is_some_and(|plan| matches!(plan.allocation, Allocation::Monthly(_)));
    let balance = if gives_months { Balance::default() } else { standing.balance };
    Standing { balance, ..standing.clone() }
}

/// What has to be equal when they come later.
fn totals(catalog: &Catalog, standing: &Standing) -> Standing {
    Standing { grants: std::collections::BTreeMap::new(), ..all(catalog, standing) }
}

/// One event that makes a difference by itself, when it is told first or last of all, long after.
fn culprit(catalog: &Arc<Catalog>, letters: &[Letter<'_>], right: &Standing, ended: Timestamp) -> String {
    let in_order: Vec<_> =
        as_it_happened(letters).into_iter().map(|(_, letter)| (ended.seconds(), letter)).collect();
    let end = |deliveries: &[(i64, &Letter<'_>)]| {
        totals(catalog, &told(catalog, deliveries, ended).standing(ACCOUNT, ended))
    };
    let right = totals(catalog, right);
    if end(&in_order) != right {
        return format!("it is enough to tell all of it afterwards:\n{}", end(&in_order));
    }
    for index in 0..in_order.len() {
        for place in ["first", "last"] {
            let mut moved = in_order.clone();
            let (at, letter) = moved.remove(index);
            moved.insert(if place == "first" { 0 } else { moved.len() }, (at, letter));
            let got = end(&moved);
            if got != right {
                let (kind, id, made) = (&letter.event["type"], &letter.event["id"], time(letter.created));
                return format!("it is enough to tell {kind} {id} of {made} {place}:\n{got}");
            }
        }
    }
    "no single event makes the difference".to_owned()
}

/// What ends otherwise than it did as it happened, if anything.
fn differs(catalog: &Arc<Catalog>, lived: &Lived, seed: u64) -> Option<String> {
    let mut dice = Dice::loaded(seed);
    let basil = told(catalog, &as_it_happened(&letters(&lived.told[1], catalog)), lived.ended);
    basil.assert_all_counted();
    let right = basil.standing(ACCOUNT, lived.ended);
    for (shape, events) in SHAPES.into_iter().zip(&lived.told) {
        let letters = letters(events, catalog);
        let ends = boundaries(&letters);
        let compare =
            |name: &str, deliveries: &[(i64, &Letter<'_>)], look: fn(&Catalog, &Standing) -> Standing| {
                let books = told(catalog, deliveries, lived.ended);
                let standing = books.standing(ACCOUNT, lived.ended);
                let (got, right) = (look(catalog, &standing), look(catalog, &right));
                if let Some(wrong) = books.wrongly_restated(ACCOUNT) {
                    return Some(format!("{shape} {name}: {wrong}"));
                }
                (got != right).then(|| {
                    let culprit = culprit(catalog, &letters, &right, lived.ended);
                    format!("{shape} {name}:\n{got}as it happened:\n{right}{culprit}")
                })
            };
        let wrong = compare("as it happened", &as_it_happened(&letters), all);
        let wrong = wrong.or_else(|| {
            (0..orders()).find_map(|order| {
                let inside = compare(
                    &format!("order {order}"),
                    &delayed(&letters, &ends, lived.ended, &mut dice),
                    all,
                );
                inside.or_else(|| {
                    let deliveries = afterwards(&letters, lived.ended, &mut dice);
                    compare(&format!("order {order}, all of it afterwards"), &deliveries, totals)
                })
            })
        });
        if wrong.is_some() {
            return wrong;
        }
    }
    None
}

async fn converge(catalog: Arc<Catalog>, seeds: Vec<u64>) {
    let mut wrong = Vec::new();
    for seed in &seeds {
        let lived = live(&catalog, *seed).await;
        let found = differs(&catalog, &lived, *seed);
        wrong.extend(found.map(|found| (lived.moves.len(), *seed, lived.moves.join("\n"), found)));
    }
    wrong.sort();
    if let Some((_, seed, moves, found)) = wrong.first() {
        let all: Vec<u64> = wrong.iter().map(|(_, seed, _, _)| *seed).collect();
        panic!("{all:?} of {} stories; the shortest is STORY={seed}\n{moves}\n{found}", seeds.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_ends_the_same_on_the_music_platform() {
    converge(catalogs::music(), seeds()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_ends_the_same_where_nothing_rolls_over() {
    converge(catalogs::without_rollover(), part(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_ends_the_same_for_the_other_businesses() {
    let few = part(5);
    for catalog in [catalogs::promptforge(), catalogs::guide(), catalogs::localboxs()] {
        converge(catalog, few.clone()).await;
    }
}

/// As in memory, so in the program: its inbox, its journal and its read models.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_ends_the_same_in_the_real_program() {
    for seed in seeds().into_iter().take(PROGRAMS as usize) {
        for shape in [0, 2] {
            let lived = live(&catalogs::music(), seed).await;
            let case = Case::of(lived.told[shape].clone()).looking_at(&lived.ended.to_utc().to_rfc3339());
            let told = case.told().await;
            told.all_equal().program.assert_clean().await;
        }
    }
}
