//! Does the order of arrival matter, or how often something arrives? The story is told to a server in many ways, and
//! ends in one. `functions/stripe/order.rs` tells it in more orders, without a server.

use futures::{StreamExt, stream};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

use super::ending::Ending;
use crate::support::{
    documents::{SHAPES, story},
    in_process::Program,
    ledger::noon,
};

/// How many shuffles of each shape's documents are told; `STORY_SHUFFLES` asks for another number.
const SHUFFLES: usize = 50;
/// How many programs run at the same time.
const PROGRAMS_MAX: usize = 4;

/// Tells all of it long after it happened, and looks at what came of it.
async fn told(shape: &str, files: &[String]) -> Ending {
    let program = Program::start(noon()).await;
    for file in files {
        program.deliver(shape, file).await;
    }
    program.handled().await;
    let ending = program.ending().await;
    program.assert_clean().await;
    ending
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_in_order_it_ends_as_worked_out_and_in_both_shapes_the_same() {
    let mut endings = Vec::new();
    for shape in SHAPES {
        let ending = told(shape, &story(shape)).await;
        ending.assert_is_the_one(shape, [noon(); 2]);
        endings.push(ending);
    }
    assert_eq!(endings[0].accounts, endings[1].accounts);
    assert_eq!(endings[0].mrr, endings[1].mrr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_backwards_it_ends_the_same() {
    for shape in SHAPES {
        let mut files = story(shape);
        let in_order = told(shape, &files).await;
        files.reverse();
        let backwards = told(shape, &files).await;
        backwards.assert_is_the_one(shape, [noon(); 2]);
        assert_eq!(backwards, in_order, "{shape}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_older_shape_shuffled_and_doubled_ends_the_same() {
    shuffled_and_doubled_it_ends_the_same(SHAPES[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newer_shape_shuffled_and_doubled_ends_the_same() {
    shuffled_and_doubled_it_ends_the_same(SHAPES[1]).await;
}

async fn shuffled_and_doubled_it_ends_the_same(shape: &'static str) {
    let in_order = &told(shape, &story(shape)).await;
    let endings = stream::iter(shuffles(shape).into_iter().enumerate())
        .map(|(number, files)| async move { (number, told(shape, &files).await) })
        .buffer_unordered(PROGRAMS_MAX);
    endings
        .for_each(async |(number, ending)| {
            ending.assert_is_the_one(shape, [noon(); 2]);
            assert_eq!(ending, *in_order, "{shape}, shuffle {number}");
        })
        .await;
}

/// The same ones in every run.
fn shuffles(shape: &str) -> Vec<Vec<String>> {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let files = story(shape);
    let doubled: Vec<_> = files.iter().chain(&files).cloned().collect();
    let shuffled = Just(doubled).prop_shuffle();
    let count = std::env::var("STORY_SHUFFLES").map_or(SHUFFLES, |count| count.parse().expect("a number"));
    (0..count).map(|_| shuffled.new_tree(&mut runner).expect("a shuffle").current()).collect()
}
