//! Renewals that are not paid, or late: by cards that fail, and by bank debits.

use reqwest::Method;

use super::{DAY, House};

impl House {
    /// A card that attaches and then fails, and after some days one that succeeds, unless somebody gives the invoice
    /// up.
    pub(super) async fn fail_a_renewal(&mut self) {
        if self.row().await.is_none() {
            return;
        }
        self.did("has a card that fails");
        self.use_card("pm_card_chargeCustomerFail").await;
        self.wait(32 * DAY).await;
        match self.dice.below(6) {
            0 => self.give_up("void", "has the open invoice voided").await,
            1 => self.give_up("mark_uncollectible", "has the open invoice marked as uncollectible").await,
            2 => self.credit_the_open_invoice().await,
            _ => {}
        }
        self.use_card("pm_card_visa").await;
        self.did("has a card that succeeds");
        self.wait(8 * DAY).await;
    }

    /// The newest invoice, if it waits for its money, and how much.
    async fn open_invoice(&mut self) -> Option<(String, i64)> {
        let (_, row) = self.row().await?;
        let invoice = self.get(&format!("/v1/invoices/{}", row["latest_invoice"].as_str()?)).await;
        let id = invoice["id"].as_str()?.to_owned();
        (invoice["status"] == "open").then(|| Some((id, invoice["amount_remaining"].as_i64()?)))?
    }

    async fn give_up(&mut self, how: &str, words: &str) {
        let Some((invoice, _)) = self.open_invoice().await else { return };
        self.did(words);
        self.post(&format!("/v1/invoices/{invoice}/{how}"), &[]).await;
        self.settle_the_period().await;
    }

    /// Less is asked for than was charged; nothing at all, if it is all.
    async fn credit_the_open_invoice(&mut self) {
        let Some((invoice, amount)) = self.open_invoice().await else { return };
        let part = if self.dice.below(2) == 0 { amount } else { amount / 3 };
        self.did(format!("has {part} of {amount} taken off the open invoice"));
        let form = [("invoice", invoice.as_str()), ("amount", &part.to_string())];
        self.post("/v1/credit_notes", &form).await;
        self.settle_the_period().await;
    }

    /// A debit is on its way for days, and then is paid, or not.
    pub(super) async fn pay_by_debit(&mut self) {
        let method = self.one_of(&[
            "pm_usBankAccount_success",
            "pm_success_de",
            "pm_usBankAccount_failure",
            "pm_failed_de",
        ]);
        self.did(format!("pays by {method}"));
        self.use_card(method).await;
        self.subscribe().await;
        let days = self.dice.below(40) as i64 + 1;
        self.wait(days * DAY).await;
        if method.contains("fail") || self.dice.below(2) == 0 {
            self.use_card("pm_card_visa").await;
            self.did("pays by card again");
            self.wait(8 * DAY).await;
        }
    }

    /// Changes whose debits are on their way, or fail, one upon another; some are paid by card in the end.
    pub(super) async fn change_by_debit(&mut self) {
        if self.row_that_goes_on().await.is_none() || self.has_prorations() {
            return;
        }
        let method = self.one_of(&["pm_usBankAccount_success", "pm_failed_de", "pm_failed_de"]);
        self.did(format!("pays by {method}"));
        self.use_card(method).await;
        let mut asked = Vec::new();
        for _ in 0..self.dice.below(3) + 1 {
            let Some((id, row)) = self.row().await else { break };
            if row["status"] != "active" {
                break;
            }
            self.change_to_another(&id, &row, "always_invoice").await;
            asked.extend(self.open_invoice().await.map(|(invoice, _)| invoice));
            let seconds = self.dice.below(12 * 86_400) as i64;
            self.wait(seconds).await;
        }
        self.use_card("pm_card_visa").await;
        self.did("has a card that succeeds");
        for invoice in asked {
            let open = self.get(&format!("/v1/invoices/{invoice}")).await;
            if open["status"] == "open" && self.dice.below(3) == 0 {
                self.did(format!("asks to pay {invoice}"));
                self.ask(Method::POST, &format!("/v1/invoices/{invoice}/pay"), &[]).await;
            }
        }
        self.settle_the_period().await;
    }
}
