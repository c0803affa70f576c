//! What does each document of the story change, delivered when it happened? Line by line, as its manifest expects.

use counterfoil::domain::time::Timestamp;
use serde_json::Value;

use super::{
    ending::latest,
    expected::{self, NAMES},
};
use crate::support::{
    documents::{SHAPES, event, story, value},
    in_process::Program,
};

/// What a document is expected to do: to itself, and to the accounts. Credits that end by the clock, or live on by it,
/// are not its doing.
pub struct Line {
    pub file: &'static str,
    /// The one shape of the API in which it does this. `None`: in both.
    pub shape: Option<&'static str>,
    /// The state of the delivery.
    pub state: &'static str,
    /// Events, then what callers see differently. The MRR is that of both accounts.
    pub changes: &'static str,
}

const fn line(file: &'static str, state: &'static str, changes: &'static str) -> Line {
    Line { file, shape: None, state, changes }
}

const fn only(shape: &'static str, line: Line) -> Line {
    Line { shape: Some(shape), ..line }
}

const fn ignored(file: &'static str) -> Line {
    line(file, "ignored", "")
}

const fn processed(file: &'static str, changes: &'static str) -> Line {
    line(file, "processed", changes)
}

const STARTED: &str = "Ada: SubscriptionStarted; plan basic; status active; MRR 999";

