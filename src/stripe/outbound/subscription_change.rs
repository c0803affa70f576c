//! How is a subscription changed, cancelled, paused or resumed?
//! The rules say whether, Stripe does it once for each key, and its webhooks report the results: the ledger is not
//! changed here.

use serde::Serialize;

use super::{
    Billing, BillingError, RepeatableAnswer,
    change_notes::{Amended, requested},
    runner::{CallOrder, DoneCall, RecordedCall},
};
use crate::{
    domain::{
        account::Account,
        catalog::Catalog,
        ids::{AccountId, ProviderId},
        recorded::JournalPosition,
        refusal::Refusal,
        subscription::SubscriptionState,
        subscription_change::{
            self, AllowedChange, CancelAt, ChangeRequest, PlanSelection, ProrationBilling, SubscriptionAction,
        },
    },
    ledger::Provenance,
    stripe::{
        calls::{CallId, Operation},
        client::{
            AmendSubscription, Amendment, CallError, Client, DescribeCancellation, FindSubscription,
            ProrationBehavior, ReleaseSchedule, StripeSubscription, StripeSubscriptionItems,
            SubscriptionItemChange, is_missing,
        },
        documents::StripeKey,
    },
};

/// How many changes of one kind an account may request in a minute, so that Stripe and the ledger are not kept busy for
/// nothing.
pub const CHANGES_PER_MINUTE: i64 = 10;

/// A request to change an account's subscription.
#[derive(Clone, Debug)]
pub struct Amend {
    pub account: AccountId,
    /// `None`: the only one of the account.
    pub subscription: Option<ProviderId>,
    pub key: String,
    pub wanted: AmendmentRequest,
    pub provenance: Provenance,
}

/// What is requested.
#[derive(Clone, Debug)]
pub enum AmendmentRequest {
    Change(ChangeRequest),
    Cancel {
        at: CancelAt,
        /// One of Stripe's codes.
        feedback: Option<&'static str>,
        /// The person's own words. Sent to Stripe, and not stored here.
        reason: Option<String>,
    },
    WithdrawCancellation,
    Pause,
    Resume,
    /// Withdraws a change that waits for the end of the period.
    WithdrawChange,
}

/// What repetitions are compared by: everything except the person's own words, of which not even a hash is stored.
#[derive(Serialize)]
struct AmendmentFingerprint<'a> {
    subscription: Option<&'a ProviderId>,
    wish: Option<&'a ChangeRequest>,
    cancel: Option<(CancelAt, Option<&'static str>)>,
}

impl AmendmentRequest {
    const fn operation(&self) -> Operation {
        match self {
            Self::Change(_) => Operation::ChangeSubscription,
            Self::Cancel { .. } => Operation::CancelSubscription,
            Self::WithdrawCancellation => Operation::WithdrawCancellation,
            Self::Pause => Operation::PauseSubscription,
            Self::Resume => Operation::ResumeSubscription,
            Self::WithdrawChange => Operation::WithdrawChange,
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Cancel { reason, .. } => reason.as_deref(),
            Self::Change(_)
            | Self::WithdrawCancellation
            | Self::Pause
            | Self::Resume
            | Self::WithdrawChange => None,
        }
    }
}

impl Amend {
    fn asked(&self) -> AmendmentFingerprint<'_> {
        let (wish, cancel) = match &self.wanted {
            AmendmentRequest::Change(wish) => (Some(wish), None),
            AmendmentRequest::Cancel { at, feedback, .. } => (None, Some((*at, *feedback))),
            AmendmentRequest::WithdrawCancellation
            | AmendmentRequest::Pause
            | AmendmentRequest::Resume
            | AmendmentRequest::WithdrawChange => (None, None),
        };
        AmendmentFingerprint { subscription: self.subscription.as_ref(), wish, cancel }
    }
}

impl Billing {
    /// Sends a change to Stripe, once for each key, and returns the subscription as it then was at Stripe.
    ///
    /// # Errors
    /// If the rules or Stripe refuse it, Stripe does not answer, or the ledger cannot record it.
    pub async fn amend(&self, amend: Amend) -> Result<RepeatableAnswer<Amended>, BillingError> {
        let Amend { account, key, wanted, provenance, .. } = &amend;
        let order = CallOrder::new(account, wanted.operation(), key, &amend.asked())
            .by(&provenance.actor)
            .from(provenance.clone());
        let request = async {
            self.check_often(&order.id, CHANGES_PER_MINUTE).await?;
            let request = self.work_out(&amend).await?;
            // This comes first and can be repeated: if it fails, nothing was cancelled.
            self.describe_cancellation(&request, wanted.reason()).await?;
            Ok(request)
        };
        self.run(&order, request).await?.amended()
    }

