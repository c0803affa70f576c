//! How much may be charged, taken and given back: by the catalog, and by what has happened to the payment.

use domain::{
    account::Account,
    amount::Currency,
    catalog::{Catalog, PackRefunds},
    charges::{
        Capture, Payable, Payment, PaymentStatus, cancel, capture, charge, check_undisputed, confirm, is_of,
        refund,
    },
    command::{AccountCommand, Command, CustomerCommand},
    ids::{PackId, ProviderId},
    refusal::Refusal,
    rollout::BillingState,
};

use crate::builders::{
    catalog::catalog,
    scenario::{Scenario, given, opened_under},
    words::{buy, close_dispute, day, open_dispute},
};

/// A pack of 2,000 credits for 20.00.
const PACK: &str = "pack_2000";

fn pack(quantity: u32) -> Payable {
    Payable::Pack { pack: PackId::parse(PACK).unwrap(), quantity }
}

fn opened() -> Account {
    opened_under(catalog()).account
}

fn with(change: impl FnOnce(&mut Catalog)) -> Catalog {
    let mut catalog = catalog();
    change(&mut catalog);
    catalog
}

fn charged(catalog: &Catalog, payable: &Payable) -> Result<i64, Refusal> {
    charge(&opened(), catalog, BillingState::On, payable).map(|due| due.money.minor)
}

fn out_of_bounds(catalog: &Catalog) -> Refusal {
    let (smallest, largest) = (catalog.payments.minor_min, catalog.payments.minor_max);
    Refusal::PaymentOutOfBounds { smallest, largest, currency: Currency::parse("usd").unwrap() }
}

fn payment(status: PaymentStatus) -> Payment {
    let pack = Some(PackId::parse(PACK).unwrap());
    Payment { status, amount: 6_000, capturable: 0, received: 0, refunded: 0, pack }
}

fn held() -> Payment {
    Payment { capturable: 6_000, ..payment(PaymentStatus::RequiresCapture) }
}

fn paid() -> Payment {
    Payment { received: 6_000, ..payment(PaymentStatus::Succeeded) }
}

#[test]
fn packs_cost_what_the_catalog_says_and_as_often() {
    assert_eq!(charged(&catalog(), &pack(1)), Ok(2_000));
    assert_eq!(charged(&catalog(), &pack(3)), Ok(6_000));
    let unknown = Payable::Pack { pack: PackId::parse("pack_9").unwrap(), quantity: 1 };
    assert_eq!(charged(&catalog(), &unknown), Err(Refusal::UnknownPack));
}

#[test]
fn a_payment_is_no_smaller_and_no_larger_than_the_catalog_lets_it_be() {
    let catalog = with(|catalog| (catalog.payments.minor_min, catalog.payments.minor_max) = (50, 4_000));
    assert_eq!(charged(&catalog, &Payable::Amount(50)), Ok(50));
    assert_eq!(charged(&catalog, &Payable::Amount(4_000)), Ok(4_000));
    assert_eq!(charged(&catalog, &pack(2)), Ok(4_000));
    for payable in
        [Payable::Amount(49), Payable::Amount(4_001), Payable::Amount(-50), pack(3), pack(u32::MAX)]
    {
        assert_eq!(charged(&catalog, &payable), Err(out_of_bounds(&catalog)), "{payable:?}");
    }
    let dear = with(|catalog| catalog.packs.iter_mut().for_each(|pack| pack.price.minor = i64::MAX));
    assert_eq!(charged(&dear, &pack(2)), Err(out_of_bounds(&dear)), "more than an amount can hold");
}

#[test]
fn only_an_open_account_is_charged() {
    let unopened = given([]).account;
    assert_eq!(charge(&unopened, &catalog(), BillingState::On, &pack(1)), Err(Refusal::AccountNotFound));
    let close = Command::Account(AccountCommand::CloseAccount { reason: "left".to_owned() });
    let closed = opened_under(catalog()).when(close).account;
    assert_eq!(charge(&closed, &catalog(), BillingState::On, &pack(1)), Err(Refusal::AccountClosed));
}

#[test]
fn money_is_held_first_where_the_catalog_says_so() {
    let by_hand = with(|catalog| catalog.payments.automatic_capture = false);
    assert!(!charge(&opened(), &by_hand, BillingState::On, &pack(1)).unwrap().automatic_capture);
    assert!(charge(&opened(), &catalog(), BillingState::On, &pack(1)).unwrap().automatic_capture);
}

#[test]
fn a_payment_is_an_accounts_while_and_after_it_is_the_customer() {
    let customer = ProviderId::parse("cus_1").unwrap();
    let link =
        Command::Customer(CustomerCommand::LinkCustomer { customer: customer.clone(), effective_at: day(0) });
    let linked = opened_under(catalog()).when(link);
    let unlink = Command::Customer(CustomerCommand::UnlinkCustomer { customer, effective_at: day(0) });
    for scenario in [linked.clone(), linked.when(unlink)] {
        let account = scenario.account.opened().unwrap();
        assert!(is_of(account, Some("cus_1")) && !is_of(account, Some("cus_2")) && !is_of(account, None));
    }
}

