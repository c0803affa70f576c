//! Does the order of arrival matter? Every document of the story, decided by the rules, in any order and
//! twice.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::{
    domain::{
        account::{Account, OpenAccount},
        catalog::Catalog,
        command::{AccountCommand, Command, PaymentCommand, PurchaseCommand},
        decide::{Context, decide},
        ids::{AccountId, ProviderId},
        time::Timestamp,
    },
    stripe::{
        documents::envelope::Envelope,
        translate::{Instructions, OwnerLookup, translate},
    },
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng},
};

use crate::support::documents::{ADA, BOB, SHAPES, catalog, event, here, story};

/// A ledger in memory: it decides each key once, and events of customers that nobody knows wait.
struct Shop {
    catalog: Catalog,
    accounts: BTreeMap<AccountId, Account>,
    keys: BTreeSet<(AccountId, String)>,
    links: BTreeMap<ProviderId, AccountId>,
    payments: BTreeMap<ProviderId, AccountId>,
    waiting: Vec<(Instructions, Timestamp)>,
}

impl Shop {
    fn new() -> Self {
        Self {
            catalog: catalog(),
            accounts: BTreeMap::new(),
            keys: BTreeSet::new(),
            links: BTreeMap::new(),
            payments: BTreeMap::new(),
            waiting: Vec::new(),
        }
    }

    fn deliver(&mut self, event: &Envelope, at: Timestamp) {
        if let Ok(instructions) = translate(event, &self.catalog, &here()) {
            self.waiting.push((instructions, at));
        }
        let mut before = usize::MAX;
        while before > self.waiting.len() {
            before = self.waiting.len();
            self.work(at);
        }
    }

    fn work(&mut self, at: Timestamp) {
        let waiting = std::mem::take(&mut self.waiting);
        for (instructions, first) in waiting {
            let account = match &instructions.owner {
                OwnerLookup::Account { account, customer } => {
                    self.links.extend(customer.clone().map(|customer| (customer, account.clone())));
                    Some(account.clone())
                }
                OwnerLookup::Customer(customer) => self.links.get(customer).cloned(),
                OwnerLookup::Payment(payment) => self.payments.get(payment).cloned(),
            };
            match account {
                Some(account) => self.execute(&account, &instructions, at),
                None => self.waiting.push((instructions, first)),
            }
        }
    }

    fn execute(&mut self, account: &AccountId, instructions: &Instructions, at: Timestamp) {
        for step in &instructions.steps {
            if self.keys.insert((account.clone(), step.key.clone())) {
                self.decide(account, &step.command, at);
            }
            let bought = match &step.command {
                Command::Purchase(PurchaseCommand::RecordPaidInvoice(paid)) => &paid.invoice,
                Command::Purchase(PurchaseCommand::RecordPackPurchase(purchase)) => &purchase.payment,
                Command::Payment(PaymentCommand::LinkPayment { payment, .. }) => payment,
                _ => continue,
            };
            self.payments.insert(bought.clone(), account.clone());
        }
    }

    fn decide(&mut self, id: &AccountId, command: &Command, at: Timestamp) {
        let account = self.accounts.entry(id.clone()).or_default();
        let context = Context { at, catalog: &self.catalog };
        for event in decide(account, command, context).expect("nothing in the story is refused") {
            account.apply(&event).expect("what was decided can be applied");
        }
    }

    fn settle(mut self, at: Timestamp) -> BTreeMap<AccountId, Standing> {
        assert!(self.waiting.is_empty(), "every customer and payment is known in the end");
        for id in self.accounts.keys().cloned().collect::<Vec<_>>() {
            self.decide(&id, &Command::Account(AccountCommand::ApplyDue), at);
        }
        let standing = |account: &Account| Standing::of(account, at);
        self.accounts.iter().map(|(id, account)| (id.clone(), standing(account))).collect()
    }
}

/// What is left, spent, held and taken back, by grant; of a month all together, since it may be granted at once or bit
/// by bit.
fn grants(open: &OpenAccount) -> BTreeMap<String, [i64; 4]> {
    let mut sums: BTreeMap<String, [i64; 4]> = BTreeMap::new();
    for grant in open.wallet.grants() {
        let name = match &grant.terms.slot {
            Some(slot) => {
                format!("{:?} of {} until {}", grant.terms.source, slot.month_end(), slot.period.end)
            }
            None => grant.terms.grant_id.to_string(),
        };
        let ends = grant.ends_at().map(|end| end.to_string()).unwrap_or_default();
        let parts = [grant.remaining, grant.consumed, grant.held, grant.clawed_back_owed];
        let sum = sums.entry(format!("{name} ends {ends}")).or_default();
        sum.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part.get());
    }
    sums.retain(|_, parts| parts.iter().any(|part| *part != 0));
    sums
}

