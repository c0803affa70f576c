//! One of every event, with every field filled in.

use std::collections::BTreeMap;

use counterfoil::domain::{
    catalog::{Interval, Measure, Ratio, RolloverCap, WindowKind},
    credits::{AllocationMonth, GrantTerms, Source},
    discounts::{TakenOff, Undiscounted},
    event::{
        AccountEvent, BURN_ORDER, CheckoutEvent, CreditsEvent, Draw, Event, HoldEvent, InvoiceEvent,
        NoticeEvent, PaymentEvent, PaymentPurpose, Purpose, SubscriptionEvent,
    },
    fraction::Fraction,
    ids::{AccountId, DeductionId, GenerationId, GenerationType, OptionName, PackId},
    invoice::{
        InvoiceState, LineEffect, PaidInvoice, PaidLine, ReturnedCredits, UnpaidCharge, UnpaidInvoice,
    },
    limits::{UsageWindow, WindowKey},
    metadata::Metadata,
    moving::MovedIn,
    reported_details::{Every, EveryUnit, ReportedDetails},
    requested::Requested,
    sold_pack::SoldPack,
    subscription::{PaidBy, ReportOrder, SubscriptionState, SubscriptionStatus, Term, TermsChange},
    time::{CalendarUnit, Timestamp},
};

use crate::builders::{
    catalog::{credits, plan_id, usd},
    words::{self, draw, grant_id, hold_id, month, provider, time},
};

fn at() -> Timestamp {
    time("2025-06-11T10:05:00.250Z")
}

fn deduction_id() -> DeductionId {
    DeductionId::parse("ded_7").expect("it is an identifier")
}

fn draws() -> Vec<Draw> {
    vec![draw("carry:month:sub_1:1748772000", 3), draw("signup", 2)]
}

fn windows() -> Vec<UsageWindow> {
    let key = |measure, unit, kind| WindowKey { measure, unit, kind };
    vec![
        UsageWindow {
            key: key(Measure::Generations, CalendarUnit::Day, WindowKind::Calendar),
            start: time("2025-06-10T22:00:00Z"),
            count: 1,
        },
        UsageWindow {
            key: key(Measure::Credits, CalendarUnit::Week, WindowKind::Rolling),
            start: time("2025-06-11T09:30:00Z"),
            count: 5,
        },
    ]
}

fn work() -> Purpose {
    let option = |name: &str| OptionName::parse(name).expect("it is an identifier");
    Purpose::Generation {
        id: GenerationId::parse("gen_1").ok(),
        kind: GenerationType::parse("standard_generation").expect("it is an identifier"),
        options: [(option("quality"), option("high"))].into(),
    }
}

fn named() -> Purpose {
    Purpose::Named { id: GenerationId::parse("job-9").ok(), description: Some("an export".to_owned()) }
}

fn pack() -> PaymentPurpose {
    PaymentPurpose::Pack { pack: PackId::parse("pack_2000").expect("it is an identifier"), quantity: 2 }
}

fn plan() -> PaymentPurpose {
    PaymentPurpose::Subscription { subscription: Some(provider("sub_1")), plan: Some(plan_id("basic")) }
}

fn terms() -> SubscriptionState {
    SubscriptionState {
        cancel_at: Some(month(0).end),
        trial_end: Some(time("2025-06-15T10:00:00Z")),
        ended_at: Some(month(0).end),
        grace_days: Some(3),
        unit: Some(credits(500)),
        shown: Some(Box::new(ReportedDetails {
            price: Some(provider("price_1")),
            product: Some(provider("prod_1")),
            amount: Some(usd(999)),
            every: Some(Every { unit: EveryUnit::Month, count: 1 }),
            trial_start: Some(time("2025-06-01T10:00:00Z")),
        })),
        undiscounted: Some(Undiscounted {
            customer: provider("cus_1"),
            monthly: Fraction::whole(999),
            charges: Fraction::whole(1),
        }),
        ..words::terms("basic", month(0))
    }
}

fn moved() -> SubscriptionState {
    let step = TermsChange { from: Some("0123456789abcdef".to_owned()), to: "fedcba9876543210".to_owned() };
    SubscriptionState {
        status: SubscriptionStatus::Cancelled,
        ended_at: None,
        moved_to: Some(AccountId::parse("other").expect("it is an identifier")),
        metadata: metadata(),
        evidence: ReportOrder { step: Some(step), ..terms().evidence },
        ..terms()
    }
}

