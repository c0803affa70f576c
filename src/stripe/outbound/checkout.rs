//! How does a checkout begin?
//! The rules say whether and at which price, Stripe makes the page, and the ledger records it.

use chrono::TimeDelta;
use serde::Serialize;

use super::{
    Billing, BillingError, RepeatableAnswer,
    runner::{CallOrder, DoneCall, RecordedCall},
    sale::Sale,
};
use crate::{
    domain::{
        account::Account,
        amount::Credits,
        command::{CheckoutStep, Command, PurchaseCommand, RecordCheckout},
        event::PaymentPurpose,
        ids::{AccountId, PackId, PlanId, ProviderId},
        metadata::Metadata,
        purchase::{self, PurchaseRequest, PurchaseTerms},
        recorded::JournalPosition,
        refusal::Refusal,
        sold_pack::SoldPack,
        time::Timestamp,
        top_up::PACK,
        unsold::Unsold,
    },
    ledger::{IdempotencyKey, Provenance, Request},
    stripe::{
        calls::{CallId, Operation},
        client::{CheckoutPurchase, ExpireCheckout, FindCheckout, OpenCheckout, OpenedCheckout},
    },
};

/// How many checkouts an account may begin in a minute.
pub const CHECKOUTS_PER_MINUTE: i64 = 5;
const WINDOW_S: i64 = 60;
/// The placeholder that Stripe replaces with the session's id.
const SESSION: &str = "{CHECKOUT_SESSION_ID}";

/// A request for a checkout page.
#[derive(Clone, Debug)]
pub struct Checkout {
    pub account: AccountId,
    pub key: String,
    pub wish: PurchaseRequest,
    /// Where the person returns to.
    pub success_url: String,
    pub cancel_url: String,
    /// Sent to Stripe, and not stored here.
    pub email: Option<String>,
    /// What the caller attaches to the purchase.
    pub metadata: Metadata,
    pub provenance: Provenance,
}

/// An open page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSession {
    pub session: String,
    pub url: String,
    pub expires_at: Timestamp,
}

/// What repetitions are compared by: everything except the e-mail address, of which not even a hash is stored.
#[derive(Serialize)]
struct CheckoutFingerprint<'a> {
    wish: (&'a str, &'a str, u32, bool),
    urls: (&'a str, &'a str),
    #[serde(skip_serializing_if = "Option::is_none")]
    credits: Option<Credits>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: &'a Metadata,
}

impl Billing {
    /// Opens a checkout page, once for each key.
    ///
    /// # Errors
    /// If the rules or Stripe refuse it, or Stripe does not answer.
    pub async fn open_checkout(
        &self,
        checkout: Checkout,
    ) -> Result<RepeatableAnswer<OpenedSession>, BillingError> {
        let order =
            CallOrder::new(&checkout.account, Operation::OpenCheckout, &checkout.key, &asked(&checkout))
                .from(checkout.provenance.clone());
        let RepeatableAnswer { answer, replayed } = self.sell(&order, &checkout).await?.repeatable();
        Ok(RepeatableAnswer { answer: opened(&answer)?, replayed })
    }

    async fn work_out_checkout(
        &self,
        id: &CallId,
        checkout: &Checkout,
    ) -> Result<OpenCheckout, BillingError> {
        let view = self.0.ledger.view(&checkout.account).await?;
        let sale = purchase::price_purchase(
            &view.account,
            self.0.ledger.catalog(),
            self.state_of(&checkout.account),
            &checkout.wish,
            self.now(),
        )?;
        let Account::Open(open) = &view.account else { return Err(Refusal::AccountNotFound.into()) };
        self.check_unheard(id, open, &checkout.wish).await?;
        self.check_rate(id).await?;
        let supersedes = purchase::superseded(open, self.0.ledger.catalog(), &checkout.wish, self.now());
        let customer = self.customer(&checkout.account, open, checkout.email.as_deref()).await?;
        let quantity_max = sale.pack.as_ref().and_then(|pack| self.packs_max(pack));
        let sold = match sale.purpose {
            PaymentPurpose::Pack { pack, .. } => self.sold_once(&pack, &sale.price_id, sale.pack)?,
            PaymentPurpose::Subscription { plan, .. } => {
                let plan = plan.map(|plan| plan.to_string()).unwrap_or_default();
                CheckoutPurchase::Plan { plan, trial_days: sale.trial_days }
            }
            PaymentPurpose::Other => return Err(Refusal::NotForSale(Unsold::NoPrice).into()),
        };
        let PurchaseTerms { price_id: price, quantity, .. } = sale;
        Ok(OpenCheckout {
            account: checkout.account.to_string(),
            customer,
            price,
            quantity,
            quantity_max,
            sold,
            metadata: checkout.metadata.clone(),
            success_url: with_session(&checkout.success_url),
            cancel_url: checkout.cancel_url.clone(),
            supersedes: supersedes.iter().map(ToString::to_string).collect(),
        })
    }

