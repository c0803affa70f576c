//! Reports on subscriptions: each counts by what it says, whatever it calls the change, whoever had the subscription
//! before.

use counterfoil::{
    domain::{
        account::OpenAccount,
        command::{
            AccountCommand, Command, RecordSubscription, SubscriptionChange as Change, SubscriptionCommand,
        },
        time::Timestamp,
    },
    stripe::inbound::inbox::InboxState,
};
use serde_json::{Value, json};

use crate::support::{
    desk::Desk,
    documents::{catalog, translated_value},
    ledger::account,
};

const BASIC: &str = "price_1QLedgerBasicMonthly00001";
pub const CREATOR: &str = "price_1QLedgerCreatorMonthly002";
const TEAM: &str = "price_1QLedgerTeamMonthly000003";
/// 1 June 2025.
pub const START: i64 = 1_748_736_000;
pub const DAY: i64 = 86_400;

pub fn item(price: &str, amount: i64, quantity: i64) -> Value {
    json!({
        "id": format!("si_{price}"), "object": "subscription_item", "quantity": quantity, "discounts": [],
        "price": {
            "id": price, "object": "price", "currency": "usd", "unit_amount": amount,
            "unit_amount_decimal": amount.to_string(),
            "recurring": { "interval": "month", "interval_count": 1, "usage_type": "licensed" },
        },
        "current_period_start": START, "current_period_end": START + 30 * DAY,
    })
}

pub fn basic() -> Value {
    item(BASIC, 999, 1)
}

pub fn items(items: &[Value]) -> Value {
    json!({ "object": "list", "data": items, "has_more": false })
}

/// A report of `acme` on day `day`, with an id that says when it came.
pub fn report(kind: &str, day: i64, of: &[Value], change: impl FnOnce(&mut Value)) -> Value {
    let ended_at = if kind == "deleted" { json!(START + day * DAY) } else { Value::Null };
    let mut event = json!({
        "id": format!("evt_{kind}_{day}"), "object": "event", "created": START + day * DAY, "livemode": false,
        "type": format!("customer.subscription.{kind}"),
        "data": { "object": {
            "id": "sub_1", "object": "subscription", "customer": "cus_1", "currency": "usd",
            "status": if kind == "deleted" { "canceled" } else { "active" }, "items": items(of),
            "metadata": { "account_id": "acme" }, "discounts": [], "ended_at": ended_at,
        } },
    });
    change(&mut event["data"]);
    event
}

pub fn created() -> Value {
    report("created", 0, &[basic()], |_| ())
}

pub fn read(event: &Value) -> RecordSubscription {
    let steps = translated_value(event).unwrap().steps;
    let Some(Command::Subscription(SubscriptionCommand::RecordSubscription(report))) =
        steps.into_iter().next_back().map(|step| step.command)
    else {
        panic!()
    };
    report
}

/// An invoice that pays for the first month, with the metadata of when it was made.
pub fn paid(id: &str, day: i64, owner: &str) -> Value {
    json!({
        "id": format!("evt_{id}"), "object": "event", "created": START + day * DAY, "livemode": false,
        "type": "invoice.paid",
        "data": { "object": {
            "id": id, "object": "invoice", "customer": "cus_1", "currency": "usd", "status": "paid",
            "amount_due": 999, "amount_paid": 999, "total": 999, "subtotal": 999,
            "status_transitions": { "paid_at": START + day * DAY },
            "parent": { "type": "subscription_details", "subscription_details": {
                "subscription": "sub_1", "metadata": { "account_id": owner },
            } },
            "lines": { "object": "list", "has_more": false, "data": [{
                "id": format!("il_{id}"), "object": "line_item", "amount": 999, "currency": "usd", "quantity": 1,
                "period": { "start": START, "end": START + 30 * DAY }, "discount_amounts": [], "taxes": [],
                "parent": { "type": "subscription_item_details", "subscription_item_details": {
                    "subscription": "sub_1", "proration": false,
                } },
                "pricing": { "type": "price_details", "price_details": { "price": BASIC } },
            }] },
        } },
    })
}

