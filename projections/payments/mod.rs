//! What was paid, and what was refunded, over all accounts?
//!
//! Totals of refunds (`PaymentRefunded`) are not listed: each refund is also reported by itself.

mod queries;

use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use crate::domain::{
    amount::Money,
    event::{Event, PaymentEvent, PaymentPurpose},
    ids::ProviderId,
    recorded::RecordedEvent,
    time::Timestamp,
};

use super::projection::{ApplyError, Projection, Tables};

pub use queries::{KINDS, PaymentCursor, PaymentRow, RefundRow, ReportedPaymentRow, payments, refunds, told};

pub struct PaymentsProjection;

impl Projection for PaymentsProjection {
    fn name(&self) -> &'static str {
        "payments"
    }

    fn definition(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn tables(&self) -> &'static [&'static str] {
        &["payments", "payment_links", "refunds"]
    }

    fn totals(&self) -> &'static str {
        include_str!("totals.sql")
    }

    fn apply<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            for recorded in events {
                note(recorded, tables, connection).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

/// One statement for each event: they are rare.
async fn note(
    recorded: &RecordedEvent,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    match &recorded.event {
        Event::Payment(PaymentEvent::PaymentSucceeded { payment, money, purpose, effective_at }) => {
            pay(recorded, (payment, money, *effective_at), purpose, tables, connection).await
        }
        Event::Payment(PaymentEvent::PaymentLinked { payment, invoice, .. }) => {
            link(recorded, invoice, payment, tables, connection).await
        }
        Event::Payment(PaymentEvent::RefundIssued { refund, payment, money, effective_at }) => {
            give_back(recorded, (refund, payment), (money, *effective_at, false), tables, connection).await
        }
        Event::Payment(PaymentEvent::RefundFailed { refund, payment, money, refunded_at, .. }) => {
            give_back(recorded, (refund, payment), (money, *refunded_at, true), tables, connection).await
        }
        Event::Account(_)
        | Event::Credits(_)
        | Event::Hold(_)
        | Event::Invoice(_)
        | Event::Notice(_)
        | Event::Subscription(_)
        | Event::Payment(
            PaymentEvent::PaymentFailed { .. }
            | PaymentEvent::PaymentActionRequired { .. }
            | PaymentEvent::PaymentRefunded { .. }
            | PaymentEvent::CreditNoteIssued { .. }
            | PaymentEvent::CreditNoteVoided { .. }
            | PaymentEvent::DisputeOpened { .. }
            | PaymentEvent::DisputeClosed { .. },
        )
        | Event::Checkout(_) => Ok(()),
    }
}

async fn pay(
    recorded: &RecordedEvent,
    (paid, money, paid_at): (&ProviderId, &Money, Timestamp),
    purpose: &PaymentPurpose,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let (kind, subscription, plan, pack, quantity) = match purpose {
        PaymentPurpose::Subscription { subscription, plan } => {
            ("subscription", subscription.as_ref(), plan.as_ref(), None, None)
        }
        PaymentPurpose::Pack { pack, quantity } => {
            ("pack", None, None, Some(pack), Some(i64::from(*quantity)))
        }
        // The rules do not record payments for anything that the catalog does not sell.
        PaymentPurpose::Other => return Ok(()),
    };
    sqlx::query(&tables.statement(include_str!("pay.sql")))
        .bind(recorded.shard.0)
        .bind(recorded.account.as_str())
        .bind(paid.as_str())
        .bind(kind)
        .bind(paid_at.to_utc())
        .bind(money.minor)
        .bind(money.currency.as_str())
        .bind(subscription.map(ProviderId::as_str))
        .bind(plan.map(|plan| plan.as_str()))
        .bind(pack.map(|pack| pack.as_str()))
        .bind(quantity)
        .execute(connection)
        .await?;
    Ok(())
}

async fn link(
    recorded: &RecordedEvent,
    invoice: &ProviderId,
    payment: &ProviderId,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("link.sql")))
        .bind(recorded.shard.0)
        .bind(recorded.account.as_str())
        .bind(invoice.as_str())
        .bind(payment.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn give_back(
    recorded: &RecordedEvent,
    (refund, payment): (&ProviderId, &ProviderId),
    (money, refunded_at, failed): (&Money, Timestamp, bool),
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("refund.sql")))
        .bind(recorded.shard.0)
        .bind(recorded.account.as_str())
        .bind(refund.as_str())
        .bind(payment.as_str())
        .bind(refunded_at.to_utc())
        .bind(money.minor)
        .bind(money.currency.as_str())
        .bind(failed)
        .execute(connection)
        .await?;
    Ok(())
}
