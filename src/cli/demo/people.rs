//! Who does what in the year, and when? It follows from a seed and the catalog alone: no server, no clock.
//!
//! [`life`](super::life) lives one person's year; here it is said who arrives when, and everything is put in order.

use std::sync::Arc;

use crate::load::Random;

use super::{
    deeds::{Act, DECIDED_DAYS, DISPUTED_DAYS, Deed, Demand, Highlight, Person, Slot},
    life::{Life, pick},
    offer::Offer,
};

/// Of three people, one has no part in the growth: they arrive evenly over the year.
const EVENLY_OF_THREE: u64 = 1;

/// Of those who could dispute a payment, who does: one early on, and then one of so many.
const DISPUTES_FIRST: usize = 3;
const DISPUTES_EVERY: usize = 40;
const NAMES: [&str; 40] = [
    "ada", "amara", "ben", "bruno", "carla", "chen", "dana", "diego", "elif", "emil", "fatima", "felix",
    "gita", "hana", "hugo", "ines", "ivan", "jana", "jonas", "kaya", "kofi", "lena", "liam", "mara", "milo",
    "nadia", "noor", "olga", "omar", "paula", "quinn", "rosa", "ruben", "sana", "tariq", "tess", "uma",
    "vera", "yuki", "zoe",
];
const CAME_BY: [&str; 4] = ["search", "friend", "advert", "newsletter"];

/// Everybody's year.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct People(pub(super) Vec<Person>);

impl People {
    pub(super) fn of(offer: &Offer, demand: Demand) -> Self {
        let mut random = Random::from_seed(demand.seed);
        let people = (0..demand.accounts).map(|number| {
            let mut own = Random::from_seed(random.next_u64());
            let arrived = arrival(&mut own, demand.days);
            let (account, came_by) = name(number, &mut own);
            Life::new(offer, demand, own, Person::new(account, came_by), arrived).lived()
        });
        let mut people: Vec<Person> = people.collect();
        disputes(&mut people);
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

/// In a business of some size, a few payments are disputed: the first of them is lost, the next one is won, and so on.
fn disputes(people: &mut [Person]) {
    let could = people.iter_mut().filter_map(|person| Some((person.disputable?, person)));
    let chosen = could.skip(DISPUTES_FIRST).step_by(DISPUTES_EVERY);
    for ((paid, person), won) in chosen.zip([false, true].into_iter().cycle()) {
        let opened = Slot { day: paid.saturating_add(DISPUTED_DAYS), part: 4 };
        let decided = Slot { day: paid.saturating_add(DECIDED_DAYS), part: 3 };
        person.acts.push(Act { slot: opened, deed: Deed::Dispute });
        person.acts.push(Act { slot: decided, deed: Deed::DecideDispute { won } });
        person.acts.sort_by_key(|act| act.slot);
        person.highlights.push(if won { Highlight::DisputeWon } else { Highlight::DisputeLost });
    }
}

/// The account's id, and what is known of where the person came from.
fn name(number: u32, random: &mut Random) -> (Arc<str>, &'static str) {
    let names = u64::try_from(NAMES.len()).unwrap_or(1);
    let name = pick(&NAMES, random.below(names)).copied().unwrap_or("somebody");
    let ways = u64::try_from(CAME_BY.len()).unwrap_or(1);
    let came_by = pick(&CAME_BY, random.below(ways)).copied().unwrap_or("search");
    (format!("{name}-{:04}", number.saturating_add(1)).into(), came_by)
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

#[cfg(test)]
#[path = "../../../tests/unit/cli/demo/people.rs"]
mod tests;
