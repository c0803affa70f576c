//! Prices in other currencies, and amounts that Stripe cannot charge.

use counterfoil::catalog::{self, Mode};

use super::{documents, told::lived};

/// Charged in euros by the price's other currency: it is still that price.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_that_is_paid_in_another_currency_is_still_that_price() {
    let told = lived("c27_other_currency_of_the_price").await;
    told.credits(550).plan("basic").mrr_in("eur", 999).mrr_in("usd", 0).all_handled();
}

/// Two decimals are more than ISK and UGX are charged in; three end in 0, says Stripe of KWD.
#[test]
fn an_amount_that_cannot_be_charged_is_a_mistake_with_its_line() {
    for currency in ["isk", "ugx", "kwd"] {
        let path = documents::path(&format!("F19_catalog_{currency}.toml"));
        let text = std::fs::read_to_string(&path).expect("a catalog");
        let mistakes = catalog::parse(&text, &|_| None, Mode::Test).err().unwrap_or_default();
        for (number, line) in (1..).zip(text.lines()) {
            let sells = line.contains("amount =") || line.contains("price =");
            let mistaken = mistakes.iter().any(|mistake| mistake.line == number);
            assert_eq!(mistaken, sells, "{currency}: line {number} of {mistakes:#?}");
        }
    }
}
