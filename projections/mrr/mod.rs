//! What is the monthly recurring revenue of each account, and what changed it?
//!
//! All reports on subscriptions are stored, with their payments and the discounts of customers.
//! When something is added, all movements of the account are computed again, so that the figures do not depend on the
//! order in which webhooks arrive.
//! A late report changes the day on which it took effect; days that were over by then are listed as restatements.
//! The sums of all movements are kept by day and month, and of each movement until when it holds, so that no question
//! reads what was before it.
//!
//! A subscription that is cancelled at the end of its period counts until a report says that it has ended, and ends at
//! the time of that report.

mod causes;
pub mod churn;
mod churned;
mod cohorts;
mod figures;
mod known;

pub mod movements;
mod paying;
mod queries;
pub mod reports;
mod restated;
mod retention;
mod sums;
pub mod timeline;
mod worth;
mod write;

use std::collections::BTreeMap;

use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use crate::domain::{
    event::{Event, NoticeEvent},
    ids::AccountId,
    recorded::RecordedEvent,
    requested::Requested,
    subscription::SubscriptionState,
};

use super::{
    projection::{ApplyError, OnFailure, Projection, Tables},
    shards, subscription_reports,
};
use churn::{CancellationRequest, RevenueStanding, SubscriptionAtRisk};
use movements::{AccountMovements, DayMovement};
use reports::{Discounted, PaidReport, ReportPlace, TimelineReport};
use timeline::{AccountRevenue, RevenueFacts};

pub use churned::{
    AccountPartCursor, AtRiskRow, ChurnedAccounts, ChurnedRevenue, ChurnedRow, RevenueAtRisk, RiskSelection,
    accounts_churned, at_risk, at_risk_rows, churned, revenue_churned,
};
pub use cohorts::{CohortMonth, CohortRow, CohortSelection, RetainedRow, cohort_rows, cohorts, retained};
pub use figures::{Figures, MovementSum, Proportion, series};
pub use paying::{PayingCursor, PayingRow, paying};
pub use queries::{
    DayChange, KindChange, MovementCursor, MovementRow, MovementSelection, ROWS_MAX, RestatementCursor,
    RestatementRow, changes_before, day_changes, movements, restatements,
};
pub use restated::{restated_balances, restated_days};
pub use retention::{IntervalMoves, RevenueRetention, interval_moves, retention};

pub struct Mrr;

impl Projection for Mrr {
    fn name(&self) -> &'static str {
        "mrr"
    }

    fn definition(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "mrr_reports",
            "mrr_movements",
            "mrr_days",
            "mrr_months",
            "mrr_restatements",
            "mrr_restated_months",
            "mrr_payments",
            "mrr_discounts",
            "mrr_requests",
            "mrr_at_risk",
        ]
    }

    fn totals(&self) -> &'static str {
        include_str!("totals.sql")
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    fn apply<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let mut new: BTreeMap<&AccountId, Vec<&RecordedEvent>> = BTreeMap::new();
            for recorded in events.iter().filter(|recorded| said(recorded).is_some()) {
                new.entry(&recorded.account).or_default().push(recorded);
            }
            let Some(shard) = shards::of_batch(events).filter(|_| !new.is_empty()) else { return Ok(()) };
            let accounts: Vec<&str> = new.keys().map(|account| account.as_str()).collect();
            let mut known = known::known(shard, &accounts, tables, connection).await?;
            let mut changes = Vec::with_capacity(new.len());
            for (account, events) in new {
                changes.push(account_changes(
                    account,
                    known.remove(account.as_str()).unwrap_or_default(),
                    &events,
                )?);
            }
            write::write(shard, &changes, tables, connection).await
        }
        .boxed()
    }
}

/// What is known of one account, and the movements that follow.
#[derive(Clone, Debug, Default)]
pub struct History {
    reports: Vec<TimelineReport>,
    payments: Vec<PaidReport>,
    discounted: Vec<Discounted>,
    requests: Vec<CancellationRequest>,
    /// What follows. `None`: not computed yet.
    revenue: Option<AccountRevenue>,
}

/// What one event adds.
enum MrrInput {
    Reported(TimelineReport),
    Paid(PaidReport),
    Discounted(Discounted),
    Requested(CancellationRequest),
}

/// What a batch of events changes for one account.
struct AccountChanges<'a> {
    account: &'a AccountId,
    /// What the batch adds.
    said: History,
    /// All of the account's movements. `None`: they are what they were.
    movements: Option<AccountMovements>,
    /// All of the account's subscriptions at risk. `None`: they are what they were.
    at_risk: Option<Vec<SubscriptionAtRisk>>,
    restatements: Vec<Restatement<'a>>,
}

/// A day that was over when an event changed it.
#[derive(Debug)]
pub struct Restatement<'a> {
    pub recorded: &'a RecordedEvent,
    pub currency: String,
    pub day: chrono::NaiveDate,
    pub before: Option<DayMovement>,
    pub after: Option<DayMovement>,
}

/// Adds one event after the other, so that restatements do not depend on how events are batched.
fn account_changes<'a>(
    account: &'a AccountId,
    mut known: History,
    events: &[&'a RecordedEvent],
) -> Result<AccountChanges<'a>, ApplyError> {
    let already = (known.reports.len(), known.payments.len(), known.discounted.len(), known.requests.len());
    let before = match events.first() {
        Some(first) => known.work_out(first)?,
        None => AccountRevenue::default(),
    };
    known.revenue = Some(before.clone());
    let mut restatements = Vec::new();
    for recorded in events {
        restatements.extend(known.learn(recorded)?);
    }
    let said = History {
        reports: known.reports.split_off(already.0),
        payments: known.payments.split_off(already.1),
        discounted: known.discounted.split_off(already.2),
        requests: known.requests.split_off(already.3),
        revenue: None,
    };
    let AccountRevenue { movements, at_risk } = known.revenue.unwrap_or_default();
    let movements = Some(movements).filter(|movements| *movements != before.movements);
    let at_risk = Some(at_risk).filter(|at_risk| *at_risk != before.at_risk);
    Ok(AccountChanges { account, said, movements, at_risk, restatements })
}

