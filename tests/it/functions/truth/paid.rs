//! What did all paid invoices pay for, less what went back? Worked out line by line from what Stripe told: a line pays
//! for the months of its own period and for its share of one, a credit line gives as much back, and a refund, a lost
//! dispute or a credit note gives back its share of the invoice.

use std::collections::{BTreeMap, BTreeSet};

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
    let lacking = Lacking::of(&invoices, events);
    let months = months(&invoices);
    let mut sum = PaidFor::default();
    for (id, invoice) in &invoices {
        let lines = of_lines(catalog, invoice, &lacking, &months);
        let Lack { own, gone, whole } = lacking.lacks[id];
        let (gone, whole) = (own + gone, whole.max(1));
        sum.credits += lines.credits - lines.credits * gone.min(whole) / whole;
        sum.roundings += if gone > 0 { 2 * lines.roundings } else { lines.roundings };
    }
    sum
}

/// What an invoice lacks of what it would have come to, in minor units.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Lack {
    /// Because it was paid by giving back what nobody had paid.
    own: i64,
    /// Because it went back.
    gone: i64,
    whole: i64,
}

/// What becomes of an invoice, and of the balance by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Paid,
    Void,
    Noted(i64),
    Waits,
}

/// What was paid, and what never was, in the order in which the balance got or paid something.
fn in_order<'a>(
    paid: &'a BTreeMap<String, Value>,
    events: &'a [Value],
) -> Vec<(&'a str, &'a Value, Happens)> {
    let time = |invoice: &Value, name: &str| whole(&invoice["status_transitions"], name);
    let told = move |kind: &'static str| {
        let told = events.iter().filter(move |event| event["type"] == kind);
        told.map(|event| &event["data"]["object"])
    };
    let of_unpaid = move |kind: &'static str| {
        told(kind).filter(|invoice| !paid.contains_key(invoice["id"].as_str().expect("an id")))
    };
    let uses = |invoice: &Value| used_of_balance(invoice) > 0;
    let of_paid = paid.values().map(|invoice| {
        let order = (uses(invoice), whole(invoice, "total"));
        (time(invoice, "finalized_at"), order, invoice, Happens::Paid)
    });
    let waits = of_unpaid("invoice.finalized")
        .map(|invoice| (time(invoice, "finalized_at"), (true, 0), invoice, Happens::Waits));
    let void = of_unpaid("invoice.voided")
        .map(|invoice| (time(invoice, "voided_at"), (false, 0), invoice, Happens::Void));
    let notes = told("credit_note.created").filter_map(|note| {
        let invoice = paid.get(note["invoice"].as_str().expect("an id"))?;
        let amount = Some(put_elsewhere(note)).filter(|amount| *amount > 0)?;
        Some((whole(note, "created"), (false, 0), invoice, Happens::Noted(amount)))
    });
    let mut all: Vec<(i64, (bool, i64), &Value, Happens)> =
        of_paid.chain(waits).chain(void).chain(notes).collect();
    all.sort_by_key(|(at, order, invoice, what)| (*at, *order, invoice["id"].to_string(), *what));
    let named = |invoice: &'a Value| invoice["id"].as_str().expect("an id");
    all.into_iter().map(|(_, _, invoice, what)| (named(invoice), invoice, what)).collect()
}

/// What paid invoices lack.
#[derive(Default)]
struct Lacking {
    lacks: BTreeMap<String, Lack>,
    paid: BTreeSet<String>,
}

impl Lacking {
    /// What an invoice lacks follows from what others lack, in whatever order they were paid: it is worked out again
    /// with what was found, until that is what is found.
    fn of(invoices: &BTreeMap<String, Value>, events: &[Value]) -> Self {
        let mut found = Self { paid: invoices.keys().cloned().collect(), ..Self::default() };
        for _ in 0..1_000 {
            let lacks = found.again(invoices, events);
            if lacks == found.lacks {
                return found;
            }
            found.lacks = lacks;
        }
        panic!("it does not come to an end")
    }

    fn again(&self, invoices: &BTreeMap<String, Value>, events: &[Value]) -> BTreeMap<String, Lack> {
        let payments = newest(events, "invoice_payment.paid", "invoice");
        let payment = |id: &str| payments.get(id).and_then(|paid| paid["payment"]["payment_intent"].as_str());
        let back = |id: &str| payment(id).map_or(0, |payment| returned(events, payment));
        let (mut lacks, mut on_balance) = (BTreeMap::new(), 0);
        let (mut in_unpaid, mut behind) = (BTreeMap::<&str, i64>::new(), BTreeMap::<&str, i64>::new());
        for (id, invoice, what) in in_order(invoices, events) {
            match what {
                Happens::Waits => {
                    let used = used_of_balance(invoice).min(on_balance);
                    on_balance -= used;
                    in_unpaid.insert(id, used);
                }
                Happens::Void => on_balance += in_unpaid.remove(id).unwrap_or(0),
                Happens::Noted(amount) => {
                    let Some(own) = self.lacks.get(id) else { continue };
                    let behind = behind.entry(id).or_insert_with(|| {
                        let before = whole(invoice, "pre_payment_credit_notes_amount");
                        (own.whole - own.own - back(id) - before).max(0)
                    });
                    let backed = (amount - Lack { gone: 0, ..*own }.share_of(amount)).clamp(0, *behind);
                    *behind -= backed;
                    on_balance += amount - backed;
                }
                Happens::Paid => {
                    let credits =
                        lines(invoice).iter().filter_map(|line| Some((credited(invoice, line)?, line)));
                    let set_off: i64 = credits.map(|(of, line)| self.part(&of, -whole(line, "amount"))).sum();
                    let (total, used) = (whole(invoice, "total"), used_of_balance(invoice).min(on_balance));
                    on_balance += (-total).clamp(0, set_off) - used;
                    let (own, all) = ((set_off + used).clamp(0, (total + set_off).max(0)), total + set_off);
                    let gone = back(id) + noted(events, id, invoice);
                    lacks.insert(id.to_owned(), Lack { own, gone, whole: all });
                }
            }
        }
        lacks
    }

