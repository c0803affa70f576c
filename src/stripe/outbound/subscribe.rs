//! How does a subscription begin without a page? For a customer who has something to pay with: Stripe charges that, and
//! nothing begins where it cannot be charged.

use chrono::TimeDelta;
use serde::Serialize;

use super::{
    Billing, BillingError, RepeatableAnswer, ResourceKind,
    across_customers::customers,
    change_notes::{Amended, Note, begun, by_itself},
    hash, settled,
};
use crate::{
    domain::{
        account::{Account, OpenAccount},
        catalog::Interval,
        event::PaymentPurpose,
        ids::{AccountId, PlanId, ProviderId},
        metadata::Metadata,
        purchase::{self, PurchaseRequest, PurchaseTerms},
        refusal::{Refusal, Unsold},
    },
    ledger::Provenance,
    stripe::{
        calls::{CallId, CallOutcome, Operation, StoredCall},
        client::{FindCustomer, FindSubscription, ListSubscriptions, MakeSubscription, StripeSubscription},
    },
};

/// After this, what Stripe does not show has not happened.
const SHOWN_BY: TimeDelta = TimeDelta::minutes(10);

/// A request to subscribe an account.
#[derive(Clone, Debug)]
pub struct Subscribe {
    pub account: AccountId,
    pub key: String,
    pub plan: PlanId,
    pub interval: Interval,
    pub quantity: u32,
    /// Whether it begins with the days that the catalog gives for trying it.
    pub trial: bool,
    /// `None`: what the customer's invoices are paid with.
    pub method: Option<ProviderId>,
    /// What the caller attaches to it.
    pub metadata: Metadata,
    pub provenance: Provenance,
}

/// What a repetition is compared by.
#[derive(Serialize)]
struct SubscribeFingerprint<'a> {
    plan: (&'a PlanId, &'a str, u32, bool),
    method: Option<&'a ProviderId>,
    metadata: &'a Metadata,
}

impl Billing {
    /// Subscribes the account, once for each key, and answers what the subscription then was at Stripe.
    ///
    /// # Errors
    /// When the rules, the bank or Stripe refuse it, Stripe does not answer, or the ledger cannot take note.
    pub async fn subscribe(&self, subscribe: Subscribe) -> Result<RepeatableAnswer<Amended>, BillingError> {
        self.client()?;
        let Subscribe { plan, interval, quantity, trial, method, metadata, .. } = &subscribe;
        let asked = hash(&SubscribeFingerprint {
            plan: (plan, interval.as_str(), *quantity, *trial),
            method: method.as_ref(),
            metadata,
        });
        let id = CallId {
            account: subscribe.account.clone(),
            operation: Operation::CreateSubscription,
            key: subscribe.key.clone(),
        };
        if let Some(kept) = self.find::<MakeSubscription>(&id, &asked).await? {
            let note = note_of(&kept, subscribe.provenance.clone())?;
            if let Some(RepeatableAnswer { answer: row, replayed }) = settled(kept.outcome)? {
                let position = self.note(&id, &row.id, note).await?;
                return Ok(RepeatableAnswer { answer: Amended { row, position }, replayed });
            }
        }
        let _turn = self.take_turn(&id.account).await?;
        self.subscribe_in_turn(&id, &asked, &subscribe).await
    }

    async fn subscribe_in_turn(
        &self,
        id: &CallId,
        asked: &[u8; 32],
        subscribe: &Subscribe,
    ) -> Result<RepeatableAnswer<Amended>, BillingError> {
        let found: Option<StoredCall<MakeSubscription, StripeSubscription>> = self.find(id, asked).await?;
        let by = Some(&subscribe.provenance.actor);
        let kept = match found {
            Some(kept) if matches!(kept.outcome, CallOutcome::Open) => {
                match self.find_made(id, &kept, subscribe.provenance.clone()).await? {
                    Some(made) => return Ok(RepeatableAnswer { answer: made, replayed: true }),
                    None if kept.asked_before => {
                        // As if it was new: since then something else may have been bought.
                        self.work_out_subscription(id, subscribe).await?;
                        kept
                    }
                    None => {
                        self.0.calls.withdraw(id).await.map_err(BillingError::Storage)?;
                        let request = self.work_out_subscription(id, subscribe).await?;
                        self.begin(id, asked, request, by).await?
                    }
                }
            }
            Some(kept) => kept,
            None => {
                let request = self.work_out_subscription(id, subscribe).await?;
                self.begin(id, asked, request, by).await?
            }
        };
        if matches!(kept.outcome, CallOutcome::Open) {
            self.close_superseded(id, &kept.request.supersedes).await?;
        }
        let note = note_of(&kept, subscribe.provenance.clone())?;
        let RepeatableAnswer { answer: row, replayed } = self.perform(id, kept).await?;
        // The call stays open until the ledger has taken note, so that a repetition makes up for it.
        let position = self.note(id, &row.id, note).await?;
        if !replayed {
            self.0.calls.done(id, &row, self.now()).await?;
        }
        Ok(RepeatableAnswer { answer: Amended { row, position }, replayed })
    }

