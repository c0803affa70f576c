"""Drives a sandbox Stripe with Stripe's own SDK, step by step, and says what came of each.

    python stripe_sdk.py http://127.0.0.1:12111

Prints one line of JSON a step: {"step": …, "ok": …, "why": …}. Exit code 1 says that one of them failed.
"""

import json
import sys
import traceback
import urllib.request

import stripe
from stripe import StripeClient

BASE = sys.argv[1]
FAILED = []
STEPS = []


def step(work):
    STEPS.append(work)
    return work


def control(path, body):
    request = urllib.request.Request(
        f"{BASE}/_sandbox/{path}", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def client(key="sk_test_conformance"):
    return StripeClient(key, base_addresses={"api": BASE}, max_network_retries=0)


def refused(kind, code, work):
    try:
        work()
    except kind as error:
        assert code is None or error.code == code, (error.code, str(error))
        return error
    raise AssertionError(f"nothing was refused; {kind.__name__} {code} was expected")


V1 = client().v1


def customer(card="pm_card_visa", **params):
    made = V1.customers.create({"email": "sdk@example.com", **params})
    method = V1.payment_methods.attach(card, {"customer": made.id})
    V1.customers.update(made.id, {"invoice_settings": {"default_payment_method": method.id}})
    return made.id


def price(amount, name="Plan", recurring=True, **params):
    described = {"unit_amount": amount, "currency": "usd", "product_data": {"name": name}, **params}
    if recurring:
        described["recurring"] = {"interval": "month"}
    return V1.prices.create(described).id


def subscription(card="pm_card_visa", amount=999, **params):
    return V1.subscriptions.create({"customer": customer(card), "items": [{"price": price(amount)}], **params})


@step
def customers():
    made = V1.customers.create({"email": "a@example.com", "name": "A", "metadata": {"k": "v"}})
    assert made.metadata["k"] == "v"
    changed = V1.customers.update(made.id, {"name": "B", "metadata": {"k": "", "l": "m"}})
    assert changed.name == "B" and "k" not in changed.metadata and changed.metadata["l"] == "m"
    found = V1.customers.list({"email": "a@example.com"})
    assert [row.id for row in found.data] == [made.id]
    assert V1.customers.delete(made.id).deleted
    assert V1.customers.retrieve(made.id).deleted
    refused(stripe.InvalidRequestError, "resource_missing", lambda: V1.customers.retrieve("cus_none"))


@step
def paging():
    ids = [V1.customers.create({"description": f"page {n}"}).id for n in range(7)]
    seen = [row.id for row in V1.customers.list({"limit": 3}).auto_paging_iter()]
    assert seen[: len(ids)] == list(reversed(ids)), seen


@step
def payment_methods():
    who = customer()
    methods = V1.customers.payment_methods.list(who)
    assert methods.data[0].card.last4 == "4242"
    V1.payment_methods.detach(methods.data[0].id)
    assert V1.payment_methods.list({"customer": who}).data == []
    refused(stripe.CardError, "card_declined", lambda: V1.payment_methods.attach("pm_card_chargeDeclined", {"customer": who}))


@step
def products_and_prices():
    product = V1.products.create({"name": "Basic", "metadata": {"plan": "basic"}})
    made = V1.prices.create(
        {"product": product.id, "unit_amount": 999, "currency": "usd", "recurring": {"interval": "month"}, "lookup_key": "basic_monthly"}
    )
    found = V1.prices.list({"lookup_keys": ["basic_monthly"], "expand": ["data.product"]})
    assert found.data[0].id == made.id and found.data[0].product.name == "Basic"
    refused(
        stripe.InvalidRequestError,
        None,
        lambda: V1.prices.create({"product": product.id, "unit_amount": 1, "currency": "usd", "lookup_key": "basic_monthly"}),
    )
    V1.products.update(product.id, {"active": False})
    assert not V1.products.retrieve(product.id).active


@step
def checkout():
    session = V1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": price(999), "quantity": 1}],
            "success_url": "https://example.com/?s={CHECKOUT_SESSION_ID}",
            "subscription_data": {"metadata": {"account_id": "acme"}},
        }
    )
    assert session.url.startswith(BASE) and session.status == "open"
    control(f"checkout/{session.id}/pay", {"card": "4242424242424242", "email": "c@example.com"})
    done = V1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "line_items"]})
    assert done.status == "complete" and done.payment_status == "paid"
    assert done.subscription.status == "active" and done.subscription.metadata["account_id"] == "acme"
    assert done.line_items.data[0].amount_total == 999
    other = V1.checkout.sessions.create(
        {"mode": "payment", "line_items": [{"price": price(500, recurring=False), "quantity": 2}], "success_url": "https://example.com"}
    )
    assert V1.checkout.sessions.expire(other.id).status == "expired"


