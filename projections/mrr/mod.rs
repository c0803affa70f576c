//! What do subscriptions bring in a month, and what changed it?
//!
//! Every report on a subscription is kept, and the movements of an account are worked out again from all of its
//! reports whenever one comes. So the figures do not depend on the order in which webhooks arrive, and a late
//! one changes the day on which it was effective; days that were over by then are listed as restatements.
//!
//! A subscription that is cancelled at the end of its period counts until a report says that it has ended, from
//! the time that the report says.

mod figures;
mod queries;
pub mod timeline;
mod write;

use std::collections::BTreeMap;

use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use crate::domain::{event::Event, names::AccountId, subscription::SubscriptionTerms};

use super::{
    fact::Fact,
    projection::{ApplyError, OnFailure, Projection, Tables},
    reports,
};
use timeline::{Evidence, Movements, Report};

pub use figures::{Change, Figures, Interval, Share, series};
pub use queries::{
    DayChange, MovementCursor, MovementRow, ROWS_MAX, RestatementRow, Retention, day_changes, movements,
    restatements, retention,
};

pub struct Mrr;

impl Projection for Mrr {
    fn name(&self) -> &'static str {
        "mrr"
    }

    fn definition(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn tables(&self) -> &'static [&'static str] {
        &["mrr_reports", "mrr_movements", "mrr_restatements"]
    }

    fn totals(&self) -> &'static str {
        include_str!("totals.sql")
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    fn apply<'a>(
        &'a self,
        facts: &'a [Fact<'a>],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let mut new: BTreeMap<&AccountId, Vec<&Fact<'_>>> = BTreeMap::new();
            for fact in facts.iter().filter(|fact| reports::terms(fact.event).is_some()) {
                new.entry(fact.account).or_default().push(fact);
            }
            if new.is_empty() {
                return Ok(());
            }
            let accounts: Vec<&str> = new.keys().map(|account| account.as_str()).collect();
            let mut known = write::known_reports(&accounts, tables, connection).await?;
            let mut changes = Vec::with_capacity(new.len());
            for (account, facts) in new {
                changes.push(account_changes(
                    account,
                    known.remove(account.as_str()).unwrap_or_default(),
                    &facts,
                )?);
            }
            write::write(&changes, tables, connection).await
        }
        .boxed()
    }
}

/// What a batch changes for one account.
struct AccountChanges<'a> {
    account: &'a AccountId,
    reports: Vec<Report>,
    /// All of the account's movements.
    movements: Movements,
    restatements: Vec<Restatement<'a>>,
}

/// A report changed a day that was over.
struct Restatement<'a> {
    fact: &'a Fact<'a>,
    currency: String,
    day: chrono::NaiveDate,
    before: Option<timeline::Movement>,
    after: Option<timeline::Movement>,
}

/// Takes one report after the other into account, so that restatements do not depend on how events were batched.
fn account_changes<'a>(
    account: &'a AccountId,
    known: Vec<Report>,
    facts: &[&'a Fact<'a>],
) -> Result<AccountChanges<'a>, ApplyError> {
    let already = known.len();
    let mut reports = known;
    let mut restatements = Vec::new();
    let mut movements = None;
    for fact in facts {
        let Some(terms) = reports::terms(fact.event) else { continue };
        let too_large = |_| ApplyError::Unfit {
            position: fact.position,
            reason: "the account's subscriptions are worth more than fits".into(),
        };
        let before = match movements.take() {
            Some(movements) => movements,
            None => timeline::movements(&reports).map_err(too_large)?,
        };
        reports.push(report(fact, terms));
        let after = timeline::movements(&reports).map_err(too_large)?;
        restatements.extend(restated(fact, &before, &after));
        movements = Some(after);
    }
    let new = reports.split_off(already);
    Ok(AccountChanges { account, reports: new, movements: movements.unwrap_or_default(), restatements })
}

fn report(fact: &Fact<'_>, terms: &SubscriptionTerms) -> Report {
    Report {
        subscription: terms.subscription.to_string(),
        sequence: fact.sequence,
        currency: terms.monthly.currency.to_string(),
        monthly: if terms.is_revenue() { terms.monthly.minor.max(0) } else { 0 },
        effective_at: Event::effective_at(fact.event),
        evidence: Evidence {
            ended: terms.ended_at.is_some(),
            reported_at: terms.evidence.reported_at,
            rank: terms.evidence.rank,
            id: terms.evidence.id.to_string(),
        },
        stripe_event: fact.stripe_event.map(str::to_owned),
    }
}

/// The days before the one on which the report was recorded that have another movement by it.
fn restated<'a>(fact: &'a Fact<'a>, before: &Movements, after: &Movements) -> Vec<Restatement<'a>> {
    let recorded_on = fact.recorded_at.to_utc().date_naive();
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let over = keys.into_iter().filter(|(_, day)| *day < recorded_on);
    over.filter_map(|key| {
        let (old, new) = (before.get(key), after.get(key));
        let figures = |movement: &timeline::Movement| (movement.kind, movement.change());
        (old.map(figures) != new.map(figures)).then(|| Restatement {
            fact,
            currency: key.0.clone(),
            day: key.1,
            before: old.cloned(),
            after: new.cloned(),
        })
    })
    .collect()
}
