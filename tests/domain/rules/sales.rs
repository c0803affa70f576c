//! What may be sold to whom, and at which price?

use domain::{
    account::Account,
    catalog::{Catalog, Interval, StripePrice},
    command::{
        AccountCommand, CheckoutStep, Command, CustomerCommand, PurchaseCommand, RecordCheckout,
        SubscriptionChange,
    },
    event::PaymentPurpose,
    ids::PackId,
    purchase::{self, PurchaseRequest, PurchaseTerms},
    refusal::Refusal,
    rollout::BillingState,
    subscription::{SubscriptionState, SubscriptionStatus},
    unsold::Unsold,
};

use crate::builders::{
    catalog::{catalog, plan_id},
    scenario::{Scenario, given},
    words::{day, ended, month, opened, provider, report, terms},
};

/// The catalog with a price at Stripe for everything but the pack `pack_short`.
pub fn for_sale() -> Catalog {
    let mut catalog = catalog();
    let price = |id: String| StripePrice { price_ids: vec![id], ..StripePrice::default() };
    for plan in &mut catalog.plans {
        for offer in &mut plan.prices {
            offer.stripe = price(format!("price_{}_{}", plan.id, offer.interval.as_str()));
        }
    }
    for pack in &mut catalog.packs {
        pack.stripe = price(format!("price_{}", pack.id));
    }
    let setting = Some("STRIPE_PRICE_SHORT".to_owned());
    catalog.packs[2].stripe = StripePrice { setting, ..StripePrice::default() };
    catalog
}

fn a_plan(plan: &str, trial: bool) -> PurchaseRequest {
    PurchaseRequest::Plan { plan: plan_id(plan), interval: Interval::Year, quantity: 3, trial }
}

fn a_pack(pack: &str) -> PurchaseRequest {
    PurchaseRequest::Pack { pack: PackId::parse(pack).unwrap(), quantity: 2 }
}

fn sell(scenario: &Scenario, wish: &PurchaseRequest) -> Result<PurchaseTerms, Refusal> {
    purchase::price_purchase(&scenario.account, &for_sale(), BillingState::On, wish, scenario.clock)
}

fn subscribed() -> Scenario {
    given([opened()]).at(month(0).start).when(report(SubscriptionChange::Started, terms("basic", month(0))))
}

#[test]
fn a_plan_is_sold_at_the_price_of_its_interval() {
    let purpose = PaymentPurpose::Subscription { subscription: None, plan: Some(plan_id("team")) };
    let sold = PurchaseTerms {
        price_id: Some("price_team_year".to_owned()),
        quantity: 3,
        trial_days: None,
        purpose,
        pack: None,
    };
    assert_eq!(sell(&given([opened()]), &a_plan("team", false)), Ok(sold));
}

#[test]
fn a_trial_has_the_plans_days_and_there_is_none_where_the_plan_has_none() {
    let days = |plan| sell(&given([opened()]), &a_plan(plan, true)).map(|sale| sale.trial_days);
    assert!(for_sale().payments.trial_days > 0);
    assert_eq!(days("team"), Ok(Some(14)));
    assert_eq!(days("basic"), Err(Refusal::NoTrial));
}

#[test]
fn who_has_tried_does_not_try_again() {
    let tried = ended("team", month(0), day(5));
    let tried = domain::subscription::SubscriptionState { trial_end: Some(day(5)), ..tried };
    let scenario = given([opened()]).at(day(6)).when(report(SubscriptionChange::Ended, tried));
    assert_eq!(sell(&scenario, &a_plan("team", true)), Err(Refusal::NoTrial));
    assert!(sell(&scenario, &a_plan("basic", false)).is_ok());
}

