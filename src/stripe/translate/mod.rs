//! What does an event mean for an account?
//!
//! This is a pure function of the event, the catalog and the deployment. It returns commands, or why there are none.
//! Earlier and later events have no influence, so every order of arrival gives the same commands.
//! Each command has a key that identifies the fact and not the event, so that two events about one fact count once.

mod change;
mod checkout;
mod credit_note;
mod customer;
mod discount;
mod dispute;
mod invoice;
pub mod kinds;
mod line;
mod owner;
mod packs;
mod payment;
mod refund;
mod report;
mod revenue;
mod subscription;
mod top_up;

pub(super) use discount::FOR_LESS;
pub use invoice::payments;
pub(super) use invoice::{SUBSCRIPTION_ITEMS, named_subscription};
pub use owner::OwnerLookup;
pub(super) use packs::ITEMS;

use kinds::Effect;

use super::{
    Deployment,
    documents::{Document, envelope::Envelope, quoted},
};
use crate::domain::{
    amount::{Currency, Money},
    catalog::Catalog,
    command::{Command, CustomerCommand, PurchaseCommand, RecordPackPurchase},
    ids::ProviderId,
    subscription::ReportOrder,
    time::Timestamp,
};

/// What an event does to one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instructions {
    pub owner: OwnerLookup,
    /// The subscription that the event is about, if there is one.
    pub about: Option<SubscriptionRef>,
    /// In this order. Each can be sent again.
    pub steps: Vec<TranslationStep>,
}

/// The subscription, and the report if it is one. It identifies the account more reliably than copied metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRef {
    pub subscription: ProviderId,
    pub at: Timestamp,
    /// The report's place among the reports on it. `None`: the event is not a report.
    pub report: Option<ReportOrder>,
    /// Why the report gives no plan. It only counts if the subscription is known from other reports.
    pub unpriced: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranslationStep {
    /// Identifies the fact, such as `invoice_paid:in_1`; the same for every event that reports it.
    pub key: String,
    pub command: Command,
}

impl TranslationStep {
    fn new(key: String, command: Command) -> Self {
        Self { key, command }
    }

    /// A purchase of packs. All reports of one purchase have the same key.
    fn of_purchase(purchase: RecordPackPurchase) -> Self {
        let key = match &purchase.item {
            Some(item) => format!("pack:{}:{item}", purchase.payment),
            None => format!("pack:{}", purchase.payment),
        };
        Self::new(key, Command::Purchase(PurchaseCommand::RecordPackPurchase(purchase)))
    }
}

/// Why there are no commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetAside {
    /// The event changes nothing in the ledger.
    Ignored(String),
    /// Only a part of it was delivered. Nothing is done before the rest was fetched.
    Incomplete(String),
    /// It cannot be read without guessing. An operator has to look.
    NeedsReview(String),
    /// The same, if it belongs to a known account. Otherwise it changes nothing in the ledger.
    NeedsReviewIfOurs { owner: OwnerLookup, because: String },
    /// It is not for this deployment.
    Quarantined(String),
}

impl SetAside {
    #[must_use]
    pub fn because(&self) -> &str {
        match self {
            Self::Ignored(because)
            | Self::Incomplete(because)
            | Self::NeedsReview(because)
            | Self::NeedsReviewIfOurs { because, .. }
            | Self::Quarantined(because) => because,
        }
    }
}

/// The commands, or why there are none. No document leads to any other failure.
pub type Translation = Result<Instructions, SetAside>;

/// What all parts of the translation need.
#[derive(Clone, Copy)]
struct TranslationContext<'a> {
    event: &'a Envelope,
    object: Document<'a>,
    catalog: &'a Catalog,
}

/// # Errors
/// If the event has no commands; the error says why.
pub fn translate(event: &Envelope, catalog: &Catalog, deployment: &Deployment) -> Translation {
    check_belongs_here(event, deployment)?;
    let object = event.object().ok_or_else(|| {
        let because = "unsupported: a thin event says nothing by itself; subscribe to snapshot events";
        SetAside::Quarantined(because.to_owned())
    })?;
    let report = TranslationContext { event, object, catalog };
    match kinds::find(&event.kind).map(|kind| kind.effect) {
        Some(Effect::Handled { by, .. }) => by(report),
        Some(Effect::Ignored(because)) => Err(ignored(because)),
        None => Err(ignored("no rule is about events of this type")),
    }
}

fn check_belongs_here(event: &Envelope, deployment: &Deployment) -> Result<(), SetAside> {
    if event.livemode != deployment.mode.is_live() {
        let (theirs, ours) = if event.livemode { ("live", "test") } else { ("test", "live") };
        return Err(SetAside::Quarantined(format!("a {theirs} event on a {ours} deployment")));
    }
    match &event.account {
        Some(account) if !deployment.connect_accounts.contains(account) => {
            Err(SetAside::Quarantined(format!("of the connected account {account}, which is not configured")))
        }
        Some(_) | None => Ok(()),
    }
}

impl TranslationContext<'_> {
    /// The id of the object itself.
    fn id(&self) -> Result<ProviderId, SetAside> {
        self.object.id_of().ok_or_else(|| held("the object has no id that can be read"))
    }

    /// An amount of the object, in its currency. Stripe writes it without a sign, in whichever direction it moved.
    fn money(&self, paths: &[&str]) -> Result<Money, SetAside> {
        let amount = self.object.first(paths).and_then(Document::as_integer).filter(|amount| *amount >= 0);
        let minor = amount.ok_or_else(|| held("the object names no whole amount of money"))?;
        Ok(Money { minor, currency: self.currency()? })
    }

    fn currency(&self) -> Result<Currency, SetAside> {
        let code = self.object.text("currency").ok_or_else(|| held("the object has no currency"))?;
        Currency::parse(code).map_err(|_| held(format!("{} is no currency", quoted(code))))
    }

    const fn at(&self) -> Timestamp {
        self.event.created
    }

    /// Commands for the account of the event, after the link that it shows.
    fn instruct(&self, steps: Vec<TranslationStep>) -> Translation {
        let about = owner::subscription(self.object).map(|subscription| SubscriptionRef {
            subscription,
            at: self.object.time("status_transitions.paid_at").unwrap_or_else(|| self.at()),
            report: None,
            unpriced: None,
        });
        self.instruct_about(about, steps)
    }

    fn instruct_about(&self, about: Option<SubscriptionRef>, steps: Vec<TranslationStep>) -> Translation {
        let owner =
            OwnerLookup::of(self.object).ok_or_else(|| held("it names neither an account nor a customer"))?;
        let link = owner.link().map(|customer| {
            let command = Command::Customer(CustomerCommand::LinkCustomer {
                customer: customer.clone(),
                effective_at: self.at(),
            });
            TranslationStep::new(format!("link:{customer}"), command)
        });
        let steps = link.into_iter().chain(steps).collect();
        Ok(Instructions { owner, about, steps })
    }
}

fn held(because: impl Into<String>) -> SetAside {
    SetAside::NeedsReview(because.into())
}

fn ignored(because: impl Into<String>) -> SetAside {
    SetAside::Ignored(because.into())
}
