//! How is an invoice made, finalised, collected and given up?

use crate::{
    calendar::DAY_S,
    call::ObjectMetadata,
    failure::SandboxFailure,
    ids,
    objects::Shown,
    state::{AfterRetries, SandboxState},
    store::{
        invoice::{Invoice, InvoiceStatus},
        line::SandboxInvoiceLine,
        payment_intent::{PaymentIntent, PaymentIntentStatus},
        subscription::SandboxSubscriptionStatus,
    },
};

use super::payments::{Attempt, Presence};

/// After how many days a payment that failed is tried again.
const RETRY_DAYS: [i64; 4] = [3, 5, 7, 7];

/// What an invoice is made of.
pub struct NewInvoice {
    pub customer: String,
    pub subscription: Option<String>,
    pub reason: &'static str,
    pub lines: Vec<SandboxInvoiceLine>,
    pub period: (i64, i64),
    pub currency: String,
}

impl SandboxState {
    /// A draft.
    pub fn open_invoice(&mut self, new: NewInvoice) -> Result<String, SandboxFailure> {
        let mut invoice = self.draft(new, "in", self.store.now)?;
        let id = invoice.id.clone();
        self.trace_credits(&mut invoice);
        if let Some(subscription) = &invoice.subscription {
            self.store.subscriptions.get_mut(subscription)?.latest_invoice = Some(id.clone());
            self.use_up(subscription, &invoice.lines)?;
        }
        self.store.invoices.put(invoice);
        self.emit_invoice("invoice.created", &id)?;
        Ok(id)
    }

    /// What a credit gives back may have been asked for only now.
    fn trace_credits(&self, invoice: &mut Invoice) {
        let own: Vec<String> = invoice.lines.iter().map(|line| line.id.clone()).collect();
        let id = invoice.id.clone();
        let untraced = invoice.lines.iter_mut().filter_map(|line| line.credited.as_mut());
        for credited in untraced.filter(|credited| credited.invoice.is_none()) {
            let Some(first) = credited.lines.first() else { continue };
            let elsewhere =
                self.store.invoices.iter().find(|row| row.lines.iter().any(|line| line.id == *first));
            credited.invoice =
                if own.contains(first) { Some(id.clone()) } else { elsewhere.map(|row| row.id.clone()) };
        }
    }

    /// An invoice that nobody keeps yet, with the discounts that are in force at a time.
    pub fn draft(&mut self, mut new: NewInvoice, prefix: &str, at: i64) -> Result<Invoice, SandboxFailure> {
        self.discount(&mut new, at);
        let subscription = new.subscription.as_deref().and_then(|id| self.store.subscriptions.find(id));
        let automatic = subscription.is_none_or(|subscription| subscription.is_automatic());
        let due_date = subscription.and_then(|subscription| subscription.days_until_due);
        let due_date = due_date.map(|days| self.store.now.saturating_add(days.saturating_mul(DAY_S)));
        let metadata = subscription.map(|subscription| subscription.metadata.clone()).unwrap_or_default();
        let starting_balance = self.store.customers.get(&new.customer)?.balance;
        Ok(Invoice {
            id: self.store.ids.make(prefix),
            created: self.store.now,
            customer: new.customer,
            subscription: new.subscription,
            status: InvoiceStatus::Draft,
            billing_reason: new.reason,
            lines: new.lines,
            currency: new.currency,
            period: new.period,
            number: None,
            attempts: 0,
            auto_advance: true,
            automatic,
            finalizes_at: None,
            next_attempt: None,
            due_date,
            payment_intent: None,
            amount_paid: 0,
            paid_out_of_band: false,
            notes_before_payment: 0,
            notes_after_payment: 0,
            other_payments: Vec::new(),
            starting_balance,
            ending_balance: None,
            finalized_at: None,
            paid_at: None,
            voided_at: None,
            marked_uncollectible_at: None,
            metadata: ObjectMetadata::new(),
            subscription_metadata: metadata,
        })
    }

