//! Whose is an event that names no account? Its customer says so, or what its payment bought.

use super::{
    inbox::claim::{Links, NO_LINK, NO_PAYMENT, Payments},
    translate::Owner,
};
use crate::domain::{
    command::Command,
    names::{AccountId, ProviderId},
};

/// Why no account was found.
pub(super) enum NotFound {
    /// Another event will say it.
    Yet(&'static str),
    /// Stripe contradicted itself.
    Contradiction(&'static str),
}

/// How events lead to accounts, as far as is known.
#[derive(Default)]
pub(super) struct Known {
    pub(super) links: Links,
    pub(super) payments: Payments,
}

impl Known {
    /// What of it these events need.
    pub(super) fn part_for<'a>(&self, owners: impl Iterator<Item = &'a Owner>) -> Self {
        let mut part = Self::default();
        for owner in owners {
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
        }
        part
    }

    /// The account that the event names, or that its customer or payment leads to.
    pub(super) fn account_of(&self, owner: &Owner) -> Result<AccountId, NotFound> {
        let customer = match owner {
            Owner::Account { account, .. } => return Ok(account.clone()),
            Owner::Payment(payment) => {
                let account = self.payments.get(payment).cloned();
                return account.ok_or(NotFound::Yet(NO_PAYMENT));
            }
            Owner::Customer(customer) => customer,
        };
        match self.links.get(customer).map(Vec::as_slice) {
            Some([account]) => Ok(account.clone()),
            Some([_, _, ..]) => Err(NotFound::Contradiction("its customer is linked to several accounts")),
            Some([]) | None => Err(NotFound::Yet(NO_LINK)),
        }
    }

    /// Notes that the customer belongs to the account. Whether that was news.
    pub(super) fn link(&mut self, customer: &ProviderId, account: &AccountId) -> bool {
        let accounts = self.links.entry(customer.clone()).or_default();
        let is_news = !accounts.contains(account);
        if is_news {
            accounts.push(account.clone());
        }
        is_news
    }
}

/// The payment or invoice that is known to have bought credits once the command is executed.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these are about what was bought")]
pub(super) const fn bought_by(command: &Command) -> Option<&ProviderId> {
    match command {
        Command::RecordPaidInvoice(paid) => Some(&paid.invoice),
        Command::RecordPackPurchase(purchase) => Some(&purchase.payment),
        Command::LinkPayment { payment, .. } => Some(payment),
        _ => None,
    }
}