async fn desk() -> Desk {
    let desk = Desk::open().await;
    desk.clock().set(Timestamp::from_seconds(START + 20 * DAY).unwrap());
    desk
}

/// The ledger after these events, told in this order, each handled before the next one came.
async fn told(events: &[&Value]) -> Desk {
    let desk = desk().await;
    for event in events {
        desk.take(event).await;
        desk.work().await;
    }
    desk
}

async fn opened(desk: &Desk, id: &str) -> OpenAccount {
    desk.test.ledger.view(&account(id)).await.unwrap().account.opened().cloned().expect("it is there")
}

/// The plan of an account, and what its subscription brings.
pub async fn standing(desk: &Desk, id: &str) -> (String, i64) {
    let account = opened(desk, id).await;
    let revenue = account.subscriptions.known().values().filter(|terms| terms.is_revenue());
    let now = desk.clock().now();
    let monthly = revenue.map(|terms| terms.monthly_at(now, &account.discounts).minor);
    (account.plan(now, &catalog()).to_string(), monthly.sum())
}

/// Every order of three or four things.
fn orders(events: &[Value]) -> Vec<Vec<&Value>> {
    let Some((first, rest)) = events.split_first() else { return vec![Vec::new()] };
    let mut orders = Vec::new();
    for order in self::orders(rest) {
        for place in 0..=order.len() {
            let mut longer = order.clone();
            longer.insert(place, first);
            orders.push(longer);
        }
    }
    orders
}

#[test]
fn an_add_on_or_a_discount_on_an_item_is_a_change_of_revenue() {
    let add_on = item("price_addon", 500, 1);
    let added = report("updated", 1, &[basic(), add_on.clone()], |data| {
        data["previous_attributes"] = json!({ "items": items(&[basic()]) });
    });
    let added = read(&added);
    assert_eq!((added.change, added.terms.monthly.minor), (Change::RevenueChanged, 1_499));
    let more = report("updated", 1, &[basic(), item("price_addon", 500, 3)], |data| {
        data["previous_attributes"] = json!({ "items": items(&[basic(), add_on]) });
    });
    let more = read(&more);
    assert_eq!((more.change, more.terms.monthly.minor), (Change::RevenueChanged, 2_499));
    let mut half = basic();
    half["discounts"] = json!([{ "coupon": { "id": "HALF", "percent_off": 50, "duration": "forever" } }]);
    let cheaper = report("updated", 1, &[half], |data| {
        data["previous_attributes"] =
            json!({ "items": { "data": [{ "id": format!("si_{BASIC}"), "discounts": [] }] } });
    });
    let cheaper = read(&cheaper);
    assert_eq!((cheaper.change, cheaper.terms.monthly.minor), (Change::RevenueChanged, 500));
}

#[tokio::test]
async fn a_report_that_names_nothing_we_keep_counts_where_another_was_lost_and_else_adds_nothing() {
    let unnamed = |day: i64, price: Value| {
        report("updated", day, &[price], |data| {
            data["previous_attributes"] = json!({ "default_payment_method": "pm_1" });
        })
    };
    let desk = told(&[&created(), &unnamed(1, basic())]).await;
    let before = desk.test.ledger.known_heads();
    desk.take(&unnamed(2, basic())).await;
    desk.work().await;
    assert_eq!(desk.test.ledger.known_heads(), before, "nothing was added");
    let event = desk.take(&unnamed(3, item(CREATOR, 1_999, 1))).await;
    desk.work().await;
    assert_eq!(desk.state(&event).await, InboxState::Processed);
    assert_eq!(standing(&desk, "acme").await, ("creator".to_owned(), 1_999));
}

