//! How are credits held? They are reserved now, and spent or returned later, exactly once.

use chrono::TimeDelta;

use crate::{
    amount::Credits,
    command::{Excess, HoldFor},
    credits::{HOLD_DEFAULT, HOLD_MAX, Hold},
    event::{BURN_ORDER, Draw, Event, HoldEvent, Purpose},
    ids::HoldId,
    refusal::Refusal,
};

use super::draft::DecisionDraft;

impl DecisionDraft<'_> {
    pub(super) fn hold(&mut self, what: &HoldFor, expires_in_s: Option<u32>) -> Result<(), Refusal> {
        let life = expires_in_s.map_or(HOLD_DEFAULT, |seconds| TimeDelta::seconds(i64::from(seconds)));
        check_life(life)?;
        let (amount, purpose) = match what {
            HoldFor::Amount { amount, id, description } => {
                (*amount, Purpose::Named { id: id.clone(), description: description.clone() })
            }
            HoldFor::Generation(generation) => self.price(generation)?,
        };
        let (draws, windows) = self.reserve(amount, &purpose)?;
        let held = Event::Hold(HoldEvent::CreditsHeld {
            hold_id: self.next_hold_id()?,
            amount,
            draws,
            order: BURN_ORDER.to_owned(),
            purpose,
            windows,
            expires_at: self.context.at.plus(life),
            effective_at: self.context.at,
        });
        self.record_last(held);
        Ok(())
    }

    pub(super) fn commit(
        &mut self,
        id: &HoldId,
        amount: Option<Credits>,
        excess: Excess,
    ) -> Result<(), Refusal> {
        let hold = self.open_hold(id)?;
        let requested = amount.unwrap_or(hold.amount);
        let spent = requested.min(hold.amount);
        let beyond = requested.saturating_sub(spent);
        if !beyond.is_zero() && excess == Excess::Reject {
            return Err(Refusal::CommitExceedsHold { held: hold.amount, requested });
        }
        let (draws, returns) = split(&hold.draws, spent);
        let taken = beyond.is_zero() || excess == Excess::Take;
        self.record(Event::Hold(HoldEvent::HoldCommitted {
            hold_id: id.clone(),
            amount: spent,
            draws,
            returns: returns.clone(),
            shortfall: if taken { Credits::ZERO } else { beyond },
            purpose: hold.purpose.clone(),
            effective_at: self.context.at,
        }))?;
        self.settle_returns(&returns, self.context.at)?;
        self.apply_due()?;
        if taken && !beyond.is_zero() {
            // The generation was counted when it was held; the difference counts as credits only.
            let id = hold.purpose.generation_id().cloned();
            self.spend(beyond, Purpose::Named { id, description: Some(format!("beyond {}", hold.hold_id)) })?;
        }
        Ok(())
    }

    pub(super) fn release(&mut self, id: &HoldId) -> Result<(), Refusal> {
        let hold = self.open_hold(id)?;
        self.record(Event::Hold(HoldEvent::HoldReleased {
            hold_id: id.clone(),
            returns: hold.draws.clone(),
            purpose: Some(hold.purpose),
            effective_at: self.context.at,
        }))?;
        self.settle_returns(&hold.draws, self.context.at)?;
        self.apply_due()
    }

    pub(super) fn extend(&mut self, id: &HoldId, expires_in_s: u32) -> Result<(), Refusal> {
        let hold = self.open_hold(id)?;
        let life = TimeDelta::seconds(i64::from(expires_in_s));
        let expires_at = self.context.at.plus(life);
        if life.is_zero() || expires_at > hold.held_at.plus(HOLD_MAX) {
            return Err(too_long());
        }
        let extended = Event::Hold(HoldEvent::HoldExtended {
            hold_id: id.clone(),
            expires_at,
            effective_at: self.context.at,
        });
        self.record_last(extended);
        Ok(())
    }

    fn open_hold(&self, id: &HoldId) -> Result<Hold, Refusal> {
        let holds = &self.account.wallet.holds;
        holds.find(id).cloned().ok_or_else(|| match holds.outcome(id) {
            Some(outcome) => Refusal::HoldAlreadyResolved { outcome },
            None => Refusal::HoldNotFound,
        })
    }
}

fn check_life(life: TimeDelta) -> Result<(), Refusal> {
    if life.is_zero() || life > HOLD_MAX { Err(too_long()) } else { Ok(()) }
}

const fn too_long() -> Refusal {
    Refusal::HoldTooLong { expires_in_s_max: HOLD_MAX.num_seconds() }
}

/// Splits draws into the first `amount` credits and the rest.
fn split(draws: &[Draw], amount: Credits) -> (Vec<Draw>, Vec<Draw>) {
    let mut wanted = amount;
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for draw in draws {
        let taken = wanted.min(draw.amount);
        let left = draw.amount.saturating_sub(taken);
        wanted = wanted.saturating_sub(taken);
        if !taken.is_zero() {
            first.push(Draw { grant_id: draw.grant_id.clone(), amount: taken });
        }
        if !left.is_zero() {
            rest.push(Draw { grant_id: draw.grant_id.clone(), amount: left });
        }
    }
    (first, rest)
}
