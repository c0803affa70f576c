//! What the payment provider reports of customers, subscriptions, checkouts and packs.

use chrono::TimeDelta;

use crate::domain::{
    account::CustomerLink,
    command::{CheckoutStep, RecordCheckout, RecordPackPurchase, RecordSubscription, SubscriptionChange},
    credits::{GrantTerms, PRIORITY_DEFAULT, Source},
    event::{Event, PaymentPurpose},
    names::{GrantId, ProviderId},
    refusal::Refusal,
    time::Timestamp,
};

use super::draft::Draft;

impl Draft<'_> {
    /// Links a customer. A link that is known already needs no second event.
    pub(super) fn link(&mut self, customer: &ProviderId, effective_at: Timestamp) -> Result<(), Refusal> {
        if self.account.customers.contains_key(customer) {
            return Ok(());
        }
        self.record(Event::CustomerLinked { customer: customer.clone(), effective_at })
    }

    pub(super) fn unlink(&mut self, customer: &ProviderId, effective_at: Timestamp) -> Result<(), Refusal> {
        if self.account.customers.get(customer) == Some(&CustomerLink::Gone) {
            return Ok(());
        }
        self.record(Event::CustomerUnlinked { customer: customer.clone(), effective_at })
    }

    /// Records a report, also one that is older than what is known: the history of revenue needs it.
    pub(super) fn record_subscription(&mut self, report: &RecordSubscription) -> Result<(), Refusal> {
        let plan = &report.terms.plan;
        if self.context.catalog.terms_of(plan).is_none() {
            return Err(Refusal::UnknownPlan { plan: plan.clone() });
        }
        let (terms, effective_at) = (report.terms.clone(), report.effective_at);
        let reported = match &report.change {
            SubscriptionChange::TrialStarted => Event::TrialStarted { terms, effective_at },
            SubscriptionChange::Started => Event::SubscriptionStarted { terms, effective_at },
            SubscriptionChange::Renewed => Event::SubscriptionRenewed { terms, effective_at },
            SubscriptionChange::PlanChanged { from } => {
                Event::PlanChanged { from: from.clone(), terms, effective_at }
            }
            SubscriptionChange::PlanChangeScheduled => Event::PlanChangeScheduled { terms, effective_at },
            SubscriptionChange::PastDue => Event::SubscriptionPastDue { terms, effective_at },
            SubscriptionChange::Recovered => Event::SubscriptionRecovered { terms, effective_at },
            SubscriptionChange::Paused => Event::SubscriptionPaused { terms, effective_at },
            SubscriptionChange::Resumed => Event::SubscriptionResumed { terms, effective_at },
            SubscriptionChange::CancellationScheduled => Event::CancellationScheduled { terms, effective_at },
            SubscriptionChange::CancellationWithdrawn => Event::CancellationWithdrawn { terms, effective_at },
            SubscriptionChange::Ended => Event::SubscriptionEnded { terms, effective_at },
        };
        self.record(reported)?;
        self.settle_facts()
    }

    pub(super) fn record_pack_purchase(&mut self, purchase: &RecordPackPurchase) -> Result<(), Refusal> {
        let id = GrantId::parse(&format!("pack:{}", purchase.payment)).map_err(|_| Refusal::UnknownPack)?;
        if self.account.wallet.find(&id).is_some() {
            return Ok(());
        }
        let pack = self.context.catalog.pack(&purchase.pack).ok_or(Refusal::UnknownPack)?;
        let amount = pack.credits.checked_mul(purchase.quantity).ok_or(Refusal::AmountTooLarge)?;
        self.check_room_for(amount)?;
        let bought_at = purchase.effective_at;
        let life = pack.expires_after_days.map(|days| TimeDelta::days(i64::from(days)));
        self.record(Event::PaymentSucceeded {
            payment: purchase.payment.clone(),
            money: purchase.money.clone(),
            purpose: PaymentPurpose::Pack { pack: purchase.pack.clone(), quantity: purchase.quantity },
            effective_at: bought_at,
        })?;
        let grant = GrantTerms {
            grant_id: id,
            source: Source::TopUp,
            amount,
            starts_at: bought_at,
            expires_at: life.map(|life| bought_at.plus(life)),
            priority: PRIORITY_DEFAULT,
            cost: Some(purchase.money.clone()),
            payment: Some(purchase.payment.clone()),
            slot: None,
            reason: None,
        };
        self.grant(grant, bought_at)?;
        self.pass_time()
    }

    pub(super) fn record_checkout(&mut self, checkout: &RecordCheckout) -> Result<(), Refusal> {
        if let Some(customer) = &checkout.customer {
            self.link(customer, checkout.effective_at)?;
        }
        let (session, purpose) = (checkout.session.clone(), checkout.purpose.clone());
        let effective_at = checkout.effective_at;
        self.record_last(match checkout.step {
            CheckoutStep::Started => Event::CheckoutStarted { session, purpose, effective_at },
            CheckoutStep::Completed { paid } => {
                Event::CheckoutCompleted { session, purpose, paid, effective_at }
            }
            CheckoutStep::Expired => Event::CheckoutExpired { session, purpose, effective_at },
        });
        Ok(())
    }
}
