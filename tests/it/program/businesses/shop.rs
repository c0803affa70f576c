//! How does a story act? As a customer on the sandbox's pages, as the product over the API, and as time itself.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use chrono::{DateTime, Datelike, Months};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{database::TestDatabase, program::Served};

use super::{COLLECTED_S, HOUR_S};

const PATIENCE: Duration = Duration::from_secs(20);

/// One business with one customer, whose account has the name `acme`.
pub struct Shop {
    served: Served,
    sandbox: String,
    client: reqwest::Client,
    /// How many commands were sent: each has a key of its own.
    sent: AtomicU32,
}

/// What somebody buys on the checkout page.
pub enum Sold<'a> {
    Plan { price: &'a str, trial_days: u32 },
    Pack { code: &'a str, price: &'a str, quantity: u32 },
}

impl Shop {
    /// The program with a catalog, and with an account that has just signed up.
    pub async fn open(database: &TestDatabase, catalog: &str, settings: &[(&str, &str)]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogs").join(catalog);
        let url = database.url();
        let settings: Vec<(String, String)> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let served = tokio::task::spawn_blocking(move || {
            Served::start(|command| {
                command.env("DATABASE_URL", url).env("COUNTERFOIL_CATALOG", path);
                command.envs(settings).arg("--sandbox");
            })
        });
        let served = served.await.expect("it starts");
        let sandbox = served.banner["sandbox"].as_str().expect("it names its sandbox").to_owned();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let shop = Self { served, sandbox, client: client.expect("a client"), sent: AtomicU32::new(0) };
        shop.wait_until(first_noon(shop.now().await)).await;
        let (status, body) = shop.command(Method::PUT, "", &json!({})).await;
        assert_eq!(status, 201, "{body}");
        // What the free plan gives begins and ends before what is paid for, by more than a moment.
        shop.wait_until(shop.now().await + HOUR_S).await;
        shop
    }

    // ------------------------------------------------------------------------------------------------ the ledger

    pub async fn ledger(&self, path: &str) -> Value {
        let request = self.client.get(self.served.url(path)).bearer_auth(self.served.admin_key());
        let (status, body) = answered(request).await;
        assert_eq!(status, 200, "{path}: {body:#}");
        body
    }

    pub async fn account(&self, what: &str) -> Value {
        self.ledger(&format!("/v1/accounts/acme{what}")).await
    }

    async fn command(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let url = self.served.url(&format!("/v1/accounts/acme{path}"));
        let request = self.client.request(method, url).bearer_auth(self.served.admin_key());
        answered(request.header("Idempotency-Key", format!("story-{number}")).json(body)).await
    }

    /// Asks for a generation; returns the status, and the answer.
    pub async fn try_to_spend(&self, kind: &str, options: Value) -> (u16, Value) {
        self.command(Method::POST, "/generations", &json!({ "type": kind, "options": options })).await
    }

    /// A generation that costs `credits`.
    pub async fn spend(&self, kind: &str, options: Value, credits: i64) {
        let (status, body) = self.try_to_spend(kind, options).await;
        assert_eq!((status, &body["amount"]), (201, &json!(credits)), "{kind}: {body:#}");
    }

    /// Spends `credits`, of whatever they are.
    pub async fn deduct(&self, credits: i64) {
        let (status, body) = self.command(Method::POST, "/deductions", &json!({ "amount": credits })).await;
        assert_eq!((status, &body["amount"]), (201, &json!(credits)), "{body:#}");
    }

    /// A generation that is refused with this status and code.
    pub async fn refused(&self, kind: &str, status: u16, code: &str) {
        let (said, body) = self.try_to_spend(kind, json!({})).await;
        assert_eq!((said, &body["code"]), (status, &json!(code)), "{kind}: {body:#}");
    }

    // ----------------------------------------------------------------------------------------------- the sandbox

