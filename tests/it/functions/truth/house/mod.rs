//! A customer who lives in the sandbox for months or years, by chance, and everything that Stripe tells of it, in every
//! shape.
//!
//! Each file here has moves of one kind. Of a change inside of a period whose invoice was given up, nobody has said
//! what is right:
//! whoever is to stay within the law leaves a period as it is then until it ends.

mod discounts;
mod ending;
mod kinds;
mod money;
mod schedules;
mod subscribing;
mod unpaid;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{
    clock::Clock,
    domain::{catalog::Catalog, time::Timestamp},
    sandbox::{Sandbox, SandboxOptions, SeedOffer, Webhook},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{dice::Dice, receiver::Receiver, shop::offers};
use kinds::{Kind, kinds};

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
    currency: String,
    /// What discounts are, by their ids: what Stripe would answer to whoever asks.
    discounts: BTreeMap<String, Value>,
    within_the_law: bool,
    /// An invoice was given up, or a change was not charged for, so the period is left as it is.
    settled_until: i64,
    /// Money went back, so none goes back again before the period is over: nobody gives more back than was paid.
    given_back_until: i64,
    /// Prorations wait for the next invoice, or have given money of the period back.
    prorations_until: i64,
    /// What is done, by how often it is here.
    kinds: Vec<Kind>,
    moves: Vec<String>,
}

/// Lives the story that follows from a seed, by any moves.
pub async fn live(catalog: &Arc<Catalog>, seed: u64) -> Lived {
    House::open(catalog, seed, false).await.live().await
}

/// The same, by moves of which somebody has said what they give and take.
pub async fn live_within_the_law(catalog: &Arc<Catalog>, seed: u64) -> Lived {
    House::open(catalog, seed, true).await.live().await
}

impl House {
    async fn live(mut self) -> Lived {
        let count = MOVES_MIN + self.dice.below(MOVES_MAX - MOVES_MIN);
        self.subscribe().await;
        for _ in 0..count {
            self.move_on().await;
        }
        self.wait(3 * DAY + 7).await;
        self.close().await
    }

