//! A ledger in memory: what Stripe tells is translated and decided by the rules, each key once. Events that nobody can
//! be found for wait, as they do in the inbox.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use counterfoil::{
    domain::{
        account::Account,
        catalog::Catalog,
        command::{AccountCommand, Command, CreditsCommand, PaymentCommand, PurchaseCommand},
        credits::{Balance, Grant, Source},
        decide::{Context, decide},
        event::{CreditsEvent, Event},
        ids::{AccountId, GrantId, ProviderId},
        refusal::Refusal,
        time::Timestamp,
    },
    stripe::{
        documents::envelope::Envelope,
        translate::{Instructions, OwnerLookup, SetAside, translate},
    },
};
use serde_json::Value;

use super::revenue::{Movements, Revenue};
use crate::{builders::scenario::check, support::documents::here};

/// The subscription that months of the free plan name.
const FREE: &str = "free";

#[derive(Clone)]
pub struct Books {
    catalog: Arc<Catalog>,
    accounts: BTreeMap<AccountId, Account>,
    keys: BTreeSet<(AccountId, String)>,
    links: BTreeMap<ProviderId, AccountId>,
    payments: BTreeMap<ProviderId, AccountId>,
    waiting: Vec<Instructions>,
    revenue: BTreeMap<AccountId, Revenue>,
    /// How much of what was owed each grant has paid.
    debts_paid: BTreeMap<GrantId, i64>,
    /// Events that a person would have to look at.
    pub held: Vec<String>,
}

/// What an account has, without what depends on the order in which it was learned: ids, and into how many lots it is
/// split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub plan: String,
    pub balance: Balance,
    pub monthly: BTreeMap<String, i64>,
    /// What changed on which day.
    pub movements: Movements,
    /// What is there, less what is owed, without what the free plan gave by itself.
    pub without_free: i64,
    /// Of the grants that can be spent, by source and end: how much was used or is left, and how much is left. What the
    /// free plan gave by the month is left out.
    pub grants: BTreeMap<(String, Option<Timestamp>), (i64, i64)>,
}

/// What an event says.
#[derive(Clone)]
pub enum Told {
    Instructs(Instructions),
    Nothing,
    /// A person would have to look at it.
    Held(String),
}

/// Reads an event, on which nothing that came before has an influence.
pub fn read(event: &Value, catalog: &Catalog) -> Told {
    let bytes = serde_json::to_vec(event).expect("JSON");
    let envelope = Envelope::parse(&bytes).expect("an event");
    match translate(&envelope, catalog, &here()) {
        Ok(instructions) => Told::Instructs(instructions),
        Err(SetAside::Ignored(_)) => Told::Nothing,
        Err(aside) => Told::Held(format!("{} {}: {}", event["type"], event["id"], aside.because())),
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (available, debt) = (self.balance.available, self.balance.debt);
        writeln!(to, "  on {}, {available} available, {debt} owed, {:?} a month", self.plan, self.monthly)?;
        for ((currency, day), (kind, before, after)) in &self.movements {
            writeln!(to, "    {day} {} {before} to {after} {currency}", kind.name())?;
        }
        self.grants.iter().try_for_each(|((source, end), (given, left))| {
            let end = end.map_or_else(|| "never".to_owned(), |end| end.to_string());
            writeln!(to, "    {source} until {end}: {given} used or left, {left} left")
        })
    }
}

