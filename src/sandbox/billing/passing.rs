//! What does time bring? One thing after the other, each at its time, however far the clock is moved at once.

use crate::sandbox::{
    failure::Failure,
    objects::{
        checkout::Status as SessionStatus,
        invoice::{Invoice, Status as InvoiceStatus},
        schedule::Schedule,
        subscription::{Status, Subscription},
    },
    state::State,
    table::Stored,
};

use super::{
    calendar::{DAY_S, HOUR_S},
    ending::Words,
    payments::{Attempt, Presence},
};

/// How long before its end a trial is told about.
const TRIAL_NOTICE_S: i64 = 3 * DAY_S;
/// How long a first payment may take.
const INCOMPLETE_S: i64 = 23 * HOUR_S;
/// More than any advance of a believable sandbox brings. A limit, so that an advance always ends.
const HAPPENINGS_MAX: usize = 200_000;

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happening {
    TrialWillEnd(String),
    CollectionResumes(String),
    Ends(String),
    PeriodEnds(String),
    PhaseEnds(String),
    PendingExpires(String),
    /// What waited for the next invoice of a subscription that has ended.
    PendingIsAsked(String),
    IncompleteExpires(String),
    Finalizes(String),
    Retries(String),
    SessionExpires(String),
    DebitSettles(String),
    RefundFails(String),
}

impl State {
    /// Lets time pass up to `until`.
    pub fn pass(&mut self, until: i64) {
        for _ in 0..HAPPENINGS_MAX {
            let Some((at, happening)) = self.next_due().filter(|(at, _)| *at <= until) else { break };
            self.now = self.now.max(at);
            if let Err(failure) = self.happen(&happening) {
                tracing::error!(
                    ?happening,
                    message = failure.message(),
                    "this could not happen in the sandbox"
                );
                // It would stay due, and nothing after it would ever happen.
                self.stuck.push(happening);
            }
        }
        self.now = self.now.max(until);
    }

