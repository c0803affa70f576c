//! Events as Stripe sends them since 2025-03-31, with the members that matter.

use serde_json::{Value, json};

/// What an item of a subscription or a line of an invoice is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priced {
    pub price: &'static str,
    pub minor: i64,
    pub interval: &'static str,
    pub seats: u32,
}

#[derive(Clone, Debug)]
pub struct Subscription<'a> {
    pub account: &'a str,
    pub id: &'a str,
    pub status: &'a str,
    pub item: Priced,
    pub span: (i64, i64),
    pub trial_end: Option<i64>,
    pub cancel_at: Option<i64>,
    pub ended_at: Option<i64>,
    /// Percent off, told in full.
    pub coupon: Option<(i64, &'static str)>,
    pub metadata: Value,
}

#[derive(Clone, Debug)]
pub struct Line {
    pub id: String,
    pub item: Priced,
    pub amount: i64,
    pub span: (i64, i64),
    pub is_proration: bool,
    /// The invoice and line that a credit is for.
    pub credits: Option<(String, String)>,
    pub discount: i64,
}

#[derive(Clone, Debug)]
pub struct Invoice<'a> {
    pub account: &'a str,
    pub subscription: &'a str,
    pub id: &'a str,
    pub reason: &'a str,
    pub lines: &'a [Line],
    /// After the customer's balance.
    pub paid: i64,
    pub starting_balance: i64,
    pub ending_balance: i64,
    pub paid_at: i64,
}

pub fn event(id: &str, created: i64, kind: &str, object: Value, previous: Option<Value>) -> Value {
    let mut data = json!({ "object": object });
    if let Some(previous) = previous {
        data["previous_attributes"] = previous;
    }
    json!({
        "id": id, "object": "event", "api_version": "2025-08-27.basil", "created": created, "livemode": false, "type": kind,
        "data": data, "pending_webhooks": 1, "request": { "id": null, "idempotency_key": null },
    })
}

pub fn items(account: &str, item: Priced, span: (i64, i64)) -> Value {
    json!({
        "object": "list", "has_more": false, "total_count": 1,
        "data": [{
            "id": format!("si_{account}"), "object": "subscription_item", "quantity": item.seats, "discounts": [],
            "current_period_start": span.0, "current_period_end": span.1,
            "price": {
                "id": item.price, "object": "price", "currency": "usd", "type": "recurring",
                "unit_amount": item.minor, "unit_amount_decimal": item.minor.to_string(),
                "recurring": { "interval": item.interval, "interval_count": 1, "usage_type": "licensed" },
            },
        }],
    })
}

impl Subscription<'_> {
    pub fn document(&self) -> Value {
        let discounts = self.coupon.map(|(percent, duration)| {
            json!({
                "id": format!("di_{}", self.account), "object": "discount",
                "coupon": { "id": "OFF", "object": "coupon", "percent_off": percent, "duration": duration },
            })
        });
        json!({
            "id": self.id, "object": "subscription", "customer": format!("cus_{}", self.account),
            "currency": "usd", "status": self.status, "cancel_at": self.cancel_at,
            "cancel_at_period_end": self.cancel_at.is_some(), "items": items(self.account, self.item, self.span),
            "metadata": self.metadata, "discounts": Vec::from_iter(discounts), "pause_collection": null,
            "trial_end": self.trial_end, "ended_at": self.ended_at,
        })
    }
}

impl Line {
    fn document(&self, subscription: &str) -> Value {
        let credited = self
            .credits
            .as_ref()
            .map(|(invoice, line)| json!({ "invoice": invoice, "invoice_line_items": [line] }));
        let details = json!({
            "subscription": subscription, "proration": self.is_proration,
            "proration_details": { "credited_items": credited },
        });
        let kind = if self.is_proration { "invoice_item_details" } else { "subscription_item_details" };
        let discounts = (self.discount != 0).then(|| json!({ "amount": self.discount, "discount": "di_1" }));
        json!({
            "id": self.id, "object": "line_item", "amount": self.amount, "currency": "usd", "description": "",
            "quantity": self.item.seats, "period": { "start": self.span.0, "end": self.span.1 },
            "parent": { "type": kind, kind: details }, "taxes": [], "discount_amounts": Vec::from_iter(discounts),
            "pricing": {
                "type": "price_details", "unit_amount_decimal": self.item.minor.to_string(),
                "price_details": { "price": self.item.price, "product": "prod_1" },
            },
        })
    }
}

impl Invoice<'_> {
    pub fn total(&self) -> i64 {
        self.lines.iter().map(|line| line.amount - line.discount).sum()
    }

    pub fn document(&self) -> Value {
        let subscription = self.subscription;
        let subtotal: i64 = self.lines.iter().map(|line| line.amount).sum();
        let lines: Vec<Value> = self.lines.iter().map(|line| line.document(subscription)).collect();
        json!({
            "id": self.id, "object": "invoice", "customer": format!("cus_{}", self.account), "currency": "usd",
            "status": "paid", "amount_due": self.paid, "amount_paid": self.paid, "amount_remaining": 0,
            "total": self.total(), "subtotal": subtotal, "billing_reason": self.reason, "attempt_count": 1,
            "starting_balance": self.starting_balance, "ending_balance": self.ending_balance,
            "pre_payment_credit_notes_amount": 0, "post_payment_credit_notes_amount": 0,
            "status_transitions": { "paid_at": self.paid_at },
            "lines": { "object": "list", "has_more": false, "total_count": lines.len(), "data": lines },
            "parent": {
                "type": "subscription_details",
                "subscription_details": { "subscription": subscription, "metadata": { "account_id": self.account } },
            },
        })
    }
}
