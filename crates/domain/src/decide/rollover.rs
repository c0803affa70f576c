//! How much of a month that ended rolls over into the next month, if that is paid?
//!
//! How much of each grant rolls over follows from what is known now.
//! If too much rolled over, because something became known late, the difference is taken from the rollover.

use crate::{
    amount::Credits,
    credits::{AllocationMonth, Grant, GrantTerms, PRIORITY_DEFAULT, Source},
    event::{CreditsEvent, Draw, Event},
    ids::{GrantId, ProviderId},
    months::Month,
    refusal::Refusal,
    time::Timestamp,
};

use super::{draft::DecisionDraft, lots::sum};

/// How much of a grant should roll over, and how much did.
struct RolloverShare<'a> {
    grant: &'a Grant,
    due: Credits,
    carried: Credits,
    /// How many rollover grants there are.
    parts: usize,
}

impl DecisionDraft<'_> {
    /// Rolls the unused part of each ended month over into the month that follows it, if that is paid.
    pub(super) fn roll_over(&mut self) -> Result<(), Refusal> {
        if self.is_closed {
            return Ok(());
        }
        let months: Vec<AllocationMonth> = self.months_to_carry_into();
        for month in &months {
            self.take_excess(month)?;
            while let Some(grant) = self.rollover_due(month) {
                let start = grant.starts_at;
                self.grant(grant, start)?;
            }
        }
        Ok(())
    }

    /// The months that have begun, in the order in which they begin.
    fn months_to_carry_into(&self) -> Vec<AllocationMonth> {
        let facts = self.account.subscriptions.facts();
        let paid = facts.iter().flat_map(|(id, facts)| {
            let paid = facts.months().iter().filter(|month| !self.account.month_due(month).is_zero());
            paid.map(move |month| slot(id, month))
        });
        let others = self.account.wallet.grants().filter(|grant| opens_month(grant));
        let others = others.filter_map(|grant| grant.terms.slot.clone());
        let others = others.filter(|slot| !facts.contains_key(&slot.subscription));
        let mut begun: Vec<AllocationMonth> =
            paid.chain(others).filter(|slot| slot.period.start <= self.context.at).collect();
        begun.extend(self.months_that_are_none(&begun));
        begun.sort_by_key(|slot| slot.period.start);
        begun
    }

    /// Months that have rollover but are not paid by what is known now, such as when an invoice turned out to be
    /// another account's.
    /// Nothing should roll over into them.
    fn months_that_are_none(&self, paid: &[AllocationMonth]) -> Vec<AllocationMonth> {
        let facts = self.account.subscriptions.facts();
        let carried = self.account.wallet.open().iter().filter(|grant| {
            let slot = grant.terms.slot.as_ref();
            let facts = slot.and_then(|slot| facts.get(&slot.subscription));
            // An imported grant has no payment, but belongs to a subscription.
            let is_known = |paid: &ProviderId| facts.is_some_and(|facts| facts.knows_invoice(paid));
            grant.terms.source == Source::Rollover
                && facts.is_some()
                && grant.terms.payment.as_ref().is_none_or(is_known)
        });
        let is_paid = |slot: &AllocationMonth| {
            let mut paid = paid.iter().filter(|month| month.subscription == slot.subscription);
            paid.any(|month| month.period.start == slot.period.start)
        };
        let none = carried.filter_map(|grant| grant.terms.slot.as_ref()).filter(|slot| !is_paid(slot));
        let nothing = |slot: &AllocationMonth| AllocationMonth {
            carry_max: Some(Credits::ZERO),
            carried_from: None,
            ..slot.clone()
        };
        none.map(nothing).collect()
    }

    /// How much of each grant of the month before should roll over, up to the cap, in the order in which the grants
    /// begin.
    /// Credits that were used after that month had ended, while the next one was not paid, count as used from the
    /// rollover.
    /// A grant can have more to roll over later, when a hold on it is released after its end.
    fn shares<'b>(&'b self, month: &'b AllocationMonth) -> Vec<RolloverShare<'b>> {
        let mut ended: Vec<&'b Grant> =
            self.allocations_in(&month.subscription, month.period.start).collect();
        ended.sort_by_key(|grant| (grant.terms.starts_at, &grant.terms.grant_id));
        let used = sum(ended.iter().map(|grant| grant.used_after_end()));
        let mut room = month.carry_max.unwrap_or(Credits::ZERO).saturating_sub(used);
        let share = |grant: &'b Grant| {
            let carried: Vec<&Grant> = self.carried(grant, month).collect();
            // A part of what was taken back of the month may have been taken from its rollover.
            let taken =
                sum(carried.iter().flat_map(|part| [part.clawed_back_left(), part.clawed_back_expired]));
            let due = grant.expired_unasked().saturating_sub(taken).min(room);
            room = room.saturating_sub(due);
            RolloverShare {
                grant,
                due,
                carried: sum(carried.iter().map(|part| kept(part))),
                parts: carried.len(),
            }
        };
        ended.into_iter().map(share).collect()
    }

    /// The rollover of a grant into a month.
    fn carried<'b>(&'b self, from: &'b Grant, month: &'b AllocationMonth) -> impl Iterator<Item = &'b Grant> {
        self.account.wallet.grants().filter(move |grant| {
            grant.terms.source == Source::Rollover
                && grant.terms.slot.as_ref().is_some_and(|slot| {
                    slot.carried_from.as_ref() == Some(&from.terms.grant_id)
                        && slot.period.start == month.period.start
                })
        })
    }

    /// Takes rollover that is more than should have rolled over.
    /// The excess lives as long as the grant that it came from.
    fn take_excess(&mut self, month: &AllocationMonth) -> Result<(), Refusal> {
        let draws: Vec<Draw> =
            self.shares(month).iter().flat_map(|share| self.excess(share, month)).collect();
        if draws.is_empty() {
            return Ok(());
        }
        let of_draw = |draw: &Draw| {
            let slot = self.account.wallet.find(&draw.grant_id)?.terms.slot.as_ref()?;
            slot.carried_from.clone()
        };
        let carried_from: Vec<GrantId> = draws.iter().filter_map(of_draw).collect();
        self.record(Event::Credits(CreditsEvent::CreditsAdjusted {
            amount: sum(draws.iter().map(|draw| draw.amount)),
            draws,
            reason: format!("less is carried into a month of {}", month.plan),
            effective_at: month.period.start,
        }))?;
        self.move_ends_of(&carried_from)
    }

    /// What is left of the rollover of a grant that should not have rolled over.
    fn excess(&self, share: &RolloverShare<'_>, month: &AllocationMonth) -> Vec<Draw> {
        let mut excess = share.carried.saturating_sub(share.due);
        let draws = self.carried(share.grant, month).map(|part| {
            let amount = part.remaining.min(excess);
            excess = excess.saturating_sub(amount);
            Draw { grant_id: part.terms.grant_id.clone(), amount }
        });
        draws.filter(|draw| !draw.amount.is_zero()).collect()
    }

    /// The next rollover grant into `month`.
    fn rollover_due(&self, month: &AllocationMonth) -> Option<GrantTerms> {
        let shares = self.shares(month);
        // Excess rollover that cannot be taken back leaves less for the other grants.
        let cap = month.carry_max?;
        let room = cap.saturating_sub(sum(shares.iter().map(|share| share.carried)));
        shares.iter().find_map(|share| {
            let amount = share.due.saturating_sub(share.carried).min(room);
            let id = || self.id_of_carried(&share.grant.terms.grant_id, share.parts);
            (!amount.is_zero()).then(|| Some(rollover(share.grant, month, amount, id()?)))?
        })
    }

    /// The id is that of the grant that it comes from, with the number of earlier parts.
    /// It may be taken, by the rollover of a grant whose own id ends in a number.
    fn id_of_carried(&self, from: &GrantId, earlier: usize) -> Option<GrantId> {
        let names = (earlier..).map(|number| match number {
            0 => format!("carry:{from}"),
            number => format!("carry:{from}:{number}"),
        });
        let mut ids = names.map_while(|name| GrantId::parse(&name).ok());
        ids.find(|id| self.account.wallet.find(id).is_none())
    }

    /// The allocations of a subscription's month that ends at `end`, without rollover.
    pub(super) fn allocations_in<'b>(
        &'b self,
        subscription: &'b ProviderId,
        end: Timestamp,
    ) -> impl Iterator<Item = &'b Grant> {
        self.account.wallet.grants().filter(move |grant| {
            let slot = grant.terms.slot.as_ref();
            grant.terms.source == Source::Allocation
                && slot.is_some_and(|slot| slot.subscription == *subscription && slot.period.end == end)
        })
    }
}

