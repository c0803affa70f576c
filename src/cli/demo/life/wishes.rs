//! What does somebody want who decides: which plan, a larger or a smaller one, none, or the money back?

use std::sync::Arc;

use super::{Card, Deed, Life, PlanOffered, SLOTS, Subscribed, below, pick};
use crate::cli::demo::deeds::{Highlight, PaymentFor};

const YEARLY_PERCENT: u64 = 18;
const TRIES_PERCENT: u64 = 75;
const TRIAL_LOST_PERCENT: u64 = 42;
const DECLINED_AT_FIRST_PERCENT: u64 = 9;
const TRIES_AGAIN_PERCENT: u64 = 75;
const QUIET_PERCENT: u64 = 55;

/// Chances of a day, of ten thousand.
const LEAVES: u64 = 17;
const UPGRADES: u64 = 10;
const DOWNGRADES: u64 = 4;
const CARD_ENDS: u64 = 9;
const WANTS_MONEY_BACK: u64 = 2;
const CHANCES: u64 = 10_000;

/// For how many days nobody changes their mind about a plan.
const SETTLING_DAYS: u32 = 10;

const FEEDBACK: [&str; 7] = [
    "too_expensive",
    "unused",
    "too_expensive",
    "missing_features",
    "switched_service",
    "unused",
    "low_quality",
];

impl<'a> Life<'a> {
    pub(super) fn decide(&mut self) {
        if self.plan.is_none() {
            if self.subscribes_on == Some(self.day) {
                self.subscribe();
            }
            return;
        }
        let chance = self.random.below(CHANCES);
        let Some(mut plan) = self.plan.take() else { return };
        let settled = self.day >= plan.since.saturating_add(SETTLING_DAYS);
        if plan.leaves_on == Some(self.day) {
            self.cancel(&mut plan);
        } else if plan.trial_ends.is_none() && plan.unpaid.is_none() && settled && !plan.ends {
            self.change_mind(&mut plan, chance);
        }
        if plan.given_back {
            self.left = 0;
        } else {
            self.plan = Some(plan);
        }
    }

    fn cancel(&mut self, plan: &mut Subscribed) {
        let part = self.part();
        let feedback = self.random.below(7);
        let feedback = pick(&FEEDBACK, feedback).copied().unwrap_or("other");
        self.push(self.day, part, Deed::Cancel { at_once: false, feedback });
        plan.ends = true;
        if plan.quiet {
            self.person.highlights.push(Highlight::GrewQuiet);
        }
    }

    fn change_mind(&mut self, plan: &mut Subscribed, chance: u64) {
        // Whoever has paid for a year leaves less often.
        let leaves = if plan.by_year { LEAVES / 4 } else { LEAVES };
        let upgrades = leaves.saturating_add(UPGRADES);
        let downgrades = upgrades.saturating_add(DOWNGRADES);
        let card_ends = downgrades.saturating_add(CARD_ENDS);
        let wants_money_back = card_ends.saturating_add(WANTS_MONEY_BACK);
        if chance < leaves {
            if plan.leaves_on.is_none() {
                plan.quiet = self.random.below(100) < QUIET_PERCENT;
                let after = if plan.quiet { below(&mut self.random, 12).saturating_add(12) } else { 1 };
                plan.leaves_on = Some(self.day.saturating_add(after));
            }
        } else if chance < upgrades {
            self.upgrade(plan);
        } else if chance < downgrades {
            self.downgrade(plan);
        } else if chance < card_ends {
            if !plan.by_year && !plan.card_fails {
                let part = self.part();
                self.push(self.day, part, Deed::UseCard(Card::FailsLater));
                plan.card_fails = true;
            }
        } else if chance < wants_money_back && !plan.by_year {
            let part = self.part().min(SLOTS.saturating_sub(2));
            self.push(self.day, part, Deed::Cancel { at_once: true, feedback: "low_quality" });
            self.push(self.day, part.saturating_add(1), Deed::GiveBack(PaymentFor::Subscription));
            self.person.highlights.push(Highlight::MoneyBack);
            plan.given_back = true;
        }
    }

