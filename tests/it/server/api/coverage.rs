//! Is every operation exercised for success, refusal, a missing key and bad input? One line of the table each; the
//! test fails for an operation that has no line.

use std::collections::BTreeMap;

use counterfoil::auth::keys::KeyScope;
use counterfoil::http::{KeyRule, OperationSpec, operations};
use reqwest::Method;
use serde_json::{Value, json};

use super::matrix::OF_SEVERAL;
use crate::support::{
    http::{Answer, Server},
    shop::{self, Shop},
    specification,
};

/// A request: method, path, body.
pub type Ask = (Method, String, Option<Value>);

struct Case {
    success: Ask,
    /// What the rules, or the state of things, refuse; `None`: only a key without the scope is refused.
    refusal: Option<(Ask, u16)>,
    /// `None`: it takes no input that could be bad.
    bad: Option<Ask>,
}

#[tokio::test]
async fn every_operation_is_exercised_in_every_way() {
    exercise_all(&Shop::start().await).await;
}

pub async fn exercise_all(shop: &Shop) {
    let server = &shop.server;
    let cases = prepare(shop).await;
    let weak = server.key([KeyScope::Billing], Some(&["nobody"])).await;
    let known: Vec<&str> = operations().iter().map(|described| described.id.as_str()).collect();
    assert!(cases.keys().all(|id| known.contains(id)), "a line of the table is about no operation");
    for described in operations() {
        let case = cases.get(described.id.as_str()).unwrap_or_else(|| panic!("{} has no line", described.id));
        exercise(server, described, case, &weak).await;
        shop.settled().await;
    }
    list_by_each_filter(server).await;
}

/// What every operation, in their order, is asked for with success.
pub async fn successes(shop: &Shop) -> Vec<(&'static OperationSpec, Ask)> {
    let mut cases = prepare(shop).await;
    let of = |described: &'static OperationSpec| {
        let case =
            cases.remove(described.id.as_str()).unwrap_or_else(|| panic!("{} has no line", described.id));
        (described, case.success)
    };
    operations().iter().map(of).collect()
}

/// Accounts in the states that the table is about.
async fn prepare(shop: &Shop) -> BTreeMap<&'static str, Case> {
    let server = &shop.server;
    shop.subscribe_other("member").await;
    shop.subscribe_other("waiting").await;
    let less =
        server.post("/v1/accounts/waiting/subscription/change", json!({ "plan": "basic" })).send().await;
    assert_eq!(less.status, 202, "{}", less.text);
    let methods = "/v1/accounts/payer/payment-methods";
    server.open("payer").await;
    let card = server.post(methods, json!({ "payment_method": "pm_card_visa" })).send().await;
    let default = format!("{methods}/{}/default", card.body["payment_method"].as_str().expect("an id"));
    assert_eq!(server.call(Method::PUT, &default).send().await.status, 200);
    cases(shop).await
}

/// What narrows a list is looked for in ways of its own.
async fn list_by_each_filter(server: &Server) {
    let metadata = json!({ "metadata": { "team": "blue" } });
    assert_eq!(server.put("/v1/accounts/acme", metadata).send().await.status, 200);
    let own = server.key([KeyScope::Read], Some(&["acme", "closed"])).await;
    for query in [
        "status=open",
        "plan=free",
        "plan=free&status=closed",
        "metadata=team:blue",
        "metadata=team:blue&plan=free",
        "prefix=ac",
        "customer=cus_none",
    ] {
        for key in [&server.admin, &own] {
            let listed = server.get(&format!("/v1/accounts?{query}")).key(key).send().await;
            assert_eq!(listed.status, 200, "{query}: {}", listed.text);
        }
    }
}

