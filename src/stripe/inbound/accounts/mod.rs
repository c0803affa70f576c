//! Which account does an event belong to?
//! Its subscription's account, else the one that it names, else its customer's, or the one that its payment bought
//! credits for.

pub mod customer_links;
pub mod linking;
mod request_batcher;
mod tables;

use std::collections::BTreeMap;

pub use tables::{LearnedAccounts, LookupKeys};

use crate::{
    domain::{
        command::{
            Command, CustomerCommand, PaymentCommand, PurchaseCommand, RecordSubscription,
            SubscriptionChange, SubscriptionCommand,
        },
        ids::{AccountId, ProviderId},
        subscription::{ReportOrder, SubscriptionState, SubscriptionStatus, put_in_order},
        time::Timestamp,
    },
    stripe::translate::{Instructions, OwnerLookup, SubscriptionRef, TranslationStep},
};

/// Why an event waits if its customer is not linked to an account. Such rows are found by this text.
pub const NO_LINK: &str = "its customer is linked to no account yet";

/// Why an event waits if its payment was not reported yet. Such rows are found by this text.
pub const NO_PAYMENT: &str = "no paid invoice or pack is known that its payment bought";

/// Why an event waits if its customer has several accounts and its subscription is not known.
/// Such rows are found by this text.
pub const NO_REPORT: &str =
    "its customer is linked to several accounts, and its subscription is not known yet";

/// Which accounts each customer is linked to: one, unless Stripe's events contradict each other.
pub type AccountsByCustomer = BTreeMap<ProviderId, Vec<AccountId>>;

/// Which account each payment or invoice bought credits for.
pub type PaymentAccounts = BTreeMap<ProviderId, AccountId>;

/// The reports on each subscription in the order in which they were made: the place of the report, and its account.
pub type Reports = BTreeMap<ProviderId, Vec<(ReportOrder, AccountId)>>;

/// A report on a subscription was handled.
#[derive(Clone, Debug)]
pub struct NewReport {
    pub subscription: ProviderId,
    pub evidence: ReportOrder,
    pub account: AccountId,
    /// The party whose other events may have waited for it.
    pub party: String,
}

/// Why no account was found.
pub(super) enum NotFound {
    /// Another event will say it.
    Yet(&'static str),
    /// Stripe's events contradict each other.
    Contradiction(&'static str),
}

/// What is known about which events belong to which accounts.
#[derive(Default)]
pub(super) struct AccountLookup {
    pub(super) links: AccountsByCustomer,
    pub(super) payments: PaymentAccounts,
    /// The reports on each subscription, in the order in which they were made.
    pub(super) reports: Reports,
}

impl AccountLookup {
    /// The part of it that these events need, given by their owners and subscriptions.
    pub(super) fn part_for<'a>(
        &self,
        events: impl Iterator<Item = (&'a OwnerLookup, Option<&'a SubscriptionRef>)>,
    ) -> Self {
        let mut part = Self::default();
        for (owner, about) in events {
            if let Some((customer, accounts)) =
                owner.customer().and_then(|customer| self.links.get_key_value(customer))
            {
                part.links.entry(customer.clone()).or_insert_with(|| accounts.clone());
            }
            if let Some((payment, account)) =
                owner.payment().and_then(|payment| self.payments.get_key_value(payment))
            {
                part.payments.entry(payment.clone()).or_insert_with(|| account.clone());
            }
            let reports = about.and_then(|about| self.reports.get_key_value(&about.subscription));
            if let Some((subscription, reports)) = reports {
                part.reports.entry(subscription.clone()).or_insert_with(|| reports.clone());
            }
        }
        part
    }

    /// Adds reports that are about to be handled, so that events that arrived before them go to the right account.
    pub(super) fn expect<'a>(&mut self, instructions: impl Iterator<Item = &'a Instructions>) {
        for Instructions { owner, about, .. } in instructions {
            let OwnerLookup::Account { account, .. } = owner else { continue };
            let Some(SubscriptionRef { subscription, report: Some(evidence), unpriced: None, .. }) = about
            else {
                continue;
            };
            self.note(subscription, evidence, account);
        }
    }

