//! What can happen to a subscription: each move writes its events, and tells the law what has happened.

use serde_json::{Value, json};

use super::{Back, DAY, HOUR, Paid, Story, Terms};
use crate::functions::truth::{
    law::{Share, months_after},
    paper::{Invoice, Line},
};

impl Story {
    /// Lets time pass inside of the period.
    pub fn after(mut self, seconds: i64) -> Self {
        self.now += seconds;
        self
    }

    /// So much off, from here on.
    pub fn coupon(mut self, percent: i64, duration: &'static str) -> Self {
        self.coupon = Some((percent, duration));
        self
    }

    pub fn subscribe(mut self, terms: Terms) -> Self {
        self.terms = terms;
        self.status = "active";
        self.subscribed += 1;
        (self.ended_at, self.cancel_at, self.trial_end) = (None, None, None);
        self.open_period(self.now);
        self.report("customer.subscription.created", None);
        self.bill_period("subscription_create", Vec::new());
        self
    }

    /// A change that is billed at once: by difference, or by a new period where the interval changes.
    pub fn change(mut self, to: Terms) -> Self {
        let (from, span, held) = (self.terms, self.span, (self.billed, self.span.1));
        let credit = self.credit_line();
        if to.every == from.every {
            self.terms = to;
            let mut charge = self.proration(to, 1);
            if self.coupon.is_some_and(|(_, duration)| duration == "forever") {
                charge.discount = self.discount(charge.amount);
            }
            let invoice = self.bill("subscription_update", &[credit, charge]);
            self.law.change(self.now, to.credits(), Some(invoice));
            self.billed = to;
        } else {
            let invoice = self.invoices.len();
            self.law.leave(self.now, Some(invoice));
            self.terms = to;
            self.open_period(self.now);
            self.bill_period("subscription_update", vec![credit]);
        }
        self.held_before = Some(held);
        self.report("customer.subscription.updated", Some(self.before(from, span)));
        self
    }

    /// A change that nobody bills.
    pub fn change_unbilled(mut self, to: Terms) -> Self {
        let from = self.terms;
        self.terms = to;
        if to.credits() < from.credits() {
            self.law.change(self.now, to.credits(), None);
        }
        self.report("customer.subscription.updated", Some(self.before(from, self.span)));
        self
    }

    /// Nothing else is changed before the next period.
    pub fn left_alone(mut self) -> Self {
        self.settled = true;
        self
    }

    /// Back to what was last billed, by an invoice of 0.00: as flexible billing does it after a downgrade that nobody
    /// billed.
    pub fn change_back(mut self) -> Self {
        let from = self.terms;
        self.terms = self.billed;
        let (credit, charge) = (self.credit_line(), self.proration(self.billed, 1));
        self.report("customer.subscription.updated", Some(self.before(from, self.span)));
        self.bill("subscription_update", &[credit, charge]);
        self.law.restore(self.now, self.billed.credits());
        self
    }

    /// An upgrade whose difference the renewal bills.
    pub fn change_billed_later(mut self, to: Terms) -> Self {
        let from = self.terms;
        let credit = self.credit_line();
        self.terms = to;
        let charge = self.proration(to, 1);
        self.pending.extend([credit, charge]);
        self.pending_change = Some((self.now, to));
        self.report("customer.subscription.updated", Some(self.before(from, self.span)));
        self
    }

    /// The period ends, and the next one is paid an hour later.
    pub fn renew(mut self) -> Self {
        let old = self.span;
        self.now = old.1 + 16;
        if self.coupon.is_some_and(|(_, duration)| duration == "once") {
            self.coupon = None;
        }
        self.open_period(old.1);
        self.report("customer.subscription.updated", Some(self.before(self.terms, old)));
        self.now = old.1 + HOUR;
        let pending = std::mem::take(&mut self.pending);
        if let Some((at, to)) = self.pending_change.take() {
            let invoice = self.invoices.len();
            self.law.change_paid_later(at, to.credits(), invoice, self.now, months_after(self.span.0, 1));
        }
        self.bill_period("subscription_cycle", pending);
        self
    }

