//! What does one person do in the year? Day by day: arrives, subscribes, works, runs dry, leaves, comes back.
//!
//! What the ledger would decide is only guessed here: how many credits are left, or whether a change was refused.
//! A guess that is wrong is a request that is refused, as of any customer.

mod months;
mod wishes;
mod work;

use chrono::NaiveDate;

use crate::load::Random;

use super::{
    deeds::{Act, Card, Deed, Demand, Person, SLOTS, Slot},
    offer::{Offer, PlanOffered},
};

/// How busy each three hours of a day are.
const BUSY: [u64; 8] = [1, 0, 4, 12, 14, 15, 13, 6];

/// Of a hundred people, how many subscribe at some time.
const SUBSCRIBES_PERCENT: u64 = 58;
/// Of a hundred, how many buy a pack when nothing is left, sooner or later.
const BUYS_PACKS_PERCENT: u64 = 30;

/// One person's year, as far as it was lived.
pub(in crate::cli::demo) struct Life<'a> {
    offer: &'a Offer,
    demand: Demand,
    random: Random,
    arrived: u32,
    /// From which part of which day on there is something to work with, which was bought or begun last.
    ready: Slot,
    day: u32,
    person: Person,
    plan: Option<Subscribed>,
    subscribes_on: Option<u32>,
    /// The credits that they are likely to have.
    left: i64,
    /// The share of a month's credits that they would use, of a thousand.
    appetite: i64,
    buys_packs: bool,
}

struct Subscribed {
    place: usize,
    by_year: bool,
    since: u32,
    anchor: NaiveDate,
    /// How many months have begun since then.
    months: u32,
    trial_ends: Option<u32>,
    /// They leave on this day.
    leaves_on: Option<u32>,
    quiet: bool,
    ends: bool,
    /// The business gave the money back, and with it the plan ended.
    given_back: bool,
    smaller: bool,
    card_fails: bool,
    /// The day on which a payment failed, and the one on which they pay.
    unpaid: Option<(u32, Option<u32>)>,
}

impl<'a> Life<'a> {
    pub(in crate::cli::demo) fn new(
        offer: &'a Offer,
        demand: Demand,
        mut random: Random,
        person: Person,
        arrived: u32,
    ) -> Self {
        let percent = random.below(100);
        // Most decide at once or within a few days, some within weeks.
        let within = if random.below(3) == 0 { 40 } else { 5 };
        let subscribes = percent < SUBSCRIBES_PERCENT && !offer.plans.is_empty();
        let subscribes_on = subscribes.then(|| arrived.saturating_add(below(&mut random, within)));
        let appetite = 120_i64.saturating_add(i64::from(below(&mut random, 1_300)));
        let buys_packs = random.below(100) < BUYS_PACKS_PERCENT;
        Self {
            offer,
            demand,
            random,
            arrived,
            ready: Slot { day: arrived, part: 0 },
            day: arrived,
            person,
            plan: None,
            subscribes_on,
            left: offer.free.as_ref().map_or(0, |free| free.credits),
            appetite,
            buys_packs,
        }
    }

    pub(in crate::cli::demo) fn lived(mut self) -> Person {
        let part = self.part().min(SLOTS.saturating_sub(3));
        self.push(self.day, part, Deed::Arrive);
        self.ready_after(part);
        for day in self.arrived..self.demand.days {
            self.day = day;
            self.month_begins();
            self.decide();
            self.work();
        }
        self.person.acts.sort_by_key(|act| act.slot);
        self.person
    }

    // -------------------------------------------------------------------------------------------------- when

    /// A part of this day in which there is something to work with.
    fn part_of_work(&mut self) -> u32 {
        let earliest = if self.day == self.ready.day { self.ready.part } else { 0 };
        self.part().max(earliest).min(SLOTS.saturating_sub(1))
    }

    const fn ready_after(&mut self, part: u32) {
        self.ready = Slot { day: self.day, part: part.saturating_add(1) };
    }

    fn part(&mut self) -> u32 {
        let mut at = self.random.below(BUSY.iter().sum());
        for (part, busy) in (0_u32..).zip(BUSY) {
            if at < busy {
                return part;
            }
            at = at.saturating_sub(busy);
        }
        SLOTS.saturating_sub(1)
    }

    /// What would be done after the year is not done.
    fn push(&mut self, day: u32, part: u32, deed: Deed) {
        if day < self.demand.days {
            self.person.acts.push(Act { slot: Slot { day, part }, deed });
        }
    }
}

fn below(random: &mut Random, bound: u64) -> u32 {
    u32::try_from(random.below(bound)).unwrap_or_default()
}

/// The element at a place.
pub(in crate::cli::demo) fn pick<T>(of: &[T], place: u64) -> Option<&T> {
    usize::try_from(place).ok().and_then(|place| of.get(place))
}
