//! What is asked of an account itself: opened, moved in, given to, corrected and closed.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Case, case, post};
use crate::support::http::Server;

pub(super) async fn cases(server: &Server) -> BTreeMap<&'static str, Case> {
    let acme = "/v1/accounts/acme";
    indebt(server).await;
    BTreeMap::from([
        (
            "import_account",
            case(
                post("/v1/accounts/moving/import", json!({ "grants": [{ "source": "bonus", "amount": 5 }] })),
                post(format!("{acme}/import"), json!({})),
                409,
                post("/v1/accounts/moving/import", json!({ "grants": [{ "source": "bonus" }] })),
            ),
        ),
        (
            "grant",
            case(
                post(
                    format!("{acme}/grants"),
                    json!({ "source": "bonus", "amount": 1, "reason": "r", "grant_id": "g" }),
                ),
                post(
                    format!("{acme}/grants"),
                    json!({ "source": "bonus", "amount": 1, "reason": "r", "grant_id": "g" }),
                ),
                409,
                post(format!("{acme}/grants"), json!({ "source": "allocation", "amount": 1, "reason": "r" })),
            ),
        ),
        (
            "adjust",
            case(
                post(format!("{acme}/adjustments"), json!({ "amount": 1, "reason": "r" })),
                post(format!("{acme}/adjustments"), json!({ "amount": i64::MAX, "reason": "r" })),
                402,
                post(format!("{acme}/adjustments"), json!({ "amount": 1, "reason": "" })),
            ),
        ),
        (
            "forgive_debt",
            case(
                post("/v1/accounts/indebted/debt/forgive", json!({ "reason": "goodwill" })),
                post(format!("{acme}/debt/forgive"), json!({ "reason": "goodwill" })),
                409,
                post(format!("{acme}/debt/forgive"), json!({ "amount": 1.5, "reason": "goodwill" })),
            ),
        ),
        (
            "close_account",
            case(
                post("/v1/accounts/closing/close", json!({ "reason": "left" })),
                post("/v1/accounts/nobody/close", json!({ "reason": "left" })),
                404,
                post("/v1/accounts/closing/close", json!({})),
            ),
        ),
    ])
}

/// An account that owes: what it had bought and spent was refunded by the bank.
async fn indebt(server: &Server) {
    use crate::support::ledger::{noon, request};
    use counterfoil::{
        domain::{
            amount::{Currency, Money},
            command::{Command, PaymentCommand, PurchaseCommand, RecordPackPurchase},
            ids::{PackId, ProviderId},
        },
        ledger::IdempotencyKey,
    };
    server.open("indebted").await;
    let payment = ProviderId::parse("pi_1").expect("an id");
    let money = Money { minor: 600, currency: Currency::parse("usd").expect("a currency") };
    let purchase = Command::Purchase(PurchaseCommand::RecordPackPurchase(RecordPackPurchase {
        payment: payment.clone(),
        item: None,
        session: None,
        sold: None,
        subtotal: None,
        paid: None,
        pack: PackId::parse("pack_500").expect("an id"),
        quantity: 1,
        money: money.clone(),
        effective_at: noon(),
    }));
    let refund = Command::Payment(PaymentCommand::RecordRefundedPayment {
        payment,
        refunded: money.clone(),
        paid: money,
        effective_at: noon(),
    });
    let execute = async |command, key: &str| {
        server
            .test
            .ledger
            .execute(request("indebted", command, IdempotencyKey::stripe(key)))
            .await
            .expect("executed")
    };
    execute(purchase, "bought").await;
    server.post("/v1/accounts/indebted/deductions", json!({ "amount": 550 })).send().await;
    execute(refund, "refunded").await;
}
