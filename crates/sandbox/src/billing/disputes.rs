//! What happens when a customer's bank wants the money back?

use crate::{
    calendar::DAY_S,
    call::ObjectMetadata,
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{
        card::Behaviour,
        dispute::{DisputeStatus, SandboxDispute},
        refund::{RefundStatus, SandboxRefund},
    },
};

/// How long it takes until a refund turns out not to be payable.
const REFUND_FAILS_S: i64 = 2 * DAY_S;

impl SandboxState {
    /// Some test cards are disputed as soon as they are charged.
    pub fn dispute_by_card(&mut self, charge: &str) -> Result<(), SandboxFailure> {
        let row = self.store.charges.get(charge)?;
        let (captured, amount) = (row.captured, row.amount);
        let behaviour = self.store.payment_methods.get(&row.payment_method)?.card.behaviour;
        match behaviour {
            Behaviour::Disputes if captured => {
                self.open_dispute(charge, amount, "fraudulent", DisputeStatus::NeedsResponse).map(drop)
            }
            Behaviour::Inquires if captured => {
                self.open_dispute(charge, amount, "fraudulent", DisputeStatus::WarningNeedsResponse).map(drop)
            }
            Behaviour::Disputes
            | Behaviour::Inquires
            | Behaviour::Succeeds
            | Behaviour::Refuses(_)
            | Behaviour::AttachesThenFails
            | Behaviour::AuthenticatesOnce
            | Behaviour::AuthenticatesAlways
            | Behaviour::RefundsFail
            | Behaviour::DebitSucceeds
            | Behaviour::DebitFails => Ok(()),
        }
    }

    pub fn open_dispute(
        &mut self,
        charge: &str,
        amount: i64,
        reason: &str,
        status: DisputeStatus,
    ) -> Result<String, SandboxFailure> {
        let row = self.store.charges.get(charge)?;
        if row.disputed {
            return Err(SandboxFailure::invalid("This charge is disputed already.").param("charge"));
        }
        let left = row.amount_captured.saturating_sub(row.amount_refunded);
        if amount <= 0 || amount > left {
            return Err(SandboxFailure::invalid(format!("A dispute of this charge is of 1 to {left}."))
                .param("amount"));
        }
        // What the network prevents, it gives back to the cardholder itself.
        let withdrawn = status == DisputeStatus::NeedsResponse
            || (status == DisputeStatus::Prevented && self.prevented_withdraws);
        let dispute = SandboxDispute {
            id: String::new(),
            created: self.store.now,
            amount,
            charge: charge.to_owned(),
            payment_intent: row.payment_intent.clone(),
            currency: row.currency.clone(),
            reason: reason.to_owned(),
            status,
            funds_withdrawn: withdrawn,
            funds_reinstated: false,
            has_evidence: false,
            metadata: ObjectMetadata::new(),
        };
        let id = self.store.ids.make("du");
        self.store.disputes.put(SandboxDispute { id: id.clone(), ..dispute });
        self.store.charges.get_mut(charge)?.disputed = true;
        self.emit_dispute("charge.dispute.created", &id)?;
        if withdrawn {
            self.emit_dispute("charge.dispute.funds_withdrawn", &id)?;
        }
        if status == DisputeStatus::Prevented {
            self.emit_dispute("charge.dispute.closed", &id)?;
        }
        Ok(id)
    }

    /// It is decided. What was won comes back; an inquiry never took anything.
    pub fn close_dispute(&mut self, id: &str, status: DisputeStatus) -> Result<(), SandboxFailure> {
        let withdraws = self.prevented_withdraws;
        let row = self.store.disputes.get_mut(id)?;
        if !row.status.is_open() {
            return Err(SandboxFailure::invalid("This dispute is already closed.").code("dispute_closed"));
        }
        let inquiry = row.status == DisputeStatus::WarningNeedsResponse;
        row.status =
            if inquiry && status == DisputeStatus::Lost { DisputeStatus::WarningClosed } else { status };
        row.funds_reinstated = row.funds_withdrawn && status == DisputeStatus::Won;
        let prevented = status == DisputeStatus::Prevented && !row.funds_withdrawn && withdraws;
        row.funds_withdrawn = row.funds_withdrawn || prevented;
        let reinstated = row.funds_reinstated;
        if prevented {
            self.emit_dispute("charge.dispute.funds_withdrawn", id)?;
        }
        self.emit_dispute("charge.dispute.closed", id)?;
        if reinstated {
            self.emit_dispute("charge.dispute.funds_reinstated", id)?;
        }
        Ok(())
    }