    /// The most packs in one payment.
    fn packs_max(&self, pack: &SoldPack) -> Option<u32> {
        let most = self.0.ledger.catalog().payments.minor_max.checked_div(pack.price.minor)?;
        u32::try_from(most).ok()
    }

    /// The price of a pack or of a chosen number of credits, which is made for this sale.
    fn sold_once(
        &self,
        pack: &PackId,
        price: &Option<String>,
        terms: Option<SoldPack>,
    ) -> Result<CheckoutPurchase, BillingError> {
        if price.is_some() {
            return Ok(CheckoutPurchase::Pack { pack: pack.to_string(), terms });
        }
        let top_up = self.0.ledger.catalog().top_up.as_ref().zip(terms);
        let (top_up, terms) = top_up.ok_or(Refusal::NotForSale(Unsold::NoTopUp))?;
        Ok(CheckoutPurchase::Credits { terms, name: top_up.name.clone(), product: top_up.product_id.clone() })
    }

    /// Closes the pages on which another plan could be paid for.
    /// If one of them was paid on in the meantime and its webhook has not arrived, the sale is refused.
    pub(super) async fn close_superseded(
        &self,
        id: &CallId,
        supersedes: &[String],
    ) -> Result<(), BillingError> {
        for session in supersedes {
            let expire = ExpireCheckout { session: session.clone() };
            let order = CallOrder::new(&id.account, Operation::ExpireCheckout, session, &expire);
            match self.run(&order, async { Ok(expire) }).await {
                Ok(_) => {}
                Err(BillingError::Rejected(_)) => self.check_unpaid(id, session).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn check_unpaid(&self, id: &CallId, session: &str) -> Result<(), BillingError> {
        let seen = self.client()?.read(&FindCheckout { session: session.to_owned() }).await?;
        let Some(plan) = seen.bought().and_then(|plan| PlanId::parse(plan).ok()) else { return Ok(()) };
        self.0.calls.withdraw(id).await.map_err(BillingError::Storage)?;
        Err(Refusal::SubscriptionActive { plan }.into())
    }

    pub(super) async fn check_rate(&self, id: &CallId) -> Result<(), BillingError> {
        self.check_often(id, CHECKOUTS_PER_MINUTE).await
    }

    /// Checks that the operation was begun less than `most` times in the last minute.
    pub(super) async fn check_often(&self, id: &CallId, most: i64) -> Result<(), BillingError> {
        let now = self.now();
        let since = now.minus(TimeDelta::seconds(WINDOW_S));
        let Some(first) = self.0.calls.nth_begun(id, most, since).await? else {
            return Ok(());
        };
        let free_at = first.timestamp().saturating_add(WINDOW_S);
        let wait_s = u64::try_from(free_at.saturating_sub(now.seconds())).unwrap_or(0).max(1);
        Err(BillingError::TooMany { wait_s })
    }
}

impl Sale for Checkout {
    type Call = OpenCheckout;

    async fn work_out(&self, billing: &Billing, id: &CallId) -> Result<OpenCheckout, BillingError> {
        billing.work_out_checkout(id, self).await
    }

    async fn check_again(&self, billing: &Billing, id: &CallId) -> Result<(), BillingError> {
        let view = billing.0.ledger.view(&self.account).await?;
        let (catalog, now) = (billing.0.ledger.catalog(), billing.now());
        purchase::price_purchase(&view.account, catalog, billing.state_of(&self.account), &self.wish, now)?;
        billing.check_unheard(id, view.account.require_open()?, &self.wish).await
    }

    fn supersedes(call: &OpenCheckout) -> &[String] {
        &call.supersedes
    }
}

impl RecordedCall for OpenCheckout {
    type Stored = OpenedCheckout;

    fn store(answer: &OpenedCheckout) -> OpenedCheckout {
        answer.clone()
    }

    async fn note(
        billing: &Billing,
        done: DoneCall<'_, Self>,
    ) -> Result<Option<JournalPosition>, BillingError> {
        if done.replayed {
            return Ok(None);
        }
        if done.order.is_awaited() {
            opened(done.stored)?;
        }
        let OpenedCheckout { id, created, .. } = done.stored;
        let session = ProviderId::parse(id).map_err(|_| BillingError::OutcomeUnknown)?;
        let key = IdempotencyKey::stripe(&format!("checkout:{session}:started"));
        let command = Command::Purchase(PurchaseCommand::RecordCheckout(RecordCheckout {
            session,
            step: CheckoutStep::Started,
            purpose: purpose(&done.call.request)?,
            customer: ProviderId::parse(&done.call.request.customer).ok(),
            sold: done.call.request.sold.terms().cloned(),
            metadata: done.call.request.metadata.clone(),
            invoice: None,
            effective_at: Timestamp::from_seconds(*created).unwrap_or_else(|| billing.now()),
        }));
        let (account, provenance) = (done.order.id.account.clone(), done.provenance()?);
        let noted = billing.0.ledger.execute(Request::new(account, command, key, provenance)).await?;
        Ok(Some(noted.position))
    }
}

fn asked(checkout: &Checkout) -> CheckoutFingerprint<'_> {
    let wish = match &checkout.wish {
        PurchaseRequest::Plan { plan, interval, quantity, trial } => {
            (plan.as_str(), interval.as_str(), *quantity, *trial)
        }
        PurchaseRequest::Pack { pack, quantity } => (pack.as_str(), "", *quantity, false),
        PurchaseRequest::Credits(_) => (PACK, "", 1, false),
    };
    let credits = if let PurchaseRequest::Credits(credits) = &checkout.wish { Some(*credits) } else { None };
    CheckoutFingerprint {
        wish,
        urls: (&checkout.success_url, &checkout.cancel_url),
        credits,
        metadata: &checkout.metadata,
    }
}

/// What is paid for on the page, derived from what was sent to Stripe.
fn purpose(call: &OpenCheckout) -> Result<PaymentPurpose, BillingError> {
    let purpose = match &call.sold {
        CheckoutPurchase::Plan { plan, .. } => PlanId::parse(plan)
            .map(|plan| PaymentPurpose::Subscription { subscription: None, plan: Some(plan) }),
        CheckoutPurchase::Pack { pack, .. } => {
            PackId::parse(pack).map(|pack| PaymentPurpose::Pack { pack, quantity: call.quantity })
        }
        CheckoutPurchase::Credits { terms, .. } => {
            Ok(PaymentPurpose::Pack { pack: terms.pack.clone(), quantity: 1 })
        }
    };
    purpose.map_err(|_| BillingError::Refused(Refusal::NotForSale(Unsold::NoPrice)))
}

fn opened(answer: &OpenedCheckout) -> Result<OpenedSession, BillingError> {
    let expires_at = Timestamp::from_seconds(answer.expires_at);
    match (&answer.url, expires_at) {
        (Some(url), Some(expires_at)) => {
            Ok(OpenedSession { session: answer.id.clone(), url: url.clone(), expires_at })
        }
        // A session without a page was made by an earlier attempt, and has ended since.
        (None, _) | (_, None) => Err(BillingError::OutcomeUnknown),
    }
}

/// The URL with the placeholder of the session's id, if it has none. A fragment stays at the end.
fn with_session(url: &str) -> String {
    if url.contains(SESSION) {
        return url.to_owned();
    }
    let (address, fragment) = url.split_once('#').map_or((url, None), |(one, other)| (one, Some(other)));
    let sign = if address.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{address}{sign}checkout_session_id={SESSION}{fragment}")
}
