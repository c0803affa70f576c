//! Is a pack granted as it was sold, and once, whichever report comes first, and is its share taken back after a
//! refund?

use domain::{
    amount::Money,
    command::{CheckoutStep, Command, PaymentCommand, PurchaseCommand, RecordCheckout, RecordPackPurchase},
    event::PaymentPurpose,
    ids::PackId,
    purchase_records::CHECKOUTS_KEPT_MAX,
    refusal::Refusal,
    sold_pack::SoldPack,
};

use crate::builders::{
    catalog::{catalog, credits, free_nothing, usd},
    scenario::{Scenario, opened_under},
    words::{buy, day, provider, refund_payment},
};

fn empty() -> Scenario {
    opened_under(free_nothing())
}

fn pack(id: &str) -> PackId {
    PackId::parse(id).unwrap()
}

fn purchase(command: Command) -> RecordPackPurchase {
    let Command::Purchase(PurchaseCommand::RecordPackPurchase(purchase)) = command else { panic!() };
    purchase
}

/// One of several packs that were paid for together.
fn part(payment: &str, item: &str, pack: &str, minor: i64, paid: i64) -> Command {
    Command::Purchase(PurchaseCommand::RecordPackPurchase(RecordPackPurchase {
        item: Some(provider(item)),
        money: usd(minor),
        paid: Some(usd(paid)),
        ..purchase(buy(payment, pack, 1, day(0)))
    }))
}

fn of_session(session: &str, command: Command) -> Command {
    Command::Purchase(PurchaseCommand::RecordPackPurchase(RecordPackPurchase {
        session: Some(provider(session)),
        ..purchase(command)
    }))
}

fn started(session: &str, sold: &SoldPack, number: u32) -> Command {
    Command::Purchase(PurchaseCommand::RecordCheckout(RecordCheckout {
        session: provider(session),
        step: CheckoutStep::Started,
        purpose: PaymentPurpose::Pack { pack: sold.pack.clone(), quantity: 1 },
        customer: None,
        sold: Some(sold.clone()),
        metadata: domain::metadata::Metadata::default(),
        invoice: None,
        effective_at: day(0).plus(chrono::TimeDelta::seconds(number.into())),
    }))
}

fn completed(session: &str, invoice: &str) -> Command {
    Command::Purchase(PurchaseCommand::RecordCheckout(RecordCheckout {
        session: provider(session),
        step: CheckoutStep::Completed { paid: true },
        purpose: PaymentPurpose::Pack { pack: pack("pack_2000"), quantity: 1 },
        customer: None,
        sold: None,
        metadata: domain::metadata::Metadata::default(),
        invoice: Some(provider(invoice)),
        effective_at: day(0),
    }))
}

fn linked(payment: &str, invoice: &str) -> Command {
    Command::Payment(PaymentCommand::LinkPayment {
        payment: provider(payment),
        invoice: provider(invoice),
        effective_at: day(0),
    })
}

fn sold(minor: i64) -> SoldPack {
    SoldPack {
        pack: pack("pack_2000"),
        credits: credits(700),
        price: usd(minor),
        expires_after_days: Some(10),
    }
}

#[test]
fn a_pack_is_granted_as_it_was_sold_whatever_the_catalog_says_by_then() {
    let bought = of_session("cs_1", buy("pi_1", "pack_2000", 1, day(0)));
    let scenario = empty().when(started("cs_1", &sold(2000), 0)).when(bought.clone());
    scenario.then_available(700).at(day(10)).then_available(0);
    let mut without = free_nothing();
    without.packs.clear();
    let gone = empty().when(started("cs_1", &sold(2000), 0)).under(without.clone()).when(bought.clone());
    gone.then_available(700);
    empty().under(without).when(bought.clone()).then_refused(Refusal::UnknownPack);
    empty().when(bought).then_available(2000);
}

#[test]
fn packs_are_counted_by_the_price_that_they_were_sold_at() {
    // Two packs at 10.00, for which the catalog now asks 20.00.
    let bought = RecordPackPurchase {
        subtotal: Some(usd(2000)),
        ..purchase(of_session("cs_1", buy("pi_1", "pack_2000", 1, day(0))))
    };
    let two = empty()
        .when(started("cs_1", &sold(1000), 0))
        .when(Command::Purchase(PurchaseCommand::RecordPackPurchase(bought.clone())));
    two.then_available(1400);
    // In another currency, or if it does not divide evenly, the subtotal says nothing.
    for subtotal in
        [usd(1999), Money { currency: domain::amount::Currency::parse("eur").unwrap(), ..usd(2000) }]
    {
        let bought = RecordPackPurchase { subtotal: Some(subtotal), ..bought.clone() };
        let one = empty()
            .when(started("cs_1", &sold(1000), 0))
            .when(Command::Purchase(PurchaseCommand::RecordPackPurchase(bought)));
        one.then_available(700);
    }
}

