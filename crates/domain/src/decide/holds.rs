//! How are credits held? They are reserved now, and spent or returned later, at once or in parts, each exactly once.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::{
    amount::Credits,
    command::{Excess, HoldFor},
    credits::{HOLD_DEFAULT, HOLD_MAX, Hold},
    event::{BURN_ORDER, Draw, Event, HoldEvent, Purpose},
    ids::{GenerationId, HoldId},
    limits,
    refusal::Refusal,
    time::Timestamp,
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
        let left = hold.left();
        let requested = amount.unwrap_or(left);
        let spent = requested.min(left);
        let beyond = requested.saturating_sub(spent);
        if !beyond.is_zero() && excess == Excess::Reject {
            return Err(Refusal::CommitExceedsHold { held: left, requested });
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
            windows: (!hold.is_as_opened()).then(|| limits::split(&hold.windows, spent).0),
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
            purpose: Some(hold.purpose.clone()),
            effective_at: self.context.at,
        }))?;
        self.settle_returns(&hold.draws, self.context.at)?;
        self.apply_due()
    }

    /// Spends a part of a hold. It was counted in windows when it was held, so no limit can refuse it.
    pub(super) fn spend_part(
        &mut self,
        id: &HoldId,
        amount: Credits,
        generation: Option<&GenerationId>,
        description: Option<&String>,
    ) -> Result<(), Refusal> {
        let hold = self.open_hold(id)?;
        let left = rest_of(&hold, amount)?;
        let spent = Event::Hold(HoldEvent::HoldSpent {
            deduction_id: self.next_deduction_id()?,
            hold_id: id.clone(),
            amount,
            draws: split(&hold.draws, amount).0,
            left,
            purpose: hold.purpose.of(generation),
            description: description.cloned(),
            windows: limits::split(&hold.windows, amount).0,
            effective_at: self.context.at,
        });
        self.record_last(spent);
        Ok(())
    }

    /// Adds credits to a hold, if they could be held anew. A generation that is held for was counted with the hold.
    pub(super) fn top_up(
        &mut self,
        id: &HoldId,
        amount: Credits,
        expires_in_s: Option<u32>,
    ) -> Result<(), Refusal> {
        let hold = self.open_hold(id)?;
        let moved = expires_in_s.map(|seconds| self.extended_end(&hold, seconds)).transpose()?;
        if let Purpose::Generation { kind, .. } = &hold.purpose {
            self.check_features(kind)?;
        }
        let (draws, windows) = self.reserve_for(0, amount, &hold.purpose)?;
        hold.amount.checked_add(amount).ok_or(Refusal::AmountTooLarge)?;
        let topped_up = Event::Hold(HoldEvent::HoldToppedUp {
            hold_id: id.clone(),
            amount,
            draws,
            order: BURN_ORDER.to_owned(),
            left: hold.left().checked_add(amount).ok_or(Refusal::AmountTooLarge)?,
            purpose: hold.purpose.clone(),
            windows,
            expires_at: moved.unwrap_or(hold.expires_at),
            effective_at: self.context.at,
        });
        self.record_last(topped_up);
        Ok(())
    }

    /// Returns a part of a hold: what would be spent last.
    pub(super) fn reduce(&mut self, id: &HoldId, amount: Credits) -> Result<(), Refusal> {
        let hold = self.open_hold(id)?;
        let left = rest_of(&hold, amount)?;
        let (_, returns) = split(&hold.draws, left);
        self.record(Event::Hold(HoldEvent::HoldReduced {
            hold_id: id.clone(),
            amount,
            returns: returns.clone(),
            left,
            purpose: hold.purpose.clone(),
            windows: limits::split(&hold.windows, left).1,
            effective_at: self.context.at,
        }))?;
        self.settle_returns(&returns, self.context.at)?;
        self.apply_due()
    }

    pub(super) fn extend(&mut self, id: &HoldId, expires_in_s: u32) -> Result<(), Refusal> {
        let hold = self.open_hold(id)?;
        let extended = Event::Hold(HoldEvent::HoldExtended {
            hold_id: id.clone(),
            expires_at: self.extended_end(&hold, expires_in_s)?,
            effective_at: self.context.at,
        });
        self.record_last(extended);
        Ok(())
    }

    /// The end of a hold, so many seconds from now.
    fn extended_end(&self, hold: &Hold, expires_in_s: u32) -> Result<Timestamp, Refusal> {
        let life = TimeDelta::seconds(i64::from(expires_in_s));
        let expires_at = self.context.at.plus(life);
        let is_possible = !life.is_zero() && expires_at <= hold.held_at.plus(HOLD_MAX);
        is_possible.then_some(expires_at).ok_or_else(too_long)
    }

    fn open_hold(&self, id: &HoldId) -> Result<Arc<Hold>, Refusal> {
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

/// What is left of a hold without `amount`.
fn rest_of(hold: &Hold, amount: Credits) -> Result<Credits, Refusal> {
    let left = hold.left();
    left.checked_sub(amount).ok_or(Refusal::AmountExceedsHold { left, requested: amount })
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
