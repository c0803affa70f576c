//! What Stripe would send for a move: reports, invoices, refunds, credit notes and disputes.

use serde_json::{Value, json};

use super::{DAY, Paid, Story, Terms};
use crate::functions::truth::{
    law::months_after,
    paper::{Invoice, Line, Subscription, event, items},
};

impl Story {
    pub(super) fn id(&mut self, kind: &str) -> String {
        self.numbered += 1;
        format!("{kind}_{}{:03}", self.account, self.numbered)
    }

    pub(super) fn subscription(&self) -> String {
        format!("sub_{}_{}", self.account, self.subscribed)
    }

    pub(super) fn tell(&mut self, kind: &str, object: Value, previous: Option<Value>) {
        let id = self.id("evt");
        self.events.push(event(&id, self.now, kind, object, previous));
    }

    pub(super) fn report(&mut self, kind: &str, previous: Option<Value>) {
        let id = self.subscription();
        let document = Subscription {
            account: &self.account,
            id: &id,
            status: self.status,
            item: self.terms.item(),
            span: self.span,
            trial_end: self.trial_end,
            cancel_at: self.cancel_at,
            ended_at: self.ended_at,
            coupon: self.coupon,
            metadata: json!({ "account_id": self.account }),
        };
        let document = document.document();
        self.tell(kind, document, previous);
    }

    /// What the items were before a change.
    pub(super) fn before(&self, terms: Terms, span: (i64, i64)) -> Value {
        json!({ "items": { "data": items(&self.account, terms.item(), span)["data"] } })
    }

    pub(super) fn open_period(&mut self, start: i64) {
        self.span = (start, months_after(start, self.terms.months()));
        (self.gone, self.held_before, self.settled) = (false, None, false);
    }

    /// A line about the rest of the period, in proportion to the whole.
    pub(super) fn proration(&mut self, terms: Terms, sign: i64) -> Line {
        let whole = self.span.1 - self.span.0;
        let amount = (terms.full() * (self.span.1 - self.now) * 2 + whole) / (2 * whole);
        Line {
            id: self.id("il"),
            item: terms.item(),
            amount: amount * sign,
            span: (self.now, self.span.1),
            is_proration: true,
            credits: None,
            discount: 0,
        }
    }

    /// Gives back the rest of what was last billed, for less where a coupon had paid a part.
    pub(super) fn credit_line(&mut self) -> Line {
        let line = self.proration(self.billed, -1);
        let off = self.coupon.map_or(0, |(percent, _)| percent);
        Line { amount: line.amount * (100 - off) / 100, credits: Some(self.last_line()), ..line }
    }

    pub(super) fn last_line(&self) -> (String, String) {
        let last = self.invoices.last().expect("an invoice");
        (last.id.clone(), last.line.clone())
    }

    pub(super) fn discount(&self, amount: i64) -> i64 {
        self.coupon.map_or(0, |(percent, _)| amount * percent / 100)
    }

    pub(super) fn period_line(&mut self) -> Line {
        let amount = self.terms.full();
        Line {
            id: self.id("il"),
            item: self.terms.item(),
            amount,
            span: self.span,
            is_proration: false,
            credits: None,
            discount: self.discount(amount),
        }
    }

    /// A whole period, after these lines.
    pub(super) fn bill_period(&mut self, reason: &str, mut lines: Vec<Line>) {
        let line = self.period_line();
        lines.push(line);
        let (terms, start) = (self.terms, self.span.0);
        let invoice = self.bill(reason, &lines);
        self.law.pay(invoice, start, terms.months(), terms.credits());
        self.billed = terms;
    }

