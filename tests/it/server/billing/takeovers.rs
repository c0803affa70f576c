//! Does anybody become somebody else's customer? By an address, a name, an id or metadata that they name themselves.

use counterfoil::{
    auth::keys::KeyScope, domain::time::Timestamp, stripe::inbound::reconcile::ReconcileOptions,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    http::Answer,
    shop::{GOOD_CARD, Shop, pack, plan, with},
};

const EMAIL: &str = "ada@example.com";
/// Of somebody who has no account, and opens a payment link.
const STRANGER: &str = "mallory@example.com";
const PACK_500: &str = "price_of_stripe_price_pack_500";

/// A shop with a victim, who has paid, and whoever wants to be them, with a key for their own account.
struct Scene {
    shop: Shop,
    key: String,
    /// The victim's customer, card and payment at Stripe.
    customer: String,
    card: String,
    payment: String,
}

impl Scene {
    async fn begin() -> Self {
        let shop = Shop::start().await;
        shop.subscribe_other("victim").await;
        let path = "/v1/accounts/victim/customer";
        let told = shop.server.put(path, json!({ "email": EMAIL, "name": "Ada" })).send().await;
        assert!(told.status.is_success(), "{}", told.text);
        let customer = told.body["customer"].as_str().unwrap().to_owned();
        let form = [("type", "card"), ("card[token]", "tok_visa")];
        let card = shop.at_stripe(Method::POST, "/v1/payment_methods", &form).await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let methods = "/v1/accounts/victim/payment-methods";
        shop.server.post(methods, json!({ "payment_method": card })).send().await;
        shop.settled().await;
        let payments = shop.server.get("/v1/accounts/victim/payments").send().await;
        let payment = payments.body["payments"][0]["payment"].as_str().expect("they have paid").to_owned();
        let key =
            shop.server.key([KeyScope::Billing, KeyScope::Read, KeyScope::Deduct], Some(&["acme"])).await;
        Self { shop, key, customer, card, payment }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let call = self.shop.server.call(method, &format!("/v1/accounts/acme/{path}")).key(&self.key);
        let call = call.header("idempotency-key", &uuid::Uuid::new_v4().to_string());
        match body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }

    async fn charge(&self, card: &str) -> Answer {
        let made = self.ask(Method::POST, "payments", Some(json!({ "pack": "pack_500" }))).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let path = format!("payments/{}/confirm", made.body["payment"].as_str().unwrap());
        self.ask(Method::POST, &path, Some(json!({ "payment_method": card, "off_session": true }))).await
    }

    /// Somebody opens a payment link that the operator made, writes into its address whose it is, and pays. What Stripe
    /// calls them, if it does, and what they bought.
    async fn by_link(&self, price: &str, of: &str, metadata: Value) -> (Option<String>, Value) {
        let made = json!({ "items": [[price, 1]], "metadata": metadata });
        let link = self.shop.control("payment_links", made).await;
        let page = format!("{}?client_reference_id={of}", link["url"].as_str().unwrap());
        assert!(reqwest::get(page).await.unwrap().status().is_success());
        let session = self.shop.list("/v1/checkout/sessions").await[0].clone();
        assert_eq!(session["client_reference_id"], of);
        let path = format!("checkout/{}/pay", session["id"].as_str().unwrap());
        let paid = self.shop.control(&path, json!({ "card": GOOD_CARD, "email": STRANGER })).await;
        self.shop.settled().await;
        (paid["customer"].as_str().map(str::to_owned), paid)
    }