    /// From here on its amount is fixed. One that asks for nothing is paid at once.
    pub fn finalize_invoice(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let invoice = self.store.invoices.get(id)?;
        if invoice.status != InvoiceStatus::Draft {
            return Err(SandboxFailure::invalid(
                "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            )
            .code("invoice_not_editable"));
        }
        let (customer, total) = (invoice.customer.clone(), invoice.total());
        let number = self.number(&customer)?;
        let starting = self.store.customers.get(&customer)?.balance;
        // A credit pays as far as it goes; what an invoice gives back is a credit; a debt is asked for with it.
        let ending =
            if total < 0 { starting.saturating_add(total) } else { starting.saturating_add(total).min(0) };
        let now = self.store.now;
        let invoice = self.store.invoices.get_mut(id)?;
        invoice.status = InvoiceStatus::Open;
        invoice.number = Some(number);
        invoice.finalized_at = Some(now);
        invoice.finalizes_at = None;
        invoice.starting_balance = starting;
        invoice.ending_balance = Some(ending);
        let due = invoice.due();
        if ending != starting {
            self.change_customer(&customer, |customer| customer.balance = ending)?;
        }
        if due > 0 {
            self.intend(id, due)?;
        }
        self.emit_invoice("invoice.finalized", id)?;
        if due == 0 { self.settle_invoice(id, false) } else { Ok(()) }
    }

    fn number(&mut self, customer: &str) -> Result<String, SandboxFailure> {
        let customer = self.store.customers.get_mut(customer)?;
        customer.invoices_numbered = customer.invoices_numbered.saturating_add(1);
        Ok(format!("{}-{:04}", customer.invoice_prefix, customer.invoices_numbered))
    }

    /// The payment of an invoice.
    fn intend(&mut self, invoice: &str, amount: i64) -> Result<(), SandboxFailure> {
        let id = self.store.ids.make("pi");
        let row = self.store.invoices.get(invoice)?;
        let described = row.billing_reason.replace("subscription_", "Subscription ");
        let intent = PaymentIntent {
            client_secret: format!("{id}_secret_{}", ids::letters(12)),
            id: id.clone(),
            created: self.store.now,
            amount,
            amount_capturable: 0,
            amount_received: 0,
            currency: row.currency.clone(),
            customer: Some(row.customer.clone()),
            payment_method: None,
            status: PaymentIntentStatus::RequiresPaymentMethod,
            manual_capture: false,
            latest_charge: None,
            last_error: None,
            last_method: None,
            description: Some(described),
            receipt_email: None,
            setup_future_usage: Some("off_session".to_owned()),
            return_url: None,
            canceled_at: None,
            cancellation_reason: None,
            metadata: ObjectMetadata::new(),
            invoice: Some(invoice.to_owned()),
            settles_at: None,
        };
        self.store.payment_intents.put(intent);
        self.store.invoices.get_mut(invoice)?.payment_intent = Some(id.clone());
        self.emit_intent("payment_intent.created", &id)
    }

    /// What an invoice is paid with: what was named, else the subscription's method, else the customer's.
    pub fn method_for(&self, invoice: &str) -> Result<Option<String>, SandboxFailure> {
        let invoice = self.store.invoices.get(invoice)?;
        let subscription = invoice.subscription.as_deref().and_then(|id| self.store.subscriptions.find(id));
        let method = subscription.and_then(|subscription| subscription.default_payment_method.clone());
        let of_customer = self.store.customers.get(&invoice.customer)?.default_payment_method.clone();
        Ok(method.or(of_customer))
    }

    /// Tries to collect an open invoice.
    pub fn collect(
        &mut self,
        id: &str,
        method: Option<String>,
        presence: Presence,
    ) -> Result<Attempt, SandboxFailure> {
        let method = if method.is_some() { method } else { self.method_for(id)? };
        let invoice = self.store.invoices.get_mut(id)?;
        invoice.attempts = invoice.attempts.saturating_add(1);
        invoice.next_attempt = None;
        let intent = invoice.payment_intent.clone().unwrap_or_default();
        let Some(method) = method else {
            self.fail_invoice(id, false, true)?;
            return Ok(Attempt::Declined(NO_METHOD));
        };
        self.store.payment_intents.get_mut(&intent)?.payment_method = Some(method);
        let attempt = self.attempt(&intent, presence)?;
        match attempt {
            Attempt::Succeeded => self.settle_invoice(id, false)?,
            Attempt::Processing => self.trust_debit(id)?,
            Attempt::RequiresAction => {
                self.emit_invoice("invoice.payment_action_required", id)?;
                self.fail_invoice(id, presence != Presence::Absent, true)?;
            }
            Attempt::Declined(_) => self.fail_invoice(id, false, true)?,
        }
        Ok(attempt)
    }

    /// A bank debit is on its way. The subscription does not wait for it, where it is trusted.
    pub fn trust_debit(&mut self, invoice: &str) -> Result<(), SandboxFailure> {
        let Some(subscription) = self.store.invoices.get(invoice)?.subscription.clone() else {
            return Ok(());
        };
        let row = self.store.subscriptions.get(&subscription)?;
        let first = row.status == SandboxSubscriptionStatus::Incomplete
            && row.latest_invoice.as_deref() == Some(invoice);
        if first && self.trusts_first_debit {
            self.change_subscription(&subscription, |row| row.status = SandboxSubscriptionStatus::Active)?;
        }
        Ok(())
    }

    /// A bank debit was returned. A first one voids its invoice, and the subscription stays what it is.
    pub fn fail_debit(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let invoice = self.store.invoices.get(id)?;
        let first = invoice.billing_reason == "subscription_create";
        let subscription = invoice.subscription.as_deref().and_then(|id| self.store.subscriptions.find(id));
        let active = subscription.is_some_and(|row| row.status == SandboxSubscriptionStatus::Active);
        self.fail_invoice(id, false, !(first && active))?;
        if first && active { self.void_invoice(id) } else { Ok(()) }
    }

    /// It is paid: by its payment, by a balance, or outside of Stripe.
    pub fn settle_invoice(&mut self, id: &str, out_of_band: bool) -> Result<(), SandboxFailure> {
        let now = self.store.now;
        let invoice = self.store.invoices.get_mut(id)?;
        invoice.status = InvoiceStatus::Paid;
        invoice.paid_at = Some(now);
        invoice.paid_out_of_band = out_of_band;
        invoice.amount_paid = invoice.due();
        invoice.auto_advance = false;
        invoice.next_attempt = None;
        // Nothing was tried, but what asks for nothing counts as tried.
        invoice.attempts = invoice.attempts.max(i64::from(!out_of_band && invoice.amount_paid > 0));
        let own =
            invoice.payment().filter(|payment| payment.get("status").is_some_and(|status| status == "paid"));
        let payment = own.filter(|_| !out_of_band && invoice.amount_paid > 0);
        let subscription = invoice.subscription.clone();
        self.emit_invoice("invoice.paid", id)?;
        self.emit_invoice("invoice.payment_succeeded", id)?;
        if let Some(payment) = payment {
            self.emit_last("invoice_payment.paid", payment);
        }
        match subscription {
            Some(subscription) => self.recover(&subscription, id),
            None => Ok(()),
        }
    }

    /// A subscription that waited for this invoice goes on.
    fn recover(&mut self, subscription: &str, invoice: &str) -> Result<(), SandboxFailure> {
        if self.apply_pending(subscription, invoice)? {
            return Ok(());
        }
        let row = self.store.subscriptions.get(subscription)?;
        let failed = row.paused.is_some_and(|(reason, _)| reason.ends_with("_payment_failure"));
        if failed && row.latest_invoice.as_deref() == Some(invoice) {
            return self.resume(subscription, false, false);
        }
        let waits = match row.status {
            SandboxSubscriptionStatus::Incomplete
            | SandboxSubscriptionStatus::PastDue
            | SandboxSubscriptionStatus::Unpaid => true,
            SandboxSubscriptionStatus::Active
            | SandboxSubscriptionStatus::Trialing
            | SandboxSubscriptionStatus::Paused
            | SandboxSubscriptionStatus::Canceled
            | SandboxSubscriptionStatus::IncompleteExpired => false,
        };
        if waits && row.latest_invoice.as_deref() == Some(invoice) {
            self.change_subscription(subscription, |row| row.status = SandboxSubscriptionStatus::Active)?;
        }
        Ok(())
    }

    /// It was not paid. It is tried again, and the subscription waits where it `falls_behind`; `silently` where a
    /// person is being asked.
    fn fail_invoice(&mut self, id: &str, silently: bool, falls_behind: bool) -> Result<(), SandboxFailure> {
        if silently {
            return Ok(());
        }
        let now = self.store.now;
        let invoice = self.store.invoices.get_mut(id)?;
        let tried = usize::try_from(invoice.attempts.saturating_sub(1)).unwrap_or(0);
        let first = invoice.billing_reason == "subscription_create";
        let days = RETRY_DAYS.get(tried).filter(|_| !first && invoice.auto_advance);
        invoice.next_attempt = days.map(|days| now.saturating_add(days.saturating_mul(DAY_S)));
        // One that does not go on by itself is tried once, and nothing more comes of it.
        let over = invoice.next_attempt.is_none() && !first && invoice.auto_advance;
        let subscription = invoice.subscription.clone();
        self.emit_invoice("invoice.payment_failed", id)?;
        let row = subscription.as_deref().and_then(|id| self.store.subscriptions.find(id));
        let waits =
            row.and_then(|row| row.pending_update.as_ref()).is_some_and(|update| update.invoice == id);
        let falls_behind = falls_behind && !waits;
        let active = row.is_some_and(|row| row.status == SandboxSubscriptionStatus::Active);
        let cycle = self.store.invoices.get(id)?.billing_reason == "subscription_cycle";
        let at_once = self.after_retries == AfterRetries::PauseAtOnce && active && cycle;
        match subscription {
            Some(subscription) if over => self.give_up(&subscription, id),
            Some(subscription) if falls_behind && at_once => {
                self.pause_subscription(&subscription, "first_payment_failure")
            }
            Some(subscription) if falls_behind => self.fall_behind(&subscription),
            Some(_) | None => Ok(()),
        }
    }

    fn fall_behind(&mut self, subscription: &str) -> Result<(), SandboxFailure> {
        let status = self.store.subscriptions.get(subscription)?.status;
        if matches!(status, SandboxSubscriptionStatus::Active | SandboxSubscriptionStatus::Trialing) {
            self.change_subscription(subscription, |row| row.status = SandboxSubscriptionStatus::PastDue)?;
        }
        Ok(())
    }

    pub fn emit_invoice(&mut self, kind: &str, id: &str) -> Result<(), SandboxFailure> {
        let object = self.store.invoices.get(id)?.render(&self.store);
        self.emit(kind, object);
        Ok(())
    }

    /// Nothing is asked for any more.
    pub fn void_invoice(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let now = self.store.now;
        let invoice = self.store.invoices.get_mut(id)?;
        invoice.status = InvoiceStatus::Void;
        invoice.voided_at = Some(now);
        invoice.auto_advance = false;
        invoice.finalizes_at = None;
        invoice.next_attempt = None;
        let intent = invoice.payment_intent.clone();
        let ending = invoice.ending_balance.unwrap_or(invoice.starting_balance);
        let (customer, used) = (invoice.customer.clone(), ending.saturating_sub(invoice.starting_balance));
        if used != 0 {
            self.change_customer(&customer, |row| row.balance = row.balance.saturating_sub(used))?;
        }
        self.cancel_intent(intent.as_deref(), "void_invoice")?;
        self.emit_invoice("invoice.voided", id)?;
        self.forgive(id)
    }

    /// A subscription that was behind with this invoice alone is not behind any more, though nothing was paid.
    fn forgive(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let Some(subscription) = self.store.invoices.get(id)?.subscription.clone() else { return Ok(()) };
        if self.store.invoices.get(id)?.status == InvoiceStatus::Uncollectible {
            self.apply_pending(&subscription, id)?;
        } else {
            self.drop_pending(&subscription, id)?;
        }
        let row = self.store.subscriptions.get(&subscription)?;
        let behind =
            matches!(row.status, SandboxSubscriptionStatus::PastDue | SandboxSubscriptionStatus::Unpaid);
        if behind && row.latest_invoice.as_deref() == Some(id) {
            self.change_subscription(&subscription, |row| row.status = SandboxSubscriptionStatus::Active)?;
        }
        Ok(())
    }

    /// It is not expected to be paid any more. It can be paid all the same.
    pub fn mark_uncollectible(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let now = self.store.now;
        let invoice = self.store.invoices.get_mut(id)?;
        invoice.status = InvoiceStatus::Uncollectible;
        invoice.marked_uncollectible_at = Some(now);
        invoice.auto_advance = false;
        invoice.finalizes_at = None;
        invoice.next_attempt = None;
        self.emit_invoice("invoice.marked_uncollectible", id)?;
        self.forgive(id)
    }

    pub fn cancel_intent(&mut self, id: Option<&str>, reason: &str) -> Result<(), SandboxFailure> {
        let Some(id) = id else { return Ok(()) };
        let now = self.store.now;
        let intent = self.store.payment_intents.get_mut(id)?;
        if matches!(intent.status, PaymentIntentStatus::Succeeded | PaymentIntentStatus::Canceled) {
            return Ok(());
        }
        intent.status = PaymentIntentStatus::Canceled;
        intent.canceled_at = Some(now);
        intent.cancellation_reason = Some(reason.to_owned());
        self.emit_intent("payment_intent.canceled", id)
    }
}

const NO_METHOD: crate::store::card::Decline = crate::store::card::Decline {
    code: "resource_missing",
    decline_code: None,
    message: "This customer has no attached payment source or default payment method. Please consider adding a \
              default payment method.",
};