#[test]
fn a_second_subscription_is_refused_unless_the_catalog_allows_several() {
    let scenario = subscribed();
    let active = Refusal::SubscriptionActive { plan: plan_id("basic") };
    assert_eq!(sell(&scenario, &a_plan("team", false)), Err(active));
    let mut several = for_sale();
    several.payments.several_subscriptions = true;
    assert!(
        purchase::price_purchase(
            &scenario.account,
            &several,
            BillingState::On,
            &a_plan("team", false),
            scenario.clock
        )
        .is_ok()
    );
    assert!(sell(&scenario, &a_pack("pack_500")).is_ok(), "packs are sold beside a subscription");
}

#[test]
fn no_second_subscription_is_sold_before_the_first_has_ended_whatever_it_gives() {
    use SubscriptionStatus::{Active, Incomplete, PastDue, Paused, Trialing, Unpaid};
    let holds = |status, cancel_at| {
        let held = SubscriptionState { status, cancel_at, ..terms("basic", month(0)) };
        given([opened()]).at(day(1)).when(report(SubscriptionChange::Started, held))
    };
    let active = Err(Refusal::SubscriptionActive { plan: plan_id("basic") });
    for status in [Active, Incomplete, PastDue, Paused, Trialing, Unpaid] {
        assert_eq!(sell(&holds(status, None), &a_plan("team", false)), active, "{status:?}");
        let ends = holds(status, Some(day(20)));
        assert_eq!(sell(&ends, &a_plan("team", false)), active, "{status:?}, and it will end");
        assert!(sell(&ends.at(day(20)), &a_plan("team", false)).is_ok(), "{status:?}, and it was to end");
    }
    // A subscription has not ended when its days of grace are over.
    let late = SubscriptionState { status: PastDue, grace_days: Some(3), ..terms("basic", month(0)) };
    let late = given([opened()]).at(day(1)).when(report(SubscriptionChange::PastDue, late)).at(day(20));
    assert_eq!(sell(&late, &a_plan("team", false)), active);
    // A subscription that was ended at once has ended, even if it is paid for until later.
    let paid_out =
        subscribed().at(day(5)).when(report(SubscriptionChange::Ended, ended("basic", month(0), day(5))));
    assert!(sell(&paid_out, &a_plan("team", false)).is_ok());
}

fn open_page(session: &str, at: i64) -> Command {
    Command::Purchase(PurchaseCommand::RecordCheckout(RecordCheckout {
        session: provider(session),
        step: CheckoutStep::Started,
        purpose: PaymentPurpose::Subscription { subscription: None, plan: Some(plan_id("basic")) },
        customer: None,
        sold: None,
        metadata: domain::metadata::Metadata::default(),
        invoice: None,
        effective_at: day(at),
    }))
}

#[test]
fn a_new_page_for_a_plan_takes_the_place_of_those_that_are_open() {
    let ended = |session: &str, step| {
        let Command::Purchase(PurchaseCommand::RecordCheckout(page)) = open_page(session, 0) else {
            panic!()
        };
        Command::Purchase(PurchaseCommand::RecordCheckout(RecordCheckout { step, ..page }))
    };
    let pages = ["cs_paid", "cs_expired", "cs_open"];
    let opened = pages.iter().fold(given([opened()]), |scenario, page| scenario.when(open_page(page, 0)));
    let opened = opened.when(ended("cs_paid", CheckoutStep::Completed { paid: true }));
    let opened = opened.when(ended("cs_expired", CheckoutStep::Expired));
    let superseded = |scenario: &Scenario, wish: PurchaseRequest| {
        purchase::superseded(scenario.open(), &for_sale(), &wish, scenario.clock)
    };
    assert_eq!(superseded(&opened, a_plan("team", false)), [provider("cs_open")]);
    assert_eq!(superseded(&opened, a_pack("pack_500")), []);
    let mut several = for_sale();
    several.payments.several_subscriptions = true;
    assert_eq!(purchase::superseded(opened.open(), &several, &a_plan("team", false), opened.clock), []);
    assert_eq!(superseded(&opened.at(day(1)), a_plan("team", false)), [], "Stripe has closed it by now");
}

