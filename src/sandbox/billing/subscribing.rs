//! How does a subscription begin, and go on from period to period?

use crate::sandbox::{
    call::Metadata,
    failure::Failure,
    objects::subscription::{Item, PauseCollection, Status, Subscription},
    state::State,
    table::Stored,
};

use super::{
    calendar::{self, HOUR_S},
    invoicing::NewInvoice,
    payments::{Attempt, Presence, foresee},
    proration::period_line,
    scheduling::AtBoundary,
};

/// What is subscribed to.
#[derive(Clone, Debug)]
pub struct NewItem {
    pub price: String,
    pub quantity: i64,
    pub metadata: Metadata,
}

/// How the first invoice is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// It waits for a person.
    Later,
    /// It is tried; when that fails, the subscription waits.
    Try(Presence),
    /// When it cannot be paid, there is no subscription.
    OrNothing,
}

#[derive(Clone, Debug)]
pub struct NewSubscription {
    pub customer: String,
    pub items: Vec<NewItem>,
    pub first: First,
    pub flexible: bool,
    pub trial_end: Option<i64>,
    pub trial_without_method: String,
    pub cancel_at_period_end: bool,
    pub cancel_at: Option<i64>,
    pub automatic: bool,
    pub days_until_due: Option<i64>,
    pub default_payment_method: Option<String>,
    pub description: Option<String>,
    pub metadata: Metadata,
    pub pause_collection: Option<PauseCollection>,
}

impl State {
    pub fn subscribe(&mut self, new: NewSubscription) -> Result<String, Failure> {
        if new.first == First::OrNothing && new.trial_end.is_none() {
            self.refuse_what_fails(&new)?;
        }
        let place = self.place();
        let first = new.first;
        let subscription = self.build(new)?;
        let id = subscription.id.clone();
        let (customer, currency) = (subscription.customer.clone(), subscription.currency.clone());
        self.subscriptions.put(subscription);
        if self.customers.get(&customer)?.currency.is_none() {
            self.change_customer(&customer, |row| row.currency = Some(currency))?;
        }
        self.first_invoice(&id, first)?;
        let object = self.subscriptions.get(&id)?.render(self);
        self.emit_at(place, "customer.subscription.created", object);
        Ok(id)
    }

    fn refuse_what_fails(&self, new: &NewSubscription) -> Result<(), Failure> {
        let of_customer = self.customers.get(&new.customer)?.default_payment_method.clone();
        let Some(method) = new.default_payment_method.clone().or(of_customer) else {
            return Err(no_method());
        };
        match foresee(self.payment_methods.get(&method)?, Presence::Absent) {
            Attempt::Succeeded | Attempt::Processing => Ok(()),
            Attempt::Declined(decline) => Err(decline.failure()),
            Attempt::RequiresAction => {
                let message = "Payment for this subscription requires additional user action before it can be \
                               completed successfully.";
                Err(Failure::card("subscription_payment_intent_requires_action", None, message))
            }
        }
    }

    pub fn build(&mut self, new: NewSubscription) -> Result<Subscription, Failure> {
        let now = self.now;
        let trial_end = new.trial_end.filter(|end| *end > now);
        let anchor = trial_end.unwrap_or(now);
        let id = self.ids.make("sub");
        let mut items = Vec::with_capacity(new.items.len());
        let mut currency = None;
        for item in new.items {
            let price = self
                .prices
                .get(&item.price)
                .map_err(|failure| failure.param("items[0][price]").status(400))?;
            let recurring = price.recurring.ok_or_else(|| {
                let message = "The price specified is set to `type=one_time` but this field only accepts prices with \
                               `type=recurring`.";
                Failure::invalid(message).param("items[0][price]")
            })?;
            currency = Some(price.currency.clone());
            let period_end = trial_end.unwrap_or_else(|| calendar::period_end(anchor, recurring, now));
            items.push(Item {
                id: self.ids.make("si"),
                created: now,
                price: item.price,
                quantity: item.quantity,
                metadata: item.metadata,
                period_start: now,
                period_end,
            });
        }
        let asked = new.cancel_at_period_end || new.cancel_at.is_some();
        Ok(Subscription {
            id,
            created: now,
            customer: new.customer,
            status: if trial_end.is_some() { Status::Trialing } else { Status::Incomplete },
            items,
            currency: currency.unwrap_or_default(),
            billing_cycle_anchor: anchor,
            flexible: new.flexible,
            cancel_at: new.cancel_at,
            cancel_at_period_end: new.cancel_at_period_end,
            canceled_at: asked.then_some(now),
            ended_at: None,
            cancellation_reason: asked.then(|| "cancellation_requested".to_owned()),
            cancellation_comment: None,
            cancellation_feedback: None,
            collection_method: if new.automatic { "charge_automatically" } else { "send_invoice" }.to_owned(),
            days_until_due: new.days_until_due,
            default_payment_method: new.default_payment_method,
            description: new.description,
            latest_invoice: None,
            metadata: new.metadata,
            pause_collection: new.pause_collection,
            save_default_payment_method: "off".to_owned(),
            trial_start: trial_end.map(|_| now),
            trial_end,
            trial_without_method: new.trial_without_method,
            trial_end_told: false,
            paused: None,
            schedule: None,
            pending: Vec::new(),
        })
    }