    fn note(&mut self, subscription: &ProviderId, evidence: &ReportOrder, account: &AccountId) {
        let reports = self.reports.entry(subscription.clone()).or_default();
        if reports.iter().all(|(known, _)| known.id != evidence.id) {
            put_in_order(reports, (evidence.clone(), account.clone()));
        }
    }

    /// The account that the event's subscription belongs to, that the event names, or that its customer or payment
    /// leads to.
    /// A report says itself which account the subscription belongs to.
    pub(super) fn account_of(&self, instructions: &Instructions) -> Result<AccountId, NotFound> {
        let about = instructions.about.as_ref();
        let has_it = about.and_then(|about| self.has_at(&about.subscription, about.at));
        let is_report = about.is_some_and(|about| about.report.is_some());
        let customer = match (&instructions.owner, has_it) {
            (OwnerLookup::Payment(payment), _) => {
                let account = self.payments.get(payment).cloned();
                return account.ok_or(NotFound::Yet(NO_PAYMENT));
            }
            (OwnerLookup::Account { account, .. }, _) if is_report => return Ok(account.clone()),
            (OwnerLookup::Account { .. } | OwnerLookup::Customer(_), Some(account)) => {
                return Ok(account.clone());
            }
            (OwnerLookup::Account { account, .. }, None) => return Ok(account.clone()),
            (OwnerLookup::Customer(customer), None) => customer,
        };
        match self.links.get(customer).map(Vec::as_slice) {
            Some([account]) => Ok(account.clone()),
            // Reports on discounts go to all of the customer's accounts.
            Some([account, ..]) if is_about_discounts(&instructions.steps) => Ok(account.clone()),
            Some([_, _, ..]) if about.is_some_and(|about| about.report.is_none()) => {
                Err(NotFound::Yet(NO_REPORT))
            }
            Some([_, _, ..]) => Err(NotFound::Contradiction("its customer is linked to several accounts")),
            Some([]) | None => Err(NotFound::Yet(NO_LINK)),
        }
    }

    /// The account of the subscription, by its newest report.
    pub(super) fn has(&self, subscription: &ProviderId) -> Option<&AccountId> {
        self.reports.get(subscription)?.last().map(|(_, account)| account)
    }

    /// The account of the subscription at a time: by the newest report until then, else by the first one.
    fn has_at(&self, subscription: &ProviderId, at: Timestamp) -> Option<&AccountId> {
        let reports = self.reports.get(subscription)?;
        let by_then = reports.iter().rfind(|(evidence, _)| evidence.reported_at <= at);
        by_then.or_else(|| reports.first()).map(|(_, account)| account)
    }

