//! What does a command do? This is the one place that decides it.
//!
//! `decide` says which events a command has, or why it is refused; it changes nothing. What is due because time passed
//! comes before every command, so that an expiry is in the journal before a decision that depends on it.

mod billing;
mod draft;
mod due;
mod ends;
mod grants;
mod holds;
mod invoices;
mod lots;
mod months;
mod moving;
mod payments;
mod refunds;
mod returns;
mod rollover;
mod spending;
mod trials;

use std::borrow::Cow;

use draft::DecisionDraft;

pub use due::next_due;
pub use grants::opening_grant_id;

use super::{
    account::{Account, OpenAccount},
    catalog::Catalog,
    command::Command,
    event::{Event, NoticeEvent, PaymentEvent},
    refusal::Refusal,
    time::Timestamp,
};

/// What a decision needs besides the account: the time, and the catalog.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub at: Timestamp,
    pub catalog: &'a Catalog,
}

/// An account once all that is due by now has happened, without the events. A closed account gets nothing, and what it
/// has still ends.
///
/// # Errors
/// If a sum of something due is too large.
pub(super) fn settled<'a>(
    account: &'a OpenAccount,
    is_closed: bool,
    context: Context<'a>,
) -> Result<Cow<'a, OpenAccount>, Refusal> {
    let of = if is_closed { DecisionDraft::of_closed } else { DecisionDraft::of };
    Ok(of(account, context)?.into_account())
}

/// Decides what `command` does to `account`. Changes nothing.
///
/// No events means that the account is already as the command asks.
///
/// # Errors
/// If the rules do not allow it. The account is then as it was.
pub fn decide(account: &Account, command: &Command, context: Context<'_>) -> Result<Vec<Event>, Refusal> {
    match (account, command) {
        (Account::Unopened, Command::OpenAccount) => Ok(DecisionDraft::open(context)?.finish()),
        (Account::Unopened, Command::ImportAccount(import)) => moving::import(import, context),
        // A report of the payment provider's opens the account: money must never wait for one.
        (
            Account::Unopened,
            Command::LinkCustomer { .. }
            | Command::UnlinkCustomer { .. }
            | Command::RecordDiscount(_)
            | Command::RecordSubscription(_)
            | Command::RecordPaidInvoice(_)
            | Command::RecordPackPurchase(_)
            | Command::RecordFailedPayment { .. }
            | Command::RecordActionRequired { .. }
            | Command::RecordCheckout(_)
            | Command::RecordRefundedPayment { .. }
            | Command::AnnounceTrialEnd { .. }
            | Command::LinkPayment { .. }
            | Command::RecordRefund { .. }
            | Command::RecordFailedRefund { .. }
            | Command::RecordUnpaidInvoice { .. }
            | Command::RecordCreditNote { .. }
            | Command::OpenDispute { .. }
            | Command::CloseDispute { .. },
        ) => decide_open(DecisionDraft::open(context)?, command),
        (
            Account::Unopened,
            Command::SetMetadata { .. }
            | Command::RecordRequestedChange(_)
            | Command::CloseAccount { .. }
            | Command::DeductCredits { .. }
            | Command::Generate(_)
            | Command::HoldCredits { .. }
            | Command::CommitHold { .. }
            | Command::ReleaseHold { .. }
            | Command::ExtendHold { .. }
            | Command::RefundDeductions { .. }
            | Command::GrantCredits(_)
            | Command::AdjustCredits { .. }
            | Command::ForgiveDebt { .. }
            | Command::ApplyDue,
        ) => Err(Refusal::AccountNotFound),
        // Reports on its subscriptions and payments are still recorded.
        (Account::Closed(closed), command) if is_fact(command) || *command == Command::ApplyDue => {
            decide_open(DecisionDraft::of_closed(&closed.last, context)?, command)
        }
        (Account::Closed(_), _) => Err(Refusal::AccountClosed),
        (Account::Open(account), command) => decide_open(DecisionDraft::of(account, context)?, command),
    }
}

