//! A customer who lives in the sandbox for months or years, by chance, and everything that Stripe tells of it, in every shape.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{
    clock::Clock,
    domain::{catalog::Catalog, time::Timestamp},
    sandbox::{Options, Sandbox, Webhook},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    billing::shop::{GOOD_CARD, offers},
    crash::dice::Dice,
    sandbox::receiver::Receiver,
};

/// The shapes that events are told in, and how they are called at Stripe.
pub const SHAPES: [&str; 3] = ["2024-04-10", "2025-08-27.basil", "2026-09-30.endive"];
pub const ACCOUNT: &str = "guest";

/// When every story begins.
pub const BEGIN: &str = "2026-03-02T09:00:00Z";
const DAY: i64 = 86_400;
const MOVES_MIN: usize = 4;
const MOVES_MAX: usize = 14;
const PATIENCE: Duration = Duration::from_secs(60);

/// A story that was lived.
#[derive(Clone)]
pub struct Lived {
    /// What was done, in words.
    pub moves: Vec<String>,
    /// By shape, in the order of arrival.
    pub told: Vec<Vec<Value>>,
    pub ended: Timestamp,
}

struct House {
    sandbox: Sandbox,
    receivers: Vec<Receiver>,
    client: reqwest::Client,
    clock: Clock,
    dice: Dice,
    customer: String,
    subscription: Option<String>,
    /// What can be subscribed to, by its prices.
    prices: Vec<String>,
    packs: Vec<(String, String)>,
    /// Money went back, so the period is left as it is.
    settled_until: i64,
    moves: Vec<String>,
}

/// Lives the story that follows from a seed.
pub async fn live(catalog: &Arc<Catalog>, seed: u64) -> Lived {
    let mut house = House::open(catalog, seed).await;
    let count = MOVES_MIN + house.dice.below(MOVES_MAX - MOVES_MIN);
    house.subscribe().await;
    for _ in 0..count {
        house.move_on().await;
    }
    house.wait(3 * DAY + 7).await;
    house.close().await
}

impl House {
    async fn open(catalog: &Arc<Catalog>, seed: u64) -> Self {
        let clock = Clock::fixed(Timestamp::parse(BEGIN).expect("a time"));
        let listen = "127.0.0.1:0".parse().expect("an address");
        let options = Options { listen, webhook: None, clock: clock.clone(), signing_clock: clock.clone() };
        let sandbox = Sandbox::start(options).await.expect("a free port");
        let mut offered = offers(catalog);
        for offer in &mut offered {
            offer.currency = catalog.currency.to_string();
        }
        sandbox.offer(&offered);
        let mut receivers = Vec::new();
        for shape in SHAPES {
            let receiver = Receiver::start().await;
            let api_version = Some(shape.to_owned());
            sandbox.deliver_to(Webhook {
                url: receiver.url(),
                secret: "whsec_house".to_owned(),
                api_version,
            });
            receivers.push(receiver);
        }
        let monthly = offered.iter().filter(|offer| offer.interval.is_some() && offer.unit_amount > 0);
        let prices = monthly.map(|offer| offer.price_id.clone()).collect();
        let packs = catalog.packs.iter();
        let packs = packs.filter_map(|pack| Some((pack.stripe.sale_id()?.to_owned(), pack.id.to_string())));
        let packs = packs.collect();
        let mut house = Self {
            sandbox,
            receivers,
            client: reqwest::Client::new(),
            clock,
            dice: Dice::loaded(seed),
            customer: String::new(),
            subscription: None,
            prices,
            packs,
            settled_until: 0,
            moves: Vec::new(),
        };
        let customer = house.post("/v1/customers", &[("metadata[account_id]", ACCOUNT)]).await;
        customer["id"].as_str().expect("an id").clone_into(&mut house.customer);
        house.use_card("pm_card_visa").await;
        house
    }

    async fn close(self) -> Lived {
        let begin = Instant::now();
        while self.get("/_sandbox").await["deliveries_waiting"] != 0 {
            assert!(begin.elapsed() < PATIENCE, "the webhooks are not delivered");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let told = self
            .receivers
            .iter()
            .map(|receiver| receiver.all().iter().map(crate::sandbox::receiver::Received::event).collect());
        let (told, ended) = (told.collect(), self.clock.now());
        self.sandbox.stop().await;
        Lived { moves: self.moves, told, ended }
    }

    // ------------------------------------------------------------------------------------------------- how it asks

    async fn ask(&self, method: Method, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let url = format!("{}{path}", self.sandbox.url());
        let mut request = self.client.request(method.clone(), url).bearer_auth("sk_test_house");
        request = if method == Method::GET { request.query(form) } else { request.form(form) };
        let answer = request.send().await.expect("it answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let (status, body) = self.ask(Method::POST, path, form).await;
        assert_eq!(status, 200, "POST {path} {form:?} after {:?}: {body:#}", self.moves);
        body
    }

    async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, &[]).await.1
    }