    /// The renewal is not paid: the card fails an hour after the period's end, and again while the grace goes by.
    pub fn renew_unpaid(mut self) -> Self {
        let old = self.span;
        self.now = old.1 + 16;
        self.open_period(old.1);
        self.report("customer.subscription.updated", Some(self.before(self.terms, old)));
        self.now = old.1 + HOUR;
        let (line, id) = (self.period_line(), self.id("in"));
        let subscription = self.subscription();
        let invoice = Invoice {
            account: &self.account,
            subscription: &subscription,
            id: &id,
            reason: "subscription_cycle",
            lines: std::slice::from_ref(&line),
            paid: line.amount,
            starting_balance: 0,
            ending_balance: 0,
            paid_at: self.now,
        };
        let paid = invoice.document();
        let mut open = paid.clone();
        (open["status"], open["amount_paid"]) = (json!("open"), json!(0));
        (open["amount_remaining"], open["status_transitions"]) =
            (json!(line.amount), json!({ "paid_at": null }));
        self.tell("invoice.payment_failed", open, None);
        self.status = "past_due";
        self.report("customer.subscription.updated", Some(json!({ "status": "active" })));
        self.unpaid.push((paid, self.terms));
        self.now += 5 * DAY;
        self
    }

    /// The oldest invoice that was not paid is paid now, and what it is for opens a month where its own is over.
    pub fn pay_what_is_owed(mut self) -> Self {
        let (mut document, terms) = self.unpaid.remove(0);
        document["status_transitions"]["paid_at"] = json!(self.now);
        let line = document["lines"]["data"][0].clone();
        let time = |name: &str| line["period"][name].as_i64().expect("seconds");
        let start = if time("end") <= self.now { self.now } else { time("start") };
        self.tell("invoice.paid", document.clone(), None);
        if self.unpaid.is_empty() && self.status == "past_due" {
            self.status = "active";
            self.report("customer.subscription.updated", Some(json!({ "status": "past_due" })));
        }
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        self.invoices.push(Paid {
            id: text(&document["id"]),
            payment: "pi_unknown".to_owned(),
            line: text(&line["id"]),
            total: terms.full(),
            by_card: terms.full(),
            document,
        });
        self.law.pay(self.invoices.len() - 1, start, terms.months(), terms.credits());
        self
    }

    /// It has ended, and what was waiting for the next invoice is billed at the end of the period all the same.
    pub fn bill_what_waits(mut self) -> Self {
        self.now = self.span.1 + HOUR;
        let pending = std::mem::take(&mut self.pending);
        let (at, to) = self.pending_change.take().expect("a change");
        let invoice = self.bill("subscription_cycle", &pending);
        self.law.change_paid_later(at, to.credits(), invoice, self.now, months_after(self.now, 1));
        self
    }

    /// It ends now. With a proration, the rest of what was paid goes to the customer's balance.
    pub fn cancel_now(mut self, is_prorated: bool) -> Self {
        self.status = "canceled";
        self.ended_at = Some(self.now);
        self.report("customer.subscription.deleted", None);
        if is_prorated {
            let credit = self.credit_line();
            self.bill("subscription_update", &[credit]);
            self.law.leave(self.now, None);
            (self.gone, self.held_before, self.settled) = (true, None, true);
        }
        self
    }

    pub fn cancel_at_end(mut self) -> Self {
        self.cancel_at = Some(self.span.1);
        let before = json!({ "cancel_at": null, "cancel_at_period_end": false });
        self.report("customer.subscription.updated", Some(before));
        self
    }

    /// The period ends, and so does the subscription.
    pub fn end(mut self) -> Self {
        self.now = self.span.1;
        self.status = "canceled";
        self.ended_at = Some(self.now);
        self.report("customer.subscription.deleted", None);
        self.now += 1;
        self
    }

    /// The billing day becomes today: the rest of the period is given back, and a whole one is paid.
    pub fn reset_the_anchor(mut self) -> Self {
        let (credit, old) = (self.credit_line(), self.span);
        self.law.leave(self.now, Some(self.invoices.len()));
        self.open_period(self.now);
        self.bill_period("subscription_update", vec![credit]);
        self.held_before = Some((self.terms, old.1));
        self.report("customer.subscription.updated", Some(self.before(self.terms, old)));
        self
    }

    /// A trial is put on the running subscription: the rest of the period is given back.
    pub fn try_again(mut self, days: i64) -> Self {
        let (credit, old) = (self.credit_line(), self.span);
        self.law.leave(self.now, None);
        let end = self.now + days * DAY;
        self.span = (self.now, end);
        (self.status, self.trial_end) = ("trialing", Some(end));
        let trial = Line { amount: 0, is_proration: false, credits: None, ..self.proration(self.terms, 1) };
        self.bill("subscription_update", &[credit, trial]);
        let mut before = self.before(self.terms, old);
        before["status"] = json!("active");
        self.report("customer.subscription.updated", Some(before));
        self
    }

