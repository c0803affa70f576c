//! How are the rows of reports, movements and restatements written?

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::PgConnection;

use crate::{
    domain::{discounts::DiscountStep, recorded::Shard},
    projections::{
        projection::{ApplyError, Tables},
        rows::Rows,
    },
};

use super::{
    AccountChanges,
    churn::ChurnCause,
    movements::DayMovement,
    reports::Discounted,
    sums::{MovementSums, restate},
};

pub(super) async fn write(
    shard: Shard,
    changes: &[AccountChanges<'_>],
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), ApplyError> {
    reports(shard, changes).write(&tables.statement(include_str!("add_reports.sql")), connection).await?;
    payments(shard, changes).write(&tables.statement(include_str!("add_payments.sql")), connection).await?;
    discounts(shard, changes).write(&tables.statement(include_str!("add_discounts.sql")), connection).await?;
    requests(shard, changes).write(&tables.statement(include_str!("add_requests.sql")), connection).await?;
    replace_movements(shard, changes, tables, connection).await?;
    replace_at_risk(shard, changes, tables, connection).await?;
    restatements(shard, changes)
        .write(&tables.statement(include_str!("add_restatements.sql")), connection)
        .await?;
    restate(shard, changes, tables, connection).await
}

/// Sums change by what is deleted and what is written, so they are always those of the rows.
async fn replace_movements(
    shard: Shard,
    changes: &[AccountChanges<'_>],
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), ApplyError> {
    let mut sums = MovementSums::default();
    // One by one: for a list of accounts, a database without statistics would go through all rows of the shard.
    let forget = tables.statement(include_str!("forget_movements.sql"));
    for change in changes {
        let Some(movements) = &change.movements else { continue };
        let forget = sqlx::query_as(&forget).bind(shard.0).bind(change.account.as_str());
        sums.forget(forget.fetch_all(&mut *connection).await?);
        sums.learn(movements);
    }
    movements(shard, changes).write(&tables.statement(include_str!("add_movements.sql")), connection).await?;
    sums.write(shard, tables, connection).await
}

async fn replace_at_risk(
    shard: Shard,
    changes: &[AccountChanges<'_>],
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), ApplyError> {
    let forget = tables.statement(include_str!("forget_at_risk.sql"));
    for change in changes.iter().filter(|change| change.at_risk.is_some()) {
        let forget = sqlx::query(&forget).bind(shard.0).bind(change.account.as_str());
        forget.execute(&mut *connection).await?;
    }
    at_risk(shard, changes).write(&tables.statement(include_str!("add_at_risk.sql")), connection).await?;
    Ok(())
}

fn reports(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(17);
    for change in changes {
        for report in &change.said.reports {
            rows.begin()
                .small(shard.0)
                .text(change.account.as_str())
                .big(report.sequence)
                .text(&report.subscription)
                .text(&report.currency)
                .big(report.monthly)
                .boolean(report.evidence.ended)
                .time(report.evidence.reported_at)
                .small(i16::from(report.evidence.rank))
                .text(&report.evidence.id)
                .time(report.effective_at)
                .optional_text(report.stripe_event.as_deref())
                .optional_text(report.evidence.step.as_ref().and_then(|step| step.from.as_deref()))
                .optional_text(report.evidence.step.as_ref().map(|step| step.to.as_str()))
                .optional_text(report.undiscounted.as_ref().and_then(json).as_deref())
                .text(report.standing.name())
                .optional_time(report.cancel_at);
        }
    }
    rows
}

fn payments(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(7);
    for change in changes {
        for payment in &change.said.payments {
            rows.begin()
                .small(shard.0)
                .text(change.account.as_str())
                .big(payment.sequence)
                .text(&payment.subscription)
                .text(payment.state.name())
                .time(payment.effective_at)
                .optional_text(payment.stripe_event.as_deref());
        }
    }
    rows
}

fn discounts(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(9);
    for change in changes {
        for Discounted { told, sequence, stripe_event } in &change.said.discounted {
            let (ended, off) = match &told.what {
                DiscountStep::Begun(off) => (false, off.as_ref().and_then(json)),
                DiscountStep::Ended => (true, None),
            };
            rows.begin()
                .small(shard.0)
                .text(change.account.as_str())
                .big(*sequence)
                .text(told.customer.as_str())
                .text(told.discount.as_str())
                .boolean(ended)
                .optional_text(off.as_deref())
                .time(told.at)
                .optional_text(stripe_event.as_deref());
        }
    }
    rows
}

fn requests(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(6);
    for change in changes {
        for request in &change.said.requests {
            rows.begin()
                .small(shard.0)
                .text(change.account.as_str())
                .big(request.sequence)
                .text(&request.subscription)
                .boolean(request.withdrawn)
                .time(request.effective_at);
        }
    }
    rows
}

fn at_risk(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(8);
    for change in changes {
        for risk in change.at_risk.iter().flatten() {
            rows.begin()
                .small(shard.0)
                .text(change.account.as_str())
                .text(&risk.subscription)
                .text(&risk.currency)
                .big(risk.mrr)
                .boolean(risk.past_due)
                .optional_time(risk.cancel_at)
                .time(risk.since);
        }
    }
    rows
}

fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

fn movements(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(12);
    for change in changes {
        let mut all = change.movements.iter().flatten().peekable();
        while let Some(((currency, day), movement)) = all.next() {
            let next = all.peek().filter(|((other, _), _)| other == currency);
            rows.begin()
                .small(shard.0)
                .text(change.account.as_str())
                .text(currency)
                .day(*day)
                .text(movement.kind.name())
                .big(movement.before)
                .big(movement.after)
                .big(movement.sequence)
                .optional_text(movement.stripe_event.as_deref())
                .text(&movement.subscription)
                .optional_day(next.map(|((_, day), _)| *day))
                .optional_text(movement.cause.map(ChurnCause::name));
        }
    }
    rows
}

fn restatements(shard: Shard, changes: &[AccountChanges<'_>]) -> Rows {
    let mut rows = Rows::new(11);
    for change in changes {
        for restatement in &change.restatements {
            let day: NaiveDate = restatement.day;
            rows.begin()
                .small(shard.0)
                .big(restatement.recorded.position.0)
                .text(change.account.as_str())
                .text(&restatement.currency)
                .day(day)
                .time(restatement.recorded.recorded_at)
                .optional_text(restatement.recorded.stripe_event());
            for movement in [&restatement.before, &restatement.after] {
                rows.optional_text(movement.as_ref().map(|movement| movement.kind.name()))
                    .big(movement.as_ref().map_or(0, DayMovement::change));
            }
        }
    }
    rows
}
