//! What is answered about a subscription that is being changed? What was requested, and what it would cost.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::{Credits, Money},
        catalog::{Catalog, Interval},
        credits::{GrantTerms, Source},
        ids::{PlanId, ProviderId},
        preview::CreditPreview,
        subscription_change::{PlanSelection, ProrationBilling},
        time::{Period, Timestamp},
    },
    http::{
        position::Token,
        schema::{Count, Id, MoneySchema, PeriodSchema, Place, SourceSchema, Time},
    },
    stripe::outbound::{Amended, ChangePreview, InvoicePreview, LinePreview, Pending, held},
};

/// Stripe has carried the request out. The account changes when Stripe's webhooks have arrived.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "status": "requested",
    "at_stripe": {
        "subscription": "sub_1", "status": "active", "plan": "team", "interval": "month", "quantity": 1,
        "period_end": "2025-07-01T10:00:00Z", "cancel_at": null, "collection_paused": false,
    },
    "position": "p0-42",
}))]
pub struct SubscriptionRequested<'a> {
    /// `requested`: the account stays as it was until the webhooks have arrived.
    status: &'static str,
    at_stripe: SubscriptionAtStripeResponse<'a>,
    /// The position of the request in the ledger: the subscription's history has it from this position on.
    #[schema(value_type = Place)]
    position: Token,
}

/// The subscription, as Stripe answered.
#[derive(Serialize, ToSchema)]
pub struct SubscriptionAtStripeResponse<'a> {
    #[schema(value_type = Id)]
    subscription: &'a str,
    /// Stripe's status, such as `active` or `canceled`.
    status: &'a str,
    /// `null`: the catalog does not have its price.
    #[schema(value_type = Option<Id>)]
    plan: Option<PlanId>,
    /// `month` or `year`
    #[schema(value_type = Option<String>)]
    interval: Option<Interval>,
    quantity: Option<u32>,
    #[schema(value_type = Option<Time>)]
    period_end: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    cancel_at: Option<Timestamp>,
    collection_paused: bool,
}

impl<'a> SubscriptionRequested<'a> {
    pub fn new(Amended { row, position }: &'a Amended, catalog: &Catalog) -> Self {
        let order = held(&row.items, catalog).map(|(_, order)| order);
        let period_end = row.items.data.iter().map(|item| item.current_period_end).max();
        let at_stripe = SubscriptionAtStripeResponse {
            subscription: &row.id,
            status: &row.status,
            interval: order.as_ref().map(|order| order.interval),
            quantity: order.as_ref().map(|order| order.quantity),
            plan: order.map(|order| order.plan),
            period_end: period_end.and_then(Timestamp::from_seconds),
            cancel_at: row.cancel_at.and_then(Timestamp::from_seconds),
            collection_paused: row.pause_collection.is_some(),
        };
        Self { status: "requested", at_stripe, position: Token::of(*position) }
    }
}

/// What a change would cost and give, if it was made now.
#[derive(Serialize, ToSchema)]
pub struct ChangePreviewResponse<'a> {
    #[schema(value_type = Id)]
    subscription: &'a ProviderId,
    from: SubscriptionOffer<'a>,
    to: SubscriptionOffer<'a>,
    /// When the rest of the period is charged or given back: `at_once`, with the `next_invoice`, or `never`.
    /// `period_end`: it is not, since the change waits until then.
    #[schema(value_type = String)]
    settlement: ProrationBilling,
    /// Send it with the change, within an hour, to be charged what is shown here. `null`: nothing is prorated.
    #[schema(value_type = Option<Time>)]
    proration_date: Option<Timestamp>,
    /// When it takes effect: at the end of the period, if it is a downgrade that waits. `null`: now.
    #[schema(value_type = Option<Time>)]
    effective_at: Option<Timestamp>,
    invoice: InvoicePreviewed<'a>,
    /// What happens to credits now, or, if an invoice is due at once, when it is paid.
    /// If money for this period was refunded, Stripe charges less than the plan's price, and fewer credits are granted.
    /// `null`: unknown, for example because the invoice has more lines than are shown.
    credits: Option<CreditsPreviewed>,
    /// What the next invoice does to credits when it is paid, if it settles the change: what ends and begins with the
    /// month by then, what is granted or taken back for the rest of this period, and what is owed of credits that were
    /// already spent.
    /// `null`: nothing waits for it, or it is unknown.
    credits_with_next_invoice: Option<CreditsPreviewed>,
}

#[derive(Serialize, ToSchema)]
pub struct SubscriptionOffer<'a> {
    #[schema(value_type = Id)]
    plan: &'a PlanId,
    /// `month` or `year`
    #[schema(value_type = String)]
    interval: Interval,
    quantity: u32,
    /// How many credits a whole month of it gives, if all of it is paid.
    #[schema(value_type = Count)]
    credits_a_month: Credits,
}

/// An invoice that does not exist yet.
#[derive(Serialize, ToSchema)]
pub struct InvoicePreviewed<'a> {
    /// Negative: the amount is put on the customer's balance, and reduces later invoices.
    #[schema(value_type = MoneySchema)]
    total: &'a Money,
    /// How much remains to be paid after the customer's balance is used.
    #[schema(value_type = MoneySchema)]
    amount_due: &'a Money,
    #[schema(value_type = Time)]
    due_at: Timestamp,
    lines: Vec<InvoiceLinePreviewed<'a>>,
    /// Whether there are lines that are not shown.
    has_more: bool,
    /// Whether it is only the catalog's price: discounts, taxes and the customer's balance are not known yet for a
    /// change of the interval that waits.
    is_estimate: bool,
}

