//! A language for stories of one subscription: each move writes the events that Stripe would send, in the order of its
//! recordings, and tells the law what has happened.

use serde_json::{Value, json};

use super::{
    law::{Law, Share, months_after},
    paper::{Invoice, Line, Priced, Subscription, event, items},
};

pub const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// 2026-03-02T09:00:00Z.
pub const BEGIN: i64 = 1_772_442_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    Basic,
    Creator,
    Team,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    Month,
    Year,
}

/// What is subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub plan: Plan,
    pub every: Every,
    pub seats: u32,
}

pub const fn monthly(plan: Plan) -> Terms {
    Terms { plan, every: Every::Month, seats: 1 }
}

pub const fn yearly(plan: Plan) -> Terms {
    Terms { plan, every: Every::Year, seats: 1 }
}

impl Plan {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Creator => "creator",
            Self::Team => "team",
        }
    }

    const fn credits(self) -> i64 {
        match self {
            Self::Basic => 500,
            Self::Creator => 1_500,
            Self::Team => 5_000,
        }
    }
}

impl Terms {
    pub const fn seats(self, seats: u32) -> Self {
        Self { seats, ..self }
    }

    const fn price(self) -> (&'static str, i64) {
        match (self.plan, self.every) {
            (Plan::Basic, Every::Month) => ("price_1QLedgerBasicMonthly00001", 999),
            (Plan::Creator, Every::Month) => ("price_1QLedgerCreatorMonthly002", 1_999),
            (Plan::Team, Every::Month) => ("price_1QLedgerTeamMonthly000003", 2_999),
            (Plan::Basic, Every::Year) => ("price_t_basic_year", 9_990),
            (Plan::Creator, Every::Year) => ("price_t_creator_year", 19_990),
            (Plan::Team, Every::Year) => ("price_t_team_year", 29_990),
        }
    }

    pub const fn other_interval(self) -> Self {
        match self.every {
            Every::Month => Self { every: Every::Year, ..self },
            Every::Year => Self { every: Every::Month, ..self },
        }
    }

    pub const fn months(self) -> u32 {
        match self.every {
            Every::Month => 1,
            Every::Year => 12,
        }
    }

    /// Credits a month.
    pub const fn credits(self) -> i64 {
        self.plan.credits() * self.seats as i64
    }

    /// What a whole interval costs, in minor units.
    const fn full(self) -> i64 {
        self.price().1 * self.seats as i64
    }

    fn item(self) -> Priced {
        let (price, minor) = self.price();
        let interval = if self.every == Every::Month { "month" } else { "year" };
        Priced { price, minor, interval, seats: self.seats }
    }
}

/// How money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    Refund,
    CreditNote,
    DisputeLost,
    DisputePrevented,
    DisputeWon,
}

/// An invoice that was paid.
#[derive(Clone, Debug)]
struct Paid {
    id: String,
    payment: String,
    line: String,
    total: i64,
    /// The rest was paid by the customer's balance.
    by_card: i64,
    document: Value,
}

#[derive(Clone, Debug)]
pub struct Story {
    pub account: String,
    pub law: Law,
    pub now: i64,
    /// In the order of sending.
    pub events: Vec<Value>,
    terms: Terms,
    /// What the running period was last billed as.
    billed: Terms,
    span: (i64, i64),
    status: &'static str,
    trial_end: Option<i64>,
    cancel_at: Option<i64>,
    ended_at: Option<i64>,
    coupon: Option<(i64, &'static str)>,
    /// What the customer has at Stripe, in minor units.
    balance: i64,
    invoices: Vec<Paid>,
    /// Prorations that the next invoice bills.
    pending: Vec<Line>,
    pending_change: Option<(i64, Terms)>,
    /// Invoices that nobody has paid, as they will be when they are.
    unpaid: Vec<(Value, Terms)>,
    /// Everything that was left of the newest period went back.
    gone: bool,
    numbered: u32,
    /// How many subscriptions there were.
    subscribed: u32,
    /// The next change of the running period has to wait for the one after it: money went back.
    settled: bool,
}

impl Story {
    /// Nothing has happened, and the plan for everybody gives `free` credits once.
    pub fn of(account: &str, free: i64) -> Self {
        let terms = monthly(Plan::Basic);
        Self {
            account: account.to_owned(),
            law: Law::with(free),
            now: BEGIN,
            events: Vec::new(),
            terms,
            billed: terms,
            span: (BEGIN, BEGIN),
            status: "none",
            trial_end: None,
            cancel_at: None,
            ended_at: None,
            coupon: None,
            balance: 0,
            invoices: Vec::new(),
            pending: Vec::new(),
            pending_change: None,
            unpaid: Vec::new(),
            gone: false,
            numbered: 0,
            subscribed: 0,
            settled: false,
        }
    }

    // ------------------------------------------------------------------------------------------------ what is right

    /// What the account can spend now, having spent nothing.
    pub fn right_credits(&self) -> i64 {
        self.law.available(self.now)
    }

    /// A subscription that ended gives its plan until the end of what was paid for.
    pub fn right_plan(&self) -> &'static str {
        let holds = match self.status {
            "active" | "trialing" => Some(self.terms),
            "canceled" if self.now < self.span.1 && self.trial_end.is_none_or(|end| end < self.now) => {
                Some(self.billed)
            }
            _ => None,
        };
        holds.filter(|_| !self.gone).map_or("free", |terms| terms.plan.name())
    }

