//! How much does somebody work on a day, and what if nothing is left to pay for it?

use std::sync::Arc;

use chrono::Datelike;

use super::{Card, Deed, Life, PlanOffered, SLOTS, below, pick};
use crate::cli::demo::deeds::{Highlight, Making, PaymentFor};

/// How busy each day of a week is, from Monday on; on average [`BUSY_DAY`].
const WEEK: [i64; 7] = [10, 11, 11, 10, 9, 6, 6];
const BUSY_DAY: i64 = 9;
/// On the other days, nothing is done; on these, twice as much.
const ACTIVE_DAYS_PERCENT: u64 = 50;
/// How many pieces of work of a day are charged one by one.
const PIECES_MAX: i64 = 6;
/// How much those make who would pay for more, in thousandths of a piece of work.
const MORE_THOUSANDTHS: i64 = 300;
const HELD_PERCENT: u64 = 30;
const DROPPED_OF_HELD_PERCENT: u64 = 8;
const FAILED_PERCENT: u64 = 3;
const NO_MONEY_PERCENT: u64 = 3;
const PACK_GIVEN_BACK_PERCENT: u64 = 4;

impl Life<'_> {
    pub(super) fn work(&mut self) {
        let offer = self.offer;
        let on = self.plan.as_ref().and_then(|plan| offer.plans.get(plan.place));
        let Some(offered) = on.or(offer.free.as_ref()) else { return };
        if self.random.below(100) >= ACTIVE_DAYS_PERCENT {
            return;
        }
        let price = offered.usual_price();
        // In thousandths of a piece of work.
        let thousandths = self.daily(offered, on.is_some()).saturating_mul(2) / price;
        let more = i64::from(below(&mut self.random, 1_000)) < thousandths % 1_000;
        let pieces = (thousandths / 1_000).saturating_add(i64::from(more));
        for _ in 0..pieces.min(PIECES_MAX) {
            self.make(offered);
        }
        let rest = pieces.saturating_sub(PIECES_MAX).saturating_mul(price);
        if rest > 0 && self.left >= rest {
            let part = self.part_of_work();
            self.left = self.left.saturating_sub(rest);
            self.person.asked_for = self.person.asked_for.saturating_add(rest);
            self.push(self.day, part, Deed::Spend { amount: rest });
        }
    }

    /// How many thousandths of a credit they would use on this day.
    fn daily(&self, offered: &PlanOffered, is_subscribed: bool) -> i64 {
        let weekday = self.demand.date(self.day).weekday().num_days_from_monday();
        let busy = pick(&WEEK, u64::from(weekday)).copied().unwrap_or(BUSY_DAY);
        let month = offered.credits.saturating_mul(self.appetite);
        // What is there once is tried out within a week or two; what was bought beside is used up within a month.
        let of_rest = self.left.saturating_mul(1_000) / if offered.once { 8 } else { 30 };
        // Whoever would pay for more goes on until nothing is left.
        let more = if self.buys_packs { offered.usual_price().saturating_mul(MORE_THOUSANDTHS) } else { 0 };
        let usual = if is_subscribed || !offered.once {
            (month / 30).max(of_rest.min(month / 10))
        } else {
            of_rest.max(more)
        };
        let quiet = self.plan.as_ref().is_some_and(|plan| plan.quiet);
        usual.saturating_mul(busy) / if quiet { BUSY_DAY.saturating_mul(6) } else { BUSY_DAY }
    }

    fn make(&mut self, offered: &PlanOffered) {
        let count = u64::try_from(offered.works.len()).unwrap_or_default();
        let work = pick(&offered.works, self.random.below(count)).filter(|work| work.price <= self.left);
        let work = work.or_else(|| offered.smallest().filter(|work| work.price <= self.left));
        let Some(work) = work else {
            self.run_dry();
            return;
        };
        let how = self.making();
        if matches!(how, Making::Charged | Making::Held) {
            self.left = self.left.saturating_sub(work.price);
        }
        self.person.asked_for = self.person.asked_for.saturating_add(work.price);
        let part = self.part_of_work();
        self.push(self.day, part, Deed::Make { work: Arc::clone(work), how });
    }

    fn making(&mut self) -> Making {
        if self.random.below(100) < HELD_PERCENT {
            let dropped = self.random.below(100) < DROPPED_OF_HELD_PERCENT;
            return if dropped { Making::Dropped } else { Making::Held };
        }
        if self.random.below(100) < FAILED_PERCENT { Making::Failed } else { Making::Charged }
    }

    /// Nothing is left: some buy a pack, the smaller the more often.
    fn run_dry(&mut self) {
        if !self.buys_packs || self.random.below(3) != 0 {
            return;
        }
        let count = u64::try_from(self.offer.packs.len()).unwrap_or_default();
        let place = self.random.below(count).min(self.random.below(count));
        let Some(pack) = pick(&self.offer.packs, place) else { return };
        let part = self.part_of_work().min(SLOTS.saturating_sub(2));
        let has_money = self.random.below(100) >= NO_MONEY_PERCENT;
        let card = if has_money { Card::Good } else { Card::NoMoney };
        self.push(self.day, part, Deed::Buy { pack: Arc::clone(&pack.id), card });
        if !has_money {
            return;
        }
        self.ready_after(part);
        self.left = self.left.saturating_add(pack.credits);
        if self.offer.packs_are_refunded && self.random.below(100) < PACK_GIVEN_BACK_PERCENT {
            let day = self.day.saturating_add(below(&mut self.random, 3)).saturating_add(1);
            self.push(day, 4, Deed::GiveBack(PaymentFor::Pack));
            if day < self.demand.days {
                self.person.highlights.push(Highlight::PackGivenBack);
            }
        }
    }
}