    /// Whether the subscription is as requested now, whoever changed it, so that the outcome is known without the key.
    pub(super) async fn find_amended(&self, id: &CallId) -> Result<bool, BillingError> {
        let Some((order, call)) = self.find_open::<AmendSubscription>(id).await? else { return Ok(false) };
        let subscription = call.request.subscription.clone();
        let row = self.client()?.read(&FindSubscription { subscription }).await?;
        let is_so = call.request.amendment.holds_for(&row);
        if is_so {
            self.conclude(&order, &call, row).await?;
        }
        Ok(is_so)
    }

    async fn work_out(&self, amend: &Amend) -> Result<AmendSubscription, BillingError> {
        let view = self.0.ledger.view(&amend.account).await?;
        if !matches!(amend.wanted, AmendmentRequest::Cancel { .. }) {
            view.account.require_open()?;
        }
        let terms = subscription_change::find(&view.account, amend.subscription.as_ref(), self.now())?;
        let amendment = match &amend.wanted {
            AmendmentRequest::Change(wish) => self.arrange(amend, &view.account, terms, wish).await?,
            AmendmentRequest::Cancel { at, feedback, .. } => {
                subscription_change::cancel(terms, *at)?;
                if *at == CancelAt::PeriodEnd {
                    self.keep_unscheduled(amend, terms).await?;
                }
                let feedback = feedback.map(str::to_owned);
                match at {
                    CancelAt::Now => Amendment::CancelNow { feedback },
                    CancelAt::PeriodEnd => Amendment::CancelAtPeriodEnd { feedback },
                }
            }
            AmendmentRequest::WithdrawCancellation => {
                subscription_change::check(terms, SubscriptionAction::WithdrawCancellation)?;
                let row = self.find_subscription(terms).await?;
                if row.cancel_at_period_end { Amendment::StayAfterPeriod } else { Amendment::StayAfterDate }
            }
            AmendmentRequest::Pause => {
                subscription_change::check(terms, SubscriptionAction::Pause)?;
                Amendment::PauseCollection
            }
            AmendmentRequest::Resume => {
                subscription_change::check(terms, SubscriptionAction::Resume)?;
                subscription_change::check_resumed(terms, self.state_of(&amend.account))?;
                if subscription_change::stands_still(terms) {
                    Amendment::Resume
                } else {
                    Amendment::ResumeCollection
                }
            }
            AmendmentRequest::WithdrawChange => {
                let schedule = self.find_subscription(terms).await?.schedule;
                let schedule = schedule.ok_or(Refusal::NothingToChange { held: None })?;
                Amendment::Release(ReleaseSchedule { schedule })
            }
        };
        Ok(AmendSubscription { subscription: terms.subscription.to_string(), amendment })
    }

    /// An allowed change, and the request to Stripe for it.
    pub(super) async fn work_out_change(
        &self,
        of: &AccountId,
        account: &Account,
        terms: &SubscriptionState,
        wish: &ChangeRequest,
    ) -> Result<(AllowedChange, SubscriptionItemChange, StripeSubscription), BillingError> {
        subscription_change::check(terms, SubscriptionAction::Change)?;
        let catalog = self.0.ledger.catalog();
        let row = self.find_subscription(terms).await?;
        let (item, held) = held(&row.items, catalog)
            .ok_or_else(|| BillingError::Refused(Refusal::UnknownPlan { plan: terms.plan.clone() }))?;
        let change = subscription_change::change(terms, catalog, &held, wish, self.now())?;
        subscription_change::check_sold(&change, self.state_of(of))?;
        subscription_change::check_is_paid(account, &terms.subscription, &change, self.now())?;
        let item = item.to_owned();
        let asked = SubscriptionItemChange {
            item,
            price: change.price_id.clone(),
            quantity: change.to.quantity,
            paid_or_not_changed: change.is_paid_at_once(),
            proration: match change.settlement {
                ProrationBilling::AtOnce => ProrationBehavior::AlwaysInvoice,
                ProrationBilling::NextInvoice => ProrationBehavior::CreateProrations,
                ProrationBilling::Never | ProrationBilling::PeriodEnd => ProrationBehavior::None,
            },
            proration_date: change.proration_date.map(crate::domain::time::Timestamp::seconds),
            begins_charge: change.begins_charge(),
        };
        Ok((change, asked, row))
    }