/// Whether the command reports something that has happened at the payment provider, which no rule can forbid.
const fn is_fact(command: &Command) -> bool {
    match command {
        Command::LinkCustomer { .. }
        | Command::UnlinkCustomer { .. }
        | Command::RecordDiscount(_)
        | Command::RecordSubscription(_)
        | Command::RecordRequestedChange(_)
        | Command::RecordPaidInvoice(_)
        | Command::RecordUnpaidInvoice { .. }
        | Command::RecordCreditNote { .. }
        | Command::RecordPackPurchase(_)
        | Command::RecordFailedPayment { .. }
        | Command::RecordActionRequired { .. }
        | Command::RecordCheckout(_)
        | Command::RecordRefundedPayment { .. }
        | Command::AnnounceTrialEnd { .. }
        | Command::LinkPayment { .. }
        | Command::RecordRefund { .. }
        | Command::RecordFailedRefund { .. }
        | Command::OpenDispute { .. }
        | Command::CloseDispute { .. } => true,
        Command::OpenAccount
        | Command::ImportAccount(_)
        | Command::SetMetadata { .. }
        | Command::CloseAccount { .. }
        | Command::DeductCredits { .. }
        | Command::Generate(_)
        | Command::HoldCredits { .. }
        | Command::CommitHold { .. }
        | Command::ReleaseHold { .. }
        | Command::ExtendHold { .. }
        | Command::RefundDeductions { .. }
        | Command::GrantCredits(_)
        | Command::AdjustCredits { .. }
        | Command::ForgiveDebt { .. }
        | Command::ApplyDue => false,
    }
}

/// One command on an open account. The draft already has what is due.
fn decide_open(mut draft: DecisionDraft<'_>, command: &Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::OpenAccount | Command::ApplyDue => {}
        // What it had elsewhere would come on top of what it has.
        Command::ImportAccount(_) => return Err(Refusal::AccountAlreadyOpen),
        Command::SetMetadata { metadata } => draft.set_metadata(metadata),
        Command::CloseAccount { reason } => draft.close(reason)?,
        Command::DeductCredits { amount, id, description } => {
            draft.deduct(*amount, id.as_ref(), description.as_ref())?;
        }
        Command::Generate(generation) => draft.generate(generation)?,
        Command::HoldCredits { what, expires_in_s } => draft.hold(what, *expires_in_s)?,
        Command::CommitHold { hold_id, amount, excess } => draft.commit(hold_id, *amount, *excess)?,
        Command::ReleaseHold { hold_id } => draft.release(hold_id)?,
        Command::ExtendHold { hold_id, expires_in_s } => draft.extend(hold_id, *expires_in_s)?,
        Command::RefundDeductions { deductions, amount, reason, .. } => {
            draft.refund(deductions, *amount, reason)?;
        }
        Command::GrantCredits(grant) => draft.grant_by_operator(grant)?,
        Command::AdjustCredits { amount, reason } => draft.adjust(*amount, reason)?,
        Command::ForgiveDebt { amount, reason } => draft.forgive(*amount, reason)?,
        Command::LinkCustomer { customer, effective_at } => draft.link(customer, *effective_at)?,
        Command::UnlinkCustomer { customer, effective_at } => draft.unlink(customer, *effective_at)?,
        Command::RecordDiscount(told) => draft.record_discount(told),
        Command::RecordSubscription(report) => draft.record_subscription(report)?,
        Command::RecordRequestedChange(change) => {
            draft.record_last(Event::Notice(NoticeEvent::SubscriptionChangeRequested {
                subscription: change.subscription.clone(),
                requested: change.requested.clone(),
                effective_at: change.effective_at,
            }));
        }
        Command::RecordPaidInvoice(invoice) => draft.record_paid_invoice(invoice)?,
        Command::RecordUnpaidInvoice { invoice, effective_at } => {
            draft.record_unpaid_invoice(invoice, *effective_at)?;
        }
        Command::RecordPackPurchase(purchase) => draft.record_pack_purchase(purchase)?,
        Command::RecordFailedPayment { payment, money, purpose, attempt, effective_at } => {
            draft.record_last(Event::Payment(PaymentEvent::PaymentFailed {
                payment: payment.clone(),
                money: money.clone(),
                purpose: purpose.clone(),
                attempt: *attempt,
                effective_at: *effective_at,
            }));
        }
        Command::RecordActionRequired { payment, money, effective_at } => {
            draft.record_last(Event::Payment(PaymentEvent::PaymentActionRequired {
                payment: payment.clone(),
                money: money.clone(),
                effective_at: *effective_at,
            }));
        }
        Command::RecordCheckout(checkout) => draft.record_checkout(checkout)?,
        Command::AnnounceTrialEnd { subscription, trial_end, effective_at } => {
            draft.record_last(Event::Notice(NoticeEvent::TrialEndAnnounced {
                subscription: subscription.clone(),
                trial_end: *trial_end,
                effective_at: *effective_at,
            }));
        }
        Command::LinkPayment { .. }
        | Command::RecordRefundedPayment { .. }
        | Command::RecordRefund { .. }
        | Command::RecordFailedRefund { .. }
        | Command::RecordCreditNote { .. }
        | Command::OpenDispute { .. }
        | Command::CloseDispute { .. } => draft.return_money(command)?,
    }
    Ok(draft.finish())
}
