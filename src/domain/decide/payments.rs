//! Money that goes back: refunds take back what was bought, disputes freeze it.
//!
//! Each payment's state is compared with what was already taken, so repeated reports, and reports before the
//! grant that they are about, end the same. Money can also come again, when a refund fails or a lost dispute is
//! won after all: then what was taken comes back, in the opposite order.

use crate::domain::{
    amount::{Credits, Ratio},
    catalog::DebtPolicy,
    command::Command,
    credits::{Grant, GrantTerms, PRIORITY_DEFAULT, Source},
    event::Event,
    names::{GrantId, ProviderId},
    payments::{DisputeState, Returned},
    refusal::Refusal,
    time::Timestamp,
};

use super::{draft::Draft, refunds::REISSUED_LIFE};

impl Draft<'_> {
    /// Records a report on money that went back, or came again, and lets its credits follow.
    pub(super) fn return_money(&mut self, command: &Command) -> Result<(), Refusal> {
        let Some(event) = self.news(command) else {
            return Ok(());
        };
        let (payment, effective_at) = (subject(&event).cloned(), event.effective_at());
        self.record(event)?;
        if let Some(payment) = payment {
            let bought = self.account.payments.bought_by(&payment).clone();
            self.settle_payment(&bought, effective_at)?;
        }
        // What came back to a grant that has ended expires now, and may be carried on.
        self.pass_time()?;
        self.roll_over()
    }

    /// What a report says that is not known; `None` when there is nothing.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`decide` names every command and sends only these here"
    )]
    fn news(&self, command: &Command) -> Option<Event> {
        let known = &self.account.payments;
        match command.clone() {
            Command::LinkPayment { payment, invoice, effective_at } => known
                .invoice_of(&payment)
                .is_none()
                .then_some(Event::PaymentLinked { payment, invoice, effective_at }),
            Command::RecordRefundedPayment { payment, refunded, paid, effective_at } => {
                let news = !known.knows_total(&payment, refunded.minor, effective_at);
                news.then_some(Event::PaymentRefunded { payment, refunded, paid, effective_at })
            }
            Command::RecordRefund { refund, payment, money, effective_at } => {
                let news = !known.knows_refund(&payment, &refund, false);
                news.then_some(Event::RefundIssued { refund, payment, money, effective_at })
            }
            Command::RecordFailedRefund { refund, payment, money, refunded_at, effective_at } => {
                let news = !known.knows_refund(&payment, &refund, true);
                news.then_some(Event::RefundFailed { refund, payment, money, refunded_at, effective_at })
            }
            Command::OpenDispute { dispute, payment, money, effective_at } => {
                let news = known.dispute(&dispute).is_none();
                news.then_some(Event::DisputeOpened { dispute, payment, money, effective_at })
            }
            Command::CloseDispute { dispute, payment, won, money, effective_at } => {
                let news = !known.knows_end(&dispute, won, effective_at);
                news.then_some(Event::DisputeClosed { dispute, payment, won, money, effective_at })
            }
            _ => None,
        }
    }

    /// Brings the grants of a payment to where its refunds and disputes say that they are.
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
        let (carried, lots): (Vec<&Grant>, Vec<&Grant>) =
            bought.partition(|grant| grant.terms.source == Source::Rollover);
        let lots: Vec<Vec<GrantId>> = lots.iter().map(|grant| lot(grant, &carried)).collect();
        for id in lots.iter().flatten() {
            self.freeze_or_thaw(payment, id, effective_at)?;
        }
        lots.iter().try_for_each(|lot| self.take_or_restore(payment, lot, effective_at))
    }

    /// Compares what a refund or a lost dispute takes back with what was taken already.
    fn take_or_restore(
        &mut self,
        payment: &ProviderId,
        lot: &[GrantId],
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let grants = || lot.iter().filter_map(|id| self.account.wallet.find(id));
        let taken = Credits::checked_sum(grants().map(|grant| grant.clawed_back)).unwrap_or(Credits::MAX);
        let returned = self.account.payments.returned(payment);
        let target = grants().next().map_or(Credits::ZERO, |grant| target(grant, returned));
        if target < taken {
            return self.restore(payment, lot, taken.saturating_sub(target), effective_at);
        }
        self.claw_back(payment, lot, target.saturating_sub(taken), effective_at)
    }

    fn claw_back(
        &mut self,
        payment: &ProviderId,
        lot: &[GrantId],
        wanted: Credits,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let grants: Vec<&Grant> = lot.iter().filter_map(|id| self.account.wallet.find(id)).collect();
        for (grant_id, taken) in lot.iter().zip(take(&grants, wanted)) {
            let (owed, forgiven) = match self.context.catalog.debt {
                DebtPolicy::Owe => (taken.spent, Credits::ZERO),
                DebtPolicy::Forgive => (Credits::ZERO, taken.spent),
            };
            if taken == Part::default() {
                continue;
            }
            self.record(Event::CreditsClawedBack {
                payment: payment.clone(),
                grant_id: grant_id.clone(),
                voided: taken.left,
                expired: taken.expired,
                owed,
                forgiven,
                effective_at,
            })?;
        }
        Ok(())
    }

    /// Gives back what was taken, the last part first, so that what stays taken is what a smaller refund would
    /// have taken.
    fn restore(
        &mut self,
        payment: &ProviderId,
        lot: &[GrantId],
        wanted: Credits,
        effective_at: Timestamp,
    ) -> Result<(), Refusal> {
        let grants: Vec<&Grant> = lot.iter().filter_map(|id| self.account.wallet.find(id)).collect();
        let restored = give_back(&grants, wanted);
        for (grant_id, part) in lot.iter().zip(restored) {
            let Some(grant) = self.account.wallet.find(grant_id).filter(|_| part != Part::default()) else {
                continue;
            };
            let (owed, ends) = (part.spent.min(grant.clawed_back_owed), grant.terms.expires_at);
            let unowed = owed.min(self.account.wallet.debt);
            let repaid = owed.saturating_sub(unowed);
            self.record(Event::CreditsRestored {
                payment: payment.clone(),
                grant_id: grant_id.clone(),
                restored: part.left,
                expired: part.expired,
                unowed,
                repaid,
                unforgiven: part.spent.saturating_sub(owed),
                effective_at,
            })?;
            self.reimburse(repaid, ends)?;
        }
        Ok(())
    }

    /// Other credits have paid a debt that is none any more. As many come back, for as long as the grant lives
    /// that was taken back, and at least for as long as any credits that come back late.
    fn reimburse(&mut self, repaid: Credits, ends: Option<Timestamp>) -> Result<(), Refusal> {
        if repaid.is_zero() {
            return Ok(());
        }
        let at = self.context.at;
        let grant = GrantTerms {
            grant_id: self.next_grant_id("refund")?,
            source: Source::Refund,
            amount: repaid,
            starts_at: at,
            expires_at: ends.map(|ends| ends.max(at.plus(REISSUED_LIFE))),
            priority: PRIORITY_DEFAULT,
            cost: None,
            payment: None,
            slot: None,
            reason: Some("the payment was not taken back after all".to_owned()),
        };
        self.grant(grant, at)
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
            (Some(dispute), None) => {
                self.record(Event::GrantFrozen { grant_id: id.clone(), dispute, effective_at })
            }
            (None, Some(dispute)) => {
                self.record(Event::GrantUnfrozen { grant_id: id.clone(), dispute, effective_at })
            }
            (Some(_), Some(_)) | (None, None) => Ok(()),
        }
    }
}