fn grant() -> GrantTerms {
    GrantTerms {
        grant_id: grant_id("carry:month:sub_1:1748772000"),
        source: Source::Rollover,
        amount: credits(300),
        starts_at: month(1).start,
        expires_at: Some(month(1).end),
        priority: 50,
        cost: Some(usd(999)),
        payment: Some(provider("in_1")),
        slot: Some(AllocationMonth {
            subscription: provider("sub_1"),
            plan: plan_id("basic"),
            period: month(1),
            allocation: credits(500),
            carry_max: Some(credits(500)),
            carried_from: Some(grant_id("month:sub_1:1748772000")),
            paid_month_end: None,
        }),
        reason: Some("goodwill".to_owned()),
    }
}

fn paid_invoice() -> PaidInvoice {
    PaidInvoice {
        invoice: provider("in_1"),
        subscription: provider("sub_1"),
        total: 999,
        credited: 100,
        from_balance: 50,
        finalized_at: Some(month(0).start),
        gives_back: BTreeMap::from([(
            provider("in_0"),
            ReturnedCredits { amount: 333, until: month(0).end },
        )]),
        lines: vec![PaidLine {
            line: provider("il_1"),
            plan: plan_id("basic"),
            quantity: 2,
            period: month(0),
            effect: LineEffect::Charge,
            gives_back: Some(provider("in_0")),
            months: 1,
            full: true,
            free: false,
            unit: credits(500),
            rollover: Some(RolloverCap::MaxBalance(Ratio::new(2, 1).expect("it is a ratio"))),
            cost: usd(999),
        }],
        created_at: month(0).start,
    }
}

fn unpaid_invoice() -> UnpaidInvoice {
    UnpaidInvoice {
        invoice: provider("in_2"),
        subscription: provider("sub_1"),
        state: InvoiceState::Void,
        is_change: true,
        charges: vec![UnpaidCharge { plan: plan_id("basic"), period: month(1) }],
        from_balance: 50,
        finalized_at: Some(month(1).start),
    }
}

fn term() -> Term {
    Term {
        subscription: provider("sub_1"),
        plan: plan_id("basic"),
        period: words::year(),
        monthly: credits(500),
        carry_max: Some(credits(500)),
        paid: Some(PaidBy { payment: provider("in_1"), cost: usd(9990), months: 12 }),
        replaces: true,
        changed_at: Some(at()),
        anchor: Some(month(0).start),
    }
}

pub fn events() -> Vec<Event> {
    [accounts(), grants(), clawbacks(), holds(), subscriptions(), cancellations(), payments(), checkouts()]
        .concat()
}

fn metadata() -> Metadata {
    let pairs = [("source", "spring_mail"), ("ref-1", "ünïcode")];
    let pairs = pairs.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    Metadata::given(pairs).expect("a test's metadata is possible")
}

fn accounts() -> Vec<Event> {
    let effective_at = at();
    vec![
        Event::Account(AccountEvent::AccountOpened {
            plan: plan_id("free"),
            moved_in: Some(MovedIn { as_of: effective_at, windows: windows(), debt: credits(5) }),
            effective_at,
        }),
        Event::Account(AccountEvent::CustomerLinked { customer: provider("cus_1"), effective_at }),
        Event::Account(AccountEvent::CustomerUnlinked { customer: provider("cus_1"), effective_at }),
        Event::Account(AccountEvent::CustomerDiscounted {
            customer: provider("cus_1"),
            discount: provider("di_1"),
            off: Some(TakenOff::Percent(Fraction::new(25, 2).expect("a fraction"))),
            effective_at,
        }),
        Event::Account(AccountEvent::CustomerDiscountEnded {
            customer: provider("cus_1"),
            discount: provider("di_1"),
            effective_at,
        }),
        Event::Account(AccountEvent::AccountMetadataSet { metadata: metadata(), effective_at }),
        Event::Account(AccountEvent::AccountClosed { reason: "asked to".to_owned(), effective_at }),
    ]
}