#[derive(Serialize, ToSchema)]
pub struct InvoiceLinePreviewed<'a> {
    /// Stripe's text.
    description: &'a str,
    /// Negative: for time that was paid and is not used.
    #[schema(value_type = MoneySchema)]
    amount: &'a Money,
    #[schema(value_type = PeriodSchema)]
    period: Period,
    /// Whether it is for a part of a period.
    proration: bool,
}

#[derive(Serialize, ToSchema)]
pub struct CreditsPreviewed {
    #[schema(value_type = Count)]
    available_before: Credits,
    #[schema(value_type = Count)]
    available_after: Credits,
    granted: Vec<GrantPreviewed>,
    /// How many credits of the month's allocation are taken back: never bought ones, and never ones that were spent.
    #[schema(value_type = Count)]
    taken: Credits,
    /// How many credits that were taken back before are given again.
    #[schema(value_type = Count)]
    restored: Credits,
    /// How many of the granted credits pay debt first.
    #[schema(value_type = Count)]
    paid_of_debt: Credits,
    /// The debt afterwards.
    #[schema(value_type = Count)]
    debt_after: Credits,
}

#[derive(Serialize, ToSchema)]
pub struct GrantPreviewed {
    #[schema(value_type = Count)]
    amount: Credits,
    #[schema(value_type = SourceSchema)]
    source: Source,
    #[schema(value_type = Time)]
    starts_at: Timestamp,
    #[schema(value_type = Option<Time>)]
    expires_at: Option<Timestamp>,
}

/// What the subscription changes to when its period ends.
#[derive(Serialize, ToSchema)]
pub struct PendingChange<'a> {
    #[schema(value_type = Id)]
    pub subscription: &'a ProviderId,
    /// `null`: no change waits.
    pub pending: Option<PendingOffer<'a>>,
}

#[derive(Serialize, ToSchema)]
pub struct PendingOffer<'a> {
    /// `null`: the catalog does not have its price.
    #[schema(value_type = Option<Id>)]
    plan: Option<&'a PlanId>,
    /// `month` or `year`
    #[schema(value_type = Option<String>)]
    interval: Option<Interval>,
    quantity: Option<u32>,
    #[schema(value_type = Option<Count>)]
    credits_a_month: Option<Credits>,
    #[schema(value_type = Time)]
    at: Timestamp,
}

impl<'a> From<&'a Pending> for PendingOffer<'a> {
    fn from(pending: &'a Pending) -> Self {
        let to = pending.to.as_ref();
        Self {
            plan: to.map(|to| &to.plan),
            interval: to.map(|to| to.interval),
            quantity: to.map(|to| to.quantity),
            credits_a_month: pending.credits,
            at: pending.at,
        }
    }
}

/// The next invoice, if nothing changes.
#[derive(Serialize, ToSchema)]
pub struct UpcomingInvoiceResponse<'a> {
    #[schema(value_type = Id)]
    pub subscription: &'a ProviderId,
    /// `null`: nothing will be charged, for example because the subscription ends with its period, or is paused.
    pub invoice: Option<InvoicePreviewed<'a>>,
}

impl<'a> From<&'a ChangePreview> for ChangePreviewResponse<'a> {
    fn from(preview: &'a ChangePreview) -> Self {
        let (before, after) = preview.monthly;
        Self {
            subscription: &preview.subscription,
            from: offer(&preview.change.from, before),
            to: offer(&preview.change.to, after),
            settlement: preview.change.settlement,
            proration_date: preview.change.proration_date,
            effective_at: preview.change.at,
            invoice: InvoicePreviewed::from(&preview.invoice),
            credits: preview.credits.as_ref().map(CreditsPreviewed::from),
            credits_with_next_invoice: preview.with_next_invoice.as_ref().map(CreditsPreviewed::from),
        }
    }
}

impl<'a> From<&'a InvoicePreview> for InvoicePreviewed<'a> {
    fn from(invoice: &'a InvoicePreview) -> Self {
        Self {
            total: &invoice.total,
            amount_due: &invoice.amount_due,
            due_at: invoice.due_at,
            lines: invoice.lines.iter().map(InvoiceLinePreviewed::from).collect(),
            has_more: !invoice.is_whole,
            is_estimate: invoice.is_estimate,
        }
    }
}

impl<'a> From<&'a LinePreview> for InvoiceLinePreviewed<'a> {
    fn from(line: &'a LinePreview) -> Self {
        let LinePreview { description, amount, period, is_proration } = line;
        Self { description, amount, period: *period, proration: *is_proration }
    }
}

impl From<&CreditPreview> for CreditsPreviewed {
    fn from(foresight: &CreditPreview) -> Self {
        Self {
            available_before: foresight.before,
            available_after: foresight.after,
            granted: foresight.granted.iter().map(GrantPreviewed::from).collect(),
            taken: foresight.taken,
            restored: foresight.restored,
            paid_of_debt: foresight.paid_of_debt,
            debt_after: foresight.debt_after,
        }
    }
}

impl From<&GrantTerms> for GrantPreviewed {
    fn from(grant: &GrantTerms) -> Self {
        let GrantTerms { amount, source, starts_at, expires_at, .. } = grant;
        Self { amount: *amount, source: *source, starts_at: *starts_at, expires_at: *expires_at }
    }
}

const fn offer(order: &PlanSelection, credits_a_month: Credits) -> SubscriptionOffer<'_> {
    let PlanSelection { plan, interval, quantity } = order;
    SubscriptionOffer { plan, interval: *interval, quantity: *quantity, credits_a_month }
}
