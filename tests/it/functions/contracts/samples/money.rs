//! Samples of what Stripe tells: subscriptions, payments and pages.

use std::collections::BTreeMap;

use counterfoil::domain::{
    catalog::{Interval, Ratio, RolloverCap},
    discounts::Undiscounted,
    event::{
        CheckoutEvent, Event, InvoiceEvent, NoticeEvent, PaymentEvent, PaymentPurpose, SubscriptionEvent,
    },
    fraction::Fraction,
    ids::{AccountId, PackId},
    invoice::{
        InvoiceState, LineEffect, PaidInvoice, PaidLine, ReturnedCredits, UnpaidCharge, UnpaidInvoice,
    },
    reported_details::{Every, EveryUnit, ReportedDetails},
    requested::Requested,
    sold_pack::SoldPack,
    subscription::{PaidBy, ReportOrder, SubscriptionState, SubscriptionStatus, Term, TermsChange},
};

use super::{at, metadata};
use crate::builders::{
    catalog::{credits, plan_id, usd},
    words::{self, month, provider, time},
};

pub(super) fn pack() -> PaymentPurpose {
    PaymentPurpose::Pack { pack: PackId::parse("pack_2000").expect("it is an identifier"), quantity: 2 }
}

pub(super) fn plan() -> PaymentPurpose {
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

pub(super) fn subscriptions() -> Vec<Event> {
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

pub(super) fn cancellations() -> Vec<Event> {
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

pub(super) fn payments() -> Vec<Event> {
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

pub(super) fn checkouts() -> Vec<Event> {
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