fn grants() -> Vec<Event> {
    let effective_at = at();
    vec![
        Event::Credits(CreditsEvent::CreditsGranted { grant: grant(), effective_at }),
        Event::Credits(CreditsEvent::CreditsDeducted {
            deduction_id: deduction_id(),
            amount: credits(5),
            draws: draws(),
            order: BURN_ORDER.to_owned(),
            purpose: work(),
            windows: windows(),
            effective_at,
        }),
        Event::Credits(CreditsEvent::CreditsRefunded {
            deduction_id: deduction_id(),
            amount: credits(5),
            returns: vec![draw("signup", 2)],
            reissued: vec![draw("carry:month:sub_1:1748772000", 3)],
            reason: "failed".to_owned(),
            purpose: work(),
            windows: windows(),
            effective_at,
        }),
        Event::Credits(CreditsEvent::CreditsExpired {
            grant_id: grant_id("signup"),
            amount: credits(48),
            effective_at,
        }),
        Event::Credits(CreditsEvent::CreditsAdjusted {
            amount: credits(5),
            draws: draws(),
            reason: "mistake".to_owned(),
            effective_at,
        }),
    ]
}

fn clawbacks() -> Vec<Event> {
    let effective_at = at();
    let (grant_id, dispute) = (grant_id("pack:pi_1"), provider("dp_1"));
    vec![
        Event::Credits(CreditsEvent::CreditsClawedBack {
            payment: provider("pi_1"),
            grant_id: grant_id.clone(),
            voided: credits(100),
            expired: credits(10),
            owed: credits(20),
            forgiven: credits(30),
            effective_at,
        }),
        Event::Credits(CreditsEvent::CreditsRestored {
            payment: provider("pi_1"),
            grant_id: grant_id.clone(),
            restored: credits(90),
            expired: credits(9),
            unowed: credits(8),
            repaid: credits(7),
            unforgiven: credits(6),
            effective_at,
        }),
        Event::Credits(CreditsEvent::GrantFrozen {
            grant_id: grant_id.clone(),
            dispute: dispute.clone(),
            effective_at,
        }),
        Event::Credits(CreditsEvent::GrantUnfrozen { grant_id: grant_id.clone(), dispute, effective_at }),
        Event::Credits(CreditsEvent::GrantEndMoved {
            grant_id: grant_id.clone(),
            ends_at: month(1).end,
            revived: credits(7),
            effective_at,
        }),
        Event::Credits(CreditsEvent::DebtPaid { grant_id, amount: credits(15), effective_at }),
        Event::Credits(CreditsEvent::DebtForgiven {
            amount: credits(5),
            reason: "goodwill".to_owned(),
            effective_at,
        }),
    ]
}

fn holds() -> Vec<Event> {
    let (effective_at, hold_id) = (at(), hold_id("hold_8"));
    let expires_at = time("2025-06-11T10:20:00.250Z");
    vec![
        Event::Hold(HoldEvent::CreditsHeld {
            hold_id: hold_id.clone(),
            amount: credits(5),
            draws: draws(),
            order: BURN_ORDER.to_owned(),
            purpose: named(),
            windows: windows(),
            expires_at,
            effective_at,
        }),
        Event::Hold(HoldEvent::HoldExtended { hold_id: hold_id.clone(), expires_at, effective_at }),
        Event::Hold(HoldEvent::HoldCommitted {
            hold_id: hold_id.clone(),
            amount: credits(3),
            draws: vec![draw("carry:month:sub_1:1748772000", 3)],
            returns: vec![draw("signup", 2)],
            shortfall: credits(4),
            purpose: named(),
            effective_at,
        }),
        Event::Hold(HoldEvent::HoldReleased { hold_id: hold_id.clone(), returns: draws(), effective_at }),
        Event::Hold(HoldEvent::HoldExpired { hold_id, returns: draws(), effective_at }),
    ]
}

fn subscriptions() -> Vec<Event> {
    let effective_at = at();
    vec![
        Event::Invoice(InvoiceEvent::PeriodPaid { term: term(), effective_at }),
        Event::Invoice(InvoiceEvent::InvoicePaid { invoice: paid_invoice(), effective_at }),
        Event::Invoice(InvoiceEvent::InvoiceUnpaid { invoice: unpaid_invoice(), effective_at }),
        Event::Subscription(SubscriptionEvent::TrialStarted { terms: terms(), effective_at }),
        Event::Notice(NoticeEvent::TrialEndAnnounced {
            subscription: provider("sub_1"),
            trial_end: time("2025-06-15T10:00:00Z"),
            effective_at,
        }),
        Event::Subscription(SubscriptionEvent::SubscriptionStarted { terms: terms(), effective_at }),
        Event::Subscription(SubscriptionEvent::SubscriptionRenewed { terms: terms(), effective_at }),
        Event::Subscription(SubscriptionEvent::PlanChanged {
            from: Some(plan_id("free")),
            terms: terms(),
            effective_at,
        }),
        Event::Subscription(SubscriptionEvent::PlanChangeScheduled { terms: terms(), effective_at }),
        Event::Subscription(SubscriptionEvent::RevenueChanged { terms: terms(), effective_at }),
        Event::Subscription(SubscriptionEvent::SubscriptionMoved { terms: moved(), effective_at }),
        Event::Notice(NoticeEvent::SubscriptionChangeRequested {
            subscription: provider("sub_1"),
            requested: Requested::Change {
                plan: Some(plan_id("team")),
                interval: Some(Interval::Year),
                quantity: 3,
            },
            effective_at,
        }),
    ]
}

