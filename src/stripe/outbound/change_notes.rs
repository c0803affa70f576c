//! Who requested which change of a subscription?
//! The ledger records it once for each call, when Stripe has carried it out; the results are reported by webhooks.

use super::{
    Billing, BillingError, RepeatableAnswer,
    runner::{DoneCall, RecordedCall, Reply},
};
use crate::{
    domain::{
        catalog::Catalog,
        command::{Command, SubscriptionCommand},
        ids::{PlanId, ProviderId},
        recorded::JournalPosition,
        requested::{Requested, RequestedChange},
        subscription_change::CancelAt,
    },
    ledger::{ExecuteError, IdempotencyKey, Request},
    stripe::client::{Amendment, MakeSubscription, StripeSubscription},
};

/// A subscription as it then was at Stripe, and the position at which the ledger recorded the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amended {
    pub row: StripeSubscription,
    pub position: JournalPosition,
}

impl<C> Reply<C>
where
    C: RecordedCall<Stored = StripeSubscription>,
{
    /// The answer with its position, which every recorded change has.
    pub(super) fn amended(self) -> Result<RepeatableAnswer<Amended>, BillingError> {
        let position = self.position.ok_or(BillingError::OutcomeUnknown)?;
        let RepeatableAnswer { answer: row, replayed } = self.repeatable();
        Ok(RepeatableAnswer { answer: Amended { row, position }, replayed })
    }
}

impl Billing {
    /// Records a request. A repetition has the same position, since it has the time of the first attempt.
    pub(super) async fn note<C>(
        &self,
        done: &DoneCall<'_, C>,
        requested: Requested,
    ) -> Result<JournalPosition, BillingError>
    where
        C: RecordedCall<Stored = StripeSubscription>,
    {
        let (id, effective_at) = (&done.order.id, done.call.begun.at);
        let subscription = ProviderId::parse(&done.stored.id).map_err(|_| BillingError::OutcomeUnknown)?;
        let command = Command::Subscription(SubscriptionCommand::RecordRequestedChange(RequestedChange {
            subscription,
            requested,
            effective_at,
        }));
        let key = IdempotencyKey::stripe(&format!("requested:{}", id.stripe_key().short()));
        let request = Request::new(id.account.clone(), command, key, done.provenance()?);
        match self.0.ledger.execute(request).await {
            Ok(outcome) => Ok(outcome.position),
            // The request is already recorded, and the catalog of that time had something else for the price.
            Err(ExecuteError::KeyReused) => Ok(self.0.ledger.view(&id.account).await?.position),
            Err(error) => Err(error.into()),
        }
    }
}

/// The request, derived from what was sent to Stripe.
pub(super) fn requested(amendment: &Amendment, catalog: &Catalog) -> Requested {
    let change = |price: &str, quantity: u32| {
        let found = catalog.plan_by_price_id(price);
        let (plan, interval) = found.map(|(plan, price)| (plan.id.clone(), price.interval)).unzip();
        Requested::Change { plan, interval, quantity }
    };
    match amendment {
        Amendment::Change(item) => change(&item.price, item.quantity),
        Amendment::Schedule(phases) => {
            let is_plan = |price: &str| catalog.plan_by_price_id(price).is_some();
            let item = phases.then.iter().find(|item| is_plan(&item.price)).or_else(|| phases.then.first());
            item.map_or(Requested::WithdrawChange, |item| change(&item.price, item.quantity.unwrap_or(1)))
        }
        Amendment::CancelNow { .. } => Requested::Cancel { at: CancelAt::Now },
        Amendment::CancelAtPeriodEnd { .. } => Requested::Cancel { at: CancelAt::PeriodEnd },
        Amendment::StayAfterPeriod | Amendment::StayAfterDate => Requested::WithdrawCancellation,
        Amendment::PauseCollection => Requested::Pause,
        Amendment::ResumeCollection | Amendment::Resume => Requested::Resume,
        Amendment::Release(_) => Requested::WithdrawChange,
    }
}

/// The request for a new subscription.
pub(super) fn begun(request: &MakeSubscription) -> Result<Requested, BillingError> {
    let plan = PlanId::parse(&request.plan).map_err(|_| BillingError::OutcomeUnknown)?;
    Ok(Requested::Begin { plan, quantity: request.quantity })
}