@step
def subscription_changes_with_proration():
    made = subscription()
    item = made["items"].data[0].id
    control("clock", {"advance": "10 days"})
    dear = price(1999)
    preview = V1.invoices.create_preview(
        {
            "subscription": made.id,
            "subscription_details": {"items": [{"id": item, "price": dear}], "proration_behavior": "always_invoice"},
        }
    )
    changed = V1.subscriptions.update(
        made.id, {"items": [{"id": item, "price": dear}], "proration_behavior": "always_invoice", "expand": ["latest_invoice"]}
    )
    assert changed.latest_invoice.total == preview.total > 0
    assert changed.latest_invoice.billing_reason == "subscription_update"
    assert [line.parent.invoice_item_details.proration for line in changed.latest_invoice.lines.data] == [True, True]


@step
def subscription_cancel_pause_resume_trial():
    made = subscription()
    assert V1.subscriptions.update(made.id, {"cancel_at_period_end": True}).cancel_at
    assert V1.subscriptions.update(made.id, {"cancel_at_period_end": False}).cancel_at is None
    held = V1.subscriptions.update(made.id, {"pause_collection": {"behavior": "void"}})
    assert held.pause_collection.behavior == "void" and held.status == "active"
    assert V1.subscriptions.update(made.id, {"pause_collection": ""}).pause_collection is None
    assert V1.subscriptions.pause(made.id, {"type": "subscription"}).status == "paused"
    assert V1.subscriptions.resume(made.id).status == "active"
    assert V1.subscriptions.cancel(made.id).status == "canceled"
    tried = subscription(trial_period_days=14)
    assert tried.status == "trialing"
    control("clock", {"advance": "15 days"})
    assert V1.subscriptions.retrieve(tried.id).status == "active"


@step
def renewal_and_dunning():
    made = subscription()
    control("clock", {"advance": "32 days"})
    invoices = V1.invoices.list({"subscription": made.id})
    assert [(i.billing_reason, i.status) for i in invoices.data] == [
        ("subscription_cycle", "paid"),
        ("subscription_create", "paid"),
    ]
    bad = V1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": made.customer})
    V1.subscriptions.update(made.id, {"default_payment_method": bad.id})
    control("clock", {"advance": "32 days"})
    assert V1.subscriptions.retrieve(made.id).status == "past_due"
    latest = V1.subscriptions.retrieve(made.id).latest_invoice
    refused(stripe.CardError, "card_declined", lambda: V1.invoices.pay(latest))
    assert V1.invoices.pay(latest, {"payment_method": "pm_card_visa"}).status == "paid"
    assert V1.subscriptions.retrieve(made.id).status == "active"


@step
def invoices():
    made = subscription("pm_card_visa", payment_behavior="default_incomplete")
    assert made.status == "incomplete"
    open_invoice = V1.invoices.retrieve(made.latest_invoice, {"expand": ["payments", "confirmation_secret"]})
    assert open_invoice.status == "open" and open_invoice.confirmation_secret.client_secret
    lines = V1.invoices.line_items.list(open_invoice.id)
    assert lines.data[0].amount == 999
    assert V1.invoices.mark_uncollectible(open_invoice.id).status == "uncollectible"
    assert V1.invoices.void_invoice(open_invoice.id).status == "void"
    paid = subscription("pm_card_visa", payment_behavior="default_incomplete")
    assert V1.invoices.pay(paid.latest_invoice).status == "paid"
    assert V1.subscriptions.retrieve(paid.id).status == "active"
    assert V1.invoice_payments.list({"invoice": paid.latest_invoice}).data[0].status == "paid"