    fn first_invoice(&mut self, id: &str, first: First) -> Result<(), Failure> {
        let row = self.subscriptions.get(id)?.clone();
        let trial = row.status == Status::Trialing;
        let invoice = self.cycle_invoice(&row, "subscription_create", trial)?;
        if !row.is_automatic() && !trial {
            self.subscriptions.get_mut(id)?.status = Status::Active;
        }
        self.finalize_invoice(&invoice)?;
        let open = self.invoices.get(&invoice)?.paid_at.is_none();
        if open && row.is_automatic() {
            match first {
                First::Later => {}
                First::Try(presence) => drop(self.collect(&invoice, None, presence)?),
                First::OrNothing => drop(self.collect(&invoice, None, Presence::Absent)?),
            }
        }
        Ok(())
    }

    /// The invoice of the period that an item is in, and of what was waiting for it.
    fn cycle_invoice(
        &mut self,
        row: &Subscription,
        reason: &'static str,
        free: bool,
    ) -> Result<String, Failure> {
        let mut lines = std::mem::take(&mut self.subscriptions.get_mut(&row.id)?.pending);
        for item in &row.items {
            let period = (item.period_start, item.period_end);
            lines.push(period_line(self, row, item, period, free)?);
        }
        // An invoice of a cycle names the period that has just ended.
        let cycle = reason == "subscription_cycle";
        let period = if cycle { (row.created.max(self.before(row)), self.now) } else { (self.now, self.now) };
        self.open_invoice(NewInvoice {
            customer: row.customer.clone(),
            subscription: Some(row.id.clone()),
            reason,
            lines,
            period,
            currency: row.currency.clone(),
        })
    }

    /// When the period before the one that an item is in began.
    fn before(&self, row: &Subscription) -> i64 {
        let last = row.latest_invoice.as_deref().and_then(|id| self.invoices.find(id));
        last.map_or(row.created, |invoice| invoice.created)
    }

    /// The next period begins, in the next phase where there is one. Its invoice is a draft for an hour.
    pub fn renew(&mut self, id: &str) -> Result<(), Failure> {
        let mut row = self.subscriptions.get(id)?.clone();
        let before = row.render(self);
        let schedule = row.schedule.as_deref().and_then(|id| self.schedules.find(id)).cloned();
        let boundary = row.period_end();
        let at = self.enter_phase(&mut row, boundary)?;
        if let (AtBoundary::Ends, Some(schedule)) = (at, &schedule) {
            return self.finish_schedule(&schedule.id, at);
        }
        self.begin_period(&mut row)?;
        self.subscriptions.put(row.clone());
        let place = self.place();
        let invoice = self.cycle_invoice(&row, "subscription_cycle", false)?;
        let after = self.subscriptions.get(id)?.render(self);
        self.emit_change_at(place, "customer.subscription.updated", &before, after);
        if let Some(schedule) = schedule {
            self.tell_phase(&schedule.id, &schedule)?;
            self.finish_schedule(&schedule.id, at)?;
        }
        let (now, keeps) = (self.now, keeps_drafts(&row));
        let invoice = self.invoices.get_mut(&invoice)?;
        invoice.finalizes_at = (!keeps).then(|| now.saturating_add(HOUR_S));
        invoice.auto_advance = !keeps;
        Ok(())
    }

    fn begin_period(&self, row: &mut Subscription) -> Result<(), Failure> {
        let anchor = row.billing_cycle_anchor;
        for item in &mut row.items {
            let recurring = self.prices.get(&item.price)?.recurring;
            let end = recurring.map(|recurring| calendar::period_end(anchor, recurring, item.period_end));
            item.period_start = item.period_end;
            item.period_end = end.unwrap_or(item.period_end);
        }
        if row.status == Status::Trialing {
            row.status = Status::Active;
        }
        Ok(())
    }

    /// From `paused` on, or from a pause that was asked for: a new period, from now.
    pub fn resume(&mut self, id: &str, anew: bool) -> Result<(), Failure> {
        let row = self.subscriptions.get(id)?;
        if row.status != Status::Paused {
            let message = format!(
                "Only subscriptions with a `paused` status can be resumed. This subscription is `{}`.",
                row.status.as_str()
            );
            return Err(Failure::invalid(message));
        }
        let now = self.now;
        let over = row.period_end() <= now;
        let before = row.render(self);
        let mut row = row.clone();
        row.status = Status::Active;
        row.paused = None;
        if anew || over {
            row.billing_cycle_anchor = now;
            for item in &mut row.items {
                let recurring = self.prices.get(&item.price)?.recurring;
                item.period_start = now;
                item.period_end =
                    recurring.map_or(item.period_end, |recurring| calendar::period_end(now, recurring, now));
            }
        }
        self.subscriptions.put(row.clone());
        let after = self.subscriptions.get(id)?.render(self);
        self.emit("customer.subscription.resumed", after.clone());
        if anew || over {
            let invoice = self.cycle_invoice(&row, "subscription_update", false)?;
            self.finalize_invoice(&invoice)?;
            if self.invoices.get(&invoice)?.paid_at.is_none() {
                self.collect(&invoice, None, Presence::Absent)?;
            }
        }
        self.emit_change("customer.subscription.updated", &before, after);
        Ok(())
    }
}

/// Whether its invoices stay drafts for as long as nothing is collected.
pub fn keeps_drafts(row: &Subscription) -> bool {
    row.pause_collection.as_ref().is_some_and(|pause| pause.behavior == "keep_as_draft")
}

pub fn no_method() -> Failure {
    let message = "This customer has no attached payment source or default payment method. Please consider adding a \
                   default payment method. For more information, visit https://docs.stripe.com/api.";
    Failure::invalid(message).code("resource_missing").status(400)
}
