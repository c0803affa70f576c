//! Does anybody get credits for nothing, or lose what was paid for? Somebody who knows the rules tries to gain by all
//! that a customer can do: changes, money back, spending, holds, and time.

use std::sync::Arc;

use chrono::TimeDelta;
use counterfoil::domain::{catalog::Catalog, time::Timestamp};
use serde_json::Value;

use super::{
    books::Books,
    house::{ACCOUNT, BEGIN, Lived, live_within_the_law},
    life::{Life, MOVES, Move},
    paid::paid_for,
};
use crate::support::{
    catalogs,
    dice::{Dice, setting},
};

/// How many sequences are tried, after all the short ones; `ADVERSARY` asks for another number, such as 10,000.
const SEQUENCES: u64 = 600;
const MOVES_MAX: usize = 8;
const SIGN_UP: i64 = 50;
/// How many stories of each business are lived in the sandbox; `STORIES` asks for another number, `STORY` for one of
/// them.
const STORIES: u64 = 12;

fn sequences() -> u64 {
    setting("ADVERSARY").unwrap_or(SEQUENCES)
}

/// What is wrong after these moves, if anything.
fn gained(life: &Life) -> Option<String> {
    let (had, ever) = (life.had(), life.story.law.ever(life.story.now));
    let most = ever + life.story.law.taken_unbilled() + life.story.law.roundings();
    (had > most).then(|| format!("{had} credits for {ever} that were free or paid for"))
}

/// Where nothing rolls over, all that was paid for was there: it was spent, it is there, or its time is over.
fn gained_or_lost(life: &Life) -> Option<String> {
    let (had, ever) = (life.had() + life.expired(), life.story.law.ever(life.story.now));
    let lost = had < ever - life.story.law.roundings();
    gained(life).or_else(|| lost.then(|| format!("{had} credits of {ever} that were free or paid for")))
}

type Wrong = fn(&Life) -> Option<String>;

/// Plays until something is wrong.
fn play(catalog: &Arc<Catalog>, moves: &[Move], wrong: Wrong) -> Option<String> {
    let mut life = Life::begin(catalog, SIGN_UP);
    moves.iter().find_map(|chosen| {
        life.play(*chosen);
        wrong(&life)
    })
}

/// Leaves out each move without which it is still wrong.
fn shortest(catalog: &Arc<Catalog>, mut moves: Vec<Move>, wrong: Wrong) -> String {
    let mut index = 0;
    while index < moves.len() {
        let mut fewer = moves.clone();
        fewer.remove(index);
        if play(catalog, &fewer, wrong).is_some() { moves = fewer } else { index += 1 }
    }
    format!("{moves:?}: {}", play(catalog, &moves, wrong).unwrap_or_default())
}