    /// In minor units, rounded half to even once. `None`: nobody has said what it is when all money went back and the
    /// subscription goes on.
    pub fn right_monthly(&self) -> Option<i64> {
        if self.gone && self.status == "active" {
            return None;
        }
        if self.status != "active" && self.status != "past_due" {
            return Some(0);
        }
        let percent =
            self.coupon.filter(|(_, duration)| *duration == "forever").map_or(100, |(off, _)| 100 - off);
        let (n, d) = (self.terms.full() * percent, i64::from(self.terms.months()) * 100);
        let (whole, rest) = (n / d, n % d);
        Some(match (2 * rest).cmp(&d) {
            std::cmp::Ordering::Less => whole,
            std::cmp::Ordering::Greater => whole + 1,
            std::cmp::Ordering::Equal => whole + whole % 2,
        })
    }

    // ------------------------------------------------------------------------------------------- what can be done now

    pub const fn terms(&self) -> Terms {
        self.terms
    }

    pub const fn period_end(&self) -> i64 {
        self.span.1
    }

    /// Whether another subscription was there before, which may still give its plan.
    pub const fn is_the_first(&self) -> bool {
        self.subscribed <= 1
    }

    pub fn is_active(&self) -> bool {
        self.status == "active"
    }

    /// Whether a change of the period is as clear as the law: nothing of its money went back.
    pub fn may_change(&self) -> bool {
        self.is_active() && !self.settled
    }

    /// Whether the last invoice paid for a whole period, and not for a change inside of one.
    pub fn last_paid_a_period(&self) -> bool {
        self.invoices.last().is_some_and(|last| last.total >= self.terms.full())
    }

    /// Whether the last invoice was paid by card, in full.
    pub fn may_give_back(&self) -> bool {
        !self.settled && self.invoices.last().is_some_and(|last| last.total > 0 && last.by_card == last.total)
    }

    // ------------------------------------------------------------------------------------------------------- moves

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
        let (from, span) = (self.terms, self.span);
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
            self.law.leave(self.now);
            self.terms = to;
            self.open_period(self.now);
            self.bill_period("subscription_update", vec![credit]);
        }
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

    /// Back to what was last billed, by an invoice of 0.00: as flexible billing does it after a downgrade that nobody billed.
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
            self.law.leave(self.now);
            (self.gone, self.settled) = (true, true);
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

    /// The status `paused`, which gives back the rest of what was paid.
    pub fn pause_with_credit(mut self) -> Self {
        self.status = "paused";
        let credit = self.credit_line();
        let before = self.before(self.terms, self.span);
        self.span.1 = self.now;
        self.bill("subscription_update", &[credit]);
        self.report("customer.subscription.paused", Some(before));
        self.law.leave(self.now);
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

    // ---------------------------------------------------------------------------------------------------- the paper

    fn id(&mut self, kind: &str) -> String {
        self.numbered += 1;
        format!("{kind}_{}{:03}", self.account, self.numbered)
    }

    fn subscription(&self) -> String {
        format!("sub_{}_{}", self.account, self.subscribed)
    }

    fn tell(&mut self, kind: &str, object: Value, previous: Option<Value>) {
        let id = self.id("evt");
        self.events.push(event(&id, self.now, kind, object, previous));
    }

    fn report(&mut self, kind: &str, previous: Option<Value>) {
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
    fn before(&self, terms: Terms, span: (i64, i64)) -> Value {
        json!({ "items": { "data": items(&self.account, terms.item(), span)["data"] } })
    }

    fn open_period(&mut self, start: i64) {
        self.span = (start, months_after(start, self.terms.months()));
        (self.gone, self.settled) = (false, false);
    }

    /// A line about the rest of the period, in proportion to the whole.
    fn proration(&mut self, terms: Terms, sign: i64) -> Line {
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
    fn credit_line(&mut self) -> Line {
        let line = self.proration(self.billed, -1);
        let off = self.coupon.map_or(0, |(percent, _)| percent);
        Line { amount: line.amount * (100 - off) / 100, credits: Some(self.last_line()), ..line }
    }

    fn last_line(&self) -> (String, String) {
        let last = self.invoices.last().expect("an invoice");
        (last.id.clone(), last.line.clone())
    }

    fn discount(&self, amount: i64) -> i64 {
        self.coupon.map_or(0, |(percent, _)| amount * percent / 100)
    }

    fn period_line(&mut self) -> Line {
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
    fn bill_period(&mut self, reason: &str, mut lines: Vec<Line>) {
        let line = self.period_line();
        lines.push(line);
        let (terms, start) = (self.terms, self.span.0);
        let invoice = self.bill(reason, &lines);
        self.law.pay(invoice, start, terms.months(), terms.credits());
        self.billed = terms;
    }

    /// The invoice of these lines is paid: by the balance first, and then by card.
    fn bill(&mut self, reason: &str, lines: &[Line]) -> usize {
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

    fn refund(&mut self, paid: &Paid, amount: i64) {
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
    fn credit_note(&mut self, paid: &Paid, amount: i64) {
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

    fn dispute(&mut self, paid: &Paid, amount: i64, status: &str) {
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