    pub async fn stripe(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.sandbox)).bearer_auth("sk_test_story");
        let (status, body) = answered(request).await;
        assert_eq!(status, 200, "{path}: {body:#}");
        body
    }

    pub async fn tell_stripe(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let request = self.client.post(format!("{}{path}", self.sandbox)).bearer_auth("sk_test_story");
        let (status, body) = answered(request.form(form)).await;
        assert_eq!(status, 200, "{path}: {body:#}");
        body
    }

    async fn control(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}/_sandbox/{path}", self.sandbox)).json(body);
        let (status, body) = answered(request).await;
        assert_eq!(status, 200, "{path}: {body:#}");
        body
    }

    pub async fn now(&self) -> i64 {
        self.stripe("/_sandbox").await["now"].as_i64().expect("seconds")
    }

    /// Lets time pass until `at`.
    pub async fn wait_until(&self, at: i64) {
        self.control("clock", &json!({ "to": at })).await;
        self.settled().await;
    }

    /// Everything that Stripe has to tell was told, and processed.
    pub async fn settled(&self) {
        let begin = Instant::now();
        loop {
            let about = self.stripe("/_sandbox").await;
            let mut open = about["deliveries_waiting"].as_u64().expect("a count");
            for state in ["received", "waiting"] {
                let listed = self.ledger(&format!("/v1/inbox?state={state}")).await;
                open += listed["events"].as_array().expect("a list").len() as u64;
            }
            if open == 0 {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{open} events are not processed");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// The page to pay on, of a session as the product would make it.
    async fn checkout(&self, sold: &Sold<'_>) -> String {
        let (mode, price, quantity) = match sold {
            Sold::Plan { price, .. } => ("subscription", price, 1),
            Sold::Pack { price, quantity, .. } => ("payment", price, *quantity),
        };
        let quantity = quantity.to_string();
        let mut form = vec![
            ("mode", mode.to_owned()),
            ("client_reference_id", "acme".to_owned()),
            ("metadata[account_id]", "acme".to_owned()),
            ("success_url", "https://shop.example/thanks".to_owned()),
            ("line_items[0][price]", (*price).to_owned()),
            ("line_items[0][quantity]", quantity),
        ];
        match sold {
            Sold::Plan { trial_days: 0, .. } => {}
            Sold::Plan { trial_days, .. } => {
                form.push(("subscription_data[trial_period_days]", trial_days.to_string()));
            }
            Sold::Pack { code, .. } => {
                form.push(("metadata[kind]", "topup".to_owned()));
                form.push(("metadata[topup_code]", (*code).to_owned()));
            }
        }
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let session = self.tell_stripe("/v1/checkout/sessions", &form).await;
        session["url"].as_str().expect("a page").to_owned()
    }

    async fn type_card(&self, page: &str, number: &str) -> (u16, String) {
        let fields = [("email", "ada@example.com"), ("number", number), ("expiry", "12/49"), ("cvc", "123")];
        let response = self.client.post(page).form(&fields).send().await.expect("it answers");
        (response.status().as_u16(), response.text().await.expect("a page"))
    }

    /// Pays on the checkout page, which leads back to the shop.
    pub async fn buy(&self, sold: &Sold<'_>, card: &str) {
        let page = self.checkout(sold).await;
        let (status, said) = self.type_card(&page, card).await;
        assert_eq!(status, 303, "{said}");
        self.settled().await;
    }

    /// Buys what the overview offers, and pays on the page that it leads to.
    pub async fn buy_from_the_overview(&self, price: &str, card: &str) {
        let form = [("price", price), ("for", "acme")];
        let bought = self.client.post(format!("{}/buy", self.sandbox)).form(&form).send().await;
        let bought = bought.expect("it answers");
        let page = bought.headers()["location"].to_str().expect("an address");
        let (status, said) = self.type_card(page, card).await;
        assert_eq!(status, 303, "{said}");
        self.settled().await;
    }

    /// Tries to pay on the checkout page, which says why that does not work.
    pub async fn declined(&self, sold: &Sold<'_>, card: &str, why: &str) {
        let page = self.checkout(sold).await;
        let (status, said) = self.type_card(&page, card).await;
        assert_eq!(status, 200);
        assert!(said.contains(why), "{said}");
        self.settled().await;
    }

    /// The subscription that was made last, as the sandbox has it.
    pub async fn subscription(&self) -> Option<Value> {
        self.stripe("/v1/subscriptions?status=all&limit=1").await["data"].get(0).cloned()
    }

    async fn subscribed(&self) -> Value {
        self.subscription().await.expect("somebody has subscribed")
    }

    /// When the current period begins and ends.
    pub async fn period(&self) -> (i64, i64) {
        let item = &self.subscribed().await["items"]["data"][0];
        let bound = |name: &str| item[name].as_i64().expect("seconds");
        (bound("current_period_start"), bound("current_period_end"))
    }

    /// Lets the period end, and the next one be collected, or not.
    pub async fn renew(&self) {
        let (_, end) = self.period().await;
        self.wait_until(end + COLLECTED_S).await;
    }

    async fn change_subscription(&self, form: &[(&str, &str)]) {
        let id = text(&self.subscribed().await["id"]);
        self.tell_stripe(&format!("/v1/subscriptions/{id}"), form).await;
        self.settled().await;
    }

    /// Changes the plan when `quarters` quarters of the period have passed, and charges or credits the rest at once.
    pub async fn change_plan(&self, price: &str, quarters: i64) {
        let (start, end) = self.period().await;
        let at = start + (end - start) / 4 * quarters;
        self.wait_until(at).await;
        let item = text(&self.subscribed().await["items"]["data"][0]["id"]);
        let form = [
            ("items[0][id]", item.as_str()),
            ("items[0][price]", price),
            ("proration_behavior", "always_invoice"),
            ("proration_date", &at.to_string()),
        ];
        self.change_subscription(&form).await;
    }

    /// The same by the product, through the program, which asks Stripe: first what it would cost, and then for just
    /// that.
    pub async fn change_plan_in_the_product(&self, plan: &str, quarters: i64, cost: i64) {
        let (start, end) = self.period().await;
        self.wait_until(start + (end - start) / 4 * quarters).await;
        let at = DateTime::from_timestamp(start + (end - start) / 4 * quarters, 0).expect("a date");
        let order = json!({ "plan": plan, "proration_date": at.to_rfc3339() });
        let (status, shown) = self.command(Method::POST, "/subscription/change/preview", &order).await;
        assert_eq!((status, &shown["invoice"]["total"]["minor"]), (200, &json!(cost)), "{shown:#}");
        self.ask("change", &order).await;
    }

    pub async fn cancel_in_the_product(&self) {
        self.ask("cancel", &json!({ "at": "period_end", "feedback": "unused" })).await;
    }

    async fn ask(&self, what: &str, order: &Value) {
        let (status, said) = self.command(Method::POST, &format!("/subscription/{what}"), order).await;
        assert_eq!((status, &said["status"]), (202, &json!("requested")), "{said:#}");
        self.settled().await;
    }

    /// From here on, the subscription is charged to another card.
    pub async fn use_card(&self, card: &str) {
        let customer = text(&self.subscribed().await["customer"]);
        let attach = format!("/v1/payment_methods/{card}/attach");
        let method = text(&self.tell_stripe(&attach, &[("customer", &customer)]).await["id"]);
        self.change_subscription(&[("default_payment_method", &method)]).await;
    }

    /// Pays what was not paid, with the subscription's card.
    pub async fn pay_open_invoice(&self) {
        let invoice = text(&self.subscribed().await["latest_invoice"]);
        self.tell_stripe(&format!("/v1/invoices/{invoice}/pay"), &[]).await;
        self.settled().await;
    }

    pub async fn cancel_at_period_end(&self) {
        self.change_subscription(&[("cancel_at_period_end", "true")]).await;
    }

    /// The customer cancels in the portal.
    pub async fn cancel_in_the_portal(&self) {
        let row = self.subscribed().await;
        let (id, customer) = (text(&row["id"]), text(&row["customer"]));
        let portal = self.tell_stripe("/v1/billing_portal/sessions", &[("customer", &customer)]).await;
        let form = [("do", "cancel"), ("subscription", id.as_str())];
        let sent = self.client.post(text(&portal["url"])).form(&form).send().await.expect("it answers");
        assert_eq!(sent.status().as_u16(), 200);
        let row = self.subscribed().await;
        assert_eq!(row["cancel_at"], row["items"]["data"][0]["current_period_end"]);
        self.settled().await;
    }

    /// The payment that was made last.
    pub async fn last_payment(&self) -> String {
        text(&self.stripe("/v1/payment_intents?limit=1").await["data"][0]["id"])
    }

    /// Gives `minor` of a payment back.
    pub async fn refund(&self, payment: &str, minor: i64) {
        let refund = [("payment_intent", payment), ("amount", &minor.to_string())];
        let refund = self.tell_stripe("/v1/refunds", &refund).await;
        assert_eq!(refund["status"], "succeeded");
        self.settled().await;
    }

    /// The bank takes a payment back, for now. Returns the dispute.
    pub async fn dispute(&self, payment: &str) -> String {
        let dispute = self.control("disputes", &json!({ "payment_intent": payment })).await;
        assert_eq!(dispute["status"], "needs_response");
        self.settled().await;
        text(&dispute["id"])
    }

    /// The bank decides for its customer.
    pub async fn lose(&self, dispute: &str) {
        let closed = self.control(&format!("disputes/{dispute}"), &json!({ "status": "lost" })).await;
        assert_eq!(closed["status"], "lost");
        self.settled().await;
    }
}

/// Noon of the next first day of a month. Stories begin there, so that they are the same on each day of the year.
fn first_noon(now: i64) -> i64 {
    let today = DateTime::from_timestamp(now, 0).expect("a date").date_naive();
    let first = today.with_day(1).expect("each month has one") + Months::new(1);
    first.and_hms_opt(12, 0, 0).expect("each day has one").and_utc().timestamp()
}

async fn answered(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("it answers");
    let status = response.status().as_u16();
    let text = response.text().await.expect("text");
    let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{status}, {error}: {text}"));
    (status, body)
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
