//! Subscriptions begin and change: plans, seats, trials, add-ons.

use serde_json::Value;

use super::{ACCOUNT, DAY, House, is_add_on, is_yearly};

impl House {
    pub(super) async fn subscribe(&mut self) {
        if self.row().await.is_some() {
            return;
        }
        let (price, seats) = (self.a_price(), (self.dice.below(3) + 1).to_string());
        let trial = self.dice.below(4) == 0;
        let mode = if self.dice.below(4) == 0 { "classic" } else { "flexible" };
        let coupon = if self.dice.below(4) == 0 { Some(self.a_coupon().await) } else { None };
        let discount = coupon.as_ref().map(|(what, _)| format!(", {what}")).unwrap_or_default();
        let free = if trial { " with a trial" } else { "" };
        self.did(format!("subscribes to {seats} of {price}{free}, {mode}{discount}"));
        let customer = self.customer.clone();
        let mut form = vec![
            ("customer", customer.as_str()),
            ("items[0][price]", &price),
            ("items[0][quantity]", &seats),
            ("metadata[account_id]", ACCOUNT),
            ("billing_mode[type]", mode),
        ];
        if trial {
            form.push(("trial_period_days", "14"));
        }
        let of_code = match &coupon {
            Some((_, coupon)) if self.dice.below(3) == 0 => Some(self.a_code_for(coupon).await),
            _ => None,
        };
        match (&of_code, &coupon) {
            (Some(code), _) => form.push(("discounts[0][promotion_code]", code)),
            (None, Some((_, coupon))) => form.push(("discounts[0][coupon]", coupon)),
            (None, None) => {}
        }
        let made = self.post("/v1/subscriptions", &form).await;
        self.subscription = made["id"].as_str().map(str::to_owned);
        (self.settled_until, self.given_back_until) = (0, 0);
        self.remember_discounts().await;
    }

    pub(super) async fn change(&mut self) {
        let Some((id, row)) = self.row().await else { return };
        if !self.is_paid_up(&row).await {
            return;
        }
        let how = self.one_of(&["always_invoice", "always_invoice", "create_prorations", "none"]);
        match self.change_to_another(&id, &row, how).await {
            Some("none") => self.settle_the_period().await,
            Some("create_prorations") => self.wait_for_the_next_invoice().await,
            Some(_) => self.note_what_came_back().await,
            None => {}
        }
    }

    /// The next invoice charges for the first change and gives that back again. A part of its money may go back then.
    pub(super) async fn change_twice_before_it_is_billed(&mut self) {
        for _ in 0..2 {
            let Some((id, row)) = self.row_that_goes_on().await else { return };
            let item = &row["items"]["data"][0];
            if row["status"] != "active" || is_yearly(item["price"]["id"].as_str().expect("an id")) {
                return;
            }
            if self.change_to_another(&id, &row, "create_prorations").await == Some("create_prorations") {
                self.wait_for_the_next_invoice().await;
            }
            let seconds = self.dice.below(5 * 86_400) as i64;
            self.wait(seconds).await;
        }
        // The invoice is made at the end of the period, and paid an hour later.
        let seconds = self.period_end().await.unwrap_or(0) - self.now() + 2 * 3_600;
        if (0..40 * DAY).contains(&seconds) {
            self.wait(seconds).await;
            self.refund().await;
        }
    }

    /// To any price and number of seats. Returns how it was charged for.
    pub(super) async fn change_to_another(
        &mut self,
        id: &str,
        row: &Value,
        how: &'static str,
    ) -> Option<&'static str> {
        let item = row["items"]["data"][0]["id"].as_str().expect("an id").to_owned();
        let (price, seats) = (self.a_price(), (self.dice.below(3) + 1).to_string());
        // Another interval begins a period of its own at once.
        let held = row["items"]["data"][0]["price"]["id"].as_str().unwrap_or_default();
        let same_interval = is_yearly(held) == is_yearly(&price);
        let how = if same_interval { how } else { "always_invoice" };
        // In the classic mode, what waits to be charged for is given back all the same.
        if !same_interval && self.has_prorations() {
            return None;
        }
        self.release(row).await;
        self.did(format!("changes to {seats} of {price}, {how}"));
        let mut form = vec![
            ("items[0][id]", item.as_str()),
            ("items[0][price]", &price),
            ("items[0][quantity]", &seats),
            ("proration_behavior", how),
        ];
        // What is charged beside it is charged as often.
        let beside = add_on(row);
        if let Some(beside) = beside.as_deref().filter(|_| !same_interval) {
            form.extend([("items[1][id]", beside), ("items[1][deleted]", "true")]);
        }
        self.post(&format!("/v1/subscriptions/{id}"), &form).await;
        Some(how)
    }

    pub(super) async fn change_seats(&mut self) {
        let Some((id, row)) = self.row().await else { return };
        if !self.is_paid_up(&row).await {
            return;
        }
        let item = row["items"]["data"][0]["id"].as_str().expect("an id").to_owned();
        let seats = (self.dice.below(4) + 1).to_string();
        let how = self.one_of(&["always_invoice", "create_prorations"]);
        self.release(&row).await;
        self.did(format!("changes to {seats} seats, {how}"));
        let form =
            [("items[0][id]", item.as_str()), ("items[0][quantity]", &seats), ("proration_behavior", how)];
        self.post(&format!("/v1/subscriptions/{id}"), &form).await;
        match how {
            "create_prorations" => self.wait_for_the_next_invoice().await,
            _ => self.note_what_came_back().await,
        }
    }

    /// A trial is extended, or over before its time; and sometimes one begins on a running subscription.
    pub(super) async fn move_the_trial(&mut self) {
        let Some((id, row)) = self.row_that_goes_on().await else { return };
        let in_trial = row["status"] == "trialing";
        if !in_trial && self.has_prorations() {
            return;
        }
        self.release(&row).await;
        let (until, what) = match (in_trial, self.dice.below(2)) {
            (true, 0) => ("now".to_owned(), "ends the trial"),
            (true, _) => {
                let end = row["trial_end"].as_i64().expect("seconds");
                ((end + 7 * DAY).to_string(), "has the trial extended")
            }
            (false, _) => ((self.now() + 14 * DAY).to_string(), "is given a trial on what runs"),
        };
        self.did(what);
        let form = [("trial_end", until.as_str()), ("proration_behavior", "always_invoice")];
        self.post(&format!("/v1/subscriptions/{id}"), &form).await;
    }

    pub(super) async fn add_or_remove_an_add_on(&mut self) {
        let Some((id, row)) = self.row_that_goes_on().await else { return };
        self.release(&row).await;
        let held = row["items"]["data"][0]["price"]["id"].as_str().unwrap_or_default();
        let price = if is_yearly(held) { "price_add_on_year" } else { "price_add_on_month" };
        let path = format!("/v1/subscriptions/{id}");
        let how = ("proration_behavior", self.one_of(&["create_prorations", "always_invoice"]));
        if let Some(beside) = add_on(&row) {
            self.did("gives an add-on back");
            let form = [("items[0][id]", beside.as_str()), ("items[0][deleted]", "true"), how];
            self.post(&path, &form).await;
        } else {
            self.did("takes an add-on");
            self.post(&path, &[("items[0][price]", price), how]).await;
        }
    }
}

/// The item that is no plan, if there is one.
pub(super) fn add_on(row: &Value) -> Option<String> {
    let items = row["items"]["data"].as_array()?;
    let beside = items.iter().find(|item| item["price"]["id"].as_str().is_some_and(is_add_on))?;
    beside["id"].as_str().map(str::to_owned)
}
