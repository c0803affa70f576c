//! Coupons: on a subscription from its beginning or later, on the customer, by themselves or by a code, and taken off
//! again.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::House;

impl House {
    /// What it is, in words, and its id.
    pub(super) async fn a_coupon(&mut self) -> (String, String) {
        let (lasts, months) = self.one_of(&[("once", ""), ("repeating", "3"), ("forever", "")]);
        self.coupon(lasts, months).await
    }

    async fn coupon(&mut self, lasts: &str, months: &str) -> (String, String) {
        let off = self.one_of(&[
            ("percent_off", "10"),
            ("percent_off", "50"),
            ("percent_off", "100"),
            ("amount_off", "300"),
        ]);
        let currency = self.currency.to_lowercase();
        let mut form = vec![off, ("duration", lasts)];
        if !months.is_empty() {
            form.push(("duration_in_months", months));
        }
        if off.0 == "amount_off" {
            form.push(("currency", &currency));
        }
        let made = self.post("/v1/coupons", &form).await;
        let unit = if off.0 == "percent_off" { " percent" } else { "" };
        (format!("{}{unit} off, {lasts}", off.1), made["id"].as_str().expect("an id").to_owned())
    }

    pub(super) async fn a_code_for(&self, coupon: &str) -> String {
        let form = [("promotion[type]", "coupon"), ("promotion[coupon]", coupon)];
        let made = self.post("/v1/promotion_codes", &form).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    pub(super) async fn put_a_coupon_on(&mut self) {
        let Some((id, _)) = self.row().await else { return };
        if self.dice.below(2) == 0 {
            let (what, coupon) = self.a_coupon().await;
            self.did(format!("has a coupon as a customer: {what}"));
            let path = format!("customers/{}/discount", self.customer);
            let (status, body) = self.control(&path, json!({ "coupon": coupon })).await;
            assert_eq!(status, 200, "{body}");
            self.remember_discount_of_customer().await;
            return;
        }
        let (what, coupon) = self.a_coupon().await;
        self.did(format!("has a coupon: {what}"));
        self.post(&format!("/v1/subscriptions/{id}"), &[("discounts[0][coupon]", &coupon)]).await;
        self.remember_discounts().await;
    }

    pub(super) async fn take_coupons_off(&mut self) {
        let path = format!("/v1/customers/{}", self.customer);
        if self.dice.below(2) == 0 && !self.get(&path).await["discount"].is_null() {
            self.did("has its coupon as a customer taken off");
            let (status, body) = self.ask(Method::DELETE, &format!("{path}/discount"), &[]).await;
            assert_eq!(status, 200, "{body}");
            return;
        }
        let Some((id, row)) = self.row().await else { return };
        if row["discounts"].as_array().is_some_and(|discounts| !discounts.is_empty()) {
            self.did("has its coupon taken off");
            self.post(&format!("/v1/subscriptions/{id}"), &[("discounts", "")]).await;
        }
    }

    /// What Stripe says of the subscription's discounts while they are in force.
    pub(super) async fn remember_discounts(&mut self) {
        let Some(id) = self.subscription.clone() else { return };
        let (path, expand) = (format!("/v1/subscriptions/{id}"), [("expand[]", "discounts")]);
        let (status, row) = self.ask(Method::GET, &path, &expand).await;
        assert_eq!(status, 200, "{row:#}");
        for discount in row["discounts"].as_array().into_iter().flatten() {
            self.remember(discount).await;
        }
    }

    async fn remember_discount_of_customer(&mut self) {
        let customer = self.get(&format!("/v1/customers/{}", self.customer)).await;
        self.remember(&customer["discount"]).await;
    }

    async fn remember(&mut self, discount: &Value) {
        let coupon = discount["source"]["coupon"].as_str().expect("an id");
        let (_, coupon) = self.ask(Method::GET, &format!("/v1/coupons/{coupon}"), &[]).await;
        let told = json!({ "id": discount["id"], "coupon": coupon });
        self.discounts.insert(discount["id"].as_str().expect("an id").to_owned(), told);
    }
}

/// The event with what its discounts are, as it is read after Stripe was asked for them.
pub(super) fn explained(mut event: Value, discounts: &BTreeMap<String, Value>) -> Value {
    match event["data"]["object"]["object"].as_str() {
        Some("subscription") => {}
        Some("customer") => return with_coupon(event, "/data/object/discount", discounts),
        Some("discount") => return with_coupon(event, "/data/object", discounts),
        _ => return event,
    }
    for of in ["object", "previous_attributes"] {
        let listed = event["data"].get_mut(of).and_then(|of| of.get_mut("discounts"));
        for discount in listed.and_then(Value::as_array_mut).into_iter().flatten() {
            let known = discount.as_str().and_then(|id| discounts.get(id)).cloned();
            *discount = known.unwrap_or_else(|| panic!("nobody knows the discount {discount}"));
        }
    }
    event
}

/// Stripe is asked for a coupon that a customer's discount only names.
fn with_coupon(mut event: Value, path: &str, discounts: &BTreeMap<String, Value>) -> Value {
    let discount = event.pointer_mut(path).filter(|discount| discount["source"]["coupon"].is_string());
    if let Some(discount) = discount
        && let Some(known) = discount["id"].as_str().and_then(|id| discounts.get(id))
    {
        discount["source"]["coupon"] = known["coupon"].clone();
    }
    event
}
