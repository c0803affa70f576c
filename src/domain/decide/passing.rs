//! What is due because time passed: the end of holds and grants, the next month's allocation, rollover.
//!
//! Everything happens in the order of its own time, however late it is noticed, and with that time as its
//! effective time.

use crate::domain::{
    account::OpenAccount,
    amount::{Credits, Money},
    credits::{Grant, GrantTerms, PRIORITY_DEFAULT, Slot, Source},
    event::Event,
    months::Month,
    names::{GrantId, ProviderId},
    refusal::Refusal,
    subscription::{PaidTerm, Term},
    time::{Period, Timestamp},
};

use super::draft::Draft;

/// When time will next change the account by itself; `None` when it will not.
#[must_use]
pub fn next_due(account: &OpenAccount) -> Option<Timestamp> {
    let subscriptions = &account.subscriptions;
    let months = subscriptions.terms().iter().filter_map(|paid| match &paid.term.paid {
        Some(_) => paid.next,
        None => subscriptions.next_free_month(paid, &account.payments).map(|(_, due, _)| due),
    });
    let closed = subscriptions.closed_months().filter(|(_, month)| !account.month_due(month).is_zero());
    ends(account).chain(months).chain(closed.map(|(_, month)| month.period.start)).min()
}

/// When holds and grants end.
fn ends(account: &OpenAccount) -> impl Iterator<Item = Timestamp> {
    let holds = account.wallet.holds.next_to_expire().map(|(at, _)| at);
    let grants = account.wallet.open().iter().filter(|grant| !grant.remaining.is_zero());
    holds.into_iter().chain(grants.filter_map(Grant::ends_at))
}

/// Whether anything can be due at `at`. Nothing is on most commands, and this is all that they pay for it.
fn may_be_due(account: &OpenAccount, at: Timestamp) -> bool {
    let months = account.subscriptions.terms().iter().filter_map(|paid| paid.next);
    let paid_for = account.subscriptions.facts().values().filter_map(|facts| facts.next());
    ends(account).chain(months).chain(paid_for).any(|due| due <= at)
}