async fn exercise(server: &Server, described: &OperationSpec, case: &Case, weak: &str) {
    let id = described.id.as_str();
    check_target(id, &case.success);
    let answer = send(server, &case.success).await;
    assert!(answer.status.is_success(), "{id}: {}", answer.text);
    if let Some((refusal, status)) = &case.refusal {
        check_target(id, refusal);
        let answer = send(server, refusal).await;
        assert_eq!(answer.status.as_u16(), *status, "{id}: {}", answer.text);
    }
    if !described.scopes.is_empty() {
        call(server, &case.success).without_key().send().await.is_problem(401, "unauthenticated");
        // Whoever may ask for some accounts is not turned away where only those are shown.
        let sees_its_own = OF_SEVERAL.contains(&id) && described.scopes.contains(&KeyScope::Billing);
        let answer = call(server, &case.success).key(weak).send().await;
        assert_eq!(answer.status, if sees_its_own { 200 } else { 403 }, "{id}: {}", answer.text);
    }
    if described.key == KeyRule::Required {
        let answer = call(server, &case.success).without("idempotency-key").send().await;
        answer.is_problem(400, "idempotency_key_missing");
    }
    let takes_input = described.takes_json || has_parameters(id);
    assert_eq!(case.bad.is_some(), takes_input, "{id} takes input, or does not");
    if let Some(bad) = &case.bad {
        check_target(id, bad);
        let answer = send(server, bad).await;
        assert!([400, 422].contains(&answer.status.as_u16()), "{id}: {}", answer.text);
    }
}

fn call<'a>(server: &'a Server, (method, path, body): &Ask) -> crate::support::http::Call<'a> {
    let call = server.call(method.clone(), path).header("idempotency-key", &uuid::Uuid::new_v4().to_string());
    match body {
        Some(body) => call.json(body.clone()),
        None => call,
    }
}

pub async fn send(server: &Server, ask: &Ask) -> Answer {
    if ask.1 == "/v1/webhooks/stripe" && ask.2.as_ref().is_some_and(|body| body["id"].is_string()) {
        return server.deliver(ask.2.as_ref().expect("a body")).await;
    }
    call(server, ask).send().await
}

fn check_target(id: &str, (method, path, _): &Ask) {
    let operation = specification::operation(method, path).unwrap_or_else(|| panic!("{path} is not routed"));
    assert_eq!(operation["operationId"], id, "{path}");
}

fn has_parameters(id: &str) -> bool {
    let operations = specification::operations();
    let operation = operations.iter().find(|operation| operation["operationId"] == id).expect("an operation");
    let parameters = operation["parameters"].as_array();
    parameters.is_some_and(|parameters| parameters.iter().any(|parameter| parameter["in"] != "header"))
        || operation["requestBody"].is_object()
}

fn get(path: impl Into<String>) -> Ask {
    (Method::GET, path.into(), None)
}

fn post(path: impl Into<String>, body: Value) -> Ask {
    (Method::POST, path.into(), Some(body))
}

async fn hold(server: &Server) -> String {
    let held = server.post("/v1/accounts/acme/holds", json!({ "amount": 1 })).send().await;
    held.body["hold_id"].as_str().expect("a hold").to_owned()
}

async fn cases(shop: &Shop) -> BTreeMap<&'static str, Case> {
    let server = &shop.server;
    server.open("acme").await;
    server.grant("acme", 10_000).await;
    for closing in ["closing", "closed"] {
        server.open(closing).await;
    }
    server.post("/v1/accounts/closed/close", json!({ "reason": "over" })).send().await;
    let mut cases = spending(server).await;
    cases.extend(operating(server).await);
    cases.extend(reading());
    cases.extend(billing(server).await);
    cases.extend(customers(server).await);
    cases.extend(payments(shop).await);
    cases.extend(products());
    cases.extend(looking_after(server).await);
    cases
}

fn products() -> BTreeMap<&'static str, Case> {
    let product = |name: &str| json!({ "product": "studio", "name": name });
    let price = |amount: i64| json!({ "product": "studio", "amount": amount, "lookup_key": "studio_once" });
    let public = |path: &str| Case {
        success: get(path),
        refusal: None,
        bad: Some(get(format!("{path}?account=a%20b"))),
    };
    BTreeMap::from([
        ("list_products", public("/v1/products")),
        ("list_prices", public("/v1/prices")),
        (
            "get_product",
            case(get("/v1/products/creator"), get("/v1/products/gold"), 404, get("/v1/products/a%20b")),
        ),
        (
            "create_product",
            case(
                post("/v1/products", product("Studio")),
                post("/v1/products", product("Atelier")),
                409,
                post("/v1/products", product("")),
            ),
        ),
        (
            "create_price",
            case(
                post("/v1/prices", price(500)),
                post("/v1/prices", price(600)),
                409,
                post("/v1/prices", price(-1)),
            ),
        ),
        (
            "list_invoices",
            case(
                get("/v1/accounts/acme/invoices"),
                get("/v1/accounts/nobody/invoices"),
                404,
                get("/v1/accounts/acme/invoices?status=lost"),
            ),
        ),
    ])
}

