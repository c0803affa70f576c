//! How does a checkout begin? The rules say whether and at which price, Stripe makes the page, the ledger takes note.

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
/// What Stripe puts the session's id in the place of.
const SESSION: &str = "{CHECKOUT_SESSION_ID}";

/// A request for a page to buy something on.
#[derive(Clone, Debug)]
pub struct Checkout {
    pub account: AccountId,
    pub key: String,
    pub wish: PurchaseRequest,
    /// Where the person comes back to.
    pub success_url: String,
    pub cancel_url: String,
    /// Passed on to Stripe, and kept nowhere.
    pub email: Option<String>,
    /// What the caller attaches to what is bought.
    pub metadata: Metadata,
    pub provenance: Provenance,
}

/// A page that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSession {
    pub session: String,
    pub url: String,
    pub expires_at: Timestamp,
}

/// What a repetition is compared by: everything but the address, of which not even a hash is kept.
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
    /// Opens a page for it, once for each key.
    ///
    /// # Errors
    /// When the rules or Stripe refuse it, or Stripe does not answer.
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

    /// How many of a pack one payment may be for.
    fn packs_max(&self, pack: &SoldPack) -> Option<u32> {
        let most = self.0.ledger.catalog().payments.minor_max.checked_div(pack.price.minor)?;
        u32::try_from(most).ok()
    }

    /// A pack, or a free amount of credits, for which a price is made.
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

    /// Nobody is to pay for two plans: the pages on which that could be done are closed first. One that was paid on
    /// meanwhile, of which the webhook has not told yet, stands in the way of another.
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

    /// Whether the operation was begun less often in the last minute.
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

/// What is paid for there, from what is written down, which is what Stripe was asked.
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
        // A session that has no page any more was made by an earlier try, and has ended since.
        (None, _) | (_, None) => Err(BillingError::OutcomeUnknown),
    }
}

/// The address with the place for the session's id, where it has none. What follows a `#` stays at the end.
fn with_session(url: &str) -> String {
    if url.contains(SESSION) {
        return url.to_owned();
    }
    let (address, fragment) = url.split_once('#').map_or((url, None), |(one, other)| (one, Some(other)));
    let sign = if address.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{address}{sign}checkout_session_id={SESSION}{fragment}")
}
