//! Does anybody get credits for nothing, or lose what was paid for? Somebody who knows the rules tries to gain by all that a
//! customer can do: changes, money back, spending, holds, and time.

use std::sync::Arc;

use counterfoil::domain::catalog::Catalog;

use super::life::{Life, MOVES, Move};
use crate::{
    cases::catalogs,
    crash::dice::{Dice, setting},
};

/// How many sequences are tried, after all the short ones; `ADVERSARY` asks for another number, such as 10,000.
const SEQUENCES: u64 = 600;
const MOVES_MAX: usize = 8;
const SIGN_UP: i64 = 50;

fn sequences() -> u64 {
    setting("ADVERSARY").unwrap_or(SEQUENCES)
}

/// What is wrong after these moves, if anything.
fn gained(life: &Life) -> Option<String> {
    let (had, ever) = (life.had(), life.story.law.ever(life.story.now));
    let most = ever + life.story.law.roundings();
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