/// A payment that the bank holds the money of.
async fn held(shop: &Shop) -> String {
    let customers = shop.list("/v1/customers").await;
    let ours = customers.iter().find(|customer| customer["metadata"]["account_id"] == "acme");
    let customer = ours.and_then(|customer| customer["id"].as_str()).expect("a customer");
    let form = [
        ("amount", "600"),
        ("currency", "usd"),
        ("customer", customer),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("capture_method", "manual"),
    ];
    let held = shop.at_stripe(Method::POST, "/v1/payment_intents", &form).await;
    held["id"].as_str().expect("a payment").to_owned()
}

async fn billing(server: &Server) -> BTreeMap<&'static str, Case> {
    let (checkouts, portals) = ("/v1/accounts/acme/checkout-sessions", "/v1/accounts/acme/portal-sessions");
    // With its first checkout an account becomes a customer.
    server.post(checkouts, shop::pack()).send().await;
    let home = json!({ "return_url": "https://shop.example/account" });
    let mut cases = subscriptions();
    cases.extend(BTreeMap::from([
        (
            "create_checkout_session",
            case(
                post(checkouts, shop::plan()),
                post(checkouts, shop::with(shop::plan(), "plan", json!("free"))),
                409,
                post(checkouts, shop::with(shop::plan(), "quantity", json!(0))),
            ),
        ),
        (
            "create_portal_session",
            case(
                post(portals, home.clone()),
                post("/v1/accounts/closed/portal-sessions", home),
                409,
                post(portals, json!({ "return_url": "shop.example" })),
            ),
        ),
        (
            "subscribe",
            case(
                post("/v1/accounts/payer/subscriptions", json!({ "plan": "basic", "interval": "month" })),
                post("/v1/accounts/member/subscriptions", json!({ "plan": "basic", "interval": "month" })),
                409,
                post("/v1/accounts/payer/subscriptions", json!({ "plan": "basic" })),
            ),
        ),
    ]));
    cases
}

/// Of an account that is subscribed. Each success leaves the state that the next one needs, in the order of the
/// operations.
fn subscriptions() -> BTreeMap<&'static str, Case> {
    let of = |account: &str, what: &str| format!("/v1/accounts/{account}/subscription/{what}");
    let change = |what: &str| {
        let (to, nowhere) = (json!({ "plan": "team" }), json!({ "plan": "gold" }));
        case(
            post(of("member", what), to),
            post(of("member", what), nowhere),
            422,
            post(of("member", what), json!({ "quantity": 0 })),
        )
    };
    let other = |what: &str, body: Value| {
        case(
            post(of("member", what), body.clone()),
            post(of("acme", what), body),
            409,
            post(of("member", what), json!({ "subscription": "a b" })),
        )
    };
    let upcoming = |account: &str| get(of(account, "upcoming-invoice"));
    BTreeMap::from([
        ("preview_subscription_change", change("change/preview")),
        ("change_subscription", change("change")),
        (
            "get_pending_change",
            case(
                get(of("member", "change")),
                get(of("acme", "change")),
                409,
                get(of("member", "change?subscription=a%20b")),
            ),
        ),
        (
            "withdraw_change",
            case(
                post(of("waiting", "change/withdraw"), json!({})),
                post(of("acme", "change/withdraw"), json!({})),
                409,
                post(of("member", "change/withdraw"), json!({ "subscription": "a b" })),
            ),
        ),
        ("cancel_subscription", other("cancel", json!({ "at": "period_end" }))),
        ("withdraw_cancellation", other("cancel/withdraw", json!({}))),
        ("pause_subscription", other("pause", json!({}))),
        ("resume_subscription", other("resume", json!({}))),
        (
            "get_upcoming_invoice",
            case(
                upcoming("member"),
                upcoming("acme"),
                409,
                get(of("member", "upcoming-invoice?subscription=a%20b")),
            ),
        ),
    ])
}