impl Draft<'_> {
    /// Lets happen what is due by now.
    pub(super) fn pass_time(&mut self) -> Result<(), Refusal> {
        while let Some(due) = self.first_due() {
            match due {
                Due::Ended(event) => self.end(event)?,
                Due::Month(grant, effective_at) => self.grant(grant, effective_at)?,
                Due::Paid(subscription, month) => self.open_month(&subscription, &month)?,
            }
            self.roll_over()?;
        }
        Ok(())
    }

    fn first_due(&self) -> Option<Due> {
        let at = self.context.at;
        if !may_be_due(&self.account, at) {
            return None;
        }
        let hold = self.hold_due().map(|(due, event)| (due, 0, Due::Ended(event)));
        let grant = self.grant_due().map(|(due, event)| (due, 1, Due::Ended(event)));
        let month = self.month_due().map(|(due, grant)| (due, 2, Due::Month(grant, due)));
        let paid = self.month_to_open().map(|(id, month)| (month.due_at().min(at), 3, Due::Paid(id, month)));
        [hold, grant, month, paid]
            .into_iter()
            .flatten()
            .filter(|(due, _, _)| *due <= at)
            .min_by_key(|(due, rank, _)| (*due, *rank))
            .map(|(_, _, due)| due)
    }

    /// Notes an end. What a hold gives back settles first what was taken back of it meanwhile.
    fn end(&mut self, event: Event) -> Result<(), Refusal> {
        let returned = match &event {
            Event::HoldExpired { returns, effective_at, .. } => Some((returns.clone(), *effective_at)),
            _ => None,
        };
        self.record(event)?;
        returned.map_or(Ok(()), |(returns, effective_at)| self.settle_returns(&returns, effective_at))
    }

    fn hold_due(&self) -> Option<(Timestamp, Event)> {
        let (due, hold) = self.account.wallet.holds.next_to_expire()?;
        let event = Event::HoldExpired {
            hold_id: hold.hold_id.clone(),
            returns: hold.draws.clone(),
            effective_at: due,
        };
        Some((due, event))
    }

    fn grant_due(&self) -> Option<(Timestamp, Event)> {
        let at = self.context.at;
        let open = self.account.wallet.open().iter().filter(|grant| !grant.remaining.is_zero());
        let ended = open.filter_map(|grant| Some((grant.ends_at().filter(|told| *told <= at)?, grant)));
        let (due, ends, grant) = ended
            .map(|(told, grant)| {
                let ends = self.end_of(grant).unwrap_or(told);
                (if ends <= at { ends } else { told }, ends, grant)
            })
            .min_by(|(one, _, a), (other, _, b)| {
                one.cmp(other).then_with(|| a.terms.grant_id.cmp(&b.terms.grant_id))
            })?;
        let grant_id = grant.terms.grant_id.clone();
        let event = if ends <= at {
            Event::CreditsExpired { grant_id, amount: grant.remaining, effective_at: due }
        } else {
            // The subscription goes on, and its next month is not paid yet.
            Event::GrantEndMoved { grant_id, ends_at: ends, revived: Credits::ZERO, effective_at: due }
        };
        Some((due, event))
    }

    fn month_due(&self) -> Option<(Timestamp, GrantTerms)> {
        let paid = self.account.subscriptions.terms().iter();
        paid.filter_map(|paid| self.allocation_due(paid)).min_by_key(|(due, _)| *due)
    }

    /// A month that was paid late is granted late, with its own bounds.
    fn allocation_due(&self, paid: &PaidTerm) -> Option<(Timestamp, GrantTerms)> {
        let next = paid.next.filter(|next| *next <= self.context.at)?;
        let (number, due, month) = match &paid.term.paid {
            Some(_) => (paid.granted, next, paid.term.month(paid.granted)?),
            None => self.account.subscriptions.next_free_month(paid, &self.account.payments)?,
        };
        Some((due, monthly_grant(&paid.term, number, month)?))
    }

    /// Carries the unused part of each month that ended into the month that follows it, if that was paid.
    pub(super) fn roll_over(&mut self) -> Result<(), Refusal> {
        while let Some(grant) = self.rollover_due() {
            let start = grant.starts_at;
            self.grant(grant, start)?;
        }
        Ok(())
    }

    fn rollover_due(&self) -> Option<GrantTerms> {
        let at = self.context.at;
        let facts = self.account.subscriptions.facts();
        let paid = facts.iter().flat_map(|(id, facts)| {
            let opened = facts.months().iter().filter(|month| facts.is_opened(month));
            opened.map(move |month| slot(id, month))
        });
        let others = self.account.wallet.grants().filter(|grant| opens_month(grant));
        let others = others.filter_map(|grant| grant.terms.slot.clone());
        let others = others.filter(|slot| !facts.contains_key(&slot.subscription));
        paid.chain(others).filter(|slot| slot.period.start <= at).find_map(|month| self.carry_into(&month))
    }

    /// The next unused credits that have not been carried into `month` yet, up to its cap. A grant can have
    /// more of them later, when a hold on it is released after its end.
    fn carry_into(&self, month: &Slot) -> Option<GrantTerms> {
        let carried = self.carried_into(month);
        let sum = |amounts: &mut dyn Iterator<Item = Credits>| {
            Credits::checked_sum(amounts).unwrap_or(Credits::MAX)
        };
        // What was used after the month had ended, while the next one was not paid, was used of what is carried.
        let bridged = self.allocations_in(&month.subscription, month.period.start).map(Grant::used_after_end);
        let gone = sum(&mut carried.iter().map(|(_, amount)| *amount).chain(bridged));
        let room = month.carry_max?.saturating_sub(gone);
        if room.is_zero() {
            return None;
        }
        let ended = self.allocations_in(&month.subscription, month.period.start);
        ended.filter(|grant| grant.remaining.is_zero()).find_map(|grant| {
            let parts = carried.iter().filter(|(from, _)| **from == grant.terms.grant_id);
            let earlier = sum(&mut parts.clone().map(|(_, amount)| *amount));
            let amount = grant.expired_unasked().saturating_sub(earlier).min(room);
            (!amount.is_zero()).then(|| rollover(grant, month, amount, parts.count()))?
        })
    }

    /// What was carried into `month`, and from which grants.
    fn carried_into(&self, month: &Slot) -> Vec<(&GrantId, Credits)> {
        let rolled = self.account.wallet.grants().filter(|grant| grant.terms.source == Source::Rollover);
        rolled
            .filter_map(|grant| {
                let slot = grant.terms.slot.as_ref()?;
                let same = slot.subscription == month.subscription && slot.period.start == month.period.start;
                same.then_some((slot.carried_from.as_ref()?, grant.terms.amount))
            })
            .collect()
    }
}