    /// What an earlier asking has made at Stripe, whose answer was lost.
    async fn find_made(
        &self,
        id: &CallId,
        kept: &StoredCall<MakeSubscription, StripeSubscription>,
        provenance: Provenance,
    ) -> Result<Option<Amended>, BillingError> {
        let request = &kept.request;
        let listed = self.client()?.read(&ListSubscriptions { customer: request.customer.clone() }).await?;
        let Some(made) = listed.data.iter().find(|row| row.is_of(&request.call)) else { return Ok(None) };
        let row = self.client()?.read(&FindSubscription { subscription: made.id.clone() }).await?;
        let position = self.note(id, &row.id, note_of(kept, provenance)?).await?;
        self.0.calls.done(id, &row, self.now()).await?;
        Ok(Some(Amended { row, position }))
    }

    /// What became of a subscription whose outcome nobody knows: it is looked at, and never asked for again. Nobody is
    /// charged hours after they have gone away, and perhaps bought something else.
    pub(super) async fn look_for_subscription(&self, id: &CallId) -> Result<bool, BillingError> {
        let found = self.0.calls.find::<MakeSubscription, StripeSubscription>(id).await?;
        let Some(kept) = found.filter(|kept| matches!(kept.outcome, CallOutcome::Open)) else {
            return Ok(true);
        };
        if self.find_made(id, &kept, by_itself(kept.begun.by.clone())?).await?.is_some() {
            return Ok(true);
        }
        let forgotten = self.0.calls.forget_old(id, self.now().minus(SHOWN_BY)).await;
        forgotten.map_err(BillingError::Storage)
    }

    async fn work_out_subscription(
        &self,
        id: &CallId,
        subscribe: &Subscribe,
    ) -> Result<MakeSubscription, BillingError> {
        let view = self.0.ledger.view(&subscribe.account).await?;
        let (plan, interval) = (subscribe.plan.clone(), subscribe.interval);
        let wish =
            PurchaseRequest::Plan { plan, interval, quantity: subscribe.quantity, trial: subscribe.trial };
        let (catalog, now) = (self.0.ledger.catalog(), self.now());
        let PurchaseTerms { price_id, quantity, trial_days, purpose, .. } =
            purchase::price_purchase(&view.account, catalog, self.state_of(&subscribe.account), &wish, now)?;
        let PaymentPurpose::Subscription { plan: Some(plan), .. } = purpose else {
            return Err(Refusal::NotForSale(Unsold::NoPrice).into());
        };
        let open = purchase::require_open(&view.account)?;
        self.check_unheard(id, open, &wish).await?;
        self.check_rate(id).await?;
        let customer = self.payer_of(&view.account, open, subscribe).await?;
        let supersedes = purchase::superseded(open, catalog, &wish, now);
        Ok(MakeSubscription {
            account: subscribe.account.to_string(),
            customer,
            plan: plan.to_string(),
            price: price_id.ok_or(Refusal::NotForSale(Unsold::NoPrice))?,
            quantity,
            trial_days,
            method: subscribe.method.as_ref().map(ToString::to_string),
            metadata: subscribe.metadata.clone(),
            call: id.stripe_key().as_str().to_owned(),
            supersedes: supersedes.iter().map(ToString::to_string).collect(),
        })
    }

    /// The customer that has the wanted method, or else one that has anything to pay with.
    async fn payer_of(
        &self,
        account: &Account,
        open: &OpenAccount,
        subscribe: &Subscribe,
    ) -> Result<String, BillingError> {
        purchase::customer(account)?;
        if let Some(method) = &subscribe.method {
            return Ok(self.find_method_of(&subscribe.account, method).await?.0);
        }
        for customer in customers(open) {
            let found = self.client()?.read(&FindCustomer { customer: customer.clone() }).await?;
            if found.default_method().is_some() {
                return Ok(customer);
            }
        }
        Err(BillingError::NotFound(ResourceKind::PreferredMethod))
    }
}

fn note_of(
    kept: &StoredCall<MakeSubscription, StripeSubscription>,
    provenance: Provenance,
) -> Result<Note, BillingError> {
    Ok(Note { requested: begun(&kept.request)?, at: kept.begun.at, provenance })
}
