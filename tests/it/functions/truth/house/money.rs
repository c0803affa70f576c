//! Money goes back: refunds, disputes, credit notes. And packs are bought.

use serde_json::json;

use super::{ACCOUNT, DAY, House};
use crate::support::shop::GOOD_CARD;

impl House {
    /// The newest charge, if it is of the running period and was not given back in any part.
    async fn a_charge(&mut self) -> Option<(String, i64)> {
        let (_, row) = self.row().await?;
        if !self.is_paid_up(&row).await || self.has_prorations() || self.has_given_back() {
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

    pub(super) async fn refund(&mut self) {
        let Some((charge, amount)) = self.a_charge().await else { return };
        let part = if self.dice.below(2) == 0 { amount } else { amount / 3 };
        self.did(format!("gets {part} of {amount} back"));
        let form = [("charge", charge.as_str()), ("amount", &part.to_string())];
        self.post("/v1/refunds", &form).await;
        self.note_given_back().await;
    }

    pub(super) async fn dispute(&mut self) {
        let Some((charge, _)) = self.a_charge().await else { return };
        let (status, dispute) =
            self.control("disputes", json!({ "charge": charge, "status": "needs_response" })).await;
        assert_eq!(status, 200, "{dispute}");
        let end = self.one_of(&["won", "lost"]);
        self.did(format!("disputes a charge, which is {end}"));
        self.wait(2 * DAY).await;
        let id = dispute["id"].as_str().expect("an id");
        let (status, body) = self.control(&format!("disputes/{id}"), json!({ "status": end })).await;
        assert_eq!(status, 200, "{body}");
        self.note_given_back().await;
    }

    /// A note on the paid invoice: to the card, to the customer's balance, or outside of Stripe.
    pub(super) async fn credit_note(&mut self) {
        let Some((_, row)) = self.row().await else { return };
        if !self.is_paid_up(&row).await || self.has_prorations() || self.has_given_back() {
            return;
        }
        let Some(invoice) = row["latest_invoice"].as_str() else { return };
        let paid = self.get(&format!("/v1/invoices/{invoice}")).await;
        let notes = ["pre_payment_credit_notes_amount", "post_payment_credit_notes_amount"];
        let noted: i64 = notes.iter().filter_map(|name| paid[name].as_i64()).sum();
        let (total, charged) = (paid["total"].as_i64().unwrap_or(0) - noted, paid["amount_paid"].as_i64());
        if total <= 100 {
            return;
        }
        let part = if self.dice.below(2) == 0 { total } else { total / 3 };
        let by_card = charged == Some(total) && self.a_charge().await.is_some_and(|(_, paid)| paid == total);
        let ways = ["credit_amount", "out_of_band_amount", "refund_amount"];
        let way = self.one_of(if by_card { &ways } else { &ways[..2] });
        self.did(format!("gets a credit note of {part} of {total}, {way}"));
        let amount = part.to_string();
        let form = [("invoice", invoice), ("amount", &amount), (way, &amount)];
        self.post("/v1/credit_notes", &form).await;
        self.note_given_back().await;
    }

    pub(super) async fn buy_a_pack(&mut self) {
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
