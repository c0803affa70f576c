//! For which accounts is billing on, and what can the others not do?

use std::collections::BTreeSet;

use domain::{
    catalog::{Catalog, Downgrade, Interval},
    charges::{Payable, charge},
    command::SubscriptionChange,
    ids::{AccountId, PackId},
    purchase::{self, PurchaseRequest},
    refusal::Refusal,
    rollout::{BillingState, PLACES, Reach, Rollout, place},
    subscription::{SubscriptionState, SubscriptionStatus},
    subscription_change::{self, ChangeRequest, Page, SubscriptionAction},
};

use crate::builders::{
    catalog::plan_id,
    scenario::{Scenario, given},
    words::{day, month, opened, report, terms},
};

use super::{amendments::held, sales::for_sale};

fn id(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn ids(texts: &[&str]) -> BTreeSet<AccountId> {
    texts.iter().map(|text| id(text)).collect()
}

fn share(share: u16) -> Rollout {
    Rollout::new(share, BTreeSet::new(), BTreeSet::new())
}

fn crowd() -> impl Iterator<Item = AccountId> {
    (0..20_000).map(|number| id(&format!("user_{number}")))
}

/// Other programs compute it, too: `int(sha256(id).hexdigest()[:8], 16) % 10_000`.
#[test]
fn a_place_never_changes() {
    let known = [
        ("acme", 9_357),
        ("ada", 381),
        ("band", 6_776),
        ("3f6c1b1e-5a0e-4d1a-9a53-0c3a4d2f7a01", 2_534),
        ("a", 6_610),
        ("A", 6_016),
    ];
    let found = known.map(|(account, _)| (account, place(&id(account))));
    assert_eq!(found, known);
}

#[test]
fn who_is_in_at_a_share_is_in_at_every_larger_one() {
    let shares = [0, 1, 50, 100, 2_500, 5_000, 9_999, PLACES];
    let rollouts = shares.map(share);
    for account in crowd().take(2_000) {
        let states = rollouts.each_ref().map(|rollout| rollout.state_of(&account).is_on());
        assert!(states.is_sorted(), "{account}: {states:?}");
        assert_eq!((states[0], states[7]), (false, true), "nobody at 0 %, everybody at 100 %");
    }
}

#[test]
fn a_share_is_about_as_many_accounts() {
    for (shared, percent) in [(100, 1), (2_500, 25), (5_000, 50), (9_000, 90)] {
        let rollout = share(shared);
        let on = crowd().filter(|account| rollout.state_of(account).is_on()).count();
        let expected = 20_000 * percent / 100;
        assert!(on.abs_diff(expected) < 300, "{on} of 20,000 at {percent} %");
    }
}

#[test]
fn who_is_named_is_in_and_who_is_excepted_is_out_whatever_the_share() {
    let nobody_else = Rollout::new(0, ids(&["ada"]), BTreeSet::new());
    assert_eq!(nobody_else.state_of(&id("ada")), BillingState::On);
    assert_eq!(nobody_else.state_of(&id("bob")), BillingState::Off);
    let all_but = Rollout::new(PLACES, BTreeSet::new(), ids(&["ada"]));
    assert_eq!(all_but.state_of(&id("ada")), BillingState::Off);
    assert_eq!(all_but.state_of(&id("bob")), BillingState::On);
    let both = Rollout::new(0, ids(&["ada"]), ids(&["ada"]));
    assert_eq!(both.state_of(&id("ada")), BillingState::Off, "what is taken out is out");
}

#[test]
fn how_far_it_reaches_is_all_some_or_none() {
    let of = |share, named: &[&str], except: &[&str]| Rollout::new(share, ids(named), ids(except)).reach();
    assert_eq!(
        [of(PLACES, &[], &[]), of(PLACES, &["ada"], &[]), Rollout::everybody().reach()],
        [Reach::On; 3]
    );
    assert_eq!([of(0, &[], &[]), of(0, &[], &["ada"])], [Reach::Off; 2]);
    assert_eq!([of(2_500, &[], &[]), of(0, &["ada"], &[]), of(PLACES, &[], &["ada"])], [Reach::Partly; 3]);
}

#[test]
fn it_is_said_in_figures() {
    assert_eq!(share(2_505).to_string(), "25.05 % of the accounts");
    let all = Rollout::new(10, ids(&["ada", "bob"]), ids(&["eve"]));
    assert_eq!(all.to_string(), "0.10 % of the accounts, and 2 that are named, without 1");
}

#[test]
fn nothing_is_sold_and_nothing_charged_where_it_is_off() {
    let open = given([opened()]);
    let pack = PackId::parse("pack_500").unwrap();
    let wishes = [
        PurchaseRequest::Pack { pack: pack.clone(), quantity: 1 },
        PurchaseRequest::Plan { plan: plan_id("team"), interval: Interval::Month, quantity: 1, trial: false },
        PurchaseRequest::Plan { plan: plan_id("gold"), interval: Interval::Month, quantity: 1, trial: false },
    ];
    for wish in wishes {
        let sold = purchase::price_purchase(&open.account, &for_sale(), BillingState::Off, &wish, open.clock);
        assert_eq!(sold, Err(Refusal::BillingOff), "{wish:?}");
    }
    for payable in [Payable::Pack { pack, quantity: 1 }, Payable::Amount(1_000)] {
        let charged = charge(&open.account, &for_sale(), BillingState::Off, &payable);
        assert_eq!(charged, Err(Refusal::BillingOff), "{payable:?}");
    }
}

fn subscription(status: SubscriptionStatus) -> SubscriptionState {
    SubscriptionState { status, ..terms("creator", month(0)) }
}

/// Whether a change of a subscription to `creator` is refused if billing is off.
fn is_refused(catalog: &Catalog, interval: Interval, wish: &ChangeRequest) -> bool {
    let terms = subscription(SubscriptionStatus::Active);
    let change =
        subscription_change::change(&terms, catalog, &held("creator", interval, 2), wish, day(10)).unwrap();
    assert_eq!(subscription_change::check_sold(&change, BillingState::On), Ok(()));
    subscription_change::check_sold(&change, BillingState::Off) == Err(Refusal::BillingOff)
}

#[test]
fn where_it_is_off_a_subscription_can_become_less_and_not_more() {
    let (mut waiting, mut at_once) = (for_sale(), for_sale());
    waiting.payments.downgrade = Downgrade::PeriodEnd;
    at_once.payments.downgrade = Downgrade::AtOnce;
    let to = |plan: &str| ChangeRequest { plan: Some(plan_id(plan)), ..ChangeRequest::default() };
    let seats = |quantity| ChangeRequest { quantity: Some(quantity), ..ChangeRequest::default() };
    let by = |interval| ChangeRequest { interval: Some(interval), ..ChangeRequest::default() };
    for catalog in [waiting.clone(), at_once.clone()] {
        for more in [to("team"), seats(3), by(Interval::Year)] {
            assert!(is_refused(&catalog, Interval::Month, &more), "{more:?}");
        }
        for less in [to("basic"), seats(1)] {
            assert!(!is_refused(&catalog, Interval::Month, &less), "{less:?}");
        }
    }
    // A change at the end of the period costs nothing now; one that takes effect at once begins a month, which is paid.
    assert!(!is_refused(&waiting, Interval::Year, &by(Interval::Month)));
    assert!(is_refused(&at_once, Interval::Year, &by(Interval::Month)));
}

fn of(status: SubscriptionStatus) -> Scenario {
    let reported = report(SubscriptionChange::Started, subscription(status));
    given([opened()]).at(month(0).start).when(reported)
}

#[test]
fn where_it_is_off_what_stands_still_is_not_resumed() {
    let still = subscription(SubscriptionStatus::Paused);
    assert_eq!(subscription_change::check_resumed(&still, BillingState::Off), Err(Refusal::BillingOff));
    assert_eq!(subscription_change::check_resumed(&still, BillingState::On), Ok(()));
    let paused = SubscriptionState { collection_paused: true, ..subscription(SubscriptionStatus::Active) };
    assert_eq!(
        subscription_change::check_resumed(&paused, BillingState::Off),
        Ok(()),
        "it goes on as it was bought"
    );
    let account = of(SubscriptionStatus::Paused).account;
    let allowed = |state, terms| subscription_change::allowed_to(&account, state, terms);
    assert_eq!(allowed(BillingState::On, &still), [SubscriptionAction::Resume, SubscriptionAction::Cancel]);
    assert_eq!(allowed(BillingState::Off, &still), [SubscriptionAction::Cancel]);
    assert_eq!(allowed(BillingState::Off, &paused), [SubscriptionAction::Resume, SubscriptionAction::Cancel]);
}

#[test]
fn where_it_is_off_the_page_is_for_one_thing_alone() {
    let subscribed = of(SubscriptionStatus::Active);
    let page = |scenario: &Scenario, state| subscription_change::page(scenario.open(), state, scenario.clock);
    assert_eq!(page(&subscribed, BillingState::On), Page::Whole);
    let own = subscription(SubscriptionStatus::Active).subscription;
    assert_eq!(page(&subscribed, BillingState::Off), Page::Cancellation(own));
    let ends =
        SubscriptionState { cancel_at: Some(month(0).end), ..subscription(SubscriptionStatus::Active) };
    let ending = given([opened()]).at(month(0).start).when(report(SubscriptionChange::Started, ends));
    assert_eq!(page(&ending, BillingState::Off), Page::PaymentMethod);
    let without = given([opened()]);
    assert_eq!(page(&without, BillingState::Off), Page::Whole, "there is nothing to change");
}