    /// Why an event is about a subscription that was not sold here: the catalog does not have its price, and no other
    /// report is known.
    pub(super) fn is_foreign<'a>(&self, about: &'a SubscriptionRef) -> Option<&'a str> {
        about.unpriced.as_deref().filter(|_| !self.reports.contains_key(&about.subscription))
    }

    /// Adds a report, and returns the commands for accounts that no longer have the subscription: the one that had it
    /// before this report, and the report's own account if a later one names another.
    pub(super) fn report(
        &mut self,
        told: &NewReport,
        steps: &[TranslationStep],
    ) -> Vec<(AccountId, TranslationStep)> {
        self.note(&told.subscription, &told.evidence, &told.account);
        let reports = self.reports.get(&told.subscription).map(Vec::as_slice).unwrap_or_default();
        let place = reports.iter().position(|(evidence, _)| evidence.id == told.evidence.id).unwrap_or(0);
        let Some(terms) = steps.iter().find_map(|step| terms(&step.command)) else { return Vec::new() };
        let until_next = reports.get(place..).unwrap_or_default();
        let from_last = place.checked_sub(1).and_then(|last| reports.get(last..)).unwrap_or_default();
        let pairs = [from_last, until_next].into_iter().filter_map(|reports| match reports {
            [(_, from), (evidence, to), ..] if from != to => Some((from, evidence, to)),
            _ => None,
        });
        pairs.map(|(from, evidence, to)| (from.clone(), moved(terms, evidence, to))).collect()
    }

    /// The discount reports for the customer's other accounts.
    pub(super) fn discounts_elsewhere(
        &self,
        account: &AccountId,
        steps: &[TranslationStep],
    ) -> Vec<(AccountId, TranslationStep)> {
        let others = |step: &TranslationStep| {
            let Command::Customer(CustomerCommand::RecordDiscount(told)) = &step.command else {
                return Vec::new();
            };
            self.links.get(&told.customer).cloned().unwrap_or_default()
        };
        let told = steps.iter().flat_map(|step| others(step).into_iter().map(|other| (other, step.clone())));
        told.filter(|(other, _)| other != account).collect()
    }

    /// Adds a link between a customer and an account. Returns whether it is new.
    pub(super) fn link(&mut self, customer: &ProviderId, account: &AccountId) -> bool {
        let accounts = self.links.entry(customer.clone()).or_default();
        let is_news = !accounts.contains(account);
        if is_news {
            accounts.push(account.clone());
        }
        is_news
    }
}

fn is_about_discounts(steps: &[TranslationStep]) -> bool {
    !steps.is_empty()
        && steps
            .iter()
            .all(|step| matches!(step.command, Command::Customer(CustomerCommand::RecordDiscount(_))))
}

const fn terms(command: &Command) -> Option<&SubscriptionState> {
    if let Command::Subscription(SubscriptionCommand::RecordSubscription(report)) = command {
        Some(&report.terms)
    } else {
        None
    }
}

/// The command that a subscription has left an account, by a report that names another one.
/// A later report may bring it back.
fn moved(terms: &SubscriptionState, evidence: &ReportOrder, to: &AccountId) -> TranslationStep {
    let terms = SubscriptionState {
        status: SubscriptionStatus::Cancelled,
        cancel_at: None,
        trial_end: None,
        ended_at: None,
        collection_paused: false,
        grace_days: None,
        moved_to: Some(to.clone()),
        evidence: evidence.clone(),
        ..terms.clone()
    };
    let effective_at = evidence.reported_at;
    let command = RecordSubscription { change: SubscriptionChange::Moved, terms, effective_at };
    TranslationStep {
        key: format!("moved:{}", evidence.id),
        command: Command::Subscription(SubscriptionCommand::RecordSubscription(command)),
    }
}

/// The payment or invoice that is known to have bought credits once the command is executed.
pub(super) const fn bought_by(command: &Command) -> Option<&ProviderId> {
    match command {
        Command::Purchase(command) => match command {
            PurchaseCommand::RecordPaidInvoice(paid) => Some(&paid.invoice),
            PurchaseCommand::RecordPackPurchase(purchase) => Some(&purchase.payment),
            PurchaseCommand::RecordUnpaidInvoice { .. }
            | PurchaseCommand::RecordCheckout(_)
            | PurchaseCommand::RecordFailedPayment { .. }
            | PurchaseCommand::RecordActionRequired { .. } => None,
        },
        Command::Payment(command) => match command {
            PaymentCommand::LinkPayment { payment, .. } => Some(payment),
            PaymentCommand::RecordRefundedPayment { .. }
            | PaymentCommand::RecordRefund { .. }
            | PaymentCommand::RecordFailedRefund { .. }
            | PaymentCommand::RecordCreditNote { .. }
            | PaymentCommand::OpenDispute { .. }
            | PaymentCommand::CloseDispute { .. } => None,
        },
        Command::Account(_) | Command::Credits(_) | Command::Customer(_) | Command::Subscription(_) => None,
    }
}
