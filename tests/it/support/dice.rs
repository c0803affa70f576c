//! Random choices that can be made again: they follow from a seed, which is printed.

/// Where the seed is taken from, to repeat a run.
const SEED: &str = "COUNTERFOIL_CRASH_SEED";

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// From the environment, else another one each time.
    pub fn seeded(what: &str) -> Self {
        let seed = setting(SEED).unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
        eprintln!("{what}: {SEED}={seed}");
        Self(seed)
    }

    /// The same ones in every run.
    pub const fn loaded(seed: u64) -> Self {
        Self(seed)
    }

    /// Puts them into another order.
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, self.below(last + 1));
        }
    }

    /// Others, which follow from these.
    pub fn split(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `end`, without it.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// From 1 to `most`.
    pub fn amount(&mut self, most: usize) -> i64 {
        self.below(most) as i64 + 1
    }

    /// Takes one out.
    pub fn draw<T>(&mut self, from: &mut Vec<T>) -> Option<T> {
        if from.is_empty() { None } else { Some(from.swap_remove(self.below(from.len()))) }
    }
}

/// Orders in which so many things can be told, by name, as their places: in order, reversed, and with each
/// of them twice.
pub fn tellings(count: usize, shuffles: u64) -> Vec<(String, Vec<usize>)> {
    let in_order: Vec<usize> = (0..count).collect();
    let reversed: Vec<usize> = in_order.iter().rev().copied().collect();
    let doubled: Vec<usize> = in_order.iter().flat_map(|index| [*index; 2]).collect();
    let twice: Vec<usize> = in_order.iter().chain(&in_order).copied().collect();
    let named = |(name, order): (&str, Vec<usize>)| (name.to_owned(), order);
    let fixed =
        [("in order", in_order), ("reversed", reversed), ("doubled", doubled), ("told twice", twice.clone())];
    let shuffled = (1..=shuffles).map(|seed| {
        let mut order = twice.clone();
        Dice::loaded(seed).shuffle(&mut order);
        (format!("shuffled {seed}"), order)
    });
    fixed.map(named).into_iter().chain(shuffled).collect()
}

/// A number from the environment.
pub fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
