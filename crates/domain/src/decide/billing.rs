//! What follows from the payment provider's reports on customers, subscriptions, checkouts and packs?

use crate::{
    account::CustomerLink,
    command::{CheckoutStep, RecordCheckout, RecordPackPurchase, RecordSubscription, SubscriptionChange},
    credits::{GrantTerms, PRIORITY_DEFAULT, Source},
    discounts::{DiscountReport, DiscountStep},
    event::{AccountEvent, CheckoutEvent, Event, PaymentEvent, PaymentPurpose, SubscriptionEvent},
    ids::ProviderId,
    refusal::Refusal,
    sold_pack::SoldPack,
    time::Timestamp,
};

use super::draft::DecisionDraft;

impl DecisionDraft<'_> {
    /// Links a customer. If the link is known, there is no event.
    pub(super) fn link(&mut self, customer: &ProviderId, effective_at: Timestamp) -> Result<(), Refusal> {
        if self.account.customers.contains_key(customer) {
            return Ok(());
        }
        self.record(Event::Account(AccountEvent::CustomerLinked { customer: customer.clone(), effective_at }))
    }

    pub(super) fn unlink(&mut self, customer: &ProviderId, effective_at: Timestamp) -> Result<(), Refusal> {
        if self.account.customers.get(customer) == Some(&CustomerLink::Gone) {
            return Ok(());
        }
        self.record(Event::Account(AccountEvent::CustomerUnlinked {
            customer: customer.clone(),
            effective_at,
        }))
    }

    /// Records a report on a customer's discount, unless it is known.
    pub(super) fn record_discount(&mut self, told: &DiscountReport) {
        if self.account.discounts.knows(told) {
            return;
        }
        let DiscountReport { customer, discount, what, at: effective_at } = told.clone();
        self.record_last(match what {
            DiscountStep::Begun(off) => {
                Event::Account(AccountEvent::CustomerDiscounted { customer, discount, off, effective_at })
            }
            DiscountStep::Ended => {
                Event::Account(AccountEvent::CustomerDiscountEnded { customer, discount, effective_at })
            }
        });
    }

    /// Records a report, even if it is older than others that are known: the history of revenue needs it.
    pub(super) fn record_subscription(&mut self, report: &RecordSubscription) -> Result<(), Refusal> {
        let plan = &report.terms.plan;
        if self.context.catalog.terms_of(plan).is_none() {
            return Err(Refusal::UnknownPlan { plan: plan.clone() });
        }
        let Some(change) = self.change_by(report) else { return Ok(()) };
        let (terms, effective_at) = (report.terms.clone(), report.effective_at);
        let reported = match &change {
            SubscriptionChange::TrialStarted => {
                Event::Subscription(SubscriptionEvent::TrialStarted { terms, effective_at })
            }
            SubscriptionChange::Started => {
                Event::Subscription(SubscriptionEvent::SubscriptionStarted { terms, effective_at })
            }
            SubscriptionChange::Renewed => {
                Event::Subscription(SubscriptionEvent::SubscriptionRenewed { terms, effective_at })
            }
            SubscriptionChange::PlanChanged { from } => Event::Subscription(SubscriptionEvent::PlanChanged {
                from: from.clone(),
                terms,
                effective_at,
            }),
            SubscriptionChange::PlanChangeScheduled => {
                Event::Subscription(SubscriptionEvent::PlanChangeScheduled { terms, effective_at })
            }
            SubscriptionChange::PastDue => {
                Event::Subscription(SubscriptionEvent::SubscriptionPastDue { terms, effective_at })
            }
            SubscriptionChange::Recovered => {
                Event::Subscription(SubscriptionEvent::SubscriptionRecovered { terms, effective_at })
            }
            SubscriptionChange::Paused => {
                Event::Subscription(SubscriptionEvent::SubscriptionPaused { terms, effective_at })
            }
            SubscriptionChange::Resumed => {
                Event::Subscription(SubscriptionEvent::SubscriptionResumed { terms, effective_at })
            }
            SubscriptionChange::CancellationScheduled => {
                Event::Subscription(SubscriptionEvent::CancellationScheduled { terms, effective_at })
            }
            SubscriptionChange::CancellationWithdrawn => {
                Event::Subscription(SubscriptionEvent::CancellationWithdrawn { terms, effective_at })
            }
            SubscriptionChange::Ended => {
                Event::Subscription(SubscriptionEvent::SubscriptionEnded { terms, effective_at })
            }
            SubscriptionChange::RevenueChanged | SubscriptionChange::Unnamed => {
                Event::Subscription(SubscriptionEvent::RevenueChanged { terms, effective_at })
            }
            SubscriptionChange::Moved => {
                Event::Subscription(SubscriptionEvent::SubscriptionMoved { terms, effective_at })
            }
        };
        self.record(reported)?;
        self.settle_facts()
    }

    /// What a report changes.
    /// A report that names no change repeats the one before it, if that is known: `None`.
    /// If that is not known, because it was lost or comes later, the change follows from the terms.
    fn change_by(&self, report: &RecordSubscription) -> Option<SubscriptionChange> {
        if report.change != SubscriptionChange::Unnamed {
            return Some(report.change.clone());
        }
        match self.account.subscriptions.before(&report.terms) {
            Some(before) => report.terms.change_since(before),
            None => Some(report.terms.status.reported()),
        }
    }

    pub(super) fn record_pack_purchase(&mut self, purchase: &RecordPackPurchase) -> Result<(), Refusal> {
        if self.account.is_granted(purchase) {
            return Ok(());
        }
        let id = purchase.grant_id().map_err(|_| Refusal::UnknownPack)?;
        let sold = self.sold(purchase)?;
        let quantity = sold.count(purchase.quantity, purchase.subtotal.as_ref());
        let amount = sold.credits.checked_mul(quantity).ok_or(Refusal::AmountTooLarge)?;
        self.check_room_for(amount)?;
        let bought_at = purchase.effective_at;
        if !self.account.payments.has_succeeded(&purchase.payment) {
            let purpose = PaymentPurpose::Pack { pack: purchase.pack.clone(), quantity };
            self.record(Event::Payment(PaymentEvent::PaymentSucceeded {
                payment: purchase.payment.clone(),
                money: purchase.paid.clone().unwrap_or_else(|| purchase.money.clone()),
                purpose,
                effective_at: bought_at,
            }))?;
        }
        // What was bought before the account moved in was granted elsewhere, and the rest of it was imported as a
        // grant.
        if self.account.was_elsewhere(bought_at) {
            return Ok(());
        }
        let grant = GrantTerms {
            grant_id: id,
            source: Source::TopUp,
            amount,
            starts_at: bought_at,
            expires_at: sold.ends(bought_at),
            priority: PRIORITY_DEFAULT,
            cost: Some(purchase.money.clone()),
            payment: Some(purchase.payment.clone()),
            slot: None,
            reason: None,
        };
        self.grant(grant, bought_at)?;
        self.apply_due()
    }

    /// What each pack gives: the terms of its sale if they are known, else the catalog's.
    fn sold(&self, purchase: &RecordPackPurchase) -> Result<SoldPack, Refusal> {
        if let Some(sold) = self.account.sales.sold(purchase) {
            return Ok(sold.clone());
        }
        if let Some(sold) = &purchase.sold {
            return Ok(sold.clone());
        }
        let pack = self.context.catalog.terms_of_pack(&purchase.pack).ok_or(Refusal::UnknownPack)?;
        Ok(SoldPack::of(pack))
    }

    pub(super) fn record_checkout(&mut self, checkout: &RecordCheckout) -> Result<(), Refusal> {
        if let Some(customer) = &checkout.customer {
            self.link(customer, checkout.effective_at)?;
        }
        let (session, purpose) = (checkout.session.clone(), checkout.purpose.clone());
        let effective_at = checkout.effective_at;
        self.record_last(match checkout.step {
            CheckoutStep::Started => {
                let (sold, metadata) = (checkout.sold.clone(), checkout.metadata.clone());
                Event::Checkout(CheckoutEvent::CheckoutStarted {
                    session,
                    purpose,
                    sold,
                    metadata,
                    effective_at,
                })
            }
            CheckoutStep::Completed { paid } => {
                let invoice = checkout.invoice.clone();
                Event::Checkout(CheckoutEvent::CheckoutCompleted {
                    session,
                    purpose,
                    paid,
                    invoice,
                    effective_at,
                })
            }
            CheckoutStep::Expired => {
                Event::Checkout(CheckoutEvent::CheckoutExpired { session, purpose, effective_at })
            }
        });
        Ok(())
    }
}
