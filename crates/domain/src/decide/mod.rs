//! What does a command do? It is decided here and nowhere else.
//!
//! `decide` returns the events of a command, or the refusal, and changes nothing.
//! What is due because time passed comes before every command, so that an expiry is in the journal before a decision
//! that depends on it.

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
    command::{
        AccountCommand, Command, CreditsCommand, CustomerCommand, PurchaseCommand, SubscriptionCommand,
    },
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

/// The account after all that is due by now, without the events.
/// A closed account gets no credits, but those that it has still end.
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
    let mut draft = match account {
        Account::Unopened => {
            if let Command::Account(AccountCommand::ImportAccount(import)) = command {
                return moving::import(import, context);
            }
            if !opens(command) {
                return Err(Refusal::AccountNotFound);
            }
            DecisionDraft::open(context)?
        }
        Account::Closed(closed) if is_taken_when_closed(command) => {
            DecisionDraft::of_closed(&closed.last, context)?
        }
        Account::Closed(_) => return Err(Refusal::AccountClosed),
        Account::Open(account) => DecisionDraft::of(account, context)?,
    };
    match command {
        Command::Account(command) => draft.decide_account(command)?,
        Command::Credits(command) => draft.decide_credits(command)?,
        Command::Customer(command) => draft.decide_customer(command)?,
        Command::Subscription(command) => draft.decide_subscription(command)?,
        Command::Purchase(command) => draft.decide_purchase(command)?,
        Command::Payment(command) => draft.return_money(command)?,
    }
    Ok(draft.finish())
}

/// Whether the command opens an account that does not exist.
/// A report of the payment provider does, so that money never waits for an account.
const fn opens(command: &Command) -> bool {
    match command {
        Command::Account(command) => matches!(command, AccountCommand::OpenAccount),
        // Somebody asked for these, and for that the account must exist.
        Command::Subscription(SubscriptionCommand::RecordRequestedChange(_)) | Command::Credits(_) => false,
        Command::Customer(_) | Command::Subscription(_) | Command::Purchase(_) | Command::Payment(_) => true,
    }
}

/// Whether a closed account takes the command.
/// Reports of what happened at the payment provider cannot be refused, and time goes on.
const fn is_taken_when_closed(command: &Command) -> bool {
    match command {
        Command::Account(command) => matches!(command, AccountCommand::ApplyDue),
        Command::Credits(_) => false,
        Command::Customer(_) | Command::Subscription(_) | Command::Purchase(_) | Command::Payment(_) => true,
    }
}

/// The decisions of each family. What is due is already in the draft.
impl DecisionDraft<'_> {
    fn decide_account(&mut self, command: &AccountCommand) -> Result<(), Refusal> {
        match command {
            AccountCommand::OpenAccount | AccountCommand::ApplyDue => Ok(()),
            // An open account would get the imported credits on top of its own.
            AccountCommand::ImportAccount(_) => Err(Refusal::AccountAlreadyOpen),
            AccountCommand::SetMetadata { metadata } => {
                self.set_metadata(metadata);
                Ok(())
            }
            AccountCommand::CloseAccount { reason } => self.close(reason),
        }
    }

    fn decide_credits(&mut self, command: &CreditsCommand) -> Result<(), Refusal> {
        match command {
            CreditsCommand::DeductCredits { amount, id, description } => {
                self.deduct(*amount, id.as_ref(), description.as_ref())
            }
            CreditsCommand::Generate(generation) => self.generate(generation),
            CreditsCommand::HoldCredits { what, expires_in_s } => self.hold(what, *expires_in_s),
            CreditsCommand::CommitHold { hold_id, amount, excess } => self.commit(hold_id, *amount, *excess),
            CreditsCommand::ReleaseHold { hold_id, amount: None } => self.release(hold_id),
            CreditsCommand::ReleaseHold { hold_id, amount: Some(amount) } => self.reduce(hold_id, *amount),
            CreditsCommand::SpendHold { hold_id, amount, id, description } => {
                self.spend_part(hold_id, *amount, id.as_ref(), description.as_ref())
            }
            CreditsCommand::TopUpHold { hold_id, amount, expires_in_s } => {
                self.top_up(hold_id, *amount, *expires_in_s)
            }
            CreditsCommand::ExtendHold { hold_id, expires_in_s } => self.extend(hold_id, *expires_in_s),
            CreditsCommand::RefundDeductions { deductions, amount, reason, .. } => {
                self.refund(deductions, *amount, reason)
            }
            CreditsCommand::GrantCredits(grant) => self.grant_by_operator(grant),
            CreditsCommand::AdjustCredits { amount, reason } => self.adjust(*amount, reason),
            CreditsCommand::ForgiveDebt { amount, reason } => self.forgive(*amount, reason),
        }
    }

    fn decide_customer(&mut self, command: &CustomerCommand) -> Result<(), Refusal> {
        match command {
            CustomerCommand::LinkCustomer { customer, effective_at } => self.link(customer, *effective_at),
            CustomerCommand::UnlinkCustomer { customer, effective_at } => {
                self.unlink(customer, *effective_at)
            }
            CustomerCommand::RecordDiscount(report) => {
                self.record_discount(report);
                Ok(())
            }
        }
    }

    fn decide_subscription(&mut self, command: &SubscriptionCommand) -> Result<(), Refusal> {
        let notice = match command {
            SubscriptionCommand::RecordSubscription(report) => return self.record_subscription(report),
            SubscriptionCommand::RecordRequestedChange(change) => NoticeEvent::SubscriptionChangeRequested {
                subscription: change.subscription.clone(),
                requested: change.requested.clone(),
                effective_at: change.effective_at,
            },
            SubscriptionCommand::AnnounceTrialEnd { subscription, trial_end, effective_at } => {
                NoticeEvent::TrialEndAnnounced {
                    subscription: subscription.clone(),
                    trial_end: *trial_end,
                    effective_at: *effective_at,
                }
            }
        };
        self.record_last(Event::Notice(notice));
        Ok(())
    }

    fn decide_purchase(&mut self, command: &PurchaseCommand) -> Result<(), Refusal> {
        let event = match command {
            PurchaseCommand::RecordPaidInvoice(invoice) => return self.record_paid_invoice(invoice),
            PurchaseCommand::RecordUnpaidInvoice { invoice, effective_at } => {
                return self.record_unpaid_invoice(invoice, *effective_at);
            }
            PurchaseCommand::RecordPackPurchase(purchase) => return self.record_pack_purchase(purchase),
            PurchaseCommand::RecordCheckout(checkout) => return self.record_checkout(checkout),
            PurchaseCommand::RecordFailedPayment { payment, money, purpose, attempt, effective_at } => {
                PaymentEvent::PaymentFailed {
                    payment: payment.clone(),
                    money: money.clone(),
                    purpose: purpose.clone(),
                    attempt: *attempt,
                    effective_at: *effective_at,
                }
            }
            PurchaseCommand::RecordActionRequired { payment, money, effective_at } => {
                PaymentEvent::PaymentActionRequired {
                    payment: payment.clone(),
                    money: money.clone(),
                    effective_at: *effective_at,
                }
            }
        };
        self.record_last(Event::Payment(event));
        Ok(())
    }
}
