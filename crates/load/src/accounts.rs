//! Which account is a request for?

use std::sync::Arc;

use super::random::Random;

/// The weight of rank 1 in the Zipf distribution: large enough that rank 10,000,000 still has a weight, and small
/// enough that the sum of ten million ranks fits `u64`.
const ZIPF_WEIGHT: u64 = 1 << 40;

/// The accounts of a run: a prefix and a number of seven digits, from 0.
#[derive(Clone, Debug)]
pub struct LoadAccounts {
    pub prefix: String,
    /// How many there are, at most 10,000,000.
    pub count: u64,
    pub choice: Choice,
}

/// How a request chooses among the accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// All with the same probability.
    Uniform,
    /// Always the first: one busy customer.
    Hot,
    /// The account of rank r with 1/r of the first one's probability: a few large customers and many small ones.
    Zipf,
    /// In turn, so that a run of `count` items has each account once. For preparing accounts.
    InTurn,
}

impl LoadAccounts {
    /// The id of the account with this number.
    pub fn name(&self, number: u64) -> String {
        format!("{}{number:07}", self.prefix)
    }
}

/// Chooses for one connection; its clones only share the Zipf table.
#[derive(Clone, Debug)]
pub struct Chooser {
    count: u64,
    odds: Odds,
    random: Random,
}

#[derive(Clone, Debug)]
enum Odds {
    Uniform,
    Hot,
    /// The cumulative weights of the ranks.
    Zipf(Arc<[u64]>),
    InTurn,
}

impl Chooser {
    #[must_use]
    pub fn new(accounts: &LoadAccounts) -> Self {
        let odds = match accounts.choice {
            Choice::Uniform => Odds::Uniform,
            Choice::Hot => Odds::Hot,
            Choice::Zipf => Odds::Zipf(zipf_sums(accounts.count)),
            Choice::InTurn => Odds::InTurn,
        };
        Self { count: accounts.count, odds, random: Random::from_clock() }
    }

    /// The same accounts, in another order for this connection.
    #[must_use]
    pub const fn seeded(mut self, seed: u64) -> Self {
        self.random = Random::from_seed(self.random.next_u64() ^ seed);
        self
    }

    /// The account of the run's item number `turn`.
    pub fn choose(&mut self, turn: u64) -> u64 {
        match &self.odds {
            Odds::Uniform => self.random.below(self.count),
            Odds::Hot => 0,
            Odds::Zipf(sums) => {
                let point = self.random.below(sums.last().copied().unwrap_or(0));
                u64::try_from(sums.partition_point(|sum| *sum <= point)).unwrap_or(0)
            }
            Odds::InTurn => turn.checked_rem(self.count).unwrap_or(0),
        }
    }
}

fn zipf_sums(count: u64) -> Arc<[u64]> {
    (1..=count.max(1))
        .scan(0_u64, |sum, rank| {
            *sum = sum.saturating_add(ZIPF_WEIGHT.checked_div(rank).unwrap_or(0));
            Some(*sum)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(choice: Choice, count: u64, items: u64) -> Vec<u64> {
        let accounts = LoadAccounts { prefix: String::new(), count, choice };
        let mut chooser = Chooser::new(&accounts).seeded(7);
        let mut hits = vec![0; usize::try_from(count).expect("a few accounts")];
        for turn in 0..items {
            hits[usize::try_from(chooser.choose(turn)).expect("a few accounts")] += 1;
        }
        hits
    }

    #[test]
    fn uniform_names_each_account_about_as_often() {
        assert!(chosen(Choice::Uniform, 10, 100_000).iter().all(|hits| (9_500..10_500).contains(hits)));
    }

    #[test]
    fn hot_names_the_first_only() {
        assert_eq!(chosen(Choice::Hot, 3, 50), [50, 0, 0]);
    }

    #[test]
    fn zipf_names_the_second_half_as_often_as_the_first_and_the_tenth_a_tenth() {
        // With 100 ranks, the first has 1 / 5.187 of all.
        let hits = chosen(Choice::Zipf, 100, 518_700);
        assert!((98_000..102_000).contains(&hits[0]), "{}", hits[0]);
        assert!((48_500..51_500).contains(&hits[1]), "{}", hits[1]);
        assert!((9_500..10_500).contains(&hits[9]), "{}", hits[9]);
    }

    #[test]
    fn in_turn_names_each_account_once() {
        assert_eq!(chosen(Choice::InTurn, 4, 4), [1, 1, 1, 1]);
    }
}