async fn payments(shop: &Shop) -> BTreeMap<&'static str, Case> {
    let server = &shop.server;
    let at = |rest: &str| format!("/v1/accounts/acme/payments{rest}");
    let pack = json!({ "pack": "pack_500" });
    let card = json!({ "payment_method": "pm_card_visa", "off_session": true });
    let made = async || {
        let answer = server.post(&at(""), pack.clone()).send().await;
        answer.body["payment"].as_str().expect("a payment").to_owned()
    };
    let paid = async || {
        let payment = made().await;
        server.post(&at(&format!("/{payment}/confirm")), card.clone()).send().await;
        payment
    };
    let (new, paid, other) = (made().await, paid().await, made().await);
    BTreeMap::from([
        (
            "create_payment",
            case(
                post(at(""), pack.clone()),
                post(at(""), json!({ "amount": 1 })),
                422,
                post(at(""), json!({ "amount": "1" })),
            ),
        ),
        (
            "list_payments",
            case(get(at("")), get("/v1/accounts/nobody/payments"), 404, get(at("?limit=many"))),
        ),
        ("get_payment", case(get(at(&format!("/{new}"))), get(at("/pi_none")), 404, get(at("/a%20b")))),
        (
            "confirm_payment",
            case(
                post(at(&format!("/{new}/confirm")), card.clone()),
                post(at(&format!("/{paid}/confirm")), card.clone()),
                409,
                post(at(&format!("/{new}/confirm")), json!({ "payment_method": "pm_card_visa" })),
            ),
        ),
        (
            "cancel_payment",
            case(
                post(at(&format!("/{other}/cancel")), json!({})),
                post(at(&format!("/{paid}/cancel")), json!({})),
                409,
                post(at(&format!("/{other}/cancel")), json!({ "reason": "weather" })),
            ),
        ),
        (
            "refund_payment",
            case(
                post(at(&format!("/{paid}/refunds")), json!({ "amount": 100 })),
                post(at(&format!("/{paid}/refunds")), json!({ "amount": 10_000 })),
                409,
                post(at(&format!("/{paid}/refunds")), json!({ "amount": 1.5 })),
            ),
        ),
        (
            "capture_payment",
            Case {
                success: post(at(&format!("/{}/capture", held(shop).await)), json!({})),
                refusal: Some((post(at(&format!("/{paid}/capture")), json!({})), 409)),
                bad: Some(post(at(&format!("/{paid}/capture")), json!({ "amount": true }))),
            },
        ),
    ])
}

async fn customers(server: &Server) -> BTreeMap<&'static str, Case> {
    let customer = |account: &str| format!("/v1/accounts/{account}/customer");
    let methods = |account: &str, rest: &str| format!("/v1/accounts/{account}/payment-methods{rest}");
    let leaving = "/v1/accounts/leaving";
    for path in [leaving, "/v1/accounts/leaving/customer"] {
        server.call(Method::PUT, path).send().await;
    }
    let card = json!({ "payment_method": "pm_card_visa" });
    let attached = async || {
        let answer = server.post(&methods("acme", ""), card.clone()).send().await;
        answer.body["payment_method"].as_str().expect("a method").to_owned()
    };
    let (one, other) = (attached().await, attached().await);
    let put = |path: String, body: Option<Value>| (Method::PUT, path, body);
    let delete = |path: String| (Method::DELETE, path, None);
    let patch = |path: String, body: Value| (Method::PATCH, path, Some(body));
    let named = json!({ "name": "Ada" });
    BTreeMap::from([
        (
            "become_customer",
            case(
                put(customer("acme"), Some(named.clone())),
                put(customer("closed"), None),
                409,
                put(customer("acme"), Some(json!({ "email": "ada" }))),
            ),
        ),
        (
            "find_customers",
            case(
                get("/v1/customers?email=ada@example.com"),
                get("/v1/customers?email=ada@example.com&min_position=p0-999999999"),
                422,
                get("/v1/customers?email=ada"),
            ),
        ),
        ("get_customer", case(get(customer("acme")), get(customer("nobody")), 404, get(customer("a%20b")))),
        (
            "update_customer",
            case(
                patch(customer("acme"), named.clone()),
                patch(customer("closing"), named),
                409,
                patch(customer("acme"), json!({ "name": 5 })),
            ),
        ),
        (
            "delete_customer",
            case(delete(customer("leaving")), delete(customer("closing")), 409, delete(customer("a%20b"))),
        ),
        (
            "list_payment_methods",
            case(get(methods("acme", "")), get(methods("nobody", "")), 404, get(methods("acme", "?limit=0"))),
        ),
        (
            "attach_payment_method",
            case(
                post(methods("acme", ""), card),
                post(methods("acme", ""), json!({ "payment_method": "pm_none" })),
                404,
                post(methods("acme", ""), json!({ "card": "4242424242424242" })),
            ),
        ),
        (
            "prefer_payment_method",
            case(
                put(methods("acme", &format!("/{one}/default")), None),
                put(methods("acme", "/pm_none/default"), None),
                404,
                put(methods("acme", "/a%20b/default"), None),
            ),
        ),
        (
            "detach_payment_method",
            case(
                delete(methods("acme", &format!("/{other}"))),
                delete(methods("acme", "/pm_none")),
                404,
                delete(methods("acme", "/a%20b")),
            ),
        ),
    ])
}

