//! What does time bring? One thing after the other, each at its time, however far the clock is moved at once.

use crate::{
    calendar::{DAY_S, HOUR_S},
    failure::SandboxFailure,
    objects::Shown,
    state::{DueEvent, SandboxState},
    store::{
        checkout::CheckoutStatus,
        invoice::{Invoice, InvoiceStatus},
        schedule::SubscriptionSchedule,
        subscription::{SandboxSubscription, SandboxSubscriptionStatus},
    },
};

use super::{
    ending::CancellationDetails,
    payments::{Attempt, Presence},
};

/// How long before its end a trial is told about.
const TRIAL_NOTICE_S: i64 = 3 * DAY_S;
/// How long after the end of a period Stripe begins the next one, as it was seen.
const RENEWS_AFTER_S: i64 = 16;
/// How long a first payment may take.
const INCOMPLETE_S: i64 = 23 * HOUR_S;
/// More than any advance of a believable sandbox brings. A limit, so that an advance always ends.
const HAPPENINGS_MAX: usize = 200_000;

impl SandboxState {
    /// Lets time pass up to `until`.
    pub fn pass(&mut self, until: i64) {
        for _ in 0..HAPPENINGS_MAX {
            let Some((at, happening)) = self.next_due().filter(|(at, _)| *at <= until) else { break };
            self.store.now = self.store.now.max(at);
            if let Err(failure) = self.happen(&happening) {
                tracing::error!(
                    ?happening,
                    message = failure.message(),
                    "this could not happen in the sandbox"
                );
                // It would stay due, and nothing after it would ever happen.
                self.stuck.push(happening);
            }
            self.outbox.flush();
        }
        self.store.now = self.store.now.max(until);
    }

    fn next_due(&self) -> Option<(i64, DueEvent)> {
        let subscriptions = self.store.subscriptions.iter().flat_map(of_subscription);
        let invoices = self.store.invoices.iter().flat_map(of_invoice);
        let incomplete = self.store.subscriptions.iter().filter(|row| self.waits_in_vain(row)).map(|row| {
            let at = row.created.saturating_add(INCOMPLETE_S);
            (at, DueEvent::IncompleteExpires(row.id.clone()))
        });
        let phases = self.store.schedules.iter().filter_map(|row| self.phase_end(row));
        let open = self.store.sessions.iter().filter(|session| session.status == CheckoutStatus::Open);
        let sessions = open.map(|session| (session.expires_at, DueEvent::SessionExpires(session.id.clone())));
        let debits = self
            .store
            .payment_intents
            .iter()
            .filter_map(|intent| Some((intent.settles_at?, DueEvent::DebitSettles(intent.id.clone()))));
        let refunds = self
            .store
            .refunds
            .iter()
            .filter_map(|refund| Some((refund.fails_at?, DueEvent::RefundFails(refund.id.clone()))));
        subscriptions
            .chain(incomplete)
            .chain(phases)
            .chain(invoices)
            .chain(sessions)
            .chain(debits)
            .chain(refunds)
            .filter(|(_, happening)| !self.stuck.contains(happening))
            .min()
    }

    /// Whether a first payment is awaited of which nothing is on its way.
    fn waits_in_vain(&self, row: &SandboxSubscription) -> bool {
        let invoice = row.latest_invoice.as_deref().and_then(|id| self.store.invoices.find(id));
        let intent = invoice.and_then(|invoice| invoice.payment_intent.as_deref());
        let processing = intent
            .and_then(|id| self.store.payment_intents.find(id))
            .is_some_and(|intent| intent.settles_at.is_some());
        row.status == SandboxSubscriptionStatus::Incomplete && !processing
    }

    /// The end of a phase is the end of a period, most of the time, and happens with it.
    fn phase_end(&self, row: &SubscriptionSchedule) -> Option<(i64, DueEvent)> {
        let at = row.due()?;
        let subscription = row.subscription.as_deref().and_then(|id| self.store.subscriptions.find(id))?;
        let with_period = subscription.status.renews() && subscription.period_end() <= at;
        (!with_period).then(|| (at, DueEvent::PhaseEnds(row.id.clone())))
    }

    fn happen(&mut self, happening: &DueEvent) -> Result<(), SandboxFailure> {
        match happening {
            DueEvent::TrialWillEnd(id) => {
                self.store.subscriptions.get_mut(id)?.trial_end_told = true;
                let object = self.store.subscriptions.get(id)?.render(&self.store);
                self.emit("customer.subscription.trial_will_end", object);
                Ok(())
            }
            DueEvent::CollectionResumes(id) => {
                self.change_subscription(id, |row| row.pause_collection = None)
            }
            DueEvent::Ends(id) => {
                self.end_subscription(id, "cancellation_requested", CancellationDetails::default())
            }
            DueEvent::PeriodEnds(id) => self.end_period(id),
            DueEvent::PhaseEnds(id) => self.end_phase(id),
            DueEvent::PendingExpires(id) => self.expire_pending(id),
            DueEvent::PendingIsAsked(id) => self.invoice_pending(id),
            DueEvent::IncompleteExpires(id) => self.expire_incomplete(id),
            DueEvent::Finalizes(id) => self.finalize_when_due(id),
            DueEvent::Retries(id) => self.collect(id, None, Presence::Absent).map(drop),
            DueEvent::SessionExpires(id) => self.expire_session(id),
            DueEvent::DebitSettles(id) => self.settle_intent(id),
            DueEvent::RefundFails(id) => self.fail_refund(id),
        }
    }