    async fn open(catalog: &Arc<Catalog>, seed: u64, within_the_law: bool) -> Self {
        let clock = Clock::fixed(Timestamp::parse(BEGIN).expect("a time"));
        let listen = "127.0.0.1:0".parse().expect("an address");
        let options =
            SandboxOptions { listen, webhook: None, clock: clock.clone(), signing_clock: clock.clone() };
        let sandbox = Sandbox::start(options).await.expect("a free port");
        let mut offered = offers(catalog);
        for offer in &mut offered {
            offer.currency = catalog.currency.to_string();
        }
        offered.extend(add_ons(&catalog.currency.to_string()));
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
        let paid = offered.iter().filter(|offer| offer.interval.is_some() && offer.unit_amount > 0);
        let plans = paid.filter(|offer| !is_add_on(&offer.price_id));
        let prices = plans.map(|offer| offer.price_id.clone()).collect();
        let packs = catalog.packs.iter();
        let packs = packs.filter_map(|pack| Some((pack.stripe.sale_id()?.to_owned(), pack.id.to_string())));
        let packs = packs.collect();
        let mut dice = Dice::loaded(seed);
        let kinds = kinds(&mut dice);
        let mut house = Self {
            sandbox,
            receivers,
            client: reqwest::Client::new(),
            clock,
            dice,
            kinds,
            customer: String::new(),
            subscription: None,
            prices,
            packs,
            currency: catalog.currency.to_string(),
            discounts: BTreeMap::new(),
            within_the_law,
            settled_until: 0,
            given_back_until: 0,
            prorations_until: 0,
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
        let explained = |event| discounts::explained(event, &self.discounts);
        let told = self.receivers.iter().map(|receiver| {
            let events = receiver.all();
            let events = events.iter().map(crate::support::receiver::Received::event).map(explained);
            events.map(|event| with_items(event, &self.prices[0])).collect()
        });
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

    /// Whether it runs, and may be changed: of a period that was paid, and whose money did not go back, it is known
    /// what is right.
    async fn is_paid_up(&self, row: &Value) -> bool {
        let Some(invoice) = row["latest_invoice"].as_str() else { return false };
        let invoice = self.get(&format!("/v1/invoices/{invoice}")).await;
        let runs = row["status"] == "active" || row["status"] == "trialing";
        let is_clear = row["pause_collection"].is_null() && self.now() >= self.settled_until;
        runs && invoice["status"] == "paid" && (is_clear || !self.within_the_law)
    }

    /// The same, where nothing stands still and no end is set: then anything may be changed.
    async fn row_that_goes_on(&mut self) -> Option<(String, Value)> {
        let (id, row) = self.row().await?;
        let goes_on = row["cancel_at"].is_null() && self.is_paid_up(&row).await;
        goes_on.then_some((id, row))
    }

    fn a_price(&mut self) -> String {
        let index = self.dice.below(self.prices.len());
        self.prices[index].clone()
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.dice.below(all.len())]
    }

    // ------------------------------------------------------------------------------------------------- what it does

    async fn move_on(&mut self) {
        // Now and then two things are done in one second.
        if self.dice.below(6) > 0 {
            let seconds = (self.dice.below(7_200) + 60) as i64;
            self.wait(seconds).await;
        }
        match self.kinds[self.dice.below(self.kinds.len())] {
            Kind::Change => self.change().await,
            Kind::ChangeTwice => self.change_twice_before_it_is_billed().await,
            Kind::Seats => self.change_seats().await,
            Kind::WaitABit => {
                let seconds = (self.dice.below(16 * 86_400) + 60) as i64;
                self.wait(seconds).await;
            }
            Kind::WaitAMonth => self.wait(32 * DAY).await,
            Kind::WaitLong => self.wait(100 * DAY).await,
            Kind::Cancel => self.cancel().await,
            Kind::Pause => self.pause_or_resume().await,
            Kind::StandStill => self.stand_still_or_go_on().await,
            Kind::Refund => self.refund().await,
            Kind::Note => self.credit_note().await,
            Kind::Dispute => self.dispute().await,
            Kind::Fail => self.fail_a_renewal().await,
            Kind::Debit => self.pay_by_debit().await,
            Kind::ChangeByDebit => self.change_by_debit().await,
            Kind::Pack => self.buy_a_pack().await,
            Kind::Coupon => self.put_a_coupon_on().await,
            Kind::CouponOff => self.take_coupons_off().await,
            Kind::Schedule => self.schedule_or_release().await,
            Kind::Trial => self.move_the_trial().await,
            Kind::AddOn => self.add_or_remove_an_add_on().await,
            Kind::Subscribe => self.subscribe().await,
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

    /// What was changed is charged for, or given back, with the next invoice.
    async fn wait_for_the_next_invoice(&mut self) {
        self.prorations_until = self.period_end().await.unwrap_or(self.prorations_until);
    }

    /// When the period ends of what has not ended.
    async fn period_end(&mut self) -> Option<i64> {
        let (_, row) = self.row().await?;
        row["items"]["data"][0]["current_period_end"].as_i64()
    }

    /// Money of the period has come back by a change: what a refund of it would take as well is nobody's law.
    async fn note_what_came_back(&mut self) {
        let Some((_, row)) = self.row().await else { return };
        let Some(invoice) = row["latest_invoice"].as_str() else { return };
        let invoice = self.get(&format!("/v1/invoices/{invoice}")).await;
        if invoice["total"].as_i64() < Some(0) {
            self.wait_for_the_next_invoice().await;
        }
    }

    async fn note_given_back(&mut self) {
        self.given_back_until = self.period_end().await.unwrap_or(self.given_back_until);
    }

    fn has_given_back(&self) -> bool {
        self.within_the_law && self.now() < self.given_back_until
    }

    fn has_prorations(&self) -> bool {
        self.within_the_law && self.now() < self.prorations_until
    }

    /// The period is left as it is until it ends: what a change of it would do is nobody's law.
    async fn settle_the_period(&mut self) {
        self.settled_until = self.period_end().await.unwrap_or(self.settled_until);
    }
}

/// Something beside the plan that is paid for and that the catalog does not know, for each interval.
fn add_ons(currency: &str) -> [SeedOffer; 2] {
    ["month", "year"].map(|interval| SeedOffer {
        product_id: "prod_add_on".to_owned(),
        product_name: "Priority support".to_owned(),
        price_id: format!("price_add_on_{interval}"),
        unit_amount: if interval == "year" { 5_000 } else { 500 },
        currency: currency.to_owned(),
        interval: Some(interval.to_owned()),
        lookup_key: None,
        metadata: BTreeMap::new(),
    })
}

/// An invoice for add-ons with what its subscription has, as it is read after Stripe was asked for that.
fn with_items(mut event: Value, plan: &str) -> Value {
    let object = &mut event["data"]["object"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let price = |line: &Value| {
        text(&line["pricing"]["price_details"]["price"]).or_else(|| text(&line["price"]["id"]))
    };
    let lines = object["lines"]["data"].as_array().cloned().unwrap_or_default();
    let prices: Vec<String> = lines.iter().filter_map(price).collect();
    if object["object"] == "invoice" && prices.iter().any(|price| is_add_on(price)) {
        let add_ons = prices.iter().filter(|price| is_add_on(price));
        let items = add_ons.map(String::as_str).chain([plan]);
        let items: Vec<Value> = items.map(|price| json!({ "price": { "id": price } })).collect();
        object["subscription_items"] = json!({ "object": "list", "data": items, "has_more": false });
    }
    event
}

fn is_add_on(price: &str) -> bool {
    price.starts_with("price_add_on_")
}

fn is_yearly(price: &str) -> bool {
    price.contains("year") || price.contains("annual")
}