    fn next_due(&self) -> Option<(i64, Happening)> {
        let subscriptions = self.subscriptions.iter().flat_map(of_subscription);
        let invoices = self.invoices.iter().flat_map(of_invoice);
        let incomplete = self.subscriptions.iter().filter(|row| self.waits_in_vain(row)).map(|row| {
            let at = row.created.saturating_add(INCOMPLETE_S);
            (at, Happening::IncompleteExpires(row.id.clone()))
        });
        let phases = self.schedules.iter().filter_map(|row| self.phase_end(row));
        let open = self.sessions.iter().filter(|session| session.status == SessionStatus::Open);
        let sessions =
            open.map(|session| (session.expires_at, Happening::SessionExpires(session.id.clone())));
        let debits = self
            .payment_intents
            .iter()
            .filter_map(|intent| Some((intent.settles_at?, Happening::DebitSettles(intent.id.clone()))));
        let refunds = self
            .refunds
            .iter()
            .filter_map(|refund| Some((refund.fails_at?, Happening::RefundFails(refund.id.clone()))));
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
    fn waits_in_vain(&self, row: &Subscription) -> bool {
        let invoice = row.latest_invoice.as_deref().and_then(|id| self.invoices.find(id));
        let intent = invoice.and_then(|invoice| invoice.payment_intent.as_deref());
        let processing = intent
            .and_then(|id| self.payment_intents.find(id))
            .is_some_and(|intent| intent.settles_at.is_some());
        row.status == Status::Incomplete && !processing
    }

    /// The end of a phase is the end of a period, most of the time, and happens with it.
    fn phase_end(&self, row: &Schedule) -> Option<(i64, Happening)> {
        let at = row.due()?;
        let subscription = row.subscription.as_deref().and_then(|id| self.subscriptions.find(id))?;
        let with_period = subscription.status.renews() && subscription.period_end() <= at;
        (!with_period).then(|| (at, Happening::PhaseEnds(row.id.clone())))
    }

    fn happen(&mut self, happening: &Happening) -> Result<(), Failure> {
        match happening {
            Happening::TrialWillEnd(id) => {
                self.subscriptions.get_mut(id)?.trial_end_told = true;
                let object = self.subscriptions.get(id)?.render(self);
                self.emit("customer.subscription.trial_will_end", object);
                Ok(())
            }
            Happening::CollectionResumes(id) => {
                self.change_subscription(id, |row| row.pause_collection = None)
            }
            Happening::Ends(id) => self.end_subscription(id, "cancellation_requested", Words::default()),
            Happening::PeriodEnds(id) => self.end_period(id),
            Happening::PhaseEnds(id) => self.end_phase(id),
            Happening::PendingExpires(id) => self.expire_pending(id),
            Happening::PendingIsAsked(id) => self.invoice_pending(id),
            Happening::IncompleteExpires(id) => self.expire_incomplete(id),
            Happening::Finalizes(id) => self.finalize_when_due(id),
            Happening::Retries(id) => self.collect(id, None, Presence::Absent).map(drop),
            Happening::SessionExpires(id) => self.expire_session(id),
            Happening::DebitSettles(id) => self.settle_intent(id),
            Happening::RefundFails(id) => self.fail_refund(id),
        }
    }

    /// A trial that ends without anything to pay with is ended, paused, or billed all the same.
    fn end_period(&mut self, id: &str) -> Result<(), Failure> {
        let row = self.subscriptions.get(id)?;
        let of_customer = self.customers.get(&row.customer)?.default_payment_method.is_some();
        let payable = row.default_payment_method.is_some() || of_customer || !row.is_automatic();
        if row.status == Status::Trialing && !payable {
            match row.trial_without_method.as_str() {
                "pause" => return self.pause_subscription(id, "trial_end_without_payment_method"),
                "cancel" => return self.end_subscription(id, "cancellation_requested", Words::default()),
                _ => {}
            }
        }
        self.renew(id)
    }

    fn finalize_when_due(&mut self, id: &str) -> Result<(), Failure> {
        let invoice = self.invoices.get(id)?;
        let subscription = invoice.subscription.as_deref().and_then(|id| self.subscriptions.find(id));
        let behavior =
            subscription.and_then(|row| row.pause_collection.as_ref()).map(|pause| pause.behavior.clone());
        // The charges of one that is not paid for any more are not tried.
        let unpaid = subscription.is_some_and(|row| row.status == Status::Unpaid);
        let automatic = invoice.automatic;
        match behavior.as_deref() {
            Some("void") => return self.void_invoice(id),
            Some("mark_uncollectible") => {
                // The customer's balance pays first, and may pay it all.
                self.finalize_invoice(id)?;
                let open = self.invoices.get(id)?.status == InvoiceStatus::Open;
                return if open { self.mark_uncollectible(id) } else { Ok(()) };
            }
            Some(_) => {
                self.invoices.get_mut(id)?.finalizes_at = None;
                return Ok(());
            }
            None => {}
        }
        if unpaid {
            self.invoices.get_mut(id)?.finalizes_at = None;
            return Ok(());
        }
        self.finalize_invoice(id)?;
        if automatic && self.invoices.get(id)?.status == InvoiceStatus::Open {
            self.collect(id, None, Presence::Absent)?;
        }
        Ok(())
    }

    /// A bank debit is decided, and what waited for it goes on.
    pub fn settle_intent(&mut self, id: &str) -> Result<(), Failure> {
        let attempt = self.settle_debit(id)?;
        let invoice = self.payment_intents.get(id)?.invoice.clone();
        let paid = attempt == Attempt::Succeeded;
        match invoice {
            Some(invoice) if paid => self.settle_invoice(&invoice, false)?,
            Some(invoice) => self.fail_debit(&invoice)?,
            None => {}
        }
        self.settle_session(id, paid)
    }
}

fn of_subscription(row: &Subscription) -> Vec<(i64, Happening)> {
    let mut due = Vec::new();
    if let Some(at) = row.pause_collection.as_ref().and_then(|pause| pause.resumes_at) {
        due.push((at, Happening::CollectionResumes(row.id.clone())));
    }
    let going = !row.status.has_ended() && row.status != Status::Incomplete;
    if let Some(at) = row.ends_at().filter(|_| going) {
        due.push((at, Happening::Ends(row.id.clone())));
    }
    if let Some(update) = &row.pending_update {
        due.push((update.expires_at, Happening::PendingExpires(row.id.clone())));
    }
    if row.status == Status::Canceled && !row.pending.is_empty() {
        due.push((row.period_end(), Happening::PendingIsAsked(row.id.clone())));
    }
    if !row.status.renews() {
        return due;
    }
    due.push((row.period_end(), Happening::PeriodEnds(row.id.clone())));
    let notice = row.trial_end.filter(|_| row.status == Status::Trialing && !row.trial_end_told);
    if let Some(end) = notice {
        due.push((end.saturating_sub(TRIAL_NOTICE_S), Happening::TrialWillEnd(row.id.clone())));
    }
    due
}

fn of_invoice(row: &Invoice) -> Vec<(i64, Happening)> {
    let finalizes = row.finalizes_at.filter(|_| row.status == InvoiceStatus::Draft);
    let retries = row.next_attempt.filter(|_| row.status == InvoiceStatus::Open);
    let finalizes = finalizes.map(|at| (at, Happening::Finalizes(row.id.clone())));
    let retries = retries.map(|at| (at, Happening::Retries(row.id.clone())));
    finalizes.into_iter().chain(retries).collect()
}