    /// A trial that ends without anything to pay with is ended, paused, or billed all the same.
    fn end_period(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let row = self.store.subscriptions.get(id)?;
        let of_customer = self.store.customers.get(&row.customer)?.default_payment_method.is_some();
        let payable = row.default_payment_method.is_some() || of_customer || !row.is_automatic();
        if row.status == SandboxSubscriptionStatus::Trialing && !payable {
            match row.trial_without_method.as_str() {
                "pause" => return self.pause_subscription(id, "trial_end_without_payment_method"),
                "cancel" => {
                    return self.end_subscription(
                        id,
                        "cancellation_requested",
                        CancellationDetails::default(),
                    );
                }
                _ => {}
            }
        }
        self.renew(id)
    }

    fn finalize_when_due(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let invoice = self.store.invoices.get(id)?;
        let subscription = invoice.subscription.as_deref().and_then(|id| self.store.subscriptions.find(id));
        let behavior =
            subscription.and_then(|row| row.pause_collection.as_ref()).map(|pause| pause.behavior.clone());
        // The charges of one that is not paid for any more are not tried.
        let unpaid = subscription.is_some_and(|row| row.status == SandboxSubscriptionStatus::Unpaid);
        let automatic = invoice.automatic;
        match behavior.as_deref() {
            Some("void") => return self.void_invoice(id),
            Some("mark_uncollectible") => {
                // The customer's balance pays first, and may pay it all.
                self.finalize_invoice(id)?;
                let open = self.store.invoices.get(id)?.status == InvoiceStatus::Open;
                return if open { self.mark_uncollectible(id) } else { Ok(()) };
            }
            Some(_) => {
                self.store.invoices.get_mut(id)?.finalizes_at = None;
                return Ok(());
            }
            None => {}
        }
        if unpaid {
            self.store.invoices.get_mut(id)?.finalizes_at = None;
            return Ok(());
        }
        self.finalize_invoice(id)?;
        if automatic && self.store.invoices.get(id)?.status == InvoiceStatus::Open {
            self.collect(id, None, Presence::Absent)?;
        }
        Ok(())
    }

    /// A bank debit is decided, and what waited for it goes on.
    pub fn settle_intent(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let attempt = self.settle_debit(id)?;
        let invoice = self.store.payment_intents.get(id)?.invoice.clone();
        let paid = attempt == Attempt::Succeeded;
        match invoice {
            Some(invoice) if paid => self.settle_invoice(&invoice, false)?,
            Some(invoice) => self.fail_debit(&invoice)?,
            None => {}
        }
        self.settle_session(id, paid)
    }
}

fn of_subscription(row: &SandboxSubscription) -> Vec<(i64, DueEvent)> {
    let mut due = Vec::new();
    if let Some(at) = row.pause_collection.as_ref().and_then(|pause| pause.resumes_at) {
        due.push((at, DueEvent::CollectionResumes(row.id.clone())));
    }
    let going = !row.status.has_ended() && row.status != SandboxSubscriptionStatus::Incomplete;
    if let Some(at) = row.ends_at().filter(|_| going) {
        due.push((at, DueEvent::Ends(row.id.clone())));
    }
    if let Some(update) = &row.pending_update {
        due.push((update.expires_at, DueEvent::PendingExpires(row.id.clone())));
    }
    if row.status == SandboxSubscriptionStatus::Canceled && !row.pending.is_empty() {
        due.push((row.period_end(), DueEvent::PendingIsAsked(row.id.clone())));
    }
    if !row.status.renews() {
        return due;
    }
    due.push((row.period_end().saturating_add(RENEWS_AFTER_S), DueEvent::PeriodEnds(row.id.clone())));
    let notice =
        row.trial_end.filter(|_| row.status == SandboxSubscriptionStatus::Trialing && !row.trial_end_told);
    if let Some(end) = notice {
        due.push((end.saturating_sub(TRIAL_NOTICE_S), DueEvent::TrialWillEnd(row.id.clone())));
    }
    due
}

fn of_invoice(row: &Invoice) -> Vec<(i64, DueEvent)> {
    let finalizes = row.finalizes_at.filter(|_| row.status == InvoiceStatus::Draft);
    let retries = row.next_attempt.filter(|_| row.status == InvoiceStatus::Open);
    let finalizes = finalizes.map(|at| (at, DueEvent::Finalizes(row.id.clone())));
    let retries = retries.map(|at| (at, DueEvent::Retries(row.id.clone())));
    finalizes.into_iter().chain(retries).collect()
}
