//! What is due because time passed? The end of holds and grants, the next month's allocation, and rollover.
//!
//! All of it happens in the order of its own time, however late it is noticed, and each event has that time as its
//! effective time.

use crate::{
    account::OpenAccount,
    amount::{Credits, Money},
    credits::{AllocationMonth, Grant, GrantTerms, PRIORITY_DEFAULT, Source},
    event::{CreditsEvent, Event, HoldEvent},
    facts::PlanConditions,
    ids::{GrantId, ProviderId},
    months::Month,
    refusal::Refusal,
    subscription::{PaidTerm, Term},
    time::{Period, Timestamp},
};

use super::draft::DecisionDraft;

/// For how many days a month is bridged if no catalog says so.
/// It only decides when the account is checked, not the result.
const BRIDGE_DAYS: u16 = 21;

/// When the account will next change because time passes. `None`: it will not.
#[must_use]
pub fn next_due(account: &OpenAccount) -> Option<Timestamp> {
    let subscriptions = &account.subscriptions;
    let known = PlanConditions { payments: &account.payments, bridge_days: BRIDGE_DAYS };
    let months = subscriptions.terms().iter().filter_map(|paid| match &paid.term.paid {
        Some(_) => paid.next,
        None => subscriptions.next_free_month(paid, known).map(|(_, due, _)| due),
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

/// Whether anything can be due at `at`. For most commands nothing is, and this check is all that it costs them.
fn may_be_due(account: &OpenAccount, at: Timestamp) -> bool {
    let months = account.subscriptions.terms().iter().filter_map(|paid| paid.next);
    let paid_for = account.subscriptions.facts().values().filter_map(|facts| facts.next());
    ends(account).chain(months).chain(paid_for).any(|due| due <= at)
}

impl DecisionDraft<'_> {
    /// Applies what is due by now.
    pub(super) fn apply_due(&mut self) -> Result<(), Refusal> {
        while let Some((moment, due)) = self.first_due() {
            self.moment = moment;
            match due {
                Due::Ended(event) => self.end(event)?,
                Due::Month(grant, effective_at) => self.grant(grant, effective_at)?,
                Due::Paid(subscription, month) => self.open_month(&subscription, &month)?,
            }
            self.moment = self.context.at;
            self.roll_over()?;
        }
        Ok(())
    }

    fn first_due(&self) -> Option<(Timestamp, Due)> {
        let at = self.context.at;
        if !may_be_due(&self.account, at) {
            return None;
        }
        let hold = self.hold_due().map(|(due, event)| (due, 0, Due::Ended(event)));
        let grant = self.grant_due().map(|(due, event)| (due, 1, Due::Ended(event)));
        // A closed account gets no credits, but those that it has still end.
        let is_open = !self.is_closed;
        let month = is_open.then(|| self.month_due()).flatten();
        let month = month.map(|(due, grant)| (due, 2, Due::Month(grant, due)));
        let paid = is_open.then(|| self.month_to_open()).flatten();
        let paid = paid.map(|(id, month)| (month.due_at().min(at), 3, Due::Paid(id, month)));
        [hold, grant, month, paid]
            .into_iter()
            .flatten()
            .filter(|(due, _, _)| *due <= at)
            .min_by_key(|(due, rank, _)| (*due, *rank))
            .map(|(moment, _, due)| (moment, due))
    }

    /// Records an end. Credits that a hold returns first settle what was taken back of them in the meantime.
    fn end(&mut self, event: Event) -> Result<(), Refusal> {
        let returned = if let Event::Hold(HoldEvent::HoldExpired { returns, effective_at, .. }) = &event {
            Some((returns.clone(), *effective_at))
        } else {
            None
        };
        self.record(event)?;
        returned.map_or(Ok(()), |(returns, effective_at)| self.settle_returns(&returns, effective_at))
    }

    fn hold_due(&self) -> Option<(Timestamp, Event)> {
        let (due, hold) = self.account.wallet.holds.next_to_expire()?;
        let event = Event::Hold(HoldEvent::HoldExpired {
            hold_id: hold.hold_id.clone(),
            returns: hold.draws.clone(),
            purpose: Some(hold.purpose.clone()),
            effective_at: due,
        });
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
            Event::Credits(CreditsEvent::CreditsExpired {
                grant_id,
                amount: grant.remaining,
                effective_at: due,
            })
        } else {
            // The subscription goes on, and its next month is not paid yet.
            Event::Credits(CreditsEvent::GrantEndMoved {
                grant_id,
                ends_at: ends,
                revived: Credits::ZERO,
                effective_at: due,
            })
        };
        Some((due, event))
    }

    fn month_due(&self) -> Option<(Timestamp, GrantTerms)> {
        let paid = self.account.subscriptions.terms().iter();
        paid.filter_map(|paid| self.allocation_due(paid)).min_by_key(|(due, _)| *due)
    }

    /// The next month of a term that is due. A month that is paid late keeps its own bounds.
    fn allocation_due(&self, paid: &PaidTerm) -> Option<(Timestamp, GrantTerms)> {
        let next = paid.next.filter(|next| *next <= self.context.at)?;
        let (number, due, month) = match &paid.term.paid {
            Some(_) => (paid.granted, next, paid.term.month(paid.granted)?),
            None => {
                let known = self.account.known(self.context.catalog);
                self.account.subscriptions.next_free_month(paid, known)?
            }
        };
        Some((due, monthly_grant(&paid.term, number, month)?))
    }
}

/// Something that is due.
enum Due {
    /// A hold or a grant ended.
    Ended(Event),
    /// A month's allocation, and since when it is due.
    Month(GrantTerms, Timestamp),
    /// A month of a subscription that was paid for.
    Paid(ProviderId, Month),
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
        slot: Some(AllocationMonth {
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

/// The id of the first grant of a subscription's month.
/// A second invoice that is paid for the month names its grant otherwise.
fn allocation_id(subscription: &ProviderId, start: Timestamp) -> Option<GrantId> {
    GrantId::parse(&format!("month:{subscription}:{}", start.seconds())).ok()
}

/// The part of a cost for one of `months` months. The parts sum to the cost.
fn share(cost: &Money, number: u32, months: u32) -> Money {
    let months = i64::from(months.max(1));
    let until = |count: i64| cost.minor.saturating_mul(count.min(months)) / months;
    let number = i64::from(number);
    Money { minor: until(number.saturating_add(1)) - until(number), currency: cost.currency.clone() }
}
