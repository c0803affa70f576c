//! What happens when a subscription is changed to other prices? The rest of the period is worked out, and asked for.

use crate::sandbox::{
    call::Metadata,
    failure::Failure,
    objects::{
        line::Line,
        subscription::{Item, Status, Subscription},
    },
    state::State,
    table::Stored,
};

use super::{
    calendar,
    invoicing::NewInvoice,
    payments::{Attempt, Presence, foresee},
    proration::{credit_lines, debit_line, period_line, proration_of, trial_line},
    subscribing::no_method,
};

/// What becomes of one item.
#[derive(Clone, Debug)]
pub struct ItemChange {
    /// `None`: a new item.
    pub item: Option<String>,
    pub price: Option<String>,
    pub quantity: Option<i64>,
    pub metadata: Option<Metadata>,
    pub deleted: bool,
}

/// When the difference is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proration {
    /// With the next invoice.
    Later,
    Now,
    Never,
}

impl Proration {
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            Some("always_invoice") => Self::Now,
            Some("none") => Self::Never,
            Some(_) | None => Self::Later,
        }
    }
}

/// What somebody wants of a subscription.
#[derive(Clone, Debug)]
pub struct Wish {
    pub changes: Vec<ItemChange>,
    pub proration: Proration,
    /// From when on the difference is worked out.
    pub at: i64,
    /// A new period is to begin now.
    pub restart: bool,
    pub trial_end: Option<i64>,
    /// The trial is to be over.
    pub ends_trial: bool,
    /// When it is to end: another time, or never.
    pub cancel_at: Option<Option<i64>>,
}

impl Wish {
    pub const fn new(changes: Vec<ItemChange>, proration: Proration, at: i64) -> Self {
        let (restart, trial_end, ends_trial, cancel_at) = (false, None, false, None);
        Self { changes, proration, at, restart, trial_end, ends_trial, cancel_at }
    }
}

/// What becomes of a change whose money does not come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// It is refused.
    pub or_nothing: bool,
    /// It waits.
    pub when_paid: bool,
}

/// A change, worked out and not done.
pub struct Planned {
    pub after: Subscription,
    pub lines: Vec<Line>,
    /// A new period begins now, which is always asked for at once.
    pub restarts: bool,
}

impl Planned {
    /// Whether an invoice is made of it at once.
    pub fn asks(&self, proration: Proration) -> bool {
        !self.lines.is_empty() && (self.restarts || proration == Proration::Now)
    }
}

/// In which order an upgrade is told: the subscription when its money has come.
const UPGRADE: &[&str] = &[
    "customer.updated",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "charge.succeeded",
    "charge.pending",
    "charge.failed",
    "payment_intent.succeeded",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.payment_failed",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "customer.subscription.pending_update_applied",
    "customer.subscription.updated",
    "invoiceitem.created",
];

impl State {
    pub fn plan_change(&mut self, id: &str, wish: &Wish) -> Result<Planned, Failure> {
        let before = self.subscriptions.get(id)?.clone();
        let mut after = before.clone();
        for change in &wish.changes {
            self.change_item(&mut after, change)?;
        }
        if after.items.is_empty() {
            return Err(Failure::invalid("A subscription must have at least one active plan.").param("items"));
        }
        let trial = before.status == Status::Trialing;
        let (lines, restarts) = if let Some(end) = wish.trial_end {
            (self.begin_trial(&before, &mut after, end, wish)?, !trial)
        } else if trial && wish.ends_trial {
            (self.end_trial(&before, &mut after, wish)?, true)
        } else if trial {
            (self.change_in_trial(&before, &after, wish)?, false)
        } else if wish.restart || (!before.flexible && self.resets(&before, &after)?) {
            (self.restart(&before, &mut after, wish)?, true)
        } else {
            (self.change_in_period(&before, &mut after, wish)?, false)
        };
        let mut planned = Planned { after, lines, restarts };
        if let Some(cancel_at) = wish.cancel_at {
            self.cut(&before, &mut planned, cancel_at, wish.proration)?;
        }
        Ok(planned)
    }

    /// The credits for everything that was in force, and one new period.
    fn restart(
        &mut self,
        before: &Subscription,
        after: &mut Subscription,
        wish: &Wish,
    ) -> Result<Vec<Line>, Failure> {
        let mut lines = self.credits(before, &before.items, wish)?;
        self.begin_now(after)?;
        for item in &after.items {
            let line = period_line(self, after, item, (item.period_start, item.period_end))?;
            // What is asked for because the anchor moved is a proration; the classic mode does not call it one.
            let proration = before.flexible && self.anchor_debits_are_prorations;
            lines.push(if proration { proration_of(line) } else { line });
        }
        Ok(lines)
    }