/// All of an account that anybody can see or that decides anything, without the order in which it was
/// learned.
#[derive(Debug, PartialEq)]
struct Standing {
    plan: String,
    balance: counterfoil::domain::credits::Balance,
    customers: String,
    subscriptions: String,
    facts: String,
    grants: BTreeMap<String, [i64; 4]>,
}

impl Standing {
    fn of(account: &Account, at: Timestamp) -> Self {
        let open = account.opened().expect("the account is open");
        Self {
            plan: open.plan(at, &catalog()).to_string(),
            balance: account.balance(at),
            customers: format!("{:?}", open.customers),
            subscriptions: format!("{:?}", open.subscriptions.known()),
            facts: format!("{:?}", open.subscriptions.facts()),
            grants: grants(open),
        }
    }
}

fn after_all() -> Timestamp {
    Timestamp::parse("2025-09-03T00:00:00Z").unwrap()
}

fn deliver_all(events: &[Envelope], at: impl Fn(&Envelope) -> Timestamp) -> BTreeMap<AccountId, Standing> {
    let mut shop = Shop::new();
    events.iter().for_each(|event| shop.deliver(event, at(event)));
    shop.settle(after_all())
}

fn events(shape: &str) -> Vec<Envelope> {
    story(shape).iter().map(|file| event(shape, file)).collect()
}

#[test]
fn reversed_is_the_same_as_in_order() {
    for shape in SHAPES {
        let mut events = events(shape);
        let in_order = deliver_all(&events, |_| after_all());
        events.reverse();
        assert_eq!(deliver_all(&events, |_| after_all()), in_order, "{shape}");
    }
}

#[test]
fn shuffled_and_doubled_is_the_same_as_in_order() {
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    for shape in SHAPES {
        let events = events(shape);
        let in_order = deliver_all(&events, |_| after_all());
        let doubled: Vec<_> = events.iter().chain(&events).cloned().collect();
        let shuffles = Just(doubled).prop_shuffle();
        for number in 0..50 {
            let shuffled = shuffles.new_tree(&mut runner).unwrap().current();
            assert_eq!(deliver_all(&shuffled, |_| after_all()), in_order, "{shape}, shuffle {number}");
        }
    }
}

/// The other endings: the first half of the refund fails, and the dispute is won. The older shape has no events of
/// single refunds, so nothing of the refund comes back there.
#[test]
fn the_other_endings_are_the_same_in_any_order() {
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let ada = AccountId::parse(ADA).unwrap();
    for (shape, failed, available) in
        [(SHAPES[0], None, 7_550), (SHAPES[1], Some("refund.failed.json"), 8_550)]
    {
        let mut files = story(shape);
        files.retain(|file| file != "charge.dispute.closed.json");
        files.extend(failed.into_iter().chain(["charge.dispute.closed.won.json"]).map(str::to_owned));
        let events: Vec<_> = files.iter().map(|file| event(shape, file)).collect();
        let in_order = deliver_all(&events, |_| after_all());
        assert_eq!(in_order[&ada].balance.available.get(), available, "{shape}");
        let doubled: Vec<_> = events.iter().chain(&events).cloned().collect();
        let shuffles = Just(doubled).prop_shuffle();
        for number in 0..50 {
            let shuffled = shuffles.new_tree(&mut runner).unwrap().current();
            assert_eq!(deliver_all(&shuffled, |_| after_all()), in_order, "{shape}, shuffle {number}");
        }
    }
}

/// What was delivered as it happened, and what was delivered at once when all was over.
#[test]
fn late_is_the_same_as_in_time() {
    for shape in SHAPES {
        let events = events(shape);
        let late = deliver_all(&events, |_| after_all());
        let in_time = deliver_all(&events, |event| event.created);
        for id in [ADA, BOB] {
            let id = AccountId::parse(id).unwrap();
            let (late, in_time) = (&late[&id], &in_time[&id]);
            assert_eq!(late.balance, in_time.balance, "{shape} {id}");
            assert_eq!(late.plan, in_time.plan, "{shape} {id}");
            assert_eq!(late.subscriptions, in_time.subscriptions, "{shape} {id}");
            assert_eq!(late.grants, in_time.grants, "{shape} {id}");
        }
    }
}

#[test]
fn both_shapes_end_the_same() {
    let standing = |shape| deliver_all(&events(shape), |_| after_all());
    let (older, newer) = (standing(SHAPES[0]), standing(SHAPES[1]));
    for id in older.keys() {
        assert_eq!(older[id].grants, newer[id].grants, "{id}");
        assert_eq!(older[id].subscriptions, newer[id].subscriptions, "{id}");
    }
}
