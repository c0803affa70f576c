//! Does the sequencer keep its promises, whatever comes in which order?
//!
//! Some instances share a journal of some shards in memory.
//! Commands arrive, loads and appends land, fail, or end unknown, in an order
//! that a seed decides; an instance dies and another takes its place. At the end every answer is compared with the
//! journal ([`promises`]).
//!
//! `SEEDS=100000 cargo test --lib simulation` runs so many seeds; `SEED=17 cargo test --lib simulation` runs that one,
//! and prints each step.

mod commands;
mod journal;
mod promises;
mod world;
mod writer;

use std::{
    collections::BTreeSet,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use crate::{
    catalog::{self, Mode},
    domain::catalog::Catalog,
};

use world::World;

/// How many seeds are run where nothing else is said.
const SEEDS: u64 = 1_000;

/// Mistakes that would break a promise. The simulation has to find each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PlantedBug {
    /// What was decided on a batch that was lost is stored all the same.
    EpochNotDropped,
    /// A refusal is told without a look at what it was decided on.
    PreconditionsNotChecked,
    /// In a recovery, keys are looked up before the lock is held.
    KeysLookedUpTooEarly,
    /// In a recovery, keys are looked up after it was decided, and only for what would be stored.
    KeysLookedUpLate,
    /// An instance looks for accounts in another shard than the others.
    AnotherShard,
}

fn music() -> Arc<Catalog> {
    let text = include_str!("../../../../catalogs/music.toml");
    Arc::new(catalog::parse(text, &|_| None, Mode::Test).expect("the catalog is right"))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// What is wrong with the run of a seed. `None`: nothing.
fn wrong(catalog: &Arc<Catalog>, seed: u64, planted: Option<PlantedBug>, is_told: bool) -> Option<String> {
    let mut world = World::new(Arc::clone(catalog), seed, planted, is_told);
    // What no journal would take is found by the simulated one, or by the account that cannot follow.
    let run = catch_unwind(AssertUnwindSafe(|| {
        world.run();
        promises::broken(&world)
    }));
    run.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Some(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned())
    })
}

/// The first seed of these that goes wrong, and how.
fn first_wrong(seeds: u64, planted: Option<PlantedBug>) -> Option<(u64, String)> {
    let catalog = music();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let search = |thread: usize| {
        let mut mine = (0..seeds).skip(thread).step_by(threads);
        mine.find_map(|seed| wrong(&catalog, seed, planted, false).map(|text| (seed, text)))
    };
    let search = &search;
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || search(thread))).collect();
        running.into_iter().filter_map(|running| running.join().expect("it catches panics")).min()
    })
}

#[test]
fn every_promise_is_kept_in_any_order() {
    if let Some(seed) = number("SEED") {
        let found = wrong(&music(), seed, None, true);
        assert_eq!(found, None, "seed {seed}");
        return;
    }
    let seeds = number("SEEDS").unwrap_or(SEEDS);
    let found = first_wrong(seeds, None);
    assert_eq!(
        found,
        None,
        "run it again, step by step, with SEED={}",
        found.as_ref().map_or(0, |(seed, _)| *seed)
    );
}

/// So that these are among what is promised.
#[test]
fn holds_are_spent_in_parts_in_the_simulation() {
    let catalog = music();
    let mut stored = BTreeSet::new();
    for seed in 0..50 {
        let mut world = World::new(Arc::clone(&catalog), seed, None, false);
        world.run();
        stored.extend(
            world
                .journals
                .iter()
                .flat_map(|journal| &journal.events)
                .map(|stored| stored.recorded.event.name()),
        );
    }
    for name in ["HoldSpent", "HoldToppedUp", "HoldReduced", "HoldCommitted", "HoldExpired"] {
        assert!(stored.contains(name), "{name} is not in {stored:?}");
    }
}

#[test]
fn a_planted_bug_of_each_kind_is_found() {
    // Each is found by a failed assertion, which needs no lines in the log.
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let bugs = [
        PlantedBug::EpochNotDropped,
        PlantedBug::PreconditionsNotChecked,
        PlantedBug::KeysLookedUpTooEarly,
        PlantedBug::KeysLookedUpLate,
        PlantedBug::AnotherShard,
    ];
    let found = bugs.map(|bug| (bug, first_wrong(1_000, Some(bug))));
    std::panic::set_hook(quiet);
    for (bug, found) in found {
        let (seed, text) = found.unwrap_or_else(|| panic!("{bug:?} was not found"));
        println!("{bug:?} was found by seed {seed}: {text}");
    }
}