    fn begin_now(&self, row: &mut Subscription) -> Result<(), Failure> {
        let now = self.now;
        row.billing_cycle_anchor = now;
        for item in &mut row.items {
            let recurring = self.prices.get(&item.price)?.recurring;
            item.period_start = now;
            item.period_end =
                recurring.map_or(item.period_end, |recurring| calendar::period_end(now, recurring, now));
        }
        Ok(())
    }

    fn credits(&self, before: &Subscription, items: &[Item], wish: &Wish) -> Result<Vec<Line>, Failure> {
        let mut lines = Vec::new();
        for item in items.iter().filter(|_| wish.proration != Proration::Never) {
            let end = item.period_end;
            lines.extend(credit_lines(self, before, item, (wish.at.min(end), end))?);
        }
        Ok(lines)
    }

    fn change_in_period(
        &mut self,
        before: &Subscription,
        after: &mut Subscription,
        wish: &Wish,
    ) -> Result<Vec<Line>, Failure> {
        let mut lines = Vec::new();
        for item in &before.items {
            let now = after.items.iter_mut().find(|other| other.id == item.id);
            if now.as_ref().is_some_and(|now| now.price == item.price && now.quantity == item.quantity) {
                continue;
            }
            lines.extend(self.credits(before, std::slice::from_ref(item), wish)?);
            let Some(now) = now else { continue };
            self.keep_anchor(before, item, now)?;
            lines.extend(self.debit(after, &item.id, wish)?);
        }
        let known = |item: &&Item| before.items.iter().any(|other| other.id == item.id);
        let added: Vec<String> =
            after.items.iter().filter(|item| !known(item)).map(|item| item.id.clone()).collect();
        for id in added {
            lines.extend(self.debit(after, &id, wish)?);
        }
        Ok(lines)
    }

    /// Another interval is counted from the same anchor.
    fn keep_anchor(&self, before: &Subscription, old: &Item, now: &mut Item) -> Result<(), Failure> {
        let (was, is) = (self.prices.get(&old.price)?.recurring, self.prices.get(&now.price)?.recurring);
        if let Some(recurring) = is.filter(|_| was != is) {
            let anchor = before.billing_cycle_anchor;
            now.period_end = calendar::period_end(anchor, recurring, self.now);
            now.period_start = calendar::period_start(anchor, recurring, now.period_end);
        }
        Ok(())
    }

    fn debit(&self, after: &Subscription, item: &str, wish: &Wish) -> Result<Option<Line>, Failure> {
        let item = after.items.iter().find(|other| other.id == item);
        let Some(item) = item.filter(|_| wish.proration != Proration::Never) else { return Ok(None) };
        debit_line(self, after, item, (wish.at.min(item.period_end), item.period_end)).map(Some)
    }

    /// The flexible mode has lines for what changes in a trial, too; they cost nothing.
    fn change_in_trial(
        &mut self,
        before: &Subscription,
        after: &Subscription,
        wish: &Wish,
    ) -> Result<Vec<Line>, Failure> {
        let mut lines = Vec::new();
        if !before.flexible || wish.proration == Proration::Never {
            return Ok(lines);
        }
        for item in &before.items {
            let now = after.items.iter().find(|other| other.id == item.id);
            if now.is_none_or(|now| now.price != item.price || now.quantity != item.quantity) {
                lines.extend(self.credits(before, std::slice::from_ref(item), wish)?);
            }
        }
        for item in &after.items {
            let same = |other: &&Item| {
                other.id == item.id && other.price == item.price && other.quantity == item.quantity
            };
            if !before.items.iter().any(|other| same(&other)) {
                lines.push(proration_of(trial_line(self, after, item, (wish.at, item.period_end))?));
            }
        }
        Ok(lines)
    }

    fn end_trial(
        &mut self,
        before: &Subscription,
        after: &mut Subscription,
        wish: &Wish,
    ) -> Result<Vec<Line>, Failure> {
        let mut lines = if before.flexible { self.credits(before, &before.items, wish)? } else { Vec::new() };
        after.status = Status::Active;
        after.trial_end = Some(self.now);
        self.begin_now(after)?;
        for item in &after.items {
            lines.push(period_line(self, after, item, (item.period_start, item.period_end))?);
        }
        Ok(lines)
    }

