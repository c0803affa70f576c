//! What happens to a plan as its months begin: are they paid for, and does it end?

use chrono::Months;

use super::{Card, Deed, Life, Subscribed, below};
use crate::cli::demo::deeds::{DECIDED_DAYS, Highlight};

const RECOVERS_PERCENT: u64 = 62;
const COMES_BACK_PERCENT: u64 = 22;
/// How many days a payment is tried again before the subscription ends.
const RETRIED_DAYS: u32 = 22;
/// How many days a plan holds that is not paid for.
const GRACE_DAYS: u32 = 3;
impl Life<'_> {
    pub(super) fn month_begins(&mut self) {
        let Some(mut plan) = self.plan.take() else {
            let days = self.day.saturating_sub(self.arrived);
            if let Some(free) = self.offer.free.as_ref().filter(|free| !free.once && days.is_multiple_of(30))
            {
                self.left = self.left.max(free.credits);
            }
            return;
        };
        let goes_on =
            self.trial_goes_on(&mut plan) && self.is_paid_for(&mut plan) && self.next_month(&mut plan);
        if goes_on {
            self.plan = Some(plan);
        }
    }

    fn trial_goes_on(&mut self, plan: &mut Subscribed) -> bool {
        if plan.trial_ends.is_none_or(|ends| self.day < ends) {
            return true;
        }
        if plan.ends {
            self.person.highlights.push(Highlight::TrialLost);
            self.left = 0;
            return false;
        }
        self.person.highlights.push(Highlight::TrialWon);
        (plan.trial_ends, plan.anchor, plan.months) = (None, self.demand.date(self.day), 0);
        true
    }

    /// Follows a payment that failed, until it is paid or the subscription ends.
    fn is_paid_for(&mut self, plan: &mut Subscribed) -> bool {
        let Some((since, pays_on)) = plan.unpaid else { return true };
        if pays_on == Some(self.day) {
            let part = self.part();
            self.push(self.day, part, Deed::UseCard(Card::Good));
            self.push(self.day, part, Deed::PayInvoice);
            self.person.highlights.push(Highlight::PaidInTheEnd);
            plan.unpaid = None;
            self.give_month(plan);
        } else if self.day > since.saturating_add(RETRIED_DAYS) {
            self.person.highlights.push(Highlight::NeverPaid);
            return false;
        } else if self.day > since.saturating_add(GRACE_DAYS) {
            self.left = 0;
        }
        true
    }

    /// Begins a month if it is its day, unless the subscription ends then.
    fn next_month(&mut self, plan: &mut Subscribed) -> bool {
        let begins = plan.anchor.checked_add_months(Months::new(plan.months));
        if plan.trial_ends.is_some() || plan.unpaid.is_some() || begins != Some(self.demand.date(self.day)) {
            return true;
        }
        let is_paid = !plan.by_year || plan.months.is_multiple_of(12);
        plan.months = plan.months.saturating_add(1);
        if is_paid && plan.ends {
            self.leave();
            return false;
        }
        if std::mem::take(&mut plan.smaller) {
            plan.place = plan.place.saturating_sub(1);
        }
        if is_paid && std::mem::take(&mut plan.card_fails) {
            let after = below(&mut self.random, 4).saturating_add(2);
            let recovers = self.random.below(100) < RECOVERS_PERCENT;
            plan.unpaid = Some((self.day, recovers.then(|| self.day.saturating_add(after))));
            return true;
        }
        self.give_month(plan);
        let decided = self.day.saturating_add(DECIDED_DAYS);
        if plan.months == 2 && !plan.by_year && decided < self.demand.days {
            self.person.disputable = Some(self.day);
        }
        true
    }

    fn give_month(&mut self, plan: &Subscribed) {
        let Some(offered) = self.offer.plans.get(plan.place) else { return };
        self.left = offered.credits.saturating_add(self.left.clamp(0, offered.kept_max));
    }

    fn leave(&mut self) {
        self.left = 0;
        if self.random.below(100) < COMES_BACK_PERCENT {
            let after = below(&mut self.random, 60).saturating_add(25);
            self.subscribes_on = Some(self.day.saturating_add(after));
        }
    }
}
