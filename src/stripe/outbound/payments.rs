//! How does an account pay without a checkout page?
//! A payment is made, confirmed, captured, cancelled or refunded, each once for each key.
//! Credits are granted when Stripe reports the money, as for every purchase.

use std::fmt;

use serde::Serialize;

use super::{
    Billing, BillingError, PageRequest, RepeatableAnswer, ResourceKind,
    across_customers::{customers, page_of_all},
    payment_methods::{done_all_the_same, missing},
    runner::{CallOrder, RecordedCall, Reply},
};
use crate::{
    domain::{
        account::{Account, OpenAccount},
        catalog::Catalog,
        charges::{self, Payable, Payment, PaymentStatus},
        ids::{AccountId, PackId, ProviderId},
        metadata::Metadata,
        refusal::Refusal,
        sold_pack::SoldPack,
        top_up::PACK,
    },
    ledger::Provenance,
    stripe::{
        calls::{CallId, Operation},
        client::{
            CancelPayment, CapturePayment, ConfirmPayment, FindCustomer, FindPayment, ListPayments,
            MakePayment, MakeRefund, PaidFor, Reason, Rejection, StoredPayment, StripePayment, StripeRefund,
            declines::Remedy,
        },
    },
};

/// Stripe's code for a payment that cannot be refunded because it is disputed.
const CHARGE_DISPUTED: &str = "charge_disputed";

/// A payment to make.
#[derive(Clone, Debug)]
pub struct PaymentOrder {
    pub account: AccountId,
    pub key: String,
    pub payable: Payable,
    /// The caller's own name for it.
    pub reference: Option<ProviderId>,
    /// What the caller attaches to it.
    pub metadata: Metadata,
    pub provenance: Provenance,
}

/// A payment of an account, and the key of what is done with it.
#[derive(Clone, Debug)]
pub struct PaymentOf {
    pub account: AccountId,
    pub key: String,
    pub payment: ProviderId,
}

/// How a payment is made, and whether the person is present.
#[derive(Clone, Debug)]
pub struct Confirmation {
    /// `None`: the customer's default payment method.
    pub method: Option<ProviderId>,
    /// Where the person returns to from a page of the bank. `None`: the person is absent.
    pub return_url: Option<String>,
}

pub struct PaymentPage {
    pub payments: Vec<StripePayment>,
    pub has_more: bool,
}

/// A decline after which the person can still authenticate in the browser.
#[derive(Clone, PartialEq, Eq)]
pub struct Unauthenticated {
    pub rejection: Rejection,
    /// With this the browser authenticates. It is not logged or stored.
    pub client_secret: Option<String>,
}

impl fmt::Debug for Unauthenticated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Unauthenticated").field("rejection", &self.rejection).finish_non_exhaustive()
    }
}

impl PaymentOf {
    fn order(&self, operation: Operation, asked: &impl Serialize) -> CallOrder {
        CallOrder::new(&self.account, operation, &self.key, asked)
    }
}

impl Billing {
    /// Makes a payment, which takes no money before it is confirmed. If the account has no customer, one is made.
    ///
    /// # Errors
    /// If the rules or Stripe refuse it, or Stripe does not answer.
    pub async fn make_payment(
        &self,
        order: PaymentOrder,
    ) -> Result<RepeatableAnswer<StripePayment>, BillingError> {
        let PaymentOrder { account, key, payable, reference, metadata, provenance } = order;
        let what = match &payable {
            Payable::Pack { pack, quantity } => (pack.as_str(), i64::from(*quantity)),
            Payable::Credits(credits) => (PACK, credits.get()),
            Payable::Amount(minor) => ("", *minor),
        };
        let asked = (what, reference.as_ref().map(ProviderId::as_str));
        let operation = Operation::CreatePayment;
        let order = if metadata.is_empty() {
            CallOrder::new(&account, operation, &key, &asked)
        } else {
            CallOrder::new(&account, operation, &key, &(asked, &metadata))
        };
        let request = async {
            let view = self.0.ledger.view(&account).await?;
            let due = charges::charge(&view.account, self.catalog(), self.state_of(&account), &payable)?;
            let customer = self.payer(&account, view.account.require_open()?, None, provenance).await?;
            Ok(MakePayment {
                account: account.to_string(),
                customer,
                amount: due.money.minor,
                currency: due.money.currency.to_string(),
                automatic_capture: due.automatic_capture,
                paid_for: match &payable {
                    Payable::Pack { pack, quantity } => {
                        PaidFor::Pack { pack: pack.to_string(), quantity: *quantity }
                    }
                    Payable::Credits(credits) => {
                        PaidFor::Credits(SoldPack::of_credits(self.catalog(), *credits)?)
                    }
                    Payable::Amount(_) => PaidFor::Other,
                },
                reference: reference.as_ref().map(ToString::to_string),
                metadata,
            })
        };
        self.as_it_is(self.run(&order, request).await?).await
    }