/// The payment that a report is about.
#[expect(clippy::wildcard_enum_match_arm, reason = "`news` makes only these events, and all have one")]
const fn subject(event: &Event) -> Option<&ProviderId> {
    match event {
        Event::PaymentLinked { payment, .. }
        | Event::PaymentRefunded { payment, .. }
        | Event::RefundIssued { payment, .. }
        | Event::RefundFailed { payment, .. }
        | Event::DisputeOpened { payment, .. }
        | Event::DisputeClosed { payment, .. } => Some(payment),
        _ => None,
    }
}

/// A part of one grant, by what had become of its credits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Part {
    left: Credits,
    expired: Credits,
    spent: Credits,
}

/// Takes `wanted` of a lot: what is left of the grant, what of it had expired, then the same of what was
/// carried on, and what was spent last. So a refund takes the same whether it is reported before the end of a
/// month or after it.
fn take(lot: &[&Grant], wanted: Credits) -> Vec<Part> {
    let mut wanted = wanted;
    let mut up_to = |there: Credits| {
        let amount = there.min(wanted);
        wanted = wanted.saturating_sub(amount);
        amount
    };
    let carried = lot.iter().skip(1).map(|grant| grant.terms.amount);
    let carried = Credits::checked_sum(carried).unwrap_or(Credits::MAX);
    let mut taken = Vec::with_capacity(lot.len());
    for (number, grant) in lot.iter().enumerate() {
        let left = up_to(grant.remaining);
        // What was carried on is there, as a grant of its own.
        let elsewhere = if number == 0 { carried } else { Credits::ZERO };
        let expired = up_to(grant.expired_unasked().saturating_sub(elsewhere));
        taken.push(Part { left, expired, spent: Credits::ZERO });
    }
    for (grant, taken) in lot.iter().zip(&mut taken) {
        taken.spent = up_to(grant.spent_unasked());
    }
    taken
}

/// A grant and what was carried on of it, which are one as far as its payment goes.
fn lot(grant: &Grant, carried: &[&Grant]) -> Vec<GrantId> {
    let id = &grant.terms.grant_id;
    let from = |grant: &Grant| grant.terms.slot.as_ref().and_then(|slot| slot.carried_from.clone());
    let carried = carried.iter().filter(|grant| from(grant).as_ref() == Some(id));
    std::iter::once(grant).chain(carried.copied()).map(|grant| grant.terms.grant_id.clone()).collect()
}

/// The opposite of [`take`]: of what was taken of a lot, `wanted` comes back, what was taken last first.
fn give_back(lot: &[&Grant], wanted: Credits) -> Vec<Part> {
    let mut wanted = wanted;
    let mut up_to = |there: Credits| {
        let amount = there.min(wanted);
        wanted = wanted.saturating_sub(amount);
        amount
    };
    let spent: Vec<Credits> = lot.iter().rev().map(|grant| up_to(grant.clawed_back_spent)).collect();
    let given = lot.iter().rev().zip(spent).map(|(grant, spent)| {
        let expired = up_to(grant.clawed_back_expired);
        Part { left: up_to(grant.clawed_back_left()), expired, spent }
    });
    let mut given: Vec<Part> = given.collect();
    given.reverse();
    given
}

/// How many of a grant's credits are to be taken back in all: `floor(granted × returned ÷ paid)`.
fn target(grant: &Grant, money: Returned) -> Credits {
    if money.whole {
        return grant.terms.amount;
    }
    let paid = money.paid.and_then(|paid| u64::try_from(paid).ok()).unwrap_or(0);
    let returned = u64::try_from(money.returned).unwrap_or(0).min(paid);
    let share = Ratio::new(returned, paid);
    share.and_then(|share| grant.terms.amount.checked_mul_floor(share)).unwrap_or(Credits::ZERO)
}