    pub(super) async fn find_subscription(
        &self,
        terms: &SubscriptionState,
    ) -> Result<StripeSubscription, BillingError> {
        let subscription = terms.subscription.to_string();
        Ok(self.client()?.read(&FindSubscription { subscription }).await?)
    }

    async fn describe_cancellation(
        &self,
        request: &AmendSubscription,
        reason: Option<&str>,
    ) -> Result<(), BillingError> {
        if let Some(reason) = reason {
            let (subscription, comment) = (request.subscription.clone(), reason.to_owned());
            self.client()?.read(&DescribeCancellation { subscription, comment }).await?;
        }
        Ok(())
    }
}

impl RecordedCall for AmendSubscription {
    type Stored = StripeSubscription;

    fn store(answer: &StripeSubscription) -> StripeSubscription {
        answer.clone()
    }

    async fn send(&self, client: &Client, key: &StripeKey) -> Result<StripeSubscription, CallError> {
        ask(client, self, key).await
    }

    async fn note(
        billing: &Billing,
        done: DoneCall<'_, Self>,
    ) -> Result<Option<JournalPosition>, BillingError> {
        // The program itself ended a second subscription, and nobody requested it.
        if done.order.id.operation == Operation::CancelDuplicate {
            return Ok(None);
        }
        let requested = requested(&done.call.request.amendment, billing.0.ledger.catalog());
        billing.note(&done, requested).await.map(Some)
    }
}

/// Stripe answers with the schedule, so the subscription is read, too.
async fn ask_schedule(
    client: &Client,
    request: &AmendSubscription,
    key: &StripeKey,
) -> Option<Result<StripeSubscription, CallError>> {
    let answer = match &request.amendment {
        Amendment::Schedule(phases) => client.execute_once(phases, key).await,
        Amendment::Release(release) => client.execute_once(release, key).await,
        Amendment::Change(_)
        | Amendment::CancelNow { .. }
        | Amendment::CancelAtPeriodEnd { .. }
        | Amendment::StayAfterPeriod
        | Amendment::StayAfterDate
        | Amendment::PauseCollection
        | Amendment::ResumeCollection
        | Amendment::Resume => return None,
    };
    Some(match answer {
        Ok(_) => {
            let found = client.read(&FindSubscription { subscription: request.subscription.clone() }).await;
            // The change was made, although reading the subscription failed.
            found.map_err(|_| CallError::OutcomeUnknown)
        }
        Err(error) => Err(error),
    })
}

/// Sends a cancellation.
/// Stripe has no keys for deletions: a second cancellation is refused, and then the subscription is read.
async fn ask(
    client: &Client,
    request: &AmendSubscription,
    key: &StripeKey,
) -> Result<StripeSubscription, CallError> {
    if let Some(answer) = ask_schedule(client, request, key).await {
        return answer;
    }
    let answer = client.execute_once(request, key).await;
    let missing = matches!(&answer, Err(CallError::Rejected(why)) if is_missing(why));
    if !missing || !matches!(request.amendment, Amendment::CancelNow { .. }) {
        return answer;
    }
    match client.read(&FindSubscription { subscription: request.subscription.clone() }).await {
        Ok(row) if request.amendment.holds_for(&row) => Ok(row),
        Ok(_) | Err(CallError::Rejected(_)) => answer,
        Err(CallError::KeyNotTaken | CallError::Unavailable | CallError::OutcomeUnknown) => {
            Err(CallError::OutcomeUnknown)
        }
    }
}

/// The plan of a subscription at Stripe, by the catalog, and the item that has it. Other items are add-ons.
#[must_use]
pub fn held<'a>(items: &'a StripeSubscriptionItems, catalog: &Catalog) -> Option<(&'a str, PlanSelection)> {
    items.data.iter().find_map(|item| {
        let (plan, price) = catalog.plan_by_price_id(&item.price.id)?;
        let quantity = item.quantity.unwrap_or(1);
        Some((item.id.as_str(), PlanSelection { plan: plan.id.clone(), interval: price.interval, quantity }))
    })
}