    pub fn emit_dispute(&mut self, kind: &str, id: &str) -> Result<(), SandboxFailure> {
        let object = self.store.disputes.get(id)?.render(&self.store);
        self.emit(kind, object);
        Ok(())
    }

    /// Gives money back.
    pub fn refund(
        &mut self,
        charge: &str,
        amount: Option<i64>,
        reason: Option<String>,
        metadata: ObjectMetadata,
    ) -> Result<String, SandboxFailure> {
        let row = self.store.charges.get(charge)?;
        let left = row.amount_captured.saturating_sub(row.amount_refunded);
        if left == 0 && row.amount_refunded > 0 {
            let message = format!("Charge {charge} has already been refunded.");
            return Err(SandboxFailure::invalid(message).code("charge_already_refunded"));
        }
        if row.disputed && self.withdrawn(charge) {
            let message = format!("Charge {charge} has been charged back; cannot issue a refund.");
            return Err(SandboxFailure::invalid(message).code("charge_disputed"));
        }
        let amount = amount.unwrap_or(left);
        if amount <= 0 || amount > left {
            let message =
                format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})");
            return Err(SandboxFailure::invalid(message).param("amount"));
        }
        let fails =
            self.store.payment_methods.get(&row.payment_method)?.card.behaviour == Behaviour::RefundsFail;
        let refund = SandboxRefund {
            id: String::new(),
            created: self.store.now,
            amount,
            charge: charge.to_owned(),
            payment_intent: row.payment_intent.clone(),
            currency: row.currency.clone(),
            reason,
            status: RefundStatus::Succeeded,
            metadata,
            fails_at: fails.then(|| self.store.now.saturating_add(REFUND_FAILS_S)),
        };
        let id = self.store.ids.make("re");
        self.store.refunds.put(SandboxRefund { id: id.clone(), ..refund });
        let row = self.store.charges.get_mut(charge)?;
        row.amount_refunded = row.amount_refunded.saturating_add(amount);
        self.emit_refund("refund.created", &id)?;
        self.emit_charge("charge.refunded", charge)?;
        self.emit_refund("refund.updated", &id)?;
        self.emit_refund("charge.refund.updated", &id)?;
        Ok(id)
    }

    fn withdrawn(&self, charge: &str) -> bool {
        let mut disputes = self.store.disputes.iter().filter(|dispute| dispute.charge == charge);
        disputes.any(|dispute| dispute.funds_withdrawn && !dispute.funds_reinstated)
    }

    /// It could not be paid out after all.
    pub fn fail_refund(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let row = self.store.refunds.get_mut(id)?;
        if row.status == RefundStatus::Failed {
            return Err(SandboxFailure::invalid("This refund has failed already."));
        }
        row.status = RefundStatus::Failed;
        row.fails_at = None;
        let (charge, amount) = (row.charge.clone(), row.amount);
        let charge = self.store.charges.get_mut(&charge)?;
        charge.amount_refunded = charge.amount_refunded.saturating_sub(amount);
        self.emit_refund("refund.updated", id)?;
        self.emit_refund("charge.refund.updated", id)?;
        self.emit_refund("refund.failed", id)
    }

    pub fn emit_refund(&mut self, kind: &str, id: &str) -> Result<(), SandboxFailure> {
        let object = self.store.refunds.get(id)?.render(&self.store);
        self.emit(kind, object);
        Ok(())
    }
}
