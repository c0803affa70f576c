//! Subscriptions end, stand still, and go on.

use reqwest::Method;

use super::House;

impl House {
    pub(super) async fn cancel(&mut self) {
        let Some((id, row)) = self.row().await else { return };
        let path = format!("/v1/subscriptions/{id}");
        match self.dice.below(5) {
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
            2 if row["cancel_at"].is_null() && self.is_paid_up(&row).await => {
                self.release(&row).await;
                let end = row["items"]["data"][0]["current_period_end"].as_i64().expect("seconds");
                let at = i64::midpoint(self.now(), end).to_string();
                self.did("cancels in the middle of what is left of the period");
                self.post(&path, &[("cancel_at", &at), ("proration_behavior", "always_invoice")]).await;
                self.settle_the_period().await;
            }
            _ => {
                self.release(&row).await;
                let ends = !row["cancel_at"].is_null();
                self.did(if ends { "stays after all" } else { "cancels at the end of the period" });
                if ends && row["cancel_at_period_end"] != true {
                    self.post(&path, &[("cancel_at", ""), ("proration_behavior", "always_invoice")]).await;
                } else {
                    let form = [("cancel_at_period_end", if ends { "false" } else { "true" })];
                    self.post(&path, &form).await;
                }
            }
        }
    }

    pub(super) async fn pause_or_resume(&mut self) {
        let Some((id, row)) = self.row().await else { return };
        let path = format!("/v1/subscriptions/{id}");
        if row["pause_collection"].is_null() {
            let behavior = self.one_of(&["void", "mark_uncollectible", "keep_as_draft"]);
            self.did(format!("has its collection paused, {behavior}"));
            self.post(&path, &[("pause_collection[behavior]", behavior)]).await;
        } else {
            self.did("has its collection resumed");
            self.post(&path, &[("pause_collection", "")]).await;
        }
    }

    /// The subscription itself stands still, which only the flexible billing mode has.
    pub(super) async fn stand_still_or_go_on(&mut self) {
        let Some((id, row)) = self.row().await else { return };
        let path = format!("/v1/subscriptions/{id}");
        if row["status"] == "paused" {
            self.did("goes on");
            self.post(&format!("{path}/resume"), &[]).await;
            return;
        }
        let can = row["billing_mode"]["type"] == "flexible" && row["status"] == "active";
        if can && row["cancel_at"].is_null() && self.is_paid_up(&row).await {
            self.release(&row).await;
            self.did("stands still");
            self.post(&format!("{path}/pause"), &[]).await;
        }
    }
}
