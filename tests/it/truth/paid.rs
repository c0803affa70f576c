//! What did all paid invoices pay for, less what went back? Worked out line by line from what Stripe told: a line pays for the
//! months of its own period and for its share of one, a credit line gives as much back, and a refund, a lost dispute or a credit
//! note gives back its share of the invoice.

use std::collections::BTreeMap;

use counterfoil::domain::catalog::Catalog;
use serde_json::Value;

/// Credits, and by how many the sum may be off since each share is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaidFor {
    pub credits: i64,
    pub roundings: i64,
}

/// Of the newest shapes' events, in any order.
pub fn paid_for(catalog: &Catalog, events: &[Value]) -> PaidFor {
    let invoices = newest(events, "invoice.paid", "id");
    let payments = newest(events, "invoice_payment.paid", "invoice");
    let mut sum = PaidFor::default();
    for (id, invoice) in &invoices {
        let lines = of_lines(catalog, invoice);
        let payment = payments.get(id).and_then(|paid| paid["payment"]["payment_intent"].as_str());
        let returned = payment.map_or(0, |payment| returned(events, payment)) + noted(events, id, invoice);
        let total = invoice["total"].as_i64().expect("whole").max(1);
        sum.credits += lines.credits - lines.credits * returned.min(total) / total;
        sum.roundings += if returned > 0 { 2 * lines.roundings } else { lines.roundings };
    }
    sum
}

/// The objects of these events by a member, the last one of each.
fn newest(events: &[Value], kind: &str, key: &str) -> BTreeMap<String, Value> {
    let of_kind = events.iter().filter(|event| event["type"] == kind);
    of_kind
        .map(|event| {
            let object = event["data"]["object"].clone();
            (object[key].as_str().expect("an id").to_owned(), object)
        })
        .collect()
}

/// The money of a payment that went back, by refunds and lost disputes.
fn returned(events: &[Value], payment: &str) -> i64 {
    let about = |kind: &'static str| {
        let of_kind = events.iter().filter(move |event| event["type"] == kind);
        of_kind.map(|event| &event["data"]["object"]).filter(|object| object["payment_intent"] == payment)
    };
    let refunded = about("charge.refunded").filter_map(|charge| charge["amount_refunded"].as_i64()).max();
    let lost = about("charge.dispute.closed").filter(|dispute| dispute["status"] == "lost");
    let lost: i64 = lost.filter_map(|dispute| dispute["amount"].as_i64()).sum();
    refunded.unwrap_or(0) + lost
}

/// What credit notes took off an invoice before it was paid, and what they gave back otherwise than by a refund.
fn noted(events: &[Value], id: &str, invoice: &Value) -> i64 {
    let notes = newest(events, "credit_note.created", "id").into_values();
    let after = notes.filter(|note| note["invoice"] == id).map(|note| {
        let whole = |name: &str| note[name].as_i64().unwrap_or(0);
        let refunds = note["refunds"].as_array().into_iter().flatten();
        let refunded: i64 = refunds.filter_map(|refund| refund["amount_refunded"].as_i64()).sum();
        whole("post_payment_amount") - refunded
    });
    after.sum::<i64>() + invoice["pre_payment_credit_notes_amount"].as_i64().unwrap_or(0)
}

fn of_lines(catalog: &Catalog, invoice: &Value) -> PaidFor {
    let mut sum = PaidFor::default();
    for line in invoice["lines"]["data"].as_array().expect("lines") {
        let price = line["pricing"]["price_details"]["price"].as_str().unwrap_or_default();
        let Some((plan, price)) = catalog.plan_by_price_id(price) else { continue };
        let (amount, seats) =
            (line["amount"].as_i64().expect("whole"), line["quantity"].as_i64().unwrap_or(1));
        let time = |name: &str| line["period"][name].as_i64().expect("seconds");
        // What costs nothing is the free plan's, or a trial's.
        if amount == 0 || price.amount.minor == 0 {
            continue;
        }
        let (credits, months) = of_span(plan.allocation.monthly().get() * seats, time("start"), time("end"));
        sum.credits += credits * amount.signum();
        sum.roundings += months + 1;
    }
    sum
}

/// Whole months, from the start or else counted back from the end, and a share of the one before them.
fn of_span(monthly: i64, start: i64, end: i64) -> (i64, i64) {
    let time = |at: i64| chrono::DateTime::<chrono::Utc>::from_timestamp(at, 0).expect("a time");
    let after = |count: u32| time(start).checked_add_months(chrono::Months::new(count));
    if let Some(months) = (1..=36).find(|count| after(*count) == Some(time(end))) {
        return (monthly * i64::from(months), i64::from(months));
    }
    let before =
        |count: u32| time(end).checked_sub_months(chrono::Months::new(count)).expect("a time").timestamp();
    let whole = (0..=36).take_while(|count| before(*count) >= start).last().unwrap_or(0);
    let (rest, month) = (before(whole) - start, before(whole) - before(whole + 1));
    (monthly * i64::from(whole) + monthly * rest / month, i64::from(whole))
}
