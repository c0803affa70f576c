//! How does a customer do what is not work: subscribe, buy, change, cancel, and what a bank does for them?

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    super::exit::CliFailure,
    caller::DemoCaller,
    deeds::{Card, Deed, PaymentFor, Person},
};

/// Does it. Whether it was granted.
///
/// # Errors
/// If the ledger or the sandbox does not answer.
pub(super) async fn does(
    caller: &DemoCaller,
    person: &Person,
    deed: &Deed,
    key: &str,
) -> Result<bool, CliFailure> {
    let account = person.account.as_ref();
    match deed {
        Deed::Arrive => caller.open(account, person.came_by).await.map(|()| true),
        Deed::Subscribe { plan, by_year, trial, card } => {
            let interval = if *by_year { "year" } else { "month" };
            let order = json!({ "plan": plan, "interval": interval, "trial": trial });
            caller.buy(account, key, order, number(*card)).await
        }
        Deed::Buy { pack, card } => caller.buy(account, key, json!({ "pack": pack }), number(*card)).await,
        Deed::Change { plan } => amend(caller, account, "change", key, json!({ "plan": plan })).await,
        Deed::Cancel { at_once, feedback } => {
            let at = if *at_once { "now" } else { "period_end" };
            amend(caller, account, "cancel", key, json!({ "at": at, "feedback": feedback })).await
        }
        Deed::UseCard(card) => use_card(caller, account, *card).await,
        Deed::PayInvoice => pay_invoice(caller, account).await,
        Deed::GiveBack(of) => give_back(caller, account, *of, key).await,
        Deed::Dispute => {
            let Some(payment) = last_payment(caller, account, PaymentFor::Subscription).await? else {
                return Ok(false);
            };
            Ok(caller.tell("disputes", &json!({ "payment_intent": payment })).await?.is_granted())
        }
        Deed::DecideDispute { won } => decide_dispute(caller, account, *won).await,
        Deed::Make { .. } | Deed::Spend { .. } => Ok(true),
    }
}

/// Whether nobody wonders if it is refused: a card that is declined.
pub(super) const fn may_fail(deed: &Deed) -> bool {
    match deed {
        Deed::Subscribe { card, .. } | Deed::Buy { card, .. } | Deed::UseCard(card) => {
            !matches!(card, Card::Good)
        }
        Deed::Arrive
        | Deed::Change { .. }
        | Deed::Cancel { .. }
        | Deed::PayInvoice
        | Deed::GiveBack(_)
        | Deed::Dispute
        | Deed::DecideDispute { .. }
        | Deed::Make { .. }
        | Deed::Spend { .. } => false,
    }
}

const fn number(card: Card) -> &'static str {
    match card {
        Card::Good => "4242424242424242",
        Card::Declined => "4000000000000002",
        Card::NoMoney => "4000000000009995",
        Card::FailsLater => "4000000000000341",
    }
}

async fn amend(
    caller: &DemoCaller,
    account: &str,
    what: &str,
    key: &str,
    order: Value,
) -> Result<bool, CliFailure> {
    let what = format!("/subscription/{what}");
    Ok(caller.request((Method::POST, account, &what), key, &order).await?.is_granted())
}

/// The subscription as the sandbox has it.
async fn subscription(caller: &DemoCaller, account: &str) -> Result<Option<Value>, CliFailure> {
    let told = caller.ask(&format!("/v1/accounts/{account}/subscription")).await?;
    let Some(id) = told.pointer("/subscription/id").and_then(Value::as_str) else { return Ok(None) };
    let answer = caller.at_stripe(Method::GET, &format!("/v1/subscriptions/{id}"), &[]).await?;
    Ok(answer.is_granted().then_some(answer.body))
}

/// From here on, the subscription is charged to another card.
async fn use_card(caller: &DemoCaller, account: &str, card: Card) -> Result<bool, CliFailure> {
    let Some(subscription) = subscription(caller, account).await? else { return Ok(false) };
    let (id, customer) = (text(&subscription, "id"), text(&subscription, "customer"));
    let method = match card {
        Card::Good | Card::Declined | Card::NoMoney => "pm_card_visa",
        Card::FailsLater => "pm_card_chargeCustomerFail",
    };
    let attach = format!("/v1/payment_methods/{method}/attach");
    let attached = caller.at_stripe(Method::POST, &attach, &[("customer", customer)]).await?;
    let method = text(&attached.body, "id").to_owned();
    let change = [("default_payment_method", method.as_str())];
    Ok(caller.at_stripe(Method::POST, &format!("/v1/subscriptions/{id}"), &change).await?.is_granted())
}

async fn pay_invoice(caller: &DemoCaller, account: &str) -> Result<bool, CliFailure> {
    let Some(subscription) = subscription(caller, account).await? else { return Ok(false) };
    let path = format!("/v1/invoices/{}/pay", text(&subscription, "latest_invoice"));
    Ok(caller.at_stripe(Method::POST, &path, &[]).await?.is_granted())
}

async fn give_back(
    caller: &DemoCaller,
    account: &str,
    of: PaymentFor,
    key: &str,
) -> Result<bool, CliFailure> {
    let Some(payment) = last_payment(caller, account, of).await? else { return Ok(false) };
    let what = format!("/payments/{payment}/refunds");
    let why = json!({ "reason": "requested_by_customer" });
    Ok(caller.request((Method::POST, account, &what), key, &why).await?.is_granted())
}

async fn last_payment(
    caller: &DemoCaller,
    account: &str,
    of: PaymentFor,
) -> Result<Option<String>, CliFailure> {
    let kind = match of {
        PaymentFor::Subscription => "subscription",
        PaymentFor::Pack => "pack",
    };
    let listed = caller.ask(&format!("/v1/accounts/{account}/payments")).await?;
    let payments = listed.get("payments").and_then(Value::as_array);
    let is_meant = |payment: &&Value| text(payment, "type") == kind && text(payment, "status") == "succeeded";
    let payment = payments.and_then(|payments| payments.iter().find(is_meant));
    Ok(payment.map(|payment| text(payment, "payment").to_owned()))
}

async fn decide_dispute(caller: &DemoCaller, account: &str, won: bool) -> Result<bool, CliFailure> {
    let Some(payment) = last_disputed(caller, account).await? else { return Ok(false) };
    let path = format!("/v1/disputes?payment_intent={payment}");
    let listed = caller.at_stripe(Method::GET, &path, &[]).await?;
    let Some(dispute) = listed.body.pointer("/data/0/id").and_then(Value::as_str) else { return Ok(false) };
    let status = if won { "won" } else { "lost" };
    let decided = caller.tell(&format!("disputes/{dispute}"), &json!({ "status": status })).await?;
    Ok(decided.is_granted())
}

async fn last_disputed(caller: &DemoCaller, account: &str) -> Result<Option<String>, CliFailure> {
    let listed = caller.ask(&format!("/v1/accounts/{account}/payments")).await?;
    let payments = listed.get("payments").and_then(Value::as_array);
    let is_disputed = |payment: &&Value| payment.get("is_disputed") == Some(&Value::Bool(true));
    let payment = payments.and_then(|payments| payments.iter().find(is_disputed));
    Ok(payment.map(|payment| text(payment, "payment").to_owned()))
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}