#[tokio::test]
async fn a_price_that_nobody_knows_ends_the_plan_of_a_known_subscription_in_any_order() {
    let special = || item("price_custom_deal", 2_500, 1);
    let changed = report("updated", 1, &[special()], |data| {
        data["previous_attributes"] = json!({ "items": items(&[basic()]) });
    });
    let ended = report("deleted", 2, &[special()], |_| ());
    for order in orders(&[created(), changed.clone(), ended]) {
        let desk = told(&order).await;
        assert_eq!(standing(&desk, "acme").await, ("free".to_owned(), 0));
        assert_eq!(desk.count().await[&InboxState::Processed], 3, "{order:#?}");
    }
    let desk = told(&[&created(), &changed]).await;
    assert_eq!(standing(&desk, "acme").await, ("free".to_owned(), 2_500));
}

#[test]
fn none_of_a_plan_gives_no_plan() {
    let none = report("updated", 1, &[item(TEAM, 2_999, 0)], |_| ());
    let none = read(&none).terms;
    assert_eq!((none.plan.as_str(), none.quantity, none.monthly.minor), ("free", 0, 0));
}

/// Whichever comes first in the list; both are charged.
#[test]
fn of_several_plans_in_one_subscription_the_largest_holds() {
    let both = [basic(), item(TEAM, 2_999, 1)];
    let turned = [both[1].clone(), both[0].clone()];
    for plans in [both, turned] {
        let terms = read(&report("created", 0, &plans, |_| ())).terms;
        assert_eq!((terms.plan.as_str(), terms.monthly.minor), ("team", 3_998));
    }
}

#[test]
fn a_subscription_without_a_currency_has_that_of_its_price() {
    let older = report("created", 0, &[basic()], |data| {
        data["object"].as_object_mut().unwrap().remove("currency");
    });
    assert_eq!(read(&older).terms.monthly.currency.to_string(), "usd");
}

#[test]
fn a_price_is_known_by_its_id_in_whatever_currency_it_is_charged() {
    let charged = |change: fn(&mut Value)| {
        let event = report("created", 0, &[basic()], |data| {
            data["object"]["currency"] = json!("eur");
            change(&mut data["object"]["items"]["data"][0]["price"]);
        });
        let terms = read(&event).terms;
        (terms.plan.to_string(), terms.monthly.minor, terms.monthly.currency.to_string())
    };
    let basic = |minor: i64, currency: &str| ("basic".to_owned(), minor, currency.to_owned());
    assert_eq!(charged(|price| price["currency"] = json!("eur")), basic(999, "eur"));
    assert_eq!(
        charged(|price| price["currency_options"] = json!({ "eur": { "unit_amount": 899 } })),
        basic(899, "eur")
    );
    // What it is in the other currency was not asked for.
    assert_eq!(charged(|_| ()), basic(999, "usd"));
}

#[test]
fn packages_are_charged_whole() {
    let packed = |quantity: i64, round: &str| {
        let mut item = item(BASIC, 1_000, quantity);
        item["price"]["transform_quantity"] = json!({ "divide_by": 10, "round": round });
        read(&report("created", 0, &[item], |_| ())).terms.monthly.minor
    };
    assert_eq!((packed(25, "up"), packed(25, "down"), packed(20, "up")), (3_000, 2_000, 2_000));
}

#[tokio::test]
async fn of_two_updates_in_one_second_the_one_that_begins_where_the_other_ends_holds() {
    let update = |id: &str, from: Value, to: Value| {
        let mut event = report("updated", 5, &[to], |data| {
            data["previous_attributes"] = json!({ "items": items(&[from]) });
        });
        event["id"] = json!(id);
        event
    };
    let first = update("evt_zzz", basic(), item(CREATOR, 1_999, 1));
    let second = update("evt_aaa", item(CREATOR, 1_999, 1), item(TEAM, 2_999, 1));
    for order in orders(&[created(), first, second]) {
        let desk = told(&order).await;
        assert_eq!(standing(&desk, "acme").await, ("team".to_owned(), 2_999));
    }
}

fn owned_by(owner: &str, day: i64) -> Value {
    report("updated", day, &[basic()], |data| {
        data["object"]["metadata"]["account_id"] = json!(owner);
        data["previous_attributes"] = json!({ "metadata": { "account_id": "whoever had it" } });
    })
}