impl History {
    /// Adds an event, and returns the days that it changes and that were over when it was recorded.
    ///
    /// # Errors
    /// If the account's revenue does not fit.
    pub fn learn<'a>(&mut self, recorded: &'a RecordedEvent) -> Result<Vec<Restatement<'a>>, ApplyError> {
        let Some(said) = said(recorded) else { return Ok(Vec::new()) };
        let before = match self.revenue.take() {
            Some(revenue) => revenue,
            None => self.work_out(recorded)?,
        };
        match said {
            MrrInput::Reported(report) => self.reports.push(report),
            MrrInput::Paid(payment) => self.payments.push(payment),
            MrrInput::Discounted(discounted) => self.discounted.push(discounted),
            MrrInput::Requested(request) => self.requests.push(request),
        }
        let after = self.work_out(recorded)?;
        let restated = restated(recorded, &before.movements, &after.movements);
        self.revenue = Some(after);
        Ok(restated)
    }

    /// The movements by all events that were added. `None`: there was none.
    #[must_use]
    pub fn movements(&self) -> Option<&AccountMovements> {
        self.revenue.as_ref().map(|revenue| &revenue.movements)
    }

    fn work_out(&self, recorded: &RecordedEvent) -> Result<AccountRevenue, ApplyError> {
        let known = RevenueFacts {
            reports: &self.reports,
            payments: &self.payments,
            discounted: &self.discounted,
            requests: &self.requests,
        };
        timeline::revenue(known).map_err(|_| ApplyError::Unfit {
            position: recorded.position.0,
            reason: "the account's subscriptions are worth more than fits".into(),
        })
    }
}

/// What an event says about revenue. `None`: nothing.
fn said(recorded: &RecordedEvent) -> Option<MrrInput> {
    let stripe_event = || recorded.stripe_event().map(str::to_owned);
    match &recorded.event {
        Event::Subscription(event) => Some(MrrInput::Reported(report(recorded, event.terms()))),
        Event::Account(event) => event.discount_report().map(|told| {
            MrrInput::Discounted(Discounted {
                told,
                sequence: recorded.sequence,
                stripe_event: stripe_event(),
            })
        }),
        Event::Invoice(event) => subscription_reports::payment(event).map(|(subscription, state)| {
            MrrInput::Paid(PaidReport {
                subscription: subscription.to_string(),
                sequence: recorded.sequence,
                state,
                effective_at: event.effective_at(),
                stripe_event: stripe_event(),
            })
        }),
        Event::Notice(event) => requested(recorded, event).map(MrrInput::Requested),
        Event::Credits(_) | Event::Hold(_) | Event::Payment(_) | Event::Checkout(_) => None,
    }
}

/// What was requested, if it is a cancellation, or that it goes on after all.
fn requested(recorded: &RecordedEvent, event: &NoticeEvent) -> Option<CancellationRequest> {
    let NoticeEvent::SubscriptionChangeRequested { subscription, requested, effective_at } = event else {
        return None;
    };
    let withdrawn = match requested {
        Requested::Cancel { .. } => false,
        Requested::WithdrawCancellation => true,
        Requested::Begin { .. }
        | Requested::Change { .. }
        | Requested::WithdrawChange
        | Requested::Pause
        | Requested::Resume => return None,
    };
    let (subscription, effective_at) = (subscription.to_string(), *effective_at);
    Some(CancellationRequest { subscription, sequence: recorded.sequence, withdrawn, effective_at })
}

fn report(recorded: &RecordedEvent, terms: &SubscriptionState) -> TimelineReport {
    TimelineReport {
        subscription: terms.subscription.to_string(),
        sequence: recorded.sequence,
        currency: terms.monthly.currency.to_string(),
        monthly: if terms.is_revenue() { terms.monthly.minor.max(0) } else { 0 },
        undiscounted: terms.undiscounted.clone().filter(|_| terms.is_revenue()),
        effective_at: recorded.event.effective_at(),
        evidence: ReportPlace {
            ended: terms.ended_at.is_some(),
            reported_at: terms.evidence.reported_at,
            rank: terms.evidence.rank,
            id: terms.evidence.id.to_string(),
            step: terms.evidence.step.clone(),
        },
        standing: RevenueStanding::of(terms),
        cancel_at: terms.cancel_at,
        stripe_event: recorded.stripe_event().map(str::to_owned),
    }
}

/// The days before the report was recorded whose movement it changes.
fn restated<'a>(
    recorded: &'a RecordedEvent,
    before: &AccountMovements,
    after: &AccountMovements,
) -> Vec<Restatement<'a>> {
    let recorded_on = recorded.recorded_at.to_utc().date_naive();
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let over = keys.into_iter().filter(|(_, day)| *day < recorded_on);
    over.filter_map(|key| {
        let (old, new) = (before.get(key), after.get(key));
        let figures = |movement: &DayMovement| (movement.kind, movement.change(), movement.cause);
        (old.map(figures) != new.map(figures)).then(|| Restatement {
            recorded,
            currency: key.0.clone(),
            day: key.1,
            before: old.cloned(),
            after: new.cloned(),
        })
    })
    .collect()
}