impl Books {
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self {
            catalog,
            accounts: BTreeMap::new(),
            keys: BTreeSet::new(),
            links: BTreeMap::new(),
            payments: BTreeMap::new(),
            waiting: Vec::new(),
            revenue: BTreeMap::new(),
            debts_paid: BTreeMap::new(),
            held: Vec::new(),
        }
    }

    /// From here on another catalog is in force.
    pub fn sell(&mut self, catalog: Arc<Catalog>) {
        self.catalog = catalog;
    }

    pub fn open(&mut self, id: &str, at: Timestamp) {
        let id = AccountId::parse(id).expect("an id");
        self.command(&id, &Command::Account(AccountCommand::OpenAccount), at).expect("it opens");
    }

    pub fn deliver(&mut self, event: &Value, at: Timestamp) {
        let told = read(event, &self.catalog);
        self.hear(&told, at);
    }

    /// The same, of an event that was read before.
    pub fn hear(&mut self, told: &Told, at: Timestamp) {
        match told {
            Told::Instructs(instructions) => self.waiting.push(instructions.clone()),
            Told::Nothing => return,
            Told::Held(because) => self.held.push(because.clone()),
        }
        let mut before = usize::MAX;
        while before > self.waiting.len() {
            before = self.waiting.len();
            for instructions in std::mem::take(&mut self.waiting) {
                match self.owner(&instructions.owner) {
                    Some(account) => self.carry_out(&account, &instructions, at),
                    None => self.waiting.push(instructions),
                }
            }
        }
    }

    fn owner(&mut self, owner: &OwnerLookup) -> Option<AccountId> {
        match owner {
            OwnerLookup::Account { account, customer } => {
                self.links.extend(customer.clone().map(|customer| (customer, account.clone())));
                Some(account.clone())
            }
            OwnerLookup::Customer(customer) => self.links.get(customer).cloned(),
            OwnerLookup::Payment(payment) => self.payments.get(payment).cloned(),
        }
    }

    fn carry_out(&mut self, account: &AccountId, instructions: &Instructions, at: Timestamp) {
        for step in &instructions.steps {
            if self.keys.insert((account.clone(), step.key.clone())) {
                let done = self.command(account, &step.command, at);
                done.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", step.key));
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

    /// Decides and applies. What was refused has changed nothing.
    pub fn command(
        &mut self,
        id: &AccountId,
        command: &Command,
        at: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        let account = self.accounts.entry(id.clone()).or_default();
        let events = decide(account, command, Context { at, catalog: &self.catalog })?;
        for event in &events {
            account.apply(event).unwrap_or_else(|error| panic!("{error}: {event:?}"));
            if let Event::Credits(CreditsEvent::DebtPaid { grant_id, amount, .. }) = event {
                *self.debts_paid.entry(grant_id.clone()).or_default() += amount.get();
            }
            self.revenue.entry(id.clone()).or_default().learn(id, account, event, at);
        }
        check(account, at);
        Ok(events)
    }

    /// Time has passed for everybody.
    pub fn settle(&mut self, at: Timestamp) {
        for id in self.accounts.keys().cloned().collect::<Vec<_>>() {
            self.command(&id, &Command::Account(AccountCommand::ApplyDue), at).expect("time passes");
        }
    }

    pub fn account(&self, id: &str) -> &Account {
        &self.accounts[&AccountId::parse(id).expect("an id")]
    }

    pub fn balance(&self, id: &str, at: Timestamp) -> Balance {
        self.account(id).balance(at)
    }

    pub fn plan(&self, id: &str, at: Timestamp) -> String {
        self.account(id).opened().expect("it was opened").plan(at, &self.catalog).to_string()
    }

    /// What paid invoices gave it and was not taken back, less what it owes.
    pub fn given_for_money(&self, id: &str, at: Timestamp) -> i64 {
        let account = self.account(id).opened().expect("it was opened");
        let given = account.wallet.grants().filter(|grant| grant.terms.payment.is_some());
        // What was spent of what is taken back is owed; what had expired is taken back, too.
        let taken = |grant: &Grant| grant.clawed_back.get() - grant.clawed_back_spent.get();
        let given = given.map(|grant| match grant.terms.source {
            Source::Allocation => grant.terms.amount.get() - taken(grant),
            // It was counted where it came from.
            Source::Rollover => -taken(grant),
            Source::Signup | Source::TopUp | Source::Bonus | Source::Refund | Source::Adjustment => 0,
        });
        given.sum::<i64>() - self.balance(id, at).debt.get()
    }

    /// What it was given for nothing, and by packs that it bought.
    pub fn given_otherwise(&self, id: &str) -> i64 {
        let account = self.account(id).opened().expect("it was opened");
        let given = account.wallet.grants().filter(|grant| match grant.terms.source {
            Source::Allocation => grant.terms.payment.is_none(),
            Source::Signup | Source::TopUp | Source::Bonus => true,
            Source::Rollover | Source::Refund | Source::Adjustment => false,
        });
        given.map(|grant| grant.terms.amount.get() - grant.voided.get()).sum()
    }

    /// Spends all that there is, where no limit says no, and says how much that was.
    pub fn spend_all(&mut self, id: &str, at: Timestamp) -> i64 {
        let amount = self.balance(id, at).available;
        if amount.is_zero() {
            return 0;
        }
        let id = AccountId::parse(id).expect("an id");
        let command = Command::Credits(CreditsCommand::DeductCredits { amount, id: None, description: None });
        self.command(&id, &command, at).map_or(0, |_| amount.get())
    }

    /// What its subscriptions bring in a month, by currency.
    pub fn monthly(&self, id: &str, at: Timestamp) -> BTreeMap<String, i64> {
        let mut monthly = BTreeMap::new();
        let account = self.account(id).opened().expect("it was opened");
        for terms in account.subscriptions.known().values() {
            if terms.is_revenue() {
                let brings = terms.monthly_at(at, &account.discounts);
                *monthly.entry(brings.currency.to_string()).or_default() += brings.minor;
            }
        }
        monthly
    }

    pub fn standing(&self, id: &str, at: Timestamp) -> Standing {
        let mut grants: BTreeMap<_, (i64, i64)> = BTreeMap::new();
        for grant in self.account(id).opened().expect("it was opened").wallet.grants() {
            if !is_of_free_plan(grant) && grant.is_live(at) && grant.remaining.get() > 0 {
                let lot = grants.entry((format!("{:?}", grant.terms.source), grant.ends_at())).or_default();
                // What was taken back may have been taken of it, or of what was carried on of it.
                lot.0 += grant.used().get() + grant.remaining.get();
                lot.1 += grant.remaining.get();
            }
        }
        Standing {
            plan: self.plan(id, at),
            balance: self.balance(id, at),
            monthly: self.monthly(id, at),
            movements: self.revenue_of(id).movements(),
            without_free: self.without_free(id, at),
            grants,
        }
    }

    /// What the free plan gave by itself counts neither where it is left nor where it paid what was owed.
    fn without_free(&self, id: &str, at: Timestamp) -> i64 {
        let account = self.account(id).opened().expect("it was opened");
        let own = account.wallet.grants().filter(|grant| is_of_free_plan(grant)).map(|grant| {
            let left = if grant.is_live(at) { grant.remaining.get() } else { 0 };
            left + self.debts_paid.get(&grant.terms.grant_id).copied().unwrap_or(0)
        });
        self.balance(id, at).settled - own.sum::<i64>()
    }

    /// What is wrong with what was listed of days that were over, if anything.
    pub fn wrongly_restated(&self, id: &str) -> Option<String> {
        self.revenue_of(id).wrongly_restated()
    }

    fn revenue_of(&self, id: &str) -> Revenue {
        self.revenue.get(&AccountId::parse(id).expect("an id")).cloned().unwrap_or_default()
    }

    #[track_caller]
    pub fn assert_all_counted(&self) {
        assert!(self.waiting.is_empty(), "nobody was found for {:?}", self.waiting);
        assert!(self.held.is_empty(), "{:#?}", self.held);
    }
}

fn is_of_free_plan(grant: &Grant) -> bool {
    grant.terms.slot.as_ref().is_some_and(|slot| slot.subscription.as_str() == FREE)
}