/// How much of a rollover was not taken back.
fn kept(grant: &Grant) -> Credits {
    grant.terms.amount.saturating_sub(grant.voided).saturating_sub(grant.clawed_back_expired)
}

/// Whether the grant is the first of its month, and not one that an upgrade added.
pub(super) fn opens_month(grant: &Grant) -> bool {
    grant.terms.source == Source::Allocation
        && grant.terms.slot.as_ref().is_some_and(|slot| slot.carry_max.is_some())
}

/// A paid month, in the form that the rollover into it has.
fn slot(subscription: &ProviderId, month: &Month) -> AllocationMonth {
    AllocationMonth {
        subscription: subscription.clone(),
        plan: month.plan.clone(),
        period: month.period,
        allocation: month.allocation,
        carry_max: Some(month.carry_max.unwrap_or(Credits::ZERO)),
        carried_from: None,
        paid_month_end: None,
    }
}

fn rollover(grant: &Grant, month: &AllocationMonth, amount: Credits, grant_id: GrantId) -> GrantTerms {
    GrantTerms {
        // This sorts before the `month:` grant that it rolls over into, so it is spent first, even if both are free.
        grant_id,
        source: Source::Rollover,
        amount,
        starts_at: month.period.start,
        expires_at: Some(month.period.end),
        priority: PRIORITY_DEFAULT,
        // Its revenue was recognised in the month that it comes from.
        cost: None,
        // A refund of that payment also takes back the rollover.
        payment: grant.terms.payment.clone(),
        slot: Some(AllocationMonth {
            carried_from: Some(grant.terms.grant_id.clone()),
            carry_max: None,
            ..month.clone()
        }),
        reason: None,
    }
}
