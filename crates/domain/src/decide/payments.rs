//! What follows when money is returned? Refunds take back what was bought, and disputes freeze it.
//!
//! The state of each payment is compared with what was already taken, so that repeated reports, and reports before
//! their grant, have the same result.
//! Money can also come back to the business, when a refund fails or a lost dispute is won after all: then the credits
//! are returned, in the opposite order.

use crate::{
    amount::Credits,
    command::PaymentCommand,
    credits::{Grant, Source},
    event::{CreditsEvent, Event, PaymentEvent},
    ids::{GrantId, ProviderId},
    payments::DisputeState,
    refusal::Refusal,
    time::Timestamp,
};

use super::{
    draft::DecisionDraft,
    lots::{ClawBackTarget, Lot},
};

impl DecisionDraft<'_> {
    /// Records a report on returned money, or on money that came back, and adjusts credits to it.
    pub(super) fn return_money(&mut self, command: &PaymentCommand) -> Result<(), Refusal> {
        let Some(event) = self.new_event(command) else {
            return Ok(());
        };
        let (payment, effective_at) = (event.returned_of().cloned(), event.effective_at());
        self.record_of_money(Event::Payment(event))?;
        if let Some(payment) = payment {
            let bought = self.account.payments.bought_by(&payment).clone();
            self.settle_payment(&bought, effective_at)?;
        }
        // Credits that were returned to a grant that has ended expire now, and may roll over.
        self.settle_facts()
    }

    /// The event of a report. `None`: it says nothing new.
    fn new_event(&self, command: &PaymentCommand) -> Option<PaymentEvent> {
        let known = &self.account.payments;
        match command.clone() {
            PaymentCommand::LinkPayment { payment, invoice, effective_at } => known
                .invoice_of(&payment)
                .is_none()
                .then_some(PaymentEvent::PaymentLinked { payment, invoice, effective_at }),
            PaymentCommand::RecordRefundedPayment { payment, refunded, paid, effective_at } => {
                let news = !known.knows_total(&payment, refunded.minor, effective_at);
                news.then_some(PaymentEvent::PaymentRefunded { payment, refunded, paid, effective_at })
            }
            PaymentCommand::RecordRefund { refund, payment, money, effective_at } => {
                let news = !known.knows_refund(&payment, &refund, false);
                news.then_some(PaymentEvent::RefundIssued { refund, payment, money, effective_at })
            }
            PaymentCommand::RecordFailedRefund { refund, payment, money, refunded_at, effective_at } => {
                let news = !known.knows_refund(&payment, &refund, true);
                news.then_some(PaymentEvent::RefundFailed {
                    refund,
                    payment,
                    money,
                    refunded_at,
                    effective_at,
                })
            }
            PaymentCommand::RecordCreditNote { note, invoice, money, voided, effective_at } => {
                let news = !known.knows_note(&invoice, &note, voided);
                let event = if voided {
                    PaymentEvent::CreditNoteVoided { note, invoice, money, effective_at }
                } else {
                    PaymentEvent::CreditNoteIssued { note, invoice, money, effective_at }
                };
                news.then_some(event)
            }
            PaymentCommand::OpenDispute { dispute, payment, money, effective_at } => {
                let news = known.dispute(&dispute).is_none();
                news.then_some(PaymentEvent::DisputeOpened { dispute, payment, money, effective_at })
            }
            PaymentCommand::CloseDispute { dispute, payment, won, money, effective_at } => {
                let news = !known.knows_end(&dispute, won, effective_at);
                news.then_some(PaymentEvent::DisputeClosed { dispute, payment, won, money, effective_at })
            }
        }
    }

    /// Adjusts the grants of a payment to its refunds and disputes.
    pub(super) fn settle_payment(
        &mut self,
        payment: &ProviderId,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let payments = &self.account.payments;
        let bought = self.account.wallet.grants().filter(|grant| {
            let by = grant.terms.payment.as_ref().map(|by| payments.bought_by(by));
            by == Some(payment)
        });
        let (carried, own): (Vec<&Grant>, Vec<&Grant>) =
            bought.partition(|grant| grant.terms.source == Source::Rollover);
        let returned = self.account.payments.returned(payment);
        let lots: Vec<(Vec<GrantId>, Option<Credits>)> = own
            .iter()
            .map(|grant| {
                let target = (!self.is_of_month(grant)).then(|| returned.share_of(grant.terms.amount));
                (grant_chain(grant, &carried), target)
            })
            .collect();
        for id in lots.iter().flat_map(|(grants, _)| grants) {
            self.freeze_or_thaw(payment, id, effective_at)?;
        }
        for (grants, target) in lots {
            if let Some(amount) = target {
                let grant_chain = Lot { grants, payment: payment.clone() };
                self.bring_to(&grant_chain, ClawBackTarget { amount, owed: amount }, effective_at)?;
            }
        }
        Ok(())
    }

    /// Whether the grant belongs to a month that is computed from facts, which also decide how much of it is taken
    /// back.
    fn is_of_month(&self, grant: &Grant) -> bool {
        let slot = grant.terms.slot.as_ref();
        let facts = slot.and_then(|slot| self.account.subscriptions.facts().get(&slot.subscription));
        facts.zip(grant.terms.payment.as_ref()).is_some_and(|(facts, paid)| facts.knows_invoice(paid))
    }

    fn freeze_or_thaw(
        &mut self,
        payment: &ProviderId,
        id: &GrantId,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let payments = &self.account.payments;
        let open = payments.disputes_of(payment).find(|(_, dispute)| dispute.state == DisputeState::Open);
        let open = open.map(|(id, _)| id.clone());
        let frozen_by = self.account.wallet.find(id).and_then(|grant| grant.frozen_by.clone());
        match (open, frozen_by) {
            (Some(dispute), None) => self.record(Event::Credits(CreditsEvent::GrantFrozen {
                grant_id: id.clone(),
                dispute,
                effective_at,
            })),
            (None, Some(dispute)) => self.record(Event::Credits(CreditsEvent::GrantUnfrozen {
                grant_id: id.clone(),
                dispute,
                effective_at,
            })),
            (Some(_), Some(_)) | (None, None) => Ok(()),
        }
    }
}

/// A grant and its rollovers, which are clawed back together.
fn grant_chain(grant: &Grant, carried: &[&Grant]) -> Vec<GrantId> {
    let id = &grant.terms.grant_id;
    let from = |grant: &Grant| grant.terms.slot.as_ref().and_then(|slot| slot.carried_from.clone());
    let carried = carried.iter().filter(|grant| from(grant).as_ref() == Some(id));
    std::iter::once(grant).chain(carried.copied()).map(|grant| grant.terms.grant_id.clone()).collect()
}