    /// The invoice of these lines is paid: by the balance first, and then by card.
    pub(super) fn bill(&mut self, reason: &str, lines: &[Line]) -> usize {
        let (id, payment, balance) = (self.id("in"), self.id("pi"), self.balance);
        let total: i64 = lines.iter().map(|line| line.amount - line.discount).sum();
        let paid = (total - balance).max(0);
        self.balance = balance - total + paid;
        let subscription = self.subscription();
        let invoice = Invoice {
            account: &self.account,
            subscription: &subscription,
            id: &id,
            reason,
            lines,
            paid,
            starting_balance: -balance,
            ending_balance: -self.balance,
            paid_at: self.now,
        };
        let document = invoice.document();
        self.tell("invoice.paid", document.clone(), None);
        if paid > 0 {
            let object = json!({
                "id": self.id("inpay"), "object": "invoice_payment", "invoice": id, "amount_paid": paid, "currency": "usd",
                "payment": { "type": "payment_intent", "payment_intent": payment }, "status": "paid",
            });
            self.tell("invoice_payment.paid", object, None);
        }
        let line = lines.last().expect("a line").id.clone();
        self.invoices.push(Paid { id, payment, line, total, by_card: paid, document });
        self.invoices.len() - 1
    }

    pub(super) fn refund(&mut self, paid: &Paid, amount: i64) {
        let payment = &paid.payment;
        let object = json!({
            "id": self.id("re"), "object": "refund", "amount": amount, "currency": "usd", "payment_intent": payment,
            "charge": payment.replace("pi_", "ch_"), "status": "succeeded", "created": self.now, "reason": null,
        });
        self.tell("refund.created", object, None);
        let charge = json!({
            "id": payment.replace("pi_", "ch_"), "object": "charge", "amount": paid.total, "amount_captured": paid.total,
            "amount_refunded": amount, "currency": "usd", "payment_intent": payment,
        });
        self.tell("charge.refunded", charge, None);
    }

    /// To the customer's balance.
    pub(super) fn credit_note(&mut self, paid: &Paid, amount: i64) {
        let note = self.id("cn");
        self.balance += amount;
        let object = json!({
            "id": note, "object": "credit_note", "invoice": paid.id, "customer": format!("cus_{}", self.account),
            "currency": "usd", "amount": amount, "total": amount, "subtotal": amount, "pre_payment_amount": 0,
            "post_payment_amount": amount, "type": "post_payment", "status": "issued", "refunds": [],
            "out_of_band_amount": null, "customer_balance_transaction": note.replace("cn_", "cbtxn_"), "created": self.now,
            "lines": { "object": "list", "has_more": false, "data": [{
                "id": note.replace("cn_", "cnli_"), "object": "credit_note_line_item", "amount": amount,
                "invoice_line_item": paid.line, "type": "invoice_line_item", "quantity": 1,
            }] },
        });
        self.tell("credit_note.created", object, None);
        let mut updated = paid.document.clone();
        updated["post_payment_credit_notes_amount"] = json!(amount);
        self.tell("invoice.updated", updated, Some(json!({ "post_payment_credit_notes_amount": 0 })));
    }

    pub(super) fn dispute(&mut self, paid: &Paid, amount: i64, status: &str) {
        let payment = &paid.payment;
        let (id, opened) = (self.id("du"), self.now);
        let object = |status: &str, moved: i64| {
            let moved = (moved != 0).then(|| {
                json!({ "id": "txn_1", "object": "balance_transaction", "amount": moved, "reporting_category": "dispute" })
            });
            json!({
                "id": id, "object": "dispute", "payment_intent": payment, "charge": payment.replace("pi_", "ch_"),
                "amount": amount, "currency": "usd", "status": status, "reason": "fraudulent", "created": opened,
                "is_charge_refundable": false, "balance_transactions": Vec::from_iter(moved),
            })
        };
        if status == "prevented" {
            self.tell("charge.dispute.created", object(status, -amount), None);
            self.tell("charge.dispute.closed", object(status, -amount), None);
            return;
        }
        self.tell("charge.dispute.created", object("needs_response", -amount), None);
        self.tell("charge.dispute.funds_withdrawn", object("needs_response", -amount), None);
        self.now += DAY;
        if status == "won" {
            self.tell("charge.dispute.funds_reinstated", object(status, 0), None);
        }
        let moved = if status == "lost" { -amount } else { 0 };
        self.tell("charge.dispute.closed", object(status, moved), None);
    }
}