fn cancellations() -> Vec<Event> {
    let effective_at = at();
    vec![
        Event::Subscription(SubscriptionEvent::SubscriptionPastDue { terms: terms(), effective_at }),
        Event::Subscription(SubscriptionEvent::SubscriptionRecovered { terms: terms(), effective_at }),
        Event::Subscription(SubscriptionEvent::SubscriptionPaused { terms: terms(), effective_at }),
        Event::Subscription(SubscriptionEvent::SubscriptionResumed { terms: terms(), effective_at }),
        Event::Subscription(SubscriptionEvent::CancellationScheduled { terms: terms(), effective_at }),
        Event::Subscription(SubscriptionEvent::CancellationWithdrawn { terms: terms(), effective_at }),
        Event::Subscription(SubscriptionEvent::SubscriptionEnded { terms: terms(), effective_at }),
    ]
}

fn payments() -> Vec<Event> {
    let (effective_at, payment, money) = (at(), provider("in_1"), usd(999));
    let dispute = provider("dp_1");
    vec![
        Event::Payment(PaymentEvent::PaymentSucceeded {
            payment: payment.clone(),
            money: money.clone(),
            purpose: plan(),
            effective_at,
        }),
        Event::Payment(PaymentEvent::PaymentFailed {
            payment: payment.clone(),
            money: money.clone(),
            purpose: PaymentPurpose::Other,
            attempt: 2,
            effective_at,
        }),
        Event::Payment(PaymentEvent::PaymentActionRequired {
            payment: payment.clone(),
            money: money.clone(),
            effective_at,
        }),
        Event::Payment(PaymentEvent::PaymentRefunded {
            payment: payment.clone(),
            refunded: usd(333),
            paid: money.clone(),
            effective_at,
        }),
        Event::Payment(PaymentEvent::PaymentLinked {
            payment: provider("pi_1"),
            invoice: payment.clone(),
            effective_at,
        }),
        Event::Payment(PaymentEvent::RefundIssued {
            refund: provider("re_1"),
            payment: provider("pi_1"),
            money: usd(333),
            effective_at,
        }),
        Event::Payment(PaymentEvent::RefundFailed {
            refund: provider("re_1"),
            payment: provider("pi_1"),
            money: usd(333),
            refunded_at: month(0).start,
            effective_at,
        }),
        Event::Payment(PaymentEvent::CreditNoteIssued {
            note: provider("cn_1"),
            invoice: provider("in_1"),
            money: money.clone(),
            effective_at,
        }),
        Event::Payment(PaymentEvent::CreditNoteVoided {
            note: provider("cn_1"),
            invoice: provider("in_1"),
            money: money.clone(),
            effective_at,
        }),
        Event::Payment(PaymentEvent::DisputeOpened {
            dispute: dispute.clone(),
            payment: payment.clone(),
            money: money.clone(),
            effective_at,
        }),
        Event::Payment(PaymentEvent::DisputeClosed {
            dispute,
            payment,
            won: true,
            money: Some(money),
            effective_at,
        }),
    ]
}

fn sold() -> SoldPack {
    SoldPack {
        pack: PackId::parse("pack_500").expect("an id"),
        credits: credits(500),
        price: usd(600),
        expires_after_days: Some(365),
    }
}

fn checkouts() -> Vec<Event> {
    let (effective_at, session) = (at(), provider("cs_test_1"));
    vec![
        Event::Checkout(CheckoutEvent::CheckoutStarted {
            session: session.clone(),
            purpose: pack(),
            sold: Some(sold()),
            metadata: metadata(),
            effective_at,
        }),
        Event::Checkout(CheckoutEvent::CheckoutCompleted {
            session: session.clone(),
            purpose: pack(),
            paid: true,
            invoice: Some(provider("in_1")),
            effective_at,
        }),
        Event::Checkout(CheckoutEvent::CheckoutExpired { session, purpose: pack(), effective_at }),
    ]
}