@step
def payment_intents():
    held = V1.payment_intents.create(
        {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True, "capture_method": "manual", "return_url": "https://example.com"}
    )
    assert held.status == "requires_capture" and held.amount_capturable == 2000
    taken = V1.payment_intents.capture(held.id, {"amount_to_capture": 1500})
    assert taken.status == "succeeded" and taken.amount_received == 1500
    refused(stripe.InvalidRequestError, "payment_intent_unexpected_state", lambda: V1.payment_intents.cancel(held.id))
    asked = V1.payment_intents.create(
        {"amount": 2000, "currency": "usd", "payment_method": "pm_card_threeDSecure2Required", "confirm": True, "return_url": "https://example.com"}
    )
    assert asked.status == "requires_action" and asked.next_action.redirect_to_url.url.startswith(BASE)
    control(f"payment_intents/{asked.id}/authenticate", {"succeeds": True})
    assert V1.payment_intents.retrieve(asked.id).status == "succeeded"
    error = refused(
        stripe.CardError,
        "card_declined",
        lambda: V1.payment_intents.create(
            {"amount": 2000, "currency": "usd", "payment_method": "pm_card_chargeDeclinedInsufficientFunds", "confirm": True}
        ),
    )
    assert error.error.decline_code == "insufficient_funds" and error.error.payment_intent.status == "requires_payment_method"
    refused(stripe.InvalidRequestError, "amount_too_small", lambda: V1.payment_intents.create({"amount": 1, "currency": "usd"}))


@step
def refunds():
    intent = V1.payment_intents.create({"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True})
    assert V1.refunds.create({"payment_intent": intent.id, "amount": 400}).status == "succeeded"
    V1.refunds.create({"payment_intent": intent.id})
    charge = V1.charges.retrieve(intent.latest_charge)
    assert charge.refunded and charge.amount_refunded == 1000
    refused(stripe.InvalidRequestError, "charge_already_refunded", lambda: V1.refunds.create({"payment_intent": intent.id}))
    fails = V1.payment_intents.create({"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True})
    refund = V1.refunds.create({"payment_intent": fails.id})
    control(f"refunds/{refund.id}/fail", {})
    assert V1.refunds.retrieve(refund.id).status == "failed"
    assert V1.charges.retrieve(fails.latest_charge).amount_refunded == 0


@step
def disputes():
    intent = V1.payment_intents.create({"amount": 1000, "currency": "usd", "payment_method": "pm_card_createDispute", "confirm": True})
    dispute = V1.disputes.list({"payment_intent": intent.id}).data[0]
    assert dispute.status == "needs_response"
    won = V1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})
    assert won.status == "won"
    other = V1.payment_intents.create({"amount": 1000, "currency": "usd", "payment_method": "pm_card_createDispute", "confirm": True})
    assert V1.disputes.close(V1.disputes.list({"payment_intent": other.id}).data[0].id).status == "lost"


@step
def portal_and_endpoints():
    who = customer()
    configuration = V1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    session = V1.billing_portal.sessions.create({"customer": who, "configuration": configuration.id, "return_url": "https://example.com"})
    assert session.url.startswith(BASE)
    endpoint = V1.webhook_endpoints.create({"url": "http://127.0.0.1:9/hook", "enabled_events": ["invoice.paid"], "api_version": "2025-03-31.basil"})
    assert endpoint.secret.startswith("whsec_")
    assert V1.webhook_endpoints.retrieve(endpoint.id).to_dict().get("secret") is None
    assert V1.webhook_endpoints.update(endpoint.id, {"disabled": True}).status == "disabled"
    V1.webhook_endpoints.delete(endpoint.id)


@step
def events():
    made = V1.customers.create({"name": "E"})
    found = V1.events.list({"types": ["customer.created"], "limit": 1}).data[0]
    assert found.data.object.id == made.id
    assert V1.events.retrieve(found.id).type == "customer.created"


@step
def idempotency():
    options = {"idempotency_key": "conformance-1"}
    first = V1.customers.create({"name": "I"}, options)
    assert V1.customers.create({"name": "I"}, options).id == first.id
    refused(stripe.IdempotencyError, None, lambda: V1.customers.create({"name": "J"}, options))


@step
def mistakes():
    refused(stripe.InvalidRequestError, "parameter_unknown", lambda: V1.customers.create({"nmae": "x"}))
    refused(stripe.InvalidRequestError, "parameter_missing", lambda: V1.subscriptions.create({"items": []}))
    refused(stripe.AuthenticationError, None, lambda: client("sk_live_" + "x" * 24).v1.customers.list())


def main():
    for work in STEPS:
        why = None
        try:
            work()
        except Exception:  # a step that fails must not hide the others
            why = traceback.format_exc()
            FAILED.append(work.__name__)
        print(json.dumps({"step": work.__name__, "ok": why is None, "why": why}), flush=True)
    sys.exit(1 if FAILED else 0)


main()