    /// A trial that begins, in place of what was paid for, or goes on for longer.
    fn begin_trial(
        &mut self,
        before: &Subscription,
        after: &mut Subscription,
        end: i64,
        wish: &Wish,
    ) -> Result<Vec<Line>, Failure> {
        let running = before.status == Status::Trialing;
        let now = self.now;
        after.status = Status::Trialing;
        after.trial_start = match before.trial_start {
            Some(start) if running || !before.flexible => Some(start),
            Some(_) | None => Some(now),
        };
        after.trial_end = Some(end);
        after.trial_end_told = false;
        after.billing_cycle_anchor = end;
        for item in &mut after.items {
            item.period_start = if running { item.period_start } else { now };
            item.period_end = end;
        }
        if running {
            return Ok(Vec::new());
        }
        let mut lines = self.credits(before, &before.items, wish)?;
        for item in &after.items {
            lines.push(trial_line(self, after, item, (now, end))?);
        }
        Ok(lines)
    }

    /// An end inside of the period gives back what is behind it; one that is put off asks for that again.
    fn cut(
        &mut self,
        before: &Subscription,
        planned: &mut Planned,
        cancel_at: Option<i64>,
        proration: Proration,
    ) -> Result<(), Failure> {
        if planned.restarts || before.status == Status::Trialing {
            return Ok(());
        }
        let items = planned.after.items.clone();
        for item in &items {
            let recurring = self.prices.get(&item.price)?.recurring;
            let whole = recurring.map(|recurring| {
                calendar::period_end(before.billing_cycle_anchor, recurring, item.period_start)
            });
            let whole = whole.unwrap_or(item.period_end);
            let until = |at: Option<i64>| at.map_or(whole, |at| at.min(whole));
            let (was, is) = (until(before.cancel_at), until(cancel_at));
            if !before.flexible {
                let rows = planned.after.items.iter_mut().filter(|row| row.id == item.id);
                rows.for_each(|row| row.period_end = is);
            }
            if proration == Proration::Never || was == is {
                continue;
            }
            if is < was {
                planned.lines.extend(credit_lines(self, before, item, (is, was))?);
            } else {
                planned.lines.push(debit_line(self, before, item, (was, is))?);
            }
        }
        Ok(())
    }

    pub fn change_item(&mut self, after: &mut Subscription, change: &ItemChange) -> Result<(), Failure> {
        if let Some(price) = &change.price {
            let price =
                self.prices.get(price).map_err(|failure| failure.param("items[0][price]").status(400))?;
            if price.recurring.is_none() {
                return Err(Failure::invalid("The price specified is set to `type=one_time`.")
                    .param("items[0][price]"));
            }
            if price.currency != after.currency {
                let message = format!("The price specified only supports `{}`.", price.currency);
                return Err(Failure::invalid(message).param("items[0][price]"));
            }
        }
        match &change.item {
            Some(id) => {
                let known = after.items.iter().position(|item| item.id == *id);
                let place = known.ok_or_else(|| Failure::no_such("subscription item", id).status(400))?;
                if change.deleted {
                    after.items.remove(place);
                } else if let Some(item) = after.items.get_mut(place) {
                    item.price = change.price.clone().unwrap_or_else(|| item.price.clone());
                    item.quantity = change.quantity.unwrap_or(item.quantity);
                    item.metadata = change.metadata.clone().unwrap_or_else(|| item.metadata.clone());
                }
            }
            None => {
                let price = change.price.clone().ok_or_else(|| Failure::missing("items[0][price]"))?;
                if after.items.iter().any(|item| item.price == price) {
                    let message =
                        format!("Cannot add multiple subscription items with the same plan: {price}");
                    return Err(Failure::invalid(message).param("items"));
                }
                after.items.push(Item {
                    id: self.ids.make("si"),
                    created: self.now,
                    price,
                    quantity: change.quantity.unwrap_or(1),
                    metadata: change.metadata.clone().unwrap_or_default(),
                    period_start: after.period_start(),
                    period_end: after.period_end(),
                });
            }
        }
        Ok(())
    }

