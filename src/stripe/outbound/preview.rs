//! What would a change cost, and which credits would it give?
//! Stripe computes the money and the rules the credits, without changing anything.

use serde_json::Value;

use super::{Billing, BillingError};
use crate::{
    domain::{
        account::Account,
        amount::{Credits, Currency, Money},
        command::{Command, PurchaseCommand, RecordSubscription, SubscriptionChange, SubscriptionCommand},
        decide::Context,
        ids::{AccountId, ProviderId},
        preview::{CreditPreview, foresee_later, preview},
        refusal::Refusal,
        subscription::{ReportOrder, SubscriptionState},
        subscription_change::{self, AllowedChange, ChangeRequest, PlanSelection, ProrationBilling},
        time::{Period, Timestamp},
    },
    stripe::{
        Deployment, StripeMode,
        client::{CallError, PreviewInvoice},
        documents::{
            Document,
            envelope::{Content, Envelope},
        },
        translate::{SetAside, translate},
    },
};

/// Stripe's code if there is no next invoice.
const NONE_UPCOMING: &str = "invoice_upcoming_none";
/// The id of an object that does not exist.
const IMAGINED: &str = "imagined";
/// The rank of a report that comes after all known ones of its second.
const RANK: u8 = 1;

/// A possible change.
#[derive(Clone, Debug)]
pub struct ChangePreview {
    pub subscription: ProviderId,
    pub change: AllowedChange,
    pub invoice: InvoicePreview,
    /// For each month, before and after.
    pub monthly: (Credits, Credits),
    /// `None`: unknown, since the invoice has more lines than Stripe shows, or cannot be read.
    pub credits: Option<CreditPreview>,
    /// What the next invoice does to credits, if it settles the change. `None`: nothing waits for it, or it is unknown.
    pub with_next_invoice: Option<CreditPreview>,
}

/// An invoice that does not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoicePreview {
    pub total: Money,
    /// How much remains to be paid after the customer's balance is used.
    pub amount_due: Money,
    pub due_at: Timestamp,
    pub lines: Vec<LinePreview>,
    /// Whether these are all of its lines.
    pub is_whole: bool,
    /// Whether it is only the catalog's price, without discounts, taxes and the balance.
    pub is_estimate: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinePreview {
    pub description: String,
    /// Negative for what is given back.
    pub amount: Money,
    pub period: Period,
    pub is_proration: bool,
}

impl Billing {
    /// What a change would cost now, and what it would do to credits.
    ///
    /// # Errors
    /// If the rules or Stripe refuse it, or Stripe does not answer.
    pub async fn preview_change(
        &self,
        account: &AccountId,
        subscription: Option<&ProviderId>,
        wish: &ChangeRequest,
    ) -> Result<ChangePreview, BillingError> {
        self.client()?;
        let (view, at) = (self.0.ledger.view(account).await?, self.now());
        view.account.require_open()?;
        let terms = subscription_change::find(&view.account, subscription, at)?;
        let (change, asked, _) = self.work_out_change(account, &view.account, terms, wish).await?;
        if let Some(due_at) = change.at.filter(|_| change.from.interval != change.to.interval) {
            return self.preview_later(&view.account, terms, change, due_at);
        }
        let subscription = terms.subscription.to_string();
        let asked = PreviewInvoice { subscription, schedule: None, change: Some(asked) };
        let document = document(&self.client()?.read(&asked).await?)?;
        let at_once = change.is_paid_at_once();
        let mut invoice = invoice(&document, terms).ok_or_else(unreadable)?;
        if at_once {
            invoice.due_at = at;
        }
        let catalog = self.0.ledger.catalog();
        let monthly = |order| subscription_change::monthly(catalog, order);
        let monthly = (monthly(&change.from)?, monthly(&change.to)?);
        let report = match change.at {
            Some(_) => None,
            None => Some(self.reporting(terms, &change, at)?),
        };
        let paid =
            self.paying(&document, if at_once { at } else { invoice.due_at }).filter(|_| invoice.is_whole);
        let context = Context { at, catalog };
        let now = |paid: Option<Command>| -> Result<CreditPreview, Refusal> {
            let commands: Vec<Command> = report.iter().cloned().chain(paid).collect();
            preview(&view.account, &commands, context)
        };
        let (credits, with_next_invoice) = match (change.settlement, paid) {
            (_, None) if at_once => (None, None),
            (_, paid) if at_once => (Some(now(paid.flatten())?), None),
            (ProrationBilling::NextInvoice, Some(Some(paid))) => {
                let commands: Vec<Command> = report.iter().cloned().collect();
                let later = foresee_later(&view.account, &commands, context, paid, invoice.due_at)?;
                (Some(now(None)?), Some(later))
            }
            _ => (Some(now(None)?), None),
        };
        let subscription = terms.subscription.clone();
        Ok(ChangePreview { subscription, change, invoice, monthly, credits, with_next_invoice })
    }

    /// The preview of a change of the interval that waits.
    /// It changes nothing now, and its first period costs the catalog's price.
    fn preview_later(
        &self,
        account: &Account,
        terms: &SubscriptionState,
        change: AllowedChange,
        due_at: Timestamp,
    ) -> Result<ChangePreview, BillingError> {
        let (catalog, at) = (self.0.ledger.catalog(), self.now());
        let amount = subscription_change::cost(catalog, &change.to)?;
        let period = Period { start: due_at, end: due_at.plus_months(change.to.interval.months()) };
        let name = catalog.plan(&change.to.plan).map_or_else(String::new, |plan| plan.name.clone());
        let description = format!("{} × {name}", change.to.quantity);
        let line = LinePreview { description, amount: amount.clone(), period, is_proration: false };
        let invoice = InvoicePreview {
            total: amount.clone(),
            amount_due: amount,
            due_at,
            lines: vec![line],
            is_whole: true,
            is_estimate: true,
        };
        let monthly = (
            subscription_change::monthly(catalog, &change.from)?,
            subscription_change::monthly(catalog, &change.to)?,
        );
        let credits = Some(preview(account, &[], Context { at, catalog })?);
        let subscription = terms.subscription.clone();
        Ok(ChangePreview { subscription, change, invoice, monthly, credits, with_next_invoice: None })
    }

