//! Who asked for what of a subscription? The ledger takes note when Stripe has done it, once for each call; what came
//! of it is told by webhooks.

use super::{Billing, BillingError};
use crate::{
    domain::{
        catalog::Catalog,
        command::Command,
        ids::{Actor, PlanId, ProviderId},
        recorded::{Origin, Position},
        requested::{Requested, RequestedChange},
        subscription_change::CancelAt,
        time::Timestamp,
    },
    ledger::{ExecuteError, IdempotencyKey, Provenance, Request},
    stripe::{
        calls::CallId,
        client::{Amendment, MakeSubscription, StripeSubscription},
    },
};

/// Who is named where the program has done something by itself.
const ITSELF: &str = "clock";

/// A subscription as it then was at Stripe, and where in the ledger it stands that it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amended {
    pub row: StripeSubscription,
    pub position: Position,
}

/// What there is to take note of.
pub(super) struct Note {
    pub requested: Requested,
    /// When it was first asked for: the same for whoever repeats it.
    pub at: Timestamp,
    pub provenance: Provenance,
}

pub(super) fn itself() -> Result<Actor, BillingError> {
    Actor::parse(ITSELF).map_err(|_| BillingError::OutcomeUnknown)
}

/// Where a command comes from that completes what somebody asked for who has gone.
pub(super) fn by_itself(asked: Option<Actor>) -> Result<Provenance, BillingError> {
    let actor = asked.map_or_else(itself, Ok)?;
    let (origin, correlation_id, causation_id, stripe_event) = (Origin::Clock, None, None, None);
    Ok(Provenance { actor, origin, correlation_id, causation_id, stripe_event })
}

impl Billing {
    /// Repeated, it answers the same place.
    pub(super) async fn note(
        &self,
        id: &CallId,
        subscription: &str,
        note: Note,
    ) -> Result<Position, BillingError> {
        let Note { requested, at: effective_at, provenance } = note;
        let subscription = ProviderId::parse(subscription).map_err(|_| BillingError::OutcomeUnknown)?;
        let command =
            Command::RecordRequestedChange(RequestedChange { subscription, requested, effective_at });
        let key = IdempotencyKey::stripe(&format!("requested:{}", id.stripe_key().short()));
        let request = Request { account: id.account.clone(), command, key, provenance };
        match self.0.ledger.execute(request).await {
            Ok(outcome) => Ok(outcome.position),
            // It stands there, and by the catalog of that time the price was for something else.
            Err(ExecuteError::KeyReused) => Ok(self.0.ledger.view(&id.account).await?.position),
            Err(error) => Err(error.into()),
        }
    }
}

/// What was asked for, by what Stripe was asked.
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

/// The same of a subscription that is made.
pub(super) fn begun(request: &MakeSubscription) -> Result<Requested, BillingError> {
    let plan = PlanId::parse(&request.plan).map_err(|_| BillingError::OutcomeUnknown)?;
    Ok(Requested::Begin { plan, quantity: request.quantity })
}
