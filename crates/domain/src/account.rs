//! What is an account, and how does each event change it?
//!
//! The state follows from its events and nothing else: two replays of one history give equal states.

mod apply;
mod due;
mod month;
mod moving;
mod purchases;
mod running_balance;
mod settled;
mod terms;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    catalog::Catalog,
    credits::{Balance, Imbalance, Wallet},
    discounts::Discounts,
    event::{AccountEvent, CreditsEvent, Event, HoldEvent},
    facts::PlanConditions,
    ids::{PlanId, ProviderId},
    limits::Usage,
    metadata::Metadata,
    payments::PaymentRecords,
    purchase_records::Sales,
    refusal::Refusal,
    subscription::{SubscriptionState, Subscriptions},
    time::Timestamp,
};

pub use month::Allocated;
pub use running_balance::RunningBalances;

/// The stored events do not describe a possible account.
///
/// This is never a caller's mistake: the history was edited, or a release wrote an event that it should not
/// have. The account must not be decided on until a person has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event cannot follow the account's earlier events")]
pub struct CorruptHistory;

impl From<Imbalance> for CorruptHistory {
    fn from(_: Imbalance) -> Self {
        Self
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Account {
    #[default]
    Unopened,
    Open(OpenAccount),
    Closed(ClosedAccount),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAccount {
    /// How many events there have been.
    pub version: u64,
    pub opened_at: Timestamp,
    /// The latest effective time of all events so far. Later events can have earlier effective times.
    pub told_until: Timestamp,
    /// The plan of an account without a subscription that gives one.
    pub free_plan: PlanId,
    pub customers: BTreeMap<ProviderId, CustomerLink>,
    /// The discounts of the account's customers.
    pub discounts: Discounts,
    /// What the caller attached to the account.
    pub metadata: Metadata,
    pub wallet: Wallet,
    pub usage: Usage,
    pub subscriptions: Subscriptions,
    pub payments: PaymentRecords,
    pub sales: Sales,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedAccount {
    pub last: OpenAccount,
    pub reason: String,
    pub closed_at: Timestamp,
}

/// A customer that was deleted at the payment provider stays unlinked, however late its creation is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CustomerLink {
    Linked,
    Gone,
}

impl Account {
    /// # Errors
    /// [`Refusal::AccountNotFound`] or [`Refusal::AccountClosed`] unless the account is open.
    pub const fn require_open(&self) -> Result<&OpenAccount, Refusal> {
        match self {
            Self::Unopened => Err(Refusal::AccountNotFound),
            Self::Closed(_) => Err(Refusal::AccountClosed),
            Self::Open(account) => Ok(account),
        }
    }

    /// The data of an account that is open or closed. `None`: it was never opened.
    #[must_use]
    pub const fn opened(&self) -> Option<&OpenAccount> {
        match self {
            Self::Unopened => None,
            Self::Open(account) => Some(account),
            Self::Closed(closed) => Some(&closed.last),
        }
    }

    /// How many events there have been, which is also the sequence of the last one.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.opened().map_or(0, |account| account.version)
    }

    #[must_use]
    pub fn balance(&self, at: Timestamp) -> Balance {
        self.opened().map_or_else(Balance::default, |account| account.wallet.balance(at))
    }

    /// Changes the account as `event` says. After an error it must be dropped.
    ///
    /// # Errors
    /// If no account with this history can have had that event.
    pub fn apply(&mut self, event: &Event) -> Result<(), CorruptHistory> {
        match (&mut *self, event) {
            (
                Self::Unopened,
                Event::Account(AccountEvent::AccountOpened { plan, moved_in, effective_at }),
            ) => {
                *self = Self::Open(OpenAccount::opened(plan.clone(), moved_in.as_ref(), *effective_at));
                Ok(())
            }
            (Self::Open(account), Event::Account(AccountEvent::AccountClosed { reason, effective_at })) => {
                account.version = account.version.saturating_add(1);
                account.told_until = account.told_until.max(*effective_at);
                *self = Self::Closed(ClosedAccount {
                    last: account.clone(),
                    reason: reason.clone(),
                    closed_at: *effective_at,
                });
                Ok(())
            }
            (Self::Open(account), event) => account.apply(event),
            // Reports on its payments and subscriptions are still recorded. Nothing is granted or spent.
            (Self::Closed(closed), event) if !is_use(event) => closed.last.apply(event),
            (Self::Unopened | Self::Closed(_), _) => Err(CorruptHistory),
        }
    }
}

/// The account after `event`.
///
/// # Errors
/// If no account with this history can have had that event.
pub fn evolve(mut account: Account, event: &Event) -> Result<Account, CorruptHistory> {
    account.apply(event)?;
    Ok(account)
}

impl OpenAccount {
    /// An account that has just been opened.
    #[must_use]
    pub fn new(free_plan: PlanId, opened_at: Timestamp) -> Self {
        Self {
            version: 1,
            opened_at,
            told_until: opened_at,
            free_plan,
            customers: BTreeMap::new(),
            discounts: Discounts::default(),
            metadata: Metadata::default(),
            wallet: Wallet::default(),
            usage: Usage::default(),
            subscriptions: Subscriptions::default(),
            payments: PaymentRecords::default(),
            sales: Sales::default(),
        }
    }

    /// The plan that is shown for the account at `at`: the largest that its subscriptions give, else the free plan.
    #[must_use]
    pub fn plan(&self, at: Timestamp, catalog: &Catalog) -> &PlanId {
        let plans = self.subscriptions.plans(at, self.known(catalog));
        plans.max_by_key(|plan| (catalog.rank(plan), *plan)).unwrap_or(&self.free_plan)
    }

    /// The subscription that gives the plan of [`Self::plan`].
    /// If none does: of those that give access, or else of all, the one with the newest report.
    #[must_use]
    pub fn subscription(&self, at: Timestamp, catalog: &Catalog) -> Option<&SubscriptionState> {
        let plan = self.plan(at, catalog);
        let newest = || {
            let known = self.subscriptions.known().values();
            known.max_by(|one, other| one.evidence.cmp(&other.evidence))
        };
        let giving = self.subscriptions.giving(plan, at, self.known(catalog));
        giving.or_else(|| self.subscriptions.current()).or_else(newest)
    }

    /// What decides which plans hold, besides the facts about subscriptions.
    pub(super) fn known(&self, catalog: &Catalog) -> PlanConditions<'_> {
        PlanConditions { payments: &self.payments, bridge_days: catalog.payments.bridge_days }
    }
}

/// Whether credits were granted or used, which only happens to an open account.
const fn is_use(event: &Event) -> bool {
    match event {
        Event::Credits(
            CreditsEvent::CreditsGranted { .. }
            | CreditsEvent::CreditsDeducted { .. }
            | CreditsEvent::CreditsRefunded { .. },
        )
        | Event::Hold(
            HoldEvent::CreditsHeld { .. }
            | HoldEvent::HoldExtended { .. }
            | HoldEvent::HoldSpent { .. }
            | HoldEvent::HoldToppedUp { .. }
            | HoldEvent::HoldReduced { .. }
            | HoldEvent::HoldCommitted { .. }
            | HoldEvent::HoldReleased { .. },
        ) => true,
        Event::Credits(
            CreditsEvent::CreditsExpired { .. }
            | CreditsEvent::CreditsAdjusted { .. }
            | CreditsEvent::CreditsClawedBack { .. }
            | CreditsEvent::CreditsRestored { .. }
            | CreditsEvent::GrantFrozen { .. }
            | CreditsEvent::GrantUnfrozen { .. }
            | CreditsEvent::GrantEndMoved { .. }
            | CreditsEvent::DebtPaid { .. }
            | CreditsEvent::DebtForgiven { .. },
        )
        | Event::Hold(HoldEvent::HoldExpired { .. })
        | Event::Account(_)
        | Event::Invoice(_)
        | Event::Subscription(_)
        | Event::Notice(_)
        | Event::Payment(_)
        | Event::Checkout(_) => false,
    }
}