fn case(success: Ask, refusal: Ask, status: u16, bad: Ask) -> Case {
    Case { success, refusal: Some((refusal, status)), bad: Some(bad) }
}

async fn spending(server: &Server) -> BTreeMap<&'static str, Case> {
    let acme = "/v1/accounts/acme";
    let too_much = i64::MAX;
    let (held, other) = (hold(server).await, hold(server).await);
    let third = hold(server).await;
    let spent = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 })).send().await;
    let spent = &spent.body["deduction_id"];
    BTreeMap::from([
        (
            "open_account",
            case(
                (Method::PUT, "/v1/accounts/new".into(), None),
                (Method::PUT, "/v1/accounts/closed".into(), None),
                409,
                (Method::PUT, "/v1/accounts/a%20b".into(), None),
            ),
        ),
        (
            "generate",
            case(
                post(format!("{acme}/generations"), json!({ "type": "standard_generation" })),
                post(format!("{acme}/generations"), json!({ "type": "stem_separation" })),
                403,
                post(
                    format!("{acme}/generations"),
                    json!({ "type": "standard_generation", "expires_in_s": 9 }),
                ),
            ),
        ),
        (
            "deduct",
            case(
                post(format!("{acme}/deductions"), json!({ "amount": 1 })),
                post(format!("{acme}/deductions"), json!({ "amount": too_much })),
                402,
                post(format!("{acme}/deductions"), json!({ "amount": -1 })),
            ),
        ),
        (
            "hold",
            case(
                post(format!("{acme}/holds"), json!({ "amount": 1 })),
                post(format!("{acme}/holds"), json!({ "amount": 1, "expires_in_s": 0 })),
                422,
                post(format!("{acme}/holds"), json!({ "amount": "1" })),
            ),
        ),
        (
            "commit_hold",
            case(
                post(format!("{acme}/holds/{held}/commit"), json!({ "amount": 1 })),
                post(format!("{acme}/holds/{held}/commit"), json!({ "amount": 1 })),
                409,
                post(format!("{acme}/holds/{held}/commit"), json!({ "excess": "more" })),
            ),
        ),
        (
            "release_hold",
            case(
                post(format!("{acme}/holds/{other}/release"), json!({})),
                post(format!("{acme}/holds/hold_9999/release"), json!({})),
                404,
                post(format!("{acme}/holds/a%20b/release"), json!({})),
            ),
        ),
        (
            "extend_hold",
            case(
                post(format!("{acme}/holds/{third}/extend"), json!({ "expires_in_s": 60 })),
                post(format!("{acme}/holds/{third}/extend"), json!({ "expires_in_s": 999_999 })),
                422,
                post(format!("{acme}/holds/{third}/extend"), json!({})),
            ),
        ),
        (
            "refund",
            case(
                post(format!("{acme}/refunds"), json!({ "deduction_id": spent, "reason": "failed" })),
                post(format!("{acme}/refunds"), json!({ "deduction_id": "ded_9999", "reason": "failed" })),
                404,
                post(format!("{acme}/refunds"), json!({ "reason": "failed" })),
            ),
        ),
        (
            "quote",
            case(
                post(format!("{acme}/quote"), json!({ "type": "standard_generation" })),
                post(format!("{acme}/quote"), json!({ "type": "poem" })),
                422,
                post(format!("{acme}/quote"), json!({ "kind": "standard_generation" })),
            ),
        ),
        (
            "execute_commands",
            Case {
                success: post(
                    "/v1/commands",
                    json!([{ "account": "acme", "command": "deduct", "amount": 1, "idempotency_key": "b" }]),
                ),
                refusal: None,
                bad: Some(post("/v1/commands", json!({}))),
            },
        ),
    ])
}