    /// Confirms a payment, which sends it to the bank.
    ///
    /// # Errors
    /// If the payment cannot be confirmed, the bank declines, or Stripe does not answer.
    pub async fn confirm_payment(
        &self,
        of: PaymentOf,
        with: Confirmation,
    ) -> Result<RepeatableAnswer<StripePayment>, BillingError> {
        let asked = (of.payment.as_str(), with.method.as_ref().map(ProviderId::as_str), &with.return_url);
        let request = async {
            self.state_of(&of.account).check()?;
            let (account, seen) = self.payment_of(&of.account, &of.payment).await?;
            charges::confirm(&payment(&seen))?;
            let method = self.method_to_pay_with(&account, &seen, with.method.as_ref()).await?;
            let return_url = with.return_url.clone();
            Ok(ConfirmPayment { payment: of.payment.to_string(), method, return_url })
        };
        match self.run(&of.order(Operation::ConfirmPayment, &asked), request).await {
            Ok(reply) => self.as_it_is(reply).await,
            Err(error) => {
                let error = self.explain(error, &of.payment).await;
                Err(self.by_the_rules(error, &of, charges::confirm).await)
            }
        }
    }

    /// Captures an authorised payment, all of it or the requested amount.
    ///
    /// # Errors
    /// If it is not authorised, or Stripe refuses or does not answer.
    pub async fn capture_payment(
        &self,
        of: PaymentOf,
        wanted: Option<i64>,
    ) -> Result<RepeatableAnswer<StripePayment>, BillingError> {
        let request = async {
            let (_, seen) = self.payment_of(&of.account, &of.payment).await?;
            let capture = charges::capture(self.catalog(), &payment(&seen), wanted)?;
            let payment = of.payment.to_string();
            Ok(CapturePayment { payment, amount: capture.minor, packs: capture.packs })
        };
        let asked = (of.payment.as_str(), wanted);
        match self.run(&of.order(Operation::CapturePayment, &asked), request).await {
            Ok(reply) => self.as_it_is(reply).await,
            Err(error) => {
                let rule = |payment: &Payment| charges::capture(self.catalog(), payment, wanted).map(drop);
                Err(self.by_the_rules(error, &of, rule).await)
            }
        }
    }

    /// Cancels a payment. An authorisation is released.
    ///
    /// # Errors
    /// If it is over, or Stripe refuses or does not answer.
    pub async fn cancel_payment(
        &self,
        of: PaymentOf,
        reason: Option<Reason>,
    ) -> Result<RepeatableAnswer<StripePayment>, BillingError> {
        let request = async {
            let (_, seen) = self.payment_of(&of.account, &of.payment).await?;
            charges::cancel(&payment(&seen))?;
            Ok(CancelPayment { payment: of.payment.to_string(), reason })
        };
        let asked = (of.payment.as_str(), reason);
        match self.run(&of.order(Operation::CancelPayment, &asked), request).await {
            Ok(reply) => self.as_it_is(reply).await,
            Err(error) => Err(self.by_the_rules(error, &of, charges::cancel).await),
        }
    }

    /// Refunds a payment, all that is left or the requested amount. Credits are taken back when Stripe reports it.
    ///
    /// # Errors
    /// If less is left, the business does not refund it, or Stripe refuses or does not answer.
    pub async fn refund_payment(
        &self,
        of: PaymentOf,
        wanted: Option<i64>,
        reason: Option<Reason>,
    ) -> Result<RepeatableAnswer<StripeRefund>, BillingError> {
        let request = async {
            let (account, seen) = self.payment_of(&of.account, &of.payment).await?;
            charges::check_undisputed(opened(&account)?, &of.payment)?;
            let amount = charges::refund(self.catalog(), &payment(&seen), wanted)?;
            Ok(MakeRefund { payment: of.payment.to_string(), amount, reason })
        };
        let asked = (of.payment.as_str(), wanted, reason);
        match self.run(&of.order(Operation::RefundPayment, &asked), request).await {
            Ok(reply) => Ok(reply.repeatable()),
            // Stripe may know of a dispute that it has not reported yet.
            Err(BillingError::Rejected(Rejection { code: Some(code), .. })) if code == CHARGE_DISPUTED => {
                Err(Refusal::PaymentDisputed.into())
            }
            Err(error) => {
                let rule = |payment: &Payment| charges::refund(self.catalog(), payment, wanted).map(drop);
                Err(self.by_the_rules(error, &of, rule).await)
            }
        }
    }

    /// A payment of the account, as Stripe has it now.
    ///
    /// # Errors
    /// If the account has no such payment, or Stripe does not answer.
    pub async fn find_payment(
        &self,
        account: &AccountId,
        payment: &ProviderId,
    ) -> Result<StripePayment, BillingError> {
        Ok(self.payment_of(account, payment).await?.1)
    }