    async fn creator(&self) -> String {
        let prices = self.shop.list("/v1/prices").await;
        let of_plan =
            |price: &&Value| price["product"] == "prod_creator" && price["recurring"]["interval"] == "month";
        prices.iter().find(of_plan).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// An account that a stranger has named is not their customer, and is shown nothing of them.
    async fn is_not_the_strangers(&self, account: &str, stranger: Option<&str>) {
        let links = "select account from ledger.stripe_links where customer = $1";
        let links: Vec<String> = sqlx::query_scalar(links)
            .bind(stranger)
            .fetch_all(&self.shop.server.test.database.pool())
            .await
            .unwrap();
        assert_eq!(links, [""; 0]);
        for path in
            ["customer", "payment-methods", "payments", "invoices", "subscriptions", "overview", "events"]
        {
            let answer = self.shop.server.get(&format!("/v1/accounts/{account}/{path}")).send().await;
            let said = stranger.into_iter().chain([STRANGER]).find(|said| answer.text.contains(said));
            assert_eq!(said, None, "{path}: {}", answer.text);
        }
        let portal = format!("/v1/accounts/{account}/portal-sessions");
        let portal =
            self.shop.server.post(&portal, json!({ "return_url": "https://example.com" })).send().await;
        assert!(stranger.is_none_or(|stranger| !portal.text.contains(stranger)), "{}", portal.text);
    }

    async fn available(&self, account: &str) -> i64 {
        self.shop.server.balance(account).await["available"].as_i64().unwrap()
    }

    /// Nothing of the victim's is seen or used by the account of whoever has the key.
    async fn nothing_is_theirs(&self, way: &str) {
        self.shop.settled().await;
        let of_victim = [self.customer.as_str(), self.card.as_str(), self.payment.as_str()];
        for path in
            ["customer", "payment-methods", "payments", "invoices", "subscriptions", "overview", "events"]
        {
            let answer = self.ask(Method::GET, path, None).await;
            let said = of_victim.iter().find(|id| answer.text.contains(**id));
            assert_eq!(said, None, "{way}: {path}: {}", answer.text);
        }
        let links = "select account from ledger.stripe_links where customer = $1";
        let links: Vec<String> = sqlx::query_scalar(links)
            .bind(&self.customer)
            .fetch_all(&self.shop.server.test.database.pool())
            .await
            .unwrap();
        assert_eq!(links, ["victim"], "{way}");
        let charged = self.charge(&self.card).await;
        assert!(!charged.status.is_success(), "{way}: {}", charged.text);
        let portal = self
            .ask(Method::POST, "portal-sessions", Some(json!({ "return_url": "https://example.com" })))
            .await;
        assert!(!portal.text.contains(&self.customer), "{way}: {}", portal.text);
        let victims = self.shop.server.get("/v1/accounts/victim/customer").send().await;
        assert_eq!(
            (&victims.body["customer"], &victims.body["email"]),
            (&json!(self.customer), &json!(EMAIL)),
            "{way}"
        );
    }
}

#[tokio::test]
async fn by_an_address_at_a_checkout_opened_or_paid_nobody_becomes_another() {
    let scene = Scene::begin().await;
    for (way, body) in [("a pack", pack()), ("a plan", plan())] {
        let opened =
            scene.ask(Method::POST, "checkout-sessions", Some(with(body, "email", json!(EMAIL)))).await;
        assert_eq!(opened.status, 201, "{}", opened.text);
        scene.nothing_is_theirs(way).await;
        scene.shop.pay(&opened.body).await;
        scene.nothing_is_theirs(way).await;
    }
}

#[tokio::test]
async fn by_metadata_nobody_becomes_another() {
    let scene = Scene::begin().await;
    for name in ["account_id", "customer", "client_reference_id"] {
        for (path, body) in [("checkout-sessions", pack()), ("checkout-sessions", plan())] {
            let metadata = json!({ name: "victim" });
            let answer = scene.ask(Method::POST, path, Some(with(body, "metadata", metadata))).await;
            if name == "account_id" {
                answer.is_problem(422, "invalid_request");
            } else if answer.status == 201 {
                scene.shop.pay(&answer.body).await;
            }
        }
        scene.nothing_is_theirs(name).await;
    }
    let opened = json!({ "metadata": { "account_id": "victim", "customer": scene.customer } });
    scene.ask(Method::PUT, "", Some(opened)).await;
    scene.nothing_is_theirs("of the account").await;
}

/// Whoever pays may say for whom, and gives it to them. It says nothing of who they are.
#[tokio::test]
async fn by_a_payment_link_nobody_becomes_another() {
    let scene = Scene::begin().await;
    let before = scene.available("victim").await;
    let (stranger, _) = scene.by_link(PACK_500, "victim", json!({})).await;
    assert_eq!(scene.available("victim").await, before + 500, "it is paid for");
    scene.is_not_the_strangers("victim", stranger.as_deref()).await;
    let (stranger, bought) = scene.by_link(&scene.creator().await, "victim", json!({})).await;
    scene.is_not_the_strangers("victim", stranger.as_deref()).await;
    let subscription = bought["subscription"].as_str().unwrap();
    let listed = scene.shop.server.get("/v1/accounts/victim/subscriptions").send().await;
    assert!(!listed.text.contains(subscription), "{}", listed.text);
    assert_eq!(scene.available("victim").await, before + 500);
    scene.nothing_is_theirs("a payment link").await;
}

/// Whoever pays first chooses no customer for an account that is none yet.
#[tokio::test]
async fn by_a_payment_link_nobody_makes_another_their_customer() {
    let scene = Scene::begin().await;
    let (sold, name) = ([PACK_500.to_owned(), scene.creator().await], "newcomer");
    scene.shop.server.open(name).await;
    for price in &sold {
        let (stranger, _) = scene.by_link(price, name, json!({})).await;
        scene.is_not_the_strangers(name, stranger.as_deref()).await;
        let opened = scene.shop.checkout_of(name, price, &pack()).await;
        assert_eq!(opened.status, 201, "{}", opened.text);
        let session = opened.body["checkout_session_id"].as_str().unwrap();
        let session =
            scene.shop.at_stripe(Method::GET, &format!("/v1/checkout/sessions/{session}"), &[]).await;
        assert!(session["customer"].is_string() && session["customer"] != json!(stranger), "{session}");
    }
    assert_eq!(scene.available(name).await, 50 + 500);
}

/// A link whose metadata names an account is that account's, whatever its address says.
#[tokio::test]
async fn an_operators_link_says_whose_it_is() {
    let scene = Scene::begin().await;
    let before = scene.available("victim").await;
    let of_acme = json!({ "account_id": "acme" });
    scene.by_link(PACK_500, "victim", of_acme.clone()).await;
    let (customer, _) = scene.by_link(&scene.creator().await, "victim", of_acme).await;
    scene.shop.until("/v1/accounts/acme/balance", |balance| balance["available"] == 50 + 500 + 1_500).await;
    assert_eq!(scene.available("victim").await, before);
    let own = scene.shop.server.get("/v1/accounts/acme/customer").send().await;
    assert_eq!(own.body["customer"], json!(customer.unwrap()));
    scene.nothing_is_theirs("an operator's link").await;
}

/// What was bought by somebody of whom only they say who they are waits for the operator.
#[tokio::test]
async fn a_subscription_by_a_link_is_had_once_the_operator_says_whose_it_is() {
    let scene = Scene::begin().await;
    scene.shop.server.open("friend").await;
    let (customer, _) = scene.by_link(&scene.creator().await, "friend", json!({})).await;
    let account = scene.shop.server.get("/v1/accounts/friend").send().await;
    assert_eq!((&account.body["plan"], scene.available("friend").await), (&json!("free"), 50));
    let form = [("metadata[account_id]", "friend")];
    scene.shop.at_stripe(Method::POST, &format!("/v1/customers/{}", customer.unwrap()), &form).await;
    scene.shop.until("/v1/accounts/friend", |account| account["plan"] == "creator").await;
    scene.shop.until("/v1/accounts/friend/balance", |balance| balance["available"] == 1_550).await;
}

#[tokio::test]
async fn by_saying_who_one_is_nobody_becomes_another() {
    let scene = Scene::begin().await;
    let told = scene.ask(Method::PUT, "customer", Some(json!({ "email": EMAIL, "name": "Ada" }))).await;
    assert!(told.status.is_success() && told.body["customer"] != scene.customer, "{}", told.text);
    scene.nothing_is_theirs("an address").await;
    let named = scene.ask(Method::PUT, "customer", Some(json!({ "customer": scene.customer }))).await;
    named.is_problem(422, "invalid_request");
    scene.nothing_is_theirs("an id").await;
}

/// What is refused of another's card is possible with one's own.
#[tokio::test]
async fn ones_own_card_is_charged() {
    let scene = Scene::begin().await;
    let form = [("type", "card"), ("card[token]", "tok_visa")];
    let own = scene.shop.at_stripe(Method::POST, "/v1/payment_methods", &form).await;
    let own = own["id"].as_str().unwrap();
    let attached = scene.ask(Method::POST, "payment-methods", Some(json!({ "payment_method": own }))).await;
    assert_eq!(attached.status, 201, "{}", attached.text);
    let charged = scene.charge(own).await;
    assert!(charged.status.is_success(), "{}", charged.text);
    scene.nothing_is_theirs("one's own card").await;
}

#[tokio::test]
async fn by_their_card_nobody_becomes_another() {
    let scene = Scene::begin().await;
    let taken =
        scene.ask(Method::POST, "payment-methods", Some(json!({ "payment_method": scene.card }))).await;
    taken.is_problem(409, "payment_method_taken");
    for path in [format!("payment-methods/{}/default", scene.card), format!("payment-methods/{}", scene.card)]
    {
        let method = if path.ends_with("default") { Method::PUT } else { Method::DELETE };
        let answer = scene.ask(method, &path, None).await;
        assert!(answer.status.as_u16() >= 400, "{path}: {}", answer.text);
    }
    for path in ["", "/cancel", "/capture", "/refunds"] {
        let body = (path == "/refunds").then(|| json!({ "reason": "mine" }));
        let method = if path.is_empty() { Method::GET } else { Method::POST };
        let answer = scene.ask(method, &format!("payments/{}{path}", scene.payment), body).await;
        assert!(answer.status.as_u16() >= 400, "{path}: {}", answer.text);
    }
    scene.nothing_is_theirs("a card").await;
}

/// Whoever moves accounts in names their customers, and is an operator. What another account is, none becomes.
#[tokio::test]
async fn by_moving_in_nobody_becomes_another() {
    let scene = Scene::begin().await;
    let moved = json!({ "as_of": "2026-11-20T00:00:00Z", "customer": scene.customer, "grants": [] });
    scene.ask(Method::POST, "import", Some(moved.clone())).await.is_problem(403, "scope_missing");
    let answer = scene.shop.server.post("/v1/accounts/newcomer/import", moved).send().await;
    answer.is_problem(409, "customer_taken");
    scene.nothing_is_theirs("moving in").await;
    // One that is nobody's is found by what Stripe tells of it from then on, and is nobody else's.
    let nobodys =
        scene.shop.at_stripe(Method::POST, "/v1/customers", &[("email", EMAIL)]).await["id"].clone();
    let import = async |account: &str| {
        let moved = json!({ "customer": nobodys, "grants": [] });
        scene.shop.server.post(&format!("/v1/accounts/{account}/import"), moved).send().await
    };
    assert_eq!(import("newcomer").await.status, 201);
    let own = scene.shop.server.get("/v1/accounts/newcomer/customer").send().await;
    assert_eq!(own.body["customer"], nobodys);
    import("another").await.is_problem(409, "customer_taken");
    let links = "select account from ledger.stripe_links where customer = $1";
    let links: Vec<String> = sqlx::query_scalar(links)
        .bind(nobodys.as_str())
        .fetch_all(&scene.shop.server.test.database.pool())
        .await
        .unwrap();
    assert_eq!(links, ["newcomer"]);
}

/// Whose a customer is is known before Stripe tells of it: from the moment on in which it was made for somebody.
#[tokio::test]
async fn by_moving_in_nobody_becomes_a_customer_that_was_made_for_another() {
    let shop = Shop::start().await;
    shop.server.stop_handling();
    let path = "/v1/accounts/acme/customer";
    let told = shop.server.put(path, json!({ "email": EMAIL })).send().await;
    assert!(told.status.is_success(), "{}", told.text);
    shop.server.open("buyer").await;
    let opened = shop.checkout_of("buyer", "first", &pack()).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let customers = shop.list("/v1/customers").await;
    assert_eq!(customers.len(), 2, "{customers:?}");
    for (number, customer) in customers.iter().enumerate() {
        let moved = json!({ "customer": customer["id"], "grants": [] });
        let path = format!("/v1/accounts/newcomer_{number}/import");
        shop.server.post(&path, moved).send().await.is_problem(409, "customer_taken");
    }
    // It is still the buyer's own.
    let again = shop.checkout_of("buyer", "second", &pack()).await;
    assert_eq!(again.status, 201, "{}", again.text);
    assert_eq!(shop.list("/v1/customers").await.len(), 2);
}

#[tokio::test]
async fn by_a_comparison_with_stripe_nobody_becomes_another() {
    let scene = Scene::begin().await;
    let opened =
        scene.ask(Method::POST, "checkout-sessions", Some(with(pack(), "email", json!(EMAIL)))).await;
    scene.shop.pay(&opened.body).await;
    // What Stripe told is lost, and made up for.
    let order = ReconcileOptions {
        since: Timestamp::from_seconds(0).unwrap(),
        fetch_events: true,
        rebuild_events: true,
    };
    scene.shop.reconciler().run(order, |_, _| {}).await.unwrap();
    scene.nothing_is_theirs("a comparison").await;
}