async fn operating(server: &Server) -> BTreeMap<&'static str, Case> {
    let acme = "/v1/accounts/acme";
    indebt(server).await;
    BTreeMap::from([
        (
            "import_account",
            case(
                post("/v1/accounts/moving/import", json!({ "grants": [{ "source": "bonus", "amount": 5 }] })),
                post(format!("{acme}/import"), json!({})),
                409,
                post("/v1/accounts/moving/import", json!({ "grants": [{ "source": "bonus" }] })),
            ),
        ),
        (
            "grant",
            case(
                post(
                    format!("{acme}/grants"),
                    json!({ "source": "bonus", "amount": 1, "reason": "r", "grant_id": "g" }),
                ),
                post(
                    format!("{acme}/grants"),
                    json!({ "source": "bonus", "amount": 1, "reason": "r", "grant_id": "g" }),
                ),
                409,
                post(format!("{acme}/grants"), json!({ "source": "allocation", "amount": 1, "reason": "r" })),
            ),
        ),
        (
            "adjust",
            case(
                post(format!("{acme}/adjustments"), json!({ "amount": 1, "reason": "r" })),
                post(format!("{acme}/adjustments"), json!({ "amount": i64::MAX, "reason": "r" })),
                402,
                post(format!("{acme}/adjustments"), json!({ "amount": 1, "reason": "" })),
            ),
        ),
        (
            "forgive_debt",
            case(
                post("/v1/accounts/indebted/debt/forgive", json!({ "reason": "goodwill" })),
                post(format!("{acme}/debt/forgive"), json!({ "reason": "goodwill" })),
                409,
                post(format!("{acme}/debt/forgive"), json!({ "amount": 1.5, "reason": "goodwill" })),
            ),
        ),
        (
            "close_account",
            case(
                post("/v1/accounts/closing/close", json!({ "reason": "left" })),
                post("/v1/accounts/nobody/close", json!({ "reason": "left" })),
                404,
                post("/v1/accounts/closing/close", json!({})),
            ),
        ),
    ])
}

/// An account that owes: what it had bought and spent was refunded by the bank.
async fn indebt(server: &Server) {
    use crate::support::ledger::{noon, request};
    use counterfoil::{
        domain::{
            amount::{Currency, Money},
            command::{Command, PaymentCommand, PurchaseCommand, RecordPackPurchase},
            ids::{PackId, ProviderId},
        },
        ledger::IdempotencyKey,
    };
    server.open("indebted").await;
    let payment = ProviderId::parse("pi_1").expect("an id");
    let money = Money { minor: 600, currency: Currency::parse("usd").expect("a currency") };
    let purchase = Command::Purchase(PurchaseCommand::RecordPackPurchase(RecordPackPurchase {
        payment: payment.clone(),
        item: None,
        session: None,
        sold: None,
        subtotal: None,
        paid: None,
        pack: PackId::parse("pack_500").expect("an id"),
        quantity: 1,
        money: money.clone(),
        effective_at: noon(),
    }));
    let refund = Command::Payment(PaymentCommand::RecordRefundedPayment {
        payment,
        refunded: money.clone(),
        paid: money,
        effective_at: noon(),
    });
    let execute = async |command, key: &str| {
        server
            .test
            .ledger
            .execute(request("indebted", command, IdempotencyKey::stripe(key)))
            .await
            .expect("executed")
    };
    execute(purchase, "bought").await;
    server.post("/v1/accounts/indebted/deductions", json!({ "amount": 550 })).send().await;
    execute(refund, "refunded").await;
}

