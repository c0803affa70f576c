//! Packs: on invoices, by payment links, and with an invoice beside the checkout.

use counterfoil::stripe::outbound::BillingMode;
use serde_json::json;

use super::{
    documents,
    told::{case, lived},
};
use crate::support::{bureau::Bureau, shop::client};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_on_the_invoice_of_a_subscription_is_granted() {
    lived("F2_pack_on_a_subscription_invoice").await.credits(50 + 500 + 2_000).plan("basic").all_handled();
}

/// Nobody can be asked what the session sold, so it waits for somebody who can: it is not ignored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_session_whose_contents_nobody_knows_is_held() {
    let told = lived("F14_pack_without_metadata").await;
    told.state_of("evt_SB00025aj2WJ0JL6", &["dead", "waiting"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_that_was_bought_by_its_price_is_granted_when_its_lines_are_fetched() {
    let events = documents::events("F14_pack_without_metadata");
    let bureau = Bureau::open(documents::after(&events)).await;
    let sessions = ["-as-it-happened", "-in-order", "-doubled"].map(|telling| {
        let mut session = documents::renamed(&events[0], telling)["data"]["object"].clone();
        session["line_items"] = json!({
            "object": "list", "has_more": false, "url": format!("/v1/checkout/sessions/{}/line_items", session["id"].as_str().unwrap()),
            "data": [{
                "id": "li_f14", "object": "item", "amount_discount": 0, "amount_subtotal": 2000, "amount_tax": 0,
                "amount_total": 2000, "currency": "usd", "description": "2,000 credits", "quantity": 1,
                "price": {
                    "id": "price_t_pack_2000", "object": "price", "active": true, "currency": "usd", "unit_amount": 2000,
                    "unit_amount_decimal": "2000", "type": "one_time", "product": "prod_pack", "livemode": false,
                    "billing_scheme": "per_unit", "created": 1_794_000_000, "metadata": {},
                },
            }],
        });
        session
    });
    bureau.happened(&[], &sessions).await;
    let switch = BillingMode::On(client("sk_test_sessions", &bureau.sandbox.url()));
    case("F14_pack_without_metadata").asking(switch).told().await.credits(2_050).all_handled();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_whose_checkout_also_made_an_invoice_is_granted_once() {
    let told = lived("F18_checkout_with_an_invoice").await;
    told.credits(2_050).state_of("evt_t000096", &["processed", "ignored"]).all_handled();
}