    /// The part of an amount of an invoice that no money is behind.
    fn part(&self, invoice: &str, amount: i64) -> i64 {
        if !self.paid.contains(invoice) {
            return amount;
        }
        self.lacks.get(invoice).map_or(0, |lack| lack.share_of(amount))
    }

    fn is_all(&self, invoice: &str) -> bool {
        let lack = self.lacks.get(invoice);
        !self.paid.contains(invoice)
            || lack.is_some_and(|lack| lack.whole > 0 && lack.own + lack.gone >= lack.whole)
    }
}

impl Lack {
    fn share_of(self, amount: i64) -> i64 {
        let whole = self.whole.max(1);
        (amount * (self.own + self.gone).clamp(0, whole) + whole - 1) / whole
    }
}

fn whole(of: &Value, name: &str) -> i64 {
    of[name].as_i64().unwrap_or(0)
}

fn lines(invoice: &Value) -> &[Value] {
    invoice["lines"]["data"].as_array().expect("lines")
}

/// The other invoice that a line gives back a part of: what an invoice gives back of itself has its own share of what
/// went back.
fn credited(invoice: &Value, line: &Value) -> Option<String> {
    let details = &line["parent"]["invoice_item_details"];
    let details = if details.is_null() { &line["parent"]["subscription_item_details"] } else { details };
    details["proration_details"]["credited_items"]["invoice"]
        .as_str()
        .filter(|of| invoice["id"] != **of)
        .map(str::to_owned)
}

fn used_of_balance(invoice: &Value) -> i64 {
    (whole(invoice, "ending_balance") - whole(invoice, "starting_balance"))
        .clamp(0, whole(invoice, "total").max(0))
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
    let after = notes.filter(|note| note["invoice"] == id).map(|note| put_elsewhere(&note));
    after.sum::<i64>() + whole(invoice, "pre_payment_credit_notes_amount")
}

/// What a note put on the balance, or gave back outside of the provider.
fn put_elsewhere(note: &Value) -> i64 {
    let refunds = note["refunds"].as_array().into_iter().flatten();
    let refunded: i64 = refunds.filter_map(|refund| refund["amount_refunded"].as_i64()).sum();
    whole(note, "post_payment_amount") - refunded
}

fn of_lines(catalog: &Catalog, invoice: &Value, lacking: &Lacking, months: &[(i64, i64)]) -> PaidFor {
    let mut sum = PaidFor::default();
    for line in lines(invoice) {
        // What nobody paid cannot be given back.
        if credited(invoice, line).is_some_and(|of| lacking.is_all(&of)) {
            continue;
        }
        let price = line["pricing"]["price_details"]["price"].as_str().unwrap_or_default();
        let Some((plan, price)) = catalog.plan_by_price_id(price) else { continue };
        let (amount, seats) =
            (line["amount"].as_i64().expect("whole"), line["quantity"].as_i64().unwrap_or(1));
        let time = |name: &str| line["period"][name].as_i64().expect("seconds");
        // What costs nothing is the free plan's, or a trial's.
        if amount == 0 || price.amount.minor == 0 {
            continue;
        }
        let (credits, months) =
            of_span(plan.allocation.monthly().get() * seats, time("start"), time("end"), months);
        // Of what went back, nothing more is taken.
        let lacking = credited(invoice, line).map_or(0, |of| lacking.part(&of, credits));
        sum.credits += (credits - lacking) * amount.signum();
        sum.roundings += months + 1;
    }
    sum
}

/// The months that were charged for whole.
fn months(invoices: &BTreeMap<String, Value>) -> Vec<(i64, i64)> {
    let is_whole = |line: &&Value| line["parent"]["subscription_item_details"]["proration"] == false;
    let charged = invoices.values().flat_map(lines).filter(is_whole);
    let spans = charged.map(|line| (whole(&line["period"], "start"), whole(&line["period"], "end")));
    spans.filter(|(start, end)| (28 * 86_400..=31 * 86_400).contains(&(end - start))).collect()
}

/// Whole months, from the start or else counted back from the end, and a share of the one before them.
fn of_span(monthly: i64, start: i64, end: i64, known: &[(i64, i64)]) -> (i64, i64) {
    let time = |at: i64| chrono::DateTime::<chrono::Utc>::from_timestamp(at, 0).expect("a time");
    let after = |count: u32| time(start).checked_add_months(chrono::Months::new(count));
    if let Some(months) = (1..=36).find(|count| after(*count) == Some(time(end))) {
        return (monthly * i64::from(months), i64::from(months));
    }
    let before =
        |count: u32| time(end).checked_sub_months(chrono::Months::new(count)).expect("a time").timestamp();
    let whole = (0..=36).take_while(|count| before(*count) >= start).last().unwrap_or(0);
    // One that ends with a short month may have begun on a day that the short month does not have.
    let begin = known.iter().find(|(begin, over)| *over == before(whole) && *begin <= start);
    let begin = begin.map_or_else(|| before(whole + 1), |(begin, _)| *begin);
    let (rest, month) = (before(whole) - start, before(whole) - begin);
    (monthly * i64::from(whole) + monthly * rest / month, i64::from(whole))
}