#[test]
fn of_many_checkouts_the_newest_are_remembered() {
    let mut scenario = empty();
    for number in 0..=u32::try_from(CHECKOUTS_KEPT_MAX).unwrap() {
        scenario = scenario.when(started(&format!("cs_{number}"), &sold(2000), number));
    }
    let forgotten = of_session("cs_0", buy("pi_0", "pack_2000", 1, day(0)));
    let known = of_session("cs_1", buy("pi_1", "pack_2000", 1, day(0)));
    scenario.when(forgotten).then_available(2000).when(known).then_available(2700);
}

#[test]
fn all_packs_of_a_payment_are_granted_and_go_back_by_their_share() {
    let (large, small) =
        (part("pi_1", "li_1", "pack_2000", 2000, 2600), part("pi_1", "li_2", "pack_500", 600, 2600));
    let bought = empty().when(large.clone()).when(small.clone()).then_available(2500);
    let bought = bought.when(large).then_nothing().when(small).then_nothing();
    bought
        .when(refund_payment("pi_1", 1300, 2600, day(0)))
        .then_grant("pack:pi_1:li_1", 2000, 1000)
        .then_grant("pack:pi_1:li_2", 500, 250)
        .when(refund_payment("pi_1", 2600, 2600, day(0)))
        .then_available(0);
}

#[test]
fn a_refund_that_is_known_before_the_packs_takes_back_all_of_them() {
    let refunded = empty().when(refund_payment("pi_1", 2600, 2600, day(0)));
    let bought = refunded.when(part("pi_1", "li_1", "pack_2000", 2000, 2600));
    bought.when(part("pi_1", "li_2", "pack_500", 600, 2600)).then_balance(0, 0, 0);
}

#[test]
fn a_session_and_the_invoice_that_it_makes_are_one_purchase_in_any_order() {
    let session = [
        completed("cs_1", "in_1"),
        linked("pi_1", "in_1"),
        of_session("cs_1", buy("in_1", "pack_2000", 1, day(0))),
    ];
    let invoice = [part("in_1", "il_1", "pack_2000", 2000, 2000)];
    let tell = |order: &[&[Command]]| {
        let commands = order.iter().flat_map(|commands| commands.iter());
        commands.fold(empty(), |scenario, command| scenario.when(command.clone()))
    };
    for order in [[&session[..], &invoice[..]], [&invoice[..], &session[..]]] {
        let scenario = tell(&order).then_available(2000);
        scenario.when(refund_payment("pi_1", 500, 2000, day(0))).then_available(1500);
    }
    // Also if the invoice line comes between two parts of the session.
    let between = [&session[..1], &invoice[..], &session[1..]];
    tell(&between).then_available(2000).when(refund_payment("pi_1", 2000, 2000, day(0))).then_available(0);
    let untold = tell(&[&invoice[..], &invoice[..]]);
    untold
        .then_available(2000)
        .when(linked("pi_1", "in_1"))
        .when(refund_payment("pi_1", 2000, 2000, day(0)))
        .then_available(0);
}

/// As it was recorded by releases that did not know the invoices of sessions.
#[test]
fn what_was_bought_by_the_payment_is_not_bought_again_by_its_invoice() {
    let before = empty().when(buy("pi_1", "pack_2000", 1, day(0))).when(linked("pi_1", "in_1"));
    let again = before.when(of_session("cs_1", buy("in_1", "pack_2000", 1, day(0)))).then_nothing();
    let again = again.when(part("in_1", "il_1", "pack_2000", 2000, 2000)).then_nothing();
    again.when(refund_payment("pi_1", 500, 2000, day(0))).then_available(1500);
}

#[test]
fn a_pack_that_is_sold_is_offered_as_the_catalog_says() {
    let catalog = catalog();
    let offered = SoldPack::of(catalog.pack(&pack("pack_short")).unwrap());
    assert_eq!((offered.credits, offered.expires_after_days), (credits(100), Some(30)));
}