#[test]
fn a_pack_is_sold_by_its_number() {
    let sold = sell(&given([opened()]), &a_pack("pack_2000")).unwrap();
    let pack = PackId::parse("pack_2000").unwrap();
    assert_eq!(sold.purpose, PaymentPurpose::Pack { pack, quantity: 2 });
    assert_eq!(
        (sold.price_id.as_deref(), sold.quantity, sold.trial_days),
        (Some("price_pack_2000"), 2, None)
    );
}

/// With a checkout page and without one.
#[test]
fn more_packs_than_one_payment_may_be_for_are_not_sold() {
    let mut catalog = for_sale();
    catalog.payments.minor_max = 5_000;
    let open = given([opened()]);
    let packs = |quantity| {
        let wish = PurchaseRequest::Pack { pack: PackId::parse("pack_2000").unwrap(), quantity };
        purchase::price_purchase(&open.account, &catalog, BillingState::On, &wish, open.clock)
    };
    assert!(packs(2).is_ok());
    let (smallest, currency) = (catalog.payments.minor_min, catalog.currency.clone());
    assert_eq!(packs(3), Err(Refusal::PaymentOutOfBounds { smallest, largest: 5_000, currency }));
}

#[test]
fn what_has_no_price_is_not_sold_and_the_setting_is_named() {
    let open = given([opened()]);
    let setting = Some("STRIPE_PRICE_SHORT".to_owned());
    assert_eq!(sell(&open, &a_pack("pack_short")), Err(Refusal::NotForSale(Unsold::NoPriceId { setting })));
    assert_eq!(sell(&open, &a_plan("free", false)), Err(Refusal::NotForSale(Unsold::NoPrice)));
    let mut catalog = for_sale();
    let basic = catalog.plans.iter_mut().find(|plan| plan.id == plan_id("basic")).unwrap();
    basic.prices.retain(|price| price.interval == Interval::Month);
    let year =
        PurchaseRequest::Plan { plan: plan_id("basic"), interval: Interval::Year, quantity: 1, trial: false };
    let intervals = vec![Interval::Month];
    let refused = Err(Refusal::NotForSale(Unsold::Interval { intervals }));
    assert_eq!(
        purchase::price_purchase(&open.account, &catalog, BillingState::On, &year, open.clock),
        refused
    );
    assert_eq!(sell(&open, &a_pack("pack_1")), Err(Refusal::UnknownPack));
    let gold = Refusal::UnknownPlan { plan: plan_id("gold") };
    assert_eq!(sell(&open, &a_plan("gold", false)), Err(gold));
}

#[test]
fn nothing_is_sold_to_an_account_that_is_not_open() {
    let nobody = purchase::price_purchase(
        &Account::Unopened,
        &for_sale(),
        BillingState::Off,
        &a_pack("pack_500"),
        day(0),
    );
    assert_eq!(nobody, Err(Refusal::AccountNotFound));
    let closed =
        given([opened()]).when(Command::Account(AccountCommand::CloseAccount { reason: "left".to_owned() }));
    assert_eq!(sell(&closed, &a_pack("pack_500")), Err(Refusal::AccountClosed));
}

#[test]
fn the_customer_is_the_first_that_is_still_linked() {
    let link = |id: &str| {
        Command::Customer(CustomerCommand::LinkCustomer { customer: provider(id), effective_at: day(0) })
    };
    let unlink = |id: &str| {
        Command::Customer(CustomerCommand::UnlinkCustomer { customer: provider(id), effective_at: day(0) })
    };
    let scenario = given([opened()]);
    assert_eq!(purchase::customer(&scenario.account), Err(Refusal::NoCustomer));
    let scenario = scenario.when(link("cus_1")).when(link("cus_2"));
    assert_eq!(purchase::customer(&scenario.account), Ok(&provider("cus_1")));
    let scenario = scenario.when(unlink("cus_1"));
    assert_eq!(purchase::customer(&scenario.account), Ok(&provider("cus_2")));
}