#[test]
fn what_is_over_is_neither_confirmed_nor_called_off() {
    let all = [
        (PaymentStatus::RequiresPaymentMethod, true, true),
        (PaymentStatus::RequiresConfirmation, true, true),
        (PaymentStatus::RequiresAction, true, true),
        (PaymentStatus::RequiresCapture, false, true),
        (PaymentStatus::Processing, false, false),
        (PaymentStatus::Canceled, false, false),
        (PaymentStatus::Succeeded, false, false),
        (PaymentStatus::Other("of_tomorrow".to_owned()), false, false),
    ];
    for (status, confirms, cancels) in all {
        assert_eq!(PaymentStatus::parse(status.as_str()), status);
        let refused = Refusal::PaymentState { status: status.as_str().to_owned() };
        let expected = |allowed: bool| if allowed { Ok(()) } else { Err(refused.clone()) };
        assert_eq!(confirm(&payment(status.clone())), expected(confirms), "{status:?}");
        assert_eq!(cancel(&payment(status.clone())), expected(cancels), "{status:?}");
    }
}

#[test]
fn all_that_is_held_is_captured_or_whole_packs_of_it() {
    let catalog = catalog();
    let captured = |wanted| capture(&catalog, &held(), wanted);
    // The whole amount pays for as many packs as were ordered, whatever they cost today.
    assert_eq!(captured(None), Ok(Capture { minor: 6_000, packs: None }));
    let dearer = with(|catalog| catalog.packs[0].price.minor = 7_000);
    assert_eq!(capture(&dearer, &held(), None), Ok(Capture { minor: 6_000, packs: None }));
    assert_eq!(captured(Some(4_000)), Ok(Capture { minor: 4_000, packs: Some(2) }));
    assert_eq!(captured(Some(4_001)), Err(Refusal::PartOfPack { price: 2_000, requested: 4_001 }));
    for requested in [0, -1, 6_001] {
        let refused = Refusal::CaptureExceedsPayment { capturable: 6_000, requested };
        assert_eq!(captured(Some(requested)), Err(refused));
    }
    let free = Payment { pack: None, ..held() };
    assert_eq!(capture(&catalog, &free, Some(1)), Ok(Capture { minor: 1, packs: None }));
    let refused = Refusal::PaymentState { status: "succeeded".to_owned() };
    assert_eq!(capture(&catalog, &paid(), None), Err(refused));
}

#[test]
fn no_more_is_given_back_than_is_left() {
    let catalog = catalog();
    let half = Payment { refunded: 2_500, ..paid() };
    assert_eq!(refund(&catalog, &paid(), None), Ok(6_000));
    assert_eq!(refund(&catalog, &half, None), Ok(3_500));
    assert_eq!(refund(&catalog, &half, Some(3_500)), Ok(3_500));
    for requested in [3_501, 0, -1] {
        let refused = Refusal::RefundExceedsPayment { refundable: 3_500, requested };
        assert_eq!(refund(&catalog, &half, Some(requested)), Err(refused));
    }
    let nothing = Refusal::RefundExceedsPayment { refundable: 0, requested: 0 };
    assert_eq!(refund(&catalog, &held(), None), Err(nothing.clone()), "held is not received");
    let whole = Payment { refunded: 6_000, ..paid() };
    assert_eq!(refund(&catalog, &whole, None), Err(nothing));
}

#[test]
fn a_business_that_gives_nothing_back_for_packs_does_so_for_the_rest() {
    let strict = with(|catalog| catalog.payments.pack_refunds = PackRefunds::Refused);
    assert_eq!(refund(&strict, &paid(), Some(1)), Err(Refusal::PackNotRefundable));
    assert_eq!(refund(&strict, &Payment { pack: None, ..paid() }, Some(1)), Ok(1));
}

#[test]
fn what_is_disputed_is_not_refunded_unless_the_dispute_was_won() {
    let check = |scenario: &Scenario| {
        check_undisputed(scenario.account.opened().unwrap(), &ProviderId::parse("pi_1").unwrap())
    };
    let bought = opened_under(catalog()).when(buy("pi_1", PACK, 1, day(0)));
    assert_eq!(check(&bought), Ok(()));
    let disputed = bought.at(day(2)).when(open_dispute("dp_1", "pi_1", day(1)));
    assert_eq!(check(&disputed), Err(Refusal::PaymentDisputed));
    assert_eq!(
        check(&disputed.clone().when(close_dispute("dp_1", "pi_1", false, day(2)))),
        Err(Refusal::PaymentDisputed)
    );
    assert_eq!(check(&disputed.when(close_dispute("dp_1", "pi_1", true, day(2)))), Ok(()));
}