    /// It will end inside of the period, and what is paid for after that is given back now.
    pub fn cancel_inside(mut self, days: i64) -> Self {
        let at = self.now + days * DAY;
        let now = std::mem::replace(&mut self.now, at);
        let credit = self.credit_line();
        self.now = now;
        self.cancel_at = Some(at);
        self.report("customer.subscription.updated", Some(json!({ "cancel_at": null })));
        self.bill("subscription_update", &[credit]);
        self.law.give_up(self.now, at);
        self
    }

    /// The status `paused`, which gives back the rest of what was paid.
    pub fn pause_with_credit(mut self) -> Self {
        self.status = "paused";
        let credit = self.credit_line();
        let before = self.before(self.terms, self.span);
        self.span.1 = self.now;
        self.bill("subscription_update", &[credit]);
        self.report("customer.subscription.paused", Some(before));
        self.law.leave(self.now, None);
        self
    }

    /// A trial that gives so many credits, as the catalog says.
    pub fn trial(mut self, terms: Terms, days: i64, credits: i64) -> Self {
        self.terms = terms;
        self.billed = terms;
        self.status = "trialing";
        let end = self.now + days * DAY;
        self.trial_end = Some(end);
        self.span = (self.now, end);
        self.law.begin_trial(credits, end);
        self.report("customer.subscription.created", None);
        let line = Line { amount: 0, is_proration: false, ..self.proration(terms, 1) };
        self.bill("subscription_create", &[line]);
        self
    }

    /// Lines of 0.00, as flexible billing makes them.
    pub fn change_in_trial(mut self, to: Terms) -> Self {
        let from = self.terms;
        self.terms = to;
        self.billed = to;
        let lines = [from, to].map(|terms| Line { amount: 0, ..self.proration(terms, 1) });
        self.bill("subscription_update", &lines);
        self.report("customer.subscription.updated", Some(self.before(from, self.span)));
        self
    }

    pub fn extend_trial(mut self, days: i64) -> Self {
        let before = self.trial_end;
        let end = self.span.1 + days * DAY;
        self.trial_end = Some(end);
        self.span.1 = end;
        self.law.extend_trial(end);
        self.report("customer.subscription.updated", Some(json!({ "trial_end": before })));
        self
    }

    /// The trial is over, and the first month is paid an hour later.
    pub fn convert(mut self) -> Self {
        let old = self.span;
        self.now = old.1;
        self.status = "active";
        self.open_period(old.1);
        self.law.end_trial(old.1);
        let mut before = self.before(self.terms, old);
        before["status"] = json!("trialing");
        self.report("customer.subscription.updated", Some(before));
        self.now += HOUR;
        self.bill_period("subscription_cycle", Vec::new());
        self
    }

    /// A change of plan ends the trial, and the new plan is paid at once: the portal's default.
    pub fn convert_by_change(mut self, to: Terms) -> Self {
        let (from, old) = (self.terms, self.span);
        let credit = Line { amount: 0, credits: Some(self.last_line()), ..self.proration(from, 1) };
        self.terms = to;
        self.status = "active";
        self.law.end_trial(self.now);
        let mut before = self.before(from, old);
        before["status"] = json!("trialing");
        before["trial_end"] = json!(self.trial_end);
        self.trial_end = Some(self.now);
        self.open_period(self.now);
        self.bill_period("subscription_update", vec![credit]);
        self.report("customer.subscription.updated", Some(before));
        self
    }

    /// So much of what the last invoice was paid with goes back.
    pub fn give_back(mut self, how: Back, share: Share) -> Self {
        let invoice = self.invoices.len() - 1;
        let paid = self.invoices[invoice].clone();
        let amount = paid.total * share.0 / share.1;
        match how {
            Back::Refund => self.refund(&paid, amount),
            Back::CreditNote => self.credit_note(&paid, amount),
            Back::DisputeLost => self.dispute(&paid, amount, "lost"),
            Back::DisputePrevented => self.dispute(&paid, amount, "prevented"),
            Back::DisputeWon => self.dispute(&paid, amount, "won"),
        }
        self.settled = true;
        if how != Back::DisputeWon {
            // By the money, which is whole cents.
            self.law.give_back(invoice, (amount, paid.total));
            self.gone = amount == paid.total;
        }
        self
    }
}