    async fn control(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/_sandbox/{path}", self.sandbox.url());
        let answer = self.client.post(url).json(&body).send().await.expect("it answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    fn now(&self) -> i64 {
        self.clock.now().seconds()
    }

    fn did(&mut self, what: impl Into<String>) {
        let at = self.clock.now().to_utc().format("%F %T");
        self.moves.push(format!("{at} {}", what.into()));
    }

    /// What Stripe says of the subscription now, if it has not ended.
    async fn row(&mut self) -> Option<(String, Value)> {
        let id = self.subscription.clone()?;
        let row = self.get(&format!("/v1/subscriptions/{id}")).await;
        if ["canceled", "incomplete_expired"].contains(&row["status"].as_str().unwrap_or_default()) {
            self.subscription = None;
            return None;
        }
        Some((id, row))
    }

    /// Whether the running period was paid: of a change inside of any other one nobody has said what is right.
    async fn is_paid_up(&self, row: &Value) -> bool {
        let Some(invoice) = row["latest_invoice"].as_str() else { return false };
        let invoice = self.get(&format!("/v1/invoices/{invoice}")).await;
        let runs = row["status"] == "active" || row["status"] == "trialing";
        runs && row["pause_collection"].is_null()
            && invoice["status"] == "paid"
            && self.now() >= self.settled_until
    }

    fn a_price(&mut self) -> String {
        let index = self.dice.below(self.prices.len());
        self.prices[index].clone()
    }

    // ------------------------------------------------------------------------------------------------- what it does

    async fn move_on(&mut self) {
        // Now and then two things are done in one second.
        if self.dice.below(6) > 0 {
            let seconds = (self.dice.below(7_200) + 60) as i64;
            self.wait(seconds).await;
        }
        match self.dice.below(20) {
            0..=4 => self.change().await,
            5..=8 => {
                let seconds = (self.dice.below(16 * 86_400) + 60) as i64;
                self.wait(seconds).await;
            }
            9..=11 => self.wait(32 * DAY).await,
            12 => self.cancel().await,
            13 => self.pause_or_resume().await,
            14 => self.refund().await,
            15 => self.dispute().await,
            16 => self.fail_a_renewal().await,
            17 => self.buy_a_pack().await,
            18 => self.wait(100 * DAY).await,
            _ => self.subscribe().await,
        }
    }

    async fn use_card(&mut self, card: &str) {
        let customer = self.customer.clone();
        let method =
            self.post(&format!("/v1/payment_methods/{card}/attach"), &[("customer", &customer)]).await;
        let method = method["id"].as_str().expect("an id");
        let path = format!("/v1/customers/{customer}");
        self.post(&path, &[("invoice_settings[default_payment_method]", method)]).await;
    }

    async fn wait(&mut self, seconds: i64) {
        self.did(format!("waits {seconds} s"));
        let to = self.now() + seconds;
        let (status, body) = self.control("clock", json!({ "to": to })).await;
        assert_eq!(status, 200, "{body}");
        self.clock.set(Timestamp::from_seconds(to).expect("a time"));
    }

    async fn subscribe(&mut self) {
        if self.row().await.is_some() {
            return;
        }
        let (price, seats) = (self.a_price(), (self.dice.below(3) + 1).to_string());
        let trial = self.dice.below(4) == 0;
        self.did(format!("subscribes to {seats} of {price}{}", if trial { " with a trial" } else { "" }));
        let customer = self.customer.clone();
        let mut form = vec![
            ("customer", customer.as_str()),
            ("items[0][price]", &price),
            ("items[0][quantity]", &seats),
            ("metadata[account_id]", ACCOUNT),
        ];
        if trial {
            form.push(("trial_period_days", "14"));
        }
        let made = self.post("/v1/subscriptions", &form).await;
        self.subscription = made["id"].as_str().map(str::to_owned);
        self.settled_until = 0;
    }

    async fn change(&mut self) {
        let Some((id, row)) = self.row().await else { return };
        if !self.is_paid_up(&row).await {
            return;
        }
        let item = row["items"]["data"][0]["id"].as_str().expect("an id").to_owned();
        let (price, seats) = (self.a_price(), (self.dice.below(3) + 1).to_string());
        let how = ["always_invoice", "always_invoice", "create_prorations", "none"][self.dice.below(4)];
        // Another interval begins a period of its own at once.
        let interval = |price: &str| price.contains("year") || price.contains("annual");
        let held = row["items"]["data"][0]["price"]["id"].as_str().unwrap_or_default();
        let how = if interval(held) == interval(&price) { how } else { "always_invoice" };
        self.did(format!("changes to {seats} of {price}, {how}"));
        let form = [
            ("items[0][id]", item.as_str()),
            ("items[0][price]", &price),
            ("items[0][quantity]", &seats),
            ("proration_behavior", how),
        ];
        self.post(&format!("/v1/subscriptions/{id}"), &form).await;
        if how == "none" {
            self.settle_the_period().await;
        }
    }

    async fn cancel(&mut self) {
        let Some((id, row)) = self.row().await else { return };
        let path = format!("/v1/subscriptions/{id}");
        match self.dice.below(4) {
            0 if self.is_paid_up(&row).await => {
                self.did("cancels now, with a proration");
                let form = [("prorate", "true"), ("invoice_now", "true")];
                let (status, body) = self.ask(Method::DELETE, &path, &form).await;
                assert_eq!(status, 200, "{body:#}");
                self.subscription = None;
            }
            1 => {
                self.did("cancels now");
                self.ask(Method::DELETE, &path, &[]).await;
                self.subscription = None;
            }
            _ => {
                let ends = row["cancel_at_period_end"] == true;
                self.did(if ends { "stays after all" } else { "cancels at the end of the period" });
                self.post(&path, &[("cancel_at_period_end", if ends { "false" } else { "true" })]).await;
            }
        }
    }

    async fn pause_or_resume(&mut self) {
        let Some((id, row)) = self.row().await else { return };
        let path = format!("/v1/subscriptions/{id}");
        if row["pause_collection"].is_null() {
            self.did("has its collection paused");
            self.post(&path, &[("pause_collection[behavior]", "void")]).await;
        } else {
            self.did("has its collection resumed");
            self.post(&path, &[("pause_collection", "")]).await;
        }
    }

    /// The newest charge, if it is of the running period and was not given back in any part.
    async fn a_charge(&mut self) -> Option<(String, i64)> {
        let (_, row) = self.row().await?;
        if !self.is_paid_up(&row).await {
            return None;
        }
        let since = row["items"]["data"][0]["current_period_start"].as_i64()?;
        let listed = self.get(&format!("/v1/charges?customer={}&limit=1", self.customer)).await;
        let charge = listed["data"].as_array()?.first()?.clone();
        let fresh = charge["paid"] == true
            && charge["created"].as_i64()? >= since
            && charge["amount_refunded"] == 0
            && charge["disputed"] != true;
        let amount = charge["amount"].as_i64()?;
        (fresh && amount > 100).then(|| Some((charge["id"].as_str()?.to_owned(), amount))).flatten()
    }

    /// The period is left as it is until it ends: what a change of it would do is nobody's law.
    async fn settle_the_period(&mut self) {
        if let Some((_, row)) = self.row().await {
            let end = row["items"]["data"][0]["current_period_end"].as_i64();
            self.settled_until = end.unwrap_or(self.now());
        }
    }

    async fn refund(&mut self) {
        let Some((charge, amount)) = self.a_charge().await else { return };
        let part = if self.dice.below(2) == 0 { amount } else { amount / 3 };
        self.did(format!("gets {part} of {amount} back"));
        let form = [("charge", charge.as_str()), ("amount", &part.to_string())];
        self.post("/v1/refunds", &form).await;
        self.settle_the_period().await;
    }

    async fn dispute(&mut self) {
        let Some((charge, _)) = self.a_charge().await else { return };
        let (status, dispute) =
            self.control("disputes", json!({ "charge": charge, "status": "needs_response" })).await;
        assert_eq!(status, 200, "{dispute}");
        let end = ["won", "lost"][self.dice.below(2)];
        self.did(format!("disputes a charge, which is {end}"));
        self.wait(2 * DAY).await;
        let id = dispute["id"].as_str().expect("an id");
        let (status, body) = self.control(&format!("disputes/{id}"), json!({ "status": end })).await;
        assert_eq!(status, 200, "{body}");
        self.settle_the_period().await;
    }

    /// A card that attaches and then fails, and after some days one that succeeds.
    async fn fail_a_renewal(&mut self) {
        if self.row().await.is_none() {
            return;
        }
        self.did("has a card that fails");
        self.use_card("pm_card_chargeCustomerFail").await;
        self.wait(32 * DAY).await;
        self.use_card("pm_card_visa").await;
        self.did("has a card that succeeds");
        self.wait(8 * DAY).await;
    }

    async fn buy_a_pack(&mut self) {
        let Some((price, code)) = self.packs.first().cloned() else { return };
        self.did(format!("buys {code}"));
        let customer = self.customer.clone();
        let form = [
            ("mode", "payment"),
            ("customer", customer.as_str()),
            ("client_reference_id", ACCOUNT),
            ("line_items[0][price]", &price),
            ("line_items[0][quantity]", "1"),
            ("metadata[kind]", "topup"),
            ("metadata[topup_code]", &code),
            ("metadata[account_id]", ACCOUNT),
            ("success_url", "http://127.0.0.1:1/"),
        ];
        let session = self.post("/v1/checkout/sessions", &form).await;
        let path = format!("checkout/{}/pay", session["id"].as_str().expect("an id"));
        let (status, body) = self.control(&path, json!({ "card": GOOD_CARD })).await;
        assert_eq!(status, 200, "{body}");
    }
}