/// Every sequence of up to two moves after a subscription, and random ones.
fn search(catalog: &Arc<Catalog>, seed: u64, wrong: Wrong) {
    let mut dice = Dice::loaded(seed);
    let mut found = Vec::new();
    let mut attempt = |moves: Vec<Move>| {
        if found.len() < 5 && play(catalog, &moves, wrong).is_some() {
            let line = shortest(catalog, moves, wrong);
            if !found.contains(&line) {
                found.push(line);
            }
        }
    };
    let subscribed = MOVES.into_iter().filter(|one| matches!(one, Move::Subscribe(_)));
    for first in subscribed {
        for second in MOVES {
            MOVES.into_iter().for_each(|third| attempt(vec![first, second, third]));
        }
    }
    for _ in 0..sequences() {
        let count = 3 + dice.below(MOVES_MAX - 2);
        attempt((0..count).map(|_| MOVES[dice.below(MOVES.len())]).collect());
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn nobody_gains_or_loses_by_any_moves() {
    search(&catalogs::without_rollover(), 1, gained_or_lost);
}

#[test]
fn nobody_gains_by_any_moves_where_credits_roll_over() {
    search(&catalogs::music(), 2, gained);
}

/// The plan is that of the period that is paid for, also by somebody who asks for money back, cancels and comes again.
#[test]
fn nobody_has_a_plan_that_was_not_paid_for_or_lacks_one_that_was() {
    let wrong: Wrong = |life| {
        let (plan, right) = (life.books.plan("eve", life.at()), life.story.right_plan());
        (life.story.is_the_first() && plan != right).then(|| format!("on {plan} instead of {right}"))
    };
    search(&catalogs::without_rollover(), 4, wrong);
}

/// Whoever owes credits pays with what is given, and given again, before anything of it can be spent. What came with
/// the account is left alone.
#[test]
fn nobody_can_spend_what_was_paid_for_beside_a_debt() {
    let wrong: Wrong = |life| {
        let balance = life.books.balance("eve", life.at());
        let beside = balance.available.min(balance.debt).get();
        (beside > SIGN_UP + life.story.law.roundings()).then(|| format!("{balance:?}"))
    };
    for (seed, catalog) in [(6, catalogs::without_rollover()), (7, catalogs::music())] {
        search(&catalog, seed, wrong);
    }
}

/// Spending goes on while webhooks are late, doubled and in any order; in the end nobody has gained by that.
#[test]
fn nobody_gains_while_webhooks_are_late() {
    for catalog in [catalogs::without_rollover(), catalogs::music()] {
        let mut dice = Dice::loaded(5);
        for number in 0..sequences() {
            let count = 3 + dice.below(MOVES_MAX - 2);
            let moves: Vec<Move> = (0..count).map(|_| MOVES[dice.below(MOVES.len())]).collect();
            let mut life = Life::begin(&catalog, SIGN_UP).late(number);
            moves.iter().for_each(|chosen| life.play(*chosen));
            life.hear_the_rest();
            assert_eq!(gained(&life), None, "{number}: {moves:?}");
        }
    }
}

/// Moves that stay inside of the month.
fn without_months() -> Vec<Move> {
    let months = |one: &Move| matches!(one, Move::WaitDays(11) | Move::WaitForRenewal);
    MOVES.into_iter().filter(|one| !months(one)).collect()
}

/// What was forgiven is not there: nobody has more than what the month gives, whatever comes back later.
#[test]
fn what_is_forgiven_gives_nothing_for_ever() {
    let text = catalogs::unrolled(catalogs::MUSIC).replace("debt = \"owe\"", "debt = \"forgive\"");
    let (catalog, moves) = (catalogs::parse(&text), without_months());
    let wrong: Wrong = |life| {
        let balance = life.books.balance("eve", life.at());
        // What is held may yet be spent, and is taken when it returns.
        let (has, right) = (balance.available.get(), life.story.right_credits());
        let most = right + life.story.law.roundings();
        (has > most || balance.debt.get() > 0)
            .then(|| format!("{has} credits there, where {right} are paid for"))
    };
    let mut dice = Dice::loaded(3);
    let mut found = Vec::new();
    for _ in 0..3 * sequences() {
        let mut chosen = vec![Move::Subscribe(super::story::monthly(super::story::Plan::Team))];
        chosen.extend((0..MOVES_MAX - 1).map(|_| moves[dice.below(moves.len())]));
        if found.len() < 5 && play(&catalog, &chosen, wrong).is_some() {
            found.push(shortest(&catalog, chosen, wrong));
        }
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

// ---------------------------------------------------------------------------------------------- stories of the sandbox

fn seeds() -> Vec<u64> {
    match setting("STORY") {
        Some(seed) => vec![seed],
        None => (1_001..=1_000 + setting("STORIES").unwrap_or(STORIES)).collect(),
    }
}

/// A story as it was told, until every period was over that was paid for.
struct Heard {
    books: Books,
    spent: i64,
    at: Timestamp,
}

/// Tells a story as it happened; now and then, if there are dice, everything is spent.
fn hear(catalog: &Arc<Catalog>, events: &[Value], ended: Timestamp, mut dice: Option<Dice>) -> Heard {
    const TEN_DAYS: TimeDelta = TimeDelta::days(10);
    let mut heard = Heard { books: Books::new(Arc::clone(catalog)), spent: 0, at: ended };
    heard.books.open(ACCOUNT, Timestamp::parse(BEGIN).expect("a time"));
    let mut events: Vec<&Value> = events.iter().collect();
    events.sort_by_key(|event| event["created"].as_i64());
    for event in events {
        let created = event["created"].as_i64().and_then(Timestamp::from_seconds).expect("a time");
        heard.books.deliver(event, created);
        if dice.as_mut().is_some_and(|dice| dice.below(6) == 0) {
            heard.spent += heard.books.spend_all(ACCOUNT, created);
        }
    }
    for _ in 0..40 {
        heard.at = heard.at.plus(TEN_DAYS);
        heard.books.settle(heard.at);
        if dice.is_some() {
            heard.spent += heard.books.spend_all(ACCOUNT, heard.at);
        }
    }
    heard
}

/// A downgrade that nobody bills, or not yet, takes credits whose money stays at Stripe: that is the law, and no loss.
fn takes_unbilled(lived: &Lived) -> bool {
    lived.moves.iter().any(|line| line.ends_with("none") || line.ends_with("create_prorations"))
}

/// Of prorations that a coupon makes free nobody can say by their amounts what they are for: the business gave that.
fn gives_for_nothing(lived: &Lived) -> bool {
    lived.moves.iter().any(|line| line.contains("100 percent off"))
}

/// All that was given for money is all that was paid for and not given back: no more, and no less. And whoever spends
/// all the time has not had more than that.
fn wrong(catalog: &Arc<Catalog>, lived: &Lived, seed: u64) -> Option<String> {
    if gives_for_nothing(lived) {
        return None;
    }
    let events = &lived.told[1];
    let paid = paid_for(catalog, events);
    let Heard { books, at, .. } = hear(catalog, events, lived.ended, None);
    let given = books.given_for_money(ACCOUNT, at);
    let more = given > paid.credits + paid.roundings;
    let less = given < paid.credits - paid.roundings && !takes_unbilled(lived);
    if more || less {
        return Some(format!("{given} credits were given, and {paid:?}"));
    }
    let Heard { books, spent, at } = hear(catalog, events, lived.ended, Some(Dice::loaded(seed)));
    let balance = books.balance(ACCOUNT, at);
    let had = spent + balance.available.get() + balance.held.get() - balance.debt.get();
    let right = books.given_otherwise(ACCOUNT) + paid.credits;
    (had > right + paid.roundings).then(|| format!("{had} credits were spent or are there, for {right}"))
}

async fn gives_what_was_paid_for(catalog: Arc<Catalog>) {
    let mut found = Vec::new();
    for seed in seeds() {
        let lived = live_within_the_law(&catalog, seed).await;
        let line = wrong(&catalog, &lived, seed);
        found.extend(line.map(|line| (lived.moves.len(), seed, lived.moves.join("\n"), line)));
    }
    found.sort();
    if let Some((_, seed, moves, line)) = found.first() {
        panic!("{} of {} stories; the shortest is STORY={seed}\n{moves}\n{line}", found.len(), seeds().len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_music_platform_gives_what_was_paid_for() {
    gives_what_was_paid_for(catalogs::music()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promptforge_gives_what_was_paid_for() {
    gives_what_was_paid_for(catalogs::promptforge()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_gives_what_was_paid_for() {
    gives_what_was_paid_for(catalogs::guide()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn localboxs_gives_what_was_paid_for() {
    gives_what_was_paid_for(catalogs::localboxs()).await;
}
