//! Changes that wait for the end of the period, as the product and the portal make them: a schedule of two phases.

use serde_json::Value;

use super::{House, is_add_on, is_yearly};

impl House {
    /// Another plan from the end of the period on; what waits already is replaced, or not done after all.
    pub(super) async fn schedule_or_release(&mut self) {
        let Some((id, row)) = self.row_that_goes_on().await else { return };
        if row["status"] != "active" {
            return;
        }
        if !row["schedule"].is_null() && self.dice.below(2) == 0 {
            return self.release(&row).await;
        }
        let (price, seats) = (self.a_price(), (self.dice.below(3) + 1).to_string());
        let schedule = if let Some(schedule) = row["schedule"].as_str() {
            self.did(format!("changes the schedule: {seats} of {price} from the end of the period on"));
            schedule.to_owned()
        } else {
            self.did(format!("schedules {seats} of {price} for the end of the period"));
            let made = self.post("/v1/subscription_schedules", &[("from_subscription", &id)]).await;
            made["id"].as_str().expect("an id").to_owned()
        };
        self.fill(&schedule, &row, &price, &seats).await;
    }

    async fn fill(&self, schedule: &str, row: &Value, price: &str, seats: &str) {
        let items = row["items"]["data"].as_array().expect("items");
        let bound = |name: &str| items[0][name].as_i64().expect("seconds").to_string();
        let (start, end) = (bound("current_period_start"), bound("current_period_end"));
        let interval = if is_yearly(price) { "year" } else { "month" };
        let mut form: Vec<(String, String)> = [
            ("end_behavior", "release"),
            ("proration_behavior", "none"),
            ("phases[0][start_date]", &start),
            ("phases[0][end_date]", &end),
            ("phases[1][start_date]", &end),
            ("phases[1][proration_behavior]", "none"),
            ("phases[1][duration][interval]", interval),
            ("phases[1][duration][interval_count]", "1"),
            ("phases[1][items][0][price]", price),
            ("phases[1][items][0][quantity]", seats),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        for (place, item) in items.iter().enumerate() {
            let held = item["price"]["id"].as_str().expect("a price");
            let quantity = item["quantity"].as_i64().expect("whole").to_string();
            let mut put = |phase: usize| {
                let name = |name: &str| format!("phases[{phase}][items][{place}][{name}]");
                form.push((name("price"), held.to_owned()));
                form.push((name("quantity"), quantity.clone()));
            };
            put(0);
            if is_add_on(held) && is_yearly(held) == is_yearly(price) {
                put(1);
            }
        }
        let form: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(&format!("/v1/subscription_schedules/{schedule}"), &form).await;
    }

    /// What waits is not done; whatever else is changed ends it first.
    pub(super) async fn release(&mut self, row: &Value) {
        if let Some(schedule) = row["schedule"].as_str() {
            self.did("has its schedule released");
            self.post(&format!("/v1/subscription_schedules/{schedule}/release"), &[]).await;
        }
    }
}
