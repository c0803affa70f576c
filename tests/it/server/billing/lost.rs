//! What if webhooks of what is bought over HTTP are lost? A story is lived at the sandbox, and told by what it lists in
//! the end.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use counterfoil::stripe::inbound::reconcile::{DAYS_DEFAULT, ReconcileOptions, ReconcileReport, Subject};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    catalogs,
    shop::{ACME, Shop, pack, plan},
};

const PATIENCE: Duration = Duration::from_secs(30);

impl Shop {
    async fn lose(&self, percent: u64) {
        self.control("faults", json!({ "drop_percent": percent })).await;
    }

    /// Waits until everything that is not lost was delivered and handled.
    async fn delivered(&self) {
        let begin = Instant::now();
        loop {
            let about = reqwest::get(format!("{}/_sandbox", self.sandbox.url())).await.unwrap();
            let about: Value = about.json().await.unwrap();
            let received = self.server.get("/v1/inbox?state=received").send().await.body;
            if about["deliveries_waiting"] == 0 && received["events"] == json!([]) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{about} {received}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn pass(&self, time: &str) {
        self.control("clock", json!({ "advance": time })).await;
        self.delivered().await;
    }

    async fn buy(&self, key: &str, what: &Value) -> Value {
        let opened = self.checkout(key, what).await;
        assert_eq!(opened.status, 201, "{}", opened.text);
        let paid = self.pay(&opened.body).await;
        self.delivered().await;
        paid
    }

    /// Two months of a customer's: a plan, a renewal, a credit note, packs, a refund, a dispute, an end.
    async fn live(&self) {
        self.buy("plan", &plan()).await;
        self.pass("40 days").await;
        let renewal = self.list("/v1/invoices").await[0]["id"].as_str().unwrap().to_owned();
        let note = [("invoice", renewal.as_str()), ("credit_amount", "300"), ("out_of_band_amount", "100")];
        let note = self.at_stripe(Method::POST, "/v1/credit_notes", &note).await;
        assert_eq!(note["post_payment_amount"], 400, "{note}");
        self.buy("first", &pack()).await;
        self.buy("second", &pack()).await;
        let payments = self.list("/v1/payment_intents").await;
        let [second, first] = [0, 1].map(|place| payments[place]["id"].as_str().unwrap());
        let half = [("payment_intent", first), ("amount", "500")];
        self.at_stripe(Method::POST, "/v1/refunds", &half).await;
        let dispute = self.control("disputes", json!({ "payment_intent": second })).await;
        self.pass("2 days").await;
        let dispute = format!("disputes/{}", dispute["id"].as_str().unwrap());
        self.control(&dispute, json!({ "status": "lost" })).await;
        let subscription = self.list("/v1/subscriptions").await[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/subscriptions/{subscription}");
        self.at_stripe(Method::POST, &path, &[("cancel_at_period_end", "true")]).await;
        self.pass("1 minute").await;
    }

    async fn compare(&self, repair: bool) -> ReconcileReport {
        self.compare_since(365, repair).await
    }

    async fn compare_since(&self, days: i64, repair: bool) -> ReconcileReport {
        let since = self.server.test.clock.now().minus(TimeDelta::days(days));
        let order = ReconcileOptions { since, fetch_events: repair, rebuild_events: repair };
        self.reconciler().run(order, |_, _| {}).await.unwrap()
    }

    /// What the account has in the end, without ids that are by chance.
    async fn holdings(&self) -> Value {
        let account = self.server.get(ACME).send().await.body;
        let subscription = self.server.get(&format!("{ACME}/subscription")).send().await.body;
        let grants = self.server.get(&format!("{ACME}/grants?limit=1000")).send().await.body;
        let terms = |grant: &Value| {
            ["source", "status", "granted", "expired", "voided", "remaining", "expires_at"]
                .map(|name| grant[name].clone())
        };
        let mut grants: Vec<_> = grants["grants"].as_array().unwrap().iter().map(terms).collect();
        grants.sort_by_key(|grant| format!("{grant:?}"));
        json!({
            "plan": account["plan"], "balance": account["balance"], "grants": grants,
            "ends": subscription["subscription"]["cancel_at"],
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_lost_ends_as_if_nothing_had_been() {
    let told = Shop::start().await;
    told.live().await;
    let report = told.compare(false).await;
    assert!(report.found_nothing(), "{report:#?}");
    let whole = told.holdings().await;
    for percent in [20, 100] {
        let shop = Shop::start().await;
        shop.lose(percent).await;
        shop.live().await;
        shop.lose(0).await;
        let before = shop.compare(false).await;
        assert!(percent == 20 || before.remaining() > 0);
        let repaired = shop.compare(true).await;
        assert_eq!(repaired.remaining(), 0, "{percent} %: {repaired:#?}");
        assert!(shop.compare(false).await.found_nothing(), "{percent} %");
        assert_eq!(shop.holdings().await, whole, "{percent} %");
        let audit = shop.server.get("/v1/audit/verify").send().await.body;
        assert_eq!(audit["clean"], true, "{audit}");
    }
}

/// Months without a webhook, of which the events are gone too: what is left of it are the objects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_story_of_which_only_the_objects_are_left_ends_the_same() {
    let mut endings = Vec::new();
    for percent in [0, 100] {
        let shop = Shop::start().await;
        shop.lose(percent).await;
        shop.live().await;
        let refund = shop.list("/v1/refunds").await[0]["id"].as_str().unwrap().to_owned();
        shop.control(&format!("refunds/{refund}/fail"), json!({})).await;
        shop.pass("60 days").await;
        shop.lose(0).await;
        let found = shop.compare(true).await;
        assert_eq!((found.remaining(), found.missing_events.len()), (0, 0), "{percent} %: {found:#?}");
        let kinds: BTreeSet<Subject> = found.drifts.iter().map(|drift| drift.subject).collect();
        // Customers are linked before anything is sold to them, each invoice was paid, and packs were sold by
        // checkouts.
        let other = [Subject::Customer, Subject::UnpaidInvoice, Subject::Payment];
        let all = Subject::ALL.into_iter().filter(|subject| !other.contains(subject) && percent == 100);
        assert_eq!(kinds, all.collect(), "{percent} %");
        assert!(shop.compare(false).await.found_nothing(), "{percent} %");
        let pool = shop.server.test.database.pool();
        let rebuilt = "select convert_from(body, 'UTF8') from ledger.stripe_inbox where proof = 'rebuilt'";
        let rebuilt: Vec<String> = sqlx::query_scalar(rebuilt).fetch_all(&pool).await.unwrap();
        assert_eq!(rebuilt.is_empty(), percent == 0);
        // An event names a charge, and shows neither who paid nor the secret of the browser.
        assert!(
            !rebuilt.iter().any(|body| body.contains("billing_details") || body.contains("client_secret"))
        );
        endings.push(whenever_told(shop.holdings().await));
    }
    assert_eq!(endings[1], endings[0]);
}

/// What a month had left when it was over expired, unless it was known by then that its money had gone back: then that
/// part was taken back before. Either way it is gone.
fn whenever_told(mut holdings: Value) -> Value {
    for grant in holdings["grants"].as_array_mut().unwrap() {
        let [source, status, granted, expired, voided, remaining, ends] = &grant.as_array().unwrap()[..]
        else {
            panic!("{grant}")
        };
        let gone = expired.as_i64().unwrap() + voided.as_i64().unwrap();
        *grant = json!([source, status, granted, gone, remaining, ends]);
    }
    holdings["grants"].as_array_mut().unwrap().sort_by_key(ToString::to_string);
    holdings
}

/// What Stripe no longer lists as events is told by the objects, and ends in the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_long_ago_is_told_by_the_objects() {
    let shop = Shop::start().await;
    shop.lose(100).await;
    shop.buy("pack", &pack()).await;
    shop.pass("45 days").await;
    shop.lose(0).await;
    let found = shop.compare(false).await;
    assert_eq!((found.missing_events.len(), found.drifts.len()), (0, 1), "{found:#?}");
    let drift = &found.drifts[0];
    assert_eq!(drift.account.as_ref().map(ToString::to_string).as_deref(), Some("acme"));
    assert_eq!(
        (drift.event_type, drift.cause.sentence().as_str()),
        ("checkout.session.completed", "no event tells of it")
    );
    assert_eq!(drift.ledger_says, "nothing");
    assert!(shop.compare(true).await.drifts.iter().all(|drift| drift.repaired));
    assert!(shop.compare(false).await.found_nothing());
    let balance = shop.server.balance("acme").await;
    assert_eq!(balance["available"], 1_050, "{balance}");
}

/// How many events there are at Stripe, where each change makes one.
async fn happened(shop: &Shop) -> Value {
    shop.at_stripe(Method::GET, "/_sandbox", &[]).await["events"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_older_than_ninety_days_is_compared_where_that_is_asked_for_and_nothing_changes_at_stripe() {
    let shop = Shop::start().await;
    shop.lose(100).await;
    shop.buy("pack", &pack()).await;
    shop.pass("100 days").await;
    shop.lose(0).await;
    let before = happened(&shop).await;
    assert!(shop.compare_since(DAYS_DEFAULT.into(), true).await.found_nothing());
    let found = shop.compare_since(101, true).await;
    assert_eq!((found.drifts.len(), found.remaining()), (1, 0), "{found:#?}");
    assert_eq!(shop.server.balance("acme").await["available"], 1_050);
    assert_eq!(happened(&shop).await, before);
}

/// Partly by one payment, and the rest by another or outside of Stripe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_that_several_payments_paid_is_the_same() {
    for outside in ["false", "true"] {
        let shop = Shop::start().await;
        shop.buy("plan", &plan()).await;
        let subscription = shop.list("/v1/subscriptions").await[0].clone();
        let path = format!("/v1/subscriptions/{}", subscription["id"].as_str().unwrap());
        let customer = [("customer", subscription["customer"].as_str().unwrap())];
        let fails = "/v1/payment_methods/pm_card_chargeCustomerFail/attach";
        let fails = shop.at_stripe(Method::POST, fails, &customer).await;
        let fails = [("default_payment_method", fails["id"].as_str().unwrap())];
        shop.at_stripe(Method::POST, &path, &fails).await;
        shop.pass("32 days").await;
        let open = shop.list("/v1/invoices").await[0].clone();
        assert_eq!(open["status"], "open", "{open}");
        let intent = [
            ("amount", "700"),
            ("currency", "usd"),
            ("customer", open["customer"].as_str().unwrap()),
            ("payment_method", "pm_card_visa"),
            ("confirm", "true"),
            ("off_session", "true"),
        ];
        let intent = shop.at_stripe(Method::POST, "/v1/payment_intents", &intent).await;
        let path = format!("/v1/invoices/{}", open["id"].as_str().unwrap());
        let part = [("payment_intent", intent["id"].as_str().unwrap())];
        shop.at_stripe(Method::POST, &format!("{path}/attach_payment"), &part).await;
        let visa = shop.at_stripe(Method::POST, "/v1/payment_methods/pm_card_visa/attach", &customer).await;
        let paid = [("paid_out_of_band", outside), ("payment_method", visa["id"].as_str().unwrap())];
        let paid = if outside == "true" { &paid[..1] } else { &paid[1..] };
        let paid = shop.at_stripe(Method::POST, &format!("{path}/pay"), paid).await;
        assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &open["total"]));
        shop.pass("1 minute").await;
        let report = shop.compare(false).await;
        assert!(report.is_the_same(), "{outside}: {report:#?}");
    }
}

/// A first debit, and that of an upgrade, while they are on their way and when they have come; where the catalog trusts
/// them, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debits_that_are_on_their_way_are_the_same() {
    for trusts in [false, true] {
        let text =
            catalogs::MUSIC.replace("trust_processing = false", &format!("trust_processing = {trusts}"));
        let shop = Shop::selling(catalogs::for_sale(&text)).await;
        shop.become_customer().await;
        let customer = shop.list("/v1/customers").await[0]["id"].as_str().unwrap().to_owned();
        let attach = "/v1/payment_methods/pm_usBankAccount_success/attach";
        let method = shop.at_stripe(Method::POST, attach, &[("customer", &customer)]).await;
        let price = |plan: &str| format!("price_of_stripe_price_{plan}");
        let form = [
            ("customer", customer.as_str()),
            ("items[0][price]", &price("basic")),
            ("default_payment_method", method["id"].as_str().unwrap()),
        ];
        let made = shop.at_stripe(Method::POST, "/v1/subscriptions", &form).await;
        let is_the_same = async |plan: &str, trusted: &str| {
            shop.pass("1 minute").await;
            let report = shop.compare(false).await;
            assert!(report.is_the_same(), "{trusts}: {report:#?}");
            let expected = if trusts { trusted } else { plan };
            assert_eq!(shop.server.get(ACME).send().await.body["plan"], json!(expected));
        };
        is_the_same("free", "basic").await;
        shop.pass("8 days").await;
        is_the_same("basic", "basic").await;
        let item = made["items"]["data"][0]["id"].as_str().unwrap();
        let form = [
            ("items[0][id]", item),
            ("items[0][price]", &price("creator")),
            ("proration_behavior", "always_invoice"),
        ];
        let path = format!("/v1/subscriptions/{}", made["id"].as_str().unwrap());
        shop.at_stripe(Method::POST, &path, &form).await;
        is_the_same("basic", "creator").await;
        shop.pass("8 days").await;
        is_the_same("creator", "creator").await;
    }
}