/// What time brings.
enum Due {
    /// A hold or a grant ended.
    Ended(Event),
    /// A month's allocation, due since then.
    Month(GrantTerms, Timestamp),
    /// A month of a subscription that was paid for.
    Paid(ProviderId, Month),
}

impl Draft<'_> {
    /// The grants of a subscription's month that ends at `end`, rollover left out.
    pub(super) fn allocations_in<'b>(
        &'b self,
        subscription: &'b ProviderId,
        end: Timestamp,
    ) -> impl Iterator<Item = &'b Grant> {
        self.account.wallet.grants().filter(move |grant| {
            grant.terms.source == Source::Allocation
                && grant
                    .terms
                    .slot
                    .as_ref()
                    .is_some_and(|slot| slot.subscription == *subscription && slot.period.end == end)
        })
    }
}

/// Whether the grant is the one that opens its month, and not what an upgrade added.
pub(super) fn opens_month(grant: &Grant) -> bool {
    grant.terms.source == Source::Allocation
        && grant.terms.slot.as_ref().is_some_and(|slot| slot.carry_max.is_some())
}

/// A month that was paid for, as what is carried into it names it.
fn slot(subscription: &ProviderId, month: &Month) -> Slot {
    Slot {
        subscription: subscription.clone(),
        plan: month.plan.clone(),
        period: month.period,
        allocation: month.allocation,
        carry_max: Some(month.carry_max.unwrap_or(Credits::ZERO)),
        carried_from: None,
        paid_month_end: None,
    }
}

fn rollover(grant: &Grant, month: &Slot, amount: Credits, earlier: usize) -> Option<GrantTerms> {
    let from = &grant.terms.grant_id;
    let id = if earlier == 0 { format!("carry:{from}") } else { format!("carry:{from}:{earlier}") };
    Some(GrantTerms {
        // In the spending order this comes before the `month:` that it is carried into, also when both are free.
        grant_id: GrantId::parse(&id).ok()?,
        source: Source::Rollover,
        amount,
        starts_at: month.period.start,
        expires_at: Some(month.period.end),
        priority: PRIORITY_DEFAULT,
        // It was paid for with the month that it comes from, and its revenue was recognised there.
        cost: None,
        // A refund of that payment takes back what was carried, too.
        payment: grant.terms.payment.clone(),
        slot: Some(Slot {
            carried_from: Some(grant.terms.grant_id.clone()),
            carry_max: None,
            ..month.clone()
        }),
        reason: None,
    })
}

fn monthly_grant(term: &Term, number: u32, month: Period) -> Option<GrantTerms> {
    Some(GrantTerms {
        grant_id: allocation_id(&term.subscription, month.start)?,
        source: Source::Allocation,
        amount: term.monthly,
        starts_at: month.start,
        expires_at: Some(month.end),
        priority: PRIORITY_DEFAULT,
        cost: term.paid.as_ref().map(|paid| share(&paid.cost, number, paid.months)),
        payment: term.paid.as_ref().map(|paid| paid.payment.clone()),
        slot: Some(Slot {
            subscription: term.subscription.clone(),
            plan: term.plan.clone(),
            period: month,
            allocation: term.monthly,
            carry_max: Some(term.carry_max.unwrap_or(Credits::ZERO)),
            carried_from: None,
            paid_month_end: None,
        }),
        reason: None,
    })
}

/// One grant for one month of one subscription, however often it is paid or reported.
fn allocation_id(subscription: &ProviderId, start: Timestamp) -> Option<GrantId> {
    GrantId::parse(&format!("month:{subscription}:{}", start.seconds())).ok()
}

/// The part of a cost that falls on one of `months` months. The parts sum to the cost.
fn share(cost: &Money, number: u32, months: u32) -> Money {
    let months = i64::from(months.max(1));
    let until = |count: i64| cost.minor.saturating_mul(count.min(months)) / months;
    let number = i64::from(number);
    Money { minor: until(number.saturating_add(1)) - until(number), currency: cost.currency.clone() }
}
