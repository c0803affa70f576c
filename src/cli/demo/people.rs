//! Who does what in the year, and when? It follows from a seed and the catalog alone: no server, no clock.
//!
//! [`life`](super::life) lives one person's year; here it is said who arrives when, and everything is put in order.

use std::sync::Arc;

use chrono::{Days, NaiveDate};

use crate::load::Random;

use super::{
    life::Life,
    offer::{Offer, Work},
};

/// How many times a day things are done, each two hours long.
pub(super) const SLOTS: u32 = 12;
const DAY_S: i64 = 86_400;
const SLOT_S: i64 = 7_200;
/// The last seconds of a slot are left for what follows from what was done.
const SLOT_REST_S: u64 = 600;

/// Of three people, one has no part in the growth: they arrive evenly over the year.
const EVENLY_OF_THREE: u64 = 1;

const NAMES: [&str; 40] = [
    "ada", "amara", "ben", "bruno", "carla", "chen", "dana", "diego", "elif", "emil", "fatima", "felix",
    "gita", "hana", "hugo", "ines", "ivan", "jana", "jonas", "kaya", "kofi", "lena", "liam", "mara", "milo",
    "nadia", "noor", "olga", "omar", "paula", "quinn", "rosa", "ruben", "sana", "tariq", "tess", "uma",
    "vera", "yuki", "zoe",
];
const CAME_BY: [&str; 4] = ["search", "friend", "advert", "newsletter"];

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    pub(super) seed: u64,
    pub(super) accounts: u32,
    pub(super) begin: NaiveDate,
    /// How many days there are to live through.
    pub(super) days: u32,
}

/// Somebody with an account, and all that they do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) account: Arc<str>,
    pub(super) came_by: &'static str,
    /// In the order of time.
    pub(super) acts: Vec<Act>,
    /// Why this account is worth a look.
    pub(super) highlights: Vec<Highlight>,
    /// The credits that were asked for, for work of any kind.
    pub(super) asked_for: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) slot: Slot,
    pub(super) deed: Deed,
}

/// A part of a day of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    pub(super) day: u32,
    pub(super) part: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Arrive,
    Subscribe {
        plan: Arc<str>,
        by_year: bool,
        trial: bool,
        card: Card,
    },
    Buy {
        pack: Arc<str>,
        card: Card,
    },
    Change {
        plan: Arc<str>,
    },
    Cancel {
        at_once: bool,
        feedback: &'static str,
    },
    /// From here on, the subscription is charged to this card.
    UseCard(Card),
    PayInvoice,
    /// The business gives the last payment of this kind back.
    GiveBack(Payment),
    Dispute,
    DecideDispute {
        won: bool,
    },
    Make {
        work: Arc<Work>,
        how: Making,
    },
    /// Many small pieces of work, charged as one.
    Spend {
        amount: i64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Card {
    Good,
    Declined,
    NoMoney,
    /// Is taken, and fails when it is charged.
    FailsLater,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payment {
    Subscription,
    Pack,
}

/// How a piece of work is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    Charged,
    /// Charged, and refunded since it failed.
    Failed,
    /// Held, and charged when it was done.
    Held,
    /// Held, and given up.
    Dropped,
}

/// Why an account is worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Highlight {
    PaidInTheEnd,
    NeverPaid,
    DisputeLost,
    DisputeWon,
    PackGivenBack,
    MoneyBack,
    Upgraded,
    Downgraded,
    CameBack,
    ByYear,
    GrewQuiet,
    TrialLost,
    TrialWon,
    Heaviest,
}

/// Everybody's year.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct People(pub(super) Vec<Person>);

impl People {
    pub(super) fn of(offer: &Offer, demand: Demand) -> Self {
        let mut random = Random::from_seed(demand.seed);
        let people = (0..demand.accounts).map(|number| {
            let mut own = Random::from_seed(random.next_u64());
            let arrived = arrival(&mut own, demand.days);
            Life::new(offer, demand, own, number, arrived).lived()
        });
        let mut people: Vec<Person> = people.collect();
        let heaviest = people.iter_mut().max_by_key(|person| person.asked_for);
        heaviest.into_iter().for_each(|person| person.highlights.push(Highlight::Heaviest));
        Self(people)
    }

    /// Everything that is done, in the order of time: when, by the place of whom, and what.
    pub(super) fn acts(&self) -> Vec<(Slot, usize, &Deed)> {
        let of = |(place, person): (usize, &'_ Person)| (place, person.acts.len());
        let mut acts = Vec::with_capacity(self.0.iter().enumerate().map(of).map(|(_, count)| count).sum());
        for (place, person) in self.0.iter().enumerate() {
            acts.extend(person.acts.iter().map(|act| (act.slot, place, &act.deed)));
        }
        // What one person does in one slot stays in its order.
        acts.sort_by_key(|(slot, place, _)| (*slot, *place));
        acts
    }
}

/// The account's id, and what is known of where the person came from.
pub(super) fn name(number: u32, random: &mut Random) -> (Arc<str>, &'static str) {
    let names = u64::try_from(NAMES.len()).unwrap_or(1);
    let name = pick(&NAMES, random.below(names)).copied().unwrap_or("somebody");
    let ways = u64::try_from(CAME_BY.len()).unwrap_or(1);
    let came_by = pick(&CAME_BY, random.below(ways)).copied().unwrap_or("search");
    (format!("{name}-{:04}", number.saturating_add(1)).into(), came_by)
}

/// The element at a place.
pub(super) fn pick<T>(of: &[T], place: u64) -> Option<&T> {
    usize::try_from(place).ok().and_then(|place| of.get(place))
}

/// The day on which somebody arrives: a part evenly, the others more and more of them, as a business grows.
fn arrival(random: &mut Random, days: u32) -> u32 {
    let days = u64::from(days);
    let day = if random.below(3) < EVENLY_OF_THREE {
        random.below(days)
    } else {
        random.below(days.saturating_mul(days)).isqrt()
    };
    u32::try_from(day).unwrap_or_default()
}

impl Demand {
    pub(super) fn date(&self, day: u32) -> NaiveDate {
        self.begin.checked_add_days(Days::new(day.into())).unwrap_or(self.begin)
    }

    /// When something is done in a slot, in seconds since the first day began. Not on the hour, as nobody is.
    pub(super) fn second(&self, slot: Slot) -> i64 {
        let seed = self.seed ^ (u64::from(slot.day) << 8) ^ u64::from(slot.part);
        let slot_s = u64::try_from(SLOT_S).unwrap_or_default();
        let into = Random::from_seed(seed).below(slot_s.saturating_sub(SLOT_REST_S));
        let whole = i64::from(slot.day)
            .saturating_mul(DAY_S)
            .saturating_add(i64::from(slot.part).saturating_mul(SLOT_S));
        whole.saturating_add(i64::try_from(into).unwrap_or_default())
    }
}

#[cfg(test)]
#[path = "../../../tests/unit/cli/demo/people.rs"]
mod tests;