#[tokio::test]
async fn a_subscription_belongs_to_the_account_of_its_newest_report_in_any_order() {
    for order in orders(&[created(), owned_by("other", 2), owned_by("third", 4)]) {
        let desk = told(&order.iter().chain(&order).copied().collect::<Vec<_>>()).await;
        let free = || ("free".to_owned(), 0);
        assert_eq!(standing(&desk, "acme").await, free());
        assert_eq!(standing(&desk, "other").await, free());
        assert_eq!(standing(&desk, "third").await, ("basic".to_owned(), 999));
    }
}

#[tokio::test]
async fn a_subscription_that_moves_back_is_back_in_any_order() {
    let ended = report("deleted", 6, &[basic()], |_| ());
    for order in orders(&[created(), owned_by("other", 2), owned_by("acme", 4)]) {
        let desk = told(&order).await;
        assert_eq!(standing(&desk, "acme").await, ("basic".to_owned(), 999));
        assert_eq!(standing(&desk, "other").await, ("free".to_owned(), 0));
        desk.take(&ended).await;
        desk.work().await;
        assert_eq!(standing(&desk, "acme").await, ("free".to_owned(), 0));
    }
}

#[tokio::test]
async fn an_invoice_goes_to_the_account_that_had_its_subscription_when_it_was_paid() {
    let moved = owned_by("other", 2);
    // The metadata is a copy from the time at which the invoice was made.
    let invoice = paid("in_1", 3, "acme");
    for order in orders(&[created(), moved.clone()]) {
        let desk = told(&[order.as_slice(), &[&invoice]].concat()).await;
        let available =
            async |id: &str| crate::support::desk::available(&desk.test.ledger, id, desk.clock()).await;
        assert_eq!((available("acme").await, available("other").await), (50, 550));
    }
    // All at once, the invoice first.
    let desk = desk().await;
    for event in [&invoice, &moved, &created()] {
        desk.take(event).await;
    }
    desk.work().await;
    let available =
        async |id: &str| crate::support::desk::available(&desk.test.ledger, id, desk.clock()).await;
    assert_eq!((available("acme").await, available("other").await), (50, 550));
    // What was paid before it moved stays where it was.
    let desk = told(&[&created(), &moved, &paid("in_0", 1, "acme")]).await;
    let available =
        async |id: &str| crate::support::desk::available(&desk.test.ledger, id, desk.clock()).await;
    assert_eq!((available("acme").await, available("other").await), (550, 50));
}

/// Both accounts are its customer's, and only the subscription says which one is meant.
#[tokio::test]
async fn an_invoice_of_a_customer_with_two_accounts_waits_for_its_subscription() {
    let mut invoice = paid("in_1", 3, "acme");
    invoice["data"]["object"]["parent"]["subscription_details"]["metadata"] = json!({});
    let mut another = owned_by("other", 1);
    another["data"]["object"]["id"] = json!("sub_2");
    let mut one = owned_by("acme", 0);
    one["data"]["object"]["id"] = json!("sub_3");
    let desk = told(&[&one, &another, &invoice]).await;
    assert_eq!(desk.state("evt_in_1").await, InboxState::Waiting);
    desk.take(&created()).await;
    desk.work().await;
    assert_eq!(desk.state("evt_in_1").await, InboxState::Processed);
    assert_eq!(crate::support::desk::available(&desk.test.ledger, "acme", desk.clock()).await, 550);
}

#[tokio::test]
async fn the_end_of_a_closed_accounts_subscription_is_recorded() {
    let desk = told(&[&created()]).await;
    let close = Command::Account(AccountCommand::CloseAccount { reason: "asked to".to_owned() });
    let request =
        crate::support::ledger::request("acme", close, counterfoil::ledger::IdempotencyKey::caller("close"));
    desk.test.ledger.execute(request).await.unwrap();
    let ended = desk.take(&report("deleted", 6, &[basic()], |_| ())).await;
    desk.work().await;
    assert_eq!(desk.state(&ended).await, InboxState::Processed);
    assert_eq!(standing(&desk, "acme").await, ("free".to_owned(), 0));
}