    fn upgrade(&mut self, plan: &mut Subscribed) {
        let larger = plan.place.saturating_add(1);
        let Some(offered) = self.offer.plans.get(larger).filter(|offered| offered.by_year || !plan.by_year)
        else {
            return;
        };
        if plan.card_fails || plan.smaller {
            return;
        }
        let part = self.part();
        self.push(self.day, part, Deed::Change { plan: Arc::clone(&offered.id) });
        self.left = self.left.saturating_add(offered.credits / 3);
        plan.place = larger;
        self.person.highlights.push(Highlight::Upgraded);
    }

    fn downgrade(&mut self, plan: &mut Subscribed) {
        let smaller = plan.place.checked_sub(1).and_then(|place| self.offer.plans.get(place));
        let Some(offered) = smaller.filter(|_| !plan.by_year && !plan.smaller) else { return };
        let part = self.part();
        self.push(self.day, part, Deed::Change { plan: Arc::clone(&offered.id) });
        plan.smaller = true;
        self.person.highlights.push(Highlight::Downgraded);
    }

    fn subscribe(&mut self) {
        let Some((place, offered)) = self.choose_plan() else { return };
        let came_before = self.person.acts.iter().any(|act| matches!(act.deed, Deed::Cancel { .. }));
        let trial = offered.trial.filter(|_| !came_before);
        let trial = trial.filter(|_| self.random.below(100) < TRIES_PERCENT);
        let by_year = offered.by_year && trial.is_none() && self.random.below(100) < YEARLY_PERCENT;
        let part = self.part_of_work().min(SLOTS.saturating_sub(2));
        let deed =
            |card| Deed::Subscribe { plan: Arc::clone(&offered.id), by_year, trial: trial.is_some(), card };
        let mut paid_in = part;
        if self.random.below(100) < DECLINED_AT_FIRST_PERCENT {
            let card = if self.random.below(3) == 0 { Card::NoMoney } else { Card::Declined };
            self.push(self.day, part, deed(card));
            if self.random.below(100) >= TRIES_AGAIN_PERCENT {
                return;
            }
            paid_in = part.saturating_add(1);
        }
        self.push(self.day, paid_in, deed(Card::Good));
        self.ready_after(paid_in);
        if came_before {
            self.person.highlights.push(Highlight::CameBack);
        }
        if by_year {
            self.person.highlights.push(Highlight::ByYear);
        }
        let trial_ends = trial.map(|trial| self.day.saturating_add(trial.days));
        let lost = trial_ends.filter(|_| self.random.below(100) < TRIAL_LOST_PERCENT);
        let leaves_on = lost.map(|ends| ends.saturating_sub(below(&mut self.random, 6).saturating_add(1)));
        self.left = self.left.saturating_add(trial.map_or(offered.credits, |trial| trial.credits));
        self.plan = Some(Subscribed {
            place,
            by_year,
            since: self.day,
            anchor: self.demand.date(self.day),
            months: 1,
            trial_ends,
            leaves_on,
            quiet: false,
            ends: false,
            given_back: false,
            smaller: false,
            card_fails: false,
            unpaid: None,
        });
    }

    /// The popular plan twice as often as the others, and smaller ones rather than larger ones.
    fn choose_plan(&mut self) -> Option<(usize, &'a PlanOffered)> {
        let plans = &self.offer.plans;
        let weights: Vec<u64> = plans
            .iter()
            .rev()
            .zip(1_u64..)
            .map(|(plan, place)| if plan.popular { place.saturating_mul(2) } else { place })
            .collect();
        let mut chosen = self.random.below(weights.iter().sum());
        for (place, (plan, weight)) in plans.iter().zip(weights.iter().rev()).enumerate() {
            if chosen < *weight {
                return Some((place, plan));
            }
            chosen = chosen.saturating_sub(*weight);
        }
        None
    }
}