    /// In the classic mode another interval, and the first price above 0, begin a new period.
    fn resets(&self, before: &Subscription, after: &Subscription) -> Result<bool, Failure> {
        let (Some(old), Some(new)) = (before.items.first(), after.items.first()) else {
            return Ok(false);
        };
        let differs = self.prices.get(&old.price)?.recurring != self.prices.get(&new.price)?.recurring;
        let costs = |row: &Subscription| -> Result<bool, Failure> {
            let amounts =
                row.items.iter().map(|item| self.prices.get(&item.price).map(|price| price.unit_amount));
            Ok(amounts.collect::<Result<Vec<i64>, Failure>>()?.iter().any(|amount| *amount > 0))
        };
        Ok(differs || (!costs(before)? && costs(after)?))
    }

    /// Does a planned change. What is asked for at once is told before the subscription says what it has become.
    pub fn apply_change(
        &mut self,
        planned: Planned,
        proration: Proration,
        terms: Terms,
    ) -> Result<(), Failure> {
        let asks = planned.asks(proration);
        let Planned { after, mut lines, restarts } = planned;
        let id = after.id.clone();
        if terms.or_nothing && asks {
            self.refuse_unpayable(&after, &lines)?;
        }
        self.note_credits(&id, &lines)?;
        if terms.when_paid && asks {
            let place = self.place();
            self.change_when_paid(after, lines)?;
            self.arrange(place, UPGRADE);
            return Ok(());
        }
        let before = self.subscriptions.get(&id)?.render(self);
        let pending = std::mem::take(&mut self.subscriptions.get_mut(&id)?.pending);
        self.subscriptions.put(Subscription { pending, ..after.clone() });
        let items = self.invoice_items(&after.customer, &lines);
        if !asks {
            self.subscriptions.get_mut(&id)?.pending.extend(lines);
            self.emit_items(items);
            return self.tell_change(&id, &before);
        }
        let place = self.place();
        if after.flexible || !restarts || proration != Proration::Now {
            let mut waiting = std::mem::take(&mut self.subscriptions.get_mut(&id)?.pending);
            waiting.append(&mut lines);
            lines = waiting;
        }
        self.quiet = Some(id.clone());
        let asked = self.ask_for_change(&after, lines);
        self.quiet = None;
        asked?;
        self.tell_change(&id, &before)?;
        self.emit_items(items);
        self.arrange(place, UPGRADE);
        Ok(())
    }

    fn ask_for_change(&mut self, after: &Subscription, lines: Vec<Line>) -> Result<(), Failure> {
        let invoice = self.open_invoice(NewInvoice {
            customer: after.customer.clone(),
            subscription: Some(after.id.clone()),
            reason: "subscription_update",
            lines,
            period: (self.now, self.now),
            currency: after.currency.clone(),
        })?;
        self.finalize_invoice(&invoice)?;
        if self.invoices.get(&invoice)?.paid_at.is_none() && after.is_automatic() {
            // It is tried once, and not again by itself.
            self.invoices.get_mut(&invoice)?.auto_advance = false;
            self.collect(&invoice, None, Presence::Absent)?;
        }
        Ok(())
    }

    /// What a change has made of its lines, as the invoice items that they are at first.
    fn invoice_items(&self, customer: &str, lines: &[Line]) -> Vec<serde_json::Value> {
        lines.iter().filter_map(|line| line.as_invoice_item(customer, None, self.now)).collect()
    }

    fn emit_items(&mut self, items: Vec<serde_json::Value>) {
        for item in items {
            self.emit("invoiceitem.created", item);
        }
    }

    fn tell_change(&mut self, id: &str, before: &serde_json::Value) -> Result<(), Failure> {
        let after = self.subscriptions.get(id)?.render(self);
        self.emit_change("customer.subscription.updated", before, after);
        Ok(())
    }

    fn refuse_unpayable(&self, after: &Subscription, lines: &[Line]) -> Result<(), Failure> {
        let balance = self.customers.get(&after.customer)?.balance;
        let total = lines.iter().fold(balance, |sum, line| sum.saturating_add(line.net()));
        if total <= 0 {
            return Ok(());
        }
        let of_customer = self.customers.get(&after.customer)?.default_payment_method.clone();
        let Some(method) = after.default_payment_method.clone().or(of_customer) else {
            return Err(no_method());
        };
        match foresee(self.payment_methods.get(&method)?, Presence::Absent) {
            Attempt::Succeeded | Attempt::Processing => Ok(()),
            Attempt::Declined(decline) => Err(decline.failure()),
            Attempt::RequiresAction => Err(crate::sandbox::objects::card::AUTHENTICATION_REQUIRED.failure()),
        }
    }
}
