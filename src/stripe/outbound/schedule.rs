//! How does a subscription change at the end of its period?
//! By a schedule at Stripe, which another change replaces, and which can be withdrawn.
//! Pending changes are read there, including those that a person made on the portal.

use super::{Amend, Billing, BillingError, runner::CallOrder, subscription_change::held};
use crate::{
    domain::{
        account::Account,
        amount::Credits,
        ids::{AccountId, ProviderId},
        refusal::Refusal,
        subscription::SubscriptionState,
        subscription_change::{self, ChangeRequest, PlanSelection},
        time::Timestamp,
    },
    stripe::{
        calls::Operation,
        client::{
            Amendment, FindSchedule, FindSubscription, OpenSchedule, PhaseItemRequest, Phases,
            ReleaseSchedule, StripeSchedule, StripeSubscription, SubscriptionItemChange,
        },
    },
};

/// A change that waits for the end of the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub subscription: ProviderId,
    /// `None`: the catalog does not have the price.
    pub to: Option<PlanSelection>,
    pub at: Timestamp,
    /// For each month from then on.
    pub credits: Option<Credits>,
}

impl Billing {
    /// The request to Stripe for a change: at once, or at the end of the period.
    pub(super) async fn arrange(
        &self,
        amend: &Amend,
        account: &Account,
        terms: &SubscriptionState,
        wish: &ChangeRequest,
    ) -> Result<Amendment, BillingError> {
        let worked_out = self.work_out_change(&amend.account, account, terms, wish).await;
        if let Err(BillingError::Refused(Refusal::NothingToChange { .. })) = &worked_out
            && let Some(schedule) = self.waiting(terms).await?
        {
            // A change to what the subscription is already withdraws the pending one.
            return Ok(Amendment::Release(ReleaseSchedule { schedule }));
        }
        let (change, asked, row) = worked_out?;
        if change.at.is_none() {
            if let Some(schedule) = row.schedule {
                self.release(amend, schedule).await?;
            }
            return Ok(Amendment::Change(asked));
        }
        let schedule = self.open_schedule(amend, &row).await?;
        // If it ended at this very moment, the caller has to repeat the request.
        let span = schedule.current_phase.ok_or(BillingError::Unavailable)?;
        Ok(Amendment::Schedule(Phases {
            schedule: schedule.id,
            start: span.start_date,
            end: span.end_date,
            now: items(&row, None),
            then: items(&row, Some(&asked)),
            interval: change.to.interval.as_str().to_owned(),
        }))
    }

    /// The id of a schedule that changes the subscription.
    async fn waiting(&self, terms: &SubscriptionState) -> Result<Option<String>, BillingError> {
        let row = self.find_subscription(terms).await?;
        let Some(schedule) = row.schedule.clone() else { return Ok(None) };
        let found = self.client()?.read(&FindSchedule { schedule: schedule.clone() }).await?;
        Ok(self.pending(&row, &found, &terms.subscription).map(|_| schedule))
    }

    /// The schedule of a subscription, which is made if there is none.
    async fn open_schedule(
        &self,
        amend: &Amend,
        row: &StripeSubscription,
    ) -> Result<StripeSchedule, BillingError> {
        if let Some(schedule) = row.schedule.clone() {
            return Ok(self.client()?.read(&FindSchedule { schedule }).await?);
        }
        let open = OpenSchedule { subscription: row.id.clone() };
        let order = CallOrder::new(&amend.account, Operation::OpenSchedule, &amend.key, &open)
            .by(&amend.provenance.actor);
        Ok(self.run(&order, async { Ok(open) }).await?.stored)
    }

    /// Releases a schedule: Stripe allows no end to be set while there is one.
    pub(super) async fn keep_unscheduled(
        &self,
        amend: &Amend,
        terms: &SubscriptionState,
    ) -> Result<(), BillingError> {
        match self.find_subscription(terms).await?.schedule {
            Some(schedule) => self.release(amend, schedule).await,
            None => Ok(()),
        }
    }

    async fn release(&self, amend: &Amend, schedule: String) -> Result<(), BillingError> {
        let release = ReleaseSchedule { schedule };
        let order = CallOrder::new(&amend.account, Operation::ReleaseSchedule, &release.schedule, &release)
            .by(&amend.provenance.actor);
        self.run(&order, async { Ok(release) }).await.map(drop)
    }

    /// What a subscription changes to when its period ends, if anything.
    ///
    /// # Errors
    /// If there is no subscription, or Stripe does not answer.
    pub async fn pending_change(
        &self,
        account: &AccountId,
        subscription: Option<&ProviderId>,
    ) -> Result<(ProviderId, Option<Pending>), BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let terms = subscription_change::find(&view.account, subscription, self.now())?;
        let id = terms.subscription.clone();
        let row = self.client()?.read(&FindSubscription { subscription: id.to_string() }).await?;
        let Some(schedule) = row.schedule.clone() else { return Ok((id, None)) };
        let schedule = self.client()?.read(&FindSchedule { schedule }).await?;
        let pending = self.pending(&row, &schedule, &id);
        Ok((id, pending))
    }

    fn pending(
        &self,
        row: &StripeSubscription,
        schedule: &StripeSchedule,
        subscription: &ProviderId,
    ) -> Option<Pending> {
        let next = schedule.next()?;
        let catalog = self.0.ledger.catalog();
        let to = next.items.iter().find_map(|item| {
            let (plan, price) = catalog.plan_by_price_id(&item.price)?;
            let quantity = item.quantity.unwrap_or(1);
            Some(PlanSelection { plan: plan.id.clone(), interval: price.interval, quantity })
        });
        let is_now = held(&row.items, catalog).map(|(_, order)| order) == to && to.is_some();
        let credits = to.as_ref().and_then(|order| subscription_change::monthly(catalog, order).ok());
        let at = Timestamp::from_seconds(next.start_date)?;
        (!is_now).then(|| Pending { subscription: subscription.clone(), to, at, credits })
    }
}

/// All items of a subscription, one of them with a change.
fn items(row: &StripeSubscription, change: Option<&SubscriptionItemChange>) -> Vec<PhaseItemRequest> {
    let item = |item: &crate::stripe::client::StripeSubscriptionItem| match change
        .filter(|change| change.item == item.id)
    {
        Some(change) => PhaseItemRequest { price: change.price.clone(), quantity: Some(change.quantity) },
        None => PhaseItemRequest { price: item.price.id.clone(), quantity: item.quantity },
    };
    row.items.data.iter().map(item).collect()
}