pub const LINES: &[Line] = &[
    // The catalog says what is sold.
    ignored("product.created"),
    ignored("price.created"),
    ignored("product.created.creator"),
    ignored("price.created.creator"),
    ignored("product.created.team"),
    ignored("price.created.team"),
    ignored("product.created.pack_2000"),
    ignored("price.created.pack_2000"),
    ignored("product.created.pack_5500"),
    ignored("price.created.pack_5500"),
    ignored("product.updated"),
    ignored("price.updated"),
    // Ada subscribes. The payment of the invoice grants nothing, the invoice does, and once.
    processed("customer.created", "Ada: AccountOpened, CreditsGranted 50 signup, CustomerLinked; plan free"),
    ignored("payment_method.attached"),
    processed("customer.updated", ""),
    ignored("payment_intent.succeeded.subscription"),
    only("2024-04-10", ignored("customer.subscription.created")),
    only("2025-basil", processed("customer.subscription.created", STARTED)),
    only("2024-04-10", processed("customer.subscription.updated.activated", STARTED)),
    only(
        "2024-04-10",
        processed(
            "invoice.payment_succeeded.subscription_create",
            "Ada: PaymentLinked, PaymentSucceeded 999, InvoicePaid, CreditsGranted 500 month",
        ),
    ),
    only(
        "2025-basil",
        processed(
            "invoice.payment_succeeded.subscription_create",
            "Ada: PaymentSucceeded 999, InvoicePaid, CreditsGranted 500 month",
        ),
    ),
    processed("invoice.paid.subscription_create", ""),
    only("2025-basil", processed("invoice_payment.paid", "Ada: PaymentLinked")),
    processed("checkout.session.completed.subscription", "Ada: CheckoutCompleted"),
    // Bob tries the largest plan. His invoice of nothing is not a month of credits.
    processed(
        "customer.created.bob",
        "Bob: AccountOpened, CreditsGranted 50 signup, CustomerLinked; plan free",
    ),
    processed("customer.subscription.created.trialing", "Bob: TrialStarted; plan team; status trialing"),
    ignored("invoice.payment_succeeded.trial_zero"),
    ignored("invoice.paid.trial_zero"),
    // Ada's larger plan gives the difference for the rest of the month, never a full one.
    processed("customer.subscription.updated.plan_upgrade", "Ada: PlanChanged; plan creator; MRR 1999"),
    only(
        "2024-04-10",
        processed(
            "invoice.payment_succeeded.subscription_update",
            "Ada: PaymentLinked, PaymentSucceeded 667, InvoicePaid, CreditsGranted 666 up",
        ),
    ),
    only(
        "2025-basil",
        processed(
            "invoice.payment_succeeded.subscription_update",
            "Ada: PaymentSucceeded 667, InvoicePaid, CreditsGranted 666 up",
        ),
    ),
    processed("invoice.paid.subscription_update", ""),
    processed("customer.subscription.trial_will_end", "Bob: TrialEndAnnounced"),
    // A pack is granted once, by its checkout.
    ignored("payment_intent.created"),
    ignored("charge.succeeded"),
    ignored("payment_intent.succeeded"),
    processed(
        "checkout.session.completed.topup",
        "Ada: CheckoutCompleted, PaymentSucceeded 2000, CreditsGranted 2000 pack",
    ),
    ignored("payment_intent.succeeded.topup_2"),
    processed(
        "checkout.session.completed.topup_2",
        "Ada: CheckoutCompleted, PaymentSucceeded 5000, CreditsGranted 5500 pack",
    ),
    // A trial that ends without a card gives no more, until somebody pays.
    processed("customer.subscription.paused", "Bob: SubscriptionPaused; plan free; status paused"),
    processed("checkout.session.completed.topup_async_unpaid", "Ada: CheckoutCompleted"),
    processed(
        "customer.subscription.resumed",
        "Bob: SubscriptionResumed; plan team; status active; MRR 4998",
    ),
    only(
        "2024-04-10",
        processed(
            "invoice.payment_succeeded.after_trial",
            "Bob: PaymentLinked, PaymentSucceeded 2999, InvoicePaid, CreditsGranted 5000 month",
        ),
    ),
    only(
        "2025-basil",
        processed(
            "invoice.payment_succeeded.after_trial",
            "Bob: PaymentSucceeded 2999, InvoicePaid, CreditsGranted 5000 month",
        ),
    ),
    processed("invoice.paid.after_trial", ""),
    processed("checkout.session.expired", "Ada: CheckoutExpired"),
    processed("payment_intent.payment_failed", "Ada: PaymentFailed"),
    ignored("payment_intent.canceled"),
    processed(
        "checkout.session.async_payment_succeeded",
        "Ada: CheckoutCompleted, PaymentSucceeded 2000, CreditsGranted 2000 pack",
    ),
    processed("checkout.session.async_payment_failed", "Ada: PaymentFailed"),
    ignored("invoice.upcoming"),
    // The total of a payment and the refund itself tell of one refund.
    processed("charge.refunded", "Ada: PaymentRefunded, CreditsClawedBack 1000"),
    only("2025-basil", processed("refund.created", "Ada: RefundIssued")),
    processed("charge.dispute.created", "Ada: DisputeOpened, GrantFrozen"),
    processed("charge.dispute.funds_withdrawn", ""),
    processed("charge.refunded.rest", "Ada: PaymentRefunded, CreditsClawedBack 1000"),
    // A new period gives nothing before it is paid. Until then the clock lets what is left live on; as soon as it is
    // paid, that ended with its period.
    processed("customer.subscription.updated.renewal", "Ada: SubscriptionRenewed"),
    ignored("invoice.created"),
    // Only the first invoice of a subscription is waited for.
    processed("invoice.finalized", ""),
    only(
        "2024-04-10",
        processed(
            "invoice.payment_succeeded.subscription_cycle",
            "Ada: PaymentLinked, PaymentSucceeded 1999, InvoicePaid, GrantEndMoved month to 07-01, \
             GrantEndMoved up to 07-01, CreditsGranted 500 carry, CreditsGranted 666 carry, CreditsGranted 1500 month",
        ),
    ),
    only(
        "2025-basil",
        processed(
            "invoice.payment_succeeded.subscription_cycle",
            "Ada: PaymentSucceeded 1999, InvoicePaid, GrantEndMoved month to 07-01, \
             GrantEndMoved up to 07-01, CreditsGranted 500 carry, CreditsGranted 666 carry, CreditsGranted 1500 month",
        ),
    ),
    processed("invoice.paid.subscription_cycle", ""),
    processed(
        "customer.subscription.updated.cancel_scheduled.bob",
        "Bob: CancellationScheduled; until 07-19",
    ),
    processed("customer.subscription.deleted.bob", "Bob: SubscriptionEnded; status cancelled; MRR 1999"),
    processed("charge.dispute.closed", "Ada: DisputeClosed, GrantUnfrozen, CreditsClawedBack 5500"),
    // The price says Basic, and the metadata, which still says Creator, is not believed.
    processed("customer.subscription.updated.plan_downgrade", "Ada: PlanChanged; plan basic; MRR 999"),
    processed("invoice.payment_failed", "Ada: PaymentFailed, InvoiceUnpaid"),
    // What is left of July lives as long as the grace does.
    processed(
        "customer.subscription.updated.past_due",
        "Ada: SubscriptionPastDue, GrantEndMoved carry to 08-04, GrantEndMoved carry to 08-04, \
         GrantEndMoved month to 08-04; status past_due",
    ),
    // Three days of grace are over by now, to the second: the clock has taken the plan, and paying gives it back.
    processed("invoice.payment_action_required", "Ada: PaymentActionRequired"),
    only(
        "2024-04-10",
        processed(
            "invoice.payment_succeeded.recovered",
            "Ada: PaymentLinked, PaymentSucceeded 999, InvoicePaid, CreditsGranted 500 month, CreditsGranted 500 carry; plan basic",
        ),
    ),
    only(
        "2025-basil",
        processed(
            "invoice.payment_succeeded.recovered",
            "Ada: PaymentSucceeded 999, InvoicePaid, CreditsGranted 500 month, CreditsGranted 500 carry; plan basic",
        ),
    ),
    processed("invoice.paid.recovered", ""),
    processed("customer.subscription.updated.recovered", "Ada: SubscriptionRecovered; status active"),
    // Active as before, and yet paused.
    processed(
        "customer.subscription.updated.pause_collection",
        "Ada: SubscriptionPaused; collection paused; MRR 0",
    ),
    processed(
        "customer.subscription.updated.pause_collection_cleared",
        "Ada: SubscriptionResumed; collection goes on; MRR 999",
    ),
    processed(
        "customer.subscription.updated.cancel_at_period_end",
        "Ada: CancellationScheduled; until 09-01",
    ),
    processed("customer.subscription.deleted", "Ada: SubscriptionEnded; status cancelled; MRR 0"),
    ignored("payment_method.detached"),
    processed("customer.deleted", "Ada: CustomerUnlinked"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_document_does_what_its_manifest_expects() {
    for shape in SHAPES {
        let files = story(shape);
        let begin = event(shape, &files[0]).created;
        let program = Program::start(begin).await;
        let expects = value(shape, "_manifest.json");
        let expects = expects["events"].as_array().expect("events");
        let mut failed = Vec::new();
        for file in &files {
            let told = event(shape, file);
            program.set_time(told.created);
            let before = program.look().await;
            program.deliver(shape, file).await;
            program.handled().await;
            let changes = before.changes(&program.look().await);
            let state = program.delivery(told.id.as_str()).await["state"].take();
            let line = expected::line(shape, file);
            if (state.as_str(), changes.as_str()) != (Some(line.state), line.changes) {
                let expect = expects.iter().find(|entry| entry["file"] == file.as_str()).expect("listed");
                let expect = expect["expect"].as_str().expect("text");
                failed.push(format!(
                    "{shape}/{file} ({expect}):\n  expected {} {}\n  but was  {state} {changes}",
                    line.state, line.changes
                ));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
        let opened = ["customer.created.json", "customer.created.bob.json"];
        program.ending().await.assert_is_the_one(shape, opened.map(|file| event(shape, file).created));
        program.assert_clean().await;
    }
}

#[test]
fn each_line_is_about_a_document() {
    for line in LINES {
        let file = format!("{}.json", line.file);
        for shape in SHAPES.into_iter().filter(|shape| line.shape.is_none_or(|only| only == *shape)) {
            assert!(story(shape).contains(&file), "{shape}/{file}");
        }
    }
}

/// What callers see, in the middle of the story.
struct Look {
    accounts: Vec<Option<Seen>>,
    mrr: i64,
}

struct Seen {
    plan: Value,
    status: Value,
    collection_paused: bool,
    cancel_at: Value,
    events: Vec<Value>,
}

impl Program {
    async fn look(&self) -> Look {
        let (mut accounts, mut positions) = (Vec::new(), Vec::new());
        for (_, id) in NAMES {
            let answer = self.server.get(&format!("/v1/accounts/{id}")).send().await;
            if answer.status == 404 {
                accounts.push(None);
                continue;
            }
            positions.push(answer.body["position"].as_str().expect("a position").to_owned());
            accounts.push(Some(self.see(id).await));
        }
        let mrr = if positions.is_empty() { 0 } else { self.mrr_now(latest(&positions)).await };
        Look { accounts, mrr }
    }

    async fn see(&self, id: &str) -> Seen {
        let mut subscription = self.read(&format!("/v1/accounts/{id}/subscription")).await;
        let mut events = self.read(&format!("/v1/accounts/{id}/events?limit=1000")).await;
        let mut terms = subscription["subscription"].take();
        Seen {
            plan: subscription["plan"].take(),
            collection_paused: terms["collection_paused"] == true,
            status: terms["status"].take(),
            cancel_at: terms["cancel_at"].take(),
            events: events["events"].as_array_mut().map(std::mem::take).expect("events"),
        }
    }

    async fn mrr_now(&self, position: &str) -> i64 {
        let today = Timestamp::to_utc(self.now()).date_naive();
        let span = format!("from={today}&to={today}&min_position={position}");
        let mrr = self.read(&format!("/v1/analytics/mrr?{span}")).await;
        mrr["series"]
            .as_array()
            .expect("a series")
            .iter()
            .map(|one| one["mrr"].as_i64().expect("whole"))
            .sum()
    }
}

impl Look {
    fn changes(&self, after: &Self) -> String {
        let accounts = NAMES.iter().zip(self.accounts.iter().zip(&after.accounts));
        let mut changes: Vec<String> = accounts
            .filter_map(|((name, _), (before, after))| {
                let changes = after.as_ref()?.since(before.as_ref());
                (!changes.is_empty()).then(|| format!("{name}: {changes}"))
            })
            .collect();
        if self.mrr != after.mrr {
            changes.push(format!("MRR {}", after.mrr));
        }
        changes.join("; ")
    }
}

impl Seen {
    fn since(&self, before: Option<&Self>) -> String {
        let known = before.map_or(0, |before| before.events.len());
        let new = (known..self.events.len()).map(|place| (&self.events[place], &self.events[..place]));
        let told = new.filter(|(event, before)| !is_by_the_clock(event, before));
        let events: Vec<_> = told.map(|(event, _)| words(event)).collect();
        let mut changes = Vec::from_iter((!events.is_empty()).then(|| events.join(", ")));
        let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
        let changed = |of: fn(&Self) -> &Value| before.map_or(&Value::Null, of) != of(self);
        if changed(|seen| &seen.plan) {
            changes.push(format!("plan {}", text(&self.plan)));
        }
        if changed(|seen| &seen.status) {
            changes.push(format!("status {}", text(&self.status)));
        }
        if changed(|seen| &seen.cancel_at) {
            changes.push(format!("until {}", text(&self.cancel_at).get(5..10).unwrap_or("no end")));
        }
        if self.collection_paused != before.is_some_and(|before| before.collection_paused) {
            let collection = if self.collection_paused { "paused" } else { "goes on" };
            changes.push(format!("collection {collection}"));
        }
        changes.join("; ")
    }
}

/// An event in a few words: its name, and how much of what.
fn words(event: &Value) -> String {
    let (name, data) = (event["type"].as_str().expect("a name"), &event["data"]);
    match name {
        "CreditsGranted" => {
            let grant = &data["grant"];
            format!("{name} {} {}", grant["amount"], kind(&grant["grant_id"]))
        }
        "PaymentSucceeded" => format!("{name} {}", data["money"]["minor"]),
        "GrantEndMoved" => {
            let ends_at = data["ends_at"].as_str().expect("a time");
            format!("{name} {} to {}", kind(&data["grant_id"]), ends_at.get(5..10).expect("a day"))
        }
        "CreditsClawedBack" => format!("{name} {}", data["voided"]),
        _ => name.to_owned(),
    }
}

fn kind(grant_id: &Value) -> &str {
    grant_id.as_str().and_then(|id| id.split(':').next()).expect("a kind")
}

/// Whether a grant ended, or is bridged, because its time was over, and not because of what was told.
fn is_by_the_clock(event: &Value, before: &[Value]) -> bool {
    if event["type"] != "GrantEndMoved" {
        return event["type"] == "CreditsExpired";
    }
    let grant_id = &event["data"]["grant_id"];
    let mut ends = before.iter().filter_map(|event| {
        let data = &event["data"];
        let granted = Some(&data["grant"]["expires_at"]).filter(|_| data["grant"]["grant_id"] == *grant_id);
        let moved = Some(&data["ends_at"])
            .filter(|_| event["type"] == "GrantEndMoved" && data["grant_id"] == *grant_id);
        granted.or(moved)
    });
    ends.next_back() == Some(&event["data"]["effective_at"])
}
