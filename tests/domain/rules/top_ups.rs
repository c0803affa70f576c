//! Does a chosen number of credits cost what the catalog says, and give what was sold?

use domain::{
    amount::{Credits, Currency, Money},
    catalog::{Catalog, TopUp},
    charges::{Capture, Payable, Payment, PaymentStatus, capture, charge},
    command::{Command, PurchaseCommand, RecordPackPurchase},
    event::PaymentPurpose,
    fraction::Fraction,
    purchase::{self, PurchaseRequest},
    refusal::Refusal,
    rollout::BillingState,
    sold_pack::SoldPack,
    top_up,
    unsold::Unsold,
};

use crate::builders::{
    catalog::{catalog, credits},
    scenario::{Scenario, given},
    words::{day, opened, provider, refund_payment},
};

/// 1.25 cents a credit, 100 to 10,000 of them.
fn selling() -> Catalog {
    let mut catalog = catalog();
    catalog.top_up = Some(TopUp {
        name: "Credits".to_owned(),
        price_per_credit: Fraction::new(5, 4).unwrap(),
        currency: Currency::parse("usd").unwrap(),
        smallest: credits(100),
        largest: credits(10_000),
        expires_after_days: Some(90),
        product_id: None,
        product_setting: None,
    });
    catalog
}

fn usd(minor: i64) -> Money {
    Money { minor, currency: Currency::parse("usd").unwrap() }
}

fn out_of_bounds() -> Refusal {
    Refusal::TopUpOutOfBounds { smallest: credits(100), largest: credits(10_000) }
}

/// A payment for this many credits, on the terms of the sale.
fn bought(count: i64, minor: i64) -> Command {
    let sold = SoldPack {
        pack: top_up::pack_id().unwrap(),
        credits: credits(count),
        price: usd(minor),
        expires_after_days: Some(90),
    };
    Command::Purchase(PurchaseCommand::RecordPackPurchase(RecordPackPurchase {
        payment: provider("pi_1"),
        item: None,
        session: None,
        pack: sold.pack.clone(),
        sold: Some(sold),
        quantity: 1,
        subtotal: Some(usd(minor)),
        paid: None,
        money: usd(minor),
        effective_at: day(0),
    }))
}

fn available(scenario: &Scenario) -> Credits {
    scenario.account.balance(scenario.clock).available
}

#[test]
fn a_free_amount_is_sold_at_the_price_of_each_rounded_up() {
    let open = given([opened()]);
    let sell = |count| {
        purchase::price_purchase(
            &open.account,
            &selling(),
            BillingState::On,
            &PurchaseRequest::Credits(credits(count)),
            open.clock,
        )
    };
    let sold = sell(101).unwrap();
    let pack = sold.pack.unwrap();
    // 126.25 cents.
    assert_eq!((sold.price_id, pack.price, pack.credits), (None, usd(127), credits(101)));
    assert_eq!(sold.purpose, PaymentPurpose::Pack { pack: top_up::pack_id().unwrap(), quantity: 1 });
    assert_eq!(sell(99), Err(out_of_bounds()));
    assert_eq!(sell(10_001), Err(out_of_bounds()));
    let without = purchase::price_purchase(
        &open.account,
        &catalog(),
        BillingState::On,
        &PurchaseRequest::Credits(credits(500)),
        open.clock,
    );
    assert_eq!(without, Err(Refusal::NotForSale(Unsold::NoTopUp)));
}

#[test]
fn a_free_amount_is_charged_and_captured_whole() {
    let open = given([opened()]);
    let charged = |count| {
        charge(&open.account, &selling(), BillingState::On, &Payable::Credits(credits(count)))
            .map(|due| due.money.minor)
    };
    assert_eq!(charged(1_000), Ok(1_250));
    assert_eq!(charged(50), Err(out_of_bounds()));
    let held = Payment {
        status: PaymentStatus::RequiresCapture,
        amount: 1_250,
        capturable: 1_250,
        received: 0,
        refunded: 0,
        pack: Some(top_up::pack_id().unwrap()),
    };
    assert_eq!(capture(&selling(), &held, None), Ok(Capture { minor: 1_250, packs: None }));
    let part = capture(&selling(), &held, Some(625));
    assert_eq!(part, Err(Refusal::PartOfPack { price: 1_250, requested: 625 }));
}

/// Whatever the catalog says by then, even if it no longer sells credits by number.
#[test]
fn what_was_sold_is_granted_once_ends_when_it_was_to_end_and_goes_back_by_its_share() {
    for catalog in [selling(), catalog()] {
        let paid = given([opened()]).under(catalog).when(bought(1_000, 1_250));
        let before = available(&paid);
        let paid = paid.when(bought(1_000, 1_250)).then_nothing();
        let refunded = paid.clone().when(refund_payment("pi_1", 625, 1_250, day(0)));
        assert_eq!(available(&refunded).get(), before.get() - 500);
        let over = paid.at(day(90)).settle();
        assert_eq!(available(&over).get(), before.get() - 1_000);
    }
}
