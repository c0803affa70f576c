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
    proration::{change_lines, period_line},
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

/// A change, worked out and not done.
pub struct Planned {
    pub after: Subscription,
    pub lines: Vec<Line>,
    /// A new period begins now, which is always asked for at once.
    pub restarts: bool,
}

impl State {
    pub fn plan_change(
        &mut self,
        id: &str,
        changes: &[ItemChange],
        proration: Proration,
        at: i64,
        restart: bool,
    ) -> Result<Planned, Failure> {
        let before = self.subscriptions.get(id)?.clone();
        let mut after = before.clone();
        for change in changes {
            self.change_item(&mut after, change)?;
        }
        if after.items.is_empty() {
            return Err(Failure::invalid("A subscription must have at least one active plan.").param("items"));
        }
        let trial = before.status == Status::Trialing;
        let restarts = !trial && (restart || self.interval_differs(&before, &after)?);
        let mut lines = Vec::new();
        if !trial && proration != Proration::Never {
            for item in &before.items {
                let now = after.items.iter().find(|other| other.id == item.id);
                let differs = now.is_none_or(|now| now.price != item.price || now.quantity != item.quantity);
                if differs || restarts {
                    let rest = now.filter(|_| !restarts);
                    lines.extend(change_lines(self, &before, item, rest, at)?);
                }
            }
        }
        if restarts {
            after.billing_cycle_anchor = self.now;
            for item in &mut after.items {
                let recurring = self.prices.get(&item.price)?.recurring;
                item.period_start = self.now;
                item.period_end = recurring
                    .map_or(item.period_end, |recurring| calendar::period_end(self.now, recurring, self.now));
            }
            for item in &after.items {
                lines.push(period_line(self, &after, item, (item.period_start, item.period_end), false)?);
            }
        }
        Ok(Planned { after, lines, restarts })
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

    fn interval_differs(&self, before: &Subscription, after: &Subscription) -> Result<bool, Failure> {
        let (Some(before), Some(after)) = (before.items.first(), after.items.first()) else {
            return Ok(false);
        };
        Ok(self.prices.get(&before.price)?.recurring != self.prices.get(&after.price)?.recurring)
    }

    /// Does a planned change: the subscription first, then its money.
    pub fn apply_change(
        &mut self,
        planned: Planned,
        proration: Proration,
        or_nothing: bool,
    ) -> Result<(), Failure> {
        let Planned { after, lines, restarts } = planned;
        let id = after.id.clone();
        let asks = !lines.is_empty() && (restarts || proration == Proration::Now);
        if or_nothing && asks {
            self.refuse_unpayable(&after, &lines)?;
        }
        let before = self.subscriptions.get(&id)?.render(self);
        self.subscriptions.put(after.clone());
        if asks {
            let invoice = self.open_invoice(NewInvoice {
                customer: after.customer.clone(),
                subscription: Some(id.clone()),
                reason: "subscription_update",
                lines,
                period: (self.now, self.now),
                currency: after.currency.clone(),
            })?;
            self.tell_change(&id, &before)?;
            self.finalize_invoice(&invoice)?;
            if self.invoices.get(&invoice)?.paid_at.is_none() && after.is_automatic() {
                self.collect(&invoice, None, Presence::Absent)?;
            }
            return Ok(());
        }
        self.subscriptions.get_mut(&id)?.pending.extend(lines);
        self.tell_change(&id, &before)
    }

    fn tell_change(&mut self, id: &str, before: &serde_json::Value) -> Result<(), Failure> {
        let after = self.subscriptions.get(id)?.render(self);
        self.emit_change("customer.subscription.updated", before, after);
        Ok(())
    }

    fn refuse_unpayable(&self, after: &Subscription, lines: &[Line]) -> Result<(), Failure> {
        let balance = self.customers.get(&after.customer)?.balance;
        let total = lines.iter().fold(balance, |sum, line| sum.saturating_add(line.amount));
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