fn reading() -> BTreeMap<&'static str, Case> {
    let of_account = [
        ("get_account", ""),
        ("get_balance", "/balance"),
        ("get_overview", "/overview"),
        ("list_grants", "/grants"),
        ("list_holds", "/holds"),
        ("get_limits", "/limits"),
        ("get_entitlements", "/entitlements"),
        ("get_subscription", "/subscription"),
        ("list_subscriptions", "/subscriptions"),
        ("list_events", "/events"),
        ("get_subscription_history", "/subscription/history"),
        ("get_statement", "/statement"),
    ];
    let mut cases: BTreeMap<&'static str, Case> = of_account
        .into_iter()
        .map(|(id, path)| {
            let of = |account: &str, query: &str| get(format!("/v1/accounts/{account}{path}{query}"));
            (id, case(of("acme", ""), of("nobody", ""), 404, of("acme", "?min_position=x")))
        })
        .collect();
    let days = "from=2026-11-01&to=2026-11-30";
    cases.insert(
        "get_usage",
        case(
            get(format!("/v1/accounts/acme/usage?{days}")),
            get(format!("/v1/accounts/nobody/usage?{days}")),
            404,
            get("/v1/accounts/acme/usage"),
        ),
    );
    for (id, path) in [
        ("analyse_usage", "/v1/analytics/usage"),
        ("analyse_mrr", "/v1/analytics/mrr"),
        ("analyse_movements", "/v1/analytics/movements"),
    ] {
        let ahead = get(format!("{path}?{days}&min_position=p0-999999999"));
        cases.insert(id, case(get(format!("{path}?{days}")), ahead, 422, get(format!("{path}?from=x"))));
    }
    for (id, path) in [
        ("list_all_subscriptions", "/v1/subscriptions"),
        ("list_all_payments", "/v1/payments"),
        ("list_all_refunds", "/v1/refunds"),
    ] {
        let ahead = get(format!("{path}?min_position=p0-999999999"));
        cases.insert(id, case(get(path), ahead, 422, get(format!("{path}?cursor=x"))));
    }
    let list = |query: &str| get(format!("/v1/accounts{query}"));
    cases.insert("list_accounts", case(list(""), list("?min_position=p0-999999999"), 422, list("?cursor=x")));
    let bad = Some(get("/v1/catalog?account=a%20b"));
    cases.insert("get_catalog", Case { success: get("/v1/catalog"), refusal: None, bad });
    for (id, path) in [
        ("health", "/healthz"),
        ("readiness", "/readyz"),
        ("metrics", "/metrics"),
        ("list_projections", "/v1/projections"),
        ("list_api_keys", "/v1/api-keys"),
    ] {
        cases.insert(id, Case { success: get(path), refusal: None, bad: None });
    }
    let success = get("/v1/audit/verify");
    let bad = Some(get("/v1/audit/verify?read_models=perhaps"));
    cases.insert("verify_journal", Case { success, refusal: None, bad });
    cases.insert(
        "replay_account",
        case(
            get("/v1/audit/accounts/acme/replay"),
            get("/v1/audit/accounts/nobody/replay"),
            404,
            get("/v1/audit/accounts/acme/replay?as_of=now"),
        ),
    );
    cases
}

async fn looking_after(server: &Server) -> BTreeMap<&'static str, Case> {
    let event = |id: &str| {
        let text = include_str!("../../support/webhooks/2025-basil/customer.created.json");
        let mut event: Value = serde_json::from_str(text).expect("JSON");
        event["id"] = id.into();
        // Of the other mode: it is set aside, and waits for a person.
        event["livemode"] = true.into();
        event
    };
    server.deliver(&event("evt_1")).await;
    server.deliver(&event("evt_2")).await;
    let made = server.post("/v1/api-keys", json!({ "name": "n", "scopes": ["read"] })).send().await;
    let key = made.body["key"]["id"].as_str().expect("an id");
    let retry = |id: &str| (Method::POST, format!("/v1/inbox/{id}/retry"), None);
    let keys = "/v1/api-keys";
    let revoke = |id: &str| (Method::DELETE, format!("{keys}/{id}"), None);
    BTreeMap::from([
        (
            "receive_stripe_event",
            case(
                post("/v1/webhooks/stripe", event("evt_3")),
                post("/v1/webhooks/stripe", json!({})),
                400,
                post("/v1/webhooks/stripe", json!("no event")),
            ),
        ),
        (
            "list_inbox",
            Case { success: get("/v1/inbox?limit=1"), refusal: None, bad: Some(get("/v1/inbox?state=lost")) },
        ),
        (
            "get_inbox_event",
            case(get("/v1/inbox/evt_1"), get("/v1/inbox/evt_9"), 404, get("/v1/inbox/evt%209")),
        ),
        ("retry_inbox_event", case(retry("evt_1"), retry("evt_9"), 404, retry("evt%209"))),
        (
            "discard_inbox_event",
            case(
                post("/v1/inbox/evt_2/discard", json!({ "reason": "a test" })),
                post("/v1/inbox/evt_2/discard", json!({ "reason": "a test" })),
                409,
                post("/v1/inbox/evt_2/discard", json!({})),
            ),
        ),
        (
            "create_api_key",
            Case {
                success: post(keys, json!({ "name": "n", "scopes": ["read"] })),
                refusal: None,
                bad: Some(post(keys, json!({ "name": "n", "scopes": [] }))),
            },
        ),
        ("revoke_api_key", case(revoke(key), revoke("key_0"), 404, revoke("a%20b"))),
    ])
}