    /// The next invoice, if there will be one.
    ///
    /// # Errors
    /// If there is no subscription, or Stripe refuses or does not answer.
    pub async fn upcoming_invoice(
        &self,
        account: &AccountId,
        subscription: Option<&ProviderId>,
    ) -> Result<(ProviderId, Option<InvoicePreview>), BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let terms = subscription_change::find(&view.account, subscription, self.now())?;
        if terms.collection_paused {
            // Stripe previews an invoice all the same, although it would be void.
            return Ok((terms.subscription.clone(), None));
        }
        let row = self.find_subscription(terms).await?;
        let asked = PreviewInvoice { subscription: row.id, schedule: row.schedule, change: None };
        let invoice = match self.client()?.read(&asked).await {
            Ok(found) => Some(invoice(&document(&found)?, terms).ok_or_else(unreadable)?),
            Err(CallError::Rejected(why)) if why.code.as_deref() == Some(NONE_UPCOMING) => None,
            Err(error) => return Err(error.into()),
        };
        Ok((terms.subscription.clone(), invoice))
    }

    /// The command that would follow if the invoice was paid, translated like the webhook that will say so.
    /// `None`: the event would need review.
    fn paying(&self, invoice: &Value, at: Timestamp) -> Option<Option<Command>> {
        let mut object = invoice.clone();
        let members = object.as_object_mut()?;
        for (name, value) in [("id", IMAGINED), ("status", "paid")] {
            members.insert(name.to_owned(), value.into());
        }
        members.insert("amount_paid".to_owned(), invoice.get("amount_due")?.clone());
        let event = Envelope {
            id: ProviderId::parse(IMAGINED).ok()?,
            kind: "invoice.paid".to_owned(),
            created: at,
            livemode: false,
            api_version: None,
            account: None,
            stripe_key: None,
            content: Content::Snapshot { object, previous: None },
        };
        match translate(&event, self.0.ledger.catalog(), &Deployment::new(StripeMode::Test)) {
            Ok(told) => {
                let mut commands = told.steps.into_iter().map(|step| step.command);
                Some(commands.find(|command| {
                    matches!(command, Command::Purchase(PurchaseCommand::RecordPaidInvoice(_)))
                }))
            }
            Err(SetAside::Ignored(_)) => Some(None),
            Err(
                SetAside::Incomplete(_)
                | SetAside::NeedsReview(_)
                | SetAside::NeedsReviewIfOurs { .. }
                | SetAside::Quarantined(_),
            ) => None,
        }
    }

    /// The command that would report the change.
    fn reporting(
        &self,
        terms: &SubscriptionState,
        change: &AllowedChange,
        at: Timestamp,
    ) -> Result<Command, Refusal> {
        let catalog = self.0.ledger.catalog();
        let one = PlanSelection { quantity: 1, ..change.to.clone() };
        // With the id of a known report, it would be ignored.
        let id = ProviderId::parse(IMAGINED).unwrap_or_else(|_| terms.evidence.id.clone());
        let changed = SubscriptionState {
            plan: change.to.plan.clone(),
            quantity: change.to.quantity,
            unit: Some(subscription_change::monthly(catalog, &one)?),
            evidence: ReportOrder { reported_at: at, rank: RANK, id, step: None },
            ..terms.clone()
        };
        Ok(Command::Subscription(SubscriptionCommand::RecordSubscription(RecordSubscription {
            change: SubscriptionChange::PlanChanged { from: Some(change.from.plan.clone()) },
            terms: changed,
            effective_at: at,
        })))
    }
}

/// The same document as a `serde_json` value.
fn document(answer: &miniserde::json::Value) -> Result<Value, BillingError> {
    serde_json::from_str(&miniserde::json::to_string(answer)).map_err(BillingError::Unreadable)
}

fn unreadable() -> BillingError {
    tracing::error!("Stripe's preview of an invoice cannot be read");
    BillingError::Unavailable
}

fn invoice(value: &Value, terms: &SubscriptionState) -> Option<InvoicePreview> {
    let invoice = Document::new(value);
    let currency = Currency::parse(invoice.text("currency")?).ok()?;
    let money = |minor: i64| Money { minor, currency: currency.clone() };
    let due_at = ["next_payment_attempt", "due_date"].into_iter().find_map(|name| invoice.time(name));
    let lines = invoice.members("lines").map(|line| {
        let period = Period { start: line.time("period.start")?, end: line.time("period.end")? };
        let parents = ["parent.subscription_item_details", "parent.invoice_item_details"];
        Some(LinePreview {
            description: line.text("description").unwrap_or_default().to_owned(),
            amount: money(line.integer("amount")?),
            period,
            is_proration: line.first(&parents).is_some_and(|parent| parent.is_true("proration")),
        })
    });
    Some(InvoicePreview {
        total: money(invoice.integer("total")?),
        amount_due: money(invoice.integer("amount_due")?),
        due_at: due_at.unwrap_or(terms.period.end),
        lines: lines.collect::<Option<_>>()?,
        is_whole: !invoice.is_cut_off("lines"),
        is_estimate: false,
    })
}