    /// The payments of all customers of the account, newest first, including those of invoices and checkout pages.
    ///
    /// # Errors
    /// If there is no such account, or Stripe does not answer.
    pub async fn list_payments(
        &self,
        account: &AccountId,
        page: PageRequest,
    ) -> Result<PaymentPage, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let opened = opened(&view.account)?;
        let (payments, has_more) = page_of_all(&customers(opened), page, async |customer, limit, after| {
            let listed = self.ask_page(&ListPayments { customer, limit, after }).await?;
            Ok((listed.data, listed.has_more))
        })
        .await?;
        Ok(PaymentPage { payments, has_more })
    }

    fn catalog(&self) -> &Catalog {
        self.0.ledger.catalog()
    }

    /// The account, and a payment of one of its current or former customers.
    async fn payment_of(
        &self,
        account: &AccountId,
        payment: &ProviderId,
    ) -> Result<(Account, StripePayment), BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let seen = self.client()?.read(&FindPayment { payment: payment.to_string() }).await;
        let seen = seen.map_err(|error| missing(error, ResourceKind::Payment))?;
        if charges::is_of(opened(&view.account)?, seen.customer.as_deref()) {
            return Ok((view.account, seen));
        }
        Err(BillingError::NotFound(ResourceKind::Payment))
    }

    /// The requested payment method, if the account may use it, else the customer's default.
    async fn method_to_pay_with(
        &self,
        account: &Account,
        payment: &StripePayment,
        wanted: Option<&ProviderId>,
    ) -> Result<String, BillingError> {
        if let Some(wanted) = wanted {
            self.usable_method(account, payment.customer.as_deref(), wanted).await?;
            return Ok(wanted.to_string());
        }
        let customer = payment.customer.clone().unwrap_or_default();
        let found = self.client()?.read(&FindCustomer { customer }).await?;
        let default = found.default_method().map(str::to_owned);
        default.ok_or(BillingError::NotFound(ResourceKind::PreferredMethod))
    }

    /// Only the id of a payment is stored, so a repetition returns the payment as it is now.
    async fn as_it_is<C>(&self, reply: Reply<C>) -> Result<RepeatableAnswer<StripePayment>, BillingError>
    where
        C: RecordedCall<Answer = StripePayment, Stored = StoredPayment>,
    {
        if let Some(answer) = reply.answer {
            return Ok(RepeatableAnswer { answer, replayed: false });
        }
        let found = self.client()?.read(&FindPayment { payment: reply.stored.id }).await;
        Ok(RepeatableAnswer { answer: found.map_err(done_all_the_same)?, replayed: true })
    }

    /// Converts Stripe's refusal to the rules' refusal: another request may have changed the payment after the rules
    /// allowed this one.
    async fn by_the_rules(
        &self,
        error: BillingError,
        of: &PaymentOf,
        rule: impl Fn(&Payment) -> Result<(), Refusal> + Send,
    ) -> BillingError {
        let BillingError::Rejected(rejection) = error else { return error };
        let found =
            if rejection.declined { None } else { self.payment_of(&of.account, &of.payment).await.ok() };
        let refused = found.and_then(|(_, seen)| rule(&payment(&seen)).err());
        refused.map_or(BillingError::Rejected(rejection), BillingError::Refused)
    }

    /// Adds to a decline what the browser needs for authentication.
    async fn explain(&self, error: BillingError, payment: &ProviderId) -> BillingError {
        let BillingError::Rejected(rejection) = error else { return error };
        if rejection.remedy() != Some(Remedy::Authenticate) {
            return BillingError::Rejected(rejection);
        }
        let Ok(client) = self.client() else { return BillingError::Rejected(rejection) };
        let found = client.read(&FindPayment { payment: payment.to_string() }).await.ok();
        let client_secret = found.and_then(|found| found.client_secret);
        BillingError::Unauthenticated(Box::new(Unauthenticated { rejection, client_secret }))
    }
}

/// Also a closed account, since its payments can be refunded.
fn opened(account: &Account) -> Result<&OpenAccount, Refusal> {
    account.opened().ok_or(Refusal::AccountNotFound)
}

impl RecordedCall for ConfirmPayment {
    type Stored = StoredPayment;

    fn store(answer: &StripePayment) -> StoredPayment {
        StoredPayment { id: answer.id.clone() }
    }

    /// A card must not be charged hours after its owner has left: the payment is only read, and only the caller
    /// confirms it again.
    async fn find_out(billing: &Billing, id: &CallId) -> Result<(), BillingError> {
        let Some((order, call)) = billing.find_open::<Self>(id).await? else { return Ok(()) };
        if billing.begin_attempt(id, &call.request, call.asked_before).await?.is_none() {
            return Ok(());
        }
        let seen = billing.client()?.read(&FindPayment { payment: call.request.payment.clone() }).await?;
        if charges::confirm(&payment(&seen)).is_ok() {
            return Err(BillingError::OutcomeUnknown);
        }
        billing.conclude(&order, &call, seen).await.map(drop)
    }
}

/// A payment for the rules.
/// Only a payment that was made here has its number of packs; one of a page may be for packs, too.
fn payment(seen: &StripePayment) -> Payment {
    Payment {
        status: PaymentStatus::parse(&seen.status),
        amount: seen.amount,
        capturable: seen.amount_capturable,
        received: seen.amount_received,
        refunded: seen.latest_charge.as_ref().map_or(0, |charge| charge.amount_refunded),
        pack: seen.text("topup_code").and_then(|code| PackId::parse(code).ok()),
    }
}
